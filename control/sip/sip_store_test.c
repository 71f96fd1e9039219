/* SPDX-License-Identifier: Apache-2.0
 *
 * A switchboard that is killed in mid-call and begins anew: its phones notice nothing. And what a disk
 * may have made of what was kept.
 */
#include "sip/sip_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "sip/sip_kit.h"

enum { NOW_MS = 1000000, SOON_MS = 3000 };

static struct kit_line *board, *phone;

static void secure(struct sip_stack_config *cfg)
{
	cfg->limits.session_expires_s = 90;
}

static void begin(void)
{
	kit_up();
	board = calloc(1, sizeof(*board));
	phone = calloc(1, sizeof(*phone));
	check_int(kit_open(board, NULL), 0);
	check_int(kit_open(phone, secure), 0);
}

static void end(void)
{
	kit_close(board);
	kit_close(phone);
	free(board);
	free(phone);
	check(kit_down());
}

/* Over a text, as it lies in a file. */
static json_t *through_text(json_t *o)
{
	char *text = json_dumps(o, 0);
	json_t *back = json_loads(text, 0, NULL);

	json_decref(o);
	free(text);
	return back;
}

/* The board is killed; `call` of it goes on in the next. */
static struct kit_call *killed(struct kit_call *call)
{
	json_t *kept = through_text(sip_call_keep(call->call, NOW_MS));
	struct kit_call *again;

	check(sip_call_kept_runs(kept));
	check_int(kit_restart(board, NULL), 0);
	again = kit_adopt(board, kept, NOW_MS + 500);
	check(again != NULL);
	json_decref(kept);
	return again;
}

/* The phone calls the board; `*far` is the board's side. */
static struct kit_call *phone_calls(struct kit_call **far)
{
	struct kit_call *near = kit_dial_line(phone, board, "95598");

	check(kit_until(&near->answered, 1, SOON_MS));
	*far = kit_last(board);
	check(kit_until(&(*far)->answered, 1, SOON_MS));
	return near;
}

/* The board calls the phone; returns the phone's side. */
static struct kit_call *board_calls(struct kit_call **ours)
{
	*ours = kit_dial_line(board, phone, "1001");
	check(kit_until(&(*ours)->answered, 1, SOON_MS));
	check(kit_until(&kit_last(phone)->answered, 1, SOON_MS));
	return kit_last(phone);
}

static void what_was_said_last_is_not_said_again(void)
{
	struct kit_call *far, *near;
	json_t *kept;

	begin();
	near = board_calls(&far);
	kept = through_text(sip_call_keep(far->call, NOW_MS));
	for (unsigned i = 1; i <= 3; i++) {
		check_int(sip_call_send_dtmf(far->call, '1', 160), 0);
		check(kit_until(&near->dtmf, i, SOON_MS));
	}
	check_int(kit_restart(board, NULL), 0);
	far = kit_adopt(board, kept, NOW_MS);
	json_decref(kept);
	check_int(sip_call_send_dtmf(far->call, '2', 160), 0);
	check(kit_until(&near->dtmf, 4, SOON_MS)); /* not "500 Out of Order" */
	sip_call_end(far->call, 0, 16, NULL);
	check(kit_until(&near->closed, 1, SOON_MS));
	end();
}

static void the_phone_hangs_up(void)
{
	struct kit_call *far, *near;

	begin();
	near = phone_calls(&far);
	far = killed(far);
	check_str(far->info.to_user, "95598");
	check_int(sip_call_remote(far->call)->port, phone->local.port);
	sip_call_end(near->call, 0, 16, "enough");
	check(kit_until(&far->closed, 1, SOON_MS));
	check(far->by_peer);
	check_str(far->text, "enough");
	check(kit_until(&near->closed, 1, SOON_MS));
	end();
}

static void the_board_hangs_up_whoever_called(void)
{
	struct kit_call *far, *near;

	begin();
	near = phone_calls(&far);
	far = killed(far);
	sip_call_end(far->call, 0, 16, "bye");
	check(kit_until(&near->closed, 1, SOON_MS));
	check(near->by_peer);
	check(kit_until(&far->closed, 1, SOON_MS));
	near = board_calls(&far);
	far = killed(far);
	sip_call_end(far->call, 0, 16, "bye");
	check(kit_until(&near->closed, 1, SOON_MS));
	check(near->by_peer);
	end();
}

/* Our origin line in the description: its id and version (RFC 3264, 8). */
static json_int_t origin(const struct kit_call *call, const char *name)
{
	json_t *kept = sip_call_keep(call->call, NOW_MS);
	json_int_t n = json_integer_value(json_object_get(json_object_get(kept, "sdp"), name));

	json_decref(kept);
	return n;
}

