/* SPDX-License-Identifier: Apache-2.0
 *
 * The start, and the moment when the engine is there. What the engine tells of the time in between comes as
 * events after that moment; only then is it known what was lost.
 */
#include "call/adopt.h"
#include "call/nail.h"

#include <stdlib.h>
#include <string.h>

#include "acd/acd_restore.h"
#include "base/log.h"
#include "call/conference.h"
#include "call/consult.h"
#include "call/journal.h"
#include "record/kept.h"
#include "sip/sip_store.h"
#include "store/journal.h"

static const char *agent_word(unsigned i)
{
	return agent_state_name((enum agent_state)i);
}

static const char *transport_word(unsigned i)
{
	return sip_transport_name((enum sip_transport)i);
}

/* --- start --------------------------------------------------------------------------------- */

static bool agent_read(const json_t *o, struct acd_agent_kept *k, struct desk *d)
{
	unsigned state, beneath;
	uint64_t after, wrap_ms, dnd = 0, dnd_ready = 0;
	bool ok = kept_word(o, "state", agent_word, AGENT_STATES, &state);

	*k = (struct acd_agent_kept){0};
	ok = kept_word(o, "beneath", agent_word, AGENT_STATES, &beneath) && ok;
	ok = kept_number(o, "after", AGENT_AFTER_CALL_OFFLINE, &after) && ok;
	ok = KEPT_NUMBER(o, "reason", UINT8_MAX, k->agent.reason) && ok;
	ok = KEPT_NUMBER(o, "after_reason", UINT8_MAX, k->agent.after_reason) && ok;
	ok = KEPT_NUMBER(o, "since_ms", INT64_MAX, k->agent.since_ms) && ok;
	ok = KEPT_NUMBER(o, "idle_since_ms", INT64_MAX, k->idle_since_ms) && ok;
	ok = KEPT_NUMBER(o, "wrap_until_ms", INT64_MAX, k->wrap_until_ms) && ok;
	ok = KEPT_NUMBER(o, "wrap_up_s", UINT16_MAX, k->wrap_up_s) && ok;
	ok = KEPT_NUMBER(o, "answered", UINT32_MAX, k->answered) && ok;
	ok = KEPT_NUMBER(o, "missed", UINT32_MAX, k->missed) && ok;
	ok = KEPT_NUMBER(o, "rejected", UINT32_MAX, k->rejected) && ok;
	ok = KEPT_NUMBER(o, "since_sign_in", UINT32_MAX, k->since_sign_in) && ok;
	ok = KEPT_NUMBER(o, "talk_ms", INT64_MAX, k->talk_ms) && ok;
	ok = kept_text(o, "last_call", d->last_call, sizeof(d->last_call)) && ok;
	ok = kept_number(o, "wrap_since_ms", INT64_MAX, &wrap_ms) && ok;
	ok = KEPT_NUMBER(o, "shown_since_ms", INT64_MAX, d->since_wall_ms) && ok;
	/* Rows of before these were kept are good as well. */
	(void)kept_number(o, "dnd", 1, &dnd);
	(void)kept_number(o, "dnd_ready", 1, &dnd_ready);
	if (!kept_text(o, "remote", d->remote, sizeof(d->remote)))
		d->remote[0] = '\0';
	k->dnd = dnd != 0;
	k->dnd_ready = dnd_ready != 0;
	k->agent.state = (enum agent_state)state;
	k->agent.resume = (enum agent_state)beneath;
	k->agent.after = (enum agent_after)after;
	k->agent.since_ms = journal_mono_ms(k->agent.since_ms);
	k->idle_since_ms = journal_mono_ms(k->idle_since_ms);
	k->wrap_until_ms = journal_mono_ms(k->wrap_until_ms);
	d->wrap_since_ms = journal_mono_ms(wrap_ms);
	return ok;
}

