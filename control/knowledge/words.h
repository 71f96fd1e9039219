/* Words of a text, and how much two words are alike.
 *
 * A word is a run of letters and digits in lower case. Where a script is written without spaces (Chinese, Japanese)
 * each character is a word by itself.
 *
 * Thread: any; pure.
 */
#ifndef KNOWLEDGE_WORDS_H
#define KNOWLEDGE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

enum { WORDS_BYTES_MAX = 64 }; /* of a word, with its NUL; a longer one is cut */

/* Take the next word off *text (UTF-8; other bytes part words). Returns its length, 0: there is none. */
size_t words_next(const char **text, char word[WORDS_BYTES_MAX]);

/* Is this word a character of a script without spaces? */
bool words_han(const char *word);

/* The words of a text with a space between them; the caller's. NULL: no memory. */
char *words_spaced(const char *text);

enum words_likeness {
	WORDS_APART,
	WORDS_MISSPELT, /* one letter more, less, other or two swapped; two such of eight letters or more; or `asked`
			 * is `term` with an ending */
	WORDS_PART,  /* `asked`, three letters or more, is inside `term` */
	WORDS_BEGIN, /* `term` begins with `asked`, two letters or more */
	WORDS_SAME,
};

/* How `term`, a word of a text, is like `asked`. The distance is that of optimal string alignment
 * (Damerau 1964, with each part changed once at most), over characters. */
enum words_likeness words_like(const char *asked, const char *term);

#endif
