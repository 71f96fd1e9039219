/* SPDX-License-Identifier: Apache-2.0
 *
 * Stories of whole calls: steps with times in, sums out.
 */
#include "record/call_record.h"

#include <stdlib.h>

#include "check.h"
#include "record/kept.h"

struct row {
	uint64_t at_ms;
	enum call_step step;
	const char *detail;
};

struct sums {
	uint64_t answered_ms, wait_ms, talk_ms, hold_ms;
	enum call_cause cause;
	unsigned agents, offers;
	const char *path;
};

static struct call_record tell(const struct row *rows, size_t n, enum call_party by,
			       enum call_cause cause, uint64_t end_ms)
{
	struct call_record r;

	call_record_begin(&r, "0190", CALL_IN, "13800001111", "95598", 1000);
	for (size_t i = 0; i < n; i++)
		call_record_step(&r, rows[i].step, rows[i].detail, rows[i].at_ms);
	call_record_end(&r, by, cause, end_ms);
	return r;
}

#define ROWS(a) a, sizeof(a) / sizeof((a)[0])

static void compare(const struct call_record *r, const struct sums *want)
{
	check_int(r->answered_ms, want->answered_ms);
	check_int(r->wait_ms, want->wait_ms);
	check_int(r->talk_ms, want->talk_ms);
	check_int(r->hold_ms, want->hold_ms);
	check_int(r->cause, want->cause);
	check_int(r->agent_count, want->agents);
	check_int(r->offers, want->offers);
	check_str(r->path, want->path);
}

static void answered_by_the_second_agent_and_held(void)
{
	static const struct row rows[] = {
		{1000, CALL_STEP_RING, NULL},         {1100, CALL_STEP_IVR, "welcome"},
		{4000, CALL_STEP_DIGITS, "2"},        {4000, CALL_STEP_IVR, "service"},
		{5000, CALL_STEP_QUEUE, "service"},   {6000, CALL_STEP_OFFER, "1001"},
		{16000, CALL_STEP_NO_ANSWER, "1001"}, {16000, CALL_STEP_OFFER, "1002"},
		{18000, CALL_STEP_ANSWER, "1002"},    {28000, CALL_STEP_HOLD, NULL},
		{33000, CALL_STEP_RESUME, NULL},
	};
	struct call_record r = tell(ROWS(rows), PARTY_CUSTOMER, CALL_CAUSE_NORMAL, 43000);

	compare(&r, &(struct sums){18000, 13000, 20000, 5000, CALL_CAUSE_NORMAL, 1, 2,
				   "welcome service"});
	check_str(r.queue, "service");
	check_int(r.ended_ms, 43000);
}

static void given_up_while_waiting_is_abandoned(void)
{
	static const struct row rows[] = {
		{1000, CALL_STEP_IVR, "welcome"},
		{2000, CALL_STEP_QUEUE, "sales"},
		{9000, CALL_STEP_ANNOUNCE, "1"},
	};
	struct call_record r = tell(ROWS(rows), PARTY_CUSTOMER, CALL_CAUSE_NORMAL, 12000);

	compare(&r, &(struct sums){0, 10000, 0, 0, CALL_CAUSE_ABANDONED, 0, 0, "welcome"});
}

static void hung_up_in_the_menu_is_not_abandoned(void)
{
	static const struct row rows[] = {{1000, CALL_STEP_IVR, "welcome"}};
	struct call_record r = tell(ROWS(rows), PARTY_CUSTOMER, CALL_CAUSE_NORMAL, 3000);

	compare(&r, &(struct sums){0, 0, 0, 0, CALL_CAUSE_NORMAL, 0, 0, "welcome"});
}

