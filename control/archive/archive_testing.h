/* For the archive's tests: a directory that goes away, and files in it. */
#ifndef ARCHIVE_ARCHIVE_TESTING_H
#define ARCHIVE_ARCHIVE_TESTING_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static inline int scratch_drop(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)st;
	(void)kind;
	(void)f;
	return remove(path);
}

static inline void scratch_make(char dir[64])
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, 64, "%.40s/archive-XXXXXX", tmp != NULL ? tmp : "/tmp");
	check(mkdtemp(dir) != NULL);
}

static inline void scratch_remove(const char *dir)
{
	nftw(dir, scratch_drop, 16, FTW_DEPTH | FTW_PHYS);
}

static inline const char *scratch_path(const char *dir, const char *name)
{
	static char path[8][200];
	static unsigned i;

	i = (i + 1) % 8;
	snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return path[i];
}

static inline void scratch_write(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	check(f != NULL && fwrite(p, 1, n, f) == n);
	fclose(f);
}

static inline size_t scratch_read(const char *path, void *p, size_t max)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	check(f != NULL);
	n = fread(p, 1, max, f);
	fclose(f);
	return n;
}

#endif
