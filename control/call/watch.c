/* SPDX-License-Identifier: Apache-2.0
 *
 * From what happens to agents to the two rules' events, and from their words to event, row and list.
 */
#include "call/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "call/notify.h"
#include "record/conduct.h"
#include "record/overlong.h"

enum { CONDUCT_EVERY_S = 15 };

struct watched {
	struct overlong overlong;
	struct conduct conduct;
	char agent[SIP_USER_MAX];
	char call[OVERLONG_WHATS][CLOCK_UUID_SIZE];
	char queue[OVERLONG_WHATS][CALL_RECORD_NAME_MAX];
	uint64_t began_ms[OVERLONG_WHATS]; /* wall */
	uint64_t limit_ms[OVERLONG_WHATS]; /* of the highest level */
	uint64_t offered_ms;               /* mono, of the newest offer */
};

struct watch {
	uint32_t desks;
	unsigned seconds;
	int32_t day;
	uint8_t hour;
	json_t *purged;
	bool purging;
	struct watched at[];
};

struct watch *watch_new(uint32_t desks)
{
	struct watch *w = calloc(1, sizeof(*w) + desks * sizeof(w->at[0]));

	if (w != NULL)
		w->desks = desks;
	return w;
}

void watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	json_decref(w->purged);
	free(w);
}

static struct watched *of(struct centre *c, int agent)
{
	return agent >= 0 && (uint32_t)agent < c->watch->desks ? &c->watch->at[agent] : NULL;
}

/* --- overlong ------------------------------------------------------------------------------ */

static json_t *overlong_row(const struct watched *w, enum overlong_what what, unsigned level,
			    uint64_t lasted_ms)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:i,s:s,s:I,s:I,s:I}", "agent", w->agent, "call",
			 w->call[what], "queue", w->queue[what], "what", overlong_what_name(what),
			 "level", (int)level, "role", overlong_role(level), "since_ms",
			 (json_int_t)w->began_ms[what], "lasted_ms", (json_int_t)lasted_ms,
			 "limit_ms", (json_int_t)w->limit_ms[what]);
}

static void tell(struct centre *c, struct watched *w, const struct overlong_alarm *a, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		enum overlong_what what = a[i].what;
		json_t *row;
		char *told;

		w->limit_ms[what] = a[i].limit_ms;
		row = overlong_row(w, what, a[i].level, a[i].lasted_ms);
		json_object_set_new(row, "raised", json_boolean(a[i].raised));
		log_info("watch", "[call=%s] %s of %s %s %llu s (%s)", w->call[what],
			 overlong_what_name(what), w->agent,
			 a[i].raised ? "is longer than" : "is over; limit",
			 (unsigned long long)(a[i].limit_ms / 1000), overlong_role(a[i].level));
		json_object_set_new(row, "told",
				    a[i].raised ? notify_overlong(c, w->agent, a[i].level, row)
						: json_array());
		told = json_dumps(json_object_get(row, "told"), JSON_COMPACT);
		centre_publish(c, "overlong", row);
		if (c->store != NULL)
			store_overlong(c->store,
				       &(struct store_overlong){.call = w->call[what],
								.agent = w->agent,
								.queue = w->queue[what],
								.what = overlong_what_name(what),
								.began_ms = w->began_ms[what],
								.limit_ms = a[i].limit_ms,
								.lasted_ms = a[i].lasted_ms,
								.level = a[i].level,
								.told = told ? told : "[]"});
		free(told);
	}
}

static void begin(struct centre *c, struct watched *w, enum overlong_what what, const char *call,
		  const char *queue)
{
	const struct config_queue *q = config_queue_find(c->config, queue);
	struct overlong_limits limits = {0};

	if (q != NULL)
		memcpy(limits.s, q->overlong_s[what], sizeof(limits.s));
	snprintf(w->call[what], sizeof(w->call[what]), "%s", call);
	snprintf(w->queue[what], sizeof(w->queue[what]), "%s", queue);
	w->began_ms[what] = clock_wall_ms();
	overlong_begin(&w->overlong, what, limits, clock_mono_ms());
}

static void end(struct centre *c, struct watched *w, enum overlong_what what)
{
	struct overlong_alarm a[OVERLONG_LEVELS + 1];
	unsigned n = overlong_end(&w->overlong, what, clock_mono_ms(), a);

	tell(c, w, a, n);
}

json_t *watch_overlong(struct centre *c)
{
	uint64_t now_ms = clock_mono_ms();
	json_t *list = json_array();

	for (uint32_t i = 0; i < c->watch->desks; i++) {
		const struct watched *w = &c->watch->at[i];

		for (unsigned k = 0; k < OVERLONG_WHATS; k++)
			if (w->overlong.on[k] && w->overlong.level[k] > 0)
				json_array_append_new(
					list,
					overlong_row(w, (enum overlong_what)k, w->overlong.level[k],
						     now_ms - w->overlong.since_ms[k]));
	}
	return list;
}

