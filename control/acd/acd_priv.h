/* What an ACD is made of; for the files of this module only.
 *
 * Calls and agents are in lists by index, -1 ends one.
 *
 *   queue.first -> call -> call ...        WAITING calls in the order of (key, seq)
 *   queue.offered -> call -> call ...      OFFERED ones, the newest first
 *   acd.idle_first -> agent -> agent ...   those who may be offered a call, by idle_since_ms; each of them
 *                                          sits in the heaps of his queues and levels (acd_idle.c)
 *   call.ring_first -> agent -> agent ...  whose phones ring for an OFFERED call, by their index
 *
 * One agent holds an OFFERED call (with ring_all several do), and one holds it on while TALKING.
 */
#ifndef ACD_ACD_PRIV_H
#define ACD_ACD_PRIV_H

#include "acd/acd.h"
#include "acd/due.h"

enum { ACD_NUMBER_MAX = 32, ACD_NAME_MAX = 104, ACD_LEVELS_MAX = 9, NONE = -1 };

enum acd_call_state { ACD_CALL_FREE, ACD_CALL_WAITING, ACD_CALL_OFFERED, ACD_CALL_TALKING };

struct acd_call {
	uint64_t id;
	enum acd_call_state state;
	int queue;
	int agent;       /* OFFERED: one of those who ring; TALKING */
	uint8_t ringing; /* OFFERED: how many ring ... */
	int ring_first;  /* ... and the first of them */
	bool callback;
	int prefer;               /* kept for this agent ... */
	uint64_t prefer_until_ms; /* ... until then; 0: for nobody */
	uint64_t
		void_until_ms; /* nobody is asked before: an offer came to nothing by no one's fault */
	int next, prev;
	int hash_next;
	int64_t key; /* entered_ms less what its priority is worth */
	uint64_t seq;
	uint64_t entered_ms; /* waiting counts from here, maybe in another queue */
	uint64_t joined_ms;  /* this queue; its patience counts from here */
	uint64_t answered_ms;
	uint8_t priority;     /* the call's own, 0..9 */
	uint64_t announce_ms; /* next announcement, DUE_NEVER: none */
};

/* A node of a heap; nodes are numbered agent * CONFIG_AGENT_QUEUES_MAX + skill. */
struct acd_seat {
	int child, next, prev;
};

struct acd_agent {
	char number[ACD_NUMBER_MAX];
	char name[ACD_NAME_MAX];
	bool used, gone, reachable, supervisor, idle;
	bool dnd, dnd_ready; /* the second: it would be ready without */
	struct agent agent;
	int call; /* index */
	int next, prev;
	int ring_next;
	bool seated;
	uint64_t idle_seq;                             /* order of becoming idle */
	struct acd_seat seat[CONFIG_AGENT_QUEUES_MAX]; /* of each skill, while seated */
	bool changed;     /* in the list of those to be kept anew ... */
	int changed_next; /* ... index + 1 of the next; 0: none */
	uint64_t idle_since_ms;
	uint64_t offered_seq; /* for round robin: when it was last offered a call */
	uint32_t answered, missed, rejected;
	uint32_t since_sign_in; /* answered */
	uint64_t talk_ms;       /* since sign-in */
	uint16_t wrap_up_s;     /* of the call that is over */
	uint16_t n_skills;
	struct config_skill skill[CONFIG_AGENT_QUEUES_MAX]; /* queue: our index */
	uint16_t n_changes;
	struct config_skill change
		[CONFIG_AGENT_QUEUES_MAX]; /* by hand, laid over `skill`; level 0: taken away */
};

