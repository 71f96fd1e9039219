/* SPDX-License-Identifier: Apache-2.0
 *
 * The control socket as a client sees it: a whole daemon behind it, with a database, an engine kit
 * and phones.
 */
#include "api/api_testing.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "call/call_kit.h"
#include "check.h"
#include "patchbay/rpc_client.h"

static void a_call_is_seen_steered_and_found_again(void)
{
	struct desk_top *d = top_open();
	struct kit_call *customer;
	char id[40];

	check(ask(d, "agent.set", json_pack("{s:s,s:s}", "agent", "1001", "state", "sign_in")) !=
	      NULL);
	check_str(text(d->result, "state"), "not_ready");
	check(ask(d, "agent.set",
		  json_pack("{s:s,s:s,s:s}", "agent", "1001", "state", "not_ready", "reason",
			    "break")) != NULL);
	check_str(text(d->result, "reason"), "break");
	check(ask(d, "agent.set", json_pack("{s:s,s:s}", "agent", "1001", "state", "ready")) !=
	      NULL);
	strcpy(d->k.engine->digits, "1");
	customer = call_kit_dial(&d->k, "95598");
	check(call_kit_reaches(&d->k, CALL_TALKING));

	check_int(json_array_size(json_object_get(ask(d, "calls", NULL), "calls")), 1);
	snprintf(id, sizeof(id), "%s",
		 text(json_array_get(json_object_get(d->result, "calls"), 0), "call"));
	check_str(text(json_array_get(json_object_get(d->result, "calls"), 0), "state"), "talking");
	check(ask(d, "call", json_pack("{s:s}", "call", id + 28)) != NULL); /* its ending */
	check_int(json_array_size(json_object_get(d->result, "legs")), 2);
	check(ask(d, "hangup", json_pack("{s:s}", "call", id)) != NULL);
	check(kit_until(&customer->closed, 1, 2000));
	check(kit_until(&d->ended, 1, 2000));
	check(d->events > 5);
	check(call_kit_empty(&d->k));

	/* From here it comes from the database. */
	for (int i = 0; i < 50 && ask(d, "call", json_pack("{s:s}", "call", id)) == NULL; i++)
		kit_wait(20);
	check_str(text(d->result, "cause"), "operator");
	check_str(text(d->result, "hung_up_by"), "operator");
	check(ask(d, "cdr", json_pack("{s:s}", "agent", "1001")) != NULL);
	check_int(json_array_size(json_object_get(d->result, "records")), 1);
	check(ask(d, "recordings", NULL) != NULL);
	check(json_is_true(json_object_get(
		json_array_get(json_object_get(d->result, "recordings"), 0), "complete")));
	top_close(d);
}

