/* SPDX-License-Identifier: Apache-2.0
 *
 * The recorder from tap to store, and what disks do to it.
 */
#include <sched.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "record/record_testing.h"

enum { CALLS = 5 };

/* A disk that fails, or stalls, at the test's will. */
struct disk {
	_Atomic int said[RECORD_VOLUMES_MAX][RECORD_OPS];
	_Atomic unsigned asked[RECORD_VOLUMES_MAX];
};

static int disk_asked(void *ctx, enum record_op op, unsigned volume)
{
	struct disk *d = ctx;

	atomic_fetch_add(&d->asked[volume], 1);
	return atomic_load(&d->said[volume][op]);
}

static void disk_says(struct disk *d, unsigned volume, int said)
{
	for (int op = 0; op < RECORD_OPS; op++)
		atomic_store(&d->said[volume][op], said);
}

static void nap_ms(unsigned ms)
{
	usleep(ms * 1000);
}

/* Wait until the alarm is (or is not) `which`. */
static void await_alarm(struct record *rec, enum record_alarm which, bool is)
{
	struct record_stats st = {0};

	for (int i = 0; i < 400; i++) {
		record_stats(rec, &st);
		if ((st.alarm == which) == is)
			return;
		nap_ms(10);
	}
	printf("alarm is %d: %s\n", (int)st.alarm, st.alarm_text);
	check(!"the alarm came");
}

static void await_written(struct record *rec)
{
	struct record_stats st = {0};
	uint64_t told;

	record_stats(rec, &st);
	told = st.told + 2; /* for numbers that are newer than what was fed */
	for (int i = 0; i < 1000; i++) {
		record_stats(rec, &st);
		if (st.told >= told && st.extents_free == st.extents)
			return;
		nap_ms(10);
	}
	check(!"everything became durable");
}

static void open_calls(struct rec_worker *rw, struct rec_tap **tap, uint64_t now_ns)
{
	for (unsigned c = 0; c < CALLS; c++) {
		uint8_t id[16];

		test_id(id, c);
		check_int(rec_tap_open(rw, id, "{\"call\":\"c\",\"queue\":\"sales\"}", now_ns,
				       &tap[c]),
			  0);
	}
}

static void feed(struct rec_tap **tap, uint32_t from, uint32_t to, uint64_t now_ns)
{
	for (uint32_t i = from; i < to; i++)
		for (unsigned c = 0; c < CALLS; c++)
			for (unsigned ch = 0; ch < 2; ch++)
				test_frame(tap[c], c, ch, i, now_ns + i * 20 * PB_NS_PER_MS);
}

static void close_calls(struct rec_tap **tap, uint64_t now_ns, struct recording_account *account)
{
	for (unsigned c = 0; c < CALLS; c++)
		rec_tap_close(tap[c], RECORDING_END_STOPPED, now_ns, &account[c]);
}

/* All frames 0..n-1 of all calls are in the store, once; everything is in order. */
static void check_store(const struct place *p, uint32_t n)
{
	struct recording_store *st = place_open(p);
	struct damages d;
	struct recording_verdict v = place_verify(p, &d);

	check_int(d.n, 0);
	check_int(v.recordings, CALLS);
	check_int(v.account.channel[0].written, (uint64_t)n * CALLS);
	for (unsigned c = 0; c < CALLS; c++) {
		struct recording *r;
		uint8_t id[16];

		test_id(id, c);
		check_int(recording_open(st, id, NULL, NULL, &r), 0);
		check(recording_info(r)->complete);
		check_str(recording_info(r)->metadata, "{\"call\":\"c\",\"queue\":\"sales\"}");
		check_int(recording_info(r)->account.channel[1].written, n);

		struct seen s = see_recording(r, c);

		check_int(s.frames[0], n);
		check_int(s.frames[1], n);
		check_int(s.ends, 1);
		check_int(s.metadata, 1);
		check_int(s.reason, RECORDING_END_STOPPED);
		seen_free(&s);
		recording_close(r);
	}
	recording_store_close(st);
}

