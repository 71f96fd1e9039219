/* What supervision is told of by itself: overlong calls in three levels, and unusual conduct.
 *
 * The other files of call/ report what happens to an agent; the rules are record/overlong.h and
 * record/conduct.h; what they say is published, stored and, while it lasts, listed.
 *
 * Thread: libre's loop.
 */
#ifndef CALL_WATCH_H
#define CALL_WATCH_H

#include "call/calls.h"

struct watch;

/* One for the desks of the centre. NULL: no memory. */
struct watch *watch_new(uint32_t desks);
void watch_free(struct watch *w); /* NULL is fine */

/* Each second: limits are looked at, tables of intervals that are over are computed, and once an hour what is old is
 * deleted. */
void watch_second(struct centre *c);

/* The limits of the queues for the store's tables; after each change of the configuration. */
void watch_limits(struct centre *c);

/* An agent's state changed; `call` is its call, or NULL. */
void watch_state(struct centre *c, const struct acd_action *a, const char *agent,
		 const struct call *call);

/* A party of a conversation held it, or took it up again. */
void watch_hold(const struct party *p, bool held);

/* The ACD offered a call to `p`; what became of it: `how` is REJECT, MISS or LOST, `status` SIP's or 0. */
void watch_offer(const struct party *p);
void watch_refused(const struct party *p, enum agent_event how, unsigned status);

/* A phone came, at first or after it had been gone, or went. */
void watch_registration(struct centre *c, int agent, bool here, const char *contact);

/* Do not disturb was switched on by hand. */
void watch_dnd(struct centre *c, int agent);

/* An agent dialled who is to be called back, `took_ms` after it was given the task; or hung up before the customer
 * was reached (`since_ms`: mono, it was given then and had not dialled; 0: it had). */
void watch_dialled(const struct party *p, uint64_t took_ms);
void watch_left_callback(const struct party *p, uint64_t since_ms);

/* The engine's last numbers of an agent's leg. */
void watch_sound(const struct party *p, const json_t *stats);

/* What is overlong now: [{agent, call, queue, what, level, role, since_ms, lasted_ms, limit_ms}]; the caller's. */
json_t *watch_overlong(struct centre *c);

/* What the last deletion of old rows deleted, {at_ms, NAME: n, ...}, or null; the caller's. */
json_t *watch_purged(const struct centre *c);

#endif
