/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls while the engine's recorder has no volume: refused or taken, as configured, with the reason in their
 * record; and by themselves as ever when a volume is back.
 */
#include <string.h>

#include "call/call_kit.h"
#include "call/calls.h"
#include "check.h"
#include "patchbay/rpc_error.h"

static struct call_kit k;

static bool alarm_is(void *arg)
{
	return call_kit_alarm(&k, "no volume") == *(bool *)arg;
}

/* The engine's volumes go, or come back. */
static void volumes(bool there)
{
	bool want = !there;

	k.engine->no_volume = !there;
	engine_kit_event(
		k.engine, "alarm",
		json_pack("{s:s,s:s,s:b}", "area", "recorder", "text", "x", "raised", !there));
	check(kit_run(alarm_is, &want, 3000));
}

static void hang_up(struct kit_call *customer)
{
	sip_call_end(customer->call, 0, 16, NULL);
	check(kit_until(&customer->closed, 1, 3000));
}

static void with_refuse_a_call_that_must_be_recorded_is_503(void)
{
	struct kit_call *customer;

	call_kit_open(&k);
	k.c.config->record_unavailable = CONFIG_UNRECORDED_REFUSE;
	volumes(false);
	customer = call_kit_dial(&k, "95598");
	check(kit_until(&customer->closed, 1, 2000));
	check_int(customer->status, 503);
	check_str(k.cause, "unrecordable");
	check_int(k.engine->recordings, 0);
	check_int(k.c.numbers.calls_refused, 1);

	/* what is not to be recorded is taken */
	k.c.config->record.mode = CONFIG_RECORD_NEVER;
	customer = call_kit_dial(&k, "95598");
	check(kit_until(&customer->answered, 1, 3000));
	hang_up(customer);
	k.c.config->record.mode = CONFIG_RECORD_ALWAYS;

	/* and all are when there is a volume again */
	volumes(true);
	customer = call_kit_dial(&k, "95598");
	check(kit_until(&customer->answered, 1, 3000));
	hang_up(customer);
	call_kit_close(&k);
}

static void otherwise_it_is_taken_and_its_record_tells_why(void)
{
	struct kit_call *customer;
	struct call *call;

	call_kit_open(&k);
	volumes(false);
	customer = call_kit_dial(&k, "95598");
	check(kit_until(&customer->answered, 1, 3000));
	call = call_kit_newest(&k);
	kit_wait(300);
	check_int(k.engine->recordings, 0);
	check(call->no_volume);
	check(!record_open(call));
	hang_up(customer);
	call_kit_close(&k);
}

static void a_recorder_that_works_raises_nothing(void)
{
	call_kit_open(&k);
	recorder_ask(&k.c);
	kit_wait(200);
	check(k.c.recorder.known && !k.c.recorder.lacks);
	check_int(json_integer_value(json_object_get(k.c.recorder.row, "extents")), 8);
	check(!call_kit_alarm(&k, "no volume"));
	call_kit_close(&k);
}

static void a_failed_recording_is_an_alarm_until_all_has_been_well(void)
{
	call_kit_open(&k);
	centre_alarm(&k.c, "recording", true, "a recording failed in mid-call");
	for (int i = 0; i < 8; i++) {
		recorder_ask(&k.c);
		kit_wait(20);
	}
	check(call_kit_alarm(&k, "recording"));
	for (int i = 0; i < 8; i++) {
		recorder_ask(&k.c);
		kit_wait(20);
	}
	check(!call_kit_alarm(&k, "recording"));
	call_kit_close(&k);
}

static bool sip_is_deaf(void *arg)
{
	return call_kit_alarm(&k, "sip port") == *(bool *)arg;
}

static void sip_on_a_port_that_the_engine_takes_is_an_alarm(void)
{
	uint16_t port;
	bool want = true;

	call_kit_open(&k);
	port = sip_stack_port(k.c.sip, 0);
	recorder_ask(&k.c);
	kit_wait(100);
	check(!call_kit_alarm(&k, "sip port"));
	k.engine->takes_first = port - 1;
	k.engine->takes_last = port;
	recorder_ask(&k.c);
	check(kit_run(sip_is_deaf, &want, 1000));
	k.engine->takes_first = port + 1;
	k.engine->takes_last = port + 100;
	recorder_ask(&k.c);
	want = false;
	check(kit_run(sip_is_deaf, &want, 1000));
	call_kit_close(&k);
}

static const struct check_case cases[] = {
	CHECK_CASE(sip_on_a_port_that_the_engine_takes_is_an_alarm),
	CHECK_CASE(with_refuse_a_call_that_must_be_recorded_is_503),
	CHECK_CASE(otherwise_it_is_taken_and_its_record_tells_why),
	CHECK_CASE(a_recorder_that_works_raises_nothing),
	CHECK_CASE(a_failed_recording_is_an_alarm_until_all_has_been_well),
};
CHECK_MAIN(cases)
