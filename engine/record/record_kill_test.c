/* SPDX-License-Identifier: Apache-2.0
 *
 * The promise: a frame for which rec_tap_frame() has returned is never lost, whatever kills the
 * engine. A child records as fast as it can and, after each frame, raises a counter that the parent
 * can see; the parent kills it at a random moment, starts a recorder as the next engine would, and
 * looks for every counted frame.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "record/record_testing.h"
#include "record/shared.h"

enum { CALLS_MAX = 4096, CALLS_SHORT = 12, ROUNDS_SHORT = 30, WORKERS = 2, FRAMES_AT_MOST = 20000 };

/* The long version: KILL_ROUNDS=100 KILL_CALLS=1000. */
static unsigned calls = CALLS_SHORT;

struct told {
	_Atomic uint32_t frames[CALLS_MAX][2];
	_Atomic uint64_t lost[CALLS_MAX][2];
	_Atomic uint32_t closed[CALLS_MAX];
	_Atomic bool started;
};

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245U + 12345U;
	return *seed >> 16 & 0x7fff;
}

static unsigned number_from(const char *variable, unsigned otherwise, unsigned max)
{
	const char *text = getenv(variable);
	unsigned long n = text != NULL ? strtoul(text, NULL, 10) : otherwise;

	check(n > 0 && n <= max);
	return (unsigned)n;
}

static struct record_config config_of(const struct place *p)
{
	struct record_config c = place_config(p, 1);

	c.workers = WORKERS;
	c.extents = calls < 64 ? 128 : calls * 3;
	c.taps = calls < 64 ? 64 : calls;
	c.segment_bytes = calls < 64 ? 1 << 20 : 16 << 20;
	c.window_ms = 140;     /* hand-over age 20 ms: extents move while it dies */
	c.recycle_below = 100; /* and segments, too */
	c.fresh = 1;
	return c;
}

enum { OLD_FIRST = 0x7000, OLD_CALLS = 400, OLD_FRAMES = 40 };

/* Finished segments for the run that dies to use again. Each of their recordings is one extent: it is there
 * wholly, or gone. */
static void leave_finished(const struct place *p)
{
	struct record_config cfg = config_of(p);
	struct record *rec;

	cfg.recycle_below = 0;
	cfg.segment_bytes = 1 << 20;
	check_int(record_start(&cfg, &rec), 0);
	for (unsigned c = 0; c < OLD_CALLS; c++) {
		struct rec_tap *tap;
		uint8_t id[16];

		test_id(id, OLD_FIRST + c);
		while (rec_tap_open(record_worker(rec, 0), id, "{}", mono_now_ns(), &tap) != 0)
			usleep(1000);
		for (uint32_t i = 0; i < OLD_FRAMES; i++)
			check_int(test_frame(tap, OLD_FIRST + c, 0, i, mono_now_ns()),
				  REC_TAP_FRAME_WRITTEN);
		rec_tap_close(tap, RECORDING_END_STOPPED, mono_now_ns(), NULL);
	}
	check_int(record_stop(rec), 0);
	check(place_finish(p->volume[0], UINT64_MAX) >= 3);
}

/* Records until it is killed; some calls end on the way, to die in the middle of that as well. */
static _Noreturn void record_until_killed(const struct place *p, struct told *told)
{
	struct record_config cfg = config_of(p);
	static struct rec_tap *tap[CALLS_MAX];
	struct record *rec;

	if (record_start(&cfg, &rec) != 0)
		_exit(1);
	for (unsigned c = 0; c < calls; c++) {
		uint8_t id[16];

		test_id(id, c);
		if (rec_tap_open(record_worker(rec, c % WORKERS), id, "{}", mono_now_ns(), &tap[c]))
			_exit(2);
	}
	atomic_store(&told->started, true);
	for (uint32_t i = 0; i < FRAMES_AT_MOST; i++) {
		for (unsigned c = 0; c < calls; c++) {
			if (tap[c] == NULL)
				continue;
			for (unsigned ch = 0; ch < 2; ch++) {
				if (test_frame(tap[c], c, ch, i, mono_now_ns()) !=
				    REC_TAP_FRAME_WRITTEN)
					atomic_fetch_add(&told->lost[c][ch], 1);
				atomic_store(&told->frames[c][ch], i + 1);
			}
			if (i == 200 + 900 * c) {
				rec_tap_close(tap[c], RECORDING_END_STOPPED, mono_now_ns(), NULL);
				tap[c] = NULL;
				atomic_store(&told->closed[c], 1);
			}
		}
		for (uint16_t w = 0; w < WORKERS; w++)
			rec_tap_age(record_worker(rec, w), mono_now_ns());
		if (i % 4 == 0)
			usleep(200);
	}
	for (;;)
		pause();
}

