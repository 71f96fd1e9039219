/* A recording's small facts in 59 bits, which every index of the shelf carries.
 *
 *	bit  0  direction, 2 bits: 0 unknown, 1 in, 2 out, 3 internal
 *	     2  result, 5          7  kind, 3
 *	    10  duration class, 4: the number of its bounds that it reaches (shelf_duration_class)
 *	    14  holds, 3: 7 is 7 or more
 *	    17  silence, 4: sixteenths of the duration
 *	    21  quality, 4: 0 unknown, else 1 + (MOS - 1) * 4
 *	    25  queue, 10         35  team, 8         43  agent, 16
 *
 * Words are numbered as they come; a number that does not fit is all ones, "some other", and the
 * column itself decides. So a test of traits may let too much through, never too little.
 *
 * Thread: pure.
 */
#ifndef ARCHIVE_SHELF_TRAITS_H
#define ARCHIVE_SHELF_TRAITS_H

#include <stdint.h>

struct trait {
	uint8_t shift, bits;
};

static const struct trait trait_direction = {0, 2}, trait_result = {2, 5}, trait_kind = {7, 3},
			  trait_duration = {10, 4}, trait_holds = {14, 3}, trait_silence = {17, 4},
			  trait_quality = {21, 4}, trait_queue = {25, 10}, trait_team = {35, 8},
			  trait_agent = {43, 16};

static inline uint32_t trait_max(struct trait t)
{
	return (1U << t.bits) - 1;
}

/* The value as it is in the bits. */
static inline uint64_t trait_clip(struct trait t, uint64_t value)
{
	return value < trait_max(t) ? value : trait_max(t);
}

static inline uint64_t trait_put(struct trait t, uint64_t value)
{
	return trait_clip(t, value) << t.shift;
}

static inline unsigned shelf_duration_class(int64_t ms)
{
	static const int32_t bound_s[] = {5,   10,  20,   30,   60,   120,  180, 300,
					  600, 900, 1200, 1800, 2700, 3600, 7200};
	unsigned k = 0;

	while (k < sizeof(bound_s) / sizeof(bound_s[0]) && ms >= (int64_t)bound_s[k] * 1000)
		k++;
	return k;
}

static inline unsigned shelf_silence_class(double share)
{
	return share <= 0 ? 0 : share >= 1 ? 15 : (unsigned)(share * 16);
}

static inline unsigned shelf_quality_class(double mos)
{
	return mos < 1 ? 0 : mos >= 4.5 ? 15 : 1 + (unsigned)((mos - 1) * 4);
}

#endif
