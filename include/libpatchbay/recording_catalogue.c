/* SPDX-License-Identifier: Apache-2.0
 *
 * The catalogue, read. A run is mapped; its head and table are checked when it is opened, a block
 * when it is looked at. The fences are not (they are many): instead, what they led to is. If the
 * entries around the place say that the key cannot be there, the run is damaged.
 */
#include "libpatchbay/recording_catalogue.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "libpatchbay/recording_run.h"
#include "patchbay/recording.h"

struct catalogue {
	unsigned runs;
	struct catalogue_run run[CATALOGUE_RUNS_MAX];
};

bool catalogue_name(const char *name, uint32_t *serial, uint32_t *highest)
{
	int used = 0;

	return strlen(name) == strlen("catalogue-SSSSSSSS-HHHHHHHH.pbcat") &&
	       sscanf(name, "catalogue-%8x-%8x.pbcat%n", serial, highest, &used) == 2 &&
	       (size_t)used == strlen(name);
}

uint32_t catalogue_head_crc(const uint8_t *block)
{
	static const uint8_t zero[4];
	size_t at = offsetof(struct catalogue_head, crc);
	uint32_t crc = crc32c(crc32c(0, block, at), zero, sizeof(zero));

	at += sizeof(zero);
	return crc32c(crc, block + at, RECORDING_BLOCK - at);
}

static bool head_ok(const struct catalogue_run *r)
{
	const struct catalogue_head *h = &r->head;
	uint64_t table =
		recording_pad(h->segments * sizeof(struct catalogue_segment), RECORDING_BLOCK);
	uint64_t fences =
		recording_pad(h->blocks * sizeof(struct catalogue_fence), RECORDING_BLOCK);

	return h->magic == CATALOGUE_MAGIC && h->version == CATALOGUE_VERSION &&
	       catalogue_head_crc(r->map) == h->crc && h->blocks_at == RECORDING_BLOCK + table &&
	       h->fences_at == h->blocks_at + (uint64_t)h->blocks * RECORDING_BLOCK &&
	       h->bytes == h->fences_at + fences && h->bytes == r->bytes;
}

int catalogue_run_open(struct catalogue_run *r, const char *path)
{
	struct stat st;
	void *p;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*r = (struct catalogue_run){0};
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) != 0 || st.st_size < RECORDING_BLOCK) {
		close(fd);
		return -EBADMSG;
	}
	r->bytes = (size_t)st.st_size;
	p = mmap(NULL, r->bytes, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return -ENOMEM;
	r->map = p;
	memcpy(&r->head, r->map, sizeof(r->head));
	if (head_ok(r)) {
		r->table = (const void *)(r->map + RECORDING_BLOCK);
		r->fence = (const void *)(r->map + r->head.fences_at);
		if (crc32c(0, r->table, r->head.segments * sizeof(*r->table)) == r->head.table_crc)
			return 0;
	}
	catalogue_run_close(r);
	return -EBADMSG;
}

void catalogue_run_close(struct catalogue_run *r)
{
	if (r->map != NULL)
		munmap((void *)(uintptr_t)r->map, r->bytes);
	r->map = NULL;
}

const struct catalogue_entry *catalogue_run_block(const struct catalogue_run *r, uint32_t block,
						  uint32_t *n)
{
	const uint8_t *p = r->map + r->head.blocks_at + (uint64_t)block * RECORDING_BLOCK;
	uint32_t crc;

	memcpy(&crc, p, sizeof(crc));
	memcpy(n, p + sizeof(crc), sizeof(*n));
	if (crc32c(0, p + sizeof(crc), RECORDING_BLOCK - sizeof(crc)) != crc || *n == 0 ||
	    *n > CATALOGUE_BLOCK_ENTRIES)
		return NULL;
	return (const void *)(p + CATALOGUE_BLOCK_HEAD);
}

int catalogue_open(struct catalogue **out, const char *dir, unsigned *damaged)
{
	struct catalogue *c = calloc(1, sizeof(*c));
	DIR *d = opendir(dir);

	*out = NULL;
	*damaged = 0;
	if (c == NULL) {
		if (d != NULL)
			closedir(d);
		return -ENOMEM;
	}
	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		uint32_t serial, highest;
		char path[4096];
		int err;

		if (!catalogue_name(e->d_name, &serial, &highest) ||
		    c->runs == CATALOGUE_RUNS_MAX ||
		    (size_t)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) >= sizeof(path))
			continue;
		err = catalogue_run_open(&c->run[c->runs], path);
		if (err == 0)
			c->runs++;
		*damaged += err == -EBADMSG;
	}
	if (d != NULL)
		closedir(d);
	if (c->runs == 0) {
		free(c);
		return 0;
	}
	*out = c;
	return 0;
}

