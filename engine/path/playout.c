/* SPDX-License-Identifier: Apache-2.0
 *
 * Stage: what is due now.
 *
 * Two wheels turn by the millisecond. On the tick wheel hang the calls with timed media, spread over
 * its 20 slots; at its slot a call's speakers are decoded once and every leg that is played or mixed to
 * gets one frame. On the house wheel hang all calls, visited every 250 ms for timeouts and RTCP.
 *
 *   now  12       13       14  ...            each slot: calls of tick[ms % 20],
 *        |--------|--------|                              calls of house[ms % 250]
 *
 * A worker that falls behind runs at most TICK_SLOTS_PER_TURN slots in a turn, so that it still receives
 * in between; after a stall longer than TICK_BEHIND_MAX_MS the slots between are given up and
 * counted, and timestamps move on by the time that has passed.
 *
 * Transcoding takes 20 to 300 us a leg, a small room some. After a call that did some of that, and SLICE_CYCLES since
 * the slot was begun, the turn ends and receives; the next one goes on with the calls of the slot that were not
 * served yet. A call is not divided.
 */
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <string.h>

#include "base/units.h"
#include "codec/codec.h"
#include "dsp/mix.h"
#include "path/path.h"
#include "worker/worker_priv.h"

enum {
	LATE_MS = 5,
	CALLS_AHEAD = 8,
	LEGS_AHEAD = 64,           /* of these calls */
	SLICE_CYCLES = 200 * 1000, /* about 100 us */
};

/* The row of digits as telephone-events: one packet in place of this tick's sound. */
static bool send_event(struct worker *w, struct leg *l)
{
	struct telephone_event_sender *s = &worker_leg_media(w, l)->digits.events;
	struct telephone_event_packet out;
	uint8_t *payload;

	if (l->out.dtmf_pt == LEG_PT_NONE || l->way.family == 0) {
		s->active = false;
		worker_call_of(w, l)->stale = true;
		return false;
	}

	uint32_t ts = made_clock(w, l);

	switch (telephone_event_send_next(s, ts, &out)) {
	case TELEPHONE_EVENT_SEND_PACKET:
		break;
	case TELEPHONE_EVENT_SEND_GAP:
		return false;
	case TELEPHONE_EVENT_SEND_DONE:
		worker_call_of(w, l)->stale = true;
		return false;
	}

	struct rte_mbuf *m = made_begin(w, TELEPHONE_EVENT_PAYLOAD, &payload);

	if (m != NULL) {
		memcpy(payload, out.payload, sizeof(out.payload));
		made_send(w, l, m, l->out.dtmf_pt, out.ts, out.marker, false);
	}
	return true;
}

/* The row of digits as tones: the next frame of it in `pcm`. False: the row is finished. */
static bool tones_next(struct worker *w, struct leg *l, int16_t *pcm)
{
	struct leg_digits *d = &worker_leg_media(w, l)->digits;

	if (d->done_samples >= d->on_samples + d->gap_samples) {
		if (++d->at >= d->n) {
			d->tones = false;
			worker_call_of(w, l)->stale = true;
			return false;
		}
		d->done_samples = 0;
		tone_start_dtmf(&d->tone, d->code[d->at]);
	}
	if (d->done_samples < d->on_samples)
		tone_next(&d->tone, pcm, LEG_FRAME);
	else
		memset(pcm, 0, LEG_FRAME * sizeof(*pcm));
	d->done_samples += LEG_FRAME;
	return true;
}

static void play_send(struct worker *w, struct leg *l, const uint8_t *coded, const int16_t *pcm)
{
	static const int16_t silence[LEG_FRAME];
	const struct leg_media *m = worker_leg_media(w, l);

	if (pcm != NULL && m->play.gain_q12 != MIX_GAIN_ONE) {
		int16_t scaled[LEG_FRAME];

		memcpy(scaled, pcm, sizeof(scaled));
		mix_scale(scaled, LEG_FRAME, m->play.gain_q12);
		send_pcm(w, l, scaled, TONE_RATE_HZ);
	} else if (coded != NULL && !m->codes_out && !(m->doing & LEG_DOING_NOISE)) {
		send_coded(w, l, coded);
	} else {
		send_pcm(w, l, pcm != NULL ? pcm : silence, TONE_RATE_HZ);
	}
}

/* The next frame of the playlist; it goes on by the clock also while nothing can be sent. The play
 * ends with its last frame, so that what comes after it is heard at the next tick. */
