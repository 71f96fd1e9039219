/* SPDX-License-Identifier: Apache-2.0
 *
 * Reliable provisional responses (RFC 3262) and UPDATE before the answer (RFC 3311), as callee and as
 * caller: matched, repeated, out of order, never confirmed.
 */
#include <stdlib.h>
#include <string.h>

#include <re.h>

#include "check.h"
#include "sip/sip_priv.h"
#include "sip/sip_scene.h"

/* RSeq of the newest 18x on the wire, 0 = none. */
static unsigned rseq_of(const struct scene *s)
{
	const char *p = NULL, *q = s->wire.got;

	while ((q = strstr(q, "RSeq: ")) != NULL)
		p = q++;
	return p ? (unsigned)strtoul(p + 6, NULL, 10) : 0;
}

static void prack(struct scene *s, const char *call, const char *tag, int cseq, unsigned rseq,
		  const char *sdp)
{
	char lines[64];

	(void)re_snprintf(lines, sizeof(lines), "RAck: %u 1 INVITE\n", rseq);
	scene_inside(s, "PRACK", call, tag, cseq, lines, sdp);
}

/* --- as callee --- */

static void required_by_the_caller(void)
{
	struct scene *s = scene_new();
	char tag[64];
	unsigned rseq;

	s->board.mood = KIT_RING;
	scene_invite(s, "req", 1, "Require: 100rel\n", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "180 Ringing", SOON));
	check(strstr(s->wire.got, "Require: 100rel") != NULL);
	rseq = rseq_of(s);
	check(rseq != 0);
	check(scene_to_tag(s, tag, sizeof(tag)));

	/* Repeated until it is confirmed, and only by the right numbers. */
	kit_wire_forget(&s->wire);
	check(kit_wire_gets(&s->wire, "180 Ringing", 800));
	check_int(rseq_of(s), rseq);
	prack(s, "req", tag, 2, rseq + 1, "");
	check(kit_wire_gets(&s->wire, "481 No Such Response", SOON));

	/* What the owner says meanwhile waits, the newest word only. */
	struct sip_call *c = kit_last(&s->board)->call;

	kit_wire_forget(&s->wire);
	check_int(sip_call_progress(c, 182, NULL), 0);
	check_int(sip_call_progress(c, 183, &s->board.local), 0);
	kit_wait(50);
	check(strstr(s->wire.got, "18") == NULL || strstr(s->wire.got, "180 Ringing") != NULL);
	prack(s, "req", tag, 3, rseq, "");
	check(kit_wire_gets(&s->wire, "183 Session Progress", SOON));
	check(strstr(s->wire.got, "200 OK") != NULL);
	check(strstr(s->wire.got, "182 Queued") == NULL);
	check_int(rseq_of(s), rseq + 1);
	check(strstr(s->wire.got, "m=audio") != NULL);

	/* The 200 waits for a description that is not confirmed, and then says none. */
	kit_wire_forget(&s->wire);
	check_int(sip_call_answer(c, &s->board.local), 0);
	check_int(sip_call_answer(c, &s->board.local), -EPROTO);
	kit_wait(50);
	check(strstr(s->wire.got, "200 OK") == NULL);
	prack(s, "req", tag, 4, rseq + 1, "");
	check(kit_wire_gets(&s->wire, "1 INVITE", SOON));
	check(strstr(s->wire.got, "m=audio") == NULL);
	scene_inside(s, "ACK", "req", tag, 1, "", "");
	check(kit_until(&kit_last(&s->board)->answered, 1, SOON));
	check_int(kit_last(&s->board)->remote.port, 4000);
	check(scene_end(s));
}