void catalogue_close(struct catalogue *c)
{
	for (unsigned i = 0; i < c->runs; i++)
		catalogue_run_close(&c->run[i]);
	free(c);
}

bool catalogue_run_covers(const struct catalogue_run *r, uint64_t number, uint64_t *tag)
{
	uint32_t lo = 0, hi = r->head.segments;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (r->table[mid].number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == r->head.segments || r->table[lo].number != number)
		return false;
	*tag = r->table[lo].tag;
	return true;
}

bool catalogue_covers(const struct catalogue *c, uint64_t number, uint64_t *tag)
{
	uint64_t found;

	for (unsigned i = 0; i < c->runs; i++)
		if (catalogue_run_covers(&c->run[i], number, tag != NULL ? tag : &found))
			return true;
	return false;
}

/* The first `digits` hexadecimal digits only. */
static int compare(const uint8_t *a, const uint8_t *b, unsigned digits)
{
	int way = memcmp(a, b, digits / 2);

	if (way != 0 || digits % 2 == 0)
		return way;
	return (a[digits / 2] >> 4) - (b[digits / 2] >> 4);
}

/* The block in which the first entry with the key is, if there is one: the last whose first entry
 * is before the key. */
static uint32_t first_block(const struct catalogue_run *r, const uint8_t id[16], unsigned digits)
{
	uint32_t lo = 0, hi = r->head.blocks;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (compare(r->fence[mid].id, id, digits) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo != 0 ? lo - 1 : 0;
}

static int find_in(const struct catalogue_run *r, const uint8_t id[16], unsigned digits,
		   catalogue_fn *fn, void *ctx)
{
	uint32_t first = first_block(r, id, digits);

	for (uint32_t b = first; b < r->head.blocks; b++) {
		uint32_t n;
		const struct catalogue_entry *e = catalogue_run_block(r, b, &n);
		int way = e != NULL ? compare(e[0].id, id, digits) : 0;

		if (e == NULL || (b == first && b != 0 && way >= 0) || (b != first && way < 0))
			return -EBADMSG;
		for (uint32_t i = 0; i < n; i++) {
			int err;

			way = compare(e[i].id, id, digits);
			if (way > 0)
				return 0;
			if (way < 0)
				continue;
			if (e[i].segment >= r->head.segments)
				return -EBADMSG;
			err = fn(ctx, &e[i], r->table[e[i].segment].number);
			if (err != 0)
				return err;
		}
	}
	return 0;
}

int catalogue_find(const struct catalogue *c, const uint8_t id[16], unsigned digits,
		   catalogue_fn *fn, void *ctx)
{
	int err = 0;

	for (unsigned i = 0; i < c->runs && err == 0; i++)
		err = find_in(&c->run[i], id, digits, fn, ctx);
	return err;
}

int recording_catalogue_update(const char *dir, unsigned least)
{
	int added, all = 0;

	do {
		added = recording_run_update(dir, least, NULL);
		all += added > 0 ? added : 0;
	} while (added > 0);
	return added < 0 ? added : all;
}

static bool run_whole(const struct catalogue_run *r)
{
	uint64_t entries = 0;

	if (crc32c(0, r->fence, r->head.blocks * sizeof(*r->fence)) != r->head.fences_crc)
		return false;
	for (uint32_t b = 0; b < r->head.blocks; b++) {
		uint32_t n;
		const struct catalogue_entry *e = catalogue_run_block(r, b, &n);

		if (e == NULL || memcmp(e[0].id, r->fence[b].id, sizeof(e[0].id)) != 0)
			return false;
		entries += n;
	}
	return entries == r->head.entries;
}

unsigned catalogue_verify(const struct catalogue *c)
{
	unsigned damaged = 0;

	for (unsigned i = 0; i < c->runs; i++)
		damaged += !run_whole(&c->run[i]);
	return damaged;
}
