/* SPDX-License-Identifier: Apache-2.0
 * Callers in the shipped flow, line by line; then thousands of random callers in thousands of
 * random flows, who must all come to an end. */
#include "ivr/ivr.h"

#include <errno.h>
#include <stdlib.h>

#include "check.h"
#include "example/example.h"

struct line {
	const char *event, *follows;
};

static struct ivr_say *say;

static bool open_now(void *arg, const char *name)
{
	(void)name;
	return *(bool *)arg;
}

static void write_action(const struct ivr_action *a, char *out)
{
	out += strlen(out);
	switch (a->kind) {
	case IVR_ANSWER:
		strcpy(out, "answer; ");
		return;
	case IVR_PLAY:
		strcpy(out, a->interrupt ? "play" : "play!"); /* ! cannot be cut short */
		for (unsigned i = 0; i < a->items.n; i++)
			sprintf(out + strlen(out), " %s", a->items.item[i].prompt);
		strcat(out, "; ");
		return;
	case IVR_COLLECT:
		sprintf(out, "collect %u; ", a->collect.max);
		return;
	case IVR_QUEUE:
		sprintf(out, "queue %s %u; ", a->name, a->priority);
		return;
	case IVR_VOICEMAIL:
		sprintf(out, "voicemail %s %us; ", a->name, (unsigned)a->voicemail.max_s);
		return;
	case IVR_DIAL:
		sprintf(out, "dial %s %us%s%s; ", a->name, (unsigned)a->dial.timeout_s,
			a->items.n > 0 ? " confirm " : "",
			a->items.n > 0 ? a->items.item[0].prompt : "");
		return;
	case IVR_CONFERENCE:
		sprintf(out, "conference %s; ", a->name);
		return;
	case IVR_NOTE:
		sprintf(out, "note %s=%s; ", a->name, a->value);
		return;
	case IVR_RESOLVED:
		sprintf(out, "resolved %s; ", a->name);
		return;
	case IVR_LOOKUP:
		sprintf(out, "lookup %s %s; ", a->lookup.url, a->lookup.body);
		return;
	case IVR_CALLBACK:
		sprintf(out, "callback %s %s %u; ", a->name, a->value, a->priority);
		return;
	case IVR_RECORD:
		sprintf(out, "record %s; ", record_verb_names[a->verb]);
		return;
	case IVR_HANGUP:
		sprintf(out, "hangup %d; ", a->cause);
		return;
	}
}

/* "digits 1", "silence", "played", "left timeout", "recorded", "dialled busy", "gone" */
static struct ivr_event event_of(const char *text)
{
	static const char *const left[] = {"served", "full", "long", "empty", "timeout", "failed"};
	static const char *const dialled[] = {"served", "busy", "no_answer", "failed"};
	struct ivr_event ev = {.digits = ""};
	const char *arg = strchr(text, ' ') != NULL ? strchr(text, ' ') + 1 : "";

	if (strncmp(text, "digits", 6) == 0) {
		ev.kind = IVR_EV_COLLECTED;
		ev.digits = arg;
	} else if (strcmp(text, "silence") == 0) {
		ev.kind = IVR_EV_COLLECTED;
		ev.timed_out = true;
	} else if (strcmp(text, "played") == 0) {
		ev.kind = IVR_EV_PLAY_DONE;
	} else if (strncmp(text, "left", 4) == 0) {
		ev.kind = IVR_EV_QUEUE_LEFT;
		while (strcmp(left[ev.queue], arg) != 0)
			ev.queue++;
	} else if (strcmp(text, "recorded") == 0) {
		ev.kind = IVR_EV_VOICEMAIL_DONE;
	} else if (strncmp(text, "dialled", 7) == 0) {
		ev.kind = IVR_EV_DIAL_DONE;
		while (strcmp(dialled[ev.dial], arg) != 0)
			ev.dial++;
	} else if (strncmp(text, "answer", 6) == 0) {
		static json_t *answer;

		json_decref(answer);
		ev.kind = IVR_EV_LOOKUP_DONE;
		ev.answer = answer = json_loads(arg, 0, NULL); /* NULL: it failed */
	} else if (strncmp(text, "callback", 8) == 0) {
		ev.kind = IVR_EV_CALLBACK_DONE;
		ev.taken = strcmp(arg, "taken") == 0;
	} else {
		ev.kind = IVR_EV_HUNG_UP;
	}
	return ev;
}

