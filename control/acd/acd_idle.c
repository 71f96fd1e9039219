/* SPDX-License-Identifier: Apache-2.0
 * Who is idle: the list of all, by how long, and for every queue and level a heap by its strategy, so
 * that the best agent of 10,000 is at hand and costs no look at the others.
 *
 * A pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986) whose nodes are the agents' own seats, one
 * for each skill. While an agent sits nothing that a strategy goes by may change: it is changed by calls and by
 * signing in, and who is idle does neither. Skills and strategies do change: then who sits gets up first.
 *
 * Equal claims go by the order of the list: by idle time, and of those who became idle in the same
 * millisecond the first to do so.
 */
#include "acd/acd_priv.h"
#include "base/must.h"

enum { SEATS = CONFIG_AGENT_QUEUES_MAX };

static struct acd_seat *seat(const struct acd *a, int node)
{
	return &a->agents[node / SEATS].seat[node % SEATS];
}

static int *head(const struct acd *a, int queue, int level)
{
	return &a->seats[queue * ACD_LEVELS_MAX + level - 1];
}

/* Has `x` the better claim to a call of `q`, both being of one level? */
static bool better(const struct acd_queue *q, const struct acd_agent *x, const struct acd_agent *y)
{
	if (q->strategy == CONFIG_ROUND_ROBIN && x->offered_seq != y->offered_seq)
		return x->offered_seq < y->offered_seq;
	if (q->strategy == CONFIG_LEAST_CALLS && x->since_sign_in != y->since_sign_in)
		return x->since_sign_in < y->since_sign_in;
	if (q->strategy == CONFIG_LEAST_TALK && x->talk_ms != y->talk_ms)
		return x->talk_ms < y->talk_ms;
	if (x->idle_since_ms != y->idle_since_ms)
		return x->idle_since_ms < y->idle_since_ms;
	return x->idle_seq < y->idle_seq;
}

/* --- the heap ------------------------------------------------------------------------------ */

/* The one of two roots that is better, the other below it. */
static int meld(struct acd *a, const struct acd_queue *q, int x, int y)
{
	if (x == NONE || y == NONE)
		return x == NONE ? y : x;
	if (better(q, &a->agents[y / SEATS], &a->agents[x / SEATS])) {
		int swap = x;

		x = y;
		y = swap;
	}

	struct acd_seat *up = seat(a, x), *down = seat(a, y);

	down->next = up->child;
	down->prev = x;
	if (up->child != NONE)
		seat(a, up->child)->prev = y;
	up->child = y;
	up->next = up->prev = NONE;
	return x;
}

/* What hung below a root that is gone: melded in pairs from the left, then all from the right. */
static int meld_all(struct acd *a, const struct acd_queue *q, int first)
{
	int pairs = NONE, root = NONE;

	while (first != NONE) {
		int x = first, y = seat(a, x)->next;

		first = y != NONE ? seat(a, y)->next : NONE;
		x = meld(a, q, x, y);
		seat(a, x)->next = pairs;
		pairs = x;
	}
	while (pairs != NONE) {
		int x = pairs;

		pairs = seat(a, x)->next;
		root = meld(a, q, root, x);
	}
	if (root != NONE)
		seat(a, root)->next = seat(a, root)->prev = NONE;
	return root;
}

static void sit(struct acd *a, int agent, unsigned i)
{
	const struct config_skill *skill = &a->agents[agent].skill[i];
	int *root = head(a, skill->queue, skill->level), node = agent * SEATS + (int)i;

	*seat(a, node) = (struct acd_seat){NONE, NONE, NONE};
	*root = meld(a, &a->queues[skill->queue], *root, node);
}