static bool adopt_agent(struct centre *c, const char *number, const json_t *body)
{
	int agent = acd_agent_find(c->acd, number);
	struct acd_agent_kept kept;
	struct desk d = {0};

	if (agent < 0 || (unsigned)agent >= c->desks_max || !agent_read(body, &kept, &d) ||
	    acd_agent_restore(c->acd, agent, &kept, clock_mono_ms()) != 0)
		return false;
	memcpy(c->desks[agent].last_call, d.last_call, sizeof(d.last_call));
	memcpy(c->desks[agent].remote, d.remote, sizeof(d.remote));
	if (d.remote[0] != '\0')
		acd_agent_reachable(c->acd, agent, !nail_wanted(c, agent), clock_mono_ms());
	c->desks[agent].wrap_since_ms = d.wrap_since_ms;
	c->desks[agent].since_wall_ms = d.since_wall_ms;
	return true;
}

static bool adopt_binding(struct centre *c, const json_t *o)
{
	struct registrar_contact b = {0};
	char user[SIP_USER_MAX];
	uint64_t q, until_ms, now_ms = clock_wall_ms();
	unsigned transport;
	int agent;
	bool ok = kept_text(o, "user", user, sizeof(user));

	ok = kept_text(o, "contact", b.uri, sizeof(b.uri)) && ok;
	ok = kept_text(o, "ip", b.source.ip, sizeof(b.source.ip)) && ok;
	ok = KEPT_NUMBER(o, "port", UINT16_MAX, b.source.port) && ok;
	ok = kept_word(o, "transport", transport_word, SIP_OVER_TLS + 1, &transport) && ok;
	ok = kept_text(o, "user_agent", b.user_agent, sizeof(b.user_agent)) && ok;
	ok = kept_text(o, "path", b.path, sizeof(b.path)) && ok;
	ok = kept_flag(o, "by_source", &b.by_source) && ok;
	ok = kept_number(o, "q", 1000, &q) && ok;
	ok = kept_number(o, "until_ms", INT64_MAX, &until_ms) && ok;
	if (!ok || until_ms <= now_ms || until_ms - now_ms > UINT32_MAX)
		return false;
	b.source.transport = (enum sip_transport)transport;
	b.q = (float)q / 1000.0f;
	b.expires_s = (uint32_t)((until_ms - now_ms + 999) / 1000);
	if (registrar_kept(sip_stack_registrar(c->sip), user, &b) != 0)
		return false;
	agent = acd_agent_find(c->acd, user);
	if (agent >= 0)
		acd_agent_reachable(c->acd, agent, true, clock_mono_ms());
	return true;
}

static bool adopt_engine(struct centre *c, const json_t *o)
{
	char instance[40];
	uint64_t seq;
	bool ok = kept_text(o, "instance", instance, sizeof(instance));

	ok = kept_number(o, "seq", INT64_MAX, &seq) && ok;
	if (!ok || instance[0] == '\0')
		return false;
	engine_expect(c->engine, instance, seq);
	c->engine_seq = seq;
	return true;
}

/* A queue that is paused stays so, also when what paused it was long ago: it is told each time. */
static bool adopt_queue(struct centre *c, const char *name)
{
	int err = acd_queue_pause(c->acd, acd_queue_find(c->acd, name), true, clock_mono_ms());

	if (err == 0)
		log_warn("queue", "%s is paused, as it was before the restart", name);
	return err == 0;
}

static bool adopt_skill(struct centre *c, const json_t *o)
{
	char agent[SIP_USER_MAX], queue[CALL_RECORD_NAME_MAX];
	uint8_t level;
	bool ok = kept_text(o, "agent", agent, sizeof(agent));

	ok = kept_text(o, "queue", queue, sizeof(queue)) && ok;
	ok = KEPT_NUMBER(o, "level", 9, level) && ok;
	if (!ok || acd_agent_skill(c->acd, acd_agent_find(c->acd, agent),
				   acd_queue_find(c->acd, queue), level, clock_mono_ms()) != 0)
		return false;
	log_info("agent", "%s %s queue %s (level %u), as a supervisor has set it", agent,
		 level > 0 ? "serves" : "is not in", queue, level);
	return true;
}

struct adoption {
	unsigned taken[JOURNAL_KINDS], left[JOURNAL_KINDS];
};

