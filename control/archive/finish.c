/* SPDX-License-Identifier: Apache-2.0
 *
 * From the recording store to finished files.
 *
 *	list the store ─► ended, and not in the shelf (or longer than it was) ─►
 *	export into memory, overview on the way ─► seal ─► files ─► ledger ─► shelf
 *
 * The sound is exported into anonymous memory, so that what is to be sealed never lies on a disk as
 * it is; beyond SOUND_MEMORY_MAX into a nameless file in the archive's directory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "archive/archive_priv.h"
#include "archive/overview.h"
#include "base/log.h"
#include "patchbay/recording.h"

#define SOUND_MEMORY_MAX (UINT64_C(256) << 20)
#define STARTED_MAX_MS   UINT64_C(253402300799999) /* the end of the year 9999 */

enum {
	CRASH_GRACE_MS = 60000,      /* an engine that died comes back and goes on */
	STALE_MS = 24 * 3600 * 1000, /* without an end for a day: nobody will end it */
	RATE_HZ = 8000,
};

/* --- retention --- */

static bool fits(const char *want, const json_t *row, const char *member)
{
	const char *have = json_string_value(json_object_get(row, member));

	return want[0] == '\0' || (have != NULL && strcmp(want, have) == 0);
}

static bool tagged(const char *want, const json_t *tags)
{
	size_t i;
	json_t *tag;

	if (want[0] == '\0')
		return true;
	json_array_foreach(tags, i, tag)
	{
		if (strcmp(json_string_value(tag), want) == 0)
			return true;
	}
	return false;
}

void archive_retain(const struct config_archive *cfg, json_t *row, const json_t *tags)
{
	uint64_t started = (uint64_t)json_integer_value(json_object_get(row, "started_ms"));
	const char *name = "default";
	uint64_t days = cfg->keep_days;

	for (unsigned i = 0; i < cfg->n_retention; i++) {
		const struct config_retention *r = &cfg->retention[i];

		if (fits(r->queue, row, "queue") && fits(r->agent, row, "agent") &&
		    fits(r->kind, row, "kind") && tagged(r->tag, tags)) {
			name = r->name;
			days = r->keep_days;
			break;
		}
	}
	json_object_set_new(row, "class", json_string(name));
	json_object_set_new(row, "keep_until_ms",
			    json_integer(days != 0 ? (json_int_t)(started + days * 86400000) : 0));
}

/* --- files --- */

static void path_of(const uint8_t id[16], uint64_t started_ms, const char *format, bool sealed,
		    char path[128])
{
	time_t s = (time_t)(started_ms / 1000);
	char text[RECORDING_ID_TEXT];
	struct tm tm;

	gmtime_r(&s, &tm);
	recording_id_text(id, text);
	snprintf(path, 128, "%04d/%02d/%02d/%s.%s%s", (tm.tm_year + 1900) % 10000, tm.tm_mon + 1,
		 tm.tm_mday, text, format, sealed ? ".pbx" : "");
}

/* Seal `in` into `path`, durable. */
static int put_sealed(int in, const char *path, const uint8_t *key, const uint8_t id[16],
		      enum seal_stream stream, struct seal_sums *sums)
{
	char part[ARCHIVE_PATH_MAX + 8];
	int fd, err;

	snprintf(part, sizeof(part), "%s.part", path);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	err = seal_write(in, fd, key, id, stream, sums);
	if (err == 0 && fdatasync(fd) != 0)
		err = -errno;
	close(fd);
	if (err == 0 && rename(part, path) != 0)
		err = -errno;
	if (err != 0)
		unlink(part);
	return err;
}

/* Where a file of a recording is put: beside the old one, when it is finished again. */
static void place_of(const struct archive *a, bool again, char file[ARCHIVE_PATH_MAX],
		     const char *path, const char *ending)
{
	if (again)
		archive_file_next(a, file, path, ending);
	else
		archive_file(a, file, path, ending);
}

