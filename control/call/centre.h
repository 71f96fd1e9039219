/* The running call centre: everything the daemon holds, in one struct.
 *
 * SIP, engine, timers and the control socket report to it; the pure modules (ivr/, acd/, agent/)
 * decide; the files of call/ carry the decisions out. There is no other state: what is not
 * reachable from here does not exist.
 *
 *	sip/ ------> incoming, party ---+                +--> sip/
 *	engine ----> engine_event ------+--> call, ivr --+--> engine
 *	timers ----> queue, message ----+    acd         +--> store, events
 *	api/ ------> monitor, transfer -+                +--> log
 *
 * Thread: libre's loop, all of it.
 */
#ifndef CALL_CENTRE_H
#define CALL_CENTRE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "loop/re.h"

#include "acd/acd.h"
#include "acd/regulars.h"
#include "agent/budget.h"
#include "conf/config.h"
#include "ivr/flow.h"
#include "loop/clock.h"
#include "loop/engine.h"
#include "loop/fetch.h"
#include "loop/latency.h"
#include "sip/sip.h"
#include "sip/sip_call.h"
#include "store/store.h"

enum {
	CENTRE_ALARMS_MAX = 32,
	CENTRE_FLOWS_MAX = 16,
	CENTRE_BUCKETS = 4096,            /* of the tables of calls; a power of two */
	CENTRE_MEDIA_TIMEOUT_MS = 30000,  /* a party that is silent on the wire so long is gone */
	CENTRE_REGULAR_MS = 7 * 86400000, /* who served a caller is remembered so long */
	CENTRE_LINGER_MS = 8000,          /* goodbyes that nobody answers are given up after this */
	CENTRE_ENGINE_GRACE_MS = 10000,   /* calls wait so long for an engine to come back */
};

struct call;

struct centre_alarm {
	char area[48];
	char text[160];
	uint64_t since_ms;
};

/* One flow in use. Calls hold the version that they began with. */
struct centre_flow {
	char name[256]; /* as the configuration names it: a file, or "example" */
	struct ivr_flow *flow;
	uint64_t loaded_ms;
};

/* What is remembered of an agent beside the ACD's own state; by ACD index. */
struct desk {
	char last_call[CLOCK_UUID_SIZE];
	uint64_t wrap_since_ms;    /* mono; 0: not in wrap-up */
	uint64_t other_call;       /* number of the call that keeps it in OTHER; 0: none */
	uint64_t since_wall_ms;    /* of the present state */
	uint64_t line;             /* call that is the line of a remote agent; 0: none */
	char remote[SIP_USER_MAX]; /* the outside number where the agent works; "" none */
	struct budget budget;      /* of today's not-ready time */
};

struct centre_paths {
	const char *config; /* NULL: embedded example */
	const char *flow;   /* NULL: what the configuration says */
};

struct centre_numbers {
	uint64_t calls_total, calls_refused, calls_engine_lost;
};

/* The engine's recorder, as far as is known. */
struct centre_recorder {
	json_t *row;       /* its part of stat.engine; NULL: not known, or no recorder */
	bool known, lacks; /* it was asked; nothing can be recorded now */
	unsigned beats;    /* seconds until it is asked again */
	unsigned well;     /* it has said so often in a row that all is well */
};

struct centre {
	struct config *config;
	struct centre_paths paths;
	uint64_t config_loaded_ms;
	uint64_t started_ms; /* wall */
	struct {
		uint64_t minute; /* since the epoch; `today` was found in it */
		struct budget_day today;
		bool asked; /* the database, for what earlier programs had counted */
		int32_t asked_day;
	} away;
	char flow_file[1024]; /* what paths.flow points at after a reload with a file */
	char database[1024];  /* for status */
	struct sip_listen listen[SIP_LISTEN_MAX];
	char listen_ip[SIP_LISTEN_MAX][SIP_IP_MAX];
	size_t listens;
	struct centre_flow flows[CENTRE_FLOWS_MAX];
	unsigned flow_count;

	struct engine *engine;
	struct fetcher *fetcher; /* NULL until a flow looks something up */
	struct sip_stack *sip;
	struct store *store; /* NULL: no history (tests) */
	struct acd *acd;
	struct regulars *regulars;
	struct desk *desks;
	struct watch *watch; /* overlong calls, conduct; by ACD index (watch.h) */
	uint32_t desks_max;
	struct ivr_say *say;             /* how languages say numbers */
	struct centre_recorder recorder; /* recorder.c */
	json_t *prompts;                 /* set of the engine's prompt names, NULL until known */

