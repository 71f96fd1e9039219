/* SPDX-License-Identifier: Apache-2.0
 *
 * Conference rooms: coming in by number, code and flow, PIN, moderation, leaving, another engine.
 */
#include "call/call_kit.h"
#include "call/conference.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "check.h"

static struct call_kit k;

static const char flow[] = "start: ask\n"
			   "languages: [en]\n"
			   "nodes:\n"
			   "  ask:\n"
			   "    menu: [welcome]\n"
			   "    digits: {\"1\": board, \"2\": pair}\n"
			   "    otherwise: hangup\n"
			   "  board: {conference: board, say: [please-wait], otherwise: sorry}\n"
			   "  pair: {conference: pair, busy: full, failed: sorry}\n"
			   "  full: {hangup: busy, say: [closed]}\n"
			   "  sorry: {hangup: normal, say: [goodbye]}\n";

static int act(const char *room, const char *action, const char *member)
{
	char why[200] = "";
	int err = centre_conference(&k.c, room, action, member, why, sizeof(why));

	check(err == 0 || why[0] != '\0');
	return err;
}

/* How many are in the room; -1: there is none such. */
static int members(const char *room)
{
	json_t *list = centre_conferences(&k.c);
	int n = -1;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *r = json_array_get(list, i);

		if (strcmp(json_string_value(json_object_get(r, "conference")), room) == 0)
			n = (int)json_array_size(json_object_get(r, "members"));
	}
	json_decref(list);
	return n;
}

struct wish {
	const char *room;
	int n;
};

static bool so_many(void *arg)
{
	const struct wish *w = arg;

	centre_check(&k.c);
	return members(w->room) == w->n;
}

static bool reaches(const char *room, int n)
{
	bool so = kit_run(so_many, &(struct wish){room, n}, 3000);

	kit_wait(60); /* legs have moved, phones were told */
	centre_check(&k.c);
	return so;
}

static unsigned legs_in(const char *engine_call)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ENGINE_KIT_LEGS; i++)
		n += k.engine->leg[i].used && strcmp(k.engine->leg[i].call, engine_call) == 0;
	return n;
}

static bool muted(const struct call *call)
{
	for (unsigned i = 0; i < ENGINE_KIT_LEGS; i++)
		if (k.engine->leg[i].used && strcmp(k.engine->leg[i].leg, call->customer->leg) == 0)
			return k.engine->leg[i].muted;
	check(false); /* it has no leg */
	return false;
}

static void come_and_go(void)
{
	struct kit_call *a, *b, *d;
	struct call *first, *second;
	char room[CLOCK_UUID_SIZE];

	call_kit_open(&k);
	call_kit_ready(&k, "1001");
	a = call_kit_dial_as(&k, 0, "8500");
	check(reaches("open", 1));
	first = call_kit_newest(&k);
	check_int(first->state, CALL_CONFERENCE);
	check_int(first->record.kind, CALL_INTERNAL);
	check_str(k.agent_state[0], "other"); /* no queue offers it a call */
	check_int(a->media, 1);               /* told of the leg in the room */
	check_int(a->remote.port, k.engine->port_next);
	snprintf(room, sizeof(room), "%s", conference_engine_call(first));
	check(strcmp(room, first->id) != 0);
	check_int(legs_in(room), 1);
	check_str(engine_kit_playing(k.engine, first->customer->leg), "music/default"); /* alone */
	check(!engine_kit_was(k.engine, "announce"));
	check_int(engine_kit_recordings(k.engine, room), 1);

	b = call_kit_dial_as(&k, 1, "*948500"); /* by the code */
	check(reaches("open", 2));
	second = call_kit_newest(&k);
	check_str(engine_kit_playing(k.engine, first->customer->leg), "");
	check(engine_kit_was(k.engine, "announce beep"));
	check_int(legs_in(room), 2);
	check_int(engine_kit_legs(k.engine), 2); /* those of before are closed */
	check_int(engine_kit_recordings(k.engine, room), 2);
	check_str(second->record.to, "*948500");

	d = call_kit_dial_as(&k, 2, "8500");
	check(reaches("open", 3));

	/* The first one leaves; the room goes on. */
	sip_call_end(a->call, 0, 16, NULL);
	check(reaches("open", 2));
	check(call_kit_agent_is(&k, 0, "ready"));
	check_int(legs_in(room), 2);
	kit_wait(200);
	sip_call_end(d->call, 0, 16, NULL);
	check(reaches("open", 1));
	check_str(engine_kit_playing(k.engine, second->customer->leg), "music/default");
	check(second->record.answered_ms != 0);
	sip_call_end(b->call, 0, 16, NULL);
	check(reaches("open", 0));
	check(call_kit_empty(&k));
	check_int(k.engine->recordings, 3); /* each has its own */
	check_int(k.engine->recordings_done, 3);
	check(engine_kit_was(k.engine, "call.close"));
	check(k.c.conferences.head == NULL);
	call_kit_close(&k);
}