static int put_overview(struct archive *a, const struct archive_new *n, const char *path,
			const uint8_t *key, bool again)
{
	char file[ARCHIVE_PATH_MAX];
	struct seal_sums sums;
	int fd = memfd_create("overview", MFD_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	place_of(a, again, file, path, key != NULL ? ".wave.pbx" : ".wave");
	err = digest_write_all(fd, n->overview, n->overview_bytes);
	if (err == 0)
		err = put_sealed(fd, file, key, n->id, SEAL_OVERVIEW, &sums);
	close(fd);
	return err;
}

static void describe(json_t *row, const char *path, bool sealed, const struct seal_sums *s)
{
	char plain[DIGEST_TEXT], stored[DIGEST_TEXT];

	digest_hex(s->plain_sha256, DIGEST_BYTES, plain);
	digest_hex(s->stored_sha256, DIGEST_BYTES, stored);
	json_object_set_new(row, "path", json_string(path));
	json_object_set_new(row, "sealed", json_boolean(sealed));
	json_object_set_new(row, "bytes", json_integer((json_int_t)s->plain_bytes));
	json_object_set_new(row, "stored_bytes", json_integer((json_int_t)s->stored_bytes));
	json_object_set_new(row, "sha256", json_string(plain));
	json_object_set_new(row, "stored_sha256", json_string(stored));
}

/* The row beside the sound, and the ledger's line that proves both. */
static int put_row(struct archive *a, const struct archive_new *n, const char *path, bool again)
{
	static const char *const members[] = {"recording",    "started_ms",   "duration_ms",
					      "path",         "bytes",        "sha256",
					      "stored_bytes", "stored_sha256"};
	char file[ARCHIVE_PATH_MAX], hash[DIGEST_TEXT];
	char *text = json_dumps(n->row, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
	json_t *line;
	int err;

	if (text == NULL)
		return -ENOMEM;
	digest_text(text, strlen(text), hash);
	place_of(a, again, file, path, ".json");
	err = archive_put_file(file, text, strlen(text));
	free(text);
	if (err == 0)
		err = archive_sync_directory(file);
	if (err != 0)
		return err;
	line = json_object();
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		json_object_set(line, members[i], json_object_get(n->row, members[i]));
	json_object_set_new(line, "row_sha256", json_string(hash));
	if (n->facts != NULL)
		json_object_update_missing(line, n->facts);
	return archive_act(a, n->op, line);
}

/* Within a turn. */
static int store(struct archive *a, const struct archive_new *n)
{
	const char *format = json_string_value(json_object_get(n->row, "format"));
	uint64_t started = (uint64_t)json_integer_value(json_object_get(n->row, "started_ms"));
	uint8_t key[KEYRING_KEY_BYTES], wrapped[KEYRING_WRAPPED_BYTES];
	bool sealed = a->keyring != NULL, again = shelf_has(a->shelf, n->id) == 1;
	char path[128], file[ARCHIVE_PATH_MAX];
	struct seal_sums sums;
	int err;

	/* A line that no shelf takes would stand in the ledger, and in the way, for ever. */
	if (started == 0 || started > STARTED_MAX_MS)
		return archive_refuse(a, -EINVAL, "its beginning is no time: %lld ms",
				      (long long)started);
	path_of(n->id, started, format, sealed, path);
	err = archive_make_way(a, path);
	if (err == 0 && sealed) {
		err = keyring_new(a->keyring, n->id, key, wrapped);
		place_of(a, again, file, path, ".key");
		if (err == 0)
			err = archive_put_file(file, wrapped, sizeof(wrapped));
	}
	place_of(a, again, file, path, NULL);
	if (err == 0)
		err = put_sealed(n->sound, file, sealed ? key : NULL, n->id, SEAL_SOUND, &sums);
	if (err == 0)
		err = put_overview(a, n, path, sealed ? key : NULL, again);
	OPENSSL_cleanse(key, sizeof(key));
	if (err != 0)
		return archive_refuse(a, err, "%s: %s", file, strerror(-err));
	describe(n->row, path, sealed, &sums);
	return put_row(a, n, path, again);
}

int archive_store(struct archive *a, const struct archive_new *n)
{
	int err = archive_turn(a);

	if (err != 0)
		return err;
	err = store(a, n);
	archive_turn_over(a);
	return err;
}

/* --- one recording --- */

/* What the engine was told about the call, and what the call record knows. */
static void add_facts(struct archive *a, json_t *row, const char *metadata)
{
	static const char *const same[] = {"call", "kind",       "agent",   "queue",
					   "team", "work_order", "language"};
	json_t *meta = json_loads(metadata, 0, NULL), *facts = NULL;
	const char *call;

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (json_is_string(json_object_get(meta, same[i])))
			json_object_set(row, same[i], json_object_get(meta, same[i]));
	if (json_is_string(json_object_get(meta, "group")))
		json_object_set(row, "team", json_object_get(meta, "group"));
	if (json_is_string(json_object_get(meta, "from")))
		json_object_set(row, "caller", json_object_get(meta, "from"));
	if (json_is_string(json_object_get(meta, "to")))
		json_object_set(row, "called", json_object_get(meta, "to"));
	call = json_string_value(json_object_get(row, "call"));
	if (a->look == NULL)
		(void)look_open(&a->look, a->config->database);
	if (call != NULL && a->look != NULL && look_call(a->look, call, &facts) == 0) {
		json_object_del(facts, "ended");
		for (void *it = json_object_iter(facts); it != NULL;
		     it = json_object_iter_next(facts, it)) {
			json_t *v = json_object_iter_value(it);

			if (!json_is_string(v) || json_string_length(v) > 0)
				json_object_set(row, json_object_iter_key(it), v);
		}
	}
	json_decref(facts);
	json_decref(meta);
}

static void add_account(json_t *row, const struct recording_info *info)
{
	uint64_t lost = 0, written = 0;

	for (int ch = 0; ch < RECORDING_CHANNELS; ch++) {
		lost += info->account.channel[ch].lost;
		written += info->account.channel[ch].written;
	}
	json_object_set_new(row, "lost", json_integer((json_int_t)lost));
	json_object_set_new(row, "written", json_integer((json_int_t)written));
	json_object_set_new(row, "paused_ms", json_integer((json_int_t)info->account.paused_ms));
	json_object_set_new(row, "extents", json_integer((json_int_t)info->extents));
	json_object_set_new(row, "parts", json_integer(info->parts));
	json_object_set_new(row, "complete", json_boolean(info->complete));
	json_object_set_new(row, "end",
			    json_string(info->ended ? recording_end_name(info->end) : "none"));
}

static void add_overview(json_t *row, const struct overview *o)
{
	struct overview_sums s;

	overview_sums(o, &s);
	json_object_set_new(row, "silence", json_real(s.silence));
	json_object_set_new(row, "talk_over", json_real(s.talk_over));
	json_object_set_new(row, "speech", json_pack("[f, f]", s.speech[0], s.speech[1]));
	json_object_set_new(row, "rms", json_pack("[f, f]", s.rms[0], s.rms[1]));
	json_object_set_new(row, "silences", json_integer(s.silences));
	json_object_set_new(row, "talk_overs", json_integer(s.talk_overs));
	json_object_set_new(row, "silence_longest_ms", json_integer(s.silence_longest_ms));
}

static int watch(void *ctx, const int16_t *pairs, size_t n)
{
	return overview_put(ctx, pairs, n);
}

static int place_for_sound(struct archive *a, uint64_t duration_ms)
{
	uint64_t bytes = duration_ms * RATE_HZ / 1000 * (a->cfg->wav ? 4 : 1);
	int fd = bytes < SOUND_MEMORY_MAX ? memfd_create("sound", MFD_CLOEXEC)
					  : open(a->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd >= 0 ? fd : -errno;
}

static void count_damage(void *ctx, const struct recording_damage *d)
{
	(void)d;
	(*(uint64_t *)ctx)++;
}

static int finish_open(struct archive *a, struct recording *r, uint64_t *damages)
{
	const struct recording_info *info = recording_info(r);
	struct overview *o = overview_new(RATE_HZ, a->cfg->overview_bucket_ms);
	char id[RECORDING_ID_TEXT];
	struct recording_exported e;
	struct recording_export how = {
		.fd = place_for_sound(a, info->duration_ns / 1000000),
		.format = a->cfg->wav ? RECORDING_FORMAT_WAV : RECORDING_FORMAT_OPUS,
		.rate_hz = RATE_HZ,
		.pcm = watch,
		.ctx = o,
	};
	struct archive_new n = {.op = "finish", .sound = how.fd};
	uint8_t *wave = NULL;
	int err = o == NULL ? -ENOMEM : how.fd < 0 ? how.fd : 0;

	memcpy(n.id, info->id, 16);
	recording_id_text(info->id, id);
	if (err == 0)
		err = recording_export(r, &how, &e);
	if (err == 0) {
		overview_end(o);
		n.overview_bytes = overview_pack(o, &wave);
		n.overview = wave;
		n.row = json_pack("{s:s, s:I, s:I, s:s}", "recording", id, "started_ms",
				  (json_int_t)(info->start_ns / 1000000), "duration_ms",
				  (json_int_t)e.duration_ms, "format",
				  a->cfg->wav ? "wav" : "opus");
		add_facts(a, n.row, info->metadata);
		add_account(n.row, info);
		add_overview(n.row, o);
		if (*damages != 0)
			json_object_set_new(n.row, "damages", json_integer((json_int_t)*damages));
		json_object_set_new(n.row, "finished_ms",
				    json_integer((json_int_t)archive_now_ms()));
		archive_retain(a->cfg, n.row, NULL);
		err = archive_store(a, &n);
		json_decref(n.row);
	}
	free(wave);
	overview_free(o);
	if (how.fd >= 0)
		close(how.fd);
	return err;
}

/* --- the store --- */

/* What is to be done, copied from the list: opening recordings while it is told is not allowed. */
struct job {
	uint8_t id[16];
	uint64_t duration_ms;
};

struct todo {
	struct archive *a;
	uint64_t now_ms;
	struct job *job;
	size_t n, max;
	uint32_t waiting;
};

static bool over(const struct recording_info *info, uint64_t now_ms)
{
	uint64_t last_ms = (info->start_ns + info->duration_ns) / 1000000;

	if (!info->ended)
		return now_ms > last_ms + STALE_MS;
	if (info->end == RECORDING_END_ENGINE_DIED || info->end == RECORDING_END_ENGINE_STOPPED)
		return now_ms > last_ms + CRASH_GRACE_MS;
	return true;
}

/* A recording that went on after it had been finished is finished again, but only from all of it:
 * never from what is left when its beginning has been recycled. */
static bool from_its_beginning(const json_t *row, const struct recording_info *info)
{
	int64_t before = json_integer_value(json_object_get(row, "started_ms"));
	int64_t now = (int64_t)(info->start_ns / 1000000);

	return now - before < 1000 && before - now < 1000 &&
	       info->parts >= (uint64_t)json_integer_value(json_object_get(row, "parts"));
}

/* Already finished, with as many extents? A deleted one stays deleted. */
static int done(struct archive *a, const struct recording_info *info)
{
	json_t *row;
	int err = shelf_has(a->shelf, info->id), same;

	if (err != 1)
		return err;
	err = shelf_get(a->shelf, info->id, &row);
	if (err != 0)
		return err;
	same = strcmp(json_string_value(json_object_get(row, "state")), "finished") != 0 ||
	       (uint64_t)json_integer_value(json_object_get(row, "extents")) >= info->extents ||
	       !from_its_beginning(row, info);
	json_decref(row);
	return same;
}

static int consider(void *ctx, const struct recording_info *info)
{
	struct todo *t = ctx;
	int is = done(t->a, info);

	if (is == 1)
		return 0;
	if (is < 0)
		return is;
	if (!over(info, t->now_ms) || shelf_failing(t->a->shelf, info->id, t->now_ms) == 1) {
		t->waiting++;
		return 0;
	}
	if (t->n == t->max) {
		size_t want = t->max != 0 ? t->max * 2 : 64;
		struct job *more = realloc(t->job, want * sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		t->job = more;
		t->max = want;
	}
	memcpy(t->job[t->n].id, info->id, 16);
	t->job[t->n++].duration_ms = info->duration_ns / 1000000;
	return 0;
}

static int finish_one(struct archive *a, struct recording_store *st, const uint8_t id[16])
{
	struct recording *r;
	uint64_t damages = 0;
	int err = recording_open(st, id, count_damage, &damages, &r);

	if (err != 0)
		return err;
	err = finish_open(a, r, &damages);
	recording_close(r);
	return err;
}

/* A number that changes when a segment was written, made or taken away. */
static uint64_t look_of_stores(const struct config_archive *cfg)
{
	uint64_t sum = 14695981039346656037U;

	for (unsigned i = 0; i < cfg->n_store; i++) {
		DIR *d = opendir(cfg->store[i]);
		const struct dirent *e;
		struct stat st;

		while (d != NULL && (e = readdir(d)) != NULL) {
			if (strncmp(e->d_name, "seg-", 4) != 0 ||
			    fstatat(dirfd(d), e->d_name, &st, 0) != 0)
				continue;
			for (const char *p = e->d_name; *p != '\0'; p++)
				sum += (uint64_t)(unsigned char)*p * 1099511628211U;
			sum += (uint64_t)st.st_mtim.tv_sec * 31 + (uint64_t)st.st_mtim.tv_nsec * 7 +
			       (uint64_t)st.st_ino * 1000003;
		}
		if (d != NULL)
			closedir(d);
	}
	return sum;
}

static void told(struct archive *a, const uint8_t id[16], int err)
{
	char text[RECORDING_ID_TEXT];

	recording_id_text(id, text);
	if (err == 0) {
		(void)shelf_failed(a->shelf, id, NULL, 0);
		log_info("finish", "%s is finished", text);
		return;
	}
	log_error("finish", "%s cannot be finished, will be tried again: %s", text,
		  a->why[0] != '\0' ? a->why : strerror(-err));
	(void)shelf_failed(a->shelf, id, a->why[0] != '\0' ? a->why : strerror(-err),
			   archive_now_ms());
}

int archive_finish(struct archive *a, const volatile bool *stop, struct archive_finished *n)
{
	struct todo t = {.a = a, .now_ms = archive_now_ms()};
	uint64_t looks = look_of_stores(a->cfg);
	struct recording_store *st;
	int err;

	*n = (struct archive_finished){0};
	if (looks == a->seen_stores)
		return 0;
	err = recording_store_open(&st, a->cfg->store, a->cfg->n_store);
	if (err != 0)
		return archive_refuse(a, err, "recording store %s: %s", a->cfg->store[0],
				      strerror(-err));
	err = recording_store_list(st, consider, NULL, &t);
	for (size_t i = 0; err == 0 && i < t.n && (stop == NULL || !*stop); i++) {
		int one;

		a->why[0] = '\0';
		one = finish_one(a, st, t.job[i].id);
		told(a, t.job[i].id, one);
		n->finished += one == 0;
		n->failed += one != 0;
		n->sound_ms += one == 0 ? t.job[i].duration_ms : 0;
	}
	n->waiting = t.waiting;
	recording_store_close(st);
	free(t.job);
	if (err == 0 && n->failed == 0 && n->waiting == 0 && n->finished == t.n)
		a->seen_stores = looks;
	return err;
}
