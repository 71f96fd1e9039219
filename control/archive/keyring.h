/* Master keys, and the wrapping of a recording's key under one of them.
 *
 * A master key is 32 bytes in a file of its own, raw or as 64 hexadecimal digits, that nobody but
 * its owner may read. Keys have ids; one is active and wraps, all of them unwrap. Rotation is: add
 * a file, make its id the active one, `patchbay recordings keys rewrap`, take the old one away.
 *
 * The WRAPPED KEY of a recording is a file of KEYRING_WRAPPED_BYTES beside the sealed sound, so
 * that a sealed file never changes (its hash is in the ledger) and destroying the key destroys all
 * copies of the sound:
 *
 *	0  magic "PBXKEY01"       24  id of the master key, zeros behind
 *	8  id of the recording    40  nonce, 12 bytes, random
 *	                          52  AES-256-GCM of the key, 32 bytes
 *	                          84  tag, 16 bytes, over that and, as additional data, bytes 0..39
 *	                         100  zeros
 *
 * Thread: immutable after keyring_open(), any.
 */
#ifndef ARCHIVE_KEYRING_H
#define ARCHIVE_KEYRING_H

#include <stddef.h>
#include <stdint.h>

enum {
	KEYRING_KEY_BYTES = 32,
	KEYRING_WRAPPED_BYTES = 128,
	KEYRING_ID_MAX = 16, /* with its NUL */
	KEYRING_KEYS_MAX = 32,
};

struct keyring_source {
	const char *id;
	const char *file;
};

struct keyring;

/* Read the files. `active` is the id that wraps; NULL: the last one. Returns 0 or negative errno
 * with a sentence in `why`. */
int keyring_open(struct keyring **k, const struct keyring_source *source, size_t n,
		 const char *active, char *why, size_t why_size);
void keyring_close(struct keyring *k);

const char *keyring_active(const struct keyring *k);

/* A fresh random key, and it wrapped under the active master key. */
int keyring_new(const struct keyring *k, const uint8_t id[16], uint8_t key[KEYRING_KEY_BYTES],
		uint8_t wrapped[KEYRING_WRAPPED_BYTES]);

/* Returns 0; -EBADMSG: damaged, or of another recording; -ENOKEY: the master key is not in the ring
 * (keyring_wrapped_by() names it). */
int keyring_unwrap(const struct keyring *k, const uint8_t id[16],
		   const uint8_t wrapped[KEYRING_WRAPPED_BYTES], uint8_t key[KEYRING_KEY_BYTES]);

/* Wrap anew under the active key. Returns 0, 1 when it already is, or as keyring_unwrap(). */
int keyring_rewrap(const struct keyring *k, const uint8_t id[16],
		   uint8_t wrapped[KEYRING_WRAPPED_BYTES]);

/* The master key's id; "" when it is no wrapped key. */
void keyring_wrapped_by(const uint8_t wrapped[KEYRING_WRAPPED_BYTES], char id[KEYRING_ID_MAX]);

/* Make a master key file (mode 0400; must not exist). Returns 0 or negative errno. */
int keyring_make(const char *file);

#endif
