/* SPDX-License-Identifier: Apache-2.0
 * Flows as an operator might get them wrong, and what must be said. */
#include "ivr/flow.h"
#include "ivr/say.h"

#include <errno.h>
#include <stdlib.h>

#include "check.h"
#include "conf/config.h"
#include "example/example.h"

#define HEAD "languages: [zh, en]\nstart: a\nnodes:\n"
#define END  "  z: {hangup: normal}\n"

static const struct refusal {
	const char *text, *says;
} refusals[] = {
	{"", "t:1:1: a flow needs \"languages\", such as [zh, en]"},
	{"languages: [zh]\nstart: a\n", "t:1:1: a flow needs \"nodes\""},
	{HEAD "  a: {say: [x], nxt: z}\n" END,
	 "t:4:17: unknown key \"nxt\"; did you mean \"next\"?"},
	{HEAD "  a: {prompt: x}\n",
	 "t:4:6: node \"a\" does nothing: give one of say, menu, collect, "
	 "hours, set, if, queue, voicemail, dial, conference, record, run, lookup, note, callback, "
	 "goto, "
	 "hangup"},
	{HEAD "  a: {say: x, next: y}\n  zz: {hangup: normal}\n", "t:4:21: there is no node \"y\""},
	{HEAD "  a: {say: x, next: bye}\n  byte: {hangup: normal}\n",
	 "t:4:21: there is no node \"bye\"; did you mean \"byte\"?"},
	{HEAD "  a: {say: x}\n",
	 "t:4:3: \"next\" of node \"a\" is missing: where does the call go?"},
	{HEAD "  a: {menu: x, digits: {'1': z}}\n" END,
	 "t:4:3: \"otherwise\" of node \"a\" is missing: where does the call go?"},
	{HEAD "  a: {menu: x, otherwise: z}\n" END, "t:4:3: a menu needs \"digits\""},
	{HEAD "  a: {menu: x, digits: {'12': z}, otherwise: z}\n" END,
	 "t:4:25: \"12\" is no key of a telephone (0-9, *, #)"},
	{HEAD "  a: {menu: x, digits: {1: z, 1: z}, otherwise: z}\n" END,
	 "t:4:31: key \"1\" was given before, in line 4"},
	{HEAD "  a: {queue: s}\n", "t:4:3: node \"a\" needs \"otherwise\", or all of full, empty "
				   "and timeout: where do those go "
				   "who are not served?"},
	{HEAD "  a: {conference: s, busy: z}\n" END,
	 "t:4:3: node \"a\" needs \"otherwise\", or both busy and failed: where do those go who "
	 "are "
	 "not served?"},
	{HEAD "  a: {queue: s, hangup: normal, otherwise: z}\n" END,
	 "t:4:17: a node does one thing: \"queue\" and \"hangup\" do not go together"},
	{HEAD "  a: {hangup: norml}\n",
	 "t:4:15: hangup cannot be \"norml\"; did you mean \"normal\"?"},
	{HEAD "  a: {collect: x, next: z, otherwise: z}\n" END,
	 "t:4:3: \"collect\" needs \"into\", the variable that keeps the digits"},
	{HEAD "  a: {say: [{number: $n}], next: z}\n" END,
	 "t:4:22: no node fills the variable \"$n\"; collect or set it, or use $caller, $called, "
	 "$language"},
	{HEAD "  a: {say: [{nummber: 1}], next: z}\n" END,
	 "t:4:14: unknown key \"nummber\"; did you mean \"number\"?"},
	{HEAD "  a: {set: {language: fr}, next: z}\n" END,
	 "t:4:23: \"fr\" is none of the flow's languages"},
	{HEAD "  a: {collect: x, into: n, min: 5, max: 4, next: z, otherwise: z}\n" END,
	 "t:4:3: min (5) is more than max (4)"},
	{HEAD "  a: {lookup: 'ftp://bank/x', next: z, failed: z}\n" END,
	 "t:4:15: a lookup is an address that begins with http:// or https://"},
	{HEAD "  a: {lookup: 'http://x/$who', next: z, failed: z}\n" END,
	 "t:4:15: no node fills the variable \"$who\"; write $$ for a dollar sign"},
	{HEAD "  a: {lookup: 'http://x/', send: [who], next: z, failed: z}\n" END,
	 "t:4:35: no node fills the variable \"who\""},
	{HEAD "  a: {note: {}, next: z}\n" END, "t:4:13: a note has 1 to 8 keys"},
	{HEAD "  a: {goto: z}\n  back: {hangup: normal}\n" END,
	 "t:5:3: \"back\" has a meaning of its own and cannot name a node"},
	{"languages: [zh]\nstart: hangup\nnodes:\n" END, "t:2:8: start must name a node"},
};

