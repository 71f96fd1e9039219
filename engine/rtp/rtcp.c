/* SPDX-License-Identifier: Apache-2.0
 *
 * A compound packet is a row of packets, each with its own header and length:
 *
 *   | V P count | type | words - 1 |  body ... |   x n, ending exactly at the end of the datagram
 *
 * Reading walks the row twice: framing first (RFC 3550, A.2), so that nothing of a packet whose end
 * is wrong is believed; contents then, with each body's own counts held against its length.
 */
#include "rtp/rtcp.h"

#include <string.h>

#include "base/units.h"
#include "rtp/rtp.h"

enum {
	HEAD = 4,
	SENDER_LEN = 20,
	BLOCK_LEN = 24,
	SDES_CNAME = 1,
};

#define NTP_UNIX_EPOCH_S UINT64_C(2208988800) /* 1900 to 1970 */

static void block_put(uint8_t *p, const struct rtcp_block *b)
{
	be32_put(p, b->ssrc);
	be32_put(p + 4, (uint32_t)b->fraction_lost << 24 | ((uint32_t)b->lost & 0xffffff));
	be32_put(p + 8, b->seq_max);
	be32_put(p + 12, b->jitter);
	be32_put(p + 16, b->lsr);
	be32_put(p + 20, b->dlsr);
}

static struct rtcp_block block_get(const uint8_t *p)
{
	uint32_t lost = be32_get(p + 4) & 0xffffff;

	return (struct rtcp_block){
		.ssrc = be32_get(p),
		.fraction_lost = p[4],
		.lost = lost & 0x800000 ? (int32_t)lost - 0x1000000 : (int32_t)lost,
		.seq_max = be32_get(p + 8),
		.jitter = be32_get(p + 12),
		.lsr = be32_get(p + 16),
		.dlsr = be32_get(p + 20),
	};
}

static void head_put(uint8_t *p, unsigned count, uint8_t type, size_t len)
{
	p[0] = (uint8_t)(0x80 | count);
	p[1] = type;
	be16_put(p + 2, (uint16_t)(len / 4 - 1));
}

static void sender_put(uint8_t *p, const struct rtcp_sender *s)
{
	be32_put(p, (uint32_t)(s->ntp >> 32));
	be32_put(p + 4, (uint32_t)s->ntp);
	be32_put(p + 8, s->ts);
	be32_put(p + 12, s->packets);
	be32_put(p + 16, s->octets);
}

size_t rtcp_build(uint8_t *p, size_t room, const struct rtcp_out *o)
{
	size_t name_len = strlen(o->cname);

	if (name_len > RTCP_CNAME_MAX)
		name_len = RTCP_CNAME_MAX;

	size_t report = HEAD + 4 + (o->sender ? (size_t)SENDER_LEN : 0) +
			(o->block ? (size_t)BLOCK_LEN : 0);
	/* SSRC, item, and one to four zeros that end the chunk on a word (RFC 3550, 6.5). */
	size_t sdes = HEAD + 4 + ((2 + name_len) / 4 + 1) * 4;
	size_t bye = o->bye ? HEAD + 4 : 0;

	if (report + sdes + bye > room)
		return 0;
	room -= report + sdes + bye;

	uint8_t *at = p;

	head_put(at, o->block ? 1 : 0, o->sender ? RTCP_SR : RTCP_RR, report);
	be32_put(at + HEAD, o->ssrc);
	at += HEAD + 4;
	if (o->sender) {
		sender_put(at, o->sender);
		at += SENDER_LEN;
	}
	if (o->block) {
		block_put(at, o->block);
		at += BLOCK_LEN;
	}

	memset(at, 0, sdes);
	head_put(at, 1, RTCP_SDES, sdes);
	be32_put(at + HEAD, o->ssrc);
	at[HEAD + 4] = SDES_CNAME;
	at[HEAD + 5] = (uint8_t)name_len;
	memcpy(at + HEAD + 6, o->cname, name_len);
	at += sdes;

	if (o->xr != NULL) {
		size_t len = rtcp_xr_build(at, room, o->xr);

		at += len;
		room -= len;
	}
	if (o->feedback != NULL)
		at += rtcp_feedback_build(at, room, o->feedback, o->ssrc, o->media);
	if (o->bye) {
		head_put(at, 1, RTCP_BYE, bye);
		be32_put(at + HEAD, o->ssrc);
		at += bye;
	}
	return (size_t)(at - p);
}

/* Bytes of the packet at `p`, header included. */
static size_t packet_len(const uint8_t *p)
{
	return 4 * ((size_t)be16_get(p + 2) + 1);
}

static bool framed(const uint8_t *p, size_t len)
{
	if (len < HEAD)
		return false;
	while (len > 0) {
		if (len < HEAD || p[0] >> 6 != 2 || p[1] < 192 || p[1] > 223)
			return false;

		size_t n = packet_len(p);

		if (n > len)
			return false;
		/* Padding, only of the last packet: whole words, not more than its body. */
		if (p[0] & 0x20) {
			uint8_t padding = p[n - 1];

			if (n != len || padding == 0 || padding % 4 != 0 || padding > n - HEAD)
				return false;
		}
		p += n;
		len -= n;
	}
	return true;
}

