/* SPDX-License-Identifier: Apache-2.0
 *
 * From raw rows to interval tables. One interval is read, added up and written with the new mark in one
 * transaction on the writer's connection, so no row can come between what was read and what is
 * said to be computed.
 *
 * Which calls may touch an interval: those that run, and those that ended after its begin or so shortly
 * before that somebody may still be in wrap-up of them.
 */
#include "store/store_priv.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"

enum { WRAP_UP_MAX_MS = 2 * 3600000 };
#define OLDEST_MS                                                                                  \
	(UINT64_C(31) * 86400000) /* a database without tables begins so far back at most */

/* clang-format off */
static const char calls_sql[] =
	"SELECT call, kind, flow, ended_ms FROM calls INDEXED BY calls_ended WHERE ended_ms >= ?1 AND started_ms < ?2"
	" UNION ALL SELECT call, kind, flow, ended_ms FROM calls WHERE ended_ms IS NULL AND started_ms < ?2";
static const char steps_sql[] = "SELECT at_ms, step, detail FROM call_steps WHERE call = ?1 ORDER BY rowid";
/* Skips from agent to agent along the index. */
static const char agents_sql[] =
	"WITH RECURSIVE a(agent) AS (SELECT min(agent) FROM agent_states UNION ALL"
	" SELECT (SELECT min(agent) FROM agent_states s WHERE s.agent > a.agent) FROM a WHERE a.agent IS NOT NULL)"
	" SELECT agent FROM a WHERE agent IS NOT NULL";
static const char before_sql[] =
	"SELECT state, reason FROM agent_states WHERE agent = ?1 AND at_ms < ?2 ORDER BY at_ms DESC, rowid DESC LIMIT 1";
static const char within_sql[] =
	"SELECT at_ms, state, reason FROM agent_states WHERE agent = ?1 AND at_ms >= ?2 AND at_ms < ?3 ORDER BY at_ms, rowid";

static const char *const tables[TALLY_KINDS] = {
	[TALLY_QUEUE] = "interval_queues", [TALLY_AGENT] = "interval_agents",
	[TALLY_REASON] = "interval_reasons", [TALLY_FLOW] = "interval_flows",
};
/* clang-format on */

static const char *text(sqlite3_stmt *st, int column)
{
	const char *s = (const char *)sqlite3_column_text(st, column);

	return s ? s : "";
}

static int prepare(sqlite3 *db, const char *sql, sqlite3_stmt **st)
{
	return sqlite3_prepare_v2(db, sql, -1, st, NULL);
}

static int fold_call(struct tally *t, sqlite3_stmt *call, sqlite3_stmt *steps, uint64_t now_ms)
{
	struct tally_call c;
	int rc;

	tally_call_begin(&c, t, strcmp(text(call, 1), call_kind_name(CALL_CALLBACK)) == 0);
	sqlite3_bind_text(steps, 1, text(call, 0), -1, SQLITE_TRANSIENT);
	while ((rc = sqlite3_step(steps)) == SQLITE_ROW)
		tally_call_step(&c, call_step_find(text(steps, 1)), text(steps, 2),
				(uint64_t)sqlite3_column_int64(steps, 0));
	sqlite3_reset(steps);
	/* A call whose daemon died has an end but no step that says so. */
	if (!c.ended && sqlite3_column_type(call, 3) != SQLITE_NULL)
		tally_call_step(&c, CALL_STEP_HANGUP, "system: failed",
				(uint64_t)sqlite3_column_int64(call, 3));
	tally_call_end(&c, text(call, 2), now_ms);
	return rc;
}

