/* SPDX-License-Identifier: Apache-2.0
 *
 * Deleting what is older than it is kept, table by table, a few rows at a time. Raw rows that the interval
 * tables have not been made of stay, whatever their age.
 */
#include "store/store_priv.h"

#include <string.h>

#define DAY_MS UINT64_C(86400000)

/* ?1 is the time before which rows go, ?2 how many at once. Several statements of one entry are one transaction; the
 * last one's count says whether there may be more. */
/* clang-format off */
#define OLD_CALLS "(SELECT call FROM calls INDEXED BY calls_ended WHERE ended_ms < ?1 ORDER BY ended_ms LIMIT ?2)"

#define DELETE_calls { \
	"DELETE FROM call_legs WHERE call IN " OLD_CALLS, \
	"DELETE FROM call_notes WHERE call IN " OLD_CALLS, \
	"DELETE FROM calls WHERE call IN " OLD_CALLS }
#define DELETE_steps { \
	"DELETE FROM call_steps WHERE rowid IN (SELECT rowid FROM call_steps WHERE at_ms < ?1" \
	" AND NOT EXISTS (SELECT 1 FROM calls c WHERE c.call = call_steps.call AND c.ended_ms IS NULL) LIMIT ?2)" }
#define DELETE_agent_states { \
	"DELETE FROM agent_states WHERE rowid IN (SELECT rowid FROM agent_states s WHERE at_ms < ?1 AND EXISTS" \
	" (SELECT 1 FROM agent_states n WHERE n.agent = s.agent AND n.at_ms < ?1" \
	"  AND (n.at_ms > s.at_ms OR (n.at_ms = s.at_ms AND n.rowid > s.rowid))) LIMIT ?2)" }
#define DELETE_recordings { \
	"DELETE FROM recordings WHERE recording IN (SELECT recording FROM recordings WHERE started_ms < ?1 AND ended_ms IS NOT NULL LIMIT ?2)" }
#define DELETE_intervals { \
	"DELETE FROM interval_queues WHERE (start_ms, queue) IN (SELECT start_ms, queue FROM interval_queues WHERE start_ms < ?1 LIMIT ?2)", \
	"DELETE FROM interval_flows WHERE (start_ms, flow) IN (SELECT start_ms, flow FROM interval_flows WHERE start_ms < ?1 LIMIT ?2)", \
	"DELETE FROM interval_reasons WHERE (start_ms, agent, reason) IN" \
	" (SELECT start_ms, agent, reason FROM interval_reasons WHERE start_ms < ?1 LIMIT ?2)", \
	"DELETE FROM interval_agents WHERE (start_ms, agent) IN (SELECT start_ms, agent FROM interval_agents WHERE start_ms < ?1 LIMIT ?2)" }
#define DELETE_findings { \
	"DELETE FROM overlong WHERE (call, agent, what, began_ms) IN" \
	" (SELECT call, agent, what, began_ms FROM overlong WHERE began_ms < ?1 LIMIT ?2)", \
	"DELETE FROM findings WHERE rowid IN (SELECT rowid FROM findings WHERE at_ms < ?1 LIMIT ?2)" }
#define DELETE_searches { \
	"DELETE FROM searches WHERE rowid IN (SELECT rowid FROM searches WHERE at_ms < ?1 LIMIT ?2)" }
#define DELETE_acts { \
	"DELETE FROM acts WHERE rowid IN (SELECT rowid FROM acts WHERE at_ms < ?1 LIMIT ?2)" }
#define DELETE_callbacks { \
	"DELETE FROM callbacks WHERE call IN (SELECT call FROM callbacks WHERE promised_ms < ?1 AND state <> 'waiting' LIMIT ?2)" }
/* clang-format on */

enum { STATEMENTS_MAX = 4 };

struct table {
	const char *name;
	const char *sql[STATEMENTS_MAX];
};

#define ROW(n) {#n, DELETE_##n},
static const struct table tables[] = {STORE_KEEP_TABLE(ROW)};
#undef ROW

enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

static uint16_t days_of(const struct store_keep *keep, unsigned table)
{
#define DAYS(n) keep->n##_days,
	const uint16_t days[TABLES] = {STORE_KEEP_TABLE(DAYS)};
#undef DAYS

	return days[table];
}

/* Raw rows: what the interval tables are made of, and may be made of again within a day. */
static bool is_raw(const char *name)
{
	return strcmp(name, "calls") == 0 || strcmp(name, "steps") == 0 ||
	       strcmp(name, "agent_states") == 0;
}

static uint64_t before_ms(sqlite3 *db, const struct store_keep *keep, unsigned table)
{
	uint64_t age_ms = days_of(keep, table) * DAY_MS;
	uint64_t ms = keep->now_ms > age_ms ? keep->now_ms - age_ms : 0;

	if (is_raw(tables[table].name)) {
		uint64_t mark_ms = store_tabulate_highest(db), limit_ms;

		limit_ms = mark_ms > 2 * DAY_MS ? mark_ms - 2 * DAY_MS
						: 0; /* a day late, a day long */
		if (ms > limit_ms)
			ms = limit_ms;
	}
	return ms;
}

static int run(sqlite3 *db, const char *sql, uint64_t ms, int *changed)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, (int64_t)ms);
		sqlite3_bind_int(st, 2, STORE_PURGE_ROWS);
		rc = sqlite3_step(st);
		*changed += sqlite3_changes(db);
	}
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int store_purge_step(sqlite3 *db, const struct store_keep *keep, unsigned *table, json_t *purged)
{
	int rc, changed = 0;
	json_int_t sum;

	while (*table < TABLES && days_of(keep, *table) == 0)
		(*table)++;
	if (*table == TABLES)
		return SQLITE_DONE;

	const struct table *t = &tables[*table];
	uint64_t ms = before_ms(db, keep, *table);

	rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return rc;
	for (unsigned i = 0; rc == SQLITE_OK && i < STATEMENTS_MAX && t->sql[i] != NULL; i++)
		rc = run(db, t->sql[i], ms, &changed);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
		return rc;
	}
	sum = json_integer_value(json_object_get(purged, t->name)) + changed;
	json_object_set_new(purged, t->name, json_integer(sum));
	if (changed == 0)
		(*table)++;
	return SQLITE_ROW;
}
