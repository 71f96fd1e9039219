/* SPDX-License-Identifier: Apache-2.0
 *
 * Parking: the caller waits with music in a numbered place for whoever dials its number. Nobody is
 * forgotten there: after a while the phone of who parked it rings.
 */
#include "call/park.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

enum { RINGBACK_S = 20 };

bool park_dialled(const struct centre *c, const char *number, int *place)
{
	*place = -1;
	if (c->config->parking.places == 0)
		return false;
	if (strcmp(number, c->config->features.park) == 0)
		return true;
	*place = config_parking_place(c->config, number);
	return *place >= 0;
}

/* --- places -------------------------------------------------------------------------------- */

struct places {
	bool taken[CONFIG_PARKING_MAX];
	int wanted;
	struct call *found;
};

static void look(struct call *call, void *arg)
{
	struct places *p = arg;

	if (call->state == CALL_ENDING || call->park.place < 0)
		return;
	p->taken[call->park.place] = true;
	if (call->park.place == p->wanted)
		p->found = call;
}

static struct call *parked_at(struct centre *c, int place)
{
	struct places p = {.wanted = place};

	if (place >= 0)
		call_each(c, look, &p);
	return p.found;
}

static int free_place(struct centre *c)
{
	struct places p = {.wanted = -1};

	call_each(c, look, &p);
	for (int i = 0; i < c->config->parking.places; i++)
		if (!p.taken[i])
			return i;
	return -1;
}

/* --- parking ------------------------------------------------------------------------------- */

static void on_timeout(void *arg);

static void wait_there(struct call *call)
{
	const struct config_parking *k = &call->centre->config->parking;

	call_set_state(call, CALL_PARKED);
	party_play(call->customer, PLAY_MUSIC, party_prompt(k->music), 0, NULL);
	tmr_start(&call->park.timer, k->timeout_s * UINT64_C(1000), on_timeout, call);
}

/* The number of the place in the agent's ear, then the line is let go. */
static void tell_place(struct party *p, const char *number)
{
	struct centre *c = p->call->centre;
	const char *lang = feature_language(c);
	struct ivr_items items = {0};

	ivr_say_prompt(lang, "agent/parked", &items);
	ivr_say(c->say, lang, IVR_SAY_DIGITS, number, &items);
	party_play(p, PLAY_PARTING, party_items(&items), 1, NULL);
}

/* The agent called the other party: who is parked is the one who was called. */
static void turn_round(struct call *call)
{
	struct party *agent = call->customer;

	call->customer = call->agent;
	call->agent = agent;
	call->customer->role = PARTY_IS_CUSTOMER;
	agent->role = PARTY_IS_AGENT;
}

int park_call(struct call *call, int place, bool tell, char *why, size_t why_size)
{
	struct centre *c = call->centre;
	char number[16], detail[CALL_DETAIL_MAX];
	struct party *agent;

	if (call->customer == NULL || call->agent == NULL ||
	    (call->state != CALL_TALKING && call->state != CALL_HELD)) {
		snprintf(why, why_size, "call %s is %s; only a call that talks can be parked",
			 call->id, call_state_name(call->state));
		return -EBUSY;
	}
	if (call->consult.state != CONSULT_NONE) {
		snprintf(why, why_size, "agent %s is asking somebody", call->agent->number);
		return -EBUSY;
	}
	if (call->agent->agent < 0 && call->customer->agent >= 0)
		turn_round(call);
	if (place >= c->config->parking.places || (place < 0 && c->config->parking.places == 0)) {
		snprintf(why, why_size, "there is no such parking place");
		return -ENOENT;
	}
	if (place < 0)
		place = free_place(c);
	if (place < 0 || parked_at(c, place) != NULL) {
		snprintf(why, why_size, "%s",
			 place < 0 ? "every parking place is taken" : "the parking place is taken");
		return -EBUSY;
	}
	agent = call->agent;
	config_parking_number(c->config, place, number, sizeof(number));
	snprintf(detail, sizeof(detail), "%s by %.31s", number, agent->number);
	call->park.place = place;
	call->park.ringbacks = 0;
	call->park.since_ms = clock_wall_ms();
	snprintf(call->park.by, sizeof(call->park.by), "%s", agent->number);
	call_note(call, CALL_STEP_PARK, detail);
	talk_release_agent(call);
	call->dial = DIAL_NONE;
	if (tell)
		tell_place(agent, number);
	else
		party_end(agent, 0, SIP_CAUSE_NORMAL, "parked");
	monitor_agent_changed(call);
	flow_stop(call);
	record_follow(call);
	wait_there(call);
	return 0;
}

