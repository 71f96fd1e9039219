/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls, legs, agents and queues as rows of the control socket.
 */
#include "call/away.h"
#include "call/consult.h"
#include "call/remote.h"
#include "sip/registrar.h"

#include <stdio.h>
#include <string.h>

static json_t *text_or_null(const char *s)
{
	json_t *v = s && s[0] ? json_string(s) : NULL;

	return v ? v : json_null();
}

static json_t *ms_or_null(uint64_t ms)
{
	return ms ? json_integer((json_int_t)ms) : json_null();
}

static json_t *text(const char *s)
{
	json_t *v = json_string(s);

	return v ? v : json_string("?");
}

static uint64_t length_ms(const struct call_record *r)
{
	uint64_t until_ms = r->ended_ms ? r->ended_ms : clock_wall_ms();

	return until_ms > r->started_ms ? until_ms - r->started_ms : 0;
}

static json_t *parked_at(const struct call *call)
{
	char number[16];

	if (call->park.place < 0)
		return json_null();
	config_parking_number(call->centre->config, call->park.place, number, sizeof(number));
	return json_string(number);
}

json_t *view_call_row(struct call *call)
{
	const struct call_record *r = &call->record;
	json_t *o = json_object();
	const struct party *agent = call->agent ? call->agent : queue_offered(call, -1);

	if (agent == NULL)
		agent = call->dialled;
	json_object_set_new(o, "call", text(call->id));
	json_object_set_new(o, "kind", text(call_kind_name(r->kind)));
	json_object_set_new(o, "state", text(call_state_name(call->state)));
	json_object_set_new(o, "from", text(r->from));
	json_object_set_new(o, "to", text(r->to));
	json_object_set_new(o, "started_ms", ms_or_null(r->started_ms));
	json_object_set_new(o, "answered_ms", ms_or_null(r->answered_ms));
	json_object_set_new(o, "duration_ms", json_integer((json_int_t)length_ms(r)));
	json_object_set_new(o, "queue", text_or_null(r->queue));
	json_object_set_new(o, "agent", text_or_null(agent ? agent->number : ""));
	json_object_set_new(o, "recording", text_or_null(r->recording));
	json_object_set_new(o, "recording_state", text(record_state_name(call)));
	json_object_set_new(o, "parked", parked_at(call));
	json_object_set_new(o, "conference", text_or_null(call->room.name));
	json_object_set_new(o, "monitored", text_or_null(call->monitor_mode));
	json_object_set_new(
		o, "consult",
		call->consult.state == CONSULT_NONE
			? json_null()
			: json_pack("{s:s,s:s?}", "state", consult_state_name(call), "party",
				    call->consult.party ? call->consult.party->number : NULL));
	return o;
}

static const char *party_state_name(const struct party *p)
{
	switch (p->state) {
	case PARTY_OPENING:
		return "opening";
	case PARTY_RINGING:
		return "ringing";
	case PARTY_UP:
		return p->held ? "holding" : "up";
	case PARTY_ENDING:
		return "ending";
	case PARTY_FREE:
		break;
	}
	return "free";
}

static const char *role_of(const struct party *p)
{
	switch (p->role) {
	case PARTY_IS_CUSTOMER:
		return p->agent >= 0 ? "internal" : "customer";
	case PARTY_IS_AGENT:
		return "agent";
	case PARTY_IS_SUPERVISOR:
		break;
	}
	return "supervisor";
}

