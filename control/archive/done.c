/* SPDX-License-Identifier: Apache-2.0
 *
 * A segment's recordings are told by its index. A recording that still runs, or goes on in a later
 * segment, is not in the shelf, so its segments stay. What was finished stays so, but a hold may come and
 * go: segments with a held recording are looked at again as long as anything is held.
 */
#include "archive/done.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive_priv.h"
#include "libpatchbay/recording_segment.h"

enum { DONE_LINE = 32 };

static bool all_finished(struct archive *a, const struct recording_segment *s)
{
	const uint8_t *last = NULL;

	for (uint32_t i = 0; i < s->entries; i++) {
		const uint8_t *id = s->index[i].id;

		if (last != NULL && memcmp(last, id, 16) == 0)
			continue;
		if (shelf_has(a->shelf, id) != 1 || shelf_held(a->shelf, id) != 0)
			return false;
		last = id;
	}
	return true;
}

/* Its line in the list; false when it is not done. */
static bool segment_done(struct archive *a, const char *path, uint64_t number, char line[DONE_LINE])
{
	struct recording_segment s;
	bool done;

	if (recording_segment_open(&s, path, number, true) != 0)
		return false;
	snprintf(line, DONE_LINE, "%08llx %016llx\n", (unsigned long long)number,
		 (unsigned long long)s.tag);
	done = s.sealed && !s.index_bad && !s.live && all_finished(a, &s);
	recording_segment_close(&s);
	return done;
}

/* The line that the list had for it before; both go up, so what *at has passed is not looked at again. */
static bool known(const char **at, uint64_t number, char line[DONE_LINE])
{
	char key[16];

	snprintf(key, sizeof(key), "%08llx ", (unsigned long long)number);
	while (*at != NULL && strncmp(*at, key, strlen(key)) < 0) {
		*at = strchr(*at, '\n');
		*at = *at != NULL && (*at)[1] != '\0' ? *at + 1 : NULL;
	}
	if (*at == NULL || strncmp(*at, key, strlen(key)) != 0 || strcspn(*at, "\n") != 8 + 1 + 16)
		return false;
	snprintf(line, DONE_LINE, "%.25s\n", *at);
	return true;
}

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t n = 0;
	ssize_t got = f != NULL ? getdelim(&text, &n, '\0', f) : -1;

	if (f != NULL)
		fclose(f);
	if (got >= 0)
		return text;
	free(text);
	return NULL;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The list of one directory, on from what was known: what was done stays done. */
static char *list_of(struct archive *a, const char *dir, const char *before)
{
	struct dirent **entry = NULL;
	int n = scandir(dir, &entry, NULL, by_name);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	bool held = shelf_holds(a->shelf) != 0;

	for (int i = 0; i < n; i++) {
		char path[ARCHIVE_PATH_MAX], line[DONE_LINE];
		uint64_t number;

		if (out != NULL && recording_segment_number(entry[i]->d_name, &number)) {
			snprintf(path, sizeof(path), "%.700s/%.255s", dir, entry[i]->d_name);
			if ((!held && known(&before, number, line)) ||
			    segment_done(a, path, number, line))
				fputs(line, out);
		}
		free(entry[i]);
	}
	free(entry);
	if (out != NULL)
		fclose(out);
	return text;
}

int done_write(struct archive *a)
{
	int err = 0;

	for (unsigned i = 0; i < a->cfg->n_store; i++) {
		char path[ARCHIVE_PATH_MAX];
		char *before, *now;
		int one = 0;

		snprintf(path, sizeof(path), "%.1000s/finished", a->cfg->store[i]);
		before = slurp(path);
		now = list_of(a, a->cfg->store[i], before);
		if (now != NULL && strcmp(now, before != NULL ? before : "") != 0)
			one = archive_put_file(path, now, strlen(now));
		if (one != 0)
			err = archive_refuse(a, one, "%s: %s", path, strerror(-one));
		free(before);
		free(now);
	}
	return err;
}
