/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports, logs, alarms, findings, a takeover and a backup, as a client of the control socket gets them after calls.
 */
#include "api/api_testing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "call/call_kit.h"
#include "call/watch.h"
#include "check.h"
#include "patchbay/rpc_client.h"

static json_int_t number(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

/* The first row of a list in the answer. */
static const json_t *first(struct desk_top *d, const char *list)
{
	return json_array_get(json_object_get(d->result, list), 0);
}

static struct kit_call *talk(struct desk_top *d)
{
	struct kit_call *customer;

	call_kit_ready(&d->k, "1001");
	strcpy(d->k.engine->digits, "1");
	customer = call_kit_dial(&d->k, "95598");
	check(call_kit_reaches(&d->k, CALL_TALKING));
	return customer;
}

/* Is 1001 in that state, within a second? */
static bool agent_is(struct desk_top *d, const char *state)
{
	for (int i = 0; i < 40; i++) {
		if (ask(d, "agents", NULL) != NULL &&
		    strcmp(text(first(d, "agents"), "state"), state) == 0)
			return true;
		kit_wait(30);
	}
	return false;
}

/* Ask until the list has `n` rows: rows are on their way to the database. */
static void ask_until(struct desk_top *d, const char *method, const json_t *params,
		      const char *list, size_t n)
{
	for (int i = 0; i < 100; i++) {
		ask(d, method, json_deep_copy(params));
		if (d->result != NULL && json_array_size(json_object_get(d->result, list)) == n)
			return;
		kit_wait(30);
	}
	check(!"the rows did not come");
}

static void a_report_is_ranked_by_a_figure_that_it_has(void)
{
	struct desk_top *d = top_open();
	json_int_t now = (json_int_t)clock_wall_ms();
	json_t *params = json_pack("{s:s,s:I,s:I,s:s}", "of", "agents", "from_ms", now, "to_ms",
				   now + 60000, "interval", "all");

	call_kit_ready(&d->k, "1001");
	json_object_set_new(params, "rank", json_string("calls_back_per_hour"));
	ask_until(d, "report", params, "rows", 1);
	for (int i = 0; i < 50 && number(first(d, "rows"), "signed_in_ms") == 0; i++) {
		kit_wait(30);
		ask(d, "report", json_deep_copy(params));
	}
	check_int(number(first(d, "rows"), "rank"), 1);
	json_object_set_new(params, "rank", json_string("handle_time_ms")); /* answered nothing */
	check(ask(d, "report", json_deep_copy(params)) != NULL);
	check(json_is_null(json_object_get(first(d, "rows"), "rank")));
	json_object_set_new(params, "rank", json_string("beauty"));
	check(ask(d, "report", json_deep_copy(params)) == NULL);
	check(strstr(d->message, "the report has no figure beauty") != NULL);
	json_decref(params);
	top_close(d);
}

static void a_report_tells_of_the_call_that_was(void)
{
	struct desk_top *d = top_open();
	json_int_t now = (json_int_t)clock_wall_ms();
	struct kit_call *customer = talk(d);
	struct config_target target = {.of = TARGET_QUEUE,
				       .what = TARGET_SERVICE_LEVEL,
				       .bound = 90,
				       .name = "",
				       .from = "",
				       .from_day = INT32_MIN};
	const json_t *row;
	json_t *params;

	d->k.c.config->targets = &target;
	d->k.c.config->n_targets = 1;
	kit_wait(1100);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_empty(&d->k));

	params = json_pack("{s:s,s:I,s:I,s:s}", "of", "queues", "from_ms", now, "to_ms",
			   now + 60000, "interval", "all");
	ask_until(d, "report", params, "rows", 1);
	for (int i = 0; i < 50 && number(first(d, "rows"), "talk_ms") < 1000; i++) {
		kit_wait(30);
		ask(d, "report", json_deep_copy(params));
	}
	row = first(d, "rows");
	check_str(text(row, "queue"), "sales");
	check_int(json_array_size(json_object_get(row, "targets")), 1);
	check_int(number(json_array_get(json_object_get(row, "targets"), 0), "at_least"), 90);
	check(json_is_true(
		json_object_get(json_array_get(json_object_get(row, "targets"), 0), "met")));
	check_int(number(row, "offered"), 1);
	check_int(number(row, "answered"), 1);
	check_int(number(row, "answered_20s"), 1);
	check(number(row, "talk_ms") >= 1000 && number(row, "talk_ms") < 10000);
	check(json_real_value(json_object_get(row, "service_level")) == 1.0);

	json_object_set_new(params, "of", json_string("agents"));
	json_object_set_new(params, "key", json_string("1001"));
	ask_until(d, "report", params, "rows", 1);
	row = first(d, "rows");
	check_int(number(row, "answered"), 1);
	check(number(row, "talking_ms") >= 1000);
	check_int(number(row, "sign_ins"), 1);

	/* A group is the sum of its agents. */
	json_object_del(params, "key");
	json_object_set_new(params, "of", json_string("groups"));
	ask_until(d, "report", params, "rows", 1);
	row = first(d, "rows");
	check(json_object_get(row, "agent") == NULL);
	check_str(text(row, "group"), "desk");
	check_int(number(row, "answered"), 1);
	check_int(number(row, "sign_ins"), 1);

	json_object_set_new(params, "of", json_string("flows"));
	ask_until(d, "report", params, "rows", 1);
	check_int(number(first(d, "rows"), "callers"), 1);
	check_int(number(first(d, "rows"), "queued"), 1);

	/* What flows noted: nothing here, and not without a key. */
	json_object_set_new(params, "of", json_string("notes"));
	check(ask(d, "report", json_deep_copy(params)) == NULL);
	check(strstr(d->message, "which notes?") != NULL);
	json_object_set_new(params, "key", json_string("score"));
	check(ask(d, "report", json_deep_copy(params)) != NULL);
	check_int(json_array_size(json_object_get(d->result, "rows")), 0);

	json_object_set_new(params, "zone", json_string("Europe/Bielefeld"));
	check(ask(d, "report", json_deep_copy(params)) == NULL);
	check(strstr(d->message, "there is no time zone Europe/Bielefeld") != NULL);
	json_decref(params);

	/* Each leg says how it ended. */
	check(ask(d, "cdr", json_object()) != NULL);
	check(ask(d, "call", json_pack("{s:s}", "call", text(first(d, "records"), "call"))) !=
	      NULL);
	check_int(json_array_size(json_object_get(d->result, "legs")), 2);
	for (size_t i = 0; i < 2; i++) {
		const json_t *leg = json_array_get(json_object_get(d->result, "legs"), i);
		bool caller = strcmp(text(leg, "role"), "customer") == 0;

		check_str(text(leg, "ended_by"), caller ? "peer" : "us");
		check(number(leg, "answered_ms") > 0 && number(leg, "ended_ms") > 0);
	}

	/* Each state with its end; the newest has none. */
	check(ask(d, "agent.log", json_pack("{s:s}", "agent", "1001")) != NULL);
	check(json_array_size(json_object_get(d->result, "states")) >= 4);
	check(json_is_null(json_object_get(first(d, "states"), "until_ms")));
	check_int(number(json_array_get(json_object_get(d->result, "states"), 1), "until_ms"),
		  number(first(d, "states"), "from_ms"));
	top_close(d);
}