static void run_calls(struct record *rec, uint32_t n)
{
	struct rec_worker *rw = record_worker(rec, 0);
	struct rec_tap *tap[CALLS];
	struct recording_account account[CALLS];
	uint64_t now = mono_now_ns();

	open_calls(rw, tap, now);
	feed(tap, 0, n, now);
	close_calls(tap, now + n * 20 * PB_NS_PER_MS, account);
	for (unsigned c = 0; c < CALLS; c++) {
		check_int(account[c].channel[0].accepted, n);
		check_int(account[c].channel[0].written, n);
		check_int(account[c].channel[1].lost, 0);
	}
}

static void round_trip(bool plain)
{
	struct place p;
	struct record *rec;

	place_make(&p);

	struct record_config cfg = place_config(&p, 1);

	cfg.plain_io = plain;
	check_int(record_start(&cfg, &rec), 0);
	check_int(record_start(&cfg, &(struct record *){NULL}), -EBUSY);
	run_calls(rec, 1000);
	check_int(record_stop(rec), 0);
	check(access(p.shm, F_OK) != 0); /* nothing is left behind */
	check_store(&p, 1000);
	place_remove(&p);
}

static void frames_come_back_to_the_byte(void)
{
	round_trip(false);
}

static void frames_come_back_without_io_uring(void)
{
	round_trip(true);
}

static int count_info(void *ctx, const struct recording_info *info)
{
	check(info->complete && info->ended && info->account_known);
	(*(int *)ctx)++;
	return 0;
}

static void a_list_and_a_prefix_find_recordings(void)
{
	struct place p;
	struct record *rec;
	uint8_t id[16];
	char text[RECORDING_ID_TEXT];
	int n = 0;

	place_make(&p);

	struct record_config cfg = place_config(&p, 1);

	check_int(record_start(&cfg, &rec), 0);
	run_calls(rec, 10);
	check_int(record_stop(rec), 0);

	struct recording_store *st = place_open(&p);

	check_int(recording_store_list(st, count_info, NULL, &n), 0);
	check_int(n, CALLS);
	check_int(recording_find(st, "0003", id), 0);
	recording_id_text(id, text);
	check_str(text, "0003abab-abab-abab-abab-abababababab");
	check_int(recording_find(st, "0003ABAB-ab", id), 0);
	check_int(recording_find(st, "00", id), -EINVAL);
	check_int(recording_find(st, "00 3", id), -EINVAL);
	check_int(recording_find(st, "0099", id), -ENOENT);
	recording_store_close(st);
	place_remove(&p);
}

static void a_store_is_read_while_it_is_written(void)
{
	struct place p;
	struct record *rec;
	struct rec_tap *tap[CALLS];
	struct recording_account account[CALLS];
	struct damages d;
	uint64_t now = mono_now_ns();

	place_make(&p);

	struct record_config cfg = place_config(&p, 1);

	check_int(record_start(&cfg, &rec), 0);
	open_calls(record_worker(rec, 0), tap, now);
	feed(tap, 0, 200, now);
	rec_tap_age(record_worker(rec, 0), now + 10 * PB_NS_PER_S);
	await_written(rec);

	struct recording_verdict v = place_verify(&p, &d);

	check_int(d.n, 0);
	check_int(v.running, CALLS);
	check_int(v.account.channel[0].written, 200 * CALLS);
	feed(tap, 200, 300, now);
	close_calls(tap, now + PB_NS_PER_S, account);
	check_int(record_stop(rec), 0);
	check_store(&p, 300);
	place_remove(&p);
}

