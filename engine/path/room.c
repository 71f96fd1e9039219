/* SPDX-License-Identifier: Apache-2.0
 *
 * The tick of a room: every member is decoded once into the sum of all; then each is sent the sum less
 * what it said itself.
 *
 *   decode   member 0 .. n-1      sum += pcm[i]      what is silence adds nothing
 *   send     member 0 .. n-1      sum - pcm[i]       those who said nothing share one coded frame
 *
 * A small room of G.711 is done at once. Any other is cut into slices of ROOM_SLICE units, about 50 us of
 * G.711 or one member's coding; between them the worker receives. The row of members is copied when the tick begins, so that
 * who comes or goes meanwhile changes the next tick and not this one; a leg that was closed meanwhile
 * is known by its generation. Rooms that are due while one is being worked on wait in a queue; what waits there
 * longer than TICK_BEHIND_MAX_MS is given up as the wheel's slots are, so that nothing is ever heard later than that.
 */
#include <rte_prefetch.h>
#include <string.h>

#include "base/units.h"
#include "codec/codec.h"
#include "dsp/mix.h"
#include "worker/worker_priv.h"

enum {
	ROOM_RATE_HZ = 8000,
	ROOM_AT_ONCE = 32,  /* units of a room that is not cut */
	ROOM_SLICE = 96,    /* units of work between two looks at the port */
	ROOM_CODEC = 96,    /* units of a member whose codec is not G.711 */
	ROOM_QUEUE = 256,   /* a power of two */
	ROOM_FETCH = 16,    /* members fetched ahead */
	ROOM_NEWS_MS = 500, /* between two tellings of who leads */
};

struct room_turn {
	struct call_ref call;
	uint64_t tick_ns;
};

struct room_work {
	/* The tick being worked on. */
	struct worker_call *call; /* NULL: none */
	uint32_t generation;
	uint64_t tick_ns;
	uint16_t n, at;
	bool sending;
	uint16_t speaking; /* members that do */
	uint32_t loudest, loudest_generation, loudness, holder_loudness;
	bool coded_made[CODEC_G711_COUNT];
	int32_t sum[LEG_FRAME];
	int16_t shared[LEG_FRAME]; /* what those hear who said nothing */
	uint8_t coded[CODEC_G711_COUNT][LEG_FRAME];
	struct {
		struct leg *leg;
		uint32_t generation;
		bool in_sum;
	} member[ROOM_LEGS_MAX];
	int16_t pcm[ROOM_LEGS_MAX][LEG_FRAME];

	/* Those that wait. */
	uint32_t first, queued;
	struct room_turn queue[ROOM_QUEUE];
};

size_t room_work_bytes(void)
{
	return sizeof(struct room_work);
}

/* --- the plan --- */

static enum leg_plan plan_of(const struct leg *l, const struct leg_media *m)
{
	if (!plan_sends((enum leg_direction)m->direction) || l->way.family == 0 ||
	    m->cfg.codecs == 0)
		return LEG_PLAN_SILENT;
	return play_runs(m) ? LEG_PLAN_PLAY : LEG_PLAN_MIX;
}

/* False: it goes without a coder that it needs. */
static bool member_plan(struct worker *w, struct leg *l)
{
	struct leg_media *m = worker_leg_media(w, l);
	enum leg_plan plan = plan_of(l, m);
	bool decoded = plan_receives((enum leg_direction)m->direction);

	if (!coding_member(w, l, decoded, plan)) {
		plan = LEG_PLAN_SILENT;
		decoded = false;
	}
	if (plan != (enum leg_plan)l->out.plan)
		l->out.flags |= LEG_OUT_ANCHOR | LEG_OUT_MARK;
	l->out.plan = (uint8_t)plan;
	l->in.listener = LEG_INDEX_NONE;
	if (decoded) {
		l->in.flags |= LEG_IN_BUFFER;
	} else if (l->in.flags & LEG_IN_BUFFER) {
		l->in.flags = (uint16_t)(l->in.flags & ~LEG_IN_BUFFER);
		speaker_flush(w, l);
	}
	replan_doing(m);
	return !m->starved;
}

void room_replan(struct worker *w, struct worker_call *c)
{
	struct worker_media *wm = w->media;
	uint32_t index = (uint32_t)(c - wm->call);

	c->stale = false;
	c->starved = 0;
	c->rate_hz = ROOM_RATE_HZ;
	for (unsigned i = 0; i < c->room.row.n; i++)
		if (!member_plan(w, leg_at(&w->legs, c->room.row.member[i])) &&
		    c->starved < UINT8_MAX)
			c->starved++;
	if (c->room.row.n == 0 && c->room.play.list == NULL)
		wheel_remove(&wm->tick, index);
	else if (!wm->tick_link[index].inside)
		wheel_add(&wm->tick, index, wheel_quiet(&wm->tick, index));
	record_secrets(w, c);
}

/* --- the tick --- */

