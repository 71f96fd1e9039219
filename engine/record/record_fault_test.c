/* SPDX-License-Identifier: Apache-2.0
 *
 * What disks do to the recorder, in virtual time (record_world.h). After each story every frame that a
 * tap took is in the store to the byte, every other one is in the account with its reason and time, and
 * no frame was lost while memory had room.
 */
#include <sys/stat.h>

#include "record/record_world.h"

enum {
	CALLS = 20,
	WRITES = 1 << RECORD_OP_WRITE,
	SYNCS = 1 << RECORD_OP_SYNC,
	CREATES = 1 << RECORD_OP_CREATE,
	SEALS = 1 << RECORD_OP_SEAL,
	ALL = WRITES | SYNCS | CREATES | SEALS,
	FIRST = 1,
	BOTH = 3,
};

static void check_quiet(const struct world *w)
{
	struct record_stats st = world_stats(w);

	if (st.alarm != RECORD_ALARM_NONE)
		printf("     %s\n", st.alarm_text);
	check_int(st.alarm, RECORD_ALARM_NONE);
	check(st.recording);
	check(st.lag_ms <= WORLD_WINDOW_MS);
}

/* --- nothing wrong --- */

static void without_a_fault_all_is_durable_within_the_window(void)
{
	struct world w;
	struct record_stats st;

	world_make(&w, 1, CALLS);
	world_begin(&w);
	world_run(&w, 20000);
	st = world_stats(&w);
	check_quiet(&w);
	check(st.volume_of[0].made > 5); /* over changes of segments, too */
	check(w.late_ms > 0 &&
	      w.late_ms <= WORLD_WINDOW_MS - 100); /* what a busy machine may take */
	check(st.lag_ms <= WORLD_WINDOW_MS);
	check(st.durable_ms_max <= WORLD_WINDOW_MS);
	check_int(st.frames_lost, 0);
	check_int(st.recordings, CALLS);
	check(st.frames_written >= st.frames_durable && st.frames_durable > 0);
	world_end(&w, 0);
	world_check(&w);
	world_free(&w);
}

/* --- stalls --- */

static void stall(uint32_t seconds, uint32_t extents, bool slow, bool loses)
{
	struct world w;
	struct world_losses l;
	uint64_t until = 2000 + seconds * 1000;

	world_make(&w, 1, CALLS);
	w.cfg.extents = extents;
	world_rule(&w, (struct world_rule){ALL, BOTH, 2000, until, WORLD_STALL});
	world_begin(&w);
	world_run(&w, until + 1500);
	check(w.lag_ms > seconds * 1000 && w.lag_ms < seconds * 1000 + WORLD_WINDOW_MS);
	if (!loses)
		check_quiet(&w); /* caught up, and the alarm is over */
	world_run(&w, until + 13000);
	check_quiet(&w);
	check_int(w.alarm[RECORD_ALARM_SLOW], slow);
	check_int(w.alarm[RECORD_ALARM_LOSS], loses);
	check_int(w.alarm[RECORD_ALARM_VOLUME] + w.alarm[RECORD_ALARM_NO_VOLUME], 0);
	check_int(world_lost(&w) != 0, loses);
	check_int(world_stats(&w).frames_lost, world_lost(&w));
	check_int(world_stats(&w).lost[RECORDING_LOSS_NO_EXTENT], world_lost(&w));
	world_end(&w, 0);
	l = world_check(&w);
	if (loses) {
		check_int(l.reasons, 1 << RECORDING_LOSS_NO_EXTENT);
		check(w.first_lost_ns > w.begin_ns + 3000 * PB_NS_PER_MS);
		check(w.last_lost_ns < w.begin_ns + (until + 500) * PB_NS_PER_MS);
	}
	world_free(&w);
}

static void a_stall_of_1_s_is_absorbed(void)
{
	stall(1, 1024, false, false);
}

static void a_stall_of_5_s_is_absorbed(void)
{
	stall(5, 1024, false, false);
}

