/* SPDX-License-Identifier: Apache-2.0
 * What is believed of a call centre.
 *
 * At each offer (cheap part always, the comparison with everybody else when the whole book is compared
 * after every event, or for one offer in 64):
 *   - the call waits, the agent is ready, reachable, has the skill, no call, and the queue runs;
 *   - nobody better was there: no lower level, by the queue's strategy, by idle time;
 *   - no call of the agent's queues that he might have taken already goes before: priority with ageing.
 *
 * Of the whole book:
 *   - every call is where the ACD has it, in one place; an agent has one call, and both say so;
 *   - nobody is idle while a call waits that he may take;
 *   - nobody rings, wraps up or waits beyond the limit;
 *   - offered = answered + abandoned + left + refused + waiting, in the book, and the same in the ACD;
 *   - every call that came is somewhere, or over.
 */
#include "sim_priv.h"

/* --- who may take what, stated once more --------------------------------------------------- */

static unsigned level_of(const struct sim *s, int agent, int queue)
{
	return s->level[(size_t)agent * s->n_queues + (size_t)queue];
}

bool sim_check_may_take(const struct sim *s, const struct sim_call *c, int agent, uint64_t now_ms)
{
	const struct sim_queue *q = &s->queue[c->queue];
	unsigned level = level_of(s, agent, c->queue);

	if (level == 0 || q->paused || q->rule == NULL || s->held || now_ms < c->void_until_ms)
		return false;
	if (c->prefer != agent && now_ms < c->prefer_until_ms)
		return false;
	return now_ms >= c->since_ms + (level - 1) * UINT64_C(1000) * q->rule->level_after_s;
}

static bool free_now(const struct sim *s, int agent)
{
	const struct sim_agent *g = &s->agent[agent];

	return g->state == AGENT_READY && g->reachable && g->call == 0;
}

static bool goes_before(const struct sim_call *x, const struct sim_call *y)
{
	return x->key < y->key || (x->key == y->key && x->seq < y->seq);
}

/* Has `x` a better claim than `y`, of the same level? Equal is no better. */
static bool better(enum config_strategy how, const struct sim_agent *x, const struct sim_agent *y)
{
	switch (how) {
	case CONFIG_ROUND_ROBIN:
		return x->offered_seq < y->offered_seq;
	case CONFIG_LEAST_CALLS:
		if (x->since_sign_in != y->since_sign_in)
			return x->since_sign_in < y->since_sign_in;
		break;
	case CONFIG_LEAST_TALK:
		if (x->talk_ms != y->talk_ms)
			return x->talk_ms < y->talk_ms;
		break;
	case CONFIG_LONGEST_IDLE:
	case CONFIG_RING_ALL:
	case CONFIG_STRATEGIES:
		break;
	}
	return x->idle_since_ms < y->idle_since_ms;
}

/* When did the call open to the agent, if not as it came? What opened since the clock was looked at last
 * may go to whoever happens to be free first. */
static bool just_opened(const struct sim *s, const struct sim_call *c, int agent)
{
	const struct config_queue *rule = s->queue[c->queue].rule;
	uint64_t at_ms = c->since_ms +
			 (level_of(s, agent, c->queue) - 1) * UINT64_C(1000) * rule->level_after_s;

	if (c->prefer != agent && c->prefer_until_ms > at_ms)
		at_ms = c->prefer_until_ms;
	if (c->void_until_ms > at_ms)
		at_ms = c->void_until_ms;
	return at_ms > s->ticked_ms && at_ms != c->since_ms;
}

static void nobody_better(struct sim *s, const struct sim_call *c, int agent)
{
	const struct sim_agent *g = &s->agent[agent];
	unsigned level = level_of(s, agent, c->queue);

	for (int i = 0; i < (int)s->n_agents; i++) {
		unsigned its = level_of(s, i, c->queue);

		if (i == agent || !free_now(s, i) || its > level ||
		    !sim_check_may_take(s, c, i, s->now_ms) || just_opened(s, c, i))
			continue;
		if (its == level && !better(s->queue[c->queue].rule->strategy, &s->agent[i], g))
			continue;
		sim_breaks(
			s,
			"caller %u of queue %s is offered to agent %s, but %s has a better claim",
			c->serial, sim_queue_name(s, c->queue), sim_agent_number(s, agent),
			sim_agent_number(s, i));
		return;
	}
}

static void nobody_before(struct sim *s, const struct sim_call *c, int agent)
{
	for (uint32_t i = 0; i < s->plan->calls_max; i++) {
		const struct sim_call *x = &s->call[i];

		if (x->place != SIM_WAITING || x == c || !goes_before(x, c) ||
		    !sim_check_may_take(s, x, agent, s->ticked_ms))
			continue;
		sim_breaks(
			s,
			"caller %u of queue %s is offered to agent %s, but caller %u goes before",
			c->serial, sim_queue_name(s, c->queue), sim_agent_number(s, agent),
			x->serial);
		return;
	}
}

