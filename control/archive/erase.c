/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking away, and what forbids it. Every deletion, whoever wants it and why, goes through
 * archive_delete(); it looks for legal holds within the ledger's turn, so a hold that was placed
 * before is seen and one that comes later finds a tombstone. The shelf refuses for itself too
 * (shelf_schema.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive_priv.h"
#include "base/log.h"
#include "patchbay/recording.h"

enum { AT_ONCE = 256 };

static const char *text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text != NULL ? text : "";
}

static int refuse(struct archive *a, const struct archive_actor *who, const char *action,
		  const uint8_t id[16], int err, const char *text)
{
	(void)archive_audit(a, who, action, id, text, "");
	return archive_refuse(a, err, "%s", text);
}

static int delete_within(struct archive *a, const struct archive_actor *who, const uint8_t id[16],
			 const char *reason)
{
	char text[RECORDING_ID_TEXT];
	json_t *row = NULL, *body;
	int err = shelf_get(a->shelf, id, &row);

	if (err == -ENOENT)
		return refuse(a, who, "delete", id, err, "there is no such recording");
	if (err != 0)
		return archive_refuse(a, err, "%s", shelf_error(a->shelf));
	recording_id_text(id, text);
	if (strcmp(text_of(row, "state"), "deleted") == 0)
		err = refuse(a, who, "delete", id, -EALREADY, "it is deleted already");
	else if (shelf_held(a->shelf, id) != 0)
		err = refuse(a, who, "delete", id, -EPERM,
			     "a legal hold is on it: release it first, with a reason");
	if (err == 0)
		err = archive_audit(a, who, "delete", id, "ok", reason);
	if (err == 0) {
		body = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "recording", text, "path",
				 text_of(row, "path"), "sha256", text_of(row, "sha256"),
				 "stored_sha256", text_of(row, "stored_sha256"), "class",
				 text_of(row, "class"), "by", who->name, "reason", reason);
		err = archive_act(a, "delete", body);
	}
	json_decref(row);
	return err;
}

int archive_delete(struct archive *a, const struct archive_actor *who, const uint8_t id[16],
		   const char *reason)
{
	int err = archive_turn(a);

	if (err != 0)
		return err;
	err = delete_within(a, who, id, reason);
	archive_turn_over(a);
	return err;
}

/* A hold placed or released: in the audit, in the ledger, and by that in the shelf. */
static int hold_or_release(struct archive *a, const struct archive_actor *who, const uint8_t id[16],
			   const char *op, const char *reason)
{
	bool release = strcmp(op, "release") == 0;
	char text[RECORDING_ID_TEXT];
	int err = archive_turn(a), held;
	json_t *row = NULL;
	bool gone;

	if (err != 0)
		return err;
	recording_id_text(id, text);
	held = shelf_held(a->shelf, id);
	gone = held >= 0 && shelf_get(a->shelf, id, &row) == 0 &&
	       strcmp(text_of(row, "state"), "deleted") == 0;
	json_decref(row);
	if (held == -ENOENT)
		err = refuse(a, who, op, id, held, "there is no such recording");
	else if (reason == NULL || reason[0] == '\0')
		err = refuse(a, who, op, id, -EINVAL, "a hold needs a reason, and so has its end");
	else if (gone)
		err = refuse(a, who, op, id, -EALREADY, "it is deleted");
	else if (release && held == 0)
		err = refuse(a, who, op, id, -EALREADY, "no legal hold is on it");
	else if (held < 0)
		err = archive_refuse(a, held, "%s", shelf_error(a->shelf));
	if (err == 0)
		err = archive_audit(a, who, op, id, "ok", reason);
	if (err == 0)
		err = archive_act(a, op,
				  json_pack("{s:s, s:s, s:s}", "recording", text, "by", who->name,
					    "reason", reason));
	archive_turn_over(a);
	return err;
}

int archive_hold(struct archive *a, const struct archive_actor *who, const uint8_t id[16],
		 const char *reason)
{
	return hold_or_release(a, who, id, "hold", reason);
}

int archive_release(struct archive *a, const struct archive_actor *who, const uint8_t id[16],
		    const char *reason)
{
	return hold_or_release(a, who, id, "release", reason);
}

int archive_sweep(struct archive *a, const volatile bool *stop)
{
	static const struct archive_actor who = {"retention", "patchbay-archive"};
	uint8_t id[AT_ONCE][16];
	int n = AT_ONCE, deleted = 0;

	while (n == AT_ONCE && (stop == NULL || !*stop)) {
		int before = deleted;

		n = shelf_due(a->shelf, archive_now_ms(), id, AT_ONCE);
		for (int i = 0; i < n && (stop == NULL || !*stop); i++) {
			char text[RECORDING_ID_TEXT];

			recording_id_text(id[i], text);
			if (archive_delete(a, &who, id[i], "its retention is over") == 0) {
				log_info("retention", "%s is deleted", text);
				deleted++;
			} else {
				log_error("retention", "%s cannot be deleted: %s", text, a->why);
			}
		}
		if (deleted == before)
			break;
	}
	return deleted;
}

static int reclassify(struct archive *a, const uint8_t id[16])
{
	json_t *row;
	int err = shelf_get(a->shelf, id, &row);

	if (err != 0)
		return err;
	if (strcmp(text_of(row, "state"), "finished") == 0) {
		char before[64];
		json_int_t until = json_integer_value(json_object_get(row, "keep_until_ms"));

		snprintf(before, sizeof(before), "%s", text_of(row, "class"));
		archive_retain(a->cfg, row, json_object_get(row, "tags"));
		if (strcmp(before, text_of(row, "class")) != 0 ||
		    until != json_integer_value(json_object_get(row, "keep_until_ms")))
			err = shelf_keep(a->shelf, id, text_of(row, "class"),
					 (uint64_t)json_integer_value(
						 json_object_get(row, "keep_until_ms")));
	}
	json_decref(row);
	return err;
}

int archive_reclassify(struct archive *a, const uint8_t *only)
{
	uint8_t id[AT_ONCE][16], last[16];
	int n = AT_ONCE, err = 0;
	bool first = true;

	if (only != NULL)
		return reclassify(a, only);
	while (n == AT_ONCE && err == 0) {
		n = shelf_ids(a->shelf, first ? NULL : last, id, AT_ONCE, 1);
		first = false;
		for (int i = 0; err == 0 && i < n; i++)
			err = reclassify(a, id[i]);
		if (n > 0)
			memcpy(last, id[n - 1], 16);
	}
	return n < 0 ? n : err;
}