/* Frames that were accepted in all rounds, and that no recording has. */
static uint64_t accepted, missing;

static void check_call(struct recording_store *st, const struct told *told, unsigned c)
{
	struct recording *r;
	uint8_t id[16];

	test_id(id, c);
	check_int(recording_open(st, id, NULL, NULL, &r), 0);
	check(recording_info(r)->complete);

	struct seen s = see_recording(r, c);

	check_int(s.ends, 1);
	check_int(s.metadata, 1);
	check_int(s.gaps, 0);
	if (atomic_load(&told->closed[c]) != 0)
		check_int(s.reason, RECORDING_END_STOPPED);
	for (unsigned ch = 0; ch < 2; ch++) {
		uint32_t frames = atomic_load(&told->frames[c][ch]);
		uint64_t lost = atomic_load(&told->lost[c][ch]);

		/* it may have died between doing and telling: one frame more, or one loss more */
		check(s.frames[ch] + s.lost[ch] == frames ||
		      s.frames[ch] + s.lost[ch] == frames + 1);
		check(s.lost[ch] == lost || s.lost[ch] == lost + 1);
		accepted += frames - lost;
		missing += s.frames[ch] < frames - lost ? frames - lost - s.frames[ch] : 0;
		if (lost == 0 && s.lost[ch] == 0)
			for (uint32_t i = 0; i < frames; i++)
				check(s.have[ch][i]);
		check_int(recording_info(r)->account.channel[ch].written, s.frames[ch]);
		check_int(recording_info(r)->account.channel[ch].lost, s.lost[ch]);
	}
	seen_free(&s);
	recording_close(r);
}

/* How many of the finished recordings are there still; each is whole. */
static unsigned check_old(struct recording_store *st)
{
	unsigned n = 0;

	for (unsigned c = OLD_FIRST; c < OLD_FIRST + OLD_CALLS; c++) {
		struct recording *r;
		uint8_t id[16];

		test_id(id, c);
		if (recording_open(st, id, NULL, NULL, &r) != 0)
			continue;

		struct seen s = see_recording(r, c);

		check(recording_info(r)->complete);
		check_int(s.frames[0], OLD_FRAMES);
		seen_free(&s);
		recording_close(r);
		n++;
	}
	return n;
}

static void kill_after(pid_t pid, const struct told *told, unsigned us)
{
	int status;

	while (!atomic_load(&told->started))
		usleep(100);
	usleep(us);
	check(kill(pid, SIGKILL) == 0);
	check(waitpid(pid, &status, 0) == pid);
	check(WIFSIGNALED(status));
}

/* The next engine, which is killed as well while it recovers; and then one that lives. */
static void recover(const struct place *p, bool die_on_the_way, unsigned us)
{
	struct record_config cfg = config_of(p);
	struct record *rec;

	if (die_on_the_way) {
		pid_t pid = fork();

		if (pid == 0) {
			if (record_start(&cfg, &rec) == 0)
				usleep(us);
			raise(SIGKILL);
		}
		check(waitpid(pid, NULL, 0) == pid);
	}
	check_int(record_start(&cfg, &rec), 0);
	check_int(record_stop(rec), 0);
	check(access(p->shm, F_OK) != 0);
}

