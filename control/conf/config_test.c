/* SPDX-License-Identifier: Apache-2.0
 * Texts as an operator might write them, and what must be said about them. */
#include "conf/config.h"

#include <stdlib.h>

#include "check.h"
#include "example/example.h"

static const struct refusal {
	const char *text, *says;
} refusals[] = {
	{"quees: []\n", "t:1:1: unknown key \"quees\"; did you mean \"queues\"?"},
	{"database: a\ndatabase: b\n", "t:2:1: key \"database\" was given before, in line 1"},
	{"a: [\n", "t:2:1: did not find expected node content while parsing a flow node"},
	{"queues:\n  - {name: a, record: allways}\n",
	 "t:2:23: record cannot be \"allways\"; did you mean \"always\"?"},
	{"agents:\n  - {number: \"1\", password: x, queues: [], record_percent: 0}\n",
	 "t:2:60: record_percent must be from 1 to 100, not 0"},
	{"record_unavailable: refus\n",
	 "t:1:21: record_unavailable cannot be \"refus\"; did you mean \"refuse\"?"},
	{"record: allways\n", "t:1:9: record cannot be \"allways\"; did you mean \"always\"?"},
	{"calls: {max: many}\n", "t:1:14: max must be a whole number, not \"many\""},
	{"calls: {max: 0}\n", "t:1:14: max must be from 1 to 1000000, not 0"},
	{"calls: {max: 99999999999999999999}\n",
	 "t:1:14: max must be a whole number, not \"99999999999999999999\""},
	{"sip: {listen: [udp:300.0.0.1:5060]}\n",
	 "t:1:16: \"udp:300.0.0.1:5060\" is no address to listen on; write \"udp:0.0.0.0:5060\" or "
	 "\"tcp:[::]:5060\" or \"tls:0.0.0.0:5061\""},
	{"sip: yes\n", "t:1:6: sip must be a map, not text"},
	{"database: &x a\n", "t:1:11: anchors (&name) are not understood here"},
	{"database: *x\n", "t:1:11: aliases (*name) are not understood here; text that begins with "
			   "* needs quotes"},
	{"database: \"a\\0b\"\n", "t:1:11: text with a NUL character in it"},
	{"trunks: [{name: a, host: b}, {name: a, host: c}]\n", "t:1:30: trunk a is there twice"},
	{"trunks: [{name: a, host: b, transport: tls}]\n",
	 "t:1:10: trunk a: transport tls needs a tls: listener in \"sip\""},
	{"trunks: [{name: a, host: b, register: true}]\n",
	 "t:1:10: trunk a: to register it needs \"user\" and a password"},
	{"trunks: [{name: a, host: b, priority: 10}]\n",
	 "t:1:39: priority must be from 0 to 9, not 10"},
	{"hotlines: [{number: 1}]\n",
	 "t:1:12: a hotline needs a \"flow\": a file name, or \"example\""},
	{"hotlines: [{number: 1, flow: a}, {number: 1, flow: b}]\n",
	 "t:1:34: hotline 1 is there twice"},
	{"queues: [{name: sales}]\nagents: [{number: 1, password: x, queues: [salse]}]\n",
	 "t:2:44: there is no queue \"salse\"; did you mean \"sales\"?"},
	{"agents: [{number: 1, queues: []}]\n",
	 "t:1:10: an agent 1 needs a password (password, password_env or password_file)"},
	{"agents:\n - {number: 1, password: a, queues: []}\n - {number: 1, password: b, queues: "
	 "[]}\n",
	 "t:3:4: number 1 is there twice, first in line 2"},
	{"agents: [{number: 1, password: a, password_env: B, queues: []}]\n",
	 "t:1:35: only one of password, password_env and password_file"},
	{"feature_codes: {ready: '*61'}\n",
	 "t:1:16: sign_in and ready have the same feature code *61"},
	{"calendars: {o: {week: {mon-fri: 8-17}}}\n",
	 "t:1:33: \"8-17\" are no hours; write \"08:30-17:30\" or \"closed\""},
	{"calendars: {o: {week: {mno: closed}}}\n",
	 "t:1:24: \"mno\" is no day; write mon, tue, wed, thu, fri, sat, sun, or a run such as "
	 "mon-fri"},
	{"calendars: {o: {week: {}, dates: [{date: 2026-02-29}]}}\n",
	 "t:1:42: \"2026-02-29\" is no date that exists; write it as 2026-10-01"},
	{"calendars: {o: {week: {}, zone: +8}}\n", "t:1:33: \"+8\" is no offset; write \"+08:00\""},
	{"hotlines: [{number: 7, flow: a}]\nqueues: [{name: q, number: 7}]\n",
	 "t:2:10: 7 is the number of queue \"q\" and a hotline"},
	{"parking: {places: 2}\n",
	 "t:1:10: parking needs \"first\", the number of its first place"},
	{"parking: {first: 07}\n",
	 "t:1:18: \"07\" cannot be the first parking place: 1 to 8 digits, not beginning with 0"},
	{"agents: [{number: 702, password: x, queues: []}]\nparking: {first: 701, places: 2}\n",
	 "t:2:10: 702 is a parking place and the number of an agent, a queue or a hotline"},
	{"conferences: [{number: 8500}]\n", "t:1:15: a conference needs a \"name\""},
	{"conferences: [{name: a, pin: 12}]\n",
	 "t:1:15: the pin of conference \"a\" must be 3 to 16 digits"},
	{"conferences: [{name: a}, {name: a}]\n",
	 "t:1:26: conference \"a\" has the name or number of another"},
	{"conferences: [{name: a, number: 7}, {name: b, number: 7}]\n",
	 "t:1:37: conference \"b\" has the name or number of another"},
	{"queues: [{name: q, number: 7}]\nconferences: [{name: a, number: 7}]\n",
	 "t:2:15: 7 is the number of conference \"a\" and of an agent, a queue, a hotline or a "
	 "parking place"},
	{"conduct: {hold: 3}\n", "t:1:11: unknown key \"hold\"; did you mean \"hold_s\"?"},
	{"queues: [{name: q, overlong_talk_s: [60, 30]}]\n",
	 "t:1:42: overlong_talk_s: each limit must be above the one before it"},
	{"numbers: {country: +86}\n", "t:1:10: numbers: \"+86\" must be digits, written as text"},
	{"numbers: {area: '10'}\n", "t:1:10: numbers: an area needs its country"},
	{"customers: {bulk: root}\n", "t:1:19: bulk must be a list, not text"},
	{"knowledge: {synonyms: [[refund]]}\n",
	 "t:1:24: synonyms: 2 to 16 words stand for each other, not 1"},
	{"knowledge: {synonyms: refund}\n", "t:1:23: synonyms must be a list, not text"},
	{"knowledge: {synonym: []}\n",
	 "t:1:13: unknown key \"synonym\"; did you mean \"synonyms\"?"},
	{"notify: [{role: boss, phone: '1'}]\n",
	 "t:1:17: role cannot be \"boss\"; it is one of leader, controller, manager"},
	{"notify: [{phone: '1'}]\n",
	 "t:1:10: who is told needs a \"role\": leader, controller or manager"},
	{"notify: [{role: leader}]\n", "t:1:10: who is told needs a \"phone\" or a \"url\""},
	{"notify: [{role: leader, phone: '1'}]\n",
	 "t:1:10: phone \"1\" is none of the agents and supervisors"},
	{"notify: [{role: leader, url: 'ftp://x'}]\n",
	 "t:1:10: url must begin with http:// or https://"},
	{"targets: [{of: queue}]\n", "t:1:11: a target needs \"of\" and \"what\""},
	{"targets: [{of: queue, what: occupancy, at_least: 3}]\n",
	 "t:1:11: occupancy is no figure of a queue"},
	{"targets: [{of: queue, what: service_level}]\n",
	 "t:1:11: a target needs either \"at_least\" or \"at_most\""},
	{"targets: [{of: queue, what: service_level, at_least: 101}]\n",
	 "t:1:11: service_level is a percentage, at most 100"},
	{"targets: [{of: flow, what: containment, at_least: 30, from: 2026-02-30}]\n",
	 "t:1:61: \"2026-02-30\" is no date that exists; write it as 2026-10-01"},
	{"queues: [{name: q, overlong_hold_s: [1, 2, 3, 4]}]\n",
	 "t:1:37: overlong_hold_s: at most three limits, for leader, controller and manager"},
	{"keep_days: {steps: -1}\n", "t:1:20: steps must be a whole number, not \"-1\""},
	{"not_ready: {budget_percent: 3.755}\n",
	 "t:1:29: \"3.755\" is no share of a shift; write a percentage such as 3.7"},
	{"not_ready: {budget_percent: 101}\n",
	 "t:1:29: \"101\" is no share of a shift; write a percentage such as 3.7"},
	{"not_ready: {refuse: yes}\n", "t:1:21: refuse needs budget_min or budget_percent"},
	{"not_ready_reasons: [{code: 1, name: a, budget_min: 5, budget_percent: 5}]\n",
	 "t:1:71: only one of budget_min and budget_percent"},
	{"time_zone: +8\n", "t:1:12: \"+8\" is no offset; write \"+08:00\""},
	{"emergency: {trunks: [a]}\n", "t:1:22: there is no trunk \"a\""},
	{"emergency: {numbers: [110]}\n",
	 "t:1:12: emergency numbers lead nowhere: there is no trunk"},
	{"agents: [{number: 110, password: x, queues: []}]\ntrunks: [{name: a, host: h}]\n"
	 "emergency: {numbers: [110]}\n",
	 "t:3:23: 110 is a number for help and leads elsewhere as well"},
	{"agents: [{number: 1, password: x, queues: [], remote: {confirm: no}}]\n",
	 "t:1:55: remote needs a \"number\", or \"any_number: yes\""},
	{"trunks: [{name: a}]\n", "t:1:10: a trunk needs a \"name\" and a \"host\""},
};

