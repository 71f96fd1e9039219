/* SPDX-License-Identifier: Apache-2.0
 *
 * Rooms and who is in them: see conference.h. The engine mixes; here is who may come in, whose leg goes
 * where, and what is heard when somebody comes or leaves.
 */
#include "call/conference_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/must.h"
#include "call/journal.h"

enum { PIN_TRIES = 3, PIN_FIRST_MS = 10000, PIN_NEXT_MS = 5000, RING_MS = 45000 };

struct conference *conference_find(const struct centre *c, const char *name)
{
	struct le *le;

	LIST_FOREACH(&c->conferences, le) {
		struct conference *k = le->data;

		if (strcmp(k->name, name) == 0)
			return k;
	}
	return NULL;
}

const struct config_conference *conference_dialled(const struct centre *c, const char *number)
{
	const char *code = c->config->features.conference;
	size_t n = strlen(code);

	if (n > 0 && strncmp(number, code, n) == 0)
		number += n;
	return config_conference_find(c->config, number);
}

const char *conference_engine_call(const struct call *call)
{
	return call->room.in != NULL ? call->room.in->id : call->id;
}

bool conference_is(const struct centre *c, const char *engine_call)
{
	struct le *le;

	LIST_FOREACH(&c->conferences, le) {
		const struct conference *k = le->data;

		if (strcmp(k->id, engine_call) == 0)
			return true;
	}
	return false;
}

void conference_touch(const struct conference *k)
{
	struct le *le;

	LIST_FOREACH(&k->members, le) {
		journal_touch(le->data);
	}
}

void conference_publish(struct call *call, const char *what)
{
	centre_publish(call->centre, "conference",
		       json_pack("{s:s,s:s,s:s,s:s,s:i}", "conference", call->room.name, "call",
				 call->id, "party", call->customer ? call->customer->number : "",
				 "what", what, "members",
				 (int)(call->room.in ? call->room.in->n : 0)));
}

/* --- what is heard ------------------------------------------------------------------------- */

/* A word in the caller's language, or a tone where it was not recorded. */
static json_t *word(struct call *call, const char *what, const char *tone)
{
	const struct centre *c = call->centre;
	const char *lang = call->flow_runs ? ivr_session_language(&call->ivr)
			   : c->config->n_hotlines && c->config->hotlines[0].language[0]
				   ? c->config->hotlines[0].language
				   : "en";
	char prompt[IVR_PROMPT_MAX];

	snprintf(prompt, sizeof(prompt), "%s/conference/%s", lang, what);
	return json_object_get(c->prompts, prompt) != NULL ? party_prompt(prompt)
							   : party_tone(tone);
}

/* To all members, over the talk, when there are so many. */
static void announce(struct call *call, const char *what, unsigned at_least)
{
	struct conference *k = call->room.in;
	const struct config_conference *conf =
		config_conference_find(call->centre->config, k->name);
	char play[CALL_ID_MAX];

	if ((conf != NULL && !conf->announce) || k->n < at_least)
		return;
	snprintf(play, sizeof(play), "%s.p%u", k->id, ++k->serial);
	engine_request(call->centre->engine, "play.start",
		       json_pack("{s:s,s:s,s:o}", "call", k->id, "play", play, "items",
				 word(call, what, "beep")),
		       NULL, NULL);
}

/* Who is alone hears music. */
static void music(struct conference *k)
{
	struct le *le;

	LIST_FOREACH(&k->members, le) {
		struct call *call = le->data;
		struct party *p = call->customer;
		const struct config_conference *conf =
			config_conference_find(call->centre->config, k->name);

		if (p == NULL || !p->has_local)
			continue;
		if (k->n > 1 && p->play_use == PLAY_MUSIC)
			party_play_stop(p);
		else if (k->n == 1 && p->play_use != PLAY_MUSIC && conf != NULL &&
			 conf->music[0] != '\0')
			party_play(p, PLAY_MUSIC, party_prompt(conf->music), 0, NULL);
	}
}

void conference_mute(struct call *call)
{
	bool muted = call->room.muted || call->customer->held;

	engine_request(call->centre->engine, "room.set",
		       json_pack("{s:s,s:b}", "leg", call->customer->leg, "muted", muted), NULL,
		       NULL);
}