static int fold_calls(sqlite3 *db, struct tally *t, uint64_t now_ms)
{
	sqlite3_stmt *calls = NULL, *steps = NULL;
	uint64_t ended_ms = t->from_ms > WRAP_UP_MAX_MS ? t->from_ms - WRAP_UP_MAX_MS : 0;
	int rc = prepare(db, calls_sql, &calls);

	if (rc == SQLITE_OK)
		rc = prepare(db, steps_sql, &steps);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(calls, 1, (int64_t)ended_ms);
		sqlite3_bind_int64(calls, 2, (int64_t)t->to_ms);
		do {
			rc = sqlite3_step(calls);
			if (rc == SQLITE_ROW && fold_call(t, calls, steps, now_ms) != SQLITE_DONE)
				rc = sqlite3_errcode(db);
		} while (rc == SQLITE_ROW);
	}
	sqlite3_finalize(steps);
	sqlite3_finalize(calls);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

struct seen {
	char state[24], reason[CALL_RECORD_NAME_MAX];
	uint64_t since_ms;
};

static void see(struct seen *s, sqlite3_stmt *st, int column, uint64_t since_ms)
{
	snprintf(s->state, sizeof(s->state), "%s", text(st, column));
	snprintf(s->reason, sizeof(s->reason), "%s", text(st, column + 1));
	s->since_ms = since_ms;
}

static int fold_agent(struct tally *t, const char *agent, sqlite3_stmt *before,
		      sqlite3_stmt *within, uint64_t now_ms)
{
	struct seen now = {.state = "signed_out"};
	int rc;

	sqlite3_bind_text(before, 1, agent, -1, SQLITE_STATIC);
	sqlite3_bind_int64(before, 2, (int64_t)t->from_ms);
	rc = sqlite3_step(before);
	if (rc == SQLITE_ROW)
		see(&now, before, 0, t->from_ms);
	sqlite3_reset(before);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return rc;
	sqlite3_bind_text(within, 1, agent, -1, SQLITE_STATIC);
	sqlite3_bind_int64(within, 2, (int64_t)t->from_ms);
	sqlite3_bind_int64(within, 3, (int64_t)t->to_ms);
	while ((rc = sqlite3_step(within)) == SQLITE_ROW) {
		uint64_t at_ms = (uint64_t)sqlite3_column_int64(within, 0);

		tally_agent_state(t, agent, now.state, now.reason, now.since_ms, at_ms);
		tally_agent_change(t, agent, now.state, text(within, 1), at_ms);
		see(&now, within, 1, at_ms);
	}
	tally_agent_state(t, agent, now.state, now.reason, now.since_ms, now_ms);
	sqlite3_reset(within);
	return rc;
}

