/* SPDX-License-Identifier: Apache-2.0
 *
 * Playlists: where they stand, and how they end.
 *
 * An ending is told to main exactly once, because main frees the playlist then. When the event ring has
 * no room the ending is kept (`over`) and told at a later tick; meanwhile the leg behaves as
 * if it were gone.
 */
#include <stdatomic.h>
#include <string.h>

#include "dsp/barge.h"
#include "dsp/level.h"
#include "dsp/listen.h"
#include "worker/worker_priv.h"

enum { TELL_FRAMES = 25 };

static uint32_t frames_of(const struct play_item *it)
{
	if (it->kind == PLAY_SILENCE)
		return (it->silence_ms + TICK_MS - 1) / TICK_MS;
	return it->prompt->frames;
}

/* Bring item and frame to what plays next. False: the list is finished. */
static bool settle(struct leg_play *p)
{
	const struct playlist *list = p->list;

	for (;;) {
		if (p->frame < frames_of(&list->item[p->item]))
			return true;
		p->frame = 0;
		if (++p->item < list->n)
			continue;
		p->item = 0;
		p->round++;
		if (p->pass == 0 || (list->loop != 0 && p->round >= list->loop))
			return false;
		p->pass = 0;
	}
}

uint32_t play_position_ms(const struct leg_play *p)
{
	uint32_t frames = p->frame;

	for (uint32_t i = 0; i < p->item; i++)
		frames += frames_of(&p->list->item[i]);
	return frames * TICK_MS;
}

void play_seek(struct leg_play *p, uint32_t ms)
{
	uint32_t frames = ms / TICK_MS;

	for (p->item = 0; p->item + 1 < p->list->n; p->item++) {
		uint32_t n = frames_of(&p->list->item[p->item]);

		if (frames < n)
			break;
		frames -= n;
	}

	uint32_t n = frames_of(&p->list->item[p->item]);

	p->frame = frames < n ? frames : n;
	p->pass++; /* it has been somewhere: a list at its end is not one without sound */
}

static void tell_position(struct leg_play *p)
{
	/* Main only shows them. */
	struct playlist *list = (struct playlist *)(uintptr_t)p->list;

	atomic_store_explicit(&list->played_ms, p->played * TICK_MS, memory_order_relaxed);
	atomic_store_explicit(&list->at_ms, play_position_ms(p), memory_order_relaxed);
}

/* The prompt and frame of it that come next; *prompt NULL: silence. */
static enum play_next step(struct leg_play *p, const struct prompt **prompt, uint32_t *frame)
{
	if (!settle(p))
		return PLAY_NEXT_END;

	if (p->paused)
		return PLAY_NEXT_QUIET;

	const struct play_item *it = &p->list->item[p->item];

	*frame = p->frame++;
	p->pass++;
	if (++p->played % TELL_FRAMES == 0)
		tell_position(p);
	if (it->kind == PLAY_SILENCE)
		return PLAY_NEXT_QUIET;
	*prompt = it->prompt;
	return PLAY_NEXT_FRAME;
}

enum play_next play_next(struct worker *w, struct leg *l, const uint8_t **coded,
			 const int16_t **pcm)
{
	const struct prompt *prompt = NULL;
	uint32_t frame = 0;
	enum play_next next = step(&worker_leg_media(w, l)->play, &prompt, &frame);

	if (next != PLAY_NEXT_FRAME)
		return next;
	*coded = prompt->coded[l->out.codec];
	if (*coded != NULL)
		*coded += (size_t)frame * LEG_FRAME;
	*pcm = prompt->pcm + (size_t)frame * LEG_FRAME;
	return PLAY_NEXT_FRAME;
}

bool play_finished(struct worker *w, struct leg *l)
{
	return !settle(&worker_leg_media(w, l)->play);
}

/* Tell that the play is over. False: no room, later. `e` names whose it was. */
static bool tell(struct worker *w, struct leg_play *p, struct worker_event *e)
{
	e->play.play = p->play;
	e->play.why = (enum play_end)p->why;
	e->play.digit = p->digit;
	e->play.played_ms = p->played * TICK_MS;
	e->play.position_ms = p->position_ms;
	if (!mailbox_done(w, e))
		return false;
	p->list = NULL;
	p->over = false;
	return true;
}

static bool play_tell(struct worker *w, struct leg *l)
{
	struct worker_event e = worker_leg_event(w, l, EVENT_PLAY_DONE);

	return tell(w, &worker_leg_media(w, l)->play, &e);
}

void play_end(struct worker *w, struct leg *l, enum play_end why, uint8_t digit)
{
	struct leg_media *m = worker_leg_media(w, l);
	struct leg_play *p = &m->play;

	if (p->list == NULL)
		return;
	if (!p->over) {
		p->over = true;
		p->position_ms = play_position_ms(p);
		p->why = (uint8_t)why;
		p->digit = digit;
		worker_call_of(w, l)->stale = true;
	}
	play_tell(w, l);
}

void play_tick(struct worker *w, struct leg *l)
{
	if (worker_leg_media(w, l)->play.over)
		play_tell(w, l);
}

/* --- a room's --- */

static void room_tell(struct worker *w, struct worker_call *c)
{
	struct worker_event e;

	memset(&e, 0, sizeof(e));
	e.kind = EVENT_PLAY_DONE;
	e.call = worker_call_ref(w, c);
	e.leg.index = LEG_INDEX_NONE;
	tell(w, &c->room.play, &e);
}

void play_room_end(struct worker *w, struct worker_call *c, enum play_end why)
{
	struct leg_play *p = &c->room.play;

	if (p->list == NULL)
		return;
	if (!p->over) {
		p->over = true;
		p->position_ms = play_position_ms(p);
		p->why = (uint8_t)why;
	}
	room_tell(w, c);
}

bool play_room_next(struct worker *w, struct worker_call *c, const int16_t **pcm)
{
	struct leg_play *p = &c->room.play;
	const struct prompt *prompt = NULL;
	uint32_t frame = 0;

	*pcm = NULL;
	if (p->over)
		room_tell(w, c);
	if (p->list == NULL || p->over)
		return false;
	enum play_next next = step(p, &prompt, &frame);

	if (next == PLAY_NEXT_FRAME)
		*pcm = prompt->pcm + (size_t)frame * LEG_FRAME;
	if (next == PLAY_NEXT_END)
		play_room_end(w, c, PLAY_END_FINISHED);
	return *pcm != NULL;
}

void play_room_after(struct worker *w, struct worker_call *c)
{
	struct leg_play *p = &c->room.play;

	if (p->list != NULL && !p->over && !settle(p))
		play_room_end(w, c, PLAY_END_FINISHED);
}

void play_listen(struct worker *w, struct leg *l, const int16_t *pcm)
{
	struct leg_media *m = worker_leg_media(w, l);
	int played = pcm != NULL ? level_dbov(pcm, LEG_FRAME) : LEVEL_SILENCE_DBOV;

	if (barge_frame(&m->barge, listen_dbov(m->listen.power), played))
		play_end(w, l, PLAY_END_SPEECH, 0);
}
