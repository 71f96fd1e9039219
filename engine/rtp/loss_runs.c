/* SPDX-License-Identifier: Apache-2.0 */
#include "rtp/loss_runs.h"

void loss_runs_lost(struct loss_runs *r, uint32_t came)
{
	if (r->lost == 0 || came > 0)
		r->runs++;
	r->lost++;
	if (came >= LOSS_RUNS_GMIN) {
		if (r->burst_lost == 1)
			r->c14++; /* the loss before stood alone in a gap */
		else if (r->burst_lost > 1)
			r->c13++;
		r->burst_lost = 1;
		r->c11 += came;
		return;
	}
	r->burst_lost++;
	if (came == 0) {
		r->c33++;
	} else {
		r->c23++;
		r->c22 += came - 1;
	}
}

static uint16_t ms(double v)
{
	return v > UINT16_MAX ? UINT16_MAX : (uint16_t)(v + 0.5);
}

static uint8_t share(double part, double whole)
{
	double v = whole > 0 ? 256.0 * part / whole : 0;

	return v > 255 ? 255 : (uint8_t)v;
}

struct loss_runs_result loss_runs_result(const struct loss_runs *r, uint32_t came,
					 uint32_t packet_ms)
{
	double c11 = r->c11, c13 = r->c13, c14 = r->c14, c22 = r->c22, c23 = r->c23, c33 = r->c33;
	struct loss_runs_result out = {.burst_ratio = 1.0};

	/* What is going on is closed as if a gap followed. */
	if (r->burst_lost == 1)
		c14++;
	else if (r->burst_lost > 1)
		c13++;
	c11 += came;

	double total = c11 + c14 + c22 + 2 * c23 + c33 + 2 * c13;

	if (c13 < 1) {
		out.gap_density = share(c14, c11 + c14);
		out.gap_ms = ms((c11 + c14) * packet_ms);
	} else {
		double p32 = c23 / (c13 + c23 + c33);
		double p23 = c22 + c23 < 1 ? 1 : 1 - c22 / (c22 + c23);
		double gap = (c11 + c14 + c13) * packet_ms / c13;

		out.burst_density = share(p23, p23 + p32);
		out.gap_density = share(c14, c11 + c14);
		out.gap_ms = ms(gap);
		out.burst_ms =
			ms(total * packet_ms / c13 > gap ? total * packet_ms / c13 - gap : 0);
	}
	if (r->runs > 0) {
		double all = c11 + c14 + c22 + 2 * c23 + c33 + c13;
		double p = r->lost < all ? r->lost / all : 0.999;

		out.burst_ratio = (double)r->lost / r->runs * (1 - p);
		if (out.burst_ratio < 1.0)
			out.burst_ratio = 1.0;
	}
	return out;
}
