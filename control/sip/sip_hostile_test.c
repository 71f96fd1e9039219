/* SPDX-License-Identifier: Apache-2.0
 *
 * What phones and strangers send that our own stack never would: torture messages in the manner of
 * RFC 4475, offer-less calls, old ways to hold, session timers, repetitions and losses. After every
 * row the board must still answer OPTIONS.
 */
#include <stdlib.h>
#include <string.h>

#include <re.h>

#include "check.h"
#include "sip/sip_priv.h"
#include "sip/sip_scene.h"

struct row {
	const char *name, *text, *answer; /* answer NULL: silence */
};

/* clang-format off */
static const struct row torture[] = {
	{"options", "OPTIONS sip:pb.test SIP/2.0\n" VIA "1\n" FROM TO
	 "Call-ID: a\nCSeq: 1 OPTIONS\n" EMPTY, "200 OK"},
	{"folded and compact", "OPTIONS sip:pb.test SIP/2.0\nv: SIP/2.0/UDP 127.0.0.1:@PORT@\n"
	 " ;rport;branch=z9hG4bK2\nf: <sip:a@b>\n ;tag=1\nt: <sip:c@d>\ni: x\nCSEQ:\n  2 OPTIONS\n"
	 "l: 0\n\n", "200 OK"},
	{"unknown method", "DANCE sip:pb.test SIP/2.0\n" VIA "3\n" FROM TO
	 "Call-ID: a\nCSeq: 1 DANCE\n" EMPTY, "501 Not Implemented"},
	{"message", "MESSAGE sip:pb.test SIP/2.0\n" VIA "4\n" FROM TO
	 "Call-ID: a\nCSeq: 1 MESSAGE\n" EMPTY, "405 Method Not Allowed"},
	{"method and CSeq differ", "OPTIONS sip:pb.test SIP/2.0\n" VIA "5\n" FROM TO
	 "Call-ID: a\nCSeq: 1 INVITE\n" EMPTY, "400 CSeq does not match"},
	{"no From tag", "OPTIONS sip:pb.test SIP/2.0\n" VIA "6\nFrom: <sip:a@b>\n" TO
	 "Call-ID: a\nCSeq: 1 OPTIONS\n" EMPTY, "200 OK"},
	{"no From", "OPTIONS sip:pb.test SIP/2.0\n" VIA "6b\n" TO
	 "Call-ID: a\nCSeq: 1 OPTIONS\n" EMPTY, "400 Missing or bad From"},
	{"no To", "OPTIONS sip:pb.test SIP/2.0\n" VIA "7\n" FROM
	 "Call-ID: a\nCSeq: 1 OPTIONS\n" EMPTY, "400 Missing or bad To"},
	{"no Call-ID", "OPTIONS sip:pb.test SIP/2.0\n" VIA "8\n" FROM TO
	 "CSeq: 1 OPTIONS\n" EMPTY, "400 Missing or bad Call-ID"},
	{"two From", "OPTIONS sip:pb.test SIP/2.0\n" VIA "9\n" FROM FROM TO
	 "Call-ID: a\nCSeq: 1 OPTIONS\n" EMPTY, "400 Repeated header"},
	{"no Via", "OPTIONS sip:pb.test SIP/2.0\n" FROM TO
	 "Call-ID: a\nCSeq: 1 OPTIONS\n" EMPTY, NULL},
	{"body cut off", "INVITE sip:95598@pb.test SIP/2.0\n" VIA "10\n" FROM TO ME
	 "Call-ID: a\nCSeq: 1 INVITE\nContent-Length: 9999\n\nv=0\n", "400 Body shorter"},
	{"negative length", "INVITE sip:95598@pb.test SIP/2.0\n" VIA "11\n" FROM TO ME
	 "Call-ID: a\nCSeq: 1 INVITE\nContent-Length: -5\n\n", "400 Bad Content-Length"},
	{"hops used up", "INVITE sip:95598@pb.test SIP/2.0\n" VIA "12\n" FROM TO ME
	 "Call-ID: a\nCSeq: 1 INVITE\nMax-Forwards: 0\n" EMPTY, "483 Too Many Hops"},
	{"hops not a number", "INVITE sip:95598@pb.test SIP/2.0\n" VIA "13\n" FROM TO ME
	 "Call-ID: a\nCSeq: 1 INVITE\nMax-Forwards: many\n" EMPTY, "400 Bad Max-Forwards"},
	{"unknown extension", "INVITE sip:95598@pb.test SIP/2.0\n" VIA "14\n" FROM TO ME
	 "Call-ID: a\nCSeq: 1 INVITE\nRequire: nothingSupportsThis\n" EMPTY, "420 Bad Extension"},
	{"strange scheme", "INVITE nobodyKnowsThis:95598@pb.test SIP/2.0\n" VIA "15\n" FROM TO ME
	 "Call-ID: a\nCSeq: 1 INVITE\n" EMPTY, "416 Unsupported URI"},
	{"no Contact", "INVITE sip:95598@pb.test SIP/2.0\n" VIA "16\n" FROM TO
	 "Call-ID: a\nCSeq: 1 INVITE\n" EMPTY, "400 Missing or bad Contact"},
	{"strange body", "INVITE sip:95598@pb.test SIP/2.0\n" VIA "17\n" FROM TO ME
	 "Call-ID: a\nCSeq: 1 INVITE\nContent-Type: text/plain\nContent-Length: 2\n\nhi",
	 "415 Unsupported Media Type"},
	{"nonsense as SDP", "INVITE sip:95598@pb.test SIP/2.0\n" VIA "18\n" FROM TO ME
	 "Call-ID: a\nCSeq: 1 INVITE\nContent-Type: application/sdp\nContent-Length: 8\n\nnonsense",
	 "400 Bad session description"},
	{"only video", "INVITE sip:95598@pb.test SIP/2.0\n" VIA "19\n" FROM TO ME
	 "Call-ID: a\nCSeq: 1 INVITE\nContent-Type: application/sdp\nContent-Length: 88\n\n"
	 "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 4000 RTP/AVP 96\n",
	 "488 Not Acceptable"},
	{"BYE for nothing", "BYE sip:95598@pb.test SIP/2.0\n" VIA "20\n" FROM
	 "To: <sip:95598@pb.test>;tag=none\nCall-ID: a\nCSeq: 1 BYE\n" EMPTY, "481 "},
	{"CANCEL for nothing", "CANCEL sip:95598@pb.test SIP/2.0\n" VIA "21\n" FROM TO
	 "Call-ID: a\nCSeq: 1 CANCEL\n" EMPTY, "481 "},
	{"ACK for nothing", "ACK sip:95598@pb.test SIP/2.0\n" VIA "22\n" FROM TO
	 "Call-ID: a\nCSeq: 1 ACK\n" EMPTY, NULL},
	{"REFER outside a call", "REFER sip:95598@pb.test SIP/2.0\n" VIA "23\n" FROM TO
	 "Refer-To: <sip:1@2>\nCall-ID: a\nCSeq: 1 REFER\n" EMPTY, "403 Only inside"},
	{"future version", "OPTIONS sip:pb.test SIP/7.0\n" VIA "24\n" FROM TO
	 "Call-ID: a\nCSeq: 1 OPTIONS\n" EMPTY, "505 Version Not Supported"},
	{"stray response", "SIP/2.0 200 OK\n" VIA "25\n" FROM TO
	 "Call-ID: a\nCSeq: 1 INVITE\n" EMPTY, NULL},
	{"response with a silly code", "SIP/2.0 4294967301 better not break\n" VIA "26\n" FROM TO
	 "Call-ID: a\nCSeq: 1 OPTIONS\n" EMPTY, NULL},
	{"not SIP", "GET / HTTP/1.1\nHost: x\n\n", NULL},
	{"foreign domain", "REGISTER sip:else.test SIP/2.0\n" VIA "27\n"
	 "From: <sip:1001@else.test>;tag=1\nTo: <sip:1001@else.test>\nCall-ID: a\nCSeq: 1 REGISTER\n"
	 EMPTY, "404 Not Our Domain"},
	{"nobody to register", "REGISTER sip:pb.test SIP/2.0\n" VIA "28\n"
	 "From: <sip:pb.test>;tag=1\nTo: <sip:pb.test>\nCall-ID: a\nCSeq: 1 REGISTER\n" EMPTY,
	 "400 No user"},
	{"escaped NUL in user", "REGISTER sip:pb.test SIP/2.0\n" VIA "29\n"
	 "From: <sip:10%00%0d01@pb.test>;tag=1\nTo: <sip:10%00%0d01@pb.test>\nCall-ID: a\n"
	 "CSeq: 1 REGISTER\n" EMPTY, "401 Unauthorized"},
	{"digest without end", "REGISTER sip:pb.test SIP/2.0\n" VIA "30\n"
	 "From: <sip:1001@pb.test>;tag=1\nTo: <sip:1001@pb.test>\nCall-ID: a\nCSeq: 1 REGISTER\n"
	 "Authorization: Digest username=\"1001, realm=\"\n" EMPTY, "401 Unauthorized"},
	{"digest of nothing", "REGISTER sip:pb.test SIP/2.0\n" VIA "31\n"
	 "From: <sip:1001@pb.test>;tag=1\nTo: <sip:1001@pb.test>\nCall-ID: a\nCSeq: 1 REGISTER\n"
	 "Authorization: \nAuthorization: Basic x\nAuthorization: Digest\n" EMPTY,
	 "401 Unauthorized"},
};
/* clang-format on */