void conference_held(struct call *call)
{
	if (call->room.in != NULL && call->customer != NULL)
		conference_mute(call);
}

/* --- coming in ----------------------------------------------------------------------------- */

/* No room for this caller: the flow is told, or the caller, who is then hung up. */
static void turned_away(struct call *call, const char *why, enum ivr_dial_done how)
{
	char detail[CALL_DETAIL_MAX];

	log_info("call", "[call=%s] does not come into conference %s: %s", call->id,
		 call->room.name, why);
	snprintf(detail, sizeof(detail), "%.50s %.20s", call->room.name, why);
	call_note(call, CALL_STEP_ROOM_REFUSED, detail);
	call->room.name[0] = '\0';
	call_set_state(call, CALL_IVR);
	if (call->flow_runs) {
		flow_tell(call, &(struct ivr_event){.kind = IVR_EV_DIAL_DONE, .dial = how});
		return;
	}
	call->goodbye = "conference";
	party_play(call->customer, PLAY_GOODBYE, word(call, why, "busy"), 1, NULL);
}

static void on_entered(struct call *call, struct party *p, int err, const json_t *result,
		       const struct rpc_error *why)
{
	const json_t *local = json_object_get(result, "local");
	const char *ip = json_string_value(json_object_get(local, "ip"));
	json_int_t port = json_integer_value(json_object_get(local, "port"));
	const struct sip_media *remote;

	if (p->state == PARTY_ENDING) {
		party_gone(p);
		return;
	}
	if (err != 0 || ip == NULL || port <= 0 || port > 65535 ||
	    party_local(p, ip, (uint16_t)port) != 0) {
		log_warn("call", "[call=%s] no place in conference %s: %s", call->id,
			 call->room.name, why ? why->message : strerror(err ? -err : EPROTO));
		p->leg_wanted = false;
		call_end(call, PARTY_SYSTEM,
			 why != NULL ? CALL_CAUSE_OVERLOADED : CALL_CAUSE_ENGINE_LOST);
		return;
	}
	p->has_local = true;
	remote = sip_call_remote(p->sip);
	if (remote != NULL)
		party_apply_media(p, remote);
	party_srtp_again(p);
	sip_call_modify(p->sip, &p->local);
	if (p->held)
		conference_mute(call);
	call_note(call, CALL_STEP_ROOM, call->room.name);
	record_follow(call);
	announce(call, "joined", 2);
	music(call->room.in);
	conference_publish(call, "joined");
	call_publish(call);
}

/* The first member makes it. */
static struct conference *open_room(struct centre *c, const char *name)
{
	struct conference *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	snprintf(k->name, sizeof(k->name), "%s", name);
	clock_uuid7(&c->uuids, k->id);
	k->since_ms = clock_wall_ms();
	if (engine_request(c->engine, "call.open", json_pack("{s:s,s:b}", "call", k->id, "room", 1),
			   NULL, NULL) != 0) {
		free(k);
		return NULL;
	}
	list_append(&c->conferences, &k->le, k);
	log_info("call", "conference %s begins (%s)", name, k->id);
	return k;
}

/* The leg goes into the room: made there anew, and the phone is told by re-INVITE. */
static void go_in(struct call *call)
{
	struct centre *c = call->centre;
	struct party *p = call->customer;
	struct conference *k = conference_find(c, call->room.name);
	struct ticket *t;

	if (k == NULL)
		k = open_room(c, call->room.name);
	if (k == NULL) {
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_ENGINE_LOST);
		return;
	}
	if (p->play_use != PLAY_NOTHING)
		party_play_stop(p);
	record_stop(call); /* a take is of one leg */
	engine_leg_close(c->engine, p->leg, NULL, NULL);
	snprintf(p->leg, sizeof(p->leg), "%s.l%u", call->id, ++call->serial);
	p->has_local = false;
	call->room.in = k;
	call->room.since_ms = clock_wall_ms();
	list_append(&k->members, &call->room.le, call);
	k->n++;
	journal_touch(call);
	t = call_ticket_new(call, p, on_entered);
	if (t == NULL || engine_leg_open(c->engine, k->id, p->leg, party_leg_members(p),
					 call_ticket_reply, t) != 0) {
		call_ticket_drop(t);
		p->leg_wanted = false;
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_ENGINE_LOST);
	}
}

