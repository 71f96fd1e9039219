/* SPDX-License-Identifier: Apache-2.0
 *
 * Consultation: by keys, by an operator's word, to its three ends, and everybody hanging up meanwhile.
 */
#include "call/call_kit.h"
#include "call/consult.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "check.h"

static struct call_kit k;
static struct kit_call *customer, *agent;
static struct call *call;

/* A customer talks with 1001 of `sales`; 1002 is signed in and ready for others. */
static void talk(void)
{
	call_kit_open(&k);
	call_kit_ready(&k, "1001");
	strcpy(k.engine->digits, "1");
	customer = call_kit_dial(&k, "95598");
	check(call_kit_reaches(&k, CALL_TALKING));
	call_kit_ready(&k, "1002");
	agent = kit_last(k.phone[0]);
	check(kit_until(&agent->answered, 1, 1000));
	call = call_kit_newest(&k);
	kit_wait(30);
}

static void press(struct party *p, const char *keys)
{
	for (; *keys != '\0'; keys++)
		engine_kit_event(k.engine, "dtmf",
				 json_pack("{s:s,s:s,s:s%,s:s,s:i,s:b}", "call", call->id, "leg",
					   p->leg, "digit", keys, (size_t)1, "source", "rfc4733",
					   "duration_ms", 100, "secret", 0));
	kit_wait(30);
}

static bool is_so(void *arg)
{
	centre_check(&k.c);
	return call->consult.state == *(enum consult_state *)arg;
}

static bool asks(enum consult_state state)
{
	bool so = kit_run(is_so, &state, 3000);

	kit_wait(30); /* what was said to the engine has arrived there */
	return so;
}

static int act(const char *action, const char *to)
{
	const char *state;
	char why[200] = "";
	int err = centre_consult(&k.c, call, action, to, NULL, &state, why, sizeof(why));

	check(err == 0 || why[0] != '\0');
	return err;
}

/* 1001 has asked 1002, who is there. */
static void ask(void)
{
	talk();
	check_int(act("start", "1002"), 0);
	check(asks(CONSULT_TALKING));
}

static bool hear_each_other(const struct party *a, const struct party *b)
{
	return engine_kit_hears(k.engine, a->leg, b->leg) &&
	       engine_kit_hears(k.engine, b->leg, a->leg);
}

static bool has_step(enum call_step step, const char *words)
{
	for (unsigned i = 0; i < call->step_count; i++)
		if (call->steps[i].step == step && strcmp(call->steps[i].detail, words) == 0)
			return true;
	return false;
}

/* All is over, and nobody is left in a state that is not his own. */
static void over(void)
{
	if (customer->call != NULL)
		sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_empty(&k));
	for (unsigned i = 0; i < 2; i++) {
		char why[200];

		if (strcmp(k.agent_state[i], "wrap_up") == 0)
			check_int(desk_agent_set(&k.c, i ? "1002" : "1001", "wrap_up_done", NULL,
						 why, sizeof(why)),
				  0);
		check(call_kit_agent_is(&k, i, "ready"));
	}
	call_kit_close(&k);
}

static void by_keys_and_completed(void)
{
	struct party *third;

	talk();
	strcpy(k.engine->digits, "1002");
	press(call->agent, "*90");
	check(asks(CONSULT_TALKING));
	third = call->consult.party;
	check_str(third->number, "1002");
	check_int(call->state, CALL_HELD);
	check_str(engine_kit_playing(k.engine, call->customer->leg), "music/default");
	check_str(engine_kit_playing(k.engine, call->agent->leg), "");
	check_int(k.engine->hear_count, 2);
	check(hear_each_other(call->agent, third));
	check_str(k.agent_state[0], "talking");
	check_str(k.agent_state[1], "other");
	kit_wait(200);
	press(call->agent, "*91");
	check(kit_until(&agent->closed, 1, 2000));
	check(call_kit_reaches(&k, CALL_TALKING));
	kit_wait(30);
	check(call->agent == third);
	check_str(engine_kit_playing(k.engine, call->customer->leg), "");
	check_int(k.engine->hear_count, 2);
	check(hear_each_other(call->customer, third));
	check_int(kit_last(k.phone[1])->media, 0); /* no phone was told anything */
	check(has_step(CALL_STEP_CONSULT, "1002"));
	check(has_step(CALL_STEP_CONSULT, "1002 answered"));
	check(has_step(CALL_STEP_TRANSFER, "1002 by 1001"));
	check_int(call->record.agent_count, 2);
	check(call->record.hold_ms >= 200);
	check_int(call->takes, 1);
	check(call->running >= 0);
	check(call_kit_agent_is(&k, 1, "talking"));
	check(call_kit_agent_is(&k, 0, "wrap_up"));
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_agent_is(&k, 1, "wrap_up"));
	over();
}