void sim_check_offer(struct sim *s, const struct acd_action *a)
{
	const struct sim_call *c = sim_call_find(s, a->call);
	bool ring_all = s->queue[a->queue].rule != NULL &&
			s->queue[a->queue].rule->strategy == CONFIG_RING_ALL;

	if (c->place == SIM_OFFERED && (!ring_all || c->ringing >= ACD_RING_ALL_MAX))
		sim_breaks(s, "caller %u is offered to one agent more", c->serial);
	if (c->queue != a->queue || !free_now(s, a->agent) ||
	    !sim_check_may_take(s, c, a->agent, s->now_ms)) {
		sim_breaks(s,
			   "caller %u of queue %s is offered to agent %s, who may not have it now",
			   c->serial, sim_queue_name(s, a->queue), sim_agent_number(s, a->agent));
		return;
	}
	if (s->plan->check_every == 0 || (s->plan->check_every > 1 && s->result.actions % 64 != 0))
		return;
	if (a->agent != c->prefer || c->prefer_until_ms == 0)
		nobody_better(s, c, a->agent);
	if (c->place == SIM_WAITING)
		nobody_before(s, c, a->agent);
}

/* --- the whole book ------------------------------------------------------------------------ */

static void check_call(struct sim *s, const struct sim_call *c, bool quiet)
{
	bool waits = c->place == SIM_WAITING || c->place == SIM_OFFERED;
	const struct sim_queue *q = c->queue >= 0 ? &s->queue[c->queue] : NULL;

	/* Places are long to count in long queues: there the sums must do. */
	if ((!waits || s->plan->check_every == 1) && (acd_position(s->acd, c->id) > 0) != waits)
		sim_breaks(s, "caller %u %s, the ACD says otherwise", c->serial,
			   waits ? "waits" : "does not wait");
	if (!waits || s->result.broken[0] != '\0')
		return;
	if (q->rule == NULL)
		sim_breaks(s, "caller %u waits in a queue that is gone", c->serial);
	else if (quiet && c->place == SIM_WAITING && !c->callback && q->rule->max_wait_s > 0 &&
		 s->now_ms >
			 c->joined_ms + q->rule->max_wait_s * UINT64_C(1000) + s->plan->late_ms_max)
		sim_breaks(s, "caller %u waits longer than queue %s allows", c->serial,
			   sim_queue_name(s, c->queue));
	if (s->now_ms > c->gives_up_ms && !c->callback)
		sim_breaks(s, "caller %u is stuck beyond its own patience", c->serial);
	if ((c->place == SIM_OFFERED) != (c->ringing > 0))
		sim_breaks(s, "caller %u is offered to %u phones", c->serial, c->ringing);
}

static void check_agent(struct sim *s, int agent, bool quiet)
{
	const struct sim_agent *g = &s->agent[agent];
	struct acd_agent_view v;
	const struct sim_call *c = g->call != 0 ? sim_call_find(s, g->call) : NULL;
	enum sim_place must_be = g->state == AGENT_RINGING ? SIM_OFFERED : SIM_TALKING;

	if (!acd_agent_view(s->acd, agent, &v)) {
		if (g->state != AGENT_OFFLINE)
			sim_breaks(s, "agent %s is gone in mid-work", sim_agent_number(s, agent));
		return;
	}
	if (v.agent.state != g->state || v.call != g->call || v.reachable != g->reachable)
		sim_breaks(s, "agent %s is %s in the ACD, %s in the book",
			   sim_agent_number(s, agent), agent_state_name(v.agent.state),
			   agent_state_name(g->state));
	if ((g->call != 0) != (g->state == AGENT_RINGING || g->state == AGENT_TALKING))
		sim_breaks(s, "agent %s is %s and has %s call", sim_agent_number(s, agent),
			   agent_state_name(g->state), g->call != 0 ? "a" : "no");
	if (g->call != 0 && (c == NULL || (c->place != must_be &&
					   !(must_be == SIM_TALKING && c->place == SIM_DIALLING))))
		sim_breaks(s, "agent %s has a call that is elsewhere", sim_agent_number(s, agent));
	if (c != NULL && g->state == AGENT_TALKING && c->agent != agent)
		sim_breaks(s, "agent %s talks with caller %u, who talks with another",
			   sim_agent_number(s, agent), c->serial);
	if (!quiet)
		return;
	if (g->state == AGENT_RINGING && s->now_ms > g->ring_until_ms + s->plan->late_ms_max)
		sim_breaks(s, "agent %s's phone does not stop ringing", sim_agent_number(s, agent));
	if (g->state == AGENT_WRAP_UP && s->now_ms > g->wrap_until_ms + s->plan->late_ms_max)
		sim_breaks(s, "agent %s's wrap-up does not end", sim_agent_number(s, agent));
}

