/* SPDX-License-Identifier: Apache-2.0
 *
 * Agents who work at a number outside: a key confirms, or the line stays up. Calls go through the whole daemon, as in
 * centre_test.c.
 */
#include "call/call_kit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "check.h"

static struct call_kit k;

static const char mobile[] =
	"trunks:\n  - {name: t, host: 127.0.0.1, port: @WORLD@, prefix: \"0\"}\n";

/* 1003 works at its mobile, whose phone is not registered here. */
static void sign_in_outside(void)
{
	char why[200];

	mem_deref(k.reg[2]);
	k.reg[2] = NULL;
	kit_wait(100);
	check_int(centre_sign_in_at(&k.c, "1003", "", why, sizeof(why)), 0);
	check_int(desk_agent_set(&k.c, "1003", "ready", NULL, why, sizeof(why)), 0);
}

static void a_remote_agent_confirms_with_a_key(void)
{
	struct kit_call *customer, *phone;
	struct call *call;
	char why[200];

	call_kit_open_with(&k, mobile);
	check_int(centre_sign_in_at(&k.c, "1001", "", why, sizeof(why)), -EPERM);
	check(strstr(why, "may not work at an outside number") != NULL);
	check_int(centre_sign_in_at(&k.c, "1003", "013899999999", why, sizeof(why)), -EPERM);
	check(strstr(why, "may not choose") != NULL);
	check_int(centre_sign_in_at(&k.c, "1099", "", why, sizeof(why)), -ENOENT);
	sign_in_outside();
	check(call_kit_heard(&k, "agent.remote"));
	k.world->mood = KIT_ANSWER;
	customer = call_kit_into_sales(&k);
	strcat(k.engine->digits, ",1"); /* typed at the mobile */
	check(call_kit_reaches(&k, CALL_TALKING));
	call = call_kit_newest(&k);
	check_str(call->agent->number, "1003");
	check_str(call->agent->at, "013800000003");
	phone = kit_last(k.world);
	check_str(phone->info.to_user, "013800000003");
	check(engine_kit_was(k.engine, "play.start zh/agent/confirm"));
	check_str(call->record.agents[0], "1003");
	check(call_kit_agent_is(&k, 2, "talking"));
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_agent_is(&k, 2, "ready"));
	check_int(desk_agent_set(&k.c, "1003", "sign_out", NULL, why, sizeof(why)), 0);
	check_str(k.c.desks[acd_agent_find(k.c.acd, "1003")].remote, "");
	call_kit_close(&k);
}

