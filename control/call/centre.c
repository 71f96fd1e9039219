/* SPDX-License-Identifier: Apache-2.0
 *
 * The centre itself: made, started, shut down; alarms, events, and the small questions that others
 * ask it (a secret, business hours).
 */
#include "call/centre.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "call/adopt.h"
#include "call/away.h"
#include "call/calls.h"
#include "call/consult.h"
#include "call/emergency.h"
#include "call/journal.h"
#include "call/nail.h"
#include "call/park.h"
#include "call/remote.h"
#include "call/watch.h"

enum { SPARE_AGENTS = 1000, SPARE_QUEUES = 32, SECOND_MS = 1000 };

int centre_init(struct centre *c, struct config *config, const struct centre_paths *paths)
{
	struct acd_plan plan = {
		.agents_max = config->n_agents + SPARE_AGENTS,
		.queues_max = config->n_queues + SPARE_QUEUES,
		.calls_max = config->calls_max ? config->calls_max : 10000,
	};
	void *memory = malloc(acd_bytes(&plan));
	int err;

	*c = (struct centre){
		.config = config,
		.paths = *paths,
		.config_loaded_ms = clock_wall_ms(),
		.started_ms = clock_wall_ms(),
		.desks_max = plan.agents_max,
		.media_timeout_ms = CENTRE_MEDIA_TIMEOUT_MS,
		.engine_grace_ms = CENTRE_ENGINE_GRACE_MS,
	};
	for (unsigned b = 0; b < CENTRE_BUCKETS; b++) {
		list_init(&c->by_number[b]);
		list_init(&c->by_id[b]);
	}
	list_init(&c->reap);
	tmr_init(&c->reaper);
	tmr_init(&c->acd_timer);
	tmr_init(&c->engine_grace);
	tmr_init(&c->second);
	tmr_init(&c->journal);
	tmr_init(&c->adopting);
	list_init(&c->touched);
	tmr_init(&c->shut_down_timer);
	c->desks = calloc(c->desks_max, sizeof(*c->desks));
	c->regulars = calloc(1, sizeof(*c->regulars));
	c->watch = watch_new(c->desks_max);
	if (memory == NULL || c->watch == NULL || c->desks == NULL || c->regulars == NULL) {
		free(memory);
		return -ENOMEM;
	}
	c->acd = acd_init(memory, &plan);
	acd_hold(c->acd, true, clock_mono_ms()); /* until there is an engine */
	err = acd_configure(c->acd, config, clock_mono_ms());
	for (uint32_t i = 0; i < c->desks_max; i++)
		c->desks[i].since_wall_ms = clock_wall_ms();
	queue_drain(c);
	return err;
}

static void free_call(struct call *call, void *arg)
{
	(void)arg;
	call_free(call);
}

void centre_deaf(struct centre *c)
{
	c->deaf = true;
}

void centre_fini(struct centre *c)
{
	tmr_cancel(&c->reaper);
	tmr_cancel(&c->acd_timer);
	tmr_cancel(&c->engine_grace);
	tmr_cancel(&c->second);
	tmr_cancel(&c->journal);
	tmr_cancel(&c->adopting);
	tmr_cancel(&c->shut_down_timer);
	call_each(c, free_call, NULL);
	while (c->reap.head != NULL)
		call_free(c->reap.head->data);
	for (unsigned i = 0; i < c->flow_count; i++)
		ivr_flow_drop(&c->flows[i].flow);
	fetcher_close(c->fetcher);
	json_decref(c->prompts);
	recorder_forget(c);
	ivr_say_close(c->say);
	free(c->acd);
	free(c->regulars);
	free(c->desks);
	watch_free(c->watch);
	config_free(c->config);
	*c = (struct centre){0};
}

void centre_publish(struct centre *c, const char *type, json_t *members)
{
	if (c->publish != NULL && members != NULL)
		c->publish(c->publish_arg, type, members);
	else
		json_decref(members);
}

void centre_alarm(struct centre *c, const char *area, bool raised, const char *text)
{
	unsigned i = 0;

	while (i < c->alarm_count && strcmp(c->alarms[i].area, area) != 0)
		i++;
	if (!raised) {
		if (i == c->alarm_count)
			return;
		c->alarms[i] = c->alarms[--c->alarm_count];
		log_info("alarm", "%s: over", area);
	} else {
		if (i < c->alarm_count || i == CENTRE_ALARMS_MAX)
			return;
		c->alarm_count++;
		c->alarms[i].since_ms = clock_wall_ms();
		snprintf(c->alarms[i].area, sizeof(c->alarms[i].area), "%s", area);
		snprintf(c->alarms[i].text, sizeof(c->alarms[i].text), "%s", text);
		log_error("alarm", "%s: %s", area, text);
	}
	centre_publish(c, "alarm",
		       json_pack("{s:s,s:s,s:b}", "area", area, "text", text, "raised", raised));
}

