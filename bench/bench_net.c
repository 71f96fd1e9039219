/* SPDX-License-Identifier: Apache-2.0
 *
 * A frame is three copies into a fresh mbuf: the flow's headers, the RTP header, sound. Nothing here is
 * measured, but what it leaves in the caches is: see README.md.
 */
#include "bench_net.h"

#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/units.h"
#include "rtp/rtp.h"

enum { SOUND = 8000, BURST = 64, FRAME = NET_HEAD4_BYTES + RTP_HEADER_LEN + BENCH_PAYLOAD };

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

void bench_net_ip(uint32_t i, uint8_t ip[4])
{
	ip[0] = 10;
	ip[1] = 1;
	ip[2] = (uint8_t)(i >> 8);
	ip[3] = (uint8_t)i;
}

static void phone_make(struct bench_phone *p, uint32_t i, const struct net_own *own)
{
	struct net_own they = {.ip4 = true, .mac = {2, 0, 0, 1, (uint8_t)(i >> 8), (uint8_t)i}};
	struct net_head h;
	uint8_t frame[FRAME] = {0};

	bench_net_ip(i, they.ip4_addr);
	net_head_make(&h, &they, 4, 4000, own->ip4_addr, (uint16_t)(BENCH_RTP_FIRST + 2 * i),
		      own->mac);
	net_head_write(&h, frame, RTP_HEADER_LEN + BENCH_PAYLOAD);
	memcpy(p->head, frame, sizeof(p->head));
	p->ssrc = 0x10000 + i;
	p->seq = (uint16_t)(i * 31);
	p->ts = i * 977;
}

void bench_net_make(struct bench_net *n, uint32_t legs, const struct net_own *own)
{
	uint32_t seed = 1;

	n->legs = legs;
	n->phone = calloc(legs, sizeof(*n->phone));
	n->order = calloc(legs, sizeof(*n->order));
	n->sound = malloc(SOUND + BENCH_PAYLOAD);
	must(n->phone != NULL && n->order != NULL && n->sound != NULL);
	for (uint32_t i = 0; i < legs; i++) {
		uint32_t j = next_random(&seed) % (i + 1);

		phone_make(&n->phone[i], i, own);
		n->order[i] = n->order[j];
		n->order[j] = i;
	}
	for (unsigned i = 0; i < SOUND + BENCH_PAYLOAD; i++)
		n->sound[i] = (uint8_t)next_random(&seed);
}

void bench_net_free(struct bench_net *n)
{
	free(n->phone);
	free(n->order);
	free(n->sound);
}

static void frame_make(struct bench_net *n, struct bench_phone *p, struct rte_mbuf *m)
{
	uint8_t *at = rte_pktmbuf_mtod(m, uint8_t *);

	m->data_len = FRAME;
	m->pkt_len = FRAME;
	memcpy(at, p->head, NET_HEAD4_BYTES);
	at += NET_HEAD4_BYTES;
	rtp_build(at, 0, false, p->seq++, p->ts, p->ssrc);
	p->ts += BENCH_PAYLOAD;
	memcpy(at + RTP_HEADER_LEN, n->sound + p->ts % SOUND, BENCH_PAYLOAD);
}

static void put(struct bench_net *n, struct rte_mbuf **m, unsigned k)
{
	must(rte_ring_enqueue_bulk(n->in, (void **)m, k, NULL) == k);
	n->sent += k;
}

void bench_net_say(struct bench_net *n, uint32_t leg, uint64_t stamp)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(n->pool);

	must(m != NULL);
	frame_make(n, &n->phone[leg], m);
	memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, NET_HEAD4_BYTES + RTP_HEADER_LEN), &stamp,
	       sizeof(stamp));
	put(n, &m, 1);
}

unsigned bench_net_hear_stamps(struct bench_net *n, uint64_t *stamp, unsigned max)
{
	struct rte_mbuf *m;
	unsigned k = 0;

	while (k < max && rte_ring_dequeue(n->out, (void **)&m) == 0) {
		if (rte_pktmbuf_data_len(m) == FRAME) {
			memcpy(&stamp[k++],
			       rte_pktmbuf_mtod_offset(m, uint8_t *,
						       NET_HEAD4_BYTES + RTP_HEADER_LEN),
			       sizeof(*stamp));
			n->heard++;
		} else {
			n->strange++;
		}
		rte_pktmbuf_free(m);
	}
	return k;
}

void bench_net_speak(struct bench_net *n, unsigned phase)
{
	struct rte_mbuf *m[BURST];
	unsigned k = 0;

	for (uint32_t i = phase; i < n->legs; i += BENCH_PHASES) {
		struct bench_phone *p = &n->phone[n->order[i]];

		if (!p->talks)
			continue;
		m[k] = rte_pktmbuf_alloc(n->pool);
		must(m[k] != NULL);
		frame_make(n, p, m[k++]);
		if (k == BURST) {
			put(n, m, k);
			k = 0;
		}
	}
	if (k > 0)
		put(n, m, k);
}

void bench_net_hear(struct bench_net *n)
{
	struct rte_mbuf *m[BURST];
	unsigned k;

	while ((k = rte_ring_dequeue_burst(n->out, (void **)m, BURST, NULL)) > 0) {
		for (unsigned i = 0; i < k; i++) {
			if (rte_pktmbuf_data_len(m[i]) == FRAME)
				n->heard++;
			else
				n->strange++;
		}
		rte_pktmbuf_free_bulk(m, k);
	}
}