static void a_stall_of_20_s_is_absorbed_with_an_alarm(void)
{
	stall(20, 1024, true, false);
}

static void a_stall_that_memory_cannot_hold_is_accounted_to_the_frame(void)
{
	stall(5, 100, true, true);
	stall(20, 400, true, true);
}

/* --- errors --- */

static void one_volume_fails(unsigned ops, int what, bool goes_elsewhere)
{
	struct world w;
	struct record_stats st;

	world_make(&w, 2, CALLS);
	world_rule(&w, (struct world_rule){ops, FIRST, 3000, 6000, what});
	world_begin(&w);
	world_run(&w, 5900);
	st = world_stats(&w);
	check_int(w.alarm[RECORD_ALARM_VOLUME], goes_elsewhere);
	check_int(st.volume_of[1].made > 0, goes_elsewhere);
	check(st.recording && st.lag_ms <= WORLD_WINDOW_MS + 500);
	world_run(&w, 24000);
	check_quiet(&w);
	check(world_stats(&w).volume_of[0].in_use); /* and back, by itself */
	check_int(world_lost(&w), 0);
	world_end(&w, 0);
	world_check(&w);
	world_free(&w);
}

static void eio_on_a_write_goes_elsewhere(void)
{
	one_volume_fails(WRITES, -EIO, true);
}

static void eio_on_a_sync_goes_elsewhere(void)
{
	one_volume_fails(SYNCS, -EIO, true);
}

static void a_full_disk_goes_elsewhere(void)
{
	one_volume_fails(CREATES | WRITES, -ENOSPC, true);
}

static void a_torn_write_goes_elsewhere(void)
{
	one_volume_fails(WRITES, RECORD_FAULT_TORN, true);
}

static void a_short_write_is_gone_on_with(void)
{
	one_volume_fails(WRITES, RECORD_FAULT_SHORT, false);
}

static void an_index_that_cannot_be_written_loses_nothing(void)
{
	struct world w;

	world_make(&w, 2, CALLS);
	world_rule(&w, (struct world_rule){SEALS, FIRST, 0, 8000, -EIO});
	world_begin(&w);
	world_run(&w, 15000);
	check(w.alarm[RECORD_ALARM_VOLUME]);
	world_run(&w, 24000);
	check_quiet(&w);
	world_end(&w, 0);
	/* what has no index is sealed by the next start */
	check_int(record_start(&w.cfg, &w.rec), 0);
	world_end(&w, 0);
	world_check(&w);
	check_int(world_lost(&w), 0);
	world_free(&w);
}

/* --- a failed sync: what the kernel has dropped --- */

struct kept {
	char name[64];
	uint8_t *bytes;
	size_t len;
};

static struct kept kept[64];
static unsigned kept_n;

