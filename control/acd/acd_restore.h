/* The distribution of calls over a restart of the program: what must be remembered of an agent and of
 * a call, and how an ACD that was just configured takes it back.
 *
 *	acd_freeze(true), acd_agent_restore()*, acd_call_restore()*, acd_restore_end() ... acd_freeze(false)
 *
 * Rules.
 * - Who was rung is READY again, as idle as before; the call that rang keeps its place in the queue.
 * - A waiting call has its place, its waiting time and what is left of its patience; it is announced
 *   to anew.
 * - Who talked goes on talking when the call is restored, else wraps up as if it had just ended.
 * - Private calls (OTHER) are not restored: the shell reports them again.
 * - Counts of queues begin anew.
 *
 * While frozen nothing is offered and nothing falls due: the shell cannot carry it out yet. Times are of
 * the clock of acd.h. Thread: the loop's.
 */
#ifndef ACD_ACD_RESTORE_H
#define ACD_ACD_RESTORE_H

#include "acd/acd.h"

struct acd_agent_kept {
	struct agent agent;
	uint64_t idle_since_ms;
	uint64_t wrap_until_ms; /* WRAP_UP, shown or beneath OTHER: it ends then; else 0 */
	uint16_t wrap_up_s;     /* of the call that rings, talks or is over */
	uint32_t answered, missed, rejected, since_sign_in;
	uint64_t talk_ms;
	bool dnd, dnd_ready; /* not to be disturbed; ready without */
};

/* False for no such agent. */
bool acd_agent_keep(const struct acd *a, int agent, struct acd_agent_kept *out);

struct acd_call_kept {
	int queue;
	bool talking; /* with `agent`; else it waits or rings */
	int agent;    /* talking: who; else -1 */
	uint8_t priority;
	bool callback;
	uint64_t entered_ms, joined_ms, answered_ms;
	uint64_t seq; /* its place among those with equal claims */
};

/* False when the call is not here. */
bool acd_call_keep(const struct acd *a, uint64_t call, struct acd_call_kept *out);

/* The next agent of whom something to keep has changed since it was last told here; -1: none. */
int acd_changed(struct acd *a);

/* Offer nothing and let nothing fall due, or do so again. Letting go does what has become due. */
void acd_freeze(struct acd *a, bool frozen, uint64_t now_ms);

/* A signed-out agent as it was. -ENOENT for no such agent, -EPROTO when it does something already,
 * -EINVAL for a state that cannot be. */
int acd_agent_restore(struct acd *a, int agent, const struct acd_agent_kept *kept, uint64_t now_ms);

/* A call as it was. -EEXIST; -ENOENT for no such queue; -ENOSPC; talking: -EPROTO when the agent was not
 * restored as talking, or talks with another. Nobody is asked whether the queue is full or empty. */
int acd_call_restore(struct acd *a, uint64_t call, const struct acd_call_kept *kept,
		     uint64_t now_ms);

/* All that could be restored is: who talks with nobody wraps up. */
void acd_restore_end(struct acd *a, uint64_t now_ms);

#endif
