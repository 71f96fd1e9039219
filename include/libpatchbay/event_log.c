/* SPDX-License-Identifier: Apache-2.0
 *
 * A ring of lines addressed by event number: event `seq` lives in slot seq & mask. Each slot also
 * keeps the running total of bytes, so "how much lies between two events" is a subtraction.
 */
#include "patchbay/event_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

struct slot {
	char *line; /* with its newline */
	size_t len;
	uint64_t end; /* bytes of all events up to and including this one */
};

struct event_log {
	struct slot *slot;
	uint32_t mask;
	size_t bytes, bytes_max;
	uint64_t oldest, newest; /* kept: oldest..newest; none when oldest == newest + 1 */
	uint64_t end;            /* bytes ever appended */
};

struct event_log *event_log_new(uint32_t events_max, size_t bytes_max)
{
	struct event_log *log = calloc(1, sizeof(*log));

	must(log != NULL);
	must(events_max > 0 && (events_max & (events_max - 1)) == 0);
	log->slot = calloc(events_max, sizeof(*log->slot));
	must(log->slot != NULL);
	log->mask = events_max - 1;
	log->bytes_max = bytes_max;
	log->oldest = 1;
	return log;
}

static void forget_oldest(struct event_log *log)
{
	struct slot *s = &log->slot[log->oldest & log->mask];

	log->bytes -= s->len;
	free(s->line);
	s->line = NULL;
	log->oldest++;
}

void event_log_free(struct event_log *log)
{
	if (log == NULL)
		return;
	while (log->oldest <= log->newest)
		forget_oldest(log);
	free(log->slot);
	free(log);
}

static char *line_make(uint64_t seq, uint64_t time_ms, const char *type, json_t *members,
		       size_t *len)
{
	json_t *params = json_pack("{s:I, s:I, s:s}", "seq", (json_int_t)seq, "time_ms",
				   (json_int_t)time_ms, "type", type);

	must(params != NULL);
	if (members != NULL)
		must(json_object_update(params, members) == 0);
	json_decref(members);

	json_t *event =
		json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method", "event", "params", params);

	must(event != NULL);
	char *text = json_dumps(event, JSON_COMPACT);

	must(text != NULL);
	json_decref(event);
	*len = strlen(text) + 1;
	text[*len - 1] = '\n'; /* over the NUL: lines are counted, not terminated */
	return text;
}

uint64_t event_log_append(struct event_log *log, uint64_t time_ms, const char *type,
			  json_t *members)
{
	uint64_t seq = log->newest + 1;
	size_t len;
	char *line = line_make(seq, time_ms, type, members, &len);

	while (log->oldest <= log->newest &&
	       (seq - log->oldest > log->mask || log->bytes + len > log->bytes_max))
		forget_oldest(log);

	log->end += len;
	log->bytes += len;
	log->slot[seq & log->mask] = (struct slot){line, len, log->end};
	log->newest = seq;
	return seq;
}

uint64_t event_log_newest(const struct event_log *log)
{
	return log->newest;
}

uint64_t event_log_oldest(const struct event_log *log)
{
	return log->oldest;
}

bool event_log_get(const struct event_log *log, uint64_t seq, const char **line, size_t *len)
{
	if (seq < log->oldest || seq > log->newest)
		return false;

	const struct slot *s = &log->slot[seq & log->mask];

	*line = s->line;
	*len = s->len;
	return true;
}

uint64_t event_log_position(const struct event_log *log, uint64_t seq)
{
	if (seq >= log->newest)
		return log->end;
	if (seq + 1 <= log->oldest)
		return log->end - log->bytes;
	return log->slot[seq & log->mask].end;
}
