/* What is heard of one party: how loud it is, when it speaks and when it is silent, over whom it talks,
 * whether it is clipped, how much noise lies under it.
 *
 * Fed with measures of frames, which are made in one of two ways:
 *   listen_measure()  of decoded samples: all of them, exactly
 *   listen_payload()  of a G.711 payload by table, every 7th octet: for legs that are relayed and never
 *                     decoded. The offset moves from packet to packet, so that no tone hides between.
 * A frame that stands for more than itself (one packet of four is looked at) is given with the time
 * that it stands for.
 *
 * Speech is what is louder than -50 dBov and four times (6 dB) the noise, until 200 ms after it. Noise
 * is the least level within the last 1.5 to 3 s, averaged over 80 ms.
 *
 * Thread: the leg's owner; pure. Level in dBov: RFC 6465, 3.
 */
#ifndef DSP_LISTEN_H
#define DSP_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LISTEN_SPEECH_DBOV = -50, /* nothing softer is speech */
	LISTEN_HANG_MS = 200,
	LISTEN_CLIP = 32000, /* G.711's largest are 32,124 and 32,256 */
	LISTEN_UNKNOWN_DBOV = -127,
};

/* One frame, measured. */
struct listen_frame {
	uint32_t power; /* mean square of its samples, 0 to 2^30 */
	uint16_t peak;  /* largest magnitude, up to 32,768 */
};

/* All zero: nothing heard yet. One cache line. */
struct listen {
	uint64_t speech_power_ms; /* sum of power times ms, while it spoke */
	uint32_t heard_ms;        /* looked at in all */
	uint32_t speech_ms, talk_over_ms, clipped_ms;
	uint32_t silence_ms, silence_max_ms; /* the running silence, and the longest */
	uint32_t power;                      /* of the newest frame */
	uint32_t smooth;                     /* averaged over some 80 ms */
	uint32_t least, least_before; /* of `smooth` in this window and the one before; 0: none */
	uint16_t window_ms;
	uint16_t hang_ms; /* it counts as speaking for so long still */
	uint16_t peak;
	bool speaking;
};

_Static_assert(sizeof(struct listen) <= 64, "one cache line");

/* Measure `n` samples (at most 4,096). */
struct listen_frame listen_measure(const int16_t *pcm, size_t n);

/* Estimate a payload of one octet per sample from a part of its octets, which `law` turns into
 * samples (g711_ulaw_linear); `turn` is any number that changes from packet to packet. */
struct listen_frame listen_payload(const uint8_t *payload, size_t len, const int16_t law[256],
				   unsigned turn);

/* Take in a frame that stands for `ms` of sound. Returns whether the party speaks now. */
bool listen_take(struct listen *l, const struct listen_frame *f, uint16_t ms);

/* Somebody else spoke in the time of the newest frame, which stood for `ms`. */
static inline void listen_together(struct listen *l, uint16_t ms)
{
	if (l->speaking)
		l->talk_over_ms += ms;
}

/* No sound came for `ms`: silence that was not measured. */
void listen_pause(struct listen *l, uint16_t ms);

/* Power as a level: 0 to -127, rounded. */
int16_t listen_dbov(uint64_t power);

/* Level of speech, of noise, and of the largest sample, in dBov; LISTEN_UNKNOWN_DBOV while not known. */
int16_t listen_speech_dbov(const struct listen *l);
int16_t listen_noise_dbov(const struct listen *l);
int16_t listen_peak_dbov(const struct listen *l);

#endif