static void one_round(unsigned *seed)
{
	struct place p;
	struct damages d;
	struct told *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	check(told != MAP_FAILED);
	place_make(&p);
	leave_finished(&p);
	fflush(stdout);

	pid_t pid = fork();

	if (pid == 0)
		record_until_killed(&p, told);
	kill_after(pid, told, next_random(seed) * 9 % 250000);
	recover(&p, next_random(seed) % 2 == 0, next_random(seed) % 8000);

	struct recording_verdict v = place_verify(&p, &d);

	check_int(d.n, 0);
	check(v.recordings >= calls && v.recordings <= calls + OLD_CALLS);

	struct recording_store *st = place_open(&p);

	for (unsigned c = 0; c < calls; c++)
		check_call(st, told, c);
	check_int(check_old(st) + calls, v.recordings);
	recording_store_close(st);
	munmap(told, sizeof(*told));
	place_remove(&p);
}

static void nothing_accepted_is_lost_when_the_engine_is_killed(void)
{
	const char *given = getenv("SEED");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 0) : (unsigned)time(NULL);

	printf("     seed %u\n", seed);
	unsigned rounds = number_from("KILL_ROUNDS", ROUNDS_SHORT, 100000);

	calls = number_from("KILL_CALLS", CALLS_SHORT, CALLS_MAX);
	for (unsigned i = 0; i < rounds; i++)
		one_round(&seed);
	printf("     %u kills: %" PRIu64 " frames accepted, %" PRIu64 " lost\n", rounds, accepted,
	       missing);
	calls = CALLS_SHORT;
}

/* What a disk that takes nothing leaves in memory, for the test to set back to an earlier
 * moment. */
static int refuse(void *ctx, enum record_op op, unsigned volume)
{
	(void)ctx;
	(void)op;
	(void)volume;
	return -EIO;
}

static void leave_in_memory(const struct place *p, struct record_config *cfg)
{
	struct record *rec;
	struct rec_tap *tap;
	uint8_t id[16];
	uint64_t now = mono_now_ns();

	test_id(id, 0);
	*cfg = place_config(p, 1);
	cfg->fault = refuse;
	check_int(record_start(cfg, &rec), 0);
	check_int(rec_tap_open(record_worker(rec, 0), id, "{}", now, &tap), 0);
	for (uint32_t i = 0; i < 10; i++)
		test_frame(tap, 0, 0, i, now + i * 20 * PB_NS_PER_MS);
	rec_tap_close(tap, RECORDING_END_STOPPED, now + 200 * PB_NS_PER_MS, NULL);
	check_int(record_stop(rec), -EIO);
	cfg->fault = NULL;
}

/* The next engine finds the one recording whole, with `frames` frames and one end. */
static void check_left(const struct place *p, const struct record_config *cfg, uint32_t frames,
		       enum recording_end reason)
{
	struct record *rec;
	struct recording *r;
	struct damages d;
	uint8_t id[16];

	test_id(id, 0);
	check_int(record_start(cfg, &rec), 0);
	check_int(record_stop(rec), 0);
	place_verify(p, &d);
	check_int(d.n, 0);

	struct recording_store *st = place_open(p);

	check_int(recording_open(st, id, NULL, NULL, &r), 0);

	struct seen s = see_recording(r, 0);

	check_int(s.frames[0], frames);
	check_int(s.ends, 1);
	check_int(s.reason, reason);
	seen_free(&s);
	recording_close(r);
	recording_store_close(st);
}

static struct recording_extent_head *first_closed(const struct shared *s, uint32_t *index)
{
	for (uint32_t i = 0; i < s->head->extents; i++) {
		struct recording_extent_head *h = shared_extent(s->extent_base, i);

		if (atomic_load(&shared_live(h)->state) == SHARED_CLOSED) {
			*index = i;
			return h;
		}
	}
	check(!"an extent was left");
	abort();
}

