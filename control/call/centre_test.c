/* SPDX-License-Identifier: Apache-2.0
 *
 * Stories of calls through the whole daemon: real SIP on loopback, an engine that moves no packet,
 * and every invariant checked while the loop runs.
 */
#include "call/call_kit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "check.h"

static struct call_kit k;

/* A customer who talks with 1001 of `sales`. */
static struct kit_call *talk(void)
{
	struct kit_call *customer;

	call_kit_ready(&k, "1001");
	strcpy(k.engine->digits, "1");
	customer = call_kit_dial(&k, "95598");
	check(customer != NULL);
	check(call_kit_reaches(&k, CALL_TALKING));
	kit_wait(30); /* what was said to the engine has arrived there */
	return customer;
}

static void menu_queue_agent_and_the_customer_hangs_up(void)
{
	struct kit_call *customer, *agent;

	call_kit_open(&k);
	customer = talk();
	agent = kit_last(k.phone[0]);
	check_str(agent->info.from_user, "13800138000");
	check_int(k.engine->hear_count, 2); /* each hears the other */
	check_str(k.engine->hear[0][0], k.engine->hear[1][1]);
	check_str(k.engine->hear[0][1], k.engine->hear[1][0]);
	check(strcmp(k.engine->hear[0][0], k.engine->hear[0][1]) != 0);
	check_int(k.engine->recordings, 1);
	check(engine_kit_was(k.engine, "play.start music/default"));
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	check_str(k.cause, "normal");
	check_str(k.by, "customer");
	check(kit_until(&agent->closed, 1, 2000));
	check(call_kit_agent_is(&k, 0, "wrap_up"));
	check(call_kit_agent_is(&k, 0, "ready"));
	check_int(k.engine->recordings_done, 1);
	call_kit_close(&k);
}

static void the_agent_hangs_up(void)
{
	struct kit_call *customer;

	call_kit_open(&k);
	customer = talk();
	sip_call_end(kit_last(k.phone[0])->call, 0, 16, NULL);
	check(kit_until(&customer->closed, 1, 3000));
	check_str(k.by, "agent");
	check_str(k.cause, "normal");
	call_kit_close(&k);
}

static void abandoned_while_waiting(void)
{
	struct kit_call *customer;

	call_kit_open(&k);
	k.phone[0]->mood = KIT_RING;
	call_kit_ready(&k, "1001");
	strcpy(k.engine->digits, "1");
	customer = call_kit_dial(&k, "95598");
	check(call_kit_reaches(&k, CALL_OFFERING));
	check(kit_until(&customer->answered, 1, 1000));
	while (k.phone[0]->calls == 0)
		kit_wait(10);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	check_str(k.cause, "abandoned");
	check(kit_until(&kit_last(k.phone[0])->closed, 1, 2000));
	check(call_kit_agent_is(&k, 0, "ready"));
	call_kit_close(&k);
}

