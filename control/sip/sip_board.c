/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests with real clients: a switchboard whose dialled number says what it shall do, and which
 * prints what happens, one line each. No media: descriptions point nowhere, or from one phone to the
 * other.
 *
 *   100 answer          101 ring, answer after 300 ms   102 busy        103 early media, then answer
 *   104 ring for ever   105 answer, hang up after 1 s   106 answer, hold after 300 ms, resume
 *   1001..1010 the registered phone of that name, joined to the caller
 *
 *   sip_board PORT [SECONDS]     UDP and TCP on 127.0.0.1
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <re.h>

#include "sip/sip_kit.h"

struct leg {
	struct board *board;
	struct sip_call *call;
	struct leg *other;
	struct sip_media local;
	struct tmr tmr;
	int number;
	bool resumed;
};

struct board {
	struct sip_stack *stack;
	struct tmr end;
};

static void leg_free(void *arg)
{
	struct leg *l = arg;

	tmr_cancel(&l->tmr);
	if (l->other)
		l->other->other = NULL;
}

static void say(const struct leg *l, const char *what, int status, int cause)
{
	const struct sip_call_info *i = sip_call_info(l->call);

	printf("%s %s from=%s to=%s status=%d cause=%d\n", what, i->outgoing ? "out" : "in",
	       i->from_user, i->to_user, status, cause);
}

static void answer(void *arg)
{
	struct leg *l = arg;

	if (sip_call_answer(l->call, &l->local) != 0)
		sip_call_end(l->call, 488, 0, NULL);
}

static void hang_up(void *arg)
{
	struct leg *l = arg;

	sip_call_end(l->call, 0, SIP_CAUSE_NORMAL, "time is up");
}

static void hold(void *arg)
{
	struct leg *l = arg;

	l->local.direction = l->resumed ? SIP_SENDRECV : SIP_SENDONLY;
	(void)sip_call_modify(l->call, &l->local);
	if (!l->resumed)
		tmr_start(&l->tmr, 300, hold, l);
	l->resumed = true;
}

/* Our side of one phone is the other phone's media. */
static void mirror(struct leg *l, const struct sip_media *m)
{
	(void)sip_media_local(&l->local, m->ip, m->port);
}

static void answered(struct leg *l, const struct sip_call_event *ev)
{
	say(l, "answered", ev->status, 0);
	if (l->other && sip_call_info(l->call)->outgoing && ev->media) {
		mirror(l->other, ev->media);
		answer(l->other);
	}
	if (l->number == 105)
		tmr_start(&l->tmr, 1000, hang_up, l);
	if (l->number == 106)
		tmr_start(&l->tmr, 300, hold, l);
}

static void on_event(struct sip_call *call, const struct sip_call_event *ev, void *arg)
{
	struct leg *l = arg;

	switch (ev->kind) {
	case SIP_CALL_RINGING:
		say(l, "ringing", ev->status, 0);
		if (l->other)
			(void)sip_call_progress(l->other->call, 180, NULL);
		break;
	case SIP_CALL_EARLY_MEDIA:
		say(l, "early", ev->status, 0);
		break;
	case SIP_CALL_ANSWERED:
		answered(l, ev);
		break;
	case SIP_CALL_MEDIA:
		printf("media %s held=%d by_peer=%d\n", sip_direction_name(ev->media->direction),
		       ev->media->held, ev->by_peer);
		break;
	case SIP_CALL_REFRESHED:
		say(l, "refreshed", 0, 0);
		break;
	case SIP_CALL_MODIFY_FAILED:
		say(l, "modify_failed", ev->status, 0);
		break;
	case SIP_CALL_REFER:
		printf("refer to=%s attended=%d\n", ev->refer->user, ev->refer->attended);
		(void)sip_call_refer_progress(call, 200, "OK");
		break;
	case SIP_CALL_TRANSFER:
		say(l, "transfer", ev->status, 0);
		break;
	case SIP_CALL_DTMF:
		printf("dtmf %c\n", ev->digit);
		break;
	case SIP_CALL_CLOSED:
		say(l, ev->by_peer ? "closed by peer" : "closed by us", ev->status, ev->cause);
		if (l->other)
			sip_call_end(l->other->call, ev->status >= 300 ? ev->status : 0, ev->cause,
				     ev->text);
		mem_deref(l);
		break;
	}
}

