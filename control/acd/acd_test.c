/* SPDX-License-Identifier: Apache-2.0
 * Stories: at a second, somebody does something, and this is what follows. Agents are named by
 * their numbers, calls by theirs; acd_check() runs after every line. */
#include "acd/acd.h"

#include <errno.h>
#include <stdlib.h>

#include "check.h"

struct line {
	unsigned at_s;
	const char *does, *follows;
};

static const char centre[] =
	"queues:\n"
	"- {name: sales, ring_timeout_s: 15, wrap_up_s: 30, max_wait_s: 300, announce_first_s: "
	"10,\n"
	"   announce_every_s: 30, handle_time_s: 120}\n"
	"- {name: service, ring_timeout_s: 15, wrap_up_s: 0, max_wait_s: 0, announce_every_s: 0}\n"
	"- {name: small, max_calls: 1, wait_without_agents: false, announce_every_s: 0,\n"
	"   max_wait_s: 0}\n"
	"- {name: vip, priority: 1, announce_every_s: 0, max_wait_s: 0, wrap_up_s: 0}\n"
	"- {name: robin, strategy: round_robin, wrap_up_s: 0, announce_every_s: 0, max_wait_s: 0}\n"
	"- {name: least, strategy: least_calls, wrap_up_s: 0, announce_every_s: 0, max_wait_s: 0}\n"
	"agents:\n"
	"- {number: A, password: x, queues: {sales: 1, service: 1, vip: 1, robin: 1, least: 1}}\n"
	"- {number: B, password: x, queues: {sales: 1, service: 2, robin: 1, least: 1}}\n"
	"- {number: C, password: x, queues: {small: 1}}\n";

static struct acd *open_centre(const char *text)
{
	static const struct acd_plan plan = {.agents_max = 8, .queues_max = 8, .calls_max = 16};
	struct complaints k;
	struct config *c;
	char numbers[1200];

	/* Letters read better than numbers. */
	snprintf(numbers, sizeof(numbers), "%s", text);
	for (char *p = numbers; (p = strstr(p, "number: ")) != NULL; p += 8)
		if (p[8] >= 'A' && p[8] <= 'Z')
			p[8] = (char)(p[8] - 'A' + '1');

	struct acd *a = acd_init(malloc(acd_bytes(&plan)), &plan);

	check_int(config_load(numbers, strlen(numbers), "t", &c, &k), 0);
	check_int(acd_configure(a, c, 0), 0);
	config_free(c);
	return a;
}

static char letter(const struct acd *a, int agent)
{
	struct acd_agent_view v;

	return acd_agent_view(a, agent, &v) ? (char)(v.number[0] - '1' + 'A') : '?';
}

static void write_action(const struct acd *a, const struct acd_action *o, char *out)
{
	static const char *const left[] = {"timeout", "empty", "removed"};
	unsigned call = (unsigned)o->call;
	char who = letter(a, o->agent);

	out += strlen(out);
	switch (o->kind) {
	case ACD_OFFER:
		sprintf(out, "%s %u %c; ", o->callback ? "call_back" : "offer", call, who);
		break;
	case ACD_WITHDRAW:
		sprintf(out, "withdraw %u %c; ", call, who);
		break;
	case ACD_ANSWERED:
		sprintf(out, "answered %u %c; ", call, who);
		break;
	case ACD_ANNOUNCE:
		sprintf(out, "tell %u place %u wait %d; ", call, o->position, o->wait_s);
		break;
	case ACD_LEFT:
		sprintf(out, "%u left: %s; ", call, left[o->why]);
		break;
	case ACD_AGENT_STATE:
		sprintf(out, "%c %s%s%s; ", who, agent_state_name(o->state), o->reason ? " " : "",
			o->reason && agent_reason_name(o->reason) ? agent_reason_name(o->reason)
								  : "");
		break;
	}
}

static int agent_verb(struct acd *a, const char *verb, int agent, uint64_t now)
{
	static const struct {
		const char *verb;
		enum agent_event ev;
	} verbs[] = {
		{"signs_in", AGENT_SIGN_IN},    {"signs_out", AGENT_SIGN_OUT},
		{"ready", AGENT_GO_READY},      {"away", AGENT_GO_NOT_READY},
		{"wrapped_up", AGENT_WRAP_END}, {"phones", AGENT_OTHER_BEGIN},
		{"phoned", AGENT_OTHER_END},
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verb, verbs[i].verb) == 0)
			return acd_agent_event(a, agent, verbs[i].ev, 0, now);
	return -1000;
}

