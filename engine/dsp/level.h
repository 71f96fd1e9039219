/* How loud a frame is.
 *
 * Thread: any; pure. Source: RFC 6465, 3 (dBov: relative to the overload of a 16-bit sample).
 */
#ifndef DSP_LEVEL_H
#define DSP_LEVEL_H

#include <stddef.h>
#include <stdint.h>

enum { LEVEL_SILENCE_DBOV = -127 };

/* Sum of squares of `n` samples (n at most 2^33). */
uint64_t level_energy(const int16_t *pcm, size_t n);

/* Level of a frame in dBov, rounded to nearest: 0 (a square wave at full scale) down to -127
 * (silence, or n = 0). A full-scale sine is -3. */
int16_t level_dbov(const int16_t *pcm, size_t n);

#endif