static void on_collect(struct call *call, struct party *p, int err, const json_t *result,
		       const struct rpc_error *why)
{
	(void)p;
	(void)result;
	(void)why;
	if (err != 0 && call->state == CALL_CONFERENCE && call->room.collect[0] != '\0')
		conference_pin(call, "");
}

static void ask_pin(struct call *call, const char *what)
{
	struct engine_collect how = {.max = CONFIG_PIN_MAX,
				     .min = 1,
				     .terminators = "#",
				     .first_timeout_ms = PIN_FIRST_MS,
				     .inter_timeout_ms = PIN_NEXT_MS,
				     .secret = true};
	struct party *p = call->customer;
	struct ticket *t;

	party_play(p, PLAY_CONFIRM, word(call, what, "beep"), 1, ENGINE_ANY_KEY);
	call_make_id(call, 'c', call->room.collect);
	t = call_ticket_new(call, p, on_collect);
	if (t == NULL || engine_collect_start(call->centre->engine, p->leg, call->room.collect,
					      &how, call_ticket_reply, t) != 0) {
		call_ticket_drop(t);
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_ENGINE_LOST);
	}
}

/* Is there a place? Otherwise the caller has been told. */
static bool has_place(struct call *call, const struct config_conference *conf)
{
	const struct conference *k = conference_find(call->centre, conf->name);

	if (k != NULL && k->locked) {
		turned_away(call, "locked", IVR_DIAL_BUSY);
		return false;
	}
	if (k != NULL && k->n >= conf->members_max) {
		turned_away(call, "full", IVR_DIAL_BUSY);
		return false;
	}
	return true;
}

void conference_enter(struct call *call, const char *name)
{
	const struct config_conference *conf = config_conference_find(call->centre->config, name);

	if (conf == NULL) { /* gone with a reload */
		if (call->flow_runs)
			flow_tell(call, &(struct ivr_event){.kind = IVR_EV_DIAL_DONE,
							    .dial = IVR_DIAL_FAILED});
		else
			call_end(call, PARTY_SYSTEM, CALL_CAUSE_NO_ROUTE);
		return;
	}
	if (party_answer(call->customer) != 0) {
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_FAILED);
		return;
	}
	snprintf(call->room.name, sizeof(call->room.name), "%s", conf->name);
	call->room.tries = 0;
	if (!has_place(call, conf))
		return;
	call_set_state(call, CALL_CONFERENCE);
	if (conf->pin[0] != '\0')
		ask_pin(call, "pin");
	else
		go_in(call);
}

void conference_pin(struct call *call, const char *digits)
{
	const struct config_conference *conf =
		config_conference_find(call->centre->config, call->room.name);

	call->room.collect[0] = '\0';
	if (call->state != CALL_CONFERENCE || call->room.in != NULL)
		return;
	if (conf == NULL || call->customer->play_use == PLAY_CONFIRM)
		party_play_stop(call->customer);
	if (conf == NULL)
		turned_away(call, "failed", IVR_DIAL_FAILED);
	else if (strcmp(digits, conf->pin) != 0 && ++call->room.tries < PIN_TRIES)
		ask_pin(call, "wrong-pin");
	else if (strcmp(digits, conf->pin) != 0)
		turned_away(call, "refused", IVR_DIAL_FAILED);
	else if (has_place(call, conf)) /* it may have been locked meanwhile */
		go_in(call);
}

/* --- brought in ---------------------------------------------------------------------------- */

static void ring(struct party *p)
{
	const struct config_trunk *trunk =
		p->agent >= 0 ? NULL : config_trunk_for(p->call->centre->config, p->number);
	int err = party_invite(p, p->number, trunk, RING_MS);

	if (err == 0)
		return;
	log_info("call", "[call=%s] %s cannot be rung: %s", p->call->id, p->number, strerror(-err));
	call_end(p->call, PARTY_SYSTEM, CALL_CAUSE_UNREACHABLE);
}

