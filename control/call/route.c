/* SPDX-License-Identifier: Apache-2.0
 *
 * The door: who calls, what was dialled, where that leads.
 *
 *	from an agent's phone (digest):  feature code | agent | queue | hotline | outside
 *	from anybody else:               hotline
 *
 * What leads nowhere is refused at once and still leaves a record: an operator who is told "it does
 * not work" must be able to find it.
 */
#include "call/attended.h"
#include "call/conference.h"
#include "call/emergency.h"
#include "call/outbound.h"

#include <stdio.h>
#include <string.h>

#include "agent/feature.h"
#include "base/log.h"

const struct config_queue *route_queue(const struct centre *c, const char *number)
{
	for (unsigned i = 0; i < c->config->n_queues; i++) {
		const struct config_queue *q = &c->config->queues[i];

		if (strcmp(q->name, number) == 0 ||
		    (q->number[0] != '\0' && strcmp(q->number, number) == 0))
			return q;
	}
	return NULL;
}

bool route_known(struct centre *c, const char *number, bool inside)
{
	if (config_hotline_find(c->config, number) != NULL)
		return true;
	return inside &&
	       (config_agent_find(c->config, number) != NULL || route_queue(c, number) != NULL ||
		conference_dialled(c, number) != NULL || emergency_number(c, number) ||
		config_trunk_for(c->config, number) != NULL);
}

void route_customer(struct call *call, const char *number)
{
	struct centre *c = call->centre;
	const struct config_hotline *hotline = config_hotline_find(c->config, number);
	const struct config_queue *queue = route_queue(c, number);
	const struct config_conference *room = conference_dialled(c, number);

	if (hotline != NULL) {
		struct ivr_flow *flow = centre_flow(c, hotline);

		if (flow != NULL)
			flow_begin(call, flow, hotline->language);
		else
			call_end(call, PARTY_SYSTEM, CALL_CAUSE_FAILED);
	} else if (queue != NULL) {
		if (party_answer(call->customer) == 0)
			queue_enter(call, queue->name, 0);
		else
			call_end(call, PARTY_SYSTEM, CALL_CAUSE_FAILED);
	} else if (room != NULL) {
		conference_enter(call, room->name);
	} else {
		dial_start(call, number, 0,
			   call->record.kind == CALL_IN || call->customer->answered
				   ? DIAL_TRANSFER
				   : DIAL_INTERNAL);
	}
}

static void customer_ready(struct party *p)
{
	struct call *call = p->call;

	if (call->record.kind == CALL_INTERNAL || call->record.kind == CALL_OUT)
		sip_call_progress(p->sip, 180, NULL);
	route_customer(call, call->record.to);
}

static enum call_kind kind_of(struct centre *c, const char *agent, const char *to)
{
	if (agent == NULL || config_hotline_find(c->config, to) != NULL)
		return CALL_IN;
	if (config_agent_find(c->config, to) != NULL || route_queue(c, to) != NULL ||
	    conference_dialled(c, to) != NULL)
		return CALL_INTERNAL;
	return CALL_OUT;
}

/* A call that is over before it began: no engine, no flow, but a record. */
static void refuse_telling(struct centre *c, struct sip_call *sip, const char *from, const char *to,
			   enum call_cause cause, const char *why)
{
	struct call *call = call_begin(c, CALL_IN, from, to);
	struct party *p = call ? party_new(call, PARTY_IS_CUSTOMER, from, -1) : NULL;

	c->numbers.calls_refused++;
	if (p == NULL) {
		sip_call_end(sip, 503, 42, "no memory");
		return;
	}
	call->customer = p;
	party_attach(p, sip);
	if (why != NULL)
		call_note(call, CALL_STEP_REJECT, why);
	call_end(call, PARTY_SYSTEM, cause);
}

static void refuse(struct centre *c, struct sip_call *sip, const char *from, const char *to,
		   enum call_cause cause)
{
	refuse_telling(c, sip, from, to, cause, NULL);
}

/* An agent's phone dials a number outside, perhaps as one of its queues. What is to be called is left in `*to`,
 * the queue in `*queue`. False: refused. */
