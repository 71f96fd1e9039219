/* SPDX-License-Identifier: Apache-2.0
 *
 * A filter becomes a list of TESTS. A test can be walked (it has an index, perhaps several places in
 * it: the classes of a range), or be applied to rows that another one walks: by traits, which every
 * index carries, and exactly, by the row. One test leads, the others are applied:
 *
 *	SELECT n FROM (walk of place 1 UNION ALL walk of place 2 ...) ORDER BY n DESC LIMIT k
 *
 * Which leads decides whether a sparse page costs a millisecond or a second, and nothing known
 * beforehand tells it well. So the tests lead in turns, each with a budget of SQLite's steps that
 * grows fourfold by the round, the likely ones first: the whole costs at most some times the best.
 *
 * No text from outside is ever put into SQL; values are bound by number.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/shelf_priv.h"
#include "archive/shelf_traits.h"
#include "base/must.h"

enum {
	TESTS_MAX = 24,
	PLACES_MAX = 16,
	BINDS_MAX = 128, /* every filter at once, all ranges over all their classes: 81 */
	LIMIT_DEFAULT = 50,
	STEPS_PER_TICK = 1000,
	BUDGET_FIRST = 250, /* ticks; some ms */
	BUDGET_MAX = 60000, /* ticks of the last turn; about a second */
};

struct bind {
	enum { BIND_INT, BIND_REAL, BIND_TEXT } kind;
	int64_t i;
	double d;
	const char *s;
};

struct test {
	const char *index;  /* its index; NULL: cannot lead */
	const char *place;  /* "agent=?", one parameter */
	int first, places;  /* parameters of the places, first .. first + places - 1 */
	char traits[96];    /* condition on %s.traits, or "" */
	char exact[160];    /* condition on r, or "" */
	const char *from;   /* another table than recordings that leads: "tags t" */
	bool never_applied; /* the walk is exact and the condition need not be tested when leading */
};

struct search {
	struct test test[TESTS_MAX];
	int tests;
	struct bind bind[BINDS_MAX];
	int binds;
	bool empty; /* a word that no row has */
	char range[64];
};

static int bind_add(struct search *s, struct bind b)
{
	must(s->binds < BINDS_MAX);
	s->bind[s->binds++] = b;
	return s->binds; /* SQLite counts from 1 */
}

static int bind_int(struct search *s, int64_t i)
{
	return bind_add(s, (struct bind){.kind = BIND_INT, .i = i});
}

static int bind_text(struct search *s, const char *text)
{
	return bind_add(s, (struct bind){.kind = BIND_TEXT, .s = text});
}

static int bind_real(struct search *s, double d)
{
	return bind_add(s, (struct bind){.kind = BIND_REAL, .d = d});
}

static struct test *add(struct search *s)
{
	must(s->tests < TESTS_MAX);
	s->test[s->tests] = (struct test){0};
	return &s->test[s->tests++];
}

static void same_text(struct search *s, const char *value, const char *index, const char *column,
		      const char *place)
{
	struct test *t;

	if (value == NULL)
		return;
	t = add(s);
	t->index = index;
	t->place = place;
	t->places = 1;
	t->first = bind_text(s, value);
	snprintf(t->exact, sizeof(t->exact), "r.%s=?%d", column, t->first);
	t->never_applied = true;
}

/* A column of small numbers with a trait. */
static void same_number(struct search *s, int64_t value, struct trait trait, const char *index,
			const char *column, const char *place)
{
	struct test *t = add(s);

	t->index = index;
	t->place = place;
	t->places = 1;
	t->first = bind_int(s, value);
	snprintf(t->traits, sizeof(t->traits), "%%s.traits>>%d&%u=%llu", trait.shift,
		 trait_max(trait), (unsigned long long)trait_clip(trait, (uint64_t)value));
	if (trait_clip(trait, (uint64_t)value) == trait_max(trait))
		snprintf(t->exact, sizeof(t->exact), "r.%s=?%d", column, t->first);
	t->never_applied = true;
}

