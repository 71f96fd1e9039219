/* SPDX-License-Identifier: Apache-2.0
 *
 * All times are whole seconds, so that a second lies in one interval and can be booked as one thing.
 */
#include "record/tally_kit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct tally_limits kit_limits[KIT_QUEUES] = {
	{"sales", 20, 5}, {"service", 30, 10}, {"operator", 12, 3}};

static const char *const agents[KIT_AGENTS] = {"1001", "1002", "1003", "1004", "1005"};
static const char *const flows[KIT_FLOWS] = {"hotline", "night"};

static uint64_t below(struct kit *k, uint64_t n)
{
	k->seed ^= k->seed << 13; /* xorshift64 */
	k->seed ^= k->seed >> 7;
	k->seed ^= k->seed << 17;
	return (k->seed >> 11) % n;
}

/* A length of time in seconds: often short, sometimes just a limit, seldom very long. */
static uint64_t length_s(struct kit *k)
{
	static const uint64_t limits[] = {0, 3, 5, 10, 12, 20, 30, 31, 900, 1800};

	switch (below(k, 8)) {
	case 0:
		return limits[below(k, 10)];
	case 1:
		return below(k, 4000);
	default:
		return below(k, 90);
	}
}

static struct tally *at(struct kit *k, uint64_t ms)
{
	size_t i = (ms - k->from_ms) / TALLY_INTERVAL_MS;

	return ms < k->now_ms && i < k->n_want ? &k->want[i] : NULL;
}

static void once(struct kit *k, enum tally_kind kind, const char *key, unsigned column, uint64_t ms,
		 uint64_t by)
{
	struct tally *t = at(k, ms);

	if (t != NULL)
		tally_row(t, kind, key, "")->n[column] += by;
}

static void each_second(struct kit *k, enum tally_kind kind, const char *key, const char *sub,
			unsigned column, uint64_t from_ms, uint64_t to_ms)
{
	for (uint64_t s = from_ms; s < to_ms; s += 1000) {
		struct tally *t = at(k, s);

		if (t != NULL)
			tally_row(t, kind, key, sub)->n[column] += 1000;
	}
}

/* Steps after the end of the history have not happened yet. */
static void step(struct kit *k, struct kit_call *c, uint64_t ms, enum call_step what,
		 const char *detail)
{
	unsigned i = c->n;

	if (ms >= k->now_ms || c->n == KIT_STEPS_MAX)
		return;
	while (i > 0 && c->step[i - 1].at_ms > ms) {
		c->step[i] = c->step[i - 1];
		i--;
	}
	c->step[i] = (struct kit_step){.at_ms = ms, .step = what};
	snprintf(c->step[i].detail, sizeof(c->step[i].detail), "%s", detail);
	c->n++;
}

static void longest(struct kit *k, const char *queue, uint64_t ms, uint64_t wait_ms)
{
	struct tally *t = at(k, ms);
	struct tally_row *r = t ? tally_row(t, TALLY_QUEUE, queue, "") : NULL;

	if (r != NULL && r->n[TALLY_QUEUE_WAIT_MAX_MS] < wait_ms)
		r->n[TALLY_QUEUE_WAIT_MAX_MS] = wait_ms;
}

static void dials(struct kit *k, struct kit_call *c, const char *agent, uint64_t ms)
{
	unsigned took_ms = (unsigned)below(k, 30000);
	char detail[80];

	snprintf(detail, sizeof(detail), "%s after %u ms, by key", agent, took_ms);
	step(k, c, ms, CALL_STEP_DIAL, detail);
	once(k, TALLY_AGENT, agent, TALLY_AGENT_CALLS_BACK, ms, 1);
	once(k, TALLY_AGENT, agent, TALLY_AGENT_DIAL_MS, ms, took_ms);
}

