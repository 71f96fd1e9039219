/* SPDX-License-Identifier: Apache-2.0
 *
 * A filter from names and values, as the command line and URLs give them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "archive/shelf.h"

void shelf_filter_init(struct shelf_filter *f)
{
	*f = (struct shelf_filter){
		.duration_min_ms = -1,
		.duration_max_ms = -1,
		.holds_min = -1,
		.holds_max = -1,
		.silence_min = -1,
		.silence_max = -1,
		.talk_over_min = -1,
		.mos_min = -1,
		.mos_max = -1,
	};
}

/* "30m", "2h", "7d" ago; "2026-11-25", "2026-11-25T10:00", with seconds and Z; ms since the epoch. */
static bool read_time(const char *text, uint64_t now_ms, uint64_t *ms)
{
	struct tm tm = {.tm_isdst = -1};
	char *end;
	long n = strtol(text, &end, 10);
	const char *p;
	time_t t;

	if (n >= 0 && end != text && (end[0] == 'm' || end[0] == 'h' || end[0] == 'd') &&
	    end[1] == '\0') {
		uint64_t ago = (uint64_t)n *
			       (end[0] == 'm'   ? 60
				: end[0] == 'h' ? 3600
						: 86400) *
			       1000;

		*ms = ago < now_ms ? now_ms - ago : 0;
		return true;
	}
	if (end != text && *end == '\0' && n > 100000000000) {
		*ms = (uint64_t)n;
		return true;
	}
	p = strptime(text, "%Y-%m-%d", &tm);
	if (p == NULL)
		return false;
	if (*p == 'T' || *p == ' ') {
		const char *seconds = strptime(p + 1, "%H:%M:%S", &tm);

		p = seconds != NULL ? seconds : strptime(p + 1, "%H:%M", &tm);
	}
	if (p == NULL || (*p != '\0' && strcmp(p, "Z") != 0))
		return false;
	t = *p == 'Z' ? timegm(&tm) : mktime(&tm);
	*ms = t > 0 ? (uint64_t)t * 1000 : 0;
	return t > 0;
}

static bool read_real(const char *text, double max, double *out)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end != '\0' || !(v >= 0 && v <= max))
		return false;
	*out = v;
	return true;
}

static bool read_int(const char *text, int64_t max, int64_t scale, int64_t *out)
{
	double v;

	if (!read_real(text, (double)max, &v))
		return false;
	*out = (int64_t)(v * (double)scale);
	return true;
}

static bool yes(const char *text)
{
	return strcmp(text, "1") == 0 || strcmp(text, "true") == 0 || strcmp(text, "yes") == 0;
}

struct text_name {
	const char *name;
	size_t offset;
};

#define TEXT(member)                                                                               \
	{                                                                                          \
#member, offsetof(struct shelf_filter, member)                                     \
	}

static const struct text_name texts[] = {
	TEXT(call),  TEXT(kind), TEXT(direction), TEXT(result),     TEXT(caller), TEXT(called),
	TEXT(agent), TEXT(team), TEXT(queue),     TEXT(work_order), TEXT(text),
};

int shelf_filter_set(struct shelf_filter *f, const char *name, const char *value, uint64_t now_ms,
		     char *why, size_t why_size)
{
	const char *want = NULL;
	int64_t n;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(name, texts[i].name) == 0) {
			memcpy((char *)f + texts[i].offset, &value, sizeof(value));
			return 0;
		}
	if (strcmp(name, "group") == 0) {
		f->team = value;
		return 0;
	}
	if (strcmp(name, "tag") == 0) {
		for (int i = 0; i < SHELF_TAGS_MAX; i++)
			if (f->tag[i] == NULL) {
				f->tag[i] = value;
				return 0;
			}
		snprintf(why, why_size, "more than %d tags", SHELF_TAGS_MAX);
		return -EINVAL;
	}
#define NUMBER(what, member, read, words)                                                          \
	if (strcmp(name, what) == 0) {                                                             \
		if (read)                                                                          \
			return 0;                                                                  \
		want = words;                                                                      \
	}
	NUMBER("from", from_ms, read_time(value, now_ms, &f->from_ms),
	       "a time: 2026-11-25, "
	       "2026-11-25T10:00, 2h, 7d")
	NUMBER("to", to_ms, read_time(value, now_ms, &f->to_ms),
	       "a time: 2026-11-25, "
	       "2026-11-25T10:00, 2h, 7d")
	NUMBER("duration_min", duration_min_ms, read_int(value, 1e7, 1000, &f->duration_min_ms),
	       "seconds")
	NUMBER("duration_max", duration_max_ms, read_int(value, 1e7, 1000, &f->duration_max_ms),
	       "seconds")
	NUMBER("holds_min", holds_min, read_int(value, 1e6, 1, &f->holds_min), "a count")
	NUMBER("holds_max", holds_max, read_int(value, 1e6, 1, &f->holds_max), "a count")
	NUMBER("silence_min", silence_min, read_real(value, 1, &f->silence_min),
	       "a share from 0 to 1")
	NUMBER("silence_max", silence_max, read_real(value, 1, &f->silence_max),
	       "a share from 0 to 1")
	NUMBER("talk_over_min", talk_over_min, read_real(value, 1, &f->talk_over_min),
	       "a share from 0 to 1")
	NUMBER("mos_min", mos_min, read_real(value, 5, &f->mos_min), "a MOS from 1 to 5")
	NUMBER("mos_max", mos_max, read_real(value, 5, &f->mos_max), "a MOS from 1 to 5")
	if (strcmp(name, "limit") == 0) {
		if (read_int(value, SHELF_LIMIT_MAX, 1, &n) && n > 0) {
			f->limit = (uint32_t)n;
			return 0;
		}
		want = "a number from 1 to 1000";
	} else if (strcmp(name, "after") == 0) {
		char *end;

		f->after = strtoull(value, &end, 10);
		if (*end == '\0' && f->after > 0 && f->after < INT64_MAX)
			return 0;
		want = "the `next` of another page";
	} else if (strcmp(name, "held") == 0 || strcmp(name, "deleted") == 0) {
		*(name[0] == 'h' ? &f->held : &f->deleted) = yes(value);
		return 0;
	}
	if (want != NULL)
		snprintf(why, why_size, "%s must be %s, not \"%.60s\"", name, want, value);
	else
		snprintf(why, why_size,
			 "there is no filter \"%.40s\"; there are from, to, call, kind, direction, "
			 "result, caller, called, agent, group, queue, work_order, text, tag, "
			 "duration_min/_max, holds_min/_max, silence_min/_max, talk_over_min, "
			 "mos_min/_max, held, deleted, after, limit",
			 name);
	return -EINVAL;
}
