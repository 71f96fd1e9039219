/* SPDX-License-Identifier: Apache-2.0
 *
 * Who served a caller last is known after a restart as well: the newest calls in the store tell it.
 */
#include "call/calls.h"

#include "base/log.h"

static void on_calls(void *arg, const json_t *result, const char *error)
{
	struct centre *c = arg;
	const json_t *list = json_object_get(result, "regulars");
	uint64_t mono_ms = clock_mono_ms(), wall_ms = clock_wall_ms();

	if (error != NULL) {
		log_warn("queue", "who served the callers of before the restart is not known: %s",
			 error);
		return;
	}
	/* The newest come first and are to stay. */
	for (size_t i = json_array_size(list); i-- > 0;) {
		const json_t *row = json_array_get(list, i);
		const char *caller = json_string_value(json_object_get(row, "from"));
		const char *agent = json_string_value(json_object_get(row, "agent"));
		uint64_t at_ms = (uint64_t)json_integer_value(json_object_get(row, "at_ms"));
		uint64_t ago_ms = wall_ms > at_ms ? wall_ms - at_ms : 0;

		if (caller != NULL && agent != NULL && ago_ms < mono_ms)
			regulars_put(c->regulars, caller, agent, mono_ms - ago_ms);
	}
}

void regulars_resume(struct centre *c)
{
	uint64_t now_ms = clock_wall_ms();

	if (c->store != NULL &&
	    store_ask(c->store, STORE_ASK_REGULARS,
		      &(struct store_filter){.from_ms = now_ms > CENTRE_REGULAR_MS
								? now_ms - CENTRE_REGULAR_MS
								: 1},
		      on_calls, c) != 0)
		log_warn("queue", "who served the callers of before the restart is not known: the "
				  "database is busy");
}
