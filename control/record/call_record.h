/* The record of one call: what happened, when, who ended it and why, how it sounded.
 *
 * The orchestration tells the builder each step at the moment it happens; the builder keeps the
 * sums (wait, talk, hold) and the names (queue, agents, path through the flow) that make up the
 * call record. Nothing is ever recomputed from logs: what is here is what gets stored.
 *
 *	IVR ----> QUEUE ----> OFFER ----> ANSWER ----> HOLD ----> RESUME ----> HANGUP
 *	           |<------- wait ------->|<-- talk -->|<- hold ->|<-- talk --->|
 *
 * Exactly one of wait, talk and hold is counted at any time, or none (in menus). Wrap-up happens
 * after the call and is added to the stored record by its own step.
 *
 * Thread: one owner. Pure: times come in as milliseconds since the Unix epoch.
 */
#ifndef RECORD_CALL_RECORD_H
#define RECORD_CALL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

enum {
	CALL_RECORD_NAME_MAX = 64, /* a number, queue, agent or id, with its NUL */
	CALL_RECORD_PATH_MAX = 1024,
	CALL_RECORD_AGENTS_MAX = 8,
};

/* Steps of a call, as stored and as sent to subscribers. */
/* clang-format off */
#define CALL_STEP_TABLE(X) \
	X(RING,          "ring") \
	X(IVR,           "ivr") \
	X(DIGITS,        "digits") \
	X(QUEUE,         "queue") \
	X(QUEUE_LEFT,    "queue_left") \
	X(ANNOUNCE,      "announce") \
	X(OFFER,         "offer") \
	X(OFFER_VOID,    "offer_void") \
	X(NO_ANSWER,     "no_answer") \
	X(REJECT,        "reject") \
	X(ANSWER,        "answer") \
	X(RECORD,        "record") \
	X(RECORD_CONTROL, "record_control") \
	X(HOLD,          "hold") \
	X(RESUME,        "resume") \
	X(TRANSFER,      "transfer") \
	X(PARK,          "park") \
	X(UNPARK,        "unpark") \
	X(PICK_UP,       "pick_up") \
	X(CONSULT,       "consult") \
	X(CONFERENCE,    "conference") \
	X(ROOM,          "room") \
	X(ROOM_REFUSED,  "room_refused") \
	X(MONITOR,       "monitor") \
	X(MESSAGE,       "message") \
	X(RESOLVED,      "resolved") \
	X(TAKEOVER,      "takeover") \
	X(CALLBACK,      "callback") \
	X(DIAL,          "dial") \
	X(MEDIA_TIMEOUT, "media_timeout") \
	X(ENGINE_LOST,   "engine_lost") \
	X(ENGINE_BACK,   "engine_back") \
	X(ADOPTED,       "adopted") \
	X(HANGUP,        "hangup") \
	X(WRAP_UP,       "wrap_up") \
	X(WRAP_UP_DONE,  "wrap_up_done")

/* Why a call ended: name, Q.850 cause, the sentence an operator reads. */
#define CALL_CAUSE_TABLE(X) \
	X(NORMAL,        "normal",        16, "one side hung up") \
	X(ABANDONED,     "abandoned",     16, "the caller hung up before anybody answered") \
	X(NO_ANSWER,     "no_answer",     19, "nobody answered") \
	X(BUSY,          "busy",          17, "the called party is busy") \
	X(REJECTED,      "rejected",      21, "the called party declined") \
	X(UNREACHABLE,   "unreachable",   20, "the called party is not registered or does not respond") \
	X(MEDIA_TIMEOUT, "media_timeout", 41, "no sound arrived from a party for too long") \
	X(ENGINE_LOST,   "engine_lost",   41, "the media engine went away and the call could not be kept") \
	X(OVERLOADED,    "overloaded",    42, "the media engine refused more load") \
	X(UNRECORDABLE,  "unrecordable",  42, "no volume took recordings, and the call had to be recorded") \
	X(NO_ROUTE,      "no_route",       1, "the dialled number leads nowhere") \
	X(FLOW_ENDED,    "flow_ended",    16, "the flow came to its end") \
	X(MESSAGE_LEFT,  "message_left",  16, "the caller left a message") \
	X(TRANSFERRED,   "transferred",   16, "the call went on elsewhere") \
	X(OPERATOR,      "operator",      16, "an operator ended the call") \
	X(SHUTDOWN,      "shutdown",      41, "the daemon was stopped") \
	X(PREEMPTED,     "preempted",      8, "a call for help needed its place") \
	X(NOT_ALLOWED,   "not_allowed",   21, "the caller may not do this") \
	X(FAILED,        "failed",        38, "the call failed on the way")
/* clang-format on */

