/* The interpreter: leads one caller through a flow.
 *
 * Events and the time go in, actions come out; the shell carries them out and reports back. The
 * session sleeps between events and holds no timer: whatever it started (a collection, a queue,
 * a dial, a message) ends by itself, and says so, exactly once.
 *
 *   ivr_start()      -> ANSWER, PLAY, COLLECT ...
 *   ivr_event(COLLECTED "1")  -> QUEUE "sales"
 *   ivr_event(QUEUE_LEFT timeout) -> PLAY, VOICEMAIL ...
 *   ivr_event(HUNG_UP)  -> nothing; the session is over
 *
 * What comes out of one event is one of these, with ANSWER in front the first time:
 *
 *   PLAY                 answered by PLAY_DONE
 *   PLAY, COLLECT        start both (a collection's time begins when the play has ended);
 *                        answered by COLLECTED, a PLAY_DONE in between is taken and means nothing
 *   QUEUE | VOICEMAIL | DIAL   answered by QUEUE_LEFT | VOICEMAIL_DONE | DIAL_DONE
 *   LOOKUP | CALLBACK    answered by LOOKUP_DONE | CALLBACK_DONE
 *   HANGUP               the session is over
 *
 * and before it, after ANSWER, any number of RECORD, each verb at most once, and of NOTE, and at most one
 * RESOLVED, which nothing answers.
 *
 * A menu or collection without prompts is a COLLECT alone. What a `say` with `interrupt` says before
 * a menu is in the PLAY of that menu.
 *
 * An event that does not fit what the session waits for is refused (-EPROTO) and changes
 * nothing; late answers to things given up are therefore harmless.
 *
 * Thread: the loop's. Ownership: the session is plain memory of the caller's; it holds its flow
 * (one reference) from ivr_start() to ivr_end().
 */
#ifndef IVR_IVR_H
#define IVR_IVR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "conf/hours.h"
#include "ivr/flow.h"
#include "ivr/say.h"
#include "record/record_policy.h"

enum {
	IVR_NOTES_MAX = 8, /* of one event; of more only the newest are told */
	IVR_ACTIONS_MAX = 4 + RECORD_VERBS + IVR_NOTES_MAX,
	IVR_RUNS_MAX = 16,   /* sub-flows within sub-flows */
	IVR_BODY_MAX = 1024, /* what a lookup posts */
	IVR_DIGITS_MAX = 64,
	IVR_PATH_MAX = 64,  /* steps remembered: the first half and the newest */
	IVR_TURNS_MAX = 20, /* things that may come to nothing in a row; then the call is ended */
	IVR_BACK_MAX = 8,   /* menus that `back` can return to */
	IVR_VALUE_MAX = 72, /* a variable's text with its NUL */
	IVR_NUMBER_MAX = 64,
};

enum ivr_action_kind {
	IVR_ANSWER,    /* accept the call (200 OK); at most once, always first */
	IVR_PLAY,      /* `items`; `interrupt` = any digit ends it */
	IVR_COLLECT,   /* collect.start with `collect` */
	IVR_QUEUE,     /* acd_enter() into `name` with `priority` */
	IVR_VOICEMAIL, /* record a message into box `name`, as `voicemail` says */
	IVR_CONFERENCE, /* join the room `name`; answered by DIAL_DONE: busy when it is full or locked */
	IVR_DIAL,       /* ring `name`: an agent's number or one outside; `dial` */
	IVR_RECORD,   /* `verb`; takes no time */
	IVR_NOTE,     /* keep `name`: `value` with the call; takes no time */
	IVR_RESOLVED, /* node `name` counts as the answer to what the caller wanted; takes no time */
	IVR_LOOKUP,   /* fetch `lookup` */
	IVR_CALLBACK, /* promise to call number `value` from queue `name` with `priority` */
	IVR_HANGUP,   /* end the call with `cause`; the session is over */
};

enum ivr_cause {
	IVR_CAUSE_NORMAL,   /* the flow was done */
	IVR_CAUSE_BUSY,     /* refused as busy */
	IVR_CAUSE_REJECTED, /* refused */
	IVR_CAUSE_FAILED, /* the flow could not go on (a target failed and nothing else was said) */
};

struct ivr_collect {
	uint8_t max;
	uint8_t min;
	char terminators[4];
	uint32_t first_timeout_ms;
	uint32_t inter_timeout_ms;
	bool secret;
};

struct ivr_action {
	enum ivr_action_kind kind;
	bool interrupt;            /* PLAY */
	bool speech;               /* PLAY: the caller's voice ends it as well */
	uint8_t priority;          /* QUEUE */
	enum ivr_cause cause;      /* HANGUP */
	enum record_verb verb;     /* RECORD */
	char name[IVR_NUMBER_MAX]; /* QUEUE, VOICEMAIL, DIAL, NOTE, CALLBACK */
	char value[IVR_VALUE_MAX]; /* NOTE, CALLBACK */
	struct ivr_collect collect;
	struct {
		uint32_t max_s;     /* longest message */
		uint32_t silence_s; /* so much silence ends it; 0: never */
		uint32_t min_s;     /* shorter ones are not kept */
		bool beep;          /* play one before */
	} voicemail;
	struct {
		uint32_t timeout_s; /* ring so long */
	} dial; /* `items`: who answers must press 1 after this; none: need not */
	struct {
		char url[IVR_URL_MAX];
		char body[IVR_BODY_MAX]; /* JSON to post; "" is a GET */
		uint32_t timeout_ms;
	} lookup;
	struct ivr_items items; /* PLAY, DIAL */
};

