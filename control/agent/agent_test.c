/* SPDX-License-Identifier: Apache-2.0
 * Stories of an agent's day, and the grid against what the prose of agent.h says. */
#include "agent/agent.h"
#include "agent/dnd.h"
#include "agent/feature.h"

#include <errno.h>
#include <stdlib.h>

#include "check.h"
#include "example/example.h"

struct row {
	enum agent_event ev;
	uint8_t reason;
	int rc;
	enum agent_state state;
	uint8_t state_reason;
	enum agent_effect effect;
};

#define WRAP_UP true

static void tell(const struct row *rows, size_t n, bool wrap_up)
{
	struct agent a = {0};

	for (size_t i = 0; i < n; i++) {
		enum agent_effect e = AGENT_DO_NOTHING;

		check_int(agent_can(&a, rows[i].ev) &&
				  !(rows[i].ev == AGENT_OFFER && a.state != AGENT_READY),
			  rows[i].rc == 0);
		check_int(agent_step(&a, rows[i].ev, rows[i].reason, wrap_up, 1000 * i, &e),
			  rows[i].rc);
		check_str(agent_state_name(a.state), agent_state_name(rows[i].state));
		check_int(a.reason, rows[i].state_reason);
		if (rows[i].rc == 0)
			check_int(e, rows[i].effect);
	}
}

#define TELL(rows, wrap_up) tell(rows, sizeof(rows) / sizeof((rows)[0]), wrap_up)
#define OK(ev, state, effect)                                                                      \
	{                                                                                          \
		AGENT_##ev, 0, 0, AGENT_##state, 0, AGENT_DO_##effect                              \
	}
#define WHY(ev, said, state, why, effect)                                                          \
	{                                                                                          \
		AGENT_##ev, said, 0, AGENT_##state, why, AGENT_DO_##effect                         \
	}
#define REFUSED(ev, state)                                                                         \
	{                                                                                          \
		AGENT_##ev, 0, -EPROTO, AGENT_##state, 0, 0                                        \
	}

static void an_ordinary_day(void)
{
	static const struct row day[] = {
		REFUSED(GO_READY, OFFLINE),
		OK(SIGN_IN, NOT_READY, NOTHING),
		REFUSED(SIGN_IN, NOT_READY),
		REFUSED(OFFER, NOT_READY),
		OK(GO_READY, READY, FREE),
		REFUSED(ANSWER, READY),
		OK(OFFER, RINGING, RING),
		REFUSED(OFFER, RINGING),
		OK(ANSWER, TALKING, TALK),
		REFUSED(OFFER, TALKING),
		REFUSED(WRAP_END, TALKING),
		OK(HANGUP, WRAP_UP, WRAP),
		REFUSED(OFFER, WRAP_UP),
		OK(WRAP_OVER, READY, FREE),
		WHY(GO_NOT_READY, 2, NOT_READY, 2, NOTHING),
		WHY(GO_NOT_READY, 3, NOT_READY, 3, NOTHING),
		OK(SIGN_OUT, OFFLINE, NOTHING),
		REFUSED(SIGN_OUT, OFFLINE),
	};

	TELL(day, WRAP_UP);
}

static void who_does_not_answer_is_not_ready(void)
{
	static const struct row missed[] = {
		OK(SIGN_IN, NOT_READY, NOTHING),
		OK(GO_READY, READY, FREE),
		OK(OFFER, RINGING, RING),
		WHY(MISS, 0, NOT_READY, AGENT_REASON_NO_ANSWER, REQUEUE),
		OK(GO_READY, READY, FREE),
		OK(OFFER, RINGING, RING),
		WHY(REJECT, 0, NOT_READY, AGENT_REASON_REJECTED, REQUEUE),
		OK(GO_READY, READY, FREE),
		OK(OFFER, RINGING, RING),
		WHY(LOST, 0, NOT_READY, AGENT_REASON_UNREACHABLE, REQUEUE),
		OK(GO_READY, READY, FREE),
		OK(OFFER, RINGING, RING),
		OK(CANCEL, READY, RELEASE),
		OK(OFFER, RINGING, RING),
		WHY(GO_NOT_READY, 1, NOT_READY, 1, REQUEUE),
		OK(GO_READY, READY, FREE),
		OK(OFFER, RINGING, RING),
		OK(SIGN_OUT, OFFLINE, REQUEUE),
	};

	TELL(missed, WRAP_UP);
}

