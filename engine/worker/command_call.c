/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands about calls: open, close, who hears whom, monitors; and what main learnt of next hops.
 *
 * main owns the pools and sends no two commands that contradict each other; what is refused here
 * is refused because a leg or call went away between.
 */
#include <errno.h>
#include <string.h>

#include "base/units.h"
#include "worker/worker_priv.h"

struct worker_call *command_call(struct worker *w, struct call_ref ref)
{
	if (ref.index >= w->cfg.calls || ref.generation == 0 ||
	    w->media->call[ref.index].generation != ref.generation)
		return NULL;
	return &w->media->call[ref.index];
}

struct leg *command_leg(struct worker *w, struct leg_ref ref)
{
	struct leg *l = leg_slot(&w->legs, ref.index);

	if (l == NULL || ref.generation == 0 || l->in.generation != ref.generation)
		return NULL;
	return l;
}

/* -EINVAL: no such slot or generation 0. -EBUSY: the slot is still open. */
int command_call_open(struct worker *w, const struct worker_command *c)
{
	struct worker_media *wm = w->media;
	uint32_t i = c->call.index;

	if (i >= w->cfg.calls || c->call.generation == 0)
		return -EINVAL;

	struct worker_call *call = &wm->call[i];

	if (call->generation != 0)
		return -EBUSY;
	memset(call, 0, sizeof(*call));
	call->generation = c->call.generation;
	for (unsigned s = 0; s < CALL_LEGS_MAX; s++)
		call->leg[s] = LEG_INDEX_NONE;
	for (unsigned k = 0; k < CALL_RECORDINGS_MAX; k++)
		call->recording[k].leg = LEG_INDEX_NONE;
	call->is_room = c->call_open.room;
	if (call->is_room) {
		room_init(&call->room.row);
		call->room.told = ROOM_NOBODY;
	} else {
		hear_init(&call->hear);
	}
	replan(w, call);
	if (wm->house.items == 0)
		wm->next_ms = w->now_ns / PB_NS_PER_MS + 1; /* the wheels stood still till now */
	wheel_add(&wm->house, i, wheel_quiet(&wm->house, i));
	atomic_store_explicit(&w->calls_open,
			      atomic_load_explicit(&w->calls_open, memory_order_relaxed) + 1,
			      memory_order_relaxed);
	return 0;
}

/* -ESTALE; -ENOTEMPTY: it has legs. */
int command_call_close(struct worker *w, const struct worker_command *c)
{
	struct worker_media *wm = w->media;
	struct worker_call *call = command_call(w, c->call);

	if (call == NULL)
		return -ESTALE;
	if (call->legs > 0)
		return -ENOTEMPTY;
	if (call->is_room)
		play_room_end(w, call, PLAY_END_LEG_CLOSED);
	record_call_closed(w, call);
	wheel_remove(&wm->tick, c->call.index);
	wheel_remove(&wm->house, c->call.index);
	call->generation = 0;
	atomic_store_explicit(&w->calls_open,
			      atomic_load_explicit(&w->calls_open, memory_order_relaxed) - 1,
			      memory_order_relaxed);
	return 0;
}

/* The slot of an open leg of this call by its index, or HEAR_NONE. */
static uint8_t slot_of(const struct worker *w, const struct worker_call *call, uint32_t index)
{
	for (uint8_t s = 0; s < CALL_LEGS_MAX; s++)
		if (call->leg[s] == index && index != LEG_INDEX_NONE)
			return s;
	(void)w;
	return HEAR_NONE;
}

/* The matrix has changed from `old`: plan anew, or undo it when there are not the coders for it. */
static int heard(struct worker *w, struct worker_call *call, const struct hear *old)
{
	uint8_t starved = call->starved;

	replan(w, call);
	if (call->starved <= starved)
		return 0;
	call->hear = *old;
	replan(w, call);
	return -ENOBUFS;
}