/* Offers that come to nothing; they take no time. */
static void vain_offers(struct kit *k, struct kit_call *c, uint64_t ms)
{
	static const struct {
		enum call_step step;
		const char *word;
		unsigned column;
	} ends[] = {
		{CALL_STEP_NO_ANSWER, "", TALLY_AGENT_NO_ANSWER},
		{CALL_STEP_REJECT, " rejected", TALLY_AGENT_REJECTED},
		{CALL_STEP_REJECT, " unreachable", TALLY_AGENT_UNREACHABLE},
	};

	for (uint64_t n = below(k, 3); n > 0; n--) {
		const char *agent = agents[below(k, KIT_AGENTS)];
		unsigned e = (unsigned)below(k, 3);
		char detail[80];

		step(k, c, ms, CALL_STEP_OFFER, agent);
		if (c->kind == CALL_CALLBACK && below(k, 2) == 0) {
			/* The agent takes it, and the customer does not answer. */
			dials(k, c, agent, ms);
			step(k, c, ms, CALL_STEP_NO_ANSWER, "13800138000 408");
			once(k, TALLY_AGENT, agent, TALLY_AGENT_OFFERED, ms, 1);
			continue;
		}
		snprintf(detail, sizeof(detail), "%s%s", agent, ends[e].word);
		step(k, c, ms, ends[e].step, detail);
		once(k, TALLY_AGENT, agent, TALLY_AGENT_OFFERED, ms, 1);
		once(k, TALLY_AGENT, agent, ends[e].column, ms, 1);
	}
}

/* The conversation; returns when it ends. */
static uint64_t talk(struct kit *k, struct kit_call *c, unsigned q, const char *agent, uint64_t ms)
{
	const char *queue = kit_limits[q].queue;

	for (unsigned part = 0;; part++) {
		uint64_t end_ms = ms + length_s(k) * 1000;

		each_second(k, TALLY_QUEUE, queue, "", TALLY_QUEUE_TALK_MS, ms, end_ms);
		ms = end_ms;
		if (part == 2 || below(k, 2) == 0)
			return ms;
		step(k, c, ms, CALL_STEP_HOLD, agent);
		end_ms = ms + length_s(k) * 1000;
		each_second(k, TALLY_QUEUE, queue, "", TALLY_QUEUE_HOLD_MS, ms, end_ms);
		each_second(k, TALLY_AGENT, agent, "", TALLY_AGENT_HOLD_MS, ms, end_ms);
		ms = end_ms;
		if (below(k, 4) == 0)
			return ms; /* ends while held */
		step(k, c, ms, CALL_STEP_RESUME, agent);
	}
}

static void wrap_up(struct kit *k, struct kit_call *c, unsigned q, const char *agent, uint64_t ms)
{
	uint64_t end_ms = ms + length_s(k) * 1000;

	step(k, c, ms, CALL_STEP_WRAP_UP, agent);
	step(k, c, end_ms, CALL_STEP_WRAP_UP_DONE, agent);
	each_second(k, TALLY_QUEUE, kit_limits[q].queue, "", TALLY_QUEUE_WRAP_UP_MS, ms, end_ms);
}

static void hang_up(struct kit *k, struct kit_call *c, uint64_t ms, const char *how,
		    unsigned outcome)
{
	step(k, c, ms, CALL_STEP_HANGUP, how);
	if (ms < k->now_ms)
		c->ended_ms = ms;
	if (c->flow[0] == '\0')
		return;
	once(k, TALLY_FLOW, c->flow, TALLY_FLOW_CALLERS, ms, 1);
	once(k, TALLY_FLOW, c->flow, outcome, ms, 1);
}

