/* Business hours: a week, holidays, and single days that differ from both.
 *
 * Pure: time zones are the shell's business. A calendar names its zone; the shell turns the
 * instant into local time there (hours_local() serves zones that are a fixed offset) and asks.
 *
 * Thread: immutable after loading, any thread may ask.
 */
#ifndef CONF_HOURS_H
#define CONF_HOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOURS_SPANS_MAX = 6, HOURS_DATES_MAX = 128, HOURS_NAME_MAX = 48 };

/* A moment on the wall clock of a calendar's zone. */
struct local_time {
	int16_t year;   /* 2026 */
	uint8_t month;  /* 1..12 */
	uint8_t day;    /* 1..31 */
	uint8_t hour;   /* 0..23 */
	uint8_t minute; /* 0..59 */
	uint8_t second; /* 0..60 */
};

/* [from_min, to_min) in minutes since midnight, 0..1440. A span over midnight is two spans. */
struct hours_span {
	uint16_t from_min;
	uint16_t to_min;
};

struct hours_day {
	uint8_t n;
	struct hours_span span[HOURS_SPANS_MAX];
};

/* A run of dates, both ends included, in which the week does not count. */
struct hours_dates {
	int32_t from; /* days since 1970-01-01 */
	int32_t to;
	struct hours_day day; /* the hours of each of them; none: closed all day */
	char name[HOURS_NAME_MAX];
};

struct hours {
	const char *name;
	const char *zone;         /* "+08:00", "UTC" or a TZ name such as "Asia/Shanghai" */
	bool zone_fixed;          /* `offset_min` is all there is to know */
	int16_t offset_min;       /* local time = UTC + this; when zone_fixed */
	struct hours_day week[7]; /* 0 = Monday */
	uint16_t n_dates;
	struct hours_dates *dates; /* the first that holds the date wins */
};

/* Local time at `utc_ms` since the epoch in a zone `offset_min` ahead of UTC. */
struct local_time hours_local(int64_t utc_ms, int offset_min);

/* Is it open at `t`? When it is a named date (holiday), `*why` is its name, else NULL. */
bool hours_open(const struct hours *h, const struct local_time *t, const char **why);

/* Days since 1970-01-01 of a Gregorian date, and whether the date exists. */
int32_t hours_day_number(int year, int month, int day);
bool hours_date_exists(int year, int month, int day);

/* 0 = Monday ... 6 = Sunday. */
int hours_weekday(int32_t day_number);

#endif
