/* SPDX-License-Identifier: Apache-2.0
 * What `flow check` claims, tried on thousands of random flows.
 *
 *   - Every path ends: the claim is compared with a search of its own (a call's place is a node and the
 *     sub-flows it is in), and callers who press at random through a flow that was found good all come to
 *     an end.
 *   - Every digit is answered: at each menu that such a caller meets every key of the telephone leads to
 *     something that is done.
 *   - Every prompt exists in every language: what callers hear is among what was checked; and with any one
 *     of them missing the flow is refused, by its name.
 *
 * `test_flow_claims SEED` runs that one.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/must.h"
#include "check.h"
#include "ivr/ivr.h"

enum { NODES = 7, FLOWS = 4000, WALKS = 12, STEPS = 400, PROMPTS = 400, DEPTH = 3 };

static uint64_t state, first_seed = 1, last_seed = FLOWS;

static unsigned roll(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((state >> 33) % n);
}

/* --- a random flow, as text and as what the search goes by ---------------------------------- */

enum { HANGUP = -1, RETURN = -2, BACK = -3, NOTHING = -4 };

struct ways {
	int n, to[8];
	bool end;  /* a person, or the end */
	bool asks; /* waits for the caller or takes time */
	int run;   /* NOTHING, or where the sub-flow begins; then to[0] is next */
};

static struct ways flow_ways[NODES];

static int some_target(unsigned nodes, bool sub, char *name)
{
	unsigned what = roll(16);
	int to = what == 0          ? HANGUP
		 : what == 1 && sub ? RETURN
		 : what == 2        ? BACK
				    : (int)roll(nodes);

	if (to >= 0)
		sprintf(name, "n%d", to);
	else
		strcpy(name, to == HANGUP ? "hangup" : to == RETURN ? "return" : "back");
	return to;
}

static size_t make_node(char *p, unsigned i, unsigned nodes, bool sub)
{
	struct ways *w = &flow_ways[i];
	unsigned kind = roll(10);
	char a[8], b[8], c[8];

	*w = (struct ways){.n = 2, .run = NOTHING};
	w->to[0] = some_target(nodes, sub, a);
	w->to[1] = some_target(nodes, sub, b);
	switch (kind) {
	case 0:
		w->n = 1;
		return (size_t)sprintf(p, "  n%u: {say: [p%u, {number: 12}], next: %s}\n", i,
				       roll(5), a);
	case 1:
		w->asks = true;
		w->to[2] = some_target(nodes, sub, c);
		w->n = 3;
		return (size_t)sprintf(
			p,
			"  n%u: {menu: m%u, digits: {'1': %s, '#': %s}, otherwise: %s, tries: %u, "
			"on_timeout: [t%u], on_invalid: [i%u]}\n",
			i, roll(5), a, b, c, 1 + roll(3), roll(3), roll(3));
	case 2:
		w->asks = true;
		return (size_t)sprintf(p,
				       "  n%u: {collect: c%u, into: v, next: %s, otherwise: %s}\n",
				       i, roll(3), a, b);
	case 3:
		return (size_t)sprintf(p, "  n%u: {hours: h, open: %s, closed: %s}\n", i, a, b);
	case 4:
		return (size_t)sprintf(p, "  n%u: {if: $caller, equals: x, then: %s, else: %s}\n",
				       i, a, b);
	case 5:
		w->n = 1;
		w->run = (int)roll(nodes);
		return (size_t)sprintf(p, "  n%u: {run: n%d, next: %s}\n", i, w->run, a);
	case 6:
		w->end = roll(2) == 0;
		if (w->end) {
			w->n = 0;
			return (size_t)sprintf(p, "  n%u: {hangup: normal, say: bye}\n", i);
		}
		w->asks = true;
		w->n = 1;
		return (size_t)sprintf(p, "  n%u: {voicemail: box, say: v, next: %s}\n", i, a);
	case 7:
		w->asks = true;
		return (size_t)sprintf(p, "  n%u: {lookup: 'http://x/', next: %s, failed: %s}\n", i,
				       a, b);
	case 8:
		w->n = 1;
		return (size_t)sprintf(p, "  n%u: {set: {language: %s}, next: %s}\n", i,
				       roll(2) ? "zh" : "en", a);
	default:
		w->n = 1;
		return (size_t)sprintf(p, "  n%u: {goto: %s}\n", i, a);
	}
}

static char flow_text[4096];

static void make_flow(uint64_t seed)
{
	char *p = flow_text;
	bool sub;

	state = seed * 0x9e3779b97f4a7c15u;
	sub = roll(2) == 0;
	p += sprintf(p, "languages: [zh, en]\nstart: n0\nnodes:\n");
	for (unsigned i = 0; i < NODES; i++)
		p += make_node(p, i, NODES, sub);
}

/* --- the search ---------------------------------------------------------------------------- */

/* Can the sub-flow from `node` come to its return, within so many calls of others? Grows to the truth. */
static bool returns[NODES], ends[NODES];

