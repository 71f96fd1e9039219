/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls between a switchboard and phones, all on loopback, told as stories.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "check.h"
#include "sip/sip_kit.h"

enum { SOON = 2000 };

/* Too big for a stack; one process runs one story at a time. */
struct scene {
	struct kit_line board, phone, other;
};

static struct scene *scene_new(void)
{
	struct scene *s = calloc(1, sizeof(*s));

	kit_up();
	(void)kit_open(&s->board, NULL);
	(void)kit_open(&s->phone, NULL);
	(void)kit_open(&s->other, NULL);
	return s;
}

static bool scene_end(struct scene *s)
{
	bool clean;

	kit_close(&s->board);
	kit_close(&s->phone);
	kit_close(&s->other);
	clean = kit_down();
	free(s);
	return clean;
}

static void a_caller_is_answered_and_hangs_up(void)
{
	struct scene *s = scene_new();
	struct kit_call *k = kit_dial_line(&s->phone, &s->board, "95598");

	check(k != NULL);
	check(kit_until(&k->answered, 1, SOON));

	struct kit_call *in = kit_last(&s->board);

	check(kit_until(&in->answered, 1, SOON));
	check_str(in->info.from_user, "13800138000");
	check_str(in->info.to_user, "95598");
	check_str(in->info.auth_user, "");
	check(in->info.offer);
	check_int(in->remote.port, s->phone.local.port);
	check_str(in->remote.ip, "127.0.0.1");
	check_str(in->remote.codec[0].name, "PCMA");
	check(in->remote.dtmf);
	check_int(in->remote.dtmf_pt, 101);
	check_int(in->remote.direction, SIP_SENDRECV);
	check_int(in->remote.ptime_ms, 20);
	check_int(k->remote.port, s->board.local.port);
	check_int(k->remote.rtcp_port, s->board.local.port + 1);

	sip_call_end(k->call, 0, SIP_CAUSE_NORMAL, "done");
	check_int(k->closed, 0); /* never from inside */
	check(kit_until(&in->closed, 1, SOON));
	check(kit_until(&k->closed, 1, SOON));
	check(in->by_peer);
	check_int(in->cause, 16);
	check_str(in->text, "done");
	check(!k->by_peer);
	kit_wait(50);

	struct sip_stack_stats st;

	sip_stack_stats(s->board.stack, &st);
	check_int(st.calls_now, 0);
	check_int(st.dialogs_now, 0);
	check_int(st.calls_in, 1);
	check(scene_end(s));
}

static void we_hang_up_with_a_cause(void)
{
	struct scene *s = scene_new();
	struct kit_call *k = kit_dial_line(&s->phone, &s->board, "95598");

	check(kit_until(&k->answered, 1, SOON));
	sip_call_end(kit_last(&s->board)->call, 0, 31, "no agent \"today\"");
	sip_call_end(kit_last(&s->board)->call, 0, 17, "a second end does nothing");
	check(kit_until(&k->closed, 1, SOON));
	check(k->by_peer);
	check_int(k->cause, 31);
	check_str(k->text, "no agent today");
	check(kit_until(&kit_last(&s->board)->closed, 1, SOON));
	check_int(kit_last(&s->board)->cause, 31);
	check(scene_end(s));
}

static void a_call_ends_before_its_ack(void)
{
	struct scene *s = scene_new();

	s->board.mood = KIT_RING;

	struct kit_call *k = kit_dial_line(&s->phone, &s->board, "95598");

	check(kit_until(&k->ringing, 1, SOON));

	struct kit_call *in = kit_last(&s->board);

	check_int(sip_call_answer(in->call, &s->board.local), 0);
	check_int(sip_call_answer(in->call, &s->board.local), -EPROTO);
	sip_call_end(in->call, 0, 16, "changed my mind");
	check(kit_until(&in->closed, 1, SOON));
	check(kit_until(&k->closed, 1, SOON));
	check_int(k->answered, 1);
	check(k->by_peer);
	check(scene_end(s));
}

