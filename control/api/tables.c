/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables over time, what supervision is told, and the database as a whole: reports, logs of agents, findings,
 * overlong calls, alarms, backups.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_priv.h"
#include "call/watch.h"
#include "loop/clock.h"
#include "loop/zone.h"
#include "record/report.h"
#include "record/target.h"

/* A request that waits for the store. */
struct pending {
	struct api *api;
	struct rpc_ref ref;
	json_t *more;  /* members that go with the answer; or NULL */
	int targets;   /* enum config_target_of that its rows are held against; -1: none */
	char rank[64]; /* a figure by which they are ordered; "" none */
	bool lowest_first;
};

struct pending *api_later(const struct rpc_call *call, json_t *more)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		json_decref(more);
		return NULL;
	}
	*p = (struct pending){.api = call->owner, .ref = call->ref, .more = more, .targets = -1};
	return p;
}

void api_forget(struct pending *p)
{
	if (p != NULL)
		json_decref(p->more);
	free(p);
}

enum rpc_answer api_ask_store(const struct rpc_call *call, api_store_fn *ask, json_t *json,
			      struct rpc_error *err)
{
	const struct api *api = call->owner;
	struct pending *p = api_later(call, NULL);

	if (p == NULL || api->c->store == NULL)
		json_decref(json);
	else if (ask(api->c->store, json, api_stored, p) == 0)
		return RPC_ANSWER_LATER;
	api_forget(p);
	return api_busy(err);
}

json_t *api_filter(const json_t *params, int64_t limit, const char *const *members)
{
	json_t *filter =
		json_pack("{s:I}", "limit", (json_int_t)rpc_param_int(params, "limit", limit));

	for (; *members != NULL; members++) {
		json_t *v = json_object_get(params, *members);

		if (v != NULL && !json_is_null(v))
			json_object_set(filter, *members, v);
	}
	return filter;
}

static void judge(const struct centre *c, enum config_target_of of, json_t *answer)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(answer, "rows"), i, row)
	{
		struct local_time at = centre_local(
			c, (uint64_t)json_integer_value(json_object_get(row, "from_ms")));

		target_judge(c->config, of, row, hours_day_number(at.year, at.month, at.day));
	}
}

void api_stored(void *arg, const json_t *result, const char *error)
{
	struct pending *p = arg;
	struct rpc_error err = {0};
	json_t *answer;

	if (error != NULL || result == NULL) {
		rpc_error_set(&err, RPC_STORE, "%s", error ? error : "no answer");
		rpc_server_fail(p->api->server, p->ref, &err);
	} else {
		answer = json_deep_copy(result);
		if (p->more != NULL)
			json_object_update(answer, p->more);
		if (p->targets >= 0)
			judge(p->api->c, (enum config_target_of)p->targets, answer);
		if (p->rank[0] == '\0' ||
		    report_rank(json_object_get(answer, "rows"), p->rank, p->lowest_first)) {
			rpc_server_answer(p->api->server, p->ref, answer);
		} else {
			rpc_error_set(&err, RPC_INVALID_PARAMS,
				      "params.rank: the report has no figure %s", p->rank);
			rpc_server_fail(p->api->server, p->ref, &err);
			json_decref(answer);
		}
	}
	api_forget(p);
}

enum rpc_answer api_busy(struct rpc_error *err)
{
	rpc_error_set(err, RPC_STORE, "too many questions to the database wait");
	return RPC_ANSWER_ERROR;
}

/* --- reports ------------------------------------------------------------------------------- */

static int word_of(const char *word, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return 0;
}

/* The centre's own zone as TZ takes it (POSIX: what is ahead of UTC has a minus); NULL: the system's. */
static const char *zone_of(const struct centre *c, char *out, size_t size)
{
	const struct hours *h = &c->config->time_zone;
	int min = h->offset_min < 0 ? -h->offset_min : h->offset_min;

	if (!h->zone_fixed)
		return h->zone[0] != '\0' ? h->zone : NULL;
	snprintf(out, size, "<%cLOC>%c%02d:%02d", h->offset_min < 0 ? '-' : '+',
		 h->offset_min < 0 ? '+' : '-', min / 60 % 100, min % 60);
	return out;
}

static int by_number(const void *a, const void *b)
{
	return strcmp(((const struct store_alias *)a)->agent,
		      ((const struct store_alias *)b)->agent);
}

/* Which agent is in which group; the caller's. NULL: no memory. */
static struct store_alias *groups_of(const struct config *c)
{
	struct store_alias *list = calloc(c->n_agents + 1, sizeof(*list));

	for (uint32_t i = 0; list != NULL && i < c->n_agents; i++) {
		snprintf(list[i].agent, sizeof(list[i].agent), "%s", c->agents[i].number);
		snprintf(list[i].group, sizeof(list[i].group), "%s", c->agents[i].group);
	}
	if (list != NULL)
		qsort(list, c->n_agents, sizeof(*list), by_number);
	return list;
}

enum { REPORT_QUEUES, REPORT_AGENTS, REPORT_GROUPS, REPORT_FLOWS, REPORT_NOTES, REPORTS };

static const char *const report_names[REPORTS] = {"queues", "agents", "groups", "flows", "notes"};
static const struct {
	enum tally_kind kind;
	int targets; /* as struct pending */
} reports[REPORTS] = {
	[REPORT_QUEUES] = {TALLY_QUEUE, TARGET_QUEUE},
	[REPORT_AGENTS] = {TALLY_AGENT, TARGET_AGENT},
	[REPORT_GROUPS] = {TALLY_AGENT, TARGET_GROUP},
	[REPORT_FLOWS] = {TALLY_FLOW, TARGET_FLOW},
	[REPORT_NOTES] = {TALLY_QUEUE, -1},
};