static struct ivr_flow *load(const char *text)
{
	struct complaints c;
	struct ivr_flow *f = NULL;

	check_int(ivr_flow_load(text, strlen(text), "t", &f, &c), 0);
	check_int(ivr_flow_check(f, &(struct ivr_world){0}, &c), 0);
	return f;
}

/* The program ends and begins again between two events; only a session with a secret cannot follow. */
static void restart(struct ivr_session *s, struct ivr_flow *f)
{
	json_t *o = ivr_session_keep(s), *back;
	struct ivr_session fresh;
	char *text;

	if (o == NULL)
		return;
	text = json_dumps(o, 0);
	back = json_loads(text, 0, NULL);
	if (ivr_session_kept(&fresh, f, back) == 0) {
		ivr_end(s);
		*s = fresh;
	} else {
		check(json_is_true(json_object_get(o, "secret")));
		check(fresh.flow == NULL);
	}
	free(text);
	json_decref(o);
	json_decref(back);
}

/* The first line's event is the start. */
static void tell_once(const char *text, bool open, const struct line *lines, size_t n,
		      const char *path, bool restarts)
{
	struct ivr_flow *f = load(text);
	struct ivr_session s = {0};
	struct ivr_actions out;
	struct ivr_now now = {.arg = &open, .say = say, .open = open_now};
	char walked[800] = "";

	for (size_t i = 0; i < n; i++) {
		char got[1200] = "";

		now.now_ms = 1000 * i;
		if (restarts)
			restart(&s, f);
		if (i == 0) {
			ivr_start(&s, f, "13800000000", "95598", NULL, &now, &out);
		} else {
			struct ivr_event ev = event_of(lines[i].event);

			if (ivr_event(&s, &ev, &now, &out) == -EPROTO)
				strcpy(got, "refused; ");
		}
		for (unsigned k = 0; k < out.n; k++)
			write_action(&out.action[k], got);
		if (strlen(got) >= 2)
			got[strlen(got) - 2] = '\0';
		if (strcmp(got, lines[i].follows) != 0)
			printf("line %zu: %s\n", i, lines[i].event);
		check_str(got, lines[i].follows);
	}
	for (unsigned i = 0; i < s.path_n && i < IVR_PATH_MAX; i++)
		sprintf(walked + strlen(walked), "%s%s", i > 0 ? " " : "",
			ivr_flow_node_name(f, ivr_session_step(&s, i).node));
	if (!restarts)
		check_str(walked, path);
	ivr_end(&s);
	ivr_flow_drop(&f);
}

/* Every story is told twice: the second time with a restart before each event. */
static void tell(const char *text, bool open, const struct line *lines, size_t n, const char *path)
{
	tell_once(text, open, lines, n, path, false);
	tell_once(text, open, lines, n, path, true);
}

#define TELL(text, open, lines, path)                                                              \
	tell(text, open, lines, sizeof(lines) / sizeof((lines)[0]), path)

static void one_is_sales_also_during_the_welcome(void)
{
	static const struct line story[] = {
		{"start", "answer; play zh/welcome zh/main-menu; collect 1"},
		{"digits 1", "play! zh/please-wait"},
		{"digits 1", "refused"}, /* nothing collects now */
		{"played", "queue sales 0"},
		{"played", "refused"},
		{"left served", "hangup 0"},
		{"played", "refused"},
	};

	TELL(example_flow, true, story, "welcome business-hours main sales");
}

