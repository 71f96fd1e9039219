/* One call as control sees it, and its parties: what the files of call/ share.
 *
 * A call is made by call_begin() and ends by call_end(), which anybody may call at any time and as
 * often as they like. After the end the struct stays until every SIP dialog has said CLOSED, every
 * engine leg has answered with its last numbers and every recording its account, or
 * CENTRE_LINGER_MS have passed; then it is freed from the loop, never from inside a callback.
 *
 *	NEW -> IVR <-> WAITING <-> OFFERING -> TALKING <-> HELD -> (IVR | TRANSFERRING) ... -> ENDING
 *	        \-> MESSAGE                             \-> PARKED -> TALKING
 *
 * A party is one end of the call: a SIP dialog, an engine leg, or both. It lives in a slot of its
 * call. `customer` is who called; `agent` who is talked with; those with `offered` ring for the
 * ACD; `dialled` whose phone rings without it; `supervisor` who listens in. A slot is free again
 * when dialog and leg are gone.
 *
 * Thread: libre's loop.
 */
#ifndef CALL_CALLS_H
#define CALL_CALLS_H

#include "call/centre.h"
#include "ivr/ivr.h"
#include "record/call_record.h"
#include "record/record_policy.h"

enum {
	CALL_PARTIES_MAX = 16,
	CALL_STEPS_KEPT = 160,
	CALL_TAKES_MAX = 16,
	CALL_DETAIL_MAX = 80,
	BACK_TO_QUEUE_PRIORITY = 9, /* who was not served by no fault of its own */
	CALL_ID_MAX = 64,           /* leg, play, collect, monitor ids: the call's and a suffix */
};

enum call_state {
	CALL_NEW,
	CALL_IVR,
	CALL_WAITING,
	CALL_OFFERING,
	CALL_TALKING,
	CALL_HELD,
	CALL_TRANSFERRING,
	CALL_PARKED,
	CALL_MESSAGE,
	CALL_CONFERENCE, /* in a room, or on its way into one */
	CALL_ENDING,
};

enum party_role { PARTY_IS_CUSTOMER, PARTY_IS_AGENT, PARTY_IS_SUPERVISOR };

enum party_state {
	PARTY_FREE,    /* the slot is not in use */
	PARTY_OPENING, /* its engine leg is asked for */
	PARTY_RINGING, /* the dialog is not answered */
	PARTY_UP,
	PARTY_ENDING, /* goodbyes are under way */
};

/* What a play is for: decides what its end means. */
enum play_use {
	PLAY_NOTHING,
	PLAY_FLOW,     /* a prompt of the flow */
	PLAY_MUSIC,    /* waiting */
	PLAY_ANNOUNCE, /* place in the queue; music goes on after it */
	PLAY_HOLD,     /* held by the other party */
	PLAY_RING,     /* ringback */
	PLAY_BEEP,     /* before a message */
	PLAY_WHISPER,  /* in the agent's ear, before the caller */
	PLAY_CONFIRM,  /* press 1 to take this call */
	PLAY_PARTING,  /* a last word to a party; then that party is let go */
	PLAY_GOODBYE,  /* a last word; then the call ends */
};

struct party {
	struct call *call;
	uint32_t serial; /* tells this use of the slot from the ones before */
	enum party_role role;
	enum party_state state;
	char number[SIP_USER_MAX]; /* agent's number, or the caller's */
	int agent;                 /* ACD index; -1 */
	struct sip_call *sip;      /* NULL before INVITE and after CLOSED */
	char sip_call_id[128];
	char leg[CALL_ID_MAX];
	char codec[SIP_CODEC_NAME_MAX]; /* as last settled */
	char remote[SIP_IP_MAX + 8];
	bool leg_wanted; /* leg.open was sent and leg.close was not answered */
	bool leg_closing;
	bool answered;
	bool held; /* the peer put us on hold */
	bool incoming;
	bool offered;              /* its phone rings for the ACD */
	char at[SIP_USER_MAX];     /* a remote agent: the outside number that rings for it */
	bool confirmed;            /* who answered there has pressed the key */
	char collect[CALL_ID_MAX]; /* waits for that key; "" none */
	bool nailed;               /* it has a remote agent's line, to be given back; see nail.h */
	bool picks_up;             /* it dialled in to take the call, and has no part in it yet */
	struct sip_media local;    /* valid once the leg is there */
	bool has_local;
	bool moved;                    /* the leg has another address than the peer was told */
	void (*then)(struct party *p); /* what follows when the leg is there */
	void (*moved_then)(struct party *p); /* the same, of one that came from another call */
	uint32_t replaces;                   /* serial of whose place it is to take; 0: nobody's */
	char play[CALL_ID_MAX];
	enum play_use play_use;
	bool play_lost; /* after a restart the engine did not have it any more */
	uint64_t started_ms, answered_ms, ended_ms; /* wall */
	uint64_t held_since_ms, held_ms; /* mono; by this party, 0: does not hold; in all */
	char ended_by[8];                /* "peer", "us"; "" while it lasts */
	char ended_text[48];
	uint16_t ended_status, ended_cause; /* SIP, Q.850; 0: none */
	json_t *stats;                      /* last numbers of the leg, or NULL */
	uint32_t ring_ms;
	char dialled[SIP_USER_MAX]; /* a number outside */
	uint8_t trunk;              /* outside: by this one of the configuration */
	bool outside, heard;        /* it goes by a trunk; something has rung */
	uint64_t trunks_tried;      /* bits: by the configuration's order */
};

