/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls back as work: who dials and when, attempts in vain, agents who leave, appointments, restarts.
 */
#include "call/call_kit.h"
#include "call/callback_desk.h"

#include <errno.h>
#include <string.h>

#include "check.h"

static struct call_kit k;
static struct call *call;

/* 1002 is to be called back for `sales`, whose agents dial themselves within `dial_s`. */
static void promise(uint32_t dial_s)
{
	const char *id;
	char why[200] = "";

	k.c.config->queues[0].callback_dial_s = (uint16_t)dial_s;
	k.c.config->queues[0].callback_retry_s = 1;
	check_int(centre_callback_add(&k.c, "sales", "1002", 0, 0, &id, why, sizeof(why)), 0);
	call = call_kit_newest(&k);
	check_str(call->id, id);
}

static const char *state(void)
{
	static char text[16];
	json_t *rows = centre_callbacks(&k.c);

	snprintf(text, sizeof(text), "%s",
		 json_array_size(rows) > 0
			 ? json_string_value(json_object_get(json_array_get(rows, 0), "state"))
			 : "");
	json_decref(rows);
	return text;
}

static bool state_is(void *arg)
{
	centre_check(&k.c);
	return strcmp(state(), arg) == 0;
}

static bool comes_to(const char *want)
{
	return kit_run(state_is, (void *)(uintptr_t)want, 4000);
}

static void press(const char *keys)
{
	for (; *keys != '\0'; keys++)
		engine_kit_event(k.engine, "dtmf",
				 json_pack("{s:s,s:s,s:s%,s:s,s:i,s:b}", "call", call->id, "leg",
					   call->agent->leg, "digit", keys, (size_t)1, "source",
					   "rfc4733", "duration_ms", 100, "secret", 0));
	kit_wait(30);
}

/* How often the step was noted whose detail begins and ends so. */
static unsigned steps(enum call_step step, const char *begin, const char *end)
{
	unsigned n = 0;

	for (unsigned i = 0; i < call->step_count; i++) {
		const char *d = call->steps[i].detail;

		n += call->steps[i].step == step && strncmp(d, begin, strlen(begin)) == 0 &&
		     strlen(d) >= strlen(end) && strcmp(d + strlen(d) - strlen(end), end) == 0;
	}
	return n;
}

static void hang_up(void)
{
	sip_call_end(kit_last(k.phone[1])->call, 0, 16, NULL);
	check(call_kit_empty(&k));
	call_kit_close(&k);
}

static void the_agent_dials_with_a_key(void)
{
	char why[200] = "";

	call_kit_open(&k);
	promise(30);
	check_str(state(), "waiting");
	call_kit_ready(&k, "1001");
	check(comes_to("task"));
	check(call_kit_heard(&k, "callback"));
	kit_wait(60);
	press("5#");
	check_str(state(), "task"); /* another key dials nobody */
	check(kit_last(k.phone[1]) == NULL);
	press("1");
	check(call_kit_reaches(&k, CALL_TALKING));
	check_str(call->customer->number, "1002");
	check_int(steps(CALL_STEP_DIAL, "1001 after ", " ms, by key"), 1);
	check_int(centre_callback_dial(call, why, sizeof(why)), -EBUSY);
	press("1"); /* and again means nothing */
	check_str(state(), "");
	hang_up();
}

static void a_screen_dials_as_well(void)
{
	char why[200] = "";

	call_kit_open(&k);
	promise(30);
	check_int(centre_callback_dial(call, why, sizeof(why)), -EBUSY); /* nobody has it */
	check(why[0] != '\0');
	call_kit_ready(&k, "1001");
	check(comes_to("task"));
	check_int(centre_callback_dial(call, why, sizeof(why)), 0);
	check(call_kit_reaches(&k, CALL_TALKING));
	check_int(steps(CALL_STEP_DIAL, "1001 after ", "by the desk"), 1);
	hang_up();
}

static void who_does_not_dial_is_told_of_and_it_is_dialled(void)
{
	call_kit_open(&k);
	k.c.config->conduct.dial_s = 1;
	promise(2);
	call_kit_ready(&k, "1001");
	check(comes_to("task"));
	check(!call_kit_heard(&k, "conduct"));
	check(call_kit_reaches(&k, CALL_TALKING));
	check_int(steps(CALL_STEP_DIAL, "1001 after ", "by the limit"), 1);
	check(call_kit_heard(&k, "conduct"));
	hang_up();
}

static void without_the_option_it_is_dialled_at_once(void)
{
	call_kit_open(&k);
	promise(0);
	call_kit_ready(&k, "1001");
	check(call_kit_reaches(&k, CALL_TALKING));
	check_int(steps(CALL_STEP_DIAL, "1001 after ", "at once"), 1);
	check(!call_kit_heard(&k, "callback"));
	hang_up();
}