static void an_answering_machine_gets_no_caller(void)
{
	struct kit_call *customer;
	struct acd_agent_view v;

	call_kit_open_with(&k, mobile);
	sign_in_outside();
	k.world->mood = KIT_ANSWER;
	customer = call_kit_into_sales(&k); /* nobody types anything at the mobile */
	check(call_kit_agent_is(&k, 2, "not_ready"));
	check(acd_agent_view(k.c.acd, acd_agent_find(k.c.acd, "1003"), &v));
	check_str(desk_reason_name(&k.c, v.agent.reason), "no_answer");
	check_int(v.missed, 1);
	check(call_kit_reaches(&k, CALL_WAITING));
	check(call_kit_newest(&k)->record.answered_ms == 0);
	call_kit_ready(&k, "1001");
	check(call_kit_reaches(&k, CALL_TALKING)); /* the caller kept its place */
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void a_mobile_that_is_not_answered_or_busy(void)
{
	struct kit_call *customer;
	struct acd_agent_view v;
	char why[200];

	call_kit_open_with(&k, mobile);
	sign_in_outside();
	k.world->mood = KIT_RING;
	customer = call_kit_into_sales(&k);
	check(call_kit_agent_is(&k, 2, "not_ready")); /* after the queue's ring time */
	k.world->mood = KIT_BUSY;
	check_int(desk_agent_set(&k.c, "1003", "ready", NULL, why, sizeof(why)), 0);
	for (int i = 0; i < 300; i++) {
		check(acd_agent_view(k.c.acd, acd_agent_find(k.c.acd, "1003"), &v));
		if (v.rejected > 0)
			break;
		kit_wait(10);
	}
	check_int(v.rejected, 1);
	check_int(v.missed, 1);
	check(call_kit_reaches(&k, CALL_WAITING));
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void a_remote_agent_is_consulted(void)
{
	struct kit_call *customer;
	struct call *call;
	const char *state;
	char why[200];

	call_kit_open_with(&k, mobile);
	call_kit_ready(&k, "1001");
	customer = call_kit_into_sales(&k);
	check(call_kit_reaches(&k, CALL_TALKING));
	kit_wait(30);
	call = call_kit_newest(&k);
	sign_in_outside();
	k.world->mood = KIT_ANSWER;
	strcpy(k.engine->digits, "7"); /* not the key: back to the customer */
	check_int(centre_consult(&k.c, call, "start", "1003", NULL, &state, why, sizeof(why)), 0);
	kit_wait(300);
	check_int(call->consult.state, CONSULT_NONE);
	check_int(call->state, CALL_TALKING);
	check(call_kit_agent_is(&k, 2, "ready"));
	strcpy(k.engine->digits, "1");
	check_int(centre_consult(&k.c, call, "start", "1003", NULL, &state, why, sizeof(why)), 0);
	kit_wait(300);
	check_int(call->consult.state, CONSULT_TALKING);
	check_str(kit_last(k.world)->info.to_user, "013800000003");
	check_int(centre_consult(&k.c, call, "complete", NULL, NULL, &state, why, sizeof(why)), 0);
	check(call_kit_reaches(&k, CALL_TALKING));
	check_str(call->agent->number, "1003");
	check(call_kit_agent_is(&k, 2, "talking"));
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void a_colleague_reaches_a_remote_agent_by_its_number(void)
{
	struct kit_call *caller;

	call_kit_open_with(&k, mobile);
	sign_in_outside();
	k.world->mood = KIT_ANSWER;
	strcpy(k.engine->digits, "1");
	caller = call_kit_dial_as(&k, 0, "1003");
	check(kit_until(&caller->answered, 1, 3000));
	check_str(kit_last(k.world)->info.to_user, "013800000003");
	check_str(k.agent_state[2], "other");
	sip_call_end(caller->call, 0, 16, NULL);
	check(call_kit_empty(&k));
	strcpy(k.engine->digits, "7"); /* not the key */
	caller = call_kit_dial_as(&k, 0, "1003");
	check(kit_until(&caller->closed, 1, 3000));
	check(caller->answered == 0);
	call_kit_close(&k);
}

static bool reachable(void *arg)
{
	struct acd_agent_view v;

	(void)arg;
	centre_check(&k.c);
	return acd_agent_view(k.c.acd, acd_agent_find(k.c.acd, "1003"), &v) && v.reachable;
}

static bool unreachable(void *arg)
{
	return !reachable(arg);
}

/* A call of a kind that is not over. */
struct wanted {
	enum call_kind kind;
	struct call *found;
};

static void is_of_kind(struct call *call, void *arg)
{
	struct wanted *n = arg;

	if (call->record.kind == n->kind && call->state != CALL_ENDING)
		n->found = call;
}

static struct call *running(enum call_kind kind)
{
	struct wanted n = {.kind = kind};

	call_each(&k.c, is_of_kind, &n);
	return n.found;
}

static bool customer_talks(void *arg)
{
	const struct call *call = running(CALL_IN);

	(void)arg;
	centre_check(&k.c);
	return call != NULL && call->state == CALL_TALKING;
}

static bool line_is_back(void *arg)
{
	const struct call *line = running(CALL_REMOTE);

	(void)arg;
	centre_check(&k.c);
	return line != NULL && line->customer->sip != NULL &&
	       line->customer->play_use == PLAY_MUSIC;
}

static void a_nailed_up_line_serves_several_calls(void)
{
	struct kit_call *customer, *phone;
	char why[200];

	call_kit_open_with(&k, mobile);
	k.c.config->agents[2].remote.nailed_up = true;
	k.world->mood = KIT_ANSWER;
	strcpy(k.engine->digits, "1"); /* typed at the mobile */
	mem_deref(k.reg[2]);
	k.reg[2] = NULL;
	kit_wait(100);
	check_int(centre_sign_in_at(&k.c, "1003", "", why, sizeof(why)), 0);
	check(!reachable(NULL)); /* until the key */
	check(kit_run(reachable, NULL, 3000));
	phone = kit_last(k.world);
	check_int(k.world->calls, 1);
	check_int(desk_agent_set(&k.c, "1003", "ready", NULL, why, sizeof(why)), 0);
	for (unsigned i = 0; i < 3; i++) {
		unsigned media = phone->media;

		customer = call_kit_into_sales(&k);
		check(kit_run(customer_talks, NULL, 7000));
		check_str(running(CALL_IN)->agent->number, "1003");
		check(phone->closed == 0);
		check(kit_until(&phone->media, media + 1, 2000)); /* told another leg */
		kit_wait(50);
		check_int(k.engine->hear_count, 2);
		check(engine_kit_was(k.engine, "play.start beep"));
		check_int(engine_kit_legs(k.engine), 3); /* customer, agent, and the idle line's */
		sip_call_end(customer->call, 0, 16, NULL);
		check(call_kit_ended(&k, i + 1));
		check(kit_run(line_is_back, NULL, 3000));
		check(call_kit_agent_is(&k, 2, "ready"));
		check(phone->closed == 0);
	}
	/* The agent hangs up in mid-call: caller and line are let go. */
	customer = call_kit_into_sales(&k);
	check(kit_run(customer_talks, NULL, 7000));
	kit_wait(100);
	sip_call_end(phone->call, 0, 16, NULL);
	check(kit_run(unreachable, NULL, 3000));
	check(kit_until(&customer->closed, 1, 5000));
	check(call_kit_agent_is(&k, 2, "not_ready"));
	check(running(CALL_REMOTE) == NULL);
	/* Ready again: rung again; signed out: let go. */
	strcpy(k.engine->digits, "1");
	check_int(desk_agent_set(&k.c, "1003", "ready", NULL, why, sizeof(why)), 0);
	check(kit_run(reachable, NULL, 3000));
	check_int(desk_agent_set(&k.c, "1003", "sign_out", NULL, why, sizeof(why)), 0);
	check(kit_until(&kit_last(k.world)->closed, 1, 2000));
	call_kit_close(&k);
}

static void a_line_that_is_not_confirmed_gets_no_calls(void)
{
	struct acd_agent_view v;
	char why[200];

	call_kit_open_with(&k, mobile);
	k.c.config->agents[2].remote.nailed_up = true;
	k.world->mood = KIT_ANSWER;
	mem_deref(k.reg[2]);
	k.reg[2] = NULL;
	kit_wait(100);
	check_int(centre_sign_in_at(&k.c, "1003", "", why, sizeof(why)), 0);
	check(call_kit_ended(&k, 1));
	check(!reachable(NULL));
	check(acd_agent_view(k.c.acd, acd_agent_find(k.c.acd, "1003"), &v));
	check_str(desk_reason_name(&k.c, v.agent.reason), "unreachable");
	call_kit_close(&k);
}

static void a_killed_daemon_knows_who_works_where(void)
{
	struct kit_call *customer, *help;
	struct acd_agent_view v;
	char why[200];

	call_kit_open_stored(
		&k, "trunks:\n  - {name: t, host: 127.0.0.1, port: @WORLD@, prefix: \"0\"}\n"
		    "emergency: {numbers: [\"110\"]}\n");
	sign_in_outside();
	call_kit_ready(&k, "1001");
	check_int(desk_agent_set(&k.c, "1001", "dnd_on", NULL, why, sizeof(why)), 0);
	k.world->mood = KIT_ANSWER;
	help = call_kit_dial_as(&k, 1, "110");
	check(kit_until(&help->answered, 1, 3000));
	kit_wait(100);
	call_kit_kill(&k);
	call_kit_begin(&k);
	kit_wait(100);
	check(acd_agent_view(k.c.acd, acd_agent_find(k.c.acd, "1001"), &v));
	check(v.dnd);
	check_int(desk_agent_set(&k.c, "1001", "dnd_off", NULL, why, sizeof(why)), 0);
	check(acd_agent_view(k.c.acd, acd_agent_find(k.c.acd, "1001"), &v));
	check_str(agent_state_name(v.agent.state), "ready"); /* as it was without */
	check_int(desk_agent_set(&k.c, "1001", "sign_out", NULL, why, sizeof(why)), 0);
	check(call_kit_alarm(&k, "emergency 1002"));
	sip_call_end(help->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	check(!call_kit_alarm(&k, "emergency 1002"));
	check(reachable(NULL));
	customer = call_kit_into_sales(&k);
	strcat(k.engine->digits, ",1");
	check(call_kit_reaches(&k, CALL_TALKING));
	check_str(call_kit_newest(&k)->agent->at, "013800000003");
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 2));
	call_kit_close(&k);
}

static const struct check_case cases[] = {
	CHECK_CASE(a_killed_daemon_knows_who_works_where),
	CHECK_CASE(a_nailed_up_line_serves_several_calls),
	CHECK_CASE(a_line_that_is_not_confirmed_gets_no_calls),
	CHECK_CASE(a_remote_agent_confirms_with_a_key),
	CHECK_CASE(an_answering_machine_gets_no_caller),
	CHECK_CASE(a_mobile_that_is_not_answered_or_busy),
	CHECK_CASE(a_remote_agent_is_consulted),
	CHECK_CASE(a_colleague_reaches_a_remote_agent_by_its_number),
};

int main(void)
{
	log_setup("test", getenv("LOUD") ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN);
	return check_run(cases, sizeof(cases) / sizeof(cases[0]));
}