/* Numbers are brought to one form on the way in and in searches; what is bad is refused row by row. */
static void customers_are_kept_and_found(void)
{
	static const char rows[] =
		"{\"rows\":[{\"name\":\"Wang\",\"numbers\":[\"(010) 8888-1234\",\"138 0013 8000\"],"
		"\"fields\":[{\"name\":\"city\",\"value\":\"Beijing\"}],\"line\":2},"
		"{\"name\":\"Li\",\"numbers\":[\"no number\"],\"line\":3},"
		"{\"line\":4},"
		"{\"name\":\"X\",\"fields\":[{\"name\":\"a\\\"b\",\"value\":\"1\"}],\"line\":5},"
		"{\"name\":\"Wang again\",\"numbers\":[\"+861088881234\"],\"line\":6}]}";
	struct desk_top *d = top_open();
	const json_t *list;
	char id[64];

	d->k.c.config->numbers = (struct config_numbers){.country = "86",
							 .area = "10",
							 .national_prefix = "0",
							 .international_prefix = "00",
							 .local_digits = 8};
	check(ask(d, "customers.write", json_loads(rows, 0, NULL)) != NULL);
	check_int(json_integer_value(json_object_get(d->result, "added")), 1);
	check_int(json_integer_value(json_object_get(d->result, "refused")), 4);
	list = json_object_get(d->result, "rows");
	snprintf(id, sizeof(id), "%s", text(json_array_get(list, 0), "customer"));
	check_int(strlen(id), CLOCK_UUID_SIZE - 1);
	check_str(text(json_array_get(list, 1), "why"), "\"no number\" is no telephone number");
	check_str(text(json_array_get(list, 2), "why"), "neither a name nor a number");
	check_str(text(json_array_get(list, 3), "why"), "no field can be called \"a\"b\"");
	check(strstr(text(json_array_get(list, 4), "why"), "is the number of Wang") != NULL);

	list = json_object_get(
		ask(d, "customers", json_pack("{s:s}", "number", "0086 10 88881234")), "customers");
	check_int(json_array_size(list), 1);
	check_str(text(json_array_get(list, 0), "customer"), id);
	check(ask(d, "customers", json_pack("{s:s}", "number", "what")) == NULL);
	check(strstr(d->message, "what is no telephone number") != NULL);
	check(ask(d, "customers", json_pack("{s:s}", "field", "a\"")) == NULL);
	check(ask(d, "customers", json_pack("{s:[s]}", "sort", "-a\"")) == NULL);
	check_str(d->reason, "invalid_params");
	check(ask(d, "customers.write",
		  json_pack("{s:[{s:s,s:s}]}", "rows", "do", "delete", "customer", id)) != NULL);
	check_int(json_integer_value(json_object_get(d->result, "deleted")), 1);
	list = json_object_get(ask(d, "customers", json_object()), "customers");
	check_int(json_array_size(list), 0);
	top_close(d);
}

/* A client that is another user of this machine; false where we may not become one. */
static bool as_nobody(struct desk_top *d)
{
	const struct passwd *nobody = getpwnam("nobody");

	if (geteuid() != 0 || nobody == NULL)
		return false;
	check(chmod(d->k.dir, 0711) == 0 && chown(d->path, 0, nobody->pw_gid) == 0);
	fd_close(rpc_client_fd(d->client));
	rpc_client_close(d->client);
	check(setegid(nobody->pw_gid) == 0 && seteuid(nobody->pw_uid) == 0);
	check_int(rpc_client_open(&d->client, d->path), 0);
	check(seteuid(0) == 0 && setegid(0) == 0);
	check_int(fd_listen(rpc_client_fd(d->client), FD_READ, on_client, d), 0);
	check(ask(d, "hello", json_pack("{s:i,s:s}", "protocol", 1, "client", "test")) != NULL);
	return true;
}

/* Who may not: sees the first of a search, writes one at a time, and what was refused is kept as well. */
static void customers_by_the_many_need_the_right_to(void)
{
	static const char two[] = "{\"rows\":[{\"name\":\"A\"},{\"name\":\"B\"}]}";
	static const char *users[] = {"daemon", "nobody"};
	static const struct {
		const char *name;
		int value;
	} bulk[] = {{"limit", 51}, {"offset", 1}};
	struct desk_top *d = top_open();
	const json_t *acts = NULL;

	d->k.c.config->customers = (struct config_customers){.restricted = true};
	check(ask(d, "customers", json_pack("{s:s}", "after", "")) != NULL); /* root */
	if (!as_nobody(d)) {
		top_close(d);
		return;
	}
	check(ask(d, "customers", json_pack("{s:s}", "after", "")) == NULL);
	check_str(d->reason, "forbidden");
	check(strncmp(d->message, "nobody may not import or export", 31) == 0);
	for (size_t i = 0; i < sizeof(bulk) / sizeof(bulk[0]); i++)
		check(ask(d, "customers", json_pack("{s:i}", bulk[i].name, bulk[i].value)) == NULL);
	check(ask(d, "customers.write", json_loads(two, 0, NULL)) == NULL);
	check(ask(d, "customers.write", json_pack("{s:[{s:s}]}", "rows", "name", "A")) != NULL);
	check_int(json_array_size(json_object_get(ask(d, "customers", NULL), "customers")), 1);
	for (int i = 0; i < 50; i++) {
		acts = json_object_get(ask(d, "audit", json_pack("{s:s}", "who", "nobody")),
				       "acts");
		if (json_array_size(acts) == 5)
			break;
		kit_wait(20);
	}
	check_int(json_array_size(acts), 5);
	check_str(text(json_array_get(acts, 4), "result"), "forbidden");

	d->k.c.config->customers.bulk = users;
	d->k.c.config->customers.n_bulk = 2;
	check(ask(d, "customers.write", json_loads(two, 0, NULL)) != NULL);
	check(ask(d, "customers", json_pack("{s:s}", "after", "")) != NULL);
	top_close(d);
}

