/* SPDX-License-Identifier: Apache-2.0
 *
 * Recording: one payload, copied to the recordings whose customer this leg is.
 *
 * While digits are being collected in secret, what the customer says is recorded as silence: a
 * phone that sends telephone-events often leaves the tones in the sound as well.
 *
 * A frame touches six places that only lead to one another: call, leg, tap, extent. Each was last
 * seen 20 ms ago and is a miss; tap_fetch() lets the misses of a burst overlap.
 */
#include <rte_prefetch.h>

#include "worker/worker_priv.h"

void tap_fetch(struct worker *w, struct leg *const *leg, uint16_t n)
{
	for (uint16_t k = 0; k < n; k++) {
		const struct worker_call *call = worker_call_of(w, leg[k]);
		const struct leg_media *m = worker_leg_media(w, leg[k]);

		rte_prefetch0(&call->recording[0]);
		rte_prefetch0(&call->recording[2]);
		rte_prefetch0(&m->slot);
		rte_prefetch0(&m->collect.active);
	}
	for (uint16_t k = 0; k < n; k++) {
		const struct worker_call *call = worker_call_of(w, leg[k]);

		for (unsigned i = 0; i < CALL_RECORDINGS_MAX; i++)
			if (call->recording[i].tap != NULL)
				rec_tap_fetch(call->recording[i].tap);
	}
	for (uint16_t k = 0; k < n; k++) {
		const struct worker_call *call = worker_call_of(w, leg[k]);

		for (unsigned i = 0; i < CALL_RECORDINGS_MAX; i++)
			if (call->recording[i].tap != NULL)
				rec_tap_fetch_frame(call->recording[i].tap);
	}
}

void tap_frame(struct worker *w, struct leg *l, uint8_t channel, uint8_t codec, uint16_t seq,
	       uint32_t ts, const uint8_t *payload, uint16_t len)
{
	const struct worker_call *call = worker_call_of(w, l);
	const struct leg_media *m = worker_leg_media(w, l);
	struct rec_frame f = {.now_ns = w->now_ns,
			      .timestamp = ts,
			      .seq = seq,
			      .channel = channel,
			      .codec = rec_tap_codec((enum codec_id)codec),
			      .len = len,
			      .payload = payload};

	if (channel == 0 && collect_runs(m) && m->collect.secret) {
		if (len > QUIET_BYTES)
			f.len = QUIET_BYTES;
		f.payload = w->media->quiet[codec];
	}
	for (unsigned i = 0; i < CALL_RECORDINGS_MAX; i++)
		if (call->recording[i].tap != NULL && call->recording[i].slot == m->slot)
			rec_tap_frame(call->recording[i].tap, &f);
}
