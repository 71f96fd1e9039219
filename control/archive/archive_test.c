/* SPDX-License-Identifier: Apache-2.0
 *
 * The archive on a real recording store: finishing, proof, holds, deletion, import, copies; and
 * that a process killed anywhere leaves nothing twice and nothing lost.
 */
#include "archive/archive.h"

#include <math.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <sndfile.h>
#include <sqlite3.h>

#include "archive/archive_world.h"
#include "archive/audit.h"
#include "archive/copy.h"
#include "archive/done.h"
#include "archive/overview.h"
#include "record/recycle.h"

static bool proved(struct world *w, unsigned call, const json_t *anchor)
{
	uint8_t id[16];
	json_t *v;
	bool ok;

	test_id(id, call);
	check_int(archive_prove(w->a, id, anchor, &v), 0);
	ok = json_is_true(json_object_get(v, "ok"));
	json_decref(v);
	return ok;
}

static void check_sound(struct world *w, unsigned call)
{
	json_t *row = get(w, call);
	struct seal *s;
	uint8_t head[4], *wave;
	size_t n;
	char *text;

	check_str(str(row, "caller"), "138000");
	check_str(str(row, "queue"), "sales");
	check_int(json_integer_value(json_object_get(row, "duration_ms")), SECONDS * 1000);
	check(json_number_value(json_object_get(row, "silence")) > 0.3); /* after the tone */
	check_int(archive_sound(w->a, row, &s), 0);
	check_int(seal_bytes(s), json_integer_value(json_object_get(row, "bytes")));
	check_int(seal_pread(s, head, 4, 0), 4);
	check(memcmp(head, strcmp(str(row, "format"), "wav") == 0 ? "RIFF" : "OggS", 4) == 0);
	seal_close(s);
	check_int(archive_overview(w->a, row, &wave, &n), 0);
	text = overview_json(wave, n, 0);
	check(text != NULL && strstr(text, "\"silence\":[[") != NULL);
	free(text);
	free(wave);
	json_decref(row);
}

static void what_ended_is_finished_once(void)
{
	static const char *const formats[] = {"wav", "opus"};

	for (int round = 0; round < 4; round++) {
		struct world w = {0};

		world_make(&w, round & 1, formats[round / 2]);
		finish(&w, CALLS);
		finish(&w, 0);
		for (unsigned c = 0; c < CALLS; c++) {
			check_sound(&w, c);
			check(proved(&w, c, NULL));
		}
		record_calls(&w, CALLS, 1);
		shut_archive(&w);
		open_archive(&w, round & 1, formats[round / 2]);
		finish(&w, 1);
		check(proved(&w, CALLS, NULL));
		world_free(&w);
	}
}

static void file_of(const struct world *w, const json_t *row, const char *ending, char path[300])
{
	const char *p = str(row, "path");

	snprintf(path, 300, "%s/archive/%.*s%s", w->dir,
		 ending != NULL ? (int)strcspn(p, ".") : (int)strlen(p), p,
		 ending != NULL ? ending : "");
}

static void a_changed_file_row_or_ledger_is_not_proved(void)
{
	static const char *const ending[] = {NULL, ".json"};
	struct world w = {0};
	char path[300];
	json_t *anchor, *row;

	world_make(&w, true, "wav");
	finish(&w, CALLS);
	check_int(archive_anchor(w.a, &anchor), 0);
	check(proved(&w, 1, anchor));
	for (int i = 0; i < 2; i++) {
		uint8_t b;
		int fd;

		row = get(&w, 1);
		file_of(&w, row, ending[i], path);
		json_decref(row);
		fd = open(path, O_RDWR);
		check(fd >= 0 && pread(fd, &b, 1, 100) == 1);
		b ^= 1;
		check(pwrite(fd, &b, 1, 100) == 1);
		check(!proved(&w, 1, NULL));
		check(proved(&w, 2, NULL));
		b ^= 1;
		check(pwrite(fd, &b, 1, 100) == 1);
		close(fd);
		check(proved(&w, 1, anchor));
	}
	json_object_set_new(anchor, "hash", json_string("00"));
	check(!proved(&w, 1, anchor));
	json_decref(anchor);
	world_free(&w);
}

