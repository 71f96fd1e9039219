/* The call centre's database, behind one narrow layer.
 *
 * The loop never waits for a disk. A write is a row put into a bounded queue; one writer thread
 * takes what has gathered and writes it in one transaction. A read is a question put into a second
 * bounded queue; one reader thread with its own read-only connection answers it, and the answer is
 * handed over on the loop by store_dispatch().
 *
 *	loop --put--> [queue] --> writer thread --> SQLite (WAL)
 *	loop --ask--> [queue] --> reader thread --> SQLite (read only) --answer--> store_dispatch()
 *
 * When the database cannot be written (disk full, locked, I/O error) the rows stay in the queue and
 * the writer tries again each STORE_RETRY_MS; calls go on. When the queue passes three quarters,
 * steps and agent states are refused and counted, so that call records and recordings still find
 * room; when it is full everything is refused and counted. store_status() tells all of it.
 * A file that is not a database (corrupt at start) is moved aside to NAME.corrupt-TIME and a new
 * one begun; nothing is ever deleted.
 *
 * After kill -9 at any instant the file opens again and holds every transaction that had been
 * committed (WAL; synchronous=NORMAL: a power cut may lose the last transactions, never the
 * file's integrity).
 *
 * Thread: all functions from one thread, the loop's.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "record/call_record.h"
#include "record/tally.h"

enum {
	STORE_QUEUE_MAX = 65536, /* rows that may wait */
	STORE_ASK_MAX = 256,     /* questions that may wait */
	STORE_BATCH_MAX = 2048,  /* rows of one transaction */
	STORE_RETRY_MS = 1000,
	STORE_READ_STEPS_MAX = 20000000, /* SQLite VM steps of one question, about a second */
	STORE_LIMIT_MAX = 200,
	STORE_SETTLE_MS = 20000, /* an interval is computed so long after its end */
	STORE_BORDERS_MAX = 3000,
};

struct store;

enum store_state {
	STORE_OK,
	STORE_LOCKED, /* another process holds it: retrying */
	STORE_FULL,   /* no space: retrying */
	STORE_FAILED, /* anything else: retrying; see `text` */
};

struct store_status {
	enum store_state state;
	char text[160];       /* SQLite's words, empty when OK */
	int schema;           /* version of the tables */
	uint32_t waiting;     /* rows in the queue */
	uint32_t waiting_max; /* its bound */
	uint64_t written;     /* rows committed since open */
	uint64_t dropped;     /* rows refused since open */
	bool moved_aside;     /* a corrupt file was replaced at open */
};

/* Open or create `file` and bring its tables to the newest version, then start the threads. The
 * directory must exist. Returns 0; or negative errno with a sentence in `why`: -EACCES, -ENOSPC,
 * -EBUSY (locked for more than five seconds), -EPROTO (written by a newer version), -EIO. */
int store_open(struct store **store, const char *file, char *why, size_t why_size);

/* Write what waits, for at most `wait_ms`, stop the threads and close. Questions that are not yet
 * answered are answered with an error. NULL is fine. Returns the number of rows left unwritten. */
uint32_t store_close(struct store *store, uint32_t wait_ms);

void store_status(const struct store *store, struct store_status *status);
const char *store_state_name(enum store_state state);

/* Readable when store_dispatch() has answers to deliver. */
int store_fd(const struct store *store);
void store_dispatch(struct store *store);

/* Writes. Each copies what it is given and returns true, or false when the row was refused. */

/* The whole row of a call: inserted when new, replaced when known. */
bool store_call(struct store *store, const struct call_record *r);

struct store_leg {
	const char *leg, *call, *role, *party, *sip_call_id;
	uint64_t started_ms, answered_ms, ended_ms;
	const char *codec, *remote; /* as last settled, or NULL */
	const char *stats;          /* JSON of the engine's final statistics, or NULL */
	const char *ended_by;       /* "peer", "us", or NULL: not known */
	const char *ended_text;     /* SIP's or our word for it, or NULL */
	uint16_t sip_status, q850;  /* 0: none */
	uint64_t held_ms;           /* the party held so long in all */
};
bool store_leg(struct store *store, const struct store_leg *leg);
bool store_step(struct store *store, const char *call, uint64_t at_ms, enum call_step step,
		const char *detail);
