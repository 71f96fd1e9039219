/* SPDX-License-Identifier: Apache-2.0
 *
 * The shelf: a search finds exactly what a look at every row would find, in pages that neither
 * repeat nor skip; what is held cannot be buried; what is buried tells nothing any more.
 */
#include "archive/shelf.h"

#include <sqlite3.h>

#include "archive/archive_testing.h"
#include "patchbay/recording.h"

enum { ROWS = 700, SEARCHES = 200 };

static uint64_t seed = 20261125;

static uint32_t dice(uint32_t n)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(seed >> 33) % n;
}

static void id_of(unsigned i, uint8_t id[16])
{
	memset(id, 0x5a, 16);
	id[0] = (uint8_t)(i >> 8);
	id[1] = (uint8_t)i;
}

static const char *pick(const char *const *words, uint32_t n)
{
	return words[dice(n)];
}

static const char *const agents[] = {"1001", "1002", "1003", "1004"};
static const char *const queues[] = {"sales", "service", ""};
static const char *const results[] = {"normal", "abandoned", "failed"};
static const char *const directions[] = {"in", "out", "internal"};
static const char *const tags[] = {"complaint", "training"};

static json_t *make_row(unsigned i)
{
	char id[RECORDING_ID_TEXT], caller[32], call[32];
	uint8_t bytes[16];

	id_of(i, bytes);
	recording_id_text(bytes, id);
	snprintf(caller, sizeof(caller), "138%05u", dice(40));
	snprintf(call, sizeof(call), "call-%u", i);
	return json_pack(
		"{s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:f, s:f, "
		"s:f, s:s, s:s}",
		"recording", id, "started_ms",
		(json_int_t)(1764000000000 + (json_int_t)dice(100000) * 50), "duration_ms",
		(json_int_t)dice(4000) * 1000, "call", call, "agent", pick(agents, 4), "queue",
		pick(queues, 3), "result", pick(results, 3), "direction", pick(directions, 3),
		"caller", caller, "called", dice(2) ? "95598" : "95599", "team", "a", "holds",
		(json_int_t)(dice(3) ? 0 : dice(12)), "silence", dice(100) / 100.0, "talk_over",
		dice(30) / 100.0, "mos", dice(5) ? 1 + dice(350) / 100.0 : 0.0, "class", "default",
		"remark", "kept");
}

struct world {
	char dir[64];
	struct shelf *c;
	json_t *row[ROWS];
	uint8_t tagged[ROWS][2];
};

static void world_make(struct world *w)
{
	char why[200];

	*w = (struct world){0};
	scratch_make(w->dir);
	check_int(shelf_open(&w->c, scratch_path(w->dir, "archive.db"), why, sizeof(why)), 0);
	check_int(shelf_begin(w->c), 0);
	for (unsigned i = 0; i < ROWS; i++) {
		uint8_t id[16];

		w->row[i] = make_row(i);
		check_int(shelf_put(w->c, w->row[i]), 0);
		id_of(i, id);
		for (int k = 0; k < 2; k++)
			if (dice(6) == 0) {
				w->tagged[i][k] = 1;
				check_int(shelf_tag(w->c, id, tags[k], true), 0);
			}
	}
	check_int(shelf_commit(w->c), 0);
}

static void world_free(struct world *w)
{
	shelf_close(w->c);
	for (unsigned i = 0; i < ROWS; i++)
		json_decref(w->row[i]);
	scratch_remove(w->dir);
}

static const char *str(const json_t *row, const char *name)
{
	return json_string_value(json_object_get(row, name));
}

static double num(const json_t *row, const char *name)
{
	return json_number_value(json_object_get(row, name));
}

static bool same(const json_t *row, const char *name, const char *want)
{
	return want == NULL || strcmp(str(row, name), want) == 0;
}

static bool within(double v, double lo, double hi)
{
	return (lo < 0 || v >= lo) && (hi < 0 || v <= hi);
}

