/* What queueing theory says of a queue: Erlang's C, and Erlang's A (Palm's, with impatient callers).
 *
 * Calls arrive at random (`per_s`), `agents` serve them in exponential times of mean `handle_s`, and
 * callers who wait give up after exponential times of mean `patience_s`.
 *
 * Thread: any; pure.
 * Source: A. K. Erlang 1917; C. Palm 1957; the steady state of the birth-and-death process, summed up.
 */
#ifndef SIM_ERLANG_H
#define SIM_ERLANG_H

struct sim_erlang {
	double waits;         /* share of callers who do not find a free agent */
	double wait_s;        /* mean, of all */
	double wait_served_s; /* mean, of those who are served: the average speed of answer */
	double abandons;      /* share */
	double in_time;       /* share of all who are served within `within_s` */
	double occupancy;     /* of the agents */
};

/* Erlang C. With no fewer calls than agents can serve everything is infinite: `wait_s` is HUGE_VAL. */
struct sim_erlang sim_erlang_c(double per_s, double handle_s, unsigned agents, double within_s);

/* Erlang A. `in_time` is summed over the callers who find n before them, by the law of their waiting. */
struct sim_erlang sim_erlang_a(double per_s, double handle_s, unsigned agents, double patience_s,
			       double within_s);

#endif
