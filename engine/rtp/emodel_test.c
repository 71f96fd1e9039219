/* SPDX-License-Identifier: Apache-2.0 */
#include "rtp/emodel.h"

#include <math.h>

#include "check.h"
#include "rtp/loss_runs.h"

static double r_of(const char *codec, double loss, double bursts, double delay_ms)
{
	struct emodel_input in = {emodel_codec_of(codec), loss, bursts, delay_ms};

	return emodel_r(&in);
}

/* Values worked out by hand from the formulas, and the classes of G.107, annex B. */
static void ratings_are_those_of_the_recommendation(void)
{
	static const struct {
		const char *codec;
		double loss, bursts, delay_ms, r;
	} rows[] = {
		{"PCMU", 0, 1, 0, 93.2},     {"PCMA", 0, 1, 100, 93.2},
		{"PCMU", 0, 1, 200, 90.14},  {"PCMU", 0, 1, 400, 69.00},
		{"PCMU", 0.01, 1, 0, 89.56}, {"pcmu", 0.05, 1, 0, 77.42},
		{"PCMU", 0.05, 2, 0, 75.99}, {"G729", 0, 1, 0, 82.2},
		{"G729", 0.02, 1, 0, 74.20}, {"PCMU", 1, 1, 0, 17.26},
		{"PCMU", -3, 0, -5, 93.2},   {"PCMU", 0.2, 8, 500, 0.0},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double r = r_of(rows[i].codec, rows[i].loss, rows[i].bursts, rows[i].delay_ms);

		if (fabs(r - rows[i].r) > 0.6)
			printf("row %u: R = %.2f, expected %.2f\n", i, r, rows[i].r);
		check(fabs(r - rows[i].r) <= 0.6);
	}
	check(r_of("PCMU", NAN, NAN, NAN) <= 93.2);
}

static void scores_are_those_of_annex_b(void)
{
	check(fabs(emodel_mos(93.2) - 4.41) < 0.01);
	check(fabs(emodel_mos(80) - 4.03) < 0.01);
	check(fabs(emodel_mos(70) - 3.60) < 0.01);
	check(fabs(emodel_mos(60) - 3.10) < 0.01);
	check(fabs(emodel_mos(50) - 2.58) < 0.01);
	check(emodel_mos(0) == 1.0 && emodel_mos(3) == 1.0 && emodel_mos(-1) == 1.0);
	for (double r = 7; r < 93; r += 0.5)
		check(emodel_mos(r + 0.5) > emodel_mos(r));
}

/* Feed a pattern, '.' came and 'x' lost; returns what came since the last loss. */
static unsigned feed(struct loss_runs *r, const char *pattern, unsigned came)
{
	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '.') {
			came++;
			continue;
		}
		loss_runs_lost(r, came);
		came = 0;
	}
	return came;
}

static void without_loss_all_is_one_gap(void)
{
	struct loss_runs r = {0};
	struct loss_runs_result v = loss_runs_result(&r, 1000, 20);

	check(v.burst_ms == 0 && v.burst_density == 0 && v.gap_density == 0);
	check_int(v.gap_ms, 20000);
	check(v.burst_ratio == 1.0);
}

static void lonely_losses_stand_in_a_gap(void)
{
	struct loss_runs r = {0};
	unsigned came = 0;

	for (unsigned i = 0; i < 10; i++) {
		for (unsigned k = 0; k < 99; k++)
			came = feed(&r, ".", came);
		came = feed(&r, "x", came);
	}
	came = feed(&r, "....................", came);

	struct loss_runs_result v = loss_runs_result(&r, came, 20);

	check(v.burst_ms == 0 && v.burst_density == 0);
	check(v.gap_density == 2); /* 1 in 100, of 256 */
	check(v.burst_ratio == 1.0);
	check_int(r.runs, 10);
}

static void a_burst_has_its_length_and_density(void)
{
	struct loss_runs r = {0};
	unsigned came = 0;

	for (unsigned i = 0; i < 20; i++) {
		for (unsigned k = 0; k < 100; k++)
			came = feed(&r, ".", came);
		came = feed(&r, "xx.xx.xx.x", came); /* 10 packets, 7 lost */
	}
	for (unsigned k = 0; k < 100; k++)
		came = feed(&r, ".", came);

	struct loss_runs_result v = loss_runs_result(&r, came, 20);

	check(v.burst_ms >= 180 && v.burst_ms <= 240);
	check(v.gap_ms >= 1900 && v.gap_ms <= 2200);
	check(v.burst_density > 256 * 6 / 10 && v.burst_density < 256 * 9 / 10);
	check(v.burst_ratio > 1.5 && v.burst_ratio < 2.0); /* runs of 1.75 */
}

static const struct check_case cases[] = {
	CHECK_CASE(ratings_are_those_of_the_recommendation),
	CHECK_CASE(scores_are_those_of_annex_b),
	CHECK_CASE(without_loss_all_is_one_gap),
	CHECK_CASE(lonely_losses_stand_in_a_gap),
	CHECK_CASE(a_burst_has_its_length_and_density),
};
CHECK_MAIN(cases)
