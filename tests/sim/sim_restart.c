/* SPDX-License-Identifier: Apache-2.0
 * The control plane goes and comes back.
 *
 * Stopped, it ends its calls; promises of calls back stand, and everybody signs in again. Killed, it takes
 * up what it had kept of every call and agent, frozen until all is there; what nobody keeps (who served whom,
 * skills and pauses by hand, whom a call was kept for) is forgotten.
 */
#include <stdlib.h>
#include <string.h>

#include "acd/acd_restore.h"
#include "base/must.h"
#include "sim_priv.h"

enum { BACK_AFTER_RESTART_MS = 20000 };

/* The sums so far are laid by; those of the new ACD begin at nothing. */
static void lay_by_sums(struct sim *s)
{
	for (uint32_t q = 0; q < s->n_queues; q++) {
		struct sim_queue_sums now = sim_queue_sums(s, (int)q);

		s->queue[q].before = now;
		s->queue[q].sums = (struct sim_queue_sums){0};
		due_set(&s->due, SIM_THING_QUEUES + q, DUE_NEVER);
	}
}

void sim_restart(struct sim *s, uint32_t for_ms)
{
	for (uint32_t i = 0; i < s->plan->calls_max; i++)
		if (s->call[i].place != SIM_FREE)
			sim_call_lost(s, &s->call[i], true);
	s->result.restarts++;
	s->control_back_ms = s->now_ms + for_ms;
	lay_by_sums(s);
	s->thaws_ms = 0;
	due_set(&s->due, SIM_THING_THAW, DUE_NEVER);
	sim_acd_make(s, s->plan->config[0]);
	acd_hold(s->acd, s->held, s->now_ms);
	for (uint32_t i = 0; i < s->n_agents; i++) {
		struct sim_agent *g = &s->agent[i];
		struct sim_random r = g->random;

		s->state_ms[g->state] += s->now_ms - g->since_ms;
		*g = (struct sim_agent){
			.reachable = g->reachable, .since_ms = s->now_ms, .random = g->random};
		sim_random_bits(&g->random);
		acd_agent_reachable(s->acd, (int)i, g->reachable, s->now_ms);
		due_set(&s->due, sim_thing_of_agent(s, (int)i, SIM_PHONE), DUE_NEVER);
		due_set(&s->due, sim_thing_of_agent(s, (int)i, SIM_PRIVATE), DUE_NEVER);
		sim_agent_person(s, (int)i, AGENT_SIGN_IN,
				 s->control_back_ms + sim_random_below(&r, BACK_AFTER_RESTART_MS));
	}
}

/* --- killed -------------------------------------------------------------------------------- */

/* Phones that rang ring no more, and their calls wait again. */
static void silence(struct sim *s)
{
	for (uint32_t i = 0; i < s->n_agents; i++) {
		struct sim_agent *g = &s->agent[i];

		due_set(&s->due, sim_thing_of_agent(s, (int)i, SIM_PHONE), DUE_NEVER);
		g->phone = SIM_PHONE_QUIET;
		g->offered_seq = 0;
		if (g->state == AGENT_RINGING)
			g->call = 0;
	}
	for (uint32_t i = 0; i < s->plan->calls_max; i++) {
		struct sim_call *c = &s->call[i];

		if (c->place == SIM_OFFERED) {
			c->place = SIM_WAITING;
			c->ringing = 0;
			s->queue[c->queue].offered_now--;
			s->queue[c->queue].waiting++;
		}
	}
}

static bool in_acd(const struct sim_call *c)
{
	return c->place == SIM_WAITING || c->place == SIM_TALKING || c->place == SIM_DIALLING;
}

/* A waiting one counts as offered in the new ACD too; in all it came once. */
static void take_up_call(struct sim *s, struct sim_call *c, const struct acd_call_kept *kept)
{
	struct sim_queue *q = &s->queue[c->queue];
	int rc = acd_call_restore(s->acd, c->id, kept, s->now_ms);

	c->prefer = SIM_NONE;
	c->prefer_until_ms = c->void_until_ms = 0;
	if (rc != 0) {
		sim_breaks(s, "caller %u cannot be taken up (%d)", c->serial, rc);
		return;
	}
	if (c->place != SIM_WAITING)
		return;
	c->key = (int64_t)c->since_ms - (int64_t)(c->priority + q->rule->priority) *
						(int64_t)s->config->priority_step_s * 1000;
	q->sums.offered++;
	q->before.offered--;
}