/* "A ready", "1 enters sales" */
static int act(struct acd *a, const char *does, uint64_t now)
{
	char who[16], verb[16], what[16] = "";

	if (does[0] == '\0')
		return 0;
	check(sscanf(does, "%15s %15s %15s", who, verb, what) >= 2);
	if (who[0] == 'E') { /* "E goes away", "E is back": the engine */
		acd_hold(a, verb[0] == 'g', now);
		return 0;
	}
	if (who[0] == 'Q') /* "Q pauses sales" */
		return acd_queue_pause(a, acd_queue_find(a, what), verb[0] == 'p', now);
	if (who[0] >= 'A') {
		char number[2] = {(char)(who[0] - 'A' + '1'), '\0'};
		int agent = acd_agent_find(a, number);
		struct acd_agent_view v;

		if (strcmp(verb, "up") == 0 || strcmp(verb, "down") == 0) {
			acd_agent_reachable(a, agent, verb[0] == 'u', now);
			return 0;
		}
		if (strcmp(verb, "starts") == 0) { /* phone up, signed in, ready */
			acd_agent_reachable(a, agent, true, now);
			acd_agent_event(a, agent, AGENT_SIGN_IN, 0, now);
			return acd_agent_event(a, agent, AGENT_GO_READY, 0, now);
		}
		check(acd_agent_view(a, agent, &v));
		if (verb[0] == '+' || verb[0] == '-') /* "A +2 sales", "A -0 sales" */
			return acd_agent_skill(a, agent, acd_queue_find(a, what),
					       (uint8_t)(verb[1] - '0'), now);
		if (strcmp(verb, "answers") == 0)
			return acd_offer_answered(a, agent, v.call, now);
		if (strcmp(verb, "rejects") == 0)
			return acd_offer_failed(a, agent, v.call, AGENT_REJECT, now);
		if (strcmp(verb, "void") == 0)
			return acd_offer_void(a, agent, v.call, now);
		if (strcmp(verb, "takes") == 0) /* "A takes 1" */
			return acd_pick_up(a, agent, (uint64_t)atoi(what), now);
		if (strcmp(verb, "dnd") == 0) /* "A dnd on" */
			return acd_agent_dnd(a, agent, strcmp(what, "on") == 0, now);
		if (strcmp(verb, "lunches") == 0)
			return acd_agent_event(a, agent, AGENT_GO_NOT_READY, 2, now);
		if (strcmp(verb, "lost") == 0)
			return acd_offer_failed(a, agent, v.call, AGENT_LOST, now);
		if (strcmp(verb, "done") == 0)
			return acd_agent_done(a, agent, now);
		return agent_verb(a, verb, agent, now);
	}

	uint64_t call = (uint64_t)atoi(who);

	if (strcmp(verb, "enters") == 0)
		return acd_enter(a, call, acd_queue_find(a, what),
				 &(struct acd_entry){.prefer = -1}, now);
	if (strcmp(verb, "enters_vip") == 0)
		return acd_enter(a, call, acd_queue_find(a, what),
				 &(struct acd_entry){.priority = 3, .prefer = -1}, now);
	if (strcmp(verb, "likes_A") == 0 || strcmp(verb, "likes_B") == 0)
		return acd_enter(a, call, acd_queue_find(a, what),
				 &(struct acd_entry){
					 .prefer = acd_agent_find(a, verb[6] == 'A' ? "1" : "2")},
				 now);
	if (strcmp(verb, "waited_60") == 0)
		return acd_enter(a, call, acd_queue_find(a, what),
				 &(struct acd_entry){.since_ms = now - 60000, .prefer = -1}, now);
	if (strcmp(verb, "asks_callback") == 0)
		return acd_callback(a, call, true, now);
	if (strcmp(verb, "is_back") == 0)
		return acd_callback(a, call, false, now);
	if (strcmp(verb, "to_A") == 0 || strcmp(verb, "to_B") == 0 || strcmp(verb, "to_C") == 0)
		return acd_hand_over(
			a, call, acd_agent_find(a, (char[2]){(char)(verb[3] - 'A' + '1')}), now);
	if (strcmp(verb, "becomes") == 0)
		return acd_rename(a, call, (uint64_t)atoi(what));
	if (strcmp(verb, "moves") == 0)
		return acd_move(a, call, acd_queue_find(a, what), now);
	if (strcmp(verb, "hangs_up") == 0)
		return acd_leave(a, call, true, now);
	return -1000;
}

static void tell(const char *text, const struct line *lines, size_t n)
{
	struct acd *a = open_centre(text);

	for (size_t i = 0; i < n; i++) {
		char got[800] = "";
		struct acd_action o;
		uint64_t now = 1000u * lines[i].at_s + 1000000;
		int rc;

		acd_tick(a, now);
		rc = act(a, lines[i].does, now);
		if (rc != 0)
			sprintf(got, "%s; ",
				rc == -ENOSPC    ? "full"
				: rc == -ENOLINK ? "empty"
				: rc == -EPROTO  ? "refused"
				: rc == -EEXIST  ? "is here"
				: rc == -EBUSY   ? "busy"
				: rc == -ENOENT  ? "unknown"
				: rc == -ETIME   ? "long"
						 : "?");
		while (acd_next(a, &o))
			write_action(a, &o, got);
		if (strlen(got) >= 2)
			got[strlen(got) - 2] = '\0';
		acd_check(a);
		if (strcmp(got, lines[i].follows) != 0)
			printf("at %u: %s\n", lines[i].at_s, lines[i].does);
		check_str(got, lines[i].follows);
	}
	free(a);
}

#define TELL(lines) tell(centre, lines, sizeof(lines) / sizeof((lines)[0]))

