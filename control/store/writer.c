/* SPDX-License-Identifier: Apache-2.0
 *
 * The writer thread: take all rows that wait (at most a batch), write them in one transaction,
 * commit, repeat. A transaction that fails is rolled back and the same rows are tried again later,
 * in order, so that a full disk delays rows and loses none.
 *
 * Between batches it does its chores (chores.c) in small steps.
 *
 * A single row that the database refuses by constraint would block all behind it for ever; it is
 * dropped alone and counted.
 */
#include "store/store_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/must.h"

/* clang-format off */
static const char *const statements[ROW_KINDS] = {
	[ROW_CALL] =
		"INSERT INTO calls(call,kind,from_number,to_number,queue,agent,agents,path,started_ms,"
		"answered_ms,ended_ms,wait_ms,talk_ms,hold_ms,offers,hung_up_by,cause,cause_text,q850,"
		"recording,lost_share,jitter_ms,rtt_ms,mos,flow,not_recorded)"
		" VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24,?25,?26)"
		" ON CONFLICT(call) DO UPDATE SET kind=?2,from_number=?3,to_number=?4,queue=?5,agent=?6,agents=?7,path=?8,"
		"started_ms=?9,answered_ms=?10,ended_ms=?11,wait_ms=?12,talk_ms=?13,hold_ms=?14,offers=?15,"
		"hung_up_by=?16,cause=?17,cause_text=?18,q850=?19,recording=?20,lost_share=?21,jitter_ms=?22,"
		"rtt_ms=?23,mos=?24,flow=?25,not_recorded=?26",
	[ROW_LEG] =
		"INSERT OR REPLACE INTO call_legs(leg,call,role,party,sip_call_id,started_ms,answered_ms,ended_ms,stats,codec,remote,"
		"ended_by,sip_status,q850,ended_text,held_ms) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)",
	[ROW_STEP] = "INSERT INTO call_steps(call,at_ms,step,detail) VALUES(?1,?2,?3,?4)",
	[ROW_NOTE] = "INSERT INTO call_notes(call,at_ms,key,value) VALUES(?1,?2,?3,?4)",
	[ROW_CALLBACK] =
		"INSERT INTO callbacks(call,queue,number,from_number,priority,tries,promised_ms,state,due_ms)"
		" VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9) ON CONFLICT(call) DO UPDATE SET tries=max(tries,?6),promised_ms=max(promised_ms,?7),state=?8,due_ms=?9",
	[ROW_WRAP_UP] = "UPDATE calls SET wrap_up_ms = wrap_up_ms + ?2 WHERE call = ?1",
	[ROW_AGENT_STATE] =
		"INSERT INTO agent_states(agent,at_ms,state,reason,call) VALUES(?1,?2,?3,?4,?5)",
	[ROW_RECORDING] =
		"INSERT INTO recordings(recording,call,kind,agent,queue,from_number,to_number,started_ms,ended_ms,complete,"
		"accepted,written,lost,lost_reason,account) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)"
		" ON CONFLICT(recording) DO UPDATE SET call=?2,kind=?3,agent=?4,queue=?5,from_number=?6,to_number=?7,"
		"started_ms=?8,ended_ms=?9,complete=?10,accepted=?11,written=?12,lost=?13,lost_reason=?14,account=?15",
	[ROW_ACCOUNT] =
		"UPDATE recordings SET complete=?2,accepted=?3,written=?4,lost=?5,lost_reason=?6,account=?7,"
		"ended_ms=coalesce(ended_ms,?8) WHERE recording=?1",
	[ROW_HEARD] = "UPDATE recordings SET heard = ?2 WHERE recording = ?1",
	[ROW_JOURNAL] =
		"INSERT INTO journal(kind,id,version,at_ms,body) VALUES(?1,?2,?3,?4,?5)"
		" ON CONFLICT(kind,id) DO UPDATE SET version=?3,at_ms=?4,body=?5",
	[ROW_JOURNAL_DROP] = "DELETE FROM journal WHERE kind=?1 AND id=?2",
	[ROW_SEARCH] = "INSERT INTO searches(at_ms,who,text,found,first,took_ms) VALUES(?1,?2,?3,?4,?5,?6)",
	[ROW_ACT] = "INSERT INTO acts(at_ms,who,method,params,result) VALUES(?1,?2,?3,?4,?5)",
	[ROW_FINDING] = "INSERT INTO findings(agent,at_ms,rule,call,count,lasted_ms,evidence) VALUES(?1,?2,?3,?4,?5,?6,?7)",
	[ROW_OVERLONG] =
		"INSERT INTO overlong(call,agent,what,began_ms,queue,level,limit_ms,lasted_ms,told) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)"
		" ON CONFLICT(call,agent,what,began_ms) DO UPDATE SET level=max(level,?6),limit_ms=?7,lasted_ms=?8,"
		"told=(SELECT json_group_array(value) FROM (SELECT value FROM json_each(told) UNION ALL SELECT value FROM json_each(?9)))",
	/* Who was in wrap-up, or signed in, when the daemon died: until its last sign of life. */
	[ROW_ORPHAN_WRAP_UPS] =
		"INSERT INTO call_steps(call,at_ms,step,detail) SELECT w.call,"
		" max(w.at_ms,coalesce((SELECT max(at_ms) FROM call_steps WHERE at_ms < ?1),0),"
		"  coalesce((SELECT max(at_ms) FROM agent_states WHERE at_ms < ?1),0)),'wrap_up_done',w.detail"
		" FROM call_steps w WHERE w.step='wrap_up' AND w.at_ms > ?1-10800000 AND w.at_ms < ?1 AND NOT EXISTS"
		" (SELECT 1 FROM call_steps d WHERE d.call=w.call AND d.step='wrap_up_done' AND d.detail IS w.detail AND d.rowid>w.rowid)"
		" AND NOT EXISTS (SELECT 1 FROM journal j WHERE j.kind='agent' AND j.id=w.detail)",
	[ROW_ORPHAN_AGENTS] =
		"WITH RECURSIVE a(agent) AS (SELECT min(agent) FROM agent_states UNION ALL"
		" SELECT (SELECT min(agent) FROM agent_states s WHERE s.agent > a.agent) FROM a WHERE a.agent IS NOT NULL),"
		" last(agent,at_ms,state) AS (SELECT agent,"
		"  (SELECT at_ms FROM agent_states s WHERE s.agent=a.agent ORDER BY at_ms DESC,rowid DESC LIMIT 1),"
		"  (SELECT state FROM agent_states s WHERE s.agent=a.agent ORDER BY at_ms DESC,rowid DESC LIMIT 1)"
		"  FROM a WHERE agent IS NOT NULL),"
		" alive(at_ms) AS (SELECT max(coalesce((SELECT max(at_ms) FROM call_steps WHERE at_ms < ?1),0),"
		"  coalesce((SELECT max(at_ms) FROM agent_states WHERE at_ms < ?1),0)))"
		" INSERT INTO agent_states(agent,at_ms,state,reason,call)"
		" SELECT agent,max(last.at_ms,alive.at_ms),'signed_out','restart',NULL FROM last,alive"
		" WHERE state <> 'signed_out' AND last.at_ms < ?1"
		" AND NOT EXISTS (SELECT 1 FROM journal j WHERE j.kind='agent' AND j.id=last.agent)",
	[ROW_ORPHAN_CALLS] =
		"UPDATE calls SET hung_up_by='system', cause='failed',"
		" cause_text='the daemon was stopped in mid-call', q850=41,"
		" ended_ms=max(started_ms, coalesce((SELECT max(at_ms) FROM call_steps s WHERE s.call=calls.call), started_ms))"
		" WHERE ended_ms IS NULL AND started_ms < ?1"
		" AND NOT EXISTS (SELECT 1 FROM journal j WHERE j.kind='call' AND j.id=calls.call)",
	[ROW_ORPHAN_RECORDINGS] =
		"UPDATE recordings SET complete=0, lost_reason='the daemon was stopped in mid-call; see the recording store',"
		" ended_ms=coalesce((SELECT ended_ms FROM calls c WHERE c.call=recordings.call), started_ms)"
		" WHERE ended_ms IS NULL AND started_ms < ?1"
		" AND NOT EXISTS (SELECT 1 FROM journal j WHERE j.kind='call' AND j.id=recordings.call)",
};
/* clang-format on */