static bool matches(const struct world *w, unsigned i, const struct shelf_filter *f)
{
	const json_t *r = w->row[i];
	double started = num(r, "started_ms"), mos = num(r, "mos");

	for (int k = 0; k < 2; k++)
		if (f->tag[0] == tags[k] && !w->tagged[i][k])
			return false;
	if ((f->mos_min >= 0 || f->mos_max >= 0) && mos < 1)
		return false;
	return same(r, "agent", f->agent) && same(r, "queue", f->queue) &&
	       same(r, "result", f->result) && same(r, "direction", f->direction) &&
	       same(r, "caller", f->caller) && same(r, "called", f->called) &&
	       same(r, "call", f->call) &&
	       within(num(r, "duration_ms"), (double)f->duration_min_ms,
		      (double)f->duration_max_ms) &&
	       within(num(r, "holds"), (double)f->holds_min, (double)f->holds_max) &&
	       within(num(r, "silence"), f->silence_min, f->silence_max) &&
	       within(num(r, "talk_over"), f->talk_over_min, -1) &&
	       within(mos, f->mos_min, f->mos_max) && started >= (double)f->from_ms &&
	       (f->to_ms == 0 || started < (double)f->to_ms);
}

static void restrict_one(struct shelf_filter *f)
{
	static char caller[32];

	switch (dice(13)) {
	case 0:
		f->agent = pick(agents, 4);
		break;
	case 1:
		f->queue = pick(queues, 2);
		break;
	case 2:
		f->result = pick(results, 3);
		break;
	case 3:
		f->direction = pick(directions, 3);
		break;
	case 4:
		snprintf(caller, sizeof(caller), "138%05u", dice(40));
		f->caller = caller;
		break;
	case 5:
		f->called = dice(2) ? "95598" : "95599";
		break;
	case 6:
		f->duration_min_ms = (int64_t)dice(4000) * 1000;
		break;
	case 7:
		f->duration_max_ms = (int64_t)dice(4000) * 1000;
		break;
	case 8:
		f->holds_min = dice(10);
		f->holds_max = dice(2) ? -1 : f->holds_min + dice(4);
		break;
	case 9:
		f->silence_min = dice(100) / 100.0;
		break;
	case 10:
		f->mos_max = 1 + dice(350) / 100.0;
		break;
	case 11:
		f->tag[0] = tags[dice(2)];
		break;
	default:
		f->from_ms = 1764000000000 + (uint64_t)dice(100000) * 50;
		f->to_ms = f->from_ms + dice(3000000);
		break;
	}
}

static unsigned index_of(const json_t *found)
{
	unsigned i = 0;

	check(sscanf(str(found, "recording"), "%4x", &i) == 1 && i < ROWS);
	return i;
}

static void search_finds_what_a_look_at_every_row_would(void)
{
	struct world w;

	world_make(&w);
	for (int round = 0; round < SEARCHES; round++) {
		static uint8_t seen[ROWS];
		struct shelf_filter f;
		uint32_t want = 0, got = 0;
		double last = 1e18;
		json_t *page = NULL;
		bool more = true;

		shelf_filter_init(&f);
		for (uint32_t k = dice(4); k > 0; k--)
			restrict_one(&f);
		f.limit = 1 + dice(200);
		memset(seen, 0, sizeof(seen));
		for (unsigned i = 0; i < ROWS; i++)
			want += matches(&w, i, &f);
		while (more) {
			json_t *list, *row;
			size_t at;

			check_int(shelf_search(w.c, &f, &page), 0);
			list = json_object_get(page, "recordings");
			json_array_foreach(list, at, row)
			{
				unsigned i = index_of(row);

				check(!seen[i] && matches(&w, i, &f));
				check(num(row, "started_ms") <= last);
				last = num(row, "started_ms");
				seen[i] = 1;
				got++;
			}
			more = json_is_true(json_object_get(page, "more"));
			f.after = (uint64_t)num(page, "next");
			json_decref(page);
		}
		check_int(got, want);
	}
	world_free(&w);
}

