/* SPDX-License-Identifier: Apache-2.0
 *
 * One clock runs at a time. A step names the clock that runs from then on (or says that it does
 * not touch it), switching adds the elapsed time to the clock that ran: so wait + talk + hold can
 * never exceed the length of the call, and no interval is counted twice.
 */
#include "record/call_record.h"

#include <stdio.h>
#include <string.h>

#define STEP_NAME(id, name) [CALL_STEP_##id] = name,
static const char *const step_names[CALL_STEPS] = {CALL_STEP_TABLE(STEP_NAME)};
#undef STEP_NAME

#define CAUSE_ROW(id, name, q850, text) [CALL_CAUSE_##id] = {name, text, q850},
static const struct {
	const char *name, *text;
	uint8_t q850;
} causes[CALL_CAUSES] = {CALL_CAUSE_TABLE(CAUSE_ROW)};
#undef CAUSE_ROW

const char *call_step_name(enum call_step step)
{
	return step < CALL_STEPS ? step_names[step] : "?";
}

enum call_step call_step_find(const char *name)
{
	unsigned i = 0;

	while (i < CALL_STEPS && strcmp(step_names[i], name) != 0)
		i++;
	return (enum call_step)i;
}

const char *call_cause_name(enum call_cause cause)
{
	return cause < CALL_CAUSES ? causes[cause].name : "?";
}

const char *call_cause_text(enum call_cause cause)
{
	return cause < CALL_CAUSES ? causes[cause].text : "?";
}

uint8_t call_cause_q850(enum call_cause cause)
{
	return cause < CALL_CAUSES ? causes[cause].q850 : 0;
}

const char *call_kind_name(enum call_kind kind)
{
	static const char *const names[CALL_KINDS] = {
		[CALL_IN] = "in",           [CALL_INTERNAL] = "internal",
		[CALL_FEATURE] = "feature", [CALL_MONITOR] = "monitor",
		[CALL_OUT] = "out",         [CALL_CALLBACK] = "callback",
		[CALL_REMOTE] = "remote",
	};

	return kind < CALL_KINDS ? names[kind] : "?";
}

const char *call_party_name(enum call_party party)
{
	switch (party) {
	case PARTY_CUSTOMER:
		return "customer";
	case PARTY_AGENT:
		return "agent";
	case PARTY_SYSTEM:
		return "system";
	case PARTY_OPERATOR:
		return "operator";
	case PARTY_NONE:
		break;
	}
	return "";
}

enum call_cause call_cause_of_sip(unsigned status)
{
	switch (status) {
	case 403:
	case 603:
	case 401:
	case 407:
		return CALL_CAUSE_REJECTED;
	case 404:
	case 484:
	case 604:
		return CALL_CAUSE_NO_ROUTE;
	case 408:
	case 480:
		return CALL_CAUSE_UNREACHABLE;
	case 486:
	case 600:
		return CALL_CAUSE_BUSY;
	case 487:
		return CALL_CAUSE_NO_ANSWER;
	default:
		return status >= 200 && status < 300 ? CALL_CAUSE_NORMAL : CALL_CAUSE_FAILED;
	}
}

static void set(char *to, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	if (n >= CALL_RECORD_NAME_MAX)
		n = CALL_RECORD_NAME_MAX - 1;
	if (n > 0)
		memcpy(to, text, n);
	to[n] = '\0';
}

void call_record_begin(struct call_record *r, const char *call, enum call_kind kind,
		       const char *from, const char *to, uint64_t now_ms)
{
	*r = (struct call_record){.kind = kind, .started_ms = now_ms, .clock_since_ms = now_ms};
	set(r->call, call);
	set(r->from, from);
	set(r->to, to);
}

static void clock_switch(struct call_record *r, enum call_clock clock, uint64_t now_ms)
{
	uint64_t passed_ms = now_ms > r->clock_since_ms ? now_ms - r->clock_since_ms : 0;

	switch (r->clock) {
	case CALL_CLOCK_WAIT:
		r->wait_ms += passed_ms;
		break;
	case CALL_CLOCK_TALK:
		r->talk_ms += passed_ms;
		break;
	case CALL_CLOCK_HOLD:
		r->hold_ms += passed_ms;
		break;
	case CALL_CLOCK_NONE:
		break;
	}
	r->clock = clock;
	r->clock_since_ms = now_ms;
}

static void add_agent(struct call_record *r, const char *agent)
{
	if (agent == NULL || r->agent_count == CALL_RECORD_AGENTS_MAX)
		return;
	if (r->agent_count > 0 && strcmp(r->agents[r->agent_count - 1], agent) == 0)
		return;
	set(r->agents[r->agent_count++], agent);
}

/* A path that does not fit ends in "...". */
static void add_node(struct call_record *r, const char *node)
{
	static const char more[] = " ...";
	size_t have = strlen(r->path), len = node ? strlen(node) : 0;

	if (len == 0)
		return;
	if (have + 1 + len + sizeof(more) > sizeof(r->path)) {
		if (have < sizeof(more) || strcmp(r->path + have - (sizeof(more) - 1), more) != 0)
			memcpy(r->path + have, more, sizeof(more));
		return;
	}
	if (have > 0)
		r->path[have++] = ' ';
	memcpy(r->path + have, node, len + 1);
}