static void what_is_wrong_is_told_where(void)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct complaints c;
		struct ivr_flow *f = NULL;
		char line[400];

		check(ivr_flow_load(refusals[i].text, strlen(refusals[i].text), "t", &f, &c) < 0);
		check(f == NULL && c.errors > 0);
		check_str(complaint_line(&c, 0, line, sizeof(line)), refusals[i].says);
	}
}

static bool has_prompt(void *arg, const char *prompt)
{
	(void)arg;
	return strcmp(prompt, "en/missing") != 0 && strcmp(prompt, "zh/num/wan") != 0;
}

static bool has_thing(void *arg, const char *name)
{
	(void)arg;
	return name[0] == 's';
}

static struct ivr_world world = {
	.has_prompt = has_prompt,
	.has_queue = has_thing,
	.has_calendar = has_thing,
	.has_conference = has_thing,
	.has_number = has_thing,
};

static const struct refusal lost[] = {
	{HEAD "  a: {say: x, next: b}\n  b: {goto: a}\n",
	 "t:4:3: from node \"a\" a call can never come to an end or to a person"},
	{HEAD "  a: {hours: s, open: z, closed: b}\n  b: {say: x, next: a}\n" END,
	 "t:5:3: \"b\" leads back to \"a\" and nothing in between waits for the caller: an endless "
	 "loop"},
	{HEAD "  a: {hours: s, open: repeat, closed: z}\n" END,
	 "t:4:3: \"a\" leads back to \"a\" and nothing in between waits for the caller: an endless "
	 "loop"},
	{HEAD "  a: {hours: s, open: back, closed: z}\n" END,
	 "t:4:3: \"a\" leads back to \"a\" and nothing in between waits for the caller: an endless "
	 "loop"},
	{HEAD "  a: {menu: x, digits: {'1': repeat}, otherwise: back}\n",
	 "t:4:3: from node \"a\" a call can never come to an end or to a person"},
	{HEAD "  a: {say: [x, missing], next: z}\n" END,
	 "t:4:16: prompt \"missing\" is missing in \"en\" (en/missing.wav)"},
	{HEAD "  a: {say: {number: 5}, next: z}\n" END,
	 "t:4:12: numbers are spoken here, and prompt \"num/wan\" is missing in \"zh\" "
	 "(zh/num/wan.wav)"},
	{HEAD "  a: {hours: office, open: z, closed: z}\n" END,
	 "t:4:14: there is no calendar \"office\""},
	{HEAD "  a: {dial: '5', otherwise: z}\n" END,
	 "t:4:13: \"5\" is no agent, and no trunk leads there"},
	{HEAD "  a: {conference: office, otherwise: z}\n" END,
	 "t:4:19: there is no conference \"office\""},
	{HEAD "  a: {run: b, next: z}\n  b: {say: x, next: c}\n  c: {goto: return}\n" END,
	 NULL}, /* good */
	{HEAD "  a: {say: x, next: b}\n  b: {hours: s, open: return, closed: z}\n" END,
	 "t:5:23: node \"b\" says return, but a call comes here without a \"run\""},
	{HEAD "  a: {run: b, next: a}\n  b: {note: {k: v}, next: return}\n",
	 "t:4:3: from node \"a\" a call can never come to an end or to a person"},
	{HEAD "  a: {run: b, next: c}\n  b: {goto: return}\n"
	      "  c: {hours: s, open: a, closed: z}\n" END,
	 "t:6:3: \"c\" leads back to \"a\" and nothing in between waits for the caller: an endless "
	 "loop"},
	{HEAD
	 "  a: {run: b, next: c}\n  b: {collect: x, into: v, next: return, otherwise: return}\n"
	 "  c: {hours: s, open: a, closed: z}\n" END,
	 NULL}, /* the caller is asked in between */
	{HEAD "  a: {callback: s, next: a, failed: z}\n" END,
	 "t:4:3: \"a\" leads back to \"a\" and nothing in between waits for the caller: an endless "
	 "loop"},
	{HEAD "  a: {callback: s, next: z, failed: b}\n  b: {say: x, next: a}\n" END,
	 "t:5:3: \"b\" leads back to \"a\" and nothing in between waits for the caller: an endless "
	 "loop"},
	{HEAD "  a: {menu: x, digits: {'1': b}, otherwise: z}\n"
	      "  b: {callback: s, next: z, failed: a}\n" END,
	 NULL}, /* the menu asks the caller again */
	/* The sub-flow asks the caller, and returns; and then it is run again, for ever. */
	{HEAD
	 "  a: {run: b, next: a}\n  b: {collect: x, into: v, next: return, otherwise: return}\n",
	 "t:4:3: from node \"a\" a call can never come to an end or to a person"},
	/* What stands behind a sub-flow that never returns is no way to an end. */
	{HEAD
	 "  a: {run: b, next: z}\n  b: {menu: x, digits: {'1': repeat}, otherwise: repeat}\n" END,
	 "t:4:3: from node \"a\" a call can never come to an end or to a person"},
	/* A run within a run goes on behind it, and there the caller is asked. */
	{HEAD "  a: {run: b, next: h}\n  b: {run: c, next: d}\n  c: {goto: return}\n"
	      "  d: {collect: x, into: v, next: return, otherwise: return}\n"
	      "  h: {hours: s, open: a, closed: z}\n" END,
	 NULL},
	{HEAD "  a: {callback: other, next: z, failed: z}\n" END,
	 "t:4:17: there is no queue \"other\""},
	{HEAD "  a: {goto: z}\n  b: {goto: z}\n" END,
	 "t:5:3: warning: no call ever comes to node \"b\""},
};