static void what_is_wrong_is_told_with_line_column_and_a_guess(void)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *r = &refusals[i];
		struct complaints c;
		struct config *conf = NULL;
		char line[400];

		check(config_load(r->text, strlen(r->text), "t", &conf, &c) < 0);
		check(c.errors > 0 && c.kept > 0);
		check_str(complaint_line(&c, 0, line, sizeof(line)), r->says);
	}
}

static void all_mistakes_are_shown_at_once_and_their_number_is_bounded(void)
{
	char text[4000] = "";
	struct complaints c;
	struct config *conf;

	for (int i = 0; i < 100; i++)
		sprintf(text + strlen(text), "wrong%d: 1\n", i);
	check(config_load(text, strlen(text), "t", &conf, &c) < 0);
	check_int(c.errors, 100);
	check_int(c.kept, COMPLAINTS_KEPT);
}

static void an_empty_text_is_all_defaults(void)
{
	struct complaints c;
	struct config *conf;

	check_int(config_load("", 0, "t", &conf, &c), 0);
	check_int(conf->n_listen, 2);
	check_int(conf->calls_max, 2000);
	check_int(conf->n_reasons, 4);
	check_str(conf->features.sign_in, "*61");
	check(config_agent_find(conf, "1001") == NULL);
	config_free(conf);
}