/* Something that a flow keeps with a call. */
bool store_note(struct store *store, const char *call, uint64_t at_ms, const char *key,
		const char *value);
struct store_callback {
	const char *call, *queue, *number, *from;
	uint8_t priority, tries;
	uint64_t promised_ms;
	uint64_t due_ms; /* not before this; 0: as soon as an agent is free */
	const char *
		state; /* "waiting", "done", "failed", "moved" (promised again under another call) */
};
/* Inserted when new; of a known one tries, promised_ms (to a later one), due_ms and state change. */
bool store_callback(struct store *store, const struct store_callback *callback);
/* Add to the wrap-up time of a call that has ended. */
bool store_wrap_up(struct store *store, const char *call, uint64_t wrap_up_ms);
bool store_agent_state(struct store *store, const char *agent, uint64_t at_ms, const char *state,
		       const char *reason, const char *call);

struct store_recording {
	const char *recording, *call, *kind; /* kind: "call" or "voicemail" */
	const char *agent, *queue, *from, *to;
	uint64_t started_ms, ended_ms; /* ended_ms 0: still running */
	bool complete;                 /* the account closed without a loss */
	uint64_t accepted, written, lost;
	const char *lost_reason;
	const char
		*account; /* JSON: per channel accepted, written, lost, masked, missing; or NULL */
};
/* Inserted when new, replaced when known; `heard` is kept. */
bool store_recording(struct store *store, const struct store_recording *rec);
/* The account of a recording that is known already, told late: complete, the sums, lost_reason,
 * account, and ended_ms where there was none yet. */
bool store_account(struct store *store, const struct store_recording *rec);
bool store_heard(struct store *store, const char *recording, bool heard);
/* At start: calls and recordings that a crash left running and that the journal does not know are ended with `engine_lost`'s kin,
 * cause `failed`, at the time of their last step; agents whom the journal does not know are signed in or in wrap-up until the
 * last sign of life (state signed_out, reason "restart"). */
bool store_close_orphans(struct store *store, uint64_t now_ms);

/* Something about an agent's way of working (record/conduct.h). */
struct store_finding {
	const char *agent, *rule, *call, *evidence; /* call may be NULL */
	uint64_t at_ms, lasted_ms;
	uint32_t count;
};
bool store_finding(struct store *store, const struct store_finding *f);
/* A call, or its wrap-up, that passed a limit (record/overlong.h): inserted when new, else level and length change; who was
 * told of this level, a JSON list, is added to who was told before. */
struct store_overlong {
	const char *call, *agent, *queue, *what, *told;
	uint64_t began_ms, limit_ms, lasted_ms;
	uint8_t level;
};
bool store_overlong(struct store *store, const struct store_overlong *o);

/* Interval tables. */

/* What the queues' configuration says; copied. */
void store_limits(struct store *store, const struct tally_limits *limits, size_t n);
/* A row that is written late, a day at most, takes effect in the tables with the next interval. */
/* The intervals that are over by `now_ms`, less STORE_SETTLE_MS, may be computed now. Costs nothing when
 * they are. */
void store_tabulate(struct store *store, uint64_t now_ms);

/* Reads. */

/* Called on the loop, from store_dispatch() or store_close(). `result` is borrowed and NULL on
 * failure; then `error` is a sentence. */
typedef void store_answer_fn(void *arg, const json_t *result, const char *error);

enum store_question {
	STORE_ASK_CDR,        /* -> {records: [...], more, next} */
	STORE_ASK_RECORDINGS, /* -> {recordings: [...], more, next} */
	STORE_ASK_CALLBACKS,  /* -> {callbacks: [...]}: those that wait, the oldest first */
	STORE_ASK_REGULARS, /* -> {regulars: [{from, agent, at_ms}]} since from_ms, the newest first: who of the callers of
			     * queues was served by whom */
	STORE_ASK_AWAY, /* -> {away: [{agent, reason, used_ms}]}: not ready in [from, to), all agents */
	STORE_ASK_AGENT_LOG, /* -> {states: [...], more, next}: of `agent`, the newest first */
	STORE_ASK_FINDINGS,  /* -> {findings: [...]} of [from, to), of `agent` or of all */
	STORE_ASK_OVERLONG, /* -> {overlong: [...]} that began in [from, to), with their recordings */
	STORE_ASK_REPORT,   /* store_report() */
	STORE_ASK_CUSTOMERS, /* customers.h */
	STORE_DO_CUSTOMERS,
	STORE_ASK_KNOWLEDGE, /* knowledge.h, and the next two */
	STORE_ASK_SEARCHES,
	STORE_DO_KNOWLEDGE,
	STORE_ASK_ACTS,  /* acts.h */
	STORE_DO_BACKUP, /* store_backup() */
	STORE_DO_PURGE,  /* store_purge() */
	STORE_ASK_CALL,  /* -> {call..., legs, steps, recordings} or null when unknown */
};

