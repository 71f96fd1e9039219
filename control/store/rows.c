/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop's side of writing: a row is copied into the queue, where some kinds are missed less than others.
 */
#include <stdlib.h>
#include <string.h>

#include "store/store_priv.h"

/* How many rows may wait before one of this kind: some are missed less than others. */
static uint32_t room_for(enum row_kind kind)
{
	if (kind == ROW_JOURNAL) /* large, and the next one says it all again */
		return STORE_QUEUE_MAX / 8;
	if (kind == ROW_SEARCH || kind == ROW_STEP || kind == ROW_AGENT_STATE || kind == ROW_LEG)
		return STORE_QUEUE_MAX / 4 * 3;
	return STORE_QUEUE_MAX;
}

bool store_put(struct store *store, enum row_kind kind, const struct value *values, unsigned n)
{
	size_t bytes = sizeof(struct row) + n * sizeof(struct value);
	struct row *row;
	char *text;

	for (unsigned i = 0; i < n; i++)
		if (values[i].kind == VALUE_TEXT)
			bytes += strlen(values[i].s) + 1;
	row = malloc(bytes);
	if (row == NULL)
		return false;
	row->next = NULL;
	row->kind = kind;
	row->n = n;
	text = (char *)&row->values[n];
	for (unsigned i = 0; i < n; i++) {
		row->values[i] = values[i];
		if (values[i].kind != VALUE_TEXT)
			continue;
		size_t len = strlen(values[i].s) + 1;

		memcpy(text, values[i].s, len);
		row->values[i].s = text;
		text += len;
	}

	pthread_mutex_lock(&store->lock);
	uint32_t waiting = store->rows.count + store->writing;
	uint32_t room = room_for(kind);
	bool fits = waiting < room;

	if (fits) {
		*store->rows.tail = row;
		store->rows.tail = &row->next;
		store->rows.count++;
		pthread_cond_signal(&store->rows_wait);
	} else {
		store->dropped++;
	}
	pthread_mutex_unlock(&store->lock);
	if (!fits)
		free(row);
	return fits;
}

static struct value text(const char *s)
{
	return (struct value){.kind = VALUE_TEXT, .s = s ? s : ""};
}

static struct value text_or_null(const char *s)
{
	return s && s[0] ? text(s) : (struct value){.kind = VALUE_NULL};
}

static struct value number(uint64_t i)
{
	return (struct value){.kind = VALUE_INT, .i = i > INT64_MAX ? INT64_MAX : (int64_t)i};
}

static struct value ms_or_null(uint64_t ms)
{
	return ms ? number(ms) : (struct value){.kind = VALUE_NULL};
}

static struct value real_or_null(bool known, double d)
{
	return known ? (struct value){.kind = VALUE_REAL, .d = d}
		     : (struct value){.kind = VALUE_NULL};
}

#define PUT(store, kind, ...)                                                                      \
	store_put((store), (kind), (const struct value[]){__VA_ARGS__},                            \
		  sizeof((const struct value[]){__VA_ARGS__}) / sizeof(struct value))

bool store_call(struct store *store, const struct call_record *r)
{
	json_t *agents = json_array();
	bool ended = r->ended_ms != 0, ok;

	for (unsigned i = 0; i < r->agent_count; i++)
		json_array_append_new(agents, json_string(r->agents[i]));

	char *list = json_dumps(agents, JSON_COMPACT);

	json_decref(agents);
	ok = PUT(store, ROW_CALL, text(r->call), text(call_kind_name(r->kind)), text(r->from),
		 text(r->to), text(r->queue),
		 text(r->agent_count ? r->agents[r->agent_count - 1] : ""),
		 text(list ? list : "[]"), text(r->path), number(r->started_ms),
		 ms_or_null(r->answered_ms), ms_or_null(r->ended_ms), number(r->wait_ms),
		 number(r->talk_ms), number(r->hold_ms), number(r->offers),
		 text(call_party_name(r->hung_up_by)), text(ended ? call_cause_name(r->cause) : ""),
		 text(ended ? call_cause_text(r->cause) : ""),
		 ended ? number(call_cause_q850(r->cause)) : text_or_null(NULL),
		 text_or_null(r->recording), real_or_null(r->quality.known, r->quality.lost_share),
		 real_or_null(r->quality.known, r->quality.jitter_ms),
		 real_or_null(r->quality.rtt_known, r->quality.rtt_ms),
		 real_or_null(r->quality.known, r->quality.mos), text(r->flow),
		 text(r->not_recorded));
	free(list);
	return ok;
}