static void a_call_waits_is_offered_answered_and_wrapped_up(void)
{
	static const struct line story[] = {
		{0, "1 enters sales", ""},
		{0, "1 enters sales", "is here"},
		{5, "A signs_in", "A not_ready"},
		{6, "A ready", "A ready"}, /* but the phone is not there */
		{7, "A up", "offer 1 A; A ringing"},
		{9, "A answers", "answered 1 A; A talking"},
		{9, "1 hangs_up", "unknown"}, /* talking: the shell says `done` */
		{60, "A done", "A wrap_up"},
		{70, "2 enters sales", ""},
		{80, "", "tell 2 place 1 wait 115"},
		{90, "", "A ready; offer 2 A; A ringing"},
		{91, "A answers", "answered 2 A; A talking"},
		{95, "A done", "A wrap_up"},
		{96, "A wrapped_up", "A ready"},
	};

	TELL(story);
}

static void who_does_not_answer_is_taken_out_and_the_caller_keeps_the_place(void)
{
	static const struct line story[] = {
		{0, "A starts", "A not_ready; A ready"},
		{1, "B starts", "B not_ready; B ready"},
		{2, "1 enters sales", "offer 1 A; A ringing"},
		{3, "B away", "B not_ready"},
		{4, "2 enters sales", ""},
		{14, "", "tell 2 place 2 wait 240"},
		{17, "", "withdraw 1 A; A not_ready no_answer; tell 1 place 1 wait -1"},
		{18, "B ready", "B ready; offer 1 B; B ringing"}, /* not 2 */
		{19, "B rejects", "withdraw 1 B; B not_ready rejected"},
		{20, "A ready", "A ready; offer 1 A; A ringing"},
		{21, "A lost", "withdraw 1 A; A not_ready unreachable"},
		{22, "B ready", "B ready; offer 1 B; B ringing"},
		{23, "B answers", "answered 1 B; B talking"},
		{24, "A ready", "A ready; offer 2 A; A ringing"},
		{25, "A away", "withdraw 2 A; A not_ready"},
		{26, "B answers", "refused"},
	};

	TELL(story);
}

static void the_longest_idle_is_first(void)
{
	static const struct line story[] = {
		{0, "B starts", "B not_ready; B ready"},
		{1, "A starts", "A not_ready; A ready"},
		{2, "1 enters sales", "offer 1 B; B ringing"},
		{3, "1 hangs_up", "withdraw 1 B; B ready"},
		{4, "2 enters sales", "offer 2 B; B ringing"}, /* lost nothing by that */
		{5, "B answers", "answered 2 B; B talking"},
		{6, "B done", "B wrap_up"},
		{7, "B wrapped_up", "B ready"},
		{8, "3 enters sales", "offer 3 A; A ringing"},
	};

	TELL(story);
}

static void the_better_level_is_first_whoever_was_idle_longer(void)
{
	static const struct line story[] = {
		{0, "B starts", "B not_ready; B ready"},
		{1, "A starts", "A not_ready; A ready"},
		{2, "1 enters service", "offer 1 A; A ringing"},
		{2, "2 enters service", "offer 2 B; B ringing"},
	};

	TELL(story);
}

static void priority_goes_before_time_across_queues(void)
{
	static const struct line story[] = {
		{0, "1 enters sales", ""},
		{1, "2 enters vip", ""},
		{2, "3 enters_vip sales", ""},
		{3, "A starts", "A not_ready; A ready; offer 3 A; A ringing"},
		{4, "A answers", "answered 3 A; A talking"},
		{5, "A done", "A wrap_up"},
		{6, "A wrapped_up", "A ready; offer 2 A; A ringing"},
		{7, "A answers", "answered 2 A; A talking"},
		{8, "A done", "A ready; offer 1 A; A ringing"},
	};

	TELL(story);
}

static void a_queue_may_be_full_or_without_agents(void)
{
	static const struct line story[] = {
		{0, "1 enters small", "empty"},
		{1, "C starts", "C not_ready; C ready"},
		{2, "1 enters small", "offer 1 C; C ringing"},
		{3, "2 enters small", "full"},
		{4, "C signs_out", "withdraw 1 C; C signed_out; 1 left: empty"},
	};

	TELL(story);
}

static void nobody_waits_longer_than_allowed(void)
{
	static const struct line story[] = {
		{0, "1 enters sales", ""},
		{10, "", "tell 1 place 1 wait -1"},
		{290, "", "tell 1 place 1 wait -1"},
		{295, "A starts", "A not_ready; A ready; offer 1 A; A ringing"},
		{301, "", ""}, /* it rings: let it */
		{310, "", "withdraw 1 A; A not_ready no_answer; 1 left: timeout"},
	};

	TELL(story);
}

static void who_phones_gets_no_call(void)
{
	static const struct line story[] = {
		{0, "A starts", "A not_ready; A ready"},
		{1, "A phones", "A other"},
		{2, "1 enters service", ""},
		{3, "A phoned", "A ready; offer 1 A; A ringing"},
		{4, "A answers", "answered 1 A; A talking"},
		{5, "A phones", ""}, /* asks a colleague */
		{6, "A done", "A other"},
		{7, "2 enters service", ""},
		{8, "A phoned", "A ready; offer 2 A; A ringing"},
		{9, "A down", ""}, /* rings on; says so if it fails */
		{10, "A lost", "withdraw 2 A; A not_ready unreachable"},
		{11, "A ready", "A ready"},
		{12, "A up", "offer 2 A; A ringing"},
	};

	TELL(story);
}

