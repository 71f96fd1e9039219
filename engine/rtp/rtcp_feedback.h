/* RTCP feedback: what a receiver asks its sender for. Packets to be sent again (generic NACK), a
 * whole picture (PLI, FIR).
 *
 * Of a leg that is relayed to, the request concerns the speaker behind it: it is read here about
 * our SSRC and written anew about the speaker's, with the speaker's sequence numbers.
 *
 * Thread: any; pure. Sources: RFC 4585, 6.2.1 and 6.3.1; RFC 5104, 4.3.1.
 */
#ifndef RTP_RTCP_FEEDBACK_H
#define RTP_RTCP_FEEDBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RTCP_RTPFB = 205,
	RTCP_PSFB = 206,
	RTCP_NACKS_MAX = 16, /* of one compound packet; more are left out: the peer asks again */
	RTCP_FEEDBACK_BUILD_MAX = 12 + 4 * RTCP_NACKS_MAX + 12 + 20,
};

/* A lost packet and which of the 16 after it: bit i of `blp` is pid + i + 1. */
struct rtcp_nack {
	uint16_t pid, blp;
};

struct rtcp_feedback {
	uint8_t nacks;
	bool pli, fir;
	uint8_t fir_seq; /* of the newest command */
	struct rtcp_nack nack[RTCP_NACKS_MAX];
};

static inline bool rtcp_feedback_any(const struct rtcp_feedback *f)
{
	return f->nacks > 0 || f->pli || f->fir;
}

/* Read one packet of type RTCP_RTPFB or RTCP_PSFB, `format` from its header, body without header:
 * adds what is asked of the SSRC `ours`. Formats that are not known here are stepped over. False:
 * the body is shorter than it must be. Never reads outside [p, p + len). */
bool rtcp_feedback_read(struct rtcp_feedback *f, uint8_t type, unsigned format, const uint8_t *p,
			size_t len, uint32_t ours);

/* Write the packets that ask `media` for what is in `f`, from the SSRC `ssrc`. Returns their length, 0 for
 * nothing or when `room` is too small (RTCP_FEEDBACK_BUILD_MAX always suffices). */
size_t rtcp_feedback_build(uint8_t *p, size_t room, const struct rtcp_feedback *f, uint32_t ssrc,
			   uint32_t media);

/* Move the numbers asked for by `add` (mod 2^16), as a relay moved the packets the other way. What
 * was sent before the number `first` (in the numbers of `f`) came from elsewhere and is taken out. */
void rtcp_feedback_move(struct rtcp_feedback *f, uint16_t add, uint16_t first);

#endif
