/* SPDX-License-Identifier: Apache-2.0
 * A caller in a real flow: production's interpreter, with somebody who presses keys.
 *
 * As control/call/flow_run.c: what stands behind a prompt begins when the prompt has been heard. Most
 * callers press a key that a menu might have, some none, some any; some hang up at a step.
 */
#include <stdlib.h>
#include <string.h>

#include "sim_priv.h"

static bool is_open(void *arg, const char *calendar)
{
	const struct sim *s = arg;

	(void)calendar;
	return s->now_ms / 3600000 % 24 >= 7 && s->now_ms / 3600000 % 24 < 22;
}

static struct ivr_now now_of(struct sim *s)
{
	return (struct ivr_now){.now_ms = s->now_ms, .arg = s, .say = s->say, .open = is_open};
}

static void do_it(struct sim *s, struct sim_call *c, const struct sim_flow_do *d);

static int queue_named(const struct sim *s, const char *name)
{
	for (uint32_t q = 0; q < s->n_queues; q++)
		if (s->queue[q].rule != NULL && strcmp(s->queue[q].rule->name, name) == 0)
			return (int)q;
	return SIM_NONE;
}

/* Carry out a list of actions: the last one decides when the flow goes on. */
static void carry_out(struct sim *s, struct sim_call *c)
{
	const struct ivr_actions *todo = s->todo;
	uint64_t heard_ms = s->now_ms;
	bool played = false;

	if (todo->n > 0)
		sim_call_step(s, c, CALL_STEP_IVR, ivr_session_node(c->ivr));
	for (unsigned i = 0; i < todo->n; i++) {
		const struct ivr_action *a = &todo->action[i];
		uint64_t think_ms;

		switch (a->kind) {
		case IVR_ANSWER:
		case IVR_RECORD:
		case IVR_NOTE:
		case IVR_RESOLVED:
			break;
		case IVR_PLAY:
			heard_ms += a->items.n * SIM_STEP_MS;
			played = true;
			sim_call_next(s, c, SIM_NEXT_PLAYED, heard_ms);
			break;
		case IVR_COLLECT:
			think_ms = 300 + sim_random_below(&c->random, 4000);
			if (think_ms > a->collect.first_timeout_ms)
				think_ms = a->collect.first_timeout_ms;
			c->flow_do = (struct sim_flow_do){
				.kind = IVR_COLLECT, .min = a->collect.min, .max = a->collect.max};
			sim_call_next(s, c, SIM_NEXT_KEYS, heard_ms + think_ms);
			break;
		case IVR_QUEUE:
		case IVR_VOICEMAIL:
		case IVR_DIAL:
		case IVR_CONFERENCE:
		case IVR_LOOKUP:
		case IVR_CALLBACK:
		case IVR_HANGUP:
			c->flow_do = (struct sim_flow_do){.kind = a->kind,
							  .cause = a->cause,
							  .priority = a->priority,
							  .max_s = a->voicemail.max_s};
			memcpy(c->flow_do.name, a->name, sizeof(c->flow_do.name));
			if (played)
				sim_call_next(s, c, SIM_NEXT_DO, heard_ms);
			else
				do_it(s, c, &c->flow_do);
			return;
		}
	}
}

void sim_flow_begin(struct sim *s, struct sim_call *c)
{
	struct ivr_now now = now_of(s);

	if (s->plan->flow == NULL) {
		sim_call_end(s, c, PARTY_SYSTEM, CALL_CAUSE_NO_ROUTE);
		return;
	}
	c->flow_runs = true;
	c->place = SIM_IN_FLOW;
	ivr_start(c->ivr, s->plan->flow, "13800138000", "95598", NULL, &now, s->todo);
	carry_out(s, c);
}

void sim_flow_tell(struct sim *s, struct sim_call *c, const struct ivr_event *ev)
{
	struct ivr_now now = now_of(s);

	if (ivr_event(c->ivr, ev, &now, s->todo) != 0) {
		sim_breaks(s, "the flow of caller %u did not wait for event %d at node %s",
			   c->serial, (int)ev->kind, ivr_session_node(c->ivr));
		return;
	}
	if (s->todo->n == 0 && !c->ivr->over) {
		sim_breaks(s, "the flow of caller %u stands still at node %s", c->serial,
			   ivr_session_node(c->ivr));
		return;
	}
	carry_out(s, c);
}

void sim_flow_end(struct sim *s, struct sim_call *c)
{
	struct ivr_now now = now_of(s);

	if (c->flow_runs && !c->ivr->over)
		(void)ivr_event(c->ivr, &(struct ivr_event){.kind = IVR_EV_HUNG_UP}, &now, s->todo);
	if (c->flow_runs)
		ivr_end(c->ivr);
	c->flow_runs = false;
}

/* --- what takes time ----------------------------------------------------------------------- */

static void hang_up(struct sim *s, struct sim_call *c, enum ivr_cause why)
{
	static const enum call_cause cause[] = {
		[IVR_CAUSE_NORMAL] = CALL_CAUSE_FLOW_ENDED,
		[IVR_CAUSE_BUSY] = CALL_CAUSE_BUSY,
		[IVR_CAUSE_REJECTED] = CALL_CAUSE_REJECTED,
		[IVR_CAUSE_FAILED] = CALL_CAUSE_FAILED,
	};

	sim_call_end(s, c, PARTY_SYSTEM, cause[why]);
}

