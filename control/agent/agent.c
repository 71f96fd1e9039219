/* SPDX-License-Identifier: Apache-2.0
 * The agent state machine, whole, in one grid.
 *
 * A cell is where to and what must be done. An empty cell is an event that cannot happen there;
 * it is refused, never ignored in silence. LATER cells change nothing but what comes after the
 * call. AGENT_OTHER has no row: it is a cover over the row beneath (agent.h), and the two events
 * that lift and lay it are counted before the grid is asked.
 */
#include "agent/agent.h"

#include <errno.h>
#include <stddef.h>

enum { NEXT_AFTER = AGENT_STATES }; /* wherever `after` says */

struct cell {
	bool allowed;
	bool later; /* stays; `after` becomes what follows */
	uint8_t next;
	enum agent_effect effect;
	enum agent_after after;
};

#define GO(to, what)                                                                               \
	{                                                                                          \
		.allowed = true, .next = AGENT_##to, .effect = AGENT_DO_##what                     \
	}
#define LATER(to)                                                                                  \
	{                                                                                          \
		.allowed = true, .later = true, .after = AGENT_AFTER_CALL_##to                     \
	}
#define AS_SAID                                                                                    \
	{                                                                                          \
		.allowed = true, .next = NEXT_AFTER, .effect = AGENT_DO_NOTHING                    \
	}

static const struct cell grid[AGENT_STATES][AGENT_EVENTS] =
	{
		[AGENT_OFFLINE] =
			{
				[AGENT_SIGN_IN] = GO(NOT_READY, NOTHING),
			},
		[AGENT_NOT_READY] =
			{
				[AGENT_SIGN_OUT] = GO(OFFLINE, NOTHING),
				[AGENT_GO_READY] = GO(READY, FREE),
				[AGENT_GO_NOT_READY] = GO(NOT_READY, NOTHING), /* another reason */
				[AGENT_PICK_UP] = GO(TALKING, TALK),
				[AGENT_TAKE_OVER] = GO(TALKING, TALK),
			},
		[AGENT_READY] =
			{
				[AGENT_SIGN_OUT] = GO(OFFLINE, NOTHING),
				[AGENT_GO_NOT_READY] = GO(NOT_READY, NOTHING),
				[AGENT_OFFER] = GO(RINGING, RING),
				[AGENT_PICK_UP] = GO(TALKING, TALK),
				[AGENT_TAKE_OVER] = GO(TALKING, TALK),
			},
		[AGENT_RINGING] =
			{
				[AGENT_SIGN_OUT] = GO(OFFLINE, REQUEUE),
				[AGENT_GO_NOT_READY] = GO(NOT_READY, REQUEUE),
				[AGENT_ANSWER] = GO(TALKING, TALK),
				[AGENT_REJECT] = GO(NOT_READY, REQUEUE),
				[AGENT_MISS] = GO(NOT_READY, REQUEUE),
				[AGENT_LOST] = GO(NOT_READY, REQUEUE),
				[AGENT_CANCEL] = GO(READY, RELEASE), /* the caller gave up first */
			},
		[AGENT_TALKING] =
			{
				[AGENT_SIGN_OUT] = LATER(OFFLINE),
				[AGENT_GO_READY] = LATER(READY),
				[AGENT_GO_NOT_READY] = LATER(NOT_READY),
				[AGENT_HANGUP] = GO(WRAP_UP, WRAP),
			},
		[AGENT_WRAP_UP] =
			{
				[AGENT_SIGN_OUT] = GO(OFFLINE, NOTHING),
				[AGENT_GO_READY] = GO(READY, FREE),
				[AGENT_GO_NOT_READY] = GO(NOT_READY, NOTHING),
				[AGENT_PICK_UP] = GO(TALKING, TALK),
				[AGENT_WRAP_END] = AS_SAID,
				[AGENT_WRAP_OVER] = AS_SAID,
				[AGENT_TAKE_OVER] = GO(TALKING, TALK),
			},
};

enum agent_state agent_beneath(const struct agent *a)
{
	return a->state == AGENT_OTHER ? a->resume : a->state;
}

bool agent_can(const struct agent *a, enum agent_event ev)
{
	if (ev == AGENT_OTHER_BEGIN)
		return a->others < UINT8_MAX;
	if (ev == AGENT_OTHER_END)
		return a->others > 0;
	if (ev == AGENT_PICK_UP && a->state == AGENT_OTHER)
		return false; /* one conversation at a time */
	return grid[agent_beneath(a)][ev].allowed;
}

/* Why somebody is not ready who did not say so. */
static uint8_t reason_of(enum agent_event ev, uint8_t said)
{
	if (ev == AGENT_REJECT)
		return AGENT_REASON_REJECTED;
	if (ev == AGENT_MISS)
		return AGENT_REASON_NO_ANSWER;
	if (ev == AGENT_LOST)
		return AGENT_REASON_UNREACHABLE;
	return ev == AGENT_GO_NOT_READY ? said : AGENT_REASON_NONE;
}