struct step_kept {
	uint64_t at_ms;
	enum call_step step;
	char detail[CALL_DETAIL_MAX];
};

/* One recording of the call. */
struct take {
	char id[CLOCK_UUID_SIZE];
	uint64_t started_ms; /* wall */
	const char *kind;    /* "call", "voicemail", "discarded" */
	bool open;           /* its account has not come */
	bool paused, masked; /* as last asked for */
};

/* What the agent typed lately, for codes of several keys. */
struct agent_keys {
	uint64_t at_ms; /* mono, of the newest */
	unsigned n;
	char key[32];
};

/* Why a phone is rung without the ACD. */
enum dial_purpose { DIAL_NONE, DIAL_INTERNAL, DIAL_FLOW, DIAL_TRANSFER, DIAL_PARKED };

/* The agent asks somebody while the customer waits; see consult.h. */
enum consult_state {
	CONSULT_NONE,
	CONSULT_NUMBER,     /* the agent types whom */
	CONSULT_RINGING,    /* that phone rings */
	CONSULT_TALKING,    /* agent and third party, the customer hears music */
	CONSULT_CONFERENCE, /* all three */
};

/* How far a call of before a restart has come; see adopt.h. */
enum adopted { ADOPT_NOT, ADOPT_KEPT, ADOPT_MET, ADOPT_DONE };

/* What of it could not go on by itself. */
enum adopt_next {
	ADOPT_NOTHING,
	ADOPT_DIAL_LOST,   /* the phone that rang */
	ADOPT_FLOW_ANEW,   /* its place in the flow */
	ADOPT_QUEUE_LOST,  /* the queue is not there any more */
	ADOPT_LOOKUP_LOST, /* the answer that it waited for */
	ADOPT_THIRD_LOST,  /* whom the agent consulted while the customer waited */
	ADOPT_THREE_LOST,  /* whom both talked with */
};

struct conference;

struct call {
	struct le le_number, le_id, le_touched;
	struct centre *centre;
	uint64_t number; /* the ACD's name for it */
	char id[CLOCK_UUID_SIZE];
	uint32_t bucket_id;
	enum call_state state;
	struct call_record record;
	struct step_kept *steps;
	unsigned step_count, steps_missed;
	uint32_t serial; /* of parties, plays, collections, monitors */

	struct party party[CALL_PARTIES_MAX];
	struct party *customer, *agent, *dialled, *supervisor;

	/* the flow */
	struct ivr_session ivr;
	bool flow_runs;
	bool after_play; /* `next` is to be done when the prompt has been heard */
	struct ivr_action next;
	char collect[CALL_ID_MAX];
	uint32_t lookup; /* waits for the answer of this number; 0: for none */
	struct ivr_collect collect_how;
	char info_digits[IVR_DIGITS_MAX + 1]; /* of this collection, that the engine did not see */
	char typed[IVR_DIGITS_MAX + 1];       /* ahead of the collection that will want them */

	/* the queue */
	int queue; /* waits in it or was answered from it; -1 */
	uint64_t
		queued_ms; /* mono; the present wait began, maybe in another queue; 0: it does not wait */
	bool in_acd;       /* acd_enter() was accepted and the call has not left */
	bool from_queue; /* `agent` was found by the ACD */
	bool untold;     /* something was to be played or heard while the engine was away */
	bool served;     /* somebody talked and let go; what the flow does next is a farewell */

