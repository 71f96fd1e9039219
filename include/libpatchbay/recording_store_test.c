/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding and reading: calls that still run, sound from any place, and the catalogue.
 */
#include <pthread.h>
#include <sndfile.h>

#include "record/record_testing.h"

/* --- while it runs --- */

static void attach(struct recording_store *st, const struct place *p)
{
	check_int(recording_store_attach(st, p->shm), 0);
}

/* Take what is there; every frame must be the next one. */
static uint32_t take(struct recording *r, uint32_t next)
{
	struct recording_frame f;

	while (recording_next(r, &f) > 0) {
		if (f.kind != RECORDING_FRAME_AUDIO)
			continue;
		check_int(f.timestamp / 160, next);
		check(!f.after_gap);
		next++;
	}
	return next;
}

static void a_call_is_read_to_its_newest_frame_while_it_runs(void)
{
	struct place p;
	struct record *rec;
	struct rec_tap *tap;
	struct recording_store *st;
	struct recording *r;
	uint8_t id[16];
	uint64_t now = mono_now_ns();
	uint32_t next = 0;

	place_make(&p);
	check(mkdir(p.volume[0], 0750) == 0); /* before the recorder comes to it */
	test_id(id, 7);

	struct record_config cfg = place_config(&p, 1);

	check_int(record_start(&cfg, &rec), 0);
	check_int(rec_tap_open(record_worker(rec, 0), id, "{\"a\":1}", now, &tap), 0);
	test_frame(tap, 7, 0, 0, now);
	st = place_open(&p);
	check_int(recording_open(st, id, NULL, NULL, &r), -ENOENT); /* in memory only */
	attach(st, &p);
	check_int(recording_open(st, id, NULL, NULL, &r), 0);
	check_str(recording_info(r)->metadata, "{\"a\":1}");
	check(recording_runs(r));
	next = take(r, next);
	check_int(next, 1);
	check_int(recording_refresh(r), 0);
	for (uint32_t i = 1; i < 1000; i++) {
		test_frame(tap, 7, 0, i, now + i * 20 * PB_NS_PER_MS);
		if (i % 37 != 0)
			continue;
		if (i % 5 == 0)
			rec_tap_age(record_worker(rec, 0), now + i * 20 * PB_NS_PER_MS);
		if (i % 7 == 0)
			usleep(30000); /* part of it is on disk */
		check_int(recording_refresh(r), 1);
		check_int(recording_info(r)->account.channel[0].written, i + 1);
		next = take(r, next);
		check_int(next, i + 1);
	}
	rec_tap_close(tap, RECORDING_END_STOPPED, now + 30 * PB_NS_PER_S, NULL);
	check_int(recording_refresh(r), 1);
	next = take(r, next);
	check_int(next, 1000);
	check(recording_info(r)->ended);
	check(!recording_runs(r));
	recording_close(r);
	recording_store_close(st);
	check_int(record_stop(rec), 0);
	place_remove(&p);
}

struct busy {
	struct record *rec;
	struct rec_tap *tap;
	uint32_t frames;
};

static void *write_busily(void *arg)
{
	struct busy *b = arg;

	for (uint32_t i = 0; i < b->frames; i++) {
		while (test_frame(b->tap, 7, 0, i, mono_now_ns()) == REC_TAP_FRAME_LOST)
			usleep(100); /* would be a hole: the test wants none */
		rec_tap_age(record_worker(b->rec, 0), mono_now_ns());
		if (i % 16 == 0)
			usleep(50);
	}
	rec_tap_close(b->tap, RECORDING_END_STOPPED, mono_now_ns(), NULL);
	return NULL;
}