static void begin(struct worker *w, struct room_work *rw, struct worker_call *c, uint64_t tick_ns)
{
	const int16_t *said;

	rw->call = c;
	rw->generation = c->generation;
	rw->tick_ns = tick_ns;
	rw->n = c->room.row.n;
	rw->at = 0;
	rw->sending = false;
	rw->speaking = 0;
	rw->loudest = ROOM_NOBODY;
	rw->loudness = rw->holder_loudness = 0;
	for (unsigned i = 0; i < rw->n; i++) {
		struct leg *l = leg_at(&w->legs, c->room.row.member[i]);

		rw->member[i].leg = l;
		rw->member[i].generation = l->in.generation;
	}
	memset(rw->sum, 0, sizeof(rw->sum));
	if (play_room_next(w, c, &said)) {
		if (c->room.play.gain_q12 == MIX_GAIN_ONE)
			mix_add(rw->sum, said, LEG_FRAME);
		else
			mix_add_gain(rw->sum, said, LEG_FRAME, c->room.play.gain_q12);
	}
	play_room_after(w, c);
}

static bool is_there(const struct room_work *rw, unsigned i)
{
	return rw->member[i].leg->in.generation == rw->member[i].generation;
}

/* How loud it is in the talk. */
static void loudness_take(const struct worker *w, struct room_work *rw, const struct leg *l,
			  struct leg_media *m)
{
	uint32_t index = leg_index(&w->legs, l);
	bool speaks = m->listen.speaking && !m->room.muted;

	room_member_take(&m->room, speaks, m->listen.power);
	rw->speaking += speaks;
	if (m->room.loudness > rw->loudness) {
		rw->loudness = m->room.loudness;
		rw->loudest = index;
		rw->loudest_generation = l->in.generation;
	}
	if (index == rw->call->room.row.floor.holder)
		rw->holder_loudness = m->room.loudness;
}

static void decode_one(struct worker *w, struct room_work *rw, unsigned i)
{
	struct leg *l = rw->member[i].leg;
	struct leg_media *m = worker_leg_media(w, l);
	int16_t *pcm = rw->pcm[i];

	rw->member[i].in_sum = false;
	if (!is_there(rw, i) || !(l->in.flags & LEG_IN_BUFFER))
		return;
	speaker_frame(w, l, pcm);
	loudness_take(w, rw, l, m);
	/* Silence is what was made up for nothing, or sent as such: it changes nobody's sum. */
	if (m->room.muted || ((l->in.flags & LEG_IN_LISTEN) && m->listen.power == 0))
		return;
	mix_add(rw->sum, pcm, LEG_FRAME);
	rw->member[i].in_sum = true;
}

static void talk_over(struct worker *w, struct room_work *rw)
{
	for (unsigned i = 0; i < rw->n; i++) {
		struct leg_media *m = worker_leg_media(w, rw->member[i].leg);

		if (is_there(rw, i) && m->room.loudness > 0)
			listen_together(&m->listen, TICK_MS);
	}
}

/* Who leads, told at most every ROOM_NEWS_MS. */
static void floor_look(struct worker *w, struct room_work *rw)
{
	struct call_room *r = &rw->call->room;

	/* Closed between two slices: the room, whose slot may be another call's by now, or who was loudest. */
	if (rw->call->generation != rw->generation)
		return;
	if (rw->loudest != ROOM_NOBODY &&
	    leg_at(&w->legs, rw->loudest)->in.generation != rw->loudest_generation)
		rw->loudest = ROOM_NOBODY;

	room_floor_take(&r->row.floor, rw->loudest, rw->loudness, rw->holder_loudness, TICK_MS);
	if (r->row.floor.holder == r->told || w->now_ns - r->told_ns < ROOM_NEWS_MS * PB_NS_PER_MS)
		return;
	r->told = r->row.floor.holder;
	r->told_ns = w->now_ns;

	struct worker_event e;

	memset(&e, 0, sizeof(e));
	e.kind = EVENT_ROOM_FLOOR;
	e.call = worker_call_ref(w, rw->call);
	e.leg.index = LEG_INDEX_NONE;
	if (r->told != ROOM_NOBODY)
		e.leg = worker_leg_ref(w, leg_at(&w->legs, r->told));
	worker_event_put(w, &e);
}

/* All is decoded. */
static void turn_to_sending(struct worker *w, struct room_work *rw)
{
	rw->sending = true;
	rw->at = 0;
	if (rw->speaking > 1)
		talk_over(w, rw);
	floor_look(w, rw);
	mix_saturate(rw->shared, rw->sum, LEG_FRAME);
	memset(rw->coded_made, 0, sizeof(rw->coded_made));
}

/* To one who said nothing: coded once for all, where the codec has no memory. */
static void send_shared(struct worker *w, struct room_work *rw, struct leg *l)
{
	const struct leg_media *m = worker_leg_media(w, l);
	uint8_t codec = l->out.codec;

	if (codec >= CODEC_G711_COUNT || m->codes_out || (m->doing & LEG_DOING_NOISE)) {
		send_pcm(w, l, rw->shared, ROOM_RATE_HZ);
		return;
	}
	if (!rw->coded_made[codec]) {
		codec_of((enum codec_id)codec)
			->encode(NULL, rw->coded[codec], LEG_FRAME, rw->shared, LEG_FRAME);
		rw->coded_made[codec] = true;
	}
	send_coded(w, l, rw->coded[codec]);
}