static void nothing_deletes_what_is_held(void)
{
	struct world w = {0};
	struct audit_filter f = {.refused = true};
	uint8_t id[16];
	char path[300], key[300];
	json_t *row, *page;

	world_make(&w, true, "wav");
	finish(&w, CALLS);
	test_id(id, 2);
	row = get(&w, 2);
	file_of(&w, row, NULL, path);
	file_of(&w, row, ".key", key);
	json_decref(row);
	check_int(archive_hold(w.a, &tester, id, ""), -EINVAL);
	check_int(archive_hold(w.a, &tester, id, "case 12"), 0);
	check_int(archive_delete(w.a, &tester, id, "on request"), -EPERM);
	check(strstr(archive_why(w.a), "legal hold") != NULL);
	check_int(shelf_keep(archive_shelf(w.a), id, "short", 1), 0);
	check_int(archive_sweep(w.a, NULL), 0);
	check(access(path, F_OK) == 0 && proved(&w, 2, NULL));
	check_int(archive_release(w.a, &tester, id, "case closed"), 0);
	check_int(archive_release(w.a, &tester, id, "again"), -EALREADY);
	check_int(archive_sweep(w.a, NULL), 1);
	check(access(path, F_OK) != 0 && access(key, F_OK) != 0);
	check(proved(&w, 2, NULL)); /* that it is deleted */
	row = get(&w, 2);
	check_str(str(row, "state"), "deleted");
	check(str(row, "caller") == NULL);
	json_decref(row);
	check_int(archive_delete(w.a, &tester, id, "again"), -EALREADY);
	check_int(archive_hold(w.a, &tester, id, "too late"), -EALREADY);
	finish(&w, 0); /* it is still in the store and does not come back */
	f.id = id;
	check_int(audit_list(archive_shelf(w.a), &f, &page), 0);
	check_int(json_array_size(json_object_get(page, "lines")), 5);
	json_decref(page);
	world_free(&w);
}

static void a_lost_shelf_is_read_again_from_the_files(void)
{
	struct world w = {0};
	uint8_t id[16];
	json_t *before, *after;
	char path[100];

	world_make(&w, true, "opus");
	finish(&w, CALLS);
	test_id(id, 0);
	check_int(archive_delete(w.a, &tester, id, "on request"), 0);
	test_id(id, 1);
	check_int(archive_hold(w.a, &tester, id, "case 12"), 0);
	before = get(&w, 1);
	shut_archive(&w);
	snprintf(path, sizeof(path), "%s/archive/archive.db", w.dir);
	check_int(unlink(path), 0);
	open_archive(&w, true, "opus");
	after = get(&w, 1);
	check(json_equal(before, after));
	json_decref(before);
	json_decref(after);
	after = get(&w, 0);
	check_str(str(after, "state"), "deleted");
	json_decref(after);
	check_int(archive_delete(w.a, &tester, id, "on request"), -EPERM);
	finish(&w, 0);
	world_free(&w);
}

