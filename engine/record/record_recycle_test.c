/* SPDX-License-Identifier: Apache-2.0
 *
 * Segments that are used again: only what the archive has finished, whatever its list says; and nothing of
 * what a file held before is ever taken for what it holds now. In virtual time (record_world.h).
 */
#include <errno.h>
#include <sys/stat.h>

#include "record/record_world.h"
#include "record/recycle.h"

enum { OLD = 10, CALLS = 20, OLD_MS = 12000, NEW_MS = 16000 };

/* An earlier run with the calls 0 to OLD - 1. */
static void make_old(struct world *w, uint32_t fresh)
{
	world_make(w, 1, OLD);
	w->cfg.recycle_below = 100;
	w->cfg.fresh = fresh;
	world_begin(w);
	world_run(w, OLD_MS);
	check(world_stats(w).volume_of[0].made >= 4);
	world_end(w, 0);
	world_check(w);
}

static void begin_new(struct world *w)
{
	w->now_ns = w->begin_ns + NEW_MS * PB_NS_PER_MS;
	w->calls = CALLS;
	world_begin_from(w, OLD);
}

static unsigned count_files(const struct world *w, const char *begin)
{
	DIR *d = opendir(w->p.volume[0]);
	unsigned n = 0;

	check(d != NULL);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		n += strncmp(e->d_name, begin, strlen(begin)) == 0;
	closedir(d);
	return n;
}

/* Frames that can be read of recording `n`, each checked to the byte. */
static uint32_t frames_of(const struct world *w, unsigned n)
{
	struct recording_store *st = place_open(&w->p);
	struct recording *r;
	uint32_t frames = 0;
	uint8_t id[16];

	test_id(id, n);
	if (recording_open(st, id, NULL, NULL, &r) == 0) {
		struct seen s = see_recording(r, n);

		frames = s.frames[0] + s.frames[1];
		seen_free(&s);
		recording_close(r);
	}
	recording_store_close(st);
	return frames;
}

static void check_new(const struct world *w)
{
	struct recording_store *st = place_open(&w->p);
	struct world_losses l = {0};

	for (unsigned n = OLD; n < CALLS; n++)
		world_check_call(w, st, n, &l);
	recording_store_close(st);
	check_int(world_lost(w), 0);
}

static void finished_segments_are_used_again_as_they_are_needed(void)
{
	struct world w;
	struct record_stats st;
	unsigned segments;

	make_old(&w, 2);
	segments = place_finish(w.p.volume[0], UINT64_MAX);
	begin_new(&w);
	world_run(&w, NEW_MS + 1500);
	st = world_stats(&w);
	check_int(st.volume_of[0].fresh, 2); /* the floor, and no more than that */
	check(st.volume_of[0].finished > 0 && st.volume_of[0].finished < segments);
	check(st.volume_of[0].recycled > 0);
	world_run(&w, NEW_MS + 30000);
	st = world_stats(&w);
	check_int(st.volume_of[0].finished, 0);
	check_int(st.volume_of[0].recycled + 2, segments + 2);
	check_int(st.volume_of[0].fresh, 2); /* made, now that none is finished */
	world_end(&w, 0);
	for (unsigned n = 0; n < OLD; n++)
		check_int(frames_of(&w, n), 0);
	check_new(&w);
	world_free(&w);
}

static void unlink_free(const struct world *w)
{
	char path[400];
	DIR *d = opendir(w->p.volume[0]);

	check(d != NULL);
	for (const struct dirent *e; (e = readdir(d)) != NULL;) {
		snprintf(path, sizeof(path), "%s/%s", w->p.volume[0], e->d_name);
		if (strncmp(e->d_name, "free-", 5) == 0)
			unlink(path);
	}
	closedir(d);
}

