/* What is asked of the knowledge base, made into questions for its full-text index.
 *
 * A word finds itself, words that begin with it, words it is a part of, and words it may have been meant to be; these are
 * looked up in the index's own vocabulary (words.h). Of a script without spaces two characters side by side are a word.
 * Words of the centre's own may stand for each other (`knowledge` in the configuration).
 *
 *	q = query_new("refnud polcy", synonyms)
 *	each word of the vocabulary: query_word(q, word)
 *	query_asks(q)    [{word: 0, expr: "\"refnud\"", weight: 1.0}, {word: 0, expr: "\"refund\"", weight: 0.4}, ...]
 *
 * An article's points are the sum over the words asked for of the best that it has of each.
 *
 * Thread: any; one query is one thread's.
 */
#ifndef KNOWLEDGE_QUERY_H
#define KNOWLEDGE_QUERY_H

#include <stdbool.h>

#include <jansson.h>

enum {
	QUERY_WORDS_MAX = 16, /* more are not looked at */
	QUERY_LIKE_MAX = 24,  /* words of the vocabulary for one asked for, of each likeness */
	QUERY_EXCERPT_MAX = 200,
	QUERY_READ_MAX = 16384, /* bytes of an article that an excerpt is looked for in */
};

struct query;

/* `synonyms`: lists of texts that stand for each other, or NULL; must outlive the query. NULL: no memory. */
struct query *query_new(const char *text, const json_t *synonyms);
void query_free(struct query *q);

/* Has it any word at all? */
bool query_empty(const struct query *q);

/* A word of the vocabulary. */
void query_word(struct query *q, const char *word);

/* Questions in the language of SQLite's FTS5; the caller's. */
json_t *query_asks(const struct query *q);

/* Of `text` the line with the most of the words asked for, cut to QUERY_EXCERPT_MAX bytes; of two such the first. */
void query_excerpt(const struct query *q, const char *text, char out[QUERY_EXCERPT_MAX]);

#endif