static bool adopt_body(struct centre *c, enum journal_kind kind, const char *id, const json_t *body)
{
	switch (kind) {
	case JOURNAL_AGENT:
		return adopt_agent(c, id, body);
	case JOURNAL_BINDING:
		return adopt_binding(c, body);
	case JOURNAL_ENGINE:
		return adopt_engine(c, body);
	case JOURNAL_QUEUE:
		return adopt_queue(c, id);
	case JOURNAL_SKILL:
		return adopt_skill(c, body);
	case JOURNAL_CALL: /* its row has more than a body */
	case JOURNAL_KINDS:
		break;
	}
	return false;
}

static bool adopt_row(struct centre *c, enum journal_kind kind, const json_t *row)
{
	const char *id = json_string_value(json_object_get(row, "id"));
	const char *text = json_string_value(json_object_get(row, "body"));
	bool known = json_integer_value(json_object_get(row, "version")) == JOURNAL_VERSION;
	json_t *body;
	bool taken = false;

	if (kind == JOURNAL_CALL)
		return adopt_call(c, row) != NULL;
	body = known && text != NULL ? json_loads(text, 0, NULL) : NULL;
	if (body != NULL && id != NULL)
		taken = adopt_body(c, kind, id, body);
	json_decref(body);
	return taken;
}

/* Rows of one kind. What could not be taken is dropped: it would come back at every start. */
static void adopt_kind(struct centre *c, const json_t *rows, enum journal_kind kind,
		       struct adoption *n)
{
	const char *name = journal_kind_name(kind);

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *word = json_string_value(json_object_get(row, "kind"));
		const char *id = json_string_value(json_object_get(row, "id"));

		if (word == NULL || strcmp(word, name) != 0)
			continue;
		if (adopt_row(c, kind, row)) {
			n->taken[kind]++;
			continue;
		}
		n->left[kind]++;
		log_warn("call", "%s %s of before the restart is not taken over", name,
			 id != NULL ? id : "?");
		if (id != NULL)
			store_journal_drop(c->store, kind, id);
	}
}

void adopt_begin(struct centre *c)
{
	json_t *rows = c->store != NULL ? store_journal_read(c->store) : NULL;
	struct adoption n = {0};

	if (c->store == NULL)
		return;
	if (json_array_size(rows) > 0) {
		acd_freeze(c->acd, true, clock_mono_ms());
		adopt_kind(c, rows, JOURNAL_ENGINE, &n);
		adopt_kind(c, rows, JOURNAL_QUEUE, &n);
		adopt_kind(c, rows, JOURNAL_SKILL, &n);
		adopt_kind(c, rows, JOURNAL_AGENT, &n);
		adopt_kind(c, rows, JOURNAL_BINDING, &n);
		adopt_kind(c, rows, JOURNAL_CALL, &n);
		acd_restore_end(c->acd, clock_mono_ms());
		queue_drain(c);
		log_info("call",
			 "after a restart: %u calls, %u agents, %u phones; not taken: %u, %u, %u",
			 n.taken[JOURNAL_CALL], n.taken[JOURNAL_AGENT], n.taken[JOURNAL_BINDING],
			 n.left[JOURNAL_CALL], n.left[JOURNAL_AGENT], n.left[JOURNAL_BINDING]);
		recover_wait(c);
	}
	json_decref(rows);
	store_close_orphans(c->store, clock_wall_ms());
}

/* --- the engine is there ------------------------------------------------------------------- */

static const json_t *row_with(const json_t *entry, const char *list, const char *member,
			      const char *value)
{
	const json_t *rows = json_object_get(entry, list);

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *s = json_string_value(json_object_get(row, member));

		if (s != NULL && strcmp(s, value) == 0)
			return row;
	}
	return NULL;
}

static const char *member(const json_t *list, size_t i, const char *name)
{
	const char *s = json_string_value(json_object_get(json_array_get(list, i), name));

	return s != NULL ? s : "";
}