/* --- conduct ------------------------------------------------------------------------------- */

static void happened(struct centre *c, struct watched *w, struct conduct_event e)
{
	struct conduct_finding f[CONDUCT_FINDINGS_MAX];
	unsigned n;

	e.at_ms = clock_wall_ms();
	e.day = c->watch->day;
	n = conduct_event(&w->conduct, &c->config->conduct, &e, f);
	for (unsigned i = 0; i < n; i++) {
		const char *rule = conduct_rule_name(f[i].rule);

		log_info("watch", "%s: %s, %u times, %llu ms %s", w->agent, rule, f[i].count,
			 (unsigned long long)f[i].lasted_ms, f[i].evidence);
		centre_publish(c, "conduct",
			       json_pack("{s:s,s:s,s:s?,s:i,s:I,s:s}", "agent", w->agent, "rule",
					 rule, "call", f[i].call[0] ? f[i].call : NULL, "count",
					 (int)f[i].count, "lasted_ms", (json_int_t)f[i].lasted_ms,
					 "evidence", f[i].evidence));
		if (c->store != NULL)
			store_finding(c->store, &(struct store_finding){.agent = w->agent,
									.rule = rule,
									.call = f[i].call,
									.evidence = f[i].evidence,
									.at_ms = f[i].at_ms,
									.lasted_ms = f[i].lasted_ms,
									.count = f[i].count});
	}
}

/* Not ready by hand, and not because an offer came to nothing. */
static bool by_hand(uint8_t reason)
{
	return reason == AGENT_REASON_NONE || agent_reason_name(reason) == NULL;
}

static void state_conduct(struct centre *c, struct watched *w, const struct acd_action *a,
			  const char *call)
{
	bool ringing = a->was == AGENT_RINGING;

	if (a->was == AGENT_OFFLINE && a->state != AGENT_OFFLINE)
		happened(c, w, (struct conduct_event){.kind = CONDUCT_EV_SIGNED_IN});
	if (a->was == AGENT_NOT_READY && a->state != AGENT_NOT_READY)
		happened(c, w, (struct conduct_event){.kind = CONDUCT_EV_BACK});
	if (a->was == AGENT_TALKING && a->state != AGENT_TALKING)
		happened(c, w,
			 (struct conduct_event){.kind = CONDUCT_EV_TALK_OVER,
						.call = w->call[OVERLONG_TALK]});
	if (a->state == AGENT_OFFLINE)
		happened(c, w,
			 (struct conduct_event){.kind = CONDUCT_EV_SIGNED_OUT, .ringing = ringing});
	if (a->state == AGENT_TALKING && a->was != AGENT_TALKING)
		happened(c, w, (struct conduct_event){.kind = CONDUCT_EV_TALK, .call = call});
	if (a->state == AGENT_NOT_READY && a->was != AGENT_OFFLINE && by_hand(a->reason))
		happened(c, w, (struct conduct_event){.kind = CONDUCT_EV_AWAY, .ringing = ringing});
}

void watch_state(struct centre *c, const struct acd_action *a, const char *agent,
		 const struct call *call)
{
	struct watched *w = of(c, a->agent);

	if (w == NULL)
		return;
	snprintf(w->agent, sizeof(w->agent), "%s", agent);
	state_conduct(c, w, a, call ? call->id : "");
	if (a->was == AGENT_TALKING && a->state != AGENT_TALKING) {
		end(c, w, OVERLONG_HOLD);
		end(c, w, OVERLONG_TALK);
	}
	if (a->was == AGENT_WRAP_UP && a->state != AGENT_WRAP_UP)
		end(c, w, OVERLONG_WRAP_UP);
	if (a->state == AGENT_TALKING && a->was != AGENT_TALKING)
		begin(c, w, OVERLONG_TALK, call ? call->id : "", call ? call->record.queue : "");
	if (a->state == AGENT_WRAP_UP && a->was != AGENT_WRAP_UP)
		begin(c, w, OVERLONG_WRAP_UP, w->call[OVERLONG_TALK], w->queue[OVERLONG_TALK]);
}

void watch_hold(const struct party *p, bool held)
{
	struct call *call = p->call;
	struct centre *c = call->centre;
	struct watched *w = call->agent ? of(c, call->agent->agent) : NULL;

	if (w == NULL || !call->from_queue)
		return;
	if (held && !w->overlong.on[OVERLONG_HOLD])
		begin(c, w, OVERLONG_HOLD, call->id, call->record.queue);
	else if (!held)
		end(c, w, OVERLONG_HOLD);
	if (p == call->agent)
		happened(c, w,
			 (struct conduct_event){.kind = held ? CONDUCT_EV_HOLD : CONDUCT_EV_RESUME,
						.call = call->id});
}