static void a_long_call_alarms_and_is_in_the_list(void)
{
	struct desk_top *d = top_open();
	struct config_queue *q = &d->k.c.config->queues[config_queue_find(d->k.c.config, "sales") -
							d->k.c.config->queues];
	struct config_notify tell[] = {
		{.level = 1, .group = "", .phone = "2001", .url = ""},
		{.level = 1, .group = "others", .phone = "1002", .url = ""},
		{.level = 2, .group = "", .phone = "", .url = "http://127.0.0.1:1/alarms"}};
	struct sip_stack_stats before, after;
	struct kit_call *customer;
	json_t *none = json_object();

	q->overlong_s[0][0] = 1;
	q->overlong_s[0][1] = 2;
	d->k.c.config->notify = tell;
	d->k.c.config->n_notify = 3;
	sip_stack_stats(d->k.phone[3]->stack, &before);
	customer = talk(d);
	watch_second(&d->k.c);
	check(ask(d, "alarms", NULL) != NULL);
	check_int(json_array_size(json_object_get(d->result, "overlong")), 0);
	kit_wait(1100);
	watch_second(&d->k.c);
	check(ask(d, "alarms", NULL) != NULL);
	check_str(text(first(d, "overlong"), "role"), "leader");
	check_str(text(first(d, "overlong"), "agent"), "1001");
	kit_wait(1000);
	watch_second(&d->k.c);
	check(ask(d, "alarms", NULL) != NULL);
	check_str(text(first(d, "overlong"), "role"), "controller");
	check_int(number(first(d, "overlong"), "limit_ms"), 2000);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_empty(&d->k));
	check(ask(d, "alarms", NULL) != NULL);
	check_int(json_array_size(json_object_get(d->result, "overlong")), 0);

	ask_until(d, "overlong", none, "overlong", 1);
	check_int(number(first(d, "overlong"), "level"), 2);
	check_str(
		json_string_value(json_array_get(json_object_get(first(d, "overlong"), "told"), 0)),
		"2001");
	check_str(
		json_string_value(json_array_get(json_object_get(first(d, "overlong"), "told"), 1)),
		"http://127.0.0.1:1/alarms");
	sip_stack_stats(d->k.phone[3]->stack, &after);
	check_int(after.requests - before.requests, 1); /* the text */
	check(number(first(d, "overlong"), "lasted_ms") >= 2000);
	check(text(first(d, "overlong"), "recording")[0] != '\0');
	json_decref(none);
	top_close(d);
}