struct ivr_actions {
	unsigned n;
	struct ivr_action action[IVR_ACTIONS_MAX];
};

enum ivr_event_kind {
	IVR_EV_PLAY_DONE,      /* the last PLAY ended, however */
	IVR_EV_COLLECTED,      /* `digits` ("" when none) and `timed_out` */
	IVR_EV_QUEUE_LEFT,     /* `queue` says why; not sent when the caller hung up */
	IVR_EV_VOICEMAIL_DONE, /* the message ended (length, silence, a digit) or failed */
	IVR_EV_DIAL_DONE,      /* `dial` says how it ended */
	IVR_EV_LOOKUP_DONE,    /* `answer`, or NULL: it failed */
	IVR_EV_CALLBACK_DONE,  /* `taken`: it will be done */
	IVR_EV_HUNG_UP,        /* the caller is gone; always accepted, ends the session */
};

enum ivr_queue_left {
	IVR_QUEUE_SERVED,  /* an agent talked with the caller and let go; `next` (e.g. survey) */
	IVR_QUEUE_FULL,    /* was not let in */
	IVR_QUEUE_LONG,    /* was not let in: the wait would be too long */
	IVR_QUEUE_EMPTY,   /* nobody signed in, was not let in or the last one went */
	IVR_QUEUE_TIMEOUT, /* waited longest allowed */
	IVR_QUEUE_FAILED,  /* no such queue any more, or the system could not */
};

enum ivr_dial_done {
	IVR_DIAL_SERVED, /* talked, the other side hung up */
	IVR_DIAL_BUSY,
	IVR_DIAL_NO_ANSWER,
	IVR_DIAL_FAILED, /* unreachable, no such number */
};

struct ivr_event {
	enum ivr_event_kind kind;
	const char *digits; /* COLLECTED; borrowed during the call */
	bool timed_out;     /* COLLECTED: reason first_timeout or inter_timeout */
	enum ivr_queue_left queue;
	enum ivr_dial_done dial;
	const json_t *answer; /* LOOKUP_DONE; borrowed during the call */
	bool taken;           /* CALLBACK_DONE */
};

/* What the interpreter may ask about the moment; borrowed during the call. */
struct ivr_now {
	uint64_t now_ms; /* any clock that never goes back; for the path */
	void *arg;
	const struct ivr_say *say; /* how languages say numbers; NULL: digit by digit */
	/* Is calendar `name` open now? An unknown calendar is closed. */
	bool (*open)(void *arg, const char *name);
};

struct ivr_step {
	uint64_t at_ms;
	uint16_t node; /* ivr_flow_node_name() */
};

struct ivr_session {
	struct ivr_flow *flow; /* held; NULL when no session */
	char called[IVR_NUMBER_MAX];
	char caller[IVR_NUMBER_MAX];
	uint8_t language; /* index, see ivr_session_language() */
	uint8_t priority;
	bool answered;
	bool over;
	uint8_t waiting; /* private */
	uint8_t tries;   /* at the present menu or collect */
	uint16_t node;
	uint8_t back_n;
	uint16_t back[IVR_BACK_MAX];
	uint8_t run_n;
	uint16_t run[IVR_RUNS_MAX]; /* nodes whose sub-flow runs */
	uint16_t turns; /* came to nothing in a row: no key, wrong key, `repeat`, a failure */
	bool said;      /* the node's prompts have been heard */
	char value[IVR_VARIABLES_MAX][IVR_VALUE_MAX];
	unsigned path_n; /* steps taken; more than IVR_PATH_MAX: the middle is forgotten */
	struct ivr_step path[IVR_PATH_MAX];
};

/* Begin. Holds `flow` (must have passed its check). `language` NULL or unknown: the flow's
 * first. `caller` and `called` are available to the flow as $caller and $called. */
void ivr_start(struct ivr_session *s, struct ivr_flow *flow, const char *caller, const char *called,
	       const char *language, const struct ivr_now *now, struct ivr_actions *out);

/* Something happened. Returns 0 with `*out` to be carried out (maybe none), or -EPROTO when it
 * does not fit: nothing changed, `out->n` is 0. */
int ivr_event(struct ivr_session *s, const struct ivr_event *ev, const struct ivr_now *now,
	      struct ivr_actions *out);

/* Let go of the flow. A session that was never started, or zeroes, is allowed. */
void ivr_end(struct ivr_session *s);

/* A session over a restart of the program. ivr_session_keep() is a new reference, or NULL for a session
 * that is over or never began; secret values and the path are not in it. ivr_session_kept() reads it
 * back into `s`, which then sleeps as before and holds `flow`; or returns -ENOENT, and `s` is empty: the
 * flow has not these nodes and variables any more, a secret was held, or it was never such a text. */
json_t *ivr_session_keep(const struct ivr_session *s);
int ivr_session_kept(struct ivr_session *s, struct ivr_flow *flow, const json_t *o);

/* Language the caller is spoken to in now, for announcements: "zh". */
const char *ivr_session_language(const struct ivr_session *s);

/* Does it wait for QUEUE_LEFT? */
bool ivr_session_in_queue(const struct ivr_session *s);

/* Name of the node where the caller is. */
const char *ivr_session_node(const struct ivr_session *s);

/* Remembered step `i` of min(path_n, IVR_PATH_MAX), in order of time. */
struct ivr_step ivr_session_step(const struct ivr_session *s, unsigned i);

/* Value of a variable ("account", "caller", ...), "" when unset or unknown. Secret ones, which
 * were collected with `secret`, answer "***". */
const char *ivr_session_value(const struct ivr_session *s, const char *variable);

#endif
