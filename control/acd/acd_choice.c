/* SPDX-License-Identifier: Apache-2.0
 * The choice: for a call the best agent, for an agent the first call. Nothing is changed here.
 *
 * Three things make a call wait although somebody is free: it is kept for the agent whom it prefers,
 * agents of lower levels are asked only after a while, and an offer came to nothing a moment ago. All end
 * by time alone, which acd_opens_ms() tells; until then such a call is passed over in its queue.
 */
#include "acd/acd_priv.h"

static bool better(const struct acd_queue *q, const struct acd_agent *x, int x_level,
		   const struct acd_agent *y, int y_level)
{
	if (x_level != y_level)
		return x_level < y_level;
	if (q->strategy == CONFIG_ROUND_ROBIN)
		return x->offered_seq < y->offered_seq;
	if (q->strategy == CONFIG_LEAST_CALLS)
		return x->since_sign_in < y->since_sign_in;
	if (q->strategy == CONFIG_LEAST_TALK)
		return x->talk_ms < y->talk_ms;
	return false; /* the list is in order of idle time */
}

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

int acd_best_agent(const struct acd *a, int call, uint64_t now_ms)
{
	const struct acd_call *c = &a->calls[call];
	const struct acd_queue *q = &a->queues[c->queue];
	int best = NONE, best_level = 0;

	for (int i = a->held ? NONE : a->idle_first; i != NONE; i = a->agents[i].next) {
		int level = acd_skill_level(&a->agents[i], c->queue);

		if (!acd_may_take(a, c, i, level, now_ms))
			continue;
		if (i == c->prefer && c->prefer_until_ms > 0)
			return i;
		if (best == NONE || better(q, &a->agents[i], level, &a->agents[best], best_level)) {
			best = i;
			best_level = level;
		}
		if (best_level == 1 && q->strategy == CONFIG_LONGEST_IDLE &&
		    c->prefer_until_ms == 0)
			break;
	}
	return best;
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