/* Lines of the list; *sane: each is one that the engine reads. */
static unsigned done_lines(const struct world *w, bool *sane)
{
	char path[120], line[64];
	struct finished f;
	unsigned n = 0;
	FILE *in;

	check_int(done_write(w->a), 0);
	snprintf(path, sizeof(path), "%s/finished", w->place.volume[0]);
	in = fopen(path, "r");
	*sane = true;
	while (in != NULL && fgets(line, sizeof(line), in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		*sane = *sane && recycle_parse(line, &f);
		n++;
	}
	if (in != NULL)
		fclose(in);
	return n;
}

static uint32_t free_all(struct recycle *r, const struct world *w)
{
	struct recycle_count n;
	uint32_t freed;

	check_int(recycle_look(r, w->place.volume[0], true, 1000, &n, &freed), 0);
	return freed;
}

static void the_engine_may_use_again_what_is_finished_and_not_held(void)
{
	struct world w = {0};
	struct recycle r = {0};
	uint8_t id[16];
	bool sane;
	unsigned all;

	world_make(&w, false, "wav");
	check_int(done_lines(&w, &sane), 0);
	check_int(free_all(&r, &w), 0);
	finish(&w, CALLS);
	all = done_lines(&w, &sane);
	check(all > 0 && sane);
	check_int(done_lines(&w, &sane), all); /* what was known stays */
	test_id(id, 1);
	check_int(archive_hold(w.a, &tester, id, "case 12"), 0);
	check(done_lines(&w, &sane) < all);
	check_int(free_all(&r, &w), 0);
	check_int(archive_release(w.a, &tester, id, "over"), 0);
	check_int(done_lines(&w, &sane), all);
	record_calls(&w, CALLS, 1); /* not finished */
	check_int(done_lines(&w, &sane), all);
	check_int(free_all(&r, &w), all);
	check_int(free_all(&r, &w), 0);
	finish(&w, 1); /* what was not finished is still there */
	check(proved(&w, CALLS, NULL));
	recycle_forget(&r);
	world_free(&w);
}

/* The call of a recording that was finished goes on; the archive is killed while it finishes it again. Whenever
 * that is, the sound can be heard and is proved: the old one or the new one. */
static void finished_again_it_is_never_without_its_key(void)
{
	struct world w = {0};
	json_t *row;
	bool longer = false;

	world_make(&w, true, "wav");
	finish(&w, CALLS);
	record_calls(&w, 0, 1);
	for (unsigned round = 0; round < 20 && !longer; round++) {
		struct seal *s;
		pid_t pid;

		shut_archive(&w);
		pid = fork();
		if (pid == 0) {
			struct archive_finished n;

			open_archive(&w, true, "wav");
			archive_finish(w.a, NULL, &n);
			_exit(0);
		}
		usleep(2000 + round * 3001);
		kill(pid, SIGKILL);
		check(waitpid(pid, NULL, 0) == pid);
		open_archive(&w, true, "wav");
		check(proved(&w, 0, NULL));
		row = get(&w, 0);
		check_int(archive_sound(w.a, row, &s), 0);
		check_int(seal_bytes(s), json_integer_value(json_object_get(row, "bytes")));
		seal_close(s);
		longer = json_integer_value(json_object_get(row, "parts")) == 2;
		json_decref(row);
	}
	finish(&w, longer ? 0 : 1);
	check(proved(&w, 0, NULL));

	/* What a killed finishing left does not outlive the recording. */
	char path[300], next[320];
	uint8_t id[16];

	row = get(&w, 0);
	check_int(json_integer_value(json_object_get(row, "parts")), 2);
	file_of(&w, row, NULL, path);
	json_decref(row);
	snprintf(next, sizeof(next), "%s.next", path);
	check_int(symlink("nowhere", next), 0);
	test_id(id, 0);
	check_int(archive_delete(w.a, &tester, id, "asked for"), 0);
	check(access(path, F_OK) != 0 && readlink(next, path, sizeof(path)) < 0);
	world_free(&w);
}

/* Killed at any moment, again and again: in the end everything is there once. */
static void killed_anywhere_nothing_is_lost_or_twice(void)
{
	struct ledger_verdict v;
	struct world w = {0};
	unsigned finished = 0;
	json_t *doc;

	world_make(&w, true, "wav");
	record_calls(&w, CALLS, 12);
	shut_archive(&w);
	for (unsigned round = 0; round < 12; round++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct archive_finished n;

			open_archive(&w, true, "wav");
			archive_finish(w.a, NULL, &n);
			_exit(0);
		}
		usleep(3000 + round * 7001 % 50000);
		kill(pid, SIGKILL);
		check(waitpid(pid, NULL, 0) == pid);
	}
	open_archive(&w, true, "wav");

	struct archive_finished n;

	check_int(archive_finish(w.a, NULL, &n), 0);
	for (unsigned c = 0; c < CALLS + 12; c++)
		finished += proved(&w, c, NULL);
	check_int(finished, CALLS + 12);
	check_int(ledger_verify(archive_ledger(w.a), NULL, NULL, NULL, &v), 0);
	check_int(v.lines, 1 + CALLS + 12);
	check_int(archive_verify(w.a, NULL, NULL, NULL, &doc), 0);
	check(json_is_true(json_object_get(doc, "ok")));
	json_decref(doc);
	world_free(&w);
}