static void back_to_the_customer(void)
{
	struct kit_call *asked;

	ask();
	asked = kit_last(k.phone[1]);
	press(call->agent, "*92");
	check(asks(CONSULT_NONE));
	check(kit_until(&asked->closed, 1, 2000));
	check_int(call->state, CALL_TALKING);
	check(hear_each_other(call->customer, call->agent));
	check_int(k.engine->hear_count, 2);
	check_str(engine_kit_playing(k.engine, call->customer->leg), "");
	check(call_kit_agent_is(&k, 1, "ready"));
	check_int(call->record.agent_count, 1);
	over();
}

static void all_three(void)
{
	struct party *third;

	ask();
	third = call->consult.party;
	press(call->agent, "*93");
	check(asks(CONSULT_CONFERENCE));
	check_int(call->state, CALL_TALKING);
	check_int(k.engine->hear_count, 6);
	check(hear_each_other(call->customer, call->agent));
	check(hear_each_other(call->customer, third));
	check(hear_each_other(call->agent, third));
	check_str(engine_kit_playing(k.engine, call->customer->leg), "");
	check(has_step(CALL_STEP_CONFERENCE, "1002"));
	check_int(call->record.agent_count, 2);

	/* Who was asked leaves: the two go on. */
	sip_call_end(kit_last(k.phone[1])->call, 0, 16, NULL);
	check(asks(CONSULT_NONE));
	check_int(call->state, CALL_TALKING);
	check_int(k.engine->hear_count, 2);
	check(hear_each_other(call->customer, call->agent));

	/* And again; then the agent leaves. */
	check_int(act("start", "1002"), 0);
	check(asks(CONSULT_TALKING));
	check_int(act("conference", NULL), 0);
	third = call->consult.party;
	sip_call_end(agent->call, 0, 16, NULL);
	check(asks(CONSULT_NONE));
	check_int(call->state, CALL_TALKING);
	check(call->agent == third);
	check_int(k.engine->hear_count, 2);
	check(hear_each_other(call->customer, third));
	check_str(k.agent_state[1], "talking");
	check_int(call->takes, 1);
	over();
}

static void who_hangs_up_has_completed(void)
{
	ask();
	sip_call_end(agent->call, 0, 16, NULL);
	check(asks(CONSULT_NONE));
	check(call_kit_reaches(&k, CALL_TALKING));
	kit_wait(30);
	check_str(call->agent->number, "1002");
	check(hear_each_other(call->customer, call->agent));
	check(call_kit_agent_is(&k, 0, "wrap_up"));
	over();
}

static void it_rings_on_for_the_customer(void)
{
	struct kit_call *asked;

	talk();
	k.phone[1]->mood = KIT_RING;
	check_int(act("start", "1002"), 0);
	check(asks(CONSULT_RINGING));
	check_str(engine_kit_playing(k.engine, call->agent->leg), "ringback");
	check_str(engine_kit_playing(k.engine, call->customer->leg), "music/default");
	check_int(k.engine->hear_count, 0);
	check_int(act("conference", NULL), -EBUSY); /* nobody is there */
	asked = kit_last(k.phone[1]);
	check_int(act("complete", NULL), 0);
	check(kit_until(&agent->closed, 1, 2000));
	kit_wait(50);
	check_int(call->state, CALL_TRANSFERRING);
	check_str(engine_kit_playing(k.engine, call->customer->leg), "ringback");
	check_int(sip_call_answer(asked->call, &k.phone[1]->local), 0);
	check(call_kit_reaches(&k, CALL_TALKING));
	kit_wait(30);
	check_str(call->agent->number, "1002");
	check(hear_each_other(call->customer, call->agent));
	over();
}

