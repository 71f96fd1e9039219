/* RTCP extended reports: the VoIP metrics block, and the two blocks by which a party that sends no
 * sound measures the round trip as well (receiver reference time, and its answer DLRR).
 *
 * Blocks of other kinds are stepped over; each block's own length is held against the packet's.
 *
 * Thread: any; pure. Source: RFC 3611, 3, 4.4, 4.5 and 4.7.
 */
#ifndef RTP_RTCP_XR_H
#define RTP_RTCP_XR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RTCP_XR = 207,
	RTCP_XR_UNKNOWN = 127, /* a level, R factor or opinion score that is not known */
	RTCP_XR_BUILD_MAX = 8 + 12 + 16 + 36,
};

/* The VoIP metrics block (4.7). Shares are of 256, scores are tenths (MOS 4.1 is 41). */
struct rtcp_voip {
	uint32_t ssrc; /* whom it is about */
	uint8_t loss_rate, discard_rate;
	uint8_t burst_density, gap_density;
	uint16_t burst_ms, gap_ms;
	uint16_t rtt_ms, system_ms; /* 0: not known */
	int8_t signal_dbm0, noise_dbm0;
	uint8_t rerl; /* residual echo return loss, dB */
	uint8_t gmin;
	uint8_t r_factor, ext_r_factor;
	uint8_t mos_lq, mos_cq;
	uint8_t rx_config; /* concealment, and how the jitter buffer adapts (4.7.6) */
	uint16_t jb_nominal_ms, jb_max_ms, jb_abs_max_ms;
};

/* rx_config: enhanced concealment (3), adaptive jitter buffer (3), rate of adaptation unknown. */
enum { RTCP_XR_RX_ADAPTIVE = 3 << 6 | 3 << 4 };

/* One XR packet; a part that is 0 or NULL is left out. */
struct rtcp_xr_out {
	uint32_t ssrc;                /* ours */
	uint64_t ntp;                 /* receiver reference time: now; 0: none */
	uint32_t dlrr_ssrc;           /* whose receiver reference time is answered; 0: none */
	uint32_t lrr, dlrr;           /* its middle 32 bits, and since when in 1/65,536 s */
	const struct rtcp_voip *voip; /* NULL: none */
};

/* Write an XR packet. Returns its length; 0 when it would have no block or `room` is too small
 * (RTCP_XR_BUILD_MAX always suffices). */
size_t rtcp_xr_build(uint8_t *p, size_t room, const struct rtcp_xr_out *o);

/* What XR packets told. */
struct rtcp_xr_news {
	bool has_rrtr; /* the peer gave its reference time: answer it */
	bool has_dlrr; /* our reference time was answered */
	bool has_voip; /* how the peer receives us */
	uint64_t rrtr_ntp;
	uint32_t lrr, dlrr;
	struct rtcp_voip voip;
};

/* Read the body of an XR packet (after its 4 octets of header): adds to `n` what concerns the SSRC
 * `ours`. Returns false when a block passes the end or is shorter than its kind; `n` may then hold
 * a part. Never reads outside [p, p + len). */
bool rtcp_xr_read(struct rtcp_xr_news *n, const uint8_t *p, size_t len, uint32_t ours);

#endif
