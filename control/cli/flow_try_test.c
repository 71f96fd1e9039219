/* SPDX-License-Identifier: Apache-2.0
 * A person tries the shipped flow. */
#include "cli/flow_try.h"

#include <stdlib.h>

#include "check.h"

static char *walk(const char *typed, bool closed)
{
	char *shown = NULL;
	size_t len = 0;
	char input[200];
	FILE *in, *out;

	snprintf(input, sizeof(input), "%s", typed);
	in = fmemopen(input, strlen(input), "r");
	out = open_memstream(&shown, &len);
	check_int(flow_try(&(struct flow_try_options){.closed = closed, .in = in, .out = out}), 0);
	fclose(in);
	fclose(out);
	return shown;
}

static void one_key_leads_to_sales(void)
{
	char *shown = walk("1\nmaybe\ntimeout\n3\n", false);

	check(strstr(shown, "[welcome]\n[business-hours]\n[main]\n") != NULL);
	check(strstr(shown, "  hears  zh/welcome: 您好") != NULL);
	check(strstr(shown, "waits in queue sales") != NULL);
	check(strstr(shown, "leaves a message in hotline") != NULL);
	check(strstr(shown, "[goodbye]") != NULL);
	check(strstr(shown, "The call has ended.\n") != NULL);
	free(shown);
}

static void the_end_of_input_hangs_up(void)
{
	char *shown = walk("4\n", false);

	check(strstr(shown, "[information]") != NULL);
	check(strstr(shown, "The call has ended.\n") != NULL);
	free(shown);
	shown = walk("h\n", true);
	check(strstr(shown, "calendar office is closed") != NULL);
	free(shown);
}

static void a_file_that_cannot_be_used_is_told(void)
{
	check_int(flow_try(&(struct flow_try_options){.file = "/nonexistent.yaml"}), 2);
	check_int(flow_draw("/nonexistent.yaml", false, stdout), 2);
}

static void a_picture_is_drawn(void)
{
	char *shown = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&shown, &len);

	check_int(flow_draw("example", false, out), 0);
	fclose(out);
	check(strncmp(shown, "digraph \"hotline\" {", 19) == 0);
	free(shown);
	out = open_memstream(&shown, &len);
	check_int(flow_draw("example", true, out), 0);
	fclose(out);
	check(strncmp(shown, "<svg ", 5) == 0 && strstr(shown, "</svg>\n") != NULL);
	free(shown);
}

static const struct check_case cases[] = {
	CHECK_CASE(one_key_leads_to_sales),
	CHECK_CASE(the_end_of_input_hangs_up),
	CHECK_CASE(a_file_that_cannot_be_used_is_told),
	CHECK_CASE(a_picture_is_drawn),
};
CHECK_MAIN(cases)
