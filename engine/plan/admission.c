/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/admission.h"

#include "base/units.h"
#include "plan/load.h"

#define BACK 0.05

enum { PACKETS_TO_LEARN = 64 };

static const double begin_ns[ADMISSION_PARTS] = {
#define ADMISSION_PART_NS(id, ns) [ADMISSION_PART_##id] = ns,
	ADMISSION_PART_TABLE(ADMISSION_PART_NS)
#undef ADMISSION_PART_NS
};

#define PART(id) (1u << ADMISSION_PART_##id)

/* What a leg of each kind passes, both ways. */
static const unsigned passes[] = {
	[ADMISSION_CALL] = 0,
	[ADMISSION_RELAY] = PART(IN) | PART(RELAY) | PART(OUT),
	[ADMISSION_PLAY] = PART(PLAYOUT) | PART(OUT),
	[ADMISSION_MIX] = PART(IN) | PART(BUFFER) | PART(PLAYOUT) | PART(OUT),
	[ADMISSION_RECORD] = PART(RECORD),
};

void admission_init(struct admission *a, const struct admission_config *cfg)
{
	*a = (struct admission){.cfg = *cfg};
	for (unsigned i = 0; i < ADMISSION_PARTS; i++)
		a->part_ns[i] = begin_ns[i];
}

static void learn(struct admission *a, unsigned part, uint64_t packets, uint64_t cycles,
		  uint64_t hz, double weight)
{
	uint64_t n = packets - a->packets[part];

	if (n < PACKETS_TO_LEARN)
		return; /* kept until there are enough */
	if (hz > 0) {
		double ns = (double)(cycles - a->cycles[part]) * 1e9 / (double)hz / (double)n;

		a->part_ns[part] += weight * (ns - a->part_ns[part]);
	}
	a->packets[part] = packets;
	a->cycles[part] = cycles;
}

void admission_take(struct admission *a, uint64_t now_ns, double share, double late_us,
		    const uint64_t packets[ADMISSION_PARTS], const uint64_t cycles[ADMISSION_PARTS],
		    uint64_t hz)
{
	double weight = a->at_ns == 0 ? 0 : load_weight(now_ns - a->at_ns);

	a->at_ns = now_ns;
	a->share = share;
	a->late_us = late_us;
	a->pending -= weight * a->pending;
	for (unsigned i = 0; i < ADMISSION_PARTS; i++)
		learn(a, i, packets[i], cycles[i], hz, weight);
}

double admission_cost(const struct admission *a, const struct admission_wish *wish)
{
	double hz = wish->packets_hz > 0 ? wish->packets_hz : 50, ns = 0;

	for (unsigned i = 0; i < ADMISSION_PARTS; i++)
		if (passes[wish->kind] & 1u << i)
			ns += a->part_ns[i];
	if (wish->srtp)
		ns += a->part_ns[ADMISSION_PART_SRTP_IN] + a->part_ns[ADMISSION_PART_SRTP_OUT];
	if (wish->kind == ADMISSION_RECORD)
		ns *= 2; /* both channels */
	return (ns * hz + wish->coding_us * 1000.0 * 50.0) / (double)PB_NS_PER_S;
}

static double limit_of(const struct admission *a, bool runs)
{
	double limit = a->cfg.busy_max;

	if (runs)
		return limit + (1 - limit) / 2;
	return a->refusing ? limit - BACK : limit;
}

static bool is_late(const struct admission *a)
{
	double most = (double)a->cfg.late_max_us;

	return most > 0 && a->late_us > (a->refusing ? most / 2 : most);
}

bool admission_refuses(struct admission *a)
{
	if (a->refusing && !is_late(a) &&
	    (a->cfg.busy_max >= 1 || a->share + a->pending <= a->cfg.busy_max - BACK))
		a->refusing = false;
	return a->refusing;
}

struct admission_verdict admission_ask(struct admission *a, const struct admission_wish *wish)
{
	double cost = admission_cost(a, wish), limit = limit_of(a, wish->runs);
	struct admission_verdict v = {
		.late = !wish->runs && is_late(a),
		.projected = a->share + a->pending + cost,
		.limit = limit,
		.cost = cost,
	};

	v.admitted = !v.late && (a->cfg.busy_max >= 1 || v.projected <= limit);
	if (v.admitted)
		a->pending += cost;
	if (!wish->runs)
		a->refusing = !v.admitted;
	return v;
}
