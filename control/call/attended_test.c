/* SPDX-License-Identifier: Apache-2.0
 *
 * Attended transfer as phones do it: REFER with Replaces inside a dialog with us, INVITE with Replaces;
 * well-formed, hostile, and when somebody hangs up in the middle of it.
 */
#include "call/call_kit.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "check.h"

static struct call_kit k;

/* A customer who talks with 1001 of `sales`; returned with the agent's side in *agent. */
static struct kit_call *talk(struct kit_call **agent)
{
	struct kit_call *customer;

	call_kit_ready(&k, "1001");
	strcpy(k.engine->digits, "1");
	customer = call_kit_dial(&k, "95598");
	check(customer != NULL);
	check(call_kit_reaches(&k, CALL_TALKING));
	*agent = kit_last(k.phone[0]);
	check(kit_until(&(*agent)->answered, 1, 1000));
	kit_wait(30);
	return customer;
}

/* 1001 asks `number` on its second line. */
static struct kit_call *ask(const char *number, enum call_state reaches)
{
	uint32_t calls = k.c.calls_now;
	struct kit_call *second = call_kit_dial_as(&k, 0, number);

	check(second != NULL);
	while (k.c.calls_now == calls)
		kit_wait(5);
	check(call_kit_reaches(&k, reaches));
	kit_wait(30);
	return second;
}

/* 1001 asks on `first` to be replaced by what is at the far end of `second`. */
static void refer(struct kit_call *first, const struct kit_call *second, bool swapped)
{
	char uri[512], dialog[256];

	kit_replaces(second, true, swapped, dialog, sizeof(dialog));
	snprintf(uri, sizeof(uri), "sip:1002@127.0.0.1:%u?Replaces=%s", sip_stack_port(k.c.sip, 0),
		 dialog);
	check_int(sip_call_transfer(first->call, uri), 0);
}

static void oldest(struct call *call, void *arg)
{
	struct call **best = arg;

	if (*best == NULL || call->number < (*best)->number)
		*best = call;
}

static struct call *first_call(void)
{
	struct call *best = NULL;

	call_each(&k.c, oldest, &best);
	return best;
}

static bool one_talks(void *arg)
{
	struct call *call = call_kit_newest(&k);

	(void)arg;
	centre_check(&k.c);
	return k.c.calls_now == 1 && call != NULL && call->state == CALL_TALKING;
}

static bool has_step(const struct call *call, enum call_step step, const char *words)
{
	for (unsigned i = 0; i < call->step_count; i++)
		if (call->steps[i].step == step && strstr(call->steps[i].detail, words) != NULL)
			return true;
	return false;
}

static void the_customer_talks_with_who_was_asked(void)
{
	struct kit_call *customer, *agent, *second;
	struct call *call;
	char asked[CLOCK_UUID_SIZE], take[CLOCK_UUID_SIZE];

	call_kit_open(&k);
	customer = talk(&agent);
	call = first_call();
	memcpy(take, call->take[0].id, sizeof(take));
	call_kit_ready(&k, "1002");
	second = ask("1002", CALL_TALKING);
	memcpy(asked, call_kit_newest(&k)->id, sizeof(asked));
	check_str(k.agent_state[1], "other");
	kit_wait(100);
	refer(agent, second, false);
	check(kit_until(&agent->closed, 1, 2000));
	check(kit_until(&second->closed, 1, 2000));
	check_int(agent->transfer_status, 200);
	check(kit_run(one_talks, NULL, 3000));
	check_str(k.cause, "transferred");
	check_str(k.last_call, asked);
	check(call_kit_newest(&k) == call);
	kit_wait(30);

	/* Sound: both in one call, the phone that moved was told its new address. */
	check_str(call->agent->number, "1002");
	check_int(engine_kit_legs(k.engine), 2);
	check_int(k.engine->hear_count, 2);
	check(engine_kit_hears(k.engine, call->customer->leg, call->agent->leg));
	check(engine_kit_hears(k.engine, call->agent->leg, call->customer->leg));
	check_int(kit_last(k.phone[1])->media, 1);
	check_int(kit_last(k.phone[1])->remote.port, k.engine->port_next);

	/* Books: one chain, one recording, each agent once. */
	check_int(call->record.agent_count, 2);
	check(has_step(call, CALL_STEP_TRANSFER, "1002 by 1001 from"));
	check(has_step(call, CALL_STEP_TRANSFER, asked));
	check_int(call->takes, 1);
	check_int(call->running, 0);
	check_str(call->take[0].id, take);
	check_int(engine_kit_recordings(k.engine, call->id), 1);
	check(call_kit_agent_is(&k, 0, "wrap_up"));
	check_str(k.agent_state[1], "talking");
	check(call_kit_agent_is(&k, 0, "ready"));
	check_int(call->record.clock, CALL_CLOCK_TALK); /* since the third answers for it */
	check(call->record.talk_ms > 0);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 2));
	check(call_kit_agent_is(&k, 1, "wrap_up"));
	check(call_kit_agent_is(&k, 1, "ready"));
	call_kit_close(&k);
}

