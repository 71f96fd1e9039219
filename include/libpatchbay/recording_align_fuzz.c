/* SPDX-License-Identifier: Apache-2.0
 *
 * Any stream of frames into the aligner. Whatever their times: every handle that was taken comes
 * back exactly once, places never overlap and never go back, and no frame is longer than its own
 * samples and one more.
 */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/units.h"
#include "libpatchbay/recording_align.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RATE_HZ = 8000 };

struct run {
	struct align a;
	uint64_t now_ns;
	int64_t end;
	uint8_t *taken; /* by handle number */
	size_t in, out;
};

static void take(struct run *r, uint64_t now_ns)
{
	struct align_frame f;
	struct align_place p;

	while (align_get(&r->a, now_ns, &f, &p)) {
		uint8_t *mark = f.handle;

		must(*mark == 1);
		*mark = 2;
		r->out++;
		must(p.skip + (uint64_t)p.length <= f.ticks + 1);
		if (p.length == 0)
			continue;
		must(p.at >= r->end);
		r->end = p.at + p.length;
	}
}

/* 8 bytes a frame: time step, timestamp step, ticks, and what to do besides. */
static void put(struct run *r, const uint8_t *b, uint32_t *timestamp)
{
	struct align_frame f = {.clock_hz = RATE_HZ, .ticks = (uint32_t)b[6] + 1};

	r->now_ns += (uint64_t)be16_get(b) * PB_NS_PER_MS / (b[7] & 1 ? 1 : 256);
	*timestamp += b[7] & 2 ? be32_get(b + 2) : be16_get(b + 2) % 1024;
	f.arrival_ns = r->now_ns;
	f.timestamp = *timestamp;
	f.handle = &r->taken[r->in];
	if (align_full(&r->a))
		take(r, r->now_ns);
	must(!align_full(&r->a));
	if (align_put(&r->a, &f))
		r->taken[r->in++] = 1;
	if (b[7] & 4)
		take(r, r->now_ns);
	if (b[7] & 8) {
		int64_t at = (int64_t)(r->now_ns / PB_NS_PER_S) * RATE_HZ;

		align_pass(&r->a, at);
		r->end = at > r->end ? at : r->end;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run *r = calloc(1, sizeof(*r));
	uint32_t timestamp = 0;

	if (r == NULL)
		return 0;
	r->taken = calloc(1, size / 8 + 1);
	if (r->taken != NULL) {
		align_init(&r->a, RATE_HZ);
		for (; size >= 8; data += 8, size -= 8)
			put(r, data, &timestamp);
		take(r, UINT64_MAX);
		must(r->in == r->out);
	}
	free(r->taken);
	free(r);
	return 0;
}
