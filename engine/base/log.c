/* SPDX-License-Identifier: Apache-2.0
 *
 * A line is built on the stack and leaves in one write(), so lines of several threads and
 * processes that share a stderr never interleave. The program's name and the level are the
 * only state; they are set before any thread starts and only read afterwards.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static struct {
	const char *program;
	enum log_level most;
} setup = {"patchbay", LOG_LEVEL_INFO};

void log_setup(const char *program, enum log_level most)
{
	setup.program = program;
	setup.most = most;
}

int log_level_parse(const char *name, enum log_level *level)
{
	for (unsigned i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

void log_line(enum log_level level, const char *area, const char *fmt, ...)
{
	char line[1024];
	struct timespec now;
	struct tm tm;
	va_list ap;
	size_t n;
	int text;

	if (level > setup.most)
		return;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(line + n, sizeof(line) - n,
			      ".%03ldZ %-5s %s %s: ", now.tv_nsec / 1000000, level_names[level],
			      setup.program, area);

	va_start(ap, fmt);
	text = vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	va_end(ap);
	if (text > 0)
		n += (size_t)text;
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;

	/* What a peer sent may be quoted in a line; it must not be able to forge another. */
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ')
			line[i] = '?';
	line[n++] = '\n';

	ssize_t written = write(STDERR_FILENO, line, n);
	(void)written;
}
