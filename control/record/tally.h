/* The interval tables: what happened in a quarter of an hour, per queue, agent and flow.
 *
 * A tally is one window of time, [from, to). It is fed with raw events - the steps of each call that may touch
 * the window, and the states of each agent - and holds rows of sums. The same raw events always give the
 * same rows, so a table that is in doubt is simply computed again.
 *
 * How calls that cross a border are apportioned:
 *   - What happens at an instant is counted in the window in which it happens: a call is `offered` when it
 *     enters the queue, and `answered`, `abandoned` or `overflowed` when it leaves, perhaps in the next
 *     window. Over a whole day, and over any time at whose ends nobody waits, they add up.
 *   - What lasts (talk, hold, wrap-up, the states of agents) is divided at the borders: each window has
 *     the milliseconds that lie in it, so the states of an agent fill exactly the time signed in.
 *   - A wait is counted whole, in the window in which it ends, because an average speed of answer is an
 *     average over answers.
 *   - A caller of a flow is counted when the call is over.
 *
 * Windows are aligned to the epoch. Every time zone in use is a multiple of a quarter of an hour away from UTC,
 * so hours and days of any zone, those with a change to or from summer time too, are sums of windows.
 *
 * Steps of a call are taken in the order in which they were written; one whose time is before its
 * predecessor's (the clock was set back) counts as simultaneous.
 *
 * Thread: one owner. Pure but for memory.
 */
#ifndef RECORD_TALLY_H
#define RECORD_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/call_record.h"

enum { TALLY_INTERVAL_MS = 900000, TALLY_WRAPS_MAX = 8, TALLY_RINGING_MAX = 16 };

/* The columns of each table; `_ms` is time, all others count. */
/* clang-format off */
#define TALLY_QUEUE_TABLE(X) \
	X(QUEUE, OFFERED,         offered) /* entered the queue, or was refused at its door */ \
	X(QUEUE, ANSWERED,        answered) \
	X(QUEUE, ANSWERED_20S,    answered_20s) /* after at most 20 s of waiting */ \
	X(QUEUE, ANSWERED_30S,    answered_30s) \
	X(QUEUE, ANSWERED_IN_TIME, answered_in_time) /* after at most the queue's service_level_s */ \
	X(QUEUE, ABANDONED_SHORT, abandoned_short) /* hung up after less than short_abandon_s */ \
	X(QUEUE, ABANDONED_LONG,  abandoned_long) \
	X(QUEUE, OVERFLOWED,      overflowed) /* left for elsewhere: limit, full, nobody there, moved, call ended by us */ \
	X(QUEUE, CALLED_BACK,     called_back) /* promised calls that were made; they are in no column above */ \
	X(QUEUE, ANSWER_WAIT_MS,  answer_wait_ms) /* waits of the answered */ \
	X(QUEUE, ABANDON_WAIT_MS, abandon_wait_ms) \
	X(QUEUE, WAIT_MAX_MS,     wait_max_ms) /* the longest wait that ended; the only column that does not add up */ \
	X(QUEUE, TALK_MS,         talk_ms) /* conversations that came from the queue, without hold */ \
	X(QUEUE, HOLD_MS,         hold_ms) \
	X(QUEUE, WRAP_UP_MS,      wrap_up_ms)

#define TALLY_AGENT_TABLE(X) \
	X(AGENT, OFFERED,      offered) /* rang for a queue */ \
	X(AGENT, ANSWERED,     answered) \
	X(AGENT, NO_ANSWER,    no_answer) \
	X(AGENT, REJECTED,     rejected) \
	X(AGENT, UNREACHABLE,  unreachable) \
	X(AGENT, SIGN_INS,     sign_ins) \
	X(AGENT, AWAYS,        aways) /* became not ready, other than by signing in */ \
	X(AGENT, SIGNED_IN_MS, signed_in_ms) /* the sum of all that follow but hold */ \
	X(AGENT, READY_MS,     ready_ms) \
	X(AGENT, NOT_READY_MS, not_ready_ms) \
	X(AGENT, RINGING_MS,   ringing_ms) \
	X(AGENT, TALKING_MS,   talking_ms) /* with callers of queues, hold included */ \
	X(AGENT, WRAP_UP_MS,   wrap_up_ms) \
	X(AGENT, OTHER_MS,     other_ms) /* calls that did not come from a queue */ \
	X(AGENT, HOLD_MS,      hold_ms) /* of talking_ms */ \
	X(AGENT, CALLS_BACK,   calls_back) /* customers who were dialled, whether they answered or not */ \
	X(AGENT, REACHED,      reached) /* of calls_back: the customer answered; these are in `answered`, too */ \
	X(AGENT, DIAL_MS,      dial_ms) /* from the agent's being given a call back to its being dialled */

#define TALLY_REASON_TABLE(X) \
	X(REASON, NOT_READY_MS, not_ready_ms)

