/* SPDX-License-Identifier: Apache-2.0
 *
 * Agents: their phones come and go, their state changes, and both are told to the ACD, the store
 * and whoever listens.
 */
#include "call/away.h"
#include "call/calls.h"
#include "call/journal.h"
#include "call/nail.h"
#include "call/remote.h"
#include "call/watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

static void registration(struct centre *c, const struct sip_registration *r, bool here)
{
	int agent = acd_agent_find(c->acd, r->user);
	bool change = here ? r->first : r->last;

	if (here)
		journal_registered(c, r);
	else
		journal_unregistered(c, r);
	if (change && agent >= 0 && remote_number(c, agent)[0] == '\0') {
		queue_tell(c);
		acd_agent_reachable(c->acd, agent, here, clock_mono_ms());
		queue_drain(c);
	}
	if (change)
		watch_registration(c, agent, here, r->contact);
	if (change)
		log_info("sip", "%s %s %s", r->user, here ? "registered from" : "unregistered",
			 r->contact);
	centre_publish(c, "registration",
		       json_pack("{s:s,s:b,s:s}", "agent", r->user, "registered", here || !r->last,
				 "contact", r->contact));
}

void desk_registered(void *arg, const struct sip_registration *r)
{
	registration(arg, r, true);
}

void desk_unregistered(void *arg, const struct sip_registration *r)
{
	registration(arg, r, false);
}

const char *desk_reason_name(const struct centre *c, uint8_t reason)
{
	const char *name = agent_reason_name(reason);
	const struct config_reason *own;

	if (name != NULL)
		return name;
	own = config_reason_find(c->config, reason);
	return own ? own->name : "";
}

/* Wrap-up belongs to the call that was before it. */
static void account_wrap_up(struct centre *c, const struct acd_action *a, const char *agent,
			    struct desk *d)
{
	uint64_t now_ms = clock_mono_ms(), wall_ms = clock_wall_ms();

	if (a->was != AGENT_WRAP_UP && a->state == AGENT_WRAP_UP) {
		d->wrap_since_ms = now_ms;
		if (c->store && d->last_call[0] != '\0')
			store_step(c->store, d->last_call, wall_ms, CALL_STEP_WRAP_UP, agent);
	} else if (a->was == AGENT_WRAP_UP && a->state != AGENT_WRAP_UP) {
		if (c->store && d->last_call[0] != '\0' && d->wrap_since_ms != 0) {
			store_step(c->store, d->last_call, wall_ms, CALL_STEP_WRAP_UP_DONE, agent);
			store_wrap_up(c->store, d->last_call, now_ms - d->wrap_since_ms);
		}
		d->wrap_since_ms = 0;
	}
}

void desk_state_changed(struct centre *c, const struct acd_action *a)
{
	struct acd_agent_view v;
	struct call *call;
	const char *reason;

	if (a->agent < 0 || (unsigned)a->agent >= c->desks_max ||
	    !acd_agent_view(c->acd, a->agent, &v))
		return;
	c->desks[a->agent].since_wall_ms = clock_wall_ms();
	if (a->state == AGENT_OFFLINE)
		remote_over(c, a->agent);
	if (a->state == AGENT_READY)
		nail_begin(c, a->agent); /* unless it is up */
	away_changed(c, a->agent, a->state, a->reason);
	account_wrap_up(c, a, v.number, &c->desks[a->agent]);
	call = v.call ? centre_call(c, v.call) : NULL;
	reason = a->state == AGENT_NOT_READY ? desk_reason_name(c, a->reason) : "";
	log_info("agent", "%s is %s%s%s", v.number, agent_state_name(a->state),
		 reason[0] ? ", " : "", reason);
	if (c->store)
		store_agent_state(c->store, v.number, clock_wall_ms(), agent_state_name(a->state),
				  reason, call ? call->id : NULL);
	centre_publish(c, "agent",
		       json_pack("{s:s,s:s,s:s,s:s?}", "agent", v.number, "state",
				 agent_state_name(a->state), "reason", reason, "call",
				 call ? call->id : NULL));
	watch_state(c, a, v.number, call);
}

