/* SPDX-License-Identifier: Apache-2.0 */
#include "rtp/emodel.h"

#include <ctype.h>
#include <math.h>
#include <stddef.h>

static int same(const char *a, const char *b)
{
	while (*a != '\0' && tolower((unsigned char)*a) == tolower((unsigned char)*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

struct emodel_codec emodel_codec_of(const char *name)
{
	static const struct {
		const char *name;
		struct emodel_codec codec;
	} table[] = {
		{"PCMU", {0, 25.1}}, {"PCMA", {0, 25.1}}, {"G729", {11, 19}},
		{"G722", {0, 15}},   {"L16", {0, 25.1}},  {"opus", {0, 34}},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (same(table[i].name, name))
			return table[i].codec;
	return table[0].codec;
}

static double held(double v, double min, double max)
{
	return v >= min ? (v > max ? max : v) : min; /* not a number: min */
}

/* G.107, 7-27 and 7-28: nothing below 100 ms. */
static double delay_impairment(double ms)
{
	if (ms <= 100)
		return 0;

	double x = log2(ms / 100);

	return 25 * (pow(1 + pow(x, 6), 1.0 / 6) - 3 * pow(1 + pow(x / 3, 6), 1.0 / 6) + 2);
}

double emodel_r(const struct emodel_input *in)
{
	double loss = 100 * held(in->loss_share, 0, 1);
	double bursts = held(in->burst_ratio, 1, 1000);
	double ie = in->codec.ie;
	double ie_eff = ie + (95 - ie) * loss / (loss / bursts + in->codec.bpl);

	if (ie_eff > 95)
		ie_eff = 95;
	return held(93.2 - delay_impairment(held(in->delay_ms, 0, 60000)) - ie_eff, 0, 93.2);
}

double emodel_mos(double r)
{
	r = held(r, 0, 100);

	double mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;

	return mos < 1.0 ? 1.0 : mos; /* the cubic dips below 1 for R below 6.5 */
}
