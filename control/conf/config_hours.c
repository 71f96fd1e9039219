/* SPDX-License-Identifier: Apache-2.0
 * Calendars. Every date and every span is read from text of one shape, by one small scanner, so
 * that each refusal can show the shape that was expected. */
#include <stdlib.h>
#include <string.h>

#include "conf/config_priv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const week_days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static const struct field calendar_fields[] = {
	{"zone", FIELD_OTHER, 0, 0, 0},
	{"week", FIELD_OTHER, 0, 0, 0},
	{"dates", FIELD_OTHER, 0, 0, 0},
};

static const struct field date_fields[] = {
	{"from", FIELD_OTHER, 0, 0, 0},  {"to", FIELD_OTHER, 0, 0, 0},
	{"date", FIELD_OTHER, 0, 0, 0},  {"name", FIELD_OTHER, 0, 0, 0},
	{"hours", FIELD_OTHER, 0, 0, 0},
};

/* Exactly `n` digits at `*p`, moved past them; -1 otherwise. */
static int digits(const char **p, unsigned n)
{
	int v = 0;

	for (unsigned i = 0; i < n; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		v = v * 10 + (**p - '0');
	}
	return v;
}

/* "08:30" as minutes; 24:00 is the end of the day. */
static int clock_min(const char **p)
{
	int h = digits(p, 2);

	if (h < 0 || **p != ':')
		return -1;
	(*p)++;

	int m = digits(p, 2);

	if (m < 0 || m > 59 || h * 60 + m > 1440)
		return -1;
	return h * 60 + m;
}

/* "08:30-12:00", or "closed", or a list of spans. */
static void read_span(const struct schema *s, const struct tree *t, struct hours_day *out)
{
	const char *text, *p;

	if (!schema_text(s, t, "hours", 1, 20, &text) || strcmp(text, "closed") == 0)
		return;
	p = text;

	int from = clock_min(&p);
	int to = -1;

	if (from >= 0 && *p == '-') {
		p++;
		to = clock_min(&p);
	}
	if (to < 0 || *p != '\0') {
		complain(s->c, COMPLAINT_ERROR, t->at,
			 "\"%s\" are no hours; write \"08:30-17:30\" or \"closed\"", text);
	} else if (from >= to) {
		complain(s->c, COMPLAINT_ERROR, t->at,
			 "\"%s\" ends before it begins; over midnight write two spans", text);
	} else if (out->n == HOURS_SPANS_MAX) {
		complain(s->c, COMPLAINT_ERROR, t->at, "more than %d spans in a day",
			 HOURS_SPANS_MAX);
	} else {
		out->span[out->n++] = (struct hours_span){(uint16_t)from, (uint16_t)to};
	}
}

static void read_hours(const struct schema *s, const struct tree *t, struct hours_day *out)
{
	if (t->kind != TREE_LIST) {
		read_span(s, t, out);
		return;
	}
	for (const struct tree *m = t->first; m != NULL; m = m->next)
		read_span(s, m, out);
}

static int day_of(const char *word, size_t len)
{
	for (int i = 0; i < 7; i++)
		if (len == 3 && memcmp(week_days[i], word, 3) == 0)
			return i;
	return -1;
}

/* Keys of the week: "mon", or "mon-fri". */
static void read_week(const struct schema *s, const struct tree *t, struct hours *h)
{
	bool given[7] = {false};

	if (!schema_kind(s, t, "week", TREE_MAP))
		return;
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		const char *dash = strchr(m->key, '-');
		size_t len = dash != NULL ? (size_t)(dash - m->key) : strlen(m->key);
		int from = day_of(m->key, len);
		int to = dash != NULL ? day_of(dash + 1, strlen(dash + 1)) : from;
		struct hours_day day = {0};

		if (from < 0 || to < from) {
			complain(s->c, COMPLAINT_ERROR, m->key_at,
				 "\"%.20s\" is no day; write mon, tue, wed, thu, fri, sat, sun, or "
				 "a "
				 "run such as mon-fri",
				 m->key);
			continue;
		}
		read_hours(s, m, &day);
		for (int i = from; i <= to; i++) {
			if (given[i])
				complain(s->c, COMPLAINT_ERROR, m->key_at,
					 "%s is there twice in the week", week_days[i]);
			given[i] = true;
			h->week[i] = day;
		}
	}
}

