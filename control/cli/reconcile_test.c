/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/reconcile.h"

#include "check.h"

/* One call and what the database and the store know of its recording; "" is nothing. */
static const struct {
	const char *story, *call, *recording, *stored, *problem;
} t[] = {
	{"recorded", "{'call':'c','answered_ms':1}",
	 "{'recording':'r','call':'c','duration_ms':5,'written':7,'lost':1}",
	 "{'complete':true,'written':7,'lost':1}", ""},
	{"not answered", "{'call':'c','answered_ms':null}", "", "", ""},
	{"not recorded, and why", "{'call':'c','answered_ms':1,'not_recorded':'policy'}", "", "",
	 ""},
	{"not recorded", "{'call':'c','answered_ms':1,'not_recorded':null}", "", "",
	 "no_recording"},
	{"lost from the store", "{'call':'c','answered_ms':1}",
	 "{'recording':'r','call':'c','duration_ms':5,'written':7,'lost':1}", "", "not_in_store"},
	{"damaged", "{'call':'c','answered_ms':1}",
	 "{'recording':'r','call':'c','duration_ms':5,'written':7,'lost':1}",
	 "{'complete':false,'written':7,'lost':1}", "incomplete"},
	{"counted differently", "{'call':'c','answered_ms':1}",
	 "{'recording':'r','call':'c','duration_ms':5,'written':0,'lost':0}",
	 "{'complete':true,'written':7,'lost':0}", "account"},
	{"finished, its segment used again", "{'call':'c','answered_ms':1}",
	 "{'recording':'r','call':'c','duration_ms':5,'written':7,'lost':1}",
	 "{'finished':true,'deleted':false,'lost':1}", ""},
	{"deleted by rule", "{'call':'c','answered_ms':1}",
	 "{'recording':'r','call':'c','duration_ms':5,'written':7,'lost':1}",
	 "{'finished':true,'deleted':true}", ""},
	{"finished with another count", "{'call':'c','answered_ms':1}",
	 "{'recording':'r','call':'c','duration_ms':5,'written':7,'lost':1}",
	 "{'finished':true,'deleted':false,'lost':0}", "account"},
	{"still running", "{'call':'c','answered_ms':1}",
	 "{'recording':'r','call':'c','duration_ms':null,'written':0,'lost':0}", "", ""},
};

static json_t *parse(const char *with_quotes)
{
	char s[300];

	snprintf(s, sizeof(s), "%s", with_quotes);
	for (char *p = s; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	return s[0] != '\0' ? json_loads(s, 0, NULL) : NULL;
}

static void each_difference_has_its_name(void)
{
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		json_t *calls = json_array(), *recordings = json_array(), *stored = json_object();
		json_t *rec = parse(t[i].recording), *in = parse(t[i].stored), *all;
		const json_t *problems;

		json_array_append_new(calls, parse(t[i].call));
		if (rec != NULL)
			json_array_append_new(recordings, rec);
		if (in != NULL)
			json_object_set_new(stored, "r", in);
		all = reconcile(calls, recordings, stored);
		problems = json_object_get(all, "problems");
		if (json_array_size(problems) != (t[i].problem[0] != '\0'))
			printf("     %s\n", t[i].story);
		check_int(json_array_size(problems), t[i].problem[0] != '\0');
		check_int(json_is_true(json_object_get(all, "ok")), t[i].problem[0] == '\0');
		if (t[i].problem[0] != '\0')
			check_str(json_string_value(
					  json_object_get(json_array_get(problems, 0), "problem")),
				  t[i].problem);
		json_decref(all);
		json_decref(calls);
		json_decref(recordings);
		json_decref(stored);
	}
}

static const struct check_case cases[] = {
	CHECK_CASE(each_difference_has_its_name),
};
CHECK_MAIN(cases)
