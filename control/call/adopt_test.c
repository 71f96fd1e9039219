/* SPDX-License-Identifier: Apache-2.0
 *
 * The daemon is killed in mid-call and begins again: phones, agents, queue, flow, recordings and records go on as
 * if nothing had been.
 */
#include "call/call_kit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/log.h"
#include "call/consult.h"
#include "call/journal.h"
#include "check.h"

static struct call_kit k;

/* --- what is in the database ------------------------------------------------------------------ */

static void sql(const char *text)
{
	sqlite3 *db = NULL;

	check_int(sqlite3_open(k.database, &db), SQLITE_OK);
	check_int(sqlite3_busy_timeout(db, 2000), SQLITE_OK);
	check_int(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static int64_t number(const char *query)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int64_t n = -1;

	check_int(sqlite3_open(k.database, &db), SQLITE_OK);
	check_int(sqlite3_busy_timeout(db, 2000), SQLITE_OK);
	check_int(sqlite3_prepare_v2(db, query, -1, &st, NULL), SQLITE_OK);
	if (sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

struct hope {
	const char *query;
	int64_t want;
};

static bool so(void *arg)
{
	const struct hope *h = arg;

	return number(h->query) == h->want;
}

/* The writer is a little behind. */
static void stored(const char *query, int64_t want)
{
	bool met = kit_run(so, &(struct hope){query, want}, 2000);

	if (!met)
		printf("%s: %lld, expected %lld\n", query, (long long)number(query),
		       (long long)want);
	check(met);
}

/* --- the scene -------------------------------------------------------------------------------- */

static struct kit_call *talk(void)
{
	struct kit_call *customer;

	call_kit_ready(&k, "1001");
	strcpy(k.engine->digits, "1");
	customer = call_kit_dial(&k, "95598");
	check(customer != NULL);
	check(call_kit_reaches(&k, CALL_TALKING));
	kit_wait(
		60); /* what was said to the engine has arrived there, and the journal is written */
	return customer;
}

static struct acd_agent_view agent(const char *name)
{
	struct acd_agent_view v = {0};

	check(acd_agent_view(k.c.acd, acd_agent_find(k.c.acd, name), &v));
	return v;
}

static void restart(void)
{
	call_kit_kill(&k);
	call_kit_begin(&k);
	kit_wait(30);
	centre_check(&k.c);
}

static void begin(void)
{
	call_kit_open_stored(&k, "");
}

/* At the end nothing is in the journal but agents and phones, and every record is whole. */
static void end(void)
{
	check(call_kit_empty(&k));
	stored("SELECT count(*) FROM journal WHERE kind='call'", 0);
	stored("SELECT count(*) FROM calls WHERE ended_ms IS NULL", 0);
	stored("SELECT count(*) FROM recordings WHERE ended_ms IS NULL", 0);
	call_kit_close(&k);
}

/* --- stories ---------------------------------------------------------------------------------- */

static void a_conversation_goes_on_and_the_customer_ends_it(void)
{
	struct kit_call *customer, *phone;
	char id[CLOCK_UUID_SIZE], recording[CLOCK_UUID_SIZE];
	uint64_t started_ms;
	size_t log_len;

	begin();
	customer = talk();
	phone = kit_last(k.phone[0]);
	strcpy(id, call_kit_newest(&k)->id);
	strcpy(recording, call_kit_newest(&k)->take[0].id);
	started_ms = call_kit_newest(&k)->record.started_ms;
	log_len = k.engine->log_len;
	restart();
	check_int(k.c.calls_now, 1);
	check_str(call_kit_newest(&k)->id, id);
	check_int(call_kit_newest(&k)->state, CALL_TALKING);
	check_int(call_kit_newest(&k)->record.started_ms, started_ms);
	check_int(agent("1001").agent.state, AGENT_TALKING);
	check(agent("1001").reachable);
	/* The engine was left alone: nobody heard anything of it. */
	check(strstr(k.engine->log + log_len, "leg") == NULL);
	check(strstr(k.engine->log + log_len, "play") == NULL);
	check(strstr(k.engine->log + log_len, "record") == NULL);
	check(strstr(k.engine->log + log_len, "hear") == NULL);
	check_int(engine_kit_recordings(k.engine, id), 1);
	check_int(customer->closed + phone->closed, 0);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	check_str(k.by, "customer");
	check_str(k.cause, "normal");
	check(kit_until(&phone->closed, 1, 2000));
	check(call_kit_agent_is(&k, 0, "wrap_up"));
	check(call_kit_agent_is(&k, 0, "ready"));
	check_int(k.engine->recordings, 1);
	check_int(k.engine->recordings_done, 1);
	stored("SELECT count(*) FROM calls", 1);
	stored("SELECT count(*) FROM calls WHERE cause='normal' AND hung_up_by='customer'", 1);
	stored("SELECT count(*) FROM calls WHERE mos IS NOT NULL", 1);
	stored("SELECT count(*) FROM call_steps WHERE step='adopted'", 1);
	stored("SELECT count(*) FROM call_steps WHERE step='answer'", 1);
	stored("SELECT count(*) FROM call_steps WHERE step='ring'", 1);
	stored("SELECT count(*) FROM call_legs WHERE ended_ms IS NOT NULL AND stats IS NOT NULL",
	       2);
	stored("SELECT count(*) FROM recordings WHERE complete=1", 1);
	end();
}

static void a_conversation_goes_on_and_the_agent_ends_it(void)
{
	struct kit_call *customer, *phone;

	begin();
	customer = talk();
	phone = kit_last(k.phone[0]);
	restart();
	restart(); /* and once more */
	sip_call_end(phone->call, 0, 16, NULL);
	check(kit_until(&customer->closed, 1, 3000));
	check_str(k.by, "agent");
	check_str(k.cause, "normal");
	stored("SELECT count(*) FROM call_steps WHERE step='adopted'", 2);
	stored("SELECT count(*) FROM calls WHERE agents='[\"1001\"]'", 1);
	end();
}

/* Sums of the record go on: what was waited and talked before and after is one. */
static void times_add_up(void)
{
	struct kit_call *customer;

	begin();
	customer = talk();
	kit_wait(300);
	call_kit_kill(&k);
	usleep(300000);
	call_kit_begin(&k);
	kit_wait(300);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	check(call_kit_empty(&k));
	stored("SELECT talk_ms BETWEEN 850 AND 1600 FROM calls", 1);
	stored("SELECT ended_ms - started_ms >= wait_ms + talk_ms + hold_ms FROM calls", 1);
	end();
}

static void hold_is_still_hold(void)
{
	struct kit_call *customer, *phone;
	struct engine_kit_leg *leg;
	struct sip_media local;

	begin();
	customer = talk();
	phone = kit_last(k.phone[0]);
	leg = engine_kit_leg_at(k.engine, 0);
	local = k.phone[0]->local;
	local.direction = SIP_SENDONLY;
	check_int(sip_call_modify(phone->call, &local), 0);
	check(call_kit_reaches(&k, CALL_HELD));
	kit_wait(60);
	check_str(engine_kit_playing(k.engine, leg->leg), "music/default");
	restart();
	check_int(call_kit_newest(&k)->state, CALL_HELD);
	check_str(engine_kit_playing(k.engine, leg->leg), "music/default");
	local.direction = SIP_SENDRECV;
	check_int(sip_call_modify(phone->call, &local), 0);
	check(call_kit_reaches(&k, CALL_TALKING));
	kit_wait(30);
	check_str(engine_kit_playing(k.engine, leg->leg), "");
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	stored("SELECT count(*) FROM call_steps WHERE step IN ('hold','resume')", 2);
	end();
}

static void who_waits_keeps_the_place(void)
{
	struct kit_call *first, *second, *phone;
	char first_id[CLOCK_UUID_SIZE];

	begin();
	call_kit_ready(&k, "1001");
	k.phone[0]->mood = KIT_RING;
	strcpy(k.engine->digits, "1");
	first = call_kit_dial(&k, "95598");
	check(call_kit_reaches(&k, CALL_OFFERING));
	strcpy(first_id, call_kit_newest(&k)->id);
	strcpy(k.engine->digits, "1");
	second = call_kit_dial(&k, "95598");
	check(call_kit_reaches(&k, CALL_WAITING));
	while (k.phone[0]->calls == 0)
		kit_wait(10);
	phone = kit_last(k.phone[0]);
	kit_wait(300);
	k.phone[0]->mood = KIT_ANSWER;
	call_kit_kill(&k);
	call_kit_begin(&k);
	/* The phone that rang stops, and rings again for the same caller. */
	check(kit_until(&phone->closed, 1, 3000));
	while (kit_last(k.phone[0]) == phone)
		kit_wait(10);
	phone = kit_last(k.phone[0]);
	check(kit_until(&phone->answered, 1, 3000));
	kit_wait(50);
	check_int(call_find(&k.c, first_id, NULL)->state, CALL_TALKING);
	check_int(call_kit_newest(&k)->state == CALL_WAITING ||
			  call_find(&k.c, first_id, NULL) == call_kit_newest(&k),
		  1);
	check(call_find(&k.c, first_id, NULL)->record.wait_ms > 250);
	sip_call_end(first->call, 0, 16, NULL);
	check(kit_until(&first->closed, 1, 2000));
	while (kit_last(k.phone[0]) == phone)
		kit_wait(10);
	check(kit_until(&kit_last(k.phone[0])->answered, 1, 3000));
	kit_wait(50);
	sip_call_end(second->call, 0, 16, NULL);
	check(call_kit_ended(&k, 2));
	stored("SELECT count(*) FROM calls WHERE cause='normal'", 2);
	stored("SELECT count(*) FROM call_steps WHERE step='queue'", 2);
	end();
}

/* Keys pressed while nobody was there count: the engine has told of them. */
static void the_menu_goes_on_with_keys_pressed_meanwhile(void)
{
	struct kit_call *customer;

	begin();
	call_kit_ready(&k, "1001");
	k.engine->think_ms = 60000; /* the caller thinks */
	customer = call_kit_dial(&k, "95598");
	check(call_kit_reaches(&k, CALL_IVR));
	kit_wait(300);
	check(call_kit_newest(&k)->collect[0] != '\0');
	call_kit_kill(&k);
	engine_kit_event(k.engine, "collect.done",
			 json_pack("{s:s,s:s,s:s,s:s,s:s}", "call", k.engine->leg[0].call, "leg",
				   k.engine->leg[0].leg, "collect", k.engine->leg[0].collect,
				   "digits", "1", "reason", "complete"));
	k.engine->leg[0].collect[0] = '\0';
	call_kit_begin(&k);
	check(call_kit_reaches(&k, CALL_TALKING));
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	stored("SELECT count(*) FROM call_steps WHERE step='digits' AND detail='1'", 1);
	end();
}

static void the_menu_waits_on(void)
{
	struct kit_call *customer;
	char path[1024];

	begin();
	k.engine->think_ms = 60000;
	customer = call_kit_dial(&k, "95598");
	check(call_kit_reaches(&k, CALL_IVR));
	kit_wait(300);
	strcpy(path, call_kit_newest(&k)->record.path);
	restart();
	check_int(call_kit_newest(&k)->state, CALL_IVR);
	check_str(call_kit_newest(&k)->record.path, path);
	check_str(ivr_session_node(&call_kit_newest(&k)->ivr), "main");
	check(strcmp(call_kit_newest(&k)->collect, k.engine->leg[0].collect) == 0);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	check_str(k.by, "customer");
	end();
}

/* The engine's events of that time are gone: what does not play any more is played again, what collects no
 * more has collected nothing. */
static void what_ended_unheard_begins_anew(void)
{
	struct kit_call *customer;
	struct engine_kit_leg *leg;

	begin();
	strcpy(k.engine->digits, "1");
	call_kit_ready(&k, "1001");
	k.phone[0]->mood = KIT_RING;
	customer = call_kit_dial(&k, "95598");
	check(call_kit_reaches(&k, CALL_OFFERING));
	kit_wait(60);
	leg = engine_kit_leg_at(k.engine, 0);
	check_str(engine_kit_playing(k.engine, leg->leg), "music/default");
	call_kit_kill(&k);
	leg->play[0] = leg->prompt[0] = '\0';
	call_kit_begin(&k);
	kit_wait(60);
	check_str(engine_kit_playing(k.engine, leg->leg), "music/default");
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	k.ended = 0;
	check(call_kit_empty(&k));
	k.engine->think_ms = 60000;
	k.engine->digits[0] = '\0';
	customer = call_kit_dial(&k, "95598");
	check(call_kit_reaches(&k, CALL_IVR));
	kit_wait(300);
	leg = engine_kit_leg_at(k.engine, 0);
	while (leg->collect[0] == '\0')
		leg++;
	call_kit_kill(&k);
	leg->collect[0] = '\0';
	call_kit_begin(&k);
	kit_wait(100);
	check(leg->collect[0] != '\0'); /* the menu asks again */
	check_str(ivr_session_node(&call_kit_newest(&k)->ivr), "main");
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	end();
}

static void agents_are_as_they_were(void)
{
	char why[200];

	begin();
	call_kit_ready(&k, "1001");
	check_int(desk_agent_set(&k.c, "1002", "sign_in", NULL, why, sizeof(why)), 0);
	check_int(desk_agent_set(&k.c, "1002", "not_ready", "break", why, sizeof(why)), 0);
	kit_wait(60);
	uint64_t since_ms = agent("1002").agent.since_ms;

	restart();
	check_int(agent("1001").agent.state, AGENT_READY);
	check_int(agent("1002").agent.state, AGENT_NOT_READY);
	check_int(agent("1002").agent.reason, 1);
	check(agent("1002").agent.since_ms <= since_ms + 5 &&
	      agent("1002").agent.since_ms + 5 >= since_ms);
	check_int(agent("1003").agent.state, AGENT_OFFLINE);
	check(agent("1001").reachable && agent("1003").reachable);
	check_int(desk_agent_set(&k.c, "1002", "sign_out", NULL, why, sizeof(why)), 0);
	kit_wait(60);
	restart();
	check_int(agent("1002").agent.state, AGENT_OFFLINE);
	end();
}

static void wrap_up_ends_when_it_would_have(void)
{
	struct kit_call *customer;

	begin();
	customer = talk();
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_agent_is(&k, 0, "wrap_up"));
	kit_wait(60);
	restart();
	check_int(agent("1001").agent.state, AGENT_WRAP_UP);
	check(call_kit_agent_is(&k, 0, "ready"));
	stored("SELECT count(*) FROM call_steps WHERE step='wrap_up_done'", 1);
	stored("SELECT wrap_up_ms BETWEEN 900 AND 1800 FROM calls", 1);
	end();
}

static void the_engine_is_lost_at_the_same_time(void)
{
	struct kit_call *customer, *phone;

	begin();
	customer = talk();
	phone = kit_last(k.phone[0]);
	call_kit_kill(&k);
	engine_kit_close(k.engine);
	check_int(engine_kit_open(k.engine, k.engine_path), 0);
	call_kit_begin(&k);
	check(kit_until(&customer->media, 1, 3000)); /* re-INVITE with the new address */
	check(kit_until(&phone->media, 1, 3000));
	kit_wait(60);
	check_int(engine_kit_legs(k.engine), 2);
	check_int(k.engine->hear_count, 2);
	check_int(engine_kit_recordings(k.engine, NULL), 1);
	sip_call_end(phone->call, 0, 16, NULL);
	check(kit_until(&customer->closed, 1, 3000));
	stored("SELECT count(*) FROM call_steps WHERE step='adopted' AND detail='another engine'",
	       1);
	stored("SELECT count(*) FROM recordings", 2);
	end();
}

static void no_engine_comes_back(void)
{
	struct kit_call *customer;

	begin();
	customer = talk();
	call_kit_kill(&k);
	engine_kit_close(k.engine);
	call_kit_begin(&k);
	k.c.engine_grace_ms = 200;
	recover_wait(&k.c);
	check(kit_until(&customer->closed, 1, 3000));
	check(call_kit_ended(&k, 1));
	check_str(k.cause, "engine_lost");
	check(call_kit_agent_is(&k, 0, "wrap_up"));
	end();
}

/* The engine's own timer, say, has ended the call; the daemon was not there to hear of it. */
static void a_call_that_the_engine_has_not_any_more_is_ended(void)
{
	struct kit_call *customer, *phone;

	begin();
	customer = talk();
	phone = kit_last(k.phone[0]);
	call_kit_kill(&k);
	usleep(400000);
	for (unsigned i = 0; i < ENGINE_KIT_LEGS; i++)
		k.engine->leg[i].used = false;
	for (unsigned i = 0; i < ENGINE_KIT_RECORDINGS; i++)
		k.engine->recording[i].id[0] = '\0';
	call_kit_begin(&k);
	check(kit_until(&customer->closed, 1, 3000));
	check(kit_until(&phone->closed, 1, 3000));
	check_str(k.cause, "failed");
	check(call_kit_agent_is(&k, 0, "wrap_up"));
	check(call_kit_empty(&k));
	/* The end is the time of the last row, not now. */
	stored("SELECT ended_ms < (SELECT at_ms FROM call_steps WHERE step='hangup') - 300 FROM "
	       "calls",
	       1);
	end();
}

static void legs_that_nobody_claims_are_closed(void)
{
	struct kit_call *customer;

	begin();
	customer = talk();
	call_kit_kill(&k);
	strcpy(k.engine->leg[500].call, k.engine->leg[0].call);
	strcpy(k.engine->leg[500].leg, "of-the-last-moment");
	strcpy(k.engine->leg[501].call, "nobody-s");
	strcpy(k.engine->leg[501].leg, "nobody-s.l1");
	k.engine->leg[500].used = k.engine->leg[501].used = true;
	call_kit_begin(&k);
	kit_wait(60);
	check_int(engine_kit_legs(k.engine), 2);
	sip_call_end(customer->call, 0, 16, NULL);
	end();
}

static bool serves(const char *agent, const char *queue)
{
	return acd_agent_serves(k.c.acd, acd_agent_find(k.c.acd, agent),
				acd_queue_find(k.c.acd, queue));
}

static bool paused(const char *queue)
{
	struct acd_queue_view v;

	return acd_queue_view(k.c.acd, acd_queue_find(k.c.acd, queue), 0, &v) && v.paused;
}

/* Pauses and levels that a supervisor has set, and what was set back. */
static void what_supervisors_set_stays(void)
{
	char why[160];

	begin();
	check(serves("1001", "service") && !serves("1003", "service"));
	check_int(centre_queue_pause(&k.c, "sales", true, why, sizeof(why)), 0);
	check_int(centre_queue_pause(&k.c, "service", true, why, sizeof(why)), 0);
	check_int(centre_queue_pause(&k.c, "service", false, why, sizeof(why)), 0);
	check_int(centre_agent_queue(&k.c, "1001", "service", 0, why, sizeof(why)), 0);
	check_int(centre_agent_queue(&k.c, "1003", "service", 3, why, sizeof(why)), 0);
	call_kit_kill(&k);
	call_kit_begin(&k);
	check(paused("sales") && !paused("service"));
	check(!serves("1001", "service") && serves("1003", "service"));
	check_int(centre_queue_pause(&k.c, "sales", false, why, sizeof(why)), 0);
	check_int(centre_agent_queue(&k.c, "1001", "service", 1, why, sizeof(why)), 0);
	call_kit_kill(&k);
	call_kit_begin(&k);
	check(!paused("sales"));
	check(serves("1001", "service") && serves("1003", "service"));
	end();
}

static void killed_while_it_ends(void)
{
	struct kit_call *customer, *phone;

	begin();
	customer = talk();
	phone = kit_last(k.phone[0]);
	call_end(call_kit_newest(&k), PARTY_OPERATOR, CALL_CAUSE_OPERATOR);
	journal_flush(&k.c);
	call_kit_kill(&k); /* neither BYE nor leg.close has gone anywhere, perhaps */
	k.ended = 0;
	call_kit_begin(&k);
	check(kit_until(&customer->closed, 1, 3000));
	check(kit_until(&phone->closed, 1, 3000));
	check(call_kit_empty(&k));
	check_int(engine_kit_legs(k.engine), 0);
	stored("SELECT count(*) FROM calls WHERE cause='operator'", 1);
	stored("SELECT count(*) FROM call_legs", 2);
	stored("SELECT count(*) FROM recordings WHERE complete=1", 1);
	stored("SELECT count(*) FROM call_steps WHERE step='hangup'", 1);
	end();
}

/* The record's end was stored, the journal's row was not yet: the record stands as it is. */
static void killed_between_record_and_journal(void)
{
	struct kit_call *customer;

	begin();
	customer = talk();
	call_end(call_kit_newest(&k), PARTY_OPERATOR, CALL_CAUSE_OPERATOR);
	call_kit_kill(&k);
	call_kit_begin(&k);
	check(kit_until(&customer->closed, 1, 3000));
	check(call_kit_empty(&k));
	stored("SELECT count(*) FROM calls WHERE cause='operator'", 1);
	end();
}

static void damaged_rows_end_their_calls_and_no_other(void)
{
	struct kit_call *customer, *other;
	char text[300], id[CLOCK_UUID_SIZE];

	begin();
	call_kit_ready(&k, "1002");
	other = NULL;
	customer = talk();
	strcpy(id, call_kit_newest(&k)->id);
	strcpy(k.engine->digits, "2,1");
	other = call_kit_dial(&k, "95598");
	while (call_kit_newest(&k)->state != CALL_TALKING ||
	       strcmp(call_kit_newest(&k)->id, id) == 0)
		kit_wait(10);
	kit_wait(60);
	call_kit_kill(&k);
	snprintf(text, sizeof(text), "UPDATE journal SET body=substr(body,1,700) WHERE id='%s'",
		 id);
	sql(text);
	sql("INSERT INTO journal VALUES('call','not-a-uuid',1,1,'{}'),('agent','9999',1,1,'{}'),"
	    "('agent','1003',1,1,'[1'),('binding','x "
	    "y',1,1,'{\"user\":\"x\"}'),('what','',1,1,'')");
	call_kit_begin(&k);
	kit_wait(100);
	centre_check(&k.c);
	check_int(k.c.calls_now, 1);
	check_int(other->closed, 0);
	check_int(engine_kit_legs(k.engine), 2);
	check(call_kit_agent_is(&k, 0, "wrap_up"));
	snprintf(text, sizeof(text),
		 "SELECT count(*) FROM calls WHERE call='%s' AND cause='failed' AND ended_ms>0",
		 id);
	stored(text, 1);
	stored("SELECT count(*) FROM journal WHERE kind='call'", 1);
	sip_call_end(other->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	sip_call_end(customer->call, 0, 16, NULL); /* nobody knows it any more: 481 */
	check(kit_until(&customer->closed, 1, 3000));
	end();
}

/* A row of a daemon that knows more: its dialogs are understood well enough to hang up. */
static void rows_of_a_newer_daemon_are_hung_up(void)
{
	struct kit_call *customer, *phone;

	begin();
	customer = talk();
	phone = kit_last(k.phone[0]);
	call_kit_kill(&k);
	sql("UPDATE journal SET version=99 WHERE kind='call'");
	call_kit_begin(&k);
	check(kit_until(&customer->closed, 1, 3000));
	check(kit_until(&phone->closed, 1, 3000));
	check(customer->by_peer && phone->by_peer);
	stored("SELECT count(*) FROM calls WHERE cause='failed'", 1);
	end();
}

static void who_is_parked_stays_there(void)
{
	struct kit_call *customer, *picker;
	char place[16], why[160];

	call_kit_open_stored(&k, "parking: {first: \"701\", places: 4, timeout_s: 60}\n");
	customer = talk();
	check_int(centre_park(&k.c, call_kit_newest(&k), NULL, place, sizeof(place), why,
			      sizeof(why)),
		  0);
	check(call_kit_reaches(&k, CALL_PARKED));
	kit_wait(100);
	restart();
	check_int(call_kit_newest(&k)->state, CALL_PARKED);
	check(tmr_isrunning(&call_kit_newest(&k)->park.timer));
	check_int(tmr_get_expire(&call_kit_newest(&k)->park.timer) < 60000, 1);
	picker = call_kit_dial_as(&k, 1, place);
	check(kit_until(&picker->answered, 1, 3000));
	check(call_kit_reaches(&k, CALL_TALKING));
	sip_call_end(customer->call, 0, 16, NULL);
	check(kit_until(&picker->closed, 1, 3000));
	end();
}

/* 1001 has asked 1002; `mood` of whose phone. */
static struct kit_call *asks_1002(enum kit_mood mood, struct kit_call **customer)
{
	char why[160];

	*customer = talk();
	k.phone[1]->mood = mood;
	check_int(consult_start(call_kit_newest(&k)->agent, "1002", why, sizeof(why)), 0);
	while (k.phone[1]->calls == 0)
		kit_wait(10);
	for (int i = 0;
	     i < 300 && mood == KIT_ANSWER && call_kit_newest(&k)->consult.state != CONSULT_TALKING;
	     i++)
		kit_wait(10);
	kit_wait(60);
	return kit_last(k.phone[1]);
}

static bool hear_each_other(const struct party *a, const struct party *b)
{
	return engine_kit_hears(k.engine, a->leg, b->leg) &&
	       engine_kit_hears(k.engine, b->leg, a->leg);
}

static void who_is_consulted_goes_on(void)
{
	struct kit_call *customer, *third;
	struct call *call;
	char why[160];

	begin();
	third = asks_1002(KIT_ANSWER, &customer);
	restart();
	call = call_kit_newest(&k);
	check_int(third->closed, 0);
	check_int(call->consult.state, CONSULT_TALKING);
	check_int(call->state, CALL_HELD);
	check_int(agent("1002").agent.others, 1);
	kit_wait(30);
	check_int(engine_kit_legs(k.engine), 3);
	check(hear_each_other(call->agent, call->consult.party));
	check(!engine_kit_hears(k.engine, call->customer->leg, call->agent->leg));
	check(engine_kit_playing(k.engine, call->customer->leg)[0] != '\0');

	/* All three, over a restart; then the two. */
	check_int(consult_conference(call, why, sizeof(why)), 0);
	kit_wait(60);
	restart();
	call = call_kit_newest(&k);
	check_int(call->consult.state, CONSULT_CONFERENCE);
	kit_wait(30);
	check(hear_each_other(call->agent, call->consult.party));
	check(hear_each_other(call->customer, call->consult.party));
	check(hear_each_other(call->customer, call->agent));
	check_int(consult_complete(call, why, sizeof(why)), 0);
	check_str(call->agent->number, "1002");
	sip_call_end(customer->call, 0, 16, NULL);
	check(kit_until(&third->closed, 1, 3000));
	check(call_kit_ended(&k, 1));
	end();
}

static void who_rings_to_be_consulted_is_let_go(void)
{
	struct kit_call *customer, *third;

	begin();
	third = asks_1002(KIT_RING, &customer);
	restart();
	check(kit_until(&third->closed, 1, 3000));
	check_int(call_kit_newest(&k)->state, CALL_TALKING);
	check_int(agent("1002").agent.others, 0);
	kit_wait(30);
	check_int(engine_kit_legs(k.engine), 2);
	check(hear_each_other(call_kit_newest(&k)->customer, call_kit_newest(&k)->agent));
	check_str(engine_kit_playing(k.engine, call_kit_newest(&k)->customer->leg), "");
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	end();
}

/* Who served a caller last is known after a restart, but not of a caller who withheld its number. */
static void who_served_whom_is_known_again(void)
{
	struct kit_call *customer;
	const char *agent = NULL;

	begin();
	customer = talk();
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_empty(&k));
	kit_wait(60);
	call_kit_kill(&k);
	sql("INSERT INTO calls(call,kind,from_number,to_number,queue,agent,started_ms,answered_ms) "
	    "SELECT 'x','in','13900139000','1',queue,agent,started_ms,answered_ms FROM calls");
	sql("UPDATE calls SET ended_ms=started_ms+1 WHERE call='x'");
	sql("INSERT INTO call_notes VALUES('x',1,'caller','withheld')");
	call_kit_begin(&k);
	for (int i = 0; i < 100 && agent == NULL; i++) {
		kit_wait(10);
		agent = regulars_get(k.c.regulars, "13800138000", clock_mono_ms(),
				     CENTRE_REGULAR_MS);
	}
	check(agent != NULL);
	check_str(agent, "1001");
	check(regulars_get(k.c.regulars, "13900139000", clock_mono_ms(), CENTRE_REGULAR_MS) ==
	      NULL);
	end();
}

/* Nobody has taught the journal about them. */
static void calls_of_strange_kinds_are_hung_up(void)
{
	struct kit_call *customer, *phone;

	begin();
	customer = talk();
	phone = kit_last(k.phone[0]);
	call_kit_kill(&k);
	sql("UPDATE journal SET body=replace(body,'\"state\":\"talking\"','\"state\":\"quantum\"') "
	    "WHERE "
	    "kind='call'");
	call_kit_begin(&k);
	check(kit_until(&customer->closed, 1, 3000));
	check(kit_until(&phone->closed, 1, 3000));
	check_str(k.cause, "failed");
	check(call_kit_agent_is(&k, 0, "wrap_up"));
	end();
}

static void who_dials_a_colleague_is_refused_and_who_talks_talks_on(void)
{
	struct kit_call *caller, *phone;

	begin();
	k.phone[1]->mood = KIT_RING;
	caller = call_kit_dial_as(&k, 0, "1002");
	check(kit_until(&caller->ringing, 1, 3000));
	while (k.phone[1]->calls == 0)
		kit_wait(10);
	kit_wait(60);
	restart();
	check(kit_until(&caller->closed, 1, 3000));
	check_int(caller->status, 503);
	check(kit_until(&kit_last(k.phone[1])->closed, 1, 3000));
	k.phone[1]->mood = KIT_ANSWER;
	caller = call_kit_dial_as(&k, 0, "1002");
	check(call_kit_reaches(&k, CALL_TALKING));
	kit_wait(60);
	phone = kit_last(k.phone[1]);
	restart();
	check_int(call_kit_newest(&k)->state, CALL_TALKING);
	sip_call_end(phone->call, 0, 16, NULL);
	check(kit_until(&caller->closed, 1, 3000));
	stored("SELECT count(*) FROM calls WHERE cause='failed'", 1);
	stored("SELECT count(*) FROM calls WHERE cause='normal'", 1);
	end();
}

static void a_message_is_taken_on(void)
{
	struct kit_call *customer;

	begin();
	strcpy(k.engine->digits, "3");
	customer = call_kit_dial(&k, "95598");
	check(call_kit_reaches(&k, CALL_MESSAGE));
	while (call_kit_newest(&k)->message_since_ms == 0)
		kit_wait(10);
	kit_wait(100);
	restart();
	check_int(call_kit_newest(&k)->state, CALL_MESSAGE);
	check(call_kit_newest(&k)->message_since_ms != 0);
	kit_wait(2000);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	check_str(k.cause, "message_left");
	stored("SELECT count(*) FROM recordings WHERE kind='voicemail' AND complete=1", 1);
	end();
}

/* Killed at any moment of a call's life: it ends in every book, and nothing is left anywhere. */
static void killed_at_every_moment(void)
{
	for (unsigned ms = 0; ms < 400; ms += 17) {
		struct kit_call *customer;

		begin();
		call_kit_ready(&k, "1001");
		strcpy(k.engine->digits, "1");
		customer = call_kit_dial(&k, "95598");
		check(customer != NULL);
		kit_wait(ms);
		restart();
		kit_wait(200);
		centre_check(&k.c);
		if (customer->call != NULL)
			sip_call_end(customer->call, 0, 16, NULL);
		check(kit_until(&customer->closed, 1, 8000));
		end();
	}
}

static const struct check_case cases[] = {
	CHECK_CASE(a_conversation_goes_on_and_the_customer_ends_it),
	CHECK_CASE(a_conversation_goes_on_and_the_agent_ends_it),
	CHECK_CASE(times_add_up),
	CHECK_CASE(hold_is_still_hold),
	CHECK_CASE(who_waits_keeps_the_place),
	CHECK_CASE(the_menu_goes_on_with_keys_pressed_meanwhile),
	CHECK_CASE(the_menu_waits_on),
	CHECK_CASE(what_ended_unheard_begins_anew),
	CHECK_CASE(agents_are_as_they_were),
	CHECK_CASE(wrap_up_ends_when_it_would_have),
	CHECK_CASE(the_engine_is_lost_at_the_same_time),
	CHECK_CASE(no_engine_comes_back),
	CHECK_CASE(a_call_that_the_engine_has_not_any_more_is_ended),
	CHECK_CASE(legs_that_nobody_claims_are_closed),
	CHECK_CASE(what_supervisors_set_stays),
	CHECK_CASE(killed_while_it_ends),
	CHECK_CASE(killed_between_record_and_journal),
	CHECK_CASE(damaged_rows_end_their_calls_and_no_other),
	CHECK_CASE(rows_of_a_newer_daemon_are_hung_up),
	CHECK_CASE(who_is_parked_stays_there),
	CHECK_CASE(who_is_consulted_goes_on),
	CHECK_CASE(who_served_whom_is_known_again),
	CHECK_CASE(who_rings_to_be_consulted_is_let_go),
	CHECK_CASE(calls_of_strange_kinds_are_hung_up),
	CHECK_CASE(who_dials_a_colleague_is_refused_and_who_talks_talks_on),
	CHECK_CASE(a_message_is_taken_on),
	CHECK_CASE(killed_at_every_moment),
};

int main(void)
{
	log_setup("test", LOG_LEVEL_ERROR);
	return check_run(cases, sizeof(cases) / sizeof(cases[0]));
}
