/* SPDX-License-Identifier: Apache-2.0
 *
 * A call is at most waiting or talking, and beside that agents may be in wrap-up of it. Each span is cut
 * to the window where it is added, and nowhere else; an instant is counted when it lies in the window.
 * Rows are found by an open-addressed hash of their keys.
 */
#include "record/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

enum { SERVICE_LEVEL_S = 20, SHORT_ABANDON_S = 5 };

#define NAME(kind, id, name) [TALLY_##kind##_##id] = #name,
static const char *const queue_names[] = {TALLY_QUEUE_TABLE(NAME)};
static const char *const agent_names[] = {TALLY_AGENT_TABLE(NAME)};
static const char *const reason_names[] = {TALLY_REASON_TABLE(NAME)};
static const char *const flow_names[] = {TALLY_FLOW_TABLE(NAME)};
#undef NAME

static const struct {
	const char *const *names;
	unsigned n;
} columns[TALLY_KINDS] = {
	[TALLY_QUEUE] = {queue_names, TALLY_QUEUE_COLUMNS},
	[TALLY_AGENT] = {agent_names, TALLY_AGENT_COLUMNS},
	[TALLY_REASON] = {reason_names, TALLY_REASON_COLUMNS},
	[TALLY_FLOW] = {flow_names, TALLY_FLOW_COLUMNS},
};

unsigned tally_columns(enum tally_kind kind)
{
	return columns[kind].n;
}

const char *tally_column_name(enum tally_kind kind, unsigned column)
{
	return column < columns[kind].n ? columns[kind].names[column] : "?";
}

uint64_t tally_start(uint64_t ms)
{
	return ms - ms % TALLY_INTERVAL_MS;
}

static void set(char *to, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	if (n >= CALL_RECORD_NAME_MAX)
		n = CALL_RECORD_NAME_MAX - 1;
	if (n > 0)
		memmove(to, text, n);
	to[n] = '\0';
}

void tally_begin(struct tally *t, uint64_t from_ms, uint64_t to_ms,
		 const struct tally_limits *limits, size_t n_limits)
{
	*t = (struct tally){
		.from_ms = from_ms, .to_ms = to_ms, .limits = limits, .n_limits = n_limits};
}

void tally_end(struct tally *t)
{
	free(t->rows);
	free(t->index);
	*t = (struct tally){0};
}

static uint32_t hash(enum tally_kind kind, const char *key, const char *sub)
{
	uint32_t h = 2166136261U ^ (uint32_t)kind; /* FNV-1a */

	for (const char *p = key; *p != '\0'; p++)
		h = (h ^ (uint8_t)*p) * 16777619U;
	h = (h ^ 0xff) * 16777619U;
	for (const char *p = sub; *p != '\0'; p++)
		h = (h ^ (uint8_t)*p) * 16777619U;
	return h;
}

/* The slot that holds the row, or the empty one where it belongs. */
static uint32_t *slot(struct tally *t, enum tally_kind kind, const char *key, const char *sub)
{
	size_t i = hash(kind, key, sub) & (t->index_size - 1);

	while (t->index[i] != 0) {
		const struct tally_row *r = &t->rows[t->index[i] - 1];

		if (r->kind == kind && strcmp(r->key, key) == 0 && strcmp(r->sub, sub) == 0)
			break;
		i = (i + 1) & (t->index_size - 1);
	}
	return &t->index[i];
}

/* Room for one more row; the index stays less than half full. */
static void grow(struct tally *t)
{
	if (t->n_rows == t->rows_max) {
		t->rows_max = t->rows_max ? t->rows_max * 2 : 32;
		t->rows = realloc(t->rows, t->rows_max * sizeof(*t->rows));
		must(t->rows != NULL);
	}
	if (t->n_rows * 2 < t->index_size)
		return;
	t->index_size = t->index_size ? t->index_size * 2 : 64;
	free(t->index);
	t->index = calloc(t->index_size, sizeof(*t->index));
	must(t->index != NULL);
	for (size_t i = 0; i < t->n_rows; i++)
		*slot(t, t->rows[i].kind, t->rows[i].key, t->rows[i].sub) = (uint32_t)i + 1;
}