static void a_reader_beside_a_writer_sees_each_frame_once(void)
{
	struct place p;
	struct busy b = {.frames = 6000};
	struct recording_store *st;
	struct recording *r;
	pthread_t thread;
	uint8_t id[16];
	uint32_t next = 0;

	place_make(&p);
	check(mkdir(p.volume[0], 0750) == 0); /* before the recorder comes to it */
	test_id(id, 7);

	struct record_config cfg = place_config(&p, 1);

	cfg.window_ms = 140;
	check_int(record_start(&cfg, &b.rec), 0);
	check_int(rec_tap_open(record_worker(b.rec, 0), id, "{}", mono_now_ns(), &b.tap), 0);
	st = place_open(&p);
	attach(st, &p);
	check_int(recording_open(st, id, NULL, NULL, &r), 0);
	check_int(pthread_create(&thread, NULL, write_busily, &b), 0);
	do {
		next = take(r, next);
		check(recording_refresh(r) >= 0);
	} while (recording_runs(r));
	check_int(pthread_join(thread, NULL), 0);
	check(recording_refresh(r) >= 0);
	next = take(r, next);
	check_int(next, b.frames);
	recording_close(r);
	recording_store_close(st);
	check_int(record_stop(b.rec), 0);
	place_remove(&p);
}

/* --- sound --- */

enum { SECONDS = 40, SOUND = SECONDS * 50 };

/* A recording of two channels with random sound and a hole of a second. */
static void make_sound(struct place *p)
{
	struct record *rec;
	struct rec_tap *tap;
	uint8_t id[16];
	uint64_t now = mono_now_ns();

	place_make(p);
	test_id(id, 7);

	struct record_config cfg = place_config(p, 1);

	check_int(record_start(&cfg, &rec), 0);
	check_int(rec_tap_open(record_worker(rec, 0), id, "{}", now, &tap), 0);
	for (uint32_t i = 0; i < SOUND; i++)
		for (unsigned ch = 0; ch < 2; ch++)
			if (i < 900 || i >= 950 || ch == 0)
				while (test_frame(tap, 7, ch, i, now + i * 20 * PB_NS_PER_MS) ==
				       REC_TAP_FRAME_LOST)
					usleep(1000);
	check_int(record_stop(rec), 0);
}

static void a_stream_is_the_export_from_any_place(void)
{
	struct place p;
	char wav[100];
	SF_INFO info = {0};
	SNDFILE *f;
	uint8_t id[16];
	int16_t *whole, pcm[2 * 1000];
	struct recording *r;
	struct recording_stream *s;
	sf_count_t n;
	unsigned seed = 5;

	make_sound(&p);
	test_id(id, 7);
	snprintf(wav, sizeof(wav), "%s/x.wav", p.root);

	struct recording_store *st = place_open(&p);
	struct recording_export how = {.path = wav, .format = RECORDING_FORMAT_WAV};

	check_int(recording_open(st, id, NULL, NULL, &r), 0);
	check_int(recording_export(r, &how, NULL), 0);
	f = sf_open(wav, SFM_READ, &info);
	check(f != NULL);
	whole = calloc((size_t)info.frames, 2 * sizeof(*whole));
	n = sf_readf_short(f, whole, info.frames);
	check_int(n, info.frames);
	sf_close(f);
	check_int(recording_stream_open(r, 8000, &s), 0);
	for (int round = 0; round < 40; round++) {
		uint64_t place = round == 0 ? 0 : (seed >> 8) % (uint64_t)info.frames;
		size_t done = 0;
		int got;

		seed = seed * 1103515245U + 12345U;
		check_int(recording_stream_seek(s, place), 0);
		while (done < 12000 && (got = recording_stream_read(s, pcm, 1000)) > 0) {
			check_int(memcmp(pcm, whole + 2 * (place + done), 4 * (size_t)got), 0);
			done += (size_t)got;
			check_int(recording_stream_place(s), place + done);
		}
		check(done >= 12000 || place + done == (uint64_t)info.frames);
	}
	check_int(recording_stream_seek(s, 100 * 8000), 0);
	check_int(recording_stream_read(s, pcm, 1000), 0);
	check(recording_stream_length(s) + 320 >= (uint64_t)info.frames);
	recording_stream_close(s);
	recording_close(r);
	recording_store_close(st);
	free(whole);
	unlink(wav);
	place_remove(&p);
}

