/* SPDX-License-Identifier: Apache-2.0
 *
 * Registration, digest, and calls to registered phones.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <re.h>

#include "check.h"
#include "sip/sip_kit.h"
#include "sip/sip_priv.h"

enum { SOON = 2000 };

struct scene {
	struct kit_line board, phone, other;
	struct kit_wire wire;
	struct sipreg *reg[4];
	int status[4];
};

static void strict(struct sip_stack_config *cfg)
{
	cfg->limits.expires_min_s = 1;
	cfg->limits.contacts_max = 2;
	cfg->limits.failures_user = 3;
	cfg->limits.failures_source = 20;
}

static struct scene *scene_new(void (*change)(struct sip_stack_config *cfg))
{
	struct scene *s = calloc(1, sizeof(*s));

	kit_up();
	(void)kit_open(&s->board, change);
	(void)kit_open(&s->phone, NULL);
	(void)kit_open(&s->other, NULL);
	(void)kit_wire_open(&s->wire);
	return s;
}

static bool scene_end(struct scene *s)
{
	bool clean;

	for (size_t i = 0; i < 4; i++)
		s->reg[i] = mem_deref(s->reg[i]);
	kit_wait(20);
	kit_wire_close(&s->wire);
	kit_close(&s->board);
	kit_close(&s->phone);
	kit_close(&s->other);
	clean = kit_down();
	free(s);
	return clean;
}

static bool has_status(void *arg)
{
	return *(const int *)arg != 0;
}

static bool wait_status(int *status)
{
	return kit_run(has_status, status, SOON);
}

static void a_phone_registers_and_leaves(void)
{
	struct scene *s = scene_new(strict);
	struct registrar_contact c[4];

	check_int(kit_register(&s->reg[0], &s->phone, &s->board, "1001", "pw-1001", 60, false,
			       &s->status[0]),
		  0);
	check(wait_status(&s->status[0]));
	check_int(s->status[0], 200);
	check_int(s->board.registered, 1);

	struct registrar *r = sip_stack_registrar(s->board.stack);

	check_int(registrar_lookup(r, "1001", c, 4), 1);
	check(strncmp(c[0].uri, "sip:1001", 8) == 0);
	check_int(c[0].source.port, s->phone.port[0]);
	check(c[0].expires_s > 55 && c[0].expires_s <= 60);
	check_int(registrar_lookup(r, "1002", c, 4), 0);

	/* Taking the client away sends Expires: 0. */
	s->reg[0] = mem_deref(s->reg[0]);
	check(kit_until(&s->board.unregistered, 1, SOON));
	check_int(s->board.expired, 0);
	check_int(registrar_lookup(r, "1001", c, 4), 0);
	check(scene_end(s));
}

static void a_wrong_password_and_a_stranger_look_the_same(void)
{
	struct scene *s = scene_new(strict);

	(void)kit_register(&s->reg[0], &s->phone, &s->board, "1001", "guess", 60, false,
			   &s->status[0]);
	check(wait_status(&s->status[0]));
	(void)kit_register(&s->reg[1], &s->phone, &s->board, "1999", "guess", 60, false,
			   &s->status[1]);
	check(wait_status(&s->status[1]));
	/* libre's client tries the same password again and again; in the end it is shut out. */
	check_int(s->status[0], 403);
	check_int(s->status[1], 403);
	check_int(s->board.registered, 0);

	struct sip_stack_stats st;

	sip_stack_stats(s->board.stack, &st);
	check_int(st.refused_auth, 6);
	check_int(st.refused_blocked, 2);
	check(scene_end(s));
}

static void guessing_is_blocked_but_a_known_phone_is_not(void)
{
	struct scene *s = scene_new(strict);
	struct sip_stack_stats st;

	(void)kit_register(&s->reg[0], &s->phone, &s->board, "1001", "pw-1001", 60, false,
			   &s->status[0]);
	check(wait_status(&s->status[0]));
	check_int(s->status[0], 200);

	/* Somebody at the same address guesses at 1001. */
	(void)kit_register(&s->reg[1], &s->other, &s->board, "1001", "guess", 60, false,
			   &s->status[1]);
	check(wait_status(&s->status[1]));
	check_int(s->status[1], 403);
	sip_stack_stats(s->board.stack, &st);
	check_int(st.refused_auth, 3);
	check_int(st.refused_blocked, 1);

	/* The real phone refreshes from where it always was. */
	s->reg[0] = mem_deref(s->reg[0]);
	check(kit_until(&s->board.unregistered, 1, SOON));
	check(scene_end(s));
}

