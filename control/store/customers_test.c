/* SPDX-License-Identifier: Apache-2.0
 *
 * Customers are put, found by number, text and field, changed, merged and deleted; bad rows are refused one by one.
 */
#include "store/customers.h"

#include <string.h>

#include "store/store_testing.h"

static struct place place;
static struct store *store;
static struct reply answer;
static unsigned ids;

static void open_place(void)
{
	place_make(&place);
	store = open_store(&place);
	ids = 0;
}

static void close_place(void)
{
	forget_reply(&answer);
	check_int(store_close(store, 1000), 0);
	place_remove(&place);
}

/* Rows of a write; each gets an id and a time. */
static void write_rows(const char *text)
{
	json_t *rows = quoted_json(text);
	char id[16];

	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);

		snprintf(id, sizeof(id), "c%u", ++ids);
		json_object_set_new(row, "new_id", json_string(id));
		json_object_set_new(row, "at_ms", json_integer(1000 + ids));
		if (json_object_get(row, "do") == NULL)
			json_object_set_new(row, "do", json_string("put"));
	}
	forget_reply(&answer);
	answered(store, &answer, store_customers_write(store, rows, keep_reply, &answer));
}

/* The ids that a filter finds, in order. */
static const char *find(const char *text)
{
	static char found[400];
	json_t *filter = quoted_json(text);
	const json_t *row;
	size_t i;

	if (json_object_get(filter, "limit") == NULL)
		json_object_set_new(filter, "limit", json_integer(50));
	forget_reply(&answer);
	answered(store, &answer, store_customers_find(store, filter, keep_reply, &answer));
	found[0] = '\0';
	json_array_foreach(json_object_get(answer.result, "customers"), i, row)
	{
		size_t n = strlen(found);

		snprintf(found + n, sizeof(found) - n, "%s%s", n > 0 ? " " : "",
			 json_string_value(json_object_get(row, "customer")));
	}
	return found;
}

static const char four[] =
	"[{'name':'Wang','numbers':['+8613800138000','+861088881234'],'fields':{'city':'Beijing','"
	"tier':'2'}},"
	"{'name':'Li','numbers':['+8613900139000'],'fields':{'city':'Tianjin','tier':'1'}},"
	"{'name':'Zhang','numbers':['+861088881234'],'fields':{'city':'Beijing','tier':'1'}},"
	"{'name':'','numbers':[],'fields':{}}]";

static void found_by_what_is_known(void)
{
	open_place();
	write_rows(four);
	check_int(reply_count(&answer, "added"), 4);
	check_str(find("{'number':'+8613800138000'}"), "c1");
	check_str(find("{'number':'+861088881234'}"), "c1 c3"); /* by name */
	check_str(find("{'number':'+1'}"), "");
	check_str(find("{'customer':'c2'}"), "c2");
	check_str(find("{'text':'ang'}"), "c1 c3");
	check_str(find("{'text':'TIAN'}"), "c2");
	check_str(find("{'text':'139001'}"), "c2");
	check_str(find("{'field':'city','value':'Beijing'}"), "c1 c3");
	check_str(find("{'field':'city','value':'Beijing','sort':['tier']}"), "c3 c1");
	check_str(find("{'sort':['city','-name']}"), "c4 c3 c1 c2");
	check_str(find("{'sort':['-changed']}"), "c4 c3 c2 c1");
	check_str(find("{'sort':['-created'],'limit':2}"), "c4 c3");
	check(json_is_true(json_object_get(answer.result, "more")));
	check_str(find("{'sort':['-created'],'limit':2,'offset':2}"), "c2 c1");
	check(json_is_false(json_object_get(answer.result, "more")));
	/* All of them, page by page; sorting means nothing then. */
	check_str(find("{'after':'','limit':3,'sort':['-name']}"), "c1 c2 c3");
	check(json_is_true(json_object_get(answer.result, "more")));
	check_str(find("{'after':'c3','limit':3}"), "c4");
	check_str(find("{'after':'','number':'+861088881234'}"), "c1 c3");
	check_str(find("{'after':'c1','number':'+861088881234'}"), "c3");
	check_str(find("{'number':'+861088881234','text':'Wang'}"), "c1");
	close_place();
}

