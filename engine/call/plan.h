/* What each leg of a call is sent, derived from who hears whom.
 *
 * Computed anew after every change (cold: some hundred nanoseconds); the packet path reads the
 * result. The rules, in order, for each open leg:
 *   SILENT  its direction lets us send nothing, or no remote is known, or nothing is to be heard
 *   PLAY    a playlist runs on it
 *   RELAY   it hears exactly one speaker at 0 dB, whose packets have a codec that it negotiated (RFC
 *           3264, 6.1: any of them may be sent), and no other leg has that speaker's relay
 *           already. How long the packets are does not matter: a ptime is a wish (RFC 8866, 6.4);
 *           only to a leg that takes nothing as long as a tick is nothing relayed
 *   MIX     everything else
 * A speaker is relayed to at most one leg; a leg that no monitor lays a hand on goes first, then
 * the lower slot. Speakers whose direction lets them send nothing to us (hold) are not heard.
 *
 * A monitor in mode listen therefore changes the plan of its supervisor and no other, and a
 * whispering one the agent's as well, never the customer's.
 *
 * Thread: the worker that owns the call; pure. Source for directions: RFC 3264, 6.1 and 8.4.
 */
#ifndef CALL_PLAN_H
#define CALL_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "call/hear.h"
#include "codec/codec_id.h"
#include "leg/leg_config.h"
#include "leg/leg_stats.h"

/* What the derivation must know of each slot. */
struct plan_input {
	enum leg_direction direction; /* as of our side */
	bool remote_known;            /* there is an address to send to */
	bool playing;                 /* a playlist runs */
	bool inband;                  /* its sound is searched for tones or speech, in samples */
	bool keys;                    /* for the tones of keys, which may be done in its packets */
	bool masked;                  /* tones are taken out of it: it is mixed, never relayed */
	enum codec_id codec_in;       /* of the packets it sends now; until one came: codec_out */
	enum codec_id codec_out;      /* what it is sent */
	uint8_t accepts;              /* bit c: codec c may be sent to it as well */
	bool short_only; /* it takes no packet as long as a tick: nothing is relayed to it */
};

struct plan_speaker {
	uint8_t slot;
	int16_t gain_cb;
	int32_t gain_q12; /* mix_gain_q12(gain_cb) */
};

struct plan_leg {
	enum leg_plan kind;
	uint8_t relay_of; /* RELAY: the speaker's slot; else HEAR_NONE */
	uint8_t speakers; /* MIX: entries of speaker[]; RELAY: 1; else 0 */
	struct plan_speaker speaker[CALL_LEGS_MAX]; /* by slot, ascending */
};

struct plan {
	uint16_t decode;  /* bit s: s must be decoded: mixed by someone, or inband */
	uint16_t keyed;   /* bit s: keys are looked for in its packets; it is not decoded */
	uint16_t heard;   /* bit s: relayed or mixed to someone */
	uint16_t ticking; /* bit s: s is sent PLAY or MIX: it needs the call's tick */
	uint8_t relay_to
		[CALL_LEGS_MAX]; /* by speaker: the listener it is relayed to, or HEAR_NONE */
	struct plan_leg leg[CALL_LEGS_MAX]; /* by listener */
};

/* The leg's peer may send to us / we may send to it. */
static inline bool plan_receives(enum leg_direction d)
{
	return d == LEG_SENDRECV || d == LEG_RECVONLY;
}

static inline bool plan_sends(enum leg_direction d)
{
	return d == LEG_SENDRECV || d == LEG_SENDONLY;
}

/* Derive the plan of a whole call. Slots that are not open are SILENT and in none of the sets. */
void plan_derive(struct plan *p, const struct hear *h, const struct plan_input in[CALL_LEGS_MAX]);

#endif
