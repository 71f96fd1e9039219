/* A sealed file: AES-256-GCM in chunks, so that it can be read from anywhere in it and no chunk
 * can be changed, exchanged, repeated or left out unseen.
 *
 *	head, 64 bytes, little endian:
 *	 0  magic "PBXSEAL1"     16  bytes of what is sealed
 *	 8  version, 1           24  id of the recording, 16 bytes
 *	10  length of the head   40  stream: 0 sound, 1 overview
 *	12  bytes per chunk      41  zeros
 *	chunk i := ciphertext of `bytes per chunk` bytes (the last: what is left, also 0), tag of 16
 *
 * The key is the recording's own and seals each stream once, so the nonce is the place: stream (32
 * bits) and i (64 bits), little endian. Additional data of each chunk: the head, i (64 bits), and a
 * byte that is 1 for the last chunk. So every chunk proves the recording, the length of the whole,
 * its own place and whether it is the end.
 *
 * Thread: a struct belongs to one.
 */
#ifndef ARCHIVE_SEAL_H
#define ARCHIVE_SEAL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "archive/digest.h"
#include "archive/keyring.h"

enum { SEAL_HEAD_BYTES = 64, SEAL_CHUNK_BYTES = 65536, SEAL_TAG_BYTES = 16 };

enum seal_stream { SEAL_SOUND = 0, SEAL_OVERVIEW = 1 };

/* What was read and what was written. */
struct seal_sums {
	uint64_t plain_bytes, stored_bytes;
	uint8_t plain_sha256[DIGEST_BYTES], stored_sha256[DIGEST_BYTES];
};

/* Seal what `in` holds from its beginning into `out`, from where it stands; with `key` NULL copy
 * it as it is. Returns 0 and the sums, or negative errno. Not made durable. */
int seal_write(int in, int out, const uint8_t *key, const uint8_t id[16], enum seal_stream stream,
	       struct seal_sums *sums);

struct seal;

/* Open a sealed (or, with `key` NULL, a plain) file for reading; `fd` is taken on success. Returns
 * 0; -EBADMSG: not sealed, of another recording or stream, cut or grown; or negative errno. */
int seal_open(struct seal **s, int fd, const uint8_t *key, const uint8_t id[16],
	      enum seal_stream stream);
void seal_close(struct seal *s);

/* Bytes of what is sealed. */
uint64_t seal_bytes(const struct seal *s);

/* Up to `n` bytes from `offset`; 0 behind the end; -EBADMSG when a chunk is not as it was sealed,
 * and then no byte of it is given away. */
ssize_t seal_pread(struct seal *s, void *buf, size_t n, uint64_t offset);

#endif
