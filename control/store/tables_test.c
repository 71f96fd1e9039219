/* SPDX-License-Identifier: Apache-2.0
 *
 * Interval tables in the database: the same as another way of adding up, whatever comes late, and after a
 * daemon that died; reports over them.
 */
#include "store/store.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/log.h"
#include "check.h"
#include "record/tally_kit.h"
#include "store/store_priv.h"
#include "store/store_testing.h"

#define FROM_MS (UINT64_C(1700000100000) / TALLY_INTERVAL_MS * TALLY_INTERVAL_MS)

/* Wait until the tables reach the end of the newest interval before `now_ms`. */
static void tabulate(struct store *s, const struct place *p, uint64_t now_ms)
{
	uint64_t to_ms = tally_start(now_ms - STORE_SETTLE_MS);
	sqlite3 *db = NULL;
	uint64_t mark = 0;

	settle(s);
	store_tabulate(s, now_ms);
	check_int(sqlite3_open_v2(p->file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	for (int i = 0; i < 2000 && mark != to_ms; i++) {
		mark = store_tabulate_mark(db);
		usleep(2000);
	}
	sqlite3_close(db);
	check_int(mark, to_ms);
}

static void put_call(struct store *s, const struct kit_call *c)
{
	struct call_record r;

	call_record_begin(&r, c->id, c->kind, "138", "95598", c->step[0].at_ms);
	if (c->flow[0] != '\0')
		call_record_flow(&r, c->flow);
	check(store_call(s, &r));
	for (unsigned i = 0; i < c->n; i++)
		check(store_step(s, c->id, c->step[i].at_ms, c->step[i].step, c->step[i].detail));
	if (c->ended_ms != 0) {
		call_record_end(&r, PARTY_SYSTEM, CALL_CAUSE_NORMAL, c->ended_ms);
		check(store_call(s, &r));
	}
}

static void put_state(struct store *s, const struct kit_state *k)
{
	check(store_agent_state(s, k->agent, k->at_ms, k->state, k->reason, NULL));
}

/* The rows of one kind, of all intervals, read back as tallies. */
static void read_back(struct store *s, const struct kit *k, enum tally_kind kind, struct tally *got)
{
	static const char *const names[] = {"queue", "agent", "agent", "flow"};
	uint64_t *borders = calloc(k->n_want + 1, sizeof(*borders));
	struct store_report ask = {.kind = kind, .border = borders, .now_ms = k->now_ms};
	struct reply r = {0};
	size_t i;
	json_t *row;

	for (i = 0; i <= k->n_want; i++)
		borders[i] = k->from_ms + i * TALLY_INTERVAL_MS;
	ask.borders = (uint32_t)(k->n_want + 1);
	check_int(store_report(s, &ask, keep_reply, &r), 0);
	free(borders);
	wait_reply(s, &r);
	check_str(r.error, "");
	json_array_foreach(json_object_get(r.result, "rows"), i, row)
	{
		uint64_t from_ms = (uint64_t)json_integer_value(json_object_get(row, "from_ms"));
		struct tally *t = &got[(from_ms - k->from_ms) / TALLY_INTERVAL_MS];
		const char *key = json_string_value(json_object_get(row, names[kind]));
		const char *reason;
		json_t *ms;

		for (unsigned n = 0; n < tally_columns(kind); n++)
			tally_row(t, kind, key, "")->n[n] = (uint64_t)json_integer_value(
				json_object_get(row, tally_column_name(kind, n)));
		json_object_foreach(json_object_get(row, "not_ready"), reason, ms)
			tally_row(t, TALLY_REASON, key, strcmp(reason, "none") == 0 ? "" : reason)
				->n[0] = (uint64_t)json_integer_value(ms);
	}
	json_decref(r.result);
}

static void compare(struct store *s, const struct kit *k)
{
	struct tally *got = calloc(k->n_want, sizeof(*got));
	bool same = true;

	for (size_t i = 0; i < k->n_want; i++)
		tally_begin(&got[i], k->want[i].from_ms, k->want[i].to_ms, NULL, 0);
	read_back(s, k, TALLY_QUEUE, got);
	read_back(s, k, TALLY_AGENT, got);
	read_back(s, k, TALLY_FLOW, got);
	for (size_t i = 0; i < k->n_want; i++) {
		same = same && kit_same(&got[i], &k->want[i]);
		tally_end(&got[i]);
	}
	free(got);
	check(same);
}

/* Everything is there before the tables are made; the newest interval is computed for the answer. */
static void tables_are_exact(void)
{
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct kit *k = kit_make(seed, FROM_MS, 6, 120);
		struct place p = {0};

		place_make(&p);
		struct store *s = open_store(&p);

		store_limits(s, kit_limits, KIT_QUEUES);
		for (size_t i = 0; i < k->n_calls; i++)
			put_call(s, &k->calls[i]);
		for (size_t i = 0; i < k->n_states; i++)
			put_state(s, &k->states[i]);
		tabulate(s, &p, k->now_ms);
		compare(s, k);
		check_int(store_close(s, 5000), 0);
		place_remove(&p);
		kit_free(k);
	}
}

/* A part of the rows is written when their intervals have long been computed. */
static void late_rows_take_the_mark_back(void)
{
	for (uint64_t seed = 11; seed <= 14; seed++) {
		struct kit *k = kit_make(seed, FROM_MS, 6, 120);
		struct place p = {0};

		place_make(&p);
		struct store *s = open_store(&p);

		store_limits(s, kit_limits, KIT_QUEUES);
		for (unsigned round = 0; round < 3; round++) {
			for (size_t i = round; i < k->n_calls; i += 3)
				put_call(s, &k->calls[i]);
			for (size_t i = round; i < k->n_states; i += 3)
				put_state(s, &k->states[i]);
			tabulate(s, &p, k->now_ms - (2 - round) * TALLY_INTERVAL_MS);
		}
		compare(s, k);
		/* A late row that is in no table yet is in the answer all the same. */
		check(store_agent_state(s, "1009", FROM_MS, "ready", NULL, NULL));
		check(store_agent_state(s, "1009", FROM_MS + 60000, "signed_out", NULL, NULL));
		settle(s);
		struct tally_row *r = tally_row(&k->want[0], TALLY_AGENT, "1009", "");

		r->n[TALLY_AGENT_READY_MS] = r->n[TALLY_AGENT_SIGNED_IN_MS] = 60000;
		r->n[TALLY_AGENT_SIGN_INS] = 1;
		compare(s, k);
		check_int(store_close(s, 5000), 0);
		place_remove(&p);
		kit_free(k);
	}
}

static uint64_t number_of(const struct place *p, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	uint64_t n = 0;

	check_int(sqlite3_open_v2(p->file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		n = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

/* The daemon died while one agent talked and one was in wrap-up: both until its last sign of life. */
static void a_dead_daemon_leaves_nobody_signed_in_for_ever(void)
{
	static const struct kit_call talks = {
		.id = "call-1",
		.n = 3,
		.step = {{FROM_MS, CALL_STEP_RING, ""},
			 {FROM_MS, CALL_STEP_QUEUE, "sales"},
			 {FROM_MS + 10000, CALL_STEP_ANSWER, "1001"}}};
	static const struct kit_call wraps = {
		.id = "call-2",
		.ended_ms = FROM_MS + 30000,
		.n = 4,
		.step = {{FROM_MS, CALL_STEP_QUEUE, "sales"},
			 {FROM_MS + 20000, CALL_STEP_ANSWER, "1002"},
			 {FROM_MS + 30000, CALL_STEP_HANGUP, "agent: normal"},
			 {FROM_MS + 30000, CALL_STEP_WRAP_UP, "1002"}}};
	struct place p = {0};

	place_make(&p);
	struct store *s = open_store(&p);

	put_call(s, &talks);
	put_call(s, &wraps);
	check(store_agent_state(s, "1001", FROM_MS + 10000, "talking", NULL, "call-1"));
	check(store_agent_state(s, "1002", FROM_MS + 30000, "wrap_up", NULL, "call-2"));
	check(store_agent_state(s, "1003", FROM_MS + 90000, "ready", NULL, NULL));
	check(store_agent_state(s, "1004", FROM_MS + 70000, "signed_out", NULL, NULL));
	settle(s);
	check(store_close_orphans(s, FROM_MS + 7200000));
	settle(s);
	tabulate(s, &p, FROM_MS + 7200000);
	check_int(number_of(&p, "SELECT sum(talking_ms) FROM interval_agents"), 80000);
	check_int(number_of(&p, "SELECT sum(wrap_up_ms) FROM interval_agents"), 60000);
	check_int(number_of(&p, "SELECT sum(wrap_up_ms) FROM interval_queues"), 60000);
	check_int(number_of(&p, "SELECT count(*) FROM agent_states WHERE reason = 'restart'"), 3);
	/* The call itself has no step after its answer. */
	check_int(number_of(&p, "SELECT sum(talk_ms) FROM interval_queues"), 10000);
	check_int(store_close(s, 5000), 0);
	place_remove(&p);
}

/* A call that runs for hours without a step is in each interval; a late step alone is enough to compute again. */
static void hours_without_a_step_and_a_late_step_alone(void)
{
	static const struct kit_call endless = {
		.id = "call-1",
		.n = 2,
		.step = {{FROM_MS, CALL_STEP_QUEUE, "sales"},
			 {FROM_MS + 10000, CALL_STEP_ANSWER, "1001"}}};
	static const struct kit_call over = {
		.id = "call-2",
		.ended_ms = FROM_MS + 30000,
		.n = 3,
		.step = {{FROM_MS, CALL_STEP_QUEUE, "service"},
			 {FROM_MS + 20000, CALL_STEP_ANSWER, "1002"},
			 {FROM_MS + 30000, CALL_STEP_HANGUP, "agent: normal"}}};
	uint64_t now_ms = FROM_MS + 5 * 3600000 + STORE_SETTLE_MS;
	struct place p = {0};

	place_make(&p);
	struct store *s = open_store(&p);

	put_call(s, &endless);
	put_call(s, &over);
	tabulate(s, &p, now_ms);
	check_int(number_of(&p, "SELECT sum(talk_ms) FROM interval_queues WHERE queue = 'sales'"),
		  5 * 3600000 - 10000);
	check_int(number_of(&p, "SELECT sum(wrap_up_ms) FROM interval_queues"), 0);

	check(store_step(s, "call-2", FROM_MS + 30000, CALL_STEP_WRAP_UP, "1002"));
	check(store_step(s, "call-2", FROM_MS + 75000, CALL_STEP_WRAP_UP_DONE, "1002"));
	tabulate(s, &p, now_ms + TALLY_INTERVAL_MS);
	check_int(number_of(&p, "SELECT sum(wrap_up_ms) FROM interval_queues"), 45000);

	/* Two days late: only what is still to be computed knows of it. */
	check(store_agent_state(s, "1001", FROM_MS - 2 * UINT64_C(86400000), "ready", NULL, NULL));
	tabulate(s, &p, now_ms + 2 * TALLY_INTERVAL_MS);
	check_int(number_of(&p, "SELECT sum(ready_ms) FROM interval_agents"), TALLY_INTERVAL_MS);
	check_int(store_close(s, 5000), 0);
	place_remove(&p);
}

static void the_log_of_an_agent_has_no_holes(void)
{
	struct store_filter f = {.agent = "1001", .limit = 2};
	struct reply r = {0};
	struct place p = {0};

	place_make(&p);
	struct store *s = open_store(&p);

	check(store_agent_state(s, "1001", 1000, "not_ready", "", NULL));
	check(store_agent_state(s, "1002", 1500, "ready", "", NULL));
	check(store_agent_state(s, "1001", 2000, "ready", "", NULL));
	check(store_agent_state(s, "1001", 2000, "ringing", "", "call-1"));
	settle(s);
	check_int(store_ask(s, STORE_ASK_AGENT_LOG, &f, keep_reply, &r), 0);
	wait_reply(s, &r);

	const json_t *list = json_object_get(r.result, "states");
	const json_t *newest = json_array_get(list, 0), *second = json_array_get(list, 1);

	check_int(json_array_size(list), 2);
	check(json_is_true(json_object_get(r.result, "more")));
	check_str(json_string_value(json_object_get(newest, "state")), "ringing");
	check_str(json_string_value(json_object_get(newest, "call")), "call-1");
	check(json_is_null(json_object_get(newest, "until_ms")));
	check_str(json_string_value(json_object_get(second, "state")), "ready");
	check_int(json_integer_value(json_object_get(second, "until_ms")), 2000);
	f.after = json_string_value(json_object_get(r.result, "next"));

	struct reply r2 = {0};

	check_int(store_ask(s, STORE_ASK_AGENT_LOG, &f, keep_reply, &r2), 0);
	wait_reply(s, &r2);
	list = json_object_get(r2.result, "states");
	check_int(json_array_size(list), 1);
	check_int(json_integer_value(json_object_get(json_array_get(list, 0), "until_ms")), 2000);
	json_decref(r.result);
	json_decref(r2.result);
	check_int(store_close(s, 5000), 0);
	place_remove(&p);
}

#define DAY UINT64_C(86400000)

static void what_is_old_is_deleted_in_small_steps(void)
{
	uint64_t now_ms = FROM_MS + 100 * DAY;
	struct store_keep keep = {
		.calls_days = 30, .steps_days = 10, .agent_states_days = 10, .now_ms = now_ms};
	struct reply r = {0};
	struct place p = {0};

	place_make(&p);
	struct store *s = open_store(&p);

	for (unsigned i = 0; i < 1300; i++) {
		struct kit_call c = {
			.n = 2,
			.ended_ms = now_ms - (i < 1200 ? 60 : 20) * DAY + i,
			.step = {{now_ms - (i < 1200 ? 60 : 20) * DAY, CALL_STEP_RING, ""},
				 {now_ms - (i < 1200 ? 60 : 20) * DAY + i, CALL_STEP_HANGUP, ""}}};

		snprintf(c.id, sizeof(c.id), "call-%04u", i);
		put_call(s, &c);
		check(store_leg(s, &(struct store_leg){.leg = c.id,
						       .call = c.id,
						       .role = "customer",
						       .party = "138",
						       .started_ms = c.step[0].at_ms}));
	}
	for (unsigned i = 0; i < 50; i++)
		check(store_agent_state(s, "1001", now_ms - 40 * DAY + i, "ready", NULL, NULL));
	settle(s);
	/* Nothing is computed: nothing may go that the tables are made of. */
	check_int(store_purge(s, &keep, keep_reply, &r), 0);
	wait_reply(s, &r);
	check_int(json_integer_value(json_object_get(r.result, "calls")), 0);
	check_int(json_integer_value(json_object_get(r.result, "steps")), 0);
	json_decref(r.result);

	tabulate(s, &p, now_ms);
	r = (struct reply){0};
	check_int(store_purge(s, &keep, keep_reply, &r), 0);
	wait_reply(s, &r);
	check_int(json_integer_value(json_object_get(r.result, "calls")), 2400); /* with legs */
	check_int(json_integer_value(json_object_get(r.result, "steps")), 2600);
	check_int(json_integer_value(json_object_get(r.result, "agent_states")), 49);
	check(json_object_get(r.result, "recordings") == NULL);
	json_decref(r.result);
	check_int(number_of(&p, "SELECT count(*) FROM calls"), 100);
	check_int(number_of(&p, "SELECT count(*) FROM call_legs"), 100);
	check_int(number_of(&p, "SELECT count(*) FROM agent_states"), 1);
	check_int(store_close(s, 5000), 0);
	place_remove(&p);
}

static void put_note(struct store *s, const char *call, const char *queue, const char *agent,
		     uint64_t at_ms, const char *value)
{
	struct call_record r;

	call_record_begin(&r, call, CALL_IN, "138", "95598", at_ms - 1000);
	snprintf(r.queue, sizeof(r.queue), "%s", queue);
	snprintf(r.agents[r.agent_count++], sizeof(r.agents[0]), "%s", agent);
	call_record_end(&r, PARTY_SYSTEM, CALL_CAUSE_NORMAL, at_ms);
	check(store_call(s, &r));
	check(store_note(s, call, at_ms, "score", value));
}

static const json_t *ask_notes(struct store *s, struct reply *r, enum store_notes notes)
{
	static const uint64_t border[] = {FROM_MS, FROM_MS + TALLY_INTERVAL_MS,
					  FROM_MS + 2 * TALLY_INTERVAL_MS};
	const struct store_report ask = {
		.notes = notes, .key = "score", .border = border, .borders = 3};

	json_decref(r->result);
	*r = (struct reply){0};
	check_int(store_report(s, &ask, keep_reply, r), 0);
	wait_reply(s, r);
	check_str(r->error, "");
	return json_object_get(r->result, "rows");
}

static void expect_row(const json_t *row, const char *want)
{
	char *text;
	json_t *copy = json_deep_copy(row);

	json_object_del(copy, "from_ms");
	json_object_del(copy, "to_ms");
	text = json_dumps(copy, JSON_COMPACT | JSON_REAL_PRECISION(4));
	check_str(text, want);
	free(text);
	json_decref(copy);
}

/* What callers pressed in a survey, in two periods. */
static void two_periods_of_a_survey(void)
{
	struct place p;
	struct store *s;
	const uint64_t first = FROM_MS + 60000, second = first + TALLY_INTERVAL_MS;
	struct reply r = {0};
	const json_t *rows;

	place_make(&p);
	s = open_store(&p);
	put_note(s, "a", "sales", "1001", first, "5");
	put_note(s, "b", "sales", "1002", first, "2");
	put_note(s, "c", "repair", "1001", first, "5");
	put_note(s, "d", "sales", "1001", second, "1");
	put_note(s, "e", "sales", "1001", second, "none");
	put_note(s, "g", "sales", "1001", second, "2-1");                   /* no number either */
	put_note(s, "f", "sales", "1001", second + TALLY_INTERVAL_MS, "3"); /* afterwards */
	check(store_note(s, "a", first, "account", "99"));
	settle(s);
	rows = ask_notes(s, &r, STORE_NOTES);
	check_int(json_array_size(rows), 2);
	expect_row(json_array_get(rows, 0),
		   "{\"note\":\"score\",\"answers\":3,\"mean\":4.0,\"lowest\":2.0,\"highest\":5.0,"
		   "\"change\":null,\"values\":{\"5\":2,\"2\":1}}");
	expect_row(json_array_get(rows, 1),
		   "{\"note\":\"score\",\"answers\":3,\"mean\":1.0,\"lowest\":1.0,\"highest\":1.0,"
		   "\"change\":-3.0,\"values\":{\"1\":1,\"2-1\":1,\"none\":1}}");
	rows = ask_notes(s, &r, STORE_NOTES_BY_QUEUE);
	check_int(json_array_size(rows), 3);
	expect_row(
		json_array_get(rows, 2),
		"{\"note\":\"score\",\"queue\":\"sales\",\"answers\":3,\"mean\":1.0,\"lowest\":1.0,"
		"\"highest\":1.0,\"change\":-2.5,\"values\":{\"1\":1,\"2-1\":1,\"none\":1}}");
	rows = ask_notes(s, &r, STORE_NOTES_BY_AGENT);
	check_int(json_array_size(rows), 3);
	check_str(json_string_value(json_object_get(json_array_get(rows, 1), "agent")), "1002");
	json_decref(r.result);
	check_int(store_close(s, 5000), 0);
	place_remove(&p);
}

static const struct check_case cases[] = {
	CHECK_CASE(tables_are_exact),
	CHECK_CASE(late_rows_take_the_mark_back),
	CHECK_CASE(a_dead_daemon_leaves_nobody_signed_in_for_ever),
	CHECK_CASE(hours_without_a_step_and_a_late_step_alone),
	CHECK_CASE(the_log_of_an_agent_has_no_holes),
	CHECK_CASE(what_is_old_is_deleted_in_small_steps),
	CHECK_CASE(two_periods_of_a_survey),
};

int main(void)
{
	log_setup("test", LOG_LEVEL_ERROR);
	return check_run(cases, sizeof(cases) / sizeof(cases[0]));
}
