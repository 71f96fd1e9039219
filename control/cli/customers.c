/* SPDX-License-Identifier: Apache-2.0
 *
 * customers, customer: who calls; found, changed, exported.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "patchbay/rpc_client.h"

enum { PAGE = 200 };

static void numbers_cell(struct table *t, const json_t *customer)
{
	const json_t *number;
	char text[200] = "";
	size_t i, len = 0;

	json_array_foreach(json_object_get(customer, "numbers"), i, number) if (len < sizeof(text))
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i > 0 ? ", " : "",
					json_string_value(number));
	table_cell(t, text);
}

static void fields_cell(struct table *t, const json_t *customer)
{
	const char *name;
	char text[240] = "";
	size_t len = 0;
	json_t *v;

	json_object_foreach(json_object_get(customer, "fields"), name, v)
	{
		if (len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s=%s",
						len > 0 ? ", " : "", name,
						json_is_string(v) ? json_string_value(v) : "");
	}
	table_cell(t, text);
}

static void print_customers(struct cli *c, const json_t *list)
{
	struct table *t = table_new();
	const json_t *customer;
	size_t i;

	table_column(t, "NAME", TABLE_LEFT);
	table_column(t, "NUMBERS", TABLE_LEFT);
	table_column(t, "FIELDS", TABLE_LEFT);
	table_column(t, "CUSTOMER", TABLE_LEFT);
	json_array_foreach(list, i, customer)
	{
		table_cell(t, cli_text(customer, "name"));
		numbers_cell(t, customer);
		fields_cell(t, customer);
		table_cell(t, cli_text(customer, "customer"));
	}
	if (table_rows(t) > 0)
		table_print(t, c->out);
	else
		cli_say(c, "no such customer\n");
	table_free(t);
}

/* "NAME=VALUE" into two; false: complained. */
static bool split(struct cli *c, const char *text, char *name, size_t size, const char **value)
{
	const char *equals = strchr(text, '=');

	if (equals == NULL || equals == text || (size_t)(equals - text) >= size) {
		cli_usage(c, "\"%s\" must be NAME=VALUE", text);
		return false;
	}
	snprintf(name, size, "%.*s", (int)(equals - text), text);
	*value = equals + 1;
	return true;
}

/* What is looked for, from the options; NULL: complained. */
static json_t *filter(struct cli *c)
{
	const char *number, *field, *sort, *text, *value;
	json_t *p = json_object();
	char name[64];

	if (!cli_option(c, "--number", &number) || !cli_option(c, "--field", &field) ||
	    !cli_option(c, "--sort", &sort))
		goto wrong;
	if (number != NULL)
		json_object_set_new(p, "number", json_string(number));
	if (field != NULL) {
		if (!split(c, field, name, sizeof(name), &value))
			goto wrong;
		json_object_set_new(p, "field", json_string(name));
		json_object_set_new(p, "value", json_string(value));
	}
	if (sort != NULL) {
		const char *comma = strchr(sort, ',');
		json_t *list = json_array();

		json_array_append_new(
			list, json_stringn(sort, comma ? (size_t)(comma - sort) : strlen(sort)));
		if (comma != NULL)
			json_array_append_new(list, json_string(comma + 1));
		json_object_set_new(p, "sort", list);
	}
	text = cli_word(c);
	if (text != NULL)
		json_object_set_new(p, "text", json_string(text));
	if (cli_end(c))
		return p;
wrong:
	json_decref(p);
	return NULL;
}

int cli_customers(struct cli *c)
{
	const char *limit;
	int64_t n = 50;
	json_t *p, *r = NULL;
	int rc;

	if (!cli_option(c, "--limit", &limit) ||
	    (limit != NULL && !cli_number(c, "--limit", limit, 1, PAGE, &n)))
		return CLI_USAGE;
	p = filter(c);
	if (p == NULL)
		return CLI_USAGE;
	json_object_set_new(p, "limit", json_integer(n));
	rc = cli_ask(c, CLI_DAEMON, "customers", p, &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r)) {
		print_customers(c, json_object_get(r, "customers"));
		if (cli_true(r, "more"))
			cli_say(c, "and more: --limit, or a narrower search\n");
	}
	json_decref(r);
	return CLI_OK;
}

/* --- one ------------------------------------------------------------------------------------ */

/* One row is written and told. */
static int write_one(struct cli *c, json_t *row, const char *duplicates)
{
	const json_t *first;
	json_t *r = NULL;
	int rc = cli_ask(c, CLI_DAEMON, "customers.write",
			 json_pack("{s:[o],s:s}", "rows", row, "duplicates", duplicates), &r);

	if (rc != 0)
		return rc;
	first = json_array_get(json_object_get(r, "rows"), 0);
	if (!cli_json(c, r) && cli_int(r, "refused") == 0)
		cli_say(c, "customer %s is %s\n", cli_text(first, "customer"),
			cli_text(first, "done"));
	if (cli_int(r, "refused") > 0) {
		fprintf(c->err, "patchbay: refused: %s\n", cli_text(first, "why"));
		rc = CLI_REFUSED;
	}
	json_decref(r);
	return rc;
}

