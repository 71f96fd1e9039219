/* How long agents are not ready, day by day, and what their budgets allow.
 *
 * The account is agent/budget.h's; the days are those of the centre's time zone. After a restart what was
 * counted before is read from the stored states of agents, second-exact.
 *
 * Thread: libre's loop.
 */
#ifndef CALL_AWAY_H
#define CALL_AWAY_H

#include "call/centre.h"

/* An agent (ACD index) shows another state. */
void away_changed(struct centre *c, int agent, enum agent_state state, uint8_t reason);

/* May it be not ready with this reason now? Else a sentence in `why`. */
bool away_allowed(struct centre *c, int agent, uint8_t reason, char *why, size_t why_size);

/* Once a second: tell what is used up; after a start, ask the database once. */
void away_second(struct centre *c);

/* [{reason, used_ms, budget_ms}] of today, lines that are used or limited; "" is without a reason, "total"
 * what counts together. A new reference. */
json_t *away_rows(struct centre *c, int agent);

#endif
