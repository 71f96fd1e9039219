/* What a world is made of; for the files of tests/sim only.
 *
 * Everything that has a time of its own is a thing in one heap (acd/due.h, production's own):
 *
 *	source, ACD, engine | queues | agents: person, phone, plug, private call | calls
 *
 * Equal times come in that order, so a run has one order of events.
 */
#ifndef SIM_SIM_PRIV_H
#define SIM_SIM_PRIV_H

#include "acd/due.h"
#include "acd/regulars.h"
#include "ivr/ivr.h"
#include "record/call_record.h"
#include "record/record_policy.h"
#include "sim.h"

enum {
	SIM_NONE = -1,
	SIM_SLOT_BITS = 20, /* of a call's number in the ACD; the rest is its serial */
	SIM_UNCHANGED = 255,
	SIM_ENGINE_GRACE_MS = 10000,       /* CENTRE_ENGINE_GRACE_MS */
	SIM_EXPIRES_MS = 24 * 3600 * 1000, /* a promised call back */
	SIM_STEP_MS = 1500,                /* of a prompt */
	SIM_MEDIA_TIMEOUT_MS = 10000,
};

enum sim_place {
	SIM_FREE,
	SIM_IN_FLOW, /* hears, types, leaves a message, is between two things */
	SIM_WAITING,
	SIM_OFFERED,
	SIM_TALKING,
	SIM_DIALLING, /* a call back: the agent is there, the customer's phone rings */
	SIM_PROMISED, /* a call back that is in no queue now */
};

/* What happens when the call's own time comes. */
enum sim_next {
	SIM_NEXT_NOTHING,
	SIM_NEXT_PLAYED, /* the prompt has been heard */
	SIM_NEXT_KEYS,   /* keys, or none in time */
	SIM_NEXT_DO,     /* what stands behind a prompt: flow_do */
	SIM_NEXT_DONE,   /* message, dialled number, lookup */
	SIM_NEXT_LEFT,   /* the queue did not keep it: `left` */
	SIM_NEXT_GIVE_UP,
	SIM_NEXT_TALKED,
	SIM_NEXT_CUSTOMER, /* the customer who is called back answers or not */
	SIM_NEXT_RETRY,
};

struct sim_flow_do {
	enum ivr_action_kind kind;
	enum ivr_cause cause;
	uint8_t priority, min, max;
	uint32_t max_s;
	char name[IVR_NUMBER_MAX];
};

struct sim_call {
	uint64_t id;
	uint32_t serial;
	enum sim_place place;
	enum sim_next next;
	int queue, agent;
	uint8_t ringing, priority, hops, tries, offers;
	bool callback, flow_runs, kept_promise;
	enum ivr_queue_left left;
	uint64_t arrived_ms, queued_ms, joined_ms, since_ms;
	uint64_t gives_up_ms;
	uint64_t seq;
	int64_t key;            /* less goes first; made when it joins */
	uint64_t void_until_ms; /* offered to nobody before */
	int prefer;
	uint64_t prefer_until_ms;
	struct sim_random random;
	uint32_t number; /* who calls; 0: a stranger */
	struct sim_flow_do flow_do;
	struct ivr_session *ivr;
	struct call_record *record;
	/* what the record must say; `waits_since_ms` 0: does not wait now */
	uint64_t waited_ms, talked_ms, answered_ms, waits_since_ms;
	int link;
};

enum sim_phone {
	SIM_PHONE_QUIET,
	SIM_PHONE_ANSWERS,
	SIM_PHONE_REJECTS,
	SIM_PHONE_LOST,
	SIM_PHONE_OUT,
	SIM_PHONE_AWAY,
	SIM_PHONE_VOID
};

struct sim_agent {
	enum agent_state state; /* as the ACD said */
	bool reachable;
	uint8_t reason;
	uint64_t call; /* offered or talking, as the ACD said */
	uint64_t since_ms, idle_since_ms, wrap_until_ms, ring_until_ms;
	uint16_t wrap_s;
	/* what strategies go by */
	uint64_t offered_seq, talk_ms;
	uint32_t since_sign_in;
	enum sim_phone phone;
	uint64_t phone_call;
	enum agent_event person; /* what the agent will do by himself */
	struct sim_random random;
	bool private_call;
};

struct sim_queue {
	const struct config_queue *rule; /* NULL: not in this configuration */
	uint16_t wrap_s;                 /* of the newest that had it */
	int acd;                         /* its index there */
	bool paused;
	uint32_t waiting, offered_now;
	struct sim_queue_sums sums, before; /* since the restart, and earlier */
};

struct sim {
	const struct sim_plan *plan;
	const struct config *config;
	uint64_t now_ms, ticked_ms, seq;
	uint64_t engine_back_ms, trunk_back_ms, control_back_ms;
	uint32_t n_queues, n_agents;
	struct acd_plan acd_plan;
	struct acd *acd;
	struct due due;
	struct sim_event pending;
	uint64_t thaws_ms; /* the ACD is frozen until then; 0: it is not */
	bool held;         /* the engine is away: nothing is offered */
	int picks;         /* the agent who takes a call unasked, now; SIM_NONE */
	bool dry;          /* the source is */
	bool closing;
	struct sim_queue *queue;
	int *queue_of_acd;
	struct sim_agent *agent;
	int *free_agent;         /* room for sim_check_all() */
	uint8_t *level, *change; /* [agent][queue] */
	struct sim_call *call;
	struct ivr_session *session;
	struct call_record *record;
	int free_call;
	uint32_t n_calls, serial;
	struct regulars *regulars;
	struct ivr_say *say;
	struct ivr_actions *todo;
	json_t *answer;
	bool draining;
	size_t bytes;
	void *memory[16];
	unsigned n_memory;
	uint64_t state_ms[AGENT_STATES];
	struct sim_result result;
};

