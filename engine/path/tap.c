/* SPDX-License-Identifier: Apache-2.0
 *
 * Recording: one payload, copied to the recordings whose customer this leg is.
 *
 * A frame goes to its tap and from there to an extent; each was last seen 20 ms ago and is a miss.
 * tap_fetch() lets the misses of a burst overlap. Most legs have one recording, and know its tap.
 */

#include "worker/worker_priv.h"

static struct rec_tap *only_tap(const struct leg *l, uint8_t channel)
{
	return channel == 0 ? l->in.tap : l->out.tap;
}

void tap_fetch(struct leg *const *leg, uint16_t n, uint8_t channel)
{
	for (uint16_t k = 0; k < n; k++) {
		const struct rec_tap *tap = only_tap(leg[k], channel);

		if (tap != NULL)
			rec_tap_fetch(tap);
	}
	for (uint16_t k = 0; k < n; k++) {
		const struct rec_tap *tap = only_tap(leg[k], channel);

		if (tap != NULL)
			rec_tap_fetch_frame(tap);
	}
}

void tap_frame(struct worker *w, struct leg *l, uint8_t channel, uint8_t codec, uint16_t seq,
	       uint32_t ts, const uint8_t *payload, uint16_t len)
{
	struct rec_tap *tap = only_tap(l, channel);
	struct rec_frame f = {.now_ns = w->now_ns,
			      .timestamp = ts,
			      .seq = seq,
			      .channel = channel,
			      .codec = rec_tap_codec((enum codec_id)codec),
			      .len = len,
			      .payload = payload};

	if (tap != NULL) {
		rec_tap_frame(tap, &f);
		return;
	}

	const struct worker_call *call = worker_call_of(w, l);
	uint32_t leg = leg_index(&w->legs, l);

	for (unsigned i = 0; i < CALL_RECORDINGS_MAX; i++)
		if (call->recording[i].tap != NULL && call->recording[i].leg == leg)
			rec_tap_frame(call->recording[i].tap, &f);
}

void tap_no_sound(struct worker *w, struct leg *l, uint8_t channel)
{
	const struct worker_call *call = worker_call_of(w, l);
	uint32_t leg = leg_index(&w->legs, l);

	for (unsigned i = 0; i < CALL_RECORDINGS_MAX; i++)
		if (call->recording[i].tap != NULL && call->recording[i].leg == leg)
			rec_tap_no_sound(call->recording[i].tap, channel);
}