struct acd_queue {
	char name[ACD_NUMBER_MAX + 16];
	bool used, gone, paused;
	enum config_strategy strategy;
	uint8_t priority;
	bool wait_without_agents;
	uint16_t ring_timeout_s, wrap_up_s, announce_every_s, announce_first_s, service_level_s;
	uint16_t sticky_s, level_after_s;
	uint8_t service_level_percent;
	uint32_t max_wait_s, max_calls, max_expected_wait_s;
	int first, last, offered_first;
	uint32_t n_waiting, n_offered, n_callbacks;
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
	bool held;      /* nothing is offered now */
	int *call_hash; /* heads of chains */
	uint32_t call_hash_mask;
	int *agent_hash; /* open addressing, rebuilt by acd_configure() */
	uint32_t agent_hash_mask;
	int idle_first, idle_last;
	uint64_t idle_seq;
	int *seats;     /* [queue][level - 1]: the best of those who sit there */
	struct due due; /* agents, then calls */
	struct acd_action *out;
	uint32_t out_size, out_first, out_n;
	uint64_t seq;
	uint64_t priority_step_ms;
	int changed_first;  /* index + 1; 0: none */
	bool frozen;        /* acd_freeze() */
	uint64_t ticked_ms; /* of the newest acd_tick(): what was due before was done */
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
/* Known as `id` from now on; nobody else is. */
void acd_name_call(struct acd *a, int i, uint64_t id);
bool acd_goes_before(const struct acd_call *x, const struct acd_call *y);
void acd_wait_from_end(struct acd *a, int i, uint64_t now_ms);
void acd_wait_from_front(struct acd *a, int i, uint64_t now_ms);
void acd_unlink_call(struct acd *a, int i);
/* Into the list of those being offered, and out of it. */
void acd_offered_begin(struct acd *a, int i);
void acd_offered_end(struct acd *a, int i);
/* When its patience ends. */
uint64_t acd_patience_ms(const struct acd *a, const struct acd_call *c);
/* Set when something is due for a waiting call. */
void acd_wait_due(struct acd *a, int i, uint64_t now_ms);

/* acd_choice.c: who and what fits best. */
/* May this agent, who has the skill at `level`, be offered this call now? */
bool acd_may_take(const struct acd *a, const struct acd_call *c, int agent, int level,
		  uint64_t now_ms);
/* When time alone will let more agents take a waiting call; DUE_NEVER. */
uint64_t acd_opens_ms(const struct acd *a, const struct acd_call *c, uint64_t now_ms);
int acd_best_agent(const struct acd *a, int call, uint64_t now_ms);
int acd_best_call(const struct acd *a, int agent, uint64_t now_ms);

/* acd_lists.c: agents */
int acd_skill_level(const struct acd_agent *g, int queue); /* 0: has not the skill */
/* Add to, or take from (`by` -1), the counts of the queues that `g` serves. */
void acd_count(struct acd *a, const struct acd_agent *g, int by);
/* Something of it that outlives the program has changed. */
void acd_touch(struct acd *a, int agent);
/* One event for one agent: state, counts, the list of the idle, the report. What the effect asks
 * beyond that is the caller's. */
int acd_step(struct acd *a, int agent, enum agent_event ev, uint8_t reason, uint64_t now_ms,
	     enum agent_effect *effect);

/* acd_offer.c; for acd_pass.c. Experience of a queue, an eighth of it new each time. */
void acd_learn(struct acd_queue *q, uint64_t talk_ms);
/* An agent whose conversation is no longer its own: wrap-up, or what it has said comes after. */
void acd_let_go(struct acd *a, int agent, uint64_t now_ms);

/* acd_idle.c */
/* Put the agent into the list of the idle and his seats, or take him out, as his state asks. */
void acd_sync_idle(struct acd *a, int agent);
/* Around a change of skills, or of the strategy of a queue. */
void acd_idle_get_up(struct acd *a, int agent);
void acd_idle_sit(struct acd *a, int agent);
/* The idle agent with the best claim at this level; NONE. */
int acd_idle_best(const struct acd *a, int queue, int level);
void acd_idle_check(const struct acd *a);

/* acd.c: offers for whoever or whatever became free. */
void acd_match_idle(struct acd *a, uint64_t now_ms);
void acd_match_agent(struct acd *a, int agent, uint64_t now_ms);
void acd_match_call(struct acd *a, int call, uint64_t now_ms);
/* The last one signed out: those who must not wait for nobody go. */
void acd_expel_lonely(struct acd *a, const struct acd_agent *g, uint64_t now_ms);

/* acd_offer.c */
/* Another phone rings for the call. */
void acd_ring_link(struct acd *a, int call, int agent);
/* All phones but `except` (NONE: all) stop ringing for the call; their agents are as before it. */
void acd_withdraw_all(struct acd *a, int call, int except, uint64_t now_ms);
/* The offer is over and not taken: the agent goes where `ev` says, the call back to its place. */
void acd_give_back(struct acd *a, int agent, enum agent_event ev, uint8_t reason, uint64_t now_ms);

/* acd_setup.c: what was changed by hand, laid over the skills of the configuration. The caller has taken
 * the agent out of the counts. */
void acd_lay_changes(struct acd *a, struct acd_agent *g);
void acd_expel(struct acd *a, int queue, enum acd_left why, uint64_t now_ms);

#endif
