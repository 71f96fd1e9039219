/* SPDX-License-Identifier: Apache-2.0 */
#include "record/seats.h"

#include <math.h>

/* What binary fractions add to a number that is meant to be whole: 2.1 / 0.7 must not need four. */
#define TINY 1e-9

void seats_plan(struct seats_plan *p, const struct seats_wish *w)
{
	*p = (struct seats_plan){
		.seats_exact = (double)w->users / (double)w->users_per_seat,
		.seats = w->users / w->users_per_seat,
		.people_per_seat_exact = w->hours_a_day * w->days_a_month / w->hours_of_one_person,
	};
	if (p->seats == 0 && w->users > 0)
		p->seats = 1;
	p->at_first = p->seats > w->elsewhere ? p->seats - w->elsewhere : 0;
	p->people_per_seat = (uint64_t)ceil(p->people_per_seat_exact - TINY);
	p->people = p->seats * p->people_per_seat;
	p->people_at_first = p->at_first * p->people_per_seat;
}

bool seats_fell(const double *week, size_t n, double falls, size_t weeks, double *base)
{
	double before;

	if (n < weeks + 1)
		return false;
	before = week[n - weeks - 1];
	if (base != NULL)
		*base = before;
	for (size_t i = n - weeks; i < n; i++)
		if (!(before - week[i] >= falls - TINY)) /* nor with a week without a number */
			return false;
	return true;
}
