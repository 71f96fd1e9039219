/* SPDX-License-Identifier: Apache-2.0 */
#include "port/steer.h"

unsigned steer_cover(uint16_t first, uint16_t last, struct steer_block block[STEER_BLOCKS_MAX])
{
	uint32_t at = first, end = (uint32_t)last + 1;
	unsigned n = 0;

	while (at < end && n < STEER_BLOCKS_MAX) {
		uint32_t size = 1;

		while (at % (size * 2) == 0 && at + size * 2 <= end)
			size *= 2;
		block[n++] = (struct steer_block){(uint16_t)at, (uint16_t) ~(size - 1)};
		at += size;
	}
	return n;
}