static void the_shipped_example_is_taken_without_a_word(void)
{
	struct complaints c;
	struct config *conf;

	check_int(config_load(example_config, example_config_len, "patchbay.yaml", &conf, &c), 0);
	check_int(c.warnings, 0);
	check_str(config_hotline_find(conf, "95598")->flow, "example");
	check_int(conf->n_queues, 3);
	check_int(conf->n_agents, 11);

	const struct config_agent *a = config_agent_find(conf, "1007");

	check_int(a->n_skills, 2);
	check_str(conf->queues[a->skills[1].queue].name, "sales");
	check_int(a->skills[1].level, 2);
	check_str(a->password.value, "patchbay-1007");
	check(config_agent_find(conf, "2001")->supervisor);
	check_str(config_queue_by_number(conf, "8001")->name, "sales");
	check(config_calendar_find(conf, "office") != NULL);
	config_free(conf);
}

static void what_the_example_states_as_default_is_the_default(void)
{
	struct complaints k;
	struct config *e, *d;

	check_int(config_load(example_config, example_config_len, "e", &e, &k), 0);
	check_int(config_load("", 0, "d", &d, &k), 0);
	check_str(e->realm, d->realm);
	check_int(e->registration_min_s, d->registration_min_s);
	check_int(e->failed_logins_max, d->failed_logins_max);
	check_str(e->engine_socket, d->engine_socket);
	check_str(e->database, d->database);
	check_str(e->voicemail, d->voicemail);
	check_int(e->calls_max, d->calls_max);
	check_int(e->call_max_s, d->call_max_s);
	check_int(e->priority_step_s, d->priority_step_s);
	check_str(e->features.barge, d->features.barge);
	check_str(e->reasons[3].name, d->reasons[3].name);
	config_free(e);
	config_free(d);
}

static void words_stay_words_and_zeros_stay(void)
{
	static const char text[] = "queues: [{name: no, number: 007}]\n";
	struct complaints c;
	struct config *conf;

	check_int(config_load(text, strlen(text), "t", &conf, &c), 0);
	check_str(conf->queues[0].name, "no");
	check_str(conf->queues[0].number, "007");
	config_free(conf);
}

static void the_trunk_with_the_longest_prefix_wins(void)
{
	static const char text[] =
		"trunks: [{name: all, host: a}, {name: cn, host: b, prefix: '+86'},"
		" {name: bj, host: c, prefix: '+8610'}]\n";
	struct complaints c;
	struct config *conf;

	check_int(config_load(text, strlen(text), "t", &conf, &c), 0);
	check_str(config_trunk_for(conf, "+861012345")->name, "bj");
	check_str(config_trunk_for(conf, "+862112345")->name, "cn");
	check_str(config_trunk_for(conf, "12345")->name, "all");
	config_free(conf);
}