static void a_flow_that_could_lose_a_caller_is_refused(void)
{
	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
		struct complaints c;
		struct ivr_flow *f;
		char line[400];
		bool good = lost[i].says == NULL;
		bool warning = good || strstr(lost[i].says, "warning") != NULL;

		check_int(ivr_flow_load(lost[i].text, strlen(lost[i].text), "t", &f, &c), 0);
		check_int(ivr_flow_check(f, &world, &c), warning ? 0 : -EINVAL);
		if (good)
			check_int(c.kept, 0);
		else
			check_str(complaint_line(&c, 0, line, sizeof(line)), lost[i].says);
		ivr_flow_drop(&f);
	}
}

static void cycles_through_menus_and_queues_are_fine(void)
{
	static const char text[] =
		HEAD "  a: {say: x, next: m}\n"
		     "  m: {menu: x, digits: {'1': a, '2': q, '*': back}, otherwise: a}\n"
		     "  q: {queue: s, otherwise: q}\n";
	struct complaints c;
	struct ivr_flow *f;

	check_int(ivr_flow_load(text, strlen(text), "t", &f, &c), 0);
	check_int(ivr_flow_check(f, &(struct ivr_world){0}, &c), 0);
	check_int(c.warnings, 0);
	ivr_flow_drop(&f);
	check(f == NULL);
}

static bool example_queue(void *arg, const char *name)
{
	return config_queue_find(arg, name) != NULL;
}

static bool example_calendar(void *arg, const char *name)
{
	return config_calendar_find(arg, name) != NULL;
}

/* Is there a line "NAME: " for LANG/NAME? */
static bool example_prompt(void *arg, const char *prompt)
{
	const char *words = strncmp(prompt, "zh/", 3) == 0 ? example_words_zh : example_words_en;
	char line[128];

	(void)arg;
	snprintf(line, sizeof(line), "\n%s: ", prompt + 3);
	return strstr(words, line) != NULL;
}

static void the_shipped_flow_fits_the_shipped_configuration(void)
{
	struct complaints c;
	struct config *conf;
	struct ivr_flow *f;

	check_int(config_load(example_config, example_config_len, "e", &conf, &c), 0);
	check_int(ivr_flow_load(example_flow, example_flow_len, "hotline.yaml", &f, &c), 0);
	check_int(ivr_flow_check(f,
				 &(struct ivr_world){.arg = conf,
						     .has_prompt = example_prompt,
						     .has_queue = example_queue,
						     .has_calendar = example_calendar},
				 &c),
		  0);
	check_int(c.warnings, 0);
	check_str(ivr_flow_name(f), "hotline");
	check_str(ivr_flow_language(f, 1), "en");
	ivr_flow_drop(&f);
	config_free(conf);
}

/* Its picture, to be freed. A small piece of paper says how large it must be. */
static char *draw(const char *text, size_t text_len, enum ivr_picture kind)
{
	struct complaints c;
	struct ivr_flow *f;
	char small[10], *whole;

	check_int(ivr_flow_load(text, text_len, "h", &f, &c), 0);

	size_t len = ivr_flow_draw(f, kind, small, sizeof(small));

	check(len > 100 && strlen(small) == sizeof(small) - 1);
	whole = malloc(len + 1);
	check_int(ivr_flow_draw(f, kind, whole, len + 1), len);
	check_int(strlen(whole), len);
	ivr_flow_drop(&f);
	return whole;
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		n++;
	return n;
}