/* What a phone that knows its password writes: RFC 7616, computed here once more, by hand. */
static void sign(char *out, size_t size, const char *method, const char *user, const char *nonce,
		 bool sha)
{
	const EVP_MD *md = sha ? EVP_sha256() : EVP_md5();
	char a1[128], a2[128], a3[512], h1[65], h2[65], h3[65];
	const char *in[3] = {a1, a2, a3};
	char *hex[3] = {h1, h2, h3};

	(void)re_snprintf(a1, sizeof(a1), "%s:pb.test:pw-%s", user, user);
	(void)re_snprintf(a2, sizeof(a2), "%s:sip:pb.test", method);
	for (int i = 0; i < 3; i++) {
		uint8_t sum[32];
		unsigned len = 0;

		if (i == 2)
			(void)re_snprintf(a3, sizeof(a3), "%s:%s:00000001:cn:auth:%s", h1, nonce,
					  h2);
		(void)EVP_Digest(in[i], strlen(in[i]), sum, &len, md, NULL);
		(void)re_snprintf(hex[i], 65, "%w", sum, (size_t)len);
	}
	(void)re_snprintf(out, size,
			  "Authorization: Digest username=\"%s\", realm=\"pb.test\", nonce=\"%s\", "
			  "uri=\"sip:pb.test\", algorithm=%s, qop=auth, nc=00000001, "
			  "cnonce=\"cn\", response=\"%s\"\n",
			  user, nonce, sha ? "SHA-256" : "MD5", h3);
}

static void wire_register(struct scene *s, const char *user, int cseq, const char *lines)
{
	char message[2048];

	(void)re_snprintf(message, sizeof(message),
			  "REGISTER sip:pb.test SIP/2.0\n"
			  "Via: SIP/2.0/UDP 127.0.0.1:@PORT@;rport;branch=z9hG4bK%d\n"
			  "From: <sip:%s@pb.test>;tag=a\nTo: <sip:%s@pb.test>\n"
			  "Call-ID: wire\nCSeq: %d REGISTER\n%sContent-Length: 0\n\n",
			  cseq, user, user, cseq, lines);
	kit_wire_forget(&s->wire);
	kit_wire_send(&s->wire, s->board.port[0], message);
}

/* Returns true when the board said 401 and gave a nonce. */
static bool wire_nonce(struct scene *s, char *nonce, size_t size)
{
	const char *n;

	if (!kit_wire_gets(&s->wire, "401 Unauthorized", SOON) ||
	    (n = strstr(s->wire.got, "nonce=\"")) == NULL)
		return false;
	n += 7;
	(void)re_snprintf(nonce, size, "%b", n, (size_t)(strchr(n, '"') - n));
	return true;
}

static void wire_register_signed(struct scene *s, const char *user, int cseq, const char *nonce,
				 bool sha, const char *lines)
{
	char auth[1024], all[2048];

	sign(auth, sizeof(auth), "REGISTER", user, nonce, sha);
	(void)re_snprintf(all, sizeof(all), "%s%s", auth, lines);
	wire_register(s, user, cseq, all);
}

static void a_binding_expires(void)
{
	struct scene *s = scene_new(strict);
	char nonce[64];

	wire_register(s, "1001", 1, "");
	check(wire_nonce(s, nonce, sizeof(nonce)));
	check(strstr(s->wire.got, "algorithm=MD5") != NULL);
	check(strstr(s->wire.got, "SHA-256") == NULL);
	wire_register_signed(s, "1001", 2, nonce, false,
			     "Contact: <sip:1001@127.0.0.1>;expires=1\n");
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(strstr(s->wire.got, "Contact: <sip:1001@127.0.0.1>;expires=1") != NULL);
	check(kit_until(&s->board.expired, 1, 3000));
	check_int(s->board.unregistered, 1);
	check(scene_end(s));
}

/* Seen with a thousand phones behind one address: two in one millisecond got the same nonce, and the
 * second was taken for a replay of the first. */