static void a_row_comes_back_as_it_was_put(void)
{
	struct world w;
	uint8_t id[16], found[16];
	json_t *row;

	world_make(&w);
	id_of(77, id);
	check_int(shelf_get(w.c, id, &row), 0);
	for (void *it = json_object_iter(w.row[77]); it != NULL;
	     it = json_object_iter_next(w.row[77], it)) {
		json_t *v = json_object_iter_value(it);

		if (!json_is_string(v) || json_string_length(v) > 0)
			check(json_equal(v, json_object_get(row, json_object_iter_key(it))));
	}
	check_str(str(row, "state"), "finished");
	json_decref(row);
	check_int(shelf_find(w.c, "004D5a", found), 0);
	check(memcmp(found, id, 16) == 0);
	check_int(shelf_find(w.c, "00", found), -EINVAL);
	check_int(shelf_find(w.c, "00zz", found), -EINVAL);
	check_int(shelf_find(w.c, "ffff", found), -ENOENT);
	check_int(shelf_has(w.c, id), 1);
	/* put again: still one row, with the new value */
	json_object_set_new(w.row[77], "agent", json_string("1099"));
	check_int(shelf_put(w.c, w.row[77]), 0);
	check_int(shelf_get(w.c, id, &row), 0);
	check_str(str(row, "agent"), "1099");
	json_decref(row);
	json_object_del(w.row[77], "started_ms");
	check_int(shelf_put(w.c, w.row[77]), -EINVAL);
	world_free(&w);
}

static size_t find_text(struct world *w, const char *text)
{
	struct shelf_filter f;
	json_t *page;
	size_t n;

	shelf_filter_init(&f);
	f.text = text;
	check_int(shelf_search(w->c, &f, &page), 0);
	n = json_array_size(json_object_get(page, "recordings"));
	json_decref(page);
	return n;
}

static void notes_are_found_by_their_words(void)
{
	struct world w;
	uint8_t id[16];

	world_make(&w);
	id_of(3, id);
	check_int(shelf_note(w.c, id, "leader", "The caller asked for a refund.", 1), 0);
	check_int(shelf_note(w.c, id, "leader", "客户要求退款，态度良好", 2), 0);
	id_of(4, id);
	check_int(shelf_note(w.c, id, "qa", "refund was promised \"tomorrow\"", 3), 0);
	check_int(find_text(&w, "refund"), 2);
	check_int(find_text(&w, "REFUND caller"), 1);
	check_int(find_text(&w, "退款"), 1);
	check_int(find_text(&w, "款退"), 0);
	check_int(find_text(&w, "要求 refund"), 1);
	check_int(find_text(&w, "\"tomorrow"), 1);
	check_int(find_text(&w, "AND OR ( *"), 0);
	check_int(find_text(&w, "  "), 0);
	id_of(9999, id);
	check_int(shelf_note(w.c, id, "qa", "x", 3), -ENOENT);
	world_free(&w);
}

static void what_is_held_cannot_be_buried(void)
{
	struct world w;
	uint8_t id[16], due[8][16];
	uint64_t number;
	sqlite3 *db;
	json_t *row;

	world_make(&w);
	id_of(5, id);
	check_int(shelf_keep(w.c, id, "short", 1000), 0);
	check_int(shelf_due(w.c, 999, due, 8), 0);
	check_int(shelf_due(w.c, 1000, due, 8), 1);
	check_int(shelf_hold(w.c, id, "court", "case 12", 1, 7, &number), 0);
	check_int(shelf_hold(w.c, id, "court", "case 13", 1, 8, &number), 0);
	check_int(shelf_held(w.c, id), 1);
	check_int(shelf_due(w.c, 2000, due, 8), 0);
	check_int(shelf_bury(w.c, id, 5, 9), -EPERM);
	/* nor by hand */
	check_int(sqlite3_open(scratch_path(w.dir, "archive.db"), &db), SQLITE_OK);
	check(sqlite3_exec(db, "DELETE FROM recordings", NULL, NULL, NULL) == SQLITE_CONSTRAINT);
	check(sqlite3_exec(db, "UPDATE recordings SET state = 2", NULL, NULL, NULL) ==
	      SQLITE_CONSTRAINT);
	check(sqlite3_exec(db, "DELETE FROM holds", NULL, NULL, NULL) == SQLITE_CONSTRAINT);
	sqlite3_close(db);
	check_int(shelf_release(w.c, id, "court", "closed", 2, 10), 0);
	check_int(shelf_release(w.c, id, "court", "closed", 2, 10), -ENOENT);
	check_int(shelf_held(w.c, id), 0);
	check_int(shelf_bury(w.c, id, 5, 9), 0);
	check_int(shelf_get(w.c, id, &row), 0);
	check_str(str(row, "state"), "deleted");
	check(json_object_get(row, "caller") == NULL && json_object_get(row, "remark") == NULL);
	check_int(json_array_size(json_object_get(row, "tags")), 0);
	check_int(json_array_size(json_object_get(row, "legal_holds")), 2);
	json_decref(row);
	check_int(shelf_due(w.c, 2000, due, 8), 0);
	world_free(&w);
}