static json_t *leg_row(const struct call *call, const struct party *p)
{
	const struct sip_media *m = p->sip ? sip_call_remote(p->sip) : NULL;
	json_t *o = json_object();

	json_object_set_new(o, "leg", text(p->leg));
	json_object_set_new(o, "call", text(call->id));
	json_object_set_new(o, "role", text(role_of(p)));
	json_object_set_new(o, "party", text(p->number));
	json_object_set_new(o, "at", text_or_null(p->at));
	json_object_set_new(o, "sip_call_id", text(p->sip_call_id));
	json_object_set_new(o, "engine_leg", text(p->leg));
	json_object_set_new(o, "state", text(party_state_name(p)));
	json_object_set_new(o, "direction",
			    text_or_null(m ? sip_direction_name(m->direction) : NULL));
	json_object_set_new(o, "codec", text_or_null(p->codec));
	json_object_set_new(o, "remote", text_or_null(p->remote));
	json_object_set_new(o, "srtp", text_or_null(party_srtp_name(p)));
	json_object_set_new(o, "started_ms", ms_or_null(p->started_ms));
	json_object_set_new(o, "answered_ms", ms_or_null(p->answered_ms));
	json_object_set_new(o, "ended_ms", ms_or_null(p->ended_ms));
	json_object_set_new(o, "stats", p->stats ? json_deep_copy(p->stats) : json_null());
	return o;
}

json_t *view_leg_rows(const struct call *call)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++)
		if (call->party[i].state != PARTY_FREE)
			json_array_append_new(list, leg_row(call, &call->party[i]));
	return list;
}

static json_t *path_of(const struct call_record *r)
{
	json_t *list = json_array();
	const char *at = r->path;

	while (*at != '\0') {
		size_t n = strcspn(at, " ");

		if (n > 0)
			json_array_append_new(list, json_stringn_nocheck(at, n));
		at += n + (at[n] == ' ');
	}
	return list;
}

static json_t *steps_of(const struct call *call)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < call->step_count; i++) {
		const struct step_kept *s = &call->steps[i];
		json_t *o = json_object();

		json_object_set_new(o, "at_ms", json_integer((json_int_t)s->at_ms));
		json_object_set_new(o, "step", text(call_step_name(s->step)));
		json_object_set_new(o, "detail", text_or_null(s->detail));
		json_array_append_new(list, o);
	}
	return list;
}

json_t *view_call_detail(struct call *call)
{
	/* The clocks of a running call are stopped on a copy, so that it shows what it has now. */
	struct call_record now = call->record;
	json_t *o = view_call_row(call), *recordings = json_array();

	call_record_end(&now, PARTY_NONE, CALL_CAUSE_NORMAL, clock_wall_ms());
	for (unsigned i = 0; i < call->takes; i++)
		json_array_append_new(recordings, text(call->take[i].id));
	json_object_set_new(o, "flow", text_or_null(call->record.flow));
	json_object_set_new(o, "path", path_of(&call->record));
	json_object_set_new(o, "legs", view_leg_rows(call));
	json_object_set_new(o, "steps", steps_of(call));
	json_object_set_new(o, "recordings", recordings);
	json_object_set_new(o, "not_recorded", text_or_null(call->record.not_recorded));
	json_object_set_new(o, "ended_ms", ms_or_null(call->record.ended_ms));
	json_object_set_new(o, "wait_ms", json_integer((json_int_t)now.wait_ms));
	json_object_set_new(o, "talk_ms", json_integer((json_int_t)now.talk_ms));
	json_object_set_new(o, "hold_ms", json_integer((json_int_t)now.hold_ms));
	json_object_set_new(o, "wrap_up_ms", json_integer(0));
	json_object_set_new(o, "hung_up_by",
			    text_or_null(call_party_name(call->record.hung_up_by)));
	json_object_set_new(
		o, "cause",
		text_or_null(call->record.ended_ms ? call_cause_name(call->record.cause) : NULL));
	return o;
}

static json_t *agent_queues(struct centre *c, int agent)
{
	json_t *list = json_array();
	struct acd_queue_view q;

	for (uint32_t i = 0; i < acd_queues(c->acd); i++)
		if (acd_agent_serves(c->acd, agent, (int)i) &&
		    acd_queue_view(c->acd, (int)i, clock_mono_ms(), &q))
			json_array_append_new(list, text(q.name));
	return list;
}

