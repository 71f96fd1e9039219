/* SPDX-License-Identifier: Apache-2.0
 *
 * spandsp keeps the last 35 ms in a ring and, at the first lost frame, turns it so that the oldest
 * sample comes first - with a memcpy() onto itself (0.0.6), which is undefined. We turn it
 * ourselves before the call; spandsp then finds nothing to turn.
 */
#include "dsp/conceal.h"

#include <spandsp.h>
#include <string.h>

#include "base/must.h"

struct conceal {
	plc_state_t plc;
};

size_t conceal_bytes(void)
{
	return (sizeof(struct conceal) + 15) & ~(size_t)15;
}

void conceal_init(struct conceal *c)
{
	memset(c, 0, sizeof(*c));
	must(plc_init(&c->plc) == &c->plc);
}

void conceal_good(struct conceal *c, int16_t *pcm, size_t n)
{
	plc_rx(&c->plc, pcm, (int)n);
}

static void turn_history(plc_state_t *s)
{
	int16_t newest[PLC_HISTORY_LEN];
	size_t n = (size_t)s->buf_ptr;

	must(n <= PLC_HISTORY_LEN);
	memcpy(newest, s->history, n * sizeof(*newest));
	memmove(s->history, s->history + n, (PLC_HISTORY_LEN - n) * sizeof(*newest));
	memcpy(s->history + PLC_HISTORY_LEN - n, newest, n * sizeof(*newest));
	s->buf_ptr = 0;
}

void conceal_lost(struct conceal *c, int16_t *pcm, size_t n)
{
	turn_history(&c->plc);
	plc_fillin(&c->plc, pcm, (int)n);
}
