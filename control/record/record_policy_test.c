/* SPDX-License-Identifier: Apache-2.0 */
#include "record/record_policy.h"

#include <stdio.h>
#include <string.h>

#include "check.h"

#define A       CONFIG_RECORD_ALWAYS
#define N       CONFIG_RECORD_NEVER
#define G       CONFIG_RECORD_AGENT
#define D       CONFIG_RECORD_DEMAND
#define INHERIT CONFIG_RECORD_INHERIT
enum { REFUSED = 1, ASKED = 2, STOPPED = 4 };

static void each_line_of_the_table(void)
{
	static const struct {
		enum config_record mode;
		int percent, wish, lot, talking;
		const char *want;
	} rows[] = {
		{A, 100, 0, 99, 0, ""},
		{A, 100, 0, 99, 1, ""},
		{N, 100, 0, 0, 1, "policy"},
		{N, 100, ASKED, 0, 1, "policy"}, /* an agent who changed to a `never` queue */
		{G, 100, 0, 0, 0, "no_talk"},
		{G, 100, 0, 0, 1, ""},
		{G, 100, ASKED, 0, 0, ""},
		{D, 100, 0, 0, 1, "not_asked"},
		{D, 100, ASKED, 0, 0, ""},
		{A, 30, 0, 29, 1, ""},
		{A, 30, 0, 30, 1, "percentage"},
		{G, 30, 0, 30, 0, "percentage"}, /* what will stay, not what is only so now */
		{A, 30, ASKED, 99, 1, ""},
		{A, 100, STOPPED, 0, 1, "stopped"},
		{A, 100, REFUSED, 0, 1, "consent_refused"},
		{N, 100, REFUSED, 0, 1, "consent_refused"},
		{A, 100, REFUSED | STOPPED, 0, 1, "consent_refused"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct record_wish w = {.refused = rows[i].wish & REFUSED,
					.asked = rows[i].wish & ASKED,
					.stopped = rows[i].wish & STOPPED};
		struct config_record_rule r = {rows[i].mode, (uint8_t)rows[i].percent};

		check_str(record_reason_name(record_policy_decide(r, w, (unsigned)rows[i].lot,
								  rows[i].talking)),
			  rows[i].want);
	}
}

static void the_nearest_level_that_says_anything_wins(void)
{
	struct config c = {.record = {CONFIG_RECORD_ALWAYS, 100}};
	struct config_hotline h = {.record = {CONFIG_RECORD_DEMAND, 0}};
	struct config_queue q = {.record = {INHERIT, 40}};
	struct config_agent a = {.record = {CONFIG_RECORD_NEVER, 0}};
	struct config_record_rule r;

	r = record_policy_rule(&c, NULL, NULL, NULL);
	check_int(r.mode, A);
	check_int(r.percent, 100);
	r = record_policy_rule(&c, &h, NULL, NULL);
	check_int(r.mode, D);
	check_int(r.percent, 100);
	r = record_policy_rule(&c, &h, &q, NULL);
	check_int(r.mode, D);
	check_int(r.percent, 40);
	r = record_policy_rule(&c, &h, &q, &a);
	check_int(r.mode, N);
	check_int(r.percent, 40);
	/* A configuration whose top says nothing is as the default. */
	c.record = (struct config_record_rule){INHERIT, 0};
	r = record_policy_rule(&c, NULL, NULL, NULL);
	check_int(r.mode, A);
	check_int(r.percent, 100);
}

static void refusing_is_for_good_and_stopping_is_not(void)
{
	struct config_record_rule r = {CONFIG_RECORD_ALWAYS, 100},
				  never = {CONFIG_RECORD_NEVER, 100};
	struct record_wish w = {0};

	check_int(record_policy_ask(r, &w, RECORD_VERB_STOP), RECORD_REASON_NONE);
	check_int(record_policy_decide(r, w, 0, true), RECORD_REASON_STOPPED);
	check_int(record_policy_ask(never, &w, RECORD_VERB_START), RECORD_REASON_POLICY);
	check_int(record_policy_decide(r, w, 0, true), RECORD_REASON_STOPPED);
	check_int(record_policy_ask(r, &w, RECORD_VERB_START), RECORD_REASON_NONE);
	check_int(record_policy_decide(r, w, 0, true), RECORD_REASON_NONE);
	check_int(record_policy_ask(r, &w, RECORD_VERB_REFUSE), RECORD_REASON_NONE);
	check_int(record_policy_ask(r, &w, RECORD_VERB_START), RECORD_REASON_CONSENT);
	check_int(record_policy_decide(r, w, 0, true), RECORD_REASON_CONSENT);
}

/* Ids that differ in few characters, as UUIDv7 of one hour do, draw evenly. */
static void the_lot_is_even(void)
{
	enum { CALLS = 20000 };
	unsigned below[3] = {0};
	char id[40];

	for (unsigned i = 0; i < CALLS; i++) {
		snprintf(id, sizeof(id), "0199a7c1-%04x-7000-8000-0000000000%02x", i / 256,
			 i % 256);

		unsigned lot = record_policy_lot(id);

		check(lot < 100);
		below[0] += lot < 1;
		below[1] += lot < 30;
		below[2] += lot < 95;
	}
	check_int(record_policy_lot(id), record_policy_lot(id));
	check(below[0] > CALLS / 100 * 7 / 10 && below[0] < CALLS / 100 * 13 / 10);
	check(below[1] > CALLS * 29 / 100 && below[1] < CALLS * 31 / 100);
	check(below[2] > CALLS * 94 / 100 && below[2] < CALLS * 96 / 100);
}

static const struct check_case cases[] = {
	CHECK_CASE(each_line_of_the_table),
	CHECK_CASE(the_nearest_level_that_says_anything_wins),
	CHECK_CASE(refusing_is_for_good_and_stopping_is_not),
	CHECK_CASE(the_lot_is_even),
};

CHECK_MAIN(cases)
