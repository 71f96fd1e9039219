/* SPDX-License-Identifier: Apache-2.0
 *
 * Feature codes that agents dial: the state is changed at once, the answer is a word in the ear,
 * then the line is hung up. Supervision codes bring the supervisor's own call into the other call.
 */
#include "call/away.h"
#include "call/calls.h"
#include "call/park.h"
#include "call/remote.h"

#include <stdio.h>
#include <string.h>

#include "agent/feature.h"
#include "base/log.h"

/* The conversation that `agent` has now. */
struct search {
	const char *agent;
	struct call *found;
};

static void is_it(struct call *call, void *arg)
{
	struct search *s = arg;

	if (call->state == CALL_ENDING)
		return;
	if (call->agent != NULL && strcmp(call->agent->number, s->agent) == 0)
		s->found = call;
}

const char *feature_language(const struct centre *c)
{
	return c->config->n_hotlines && c->config->hotlines[0].language[0]
		       ? c->config->hotlines[0].language
		       : "en";
}

static void say_and_go(struct party *p)
{
	struct call *call = p->call;
	struct centre *c = call->centre;
	const char *lang = feature_language(c);
	char prompt[IVR_PROMPT_MAX];

	if (party_answer(p) != 0) {
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_FAILED);
		return;
	}
	snprintf(prompt, sizeof(prompt), "%s/%s", lang, call->goodbye);
	if (json_object_get(c->prompts, prompt) != NULL)
		party_play(p, PLAY_GOODBYE, party_prompt(prompt), 1, NULL);
	else
		party_play(
			p, PLAY_GOODBYE,
			party_tone(strcmp(call->goodbye, "agent/refused") == 0 ? "busy" : "beep"),
			1, NULL);
}

/* Returns the prompt that says what came of it. */
static const char *apply(struct centre *c, const char *agent, const struct feature_dialled *f)
{
	int index = acd_agent_find(c->acd, agent);
	enum agent_event ev;
	const char *prompt;
	char why[160];

	if (f->feature == FEATURE_SIGN_IN && f->agent[0] != '\0') {
		if (remote_sign_in(c, index, f->agent, why, sizeof(why)) == 0)
			return "agent/signed-in";
		log_info("agent", "%s: %s", agent, why);
		return "agent/refused";
	}
	switch (f->feature) {
	case FEATURE_SIGN_IN:
		ev = AGENT_SIGN_IN;
		prompt = "agent/signed-in";
		break;
	case FEATURE_SIGN_OUT:
		ev = AGENT_SIGN_OUT;
		prompt = "agent/signed-out";
		break;
	case FEATURE_READY:
		ev = AGENT_GO_READY;
		prompt = "agent/ready";
		break;
	case FEATURE_NOT_READY:
		ev = AGENT_GO_NOT_READY;
		prompt = "agent/not-ready";
		break;
	case FEATURE_WRAP_UP_END:
		ev = AGENT_WRAP_END;
		prompt = "agent/wrap-up-ended";
		break;
	case FEATURE_DND_ON:
	case FEATURE_DND_OFF:
		return desk_dnd(c, index, f->feature == FEATURE_DND_ON) == 0
			       ? f->feature == FEATURE_DND_ON ? "agent/dnd-on" : "agent/dnd-off"
			       : "agent/refused";
	case FEATURE_NONE:
	case FEATURE_CALL_AS:
	case FEATURE_PARK: /* nobody is talked with */
	case FEATURE_PICK_UP:
	case FEATURE_LISTEN:
	case FEATURE_WHISPER:
	case FEATURE_BARGE:
	case FEATURE_UNKNOWN:
	default:
		return "agent/refused";
	}
	if (f->feature == FEATURE_NOT_READY &&
	    !away_allowed(c, index, f->reason, why, sizeof(why))) {
		log_info("agent", "%s may not: %s", agent, why);
		return "agent/refused";
	}
	if (index < 0 || acd_agent_event(c->acd, index, ev, f->reason, clock_mono_ms()) != 0)
		prompt = "agent/refused";
	queue_drain(c);
	return prompt;
}

static bool supervise(struct centre *c, struct sip_call *sip, const char *by,
		      const struct feature_dialled *f)
{
	static const char *const modes[] = {[FEATURE_LISTEN] = "listen",
					    [FEATURE_WHISPER] = "whisper",
					    [FEATURE_BARGE] = "barge"};
	struct search s = {.agent = f->agent};
	char why[160];
	const char *state;

	call_each(c, is_it, &s);
	if (s.found == NULL)
		return false;
	if (monitor_set(s.found, by, modes[f->feature], sip, &state, why, sizeof(why)) == 0)
		return true;
	log_info("call", "[call=%s] %s may not listen: %s", s.found->id, by, why);
	return false;
}

bool feature_call(struct centre *c, struct sip_call *sip, const char *agent, const char *dialled)
{
	struct feature_dialled f = feature_parse(c->config, dialled);
	struct call *call;
	struct party *p;

	if (f.feature == FEATURE_NONE && config_parking_place(c->config, dialled) < 0)
		return false;
	if ((f.feature == FEATURE_NONE && pick_up_place(c, sip, agent, dialled)) ||
	    (f.feature == FEATURE_PICK_UP && pick_up_phone(c, sip, agent, f.agent)))
		return true;
	if ((f.feature == FEATURE_LISTEN || f.feature == FEATURE_WHISPER ||
	     f.feature == FEATURE_BARGE) &&
	    engine_is_up(c->engine) && supervise(c, sip, agent, &f))
		return true;
	call = call_begin(c, CALL_FEATURE, agent, dialled);
	p = call ? party_new(call, PARTY_IS_CUSTOMER, agent, -1) : NULL;
	if (p == NULL) {
		sip_call_end(sip, 503, 42, "no memory");
		return true;
	}
	call->customer = p;
	party_attach(p, sip);
	if (!engine_is_up(c->engine)) {
		/* Nothing can be said; refusing tells the agent that the code did not work. */
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_ENGINE_LOST);
		return true;
	}
	call->goodbye = apply(c, agent, &f);
	party_open(p, say_and_go);
	return true;
}