static int same_word(struct shelf *c, struct search *s, enum shelf_word kind, const char *value,
		     struct trait trait, const char *index, const char *column, const char *place)
{
	int64_t word;

	if (value == NULL)
		return 0;
	word = shelf_word(c, kind, value, false);
	if (word < 0)
		return (int)word;
	s->empty |= word == 0;
	same_number(s, word, trait, index, column, place);
	return 0;
}

/* Classes lo..hi of a trait, and the exact bounds where the outermost classes are not whole. */
static struct test *range(struct search *s, struct trait trait, unsigned lo, unsigned hi,
			  const char *index, const char *place)
{
	struct test *t = add(s);

	t->index = index;
	t->place = place;
	t->places = (int)(hi - lo) + 1;
	for (unsigned k = lo; k <= hi; k++) {
		int at = bind_int(s, k);

		t->first = k == lo ? at : t->first;
	}
	snprintf(t->traits, sizeof(t->traits), "%%s.traits>>%d&%u BETWEEN %u AND %u", trait.shift,
		 trait_max(trait), lo, hi);
	return t;
}

static void between(struct test *t, const char *column, int lo, int hi)
{
	snprintf(t->exact, sizeof(t->exact), "r.%s BETWEEN ?%d AND ?%d", column, lo, hi);
}

static void ranges(struct search *s, const struct shelf_filter *f)
{
	struct test *t;
	int lo_at;

	if (f->duration_min_ms >= 0 || f->duration_max_ms >= 0) {
		int64_t lo = f->duration_min_ms >= 0 ? f->duration_min_ms : 0;
		int64_t hi = f->duration_max_ms >= 0 ? f->duration_max_ms : INT64_MAX;

		s->empty |= lo > hi;
		t = range(s, trait_duration, shelf_duration_class(lo),
			  shelf_duration_class(hi < lo ? lo : hi), "recordings_duration",
			  "(traits>>10)&15=?");
		lo_at = bind_int(s, lo);
		between(t, "duration_ms", lo_at, bind_int(s, hi));
	}
	if (f->holds_min >= 0 || f->holds_max >= 0) {
		int64_t lo = f->holds_min >= 0 ? f->holds_min : 0;
		int64_t hi = f->holds_max >= 0 ? f->holds_max : INT64_MAX;

		s->empty |= lo > hi;
		t = range(s, trait_holds, (unsigned)trait_clip(trait_holds, (uint64_t)lo),
			  (unsigned)trait_clip(trait_holds, (uint64_t)(hi < lo ? lo : hi)),
			  "recordings_holds", "(traits>>14)&7=?");
		lo_at = bind_int(s, lo);
		between(t, "holds", lo_at, bind_int(s, hi));
	}
	if (f->silence_min >= 0 || f->silence_max >= 0) {
		double lo = f->silence_min >= 0 ? f->silence_min : 0;
		double hi = f->silence_max >= 0 ? f->silence_max : 1;

		s->empty |= lo > hi;
		t = range(s, trait_silence, shelf_silence_class(lo),
			  shelf_silence_class(hi < lo ? lo : hi), "recordings_silence",
			  "(traits>>17)&15=?");
		lo_at = bind_real(s, lo);
		between(t, "silence", lo_at, bind_real(s, hi));
	}
	if (f->mos_min >= 0 || f->mos_max >= 0) {
		double lo = f->mos_min >= 1 ? f->mos_min : 1;
		double hi = f->mos_max >= 0 ? f->mos_max : 5;

		s->empty |= lo > hi;
		t = range(s, trait_quality, shelf_quality_class(lo),
			  shelf_quality_class(hi < lo ? lo : hi), "recordings_quality",
			  "(traits>>21)&15=?");
		lo_at = bind_real(s, lo);
		between(t, "mos", lo_at, bind_real(s, hi));
	}
	if (f->talk_over_min >= 0) {
		t = add(s);
		snprintf(t->exact, sizeof(t->exact), "r.talk_over>=?%d",
			 bind_real(s, f->talk_over_min));
	}
}

