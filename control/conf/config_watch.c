/* SPDX-License-Identifier: Apache-2.0
 * Limits that are watched (overlong calls, conduct) and days that rows are kept. */
#include "conf/config_priv.h"

#define OF(type, member) offsetof(struct type, member)
#define COUNT(array)     (sizeof(array) / sizeof((array)[0]))

static const struct field conduct_fields[] = {
	{"rejected_per_hour", FIELD_U8, OF(config_conduct, rejected_per_hour), 0, 16},
	{"unanswered_per_hour", FIELD_U8, OF(config_conduct, unanswered_per_hour), 0, 16},
	{"do_not_disturb_ms", FIELD_U16, OF(config_conduct, do_not_disturb_ms), 0, 10000},
	{"unplugged", FIELD_BOOL, OF(config_conduct, unplugged), 0, 0},
	{"registrations_per_hour", FIELD_U8, OF(config_conduct, registrations_per_hour), 0, 16},
	{"hold_s", FIELD_U16, OF(config_conduct, hold_s), 0, 36000},
	{"holds_per_call", FIELD_U8, OF(config_conduct, holds_per_call), 0, 100},
	{"media_gap_s", FIELD_U16, OF(config_conduct, media_gap_s), 0, 36000},
	{"silent_s", FIELD_U16, OF(config_conduct, silent_s), 0, 36000},
	{"sign_ins_per_day", FIELD_U8, OF(config_conduct, sign_ins_per_day), 0, 200},
	{"aways_per_day", FIELD_U8, OF(config_conduct, aways_per_day), 0, 200},
	{"away_s_per_day", FIELD_U32, OF(config_conduct, away_s_per_day), 0, 86400},
	{"dial_s", FIELD_U16, OF(config_conduct, dial_s), 0, 3600},
	{"left_callback", FIELD_BOOL, OF(config_conduct, left_callback), 0, 0},
	{"callback_idle_s", FIELD_U16, OF(config_conduct, callback_idle_s), 0, 36000},
};

static const struct field keep_fields[] = {
	{"calls", FIELD_U16, OF(config_keep, calls), 0, 36500},
	{"steps", FIELD_U16, OF(config_keep, steps), 0, 36500},
	{"agent_states", FIELD_U16, OF(config_keep, agent_states), 0, 36500},
	{"recordings", FIELD_U16, OF(config_keep, recordings), 0, 36500},
	{"intervals", FIELD_U16, OF(config_keep, intervals), 0, 36500},
	{"findings", FIELD_U16, OF(config_keep, findings), 0, 36500},
	{"callbacks", FIELD_U16, OF(config_keep, callbacks), 0, 36500},
	{"searches", FIELD_U16, OF(config_keep, searches), 0, 36500},
	{"acts", FIELD_U16, OF(config_keep, acts), 0, 36500},
};

void config_read_conduct(const struct schema *s, const struct tree *t, struct config *c)
{
	c->conduct = (struct config_conduct){
		.rejected_per_hour = 2,
		.unanswered_per_hour = 3,
		.do_not_disturb_ms = 700,
		.unplugged = true,
		.registrations_per_hour = 3,
		.hold_s = 300,
		.holds_per_call = 5,
		.media_gap_s = 20,
		.silent_s = 180,
		.sign_ins_per_day = 6,
		.aways_per_day = 12,
		.away_s_per_day = 7200,
		.dial_s = 15,
		.left_callback = true,
		.callback_idle_s = 300,
	};
	if (t != NULL)
		schema_fill(s, t, conduct_fields, COUNT(conduct_fields), &c->conduct);
}

void config_read_keep(const struct schema *s, const struct tree *t, struct config *c)
{
	if (t == NULL)
		return;
	schema_fill(s, t, keep_fields, COUNT(keep_fields), &c->keep_days);
	if (c->keep_days.calls != 0 &&
	    (c->keep_days.steps == 0 || c->keep_days.steps > c->keep_days.calls))
		complain(s->c, COMPLAINT_WARNING, t->at,
			 "keep_days: steps are kept longer than the calls they belong to");
}

/* `overlong_talk_s: [300, 600, 900]`: leader, controller, manager. */
void config_read_overlong(const struct schema *s, const struct tree *t, struct config_queue *q)
{
	static const char *const keys[CONFIG_OVERLONG_WHATS] = {
		"overlong_talk_s", "overlong_hold_s", "overlong_wrap_up_s"};

	for (unsigned w = 0; w < CONFIG_OVERLONG_WHATS; w++) {
		const struct tree *list = tree_get(t, keys[w]);
		uint32_t before = 0;
		unsigned i = 0;

		if (list == NULL || !schema_kind(s, list, keys[w], TREE_LIST))
			continue;
		if (list->n > CONFIG_OVERLONG_LEVELS) {
			complain(s->c, COMPLAINT_ERROR, list->at,
				 "%s: at most three limits, for leader, controller and manager",
				 keys[w]);
			continue;
		}
		for (const struct tree *m = list->first; m != NULL; m = m->next, i++) {
			uint32_t limit_s;

			if (!schema_u32(s, m, keys[w], 0, 36000, &limit_s))
				continue;
			if (limit_s != 0 && limit_s <= before)
				complain(s->c, COMPLAINT_ERROR, m->at,
					 "%s: each limit must be above the one before it", keys[w]);
			if (limit_s != 0)
				before = limit_s;
			q->overlong_s[w][i] = limit_s;
		}
	}
}
