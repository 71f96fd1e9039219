/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands about what is done on a leg: play, collect, send digits.
 */
#include <errno.h>
#include <string.h>

#include "base/units.h"
#include "dsp/mix.h"
#include "worker/worker_priv.h"

static bool list_good(const struct playlist *list)
{
	return list != NULL && list->n > 0 && list->n <= PLAY_ITEMS_MAX;
}

static struct leg_play play_of(const struct worker_command *c)
{
	struct leg_play p = {.play = c->play.play,
			     .list = c->play.list,
			     .paused = c->play.list->paused,
			     .gain_q12 = mix_gain_q12(c->play.list->gain_cb)};

	if (c->play.list->position_ms > 0)
		play_seek(&p, c->play.list->position_ms);
	return p;
}

/* An announcement to a room. */
static int room_start(struct worker *w, const struct worker_command *c)
{
	struct worker_call *call = command_call(w, c->call);

	if (call == NULL)
		return -ESTALE;
	if (!call->is_room)
		return -EOPNOTSUPP;
	if (!list_good(c->play.list))
		return -EINVAL;
	play_room_end(w, call, PLAY_END_REPLACED);
	call->room.play = play_of(c);
	replan(w, call);
	return 0;
}

static int room_stop(struct worker *w, const struct worker_command *c)
{
	struct worker_call *call = command_call(w, c->call);

	if (call == NULL)
		return -ESTALE;
	if (!call->is_room || call->room.play.list == NULL || call->room.play.over ||
	    call->room.play.play != c->play.play)
		return -ENOENT;
	play_room_end(w, call, PLAY_END_STOPPED);
	replan(w, call);
	return 0;
}

/* -ESTALE; -EINVAL: an empty list; -EOPNOTSUPP: no leg is named and the call is no room; -ENOBUFS: the
 * leg's codec needs a coder and none is free. In these cases the list is main's again at once; otherwise
 * PLAY_DONE gives it back. A play before it ends with REPLACED first. */
int command_play_start(struct worker *w, const struct worker_command *c)
{
	struct leg *l = command_leg(w, c->leg);

	if (c->leg.index == LEG_INDEX_NONE)
		return room_start(w, c);
	if (l == NULL)
		return -ESTALE;
	if (!list_good(c->play.list))
		return -EINVAL;

	struct leg_media *m = worker_leg_media(w, l);

	if (coding_can_play(w, l) != 0)
		return -ENOBUFS;
	play_end(w, l, PLAY_END_REPLACED, 0);
	m->play = play_of(c);
	m->barge = (struct barge){.begun = false};
	replan(w, worker_call_of(w, l));
	return 0;
}

/* -ESTALE; -ENOENT: this play is not running. */
int command_play_stop(struct worker *w, const struct worker_command *c)
{
	struct leg *l = command_leg(w, c->leg);

	if (c->leg.index == LEG_INDEX_NONE)
		return room_stop(w, c);
	if (l == NULL)
		return -ESTALE;

	struct leg_media *m = worker_leg_media(w, l);

	if (!play_runs(m) || m->play.play != c->play.play)
		return -ENOENT;
	play_end(w, l, PLAY_END_STOPPED, 0);
	replan(w, worker_call_of(w, l));
	return 0;
}

/* The play that a command means, where it runs; NULL with *err set. */
static struct leg_play *running(struct worker *w, const struct worker_command *c, int *err)
{
	struct leg *l = command_leg(w, c->leg);
	struct leg_play *p = NULL;

	*err = -ESTALE;
	if (c->leg.index == LEG_INDEX_NONE) {
		struct worker_call *call = command_call(w, c->call);

		p = call != NULL && call->is_room ? &call->room.play : NULL;
	} else if (l != NULL) {
		p = &worker_leg_media(w, l)->play;
	}
	if (p == NULL)
		return NULL;
	*err = -ENOENT;
	return p->list != NULL && !p->over && p->play == c->play.play ? p : NULL;
}