static void no_answer_goes_to_the_next_agent(void)
{
	struct kit_call *customer;

	call_kit_open(&k);
	k.phone[0]->mood = KIT_RING;
	call_kit_ready(&k, "1001");
	kit_wait(5);
	call_kit_ready(&k, "1002");
	strcpy(k.engine->digits, "2,1");
	customer = call_kit_dial(&k, "95598");
	check(call_kit_reaches(&k, CALL_TALKING));
	check_str(call_kit_newest(&k)->agent->number, "1002");
	check(call_kit_agent_is(&k, 0, "not_ready"));
	check(call_kit_newest(&k)->record.wait_ms > 500);
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void a_busy_phone_goes_to_the_next_agent(void)
{
	struct kit_call *customer;

	call_kit_open(&k);
	k.phone[0]->mood = KIT_BUSY;
	call_kit_ready(&k, "1001");
	kit_wait(5);
	call_kit_ready(&k, "1003");
	strcpy(k.engine->digits, "1");
	customer = call_kit_dial(&k, "95598");
	check(call_kit_reaches(&k, CALL_TALKING));
	check_str(call_kit_newest(&k)->agent->number, "1003");
	kit_wait(30);
	check_int(engine_kit_legs(k.engine), 2); /* nothing is left of the one that was busy */
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void hold_plays_music_and_resume_stops_it(void)
{
	struct kit_call *customer, *agent;
	struct sip_media local;
	struct engine_kit_leg *leg;

	call_kit_open(&k);
	customer = talk();
	agent = kit_last(k.phone[0]);
	check(kit_until(&agent->answered, 1, 1000));
	leg = engine_kit_leg_at(k.engine, 0);
	local = k.phone[0]->local;
	local.direction = SIP_SENDONLY;
	check_int(sip_call_modify(agent->call, &local), 0);
	check(call_kit_reaches(&k, CALL_HELD));
	kit_wait(30);
	check_str(leg->prompt, "music/default");
	local.direction = SIP_SENDRECV;
	check_int(sip_call_modify(agent->call, &local), 0);
	check(call_kit_reaches(&k, CALL_TALKING));
	kit_wait(30);
	check_str(leg->prompt, "");
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void refer_to_an_agent(void)
{
	struct kit_call *customer, *agent;
	char uri[96];

	call_kit_open(&k);
	customer = talk();
	agent = kit_last(k.phone[0]);
	check(kit_until(&agent->answered, 1, 1000));
	snprintf(uri, sizeof(uri), "sip:1003@127.0.0.1:%u", sip_stack_port(k.c.sip, 0));
	check_int(sip_call_transfer(agent->call, uri), 0);
	check(kit_until(&agent->closed, 1, 2000));
	check(call_kit_reaches(&k, CALL_TALKING));
	check_str(call_kit_newest(&k)->agent->number, "1003");
	check_int(call_kit_newest(&k)->record.agent_count, 2);
	check(!call_kit_newest(&k)->flow_runs); /* it ended with the transfer */
	check(call_kit_agent_is(&k, 0, "ready"));
	check_str(k.agent_state[2], "other"); /* a call that no queue gave it */
	sip_call_end(kit_last(k.phone[2])->call, 0, 16, NULL);
	check(kit_until(&customer->closed, 1, 2000));
	check_str(k.by, "agent");
	call_kit_close(&k);
}

static void a_transfer_that_fails_returns_to_the_queue(void)
{
	struct kit_call *customer;
	char why[200];

	call_kit_open(&k);
	customer = talk();
	k.phone[1]->mood = KIT_BUSY;
	check_int(centre_transfer(&k.c, call_kit_newest(&k), "nobody", why, sizeof(why)), -ENOENT);
	check_int(centre_transfer(&k.c, call_kit_newest(&k), "1002", why, sizeof(why)), 0);
	/* 1001 wraps up for a second, then gets its caller back. */
	check(call_kit_reaches(&k, CALL_TALKING));
	check_str(call_kit_newest(&k)->agent->number, "1001");
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void transfer_to_a_queue_by_its_number(void)
{
	struct kit_call *customer;
	char why[200];

	call_kit_open(&k);
	customer = talk();
	call_kit_ready(&k, "1002");
	check_int(centre_transfer(&k.c, call_kit_newest(&k), "8002", why, sizeof(why)), 0);
	check(call_kit_reaches(&k, CALL_TALKING));
	check_str(call_kit_newest(&k)->record.queue, "service");
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void one_agent_calls_another(void)
{
	struct kit_call *caller;

	call_kit_open(&k);
	caller = call_kit_dial_as(&k, 0, "1002");
	check(caller != NULL);
	check(call_kit_reaches(&k, CALL_TALKING));
	check_int(call_kit_newest(&k)->record.kind, CALL_INTERNAL);
	check(kit_until(&caller->answered, 1, 1000));
	sip_call_end(kit_last(k.phone[1])->call, 0, 16, NULL);
	check(kit_until(&caller->closed, 1, 2000));
	check_str(k.by, "agent");
	call_kit_close(&k);
}

static void a_wrong_number_is_refused_and_recorded(void)
{
	struct kit_call *caller;

	call_kit_open(&k);
	caller = call_kit_dial(&k, "12345");
	check(kit_until(&caller->closed, 1, 2000));
	check_int(caller->status, 404);
	check(call_kit_ended(&k, 1));
	check_str(k.cause, "no_route");
	caller = call_kit_dial(&k, "1001"); /* agents are not for the world */
	check(kit_until(&caller->closed, 1, 2000));
	check_int(caller->status, 403);
	call_kit_close(&k);
}

static void feature_codes_change_the_agent(void)
{
	struct kit_call *call;

	call_kit_open(&k);
	call = call_kit_dial_as(&k, 0, "*61");
	check(kit_until(&call->closed, 1, 3000));
	check_int(call->answered, 1);
	check_str(k.agent_state[0], "not_ready");
	call = call_kit_dial_as(&k, 0, "*63");
	check(kit_until(&call->closed, 1, 3000));
	check_str(k.agent_state[0], "ready");
	call = call_kit_dial_as(&k, 0, "*641");
	check(kit_until(&call->closed, 1, 3000));
	check_str(k.agent_state[0], "not_ready");
	call = call_kit_dial_as(&k, 0, "*62");
	check(kit_until(&call->closed, 1, 3000));
	check_str(k.agent_state[0], "signed_out");
	call_kit_close(&k);
}

static void a_supervisor_listens_and_changes_the_mode(void)
{
	struct kit_call *customer, *boss;
	struct call *call;
	const char *state;
	char why[200];

	call_kit_open(&k);
	customer = talk();
	call = call_kit_newest(&k);
	check_int(centre_monitor(&k.c, call, "1001", "listen", &state, why, sizeof(why)), -EPERM);
	check_int(centre_monitor(&k.c, call, "2001", "listen", &state, why, sizeof(why)), 0);
	check_str(state, "ringing");
	while (k.engine->monitor_mode[0] == '\0')
		kit_wait(10);
	check_str(k.engine->monitor_mode, "listen");
	check_int(centre_monitor(&k.c, call, "2001", "whisper", &state, why, sizeof(why)), 0);
	check_str(state, "joined");
	kit_wait(30);
	check_str(k.engine->monitor_mode, "whisper");
	engine_kit_event(k.engine, "dtmf",
			 json_pack("{s:s,s:s,s:s}", "call", call->id, "leg", call->supervisor->leg,
				   "digit", "6"));
	kit_wait(50);
	check_str(k.engine->monitor_mode, "barge");
	boss = kit_last(k.phone[3]);
	check_int(centre_monitor(&k.c, call, "2001", "off", &state, why, sizeof(why)), 0);
	check(kit_until(&boss->closed, 1, 2000));
	check_int(call->state, CALL_TALKING);
	/* Dialled in, and gone with the call. */
	boss = call_kit_dial_as(&k, 3, "*711001");
	check(kit_until(&boss->answered, 1, 2000));
	check_str(call->monitor_mode, "listen");
	sip_call_end(customer->call, 0, 16, NULL);
	check(kit_until(&boss->closed, 1, 2000));
	call_kit_close(&k);
}

static void a_message_is_left(void)
{
	struct kit_call *customer;
	struct call *call;

	call_kit_open(&k);
	strcpy(k.engine->digits, "3");
	customer = call_kit_dial(&k, "95598");
	check(call_kit_reaches(&k, CALL_MESSAGE));
	call = call_kit_newest(&k);
	while (call->message_since_ms == 0)
		kit_wait(10);
	kit_wait(1200);
	check(engine_kit_was(k.engine, "record.start voicemail"));
	engine_kit_event(k.engine, "dtmf",
			 json_pack("{s:s,s:s,s:s}", "call", call->id, "leg", call->customer->leg,
				   "digit", "#"));
	check(kit_until(&customer->closed, 1, 5000));
	check_str(k.cause, "message_left");
	call_kit_close(&k);
}

static void a_caller_without_sound_is_hung_up(void)
{
	struct kit_call *customer;
	struct call *call;

	call_kit_open(&k);
	customer = talk();
	call = call_kit_newest(&k);
	engine_kit_event(k.engine, "leg.timeout",
			 json_pack("{s:s,s:s,s:i}", "call", call->id, "leg", call->customer->leg,
				   "silent_ms", 30000));
	check(kit_until(&customer->closed, 1, 2000));
	check_str(k.cause, "media_timeout");
	check_str(k.by, "system");
	call_kit_close(&k);
}

static void an_agent_without_sound_is_let_go_and_the_customer_goes_on(void)
{
	struct kit_call *customer;
	struct call *call;

	call_kit_open(&k);
	customer = talk();
	call = call_kit_newest(&k);
	engine_kit_event(k.engine, "leg.timeout",
			 json_pack("{s:s,s:s,s:i}", "call", call->id, "leg", call->agent->leg,
				   "silent_ms", 30000));
	check(kit_until(&kit_last(k.phone[0])->closed, 1, 2000));
	check(kit_until(&customer->closed, 1, 5000)); /* as the flow says after a talk */
	check_str(k.cause, "normal");
	check(call_kit_agent_is(&k, 0, "ready"));
	call_kit_close(&k);
}

static void an_overloaded_engine_means_503(void)
{
	struct kit_call *customer;

	call_kit_open(&k);
	k.engine->fail_leg_open = 1;
	customer = call_kit_dial(&k, "95598");
	check(kit_until(&customer->closed, 1, 2000));
	check_int(customer->status, 503);
	check_str(k.cause, "overloaded");
	call_kit_close(&k);
}

static void another_engine_takes_the_call_over(void)
{
	struct kit_call *customer, *agent;
	char path[108];

	call_kit_open(&k);
	customer = talk();
	agent = kit_last(k.phone[0]);
	check(kit_until(&agent->answered, 1, 1000));
	memcpy(path, k.engine->path, sizeof(path));
	engine_kit_close(k.engine);
	kit_wait(50);
	check_int(engine_kit_open(k.engine, path), 0);
	check(kit_until(&customer->media, 1, 4000)); /* re-INVITE with the new address */
	check(kit_until(&agent->media, 1, 4000));
	kit_wait(100);
	check_int(engine_kit_legs(k.engine), 2);
	check_int(k.engine->hear_count, 2);
	check_int(k.engine->recordings, 1);
	check_int(call_kit_newest(&k)->state, CALL_TALKING);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	check_str(k.cause, "normal");
	call_kit_close(&k);
}

static void keys_by_info_and_keys_typed_ahead(void)
{
	struct kit_call *customer;
	struct call *call;

	call_kit_open(&k);
	k.engine->think_ms = 3000;
	customer = call_kit_dial(&k, "95598");
	check(kit_until(&customer->answered, 1, 2000));
	call = call_kit_newest(&k);
	while (call->collect[0] == '\0')
		kit_wait(5);
	check_int(sip_call_send_dtmf(customer->call, '4', 100), 0); /* information */
	while (strstr(call->record.path, "information") == NULL)
		kit_wait(5);
	while (call->collect[0] == '\0')
		kit_wait(5);
	/* The first answers this menu, the second the one that it leads back to. */
	flow_info_digit(call, '*');
	kit_wait(20);
	check(strstr(call->record.path, "information main") != NULL);
	flow_typed_ahead(call, '9'); /* a collection runs: the engine has this one */
	check_str(call->typed, "");
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void nobody_comes_and_the_flow_goes_on(void)
{
	struct kit_call *customer;

	call_kit_open(&k);
	call_kit_ready(&k, "1001"); /* serves another queue */
	strcpy(k.engine->digits, "0,*");
	customer = call_kit_dial(&k, "95598");
	check(call_kit_reaches(&k, CALL_WAITING));
	check(kit_until(&customer->closed, 1, 8000)); /* max_wait_s, then the menu says good-bye */
	check(engine_kit_was(k.engine, "no-agent-menu"));
	check_str(k.by, "system");
	call_kit_close(&k);
}

static void a_supervisor_stays_when_the_agent_changes(void)
{
	struct kit_call *customer;
	struct call *call;
	const char *state;
	char why[200], first[CALL_ID_MAX];

	call_kit_open(&k);
	customer = talk();
	call = call_kit_newest(&k);
	check_int(centre_monitor(&k.c, call, "2001", "barge", &state, why, sizeof(why)), 0);
	while (call->monitor[0] == '\0')
		kit_wait(10);
	memcpy(first, call->monitor, sizeof(first));
	check_int(centre_transfer(&k.c, call, "1003", why, sizeof(why)), 0);
	check(call_kit_reaches(&k, CALL_TALKING));
	kit_wait(30);
	check(strcmp(first, call->monitor) != 0);
	check(engine_kit_was(k.engine, "monitor.stop"));
	check_str(k.engine->monitor_mode, "barge");
	check(call->supervisor != NULL && call->supervisor->state == PARTY_UP);
	sip_call_end(customer->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void an_engine_that_stays_away_ends_the_calls(void)
{
	struct kit_call *customer;

	call_kit_open(&k);
	k.c.engine_grace_ms = 200;
	customer = talk();
	engine_kit_close(k.engine);
	check(kit_until(&customer->closed, 1, 3000));
	check_str(k.cause, "engine_lost");
	check_int(k.c.numbers.calls_engine_lost, 1);
	check(call_kit_agent_is(&k, 0, "wrap_up"));
	customer = call_kit_dial(&k, "95598"); /* and refuses new ones */
	check(kit_until(&customer->closed, 1, 2000));
	check_int(customer->status, 503);
	call_kit_close(&k);
}

static void note_drained(void *arg)
{
	*(unsigned *)arg = 1;
}

static void leaving_hangs_everybody_up(void)
{
	struct kit_call *customer;
	unsigned drained = 0;

	call_kit_open(&k);
	customer = talk();
	centre_shut_down(&k.c, 3000, note_drained, &drained);
	check(kit_until(&drained, 1, 3000));
	check(kit_until(&customer->closed, 1, 1000));
	check_str(k.cause, "shutdown");
	check_int(kit_last(k.phone[0])->closed, 1);
	call_kit_close(&k);
}

static void hang_up_at_every_moment(void)
{
	call_kit_open(&k);
	call_kit_ready(&k, "1001");
	for (unsigned ms = 0; ms < 160; ms += 7) {
		struct kit_call *customer;
		unsigned before = k.ended;

		strcpy(k.engine->digits, "1");
		customer = call_kit_dial(&k, "95598");
		check(customer != NULL);
		kit_wait(ms);
		if (customer->call != NULL)
			sip_call_end(customer->call, 0, 16, NULL);
		check(kit_until(&customer->closed, 1, 3000));
		check(call_kit_empty(&k));
		check(k.ended <= before + 1);
	}
	call_kit_close(&k);
}

/* What the agent types, with time to arrive. */
static void agent_types(struct call *call, const char *keys)
{
	for (; *keys != '\0'; keys++)
		engine_kit_event(k.engine, "dtmf",
				 json_pack("{s:s,s:s,s:s%}", "call", call->id, "leg",
					   call->agent->leg, "digit", keys, (size_t)1));
	kit_wait(50);
}

static void an_agent_pauses_the_recording_by_keys(void)
{
	struct kit_call *customer;
	struct call *call;

	call_kit_open(&k);
	customer = talk();
	call = call_kit_newest(&k);
	check_str(record_state_name(call), "running");
	agent_types(call, "7*83");
	check(engine_kit_was(k.engine, "record.pause"));
	check_str(record_state_name(call), "paused");
	agent_types(call, "*8*84"); /* what fits no code is forgotten with its first key */
	check_str(record_state_name(call), "paused");
	agent_types(call, "*84");
	check(engine_kit_was(k.engine, "record.resume"));
	check_str(record_state_name(call), "running");
	check_int(k.engine->recordings, 1);
	agent_types(call, "*82");
	check_int(k.engine->recordings_done, 1);
	check_str(record_state_name(call), "off");
	agent_types(call, "*81"); /* a second take */
	check_int(k.engine->recordings, 2);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	call_kit_close(&k);
}

static void what_cannot_be_masked_is_not_recorded(void)
{
	struct kit_call *customer;
	const char *state;
	struct call *call;
	char why[160];

	call_kit_open(&k);
	customer = talk();
	call = call_kit_newest(&k);
	check_int(centre_record(&k.c, call, "mask", "ann", &state, why, sizeof(why)), 0);
	check_str(state, "masked");
	kit_wait(50);
	check(engine_kit_was(k.engine, "record.mask ann"));
	check_int(centre_record(&k.c, call, "erase", "ann", &state, why, sizeof(why)), -EINVAL);
	/* This engine knows no unmask: the recording goes on, masked. */
	check_int(centre_record(&k.c, call, "unmask", "ann", &state, why, sizeof(why)), 0);
	kit_wait(50);
	check_int(k.engine->recordings_done, 0);
	/* It has lost the recording: masking fails, and so nothing may be recorded any more. */
	k.engine->recording[0].id[0] = '\0';
	check_int(centre_record(&k.c, call, "mask", "ann", &state, why, sizeof(why)), 0);
	kit_wait(50);
	check_str(record_state_name(call), "off");
	check(call->wish.stopped);
	snprintf(k.engine->recording[0].id, sizeof(k.engine->recording[0].id), "%s",
		 call->take[0].id);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	call_kit_close(&k);
}

static void consent_refused_is_final(void)
{
	struct kit_call *customer;
	const char *state;
	struct call *call;
	char why[160];

	call_kit_open(&k);
	customer = talk();
	call = call_kit_newest(&k);
	check_int(centre_record(&k.c, call, "refuse", "ann", &state, why, sizeof(why)), 0);
	check_str(state, "off");
	check_int(centre_record(&k.c, call, "start", "ann", &state, why, sizeof(why)), -EPERM);
	check(strstr(why, "did not consent") != NULL);
	check_int(centre_record(&k.c, call, "pause", "ann", &state, why, sizeof(why)), -EBUSY);
	kit_wait(50);
	check_int(k.engine->recordings, 1);
	check_int(k.engine->recordings_done, 1);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	call_kit_close(&k);
}

/* Queue `service` records on demand, agent 1003 never. */
static void queues_and_agents_have_rules_of_their_own(void)
{
	struct kit_call *customer;
	const char *state;
	struct call *call;
	char why[160];

	call_kit_open(&k);
	call_kit_ready(&k, "1002");
	strcpy(k.engine->digits, "2");
	customer = call_kit_dial(&k, "95598");
	check(call_kit_reaches(&k, CALL_TALKING));
	call = call_kit_newest(&k);
	kit_wait(30);
	check_int(k.engine->recordings_done, 1); /* the menu's take ended in the queue */
	check_str(record_state_name(call), "off");
	check_int(centre_record(&k.c, call, "start", "ann", &state, why, sizeof(why)), 0);
	check_str(state, "running");
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	check(call_kit_empty(&k));

	call_kit_ready(&k, "1003");
	strcpy(k.engine->digits, "1");
	customer = call_kit_dial(&k, "95598");
	check(call_kit_reaches(&k, CALL_TALKING));
	call = call_kit_newest(&k);
	kit_wait(30);
	check_str(call->agent->number, "1003");
	check_str(record_state_name(call), "off");
	check_int(centre_record(&k.c, call, "start", "ann", &state, why, sizeof(why)), -EPERM);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 2));
	call_kit_close(&k);
}

static void the_caller_is_told_once_that_the_call_is_recorded(void)
{
	struct kit_call *customer;
	struct call *call;

	call_kit_open(&k);
	customer = talk();
	call = call_kit_newest(&k);
	check(engine_kit_was(k.engine, "play.start zh/recorded"));
	check(!engine_kit_was(k.engine, "play.start zh/welcome")); /* it stood behind it */
	check(call->announced);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	call_kit_close(&k);
}

/* The customer reaches queue `team` by a transfer of 1003, who is not in it; then those who are become
 * ready together. */
static struct kit_call *into_the_team(void)
{
	struct kit_call *customer;
	char why[160];

	call_kit_ready(&k, "1003");
	strcpy(k.engine->digits, "1");
	customer = call_kit_dial(&k, "95598");
	check(call_kit_reaches(&k, CALL_TALKING));
	check_int(centre_queue_pause(&k.c, "team", true, why, sizeof(why)), 0);
	check_int(centre_transfer(&k.c, call_kit_newest(&k), "8003", why, sizeof(why)), 0);
	call_kit_ready(&k, "1001");
	call_kit_ready(&k, "1002");
	check_int(centre_queue_pause(&k.c, "team", false, why, sizeof(why)), 0);
	return customer;
}

static void all_phones_of_a_team_ring_and_one_has_the_call(void)
{
	struct kit_call *customer;
	struct call *call;

	call_kit_open(&k);
	k.phone[0]->mood = KIT_RING;
	customer = into_the_team();
	check(call_kit_reaches(&k, CALL_TALKING));
	call = call_kit_newest(&k);
	check_str(call->agent->number, "1002"); /* 1001's phone rang as well */
	check(k.phone[0]->calls > 0);
	check(kit_until(&kit_last(k.phone[0])->closed, 1, 2000));
	check(call_kit_agent_is(&k, 0, "ready")); /* nobody to blame */
	/* The agent hears which queue it is, and only then the caller. */
	check(engine_kit_was(k.engine, "play.start en/queue/name/team"));
	kit_wait(100);
	check_int(call->agent->play_use, PLAY_NOTHING);
	check_int(call->customer->play_use, PLAY_NOTHING);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	call_kit_close(&k);
}

static void nobody_of_the_team_answers(void)
{
	struct kit_call *customer;

	call_kit_open(&k);
	k.phone[0]->mood = k.phone[1]->mood = KIT_RING;
	customer = into_the_team();
	check(call_kit_reaches(&k, CALL_OFFERING));
	check(call_kit_agent_is(&k, 0, "not_ready"));
	check(call_kit_agent_is(&k, 1, "not_ready"));
	check(call_kit_reaches(&k, CALL_WAITING));
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	check_str(k.cause, "abandoned");
	call_kit_close(&k);
}

static void a_supervisor_pauses_a_queue_and_moves_callers_and_agents(void)
{
	struct kit_call *customer;
	struct call *call;
	char why[160];

	call_kit_open(&k);
	call_kit_ready(&k, "1001");
	check_int(centre_queue_pause(&k.c, "sales", true, why, sizeof(why)), 0);
	check_int(centre_queue_pause(&k.c, "sails", true, why, sizeof(why)), -ENOENT);
	check_str(why, "there is no queue sails");
	strcpy(k.engine->digits, "1");
	customer = call_kit_dial(&k, "95598");
	check(call_kit_reaches(&k, CALL_WAITING));
	call = call_kit_newest(&k);
	check_int(centre_queue_move(&k.c, call, "sails", why, sizeof(why)), -ENOENT);
	check_int(centre_agent_queue(&k.c, "1001", "service", 0, why, sizeof(why)), 0);
	check_int(centre_queue_move(&k.c, call, "service", why, sizeof(why)), 0);
	check_str(call->record.queue, "service");
	check_int(centre_agent_queue(&k.c, "1003", "service", 3, why, sizeof(why)), 0);
	check_int(centre_agent_queue(&k.c, "9", "service", 3, why, sizeof(why)), -ENOENT);
	call_kit_ready(&k, "1003");
	check(call_kit_reaches(&k, CALL_TALKING));
	check_str(call->agent->number, "1003");
	check_int(centre_queue_move(&k.c, call, "sales", why, sizeof(why)), -EBUSY);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	call_kit_close(&k);
}

static const char self_service[] =
	"flow: self\nlanguages: [zh]\nstart: main\nnodes:\n"
	"  main:\n    menu: [m]\n    digits: {\"1\": promise, \"2\": ask, \"3\": duty}\n    "
	"otherwise: bye\n"
	"  promise: {callback: sales, number: \"1002\", next: bye, failed: sorry}\n"
	"  ask: {lookup: \"http://127.0.0.1:1/x?n=$caller\", into: {tier: t}, next: bye, failed: "
	"sorry}\n"
	"  duty: {dial: \"1002\", confirm: [press-one], next: bye, otherwise: sorry}\n"
	"  sorry: {note: {result: sorry}, next: bye}\n"
	"  bye: {hangup: normal}\n";

static bool write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	bool written;

	if (f == NULL)
		return false;
	written = fputs(text, f) >= 0;
	return fclose(f) == 0 && written;
}

static void with_flow(const char *text)
{
	char path[200];
	json_t *problems = NULL;

	call_kit_open(&k);
	snprintf(path, sizeof(path), "%s/flow.yaml", k.dir);
	check(write_file(path, text));
	json_decref(k.c.prompts); /* no opinion about prompts */
	k.c.prompts = NULL;
	check_int(centre_reload_flows(&k.c, path, &problems), 0);
	json_decref(problems);
	remove(path);
}

static void a_caller_is_called_back_in_its_place(void)
{
	struct call *call;

	with_flow(self_service);
	strcpy(k.engine->digits, "1");
	check(call_kit_dial(&k, "95598") != NULL);
	check(call_kit_ended(&k, 1)); /* the caller has hung up, the promise waits */
	call = call_kit_newest(&k);
	check(call != NULL);
	check_int(call->record.kind, CALL_CALLBACK);
	check_int(call->state, CALL_WAITING);
	check(callback_waits(call));
	k.phone[1]->mood = KIT_BUSY; /* the customer's phone, at first */
	k.c.config->queues[0].callback_retry_s = 0;
	call_kit_ready(&k, "1001");
	while (call->callback.tries == 0)
		kit_wait(10);
	check(call_kit_agent_is(&k, 0, "wrap_up"));
	k.phone[1]->mood = KIT_ANSWER;
	check(call_kit_reaches(&k, CALL_TALKING));
	check_str(call->agent->number, "1001");
	check_str(call->customer->number, "1002");
	kit_wait(30);
	check_int(k.engine->hear_count, 2);
	sip_call_end(kit_last(k.phone[1])->call, 0, 16, NULL);
	check(call_kit_ended(&k, 2));
	check_str(k.cause, "normal");
	call_kit_close(&k);
}

static void a_lookup_that_fails_leads_on(void)
{
	with_flow(self_service);
	strcpy(k.engine->digits, "2");
	check(call_kit_dial(&k, "95598") != NULL);
	check(call_kit_ended(&k, 1));
	check_str(k.cause, "flow_ended");
	call_kit_close(&k);
}

static void who_is_on_duty_confirms_with_a_key(void)
{
	struct kit_call *customer;

	with_flow(self_service);
	strcpy(k.engine->digits, "3,1"); /* the second is typed by the one on duty */
	customer = call_kit_dial(&k, "95598");
	check(call_kit_reaches(&k, CALL_TALKING));
	check(engine_kit_was(k.engine, "play.start zh/press-one"));
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	check(call_kit_empty(&k));
	strcpy(k.engine->digits, "3,9"); /* a machine presses nothing, or something else */
	check(call_kit_dial(&k, "95598") != NULL);
	check(call_kit_ended(&k, 2));
	check_str(k.cause, "flow_ended");
	check(kit_until(&kit_last(k.phone[1])->closed, 1, 2000));
	call_kit_close(&k);
}

static const struct check_case cases[] = {
	CHECK_CASE(menu_queue_agent_and_the_customer_hangs_up),
	CHECK_CASE(the_agent_hangs_up),
	CHECK_CASE(abandoned_while_waiting),
	CHECK_CASE(no_answer_goes_to_the_next_agent),
	CHECK_CASE(a_busy_phone_goes_to_the_next_agent),
	CHECK_CASE(hold_plays_music_and_resume_stops_it),
	CHECK_CASE(refer_to_an_agent),
	CHECK_CASE(a_transfer_that_fails_returns_to_the_queue),
	CHECK_CASE(transfer_to_a_queue_by_its_number),
	CHECK_CASE(one_agent_calls_another),
	CHECK_CASE(a_wrong_number_is_refused_and_recorded),
	CHECK_CASE(feature_codes_change_the_agent),
	CHECK_CASE(a_supervisor_listens_and_changes_the_mode),
	CHECK_CASE(a_message_is_left),
	CHECK_CASE(a_caller_without_sound_is_hung_up),
	CHECK_CASE(an_agent_without_sound_is_let_go_and_the_customer_goes_on),
	CHECK_CASE(an_overloaded_engine_means_503),
	CHECK_CASE(another_engine_takes_the_call_over),
	CHECK_CASE(keys_by_info_and_keys_typed_ahead),
	CHECK_CASE(nobody_comes_and_the_flow_goes_on),
	CHECK_CASE(a_supervisor_stays_when_the_agent_changes),
	CHECK_CASE(an_engine_that_stays_away_ends_the_calls),
	CHECK_CASE(leaving_hangs_everybody_up),
	CHECK_CASE(an_agent_pauses_the_recording_by_keys),
	CHECK_CASE(what_cannot_be_masked_is_not_recorded),
	CHECK_CASE(consent_refused_is_final),
	CHECK_CASE(queues_and_agents_have_rules_of_their_own),
	CHECK_CASE(the_caller_is_told_once_that_the_call_is_recorded),
	CHECK_CASE(all_phones_of_a_team_ring_and_one_has_the_call),
	CHECK_CASE(nobody_of_the_team_answers),
	CHECK_CASE(a_supervisor_pauses_a_queue_and_moves_callers_and_agents),
	CHECK_CASE(a_caller_is_called_back_in_its_place),
	CHECK_CASE(a_lookup_that_fails_leads_on),
	CHECK_CASE(who_is_on_duty_confirms_with_a_key),
	CHECK_CASE(hang_up_at_every_moment),
};

int main(void)
{
	log_setup("test", getenv("LOUD") ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN);
	return check_run(cases, sizeof(cases) / sizeof(cases[0]));
}