static void play_frame(struct worker *w, struct leg *l, bool send)
{
	const uint8_t *coded =
		l->out.codec < CODEC_G711_COUNT ? w->media->quiet[l->out.codec] : NULL;
	const int16_t *pcm = NULL;

	enum play_next next = play_next(w, l, &coded, &pcm);

	if (next != PLAY_NEXT_END && send)
		play_send(w, l, coded, pcm);
	if (worker_leg_media(w, l)->play.list->speech)
		play_listen(w, l, pcm);
	if (!play_runs(worker_leg_media(w, l)))
		return;
	if (next == PLAY_NEXT_END || play_finished(w, l))
		play_end(w, l, PLAY_END_FINISHED, 0);
}

/* Digits on their way, as events or as tones, in place of this tick's sound. */
static bool digits_send(struct worker *w, struct leg *l)
{
	const struct leg_media *m = worker_leg_media(w, l);
	bool sends = l->out.plan == LEG_PLAN_PLAY || l->out.plan == LEG_PLAN_MIX;
	int16_t pcm[LEG_FRAME];

	if (m->digits.events.active && plan_sends((enum leg_direction)m->direction) &&
	    send_event(w, l))
		return true;
	if (!m->digits.tones || !sends || !tones_next(w, l, pcm))
		return false;
	send_pcm(w, l, pcm, TONE_RATE_HZ);
	return true;
}

bool playout_timed(struct worker *w, struct leg *l)
{
	const struct leg_media *m = worker_leg_media(w, l);

	if (m->doing & LEG_DOING_PLAY)
		play_tick(w, l);
	if (m->doing & LEG_DOING_COLLECT)
		collect_tick(w, l);

	bool sent = (m->doing & LEG_DOING_DIGITS) && digits_send(w, l);

	if (!(m->doing & LEG_DOING_PLAY) || !play_runs(m))
		return sent;
	play_frame(w, l, !sent && l->out.plan == LEG_PLAN_PLAY);
	return true;
}

/* What one leg is sent at its call's tick. */
static void leg_frame(struct worker *w, const struct worker_call *c, struct leg *l, unsigned slot)
{
	const struct leg_media *m = worker_leg_media(w, l);
	int16_t pcm[LEG_FRAME_MAX];

	if ((m->doing & LEG_DOING_TIMED) && playout_timed(w, l))
		return;
	if (l->out.plan != LEG_PLAN_MIX)
		return;
	mix_leg(w, &c->plan.leg[slot], pcm);
	send_pcm(w, l, pcm, c->rate_hz);
}

void playout_call(struct worker *w, struct worker_call *c)
{
	mix_begin(w, c);
	/* A key heard just now may have ended a play. */
	if (c->stale)
		replan(w, c);
	for (unsigned s = 0, left = c->legs; left > 0 && s < CALL_LEGS_MAX; s++) {
		struct leg *l = worker_call_leg(w, c, s);

		if (l == NULL)
			continue;
		leg_frame(w, c, l, s);
		left--;
	}
	if (c->stale)
		replan(w, c);
}

/* All that a leg's tick touches was last seen 20 ms ago and is found from one thing to the next; a
 * step for all of them at once lets the misses overlap. */
void playout_fetch(const struct worker *w, struct leg *const *leg, unsigned n, bool decoded)
{
	for (unsigned i = 0; i < n; i++) {
		rte_prefetch0(&leg[i]->in);
		leg_fetch_out(leg[i]);
		leg_media_fetch(worker_leg_media(w, leg[i]));
	}
	if (!decoded)
		return;
	for (unsigned i = 0; i < n; i++) {
		const struct leg_media *m = worker_leg_media(w, leg[i]);

		leg_media_fetch_more(m, leg[i]->in.flags & LEG_IN_BUFFER);
		if (!(leg[i]->in.flags & LEG_IN_BUFFER))
			continue;
		jbuf_fetch(m->jbuf);
		rte_prefetch0(m->conceal);
	}
	for (unsigned i = 0; i < n; i++) {
		const struct rte_mbuf *m = leg[i]->in.flags & LEG_IN_BUFFER
						   ? jbuf_peek(worker_leg_media(w, leg[i])->jbuf)
						   : NULL;

		if (m == NULL)
			continue;
		rte_prefetch0(m);
		/* Where the payload lies, but for options and extensions, without waiting for the head. */
		for (unsigned at = 0; at < 4; at++)
			rte_prefetch0((const uint8_t *)(m + 1) + RTE_PKTMBUF_HEADROOM + at * 64);
	}
}

