/* SPDX-License-Identifier: Apache-2.0
 *
 * Times are milliseconds since the Unix epoch; ids are text. `calls` is WITHOUT ROWID by its
 * time-sorted id, so that the newest page of the history is the end of one tree.
 */
#include "store/schema.h"

/* clang-format off */
const char *const store_migrations[] = {
	/* 0 -> 1: calls, what happened in them, recordings, agents */
	"CREATE TABLE calls ("
	" call TEXT PRIMARY KEY, kind TEXT NOT NULL, from_number TEXT NOT NULL,"
	" to_number TEXT NOT NULL, queue TEXT NOT NULL DEFAULT '', agent TEXT NOT NULL DEFAULT '',"
	" agents TEXT NOT NULL DEFAULT '[]', flow TEXT NOT NULL DEFAULT '', path TEXT NOT NULL DEFAULT '',"
	" started_ms INTEGER NOT NULL, answered_ms INTEGER, ended_ms INTEGER,"
	" wait_ms INTEGER NOT NULL DEFAULT 0, talk_ms INTEGER NOT NULL DEFAULT 0,"
	" hold_ms INTEGER NOT NULL DEFAULT 0, wrap_up_ms INTEGER NOT NULL DEFAULT 0,"
	" offers INTEGER NOT NULL DEFAULT 0, hung_up_by TEXT NOT NULL DEFAULT '',"
	" cause TEXT NOT NULL DEFAULT '', cause_text TEXT NOT NULL DEFAULT '', q850 INTEGER,"
	" recording TEXT, lost_share REAL, jitter_ms REAL, rtt_ms REAL, mos REAL"
	") WITHOUT ROWID;"
	"CREATE INDEX calls_started ON calls(started_ms);"
	"CREATE INDEX calls_agent ON calls(agent, started_ms);"
	"CREATE INDEX calls_running ON calls(ended_ms) WHERE ended_ms IS NULL;"
	"CREATE TABLE call_legs ("
	" leg TEXT PRIMARY KEY, call TEXT NOT NULL, role TEXT NOT NULL, party TEXT NOT NULL,"
	" sip_call_id TEXT NOT NULL DEFAULT '', codec TEXT, remote TEXT, started_ms INTEGER NOT NULL, answered_ms INTEGER,"
	" ended_ms INTEGER, stats TEXT"
	") WITHOUT ROWID;"
	"CREATE INDEX call_legs_call ON call_legs(call);"
	"CREATE TABLE call_steps ("
	" call TEXT NOT NULL, at_ms INTEGER NOT NULL, step TEXT NOT NULL, detail TEXT);"
	"CREATE INDEX call_steps_call ON call_steps(call, at_ms);"
	"CREATE TABLE agent_states ("
	" agent TEXT NOT NULL, at_ms INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT, call TEXT);"
	"CREATE INDEX agent_states_agent ON agent_states(agent, at_ms);"
	"CREATE TABLE recordings ("
	" recording TEXT PRIMARY KEY, call TEXT NOT NULL, kind TEXT NOT NULL,"
	" agent TEXT NOT NULL DEFAULT '', queue TEXT NOT NULL DEFAULT '',"
	" from_number TEXT NOT NULL DEFAULT '', to_number TEXT NOT NULL DEFAULT '',"
	" started_ms INTEGER NOT NULL, ended_ms INTEGER, complete INTEGER NOT NULL DEFAULT 0,"
	" accepted INTEGER NOT NULL DEFAULT 0, written INTEGER NOT NULL DEFAULT 0,"
	" lost INTEGER NOT NULL DEFAULT 0, lost_reason TEXT, heard INTEGER NOT NULL DEFAULT 0"
	") WITHOUT ROWID;"
	"CREATE INDEX recordings_started ON recordings(started_ms);"
	"CREATE INDEX recordings_call ON recordings(call);"
	"CREATE INDEX recordings_agent ON recordings(agent, started_ms);",
	/* why a call has no recording */
	"ALTER TABLE calls ADD COLUMN not_recorded TEXT NOT NULL DEFAULT '';",
	/* what flows keep with a call: a survey's score, an account */
	"CREATE TABLE call_notes ("
	" call TEXT NOT NULL, at_ms INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL);"
	"CREATE INDEX call_notes_call ON call_notes(call);"
	"CREATE INDEX call_notes_key ON call_notes(key, value);",
	/* calls that were promised, until they are made */
	"CREATE TABLE callbacks ("
	" call TEXT PRIMARY KEY, queue TEXT NOT NULL, number TEXT NOT NULL, from_number TEXT NOT NULL,"
	" priority INTEGER NOT NULL, tries INTEGER NOT NULL, promised_ms INTEGER NOT NULL,"
	" state TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX callbacks_waiting ON callbacks(promised_ms) WHERE state = 'waiting';",
	/* what became of the frames of each channel, as the engine told it (JSON) */
	"ALTER TABLE recordings ADD COLUMN account TEXT;",
	/* what the daemon goes on with after it was killed: calls, agents, bindings */
	"CREATE TABLE journal ("
	" kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, at_ms INTEGER NOT NULL, body TEXT NOT NULL);"
	"CREATE UNIQUE INDEX journal_id ON journal(kind, id);",
	/* interval tables (record/tally.h); how far they are computed. What is written late about a time before that
	 * takes the mark back, and what was computed from there on is computed again. */
	"CREATE TABLE interval_queues ("
	" start_ms INTEGER NOT NULL, queue TEXT NOT NULL, offered INTEGER NOT NULL, answered INTEGER NOT NULL,"
	" answered_20s INTEGER NOT NULL, answered_30s INTEGER NOT NULL, answered_in_time INTEGER NOT NULL,"
	" abandoned_short INTEGER NOT NULL, abandoned_long INTEGER NOT NULL, overflowed INTEGER NOT NULL,"
	" called_back INTEGER NOT NULL, answer_wait_ms INTEGER NOT NULL, abandon_wait_ms INTEGER NOT NULL,"
	" wait_max_ms INTEGER NOT NULL, talk_ms INTEGER NOT NULL, hold_ms INTEGER NOT NULL, wrap_up_ms INTEGER NOT NULL,"
	" PRIMARY KEY (start_ms, queue)) WITHOUT ROWID;"
	"CREATE TABLE interval_agents ("
	" start_ms INTEGER NOT NULL, agent TEXT NOT NULL, offered INTEGER NOT NULL, answered INTEGER NOT NULL,"
	" no_answer INTEGER NOT NULL, rejected INTEGER NOT NULL, unreachable INTEGER NOT NULL,"
	" sign_ins INTEGER NOT NULL, aways INTEGER NOT NULL,"
	" signed_in_ms INTEGER NOT NULL, ready_ms INTEGER NOT NULL, not_ready_ms INTEGER NOT NULL,"
	" ringing_ms INTEGER NOT NULL, talking_ms INTEGER NOT NULL, wrap_up_ms INTEGER NOT NULL,"
	" other_ms INTEGER NOT NULL, hold_ms INTEGER NOT NULL, PRIMARY KEY (start_ms, agent)) WITHOUT ROWID;"
	"CREATE TABLE interval_reasons ("
	" start_ms INTEGER NOT NULL, agent TEXT NOT NULL, reason TEXT NOT NULL, not_ready_ms INTEGER NOT NULL,"
	" PRIMARY KEY (start_ms, agent, reason)) WITHOUT ROWID;"
	"CREATE TABLE interval_flows ("
	" start_ms INTEGER NOT NULL, flow TEXT NOT NULL, callers INTEGER NOT NULL, contained INTEGER NOT NULL,"
	" queued INTEGER NOT NULL, abandoned INTEGER NOT NULL, other INTEGER NOT NULL,"
	" PRIMARY KEY (start_ms, flow)) WITHOUT ROWID;"
	"CREATE TABLE interval_mark (one INTEGER PRIMARY KEY CHECK (one = 1), until_ms INTEGER NOT NULL);"
	"CREATE INDEX calls_ended ON calls(ended_ms);"
	"CREATE INDEX call_steps_at ON call_steps(at_ms);"
	"CREATE INDEX agent_states_at ON agent_states(at_ms);"
	"CREATE TRIGGER step_late AFTER INSERT ON call_steps WHEN NEW.at_ms < (SELECT until_ms FROM interval_mark)"
	" BEGIN UPDATE interval_mark SET until_ms = NEW.at_ms - NEW.at_ms % 900000; END;"
	"CREATE TRIGGER state_late AFTER INSERT ON agent_states WHEN NEW.at_ms < (SELECT until_ms FROM interval_mark)"
	" BEGIN UPDATE interval_mark SET until_ms = NEW.at_ms - NEW.at_ms % 900000; END;"
	"CREATE TRIGGER call_late AFTER UPDATE OF ended_ms ON calls"
	" WHEN NEW.ended_ms IS NOT OLD.ended_ms AND NEW.ended_ms < (SELECT until_ms FROM interval_mark)"
	" BEGIN UPDATE interval_mark SET until_ms = NEW.ended_ms - NEW.ended_ms % 900000; END;",
	/* what supervision found: actions of agents that look like dodging, and calls that were overlong */
	"CREATE TABLE findings ("
	" agent TEXT NOT NULL, at_ms INTEGER NOT NULL, rule TEXT NOT NULL, call TEXT, count INTEGER NOT NULL,"
	" lasted_ms INTEGER NOT NULL, evidence TEXT NOT NULL);"
	"CREATE INDEX findings_at ON findings(at_ms);"
	"CREATE TABLE overlong ("
	" call TEXT NOT NULL, agent TEXT NOT NULL, what TEXT NOT NULL, began_ms INTEGER NOT NULL, queue TEXT NOT NULL,"
	" level INTEGER NOT NULL, limit_ms INTEGER NOT NULL, lasted_ms INTEGER NOT NULL,"
	" PRIMARY KEY (call, agent, what, began_ms)) WITHOUT ROWID;"
	"CREATE INDEX overlong_began ON overlong(began_ms);",
	/* how each leg ended, and how long its party held */
	"ALTER TABLE call_legs ADD COLUMN ended_by TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE call_legs ADD COLUMN sip_status INTEGER;"
	"ALTER TABLE call_legs ADD COLUMN q850 INTEGER;"
	"ALTER TABLE call_legs ADD COLUMN ended_text TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE call_legs ADD COLUMN held_ms INTEGER NOT NULL DEFAULT 0;",
	/* What is more than a day late changes no table: what it would have to be computed from may have been deleted. */
	"ALTER TABLE interval_mark ADD COLUMN highest_ms INTEGER NOT NULL DEFAULT 0;"
	"UPDATE interval_mark SET highest_ms = until_ms;"
	"DROP TRIGGER step_late; DROP TRIGGER state_late; DROP TRIGGER call_late;"
	"CREATE TRIGGER step_late AFTER INSERT ON call_steps"
	" WHEN EXISTS (SELECT 1 FROM interval_mark WHERE NEW.at_ms < until_ms AND NEW.at_ms >= highest_ms - 86400000)"
	" BEGIN UPDATE interval_mark SET until_ms = NEW.at_ms - NEW.at_ms % 900000; END;"
	"CREATE TRIGGER state_late AFTER INSERT ON agent_states"
	" WHEN EXISTS (SELECT 1 FROM interval_mark WHERE NEW.at_ms < until_ms AND NEW.at_ms >= highest_ms - 86400000)"
	" BEGIN UPDATE interval_mark SET until_ms = NEW.at_ms - NEW.at_ms % 900000; END;"
	"CREATE TRIGGER call_late AFTER UPDATE OF ended_ms ON calls WHEN NEW.ended_ms IS NOT OLD.ended_ms AND EXISTS"
	" (SELECT 1 FROM interval_mark WHERE NEW.ended_ms < until_ms AND NEW.ended_ms >= highest_ms - 86400000)"
	" BEGIN UPDATE interval_mark SET until_ms = NEW.ended_ms - NEW.ended_ms % 900000; END;",
	/* who was told of an overlong call */
	"ALTER TABLE overlong ADD COLUMN told TEXT NOT NULL DEFAULT '[]';",
	/* reports of notes ask for a key and a time */
	"CREATE INDEX call_notes_at ON call_notes(key, at_ms);",
	/* calls back that are made by agents' own hand, and not before a time */
	"ALTER TABLE callbacks ADD COLUMN due_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE interval_agents ADD COLUMN calls_back INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE interval_agents ADD COLUMN reached INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE interval_agents ADD COLUMN dial_ms INTEGER NOT NULL DEFAULT 0;",
	/* customers; the second table says what the first one does, by number */
	"CREATE TABLE customers ("
	" customer TEXT PRIMARY KEY, name TEXT NOT NULL, numbers TEXT NOT NULL, fields TEXT NOT NULL,"
	" created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX customers_name ON customers(name);"
	"CREATE TABLE customer_numbers (number TEXT NOT NULL, customer TEXT NOT NULL, PRIMARY KEY (number, customer)) WITHOUT ROWID;"
	"CREATE INDEX customer_numbers_customer ON customer_numbers(customer);"
	"CREATE TRIGGER customer_new AFTER INSERT ON customers BEGIN"
	" INSERT OR IGNORE INTO customer_numbers(number,customer) SELECT value, NEW.customer FROM json_each(NEW.numbers); END;"
	"CREATE TRIGGER customer_changed AFTER UPDATE OF numbers ON customers BEGIN"
	" DELETE FROM customer_numbers WHERE customer = OLD.customer;"
	" INSERT OR IGNORE INTO customer_numbers(number,customer) SELECT value, NEW.customer FROM json_each(NEW.numbers); END;"
	"CREATE TRIGGER customer_gone AFTER DELETE ON customers BEGIN"
	" DELETE FROM customer_numbers WHERE customer = OLD.customer; END;",
	/* the knowledge base: the index has the articles' words with spaces between (knowledge/words.h) */
	"CREATE TABLE articles ("
	" id INTEGER PRIMARY KEY, article TEXT NOT NULL UNIQUE, title TEXT NOT NULL, keywords TEXT NOT NULL DEFAULT '[]',"
	" text TEXT NOT NULL DEFAULT '', created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL);"
	"CREATE INDEX articles_changed ON articles(changed_ms);"
	"CREATE VIRTUAL TABLE articles_index USING fts5(title, keywords, text, tokenize='unicode61 remove_diacritics 2');"
	"CREATE VIRTUAL TABLE articles_words USING fts5vocab(articles_index, 'row');"
	"CREATE TABLE searches ("
	" at_ms INTEGER NOT NULL, who TEXT NOT NULL, text TEXT NOT NULL, found INTEGER NOT NULL, first TEXT NOT NULL,"
	" took_ms INTEGER NOT NULL);"
	"CREATE INDEX searches_at ON searches(at_ms);",
	/* who did what by the control socket */
	"CREATE TABLE acts ("
	" at_ms INTEGER NOT NULL, who TEXT NOT NULL, method TEXT NOT NULL, params TEXT NOT NULL, result TEXT NOT NULL);"
	"CREATE INDEX acts_at ON acts(at_ms);",
};
/* clang-format on */

const int store_schema_version = sizeof(store_migrations) / sizeof(store_migrations[0]);
