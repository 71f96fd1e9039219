/* Stored frames of real sound in one codec: what a telephone says that is to be transcoded. A second or more of a sound file,
 * encoded once beforehand by the codec modules of the engine, said again and again.
 *
 * Thread: none of its own.
 */
#ifndef GEN_REEL_H
#define GEN_REEL_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/codec.h"

enum {
	GEN_REEL_FRAMES = 100, /* of 20 ms */
	GEN_REEL_OCTETS = 164, /* of one: what a slot of the film has left beside SRTP's tag */
};

struct gen_reel {
	const struct codec *codec;
	uint32_t ticks; /* of the RTP clock in 20 ms */
	uint32_t frames;
	uint8_t len[GEN_REEL_FRAMES];
	uint8_t octets[GEN_REEL_FRAMES][GEN_REEL_OCTETS];
};

/* Encode the beginning of a sound file (any rate, the first channel). Returns false with a sentence on stderr: no
 * such codec, no such file, too short, or without memory. */
bool gen_reel_make(struct gen_reel *r, const char *codec, const char *sound);

#endif
