/* SPDX-License-Identifier: Apache-2.0
 *
 * Reconciliation. A call that was answered must have a recording in the database, or say why not;
 * a recording in the database must be in the store, whole, with the same account.
 */
#include "cli/reconcile.h"

#include <string.h>

static int64_t number(const json_t *o, const char *member)
{
	return json_integer_value(json_object_get(o, member));
}

static const char *text(const json_t *o, const char *member)
{
	const char *s = json_string_value(json_object_get(o, member));

	return s != NULL ? s : "";
}

json_t *reconcile_stored(const struct recording_info *info)
{
	uint64_t written = 0, lost = 0;

	for (int ch = 0; ch < RECORDING_CHANNELS; ch++) {
		written += info->account.channel[ch].written;
		lost += info->account.channel[ch].lost;
	}
	return json_pack("{s:b, s:b, s:I, s:I}", "complete", info->complete, "ended", info->ended,
			 "written", (json_int_t)written, "lost", (json_int_t)lost);
}

json_t *reconcile_finished(const json_t *row)
{
	bool deleted = strcmp(text(row, "state"), "deleted") == 0;
	json_t *in = json_pack("{s:b, s:b}", "finished", 1, "deleted", deleted);

	if (!deleted && json_is_integer(json_object_get(row, "lost")))
		json_object_set(in, "lost", json_object_get(row, "lost"));
	return in;
}

struct sums {
	json_int_t answered, recorded, running, archived, deleted;
	json_t *unrecorded, *problems;
};

static void problem(struct sums *s, const char *kind, const char *why, const char *call,
		    const char *recording)
{
	json_t *p = json_pack("{s:s, s:s, s:s}", "problem", kind, "text", why, "call", call);

	if (recording != NULL)
		json_object_set_new(p, "recording", json_string(recording));
	json_array_append_new(s->problems, p);
}

static void check_recording(struct sums *s, const json_t *r, const json_t *stored)
{
	const char *id = text(r, "recording"), *call = text(r, "call");
	const json_t *in = json_object_get(stored, id);
	bool runs = json_is_null(json_object_get(r, "duration_ms"));

	if (runs) {
		s->running++;
		return;
	}
	if (in == NULL) {
		problem(s, "not_in_store",
			"the database has this recording, neither store nor archive has", call, id);
		return;
	}
	if (json_is_true(json_object_get(in, "finished"))) {
		*(json_is_true(json_object_get(in, "deleted")) ? &s->deleted : &s->archived) += 1;
		if (json_object_get(in, "lost") != NULL && number(in, "lost") != number(r, "lost"))
			problem(s, "account",
				"the database and the archive count its lost frames differently",
				call, id);
		return;
	}
	if (!json_is_true(json_object_get(in, "complete")))
		problem(s, "incomplete",
			"the store has this recording with damage or without an end", call, id);
	else if (number(in, "written") != number(r, "written") ||
		 number(in, "lost") != number(r, "lost"))
		problem(s, "account", "the database and the store count its frames differently",
			call, id);
}

static void check_call(struct sums *s, const json_t *call, const json_t *of_call)
{
	const char *id = text(call, "call"), *why = text(call, "not_recorded");

	if (!json_is_integer(json_object_get(call, "answered_ms")))
		return;
	s->answered++;
	if (json_object_get(of_call, id) != NULL) {
		s->recorded++;
		return;
	}
	if (why[0] == '\0') {
		problem(s, "no_recording",
			"it was answered, has no recording, and no reason is known", id, NULL);
		return;
	}
	json_object_set_new(s->unrecorded, why, json_integer(number(s->unrecorded, why) + 1));
}

json_t *reconcile(const json_t *calls, const json_t *recordings, const json_t *stored)
{
	struct sums s = {.unrecorded = json_object(), .problems = json_array()};
	json_t *of_call = json_object();

	for (size_t i = 0; i < json_array_size(recordings); i++) {
		const json_t *r = json_array_get(recordings, i);

		json_object_set_new(of_call, text(r, "call"), json_true());
		check_recording(&s, r, stored);
	}
	for (size_t i = 0; i < json_array_size(calls); i++)
		check_call(&s, json_array_get(calls, i), of_call);
	json_decref(of_call);
	return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "ok",
			 json_array_size(s.problems) == 0, "answered", s.answered, "recorded",
			 s.recorded, "running", s.running, "archived", s.archived, "deleted",
			 s.deleted, "unrecorded", s.unrecorded, "problems", s.problems);
}
