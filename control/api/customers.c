/* SPDX-License-Identifier: Apache-2.0
 *
 * Customers: numbers are brought to one form on their way in and on their way to a search.
 */
#include <string.h>

#include "api/api_priv.h"
#include "base/log.h"
#include "customer/number.h"
#include "loop/clock.h"
#include "store/customers.h"

enum { SEEN_MAX = 50 };

static json_t *copy(json_t *to, const json_t *params, const char *name)
{
	json_t *v = json_object_get(params, name);

	if (v != NULL && !json_is_null(v))
		json_object_set_new(to, name, json_deep_copy(v));
	return v;
}

/* A field's name becomes part of a JSON path. */
static bool good_name(const char *name)
{
	for (const char *p = name; *p != '\0'; p++)
		if (*p == '"' || *p == '\\' || (unsigned char)*p < ' ')
			return false;
	return name[0] != '\0';
}

static bool good_sort(const json_t *params)
{
	const json_t *name;
	size_t i;

	json_array_foreach(json_object_get(params, "sort"), i,
			   name) if (!good_name(json_string_value(name))) return false;
	return true;
}

/* Others than these see the first SEEN_MAX of a search, and write one at a time. */
static bool may_bulk(const struct rpc_call *call, struct rpc_error *err)
{
	const struct api *api = call->owner;
	const struct config_customers *k = &api->c->config->customers;
	char who[API_USER_MAX];

	if (!k->restricted || call->uid == 0)
		return true;
	api_user(call->uid, who);
	for (uint32_t i = 0; i < k->n_bulk; i++)
		if (strcmp(who, k->bulk[i]) == 0)
			return true;
	rpc_error_set(err, RPC_FORBIDDEN,
		      "%s may not import or export customers (customers: {bulk: [...]})", who);
	return false;
}

bool api_customers_bulk(const json_t *params)
{
	return rpc_param_text(params, "after", NULL) != NULL ||
	       rpc_param_int(params, "offset", 0) > 0 ||
	       rpc_param_int(params, "limit", SEEN_MAX) > SEEN_MAX;
}

enum rpc_answer api_customers(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	static const char *const members[] = {"customer", "text",  "field",  "value",
					      "sort",     "after", "offset", NULL};
	struct api *api = call->owner;
	const char *number = rpc_param_text(call->params, "number", NULL);
	const char *field = rpc_param_text(call->params, "field", NULL);
	char canonical[NUMBER_CANONICAL_MAX];
	json_t *filter;

	(void)result;
	if (number != NULL && !number_canonical(&api->c->config->numbers, number, canonical)) {
		rpc_error_set(err, RPC_INVALID_PARAMS, "params.number: %s is no telephone number",
			      number);
		return RPC_ANSWER_ERROR;
	}
	if ((field != NULL && !good_name(field)) || !good_sort(call->params)) {
		rpc_error_set(err, RPC_INVALID_PARAMS,
			      "params: the name of a field has neither quotes nor backslashes");
		return RPC_ANSWER_ERROR;
	}
	if (api_customers_bulk(call->params) && !may_bulk(call, err))
		return RPC_ANSWER_ERROR;
	filter = api_filter(call->params, SEEN_MAX, members);
	if (number != NULL)
		json_object_set_new(filter, "number", json_string(canonical));
	return api_ask_store(call, store_customers_find, filter, err);
}

/* --- writing ------------------------------------------------------------------------------- */

static void refused(json_t *row, const char *fmt, const char *what)
{
	char why[300]; /* a text of the request has 255 bytes at most: no character is cut */

	snprintf(why, sizeof(why), fmt, what);
	json_object_set_new(row, "do", json_string("refuse"));
	json_object_set_new(row, "why", json_string(why));
}

static void put_numbers(const struct centre *c, json_t *row, const json_t *params)
{
	const json_t *list = json_object_get(params, "numbers"), *v;
	char canonical[NUMBER_CANONICAL_MAX];
	json_t *numbers;
	size_t i;

	if (list == NULL)
		return;
	numbers = json_array();
	json_array_foreach(list, i, v)
	{
		if (number_canonical(&c->config->numbers, json_string_value(v), canonical))
			json_array_append_new(numbers, json_string(canonical));
		else
			refused(row, "\"%s\" is no telephone number", json_string_value(v));
	}
	json_object_set_new(row, "numbers", numbers);
}

static void put_fields(json_t *row, const json_t *params)
{
	const json_t *list = json_object_get(params, "fields"), *v;
	json_t *fields;
	size_t i;

	if (list == NULL)
		return;
	fields = json_object();
	json_array_foreach(list, i, v)
	{
		const char *name = rpc_param_text(v, "name", "");
		const json_t *value = json_object_get(v, "value");

		if (good_name(name))
			json_object_set_new(fields, name,
					    value != NULL ? json_deep_copy(value) : json_null());
		else
			refused(row, "no field can be called \"%s\"", name);
	}
	json_object_set_new(row, "fields", fields);
}

/* What the store is to do with one row of the request. */
static json_t *row_of(struct centre *c, const json_t *params, const char *duplicates)
{
	const char *what = rpc_param_text(params, "do", "put");
	char id[CLOCK_UUID_SIZE];
	json_t *row = json_object();

	clock_uuid7(&c->uuids, id);
	json_object_set_new(row, "do", json_string(what));
	json_object_set_new(row, "new_id", json_string(id));
	json_object_set_new(row, "duplicates", json_string(duplicates));
	json_object_set_new(row, "at_ms", json_integer((json_int_t)clock_wall_ms()));
	copy(row, params, "customer");
	copy(row, params, "line");
	copy(row, params, "name");
	put_numbers(c, row, params);
	put_fields(row, params);
	if (json_object_get(row, "customer") != NULL)
		return row;
	if (strcmp(what, "delete") == 0)
		refused(row, "%s needs the customer", "to delete");
	else if (rpc_param_text(params, "name", "")[0] == '\0' &&
		 json_array_size(json_object_get(row, "numbers")) == 0 &&
		 json_object_get(row, "why") == NULL)
		refused(row, "%s", "neither a name nor a number");
	return row;
}

enum rpc_answer api_customers_write(const struct rpc_call *call, json_t **result,
				    struct rpc_error *err)
{
	struct api *api = call->owner;
	const char *duplicates = rpc_param_text(call->params, "duplicates", "refuse");
	const json_t *row;
	json_t *rows = json_array();
	size_t i;

	(void)result;
	if (json_array_size(json_object_get(call->params, "rows")) > 1 && !may_bulk(call, err)) {
		json_decref(rows);
		return RPC_ANSWER_ERROR;
	}
	json_array_foreach(json_object_get(call->params, "rows"), i, row)
		json_array_append_new(rows, row_of(api->c, row, duplicates));
	return api_ask_store(call, store_customers_write, rows, err);
}
