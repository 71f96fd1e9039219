/* Random histories of a call centre, and what they add up to by another way than tally.c's: the maker of
 * a history knows what it made, and books every second of it. For tests.
 */
#ifndef RECORD_TALLY_KIT_H
#define RECORD_TALLY_KIT_H

#include "record/tally.h"

enum { KIT_STEPS_MAX = 120, KIT_QUEUES = 3, KIT_AGENTS = 5, KIT_FLOWS = 2 };

struct kit_step {
	uint64_t at_ms;
	enum call_step step;
	char detail[80];
};

struct kit_call {
	char id[40];
	enum call_kind kind;
	char flow[16];
	uint64_t ended_ms; /* 0: it goes on */
	unsigned first_agent, n;
	struct kit_step step[KIT_STEPS_MAX];
};

struct kit_state {
	char agent[8];
	uint64_t at_ms;
	const char *state, *reason;
};

struct kit {
	uint64_t seed, from_ms, now_ms; /* the history is of [from, now) */
	struct kit_call *calls;
	size_t n_calls;
	struct kit_state *states;
	size_t n_states;
	struct tally *want; /* one per interval from from_ms on */
	size_t n_want;
};

/* `hours` of history that begins at `from_ms`, a whole interval. */
struct kit *kit_make(uint64_t seed, uint64_t from_ms, unsigned hours, unsigned calls);
void kit_free(struct kit *k);

extern const struct tally_limits kit_limits[KIT_QUEUES];

/* Are the rows the same, whatever their order? Prints the first difference. */
bool kit_same(const struct tally *got, const struct tally *want);

#endif