/* A caller that can: what carries a description is sent reliably, plain ringing is not. */
static void supported_by_the_caller(void)
{
	struct scene *s = scene_new();
	char tag[64];

	s->board.mood = KIT_RING;
	scene_invite(s, "sup", 1, "Supported: timer, 100rel\n", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "180 Ringing", SOON));
	check_int(rseq_of(s), 0);
	check(scene_to_tag(s, tag, sizeof(tag)));
	check_int(sip_call_progress(kit_last(&s->board)->call, 183, &s->board.local), 0);
	check(kit_wire_gets(&s->wire, "m=audio", SOON));
	check(rseq_of(s) != 0);
	prack(s, "sup", tag, 2, rseq_of(s), "");
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	kit_wire_forget(&s->wire);
	kit_wait(700);
	check_int(s->wire.messages, 0); /* confirmed: no more repetitions */

	/* Cancelled all the same. */
	scene_say(s, "CANCEL sip:95598@pb.test SIP/2.0\n" VIA "sup1\n" FROM TO
		     "Call-ID: sup\nCSeq: 1 CANCEL\n" EMPTY);
	check(kit_wire_gets(&s->wire, "487 Request Terminated", SOON));
	check(kit_until(&kit_last(&s->board)->closed, 1, SOON));
	check(scene_end(s));
}

/* An INVITE without an offer: ours goes in the 183, the answer comes in the PRACK. */
static void our_offer_in_a_reliable_response(void)
{
	struct scene *s = scene_new();
	char tag[64];

	s->board.mood = KIT_EARLY;
	scene_invite(s, "late", 1, "Supported: 100rel\n", "");
	check(kit_wire_gets(&s->wire, "m=audio", SOON));
	check(scene_to_tag(s, tag, sizeof(tag)));
	prack(s, "late", tag, 2, rseq_of(s), AUDIO "m=audio 4010 RTP/AVP 0\n");
	check(kit_wire_gets(&s->wire, "200 OK", SOON));

	struct kit_call *in = kit_last(&s->board);

	check(kit_until(&in->media, 1, SOON));
	check_int(in->remote.port, 4010);
	kit_wire_forget(&s->wire);
	check_int(sip_call_answer(in->call, &s->board.local), 0);
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(strstr(s->wire.got, "m=audio") == NULL);
	scene_inside(s, "ACK", "late", tag, 1, "", "");
	check(kit_until(&in->answered, 1, SOON));
	check_int(in->remote.port, 4010);
	check(scene_end(s));
}

static void our_offer_without_an_answer(void)
{
	struct scene *s = scene_new();
	char tag[64];

	s->board.mood = KIT_EARLY;
	scene_invite(s, "none", 1, "Require: 100rel\n", "");
	check(kit_wire_gets(&s->wire, "m=audio", SOON));
	check(scene_to_tag(s, tag, sizeof(tag)));
	prack(s, "none", tag, 2, rseq_of(s), "");
	check(kit_wire_gets(&s->wire, "400 Bad session description", SOON));
	check(kit_wire_gets(&s->wire, "488 ", SOON));
	check(kit_until(&kit_last(&s->board)->closed, 1, SOON));
	check_int(kit_last(&s->board)->cause, 88);
	check(scene_end(s));
}

static void an_update_before_the_answer(void)
{
	struct scene *s = scene_new();
	char tag[64];

	s->board.mood = KIT_EARLY;
	scene_invite(s, "upd", 1, "Require: 100rel\n", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "m=audio", SOON));
	check(scene_to_tag(s, tag, sizeof(tag)));

	unsigned rseq = rseq_of(s);

	/* Their own offer has no confirmed answer yet; without an offer it is only a refresh. */
	scene_inside(s, "UPDATE", "upd", tag, 2, "", AUDIO "m=audio 4020 RTP/AVP 8\n");
	check(kit_wire_gets(&s->wire, "500 Too Early", SOON));
	check(strstr(s->wire.got, "Retry-After: ") != NULL);
	scene_inside(s, "UPDATE", "upd", tag, 3, "", "");
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	prack(s, "upd", tag, 4, rseq, "");
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	scene_inside(s, "UPDATE", "upd", tag, 5, "", AUDIO "m=audio 4020 RTP/AVP 8\n");
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(strstr(s->wire.got, "m=audio") != NULL);

	struct kit_call *in = kit_last(&s->board);

	check_int(in->remote.port, 4020);
	check_str(in->remote.codec[0].name, "PCMA");

	/* The owner answers with other media: what is settled stands, then a re-INVITE asks for it. */
	struct sip_media other = s->board.local;

	other.port = 31000;
	kit_wire_forget(&s->wire);
	check_int(sip_call_answer(in->call, &other), 0);
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(strstr(s->wire.got, "m=audio") == NULL);
	scene_inside(s, "ACK", "upd", tag, 1, "", "");
	check(kit_wire_gets(&s->wire, "m=audio 31000", SOON));
	check(strstr(s->wire.got, "INVITE sip:caller@127.0.0.1") != NULL);
	check(scene_end(s));
}

