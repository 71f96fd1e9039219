/* SPDX-License-Identifier: Apache-2.0
 *
 * Sealed files and wrapped keys: what was sealed is read back from anywhere, and no change, cut,
 * exchange or stranger's key goes unseen.
 */
#include "archive/seal.h"

#include <errno.h>
#include <sys/mman.h>

#include "archive/archive_testing.h"

static const uint8_t id[16] = {1, 2, 3}, other[16] = {9};

static struct keyring *ring(const char *dir, const char *active, const char *const *ids, size_t n)
{
	struct keyring_source src[4];
	struct keyring *k = NULL;
	char why[200] = "";

	for (size_t i = 0; i < n; i++) {
		src[i] = (struct keyring_source){ids[i], scratch_path(dir, ids[i])};
		if (access(src[i].file, F_OK) != 0)
			check_int(keyring_make(src[i].file), 0);
	}
	check_int(keyring_open(&k, src, n, active, why, sizeof(why)), 0);
	return k;
}

static int memory(const void *p, size_t n)
{
	int fd = memfd_create("seal", MFD_CLOEXEC);

	check(fd >= 0 && (n == 0 || pwrite(fd, p, n, 0) == (ssize_t)n));
	return fd;
}

static void fill(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 2654435761U >> 13);
}

static void what_was_sealed_is_read_from_anywhere(void)
{
	static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 200000};
	static uint8_t plain[200000], got[70000], key[KEYRING_KEY_BYTES];
	struct seal_sums sums;
	uint8_t sha[DIGEST_BYTES];
	struct seal *s;

	fill(plain, sizeof(plain));
	for (size_t c = 0; c < sizeof(sizes) / sizeof(sizes[0]); c++) {
		size_t n = sizes[c];
		int in = memory(plain, n), out = memory(NULL, 0);

		check_int(seal_write(in, out, key, id, SEAL_SOUND, &sums), 0);
		check_int(sums.plain_bytes, n);
		digest_bytes(plain, n, sha);
		check(memcmp(sha, sums.plain_sha256, sizeof(sha)) == 0);
		check_int(digest_file(out, sha), sums.stored_bytes);
		check(memcmp(sha, sums.stored_sha256, sizeof(sha)) == 0);
		check_int(seal_open(&s, dup(out), key, id, SEAL_SOUND), 0);
		check_int(seal_bytes(s), n);
		check_int(seal_pread(s, got, 10, n), 0);
		for (size_t at = 0; at < n; at += 13007) {
			size_t want = n - at < sizeof(got) ? n - at : sizeof(got);

			check_int(seal_pread(s, got, sizeof(got), at), want);
			check(memcmp(got, plain + at, want) == 0);
		}
		seal_close(s);
		check_int(seal_open(&s, out, key, other, SEAL_SOUND), -EBADMSG);
		check_int(seal_open(&s, out, key, id, SEAL_OVERVIEW), -EBADMSG);
		close(in);
		close(out);
	}
}

static bool reads_whole(int fd, const uint8_t *key, size_t n)
{
	static uint8_t got[300000];
	struct seal *s;
	ssize_t k;

	if (seal_open(&s, dup(fd), key, id, SEAL_SOUND) != 0)
		return false;
	k = seal_pread(s, got, sizeof(got), 0);
	seal_close(s);
	return k == (ssize_t)n;
}