static void pauses_and_marks_are_kept(void)
{
	struct place p;
	struct record *rec;
	struct rec_tap *tap;
	struct recording *r;
	struct recording_account a;
	struct damages d;
	uint8_t id[16];
	uint64_t now = mono_now_ns(), s = PB_NS_PER_S;

	place_make(&p);
	test_id(id, 0);

	struct record_config cfg = place_config(&p, 1);

	check_int(record_start(&cfg, &rec), 0);
	check_int(rec_tap_open(record_worker(rec, 0), id, NULL, now, &tap), 0);
	check_int(test_frame(tap, 0, 0, 0, now), REC_TAP_FRAME_WRITTEN);
	check_int(rec_tap_mark(tap, now, "card number begins"), 0);
	rec_tap_pause(tap, now + s);
	rec_tap_pause(tap, now + s);
	check(rec_tap_paused(tap));
	check_int(test_frame(tap, 0, 0, 1, now + 2 * s), REC_TAP_FRAME_PAUSED);
	rec_tap_account(tap, now + 3 * s, &a);
	check_int(a.paused_ms, 2000);
	rec_tap_resume(tap, now + 4 * s);
	check_int(test_frame(tap, 0, 0, 2, now + 4 * s), REC_TAP_FRAME_WRITTEN);
	check_int(rec_tap_event(tap, now + 4 * s, "{\"event\":\"hold\"}"), 0);
	rec_tap_pause(tap, now + 5 * s);
	rec_tap_close(tap, RECORDING_END_CALL_CLOSED, now + 6 * s, &a);
	check_int(a.paused_ms, 4000);
	check_int(a.channel[0].accepted, 2);
	check_int(record_stop(rec), 0);

	struct recording_store *st = place_open(&p);

	check_int(recording_open(st, id, NULL, NULL, &r), 0);
	check_str(recording_info(r)->metadata, "{}");
	check_int(recording_info(r)->account.paused_ms, 4000);

	struct seen seen = see_recording(r, 0);

	check_int(seen.frames[0], 2);
	check_int(seen.marks, 1);
	check_int(seen.pauses, 2);
	check_int(seen.reason, RECORDING_END_CALL_CLOSED);
	seen_free(&seen);
	recording_close(r);
	recording_store_close(st);
	place_verify(&p, &d);
	check_int(d.n, 0);
	place_remove(&p);
}

/* What stands in the masked frames of a recording, and the reasons. */
struct masks {
	uint32_t masked[2], plain[2], begins, ends;
	char why[4][40];
};

static struct masks see_masks(const struct place *p)
{
	struct recording_store *st = place_open(p);
	struct recording_frame f;
	struct recording *r;
	struct masks m = {0};
	uint8_t id[16];

	test_id(id, 0);
	check_int(recording_open(st, id, NULL, NULL, &r), 0);
	while (recording_next(r, &f) > 0) {
		if (f.kind == RECORDING_FRAME_MASK)
			snprintf(m.why[m.begins++ % 4], sizeof(m.why[0]), "%.*s", (int)f.len,
				 (const char *)f.payload);
		m.ends += f.kind == RECORDING_FRAME_UNMASK;
		if (f.kind != RECORDING_FRAME_AUDIO)
			continue;
		check_int(f.len, FRAME_LEN);
		if (f.masked) {
			m.masked[f.channel]++;
			for (int i = 0; i < FRAME_LEN; i++)
				check_int(f.payload[i], 0xff);
		} else {
			m.plain[f.channel]++;
		}
	}
	check_int(recording_info(r)->account.channel[0].masked, m.masked[0]);
	check_int(recording_info(r)->account.channel[1].masked, m.masked[1]);
	recording_close(r);
	recording_store_close(st);
	return m;
}

