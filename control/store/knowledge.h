/* The knowledge base: articles that agents look things up in, found however they are asked for, and a log of what was
 * looked for.
 *
 * Thread: libre's loop.
 */
#ifndef STORE_KNOWLEDGE_H
#define STORE_KNOWLEDGE_H

#include "store/store.h"

enum {
	STORE_ARTICLE_ROWS_MAX = 200, /* of one write */
	STORE_ARTICLE_KEYWORDS_MAX = 32,
};

/* Write. `rows`, which the call takes, is a list of
 *
 *	{do: "put", article, title?, keywords?: [TEXT], text?, at_ms}    a member that is not there stays as it is
 *	{do: "delete", article}
 *
 * Answer, once it is on the disk: {added, updated, deleted, refused, rows: [{article, done: "added"|"updated"|"deleted"|
 * "refused", why}]}: a new article without title, and one to delete that is not there, are refused.
 * Returns as store_ask(). */
int store_knowledge_write(struct store *store, json_t *rows, store_answer_fn *fn, void *arg);

/* Read. `filter`, which the call takes: {text, synonyms?: [[TEXT]] (knowledge/query.h), limit, who, at_ms}, noted in the
 * log; {article}: that one, whole; {limit}: what was changed last.
 * Answer: {articles: [{article, title, keywords, excerpt|text, points, created_ms, changed_ms}], took_ms}, the best first.
 * Returns as store_ask(). */
int store_knowledge_find(struct store *store, json_t *filter, store_answer_fn *fn, void *arg);

/* Read the log, the newest first. `filter`, which the call takes: {from_ms?, to_ms?, in_vain?: true (nothing was found),
 * limit}. Answer: {searches: [{at_ms, who, text, found, first, took_ms}]}. Returns as store_ask(). */
int store_knowledge_searches(struct store *store, json_t *filter, store_answer_fn *fn, void *arg);

#endif