static void the_nested_menu_leads_on_and_back(void)
{
	static const struct line story[] = {
		{"start", "answer; play zh/welcome zh/main-menu; collect 1"},
		{"digits 4", "play zh/information-menu; collect 1"},
		{"digits 7", "play zh/invalid-choice zh/information-menu; collect 1"},
		{"digits *", "play zh/main-menu; collect 1"},
		{"played", ""},
		{"digits 9", "play zh/main-menu; collect 1"},
		{"digits 4", "play zh/information-menu; collect 1"},
		{"digits 1", "play zh/opening-hours zh/information-menu; collect 1"},
		{"silence", "play zh/no-input zh/information-menu; collect 1"},
		{"digits 0", "play! zh/please-wait"},
		{"played", "queue operator 0"},
		{"left timeout", "play zh/no-agent-menu; collect 1"},
		{"digits 3", "play! zh/leave-message"},
		{"played", "voicemail hotline 120s"},
		{"recorded", "play! zh/message-kept"},
		{"played", "play! zh/goodbye"},
		{"played", "hangup 0"},
	};

	TELL(example_flow, true, story,
	     "welcome business-hours main information main main information opening-hours "
	     "information operator no-agent message message-kept goodbye");
}

static void the_language_is_changed_and_kept(void)
{
	static const struct line story[] = {
		{"start", "answer; play zh/welcome zh/main-menu; collect 1"},
		{"digits 8", "play zh/language-menu; collect 1"},
		{"digits 2", "play en/main-menu; collect 1"},
		{"digits 0", "play! en/please-wait"},
		{"played", "queue operator 0"},
		{"gone", ""},
		{"left timeout", "refused"},
	};

	TELL(example_flow, true, story,
	     "welcome business-hours main language english main operator");
}

static void a_silent_caller_comes_to_the_operator(void)
{
	static const struct line story[] = {
		{"start", "answer; play zh/welcome zh/main-menu; collect 1"},
		{"silence", "play zh/no-input zh/main-menu; collect 1"},
		{"silence", "play zh/no-input zh/main-menu; collect 1"},
		{"silence", "play! zh/please-wait"},
		{"played", "queue operator 0"},
	};

	TELL(example_flow, true, story, "welcome business-hours main operator");
}

static void outside_business_hours_a_message_is_taken(void)
{
	static const struct line story[] = {
		{"start", "answer; play zh/welcome"},  {"played", "play! zh/closed"},
		{"played", "play! zh/leave-message"},  {"played", "voicemail hotline 120s"},
		{"recorded", "play! zh/message-kept"},
	};

	TELL(example_flow, false, story, "welcome business-hours closed message message-kept");
}

static void what_was_said_is_heard_before_the_end(void)
{
	static const char text[] = "languages: [en]\nstart: a\nnodes:\n"
				   "  a: {say: x, interrupt: yes, next: b}\n"
				   "  b: {if: $caller, equals: '1', then: c, else: hangup}\n"
				   "  c: {queue: q, otherwise: hangup}\n";
	static const struct line story[] = {
		{"start", "answer; play en/x"},
		{"played", "hangup 0"},
	};

	TELL(text, true, story, "a b");
}

static const char odd[] =
	"languages: [en, zh]\nstart: id\nnodes:\n"
	"  id: {collect: [account], into: account, min: 4, max: 6, secret: yes, next: vip,\n"
	"       otherwise: no}\n"
	"  vip: {if: $account, equals: ['1234', '5678'], then: high, else: who}\n"
	"  high: {set: {priority: 5, copy: $account}, next: say}\n"
	"  say: {say: [{digits: $copy}, {money: '250'}, {silence_ms: 200}, {beep: yes}], next: q}\n"
	"  q: {queue: gold, next: out, timeout: out, full: who, empty: who}\n"
	"  who: {dial: $caller, timeout_s: 20, busy: no, otherwise: no}\n"
	"  no: {hangup: busy}\n"
	"  out: {hangup: normal}\n";

static void collected_digits_choose_the_way(void)
{
	static const struct line vip[] = {
		{"start", "answer; play en/account; collect 6"},
		{"digits 12", "play en/account; collect 6"},
		{"digits 5678",
		 "play! en/num/5 en/num/6 en/num/7 en/num/8 en/num/2 en/num/yuan en/num/50 "
		 "en/num/fen  "},
		{"played", "queue gold 5"},
		{"left full", "dial 13800000000 20s"},
		{"dialled busy", "hangup 1"},
	};
	static const struct line stranger[] = {
		{"start", "answer; play en/account; collect 6"},
		{"digits 9999", "dial 13800000000 20s"},
		{"dialled served", "hangup 0"},
	};

	TELL(odd, true, vip, "id vip high say q who no");
	TELL(odd, true, stranger, "id vip who");
}