struct tally_row *tally_row(struct tally *t, enum tally_kind kind, const char *key, const char *sub)
{
	struct tally_row fresh = {.kind = kind};
	uint32_t *at;

	set(fresh.key, key);
	set(fresh.sub, sub);
	grow(t);
	at = slot(t, kind, fresh.key, fresh.sub);
	if (*at == 0) {
		t->rows[t->n_rows++] = fresh;
		*at = (uint32_t)t->n_rows;
	}
	return &t->rows[*at - 1];
}

void tally_row_add(struct tally_row *to, const struct tally_row *from)
{
	must(to->kind == from->kind);
	for (unsigned i = 0; i < columns[to->kind].n; i++) {
		if (to->kind != TALLY_QUEUE || i != TALLY_QUEUE_WAIT_MAX_MS)
			to->n[i] += from->n[i];
		else if (to->n[i] < from->n[i])
			to->n[i] = from->n[i];
	}
}

static bool inside(const struct tally *t, uint64_t at_ms)
{
	return at_ms >= t->from_ms && at_ms < t->to_ms;
}

static void count(struct tally *t, enum tally_kind kind, const char *key, unsigned column,
		  uint64_t at_ms)
{
	if (inside(t, at_ms))
		tally_row(t, kind, key, "")->n[column]++;
}

/* The part of [since, until) that lies in the window. */
static uint64_t part_ms(const struct tally *t, uint64_t since_ms, uint64_t until_ms)
{
	uint64_t a = since_ms > t->from_ms ? since_ms : t->from_ms;
	uint64_t b = until_ms < t->to_ms ? until_ms : t->to_ms;

	return b > a ? b - a : 0;
}

static void lasted(struct tally *t, enum tally_kind kind, const char *key, const char *sub,
		   unsigned column, uint64_t since_ms, uint64_t until_ms)
{
	uint64_t ms = part_ms(t, since_ms, until_ms);

	if (ms > 0)
		tally_row(t, kind, key, sub)->n[column] += ms;
}

static struct tally_limits limits_of(const struct tally *t, const char *queue)
{
	for (size_t i = 0; i < t->n_limits; i++)
		if (strcmp(t->limits[i].queue, queue) == 0)
			return t->limits[i];
	return (struct tally_limits){.service_level_s = SERVICE_LEVEL_S,
				     .short_abandon_s = SHORT_ABANDON_S};
}

void tally_call_begin(struct tally_call *c, struct tally *t, bool callback)
{
	*c = (struct tally_call){.t = t, .callback = callback};
}

/* What talks or is held up to now is added; it may go on. */
static void settle(struct tally_call *c, uint64_t at_ms)
{
	if (!c->talking)
		return;
	lasted(c->t, TALLY_QUEUE, c->talk_queue, "",
	       c->held ? TALLY_QUEUE_HOLD_MS : TALLY_QUEUE_TALK_MS, c->since_ms, at_ms);
	if (c->held)
		lasted(c->t, TALLY_AGENT, c->agent, "", TALLY_AGENT_HOLD_MS, c->since_ms, at_ms);
	c->since_ms = at_ms;
}

static void talk_over(struct tally_call *c, uint64_t at_ms)
{
	settle(c, at_ms);
	c->talking = c->held = false;
}

static void count_queue(struct tally_call *c, const char *queue, unsigned column, uint64_t at_ms)
{
	if (!c->callback)
		count(c->t, TALLY_QUEUE, queue, column, at_ms);
}

static void overflow(struct tally_call *c, uint64_t at_ms)
{
	if (c->waiting)
		count_queue(c, c->queue, TALLY_QUEUE_OVERFLOWED, at_ms);
	c->waiting = false;
	c->ringing = 0;
}

static void enter(struct tally_call *c, enum call_step step, const char *queue, uint64_t at_ms)
{
	(void)step;
	overflow(c, at_ms);
	talk_over(c, at_ms);
	set(c->queue, queue);
	c->waiting = c->queued = true;
	c->resolved = false;
	c->since_ms = at_ms;
	count_queue(c, c->queue, TALLY_QUEUE_OFFERED, at_ms);
}

