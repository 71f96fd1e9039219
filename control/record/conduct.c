/* SPDX-License-Identifier: Apache-2.0 */
#include "record/conduct.h"

#include <stdio.h>
#include <string.h>

enum { HOUR_MS = 3600000 };

#define RULE_NAME(id, name) [CONDUCT_##id] = name,
static const char *const rule_names[CONDUCT_RULES] = {CONDUCT_RULE_TABLE(RULE_NAME)};
#undef RULE_NAME

const char *conduct_rule_name(enum conduct_rule rule)
{
	return rule < CONDUCT_RULES ? rule_names[rule] : "?";
}

struct look {
	struct conduct *c;
	const struct config_conduct *limits;
	const struct conduct_event *e;
	struct conduct_finding *out;
	unsigned n;
};

static struct conduct_finding *find(struct look *l, enum conduct_rule rule, uint32_t count,
				    uint64_t lasted_ms)
{
	struct conduct_finding *f = &l->out[l->n++];

	*f = (struct conduct_finding){
		.rule = rule, .at_ms = l->e->at_ms, .count = count, .lasted_ms = lasted_ms};
	snprintf(f->call, sizeof(f->call), "%s", l->e->call ? l->e->call : "");
	snprintf(f->evidence, sizeof(f->evidence), "%s", l->e->evidence ? l->e->evidence : "");
	return f;
}

/* One more in the last hour. True when there are `limit`: then the window is empty again. */
static bool often(struct conduct_window *w, uint64_t now_ms, unsigned limit)
{
	unsigned kept = 0;

	if (limit == 0)
		return false;
	for (unsigned i = 0; i < w->n; i++)
		if (w->at_ms[i] <= now_ms && now_ms - w->at_ms[i] < HOUR_MS)
			w->at_ms[kept++] = w->at_ms[i];
	w->n = kept;
	if (w->n == CONDUCT_WINDOW) {
		memmove(w->at_ms, w->at_ms + 1, sizeof(w->at_ms) - sizeof(w->at_ms[0]));
		w->n--;
	}
	w->at_ms[w->n++] = now_ms;
	if (w->n < limit)
		return false;
	w->n = 0;
	return true;
}

/* Count what of the time not ready is over, and find what is too much. */
static void count_away(struct look *l)
{
	struct conduct *c = l->c;

	if (!c->away)
		return;
	if (l->e->at_ms > c->away_since_ms)
		c->away_ms += l->e->at_ms - c->away_since_ms;
	c->away_since_ms = l->e->at_ms;
	if (l->limits->away_s_per_day == 0 || c->away_told ||
	    c->away_ms <= (uint64_t)l->limits->away_s_per_day * 1000)
		return;
	c->away_told = true;
	find(l, CONDUCT_LONG_AWAY, c->aways, c->away_ms);
}

/* A hold that lasts is found while it lasts. */
static void look_at_hold(struct look *l)
{
	struct conduct *c = l->c;
	uint64_t ms;

	if (!c->held || c->hold_told || l->limits->hold_s == 0)
		return;
	ms = l->e->at_ms > c->held_since_ms ? l->e->at_ms - c->held_since_ms : 0;
	if (ms <= (uint64_t)l->limits->hold_s * 1000)
		return;
	c->hold_told = true;
	snprintf(find(l, CONDUCT_LONG_HOLD, c->holds, ms)->call, CONDUCT_CALL_MAX, "%s", c->call);
}

static void sign_in(struct look *l)
{
	l->c->signed_in = true;
	if (++l->c->sign_ins == l->limits->sign_ins_per_day + 1U && l->limits->sign_ins_per_day > 0)
		find(l, CONDUCT_MANY_SIGN_INS, l->c->sign_ins, 0);
}

static void away(struct look *l)
{
	struct conduct *c = l->c;

	if (l->e->ringing)
		find(l, CONDUCT_LEFT_RINGING, 1, 0);
	if (c->away)
		return; /* another reason */
	c->away = true;
	c->away_since_ms = l->e->at_ms;
	if (++c->aways == l->limits->aways_per_day + 1U && l->limits->aways_per_day > 0)
		find(l, CONDUCT_MANY_AWAYS, c->aways, c->away_ms);
}

static void rejected(struct look *l)
{
	struct conduct_finding *f;

	if (l->limits->do_not_disturb_ms > 0 && l->e->ms < l->limits->do_not_disturb_ms) {
		f = find(l, CONDUCT_DO_NOT_DISTURB, 1, l->e->ms);
	} else if (often(&l->c->rejected, l->e->at_ms, l->limits->rejected_per_hour)) {
		f = find(l, CONDUCT_REJECTED_RING, l->limits->rejected_per_hour, l->e->ms);
	} else {
		return;
	}
	snprintf(f->evidence, sizeof(f->evidence), "SIP %u after %llu ms", l->e->status,
		 (unsigned long long)l->e->ms);
}

static void unplugged(struct look *l)
{
	struct conduct_finding *f;

	if (!l->c->signed_in || !l->limits->unplugged)
		return;
	f = find(l, CONDUCT_UNPLUGGED, 1, 0);
	if (f->evidence[0] == '\0')
		snprintf(f->evidence, sizeof(f->evidence), "%s",
			 l->e->kind == CONDUCT_EV_UNREACHABLE ? "an offer found the phone gone"
							      : "the registration ended");
}

static void registered(struct look *l)
{
	struct conduct *c = l->c;

	if (c->registered_once && c->signed_in &&
	    often(&c->registered, l->e->at_ms, l->limits->registrations_per_hour))
		find(l, CONDUCT_RE_REGISTERED, l->limits->registrations_per_hour, 0);
	c->registered_once = true;
}