static void impatient(struct sip_stack_config *cfg)
{
	cfg->limits.prack_wait_ms = 3000;
}

/* We move before the answer: an UPDATE of ours, as callee and as caller; theirs meanwhile is glare. */
static void our_update_before_the_answer(void)
{
	struct scene *s = scene_new();
	char tag[64];

	s->board.mood = KIT_EARLY;
	scene_invite(s, "mine", 1, "Require: 100rel\nAllow: INVITE, ACK, UPDATE, PRACK\n",
		     AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "m=audio", SOON));
	check(scene_to_tag(s, tag, sizeof(tag)));

	struct kit_call *in = kit_last(&s->board);
	struct sip_media other = s->board.local;
	char from[128], to[128], text[1024];
	const char *p;

	other.port = 31000;
	check_int(sip_call_modify(in->call, &other), -EPROTO); /* not confirmed yet */
	prack(s, "mine", tag, 2, rseq_of(s), "");
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	kit_wire_forget(&s->wire);
	check_int(sip_call_modify(in->call, &other), 0);
	check(kit_wire_gets(&s->wire, "m=audio 31000", SOON));
	p = strstr(s->wire.got, "UPDATE sip:caller@127.0.0.1");
	check(p != NULL);
	check_int(sip_call_modify(in->call, &other), -EPROTO);

	char via[256], cseq[64];

	(void)re_snprintf(via, sizeof(via), "%b", strstr(p, "Via: "),
			  strcspn(strstr(p, "Via: "), "\r"));
	(void)re_snprintf(from, sizeof(from), "%b", strstr(p, "From: "),
			  strcspn(strstr(p, "From: "), "\r"));
	(void)re_snprintf(to, sizeof(to), "%b", strstr(p, "\nTo: ") + 1,
			  strcspn(strstr(p, "\nTo: ") + 1, "\r"));
	(void)re_snprintf(cseq, sizeof(cseq), "%b", strstr(p, "CSeq: "),
			  strcspn(strstr(p, "CSeq: "), "\r"));
	scene_inside(s, "UPDATE", "mine", tag, 3, "", AUDIO "m=audio 4020 RTP/AVP 8\n");
	check(kit_wire_gets(&s->wire, "491 Request Pending", SOON));
	(void)re_snprintf(text, sizeof(text),
			  "SIP/2.0 200 OK\n%s\n%s\n%s\nCall-ID: mine\n%s\n"
			  "Content-Type: application/sdp\nContent-Length: 105\n\n" AUDIO
			  "m=audio 4040 RTP/AVP 8\n",
			  via, from, to, cseq);
	scene_say(s, text);
	check(kit_until(&in->media, 1, SOON));
	check_int(in->remote.port, 4040);
	check_int(in->failed, 0);

	/* The owner answers with what it moved to: nothing is left to offer. */
	kit_wire_forget(&s->wire);
	check_int(sip_call_answer(in->call, &other), 0);
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(strstr(s->wire.got, "m=audio") == NULL);
	scene_inside(s, "ACK", "mine", tag, 1, "", "");
	check(kit_until(&in->answered, 1, SOON));
	kit_wait(50);
	check(strstr(s->wire.got, "INVITE sip:") == NULL);
	check(scene_end(s));
}

