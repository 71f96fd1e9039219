/* SPDX-License-Identifier: Apache-2.0
 *
 * The block is jitter buffer | detector | concealment, each on its own cache line.
 */
#include "leg/leg_media.h"

#include <string.h>

static size_t line(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

size_t leg_media_block_bytes(void)
{
	return line(jbuf_bytes(LEG_JBUF_SLOTS)) + line(dtmf_detect_bytes()) + line(conceal_bytes());
}

void leg_media_bind(struct leg_media *m, void *block)
{
	uint8_t *at = block;

	m->jbuf = (struct jbuf *)(void *)at;
	at += line(jbuf_bytes(LEG_JBUF_SLOTS));
	m->detect = (struct dtmf_detect *)(void *)at;
	at += line(dtmf_detect_bytes());
	m->conceal = (struct conceal *)(void *)at;
}

void leg_media_reset(struct leg_media *m)
{
	struct jbuf *jbuf = m->jbuf;
	struct dtmf_detect *detect = m->detect;
	struct conceal *conceal = m->conceal;

	memset(m, 0, sizeof(*m));
	m->jbuf = jbuf;
	m->detect = detect;
	m->conceal = conceal;
	noise_init(&m->noise, (uint32_t)(uintptr_t)m);
	m->rtt_us = UINT32_MAX;
	dtmf_detect_init(detect);
	conceal_init(conceal);
}
