/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding and first bytes in a large archive, and what sealing costs.
 *
 *	bench_archive make DIR --rows N [--files M] [--sealed]   synthetic records, M of them with a file
 *	bench_archive search DIR [--queries Q] [--worst]         two random filters at a time
 *	bench_archive play DIR [--requests R] [--cold]           HTTP, a new connection each, to the first byte
 *	bench_archive seal [--megabytes N]                       sealing against writing and encoding
 *
 * Two years of a centre with 1,000 agents in 40 groups, 50 queues of unlike size, 20 hotlines; what is
 * abandoned has no agent, what goes out has no queue, so pairs of filters that never meet occur as they do
 * in life. A line of JSON per result goes to standard output.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>
#include <sqlite3.h>

#include "archive/archive.h"
#include "archive/overview.h"
#include "archive/server.h"
#include "archive/shelf_priv.h"
#include "archive/shelf_traits.h"
#include "base/log.h"
#include "base/must.h"
#include "libpatchbay/recording_sound.h"
#include "patchbay/recording.h"

enum { AGENTS = 1000, TEAMS = 40, QUEUES = 50, HOTLINES = 20, CALLERS = 3000000 };

#define YEAR2_MS (UINT64_C(730) * 86400000)
#define START_MS UINT64_C(1700000000000)
#define TOKEN    "bench-0123456789"

static uint64_t seed = 1;

static uint32_t dice(uint32_t n)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)((seed >> 33) * n >> 31);
}

static double unit(void)
{
	return dice(1 << 30) / (double)(1 << 30);
}

