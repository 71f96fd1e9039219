/* SPDX-License-Identifier: Apache-2.0
 * The table in the header, line by line. */
#include "record/record_policy.h"

#include <stdint.h>

#define VERB(id, name)       name,
#define NAME(id, name, text) name,
#define TEXT(id, name, text) text,
const char *const record_verb_names[RECORD_VERBS] = {RECORD_VERB_TABLE(VERB)};
static const char *const reason_names[RECORD_REASONS] = {RECORD_REASON_TABLE(NAME)};
static const char *const reason_texts[RECORD_REASONS] = {RECORD_REASON_TABLE(TEXT)};

const char *record_reason_name(enum record_reason r)
{
	return reason_names[r];
}

const char *record_reason_text(enum record_reason r)
{
	return reason_texts[r];
}

static void overrule(struct config_record_rule *rule, const struct config_record_rule *by)
{
	if (by->mode != CONFIG_RECORD_INHERIT)
		rule->mode = by->mode;
	if (by->percent != 0)
		rule->percent = by->percent;
}

struct config_record_rule record_policy_rule(const struct config *c,
					     const struct config_hotline *hotline,
					     const struct config_queue *queue,
					     const struct config_agent *agent)
{
	struct config_record_rule rule = {CONFIG_RECORD_ALWAYS, 100};

	overrule(&rule, &c->record);
	if (hotline != NULL)
		overrule(&rule, &hotline->record);
	if (queue != NULL)
		overrule(&rule, &queue->record);
	if (agent != NULL)
		overrule(&rule, &agent->record);
	return rule;
}

unsigned record_policy_lot(const char *call)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *call != '\0'; call++)
		h = (h ^ (unsigned char)*call) * 0x100000001b3u;
	/* The low bits of FNV depend on few bits of the text: fold the high ones in. */
	return (unsigned)((h ^ h >> 32) % 100);
}

enum record_reason record_policy_decide(struct config_record_rule rule, struct record_wish wish,
					unsigned lot, bool talking)
{
	if (wish.refused)
		return RECORD_REASON_CONSENT;
	if (wish.stopped)
		return RECORD_REASON_STOPPED;
	if (rule.mode == CONFIG_RECORD_NEVER)
		return RECORD_REASON_POLICY;
	if (wish.asked)
		return RECORD_REASON_NONE;
	if (rule.mode == CONFIG_RECORD_DEMAND)
		return RECORD_REASON_NOT_ASKED;
	if (lot >= rule.percent)
		return RECORD_REASON_PERCENTAGE;
	if (rule.mode == CONFIG_RECORD_AGENT && !talking)
		return RECORD_REASON_NO_TALK;
	return RECORD_REASON_NONE;
}

enum record_reason record_policy_ask(struct config_record_rule rule, struct record_wish *wish,
				     enum record_verb verb)
{
	if (verb == RECORD_VERB_START) {
		if (wish->refused)
			return RECORD_REASON_CONSENT;
		if (rule.mode == CONFIG_RECORD_NEVER)
			return RECORD_REASON_POLICY;
		wish->asked = true;
		wish->stopped = false;
	} else if (verb == RECORD_VERB_STOP) {
		wish->asked = false;
		wish->stopped = true;
	} else if (verb == RECORD_VERB_REFUSE) {
		wish->asked = false;
		wish->refused = true;
	}
	return RECORD_REASON_NONE;
}
