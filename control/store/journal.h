/* The journal: what the daemon must know to go on after it was killed, one row for each live thing,
 * replaced whenever the thing changes and gone with it; and what supervisors have set by hand.
 *
 * Rows go the way of all rows (store.h): through the queue, in order with the call records and steps, into
 * one transaction with whatever else has gathered. So after a crash the journal and the records are of
 * one moment, at most a few milliseconds before the end. Journal rows are the first to be refused when
 * the queue fills: an eighth of it is theirs; a row refused leaves the thing as it was journalled before.
 *
 * What a row's body means is its writer's business (control/call/journal.c); here it is text. No secret
 * belongs into it: neither keys of media nor digits that a flow collects as secret.
 *
 * Thread: as store.h.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "store/store.h"

enum { JOURNAL_BODY_MAX = 65536, JOURNAL_STEPS_MAX = 160 };

enum journal_kind {
	JOURNAL_CALL,    /* id: the call */
	JOURNAL_AGENT,   /* id: its number */
	JOURNAL_BINDING, /* id: user and contact */
	JOURNAL_ENGINE,  /* id: "": which engine, and up to which event it was heard */
	JOURNAL_QUEUE,   /* id: its name; one that is paused */
	JOURNAL_SKILL,   /* id: agent and queue; a level that a supervisor has set */
	JOURNAL_KINDS
};

const char *journal_kind_name(enum journal_kind kind);

/* Insert or replace. `version` is of the body's form. False: refused. */
bool store_journal_put(struct store *store, enum journal_kind kind, const char *id, int version,
		       uint64_t at_ms, const char *body);

/* The thing is gone. */
bool store_journal_drop(struct store *store, enum journal_kind kind, const char *id);

/* All that was committed, once at start, read at once and on the calling thread: an array of
 *
 *	{kind, id, version, at_ms, body: TEXT}
 *
 * and of a call also `steps`: [[at_ms, step, detail]], the oldest JOURNAL_STEPS_MAX, and `steps_missed`;
 * and, when its record has ended already, `ended_ms`. NULL when it cannot be read (logged). */
json_t *store_journal_read(const struct store *store);

#endif