/* -ESTALE: the call is gone. -ENOENT: a leg is not of this call; nothing was changed. -EINVAL: a
 * leg would hear itself; nothing was changed. -ENOBUFS: it needs more coders than are free; nothing
 * was changed. -EOPNOTSUPP: it is a room. */
int command_call_hear(struct worker *w, const struct worker_command *c)
{
	struct worker_call *call = command_call(w, c->call);
	uint8_t row = HEAR_NONE;

	if (call == NULL)
		return -ESTALE;
	if (call->is_room)
		return -EOPNOTSUPP;
	if (c->hear.n > CALL_HEAR_MAX)
		return -EINVAL;
	if (!c->hear.whole && (row = slot_of(w, call, c->hear.listener)) == HEAR_NONE)
		return -ENOENT;
	for (uint32_t i = 0; i < c->hear.n; i++) {
		const struct hear_entry *e = &c->hear.entry[i];

		if (e->listener == e->speaker ||
		    (!c->hear.whole && e->listener != c->hear.listener))
			return -EINVAL;
		if (slot_of(w, call, e->listener) == HEAR_NONE ||
		    slot_of(w, call, e->speaker) == HEAR_NONE)
			return -ENOENT;
	}
	struct hear old = call->hear;

	if (c->hear.whole)
		hear_clear(&call->hear);
	else
		hear_clear_row(&call->hear, row);
	for (uint32_t i = 0; i < c->hear.n; i++) {
		const struct hear_entry *e = &c->hear.entry[i];

		hear_set(&call->hear, slot_of(w, call, e->listener), slot_of(w, call, e->speaker),
			 e->gain_cb);
	}
	return heard(w, call, &old);
}

/* -ESTALE; -EOPNOTSUPP: its call is not a room. */
int command_room_member(struct worker *w, const struct worker_command *c)
{
	struct leg *l = command_leg(w, c->leg);

	if (l == NULL)
		return -ESTALE;
	if (!worker_call_of(w, l)->is_room)
		return -EOPNOTSUPP;

	struct room_member *m = &worker_leg_media(w, l)->room;

	if (c->room.set_muted)
		m->muted = c->room.muted;
	if (c->room.set_deaf)
		m->deaf = c->room.deaf;
	return 0;
}

/* Starts a monitor, changes its mode, or ends it with MONITOR_OFF. -ESTALE: the call, or at its
 * start one of the three legs, is gone; -ENOENT: OFF for what is not there; -EINVAL, -ENOSPC as of
 * hear_monitor_start(), -ENOBUFS as of call.hear; -EOPNOTSUPP: it is a room. */
int command_monitor_set(struct worker *w, const struct worker_command *c)
{
	struct worker_call *call = command_call(w, c->call);

	if (call == NULL)
		return -ESTALE;
	if (call->is_room)
		return -EOPNOTSUPP;

	struct hear old = call->hear;
	int err = hear_monitor_mode(&call->hear, c->monitor.monitor, c->monitor.mode);

	if (err == -ENOENT && c->monitor.mode != MONITOR_OFF) {
		const struct leg_ref ref[3] = {c->monitor.supervisor, c->monitor.agent,
					       c->monitor.customer};
		uint8_t slot[3];

		for (unsigned i = 0; i < 3; i++) {
			const struct leg *l = command_leg(w, ref[i]);

			if (l == NULL || worker_call_of(w, l) != call)
				return -ESTALE;
			slot[i] = slot_of(w, call, ref[i].index);
		}
		err = hear_monitor_start(&call->hear, c->monitor.monitor, slot[0], slot[1], slot[2],
					 c->monitor.mode);
	}
	return err == 0 ? heard(w, call, &old) : err;
}

/* Always 0: nobody may be waiting for it any more. */
int command_neighbour(struct worker *w, const struct worker_command *c)
{
	peer_way(w, c->neighbour.family, c->neighbour.ip, c->neighbour.mac);
	return 0;
}