static void masked_frames_are_silence_and_counted(void)
{
	enum { SAID = REC_MASK_SAID, BOTH = REC_MASK_SAID | REC_MASK_HEARD };
	struct place p;
	struct record *rec;
	struct rec_tap *tap;
	struct recording_account a;
	struct damages d;
	uint8_t id[16];
	uint64_t now = mono_now_ns(), t = 20 * PB_NS_PER_MS;

	place_make(&p);
	test_id(id, 0);

	struct record_config cfg = place_config(&p, 1);

	check_int(record_start(&cfg, &rec), 0);
	check_int(rec_tap_open(record_worker(rec, 0), id, NULL, now, &tap), 0);
	for (uint32_t i = 0; i < 200; i++) {
		if (i == 50)
			rec_tap_mask(tap, REC_MASK_REQUEST, SAID, "card number", now + i * t);
		if (i == 60)
			rec_tap_mask(tap, REC_MASK_SECRET, BOTH, "digits", now + i * t);
		if (i == 80) /* the other one goes on */
			rec_tap_mask(tap, REC_MASK_REQUEST, 0, "over", now + i * t);
		if (i == 100) /* and on for REC_MASK_LINGER_MS, 20 frames */
			rec_tap_mask(tap, REC_MASK_SECRET, 0, "digits", now + i * t);
		for (unsigned ch = 0; ch < 2; ch++)
			check_int(test_frame(tap, 0, ch, i, now + i * t), REC_TAP_FRAME_WRITTEN);
	}
	check_int(rec_tap_masked(tap), 0);
	rec_tap_close(tap, RECORDING_END_STOPPED, now + 200 * t, &a);
	check_int(a.channel[0].written, 200);
	check_int(a.channel[0].masked, 70);
	check_int(a.channel[1].masked, 60);
	check_int(record_stop(rec), 0);

	struct masks m = see_masks(&p);

	check_int(m.masked[0], 70);
	check_int(m.masked[1], 60);
	check_int(m.plain[0], 130);
	check_int(m.begins, 2);
	check_int(m.ends, 2);
	check_str(m.why[0], "card number");
	check_str(m.why[1], "digits");

	struct recording_verdict v = place_verify(&p, &d);

	check_int(d.n, 0);
	check_int(v.account.channel[0].masked, 70);
	place_remove(&p);
}

/* Sequence numbers as the network brings them, and how many of them count as missing. */
static void what_the_network_does_not_bring_is_counted(void)
{
	static const struct {
		const char *story;
		uint16_t seq[8];
		unsigned n;
		uint64_t missing;
	} t[] = {
		{"all there", {1, 2, 3, 4}, 4, 0},
		{"two gone", {1, 4, 5}, 3, 2},
		{"late is not gone", {1, 3, 2, 4}, 4, 0},
		{"over the wrap", {65534, 1, 2}, 3, 2},
		{"twice is not more than all", {1, 1, 2}, 3, 0},
		{"another source", {1, 2, 30000, 30001}, 4, 0},
		{"another source behind", {30000, 1, 2}, 3, 0},
		{"gone, late, gone", {10, 13, 12, 16}, 4, 3},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct place p;
		struct record *rec;
		struct rec_tap *tap;
		struct recording_account a;
		struct damages d;
		uint8_t id[16], payload[FRAME_LEN] = {0};
		uint64_t now = mono_now_ns();

		place_make(&p);
		test_id(id, 0);

		struct record_config cfg = place_config(&p, 1);

		check_int(record_start(&cfg, &rec), 0);
		check_int(rec_tap_open(record_worker(rec, 0), id, NULL, now, &tap), 0);
		for (unsigned k = 0; k < t[i].n; k++) {
			struct rec_frame f = {.now_ns = now + k * 20 * PB_NS_PER_MS,
					      .seq = t[i].seq[k],
					      .codec = RECORDING_CODEC_PCMU,
					      .len = FRAME_LEN,
					      .payload = payload};

			rec_tap_frame(tap, &f);
			if (k == 1) /* over two extents */
				rec_tap_age(record_worker(rec, 0), now + 9 * PB_NS_PER_S);
		}
		rec_tap_close(tap, RECORDING_END_STOPPED, now + PB_NS_PER_S, &a);
		check_int(record_stop(rec), 0);

		struct recording_verdict v = place_verify(&p, &d);

		if (a.channel[0].missing != t[i].missing || d.n != 0)
			printf("     %s\n", t[i].story);
		check_int(a.channel[0].missing, t[i].missing);
		check_int(v.account.channel[0].missing, t[i].missing);
		check_int(d.n, 0);
		place_remove(&p);
	}
}

