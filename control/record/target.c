/* SPDX-License-Identifier: Apache-2.0 */
#include "record/target.h"

#include <string.h>

/* The figure in the target's unit; false: there is none. */
static bool figure(const json_t *row, enum config_target_what what, double *out)
{
	static const struct {
		const char *member;
		double times;
	} from[TARGET_WHATS] = {
		[TARGET_ANSWER_RATE] = {"answer_rate", 100},
		[TARGET_SERVICE_LEVEL] = {"service_level", 100},
		[TARGET_ABANDON_RATE] = {"abandon_rate", 100},
		[TARGET_SPEED_OF_ANSWER] = {"speed_of_answer_ms", 0.001},
		[TARGET_HANDLE_TIME] = {"handle_time_ms", 0.001},
		[TARGET_OCCUPANCY] = {"occupancy", 100},
		[TARGET_CONTAINMENT] = {"containment", 100},
		[TARGET_CALLS_BACK] = {"calls_back_per_hour", 1},
	};
	const json_t *v = json_object_get(row, from[what].member);

	if (!json_is_number(v))
		return false;
	*out = json_number_value(v) * from[what].times;
	return true;
}

static bool better(const struct config_target *t, const struct config_target *than)
{
	bool own = t->name[0] != '\0';

	if (than == NULL || own != (than->name[0] != '\0'))
		return than == NULL || own;
	return t->from_day >= than->from_day;
}

void target_judge(const struct config *c, enum config_target_of of, json_t *row, int32_t day)
{
	const char *name = json_string_value(json_object_get(row, config_target_of_name(of)));
	const struct config_target *best[TARGET_WHATS] = {NULL};
	json_t *list = json_array();

	for (unsigned i = 0; i < c->n_targets && name != NULL; i++) {
		const struct config_target *t = &c->targets[i];

		if (t->of == of && t->from_day <= day &&
		    (t->name[0] == '\0' || strcmp(t->name, name) == 0) && better(t, best[t->what]))
			best[t->what] = t;
	}
	for (unsigned w = 0; w < TARGET_WHATS; w++) {
		const struct config_target *t = best[w];
		json_t *met;
		double is;

		if (t == NULL)
			continue;
		met = figure(row, (enum config_target_what)w, &is)
			      ? json_boolean(t->at_most ? is <= t->bound : is >= t->bound)
			      : json_null();
		json_array_append_new(
			list, json_pack("{s:s, s:i, s:s?, s:o}", "what", config_target_what_name(w),
					t->at_most ? "at_most" : "at_least", (int)t->bound, "from",
					t->from[0] != '\0' ? t->from : NULL, "met", met));
	}
	json_object_set_new(row, "targets", list);
}
