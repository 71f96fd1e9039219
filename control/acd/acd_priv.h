/* What an ACD is made of; for the files of this module only.
 *
 * Calls and agents are in lists by index, -1 ends one.
 *
 *   queue.first -> call -> call ...        WAITING calls in the order of (key, seq)
 *   acd.idle_first -> agent -> agent ...   those who may be offered a call, by idle_since_ms
 *
 * A call being OFFERED is in no list; its queue counts it. One agent holds it, and holds it on
 * while TALKING.
 */
#ifndef ACD_ACD_PRIV_H
#define ACD_ACD_PRIV_H

#include "acd/acd.h"
#include "acd/due.h"

enum { ACD_NUMBER_MAX = 32, ACD_NAME_MAX = 104, NONE = -1 };

enum acd_call_state { ACD_CALL_FREE, ACD_CALL_WAITING, ACD_CALL_OFFERED, ACD_CALL_TALKING };

struct acd_call {
	uint64_t id;
	enum acd_call_state state;
	int queue;
	int agent; /* OFFERED, TALKING */
	int next, prev;
	int hash_next;
	int64_t key; /* entered_ms less what its priority is worth */
	uint64_t seq;
	uint64_t entered_ms;
	uint64_t answered_ms;
	uint8_t priority;     /* the call's own, 0..9 */
	uint64_t announce_ms; /* next announcement, DUE_NEVER: none */
};

struct acd_agent {
	char number[ACD_NUMBER_MAX];
	char name[ACD_NAME_MAX];
	bool used, gone, reachable, supervisor, idle;
	struct agent agent;
	int call; /* index */
	int next, prev;
	uint64_t idle_since_ms;
	uint64_t offered_seq; /* for round robin: when it was last offered a call */
	uint32_t answered, missed, rejected;
	uint32_t since_sign_in; /* answered */
	uint16_t wrap_up_s;     /* of the call that is over */
	uint16_t n_skills;
	struct config_skill skill[CONFIG_AGENT_QUEUES_MAX]; /* queue: our index */
};

struct acd_queue {
	char name[ACD_NUMBER_MAX + 16];
	bool used, gone;
	enum config_strategy strategy;
	uint8_t priority;
	bool wait_without_agents;
	uint16_t ring_timeout_s, wrap_up_s, announce_every_s, announce_first_s, service_level_s;
	uint32_t max_wait_s, max_calls;
	int first, last;
	uint32_t n_waiting, n_offered;
	uint32_t assigned, signed_in;
	uint32_t by_state[AGENT_STATES];
	uint32_t handle_ms; /* talk + wrap-up, as experience has it */
	uint64_t offered, answered, answered_in_time, abandoned, left, refused;
	uint64_t wait_sum_ms, wait_max_ms, talk_sum_ms;
};

struct acd {
	struct acd_plan plan;
	uint32_t n_agents, n_queues; /* in use or once used */
	struct acd_agent *agents;
	struct acd_queue *queues;
	struct acd_call *calls;
	int free_call;
	uint32_t n_calls;
	int *call_hash; /* heads of chains */
	uint32_t call_hash_mask;
	int *agent_hash; /* open addressing, rebuilt by acd_configure() */
	uint32_t agent_hash_mask;
	int idle_first, idle_last;
	struct due due; /* agents, then calls */
	struct acd_action *out;
	uint32_t out_size, out_first, out_n;
	uint64_t seq;
	uint64_t priority_step_ms;
};

/* acd_setup.c */
uint32_t acd_number_slot(const struct acd *a, const char *number);

/* acd_lists.c: actions */
struct acd_action *acd_emit(struct acd *a, enum acd_action_kind kind, uint64_t now_ms);

/* acd_lists.c: calls by index. Waiting ones are linked into their queue in the order of
 * acd_goes_before(); a newcomer from the end, one that comes back from the front. */
int acd_call_find(const struct acd *a, uint64_t id);
int acd_take_call(struct acd *a, uint64_t id);
void acd_free_call(struct acd *a, int i);
bool acd_goes_before(const struct acd_call *x, const struct acd_call *y);
void acd_wait_from_end(struct acd *a, int i);
void acd_wait_from_front(struct acd *a, int i);
void acd_unlink_call(struct acd *a, int i);
/* Set when something is due for a waiting call: an announcement, or the end of its patience. */
void acd_wait_due(struct acd *a, int i);

/* acd_lists.c: agents */
int acd_skill_level(const struct acd_agent *g, int queue); /* 0: has not the skill */
/* Add to, or take from (`by` -1), the counts of the queues that `g` serves. */
void acd_count(struct acd *a, const struct acd_agent *g, int by);
/* Put the agent into the list of the idle, or take it out, as its state asks. */
void acd_sync_idle(struct acd *a, int agent);
/* One event for one agent: state, counts, the list of the idle, the report. What the effect asks
 * beyond that is the caller's. */
int acd_step(struct acd *a, int agent, enum agent_event ev, uint8_t reason, uint64_t now_ms,
	     enum agent_effect *effect);

/* acd.c; for acd_setup.c */
void acd_match_idle(struct acd *a, uint64_t now_ms);
void acd_expel(struct acd *a, int queue, enum acd_left why, uint64_t now_ms);

#endif
