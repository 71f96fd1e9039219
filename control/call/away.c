/* SPDX-License-Identifier: Apache-2.0
 *
 * The budgets of not-ready time: the account of each desk is kept in wall-clock time, because days are.
 */
#include "call/away.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "call/calls.h"

enum { MINUTE_MS = 60000, HOUR_MS = 3600000, ASK_AFTER_MS = 3000 };

/* Midnight before `now_ms`. On the day of a change of summer time the way back is not its hours long. */
static uint64_t midnight_ms(struct centre *c, uint64_t now_ms, const struct local_time *t)
{
	uint64_t at_ms = now_ms - now_ms % 1000 -
			 ((t->hour * 60u + t->minute) * 60u + t->second) * UINT64_C(1000);
	struct local_time then = centre_local(c, at_ms);

	if (then.day != t->day)
		return at_ms + (24u - then.hour) * (uint64_t)HOUR_MS;
	return at_ms - then.hour * (uint64_t)HOUR_MS;
}

static const struct budget_day *today(struct centre *c, uint64_t now_ms)
{
	struct local_time t;

	/* Midnight is a whole minute everywhere. */
	if (c->away.minute == now_ms / MINUTE_MS)
		return &c->away.today;
	t = centre_local(c, now_ms);
	c->away.minute = now_ms / MINUTE_MS;
	c->away.today = (struct budget_day){
		.day = hours_day_number(t.year, t.month, t.day),
		.begin_ms = midnight_ms(c, now_ms, &t),
	};
	return &c->away.today;
}

static const char *line_name(const struct centre *c, unsigned line)
{
	return line == BUDGET_TOTAL    ? "total"
	       : line == BUDGET_OTHERS ? "other"
				       : desk_reason_name(c, (uint8_t)line);
}

void away_changed(struct centre *c, int agent, enum agent_state state, uint8_t reason)
{
	uint64_t now_ms = clock_wall_ms();

	if (agent >= 0 && (unsigned)agent < c->desks_max)
		budget_state(&c->desks[agent].budget, state, reason, today(c, now_ms), now_ms);
}

bool away_allowed(struct centre *c, int agent, uint8_t reason, char *why, size_t why_size)
{
	uint64_t now_ms = clock_wall_ms(), limit_ms;
	unsigned line;

	if (agent < 0 || (unsigned)agent >= c->desks_max ||
	    budget_allows(&c->desks[agent].budget, c->config, reason, today(c, now_ms), now_ms,
			  &line))
		return true;
	limit_ms = budget_limit_ms(c->config, line);
	snprintf(why, why_size, "the %llu min %llu s of \"%s\" for today are used up",
		 (unsigned long long)(limit_ms / MINUTE_MS),
		 (unsigned long long)(limit_ms % MINUTE_MS / 1000), line_name(c, line));
	return false;
}

static void tell_used_up(struct centre *c, int agent, unsigned line, uint64_t now_ms)
{
	struct budget *b = &c->desks[agent].budget;
	struct acd_agent_view v;

	if (!acd_agent_view(c->acd, agent, &v))
		return;
	log_warn("agent", "%s has used up its time for today: %s", v.number, line_name(c, line));
	centre_publish(
		c, "agent.budget",
		json_pack("{s:s,s:s,s:I,s:I}", "agent", v.number, "reason", line_name(c, line),
			  "used_ms",
			  (json_int_t)budget_used_ms(b, c->config, line, today(c, now_ms), now_ms),
			  "budget_ms", (json_int_t)budget_limit_ms(c->config, line)));
}

/* --- after a start ------------------------------------------------------------------------- */

static uint8_t reason_named(const struct centre *c, const char *name)
{
	for (unsigned i = 0; i < c->config->n_reasons; i++)
		if (strcmp(c->config->reasons[i].name, name) == 0)
			return c->config->reasons[i].code;
	return name[0] == '\0' ? AGENT_REASON_NONE : AGENT_REASON_NO_ANSWER;
}

static void on_counted(void *arg, const json_t *result, const char *error)
{
	struct centre *c = arg;
	const struct budget_day *day = today(c, clock_wall_ms());
	const json_t *row;
	size_t i;

	if (error != NULL)
		log_error("agent", "today's not-ready times cannot be read: %s", error);
	if (day->day != c->away.asked_day)
		return; /* it has become tomorrow */
	json_array_foreach(json_object_get(result, "away"), i, row)
	{
		const char *number = json_string_value(json_object_get(row, "agent"));
		const char *reason = json_string_value(json_object_get(row, "reason"));
		json_int_t used_ms = json_integer_value(json_object_get(row, "used_ms"));
		int agent = number != NULL ? acd_agent_find(c->acd, number) : -1;

		if (agent >= 0 && (unsigned)agent < c->desks_max && reason != NULL && used_ms > 0)
			budget_restore(&c->desks[agent].budget, reason_named(c, reason),
				       (uint64_t)used_ms, day);
	}
}

/* What was counted before this program began; what has been since then it counts itself. */
static void ask(struct centre *c, uint64_t now_ms)
{
	const struct budget_day *day = today(c, now_ms);

	c->away.asked = true;
	c->away.asked_day = day->day;
	if (c->store == NULL || c->started_ms <= day->begin_ms)
		return;
	if (store_ask(c->store, STORE_ASK_AWAY,
		      &(struct store_filter){.from_ms = day->begin_ms, .to_ms = c->started_ms},
		      on_counted, c) != 0)
		log_error("agent", "today's not-ready times cannot be read: the database is busy");
}

void away_second(struct centre *c)
{
	uint64_t now_ms = clock_wall_ms();

	/* Not at once: what a program that was killed left open is closed first. */
	if (!c->away.asked && now_ms >= c->started_ms + ASK_AFTER_MS)
		ask(c, now_ms);
	for (uint32_t i = 0; i < acd_agents(c->acd) && i < c->desks_max; i++)
		for (int line; (line = budget_used_up(&c->desks[i].budget, c->config,
						      today(c, now_ms), now_ms)) >= 0;)
			tell_used_up(c, (int)i, (unsigned)line, now_ms);
}

/* --- for tables ---------------------------------------------------------------------------- */

json_t *away_rows(struct centre *c, int agent)
{
	uint64_t now_ms = clock_wall_ms();
	json_t *list = json_array();

	for (unsigned line = 0; line < BUDGET_LINES; line++) {
		uint64_t used_ms = budget_used_ms(&c->desks[agent].budget, c->config, line,
						  today(c, now_ms), now_ms);
		uint64_t limit_ms = budget_limit_ms(c->config, line);
		json_t *o;

		if (used_ms == 0 && limit_ms == UINT64_MAX && line != BUDGET_TOTAL)
			continue;
		o = json_pack("{s:s,s:I}", "reason", line_name(c, line), "used_ms",
			      (json_int_t)used_ms);
		json_object_set_new(o, "budget_ms",
				    limit_ms == UINT64_MAX ? json_null()
							   : json_integer((json_int_t)limit_ms));
		json_array_append_new(list, o);
	}
	return list;
}