void watch_offer(const struct party *p)
{
	struct watched *w = of(p->call->centre, p->agent);

	if (w != NULL)
		w->offered_ms = clock_mono_ms();
}

void watch_refused(const struct party *p, enum agent_event how, unsigned status)
{
	struct watched *w = of(p->call->centre, p->agent);

	if (w == NULL)
		return;
	snprintf(w->agent, sizeof(w->agent), "%s", p->number);
	happened(p->call->centre, w,
		 (struct conduct_event){.kind = how == AGENT_REJECT ? CONDUCT_EV_REJECTED
						: how == AGENT_MISS ? CONDUCT_EV_UNANSWERED
								    : CONDUCT_EV_UNREACHABLE,
					.ms = clock_mono_ms() - w->offered_ms,
					.status = status,
					.call = p->call->id});
}

void watch_registration(struct centre *c, int agent, bool here, const char *contact)
{
	struct watched *w = of(c, agent);
	struct acd_agent_view v;

	if (w == NULL || !acd_agent_view(c->acd, agent, &v))
		return;
	snprintf(w->agent, sizeof(w->agent), "%s", v.number);
	happened(c, w,
		 (struct conduct_event){.kind = here ? CONDUCT_EV_REGISTERED
						     : CONDUCT_EV_UNREGISTERED,
					.evidence = contact});
}

void watch_dnd(struct centre *c, int agent)
{
	struct watched *w = of(c, agent);

	if (w != NULL)
		happened(c, w,
			 (struct conduct_event){.kind = CONDUCT_EV_DND, .evidence = "switched on"});
}

void watch_dialled(const struct party *p, uint64_t took_ms)
{
	struct watched *w = of(p->call->centre, p->agent);

	if (w != NULL)
		happened(p->call->centre, w,
			 (struct conduct_event){
				 .kind = CONDUCT_EV_DIALLED, .ms = took_ms, .call = p->call->id});
}

void watch_left_callback(const struct party *p, uint64_t since_ms)
{
	struct watched *w = of(p->call->centre, p->agent);

	if (w != NULL)
		happened(p->call->centre, w,
			 (struct conduct_event){
				 .kind = CONDUCT_EV_LEFT_CALLBACK,
				 .ms = since_ms != 0 ? clock_mono_ms() - since_ms : 0,
				 .call = p->call->id,
				 .evidence = since_ms != 0 ? "before dialling"
							   : "while the customer's phone rang"});
}

/* Only of who talks with a caller of a queue; its record knows the agent even when it is over. */
static void heard(struct centre *c, int agent, const char *call, const json_t *stats)
{
	const json_t *sound = json_object_get(stats, "sound");
	struct watched *w = of(c, agent);

	if (w == NULL || sound == NULL || strcmp(w->conduct.call, call) != 0)
		return;
	happened(c, w,
		 (struct conduct_event){
			 .kind = CONDUCT_EV_SOUND,
			 .ms = (uint64_t)json_integer_value(json_object_get(sound, "one_way_ms")),
			 .silence_ms = (uint64_t)json_integer_value(
				 json_object_get(sound, "silence_max_ms")),
			 .call = call});
}

void watch_sound(const struct party *p, const json_t *stats)
{
	heard(p->call->centre, p->agent, p->call->id, stats);
}

/* A question on its way: what has come from an agent's phone so far. */
struct question {
	struct centre *centre;
	int agent;
	char call[CLOCK_UUID_SIZE];
};

static void on_stat(void *arg, int err, const json_t *result, const struct rpc_error *why)
{
	struct question *q = arg;

	(void)why;
	if (err == 0)
		heard(q->centre, q->agent, q->call, result);
	free(q);
}

static void ask(struct centre *c, uint32_t agent)
{
	struct acd_agent_view v;
	const struct call *call;
	struct question *q;

	if (c->engine == NULL || !engine_is_up(c->engine) ||
	    !acd_agent_view(c->acd, (int)agent, &v) || v.agent.state != AGENT_TALKING ||
	    v.call == 0)
		return;
	call = centre_call(c, v.call);
	if (call == NULL || call->agent == NULL || call->agent->state != PARTY_UP)
		return;
	q = malloc(sizeof(*q));
	if (q == NULL)
		return;
	*q = (struct question){.centre = c, .agent = (int)agent};
	snprintf(q->call, sizeof(q->call), "%s", call->id);
	if (engine_leg_stat(c->engine, call->agent->leg, on_stat, q) != 0)
		free(q);
}

/* --- time ---------------------------------------------------------------------------------- */

