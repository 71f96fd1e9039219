/* SPDX-License-Identifier: Apache-2.0 */
#include "call/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "loop/fetch.h"
#include "sip/sip.h"

enum { ANSWER_MS = 5000, TEXT_MAX = 300 };

static const char *word(const json_t *o, const char *member)
{
	const char *text = json_string_value(json_object_get(o, member));

	return text != NULL ? text : "";
}

static void text_of(const char *to, const json_t *alarm, char *out, size_t size)
{
	const char *what = word(alarm, "what");

	snprintf(out, size,
		 "%s of %s longer than %lld s (%s). To listen: patchbay monitor %s --by %s",
		 strcmp(what, "wrap_up") == 0 ? "wrap-up" : what, word(alarm, "agent"),
		 (long long)json_integer_value(json_object_get(alarm, "limit_ms")) / 1000,
		 word(alarm, "queue"), word(alarm, "call"), to);
}

static bool by_phone(struct centre *c, const char *phone, const json_t *alarm)
{
	char text[TEXT_MAX];
	int err;

	text_of(phone, alarm, text, sizeof(text));
	err = sip_stack_message(c->sip, phone, text);
	if (err != 0)
		log_warn("watch", "%s cannot be told: %s", phone, strerror(-err));
	return err == 0;
}

static void on_answer(void *arg, const json_t *answer, const char *error)
{
	char *url = arg;

	(void)answer;
	if (error != NULL)
		log_warn("watch", "an alarm for %s was not taken: %s", url, error);
	free(url);
}

static bool by_url(struct centre *c, const char *url, const json_t *alarm)
{
	char *body = json_dumps(alarm, JSON_COMPACT), *name = strdup(url);
	int err = body == NULL || name == NULL ? -1 : 0;

	if (err == 0 && c->fetcher == NULL)
		err = fetcher_open(&c->fetcher);
	if (err == 0)
		err = fetch_start(c->fetcher, url, body, ANSWER_MS, on_answer, name);
	if (err != 0) {
		log_warn("watch", "an alarm for %s could not be sent", url);
		free(name);
	}
	free(body);
	return err == 0;
}

json_t *notify_overlong(struct centre *c, const char *agent, unsigned level, const json_t *alarm)
{
	const struct config_agent *who = config_agent_find(c->config, agent);
	json_t *told = json_array();

	for (unsigned i = 0; i < c->config->n_notify; i++) {
		const struct config_notify *n = &c->config->notify[i];

		if (n->level != level ||
		    (n->group[0] != '\0' && (who == NULL || strcmp(n->group, who->group) != 0)))
			continue;
		if (n->phone[0] != '\0' && by_phone(c, n->phone, alarm))
			json_array_append_new(told, json_string(n->phone));
		if (n->url[0] != '\0' && by_url(c, n->url, alarm))
			json_array_append_new(told, json_string(n->url));
	}
	return told;
}