static void torture_messages(void)
{
	struct scene *s = scene_new();
	struct sip_stack_stats st;

	for (size_t i = 0; i < sizeof(torture) / sizeof(torture[0]); i++) {
		bool right;

		kit_wire_forget(&s->wire);
		scene_say(s, torture[i].text);
		if (torture[i].answer) {
			right = kit_wire_gets(&s->wire, torture[i].answer, SOON);
		} else {
			kit_wait(20);
			right = s->wire.messages == 0;
		}
		if (!right)
			printf("%s:\n%s\n", torture[i].name, s->wire.got);
		check(right);
		check(scene_alive(s));
	}
	sip_stack_stats(s->board.stack, &st);
	check_int(st.calls_in, 0);
	check_int(st.dialogs_now, 0);
	check(st.refused_malformed >= 17);
	check(scene_end(s));
}

/* Every message cut off at every byte, and every byte of it turned over. */
static void broken_messages(void)
{
	struct scene *s = scene_new();
	static const char whole[] =
		"INVITE sip:95598@pb.test SIP/2.0\r\nVia: SIP/2.0/UDP "
		"127.0.0.1:9;rport;branch=z9hG4bKx"
		"\r\nFrom: \"A\" <sip:a@far.test>;tag=f\r\nTo: <sip:95598@pb.test>\r\n"
		"Contact: <sip:a@127.0.0.1:9>\r\nCall-ID: broken\r\nCSeq: 1 INVITE\r\n"
		"Content-Type: application/sdp\r\nContent-Length: 121\r\n\r\n"
		"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
		"m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n";
	char copy[sizeof(whole)];

	s->board.mood = KIT_BUSY;
	for (size_t i = 0; i < sizeof(whole) - 1; i++) {
		kit_wire_send_raw(&s->wire, s->board.port[0], whole, i);
		for (int bit = 0; bit < 8; bit += 3) {
			memcpy(copy, whole, sizeof(whole));
			copy[i] = (char)(copy[i] ^ (1 << bit));
			kit_wire_send_raw(&s->wire, s->board.port[0], copy, sizeof(whole) - 1);
		}
		if (i % 8 == 0)
			kit_wait(1);
	}
	check(scene_alive(s));
	check(scene_end(s));
}

