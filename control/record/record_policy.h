/* Whether a call is recorded now, and if not, why not.
 *
 * Four levels may say what is recorded: the whole centre, the hotline that was dialled, the queue that
 * the caller is in, the agent who talks; each later one that says anything overrules those before. A rule is a
 * mode and a share of calls. On top of that people may ask: a flow after the caller's consent, the
 * agent by keys, an operator by the command line.
 *
 *	consent refused    never again in this call, whoever asks
 *	stopped            until somebody asks for it again
 *	asked for          yes, unless the rule says `never`
 *	rule `never`       no
 *	rule `demand`      no, nobody asked
 *	rule `agent`       only while somebody talks with the caller
 *	percentage         the call's lot, drawn once from its id, is below it
 *
 * So a call has either a recording or exactly one of the reasons below in its record, and a
 * reconciliation can tell a policy from a loss.
 *
 * Thread: pure.
 */
#ifndef RECORD_RECORD_POLICY_H
#define RECORD_RECORD_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/config.h"

/* What flow, agent and operator can do. PAUSE leaves a gap in the recording, MASK silence of the same
 * length; both are in its account. */
/* clang-format off */
#define RECORD_VERB_TABLE(X) \
	X(START,  "start") \
	X(STOP,   "stop") \
	X(PAUSE,  "pause") \
	X(RESUME, "resume") \
	X(MASK,   "mask") \
	X(UNMASK, "unmask") \
	X(REFUSE, "refuse") /* the caller does not consent */

/* Why there is no recording: the word that is stored, the sentence an operator reads. */
#define RECORD_REASON_TABLE(X) \
	X(NONE,         "",                "is recorded") \
	X(POLICY,       "policy",          "the rules say that it is not recorded") \
	X(PERCENTAGE,   "percentage",      "it is not in the share of calls that is recorded") \
	X(CONSENT,      "consent_refused", "the caller did not consent") \
	X(NOT_ASKED,    "not_asked",       "it is recorded on demand, and nobody asked") \
	X(STOPPED,      "stopped",         "the recording was stopped") \
	X(NO_TALK,      "no_talk",         "only conversations are recorded, and there was none") \
	X(NOT_ANSWERED, "not_answered",    "it was not answered") \
	X(NOT_A_CALL,   "not_a_call",      "a feature code or a supervisor's own call") \
	X(NO_VOLUME,    "no_volume",       "no volume took recordings") \
	X(FAILED,       "failed",          "the engine could not record it")
/* clang-format on */

#define RECORD_VERB_ENUM(id, name) RECORD_VERB_##id,
enum record_verb { RECORD_VERB_TABLE(RECORD_VERB_ENUM) RECORD_VERBS };
#undef RECORD_VERB_ENUM

#define RECORD_REASON_ENUM(id, name, text) RECORD_REASON_##id,
enum record_reason { RECORD_REASON_TABLE(RECORD_REASON_ENUM) RECORD_REASONS };
#undef RECORD_REASON_ENUM

extern const char *const record_verb_names[RECORD_VERBS];
const char *record_reason_name(enum record_reason r);
const char *record_reason_text(enum record_reason r);

/* What people have asked for in one call; zeroes at its begin. */
struct record_wish {
	bool refused, asked, stopped;
};

/* The rule for a call where it is now: `hotline`, `queue` and `agent` may be NULL. The result has no
 * INHERIT and a share from 1 to 100. */
struct config_record_rule record_policy_rule(const struct config *c,
					     const struct config_hotline *hotline,
					     const struct config_queue *queue,
					     const struct config_agent *agent);

/* A call's lot from its id, 0..99; the same for the same id (FNV-1a over the text). */
unsigned record_policy_lot(const char *call);

/* RECORD_REASON_NONE: record it. `talking`: somebody talks with the caller. */
enum record_reason record_policy_decide(struct config_record_rule rule, struct record_wish wish,
					unsigned lot, bool talking);

/* Take START, STOP or REFUSE into the wishes. Returns RECORD_REASON_NONE, or why the verb is
 * refused (then nothing changed): consent was refused before, or the rule is `never`. */
enum record_reason record_policy_ask(struct config_record_rule rule, struct record_wish *wish,
				     enum record_verb verb);

#endif