static void get_up(struct acd *a, int agent, unsigned i)
{
	const struct config_skill *skill = &a->agents[agent].skill[i];
	const struct acd_queue *q = &a->queues[skill->queue];
	int *root = head(a, skill->queue, skill->level), node = agent * SEATS + (int)i;
	struct acd_seat *s = seat(a, node);
	int below = meld_all(a, q, s->child);

	if (*root == node) {
		*root = below;
		return;
	}
	/* `prev` is the left neighbour, or for the first child the one above. */
	if (seat(a, s->prev)->child == node)
		seat(a, s->prev)->child = s->next;
	else
		seat(a, s->prev)->next = s->next;
	if (s->next != NONE)
		seat(a, s->next)->prev = s->prev;
	*root = meld(a, q, *root, below);
}

void acd_idle_sit(struct acd *a, int agent)
{
	struct acd_agent *g = &a->agents[agent];

	if (!g->idle || g->seated)
		return;
	g->seated = true;
	for (unsigned i = 0; i < g->n_skills; i++)
		sit(a, agent, i);
}

void acd_idle_get_up(struct acd *a, int agent)
{
	struct acd_agent *g = &a->agents[agent];

	if (!g->seated)
		return;
	for (unsigned i = 0; i < g->n_skills; i++)
		get_up(a, agent, i);
	g->seated = false;
}

int acd_idle_best(const struct acd *a, int queue, int level)
{
	int node = *head(a, queue, level);

	return node != NONE ? node / SEATS : NONE;
}

/* --- the list of all ----------------------------------------------------------------------- */

static void link_idle(struct acd *a, int agent)
{
	struct acd_agent *g = &a->agents[agent];
	int after = a->idle_last, before = NONE;

	while (after != NONE && a->agents[after].idle_since_ms > g->idle_since_ms) {
		before = after;
		after = a->agents[after].prev;
	}
	g->next = before;
	g->prev = after;
	*(before == NONE ? &a->idle_last : &a->agents[before].prev) = agent;
	*(after == NONE ? &a->idle_first : &a->agents[after].next) = agent;
}

void acd_sync_idle(struct acd *a, int agent)
{
	struct acd_agent *g = &a->agents[agent];
	bool idle = g->agent.state == AGENT_READY && g->reachable;

	if (idle == g->idle)
		return;
	if (idle) {
		g->idle = true;
		g->idle_seq = ++a->idle_seq;
		link_idle(a, agent);
		acd_idle_sit(a, agent);
		return;
	}
	acd_idle_get_up(a, agent);
	g->idle = false;
	*(g->next == NONE ? &a->idle_last : &a->agents[g->next].prev) = g->prev;
	*(g->prev == NONE ? &a->idle_first : &a->agents[g->prev].next) = g->next;
	g->next = g->prev = NONE;
}

/* --- beliefs ------------------------------------------------------------------------------- */

static unsigned check_below(const struct acd *a, int queue, int level, int node)
{
	unsigned n = 1;

	for (int c = seat(a, node)->child, prev = node; c != NONE; prev = c, c = seat(a, c)->next) {
		must(seat(a, c)->prev == prev);
		must(!better(&a->queues[queue], &a->agents[c / SEATS], &a->agents[node / SEATS]));
		n += check_below(a, queue, level, c);
	}
	must(a->agents[node / SEATS].idle && a->agents[node / SEATS].seated);
	must(a->agents[node / SEATS].skill[node % SEATS].queue == queue);
	must(a->agents[node / SEATS].skill[node % SEATS].level == level);
	return n;
}

void acd_idle_check(const struct acd *a)
{
	unsigned seats = 0, skills = 0;

	for (uint32_t q = 0; q < a->n_queues; q++)
		for (int level = 1; level <= ACD_LEVELS_MAX; level++)
			if (*head(a, (int)q, level) != NONE)
				seats += check_below(a, (int)q, level, *head(a, (int)q, level));
	for (uint32_t i = 0; i < a->n_agents; i++) {
		must(a->agents[i].idle == a->agents[i].seated);
		skills += a->agents[i].idle ? a->agents[i].n_skills : 0u;
	}
	must(seats == skills);
}