static void round_robin_and_least_calls(void)
{
	static const struct line story[] = {
		{0, "A starts", "A not_ready; A ready"},
		{0, "B starts", "B not_ready; B ready"},
		{1, "1 enters robin", "offer 1 A; A ringing"},
		{2, "1 hangs_up", "withdraw 1 A; A ready"},
		{3, "2 enters robin", "offer 2 B; B ringing"},
		{4, "B answers", "answered 2 B; B talking"},
		{5, "B done", "B ready"},
		{6, "A away", "A not_ready"},
		{7, "A ready", "A ready"}, /* now B is idle longer, A has fewer calls */
		{8, "3 enters least", "offer 3 A; A ringing"},
	};

	TELL(story);
}

static void a_waiting_call_can_be_moved(void)
{
	static const struct line story[] = {
		{0, "1 enters sales", ""},
		{1, "2 enters service", ""},
		{2, "1 moves service", ""},
		{3, "A starts", "A not_ready; A ready; offer 1 A; A ringing"}, /* waited longer */
		{4, "1 moves sales", "busy"},
		{5, "9 moves sales", "unknown"},
		{6, "2 moves small", "empty"},
	};

	TELL(story);
}

static void a_new_configuration_keeps_what_goes_on(void)
{
	static const char later[] = "queues: [{name: service, wrap_up_s: 0, announce_every_s: 0},"
				    " {name: new, announce_every_s: 0}]\n"
				    "agents: [{number: 2, password: x, queues: [new, service]},"
				    " {number: 5, password: x, queues: [new]}]\n";
	struct acd *a = open_centre(centre);
	struct acd_action o;
	struct complaints k;
	struct config *c;
	char got[800] = "";

	act(a, "A starts", 1000);
	act(a, "B starts", 1000);
	act(a, "1 enters service", 2000);
	act(a, "A answers", 3000);
	act(a, "2 enters sales", 4000); /* rings B */
	act(a, "3 enters sales", 5000);
	act(a, "4 enters service", 6000);
	while (acd_next(a, &o))
		;
	check_int(config_load(later, strlen(later), "t", &c, &k), 0);
	check_int(acd_configure(a, c, 7000), 0);
	config_free(c);
	acd_check(a);
	while (acd_next(a, &o))
		write_action(a, &o, got);
	check_str(got, "3 left: removed; withdraw 2 B; B ready; 2 left: removed; offer 4 B; "
		       "B ringing; ");
	check_int(acd_queue_find(a, "sales"), -1);
	check_int(acd_agent_find(a, "1"), -1);
	got[0] = '\0';
	check_int(acd_agent_done(a, 0, 8000), 0);
	while (acd_next(a, &o))
		write_action(a, &o, got);
	check_str(got, "? signed_out; "); /* A is gone after the call */
	acd_check(a);
	check(acd_agent_find(a, "5") >= 0);
	free(a);
}

static void a_plan_that_is_too_small_is_told(void)
{
	static const struct acd_plan plan = {.agents_max = 1, .queues_max = 1, .calls_max = 1};
	static const char two[] = "queues: [{name: a}, {name: b}]\n";
	struct complaints k;
	struct config *c;
	struct acd *a = acd_init(malloc(acd_bytes(&plan)), &plan);

	check_int(config_load(two, strlen(two), "t", &c, &k), 0);
	check_int(acd_configure(a, c, 0), -ENOSPC);
	config_free(c);
	acd_check(a);
	free(a);
}

static const char features[] =
	"queues:\n"
	"- {name: all, strategy: ring_all, ring_timeout_s: 10, wrap_up_s: 0, announce_every_s: 0, "
	"max_wait_s: 0}\n"
	"- {name: sticky, sticky_s: 20, wrap_up_s: 0, announce_every_s: 0, max_wait_s: 0}\n"
	"- {name: staged, level_after_s: 30, wrap_up_s: 0, announce_every_s: 0, max_wait_s: 0}\n"
	"- {name: talk, strategy: least_talk, wrap_up_s: 0, announce_every_s: 0, max_wait_s: 0}\n"
	"- {name: long, max_expected_wait_s: 200, handle_time_s: 100, announce_every_s: 10, "
	"max_wait_s: 100}\n"
	"agents:\n"
	"- {number: A, password: x, queues: {all: 1, sticky: 1, staged: 1, talk: 1, long: 1}}\n"
	"- {number: B, password: x, queues: {all: 2, sticky: 1, staged: 2, talk: 1}}\n"
	"- {number: C, password: x, queues: {all: 1, staged: 3}}\n";

#define TELL_FEATURES(lines) tell(features, lines, sizeof(lines) / sizeof((lines)[0]))