static void hold(struct look *l)
{
	struct conduct *c = l->c;

	if (c->held)
		return;
	c->held = true;
	c->hold_told = false;
	c->held_since_ms = l->e->at_ms;
	if (++c->holds == l->limits->holds_per_call + 1U && l->limits->holds_per_call > 0)
		find(l, CONDUCT_MANY_HOLDS, c->holds, 0);
}

static void talk(struct look *l)
{
	struct conduct *c = l->c;

	c->holds = 0;
	c->talks = true;
	c->held = c->gap_told = c->silence_told = false;
	snprintf(c->call, sizeof(c->call), "%s", l->e->call ? l->e->call : "");
}

static void talk_over(struct look *l)
{
	l->c->talks = false;
	if (l->c->idle_since_ms != 0)
		l->c->idle_since_ms = l->e->at_ms;
}

static void sound(struct look *l)
{
	uint64_t gap_ms = (uint64_t)l->limits->media_gap_s * 1000;
	uint64_t silent_ms = (uint64_t)l->limits->silent_s * 1000;

	if (gap_ms > 0 && l->e->ms > gap_ms && !l->c->gap_told) {
		l->c->gap_told = true;
		find(l, CONDUCT_MEDIA_GAP, 1, l->e->ms);
	}
	if (silent_ms > 0 && l->e->silence_ms > silent_ms && !l->c->silence_told) {
		l->c->silence_told = true;
		find(l, CONDUCT_SILENT, 1, l->e->silence_ms);
	}
}

static void dialled(struct look *l)
{
	uint64_t limit_ms = (uint64_t)l->limits->dial_s * 1000;

	l->c->idle_since_ms = l->e->at_ms;
	l->c->idle_told = false;
	if (limit_ms > 0 && l->e->ms > limit_ms)
		find(l, CONDUCT_SLOW_DIAL, 1, l->e->ms);
}

/* Between two calls back: only of who makes them at all. */
static void look_at_idle(struct look *l)
{
	struct conduct *c = l->c;
	uint64_t limit_ms = (uint64_t)l->limits->callback_idle_s * 1000, ms;

	if (limit_ms == 0 || c->idle_since_ms == 0 || c->talks || c->idle_told || !l->e->callbacks)
		return;
	ms = l->e->at_ms > c->idle_since_ms ? l->e->at_ms - c->idle_since_ms : 0;
	if (ms <= limit_ms)
		return;
	c->idle_told = true;
	find(l, CONDUCT_IDLE_CALLBACKS, 1, ms);
}

/* The counts of a day begin anew; what lasts over midnight is divided there. */
static void begin_day(struct conduct *c, const struct conduct_event *e)
{
	c->day = e->day;
	c->sign_ins = c->aways = 0;
	c->away_ms = 0;
	c->away_told = false;
	if (c->away)
		c->away_since_ms = e->at_ms;
}

unsigned conduct_event(struct conduct *c, const struct config_conduct *limits,
		       const struct conduct_event *e,
		       struct conduct_finding out[CONDUCT_FINDINGS_MAX])
{
	struct look l = {.c = c, .limits = limits, .e = e, .out = out};

	if (e->day != c->day)
		begin_day(c, e);
	switch (e->kind) {
	case CONDUCT_EV_SIGNED_IN:
		sign_in(&l);
		break;
	case CONDUCT_EV_SIGNED_OUT:
		if (e->ringing)
			find(&l, CONDUCT_LEFT_RINGING, 1, 0);
		count_away(&l);
		c->away = c->signed_in = false;
		c->idle_since_ms = 0;
		break;
	case CONDUCT_EV_AWAY:
		away(&l);
		break;
	case CONDUCT_EV_BACK:
		count_away(&l);
		c->away = false;
		break;
	case CONDUCT_EV_REJECTED:
		rejected(&l);
		break;
	case CONDUCT_EV_UNANSWERED:
		if (often(&c->unanswered, e->at_ms, limits->unanswered_per_hour))
			find(&l, CONDUCT_UNANSWERED_RING, limits->unanswered_per_hour, e->ms);
		break;
	case CONDUCT_EV_UNREACHABLE:
	case CONDUCT_EV_UNREGISTERED:
		unplugged(&l);
		break;
	case CONDUCT_EV_DND:
		if (limits->do_not_disturb_ms > 0)
			find(&l, CONDUCT_DO_NOT_DISTURB, 1, 0);
		break;
	case CONDUCT_EV_REGISTERED:
		registered(&l);
		break;
	case CONDUCT_EV_TALK:
		talk(&l);
		break;
	case CONDUCT_EV_HOLD:
		hold(&l);
		break;
	case CONDUCT_EV_RESUME:
	case CONDUCT_EV_TALK_OVER:
		look_at_hold(&l);
		c->held = false;
		if (e->kind == CONDUCT_EV_TALK_OVER)
			talk_over(&l);
		break;
	case CONDUCT_EV_SOUND:
		sound(&l);
		break;
	case CONDUCT_EV_DIALLED:
		dialled(&l);
		break;
	case CONDUCT_EV_LEFT_CALLBACK:
		if (limits->left_callback)
			find(&l, CONDUCT_LEFT_CALLBACK, 1, e->ms);
		break;
	case CONDUCT_EV_TIME:
		count_away(&l);
		look_at_hold(&l);
		look_at_idle(&l);
		break;
	}
	return l.n;
}
