/* Numbered events, kept for those who come back.
 *
 * Each event gets the next number, from 1, and is kept as the very line that subscribers receive,
 * so that sending one to a hundred clients formats it once. The newest `events_max` are kept, and
 * fewer when they are long: `bytes_max` bounds them all.
 *
 * Thread: one owner.
 */
#ifndef PATCHBAY_EVENT_LOG_H
#define PATCHBAY_EVENT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

enum { EVENT_LOG_EVENTS = 65536, EVENT_LOG_BYTES = 32 * 1024 * 1024 };

struct event_log;

/* A log that keeps at most `events_max` events (a power of two) of at most `bytes_max` bytes
 * together. Never NULL. */
struct event_log *event_log_new(uint32_t events_max, size_t bytes_max);
void event_log_free(struct event_log *log);

/* Append one event: {"jsonrpc":"2.0","method":"event","params":{"seq":..,"time_ms":..,"type":..,
 * members...}}. Takes `members` (an object, or NULL for none). Returns its number. */
uint64_t event_log_append(struct event_log *log, uint64_t time_ms, const char *type,
			  json_t *members);

/* Number of the newest event (0: none yet) and of the oldest that is kept (newest + 1: none). */
uint64_t event_log_newest(const struct event_log *log);
uint64_t event_log_oldest(const struct event_log *log);

/* The line of event `seq` with its newline; false when it is not kept (or not there yet). The
 * line is valid until the next append. */
bool event_log_get(const struct event_log *log, uint64_t seq, const char **line, size_t *len);

/* Bytes of all events ever appended up to and including `seq`, which must be kept or be
 * oldest - 1: the difference of two is what lies between them. */
uint64_t event_log_position(const struct event_log *log, uint64_t seq);

#endif