	/* a promised call back: `customer` is rung when an agent is there */
	struct {
		bool promised;
		uint8_t tries, priority;
		uint64_t promised_ms; /* wall clock, of its place; the same after a restart */
		uint64_t due_ms;      /* wall: not before this; 0: as soon as an agent is free */
		uint64_t task_ms;     /* mono: `agent` has it since, and is to dial; 0: nobody */
	} callback;
	struct tmr retry;

	bool emergency;               /* a call for help: no limit holds it up */
	char help[SIP_USER_MAX];      /* transferred to this number for help; "" record.to is one */
	char caller_id[SIP_USER_MAX]; /* shown outside in the caller's place; "" the caller's */

	/* dialling without the ACD */
	enum dial_purpose dial;
	json_t *confirm;                   /* who answers hears this and must press 1; or NULL */
	char confirm_collect[CALL_ID_MAX]; /* waits for that key; "" none */

	/* consultation */
	struct {
		enum consult_state state;
		struct party *party;            /* who is asked; NULL while the number is typed */
		char collect[CALL_ID_MAX];      /* waits for the number; "" none */
		char typed[IVR_DIGITS_MAX + 1]; /* of it, by INFO */
	} consult;

	/* parked: in place `place`, also while a phone rings for it */
	struct {
		int place;             /* -1: it is not */
		uint8_t ringbacks;     /* so often the phone of `by` has rung */
		unsigned keys;         /* of the code, that an agent has pressed */
		uint64_t since_ms;     /* wall */
		char by[SIP_USER_MAX]; /* who parked it */
		struct tmr timer;
	} park;

	/* a conference room; see conference.h */
	struct {
		char name[CALL_RECORD_NAME_MAX]; /* where it is, or wants to go; "" nowhere */
		struct conference *in;           /* NULL: the PIN is asked for */
		struct le le;                    /* of the room's members */
		char collect[CALL_ID_MAX];       /* waits for the PIN; "" none */
		uint8_t tries;
		bool muted;
		uint64_t since_ms; /* wall */
	} room;

	/* recording: each take is one file for the listener; at most one runs */
	struct take take[CALL_TAKES_MAX];
	unsigned takes;
	int running; /* index into take; -1 none */
	struct record_wish wish;
	bool no_volume; /* a recording was refused because there is none */
	struct agent_keys agent_keys;
	bool answered;  /* somebody or something answered the customer */
	bool announced; /* the caller was told that the call is recorded */

	/* message */
	uint32_t message_max_s, message_silence_s, message_min_s, message_quiet_s;
	struct tmr message_timer;
	uint64_t message_since_ms; /* mono; 0: none is taken */
	bool message_left;

	/* supervision */
	char monitor[CALL_ID_MAX]; /* "" when none */
	char monitor_mode[12];
	bool take_over; /* the supervisor becomes the agent when it answers */

	/* a feature code's last word */
	const char *goodbye;

	/* over a restart: journal.h, adopt.h */
	uint64_t event_seq; /* newest event of the engine that was heard */
	uint64_t kept_ms;   /* wall: its last row of before */
	enum adopted adopted;
	enum adopt_next adopt_next;
	bool take_lost[CALL_TAKES_MAX], collect_lost;
	bool record_final; /* its record was stored whole: not again */

	bool opened;        /* call.open was accepted */
	unsigned reopening; /* legs asked for in a new engine */
	struct tmr limit;   /* call_max_s */
	struct tmr linger;  /* after the end */
	bool reaped;
};

/* call.c */
struct call *call_begin(struct centre *c, enum call_kind kind, const char *from, const char *to);
/* A call of before a restart: in the tables, everything else is the caller's. NULL without memory. */
struct call *call_again(struct centre *c, const char *id, uint64_t started_ms);
/* And out of them, as if it had never been. */
void call_forget(struct call *call);
void call_note(struct call *call, enum call_step step, const char *detail);
/* Keep something with the call: a survey's score, an account. */
void call_keep_note(struct call *call, const char *key, const char *value);
void call_set_state(struct call *call, enum call_state state);
const char *call_state_name(enum call_state state);
void call_end(struct call *call, enum call_party by, enum call_cause cause);
/* The same, at another moment than now. */
void call_end_at(struct call *call, enum call_party by, enum call_cause cause, uint64_t at_ms);
/* It is ENDING: give up what nobody answers. */
void call_linger(struct call *call);
void call_close_in_engine(struct call *call);
/* Free the call from the loop once nothing of it is left. Safe to call at any time. */
void call_finish(struct call *call);
void call_free(struct call *call);
void call_make_id(struct call *call, char kind, char out[CALL_ID_MAX]);
int call_status_of(enum call_cause cause); /* SIP status that refuses a call for this cause */
void call_publish(struct call *call);

