/* Cutting a failing run to what it needs.
 *
 * Delta debugging over the list of events: parts are left out, halves first, then smaller ones down to
 * single events, as long as the run still fails. What remains fails, and does not when any one of it is left out.
 * Then the follies of people are taken away one by one the same way. Runs are made in a child of their
 * own, so that a belief of the ACD's own, which aborts, can be cut like one of the book.
 *
 * Thread: one; forks.
 * Source: A. Zeller and R. Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002.
 */
#ifndef SIM_SHRINK_H
#define SIM_SHRINK_H

#include "sim_mixed.h"

/* Does it fail with the events that `skip` leaves? */
typedef bool sim_fails(void *arg, const bool *skip);

/* Set more of `skip` (`n` entries, of which none was set or a failing choice) while `fails` says so. Returns
 * how many events remain; `*runs` is how often it was tried. */
size_t sim_shrink(bool *skip, size_t n, sim_fails *fails, void *arg, unsigned *runs);

struct sim_shrunk {
	bool skip[SIM_MIXED_EVENTS];
	size_t events; /* that remain */
	unsigned runs;
	char broken[SIM_BROKEN_MAX]; /* the belief, or what was said before the abort */
};

/* Cut a mixed run that fails; its plan is changed where follies are not needed. False: it does not fail. */
bool sim_shrink_mixed(struct sim_mixed *m, struct sim_shrunk *out);

/* Tell the run in sentences: first what comes from outside, then everything that happens. */
void sim_shrink_tell(struct sim_mixed *m, const struct sim_shrunk *cut, FILE *out);

#endif