static void a_room_that_is_full_leads_on(void)
{
	static const char text[] = "languages: [en]\nstart: a\nnodes:\n"
				   "  a: {conference: team, say: x, busy: b, failed: c}\n"
				   "  b: {say: y, next: hangup}\n  c: {say: z, next: hangup}\n";
	static const struct line full[] = {
		{"start", "answer; play! en/x"},
		{"played", "conference team"},
		{"dialled busy", "play! en/y"},
		{"played", "hangup 0"},
	};
	static const struct line failed[] = {
		{"start", "answer; play! en/x"},
		{"played", "conference team"},
		{"dialled failed", "play! en/z"},
	};

	TELL(text, true, full, "a b");
	TELL(text, true, failed, "a c");
}

static void a_call_can_be_refused_without_being_answered(void)
{
	static const struct line story[] = {{"start", "hangup 2"}};

	TELL("languages: [en]\nstart: a\nnodes: {a: {hangup: rejected}}\n", true, story, "a");
}

static void secrets_are_not_told(void)
{
	struct ivr_flow *f = load(odd);
	struct ivr_session s = {0};
	struct ivr_actions out;
	struct ivr_now now = {0};

	ivr_start(&s, f, "1", "2", "zh", &now, &out);
	check_str(ivr_session_language(&s), "zh");
	check(out.action[2].collect.secret);
	ivr_event(&s, &(struct ivr_event){.kind = IVR_EV_COLLECTED, .digits = "5678"}, &now, &out);
	check_str(ivr_session_value(&s, "account"), "***");
	check_str(ivr_session_value(&s, "caller"), "1");
	check_str(ivr_session_value(&s, "nothing"), "");
	ivr_end(&s);
	ivr_flow_drop(&f);
}

static void running_callers_keep_their_version(void)
{
	struct ivr_flow *f = load(example_flow), *mine = f;
	struct ivr_session s = {0};
	struct ivr_actions out;
	struct ivr_now now = {0};

	ivr_start(&s, f, "1", "2", NULL, &now, &out);
	ivr_flow_drop(&f); /* replaced by a new one */
	check(s.flow == mine);
	check_int(ivr_event(&s, &(struct ivr_event){.kind = IVR_EV_PLAY_DONE}, &now, &out), 0);
	check_str(ivr_session_node(&s), "closed");
	check_int(out.n, 1);
	ivr_end(&s);
	ivr_end(&s);
}

static void nobody_is_kept_for_ever_by_doing_nothing(void)
{
	static const char loop[] = "languages: [en]\nstart: a\nnodes:\n"
				   "  a: {menu: x, digits: {'1': z, '9': repeat}, otherwise: a}\n"
				   "  z: {hangup: normal}\n";
	static const char *const keys[] = {"", "9", "5"};

	for (int k = 0; k < 3; k++) {
		struct ivr_flow *f = load(loop);
		struct ivr_session s = {0};
		struct ivr_actions out;
		struct ivr_now now = {0};
		int turns = 0;

		ivr_start(&s, f, "1", "2", NULL, &now, &out);
		while (!s.over && turns++ < 100)
			ivr_event(&s,
				  &(struct ivr_event){.kind = IVR_EV_COLLECTED, .digits = keys[k]},
				  &now, &out);
		check(s.over && turns <= IVR_TURNS_MAX);
		check_int(out.action[out.n - 1].kind, IVR_HANGUP);
		ivr_end(&s);
		ivr_flow_drop(&f);
	}
}

static const char two_menus[] = "languages: [en]\nstart: a\nnodes:\n"
				"  a: {menu: a, digits: {'1': b, '*': back}, otherwise: hangup}\n"
				"  b: {menu: b, digits: {'1': a, '*': back}, otherwise: hangup}\n";

static void back_knows_the_menu_before_not_the_one_after(void)
{
	static const struct line story[] = {
		{"start", "answer; play en/a; collect 1"}, {"digits 1", "play en/b; collect 1"},
		{"digits *", "play en/a; collect 1"},      {"digits 1", "play en/b; collect 1"},
		{"digits 1", "play en/a; collect 1"}, /* forward to where it began */
		{"digits *", "play en/a; collect 1"},
	};

	TELL(two_menus, true, story, "a b a b a a");
}