static void a_caller_gives_up_while_it_rings(void)
{
	struct scene *s = scene_new();

	s->board.mood = KIT_RING;

	struct kit_call *k = kit_dial_line(&s->phone, &s->board, "95598");

	check(kit_until(&k->ringing, 1, SOON));
	check_int(k->status, 180);
	sip_call_end(k->call, 0, 0, NULL);
	check(kit_until(&k->closed, 1, SOON));

	struct kit_call *in = kit_last(&s->board);

	check(kit_until(&in->closed, 1, SOON));
	check(in->by_peer);
	check_int(in->status, 487);
	check_int(in->answered, 0);
	kit_wait(50);

	struct sip_stack_stats st;

	sip_stack_stats(s->phone.stack, &st);
	check_int(st.dialogs_now, 0);
	check(scene_end(s));
}

/* CANCEL and 200 cross: the phone answers in the very moment the caller gives up. */
static void cancel_crosses_the_answer(void)
{
	struct scene *s = scene_new();

	s->board.mood = KIT_RING;

	struct kit_call *k = kit_dial_line(&s->phone, &s->board, "95598");

	check(kit_until(&k->ringing, 1, SOON));

	struct kit_call *in = kit_last(&s->board);

	check_int(sip_call_answer(in->call, &s->board.local), 0);
	sip_call_end(k->call, 0, 0, NULL);
	check(kit_until(&k->closed, 1, SOON));
	check(kit_until(&in->closed, 1, SOON));
	check(in->by_peer);
	check_int(k->answered, 0);
	kit_wait(50);

	struct sip_stack_stats st;

	sip_stack_stats(s->phone.stack, &st);
	check_int(st.dialogs_now, 0);
	check(scene_end(s));
}

static void busy_and_nobody(void)
{
	struct scene *s = scene_new();

	s->board.mood = KIT_BUSY;

	struct kit_call *k = kit_dial_line(&s->phone, &s->board, "95598");

	check(kit_until(&k->closed, 1, SOON));
	check_int(k->status, 486);
	check_int(k->cause, 17);
	check_str(k->text, "on another call");
	check(k->by_peer);

	s->board.mood = KIT_IGNORE;
	k = kit_dial_line(&s->phone, &s->board, "95598");
	check(kit_until(&k->closed, 1, SOON));
	check_int(k->status, 404);
	check_int(k->cause, 1);
	check(scene_end(s));
}

static void early_media_then_answer(void)
{
	struct scene *s = scene_new();

	s->board.mood = KIT_EARLY;

	struct kit_call *k = kit_dial_line(&s->phone, &s->board, "95598");

	check(kit_until(&k->early, 1, SOON));
	check_int(k->status, 183);
	check_int(k->remote.port, s->board.local.port);
	check_int(k->answered, 0);
	check(sip_call_remote(kit_last(&s->board)->call) != NULL);
	check_int(sip_call_answer(kit_last(&s->board)->call, &s->board.local), 0);
	check(kit_until(&k->answered, 1, SOON));
	check(scene_end(s));
}

static void nobody_answers_in_time(void)
{
	struct scene *s = scene_new();
	char uri[64];
	struct sip_invite inv = {.uri = uri, .from_user = "1", .ring_timeout_ms = 200};

	s->board.mood = KIT_RING;
	(void)snprintf(uri, sizeof(uri), "sip:1@127.0.0.1:%u", (unsigned)s->board.port[0]);

	struct kit_call *k = kit_dial(&s->phone, &inv);

	check(kit_until(&k->closed, 1, SOON));
	check_int(k->status, 408);
	check_int(k->cause, 19);
	check(kit_until(&kit_last(&s->board)->closed, 1, SOON));
	check(scene_end(s));
}