/* Nobody is idle while somebody waits whom he may take, as far as the clock has been looked at. */
static void check_idle(struct sim *s, const struct sim_call *c, uint32_t n_free)
{
	for (uint32_t i = 0; i < n_free; i++) {
		if (!sim_check_may_take(s, c, s->free_agent[i], s->ticked_ms))
			continue;
		sim_breaks(s, "agent %s is idle while caller %u waits in queue %s",
			   sim_agent_number(s, s->free_agent[i]), c->serial,
			   sim_queue_name(s, c->queue));
		return;
	}
}

static void check_queue(struct sim *s, int queue)
{
	const struct sim_queue *q = &s->queue[queue];
	const struct sim_queue_sums *b = &q->sums;
	struct acd_queue_view v;

	if (b->offered !=
	    b->answered + b->abandoned + b->left + b->refused + q->waiting + q->offered_now)
		sim_breaks(s, "the sums of queue %s do not balance", sim_queue_name(s, queue));
	if (!acd_queue_view(s->acd, queue, s->now_ms, &v)) {
		if (q->rule != NULL)
			sim_breaks(s, "queue %s is gone", sim_queue_name(s, queue));
		return;
	}
	if (v.waiting != q->waiting + q->offered_now)
		sim_breaks(s, "%u wait in queue %s, the ACD says %u", q->waiting + q->offered_now,
			   sim_queue_name(s, queue), v.waiting);
	if (v.offered != b->offered || v.answered != b->answered || v.abandoned != b->abandoned ||
	    v.left != b->left || v.refused != b->refused || v.answered_in_time != b->in_time ||
	    v.wait_sum_ms != b->wait_answered_ms)
		sim_breaks(
			s,
			"queue %s counts offered %llu, answered %llu, abandoned %llu, left %llu, "
			"refused %llu; the book %llu, %llu, %llu, %llu, %llu",
			sim_queue_name(s, queue), (unsigned long long)v.offered,
			(unsigned long long)v.answered, (unsigned long long)v.abandoned,
			(unsigned long long)v.left, (unsigned long long)v.refused,
			(unsigned long long)b->offered, (unsigned long long)b->answered,
			(unsigned long long)b->abandoned, (unsigned long long)b->left,
			(unsigned long long)b->refused);
}

void sim_check_all(struct sim *s)
{
	/* Only when nothing is due can it be said that everything due has been done. */
	bool quiet = acd_deadline(s->acd) > s->now_ms && s->thaws_ms == 0;
	uint32_t calls = 0, n_free = 0;

	s->result.checks++;
	for (int i = 0; i < (int)s->n_agents; i++)
		if (free_now(s, i))
			s->free_agent[n_free++] = i;
	for (uint32_t i = 0; i < s->plan->calls_max; i++) {
		if (s->call[i].place == SIM_FREE)
			continue;
		calls++;
		check_call(s, &s->call[i], quiet);
		if (s->call[i].place == SIM_WAITING && s->thaws_ms == 0)
			check_idle(s, &s->call[i], n_free);
	}
	for (int i = 0; i < (int)s->n_agents; i++)
		check_agent(s, i, quiet);
	for (int i = 0; i < (int)s->n_queues; i++)
		check_queue(s, i);
	if (calls != s->n_calls || s->result.arrived != s->result.over + s->n_calls)
		sim_breaks(s, "%llu calls came, %llu are over, and %u are here",
			   (unsigned long long)s->result.arrived,
			   (unsigned long long)s->result.over, calls);
	if (s->result.broken[0] == '\0')
		acd_check(s->acd);
}

/* --- one call's record --------------------------------------------------------------------- */

void sim_check_record(struct sim *s, const struct sim_call *c)
{
	const struct call_record *r = c->record;

	if (r->wait_ms != c->waited_ms || r->talk_ms != c->talked_ms)
		sim_breaks(s,
			   "the record of caller %u has %llu ms of waiting and %llu of talk, the "
			   "book %llu and %llu",
			   c->serial, (unsigned long long)r->wait_ms,
			   (unsigned long long)r->talk_ms, (unsigned long long)c->waited_ms,
			   (unsigned long long)c->talked_ms);
	if ((r->answered_ms != 0) != (c->answered_ms != 0))
		sim_breaks(s, "the record of caller %u does not know who answered", c->serial);
	if (r->ended_ms != s->now_ms || r->started_ms + r->wait_ms + r->talk_ms > r->ended_ms)
		sim_breaks(s, "the record of caller %u has more time than the call", c->serial);
}