static int fold_agents(sqlite3 *db, struct tally *t, uint64_t now_ms)
{
	sqlite3_stmt *agents = NULL, *before = NULL, *within = NULL;
	int rc = prepare(db, agents_sql, &agents);

	if (rc == SQLITE_OK)
		rc = prepare(db, before_sql, &before);
	if (rc == SQLITE_OK)
		rc = prepare(db, within_sql, &within);
	if (rc == SQLITE_OK) {
		do {
			rc = sqlite3_step(agents);
			if (rc == SQLITE_ROW &&
			    fold_agent(t, text(agents, 0), before, within, now_ms) != SQLITE_DONE)
				rc = sqlite3_errcode(db);
		} while (rc == SQLITE_ROW);
	}
	sqlite3_finalize(within);
	sqlite3_finalize(before);
	sqlite3_finalize(agents);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int store_tabulate_fold(sqlite3 *db, struct tally *t, uint64_t now_ms)
{
	int rc = fold_calls(db, t, now_ms);

	return rc == SQLITE_OK ? fold_agents(db, t, now_ms) : rc;
}

static int64_t one_number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t n = 0;

	if (prepare(db, sql, &st) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

uint64_t store_tabulate_mark(sqlite3 *db)
{
	return (uint64_t)one_number(db, "SELECT until_ms FROM interval_mark");
}

uint64_t store_tabulate_highest(sqlite3 *db)
{
	return (uint64_t)one_number(db, "SELECT highest_ms FROM interval_mark");
}

uint64_t store_tabulate_first(sqlite3 *db, uint64_t to_ms)
{
	uint64_t oldest_ms = to_ms > OLDEST_MS ? to_ms - OLDEST_MS : 0;
	int64_t steps_ms = one_number(db, "SELECT min(at_ms) FROM call_steps");
	int64_t states_ms = one_number(db, "SELECT min(at_ms) FROM agent_states");
	int64_t at_ms =
		steps_ms == 0 || (states_ms != 0 && states_ms < steps_ms) ? states_ms : steps_ms;

	if (at_ms <= 0)
		return 0;
	return tally_start((uint64_t)at_ms > oldest_ms ? (uint64_t)at_ms : oldest_ms);
}

static int write_row(sqlite3 *db, uint64_t start_ms, const struct tally_row *r)
{
	static const char *const keys[TALLY_KINDS] = {"queue", "agent", "agent,reason", "flow"};
	char names[400] = "", values[400] = "", sql[1000];
	size_t n = 0, v = 0;
	sqlite3_stmt *st = NULL;
	int rc;

	for (unsigned i = 0; i < tally_columns(r->kind); i++) {
		n += (size_t)snprintf(names + n, sizeof(names) - n, ",%s",
				      tally_column_name(r->kind, i));
		v += (size_t)snprintf(values + v, sizeof(values) - v, ",%llu",
				      (unsigned long long)r->n[i]);
		must(n < sizeof(names) && v < sizeof(values));
	}
	snprintf(sql, sizeof(sql), "INSERT INTO %s(start_ms,%s%s) VALUES(?1,?2%s%s)",
		 tables[r->kind], keys[r->kind], names, r->kind == TALLY_REASON ? ",?3" : "",
		 values);
	rc = prepare(db, sql, &st);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, (int64_t)start_ms);
		sqlite3_bind_text(st, 2, r->key, -1, SQLITE_STATIC);
		if (r->kind == TALLY_REASON)
			sqlite3_bind_text(st, 3, r->sub, -1, SQLITE_STATIC);
		rc = sqlite3_step(st);
	}
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int run(sqlite3 *db, const char *sql, uint64_t ms)
{
	sqlite3_stmt *st = NULL;
	int rc = prepare(db, sql, &st);

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, (int64_t)ms);
		rc = sqlite3_step(st);
	}
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Everything from the interval on is replaced: after a late row the later ones are wrong, too. */
static int replace(sqlite3 *db, const struct tally *t)
{
	char sql[80];
	int rc = SQLITE_OK;

	for (unsigned k = 0; rc == SQLITE_OK && k < TALLY_KINDS; k++) {
		snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE start_ms >= ?1", tables[k]);
		rc = run(db, sql, t->from_ms);
	}
	for (size_t i = 0; rc == SQLITE_OK && i < t->n_rows; i++)
		rc = write_row(db, t->from_ms, &t->rows[i]);
	if (rc == SQLITE_OK)
		rc = run(db,
			 "INSERT INTO interval_mark(one, until_ms, highest_ms) VALUES(1, ?1, ?1)"
			 " ON CONFLICT(one) DO UPDATE SET until_ms = ?1, highest_ms = "
			 "max(highest_ms, ?1)",
			 t->to_ms);
	return rc;
}

int store_tabulate_step(sqlite3 *db, uint64_t to_ms, const struct tally_limits *limits,
			size_t n_limits, uint64_t *reached_ms)
{
	int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	struct tally t;
	uint64_t from_ms;

	if (rc != SQLITE_OK)
		return rc;
	from_ms = store_tabulate_mark(db);
	if (from_ms == 0)
		from_ms = store_tabulate_first(db, to_ms);
	*reached_ms = from_ms;
	if (from_ms == 0 || from_ms + TALLY_INTERVAL_MS > to_ms) {
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
		return SQLITE_DONE;
	}
	tally_begin(&t, from_ms, from_ms + TALLY_INTERVAL_MS, limits, n_limits);
	rc = store_tabulate_fold(db, &t, t.to_ms);
	if (rc == SQLITE_OK)
		rc = replace(db, &t);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	else
		*reached_ms = t.to_ms;
	tally_end(&t);
	return rc == SQLITE_OK ? SQLITE_ROW : rc;
}