static void tags(struct search *s, const struct shelf_filter *f)
{
	for (int i = 0; i < SHELF_TAGS_MAX && f->tag[i] != NULL; i++) {
		struct test *t = add(s);

		t->index = "";
		t->from = "tags";
		t->place = "tag=?";
		t->places = 1;
		t->first = bind_text(s, f->tag[i]);
		snprintf(t->exact, sizeof(t->exact),
			 "EXISTS(SELECT 1 FROM tags WHERE tag=?%d AND n=r.n)", t->first);
		t->never_applied = true;
	}
}

/* A query of FTS5: each word of the text, quoted, must occur; a word of Chinese is a phrase of its
 * characters. Returns text to free(), "" when there are no words. */
static char *phrase(const char *text)
{
	char *out = malloc(3 * strlen(text) + 3 * (strlen(text) / 2 + 1) + 1), *q = out;
	char *copy = strdup(text), *rest = copy, *word;

	if (out != NULL)
		*out = '\0';
	while (out != NULL && copy != NULL && (word = strsep(&rest, " \t\r\n\"")) != NULL) {
		char *spread = word[0] != '\0' ? shelf_spread(word) : NULL;

		if (spread != NULL)
			q += sprintf(q, "\"%s\" ", spread);
		free(spread);
	}
	free(copy);
	return out;
}

static void words_of_notes(struct search *s, const char *query)
{
	struct test *t;

	if (query == NULL)
		return;
	t = add(s);
	t->index = "";
	t->from = "notes_index";
	t->place = "notes_index MATCH ?";
	t->places = 1;
	t->first = bind_text(s, query);
	snprintf(t->exact, sizeof(t->exact),
		 "EXISTS(SELECT 1 FROM notes_index WHERE notes_index MATCH ?%d AND rowid=r.n)",
		 t->first);
	t->never_applied = true;
}

/* The tests, those that are likely to lead best first. */
static int tests_of(struct shelf *c, const struct shelf_filter *f, const char *query,
		    struct search *s)
{
	static const char *const directions[] = {"", "in", "out", "internal"};
	uint64_t from = f->from_ms * 4096, to = f->to_ms != 0 ? f->to_ms * 4096 : INT64_MAX;
	int err;

	if (f->after != 0 && f->after < to)
		to = f->after;
	int from_at = bind_int(s, (int64_t)from), to_at = bind_int(s, (int64_t)to);

	snprintf(s->range, sizeof(s->range), ">=?%d AND %%s<?%d", from_at, to_at);
	same_text(s, f->call, "recordings_call", "call", "call=?");
	same_text(s, f->caller, "recordings_caller", "caller", "caller=?");
	same_text(s, f->work_order, "recordings_work_order", "work_order", "work_order=?");
	words_of_notes(s, query);
	err = same_word(c, s, WORD_AGENT, f->agent, trait_agent, "recordings_agent", "agent",
			"agent=?");
	tags(s, f);
	same_text(s, f->called, "recordings_called", "called", "called=?");
	if (err == 0)
		err = same_word(c, s, WORD_QUEUE, f->queue, trait_queue, "recordings_queue",
				"queue", "queue=?");
	if (err == 0)
		err = same_word(c, s, WORD_TEAM, f->team, trait_team, "recordings_team", "team",
				"team=?");
	if (err == 0)
		err = same_word(c, s, WORD_RESULT, f->result, trait_result, "recordings_result",
				"result", "result=?");
	ranges(s, f);
	if (err == 0)
		err = same_word(c, s, WORD_KIND, f->kind, trait_kind, "recordings_kind", "kind",
				"kind=?");
	if (f->direction != NULL) {
		unsigned d = 1;

		while (d < 4 && strcmp(directions[d], f->direction) != 0)
			d++;
		s->empty |= d == 4;
		same_number(s, d & 3, trait_direction, "recordings_direction", "direction",
			    "direction=?");
	}
	if (f->held || f->deleted) {
		struct test *t = add(s);

		t->index = "";
		t->from =
			f->held ? "files INDEXED BY files_held" : "files INDEXED BY files_deleted";
		t->place = f->held ? "held>0" : "deleted_ms IS NOT NULL";
		t->places = 1;
		t->first = 0;
		snprintf(t->exact, sizeof(t->exact),
			 "EXISTS(SELECT 1 FROM files WHERE n=r.n AND %s)", t->place);
		t->never_applied = true;
	}
	return err;
}

