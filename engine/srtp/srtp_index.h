/* The packet index of one RTP stream and which indices have been used.
 *
 * SRTP numbers packets with 48 bits, of which the packet carries the lower 16 (the sequence number); the
 * upper 32 are the rollover counter that each side keeps for itself. The index of a packet is the
 * one nearest to the highest seen. A window of bits behind that one remembers what was used: a
 * receiver refuses a replay by it, a sender never seals two packets with one keystream.
 *
 * Thread: any; pure. Source: RFC 3711, 3.3.1, 3.3.2 and appendix A.
 */
#ifndef SRTP_SRTP_INDEX_H
#define SRTP_SRTP_INDEX_H

#include <stdbool.h>
#include <stdint.h>

enum { SRTP_WINDOW = 64 }; /* packets: 1.3 s of speech; RFC 3711 asks for 64 */
#define SRTP_INDEX_MAX ((UINT64_C(1) << 48) - 1)

struct srtp_index {
	uint64_t top;  /* highest index used */
	uint64_t used; /* bit i: index top - i was used */
};

enum srtp_index_says {
	SRTP_INDEX_NEW,
	SRTP_INDEX_USED, /* before */
	SRTP_INDEX_OLD,  /* behind the window: nobody knows any more */
};

/* A stream whose first packet has this rollover counter and sequence number. Nothing is used yet. */
static inline void srtp_index_start(struct srtp_index *x, uint32_t roc, uint16_t seq)
{
	*x = (struct srtp_index){.top = (uint64_t)roc << 16 | seq};
}

/* The index that is meant by `seq`: the nearest to the highest. One before the first wrap is behind every
 * window and is given as 0 wraps; the authentication decides about it. */
static inline uint64_t srtp_index_guess(const struct srtp_index *x, uint16_t seq)
{
	int64_t ahead = (int16_t)(uint16_t)(seq - (uint16_t)x->top);
	int64_t guess = (int64_t)x->top + ahead;

	return guess < 0 ? seq : (uint64_t)guess;
}

static inline enum srtp_index_says srtp_index_ask(const struct srtp_index *x, uint64_t index)
{
	if (index > x->top)
		return SRTP_INDEX_NEW;

	uint64_t back = x->top - index;

	if (back >= SRTP_WINDOW)
		return SRTP_INDEX_OLD;
	return x->used >> back & 1 ? SRTP_INDEX_USED : SRTP_INDEX_NEW;
}

/* Use an index that srtp_index_ask() calls new. */
static inline void srtp_index_use(struct srtp_index *x, uint64_t index)
{
	if (index > x->top) {
		uint64_t by = index - x->top;

		x->used = by >= SRTP_WINDOW ? 0 : x->used << by;
		x->top = index;
	}

	x->used |= UINT64_C(1) << (x->top - index);
}

#endif
