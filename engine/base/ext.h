/* Widening of wrapping counters: 16-bit sequence numbers and 32-bit timestamps to 64 bits.
 *
 * Each function takes the last widened value and a new narrow one and returns the widened
 * value nearest to the last (RFC 3550, A.1 in spirit). Start the series at a value of at
 * least 2^32 (EXT_ORIGIN) so that going back before the first packet cannot underflow.
 *
 * Thread: any; pure.
 */
#ifndef BASE_EXT_H
#define BASE_EXT_H

#include <stdint.h>

#define EXT_ORIGIN (UINT64_C(1) << 40)

static inline uint64_t ext16(uint64_t last, uint16_t narrow)
{
	return last + (uint64_t)(int64_t)(int16_t)(uint16_t)(narrow - (uint16_t)last);
}

static inline uint64_t ext32(uint64_t last, uint32_t narrow)
{
	return last + (uint64_t)(int64_t)(int32_t)(uint32_t)(narrow - (uint32_t)last);
}

#endif
