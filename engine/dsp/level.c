/* SPDX-License-Identifier: Apache-2.0 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3") /* gcc 12 leaves loops of unknown length alone at -O2 */
#endif

#include "dsp/level.h"

#include <math.h>

uint64_t level_energy(const int16_t *pcm, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (uint32_t)(pcm[i] * pcm[i]);
	return sum;
}

int16_t level_dbov(const int16_t *pcm, size_t n)
{
	uint64_t energy = level_energy(pcm, n);

	if (energy == 0)
		return LEVEL_SILENCE_DBOV;

	double db = 10.0 * log10((double)energy / ((double)n * 32768.0 * 32768.0));

	return (int16_t)(db < LEVEL_SILENCE_DBOV ? LEVEL_SILENCE_DBOV : lround(db));
}
