/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls outside by more than one trunk, what they are told of the caller, and callers who do not want to be
 * known.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "call/call_kit.h"
#include "check.h"
#include "sip/sip_trunk.h"

static struct call_kit k;
static struct kit_line spare;
static uint16_t spare_port;

static void on_its_port(struct sip_stack_config *cfg)
{
	cfg->listen[0].port = spare_port;
	cfg->listens = 1;
}

static void on_its_port_over_ip6(struct sip_stack_config *cfg)
{
	on_its_port(cfg);
	cfg->listen[0].ip = "::1";
}

static void count_unresolved(const struct sip_trunk_view *v, void *arg)
{
	*(int *)arg += v->address[0] == '\0';
}

/* Names are resolved in the background. */
static bool found(void *arg)
{
	int unresolved = 0;

	(void)arg;
	sip_trunk_each(k.c.sip, count_unresolved, &unresolved);
	return unresolved == 0;
}

/* Two trunks: the first, at `host`, refuses with 503, the second is the kit's world. */
static void open_two_at(const char *host, void (*change)(struct sip_stack_config *cfg))
{
	char more[400];

	spare_port = (uint16_t)(23000 + getpid() % 9000);
	snprintf(more, sizeof(more),
		 "trunks:\n"
		 "  - {name: first, host: '%s', port: %u, prefix: '9'}\n"
		 "  - {name: second, host: 127.0.0.1, port: @WORLD@, prefix: '9', priority: 1}\n",
		 host, spare_port);
	call_kit_open_with(&k, more);
	check_int(kit_open(&spare, change), 0);
	sip_stack_drain(spare.stack, true);
	check(kit_run(found, NULL, 10000));
}

static void open_two(void)
{
	open_two_at("localhost", on_its_port);
}

static void close_two(void)
{
	kit_close(&spare);
	call_kit_close(&k);
}

struct rows {
	unsigned n, down;
	uint64_t calls_out[2];
};

static void look(const struct sip_trunk_view *v, void *arg)
{
	struct rows *r = arg;

	r->down += v->state == SIP_TRUNK_DOWN ? 1 : 0;
	r->calls_out[r->n++ % 2] = v->calls_out;
}

static void the_next_trunk_takes_over(void)
{
	struct kit_call *agent, *far;
	struct rows r = {0};

	open_two();
	k.world->mood = KIT_ANSWER;
	agent = call_kit_dial_as(&k, 0, "95512");
	check(kit_until(&agent->answered, 1, 4000));
	far = kit_last(k.world);
	check_str(far->info.to_user, "95512");
	check_str(far->info.diverted, "");
	sip_trunk_each(k.c.sip, look, &r);
	check_int(r.n, 2);
	check_int(r.down, 1); /* set aside for as long as it said */
	check_int(r.calls_out[0], 1);
	check_int(r.calls_out[1], 1);
	sip_call_end(agent->call, 0, 16, NULL);
	check(kit_until(&far->closed, 1, 2000));
	close_two();
}

/* An announcement of the carrier is heard by who dialled, one way, and the answer goes on from there. */
static void heard_before_the_answer(void)
{
	struct kit_call *agent, *far;

	open_two();
	k.world->mood = KIT_EARLY;
	agent = call_kit_dial_as(&k, 0, "95512");
	check(kit_until(&agent->early, 1, 4000));
	far = kit_last(k.world);
	for (int i = 0; i < 100 && k.engine->hear_count != 1; i++)
		kit_wait(10);
	check_int(k.engine->hear_count, 1);
	check_str(k.engine->hear[0][0], call_kit_newest(&k)->customer->leg);
	check_str(k.engine->hear[0][1], call_kit_newest(&k)->dialled->leg);
	check_int(agent->answered, 0);
	check_int(sip_call_answer(far->call, &k.world->local), 0);
	check(kit_until(&agent->answered, 1, 3000));
	for (int i = 0; i < 100 && k.engine->hear_count != 2; i++)
		kit_wait(10);
	check_int(k.engine->hear_count, 2);
	sip_call_end(agent->call, 0, 16, NULL);
	check(kit_until(&far->closed, 1, 2000));
	close_two();
}

