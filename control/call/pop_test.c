/* SPDX-License-Identifier: Apache-2.0
 *
 * What an agent's screen is told of who calls: one customer, several, nobody known, nobody who wants to be known; and when
 * the call goes to somebody else.
 */
#include "call/call_kit.h"
#include "call/consult.h"

#include <string.h>

#include "check.h"
#include "store/customers.h"

static struct call_kit k;
static const struct config_numbers china = {.country = "86",
					    .area = "10",
					    .national_prefix = "0",
					    .international_prefix = "00",
					    .local_digits = 8};

static void on_written(void *arg, const json_t *result, const char *error)
{
	check(result != NULL && error == NULL);
	*(bool *)arg = true;
}

static bool is_true(void *arg)
{
	return *(bool *)arg;
}

static void customer(const char *id, const char *number)
{
	bool done = false;
	json_t *rows =
		json_pack("[{s:s,s:s,s:s,s:[s],s:{s:s},s:i}]", "do", "put", "customer", id, "name",
			  id, "numbers", number, "fields", "city", "Beijing", "at_ms", 1);

	check_int(store_customers_write(k.c.store, rows, on_written, &done), 0);
	check(kit_run(is_true, &done, 3000));
}

static void begin(void)
{
	call_kit_open_stored(&k, "");
	k.c.config->numbers = china;
}

static bool popped(void *arg)
{
	return k.pops >= *(unsigned *)arg;
}

/* The n-th pop of the test. */
static const json_t *pop(unsigned n)
{
	check(kit_run(popped, &n, 3000));
	check_int(k.pops, n);
	return k.pop;
}

static const char *text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "";
}

static void end(struct kit_call *caller)
{
	sip_call_end(caller->call, 0, 16, NULL);
	check(call_kit_empty(&k));
	call_kit_close(&k);
}

static void who_is_known_is_shown_and_the_call_takes_it_along(void)
{
	struct kit_call *caller;
	const json_t *p, *found;
	char why[160];

	begin();
	customer("c-1", "+8613800138000");
	customer("c-2", "+8613900139000");
	call_kit_ready(&k, "1001");
	caller = call_kit_into_sales(&k); /* from 13800138000 */
	p = pop(1);
	check_str(text(p, "agent"), "1001");
	check_str(text(p, "queue"), "sales");
	check_str(text(p, "number"), "13800138000");
	check_str(text(p, "canonical"), "+8613800138000");
	found = json_object_get(p, "customers");
	check_int(json_array_size(found), 1);
	check_str(text(json_array_get(found, 0), "customer"), "c-1");
	check_str(text(json_object_get(json_array_get(found, 0), "fields"), "city"), "Beijing");
	check(call_kit_reaches(&k, CALL_TALKING));
	check_str(text(p, "call"), call_kit_newest(&k)->id);

	check_int(consult_start(call_kit_newest(&k)->agent, "1002", why, sizeof(why)), 0);
	p = pop(2);
	check_str(text(p, "agent"), "1002");
	check_int(json_array_size(json_object_get(p, "customers")), 1);
	for (int i = 0; i < 300 && call_kit_newest(&k)->consult.state != CONSULT_TALKING; i++)
		kit_wait(10);
	check_int(consult_complete(call_kit_newest(&k), why, sizeof(why)), 0);

	kit_wait(50);
	check_int(centre_transfer(&k.c, call_kit_newest(&k), "1003", why, sizeof(why)), 0);
	check_str(text(pop(3), "agent"), "1003");
	check(call_kit_reaches(&k, CALL_TALKING));
	end(caller);
}

static void several_and_nobody(void)
{
	struct kit_call *caller;
	const json_t *p;

	begin();
	call_kit_ready(&k, "1001");
	caller = call_kit_into_sales(&k);
	p = pop(1);
	check(json_is_array(json_object_get(p, "customers"))); /* a new one may be made of it */
	check_int(json_array_size(json_object_get(p, "customers")), 0);
	sip_call_end(caller->call, 0, 16, NULL);
	check(call_kit_empty(&k));
	customer("c-1", "+8613800138000");
	customer("c-2", "+8613800138000");
	call_kit_ready(&k, "1003");
	caller = call_kit_into_sales(&k);
	check_int(json_array_size(json_object_get(pop(2), "customers")), 2);
	end(caller);
}

/* Its number may be known to the carrier; nobody here is told. */
static void who_is_withheld_stays_so(void)
{
	char uri[96];
	struct sip_invite inv = {.uri = uri,
				 .from_user = "13800138000",
				 .from_host = "far.test",
				 .asserted = "13800138000",
				 .withheld = true};
	struct kit_call *caller;
	const json_t *p;

	begin();
	customer("c-1", "+8613800138000");
	call_kit_ready(&k, "1001");
	strcpy(k.engine->digits, "1");
	snprintf(uri, sizeof(uri), "sip:95598@127.0.0.1:%u", sip_stack_port(k.c.sip, 0));
	caller = kit_dial(k.world, &inv);
	p = pop(1);
	check(json_is_true(json_object_get(p, "withheld")));
	check(json_is_null(json_object_get(p, "number")));
	check(json_is_null(json_object_get(p, "customers")));
	check(call_kit_reaches(&k, CALL_TALKING));
	end(caller);
}

static void colleagues_are_no_customers(void)
{
	struct kit_call *caller;

	begin();
	caller = call_kit_dial_as(&k, 0, "1002");
	check(call_kit_reaches(&k, CALL_TALKING));
	kit_wait(100);
	check_int(k.pops, 0);
	end(caller);
}

static void without_a_database_the_number_is_told(void)
{
	struct kit_call *caller;

	call_kit_open(&k);
	k.c.config->numbers = china;
	call_kit_ready(&k, "1001");
	caller = call_kit_into_sales(&k);
	check(json_is_null(json_object_get(pop(1), "customers")));
	check_str(text(k.pop, "canonical"), "+8613800138000");
	end(caller);
}

static const struct check_case cases[] = {
	CHECK_CASE(who_is_known_is_shown_and_the_call_takes_it_along),
	CHECK_CASE(several_and_nobody),
	CHECK_CASE(who_is_withheld_stays_so),
	CHECK_CASE(colleagues_are_no_customers),
	CHECK_CASE(without_a_database_the_number_is_told),
};
CHECK_MAIN(cases)
