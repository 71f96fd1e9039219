/* SPDX-License-Identifier: Apache-2.0
 * Chance from seeds. */
#include "sim_random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

uint64_t sim_random_bits(struct sim_random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

struct sim_random sim_random_of(uint64_t seed, uint64_t what, uint64_t which)
{
	struct sim_random r = {seed};

	r.state = sim_random_bits(&r) ^ what;
	r.state = sim_random_bits(&r) ^ which;
	r.state = sim_random_bits(&r);
	return r;
}

double sim_random_unit(struct sim_random *r)
{
	return (double)(sim_random_bits(r) >> 11) * 0x1p-53;
}

uint32_t sim_random_below(struct sim_random *r, uint32_t n)
{
	return (uint32_t)((sim_random_bits(r) >> 32) * n >> 32);
}

bool sim_random_chance(struct sim_random *r, double share)
{
	return share > 0 && sim_random_unit(r) < share;
}

static double normal(struct sim_random *r)
{
	double radius = sqrt(-2 * log(1 - sim_random_unit(r)));

	return radius * cos(2 * pi * sim_random_unit(r));
}

static double draw_s(const struct sim_law *law, struct sim_random *r)
{
	double variance;

	switch (law->kind) {
	case SIM_NEVER:
		break;
	case SIM_FIXED:
		return law->mean_s;
	case SIM_EXPONENTIAL:
		return -law->mean_s * log(1 - sim_random_unit(r));
	case SIM_LOGNORMAL:
		variance = log(1 + law->shape * law->shape);
		return law->mean_s * exp(sqrt(variance) * normal(r) - variance / 2);
	case SIM_UNIFORM:
		return 2 * law->mean_s * sim_random_unit(r);
	case SIM_WEIBULL:
		return law->mean_s / tgamma(1 + 1 / law->shape) *
		       pow(-log(1 - sim_random_unit(r)), 1 / law->shape);
	}
	return 0;
}

uint64_t sim_law_ms(const struct sim_law *law, struct sim_random *r)
{
	const double year_ms = 365 * 86400e3;
	double ms;

	if (law->kind == SIM_NEVER)
		return UINT64_MAX;
	ms = draw_s(law, r) * 1000 + 0.5;
	return (uint64_t)(ms < year_ms ? ms : year_ms);
}

bool sim_law_read(const char *text, struct sim_law *law)
{
	static const struct {
		const char *name;
		enum sim_law_kind kind;
		bool shaped;
	} laws[] = {
		{"fixed", SIM_FIXED, false},        {"exponential", SIM_EXPONENTIAL, false},
		{"lognormal", SIM_LOGNORMAL, true}, {"uniform", SIM_UNIFORM, false},
		{"weibull", SIM_WEIBULL, true},
	};
	struct sim_law got = {.kind = SIM_EXPONENTIAL};
	const char *colon = strchr(text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;
	bool shaped = false, known = colon == NULL;
	char *end;

	if (strcmp(text, "never") == 0) {
		*law = (struct sim_law){.kind = SIM_NEVER};
		return true;
	}
	for (unsigned i = 0; i < sizeof(laws) / sizeof(laws[0]) && !known; i++) {
		known = strlen(laws[i].name) == len && strncmp(laws[i].name, text, len) == 0;
		if (known) {
			got.kind = laws[i].kind;
			shaped = laws[i].shaped;
		}
	}
	if (!known)
		return false;
	text = colon != NULL ? colon + 1 : text;
	got.mean_s = strtod(text, &end);
	if (end == text || !(got.mean_s >= 0) || got.mean_s > 1e7)
		return false;
	if (shaped) {
		if (*end != ':')
			return false;
		text = end + 1;
		got.shape = strtod(text, &end);
		if (end == text || !(got.shape >= 0.05) || got.shape > 20)
			return false;
	}
	if (*end != '\0')
		return false;
	*law = got;
	return true;
}