static void all_are_rung_and_the_first_has_the_call(void)
{
	static const struct line story[] = {
		{0, "A starts", "A not_ready; A ready"},
		{1, "B starts", "B not_ready; B ready"},
		{2, "C starts", "C not_ready; C ready"},
		{3, "1 enters all",
		 "offer 1 A; A ringing; offer 1 C; C ringing; offer 1 B; B ringing"},
		{4, "2 enters all", ""},
		{5, "A rejects",
		 "withdraw 1 A; A not_ready rejected"}, /* it rings on for the others */
		{6, "B answers",
		 "withdraw 1 C; C ready; answered 1 B; B talking; offer 2 C; C ringing"},
		{7, "C answers", "answered 2 C; C talking"},
		{8, "A ready", "A ready"},
		{9, "3 enters all", "offer 3 A; A ringing"},
		{10, "B done", "B ready"}, /* what rings is not joined */
		{19, "", "withdraw 3 A; A not_ready no_answer; offer 3 B; B ringing"},
		{20, "3 hangs_up", "withdraw 3 B; B ready"},
	};

	TELL_FEATURES(story);
}

static void a_caller_waits_a_while_for_who_served_it(void)
{
	static const struct line story[] = {
		{0, "A starts", "A not_ready; A ready"},
		{1, "B starts", "B not_ready; B ready"},
		{2, "1 likes_B sticky", "offer 1 B; B ringing"}, /* though A is idle longer */
		{3, "B answers", "answered 1 B; B talking"},
		{4, "2 likes_B sticky", ""},                    /* kept for B */
		{5, "3 enters sticky", "offer 3 A; A ringing"}, /* passes by */
		{6, "A answers", "answered 3 A; A talking"},
		{7, "A done", "A ready"},
		{24, "", "offer 2 A; A ringing"}, /* B had 20 s */
		{25, "A answers", "answered 2 A; A talking"},
		{26, "B done", "B ready"},
		{27, "B away", "B not_ready"},
		{28, "A done", "A ready"},
		{29, "4 likes_B sticky", "offer 4 A; A ringing"}, /* B is away: not kept */
	};

	TELL_FEATURES(story);
}

static void further_levels_are_asked_when_the_caller_has_waited(void)
{
	static const struct line story[] = {
		{0, "C starts", "C not_ready; C ready"},
		{1, "1 enters staged", ""},
		{10, "B starts", "B not_ready; B ready"},
		{31, "", "offer 1 B; B ringing"}, /* level 2 after 30 s */
		{32, "B rejects", "withdraw 1 B; B not_ready rejected"},
		{61, "", "offer 1 C; C ringing"}, /* level 3 after 60 s */
		{62, "C answers", "answered 1 C; C talking"},
		{63, "2 waited_60 staged", ""},
		{64, "C done",
		 "C ready; offer 2 C; C ringing"}, /* its waiting counts from before */
	};

	TELL_FEATURES(story);
}

static void least_talk_is_of_this_sign_in(void)
{
	static const struct line story[] = {
		{0, "A starts", "A not_ready; A ready"},
		{1, "B starts", "B not_ready; B ready"},
		{2, "1 enters talk", "offer 1 A; A ringing"},
		{3, "2 enters talk", "offer 2 B; B ringing"},
		{4, "A answers", "answered 1 A; A talking"},
		{4, "B answers", "answered 2 B; B talking"},
		{10, "B done", "B ready"},
		{9, "A done", "A ready"}, /* talked less, idle shorter */
		{11, "3 enters talk", "offer 3 A; A ringing"},
	};

	TELL_FEATURES(story);
}

static void who_would_wait_too_long_is_told_and_a_callback_keeps_its_place(void)
{
	static const struct line story[] = {
		{0, "A starts", "A not_ready; A ready"},
		{1, "1 enters long", "offer 1 A; A ringing"},
		{2, "A answers", "answered 1 A; A talking"},
		{3, "2 enters long", ""},
		{4, "3 enters long", ""}, /* second place: 200 s */
		{5, "4 enters long", "long"},
		{6, "2 asks_callback", ""},
		{14, "", "tell 3 place 2 wait 200"}, /* but nothing is said to 2 */
		{110, "3 hangs_up", "unknown; 3 left: timeout"},
		{111, "A done", "A wrap_up"},
		{112, "A wrapped_up", "A ready; call_back 2 A; A ringing"}, /* past its patience */
		{113, "2 is_back", "busy"},
		{114, "A rejects", "withdraw 2 A; A not_ready rejected"},
		{115, "2 is_back", ""}, /* and now its patience is over */
		{116, "", "2 left: timeout"},
	};

	TELL_FEATURES(story);
}

static void queues_are_paused_and_agents_moved_by_hand(void)
{
	static const struct line story[] = {
		{0, "A starts", "A not_ready; A ready"},
		{1, "Q pauses talk", ""},
		{2, "1 enters talk", ""},
		{3, "2 enters all", "offer 2 A; A ringing"},
		{4, "A answers", "answered 2 A; A talking"},
		{5, "A done", "A ready"},
		{6, "Q resumes talk", "offer 1 A; A ringing"},
		{7, "A answers", "answered 1 A; A talking"},
		{8, "C starts", "C not_ready; C ready"},
		{9, "3 enters talk", ""},
		{10, "C +2 talk", "offer 3 C; C ringing"},
		{11, "C answers", "answered 3 C; C talking"},
		{12, "A -0 talk", ""},
		{13, "A done", "A ready"},
		{14, "4 enters talk", ""},
		{15, "A +0 nothing", "unknown"},
		{16, "C done", "C ready; offer 4 C; C ringing"},
	};

	TELL_FEATURES(story);
}