static void two_phones_in_one_millisecond(void)
{
	struct scene *s = scene_new(NULL);
	const char *first, *second;

	wire_register(s, "1001", 1, "");
	kit_wire_send(
		&s->wire, s->board.port[0],
		"REGISTER sip:pb.test SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:@PORT@;branch=z9hG4bKz\n"
		"From: <sip:1002@pb.test>;tag=a\nTo: <sip:1002@pb.test>\nCall-ID: second\n"
		"CSeq: 1 REGISTER\nContent-Length: 0\n\n");
	check(kit_until(&s->wire.messages, 2, SOON));
	first = strstr(s->wire.got, "nonce=\"");
	second = first ? strstr(first + 1, "nonce=\"") : NULL;
	check(second != NULL);
	/* cppcheck-suppress nullPointer; check() does not come back */
	check(strncmp(first, second, 7 + 48) != 0);
	check(scene_end(s));
}

static void nonces_grow_old(void)
{
	struct scene *s = scene_new(NULL);
	char nonce[64];

	wire_register(s, "1001", 1, "");
	check(wire_nonce(s, nonce, sizeof(nonce)));
	sip_digest_skip_ms(s->board.stack->digest, 301000);
	wire_register_signed(s, "1001", 2, nonce, false, "Contact: <sip:1001@127.0.0.1>\n");
	check(kit_wire_gets(&s->wire, "stale=true", SOON));
	check(scene_end(s));
}

/* Proving to be one user does not give another's number; a stump of an answer proves nothing. */
static void nobody_registers_for_another(void)
{
	struct scene *s = scene_new(NULL);
	char nonce[64], auth[1024], *response;

	wire_register(s, "1001", 1, "");
	check(wire_nonce(s, nonce, sizeof(nonce)));
	sign(auth, sizeof(auth), "REGISTER", "1002", nonce, false);
	wire_register(s, "1001", 2, auth);
	check(kit_wire_gets(&s->wire, "403 Not Your Number", SOON));

	static const char *const stump[] = {"response=\"\"\n", "response=\"0\"\n"};

	for (int i = 0; i < 2; i++) {
		wire_register(s, "1001", 3 + 2 * i, "");
		check(wire_nonce(s, nonce, sizeof(nonce)));
		sign(auth, sizeof(auth), "REGISTER", "1001", nonce, false);
		response = strstr(auth, "response=");
		(void)strcpy(response, stump[i]);
		wire_register(s, "1001", 4 + 2 * i, auth);
		check(kit_wire_gets(&s->wire, "401 Unauthorized", SOON));
		check(strstr(s->wire.got, "stale") == NULL);
	}
	check_int(s->board.registered, 0);
	check(scene_end(s));
}

/* RFC 3261, 10.3, 7: an older CSeq of the same Call-ID comes too late to change anything. */
static void late_news_is_no_news(void)
{
	struct scene *s = scene_new(NULL);
	char nonce[64];

	for (int cseq = 20; cseq >= 10; cseq -= 10) {
		wire_register(s, "1001", cseq - 1, "");
		check(wire_nonce(s, nonce, sizeof(nonce)));
		wire_register_signed(s, "1001", cseq, nonce, false,
				     cseq == 20 ? "Contact: <sip:1001@127.0.0.1>\n"
						: "Contact: <sip:1001@127.0.0.1>;expires=0\n");
		check(kit_wire_gets(&s->wire, cseq == 20 ? "200 OK" : "500 Out of Order", SOON));
	}
	check_int(s->board.unregistered, 0);
	check(scene_end(s));
}

