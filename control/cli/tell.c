/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers in words: members of JSON, times, durations, amounts.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/table.h"

enum { ID_SHOWN = 8 };

bool cli_json(struct cli *c, const json_t *result)
{
	if (!c->json)
		return false;
	json_dumpf(result, c->out, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12));
	fputc('\n', c->out);
	return true;
}

const char *cli_text(const json_t *object, const char *member)
{
	const char *s = json_string_value(json_object_get(object, member));

	return s != NULL ? s : "";
}

int64_t cli_int(const json_t *object, const char *member)
{
	const json_t *v = json_object_get(object, member);

	return json_is_real(v) ? (int64_t)json_real_value(v) : json_integer_value(v);
}

double cli_real(const json_t *object, const char *member)
{
	return json_number_value(json_object_get(object, member));
}

bool cli_true(const json_t *object, const char *member)
{
	return json_is_true(json_object_get(object, member));
}

void cli_say(struct cli *c, const char *fmt, ...)
{
	char *line, *at;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&line, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	/* Line by line: a newline of ours stays, all else that is control is made harmless. */
	at = line;
	for (char *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		char *clean;

		*end = '\0';
		clean = table_clean(at);
		fprintf(c->out, "%s\n", clean);
		free(clean);
	}
	char *rest = table_clean(at);

	fputs(rest, c->out);
	free(rest);
	free(line);
}

const char *cli_id(const struct cli *c, const char *id)
{
	/* A leg is CALL.l1: what follows the dot does not count. */
	const char *dot = strrchr(id, '.');
	size_t n = dot != NULL ? (size_t)(dot - id) : strlen(id);

	return c->wide || n <= 2 * ID_SHOWN ? id : id + n - ID_SHOWN;
}

const char *cli_duration(int64_t ms, char buf[32])
{
	int64_t s = ms / 1000;

	if (ms < 0)
		return "-";
	if (s < 3600)
		snprintf(buf, 32, "%" PRId64 ":%02d", s / 60, (int)(s % 60));
	else if (s < 86400)
		snprintf(buf, 32, "%" PRId64 ":%02d:%02d", s / 3600, (int)(s / 60 % 60),
			 (int)(s % 60));
	else
		snprintf(buf, 32, "%" PRId64 "d %02d:%02d", s / 86400, (int)(s / 3600 % 24),
			 (int)(s / 60 % 60));
	return buf;
}

const char *cli_time(int64_t ms, char buf[32])
{
	time_t at = (time_t)(ms / 1000), now = time(NULL);
	struct tm then, today;

	if (ms <= 0)
		return "-";
	localtime_r(&at, &then);
	localtime_r(&now, &today);

	bool same_day = then.tm_yday == today.tm_yday && then.tm_year == today.tm_year;

	strftime(buf, 32, same_day ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &then);
	return buf;
}

const char *cli_amount(double n, char buf[32])
{
	static const char units[] = " kMGT";
	unsigned u = 0;

	while (n >= 10000.0 && u < 4) {
		n /= 1000.0;
		u++;
	}
	if (u == 0)
		snprintf(buf, 32, "%.0f", n);
	else
		snprintf(buf, 32, "%.1f %c", n, units[u]);
	return buf;
}