/* Small numbers often, large ones seldom. */
static uint32_t skewed(uint32_t n)
{
	double u = unit();

	return (uint32_t)(u * u * n);
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double cpu_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static const char *option(int argc, char **argv, const char *name, const char *missing)
{
	for (int i = 2; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return i + 1 < argc ? argv[i + 1] : "";
	return missing;
}

static const char *const results[] = {"normal", "abandoned",   "no_answer",     "busy",
				      "failed", "transferred", "media_timeout", "rejected"};
static const char *const tags[] = {"vip", "complaint", "training"};
static const char *const words[] = {"refund", "invoice", "delivery", "outage",  "contract",
				    "angry",  "praised", "callback", "address", "password"};

/* --- making --- */

struct call {
	uint64_t n, started_ms;
	int64_t duration_ms;
	unsigned direction, result, kind, agent, team, queue, holds, tag;
	char caller[24], called[24], work_order[24];
	double silence, talk_over, mos;
};

static void make_call(struct call *c, uint64_t i, uint64_t rows)
{
	double talk = exp(4.6 + 1.1 * (unit() + unit() + unit() + unit() - 2) * 1.2);
	uint32_t customer = dice(CALLERS);

	*c = (struct call){.started_ms = START_MS + i * (YEAR2_MS / rows) +
					 dice((uint32_t)(YEAR2_MS / rows) + 1)};
	c->direction = dice(100) < 75 ? 1 : dice(100) < 80 ? 2 : 3;
	c->result = dice(100) < 80 ? 1 : dice(100) < 60 ? 2 : 3 + skewed(6);
	if (c->direction == 2 && c->result == 2)
		c->result = 3;
	c->kind = 1 + (dice(100) < 3);
	if (c->result != 2)
		c->agent = 1 + skewed(AGENTS);
	c->team = c->agent != 0 ? 1 + c->agent % TEAMS : 0;
	if (c->direction == 1)
		c->queue = 1 + skewed(QUEUES);
	c->duration_ms = c->result == 2 ? 1000 + (int64_t)dice(90000) : (int64_t)(talk * 1000);
	while (c->agent != 0 && c->holds < 20 && dice(100) < 22)
		c->holds++;
	c->silence = unit() * unit();
	c->talk_over = unit() * unit() * 0.3;
	c->mos = dice(100) < 5 ? 0 : 4.4 - 1.8 * unit() * unit() * unit();
	snprintf(c->caller, sizeof(c->caller), "13%09u", customer);
	snprintf(c->called, sizeof(c->called), "955%02u", skewed(HOTLINES));
	if (c->direction == 2) {
		snprintf(c->caller, sizeof(c->caller), "955%02u", skewed(HOTLINES));
		snprintf(c->called, sizeof(c->called), "13%09u", customer);
	}
	if (dice(100) < 2)
		snprintf(c->work_order, sizeof(c->work_order), "WO-%u", dice(200000));
	c->tag = dice(1000) < 30 ? 1 : dice(1000) < 10 ? 2 : dice(1000) < 2 ? 3 : 0;
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

static void run(sqlite3 *db, const char *sql)
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
		run(db, sql);
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

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
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
	if (dice(100) == 0) {
		snprintf(text, sizeof(text), "%s and %s", words[skewed(10)], words[skewed(10)]);
		sqlite3_bind_int64(note, 1, (int64_t)c->n);
		sqlite3_bind_text(note, 2, text, -1, SQLITE_STATIC);
		must(sqlite3_step(note) == SQLITE_DONE);
		sqlite3_reset(note);
	}
}

static int make_rows(const char *file, uint64_t rows)
{
	struct indexes x = {.n = 0};
	struct shelf *s;
	char why[300];
	double from = now_s();
	uint64_t last = 0;

	if (shelf_open(&s, file, why, sizeof(why)) != 0) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	run(s->db,
	    "PRAGMA synchronous=OFF; PRAGMA journal_size_limit=-1; PRAGMA cache_size=-500000");
	make_words(s);
	drop_indexes(s->db, &x);

	sqlite3_stmt *put =
		prepare(s->db, "INSERT INTO recordings(n,id,traits,started_ms,duration_ms,"
			       "direction,result,kind,agent,team,queue,caller,called,"
			       "work_order,holds,lost,silence,talk_over,mos) VALUES(?1,?2,"
			       "?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,0,?16,?17,"
			       "?18)");
	sqlite3_stmt *tag = prepare(s->db, "INSERT INTO tags VALUES(?1,?2,?3)");
	sqlite3_stmt *note = prepare(s->db, "INSERT INTO notes_index(rowid,text) VALUES(?1,?2)");

	run(s->db, "BEGIN");
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
			run(s->db, "COMMIT");
			run(s->db, "BEGIN");
		}
	}
	run(s->db, "COMMIT");
	sqlite3_finalize(put);
	sqlite3_finalize(tag);
	sqlite3_finalize(note);
	for (int i = 0; i < x.n; i++) {
		run(s->db, x.sql[i]);
		free(x.sql[i]);
		free(x.name[i]);
	}
	run(s->db, "PRAGMA wal_checkpoint(TRUNCATE)");
	shelf_close(s);

	struct stat st;

	must(stat(file, &st) == 0);
	printf("{\"what\":\"make\",\"rows\":%" PRIu64 ",\"seconds\":%.1f,\"bytes_per_row\":%.0f}\n",
	       rows, now_s() - from, (double)st.st_size / (double)rows);
	return 0;
}

/* --- searching --- */

enum { FILTERS = 14 };

static const char *const filter_names[FILTERS] = {
	"agent", "group",        "queue",     "caller",      "called",  "direction", "result",
	"kind",  "duration_min", "holds_min", "silence_min", "mos_max", "tag",       "text"};

