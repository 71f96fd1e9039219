/* SPDX-License-Identifier: Apache-2.0
 *
 * What the listeners of one call hear at its tick: its speakers are decoded once, and each listener's sum is
 * made of them.
 */
#include <string.h>

#include "dsp/mix.h"
#include "path/path.h"
#include "worker/worker_priv.h"

/* Who spoke in this tick, spoke over the others who did. One whose peer is only relayed asks what was heard of that. */
static void talk_over(struct worker *w, const struct worker_call *c, uint16_t speaking)
{
	bool several = (speaking & (speaking - 1)) != 0;

	for (; speaking != 0; speaking &= (uint16_t)(speaking - 1)) {
		const struct leg *l = leg_at(&w->legs, c->leg[__builtin_ctz(speaking)]);
		uint32_t to = l->in.listener;

		if (several || (to != LEG_INDEX_NONE &&
				worker_leg_media(w, leg_at(&w->legs, to))->listen.speaking))
			listen_together(&worker_leg_media(w, l)->listen, TICK_MS);
	}
}

void mix_begin(struct worker *w, const struct worker_call *c)
{
	struct worker_media *wm = w->media;

	uint16_t speaking = 0;

	wm->decoded = c->decode;
	wm->all_made = false;
	wm->rate_hz = c->rate_hz;
	wm->frame = c->rate_hz / (1000 / TICK_MS);
	for (uint16_t left = c->decode; left != 0; left &= (uint16_t)(left - 1)) {
		unsigned s = (unsigned)__builtin_ctz(left);
		struct leg *l = leg_at(&w->legs, c->leg[s]);

		speaker_frame(w, l, wm->pcm[s]);
		if (worker_leg_media(w, l)->listen.speaking)
			speaking |= (uint16_t)(1u << s);
	}
	if (speaking != 0)
		talk_over(w, c, speaking);
}

/* The sum of all that were decoded at this tick. In a room everybody hears nearly that. */
static const int32_t *all_of(struct worker_media *wm, uint16_t decoded)
{
	if (!wm->all_made) {
		memset(wm->all, 0, wm->frame * sizeof(wm->all[0]));
		for (; decoded != 0; decoded &= (uint16_t)(decoded - 1))
			mix_add(wm->all, wm->pcm[__builtin_ctz(decoded)], wm->frame);
		wm->all_made = true;
	}
	return wm->all;
}

/* The speakers at 0 dB: one by one, or all less those who are not meant, whichever is shorter. */
static void plain_sum(struct worker_media *wm, uint16_t decoded, uint16_t plain)
{
	uint16_t others = (uint16_t)(decoded & ~plain);

	if (__builtin_popcount(plain) <= __builtin_popcount(others) + 2) {
		memset(wm->sum, 0, wm->frame * sizeof(wm->sum[0]));
		for (; plain != 0; plain &= (uint16_t)(plain - 1))
			mix_add(wm->sum, wm->pcm[__builtin_ctz(plain)], wm->frame);
		return;
	}
	memcpy(wm->sum, all_of(wm, decoded), wm->frame * sizeof(wm->sum[0]));
	for (; others != 0; others &= (uint16_t)(others - 1))
		mix_sub(wm->sum, wm->pcm[__builtin_ctz(others)], wm->frame);
}

/* Two speakers at 0 dB, both decoded: who listens to a call of two. */
static bool both(const struct worker_media *wm, const struct plan_leg *pl)
{
	return pl->speaker[0].gain_q12 == MIX_GAIN_ONE && pl->speaker[1].gain_q12 == MIX_GAIN_ONE &&
	       (wm->decoded >> pl->speaker[0].slot & 1) && (wm->decoded >> pl->speaker[1].slot & 1);
}

void mix_leg(struct worker *w, const struct plan_leg *pl, int16_t *pcm)
{
	struct worker_media *wm = w->media;
	uint16_t plain = 0;

	if (pl->speakers == 2 && both(wm, pl)) {
		mix_two(pcm, wm->pcm[pl->speaker[0].slot], wm->pcm[pl->speaker[1].slot], wm->frame);
		return;
	}
	for (unsigned i = 0; i < pl->speakers; i++)
		if (pl->speaker[i].gain_q12 == MIX_GAIN_ONE)
			plain |= (uint16_t)(1u << pl->speaker[i].slot);
	plain_sum(wm, wm->decoded, plain & wm->decoded);
	for (unsigned i = 0; i < pl->speakers; i++) {
		const struct plan_speaker *s = &pl->speaker[i];

		if (s->gain_q12 != MIX_GAIN_ONE && (wm->decoded & (1u << s->slot)))
			mix_add_gain(wm->sum, wm->pcm[s->slot], wm->frame, s->gain_q12);
	}
	mix_saturate(pcm, wm->sum, wm->frame);
}
