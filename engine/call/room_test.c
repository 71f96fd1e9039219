/* SPDX-License-Identifier: Apache-2.0 */
#include "call/room.h"

#include <errno.h>
#include <stdlib.h>

#include "check.h"

static struct room r;

static void members_stand_in_a_row_without_gaps(void)
{
	static bool in[2000];
	unsigned n = 0;

	srand(7);
	room_init(&r);
	memset(in, 0, sizeof(in));
	for (unsigned step = 0; step < 200000; step++) {
		if (rand() % 2 != 0) {
			uint32_t leg = (uint32_t)(rand() % 2000);

			if (in[leg])
				continue;

			int place = room_join(&r, leg);

			check(place == (n < ROOM_LEGS_MAX ? (int)n : -ENOSPC));
			if (place >= 0)
				in[leg] = true, n++;
		} else if (n > 0) {
			unsigned place = (unsigned)rand() % n;
			uint32_t leg = r.member[place], last = r.member[n - 1];

			check(room_leave(&r, place) == (place == n - 1 ? ROOM_NOBODY : last));
			in[leg] = false;
			n--;
		}
		check_int(r.n, n);
	}
	for (unsigned i = 0; i < n; i++) {
		check(in[r.member[i]]);
		in[r.member[i]] = false; /* each once */
	}
	check(room_leave(&r, n) == ROOM_NOBODY);
}

static void the_floor_stays_and_passes(void)
{
	struct room_floor f = {.holder = ROOM_NOBODY, .challenger = ROOM_NOBODY};

	check(!room_floor_take(&f, ROOM_NOBODY, 0, 0, 20));
	check(room_floor_take(&f, 3, 1000, 0, 20) && f.holder == 3);
	/* Somebody a little louder does not take it; a pause does not lose it. */
	for (unsigned i = 0; i < 100; i++)
		check(!room_floor_take(&f, 4, 1900, 1000, 20));
	for (unsigned i = 0; i < 40; i++)
		check(!room_floor_take(&f, 4, 1900, 0, 20));
	check(!room_floor_take(&f, 3, 1000, 1000, 20));
	/* Somebody far louder takes it after a while, when it is always the same. */
	for (unsigned i = 0; i < 40; i++)
		check(!room_floor_take(&f, 4 + i % 2, 5000, 1000, 20));
	for (unsigned i = 0; i < 14; i++)
		check(!room_floor_take(&f, 9, 5000, 1000, 20));
	check(room_floor_take(&f, 9, 5000, 1000, 20) && f.holder == 9);
	/* Silence for a second: to the next, or to nobody. */
	for (unsigned i = 0; i < 49; i++)
		check(!room_floor_take(&f, ROOM_NOBODY, 0, 0, 20));
	check(room_floor_take(&f, ROOM_NOBODY, 0, 0, 20) && f.holder == ROOM_NOBODY);
	room_init(&r);
	r.floor.holder = (uint32_t)(room_join(&r, 77) == 0 ? 77 : 0);
	room_leave(&r, 0);
	check(r.floor.holder == ROOM_NOBODY);
}

static void loudness_is_of_speech_only(void)
{
	struct room_member m = {0};

	for (unsigned i = 0; i < 50; i++)
		room_member_take(&m, true, 1 << 20);
	check(m.loudness > (1 << 20) * 9 / 10 && m.loudness <= 1 << 20);
	room_member_take(&m, false, 1 << 20);
	check_int(m.loudness, 0);
	for (unsigned i = 0; i < 500; i++) /* the loudest there is does not overflow */
		room_member_take(&m, true, 1U << 30);
	check(m.loudness <= 1U << 30 && m.loudness > 1U << 29);
}

static const struct check_case cases[] = {
	CHECK_CASE(members_stand_in_a_row_without_gaps),
	CHECK_CASE(the_floor_stays_and_passes),
	CHECK_CASE(loudness_is_of_speech_only),
};
CHECK_MAIN(cases)
