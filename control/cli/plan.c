/* SPDX-License-Identifier: Apache-2.0
 *
 * plan: seats and people from the number of users, and whether the weeks say that they do not fit any more. The
 * thoughts are record/seats.h's; the weeks are summed up from reports.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "record/seats.h"

enum { WEEKS_MAX = 26, DAY_S = 86400 };

static bool real_option(struct cli *c, const char *name, double least, double most, double *value)
{
	const char *text;
	char *end;

	if (!cli_option(c, name, &text))
		return false;
	if (text == NULL)
		return true;
	*value = strtod(text, &end);
	if (end == text || *end != '\0' || !(*value >= least && *value <= most)) {
		cli_usage(c, "%s must be a number from %g to %g", name, least, most);
		return false;
	}
	return true;
}

static bool whole_option(struct cli *c, const char *name, int64_t least, int64_t most,
			 int64_t *value)
{
	const char *text;

	return cli_option(c, name, &text) &&
	       (text == NULL || cli_number(c, name, text, least, most, value));
}

/* --- seats --------------------------------------------------------------------------------- */

static void print_seats(struct cli *c, const struct seats_wish *w, const struct seats_plan *p)
{
	cli_say(c, "users            %llu, one seat for each full %llu: %.2f\n",
		(unsigned long long)w->users, (unsigned long long)w->users_per_seat,
		p->seats_exact);
	cli_say(c, "seats            %llu\n", (unsigned long long)p->seats);
	if (w->elsewhere > 0)
		cli_say(c, "seats at first   %llu, without %u that others answer for\n",
			(unsigned long long)p->at_first, w->elsewhere);
	cli_say(c, "people per seat  %.2f h x %.2f days / %.2f h = %.2f, rounded up: %llu\n",
		w->hours_a_day, w->days_a_month, w->hours_of_one_person, p->people_per_seat_exact,
		(unsigned long long)p->people_per_seat);
	cli_say(c, "people           %llu", (unsigned long long)p->people);
	if (w->elsewhere > 0)
		cli_say(c, ", at first %llu", (unsigned long long)p->people_at_first);
	cli_say(c, "\n");
}

static int plan_seats(struct cli *c)
{
	struct seats_wish w = {
		.hours_a_day = 14, .days_a_month = 30, .hours_of_one_person = 166.64};
	int64_t users = -1, per_seat = 20000, elsewhere = 0;
	struct seats_plan p;
	json_t *r;

	if (!whole_option(c, "--users", 0, INT64_C(10000000000), &users) ||
	    !whole_option(c, "--users-per-seat", 1, INT64_C(10000000000), &per_seat) ||
	    !whole_option(c, "--elsewhere", 0, 1000000, &elsewhere) ||
	    !real_option(c, "--hours", 0, 24, &w.hours_a_day) ||
	    !real_option(c, "--days", 0, 31, &w.days_a_month) ||
	    !real_option(c, "--hours-of-one", 1, 744, &w.hours_of_one_person) || !cli_end(c))
		return CLI_USAGE;
	if (users < 0)
		return cli_usage(c, "--users is missing: how many users are to be served");
	w.users = (uint64_t)users;
	w.users_per_seat = (uint64_t)per_seat;
	w.elsewhere = (uint32_t)elsewhere;
	seats_plan(&p, &w);
	r = json_pack("{s:f,s:I,s:I,s:f,s:I,s:I,s:I}", "seats_exact", p.seats_exact, "seats",
		      (json_int_t)p.seats, "seats_at_first", (json_int_t)p.at_first,
		      "people_per_seat_exact", p.people_per_seat_exact, "people_per_seat",
		      (json_int_t)p.people_per_seat, "people", (json_int_t)p.people,
		      "people_at_first", (json_int_t)p.people_at_first);
	if (!cli_json(c, r))
		print_seats(c, &w, &p);
	json_decref(r);
	return CLI_OK;
}

/* --- weeks --------------------------------------------------------------------------------- */

struct week {
	int64_t from_ms;
	int64_t calls, answered, left; /* left the queue, one way or another */
};

/* Midnight before the Monday `weeks` weeks before this week's; days differ in length twice a year. */
static int64_t monday_ms(unsigned weeks)
{
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	tm.tm_mday -= (tm.tm_wday + 6) % 7 + 7 * (int)weeks;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm) * 1000;
}

static void sum_up(struct week *week, size_t n, const json_t *rows)
{
	const json_t *r;
	size_t i;

	json_array_foreach(rows, i, r)
	{
		int64_t at = cli_int(r, "from_ms");
		int64_t answered = cli_int(r, "answered");

		for (size_t k = 0; k < n; k++) {
			if (at < week[k].from_ms || at >= week[k + 1].from_ms)
				continue;
			week[k].calls += cli_int(r, "offered");
			week[k].answered += answered;
			week[k].left += answered + cli_int(r, "abandoned_short") +
					cli_int(r, "abandoned_long") + cli_int(r, "overflowed");
		}
	}
}

