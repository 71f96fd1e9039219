/* What a line does to its packets, as far as a jitter buffer needs to know it: how much longer than
 * the fastest each packet took, and the delay that lets all but one in JBUF_LINE_LATE be in time.
 *
 * A packet's transit is its arrival less the instant its timestamp stands for; only differences
 * mean anything. The least transit of the last five to ten seconds is the base: a clock that drifts
 * and a route that changes move it. What a packet took beyond the base is its lag. Lags are counted in
 * bins, of which JBUF_LINE_SPAN reach to the largest delay; the counts are halved from time to time, so that what is known is of
 * the last ten to twenty seconds. When the base moves, the counts move with it. Packets that come at once
 * after a stall, each a little less late than the one before, are one event and count once.
 *
 * Thread: the owner of the buffer; pure. Private to jbuf/.
 */
#ifndef JBUF_JBUF_LINE_H
#define JBUF_JBUF_LINE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	JBUF_LINE_BINS = 64,
	JBUF_LINE_SPAN = 62, /* bins up to the largest delay, at least half of them */
	JBUF_LINE_LATE = 50, /* one packet in so many may be late */
	JBUF_LINE_WINDOW =
		250,        /* packets; the base is the least of this window and the one before */
	JBUF_LINE_ODD = 25, /* packets in a row that are absurd: a new time base */
};

struct jbuf_line {
	uint64_t base_ns;     /* least transit */
	uint64_t counted_ns;  /* the base that the bins refer to */
	uint64_t low_ns[2];   /* of this window, of the one before */
	uint64_t last_ns;     /* arrival of the packet before */
	uint32_t last_lag_us; /* its lag */
	uint32_t enough_ns;   /* delay beyond counted_ns, settled every few packets */
	uint8_t bin_shift;    /* a bin is 1 << bin_shift nanoseconds wide */
	uint16_t in_window;   /* packets */
	uint16_t total;       /* in all bins */
	uint8_t unsettled;    /* packets since enough_ns was settled */
	uint8_t odd;          /* packets in a row with an absurd transit */
	bool timed;           /* base_ns means something */
	bool paused;          /* see jbuf_line_paused() */
	uint16_t bin[JBUF_LINE_BINS];
};

void jbuf_line_init(struct jbuf_line *l, uint64_t max_ns);

/* The next packet belongs to another time base; what was learnt of lags stays. */
void jbuf_line_restart(struct jbuf_line *l);

/* Silence lies before the next packet: should it be slower than the largest delay, it is its
 * clock that stood still, as some senders' do in a pause, and not the line. */
void jbuf_line_paused(struct jbuf_line *l);

/* A packet came at `now_ns`. Returns its lag in microseconds; 0 also when its time makes no sense yet. */
uint32_t jbuf_line_packet(struct jbuf_line *l, uint64_t transit_ns, uint64_t now_ns);

/* Delay beyond the fastest packet that would have sufficed for nearly all. */
uint64_t jbuf_line_enough_ns(const struct jbuf_line *l);

#endif
