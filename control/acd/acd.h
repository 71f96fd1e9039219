/* The distribution of calls to agents.
 *
 * Events and the time go in, actions come out: the shell reports what callers, phones and agents
 * did, then takes actions with acd_next() until there are none, and carries them out. No clock,
 * no socket; all memory is planned at open; the same events give the same actions.
 *
 *   acd_enter(call)         -> OFFER call to agent       (the longest idle one that may)
 *   acd_offer_answered(agent)  -> ANSWERED               (bridge them)
 *   acd_agent_done(agent)   -> AGENT_STATE wrap_up
 *   acd_tick(now)           -> WITHDRAW (no answer), ANNOUNCE, LEAVE (timeout), AGENT_STATE ...
 *
 * Rules.
 * - A call waits in one queue. Order: priority steps first (each worth `priority_step_s` of
 *   waiting), then time of entry. A call that was offered and not answered keeps its place.
 * - A call is offered to one agent at a time, who is READY, reachable, and has the queue's skill:
 *   best level first, then by the queue's strategy (longest idle unless configured otherwise). With
 *   the strategy ring_all it is offered to all who may take it, ACD_RING_ALL_MAX at most, the longest
 *   idle of the best levels; the first to answer has it.
 * - Levels can be staged: with `level_after_s` an agent of level n is asked only for calls that have
 *   waited (n - 1) times as long.
 * - A call that prefers an agent (who served the caller last) is kept for that one for `sticky_s`, if
 *   he is signed in, not away, and serves the queue.
 * - A paused queue offers nothing; its callers wait on.
 * - A caller may hang up and keep its place (callback): the call stays where it is and is offered like
 *   the others, marked as one for whom the caller must be rung.
 * - A free agent gets, of all its queues, the call that is first by the same order.
 * - Who does not answer (ring_timeout_s), rejects or cannot be reached becomes NOT_READY with that
 *   reason, so that the next caller does not meet the same silence.
 * - An offer that could not be made by no fault of the agent (acd_offer_void()) changes nobody.
 * - Who is not to be disturbed gets no call, whatever its state.
 * - Idle time counts from becoming READY; a call withdrawn while ringing does not change it.
 *
 * Calls are named by the shell with any nonzero number; agents and queues by their index, which
 * stays the same as long as they are configured (one that is gone and idle may be given to a
 * newcomer by a later acd_configure()). Times are milliseconds of
 * one clock that never goes back, waiting times `_ms`.
 *
 * Every function that refuses returns a negative errno and changes nothing. Thread: the loop's.
 */
#ifndef ACD_ACD_H
#define ACD_ACD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/agent.h"
#include "conf/config.h"

struct acd;

/* Sizes that never change afterwards. */
struct acd_plan {
	uint32_t agents_max; /* also those of later configurations */
	uint32_t queues_max;
	uint32_t calls_max; /* waiting, ringing and talking */
};

/* Bytes of an ACD of this size. */
size_t acd_bytes(const struct acd_plan *plan);

/* Make one in `memory` of acd_bytes(), aligned as malloc() does. */
struct acd *acd_init(void *memory, const struct acd_plan *plan);

/* Everything about a call that enters. */
struct acd_entry {
	uint8_t priority; /* 0..9, added to the queue's */
	uint64_t
		since_ms; /* waiting counts from here (another queue before); 0: from now. The queue's
			    * patience (max_wait_s) counts from entering it in any case */
	int prefer;       /* agent who should have it, or -1 */
	bool callback;    /* nobody holds the line: the caller is rung when an agent is found */
};

/* Take agents, queues and rules from `c` (copied; `c` may go). The first time and at each
 * reload: agents and queues are known by number and name, keep their index and state; what is
 * gone finishes what it does (an agent that is gone is signed out after its call; calls waiting
 * in a queue that is gone LEAVE with ACD_LEFT_REMOVED). Returns 0 or -ENOSPC when the plan is too
 * small (nothing changed). */
int acd_configure(struct acd *a, const struct config *c, uint64_t now_ms);

/* Index by number or name; -1 when unknown or gone. */
int acd_agent_find(const struct acd *a, const char *number);
int acd_queue_find(const struct acd *a, const char *name);

/* --- calls --------------------------------------------------------------------------------- */

/* A call begins to wait. Returns 0; -EEXIST (this call is here already), -ENOENT (no such
 * queue), -ENOSPC (queue full, or plan), -ENOLINK (nobody signed in and the queue does not wait
 * for that), -ETIME (it would have to wait longer than max_expected_wait_s; not for callbacks).
 * Counted as offered, whatever is returned except -EEXIST and -ENOENT. */
int acd_enter(struct acd *a, uint64_t call, int queue, const struct acd_entry *entry,
	      uint64_t now_ms);

