/* Making a short piece of sound shorter or longer without its being heard: the jitter buffer's way to
 * change its delay.
 *
 * Out of speech a pitch period is taken, or one is repeated: the piece's beginning is cross-faded with
 * what lies one period later (or earlier), at the period where both are most alike. Pieces that are
 * nearly silent have no period and need none. Where nothing is alike enough, or where the
 * cross-fade would hold a step from one sample to the next that is larger than any in the piece itself,
 * nothing is done: the caller tries again with the next piece.
 *
 * The first sample stays the first and the last the last, so that the piece fits its neighbours.
 *
 * Thread: any; pure. Source: the overlap-add of Verhelst and Roelands, "WSOLA" (ICASSP 1993), for one
 * segment. Costs some microseconds at 8 kHz; to be called when asked for, not for each packet.
 */
#ifndef DSP_SLIP_H
#define DSP_SLIP_H

#include <stddef.h>
#include <stdint.h>

enum {
	SLIP_PERIOD_MIN_US = 2500,  /* 400 Hz */
	SLIP_PERIOD_MAX_US = 12500, /* 80 Hz; also at most half of the piece */
};

/* Take at most `most` samples out of pcm[0 .. n), one channel at `rate_hz` (8000 to 48000). Returns how
 * many: 0 when it was left as it is. */
size_t slip_shorten(int16_t *pcm, size_t n, size_t most, uint32_t rate_hz);

/* Put at most `most` samples in; pcm has room for n + most. Returns how many. */
size_t slip_lengthen(int16_t *pcm, size_t n, size_t most, uint32_t rate_hz);

#endif
