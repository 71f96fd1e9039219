/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader thread: one question at a time, on a connection that cannot write. Two bounds keep an
 * odd question from holding the thread: LIMIT on the rows and a count of SQLite's steps.
 *
 * Every query is one fixed text; a filter that was not given binds NULL and its condition is then
 * true, so no text is ever put together from outside.
 */
#include "store/store_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"

/* clang-format off */
#define CALL_COLUMNS \
	"call,kind,CASE WHEN ended_ms IS NULL THEN 'running' ELSE 'ended' END AS state,from_number AS \"from\",to_number AS \"to\",started_ms,answered_ms,ended_ms," \
	"max(0, ended_ms-started_ms) AS duration_ms,queue,agent,agents AS \"agents:json\"," \
	"nullif(flow,'') AS flow,path AS \"path:words\",wait_ms,talk_ms,hold_ms,wrap_up_ms,(cause='abandoned') AS \"abandoned:bool\",hung_up_by," \
	"cause,cause_text,q850,recording,lost_share,jitter_ms,rtt_ms,mos,nullif(not_recorded,'') AS not_recorded"

static const char cdr_sql[] =
	"SELECT " CALL_COLUMNS " FROM calls WHERE ended_ms IS NOT NULL"
	" AND (?1 IS NULL OR call LIKE '%' || ?1)"
	" AND (?2 IS NULL OR agent = ?2 OR instr(agents, '\"' || ?2 || '\"'))"
	" AND (?3 IS NULL OR queue = ?3)"
	" AND (?4 IS NULL OR from_number = ?4 OR to_number = ?4)"
	" AND (?5 IS NULL OR started_ms >= ?5) AND (?6 IS NULL OR started_ms < ?6)"
	" AND (?7 IS NULL OR call < ?7) AND (?8 IS NULL OR kind = ?8) AND ?9 = 0"
	" ORDER BY call DESC LIMIT ?10";

static const char recordings_sql[] =
	"SELECT recording,call,kind,started_ms,CASE WHEN ended_ms IS NULL THEN NULL ELSE max(0, ended_ms-started_ms) END AS duration_ms,"
	"agent,queue,from_number AS \"from\",to_number AS \"to\",complete AS \"complete:bool\","
	"accepted,written,lost,lost_reason,account AS \"account:json\",heard AS \"heard:bool\" FROM recordings WHERE"
	" (?1 IS NULL OR call LIKE '%' || ?1)"
	" AND (?2 IS NULL OR agent = ?2) AND (?3 IS NULL OR queue = ?3)"
	" AND (?4 IS NULL OR from_number = ?4 OR to_number = ?4)"
	" AND (?5 IS NULL OR started_ms >= ?5) AND (?6 IS NULL OR started_ms < ?6)"
	" AND (?7 IS NULL OR recording < ?7) AND (?8 IS NULL OR kind = ?8) AND (?9 = 0 OR heard = 0)"
	" ORDER BY recording DESC LIMIT ?10";

static const char call_sql[] =
	"SELECT " CALL_COLUMNS " FROM calls WHERE call = ?1 OR (length(?1) >= 4 AND call LIKE '%' || ?1)"
	" ORDER BY call DESC LIMIT 2";
static const char legs_sql[] =
	"SELECT leg,leg AS engine_leg,role,party,'ended' AS state,codec,remote,sip_call_id,started_ms,answered_ms,ended_ms,"
	"nullif(ended_by,'') AS ended_by,sip_status,q850,nullif(ended_text,'') AS ended_text,held_ms,stats AS \"stats:json\" FROM call_legs WHERE call = ?1 ORDER BY started_ms, leg LIMIT 64";
static const char steps_sql[] =
	"SELECT at_ms,step,detail FROM call_steps WHERE call = ?1 ORDER BY at_ms, rowid LIMIT 300";
static const char call_recordings_sql[] =
	"SELECT recording FROM recordings WHERE call = ?1 ORDER BY started_ms LIMIT 32";
static const char callbacks_sql[] =
	"SELECT call,queue,number,from_number AS \"from\",priority,tries,promised_ms,due_ms FROM callbacks"
	" WHERE state = 'waiting' ORDER BY promised_ms LIMIT 10000";
static const char notes_sql[] =
	"SELECT at_ms,key,value FROM call_notes WHERE call = ?1 ORDER BY at_ms, rowid LIMIT 100";
/* Of each caller who did not withhold its number the newest call; the newest 32,768 calls are looked at. */
static const char regulars_sql[] =
	"SELECT from_number AS \"from\", agent, max(coalesce(answered_ms, started_ms)) AS at_ms FROM ("
	"SELECT call, from_number, agent, queue, answered_ms, started_ms FROM calls WHERE started_ms >= ?1"
	" ORDER BY started_ms DESC LIMIT 32768) c"
	" WHERE agent <> '' AND queue <> '' AND from_number <> ''"
	" AND NOT EXISTS (SELECT 1 FROM call_notes n WHERE n.call = c.call AND n.key = 'caller' AND n.value = 'withheld')"
	" GROUP BY from_number ORDER BY at_ms DESC LIMIT 16384";