struct text {
	char *at, *end;
};

static void say(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->at, (size_t)(t->end - t->at), fmt, ap);
	va_end(ap);
	must(n >= 0 && n < t->end - t->at);
	t->at += n;
}

/* "%s" in a condition is the table that carries n or traits. */
static void say_on(struct text *t, const char *condition, const char *table)
{
	const char *mark = strstr(condition, "%s");

	if (mark == NULL)
		say(t, "%s", condition);
	else
		say(t, "%.*s%s%s", (int)(mark - condition), condition, table, mark + 2);
}

/* One walk: the leading test's place `k`, everything else applied. */
static void walk(const struct search *s, struct text *t, int lead, int k, bool deleted)
{
	const struct test *l = lead < 0 ? NULL : &s->test[lead];
	bool apart = l != NULL && l->from != NULL; /* a table of its own leads */
	const char *n = "r.n", *w = "r";

	if (!apart) {
		say(t, "SELECT r.n AS n FROM recordings r ");
		if (l != NULL)
			say(t, "INDEXED BY %s ", l->index);
	} else {
		bool notes = strncmp(l->from, "notes", 5) == 0;

		w = "w";
		n = notes ? "w.rowid" : "w.n";
		say(t, "SELECT %s AS n FROM %.*s w%s CROSS JOIN recordings r ON r.n=%s ", n,
		    (int)strcspn(l->from, " "), l->from, l->from + strcspn(l->from, " "), n);
	}
	say(t, "WHERE ");
	if (l != NULL && l->first != 0)
		say(t, "%.*s?%d AND ", (int)strlen(l->place) - 1, l->place, l->first + k);
	else if (l != NULL)
		say(t, "%s AND ", l->place);
	say(t, "%s", n);
	say_on(t, s->range, n);
	for (int i = 0; i < s->tests; i++)
		if (s->test[i].traits[0] != '\0' && i != lead) {
			say(t, " AND ");
			/* a table without traits of its own: the row's */
			say_on(t, s->test[i].traits,
			       apart && strncmp(l->from, "tags", 4) != 0 ? "r" : w);
		}
	for (int i = 0; i < s->tests; i++)
		if (s->test[i].exact[0] != '\0' && !(i == lead && s->test[i].never_applied))
			say(t, " AND %s", s->test[i].exact);
	say(t, " AND r.state=%d ORDER BY %s DESC", deleted ? 2 : 1, n);
}

static void compose(const struct search *s, struct text *t, int lead, uint32_t limit, bool deleted)
{
	int places = lead < 0 ? 1 : s->test[lead].places;

	if (places == 1) {
		walk(s, t, lead, 0, deleted);
		say(t, " LIMIT %u", limit);
		return;
	}
	say(t, "SELECT n FROM (");
	for (int k = 0; k < places; k++) {
		say(t, "%sSELECT n FROM (", k > 0 ? " UNION ALL " : "");
		walk(s, t, lead, k, deleted);
		say(t, " LIMIT %u)", limit);
	}
	say(t, ") ORDER BY n DESC LIMIT %u", limit);
}

static int tick(void *arg)
{
	struct shelf *c = arg;

	return c->steps_left == 0 || --c->steps_left == 0;
}

/* Let one test lead for `budget` ticks. Returns how many rows, -EAGAIN when the budget was not
 * enough, or negative errno. */