static void answered(struct kit *k, struct kit_call *c, unsigned q, const char *agent, uint64_t ms,
		     uint64_t wait_ms)
{
	const struct tally_limits *l = &kit_limits[q];

	step(k, c, ms, CALL_STEP_OFFER, agent);
	if (c->kind == CALL_CALLBACK)
		dials(k, c, agent, ms);
	step(k, c, ms, CALL_STEP_ANSWER, agent);
	once(k, TALLY_AGENT, agent, TALLY_AGENT_OFFERED, ms, 1);
	once(k, TALLY_AGENT, agent, TALLY_AGENT_ANSWERED, ms, 1);
	if (c->kind == CALL_CALLBACK) {
		once(k, TALLY_QUEUE, l->queue, TALLY_QUEUE_CALLED_BACK, ms, 1);
		once(k, TALLY_AGENT, agent, TALLY_AGENT_REACHED, ms, 1);
		return;
	}
	once(k, TALLY_QUEUE, l->queue, TALLY_QUEUE_ANSWERED, ms, 1);
	once(k, TALLY_QUEUE, l->queue, TALLY_QUEUE_ANSWER_WAIT_MS, ms, wait_ms);
	once(k, TALLY_QUEUE, l->queue, TALLY_QUEUE_ANSWERED_20S, ms, wait_ms <= 20000);
	once(k, TALLY_QUEUE, l->queue, TALLY_QUEUE_ANSWERED_30S, ms, wait_ms <= 30000);
	once(k, TALLY_QUEUE, l->queue, TALLY_QUEUE_ANSWERED_IN_TIME, ms,
	     wait_ms / 1000 <= l->service_level_s);
	longest(k, l->queue, ms, wait_ms);
}

/* From the queue's door to the end of the call. */
/* `moved`: from another queue, which lets nobody be refused. */
static void queue_story(struct kit *k, struct kit_call *c, uint64_t ms, unsigned depth, bool moved)
{
	unsigned q = (unsigned)below(k, KIT_QUEUES);
	const char *queue = kit_limits[q].queue,
		   *agent = agents[(c->first_agent + depth) % KIT_AGENTS];
	bool counted = c->kind != CALL_CALLBACK;
	uint64_t wait_ms = length_s(k) * 1000;
	char detail[80];

	once(k, TALLY_QUEUE, queue, TALLY_QUEUE_OFFERED, ms, counted);
	if (!moved && below(k, 10) == 0) { /* refused at the door */
		snprintf(detail, sizeof(detail), "%s full", queue);
		step(k, c, ms, CALL_STEP_QUEUE_LEFT, detail);
		once(k, TALLY_QUEUE, queue, TALLY_QUEUE_OVERFLOWED, ms, counted);
		hang_up(k, c, ms + 2000, "system: no_answer", TALLY_FLOW_QUEUED);
		return;
	}
	step(k, c, ms, CALL_STEP_QUEUE, queue);
	vain_offers(k, c, ms);
	ms += wait_ms;
	switch (below(k, 6)) {
	case 0: /* abandons */
		if (counted) {
			bool brief = wait_ms / 1000 < kit_limits[q].short_abandon_s;

			once(k, TALLY_QUEUE, queue,
			     brief ? TALLY_QUEUE_ABANDONED_SHORT : TALLY_QUEUE_ABANDONED_LONG, ms,
			     1);
			once(k, TALLY_QUEUE, queue, TALLY_QUEUE_ABANDON_WAIT_MS, ms, wait_ms);
			longest(k, queue, ms, wait_ms);
		}
		hang_up(k, c, ms, "customer: abandoned", TALLY_FLOW_QUEUED);
		return;
	case 1: /* waited too long, is moved, or is let go */
		once(k, TALLY_QUEUE, queue, TALLY_QUEUE_OVERFLOWED, ms, counted);
		if (depth < 3 && below(k, 2) == 0) {
			queue_story(k, c, ms, depth + 1, true);
			return;
		}
		snprintf(detail, sizeof(detail), "%s timeout", queue);
		if (below(k, 2) == 0)
			step(k, c, ms, CALL_STEP_QUEUE_LEFT, detail);
		hang_up(k, c, ms, "system: no_answer", TALLY_FLOW_QUEUED);
		return;
	default:
		break;
	}
	answered(k, c, q, agent, ms, wait_ms);
	ms = talk(k, c, q, agent, ms);
	if (depth < 3 && below(k, 4) == 0) {
		step(k, c, ms, CALL_STEP_TRANSFER, "elsewhere");
		wrap_up(k, c, q, agent, ms);
		queue_story(k, c, ms, depth + 1, false);
		return;
	}
	if (below(k, 3) == 0) { /* a survey */
		step(k, c, ms, CALL_STEP_IVR, "survey");
		wrap_up(k, c, q, agent, ms);
		hang_up(k, c, ms + 7000, "customer: normal", TALLY_FLOW_QUEUED);
		return;
	}
	hang_up(k, c, ms, "agent: normal", TALLY_FLOW_QUEUED);
	wrap_up(k, c, q, agent, ms);
}

