/* SPDX-License-Identifier: Apache-2.0
 *
 * Remote agents. To the ACD they are agents like others; here their calls find the way outside, and who
 * answered is asked for a key.
 */
#include "call/remote.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "call/emergency.h"
#include "call/nail.h"
#include "sip/registrar.h"

enum { CONFIRM_MS = 8000 };

const char *remote_number(const struct centre *c, int agent)
{
	return agent >= 0 && (unsigned)agent < c->desks_max ? c->desks[agent].remote : "";
}

static bool digits_only(const char *number)
{
	return number[0] != '\0' && number[strspn(number, "0123456789*#+")] == '\0';
}

/* Nothing outside may be rung at the firm's expense that the configuration does not allow. */
static int check_number(struct centre *c, const struct config_agent *who, const char *number,
			char *why, size_t why_size)
{
	const struct config_remote *r = &who->remote;

	if (!r->allowed) {
		snprintf(why, why_size, "agent %s may not work at an outside number", who->number);
		return -EPERM;
	}
	if (number[0] == '\0') {
		snprintf(why, why_size, "agent %s has no outside number", who->number);
		return -EPERM;
	}
	if (strcmp(number, r->number) != 0 && !r->any_number) {
		snprintf(why, why_size, "agent %s may not choose its outside number", who->number);
		return -EPERM;
	}
	if (!digits_only(number) || strlen(number) >= SIP_USER_MAX ||
	    config_agent_find(c->config, number) != NULL || emergency_number(c, number) ||
	    config_trunk_for(c->config, number) == NULL) {
		snprintf(why, why_size, "no trunk leads to %.40s", number);
		return -EPERM;
	}
	return 0;
}

int remote_sign_in(struct centre *c, int agent, const char *number, char *why, size_t why_size)
{
	const struct config_agent *who;
	struct acd_agent_view v;
	int err;

	if (agent < 0 || (unsigned)agent >= c->desks_max || !acd_agent_view(c->acd, agent, &v) ||
	    (who = config_agent_find(c->config, v.number)) == NULL) {
		snprintf(why, why_size, "there is no such agent");
		return -ENOENT;
	}
	if (number == NULL || number[0] == '\0')
		number = who->remote.number;
	err = check_number(c, who, number, why, why_size);
	if (err != 0)
		return err;
	queue_tell(c);
	if (acd_agent_event(c->acd, agent, AGENT_SIGN_IN, 0, clock_mono_ms()) != 0) {
		snprintf(why, why_size, "agent %s is %s already", v.number,
			 agent_state_name(v.agent.state));
		queue_drain(c);
		return -EPERM;
	}
	snprintf(c->desks[agent].remote, sizeof(c->desks[agent].remote), "%s", number);
	acd_agent_reachable(c->acd, agent, true, clock_mono_ms());
	log_info("agent", "%s works at %s", v.number, number);
	centre_publish(c, "agent.remote",
		       json_pack("{s:s,s:s}", "agent", v.number, "number", number));
	nail_begin(c, agent);
	queue_drain(c);
	return 0;
}

void remote_over(struct centre *c, int agent)
{
	struct acd_agent_view v;
	struct registrar_contact one;

	if (remote_number(c, agent)[0] == '\0' || !acd_agent_view(c->acd, agent, &v))
		return;
	nail_over(c, agent);
	c->desks[agent].remote[0] = '\0';
	acd_agent_reachable(c->acd, agent,
			    registrar_lookup(sip_stack_registrar(c->sip), v.number, &one, 1) > 0,
			    clock_mono_ms());
	centre_publish(c, "agent.remote", json_pack("{s:s,s:n}", "agent", v.number, "number"));
}

/* --- its calls ----------------------------------------------------------------------------- */

void remote_place(struct party *p)
{
	struct call *call = p->call;
	const char *number = remote_number(call->centre, p->agent);
	char note[2 * SIP_USER_MAX + 8];

	if (number[0] == '\0')
		return;
	snprintf(p->at, sizeof(p->at), "%s", number);
	snprintf(note, sizeof(note), "%s at %s", p->number, number);
	call_keep_note(call, "remote_agent", note);
}

int remote_invite(struct party *p, uint32_t ring_ms)
{
	const struct config_trunk *trunk = config_trunk_for(p->call->centre->config, p->at);

	return trunk != NULL ? party_invite(p, p->at, trunk, ring_ms) : -ENOENT;
}

static void on_asked(struct call *call, struct party *p, int err, const json_t *result,
		     const struct rpc_error *why)
{
	(void)call;
	(void)result;
	(void)why;
	if (err == 0 || p->collect[0] == '\0')
		return;
	p->collect[0] = '\0';
	party_unconfirmed(p, true);
}

bool remote_asks(struct party *p)
{
	struct call *call = p->call;
	struct centre *c = call->centre;
	const struct config_agent *who = config_agent_find(c->config, p->number);
	struct engine_collect how = {.max = 1,
				     .min = 1,
				     .terminators = "",
				     .first_timeout_ms = CONFIRM_MS,
				     .inter_timeout_ms = CONFIRM_MS};
	struct ivr_items items = {0};
	struct ticket *t;

	if (p->at[0] == '\0' || p->confirmed || who == NULL || !who->remote.confirm)
		return false;
	t = call_ticket_new(call, p, on_asked);
	ivr_say_prompt(feature_language(c), "agent/confirm", &items);
	party_play(p, PLAY_CONFIRM, party_items(&items), 1, "0123456789*#");
	call_make_id(call, 'c', p->collect);
	if (t == NULL ||
	    engine_collect_start(c->engine, p->leg, p->collect, &how, call_ticket_reply, t) != 0) {
		call_ticket_drop(t);
		p->collect[0] = '\0';
		party_unconfirmed(p, true);
	}
	return true;
}

bool remote_key(struct call *call, const char *collect, const char *digits)
{
	for (unsigned i = 0; collect[0] != '\0' && i < CALL_PARTIES_MAX; i++) {
		struct party *p = &call->party[i];

		if (p->state == PARTY_FREE || strcmp(p->collect, collect) != 0)
			continue;
		p->collect[0] = '\0';
		if (p->state != PARTY_UP)
			return true;
		if (strcmp(digits, "1") == 0)
			party_confirmed(p);
		else
			party_unconfirmed(p, false);
		return true;
	}
	return false;
}
