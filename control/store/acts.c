/* SPDX-License-Identifier: Apache-2.0 */
#include "store/acts.h"

#include <errno.h>
#include <stdio.h>

#include "store/batch.h"

/* clang-format off */
static const char acts_sql[] =
	"SELECT at_ms, who, method, params, result FROM acts"
	" WHERE (?1 IS NULL OR at_ms >= ?1) AND (?2 IS NULL OR at_ms < ?2) AND (?3 IS NULL OR who = ?3)"
	" AND (?4 IS NULL OR method = ?4) AND (?5 = 0 OR result <> 'ok') ORDER BY at_ms DESC, rowid DESC LIMIT ?6";
/* clang-format on */

bool store_act(struct store *store, const struct store_act *act)
{
	const struct value values[] = {
		{.kind = VALUE_INT, .i = (int64_t)act->at_ms},
		{.kind = VALUE_TEXT, .s = act->who},
		{.kind = VALUE_TEXT, .s = act->method},
		{.kind = VALUE_TEXT, .s = act->params},
		{.kind = VALUE_TEXT, .s = act->result},
	};

	return store_put(store, ROW_ACT, values, sizeof(values) / sizeof(values[0]));
}

int store_acts(struct store *store, json_t *filter, store_answer_fn *fn, void *arg)
{
	struct question *q = store_question(STORE_ASK_ACTS, filter, fn, arg);

	return q != NULL ? store_ask_question(store, q) : -ENOBUFS;
}

json_t *store_acts_answer(sqlite3 *db, struct question *q)
{
	static const char *const members[] = {"from_ms", "to_ms", "who", "method"};
	sqlite3_stmt *st = NULL;
	json_t *list;

	if (sqlite3_prepare_v2(db, acts_sql, -1, &st, NULL) != SQLITE_OK) {
		snprintf(q->error, sizeof(q->error), "%s", sqlite3_errmsg(db));
		return NULL;
	}
	for (int i = 0; i < 4; i++)
		batch_bind(st, i + 1, json_object_get(q->json, members[i]));
	sqlite3_bind_int(st, 5, json_is_true(json_object_get(q->json, "refused")));
	sqlite3_bind_int64(st, 6, json_integer_value(json_object_get(q->json, "limit")));
	list = store_rows(db, q, st);
	sqlite3_finalize(st);
	return list != NULL ? json_pack("{s:o}", "acts", list) : NULL;
}