static void contacts_that_cannot_be(void)
{
	static const struct {
		const char *lines, *answer;
	} row[] = {
		{"Contact: <sip:1001@127.0.0.1>;expires=5\n", "423 Interval Too Brief"},
		{"Contact: *\n", "400 Bad Contact"},
		{"Contact: *\nContact: <sip:1@1.1.1.1>\nExpires: 0\n", "400 Bad Contact"},
		{"Contact: <mailto:a@b>\n", "400 Bad Contact"},
		{"Contact: <sip:>\n", "400 Bad Contact"},
		{"Contact: <sip:1001@127.0.0.1>;expires=99999999999999\n", "200 OK"},
		{"Contact: *\nExpires: 0\n", "200 OK"},
		{"", "200 OK"}, /* a query */
	};
	struct scene *s = scene_new(NULL);
	char nonce[64];
	int cseq = 1;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		wire_register(s, "1001", cseq++, "");
		check(wire_nonce(s, nonce, sizeof(nonce)));
		wire_register_signed(s, "1001", cseq++, nonce, false, row[i].lines);
		check(kit_wire_gets(&s->wire, row[i].answer, SOON));
	}
	check(strstr(s->wire.got, "Contact:") == NULL);
	check_int(s->board.registered, 1);
	check_int(s->board.unregistered, 1);
	check(scene_end(s));
}

/* A user may have so many phones; the oldest gives way. */
static void too_many_phones(void)
{
	struct scene *s = scene_new(strict);
	struct registrar_contact c[4];
	char nonce[64], lines[128];
	int cseq = 1;

	for (int i = 1; i <= 3; i++) {
		wire_register(s, "1001", cseq++, "");
		check(wire_nonce(s, nonce, sizeof(nonce)));
		(void)re_snprintf(lines, sizeof(lines), "Contact: <sip:1001@10.0.0.%d>;q=0.%d\n", i,
				  i);
		wire_register_signed(s, "1001", cseq++, nonce, false, lines);
		check(kit_wire_gets(&s->wire, "200 OK", SOON));
		kit_wait(5);
	}
	check_int(registrar_lookup(sip_stack_registrar(s->board.stack), "1001", c, 4), 2);
	check_str(c[0].uri, "sip:1001@10.0.0.3"); /* the best q first */
	check_str(c[1].uri, "sip:1001@10.0.0.2");
	check(scene_end(s));
}

static void every_phone_of_a_user_rings(void)
{
	struct scene *s = scene_new(NULL);

	(void)kit_register(&s->reg[0], &s->phone, &s->board, "1001", "pw-1001", 60, false,
			   &s->status[0]);
	(void)kit_register(&s->reg[1], &s->other, &s->board, "1001", "pw-1001", 60, true,
			   &s->status[1]);
	check(wait_status(&s->status[0]));
	check(wait_status(&s->status[1]));
	check_int(s->status[1], 200);
	struct registrar_contact c[4];

	/* UDP on its own address by its Contact, TCP by its own connection. */
	check_int(registrar_lookup(sip_stack_registrar(s->board.stack), "1001", c, 4), 2);
	for (int i = 0; i < 2; i++)
		check_int(c[i].by_source, c[i].source.transport == SIP_OVER_TCP);

	s->phone.mood = KIT_RING;
	s->other.mood = KIT_RING;

	struct sip_invite inv = {
		.user = "1001", .from_user = "95598", .from_display = "Sales \"1\""};
	struct kit_call *k = kit_dial(&s->board, &inv);

	check(k != NULL);
	check(kit_until(&k->ringing, 2, SOON));
	check_str(kit_last(&s->phone)->info.from_display, "Sales 1");
	check_str(kit_last(&s->phone)->info.from_user, "95598");
	check_int(kit_last(&s->other)->info.peer.transport, SIP_OVER_TCP);

	/* The second phone is quicker: the first is cancelled. */
	check_int(sip_call_answer(kit_last(&s->other)->call, &s->other.local), 0);
	check(kit_until(&k->answered, 1, SOON));
	check(kit_until(&kit_last(&s->phone)->closed, 1, SOON));
	check_int(kit_last(&s->phone)->status, 487);
	check_int(k->remote.port, s->other.local.port);

	/* In-dialog requests use the phone's own connection. */
	sip_call_end(k->call, 0, 16, NULL);
	check(kit_until(&kit_last(&s->other)->closed, 1, SOON));
	check_int(kit_last(&s->other)->cause, 16);
	check(kit_until(&k->closed, 1, SOON));

	/* One refuses for good: the other one stops, too. */
	k = kit_dial(&s->board, &inv);
	check(kit_until(&k->ringing, 2, SOON));
	sip_call_end(kit_last(&s->phone)->call, 603, 21, "not today");
	check(kit_until(&k->closed, 1, SOON));
	check_int(k->status, 603);
	check_int(k->cause, 21);
	check_str(k->text, "not today");

	/* One is busy: the other may still answer. */
	s->phone.mood = KIT_BUSY;
	k = kit_dial(&s->board, &inv);
	check(kit_until(&k->ringing, 1, SOON));
	check_int(sip_call_answer(kit_last(&s->other)->call, &s->other.local), 0);
	check(kit_until(&k->answered, 1, SOON));

	inv.user = "1002";
	check(kit_dial(&s->board, &inv) == NULL);
	check(scene_end(s));
}