static void make_call(struct kit *k, struct kit_call *c)
{
	uint64_t ms = k->from_ms + below(k, (k->now_ms - k->from_ms) / 1000) * 1000;
	unsigned way = (unsigned)below(k, 8);

	c->first_agent = (unsigned)below(k, KIT_AGENTS); /* nobody serves a call twice */
	c->kind = below(k, 9) == 0 ? CALL_CALLBACK : CALL_IN;
	step(k, c, ms, CALL_STEP_RING, "95598");
	if (c->kind == CALL_CALLBACK) {
		queue_story(k, c, ms, 0, false);
		return;
	}
	if (below(k, 5) == 0) { /* an agent's own number */
		step(k, c, ms, CALL_STEP_OFFER, "1001");
		step(k, c, ms + 3000, CALL_STEP_ANSWER, "1001");
		hang_up(k, c, ms + 60000, "customer: normal", 0);
		return;
	}
	snprintf(c->flow, sizeof(c->flow), "%s", flows[below(k, KIT_FLOWS)]);
	step(k, c, ms, CALL_STEP_IVR, "welcome");
	if (way == 0) {
		hang_up(k, c, ms + 9000, "customer: normal", TALLY_FLOW_ABANDONED);
	} else if (way <= 2) {
		step(k, c, ms + 20000, CALL_STEP_RESOLVED, "balance");
		hang_up(k, c, ms + 30000, way == 1 ? "customer: normal" : "system: flow_ended",
			TALLY_FLOW_CONTAINED);
	} else if (way == 3) {
		step(k, c, ms + 20000, CALL_STEP_RESOLVED, "balance");
		step(k, c, ms + 30000, CALL_STEP_MESSAGE, "rec");
		hang_up(k, c, ms + 40000, "system: message_left", TALLY_FLOW_OTHER);
	} else {
		if (way == 4) /* a resolution that did not last */
			step(k, c, ms + 2000, CALL_STEP_RESOLVED, "balance");
		queue_story(k, c, ms + 4000, 0, false);
	}
}