bool config_read_date(const struct schema *s, const struct tree *t, int32_t *out)
{
	const char *text, *p;

	if (!schema_text(s, t, "a date", 1, 20, &text))
		return false;
	p = text;

	int year = digits(&p, 4), month = -1, day = -1;

	if (year >= 0 && *p == '-') {
		p++;
		month = digits(&p, 2);
	}
	if (month >= 0 && *p == '-') {
		p++;
		day = digits(&p, 2);
	}
	if (day < 0 || *p != '\0' || !hours_date_exists(year, month, day)) {
		complain(s->c, COMPLAINT_ERROR, t->at,
			 "\"%s\" is no date that exists; write it as 2026-10-01", text);
		return false;
	}
	*out = hours_day_number(year, month, day);
	return true;
}

static void read_dates(const struct schema *s, const struct tree *t, struct hours *h)
{
	if (!schema_kind(s, t, "dates", TREE_LIST))
		return;
	if (t->n > HOURS_DATES_MAX) {
		complain(s->c, COMPLAINT_ERROR, t->at, "more than %d dates", HOURS_DATES_MAX);
		return;
	}
	h->dates = conf_arena_array(s->arena, t->n, sizeof(*h->dates));
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		struct hours_dates d = {0};
		const struct tree *date = tree_get(m, "date"), *from = tree_get(m, "from"),
				  *to = tree_get(m, "to"), *name = tree_get(m, "name"),
				  *hours = tree_get(m, "hours");
		const char *text = "";
		bool fine;

		if (!schema_fill(s, m, date_fields, COUNT(date_fields), &d))
			continue;
		if ((date != NULL) == (from != NULL || to != NULL) ||
		    (from == NULL) != (to == NULL)) {
			complain(s->c, COMPLAINT_ERROR, m->at,
				 "give either \"date\", or \"from\" and \"to\"");
			continue;
		}
		if (date != NULL) {
			fine = config_read_date(s, date, &d.from);
			d.to = d.from;
		} else {
			fine = config_read_date(s, from, &d.from);
			fine = config_read_date(s, to, &d.to) && fine;
		}
		if (fine && d.from > d.to)
			complain(s->c, COMPLAINT_ERROR, m->at, "these dates end before they begin");
		if (name != NULL)
			schema_text(s, name, "name", 1, HOURS_NAME_MAX - 1, &text);
		memcpy(d.name, text, strlen(text));
		if (hours != NULL)
			read_hours(s, hours, &d.day);
		h->dates[h->n_dates++] = d;
	}
}

/* "UTC", "+08:00", or a name that the shell must know. */
void config_read_zone(const struct schema *s, const struct tree *t, struct hours *h)
{
	const char *text, *p;

	if (!schema_text(s, t, "zone", 1, 63, &text))
		return;
	h->zone = text;
	if (strcmp(text, "UTC") == 0) {
		h->zone_fixed = true;
		return;
	}
	if (text[0] == '+' || text[0] == '-') {
		p = text + 1;

		int min = clock_min(&p);

		if (min < 0 || min > 14 * 60 || *p != '\0') {
			complain(s->c, COMPLAINT_ERROR, t->at,
				 "\"%s\" is no offset; write \"+08:00\"", text);
			return;
		}
		h->zone_fixed = true;
		h->offset_min = (int16_t)(text[0] == '-' ? -min : min);
		return;
	}
	if (strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") !=
		    strlen(text) ||
	    text[0] == '/')
		complain(s->c, COMPLAINT_ERROR, t->at,
			 "\"%s\" is no time zone; write \"+08:00\" or \"Asia/Shanghai\"", text);
}

void config_read_calendars(const struct schema *s, const struct tree *t, struct config *c)
{
	if (t == NULL || !schema_kind(s, t, "calendars", TREE_MAP))
		return;
	if (t->n > CONFIG_CALENDARS_MAX) {
		complain(s->c, COMPLAINT_ERROR, t->at, "more than %d calendars",
			 CONFIG_CALENDARS_MAX);
		return;
	}
	c->calendars = conf_arena_array(s->arena, t->n, sizeof(*c->calendars));
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		struct hours h = {.name = m->key, .zone = "UTC", .zone_fixed = true};
		const struct tree *part;

		if (strlen(m->key) == 0 || strlen(m->key) > 47)
			complain(s->c, COMPLAINT_ERROR, m->key_at,
				 "the name of a calendar has 1 to 47 bytes");
		if (!schema_fill(s, m, calendar_fields, COUNT(calendar_fields), &h))
			continue;
		if ((part = tree_get(m, "zone")) != NULL) {
			h.zone_fixed = false;
			h.offset_min = 0;
			config_read_zone(s, part, &h);
		}
		if ((part = tree_get(m, "week")) != NULL)
			read_week(s, part, &h);
		else
			complain(s->c, COMPLAINT_ERROR, m->key_at,
				 "calendar \"%.40s\" needs a \"week\"", m->key);
		if ((part = tree_get(m, "dates")) != NULL)
			read_dates(s, part, &h);
		c->calendars[c->n_calendars++] = h;
	}
}