/* The caller hangs up and keeps its place; or a callback whose caller is on the line again. Position,
 * waiting time and order stay. No announcements, and no end of patience, while nobody holds the line.
 * -ENOENT when it does not wait here, -EBUSY while it is being offered. */
int acd_callback(struct acd *a, uint64_t call, bool callback, uint64_t now_ms);

/* The caller hung up, or was taken away (transfer, operator), while waiting or being offered.
 * Emits WITHDRAW when a phone rings for it. `abandoned` tells whether to count it so. -ENOENT
 * when it does not wait here. */
int acd_leave(struct acd *a, uint64_t call, bool abandoned, uint64_t now_ms);

/* To another queue, keeping the time waited. As acd_enter(). -EBUSY while being offered. */
int acd_move(struct acd *a, uint64_t call, int queue, uint64_t now_ms);

/* --- offers -------------------------------------------------------------------------------- */

/* The offered agent's phone answered. -EPROTO when there is no such offer any more (hang up that
 * phone). Emits ANSWERED. */
int acd_offer_answered(struct acd *a, int agent, uint64_t call, uint64_t now_ms);

/* It did not: AGENT_REJECT, AGENT_MISS or AGENT_LOST. -EPROTO as above. */
int acd_offer_failed(struct acd *a, int agent, uint64_t call, enum agent_event how,
		     uint64_t now_ms);

/* The phone could not even be rung, for a reason that is nobody's fault (no media, no room): the call goes
 * back to its place and is not offered again for ACD_VOID_MS, the agent is as before the offer; neither
 * missed nor rejected is counted. -EPROTO as above. */
int acd_offer_void(struct acd *a, int agent, uint64_t call, uint64_t now_ms);

/* An agent takes a call that waits, or rings elsewhere, without being offered it. Phones that ring for it
 * are withdrawn, and it counts as answered. After it, and its wrap-up, the agent is as before: not ready
 * with the same reason, or ready. Emits WITHDRAW and ANSWERED. -ENOENT: no such agent, or the call does not
 * wait; -EPROTO: the agent is signed out, has a call or another conversation. */
int acd_pick_up(struct acd *a, int agent, uint64_t call, uint64_t now_ms);

/* While held nothing is offered (no media can be had); what rings or talks goes on. */
void acd_hold(struct acd *a, bool held, uint64_t now_ms);

/* The conversation is over for this agent (anybody hung up, or the caller was passed on).
 * -EPROTO when it has none. */
int acd_agent_done(struct acd *a, int agent, uint64_t now_ms);

/* The conversation `call` goes on with agent `to` (attended transfer): who had it wraps up, `to` is TALKING
 * and wraps up after it in its turn. `to` must be signed in and neither ring nor talk for a queue; a
 * call that no queue gave it (the consultation) does not matter. -ENOENT: no such conversation or
 * agent; -EPROTO: not now, or it has it already. */
int acd_hand_over(struct acd *a, uint64_t call, int to, uint64_t now_ms);

/* The conversation `call` goes on as `to`, a number that is not in use. -ENOENT, -EEXIST. */
int acd_rename(struct acd *a, uint64_t call, uint64_t to);

/* --- agents -------------------------------------------------------------------------------- */

/* What the agent, or somebody for it, asks: AGENT_SIGN_IN, _SIGN_OUT, _GO_READY, _GO_NOT_READY
 * (`reason`), _WRAP_END, _OTHER_BEGIN, _OTHER_END. -EPROTO when that cannot happen now, -EINVAL
 * when it is none of these, -ENOENT for no such agent. While RINGING, SIGN_OUT and GO_NOT_READY
 * withdraw the offer. */
int acd_agent_event(struct acd *a, int agent, enum agent_event ev, uint8_t reason, uint64_t now_ms);

/* Give an agent a queue at a level 1..9, or take it away (0), until it is said otherwise; a reload of
 * the configuration does not undo it. What rings or talks goes on. Returns 0, -ENOENT (no such agent or
 * queue) or -ENOSPC (too many queues). */
int acd_agent_skill(struct acd *a, int agent, int queue, uint8_t level, uint64_t now_ms);

/* Stop or resume offering calls of a queue. Returns 0 or -ENOENT. */
int acd_queue_pause(struct acd *a, int queue, bool paused, uint64_t now_ms);

/* The phone is registered, or not. Unreachable agents keep their state and get no calls. */
void acd_agent_reachable(struct acd *a, int agent, bool reachable, uint64_t now_ms);

/* The agent's phone is not to be disturbed, or is again. While it is, no call is offered: who is ready (or
 * rings, then the offer is withdrawn) becomes not ready with AGENT_REASON_DND, who talks or signs in later
 * then. Who is not ready for a reason of its own stays so. Going ready ends it; ended otherwise, who would
 * be ready without it is ready again. Returns 0 or -ENOENT. */
int acd_agent_dnd(struct acd *a, int agent, bool on, uint64_t now_ms);