/* A double line end keeps a hole in a NAT open, and is answered so that the phone knows (RFC 5626); by TCP as
 * by UDP. A request that cannot be read is answered when it says enough, an ACK and a response never. */
static void pings_and_the_unreadable(void)
{
	struct scene *s = scene_new();

	kit_wire_send_raw(&s->wire, s->board.port[0], "\r\n\r\n", 4);
	check(kit_wire_gets(&s->wire, "\r\n", SOON));
	check_int(s->wire.len, 2);
	kit_wire_forget(&s->wire);
	kit_wire_send_raw(&s->wire, s->board.port[0], "\r\n", 2);
	kit_wait(20);
	check_int(s->wire.messages, 0);

	scene_say(s, "OPTIONS  sip:x@y SIP/2.0\nv: SIP/2.0/UDP 127.0.0.1\n ;branch=z9hG4bKq\nFrom: "
		     "<sip:a@b>;tag=1\n"
		     "t:<sip:c@d>\ni: unread\nCSeq: 3 OPTIONS\n\n");
	if (!kit_wire_gets(&s->wire, "400 Cannot Be Read", SOON))
		printf("%s\n", s->wire.got);
	check(strstr(s->wire.got, "400 Cannot Be Read") != NULL);
	check(strstr(s->wire.got, "Call-ID: unread\r\n") != NULL);
	check(strstr(s->wire.got, ";branch=z9hG4bKq\r\n") != NULL);
	kit_wire_forget(&s->wire);
	scene_say(
		s,
		"ACK  sip:x@y SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1\nFrom: <sip:a@b>\nTo: <sip:c@d>\n"
		"Call-ID: u\nCSeq: 3 ACK\n\n");
	scene_say(s,
		  "OPTIONS  sip:x@y SIP/2.0\nFrom: <sip:a@b>\nTo: <sip:c@d>\nCall-ID: u\nCSeq: 3 "
		  "OPTIONS\n\n");
	scene_say(s, "SIP/2.0 junk OK\nVia: SIP/2.0/UDP 127.0.0.1\nFrom: <sip:a@b>\nTo: <sip:c@d>\n"
		     "Call-ID: u\nCSeq: 3 OPTIONS\n\n");
	kit_wait(20);
	check_int(s->wire.messages, 0);
	check(scene_end(s));
}

static void few_of_one_source(struct sip_stack_config *cfg)
{
	cfg->limits.calls_per_s_source = 3;
	cfg->limits.retry_after_s = 9;
}

/* One address may not take all the room; the owner may say how long to stay away. */
static void limits_per_source(void)
{
	struct scene *s = scene_open(few_of_one_source);
	char call[16];

	s->board.mood = KIT_RING;
	for (int i = 0; i < 3; i++) {
		(void)re_snprintf(call, sizeof(call), "few%d", i);
		scene_invite(s, call, 1, "", AUDIO PCMU_A);
		check(kit_wire_gets(&s->wire, "180 Ringing", SOON));
	}
	sip_call_retry_after(kit_last(&s->board)->call, 33);
	kit_wire_forget(&s->wire);
	sip_call_end(kit_last(&s->board)->call, 503, 42, "overloaded");
	check(kit_wire_gets(&s->wire, "503 overloaded", SOON));
	check(strstr(s->wire.got, "Retry-After: 33\r\n") != NULL);
	scene_invite(s, "many", 1, "", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "503 Service Unavailable", SOON));
	check(strstr(s->wire.got, "Retry-After: 9\r\n") != NULL);
	kit_wait(400);
	scene_invite(s, "later", 1, "", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "180 Ringing", SOON));
	check(scene_end(s));
}

/* Rubbish is counted and costs no line each; keep-alives are neither. */
static void rubbish_is_counted(void)
{
	struct scene *s = scene_new();
	struct sip_stack_stats before, after;

	check(scene_alive(s));
	sip_stack_stats(s->board.stack, &before);
	for (int i = 0; i < 100; i++) {
		kit_wire_send_raw(&s->wire, s->board.port[0], "\x80\x08rubbish", 9);
		kit_wire_send_raw(&s->wire, s->board.port[0], "\r\n\r\n", 4);
		kit_wire_send_raw(&s->wire, s->board.port[0], "", 0);
	}
	check(scene_alive(s));
	sip_stack_stats(s->board.stack, &after);
	check_int(after.refused_malformed - before.refused_malformed, 100);
	check_int(after.requests - before.requests, 1);
	check(scene_end(s));
}

