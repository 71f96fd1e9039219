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
	customer = call_kit_into_sales(&k);
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
	customer = call_kit_into_sales(&k);
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
	customer = call_kit_into_sales(&k);
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
	customer = call_kit_into_sales(&k);
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
	customer = call_kit_into_sales(&k);
	check(call_kit_reaches(&k, CALL_WAITING));
	kit_wait(50);
	check_int(k.phone[0]->calls, 1); /* its own */
	call = call_kit_dial_as(&k, 0, "*79");
	check(call_kit_agent_is(&k, 0, "talking"));
	check(kit_until(&call->closed, 1, 3000));
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static const char parking[] = "parking: {first: \"701\", places: 2, timeout_s: 5, ringbacks: 2}\n";

/* A customer who talks with 1001 of `sales`. */
static struct kit_call *talk(void)
{
	struct kit_call *customer;

	call_kit_ready(&k, "1001");
	customer = call_kit_into_sales(&k);
	check(call_kit_reaches(&k, CALL_TALKING));
	check(kit_until(&kit_last(k.phone[0])->answered, 1, 1000));
	return customer;
}

static void refer(struct kit_call *phone, const char *to)
{
	char uri[96];

	snprintf(uri, sizeof(uri), "sip:%s@127.0.0.1:%u", to, sip_stack_port(k.c.sip, 0));
	check_int(sip_call_transfer(phone->call, uri), 0);
}

static void a_caller_is_parked_and_a_colleague_talks_on(void)
{
	struct kit_call *customer, *agent, *other;
	struct call *call;
	json_t *rows;

	call_kit_open_with(&k, parking);
	customer = talk();
	agent = kit_last(k.phone[0]);
	refer(agent, "*68");
	check(kit_until(&agent->closed, 1, 2000));
	check(call_kit_reaches(&k, CALL_PARKED));
	call = call_kit_newest(&k);
	check(call_kit_agent_is(&k, 0, "wrap_up"));
	kit_wait(50);
	check_str(engine_kit_playing(k.engine, call->customer->leg), "music/default");
	rows = centre_parked(&k.c);
	check_int(json_array_size(rows), 1);
	check_str(json_string_value(json_object_get(json_array_get(rows, 0), "slot")), "701");
	check_str(json_string_value(json_object_get(json_array_get(rows, 0), "by")), "1001");
	json_decref(rows);
	other = call_kit_dial_as(&k, 1, "702"); /* nobody there */
	check(kit_until(&other->closed, 1, 3000));
	check_int(call->state, CALL_PARKED);
	other = call_kit_dial_as(&k, 1, "701");
	check(kit_until(&other->answered, 1, 2000));
	while (call->state != CALL_TALKING)
		kit_wait(10);
	check_str(call->agent->number, "1002");
	check_str(k.agent_state[1], "other");
	kit_wait(30);
	check_str(engine_kit_playing(k.engine, call->customer->leg), "");
	check_int(k.engine->hear_count, 2);
	check_int(call->record.agent_count, 2);
	check(has_step(call, CALL_STEP_PARK) && has_step(call, CALL_STEP_UNPARK));
	sip_call_end(other->call, 0, 16, NULL);
	check(kit_until(&customer->closed, 1, 2000));
	check_str(k.by, "agent");
	check(call_kit_agent_is(&k, 1, "signed_out"));
	call_kit_close(&k);
}