static double share(const struct week *w)
{
	return w->left > 0 ? (double)w->answered / (double)w->left : (double)NAN;
}

static void print_weeks(struct cli *c, const struct week *week, size_t n)
{
	struct table *t = table_new();

	table_column(t, "WEEK OF", TABLE_LEFT);
	table_column(t, "CALLS", TABLE_RIGHT);
	table_column(t, "ANSWERED", TABLE_RIGHT);
	table_column(t, "ANSWER %", TABLE_RIGHT);
	for (size_t i = 0; i < n; i++) {
		time_t at = (time_t)(week[i].from_ms / 1000);
		char day[16];
		struct tm tm;

		localtime_r(&at, &tm);
		strftime(day, sizeof(day), "%Y-%m-%d", &tm);
		table_cell(t, day);
		table_cellf(t, "%lld", (long long)week[i].calls);
		table_cellf(t, "%lld", (long long)week[i].answered);
		if (week[i].left > 0)
			table_cellf(t, "%.1f", 100 * share(&week[i]));
		else
			table_cell(t, NULL);
	}
	table_print(t, c->out);
	table_free(t);
}

static json_t *weeks_json(const struct week *week, size_t n, bool met)
{
	json_t *list = json_array(), *r = json_pack("{s:b,s:o}", "met", met, "weeks", list);

	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			list,
			json_pack("{s:I,s:I,s:I,s:o}", "from_ms", (json_int_t)week[i].from_ms,
				  "calls", (json_int_t)week[i].calls, "answered",
				  (json_int_t)week[i].answered, "answer_rate",
				  week[i].left > 0 ? json_real(share(&week[i])) : json_null()));
	return r;
}

static int ask_weeks(struct cli *c, const char *queue, const char *zone, struct week *week,
		     size_t n)
{
	json_t *p = json_pack("{s:s,s:I,s:I,s:s}", "of", "queues", "from_ms",
			      (json_int_t)week[0].from_ms, "to_ms", (json_int_t)week[n].from_ms,
			      "interval", "1d");
	json_t *r = NULL;
	int rc;

	if (queue != NULL)
		json_object_set_new(p, "key", json_string(queue));
	if (zone != NULL)
		json_object_set_new(p, "zone", json_string(zone));
	rc = cli_ask(c, CLI_DAEMON, "report", p, &r);
	if (rc == 0)
		sum_up(week, n, json_object_get(r, "rows"));
	json_decref(r);
	return rc;
}

static int plan_weeks(struct cli *c)
{
	struct week week[WEEKS_MAX + 2] = {{0}};
	double number[WEEKS_MAX + 1], base = 0, falls = 0;
	bool volume = cli_switch(c, "--calls"), met;
	int64_t weeks = volume ? SEATS_VOLUME_WEEKS : SEATS_ANSWER_RATE_WEEKS;
	const char *queue, *zone;
	size_t n;
	int rc;

	falls = volume ? SEATS_VOLUME_FALLS : 100 * SEATS_ANSWER_RATE_FALLS;
	if (!real_option(c, "--falls", 0, volume ? 1e9 : 100, &falls) ||
	    !whole_option(c, "--weeks", 1, WEEKS_MAX, &weeks) || !cli_option(c, "--zone", &zone))
		return CLI_USAGE;
	queue = cli_word(c);
	if (!cli_end(c))
		return CLI_USAGE;
	if (zone != NULL) {
		setenv("TZ", zone, 1);
		tzset();
	}
	n = (size_t)weeks + 1;
	for (size_t i = 0; i <= n; i++) /* whole weeks: the last border is this week's Monday */
		week[i].from_ms = monday_ms((unsigned)(n - i));
	rc = ask_weeks(c, queue, zone, week, n);
	if (rc != 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		number[i] = volume ? (double)week[i].calls : 100 * share(&week[i]);
	met = seats_fell(number, n, falls, (size_t)weeks, &base);
	json_t *r = weeks_json(week, n, met);

	if (!cli_json(c, r)) {
		print_weeks(c, week, n);
		if (met)
			cli_say(c,
				"ALERT: %s lies %g %s or more below the week before, for %d "
				"weeks%s\n",
				volume ? "the number of calls" : "the answer rate", falls,
				volume ? "calls" : "points", (int)weeks,
				volume ? ": lines may be given up" : ": a new seat is due");
		else
			cli_say(c,
				"no alert: it takes %d weeks, each %g %s or more below the week "
				"before\n",
				(int)weeks, falls, volume ? "calls" : "points");
	}
	json_decref(r);
	return met ? CLI_REFUSED : CLI_OK;
}

int cli_plan(struct cli *c)
{
	const char *what = c->words > 0 ? c->word[0] : "";
	bool seats = strcmp(what, "seats") == 0;

	if (!seats && strcmp(what, "weeks") != 0)
		return cli_usage(c, "\"%s\" is none of seats, weeks", what);
	memmove(c->word, c->word + 1, --c->words * sizeof(c->word[0]));
	return seats ? plan_seats(c) : plan_weeks(c);
}