static void the_phone_that_was_held_hears_no_music_afterwards(void)
{
	struct kit_call *customer, *agent, *second;
	struct sip_media held;

	call_kit_open(&k);
	customer = talk(&agent);
	held = k.phone[0]->local;
	held.direction = SIP_SENDONLY;
	check_int(sip_call_modify(agent->call, &held), 0);
	check(call_kit_reaches(&k, CALL_HELD));
	second = ask("1002", CALL_TALKING);
	refer(agent, second, true); /* some phones name their tags the other way round */
	check(kit_run(one_talks, NULL, 3000));
	kit_wait(30);
	check_str(engine_kit_playing(k.engine, first_call()->customer->leg), "");
	check(call_kit_newest(&k)->record.hold_ms > 0);
	check_str(k.agent_state[1], "other"); /* not signed in: no call of a queue for it */
	sip_call_end(kit_last(k.phone[1])->call, 0, 16, NULL);
	check(kit_until(&customer->closed, 1, 2000));
	check_str(k.by, "agent");
	check(call_kit_agent_is(&k, 1, "signed_out"));
	call_kit_close(&k);
}

static void who_is_not_there_yet_rings_on(void)
{
	struct kit_call *customer, *agent, *second, *asked;

	call_kit_open(&k);
	customer = talk(&agent);
	k.phone[1]->mood = KIT_RING;
	second = ask("1002", CALL_OFFERING);
	asked = kit_last(k.phone[1]);
	refer(agent, second, false);
	check(kit_until(&agent->closed, 1, 2000));
	check_int(agent->transfer_status, 200);
	check(call_kit_agent_is(&k, 0, "wrap_up"));
	kit_wait(50);
	check_int(first_call()->state, CALL_TRANSFERRING);
	check_str(engine_kit_playing(k.engine, first_call()->customer->leg), "ringback");
	check_int(sip_call_answer(asked->call, &k.phone[1]->local), 0);
	check(kit_run(one_talks, NULL, 3000));
	kit_wait(50);
	check_int(asked->media, 1);
	check_int(asked->remote.port, k.engine->port_next);
	check_str(engine_kit_playing(k.engine, first_call()->customer->leg), "");
	check_int(engine_kit_legs(k.engine), 2);
	sip_call_end(customer->call, 0, 16, NULL);
	check(kit_until(&asked->closed, 1, 2000));
	check(call_kit_agent_is(&k, 1, "signed_out"));
	call_kit_close(&k);
}