/* Why `number` cannot be brought in; 0: it can. */
static int may_add(struct centre *c, const struct config_conference *conf, const char *number,
		   char *why, size_t why_size)
{
	const struct conference *k = conference_find(c, conf->name);
	int agent = acd_agent_find(c->acd, number);

	if (config_agent_find(c->config, number) == NULL &&
	    config_trunk_for(c->config, number) == NULL) {
		snprintf(why, why_size, "%s is no agent or number that a trunk takes", number);
		return -ENOENT;
	}
	if (dial_is_busy(c, agent) || desk_has_dnd(c, agent)) {
		snprintf(why, why_size, "%s is busy", number);
		return -EBUSY;
	}
	if (k != NULL && k->n >= conf->members_max) {
		snprintf(why, why_size, "conference %s is full", conf->name);
		return -EBUSY;
	}
	if (!engine_is_up(c->engine)) {
		snprintf(why, why_size, "the engine is not connected");
		return -ENOTCONN;
	}
	return 0;
}

int conference_add(struct centre *c, const char *name, const char *number, char *why,
		   size_t why_size)
{
	const struct config_conference *conf = config_conference_find(c->config, name);
	struct call *call;
	struct party *p;
	int err;

	if (conf == NULL) {
		snprintf(why, why_size, "there is no conference %s", name);
		return -ENOENT;
	}
	err = may_add(c, conf, number, why, why_size);
	if (err != 0)
		return err;
	call = call_begin(c, CALL_OUT, conf->number[0] ? conf->number : conf->name, number);
	if (call == NULL) {
		snprintf(why, why_size, "no memory");
		return -EBUSY;
	}
	p = party_new(call, PARTY_IS_CUSTOMER, number, acd_agent_find(c->acd, number));
	must(p != NULL); /* the call is new */
	call->customer = p;
	snprintf(call->room.name, sizeof(call->room.name), "%s", conf->name);
	call_set_state(call, CALL_CONFERENCE);
	call_note(call, CALL_STEP_OFFER, number);
	if (p->agent >= 0)
		desk_other(c, p->agent, call->number, true);
	party_open(p, ring);
	return 0;
}

void conference_answered(struct party *p)
{
	struct call *call = p->call;

	call->answered = true;
	if (call->room.in == NULL)
		go_in(call);
}

/* --- leaving ------------------------------------------------------------------------------- */

void conference_leave(struct call *call)
{
	if (call->room.in != NULL)
		record_stop(call);
}

void conference_left(struct call *call)
{
	struct conference *k = call->room.in;
	struct centre *c = call->centre;

	if (k == NULL)
		return;
	list_unlink(&call->room.le);
	k->n--;
	if (strcmp(k->floor, call->id) == 0)
		k->floor[0] = '\0';
	if (k->n == 0) {
		log_info("call", "conference %s is over", k->name);
		engine_call_close(c->engine, k->id, NULL, NULL);
		list_unlink(&k->le);
	} else {
		announce(call, "left", 1);
		music(k);
	}
	conference_publish(call, "left");
	call->room.in = NULL;
	if (k->n == 0)
		free(k);
}

void conference_forget(struct call *call)
{
	struct conference *k = call->room.in;

	call->room.in = NULL;
	list_unlink(&call->room.le);
	if (k != NULL && --k->n == 0) {
		list_unlink(&k->le);
		free(k);
	}
}

/* --- engine -------------------------------------------------------------------------------- */

void conference_floor(struct centre *c, const json_t *event)
{
	const char *id = json_string_value(json_object_get(event, "call"));
	const char *leg = json_string_value(json_object_get(event, "leg"));
	struct le *le;

	LIST_FOREACH(&c->conferences, le) {
		struct conference *k = le->data;

		if (id != NULL && strcmp(k->id, id) == 0)
			snprintf(k->floor, sizeof(k->floor), "%.*s", CLOCK_UUID_SIZE - 1,
				 leg != NULL ? leg : "");
	}
}

void conference_remake(struct centre *c)
{
	struct le *le;

	LIST_FOREACH(&c->conferences, le) {
		struct conference *k = le->data;

		k->floor[0] = '\0';
		engine_request(c->engine, "call.open",
			       json_pack("{s:s,s:b}", "call", k->id, "room", 1), NULL, NULL);
	}
}

void conference_resume(struct call *call)
{
	if (call->room.in == NULL && !call->customer->answered)
		return; /* it rings */
	if (call->room.in == NULL) {
		conference_pin(call, ""); /* what was typed is lost */
		return;
	}
	if (call->room.muted || call->customer->held)
		conference_mute(call);
	music(call->room.in);
}
