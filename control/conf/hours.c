/* SPDX-License-Identifier: Apache-2.0
 * Dates as a count of days, by the civil calendar in eras of 400 years that begin in March, so
 * that the leap day is the last of a year. */
#include "conf/hours.h"

static bool leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

bool hours_date_exists(int year, int month, int day)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1)
		return false;
	return day <= days[month - 1] + (month == 2 && leap(year) ? 1 : 0);
}

int32_t hours_day_number(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year;
	int era = (y >= 0 ? y : y - 399) / 400;
	int of_era = y - era * 400;
	int of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int hours_weekday(int32_t day_number)
{
	/* 1970-01-01 was a Thursday. */
	int w = (day_number % 7 + 3) % 7;

	return w < 0 ? w + 7 : w;
}

struct local_time hours_local(int64_t utc_ms, int offset_min)
{
	int64_t s = utc_ms / 1000 - (utc_ms % 1000 < 0 ? 1 : 0) + (int64_t)offset_min * 60;
	int64_t days = s / 86400 - (s % 86400 < 0 ? 1 : 0);
	int64_t rest = s - days * 86400;
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t of_era = z - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	int64_t mp = (5 * of_year + 2) / 153;
	int64_t month = mp < 10 ? mp + 3 : mp - 9;

	return (struct local_time){
		.year = (int16_t)(y + era * 400 + (month <= 2 ? 1 : 0)),
		.month = (uint8_t)month,
		.day = (uint8_t)(of_year - (153 * mp + 2) / 5 + 1),
		.hour = (uint8_t)(rest / 3600),
		.minute = (uint8_t)(rest / 60 % 60),
		.second = (uint8_t)(rest % 60),
	};
}

static bool inside(const struct hours_day *day, unsigned minute)
{
	for (unsigned i = 0; i < day->n; i++)
		if (minute >= day->span[i].from_min && minute < day->span[i].to_min)
			return true;
	return false;
}

bool hours_open(const struct hours *h, const struct local_time *t, const char **why)
{
	int32_t today = hours_day_number(t->year, t->month, t->day);
	unsigned minute = t->hour * 60u + t->minute;

	for (unsigned i = 0; i < h->n_dates; i++) {
		const struct hours_dates *d = &h->dates[i];

		if (today < d->from || today > d->to)
			continue;
		if (why != NULL)
			*why = d->name;
		return inside(&d->day, minute);
	}
	if (why != NULL)
		*why = NULL;
	return inside(&h->week[hours_weekday(today)], minute);
}
