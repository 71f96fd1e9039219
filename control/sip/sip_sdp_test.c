/* SPDX-License-Identifier: Apache-2.0
 *
 * Offer and answer between two sides, and descriptions that must be refused without harm.
 */
#include <errno.h>
#include <string.h>

#include <re.h>

#include "check.h"
#include "sip/sip_call.h"
#include "sip/sip_sdp.h"

static struct mbuf *text_of(const char *s)
{
	struct mbuf *mb = mbuf_alloc(strlen(s) + 1);

	(void)mbuf_write_str(mb, s);
	mb->pos = 0;
	return mb;
}

static int take(struct sip_sdp *s, const char *text)
{
	struct mbuf *mb = text_of(text);
	int err = sip_sdp_take_offer(s, mb);

	mem_deref(mb);
	return err;
}

static struct sip_sdp *side(uint16_t port)
{
	struct sip_sdp *s = NULL;
	struct sip_media m;

	(void)sip_sdp_new(&s);
	(void)sip_media_local(&m, "192.0.2.1", port);
	(void)sip_sdp_set_local(s, &m);
	return s;
}

static bool says(const struct mbuf *mb, const char *what)
{
	return memmem(mbuf_buf(mb), mbuf_get_left(mb), what, strlen(what)) != NULL;
}

static void two_sides_agree(void)
{
	struct sip_sdp *a = side(4000), *b = side(5000);
	struct mbuf *offer = NULL, *answer = NULL;
	struct sip_media m;

	check_int(sip_sdp_make_offer(a, &offer), 0);
	check(says(offer, "m=audio 4000 RTP/AVP 8 0 101\r\n"));
	check(says(offer, "c=IN IP4 192.0.2.1\r\n"));
	check(says(offer, "a=ptime:20\r\n"));
	check_int(sip_sdp_peek(offer, &m), 0);
	check_int(m.codecs, 2);
	check_int(sip_sdp_take_offer(b, offer), 0);
	check_int(sip_sdp_make_answer(b, &answer), 0);
	check_int(sip_sdp_take_answer(a, answer), 0);
	check_int(sip_sdp_remote(a)->port, 5000);
	check_int(sip_sdp_remote(b)->port, 4000);
	check_str(sip_sdp_remote(a)->codec[0].name, "PCMA");
	check_int(sip_sdp_remote(a)->codec[0].pt, 8);
	mem_deref(offer);
	mem_deref(answer);
	mem_deref(a);
	mem_deref(b);
}

/* Each description of one side is one version further (RFC 3264, 8). */
static void versions_go_up(void)
{
	struct sip_sdp *a = side(4000);
	struct mbuf *one = NULL, *two = NULL;
	struct pl v1, v2;

	check_int(sip_sdp_make_offer(a, &one), 0);
	check_int(sip_sdp_make_offer(a, &two), 0);
	check_int(re_regex((char *)one->buf, one->end, "o=- [0-9]+ [0-9]+", NULL, &v1), 0);
	check_int(re_regex((char *)two->buf, two->end, "o=- [0-9]+ [0-9]+", NULL, &v2), 0);
	check_int(pl_u32(&v2), pl_u32(&v1) + 1);
	mem_deref(one);
	mem_deref(two);
	mem_deref(a);
}

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"

