/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls for help, from an agent's phone to the configured trunks.
 */
#include "call/emergency.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "call/outbound.h"

enum { RING_MS = 180000 };

bool emergency_number(void *centre, const char *number)
{
	const struct config_emergency *e = &((const struct centre *)centre)->config->emergency;

	for (unsigned i = 0; i < e->n_numbers; i++)
		if (strcmp(e->number[i], number) == 0)
			return true;
	return false;
}

/* --- a trunk ------------------------------------------------------------------------------- */

static void make_room(struct centre *c, unsigned trunk)
{
	struct call *victim;

	if (!c->config->emergency.preempt || !outbound_trunk_full(c, trunk))
		return;
	victim = outbound_trunk_newest(c, trunk);
	if (victim == NULL)
		return;
	log_error("emergency", "[call=%s] makes room in trunk %s for an emergency call", victim->id,
		  c->config->trunks[trunk].name);
	call_end(victim, PARTY_SYSTEM, CALL_CAUSE_PREEMPTED);
}

int emergency_trunk(struct centre *c, uint64_t tried)
{
	const struct config_emergency *e = &c->config->emergency;
	unsigned n = e->n_trunks > 0 ? e->n_trunks : c->config->n_trunks;

	for (unsigned k = 0; k < n; k++) {
		unsigned i = e->n_trunks > 0 ? e->trunk[k] : k;

		if ((tried & UINT64_C(1) << i) != 0)
			continue;
		make_room(c, i);
		return (int)i;
	}
	return -1;
}

const char *emergency_caller_id(const struct call *call)
{
	const char *own = call->centre->config->emergency.caller_id;

	return call->emergency && own[0] != '\0' ? own : call->caller_id;
}

/* --- the call ------------------------------------------------------------------------------ */

static void area_of(const struct call *call, char *out, size_t size)
{
	snprintf(out, size, "emergency %.30s", call->record.from);
}

static void tell(struct call *call, bool begins)
{
	struct centre *c = call->centre;
	const char *number = call->help[0] != '\0' ? call->help : call->record.to;
	char area[48], text[160];

	area_of(call, area, sizeof(area));
	snprintf(text, sizeof(text), "%.60s %s %.60s", call->record.from,
		 call->help[0] != '\0' ? "is transferred to" : "calls", number);
	if (begins)
		log_error("emergency", "[call=%s] %s", call->id, text);
	centre_alarm(c, area, begins, text);
	centre_publish(c, "emergency",
		       json_pack("{s:s,s:s,s:s,s:b}", "call", call->id, "from", call->record.from,
				 "number", number, "running", begins));
}

static void invite(struct party *p)
{
	/* Which trunk is asked for again at each try; any one stands for "outside". */
	const struct config *cfg = p->call->centre->config;
	int err = cfg->n_trunks > 0 ? party_invite(p, p->number, &cfg->trunks[0], RING_MS)
				    : -ENETUNREACH;

	if (err != 0) {
		log_error("emergency", "[call=%s] no trunk takes %s: %s", p->call->id, p->number,
			  strerror(-err));
		dial_closed(p, 503);
	}
}

static void caller_ready(struct party *p)
{
	struct call *call = p->call;
	struct party *out;

	sip_call_progress(p->sip, 180, NULL);
	call_note(call, CALL_STEP_OFFER, call->record.to);
	out = party_new(call, PARTY_IS_AGENT, call->record.to, -1);
	if (out == NULL) {
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_FAILED);
		return;
	}
	call->dialled = out;
	call->dial = DIAL_INTERNAL;
	call_set_state(call, CALL_OFFERING);
	party_open(out, invite);
}

void emergency_call(struct centre *c, struct sip_call *sip, const char *by, const char *number)
{
	const struct config_agent *agent = config_agent_find(c->config, by);
	struct call *call = call_begin(c, CALL_OUT, by, number);
	struct party *p =
		call ? party_new(call, PARTY_IS_CUSTOMER, by, acd_agent_find(c->acd, by)) : NULL;

	if (p == NULL) {
		sip_call_end(sip, 503, 42, "no memory");
		return;
	}
	call->emergency = true;
	call->customer = p;
	tmr_cancel(&call->limit); /* as long as it takes */
	if (c->config->emergency.caller_id[0] == '\0' && agent != NULL)
		outbound_show(call, outbound_queue(c, agent));
	emergency_begins(call);
	party_attach(p, sip);
	if (p->agent >= 0)
		desk_other(c, p->agent, call->number, true);
	party_open(p, caller_ready);
}

void emergency_begins(struct call *call)
{
	tell(call, true);
}

void emergency_over(struct call *call)
{
	if (call->emergency)
		tell(call, false);
}

void emergency_transfer(struct call *call, const char *number)
{
	snprintf(call->help, sizeof(call->help), "%s", number);
	call->emergency = true;
	emergency_begins(call);
}

void emergency_transfer_failed(struct call *call)
{
	if (call->help[0] == '\0')
		return;
	emergency_over(call);
	call->emergency = false;
	call->help[0] = '\0';
}
