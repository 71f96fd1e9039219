/* SPDX-License-Identifier: Apache-2.0
 *
 * What plays to a party: at most one playlist at a time, and what it is for. A playlist that the
 * engine refuses counts as heard, so that no flow waits for it.
 */
#include "call/calls.h"

#include <string.h>

#include "base/log.h"

static void on_play(struct call *call, struct party *p, int err, const json_t *result,
		    const struct rpc_error *why)
{
	(void)result;
	if (err == 0)
		return;
	log_warn("call", "[call=%s] nothing to hear for %s: %s", call->id, p->number,
		 why ? why->message : strerror(-err));
	if (p->play_use == PLAY_FLOW) {
		p->play_use = PLAY_NOTHING;
		flow_play_done(call);
	} else if (p->play_use == PLAY_BEEP) {
		p->play_use = PLAY_NOTHING;
		message_beep_done(call);
	} else if (p->play_use == PLAY_WHISPER) {
		p->play_use = PLAY_NOTHING;
		queue_whisper_done(call);
	} else if (p->play_use == PLAY_PARTING) {
		party_end(p, 0, 0, "");
	} else if (p->play_use == PLAY_GOODBYE) {
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_NORMAL);
	}
}

void party_play(struct party *p, enum play_use use, json_t *items, unsigned loop,
		const char *interrupt)
{
	struct call *call = p->call;
	struct ticket *t = call_ticket_new(call, p, on_play);

	call_make_id(call, 'p', p->play);
	p->play_use = use;
	p->play_lost = false;
	if (t == NULL || engine_play_start(call->centre->engine, p->leg, p->play, items, loop,
					   interrupt, call_ticket_reply, t) != 0) {
		call_ticket_drop(t);
		call->untold = true;
		log_warn("call", "[call=%s] play not started: no engine", call->id);
	}
}

void party_play_stop(struct party *p)
{
	if (p->play_use == PLAY_NOTHING)
		return;
	engine_play_stop(p->call->centre->engine, p->play);
	p->play_use = PLAY_NOTHING;
	p->play[0] = '\0';
}

json_t *party_prompt(const char *prompt)
{
	return json_pack("[{s:s}]", "prompt", prompt);
}

json_t *party_tone(const char *tone)
{
	return json_pack("[{s:s}]", "tone", tone);
}

json_t *party_items(const struct ivr_items *items)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < items->n; i++) {
		const struct ivr_item *it = &items->item[i];
		json_t *o = NULL;

		switch (it->kind) {
		case IVR_ITEM_PROMPT:
			o = json_pack("{s:s}", "prompt", it->prompt);
			break;
		case IVR_ITEM_BEEP:
			o = json_pack("{s:s}", "tone", "beep");
			break;
		case IVR_ITEM_SILENCE:
			o = json_pack("{s:i}", "silence_ms", (int)it->silence_ms);
			break;
		}
		if (o != NULL)
			json_array_append_new(list, o);
	}
	return list;
}
