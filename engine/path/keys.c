/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys pressed as tones.
 *
 * Of a leg that is decoded for others they are looked for in what is played, at the call's tick. When nobody needs
 * its samples (it is relayed, or hears a menu), its packets are searched as they come (LEG_IN_KEYS): no copy, no jitter
 * buffer, no tick. What came out of order is left out then, and so is the time of what was lost: a tone of 80 ms
 * with 20 ms missing is still a press, and one only. A pause of the speaker is not lost time; silence stands for it, or the same
 * key before and after would be one press.
 */
#include <string.h>

#include "codec/codec.h"
#include "worker/worker_priv.h"

enum {
	DETECT_MS = 26,   /* a key's tones are recognised this long after they began */
	RELEASE = 3 * 102 /* samples of silence that end a press: three of the detector's blocks */
};

void keys_hear(struct worker *w, struct leg *l, const int16_t *pcm, uint32_t samples)
{
	struct dtmf_detect_news news[4];
	size_t n = dtmf_detect_listen(worker_leg_media(w, l)->detect, pcm, samples, news, 4);

	for (size_t i = 0; i < n; i++)
		if (news[i].pressed)
			dtmf_pressed(w, l, news[i].code, DTMF_SOURCE_INBAND, DETECT_MS);
}

void keys_take(struct worker *w, struct leg *l, uint8_t codec, const struct rtp_view *v,
	       const uint8_t *payload, uint32_t step)
{
	static const int16_t silence[RELEASE];
	struct leg_media *m = worker_leg_media(w, l);
	uint32_t lost = step > 1 ? (step - 1) * v->payload_len : 0;
	int32_t pause = (int32_t)(v->ts - m->keys_ts - lost);
	int16_t pcm[LEG_FRAME];

	if (codec >= CODEC_G711_COUNT)
		return;
	m->keys_ts = v->ts + v->payload_len;
	if (pause > 0 || step == 0)
		keys_hear(w, l, silence, RELEASE);
	for (uint32_t at = 0, n; at < v->payload_len; at += n) {
		n = v->payload_len - at < LEG_FRAME ? v->payload_len - at : LEG_FRAME;
		codec_of((enum codec_id)codec)->decode(NULL, pcm, LEG_FRAME, payload + at, n);
		keys_hear(w, l, pcm, n);
	}
	if (worker_call_of(w, l)->stale)
		replan(w, worker_call_of(w, l));
}

void keys_fetch(const struct worker *w, struct leg *const *leg, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		__builtin_prefetch(worker_leg_media(w, leg[i]), 1);
	for (uint16_t i = 0; i < n; i++)
		dtmf_detect_fetch(worker_leg_media(w, leg[i])->detect);
}