/* Two of our stacks: the caller moves while it rings, the callee after it. */
static void two_stacks_move_early(void)
{
	struct scene *s = scene_new();
	static struct kit_line phone;
	struct sip_media other;

	check_int(kit_open(&phone, NULL), 0);
	s->board.mood = KIT_EARLY;

	struct kit_call *k = kit_dial_line(&phone, &s->board, "95598"), *in;

	check(k != NULL && kit_until(&k->early, 1, SOON));
	in = kit_last(&s->board);
	kit_wait(20);
	other = phone.local;
	other.port = 31000;
	check_int(sip_call_modify(k->call, &other), 0);
	check(kit_until(&k->media, 1, SOON));
	check(kit_until(&in->media, 1, SOON));
	check_int(in->remote.port, 31000);
	other = s->board.local;
	other.port = 32000;
	check_int(sip_call_modify(in->call, &other), 0);
	check(kit_until(&k->early, 2, SOON));
	check_int(k->remote.port, 32000);
	check_int(sip_call_answer(in->call, &other), 0);
	check(kit_until(&k->answered, 1, SOON));
	check(kit_until(&in->answered, 1, SOON));
	check_int(k->remote.port, 32000);
	check_int(in->remote.port, 31000);
	sip_call_end(k->call, 0, 16, NULL);
	check(kit_until(&in->closed, 1, SOON));
	kit_wait(20);
	kit_close(&phone);
	check(scene_end(s));
}

/* 64 times T1 (here less) without a PRACK: 504 (RFC 3262, 3). */
static void never_confirmed(void)
{
	struct scene *s = scene_open(impatient);

	s->board.mood = KIT_EARLY;
	scene_invite(s, "lost", 1, "Require: 100rel\n", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "m=audio", SOON));
	check(kit_wire_gets(&s->wire, "504 ", 4000));
	/* Said again 0.5 and 1.5 s after the first. */
	check_int(s->wire.messages, 1 + 1 + 2 + 1);
	check(kit_until(&kit_last(&s->board)->closed, 1, SOON));
	check_int(kit_last(&s->board)->cause, SIP_CAUSE_TIMER);
	check(scene_end(s));
}

/* --- as caller --- */

/* The wire is called by the board; what it then answers quotes Via, From, To, Call-ID and CSeq. */
struct called {
	char via[256], from[256], to[256], call_id[128];
	unsigned cseq;
};

static bool field(const char *text, const char *name, char *out, size_t size)
{
	const char *p = strstr(text, name);

	if (p == NULL)
		return false;
	(void)re_snprintf(out, size, "%b", p, strcspn(p, "\r"));
	return true;
}

static bool is_called(struct scene *s, struct called *c)
{
	const char *p;

	if (!kit_wire_gets(&s->wire, "INVITE sip:", SOON) ||
	    !field(s->wire.got, "Via: ", c->via, sizeof(c->via)) ||
	    !field(s->wire.got, "From: ", c->from, sizeof(c->from)) ||
	    !field(s->wire.got, "To: ", c->to, sizeof(c->to)) ||
	    !field(s->wire.got, "Call-ID: ", c->call_id, sizeof(c->call_id)))
		return false;
	p = strstr(s->wire.got, "CSeq: ");
	c->cseq = p ? (unsigned)strtoul(p + 6, NULL, 10) : 0;
	return p != NULL;
}

