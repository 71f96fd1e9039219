/* SPDX-License-Identifier: Apache-2.0
 *
 * A record that is still being written, over a restart: every sum and the clock that runs.
 */
#include "record/call_record.h"

#include <string.h>

#include "record/kept.h"

enum { MS_MAX_BITS = 53 };

#define MS_MAX ((UINT64_C(1) << MS_MAX_BITS) - 1)

static const char *kind_name(unsigned i)
{
	return call_kind_name((enum call_kind)i);
}

static const char *party_name(unsigned i)
{
	return call_party_name((enum call_party)i);
}

static const char *cause_name(unsigned i)
{
	return call_cause_name((enum call_cause)i);
}

json_t *call_record_keep(const struct call_record *r)
{
	json_t *o = json_object(), *agents = json_array();

	kept_put_text(o, "call", r->call);
	kept_put_text(o, "kind", call_kind_name(r->kind));
	kept_put_text(o, "from", r->from);
	kept_put_text(o, "to", r->to);
	kept_put_text(o, "queue", r->queue);
	for (unsigned i = 0; i < r->agent_count; i++) {
		json_t *one = json_object();

		kept_put_text(one, "agent", r->agents[i]);
		json_array_append_new(agents, one);
	}
	json_object_set_new(o, "agents", agents);
	kept_put_text(o, "path", r->path);
	kept_put_text(o, "flow", r->flow);
	kept_put_text(o, "recording", r->recording);
	kept_put_text(o, "not_recorded", r->not_recorded);
	kept_put_number(o, "started_ms", r->started_ms);
	kept_put_number(o, "answered_ms", r->answered_ms);
	kept_put_number(o, "ended_ms", r->ended_ms);
	kept_put_number(o, "wait_ms", r->wait_ms);
	kept_put_number(o, "talk_ms", r->talk_ms);
	kept_put_number(o, "hold_ms", r->hold_ms);
	kept_put_number(o, "offers", r->offers);
	kept_put_number(o, "clock", r->clock);
	kept_put_number(o, "clock_since_ms", r->clock_since_ms);
	if (r->ended_ms != 0) {
		kept_put_text(o, "hung_up_by", call_party_name(r->hung_up_by));
		kept_put_text(o, "cause", call_cause_name(r->cause));
	}
	return o;
}

static bool read_end(struct call_record *r, const json_t *o)
{
	unsigned by = 0, cause = 0;
	bool ok = r->ended_ms == 0 || kept_word(o, "cause", cause_name, CALL_CAUSES, &cause);

	if (r->ended_ms != 0 && json_object_get(o, "hung_up_by") != NULL)
		ok = kept_word(o, "hung_up_by", party_name, PARTY_OPERATOR + 1, &by) && ok;
	r->hung_up_by = (enum call_party)by;
	r->cause = (enum call_cause)cause;
	return ok;
}

bool call_record_kept(struct call_record *r, const json_t *o)
{
	const json_t *agents = json_object_get(o, "agents");
	uint64_t clock = 0;
	unsigned kind = 0;
	bool ok = kept_word(o, "kind", kind_name, CALL_KINDS, &kind);

	*r = (struct call_record){.kind = (enum call_kind)kind};
	ok = kept_text(o, "call", r->call, sizeof(r->call)) && ok;
	ok = kept_text(o, "from", r->from, sizeof(r->from)) && ok;
	ok = kept_text(o, "to", r->to, sizeof(r->to)) && ok;
	ok = kept_text(o, "queue", r->queue, sizeof(r->queue)) && ok;
	for (size_t i = 0; i < json_array_size(agents) && i < CALL_RECORD_AGENTS_MAX; i++) {
		ok = kept_text(json_array_get(agents, i), "agent", r->agents[i],
			       sizeof(r->agents[i])) &&
		     ok;
		r->agent_count++;
	}
	ok = kept_text(o, "path", r->path, sizeof(r->path)) && ok;
	ok = kept_text(o, "flow", r->flow, sizeof(r->flow)) && ok;
	ok = kept_text(o, "recording", r->recording, sizeof(r->recording)) && ok;
	ok = kept_text(o, "not_recorded", r->not_recorded, sizeof(r->not_recorded)) && ok;
	ok = kept_number(o, "started_ms", MS_MAX, &r->started_ms) && ok;
	ok = kept_number(o, "answered_ms", MS_MAX, &r->answered_ms) && ok;
	ok = kept_number(o, "ended_ms", MS_MAX, &r->ended_ms) && ok;
	ok = kept_number(o, "wait_ms", MS_MAX, &r->wait_ms) && ok;
	ok = kept_number(o, "talk_ms", MS_MAX, &r->talk_ms) && ok;
	ok = kept_number(o, "hold_ms", MS_MAX, &r->hold_ms) && ok;
	ok = KEPT_NUMBER(o, "offers", UINT32_MAX, r->offers) && ok;
	ok = kept_number(o, "clock", CALL_CLOCK_HOLD, &clock) && ok;
	ok = kept_number(o, "clock_since_ms", MS_MAX, &r->clock_since_ms) && ok;
	r->clock = (enum call_clock)clock;
	return read_end(r, o) && ok && r->call[0] != '\0' && r->started_ms != 0;
}
