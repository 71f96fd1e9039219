/* SPDX-License-Identifier: Apache-2.0
 *
 * Two years of a centre with 1,000 agents in 40 groups, 50 queues of unlike size, 20 hotlines; what is
 * abandoned has no agent, what goes out has no queue, so pairs of filters that never meet occur as they do
 * in life.
 */
#include "bench_archive.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "archive/shelf_priv.h"
#include "archive/shelf_traits.h"
#include "base/must.h"

enum { AGENTS = 1000, TEAMS = 40, QUEUES = 50, HOTLINES = 20, CALLERS = 3000000 };

#define YEAR2_MS (UINT64_C(730) * 86400000)
#define START_MS UINT64_C(1700000000000)

uint64_t bench_seed = 1;

uint32_t bench_dice(uint32_t n)
{
	bench_seed = bench_seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)((bench_seed >> 33) * n >> 31);
}

double bench_unit(void)
{
	return bench_dice(1 << 30) / (double)(1 << 30);
}

/* Small numbers often, large ones seldom. */
static uint32_t skewed(uint32_t n)
{
	double u = bench_unit();

	return (uint32_t)(u * u * n);
}

double bench_now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

double bench_cpu_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static const char *const results[] = {"normal", "abandoned",   "no_answer",     "busy",
				      "failed", "transferred", "media_timeout", "rejected"};
static const char *const tags[] = {"vip", "complaint", "training"};
static const char *const words[] = {"refund", "invoice", "delivery", "outage",  "contract",
				    "angry",  "praised", "callback", "address", "password"};

struct call {
	uint64_t n, started_ms;
	int64_t duration_ms;
	unsigned direction, result, kind, agent, team, queue, holds, tag;
	char caller[24], called[24], work_order[24];
	double silence, talk_over, mos;
};

static void make_call(struct call *c, uint64_t i, uint64_t rows)
{
	double talk = exp(
		4.6 + 1.1 * (bench_unit() + bench_unit() + bench_unit() + bench_unit() - 2) * 1.2);
	uint32_t customer = bench_dice(CALLERS);

	*c = (struct call){.started_ms = START_MS + i * (YEAR2_MS / rows) +
					 bench_dice((uint32_t)(YEAR2_MS / rows) + 1)};
	c->direction = bench_dice(100) < 75 ? 1 : bench_dice(100) < 80 ? 2 : 3;
	c->result = bench_dice(100) < 80 ? 1 : bench_dice(100) < 60 ? 2 : 3 + skewed(6);
	if (c->direction == 2 && c->result == 2)
		c->result = 3;
	c->kind = 1 + (bench_dice(100) < 3);
	if (c->result != 2)
		c->agent = 1 + skewed(AGENTS);
	c->team = c->agent != 0 ? 1 + c->agent % TEAMS : 0;
	if (c->direction == 1)
		c->queue = 1 + skewed(QUEUES);
	c->duration_ms =
		c->result == 2 ? 1000 + (int64_t)bench_dice(90000) : (int64_t)(talk * 1000);
	while (c->agent != 0 && c->holds < 20 && bench_dice(100) < 22)
		c->holds++;
	c->silence = bench_unit() * bench_unit();
	c->talk_over = bench_unit() * bench_unit() * 0.3;
	c->mos = bench_dice(100) < 5 ? 0 : 4.4 - 1.8 * bench_unit() * bench_unit() * bench_unit();
	snprintf(c->caller, sizeof(c->caller), "13%09u", customer);
	snprintf(c->called, sizeof(c->called), "955%02u", skewed(HOTLINES));
	if (c->direction == 2) {
		snprintf(c->caller, sizeof(c->caller), "955%02u", skewed(HOTLINES));
		snprintf(c->called, sizeof(c->called), "13%09u", customer);
	}
	if (bench_dice(100) < 2)
		snprintf(c->work_order, sizeof(c->work_order), "WO-%u", bench_dice(200000));
	c->tag = bench_dice(1000) < 30   ? 1
		 : bench_dice(1000) < 10 ? 2
		 : bench_dice(1000) < 2  ? 3
					 : 0;
}

static uint64_t traits_of(const struct call *c)
{
	return trait_put(trait_direction, c->direction) | trait_put(trait_result, c->result) |
	       trait_put(trait_kind, c->kind) |
	       trait_put(trait_duration, shelf_duration_class(c->duration_ms)) |
	       trait_put(trait_holds, c->holds) |
	       trait_put(trait_silence, shelf_silence_class(c->silence)) |
	       trait_put(trait_quality, shelf_quality_class(c->mos)) |
	       trait_put(trait_queue, c->queue) | trait_put(trait_team, c->team) |
	       trait_put(trait_agent, c->agent);
}