/* --- time ---------------------------------------------------------------------------------- */

/* Do what is due. Call at acd_deadline() or later. */
void acd_tick(struct acd *a, uint64_t now_ms);

/* When acd_tick() has something to do; UINT64_MAX: never. */
uint64_t acd_deadline(const struct acd *a);

/* --- what comes out ------------------------------------------------------------------------ */

enum acd_action_kind {
	ACD_OFFER,       /* ring `agent` for `call` of `queue`; ring_ms is the ACD's own limit */
	ACD_WITHDRAW,    /* stop ringing `agent` for `call`; the offer is over */
	ACD_ANSWERED,    /* bridge `call` and `agent`; waited_ms */
	ACD_ANNOUNCE,    /* tell `call` its `position` (1 is next) and `wait_s` (-1 unknown) */
	ACD_LEFT,        /* `call` is out of the queue, `why`; it goes back to its flow */
	ACD_AGENT_STATE, /* `agent` went from `was` to `state`, `reason` */
};

enum { ACD_RING_ALL_MAX = 12, ACD_VOID_MS = 1000 };

enum acd_left { ACD_LEFT_TIMEOUT, ACD_LEFT_EMPTY, ACD_LEFT_REMOVED };

struct acd_action {
	enum acd_action_kind kind;
	uint64_t at_ms;
	uint64_t call; /* 0 when there is none */
	int agent;     /* -1 when there is none */
	int queue;     /* -1 when there is none */
	enum acd_left why;
	enum agent_event withdrawn; /* WITHDRAW: AGENT_MISS, AGENT_CANCEL, AGENT_GO_NOT_READY ... */
	unsigned position;
	int wait_s;
	bool callback; /* OFFER, ANSWERED: the caller must be rung */
	uint32_t ring_ms;
	uint64_t waited_ms;
	enum agent_state was, state;
	uint8_t reason;
};

/* Take the next action. False: there is none. Must be drained after every event; the ring holds
 * what one event can cause. */
bool acd_next(struct acd *a, struct acd_action *out);

/* --- for tables ---------------------------------------------------------------------------- */

struct acd_queue_view {
	const char *name;
	bool paused;
	uint32_t waiting;   /* those being offered included */
	uint32_t callbacks; /* of these, without a caller on the line */
	uint64_t longest_wait_ms;
	uint32_t assigned; /* agents with the skill, by state */
	uint32_t signed_in, ready, ringing, talking, wrap_up, not_ready;
	/* since the start */
	uint64_t offered; /* came in */
	uint64_t answered;
	uint64_t answered_in_time; /* within service_level_s */
	uint64_t abandoned;
	uint64_t left;        /* timeout, empty, moved, taken away */
	uint64_t refused;     /* full, empty */
	uint64_t wait_sum_ms; /* of the answered */
	uint64_t wait_max_ms;
	uint64_t talk_sum_ms;
	uint16_t service_level_s;
	uint8_t service_level_percent; /* of the offered that should be answered in time */
};

struct acd_agent_view {
	const char *number;
	const char *name;
	struct agent agent;
	bool reachable;
	bool supervisor;
	bool dnd;      /* not to be disturbed */
	uint64_t call; /* offered or talking; 0 */
	int queue;     /* of that call; -1 */
	uint32_t answered, missed, rejected;
	uint64_t idle_since_ms; /* in READY */
	uint64_t talk_ms;       /* with callers of queues, since it signed in */
};

uint32_t acd_queues(const struct acd *a); /* indexes are 0 .. n-1; some may be gone */
uint32_t acd_agents(const struct acd *a);
bool acd_queue_view(const struct acd *a, int queue, uint64_t now_ms, struct acd_queue_view *out);
bool acd_agent_view(const struct acd *a, int agent, struct acd_agent_view *out);

/* Does a call back wait that the agent could make: in a queue that it serves and that is not paused? */
bool acd_callbacks_wait(const struct acd *a, int agent);

/* Has the agent the skill of this queue? */
bool acd_agent_serves(const struct acd *a, int agent, int queue);

/* Place of a waiting call, 1 is next; 0 when it does not wait. */
unsigned acd_position(const struct acd *a, uint64_t call);

/* Expected wait of the call at `position` in `queue`, seconds; -1 unknown. */
int acd_expected_wait_s(const struct acd *a, int queue, unsigned position);

/* Waiting calls of a queue in the order in which they will be served, those being offered first:
 * fills at most `max`, returns how many wait in all. */
uint32_t acd_waiting(const struct acd *a, int queue, uint64_t *calls, uint32_t max);

/* Verify every invariant (no call in two places, no agent with two calls, nobody idle while a
 * call he could serve waits, order kept). Aborts through must(). For tests and simulators; costs
 * much. */
void acd_check(const struct acd *a);

#endif
