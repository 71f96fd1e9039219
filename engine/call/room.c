/* SPDX-License-Identifier: Apache-2.0 */
#include "call/room.h"

#include <errno.h>

void room_init(struct room *r)
{
	r->n = 0;
	r->floor = (struct room_floor){.holder = ROOM_NOBODY, .challenger = ROOM_NOBODY};
}

int room_join(struct room *r, uint32_t leg)
{
	if (r->n == ROOM_LEGS_MAX)
		return -ENOSPC;
	r->member[r->n] = leg;
	return r->n++;
}

uint32_t room_leave(struct room *r, unsigned place)
{
	uint32_t leg, last;

	if (place >= r->n)
		return ROOM_NOBODY;
	leg = r->member[place];
	last = r->member[--r->n];
	r->member[place] = last;
	if (r->floor.holder == leg)
		r->floor.holder = ROOM_NOBODY;
	if (r->floor.challenger == leg)
		r->floor.challenger = ROOM_NOBODY;
	return place < r->n ? last : ROOM_NOBODY;
}

void room_member_take(struct room_member *m, bool speaks, uint32_t power)
{
	if (!speaks)
		m->loudness = 0;
	else
		m->loudness += (power >> 3) - (m->loudness >> 3);
}

static bool pass(struct room_floor *f, uint32_t to)
{
	bool passed = f->holder != to;

	f->holder = to;
	f->challenger = ROOM_NOBODY;
	f->silent_ms = 0;
	f->ahead_ms = 0;
	return passed;
}

bool room_floor_take(struct room_floor *f, uint32_t loudest, uint32_t loudness,
		     uint32_t holder_loudness, uint16_t ms)
{
	if (f->holder == ROOM_NOBODY)
		return loudest != ROOM_NOBODY && pass(f, loudest);
	if (holder_loudness == 0) {
		f->silent_ms = (uint16_t)(f->silent_ms + ms);
		return f->silent_ms >= ROOM_FLOOR_HOLD_MS && pass(f, loudest);
	}
	f->silent_ms = 0;
	if (loudest == ROOM_NOBODY || loudest == f->holder || loudness / 2 < holder_loudness) {
		f->challenger = ROOM_NOBODY;
		f->ahead_ms = 0;
		return false;
	}
	if (f->challenger != loudest) {
		f->challenger = loudest;
		f->ahead_ms = 0;
	}
	f->ahead_ms = (uint16_t)(f->ahead_ms + ms);
	return f->ahead_ms >= ROOM_FLOOR_TAKE_MS && pass(f, loudest);
}