static void id_of(uint64_t i, uint64_t started_ms, uint8_t id[16])
{
	uint64_t x = i * 0x9e3779b97f4a7c15U;

	for (int k = 0; k < 6; k++)
		id[k] = (uint8_t)(started_ms >> (40 - 8 * k));
	x ^= x >> 29;
	memcpy(id + 6, &x, 8);
	memcpy(id + 14, &i, 2);
	id[6] = (uint8_t)((id[6] & 15) | 0x70);
}

void bench_sql(sqlite3 *db, const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", sql, why);
		exit(1);
	}
}

static void make_words(struct shelf *s)
{
	char text[32];

	for (unsigned i = 1; i <= AGENTS; i++) {
		snprintf(text, sizeof(text), "%u", 1000 + i);
		must(shelf_word(s, WORD_AGENT, text, true) == (int64_t)i);
	}
	for (unsigned i = 1; i <= TEAMS; i++) {
		snprintf(text, sizeof(text), "team%u", i);
		must(shelf_word(s, WORD_TEAM, text, true) == (int64_t)i);
	}
	for (unsigned i = 1; i <= QUEUES; i++) {
		snprintf(text, sizeof(text), "queue%u", i);
		must(shelf_word(s, WORD_QUEUE, text, true) == (int64_t)i);
	}
	for (unsigned i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		must(shelf_word(s, WORD_RESULT, results[i], true) == (int64_t)i + 1);
	must(shelf_word(s, WORD_KIND, "call", true) == 1);
	must(shelf_word(s, WORD_KIND, "voicemail", true) == 2);
}

/* The indexes' own texts, taken away while rows come and made again after. */
struct indexes {
	char *sql[32], *name[32];
	int n;
};

static void drop_indexes(sqlite3 *db, struct indexes *x)
{
	sqlite3_stmt *st;

	must(sqlite3_prepare_v2(db,
				"SELECT name, sql FROM sqlite_master WHERE type='index' AND "
				"tbl_name='recordings' AND sql IS NOT NULL",
				-1, &st, NULL) == SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		x->name[x->n] = strdup((const char *)sqlite3_column_text(st, 0));
		x->sql[x->n++] = strdup((const char *)sqlite3_column_text(st, 1));
	}
	sqlite3_finalize(st);
	for (int i = 0; i < x->n; i++) {
		char sql[100];

		snprintf(sql, sizeof(sql), "DROP INDEX %.80s", x->name[i]);
		bench_sql(db, sql);
	}
}

static void bind_or_null(sqlite3_stmt *st, int at, const char *text)
{
	if (text[0] != '\0')
		sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(st, at);
}

static void put_call(sqlite3_stmt *st, const struct call *c, const uint8_t id[16])
{
	sqlite3_bind_int64(st, 1, (int64_t)c->n);
	sqlite3_bind_blob(st, 2, id, 16, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, (int64_t)traits_of(c));
	sqlite3_bind_int64(st, 4, (int64_t)c->started_ms);
	sqlite3_bind_int64(st, 5, c->duration_ms);
	sqlite3_bind_int(st, 6, (int)c->direction);
	sqlite3_bind_int(st, 7, (int)c->result);
	sqlite3_bind_int(st, 8, (int)c->kind);
	sqlite3_bind_int(st, 9, (int)c->agent);
	sqlite3_bind_int(st, 10, (int)c->team);
	sqlite3_bind_int(st, 11, (int)c->queue);
	bind_or_null(st, 12, c->caller);
	bind_or_null(st, 13, c->called);
	bind_or_null(st, 14, c->work_order);
	sqlite3_bind_int(st, 15, (int)c->holds);
	sqlite3_bind_double(st, 16, c->silence);
	sqlite3_bind_double(st, 17, c->talk_over);
	if (c->mos >= 1)
		sqlite3_bind_double(st, 18, c->mos);
	else
		sqlite3_bind_null(st, 18);
	must(sqlite3_step(st) == SQLITE_DONE);
	sqlite3_reset(st);
}

sqlite3_stmt *bench_prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
		exit(1);
	}
	return st;
}

static void add_tag_and_note(sqlite3_stmt *tag, sqlite3_stmt *note, const struct call *c)
{
	char text[100];

	if (c->tag != 0) {
		sqlite3_bind_text(tag, 1, tags[c->tag - 1], -1, SQLITE_STATIC);
		sqlite3_bind_int64(tag, 2, (int64_t)c->n);
		sqlite3_bind_int64(tag, 3, (int64_t)traits_of(c));
		must(sqlite3_step(tag) == SQLITE_DONE);
		sqlite3_reset(tag);
	}
	if (bench_dice(100) == 0) {
		snprintf(text, sizeof(text), "%s and %s", words[skewed(10)], words[skewed(10)]);
		sqlite3_bind_int64(note, 1, (int64_t)c->n);
		sqlite3_bind_text(note, 2, text, -1, SQLITE_STATIC);
		must(sqlite3_step(note) == SQLITE_DONE);
		sqlite3_reset(note);
	}
}

