/* SHA-256 of bytes and files, and its text: 64 lower-case hexadecimal digits.
 *
 * Thread: any.
 */
#ifndef ARCHIVE_DIGEST_H
#define ARCHIVE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_BYTES = 32, DIGEST_TEXT = 65 };

void digest_bytes(const void *p, size_t n, uint8_t out[DIGEST_BYTES]);

/* Of an open file from its beginning to its end, whatever its position. Returns its length or
 * negative errno. */
int64_t digest_file(int fd, uint8_t out[DIGEST_BYTES]);

/* Of the file at `path`. Returns its length or negative errno. */
int64_t digest_path(const char *path, uint8_t out[DIGEST_BYTES]);

void digest_hex(const uint8_t *p, size_t n, char *text);

/* Exactly 2 * n digits. */
bool digest_unhex(const char *text, uint8_t *p, size_t n);

/* The text of digest_bytes(). */
void digest_text(const void *p, size_t n, char text[DIGEST_TEXT]);

/* All of `n` bytes, at once or not: 0 or negative errno. */
int digest_write_all(int fd, const void *p, size_t n);

#endif