static void transfer_waits_again_and_adds_up(void)
{
	static const struct row rows[] = {
		{2000, CALL_STEP_QUEUE, "sales"},    {3000, CALL_STEP_OFFER, "1001"},
		{4000, CALL_STEP_ANSWER, "1001"},    {10000, CALL_STEP_HOLD, NULL},
		{11000, CALL_STEP_TRANSFER, "1003"}, {11000, CALL_STEP_OFFER, "1003"},
		{15000, CALL_STEP_ANSWER, "1003"},
	};
	struct call_record r = tell(ROWS(rows), PARTY_AGENT, CALL_CAUSE_NORMAL, 20000);

	compare(&r, &(struct sums){4000, 6000, 11000, 1000, CALL_CAUSE_NORMAL, 2, 2, ""});
	check_str(r.agents[1], "1003");
}

static void the_first_end_counts_and_later_steps_change_nothing(void)
{
	static const struct row rows[] = {{2000, CALL_STEP_ANSWER, "1001"}};
	struct call_record r = tell(ROWS(rows), PARTY_AGENT, CALL_CAUSE_NORMAL, 5000);

	call_record_end(&r, PARTY_CUSTOMER, CALL_CAUSE_FAILED, 6000);
	call_record_step(&r, CALL_STEP_QUEUE, "sales", 7000);
	check_int(r.hung_up_by, PARTY_AGENT);
	check_int(r.ended_ms, 5000);
	check_int(r.talk_ms, 3000);
	check_str(r.queue, "");
}

static void a_clock_that_steps_back_counts_nothing(void)
{
	static const struct row rows[] = {{5000, CALL_STEP_QUEUE, "sales"}};
	struct call_record r = tell(ROWS(rows), PARTY_CUSTOMER, CALL_CAUSE_NORMAL, 400);

	check_int(r.wait_ms, 0);
	check_int(r.ended_ms, 1000);
}

static void a_path_too_long_is_cut_and_says_so(void)
{
	struct call_record r;

	call_record_begin(&r, "c", CALL_IN, "1", "2", 1);
	for (int i = 0; i < 500; i++)
		call_record_step(&r, CALL_STEP_IVR, "some_node_name", 2);
	check(strlen(r.path) < sizeof(r.path));
	check_str(r.path + strlen(r.path) - 4, " ...");
}

static void texts_from_outside_are_cut(void)
{
	struct call_record r;
	char longer[300];

	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	call_record_begin(&r, longer, CALL_IN, longer, NULL, 1);
	call_record_step(&r, CALL_STEP_ANSWER, longer, 2);
	check_int(strlen(r.from), CALL_RECORD_NAME_MAX - 1);
	check_int(strlen(r.agents[0]), CALL_RECORD_NAME_MAX - 1);
	check_str(r.to, "");
}

static void quality_falls_with_loss_and_delay(void)
{
	check(call_quality_mos(0, 0, 0) > 4.3);
	check(call_quality_mos(0.05, 0, 0) < 3.0);
	check(call_quality_mos(0, 20, 600) < 3.5);
	check(call_quality_mos(1.0, 500, 5000) == 1.0);
	for (int i = 0; i < 100; i++)
		check(call_quality_mos(i / 100.0, 0, 0) >= call_quality_mos((i + 1) / 100.0, 0, 0));
}

static void sip_answers_have_causes(void)
{
	check_int(call_cause_of_sip(200), CALL_CAUSE_NORMAL);
	check_int(call_cause_of_sip(486), CALL_CAUSE_BUSY);
	check_int(call_cause_of_sip(480), CALL_CAUSE_UNREACHABLE);
	check_int(call_cause_of_sip(603), CALL_CAUSE_REJECTED);
	check_int(call_cause_of_sip(500), CALL_CAUSE_FAILED);
	for (int c = 0; c < CALL_CAUSES; c++)
		check(call_cause_q850((enum call_cause)c) != 0);
}

static struct call_record over_a_restart(const struct call_record *r)
{
	json_t *o = call_record_keep(r), *back;
	char *text = json_dumps(o, 0);
	struct call_record got;

	back = json_loads(text, 0, NULL);
	check(call_record_kept(&got, back));
	json_decref(o);
	json_decref(back);
	free(text);
	return got;
}