bool park_refer(struct party *p, const char *to)
{
	struct call *call = p->call;
	char why[160] = "";
	int place;

	if (!park_dialled(call->centre, to, &place))
		return false;
	if (p != call->agent && (p != call->customer || p->agent < 0))
		return false;
	if (place >= 0 && parked_at(call->centre, place) != NULL) {
		sip_call_refer_progress(p->sip, 486, "Parking Place Is Taken");
		return true;
	}
	sip_call_refer_progress(p->sip, 200, "OK");
	if (park_call(call, place, false, why, sizeof(why)) != 0)
		log_info("call", "[call=%s] %s cannot park it: %s", call->id, p->number, why);
	return true;
}

bool park_key(struct party *p, char key)
{
	struct call *call = p->call;
	const char *code = call->centre->config->features.park;
	char why[160] = "";

	if (call->centre->config->parking.places == 0)
		return false;
	call->park.keys = key == code[call->park.keys] ? call->park.keys + 1u : key == code[0];
	if (code[call->park.keys] != '\0')
		return false;
	call->park.keys = 0;
	if (park_call(call, -1, true, why, sizeof(why)) == 0)
		return true;
	log_info("call", "[call=%s] %s cannot park it: %s", call->id, p->number, why);
	return false;
}

/* --- and back ------------------------------------------------------------------------------ */

static void on_timeout(void *arg)
{
	struct call *call = arg;
	char number[16], detail[CALL_DETAIL_MAX];

	if (call->state != CALL_PARKED)
		return;
	call->park.ringbacks++;
	config_parking_number(call->centre->config, call->park.place, number, sizeof(number));
	snprintf(detail, sizeof(detail), "%s time-out, rings %.31s", number, call->park.by);
	call_note(call, CALL_STEP_UNPARK, detail);
	party_play_stop(call->customer);
	dial_start(call, call->park.by, RINGBACK_S, DIAL_PARKED);
}

void park_again(struct call *call)
{
	const struct config_parking *k = &call->centre->config->parking;
	const char *queue = call->record.queue;
	char number[16], detail[CALL_DETAIL_MAX];

	if (call->park.ringbacks < k->ringbacks) {
		config_parking_number(call->centre->config, call->park.place, number,
				      sizeof(number));
		snprintf(detail, sizeof(detail), "%s again", number);
		call_note(call, CALL_STEP_PARK, detail);
		wait_there(call);
		return;
	}
	park_over(call);
	if (queue[0] != '\0')
		queue_enter(call, queue, BACK_TO_QUEUE_PRIORITY);
	else
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_NO_ANSWER);
}

void park_resume(struct call *call, uint64_t left_ms)
{
	const struct config_parking *k = &call->centre->config->parking;
	uint64_t max_ms = k->timeout_s * UINT64_C(1000);

	tmr_start(&call->park.timer, left_ms < max_ms ? left_ms : max_ms, on_timeout, call);
}

void park_over(struct call *call)
{
	tmr_cancel(&call->park.timer);
	call->park.place = -1;
}

int park_retrieve(struct centre *c, const char *place, const char *to, char *why, size_t why_size)
{
	struct call *call = parked_at(c, config_parking_place(c->config, place));
	char detail[CALL_DETAIL_MAX];

	if (call == NULL) {
		snprintf(why, why_size, "nobody is parked at %s", place);
		return -ENOENT;
	}
	if (config_agent_find(c->config, to) == NULL) {
		snprintf(why, why_size, "there is no agent %s", to);
		return -ENOENT;
	}
	if (call->state != CALL_PARKED) {
		snprintf(why, why_size, "who is parked at %s is being connected", place);
		return -EBUSY;
	}
	tmr_cancel(&call->park.timer);
	snprintf(detail, sizeof(detail), "%s rings %s", place, to);
	call_note(call, CALL_STEP_UNPARK, detail);
	party_play_stop(call->customer);
	dial_start(call, to, 0, DIAL_PARKED);
	return 0;
}

static void add_row(struct call *call, void *arg)
{
	struct centre *c = call->centre;
	char number[16];
	json_t *row;

	if (call->state == CALL_ENDING || call->park.place < 0)
		return;
	config_parking_number(c->config, call->park.place, number, sizeof(number));
	row = json_pack("{s:s,s:s,s:s,s:s,s:I,s:I}", "slot", number, "call", call->id, "from",
			call->customer ? call->customer->number : "", "by", call->park.by,
			"since_ms", (json_int_t)call->park.since_ms, "timeout_ms",
			(json_int_t)tmr_get_expire(&call->park.timer));
	if (row != NULL)
		json_array_append_new(arg, row);
}

json_t *park_rows(struct centre *c)
{
	json_t *list = json_array();

	call_each(c, add_row, list);
	return list;
}

int park_named(struct call *call, const char *place, char *number, size_t number_size, char *why,
	       size_t why_size)
{
	struct centre *c = call->centre;
	int at = place != NULL ? config_parking_place(c->config, place) : -1, err;

	if (place != NULL && at < 0) {
		snprintf(why, why_size, "%s is no parking place", place);
		return -ENOENT;
	}
	err = park_call(call, at, true, why, why_size);
	if (err == 0)
		config_parking_number(c->config, call->park.place, number, number_size);
	return err;
}
