/* Comfort noise: what silence sounds like on the other side.
 *
 * A payload of RFC 3389 is a level in -dBov and, optionally, reflection coefficients of an all-pole
 * filter. Hearing one sets a generator; measuring one's own quiet sound makes one (level and up to
 * NOISE_ORDER coefficients).
 *
 * Thread: the owner of the struct; pure. Source: RFC 3389, 3 and 4.
 */
#ifndef DSP_NOISE_H
#define DSP_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NOISE_ORDER = 10, NOISE_PAYLOAD_MAX = 1 + NOISE_ORDER, NOISE_SILENT_DBOV = 127 };

struct noise {
	uint8_t level; /* -dBov, 0..127; 127: digital silence */
	uint8_t order;
	uint32_t random;
	float gain; /* of white noise of variance 1 in front of the filter */
	float reflect[NOISE_ORDER];
	float delay[NOISE_ORDER]; /* of the lattice */
};

/* Silence, until something is heard. `seed`: any number, so that two legs differ. */
void noise_init(struct noise *g, uint32_t seed);

/* A payload came. False, and nothing changes: it has no octets. More coefficients than NOISE_ORDER
 * are left out, and the level kept. */
bool noise_hear(struct noise *g, const uint8_t *payload, size_t len);

/* The next `n` samples. */
void noise_next(struct noise *g, int16_t *pcm, size_t n);

/* Describe a quiet frame: writes at most NOISE_PAYLOAD_MAX octets, returns how many. */
size_t noise_describe(uint8_t payload[NOISE_PAYLOAD_MAX], const int16_t *pcm, size_t n);

#endif