/* --- things in the heap -------------------------------------------------------------------- */

enum {
	SIM_THING_SOURCE,
	SIM_THING_ACD,
	SIM_THING_ENGINE,
	SIM_THING_BACK,
	SIM_THING_THAW,
	SIM_THING_QUEUES
};
enum sim_timer { SIM_PERSON, SIM_PHONE, SIM_PLUG, SIM_PRIVATE, SIM_TIMERS };

static inline uint32_t sim_thing_of_agent(const struct sim *s, int agent, enum sim_timer t)
{
	return SIM_THING_QUEUES + s->n_queues + (uint32_t)agent * SIM_TIMERS + t;
}

static inline uint32_t sim_thing_of_call(const struct sim *s, const struct sim_call *c)
{
	return SIM_THING_QUEUES + s->n_queues + s->n_agents * SIM_TIMERS + (uint32_t)(c - s->call);
}

/* --- sim_call.c: callers ------------------------------------------------------------------- */

struct sim_call *sim_call_find(struct sim *s, uint64_t id); /* NULL: is over */
void sim_call_arrive(struct sim *s, const struct sim_event *e);
void sim_call_due(struct sim *s, struct sim_call *c);
void sim_call_next(struct sim *s, struct sim_call *c, enum sim_next next, uint64_t at_ms);
void sim_call_enter(struct sim *s, struct sim_call *c, int queue, uint8_t priority);
/* Ends it wherever it is: out of the queue, away from its agent. */
void sim_call_end(struct sim *s, struct sim_call *c, enum call_party by, enum call_cause cause);
/* The conversation is over for the agent; the caller may stay. */
void sim_call_release(struct sim *s, struct sim_call *c);
void sim_call_talks(struct sim *s, struct sim_call *c, const struct acd_action *a);
/* A call back waits for its next try. */
void sim_call_later(struct sim *s, struct sim_call *c, uint64_t ms);
bool sim_call_promise(struct sim *s, const struct sim_call *c, int queue, uint8_t priority);
/* Number `n` of those who wait in `queue`, by order of entry; NULL. */
struct sim_call *sim_call_waiting(struct sim *s, int queue, unsigned n);
void sim_call_step(struct sim *s, struct sim_call *c, enum call_step step, const char *detail);
/* Engine or control plane away for too long. */
void sim_call_lost(struct sim *s, struct sim_call *c, bool restart);

/* --- sim_restart.c ------------------------------------------------------------------------- */

void sim_restart(struct sim *s, uint32_t for_ms);
void sim_killed(struct sim *s, uint32_t for_ms);
void sim_thaw(struct sim *s);

/* sim_flow.c: the caller in the flow. */
void sim_flow_begin(struct sim *s, struct sim_call *c);
void sim_flow_due(struct sim *s, struct sim_call *c);
void sim_flow_tell(struct sim *s, struct sim_call *c, const struct ivr_event *ev);
void sim_flow_end(struct sim *s, struct sim_call *c);

/* --- sim_agent.c: agents, their phones and habits ------------------------------------------ */

void sim_agent_due(struct sim *s, int agent, enum sim_timer t);
void sim_agent_rings(struct sim *s, int agent, struct sim_call *c);
void sim_agent_state(struct sim *s, int agent, enum agent_state was);
int sim_agent_wish(struct sim *s, int agent, enum agent_event ev, uint8_t reason);
void sim_agent_unplug(struct sim *s, int agent, uint32_t for_ms);
void sim_agent_private(struct sim *s, int agent, uint32_t for_ms);
void sim_agent_person(struct sim *s, int agent, enum agent_event ev, uint64_t at_ms);

/* --- sim_act.c ----------------------------------------------------------------------------- */

/* What the event from outside does. */
void sim_act(struct sim *s, const struct sim_event *e);
/* Nobody waits longer for the engine; it is back. */
void sim_act_engine_due(struct sim *s);
void sim_act_engine_back(struct sim *s);
void sim_act_queue_due(struct sim *s, int queue);

/* --- sim.c --------------------------------------------------------------------------------- */

void sim_take_config(struct sim *s, const struct config *c);
void sim_acd_make(struct sim *s, const struct config *now);
/* Take what the ACD has decided so far, before the world changes further. Never within itself. */
void sim_drain(struct sim *s);

/* --- sim_book.c, sim_check.c: what is believed --------------------------------------------- */

/* Write an action down, and judge it. */
void sim_book_write(struct sim *s, const struct acd_action *a);
/* The caller enters or leaves by the world's own doing. */
void sim_book_entered(struct sim *s, struct sim_call *c, int queue, bool afresh);
void sim_book_left(struct sim *s, struct sim_call *c, bool abandoned);
void sim_book_refused(struct sim *s, struct sim_call *c, int queue, int err);
/* Before an offer is written down. */
void sim_check_offer(struct sim *s, const struct acd_action *a);
/* Compare the whole book with the ACD. */
void sim_check_all(struct sim *s);
/* A call is over: its record must say so. */
void sim_check_record(struct sim *s, const struct sim_call *c);
bool sim_check_may_take(const struct sim *s, const struct sim_call *c, int agent, uint64_t now_ms);

/* The first broken belief; later ones are not kept. */
__attribute__((format(printf, 2, 3))) void sim_breaks(struct sim *s, const char *fmt, ...);

/* --- sim_story.c --------------------------------------------------------------------------- */

/* A sentence of the story at this moment, if it is told. */
__attribute__((format(printf, 2, 3))) void sim_tell(struct sim *s, const char *fmt, ...);
const char *sim_queue_name(const struct sim *s, int queue);
const char *sim_agent_number(const struct sim *s, int agent);
void sim_tell_action(struct sim *s, const struct acd_action *a);

#endif