static void who_leaves_the_task_gives_it_to_the_next(void)
{
	call_kit_open(&k);
	promise(30);
	call_kit_ready(&k, "1001");
	check(comes_to("task"));
	call_kit_ready(&k, "1003");
	sip_call_end(kit_last(k.phone[0])->call, 0, 16, NULL);
	check(call_kit_agent_is(&k, 2, "talking"));
	check(comes_to("task"));
	check_str(call->agent->number, "1003");
	check(call_kit_heard(&k, "conduct")); /* of 1001 */
	check_int(steps(CALL_STEP_DIAL, "", ""), 0);
	press("1");
	check(call_kit_reaches(&k, CALL_TALKING));
	hang_up();
}

static void an_attempt_in_vain_makes_the_next_one_due(void)
{
	call_kit_open(&k);
	k.phone[1]->mood = KIT_BUSY;
	promise(30);
	call_kit_ready(&k, "1001");
	check(comes_to("task"));
	press("1");
	check(comes_to("due"));
	check_int(call->callback.tries, 1);
	check(call->callback.due_ms > clock_wall_ms());
	check(call_kit_agent_is(&k, 0, "wrap_up"));
	k.phone[1]->mood = KIT_ANSWER;
	call_kit_ready(&k, "1003"); /* not 1001, which wraps up */
	check(comes_to("task"));
	press("1");
	check(call_kit_reaches(&k, CALL_TALKING));
	check_int(steps(CALL_STEP_DIAL, "1001 ", "by key"), 1);
	check_int(steps(CALL_STEP_DIAL, "1003 ", "by key"), 1);
	hang_up();
}

static void an_appointment_is_not_made_before_its_time(void)
{
	const char *id;
	char why[200];

	call_kit_open(&k);
	k.c.config->queues[0].callback_dial_s = 30;
	call_kit_ready(&k, "1001");
	check_int(centre_callback_add(&k.c, "sales", "1002", clock_wall_ms() + 600, 0, &id, why,
				      sizeof(why)),
		  0);
	call = call_kit_newest(&k);
	kit_wait(300);
	check_str(state(), "due");
	check(!call->in_acd);
	check(comes_to("task"));
	check(clock_wall_ms() >= call->callback.promised_ms); /* its place is counted from then */
	press("1");
	check(call_kit_reaches(&k, CALL_TALKING));
	hang_up();
}

static void appointments_and_tries_outlive_a_restart(void)
{
	uint64_t due_ms;
	const char *id;
	char why[200];
	json_t *rows;

	call_kit_open_stored(&k, "");
	due_ms = clock_wall_ms() + 3600000;
	check_int(centre_callback_add(&k.c, "sales", "13800138000", 0, 0, &id, why, sizeof(why)),
		  -EINVAL); /* no trunk in this configuration */
	check_int(centre_callback_add(&k.c, "sales", "1002", due_ms, 4, &id, why, sizeof(why)), 0);
	kit_wait(300); /* it is stored */
	call_kit_kill(&k);
	call_kit_begin(&k);
	check(comes_to("due"));
	rows = centre_callbacks(&k.c);
	check_int(json_array_size(rows), 1);
	check_int(json_integer_value(json_object_get(json_array_get(rows, 0), "due_ms")), due_ms);
	json_decref(rows);
	centre_hang_up(&k.c, call_kit_newest(&k));
	check(call_kit_empty(&k));
	call_kit_close(&k);
}

static void what_cannot_be_promised_is_refused(void)
{
	const char *id;
	char why[200] = "";

	call_kit_open(&k);
	check_int(centre_callback_add(&k.c, "nowhere", "1002", 0, 0, &id, why, sizeof(why)),
		  -ENOENT);
	check_str(why, "there is no queue nowhere");
	check_int(centre_callback_add(&k.c, "sales", "", 0, 0, &id, why, sizeof(why)), -EINVAL);
	check_int(centre_callback_add(&k.c, "sales", "12;x=1", 0, 0, &id, why, sizeof(why)),
		  -EINVAL);
	check_int(centre_callback_add(&k.c, "sales", "7777", 0, 0, &id, why, sizeof(why)), -EINVAL);
	promise(0);
	check_int(centre_callback_add(&k.c, "sales", "1002", 0, 0, &id, why, sizeof(why)), -EEXIST);
	check(strstr(why, "already") != NULL);
	centre_hang_up(&k.c, call); /* a promise taken back */
	check(call_kit_empty(&k));
	call_kit_close(&k);
}

static const struct check_case cases[] = {
	CHECK_CASE(the_agent_dials_with_a_key),
	CHECK_CASE(a_screen_dials_as_well),
	CHECK_CASE(who_does_not_dial_is_told_of_and_it_is_dialled),
	CHECK_CASE(without_the_option_it_is_dialled_at_once),
	CHECK_CASE(who_leaves_the_task_gives_it_to_the_next),
	CHECK_CASE(an_attempt_in_vain_makes_the_next_one_due),
	CHECK_CASE(an_appointment_is_not_made_before_its_time),
	CHECK_CASE(appointments_and_tries_outlive_a_restart),
	CHECK_CASE(what_cannot_be_promised_is_refused),
};

CHECK_MAIN(cases)
