/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls outside: with the queue's number, on a trunk that takes so many; and calls for help, which pass every limit. Calls
 * go through the whole daemon, as in centre_test.c.
 */
#include "call/call_kit.h"
#include "call/consult.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "check.h"

static struct call_kit k;

static const char carrier[] =
	"trunks:\n"
	"  - {name: first, host: 127.0.0.1, port: @WORLD@, prefix: \"0\", calls_max: 1}\n"
	"  - {name: second, host: 127.0.0.1, port: @WORLD@, prefix: \"9\"}\n"
	"emergency: {numbers: [\"110\", \"120\"], trunks: [second, first], preempt: yes}\n";

static void an_agent_calls_outside_with_its_queues_number(void)
{
	struct kit_call *call;

	call_kit_open_with(&k, carrier);
	k.world->mood = KIT_ANSWER;
	call = call_kit_dial_as(&k, 0, "02161234567");
	check(kit_until(&call->answered, 1, 3000));
	check_str(kit_last(k.world)->info.from_user, "02155558001"); /* the first of its queues */
	check_str(call_kit_newest(&k)->record.queue, "sales");
	check_str(call_kit_newest(&k)->record.to, "02161234567");
	check_int(call_kit_newest(&k)->record.kind, CALL_OUT);
	sip_call_end(call->call, 0, 16, NULL);
	check(call_kit_empty(&k));
	call = call_kit_dial_as(&k, 0, "*60800302161234567"); /* as team */
	check(kit_until(&call->answered, 1, 3000));
	check_str(kit_last(k.world)->info.from_user, "02155558003");
	check_str(kit_last(k.world)->info.to_user, "02161234567");
	check_str(call_kit_newest(&k)->record.queue, "team");
	sip_call_end(call->call, 0, 16, NULL);
	check(call_kit_empty(&k));
	call = call_kit_dial_as(&k, 2, "*60800302161234567"); /* 1003 does not serve it */
	check(kit_until(&call->closed, 1, 3000));
	check_int(call->status, 403);
	check_str(k.cause, "not_allowed");
	call = call_kit_dial_as(&k, 0, "*60800202161234567"); /* service has no number */
	check(kit_until(&call->closed, 1, 3000));
	check_int(call->status, 403);
	k.c.config->agents[0].outbound = false;
	call = call_kit_dial_as(&k, 0, "02161234567");
	check(kit_until(&call->closed, 1, 3000));
	check_int(call->status, 403);
	call = call_kit_dial_as(&k, 0, "1002"); /* colleagues are not outside */
	check(kit_until(&call->answered, 1, 3000));
	sip_call_end(call->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void a_trunk_takes_so_many_calls(void)
{
	struct kit_call *one, *two;

	call_kit_open_with(&k, carrier);
	k.world->mood = KIT_ANSWER;
	one = call_kit_dial_as(&k, 0, "02161234567");
	check(kit_until(&one->answered, 1, 3000));
	two = call_kit_dial_as(&k, 1, "02161234568");
	check(kit_until(&two->closed, 1, 3000));
	check(two->answered == 0);
	check_int(k.world->calls, 1);
	sip_call_end(one->call, 0, 16, NULL);
	check(call_kit_empty(&k));
	two = call_kit_dial_as(&k, 1, "02161234568");
	check(kit_until(&two->answered, 1, 3000));
	sip_call_end(two->call, 0, 16, NULL);
	call_kit_close(&k);
}

/* The centre is full, the engine refuses, the agent is on do not disturb and may not call outside, the first
 * trunk fails and the second one has all the calls it takes. */
static void a_call_for_help_goes_out_whatever_is_true(void)
{
	struct kit_call *ordinary, *help;
	char why[200];

	call_kit_open_with(&k, carrier);
	k.world->mood = KIT_ANSWER;
	ordinary = call_kit_dial_as(&k, 1, "02161234567");
	check(kit_until(&ordinary->answered, 1, 3000));
	check_int(desk_agent_set(&k.c, "1001", "dnd_on", NULL, why, sizeof(why)), 0);
	k.c.config->agents[0].outbound = false;
	k.c.config->calls_max = 1;
	k.engine->fail_leg_open = 100;
	k.world->refuse = 1;
	help = call_kit_dial_as(&k, 0, "120");
	check(kit_until(&help->answered, 1, 4000));
	check_int(k.world->calls, 3); /* the second one was refused */
	check_str(kit_last(k.world)->info.to_user, "120");
	check_str(kit_last(k.world)->info.from_user, "02155558001");
	check(call_kit_heard(&k, "emergency"));
	check(k.c.alarm_count > 0);
	check_str(k.c.alarms[k.c.alarm_count - 1].area, "emergency 1001");
	check(kit_until(&ordinary->closed, 1, 3000)); /* it made room */
	check_str(k.cause, "preempted");
	sip_call_end(help->call, 0, 16, NULL);
	check(call_kit_ended(&k, 2));
	check(!call_kit_alarm(&k, "emergency"));
	k.engine->fail_leg_open = 0;
	help = call_kit_dial(&k, "110"); /* not for the world */
	check(kit_until(&help->closed, 1, 3000));
	check(help->answered == 0);
	call_kit_close(&k);
}

/* A caller who needs help is transferred to it: by a trunk that the caller's own call has filled, and whatever the
 * prefixes of trunks. */
static void a_caller_is_transferred_to_help(void)
{
	struct kit_call *customer;
	struct call *call;
	char why[200];

	call_kit_open_with(&k, carrier);
	call_kit_ready(&k, "1001");
	customer = call_kit_into_sales(&k);
	check(call_kit_reaches(&k, CALL_TALKING));
	call = call_kit_newest(&k);
	k.world->mood = KIT_ANSWER;
	k.world->refuse = 1;
	check_int(transfer_call(call, "119", why, sizeof(why)), -ENOENT);
	check_int(transfer_call(call, "120", why, sizeof(why)), 0);
	check(call_kit_reaches(&k, CALL_TALKING));
	check_int(k.world->calls,
		  3); /* the caller's own, one that the first trunk refused, and this */
	check_str(kit_last(k.world)->info.to_user, "120");
	check(k.c.alarm_count > 0);
	check(strstr(k.c.alarms[k.c.alarm_count - 1].text, "is transferred to 120") != NULL);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	check(!call_kit_alarm(&k, "emergency"));
	call_kit_close(&k);
}

/* Nobody takes it: an ordinary call again, back in its queue. Then somebody does, and sees the number for help. */
static void help_that_is_refused_and_then_given(void)
{
	struct kit_call *customer;
	struct call *call;
	char why[200];

	call_kit_open_with(&k,
			   "trunks:\n  - {name: t, host: 127.0.0.1, port: @WORLD@, prefix: \"0\"}\n"
			   "emergency: {numbers: [\"110\"], caller_id: \"0219999\"}\n");
	call_kit_ready(&k, "1001");
	customer = call_kit_into_sales(&k);
	check(call_kit_reaches(&k, CALL_TALKING));
	call = call_kit_newest(&k);
	k.world->mood = KIT_ANSWER;
	k.world->refuse = 1;
	check_int(transfer_call(call, "110", why, sizeof(why)), 0);
	check(call_kit_reaches(&k, CALL_WAITING));
	check(!call->emergency && call->help[0] == '\0');
	check(!call_kit_alarm(&k, "emergency"));
	check_int(desk_agent_set(&k.c, "1001", "ready", NULL, why, sizeof(why)), 0);
	check(call_kit_reaches(&k, CALL_TALKING));
	check_int(transfer_call(call, "110", why, sizeof(why)), 0);
	check(call_kit_reaches(&k, CALL_TALKING));
	check(call->emergency);
	check_str(kit_last(k.world)->info.from_user, "0219999");
	check_str(call->caller_id, "");
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	call_kit_close(&k);
}

/* The agent stays in the call; nobody asks whether it may call outside. */
static void help_is_consulted(void)
{
	struct kit_call *customer;
	struct call *call;
	char why[200];

	call_kit_open_with(&k, carrier);
	call_kit_ready(&k, "1001");
	customer = call_kit_into_sales(&k);
	check(call_kit_reaches(&k, CALL_TALKING));
	call = call_kit_newest(&k);
	k.world->mood = KIT_ANSWER;
	k.world->refuse = 1;
	check_int(consult_start(call->agent, "120", why, sizeof(why)), 0);
	for (int i = 0; i < 300 && call->consult.state != CONSULT_TALKING; i++)
		kit_wait(10);
	check_int(call->consult.state, CONSULT_TALKING); /* the second trunk took it */
	check_str(kit_last(k.world)->info.to_user, "120");
	check(call->emergency);
	check(call_kit_alarm(&k, "emergency"));
	check_int(consult_cancel(call, why, sizeof(why)), 0);
	check(!call->emergency && call->help[0] == '\0');
	check(!call_kit_alarm(&k, "emergency"));

	check_int(consult_start(call->agent, "120", why, sizeof(why)), 0);
	for (int i = 0; i < 300 && call->consult.state != CONSULT_TALKING; i++)
		kit_wait(10);
	check_int(consult_complete(call, why, sizeof(why)), 0);
	check(call->emergency);
	check_str(call->agent->number, "120");
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	check(!call_kit_alarm(&k, "emergency"));
	call_kit_close(&k);
}

static const struct check_case cases[] = {
	CHECK_CASE(an_agent_calls_outside_with_its_queues_number),
	CHECK_CASE(a_trunk_takes_so_many_calls),
	CHECK_CASE(a_call_for_help_goes_out_whatever_is_true),
	CHECK_CASE(a_caller_is_transferred_to_help),
	CHECK_CASE(help_that_is_refused_and_then_given),
	CHECK_CASE(help_is_consulted),
};

int main(void)
{
	log_setup("test", getenv("LOUD") ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN);
	return check_run(cases, sizeof(cases) / sizeof(cases[0]));
}