static void who_presses_keys_that_lead_on_may_stay(void)
{
	struct ivr_flow *f = load(two_menus);
	struct ivr_session s = {0};
	struct ivr_actions out;
	struct ivr_now now = {0};

	ivr_start(&s, f, "1", "2", NULL, &now, &out);
	for (int i = 0; i < 5 * IVR_TURNS_MAX; i++) {
		now.now_ms++;
		check_int(ivr_event(&s,
				    &(struct ivr_event){.kind = IVR_EV_COLLECTED,
							.digits = i % 3 == 1 ? "7" : "1"},
				    &now, &out),
			  0);
		check(!s.over);
	}

	/* The first half of the path and the newest steps are remembered. */
	check(s.path_n > IVR_PATH_MAX);
	for (unsigned i = 1; i < IVR_PATH_MAX; i++)
		check(ivr_session_step(&s, i).at_ms > ivr_session_step(&s, i - 1).at_ms);
	check_int(ivr_session_step(&s, IVR_PATH_MAX - 1).at_ms, now.now_ms);
	ivr_end(&s);
	ivr_flow_drop(&f);
}

/* --- random flows -------------------------------------------------------------------------- */

static uint64_t random_state;

static unsigned roll(unsigned n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(random_state >> 33) % n;
}

static const char *target(unsigned nodes)
{
	static char names[8][16];
	static unsigned next;
	static const char *const words[] = {"repeat", "back", "hangup", "return"};

	if (roll(8) == 0)
		return words[roll(4)];
	next = (next + 1) % 8;
	sprintf(names[next], "n%u", roll(nodes));
	return names[next];
}

static void random_flow(char *p, unsigned nodes)
{
	p += sprintf(p, "languages: [zh, en]\nstart: n0\nnodes:\n");
	for (unsigned i = 0; i < nodes; i++) {
		p += sprintf(p, "  n%u: ", i);
		switch (roll(12)) {
		case 0:
			p += sprintf(p, "{say: [x, {number: $v}], interrupt: %s, next: %s}\n",
				     roll(2) ? "yes" : "no", target(nodes));
			break;
		case 1:
			p += sprintf(p, "{hours: h, open: %s, closed: %s}\n", target(nodes),
				     target(nodes));
			break;
		case 2:
			p += sprintf(p, "{set: {v: '%u', language: en}, next: %s}\n", roll(3),
				     target(nodes));
			break;
		case 3:
			p += sprintf(p, "{if: $v, equals: '1', then: %s, else: %s}\n",
				     target(nodes), target(nodes));
			break;
		case 4:
			p += sprintf(p, "{collect: x, into: v, max: 3, next: %s, otherwise: %s}\n",
				     target(nodes), target(nodes));
			break;
		case 5:
			p += sprintf(p, "{queue: q, say: x, next: %s, otherwise: %s}\n",
				     target(nodes), target(nodes));
			break;
		case 6:
			p += sprintf(p, "{dial: $caller, next: %s, otherwise: %s}\n", target(nodes),
				     target(nodes));
			break;
		case 7:
			p += sprintf(p, "{voicemail: m, next: %s}\n", target(nodes));
			break;
		case 8:
			p += sprintf(p, "{run: n%u, next: %s}\n", roll(nodes), target(nodes));
			break;
		case 9:
			p += sprintf(
				p, "{lookup: 'http://h/$v', into: {v: a}, next: %s, failed: %s}\n",
				target(nodes), target(nodes));
			break;
		case 10:
			p += sprintf(p, "{note: {a: $v, b: c}, next: %s}\n", target(nodes));
			break;
		default:
			p += sprintf(p,
				     "{menu: x, digits: {1: %s, 2: %s, '*': %s}, otherwise: %s}\n",
				     target(nodes), target(nodes), target(nodes), target(nodes));
			break;
		}
	}
	/* Something fills $v. */
	sprintf(p, "  v: {set: {v: '0'}, next: hangup}\n");
}

static struct ivr_event random_event(void)
{
	static const char *const digits[] = {"1", "2", "*", "", "9", "123"};

