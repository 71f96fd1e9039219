/* What a leg needs when its sound is decoded or made at another rate than its codec's, by a codec that
 * remembers, or in packets that are not a tick long: states, resamplers, and samples that wait.
 *
 *   payload ─► decode ─► to the call's rate ─► queue ─► a tick's frame        (for those who hear it)
 *   frame ─► to the codec's rate ─► pack ─► encode ─► payloads of the ptime   (for its peer)
 *
 * A leg that is relayed, and a G.711 leg of 20 ms in a call at 8 kHz, needs none. The others take
 * one from their worker's pool while they need it. Nothing here allocates but coder_make().
 *
 * Thread: the leg's owner; pure. Sources: RFC 3551, RFC 7587.
 */
#ifndef LEG_CODER_H
#define LEG_CODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/codec.h"

struct coder;
struct conceal;

enum {
	CODER_TICK_MS = 20,
	CODER_FRAME_MAX = CODEC_RATE_MAX_HZ / 1000 * CODER_TICK_MS,
	CODER_NARROW_HZ = 8000, /* what is listened to for keys, levels and tones */
	CODER_NARROW_FRAME = CODER_NARROW_HZ / 1000 * CODER_TICK_MS,
};

/* Bytes of one, 64-byte aligned and zero before coder_make(). */
size_t coder_bytes(void);

/* Once, at start; returns 0 or -ENOMEM. And at the end. */
int coder_make(struct coder *c);
void coder_free(struct coder *c);

/* A leg takes it: everything begins anew. `conceal` is the leg's own, for codecs without one. */
void coder_begin(struct coder *c, struct conceal *conceal);

/* ---- what the leg says ---- */

/* The call's rate, 8, 16 or 48 kHz. What waits is dropped when it changes. */
void coder_listen_at(struct coder *c, uint32_t rate_hz);

/* Another source, or a pause that nobody decoded: forget what was heard. */
void coder_restart(struct coder *c);

/* Samples that wait, at the call's rate. */
uint32_t coder_queued(const struct coder *c);

/* Decode a payload to the end of the queue; a payload that means nothing, or finds no room, is left
 * out. Returns the samples added. */
uint32_t coder_decode(struct coder *c, const struct codec *codec, const uint8_t *payload,
		      size_t len);

/* Make the newest `n` samples of the queue longer by at most `wish` (shorter, when negative), where it
 * cannot be heard (dsp/slip.h). Returns by how much. */
int32_t coder_slip(struct coder *c, uint32_t n, int32_t wish);

/* `n` samples at the call's rate are missing. `next`: the packet after them where it is known, else NULL.
 * True: they were recovered from it, not made up. */
bool coder_missing(struct coder *c, uint32_t n, const struct codec *codec, const uint8_t *next,
		   size_t next_len);

/* A pause that the sender left: `n` samples as its codec fills one (comfort noise by DTX), else
 * silence. */
void coder_pause(struct coder *c, uint32_t n);

/* Add samples made elsewhere (noise), at the call's rate. */
void coder_queue(struct coder *c, const int16_t *pcm, uint32_t n);

/* Take a tick's frame off the queue, which must hold one. `narrow`: the same at 8 kHz. */
void coder_frame(struct coder *c, int16_t *pcm, int16_t narrow[CODER_NARROW_FRAME]);

/* ---- what the leg hears ---- */

struct coder_packet {
	uint8_t payload[CODEC_PAYLOAD_MAX];
	uint16_t len; /* 0: silence that need not be sent (DTX) */
	uint32_t
		ticks; /* from the first sample of the tick's frame to the packet's; may be before it */
};

/* What is sent next has this codec, ptime (codec_ptime_ms()) and tuning; a change of codec drops what
 * waits. `rate_hz`: of the frames to come. */
void coder_speak(struct coder *c, const struct codec *codec, uint16_t ptime_ms, uint32_t rate_hz);
void coder_tune(struct coder *c, const struct codec_tune *tune);

/* Drop what waits: the next frame does not follow the last one. */
void coder_speak_anew(struct coder *c);

/* A tick's frame, at the rate of coder_speak(). Then call coder_next() until it says false. */
void coder_hear(struct coder *c, const int16_t *pcm);
bool coder_next(struct coder *c, struct coder_packet *p);

#endif