static void reply(struct scene *s, const struct called *c, const char *status, const char *tag,
		  const char *lines, const char *sdp)
{
	char text[4096];
	size_t n = 0;

	for (const char *p = sdp; *p; p++)
		n += *p == '\n' ? 2 : 1;
	(void)re_snprintf(text, sizeof(text),
			  "SIP/2.0 %s\n%s\n%s\n%s;tag=%s\n%s\nCSeq: %u INVITE\n"
			  "Contact: <sip:95598@127.0.0.1:@PORT@>\n%s%sContent-Length: %zu\n\n%s",
			  status, c->via, c->from, c->to, tag, c->call_id, c->cseq, lines,
			  n ? "Content-Type: application/sdp\n" : "", n, sdp);
	scene_say(s, text);
}

static struct kit_call *call_the_wire(struct scene *s, struct called *c)
{
	char uri[64];
	struct sip_invite inv = {.uri = uri, .from_user = "1001"};
	struct kit_call *k;

	(void)re_snprintf(uri, sizeof(uri), "sip:95598@127.0.0.1:%u", s->wire.port);
	k = kit_dial(&s->board, &inv);
	check(k != NULL && is_called(s, c));
	check(strstr(s->wire.got, "100rel") != NULL);
	return k;
}

/* A request of the called party in its early dialog. */
static void ask(struct scene *s, const struct called *c, const char *method, const char *tag,
		int cseq, const char *sdp)
{
	char text[4096];
	size_t n = 0;

	for (const char *p = sdp; *p; p++)
		n += *p == '\n' ? 2 : 1;
	(void)re_snprintf(text, sizeof(text),
			  "%s sip:1001@127.0.0.1 SIP/2.0\n" VIA "ask%d\nFrom%s;tag=%s\nTo%s\n"
			  "%s\nCSeq: %d %s\nContact: <sip:95598@127.0.0.1:@PORT@>\n"
			  "%sContent-Length: %zu\n\n%s",
			  method, s->branch++, c->to + 2, tag, c->from + 4, c->call_id, cseq,
			  method, n ? "Content-Type: application/sdp\n" : "", n, sdp);
	kit_wire_forget(&s->wire);
	scene_say(s, text);
}

static void we_confirm(void)
{
	struct scene *s = scene_new();
	struct called c;
	struct kit_call *k = call_the_wire(s, &c);
	char rack[64];

	kit_wire_forget(&s->wire);
	reply(s, &c, "180 Ringing", "a", "Require: 100rel\nRSeq: 7\n", "");
	(void)re_snprintf(rack, sizeof(rack), "RAck: 7 %u INVITE", c.cseq);
	check(kit_wire_gets(&s->wire, rack, SOON));
	check(strstr(s->wire.got, "PRACK sip:95598@127.0.0.1") != NULL);
	check(kit_until(&k->ringing, 1, SOON));

	/* A repetition is not told again; a number that skips one is not confirmed. */
	reply(s, &c, "180 Ringing", "a", "Require: 100rel\nRSeq: 7\n", "");
	reply(s, &c, "183 Session Progress", "a", "Require: 100rel\nRSeq: 9\n",
	      AUDIO "m=audio 4100 RTP/AVP 8\n");
	kit_wait(50);
	check_int(k->ringing, 1);
	check_int(k->early, 0);
	check(strstr(s->wire.got, "RAck: 9") == NULL);
	reply(s, &c, "183 Session Progress", "a", "Require: 100rel\nRSeq: 8\n",
	      AUDIO "m=audio 4100 RTP/AVP 8\n");
	check(kit_wire_gets(&s->wire, "RAck: 8", SOON));
	check(kit_until(&k->early, 1, SOON));
	check_int(k->remote.port, 4100);

	/* It moves before it answers (UPDATE), and the description of its 200 is not taken for a third. */
	ask(s, &c, "UPDATE", "a", 1, AUDIO "m=audio 4200 RTP/AVP 8\na=sendonly\n");
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(strstr(s->wire.got, "a=recvonly") != NULL);
	check(kit_until(&k->early, 2, SOON));
	check_int(k->remote.port, 4200);
	ask(s, &c, "UPDATE", "a", 1, "");
	check(kit_wire_gets(&s->wire, "500 Out of Order", SOON));
	reply(s, &c, "200 OK", "a", "", AUDIO "m=audio 4300 RTP/AVP 8\n");
	check(kit_wire_gets(&s->wire, "ACK sip:95598@127.0.0.1", SOON));
	check(kit_until(&k->answered, 1, SOON));
	check_int(k->remote.port, 4200);

	/* Our next request goes on counting after the PRACKs. */
	kit_wire_forget(&s->wire);
	sip_call_end(k->call, 0, 16, "bye");
	(void)re_snprintf(rack, sizeof(rack), "CSeq: %u BYE", c.cseq + 3);
	check(kit_wire_gets(&s->wire, rack, SOON));
	check(scene_end(s));
}