static void make_agent(struct kit *k, unsigned a, size_t *room)
{
	static const struct {
		const char *state;
		unsigned column;
	} words[] = {
		{"signed_out", TALLY_AGENT_COLUMNS},     {"ready", TALLY_AGENT_READY_MS},
		{"not_ready", TALLY_AGENT_NOT_READY_MS}, {"ringing", TALLY_AGENT_RINGING_MS},
		{"talking", TALLY_AGENT_TALKING_MS},     {"wrap_up", TALLY_AGENT_WRAP_UP_MS},
		{"other", TALLY_AGENT_OTHER_MS},
	};
	static const char *const reasons[] = {"", "lunch", "break"};
	uint64_t ms = k->from_ms + below(k, 3600) * 1000;

	for (unsigned was = 0; ms < k->now_ms;) {
		unsigned w = (unsigned)below(k, 7);
		const char *reason = w == 2 ? reasons[below(k, 3)] : "";
		uint64_t end_ms = ms + 1000 + length_s(k) * 1000;

		if (k->n_states == *room) {
			*room = *room ? *room * 2 : 256;
			k->states = realloc(k->states, *room * sizeof(*k->states));
		}
		k->states[k->n_states] =
			(struct kit_state){.at_ms = ms, .state = words[w].state, .reason = reason};
		snprintf(k->states[k->n_states].agent, sizeof(k->states[0].agent), "%s", agents[a]);
		k->n_states++;
		once(k, TALLY_AGENT, agents[a], TALLY_AGENT_SIGN_INS, ms, was == 0 && w > 0);
		once(k, TALLY_AGENT, agents[a], TALLY_AGENT_AWAYS, ms,
		     w == 2 && was != 0 && was != 2);
		was = w;
		if (w > 0) {
			each_second(k, TALLY_AGENT, agents[a], "", words[w].column, ms, end_ms);
			each_second(k, TALLY_AGENT, agents[a], "", TALLY_AGENT_SIGNED_IN_MS, ms,
				    end_ms);
		}
		if (w == 2)
			each_second(k, TALLY_REASON, agents[a], reason, TALLY_REASON_NOT_READY_MS,
				    ms, end_ms);
		ms = end_ms;
	}
}

struct kit *kit_make(uint64_t seed, uint64_t from_ms, unsigned hours, unsigned calls)
{
	struct kit *k = calloc(1, sizeof(*k));
	size_t room = 0;

	k->seed = seed * 2654435761U + 88172645463325252U;
	k->from_ms = from_ms;
	k->now_ms = from_ms + (uint64_t)hours * 3600000 + 421000; /* the newest interval is open */
	k->n_want = hours * 4 + 1;
	k->want = calloc(k->n_want, sizeof(*k->want));
	for (size_t i = 0; i < k->n_want; i++)
		tally_begin(&k->want[i], from_ms + i * TALLY_INTERVAL_MS,
			    from_ms + (i + 1) * TALLY_INTERVAL_MS, NULL, 0);
	k->calls = calloc(calls, sizeof(*k->calls));
	k->n_calls = calls;
	for (unsigned i = 0; i < calls; i++) {
		snprintf(k->calls[i].id, sizeof(k->calls[i].id), "call-%06u", i);
		make_call(k, &k->calls[i]);
	}
	for (unsigned a = 0; a < KIT_AGENTS; a++)
		make_agent(k, a, &room);
	return k;
}

void kit_free(struct kit *k)
{
	for (size_t i = 0; i < k->n_want; i++)
		tally_end(&k->want[i]);
	free(k->want);
	free(k->calls);
	free(k->states);
	free(k);
}

static const struct tally_row *find(const struct tally *t, const struct tally_row *r)
{
	for (size_t i = 0; i < t->n_rows; i++)
		if (t->rows[i].kind == r->kind && strcmp(t->rows[i].key, r->key) == 0 &&
		    strcmp(t->rows[i].sub, r->sub) == 0)
			return &t->rows[i];
	return NULL;
}

/* A row of zeroes is as good as none. */
static bool covers(const struct tally *a, const struct tally *b, const char *what)
{
	for (size_t i = 0; i < a->n_rows; i++) {
		const struct tally_row *r = &a->rows[i], *s = find(b, r);

		for (unsigned n = 0; n < tally_columns(r->kind); n++) {
			if (r->n[n] == (s ? s->n[n] : 0))
				continue;
			printf("interval %" PRIu64 ", %s %s: %s is %" PRIu64 " %s and %" PRIu64
			       " not so\n",
			       a->from_ms, r->key, r->sub, tally_column_name(r->kind, n), r->n[n],
			       what, s ? s->n[n] : 0);
			return false;
		}
	}
	return true;
}

bool kit_same(const struct tally *got, const struct tally *want)
{
	return covers(got, want, "computed") && covers(want, got, "expected");
}
