/* Configurations made for simulations.
 *
 * Thread: any. Ownership: config_free() by the caller.
 */
#ifndef SIM_CENTRE_H
#define SIM_CENTRE_H

#include <stdbool.h>

#include "conf/config.h"
#include "sim_random.h"

struct sim_centre {
	unsigned queues, agents;
	unsigned skills;         /* of each agent: his own queue and the next ones */
	unsigned levels;         /* of skills beyond the first: 1 .. levels; 0 is 1 */
	bool strategies;         /* queues have all strategies in turn but ring_all */
	const char *queue_rules; /* more YAML for every queue, such as "wrap_up_s: 0, " */
};

/* Never NULL. Queues are q0, q1 ..., agents 1000, 1001 ... */
struct config *sim_centre_plain(const struct sim_centre *c);

/* A configuration for trouble: every rule that a queue can have, drawn from `seed`. With `variant` not 0 the
 * same queues and agents with other rules and skills; one queue or one agent may be missing. */
struct config *sim_centre_mixed(uint64_t seed, unsigned variant, unsigned queues, unsigned agents);

/* The queues of `like` with all their rules, and `agents` with the skills of those of its agents who have
 * any (one at least must), dealt out again from the first when they do not suffice. */
struct config *sim_centre_like(const struct config *like, unsigned agents);

#endif