static void the_oldest_go_first(void)
{
	struct world w;
	char path[200];

	make_old(&w, 0);
	place_finish(w.p.volume[0], UINT64_MAX);
	unlink_free(&w); /* what the run has left ready */

	struct recycle r = {0};
	struct recycle_count n;
	uint32_t freed;

	check_int(recycle_look(&r, w.p.volume[0], true, 1, &n, &freed), 0);
	check_int(n.fresh, 1);
	check_int(freed, 1);
	snprintf(path, sizeof(path), "%s/free-00000000.pbseg", w.p.volume[0]);
	check(access(path, F_OK) == 0);
	/* without a wish for fresh ones nothing goes */
	check_int(recycle_look(&r, w.p.volume[0], true, 0, &n, &freed), 0);
	check_int(freed, 0);
	check(n.finished > 0);
	recycle_forget(&r);
	world_free(&w);
}

static void write_list(const struct world *w, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/finished", w->p.volume[0]);
	unlink(path);
	f = fopen(path, "w");
	check(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void a_wrong_list_frees_nothing(void)
{
	static const char *const lists[] = {
		"",
		"00000000\n00000001\n", /* without tags */
		"00000000 0000000000000000\n00000001 ffffffffffffffff\n",
		"0 0\n\n-1 -1\nseg-00000000.pbseg\n00000000  000000000000000\n",
		"ffffffff ffffffffffffffff\n../../../ 0000000000000000\n",
	};
	struct world w;
	struct recycle r = {0};
	struct recycle_count n;
	uint32_t freed;

	make_old(&w, 2);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		write_list(&w, lists[i]);
		check_int(recycle_look(&r, w.p.volume[0], true, 1000, &n, &freed), 0);
		check_int(freed, 0);
	}
	begin_new(&w);
	world_run(&w, NEW_MS + 5000);
	check_int(world_stats(&w).volume_of[0].recycled, 0);
	world_end(&w, 0);
	world_check(&w);
	recycle_forget(&r);
	world_free(&w);
}

/* A list that outlived its segments: a number that comes again is another segment. */
static void a_number_that_comes_again_is_not_finished(void)
{
	struct world w;
	char keep[200], path[200];

	make_old(&w, 0);
	place_finish(w.p.volume[0], UINT64_MAX);
	snprintf(path, sizeof(path), "%s/finished", w.p.volume[0]);
	snprintf(keep, sizeof(keep), "%s/kept", w.p.root);
	check_int(rename(path, keep), 0);
	place_empty(w.p.volume[0]);
	check_int(mkdir(w.p.volume[0], 0700), 0);
	check_int(rename(keep, path), 0);
	begin_new(&w);
	world_run(&w, NEW_MS + 10000);
	world_end(&w, 0);
	snprintf(path, sizeof(path), "%s/seg-00000000.pbseg", w.p.volume[0]);
	check(access(path, F_OK) == 0);
	w.now_ns += PB_NS_PER_S;
	check_int(record_start(&w.cfg, &w.rec), 0);
	w.sending = false;
	world_run(&w, world_ms(&w) + 3000);
	check_int(world_stats(&w).volume_of[0].recycled, 0);
	world_end(&w, 0);
	check_new(&w);
	world_free(&w);
}

static void what_is_being_written_or_unsealed_is_not_freed(void)
{
	struct world w;
	struct recycle r = {0};
	struct recycle_count n;
	uint32_t freed;
	unsigned listed;

	world_make(&w, 1, OLD);
	world_begin(&w);
	world_run(&w, 5000);
	listed = place_finish(w.p.volume[0], UINT64_MAX); /* what no archive would do */
	check_int(recycle_look(&r, w.p.volume[0], true, 1000, &n, &freed), 0);
	check(freed + 2 >= listed && freed < listed); /* all but the one in use and the next */
	world_run(&w, 8000);
	check_int(world_lost(&w), 0);
	world_end(&w, 0);
	check(frames_of(&w, 0) > 0);
	recycle_forget(&r);
	world_free(&w);
}

/* --- killed on the way --- */

/* Whatever the state, nothing of the old recordings is read and nothing is damaged. */
static void looks_clean(struct world *w)
{
	struct damages d;

	place_verify(&w->p, &d);
	check_int(d.n, d.of[RECORDING_DAMAGE_NO_END]); /* of those that run, in memory */
	for (unsigned n = 0; n < OLD; n++)
		check_int(frames_of(w, n), 0);
}

static void at_creation(struct world *w, enum record_op op, unsigned volume, int result)
{
	(void)volume;
	if (op == RECORD_OP_CREATE && result == 0) {
		looks_clean(w);
		*(unsigned *)w->more += 1;
	}
}

/* A file that has just been reused has the old extents and the old index behind its new head. */
static void a_new_head_makes_the_old_bytes_nothing(void)
{
	struct world w;
	char from[200], to[200];
	unsigned looked = 0;

	make_old(&w, 0);
	for (unsigned i = 0; i < 16; i++) {
		snprintf(from, sizeof(from), "%s/seg-%08x.pbseg", w.p.volume[0], i);
		snprintf(to, sizeof(to), "%s/free-%08x.pbseg", w.p.volume[0], i);
		(void)rename(from, to);
	}
	looks_clean(&w); /* killed after the rename */
	w.ended = at_creation;
	w.more = &looked;
	begin_new(&w);
	world_run(&w, NEW_MS + 6000);
	check(looked >= 3);
	world_end(&w, 0);
	check_new(&w);
	world_free(&w);
}

/* Killed between the new name `new-` and `seg-`: what is half made is taken away. */
static void a_half_made_segment_is_nothing(void)
{
	struct world w;
	char from[200], to[200];

	make_old(&w, 0);
	snprintf(from, sizeof(from), "%s/seg-00000000.pbseg", w.p.volume[0]);
	snprintf(to, sizeof(to), "%s/new-00000009-0123456789abcdef.pbseg", w.p.volume[0]);
	check_int(rename(from, to), 0);
	begin_new(&w);
	world_run(&w, NEW_MS + 3000);
	check_int(count_files(&w, "new-"), 0);
	world_end(&w, 0);
	check_new(&w);
	world_free(&w);
}

/* --- readers --- */

static void a_reader_is_told_that_the_segment_is_another_now(void)
{
	struct world w;
	struct recording_store *st;
	struct recording_frame f;
	struct recording *r;
	uint32_t frames = 0, refused = 0;
	struct seen s = {0};
	uint8_t id[16];
	int got;

	make_old(&w, 2);
	place_finish(w.p.volume[0], UINT64_MAX);
	st = place_open(&w.p);
	test_id(id, 3);
	check_int(recording_open(st, id, NULL, NULL, &r), 0);
	s.have[0] = calloc(1, FRAMES_MAX);
	s.have[1] = calloc(1, FRAMES_MAX);
	for (; frames < 120; frames++) {
		check_int(recording_next(r, &f), 1);
		if (f.kind == RECORDING_FRAME_AUDIO)
			see_audio(&s, 3, &f);
	}
	begin_new(&w);
	world_run(&w, NEW_MS + 30000); /* all of it is used again, under the reader */
	while ((got = recording_next(r, &f)) != 0) {
		if (got == 1 && f.kind == RECORDING_FRAME_AUDIO)
			see_audio(&s, 3, &f); /* never another's sound */
		else if (got < 0)
			check_int(got, -ESTALE);
		refused += got < 0;
	}
	check(refused > 0);
	check(s.frames[0] < w.call[3].written[0]);
	seen_free(&s);
	recording_close(r);
	recording_store_close(st);
	world_end(&w, 0);
	world_free(&w);
}

static const struct check_case cases[] = {
	CHECK_CASE(finished_segments_are_used_again_as_they_are_needed),
	CHECK_CASE(the_oldest_go_first),
	CHECK_CASE(a_wrong_list_frees_nothing),
	CHECK_CASE(a_number_that_comes_again_is_not_finished),
	CHECK_CASE(what_is_being_written_or_unsealed_is_not_freed),
	CHECK_CASE(a_new_head_makes_the_old_bytes_nothing),
	CHECK_CASE(a_half_made_segment_is_nothing),
	CHECK_CASE(a_reader_is_told_that_the_segment_is_another_now),
};
CHECK_MAIN(cases)