/* We may require it; whoever cannot says so. */
static void required_by_us(void)
{
	struct scene *s = scene_new();
	struct called c;
	struct sip_invite inv = {.from_user = "1001", .require_100rel = true};
	struct kit_call *k;
	char uri[64];

	(void)re_snprintf(uri, sizeof(uri), "sip:95598@127.0.0.1:%u", s->wire.port);
	inv.uri = uri;
	k = kit_dial(&s->board, &inv);
	check(k != NULL && is_called(s, &c));
	check(strstr(s->wire.got, "Require: 100rel\r\n") != NULL);
	reply(s, &c, "420 Bad Extension", "a", "Unsupported: 100rel\n", "");
	check(kit_until(&k->closed, 1, SOON));
	check_int(k->status, 420);
	check(scene_end(s));
}

#define CHALLENGE "WWW-Authenticate: Digest realm=\"far\", nonce=\"%s\", algorithm=MD5\n"

/* Challenge the one request that the wire holds. */
static void challenge(struct scene *s, const char *nonce)
{
	static const char *const names[] = {"Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "};
	char text[4096], line[600];
	size_t n = (size_t)re_snprintf(text, sizeof(text), "SIP/2.0 401 Who\n" CHALLENGE, nonce);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		check(field(s->wire.got, names[i], line, sizeof(line)));
		n += (size_t)re_snprintf(text + n, sizeof(text) - n, "%s\n", line);
	}
	(void)re_snprintf(text + n, sizeof(text) - n, "Content-Length: 0\n\n");
	kit_wire_forget(&s->wire);
	scene_say(s, text);
}

/* Whoever challenges what we say in an early dialog gets the proof, once. */
static void challenged_before_the_answer(void)
{
	struct scene *s = scene_new();
	struct called c;
	struct sip_invite inv = {
		.from_user = "1001", .auth_user = "line1", .auth_password = "secret"};
	struct sip_media other;
	struct kit_call *k;
	char uri[64], rack[64], cseq[64];

	(void)re_snprintf(uri, sizeof(uri), "sip:95598@127.0.0.1:%u", s->wire.port);
	inv.uri = uri;
	k = kit_dial(&s->board, &inv);
	check(k != NULL && is_called(s, &c));
	kit_wire_forget(&s->wire);
	reply(s, &c, "183 Session Progress", "a",
	      "Require: 100rel\nRSeq: 7\nAllow: UPDATE, PRACK\n", AUDIO "m=audio 4100 RTP/AVP 8\n");
	(void)re_snprintf(rack, sizeof(rack), "RAck: 7 %u INVITE", c.cseq);
	check(kit_wire_gets(&s->wire, rack, SOON));
	check(strstr(s->wire.got, "Authorization:") == NULL);
	challenge(s, "n1");
	(void)re_snprintf(cseq, sizeof(cseq), "CSeq: %u PRACK", c.cseq + 2);
	check(kit_wire_gets(&s->wire, cseq, SOON));
	check(strstr(s->wire.got, rack) != NULL);
	check(strstr(s->wire.got, "Authorization: Digest username=\"line1\"") != NULL);
	check(strstr(s->wire.got, "nonce=\"n1\"") != NULL);
	challenge(s, "n2");
	kit_wait(50);
	check(strstr(s->wire.got, "PRACK sip:") == NULL);

	check(kit_until(&k->early, 1, SOON));
	other = s->board.local;
	other.port = 31000;
	kit_wire_forget(&s->wire);
	check_int(sip_call_modify(k->call, &other), 0);
	check(kit_wire_gets(&s->wire, "m=audio 31000", SOON));
	check(strstr(s->wire.got, "UPDATE sip:") != NULL);
	challenge(s, "n3");
	check(kit_wire_gets(&s->wire, "m=audio 31000", SOON));
	check(strstr(s->wire.got, "nonce=\"n3\"") != NULL);
	check_int(k->failed, 0);
	challenge(s, "n4");
	check(kit_until(&k->failed, 1, SOON));
	check_int(k->closed, 0);

	/* Nobody waits for the last PRACK's answer when the call ends. */
	sip_call_end(k->call, 0, 16, NULL);
	check(kit_wire_gets(&s->wire, "CANCEL sip:", SOON));
	reply(s, &c, "487 Request Terminated", "a", "", "");
	check(kit_until(&k->closed, 1, SOON));
	check(scene_end(s));
}