static void what_is_said_during_a_call_happens_after_it(void)
{
	static const struct row pause[] = {
		OK(SIGN_IN, NOT_READY, NOTHING),
		OK(GO_READY, READY, FREE),
		OK(OFFER, RINGING, RING),
		OK(ANSWER, TALKING, TALK),
		WHY(GO_NOT_READY, 2, TALKING, 0, NOTHING),
		OK(HANGUP, WRAP_UP, WRAP),
		WHY(WRAP_OVER, 0, NOT_READY, 2, NOTHING),
		OK(GO_READY, READY, FREE),
		OK(OFFER, RINGING, RING),
		OK(ANSWER, TALKING, TALK),
		WHY(GO_NOT_READY, 2, TALKING, 0, NOTHING),
		OK(GO_READY, TALKING, NOTHING), /* thought better of it */
		OK(HANGUP, WRAP_UP, WRAP),
		OK(WRAP_END, READY, FREE),
		OK(OFFER, RINGING, RING),
		OK(ANSWER, TALKING, TALK),
		OK(SIGN_OUT, TALKING, NOTHING),
		OK(HANGUP, OFFLINE, NOTHING),
	};
	static const struct row without_wrap_up[] = {
		OK(SIGN_IN, NOT_READY, NOTHING),
		OK(GO_READY, READY, FREE),
		OK(OFFER, RINGING, RING),
		OK(ANSWER, TALKING, TALK),
		OK(HANGUP, READY, FREE),
		OK(OFFER, RINGING, RING),
		OK(ANSWER, TALKING, TALK),
		WHY(GO_NOT_READY, 4, TALKING, 0, NOTHING),
		WHY(HANGUP, 0, NOT_READY, 4, NOTHING),
	};

	TELL(pause, WRAP_UP);
	TELL(without_wrap_up, !WRAP_UP);
}

static void a_private_call_covers_what_lies_beneath(void)
{
	static const struct row covered[] = {
		OK(OTHER_BEGIN, OTHER, NOTHING), /* signed out, phones somebody */
		OK(SIGN_IN, OTHER, NOTHING),
		OK(GO_READY, OTHER, NOTHING),
		REFUSED(OFFER, OTHER),
		OK(OTHER_BEGIN, OTHER, NOTHING),
		OK(OTHER_END, OTHER, NOTHING),
		OK(OTHER_END, READY, FREE),
		REFUSED(OTHER_END, READY),
		OK(OFFER, RINGING, RING),
		OK(ANSWER, TALKING, TALK),
		OK(OTHER_BEGIN, TALKING, NOTHING), /* asks a colleague */
		OK(HANGUP, OTHER, WRAP),           /* and stays with the colleague */
		OK(OTHER_END, WRAP_UP, NOTHING),
		OK(OTHER_BEGIN, OTHER, NOTHING),
		OK(WRAP_OVER, OTHER, NOTHING),
		OK(OTHER_END, READY, FREE),
	};

	TELL(covered, WRAP_UP);
}

static void who_takes_over_is_afterwards_what_he_was(void)
{
	static const struct row over[] = {
		REFUSED(TAKE_OVER, OFFLINE),
		OK(SIGN_IN, NOT_READY, NOTHING),
		WHY(GO_NOT_READY, 2, NOT_READY, 2, NOTHING),
		WHY(OTHER_BEGIN, 0, OTHER, 2, NOTHING), /* is asked */
		OK(TAKE_OVER, TALKING, TALK),
		REFUSED(TAKE_OVER, TALKING),
		OK(OTHER_END, TALKING, NOTHING),
		OK(HANGUP, WRAP_UP, WRAP),
		WHY(WRAP_OVER, 0, NOT_READY, 2, NOTHING),
		OK(GO_READY, READY, FREE),
		OK(TAKE_OVER, TALKING, TALK),
		OK(HANGUP, WRAP_UP, WRAP),
		OK(TAKE_OVER, TALKING, TALK),
		OK(HANGUP, WRAP_UP, WRAP),
		OK(WRAP_END, READY, FREE),
		OK(OFFER, RINGING, RING),
		REFUSED(TAKE_OVER, RINGING),
	};

	TELL(over, WRAP_UP);
}

static void no_row_of_events_breaks_it(void)
{
	unsigned seed = 1;

	for (int run = 0; run < 200; run++) {
		struct agent a = {0};

		for (int i = 0; i < 500; i++) {
			seed = seed * 1103515245 + 12345;

			enum agent_event ev = (enum agent_event)((seed >> 16) % AGENT_EVENTS);
			enum agent_effect e = AGENT_DO_NOTHING;
			struct agent before = a;
			int rc = agent_step(&a, ev, (uint8_t)(seed >> 24) % 5, seed & 1024,
					    (uint64_t)i, &e);

			if (rc != 0)
				check(memcmp(&a, &before, sizeof(a)) == 0);
			check((a.state == AGENT_OTHER) ==
			      (a.others > 0 && a.state != AGENT_RINGING &&
			       a.state != AGENT_TALKING));
			check(e != AGENT_DO_FREE || a.state == AGENT_READY);
			check((e == AGENT_DO_RING) == (rc == 0 && ev == AGENT_OFFER));
			check(a.reason == 0 || agent_beneath(&a) == AGENT_NOT_READY);
		}
	}
}