void watch_limits(struct centre *c)
{
	const struct config *cfg = c->config;
	struct tally_limits *limits;

	if (c->store == NULL || cfg->n_queues == 0)
		return;
	limits = calloc(cfg->n_queues, sizeof(*limits));
	if (limits == NULL)
		return;
	for (unsigned i = 0; i < cfg->n_queues; i++) {
		snprintf(limits[i].queue, sizeof(limits[i].queue), "%s", cfg->queues[i].name);
		limits[i].service_level_s = cfg->queues[i].service_level_s;
		limits[i].short_abandon_s = cfg->queues[i].short_abandon_s;
	}
	store_limits(c->store, limits, cfg->n_queues);
	free(limits);
}

static void on_purged(void *arg, const json_t *result, const char *error)
{
	struct centre *c = arg;
	const char *name;
	json_t *n;

	if (c->watch == NULL)
		return;
	c->watch->purging = false;
	if (error != NULL) {
		log_warn("store", "what is old was not deleted: %s", error);
		return;
	}
	json_decref(c->watch->purged);
	c->watch->purged = json_copy((json_t *)(uintptr_t)result);
	json_object_set_new(c->watch->purged, "at_ms", json_integer((json_int_t)clock_wall_ms()));
	json_object_foreach((json_t *)(uintptr_t)result, name, n) if (json_integer_value(n) > 0)
		log_info("store", "%s: %lld old rows deleted", name,
			 (long long)json_integer_value(n));
}

static void purge(struct centre *c)
{
	const struct config_keep *k = &c->config->keep_days;
	struct store_keep keep = {.calls_days = k->calls,
				  .steps_days = k->steps,
				  .agent_states_days = k->agent_states,
				  .recordings_days = k->recordings,
				  .intervals_days = k->intervals,
				  .findings_days = k->findings,
				  .callbacks_days = k->callbacks,
				  .searches_days = k->searches,
				  .acts_days = k->acts,
				  .now_ms = clock_wall_ms()};

	if (!c->watch->purging && store_purge(c->store, &keep, on_purged, c) == 0)
		c->watch->purging = true;
}

json_t *watch_purged(const struct centre *c)
{
	return c->watch->purged ? json_deep_copy(c->watch->purged) : json_null();
}

/* An agent who was in a conversation or in wrap-up before the daemon was started, and still is: its state is told by
 * nobody. */
static void take_up(struct centre *c, uint32_t agent)
{
	struct watched *w = &c->watch->at[agent];
	struct acd_agent_view v;
	enum overlong_what what;
	const struct call *call;
	uint64_t ago_ms;

	if (!acd_agent_view(c->acd, (int)agent, &v))
		return;
	w->conduct.signed_in = v.agent.state != AGENT_OFFLINE;
	if (v.agent.state != AGENT_TALKING && v.agent.state != AGENT_WRAP_UP)
		return;
	what = v.agent.state == AGENT_TALKING ? OVERLONG_TALK : OVERLONG_WRAP_UP;
	if (w->overlong.on[what])
		return;
	call = v.call ? centre_call(c, v.call) : NULL;
	snprintf(w->agent, sizeof(w->agent), "%s", v.number);
	begin(c, w, what, call ? call->id : c->desks[agent].last_call,
	      call ? call->record.queue : "");
	ago_ms = clock_wall_ms() - c->desks[agent].since_wall_ms;
	if (ago_ms < w->overlong.since_ms[what]) {
		w->overlong.since_ms[what] -= ago_ms;
		w->began_ms[what] -= ago_ms;
	}
}

void watch_second(struct centre *c)
{
	struct watch *w = c->watch;
	uint64_t now_ms = clock_mono_ms();
	struct overlong_alarm a[OVERLONG_ALARMS_MAX];
	struct local_time local = centre_local(c, clock_wall_ms());

	w->day = (local.year * 16 + local.month) * 32 + local.day;
	for (uint32_t i = 0; i < w->desks; i++) {
		unsigned n = overlong_look(&w->at[i].overlong, now_ms, a);

		tell(c, &w->at[i], a, n);
	}
	/* Each agent's turn comes every CONDUCT_EVERY_S, and not everybody's at once. */
	for (uint32_t i = ++w->seconds % CONDUCT_EVERY_S; i < w->desks; i += CONDUCT_EVERY_S) {
		take_up(c, i);
		if (w->at[i].conduct.signed_in)
			happened(c, &w->at[i],
				 (struct conduct_event){
					 .kind = CONDUCT_EV_TIME,
					 .callbacks = acd_callbacks_wait(c->acd, (int)i)});
		ask(c, i);
	}
	if (c->store == NULL)
		return;
	store_tabulate(c->store, clock_wall_ms());
	if (local.hour != w->hour) {
		w->hour = local.hour;
		purge(c);
	}
}
