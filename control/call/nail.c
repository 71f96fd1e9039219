/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of remote agents that stay up. While a line is idle its leg plays silence, so that the way to it
 * stays open and a dead one is noticed; while it is lent the leg is told to send nothing.
 */
#include "call/nail.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "call/remote.h"

enum { RING_MS = 40000, SILENCE_MS = 1000 };

bool nail_wanted(const struct centre *c, int agent)
{
	struct acd_agent_view v;
	const struct config_agent *who;

	if (remote_number(c, agent)[0] == '\0' || !acd_agent_view(c->acd, agent, &v))
		return false;
	who = config_agent_find(c->config, v.number);
	return who != NULL && who->remote.nailed_up;
}

static struct call *line_of(struct centre *c, int agent)
{
	return agent >= 0 && (unsigned)agent < c->desks_max && c->desks[agent].line != 0
		       ? centre_call(c, c->desks[agent].line)
		       : NULL;
}

static void ring(struct party *p)
{
	int err = remote_invite(p, RING_MS);

	if (err == 0)
		return;
	log_info("call", "[call=%s] %s cannot be rung: %s", p->call->id, p->at, strerror(-err));
	call_end(p->call, PARTY_SYSTEM, CALL_CAUSE_UNREACHABLE);
}

void nail_begin(struct centre *c, int agent)
{
	struct acd_agent_view v;
	struct call *line;
	struct party *p;

	if (!nail_wanted(c, agent) || line_of(c, agent) != NULL ||
	    !acd_agent_view(c->acd, agent, &v))
		return;
	acd_agent_reachable(c->acd, agent, false, clock_mono_ms());
	line = call_begin(c, CALL_REMOTE, v.number, remote_number(c, agent));
	p = line ? party_new(line, PARTY_IS_CUSTOMER, v.number, agent) : NULL;
	if (p == NULL)
		return;
	line->customer = p;
	c->desks[agent].line = line->number;
	tmr_cancel(&line->limit); /* a working day */
	remote_place(p);
	party_open(p, ring);
}

void nail_second(struct centre *c)
{
	struct acd_agent_view v;

	for (uint32_t i = 0; engine_is_up(c->engine) && i < acd_agents(c->acd) && i < c->desks_max;
	     i++)
		if (c->desks[i].remote[0] != '\0' && c->desks[i].line == 0 &&
		    acd_agent_view(c->acd, (int)i, &v) && v.agent.state == AGENT_READY)
			nail_begin(c, (int)i);
}

static void play_silence(struct party *p)
{
	party_play(p, PLAY_MUSIC, json_pack("[{s:i}]", "silence_ms", SILENCE_MS), 0, NULL);
}

void nail_up(struct party *p)
{
	struct call *line = p->call;
	struct centre *c = line->centre;

	line->answered = true;
	call_note(line, CALL_STEP_ANSWER, p->number);
	play_silence(p);
	acd_agent_reachable(c->acd, p->agent, true, clock_mono_ms());
	queue_drain(c);
}

void nail_over(struct centre *c, int agent)
{
	struct call *line = line_of(c, agent);

	if (line == NULL)
		return;
	c->desks[agent].line = 0; /* it ends by our will */
	call_end(line, PARTY_SYSTEM, CALL_CAUSE_NORMAL);
}

void nail_ended(struct call *line)
{
	struct centre *c = line->centre;
	int agent = line->customer != NULL ? line->customer->agent : -1;

	if (line->record.kind != CALL_REMOTE || agent < 0 || c->desks[agent].line != line->number)
		return;
	c->desks[agent].line = 0;
	acd_agent_reachable(c->acd, agent, false, clock_mono_ms());
	(void)acd_agent_event(c->acd, agent, AGENT_GO_NOT_READY, AGENT_REASON_UNREACHABLE,
			      clock_mono_ms());
	queue_drain(c);
}

/* --- lending ------------------------------------------------------------------------------- */

static void arrived(struct party *p)
{
	p->confirmed = true;
	if (p->offered)
		queue_offer_answered(p);
}

struct party *nail_lend(struct call *call, int agent)
{
	struct call *line = line_of(call->centre, agent);
	struct party *at = line != NULL ? line->customer : NULL, *p;

	if (at == NULL || at->sip == NULL || at->state != PARTY_UP || !line->answered)
		return NULL;
	party_play_stop(at);
	p = party_move(at, call, PARTY_IS_AGENT, arrived);
	if (p == NULL)
		return NULL;
	p->nailed = true;
	p->incoming = false;
	engine_leg_set(call->centre->engine, at->leg,
		       json_pack("{s:n,s:i}", "remote", "media_timeout_ms", 0), NULL, NULL);
	return p;
}

void nail_return(struct party *p)
{
	struct call *line = line_of(p->call->centre, p->agent);
	struct party *at = line != NULL ? line->customer : NULL;
	const struct sip_media *remote;

	p->nailed = false;
	if (at == NULL || at->state != PARTY_UP || at->sip != NULL)
		return; /* the line is over: this dialog ends like any other */
	if (p->sip == NULL) {
		call_end(line, PARTY_AGENT, CALL_CAUSE_NORMAL);
		return;
	}
	party_take_dialog(at, p);
	remote = sip_call_remote(at->sip);
	if (remote != NULL)
		party_apply_media(at, remote);
	party_srtp_again(at);
	sip_call_modify(at->sip, &at->local);
	play_silence(at);
}