static void a_refused_recording_leaves_nothing(void)
{
	static char text[RECORDING_METADATA_MAX + 2];
	struct place p;
	struct record *rec;
	struct rec_tap *tap, *other;
	uint8_t id[16];

	place_make(&p);
	test_id(id, 0);
	memset(text, 'x', sizeof(text) - 1);

	struct record_config cfg = place_config(&p, 1);

	cfg.taps = 1;
	check_int(record_start(&cfg, &rec), 0);

	struct rec_worker *rw = record_worker(rec, 0);

	check_int(rec_tap_open(rw, id, text, mono_now_ns(), &tap), -E2BIG);
	check_int(rec_tap_open(rw, id, "{}", mono_now_ns(), &tap), 0);
	check_int(rec_tap_open(rw, id, "{}", mono_now_ns(), &other), -ENFILE);
	check_int(rec_tap_mark(tap, mono_now_ns(), text), -E2BIG);
	check_int(record_stop(rec), 0);

	struct damages d;
	struct recording_verdict v = place_verify(&p, &d);

	check_int(d.n, 0);
	check_int(v.recordings, 1);
	place_remove(&p);
}

static void durable_within_the_window(void)
{
	struct place p;
	struct record *rec;
	struct rec_tap *tap[CALLS];
	struct record_stats st;

	place_make(&p);

	struct record_config cfg = place_config(&p, 1);

	cfg.window_ms = 1000;
	cfg.flush_ms = 250;
	check_int(record_start(&cfg, &rec), 0);
	open_calls(record_worker(rec, 0), tap, mono_now_ns());
	for (uint32_t i = 0; i < 120; i++) {
		for (unsigned c = 0; c < CALLS; c++)
			test_frame(tap[c], c, 0, i, mono_now_ns());
		check(rec_tap_due_ms(record_worker(rec, 0), mono_now_ns()) <= 1000);
		rec_tap_age(record_worker(rec, 0), mono_now_ns());
		nap_ms(20);
	}
	record_stats(rec, &st);
	check(st.extents_written > 0);
	if (st.durable_ms_max > 1000)
		printf("     durable after %u ms\n", st.durable_ms_max);
	check(st.durable_ms_max <= 1500); /* a loaded machine is allowed some delay */
	check_int(record_stop(rec), 0);
	place_remove(&p);
}

static void a_stalled_disk_is_absorbed_then_accounted_for(void)
{
	struct place p;
	struct record *rec;
	struct disk disk = {0};
	struct rec_tap *tap[CALLS];
	struct recording_account a[CALLS];
	struct damages d;
	uint64_t now = mono_now_ns(), lost = 0;

	place_make(&p);

	struct record_config cfg = place_config(&p, 1);

	cfg.extents = 32;
	cfg.fault = disk_asked;
	cfg.fault_ctx = &disk;
	disk_says(&disk, 0, 300);
	check_int(record_start(&cfg, &rec), 0);

	struct rec_worker *rw = record_worker(rec, 0);

	open_calls(rw, tap, now);
	feed(tap, 0, 1000, now); /* much more than 32 extents */
	await_alarm(rec, RECORD_ALARM_LOSS, true);
	disk_says(&disk, 0, 0);
	rec_tap_age(rw, now + 100 * PB_NS_PER_S);
	await_written(rec);
	feed(tap, 1000, 1010, now + 100 * PB_NS_PER_S);
	close_calls(tap, now + 200 * PB_NS_PER_S, a);
	check_int(record_stop(rec), 0);
	for (unsigned c = 0; c < CALLS; c++) {
		check_int(a[c].channel[0].accepted, 1010);
		check_int(a[c].channel[0].accepted, a[c].channel[0].written + a[c].channel[0].lost);
		check_int(a[c].channel[0].loss, RECORDING_LOSS_NO_EXTENT);
		lost += a[c].channel[0].lost + a[c].channel[1].lost;
	}
	check(lost > 0);

	struct recording_verdict v = place_verify(&p, &d);

	check_int(d.n, 0);
	check_int(v.account.channel[0].lost + v.account.channel[1].lost, lost);
	check_int(v.account.channel[0].accepted, 1010 * CALLS);
	place_remove(&p);
}

