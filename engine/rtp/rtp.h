/* The RTP header: reading what arrived, writing what leaves, and telling RTP from RTCP.
 *
 * A view names the fields and says where the payload lies; it does not point into the packet, so it
 * may be kept when the packet moves. Extensions and contributing sources are stepped over: nothing
 * in this engine uses them, and what we send has neither.
 *
 * Thread: any; pure. Sources: RFC 3550, 5.1 and A.1; RFC 5761, 4.
 */
#ifndef RTP_RTP_H
#define RTP_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"
#include "patchbay/fate.h"

enum {
	RTP_HEADER_LEN = 12, /* the fixed part; all of it in what we send */
	RTP_PT_MAX = 127,
};

/* What rtp_parse() and rtcp_parse() say of a good packet: "no fate yet". */
#define RTP_OK FATE_COUNT

struct rtp_view {
	uint32_t ts;
	uint32_t ssrc;
	uint16_t seq;
	uint16_t payload_at;  /* offset of the payload from the start of the packet */
	uint16_t payload_len; /* octets without padding; never 0 after RTP_OK */
	uint8_t pt;           /* 0..127 */
	bool marker;
};

/* Read the header of the `len` bytes at `p`. Returns RTP_OK and fills `v`, or leaves `v` alone and
 * returns the packet's fate:
 *   FATE_RTP_SHORT    fewer bytes than header, CSRC list or extension claim, or > 65,535
 *   FATE_RTP_VERSION  the version is not 2
 *   FATE_RTP_PADDING  the padding count is zero or larger than what follows the header
 *   FATE_RTP_EMPTY    nothing is left for the payload
 * Never reads outside [p, p + len). */
enum packet_fate rtp_parse(struct rtp_view *v, const uint8_t *p, size_t len);

/* Whether bytes that came to a port that carries both are RTCP: the second byte is 192..223, which
 * RTP's payload types 64..95 with the marker would be, and which are therefore never negotiated
 * (RFC 5761, 4). False for fewer than 2 bytes. */
static inline bool rtp_is_rtcp(const uint8_t *p, size_t len)
{
	return len >= 2 && p[1] >= 192 && p[1] <= 223;
}

/* Write the RTP_HEADER_LEN bytes at `p`: version 2, no padding, extension or CSRC. To relay a
 * packet that had those, write the header straight before its payload and send from there. */
static inline void rtp_build(uint8_t *p, uint8_t pt, bool marker, uint16_t seq, uint32_t ts,
			     uint32_t ssrc)
{
	p[0] = 0x80;
	p[1] = (uint8_t)((marker ? 0x80 : 0) | (pt & 0x7f));
	be16_put(p + 2, seq);
	be32_put(p + 4, ts);
	be32_put(p + 8, ssrc);
}

/* An instant of the monotonic clock in ticks of an RTP clock, modulo 2^32. The same instant always
 * gives the same ticks; only differences mean anything. Divides by constants only. */
static inline uint32_t rtp_ticks(uint64_t now_ns, uint32_t clock_hz)
{
	uint64_t s = now_ns / PB_NS_PER_S;
	uint64_t rest_ns = now_ns % PB_NS_PER_S;

	return (uint32_t)(s * clock_hz + rest_ns * clock_hz / PB_NS_PER_S);
}

#endif