json_t *view_agent_row(struct centre *c, int agent)
{
	struct acd_agent_view v;
	struct registrar_contact contact;
	struct call *call;
	bool here;
	json_t *o;

	if (!acd_agent_view(c->acd, agent, &v))
		return NULL;
	here = c->sip != NULL &&
	       registrar_lookup(sip_stack_registrar(c->sip), v.number, &contact, 1) > 0;
	call = v.call ? centre_call(c, v.call) : centre_call(c, c->desks[agent].other_call);
	o = json_object();
	json_object_set_new(o, "agent", text(v.number));
	json_object_set_new(o, "name", text(v.name));
	json_object_set_new(o, "state", text(agent_state_name(v.agent.state)));
	json_object_set_new(o, "reason",
			    text_or_null(v.agent.state == AGENT_NOT_READY
						 ? desk_reason_name(c, v.agent.reason)
						 : NULL));
	json_object_set_new(o, "since_ms", ms_or_null(c->desks[agent].since_wall_ms));
	json_object_set_new(o, "away", away_rows(c, agent));
	json_object_set_new(o, "remote", text_or_null(remote_number(c, agent)));
	json_object_set_new(o, "dnd", json_boolean(v.dnd));
	json_object_set_new(o, "registered", json_boolean(here));
	json_object_set_new(o, "contact", text_or_null(here ? contact.uri : NULL));
	json_object_set_new(o, "call", text_or_null(call ? call->id : NULL));
	json_object_set_new(o, "queues", agent_queues(c, agent));
	json_object_set_new(o, "answered", json_integer(v.answered));
	json_object_set_new(o, "missed", json_integer(v.missed));
	json_object_set_new(o, "role", text(v.supervisor ? "supervisor" : "agent"));
	return o;
}

static json_t *callers_of(struct centre *c, int queue)
{
	uint64_t calls[50];
	uint32_t n = acd_waiting(c->acd, queue, calls, 50);
	json_t *list = json_array();

	for (uint32_t i = 0; i < n && i < 50; i++) {
		struct call *call = centre_call(c, calls[i]);
		struct call_record now;
		json_t *o;

		if (call == NULL)
			continue;
		now = call->record;
		call_record_end(&now, PARTY_NONE, CALL_CAUSE_NORMAL, clock_wall_ms());
		o = json_object();
		json_object_set_new(o, "call", text(call->id));
		json_object_set_new(o, "from", text(call->record.from));
		json_object_set_new(o, "position", json_integer((json_int_t)i + 1));
		json_object_set_new(o, "wait_ms", json_integer((json_int_t)now.wait_ms));
		json_array_append_new(list, o);
	}
	return list;
}

json_t *view_queue_row(struct centre *c, int queue)
{
	struct acd_queue_view v;
	json_t *o;

	if (!acd_queue_view(c->acd, queue, clock_mono_ms(), &v))
		return NULL;
	o = json_object();
	json_object_set_new(o, "queue", text(v.name));
	json_object_set_new(o, "waiting", json_integer(v.waiting));
	json_object_set_new(o, "longest_wait_ms", json_integer((json_int_t)v.longest_wait_ms));
	json_object_set_new(o, "agents",
			    json_pack("{s:i,s:i,s:i,s:i}", "assigned", (int)v.assigned, "ready",
				      (int)v.ready, "talking", (int)v.talking, "wrap_up",
				      (int)v.wrap_up));
	json_object_set_new(o, "paused", json_boolean(v.paused));
	json_object_set_new(o, "callbacks", json_integer(v.callbacks));
	json_object_set_new(o, "service_level_s", json_integer(v.service_level_s));
	json_object_set_new(o, "service_level_percent", json_integer(v.service_level_percent));
	json_object_set_new(o, "offered", json_integer((json_int_t)v.offered));
	json_object_set_new(o, "answered", json_integer((json_int_t)v.answered));
	json_object_set_new(o, "abandoned", json_integer((json_int_t)v.abandoned));
	json_object_set_new(o, "answered_in_time_share",
			    v.offered ? json_real((double)v.answered_in_time / (double)v.offered)
				      : json_null());
	json_object_set_new(o, "average_wait_ms",
			    v.answered ? json_integer((json_int_t)(v.wait_sum_ms / v.answered))
				       : json_null());
	json_object_set_new(o, "callers", callers_of(c, queue));
	return o;
}