static void hold_and_resume_by_either_side(void)
{
	struct scene *s = scene_new();
	struct kit_call *k = kit_dial_line(&s->phone, &s->board, "95598");

	check(kit_until(&k->answered, 1, SOON));

	struct kit_call *in = kit_last(&s->board);
	struct sip_media m = s->phone.local;

	check(kit_until(&in->answered, 1, SOON));
	m.direction = SIP_SENDONLY;
	check_int(sip_call_modify(k->call, &m), 0);
	check(kit_until(&in->media, 1, SOON));
	check(in->remote.held);
	check_int(in->remote.direction, SIP_RECVONLY);
	check(kit_until(&k->media, 1, SOON));
	check_int(k->remote.direction, SIP_SENDONLY);

	m.direction = SIP_INACTIVE;
	check_int(sip_call_modify(k->call, &m), 0);
	check(kit_until(&in->media, 2, SOON));
	check_int(in->remote.direction, SIP_INACTIVE);

	m.direction = SIP_SENDRECV;
	m.port = (uint16_t)(m.port + 2);
	check_int(sip_call_modify(k->call, &m), 0);
	check(kit_until(&in->media, 3, SOON));
	check(!in->remote.held);
	check_int(in->remote.direction, SIP_SENDRECV);
	check_int(in->remote.port, m.port);
	check(kit_until(&k->media, 3, SOON));

	/* The called side holds, too. */
	m = s->board.local;
	m.direction = SIP_SENDONLY;
	check_int(sip_call_modify(in->call, &m), 0);
	check(kit_until(&k->media, 4, SOON));
	check(k->remote.held);
	check(kit_until(&in->media, 4, SOON));
	check(!in->remote.held);
	check_int(in->remote.direction, SIP_SENDONLY);
	check(scene_end(s));
}

/* Both want to change the call in the same moment: one is refused with 491 and asks again. */
static void glare_is_settled(void)
{
	struct scene *s = scene_new();
	struct kit_call *k = kit_dial_line(&s->phone, &s->board, "95598");

	check(kit_until(&k->answered, 1, SOON));

	struct kit_call *in = kit_last(&s->board);
	struct sip_media a = s->phone.local, b = s->board.local;

	check(kit_until(&in->answered, 1, SOON));
	kit_wait(20);
	a.port = (uint16_t)(a.port + 10);
	b.port = (uint16_t)(b.port + 10);
	check_int(sip_call_modify(k->call, &a), 0);
	check_int(sip_call_modify(in->call, &b), 0);
	check(kit_until(&k->media, 2, 10000));
	check(kit_until(&in->media, 2, 10000));
	check_int(in->remote.port, a.port);
	check_int(k->remote.port, b.port);
	check_int(k->failed + in->failed, 0);
	check(scene_end(s));
}

static void no_common_codec(void)
{
	struct scene *s = scene_new();
	struct sip_media m = {.port = 4000, .direction = SIP_SENDRECV};
	char uri[64];
	struct sip_invite inv = {.uri = uri, .from_user = "1", .local = &m};

	(void)strcpy(m.ip, "127.0.0.1");
	(void)sip_media_add_codec(&m, "opus", 111, 48000);
	(void)snprintf(uri, sizeof(uri), "sip:1@127.0.0.1:%u", (unsigned)s->board.port[0]);

	struct kit_call *k = kit_dial(&s->phone, &inv);

	check(kit_until(&k->closed, 1, SOON));
	check_int(k->status, 488);
	check_int(k->cause, 88);

	/* In a running call the old media stand. */
	k = kit_dial_line(&s->phone, &s->board, "95598");
	check(kit_until(&k->answered, 1, SOON));
	check_int(sip_call_modify(k->call, &m), 0);
	check(kit_until(&k->failed, 1, SOON));
	check_int(k->status, 488);
	check(sip_call_established(k->call));
	check_int(kit_last(&s->board)->media, 0);

	/* Asked now, the one who failed answers with what stood before. */
	check_int(sip_call_modify(kit_last(&s->board)->call, &s->board.local), 0);
	check(kit_until(&k->media, 1, SOON));
	check(kit_until(&kit_last(&s->board)->media, 1, SOON));
	check_str(kit_last(&s->board)->remote.codec[0].name, "PCMA");
	check_int(kit_last(&s->board)->remote.port, s->phone.local.port);
	check_int(sip_call_modify(k->call, &s->phone.local), 0);
	check(kit_until(&k->media, 2, SOON));
	check(scene_end(s));
}

static void keys_by_info(void)
{
	struct scene *s = scene_new();
	struct kit_call *k = kit_dial_line(&s->phone, &s->board, "95598");

	check(kit_until(&k->answered, 1, SOON));
	check_int(sip_call_send_dtmf(k->call, 'x', 0), -EINVAL);
	check_int(sip_call_send_dtmf(k->call, '#', 120), 0);
	check(kit_until(&kit_last(&s->board)->dtmf, 1, SOON));
	check_int(kit_last(&s->board)->digit, '#');
	check(scene_end(s));
}