static bool ends_at(int to)
{
	return to == HANGUP || (to >= 0 && ends[to]) || (to == BACK && ends[0]);
}

static bool returns_at(int to)
{
	return to == RETURN || (to >= 0 && returns[to]) || (to == BACK && returns[0]);
}

static void search(void)
{
	memset(returns, 0, sizeof(returns));
	memset(ends, 0, sizeof(ends));
	for (unsigned round = 0; round < 4 * NODES; round++) {
		for (unsigned i = 0; i < NODES; i++) {
			const struct ways *w = &flow_ways[i];
			bool behind = w->run == NOTHING || returns[w->run];

			ends[i] |= w->end || (w->run != NOTHING && ends[w->run]);
			for (int k = 0; k < w->n; k++) {
				ends[i] |= behind && ends_at(w->to[k]);
				returns[i] |= behind && returns_at(w->to[k]);
			}
		}
	}
}

/* Nodes to which a call comes. */
static void reach(bool *reached)
{
	memset(reached, 0, NODES);
	reached[0] = true;
	for (unsigned round = 0; round < NODES; round++)
		for (unsigned i = 0; i < NODES; i++) {
			const struct ways *w = &flow_ways[i];

			if (!reached[i])
				continue;
			if (w->run != NOTHING)
				reached[w->run] = true;
			for (int k = 0; k < w->n; k++)
				if (w->to[k] >= 0)
					reached[w->to[k]] = true;
		}
}

static bool complains(const struct complaints *c, const char *text)
{
	char line[512];

	for (unsigned i = 0; i < c->kept; i++)
		if (strstr(complaint_line(c, i, line, sizeof(line)), text) != NULL)
			return true;
	return false;
}

static void every_path_ends_as_a_search_says(void)
{
	unsigned good = 0, endless = 0, unreached = 0;

	for (uint64_t seed = first_seed; seed <= last_seed; seed++) {
		bool reached[NODES];
		struct complaints c;
		struct ivr_flow *f;

		make_flow(seed);
		if (ivr_flow_load(flow_text, strlen(flow_text), "f", &f, &c) != 0)
			continue;
		good += ivr_flow_check(f, &(struct ivr_world){0}, &c) == 0;
		search();
		reach(reached);
		for (unsigned i = 0; i < NODES; i++) {
			char says[64];
			bool lost = reached[i] && !ends[i] && !returns[i];

			snprintf(says, sizeof(says), "from node \"n%u\" a call can never", i);
			if (complains(&c, says) != lost)
				printf("seed %llu, node n%u\n%s\n", (unsigned long long)seed, i,
				       flow_text);
			check_int(complains(&c, says), lost);
			snprintf(says, sizeof(says), "no call ever comes to node \"n%u\"", i);
			check_int(complains(&c, says), !reached[i]);
			endless += lost;
			unreached += !reached[i];
		}
		ivr_flow_drop(&f);
	}
	printf("     %u flows are good, %u nodes never end, %u are never reached\n", good, endless,
	       unreached);
	check(first_seed == last_seed || (good > 100 && endless > 100 && unreached > 100));
}

/* --- callers ------------------------------------------------------------------------------- */

static char asked[PROMPTS][IVR_PROMPT_MAX]; /* what the check has looked for */
static unsigned n_asked;
static const char *missing;

static bool has_prompt(void *arg, const char *prompt)
{
	(void)arg;
	for (unsigned i = 0; i < n_asked; i++)
		if (strcmp(asked[i], prompt) == 0)
			return missing == NULL || strcmp(prompt, missing) != 0;
	must(n_asked < PROMPTS && strlen(prompt) < IVR_PROMPT_MAX);
	strcpy(asked[n_asked++], prompt);
	return missing == NULL || strcmp(prompt, missing) != 0;
}

static bool is_open(void *arg, const char *calendar)
{
	(void)arg;
	(void)calendar;
	return roll(2);
}

static struct ivr_event what_happens(const struct ivr_action *a, char *digits, bool silent)
{
	static const char keys[] = "0123456789*#";
	struct ivr_event ev = {.kind = IVR_EV_PLAY_DONE};

	digits[0] = '\0';
	if (a->kind == IVR_COLLECT) {
		for (unsigned i = 0; !silent && i < a->collect.max && roll(5) > 0; i++)
			digits[i] = keys[roll(12)], digits[i + 1] = '\0';
		ev = (struct ivr_event){
			.kind = IVR_EV_COLLECTED, .digits = digits, .timed_out = digits[0] == '\0'};
	} else if (a->kind == IVR_VOICEMAIL) {
		ev.kind = IVR_EV_VOICEMAIL_DONE;
	} else if (a->kind == IVR_LOOKUP) {
		ev.kind = IVR_EV_LOOKUP_DONE;
	}
	return ev;
}

static bool was_asked(const char *prompt)
{
	for (unsigned i = 0; i < n_asked; i++)
		if (strcmp(asked[i], prompt) == 0)
			return true;
	return false;
}