static int put(struct cli *c)
{
	json_t *row = json_object(), *numbers = json_array(), *fields = json_array();
	const char *name, *v, *id, *duplicates, *value;
	char field[64];

	if (!cli_option(c, "--name", &name) || !cli_option(c, "--duplicates", &duplicates))
		goto wrong;
	if (name != NULL)
		json_object_set_new(row, "name", json_string(name));
	for (;;) {
		if (!cli_option(c, "--number", &v))
			goto wrong;
		if (v == NULL)
			break;
		json_array_append_new(numbers, json_string(v));
	}
	for (;;) {
		if (!cli_option(c, "--field", &v) ||
		    (v != NULL && !split(c, v, field, sizeof(field), &value)))
			goto wrong;
		if (v == NULL)
			break;
		json_array_append_new(fields, json_pack("{s:s,s:s?}", "name", field, "value",
							value[0] != '\0' ? value : NULL));
	}
	id = cli_word(c);
	if (!cli_end(c))
		goto wrong;
	if (id != NULL)
		json_object_set_new(row, "customer", json_string(id));
	if (json_array_size(numbers) > 0)
		json_object_set(row, "numbers", numbers);
	json_object_set(row, "fields", fields);
	json_decref(numbers);
	json_decref(fields);
	return write_one(c, row, duplicates ? duplicates : "refuse");
wrong:
	json_decref(row);
	json_decref(numbers);
	json_decref(fields);
	return CLI_USAGE;
}

static int erase(struct cli *c)
{
	const char *id;

	if (!cli_need(c, "CUSTOMER", &id) || !cli_end(c))
		return CLI_USAGE;
	return write_one(c, json_pack("{s:s,s:s}", "do", "delete", "customer", id), "refuse");
}

/* --- all ------------------------------------------------------------------------------------ */

/* Pages of customers into a list; NULL: said why, in `rc`. */
static json_t *all(struct cli *c, json_t *wanted, int *rc)
{
	struct rpc_client *client = NULL;
	json_t *list = json_array(), *r = NULL, *page;
	const json_t *after = NULL;
	bool more = true;

	*rc = cli_connect(c, CLI_DAEMON, &client);
	while (*rc == 0 && more) {
		json_t *p = json_copy(wanted);

		json_object_set_new(p, "limit", json_integer(PAGE));
		json_object_set_new(p, "after",
				    json_string(after != NULL ? cli_text(after, "customer") : ""));
		*rc = cli_request(c, client, "customers", p, &r);
		if (*rc != 0)
			break;
		page = json_object_get(r, "customers");
		json_array_extend(list, page);
		after = json_array_get(list, json_array_size(list) - 1);
		more = cli_true(r, "more") && json_array_size(page) > 0;
		json_decref(r);
	}
	rpc_client_close(client);
	if (*rc == 0)
		return list;
	json_decref(list);
	return NULL;
}

/* As `import` reads them: several numbers are parted by |. A row has a column for each field that any of them has. */
static json_t *flat(const json_t *list)
{
	json_t *rows = json_array(), *names = json_object(), *v;
	const json_t *customer;
	const char *name;
	size_t i;

	json_array_foreach(list, i, customer)
		json_object_foreach(json_object_get(customer, "fields"), name, v)
			json_object_set_new(names, name, json_null());
	json_array_foreach(list, i, customer)
	{
		json_t *row = json_object();
		char text[600] = "";
		const json_t *number;
		size_t k, len = 0;

		json_array_foreach(json_object_get(customer, "numbers"), k,
				   number) if (len < sizeof(text)) len +=
			(size_t)snprintf(text + len, sizeof(text) - len, "%s%s", k > 0 ? "|" : "",
					 json_string_value(number));
		json_object_set(row, "customer", json_object_get(customer, "customer"));
		json_object_set(row, "name", json_object_get(customer, "name"));
		json_object_set_new(row, "number", json_string(text));
		json_object_foreach(names, name, v)
		{
			json_t *value = json_object_get(json_object_get(customer, "fields"), name);

			json_object_set(row, name, value != NULL ? value : v);
		}
		json_array_append_new(rows, row);
	}
	json_decref(names);
	return rows;
}

static int export(struct cli *c)
{
	json_t *wanted = filter(c), *list, *rows;
	int rc = CLI_USAGE;

	if (json_object_get(wanted, "sort") != NULL)
		cli_usage(c, "an export is in the order of the customers' ids");
	if (wanted == NULL || json_object_get(wanted, "sort") != NULL) {
		json_decref(wanted);
		return rc;
	}
	list = all(c, wanted, &rc);
	json_decref(wanted);
	if (list == NULL)
		return rc;
	rows = flat(list);
	if (!cli_json(c, list))
		cli_csv(c, rows, true);
	json_decref(rows);
	json_decref(list);
	return CLI_OK;
}

int cli_customer(struct cli *c)
{
	const char *what;

	if (!cli_need(c, "put, delete, import or export", &what))
		return CLI_USAGE;
	if (strcmp(what, "put") == 0)
		return put(c);
	if (strcmp(what, "delete") == 0)
		return erase(c);
	if (strcmp(what, "import") == 0)
		return cli_customer_import(c);
	if (strcmp(what, "export") == 0)
		return export(c);
	return cli_usage(c, "\"%s\" is none of put, delete, import, export", what);
}