static void filters_are_read_or_complained_about(void)
{
	static const struct {
		const char *name, *value;
		int want;
	} rows[] = {
		{"agent", "1001", 0},
		{"from", "2026-11-25", 0},
		{"from", "2026-11-25T10:00:00Z", 0},
		{"from", "2h", 0},
		{"from", "yesterday", -EINVAL},
		{"from", "2026-13-45", -EINVAL},
		{"duration_min", "30", 0},
		{"duration_min", "-1", -EINVAL},
		{"silence_min", "0.5", 0},
		{"silence_min", "50", -EINVAL},
		{"silence_min", "nan", -EINVAL},
		{"mos_max", "2.5", 0},
		{"limit", "0", -EINVAL},
		{"limit", "1001", -EINVAL},
		{"after", "7226000000000000", 0},
		{"after", "x", -EINVAL},
		{"agnet", "1", -EINVAL},
		{"held", "yes", 0},
	};
	char why[400];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct shelf_filter f;

		shelf_filter_init(&f);
		why[0] = '\0';
		check_int(shelf_filter_set(&f, rows[i].name, rows[i].value, 1764000000000, why,
					   sizeof(why)),
			  rows[i].want);
		check((rows[i].want != 0) == (strstr(why, rows[i].name) != NULL));
	}
}

static void every_filter_at_once(void)
{
	static const char *const all[][2] = {
		{"from", "2020-01-01"}, {"to", "2040-01-01"}, {"call", "c"},
		{"kind", "call"},       {"direction", "in"},  {"result", "normal"},
		{"caller", "1"},        {"called", "2"},      {"agent", "1001"},
		{"team", "a"},          {"queue", "sales"},   {"work_order", "w"},
		{"text", "some words"}, {"tag", "a"},         {"tag", "b"},
		{"tag", "c"},           {"tag", "d"},         {"duration_min", "0"},
		{"holds_min", "0"},     {"silence_min", "0"}, {"talk_over_min", "0"},
		{"mos_min", "1"},       {"held", "yes"},      {"after", "9000000000000000000"},
	};
	struct shelf_filter f;
	json_t *page = NULL;
	struct world w;
	char why[400];

	world_make(&w);
	shelf_filter_init(&f);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		check_int(
			shelf_filter_set(&f, all[i][0], all[i][1], 1764000000000, why, sizeof(why)),
			0);
	f.kind = NULL; /* no row has one: that would be the end of it */
	check_int(shelf_search(w.c, &f, &page), 0);
	check_int(json_array_size(json_object_get(page, "recordings")), 0);
	json_decref(page);
	world_free(&w);
}

/* Files that were copied in one go may all have begun in one millisecond. */
static void more_rows_than_a_millisecond_has_numbers(void)
{
	enum { MANY = 4096 + 10 };
	struct world w;
	char id[RECORDING_ID_TEXT];
	uint8_t bytes[16];

	world_make(&w);
	check_int(shelf_begin(w.c), 0);
	for (unsigned i = 0; i < MANY; i++) {
		json_t *row;

		id_of(10000 + i, bytes);
		recording_id_text(bytes, id);
		row = json_pack("{s:s, s:I, s:i}", "recording", id, "started_ms",
				(json_int_t)1700000000000, "duration_ms", 1000);
		check_int(shelf_put(w.c, row), 0);
		json_decref(row);
	}
	check_int(shelf_commit(w.c), 0);
	for (unsigned i = 0; i < MANY; i++) {
		id_of(10000 + i, bytes);
		check_int(shelf_has(w.c, bytes), 1);
	}
	world_free(&w);
}

static const struct check_case cases[] = {
	CHECK_CASE(search_finds_what_a_look_at_every_row_would),
	CHECK_CASE(a_row_comes_back_as_it_was_put),
	CHECK_CASE(notes_are_found_by_their_words),
	CHECK_CASE(what_is_held_cannot_be_buried),
	CHECK_CASE(filters_are_read_or_complained_about),
	CHECK_CASE(every_filter_at_once),
	CHECK_CASE(more_rows_than_a_millisecond_has_numbers),
};
CHECK_MAIN(cases)