/* Every sum goes on over a restart as if there had been none. */
static void a_record_goes_on_after_a_restart(void)
{
	static const struct row rows[] = {
		{2000, CALL_STEP_IVR, "main"},     {4000, CALL_STEP_QUEUE, "sales"},
		{5000, CALL_STEP_OFFER, "1001"},   {6000, CALL_STEP_ANSWER, "1001"},
		{7000, CALL_STEP_RECORD, "r-1"},   {9000, CALL_STEP_HOLD, "1001"},
		{10000, CALL_STEP_RESUME, "1001"},
	};
	struct call_record whole, broken, kept;
	size_t n = sizeof(rows) / sizeof(rows[0]);

	call_record_begin(&whole, "0190", CALL_IN, "\xe9t\xe9", "95598", 1000);
	broken = whole;
	for (size_t i = 0; i < n; i++) {
		call_record_step(&whole, rows[i].step, rows[i].detail, rows[i].at_ms);
		broken = over_a_restart(&broken);
		call_record_step(&broken, rows[i].step, rows[i].detail, rows[i].at_ms);
	}
	check(memcmp(&whole, &broken, sizeof(whole)) == 0);
	call_record_end(&whole, PARTY_AGENT, CALL_CAUSE_NORMAL, 12000);
	call_record_end(&broken, PARTY_AGENT, CALL_CAUSE_NORMAL, 12000);
	check_int(broken.talk_ms, 5000);
	kept = over_a_restart(&broken);
	check(memcmp(&whole, &kept, sizeof(whole)) == 0);
	check_str(kept.from, "\xe9t\xe9");
}

static void a_kept_record_that_is_spoilt_is_refused(void)
{
	static const char *const spoilt[] = {
		"{}",
		"{\"call\":\"a\",\"kind\":\"in\"}",
		"{\"call\":\"a\",\"kind\":\"nothing\",\"started_ms\":1}",
		"{\"call\":\"a\",\"kind\":\"in\",\"started_ms\":-1}",
		"{\"call\":\"a\",\"kind\":\"in\",\"started_ms\":\"1\"}",
		"{\"call\":\"a\",\"kind\":\"in\",\"started_ms\":1,\"clock\":9}",
		"{\"call\":\"a\",\"kind\":\"in\",\"started_ms\":1,\"ended_ms\":5}",
		"{\"call\":\"a\",\"kind\":\"in\",\"started_ms\":1,\"from\":\"a\\nb\"}",
		"{\"call\":\"a\",\"kind\":\"in\",\"started_ms\":1,\"from\":[\"0a\"]}",
		"{\"call\":\"a\",\"kind\":\"in\",\"started_ms\":1,\"from\":[\"4\"]}",
		"{\"call\":\"a\",\"kind\":\"in\",\"started_ms\":1,\"from\":[7]}",
		"[]",
	};
	struct call_record r;
	char text[4];
	json_t *o;

	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		o = json_loads(spoilt[i], 0, NULL);
		check(o != NULL);
		check(!call_record_kept(&r, o));
		json_decref(o);
	}
	o = json_pack("{s:s,s:[s]}", "long", "abcd", "hex", "61626364");
	check(!kept_text(o, "long", text, sizeof(text)) && text[0] == '\0');
	check(!kept_text(o, "hex", text, sizeof(text)) && text[0] == '\0');
	json_decref(o);
}

static const struct check_case cases[] = {
	CHECK_CASE(answered_by_the_second_agent_and_held),
	CHECK_CASE(given_up_while_waiting_is_abandoned),
	CHECK_CASE(hung_up_in_the_menu_is_not_abandoned),
	CHECK_CASE(transfer_waits_again_and_adds_up),
	CHECK_CASE(the_first_end_counts_and_later_steps_change_nothing),
	CHECK_CASE(a_clock_that_steps_back_counts_nothing),
	CHECK_CASE(a_path_too_long_is_cut_and_says_so),
	CHECK_CASE(texts_from_outside_are_cut),
	CHECK_CASE(quality_falls_with_loss_and_delay),
	CHECK_CASE(sip_answers_have_causes),
	CHECK_CASE(a_record_goes_on_after_a_restart),
	CHECK_CASE(a_kept_record_that_is_spoilt_is_refused),
};
CHECK_MAIN(cases)