static void send_one(struct worker *w, struct room_work *rw, unsigned i)
{
	struct leg *l = rw->member[i].leg;
	struct leg_media *m = worker_leg_media(w, l);
	int16_t pcm[LEG_FRAME];

	if (!is_there(rw, i))
		return;
	if ((m->doing & LEG_DOING_TIMED) && playout_timed(w, l))
		return;
	if (l->out.plan != LEG_PLAN_MIX)
		return;
	if (m->room.deaf) {
		memset(pcm, 0, sizeof(pcm));
		send_pcm(w, l, pcm, ROOM_RATE_HZ);
	} else if (!rw->member[i].in_sum) {
		send_shared(w, rw, l);
	} else {
		mix_less(pcm, rw->sum, rw->pcm[i], LEG_FRAME);
		send_pcm(w, l, pcm, ROOM_RATE_HZ);
	}
}

static unsigned units_of(const struct leg *l)
{
	return l->out.codec < CODEC_G711_COUNT && l->in.codec_now < CODEC_G711_COUNT ? 1
										     : ROOM_CODEC;
}

/* What the next members need, some at a time, so that the misses overlap. */
static void fetch(const struct worker *w, const struct room_work *rw)
{
	struct leg *leg[ROOM_FETCH];
	unsigned n = 0;

	for (unsigned i = rw->at; i < rw->n && n < ROOM_FETCH; i++)
		leg[n++] = rw->member[i].leg;
	playout_fetch(w, leg, n, !rw->sending);
}

/* Work on the tick until `units` are spent. True: it is finished. */
static bool work(struct worker *w, struct room_work *rw, unsigned units, bool fetched)
{
	uint64_t wheel_ns = w->media->tick_ns;
	unsigned spent = 0;

	w->media->tick_ns = rw->tick_ns;
	w->media->rate_hz = ROOM_RATE_HZ;
	w->media->frame = LEG_FRAME;
	for (; spent < units; rw->at++) {
		if (rw->at == rw->n) {
			if (rw->sending)
				break;
			turn_to_sending(w, rw);
			if (rw->n == 0)
				break;
		}
		if (!fetched && rw->at % ROOM_FETCH == 0)
			fetch(w, rw);
		spent += units_of(rw->member[rw->at].leg);
		if (rw->sending)
			send_one(w, rw, rw->at);
		else
			decode_one(w, rw, rw->at);
	}
	w->media->tick_ns = wheel_ns;
	if (!rw->sending || rw->at < rw->n)
		return false;
	if (rw->call->generation == rw->generation && rw->call->stale)
		replan(w, rw->call);
	rw->call = NULL;
	return true;
}

/* Done before a packet that comes meanwhile has waited long. */
static bool is_small(const struct worker *w, const struct worker_call *c)
{
	unsigned units = 0;

	for (unsigned i = 0; i < c->room.row.n && units <= ROOM_AT_ONCE; i++)
		units += units_of(leg_at(&w->legs, c->room.row.member[i]));
	return units <= ROOM_AT_ONCE;
}

void room_tick(struct worker *w, struct worker_call *c)
{
	struct room_work *rw = w->media->room;
	bool small = is_small(w, c);

	if (rw->call == NULL && rw->queued == 0) {
		begin(w, rw, c, w->media->tick_ns);
		work(w, rw, small ? UINT32_MAX : ROOM_SLICE, small);
		return;
	}
	if (rw->queued == ROOM_QUEUE) {
		rw->first++;
		rw->queued--;
		worker_count(&w->ticks_skipped, 1);
	}
	rw->queue[(rw->first + rw->queued++) % ROOM_QUEUE] =
		(struct room_turn){worker_call_ref(w, c), w->media->tick_ns};
}

bool room_waits(const struct worker *w)
{
	return w->media->room->call != NULL || w->media->room->queued > 0;
}

bool room_go_on(struct worker *w)
{
	struct room_work *rw = w->media->room;

	if (rw->call != NULL)
		work(w, rw, ROOM_SLICE, false);
	/* The next one; a call that was closed meanwhile is passed over. */
	while (rw->call == NULL && rw->queued > 0) {
		const struct room_turn *t = &rw->queue[rw->first % ROOM_QUEUE];
		struct worker_call *c = command_call(w, t->call);

		rw->first++;
		rw->queued--;
		if (c == NULL || !c->is_room)
			continue;
		if (w->now_ns > t->tick_ns + TICK_BEHIND_MAX_MS * PB_NS_PER_MS)
			worker_count(&w->ticks_skipped, 1);
		else
			begin(w, rw, c, t->tick_ns);
	}
	return rw->call != NULL;
}