static void a_phone_that_rejects_is_found(void)
{
	struct desk_top *d = top_open();
	struct kit_call *customer;
	json_t *params = json_pack("{s:s}", "agent", "1001");

	call_kit_ready(&d->k, "1001");
	watch_second(&d->k.c);
	d->k.phone[0]->mood = KIT_BUSY; /* at once: nobody could have */
	strcpy(d->k.engine->digits, "1");
	customer = call_kit_dial(&d->k, "95598");
	check(agent_is(d, "not_ready"));
	ask_until(d, "agent.conduct", params, "findings", 1);
	check_str(text(first(d, "findings"), "rule"), "do_not_disturb");
	check(strncmp(text(first(d, "findings"), "evidence"), "SIP 486 after ", 14) == 0);
	check(text(first(d, "findings"), "call")[0] != '\0');
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_empty(&d->k));
	json_decref(params);
	top_close(d);
}

/* While the conversation goes on, not at its end. */
static void a_phone_that_sends_nothing_is_found(void)
{
	struct desk_top *d = top_open();
	json_t *params = json_pack("{s:s}", "agent", "1001");
	struct kit_call *customer = talk(d);

	d->k.engine->one_way_ms = 19000;
	for (int i = 0; i < 15; i++)
		watch_second(&d->k.c);
	kit_wait(100);
	d->k.engine->one_way_ms = 21000;
	for (int i = 0; i < 45; i++)
		watch_second(&d->k.c);
	ask_until(d, "agent.conduct", params, "findings", 1);
	check_str(text(first(d, "findings"), "rule"), "media_gap");
	check_int(number(first(d, "findings"), "lasted_ms"), 21000);
	check_str(text(first(d, "findings"), "call"), call_kit_newest(&d->k)->id);
	check(!customer->closed);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_empty(&d->k));
	ask_until(d, "agent.conduct", params, "findings", 1);
	json_decref(params);
	top_close(d);
}

static void a_supervisor_takes_the_conversation_over(void)
{
	struct desk_top *d = top_open();
	struct kit_call *customer = talk(d), *agent, *boss;
	struct call *call = call_kit_newest(&d->k);
	json_t *params;

	agent = kit_last(d->k.phone[0]);
	check(ask(d, "takeover", json_pack("{s:s,s:s}", "call", call->id, "by", "1002")) == NULL);
	check_str(d->reason, "refused");
	check(ask(d, "takeover", json_pack("{s:s,s:s}", "call", call->id, "by", "2001")) != NULL);
	check_str(text(d->result, "state"), "ringing");
	check(kit_until(&agent->closed, 1, 3000));
	boss = kit_last(d->k.phone[3]);
	check(boss->answered && !boss->closed && !customer->closed);
	check_int(call->state, CALL_TALKING);
	check_str(call->agent->number, "2001");
	check(call->supervisor == NULL);
	check(agent_is(d, "wrap_up"));
	centre_check(&d->k.c);
	kit_wait(50);

	/* Who took it over ends it as any agent does: the flow goes on behind the queue. */
	sip_call_end(boss->call, 0, 16, NULL);
	check(kit_until(&customer->closed, 1, 3000));
	check(call_kit_empty(&d->k));
	params = json_pack("{s:s}", "number", "95598");
	ask_until(d, "cdr", params, "records", 1);
	check_str(text(first(d, "records"), "agent"), "2001");
	check_int(json_array_size(json_object_get(first(d, "records"), "agents")), 2);
	json_decref(params);
	top_close(d);
}