	struct list by_number[CENTRE_BUCKETS];
	struct list by_id[CENTRE_BUCKETS];
	uint64_t next_number;
	uint32_t calls_now;
	struct clock_uuid_state uuids;
	struct list conferences; /* rooms with members */
	struct list reap;        /* calls that are over and are freed from the loop */
	struct tmr reaper;
	struct tmr acd_timer;
	struct tmr engine_grace;
	struct tmr second; /* watches the store */
	struct tmr journal, adopting;
	struct list touched;  /* calls to be journalled */
	uint64_t engine_seq;  /* newest event of the engine that was heard */
	uint64_t journal_seq; /* ... that was journalled */
	bool journal_engine;  /* another engine is to be journalled */
	uint64_t bindings_ms; /* libre's clock: refreshed bindings were looked for */
	bool deaf;            /* centre_deaf() */
	struct tmr shut_down_timer;
	uint32_t media_timeout_ms; /* 0: never */
	uint32_t engine_grace_ms;
	bool draining_acd;
	uint64_t acd_told_us;    /* what the ACD decides on now was told to it then; 0: nothing */
	struct latency decision; /* from being told to its offers */
	bool shutting_down;
	void (*drained)(void *arg); /* shutting down: the last call has gone */
	void *drained_arg;

	struct centre_alarm alarms[CENTRE_ALARMS_MAX];
	unsigned alarm_count;
	enum store_state store_state;
	uint64_t store_dropped;
	struct centre_numbers numbers;

	/* One event for subscribers; takes `members`. NULL: nobody listens. */
	void (*publish)(void *arg, const char *type, json_t *members);
	void *publish_arg;
};

/* Wire the centre to a configuration (taken) and prepare the ACD. Flows are loaded with
 * centre_load_flows(). Engine, SIP and store are opened by the caller and set in the struct
 * before the loop runs. Returns 0, -ENOMEM or -ENOSPC. */
int centre_init(struct centre *c, struct config *config, const struct centre_paths *paths);

/* The program leaves: SIP is closed, its calls are gone, and what the engine still answers reaches nobody. Before
 * engine_close(). */
void centre_deaf(struct centre *c);

/* Release everything that centre_init() and the calls hold. SIP must be closed already. */
void centre_fini(struct centre *c);

/* Read all flows that the configuration names. On any error nothing changes. Returns 0 or -EINVAL
 * with `problems` (may be NULL), an array as flow.check answers it, to be released by the caller. */
int centre_load_flows(struct centre *c, json_t **problems);

/* Check one flow file (NULL or "example": the embedded one). Returns the number of errors; adds to
 * `problems`. */
unsigned centre_check_flow(struct centre *c, const char *file, json_t *problems);

/* The same, with `file` from now on for every hotline (NULL: as before). */
int centre_reload_flows(struct centre *c, const char *file, json_t **problems);

/* Once the engine has told its prompts: an alarm when a flow in use needs one that is not there. */
void centre_check_prompts(struct centre *c);

/* The flow of a hotline, or NULL. */
struct ivr_flow *centre_flow(struct centre *c, const struct config_hotline *hotline);

/* Read the configuration again and take what can change while running. Returns 0 or -EINVAL with
 * `problems`. `changed` and `ignored` get sentences. */
int centre_reload_config(struct centre *c, json_t *problems, json_t *changed, json_t *ignored);

/* Read a configuration file (NULL: the embedded example). Returns 0 and *out, or -EINVAL or the
 * errno of the file, with sentences added to `problems`. */
int centre_read_config(const char *file, struct config **out, json_t *problems);

/* What the configuration file says now, each value with where it comes from (conf/config_show.h), and what the command
 * line said otherwise: {file, embedded, changed (since it was read), values}; the caller's. NULL with sentences in
 * `problems`. */
json_t *centre_show_config(struct centre *c, json_t *problems);

/* Is calendar `name` open at this moment? */
bool centre_hours_open(void *arg, const char *name);

/* Local time of the centre (time_zone) at a moment of the wall clock. */
struct local_time centre_local(const struct centre *c, uint64_t wall_ms);

/* The secret's text into `out`. False when it cannot be had (logged). */
bool centre_secret(const struct config_secret *s, char *out, size_t size);

/* Raise or lower an alarm: logged and published on change only. */
void centre_alarm(struct centre *c, const char *area, bool raised, const char *text);

/* Tell subscribers. Takes `members`. */
void centre_publish(struct centre *c, const char *type, json_t *members);

/* --- handlers of the edges -------------------------------------------------------------------- */

void centre_sip_handlers(struct centre *c, struct sip_stack_handlers *h);
/* Give the stack the trunks of the configuration; again after it was read again. 0 or -ENOMEM. */
int centre_trunks(struct centre *c);
/* One came up or went down: an alarm. */
void centre_trunk_changed(void *arg, const char *trunk, bool down, const char *why);
void centre_engine_handlers(struct centre *c, struct engine_handlers *h);

