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

enum {
	SOUND = 8000,
	BURST = 64,
	FRAME = NET_HEAD4_BYTES + RTP_HEADER_LEN + BENCH_PAYLOAD,
	OPENS_OF = 8,
	TRAILER = 10, /* AES_CM_128_HMAC_SHA1_80 */
	SOURCE_IP = NET_ETHER_BYTES + 12,
	TARGET_IP = SOURCE_IP + 4,
};

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

static void phone_make(struct bench_phone *p, uint32_t i, const struct net_own *own,
		       uint16_t trailer)
{
	struct net_own they = {.ip4 = true, .mac = {2, 0, 0, 1, (uint8_t)(i >> 8), (uint8_t)i}};
	struct net_head h;
	uint8_t frame[FRAME] = {0};

	bench_net_ip(i, they.ip4_addr);
	net_head_make(&h, &they, 4, 4000, own->ip4_addr, (uint16_t)(BENCH_RTP_FIRST + 2 * i),
		      own->mac);
	net_head_write(&h, frame, (uint16_t)(RTP_HEADER_LEN + BENCH_PAYLOAD + trailer));
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

		phone_make(&n->phone[i], i, own, 0);
		n->order[i] = n->order[j];
		n->order[j] = i;
	}
	for (unsigned i = 0; i < SOUND + BENCH_PAYLOAD; i++)
		n->sound[i] = (uint8_t)next_random(&seed);
}

/* What the telephones seal with is one key for all, so that they need one key schedule and not 256 octets for each
 * leg, which would leave the caches to the worker as no network card leaves them. The worker does not know:
 * each of its legs has its schedules of its own. */
void bench_net_keys(uint32_t i, bool telephone, struct srtp_keys *keys)
{
	struct srtp_key to = {.suite = SRTP_CM128_SHA80, .master = {1}}, from = to;

	be32_put(to.master + 1, i);
	from.master[0] = 2;
	keys->receive = telephone ? to : from;
	keys->send = telephone ? from : to;
}

/* Of one direction at a time: sealing or opening. */
struct bench_seal {
	struct srtp_row row[SRTP_BURST];
	struct rte_mbuf *m[SRTP_BURST];
};

void bench_net_secure(struct bench_net *n, const struct net_own *own)
{
	size_t bytes = (srtp_unit_bytes(n->legs) + 63) & ~(size_t)63;

	n->srtp = aligned_alloc(64, bytes);
	n->seal = calloc(1, sizeof(*n->seal));
	must(n->srtp != NULL && n->seal != NULL &&
	     srtp_unit_init(n->srtp, n->legs, SRTP_WAY_AUTO) == 0);
	for (uint32_t i = 0; i < n->legs; i++) {
		struct srtp_keys keys;
		uint16_t seq = n->phone[i].seq;

		bench_net_keys(i, true, &keys);
		must(srtp_keys_set(n->srtp, i, &keys) == 0);
		phone_make(&n->phone[i], i, own, TRAILER);
		n->phone[i].seq = seq & 0x3fff; /* RFC 3711: far from the wrap */
	}
}

/* The telephone that a frame comes from or goes to: its address is at `at`. */
static uint32_t phone_at(const uint8_t *frame, unsigned at)
{
	return (uint32_t)frame[at + 2] << 8 | frame[at + 3];
}

enum { SEALS = 0 }; /* the leg of the telephones' unit that seals for all: no SSRC's number wraps */

static unsigned rows_fill(struct bench_net *n, struct rte_mbuf **m, unsigned k, unsigned at)
{
	for (unsigned i = 0; i < k; i++) {
		uint8_t *frame = rte_pktmbuf_mtod(m[i], uint8_t *);

		n->seal->row[i] = (struct srtp_row){
			.data = frame + NET_HEAD4_BYTES,
			.leg = at == SOURCE_IP ? SEALS : phone_at(frame, at),
			.len = (uint16_t)(rte_pktmbuf_data_len(m[i]) - NET_HEAD4_BYTES)};
	}
	return k;
}

static void seal(struct bench_net *n, struct rte_mbuf **m, unsigned k)
{
	for (unsigned at = 0; at < k; at += SRTP_BURST) {
		unsigned some = k - at < SRTP_BURST ? k - at : SRTP_BURST;

		srtp_rtp_seal(n->srtp, n->seal->row, rows_fill(n, m + at, some, SOURCE_IP));
		for (unsigned i = 0; i < some; i++) {
			uint16_t len = (uint16_t)(NET_HEAD4_BYTES + n->seal->row[i].len);

			must(n->seal->row[i].verdict == SRTP_OK);
			m[at + i]->data_len = len;
			m[at + i]->pkt_len = len;
		}
	}
}

/* How many of at most SRTP_BURST sealed voice frames are what they should be. One burst in OPENS_OF is
 * opened, each time of other telephones; of the others the length was right. */
static unsigned open_all(struct bench_net *n, struct rte_mbuf **m, unsigned k)
{
	unsigned good = 0;

	if (++n->bursts % OPENS_OF != 0)
		return k;
	srtp_rtp_open(n->srtp, n->seal->row, rows_fill(n, m, k, TARGET_IP));
	for (unsigned i = 0; i < k; i++)
		good += n->seal->row[i].verdict == SRTP_OK &&
			n->seal->row[i].len == RTP_HEADER_LEN + BENCH_PAYLOAD;
	return good;
}

void bench_net_free(struct bench_net *n)
{
	if (n->srtp != NULL)
		srtp_unit_fini(n->srtp);
	free(n->srtp);
	free(n->seal);
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
	if (n->srtp != NULL)
		seal(n, m, k);
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

static bool is_voice(const struct bench_net *n, const struct rte_mbuf *m)
{
	if (n->any_length)
		return !rtp_is_rtcp(rte_pktmbuf_mtod_offset(m, const uint8_t *, NET_HEAD4_BYTES),
				    rte_pktmbuf_data_len(m) - NET_HEAD4_BYTES);
	return rte_pktmbuf_data_len(m) == (n->srtp != NULL ? FRAME + TRAILER : FRAME);
}

void bench_net_hear(struct bench_net *n)
{
	struct rte_mbuf *m[SRTP_BURST], *voice[SRTP_BURST];
	unsigned k;

	while ((k = rte_ring_dequeue_burst(n->out, (void **)m, SRTP_BURST, NULL)) > 0) {
		unsigned voices = 0, good;

		for (unsigned i = 0; i < k; i++)
			if (is_voice(n, m[i]))
				voice[voices++] = m[i];
		good = n->srtp != NULL ? open_all(n, voice, voices) : voices;
		n->heard += good;
		n->strange += k - good;
		rte_pktmbuf_free_bulk(m, k);
	}
}