static void fetch_call(const struct worker_call *c)
{
	rte_prefetch0(c);
}

/* The legs of a call, as far as there is room for all of them: a large room fetches its own. */
static unsigned legs_add(const struct worker *w, const struct worker_call *c, struct leg **leg,
			 unsigned n)
{
	unsigned left = c->legs;

	if (n + left > LEGS_AHEAD)
		return n;
	for (unsigned s = 0; left > 0 && s < worker_call_slots(c); s++) {
		struct leg *l = worker_call_leg(w, c, s);

		if (l == NULL)
			continue;
		if (!c->is_room && c->decode != 0)
			rte_prefetch0(&c->plan.leg[s]);
		leg[n++] = l;
		left--;
	}
	return n;
}

/* The calls of one slot, some at a time. */
static bool calls_run(struct worker *w, uint64_t ms)
{
	struct worker_media *wm = w->media;
	uint32_t head = wm->tick.head[ms % TICK_MS];
	struct worker_call *call[CALLS_AHEAD];
	struct leg *leg[LEGS_AHEAD];
	uint64_t since = rte_rdtsc();

	while (head != WHEEL_NONE) {
		unsigned n = 0, legs = 0;

		for (; head != WHEEL_NONE && n < CALLS_AHEAD; head = wm->tick_link[head].next)
			if (!wm->sliced || wm->call[head].ticked_ms != (uint32_t)ms)
				fetch_call(call[n++] = &wm->call[head]);
		for (unsigned i = 0; i < n; i++)
			legs = legs_add(w, call[i], leg, legs);
		playout_fetch(w, leg, legs, true);
		for (unsigned i = 0; i < n; i++) {
			wm->coded = false;
			if (call[i]->is_room)
				room_tick(w, call[i]);
			else
				playout_call(w, call[i]);
			call[i]->ticked_ms = (uint32_t)ms;
			if ((wm->coded || call[i]->is_room) && rte_rdtsc() - since > SLICE_CYCLES)
				return false;
		}
	}
	return true;
}

/* False: time is up; what is left of the slot is for the next turn. */
static bool slot_run(struct worker *w, uint64_t ms)
{
	struct worker_media *wm = w->media;
	uint32_t next;

	wm->tick_ns = ms * PB_NS_PER_MS;
	wm->sliced = !calls_run(w, ms);
	if (wm->sliced)
		return false;
	for (uint32_t i = wm->house.head[ms % HOUSE_MS]; i != WHEEL_NONE; i = next) {
		next = wm->house_link[i].next;
		house_tick(w, &wm->call[i]);
	}
	coding_load(w);
	return true;
}

/* Step over slots without work, to the next one that has some or to the future. */
static void to_work(struct worker_media *wm, uint64_t now_ms)
{
	uint32_t tick = wheel_ahead(&wm->tick, wm->next_ms);
	uint32_t house = wheel_ahead(&wm->house, wm->next_ms);
	uint64_t next_ms = wm->next_ms + (tick < house ? tick : house);

	if (wm->next_ms <= now_ms)
		wm->next_ms = next_ms <= now_ms ? next_ms : now_ms + 1;
}

static void slot_counted(struct worker *w, uint64_t now_ms)
{
	uint64_t next_ms = w->media->next_ms;

	if (now_ms - next_ms > LATE_MS)
		worker_count(&w->ticks_late, 1);
	worker_count(&w->slots_run, 1);
	worker_count(&w->slots_late_ns, w->now_ns - next_ms * PB_NS_PER_MS);
}

void playout(struct worker *w)
{
	struct worker_media *wm = w->media;
	uint64_t now_ms = w->now_ns / PB_NS_PER_MS;

	if (wm->house.items == 0)
		return; /* no calls; the first one sets next_ms */
	room_go_on(w);
	to_work(wm, now_ms);
	if (wm->next_ms + TICK_BEHIND_MAX_MS < now_ms) {
		worker_count(&w->ticks_skipped, now_ms - wm->next_ms);
		wm->next_ms = now_ms;
	}
	for (unsigned i = 0; i < TICK_SLOTS_PER_TURN; i++) {
		to_work(wm, now_ms);
		if (wm->next_ms > now_ms)
			break;
		if (!wm->sliced)
			slot_counted(w, now_ms);
		if (!slot_run(w, wm->next_ms))
			break;
		wm->next_ms++;
	}
}