/* What was changed by hand outlives a reload, until its queue is gone. */
static void a_reload_keeps_what_was_changed_by_hand(void)
{
	struct acd *a = open_centre(features);
	struct complaints k;
	struct config *c;
	char again[1200];
	int agent = acd_agent_find(a, "3"), talk = acd_queue_find(a, "talk");

	check_int(acd_agent_skill(a, agent, talk, 4, 1000), 0);
	check_int(acd_agent_skill(a, agent, acd_queue_find(a, "all"), 0, 1000), 0);
	snprintf(again, sizeof(again), "%s", features);
	for (char *p = again; (p = strstr(p, "number: ")) != NULL; p += 8)
		p[8] = (char)(p[8] - 'A' + '1');
	check_int(config_load(again, strlen(again), "t", &c, &k), 0);
	check_int(acd_configure(a, c, 2000), 0);
	config_free(c);
	acd_check(a);
	check(acd_agent_serves(a, agent, talk));
	check(!acd_agent_serves(a, agent, acd_queue_find(a, "all")));
	check(acd_agent_serves(a, agent, acd_queue_find(a, "staged")));
	free(a);
}

/* Who waits already is put out, and offered to further levels, by the rules that hold now. */
static void a_reload_changes_the_patience_of_those_who_wait(void)
{
	static const char before[] = "queues: [{name: q, max_wait_s: 0, announce_every_s: 0}]\n"
				     "agents: [{number: A, password: x, queues: {q: 2}}]\n";
	static char after[] =
		"queues: [{name: q, max_wait_s: 50, level_after_s: 40, announce_every_s: 0}]\n"
		"agents: [{number: '1', password: x, queues: {q: 2}}]\n";
	struct acd *a = open_centre(before);
	struct acd_action o;
	struct complaints k;
	struct config *c;
	int agent = acd_agent_find(a, "1");

	acd_agent_reachable(a, agent, true, 0);
	check_int(acd_enter(a, 7, 0, &(struct acd_entry){.prefer = -1}, 10000), 0);
	check_int(config_load(after, strlen(after), "t", &c, &k), 0);
	check_int(acd_configure(a, c, 20000), 0);
	config_free(c);
	check_int(acd_deadline(a), 50000);
	check_int(acd_agent_event(a, agent, AGENT_SIGN_IN, 0, 21000), 0);
	check_int(acd_agent_event(a, agent, AGENT_GO_READY, 0, 22000), 0);
	while (acd_next(a, &o))
		check(o.kind == ACD_AGENT_STATE);
	acd_tick(a, 50000);
	check(acd_next(a, &o) && o.kind == ACD_OFFER && o.call == 7);
	while (acd_next(a, &o))
		;
	check_int(acd_agent_event(a, agent, AGENT_SIGN_OUT, 0, 55000), 0);
	acd_tick(a, 60000);
	while (acd_next(a, &o) && o.kind != ACD_LEFT)
		;
	check(o.kind == ACD_LEFT && o.why == ACD_LEFT_TIMEOUT && o.at_ms == 60000);
	acd_check(a);
	free(a);
}

/* What is due is done, also when the clock is looked at late: hanging up to be called back puts nothing off. */
static void a_level_that_has_opened_stays_open(void)
{
	static const char centre_of_two[] =
		"queues: [{name: q, level_after_s: 10, max_wait_s: 0, announce_every_s: 0}]\n"
		"agents: [{number: A, password: x, queues: {q: 2}}]\n";
	struct acd *a = open_centre(centre_of_two);
	struct acd_action o;

	acd_agent_reachable(a, 0, true, 0);
	check_int(acd_agent_event(a, 0, AGENT_SIGN_IN, 0, 0), 0);
	check_int(acd_agent_event(a, 0, AGENT_GO_READY, 0, 0), 0);
	check_int(acd_enter(a, 7, 0, &(struct acd_entry){.prefer = -1}, 1000), 0);
	check(!acd_callbacks_wait(a, 0));
	check_int(acd_callback(a, 7, true, 11005), 0);
	check(acd_callbacks_wait(a, 0));
	check(!acd_callbacks_wait(a, 1) && !acd_callbacks_wait(a, -1)); /* nobody */
	while (acd_next(a, &o))
		check(o.kind == ACD_AGENT_STATE);
	check(acd_deadline(a) <= 11005);
	acd_tick(a, 11010);
	check(acd_next(a, &o) && o.kind == ACD_OFFER && o.call == 7);
	check_int(acd_queue_pause(a, 0, true, 11010), 0);
	check(!acd_callbacks_wait(a, 0));
	free(a);
}

