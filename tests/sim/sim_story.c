/* SPDX-License-Identifier: Apache-2.0
 * The run in sentences. */
#include <stdarg.h>

#include "sim_priv.h"

const char *sim_queue_name(const struct sim *s, int queue)
{
	return queue >= 0 && (uint32_t)queue < s->n_queues ? s->plan->config[0]->queues[queue].name
							   : "?";
}

const char *sim_agent_number(const struct sim *s, int agent)
{
	return agent >= 0 && (uint32_t)agent < s->n_agents
		       ? s->plan->config[0]->agents[agent].number
		       : "?";
}

const char *sim_event_name(enum sim_event_kind kind)
{
	static const char *const name[SIM_EVENTS] = {
		[SIM_CALL] = "a caller arrives",
		[SIM_SIGN_IN] = "signs in",
		[SIM_SIGN_OUT] = "signs out",
		[SIM_READY] = "goes ready",
		[SIM_NOT_READY] = "goes not ready",
		[SIM_WRAP_END] = "is done with wrap-up",
		[SIM_UNPLUG] = "unplugs the phone",
		[SIM_OTHER] = "begins a private call",
		[SIM_HANG_UP] = "hangs up",
		[SIM_PAUSE] = "a supervisor pauses",
		[SIM_MOVE_CALL] = "a supervisor moves a caller",
		[SIM_TAKE_CALL] = "a supervisor ends a call",
		[SIM_CALLBACK] = "a caller asks to be called back",
		[SIM_MOVE_AGENT] = "gets or loses a skill",
		[SIM_RELOAD] = "the configuration is reloaded",
		[SIM_ENGINE_AWAY] = "the engine goes away",
		[SIM_TRUNK_AWAY] = "the trunk goes away",
		[SIM_DND] = "wants not to be disturbed, or does again",
		[SIM_PICK_UP] = "takes a call that waits",
		[SIM_HAND_OVER] = "hands the caller to a colleague",
		[SIM_RESTART] = "the control plane is restarted",
		[SIM_KILLED] = "the control plane is killed and comes back",
	};

	return name[kind];
}

void sim_story_event(FILE *out, const struct config *c, const struct sim_event *e)
{
	uint64_t second = e->at_ms / 1000;

	fprintf(out, "%02u:%02u:%02u ", (unsigned)(second / 3600 % 24),
		(unsigned)(second / 60 % 60), (unsigned)(second % 60));
	if (e->agent >= 0)
		fprintf(out, "agent %s ", c->agents[e->agent].number);
	fprintf(out, "%s", sim_event_name(e->kind));
	if (e->queue >= 0)
		fprintf(out, "%s queue %s", e->kind == SIM_CALL ? " for" : ",",
			c->queues[e->queue].name);
	if (e->kind == SIM_CALL && e->value > 0)
		fprintf(out, " with priority %u", e->value);
	if (e->kind == SIM_MOVE_AGENT)
		fprintf(out, ", level %u", e->value);
	if (e->kind == SIM_RELOAD)
		fprintf(out, ", number %u", e->value);
	if (e->kind == SIM_UNPLUG || e->kind == SIM_OTHER || e->kind == SIM_PAUSE ||
	    (e->kind >= SIM_ENGINE_AWAY && e->agent < 0))
		fprintf(out, " for %u s", e->for_ms / 1000);
	fputc('\n', out);
}

void sim_tell(struct sim *s, const char *fmt, ...)
{
	uint64_t second = s->now_ms / 1000;
	va_list ap;

	if (s->plan->story == NULL || s->result.broken[0] != '\0')
		return;
	fprintf(s->plan->story, "%02u:%02u:%02u ", (unsigned)(second / 3600 % 24),
		(unsigned)(second / 60 % 60), (unsigned)(second % 60));
	va_start(ap, fmt);
	vfprintf(s->plan->story, fmt, ap);
	va_end(ap);
	fputc('\n', s->plan->story);
	fflush(s->plan->story); /* the next thing may abort */
}

/* Why a phone stopped ringing. */
static const char *withdrawn(enum agent_event why)
{
	static const char *const words[AGENT_EVENTS] = {
		[AGENT_MISS] = "does not answer",
		[AGENT_REJECT] = "rejects it",
		[AGENT_LOST] = "cannot be reached",
		[AGENT_SIGN_OUT] = "signs out while it rings",
		[AGENT_GO_NOT_READY] = "goes not ready while it rings",
	};

	return words[why] != NULL ? words[why] : "need not answer any more";
}

void sim_tell_action(struct sim *s, const struct acd_action *a)
{
	static const char *const left[] = {
		[ACD_LEFT_TIMEOUT] = "it waited too long",
		[ACD_LEFT_EMPTY] = "nobody is signed in",
		[ACD_LEFT_REMOVED] = "it is gone from the configuration",
	};
	unsigned caller = (unsigned)(a->call >> SIM_SLOT_BITS);
	const char *agent = sim_agent_number(s, a->agent);

	switch (a->kind) {
	case ACD_OFFER:
		sim_tell(s, "agent %s's phone rings for caller %u of queue %s", agent, caller,
			 sim_queue_name(s, a->queue));
		break;
	case ACD_WITHDRAW:
		sim_tell(s, "agent %s %s (caller %u)", agent, withdrawn(a->withdrawn), caller);
		break;
	case ACD_ANSWERED:
		sim_tell(s, "agent %s answers caller %u, who waited %llu s", agent, caller,
			 (unsigned long long)(a->waited_ms / 1000));
		break;
	case ACD_ANNOUNCE:
		sim_tell(s, "caller %u hears that it is number %u", caller, a->position);
		break;
	case ACD_LEFT:
		sim_tell(s, "caller %u is put out of queue %s: %s", caller,
			 sim_queue_name(s, a->queue), left[a->why]);
		break;
	case ACD_AGENT_STATE:
		sim_tell(s, "agent %s is %s", agent, agent_state_name(a->state));
		break;
	}
}