#define TALLY_FLOW_TABLE(X) \
	X(FLOW, CALLERS,   callers) /* led by the flow, and over; each is one of the following four */ \
	X(FLOW, CONTAINED, contained) /* reached a node marked `resolved`, and nobody was needed after it */ \
	X(FLOW, QUEUED,    queued) /* offered to a queue */ \
	X(FLOW, ABANDONED, abandoned) /* hung up in the flow */ \
	X(FLOW, OTHER,     other) /* a message, a number outside, an end by the flow */
/* clang-format on */

#define TALLY_ENUM(kind, id, name) TALLY_##kind##_##id,
enum tally_queue_column { TALLY_QUEUE_TABLE(TALLY_ENUM) TALLY_QUEUE_COLUMNS };
enum tally_agent_column { TALLY_AGENT_TABLE(TALLY_ENUM) TALLY_AGENT_COLUMNS };
enum tally_reason_column { TALLY_REASON_TABLE(TALLY_ENUM) TALLY_REASON_COLUMNS };
enum tally_flow_column { TALLY_FLOW_TABLE(TALLY_ENUM) TALLY_FLOW_COLUMNS };
#undef TALLY_ENUM

enum { TALLY_COLUMNS_MAX = TALLY_AGENT_COLUMNS };

enum tally_kind { TALLY_QUEUE, TALLY_AGENT, TALLY_REASON, TALLY_FLOW, TALLY_KINDS };

struct tally_row {
	enum tally_kind kind;
	char key[CALL_RECORD_NAME_MAX]; /* queue, agent, flow; of REASON the agent */
	char sub[CALL_RECORD_NAME_MAX]; /* REASON: the reason, "" without one; else "" */
	uint64_t n[TALLY_COLUMNS_MAX];
};

/* What a queue's configuration says of time; of a queue that has none of these 20 and 5. */
struct tally_limits {
	char queue[CALL_RECORD_NAME_MAX];
	uint32_t service_level_s, short_abandon_s;
};

struct tally {
	uint64_t from_ms, to_ms;
	const struct tally_limits *limits; /* borrowed */
	size_t n_limits;
	struct tally_row *rows; /* in order of their first appearance */
	size_t n_rows, rows_max;
	uint32_t *index; /* private: hash of the rows */
	size_t index_size;
};

/* Begin a window. `limits` may be NULL and must outlive the tally. */
void tally_begin(struct tally *t, uint64_t from_ms, uint64_t to_ms,
		 const struct tally_limits *limits, size_t n_limits);
void tally_end(struct tally *t);

/* The row, new when there is none; valid until the next one is made. Texts longer than their field are cut. */
struct tally_row *tally_row(struct tally *t, enum tally_kind kind, const char *key,
			    const char *sub);

/* Add `from` to `to` column by column; of WAIT_MAX_MS the larger counts. Same kind. */
void tally_row_add(struct tally_row *to, const struct tally_row *from);

unsigned tally_columns(enum tally_kind kind);
const char *tally_column_name(enum tally_kind kind, unsigned column);

/* The beginning of the interval that `ms` lies in. */
uint64_t tally_start(uint64_t ms);

/* One call on its way through its steps. */
struct tally_call {
	struct tally *t;
	uint64_t at_ms; /* of the newest step */
	bool callback;  /* we call: nobody waits on a line */
	bool waiting, talking, held, ended, resolved, queued;
	uint64_t since_ms; /* of waiting; of talk or hold */
	char queue[CALL_RECORD_NAME_MAX];
	char talk_queue[CALL_RECORD_NAME_MAX], agent[CALL_RECORD_NAME_MAX];
	unsigned ringing; /* agents who were offered the call and have not answered or refused */
	char rings[TALLY_RINGING_MAX][CALL_RECORD_NAME_MAX];
	unsigned wraps;
	struct {
		char agent[CALL_RECORD_NAME_MAX], queue[CALL_RECORD_NAME_MAX];
		uint64_t since_ms;
	} wrap[TALLY_WRAPS_MAX];
	bool by_customer;
	uint64_t ended_ms;
};

void tally_call_begin(struct tally_call *c, struct tally *t, bool callback);
void tally_call_step(struct tally_call *c, enum call_step step, const char *detail, uint64_t at_ms);
/* No more steps are known. `flow` led the caller ("" when none did); what still lasts counts up to `now_ms`. */
void tally_call_end(struct tally_call *c, const char *flow, uint64_t now_ms);

/* An agent came from state `was` to `state` at `at_ms`. */
void tally_agent_change(struct tally *t, const char *agent, const char *was, const char *state,
			uint64_t at_ms);

/* An agent was in `state` (agent_state_name()) during [since, until). `reason` may be NULL. */
void tally_agent_state(struct tally *t, const char *agent, const char *state, const char *reason,
		       uint64_t since_ms, uint64_t until_ms);

#endif