/* Whom a packet is about. */
struct who {
	uint32_t ours;
	const uint32_t *theirs;
};

/* The body of an SR or RR of `len` bytes after its header. */
static bool report_read(struct rtcp_news *n, const uint8_t *p, size_t len, unsigned count,
			bool sender, const struct who *who)
{
	size_t fixed = 4 + (sender ? (size_t)SENDER_LEN : 0);

	if (len < fixed + count * (size_t)BLOCK_LEN)
		return false;
	if (n->ssrc == 0)
		n->ssrc = be32_get(p);
	if (sender && !n->has_sender && (who->theirs == NULL || be32_get(p) == *who->theirs)) {
		n->ssrc = be32_get(p);
		n->has_sender = true;
		n->sender = (struct rtcp_sender){
			.ntp = (uint64_t)be32_get(p + 4) << 32 | be32_get(p + 8),
			.ts = be32_get(p + 12),
			.packets = be32_get(p + 16),
			.octets = be32_get(p + 20),
		};
	}
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *b = p + fixed + i * (size_t)BLOCK_LEN;

		if (be32_get(b) == who->ours) {
			n->block = block_get(b);
			n->has_block = true;
		}
	}
	return true;
}

/* The body of a BYE: `count` sources and perhaps a reason. */
static bool bye_read(struct rtcp_news *n, const uint8_t *p, size_t len, unsigned count,
		     const struct who *who)
{
	if (len < 4 * (size_t)count)
		return false;
	for (unsigned i = 0; i < count; i++)
		if (who->theirs == NULL || be32_get(p + 4 * (size_t)i) == *who->theirs)
			n->bye = true;
	return true;
}

/* One packet of the row; `len` without header and padding. */
static bool packet_read(struct rtcp_news *n, uint8_t type, unsigned count, const uint8_t *p,
			size_t len, const struct who *who)
{
	switch (type) {
	case RTCP_SR:
	case RTCP_RR:
		return report_read(n, p, len, count, type == RTCP_SR, who);
	case RTCP_BYE:
		return bye_read(n, p, len, count, who);
	case RTCP_XR:
		return rtcp_xr_read(&n->xr, p, len, who->ours);
	case RTCP_RTPFB:
	case RTCP_PSFB:
		return rtcp_feedback_read(&n->feedback, type, count, p, len, who->ours);
	default:
		return true;
	}
}

enum packet_fate rtcp_parse(struct rtcp_news *n, const uint8_t *p, size_t len, uint32_t ours,
			    const uint32_t *theirs)
{
	const struct who who = {ours, theirs};
	struct rtcp_news news = {0};

	if (!framed(p, len))
		return FATE_RTCP_BAD;

	while (len > 0) {
		size_t whole = packet_len(p);
		size_t body = whole - HEAD;

		if (p[0] & 0x20)
			body -= p[whole - 1];
		if (!packet_read(&news, p[1], p[0] & 0x1f, p + HEAD, body, &who))
			return FATE_RTCP_BAD;
		p += whole;
		len -= whole;
	}
	*n = news;
	return RTP_OK;
}

uint32_t rtcp_interval_ms(bool first, uint32_t random)
{
	double ms = first ? RTCP_INTERVAL_MS / 2.0 : (double)RTCP_INTERVAL_MS;

	return (uint32_t)(ms * (0.5 + random / 4294967296.0) / 1.21828);
}

uint64_t rtcp_ntp(uint64_t epoch_ns)
{
	uint64_t s = epoch_ns / PB_NS_PER_S + NTP_UNIX_EPOCH_S;
	uint64_t rest_ns = epoch_ns % PB_NS_PER_S;

	return s << 32 | (rest_ns << 32) / PB_NS_PER_S;
}

void rtcp_block_since(struct rtcp_block *b, uint64_t sr_ntp, uint64_t age_ns)
{
	uint64_t age = (age_ns / PB_NS_PER_S << 16) + ((age_ns % PB_NS_PER_S) << 16) / PB_NS_PER_S;

	b->lsr = rtcp_ntp_mid(sr_ntp);
	b->dlsr = age > UINT32_MAX ? UINT32_MAX : (uint32_t)age;
}

uint32_t rtcp_rtt_us(const struct rtcp_block *b, uint32_t now_mid)
{
	uint32_t rtt = now_mid - b->lsr - b->dlsr;

	/* A clock read twice may give a hair less than nothing: up to a millisecond counts as 0. */
	if (b->lsr != 0 && 0U - rtt <= 65)
		rtt = 0;
	if (b->lsr == 0 || rtt > 60U << 16)
		return UINT32_MAX;
	return (uint32_t)(((uint64_t)rtt * 1000000) >> 16);
}
