/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may call outside, as whom, and how many at once.
 */
#include "call/outbound.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

const struct config_queue *outbound_queue(struct centre *c, const struct config_agent *agent)
{
	int index = acd_agent_find(c->acd, agent->number);

	for (unsigned i = 0; i < agent->n_skills; i++) {
		const struct config_queue *q = &c->config->queues[agent->skills[i].queue];

		/* One that was taken away by hand is not shown any more. */
		if (q->caller_id[0] != '\0' &&
		    acd_agent_serves(c->acd, index, acd_queue_find(c->acd, q->name)))
			return q;
	}
	return NULL;
}

bool outbound_allowed(struct centre *c, const struct config_agent *agent,
		      const struct config_queue *queue, char *why, size_t why_size)
{
	if (!agent->outbound) {
		snprintf(why, why_size, "agent %s may not call outside", agent->number);
		return false;
	}
	if (queue == NULL)
		return true;
	if (!acd_agent_serves(c->acd, acd_agent_find(c->acd, agent->number),
			      acd_queue_find(c->acd, queue->name))) {
		snprintf(why, why_size, "agent %s does not serve queue %s", agent->number,
			 queue->name);
		return false;
	}
	if (queue->caller_id[0] == '\0') {
		snprintf(why, why_size, "queue %s has no number to show", queue->name);
		return false;
	}
	return true;
}

void outbound_show(struct call *call, const struct config_queue *queue)
{
	char note[96];

	if (queue == NULL)
		return;
	snprintf(call->caller_id, sizeof(call->caller_id), "%s", queue->caller_id);
	snprintf(call->record.queue, sizeof(call->record.queue), "%s", queue->name);
	snprintf(note, sizeof(note), "%s %s", queue->name, queue->caller_id);
	call_keep_note(call, "caller_id", note);
}

/* --- trunks -------------------------------------------------------------------------------- */

struct on_trunk {
	unsigned trunk;
	const char *name;
	unsigned n;
	struct call *newest;
};

static bool is_on(const struct party *p, const struct on_trunk *t)
{
	if (p->state == PARTY_FREE || p->state == PARTY_ENDING || p->sip == NULL)
		return false;
	if (p->incoming) /* a phone of ours may stand where a trunk stands */
		return sip_call_info(p->sip)->auth_user[0] == '\0' &&
		       strcmp(sip_call_info(p->sip)->trunk_name, t->name) == 0;
	return p->outside && p->trunk == t->trunk;
}

static void look(struct call *call, void *arg)
{
	struct on_trunk *t = arg;
	unsigned before = t->n;

	if (call->state == CALL_ENDING)
		return;
	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++)
		t->n += is_on(&call->party[i], t);
	if (t->n == before || call->emergency)
		return;
	if (t->newest == NULL ||
	    (t->newest->record.answered_ms != 0) > (call->record.answered_ms != 0) ||
	    ((t->newest->record.answered_ms != 0) == (call->record.answered_ms != 0) &&
	     t->newest->number < call->number))
		t->newest = call;
}

static struct on_trunk count(struct centre *c, unsigned i)
{
	struct on_trunk t = {.trunk = i, .name = c->config->trunks[i].name};

	call_each(c, look, &t);
	return t;
}

bool outbound_trunk_full(struct centre *c, unsigned i)
{
	uint32_t max = c->config->trunks[i].calls_max;

	return max > 0 && count(c, i).n >= max;
}

struct call *outbound_trunk_newest(struct centre *c, unsigned i)
{
	return count(c, i).newest;
}