static void over_a_restart(void)
{
	struct kit_call *a, *b, *d;
	char room[CLOCK_UUID_SIZE];
	struct call *second;
	unsigned told;

	call_kit_open_stored(&k, "");
	call_kit_ready(&k, "1001");
	a = call_kit_dial_as(&k, 0, "8500");
	check(reaches("open", 1));
	b = call_kit_dial_as(&k, 1, "8500");
	check(reaches("open", 2));
	snprintf(room, sizeof(room), "%s", conference_engine_call(call_kit_newest(&k)));
	check_int(act("open", "mute", "1002"), 0);
	check_int(act("open", "lock", NULL), 0);
	kit_wait(60);
	told = a->media;

	call_kit_kill(&k);
	call_kit_begin(&k);
	check(reaches("open", 2));
	second = call_kit_newest(&k);
	check_str(conference_engine_call(second), room);
	check_int(a->closed + b->closed, 0);
	check_int(a->media, told); /* no phone was told anything */
	check_int(legs_in(room), 2);
	check_int(engine_kit_recordings(k.engine, room), 2);
	check(second->room.muted == (strcmp(second->customer->number, "1002") == 0));
	check_str(k.agent_state[0], "other");
	d = call_kit_dial_as(&k, 2, "8500");
	check(kit_until(&d->closed, 1, 3000)); /* locked, as before */
	check_int(members("open"), 2);

	sip_call_end(a->call, 0, 16, NULL);
	check(reaches("open", 1));
	check(muted(call_kit_newest(&k)));
	check_str(engine_kit_playing(k.engine, call_kit_newest(&k)->customer->leg),
		  "music/default");
	check(call_kit_agent_is(&k, 0, "ready"));
	sip_call_end(b->call, 0, 16, NULL);
	check(reaches("open", 0));
	check(call_kit_empty(&k));
	check_int(k.engine->recordings_done, 2);
	call_kit_close(&k);
}

/* The engine was killed as well: the room is made anew. */
static void over_a_restart_of_both(void)
{
	struct kit_call *a, *b;

	call_kit_open_stored(&k, "");
	a = call_kit_dial_as(&k, 0, "8500");
	check(reaches("open", 1));
	b = call_kit_dial_as(&k, 1, "8500");
	check(reaches("open", 2));
	call_kit_kill(&k);
	engine_kit_close(k.engine);
	check_int(engine_kit_open(k.engine, k.engine_path), 0);
	call_kit_begin(&k);
	check(reaches("open", 2));
	check_int(a->closed + b->closed, 0);
	check_int(engine_kit_legs(k.engine), 2);
	sip_call_end(a->call, 0, 16, NULL);
	check(reaches("open", 1));
	sip_call_end(b->call, 0, 16, NULL);
	check(call_kit_empty(&k));
	call_kit_close(&k);
}

static void with_a_pin(void)
{
	struct kit_call *a, *b;

	call_kit_open(&k);
	strcpy(k.engine->digits, "1234,4711");
	a = call_kit_dial_as(&k, 0, "8501");
	check(reaches("board", 1));
	strcpy(k.engine->digits, "1,2,3");
	b = call_kit_dial_as(&k, 1, "8501");
	check(kit_until(&b->closed, 1, 3000));
	check_int(members("board"), 1);
	k.engine->digits[0] = '\0'; /* nothing is typed */
	b = call_kit_dial_as(&k, 1, "8501");
	check(kit_until(&b->closed, 1, 3000));
	check(!engine_kit_was(k.engine, "announce"));
	sip_call_end(a->call, 0, 16, NULL);
	check(call_kit_empty(&k));
	call_kit_close(&k);
}