static void a_call_without_an_offer(void)
{
	struct scene *s = scene_new();
	char tag[64];

	scene_invite(s, "late", 1, "", "");
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(scene_to_tag(s, tag, sizeof(tag)));
	/* Our offer, in our order. */
	check(strstr(s->wire.got, "RTP/AVP 8 0 101") != NULL);
	check(strstr(s->wire.got, "a=rtpmap:101 telephone-event/8000") != NULL);
	check(strstr(s->wire.got, "a=fmtp:101 0-15") != NULL);

	struct kit_call *in = kit_last(&s->board);

	check(!in->info.offer);
	check_int(in->answered, 0);
	scene_inside(s, "ACK", "late", tag, 1, "", AUDIO "m=audio 4000 RTP/AVP 0\n");
	check(kit_until(&in->answered, 1, SOON));
	check_int(in->remote.codecs, 1);
	check_str(in->remote.codec[0].name, "PCMU");
	check(!in->remote.dtmf);
	check_int(in->remote.port, 4000);

	/* An offer-less re-INVITE: we offer again, the answer comes with the ACK. */
	scene_inside(s, "INVITE", "late", tag, 2, "", "");
	check(kit_wire_gets(&s->wire, "m=audio", SOON));
	scene_inside(s, "ACK", "late", tag, 2, "", AUDIO "m=audio 4004 RTP/AVP 0\na=recvonly\n");
	check(kit_until(&in->media, 1, SOON));
	check_int(in->remote.port, 4004);
	check_int(in->remote.direction, SIP_SENDONLY);

	scene_inside(s, "BYE", "late", tag, 3, "Reason: Q.850;cause=38;text=\"it broke\"\n", "");
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(kit_until(&in->closed, 1, SOON));
	check_int(in->cause, 38);
	check_str(in->text, "it broke");
	check(scene_end(s));
}

static void an_answer_that_is_none(void)
{
	struct scene *s = scene_new();
	char tag[64];

	scene_invite(s, "late", 1, "", "");
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(scene_to_tag(s, tag, sizeof(tag)));
	scene_inside(s, "ACK", "late", tag, 1, "", "");
	check(kit_wire_gets(&s->wire, "BYE sip:caller@127.0.0.1", SOON));
	check(kit_until(&kit_last(&s->board)->closed, 1, SOON));
	check_int(kit_last(&s->board)->cause, 88);
	check_int(kit_last(&s->board)->answered, 0);
	check(scene_end(s));
}

/* What an 18x said is said again in the 200, byte for byte: it is the same answer (RFC 6337). */
static void an_early_answer_is_the_answer(void)
{
	struct scene *s = scene_new();
	char early[64];

	s->board.mood = KIT_EARLY;
	scene_invite(s, "early", 1, "", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "a=sendrecv", SOON));

	const char *o = strstr(s->wire.got, "o=- ");

	check(o != NULL);
	(void)re_snprintf(early, sizeof(early), "%b", o, strcspn(o, "\r"));
	kit_wire_forget(&s->wire);
	check_int(sip_call_answer(kit_last(&s->board)->call, &s->board.local), 0);
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(strstr(s->wire.got, early) != NULL);
	check(scene_end(s));
}