enum rpc_answer api_report(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	static const char *const by[] = {"call", "queue", "agent"};
	static const char *const units[] = {"15m", "30m", "1h", "1d", "all"};
	struct api *api = call->owner;
	int what = word_of(rpc_param_text(call->params, "of", ""), report_names, REPORTS);
	int unit = word_of(rpc_param_text(call->params, "interval", "15m"), units, ZONE_UNITS);
	const char *zone = rpc_param_text(call->params, "zone", NULL);
	char own[32];
	uint64_t border[STORE_BORDERS_MAX];
	struct store_report r = {.kind = reports[what].kind,
				 .key = rpc_param_text(call->params, "key", NULL),
				 .border = border,
				 .now_ms = clock_wall_ms()};
	struct store_alias *groups = NULL;
	struct pending *p;
	int rc;

	(void)result;
	if (!zone_known(zone)) {
		rpc_error_set(err, RPC_INVALID_PARAMS, "params.zone: there is no time zone %s",
			      zone);
		return RPC_ANSWER_ERROR;
	}
	r.borders = zone_borders(
		zone ? zone : zone_of(api->c, own, sizeof(own)), (enum zone_unit)unit,
		(uint64_t)rpc_param_int(call->params, "from_ms", 0),
		(uint64_t)rpc_param_int(call->params, "to_ms", 0), border, STORE_BORDERS_MAX);
	if (r.borders == 0) {
		rpc_error_set(err, RPC_INVALID_PARAMS,
			      "params: to_ms must be after from_ms, and there may be %d intervals "
			      "at most; ask for longer ones",
			      STORE_BORDERS_MAX - 1);
		return RPC_ANSWER_ERROR;
	}
	if (what == REPORT_NOTES && r.key == NULL) {
		rpc_error_set(err, RPC_INVALID_PARAMS,
			      "params.key: which notes? Name the key under which flows keep them");
		return RPC_ANSWER_ERROR;
	}
	if (what == REPORT_NOTES)
		r.notes = STORE_NOTES + word_of(rpc_param_text(call->params, "by", "call"), by, 3);
	if (what == REPORT_GROUPS) {
		groups = groups_of(api->c->config);
		r.alias = groups;
		r.aliases = api->c->config->n_agents;
	}
	p = api_later(call,
		      json_pack("{s:s,s:s}", "of", report_names[what], "interval", units[unit]));
	if (p != NULL) {
		p->targets = reports[what].targets;
		snprintf(p->rank, sizeof(p->rank), "%s", rpc_param_text(call->params, "rank", ""));
		p->lowest_first = rpc_param_bool(call->params, "lowest_first", false);
	}
	rc = p != NULL && api->c->store != NULL && (what != REPORT_GROUPS || groups != NULL)
		     ? store_report(api->c->store, &r, api_stored, p)
		     : -ENOBUFS;
	free(groups);
	if (rc == 0)
		return RPC_ANSWER_LATER;
	api_forget(p);
	return api_busy(err);
}

/* --- lists --------------------------------------------------------------------------------- */

static enum rpc_answer ask(const struct rpc_call *call, enum store_question what,
			   struct rpc_error *err)
{
	struct api *api = call->owner;
	const json_t *q = call->params;
	struct store_filter f = {
		.agent = rpc_param_text(q, "agent", NULL),
		.queue = rpc_param_text(q, "queue", NULL),
		.after = rpc_param_text(q, "after", NULL),
		.from_ms = (uint64_t)rpc_param_int(q, "from_ms", 0),
		.to_ms = (uint64_t)rpc_param_int(q, "to_ms", 0),
		.limit = (uint32_t)rpc_param_int(q, "limit", 0),
	};
	struct pending *p = api_later(call, NULL);

	if (p != NULL && api->c->store != NULL &&
	    store_ask(api->c->store, what, &f, api_stored, p) == 0)
		return RPC_ANSWER_LATER;
	api_forget(p);
	return api_busy(err);
}

enum rpc_answer api_agent_log(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	(void)result;
	return ask(call, STORE_ASK_AGENT_LOG, err);
}

enum rpc_answer api_agent_conduct(const struct rpc_call *call, json_t **result,
				  struct rpc_error *err)
{
	(void)result;
	return ask(call, STORE_ASK_FINDINGS, err);
}

enum rpc_answer api_overlong(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	(void)result;
	return ask(call, STORE_ASK_OVERLONG, err);
}

enum rpc_answer api_alarms(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;

	(void)err;
	*result = json_pack("{s:o,s:o}", "alarms", api_alarm_rows(api->c), "overlong",
			    watch_overlong(api->c));
	return RPC_ANSWER_RESULT;
}

/* --- the database -------------------------------------------------------------------------- */

enum rpc_answer api_backup(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	const char *file = rpc_param_text(call->params, "file", "");
	struct pending *p;

	(void)result;
	if (file[0] != '/') {
		rpc_error_set(err, RPC_INVALID_PARAMS, "params.file: must begin with /");
		return RPC_ANSWER_ERROR;
	}
	p = api_later(call, NULL);
	if (p != NULL && api->c->store != NULL &&
	    store_backup(api->c->store, file, api_stored, p) == 0)
		return RPC_ANSWER_LATER;
	api_forget(p);
	return api_busy(err);
}
