/* SPDX-License-Identifier: Apache-2.0
 *
 * A writer's turn: flock, look whether others have written since, cut off a torn tail, then
 * write one line and make it durable. A write that fails half way is taken back by length, so the
 * file always ends with a whole line or with a tail that the next writer cuts.
 */
#include "archive/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"

static const char zeros[DIGEST_TEXT] =
	"0000000000000000000000000000000000000000000000000000000000000000";
static const char hash_key[] = ",\"hash\":\"";

enum { HASH_PART = sizeof(hash_key) - 1 + DIGEST_TEXT - 1 + 2 }; /* ,"hash":"..."} */

struct ledger {
	int fd;
	unsigned turns;
	bool readonly;
	uint64_t end; /* of the line `head`; what is behind was not seen yet */
	struct ledger_place head;
	char line[LEDGER_LINE_MAX + 1];
};

/* Check one line without its newline against its own hash. Fills n and hash. */
static const char *check_line(const char *line, size_t len, uint64_t *n, char hash[DIGEST_TEXT],
			      json_t **object)
{
	char own[DIGEST_TEXT];
	const char *tail;
	json_t *o;

	if (len <= HASH_PART)
		return "too short for a line of the ledger";
	tail = line + len - HASH_PART;
	if (memcmp(tail, hash_key, sizeof(hash_key) - 1) != 0)
		return "does not end with a hash";
	digest_text(line, (size_t)(tail - line), own);
	if (memcmp(own, tail + sizeof(hash_key) - 1, DIGEST_TEXT - 1) != 0)
		return "the hash is not that of the line";
	o = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	if (o == NULL || !json_is_integer(json_object_get(o, "n")) ||
	    !json_is_string(json_object_get(o, "prev"))) {
		json_decref(o);
		return "is no JSON object with n and prev";
	}
	*n = (uint64_t)json_integer_value(json_object_get(o, "n"));
	memcpy(hash, own, DIGEST_TEXT);
	*object = o;
	return NULL;
}

/* Length of the line at `offset` without its newline, read into l->line; 0 at the end (or at a
 * torn tail); negative errno. */
static ssize_t read_line(struct ledger *l, uint64_t offset)
{
	size_t have = 0;

	for (;;) {
		size_t want = have < 2048 ? 2048 : sizeof(l->line) - have;
		ssize_t got;
		const char *nl;

		want = want < sizeof(l->line) - have ? want : sizeof(l->line) - have;
		if (want == 0)
			return -EBADMSG;
		got = pread(l->fd, l->line + have, want, (off_t)(offset + have));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		nl = memchr(l->line + have, '\n', (size_t)got);
		if (nl != NULL)
			return nl - l->line == 0 ? -EBADMSG : nl - l->line;
		have += (size_t)got;
	}
}

/* Where the last whole line begins and ends. */
static int find_last(struct ledger *l, uint64_t size, uint64_t *begin, uint64_t *end)
{
	uint64_t from = size > 2 * (uint64_t)LEDGER_LINE_MAX ? size - 2 * LEDGER_LINE_MAX : 0;
	size_t n = (size_t)(size - from);
	char *buf = malloc(n + 1);
	const char *last, *before;
	int err = -EBADMSG;

	if (buf == NULL)
		return -ENOMEM;
	if (pread(l->fd, buf, n, (off_t)from) != (ssize_t)n) {
		free(buf);
		return -EIO;
	}
	last = memrchr(buf, '\n', n);
	if (last != NULL) {
		before = memrchr(buf, '\n', (size_t)(last - buf));
		if (before != NULL || from == 0) {
			*begin = before != NULL ? from + (uint64_t)(before - buf) + 1 : 0;
			*end = from + (uint64_t)(last - buf) + 1;
			err = 0;
		}
	} else if (from == 0) { /* only a torn first line */
		*begin = *end = 0;
		err = 0;
	}
	free(buf);
	return err;
}

/* See what is there now, as far as whole lines go. */
static int look(struct ledger *l)
{
	struct stat st;
	uint64_t begin = 0, end = 0;
	struct ledger_place head = {0};
	json_t *o = NULL;
	ssize_t len;
	int err;

	if (fstat(l->fd, &st) != 0)
		return -errno;
	if ((uint64_t)st.st_size == l->end)
		return 0;
	if ((uint64_t)st.st_size < l->end)
		return -EBADMSG; /* it only grows */
	err = find_last(l, (uint64_t)st.st_size, &begin, &end);
	if (err != 0)
		return err;
	if (end == l->end)
		return 0;
	if (end < l->end)
		return -EBADMSG;
	len = read_line(l, begin);
	if (len <= 0)
		return len < 0 ? (int)len : -EBADMSG;
	if (check_line(l->line, (size_t)len, &head.n, head.hash, &o) != NULL)
		return -EBADMSG;
	json_decref(o);
	head.offset = begin;
	l->head = head;
	l->end = end;
	return 0;
}

int ledger_lock(struct ledger *l)
{
	int err;

	if (l->turns > 0) {
		l->turns++;
		return 0;
	}
	while (flock(l->fd, LOCK_EX) != 0)
		if (errno != EINTR)
			return -errno;
	l->turns = 1;
	err = look(l);
	if (err != 0)
		ledger_unlock(l);
	return err;
}

void ledger_unlock(struct ledger *l)
{
	must(l->turns > 0);
	if (--l->turns == 0)
		flock(l->fd, LOCK_UN);
}