/* Whatever else is pressed: who is no agent any more is signed out after the call. */
static void who_is_gone_signs_out_after_the_call(void)
{
	static const char none[] = "queues: [{name: q, wrap_up_s: 0}]\n";
	static const char one[] = "queues: [{name: q, wrap_up_s: 0}]\n"
				  "agents: [{number: A, password: x, queues: {q: 1}}]\n";
	struct acd *a = open_centre(one);
	struct acd_agent_view v;
	struct acd_action o;
	struct complaints k;
	struct config *c;

	acd_agent_reachable(a, 0, true, 0);
	check_int(acd_agent_event(a, 0, AGENT_SIGN_IN, 0, 0), 0);
	check_int(acd_agent_event(a, 0, AGENT_GO_READY, 0, 0), 0);
	check_int(acd_enter(a, 7, 0, &(struct acd_entry){.prefer = -1}, 1000), 0);
	check_int(acd_offer_answered(a, 0, 7, 2000), 0);
	check_int(config_load(none, strlen(none), "t", &c, &k), 0);
	check_int(acd_configure(a, c, 3000), 0);
	config_free(c);
	check_int(acd_agent_event(a, 0, AGENT_GO_NOT_READY, 0, 4000), -ENOENT);
	check_int(acd_agent_event(a, 0, AGENT_GO_READY, 0, 4000), -ENOENT);
	check_int(acd_agent_done(a, 0, 5000), 0);
	check(!acd_agent_view(a, 0, &v));
	while (acd_next(a, &o))
		;
	acd_check(a);
	free(a);
}

/* A reload that takes away whose phone rings offers the call by the new skills, and the first call first. */
static void a_reload_offers_when_everybody_has_his_skills(void)
{
	static const char before[] =
		"queues: [{name: q, announce_every_s: 0, max_wait_s: 0},\n"
		" {name: r, priority: 1, announce_every_s: 0, max_wait_s: 0}]\n"
		"agents: [{number: A, password: x, queues: {q: 1}},\n"
		" {number: B, password: x, queues: []}]\n";
	static const char after[] = "queues: [{name: q, announce_every_s: 0, max_wait_s: 0},\n"
				    " {name: r, priority: 1, announce_every_s: 0, max_wait_s: 0}]\n"
				    "agents: [{number: '2', password: x, queues: {q: 1, r: 1}}]\n";
	struct acd *a = open_centre(before);
	struct acd_action o;
	struct complaints k;
	struct config *c;
	uint64_t first = 0;

	for (int g = 0; g < 2; g++) {
		acd_agent_reachable(a, g, true, 0);
		check_int(acd_agent_event(a, g, AGENT_SIGN_IN, 0, 0), 0);
		check_int(acd_agent_event(a, g, AGENT_GO_READY, 0, 0), 0);
	}
	check_int(acd_enter(a, 7, 0, &(struct acd_entry){.prefer = -1}, 1000), 0); /* A rings */
	check_int(acd_enter(a, 8, 1, &(struct acd_entry){.prefer = -1}, 2000), 0); /* waits */
	while (acd_next(a, &o))
		;
	check_int(config_load(after, strlen(after), "t", &c, &k), 0);
	check_int(acd_configure(a, c, 3000), 0);
	config_free(c);
	while (acd_next(a, &o))
		if (o.kind == ACD_OFFER && first == 0)
			first = o.call;
	check_int(first, 8);
	acd_check(a);
	free(a);
}

static void an_offer_that_is_nobodys_fault_changes_nobody(void)
{
	static const struct line story[] = {
		{0, "A starts", "A not_ready; A ready"},
		{1, "B starts", "B not_ready; B ready"},
		{2, "1 enters sales", "offer 1 A; A ringing"},
		{3, "A void", "withdraw 1 A; A ready"}, /* B is not asked in the same moment */
		{3, "A void", "refused"},
		{4, "", "offer 1 A; A ringing"}, /* idle as long as before */
		{5, "E goes away", ""},
		{6, "A void", "withdraw 1 A; A ready"},
		{9, "2 enters sales", ""},
		{12, "", "tell 1 place 1 wait 60"},
		{13, "E is back", "offer 1 A; A ringing; offer 2 B; B ringing"},
		{14, "E goes away", ""}, /* what rings goes on */
		{15, "A answers", "answered 1 A; A talking"},
		{16, "A done", "A wrap_up"},
	};

	TELL(story);
}

static void a_colleague_takes_the_call_of_a_phone_that_rings(void)
{
	static const struct line story[] = {
		{0, "A starts", "A not_ready; A ready"},
		{1, "1 enters sales", "offer 1 A; A ringing"},
		{2, "C takes 1", "refused"}, /* signed out */
		{3, "C signs_in", "C not_ready"},
		{4, "C lunches", "C not_ready "},
		{5, "C takes 9", "unknown"},
		{6, "C takes 1", "withdraw 1 A; A ready; answered 1 C; C talking"},
		{7, "C takes 1", "unknown"}, /* it waits no more */
		{8, "C done", "C wrap_up"},
		{38, "", "C not_ready "}, /* still at lunch, and not idle for others */
		{39, "2 enters sales", "offer 2 A; A ringing"},
		{40, "C phones", "C other "},
		{41, "C takes 2", "refused"},
		{42, "A away", "withdraw 2 A; A not_ready"},
		{43, "A takes 2", "answered 2 A; A talking"}, /* one that only waits */
		{44, "A ready", ""},
		{45, "A done", "A wrap_up"},
		{75, "", "A ready"},
	};

	TELL(story);
}

