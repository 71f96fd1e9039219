/* SPDX-License-Identifier: Apache-2.0
 *
 * Playlists: where they stand, and how they end.
 *
 * An ending is told to main exactly once, because main frees the playlist then. When the event ring has
 * no room the ending is kept (`over`) and told at a later tick; meanwhile the leg behaves as
 * if it were gone.
 */
#include <string.h>

#include "worker/worker_priv.h"

static uint32_t frames_of(const struct play_item *it)
{
	if (it->kind == PLAY_SILENCE)
		return (it->silence_ms + TICK_MS - 1) / TICK_MS;
	return it->kind == PLAY_PROMPT ? it->prompt->frames : 0;
}

/* Bring item and frame to what plays next. False: the list is finished. */
static bool settle(const struct worker *w, struct leg_play *p)
{
	const struct playlist *list = p->list;

	for (;;) {
		const struct play_item *it = &list->item[p->item];
		uint32_t frames =
			it->kind == PLAY_TONE ? w->media->tone[it->tone].frames : frames_of(it);

		if (p->frame < frames)
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

/* The prompt and frame of it that come next; *prompt NULL: silence. */
static enum play_next step(const struct worker *w, struct leg_play *p, const struct prompt **prompt,
			   uint32_t *frame)
{
	if (!settle(w, p))
		return PLAY_NEXT_END;

	const struct play_item *it = &p->list->item[p->item];

	*frame = p->frame++;
	p->pass++;
	p->played++;
	if (it->kind == PLAY_SILENCE)
		return PLAY_NEXT_QUIET;
	*prompt = it->kind == PLAY_TONE ? &w->media->tone[it->tone] : it->prompt;
	return PLAY_NEXT_FRAME;
}

enum play_next play_next(struct worker *w, struct leg *l, const uint8_t **coded,
			 const int16_t **pcm)
{
	const struct prompt *prompt = NULL;
	uint32_t frame = 0;
	enum play_next next = step(w, &worker_leg_media(w, l)->play, &prompt, &frame);

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
	return !settle(w, &worker_leg_media(w, l)->play);
}

/* Tell that the play is over. False: no room, later. `e` names whose it was. */
static bool tell(struct worker *w, struct leg_play *p, struct worker_event *e)
{
	e->play.play = p->play;
	e->play.why = (enum play_end)p->why;
	e->play.digit = p->digit;
	e->play.played_ms = p->played * TICK_MS;
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
	if (step(w, p, &prompt, &frame) == PLAY_NEXT_FRAME)
		*pcm = prompt->pcm + (size_t)frame * LEG_FRAME;
	if (!settle(w, p))
		play_room_end(w, c, PLAY_END_FINISHED);
	return *pcm != NULL;
}