/* "QUEUE why": left the queue unserved, or was not let in. */
static void leave(struct tally_call *c, enum call_step step, const char *detail, uint64_t at_ms)
{
	char queue[CALL_RECORD_NAME_MAX];

	(void)step;
	if (c->waiting) {
		overflow(c, at_ms);
		return;
	}
	set(queue, detail);
	queue[strcspn(queue, " ")] = '\0';
	c->queued = true;
	c->resolved = false;
	count_queue(c, queue, TALLY_QUEUE_OFFERED, at_ms);
	count_queue(c, queue, TALLY_QUEUE_OVERFLOWED, at_ms);
}

static void waited(struct tally_call *c, unsigned sum, uint64_t at_ms)
{
	uint64_t ms = at_ms - c->since_ms;
	struct tally_row *r;

	if (!inside(c->t, at_ms))
		return;
	r = tally_row(c->t, TALLY_QUEUE, c->queue, "");
	r->n[sum] += ms;
	if (r->n[TALLY_QUEUE_WAIT_MAX_MS] < ms)
		r->n[TALLY_QUEUE_WAIT_MAX_MS] = ms;
}

/* A caller who waited was answered. */
static void served(struct tally_call *c, uint64_t at_ms)
{
	uint64_t ms = at_ms - c->since_ms;

	waited(c, TALLY_QUEUE_ANSWER_WAIT_MS, at_ms);
	count(c->t, TALLY_QUEUE, c->queue, TALLY_QUEUE_ANSWERED, at_ms);
	if (ms <= 20000)
		count(c->t, TALLY_QUEUE, c->queue, TALLY_QUEUE_ANSWERED_20S, at_ms);
	if (ms <= 30000)
		count(c->t, TALLY_QUEUE, c->queue, TALLY_QUEUE_ANSWERED_30S, at_ms);
	if (ms <= (uint64_t)limits_of(c->t, c->queue).service_level_s * 1000)
		count(c->t, TALLY_QUEUE, c->queue, TALLY_QUEUE_ANSWERED_IN_TIME, at_ms);
}

static void answer(struct tally_call *c, enum call_step step, const char *agent, uint64_t at_ms)
{
	(void)step;
	c->resolved = false;
	if (c->talking && strcmp(c->agent, agent) == 0)
		return; /* who took it over */
	talk_over(c, at_ms);
	if (!c->waiting)
		return; /* rung without a queue */
	if (c->callback) {
		count(c->t, TALLY_QUEUE, c->queue, TALLY_QUEUE_CALLED_BACK, at_ms);
		count(c->t, TALLY_AGENT, agent, TALLY_AGENT_REACHED, at_ms);
	} else {
		served(c, at_ms);
	}
	count(c->t, TALLY_AGENT, agent, TALLY_AGENT_ANSWERED, at_ms);
	c->waiting = false;
	c->ringing = 0;
	c->talking = true;
	c->since_ms = at_ms;
	set(c->agent, agent);
	memcpy(c->talk_queue, c->queue, sizeof(c->queue));
}

/* "customer: abandoned": who, and the cause. */
static void hang_up(struct tally_call *c, enum call_step step, const char *detail, uint64_t at_ms)
{
	(void)step;
	if (c->ended)
		return;
	if (c->waiting && !c->callback && strstr(detail, ": abandoned") != NULL) {
		uint64_t short_ms = (uint64_t)limits_of(c->t, c->queue).short_abandon_s * 1000;

		waited(c, TALLY_QUEUE_ABANDON_WAIT_MS, at_ms);
		count(c->t, TALLY_QUEUE, c->queue,
		      at_ms - c->since_ms < short_ms ? TALLY_QUEUE_ABANDONED_SHORT
						     : TALLY_QUEUE_ABANDONED_LONG,
		      at_ms);
		c->waiting = false;
	}
	overflow(c, at_ms);
	talk_over(c, at_ms);
	c->ended = true;
	c->ended_ms = at_ms;
	c->by_customer = strncmp(detail, "customer", 8) == 0;
}

static void wrap_begin(struct tally_call *c, enum call_step step, const char *agent, uint64_t at_ms)
{
	(void)step;
	if (c->wraps == TALLY_WRAPS_MAX || c->talk_queue[0] == '\0')
		return;
	set(c->wrap[c->wraps].agent, agent);
	memcpy(c->wrap[c->wraps].queue, c->talk_queue, sizeof(c->talk_queue));
	c->wrap[c->wraps++].since_ms = at_ms;
}