static void moderated(void)
{
	struct kit_call *a, *b, *d;
	struct call *second;

	call_kit_open(&k);
	check_int(act("nowhere", "lock", NULL), -ENOENT);
	check_int(act("open", "lock", NULL), -EBUSY); /* nobody is there */
	a = call_kit_dial_as(&k, 0, "8500");
	check(reaches("open", 1));
	b = call_kit_dial_as(&k, 1, "8500");
	check(reaches("open", 2));
	second = call_kit_newest(&k);
	check_int(act("open", "mute", "1002"), 0);
	kit_wait(30);
	check(muted(second));
	check_int(act("open", "unmute", second->id + 28), 0);
	kit_wait(30);
	check(!muted(second));
	check_int(act("open", "mute", "1003"), -ENOENT);
	check_int(act("open", "mute", NULL), -ENOENT);

	check_int(act("open", "lock", NULL), 0);
	d = call_kit_dial_as(&k, 2, "8500");
	check(kit_until(&d->closed, 1, 3000));
	check_int(members("open"), 2);
	check_int(act("open", "unlock", NULL), 0);
	d = call_kit_dial_as(&k, 2, "8500");
	check(reaches("open", 3));

	check_int(act("open", "eject", "1002"), 0);
	check(kit_until(&b->closed, 1, 3000));
	check(reaches("open", 2));
	check_str(k.cause, "operator");
	check_int(act("open", "end", NULL), 0);
	check(kit_until(&a->closed, 1, 3000));
	check(kit_until(&d->closed, 1, 3000));
	check(call_kit_empty(&k));
	check_int(members("open"), 0);
	call_kit_close(&k);
}

static void brought_in(void)
{
	struct kit_call *a;
	struct call *call;

	call_kit_open(&k);
	call_kit_ready(&k, "1002");
	check_int(act("open", "add", "4711"), -ENOENT);
	check_int(act("open", "add", NULL), -EBUSY);
	check_int(act("open", "add", "1002"), 0); /* the first one: the room begins */
	call = call_kit_newest(&k);
	check(call_kit_agent_is(&k, 1, "other"));
	check(reaches("open", 1));
	check_int(kit_last(k.phone[1])->media, 1);
	check_int(call->record.kind, CALL_OUT);
	check_str(call->record.to, "1002");
	check_int(act("open", "add", "1002"), -EBUSY); /* it is there */
	check_int(act("open", "lock", NULL), 0);
	k.phone[2]->mood = KIT_BUSY;
	check_int(act("open", "add", "1003"), 0);
	check(call_kit_ended(&k, 1));
	check_str(k.cause, "busy");
	check(call_kit_agent_is(&k, 2, "signed_out"));
	k.phone[2]->mood = KIT_RING;
	check_int(act("open", "add", "1003"), 0);
	while (k.phone[2]->calls < 2)
		kit_wait(10);
	kit_wait(50);
	centre_check(&k.c);
	check_int(members("open"), 1);
	check_int(sip_call_answer(kit_last(k.phone[2])->call, &k.phone[2]->local), 0);
	check(reaches("open", 2)); /* locked or not */
	a = kit_last(k.phone[2]);
	check_int(act("open", "end", NULL), 0);
	check(kit_until(&a->closed, 1, 2000));
	check(call_kit_agent_is(&k, 1, "ready"));
	check(call_kit_empty(&k));
	call_kit_close(&k);
}

/* A member that puts us on hold would play its music to all. */
static void who_holds_is_not_heard(void)
{
	struct sip_media held;
	struct kit_call *a;
	struct call *call;

	call_kit_open(&k);
	a = call_kit_dial_as(&k, 0, "8500");
	check(reaches("open", 1));
	call = call_kit_newest(&k);
	held = k.phone[0]->local;
	held.direction = SIP_SENDONLY;
	check_int(sip_call_modify(a->call, &held), 0);
	check(kit_until(&a->media, 2, 2000));
	kit_wait(50);
	check(muted(call));
	held.direction = SIP_SENDRECV;
	check_int(sip_call_modify(a->call, &held), 0);
	kit_wait(100);
	check(!muted(call));
	sip_call_end(a->call, 0, 16, NULL);
	call_kit_close(&k);
}

