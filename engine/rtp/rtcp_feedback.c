/* SPDX-License-Identifier: Apache-2.0 */
#include "rtp/rtcp_feedback.h"

#include <string.h>

#include "base/units.h"

enum {
	HEAD = 4,
	SSRCS = 8, /* of the sender, of the media */
	FORMAT_NACK = 1,
	FORMAT_PLI = 1,
	FORMAT_FIR = 4,
	NACK_LEN = 4,
	FIR_LEN = 8,
};

bool rtcp_feedback_read(struct rtcp_feedback *f, uint8_t type, unsigned format, const uint8_t *p,
			size_t len, uint32_t ours)
{
	if (len < SSRCS)
		return false;

	bool about_us = be32_get(p + 4) == ours;

	p += SSRCS;
	len -= SSRCS;
	if (type == RTCP_RTPFB && format == FORMAT_NACK) {
		if (len % NACK_LEN != 0)
			return false;
		for (; about_us && len > 0 && f->nacks < RTCP_NACKS_MAX;
		     p += NACK_LEN, len -= NACK_LEN)
			f->nack[f->nacks++] = (struct rtcp_nack){be16_get(p), be16_get(p + 2)};
	} else if (type == RTCP_PSFB && format == FORMAT_PLI) {
		f->pli = f->pli || about_us;
	} else if (type == RTCP_PSFB && format == FORMAT_FIR) {
		/* The media source of a FIR's head is 0; each entry names its own. */
		if (len % FIR_LEN != 0)
			return false;
		for (; len > 0; p += FIR_LEN, len -= FIR_LEN) {
			if (be32_get(p) != ours)
				continue;
			f->fir = true;
			f->fir_seq = p[4];
		}
	}
	return true;
}

static uint8_t *head_put(uint8_t *at, unsigned format, uint8_t type, uint32_t ssrc, uint32_t media,
			 size_t contents)
{
	at[0] = (uint8_t)(0x80 | format);
	at[1] = type;
	be16_put(at + 2, (uint16_t)((SSRCS + contents) / 4));
	be32_put(at + HEAD, ssrc);
	be32_put(at + HEAD + 4, media);
	return at + HEAD + SSRCS;
}

size_t rtcp_feedback_build(uint8_t *p, size_t room, const struct rtcp_feedback *f, uint32_t ssrc,
			   uint32_t media)
{
	size_t len = (f->nacks > 0 ? HEAD + SSRCS + NACK_LEN * (size_t)f->nacks : 0) +
		     (f->pli ? (size_t)HEAD + SSRCS : 0) +
		     (f->fir ? (size_t)HEAD + SSRCS + FIR_LEN : 0);
	uint8_t *at = p;

	if (len > room)
		return 0;
	if (f->nacks > 0) {
		at = head_put(at, FORMAT_NACK, RTCP_RTPFB, ssrc, media,
			      NACK_LEN * (size_t)f->nacks);
		for (unsigned i = 0; i < f->nacks; i++, at += NACK_LEN) {
			be16_put(at, f->nack[i].pid);
			be16_put(at + 2, f->nack[i].blp);
		}
	}
	if (f->pli)
		at = head_put(at, FORMAT_PLI, RTCP_PSFB, ssrc, media, 0);
	if (f->fir) {
		at = head_put(at, FORMAT_FIR, RTCP_PSFB, ssrc, 0, FIR_LEN);
		be32_put(at, media);
		memset(at + 4, 0, 4);
		at[4] = f->fir_seq;
	}
	return len;
}

void rtcp_feedback_move(struct rtcp_feedback *f, uint16_t add, uint16_t first)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < f->nacks; i++) {
		struct rtcp_nack n = f->nack[i];
		uint16_t ahead = (uint16_t)(first - n.pid); /* numbers of this one before `first` */

		if (ahead > 0 && ahead <= 0x8000) {
			/* Begin with the first bit that lies at `first` or after it. */
			uint32_t mask = ahead <= 16 ? (uint32_t)n.blp >> (ahead - 1) : 0;
			unsigned skip;

			if (mask == 0)
				continue;
			skip = (unsigned)__builtin_ctz(mask);
			n.pid = (uint16_t)(first + skip);
			n.blp = (uint16_t)(mask >> (skip + 1));
		}
		n.pid = (uint16_t)(n.pid + add);
		f->nack[kept++] = n;
	}
	f->nacks = (uint8_t)kept;
}