/* An engine answer that finds its call and party again, if they are still there. */
typedef void call_reply_fn(struct call *call, struct party *p, int err, const json_t *result,
			   const struct rpc_error *why);
struct ticket;
struct ticket *call_ticket_new(struct call *call, struct party *p, call_reply_fn *fn);
void call_ticket_reply(void *arg, int err, const json_t *result, const struct rpc_error *why);
void call_ticket_drop(struct ticket *t); /* the request was not sent */

/* party.c */
struct party *party_new(struct call *call, enum party_role role, const char *number, int agent);
struct party *party_by_leg(struct call *call, const char *leg);
struct party *party_by_play(struct call *call, const char *play);
/* Ask for the leg; `then` follows when it is there, else party_failed(). */
void party_open(struct party *p, void (*then)(struct party *p));
/* Ring the phones of `user`, or a number outside through `trunk`. Returns as sip_call_invite(). */
int party_invite(struct party *p, const char *user, const struct config_trunk *trunk,
		 uint32_t ring_ms);
void party_attach(struct party *p, struct sip_call *sip); /* an incoming dialog */
/* A dialog of before a restart. Returns as sip_call_kept(). */
int party_restore(struct party *p, const json_t *dialog, const char *password);
int party_answer(struct party *p);
/* Who answered has pressed the key; or has not, or (`lost`) nobody could hear it. */
void party_confirmed(struct party *p);
void party_unconfirmed(struct party *p, bool lost);
/* trunks.c */
/* The word that stands in records and on displays for who does not want to be known. */
#define CALL_WITHHELD "anonymous"
bool call_withheld(const struct call *call);
/* Call `inv->user` by the best trunk that was not tried; `send` is called with what the trunk adds. */
int trunk_invite(struct party *p, struct sip_invite *inv,
		 int (*send)(struct party *p, struct sip_invite *inv));
/* Whether the trunk that a leg for somebody outside will be sent to first is called over IPv6. */
bool trunk_over_ip6(const struct party *p);
/* It failed before anything rang, and another trunk takes it now. */
bool trunk_next(struct party *p, const struct sip_call_event *ev);
int party_invite_again(struct party *p);
int party_local(struct party *p, const char *ip, uint16_t port); /* 0 or -EINVAL */
json_t *party_leg_members(const struct party *p);                /* of leg.open: name, family */
void party_end(struct party *p, int status, int cause, const char *text);
void party_gone(struct party *p); /* free the slot when dialog and leg are gone */
/* Who ended it, and how; the first counts. */
void party_note_end(struct party *p, const char *by, int status, int cause, const char *text);
void party_play(struct party *p, enum play_use use, json_t *items, unsigned loop,
		const char *interrupt);
void party_play_stop(struct party *p);
void party_apply_media(struct party *p, const struct sip_media *m);
/* The party whose dialog this is; NULL: nobody's any more. */
struct party *party_of(struct sip_call *sip);
/* The dialog of `from` is that of `p` from now on. */
void party_take_dialog(struct party *p, struct party *from);

/* party_move.c: the dialog of `from` goes on as a party of another call, which the caller then enters in its
 * books; the slot `from` is left without a dialog, for party_end(). NULL: no free slot.
 * party_move_open() asks for its leg; `then` follows when it is there and the phone was told. */
struct party *party_move(struct party *from, struct call *to, enum party_role role,
			 void (*then)(struct party *p));
void party_move_open(struct party *p);

/* party_srtp.c: set p->local's policy before an INVITE, before an answer, or after the leg was made
 * again in mid-call: as it was agreed. */
void party_srtp_invite(struct party *p, const char *user, const struct config_trunk *trunk);
void party_srtp_answer(struct party *p);
void party_srtp_again(struct party *p);
/* False after a restart, until the first offer has brought new keys: the engine has those in use. */
bool party_srtp_known(const struct sip_media *m);
/* The agreed keys as leg.set takes them, or null. Secret. */
json_t *party_srtp_json(const struct sip_media *m);
/* The suite in use, or NULL while media are plain. */
const char *party_srtp_name(const struct party *p);
json_t *party_prompt(const char *prompt); /* a playlist of one */
json_t *party_tone(const char *tone);
json_t *party_items(const struct ivr_items *items);