static void promise(struct sim *s, struct sim_call *c, const struct sim_flow_do *d)
{
	int queue = queue_named(s, d->name);
	bool taken = queue >= 0 && sim_call_promise(s, c, queue, d->priority);

	sim_flow_tell(s, c, &(struct ivr_event){.kind = IVR_EV_CALLBACK_DONE, .taken = taken});
}

static void do_it(struct sim *s, struct sim_call *c, const struct sim_flow_do *d)
{
	int queue;

	switch (d->kind) {
	case IVR_QUEUE:
		queue = queue_named(s, d->name);
		if (queue >= 0) {
			sim_call_enter(s, c, queue, d->priority);
			break;
		}
		sim_flow_tell(
			s, c,
			&(struct ivr_event){.kind = IVR_EV_QUEUE_LEFT, .queue = IVR_QUEUE_FAILED});
		break;
	case IVR_VOICEMAIL:
		sim_tell(s, "caller %u leaves a message in %s", c->serial, d->name);
		sim_call_next(s, c, SIM_NEXT_DONE,
			      s->now_ms + sim_random_below(&c->random, d->max_s * 1000 + 1));
		break;
	case IVR_DIAL:
	case IVR_CONFERENCE:
		sim_tell(s, "caller %u is connected to %s", c->serial, d->name);
		sim_call_next(s, c, SIM_NEXT_DONE,
			      s->now_ms + 1000 + sim_random_below(&c->random, 120000));
		break;
	case IVR_LOOKUP:
		sim_call_next(s, c, SIM_NEXT_DONE,
			      s->now_ms + 20 + sim_random_below(&c->random, 2000));
		break;
	case IVR_CALLBACK:
		promise(s, c, d);
		break;
	case IVR_HANGUP:
		hang_up(s, c, d->cause);
		break;
	case IVR_ANSWER:
	case IVR_PLAY:
	case IVR_COLLECT:
	case IVR_RECORD:
	case IVR_NOTE:
	case IVR_RESOLVED:
		break;
	}
}

/* By the shares that were given, or by what menus usually have. */
static char key_of(const struct sim *s, struct sim_random *r, bool wild)
{
	static const char likely[] = "12345", any[] = "0123456789*#";
	const double *share = s->plan->people.key;
	double sum = 0, x;

	for (unsigned i = 0; i < 12; i++)
		sum += share[i];
	if (sum <= 0)
		return wild ? any[sim_random_below(r, 12)] : likely[sim_random_below(r, 5)];
	x = sim_random_unit(r) * sum;
	for (unsigned i = 0; i < 12; i++)
		if ((x -= share[i]) < 0)
			return any[i];
	return '0';
}

static void press(struct sim *s, struct sim_call *c)
{
	struct sim_random *r = &c->random;
	unsigned min = c->flow_do.min > 0 ? c->flow_do.min : 1, max = c->flow_do.max;
	unsigned n = min + sim_random_below(r, max > min ? max - min + 1 : 1);
	bool none = sim_random_chance(r, 0.1), wild = sim_random_chance(r, 0.3);
	char digits[IVR_DIGITS_MAX + 1] = "";

	for (unsigned i = 0; !none && i < n && i < IVR_DIGITS_MAX; i++)
		digits[i] = key_of(s, r, wild);
	sim_tell(s, "caller %u presses %s", c->serial, none ? "nothing" : digits);
	sim_flow_tell(
		s, c,
		&(struct ivr_event){.kind = IVR_EV_COLLECTED, .digits = digits, .timed_out = none});
}

static void done(struct sim *s, struct sim_call *c)
{
	struct ivr_event ev = {.kind = IVR_EV_VOICEMAIL_DONE};

	if (c->flow_do.kind == IVR_DIAL) {
		ev.kind = IVR_EV_DIAL_DONE;
		ev.dial = (enum ivr_dial_done)sim_random_below(&c->random, IVR_DIAL_FAILED + 1);
	} else if (c->flow_do.kind == IVR_CONFERENCE) {
		ev.kind = IVR_EV_DIAL_DONE;
		ev.dial = sim_random_below(&c->random, 3) == 0 ? IVR_DIAL_BUSY : IVR_DIAL_SERVED;
	} else if (c->flow_do.kind == IVR_LOOKUP) {
		ev.kind = IVR_EV_LOOKUP_DONE;
		ev.answer = sim_random_chance(&c->random, 0.2) ? NULL : s->answer;
	}
	sim_flow_tell(s, c, &ev);
}

void sim_flow_due(struct sim *s, struct sim_call *c)
{
	struct sim_flow_do d = c->flow_do;

	if (sim_random_chance(&c->random, s->plan->people.caller_leaves_flow)) {
		sim_call_end(s, c, PARTY_CUSTOMER, CALL_CAUSE_NORMAL);
		return;
	}
	switch (c->next) {
	case SIM_NEXT_PLAYED:
		sim_flow_tell(s, c, &(struct ivr_event){.kind = IVR_EV_PLAY_DONE});
		break;
	case SIM_NEXT_KEYS:
		press(s, c);
		break;
	case SIM_NEXT_DO:
		do_it(s, c, &d);
		break;
	case SIM_NEXT_DONE:
		done(s, c);
		break;
	case SIM_NEXT_NOTHING:
	case SIM_NEXT_LEFT:
	case SIM_NEXT_GIVE_UP:
	case SIM_NEXT_TALKED:
	case SIM_NEXT_CUSTOMER:
	case SIM_NEXT_RETRY:
		break;
	}
}
