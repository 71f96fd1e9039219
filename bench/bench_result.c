/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_worker.h"

#include <jansson.h>
#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/units.h"

enum { LOST_MAX_PPM = 10 };

static double ns_of(double cycles)
{
	return cycles * 1e9 / (double)rte_get_tsc_hz();
}

static double rounds_of(const struct core *c)
{
	return (double)c->steps / BENCH_PHASES;
}

double bench_round_ns(const struct core *c)
{
	return ns_of((double)c->cycles / rounds_of(c));
}

/* Of one unit, on the average core. */
static double unit_cycles(const struct bench *b)
{
	double sum = 0;

	for (unsigned i = 0; i < b->opt.cores; i++) {
		const struct core *c = &b->core[i];
		double units =
			b->opt.kind->unit == BENCH_CALL ? c->world[0].calls : c->world[0].net.legs;

		sum += (double)c->cycles / rounds_of(c) / (units * c->worlds);
	}
	return sum / b->opt.cores;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static json_t *stages_json(const struct core *b)
{
	json_t *all = json_object();

	for (unsigned s = 0; s < STAGE_COUNT; s++) {
		double packets = (double)b->stage[s].packets;

		if (b->stage[s].packets == 0)
			continue;
		json_object_set_new(all, worker_stage_name((enum worker_stage)s),
				    json_pack("{s:f, s:f, s:f}", "packets_per_round",
					      packets / rounds_of(b), "cycles_per_packet",
					      (double)b->stage[s].cycles / packets, "share",
					      (double)b->stage[s].cycles / (double)b->cycles));
	}
	return all;
}

static json_t *fates_json(const struct bench *b)
{
	json_t *all = json_object();

	for (unsigned f = 0; f < FATE_COUNT; f++) {
		uint64_t n = 0;

		for (unsigned i = 0; i < b->worlds; i++)
			n += atomic_load(&b->world[i].worker->fate[f]);

		if (n > 0)
			json_object_set_new(all, packet_fate_name((enum packet_fate)f),
					    json_integer((json_int_t)n));
	}
	return all;
}

static double turn_ns(const struct core *b, double quantile)
{
	uint32_t at = (uint32_t)(quantile * (b->turn_n - 1));

	return b->turn_n > 0 ? ns_of(b->turn[at]) : 0;
}

static json_t *recorder_json(const struct bench *b)
{
	struct record_stats st;

	if (b->rec == NULL)
		return json_null();
	record_stats(b->rec, &st);
	return json_pack("{s:I, s:I, s:i}", "frames_lost", (json_int_t)st.frames_lost,
			 "bytes_written", (json_int_t)st.bytes_written, "durable_ms_max",
			 (int)st.durable_ms_max);
}

/* What a result must not be believed for; "" when it may. */
static const char *doubt(const struct bench *b)
{
	uint64_t due =
		(uint64_t)b->opt.rounds * b->world[0].calls * b->worlds * b->opt.kind->frames_out;
	uint64_t heard = b->core[0].heard + b->core[1].heard;
	uint64_t off = due > heard ? due - heard : heard - due;
	struct record_stats st = {0};

	if (b->rec != NULL)
		record_stats(b->rec, &st);
	if (b->opt.load > 0 && b->paced.lost > 0)
		return "frames were lost at the load asked for";
	for (unsigned i = 0; i < b->opt.cores; i++)
		if (b->core[i].steps < b->opt.rounds * BENCH_PHASES / 2)
			return "the core was taken away too often";
	/* A worker divides coded legs over its turns by real time: a leg's frame may come a step later, and so fall to
	 * either side of the first step and of the last. */
	if (b->world[0].net.any_length)
		off -= off < due / b->opt.rounds ? off : due / b->opt.rounds;
	if (off * 1000000 > due * LOST_MAX_PPM)
		return "the telephones did not hear what they should";
	if (st.frames_lost > 0)
		return "the disk did not keep up";
	return "";
}

void bench_print(struct bench *b)
{
	const struct bench_scene_kind *kind = b->opt.kind;
	uint32_t legs = b->world[0].net.legs * b->worlds, calls = b->world[0].calls * b->worlds;
	double cycles = unit_cycles(b);
	struct core *c = &b->core[0]; /* what follows is told of the first core */

	qsort(c->turn, c->turn_n, sizeof(c->turn[0]), by_size);

	json_t *o = json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:s}", "scene", kind->name, "unit",
			      bench_unit_name(kind->unit), "legs", (int)legs, "calls", (int)calls,
			      "steps", (int)c->steps, "steps_disturbed", (int)c->disturbed, "doubt",
			      doubt(b));

	must(o != NULL);
	json_object_set_new(o, "cores", json_integer(b->opt.cores));
	json_object_set_new(o, "tsc_mhz", json_real((double)rte_get_tsc_hz() / 1e6));
	json_object_set_new(o, "ns_per_frame", json_real(ns_of(cycles)));
	json_object_set_new(o, "cycles_per_frame", json_real(cycles));
	json_object_set_new(o, "per_core", json_real(20e6 / ns_of(cycles)));
	json_object_set_new(o, "packets_in_per_round",
			    json_real((double)c->received / rounds_of(c)));
	json_object_set_new(o, "packets_out_per_round", json_real((double)c->sent / rounds_of(c)));
	json_object_set_new(o, "packets_per_turn",
			    json_real((double)c->received / (double)c->turns));
	json_object_set_new(o, "turn_ns",
			    json_pack("{s:f, s:f, s:f}", "p50", turn_ns(c, 0.5), "p99",
				      turn_ns(c, 0.99), "max", turn_ns(c, 1)));
	json_object_set_new(o, "stages", stages_json(c));
	json_object_set_new(o, "fates", fates_json(b));
	json_object_set_new(o, "recorder", recorder_json(b));
	json_object_set_new(o, "memory_bytes", json_integer((json_int_t)worker_bytes(legs, calls)));
	if (b->opt.load > 0)
		bench_paced_json(&b->paced, o);
	json_dumpf(o, stdout, JSON_REAL_PRECISION(6) | JSON_INDENT(1));
	putchar('\n');
	json_decref(o);
}