	return (struct ivr_event){
		.kind = (enum ivr_event_kind)roll(IVR_EV_HUNG_UP),
		.digits = digits[roll(6)],
		.queue = (enum ivr_queue_left)roll(5),
		.dial = (enum ivr_dial_done)roll(4),
		.taken = roll(2),
	};
}

static void walk(struct ivr_flow *f)
{
	struct ivr_session s = {0};
	struct ivr_actions out;
	bool open = roll(2);
	struct ivr_now now = {.arg = &open, .say = say, .open = open_now};
	unsigned fitting = 0;

	ivr_start(&s, f, "1", "2", NULL, &now, &out);
	for (unsigned i = 0; i < 2000 && !s.over; i++) {
		struct ivr_event ev = random_event();

		check(out.n <= IVR_ACTIONS_MAX);
		now.now_ms++;
		open = roll(2);
		if (ivr_event(&s, &ev, &now, &out) != 0) {
			check_int(out.n, 0);
			continue;
		}
		fitting++;
		/* Something was begun that will end, or it was a play beside a collection. */
		check(out.n > 0 || ev.kind == IVR_EV_PLAY_DONE);
		for (unsigned k = 0; k < out.n; k++)
			if (out.action[k].kind == IVR_HANGUP)
				check(s.over && k == out.n - 1 &&
				      out.action[k].cause != IVR_CAUSE_FAILED);
	}
	check(s.over || fitting > 100);
	ivr_end(&s);
}

static void no_checked_flow_runs_without_time_passing(void)
{
	static char text[20000];
	unsigned taken = 0;

	for (random_state = 1; taken < 300;) {
		struct complaints c;
		struct ivr_flow *f;

		random_flow(text, 2 + roll(12));
		check_int(ivr_flow_load(text, strlen(text), "r", &f, &c), 0);
		if (ivr_flow_check(f, &(struct ivr_world){0}, &c) == 0) {
			taken++;
			for (int i = 0; i < 10; i++)
				walk(f);
		}
		ivr_flow_drop(&f);
	}
}

static const char bank[] =
	"flow: t\nlanguages: [en]\nstart: main\nnodes:\n"
	"  main:\n    menu: [m]\n    digits: {\"1\": balance, \"2\": order, \"3\": call-me}\n    "
	"otherwise: bye\n"
	"  balance: {run: identify, next: told}\n"
	"  told: {say: [your-balance, {money: $cents}], next: rate}\n"
	"  order: {run: identify, next: q}\n"
	"  q: {queue: sales, next: rate, otherwise: bye}\n"
	"  rate: {collect: [rate-us], into: score, max: 1, next: keep, otherwise: bye}\n"
	"  keep: {note: {score: $score, survey: done}, next: bye}\n"
	"  identify: {collect: [account], into: account, next: pin, otherwise: main}\n"
	"  pin: {collect: [pin], into: pin, secret: yes, next: ask, otherwise: main}\n"
	"  ask:\n    lookup: \"http://bank/accounts/$account?from=$caller&x=$$5\"\n    send: [pin, "
	"caller]\n"
	"    into: {cents: account.cents, tier: tier}\n    next: known\n    failed: duty\n"
	"  known: {if: $tier, equals: \"\", then: identify, else: return}\n"
	"  duty: {dial: \"139\", confirm: [press-one], next: return, otherwise: main}\n"
	"  call-me: {callback: sales, next: bye, failed: main}\n"
	"  bye: {hangup: normal}\n";