static void wrap_over(struct tally_call *c, unsigned i, uint64_t at_ms)
{
	lasted(c->t, TALLY_QUEUE, c->wrap[i].queue, "", TALLY_QUEUE_WRAP_UP_MS, c->wrap[i].since_ms,
	       at_ms);
	c->wrap[i] = c->wrap[--c->wraps];
}

static void wrap_done(struct tally_call *c, enum call_step step, const char *agent, uint64_t at_ms)
{
	(void)step;
	for (unsigned i = 0; i < c->wraps; i++) {
		if (strcmp(c->wrap[i].agent, agent) == 0) {
			wrap_over(c, i, at_ms);
			return;
		}
	}
}

static void offer(struct tally_call *c, enum call_step step, const char *agent, uint64_t at_ms)
{
	(void)step;
	if (!c->waiting)
		return; /* rung without a queue */
	count(c->t, TALLY_AGENT, agent, TALLY_AGENT_OFFERED, at_ms);
	if (c->ringing < TALLY_RINGING_MAX)
		set(c->rings[c->ringing++], agent);
}

/* "1001 after 4200 ms, by key": the customer who is called back is rung. */
static void dial(struct tally_call *c, enum call_step step, const char *detail, uint64_t at_ms)
{
	const char *after = strstr(detail, " after ");
	char agent[CALL_RECORD_NAME_MAX];

	(void)step;
	set(agent, detail);
	agent[strcspn(agent, " ")] = '\0';
	if (!inside(c->t, at_ms))
		return;
	count(c->t, TALLY_AGENT, agent, TALLY_AGENT_CALLS_BACK, at_ms);
	if (after != NULL)
		tally_row(c->t, TALLY_AGENT, agent, "")->n[TALLY_AGENT_DIAL_MS] +=
			strtoull(after + 7, NULL, 10);
}

/* "1001", "1001 rejected", "1001 unreachable": the end of an offer, if it was one; "1001: why" of one that nobody is
 * to blame for. */
static void refuse(struct tally_call *c, enum call_step step, const char *detail, uint64_t at_ms)
{
	char agent[CALL_RECORD_NAME_MAX];
	bool lost = strstr(detail, " unreachable") != NULL;

	set(agent, detail);
	agent[strcspn(agent, " :")] = '\0';
	for (unsigned i = 0; i < c->ringing; i++) {
		if (strcmp(c->rings[i], agent) != 0)
			continue;
		if (step != CALL_STEP_OFFER_VOID)
			count(c->t, TALLY_AGENT, agent,
			      step == CALL_STEP_NO_ANSWER ? TALLY_AGENT_NO_ANSWER
			      : lost                      ? TALLY_AGENT_UNREACHABLE
							  : TALLY_AGENT_REJECTED,
			      at_ms);
		memcpy(c->rings[i], c->rings[c->ringing - 1], sizeof(c->rings[i]));
		c->ringing--;
		return;
	}
}

static void hold(struct tally_call *c, enum call_step step, const char *detail, uint64_t at_ms)
{
	(void)detail;
	settle(c, at_ms);
	c->held = c->talking && step == CALL_STEP_HOLD;
}

static void resolve(struct tally_call *c, enum call_step step, const char *detail, uint64_t at_ms)
{
	(void)step;
	(void)detail;
	(void)at_ms;
	c->resolved = true;
}

/* The conversation goes on with another agent: a supervisor took it over. */
static void pass(struct tally_call *c, enum call_step step, const char *detail, uint64_t at_ms)
{
	(void)step;
	settle(c, at_ms);
	if (c->talking)
		set(c->agent, detail);
	c->held = false;
}

/* The conversation is over, and the call goes on. */
static void go_on(struct tally_call *c, enum call_step step, const char *detail, uint64_t at_ms)
{
	(void)detail;
	if (step == CALL_STEP_TRANSFER)
		overflow(c, at_ms);
	if (step != CALL_STEP_IVR)
		c->resolved = false;
	talk_over(c, at_ms);
}

