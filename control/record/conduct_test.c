/* SPDX-License-Identifier: Apache-2.0
 *
 * Stories of agents: those who dodge calls are found, with evidence; those who work are not.
 */
#include "record/conduct.h"

#include "check.h"

static const struct config_conduct limits = {
	.rejected_per_hour = 2,
	.unanswered_per_hour = 3,
	.do_not_disturb_ms = 700,
	.unplugged = true,
	.registrations_per_hour = 3,
	.hold_s = 120,
	.holds_per_call = 3,
	.media_gap_s = 10,
	.silent_s = 60,
	.sign_ins_per_day = 3,
	.aways_per_day = 4,
	.away_s_per_day = 3600,
	.dial_s = 15,
	.left_callback = true,
	.callback_idle_s = 300,
};

struct line {
	uint64_t at_s;
	enum conduct_event_kind kind;
	uint64_t ms;
	bool ringing; /* or, as time passes: calls back wait */
};

static char found[1000];

static void tell(struct conduct *c, const struct line *lines, size_t n, int32_t day)
{
	struct conduct_finding f[CONDUCT_FINDINGS_MAX];

	found[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		struct conduct_event e = {.kind = lines[i].kind,
					  .at_ms = lines[i].at_s * 1000,
					  .day = day,
					  .ms = lines[i].ms,
					  .silence_ms = lines[i].ms,
					  .status = 486,
					  .ringing = lines[i].ringing,
					  .callbacks = lines[i].ringing,
					  .call = "call-1"};
		unsigned k = conduct_event(c, &limits, &e, f);

		for (unsigned j = 0; j < k; j++) {
			size_t len = strlen(found);

			snprintf(found + len, sizeof(found) - len, "%s%s@%llu", len ? " " : "",
				 conduct_rule_name(f[j].rule), (unsigned long long)lines[i].at_s);
		}
	}
}

#define TELL(lines, want)                                                                          \
	do {                                                                                       \
		struct conduct c = {0};                                                            \
		tell(&c, lines, sizeof(lines) / sizeof((lines)[0]), 1);                            \
		check_str(found, want);                                                            \
	} while (0)

static void dodgers_are_found_with_evidence(void)
{
	static const struct line rejects[] = {
		{0, CONDUCT_EV_SIGNED_IN, 0, false},
		{100, CONDUCT_EV_REJECTED, 4000, false},
		{200, CONDUCT_EV_REJECTED, 3000, false},
	};
	static const struct line disturbed[] = {
		{0, CONDUCT_EV_SIGNED_IN, 0, false},
		{100, CONDUCT_EV_REJECTED, 90, false},
		{300, CONDUCT_EV_DND, 0, false},
	};
	static const struct line unplugs[] = {
		{0, CONDUCT_EV_REGISTERED, 0, false},     {0, CONDUCT_EV_SIGNED_IN, 0, false},
		{100, CONDUCT_EV_UNREGISTERED, 0, false}, {130, CONDUCT_EV_REGISTERED, 0, false},
		{200, CONDUCT_EV_UNREACHABLE, 0, false},  {230, CONDUCT_EV_REGISTERED, 0, false},
		{300, CONDUCT_EV_UNREGISTERED, 0, false}, {330, CONDUCT_EV_REGISTERED, 0, false},
	};
	static const struct line holds_and_waits[] = {
		{100, CONDUCT_EV_TALK, 0, false}, {110, CONDUCT_EV_HOLD, 0, false},
		{200, CONDUCT_EV_TIME, 0, false}, {231, CONDUCT_EV_TIME, 0, false},
		{300, CONDUCT_EV_TIME, 0, false}, {310, CONDUCT_EV_RESUME, 0, false},
	};
	static const struct line holds_often[] = {
		{100, CONDUCT_EV_TALK, 0, false},      {110, CONDUCT_EV_HOLD, 0, false},
		{115, CONDUCT_EV_RESUME, 0, false},    {120, CONDUCT_EV_HOLD, 0, false},
		{125, CONDUCT_EV_RESUME, 0, false},    {130, CONDUCT_EV_HOLD, 0, false},
		{135, CONDUCT_EV_RESUME, 0, false},    {140, CONDUCT_EV_HOLD, 0, false},
		{262, CONDUCT_EV_TALK_OVER, 0, false}, {262, CONDUCT_EV_SOUND, 61000, false},
	};
	/* Asked again and again while it lasts: told once a conversation. */
	static const struct line gaps[] = {
		{0, CONDUCT_EV_TALK, 0, false},       {15, CONDUCT_EV_SOUND, 9000, false},
		{30, CONDUCT_EV_SOUND, 24000, false}, {45, CONDUCT_EV_SOUND, 30000, false},
		{50, CONDUCT_EV_TALK_OVER, 0, false}, {50, CONDUCT_EV_SOUND, 30000, false},
		{100, CONDUCT_EV_TALK, 0, false},     {115, CONDUCT_EV_SOUND, 11000, false},
	};
	static const struct line leaves[] = {
		{0, CONDUCT_EV_SIGNED_IN, 0, false},
		{10, CONDUCT_EV_AWAY, 0, true},
		{20, CONDUCT_EV_SIGNED_OUT, 0, true},
	};

	TELL(gaps, "media_gap@30 media_gap@115");
	TELL(rejects, "rejected_ring@200");
	TELL(disturbed, "do_not_disturb@100 do_not_disturb@300");
	TELL(unplugs, "unplugged@100 unplugged@200 unplugged@300 re_registered@330");
	TELL(holds_and_waits, "long_hold@231");
	TELL(holds_often, "many_holds@140 long_hold@262 media_gap@262 silent@262");
	TELL(leaves, "left_ringing@10 left_ringing@20");
}