/* What was asked of the engine in the last moment and did not come into the journal. */
static void stop_unclaimed(struct call *call, const json_t *entry)
{
	const json_t *legs = json_object_get(entry, "legs"),
		     *plays = json_object_get(entry, "plays"),
		     *collects = json_object_get(entry, "collects"),
		     *monitors = json_object_get(entry, "monitors");
	struct engine *e = call->centre->engine;

	for (size_t i = 0; i < json_array_size(legs); i++) {
		const char *leg = member(legs, i, "leg");

		if (party_by_leg(call, leg) == NULL)
			engine_leg_close(e, leg, NULL, NULL);
	}
	for (size_t i = 0; i < json_array_size(plays); i++)
		if (party_by_play(call, member(plays, i, "play")) == NULL)
			engine_play_stop(e, member(plays, i, "play"));
	for (size_t i = 0; i < json_array_size(collects); i++) {
		const char *id = member(collects, i, "collect");

		if (strcmp(id, call->collect) != 0 && strcmp(id, call->confirm_collect) != 0)
			engine_collect_stop(e, id);
	}
	for (size_t i = 0; i < json_array_size(monitors); i++)
		if (strcmp(member(monitors, i, "monitor"), call->monitor) != 0)
			engine_monitor_stop(e, member(monitors, i, "monitor"));
}

/* A recording that began in the last moment is this call's like any other. */
static void meet_recordings(struct call *call, const json_t *entry, const json_t *home)
{
	const json_t *list = json_object_get(entry, "recordings");

	for (size_t i = 0; i < json_array_size(list); i++)
		record_adopt(call, member(list, i, "recording"));
	for (unsigned i = 0; i < call->takes; i++)
		call->take_lost[i] =
			call->take[i].open &&
			row_with(entry, "recordings", "recording", call->take[i].id) == NULL &&
			row_with(home, "recordings", "recording", call->take[i].id) == NULL;
}

static bool hears(const json_t *entry, const char *listener, const char *speaker)
{
	const json_t *rows = json_object_get(entry, "hear");

	for (size_t i = 0; i < json_array_size(rows); i++)
		if (strcmp(member(rows, i, "listener"), listener) == 0 &&
		    strcmp(member(rows, i, "speaker"), speaker) == 0)
			return true;
	return false;
}

static void meet_parties(struct call *call, const json_t *entry)
{
	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++) {
		struct party *p = &call->party[i];

		if (p->state == PARTY_FREE)
			continue;
		if (p->state == PARTY_ENDING)
			party_end(p, 0, 0, "");
		else if (p->sip != NULL && row_with(entry, "legs", "leg", p->leg) == NULL)
			recover_reopen(call, p);
		else
			p->play_lost = p->play[0] != '\0' &&
				       row_with(entry, "plays", "play", p->play) == NULL;
	}
}

static void meet_conversation(struct call *call, const json_t *entry)
{
	if (call->customer == NULL || call->agent == NULL)
		return;
	if (!hears(entry, call->customer->leg, call->agent->leg) ||
	    !hears(entry, call->agent->leg, call->customer->leg))
		talk_hear(call);
	if (call->supervisor != NULL && call->monitor[0] != '\0' &&
	    row_with(entry, "monitors", "monitor", call->monitor) == NULL) {
		call->monitor[0] = '\0';
		monitor_agent_changed(call);
	}
}

/* The engine had it and has it no more: it ended, and only its last rows were lost. */
static void lost(struct call *call)
{
	call->opened = false;
	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++)
		call->party[i].leg_wanted = false;
	call_end_at(call, PARTY_SYSTEM, CALL_CAUSE_FAILED, call->kept_ms);
}

static void goodbye(struct call *call, const json_t *entry)
{
	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++) {
		struct party *p = &call->party[i];

		if (row_with(entry, "legs", "leg", p->leg) == NULL)
			p->leg_wanted = false;
		if (p->state != PARTY_FREE)
			party_end(p, 0, 0, "");
	}
	call->opened = entry != NULL;
	call_close_in_engine(call);
	call_finish(call);
}