static void blind_transfer(void)
{
	struct scene *s = scene_new();
	struct kit_call *k = kit_dial_line(&s->phone, &s->board, "95598");

	check(kit_until(&k->answered, 1, SOON));

	struct kit_call *in = kit_last(&s->board);

	check(kit_until(&in->answered, 1, SOON));
	check_int(sip_call_refer_progress(in->call, 200, "OK"), -EPROTO);
	check_int(sip_call_transfer(k->call, "sip:1002@pb.test"), 0);
	check(kit_until(&in->refer, 1, SOON));
	check_str(in->refer_user, "1002");
	check(!in->refer_attended);
	check(kit_until(&k->transfer, 1, SOON));
	check_int(k->transfer_status, 100);
	check_int(sip_call_refer_progress(in->call, 180, "Ringing"), 0);
	check(kit_until(&k->transfer, 2, SOON));
	check_int(k->transfer_status, 180);
	check_int(sip_call_refer_progress(in->call, 603, "Decline"), 0);
	check(kit_until(&k->transfer, 3, SOON));
	check_int(k->transfer_status, 603);
	check_int(sip_call_refer_progress(in->call, 200, "OK"), -EPROTO);
	check(scene_end(s));
}

static void over_tcp(void)
{
	struct scene *s = scene_new();
	char uri[64];
	struct sip_invite inv = {.uri = uri, .from_user = "1"};

	(void)snprintf(uri, sizeof(uri), "sip:1@127.0.0.1:%u;transport=tcp",
		       (unsigned)s->board.port[1]);

	struct kit_call *k = kit_dial(&s->phone, &inv);

	check(kit_until(&k->answered, 1, SOON));

	struct kit_call *in = kit_last(&s->board);

	check_int(in->info.peer.transport, SIP_OVER_TCP);
	check(kit_until(&in->answered, 1, SOON));
	sip_call_end(in->call, 0, 16, NULL);
	check(kit_until(&k->closed, 1, SOON));
	check(scene_end(s));
}

static void six(struct sip_stack_config *cfg)
{
	cfg->listen[0].ip = cfg->listen[1].ip = "::1";
}

static void over_ipv6(void)
{
	struct scene *s = scene_new();
	char uri[64];
	struct sip_invite inv = {.uri = uri, .from_user = "1"};

	kit_close(&s->board);
	kit_close(&s->phone);
	if (kit_open(&s->board, six) != 0 || kit_open(&s->phone, six) != 0) {
		printf("skip over_ipv6: this host has no ::1\n");
		check(scene_end(s));
		return;
	}
	check_int(sip_media_local(&s->board.local, "2001:db8::7", 4000), 0);
	for (int tcp = 0; tcp < 2; tcp++) {
		(void)snprintf(uri, sizeof(uri), "sip:1@[::1]:%u%s", (unsigned)s->board.port[tcp],
			       tcp ? ";transport=tcp" : "");

		struct kit_call *k = kit_dial(&s->phone, &inv);

		check(k != NULL);
		check(kit_until(&k->answered, 1, SOON));
		check_str(k->remote.ip, "2001:db8::7");
		check_str(kit_last(&s->board)->info.peer.ip, "::1");
		check(kit_until(&kit_last(&s->board)->answered, 1, SOON));
		check_int(sip_call_modify(kit_last(&s->board)->call, &s->board.local), 0);
		check(kit_until(&k->media, 1, SOON));
		sip_call_end(kit_last(&s->board)->call, 0, 16, NULL);
		check(kit_until(&k->closed, 1, SOON));
	}
	check(scene_end(s));
}

static unsigned count(const struct kit_line *l, bool closed)
{
	unsigned n = 0;

	for (size_t i = 0; i < l->calls; i++)
		n += closed ? l->call[i].closed : l->call[i].answered;
	return n;
}

struct target {
	struct kit_line *l;
	bool closed;
	unsigned want;
};

static bool all(void *arg)
{
	const struct target *t = arg;

	return count(t->l, t->closed) >= t->want;
}

