/* SPDX-License-Identifier: Apache-2.0
 * The account of a day. Every question first brings it to today, so nobody needs to act at midnight. */
#include "agent/budget.h"

unsigned budget_line(uint8_t reason)
{
	return reason <= CONFIG_REASONS_MAX ? reason : BUDGET_OTHERS;
}

static void to_today(struct budget *b, const struct budget_day *today)
{
	if (b->day == today->day)
		return;
	for (unsigned i = 0; i < BUDGET_REASONS; i++)
		b->used_ms[i] = 0;
	b->day = today->day;
	b->told = 0;
	if (b->since_ms < today->begin_ms)
		b->since_ms = today->begin_ms;
}

void budget_state(struct budget *b, enum agent_state state, uint8_t reason,
		  const struct budget_day *today, uint64_t now_ms)
{
	to_today(b, today);
	if (b->runs && now_ms > b->since_ms)
		b->used_ms[budget_line(b->reason)] += now_ms - b->since_ms;
	b->runs = state == AGENT_NOT_READY;
	b->reason = reason;
	b->since_ms = now_ms;
}

void budget_restore(struct budget *b, uint8_t reason, uint64_t used_ms,
		    const struct budget_day *today)
{
	to_today(b, today);
	b->used_ms[budget_line(reason)] += used_ms;
}

static bool counts(const struct config *c, unsigned line)
{
	const struct config_reason *r = line >= 1 && line <= CONFIG_REASONS_MAX
						? config_reason_find(c, (uint8_t)line)
						: NULL;

	return r == NULL || r->counts;
}

uint64_t budget_used_ms(struct budget *b, const struct config *c, unsigned line,
			const struct budget_day *today, uint64_t now_ms)
{
	uint64_t used_ms = 0;

	to_today(b, today);
	for (unsigned i = 0; i < BUDGET_REASONS; i++) {
		if (line == BUDGET_TOTAL ? !counts(c, i) : i != line)
			continue;
		used_ms += b->used_ms[i];
		if (b->runs && budget_line(b->reason) == i && now_ms > b->since_ms)
			used_ms += now_ms - b->since_ms;
	}
	return used_ms;
}

uint64_t budget_limit_ms(const struct config *c, unsigned line)
{
	const struct config_budget *budget = &c->not_ready_budget;
	const struct config_reason *r;
	uint32_t s;

	if (line != BUDGET_TOTAL) {
		r = line >= 1 && line <= CONFIG_REASONS_MAX ? config_reason_find(c, (uint8_t)line)
							    : NULL;
		if (r == NULL)
			return UINT64_MAX;
		budget = &r->budget;
	}
	s = config_budget_s(budget, c->shift_min);
	return s == UINT32_MAX ? UINT64_MAX : s * UINT64_C(1000);
}

static bool refuses(const struct config *c, unsigned line)
{
	const struct config_reason *r;

	if (line == BUDGET_TOTAL)
		return c->not_ready_budget.refuse;
	r = config_reason_find(c, (uint8_t)line);
	return r != NULL && r->budget.refuse;
}

bool budget_allows(struct budget *b, const struct config *c, uint8_t reason,
		   const struct budget_day *today, uint64_t now_ms, unsigned *line)
{
	unsigned lines[] = {budget_line(reason), BUDGET_TOTAL};

	for (unsigned i = 0; i < 2; i++) {
		if (!refuses(c, lines[i]) ||
		    (lines[i] == BUDGET_TOTAL && !counts(c, budget_line(reason))) ||
		    budget_used_ms(b, c, lines[i], today, now_ms) < budget_limit_ms(c, lines[i]))
			continue;
		*line = lines[i];
		return false;
	}
	return true;
}

int budget_used_up(struct budget *b, const struct config *c, const struct budget_day *today,
		   uint64_t now_ms)
{
	to_today(b, today);
	if (!b->runs)
		return -1;
	for (unsigned line = 0; line < BUDGET_LINES; line++) {
		uint64_t limit_ms = budget_limit_ms(c, line);

		if ((b->told & 1u << line) != 0 || limit_ms == UINT64_MAX ||
		    budget_used_ms(b, c, line, today, now_ms) < limit_ms)
			continue;
		b->told = (uint16_t)(b->told | 1u << line);
		return (int)line;
	}
	return -1;
}