/* Offers both ways, keys and session refresh, in a dialog of each direction, twice killed. */
static void everything_inside_the_call_goes_on(void)
{
	for (int outgoing = 0; outgoing < 2; outgoing++) {
		struct kit_call *far, *near;
		struct sip_media m;
		json_int_t id, version;

		begin();
		near = outgoing ? board_calls(&far) : phone_calls(&far);
		id = origin(far, "id");
		version = origin(far, "version");
		check(id != 0 && version != 0);
		far = killed(far);
		far = killed(far); /* and nothing changed meanwhile */
		m = phone->local;
		m.direction = SIP_SENDONLY;
		check_int(sip_call_modify(near->call, &m), 0);
		check(kit_until(&far->media, 1, SOON_MS));
		check(far->remote.held || far->remote.direction == SIP_RECVONLY);
		check(kit_until(&near->media, 1, SOON_MS));
		check_int(near->failed, 0);
		m = board->local;
		m.port = 31000;
		check_int(sip_call_modify(far->call, &m), 0);
		check(kit_until(&near->media, 2, SOON_MS));
		check_int(near->remote.port, 31000);
		check_int(origin(far, "id"), id);
		check_int(origin(far, "version"), version + 2); /* an answer and an offer */
		check(kit_until(&far->media, 2, SOON_MS));
		check_int(sip_call_send_dtmf(near->call, '5', 160), 0);
		check(kit_until(&far->dtmf, 1, SOON_MS));
		check_int(sip_call_send_dtmf(far->call, '7', 160), 0);
		check(kit_until(&near->dtmf, 1, SOON_MS));
		far = killed(far);
		sip_call_end(outgoing ? near->call : far->call, 0, 16, NULL);
		check(kit_until(&near->closed, 1, SOON_MS));
		check(kit_until(&far->closed, 1, SOON_MS));
		end();
	}
}

/* Who refreshes goes on refreshing, and a timer that fell due meanwhile is done at once. */
static void the_session_timer_goes_on(void)
{
	struct kit_call *far, *near;
	json_t *kept;

	begin();
	near = board_calls(&far);
	kept = through_text(sip_call_keep(far->call, NOW_MS));
	check(json_is_true(json_object_get(kept, "we_refresh")));
	check_int(json_integer_value(json_object_get(kept, "session_s")), 1800);
	check(json_integer_value(json_object_get(kept, "session_at_ms")) > NOW_MS + 800000);
	check_int(kit_restart(board, NULL), 0);
	far = kit_adopt(board, kept, NOW_MS + 2000000);
	json_decref(kept);
	check(far != NULL);
	check(kit_until(&near->refreshed, 1, 8000));
	check(kit_until(&far->refreshed, 1, SOON_MS));
	sip_call_end(near->call, 0, 16, NULL);
	check(kit_until(&far->closed, 1, SOON_MS));
	end();
}

static void who_was_rung_is_let_go(void)
{
	struct kit_call *far, *near;
	json_t *kept;

	begin();
	phone->mood = KIT_RING;
	far = kit_dial_line(board, phone, "1001");
	check(kit_until(&far->ringing, 1, SOON_MS));
	near = kit_last(phone);
	kept = through_text(sip_call_keep(far->call, NOW_MS));
	check(!sip_call_kept_runs(kept));
	check_int(kit_restart(board, NULL), 0);
	check(kit_adopt(board, kept, NOW_MS) == NULL);
	sip_call_renounce(board->stack, kept, SIP_CAUSE_NORMAL, "restart");
	json_decref(kept);
	check(kit_until(&near->closed, 1, SOON_MS));
	check_int(near->status, 487);
	end();
}

/* The phone is answered at the very moment of the CANCEL: confirmed, and hung up. */
static void an_answer_that_crosses_is_hung_up(void)
{
	struct kit_call *far, *near;
	json_t *kept;

	begin();
	phone->mood = KIT_RING;
	far = kit_dial_line(board, phone, "1001");
	check(kit_until(&far->ringing, 1, SOON_MS));
	near = kit_last(phone);
	kept = through_text(sip_call_keep(far->call, NOW_MS));
	check_int(kit_restart(board, NULL), 0);
	sip_call_renounce(board->stack, kept, SIP_CAUSE_NORMAL, "restart");
	check_int(sip_call_answer(near->call, &phone->local), 0);
	json_decref(kept);
	check(kit_until(&near->closed, 1, SOON_MS));
	check(near->by_peer);
	end();
}