int bench_make_rows(const char *file, uint64_t rows)
{
	struct indexes x = {.n = 0};
	struct shelf *s;
	char why[300];
	double from = bench_now_s();
	uint64_t last = 0;

	if (shelf_open(&s, file, why, sizeof(why)) != 0) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	bench_sql(
		s->db,
		"PRAGMA synchronous=OFF; PRAGMA journal_size_limit=-1; PRAGMA cache_size=-500000");
	make_words(s);
	drop_indexes(s->db, &x);

	sqlite3_stmt *put =
		bench_prepare(s->db, "INSERT INTO recordings(n,id,traits,started_ms,duration_ms,"
				     "direction,result,kind,agent,team,queue,caller,called,"
				     "work_order,holds,lost,silence,talk_over,mos) VALUES(?1,?2,"
				     "?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,0,?16,?17,"
				     "?18)");
	sqlite3_stmt *tag = bench_prepare(s->db, "INSERT INTO tags VALUES(?1,?2,?3)");
	sqlite3_stmt *note =
		bench_prepare(s->db, "INSERT INTO notes_index(rowid,text) VALUES(?1,?2)");

	bench_sql(s->db, "BEGIN");
	for (uint64_t i = 0; i < rows; i++) {
		struct call c;
		uint8_t id[16];

		make_call(&c, i, rows);
		c.n = c.started_ms * 4096;
		c.n = c.n > last ? c.n : last + 1;
		last = c.n;
		id_of(i, c.started_ms, id);
		put_call(put, &c, id);
		add_tag_and_note(tag, note, &c);
		if (i % 500000 == 499999) {
			bench_sql(s->db, "COMMIT");
			bench_sql(s->db, "BEGIN");
		}
	}
	bench_sql(s->db, "COMMIT");
	sqlite3_finalize(put);
	sqlite3_finalize(tag);
	sqlite3_finalize(note);
	for (int i = 0; i < x.n; i++) {
		bench_sql(s->db, x.sql[i]);
		free(x.sql[i]);
		free(x.name[i]);
	}
	bench_sql(s->db, "PRAGMA wal_checkpoint(TRUNCATE)");
	shelf_close(s);

	struct stat st;

	must(stat(file, &st) == 0);
	printf("{\"what\":\"make\",\"rows\":%" PRIu64 ",\"seconds\":%.1f,\"bytes_per_row\":%.0f}\n",
	       rows, bench_now_s() - from, (double)st.st_size / (double)rows);
	return 0;
}

const char *const bench_filter_names[BENCH_FILTERS] = {
	"agent", "group",        "queue",     "caller",      "called",  "direction", "result",
	"kind",  "duration_min", "holds_min", "silence_min", "mos_max", "tag",       "text"};

void bench_random_value(int k, char value[40])
{
	static const char *const directions[] = {"in", "out", "internal"};

	switch (k) {
	case 0:
		snprintf(value, 40, "%u", 1001 + skewed(AGENTS));
		break;
	case 1:
		snprintf(value, 40, "team%u", 1 + bench_dice(TEAMS));
		break;
	case 2:
		snprintf(value, 40, "queue%u", 1 + skewed(QUEUES));
		break;
	case 3:
		snprintf(value, 40, "13%09u", bench_dice(CALLERS));
		break;
	case 4:
		snprintf(value, 40, "955%02u", skewed(HOTLINES));
		break;
	case 5:
		snprintf(value, 40, "%s", directions[bench_dice(3)]);
		break;
	case 6:
		snprintf(value, 40, "%s", results[bench_dice(8)]);
		break;
	case 7:
		snprintf(value, 40, "%s", bench_dice(2) ? "call" : "voicemail");
		break;
	case 8:
		snprintf(value, 40, "%u", 30 * (1 + skewed(100)));
		break;
	case 9:
		snprintf(value, 40, "%u", 1 + bench_dice(7));
		break;
	case 10:
		snprintf(value, 40, "%.2f", 0.3 + 0.65 * bench_unit());
		break;
	case 11:
		snprintf(value, 40, "%.2f", 2.7 + 1.5 * bench_unit());
		break;
	case 12:
		snprintf(value, 40, "%s", tags[bench_dice(3)]);
		break;
	default:
		snprintf(value, 40, "%s", words[bench_dice(10)]);
		break;
	}
}