static void a_target_has_a_day_from_which_it_holds(void)
{
	static const char text[] = "queues: [{name: sales}]\n"
				   "targets: [{of: queue, what: service_level, at_least: 80},"
				   " {of: queue, name: sales, what: speed_of_answer_s, at_most: "
				   "20, from: 2027-01-02}]\n";
	struct complaints c;
	struct config *conf;

	check_int(config_load(text, strlen(text), "t", &conf, &c), 0);
	check_int(conf->n_targets, 2);
	check(!conf->targets[0].at_most && conf->targets[0].bound == 80);
	check(conf->targets[0].name[0] == '\0' && conf->targets[0].from_day == INT32_MIN);
	check(conf->targets[1].at_most && conf->targets[1].bound == 20);
	check_int(conf->targets[1].what, TARGET_SPEED_OF_ANSWER);
	check_str(conf->targets[1].name, "sales");
	check_int(conf->targets[1].from_day, hours_day_number(2027, 1, 2));
	config_free(conf);
}

static const char office[] =
	"calendars:\n"
	"  office:\n"
	"    zone: '+08:00'\n"
	"    week: {mon-fri: ['08:30-12:00', '13:00-17:30'], sat: '09:00-12:00'}\n"
	"    dates:\n"
	"    - {date: 2026-10-10, hours: '08:30-17:30', name: make-up day}\n"
	"    - {from: 2026-10-01, to: 2026-10-07, name: National Day}\n";

static const struct moment {
	struct local_time at;
	bool open;
	const char *why;
} moments[] = {
	{{2026, 11, 23, 8, 29, 59}, false, NULL}, /* a Monday */
	{{2026, 11, 23, 8, 30, 0}, true, NULL},
	{{2026, 11, 23, 12, 0, 0}, false, NULL},
	{{2026, 11, 23, 17, 29, 59}, true, NULL},
	{{2026, 11, 23, 17, 30, 0}, false, NULL},
	{{2026, 11, 28, 9, 0, 0}, true, NULL},
	{{2026, 11, 29, 9, 0, 0}, false, NULL}, /* Sunday */
	{{2026, 10, 1, 9, 0, 0}, false, "National Day"},
	{{2026, 10, 7, 23, 59, 59}, false, "National Day"},
	{{2026, 10, 8, 9, 0, 0}, true, NULL},
	{{2026, 10, 10, 16, 0, 0}, true, "make-up day"}, /* a Saturday */
};

static void a_calendar_knows_weeks_holidays_and_single_days(void)
{
	struct complaints c;
	struct config *conf;

	check_int(config_load(office, strlen(office), "t", &conf, &c), 0);

	const struct hours *h = config_calendar_find(conf, "office");

	check(h->zone_fixed);
	check_int(h->offset_min, 480);
	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		const char *why = "?";

		check_int(hours_open(h, &moments[i].at, &why), moments[i].open);
		if (moments[i].why == NULL)
			check(why == NULL);
		else
			check_str(why, moments[i].why);
	}
	config_free(conf);
}

static void local_time_is_right_over_years_and_zones(void)
{
	struct local_time t = hours_local(1795361159000, 480); /* 2026-11-22 15:25:59 UTC */

	check_int(t.year, 2026);
	check_int(t.month, 11);
	check_int(t.day, 22);
	check_int(t.hour, 23);
	check_int(t.minute, 25);
	check_int(t.second, 59);
	for (int32_t day = 0; day < 80000; day++) {
		t = hours_local((int64_t)day * 86400000, 0);
		check(hours_date_exists(t.year, t.month, t.day));
		check_int(hours_day_number(t.year, t.month, t.day), day);
	}
	check_int(hours_weekday(hours_day_number(2026, 11, 22)), 6);
	t = hours_local(-1, 0);
	check_int(t.year, 1969);
	check_int(t.second, 59);
}

static const struct check_case cases[] = {
	CHECK_CASE(what_is_wrong_is_told_with_line_column_and_a_guess),
	CHECK_CASE(all_mistakes_are_shown_at_once_and_their_number_is_bounded),
	CHECK_CASE(an_empty_text_is_all_defaults),
	CHECK_CASE(the_shipped_example_is_taken_without_a_word),
	CHECK_CASE(what_the_example_states_as_default_is_the_default),
	CHECK_CASE(words_stay_words_and_zeros_stay),
	CHECK_CASE(the_trunk_with_the_longest_prefix_wins),
	CHECK_CASE(a_target_has_a_day_from_which_it_holds),
	CHECK_CASE(a_calendar_knows_weeks_holidays_and_single_days),
	CHECK_CASE(local_time_is_right_over_years_and_zones),
};
CHECK_MAIN(cases)