static void who_listens_takes_over_at_once(void)
{
	struct desk_top *d = top_open();
	struct kit_call *customer = talk(d), *agent = kit_last(d->k.phone[0]);
	struct call *call = call_kit_newest(&d->k);

	check(ask(d, "monitor",
		  json_pack("{s:s,s:s,s:s}", "call", call->id, "by", "2001", "mode", "listen")) !=
	      NULL);
	while (call->monitor[0] == '\0')
		kit_wait(10);
	kit_wait(50);
	engine_kit_event(d->k.engine, "dtmf",
			 json_pack("{s:s,s:s,s:s}", "call", call->id, "leg", call->supervisor->leg,
				   "digit", "8"));
	check(kit_until(&agent->closed, 1, 3000));
	check_str(call->agent->number, "2001");
	check(engine_kit_was(d->k.engine, "monitor.stop"));
	centre_check(&d->k.c);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_empty(&d->k));
	top_close(d);
}

static void a_backup_is_made_while_calls_run(void)
{
	struct desk_top *d = top_open();
	struct kit_call *customer = talk(d);
	char file[160];

	snprintf(file, sizeof(file), "%s/backup.db", d->k.dir);
	check(ask(d, "backup", json_pack("{s:s}", "file", "backup.db")) == NULL);
	check_str(d->message, "params.file: must begin with /");
	check(ask(d, "backup", json_pack("{s:s}", "file", file)) != NULL);
	check_str(text(d->result, "file"), file);
	check(number(d->result, "bytes") > 0);
	check(ask(d, "backup", json_pack("{s:s}", "file", file)) == NULL);
	check_str(d->reason, "store");
	check(access(file, R_OK) == 0);
	unlink(file);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_empty(&d->k));
	top_close(d);
}

static void the_configuration_says_where_it_comes_from(void)
{
	struct desk_top *d = top_open();
	const json_t *v;
	size_t i;
	json_t *one;

	snprintf(d->k.c.database, sizeof(d->k.c.database), "%s", d->database);
	check(ask(d, "config.show", NULL) != NULL);
	v = json_object_get(d->result, "values");
	json_array_foreach(v, i, one)
	{
		if (strcmp(text(one, "path"), "database") == 0) {
			check_str(text(one, "from"), "command_line");
			check_str(text(one, "value"), d->database);
		}
		if (strcmp(text(one, "path"), "agents[0].password") == 0)
			check_str(text(one, "value"), "(hidden)");
		if (strcmp(text(one, "path"), "agents[0].number") == 0)
			check(number(one, "line") > 0);
	}
	check(i > 100);
	top_close(d);
}

static const struct check_case cases[] = {
	CHECK_CASE(a_report_is_ranked_by_a_figure_that_it_has),
	CHECK_CASE(a_report_tells_of_the_call_that_was),
	CHECK_CASE(a_long_call_alarms_and_is_in_the_list),
	CHECK_CASE(a_phone_that_rejects_is_found),
	CHECK_CASE(a_phone_that_sends_nothing_is_found),
	CHECK_CASE(a_supervisor_takes_the_conversation_over),
	CHECK_CASE(who_listens_takes_over_at_once),
	CHECK_CASE(a_backup_is_made_while_calls_run),
	CHECK_CASE(the_configuration_says_where_it_comes_from),
};

int main(void)
{
	log_setup("test", getenv("LOUD") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	return check_run(cases, sizeof(cases) / sizeof(cases[0]));
}