/* Start the timers of the centre, once everything is open. */
void centre_start(struct centre *c);

/* Hang up everything; `drained` is called when the last call is gone or `timeout_ms` has passed. */
void centre_shut_down(struct centre *c, uint32_t timeout_ms, void (*drained)(void *arg), void *arg);

/* --- calls ------------------------------------------------------------------------------------ */

struct call *centre_call(struct centre *c, uint64_t number);

/* By id, or by its ending of at least 4 characters; NULL when there is none, or with *several set
 * when more than one fits. */
struct call *call_find(struct centre *c, const char *id, bool *several);

/* Visit all calls, also those that are ending. The visitor must not create calls. */
void call_each(struct centre *c, void (*visit)(struct call *call, void *arg), void *arg);

/* What an operator or a supervisor may do. Each returns 0, or -ENOENT, -EPERM, -EBUSY, -ENOTCONN
 * with a sentence in `why`. */
int centre_monitor(struct centre *c, struct call *call, const char *by, const char *mode,
		   const char **state, char *why, size_t why_size);
int centre_takeover(struct centre *c, struct call *call, const char *by, const char **state,
		    char *why, size_t why_size);
/* `action` is a word of record/record_policy.h; `state`: "off", "running", "paused", "masked". */
int centre_record(struct centre *c, struct call *call, const char *action, const char *by,
		  const char **state, char *why, size_t why_size);
/* Move a waiting call; give or take (level 0) a queue to an agent; stop or resume a queue. */
int centre_queue_move(struct centre *c, struct call *call, const char *queue, char *why,
		      size_t why_size);
int centre_agent_queue(struct centre *c, const char *agent, const char *queue, uint8_t level,
		       char *why, size_t why_size);
int centre_queue_pause(struct centre *c, const char *queue, bool paused, char *why,
		       size_t why_size);
int centre_transfer(struct centre *c, struct call *call, const char *to, char *why,
		    size_t why_size);
/* Park who is talked with at `place` (NULL: the first that is free); its number into `number`. Ring `to` for
 * who is parked at `place`. Who is parked now, as rows; a new reference. */
int centre_park(struct centre *c, struct call *call, const char *place, char *number,
		size_t number_size, char *why, size_t why_size);
int centre_unpark(struct centre *c, const char *place, const char *to, char *why, size_t why_size);
json_t *centre_parked(struct centre *c);
/* Have `number` called back by an agent of `queue`, not before `due_ms` (wall; 0: now); its id is valid while the call lives.
 * Errors: -ENOENT no such queue, -EINVAL the number leads nowhere, -EEXIST it is promised, -ENOSPC, -EBUSY. The agent who
 * has the task `call` dials now. Who is to be called back, as rows; a new reference. */
int centre_callback_add(struct centre *c, const char *queue, const char *number, uint64_t due_ms,
			uint8_t priority, const char **id, char *why, size_t why_size);
int centre_callback_dial(struct call *call, char *why, size_t why_size);
json_t *centre_callbacks(struct centre *c);
/* `action`: "start" (asks `to`; `by` is the agent's number, NULL: the one who talks), "complete", "cancel" or
 * "conference"; see consult.h. `state`: of the consultation, as consult_state_name() says it. */
int centre_consult(struct centre *c, struct call *call, const char *action, const char *to,
		   const char *by, const char **state, char *why, size_t why_size);
/* `action`: "mute", "unmute" or "eject" the member `who` (its call, or its number), "add" (ring the number
 * `who`), "lock", "unlock" or "end". */
int centre_conference(struct centre *c, const char *name, const char *action, const char *who,
		      char *why, size_t why_size);
/* Every room of the configuration and who is in it, as rows; a new reference. */
json_t *centre_conferences(struct centre *c);
void centre_hang_up(struct centre *c, struct call *call);
/* Sign an agent in at an outside number; "": the one that the configuration gives. */
int centre_sign_in_at(struct centre *c, const char *agent, const char *number, char *why,
		      size_t why_size);
int desk_agent_set(struct centre *c, const char *agent, const char *state, const char *reason,
		   char *why, size_t why_size);

const char *centre_call_id(const struct call *call);

/* Rows for the control socket; new references. */
json_t *view_call_row(struct call *call);
json_t *view_call_detail(struct call *call);
json_t *view_leg_rows(const struct call *call);
json_t *view_agent_row(struct centre *c, int agent);
json_t *view_queue_row(struct centre *c, int queue);
json_t *view_trunk_rows(const struct centre *c);
const char *desk_reason_name(const struct centre *c, uint8_t reason);

/* Every belief about the calls: no call without a way to end, no party in two calls, ACD and calls
 * agree. Aborts through must(). For tests; also cheap enough for a debug build. */
void centre_check(struct centre *c);

#endif
