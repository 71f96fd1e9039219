/* Codecs behind one narrow interface: from a packet's payload to samples and back.
 *
 * A codec is an immutable struct of facts and functions. One that has memory between frames (G.722,
 * Opus, G.729) says how many bytes of the caller's memory it needs for a decoder or encoder; the
 * others need none and take NULL. Samples are 16-bit linear, channels interleaved, at the rate that
 * the state was prepared for: `rate_hz`, or for a codec with `any_rate` 8, 16 or 48 kHz.
 *
 *   bytes  = codec_decoder_bytes(c)          memory, aligned to 64, all zero at first
 *   c->decoder_make(state)                   once, where memory may be allocated (main, at start)
 *   c->decoder_init(state, rate_hz)          begin a stream; again and again, anywhere, allocates nothing
 *   n = c->decode(state, pcm, max, p, len)   per packet; conceal() or recover() for one that is missing
 *   c->decoder_free(state)                   at the end, what make() allocated
 *
 * and the same for encoders. Function pointers that a codec does not need are NULL; the inline
 * functions below call what is there.
 *
 * Thread: any; the codecs are constant, a state belongs to one owner.
 * Sources: RFC 3551, 4.5 and table 4; RFC 7587 (Opus); ITU-T G.711, G.722, G.729.
 */
#ifndef CODEC_CODEC_H
#define CODEC_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/codec_id.h"

enum {
	CODEC_PT_DYNAMIC = 0xff,
	CODEC_PTIME_MAX_MS = 60,   /* of what is sent */
	CODEC_PACKET_MAX_MS = 120, /* of what is received */
	CODEC_RATE_MAX_HZ = 48000,
	CODEC_PAYLOAD_MAX = 1400, /* octets that a payload made here may have */
};

/* What an encoder may be told, between any two frames. Codecs without the feature ignore it. */
struct codec_tune {
	uint8_t complexity;   /* 0..10: time for quality */
	uint8_t loss_percent; /* that the peer reports; FEC is sized by it */
	bool fec;             /* send redundant sound for the frame before */
	bool dtx;             /* send nothing, or hardly anything, for silence */
	bool fixed;           /* constant bit rate: every payload of one time is as long */
	uint32_t bits_per_s;  /* 0: the codec's own choice */
};

struct codec {
	enum codec_id id;
	const char *name;      /* as in SDP's rtpmap, "PCMU" */
	uint8_t pt;            /* static payload type, or CODEC_PT_DYNAMIC */
	uint8_t channels;      /* of samples; a stereo payload is mixed down to one */
	uint8_t quiet;         /* a payload octet that means silence, where one octet does */
	uint8_t frame_ms;      /* what is encoded at once is a multiple of this */
	uint8_t ptime_max_ms;  /* longest payload to send, at most CODEC_PTIME_MAX_MS */
	bool any_rate;         /* a state can be prepared for 8, 16 or 48 kHz */
	uint32_t clock_hz;     /* of RTP timestamps */
	uint32_t rate_hz;      /* of samples; G.722 differs from its clock */
	uint32_t octets_per_s; /* of payload made by encode_fixed(): n ms are always as long */

	/* State, aligned to 64; NULL: none, pass NULL. */
	size_t (*decoder_bytes)(void);
	size_t (*encoder_bytes)(void);

	/* What must be allocated outside the caller's memory. Returns 0 or -ENOMEM. */
	int (*decoder_make)(void *state);
	int (*encoder_make)(void *state);
	void (*decoder_free)(void *state);
	void (*encoder_free)(void *state);

	/* Prepare a state as if nothing had been before. `rate_hz` 0: the codec's own. */
	void (*decoder_init)(void *state, uint32_t rate_hz);
	void (*encoder_init)(void *state, uint32_t rate_hz);

	/* Decode one payload into at most `max` samples (per channel). Returns how many; 0 when the
	 * payload means nothing. Whatever the bytes, writes at most `max`. */
	size_t (*decode)(void *state, int16_t *pcm, size_t max, const uint8_t *payload, size_t len);

	/* Make up `n` samples for a packet that is missing, or for a pause that the sender left
	 * (DTX). NULL: dsp/conceal serves. */
	void (*conceal)(void *state, int16_t *pcm, size_t n);

	/* The `n` samples before `next`, from the redundancy in it; false: it has none, nothing
	 * was written and the decoder is unchanged. NULL: no such thing. */
	bool (*recover)(void *state, int16_t *pcm, size_t n, const uint8_t *next, size_t len);

	/* Encode `n` samples (per channel), a multiple of frame_ms, into at most `room` octets.
	 * Returns how many; 0 when they do not fit, or when silence need not be sent (DTX). */
	size_t (*encode)(void *state, uint8_t *payload, size_t room, const int16_t *pcm, size_t n);
	void (*encoder_tune)(void *state, const struct codec_tune *tune);

	/* Media time of a payload in RTP ticks, without decoding; 0 when it means nothing. */
	uint32_t (*ticks)(const uint8_t *payload, size_t len);
};

/* Never NULL for an id below CODEC_COUNT; NULL above. */
const struct codec *codec_of(enum codec_id id);

/* By rtpmap name, any case, and clock. NULL when we do not have it. */
const struct codec *codec_find(const char *name, uint32_t clock_hz);

/* The longest of any codec, for a place that must hold whichever comes. */
size_t codec_decoder_bytes_max(void);
size_t codec_encoder_bytes_max(void);

/* The payload time nearest to `wanted_ms` (0: 20) that can be sent: at most it, else the shortest. */
uint16_t codec_ptime_ms(const struct codec *c, uint16_t wanted_ms);

/* A whole sound at once, for prompts: `n` samples at `rate_hz`, which is codec_rate_for(c, ...), in
 * payloads of 20 ms, each exactly codec_fixed_octets() long, one after the other in at most `room`
 * octets at `out`; what is left of the last is silence. `state` has been made. Returns the payloads. */
size_t codec_encode_fixed(const struct codec *c, void *state, uint8_t *out, size_t room,
			  const int16_t *pcm, size_t n, uint32_t rate_hz);

static inline size_t codec_decoder_bytes(const struct codec *c)
{
	return c->decoder_bytes != NULL ? c->decoder_bytes() : 0;
}

static inline size_t codec_encoder_bytes(const struct codec *c)
{
	return c->encoder_bytes != NULL ? c->encoder_bytes() : 0;
}

/* Octets of 20 ms as codec_encode_fixed() makes them. */
static inline size_t codec_fixed_octets(const struct codec *c)
{
	return c->octets_per_s / 50;
}

/* The rate at which a state of `c` meets sound at `rate_hz` best: that one, or the codec's own. */
static inline uint32_t codec_rate_for(const struct codec *c, uint32_t rate_hz)
{
	return c->any_rate ? rate_hz : c->rate_hz;
}

/* RTP ticks of a time in nanoseconds. */
static inline uint32_t codec_ticks_of_ns(uint32_t clock_hz, uint64_t ns)
{
	return clock_hz == 8000 ? (uint32_t)(ns / 125000)
				: (uint32_t)(ns / 1000 * (clock_hz / 1000) / 1000);
}

#endif