void adopt_meet(struct call *call, const json_t *known)
{
	const json_t *entry = json_object_get(known, call->id);
	/* Where its legs are: in a conference the room's row, else its own. */
	const json_t *home = json_object_get(known, conference_engine_call(call));

	call->adopted = ADOPT_MET;
	if (call->state == CALL_ENDING) {
		goodbye(call, entry);
		return;
	}
	if (entry == NULL && home == NULL) {
		lost(call);
		return;
	}
	call->opened = entry != NULL;
	call_note(call, CALL_STEP_ADOPTED, NULL);
	stop_unclaimed(call, entry);
	conference_meet(call, home);
	meet_recordings(call, entry, home);
	meet_parties(call, home);
	if (call->reopening > 0)
		return; /* and then recover.c goes on with it */
	if (call->state == CALL_CONFERENCE)
		conference_resume(call);
	if (adopt_go_on(call) || call->state == CALL_ENDING)
		return;
	meet_conversation(call, entry);
	call->collect_lost = call->collect[0] != '\0' &&
			     row_with(entry, "collects", "collect", call->collect) == NULL;
	journal_touch(call);
}

static void flow_anew(struct call *call)
{
	struct centre *c = call->centre;
	const struct config_hotline *h = config_hotline_find(c->config, call->record.to);
	struct ivr_flow *flow = h != NULL ? centre_flow(c, h) : NULL;

	if (call->customer->play_use != PLAY_NOTHING)
		party_play_stop(call->customer);
	if (flow != NULL)
		flow_begin(call, flow, h->language);
	else
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_FAILED);
}

bool adopt_go_on(struct call *call)
{
	enum adopt_next next = call->adopt_next;

	call->adopt_next = ADOPT_NOTHING;
	switch (next) {
	case ADOPT_NOTHING:
		return false;
	case ADOPT_DIAL_LOST:
		if (call->dialled != NULL)
			dial_closed(call->dialled, 487);
		break;
	case ADOPT_FLOW_ANEW:
		flow_anew(call);
		break;
	case ADOPT_QUEUE_LOST:
		if (call->flow_runs)
			flow_tell(call, &(struct ivr_event){.kind = IVR_EV_QUEUE_LEFT,
							    .queue = IVR_QUEUE_FAILED});
		else
			call_end(call, PARTY_SYSTEM, CALL_CAUSE_NO_ANSWER);
		break;
	case ADOPT_THIRD_LOST:
	case ADOPT_THREE_LOST:
		if (call->agent != NULL)
			consult_restarted(call, next == ADOPT_THIRD_LOST);
		break;
	case ADOPT_LOOKUP_LOST:
		flow_tell(call, &(struct ivr_event){.kind = IVR_EV_LOOKUP_DONE});
		break;
	}
	return true;
}

/* --- and what ended in the engine meanwhile was told by its events ------------------------------ */

/* A play or a collection that the engine had not any more, and no event told of its end. */
static bool something_is_lost(struct call *call)
{
	bool lost = call->collect[0] != '\0' && call->collect_lost;

	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++) {
		struct party *p = &call->party[i];

		if (p->state != PARTY_UP || p->play[0] == '\0' || !p->play_lost)
			continue;
		p->play[0] = '\0';
		/* While keys are collected it does not matter whether the prompt was heard to its end. */
		lost = lost || call->collect[0] == '\0';
	}
	return lost;
}

static void settle(struct call *call, void *arg)
{
	(void)arg;
	if (call->adopted != ADOPT_MET)
		return;
	call->adopted = ADOPT_DONE;
	for (unsigned i = 0; i < call->takes; i++)
		if (call->take_lost[i])
			record_forget_take(call, i);
	if (call->state == CALL_ENDING) {
		call_finish(call);
		return;
	}
	if (something_is_lost(call))
		recover_go_on(call);
	record_follow(call);
	journal_touch(call);
}

static void on_settled(void *arg)
{
	struct centre *c = arg;

	call_each(c, settle, NULL);
}

void adopt_end(struct centre *c)
{
	acd_freeze(c->acd, false, clock_mono_ms());
	tmr_start(&c->adopting, 0, on_settled, c);
}