static void who_delays_calls_back_is_found(void)
{
	static const struct line slow[] = {
		{0, CONDUCT_EV_TALK, 0, false},          {20, CONDUCT_EV_DIALLED, 15000, false},
		{90, CONDUCT_EV_TALK_OVER, 0, false},    {100, CONDUCT_EV_TALK, 0, false},
		{116, CONDUCT_EV_DIALLED, 16000, false},
	};
	static const struct line leaves[] = {
		{0, CONDUCT_EV_TALK, 0, false},
		{5, CONDUCT_EV_LEFT_CALLBACK, 5000, false},
		{5, CONDUCT_EV_TALK_OVER, 0, false},
	};
	/* Told once a gap, and from the end of the conversation, however long that was. */
	static const struct line idles[] = {
		{0, CONDUCT_EV_TALK, 0, false},       {5, CONDUCT_EV_DIALLED, 5000, false},
		{400, CONDUCT_EV_TIME, 0, true},      {900, CONDUCT_EV_TALK_OVER, 0, false},
		{1200, CONDUCT_EV_TIME, 0, true},     {1201, CONDUCT_EV_TIME, 0, true},
		{1500, CONDUCT_EV_TIME, 0, true},     {1600, CONDUCT_EV_TALK, 0, false},
		{1601, CONDUCT_EV_DIALLED, 0, false}, {1700, CONDUCT_EV_TALK_OVER, 0, false},
		{2001, CONDUCT_EV_TIME, 0, true},
	};
	/* Nothing to do, a caller in between, another kind of work, gone home. */
	static const struct line works[] = {
		{0, CONDUCT_EV_SIGNED_IN, 0, false},    {500, CONDUCT_EV_TIME, 0, true},
		{600, CONDUCT_EV_TALK, 0, false},       {601, CONDUCT_EV_DIALLED, 1000, false},
		{700, CONDUCT_EV_TALK_OVER, 0, false},  {1100, CONDUCT_EV_TIME, 0, false},
		{1110, CONDUCT_EV_TALK, 0, false},      {1200, CONDUCT_EV_TALK_OVER, 0, false},
		{1300, CONDUCT_EV_TIME, 0, true},       {1310, CONDUCT_EV_SIGNED_OUT, 0, false},
		{9000, CONDUCT_EV_SIGNED_IN, 0, false}, {9900, CONDUCT_EV_TIME, 0, true},
	};

	TELL(slow, "slow_dial@116");
	TELL(leaves, "left_callback@5");
	TELL(idles, "idle_callbacks@1201 idle_callbacks@2001");
	TELL(works, "");
}

static void the_evidence_says_what_the_phone_said(void)
{
	struct conduct c = {0};
	struct conduct_finding f[CONDUCT_FINDINGS_MAX];
	struct conduct_event e = {.kind = CONDUCT_EV_REJECTED,
				  .at_ms = 5000,
				  .ms = 80,
				  .status = 480,
				  .call = "0190-a"};

	check_int(conduct_event(&c, &limits, &e, f), 1);
	check_str(f[0].evidence, "SIP 480 after 80 ms");
	check_str(f[0].call, "0190-a");
}

static void habits_of_a_day_are_found_once(void)
{
	static const struct line restless[] = {
		{0, CONDUCT_EV_SIGNED_IN, 0, false},     {10, CONDUCT_EV_AWAY, 0, false},
		{20, CONDUCT_EV_BACK, 0, false},         {30, CONDUCT_EV_AWAY, 0, false},
		{40, CONDUCT_EV_BACK, 0, false},         {50, CONDUCT_EV_AWAY, 0, false},
		{60, CONDUCT_EV_BACK, 0, false},         {70, CONDUCT_EV_AWAY, 0, false},
		{80, CONDUCT_EV_BACK, 0, false},         {90, CONDUCT_EV_AWAY, 0, false},
		{3700, CONDUCT_EV_TIME, 0, false},       {3800, CONDUCT_EV_TIME, 0, false},
		{3900, CONDUCT_EV_SIGNED_OUT, 0, false}, {3910, CONDUCT_EV_SIGNED_IN, 0, false},
		{3920, CONDUCT_EV_SIGNED_OUT, 0, false}, {3930, CONDUCT_EV_SIGNED_IN, 0, false},
		{3940, CONDUCT_EV_SIGNED_OUT, 0, false}, {3950, CONDUCT_EV_SIGNED_IN, 0, false},
	};

	TELL(restless, "many_aways@90 long_away@3700 many_sign_ins@3950");
}