static void an_agent_calls_in_and_must_prove_it(void)
{
	struct scene *s = scene_new(NULL);
	char uri[64];
	struct sip_invite inv = {.uri = uri, .from_user = "1001", .from_host = "pb.test"};

	(void)re_snprintf(uri, sizeof(uri), "sip:*11@127.0.0.1:%u", (unsigned)s->board.port[0]);

	struct kit_call *k = kit_dial(&s->phone, &inv);

	check(kit_until(&k->closed, 1, SOON));
	check_int(k->status, 401);

	inv.auth_user = "1001";
	inv.auth_password = "wrong";
	k = kit_dial(&s->phone, &inv);
	check(kit_until(&k->closed, 1, SOON));
	check_int(k->status, 401);

	inv.auth_user = "1002";
	inv.auth_password = "pw-1002";
	k = kit_dial(&s->phone, &inv);
	check(kit_until(&k->closed, 1, SOON));
	check_int(k->status, 403);
	check_int(s->board.calls, 0);

	inv.auth_user = "1001";
	inv.auth_password = "pw-1001";
	k = kit_dial(&s->phone, &inv);
	check(kit_until(&k->answered, 1, SOON));
	check_str(kit_last(&s->board)->info.auth_user, "1001");
	check_str(kit_last(&s->board)->info.to_user, "*11");
	sip_call_end(kit_last(&s->board)->call, 0, 16, NULL);
	check(kit_until(&k->closed, 1, SOON));
	check(scene_end(s));
}

static void closed_to_strangers(struct sip_stack_config *cfg)
{
	cfg->accept_unknown = false;
}

static void trunk_here(struct sip_stack_config *cfg)
{
	cfg->accept_unknown = false;
	cfg->trunk[0] = "carrier.example"; /* passed over, with a warning */
	cfg->trunk[1] = "127.0.0.1";
	cfg->trunks = 2;
}

static void strangers_come_in_only_where_they_may(void)
{
	struct scene *s = scene_new(closed_to_strangers);
	struct kit_call *k = kit_dial_line(&s->phone, &s->board, "95598");

	check(kit_until(&k->closed, 1, SOON));
	check_int(k->status, 403);
	kit_close(&s->board);
	check_int(kit_open(&s->board, trunk_here), 0);

	char uri[64];
	struct sip_invite inv = {
		.uri = uri,
		.from_user = "anonymous",
		.from_host = "anonymous.invalid",
		.headers = "P-Asserted-Identity: <sip:+862055512345@far.test>\r\n"
			   "Diversion: <sip:4000@far.test>;reason=unconditional\r\n",
	};

	(void)re_snprintf(uri, sizeof(uri), "sip:95598@127.0.0.1:%u", (unsigned)s->board.port[0]);
	k = kit_dial(&s->phone, &inv);
	check(kit_until(&k->answered, 1, SOON));

	const struct sip_call_info *i = &kit_last(&s->board)->info;

	check(i->trunk);
	check(i->anonymous);
	check_str(i->asserted, "+862055512345");
	check_str(i->diverted, "4000");
	check(scene_end(s));
}

/* Two phones talk to the board; one asks to join the other call: both are ours. */
static void attended_transfer_finds_the_other_call(void)
{
	struct scene *s = scene_new(NULL);
	struct kit_call *a = kit_dial_line(&s->phone, &s->board, "1"), *b;
	char uri[SIP_URI_MAX];

	check(kit_until(&a->answered, 1, SOON));

	struct kit_call *first = kit_last(&s->board);

	b = kit_dial_line(&s->phone, &s->board, "2");
	check(kit_until(&b->answered, 1, SOON));

	struct kit_call *second = kit_last(&s->board);

	check(kit_until(&second->answered, 1, SOON));
	(void)re_snprintf(uri, sizeof(uri),
			  "sip:2@pb.test?Replaces=%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3D%s",
			  b->call->dlg->call_id, b->call->dlg->rtag, b->call->dlg->ltag);
	check_int(sip_call_transfer(a->call, uri), 0);
	check(kit_until(&first->refer, 1, SOON));
	check(first->refer_attended);
	check(first->refer_with == second->call);
	check_str(first->refer_user, "2");
	check(scene_end(s));
}