/* Killed after the last extent was closed and before its tap was freed. */
static void an_ended_recording_is_not_ended_again(void)
{
	struct place p;
	struct record_config cfg;
	struct shared s;
	uint32_t index;
	bool used;

	place_make(&p);
	leave_in_memory(&p, &cfg);
	check_int(shared_open(&s, "/dev/shm", p.name, 1, 1, &used), 0);
	check(used);

	struct recording_extent_head *h = first_closed(&s, &index);

	atomic_store(&s.tap[shared_live(h)->tap].state, TAP_OPEN);
	shared_close(&s, false);
	check_left(&p, &cfg, 10, RECORDING_END_STOPPED);
	place_remove(&p);
}

/* Killed after the END was published and before its extent was closed. */
static void an_end_in_an_open_extent_is_enough(void)
{
	struct place p;
	struct record_config cfg;
	struct shared s;
	uint32_t index;
	bool used;

	place_make(&p);
	leave_in_memory(&p, &cfg);
	check_int(shared_open(&s, "/dev/shm", p.name, 1, 1, &used), 0);

	struct recording_extent_head *h = first_closed(&s, &index);
	struct rec_tap *tap = &s.tap[shared_live(h)->tap];

	atomic_store(&shared_live(h)->state, SHARED_OPEN);
	atomic_store(&tap->state, TAP_CLOSING);
	atomic_store(&tap->open, tap_word(index, h->used));
	h->flags &= ~(uint32_t)RECORDING_EXTENT_LAST;
	shared_close(&s, false);
	check_left(&p, &cfg, 10, RECORDING_END_STOPPED);
	place_remove(&p);
}

/* Killed with three frames published, the third not yet counted, and three losses not yet told. */
static void frames_and_losses_in_an_open_extent_are_counted(void)
{
	struct place p;
	struct record_config cfg;
	struct shared s;
	struct recording_info info;
	struct recording *r;
	uint32_t index, used_bytes;
	uint8_t id[16];
	bool used;

	place_make(&p);
	leave_in_memory(&p, &cfg);
	check_int(shared_open(&s, "/dev/shm", p.name, 1, 1, &used), 0);

	struct recording_extent_head *h = first_closed(&s, &index);
	struct rec_tap *tap = &s.tap[shared_live(h)->tap];

	/* head, METADATA of 2 bytes, three frames */
	used_bytes = sizeof(*h) + 24 + 3 * (16 + FRAME_LEN);
	atomic_store(&shared_live(h)->state, SHARED_OPEN);
	atomic_store(&tap->state, TAP_OPEN);
	atomic_store(&tap->open, tap_word(index, used_bytes));
	h->flags &= ~(uint32_t)RECORDING_EXTENT_LAST;
	h->channel[0].lost = 0;
	tap->written[0] = 2; /* the count is behind the frame */
	tap->lost[0] = 3;
	tap->explained[0] = 0;
	tap->loss[0] = RECORDING_LOSS_TOO_LARGE;
	shared_close(&s, false);
	check_left(&p, &cfg, 3, RECORDING_END_ENGINE_DIED);

	struct recording_store *st = place_open(&p);

	test_id(id, 0);
	check_int(recording_open(st, id, NULL, NULL, &r), 0);
	info = *recording_info(r);
	check_int(info.account.channel[0].written, 3);
	check_int(info.account.channel[0].lost, 3);
	check_int(info.account.channel[0].loss, RECORDING_LOSS_TOO_LARGE);
	recording_close(r);
	recording_store_close(st);
	place_remove(&p);
}