void desk_other(struct centre *c, int agent, uint64_t call, bool begin)
{
	struct desk *d;

	if (agent < 0 || (unsigned)agent >= c->desks_max)
		return;
	d = &c->desks[agent];
	if (begin) {
		if (d->other_call != 0)
			return;
		queue_tell(c);
		if (acd_agent_event(c->acd, agent, AGENT_OTHER_BEGIN, 0, clock_mono_ms()) == 0)
			d->other_call = call;
	} else {
		if (d->other_call != call)
			return;
		d->other_call = 0;
		queue_tell(c);
		(void)acd_agent_event(c->acd, agent, AGENT_OTHER_END, 0, clock_mono_ms());
	}
	queue_drain(c);
}

bool desk_has_dnd(const struct centre *c, int agent)
{
	struct acd_agent_view v;

	return agent >= 0 && acd_agent_view(c->acd, agent, &v) && v.dnd;
}

int desk_dnd(struct centre *c, int agent, bool on)
{
	struct acd_agent_view v;
	bool had = desk_has_dnd(c, agent);
	bool ready = acd_agent_view(c->acd, agent, &v) &&
		     (v.agent.state == AGENT_READY || v.agent.state == AGENT_RINGING);
	int err = acd_agent_dnd(c->acd, agent, on, clock_mono_ms());

	if (err != 0 || !acd_agent_view(c->acd, agent, &v))
		return -ENOENT;
	if (on && !had && ready)
		watch_dnd(c, agent);
	if (had != on) {
		log_info("agent", "%s %s", v.number,
			 on ? "is not to be disturbed" : "may be disturbed again");
		centre_publish(c, "agent.dnd",
			       json_pack("{s:s,s:b}", "agent", v.number, "dnd", on));
	}
	queue_drain(c);
	return 0;
}

void desk_other_moves(struct centre *c, int agent, uint64_t from, uint64_t to)
{
	if (agent >= 0 && (unsigned)agent < c->desks_max && c->desks[agent].other_call == from)
		c->desks[agent].other_call = to;
}

/* The code of a not-ready reason by its word. */
static int reason_of(const struct centre *c, const char *name, uint8_t *code)
{
	*code = 0;
	if (name == NULL || name[0] == '\0')
		return 0;
	for (unsigned i = 0; i < c->config->n_reasons; i++) {
		const struct config_reason *r = &c->config->reasons[i];

		if (strcmp(r->name, name) == 0) {
			*code = r->code;
			return 0;
		}
	}
	return -ENOENT;
}

int desk_agent_set(struct centre *c, const char *number, const char *state, const char *reason,
		   char *why, size_t why_size)
{
	static const struct {
		const char *word;
		enum agent_event ev;
	} words[] = {
		{"sign_in", AGENT_SIGN_IN},       {"sign_out", AGENT_SIGN_OUT},
		{"ready", AGENT_GO_READY},        {"not_ready", AGENT_GO_NOT_READY},
		{"wrap_up_done", AGENT_WRAP_END},
	};
	int agent = acd_agent_find(c->acd, number);
	struct acd_agent_view v;
	uint8_t code;
	int err = -EINVAL;

	if (agent < 0 || !acd_agent_view(c->acd, agent, &v)) {
		snprintf(why, why_size, "no agent %s", number);
		return -ENOENT;
	}
	if (reason_of(c, reason, &code) != 0) {
		snprintf(why, why_size, "no reason %s; see not_ready_reasons in the configuration",
			 reason);
		return -EPERM;
	}
	if (strcmp(state, "dnd_on") == 0 || strcmp(state, "dnd_off") == 0)
		return desk_dnd(c, agent, strcmp(state, "dnd_on") == 0);
	if (strcmp(state, "not_ready") == 0 && !away_allowed(c, agent, code, why, why_size))
		return -EPERM;
	queue_tell(c);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, state) == 0)
			err = acd_agent_event(c->acd, agent, words[i].ev, code, clock_mono_ms());
	queue_drain(c);
	if (err == 0)
		return 0;
	snprintf(why, why_size, "agent %s is %s; %s is not possible now", number,
		 agent_state_name(v.agent.state), state);
	return -EPERM;
}
