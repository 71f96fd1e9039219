/* SPDX-License-Identifier: Apache-2.0
 *
 * The aligner, as stories of frames that arrive: 20 ms each, 8 kHz; times in milliseconds.
 */
#include <stdlib.h>

#include "base/units.h"
#include "check.h"
#include "libpatchbay/recording_align.h"

struct row {
	uint32_t arrival_ms;
	uint32_t timestamp;
	int64_t at_ms; /* where it must stand; in the order of the rows' places, not of arrival */
};

enum { DUP = -1, GONE = -2 };

static void play(const struct row *row, size_t n)
{
	struct align *a = calloc(1, sizeof(*a));
	struct align_frame f;
	struct align_place p;
	int64_t last = -1;

	check(a != NULL);
	align_init(a, 8000);
	for (size_t i = 0; i < n; i++) {
		f = (struct align_frame){
			.arrival_ns = row[i].arrival_ms * PB_NS_PER_MS,
			.timestamp = row[i].timestamp,
			.clock_hz = 8000,
			.ticks = 160,
			.handle = (void *)(uintptr_t)&row[i],
		};
		check_int(align_put(a, &f), row[i].at_ms != DUP);
	}
	while (align_get(a, UINT64_MAX, &f, &p)) {
		const struct row *r = f.handle;

		if (r->at_ms == GONE) {
			check_int(p.length, 0);
			continue;
		}
		check_int(p.at / 8, r->at_ms);
		check_int(p.length, 160);
		check(p.at > last);
		last = p.at;
	}
	free(a);
}

#define PLAY(rows) play(rows, sizeof(rows) / sizeof((rows)[0]))

static const struct row steady[] = {
	{1000, 0, 1000}, {1020, 160, 1020}, {1040, 320, 1040}, {1060, 480, 1060}};

static void frames_stand_where_they_arrived(void)
{
	PLAY(steady);
}

static const struct row jitter[] = {
	{1035, 0, 1000},   /* late from the start: those after it show by how much */
	{1036, 160, 1020}, /* caught up */
	{1040, 320, 1040},
	{1075, 480, 1060},
	{1090, 640, 1080}};

static void jitter_does_not_move_them(void)
{
	PLAY(jitter);
}

static const struct row order[] = {
	{1000, 0, 1000}, {1041, 320, 1040}, {1042, 160, 1020}, {1043, 320, DUP}, {1060, 480, 1060}};

static void order_is_that_of_timestamps(void)
{
	PLAY(order);
}

static const struct row wrap[] = {
	{1000, 0xffffff60U, 1000}, {1020, 0, 1020}, {1040, 160, 1040}, {1065, 320, 1060}};

static void timestamps_wrap(void)
{
	PLAY(wrap);
}

static const struct row gap[] = {{1000, 0, 1000},
				 {1020, 160, 1020},
				 {3020, 16160, 3020}, /* 2 s of silence, by both clocks */
				 {3040, 16320, 3040}};

static void silence_keeps_its_length(void)
{
	PLAY(gap);
}

static const struct row still[] = {{1000, 0, 1000},
				   {1020, 160, 1020},
				   {3020, 320, 3020}, /* its clock stood still for 2 s */
				   {3040, 480, 3040}};

static void a_clock_that_stood_still_is_followed(void)
{
	PLAY(still);
}

static const struct row another[] = {{1000, 0, 1000},
				     {1020, 160, 1020},
				     {1060, 5000000, 1060}, /* a new source ... */
				     {1062, 320, 1040},     /* ... and the last of the old one */
				     {1080, 5000160, 1080}};

static void a_straggler_of_the_old_source_finds_its_place(void)
{
	PLAY(another);
}

static const struct row backwards[] = {
	{1000, 800000, 1000},
	{1020, 800160, 1020},
	{1040, 160, 1040}, /* a new source begins at a lower timestamp */
	{1060, 320, 1060}};

static void a_source_may_begin_anywhere(void)
{
	PLAY(backwards);
}

static void what_comes_after_its_time_is_cut_off(void)
{
	struct align *a = calloc(1, sizeof(*a));
	struct align_frame f = {.arrival_ns = 1000 * PB_NS_PER_MS, .clock_hz = 8000, .ticks = 160};
	struct align_place p;

	check(a != NULL);
	align_init(a, 8000);
	check(align_put(a, &f));
	check(!align_get(a, 4999 * PB_NS_PER_MS, &f, &p)); /* its surroundings are not known */
	align_pass(a, 8000 + 100);
	check(align_get(a, 5000 * PB_NS_PER_MS, &f, &p));
	check_int(p.at, 8100);
	check_int(p.skip, 100);
	check_int(p.length, 60);
	free(a);
}

static const struct check_case cases[] = {
	CHECK_CASE(frames_stand_where_they_arrived),
	CHECK_CASE(jitter_does_not_move_them),
	CHECK_CASE(order_is_that_of_timestamps),
	CHECK_CASE(timestamps_wrap),
	CHECK_CASE(silence_keeps_its_length),
	CHECK_CASE(a_clock_that_stood_still_is_followed),
	CHECK_CASE(a_straggler_of_the_old_source_finds_its_place),
	CHECK_CASE(a_source_may_begin_anywhere),
	CHECK_CASE(what_comes_after_its_time_is_cut_off),
};
CHECK_MAIN(cases)