/* clang-format on */

/* A state that began up to a day before and lasts into the interval counts with what lies in it; the last
 * one of an agent is taken to last. */
static const char away_sql[] =
	"SELECT agent, reason, sum(until_ms - max(at_ms, ?1)) AS used_ms FROM ("
	"SELECT agent, state, coalesce(reason,'') AS reason, at_ms,"
	" lead(at_ms, 1, ?2) OVER (PARTITION BY agent ORDER BY at_ms, rowid) AS until_ms"
	" FROM agent_states WHERE at_ms >= ?1 - 86400000 AND at_ms < ?2)"
	" WHERE state = 'not_ready' AND until_ms > ?1 GROUP BY agent, reason";

static const char agent_log_sql[] =
	"SELECT agent,state,nullif(reason,'') AS reason,at_ms AS from_ms,"
	"(SELECT n.at_ms FROM agent_states n WHERE n.agent=s.agent AND n.at_ms>=s.at_ms AND "
	"(n.at_ms>s.at_ms OR n.rowid>s.rowid)"
	" ORDER BY n.at_ms,n.rowid LIMIT 1) AS until_ms,call,CAST(rowid AS TEXT) AS id FROM "
	"agent_states s WHERE agent=?2"
	" AND (?5 IS NULL OR at_ms >= ?5) AND (?6 IS NULL OR at_ms < ?6) AND (?7 IS NULL OR rowid "
	"< CAST(?7 AS INTEGER))"
	" ORDER BY at_ms DESC,rowid DESC LIMIT ?10";
static const char findings_sql[] =
	"SELECT agent,at_ms,rule,call,count,lasted_ms,evidence,CAST(rowid AS TEXT) AS id FROM "
	"findings"
	" WHERE (?2 IS NULL OR agent=?2) AND (?5 IS NULL OR at_ms >= ?5) AND (?6 IS NULL OR at_ms "
	"< ?6)"
	" AND (?7 IS NULL OR rowid < CAST(?7 AS INTEGER)) ORDER BY rowid DESC LIMIT ?10";
static const char overlong_sql[] =
	"SELECT o.call,o.agent,o.what,o.began_ms,nullif(o.queue,'') AS "
	"queue,o.level,o.limit_ms,o.lasted_ms,o.told AS \"told:json\",c.from_number AS \"from\","
	"(SELECT recording FROM recordings r WHERE r.call=o.call ORDER "
	"BY r.started_ms LIMIT 1) AS recording"
	" FROM overlong o LEFT JOIN calls c ON c.call=o.call WHERE (?2 "
	"IS NULL OR o.agent=?2) AND (?3 IS NULL OR o.queue=?3)"
	" AND (?5 IS NULL OR o.began_ms >= ?5) AND (?6 IS NULL OR "
	"o.began_ms < ?6) AND (?7 IS NULL OR o.call < ?7)"
	" ORDER BY o.call DESC LIMIT ?10";

static json_t *words(const char *text)
{
	json_t *list = json_array();

	while (*text != '\0') {
		size_t n = strcspn(text, " ");

		if (n > 0)
			json_array_append_new(list, json_stringn_nocheck(text, n));
		text += n + (text[n] == ' ');
	}
	return list;
}

static json_t *text_value(const char *text, const char *as)
{
	json_t *v = NULL;

	if (as != NULL && strcmp(as, ":json") == 0)
		v = json_loads(text, JSON_DECODE_ANY, NULL);
	else if (as != NULL && strcmp(as, ":words") == 0)
		v = words(text);
	else
		v = json_string(text); /* NULL when the text is not UTF-8 */
	return v ? v : json_null();
}

/* One row as an object; a column's name may carry how it is to be shown. */
static json_t *row_object(sqlite3_stmt *st)
{
	json_t *row = json_object();

	for (int i = 0; i < sqlite3_column_count(st); i++) {
		const char *full = sqlite3_column_name(st, i);
		const char *as = strchr(full, ':');
		char name[40];
		json_t *v;

		snprintf(name, sizeof(name), "%.*s", (int)(as ? as - full : (long)strlen(full)),
			 full);
		switch (sqlite3_column_type(st, i)) {
		case SQLITE_INTEGER:
			v = as && strcmp(as, ":bool") == 0
				    ? json_boolean(sqlite3_column_int(st, i))
				    : json_integer(sqlite3_column_int64(st, i));
			break;
		case SQLITE_FLOAT:
			v = json_real(sqlite3_column_double(st, i));
			break;
		case SQLITE_TEXT:
			v = text_value((const char *)sqlite3_column_text(st, i), as);
			break;
		default:
			v = json_null();
			break;
		}
		json_object_set_new(row, name, v);
	}
	return row;
}