static void keep_file(const char *dir, const char *name)
{
	char path[400];
	struct stat st;
	unsigned i = 0;
	FILE *f;

	while (i < kept_n && strcmp(kept[i].name, name) != 0)
		i++;
	check(i < 64);
	kept_n += i == kept_n;
	snprintf(kept[i].name, sizeof(kept[i].name), "%.63s", name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	check(f != NULL && fstat(fileno(f), &st) == 0);
	kept[i].len = (size_t)st.st_size;
	kept[i].bytes = realloc(kept[i].bytes, kept[i].len + 1);
	check(kept[i].bytes != NULL && fread(kept[i].bytes, 1, kept[i].len, f) == kept[i].len);
	fclose(f);
}

static void each_segment(const char *dir, void fn(const char *dir, const char *name))
{
	DIR *d = opendir(dir);

	check(d != NULL);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		if (strncmp(e->d_name, "seg-", 4) == 0)
			fn(dir, e->d_name);
	closedir(d);
}

/* As it was when the last sync that succeeded was done. */
static void drop_unsynced(const char *dir, const char *name)
{
	char path[400];
	FILE *f;

	for (unsigned i = 0; i < kept_n; i++) {
		if (strcmp(kept[i].name, name) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, name);
		f = fopen(path, "r+b");
		check(f != NULL && fwrite(kept[i].bytes, 1, kept[i].len, f) == kept[i].len);
		check_int(fclose(f), 0);
	}
}

static void sync_or_drop(struct world *w, enum record_op op, unsigned volume, int result)
{
	if (volume != 0 || op == RECORD_OP_WRITE)
		return;
	each_segment(w->p.volume[0],
		     op == RECORD_OP_SYNC && result != 0 ? drop_unsynced : keep_file);
}

static void what_a_failed_sync_has_dropped_is_written_again(void)
{
	struct world w;

	kept_n = 0;
	world_make(&w, 2, CALLS);
	/* a single one fails, the next would say that all is well */
	world_rule(&w, (struct world_rule){SYNCS, FIRST, 3000, 3400, -EIO});
	world_rule(&w, (struct world_rule){SYNCS, FIRST, 6000, 6800, -EIO});
	w.ended = sync_or_drop;
	world_begin(&w);
	world_run(&w, 10000);
	check(w.failed[RECORD_OP_SYNC] >= 2);
	check(world_stats(&w).rewritten > 0);
	world_end(&w, 0);
	world_check(&w);
	check_int(world_lost(&w), 0);
	for (unsigned i = 0; i < kept_n; i++)
		free(kept[i].bytes);
	memset(kept, 0, sizeof(kept));
	world_free(&w);
}

/* --- no volume at all --- */

static void no_volume(enum record_policy policy, uint32_t extents, bool loses)
{
	struct world w;
	struct record_stats st;
	struct world_losses l;
	struct rec_tap *tap;
	uint8_t id[16];

	world_make(&w, 2, CALLS);
	w.calls = CALLS + 1; /* one that is tried without a volume */
	w.cfg.policy = policy;
	w.cfg.extents = extents;
	world_rule(&w, (struct world_rule){ALL, BOTH, 3000, 9000, -EIO});
	w.calls--;
	world_begin(&w);
	world_run(&w, 4500);
	st = world_stats(&w);
	check_int(st.alarm, RECORD_ALARM_NO_VOLUME);
	check(!st.recording);
	check_int(st.volume_of[0].state, RECORD_VOLUME_FAILED);
	check_int(st.volume_of[1].state, RECORD_VOLUME_FAILED);
	test_id(id, CALLS);
	if (policy == RECORD_POLICY_REFUSE) {
		check_int(rec_tap_open(record_worker(w.rec, 0), id, "{}", w.now_ns, &tap), -ENXIO);
	} else {
		w.calls++;
		world_open(&w, CALLS);
	}
	world_run(&w, 5000);
	check_int(world_stats(&w).refused, policy == RECORD_POLICY_REFUSE);
	world_run(&w, 8000);
	if (loses) { /* memory is full: nothing can be begun */
		test_id(id, CALLS + 1);
		check_int(rec_tap_open(record_worker(w.rec, 0), id, "{}", w.now_ns, &tap), -ENXIO);
	}
	world_run(&w, 30000);
	check_quiet(&w);                      /* by itself */
	if (policy == RECORD_POLICY_REFUSE) { /* and taken again */
		w.calls++;
		world_open(&w, CALLS);
		world_run(&w, 32000);
	}
	check_int(world_lost(&w) != 0, loses);
	st = world_stats(&w);
	/* before it is known and after it is over the reason is the memory */
	check_int(st.lost[RECORDING_LOSS_IO] + st.lost[RECORDING_LOSS_NO_EXTENT], world_lost(&w));
	check(st.lost[RECORDING_LOSS_NO_EXTENT] * 5 <= world_lost(&w));
	world_end(&w, 0);
	l = world_check(&w);
	check_int(l.reasons & 1 << RECORDING_LOSS_IO, loses ? 1 << RECORDING_LOSS_IO : 0);
	world_free(&w);
}

static void without_a_volume_new_recordings_are_refused(void)
{
	no_volume(RECORD_POLICY_REFUSE, 1024, false);
}

static void without_a_volume_memory_carries_on(void)
{
	no_volume(RECORD_POLICY_CARRY_ON, 1024, false);
}

static void without_a_volume_and_memory_the_reason_is_told(void)
{
	no_volume(RECORD_POLICY_CARRY_ON, 120, true);
}

/* --- a volume that goes and comes --- */

static void a_volume_that_is_pulled_is_left_and_returned_to(void)
{
	struct world w;
	char away[120];

	world_make(&w, 2, CALLS);
	w.cfg.segment_bytes = 16 << 20; /* it is not left because it is full */
	world_begin(&w);
	world_run(&w, 4000);
	snprintf(away, sizeof(away), "%s/away", w.p.root);
	check_int(rename(w.p.volume[0], away), 0);
	world_run(&w, 6500);
	check_int(world_stats(&w).alarm, RECORD_ALARM_VOLUME);
	check_int(world_stats(&w).volume_of[0].state, RECORD_VOLUME_FAILED);
	check(world_stats(&w).volume_of[1].in_use);
	check_int(rename(away, w.p.volume[0]), 0);
	world_run(&w, 12000);
	check_quiet(&w);
	check(world_stats(&w).volume_of[0].in_use);
	check_int(world_lost(&w), 0);
	world_end(&w, 0);
	/* the segment that was being written then is sealed by the next start */
	check_int(record_start(&w.cfg, &w.rec), 0);
	world_end(&w, 0);
	world_check(&w);
	world_free(&w);
}

/* --- weights --- */

static void segments_are_spread_by_weight(void)
{
	struct world w;
	struct record_stats st;

	world_make(&w, 2, CALLS);
	w.cfg.weight[0] = 1;
	w.cfg.weight[1] = 3;
	world_rule(&w, (struct world_rule){ALL, 2, 20000, 25000, -EIO});
	world_begin(&w);
	world_run(&w, 20000);
	st = world_stats(&w);
	printf("     %u and %u segments\n", (unsigned)st.volume_of[0].made,
	       (unsigned)st.volume_of[1].made);
	check(st.volume_of[0].made >= 2);
	check(st.volume_of[1].made + 3 >= 3 * st.volume_of[0].made);
	check(st.volume_of[1].made <= 3 * st.volume_of[0].made + 3);
	world_run(&w, 24900); /* the heavy one fails: all goes to the other */
	check(world_stats(&w).volume_of[0].in_use);
	world_run(&w, 45000); /* and takes its part again */
	check_quiet(&w);
	check(world_stats(&w).volume_of[1].made >= st.volume_of[1].made + 5);
	check_int(world_lost(&w), 0);
	world_end(&w, 0);
	world_check(&w);
	world_free(&w);
}

static const struct check_case cases[] = {
	CHECK_CASE(without_a_fault_all_is_durable_within_the_window),
	CHECK_CASE(a_stall_of_1_s_is_absorbed),
	CHECK_CASE(a_stall_of_5_s_is_absorbed),
	CHECK_CASE(a_stall_of_20_s_is_absorbed_with_an_alarm),
	CHECK_CASE(a_stall_that_memory_cannot_hold_is_accounted_to_the_frame),
	CHECK_CASE(eio_on_a_write_goes_elsewhere),
	CHECK_CASE(eio_on_a_sync_goes_elsewhere),
	CHECK_CASE(a_full_disk_goes_elsewhere),
	CHECK_CASE(a_torn_write_goes_elsewhere),
	CHECK_CASE(a_short_write_is_gone_on_with),
	CHECK_CASE(an_index_that_cannot_be_written_loses_nothing),
	CHECK_CASE(what_a_failed_sync_has_dropped_is_written_again),
	CHECK_CASE(without_a_volume_new_recordings_are_refused),
	CHECK_CASE(without_a_volume_memory_carries_on),
	CHECK_CASE(without_a_volume_and_memory_the_reason_is_told),
	CHECK_CASE(a_volume_that_is_pulled_is_left_and_returned_to),
	CHECK_CASE(segments_are_spread_by_weight),
};
CHECK_MAIN(cases)