static void an_end_without_an_extent_comes_later(void)
{
	struct place p;
	struct record *rec;
	struct disk disk = {0};
	struct rec_tap *tap[CALLS];
	struct recording_account a[CALLS];
	struct damages d;
	uint64_t now = mono_now_ns();

	place_make(&p);

	struct record_config cfg = place_config(&p, 1);

	cfg.extents = CALLS;
	cfg.fault = disk_asked;
	cfg.fault_ctx = &disk;
	check_int(record_start(&cfg, &rec), 0);
	disk_says(&disk, 0, 200);
	open_calls(record_worker(rec, 0), tap, now);
	rec_tap_age(record_worker(rec, 0), now + PB_NS_PER_S);
	close_calls(tap, now + PB_NS_PER_S, a);
	check(rec_tap_due_ms(record_worker(rec, 0), now) <= 1);
	check_int(record_stop(rec), 0);

	struct recording_verdict v = place_verify(&p, &d);

	check_int(d.n, 0);
	check_int(v.recordings, CALLS);
	place_remove(&p);
}

/* The first volume fails in one kind of operation while calls run. */
static void fails_over(enum record_op op, int err)
{
	struct place p;
	struct record *rec;
	struct disk disk = {0};
	struct rec_tap *tap[CALLS];
	struct recording_account a[CALLS];
	uint64_t now = mono_now_ns();

	place_make(&p);

	struct record_config cfg = place_config(&p, 2);

	cfg.fault = disk_asked;
	cfg.fault_ctx = &disk;
	check_int(record_start(&cfg, &rec), 0);

	struct rec_worker *rw = record_worker(rec, 0);

	open_calls(rw, tap, now);
	feed(tap, 0, 100, now);
	rec_tap_age(rw, now + 10 * PB_NS_PER_S);
	await_written(rec);
	atomic_store(&disk.said[0][RECORD_OP_CREATE], err);
	atomic_store(&disk.said[0][op], err);
	feed(tap, 100, 700, now); /* more than a segment */
	rec_tap_age(rw, now + 20 * PB_NS_PER_S);
	await_written(rec);
	await_alarm(rec, RECORD_ALARM_VOLUME, true);
	disk_says(&disk, 0, 0);
	feed(tap, 700, 800, now);
	rec_tap_age(rw, now + 30 * PB_NS_PER_S);
	await_alarm(rec, RECORD_ALARM_NONE, true); /* comes back by itself */
	feed(tap, 800, 900, now);
	close_calls(tap, now + 40 * PB_NS_PER_S, a);
	check_int(record_stop(rec), 0);
	check_store(&p, 900);
	place_remove(&p);
}

static void a_failed_write_goes_to_the_next_volume(void)
{
	fails_over(RECORD_OP_WRITE, -EIO);
}

static void a_failed_sync_writes_again_elsewhere(void)
{
	fails_over(RECORD_OP_SYNC, -EIO);
}

static void a_volume_that_takes_no_segment_is_passed_over(void)
{
	fails_over(RECORD_OP_CREATE, -ENOSPC);
}

/* What was written and never synced may be gone with the power: nothing of it may count. */
static void what_a_failed_sync_covered_is_written_again(void)
{
	struct place p;
	struct record *rec;
	struct disk disk = {0};

	place_make(&p);

	struct record_config cfg = place_config(&p, 2);

	cfg.fault = disk_asked;
	cfg.fault_ctx = &disk;
	cfg.segment_bytes = 16 << 20;
	atomic_store(&disk.said[0][RECORD_OP_SYNC], -EIO);
	check_int(record_start(&cfg, &rec), 0);
	run_calls(rec, 500);
	check_int(record_stop(rec), 0);
	place_empty(p.volume[0]);
	check_store(&p, 500);
	place_remove(&p);
}