static void both_digests(struct sip_stack_config *cfg)
{
	cfg->offer_sha256 = true;
}

static void sha256_is_accepted(void)
{
	struct scene *s = scene_new(both_digests);
	char nonce[64];

	wire_register(s, "1003", 1, "");
	check(wire_nonce(s, nonce, sizeof(nonce)));
	check(strstr(s->wire.got, "algorithm=SHA-256") != NULL);
	check(strstr(s->wire.got, "algorithm=MD5") != NULL);
	wire_register_signed(s, "1003", 2, nonce, true, "Contact: <sip:1003@10.0.0.9:5060>\n");
	check(kit_wire_gets(&s->wire, "200 OK", SOON));

	/* The same nonce count again is a replay. */
	wire_register_signed(s, "1003", 3, nonce, true, "Contact: <sip:1003@10.0.0.9:5060>\n");
	check(kit_wire_gets(&s->wire, "stale=true", SOON));
	check(scene_end(s));
}

/* Its Contact leads nowhere: it is reached where it came from. */
static void pinged_each_second(struct sip_stack_config *cfg)
{
	cfg->limits.keepalive_s = 1;
}

static void a_phone_behind_nat_is_reached(void)
{
	struct scene *s = scene_new(pinged_each_second);
	struct sip_invite inv = {.user = "1003", .from_user = "1"};
	struct registrar_contact c[2];
	char nonce[64];

	wire_register(s, "1003", 1, "");
	check(wire_nonce(s, nonce, sizeof(nonce)));
	wire_register_signed(s, "1003", 2, nonce, false, "Contact: <sip:1003@10.0.0.9:5060>\n");
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check_int(registrar_lookup(sip_stack_registrar(s->board.stack), "1003", c, 2), 1);
	check(c[0].by_source);
	check_int(c[0].source.port, s->wire.port);
	kit_wire_forget(&s->wire);
	check(kit_wire_gets(&s->wire, "\r\n\r\n", 1200));
	check_int(s->wire.len, 4);
	check(kit_dial(&s->board, &inv) != NULL);
	check(kit_wire_gets(&s->wire, "INVITE sip:1003@10.0.0.9:5060 SIP/2.0", SOON));
	check_int(registrar_remove(sip_stack_registrar(s->board.stack), "1003"), 1);
	check_int(s->board.unregistered, 1);
	check(scene_end(s));
}

/* Behind an edge proxy: what it wrote into Path is the way back, through all that it names (RFC 3327). */
static void a_phone_behind_a_proxy(void)
{
	struct scene *s = scene_new(NULL);
	struct sip_invite inv = {.user = "1003", .from_user = "1"};
	char nonce[64], lines[1200];
	struct registrar_contact c[2];

	wire_register(s, "1003", 1, "");
	check(wire_nonce(s, nonce, sizeof(nonce)));
	(void)re_snprintf(
		lines, sizeof(lines),
		"Contact: <sip:1003@10.0.0.9:5060>\nSupported: path\nRequire: path\n"
		"Path: <sip:127.0.0.1:%u;lr;ob>, <sip:inner.test;lr>\nPath: <sip:last.test>\n",
		s->wire.port);
	wire_register_signed(s, "1003", 2, nonce, false, lines);
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(strstr(s->wire.got, ";lr;ob>, <sip:inner.test;lr>, <sip:last.test>\r\n") != NULL);
	check_int(registrar_lookup(sip_stack_registrar(s->board.stack), "1003", c, 2), 1);
	check(!c[0].by_source);
	check(kit_dial(&s->board, &inv) != NULL);
	check(kit_wire_gets(&s->wire, "INVITE sip:1003@10.0.0.9:5060 SIP/2.0", SOON));
	check(strstr(s->wire.got, ";lr;ob>, <sip:inner.test;lr>, <sip:last.test>\r\nTo:") != NULL);

	wire_register(s, "1003", 3, "");
	check(wire_nonce(s, nonce, sizeof(nonce)));
	wire_register_signed(s, "1003", 4, nonce, false,
			     "Contact: <sip:1003@10.0.0.9>\nPath: <tel:110>\n");
	check(kit_wire_gets(&s->wire, "400 Bad Path", SOON));
	check(scene_end(s));
}

