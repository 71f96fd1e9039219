/* SPDX-License-Identifier: Apache-2.0
 *
 * A border is where the local date, hour or half hour changes from one quarter of an hour to the next. The offset from
 * UTC belongs to an hour's name, so that the hour that comes twice in autumn is two.
 */
#include "loop/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LONGEST_MS (UINT64_C(3660) * 86400000)

const char *zone_unit_name(enum zone_unit unit)
{
	static const char *const names[ZONE_UNITS] = {"15m", "30m", "1h", "1d", "all"};

	return unit < ZONE_UNITS ? names[unit] : "?";
}

bool zone_known(const char *zone)
{
	char path[160];

	if (zone == NULL || zone[0] == '\0')
		return true;
	if (zone[0] == '/' || zone[0] == '.' || strstr(zone, "..") != NULL || strlen(zone) > 100)
		return false;
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", zone);
	return access(path, R_OK) == 0;
}

/* Returns what TZ was ("" and *was_set false when it was not), to be given back. */
static void enter(const char *zone, char *was, size_t size, bool *was_set)
{
	const char *before = getenv("TZ");

	*was_set = before != NULL;
	snprintf(was, size, "%s", before ? before : "");
	setenv("TZ", zone, 1);
	tzset();
}

static void leave(const char *was, bool was_set)
{
	if (was_set)
		setenv("TZ", was, 1);
	else
		unsetenv("TZ");
	tzset();
}

static int64_t name_of(enum zone_unit unit, uint64_t ms)
{
	time_t at = (time_t)(ms / 1000);
	struct tm tm;
	int64_t day, hour;

	localtime_r(&at, &tm);
	day = (int64_t)tm.tm_year * 400 + tm.tm_yday;
	hour = (day * 100000 + tm.tm_gmtoff / 60 + 2000) * 24 + tm.tm_hour;
	switch (unit) {
	case ZONE_15M:
		return (int64_t)(ms / ZONE_STEP_MS);
	case ZONE_30M:
		return hour * 2 + tm.tm_min / 30;
	case ZONE_1H:
		return hour;
	case ZONE_1D:
		return day;
	case ZONE_ALL:
	case ZONE_UNITS:
		break;
	}
	return 0;
}

static uint32_t walk(enum zone_unit unit, uint64_t from_ms, uint64_t to_ms, uint64_t *border,
		     uint32_t max)
{
	int64_t name = name_of(unit, from_ms);
	uint32_t n = 0;

	border[n++] = from_ms;
	for (uint64_t ms = from_ms + ZONE_STEP_MS; ms < to_ms; ms += ZONE_STEP_MS) {
		int64_t next = name_of(unit, ms);

		if (next == name)
			continue;
		name = next;
		if (n + 1 >= max)
			return 0;
		border[n++] = ms;
	}
	border[n++] = to_ms;
	return n;
}

uint32_t zone_borders(const char *zone, enum zone_unit unit, uint64_t from_ms, uint64_t to_ms,
		      uint64_t *border, uint32_t max)
{
	bool other = zone != NULL && zone[0] != '\0', was_set = false;
	char was[128];
	uint32_t n;

	if (max < 2 || to_ms <= from_ms || to_ms - from_ms > LONGEST_MS)
		return 0;
	from_ms -= from_ms % ZONE_STEP_MS;
	to_ms += (ZONE_STEP_MS - to_ms % ZONE_STEP_MS) % ZONE_STEP_MS;
	if (other)
		enter(zone, was, sizeof(was), &was_set);
	n = walk(unit, from_ms, to_ms, border, max);
	if (other)
		leave(was, was_set);
	return n;
}