static void bind_text(sqlite3_stmt *st, int at, const char *s)
{
	if (s != NULL && s[0] != '\0')
		sqlite3_bind_text(st, at, s, -1, SQLITE_STATIC);
}

static void bind_ms(sqlite3_stmt *st, int at, uint64_t ms)
{
	if (ms != 0 && ms <= INT64_MAX)
		sqlite3_bind_int64(st, at, (int64_t)ms);
}

static void failed(struct store *store, struct question *q)
{
	snprintf(q->error, sizeof(q->error), "%s", sqlite3_errmsg(store->read_db));
}

json_t *store_rows(sqlite3 *db, struct question *q, sqlite3_stmt *st)
{
	json_t *list = json_array();
	int rc;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		json_array_append_new(list, row_object(st));
	if (rc == SQLITE_DONE)
		return list;
	snprintf(q->error, sizeof(q->error), "%s", sqlite3_errmsg(db));
	json_decref(list);
	return NULL;
}

/* Their first column alone. */
static json_t *texts_of(struct store *store, struct question *q, sqlite3_stmt *st)
{
	json_t *list = json_array();
	int rc;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		json_array_append_new(list,
				      text_value((const char *)sqlite3_column_text(st, 0), NULL));
	if (rc == SQLITE_DONE)
		return list;
	failed(store, q);
	json_decref(list);
	return NULL;
}

static json_t *page(struct store *store, struct question *q, const char *sql, const char *name,
		    const char *id)
{
	const struct store_filter *f = &q->filter;
	uint32_t limit = f->limit == 0 ? 50 : f->limit;
	sqlite3_stmt *st = NULL;

	if (limit > STORE_LIMIT_MAX)
		limit = STORE_LIMIT_MAX;
	if (sqlite3_prepare_v2(store->read_db, sql, -1, &st, NULL) != SQLITE_OK) {
		failed(store, q);
		return NULL;
	}
	bind_text(st, 1, f->call);
	bind_text(st, 2, f->agent);
	bind_text(st, 3, f->queue);
	bind_text(st, 4, f->number);
	bind_ms(st, 5, f->from_ms);
	bind_ms(st, 6, f->to_ms);
	bind_text(st, 7, f->after);
	bind_text(st, 8, f->kind);
	sqlite3_bind_int(st, 9, f->unheard);
	sqlite3_bind_int(st, 10, (int)limit + 1);

	json_t *list = store_rows(store->read_db, q, st);

	sqlite3_finalize(st);
	if (list == NULL)
		return NULL;

	bool more = json_array_size(list) > limit;
	json_t *next = NULL;

	if (more) {
		json_array_remove(list, limit);
		next = json_incref(json_object_get(json_array_get(list, limit - 1), id));
	}
	json_t *result = json_object();

	json_object_set_new(result, name, list);
	json_object_set_new(result, "more", json_boolean(more));
	json_object_set_new(result, "next", next ? next : json_null());
	return result;
}

/* Rows that belong to `call` by one of the small queries. */
static json_t *part(struct store *store, struct question *q, const char *sql, const char *call,
		    bool plain)
{
	sqlite3_stmt *st = NULL;
	json_t *list = NULL;

	if (sqlite3_prepare_v2(store->read_db, sql, -1, &st, NULL) != SQLITE_OK) {
		failed(store, q);
		return NULL;
	}
	bind_text(st, 1, call);
	list = plain ? texts_of(store, q, st) : store_rows(store->read_db, q, st);
	sqlite3_finalize(st);
	return list;
}

/* All rows, of a time where the query has one; `name` is what they are called in the answer. */
static json_t *of_time(struct store *store, struct question *q, const char *sql, const char *name)
{
	sqlite3_stmt *st = NULL;
	json_t *list;

	if (sqlite3_prepare_v2(store->read_db, sql, -1, &st, NULL) != SQLITE_OK) {
		failed(store, q);
		return NULL;
	}
	if (sqlite3_bind_parameter_count(st) > 0)
		bind_ms(st, 1, q->filter.from_ms);
	if (sqlite3_bind_parameter_count(st) > 1)
		bind_ms(st, 2, q->filter.to_ms);
	list = store_rows(store->read_db, q, st);
	sqlite3_finalize(st);
	return list != NULL ? json_pack("{s:o}", name, list) : NULL;
}