static void repeated_and_lost(void)
{
	struct scene *s = scene_new();
	char tag[64];

	/* The same INVITE twice is one call; the 200 is said again until somebody hears it. */
	scene_invite(s, "again", 1, "", AUDIO PCMU_A);
	scene_invite(s, "again", 1, "", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check_int(s->board.calls, 1);
	check(scene_to_tag(s, tag, sizeof(tag)));
	kit_wire_forget(&s->wire);
	check(kit_wire_gets(&s->wire, "200 OK", 800));
	kit_wire_forget(&s->wire);
	check(kit_wire_gets(&s->wire, "200 OK", 1500));
	scene_inside(s, "ACK", "again", tag, 1, "", "");
	check(kit_until(&kit_last(&s->board)->answered, 1, SOON));
	kit_wire_forget(&s->wire);
	kit_wait(2200);
	check_int(s->wire.messages, 0);

	/* The same call by another way is a loop. */
	kit_wire_forget(&s->wire);
	scene_say(s, "INVITE sip:95598@pb.test SIP/2.0\n" VIA "other\n" FROM TO ME
		     "Call-ID: again\nCSeq: 1 INVITE\n" EMPTY);
	check(kit_wire_gets(&s->wire, "482 Loop Detected", SOON));

	/* An old CSeq inside the call. */
	scene_inside(s, "INFO", "again", tag, 1, "", "");
	check(kit_wire_gets(&s->wire, "500 Out of Order", SOON));
	scene_inside(s, "DANCE", "again", tag, 5, "", "");
	check(kit_wire_gets(&s->wire, "501 ", SOON));
	scene_inside(s, "OPTIONS", "again", tag, 6, "", "");
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(scene_end(s));
}

static void hold_in_all_its_dialects(void)
{
	static const struct {
		const char *sdp;
		enum sip_direction ours;
		bool held;
	} row[] = {
		{AUDIO PCMU_A "a=sendonly\n", SIP_RECVONLY, true},
		{AUDIO PCMU_A "a=inactive\n", SIP_INACTIVE, true},
		{"v=0\no=- 1 3 IN IP4 1.1.1.1\ns=-\nc=IN IP4 0.0.0.0\nt=0 0\n" PCMU_A, SIP_INACTIVE,
		 true},
		{"v=0\no=- 1 3 IN IP4 1.1.1.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\na=sendonly\n" PCMU_A,
		 SIP_RECVONLY, true},
		{AUDIO PCMU_A "a=recvonly\n", SIP_SENDONLY, false},
		{AUDIO PCMU_A, SIP_SENDRECV, false},
	};
	struct scene *s = scene_new();
	char tag[64];
	int cseq = 1;

	scene_invite(s, "hold", cseq, "", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(scene_to_tag(s, tag, sizeof(tag)));
	scene_inside(s, "ACK", "hold", tag, cseq, "", "");

	struct kit_call *in = kit_last(&s->board);

	check(kit_until(&in->answered, 1, SOON));
	for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		scene_inside(s, i % 2 ? "UPDATE" : "INVITE", "hold", tag, ++cseq, "", row[i].sdp);
		if (!kit_wire_gets(&s->wire, "200 OK", SOON))
			printf("row %u:\n%s\n", i, s->wire.got);
		check(strstr(s->wire.got, "200 OK") != NULL);
		if (i % 2 == 0)
			scene_inside(s, "ACK", "hold", tag, cseq, "", "");
		check(kit_until(&in->media, i + 1, SOON));
		check_int(in->remote.direction, row[i].ours);
		check_int(in->remote.held, row[i].held);
		kit_wait(5);
	}
	check(scene_end(s));
}

static void offers_with_more_than_audio(void)
{
	struct scene *s = scene_new();

	scene_invite(s, "video", 1, "",
		     AUDIO "m=audio 4000 RTP/AVP 18 8 97\na=rtpmap:97 telephone-event/8000\n"
			   "a=rtcp:5001 IN IP4 127.0.0.2\na=ptime:30\n"
			   "m=video 4002 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
			   "m=application 4004 TCP/BFCP *\n");
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(strstr(s->wire.got, "m=video 0 RTP/AVP") != NULL);
	check(strstr(s->wire.got, "m=application 0 TCP/BFCP") != NULL);
	check(strstr(s->wire.got, "RTP/AVP 8 97\r\n") != NULL);

	const struct sip_media *m = sip_call_remote(kit_last(&s->board)->call);

	check(m != NULL);
	check_int(m->codecs, 1);
	check_str(m->codec[0].name, "PCMA");
	check_int(m->dtmf_pt, 97);
	check_int(m->ptime_ms, 30);
	check_int(m->rtcp_port, 5001);
	check_str(m->rtcp_ip, "127.0.0.2");
	check(scene_end(s));
}

static void session_timers(void)
{
	struct scene *s = scene_new();
	char tag[64];

	scene_invite(s, "short", 1, "Supported: timer\nSession-Expires: 20\n", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "422 Session Interval", SOON));
	check(strstr(s->wire.got, "Min-SE: 90") != NULL);

	/* The caller can: it refreshes. */
	scene_invite(s, "fits", 1, "Supported: timer\nSession-Expires: 120\n", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(strstr(s->wire.got, "Session-Expires: 120;refresher=uac") != NULL);
	check(strstr(s->wire.got, "Require: timer") != NULL);
	check(scene_to_tag(s, tag, sizeof(tag)));
	scene_inside(s, "ACK", "fits", tag, 1, "", "");
	check(kit_until(&kit_last(&s->board)->answered, 1, SOON));
	check(!kit_last(&s->board)->call->we_refresh);
	scene_inside(s, "UPDATE", "fits", tag, 2,
		     "Supported: timer\nSession-Expires: 100;refresher=uas\n", "");
	check(kit_wire_gets(&s->wire, "Session-Expires: 100;refresher=uas", SOON));
	check(kit_last(&s->board)->call->we_refresh);
	check_int(kit_last(&s->board)->media, 0);
	check(scene_end(s));
}

/* Answer the request the wire got last: its Via, From, To, Call-ID and CSeq back, with our lines. */
static void reply_as(struct scene *s, const char *status, const char *tag, const char *lines)
{
	static const char *const names[] = {"Via: ", "From: ", "Call-ID: ", "CSeq: "};
	char text[4096];
	size_t n = (size_t)re_snprintf(text, sizeof(text), "SIP/2.0 %s\n", status);
	const char *p;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		p = strstr(s->wire.got, names[i]);
		if (p)
			n += (size_t)re_snprintf(text + n, sizeof(text) - n, "%b\n", p,
						 strcspn(p, "\r"));
	}
	p = strstr(s->wire.got, "To: ");
	if (p)
		n += (size_t)re_snprintf(text + n, sizeof(text) - n, "%b;tag=%s\n", p,
					 strcspn(p, "\r;"), tag);
	(void)re_snprintf(text + n, sizeof(text) - n, "%s%s", lines,
			  strstr(lines, "Content-Length") ? "" : EMPTY);
	kit_wire_forget(&s->wire);
	scene_say(s, text);
}

static void reply(struct scene *s, const char *status, const char *lines)
{
	reply_as(s, status, "w", lines);
}

static struct kit_call *call_the_wire(struct scene *s, uint32_t ring_timeout_ms)
{
	char uri[64];
	struct sip_invite inv = {.uri = uri, .from_user = "1", .ring_timeout_ms = ring_timeout_ms};

	(void)re_snprintf(uri, sizeof(uri), "sip:w@127.0.0.1:%u", (unsigned)s->wire.port);
	kit_wire_forget(&s->wire);
	return kit_dial(&s->board, &inv);
}

/* A CANCEL that comes after the answer is told 200 and changes nothing; one that comes in time may say why. */
static void cancels_late_and_with_a_reason(void)
{
	struct scene *s = scene_new();
	char tag[64];

	scene_invite(s, "late", 1, "", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(scene_to_tag(s, tag, sizeof(tag)));
	kit_wire_forget(&s->wire);
	scene_say(s, "CANCEL sip:95598@pb.test SIP/2.0\n" VIA "late1\n" FROM TO
		     "Call-ID: late\nCSeq: 1 CANCEL\n" EMPTY);
	check(kit_wire_gets(&s->wire, "1 CANCEL", SOON));
	check(strstr(s->wire.got, "SIP/2.0 200 OK") != NULL);
	scene_inside(s, "ACK", "late", tag, 1, "", "");
	check(kit_until(&kit_last(&s->board)->answered, 1, SOON));
	check_int(kit_last(&s->board)->closed, 0);
	kit_wire_forget(&s->wire);
	scene_say(s, "CANCEL sip:95598@pb.test SIP/2.0\n" VIA "other\n" FROM TO
		     "Call-ID: late\nCSeq: 1 CANCEL\n" EMPTY);
	check(kit_wire_gets(&s->wire, "481 ", SOON));

	s->board.mood = KIT_RING;
	scene_invite(s, "why", 1, "", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "180 Ringing", SOON));
	scene_say(s, "CANCEL sip:95598@pb.test SIP/2.0\n" VIA "why1\n" FROM TO
		     "Call-ID: why\nCSeq: 1 CANCEL\n"
		     "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\n" EMPTY);
	check(kit_wire_gets(&s->wire, "487 Request Terminated", SOON));
	check(kit_until(&kit_last(&s->board)->closed, 1, SOON));
	check_int(kit_last(&s->board)->cause, SIP_CAUSE_ELSEWHERE);
	check_str(kit_last(&s->board)->text, "Call completed elsewhere");
	check(scene_end(s));
}

