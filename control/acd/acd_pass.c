/* SPDX-License-Identifier: Apache-2.0
 * A conversation changes hands: another agent goes on with it, or it goes on under another name. */
#include <errno.h>

#include "acd/acd_priv.h"
#include "base/must.h"

/* The agent who holds the conversation; NONE. */
static int talks_in(const struct acd *a, uint64_t call)
{
	int i = acd_call_find(a, call);

	return i != NONE && a->calls[i].state == ACD_CALL_TALKING ? a->calls[i].agent : NONE;
}

int acd_hand_over(struct acd *a, uint64_t call, int to, uint64_t now_ms)
{
	int from = talks_in(a, call);
	enum agent_effect effect;

	if (from == NONE || to < 0 || (uint32_t)to >= a->n_agents || !a->agents[to].used)
		return -ENOENT;

	struct acd_agent *g = &a->agents[from], *h = &a->agents[to];
	struct acd_call *c = &a->calls[g->call];
	struct acd_queue *q = &a->queues[c->queue];

	if (to == from || h->call != NONE || !agent_can(&h->agent, AGENT_TAKE_OVER))
		return -EPROTO;

	/* Each talks for the time that it talks. */
	g->talk_ms += now_ms - c->answered_ms;
	acd_learn(q, now_ms - c->answered_ms);
	c->answered_ms = now_ms;
	h->call = g->call;
	h->wrap_up_s = q->wrap_up_s;
	h->answered++;
	h->since_sign_in++;
	c->agent = to;
	g->call = NONE;
	must(acd_step(a, to, AGENT_TAKE_OVER, 0, now_ms, &effect) == 0);
	acd_let_go(a, from, now_ms);
	return 0;
}

int acd_rename(struct acd *a, uint64_t call, uint64_t to)
{
	int i = acd_call_find(a, call);

	if (i == NONE || a->calls[i].state != ACD_CALL_TALKING)
		return -ENOENT;
	if (to == 0 || acd_call_find(a, to) != NONE)
		return -EEXIST;
	acd_name_call(a, i, to);
	return 0;
}
