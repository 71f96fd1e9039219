/* Telephone-event: keys pressed, sent as RTP events.
 *
 * Receiving: one press gives one STARTED, whatever is lost, repeated or reordered. An event is
 * known by its timestamp; a packet whose timestamp lies inside the event we know belongs to it (so
 * do the following segments of an event longer than 0xffff ticks, and so do senders that move the
 * timestamp along with the duration). A press whose end packets are all lost ends
 * TELEPHONE_EVENT_TIMEOUT_MS after its last packet, or with the next press.
 *
 * Sending: a row of digits becomes a packet per packet time: the marker on the first, one
 * timestamp for all of a digit, growing durations, the last packet three times, a gap.
 *
 * Thread: the leg's owner. Source: RFC 4733, 2.3 to 2.6 and 3.2.
 */
#ifndef RTP_TELEPHONE_EVENT_H
#define RTP_TELEPHONE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/dtmf_code.h"

enum {
	TELEPHONE_EVENT_PAYLOAD = 4,      /* octets of one event block */
	TELEPHONE_EVENT_TIMEOUT_MS = 200, /* silence that ends a press; four 50 ms updates */
	TELEPHONE_EVENT_DIGITS_MAX = 64,
};

/* Receiver. All zero bytes mean: no event known. */
struct telephone_event {
	uint64_t last_ns;      /* arrival of the newest packet of the event */
	uint32_t segment_ts;   /* timestamp of its newest segment: the event's identity */
	uint32_t before_ticks; /* length of the segments before that */
	uint16_t duration;     /* of the newest segment so far, ticks */
	uint8_t code;
	bool known; /* the fields above are of some event */
	bool ended; /* it has ended; its repetitions are recognised */
};

enum telephone_event_heard {
	TELEPHONE_EVENT_BAD,       /* fewer than 4 octets: nothing changed */
	TELEPHONE_EVENT_NOTHING,   /* a repetition or an old packet: nothing to tell */
	TELEPHONE_EVENT_STARTED,   /* a press began (an unended one before it is over) */
	TELEPHONE_EVENT_CONTINUES, /* still held down */
	TELEPHONE_EVENT_ENDED,     /* released */
	TELEPHONE_EVENT_WHOLE,     /* began and ended: only its end packet reached us */
};

/* What was heard. `code` and `duration_ticks` are valid from STARTED on. */
struct telephone_event_news {
	enum telephone_event_heard heard;
	uint8_t code; /* 0..255: above 15 are other events (flash is 16), the caller's choice */
	uint32_t duration_ticks; /* so far, all segments */
};

/* Forget everything: another source, another negotiation. */
void telephone_event_reset(struct telephone_event *e);

/* Take in one packet's payload. `ts` is its RTP timestamp, `marker` its marker bit. */
struct telephone_event_news telephone_event_heard(struct telephone_event *e, const uint8_t *payload,
						  size_t len, uint32_t ts, bool marker,
						  uint64_t now_ns);

/* Has a press ended for want of packets? ENDED once, when its last packet is
 * TELEPHONE_EVENT_TIMEOUT_MS old; otherwise NOTHING. */
struct telephone_event_news telephone_event_expire(struct telephone_event *e, uint64_t now_ns);

/* A press is under way. */
static inline bool telephone_event_pressed(const struct telephone_event *e)
{
	return e->known && !e->ended;
}

/* Sender of a row of digits. */
struct telephone_event_sender {
	uint8_t code[TELEPHONE_EVENT_DIGITS_MAX];
	uint8_t n, at;         /* digits, and the one being sent */
	uint8_t ends_left;     /* repetitions of the end packet still to send */
	bool active;           /* something is left to send */
	uint32_t ts;           /* of the digit being sent */
	uint32_t elapsed;      /* ticks since its start */
	uint32_t packet_ticks; /* one packet time */
	uint32_t length_ticks; /* of a digit, at most 0xffff */
	uint32_t gap_ticks;    /* after a digit */
};

enum telephone_event_send {
	TELEPHONE_EVENT_SEND_PACKET, /* send `out` in place of audio at this packet time */
	TELEPHONE_EVENT_SEND_GAP,    /* between digits: silence or audio, as you like */
	TELEPHONE_EVENT_SEND_DONE,   /* all sent; nothing was written */
};

struct telephone_event_packet {
	uint8_t payload[TELEPHONE_EVENT_PAYLOAD];
	uint32_t ts; /* RTP timestamp to send it with: the digit's, not the current one */
	bool marker;
};

/* Prepare to send `n` digits (codes below 16). Times are rounded up to whole packet times; a digit
 * is at least one and at most 0xffff ticks long, a gap at least as long as the repetitions take.
 * Returns 0, or -EINVAL: n is 0 or above TELEPHONE_EVENT_DIGITS_MAX, a code above 15, or a
 * `clock_hz` or `ptime_ms` of 0. A row that was being sent is forgotten. */
int telephone_event_send_start(struct telephone_event_sender *s, const uint8_t *codes, size_t n,
			       uint32_t duration_ms, uint32_t gap_ms, uint32_t clock_hz,
			       uint32_t ptime_ms);

/* Call once per packet time with the timestamp that audio would have now. */
enum telephone_event_send telephone_event_send_next(struct telephone_event_sender *s,
						    uint32_t now_ts,
						    struct telephone_event_packet *out);

#endif