static void who_does_not_want_to_be_asked(void)
{
	talk();
	k.phone[1]->mood = KIT_BUSY;
	check_int(act("start", "1002"), 0);
	check(asks(CONSULT_NONE));
	check_int(call->state, CALL_TALKING);
	check(has_step(CALL_STEP_CONSULT, "1002 486"));
	check(hear_each_other(call->customer, call->agent));
	check(call_kit_agent_is(&k, 1, "ready"));
	k.engine->fail_leg_open = 1; /* and the engine is at its limit */
	check_int(act("start", "1002"), 0);
	kit_wait(100);
	check(asks(CONSULT_NONE));
	check_int(call->state, CALL_TALKING);
	check_int(engine_kit_legs(k.engine), 2);
	over();
}

static void what_is_refused(void)
{
	static const char *const none[] = {"complete", "cancel", "conference"};

	talk();
	for (unsigned i = 0; i < 3; i++)
		check_int(act(none[i], NULL), -EBUSY);
	check_int(act("start", "nobody"), -ENOENT);
	check_int(act("start", "1001"), -EBUSY); /* itself */
	check_int(act("start", "8000"), -EBUSY); /* a queue without agents */
	check_int(act("start", "8002"), 0);      /* one with: 1002 is free */
	check(asks(CONSULT_TALKING));
	check_str(call->consult.party->number, "1002");
	check_int(act("start", "1003"), -EBUSY); /* one at a time */
	check_int(act("cancel", NULL), 0);
	kit_wait(50);
	/* Keys that the customer presses mean nothing; nor do codes with nobody to ask. */
	press(call->customer, "*90");
	check_int(call->consult.state, CONSULT_NONE);
	press(call->agent, "*91*92*93");
	check_int(call->state, CALL_TALKING);
	over();
}

static void what_is_typed_may_be_nothing(void)
{
	talk();
	press(call->agent, "*90"); /* no key follows */
	check(asks(CONSULT_NONE));
	check_int(call->state, CALL_TALKING);
	strcpy(k.engine->digits, "*"); /* thought better of it */
	press(call->agent, "*90");
	check(asks(CONSULT_NONE));
	strcpy(k.engine->digits, "4711"); /* leads nowhere */
	press(call->agent, "*90");
	check(asks(CONSULT_NONE));
	check(hear_each_other(call->customer, call->agent));
	check_str(engine_kit_playing(k.engine, call->customer->leg), "");

	/* A phone whose keys come by INFO. */
	k.engine->think_ms = 3000;
	for (const char *key = "*901002#"; *key != '\0'; key++) {
		check_int(sip_call_send_dtmf(agent->call, *key, 100), 0);
		kit_wait(20);
	}
	check(asks(CONSULT_TALKING));
	check_str(call->consult.party->number, "1002");
	over();
}

/* The agent made the call: it is the customer of it, until it asks somebody. */
static void an_agent_who_called_out(void)
{
	struct kit_call *first, *asked;

	call_kit_open(&k);
	call_kit_ready(&k, "1001");
	call_kit_ready(&k, "1002");
	customer = first = call_kit_dial_as(&k, 0, "1002");
	check(call_kit_reaches(&k, CALL_TALKING));
	call = call_kit_newest(&k);
	asked = kit_last(k.phone[1]);
	kit_wait(50);
	strcpy(k.engine->digits, "1003");
	press(call->customer, "*90");
	check(asks(CONSULT_TALKING));
	check_str(call->customer->number, "1002");
	check_str(call->agent->number, "1001");
	press(call->agent, "*91");
	check(kit_until(&first->closed, 1, 2000));
	check(call_kit_reaches(&k, CALL_TALKING));
	kit_wait(30);
	check(hear_each_other(call->customer, call->agent));
	check_str(call->agent->number, "1003");
	check(call_kit_agent_is(&k, 0, "ready"));
	sip_call_end(asked->call, 0, 16, NULL);
	check(call_kit_empty(&k));
	check(call_kit_agent_is(&k, 2, "signed_out"));
	over();
}

