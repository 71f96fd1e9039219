/* SPDX-License-Identifier: Apache-2.0 */
#include "dsp/tone_plan.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "check.h"

static int16_t pcm[8000 * 130];

static double power_at(const int16_t *x, uint32_t n, double hz)
{
	double re = 0, im = 0;

	for (uint32_t i = 0; i < n; i++) {
		re += x[i] * cos(6.283185307179586 * hz * i / 8000);
		im += x[i] * sin(6.283185307179586 * hz * i / 8000);
	}
	return 2 * sqrt(re * re + im * im) / n; /* peak of a sine */
}

static void every_tone_of_every_country_can_be_made(void)
{
	unsigned made = 0;

	for (unsigned c = 0; tone_plan_country(c) != NULL; c++) {
		for (unsigned k = 0; tone_plan_name(k) != NULL; k++) {
			const char *text = tone_plan_find(tone_plan_country(c), tone_plan_name(k));
			struct tone_cadence cadence;
			char why[120] = "";

			check(text != NULL);
			check_int(tone_parse(&cadence, text, why, sizeof(why)), 0);
			check_str(why, "");

			uint32_t n = tone_samples(&cadence, 160);

			check(n % 160 == 0 && n <= sizeof(pcm) / sizeof(pcm[0]));
			made++;
		}
	}
	check(made >= 15 * 8);
}

/* A cadence is exact to the sample: where tone and silence begin, and what is heard. */
static const struct row {
	const char *country, *name;
	uint32_t on_ms, period_ms;
	double hz[2];
} rows[] = {
	{"cn", "busy", 350, 700, {450, 0}},         {"cn", "ringback", 1000, 5000, {450, 0}},
	{"us", "busy", 500, 1000, {480, 620}},      {"us", "reorder", 250, 500, {480, 620}},
	{"us", "ringback", 2000, 6000, {440, 480}}, {"de", "busy", 480, 960, {425, 0}},
	{"fr", "ringback", 1500, 5000, {440, 0}},   {"uk", "busy", 375, 750, {400, 0}},
	{"ru", "congestion", 175, 350, {425, 0}},   {"jp", "busy", 500, 1000, {400, 0}},
};

static void cadences_are_exact(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct tone_cadence c;
		char why[120];
		uint32_t on = r->on_ms * 8, period = r->period_ms * 8, n;

		check_int(tone_parse(&c, tone_plan_find(r->country, r->name), why, sizeof(why)), 0);
		n = tone_samples(&c, 160);
		check_int(n % period, 0);
		tone_render(&c, pcm, n);
		for (uint32_t at = 0; at < n; at += period) {
			check(pcm[at + 1] != 0 && pcm[at + on - 3] != 0);
			for (uint32_t k = on; k < period; k++)
				check_int(pcm[at + k], 0);
		}
		double level = 22826 * pow(10, (r->hz[1] != 0 ? -13 : -10) / 20.0);

		check(fabs(power_at(pcm, on, r->hz[0]) - level) < level * 0.05);
		if (r->hz[1] != 0)
			check(fabs(power_at(pcm, on, r->hz[1]) - level) < level * 0.05);
	}
}

static void an_endless_tone_has_no_seam(void)
{
	struct tone_cadence c;
	char why[120];
	uint32_t n;
	int most = 0;

	check_int(tone_parse(&c, "350+440", why, sizeof(why)), 0);
	n = tone_samples(&c, 160);
	check_int(n, 8000);
	tone_render(&c, pcm, n);
	for (uint32_t i = 1; i < n; i++)
		most = abs(pcm[i] - pcm[i - 1]) > most ? abs(pcm[i] - pcm[i - 1]) : most;
	check(abs(pcm[0] - pcm[n - 1]) <= most);
}

static void what_is_no_cadence_is_refused(void)
{
	static const char *const bad[] = {
		"",
		"x",
		"450/",
		"450/0",
		"450/350,",
		"0",
		"9000/10",
		"450//3",
		"450/70000",
		"1+2/100",
		"450/350;0/3",
		"450*25*3/100",
		"5/10",
		"450+/3",
		"*25/100",
		"450/999999999999",
		"0+450/100",
		"100+200+300+400+500/10",
		"450/60000,450/60000,450/60000",
		"1000/1,1000/1,1000/1,1000/1,1000/1,1000/1,1000/1,1000/1,1000/1,"
		"1000/1,1000/1,1000/1,1000/1,1000/1,1000/1,1000/1,1000/1",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct tone_cadence c = {.parts = 77};
		char why[120] = "";

		if (tone_parse(&c, bad[i], why, sizeof(why)) != -EINVAL)
			printf("\"%s\" was taken\n", bad[i]);
		check_int(tone_parse(&c, bad[i], why, sizeof(why)), -EINVAL);
		check(why[0] != '\0' && c.parts == 77);
	}
	check(tone_plan_find("xx", "busy") == NULL);
	check(tone_plan_find("cn", "noise") == NULL);
	check_str(tone_plan_find("uk", "info"), tone_plan_find("gb", "sit"));
}

static const struct check_case cases[] = {
	CHECK_CASE(every_tone_of_every_country_can_be_made),
	CHECK_CASE(cadences_are_exact),
	CHECK_CASE(an_endless_tone_has_no_seam),
	CHECK_CASE(what_is_no_cadence_is_refused),
};
CHECK_MAIN(cases)