/* Media go the way that the trunk's SIP goes. One of the other family is tried when there is no more of this one. */
static void media_of_a_trunk_over_ip6(void)
{
	struct kit_call *agent, *far;

	open_two_at("::1", on_its_port_over_ip6);
	sip_stack_drain(spare.stack, false);
	agent = call_kit_dial_as(&k, 0, "95512");
	check(kit_until(&agent->answered, 1, 4000));
	far = kit_last(&spare);
	check_str(sip_call_remote(far->call)->ip, "::1");
	sip_call_end(agent->call, 0, 16, NULL);
	check(kit_until(&far->closed, 1, 2000));

	sip_stack_drain(spare.stack, true);
	agent = call_kit_dial_as(&k, 0, "95512");
	check(kit_until(&agent->answered, 1, 4000));
	far = kit_last(k.world);
	check_str(sip_call_remote(far->call)->ip, "::1");
	sip_call_end(agent->call, 0, 16, NULL);
	check(kit_until(&far->closed, 1, 2000));

	/* While the first is set aside, the leg is made for the one that is asked first. */
	agent = call_kit_dial_as(&k, 0, "95512");
	check(kit_until(&agent->answered, 1, 4000));
	far = kit_last(k.world);
	check_str(sip_call_remote(far->call)->ip, "127.0.0.1");
	sip_call_end(agent->call, 0, 16, NULL);
	check(kit_until(&far->closed, 1, 2000));
	close_two();
}

static void all_trunks_fail(void)
{
	struct kit_call *agent;

	open_two();
	sip_stack_drain(k.world->stack, true);
	agent = call_kit_dial_as(&k, 0, "95512");
	check(kit_until(&agent->closed, 1, 4000));
	check_int(agent->answered, 0);
	check(agent->status >= 480);
	close_two();
}

/* What the engine says of its load goes on to the caller's switch. */
static void the_engine_knows_how_long(void)
{
	static struct kit_wire wire;

	call_kit_open(&k);
	check_int(kit_wire_open(&wire), 0);
	k.engine->fail_leg_open = 1;
	kit_wire_send(&wire, sip_stack_port(k.c.sip, 0),
		      "INVITE sip:95598@127.0.0.1 SIP/2.0\n"
		      "Via: SIP/2.0/UDP 127.0.0.1:@PORT@;rport;branch=z9hG4bKload\n"
		      "From: <sip:138@far.test>;tag=f\nTo: <sip:95598@127.0.0.1>\n"
		      "Contact: <sip:138@127.0.0.1:@PORT@>\nCall-ID: load\nCSeq: 1 INVITE\n"
		      "Content-Length: 0\n\n");
	check(kit_wire_gets(&wire, "SIP/2.0 503", 2000));
	check(strstr(wire.got, "Retry-After: 17\r\n") != NULL);
	kit_wire_close(&wire);
	call_kit_close(&k);
}

/* A trunk that has a name, not an address, is known by what comes from it: its media must be encrypted. */
static void policy_of_a_named_trunk(void)
{
	struct kit_call *customer;

	call_kit_open_with(&k,
			   "trunks:\n"
			   "  - {name: safe, host: localhost, port: @WORLD@, srtp: required}\n");
	check(kit_run(found, NULL, 10000));
	customer = call_kit_dial(&k, "95598");
	check(customer != NULL);
	check(kit_until(&customer->closed, 1, 3000));
	check_int(customer->answered, 0);
	call_kit_close(&k);

	call_kit_open_with(&k, "trunks:\n"
			       "  - {name: plain, host: localhost, port: @WORLD@, srtp: off}\n");
	check(kit_run(found, NULL, 10000));
	customer = call_kit_dial(&k, "95598");
	check(kit_until(&customer->answered, 1, 3000));
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	call_kit_close(&k);
}

/* Known to the trunk and to us, to nobody else: neither records nor the agent's phone. */
static void a_caller_who_is_withheld(void)
{
	struct kit_call *customer;
	char uri[96];
	struct sip_invite inv = {.uri = uri,
				 .from_user = "13800138000",
				 .from_host = "far.test",
				 .asserted = "13800138000",
				 .withheld = true};

	open_two();
	call_kit_ready(&k, "1001");
	strcpy(k.engine->digits, "1");
	snprintf(uri, sizeof(uri), "sip:95598@127.0.0.1:%u", sip_stack_port(k.c.sip, 0));
	customer = kit_dial(k.world, &inv);
	check(customer != NULL);
	check(call_kit_reaches(&k, CALL_TALKING));
	check_str(call_kit_newest(&k)->record.from, "anonymous");
	check_str(sip_call_info(call_kit_newest(&k)->customer->sip)->asserted, "13800138000");
	check_str(sip_call_info(call_kit_newest(&k)->customer->sip)->trunk_name, "second");
	check_str(kit_last(k.phone[0])->info.from_user, "anonymous");
	check(kit_last(k.phone[0])->info.anonymous);
	sip_call_end(customer->call, 0, 16, NULL);
	check(call_kit_ended(&k, 1));
	close_two();
}

static const struct check_case cases[] = {
	CHECK_CASE(the_next_trunk_takes_over), CHECK_CASE(heard_before_the_answer),
	CHECK_CASE(all_trunks_fail),           CHECK_CASE(the_engine_knows_how_long),
	CHECK_CASE(policy_of_a_named_trunk),   CHECK_CASE(a_caller_who_is_withheld),
	CHECK_CASE(media_of_a_trunk_over_ip6),
};
CHECK_MAIN(cases)
