/* How long an agent was not ready today, by reason.
 *
 * An account of one day: when the day changes it begins anew, and a state that lasts over midnight counts in
 * each day what lies in it. The caller knows where days begin; here they are numbers.
 *
 * Source: the accounting of not-ready time by reason, second-exact, per agent and day. Thread: pure.
 */
#ifndef AGENT_BUDGET_H
#define AGENT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/agent.h"
#include "conf/config.h"

enum {
	BUDGET_OTHERS = CONFIG_REASONS_MAX + 1, /* all built-in reasons: no answer, rejected ... */
	BUDGET_REASONS,                         /* 0: without a reason, 1..9 the operator's own */
	BUDGET_TOTAL = BUDGET_REASONS,          /* of the reasons that count */
	BUDGET_LINES
};

/* A day of the centre: any number that is another one on another day, and the time it began. */
struct budget_day {
	int32_t day;
	uint64_t begin_ms;
};

struct budget {
	int32_t day;
	uint64_t used_ms[BUDGET_REASONS]; /* but for the state that runs */
	bool runs;
	uint8_t reason;    /* of the state that runs */
	uint64_t since_ms; /* it counts from here */
	uint16_t told;     /* bit i: line i was told to be used up today */
};

/* The line of a reason of agent.h. */
unsigned budget_line(uint8_t reason);

/* The agent is in this state from `now_ms` on. Times are of one clock, the same as in `today`. */
void budget_state(struct budget *b, enum agent_state state, uint8_t reason,
		  const struct budget_day *today, uint64_t now_ms);

/* What earlier programs had counted for today, of one reason. */
void budget_restore(struct budget *b, uint8_t reason, uint64_t used_ms,
		    const struct budget_day *today);

/* So far today, of one line; BUDGET_TOTAL adds up the reasons that count. */
uint64_t budget_used_ms(struct budget *b, const struct config *c, unsigned line,
			const struct budget_day *today, uint64_t now_ms);

/* What a line may be; UINT64_MAX: no limit. */
uint64_t budget_limit_ms(const struct config *c, unsigned line);

/* May the agent be not ready with `reason` now? Else the line that forbids it. */
bool budget_allows(struct budget *b, const struct config *c, uint8_t reason,
		   const struct budget_day *today, uint64_t now_ms, unsigned *line);

/* A line that is used up and was not told yet; -1: none. It counts as told. */
int budget_used_up(struct budget *b, const struct config *c, const struct budget_day *today,
		   uint64_t now_ms);

#endif