/* What was said during the call, now that it is over. */
static enum agent_state settle(struct agent *a, uint8_t *reason, enum agent_effect *effect)
{
	enum agent_after after = a->after;

	*effect = AGENT_DO_NOTHING;
	*reason = AGENT_REASON_NONE;
	if (after == AGENT_AFTER_CALL_OFFLINE)
		return AGENT_OFFLINE;
	if (after == AGENT_AFTER_CALL_NOT_READY) {
		*reason = a->after_reason;
		return AGENT_NOT_READY;
	}
	*effect = AGENT_DO_FREE;
	return AGENT_READY;
}

/* Show `next`, or the cover over it. */
static void show(struct agent *a, enum agent_state next, uint8_t reason, uint64_t now_ms)
{
	bool covered = a->others > 0 && next != AGENT_RINGING && next != AGENT_TALKING;
	enum agent_state seen = covered ? AGENT_OTHER : next;

	if (seen != a->state || (next == AGENT_NOT_READY && reason != a->reason))
		a->since_ms = now_ms;
	a->state = seen;
	a->resume = next;
	a->reason = next == AGENT_NOT_READY ? reason : AGENT_REASON_NONE;
	if (next != AGENT_TALKING && next != AGENT_WRAP_UP) {
		a->after = AGENT_AFTER_CALL_READY;
		a->after_reason = AGENT_REASON_NONE;
	}
}

static int count_other(struct agent *a, enum agent_event ev, uint64_t now_ms,
		       enum agent_effect *effect)
{
	bool covered = a->state == AGENT_OTHER;

	if (!agent_can(a, ev))
		return -EPROTO;
	a->others = (uint8_t)(a->others + (ev == AGENT_OTHER_BEGIN ? 1 : -1));
	show(a, agent_beneath(a), a->reason, now_ms);
	*effect = covered && a->state == AGENT_READY ? AGENT_DO_FREE : AGENT_DO_NOTHING;
	return 0;
}

int agent_step(struct agent *a, enum agent_event ev, uint8_t reason, bool wrap_up, uint64_t now_ms,
	       enum agent_effect *effect)
{
	if (ev == AGENT_OTHER_BEGIN || ev == AGENT_OTHER_END)
		return count_other(a, ev, now_ms, effect);

	const struct cell *c = &grid[agent_beneath(a)][ev];

	/* Covered by a private call: nobody may ring. */
	if (!agent_can(a, ev) || (ev == AGENT_OFFER && a->state != AGENT_READY))
		return -EPROTO;
	if (c->later) {
		a->after = c->after;
		a->after_reason = reason;
		*effect = AGENT_DO_NOTHING;
		return 0;
	}

	enum agent_state next = (enum agent_state)c->next;
	enum agent_effect what = c->effect;
	uint8_t why = reason_of(ev, reason);

	/* Not ready before, not ready after. */
	if ((ev == AGENT_PICK_UP || ev == AGENT_TAKE_OVER) && agent_beneath(a) == AGENT_NOT_READY) {
		a->after = AGENT_AFTER_CALL_NOT_READY;
		a->after_reason = a->reason;
	}
	/* Without a wrap-up, and for those who want to go home, the call's end is its end too. */
	if (ev == AGENT_HANGUP && (!wrap_up || a->after == AGENT_AFTER_CALL_OFFLINE))
		next = (enum agent_state)NEXT_AFTER;
	if ((int)next == NEXT_AFTER)
		next = settle(a, &why, &what);
	show(a, next, why, now_ms);
	if (what == AGENT_DO_FREE && a->state == AGENT_OTHER)
		what = AGENT_DO_NOTHING;
	*effect = what;
	return 0;
}

const char *agent_state_name(enum agent_state s)
{
	static const char *const name[AGENT_STATES] = {
		[AGENT_OFFLINE] = "signed_out", [AGENT_NOT_READY] = "not_ready",
		[AGENT_READY] = "ready",        [AGENT_RINGING] = "ringing",
		[AGENT_TALKING] = "talking",    [AGENT_WRAP_UP] = "wrap_up",
		[AGENT_OTHER] = "other",
	};

	return name[s];
}

const char *agent_reason_name(uint8_t reason)
{
	switch (reason) {
	case AGENT_REASON_NONE:
		return "";
	case AGENT_REASON_NO_ANSWER:
		return "no_answer";
	case AGENT_REASON_REJECTED:
		return "rejected";
	case AGENT_REASON_UNREACHABLE:
		return "unreachable";
	case AGENT_REASON_DND:
		return "dnd";
	default:
		return NULL;
	}
}