static void who_rings_on_and_rejects_gives_the_customer_back(void)
{
	struct kit_call *customer, *agent, *second;

	call_kit_open(&k);
	customer = talk(&agent);
	k.phone[1]->mood = KIT_RING;
	second = ask("1002", CALL_OFFERING);
	refer(agent, second, false);
	check(kit_until(&agent->closed, 1, 2000));
	sip_call_end(kit_last(k.phone[1])->call, 486, 17, NULL);
	check(call_kit_reaches(&k, CALL_TALKING)); /* 1001 again, after its wrap-up */
	check_str(call_kit_newest(&k)->agent->number, "1001");
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void two_calls_that_the_agent_made(void)
{
	struct kit_call *first, *second, *a, *b;
	struct call *call;

	call_kit_open(&k);
	first = ask("1002", CALL_TALKING);
	call = first_call();
	second = ask("1003", CALL_TALKING);
	a = kit_last(k.phone[1]);
	b = kit_last(k.phone[2]);
	refer(first, second, false);
	check(kit_until(&first->closed, 1, 2000));
	check(kit_until(&second->closed, 1, 2000));
	check(kit_run(one_talks, NULL, 3000));
	check_str(call->customer->number, "1002");
	check_str(call->agent->number, "1003");
	kit_wait(30);
	check(engine_kit_hears(k.engine, call->customer->leg, call->agent->leg));
	check_int(call->takes, 2); /* the customer of the first was who transferred */
	check(call_kit_agent_is(&k, 0, "signed_out"));
	sip_call_end(a->call, 0, 16, NULL);
	check(kit_until(&b->closed, 1, 2000));
	check(call_kit_agent_is(&k, 1, "signed_out"));
	check(call_kit_agent_is(&k, 2, "signed_out"));
	call_kit_close(&k);
}

/* The customer is on the line that the agent answered second. */
static void the_customer_may_be_on_the_other_line(void)
{
	struct kit_call *customer, *first, *second;
	struct call *call;

	call_kit_open(&k);
	customer = talk(&second);
	first = ask("1002", CALL_TALKING);
	call = first_call();
	refer(first, second, false); /* asked on the line that 1001 itself made */
	check(kit_until(&first->closed, 1, 2000));
	check(kit_until(&second->closed, 1, 2000));
	check_int(first->transfer_status, 200);
	check(kit_run(one_talks, NULL, 3000));
	check(call_kit_newest(&k) == call);
	check_str(call->customer->number, "13800138000");
	check_str(call->agent->number, "1002");
	check_int(call->takes, 1);
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void a_queue_was_asked(void)
{
	struct kit_call *customer, *agent, *second;

	call_kit_open(&k);
	customer = talk(&agent);
	call_kit_ready(&k, "1002");
	second = ask("8002", CALL_TALKING); /* service gives it to 1002 */
	check_str(k.agent_state[1], "talking");
	refer(agent, second, false);
	check(kit_run(one_talks, NULL, 3000));
	check(first_call()->from_queue);
	check(call_kit_agent_is(&k, 0, "wrap_up"));
	check_str(k.agent_state[1], "talking");
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_agent_is(&k, 1, "wrap_up"));
	check(call_kit_agent_is(&k, 1, "ready"));
	call_kit_close(&k);
}

static void a_queue_where_nobody_has_come_yet(void)
{
	struct kit_call *customer, *agent, *second;

	call_kit_open(&k);
	customer = talk(&agent);
	second = ask("8002", CALL_WAITING);
	refer(agent, second, false);
	check(kit_until(&second->closed, 1, 2000));
	check(kit_until(&agent->closed, 1, 2000));
	check(call_kit_reaches(&k, CALL_TALKING)); /* 1001 itself serves it, after wrap-up */
	check_str(first_call()->record.queue, "service");
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void what_cannot_be_connected(void)
{
	struct kit_call *customer, *agent, *second, *strange;
	char uri[512], dialog[256];

	call_kit_open(&k);
	customer = talk(&agent);
	second = ask("1002", CALL_TALKING);

	/* A dialog that is nobody's. */
	snprintf(uri, sizeof(uri),
		 "sip:1002@127.0.0.1?Replaces=nobody%%3Bto-tag%%3D1%%3Bfrom-tag%%3D2");
	check_int(sip_call_transfer(agent->call, uri), 0);
	check(kit_until(&agent->transfer, 2, 2000));
	check_int(agent->transfer_status, 481);

	/* Without tags, or so long that it would be cut. */
	snprintf(uri, sizeof(uri), "sip:1002@127.0.0.1?Replaces=nobody");
	check_int(sip_call_transfer(agent->call, uri), 0);
	check(kit_until(&agent->transfer, 4, 2000));
	check_int(agent->transfer_status, 481);

	/* The line of another agent. */
	strange = kit_last(k.phone[1]);
	kit_replaces(strange, true, true, dialog, sizeof(dialog));
	snprintf(uri, sizeof(uri), "sip:1002@127.0.0.1?Replaces=%s", dialog);
	check_int(sip_call_transfer(agent->call, uri), 0);
	check(kit_until(&agent->transfer, 6, 2000));
	check_int(agent->transfer_status, 403);

	/* Nor may the customer. */
	kit_replaces(second, true, false, dialog, sizeof(dialog));
	snprintf(uri, sizeof(uri), "sip:1002@127.0.0.1?Replaces=%s", dialog);
	check_int(sip_call_transfer(customer->call, uri), 0);
	check(kit_until(&customer->transfer, 2, 2000));
	check_int(customer->transfer_status, 403);

	check_int(k.c.calls_now, 2); /* nothing has changed */
	check_int(first_call()->state, CALL_TALKING);
	check_int(call_kit_newest(&k)->state, CALL_TALKING);
	sip_call_end(customer->call, 0, 16, NULL);
	sip_call_end(second->call, 0, 16, NULL);
	call_kit_close(&k);
}

/* Somebody leaves in the moment in which the calls are joined. */
static void they_hang_up_meanwhile(void)
{
	struct kit_call *customer, *agent, *second;

	for (unsigned who = 0; who < 4; who++) {
		call_kit_open(&k);
		customer = talk(&agent);
		call_kit_ready(&k, "1002");
		second = ask("1002", CALL_TALKING);
		if (who == 3)
			k.engine->fail_leg_open = 1;
		refer(agent, second, false);
		if (who == 0)
			sip_call_end(customer->call, 0, 16, NULL);
		else if (who == 1)
			sip_call_end(kit_last(k.phone[1])->call, 0, 16, NULL);
		else if (who == 2)
			sip_call_end(second->call, 0, 16, NULL);
		for (unsigned i = 0; i < 40; i++) {
			kit_wait(10);
			centre_check(&k.c);
		}
		if (customer->call != NULL)
			sip_call_end(customer->call, 0, 16, NULL);
		if (agent->call != NULL)
			sip_call_end(agent->call, 0, 16, NULL);
		check(call_kit_empty(&k));
		check(call_kit_agent_is(&k, 0, "ready"));
		check(call_kit_agent_is(&k, 1, "ready"));
		call_kit_close(&k);
	}
}

static void the_engine_goes_meanwhile(void)
{
	struct kit_call *customer, *agent, *second;
	char path[108];

	call_kit_open(&k);
	customer = talk(&agent);
	call_kit_ready(&k, "1002");
	second = ask("1002", CALL_TALKING);
	memcpy(path, k.engine->path, sizeof(path));
	refer(agent, second, false);
	check(kit_until(&agent->closed, 1, 2000));
	engine_kit_close(k.engine);
	kit_wait(50);
	check_int(engine_kit_open(k.engine, path), 0);
	for (unsigned i = 0; i < 100; i++) {
		kit_wait(10);
		centre_check(&k.c);
	}
	if (customer->call != NULL)
		sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_empty(&k));
	check(call_kit_agent_is(&k, 0, "ready"));
	check(call_kit_agent_is(&k, 1, "ready"));
	call_kit_close(&k);
}

/* --- INVITE with Replaces ------------------------------------------------------------------ */

/* The phone `from`, as `agent` or as nobody with NULL, wants the place that `dialog` names. */
static struct kit_call *take_place(unsigned from, const char *agent, const char *dialog)
{
	char uri[96], password[32], headers[600];
	struct sip_invite inv = {.uri = uri,
				 .from_user = agent ? agent : "stranger",
				 .from_host = "127.0.0.1",
				 .auth_user = agent,
				 .auth_password = password,
				 .headers = headers};

	snprintf(uri, sizeof(uri), "sip:1001@127.0.0.1:%u", sip_stack_port(k.c.sip, 0));
	snprintf(password, sizeof(password), "pw-%s", agent ? agent : "");
	snprintf(headers, sizeof(headers), "%s", dialog);
	return kit_dial(k.phone[from], &inv);
}

static int refused(unsigned from, const char *agent, const char *dialog)
{
	struct kit_call *c = take_place(from, agent, dialog);

	check(kit_until(&c->closed, 1, 3000));
	return c->status;
}

static void a_phone_takes_the_place_of_another(void)
{
	struct kit_call *customer, *agent, *own, *other;
	char dialog[256], line[320];
	struct call *call;

	call_kit_open(&k);
	customer = talk(&agent);
	call = first_call();
	call_kit_ready(&k, "1002");

	/* The agent's other telephone: nothing changes but the phone. */
	kit_replaces(agent, false, false, dialog, sizeof(dialog));
	snprintf(line, sizeof(line), "Replaces: %s\r\n", dialog);
	own = take_place(4, "1001", line);
	check(kit_until(&agent->closed, 1, 2000));
	check(kit_until(&own->answered, 1, 2000));
	check(call_kit_reaches(&k, CALL_TALKING));
	kit_wait(50);
	check_str(k.agent_state[0], "talking");
	check_int(engine_kit_legs(k.engine), 2);
	check(engine_kit_hears(k.engine, call->customer->leg, call->agent->leg));
	check_int(call->takes, 1);
	check_int(call->record.agent_count, 1);

	/* A colleague's: the conversation is that colleague's. */
	kit_replaces(own, false, false, dialog, sizeof(dialog));
	snprintf(line, sizeof(line), "Replaces: %s\r\n", dialog);
	other = take_place(1, "1002", line);
	check(kit_until(&own->closed, 1, 2000));
	check(call_kit_agent_is(&k, 1, "talking"));
	check(call_kit_agent_is(&k, 0, "wrap_up"));
	kit_wait(50);
	check_int(call->record.agent_count, 2);
	check(engine_kit_hears(k.engine, call->customer->leg, call->agent->leg));
	sip_call_end(other->call, 0, 16, NULL);
	check(kit_until(&customer->closed, 1, 2000));
	check(call_kit_agent_is(&k, 1, "ready"));
	call_kit_close(&k);
}

static void a_ringing_phone_is_answered_from_another(void)
{
	struct kit_call *caller, *rings, *other;
	char dialog[256], line[320];

	call_kit_open(&k);
	k.phone[1]->mood = KIT_RING;
	caller = call_kit_dial_as(&k, 0, "1002");
	check(call_kit_reaches(&k, CALL_OFFERING));
	while (k.phone[1]->calls == 0)
		kit_wait(10);
	kit_wait(50);
	rings = kit_last(k.phone[1]);
	kit_replaces(rings, false, false, dialog, sizeof(dialog));
	snprintf(line, sizeof(line), "Replaces: %s;early-only\r\n", dialog);
	other = take_place(2, "1003", line);
	check(kit_until(&other->answered, 1, 2000));
	check(kit_until(&caller->answered, 1, 2000));
	check(kit_until(&rings->closed, 1, 2000));
	check(call_kit_agent_is(&k, 1, "signed_out"));
	check_str(k.agent_state[2], "other");
	sip_call_end(caller->call, 0, 16, NULL);
	check(kit_until(&other->closed, 1, 2000));
	check(call_kit_agent_is(&k, 2, "signed_out"));
	call_kit_close(&k);
}

static void places_that_cannot_be_had(void)
{
	struct kit_call *customer, *agent;
	char dialog[256], line[600];

	call_kit_open(&k);
	customer = talk(&agent);
	kit_replaces(agent, false, false, dialog, sizeof(dialog));

	check_int(refused(1, "1002", "Replaces: nobody;to-tag=1;from-tag=2\r\n"), 481);
	check_int(refused(1, "1002", "Replaces: nobody;to-tag=1\r\n"), 400);
	check_int(refused(1, "1002", "Replaces: ;to-tag=1;from-tag=2\r\n"), 400);
	check_int(refused(1, "1002", "Replaces: x;to-tag=1;to-tag=1;from-tag=2\r\n"), 400);
	check_int(refused(1, "1002", "Replaces: x;to-tag=;from-tag=2\r\n"), 400);
	snprintf(line, sizeof(line), "Replaces: %s\r\nReplaces: %s\r\n", dialog, dialog);
	check_int(refused(1, "1002", line), 400);
	snprintf(line, sizeof(line), "Replaces: %s;early-only\r\n", dialog);
	check_int(refused(1, "1002", line), 486);
	snprintf(line, sizeof(line), "Replaces: %s\r\n", dialog);
	check_int(refused(4, NULL, line), 403); /* who are you? */

	kit_replaces(agent, false, true, dialog, sizeof(dialog)); /* tags the wrong way round */
	snprintf(line, sizeof(line), "Replaces: %s\r\n", dialog);
	check_int(refused(1, "1002", line), 481);

	kit_replaces(customer, false, false, dialog, sizeof(dialog)); /* the customer's own line */
	snprintf(line, sizeof(line), "Replaces: %s\r\n", dialog);
	check_int(refused(1, "1002", line), 403);

	check_int(first_call()->state, CALL_TALKING);
	kit_replaces(agent, false, false, dialog, sizeof(dialog));
	sip_call_end(customer->call, 0, 16, NULL);
	check(kit_until(&agent->closed, 1, 2000));
	snprintf(line, sizeof(line), "Replaces: %s\r\n", dialog); /* it was there a moment ago */
	check(refused(1, "1002", line) >= 481);
	call_kit_close(&k);
}

static const struct check_case cases[] = {
	CHECK_CASE(the_customer_talks_with_who_was_asked),
	CHECK_CASE(the_phone_that_was_held_hears_no_music_afterwards),
	CHECK_CASE(who_is_not_there_yet_rings_on),
	CHECK_CASE(who_rings_on_and_rejects_gives_the_customer_back),
	CHECK_CASE(two_calls_that_the_agent_made),
	CHECK_CASE(the_customer_may_be_on_the_other_line),
	CHECK_CASE(a_queue_was_asked),
	CHECK_CASE(a_queue_where_nobody_has_come_yet),
	CHECK_CASE(what_cannot_be_connected),
	CHECK_CASE(they_hang_up_meanwhile),
	CHECK_CASE(the_engine_goes_meanwhile),
	CHECK_CASE(a_phone_takes_the_place_of_another),
	CHECK_CASE(a_ringing_phone_is_answered_from_another),
	CHECK_CASE(places_that_cannot_be_had),
};

int main(void)
{
	log_setup("test", getenv("LOUD") ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN);
	return check_run(cases, sizeof(cases) / sizeof(cases[0]));
}
