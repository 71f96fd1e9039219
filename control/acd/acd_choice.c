/* SPDX-License-Identifier: Apache-2.0
 * The choice: for a call the best agent, for an agent the first call. Nothing is changed here.
 *
 * Three things make a call wait although somebody is free: it is kept for the agent whom it prefers,
 * agents of lower levels are asked only after a while, and an offer came to nothing a moment ago. All end
 * by time alone, which acd_opens_ms() tells; until then such a call is passed over in its queue.
 */
#include "acd/acd_priv.h"

static uint64_t stage_ms(const struct acd_queue *q, const struct acd_call *c, int level)
{
	return c->entered_ms + (uint64_t)(level - 1) * q->level_after_s * 1000u;
}

bool acd_may_take(const struct acd *a, const struct acd_call *c, int agent, int level,
		  uint64_t now_ms)
{
	const struct acd_queue *q = &a->queues[c->queue];

	if (level == 0 || q->paused || a->held || now_ms < c->void_until_ms)
		return false;
	if (c->prefer != agent && now_ms < c->prefer_until_ms)
		return false;
	return now_ms >= stage_ms(q, c, level);
}

uint64_t acd_opens_ms(const struct acd *a, const struct acd_call *c, uint64_t now_ms)
{
	const struct acd_queue *q = &a->queues[c->queue];
	uint64_t next = c->prefer_until_ms > now_ms ? c->prefer_until_ms : DUE_NEVER;

	if (c->void_until_ms > now_ms && c->void_until_ms < next)
		next = c->void_until_ms;

	for (int level = 2; q->level_after_s > 0 && level <= 9; level++) {
		uint64_t at = stage_ms(q, c, level);

		if (at > now_ms && at < next)
			next = at;
	}
	return next;
}

/* Whom the call prefers goes before all, whatever his level; then the best level that may take it, and of
 * its agents the one that sits at the head. */
int acd_best_agent(const struct acd *a, int call, uint64_t now_ms)
{
	const struct acd_call *c = &a->calls[call];

	if (c->prefer_until_ms > 0 && a->agents[c->prefer].idle &&
	    acd_may_take(a, c, c->prefer, acd_skill_level(&a->agents[c->prefer], c->queue), now_ms))
		return c->prefer;
	for (int level = 1; level <= ACD_LEVELS_MAX; level++) {
		int agent = acd_idle_best(a, c->queue, level);

		if (agent != NONE)
			return acd_may_take(a, c, agent, level, now_ms) ? agent : NONE;
	}
	return NONE;
}

int acd_best_call(const struct acd *a, int agent, uint64_t now_ms)
{
	const struct acd_agent *g = &a->agents[agent];
	int best = NONE;

	for (unsigned i = 0; !a->held && i < g->n_skills; i++) {
		int c = a->queues[g->skill[i].queue].first;

		while (c != NONE &&
		       !acd_may_take(a, &a->calls[c], agent, g->skill[i].level, now_ms))
			c = a->queues[g->skill[i].queue].paused ? NONE : a->calls[c].next;
		if (c != NONE && (best == NONE || acd_goes_before(&a->calls[c], &a->calls[best])))
			best = c;
	}
	return best;
}