#define CALL_STEP_ENUM(id, name) CALL_STEP_##id,
enum call_step { CALL_STEP_TABLE(CALL_STEP_ENUM) CALL_STEPS };
#undef CALL_STEP_ENUM

#define CALL_CAUSE_ENUM(id, name, q850, text) CALL_CAUSE_##id,
enum call_cause { CALL_CAUSE_TABLE(CALL_CAUSE_ENUM) CALL_CAUSES };
#undef CALL_CAUSE_ENUM

enum call_kind {
	CALL_IN,
	CALL_INTERNAL,
	CALL_FEATURE,
	CALL_MONITOR,
	CALL_OUT,
	CALL_CALLBACK,
	CALL_REMOTE, /* a remote agent's line that stays up */
	CALL_KINDS
};

enum call_party { PARTY_NONE, PARTY_CUSTOMER, PARTY_AGENT, PARTY_SYSTEM, PARTY_OPERATOR };

/* What counts now. */
enum call_clock { CALL_CLOCK_NONE, CALL_CLOCK_WAIT, CALL_CLOCK_TALK, CALL_CLOCK_HOLD };

/* How a leg sounded, from the engine's last statistics. */
struct call_quality {
	bool known;
	bool rtt_known;
	double lost_share; /* 0..1, of what should have arrived */
	double jitter_ms;
	double rtt_ms;
	double mos; /* 1..4.5, E-model for G.711 (ITU-T G.107, reduced) */
};

struct call_record {
	char call[CALL_RECORD_NAME_MAX];
	enum call_kind kind;
	char from[CALL_RECORD_NAME_MAX];
	char to[CALL_RECORD_NAME_MAX];
	char queue[CALL_RECORD_NAME_MAX]; /* the last one; empty when none */
	char agents[CALL_RECORD_AGENTS_MAX][CALL_RECORD_NAME_MAX]; /* who answered, in order */
	uint8_t agent_count;
	char path[CALL_RECORD_PATH_MAX];      /* nodes of the flow, separated by one space */
	char flow[CALL_RECORD_NAME_MAX];      /* the first flow; empty when none */
	char recording[CALL_RECORD_NAME_MAX]; /* the first recording */
	char not_recorded
		[24]; /* why there is none, a word of record_policy.h; "" when there is one */
	uint64_t started_ms;
	uint64_t answered_ms; /* first answer by a person; 0 when none */
	uint64_t ended_ms;    /* 0 while it runs */
	uint64_t wait_ms;
	uint64_t talk_ms;
	uint64_t hold_ms;
	uint32_t offers; /* offers to agents, answered or not */
	enum call_party hung_up_by;
	enum call_cause cause;
	struct call_quality quality; /* of the customer's leg */

	enum call_clock clock;
	uint64_t clock_since_ms;
};

const char *call_step_name(enum call_step step);
/* The step of that name; CALL_STEPS when there is none. */
enum call_step call_step_find(const char *name);
const char *call_cause_name(enum call_cause cause);
const char *call_cause_text(enum call_cause cause);
uint8_t call_cause_q850(enum call_cause cause);
const char *call_kind_name(enum call_kind kind);
const char *call_party_name(enum call_party party); /* PARTY_NONE is "" */

/* The cause that a SIP final response stands for (RFC 3398, 7.2.4.1 in reverse; 2xx is normal). */
enum call_cause call_cause_of_sip(unsigned status);

/* Start the record. Texts longer than their field are cut. */
void call_record_begin(struct call_record *r, const char *call, enum call_kind kind,
		       const char *from, const char *to, uint64_t now_ms);

/* Tell one step. `detail` may be NULL. Steps after call_record_end() change nothing, except that a
 * step told twice costs nothing either. A clock that steps back counts as no time passed. */
void call_record_step(struct call_record *r, enum call_step step, const char *detail,
		      uint64_t now_ms);

/* The flow that leads the caller; the first one counts. */
void call_record_flow(struct call_record *r, const char *flow);

/* End it: stops the clock, and turns NORMAL into ABANDONED when the customer left while waiting.
 * The first end counts, later ones change nothing. */
void call_record_end(struct call_record *r, enum call_party by, enum call_cause cause,
		     uint64_t now_ms);

/* A record that is being written, over a restart: all but its quality, which a leg tells at its end.
 * call_record_keep() is a new reference; call_record_kept() reads it back and says false for what
 * this function cannot have written (then `*r` means nothing). */
json_t *call_record_keep(const struct call_record *r);
bool call_record_kept(struct call_record *r, const json_t *o);

/* Mean opinion score of G.711 from what the engine measured: ITU-T G.107's R with delay from
 * rtt/2 and jitter, Ie-eff for random loss (Bpl 4.3 without, G.113), then G.107 annex B. */
double call_quality_mos(double lost_share, double jitter_ms, double rtt_ms);

#endif