static void the_knowledge_base_is_written_and_searched(void)
{
	static const char rows[] =
		"{\"rows\":[{\"article\":\"refunds\",\"title\":\"Refund "
		"policy\",\"keywords\":[\"money back\"],"
		"\"text\":[{\"line\":\"Tickets.\"},{\"line\":\"A refund takes 14 days.\"}]},"
		"{\"article\":\"untitled\"}]}";
	static const char *words[] = {"reimbursement", "refund"};
	struct config_synonyms group = {.n = 2, .word = words};
	struct desk_top *d = top_open();
	const json_t *first;

	check(ask(d, "knowledge.write", json_loads(rows, 0, NULL)) != NULL);
	check_int(json_integer_value(json_object_get(d->result, "added")), 1);
	check_int(json_integer_value(json_object_get(d->result, "refused")), 1);
	first = json_array_get(
		json_object_get(ask(d, "knowledge",
				    json_pack("{s:s,s:s}", "text", "refnud days", "who", "1001")),
				"articles"),
		0);
	check_str(text(first, "article"), "refunds");
	check_str(text(first, "excerpt"), "A refund takes 14 days.");
	check_int(json_array_size(json_object_get(
			  ask(d, "knowledge", json_pack("{s:s}", "text", "reimbursement")),
			  "articles")),
		  0);
	d->k.c.config->knowledge = (struct config_knowledge){.n_synonyms = 1, .synonyms = &group};
	check_int(json_array_size(json_object_get(
			  ask(d, "knowledge", json_pack("{s:s}", "text", "Reimbursement!")),
			  "articles")),
		  1);
	first = json_array_get(
		json_object_get(ask(d, "knowledge.read", json_pack("{s:s}", "article", "refunds")),
				"articles"),
		0);
	check_str(text(first, "text"), "Tickets.\nA refund takes 14 days.\n");
	for (int i = 0; i < 50; i++) {
		if (json_array_size(
			    json_object_get(ask(d, "knowledge.searches", NULL), "searches")) == 3)
			break;
		kit_wait(20);
	}
	check_int(json_array_size(json_object_get(d->result, "searches")), 3);
	check_str(text(json_array_get(json_object_get(d->result, "searches"), 2), "who"), "1001");
	top_close(d);
}

static void who_did_what_is_kept(void)
{
	struct desk_top *d = top_open();
	const json_t *acts = NULL;
	char who[64];

	check(ask(d, "agent.set", json_pack("{s:s,s:s}", "agent", "1001", "state", "sign_in")) !=
	      NULL);
	check(ask(d, "hangup", json_pack("{s:s}", "call", "nothing")) == NULL);
	check(ask(d, "customers", json_pack("{s:s}", "after", "")) != NULL); /* a page of all */
	check(ask(d, "customers", NULL) != NULL);                            /* looking is no act */
	for (int i = 0; i < 50; i++) {
		acts = json_object_get(ask(d, "audit", NULL), "acts");
		if (json_array_size(acts) == 3)
			break;
		kit_wait(20);
	}
	check_int(json_array_size(acts), 3);
	check_str(text(json_array_get(acts, 2), "method"), "agent.set");
	check_str(text(json_array_get(acts, 2), "result"), "ok");
	check_str(text(json_array_get(acts, 2), "params"),
		  "{\"agent\":\"1001\",\"state\":\"sign_in\"}");
	check_str(text(json_array_get(acts, 1), "result"), "not_found");
	check_str(text(json_array_get(acts, 0), "method"), "customers");
	snprintf(who, sizeof(who), "%s", text(json_array_get(acts, 0), "who"));
	check(who[0] != '\0');
	acts = json_object_get(ask(d, "audit", json_pack("{s:b}", "refused", true)), "acts");
	check_int(json_array_size(acts), 1);
	acts = json_object_get(
		ask(d, "audit", json_pack("{s:s,s:s}", "who", who, "method", "hangup")), "acts");
	check_int(json_array_size(acts), 1);
	top_close(d);
}

