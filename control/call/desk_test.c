/* SPDX-License-Identifier: Apache-2.0
 *
 * Stories of what agents and their phones do: offers that nobody is to blame for, do not disturb. Calls go
 * through the whole daemon, as in centre_test.c.
 */
#include "call/call_kit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "check.h"

static struct call_kit k;

static struct kit_call *into_sales(void)
{
	struct kit_call *customer;

	strcpy(k.engine->digits, "1");
	customer = call_kit_dial(&k, "95598");
	check(customer != NULL);
	return customer;
}

static bool has_step(const struct call *call, enum call_step step)
{
	for (unsigned i = 0; i < call->step_count; i++)
		if (call->steps[i].step == step)
			return true;
	return false;
}

static void an_engine_without_room_makes_no_agent_unready(void)
{
	struct kit_call *customer;
	struct acd_agent_view v;

	call_kit_open(&k);
	customer = into_sales();
	check(call_kit_reaches(&k, CALL_WAITING));
	k.engine->fail_leg_open = 1; /* the agent's leg */
	call_kit_ready(&k, "1001");
	kit_wait(100);
	check_str(k.agent_state[0], "ready");
	check(has_step(call_kit_newest(&k), CALL_STEP_OFFER_VOID));
	check(call_kit_reaches(&k, CALL_TALKING)); /* a second later */
	check(acd_agent_view(k.c.acd, acd_agent_find(k.c.acd, "1001"), &v));
	check_int(v.missed, 0);
	check_int(v.rejected, 0);
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void nothing_is_offered_while_the_engine_is_away(void)
{
	struct kit_call *customer;
	char path[108];

	call_kit_open(&k);
	customer = into_sales();
	check(call_kit_reaches(&k, CALL_WAITING));
	memcpy(path, k.engine->path, sizeof(path));
	engine_kit_close(k.engine);
	while (engine_is_up(k.c.engine))
		kit_wait(10);
	call_kit_ready(&k, "1001");
	kit_wait(100);
	check_str(k.agent_state[0], "ready");
	check_int(call_kit_newest(&k)->state, CALL_WAITING);
	check_int(k.phone[0]->calls, 0);
	check_int(engine_kit_open(k.engine, path), 0);
	check(call_kit_reaches(&k, CALL_TALKING));
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

/* The engine goes in the moment in which the agent's leg is asked for. */
static void an_offer_in_the_air_when_the_engine_goes_is_void(void)
{
	struct kit_call *customer;
	char path[108];

	call_kit_open(&k);
	customer = into_sales();
	check(call_kit_reaches(&k, CALL_WAITING));
	memcpy(path, k.engine->path, sizeof(path));
	call_kit_ready(&k, "1001");
	check_int(call_kit_newest(&k)->state, CALL_OFFERING);
	engine_kit_close(k.engine);
	kit_wait(50);
	check_str(k.agent_state[0], "ready");
	check_int(engine_kit_open(k.engine, path), 0);
	check(call_kit_reaches(&k, CALL_TALKING));
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void a_phone_that_says_do_not_disturb_is_left_alone(void)
{
	struct kit_call *customer, *colleague;
	struct acd_agent_view v;
	char why[200];

	call_kit_open(&k);
	k.phone[0]->mood = KIT_DND;
	call_kit_ready(&k, "1001");
	customer = into_sales();
	check(call_kit_agent_is(&k, 0, "not_ready"));
	check(acd_agent_view(k.c.acd, acd_agent_find(k.c.acd, "1001"), &v));
	check(v.dnd);
	check_str(desk_reason_name(&k.c, v.agent.reason), "dnd");
	check_int(v.rejected, 0);
	check(call_kit_reaches(&k, CALL_WAITING));
	kit_wait(100);
	check_int(k.phone[0]->calls, 1);
	/* A colleague hears busy at once; the phone does not ring. */
	k.phone[0]->mood = KIT_ANSWER;
	colleague = call_kit_dial_as(&k, 1, "1001");
	check(kit_until(&colleague->closed, 1, 2000));
	check_int(colleague->status, 486);
	check_int(k.phone[0]->calls, 1);
	check_int(desk_agent_set(&k.c, "1001", "dnd_off", NULL, why, sizeof(why)), 0);
	check(call_kit_agent_is(&k, 0, "talking")); /* ready as before, and offered the caller */
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void do_not_disturb_by_code(void)
{
	struct kit_call *call, *customer;

	call_kit_open(&k);
	call_kit_ready(&k, "1001");
	call = call_kit_dial_as(&k, 0, "*78");
	check(kit_until(&call->closed, 1, 3000));
	check_int(call->answered, 1);
	check_str(k.agent_state[0], "not_ready");
	customer = into_sales();
	check(call_kit_reaches(&k, CALL_WAITING));
	kit_wait(50);
	check_int(k.phone[0]->calls, 1); /* its own */
	call = call_kit_dial_as(&k, 0, "*79");
	check(call_kit_agent_is(&k, 0, "talking"));
	check(kit_until(&call->closed, 1, 3000));
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static const struct check_case cases[] = {
	CHECK_CASE(an_engine_without_room_makes_no_agent_unready),
	CHECK_CASE(nothing_is_offered_while_the_engine_is_away),
	CHECK_CASE(an_offer_in_the_air_when_the_engine_goes_is_void),
	CHECK_CASE(a_phone_that_says_do_not_disturb_is_left_alone),
	CHECK_CASE(do_not_disturb_by_code),
};

int main(void)
{
	log_setup("test", getenv("LOUD") ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN);
	return check_run(cases, sizeof(cases) / sizeof(cases[0]));
}
