/* SPDX-License-Identifier: Apache-2.0
 *
 * What we know of an event is the piece of the sender's time line that it covers:
 *
 *        segment_ts              segment_ts + duration
 *            |=== before ===|=== newest segment ===|
 *
 * A packet whose timestamp falls on the newest segment, its end included, is of this event: an
 * update, a repetition, or the segment that continues it (RFC 4733, 2.5.1.3: it begins exactly
 * where the last one ended). Two presses never touch, since a released key is silent for a while. A
 * packet from before the segment is old; one beyond it is a new press.
 */
#include "rtp/telephone_event.h"

#include <errno.h>
#include <string.h>

#include "base/units.h"

enum {
	END_BIT = 0x80,
	VOLUME_DBM0 = 10, /* -10 dBm0; receivers ignore it for DTMF */
	END_PACKETS = 3,
	SEGMENT_MAX = 0xffff,
	/* A segment that follows one of which the last updates were lost begins this close to the
	 * limit at least: 0.5 s at 8 kHz. */
	SEGMENT_NEAR = SEGMENT_MAX - 4000,
	/* Older than this is not an old packet but another time line: 16 s at 8 kHz. */
	OLD_TICKS_MAX = 1 << 17,
};

void telephone_event_reset(struct telephone_event *e)
{
	memset(e, 0, sizeof(*e));
}

static struct telephone_event_news news(const struct telephone_event *e,
					enum telephone_event_heard heard)
{
	return (struct telephone_event_news){
		.heard = heard,
		.code = e->code,
		.duration_ticks = e->before_ticks + e->duration,
	};
}

enum place { PLACE_SAME, PLACE_SEGMENT, PLACE_OLD, PLACE_NEW };

/* Where a packet stands to the event that we know. */
static enum place place_of(const struct telephone_event *e, uint8_t code, uint32_t ts, bool marker)
{
	int32_t ahead = (int32_t)(ts - e->segment_ts);

	if (!e->known)
		return PLACE_NEW;
	if (ahead < 0)
		return ahead > -OLD_TICKS_MAX ? PLACE_OLD : PLACE_NEW;
	if (code != e->code)
		return PLACE_NEW;
	if (ahead == 0)
		return PLACE_SAME;
	if (ahead <= e->duration)
		return PLACE_SEGMENT;
	if (!e->ended && !marker && ahead >= SEGMENT_NEAR && ahead <= SEGMENT_MAX)
		return PLACE_SEGMENT;
	return PLACE_NEW;
}

/* An update or repetition of the event at hand. */
static struct telephone_event_news update(struct telephone_event *e, uint16_t duration, bool end,
					  uint64_t now_ns)
{
	if (e->ended)
		return news(e, TELEPHONE_EVENT_NOTHING);
	e->last_ns = now_ns;
	if (duration > e->duration)
		e->duration = duration;
	e->ended = end;
	return news(e, end ? TELEPHONE_EVENT_ENDED : TELEPHONE_EVENT_CONTINUES);
}

struct telephone_event_news telephone_event_heard(struct telephone_event *e, const uint8_t *payload,
						  size_t len, uint32_t ts, bool marker,
						  uint64_t now_ns)
{
	if (len < TELEPHONE_EVENT_PAYLOAD)
		return (struct telephone_event_news){.heard = TELEPHONE_EVENT_BAD};

	uint8_t code = payload[0];
	bool end = (payload[1] & END_BIT) != 0;
	uint16_t duration = be16_get(payload + 2);

	switch (place_of(e, code, ts, marker)) {
	case PLACE_OLD:
		return news(e, TELEPHONE_EVENT_NOTHING);
	case PLACE_SAME:
		return update(e, duration, end, now_ns);
	case PLACE_SEGMENT:
		if (e->ended)
			return news(e, TELEPHONE_EVENT_NOTHING);
		/* A sender that moves the timestamp along goes on counting; a true segment starts
		 * its duration anew. */
		if (duration <= e->duration) {
			e->before_ticks += ts - e->segment_ts;
			e->duration = 0;
		}
		e->segment_ts = ts;
		return update(e, duration, end, now_ns);
	case PLACE_NEW:
		break;
	}
	*e = (struct telephone_event){
		.last_ns = now_ns,
		.segment_ts = ts,
		.duration = duration,
		.code = code,
		.known = true,
		.ended = end,
	};
	return news(e, end ? TELEPHONE_EVENT_WHOLE : TELEPHONE_EVENT_STARTED);
}