static json_t *whole_call(struct store *store, struct question *q)
{
	json_t *found = part(store, q, call_sql, q->filter.call, false);

	if (found == NULL)
		return NULL;
	if (json_array_size(found) != 1) {
		bool several = json_array_size(found) > 1;

		json_decref(found);
		if (several)
			snprintf(q->error, sizeof(q->error), "more than one call ends in %s",
				 q->filter.call);
		return several ? NULL : json_null();
	}
	json_t *call = json_incref(json_array_get(found, 0));
	const char *id = json_string_value(json_object_get(call, "call"));
	json_t *legs = part(store, q, legs_sql, id, false);
	json_t *steps = part(store, q, steps_sql, id, false);
	json_t *recordings = part(store, q, call_recordings_sql, id, true);

	json_t *notes = part(store, q, notes_sql, id, false);

	json_decref(found);
	json_object_set_new(call, "notes", notes ? notes : json_array());
	json_object_set_new(call, "legs", legs ? legs : json_array());
	json_object_set_new(call, "steps", steps ? steps : json_array());
	json_object_set_new(call, "recordings", recordings ? recordings : json_array());
	return call;
}

static int too_long(void *arg)
{
	(void)arg;
	return 1;
}

static json_t *report(struct store *store, struct question *q)
{
	struct tally_limits *limits = NULL;
	json_t *rows;
	size_t n;

	pthread_mutex_lock(&store->lock);
	n = store->chores.n_limits;
	if (n > 0)
		limits = malloc(n * sizeof(*limits));
	if (limits != NULL)
		memcpy(limits, store->chores.limits, n * sizeof(*limits));
	pthread_mutex_unlock(&store->lock);
	/* Sums over months, and of few who ask. */
	sqlite3_progress_handler(store->read_db, 20 * STORE_READ_STEPS_MAX, too_long, NULL);
	rows = q->report.notes != STORE_NO_NOTES
		       ? store_report_notes(store->read_db, q)
		       : store_report_answer(store->read_db, q, limits, limits ? n : 0);
	free(limits);
	return rows;
}

static void answer(struct store *store, struct question *q)
{
	sqlite3_progress_handler(store->read_db, STORE_READ_STEPS_MAX, too_long, NULL);
	switch (q->kind) {
	case STORE_ASK_CDR:
		q->result = page(store, q, cdr_sql, "records", "call");
		break;
	case STORE_ASK_RECORDINGS:
		q->result = page(store, q, recordings_sql, "recordings", "recording");
		break;
	case STORE_ASK_CALLBACKS:
		q->result = of_time(store, q, callbacks_sql, "callbacks");
		break;
	case STORE_ASK_AWAY:
		q->result = of_time(store, q, away_sql, "away");
		break;
	case STORE_ASK_REGULARS:
		q->result = of_time(store, q, regulars_sql, "regulars");
		break;
	case STORE_ASK_CALL:
		q->result = whole_call(store, q);
		break;
	case STORE_ASK_AGENT_LOG:
		q->result = page(store, q, agent_log_sql, "states", "id");
		break;
	case STORE_ASK_FINDINGS:
		q->result = page(store, q, findings_sql, "findings", "id");
		break;
	case STORE_ASK_OVERLONG:
		q->result = page(store, q, overlong_sql, "overlong", "call");
		break;
	case STORE_ASK_REPORT:
		q->result = report(store, q);
		break;
	case STORE_ASK_CUSTOMERS:
		q->result = store_customers_answer(store->read_db, q);
		break;
	case STORE_ASK_KNOWLEDGE:
		q->result = store_knowledge_answer(store, q);
		break;
	case STORE_ASK_SEARCHES:
		q->result = store_knowledge_log(store, q);
		break;
	case STORE_ASK_ACTS:
		q->result = store_acts_answer(store->read_db, q);
		break;
	case STORE_DO_BACKUP:
	case STORE_DO_PURGE:
	case STORE_DO_CUSTOMERS:
	case STORE_DO_KNOWLEDGE:
		break; /* the writer's (chores.c) */
	}
}

void *store_reader(void *arg)
{
	struct store *store = arg;

	pthread_mutex_lock(&store->lock);
	for (;;) {
		while (store->questions == NULL && !store->stop_reader)
			pthread_cond_wait(&store->questions_wait, &store->lock);
		if (store->stop_reader)
			break;

		struct question *q = store->questions;

		store->questions = q->next;
		if (store->questions == NULL)
			store->questions_tail = &store->questions;
		q->next = NULL;
		pthread_mutex_unlock(&store->lock);
		answer(store, q);
		pthread_mutex_lock(&store->lock);
		*store->answers_tail = q;
		store->answers_tail = &q->next;
		if (eventfd_write(store->event_fd, 1) != 0)
			log_warn("store", "eventfd: %s", strerror(errno));
	}
	pthread_mutex_unlock(&store->lock);
	return NULL;
}
