/* SPDX-License-Identifier: Apache-2.0
 *
 * An XR packet is an SSRC and a row of blocks:
 *
 *   | V P rsvd | 207 | words - 1 | SSRC |  | kind | specific | words | contents ... |  x n
 */
#include "rtp/rtcp_xr.h"

#include "base/units.h"

enum {
	HEAD = 4, /* of the packet, and of each block */
	BLOCK_RRTR = 4,
	BLOCK_DLRR = 5,
	BLOCK_VOIP = 7,
	RRTR_LEN = 8,
	DLRR_LEN = 12,
	VOIP_LEN = 32,
};

static uint8_t *block_put(uint8_t *at, uint8_t kind, size_t len)
{
	at[0] = kind;
	at[1] = 0;
	be16_put(at + 2, (uint16_t)(len / 4));
	return at + HEAD;
}

static void voip_put(uint8_t *p, const struct rtcp_voip *v)
{
	be32_put(p, v->ssrc);
	p[4] = v->loss_rate;
	p[5] = v->discard_rate;
	p[6] = v->burst_density;
	p[7] = v->gap_density;
	be16_put(p + 8, v->burst_ms);
	be16_put(p + 10, v->gap_ms);
	be16_put(p + 12, v->rtt_ms);
	be16_put(p + 14, v->system_ms);
	p[16] = (uint8_t)v->signal_dbm0;
	p[17] = (uint8_t)v->noise_dbm0;
	p[18] = v->rerl;
	p[19] = v->gmin;
	p[20] = v->r_factor;
	p[21] = v->ext_r_factor;
	p[22] = v->mos_lq;
	p[23] = v->mos_cq;
	p[24] = v->rx_config;
	p[25] = 0;
	be16_put(p + 26, v->jb_nominal_ms);
	be16_put(p + 28, v->jb_max_ms);
	be16_put(p + 30, v->jb_abs_max_ms);
}

static struct rtcp_voip voip_get(const uint8_t *p)
{
	return (struct rtcp_voip){
		.ssrc = be32_get(p),
		.loss_rate = p[4],
		.discard_rate = p[5],
		.burst_density = p[6],
		.gap_density = p[7],
		.burst_ms = be16_get(p + 8),
		.gap_ms = be16_get(p + 10),
		.rtt_ms = be16_get(p + 12),
		.system_ms = be16_get(p + 14),
		.signal_dbm0 = (int8_t)p[16],
		.noise_dbm0 = (int8_t)p[17],
		.rerl = p[18],
		.gmin = p[19],
		.r_factor = p[20],
		.ext_r_factor = p[21],
		.mos_lq = p[22],
		.mos_cq = p[23],
		.rx_config = p[24],
		.jb_nominal_ms = be16_get(p + 26),
		.jb_max_ms = be16_get(p + 28),
		.jb_abs_max_ms = be16_get(p + 30),
	};
}

size_t rtcp_xr_build(uint8_t *p, size_t room, const struct rtcp_xr_out *o)
{
	size_t blocks = (o->ntp != 0 ? (size_t)HEAD + RRTR_LEN : 0) +
			(o->dlrr_ssrc != 0 ? (size_t)HEAD + DLRR_LEN : 0) +
			(o->voip != NULL ? (size_t)HEAD + VOIP_LEN : 0);
	size_t len = HEAD + 4 + blocks;

	if (blocks == 0 || len > room)
		return 0;
	p[0] = 0x80;
	p[1] = RTCP_XR;
	be16_put(p + 2, (uint16_t)(len / 4 - 1));
	be32_put(p + HEAD, o->ssrc);

	uint8_t *at = p + HEAD + 4;

	if (o->ntp != 0) {
		at = block_put(at, BLOCK_RRTR, RRTR_LEN);
		be32_put(at, (uint32_t)(o->ntp >> 32));
		be32_put(at + 4, (uint32_t)o->ntp);
		at += RRTR_LEN;
	}
	if (o->dlrr_ssrc != 0) {
		at = block_put(at, BLOCK_DLRR, DLRR_LEN);
		be32_put(at, o->dlrr_ssrc);
		be32_put(at + 4, o->lrr);
		be32_put(at + 8, o->dlrr);
		at += DLRR_LEN;
	}
	if (o->voip != NULL)
		voip_put(block_put(at, BLOCK_VOIP, VOIP_LEN), o->voip);
	return len;
}

static bool block_read(struct rtcp_xr_news *n, uint8_t kind, const uint8_t *p, size_t len,
		       uint32_t ours)
{
	switch (kind) {
	case BLOCK_RRTR:
		if (len < RRTR_LEN)
			return false;
		n->has_rrtr = true;
		n->rrtr_ntp = (uint64_t)be32_get(p) << 32 | be32_get(p + 4);
		return true;
	case BLOCK_DLRR:
		if (len % DLRR_LEN != 0)
			return false;
		for (size_t at = 0; at < len; at += DLRR_LEN) {
			if (be32_get(p + at) != ours)
				continue;
			n->has_dlrr = true;
			n->lrr = be32_get(p + at + 4);
			n->dlrr = be32_get(p + at + 8);
		}
		return true;
	case BLOCK_VOIP:
		if (len < VOIP_LEN)
			return false;
		if (be32_get(p) == ours) {
			n->has_voip = true;
			n->voip = voip_get(p);
		}
		return true;
	default:
		return true;
	}
}

bool rtcp_xr_read(struct rtcp_xr_news *n, const uint8_t *p, size_t len, uint32_t ours)
{
	if (len < 4)
		return false;
	p += 4;
	len -= 4;
	while (len > 0) {
		if (len < HEAD)
			return false;

		size_t contents = 4 * (size_t)be16_get(p + 2);

		if (contents > len - HEAD || !block_read(n, p[0], p + HEAD, contents, ours))
			return false;
		p += HEAD + contents;
		len -= HEAD + contents;
	}
	return true;
}