/* In each state of it, everybody hangs up once. */
static void they_hang_up_meanwhile(void)
{
	static const enum consult_state states[] = {CONSULT_NUMBER, CONSULT_RINGING,
						    CONSULT_TALKING, CONSULT_CONFERENCE};

	for (unsigned i = 0; i < 4; i++) {
		for (unsigned who = 0; who < 3; who++) {
			struct kit_call *gone;

			talk();
			k.engine->think_ms = 5000;
			k.phone[1]->mood = states[i] == CONSULT_RINGING ? KIT_RING : KIT_ANSWER;
			if (states[i] == CONSULT_NUMBER)
				press(call->agent, "*90");
			else
				check_int(act("start", "1002"), 0);
			check(asks(states[i] == CONSULT_CONFERENCE ? CONSULT_TALKING : states[i]));
			if (states[i] == CONSULT_CONFERENCE)
				check_int(act("conference", NULL), 0);
			gone = who == 0   ? customer
			       : who == 1 ? agent
			       : i == 0   ? agent
					  : kit_last(k.phone[1]);
			sip_call_end(gone->call, 486, 17, NULL);
			for (unsigned t = 0; t < 10; t++) {
				kit_wait(10);
				centre_check(&k.c);
			}
			if (gone == customer)
				check(kit_until(&agent->closed, 1, 2000));
			over();
		}
	}
}

static void another_engine_meanwhile(void)
{
	char path[108];

	ask();
	memcpy(path, k.engine->path, sizeof(path));
	engine_kit_close(k.engine);
	kit_wait(50);
	check_int(engine_kit_open(k.engine, path), 0);
	check(kit_until(&customer->media, 1, 4000));
	kit_wait(150);
	centre_check(&k.c);
	check_int(call->consult.state, CONSULT_TALKING);
	check_int(engine_kit_legs(k.engine), 3);
	check_str(engine_kit_playing(k.engine, call->customer->leg), "music/default");
	check_int(k.engine->hear_count, 2);
	check(hear_each_other(call->agent, call->consult.party));
	check_int(act("conference", NULL), 0);
	kit_wait(30);
	check_int(k.engine->hear_count, 6);
	over();
}

static void a_blind_transfer_ends_it(void)
{
	struct kit_call *asked;
	char why[200];

	ask();
	asked = kit_last(k.phone[1]);
	check_int(centre_transfer(&k.c, call, "1003", why, sizeof(why)), 0);
	check(kit_until(&asked->closed, 1, 2000));
	check(kit_until(&agent->closed, 1, 2000));
	check(call_kit_reaches(&k, CALL_TALKING));
	check_str(call->agent->number, "1003");
	over();
}

static const struct check_case cases[] = {
	CHECK_CASE(by_keys_and_completed),
	CHECK_CASE(back_to_the_customer),
	CHECK_CASE(all_three),
	CHECK_CASE(who_hangs_up_has_completed),
	CHECK_CASE(it_rings_on_for_the_customer),
	CHECK_CASE(who_does_not_want_to_be_asked),
	CHECK_CASE(what_is_refused),
	CHECK_CASE(what_is_typed_may_be_nothing),
	CHECK_CASE(an_agent_who_called_out),
	CHECK_CASE(they_hang_up_meanwhile),
	CHECK_CASE(another_engine_meanwhile),
	CHECK_CASE(a_blind_transfer_ends_it),
};

int main(void)
{
	log_setup("test", getenv("LOUD") ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN);
	return check_run(cases, sizeof(cases) / sizeof(cases[0]));
}
