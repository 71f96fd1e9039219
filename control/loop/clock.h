/* The two clocks of the daemon and the ids that sort by time.
 *
 * Wall time names moments in records and events; it may be set back by an operator. Everything that
 * is measured or waited for uses the other one.
 *
 * Thread: any.
 */
#ifndef LOOP_CLOCK_H
#define LOOP_CLOCK_H

#include <stdint.h>

enum { CLOCK_UUID_SIZE = 37 };

/* Milliseconds since the Unix epoch. */
uint64_t clock_wall_ms(void);

/* Milliseconds of a clock that never goes back; its origin means nothing. */
uint64_t clock_mono_ms(void);

/* The same in microseconds, for what is measured. */
uint64_t clock_mono_us(void);

/* A UUIDv7 (RFC 9562, 5.7) in lower case with its NUL. Ids made by one process sort in the order in
 * which they were made, also within a millisecond: `last` (start with zero) carries the order. */
struct clock_uuid_state {
	uint64_t last_ms;
	uint16_t count;
};
void clock_uuid7(struct clock_uuid_state *state, char out[CLOCK_UUID_SIZE]);

#endif
