/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding and first bytes in a large archive, and what sealing costs.
 *
 *	bench_archive make DIR --rows N [--files M] [--sealed]   synthetic records, M of them with a file
 *	bench_archive search DIR [--queries Q] [--worst]         two random filters at a time
 *	bench_archive play DIR [--requests R] [--cold]           HTTP, a new connection each, to the first byte
 *	bench_archive seal [--megabytes N]                       sealing against writing and encoding
 *
 * The records are bench_archive_made.c's. A line of JSON per result goes to standard output.
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
#include "bench_archive.h"
#include "libpatchbay/recording_sound.h"
#include "patchbay/recording.h"

#define TOKEN "bench-0123456789"

static const char *option(int argc, char **argv, const char *name, const char *missing)
{
	for (int i = 2; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return i + 1 < argc ? argv[i + 1] : "";
	return missing;
}

/* --- searching --- */

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
	bench_seed = 77;
	for (unsigned i = 0; i < queries; i++) {
		int a = (int)bench_dice(BENCH_FILTERS),
		    b = (a + 1 + (int)bench_dice(BENCH_FILTERS - 1)) % BENCH_FILTERS;
		char va[40], vb[40];
		struct shelf_filter f;
		json_t *page = NULL;
		double from, cpu;

		bench_random_value(a, va);
		bench_random_value(b, vb);
		shelf_filter_init(&f);
		must(shelf_filter_set(&f, bench_filter_names[a], va, 0, why, sizeof(why)) == 0);
		must(shelf_filter_set(&f, bench_filter_names[b], vb, 0, why, sizeof(why)) == 0);
		from = bench_now_s();
		cpu = bench_cpu_s();
		must(shelf_search(s, &f, &page) == 0);
		asked[i].ms = (bench_now_s() - from) * 1e3;
		asked[i].cpu_ms = (bench_cpu_s() - cpu) * 1e3;
		cpus[i] = asked[i].cpu_ms;
		asked[i].rows = (int)json_array_size(json_object_get(page, "recordings"));
		snprintf(asked[i].text, sizeof(asked[i].text), "%s=%s %s=%s", bench_filter_names[a],
			 va, bench_filter_names[b], vb);
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
	double from = bench_now_s();
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

	bench_sql(s->db, "PRAGMA synchronous=OFF; BEGIN");
	st = bench_prepare(
		s->db,
		"INSERT OR REPLACE INTO files(n,format,path,bytes,stored_bytes,sealed,sha256) "
		"SELECT n,'wav',?2,?3,?4,?5,'x' FROM recordings WHERE id=?1");
	all = bench_prepare(s->db, "SELECT id FROM recordings ORDER BY n");
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
	bench_sql(s->db, "COMMIT");
	keyring_close(ring);
	archive_close(a);
	config_free(cfg);
	close(in);
	printf("{\"what\":\"files\",\"files\":%" PRIu64 ",\"sealed\":%s,\"seconds\":%.1f}\n", files,
	       sealed ? "true" : "false", bench_now_s() - from);
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
	st = bench_prepare(archive_shelf(a)->db, "SELECT min(n), max(n) FROM files");
	must(sqlite3_step(st) == SQLITE_ROW);
	low = sqlite3_column_int64(st, 0);
	high = sqlite3_column_int64(st, 1);
	sqlite3_finalize(st);
	st = bench_prepare(archive_shelf(a)->db,
			   "SELECT r.id FROM files f JOIN recordings r ON r.n=f.n WHERE "
			   "f.n>=?1 ORDER BY f.n LIMIT 1");
	bench_seed = (uint64_t)time(NULL);
	for (unsigned i = 0; i < requests; i++) {
		char id[RECORDING_ID_TEXT];
		double first = 0;
		long status = 0;

		sqlite3_bind_int64(st, 1, low + (int64_t)(bench_unit() * (double)(high - low)));
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
		pcm[i] = (int16_t)(6000 * sin(i * 0.11) + bench_dice(2000));
	for (int f = 0; f < 2; f++) {
		int in = memfd_create("in", 0), out = memfd_create("out", 0);
		struct overview *o = overview_new(8000, 50);
		struct sound *s;
		double from = bench_cpu_s();

		must(o != NULL);

		must(sound_open_fd(&s, in, f == 0 ? RECORDING_FORMAT_WAV : RECORDING_FORMAT_OPUS,
				   8000, &info) == 0);
		for (unsigned i = 0; i < minutes * 60; i++)
			must(sound_write(s, pcm, 8000) == 0 && overview_put(o, pcm, 8000) == 0);
		must(sound_close(s) == 0);
		overview_free(o);
		encode[f] = bench_cpu_s() - from;
		from = bench_cpu_s();
		must(seal_write(in, out, NULL, id, SEAL_SOUND, &sums) == 0);
		plain[f] = bench_cpu_s() - from;
		must(ftruncate(out, 0) == 0 && lseek(out, 0, SEEK_SET) == 0);
		from = bench_cpu_s();
		must(seal_write(in, out, key, id, SEAL_SOUND, &sums) == 0);
		sealed[f] = bench_cpu_s() - from;
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
		rc = bench_make_rows(file, rows);
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