static void a_sub_flow_identifies_the_caller_and_returns(void)
{
	static const struct line story[] = {
		{"", "answer; play en/m; collect 1"},
		{"digits 1", "play en/account; collect 20"},
		{"digits 12#4", "play en/pin; collect 20"},
		{"digits 99", "lookup http://bank/accounts/12%234?from=13800000000&x=$5 "
			      "{\"pin\":\"99\",\"caller\":\"13800000000\"}"},
		{"digits 1", "refused"},
		{"answer {\"tier\":\"\"}",
		 "play en/account; collect 20"}, /* not known: once more */
		{"digits 1234", "play en/pin; collect 20"},
		{"digits 11", "lookup http://bank/accounts/1234?from=13800000000&x=$5 "
			      "{\"pin\":\"11\",\"caller\":\"13800000000\"}"},
		{"answer {\"tier\":3,\"account\":{\"cents\":100}}",
		 "play! en/your-balance en/num/1 en/num/yuan"},
		{"played", "play en/rate-us; collect 1"},
		{"digits 5", "note score=5; note survey=done; hangup 0"},
	};
	static const struct line fails[] = {
		{"", "answer; play en/m; collect 1"},
		{"digits 2", "play en/account; collect 20"},
		{"digits 1", "play en/pin; collect 20"},
		{"digits 2", "lookup http://bank/accounts/1?from=13800000000&x=$5 "
			     "{\"pin\":\"2\",\"caller\":\"13800000000\"}"},
		{"answer", "dial 139 30s confirm en/press-one"},
		{"dialled served", "queue sales 0"}, /* the sub-flow returned to the order */
		{"left served", "play en/rate-us; collect 1"},
		{"gone", ""},
	};
	static const struct line escapes[] = {
		{"", "answer; play en/m; collect 1"},
		{"digits 2", "play en/account; collect 20"},
		{"silence", "play en/account; collect 20"},
		{"silence", "play en/account; collect 20"},
		{"silence", "play en/m; collect 1"},         /* left without return ... */
		{"digits 1", "play en/account; collect 20"}, /* ... and run from elsewhere */
		{"digits 1", "play en/pin; collect 20"},
		{"digits 2", "lookup http://bank/accounts/1?from=13800000000&x=$5 "
			     "{\"pin\":\"2\",\"caller\":\"13800000000\"}"},
		{"answer {\"tier\":true,\"account\":7}",
		 "play! en/your-balance"}, /* there was no balance: nothing is made up */
		{"gone", ""},
	};
	static const struct line promised[] = {
		{"", "answer; play en/m; collect 1"},
		{"digits 3", "callback sales 13800000000 0"},
		{"callback refused", "play en/m; collect 1"},
		{"digits 3", "callback sales 13800000000 0"},
		{"callback taken", "hangup 0"},
	};

	TELL(bank, true, story,
	     "main balance identify pin ask known identify pin ask known told rate keep bye");
	TELL(bank, true, fails, "main order identify pin ask duty q rate");
	TELL(bank, true, escapes, "main order identify main balance identify pin ask known told");
	TELL(bank, true, promised, "main call-me main call-me bye");
}

static const char consent[] = "flow: t\nlanguages: [zh]\nstart: ask\nnodes:\n"
			      "  ask:\n    menu: [may-we-record]\n"
			      "    digits: {\"1\": yes-do, \"2\": no-do}\n    otherwise: no-do\n"
			      "  yes-do:\n    record: start\n    next: pin\n"
			      "  no-do:\n    record: refuse\n    next: again\n"
			      "  again:\n    record: refuse\n    next: pin\n"
			      "  pin:\n    record: mask\n    next: digits\n"
			      "  digits:\n    collect: [pin]\n    into: pin\n    secret: yes\n"
			      "    next: unmask\n    otherwise: unmask\n"
			      "  unmask:\n    record: unmask\n    next: q\n"
			      "  q:\n    queue: sales\n    otherwise: hangup\n";

static void a_flow_controls_the_recording(void)
{
	static const struct line yes[] = {
		{"", "answer; play zh/may-we-record; collect 1"},
		{"digits 1", "record start; record mask; play zh/pin; collect 20"},
		{"digits 1234", "record unmask; queue sales 0"},
	};
	static const struct line no[] = {
		{"", "answer; play zh/may-we-record; collect 1"},
		{"digits 2", "record refuse; record mask; play zh/pin; collect 20"},
		{"gone", ""},
	};

	TELL(consent, true, yes, "ask yes-do pin digits unmask q");
	TELL(consent, true, no, "ask no-do again pin digits");
}