static void a_file_is_imported_once(void)
{
	static const char csv[] = "file,caller,agent,started_ms,remark\r\n"
				  "a.wav,139,1005,1764000000000,\"said \"\"no\"\", left\"\r\n"
				  "\r\n";
	struct world w = {0};
	json_t *rows, *row, *again;
	size_t line;
	SF_INFO sf = {
		.samplerate = 16000, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
	int16_t pcm[16000];

	world_make(&w, true, "opus");

	const char *path = scratch_path(w.dir, "a.wav");
	SNDFILE *f = sf_open(path, SFM_WRITE, &sf);

	for (int i = 0; i < 16000; i++)
		pcm[i] = (int16_t)(9000 * sin(i * 0.2));
	check(f != NULL && sf_write_short(f, pcm, 16000) == 16000);
	sf_close(f);
	check_int(archive_csv(csv, &rows, &line), 0);
	check_int(json_array_size(rows), 1);
	check_int(archive_import(w.a, &tester, path, json_array_get(rows, 0), &row), 0);
	check_int(archive_import(w.a, &tester, path, NULL, &again), 1);
	check_str(str(again, "recording"), str(row, "recording"));
	check_str(str(again, "caller"), "139");
	check_str(str(again, "remark"), "said \"no\", left");
	check_int(json_integer_value(json_object_get(again, "duration_ms")), 1000);
	check_int(json_integer_value(json_object_get(again, "started_ms")), 1764000000000);
	json_decref(rows);
	json_decref(row);
	json_decref(again);
	scratch_write(scratch_path(w.dir, "b.wav"), "RIFF", 4);
	check_int(archive_import(w.a, &tester, scratch_path(w.dir, "b.wav"), NULL, &row), -EINVAL);
	check_int(archive_import(w.a, &tester, scratch_path(w.dir, "c.wav"), NULL, &row), -ENOENT);
	check_int(archive_csv("name\nx\n", &rows, &line), -EINVAL);
	check_int(archive_csv("file,holds\na,1\nb,many\n", &rows, &line), -EINVAL);
	check_int(line, 3);
	world_free(&w);
}

static long loud_samples(int fd, long *frames, int *rate)
{
	SF_INFO sf = {0};
	SNDFILE *f;
	static int16_t pcm[2 * 200000];
	long loud = 0;

	lseek(fd, 0, SEEK_SET);
	f = sf_open_fd(fd, SFM_READ, &sf, SF_FALSE);
	check(f != NULL && sf.channels == 2);
	*frames = (long)sf_readf_short(f, pcm, 200000);
	*rate = sf.samplerate;
	sf_close(f);
	for (long i = 0; i < *frames; i++)
		loud += abs(pcm[2 * i]) > 1000;
	return loud;
}

static void copies_are_cut_joined_and_masked(void)
{
	for (int opus = 0; opus < 2; opus++) {
		struct world w = {0};
		json_t *row[2];
		uint64_t ms;
		long frames, loud;
		int rate;

		world_make(&w, true, opus ? "opus" : "wav");
		finish(&w, CALLS);
		row[0] = get(&w, 0);
		row[1] = get(&w, 1);

		struct copy_piece piece[2] = {{row[0], {500, 1500}}, {row[1], {1000, 0}}};
		struct copy_span mask = {1000, 1250};
		struct copy how = {
			.piece = piece,
			.pieces = 1,
			.format = RECORDING_FORMAT_WAV,
			.fd = memfd_create("copy", 0),
		};

		check_int(archive_copy(w.a, &how, &ms), 0);
		check_int(ms, 1000);
		loud = loud_samples(how.fd, &frames, &rate);
		check_int(rate, 8000);
		check_int(frames, 8000);
		check(loud > 6000);
		check_int(ftruncate(how.fd, 0), 0);
		lseek(how.fd, 0, SEEK_SET);
		how.pieces = 2;
		how.gap_ms = 500;
		how.mask = &mask;
		how.masks = 1;
		how.anonymous = true;
		check_int(archive_copy(w.a, &how, &ms), 0);
		check(labs((long)ms - (SECONDS * 1000 + 500)) <= (opus ? 60 : 0));
		/* 1 s and 1 s of tone, a quarter masked in each */
		check(labs(loud_samples(how.fd, &frames, &rate) - loud * 3 / 2) < 400);
		close(how.fd);
		json_decref(row[0]);
		json_decref(row[1]);
		world_free(&w);
	}
}

static void spans_are_read(void)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t from, to;
	} rows[] = {
		{"1-2", true, 1000, 2000},
		{"0.5-", true, 500, 0},
		{"1:05-1:10.5", true, 65000, 70500},
		{"2-1", false, 0, 0},
		{"-1-2", false, 0, 0},
		{"a-b", false, 0, 0},
		{"1", false, 0, 0},
		{"1-2x", false, 0, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct copy_span s = {0};

		check(copy_span_parse(rows[i].text, &s) == rows[i].ok);
		check_int(s.from_ms, rows[i].from);
		check_int(s.to_ms, rows[i].to);
	}
}