bool store_leg(struct store *store, const struct store_leg *l)
{
	return PUT(store, ROW_LEG, text(l->leg), text(l->call), text(l->role), text(l->party),
		   text(l->sip_call_id), number(l->started_ms), ms_or_null(l->answered_ms),
		   ms_or_null(l->ended_ms), text_or_null(l->stats), text_or_null(l->codec),
		   text_or_null(l->remote), text(l->ended_by), ms_or_null(l->sip_status),
		   ms_or_null(l->q850), text(l->ended_text), number(l->held_ms));
}

bool store_step(struct store *store, const char *call, uint64_t at_ms, enum call_step step,
		const char *detail)
{
	return PUT(store, ROW_STEP, text(call), number(at_ms), text(call_step_name(step)),
		   text_or_null(detail));
}

bool store_note(struct store *store, const char *call, uint64_t at_ms, const char *key,
		const char *value)
{
	return PUT(store, ROW_NOTE, text(call), number(at_ms), text(key), text(value));
}

bool store_callback(struct store *store, const struct store_callback *b)
{
	return PUT(store, ROW_CALLBACK, text(b->call), text(b->queue ? b->queue : ""),
		   text(b->number ? b->number : ""), text(b->from ? b->from : ""),
		   number(b->priority), number(b->tries), number(b->promised_ms), text(b->state),
		   number(b->due_ms));
}

bool store_wrap_up(struct store *store, const char *call, uint64_t wrap_up_ms)
{
	return PUT(store, ROW_WRAP_UP, text(call), number(wrap_up_ms));
}

bool store_agent_state(struct store *store, const char *agent, uint64_t at_ms, const char *state,
		       const char *reason, const char *call)
{
	return PUT(store, ROW_AGENT_STATE, text(agent), number(at_ms), text(state),
		   text_or_null(reason), text_or_null(call));
}

bool store_recording(struct store *store, const struct store_recording *r)
{
	return PUT(store, ROW_RECORDING, text(r->recording), text(r->call), text(r->kind),
		   text(r->agent), text(r->queue), text(r->from), text(r->to),
		   number(r->started_ms), ms_or_null(r->ended_ms), number(r->complete),
		   number(r->accepted), number(r->written), number(r->lost),
		   text_or_null(r->lost_reason), text_or_null(r->account));
}

bool store_account(struct store *store, const struct store_recording *r)
{
	return PUT(store, ROW_ACCOUNT, text(r->recording), number(r->complete), number(r->accepted),
		   number(r->written), number(r->lost), text_or_null(r->lost_reason),
		   text_or_null(r->account), ms_or_null(r->ended_ms));
}

bool store_heard(struct store *store, const char *recording, bool heard)
{
	return PUT(store, ROW_HEARD, text(recording), number(heard));
}

bool store_finding(struct store *store, const struct store_finding *f)
{
	return PUT(store, ROW_FINDING, text(f->agent), number(f->at_ms), text(f->rule),
		   text_or_null(f->call), number(f->count), number(f->lasted_ms),
		   text(f->evidence));
}

bool store_overlong(struct store *store, const struct store_overlong *o)
{
	return PUT(store, ROW_OVERLONG, text(o->call), text(o->agent), text(o->what),
		   number(o->began_ms), text(o->queue), number(o->level), number(o->limit_ms),
		   number(o->lasted_ms), text(o->told));
}

bool store_close_orphans(struct store *store, uint64_t now_ms)
{
	return PUT(store, ROW_ORPHAN_CALLS, number(now_ms)) &&
	       PUT(store, ROW_ORPHAN_RECORDINGS, number(now_ms)) &&
	       PUT(store, ROW_ORPHAN_WRAP_UPS, number(now_ms)) &&
	       PUT(store, ROW_ORPHAN_AGENTS, number(now_ms));
}