static void hears(const struct ivr_items *items)
{
	for (unsigned i = 0; i < items->n; i++)
		if (items->item[i].kind == IVR_ITEM_PROMPT && !was_asked(items->item[i].prompt)) {
			printf("%s is heard and was not checked\n%s\n", items->item[i].prompt,
			       flow_text);
			check(was_asked(items->item[i].prompt));
		}
}

/* At a menu: each key is pressed by a copy of the caller. */
static void every_key_is_answered(const struct ivr_session *at, const struct ivr_now *now)
{
	static struct ivr_actions todo;
	char key[2] = "";

	for (const char *k = "0123456789*#"; *k != '\0'; k++) {
		struct ivr_session copy = *at;

		ivr_flow_hold(copy.flow);
		key[0] = *k;
		check_int(ivr_event(&copy,
				    &(struct ivr_event){.kind = IVR_EV_COLLECTED, .digits = key},
				    now, &todo),
			  0);
		check(todo.n > 0);
		ivr_end(&copy);
	}
}

static void walk(struct ivr_flow *f, const struct ivr_say *say, bool silent)
{
	static struct ivr_actions todo;
	static struct ivr_session s;
	struct ivr_now now = {.say = say, .open = is_open};
	char digits[IVR_DIGITS_MAX + 1];
	unsigned steps = 0;

	ivr_start(&s, f, "13800138000", "95598", NULL, &now, &todo);
	for (; !s.over && steps < STEPS; steps++) {
		const struct ivr_action *last = &todo.action[todo.n - 1];
		struct ivr_event ev;

		check(todo.n > 0);
		for (unsigned i = 0; i < todo.n; i++)
			if (todo.action[i].kind == IVR_PLAY)
				hears(&todo.action[i].items);
		if (last->kind == IVR_COLLECT && last->collect.max == 1)
			every_key_is_answered(&s, &now);
		ev = what_happens(last, digits, silent);
		now.now_ms++;
		check_int(ivr_event(&s, &ev, &now, &todo), 0);
	}
	/* Who presses well may stay as long as he likes; who presses nothing is let go. */
	check(s.over || !silent);
	if (!s.over)
		(void)ivr_event(&s, &(struct ivr_event){.kind = IVR_EV_HUNG_UP}, &now, &todo);
	ivr_end(&s);
}

static void callers_end_are_answered_and_hear_what_was_checked(void)
{
	struct ivr_say *say = ivr_say_builtin();
	struct ivr_world world = {.has_prompt = has_prompt, .say = say};
	unsigned walks = 0;

	for (uint64_t seed = first_seed; seed <= last_seed; seed++) {
		struct complaints c;
		struct ivr_flow *f;

		make_flow(seed);
		n_asked = 0;
		missing = NULL;
		if (ivr_flow_load(flow_text, strlen(flow_text), "f", &f, &c) != 0)
			continue;
		for (unsigned i = 0; ivr_flow_check(f, &world, &c) == 0 && i < WALKS; i++, walks++)
			walk(f, say, i % 3 == 0);
		ivr_flow_drop(&f);
	}
	ivr_say_close(say);
	printf("     %u walks\n", walks);
	check(first_seed == last_seed || walks > 1000);
}

static void any_missing_prompt_is_named(void)
{
	struct ivr_say *say = ivr_say_builtin();
	struct ivr_world world = {.has_prompt = has_prompt, .say = say};
	unsigned tried = 0;

	for (uint64_t seed = first_seed; seed <= last_seed && tried < 3000; seed++) {
		struct complaints c;
		struct ivr_flow *f;
		char says[IVR_PROMPT_MAX + 16];

		make_flow(seed);
		n_asked = 0;
		missing = NULL;
		if (ivr_flow_load(flow_text, strlen(flow_text), "f", &f, &c) != 0)
			continue;
		if (ivr_flow_check(f, &world, &c) == 0)
			for (unsigned i = 0, n = n_asked; i < n; i++, tried++) {
				struct complaints k = c;

				missing = asked[i];
				snprintf(says, sizeof(says), "(%.*s.wav)", IVR_PROMPT_MAX,
					 asked[i]);
				check_int(ivr_flow_check(f, &world, &k), -EINVAL);
				check(complains(&k, says));
			}
		missing = NULL;
		ivr_flow_drop(&f);
	}
	ivr_say_close(say);
	printf("     %u prompts were taken away\n", tried);
	check(first_seed == last_seed || tried > 500);
}

static const struct check_case cases[] = {
	CHECK_CASE(every_path_ends_as_a_search_says),
	CHECK_CASE(callers_end_are_answered_and_hear_what_was_checked),
	CHECK_CASE(any_missing_prompt_is_named),
};

int main(int argc, char **argv)
{
	if (argc > 1)
		first_seed = last_seed = strtoull(argv[1], NULL, 10);
	return check_run(cases, sizeof(cases) / sizeof(cases[0]));
}
