/* SPDX-License-Identifier: Apache-2.0
 *
 * For any series of puts, notes, gets and restarts: a packet handed in comes back exactly once,
 * from jbuf_put() itself, jbuf_get() or jbuf_drain(); packets come out in the order of their
 * numbers; every answer but a discard is worth at least one tick, so a caller's loop ends; a buffer
 * never holds more than its slots. Input: records of 8 bytes: operation and time, sequence,
 * timestamp, ticks. Sequence numbers are given as steps of up to 8,192 from the newest packet that
 * was kept, so that their true order is known.
 */
#include <stdalign.h>
#include <string.h>

#include "base/ext.h"
#include "base/must.h"
#include "base/units.h"
#include "jbuf/jbuf.h"

enum { SLOTS = 16, PACKETS = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
	bool held[PACKETS]; /* by the buffer */
	uint64_t seq[PACKETS];
	uint32_t n;
	uint64_t newest;
	uint64_t last; /* the number that came out last, or 0 */
};

static uint64_t seq_of(const struct fuzz *f, const uint8_t *p)
{
	return f->newest + be16_get(p + 1) / 4 - 8191;
}

static void back(struct fuzz *f, void *pkt)
{
	uintptr_t i = (uintptr_t)pkt - 1;

	must(i < f->n && f->held[i]);
	f->held[i] = false;
	must(f->seq[i] > f->last);
	f->last = f->seq[i];
}

static void put(struct fuzz *f, struct jbuf *jb, const uint8_t *p, uint64_t now_ns)
{
	if (f->n == PACKETS)
		return;

	uint64_t seq = seq_of(f, p);

	f->seq[f->n] = seq;
	f->held[f->n] = jbuf_put(jb, (void *)(uintptr_t)(f->n + 1), (uint16_t)seq,
				 (uint32_t)be16_get(p + 3) << 8 | p[5], 1U + be16_get(p + 6) % 3000,
				 now_ns) == JBUF_PUT_KEPT;
	if (f->held[f->n] && seq > f->newest)
		f->newest = seq;
	f->n++;
}

static void get(struct fuzz *f, struct jbuf *jb, const uint8_t *p, uint64_t now_ns)
{
	uint32_t want = 1U + be16_get(p + 6) % 3000;
	struct jbuf_out out;
	enum jbuf_get got = jbuf_get(jb, now_ns, want, &out);

	if (got == JBUF_GET_READY || got == JBUF_GET_DISCARD) {
		back(f, out.pkt);
	} else {
		must(out.pkt == NULL && out.ticks > 0);
		must(got == JBUF_GET_LOST || out.ticks == want);
		must(got != JBUF_GET_UNDERRUN || jbuf_held(jb) == 0);
	}
}

static void restart(struct fuzz *f, struct jbuf *jb)
{
	void *pkt;

	while ((pkt = jbuf_drain(jb)) != NULL)
		back(f, pkt);
	jbuf_restart(jb);
	f->last = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static alignas(64) unsigned char memory[4096];
	struct jbuf_config cfg = {.clock_hz = 8000, .slots = SLOTS, .min_ms = 20, .max_ms = 200};
	struct jbuf *jb = (struct jbuf *)(void *)memory;
	struct fuzz f;
	uint64_t now_ns = 0;

	memset(&f, 0, sizeof(f));
	f.newest = EXT_ORIGIN;
	must(jbuf_bytes(SLOTS) <= sizeof(memory));
	must(jbuf_init(jb, &cfg) == 0);
	for (; size >= 8; data += 8, size -= 8) {
		now_ns += (uint64_t)(data[0] >> 3) * 2 * PB_NS_PER_MS;
		switch (data[0] & 7) {
		case 0:
			jbuf_note(jb, (uint16_t)seq_of(&f, data));
			break;
		case 1:
			if (data[1] == 0)
				restart(&f, jb);
			break;
		case 2:
		case 3:
		case 4:
			get(&f, jb, data, now_ns);
			break;
		default:
			put(&f, jb, data, now_ns);
			break;
		}
		must(jbuf_held(jb) <= SLOTS);
	}
	restart(&f, jb);
	for (uint32_t i = 0; i < f.n; i++)
		must(!f.held[i]);
	return 0;
}
