/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/top.h"

#include "check.h"

static json_t *load(const char *quoted)
{
	char *text = strdup(quoted);
	json_t *j;

	for (char *p = text; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	j = json_loads(text, 0, NULL);
	check(j != NULL);
	free(text);
	return j;
}

#define STAGE(name, packets, cycles)                                                               \
	"{'stage':'" name "','packets':" #packets ",'cycles':" #cycles "}"

/* Two seconds between them. The second worker is new; a counter of the first has gone back. */
static json_t *difference(void)
{
	json_t *a = load("{'workers':[{'worker':0,'cycles_hz':1000000,'received':100,'sent':500,"
			 "'stages':[" STAGE("rx", 100, 1000) "," STAGE(
				 "tx", 5, 5) "]}],"
					     "'recorder':{'bytes_written':1000}}");
	json_t *b = load(
		"{'version':'9','workers':[{'worker':0,'busy_share':0.5,'cycles_hz':1000000,"
		"'received':300,'sent':400,'stages':[" STAGE("rx", 300, 21000) "," STAGE(
			"tx", 5, 5) "]},{'worker':1,'cycles_hz':1000000,'received':10,"
				    "'stages':[" STAGE("rx", 10,
						       100) "]}],"
							    "'recorder':{'bytes_written':5000}}");
	json_t *x = load("{'fates':[{'name':'no_leg','drop':true,'count':10}]}");
	json_t *y = load("{'fates':[{'name':'no_leg','drop':true,'count':30},"
			 "{'name':'relayed','drop':false,'count':8},"
			 "{'name':'far','drop':true,'count':0}]}");
	json_t *t = top_difference(a, x, b, y, 2);

	json_decref(a);
	json_decref(b);
	json_decref(x);
	json_decref(y);
	return t;
}

static double at(const json_t *t, const char *list, size_t i, const char *member)
{
	return json_number_value(
		json_object_get(json_array_get(json_object_get(t, list), i), member));
}

static void rates_are_differences(void)
{
	json_t *t = difference();
	const json_t *rx;

	check(at(t, "workers", 0, "received_s") == 100);
	check(at(t, "workers", 0, "sent_s") == 0); /* went back: not a rate */
	check(at(t, "workers", 0, "busy_share") == 0.5);
	check(at(t, "workers", 1, "received_s") == 5); /* it was not there before */
	rx = json_array_get(
		json_object_get(json_array_get(json_object_get(t, "workers"), 0), "stages"), 0);
	check(json_number_value(json_object_get(rx, "packets_s")) == 100);
	check(json_number_value(json_object_get(rx, "cycles_packet")) == 100);
	check(json_number_value(json_object_get(rx, "share")) == 0.01);
	check(at(t, "fates", 0, "packets_s") == 10);
	check(at(t, "fates", 1, "packets_s") == 4);
	check(json_number_value(json_object_get(json_object_get(t, "recorder"), "bytes_s")) ==
	      2000);
	json_decref(t);
}

static void the_path_is_drawn_with_its_numbers(void)
{
	json_t *t = difference();
	char *dot = top_graph(t);

	check(strstr(dot, "rx [label=\"rx\\n105 packets/s\\n") != NULL);
	check(strstr(dot, "tx [label=\"tx\\n0 packets/s\\n0.0 %") != NULL);
	check(strstr(dot, "\trx -> tx;\n") != NULL); /* what lies between is not in this engine */
	check(strstr(dot, "tx -> \"fate_relayed\"") != NULL);
	check(strstr(dot, "fate_no_leg") == NULL); /* no stage that it could come from */
	check(strstr(dot, "fate_far") == NULL);
	check(strcmp(dot + strlen(dot) - 2, "}\n") == 0);
	free(dot);
	json_decref(t);
}

static const struct check_case cases[] = {
	CHECK_CASE(rates_are_differences),
	CHECK_CASE(the_path_is_drawn_with_its_numbers),
};
CHECK_MAIN(cases)