static bool first_line(const char *path, char *out, size_t size)
{
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return false;
	if (fgets(out, (int)size, f) == NULL)
		out[0] = '\0';
	fclose(f);
	out[strcspn(out, "\r\n")] = '\0';
	return out[0] != '\0';
}

bool centre_secret(const struct config_secret *s, char *out, size_t size)
{
	const char *value = NULL;

	switch (s->kind) {
	case CONFIG_SECRET_NONE:
		return false;
	case CONFIG_SECRET_TEXT:
		value = s->value;
		break;
	case CONFIG_SECRET_ENV:
		value = getenv(s->value);
		if (value == NULL)
			log_warn("config", "the environment has no %s, which holds a password",
				 s->value);
		break;
	case CONFIG_SECRET_FILE:
		if (first_line(s->value, out, size))
			return true;
		log_warn("config", "no password can be read from %s", s->value);
		break;
	}
	if (value == NULL || strlen(value) >= size)
		return false;
	memcpy(out, value, strlen(value) + 1);
	return true;
}

static struct local_time local_of(const struct tm *tm)
{
	return (struct local_time){
		.year = (int16_t)(tm->tm_year + 1900),
		.month = (uint8_t)(tm->tm_mon + 1),
		.day = (uint8_t)tm->tm_mday,
		.hour = (uint8_t)tm->tm_hour,
		.minute = (uint8_t)tm->tm_min,
		.second = (uint8_t)tm->tm_sec,
	};
}

/* Local time of a named zone. glibc knows only one zone at a time: the process's. */
static struct local_time local_in(const char *zone, time_t now)
{
	const char *before = getenv("TZ");
	char keep[128] = "";
	struct tm tm;

	if (before != NULL)
		snprintf(keep, sizeof(keep), "%s", before);
	setenv("TZ", zone, 1);
	tzset();
	localtime_r(&now, &tm);
	if (before != NULL)
		setenv("TZ", keep, 1);
	else
		unsetenv("TZ");
	tzset();
	return local_of(&tm);
}

struct local_time centre_local(const struct centre *c, uint64_t wall_ms)
{
	const struct hours *h = &c->config->time_zone;
	struct tm tm;
	time_t now = (time_t)(wall_ms / 1000);

	if (h->zone_fixed)
		return hours_local((int64_t)wall_ms, h->offset_min);
	if (h->zone[0] != '\0')
		return local_in(h->zone, now);
	localtime_r(&now, &tm);
	return local_of(&tm);
}

bool centre_hours_open(void *arg, const char *name)
{
	struct centre *c = arg;
	const struct hours *h = config_calendar_find(c->config, name);
	struct local_time t;
	const char *why;

	if (h == NULL)
		return false;
	t = h->zone_fixed ? hours_local((int64_t)clock_wall_ms(), h->offset_min)
			  : local_in(h->zone, (time_t)(clock_wall_ms() / 1000));
	return hours_open(h, &t, &why);
}

static bool secret(void *arg, const char *user, struct sip_secret *out)
{
	struct centre *c = arg;
	const struct config_agent *a = config_agent_find(c->config, user);

	*out = (struct sip_secret){0};
	return a != NULL && centre_secret(&a->password, out->password, sizeof(out->password));
}

static bool trunk_password(void *arg, const char *trunk, char *out, size_t size)
{
	struct centre *c = arg;
	const struct config_trunk *k = config_trunk_named(c->config, trunk);

	return k != NULL && centre_secret(&k->password, out, size);
}

void centre_sip_handlers(struct centre *c, struct sip_stack_handlers *h)
{
	*h = (struct sip_stack_handlers){
		.secret = secret,
		.trunk_password = trunk_password,
		.trunk_changed = centre_trunk_changed,
		.registered = desk_registered,
		.unregistered = desk_unregistered,
		.incoming = incoming_call,
		.urgent = emergency_number,
		.arg = c,
	};
}

void centre_engine_handlers(struct centre *c, struct engine_handlers *h)
{
	*h = (struct engine_handlers){
		.up = recover_up, .down = recover_down, .event = engine_event, .arg = c};
}

static void watch_store(struct centre *c)
{
	struct store_status st;

	if (c->store == NULL)
		return;
	store_status(c->store, &st);
	centre_alarm(c, "store", st.state != STORE_OK, st.text);
	centre_alarm(c, "store backlog", st.waiting > st.waiting_max / 2,
		     "more than half of the queue to the database is full");
	centre_alarm(c, "store moved aside", st.moved_aside,
		     "the database was unusable at start and was moved aside");
	if (st.dropped > c->store_dropped)
		log_error("store", "%llu rows were refused",
			  (unsigned long long)(st.dropped - c->store_dropped));
	c->store_dropped = st.dropped;
}

static void on_second(void *arg)
{
	struct centre *c = arg;

	watch_store(c);
	watch_second(c);
	away_second(c);
	nail_second(c);
	recorder_second(c);
	journal_second(c);
	tmr_start(&c->second, SECOND_MS, on_second, c);
}