static int add(struct ledger *l, uint64_t at_ms, const char *op, const json_t *body,
	       struct ledger_place *place)
{
	json_t *o = json_pack("{s:I, s:I, s:s}", "n", (json_int_t)(l->head.n + 1), "at_ms",
			      (json_int_t)at_ms, "op", op);
	struct ledger_place p = {.n = l->head.n + 1, .offset = l->end};
	size_t len;
	int err = 0;

	if (o == NULL || json_object_update_missing(o, (json_t *)(uintptr_t)body) != 0 ||
	    json_object_set_new(o, "prev", json_string(l->head.n ? l->head.hash : zeros)) != 0) {
		json_decref(o);
		return -ENOMEM;
	}
	len = json_dumpb(o, l->line, LEDGER_LINE_MAX - HASH_PART, JSON_COMPACT);
	json_decref(o);
	if (len == 0 || len > LEDGER_LINE_MAX - HASH_PART - 1)
		return -E2BIG;
	len--; /* the closing brace */
	digest_text(l->line, len, p.hash);
	len += (size_t)snprintf(l->line + len, HASH_PART + 2, "%s%s\"}\n", hash_key, p.hash);
	if (ftruncate(l->fd, (off_t)l->end) != 0) /* a torn tail of a dead writer */
		return -errno;
	if (lseek(l->fd, (off_t)l->end, SEEK_SET) < 0)
		return -errno;
	err = digest_write_all(l->fd, l->line, len);
	if (err == 0 && fdatasync(l->fd) != 0)
		err = -errno;
	if (err != 0) {
		(void)!ftruncate(l->fd, (off_t)l->end);
		return err;
	}
	l->end += len;
	l->head = p;
	if (place != NULL)
		*place = p;
	return 0;
}

int ledger_append(struct ledger *l, uint64_t at_ms, const char *op, json_t *body,
		  struct ledger_place *place)
{
	int err = body == NULL ? -ENOMEM : ledger_lock(l);

	if (err == 0) {
		err = add(l, at_ms, op, body, place);
		ledger_unlock(l);
	}
	json_decref(body);
	return err;
}

int ledger_head(struct ledger *l, struct ledger_place *place)
{
	int err = l->turns > 0 ? 0 : look(l);

	if (err == 0)
		*place = l->head;
	return err;
}

int ledger_read(struct ledger *l, uint64_t offset, json_t **line)
{
	ssize_t len = read_line(l, offset);
	char hash[DIGEST_TEXT];
	uint64_t n;

	if (len < 0)
		return (int)len;
	if (len == 0 || check_line(l->line, (size_t)len, &n, hash, line) != NULL)
		return -EBADMSG;
	return 0;
}

int ledger_verify(struct ledger *l, const struct ledger_place *from, ledger_line_fn *fn, void *ctx,
		  struct ledger_verdict *v)
{
	uint64_t offset = 0;
	int err = 0;

	*v = (struct ledger_verdict){0};
	memcpy(v->head.hash, zeros, DIGEST_TEXT);
	if (from != NULL) {
		ssize_t len = read_line(l, from->offset);

		if (len <= 0)
			return len < 0 ? (int)len : -EBADMSG;
		v->head = *from;
		offset = from->offset + (uint64_t)len + 1;
	}
	while (err == 0) {
		struct ledger_place p = {.offset = offset};
		ssize_t len = read_line(l, offset);
		const char *wrong;
		json_t *o = NULL;

		if (len == 0)
			break;
		wrong = len < 0 ? "cannot be read as a line"
				: check_line(l->line, (size_t)len, &p.n, p.hash, &o);
		if (wrong == NULL && p.n != v->head.n + 1)
			wrong = "its number does not follow the line before";
		if (wrong == NULL &&
		    strcmp(json_string_value(json_object_get(o, "prev")), v->head.hash) != 0)
			wrong = "it does not follow the line before: that was changed, or lines "
				"were taken out";
		if (wrong != NULL) {
			v->wrong_n = v->head.n + 1;
			v->wrong_offset = offset;
			snprintf(v->why, sizeof(v->why), "%s", wrong);
			json_decref(o);
			break;
		}
		v->lines++;
		v->head = p;
		if (fn != NULL)
			err = fn(ctx, &p, o);
		json_decref(o);
		offset += (uint64_t)len + 1;
	}
	return err;
}

static uint64_t wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* The first line. */
static int begin(struct ledger *l)
{
	char name[33];
	uint8_t random[16];
	int err = ledger_lock(l);

	if (err != 0)
		return err;
	if (l->head.n == 0) {
		must(getrandom(random, sizeof(random), 0) == (ssize_t)sizeof(random));
		digest_hex(random, sizeof(random), name);
		err = ledger_append(l, wall_ms(), "begin",
				    json_pack("{s:s, s:i}", "ledger", name, "format", 1), NULL);
	}
	ledger_unlock(l);
	return err;
}

int ledger_open(struct ledger **out, const char *path)
{
	struct ledger *l = calloc(1, sizeof(*l));
	int err;

	if (l == NULL)
		return -ENOMEM;
	l->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (l->fd < 0 && (errno == EACCES || errno == EROFS)) {
		l->fd = open(path, O_RDONLY | O_CLOEXEC);
		l->readonly = true;
	}
	if (l->fd < 0) {
		err = -errno;
		free(l);
		return err;
	}
	err = look(l);
	if (err == 0 && l->head.n == 0 && !l->readonly)
		err = begin(l);
	if (err != 0) {
		ledger_close(l);
		return err;
	}
	*out = l;
	return 0;
}

void ledger_close(struct ledger *l)
{
	if (l == NULL)
		return;
	close(l->fd);
	free(l);
}