static void random_value(int k, char value[40])
{
	static const char *const directions[] = {"in", "out", "internal"};

	switch (k) {
	case 0:
		snprintf(value, 40, "%u", 1001 + skewed(AGENTS));
		break;
	case 1:
		snprintf(value, 40, "team%u", 1 + dice(TEAMS));
		break;
	case 2:
		snprintf(value, 40, "queue%u", 1 + skewed(QUEUES));
		break;
	case 3:
		snprintf(value, 40, "13%09u", dice(CALLERS));
		break;
	case 4:
		snprintf(value, 40, "955%02u", skewed(HOTLINES));
		break;
	case 5:
		snprintf(value, 40, "%s", directions[dice(3)]);
		break;
	case 6:
		snprintf(value, 40, "%s", results[dice(8)]);
		break;
	case 7:
		snprintf(value, 40, "%s", dice(2) ? "call" : "voicemail");
		break;
	case 8:
		snprintf(value, 40, "%u", 30 * (1 + skewed(100)));
		break;
	case 9:
		snprintf(value, 40, "%u", 1 + dice(7));
		break;
	case 10:
		snprintf(value, 40, "%.2f", 0.3 + 0.65 * unit());
		break;
	case 11:
		snprintf(value, 40, "%.2f", 2.7 + 1.5 * unit());
		break;
	case 12:
		snprintf(value, 40, "%s", tags[dice(3)]);
		break;
	default:
		snprintf(value, 40, "%s", words[dice(10)]);
		break;
	}
}

struct asked {
	double ms;
	double cpu_ms; /* of this thread: what it would be on a machine of one's own with warm caches */
	char text[100];
	int rows;
};

static int by_ms(const void *a, const void *b)
{
	const struct asked *x = a, *y = b;

	return x->ms < y->ms ? -1 : x->ms > y->ms;
}