/* -ESTALE; -ENOENT: this play is not running. */
int command_play_set(struct worker *w, const struct worker_command *c)
{
	int err;
	struct leg_play *p = running(w, c, &err);

	if (p == NULL)
		return err;
	if (c->play.set & PLAY_SET_PAUSED)
		p->paused = c->play.paused;
	if (c->play.set & PLAY_SET_GAIN)
		p->gain_q12 = mix_gain_q12(c->play.gain_cb);
	if (c->play.set & (PLAY_SET_POSITION | PLAY_SET_BY)) {
		int64_t at = c->play.position_ms;

		if (c->play.set & PLAY_SET_BY)
			at += play_position_ms(p);
		play_seek(p, at < 0 ? 0 : at > UINT32_MAX ? UINT32_MAX : (uint32_t)at);
	}
	return 0;
}

/* -ESTALE; -EINVAL: max is 0 or too large, or min > max. A collect before it ends with STOPPED. */
int command_collect_start(struct worker *w, const struct worker_command *c)
{
	struct leg *l = command_leg(w, c->leg);

	if (l == NULL)
		return -ESTALE;
	if (c->collect.max == 0 || c->collect.max > COLLECT_DIGITS_MAX ||
	    c->collect.min > c->collect.max)
		return -EINVAL;

	struct leg_media *m = worker_leg_media(w, l);

	collect_end(w, l, COLLECT_END_STOPPED);
	m->collect = (struct leg_collect){
		.collect = c->collect.collect,
		.max = c->collect.max,
		.min = c->collect.min,
		.terminators = c->collect.terminators,
		.first_timeout_ms = c->collect.first_timeout_ms,
		.inter_timeout_ms = c->collect.inter_timeout_ms,
		.secret = c->collect.secret,
		.active = true,
	};
	replan(w, worker_call_of(w, l));
	return 0;
}

/* -ESTALE; -ENOENT: this collect is not running. */
int command_collect_stop(struct worker *w, const struct worker_command *c)
{
	struct leg *l = command_leg(w, c->leg);

	if (l == NULL)
		return -ESTALE;

	struct leg_media *m = worker_leg_media(w, l);

	if (!collect_runs(m) || m->collect.collect != c->collect.collect)
		return -ENOENT;
	collect_end(w, l, COLLECT_END_STOPPED);
	replan(w, worker_call_of(w, l));
	return 0;
}

static uint32_t whole_frames(uint32_t ms)
{
	uint32_t frames = (ms + TICK_MS - 1) / TICK_MS;

	return (frames ? frames : 1) * LEG_FRAME;
}

/* -ESTALE; -EINVAL: no digits, too many, or one above 15. Digits that are still being sent are
 * forgotten. */
int command_dtmf_send(struct worker *w, const struct worker_command *c)
{
	struct leg *l = command_leg(w, c->leg);

	if (l == NULL)
		return -ESTALE;
	if (c->dtmf.n == 0 || c->dtmf.n > COLLECT_DIGITS_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < c->dtmf.n; i++)
		if (c->dtmf.code[i] >= DTMF_CODES)
			return -EINVAL;

	struct leg_media *m = worker_leg_media(w, l);
	struct leg_digits *d = &m->digits;

	d->events.active = false;
	d->tones = l->out.dtmf_pt == LEG_PT_NONE;
	if (d->tones) {
		d->n = c->dtmf.n;
		d->at = 0;
		memcpy(d->code, c->dtmf.code, d->n);
		d->on_samples = whole_frames(c->dtmf.duration_ms);
		d->gap_samples = whole_frames(c->dtmf.gap_ms);
		d->done_samples = 0;
		tone_start_dtmf(&d->tone, d->code[0]);
	} else {
		int err = telephone_event_send_start(
			&d->events, c->dtmf.code, c->dtmf.n, c->dtmf.duration_ms, c->dtmf.gap_ms,
			m->cfg.dtmf_clock_hz ? m->cfg.dtmf_clock_hz : 8000, TICK_MS);

		if (err != 0)
			return err;
	}
	replan(w, worker_call_of(w, l));
	return 0;
}