static const struct dial {
	const char *number;
	enum feature feature;
	uint8_t reason;
	const char *agent;
} dials[] = {
	{"*61", FEATURE_SIGN_IN, 0, ""},
	{"*6113812345678", FEATURE_SIGN_IN, 0, "13812345678"},
	{"*62", FEATURE_SIGN_OUT, 0, ""},
	{"*63", FEATURE_READY, 0, ""},
	{"*64", FEATURE_NOT_READY, 0, ""},
	{"*642", FEATURE_NOT_READY, 2, ""},
	{"*649", FEATURE_UNKNOWN, 0, ""}, /* no such reason */
	{"*65", FEATURE_WRAP_UP_END, 0, ""},
	{"*711001", FEATURE_LISTEN, 0, "1001"},
	{"*721001", FEATURE_WHISPER, 0, "1001"},
	{"*731001", FEATURE_BARGE, 0, "1001"},
	{"*78", FEATURE_DND_ON, 0, ""},
	{"*79", FEATURE_DND_OFF, 0, ""},
	{"*68", FEATURE_PARK, 0, ""},
	{"*60800102155550000", FEATURE_CALL_AS, 0, "02155550000"},
	{"*608001", FEATURE_UNKNOWN, 0, ""}, /* nothing to call */
	{"*60777702155550000", FEATURE_UNKNOWN, 0, ""},
	{"*66", FEATURE_PICK_UP, 0, ""},
	{"*661002", FEATURE_PICK_UP, 0, "1002"},
	{"*669999", FEATURE_UNKNOWN, 0, ""},
	{"*719999", FEATURE_UNKNOWN, 0, ""},
	{"*99", FEATURE_UNKNOWN, 0, ""},
	{"*6", FEATURE_UNKNOWN, 0, ""},
	{"*611", FEATURE_UNKNOWN, 0, ""},
	{"1001", FEATURE_NONE, 0, ""},
	{"", FEATURE_NONE, 0, ""},
};

static void feature_codes_mean_what_the_configuration_says(void)
{
	struct complaints k;
	struct config *c;

	check_int(config_load(example_config, example_config_len, "e", &c, &k), 0);
	for (size_t i = 0; i < sizeof(dials) / sizeof(dials[0]); i++) {
		struct feature_dialled d = feature_parse(c, dials[i].number);

		check_int(d.feature, dials[i].feature);
		check_int(d.reason, dials[i].reason);
		check_str(d.agent, dials[i].agent);
	}
	config_free(c);
}

static void phones_say_do_not_disturb_in_their_own_words(void)
{
	static const struct {
		int status;
		const char *text;
		bool said;
	} rows[] = {
		{486, "Do Not Disturb", true},
		{486, "DND", true},
		{603, "declined (dnd)", true},
		{480, "do-not-disturb on", true},
		{480, "DoNotDisturb", true},
		{486, "Busy Here", false},
		{603, "Decline", false},
		{486, "", false},
		{486, NULL, false},
		{486, "Dndn", false},
		{404, "Do Not Disturb", false}, /* that is no refusal by a person */
		{486, "hardndull", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_int(dnd_said(rows[i].status, rows[i].text), rows[i].said);
}

static void who_takes_a_call_unasked_is_as_before_afterwards(void)
{
	static const struct row day[] = {
		REFUSED(PICK_UP, OFFLINE),
		OK(SIGN_IN, NOT_READY, NOTHING),
		WHY(GO_NOT_READY, 2, NOT_READY, 2, NOTHING),
		OK(PICK_UP, TALKING, TALK),
		REFUSED(PICK_UP, TALKING),
		OK(HANGUP, WRAP_UP, WRAP),
		WHY(WRAP_OVER, 0, NOT_READY, 2, NOTHING),
	};
	static const struct row ready[] = {
		OK(SIGN_IN, NOT_READY, NOTHING), OK(GO_READY, READY, FREE),
		OK(PICK_UP, TALKING, TALK),      OK(HANGUP, WRAP_UP, WRAP),
		OK(PICK_UP, TALKING, TALK),      OK(HANGUP, WRAP_UP, WRAP),
		OK(WRAP_OVER, READY, FREE),      OK(OFFER, RINGING, RING),
		REFUSED(PICK_UP, RINGING),
	};
	struct agent busy = {.state = AGENT_OTHER, .resume = AGENT_READY, .others = 1};
	enum agent_effect e;

	TELL(day, WRAP_UP);
	TELL(ready, WRAP_UP);
	check_int(agent_step(&busy, AGENT_PICK_UP, 0, WRAP_UP, 1, &e), -EPROTO);
}

static const struct check_case cases[] = {
	CHECK_CASE(phones_say_do_not_disturb_in_their_own_words),
	CHECK_CASE(who_takes_a_call_unasked_is_as_before_afterwards),
	CHECK_CASE(an_ordinary_day),
	CHECK_CASE(who_does_not_answer_is_not_ready),
	CHECK_CASE(what_is_said_during_a_call_happens_after_it),
	CHECK_CASE(a_private_call_covers_what_lies_beneath),
	CHECK_CASE(who_takes_over_is_afterwards_what_he_was),
	CHECK_CASE(no_row_of_events_breaks_it),
	CHECK_CASE(feature_codes_mean_what_the_configuration_says),
};
CHECK_MAIN(cases)