static bool may_call(struct centre *c, struct sip_call *sip, const char *agent, const char **to,
		     struct feature_dialled *as, const struct config_queue **queue)
{
	const struct config_agent *who = config_agent_find(c->config, agent);
	char why[160];

	*queue = NULL;
	*as = feature_parse(c->config, *to);
	if (as->feature == FEATURE_CALL_AS) {
		*to = as->agent;
		*queue = as->queue;
	}
	if (who == NULL || kind_of(c, agent, *to) != CALL_OUT ||
	    config_trunk_for(c->config, *to) == NULL)
		return true;
	if (!outbound_allowed(c, who, *queue, why, sizeof(why))) {
		log_info("call", "%s to %s: %s", agent, *to, why);
		refuse_telling(c, sip, agent, *to, CALL_CAUSE_NOT_ALLOWED, why);
		return false;
	}
	if (*queue == NULL)
		*queue = outbound_queue(c, who);
	return true;
}

/* Who calls, as records and displays have it. A trusted trunk tells the number of who wants to be unknown
 * as well; it goes no further (RFC 3325, 7). */
static const char *caller_of(const struct sip_call_info *info)
{
	if (info->anonymous && info->auth_user[0] == '\0')
		return CALL_WITHHELD;
	return info->asserted[0] ? info->asserted : info->from_user;
}

/* By which ways the call came is kept with it. */
static void keep_facts(struct call *call, const struct sip_call_info *info)
{
	if (info->trunk_name[0])
		call_keep_note(call, "trunk", info->trunk_name);
	if (info->anonymous)
		call_keep_note(call, "caller", "withheld");
	if (info->diverted[0])
		call_keep_note(call, "diverted_by", info->diverted);
	if (info->diverted_why[0])
		call_keep_note(call, "diverted_why", info->diverted_why);
	if (info->dialled_first[0])
		call_keep_note(call, "dialled_first", info->dialled_first);
}

void incoming_call(void *arg, struct sip_call *sip)
{
	struct centre *c = arg;
	const struct sip_call_info *info = sip_call_info(sip);
	const char *agent = info->auth_user[0] ? info->auth_user : NULL;
	const char *from = caller_of(info);
	const char *to = info->to_user;
	const struct config_queue *shown = NULL;
	struct feature_dialled as;
	struct call *call;
	struct party *p;

	if (agent != NULL && emergency_number(c, to)) {
		emergency_call(c, sip, agent, to);
		return;
	}
	if (c->shutting_down) {
		refuse(c, sip, from, to, CALL_CAUSE_SHUTDOWN);
		return;
	}
	if (info->replaces != NULL) {
		attended_replace(c, sip, agent, info->replaces);
		return;
	}
	if (agent != NULL && !may_call(c, sip, agent, &to, &as, &shown))
		return;
	if (agent != NULL && conference_dialled(c, to) == NULL && feature_call(c, sip, agent, to))
		return;
	if (!route_known(c, to, agent != NULL)) {
		bool inside_only = agent == NULL && route_known(c, to, true);

		refuse(c, sip, from, to,
		       inside_only ? CALL_CAUSE_NOT_ALLOWED : CALL_CAUSE_NO_ROUTE);
		return;
	}
	if (!engine_is_up(c->engine)) {
		refuse(c, sip, from, to, CALL_CAUSE_ENGINE_LOST);
		return;
	}
	if (c->config->calls_max > 0 && c->calls_now >= c->config->calls_max) {
		refuse(c, sip, from, to, CALL_CAUSE_OVERLOADED);
		return;
	}
	call = call_begin(c, kind_of(c, agent, to), from, to);
	p = call ? party_new(call, PARTY_IS_CUSTOMER, from,
			     agent ? acd_agent_find(c->acd, agent) : -1)
		 : NULL;
	if (p == NULL) {
		sip_call_end(sip, 503, 42, "no memory");
		return;
	}
	call->customer = p;
	keep_facts(call, info);
	outbound_show(call, shown);
	party_attach(p, sip);
	if (recorder_refuses(call)) {
		c->numbers.calls_refused++;
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_UNRECORDABLE);
		return;
	}
	if (p->agent >= 0)
		desk_other(c, p->agent, call->number, true);
	party_open(p, customer_ready);
}