static void a_picture_fits_or_says_how_long_it_is(void)
{
	char *dot = draw(example_flow, example_flow_len, IVR_PICTURE_DOT);

	check(strncmp(dot, "digraph \"hotline\" {\n", 20) == 0);
	check(strstr(dot, "label=\"main\\nmenu main-menu\"]") != NULL);
	check(strstr(dot, "label=\"sales\\nqueue sales\"]") != NULL);
	free(dot);
}

static const char drawn[] =
	HEAD "  a: {say: x, next: m}\n"
	     "  m: {menu: x, digits: {'1': a, '2': q, '5': q, '*': back}, otherwise: hangup}\n"
	     "  q: {queue: s, full: z, otherwise: q}\n"
	     "  lonely: {lookup: 'http://s/?a&<\">', next: z, failed: z}\n" END;

/* Every way out of every node, keys that lead to one place together, what `otherwise` covers once. */
static void all_ways_are_in_the_picture(void)
{
	char *dot = draw(drawn, strlen(drawn), IVR_PICTURE_DOT);

	check(strstr(dot, "n0 -> n1 [label=\"\"]") != NULL);
	check(strstr(dot, "n1 -> n0 [label=\"1\"]") != NULL);
	check(strstr(dot, "n1 -> n2 [label=\"2 5\"]") != NULL);
	check(strstr(dot, "label=\"back\"];\n\tn1 -> n1_2 [label=\"*\"]") != NULL);
	check(strstr(dot, "label=\"hangup\"];\n\tn1 -> n1_3 [label=\"otherwise\"]") != NULL);
	check(strstr(dot, "n2 -> n4 [label=\"full\"]") != NULL);
	check(strstr(dot, "n2 -> n2 [label=\"otherwise\"]") != NULL);
	check(strstr(dot, "lookup http://s/?a&<\\\">\"]") != NULL);
	check_int(count(dot, " -> "), 1 + 1 + 4 + 2 + 2);
	free(dot);
}

struct frame {
	unsigned x, y, width, height;
};

static void a_drawing_has_every_node_and_no_two_in_one_place(void)
{
	char *svg = draw(drawn, strlen(drawn), IVR_PICTURE_SVG);
	struct frame at[10];
	unsigned n = 0, width, height;
	const char *p = svg;

	check_int(sscanf(svg,
			 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\"",
			 &width, &height),
		  2);
	check(strstr(svg, "lookup http://s/?a&#38;&#60;&#34;&#62;</text>") != NULL);
	check(strstr(svg, "a&<") == NULL);
	/* Lines to nodes are lines, ends are words. */
	check_int(count(svg, "<path class=\"way\""), 1 + 1 + 1);
	check_int(count(svg, "<path class=\"back\""), 1 + 1 + 2);
	check_int(count(svg, ">hangup</text>"), 1);
	check_int(count(svg, "<text"), count(svg, "</text>"));
	while ((p = strstr(p, "<rect x=")) != NULL && n < 10) {
		struct frame *f = &at[n++];

		check_int(sscanf(p, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\"", &f->x,
				 &f->y, &f->width, &f->height),
			  4);
		check(f->x + f->width <= width && f->y + f->height <= height);
		for (unsigned i = 0; i + 1 < n; i++)
			check(at[i].x + at[i].width < f->x || f->x + f->width < at[i].x ||
			      at[i].y + at[i].height < f->y || f->y + f->height < at[i].y);
		p++;
	}
	check_int(n, 5);
	free(svg);
}

static const struct check_case cases[] = {
	CHECK_CASE(what_is_wrong_is_told_where),
	CHECK_CASE(a_flow_that_could_lose_a_caller_is_refused),
	CHECK_CASE(cycles_through_menus_and_queues_are_fine),
	CHECK_CASE(the_shipped_flow_fits_the_shipped_configuration),
	CHECK_CASE(a_picture_fits_or_says_how_long_it_is),
	CHECK_CASE(all_ways_are_in_the_picture),
	CHECK_CASE(a_drawing_has_every_node_and_no_two_in_one_place),
};

int main(void)
{
	struct ivr_say *say = ivr_say_builtin();
	int failed;

	world.say = say;
	failed = check_run(cases, sizeof(cases) / sizeof(cases[0]));
	ivr_say_close(say);
	return failed;
}