static void a_stream_of_a_running_call_asks_for_patience(void)
{
	struct place p;
	struct record *rec;
	struct rec_tap *tap;
	struct recording *r;
	struct recording_stream *s;
	int16_t pcm[2 * 4096];
	uint8_t id[16];
	uint64_t now = mono_now_ns(), total = 0;
	int got;

	place_make(&p);
	check(mkdir(p.volume[0], 0750) == 0); /* before the recorder comes to it */
	test_id(id, 7);

	struct record_config cfg = place_config(&p, 1);

	check_int(record_start(&cfg, &rec), 0);
	check_int(rec_tap_open(record_worker(rec, 0), id, "{}", now, &tap), 0);
	for (uint32_t i = 0; i < 1000; i++)
		test_frame(tap, 7, 0, i, now + i * 20 * PB_NS_PER_MS);

	struct recording_store *st = place_open(&p);

	attach(st, &p);
	check_int(recording_open(st, id, NULL, NULL, &r), 0);
	check_int(recording_stream_open(r, 8000, &s), 0);
	while ((got = recording_stream_read(s, pcm, 4096)) > 0)
		total += (uint64_t)got;
	check_int(got, -EAGAIN);
	check(total > 12 * 8000 && total < 20 * 8000);
	rec_tap_close(tap, RECORDING_END_STOPPED, now + 20 * PB_NS_PER_S, NULL);
	while ((got = recording_stream_read(s, pcm, 4096)) > 0)
		total += (uint64_t)got;
	check_int(got, 0);
	check_int(total, 20 * 8000);
	recording_stream_close(s);
	recording_close(r);
	recording_store_close(st);
	check_int(record_stop(rec), 0);
	place_remove(&p);
}

/* --- the catalogue --- */

enum { MANY = 600 };

/* Many short recordings over several segments. */
static void make_many(const struct place *p, unsigned first, unsigned n)
{
	struct record *rec;
	struct rec_tap *tap;
	struct record_config cfg = place_config(p, 1);
	uint64_t now = mono_now_ns();

	check_int(record_start(&cfg, &rec), 0);
	for (unsigned c = first; c < first + n; c++) {
		uint8_t id[16];

		test_id(id, c);
		while (rec_tap_open(record_worker(rec, 0), id, "{}", now, &tap) != 0)
			usleep(1000);
		for (uint32_t i = 0; i < 10; i++)
			while (test_frame(tap, c, 0, i, now + i) == REC_TAP_FRAME_LOST)
				usleep(1000);
		rec_tap_close(tap, RECORDING_END_STOPPED, now + 100, NULL);
	}
	check_int(record_stop(rec), 0);
}

static unsigned readable(const struct place *p, unsigned n, struct damages *d)
{
	struct recording_store *st = place_open(p);
	unsigned found = 0;

	*d = (struct damages){0};
	for (unsigned c = 0; c < n; c++) {
		struct recording *r;
		uint8_t id[16];

		test_id(id, c);
		if (recording_open(st, id, count_damage, d, &r) != 0)
			continue;

		struct seen s = see_recording(r, c);

		found += s.frames[0] == 10;
		seen_free(&s);
		recording_close(r);
	}
	recording_store_close(st);
	return found;
}

static unsigned count_files(const char *dir, const char *begin, char *last, size_t max)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		if (strncmp(e->d_name, begin, strlen(begin)) == 0 &&
		    strstr(e->d_name, ".lock") == NULL) {
			snprintf(last, max, "%s/%.200s", dir, e->d_name);
			n++;
		}
	if (d != NULL)
		closedir(d);
	return n;
}

static void flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	uint8_t b;

	check(fd >= 0 && pread(fd, &b, 1, at) == 1);
	b ^= 0x10;
	check(pwrite(fd, &b, 1, at) == 1);
	close(fd);
}

static void the_catalogue_leads_to_every_recording(void)
{
	struct place p;
	struct damages d;
	char path[400];
	uint8_t id[16];

	place_make(&p);
	make_many(&p, 0, MANY);
	check(count_files(p.volume[0], "seg-", path, sizeof(path)) >= 3);
	/* The recorder makes one of its own when it has been idle long enough. */
	while (count_files(p.volume[0], "catalogue-", path, sizeof(path)) > 0)
		check_int(unlink(path), 0);
	check(recording_catalogue_update(p.volume[0], 0) >= 3);
	check_int(recording_catalogue_update(p.volume[0], 0), 0);
	check_int(count_files(p.volume[0], "catalogue-", path, sizeof(path)), 1);
	check_int(readable(&p, MANY, &d), MANY);
	check_int(d.n, 0);

	struct recording_store *st = place_open(&p);

	check_int(recording_find(st, "0123", id), 0);
	check_int(id[0], 0x01);
	check_int(id[1], 0x23);
	check_int(recording_find(st, "012", id), -EINVAL);
	check_int(recording_find(st, "9999", id), -ENOENT);
	recording_store_close(st);

	/* It is not the indexes that are read: with one damaged nobody notices. */
	struct stat sb;

	check(count_files(p.volume[0], "seg-", path, sizeof(path)) > 0 && stat(path, &sb) == 0);
	flip(path, sb.st_size - 40);
	check_int(readable(&p, MANY, &d), MANY);
	check_int(d.n, 0);
	place_verify(&p, &d);
	check_int(d.of[RECORDING_DAMAGE_INDEX], 1);
	place_remove(&p);
}