/* What to look for; members that are NULL or 0 do not restrict. For ASK_CALL only `call`. */
struct store_filter {
	const char *call; /* an id or its ending */
	const char *agent, *queue, *number, *kind;
	const char *after; /* `next` of the previous page */
	uint64_t from_ms, to_ms;
	bool unheard;
	uint32_t limit; /* 0: 50; at most STORE_LIMIT_MAX */
};

/* Ask. Returns 0 and `fn` is called exactly once, or -ENOBUFS and it is not. */
int store_ask(struct store *store, enum store_question question, const struct store_filter *filter,
	      store_answer_fn *fn, void *arg);

/* The interval tables summed up between borders, each [border[i], border[i + 1]); what is not computed yet is
 * computed for the answer. Borders are whole intervals and ascend. Answer: {rows: [...]}, as
 * record/report.h makes them, by time and then key. */
struct store_alias {
	char agent[CALL_RECORD_NAME_MAX], group[CALL_RECORD_NAME_MAX];
};
/* Not the tables but what flows noted with calls under `key`: {from_ms, to_ms, note, queue|agent?, answers, mean, lowest,
 * highest (null unless values are numbers), change (of the mean against the period before; null: none), values: {value: n}}. */
enum store_notes { STORE_NO_NOTES, STORE_NOTES, STORE_NOTES_BY_QUEUE, STORE_NOTES_BY_AGENT };
struct store_report {
	enum tally_kind kind;   /* QUEUE, AGENT (with its reasons) or FLOW */
	enum store_notes notes; /* instead of `kind` */
	const char *key;        /* one of them; NULL: all */
	const uint64_t *border;
	uint32_t borders;
	uint64_t now_ms;
	/* AGENT: summed up by groups, which are then what `key` means; in the order of the agents. NULL: not. */
	const struct store_alias *alias;
	uint32_t aliases;
};
/* Returns as store_ask(). */
int store_report(struct store *store, const struct store_report *report, store_answer_fn *fn,
		 void *arg);

/* Jobs of the writer's thread, one at a time, in small steps between batches of rows. */

/* Copy the database to `file`, which must not exist and whose name begins with "/", verify the copy, then name it.
 * It holds everything that had been committed when the copy was finished. Answer: {file, pages, bytes, ms}.
 * When anything fails, or the process dies, there is no `file`, at most a FILE.part. Returns as store_ask(). */
int store_backup(struct store *store, const char *file, store_answer_fn *fn, void *arg);

/* How many days of what are kept; 0: all of them. */
/* clang-format off */
#define STORE_KEEP_TABLE(X) \
	X(calls) /* with their legs and notes */ \
	X(steps) /* of calls: what happened when */ \
	X(agent_states) \
	X(recordings) /* the rows; the sound is patchbay-archive's */ \
	X(intervals) \
	X(findings) /* of conduct, and overlong calls */ \
	X(callbacks) /* that are settled */ \
	X(searches) /* of the knowledge base: the log */ \
	X(acts) /* who did what by the control socket */
/* clang-format on */
struct store_keep {
#define STORE_KEEP_DAYS(name) uint16_t name##_days;
	STORE_KEEP_TABLE(STORE_KEEP_DAYS)
#undef STORE_KEEP_DAYS
	uint64_t now_ms;
};
/* Delete what is older, STORE_PURGE_ROWS at a time. What the interval tables still need stays, and so does the last
 * state of each agent. Answer: {NAME: rows deleted, ...} of the table above. Returns as store_ask(). */
enum { STORE_PURGE_ROWS = 500 };
int store_purge(struct store *store, const struct store_keep *keep, store_answer_fn *fn, void *arg);

#endif
