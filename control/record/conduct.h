/* Actions of agents and their phones that keep calls away without a change of state that anybody sees.
 *
 * Events in, findings out. What looks like a habit is found when it has happened often enough in an hour or a day;
 * what harms a caller at once is found each time. A finding is an observation with its evidence, to be
 * looked at by a person: it accuses nobody and changes nothing.
 *
 *   rule            found when                                                               limit
 *   rejected_ring   the phone refused offered calls, in an hour                              rejected_per_hour
 *   unanswered_ring offered calls rang out, in an hour                                       unanswered_per_hour
 *   do_not_disturb  a phone refused within do_not_disturb_ms, before anybody could have, or
 *                   do not disturb was switched on while ready                               do_not_disturb_ms
 *   unplugged       the phone vanished while its agent was signed in, or an offer found
 *                   it gone                                                                  unplugged: each time
 *   re_registered   the phone came back, in an hour                                          registrations_per_hour
 *   long_hold       one hold lasts longer                                                    hold_s
 *   many_holds      holds in one conversation                                                holds_per_call
 *   media_gap       nothing came from the phone in a conversation, seconds in all            media_gap_s
 *   silent          the agent's longest silence in a conversation, seconds                   silent_s
 *   many_sign_ins   sign-ins in a day                                                        sign_ins_per_day
 *   many_aways      times not ready in a day                                                 aways_per_day
 *   long_away       seconds not ready in a day                                               away_s_per_day
 *   left_ringing    signed out or went not ready while a call rang                           each time
 *   slow_dial       took longer to dial a call back than                                     dial_s
 *   left_callback   hung up before the customer who was to be called back was reached        left_callback: each time
 *   idle_callbacks  dialled none for longer, while calls back waited that it could make      callback_idle_s
 *
 * A limit of 0 switches a rule off. Limits of hours count the last 60 minutes and begin anew after a finding.
 *
 * Not counted against anybody: offers that the caller or the ACD ended, the first registration of a day, a registration
 * that is refreshed, holds by the other side, being not ready by sign-in, what happens while signed out, and conversations
 * between two calls back.
 *
 * Thread: pure; one struct per agent. Times are wall-clock milliseconds; `day` is any number that changes at the
 * local midnight.
 */
#ifndef RECORD_CONDUCT_H
#define RECORD_CONDUCT_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/config.h"

/* clang-format off */
#define CONDUCT_RULE_TABLE(X) \
	X(REJECTED_RING,   "rejected_ring") \
	X(UNANSWERED_RING, "unanswered_ring") \
	X(DO_NOT_DISTURB,  "do_not_disturb") \
	X(UNPLUGGED,       "unplugged") \
	X(RE_REGISTERED,   "re_registered") \
	X(LONG_HOLD,       "long_hold") \
	X(MANY_HOLDS,      "many_holds") \
	X(MEDIA_GAP,       "media_gap") \
	X(SILENT,          "silent") \
	X(MANY_SIGN_INS,   "many_sign_ins") \
	X(MANY_AWAYS,      "many_aways") \
	X(LONG_AWAY,       "long_away") \
	X(LEFT_RINGING,    "left_ringing") \
	X(SLOW_DIAL,       "slow_dial") \
	X(LEFT_CALLBACK,   "left_callback") \
	X(IDLE_CALLBACKS,  "idle_callbacks")
/* clang-format on */

#define CONDUCT_RULE_ENUM(id, name) CONDUCT_##id,
enum conduct_rule { CONDUCT_RULE_TABLE(CONDUCT_RULE_ENUM) CONDUCT_RULES };
#undef CONDUCT_RULE_ENUM

const char *conduct_rule_name(enum conduct_rule rule);

enum conduct_event_kind {
	CONDUCT_EV_SIGNED_IN,
	CONDUCT_EV_SIGNED_OUT, /* `ringing`: while a call rang */
	CONDUCT_EV_AWAY,       /* became not ready by hand; `ringing` */
	CONDUCT_EV_BACK,       /* is not ready no more */
	CONDUCT_EV_REJECTED,   /* `ms`: after so long; `status`: SIP's */
	CONDUCT_EV_UNANSWERED, /* `ms` */
	CONDUCT_EV_UNREACHABLE,
	CONDUCT_EV_DND,          /* switched on at the platform, while ready */
	CONDUCT_EV_REGISTERED,   /* after it had been gone, or at first */
	CONDUCT_EV_UNREGISTERED, /* the last contact went */
	CONDUCT_EV_TALK,         /* a conversation began */
	CONDUCT_EV_HOLD,         /* by the agent */
	CONDUCT_EV_RESUME,
	CONDUCT_EV_TALK_OVER,
	CONDUCT_EV_SOUND, /* of a conversation so far: `ms` nothing came, `silence_ms` the longest silence */
	CONDUCT_EV_DIALLED, /* a call back, `ms` after it was given to the agent */
	CONDUCT_EV_LEFT_CALLBACK,
	CONDUCT_EV_TIME, /* time has passed: at least each half minute; `callbacks` */
};

struct conduct_event {
	enum conduct_event_kind kind;
	uint64_t at_ms;
	int32_t day;
	uint64_t ms, silence_ms;
	unsigned status;
	bool ringing;
	bool callbacks;       /* some wait that the agent could make */
	const char *call;     /* "" when there is none */
	const char *evidence; /* more of it, such as a contact; NULL: none */
};

enum { CONDUCT_WINDOW = 16, CONDUCT_CALL_MAX = 40, CONDUCT_EVIDENCE_MAX = 120 };

struct conduct_window {
	uint64_t at_ms[CONDUCT_WINDOW];
	unsigned n;
};

struct conduct {
	int32_t day;
	bool signed_in, registered_once, away, held, hold_told, away_told;
	bool gap_told, silence_told;     /* of this conversation */
	uint64_t away_since_ms, away_ms; /* of the day */
	uint64_t held_since_ms;
	uint64_t
		idle_since_ms; /* the last call back was dialled, or a conversation after it was over; 0: none was */
	bool talks, idle_told;
	unsigned sign_ins, aways, holds;
	char call[CONDUCT_CALL_MAX]; /* of the conversation */
	struct conduct_window rejected, unanswered, registered;
};

struct conduct_finding {
	enum conduct_rule rule;
	uint64_t at_ms;
	uint32_t count;     /* how often, by the rule */
	uint64_t lasted_ms; /* how long, by the rule */
	char call[CONDUCT_CALL_MAX];
	char evidence[CONDUCT_EVIDENCE_MAX];
};

enum { CONDUCT_FINDINGS_MAX = 3 };

/* Returns the number of findings in `out`. */
unsigned conduct_event(struct conduct *c, const struct config_conduct *limits,
		       const struct conduct_event *e,
		       struct conduct_finding out[CONDUCT_FINDINGS_MAX]);

#endif