static void join(struct leg *in, const char *user)
{
	struct leg *out = mem_zalloc(sizeof(*out), leg_free);
	const struct sip_media *m = sip_call_remote(in->call);
	struct sip_invite inv = {.user = user, .from_user = sip_call_info(in->call)->from_user};

	out->board = in->board;
	tmr_init(&out->tmr);
	if (m)
		mirror(out, m);
	inv.local = &out->local;
	if (m == NULL || sip_call_invite(&out->call, in->board->stack, &inv, on_event, out) != 0) {
		mem_deref(out);
		sip_call_end(in->call, 480, SIP_CAUSE_NO_RESPONSE, "not registered");
		return;
	}
	out->other = in;
	in->other = out;
}

static void on_incoming(void *arg, struct sip_call *call)
{
	struct leg *l = mem_zalloc(sizeof(*l), leg_free);
	const struct sip_call_info *i = sip_call_info(call);

	l->board = arg;
	l->call = call;
	l->number = atoi(i->to_user);
	tmr_init(&l->tmr);
	(void)sip_media_local(&l->local, "127.0.0.1", 9);
	sip_call_attach(call, on_event, l);
	printf("incoming from=%s to=%s auth=%s offer=%d\n", i->from_user, i->to_user, i->auth_user,
	       i->offer);
	switch (l->number) {
	case 101:
		(void)sip_call_progress(call, 180, NULL);
		tmr_start(&l->tmr, 300, answer, l);
		break;
	case 102:
		sip_call_end(call, 486, SIP_CAUSE_BUSY, NULL);
		break;
	case 103:
		(void)sip_call_progress(call, 183, &l->local);
		tmr_start(&l->tmr, 300, answer, l);
		break;
	case 104:
		(void)sip_call_progress(call, 180, NULL);
		break;
	default:
		if (l->number >= 1001 && l->number <= 1010)
			join(l, i->to_user);
		else
			answer(l);
		break;
	}
}

static bool secret(void *arg, const char *user, struct sip_secret *out)
{
	(void)arg;
	return kit_secret(NULL, user, out);
}

static void on_registered(void *arg, const struct sip_registration *r)
{
	(void)arg;
	printf("registered %s %s\n", r->user, sip_transport_name(r->source.transport));
}

static void on_unregistered(void *arg, const struct sip_registration *r)
{
	(void)arg;
	printf("unregistered %s expired=%d\n", r->user, r->expired);
}

static void stop(void *arg)
{
	(void)arg;
	re_cancel();
}

static void on_signal(int sig)
{
	(void)sig;
	re_cancel();
}

int main(int argc, char **argv)
{
	struct board b = {0};
	uint16_t port = (uint16_t)(argc > 1 ? atoi(argv[1]) : 5060);
	struct sip_stack_stats st;
	struct sip_stack_config cfg = {
		.listen = {{.transport = SIP_OVER_UDP, .ip = "127.0.0.1", .port = port},
			   {.transport = SIP_OVER_TCP, .ip = "127.0.0.1", .port = port}},
		.listens = 2,
		.realm = "pb.test",
		.accept_unknown = true,
		.handlers = {.secret = secret,
			     .registered = on_registered,
			     .unregistered = on_unregistered,
			     .incoming = on_incoming,
			     .arg = &b},
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	kit_up();
	tmr_init(&b.end);
	if (argc > 2)
		tmr_start(&b.end, 1000ull * (unsigned)atoi(argv[2]), stop, NULL);

	if (sip_stack_open(&b.stack, &cfg) != 0)
		return 1;
	(void)re_main(on_signal);
	sip_stack_stats(b.stack, &st);
	printf("end calls_in=%llu calls_out=%llu now=%u dialogs=%u registers=%llu overload=%llu\n",
	       (unsigned long long)st.calls_in, (unsigned long long)st.calls_out, st.calls_now,
	       st.dialogs_now, (unsigned long long)st.registers_ok,
	       (unsigned long long)st.refused_overload);
	tmr_cancel(&b.end);
	sip_stack_close(b.stack);
	return kit_down() ? 0 : 1;
}