/* Those who work: nothing of this is anybody's fault. */
static void a_clean_agent_has_none(void)
{
	static const struct line day[] = {
		{0, CONDUCT_EV_REGISTERED, 0, false},
		{10, CONDUCT_EV_SIGNED_IN, 0, false},
		{100, CONDUCT_EV_REJECTED, 9000, false},  /* once */
		{4000, CONDUCT_EV_REJECTED, 9000, false}, /* more than an hour later */
		{5000, CONDUCT_EV_UNANSWERED, 15000, false},
		{5100, CONDUCT_EV_UNANSWERED, 15000, false},
		{9000, CONDUCT_EV_UNANSWERED, 15000, false},
		{9100, CONDUCT_EV_TALK, 0, false},
		{9110, CONDUCT_EV_HOLD, 0, false},
		{9200, CONDUCT_EV_TIME, 0, false},
		{9220, CONDUCT_EV_RESUME, 0, false},
		{9230, CONDUCT_EV_HOLD, 0, false},
		{9300, CONDUCT_EV_TALK_OVER, 0, false}, /* hung up while held */
		{9300, CONDUCT_EV_SOUND, 9000, false},
		{9900, CONDUCT_EV_TIME, 0, false}, /* no hold goes on after its call */
		{10000, CONDUCT_EV_AWAY, 0, false},
		{13000, CONDUCT_EV_BACK, 0, false},
		{20000, CONDUCT_EV_SIGNED_OUT, 0, false},
		{20100, CONDUCT_EV_UNREGISTERED, 0,
		 false}, /* goes home and switches the phone off */
		{50000, CONDUCT_EV_REGISTERED, 0, false},
	};

	TELL(day, "");
}

/* After a restart of the daemon the agents are signed in before their phones have registered again. */
static void a_first_registration_is_no_return(void)
{
	static const struct line lines[] = {
		{0, CONDUCT_EV_SIGNED_IN, 0, false},
		{10, CONDUCT_EV_REGISTERED, 0, false},
		{20, CONDUCT_EV_REGISTERED, 0, false},
		{30, CONDUCT_EV_REGISTERED, 0, false},
	};

	TELL(lines, "");
}

static void midnight_begins_the_counts_anew(void)
{
	static const struct line evening[] = {
		{0, CONDUCT_EV_SIGNED_IN, 0, false},
		{1000, CONDUCT_EV_AWAY, 0, false},
		{4000, CONDUCT_EV_TIME, 0, false},
	};
	static const struct line morning[] = {
		{4500, CONDUCT_EV_TIME, 0, false},
		{8000, CONDUCT_EV_TIME, 0, false},
		{8200, CONDUCT_EV_BACK, 0, false},
	};
	struct conduct c = {0};

	tell(&c, evening, 3, 1);
	check_str(found, "");
	tell(&c, morning, 3, 2);
	check_str(found, "long_away@8200");
}

static void a_limit_of_zero_switches_a_rule_off(void)
{
	static const struct config_conduct off = {0};
	struct conduct c = {0};
	struct conduct_finding f[CONDUCT_FINDINGS_MAX];

	for (int kind = CONDUCT_EV_SIGNED_IN; kind <= CONDUCT_EV_TIME; kind++) {
		struct conduct_event e = {.kind = (enum conduct_event_kind)kind,
					  .at_ms = 1000000U * (unsigned)kind,
					  .ms = 100000,
					  .silence_ms = 100000,
					  .call = ""};

		for (int i = 0; i < 40; i++)
			check_int(conduct_event(&c, &off, &e, f), 0);
	}
}

static const struct check_case cases[] = {
	CHECK_CASE(dodgers_are_found_with_evidence),
	CHECK_CASE(who_delays_calls_back_is_found),
	CHECK_CASE(the_evidence_says_what_the_phone_said),
	CHECK_CASE(habits_of_a_day_are_found_once),
	CHECK_CASE(a_clean_agent_has_none),
	CHECK_CASE(a_first_registration_is_no_return),
	CHECK_CASE(midnight_begins_the_counts_anew),
	CHECK_CASE(a_limit_of_zero_switches_a_rule_off),
};

CHECK_MAIN(cases)
