/* SPDX-License-Identifier: Apache-2.0 */
#include "record/report.h"

#include <stdlib.h>
#include <string.h>

static json_t *share(uint64_t part, uint64_t whole)
{
	return whole > 0 ? json_real((double)part / (double)whole) : json_null();
}

static json_t *average(uint64_t sum, uint64_t n)
{
	return n > 0 ? json_integer((json_int_t)(sum / n)) : json_null();
}

static void queue_figures(json_t *o, const uint64_t *n)
{
	uint64_t answered = n[TALLY_QUEUE_ANSWERED], lost = n[TALLY_QUEUE_ABANDONED_LONG];
	uint64_t judged = answered + lost;
	uint64_t left = judged + n[TALLY_QUEUE_ABANDONED_SHORT] + n[TALLY_QUEUE_OVERFLOWED];

	json_object_set_new(o, "answer_rate", share(answered, left));
	json_object_set_new(o, "service_level", share(n[TALLY_QUEUE_ANSWERED_IN_TIME], judged));
	json_object_set_new(o, "service_level_20s", share(n[TALLY_QUEUE_ANSWERED_20S], judged));
	json_object_set_new(o, "service_level_30s", share(n[TALLY_QUEUE_ANSWERED_30S], judged));
	json_object_set_new(o, "abandon_rate", share(lost, judged));
	json_object_set_new(o, "speed_of_answer_ms",
			    average(n[TALLY_QUEUE_ANSWER_WAIT_MS], answered));
	json_object_set_new(
		o, "handle_time_ms",
		average(n[TALLY_QUEUE_TALK_MS] + n[TALLY_QUEUE_HOLD_MS] + n[TALLY_QUEUE_WRAP_UP_MS],
			answered + n[TALLY_QUEUE_CALLED_BACK]));
}

static void agent_figures(json_t *o, const struct tally_row *row, const struct tally *t)
{
	const uint64_t *n = row->n;
	uint64_t busy_ms = n[TALLY_AGENT_TALKING_MS] + n[TALLY_AGENT_WRAP_UP_MS];
	json_t *reasons = json_object();

	json_object_set_new(
		o, "occupancy",
		share(busy_ms, busy_ms + n[TALLY_AGENT_READY_MS] + n[TALLY_AGENT_RINGING_MS]));
	json_object_set_new(o, "handle_time_ms", average(busy_ms, n[TALLY_AGENT_ANSWERED]));
	json_object_set_new(o, "calls_back_per_hour",
			    n[TALLY_AGENT_SIGNED_IN_MS] > 0
				    ? json_real((double)n[TALLY_AGENT_CALLS_BACK] * 3600000 /
						(double)n[TALLY_AGENT_SIGNED_IN_MS])
				    : json_null());
	json_object_set_new(o, "reached_share",
			    share(n[TALLY_AGENT_REACHED], n[TALLY_AGENT_CALLS_BACK]));
	json_object_set_new(o, "dial_time_ms",
			    average(n[TALLY_AGENT_DIAL_MS], n[TALLY_AGENT_CALLS_BACK]));
	for (size_t i = 0; t != NULL && i < t->n_rows; i++) {
		const struct tally_row *r = &t->rows[i];

		if (r->kind == TALLY_REASON && strcmp(r->key, row->key) == 0)
			json_object_set_new(
				reasons, r->sub[0] != '\0' ? r->sub : "none",
				json_integer((json_int_t)r->n[TALLY_REASON_NOT_READY_MS]));
	}
	json_object_set_new(o, "not_ready", reasons);
}

json_t *report_row(const struct tally_row *row, const struct tally *t, uint64_t from_ms,
		   uint64_t to_ms)
{
	static const char *const names[TALLY_KINDS] = {"queue", "agent", "agent", "flow"};
	json_t *o = json_object(), *key = json_string(row->key);

	json_object_set_new(o, "from_ms", json_integer((json_int_t)from_ms));
	json_object_set_new(o, "to_ms", json_integer((json_int_t)to_ms));
	json_object_set_new(o, names[row->kind], key ? key : json_string("?"));
	for (unsigned i = 0; i < tally_columns(row->kind); i++)
		json_object_set_new(o, tally_column_name(row->kind, i),
				    json_integer((json_int_t)row->n[i]));
	switch (row->kind) {
	case TALLY_QUEUE:
		queue_figures(o, row->n);
		break;
	case TALLY_AGENT:
		agent_figures(o, row, t);
		break;
	case TALLY_FLOW:
		json_object_set_new(
			o, "containment",
			share(row->n[TALLY_FLOW_CONTAINED], row->n[TALLY_FLOW_CALLERS]));
		break;
	case TALLY_REASON:
	case TALLY_KINDS:
		break;
	}
	return o;
}

struct ranked {
	json_t *row;
	double value, period;
	bool known;
	size_t at; /* where it was: equals keep their order */
};

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->period != y->period)
		return x->period < y->period ? -1 : 1;
	if (x->known != y->known)
		return x->known ? -1 : 1;
	if (x->known && x->value != y->value)
		return x->value > y->value ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

bool report_rank(json_t *rows, const char *figure, bool lowest_first)
{
	size_t n = json_array_size(rows), first = 0, place = 0;
	struct ranked *list = calloc(n + 1, sizeof(*list));
	bool any = false;

	for (size_t i = 0; list != NULL && i < n; i++) {
		json_t *row = json_array_get(rows, i);
		const json_t *v = json_object_get(row, figure);
		double value = json_number_value(v);

		any = any || json_is_number(v) || json_is_null(v);
		list[i] = (struct ranked){
			.row = json_incref(row),
			.value = lowest_first ? -value : value,
			.period = json_number_value(json_object_get(row, "from_ms")),
			.known = json_is_number(v),
			.at = i,
		};
	}
	if (list == NULL || n == 0) {
		free(list);
		return n == 0;
	}
	qsort(list, n, sizeof(*list), by_rank);
	json_array_clear(rows);
	for (size_t i = 0; i < n; i++) {
		const struct ranked *r = &list[i];

		if (i == 0 || list[i - 1].period != r->period)
			first = i;
		if (first == i || list[i - 1].value != r->value)
			place = i - first + 1;
		json_object_set_new(r->row, "rank",
				    r->known ? json_integer((json_int_t)place) : json_null());
		json_array_append_new(rows, r->row);
	}
	free(list);
	return any;
}
