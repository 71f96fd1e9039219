/* The state of one agent: a grid, whole in agent.c.
 *
 *   OFFLINE ---sign in---> NOT_READY <--ready/not ready--> READY
 *                                                           |  ^
 *                                             offer         v  | caller gone
 *                                                         RINGING --rejects, no answer--> NOT_READY
 *                                                           |answers
 *                                                           v
 *                  READY <--by hand, limit-- WRAP_UP <--- TALKING
 *
 * OTHER, a call that did not come from a queue, lies on top of all states but RINGING and TALKING:
 * beneath it the agent can sign in, go ready or finish wrap-up, and it shows when the last such
 * call is over. Nobody is offered a call meanwhile. Beside RINGING and TALKING (a consultation)
 * such calls are only counted.
 * An agent who presses "not ready" or signs out while talking says what comes after the call;
 * that is kept in `after` and happens when the call is over (not-ready replaces wrap-up's end,
 * signing out skips the wrap-up). Who takes a call unasked (PICK_UP) is afterwards what it was before.
 *
 * TAKE_OVER leads to TALKING from everywhere but there, RINGING and OFFLINE, also from beneath OTHER.
 * Who was not ready is so again after that call, with the same reason.
 *
 * The machine does nothing itself. The effect that agent_step() returns is what its caller must
 * now do. Whether the phone is reachable is not a state: it changes by itself, at any time, and
 * acd/ keeps it beside.
 *
 * Thread: the loop's; a struct without pointers.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include <stdbool.h>
#include <stdint.h>

enum agent_state {
	AGENT_OFFLINE,   /* signed out */
	AGENT_NOT_READY, /* signed in, gets no calls; `reason` says why */
	AGENT_READY,     /* waits for a call */
	AGENT_RINGING,   /* was offered a call, the phone rings */
	AGENT_TALKING,   /* with a caller of a queue (holding is talking) */
	AGENT_WRAP_UP,   /* finishes the work of the call before */
	AGENT_OTHER,     /* in a call that did not come from a queue */
	AGENT_STATES
};

enum agent_event {
	AGENT_SIGN_IN,
	AGENT_SIGN_OUT,
	AGENT_GO_READY,     /* also ends a wrap-up */
	AGENT_GO_NOT_READY, /* with a reason */
	AGENT_OFFER,        /* a call from a queue */
	AGENT_ANSWER,
	AGENT_REJECT,    /* pressed "reject" or the phone said busy */
	AGENT_MISS,      /* did not answer in time */
	AGENT_LOST,      /* the phone cannot be reached (no registration, no answer to INVITE) */
	AGENT_CANCEL,    /* the caller went, or was withdrawn */
	AGENT_PICK_UP,   /* takes a queue's call that it was not offered */
	AGENT_HANGUP,    /* the call of the queue is over for this agent */
	AGENT_WRAP_END,  /* ends wrap-up by hand */
	AGENT_WRAP_OVER, /* the limit of wrap-up has come */
	AGENT_OTHER_BEGIN,
	AGENT_OTHER_END,
	AGENT_TAKE_OVER, /* goes on with a conversation of a queue that another agent had */
	AGENT_EVENTS
};

/* What the caller of agent_step() must do about it. */
enum agent_effect {
	AGENT_DO_NOTHING,
	AGENT_DO_FREE,    /* may be offered a call now */
	AGENT_DO_RING,    /* ring the phone, start the ring time */
	AGENT_DO_TALK,    /* the offer was taken */
	AGENT_DO_REQUEUE, /* the offered call goes back to the head of its queue */
	AGENT_DO_RELEASE, /* stop ringing; the call is gone already */
	AGENT_DO_WRAP,    /* start the limit of wrap-up */
};

/* Reasons for NOT_READY. 1..9 are the operator's own (config_reason), as agents dial them. */
enum agent_reason {
	AGENT_REASON_NONE = 0, /* without a reason, and just signed in */
	AGENT_REASON_NO_ANSWER = 20,
	AGENT_REASON_REJECTED = 21,
	AGENT_REASON_UNREACHABLE = 22,
	AGENT_REASON_DND = 23, /* the phone is not to be disturbed */
};

enum agent_after { AGENT_AFTER_CALL_READY, AGENT_AFTER_CALL_NOT_READY, AGENT_AFTER_CALL_OFFLINE };

struct agent {
	enum agent_state state;
	uint8_t reason;         /* of NOT_READY */
	enum agent_after after; /* in RINGING, TALKING, WRAP_UP and OTHER: what follows */
	uint8_t after_reason;
	enum agent_state resume; /* in OTHER: the state beneath */
	uint8_t others;          /* calls that did not come from a queue */
	uint64_t since_ms;       /* of `state` */
};

/* Apply `event` (`reason` counts for GO_NOT_READY). Returns 0 and sets `*effect`, or -EPROTO,
 * state untouched, when the event cannot happen in this state. `wrap_up` tells whether the call
 * that HANGUP ends is followed by one. */
int agent_step(struct agent *a, enum agent_event event, uint8_t reason, bool wrap_up,
	       uint64_t now_ms, enum agent_effect *effect);

/* "signed_out", "not_ready", ... as the control protocol says it (OTHER is "other"). */
const char *agent_state_name(enum agent_state s);

/* Word for the built-in reasons ("no_answer", "rejected", "unreachable", "dnd"), "" for 0, NULL for the
 * operator's own. */
const char *agent_reason_name(uint8_t reason);

/* Could the event happen now? For menus, refusals and tests. */
bool agent_can(const struct agent *a, enum agent_event ev);

/* The state without what OTHER covers: READY beneath a private call is READY. */
enum agent_state agent_beneath(const struct agent *a);

#endif