/* route.c */
void incoming_call(void *arg, struct sip_call *sip);
/* Send the customer of a call to a number: agent, queue, hotline, outside. False: no such. */
bool route_known(struct centre *c, const char *number, bool inside);
void route_customer(struct call *call, const char *number);
/* The queue that has this name or number, or NULL. */
const struct config_queue *route_queue(const struct centre *c, const char *number);

/* flow_run.c */
void flow_begin(struct call *call, struct ivr_flow *flow, const char *language);
void flow_tell(struct call *call, const struct ivr_event *ev);
void flow_play_done(struct call *call);
void flow_info_digit(struct call *call, char digit);
/* A key that the engine saw while it collected nothing: kept for the next collection. */
void flow_typed_ahead(struct call *call, char digit);
void flow_stop(struct call *call);

/* queue.c */
void queue_enter(struct call *call, const char *name, uint8_t priority);
void queue_leave(struct call *call, bool abandoned);
/* The ACD is going to be told something: from here its decision is timed. */
void queue_tell(struct centre *c);
void queue_drain(struct centre *c);
void queue_music(struct call *call);
/* Somebody whose phone rings for the ACD: `agent`, or any with -1; NULL. */
struct party *queue_offered(struct call *call, int agent);
/* The agent has heard what the queue says before each call. */
void queue_whisper_done(struct call *call);
/* A supervisor's word. Returns 0; -EBUSY or -ENOENT with a sentence in `why`. */
int queue_move(struct call *call, const char *queue, char *why, size_t why_size);
void queue_offer_answered(struct party *p);
void queue_offer_closed(struct party *p, const struct sip_call_event *ev);
void queue_offer_failed(struct party *p, enum agent_event how);
/* The phone could not be rung, and the agent is not to blame. */
void queue_offer_void(struct party *p, const char *why);

/* dial.c */
/* By which trunk the party's number is rung; NULL: by none, it is an agent or leads nowhere. */
const struct config_trunk *dial_trunk(const struct party *p);
void dial_start(struct call *call, const char *number, uint32_t timeout_s, enum dial_purpose why);
void dial_answered(struct party *p);
/* early.c: the one that is rung by a trunk is heard before its answer. */
void dial_early(struct party *p, const struct sip_media *m);
/* The key of who was asked to confirm; "" none. */
void dial_confirmed(struct call *call, const char *digits);
void dial_closed(struct party *p, int status);
void dial_withdraw(struct call *call);
void dial_cancel(struct call *call);
/* Has this agent something on its line? -1 has not. */
bool dial_is_busy(struct centre *c, int agent);

/* recorder.c */

/* Ask the engine for its recorder; what it says is in c->recorder, and makes or ends alarms. */
void recorder_ask(struct centre *c);
/* Once a second. */
void recorder_second(struct centre *c);
void recorder_forget(struct centre *c);
/* This new call is to be recorded, cannot be, and must not be taken then. */
bool recorder_refuses(const struct call *call);

/* record_control.c */
/* Begin or stop recording as rules and wishes want it now. Safe at any time. */
void record_follow(struct call *call);
/* Will it be recorded once somebody talks? */
bool record_planned(const struct call *call);
/* Why the call has no recording at all, a word of record/record_policy.h; "" when it has one. */
const char *record_missing(const struct call *call);
/* "off", "running", "paused" or "masked". */
const char *record_state_name(const struct call *call);
/* Somebody asks. Returns 0; -EBUSY, -EPERM or -ENOTCONN with a sentence in `why`. */
int record_control(struct call *call, enum record_verb verb, const char *by, char *why,
		   size_t why_size);
/* An agent pressed a key during the conversation: also those of consult.h. */
void record_key(struct party *p, char key);

/* callback.c */
/* Promise to call `number` when an agent of `queue` is free. False: it cannot be done. */
bool callback_promise(struct call *call, const char *queue, const char *number, uint8_t priority);
/* An agent took it: ring the customer, or let the agent do so; the customer answered; or did not. */
void callback_dial(struct call *call, struct party *agent);
/* The agent pressed a key: true when it was to dial, and the key is used. */
bool callback_key(struct party *p, char key);
void callback_answered(struct party *p);
void callback_failed(struct party *p, int status);
/* The agent is gone before the customer answered: true when the promise goes on. */
bool callback_agent_left(struct call *call, enum call_party by);
/* Nobody of it is on a line. */
bool callback_waits(const struct call *call);
/* The engine is gone: true when it was a call back whose customer had not answered; it waits on. */
bool callback_engine_lost(struct call *call);
/* The last agent signed out of its queue. False: it was nobody who waits for a call back. */
bool callback_put_out(struct call *call);
/* Its call ends. */
void callback_over(struct call *call, enum call_cause cause);
/* At start: what was promised before goes on. */
void callback_resume(struct centre *c);

