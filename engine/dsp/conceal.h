/* Concealment of lost frames at 8 kHz: the last pitch period, repeated and faded out within 50 ms.
 *
 * Every good frame must pass conceal_good(), which remembers it and, after a loss, blends it in; it
 * costs 30 ns, the first lost frame 4 us.
 *
 * Thread: the leg's owner. spandsp's concealment (after ITU-T G.711 Appendix I) in the caller's
 * memory.
 */
#ifndef DSP_CONCEAL_H
#define DSP_CONCEAL_H

#include <stddef.h>
#include <stdint.h>

struct conceal;

/* Bytes and alignment (16) of the caller's memory. */
size_t conceal_bytes(void);

/* Begin with silence before the first frame. */
void conceal_init(struct conceal *c);

/* `n` samples that came. May change the first ones (blending with what was made up). */
void conceal_good(struct conceal *c, int16_t *pcm, size_t n);

/* Make up `n` samples in `pcm`. */
void conceal_lost(struct conceal *c, int16_t *pcm, size_t n);

#endif
