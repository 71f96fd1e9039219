/* The operator's log: one line per event, never from a per-packet path.
 *
 * A line is `TIME LEVEL PROGRAM AREA: text`, with `[call=ID]` in the text where a call is
 * concerned, on stderr (the journal or a file keeps it). Times are UTC with milliseconds.
 *
 * Thread: any; each line is one write().
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level {
	LOG_LEVEL_ERROR, /* something is broken and somebody must act */
	LOG_LEVEL_WARN,  /* degraded, refused or recovered by itself */
	LOG_LEVEL_INFO,  /* life of the process and of calls */
	LOG_LEVEL_DEBUG, /* for developers */
};

/* Name the program and the most talkative level that is printed. Call once, at start. */
void log_setup(const char *program, enum log_level most);

/* Level from its name ("error", "warn", "info", "debug"). Returns 0 or -EINVAL. */
int log_level_parse(const char *name, enum log_level *level);

void log_line(enum log_level level, const char *area, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(area, ...) log_line(LOG_LEVEL_ERROR, area, __VA_ARGS__)
#define log_warn(area, ...)  log_line(LOG_LEVEL_WARN, area, __VA_ARGS__)
#define log_info(area, ...)  log_line(LOG_LEVEL_INFO, area, __VA_ARGS__)
#define log_debug(area, ...) log_line(LOG_LEVEL_DEBUG, area, __VA_ARGS__)

#endif
