/* What the daemon writes down to go on after it was killed; adopt.h takes it back.
 *
 * A call that changes is touched; a few milliseconds later all touched calls, agents of whom something has
 * changed, and the newest event of the engine that was heard go to the store as rows that replace the ones of
 * before (store/journal.h). The records and steps of the same moments are in the same queue before them.
 *
 * A row of a call is everything but: quality (a leg tells it at its end), steps (they are in the store), what
 * plays in which order (the engine knows), keys of media, digits typed ahead and secret values of the flow.
 *
 * Thread: libre's loop. Without a store nothing is written.
 */
#ifndef CALL_JOURNAL_H
#define CALL_JOURNAL_H

#include "call/calls.h"

enum {
	JOURNAL_VERSION = 1, /* of the bodies; a change of their meaning is a new one */
	JOURNAL_LAG_MS = 10,
	JOURNAL_BINDINGS_MS = 5000, /* refreshed bindings are looked for so often */
};

/* Something of the call has changed. Safe at any time. */
void journal_touch(struct call *call);

/* The call is about to be freed. */
void journal_gone(struct call *call);

/* Agents may have changed, or an event of the engine was heard. */
void journal_soon(struct centre *c);

/* A supervisor has paused a queue, or lets it go on; has set an agent's level in a queue (0: not in it). Both hold over a
 * restart, as they do over a reload, until they are set otherwise. */
void journal_queue(struct centre *c, const char *queue, bool paused);
void journal_skill(struct centre *c, const char *agent, const char *queue, uint8_t level);

/* A phone came or went; and, once a second, those that only said that they are still there. */
void journal_registered(struct centre *c, const struct sip_registration *r);
void journal_unregistered(struct centre *c, const struct sip_registration *r);
void journal_second(struct centre *c);

/* Write what is touched, now. */
void journal_flush(struct centre *c);

/* The body of a call's row, for the writer and for tests; a new reference. */
json_t *journal_call(const struct call *call);

/* Words of the enums in it, by number; NULL: a thing that the next daemon need not know how to go on with. */
const char *journal_state_name(unsigned state);
const char *journal_role_name(unsigned role);
const char *journal_party_name(unsigned state);
const char *journal_play_name(unsigned use);
const char *journal_dial_name(unsigned purpose);
const char *journal_action_name(unsigned kind);

/* Wall clock of a moment of the other one (0 stays 0), and back. */
uint64_t journal_wall_ms(uint64_t mono_ms);
uint64_t journal_mono_ms(uint64_t wall_ms);

#endif