void centre_start(struct centre *c)
{
	watch_limits(c);
	tmr_start(&c->second, SECOND_MS, on_second, c);
	adopt_begin(c);
	callback_resume(c);
	regulars_resume(c);
	queue_drain(c);
}

static void end_call(struct call *call, void *arg)
{
	(void)arg;
	call_end(call, PARTY_SYSTEM, CALL_CAUSE_SHUTDOWN);
}

static void on_shut_down_late(void *arg)
{
	struct centre *c = arg;
	void (*drained)(void *) = c->drained;

	if (c->calls_now > 0)
		log_warn("call", "%u calls did not say goodbye in time", c->calls_now);
	c->drained = NULL;
	if (drained)
		drained(c->drained_arg);
}

void centre_shut_down(struct centre *c, uint32_t timeout_ms, void (*drained)(void *arg), void *arg)
{
	c->shutting_down = true;
	c->drained = drained;
	c->drained_arg = arg;
	call_each(c, end_call, NULL);
	tmr_start(&c->shut_down_timer, c->calls_now || c->reap.head ? timeout_ms : 0,
		  on_shut_down_late, c);
}

int centre_monitor(struct centre *c, struct call *call, const char *by, const char *mode,
		   const char **state, char *why, size_t why_size)
{
	(void)c;
	return monitor_set(call, by, mode, NULL, state, why, why_size);
}

int centre_takeover(struct centre *c, struct call *call, const char *by, const char **state,
		    char *why, size_t why_size)
{
	(void)c;
	return takeover_set(call, by, state, why, why_size);
}

int centre_record(struct centre *c, struct call *call, const char *action, const char *by,
		  const char **state, char *why, size_t why_size)
{
	int err = -EINVAL;

	(void)c;
	snprintf(why, why_size, "\"%s\" is nothing that can be done to a recording", action);
	for (unsigned v = 0; v < RECORD_VERBS; v++)
		if (strcmp(record_verb_names[v], action) == 0)
			err = record_control(call, (enum record_verb)v, by, why, why_size);
	*state = record_state_name(call);
	return err;
}

int centre_queue_move(struct centre *c, struct call *call, const char *queue, char *why,
		      size_t why_size)
{
	(void)c;
	return queue_move(call, queue, why, why_size);
}

int centre_queue_pause(struct centre *c, const char *queue, bool paused, char *why, size_t why_size)
{
	int err = acd_queue_pause(c->acd, acd_queue_find(c->acd, queue), paused, clock_mono_ms());

	if (err != 0) {
		snprintf(why, why_size, "there is no queue %s", queue);
		return err;
	}
	log_info("queue", "%s is %s", queue, paused ? "paused: no call is offered" : "resumed");
	journal_queue(c, queue, paused);
	queue_drain(c);
	return 0;
}

int centre_agent_queue(struct centre *c, const char *agent, const char *queue, uint8_t level,
		       char *why, size_t why_size)
{
	int g = acd_agent_find(c->acd, agent), q = acd_queue_find(c->acd, queue);
	int err = acd_agent_skill(c->acd, g, q, level, clock_mono_ms());

	if (err == -ENOSPC)
		snprintf(why, why_size, "agent %s serves as many queues as it can", agent);
	else if (err != 0)
		snprintf(why, why_size, "there is no %s %s", g < 0 ? "agent" : "queue",
			 g < 0 ? agent : queue);
	if (err != 0)
		return err == -ENOSPC ? -EBUSY : err;
	log_info("agent", "%s %s queue %s (level %u)", agent, level > 0 ? "serves" : "leaves",
		 queue, level);
	journal_skill(c, agent, queue, level);
	queue_drain(c);
	return 0;
}

int centre_transfer(struct centre *c, struct call *call, const char *to, char *why, size_t why_size)
{
	(void)c;
	return transfer_call(call, to, why, why_size);
}

int centre_consult(struct centre *c, struct call *call, const char *action, const char *to,
		   const char *by, const char **state, char *why, size_t why_size)
{
	(void)c;
	return consult_act(call, action, to, by, state, why, why_size);
}

int centre_park(struct centre *c, struct call *call, const char *place, char *number,
		size_t number_size, char *why, size_t why_size)
{
	(void)c;
	return park_named(call, place, number, number_size, why, why_size);
}

int centre_unpark(struct centre *c, const char *place, const char *to, char *why, size_t why_size)
{
	return park_retrieve(c, place, to, why, why_size);
}

json_t *centre_parked(struct centre *c)
{
	return park_rows(c);
}

int centre_sign_in_at(struct centre *c, const char *agent, const char *number, char *why,
		      size_t why_size)
{
	return remote_sign_in(c, acd_agent_find(c->acd, agent), number, why, why_size);
}

void centre_hang_up(struct centre *c, struct call *call)
{
	(void)c;
	call_end(call, PARTY_OPERATOR, CALL_CAUSE_OPERATOR);
}

const char *centre_call_id(const struct call *call)
{
	return call->id;
}