static void who_parked_a_caller_is_rung_after_a_while(void)
{
	struct kit_call *customer;
	struct call *call;

	call_kit_open_with(&k, parking);
	k.c.config->parking.timeout_s = 1;
	customer = talk();
	call = call_kit_newest(&k);
	k.phone[0]->mood = KIT_BUSY;
	refer(kit_last(k.phone[0]), "702");
	check(call_kit_reaches(&k, CALL_PARKED));
	k.c.config->parking.ringbacks = 9;
	for (int i = 0; i < 400 && call->park.ringbacks == 0; i++)
		kit_wait(10);
	check(call_kit_reaches(&k, CALL_PARKED)); /* busy: back into the place */
	check_int(call->park.place, 1);
	k.phone[0]->mood = KIT_ANSWER;
	check(call_kit_reaches(&k, CALL_TALKING));
	check_str(call->agent->number, "1001");
	check_int(call->park.place, -1);
	check(call->park.ringbacks >= 2);
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void who_is_parked_for_too_long_goes_back_to_its_queue(void)
{
	struct kit_call *customer;
	char why[200];

	call_kit_open_with(&k, parking);
	k.c.config->parking.timeout_s = 1;
	customer = talk();
	k.phone[0]->mood = KIT_BUSY;
	check_int(centre_unpark(&k.c, "701", "1002", why, sizeof(why)), -ENOENT);
	refer(kit_last(k.phone[0]), "*68");
	check(call_kit_reaches(&k, CALL_PARKED));
	check_int(desk_agent_set(&k.c, "1001", "sign_out", NULL, why, sizeof(why)), 0);
	check(call_kit_reaches(&k, CALL_WAITING));
	check_str(call_kit_newest(&k)->record.queue, "sales");
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	check_str(k.cause, "abandoned");
	call_kit_close(&k);
}

static void an_agent_parks_by_keys_and_hears_the_place(void)
{
	struct kit_call *customer, *agent;
	struct call *call;
	char number[32], why[200];

	call_kit_open_with(&k, parking);
	customer = talk();
	call = call_kit_newest(&k);
	agent = kit_last(k.phone[0]);
	for (const char *key = "1**68"; *key != '\0'; key++)
		engine_kit_event(k.engine, "dtmf",
				 json_pack("{s:s,s:s,s:s%}", "call", call->id, "leg",
					   call->agent ? call->agent->leg : "", "digit", key,
					   (size_t)1));
	check(call_kit_reaches(&k, CALL_PARKED));
	check(kit_until(&agent->closed, 1, 2000));
	check(engine_kit_was(k.engine, "play.start zh/agent/parked"));
	check_int(centre_park(&k.c, call, NULL, number, sizeof(number), why, sizeof(why)), -EBUSY);
	check_int(centre_unpark(&k.c, "701", "1002", why, sizeof(why)), 0);
	check(call_kit_reaches(&k, CALL_TALKING));
	check_str(call->agent->number, "1002");
	check_int(centre_park(&k.c, call, "703", number, sizeof(number), why, sizeof(why)),
		  -ENOENT);
	check_int(centre_park(&k.c, call, "702", number, sizeof(number), why, sizeof(why)), 0);
	check_str(number, "702");
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	check_str(k.by, "customer");
	check_str(k.cause, "normal");
	call_kit_close(&k);
}

static void a_parked_caller_survives_the_engine(void)
{
	struct kit_call *customer;
	char path[108];

	call_kit_open_with(&k, parking);
	customer = talk();
	refer(kit_last(k.phone[0]), "*68");
	check(call_kit_reaches(&k, CALL_PARKED));
	kit_wait(50);
	memcpy(path, k.engine->path, sizeof(path));
	engine_kit_close(k.engine);
	kit_wait(50);
	check_int(engine_kit_open(k.engine, path), 0);
	check(kit_until(&customer->media, 1, 4000));
	kit_wait(100);
	check_int(call_kit_newest(&k)->state, CALL_PARKED);
	check_str(engine_kit_playing(k.engine, call_kit_newest(&k)->customer->leg),
		  "music/default");
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void a_phone_that_rings_is_picked_up_within_the_group(void)
{
	struct kit_call *customer, *other, *first;

	call_kit_open(&k);
	k.phone[0]->mood = KIT_RING;
	call_kit_ready(&k, "1001");
	customer = call_kit_into_sales(&k);
	while (k.phone[0]->calls == 0)
		kit_wait(10);
	first = kit_last(k.phone[0]);
	other = call_kit_dial_as(&k, 1, "*66"); /* signed out: no calls of queues */
	check(kit_until(&other->closed, 1, 3000));
	call_kit_ready(&k, "1003");
	other = call_kit_dial_as(&k, 2, "*661001"); /* of no group */
	check(kit_until(&other->closed, 1, 3000));
	check(first->closed == 0);
	call_kit_ready(&k, "1002");
	other = call_kit_dial_as(&k, 1, "*66");
	check(kit_until(&other->answered, 1, 2000));
	check(kit_until(&first->closed, 1, 2000));
	check(call_kit_agent_is(&k, 1, "talking"));
	check(call_kit_agent_is(&k, 0, "ready"));
	sip_call_end(customer->call, 0, 16, NULL);
	check(kit_until(&other->closed, 1, 2000));
	check(call_kit_agent_is(&k, 1, "ready")); /* after the queue's wrap-up */
	call_kit_close(&k);
}

static void a_colleagues_own_call_is_picked_up(void)
{
	struct kit_call *caller, *first, *other;

	call_kit_open(&k);
	k.phone[0]->mood = KIT_RING;
	caller = call_kit_dial_as(&k, 2, "1001");
	while (k.phone[0]->calls == 0)
		kit_wait(10);
	first = kit_last(k.phone[0]);
	other = call_kit_dial_as(&k, 1, "*661001");
	check(kit_until(&other->answered, 1, 2000));
	check(kit_until(&first->closed, 1, 2000));
	check(kit_until(&caller->answered, 1, 2000));
	check(call_kit_reaches(&k, CALL_TALKING));
	check_str(call_kit_newest(&k)->agent->number, "1002");
	check(has_step(call_kit_newest(&k), CALL_STEP_PICK_UP));
	check_str(k.agent_state[1], "other");
	sip_call_end(caller->call, 0, 16, NULL);
	check(call_kit_agent_is(&k, 1, "signed_out"));
	call_kit_close(&k);
}

/* Whoever is quicker has it, and the other is let go. */
static void a_pick_up_that_comes_too_late(void)
{
	call_kit_open(&k);
	call_kit_ready(&k, "1001");
	call_kit_ready(&k, "1002");
	check_int(centre_agent_queue(&k.c, "1002", "service", 0, (char[200]){0}, 200), 0);
	for (unsigned ms = 0; ms < 60; ms += 6) {
		struct kit_call *customer, *other;
		unsigned ended = k.ended;

		k.phone[0]->mood = KIT_RING;
		customer = call_kit_into_sales(&k);
		k.phone[0]->calls = 0;
		while (k.phone[0]->calls == 0)
			kit_wait(2);
		other = call_kit_dial_as(&k, 1, "*66");
		kit_wait(ms);
		if (kit_last(k.phone[0])->closed == 0)
			(void)sip_call_answer(kit_last(k.phone[0])->call, &k.phone[0]->local);
		kit_wait(60);
		sip_call_end(customer->call, 0, 16, NULL);
		check(kit_until(&other->closed, 1, 3000));
		check(kit_until(&kit_last(k.phone[0])->closed, 1, 3000));
		check(call_kit_empty(&k));
		check(k.ended > ended);
		kit_wait(1100); /* wrap-up */
	}
	call_kit_close(&k);
}

static uint64_t used_s(const char *agent, unsigned line)
{
	int index = acd_agent_find(k.c.acd, agent);
	uint64_t now_ms = clock_wall_ms();

	return budget_used_ms(&k.c.desks[index].budget, k.c.config, line, &k.c.away.today, now_ms) /
	       1000;
}

static void a_break_has_a_budget(void)
{
	struct kit_call *call;
	char why[200];
	json_t *row, *away;

	call_kit_open_with(&k, "time_zone: \"+08:00\"\n");
	k.c.config->shift_min = 1;
	k.c.config->reasons[0].budget = (struct config_budget){.share = 167, .refuse = true};
	check_int(desk_agent_set(&k.c, "1001", "sign_in", NULL, why, sizeof(why)), 0);
	check_int(desk_agent_set(&k.c, "1001", "not_ready", "break", why, sizeof(why)), 0);
	for (int i = 0; i < 400 && !call_kit_heard(&k, "agent.budget"); i++)
		kit_wait(10);
	check(call_kit_heard(&k, "agent.budget"));
	check(used_s("1001", 1) >= 1);
	check_int(desk_agent_set(&k.c, "1001", "ready", NULL, why, sizeof(why)), 0);
	check_int(desk_agent_set(&k.c, "1001", "not_ready", "break", why, sizeof(why)), -EPERM);
	check(strstr(why, "0 min 1 s of \"break\"") != NULL);
	call = call_kit_dial_as(&k, 0, "*641");
	check(kit_until(&call->closed, 1, 3000));
	check_str(k.agent_state[0], "ready");
	check_int(desk_agent_set(&k.c, "1001", "not_ready", NULL, why, sizeof(why)), 0);
	row = view_agent_row(&k.c, acd_agent_find(k.c.acd, "1001"));
	away = json_object_get(row, "away");
	check(json_array_size(away) >= 2); /* break, total, perhaps a moment without a reason */
	for (size_t i = 0; i < json_array_size(away); i++) {
		const json_t *line = json_array_get(away, i);

		if (strcmp(json_string_value(json_object_get(line, "reason")), "break") == 0)
			check_int(json_integer_value(json_object_get(line, "budget_ms")), 1000);
	}
	json_decref(row);
	call_kit_close(&k);
}

static bool restored(void *arg)
{
	(void)arg;
	if (k.c.store != NULL)
		store_dispatch(k.c.store);
	return used_s("1001", 1) > 0;
}

/* What an earlier program had written, from yesterday evening on. */
static void a_restart_forgets_no_break(void)
{
	uint64_t now_ms = clock_wall_ms(), midnight_ms;
	struct store *store;
	char path[128], more[140], why[200];
	struct local_time t;

	call_kit_open_with(&k, "time_zone: \"+08:00\"\n");
	t = centre_local(&k.c, now_ms);
	midnight_ms = now_ms - now_ms % 1000 -
		      ((t.hour * 60u + t.minute) * 60u + t.second) * UINT64_C(1000);
	if (now_ms - midnight_ms < 300000) { /* not in the first minutes of a day */
		call_kit_close(&k);
		return;
	}
	snprintf(path, sizeof(path), "%s/t.db", k.dir);
	check_int(store_open(&store, path, why, sizeof(why)), 0);
	store_agent_state(store, "1001", midnight_ms - 600000, "not_ready", "break", NULL);
	store_agent_state(store, "1001", midnight_ms + 20000, "ready", "", NULL);
	store_agent_state(store, "1001", midnight_ms + 30000, "not_ready", "break", NULL);
	store_agent_state(store, "1001", midnight_ms + 60000, "signed_out", "", NULL);
	store_agent_state(store, "1002", midnight_ms + 30000, "not_ready", "no_answer", NULL);
	check_int(store_close(store, 3000), 0);
	check_int(store_open(&k.c.store, path, why, sizeof(why)), 0);
	k.c.started_ms = midnight_ms + 90000;
	k.c.away.asked = false;
	check(kit_run(restored, NULL, 5000));
	check_int(used_s("1001", 1), 50);
	check_int(used_s("1002", BUDGET_OTHERS), 60);
	store_close(k.c.store, 3000);
	k.c.store = NULL;
	remove(path);
	snprintf(more, sizeof(more), "%s-wal", path);
	remove(more);
	snprintf(more, sizeof(more), "%s-shm", path);
	remove(more);
	call_kit_close(&k);
}

static const struct check_case cases[] = {
	CHECK_CASE(a_break_has_a_budget),
	CHECK_CASE(a_restart_forgets_no_break),
	CHECK_CASE(a_caller_is_parked_and_a_colleague_talks_on),
	CHECK_CASE(who_parked_a_caller_is_rung_after_a_while),
	CHECK_CASE(who_is_parked_for_too_long_goes_back_to_its_queue),
	CHECK_CASE(an_agent_parks_by_keys_and_hears_the_place),
	CHECK_CASE(a_parked_caller_survives_the_engine),
	CHECK_CASE(a_phone_that_rings_is_picked_up_within_the_group),
	CHECK_CASE(a_colleagues_own_call_is_picked_up),
	CHECK_CASE(a_pick_up_that_comes_too_late),
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