static void the_audit_shows_a_changed_line(void)
{
	uint64_t lines, wrong;
	char head[DIGEST_TEXT];
	struct world w = {0};

	world_make(&w, false, "wav");
	for (int i = 0; i < 20; i++)
		check_int(archive_audit(w.a, &tester, "listen", NULL, "ok", ""), 0);
	check_int(audit_verify(archive_shelf(w.a), &lines, &wrong, head), 0);
	check(lines == 20 && wrong == 0);
	check_int(archive_anchor_audit(w.a, 1), 0);
	check_int(archive_anchor_audit(w.a, 1), 0); /* nothing new: nothing added */

	sqlite3 *db;

	check_int(sqlite3_open(scratch_path(w.dir, "archive/archive.db"), &db), SQLITE_OK);
	check(sqlite3_exec(db, "UPDATE audit SET actor = 'nobody' WHERE n = 7", NULL, NULL, NULL) ==
	      SQLITE_CONSTRAINT);
	check_int(sqlite3_exec(db,
			       "DROP TRIGGER audit_is_not_changed; UPDATE audit SET actor = "
			       "'nobody' WHERE n = 7",
			       NULL, NULL, NULL),
		  SQLITE_OK);
	sqlite3_close(db);
	check_int(audit_verify(archive_shelf(w.a), &lines, &wrong, head), 0);
	check(lines == 6 && wrong == 7);
	world_free(&w);
}

static const struct check_case cases[] = {
	CHECK_CASE(what_ended_is_finished_once),
	CHECK_CASE(a_changed_file_row_or_ledger_is_not_proved),
	CHECK_CASE(nothing_deletes_what_is_held),
	CHECK_CASE(a_lost_shelf_is_read_again_from_the_files),
	CHECK_CASE(the_engine_may_use_again_what_is_finished_and_not_held),
	CHECK_CASE(finished_again_it_is_never_without_its_key),
	CHECK_CASE(killed_anywhere_nothing_is_lost_or_twice),
	CHECK_CASE(a_file_is_imported_once),
	CHECK_CASE(copies_are_cut_joined_and_masked),
	CHECK_CASE(spans_are_read),
	CHECK_CASE(the_audit_shows_a_changed_line),
};
CHECK_MAIN(cases)
