/* SPDX-License-Identifier: Apache-2.0
 *
 * A segment is freed when its line, its name and its head agree, it is sealed, and nobody writes it. All
 * else is left alone: the worst that a wrong list can do is that nothing is freed.
 */
#include "record/recycle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "libpatchbay/recording_segment.h"

bool recycle_free_number(const char *name, uint64_t *number)
{
	unsigned n;
	int used = 0;

	if (sscanf(name, "free-%8x.pbseg%n", &n, &used) != 1 || used == 0 ||
	    (size_t)used != strlen(name))
		return false;
	*number = n;
	return true;
}

static bool hex(const char *p, int digits, uint64_t *to)
{
	uint64_t n = 0;

	for (int i = 0; i < digits; i++) {
		char c = p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		n = n << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*to = n;
	return true;
}

bool recycle_parse(const char *line, struct finished *f)
{
	return strlen(line) == 8 + 1 + 16 && line[8] == ' ' && hex(line, 8, &f->number) &&
	       hex(line + 9, 16, &f->tag);
}

static int by_number(const void *a, const void *b)
{
	const struct finished *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static int keep(struct recycle *r, uint32_t *max, const struct finished *f)
{
	if (r->lines == *max) {
		uint32_t more = *max != 0 ? *max * 2 : 256;
		void *p = realloc(r->line, more * sizeof(*r->line));

		if (p == NULL)
			return -ENOMEM;
		r->line = p;
		*max = more;
	}
	r->line[r->lines++] = *f;
	return 0;
}

void recycle_forget(struct recycle *r)
{
	free(r->line);
	*r = (struct recycle){0};
}

static void read_list(struct recycle *r, const char *dir)
{
	char path[400], line[64];
	struct finished f;
	struct stat st;
	uint32_t max = 0;
	uint64_t look;
	FILE *in;

	snprintf(path, sizeof(path), "%.300s/finished", dir);
	in = fopen(path, "re");
	if (in == NULL || fstat(fileno(in), &st) != 0) {
		recycle_forget(r);
		if (in != NULL)
			fclose(in);
		return;
	}
	/* it is replaced as a whole: another file, or another time */
	look = (uint64_t)st.st_ino * 1000003 ^ (uint64_t)st.st_mtim.tv_sec * 31 ^
	       (uint64_t)st.st_mtim.tv_nsec ^ (uint64_t)st.st_size << 20;
	if (r->look != look) {
		recycle_forget(r);
		while (fgets(line, sizeof(line), in) != NULL && r->lines < RECYCLE_LINES_MAX) {
			line[strcspn(line, "\n")] = '\0';
			if (recycle_parse(line, &f) && keep(r, &max, &f) != 0)
				break;
		}
		if (r->lines != 0)
			qsort(r->line, r->lines, sizeof(*r->line), by_number);
		r->look = look;
	}
	fclose(in);
}

static const struct finished *find(const struct recycle *r, uint64_t number)
{
	const struct finished key = {.number = number};

	return r->lines == 0 ? NULL : bsearch(&key, r->line, r->lines, sizeof(*r->line), by_number);
}

static bool may_go(const char *path, const struct finished *f)
{
	struct recording_segment s;
	bool may;

	if (recording_segment_open(&s, path, f->number, false) != 0)
		return false;
	may = s.tag == f->tag && !s.live && recording_segment_has_tail(&s);
	recording_segment_close(&s);
	return may;
}

static int sync_directory(int fd)
{
	return fsync(fd) == 0 ? 0 : -errno;
}

/* One segment becomes a free file. */
static int set_free(const char *dir, int dir_fd, const struct finished *f)
{
	char from[400], to[400];

	snprintf(from, sizeof(from), "%.300s/seg-%08x.pbseg", dir, (unsigned)f->number);
	snprintf(to, sizeof(to), "%.300s/free-%08x.pbseg", dir, (unsigned)f->number);
	if (!may_go(from, f))
		return -EBUSY;
	if (rename(from, to) != 0)
		return -errno;
	log_debug("record", "%s is finished and free", from);
	return sync_directory(dir_fd);
}

int recycle_look(struct recycle *r, const char *dir, bool list, uint32_t fresh,
		 struct recycle_count *count, uint32_t *freed)
{
	struct finished *candidate = NULL;
	uint32_t candidates = 0, max = 0;
	struct recycle found = {0};
	DIR *d = opendir(dir);
	uint64_t number;

	*count = (struct recycle_count){0};
	*freed = 0;
	if (d == NULL)
		return -errno;
	if (list)
		read_list(r, dir);
	for (const struct dirent *e; (e = readdir(d)) != NULL;) {
		const struct finished *f;

		count->fresh += recycle_free_number(e->d_name, &number);
		if (!recording_segment_number(e->d_name, &number))
			continue;
		count->segments++;
		f = list ? find(r, number) : NULL;
		if (f != NULL && keep(&found, &max, f) == 0)
			candidates++;
	}
	candidate = found.line;
	count->finished = candidates;
	if (candidates != 0)
		qsort(candidate, candidates, sizeof(*candidate), by_number);
	for (uint32_t i = 0; i < candidates && count->fresh < fresh; i++) {
		if (set_free(dir, dirfd(d), &candidate[i]) != 0)
			continue;
		count->fresh++;
		count->segments--;
		count->finished--;
		(*freed)++;
	}
	free(candidate);
	closedir(d);
	return 0;
}