static bool is_configured(const struct sim *s, int agent)
{
	return config_agent_find(s->config, sim_agent_number(s, agent)) != NULL;
}

/* Who talks about a queue, or with an agent, that is gone from the configuration has no place in a new ACD:
 * production ends such calls. */
static void end_homeless(struct sim *s)
{
	for (uint32_t i = 0; i < s->plan->calls_max; i++) {
		struct sim_call *c = &s->call[i];

		if (in_acd(c) && (s->queue[c->queue].rule == NULL ||
				  (c->agent >= 0 && !is_configured(s, c->agent))))
			sim_call_end(s, c, PARTY_SYSTEM, CALL_CAUSE_FAILED);
	}
	for (uint32_t i = 0; i < s->n_agents; i++) {
		struct sim_agent *g = &s->agent[i];

		if (is_configured(s, (int)i) || g->state != AGENT_OTHER)
			continue;
		g->state = AGENT_OFFLINE;
		g->private_call = false;
		due_set(&s->due, sim_thing_of_agent(s, (int)i, SIM_PRIVATE), DUE_NEVER);
	}
}

static void keep_all(struct sim *s, struct acd_call_kept *call, struct acd_agent_kept *agent)
{
	for (uint32_t i = 0; i < s->plan->calls_max; i++)
		if (in_acd(&s->call[i]) || s->call[i].place == SIM_OFFERED)
			must(acd_call_keep(s->acd, s->call[i].id, &call[i]));
	for (uint32_t i = 0; i < s->n_agents; i++)
		must(acd_agent_keep(s->acd, (int)i, &agent[i]));
}

static void take_up_agents(struct sim *s, const struct acd_agent_kept *kept)
{
	for (uint32_t i = 0; i < s->n_agents; i++) {
		acd_agent_reachable(s->acd, (int)i, s->agent[i].reachable, s->now_ms);
		if (s->agent[i].state != AGENT_OFFLINE &&
		    acd_agent_restore(s->acd, (int)i, &kept[i], s->now_ms) != 0)
			sim_breaks(s, "agent %s cannot be taken up", sim_agent_number(s, (int)i));
	}
}

/* A new ACD; who waits in the book is not lost by it. */
static void make_anew(struct sim *s)
{
	uint32_t *waits = calloc(s->n_queues, sizeof(*waits));

	must(waits != NULL);
	for (uint32_t q = 0; q < s->n_queues; q++) {
		waits[q] = s->queue[q].waiting;
		s->queue[q].waiting = 0;
	}
	sim_acd_make(s, s->config);
	for (uint32_t q = 0; q < s->n_queues; q++)
		s->queue[q].waiting = waits[q];
	free(waits);
}

void sim_killed(struct sim *s, uint32_t for_ms)
{
	struct acd_call_kept *call = calloc(s->plan->calls_max, sizeof(*call));
	struct acd_agent_kept *agent = calloc(s->n_agents, sizeof(*agent));

	must(call != NULL && agent != NULL);
	end_homeless(s);
	keep_all(s, call, agent);
	s->result.restarts++;
	lay_by_sums(s);
	silence(s);
	make_anew(s);
	acd_freeze(s->acd, true, s->now_ms);
	acd_hold(s->acd, s->held, s->now_ms);
	take_up_agents(s, agent);
	for (uint32_t i = 0; i < s->plan->calls_max; i++)
		if (in_acd(&s->call[i]))
			take_up_call(s, &s->call[i], &call[i]);
	acd_restore_end(s->acd, s->now_ms);
	sim_drain(s);
	for (uint32_t i = 0; i < s->n_agents; i++)
		if (s->agent[i].private_call)
			(void)sim_agent_wish(s, (int)i, AGENT_OTHER_BEGIN, 0);
	if (s->regulars != NULL)
		memset(s->regulars, 0, sizeof(*s->regulars));
	s->thaws_ms = s->now_ms + for_ms + 1;
	due_set(&s->due, SIM_THING_THAW, s->thaws_ms);
	free(call);
	free(agent);
}

void sim_thaw(struct sim *s)
{
	due_set(&s->due, SIM_THING_THAW, DUE_NEVER);
	if (s->thaws_ms == 0)
		return;
	sim_tell(s, "the control plane has everything again");
	s->thaws_ms = 0;
	/* What was over meanwhile ends now. */
	for (uint32_t i = 0; i < s->n_agents; i++)
		if (s->agent[i].wrap_until_ms < s->now_ms)
			s->agent[i].wrap_until_ms = s->now_ms;
	acd_freeze(s->acd, false, s->now_ms);
}