/* What peers say of their codecs (fmtp), of packet lengths, and of streams that we do not have. */
static void what_offers_say(void)
{
	static const char offer[] =
		"v=0\r\no=- 1 1 IN IP6 2001:db8::9\r\ns=-\r\nc=IN IP6 2001:db8::9\r\nt=0 0\r\n"
		"m=audio 4000 RTP/AVP 111 18 0 13 101\r\na=rtpmap:111 opus/48000/2\r\n"
		"a=fmtp:111 maxplaybackrate=8000; maxaveragebitrate=24000;useinbandfec=1; "
		"usedtx=1\r\n"
		"a=fmtp:18 annexb=no\r\na=rtpmap:13 CN/8000\r\na=rtpmap:101 "
		"telephone-event/8000\r\n"
		"a=fmtp:101 0-15\r\na=ptime:30\r\na=maxptime:40\r\n"
		"m=video 4002 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
		"m=image 4004 udptl t38\r\nm=application 4006 TCP/BFCP *\r\n"
		"m=message 4008 TCP/MSRP *\r\n";
	static const char *const names[] = {"opus", "G729", "PCMU"};
	struct sip_sdp *s = NULL;
	struct mbuf *answer = NULL;
	struct sip_media m;
	const struct sip_media *r;

	(void)sip_sdp_new(&s);
	check_int(sip_media_local(&m, "2001:db8::1", 5000), 0);
	check_int(sip_media_allow(&m, names, 3), 0);
	m.noise = true;
	m.noise_pt = 13;
	check_int(sip_sdp_set_local(s, &m), 0);
	check_int(take(s, offer), 0);
	r = sip_sdp_remote(s);
	check_str(r->ip, "2001:db8::9");
	check_int(r->codecs, 3);
	check_str(r->codec[0].name, "opus");
	check_int(r->codec[0].rate_max_hz, 8000);
	check_int(r->codec[0].bits_per_s, 24000);
	check(r->codec[0].fec);
	check(r->codec[0].dtx);
	check_str(r->codec[1].name, "G729");
	check(!r->codec[1].dtx); /* annexb=no: no silence descriptions to it */
	check(r->noise);
	check_int(r->noise_pt, 13);
	check(r->dtmf);
	check_int(r->ptime_ms, 30);
	check_int(r->ptime_max_ms, 40);
	check_int(sip_media_ptime(r), 30);
	check_int(sip_sdp_make_answer(s, &answer), 0);
	check(says(answer, "c=IN IP6 2001:db8::1\r\n"));
	check(says(answer, "m=video 0 RTP/AVP"));
	check(says(answer, "m=image 0 udptl"));
	check(says(answer, "m=application 0 TCP/BFCP"));
	check(says(answer, "m=message 0 TCP/MSRP"));
	mem_deref(answer);

	/* Nothing said: annexb is yes (RFC 4856), no limits; a ptime beyond all packets is none. */
	check_int(take(s, HEAD "m=audio 4000 RTP/AVP 18 0\r\na=ptime:2000\r\na=maxptime:5\r\n"), 0);
	r = sip_sdp_remote(s);
	check(r->codec[0].dtx);
	check_int(r->ptime_ms, 0);
	check_int(r->ptime_max_ms, 0);
	check_int(sip_media_ptime(r), 20);
	check(!r->noise);
	check(!r->dtmf);

	/* A line of a declined stream that says nothing does no harm. */
	check_int(take(s, HEAD "m=audio 4000 RTP/AVP 0\nm=video 3227 RTP/AVP 31\na=rtpmap:31 LPC"),
		  0);
	check_int(sip_sdp_remote(s)->port, 4000);
	mem_deref(s);
}

/* A bad offer leaves what was settled, and the next good one works. */
static void bad_offers_change_nothing(void)
{
	static const struct {
		const char *text;
		int err;
	} row[] = {
		{"", -EBADMSG},
		{"hello", -EBADMSG},
		{"v=1\r\nm=audio 1 RTP/AVP 0\r\n", -EBADMSG},
		{HEAD, -ENOTSUP},
		{HEAD "m=video 4 RTP/AVP 0\r\n", -ENOTSUP},
		{HEAD "m=audio 4 RTP/SAVP 0\r\n", -ENOTSUP},
		{HEAD "m=audio 0 RTP/AVP 0\r\n", -ENOTSUP},
		{HEAD "m=audio 4 RTP/AVP 18\r\n", -ENOTSUP},
		{HEAD "m=audio 4 RTP/AVP 8x\r\n", -ENOTSUP},
		{HEAD "m=audio 4 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n", -ENOTSUP},
		{HEAD "m=video 4 RTP/AVP 96\r\nm=audio 4 RTP/AVP 0\r\n", -ENOTSUP}, /* order */
		{HEAD "m=audio 4\r\n", -EBADMSG},
		{"v=0\r\no=- 1 1 IN IP4 a\r\ns=-\r\nc=IN IP4 host.example\r\nt=0 0\r\nm=audio 4 "
		 "RTP/AVP 0\r\n",
		 -ENOTSUP},
		{HEAD "m=audio 1 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\n"
		      "m=audio 1 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\n"
		      "m=audio 1 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\n",
		 -EBADMSG},
	};
	struct sip_sdp *s = side(4000);

	check_int(take(s, HEAD "m=audio 7000 RTP/AVP 0\r\n"), 0);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		int err = take(s, row[i].text);

		if (err != row[i].err)
			printf("row %zu\n", i);
		check_int(err, row[i].err);
		check_int(sip_sdp_remote(s)->port, 7000);
	}
	check_int(take(s, HEAD "m=audio 7002 RTP/AVP 8\r\n"), 0);
	check_int(sip_sdp_remote(s)->port, 7002);
	check_str(sip_sdp_remote(s)->codec[0].name, "PCMA");
	mem_deref(s);
}