/* Rubbish in the shared memory is dropped, and what is good beside it is not. */
static void rubbish_in_memory_is_survived(void)
{
	struct place p;
	struct record_config cfg;
	struct shared s;
	uint32_t index;
	bool used;

	place_make(&p);
	leave_in_memory(&p, &cfg);
	check_int(shared_open(&s, "/dev/shm", p.name, 1, 1, &used), 0);
	first_closed(&s, &index);

	unsigned seed = 99;

	for (uint32_t t = 0; t < s.head->taps; t++) {
		uint8_t *bytes = (uint8_t *)&s.tap[t];

		if (t == shared_live(shared_extent(s.extent_base, index))->tap)
			continue;
		for (size_t i = 0; i < sizeof(s.tap[t]); i++)
			bytes[i] = (uint8_t)next_random(&seed);
	}
	for (uint32_t e = 0; e < s.head->extents; e++) {
		uint8_t *bytes = (uint8_t *)shared_extent(s.extent_base, e);

		if (e == index)
			continue;
		for (size_t i = 0; i < 1024; i++)
			bytes[i] = (uint8_t)next_random(&seed);
		atomic_store(&shared_live(shared_extent(s.extent_base, e))->state,
			     e % 2 == 0 ? SHARED_OPEN : SHARED_CLOSED);
	}
	for (uint32_t t = 0; t < s.head->taps; t++)
		atomic_store(&s.tap[t].state, TAP_FREE);
	shared_close(&s, false);
	check_left(&p, &cfg, 10, RECORDING_END_STOPPED);
	place_remove(&p);
}

/* The same recording begun again by the next engine is its second part. */
static void a_recording_goes_on_after_a_restart(void)
{
	struct place p;
	struct damages d;
	struct record *rec;
	struct rec_tap *tap;
	struct recording *r;
	uint8_t id[16];

	place_make(&p);
	test_id(id, 0);

	struct record_config cfg = place_config(&p, 1);

	for (uint32_t part = 0; part < 2; part++) {
		uint64_t now = mono_now_ns();

		check_int(record_start(&cfg, &rec), 0);
		check_int(rec_tap_open(record_worker(rec, 0), id, "{}", now, &tap), 0);
		for (uint32_t i = 0; i < 300; i++)
			test_frame(tap, 0, 0, part * 300 + i, now + i * 20 * PB_NS_PER_MS);
		check_int(record_stop(rec), 0);
	}

	struct recording_store *st = place_open(&p);

	check_int(recording_open(st, id, NULL, NULL, &r), 0);
	check_int(recording_info(r)->parts, 2);
	check(recording_info(r)->complete);
	check_int(recording_info(r)->end, RECORDING_END_ENGINE_STOPPED);
	check_int(recording_info(r)->account.channel[0].written, 600);

	struct seen s = see_recording(r, 0);

	check_int(s.frames[0], 600);
	check_int(s.ends, 2);
	seen_free(&s);
	recording_close(r);
	recording_store_close(st);
	place_verify(&p, &d);
	check_int(d.n, 0);
	place_remove(&p);
}

static void an_extent_file_of_another_layout_is_set_aside(void)
{
	struct place p;
	struct record *rec;
	char aside[100];

	place_make(&p);

	int fd = open(p.shm, O_RDWR | O_CREAT, 0600);

	check(fd >= 0 && write(fd, "something else", 14) == 14);
	close(fd);

	struct record_config cfg = place_config(&p, 1);

	check_int(record_start(&cfg, &rec), 0);
	check_int(record_stop(rec), 0);
	snprintf(aside, sizeof(aside), "%s.unknown", p.shm);
	check(access(aside, F_OK) == 0);
	unlink(aside);
	place_remove(&p);
}

static const struct check_case cases[] = {
	CHECK_CASE(nothing_accepted_is_lost_when_the_engine_is_killed),
	CHECK_CASE(an_ended_recording_is_not_ended_again),
	CHECK_CASE(an_end_in_an_open_extent_is_enough),
	CHECK_CASE(frames_and_losses_in_an_open_extent_are_counted),
	CHECK_CASE(rubbish_in_memory_is_survived),
	CHECK_CASE(a_recording_goes_on_after_a_restart),
	CHECK_CASE(an_extent_file_of_another_layout_is_set_aside),
};
CHECK_MAIN(cases)
