/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may come in: asks plan/admission.h with each worker's newest load, and says no in the words of the
 * protocol. Refusing is an alarm as well, raised with the first refusal and cleared when newcomers
 * would be let in again.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/units.h"
#include "rpc/rpc_priv.h"

enum { LOOK_EVERY_MS = 100, RETRY_AFTER_S = 5 };

/* Which part of the price a stage belongs to. IN is counted by what was received: all its stages see
 * each packet, or what the one before has left of them. */
static int part_of(const char *stage, bool *counts)
{
	static const struct {
		const char *stage;
		enum admission_part part;
		bool counts;
	} parts[] = {
		{"rx", ADMISSION_PART_IN, true},
		{"classify", ADMISSION_PART_IN, false},
		{"rtcp", ADMISSION_PART_IN, false},
		{"rtp_in", ADMISSION_PART_IN, false},
		{"relay", ADMISSION_PART_RELAY, true},
		{"jbuf", ADMISSION_PART_BUFFER, true},
		{"playout", ADMISSION_PART_PLAYOUT, true},
		{"tx", ADMISSION_PART_OUT, true},
		{"srtp_open", ADMISSION_PART_SRTP_IN, true},
		{"srtp_seal", ADMISSION_PART_SRTP_OUT, true},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcmp(parts[i].stage, stage) == 0) {
			*counts = parts[i].counts;
			return (int)parts[i].part;
		}
	return -1;
}

static void look(struct engine_rpc *rpc, unsigned worker)
{
	uint64_t packets[ADMISSION_PARTS] = {0}, cycles[ADMISSION_PARTS] = {0};
	struct engine_worker_stats st = {0};

	rpc->backend.worker_stats(rpc->backend.arg, worker, &st);
	for (uint32_t i = 0; i < st.stages; i++) {
		bool counts;
		int part = part_of(st.stage[i].name, &counts);

		if (part < 0)
			continue;
		cycles[part] += st.stage[i].cycles;
		if (counts)
			packets[part] += st.stage[i].packets;
	}
	admission_take(&rpc->worker[worker].admission, rpc->now_ms * PB_NS_PER_MS, st.busy_share,
		       st.late_us, packets, cycles, st.cycles_hz);
}

void admit_init(struct engine_rpc *rpc)
{
	const struct admission_config cfg = {.busy_max = rpc->cfg.busy_max,
					     .late_max_us = rpc->cfg.late_max_us};

	for (unsigned i = 0; i < rpc->cfg.workers; i++)
		admission_init(&rpc->worker[i].admission, &cfg);
}

static void tell(struct engine_rpc *rpc, unsigned worker)
{
	const struct admission *a = &rpc->worker[worker].admission;
	char area[24], text[120];

	snprintf(area, sizeof(area), "overload-%u", worker);
	snprintf(text, sizeof(text), "worker %u %s", worker,
		 a->refusing ? "refuses new legs" : "takes new legs again");
	engine_rpc_alarm(rpc, area, text, a->refusing);
}

void admit_look(struct engine_rpc *rpc)
{
	if (rpc->now_ms - rpc->admit_looked_ms < LOOK_EVERY_MS)
		return;
	rpc->admit_looked_ms = rpc->now_ms;
	for (unsigned i = 0; i < rpc->cfg.workers; i++) {
		look(rpc, i);
		if (rpc->worker[i].admission.refusing &&
		    !admission_refuses(&rpc->worker[i].admission))
			tell(rpc, i);
	}
}

bool admit_would(struct engine_rpc *rpc, unsigned worker)
{
	struct admission copy;

	look(rpc, worker);
	copy = rpc->worker[worker].admission;
	return admission_ask(&copy, &(struct admission_wish){.kind = ADMISSION_CALL}).admitted;
}

/* Of a 20 ms frame, coded and decoded, beyond what G.711 costs (limits.md). */
double admit_coding_us(const char *codec)
{
	static const struct {
		const char *name;
		double us;
	} costs[] = {{"opus", 115}, {"G722", 26}, {"G729", 40}};

	for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++)
		if (strcasecmp(costs[i].name, codec) == 0)
			return costs[i].us;
	return 0;
}

bool admit(struct engine_rpc *rpc, unsigned worker, const struct admission_wish *wish,
	   struct rpc_error *err)
{
	struct admission *a = &rpc->worker[worker].admission;
	struct admission_verdict v;

	if (!engine_rpc_room(rpc, worker, err)) {
		rpc_error_add(err, "retry_after_s", json_integer(1));
		return false;
	}
	look(rpc, worker);
	if (wish->urgent)
		return true;

	bool refused = a->refusing;

	v = admission_ask(a, wish);
	if (refused != a->refusing)
		tell(rpc, worker);
	if (v.admitted)
		return true;
	if (v.late)
		rpc_error_set(err, RPC_OVERLOADED,
			      "worker %u is %.0f ms late; the limit is %.0f ms", worker,
			      a->late_us / 1000.0, a->cfg.late_max_us / 1000.0);
	else
		rpc_error_set(err, RPC_OVERLOADED,
			      "worker %u would be busy to %.0f %%; the limit is %.0f %%", worker,
			      v.projected * 100.0, v.limit * 100.0);
	rpc_error_add(err, "worker", json_integer(worker));
	rpc_error_add(err, "busy_share", json_real(a->share));
	rpc_error_add(err, "projected", json_real(v.projected));
	rpc_error_add(err, "limit", json_real(v.limit));
	rpc_error_add(err, "late_ms", json_real(a->late_us / 1000.0));
	rpc_error_add(err, "retry_after_s", json_integer(RETRY_AFTER_S));
	return false;
}