struct telephone_event_news telephone_event_expire(struct telephone_event *e, uint64_t now_ns)
{
	if (!telephone_event_pressed(e) ||
	    now_ns - e->last_ns < TELEPHONE_EVENT_TIMEOUT_MS * PB_NS_PER_MS)
		return news(e, TELEPHONE_EVENT_NOTHING);
	e->ended = true;
	return news(e, TELEPHONE_EVENT_ENDED);
}

/* Whole packet times, in ticks, for a duration; at least one. */
static uint32_t whole_packets(uint32_t ms, uint32_t ticks_per_ms, uint32_t packet_ticks)
{
	uint64_t n = ((uint64_t)ms * ticks_per_ms + packet_ticks - 1) / packet_ticks;
	uint64_t most = UINT32_MAX / 2 / packet_ticks;

	if (n == 0)
		n = 1;
	return (uint32_t)((n > most ? most : n) * packet_ticks);
}

int telephone_event_send_start(struct telephone_event_sender *s, const uint8_t *codes, size_t n,
			       uint32_t duration_ms, uint32_t gap_ms, uint32_t clock_hz,
			       uint32_t ptime_ms)
{
	uint32_t ticks_per_ms = clock_hz / 1000;
	uint64_t packet_ticks = (uint64_t)ticks_per_ms * ptime_ms;

	if (n == 0 || n > TELEPHONE_EVENT_DIGITS_MAX || packet_ticks == 0 ||
	    packet_ticks > SEGMENT_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (codes[i] >= DTMF_CODES)
			return -EINVAL;

	struct telephone_event_sender fresh = {
		.n = (uint8_t)n,
		.active = true,
		.packet_ticks = (uint32_t)packet_ticks,
		.length_ticks = whole_packets(duration_ms, ticks_per_ms, (uint32_t)packet_ticks),
		.gap_ticks = whole_packets(gap_ms, ticks_per_ms, (uint32_t)packet_ticks),
	};

	if (fresh.length_ticks > SEGMENT_MAX)
		fresh.length_ticks = SEGMENT_MAX;
	/* One packet time of rest after the repetitions, or two presses of a key could touch. */
	if (fresh.gap_ticks < END_PACKETS * fresh.packet_ticks)
		fresh.gap_ticks = END_PACKETS * fresh.packet_ticks;
	memcpy(fresh.code, codes, n);
	*s = fresh;
	return 0;
}

static enum telephone_event_send packet(struct telephone_event_sender *s,
					struct telephone_event_packet *out, uint32_t duration,
					bool end)
{
	out->payload[0] = s->code[s->at];
	out->payload[1] = (uint8_t)((end ? END_BIT : 0) | VOLUME_DBM0);
	be16_put(out->payload + 2, (uint16_t)duration);
	out->ts = s->ts;
	out->marker = s->elapsed == s->packet_ticks;
	return TELEPHONE_EVENT_SEND_PACKET;
}

enum telephone_event_send telephone_event_send_next(struct telephone_event_sender *s,
						    uint32_t now_ts,
						    struct telephone_event_packet *out)
{
	if (!s->active)
		return TELEPHONE_EVENT_SEND_DONE;
	if (s->elapsed >= s->length_ticks + s->gap_ticks) {
		s->elapsed = 0;
		s->at++;
	}
	if (s->elapsed == 0)
		s->ts = now_ts;
	s->elapsed += s->packet_ticks;

	if (s->elapsed < s->length_ticks)
		return packet(s, out, s->elapsed, false);
	if (s->elapsed < s->length_ticks + s->packet_ticks) {
		s->ends_left = END_PACKETS - 1;
		return packet(s, out, s->length_ticks, true);
	}
	if (s->ends_left > 0) {
		s->ends_left--;
		/* The row is over with the last repetition: nobody has to wait out the gap. */
		s->active = s->ends_left > 0 || s->at + 1 < s->n;
		return packet(s, out, s->length_ticks, true);
	}
	return TELEPHONE_EVENT_SEND_GAP;
}
