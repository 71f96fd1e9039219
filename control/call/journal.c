/* SPDX-License-Identifier: Apache-2.0
 *
 * When to write, and the rows of agents, bindings and the engine. What a call's row says is in
 * journal_call.c.
 */
#include "call/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acd/acd_restore.h"
#include "base/log.h"
#include "record/kept.h"
#include "sip/registrar.h"
#include "store/journal.h"

uint64_t journal_wall_ms(uint64_t mono_ms)
{
	uint64_t now_ms = clock_mono_ms(), wall_ms = clock_wall_ms();

	if (mono_ms == 0)
		return 0;
	return mono_ms < now_ms ? wall_ms - (now_ms - mono_ms) : wall_ms + (mono_ms - now_ms);
}

uint64_t journal_mono_ms(uint64_t wall_ms)
{
	uint64_t now_ms = clock_mono_ms(), now_wall_ms = clock_wall_ms(), ago_ms;

	if (wall_ms == 0)
		return 0;
	if (wall_ms >= now_wall_ms)
		return now_ms + (wall_ms - now_wall_ms);
	ago_ms = now_wall_ms - wall_ms;
	return ago_ms < now_ms ? now_ms - ago_ms : 1;
}

static void put(struct centre *c, enum journal_kind kind, const char *id, json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT);

	if (text != NULL &&
	    !store_journal_put(c->store, kind, id, JOURNAL_VERSION, clock_wall_ms(), text))
		log_warn("store", "%s %s is not journalled", journal_kind_name(kind), id);
	free(text);
	json_decref(body);
}

static json_t *agent_body(struct centre *c, int agent, const struct acd_agent_kept *k)
{
	const struct desk *d = &c->desks[agent];
	json_t *o = json_object();

	kept_put_text(o, "state", agent_state_name(k->agent.state));
	kept_put_text(o, "beneath", agent_state_name(agent_beneath(&k->agent)));
	kept_put_number(o, "reason", k->agent.reason);
	kept_put_number(o, "after", k->agent.after);
	kept_put_number(o, "after_reason", k->agent.after_reason);
	kept_put_number(o, "since_ms", journal_wall_ms(k->agent.since_ms));
	kept_put_number(o, "idle_since_ms", journal_wall_ms(k->idle_since_ms));
	kept_put_number(o, "wrap_until_ms", journal_wall_ms(k->wrap_until_ms));
	kept_put_number(o, "wrap_up_s", k->wrap_up_s);
	kept_put_number(o, "answered", k->answered);
	kept_put_number(o, "missed", k->missed);
	kept_put_number(o, "rejected", k->rejected);
	kept_put_number(o, "since_sign_in", k->since_sign_in);
	kept_put_number(o, "talk_ms", k->talk_ms);
	kept_put_text(o, "last_call", d->last_call);
	kept_put_text(o, "remote", d->remote);
	kept_put_number(o, "dnd", k->dnd);
	kept_put_number(o, "dnd_ready", k->dnd_ready);
	kept_put_number(o, "wrap_since_ms", journal_wall_ms(d->wrap_since_ms));
	kept_put_number(o, "shown_since_ms", d->since_wall_ms);
	return o;
}

static void write_agent(struct centre *c, int agent)
{
	struct acd_agent_kept kept;
	struct acd_agent_view v;

	if ((unsigned)agent >= c->desks_max || !acd_agent_view(c->acd, agent, &v) ||
	    !acd_agent_keep(c->acd, agent, &kept))
		return;
	if (kept.agent.state == AGENT_OFFLINE)
		store_journal_drop(c->store, JOURNAL_AGENT, v.number);
	else
		put(c, JOURNAL_AGENT, v.number, agent_body(c, agent, &kept));
}

/* Which engine, and up to which event it was heard: after the calls, which say themselves what they have heard. */
static void write_engine(struct centre *c)
{
	struct engine_view v;
	json_t *o;

	if (c->journal_seq == c->engine_seq && !c->journal_engine)
		return;
	engine_view(c->engine, &v);
	if (v.instance[0] == '\0')
		return;
	c->journal_seq = c->engine_seq;
	c->journal_engine = false;
	o = json_object();
	kept_put_text(o, "instance", v.instance);
	kept_put_number(o, "seq", c->engine_seq);
	put(c, JOURNAL_ENGINE, "", o);
}

