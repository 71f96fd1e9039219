/* SPDX-License-Identifier: Apache-2.0 */
#include "store/look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

enum { BUSY_MS = 2000 };

struct look {
	sqlite3 *db;
	sqlite3_stmt *call;
};

/* clang-format off */
static const char call_sql[] =
	"SELECT kind, cause, from_number, to_number, agent, queue, hold_ms, wait_ms, talk_ms, mos, ended_ms IS NOT NULL,"
	" (SELECT count(*) FROM call_steps s WHERE s.call = c.call AND s.step = 'hold')"
	" FROM calls c WHERE call = ?1";
/* clang-format on */

int look_open(struct look **out, const char *file)
{
	struct look *l = calloc(1, sizeof(*l));
	int rc;

	if (l == NULL)
		return -ENOMEM;
	rc = sqlite3_open_v2(file, &l->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(l->db, BUSY_MS);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(l->db, call_sql, -1, &l->call, NULL);
	if (rc == SQLITE_OK) {
		*out = l;
		return 0;
	}
	look_close(l);
	return rc == SQLITE_CANTOPEN ? -ENOENT : -EIO;
}

void look_close(struct look *l)
{
	if (l == NULL)
		return;
	sqlite3_finalize(l->call);
	sqlite3_close(l->db);
	free(l);
}

static const char *direction_of(const char *kind)
{
	if (strcmp(kind, "in") == 0 || strcmp(kind, "out") == 0)
		return kind;
	return "internal";
}

static const char *text(sqlite3_stmt *st, int i)
{
	const char *t = (const char *)sqlite3_column_text(st, i);

	return t != NULL ? t : "";
}

int look_call(struct look *l, const char *call, json_t **facts)
{
	sqlite3_stmt *st = l->call;
	int rc, err = -ENOENT;

	sqlite3_reset(st);
	sqlite3_bind_text(st, 1, call, -1, SQLITE_TRANSIENT);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		*facts = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:b}",
				   "call", call, "direction", direction_of(text(st, 0)), "result",
				   text(st, 1), "caller", text(st, 2), "called", text(st, 3),
				   "agent", text(st, 4), "queue", text(st, 5), "hold_ms",
				   (json_int_t)sqlite3_column_int64(st, 6), "wait_ms",
				   (json_int_t)sqlite3_column_int64(st, 7), "talk_ms",
				   (json_int_t)sqlite3_column_int64(st, 8), "holds",
				   (json_int_t)sqlite3_column_int64(st, 11), "ended",
				   sqlite3_column_int(st, 10));
		if (*facts != NULL && sqlite3_column_type(st, 9) != SQLITE_NULL)
			json_object_set_new(*facts, "mos", json_real(sqlite3_column_double(st, 9)));
		err = *facts != NULL ? 0 : -ENOMEM;
	} else if (rc != SQLITE_DONE) {
		err = (rc & 0xff) == SQLITE_BUSY ? -EBUSY : -EIO;
	}
	sqlite3_reset(st);
	return err;
}