static int lead_for(struct shelf *c, const struct search *s, int lead, unsigned budget,
		    uint64_t *out, uint32_t limit, bool deleted)
{
	char *sql = malloc(65536);
	struct text t;
	sqlite3_stmt *st = NULL;
	int n = 0, rc;

	if (sql == NULL)
		return -ENOMEM;
	t = (struct text){sql, sql + 65536};
	compose(s, &t, lead, limit, deleted);
	snprintf(c->how, sizeof(c->how), "%s", sql);
	rc = sqlite3_prepare_v2(c->db, sql, -1, &st, NULL);
	free(sql);
	for (int i = 0; rc == SQLITE_OK && i < s->binds; i++) {
		const struct bind *b = &s->bind[i];

		if (i + 1 > sqlite3_bind_parameter_count(st))
			break;
		rc = b->kind == BIND_TEXT   ? sqlite3_bind_text(st, i + 1, b->s, -1, SQLITE_STATIC)
		     : b->kind == BIND_REAL ? sqlite3_bind_double(st, i + 1, b->d)
					    : sqlite3_bind_int64(st, i + 1, b->i);
	}
	if (rc == SQLITE_OK) {
		c->steps_left = budget;
		if (budget != 0)
			sqlite3_progress_handler(c->db, STEPS_PER_TICK, tick, c);
		while ((rc = sqlite3_step(st)) == SQLITE_ROW && (uint32_t)n < limit)
			out[n++] = (uint64_t)sqlite3_column_int64(st, 0);
		sqlite3_progress_handler(c->db, 0, NULL, NULL);
		if (rc == SQLITE_ROW || rc == SQLITE_DONE)
			rc = SQLITE_OK;
	}
	if (rc != SQLITE_OK)
		n = (rc & 0xff) == SQLITE_INTERRUPT ? -EAGAIN : shelf_fail(c, rc);
	sqlite3_finalize(st);
	return n;
}

static int take_turns(struct shelf *c, const struct search *s, uint64_t *out, uint32_t limit,
		      bool deleted)
{
	int lead[TESTS_MAX], leads = 0, n = -EAGAIN;

	for (int i = 0; i < s->tests; i++)
		if (s->test[i].index != NULL)
			lead[leads++] = i;
	if (leads == 0)
		lead[leads++] = -1;
	for (unsigned budget = BUDGET_FIRST; n == -EAGAIN; budget *= 4) {
		if (leads == 1 || budget > BUDGET_MAX)
			budget = 0; /* no bound */
		for (int i = 0; i < leads && n == -EAGAIN; i++)
			n = lead_for(c, s, lead[i], budget, out, limit, deleted);
	}
	return n;
}

int shelf_search_rows(struct shelf *c, const struct shelf_filter *f, uint64_t *n, uint32_t max,
		      const char **how)
{
	struct search *s = calloc(1, sizeof(*s));
	char *query = f->text != NULL ? phrase(f->text) : NULL;
	int got = -ENOMEM;

	c->how[0] = '\0';
	if (s != NULL && (f->text == NULL || query != NULL)) {
		got = tests_of(c, f, query, s);
		if (query != NULL && query[0] == '\0')
			s->empty = true;
		if (got == 0 && !s->empty)
			got = take_turns(c, s, n, max, f->deleted);
	}
	if (how != NULL)
		*how = c->how;
	free(query);
	free(s);
	return got;
}

int shelf_search(struct shelf *c, const struct shelf_filter *f, json_t **page)
{
	uint32_t limit = f->limit == 0                ? LIMIT_DEFAULT
			 : f->limit > SHELF_LIMIT_MAX ? SHELF_LIMIT_MAX
						      : f->limit;
	uint64_t *n = calloc(limit + 1, sizeof(*n));
	json_t *list = json_array();
	int got = n == NULL ? -ENOMEM : shelf_search_rows(c, f, n, limit + 1, NULL), err = 0;
	bool more = got > (int)limit;

	for (int i = 0; err == 0 && i < got && i < (int)limit; i++) {
		json_t *row;

		err = shelf_row(c, n[i], &row);
		if (err == 0)
			json_array_append_new(list, row);
		else if (err == -ENOENT) /* gone meanwhile */
			err = 0;
	}
	if (got < 0)
		err = got;
	if (err == 0)
		*page = json_pack("{s:o, s:b, s:o}", "recordings", list, "more", more, "next",
				  more ? json_integer((json_int_t)n[limit - 1]) : json_null());
	else
		json_decref(list);
	free(n);
	return err;
}