void journal_flush(struct centre *c)
{
	int agent;

	tmr_cancel(&c->journal);
	while (c->touched.head != NULL) {
		struct call *call = c->touched.head->data;

		list_unlink(&call->le_touched);
		if (c->store != NULL)
			put(c, JOURNAL_CALL, call->id, journal_call(call));
	}
	while ((agent = acd_changed(c->acd)) >= 0)
		if (c->store != NULL)
			write_agent(c, agent);
	if (c->store != NULL && c->engine != NULL)
		write_engine(c);
}

static void on_lag(void *arg)
{
	journal_flush(arg);
}

void journal_soon(struct centre *c)
{
	if (!tmr_isrunning(&c->journal))
		tmr_start(&c->journal, JOURNAL_LAG_MS, on_lag, c);
}

void journal_touch(struct call *call)
{
	if (call->reaped || call->le_touched.list != NULL)
		return;
	list_append(&call->centre->touched, &call->le_touched, call);
	journal_soon(call->centre);
}

void journal_gone(struct call *call)
{
	struct centre *c = call->centre;

	list_unlink(&call->le_touched);
	if (c->store != NULL)
		store_journal_drop(c->store, JOURNAL_CALL, call->id);
}

/* --- what supervisors have set ------------------------------------------------------------- */

void journal_queue(struct centre *c, const char *queue, bool paused)
{
	json_t *o;

	if (c->store == NULL)
		return;
	if (!paused) {
		store_journal_drop(c->store, JOURNAL_QUEUE, queue);
		return;
	}
	o = json_object();
	kept_put_flag(o, "paused", true);
	put(c, JOURNAL_QUEUE, queue, o);
}

void journal_skill(struct centre *c, const char *agent, const char *queue, uint8_t level)
{
	char id[SIP_USER_MAX + CALL_RECORD_NAME_MAX + 1];
	json_t *o;

	if (c->store == NULL)
		return;
	o = json_object();
	kept_put_text(o, "agent", agent);
	kept_put_text(o, "queue", queue);
	kept_put_number(o, "level", level);
	snprintf(id, sizeof(id), "%s %s", agent, queue);
	put(c, JOURNAL_SKILL, id, o);
}

/* --- bindings ------------------------------------------------------------------------------ */

static void binding_id(char *id, size_t size, const char *user, const char *contact)
{
	snprintf(id, size, "%s %s", user, contact);
}

static void write_binding(struct centre *c, const char *user, const struct registrar_contact *b)
{
	char id[SIP_USER_MAX + SIP_URI_MAX + 2];
	json_t *o = json_object();

	kept_put_text(o, "user", user);
	kept_put_text(o, "contact", b->uri);
	kept_put_text(o, "ip", b->source.ip);
	kept_put_number(o, "port", b->source.port);
	kept_put_text(o, "transport", sip_transport_name(b->source.transport));
	kept_put_text(o, "user_agent", b->user_agent);
	kept_put_text(o, "path", b->path);
	kept_put_flag(o, "by_source", b->by_source);
	kept_put_number(o, "q", (uint64_t)(b->q * 1000.0f));
	kept_put_number(o, "until_ms", clock_wall_ms() + 1000ull * b->expires_s);
	binding_id(id, sizeof(id), user, b->uri);
	put(c, JOURNAL_BINDING, id, o);
}

struct scan {
	struct centre *c;
	uint64_t since_ms;
};

static void refreshed(const char *user, const struct registrar_contact *b, void *arg)
{
	struct scan *s = arg;

	if (b->changed_ms >= s->since_ms)
		write_binding(s->c, user, b);
}

void journal_registered(struct centre *c, const struct sip_registration *r)
{
	struct registrar_contact have[REGISTRAR_CONTACTS_MAX];
	size_t n;

	if (c->store == NULL || c->sip == NULL)
		return;
	n = registrar_lookup(sip_stack_registrar(c->sip), r->user, have, REGISTRAR_CONTACTS_MAX);
	for (size_t i = 0; i < n; i++)
		if (strcmp(have[i].uri, r->contact) == 0)
			write_binding(c, r->user, &have[i]);
}

void journal_unregistered(struct centre *c, const struct sip_registration *r)
{
	char id[SIP_USER_MAX + SIP_URI_MAX + 2];

	if (c->store == NULL)
		return;
	binding_id(id, sizeof(id), r->user, r->contact);
	store_journal_drop(c->store, JOURNAL_BINDING, id);
}

void journal_second(struct centre *c)
{
	uint64_t now_ms = tmr_jiffies();
	struct scan s = {c, c->bindings_ms};

	if (c->store == NULL || c->sip == NULL || now_ms - c->bindings_ms < JOURNAL_BINDINGS_MS)
		return;
	c->bindings_ms = now_ms;
	registrar_each(sip_stack_registrar(c->sip), refreshed, &s);
}
