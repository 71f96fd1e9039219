/* Codecs behind one narrow interface: from a packet's payload to samples and back.
 *
 * A codec is an immutable struct of facts and functions. One that has memory between frames (G.722,
 * Opus) says how many bytes of the caller's memory it needs for a decoder or encoder; G.711 needs
 * none and takes NULL. Samples are 16-bit linear at `rate_hz`, channels interleaved.
 *
 * Thread: any; the codecs are constant, a state belongs to one owner.
 * Sources: RFC 3551, 4.5.14 and table 4; ITU-T G.711.
 */
#ifndef CODEC_CODEC_H
#define CODEC_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "codec/codec_id.h"

enum { CODEC_PT_DYNAMIC = 0xff };

struct codec {
	enum codec_id id;
	const char *name;      /* as in SDP's rtpmap, "PCMU" */
	uint8_t pt;            /* static payload type, or CODEC_PT_DYNAMIC */
	uint8_t channels;      /* 1 or 2 */
	uint8_t quiet;         /* a payload octet that means silence, where one octet does */
	uint32_t clock_hz;     /* of RTP timestamps */
	uint32_t rate_hz;      /* of samples; G.722 differs from its clock */
	uint32_t octets_per_s; /* of payload at its usual rate */
	size_t decoder_bytes;  /* state, aligned to 16; 0: none, pass NULL */
	size_t encoder_bytes;

	/* Prepare a state; NULL when there is none. */
	void (*decoder_init)(void *state);
	void (*encoder_init)(void *state);

	/* Decode one payload into at most `max` samples (per channel). Returns how many; 0 when the
	 * payload means nothing. Whatever the bytes, writes at most `max`. */
	size_t (*decode)(void *state, int16_t *pcm, size_t max, const uint8_t *payload, size_t len);

	/* Encode `n` samples (per channel) into at most `room` octets. Returns how many; 0 when
	 * they do not fit. */
	size_t (*encode)(void *state, uint8_t *payload, size_t room, const int16_t *pcm, size_t n);

	/* Media time of a payload in RTP ticks, without decoding; 0 when it means nothing. */
	uint32_t (*ticks)(const uint8_t *payload, size_t len);
};

/* Never NULL for an id below CODEC_COUNT; NULL above. */
const struct codec *codec_of(enum codec_id id);

/* By rtpmap name, any case, and clock. NULL when we do not have it. */
const struct codec *codec_find(const char *name, uint32_t clock_hz);

#endif