/* A proxy forked: two tags ring, each with numbers of its own; one answers. */
static void two_ring_one_answers(void)
{
	struct scene *s = scene_new();
	struct called c;
	struct kit_call *k = call_the_wire(s, &c);

	reply(s, &c, "183 Session Progress", "a", "Require: 100rel\nRSeq: 1\n",
	      AUDIO "m=audio 4100 RTP/AVP 8\n");
	check(kit_wire_gets(&s->wire, "RAck: 1 ", SOON));
	reply(s, &c, "183 Session Progress", "b", "Require: 100rel\nRSeq: 500\n",
	      AUDIO "m=audio 4150 RTP/AVP 8\n");
	check(kit_wire_gets(&s->wire, "RAck: 500 ", SOON));
	check(kit_until(&k->early, 2, SOON));

	/* Before it has answered our offer, a third may not offer. */
	reply(s, &c, "180 Ringing", "c", "Require: 100rel\nRSeq: 3\n", "");
	check(kit_wire_gets(&s->wire, "RAck: 3 ", SOON));
	ask(s, &c, "UPDATE", "c", 1, AUDIO "m=audio 4200 RTP/AVP 8\n");
	check(kit_wire_gets(&s->wire, "491 Request Pending", SOON));

	reply(s, &c, "200 OK", "b", "", "");
	check(kit_until(&k->answered, 1, SOON));
	check(kit_wire_gets(&s->wire, "ACK sip:", SOON));

	/* The first answers too, late: confirmed and hung up (RFC 3261, 13.2.2.4). */
	kit_wire_forget(&s->wire);
	reply(s, &c, "200 OK", "a", "", AUDIO "m=audio 4100 RTP/AVP 8\n");
	check(kit_wire_gets(&s->wire, "BYE sip:", SOON));
	check(strstr(s->wire.got, "tag=a") != NULL);
	check_int(k->closed, 0);
	check(scene_end(s));
}

static const struct check_case cases[] = {
	CHECK_CASE(required_by_the_caller),
	CHECK_CASE(supported_by_the_caller),
	CHECK_CASE(our_offer_in_a_reliable_response),
	CHECK_CASE(our_offer_without_an_answer),
	CHECK_CASE(an_update_before_the_answer),
	CHECK_CASE(our_update_before_the_answer),
	CHECK_CASE(two_stacks_move_early),
	CHECK_CASE(never_confirmed),
	CHECK_CASE(we_confirm),
	CHECK_CASE(required_by_us),
	CHECK_CASE(challenged_before_the_answer),
	CHECK_CASE(two_ring_one_answers),
};
CHECK_MAIN(cases)