int store_writer_prepare(struct store *store)
{
	for (int k = 0; k < ROW_KINDS; k++) {
		int rc = sqlite3_prepare_v3(store->write_db, statements[k], -1,
					    SQLITE_PREPARE_PERSISTENT, &store->insert[k], NULL);

		if (rc != SQLITE_OK)
			return rc;
	}
	return SQLITE_OK;
}

static int write_row(struct store *store, const struct row *row)
{
	sqlite3_stmt *st = store->insert[row->kind];
	int rc;

	must((int)row->n == sqlite3_bind_parameter_count(st));
	for (unsigned i = 0; i < row->n; i++) {
		const struct value *v = &row->values[i];
		int at = (int)i + 1;

		switch (v->kind) {
		case VALUE_NULL:
			sqlite3_bind_null(st, at);
			break;
		case VALUE_INT:
			sqlite3_bind_int64(st, at, v->i);
			break;
		case VALUE_REAL:
			sqlite3_bind_double(st, at, v->d);
			break;
		case VALUE_TEXT:
			sqlite3_bind_text(st, at, v->s, -1, SQLITE_STATIC);
			break;
		}
	}
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* Write the rows in one transaction. Returns an SQLite code; `*bad` counts the rows that were
 * refused by themselves. */
static int write_all(struct store *store, const struct row *head, uint32_t *bad)
{
	int rc = sqlite3_exec(store->write_db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	*bad = 0;
	for (const struct row *row = head; rc == SQLITE_OK && row != NULL; row = row->next) {
		rc = write_row(store, row);
		if ((rc & 0xff) == SQLITE_CONSTRAINT || (rc & 0xff) == SQLITE_MISMATCH ||
		    (rc & 0xff) == SQLITE_TOOBIG) {
			log_warn("store", "a row of kind %d was refused: %s", (int)row->kind,
				 sqlite3_errmsg(store->write_db));
			(*bad)++;
			rc = SQLITE_OK;
		}
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(store->write_db, "COMMIT", NULL, NULL, NULL);
	return rc;
}

static enum store_state state_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
		return STORE_OK;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return STORE_LOCKED;
	case SQLITE_FULL:
		return STORE_FULL;
	default:
		return STORE_FAILED;
	}
}

/* Take up to a batch from the head of the queue. Called locked. */
static struct row *take(struct store *store)
{
	struct row *head = store->rows.head, *last = head;
	uint32_t n = 1;

	while (last->next != NULL && n < STORE_BATCH_MAX) {
		last = last->next;
		n++;
	}
	store->rows.head = last->next;
	if (store->rows.head == NULL)
		store->rows.tail = &store->rows.head;
	last->next = NULL;
	store->rows.count -= n;
	store->writing = n;
	return head;
}

static void free_rows(struct row *head)
{
	while (head != NULL) {
		struct row *next = head->next;

		free(head);
		head = next;
	}
}

/* Say a change of state once. Called locked. */
static void set_state(struct store *store, int rc)
{
	enum store_state now = state_of(rc);

	if (now != STORE_OK)
		snprintf(store->text, sizeof(store->text), "%s", sqlite3_errmsg(store->write_db));
	else
		store->text[0] = '\0';
	if (now == store->state)
		return;
	if (now == STORE_OK)
		log_info("store", "%s is written again, %u rows wait", store->file,
			 store->rows.count);
	else
		log_error("store",
			  "%s cannot be written (%s): %s; calls go on, %u rows wait, trying again "
			  "every %d ms",
			  store->file, store_state_name(now), store->text,
			  store->rows.count + store->writing, STORE_RETRY_MS);
	store->state = now;
}

static bool given_up(const struct store *store)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return store->stop_writer &&
	       (now.tv_sec > store->give_up.tv_sec ||
		(now.tv_sec == store->give_up.tv_sec && now.tv_nsec >= store->give_up.tv_nsec));
}

