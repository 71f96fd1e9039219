/* How many seats and people a service centre wants, and when its weeks say that this has changed.
 *
 * Seats go by users, one for each full `users_per_seat`: a further seat is due when as many users again have come, not
 * before. People per seat are the hours in which a seat is staffed in a month over the hours that one may work in it,
 * rounded up: a seat is never left without its person.
 *
 * A change of weeks is judged against the week before it: a rule is met when each of the newest `weeks` weeks lies at
 * least `falls` below that one. What is met on one week and not on the next starts anew.
 *
 * Source: catalogue row S-83 (a cable-TV service centre of five counties). For service levels from arrivals and
 * patience, Erlang C and A, see the simulator. Thread: pure.
 */
#ifndef RECORD_SEATS_H
#define RECORD_SEATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seats_wish {
	uint64_t users;
	uint64_t users_per_seat; /* > 0 */
	uint32_t
		elsewhere; /* seats that others save us at first: branches with numbers of their own */
	double hours_a_day;         /* in which a seat is staffed, 0..24 */
	double days_a_month;        /* 0..31 */
	double hours_of_one_person; /* that one may work in a month, > 0 */
};

struct seats_plan {
	double seats_exact; /* before rounding down */
	uint64_t seats;     /* all that the users want; one at least when there are users */
	uint64_t at_first;  /* without the ones elsewhere */
	double people_per_seat_exact; /* before rounding up */
	uint64_t people_per_seat, people, people_at_first;
};

/* The plan; what divides must not be 0. */
void seats_plan(struct seats_plan *p, const struct seats_wish *w);

/* The rules of S-83 as they come. */
#define SEATS_ANSWER_RATE_FALLS 0.05 /* a new seat: the answer rate, three weeks running */
#define SEATS_ANSWER_RATE_WEEKS 3
#define SEATS_VOLUME_FALLS      500 /* lines may be given up: calls a week, four weeks running */
#define SEATS_VOLUME_WEEKS      4

/* Is the rule met by the newest of n weeks (oldest first, a week's number each, NAN: it has none)? False while there are not
 * weeks + 1 of them. `base` (may be NULL) is the week that it was judged against, when there is one. */
bool seats_fell(const double *week, size_t n, double falls, size_t weeks, double *base);

#endif
