/* SPDX-License-Identifier: Apache-2.0
 *
 * The knowledge base. Texts come as lists of lines, because no text of the protocol has control characters.
 */
#include "store/knowledge.h"

#include <stdlib.h>
#include <string.h>

#include "api/api_priv.h"
#include "loop/clock.h"

/* Words that stand for each other, as the configuration has them. */
static json_t *synonyms(const struct config *config)
{
	const struct config_knowledge *k = &config->knowledge;
	json_t *groups = json_array();

	for (uint32_t i = 0; i < k->n_synonyms; i++) {
		const struct config_synonyms *s = &k->synonyms[i];
		json_t *group = json_array();

		for (uint32_t w = 0; w < s->n; w++)
			json_array_append_new(group, json_string(s->word[w]));
		json_array_append_new(groups, group);
	}
	return groups;
}

enum rpc_answer api_knowledge(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	const char *text = rpc_param_text(call->params, "text", NULL);
	json_t *filter =
		json_pack("{s:I}", "limit", (json_int_t)rpc_param_int(call->params, "limit", 10));

	(void)result;
	if (text != NULL) {
		json_object_set_new(filter, "text", json_string(text));
		json_object_set_new(filter, "who",
				    json_string(rpc_param_text(call->params, "who", "")));
		json_object_set_new(filter, "at_ms", json_integer((json_int_t)clock_wall_ms()));
		json_object_set_new(filter, "synonyms", synonyms(api->c->config));
	}
	return api_ask_store(call, store_knowledge_find, filter, err);
}

enum rpc_answer api_knowledge_read(const struct rpc_call *call, json_t **result,
				   struct rpc_error *err)
{
	const char *article = rpc_param_text(call->params, "article", "");

	(void)result;
	return api_ask_store(call, store_knowledge_find,
			     json_pack("{s:s,s:i}", "article", article, "limit", 1), err);
}

/* The lines in one, with line ends between. */
static json_t *joined(const json_t *lines)
{
	size_t len = 0, at = 0, i;
	const json_t *line;
	json_t *text;
	char *s;

	json_array_foreach(lines, i, line) len +=
		json_string_length(json_object_get(line, "line")) + 1;
	s = malloc(len + 1);
	if (s == NULL)
		return NULL;
	json_array_foreach(lines, i, line)
	{
		const json_t *v = json_object_get(line, "line");

		memcpy(s + at, json_string_value(v), json_string_length(v));
		at += json_string_length(v);
		s[at++] = '\n';
	}
	text = json_stringn(s, at);
	free(s);
	return text;
}

enum rpc_answer api_knowledge_write(const struct rpc_call *call, json_t **result,
				    struct rpc_error *err)
{
	static const char *const members[] = {"do", "article", "title", "keywords"};
	json_t *rows = json_array(), *row;
	size_t i;

	(void)result;
	json_array_foreach(json_object_get(call->params, "rows"), i, row)
	{
		const json_t *lines = json_object_get(row, "text");
		json_t *to = json_object();

		for (size_t k = 0; k < sizeof(members) / sizeof(members[0]); k++)
			if (json_object_get(row, members[k]) != NULL)
				json_object_set(to, members[k], json_object_get(row, members[k]));
		if (lines != NULL)
			json_object_set_new(to, "text", joined(lines));
		json_object_set_new(to, "at_ms", json_integer((json_int_t)clock_wall_ms()));
		json_array_append_new(rows, to);
	}
	return api_ask_store(call, store_knowledge_write, rows, err);
}

enum rpc_answer api_knowledge_searches(const struct rpc_call *call, json_t **result,
				       struct rpc_error *err)
{
	static const char *const members[] = {"from_ms", "to_ms", "in_vain", NULL};

	(void)result;
	return api_ask_store(call, store_knowledge_searches, api_filter(call->params, 50, members),
			     err);
}