static void a_damaged_catalogue_is_named_and_done_without(void)
{
	struct place p;
	struct damages d;
	struct stat sb;
	char path[400];
	unsigned seed = 77;

	place_make(&p);
	make_many(&p, 0, MANY);
	check(recording_catalogue_update(p.volume[0], 0) > 0);
	check_int(count_files(p.volume[0], "catalogue-", path, sizeof(path)), 1);
	check(stat(path, &sb) == 0);
	for (int round = 0; round < 30; round++) {
		off_t at = (off_t)((seed >> 4) % (unsigned)sb.st_size);

		seed = seed * 1103515245U + 12345U;
		if (round < 4)
			at = (off_t)round * 8; /* the head's fields */
		flip(path, at);
		check_int(readable(&p, MANY, &d), MANY);
		place_verify(&p, &d);
		check_int(d.n, d.of[RECORDING_DAMAGE_CATALOGUE]);
		/* the padding of table and fences is under no checksum, and means nothing */
		if (d.n == 0)
			check_int(readable(&p, MANY, &d), MANY);
		flip(path, at);
	}
	check(truncate(path, sb.st_size / 2) == 0);
	check_int(readable(&p, MANY, &d), MANY);
	place_verify(&p, &d);
	check_int(d.of[RECORDING_DAMAGE_CATALOGUE], 1);
	/* and made anew */
	check(recording_catalogue_update(p.volume[0], 0) > 0);
	place_verify(&p, &d);
	check_int(d.n, 0);
	place_remove(&p);
}

/* Segments may be taken in a moment later than they were sealed, never twice. */
static int update_soon(const char *dir)
{
	int added = 0;

	for (unsigned i = 0; i < 400 && added == 0; i++) {
		added = recording_catalogue_update(dir, 0);
		if (added == 0)
			usleep(5000);
	}
	return added;
}

static void runs_are_merged_and_forget_what_is_gone(void)
{
	struct place p;
	struct damages d;
	char path[400], gone[200];

	place_make(&p);
	for (unsigned k = 0; k < 10; k++) {
		make_many(&p, k * 20, 20);
		check_int(update_soon(p.volume[0]), 1);
	}
	check(count_files(p.volume[0], "catalogue-", path, sizeof(path)) < 8);
	check_int(readable(&p, 200, &d), 200);
	check_int(d.n, 0);
	/* the first segment is recycled */
	snprintf(gone, sizeof(gone), "%s/seg-%08x.pbseg", p.volume[0], 0);
	check(unlink(gone) == 0);
	check_int(readable(&p, 200, &d), 180);
	check_int(d.n, 0);
	for (unsigned k = 10; k < 18; k++) {
		make_many(&p, k * 20, 20);
		check_int(update_soon(p.volume[0]), 1);
	}
	check_int(readable(&p, 360, &d), 340);
	place_verify(&p, &d);
	check_int(d.n, 0);
	place_remove(&p);
}

static const struct check_case cases[] = {
	CHECK_CASE(a_call_is_read_to_its_newest_frame_while_it_runs),
	CHECK_CASE(a_reader_beside_a_writer_sees_each_frame_once),
	CHECK_CASE(a_stream_is_the_export_from_any_place),
	CHECK_CASE(a_stream_of_a_running_call_asks_for_patience),
	CHECK_CASE(the_catalogue_leads_to_every_recording),
	CHECK_CASE(a_damaged_catalogue_is_named_and_done_without),
	CHECK_CASE(runs_are_merged_and_forget_what_is_gone),
};
CHECK_MAIN(cases)