/* regulars_kept.c: at start, who served the callers of before. */
void regulars_resume(struct centre *c);

/* talk.c, record.c */
/* `whisper`: a playlist for the agent alone, before the two are together; taken; may be NULL. */
void talk_begin(struct call *call, struct party *agent, json_t *whisper);
void talk_agent_left(struct call *call, enum call_party by);
void talk_release_agent(struct call *call);
/* `to` talks from now on instead of call->agent, in every book: a conversation of a queue stays one, who
 * leaves it wraps up once. `was`: the other call in which `to` has been `agent`; NULL: this one. */
void talk_pass(struct call *call, struct party *to, struct call *was);
void talk_hear(struct call *call);
/* A key of an agent in a conversation: codes of parking, recording and consultation. */
void talk_key(struct party *p, char key);
/* Prompt for who is held; "" none. */
const char *talk_hold_music(const struct call *call);
void talk_held(struct party *p, bool held);
void record_begin(struct call *call, bool message);
void record_stop(struct call *call);
bool record_open(const struct call *call);                 /* an account is still to come */
void record_forget(struct call *call);                     /* the engine that had them is gone */
void record_forget_take(struct call *call, unsigned take); /* the engine has this one no more */
/* A recording of this call that runs in the engine; nothing when it is known. */
void record_adopt(struct call *call, const char *recording);
void record_done(struct centre *c, const json_t *params);
/* Another engine is there: ask it what accounts the recordings of the lost one closed with. */
void record_recovered(struct centre *c);

/* transfer.c */
void transfer_refer(struct party *p, const struct sip_refer *refer);
int transfer_call(struct call *call, const char *to, char *why, size_t why_size);

/* feature.c */
bool feature_call(struct centre *c, struct sip_call *sip, const char *agent, const char *dialled);
/* What agents are spoken to in. */
const char *feature_language(const struct centre *c);

/* monitor.c */
int monitor_set(struct call *call, const char *by, const char *mode, struct sip_call *dialled,
		const char **state, char *why, size_t why_size);
void monitor_answered(struct party *p);
void monitor_closed(struct party *p);
void monitor_digit(struct party *p, char digit);
void monitor_agent_changed(struct call *call);

/* takeover.c */
/* `by` takes the conversation over: "taken" at once when it listens already, else "ringing". Returns 0, or -ENOENT,
 * -EPERM, -EBUSY, -ENOTCONN with a sentence in `why`. */
int takeover_set(struct call *call, const char *by, const char **state, char *why, size_t why_size);
/* The supervisor who listens becomes the agent; false when there is no conversation any more. */
bool takeover_now(struct party *p);

/* message.c */
void message_begin(struct call *call, const struct ivr_action *a);
void message_beep_done(struct call *call);
void message_digit(struct call *call, char digit);
void message_end(struct call *call, const char *why);
/* A message of before a restart is still being taken. */
void message_resume(struct call *call);
/* The call ends while a message is taken. */
void message_keep(struct call *call, const char *why);

/* desk.c */
void desk_registered(void *arg, const struct sip_registration *r);
void desk_unregistered(void *arg, const struct sip_registration *r);
void desk_state_changed(struct centre *c, const struct acd_action *a);
void desk_other(struct centre *c, int agent, uint64_t call, bool begin);
/* The phone of `agent` is not to be disturbed, or is again. Returns 0 or -ENOENT. */
int desk_dnd(struct centre *c, int agent, bool on);
/* Is it not to be disturbed? -1 and strangers are not. */
bool desk_has_dnd(const struct centre *c, int agent);
/* What keeps the agent busy in one call goes on in another. */
void desk_other_moves(struct centre *c, int agent, uint64_t from, uint64_t to);

/* recover.c */
void recover_up(void *arg, bool same, const json_t *snapshot);
void recover_down(void *arg);
/* Calls wait for an engine, so long and no longer. */
void recover_wait(struct centre *c);
/* Ask for a leg that the engine does not have; when all of a call are there, it goes on. */
void recover_reopen(struct call *call, struct party *p);
/* What played, was typed or was heard is lost: go on where the call was. */
void recover_go_on(struct call *call);

/* engine_event.c */
void engine_event(void *arg, const char *type, const json_t *params);

#endif
