/* SPDX-License-Identifier: Apache-2.0 */
#include "record/choice.h"

enum { ONE = 1000000, SHARE = 1000 };

/* Weight times the free thousandths; a volume whose size is not known counts as empty. */
static uint64_t power_of(const struct choice_offer *o)
{
	uint64_t share = SHARE;

	if (o->total_bytes != 0 && o->free_bytes < o->total_bytes)
		share = (uint64_t)((double)o->free_bytes / (double)o->total_bytes * SHARE);
	return o->weight * (share != 0 ? share : 1);
}

static bool takes_part(const struct choice_offer *o)
{
	return o->works && o->weight != 0;
}

int choice_next(struct choice *c, const struct choice_offer *o, unsigned n)
{
	uint64_t sum = 0;
	int best = -1;

	for (unsigned i = 0; i < n; i++)
		sum += takes_part(&o[i]) ? power_of(&o[i]) : 0;
	for (unsigned i = 0; i < n; i++) {
		if (!takes_part(&o[i])) {
			c->earned[i] = 0; /* who comes back has no claim to what it missed */
			continue;
		}
		c->earned[i] += (int64_t)((double)power_of(&o[i]) / (double)sum * ONE);
		if (best < 0 || c->earned[i] > c->earned[best])
			best = (int)i;
	}
	if (best >= 0)
		c->earned[best] -= ONE;
	for (unsigned i = 0; best < 0 && i < n; i++)
		if (o[i].works)
			best = (int)i;
	return best;
}

bool choice_better(const struct choice_offer *o, unsigned a, unsigned b)
{
	if ((o[a].weight != 0) != (o[b].weight != 0))
		return o[a].weight != 0;
	return o[a].weight == 0 && a < b;
}
