/* SPDX-License-Identifier: Apache-2.0
 *
 * The source's sequence as a line that is walked forward:
 *
 *   seq_base ............ seq_max - 63 [======== seen ========] seq_max   next: seq_max + 1
 *
 * `delta` is the signed 16-bit distance of a packet from seq_max and decides everything: ahead and
 * near moves the line, behind and within `seen` is asked there, behind but not far is too old to
 * know and counts as a duplicate, anything further is a jump that the next packet must confirm.
 * `seq_max` counts wraps by itself because it is advanced by `delta`, not set.
 */
#include "rtp/rtp_source.h"

#include <string.h>

enum {
	SEEN_BITS = 64,
	NO_BAD_SEQ = 0x10000, /* no 16-bit number equals it */
	/* A larger change of transit is a new timestamp base, not jitter: 8 s at 8 kHz. */
	TRANSIT_JUMP_TICKS = 1 << 16,
};

void rtp_source_init(struct rtp_source *s)
{
	memset(s, 0, sizeof(*s));
}

void rtp_source_clock(struct rtp_source *s)
{
	s->transit_known = 0;
	s->jitter_q4 = 0;
}

static uint32_t expected_of_run(const struct rtp_source *s)
{
	return s->runs == 0 ? 0 : s->seq_max - s->seq_base + 1;
}

/* Begin a run at this packet; what the last one expected and received is kept. */
static void begin(struct rtp_source *s, const struct rtp_view *v)
{
	s->expected_before += expected_of_run(s);
	s->received_before += s->received;
	s->expected_prior = 0;
	s->received_prior = 0;
	s->ssrc = v->ssrc;
	s->seq_max = v->seq;
	s->seq_base = v->seq;
	s->received = 0;
	s->seen = 1;
	s->bad_seq = NO_BAD_SEQ;
	s->transit_known = 0;
	s->jitter_q4 = 0;
	if (s->runs < UINT16_MAX)
		s->runs++;
}

/* RFC 3550, A.8, in integers: J += |D| - (J + 8) / 16, J scaled by 16. */
static void measure(struct rtp_source *s, uint32_t ts, uint32_t arrival)
{
	uint32_t transit = arrival - ts;
	int32_t d = (int32_t)(transit - s->transit);
	uint32_t size = d < 0 ? 0U - (uint32_t)d : (uint32_t)d;

	if (s->transit_known && size < TRANSIT_JUMP_TICKS)
		s->jitter_q4 += size - ((s->jitter_q4 + 8) >> 4);
	s->transit = transit;
	s->transit_known = 1;
}

static enum rtp_source_heard ahead(struct rtp_source *s, uint32_t delta)
{
	s->seq_max += delta;
	s->seen = delta < SEEN_BITS ? s->seen << delta | 1 : 1;
	s->bad_seq = NO_BAD_SEQ;
	return RTP_SOURCE_NEXT;
}

static enum rtp_source_heard behind(struct rtp_source *s, uint32_t back)
{
	if (back >= SEEN_BITS || (s->seen >> back & 1)) {
		s->duplicates++;
		return RTP_SOURCE_DUPLICATE;
	}
	/* Older than the first: the network swapped the first packets, the run begins earlier. */
	if (back > s->seq_max - s->seq_base)
		s->seq_base = s->seq_max - back;
	s->seen |= UINT64_C(1) << back;
	s->reordered++;
	return RTP_SOURCE_REORDERED;
}

enum rtp_source_heard rtp_source_update(struct rtp_source *s, const struct rtp_view *v,
					uint32_t arrival, bool timed)
{
	enum rtp_source_heard heard;
	int32_t delta = (int16_t)(uint16_t)(v->seq - (uint16_t)s->seq_max);

	if (s->runs == 0 || v->ssrc != s->ssrc) {
		begin(s, v);
		heard = RTP_SOURCE_NEW;
	} else if (delta > 0 && delta < RTP_SOURCE_DROPOUT_MAX) {
		heard = ahead(s, (uint32_t)delta);
	} else if (delta <= 0 && delta > -RTP_SOURCE_MISORDER_MAX) {
		heard = behind(s, (uint32_t)-delta);
		if (heard == RTP_SOURCE_DUPLICATE)
			return heard;
	} else if (v->seq == s->bad_seq) {
		begin(s, v);
		heard = RTP_SOURCE_NEW;
	} else {
		s->bad_seq = (uint16_t)(v->seq + 1);
		return RTP_SOURCE_FAR;
	}
	s->received++;
	if (timed)
		measure(s, v->ts, arrival);
	return heard;
}

uint64_t rtp_source_received(const struct rtp_source *s)
{
	return (uint64_t)s->received_before + s->received;
}

uint64_t rtp_source_expected(const struct rtp_source *s)
{
	return (uint64_t)s->expected_before + expected_of_run(s);
}

uint64_t rtp_source_lost(const struct rtp_source *s)
{
	uint64_t expected = rtp_source_expected(s);
	uint64_t received = rtp_source_received(s);

	return expected > received ? expected - received : 0;
}

uint32_t rtp_source_jitter_us(const struct rtp_source *s, uint32_t clock_hz)
{
	return (uint32_t)((uint64_t)s->jitter_q4 * 1000000 / 16 / clock_hz);
}

/* RFC 3550, A.3. */
bool rtp_source_report(struct rtp_source *s, struct rtcp_block *b)
{
	if (s->runs == 0)
		return false;

	uint32_t expected = expected_of_run(s);
	uint32_t expected_now = expected - s->expected_prior;
	uint32_t received_now = s->received - s->received_prior;
	int64_t lost = (int64_t)expected - s->received;
	uint32_t fraction = 0;

	/* An older first packet that came late can make the interval's loss negative. */
	if (expected_now > received_now && expected_now <= expected)
		fraction =
			(uint32_t)(((uint64_t)(expected_now - received_now) << 8) / expected_now);
	if (lost > 0x7fffff)
		lost = 0x7fffff;
	if (lost < -0x800000)
		lost = -0x800000;

	s->expected_prior = expected;
	s->received_prior = s->received;
	*b = (struct rtcp_block){
		.ssrc = s->ssrc,
		.fraction_lost = (uint8_t)(fraction > 255 ? 255 : fraction),
		.lost = (int32_t)lost,
		.seq_max = s->seq_max,
		.jitter = s->jitter_q4 >> 4,
	};
	return true;
}