static void from_outside_by_a_flow(void)
{
	struct kit_call *a, *b;
	json_t *problems = NULL;
	char path[200];
	FILE *f;

	call_kit_open(&k);
	snprintf(path, sizeof(path), "%s/flow.yaml", k.dir);
	f = fopen(path, "w");
	check(f != NULL && fputs(flow, f) >= 0 && fclose(f) == 0);
	json_decref(k.c.prompts);
	k.c.prompts = NULL;
	check_int(centre_reload_flows(&k.c, path, &problems), 0);
	json_decref(problems);
	remove(path);

	/* Nobody outside dials a room. */
	a = call_kit_dial(&k, "8500");
	check(kit_until(&a->closed, 1, 2000));
	check_int(a->status, 403);

	strcpy(k.engine->digits, "1,4711");
	a = call_kit_dial(&k, "95598");
	check(reaches("board", 1));
	check_int(call_kit_newest(&k)->state, CALL_CONFERENCE);
	sip_call_end(a->call, 0, 16, NULL);
	check(call_kit_empty(&k));

	strcpy(k.engine->digits, "1,1,1,1"); /* the PIN is wrong: the flow says goodbye */
	a = call_kit_dial(&k, "95598");
	check(kit_until(&a->closed, 1, 3000));
	check(engine_kit_was(k.engine, "play.start en/goodbye"));

	strcpy(k.engine->digits, "2,2,2"); /* and a room that is full */
	a = call_kit_dial(&k, "95598");
	check(reaches("pair", 1));
	b = call_kit_dial(&k, "95598");
	check(reaches("pair", 2));
	check(kit_until(&call_kit_dial(&k, "95598")->closed, 1, 3000));
	check(engine_kit_was(k.engine, "play.start en/closed"));
	sip_call_end(a->call, 0, 16, NULL);
	sip_call_end(b->call, 0, 16, NULL);
	check(call_kit_empty(&k));
	call_kit_close(&k);
}

/* An agent brings its customer into the room. */
static void a_customer_is_transferred_into_it(void)
{
	struct kit_call *customer, *a;
	struct call *call;
	char why[200];

	call_kit_open(&k);
	a = call_kit_dial_as(&k, 1, "8500");
	check(reaches("open", 1));
	call_kit_ready(&k, "1001");
	strcpy(k.engine->digits, "1");
	customer = call_kit_dial(&k, "95598");
	check(call_kit_reaches(&k, CALL_TALKING));
	call = call_kit_newest(&k);
	kit_wait(30);
	check_int(centre_transfer(&k.c, call, "8500", why, sizeof(why)), 0);
	check(reaches("open", 2));
	check_int(call->takes, 2); /* what was said to the agent, and the room */
	check(call_kit_agent_is(&k, 0, "ready"));
	sip_call_end(customer->call, 0, 16, NULL);
	sip_call_end(a->call, 0, 16, NULL);
	check(call_kit_empty(&k));
	call_kit_close(&k);
}

static void no_place_in_the_engine(void)
{
	struct kit_call *a;

	call_kit_open(&k);
	strcpy(k.engine->digits, "4711");
	k.engine->think_ms = 0;
	a = call_kit_dial_as(&k, 0, "8501");
	check(kit_until(&a->answered, 1, 2000));
	k.engine->fail_leg_open = 1;
	check(kit_until(&a->closed, 1, 3000));
	check(call_kit_empty(&k));
	check_int(members("board"), 0);
	check(k.c.conferences.head == NULL);
	call_kit_close(&k);
}

static void another_engine_has_the_room_too(void)
{
	struct kit_call *a, *b;
	struct call *first;
	char path[108];

	call_kit_open(&k);
	a = call_kit_dial_as(&k, 0, "8500");
	check(reaches("open", 1));
	first = call_kit_newest(&k);
	b = call_kit_dial_as(&k, 1, "8500");
	check(reaches("open", 2));
	check_int(act("open", "mute", "1001"), 0);
	memcpy(path, k.engine->path, sizeof(path));
	engine_kit_close(k.engine);
	kit_wait(50);
	check_int(engine_kit_open(k.engine, path), 0);
	check(kit_until(&a->media, 2, 4000));
	check(kit_until(&b->media, 2, 4000));
	kit_wait(150);
	centre_check(&k.c);
	check_int(legs_in(conference_engine_call(first)), 2);
	check(muted(first));
	check_int(engine_kit_recordings(k.engine, conference_engine_call(first)), 2);
	sip_call_end(a->call, 0, 16, NULL);
	check(reaches("open", 1));
	sip_call_end(b->call, 0, 16, NULL);
	check(call_kit_empty(&k));
	call_kit_close(&k);
}

static const struct check_case cases[] = {
	CHECK_CASE(come_and_go),
	CHECK_CASE(over_a_restart),
	CHECK_CASE(over_a_restart_of_both),
	CHECK_CASE(with_a_pin),
	CHECK_CASE(moderated),
	CHECK_CASE(brought_in),
	CHECK_CASE(who_holds_is_not_heard),
	CHECK_CASE(from_outside_by_a_flow),
	CHECK_CASE(a_customer_is_transferred_into_it),
	CHECK_CASE(no_place_in_the_engine),
	CHECK_CASE(another_engine_has_the_room_too),
};

int main(void)
{
	log_setup("test", getenv("LOUD") ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN);
	return check_run(cases, sizeof(cases) / sizeof(cases[0]));
}