static void two_hundred_at_once(void)
{
	struct scene *s = scene_new();
	struct target up = {&s->phone, false, 200}, down = {&s->board, true, 200};

	for (int i = 0; i < 200; i++)
		check(kit_dial_line(&s->phone, &s->board, "95598") != NULL);
	check(kit_run(all, &up, 10000));
	check(kit_run(all, &(struct target){&s->board, false, 200}, 10000));
	for (int i = 0; i < 200; i++)
		sip_call_end(s->phone.call[i].call, 0, 16, NULL);
	check(kit_run(all, &down, 10000));
	check(kit_run(all, &(struct target){&s->phone, true, 200}, 10000));
	kit_wait(100);

	struct sip_stack_stats st;

	sip_stack_stats(s->board.stack, &st);
	check_int(st.dialogs_now, 0);
	check_int(st.refused_overload, 0);
	check(scene_end(s));
}

static void ten_a_second(struct sip_stack_config *cfg)
{
	cfg->limits.calls_per_s_max = 10;
	cfg->limits.retry_after_s = 7;
}

static void overload_is_told_early(void)
{
	struct scene *s = scene_new();
	struct target up = {&s->phone, false, 10};
	unsigned refused = 0;

	kit_close(&s->board);
	check_int(kit_open(&s->board, ten_a_second), 0);
	for (int i = 0; i < 30; i++)
		check(kit_dial_line(&s->phone, &s->board, "95598") != NULL);
	check(kit_run(all, &up, SOON));
	kit_wait(300);
	for (int i = 0; i < 30; i++)
		refused += s->phone.call[i].closed && s->phone.call[i].status == 503;
	check(refused >= 15);
	check_int(refused + count(&s->phone, false), 30);
	check_int(s->phone.call[29].cause, 41);

	/* The ten talk on. */
	sip_stack_drain(s->board.stack, true);
	check(kit_dial_line(&s->phone, &s->board, "1") != NULL);
	check(kit_until(&kit_last(&s->phone)->closed, 1, SOON));
	check_int(kit_last(&s->phone)->status, 503);
	check(scene_end(s));
}

static void hung_up(void *arg)
{
	*(unsigned *)arg = 1;
}

static void an_orderly_end(void)
{
	struct scene *s = scene_new();
	struct target up = {&s->phone, false, 3};
	unsigned done = 0;

	for (int i = 0; i < 3; i++)
		(void)kit_dial_line(&s->phone, &s->board, "95598");
	check(kit_run(all, &up, SOON));
	sip_stack_hang_up(s->board.stack, 1000, hung_up, &done);
	check(kit_until(&done, 1, 900));
	check_int(count(&s->board, true), 3);
	check(kit_run(all, &(struct target){&s->phone, true, 3}, SOON));
	check_int(s->phone.call[0].cause, 27);
	check(scene_end(s));
}

/* Closing with calls in every state must neither leak nor touch freed memory. */
static void a_hard_end(void)
{
	struct scene *s = scene_new();

	(void)kit_dial_line(&s->phone, &s->board, "95598");
	check(kit_until(&s->phone.call[0].answered, 1, SOON));
	s->board.mood = KIT_RING;
	(void)kit_dial_line(&s->phone, &s->board, "95598");
	check(kit_until(&s->phone.call[1].ringing, 1, SOON));
	(void)kit_dial_line(&s->phone, &s->other, "95598");
	sip_call_end(s->phone.call[0].call, 0, 16, NULL);
	(void)sip_call_modify(s->board.call[0].call, &s->board.local);
	check(scene_end(s));
}

static const struct check_case cases[] = {
	CHECK_CASE(a_caller_is_answered_and_hangs_up),
	CHECK_CASE(we_hang_up_with_a_cause),
	CHECK_CASE(a_call_ends_before_its_ack),
	CHECK_CASE(a_caller_gives_up_while_it_rings),
	CHECK_CASE(cancel_crosses_the_answer),
	CHECK_CASE(busy_and_nobody),
	CHECK_CASE(early_media_then_answer),
	CHECK_CASE(nobody_answers_in_time),
	CHECK_CASE(hold_and_resume_by_either_side),
	CHECK_CASE(glare_is_settled),
	CHECK_CASE(no_common_codec),
	CHECK_CASE(keys_by_info),
	CHECK_CASE(blind_transfer),
	CHECK_CASE(over_tcp),
	CHECK_CASE(over_ipv6),
	CHECK_CASE(two_hundred_at_once),
	CHECK_CASE(overload_is_told_early),
	CHECK_CASE(an_orderly_end),
	CHECK_CASE(a_hard_end),
};
CHECK_MAIN(cases)