typedef void step_fn(struct tally_call *c, enum call_step step, const char *detail, uint64_t at_ms);

/* The steps that change a sum. */
static step_fn *const on_step[CALL_STEPS] = {
	[CALL_STEP_QUEUE] = enter,        [CALL_STEP_QUEUE_LEFT] = leave,
	[CALL_STEP_OFFER] = offer,        [CALL_STEP_OFFER_VOID] = refuse,
	[CALL_STEP_NO_ANSWER] = refuse,   [CALL_STEP_REJECT] = refuse,
	[CALL_STEP_ANSWER] = answer,      [CALL_STEP_DIAL] = dial,
	[CALL_STEP_HOLD] = hold,          [CALL_STEP_RESUME] = hold,
	[CALL_STEP_RESOLVED] = resolve,   [CALL_STEP_IVR] = go_on,
	[CALL_STEP_MESSAGE] = go_on,      [CALL_STEP_CALLBACK] = go_on,
	[CALL_STEP_TRANSFER] = go_on,     [CALL_STEP_TAKEOVER] = pass,
	[CALL_STEP_PARK] = go_on,         [CALL_STEP_HANGUP] = hang_up,
	[CALL_STEP_WRAP_UP] = wrap_begin, [CALL_STEP_WRAP_UP_DONE] = wrap_done,
};

void tally_call_step(struct tally_call *c, enum call_step step, const char *detail, uint64_t at_ms)
{
	if (at_ms < c->at_ms)
		at_ms = c->at_ms;
	c->at_ms = at_ms;
	if (step < CALL_STEPS && on_step[step] != NULL)
		on_step[step](c, step, detail ? detail : "", at_ms);
}

void tally_call_end(struct tally_call *c, const char *flow, uint64_t now_ms)
{
	settle(c, now_ms > c->at_ms ? now_ms : c->at_ms);
	while (c->wraps > 0)
		wrap_over(c, c->wraps - 1, now_ms);
	if (!c->ended || flow[0] == '\0')
		return;
	count(c->t, TALLY_FLOW, flow, TALLY_FLOW_CALLERS, c->ended_ms);
	count(c->t, TALLY_FLOW, flow,
	      c->queued        ? TALLY_FLOW_QUEUED
	      : c->resolved    ? TALLY_FLOW_CONTAINED
	      : c->by_customer ? TALLY_FLOW_ABANDONED
			       : TALLY_FLOW_OTHER,
	      c->ended_ms);
}

void tally_agent_change(struct tally *t, const char *agent, const char *was, const char *state,
			uint64_t at_ms)
{
	bool was_out = strcmp(was, "signed_out") == 0;

	if (was_out && strcmp(state, "signed_out") != 0)
		count(t, TALLY_AGENT, agent, TALLY_AGENT_SIGN_INS, at_ms);
	if (!was_out && strcmp(was, "not_ready") != 0 && strcmp(state, "not_ready") == 0)
		count(t, TALLY_AGENT, agent, TALLY_AGENT_AWAYS, at_ms);
}

void tally_agent_state(struct tally *t, const char *agent, const char *state, const char *reason,
		       uint64_t since_ms, uint64_t until_ms)
{
	static const struct {
		const char *state;
		unsigned column;
	} words[] = {
		{"ready", TALLY_AGENT_READY_MS},     {"not_ready", TALLY_AGENT_NOT_READY_MS},
		{"ringing", TALLY_AGENT_RINGING_MS}, {"talking", TALLY_AGENT_TALKING_MS},
		{"wrap_up", TALLY_AGENT_WRAP_UP_MS}, {"other", TALLY_AGENT_OTHER_MS},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].state, state) != 0)
			continue;
		lasted(t, TALLY_AGENT, agent, "", words[i].column, since_ms, until_ms);
		lasted(t, TALLY_AGENT, agent, "", TALLY_AGENT_SIGNED_IN_MS, since_ms, until_ms);
		if (words[i].column == TALLY_AGENT_NOT_READY_MS)
			lasted(t, TALLY_REASON, agent, reason ? reason : "",
			       TALLY_REASON_NOT_READY_MS, since_ms, until_ms);
	}
}