static int by_number(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static int search(const char *file, unsigned queries, unsigned worst)
{
	struct asked *asked = calloc(queries, sizeof(*asked));
	double *cpus = calloc(queries, sizeof(*cpus));
	struct shelf *s;
	char why[300];

	if (asked == NULL || cpus == NULL || shelf_open(&s, file, why, sizeof(why)) != 0)
		return 1;
	seed = 77;
	for (unsigned i = 0; i < queries; i++) {
		int a = (int)dice(FILTERS), b = (a + 1 + (int)dice(FILTERS - 1)) % FILTERS;
		char va[40], vb[40];
		struct shelf_filter f;
		json_t *page = NULL;
		double from, cpu;

		random_value(a, va);
		random_value(b, vb);
		shelf_filter_init(&f);
		must(shelf_filter_set(&f, filter_names[a], va, 0, why, sizeof(why)) == 0);
		must(shelf_filter_set(&f, filter_names[b], vb, 0, why, sizeof(why)) == 0);
		from = now_s();
		cpu = cpu_s();
		must(shelf_search(s, &f, &page) == 0);
		asked[i].ms = (now_s() - from) * 1e3;
		asked[i].cpu_ms = (cpu_s() - cpu) * 1e3;
		cpus[i] = asked[i].cpu_ms;
		asked[i].rows = (int)json_array_size(json_object_get(page, "recordings"));
		snprintf(asked[i].text, sizeof(asked[i].text), "%s=%s %s=%s", filter_names[a], va,
			 filter_names[b], vb);
		json_decref(page);
	}
	shelf_close(s);
	qsort(asked, queries, sizeof(*asked), by_ms);
	qsort(cpus, queries, sizeof(*cpus), by_number);
	printf("{\"what\":\"search\",\"queries\":%u,\"p50_ms\":%.2f,\"p90_ms\":%.2f,\"p99_ms\":%."
	       "1f,"
	       "\"max_ms\":%.1f,\"cpu_p50_ms\":%.2f,\"cpu_p99_ms\":%.1f,\"cpu_max_ms\":%.1f}\n",
	       queries, asked[queries / 2].ms, asked[queries * 9 / 10].ms,
	       asked[queries * 99 / 100].ms, asked[queries - 1].ms, cpus[queries / 2],
	       cpus[queries * 99 / 100], cpus[queries - 1]);
	for (unsigned i = 0; i < worst && i < queries; i++)
		printf("  %.1f ms (cpu %.1f)  %d rows  %s\n", asked[queries - 1 - i].ms,
		       asked[queries - 1 - i].cpu_ms, asked[queries - 1 - i].rows,
		       asked[queries - 1 - i].text);
	free(asked);
	free(cpus);
	return 0;
}

/* --- playing --- */

static struct config *config_of(const char *dir, bool sealed)
{
	static struct complaints complaints;
	struct config *c = NULL;
	char yaml[2000], key[1100], keys[1300] = "";

	snprintf(key, sizeof(key), "%s/master", dir);
	if (sealed && access(key, F_OK) != 0)
		must(keyring_make(key) == 0);
	if (access(key, F_OK) == 0)
		snprintf(keys, sizeof(keys), "  master_keys: [{id: bench, file: %s}]\n", key);
	snprintf(yaml, sizeof(yaml),
		 "database: %.300s/none.db\narchive:\n  directory: %.300s\n%s  http:\n    listen: "
		 "127.0.0.1:0\n    tokens: [{name: bench, role: listener, token: " TOKEN "}]\n",
		 dir, dir, keys);
	if (config_load(yaml, strlen(yaml), "bench", &c, &complaints) != 0)
		return NULL;
	return c;
}

/* M finished files of 2 s each, spread over the rows, with the ledger's help left out: a line per
 * file would measure fdatasync. */
static int make_files(const char *dir, uint64_t rows, uint64_t files, bool sealed)
{
	struct config *cfg = config_of(dir, sealed);
	uint8_t key[KEYRING_KEY_BYTES], wrapped[KEYRING_WRAPPED_BYTES], wav[44 + 8000] = "RIFF";
	struct archive *a;
	char why[300];
	double from = now_s();
	sqlite3_stmt *st, *all;
	int in = memfd_create("wav", 0);
	struct keyring *ring = NULL;

	if (cfg == NULL || archive_open(&a, cfg, why, sizeof(why)) != 0)
		return 1;
	if (sealed) {
		struct keyring_source src = {cfg->archive->keys[0].id, cfg->archive->keys[0].file};

		must(keyring_open(&ring, &src, 1, NULL, why, sizeof(why)) == 0);
	}
	must(write(in, wav, sizeof(wav)) == (ssize_t)sizeof(wav));

	struct shelf *s = archive_shelf(a);

	run(s->db, "PRAGMA synchronous=OFF; BEGIN");
	st = prepare(s->db,
		     "INSERT OR REPLACE INTO files(n,format,path,bytes,stored_bytes,sealed,sha256) "
		     "SELECT n,'wav',?2,?3,?4,?5,'x' FROM recordings WHERE id=?1");
	all = prepare(s->db, "SELECT id FROM recordings ORDER BY n");
	for (uint64_t i = 0; i < files; i++) {
		struct seal_sums sums;
		uint8_t id[16];
		char text[RECORDING_ID_TEXT], path[200], file[1400];
		int fd;

		for (uint64_t k = 0; k < rows / files; k++)
			must(sqlite3_step(all) == SQLITE_ROW);
		memcpy(id, sqlite3_column_blob(all, 0), 16);
		recording_id_text(id, text);
		snprintf(path, sizeof(path), "%02u/%02u/%s.wav%s", (unsigned)(i / 1000 % 1000),
			 (unsigned)(i / 100 % 10), text, sealed ? ".pbx" : "");
		snprintf(file, sizeof(file), "%s/%02u", dir, (unsigned)(i / 1000 % 1000));
		(void)mkdir(file, 0700);
		snprintf(file, sizeof(file), "%s/%02u/%02u", dir, (unsigned)(i / 1000 % 1000),
			 (unsigned)(i / 100 % 10));
		(void)mkdir(file, 0700);
		snprintf(file, sizeof(file), "%s/%s", dir, path);
		fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		must(fd >= 0);
		if (sealed)
			must(keyring_new(ring, id, key, wrapped) == 0);
		must(seal_write(in, fd, sealed ? key : NULL, id, SEAL_SOUND, &sums) == 0);
		close(fd);
		if (sealed) {
			snprintf(file, sizeof(file), "%s/%.*s.key", dir, (int)strcspn(path, "."),
				 path);
			fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
			must(fd >= 0 && write(fd, wrapped, sizeof(wrapped)) == sizeof(wrapped));
			close(fd);
		}
		sqlite3_bind_blob(st, 1, id, 16, SQLITE_STATIC);
		sqlite3_bind_text(st, 2, path, -1, SQLITE_STATIC);
		sqlite3_bind_int64(st, 3, (int64_t)sums.plain_bytes);
		sqlite3_bind_int64(st, 4, (int64_t)sums.stored_bytes);
		sqlite3_bind_int(st, 5, sealed);
		must(sqlite3_step(st) == SQLITE_DONE && sqlite3_changes(s->db) == 1);
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
	sqlite3_finalize(all);
	run(s->db, "COMMIT");
	keyring_close(ring);
	archive_close(a);
	config_free(cfg);
	close(in);
	printf("{\"what\":\"files\",\"files\":%" PRIu64 ",\"sealed\":%s,\"seconds\":%.1f}\n", files,
	       sealed ? "true" : "false", now_s() - from);
	return 0;
}

static size_t discard(char *p, size_t one, size_t n, void *ctx)
{
	(void)p;
	(void)ctx;
	return one * n;
}

static int play(const char *dir, unsigned requests, bool cold)
{
	struct config *cfg = config_of(dir, false);
	struct asked *asked = calloc(requests, sizeof(*asked));
	struct curl_slist *list = curl_slist_append(NULL, "Authorization: Bearer " TOKEN);
	struct server *server;
	struct archive *a;
	char why[300], url[200];
	CURL *curl = curl_easy_init();
	sqlite3_stmt *st;
	int64_t low, high;

	if (cfg == NULL || asked == NULL || archive_open(&a, cfg, why, sizeof(why)) != 0 ||
	    server_open(&server, cfg, why, sizeof(why)) != 0) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	st = prepare(archive_shelf(a)->db, "SELECT min(n), max(n) FROM files");
	must(sqlite3_step(st) == SQLITE_ROW);
	low = sqlite3_column_int64(st, 0);
	high = sqlite3_column_int64(st, 1);
	sqlite3_finalize(st);
	st = prepare(archive_shelf(a)->db,
		     "SELECT r.id FROM files f JOIN recordings r ON r.n=f.n WHERE "
		     "f.n>=?1 ORDER BY f.n LIMIT 1");
	seed = (uint64_t)time(NULL);
	for (unsigned i = 0; i < requests; i++) {
		char id[RECORDING_ID_TEXT];
		double first = 0;
		long status = 0;

		sqlite3_bind_int64(st, 1, low + (int64_t)(unit() * (double)(high - low)));
		must(sqlite3_step(st) == SQLITE_ROW);
		recording_id_text(sqlite3_column_blob(st, 0), id);
		sqlite3_reset(st);
		if (cold) {
			int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

			if (fd < 0 || write(fd, "3", 1) != 1)
				fprintf(stderr, "caches cannot be dropped here\n");
			if (fd >= 0)
				close(fd);
		}
		snprintf(url, sizeof(url), "http://127.0.0.1:%u/v1/recordings/%s/audio",
			 server_port(server), id);
		curl_easy_reset(curl);
		curl_easy_setopt(curl, CURLOPT_URL, url);
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
		curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
		curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
		must(curl_easy_perform(curl) == CURLE_OK);
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(curl, CURLINFO_STARTTRANSFER_TIME, &first);
		must(status == 200);
		asked[i].ms = first * 1e3;
	}
	qsort(asked, requests, sizeof(*asked), by_ms);
	printf("{\"what\":\"first_byte\",\"requests\":%u,\"cold\":%s,\"p50_ms\":%.2f,\"p99_ms\":%."
	       "2f,"
	       "\"max_ms\":%.2f}\n",
	       requests, cold ? "true" : "false", asked[requests / 2].ms,
	       asked[requests * 99 / 100].ms, asked[requests - 1].ms);
	sqlite3_finalize(st);
	curl_slist_free_all(list);
	curl_easy_cleanup(curl);
	server_close(server);
	archive_close(a);
	config_free(cfg);
	free(asked);
	return 0;
}

/* --- sealing --- */

/* Finishing costs reading and aligning (left out here), encoding, the overview, the hash and the writing;
 * sealing adds AES-GCM. */
static int seal_cost(unsigned minutes)
{
	static int16_t pcm[2 * 8000];
	struct recording_info info = {.metadata = "{}"};
	uint8_t key[32] = {1}, id[16] = {2};
	struct seal_sums sums;
	double encode[2], plain[2], sealed[2];
	uint64_t bytes[2];

	for (int i = 0; i < 2 * 8000; i++)
		pcm[i] = (int16_t)(6000 * sin(i * 0.11) + dice(2000));
	for (int f = 0; f < 2; f++) {
		int in = memfd_create("in", 0), out = memfd_create("out", 0);
		struct overview *o = overview_new(8000, 50);
		struct sound *s;
		double from = cpu_s();

		must(o != NULL);

		must(sound_open_fd(&s, in, f == 0 ? RECORDING_FORMAT_WAV : RECORDING_FORMAT_OPUS,
				   8000, &info) == 0);
		for (unsigned i = 0; i < minutes * 60; i++)
			must(sound_write(s, pcm, 8000) == 0 && overview_put(o, pcm, 8000) == 0);
		must(sound_close(s) == 0);
		overview_free(o);
		encode[f] = cpu_s() - from;
		from = cpu_s();
		must(seal_write(in, out, NULL, id, SEAL_SOUND, &sums) == 0);
		plain[f] = cpu_s() - from;
		must(ftruncate(out, 0) == 0 && lseek(out, 0, SEEK_SET) == 0);
		from = cpu_s();
		must(seal_write(in, out, key, id, SEAL_SOUND, &sums) == 0);
		sealed[f] = cpu_s() - from;
		bytes[f] = sums.plain_bytes;
		close(in);
		close(out);
	}
	for (int f = 0; f < 2; f++)
		printf("{\"what\":\"seal\",\"format\":\"%s\",\"minutes\":%u,\"megabytes\":%.1f,"
		       "\"encode_ms\":%.2f,\"hash_and_write_ms\":%.2f,\"sealed_ms\":%.2f,"
		       "\"added_percent\":%.2f}\n",
		       f == 0 ? "wav" : "opus", minutes, (double)bytes[f] / 1e6, encode[f] * 1e3,
		       plain[f] * 1e3, sealed[f] * 1e3,
		       100 * (sealed[f] - plain[f]) / (encode[f] + plain[f]));
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "", *dir = argc > 2 ? argv[2] : "";
	uint64_t rows = strtoull(option(argc, argv, "--rows", "200000"), NULL, 10);
	uint64_t files = strtoull(option(argc, argv, "--files", "0"), NULL, 10);
	char file[1200];
	int rc;

	log_setup("bench_archive", LOG_LEVEL_WARN);
	snprintf(file, sizeof(file), "%.1000s/archive.db", dir);
	if (strcmp(verb, "make") == 0 && rows > 0 && files <= rows) {
		(void)mkdir(dir, 0700);
		rc = make_rows(file, rows);
		return rc != 0 || files == 0
			       ? rc
			       : make_files(dir, rows, files,
					    option(argc, argv, "--sealed", NULL) != NULL);
	}
	if (strcmp(verb, "search") == 0)
		return search(file, (unsigned)atoi(option(argc, argv, "--queries", "1000")),
			      option(argc, argv, "--worst", NULL) != NULL ? 20 : 0);
	if (strcmp(verb, "play") == 0)
		return play(dir, (unsigned)atoi(option(argc, argv, "--requests", "200")),
			    option(argc, argv, "--cold", NULL) != NULL);
	if (strcmp(verb, "seal") == 0)
		return seal_cost((unsigned)atoi(option(argc, argv, "--minutes", "20")));
	fprintf(stderr,
		"usage: bench_archive make DIR [--rows N] [--files M] [--sealed] | search DIR "
		"[--queries Q] [--worst] | play DIR [--requests R] [--cold] | seal [--minutes "
		"N]\n");
	return 2;
}