void call_record_step(struct call_record *r, enum call_step step, const char *detail,
		      uint64_t now_ms)
{
	if (r->ended_ms != 0)
		return;
	switch (step) {
	case CALL_STEP_IVR:
		add_node(r, detail);
		clock_switch(r, CALL_CLOCK_NONE, now_ms);
		break;
	case CALL_STEP_QUEUE:
		set(r->queue, detail);
		clock_switch(r, CALL_CLOCK_WAIT, now_ms);
		break;
	case CALL_STEP_OFFER:
		r->offers++;
		clock_switch(r, CALL_CLOCK_WAIT, now_ms);
		break;
	case CALL_STEP_ANSWER:
		add_agent(r, detail);
		if (r->answered_ms == 0)
			r->answered_ms = now_ms;
		clock_switch(r, CALL_CLOCK_TALK, now_ms);
		break;
	case CALL_STEP_HOLD:
		if (r->clock == CALL_CLOCK_TALK)
			clock_switch(r, CALL_CLOCK_HOLD, now_ms);
		break;
	case CALL_STEP_RESUME:
		if (r->clock == CALL_CLOCK_HOLD)
			clock_switch(r, CALL_CLOCK_TALK, now_ms);
		break;
	case CALL_STEP_PARK:
		clock_switch(r, CALL_CLOCK_HOLD, now_ms);
		break;
	case CALL_STEP_ROOM:
		if (r->answered_ms == 0)
			r->answered_ms = now_ms;
		clock_switch(r, CALL_CLOCK_TALK, now_ms);
		break;
	case CALL_STEP_CONFERENCE:
		add_agent(r, detail);
		break;
	case CALL_STEP_TRANSFER:
		clock_switch(r, CALL_CLOCK_NONE, now_ms);
		break;
	case CALL_STEP_MESSAGE:
		clock_switch(r, CALL_CLOCK_NONE, now_ms);
		break;
	case CALL_STEP_RECORD:
		if (r->recording[0] == '\0')
			set(r->recording, detail);
		break;
	case CALL_STEP_QUEUE_LEFT:
		clock_switch(r, CALL_CLOCK_NONE, now_ms);
		break;
	case CALL_STEP_RESOLVED:
	case CALL_STEP_TAKEOVER:
	case CALL_STEP_RECORD_CONTROL:
	case CALL_STEP_CALLBACK:
	case CALL_STEP_DIAL:
	case CALL_STEP_CONSULT:
	case CALL_STEP_ROOM_REFUSED:
	case CALL_STEP_RING:
	case CALL_STEP_DIGITS:
	case CALL_STEP_ANNOUNCE:
	case CALL_STEP_OFFER_VOID:
	case CALL_STEP_NO_ANSWER:
	case CALL_STEP_REJECT:
	case CALL_STEP_UNPARK:
	case CALL_STEP_PICK_UP:
	case CALL_STEP_MONITOR:
	case CALL_STEP_MEDIA_TIMEOUT:
	case CALL_STEP_ADOPTED:
	case CALL_STEP_ENGINE_LOST:
	case CALL_STEP_ENGINE_BACK:
	case CALL_STEP_HANGUP:
	case CALL_STEP_WRAP_UP:
	case CALL_STEP_WRAP_UP_DONE:
	case CALL_STEPS:
		break;
	}
}

void call_record_flow(struct call_record *r, const char *flow)
{
	if (r->flow[0] == '\0')
		set(r->flow, flow);
}

void call_record_end(struct call_record *r, enum call_party by, enum call_cause cause,
		     uint64_t now_ms)
{
	if (r->ended_ms != 0)
		return;
	if (by == PARTY_CUSTOMER && cause == CALL_CAUSE_NORMAL && r->clock == CALL_CLOCK_WAIT)
		cause = CALL_CAUSE_ABANDONED;
	clock_switch(r, CALL_CLOCK_NONE, now_ms);
	r->hung_up_by = by;
	r->cause = cause;
	r->ended_ms = now_ms > r->started_ms ? now_ms : r->started_ms;
	if (r->ended_ms == 0)
		r->ended_ms = 1; /* 0 means running */
}

double call_quality_mos(double lost_share, double jitter_ms, double rtt_ms)
{
	double lost_percent = lost_share * 100.0;
	double delay_ms = rtt_ms / 2 + jitter_ms * 2 + 20;
	double delay_loss = 0.024 * delay_ms;
	double r;

	if (delay_ms > 177.3)
		delay_loss += 0.11 * (delay_ms - 177.3);
	if (lost_percent < 0)
		lost_percent = 0;
	r = 93.2 - delay_loss - 95.0 * lost_percent / (lost_percent + 4.3);
	if (r < 0)
		return 1.0;
	if (r > 100)
		return 4.5;
	double mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;

	return mos < 1.0 ? 1.0 : mos; /* the cubic dips below 1 for R below 6.5 */
}