static void a_cancel_says_why(void)
{
	struct scene *s = scene_new();
	struct kit_call *k = call_the_wire(s, 0);

	check(kit_wire_gets(&s->wire, "INVITE sip:w@127.0.0.1", SOON));

	/* Before any answer there is nothing to cancel (RFC 3261, 9.1). */
	char invite_got[KIT_TEXT];

	memcpy(invite_got, s->wire.got, sizeof(invite_got));
	sip_call_end(k->call, 0, 19, "nobody there");
	check(kit_until(&k->closed, 1, SOON));
	kit_wire_forget(&s->wire);
	kit_wait(100);
	check(strstr(s->wire.got, "CANCEL") == NULL);

	memcpy(s->wire.got, invite_got, sizeof(invite_got));
	reply(s, "180 Ringing", "");
	check(kit_wire_gets(&s->wire, "CANCEL sip:w@127.0.0.1", SOON));

	/* The usual order: it rings first. */
	k = call_the_wire(s, 0);
	check(kit_wire_gets(&s->wire, "INVITE sip:w@127.0.0.1", SOON));
	memcpy(invite_got, s->wire.got, sizeof(invite_got));
	reply(s, "180 Ringing", "");
	check(kit_until(&k->ringing, 1, SOON));
	sip_call_end(k->call, 0, 19, "nobody there");
	check(kit_wire_gets(&s->wire, "CANCEL sip:w@127.0.0.1", SOON));
	check(strstr(s->wire.got, "Reason: Q.850;cause=19;text=\"nobody there\"") != NULL);
	reply(s, "200 OK", "");
	memcpy(s->wire.got, invite_got, sizeof(invite_got));
	reply(s, "487 Request Terminated", "");
	check(kit_wire_gets(&s->wire, "ACK sip:w@127.0.0.1", SOON));
	check(scene_end(s));
}

/* Nobody answers a 2xx without a Contact or a body that can be used: the call must not hang. */
static void answers_that_cannot_be_used(void)
{
	struct scene *s = scene_new();
	struct kit_call *k = call_the_wire(s, 0);

	check(kit_wire_gets(&s->wire, "INVITE sip:w@127.0.0.1", SOON));
	reply(s, "200 OK", "");
	check(kit_until(&k->closed, 1, SOON));
	check_int(k->cause, 88);

	k = call_the_wire(s, 0);
	check(kit_wire_gets(&s->wire, "INVITE sip:w@127.0.0.1", SOON));
	reply(s, "200 OK", "Contact: <sip:w@127.0.0.1:@PORT@>\n");
	check(kit_wire_gets(&s->wire, "ACK sip:w@127.0.0.1", SOON));
	check(kit_wire_gets(&s->wire, "BYE sip:w@127.0.0.1", SOON));
	check(kit_until(&k->closed, 1, SOON));
	check_int(k->cause, 88);
	check_int(k->answered, 0);

	/* Elsewhere: we do not follow, the owner is told. */
	k = call_the_wire(s, 0);
	check(kit_wire_gets(&s->wire, "INVITE sip:w@127.0.0.1", SOON));
	reply(s, "302 Moved Temporarily", "Contact: <sip:x@127.0.0.1>\n");
	check(kit_until(&k->closed, 1, SOON));
	check_int(k->status, 302);
	check(scene_end(s));
}

/* How often `what` stands in what the wire got. */
static unsigned times(const struct scene *s, const char *what)
{
	unsigned n = 0;

	for (const char *p = strstr(s->wire.got, what); p; p = strstr(p + 1, what))
		n++;
	return n;
}

static void an_answer_comes_twice_and_from_two(void)
{
	struct scene *s = scene_new();
	struct kit_call *k = call_the_wire(s, 0);
	char invite_got[KIT_TEXT];
	static const char answer[] = "Contact: <sip:w@127.0.0.1:@PORT@>\n"
				     "Content-Type: application/sdp\nContent-Length: 83\n\n"
				     "v=0\no=- 1 1 IN IP4 1.1.1.1\ns=-\nc=IN IP4 1.1.1.1\nt=0 0\n"
				     "m=audio 4000 RTP/AVP 0\n";

	check(kit_wire_gets(&s->wire, "INVITE sip:w@127.0.0.1", SOON));
	memcpy(invite_got, s->wire.got, sizeof(invite_got));
	reply(s, "200 OK", answer);
	check(kit_until(&k->answered, 1, SOON));
	check(kit_wire_gets(&s->wire, "ACK sip:w@127.0.0.1", SOON));

	/* Our ACK was lost. */
	memcpy(s->wire.got, invite_got, sizeof(invite_got));
	reply(s, "200 OK", answer);
	check(kit_wire_gets(&s->wire, "ACK sip:w@127.0.0.1", SOON));

	/* A proxy behind us has sent it to two phones, and the second picks up, too. */
	memcpy(s->wire.got, invite_got, sizeof(invite_got));
	reply_as(s, "200 OK", "second", "Contact: <sip:second@127.0.0.1:@PORT@>\n");
	check(kit_wire_gets(&s->wire, "ACK sip:second@127.0.0.1", SOON));
	check(kit_wire_gets(&s->wire, "BYE sip:second@127.0.0.1", SOON));
	check_int(k->closed, 0);
	check(scene_end(s));
}