static void a_resolution_is_told_once_and_before_the_prompt(void)
{
	static const char text[] = "languages: [en]\nstart: a\nnodes:\n"
				   "  a: {menu: x, digits: {'1': b}, otherwise: hangup}\n"
				   "  b: {note: {k: v}, resolved: yes, next: c}\n"
				   "  c: {say: y, resolved: yes, next: d}\n"
				   "  d: {hangup: normal}\n";
	static const struct line story[] = {
		{"start", "answer; play en/x; collect 1"},
		{"digits 1", "resolved c; note k=v; play! en/y"},
		{"played", "hangup 0"},
	};

	TELL(text, true, story, "a b c d");
}

/* A session that is not of this flow, or that a disk has spoilt, is not taken. */
static void a_kept_session_that_does_not_fit_is_refused(void)
{
	static const char *const spoilt[] = {
		"{}",
		"{\"node\":\"main\",\"language\":\"zh\",\"waiting\":\"queue\"}",
		"{\"node\":\"main\",\"language\":\"xx\",\"waiting\":\"collect\"}",
		"{\"node\":\"nowhere\",\"language\":\"zh\",\"waiting\":\"collect\"}",
		"{\"node\":\"main\",\"language\":\"zh\",\"waiting\":\"\"}",
		"{\"node\":\"main\",\"language\":\"zh\",\"waiting\":\"collect\",\"secret\":true}",
		"{\"node\":\"main\",\"language\":\"zh\",\"waiting\":\"collect\",\"tries\":256}",
		"{\"node\":\"main\",\"language\":\"zh\",\"waiting\":\"collect\",\"turns\":-1}",
		"{\"node\":\"main\",\"language\":\"zh\",\"waiting\":\"collect\",\"run\":[\"main\"]"
		"}",
		"{\"node\":\"main\",\"language\":\"zh\",\"waiting\":\"collect\",\"back\":[1]}",
		"{\"node\":\"main\",\"language\":\"zh\",\"waiting\":\"collect\",\"values\":{\"no\":"
		"\"1\"}}",
		"{\"node\":\"main\",\"language\":\"zh\",\"waiting\":\"collect\",\"caller\":7}",
	};
	struct ivr_flow *f = load(example_flow);
	struct ivr_session s;
	json_t *o = json_loads("{\"node\":\"main\",\"language\":\"zh\",\"waiting\":\"collect\"}", 0,
			       NULL);

	check_int(ivr_session_kept(&s, f, o), 0);
	json_decref(o);
	check_str(ivr_session_node(&s), "main");
	ivr_end(&s);
	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		o = json_loads(spoilt[i], 0, NULL);
		check(o != NULL);
		check_int(ivr_session_kept(&s, f, o), -ENOENT);
		check(s.flow == NULL);
		json_decref(o);
	}
	check_int(ivr_session_kept(&s, f, NULL), -ENOENT);
	ivr_flow_drop(&f);
}

static const struct check_case cases[] = {
	CHECK_CASE(a_resolution_is_told_once_and_before_the_prompt),
	CHECK_CASE(one_is_sales_also_during_the_welcome),
	CHECK_CASE(what_was_said_is_heard_before_the_end),
	CHECK_CASE(the_nested_menu_leads_on_and_back),
	CHECK_CASE(the_language_is_changed_and_kept),
	CHECK_CASE(a_silent_caller_comes_to_the_operator),
	CHECK_CASE(outside_business_hours_a_message_is_taken),
	CHECK_CASE(collected_digits_choose_the_way),
	CHECK_CASE(a_room_that_is_full_leads_on),
	CHECK_CASE(a_call_can_be_refused_without_being_answered),
	CHECK_CASE(secrets_are_not_told),
	CHECK_CASE(a_flow_controls_the_recording),
	CHECK_CASE(a_sub_flow_identifies_the_caller_and_returns),
	CHECK_CASE(running_callers_keep_their_version),
	CHECK_CASE(a_kept_session_that_does_not_fit_is_refused),
	CHECK_CASE(nobody_is_kept_for_ever_by_doing_nothing),
	CHECK_CASE(back_knows_the_menu_before_not_the_one_after),
	CHECK_CASE(who_presses_keys_that_lead_on_may_stay),
	CHECK_CASE(no_checked_flow_runs_without_time_passing),
};

int main(void)
{
	int failed;

	say = ivr_say_builtin();
	failed = check_run(cases, sizeof(cases) / sizeof(cases[0]));
	ivr_say_close(say);
	return failed;
}