static void a_caller_who_was_not_answered_is_refused(void)
{
	struct kit_call *near;
	json_t *kept;

	begin();
	board->mood = KIT_RING;
	near = kit_dial_line(phone, board, "95598");
	check(kit_until(&near->ringing, 1, SOON_MS));
	kept = through_text(sip_call_keep(kit_last(board)->call, NOW_MS));
	check(!sip_call_kept_runs(kept));
	check_int(kit_restart(board, NULL), 0);
	sip_call_renounce(board->stack, kept, SIP_CAUSE_CONGESTION, "restart");
	json_decref(kept);
	check(kit_until(&near->closed, 1, SOON_MS));
	check_int(near->status, 503);
	end();
}

static void over_tcp_the_phone_is_found_again(void)
{
	struct kit_call *far, *near;
	char uri[96];
	struct sip_invite inv = {.uri = uri, .from_user = "1001", .from_host = "far.test"};

	begin();
	snprintf(uri, sizeof(uri), "sip:95598@127.0.0.1:%u;transport=tcp", board->port[1]);
	near = kit_dial(phone, &inv);
	check(near != NULL);
	check(kit_until(&near->answered, 1, SOON_MS));
	far = kit_last(board);
	check(kit_until(&far->answered, 1, SOON_MS));
	check_int(far->info.peer.transport, SIP_OVER_TCP);
	far = killed(far);
	check_int(sip_call_send_dtmf(far->call, '1', 160), 0);
	check(kit_until(&near->dtmf, 1, SOON_MS));
	check_int(sip_call_send_dtmf(near->call, '2', 160), 0);
	check(kit_until(&far->dtmf, 1, SOON_MS));
	sip_call_end(far->call, 0, 16, NULL);
	check(kit_until(&near->closed, 1, SOON_MS));
	end();
}

/* Keys are in no text that is kept, and the first offer brings new ones, both ways. */
static void keys_are_not_kept(void)
{
	struct kit_call *far, *near;
	json_t *kept;
	char *text, receive[SIP_SRTP_KEY_MAX], send[SIP_SRTP_KEY_MAX];

	begin();
	phone->local.srtp = SIP_SRTP_REQUIRED;
	board->local.srtp = SIP_SRTP_REQUIRED;
	near = phone_calls(&far);
	check(sip_call_remote(far->call)->srtp_agreed != 0);
	memcpy(receive, sip_call_remote(far->call)->srtp_receive, sizeof(receive));
	memcpy(send, sip_call_remote(far->call)->srtp_send, sizeof(send));
	kept = sip_call_keep(far->call, NOW_MS);
	text = json_dumps(kept, 0);
	check(strlen(receive) > 20 && strlen(send) > 20);
	check(strstr(text, receive) == NULL && strstr(text, send) == NULL);
	check(strstr(text, "inline:AAAA") != NULL);
	free(text);
	json_decref(kept);
	far = killed(far);
	check(sip_call_remote(far->call)->srtp_agreed != 0);
	check_str(sip_call_remote(far->call)->srtp_send, "");
	check_str(sip_call_remote(far->call)->srtp_receive, "");
	check_int(sip_call_modify(near->call, &phone->local), 0);
	check(kit_until(&far->media, 1, SOON_MS));
	check_str(far->remote.srtp_receive, receive); /* the phone's own is as it was */
	check(strlen(far->remote.srtp_send) > 20 && strcmp(far->remote.srtp_send, send) != 0);
	check(kit_until(&near->media, 1, SOON_MS));
	check_str(near->remote.srtp_receive, far->remote.srtp_send);
	far = killed(far);
	check_int(sip_call_modify(far->call, &board->local), 0);
	check(kit_until(&near->media, 2, SOON_MS));
	check(kit_until(&far->media, 1, SOON_MS));
	check_str(near->remote.srtp_receive, far->remote.srtp_send);
	check_str(near->remote.srtp_send, far->remote.srtp_receive);
	sip_call_end(near->call, 0, 16, NULL);
	check(kit_until(&far->closed, 1, SOON_MS));
	end();
}

