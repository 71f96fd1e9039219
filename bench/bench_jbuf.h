/* Traces for bench_jbuf: what a line did to packets of 20 ms. */
#ifndef BENCH_JBUF_H
#define BENCH_JBUF_H

#include <stdbool.h>
#include <stdint.h>

enum { JBUF_TRACE_PACKETS = 15000, JBUF_TRACE_MS = 20 };

struct jbuf_arrival {
	uint64_t at_us;
	uint32_t packet;
};

struct jbuf_trace {
	const char *name, *what;
	uint32_t n;
	int32_t skew_ppm; /* the sender's clock is so much faster than the listener's */
	uint32_t gap_every,
		gap_n;       /* after so many packets nothing is sent for so many packet times */
	int64_t *transit_us; /* of each packet; below 0: lost */
	struct jbuf_arrival *order;
	uint32_t arrived;
	uint64_t end_us;
	double least_us; /* transit of the fastest */
};

/* The made traces by number; false after the last. Release with jbuf_trace_free(). */
bool jbuf_trace_make(struct jbuf_trace *t, unsigned number);

/* A recorded one: lines of microseconds, -1 lost, # comments. 0 or negative errno. */
int jbuf_trace_read(struct jbuf_trace *t, const char *path);

/* Send packets of our own over the loopback interface for so long and write what became of them. */
int jbuf_trace_record(const char *path, unsigned seconds);

void jbuf_trace_free(struct jbuf_trace *t);

/* Timestamp at 8 kHz, and when it was sent by the listener's clock. */
uint32_t jbuf_trace_ts(const struct jbuf_trace *t, uint32_t i);
double jbuf_trace_sent_us(const struct jbuf_trace *t, uint32_t i);

/* Is nothing sent for a while after packet i? */
bool jbuf_trace_pauses(const struct jbuf_trace *t, uint32_t i);

#endif
