/* SPDX-License-Identifier: Apache-2.0
 *
 * Versioned migrations: text number N brings version N to N + 1; a released one is never edited.
 *
 * Two triggers state what no code may do: a row under legal hold is neither deleted nor made a
 * tombstone, and the audit is only added to.
 */
#include "archive/shelf_priv.h"

/* clang-format off */
const char *const shelf_migrations[] = {
	/* 0 -> 1: recordings and their files */
	"CREATE TABLE recordings ("
	" n INTEGER PRIMARY KEY, id BLOB NOT NULL, state INTEGER NOT NULL DEFAULT 1, traits INTEGER NOT NULL,"
	" started_ms INTEGER NOT NULL, duration_ms INTEGER NOT NULL, direction INTEGER NOT NULL, result INTEGER NOT NULL,"
	" kind INTEGER NOT NULL, agent INTEGER NOT NULL, team INTEGER NOT NULL, queue INTEGER NOT NULL,"
	" caller TEXT, called TEXT, call TEXT, work_order TEXT, holds INTEGER NOT NULL, lost INTEGER NOT NULL,"
	" silence REAL, talk_over REAL, mos REAL);"
	"CREATE UNIQUE INDEX recordings_id ON recordings(id);"
	"CREATE INDEX recordings_agent ON recordings(agent, n, traits);"
	"CREATE INDEX recordings_team ON recordings(team, n, traits);"
	"CREATE INDEX recordings_queue ON recordings(queue, n, traits);"
	"CREATE INDEX recordings_caller ON recordings(caller, n, traits);"
	"CREATE INDEX recordings_called ON recordings(called, n, traits);"
	"CREATE INDEX recordings_result ON recordings(result, n, traits);"
	"CREATE INDEX recordings_direction ON recordings(direction, n, traits);"
	"CREATE INDEX recordings_kind ON recordings(kind, n, traits);"
	"CREATE INDEX recordings_duration ON recordings((traits>>10)&15, n, traits);"
	"CREATE INDEX recordings_holds ON recordings((traits>>14)&7, n, traits);"
	"CREATE INDEX recordings_silence ON recordings((traits>>17)&15, n, traits);"
	"CREATE INDEX recordings_quality ON recordings((traits>>21)&15, n, traits);"
	"CREATE INDEX recordings_call ON recordings(call) WHERE call IS NOT NULL;"
	"CREATE INDEX recordings_work_order ON recordings(work_order, n, traits) WHERE work_order IS NOT NULL;"
	"CREATE TABLE files ("
	" n INTEGER PRIMARY KEY, class INTEGER NOT NULL DEFAULT 0, keep_until_ms INTEGER NOT NULL DEFAULT 0,"
	" format TEXT, path TEXT, bytes INTEGER, stored_bytes INTEGER, sealed INTEGER NOT NULL DEFAULT 0,"
	" sha256 TEXT, stored_sha256 TEXT, ledger_n INTEGER, ledger_offset INTEGER, held INTEGER NOT NULL DEFAULT 0,"
	" deleted_ms INTEGER, deleted_ledger_n INTEGER, more TEXT);"
	"CREATE INDEX files_due ON files(keep_until_ms) WHERE keep_until_ms > 0 AND deleted_ms IS NULL;"
	"CREATE INDEX files_held ON files(n) WHERE held > 0;"
	"CREATE INDEX files_deleted ON files(n) WHERE deleted_ms IS NOT NULL;",
	/* 1 -> 2: what people add, and what they did */
	"CREATE TABLE words (kind INTEGER NOT NULL, id INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY(kind, id)) WITHOUT ROWID;"
	"CREATE UNIQUE INDEX words_text ON words(kind, text);"
	"CREATE TABLE tags (tag TEXT NOT NULL, n INTEGER NOT NULL, traits INTEGER NOT NULL, PRIMARY KEY(tag, n)) WITHOUT ROWID;"
	"CREATE INDEX tags_of ON tags(n);"
	"CREATE TABLE notes (id INTEGER PRIMARY KEY, n INTEGER NOT NULL, at_ms INTEGER NOT NULL, author TEXT NOT NULL, text TEXT NOT NULL);"
	"CREATE INDEX notes_of ON notes(n);"
	"CREATE VIRTUAL TABLE notes_index USING fts5(text, tokenize = 'unicode61');"
	"CREATE TABLE holds (id INTEGER PRIMARY KEY, n INTEGER NOT NULL, placed_ms INTEGER NOT NULL, placed_by TEXT NOT NULL,"
	" reason TEXT NOT NULL, ledger_n INTEGER, released_ms INTEGER, released_by TEXT, release_reason TEXT, release_ledger_n INTEGER);"
	"CREATE INDEX holds_of ON holds(n);"
	"CREATE TRIGGER held_stays BEFORE DELETE ON recordings WHEN EXISTS (SELECT 1 FROM holds WHERE n = OLD.n AND released_ms IS NULL)"
	" BEGIN SELECT RAISE(ABORT, 'legal hold'); END;"
	"CREATE TRIGGER held_is_not_buried BEFORE UPDATE OF state ON recordings"
	" WHEN NEW.state <> 1 AND EXISTS (SELECT 1 FROM holds WHERE n = OLD.n AND released_ms IS NULL)"
	" BEGIN SELECT RAISE(ABORT, 'legal hold'); END;"
	"CREATE TRIGGER holds_stay BEFORE DELETE ON holds BEGIN SELECT RAISE(ABORT, 'legal hold'); END;"
	"CREATE TABLE uploads (n INTEGER PRIMARY KEY, state TEXT, error TEXT, retry_ms INTEGER, done_ms INTEGER);"
	"CREATE TABLE failures (id BLOB PRIMARY KEY, tries INTEGER NOT NULL, retry_ms INTEGER NOT NULL, error TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE audit (n INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, actor TEXT NOT NULL, source TEXT NOT NULL, action TEXT NOT NULL,"
	" recording BLOB, result TEXT NOT NULL, detail TEXT NOT NULL, hash TEXT NOT NULL);"
	"CREATE INDEX audit_recording ON audit(recording, n) WHERE recording IS NOT NULL;"
	"CREATE INDEX audit_actor ON audit(actor, n);"
	"CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;"
	"CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;",
};
/* clang-format on */

const int shelf_version = sizeof(shelf_migrations) / sizeof(shelf_migrations[0]);