static void bindings_are_taken_back(void)
{
	struct registrar_contact c = {.uri = "sip:1001@127.0.0.1:5070",
				      .source = {"127.0.0.1", 5070, SIP_OVER_UDP},
				      .q = 1.0f,
				      .expires_s = 60},
				 got;
	struct registrar *r;

	begin();
	r = sip_stack_registrar(board->stack);
	check_int(registrar_kept(r, "1001", &c), 0);
	check_int(registrar_kept(r, "1001", &c), -EINVAL); /* it is here already */
	check_int(registrar_lookup(r, "1001", &got, 1), 1);
	check_str(got.uri, c.uri);
	check_int(got.expires_s, 60);
	strcpy(c.uri, "sip:1001@127.0.0.1:5071;transport=tcp");
	c.source.transport = SIP_OVER_TCP;
	c.source.port = 40000;
	c.by_source = true;
	check_int(registrar_kept(r, "1001", &c), 0);
	check_int(registrar_lookup(r, "1001", &got, 1), 1);
	check(!got.by_source); /* there is no such connection any more */
	strcpy(c.uri, "sip:1001@192.0.2.1:5071;transport=tcp");
	check_int(registrar_kept(r, "1001", &c), -ENOTCONN);
	c.source.transport = SIP_OVER_UDP;
	strcpy(c.uri, "mailto:x");
	check_int(registrar_kept(r, "1001", &c), -EINVAL);
	strcpy(c.uri, "sip:1001@127.0.0.1:5072");
	c.expires_s = 0;
	check_int(registrar_kept(r, "1001", &c), -EINVAL);
	c.expires_s = 999999;
	check_int(registrar_kept(r, "1001", &c), -EINVAL);
	c.expires_s = 60;
	strcpy(c.source.ip, "not an address");
	check_int(registrar_kept(r, "1001", &c), -EINVAL);
	end();
}

/* Every member, at every depth, in turn: gone, of another type, too long, with the end of a header in it. */
static unsigned spoil(json_t *whole, json_t *at)
{
	static const char *const bad[] = {"null",
					  "7",
					  "-1",
					  "[]",
					  "{}",
					  "\"\"",
					  "[\"0d0a\"]",
					  "\"a\\r\\nEvil: yes\"",
					  "99999999999999"};
	char *huge = malloc(100001);
	unsigned refused = 0;
	const char *key;
	json_t *value;
	void *next;

	memset(huge, 'x', 100000);
	huge[100000] = '\0';
	for (void *i = json_object_iter(at); i != NULL; i = next) {
		key = json_object_iter_key(i);
		value = json_incref(json_object_iter_value(i));
		next = json_object_iter_next(at, i);
		for (size_t k = 0; k <= sizeof(bad) / sizeof(bad[0]); k++) {
			struct kit_call *c;

			json_object_set_new(at, key,
					    k < sizeof(bad) / sizeof(bad[0])
						    ? json_loads(bad[k], JSON_DECODE_ANY, NULL)
						    : json_string(huge));
			c = kit_adopt(board, whole, NOW_MS);
			if (c == NULL)
				refused++;
			sip_call_renounce(board->stack, whole, 16, "spoilt");
			check_int(kit_restart(board, NULL), 0);
		}
		json_object_set(at, key, value);
		if (json_is_object(value))
			refused += spoil(whole, value);
		json_decref(value);
		next = json_object_iter_next(at, json_object_iter_at(at, key));
	}
	free(huge);
	return refused;
}

static void what_a_disk_has_spoilt_is_refused(void)
{
	struct kit_call *far, *near;
	json_t *kept;

	begin();
	near = phone_calls(&far);
	kept = through_text(sip_call_keep(far->call, NOW_MS));
	phone->mood = KIT_IGNORE;
	check_int(kit_restart(board, NULL), 0);
	sip_stack_close(phone->stack); /* nobody answers the BYEs to come */
	phone->stack = NULL;
	(void)near;
	check(spoil(kept, kept) > 100);
	check(kit_adopt(board, kept, NOW_MS) != NULL);
	check(kit_adopt(board, kept, NOW_MS) == NULL); /* not twice */
	check(kit_adopt(board, NULL, NOW_MS) == NULL);
	json_decref(kept);
	end();
}

static const struct check_case cases[] = {
	CHECK_CASE(the_phone_hangs_up),
	CHECK_CASE(the_board_hangs_up_whoever_called),
	CHECK_CASE(everything_inside_the_call_goes_on),
	CHECK_CASE(what_was_said_last_is_not_said_again),
	CHECK_CASE(the_session_timer_goes_on),
	CHECK_CASE(who_was_rung_is_let_go),
	CHECK_CASE(an_answer_that_crosses_is_hung_up),
	CHECK_CASE(a_caller_who_was_not_answered_is_refused),
	CHECK_CASE(over_tcp_the_phone_is_found_again),
	CHECK_CASE(keys_are_not_kept),
	CHECK_CASE(bindings_are_taken_back),
	CHECK_CASE(what_a_disk_has_spoilt_is_refused),
};
CHECK_MAIN(cases)