static void changed_in_part(void)
{
	const json_t *row;

	open_place();
	write_rows(four);
	write_rows("[{'customer':'c1','name':'Wang Wu','fields':{'tier':null,'note':'x'}}]");
	check_int(reply_count(&answer, "updated"), 1);
	check_str(find("{'customer':'c1'}"), "c1");
	row = json_array_get(json_object_get(answer.result, "customers"), 0);
	check_str(json_string_value(json_object_get(row, "name")), "Wang Wu");
	check_int(json_array_size(json_object_get(row, "numbers")), 2);
	check(json_object_get(json_object_get(row, "fields"), "tier") == NULL);
	check_str(json_string_value(json_object_get(json_object_get(row, "fields"), "city")),
		  "Beijing");
	check_int(json_integer_value(json_object_get(row, "created_ms")), 1001);
	check_int(json_integer_value(json_object_get(row, "changed_ms")), 1005);
	/* Numbers that are told replace those of before, in the index as well. */
	write_rows("[{'customer':'c1','numbers':['+8613700137000']}]");
	check_str(find("{'number':'+8613800138000'}"), "");
	check_str(find("{'number':'+8613700137000'}"), "c1");
	write_rows("[{'do':'delete','customer':'c1'},{'do':'delete','customer':'nobody'}]");
	check_int(reply_count(&answer, "deleted"), 1);
	check_int(reply_count(&answer, "refused"), 1);
	check_str(find("{'number':'+8613700137000'}"), "");
	write_rows("[{'customer':'own-7','name':'Own id'}]");
	check_int(reply_count(&answer, "added"), 1);
	check_str(find("{'text':'own id'}"), "own-7");
	close_place();
}

static void duplicates_as_it_is_asked(void)
{
	open_place();
	write_rows(four);
	write_rows(
		"[{'name':'Wang 2','numbers':['+8613800138000'],'duplicates':'refuse','line':7}]");
	check_int(reply_count(&answer, "refused"), 1);
	check(strstr(json_string_value(json_object_get(
			     json_array_get(json_object_get(answer.result, "rows"), 0), "why")),
		     "+8613800138000 is the number of Wang (customer c1)") != NULL);
	check_int(json_integer_value(json_object_get(
			  json_array_get(json_object_get(answer.result, "rows"), 0), "line")),
		  7);
	write_rows("[{'name':'Wang "
		   "3','numbers':['+8613800138000','+8613600136000'],'fields':{'tier':'9'},"
		   "'duplicates':'update'}]");
	check_int(reply_count(&answer, "updated"), 1);
	check_str(find("{'number':'+8613600136000'}"), "c1");
	check_str(find("{'number':'+861088881234','field':'tier','value':'9'}"), "c1");
	write_rows("[{'name':'Both','numbers':['+861088881234'],'duplicates':'update'}]");
	check_int(reply_count(&answer, "refused"), 1); /* c1 or c3? */
	write_rows("[{'name':'Wang 4','numbers':['+8613800138000'],'duplicates':'allow'}]");
	check_int(reply_count(&answer, "added"), 1);
	/* Within one write, too. */
	write_rows("[{'name':'A','numbers':['+49301'],'duplicates':'refuse'},{'name':'B','numbers':"
		   "['+49301'],"
		   "'duplicates':'refuse'}]");
	check_int(reply_count(&answer, "added"), 1);
	check_int(reply_count(&answer, "refused"), 1);
	close_place();
}

/* Nothing of a filter is read as SQL or as another path. */
static void strange_words_find_nothing(void)
{
	open_place();
	write_rows(four);
	check_str(find("{'text':'%'}"), "");
	check_str(find("{'field':'city','value':'Bei%'}"), "");
	check_str(find("{'field':'no such','value':'x'}"), "");
	check_str(find("{'customer':'c1; DROP TABLE customers'}"), "");
	check_str(find("{'sort':['no such field']}"), "c4 c2 c1 c3"); /* by name */
	close_place();
}

static const struct check_case cases[] = {
	CHECK_CASE(found_by_what_is_known),
	CHECK_CASE(changed_in_part),
	CHECK_CASE(duplicates_as_it_is_asked),
	CHECK_CASE(strange_words_find_nothing),
};
CHECK_MAIN(cases)