static void odd_but_good(void)
{
	struct sip_sdp *s = side(4000);
	struct mbuf *answer = NULL;

	/* No CRLF at the end, bare LF, a payload type of the peer's own choice, IPv6, AVPF. */
	check_int(take(s, "v=0\no=- 1 1 IN IP6 2001:db8::1\ns=-\nc=IN IP6 2001:db8::1\nt=0 0\n"
			  "m=audio 7000 RTP/AVPF 111 96\na=rtpmap:111 PCMA/8000\n"
			  "a=rtpmap:96 telephone-event/8000\na=sendonly"),
		  0);
	check_str(sip_sdp_remote(s)->ip, "2001:db8::1");
	check_int(sip_sdp_remote(s)->codec[0].pt, 111);
	check_str(sip_sdp_remote(s)->codec[0].name, "PCMA");
	check_int(sip_sdp_remote(s)->dtmf_pt, 96);
	check_int(sip_sdp_remote(s)->direction, SIP_RECVONLY);
	check(sip_sdp_remote(s)->held);
	check_int(sip_sdp_make_answer(s, &answer), 0);
	check(says(answer, "m=audio 4000 RTP/AVPF 111 96\r\n"));
	check(says(answer, "a=recvonly\r\n"));
	mem_deref(answer);

	/* Comfort noise and unknown dynamic types are not codecs. */
	check_int(take(s, HEAD "m=audio 7000 RTP/AVP 13 0 120\r\na=rtpmap:13 CN/8000\r\n"
			       "a=rtpmap:120 speex/8000\r\n"),
		  0);
	check_int(sip_sdp_remote(s)->codecs, 1);
	check_str(sip_sdp_remote(s)->codec[0].name, "PCMU");
	mem_deref(s);
}

static void local_sides_that_cannot_be(void)
{
	struct sip_sdp *s = NULL;
	struct sip_media m;

	check_int(sip_sdp_new(&s), 0);
	check_int(sip_media_local(&m, "192.0.2.1", 0), 0);
	check_int(sip_sdp_set_local(s, &m), -EINVAL);
	check_int(sip_media_local(&m, "not an address", 1), 0);
	check_int(sip_sdp_set_local(s, &m), -EINVAL);
	check_int(sip_media_local(&m, "192.0.2.1", 1), 0);
	m.codecs = 0;
	check_int(sip_sdp_set_local(s, &m), -EINVAL);
	check(sip_sdp_local(s) == NULL);
	check(sip_sdp_remote(s) == NULL);
	check_int(sip_media_add_codec(&m, "", 1, 8000), -EINVAL);
	mem_deref(s);
}

#define KEY  "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define SAVP HEAD "m=audio 6000 RTP/SAVP 0\r\n"
#define AVP  HEAD "m=audio 6000 RTP/AVP 0\r\n"

static struct sip_sdp *encrypted_side(enum sip_srtp policy, uint8_t first, uint8_t second)
{
	struct sip_sdp *s = NULL;
	struct sip_media m;

	(void)sip_sdp_new(&s);
	(void)sip_media_local(&m, "192.0.2.1", 4000);
	m.srtp = policy;
	m.srtp_suites = 2;
	m.srtp_suite_list[0] = first;
	m.srtp_suite_list[1] = second;
	(void)sip_sdp_set_local(s, &m);
	return s;
}