static void a_frame_that_is_too_large_is_lost_with_its_reason(void)
{
	static uint8_t large[REC_FRAME_MAX + 1];
	struct place p;
	struct record *rec;
	struct rec_tap *tap;
	struct recording_account a;
	struct damages d;
	uint8_t id[16];
	uint64_t now = mono_now_ns();
	struct rec_frame f = {.now_ns = now, .len = sizeof(large), .payload = large};

	place_make(&p);
	test_id(id, 0);

	struct record_config cfg = place_config(&p, 1);

	check_int(record_start(&cfg, &rec), 0);
	check_int(rec_tap_open(record_worker(rec, 0), id, "{}", now, &tap), 0);
	check_int(rec_tap_frame(tap, &f), REC_TAP_FRAME_LOST);
	rec_tap_age(record_worker(rec, 0), now + PB_NS_PER_S); /* told with this extent */
	check_int(test_frame(tap, 0, 0, 0, now + PB_NS_PER_S), REC_TAP_FRAME_WRITTEN);
	check_int(rec_tap_frame(tap, &f), REC_TAP_FRAME_LOST);
	check_int(test_frame(tap, 0, 1, 0, now + PB_NS_PER_S), REC_TAP_FRAME_WRITTEN);
	rec_tap_close(tap, RECORDING_END_STOPPED, now + 2 * PB_NS_PER_S, &a);
	check_int(a.channel[0].accepted, 3);
	check_int(a.channel[0].lost, 2);
	check_int(a.channel[0].loss, RECORDING_LOSS_TOO_LARGE);
	check_int(record_stop(rec), 0);

	struct recording_verdict v = place_verify(&p, &d);

	check_int(d.n, 0);
	check_int(v.account.channel[0].lost, 2);
	check_int(v.account.channel[0].written, 1);
	place_remove(&p);
}

static void memory_waits_for_the_last_volume(void)
{
	struct place p;
	struct record *rec;
	struct disk disk = {0};

	place_make(&p);

	struct record_config cfg = place_config(&p, 1);

	cfg.fault = disk_asked;
	cfg.fault_ctx = &disk;
	disk_says(&disk, 0, -EIO);
	check_int(record_start(&cfg, &rec), 0);
	run_calls(rec, 200);
	await_alarm(rec, RECORD_ALARM_NO_VOLUME, true);
	disk_says(&disk, 0, 0);
	await_alarm(rec, RECORD_ALARM_NONE, true);
	check_int(record_stop(rec), 0);
	check_store(&p, 200);
	place_remove(&p);
}

static void what_no_volume_takes_waits_for_the_next_start(void)
{
	struct place p;
	struct record *rec;
	struct disk disk = {0};

	place_make(&p);

	struct record_config cfg = place_config(&p, 1);

	cfg.fault = disk_asked;
	cfg.fault_ctx = &disk;
	disk_says(&disk, 0, -EIO);
	check_int(record_start(&cfg, &rec), 0);
	run_calls(rec, 200);
	check_int(record_stop(rec), -EIO);
	check(access(p.shm, F_OK) == 0);
	disk_says(&disk, 0, 0);
	cfg.extents = 512; /* another size must not matter */
	check_int(record_start(&cfg, &rec), 0);
	check_int(record_stop(rec), 0);
	check(access(p.shm, F_OK) != 0);
	check_store(&p, 200);
	place_remove(&p);
}