/* Answers to challenges that nobody made: the storm ends in refusals, the phone after a restart of ours
 * does not. */
static void made_up_nonces(void)
{
	struct scene *s = scene_new(strict);
	struct sip_stack_stats st;
	char nonce[64];

	for (int i = 1; i <= 6; i++) {
		wire_register_signed(s, "1001", i,
				     i % 2 ? "0"
					   : "00000000000000000000000000000000"
					     "0123456789abcdef",
				     false, "Contact: <sip:1001@127.0.0.1>\n");
		check(kit_wire_gets(&s->wire, i <= 3 ? "stale=true" : "403 Forbidden", SOON));
	}
	sip_stack_stats(s->board.stack, &st);
	check_int(st.refused_blocked, 3);

	wire_register_signed(s, "1002", 10, "0", false, "Contact: <sip:1002@127.0.0.1>\n");
	check(wire_nonce(s, nonce, sizeof(nonce)));
	wire_register_signed(s, "1002", 11, nonce, false, "Contact: <sip:1002@127.0.0.1>\n");
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(scene_end(s));
}

static void a_storm_of_wrong_passwords_leaves_calls_alone(void)
{
	struct scene *s = scene_new(NULL);
	struct sip_stack_stats st;
	struct kit_call *k = kit_dial_line(&s->phone, &s->board, "95598");
	char message[1024];

	check(kit_until(&k->answered, 1, SOON));
	for (int i = 0; i < 2000; i++) {
		(void)re_snprintf(message, sizeof(message),
				  "REGISTER sip:pb.test SIP/2.0\n"
				  "Via: SIP/2.0/UDP 127.0.0.1:@PORT@;branch=z9hG4bK%d\n"
				  "From: <sip:%d@pb.test>;tag=a\nTo: <sip:%d@pb.test>\n"
				  "Call-ID: c%d\nCSeq: 1 REGISTER\n"
				  "Authorization: Digest username=\"%d\", realm=\"pb.test\", "
				  "nonce=\"%048d\", uri=\"sip:pb.test\", response=\"0\"\n"
				  "Content-Length: 0\n\n",
				  i, i, i, i, i, i);
		kit_wire_send(&s->wire, s->board.port[0], message);
		if (i % 50 == 0)
			kit_wait(1);
	}
	k = kit_dial_line(&s->phone, &s->board, "95598");
	check(kit_until(&k->answered, 1, SOON));
	sip_stack_stats(s->board.stack, &st);
	check_int(st.bindings_now, 0);
	check_int(st.calls_now, 2);
	check(scene_end(s));
}

static const struct check_case cases[] = {
	CHECK_CASE(a_phone_registers_and_leaves),
	CHECK_CASE(a_wrong_password_and_a_stranger_look_the_same),
	CHECK_CASE(guessing_is_blocked_but_a_known_phone_is_not),
	CHECK_CASE(a_binding_expires),
	CHECK_CASE(every_phone_of_a_user_rings),
	CHECK_CASE(an_agent_calls_in_and_must_prove_it),
	CHECK_CASE(strangers_come_in_only_where_they_may),
	CHECK_CASE(attended_transfer_finds_the_other_call),
	CHECK_CASE(two_phones_in_one_millisecond),
	CHECK_CASE(nonces_grow_old),
	CHECK_CASE(nobody_registers_for_another),
	CHECK_CASE(late_news_is_no_news),
	CHECK_CASE(contacts_that_cannot_be),
	CHECK_CASE(too_many_phones),
	CHECK_CASE(sha256_is_accepted),
	CHECK_CASE(a_phone_behind_nat_is_reached),
	CHECK_CASE(a_phone_behind_a_proxy),
	CHECK_CASE(made_up_nonces),
	CHECK_CASE(a_storm_of_wrong_passwords_leaves_calls_alone),
};
CHECK_MAIN(cases)
