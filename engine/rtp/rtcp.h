/* RTCP: building our compound packets and reading what hostile peers send.
 *
 * Reading keeps the little that a leg needs: when and what the peer sent (for our next report),
 * what it says about our SSRC (report blocks, VoIP metrics), what it asks for, and whether it said
 * goodbye. Everything else is stepped over, but its framing is checked to the last byte.
 * Reduced-size packets (RFC 5506) are accepted; what we send is always compound (RFC 3550, 6.1: a
 * report first, then SDES, then the rest).
 *
 * A peer may report for several sources, say after a change of its SSRC: sender reports and
 * goodbyes count only for the source that is heard, when that is known.
 *
 * Thread: any; pure. Sources: RFC 3550, 6 and A.2; rtcp_xr.h and rtcp_feedback.h name theirs.
 */
#ifndef RTP_RTCP_H
#define RTP_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "patchbay/fate.h"
#include "rtp/rtcp_feedback.h"
#include "rtp/rtcp_xr.h"

enum {
	RTCP_SR = 200,
	RTCP_RR = 201,
	RTCP_SDES = 202,
	RTCP_BYE = 203,
	RTCP_APP = 204,
	RTCP_CNAME_MAX = 255,
	RTCP_INTERVAL_MS = 5000, /* RFC 3550, 6.2: the minimum */
	/* Room that is always enough for rtcp_build(). */
	RTCP_BUILD_MAX = 28 + 24 + 12 + 256 + 8 + RTCP_XR_BUILD_MAX + RTCP_FEEDBACK_BUILD_MAX,
};

/* A report block, in host order (RFC 3550, 6.4.1). */
struct rtcp_block {
	uint32_t ssrc;         /* whom it is about */
	uint8_t fraction_lost; /* of 256, since the previous report */
	int32_t lost;          /* cumulative, 24 bits signed on the wire */
	uint32_t seq_max;      /* extended highest sequence number */
	uint32_t jitter;       /* ticks of the source's clock */
	uint32_t lsr;          /* middle 32 bits of the NTP time of the last SR; 0 none */
	uint32_t dlsr;         /* since then, in 1/65,536 s */
};

/* The sender's part of an SR. */
struct rtcp_sender {
	uint64_t ntp; /* rtcp_ntp() of the instant */
	uint32_t ts;  /* RTP time of the same instant */
	uint32_t packets;
	uint32_t octets; /* payload only */
};

/* One compound packet: SR or RR, SDES with CNAME, perhaps XR, feedback, BYE. */
struct rtcp_out {
	uint32_t ssrc;                        /* ours */
	const struct rtcp_sender *sender;     /* NULL: nothing was sent lately, an RR */
	const struct rtcp_block *block;       /* NULL: nothing was received */
	const char *cname;                    /* not NULL; cut after RTCP_CNAME_MAX octets */
	const struct rtcp_xr_out *xr;         /* NULL: none */
	const struct rtcp_feedback *feedback; /* NULL: none */
	uint32_t media;                       /* whom the feedback asks */
	bool bye;
};

/* Write a compound packet. Returns its length, or 0 when `room` is too small (nothing sensible is
 * then in the buffer). RTCP_BUILD_MAX bytes always suffice. */
size_t rtcp_build(uint8_t *p, size_t room, const struct rtcp_out *o);

/* What a compound packet told us. */
struct rtcp_news {
	bool has_sender; /* `ssrc` sent an SR: `sender` */
	bool has_block;  /* a report about our SSRC came: `block` */
	bool bye;        /* BYE for the peer's source */
	uint32_t ssrc;   /* who reports: of the first SR or RR; 0 when there was none */
	struct rtcp_sender sender;
	struct rtcp_block block;
	struct rtcp_xr_news xr;
	struct rtcp_feedback feedback; /* asked of our SSRC */
};

/* Read a compound packet about whatever; `ours` is the SSRC that we send with, `theirs` points to
 * the one that is heard, or is NULL when none was heard yet. Returns RTP_OK (rtp.h) and fills `n`,
 * or leaves `n` alone and returns FATE_RTCP_BAD. Never reads outside [p, p + len). */
enum packet_fate rtcp_parse(struct rtcp_news *n, const uint8_t *p, size_t len, uint32_t ours,
			    const uint32_t *theirs);

/* Until the next report, drawn with `random` (RFC 3550, 6.3.1): RTCP_INTERVAL_MS, half of it
 * before the `first`, times 0.5 to 1.5, over e - 3/2. A leg is a session of two members with at least 32 kbit/s
 * of media, where the share of bandwidth always allows more than this minimum, and timer
 * reconsideration has nobody to wait for. */
uint32_t rtcp_interval_ms(bool first, uint32_t random);

/* NTP time (seconds since 1900 and fraction) of nanoseconds since the Unix epoch. */
uint64_t rtcp_ntp(uint64_t epoch_ns);

/* The middle 32 bits, as LSR and round trips use them. */
static inline uint32_t rtcp_ntp_mid(uint64_t ntp)
{
	return (uint32_t)(ntp >> 16);
}

/* Complete a block of rtp_source_report(): `sr_ntp` is the NTP time in the peer's last SR and
 * `age_ns` how long ago it arrived. */
void rtcp_block_since(struct rtcp_block *b, uint64_t sr_ntp, uint64_t age_ns);

/* Round trip of a block about us that arrived at `now_mid` (rtcp_ntp_mid of our clock, the one that
 * our SRs carry), in microseconds; UINT32_MAX when it cannot be told: no SR of ours was seen, or
 * the peer's numbers give a negative time or one above 60 s. */
uint32_t rtcp_rtt_us(const struct rtcp_block *b, uint32_t now_mid);

#endif