static void a_freed_segment_is_used_again_and_tells_nothing_old(void)
{
	struct place p;
	struct record *rec;
	char from[200], to[200];

	place_make(&p);

	struct record_config cfg = place_config(&p, 1);

	check_int(record_start(&cfg, &rec), 0);
	run_calls(rec, 1000); /* several segments */
	check_int(record_stop(rec), 0);
	for (unsigned i = 0;; i++) {
		snprintf(from, sizeof(from), "%s/seg-%08x.pbseg", p.volume[0], i);
		snprintf(to, sizeof(to), "%s/free-%08x.pbseg", p.volume[0], i);
		if (rename(from, to) != 0)
			break;
	}
	/* looked at while the old bytes still stand behind the new ones */
	uint64_t now = mono_now_ns();
	struct rec_tap *tap[CALLS];
	struct recording_account account[CALLS];
	struct damages d;

	check_int(record_start(&cfg, &rec), 0);
	open_calls(record_worker(rec, 0), tap, now);
	feed(tap, 0, 50, now);
	rec_tap_age(record_worker(rec, 0), now + 10 * PB_NS_PER_S);
	await_written(rec);

	struct recording_verdict v = place_verify(&p, &d);

	check_int(d.n, 0);
	check_int(v.account.channel[0].written, 50 * CALLS);
	close_calls(tap, now + 10 * PB_NS_PER_S, account);
	check_int(record_stop(rec), 0);
	check_store(&p, 50);
	place_remove(&p);
}

/* In a mount namespace of our own: a first volume with room for two segments. */
static int full_disk_child(const struct place *p)
{
	struct record *rec;

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return 77;
	if (mkdir(p->volume[0], 0700) != 0 ||
	    mount("tmpfs", p->volume[0], "tmpfs", 0, "size=2500k") != 0)
		return 77;

	struct record_config cfg = place_config(p, 2);

	if (record_start(&cfg, &rec) != 0)
		return 1;
	run_calls(rec, 1500);
	await_alarm(rec, RECORD_ALARM_VOLUME, true);
	if (record_stop(rec) != 0)
		return 2;
	check_store(p, 1500);
	return 0;
}

static void a_full_disk_is_left_for_the_next(void)
{
	struct place p;
	int status;

	place_make(&p);
	fflush(stdout);

	pid_t pid = fork();

	if (pid == 0)
		_exit(setjmp(check_out) == 0 ? full_disk_child(&p) : 3);
	check(waitpid(pid, &status, 0) == pid);
	check(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		printf("skip: no right to mount\n");
	else
		check_int(WEXITSTATUS(status), 0);
	place_remove(&p);
}

static const struct check_case cases[] = {
	CHECK_CASE(frames_come_back_to_the_byte),
	CHECK_CASE(frames_come_back_without_io_uring),
	CHECK_CASE(a_list_and_a_prefix_find_recordings),
	CHECK_CASE(a_store_is_read_while_it_is_written),
	CHECK_CASE(pauses_and_marks_are_kept),
	CHECK_CASE(masked_frames_are_silence_and_counted),
	CHECK_CASE(what_the_network_does_not_bring_is_counted),
	CHECK_CASE(a_refused_recording_leaves_nothing),
	CHECK_CASE(durable_within_the_window),
	CHECK_CASE(a_stalled_disk_is_absorbed_then_accounted_for),
	CHECK_CASE(an_end_without_an_extent_comes_later),
	CHECK_CASE(a_failed_write_goes_to_the_next_volume),
	CHECK_CASE(a_failed_sync_writes_again_elsewhere),
	CHECK_CASE(a_volume_that_takes_no_segment_is_passed_over),
	CHECK_CASE(what_a_failed_sync_covered_is_written_again),
	CHECK_CASE(a_frame_that_is_too_large_is_lost_with_its_reason),
	CHECK_CASE(memory_waits_for_the_last_volume),
	CHECK_CASE(what_no_volume_takes_waits_for_the_next_start),
	CHECK_CASE(a_freed_segment_is_used_again_and_tells_nothing_old),
	CHECK_CASE(a_full_disk_is_left_for_the_next),
};
CHECK_MAIN(cases)