static void who_is_not_to_be_disturbed_gets_no_call(void)
{
	static const struct line story[] = {
		{0, "A starts", "A not_ready; A ready"},
		{1, "1 enters service", "offer 1 A; A ringing"},
		{2, "A dnd on", "withdraw 1 A; A not_ready dnd"},
		{3, "A dnd off", "A ready; offer 1 A; A ringing"},
		{4, "A answers", "answered 1 A; A talking"},
		{5, "A dnd on", ""},
		{6, "A done", "A not_ready dnd"},
		{7, "2 enters service", ""},
		{8, "A ready", "A ready; offer 2 A; A ringing"}, /* who wants calls gets calls */
		{9, "A answers", "answered 2 A; A talking"},
		{10, "A dnd on", ""},
		{11, "A dnd off", ""},
		{12, "A done", "A ready"},
		{13, "A lunches", "A not_ready "},
		{14, "A dnd on", ""}, /* a reason of its own */
		{15, "A dnd off", ""},
		{16, "A dnd on", ""},
		{17, "A signs_out", "A signed_out"},
		{18, "A signs_in", "A not_ready; A not_ready dnd"},
		{19, "A dnd off", "A not_ready"},
	};

	TELL(story);
}

static void a_conversation_goes_on_with_who_was_asked(void)
{
	static const struct line story[] = {
		{0, "A starts", "A not_ready; A ready"},
		{0, "1 enters sales", "offer 1 A; A ringing"},
		{1, "1 to_B", "unknown"}, /* nobody talks yet */
		{1, "A answers", "answered 1 A; A talking"},
		{2, "1 to_B", "refused"}, /* signed out */
		{2, "1 to_A", "refused"},
		{3, "B starts", "B not_ready; B ready"},
		{4, "B away", "B not_ready"},
		{5, "B phones", "B other"}, /* A asks B */
		{6, "2 enters sales", ""},
		{7, "1 to_B", "B talking; A wrap_up"},
		{8, "B phoned", ""},
		{9, "1 to_A", "A talking; B wrap_up"}, /* and back: who wraps up may take it */
		{10, "3 to_B", "unknown"},
		{10, "1 becomes 2", "is here"},
		{10, "2 becomes 3", "unknown"}, /* it waits */
		{10, "1 becomes 7", ""},
		{11, "1 enters sales", ""}, /* the number is free again */
		{12, "A done", "A wrap_up"},
		{40, "", "tell 2 place 1 wait 45; tell 1 place 2 wait 91; B not_ready"},
		{42, "", "A ready; offer 2 A; A ringing"},
	};

	TELL(story);
}

static const struct check_case cases[] = {
	CHECK_CASE(a_call_waits_is_offered_answered_and_wrapped_up),
	CHECK_CASE(who_does_not_answer_is_taken_out_and_the_caller_keeps_the_place),
	CHECK_CASE(the_longest_idle_is_first),
	CHECK_CASE(the_better_level_is_first_whoever_was_idle_longer),
	CHECK_CASE(priority_goes_before_time_across_queues),
	CHECK_CASE(a_queue_may_be_full_or_without_agents),
	CHECK_CASE(nobody_waits_longer_than_allowed),
	CHECK_CASE(who_phones_gets_no_call),
	CHECK_CASE(round_robin_and_least_calls),
	CHECK_CASE(a_waiting_call_can_be_moved),
	CHECK_CASE(a_new_configuration_keeps_what_goes_on),
	CHECK_CASE(a_plan_that_is_too_small_is_told),
	CHECK_CASE(all_are_rung_and_the_first_has_the_call),
	CHECK_CASE(a_caller_waits_a_while_for_who_served_it),
	CHECK_CASE(further_levels_are_asked_when_the_caller_has_waited),
	CHECK_CASE(least_talk_is_of_this_sign_in),
	CHECK_CASE(who_would_wait_too_long_is_told_and_a_callback_keeps_its_place),
	CHECK_CASE(queues_are_paused_and_agents_moved_by_hand),
	CHECK_CASE(a_reload_keeps_what_was_changed_by_hand),
	CHECK_CASE(a_reload_changes_the_patience_of_those_who_wait),
	CHECK_CASE(a_level_that_has_opened_stays_open),
	CHECK_CASE(who_is_gone_signs_out_after_the_call),
	CHECK_CASE(a_reload_offers_when_everybody_has_his_skills),
	CHECK_CASE(an_offer_that_is_nobodys_fault_changes_nobody),
	CHECK_CASE(a_colleague_takes_the_call_of_a_phone_that_rings),
	CHECK_CASE(who_is_not_to_be_disturbed_gets_no_call),
	CHECK_CASE(a_conversation_goes_on_with_who_was_asked),
};
CHECK_MAIN(cases)