/* What each policy makes of each offer: how the answer begins its m= line, or NULL: refused. */
static void policies_and_offers(void)
{
	static const struct {
		enum sip_srtp policy;
		const char *offer;
		const char *answer;
		uint8_t suite;
	} v[] = {
		{SIP_SRTP_OFF, AVP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n", "RTP/AVP", 0},
		{SIP_SRTP_OFF, SAVP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n", NULL, 0},
		{SIP_SRTP_OPTIONAL, AVP, "RTP/AVP", 0},
		{SIP_SRTP_OPTIONAL, AVP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n", "RTP/AVP",
		 1},
		{SIP_SRTP_OPTIONAL, SAVP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n",
		 "RTP/SAVP", 1},
		{SIP_SRTP_OPTIONAL, SAVP, NULL, 0},
		{SIP_SRTP_REQUIRED, AVP, NULL, 0},
		{SIP_SRTP_REQUIRED, SAVP "a=crypto:7 AES_CM_128_HMAC_SHA1_80 " KEY "|2^20|1:4\r\n",
		 "RTP/SAVP", 1},
		/* Unknown suite, parameter that changes the packets, broken key. */
		{SIP_SRTP_REQUIRED, SAVP "a=crypto:1 F8_128_HMAC_SHA1_80 " KEY "\r\n", NULL, 0},
		{SIP_SRTP_REQUIRED,
		 SAVP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY " UNENCRYPTED_SRTP\r\n", NULL, 0},
		{SIP_SRTP_REQUIRED, SAVP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA\r\n", NULL,
		 0},
		/* Our order decides: 2 before 1. */
		{SIP_SRTP_REQUIRED,
		 SAVP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY
		      "\r\na=crypto:2 AES_CM_128_HMAC_SHA1_32 " KEY " WSH=64\r\n",
		 "RTP/SAVP", 2},
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct sip_sdp *s = encrypted_side(v[i].policy, 2, 1);
		struct mbuf *answer = NULL;
		int err = take(s, v[i].offer);

		if ((err == 0) != (v[i].answer != NULL))
			printf("offer %zu: %d\n", i, err);
		check_int(err == 0, v[i].answer != NULL);
		if (err == 0) {
			check_int(sip_sdp_remote(s)->srtp_agreed, v[i].suite);
			check_int(sip_sdp_make_answer(s, &answer), 0);
			check(says(answer, v[i].answer));
			check_int(says(answer, "a=crypto:"), v[i].suite != 0);
		}
		mem_deref(answer);
		mem_deref(s);
	}
}

static void keys_cross_over_and_stay(void)
{
	struct sip_sdp *a = encrypted_side(SIP_SRTP_REQUIRED, 5, 1),
		       *b = encrypted_side(SIP_SRTP_OPTIONAL, 1, 6);
	struct mbuf *offer = NULL, *answer = NULL, *again = NULL;
	char send[SIP_SRTP_KEY_MAX];

	check_int(sip_sdp_make_offer(a, &offer), 0);
	check(says(offer, "RTP/SAVP 8 0 101\r\n"));
	check(says(offer, "a=crypto:1 AEAD_AES_128_GCM inline:"));
	check(says(offer, "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:"));
	check_int(sip_sdp_take_offer(b, offer), 0);
	check_int(sip_sdp_make_answer(b, &answer), 0);
	check(says(answer, "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:"));
	check(!says(answer, "AEAD"));
	check_int(sip_sdp_take_answer(a, answer), 0);
	check_int(sip_sdp_remote(a)->srtp_agreed, 1);
	check_str(sip_sdp_remote(a)->srtp_send, sip_sdp_remote(b)->srtp_receive);
	check_str(sip_sdp_remote(b)->srtp_send, sip_sdp_remote(a)->srtp_receive);
	check(strcmp(sip_sdp_remote(a)->srtp_send, sip_sdp_remote(a)->srtp_receive) != 0);

	/* Offered again, with other media: the same keys, so the stream goes on. */
	struct sip_media local = *sip_sdp_local(a);

	memcpy(send, sip_sdp_remote(a)->srtp_send, sizeof(send));
	local.direction = SIP_SENDONLY;
	check_int(sip_sdp_set_local(a, &local), 0);
	check_int(sip_sdp_make_offer(a, &again), 0);
	check(says(again, send));
	/* An answer without keys is a way to be overheard. */
	struct mbuf *plain = text_of(AVP);

	check(sip_sdp_take_answer(a, plain) != 0);
	mem_deref(plain);
	mem_deref(offer);
	mem_deref(answer);
	mem_deref(again);
	mem_deref(a);
	mem_deref(b);
}

static void causes_and_statuses(void)
{
	check_int(sip_cause_of_status(486), 17);
	check_int(sip_cause_of_status(404), 1);
	check_int(sip_cause_of_status(480), 18);
	check_int(sip_cause_of_status(599), 41);
	check_int(sip_cause_of_status(499), 127);
	check_int(sip_cause_of_status(699), 21);
	check_int(sip_cause_of_status(200), 16);
	check_int(sip_status_of_cause(17), 486);
	check_int(sip_status_of_cause(1), 404);
	check_int(sip_status_of_cause(99), 480);
}

static const struct check_case cases[] = {
	CHECK_CASE(two_sides_agree),     CHECK_CASE(versions_go_up),
	CHECK_CASE(what_offers_say),     CHECK_CASE(bad_offers_change_nothing),
	CHECK_CASE(odd_but_good),        CHECK_CASE(local_sides_that_cannot_be),
	CHECK_CASE(policies_and_offers), CHECK_CASE(keys_cross_over_and_stay),
	CHECK_CASE(causes_and_statuses),
};
CHECK_MAIN(cases)