static void offers_that_meet(void)
{
	struct scene *s = scene_new();
	char tag[64];

	scene_invite(s, "meet", 1, "", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(scene_to_tag(s, tag, sizeof(tag)));

	/* A new offer before the ACK of the first. */
	scene_inside(s, "INVITE", "meet", tag, 2, "", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "500 Too Early", SOON));
	scene_inside(s, "ACK", "meet", tag, 1, "", "");

	struct kit_call *in = kit_last(&s->board);

	check(kit_until(&in->answered, 1, SOON));
	kit_wire_forget(&s->wire);
	check_int(sip_call_modify(in->call, &s->board.local), 0);
	check(kit_wire_gets(&s->wire, "INVITE sip:caller@127.0.0.1", SOON));

	char invite_got[KIT_TEXT];

	memcpy(invite_got, s->wire.got, sizeof(invite_got));
	scene_inside(s, "INVITE", "meet", tag, 3, "", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "491 Request Pending", SOON));
	memcpy(s->wire.got, invite_got, sizeof(invite_got));
	reply(s, "491 Request Pending", "");
	check(kit_wire_gets(&s->wire, "INVITE sip:caller@127.0.0.1", 2500));
	check_int(in->failed, 0);
	check(scene_end(s));
}

static void the_bye_waits_for_the_ack(void)
{
	struct scene *s = scene_new();
	char tag[64];

	scene_invite(s, "wait", 1, "", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(scene_to_tag(s, tag, sizeof(tag)));
	sip_call_end(kit_last(&s->board)->call, 0, 16, "enough");
	check(kit_until(&kit_last(&s->board)->closed, 1, SOON));
	kit_wait(100);
	check_int(times(s, "BYE sip:"), 0);
	scene_inside(s, "ACK", "wait", tag, 1, "", "");
	check(kit_wire_gets(&s->wire, "BYE sip:caller@127.0.0.1", SOON));
	reply(s, "200 OK", "");
	kit_wait(50);

	struct sip_stack_stats st;

	sip_stack_stats(s->board.stack, &st);
	check_int(st.dialogs_now, 0);
	check(scene_end(s));
}

static void refers_by_hand(void)
{
	struct scene *s = scene_new();
	char tag[64], line[256];

	scene_invite(s, "refer", 1, "", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(scene_to_tag(s, tag, sizeof(tag)));
	scene_inside(s, "ACK", "refer", tag, 1, "", "");

	struct kit_call *in = kit_last(&s->board);

	check(kit_until(&in->answered, 1, SOON));
	scene_inside(s, "REFER", "refer", tag, 2, "", "");
	check(kit_wire_gets(&s->wire, "400 Bad Refer-To", SOON));
	scene_inside(s, "REFER", "refer", tag, 3, "Refer-To: <sip:1@x>\nRefer-To: <sip:2@x>\n", "");
	check(kit_wire_gets(&s->wire, "400 Bad Refer-To", SOON));

	/* Replaces that names this very call joins it to nobody. */
	(void)re_snprintf(
		line, sizeof(line),
		"Refer-To: <sip:10%%302@pb.test?Replaces=refer%%3Bto-tag%%3D%s%%3Bfrom-tag%%3Df"
		"&x=y>\nReferred-By: <sip:me@x>\n",
		tag);
	scene_inside(s, "REFER", "refer", tag, 4, line, "");
	check(kit_wire_gets(&s->wire, "202 Accepted", SOON));
	check(kit_wire_gets(&s->wire, "NOTIFY sip:caller@127.0.0.1", SOON));
	check(strstr(s->wire.got, "SIP/2.0 100 Trying") != NULL);
	check_int(in->refer, 1);
	check_str(in->refer_user, "1002");
	check(in->refer_attended);
	check(in->refer_with == NULL);

	/* One at a time. */
	scene_inside(s, "REFER", "refer", tag, 5, "Refer-To: <sip:1003@pb.test>\n", "");
	check(kit_wire_gets(&s->wire, "491 Request Pending", SOON));
	check_int(sip_call_refer_progress(in->call, 200, "OK"), 0);
	check(kit_wire_gets(&s->wire, "Subscription-State: terminated", SOON));

	/* A phone that wants no NOTIFY gets none (RFC 4488). */
	scene_inside(s, "REFER", "refer", tag, 6,
		     "Refer-Sub: false\nRefer-To: <sip:1003@pb.test>\n", "");
	check(kit_wire_gets(&s->wire, "Refer-Sub: false", SOON));
	check_int(sip_call_refer_progress(in->call, 200, "OK"), 0);
	kit_wait(50);
	check_int(times(s, "NOTIFY"), 0);
	check(scene_end(s));
}

static void short_sessions(struct sip_stack_config *cfg)
{
	cfg->limits.session_min_s = 1;
}

/* Who must refresh and does not, is hung up on; when it is ours to do, we do. */
static void sessions_run_out(void)
{
	struct scene *s = scene_new();
	char tag[64];

	kit_close(&s->board);
	check_int(kit_open(&s->board, short_sessions), 0);
	scene_invite(s, "theirs", 1, "Supported: timer\nSession-Expires: 2;refresher=uac\n",
		     AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(scene_to_tag(s, tag, sizeof(tag)));
	scene_inside(s, "ACK", "theirs", tag, 1, "", "");
	check(kit_wire_gets(&s->wire, "BYE sip:caller@127.0.0.1", 2500));
	check(strstr(s->wire.got, "Reason: Q.850;cause=102") != NULL);
	check_int(kit_last(&s->board)->cause, 102);

	scene_invite(s, "ours", 1,
		     "Supported: timer\nAllow: INVITE, UPDATE\nSession-Expires: 2;refresher=uas\n",
		     AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "refresher=uas", SOON));
	check(scene_to_tag(s, tag, sizeof(tag)));
	scene_inside(s, "ACK", "ours", tag, 1, "", "");
	check(kit_wire_gets(&s->wire, "UPDATE sip:caller@127.0.0.1", 2500));
	check(strstr(s->wire.got, "Session-Expires: 2;refresher=uac") != NULL);
	reply(s, "200 OK", "Session-Expires: 2;refresher=uac\n");
	check(kit_wire_gets(&s->wire, "UPDATE sip:caller@127.0.0.1", 2500));
	check_int(kit_last(&s->board)->closed, 0);

	/* The peer has forgotten the call. */
	reply(s, "481 Call Does Not Exist", "");
	check(kit_until(&kit_last(&s->board)->closed, 1, SOON));
	check_int(kit_last(&s->board)->cause, 27);
	check(scene_end(s));
}

static void keys_by_info_in_dialects(void)
{
	static const struct {
		const char *type, *body, *answer;
		char digit;
	} row[] = {
		{"application/dtmf-relay", "Signal=5\nDuration=160\n", "200 OK", '5'},
		{"application/dtmf-relay", "Signal= *\n", "200 OK", '*'},
		{"application/dtmf", "#", "200 OK", '#'},
		{"application/dtmf-relay", "Signal=d\n", "200 OK", 'D'},
		{"application/dtmf-relay", "Duration=1\n", "415 ", 0},
		{"application/dtmf", "z", "415 ", 0},
		{"text/plain", "1", "415 ", 0},
	};
	struct scene *s = scene_new();
	char tag[64], lines[128];
	unsigned heard = 0;

	scene_invite(s, "keys", 1, "", AUDIO PCMU_A);
	check(kit_wire_gets(&s->wire, "200 OK", SOON));
	check(scene_to_tag(s, tag, sizeof(tag)));
	scene_inside(s, "ACK", "keys", tag, 1, "", "");
	for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		(void)re_snprintf(lines, sizeof(lines), "Content-Type: %s\n", row[i].type);
		scene_inside(s, "INFO", "keys", tag, 2 + (int)i, lines, row[i].body);
		check(kit_wire_gets(&s->wire, row[i].answer, SOON));
		heard += row[i].digit ? 1 : 0;
		check_int(kit_last(&s->board)->dtmf, heard);
		if (row[i].digit)
			check_int(kit_last(&s->board)->digit, row[i].digit);
	}
	check(scene_end(s));
}

static void names_cannot_forge_the_log(void)
{
	struct scene *s = scene_new();

	kit_wire_forget(&s->wire);
	scene_say(s, "INVITE sip:95%0a%0d598@pb.test SIP/2.0\n" VIA "n1\n"
		     "From: \"Eve\\\" \x1b[31m\" <sip:e%00ve%1b@far.test>;tag=f\n" TO ME
		     "Call-ID: names\x01x\nCSeq: 1 INVITE\nUser-Agent: x\x07y\n" EMPTY);
	check(kit_wire_gets(&s->wire, "200 OK", SOON));

	const struct sip_call_info *i = &kit_last(&s->board)->info;

	check_str(i->to_user, "95..598");
	check_str(i->from_user, "e.ve.");
	check_str(i->user_agent, "x.y");
	check_str(i->call_id, "names.x");

	/* The call is found again by what was on the wire. */
	char tag[64];

	check(scene_to_tag(s, tag, sizeof(tag)));
	scene_inside(s, "ACK", "names\x01x", tag, 1, "", "");
	scene_inside(s, "BYE", "names\x01x", tag, 2, "", "");
	check(kit_until(&kit_last(&s->board)->closed, 1, SOON));
	check(strchr(i->from_display, 0x1b) == NULL);
	check(scene_end(s));
}

static const struct check_case cases[] = {
	CHECK_CASE(torture_messages),
	CHECK_CASE(broken_messages),
	CHECK_CASE(rubbish_is_counted),
	CHECK_CASE(pings_and_the_unreadable),
	CHECK_CASE(limits_per_source),
	CHECK_CASE(a_call_without_an_offer),
	CHECK_CASE(an_answer_that_is_none),
	CHECK_CASE(an_early_answer_is_the_answer),
	CHECK_CASE(repeated_and_lost),
	CHECK_CASE(hold_in_all_its_dialects),
	CHECK_CASE(offers_with_more_than_audio),
	CHECK_CASE(session_timers),
	CHECK_CASE(cancels_late_and_with_a_reason),
	CHECK_CASE(a_cancel_says_why),
	CHECK_CASE(answers_that_cannot_be_used),
	CHECK_CASE(an_answer_comes_twice_and_from_two),
	CHECK_CASE(offers_that_meet),
	CHECK_CASE(the_bye_waits_for_the_ack),
	CHECK_CASE(refers_by_hand),
	CHECK_CASE(sessions_run_out),
	CHECK_CASE(keys_by_info_in_dialects),
	CHECK_CASE(names_cannot_forge_the_log),
};
CHECK_MAIN(cases)