/* Wait for a second or until told to stop. Called locked. */
static void pause_retry(struct store *store)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += STORE_RETRY_MS / 1000;
	if (store->stop_writer && (until.tv_sec > store->give_up.tv_sec))
		until = store->give_up;
	bool was_stopping = store->stop_writer;

	while (store->stop_writer == was_stopping)
		if (pthread_cond_timedwait(&store->rows_wait, &store->lock, &until) == ETIMEDOUT)
			return;
}

void *store_writer(void *arg)
{
	struct store *store = arg;

	pthread_mutex_lock(&store->lock);
	for (;;) {
		while (store->rows.head == NULL && !store->stop_writer && !store_chores_wait(store))
			store_chores_sleep(store);
		if (store_chores_wait(store)) {
			pthread_mutex_unlock(&store->lock);
			store_chores_step(store);
			pthread_mutex_lock(&store->lock);
		}
		if (store->rows.head == NULL) {
			if (store->stop_writer)
				break;
			continue;
		}

		struct row *head = take(store);

		for (;;) {
			uint32_t bad;

			pthread_mutex_unlock(&store->lock);
			int rc = write_all(store, head, &bad);

			pthread_mutex_lock(&store->lock);
			set_state(store, rc);
			if (rc == SQLITE_OK) {
				store->written += store->writing - bad;
				store->dropped += bad;
				store->writing = 0;
				break;
			}
			pthread_mutex_unlock(&store->lock);
			if (!sqlite3_get_autocommit(store->write_db))
				sqlite3_exec(store->write_db, "ROLLBACK", NULL, NULL, NULL);
			pthread_mutex_lock(&store->lock);
			if (given_up(store)) {
				free_rows(head);
				goto out;
			}
			pause_retry(store);
		}
		free_rows(head);
	}
out:
	pthread_mutex_unlock(&store->lock);
	store_chores_stop(store);
	return NULL;
}
