/* SPDX-License-Identifier: Apache-2.0
 *
 * UUIDv7: 48 bits of milliseconds, then RFC 9562, 6.2, method 1 in the 12 bits of rand_a: a counter
 * that goes on within a millisecond and, when it would overflow or the clock stepped back, borrows
 * the next millisecond.
 */
#include "loop/clock.h"

#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "base/must.h"

static uint64_t read_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

uint64_t clock_mono_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

uint64_t clock_mono_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void clock_uuid7(struct clock_uuid_state *state, char out[CLOCK_UUID_SIZE])
{
	uint64_t ms = clock_wall_ms(), r;

	must(getrandom(&r, sizeof(r), 0) == (ssize_t)sizeof(r));
	if (ms > state->last_ms) {
		state->last_ms = ms;
		state->count = (uint16_t)(r >> 53); /* 11 bits: leaves room to count */
	} else if (++state->count > 0xfff) {
		state->last_ms++;
		state->count = 0;
	}
	ms = state->last_ms;
	snprintf(out, CLOCK_UUID_SIZE, "%08x-%04x-7%03x-%04x-%012llx", (unsigned)(ms >> 16),
		 (unsigned)(ms & 0xffff), (unsigned)state->count & 0xfff,
		 (unsigned)(0x8000 | ((r >> 32) & 0x3fff)) & 0xbfffU,
		 (unsigned long long)(((r << 16) ^ (r >> 20)) & 0xffffffffffffULL));
}