static void what_cannot_be_is_refused_by_name(void)
{
	static const struct {
		const char *method, *params, *reason, *says;
	} rows[] = {
		{"call", "{\"call\":\"nobody\"}", "not_found", "nobody"},
		{"call", "{}", "invalid_params", "call"},
		{"calls", "{\"x\":1}", "invalid_params", "x"},
		{"agent.set", "{\"agent\":\"1001\",\"state\":\"asleep\"}", "invalid_params",
		 "state"},
		{"agent.set", "{\"agent\":\"7777\",\"state\":\"ready\"}", "not_found", "7777"},
		{"agent.set", "{\"agent\":\"1001\",\"state\":\"ready\"}", "refused", "signed_out"},
		{"agent.set", "{\"agent\":\"1001\",\"state\":\"not_ready\",\"reason\":\"moon\"}",
		 "refused", "moon"},
		{"hangup", "{\"call\":\"nobody\"}", "not_found", "nobody"},
		{"monitor", "{\"call\":\"nobody\",\"by\":\"2001\",\"mode\":\"listen\"}",
		 "not_found", "nobody"},
		{"flow.reload", "{\"file\":\"/nonexistent.yaml\"}", "invalid_file", "nonexistent"},
		{"fly", "{}", "unknown_method", "fly"},
	};
	struct desk_top *d = top_open();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check(ask(d, rows[i].method, json_loads(rows[i].params, 0, NULL)) == NULL);
		check_str(d->reason, rows[i].reason);
		check(strstr(d->message, rows[i].says) != NULL);
	}
	top_close(d);
}

static void state_is_told_and_the_engine_may_be_away(void)
{
	struct desk_top *d = top_open();

	check(ask(d, "status", NULL) != NULL);
	check(json_is_false(json_object_get(d->result, "healthy")));
	check_str(text(json_array_get(json_object_get(d->result, "alarms"), 0), "area"), "prompts");
	centre_alarm(&d->k.c, "prompts", false, "");
	check(ask(d, "status", NULL) != NULL);
	check(json_is_true(json_object_get(d->result, "healthy")));
	check_int(json_array_size(json_object_get(ask(d, "agents", NULL), "agents")), 4);
	check_int(json_array_size(json_object_get(ask(d, "queues", NULL), "queues")), 4);
	check(ask(d, "flow.check", NULL) != NULL);
	check(json_is_false(json_object_get(d->result, "ok"))); /* this engine has no prompts */
	check(ask(d, "flow.reload", NULL) == NULL);
	check_str(d->reason, "invalid_file");
	check(ask(d, "drops", NULL) == NULL); /* the kit has none: its own words come through */
	check_str(d->reason, "unknown_method");
	engine_kit_close(d->k.engine);
	kit_wait(50);
	check(ask(d, "drops", NULL) == NULL);
	check_str(d->reason, "engine_down");
	check(ask(d, "status", NULL) != NULL);
	check(json_is_false(json_object_get(d->result, "healthy")));
	check(ask(d, "legs", NULL) != NULL);
	top_close(d);
}

static const struct check_case cases[] = {
	CHECK_CASE(a_call_is_seen_steered_and_found_again),
	CHECK_CASE(customers_are_kept_and_found),
	CHECK_CASE(customers_by_the_many_need_the_right_to),
	CHECK_CASE(the_knowledge_base_is_written_and_searched),
	CHECK_CASE(who_did_what_is_kept),
	CHECK_CASE(what_cannot_be_is_refused_by_name),
	CHECK_CASE(state_is_told_and_the_engine_may_be_away),
};

int main(void)
{
	log_setup("test", getenv("LOUD") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	return check_run(cases, sizeof(cases) / sizeof(cases[0]));
}