static void any_change_of_a_sealed_file_shows(void)
{
	enum { N = 150000 };
	static uint8_t plain[N], stored[N + 1000], key[KEYRING_KEY_BYTES], wrong[KEYRING_KEY_BYTES];
	static uint8_t bad[N + 1000];
	const size_t chunk = SEAL_CHUNK_BYTES + SEAL_TAG_BYTES;
	struct seal_sums sums;
	int in, out;

	fill(plain, N);
	in = memory(plain, N);
	out = memory(NULL, 0);
	check_int(seal_write(in, out, key, id, SEAL_SOUND, &sums), 0);

	size_t n = (size_t)sums.stored_bytes;

	check(pread(out, stored, n, 0) == (ssize_t)n);
	check(reads_whole(out, key, N));
	wrong[5] = 1;
	check(!reads_whole(out, wrong, N));
	for (size_t at = 0; at < n; at += at < 64 ? 1 : 997) {
		uint8_t b = stored[at] ^ 0x40;

		check(pwrite(out, &b, 1, (off_t)at) == 1);
		check(!reads_whole(out, key, N));
		check(pwrite(out, &stored[at], 1, (off_t)at) == 1);
	}
	for (size_t cut = n - 1; cut > 0; cut = cut * 3 / 4) {
		check_int(ftruncate(out, (off_t)cut), 0);
		check(!reads_whole(out, key, N));
	}
	/* the first two chunks change places */
	memcpy(bad, stored, n);
	memcpy(bad + 64, stored + 64 + chunk, chunk);
	memcpy(bad + 64 + chunk, stored + 64, chunk);
	check(pwrite(out, bad, n, 0) == (ssize_t)n);
	check(!reads_whole(out, key, N));
	/* the end taken away, and the head made to say so */
	memcpy(bad, stored, n);
	for (int i = 0; i < 8; i++)
		bad[16 + i] = (uint8_t)((uint64_t)(2 * SEAL_CHUNK_BYTES) >> 8 * i);
	check(pwrite(out, bad, 64 + 2 * chunk, 0) == (ssize_t)(64 + 2 * chunk));
	check_int(ftruncate(out, (off_t)(64 + 2 * chunk)), 0);
	check(!reads_whole(out, key, 2 * SEAL_CHUNK_BYTES));
	close(in);
	close(out);
}

static void keys_are_wrapped_rotated_and_wrapped_anew(void)
{
	static const char *const ids[] = {"k1", "k2"};
	char dir[64], by[KEYRING_ID_MAX];
	uint8_t key[KEYRING_KEY_BYTES], back[KEYRING_KEY_BYTES];
	uint8_t wrapped[KEYRING_WRAPPED_BYTES];
	struct keyring *old, *both, *now;

	scratch_make(dir);
	old = ring(dir, NULL, ids, 1);
	both = ring(dir, "k2", ids, 2);
	now = ring(dir, NULL, ids + 1, 1);
	check_int(keyring_new(old, id, key, wrapped), 0);
	keyring_wrapped_by(wrapped, by);
	check_str(by, "k1");
	check_int(keyring_unwrap(old, id, wrapped, back), 0);
	check(memcmp(key, back, sizeof(key)) == 0);
	check_int(keyring_unwrap(now, id, wrapped, back), -ENOKEY);
	check_int(keyring_unwrap(old, other, wrapped, back), -EBADMSG);
	check_int(keyring_rewrap(old, id, wrapped), 1);
	check_int(keyring_rewrap(both, id, wrapped), 0);
	memset(back, 0, sizeof(back));
	check_int(keyring_unwrap(now, id, wrapped, back), 0);
	check(memcmp(key, back, sizeof(key)) == 0);
	for (size_t i = 0; i < 100; i++) {
		wrapped[i] ^= 1;
		check(keyring_unwrap(now, id, wrapped, back) != 0);
		wrapped[i] ^= 1;
	}
	keyring_close(old);
	keyring_close(both);
	keyring_close(now);
	scratch_remove(dir);
}

static void a_master_key_that_will_not_do_is_named(void)
{
	char dir[64], why[200];
	struct keyring *k;

	scratch_make(dir);

	struct keyring_source src = {"k1", scratch_path(dir, "k1")};

	check_int(keyring_open(&k, &src, 1, NULL, why, sizeof(why)), -ENOENT);
	check(strstr(why, src.file) != NULL);
	scratch_write(src.file, "short\n", 6);
	check_int(chmod(src.file, 0400), 0);
	check_int(keyring_open(&k, &src, 1, NULL, why, sizeof(why)), -EINVAL);
	check_int(chmod(src.file, 0644), 0);
	check_int(keyring_open(&k, &src, 1, NULL, why, sizeof(why)), -EPERM);
	check(strstr(why, "chmod") != NULL);
	check_int(keyring_make(src.file), -EEXIST);
	unlink(src.file);
	check_int(keyring_make(src.file), 0);
	check_int(keyring_open(&k, &src, 1, "k9", why, sizeof(why)), -ENOKEY);
	check(strstr(why, "k9") != NULL);
	check_int(keyring_open(&k, &src, 0, NULL, why, sizeof(why)), -EINVAL);
	scratch_remove(dir);
}

static const struct check_case cases[] = {
	CHECK_CASE(what_was_sealed_is_read_from_anywhere),
	CHECK_CASE(any_change_of_a_sealed_file_shows),
	CHECK_CASE(keys_are_wrapped_rotated_and_wrapped_anew),
	CHECK_CASE(a_master_key_that_will_not_do_is_named),
};
CHECK_MAIN(cases)
