/* SPDX-License-Identifier: Apache-2.0
 *
 * The torture messages of RFC 4475 and the IPv6 ones of RFC 5118, word for word but for lines too long to
 * print, and what we do with each. "486" is the board's own answer: the message was read and the call handed
 * over. NULL: no answer, and nothing else happens either.
 *
 * Answers go to the port of Via, which is 5060 almost everywhere; so the wire is at that port of a loopback
 * address of its own.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <re.h>

#include "check.h"
#include "sip/sip_priv.h"
#include "sip/sip_scene.h"

struct row {
	const char *name, *text, *answer;
};

#define SDP(ip)                                                                                    \
	"v=0\no=mhandley 29739 7272939 IN IP4 " ip "\ns=-\nc=IN IP4 " ip "\nt=0 0\n"               \
	"m=audio 49217 RTP/AVP 0 12\nm=video 3227 RTP/AVP 31\na=rtpmap:31 LPC\n"

/* clang-format off */
static const struct row rfc4475[] = {
	/* 3.1.1: valid */
	{"wsinv: folding and spaces everywhere; a tag of a dialog that we do not have",
	 "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\nTO :\n"
	 " sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\n"
	 "from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\n  ;\n  tag = 98asjd8\n"
	 "MaX-fOrWaRdS: 0068\nCall-ID: wsinv.ndaksdj@192.0.2.1\nContent-Length   : 150\ncseq: 0009\n"
	 "  INVITE\nVia  : SIP  /   2.0\n /UDP\n    192.0.2.2;branch=390skdjuw\ns :\n"
	 "NewFangledHeader:   newfangled value\n continued newfangled value\n"
	 "UnknownHeaderWithUnusualValue: ;;,,;;,;\nContent-Type: application/sdp\nRoute:\n"
	 " <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\n"
	 "v:  SIP  / 2.0  / TCP     spindle.example.com   ;\n  branch  =   z9hG4bK9ikj8  ,\n"
	 " SIP  /    2.0   / UDP  192.168.255.111   ; branch=\n z9hG4bK30239\n"
	 "m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\n      newvalue ;\n"
	 "  secondparam ; q = 0.33\n\n"
	 "v=0\no=mhandley 29739 7272939 IN IP4 192.0.2.3\ns=-\nc=IN IP4 192.0.2.4\nt=0 0\n"
	 "m=audio 49217 RTP/AVP 0 12\nm=video 3227 RTP/AVP 31\na=rtpmap:31 LPC\n", "481 "},
	{"intmeth: every character that may be",
	 "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
	 ":&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0\n"
	 "Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~\n"
	 "To: \"BEL:\\\x07 NUL:\\ DEL:\\\x7f\" <sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
	 "@example.com>\nFrom: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>"
	 ";fromParam''~+*_!.-%=\"\xd1\x80\xd0\xb0\xd0\xb1\xd0\xbe\xd1\x82\xd0\xb0\xd1\x8e\xd1\x89\xd0\xb8\xd0\xb9\""
	 ";tag=_token~1'+`*%!-.\nCall-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\n"
	 "CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\nMax-Forwards: 255\n"
	 "extensionHeader-!.%*+_`'~:\xef\xbb\xbf\xe5\xa4\xa7\xe5\x81\x9c\xe9\x9b\xbb\nContent-Length: 0\n\n", "501 "},
	{"esc01: escapes in the right places",
	 "INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0\nTo: sip:%75se%72@example.com\n"
	 "From: <sip:I%20have%20spaces@example.net>;tag=938\nMax-Forwards: 87\n"
	 "i: esc01.239409asdfakjkn23onasd0-3234\nCSeq: 234234 INVITE\n"
	 "Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bKkdjuw\nC: application/sdp\nContact:\n"
	 "  <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>\nContent-Length: 150\n\n"
	 SDP("192.0.2.1"), "486 "},
	{"escnull: escaped NULs",
	 "REGISTER sip:example.com SIP/2.0\nTo: sip:null-%00-null@example.com\n"
	 "From: sip:null-%00-null@example.com;tag=839923423\nMax-Forwards: 70\n"
	 "Call-ID: escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd\nCSeq: 14398234 REGISTER\n"
	 "Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bKkdjuw\nContact: <sip:%00@host5.example.com>\n"
	 "Contact: <sip:%00%00@host5.example.com>\nL:0\n\n", "401 "},
	{"esc02: a % that escapes nothing, in a method that is not REGISTER",
	 "RE%47IST%45R sip:registrar.example.com SIP/2.0\nTo: \"%Z%45\" <sip:resource@example.com>\n"
	 "From: \"%Z%45\" <sip:resource@example.com>;tag=f232jadfj23\n"
	 "Call-ID: esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf\n"
	 "Via: SIP/2.0/TCP host.example.com;branch=z9hG4bK209%fzsnel234\nCSeq: 29344 RE%47IST%45R\n"
	 "Max-Forwards: 70\nContact: <sip:alias1@host1.example.com>\n"
	 "C%6Fntact: <sip:alias2@host2.example.com>\nContact: <sip:alias3@host3.example.com>\nl: 0\n\n", "501 "},
	{"lwsdisp: no space before <",
	 "OPTIONS sip:user@example.com SIP/2.0\nTo: sip:user@example.com\n"
	 "From: caller<sip:caller@example.com>;tag=323\nMax-Forwards: 70\n"
	 "Call-ID: lwsdisp.1234abcd@funky.example.com\nCSeq: 60 OPTIONS\n"
	 "Via: SIP/2.0/UDP funky.example.com;branch=z9hG4bKkdjuw\nl: 0\n\n", "200 OK"},
	{"dblreq: another request in the same datagram",
	 "REGISTER sip:example.com SIP/2.0\nTo: sip:j.user@example.com\n"
	 "From: sip:j.user@example.com;tag=43251j3j324\nMax-Forwards: 8\n"
	 "I: dblreq.0ha0isndaksdj99sdfafnl3lk233412\nContact: sip:j.user@host.example.com\nCSeq: 8 REGISTER\n"
	 "Via: SIP/2.0/UDP 192.0.2.125;branch=z9hG4bKkdjuw23492\nContent-Length: 0\n\n\n"
	 "INVITE sip:joe@example.com SIP/2.0\nt: sip:joe@example.com\nFrom: sip:caller@example.net;tag=141334\n"
	 "Max-Forwards: 8\nCall-ID: dblreq.0ha0isnda977644900765@192.0.2.15\nCSeq: 8 INVITE\n"
	 "Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw380234\nContent-Type: application/sdp\n"
	 "Content-Length: 150\n\n" SDP("192.0.2.15"), "401 "},
	{"semiuri: a semicolon in the user part",
	 "OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0\nTo: sip:j_user@example.com\n"
	 "From: sip:caller@example.org;tag=33242\nMax-Forwards: 3\nCall-ID: semiuri.0ha0isndaksdj\n"
	 "CSeq: 8 OPTIONS\nAccept: application/sdp, application/pkcs7-mime,\n"
	 "        multipart/mixed, multipart/signed,\n        message/sip, message/sipfrag\n"
	 "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKkdjuw\nl: 0\n\n", "200 OK"},
	{"transports: Vias of all kinds",
	 "OPTIONS sip:user@example.com SIP/2.0\nTo: sip:user@example.com\n"
	 "From: <sip:caller@example.com>;tag=323\nMax-Forwards: 70\n"
	 "Call-ID:  transports.kijh4akdnaqjkwendsasfdj\nAccept: application/sdp\nCSeq: 60 OPTIONS\n"
	 "Via: SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw\n"
	 "Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf\n"
	 "Via: SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj\n"
	 "Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en\n"
	 "Via: SIP/2.0/TCP t5.example.com;branch=z9hG4bK0a9idfnee\nl: 0\n\n", "200 OK"},
	{"mpart01: a body in parts, of a method that we do not have",
	 "MESSAGE sip:kumiko@example.org SIP/2.0\n"
	 "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-d87543-4dade06d0bdb11ee-1--d87543-;rport\n"
	 "Max-Forwards: 70\nRoute: <sip:127.0.0.1:5080>\nContact: <sip:fluffy@127.0.0.1:5070>\n"
	 "To: <sip:kumiko@example.org>\nFrom: <sip:fluffy@example.com>;tag=2fb0dcc9\n"
	 "Call-ID: 3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..\nCSeq: 1 MESSAGE\n"
	 "Content-Transfer-Encoding: binary\nContent-Type: multipart/mixed;boundary=7a9cbec02ceef655\n"
	 "Date: Sat, 15 Oct 2005 04:44:56 GMT\nUser-Agent: SIPimp.org/0.2.5 (curses)\nContent-Length: 116\n\n"
	 "--7a9cbec02ceef655\nContent-Type: text/plain\nContent-Transfer-Encoding: binary\n\nHello\n"
	 "--7a9cbec02ceef655--\n\x01\x02\x80\xff", "405 "},
	{"unreason: a reason phrase in Cyrillic",
	 "SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe \xd1\x81\xd1\x82\xd0\xbe\n"
	 "Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923\nCall-ID: unreason.1234ksdfak3j2erwedfsASdf\n"
	 "CSeq: 35 INVITE\nFrom: sip:user@example.com;tag=11141343\nTo: sip:user@example.edu;tag=2229\n"
	 "Content-Length: 154\nContent-Type: application/sdp\nContact: <sip:user@host198.example.com>\n\n"
	 SDP("192.0.2.198"), NULL},
	{"noreason: none at all",
	 "SIP/2.0 100 \nVia: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe\n"
	 "Call-ID: noreason.asndj203insdf99223ndf\nCSeq: 35 INVITE\nFrom: <sip:user@example.com>;tag=39ansfi3\n"
	 "To: <sip:user@example.edu>;tag=902jndnke3\nContent-Length: 0\n"
	 "Contact: <sip:user@host105.example.com>\n\n", NULL},

	/* 3.1.2: invalid */
	{"badinv01: separators too many",
	 "INVITE sip:user@example.com SIP/2.0\nTo: sip:j.user@example.com\n"
	 "From: sip:caller@example.net;tag=134161461246\nMax-Forwards: 7\n"
	 "Call-ID: badinv01.0ha0isndaksdjasdf3234nas\nCSeq: 8 INVITE\nVia: SIP/2.0/UDP 192.0.2.15;;,;,,\n"
	 "Contact: \"Joe\" <sip:joe@example.org>;;;;\nContent-Length: 152\nContent-Type: application/sdp\n\n"
	 SDP("192.0.2.15"), "400 "},
	{"clerr: Content-Length beyond the datagram",
	 "INVITE sip:user@example.com SIP/2.0\nMax-Forwards: 80\nTo: sip:j.user@example.com\n"
	 "From: sip:caller@example.net;tag=93942939o2\nContact: <sip:caller@hungry.example.net>\n"
	 "Call-ID: clerr.0ha0isndaksdjweiafasdk3\nCSeq: 8 INVITE\n"
	 "Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bK-39234-23523\nContent-Type: application/sdp\n"
	 "Content-Length: 9999\n\n" SDP("192.0.2.155"), "400 Body shorter"},
	{"ncl: a negative one",
	 "INVITE sip:user@example.com SIP/2.0\nMax-Forwards: 254\nTo: sip:j.user@example.com\n"
	 "From: sip:caller@example.net;tag=32394234\nCall-ID: ncl.0ha0isndaksdj2193423r542w35\nCSeq: 0 INVITE\n"
	 "Via: SIP/2.0/UDP 192.0.2.53;branch=z9hG4bKkdjuw\nContact: <sip:caller@example53.example.net>\n"
	 "Content-Type: application/sdp\nContent-Length: -999\n\n" SDP("192.0.2.53"), "400 Bad Content-Length"},
	{"scalar02: numbers too big, in a request",
	 "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/TCP host129.example.com;branch=z9hG4bK342sdfoi3\n"
	 "To: <sip:user@example.com>\nFrom: <sip:user@example.com>;tag=239232jh3\n"
	 "CSeq: 36893488147419103232 REGISTER\nCall-ID: scalar02.23o0pd9vanlq3wnrlnewofjas9ui32\n"
	 "Max-Forwards: 300\nExpires: 10000000000000000000000000000000000000000\n"
	 "Contact: <sip:user@host129.example.com>\n  ;expires=280297596632815\nContent-Length: 0\n\n", "400 "},
	{"scalarlg: and in a response",
	 "SIP/2.0 503 Service Unavailable\nVia: SIP/2.0/TCP host129.example.com;branch=z9hG4bKzzxdiwo34sw;"
	 "received=192.0.2.129\nTo: <sip:user@example.com>\nFrom: <sip:other@example.net>;tag=2easdjfejw\n"
	 "CSeq: 9292394834772304023312 OPTIONS\nCall-ID: scalarlg.noase0of0234hn2qofoaf0232aewf2394r\n"
	 "Retry-After: 949302838503028349304023988\nWarning: 1812 overture \"In Progress\"\n"
	 "Content-Length: 0\n\n", NULL},
	{"quotbal: a quotation without end",
	 "INVITE sip:user@example.com SIP/2.0\nTo: \"Mr. J. User <sip:j.user@example.com>\n"
	 "From: sip:caller@example.net;tag=93334\nMax-Forwards: 10\nCall-ID: quotbal.aksdj\n"
	 "Contact: <sip:caller@host59.example.net>\nCSeq: 8 INVITE\n"
	 "Via: SIP/2.0/UDP 192.0.2.59:5060;branch=z9hG4bKkdjuw39234\nContent-Type: application/sdp\n"
	 "Content-Length: 152\n\n" SDP("192.0.2.15"), "400 "},
	{"ltgtruri: <> around the Request-URI",
	 "INVITE <sip:user@example.com> SIP/2.0\nTo: sip:user@example.com\n"
	 "From: sip:caller@example.net;tag=39291\nMax-Forwards: 23\nCall-ID: ltgtruri.1@192.0.2.5\n"
	 "CSeq: 1 INVITE\nVia: SIP/2.0/UDP 192.0.2.5\nContact: <sip:caller@host5.example.net>\n"
	 "Content-Type: application/sdp\nContent-Length: 159\n\n" SDP("192.0.2.5") "a=sendrecv\n", "400 "},
	{"lwsruri: a space inside it",
	 "INVITE sip:user@example.com; lr SIP/2.0\nTo: sip:user@example.com;tag=3xfe-9921883-z9f\n"
	 "From: sip:caller@example.net;tag=231413434\nMax-Forwards: 5\n"
	 "Call-ID: lwsruri.asdfasdoeoi2323-asdfwrn23-asd834rk423\nCSeq: 2130706432 INVITE\n"
	 "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKkdjuw2395\nContact: <sip:caller@host1.example.net>\n"
	 "Content-Type: application/sdp\nContent-Length: 159\n\n" SDP("192.0.2.1") "a=sendrecv\n", "400 "},
	{"lwsstart: two spaces in the request line",
	 "INVITE  sip:user@example.com  SIP/2.0\nMax-Forwards: 8\nTo: sip:user@example.com\n"
	 "From: sip:caller@example.net;tag=8814\nCall-ID: lwsstart.dfknq234oi243099adsdfnawe3@example.com\n"
	 "CSeq: 1893884 INVITE\nVia: SIP/2.0/UDP host1.example.com;branch=z9hG4bKkdjuw3923\n"
	 "Contact: <sip:caller@host1.example.net>\nContent-Type: application/sdp\nContent-Length: 150\n\n"
	 SDP("192.0.2.1"), "400 "},
	{"trws: spaces after it",
	 "OPTIONS sip:remote-target@example.com SIP/2.0  \nVia: SIP/2.0/TCP host1.example.com;"
	 "branch=z9hG4bK299342093\nTo: <sip:remote-target@example.com>\n"
	 "From: <sip:local-resource@example.com>;tag=329429089\nCall-ID: trws.oicu34958239neffasdhr2345r\n"
	 "Accept: application/sdp\nCSeq: 238923 OPTIONS\nMax-Forwards: 70\nContent-Length: 0\n\n", "400 "},
	{"escruri: header fields in the Request-URI",
	 "INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0\nTo: sip:user@example.com\n"
	 "From: sip:caller@example.net;tag=341518\nMax-Forwards: 7\nContact: <sip:caller@host39923.example.net>\n"
	 "Call-ID: escruri.23940-asdfhj-aje3br-234q098w-fawerh2q-h4n5\nCSeq: 149209342 INVITE\n"
	 "Via: SIP/2.0/UDP host-of-the-hour.example.com;branch=z9hG4bKkdjuw\nContent-Type: application/sdp\n"
	 "Content-Length: 150\n\n" SDP("192.0.2.1"), "400 "},
	{"baddate: a time zone that Date may not have; nobody reads it",
	 "INVITE sip:user@example.com SIP/2.0\nTo: sip:user@example.com\n"
	 "From: sip:caller@example.net;tag=2234923\nMax-Forwards: 70\n"
	 "Call-ID: baddate.239423mnsadf3j23lj42--sedfnm234\nCSeq: 1392934 INVITE\n"
	 "Via: SIP/2.0/UDP host.example.com;branch=z9hG4bKkdjuwbd\nDate: Fri, 01 Jan 2010 16:00:00 EST\n"
	 "Contact: <sip:caller@host5.example.net>\nContent-Type: application/sdp\nContent-Length: 150\n\n"
	 SDP("192.0.2.5"), "486 "},
	{"regbadct: a Contact with ? and without <>; who it is is asked first",
	 "REGISTER sip:example.com SIP/2.0\nTo: sip:user@example.com\nFrom: sip:user@example.com;tag=998332\n"
	 "Max-Forwards: 70\nCall-ID: regbadct.k345asrl3fdbv@10.0.0.1\nCSeq: 1 REGISTER\n"
	 "Via: SIP/2.0/UDP 135.180.130.133:5060;branch=z9hG4bKkdjuw\n"
	 "Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E\nl: 0\n\n", "401 "},
	{"badaspec: spaces within <>; no harm",
	 "OPTIONS sip:user@example.org SIP/2.0\nVia: SIP/2.0/UDP host4.example.com:5060;branch=z9hG4bKkdju43234\n"
	 "Max-Forwards: 70\nFrom: \"Bell, Alexander\" <sip:a.g.bell@example.com>;tag=433423\n"
	 "To: \"Watson, Thomas\" < sip:t.watson@example.org >\n"
	 "Call-ID: badaspec.sdf0234n2nds0a099u23h3hnnw009cdkne3\nAccept: application/sdp\n"
	 "CSeq: 3923239 OPTIONS\nl: 0\n\n", "200 OK"},
	{"baddn: a comma in a name without quotes; no harm",
	 "OPTIONS sip:t.watson@example.org SIP/2.0\nVia:     SIP/2.0/UDP c.example.com:5060;branch=z9hG4bKkdjuw\n"
	 "Max-Forwards:      70\nFrom:    Bell, Alexander <sip:a.g.bell@example.com>;tag=43\n"
	 "To:      Watson, Thomas <sip:t.watson@example.org>\nCall-ID: baddn.31415@c.example.com\n"
	 "Accept: application/sdp\nCSeq:    3923239 OPTIONS\nl: 0\n\n", "200 OK"},
	{"badvers: a version to come",
	 "OPTIONS sip:t.watson@example.org SIP/7.0\nVia:     SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw\n"
	 "Max-Forwards:     70\nFrom:    A. Bell <sip:a.g.bell@example.com>;tag=qweoiqpe\n"
	 "To:      T. Watson <sip:t.watson@example.org>\nCall-ID: badvers.31417@c.example.com\n"
	 "CSeq:    1 OPTIONS\nl: 0\n\n", "505 Version Not Supported"},
	{"mismatch01: CSeq of another method",
	 "OPTIONS sip:user@example.com SIP/2.0\nTo: sip:j.user@example.com\n"
	 "From: sip:caller@example.net;tag=34525\nMax-Forwards: 6\nCall-ID: mismatch01.dj0234sxdfl3\n"
	 "CSeq: 8 INVITE\nVia: SIP/2.0/UDP host.example.com;branch=z9hG4bKkdjuw\nl: 0\n\n", "400 CSeq"},
	{"mismatch02: the same, of a new method",
	 "NEWMETHOD sip:user@example.com SIP/2.0\nTo: sip:j.user@example.com\n"
	 "From: sip:caller@example.net;tag=34525\nMax-Forwards: 6\nCall-ID: mismatch02.dj0234sxdfl3\n"
	 "CSeq: 8 INVITE\nContact: <sip:caller@host.example.net>\n"
	 "Via: SIP/2.0/UDP host.example.net;branch=z9hG4bKkdjuw\nContent-Type: application/sdp\nl: 138\n\n"
	 SDP("192.0.2.1"), "400 CSeq"},
	{"bigcode: a status beyond 32 bits",
	 "SIP/2.0 4294967301 better not break the receiver\n"
	 "Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe\n"
	 "Call-ID: bigcode.asdof3uj203asdnf3429uasdhfas3ehjasdfas9i\nCSeq: 353494 INVITE\n"
	 "From: <sip:user@example.com>;tag=39ansfi3\nTo: <sip:user@example.edu>;tag=902jndnke3\n"
	 "Content-Length: 0\nContact: <sip:user@host105.example.com>\n\n", NULL},

	/* 3.2 */
	{"badbranch: a branch that is the cookie only",
	 "OPTIONS sip:user@example.com SIP/2.0\nTo: sip:user@example.com\nFrom: sip:caller@example.org;tag=33242\n"
	 "Max-Forwards: 3\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK\nAccept: application/sdp\n"
	 "Call-ID: badbranch.sadonfo23i420jv0as0derf3j3n\nCSeq: 8 OPTIONS\nl: 0\n\n", "200 OK"},

	/* 3.3: what is above the syntax */
	{"insuf: no Call-ID, From and To, so nowhere to say it",
	 "INVITE sip:user@example.com SIP/2.0\nCSeq: 193942 INVITE\n"
	 "Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf\nContent-Type: application/sdp\nl: 152\n\n"
	 SDP("192.0.2.95"), "400 "},
	{"unkscm: a scheme that nobody knows",
	 "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\nTo: sip:user@example.com\n"
	 "From: sip:caller@example.net;tag=384\nMax-Forwards: 3\nCall-ID: unkscm.nasdfasser0q239nwsdfasdkl34\n"
	 "CSeq: 3923423 OPTIONS\nVia: SIP/2.0/TCP host9.example.com;branch=z9hG4bKkdjuw39234\n"
	 "Content-Length: 0\n\n", "416 "},
	{"novelsc: one that others know",
	 "OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0\nTo: sip:user@example.com\n"
	 "From: sip:caller@example.net;tag=384\nMax-Forwards: 3\nCall-ID: novelsc.asdfasser0q239nwsdfasdkl34\n"
	 "CSeq: 3923423 OPTIONS\nVia: SIP/2.0/TCP host9.example.com;branch=z9hG4bKkdjuw39234\n"
	 "Content-Length: 0\n\n", "416 "},
	{"unksm2: in To, From and Contact",
	 "REGISTER sip:example.com SIP/2.0\nTo: isbn:2983792873\nFrom: <http://www.example.com>;tag=3234233\n"
	 "Call-ID: unksm2.daksdj@hyphenated-host.example.com\nCSeq: 234902 REGISTER\nMax-Forwards: 70\n"
	 "Via: SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bKkdjuw\nContact: <name:John_Smith>\nl: 0\n\n", "40"},
	{"bext01: extensions that nobody has, each named in the answer",
	 "OPTIONS sip:user@example.com SIP/2.0\nTo: sip:j_user@example.com\n"
	 "From: sip:caller@example.net;tag=242etr\nMax-Forwards: 6\nCall-ID: bext01.0ha0isndaksdj\n"
	 "Require: nothingSupportsThis, nothingSupportsThisEither\n"
	 "Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis\nCSeq: 8 OPTIONS\n"
	 "Via: SIP/2.0/TLS fold-and-staple.example.com;branch=z9hG4bKkdjuw\nContent-Length: 0\n\n",
	 "Unsupported: nothingSupportsThis, nothingSupportsThisEither\r\n"},
	{"invut: a body that we cannot read",
	 "INVITE sip:user@example.com SIP/2.0\nContact: <sip:caller@host5.example.net>\n"
	 "To: sip:j.user@example.com\nFrom: sip:caller@example.net;tag=8392034\nMax-Forwards: 70\n"
	 "Call-ID: invut.0ha0isndaksdjadsfij34n23d\nCSeq: 235448 INVITE\n"
	 "Via: SIP/2.0/UDP somehost.example.com;branch=z9hG4bKkdjuw\n"
	 "Content-Type: application/unknownformat\nContent-Length: 40\n\n"
	 "<audio>\n <pcmu port=\"443\"/>\n</audio>\n", "415 "},
	{"regaut01: credentials of a kind that nobody knows",
	 "REGISTER sip:example.com SIP/2.0\nTo: sip:j.user@example.com\n"
	 "From: sip:j.user@example.com;tag=87321hj23128\nMax-Forwards: 8\nCall-ID: regaut01.0ha0isndaksdj\n"
	 "CSeq: 9338 REGISTER\nVia: SIP/2.0/TCP 192.0.2.253;branch=z9hG4bKkdjuw\n"
	 "Authorization: NoOneKnowsThisScheme opaque-data=here\nContent-Length:0\n\n", "401 "},
	{"multi01: two of what there may be one",
	 "INVITE sip:user@company.com SIP/2.0\nContact: <sip:caller@host25.example.net>\n"
	 "Via: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKkdjuw\nMax-Forwards: 70\nCSeq: 5 INVITE\n"
	 "Call-ID: multi01.98asdh@192.0.2.1\nCSeq: 59 INVITE\nCall-ID: multi01.98asdh@192.0.2.2\n"
	 "From: sip:caller@example.com;tag=3413415\nTo: sip:user@example.com\nTo: sip:other@example.net\n"
	 "From: sip:caller@example.net;tag=2923420123\nContent-Type: application/sdp\nl: 154\n"
	 "Contact: <sip:caller@host36.example.net>\nMax-Forwards: 5\n\n" SDP("192.0.2.25"), "400 Repeated"},
	{"mcl01: two lengths",
	 "OPTIONS sip:user@example.com SIP/2.0\nVia: SIP/2.0/UDP host5.example.net;branch=z9hG4bK293423\n"
	 "To: sip:user@example.com\nFrom: sip:other@example.net;tag=3923942\n"
	 "Call-ID: mcl01.fhn2323orihawfdoa3o4r52o3irsdf\nCSeq: 15932 OPTIONS\nContent-Length: 13\n"
	 "Max-Forwards: 60\nContent-Length: 5\nContent-Type: text/plain\n\n"
	 "There's no way to know how many octets are supposed to be here.\n", "400 Repeated"},
	{"bcast: a response that would be sent to everybody",
	 "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923\n"
	 "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23\n"
	 "Call-ID: bcast.0384840201234ksdfak3j2erwedfsASdf\nCSeq: 35 INVITE\n"
	 "From: sip:user@example.com;tag=11141343\nTo: sip:user@example.edu;tag=2229\nContent-Length: 154\n"
	 "Content-Type: application/sdp\nContact: <sip:user@host28.example.com>\n\n" SDP("192.0.2.198"), NULL},
	{"zeromf: no hop left, but it has arrived",
	 "OPTIONS sip:user@example.com SIP/2.0\nTo: sip:user@example.com\n"
	 "From: sip:caller@example.net;tag=3ghsd41\nCall-ID: zeromf.jfasdlfnm2o2l43r5u0asdfas\n"
	 "CSeq: 39234321 OPTIONS\nVia: SIP/2.0/UDP host1.example.com;branch=z9hG4bKkdjuw2349i\n"
	 "Max-Forwards: 0\nContent-Length: 0\n\n", "200 OK"},
	{"cparam01: an unknown parameter of Contact",
	 "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP saturn.example.com:5060;branch=z9hG4bKkdjuw\n"
	 "Max-Forwards: 70\nFrom: sip:watson@example.com;tag=DkfVgjkrtMwaerKKpe\nTo: sip:watson@example.com\n"
	 "Call-ID: cparam01.70710@saturn.example.com\nCSeq: 2 REGISTER\n"
	 "Contact: sip:+19725552222@gw1.example.net;unknownparam\nl: 0\n\n", "401 "},
	{"cparam02: and of its URI",
	 "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP saturn.example.com:5060;branch=z9hG4bKkdjuw\n"
	 "Max-Forwards: 70\nFrom: sip:watson@example.com;tag=838293\nTo: sip:watson@example.com\n"
	 "Call-ID: cparam02.70710@saturn.example.com\nCSeq: 3 REGISTER\n"
	 "Contact: <sip:+19725552222@gw1.example.net;unknownparam>\nl: 0\n\n", "401 "},
	{"regescrt: header fields in it",
	 "REGISTER sip:example.com SIP/2.0\nTo: sip:user@example.com\nFrom: sip:user@example.com;tag=8\n"
	 "Max-Forwards: 70\nCall-ID: regescrt.k345asrl3fdbv@192.0.2.1\nCSeq: 14398234 REGISTER\n"
	 "Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bKkdjuw\nM: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>\n"
	 "L:0\n\n", "401 "},
	{"sdp01: Accept without SDP; we answer with it all the same",
	 "INVITE sip:user@example.com SIP/2.0\nTo: sip:j_user@example.com\nContact: <sip:caller@host15.example.net>\n"
	 "From: sip:caller@example.net;tag=234\nMax-Forwards: 5\nCall-ID: sdp01.ndaksdj9342dasdd\n"
	 "Accept: text/nobodyKnowsThis\nCSeq: 8 INVITE\nVia: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw\n"
	 "Content-Length: 150\nContent-Type: application/sdp\n\n" SDP("192.0.2.5"), "486 "},
	{"inv2543: no branch in Via, from before RFC 3261: libre cannot tell its transactions apart",
	 "INVITE sip:UserB@example.com SIP/2.0\nVia: SIP/2.0/UDP iftgw.example.com\n"
	 "From: <sip:+13035551111@ift.client.example.net;user=phone>\n"
	 "Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>\n"
	 "To: sip:+16505552222@ss1.example.net;user=phone\nCall-ID: inv2543.1717@ift.client.example.com\n"
	 "CSeq: 56 INVITE\nContent-Type: application/sdp\n\n"
	 "v=0\no=mhandley 29739 7272939 IN IP4 192.0.2.5\ns=-\nc=IN IP4 192.0.2.5\nt=0 0\nm=audio 49217 RTP/AVP 0\n",
	 "400 Cannot Be Read"},
};

static const struct row rfc5118[] = {
	{"4.1: a reference as it should be",
	 "REGISTER sip:[2001:db8::10] SIP/2.0\nTo: sip:user@example.com\nFrom: sip:user@example.com;tag=81x2\n"
	 "Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111\nCall-ID: SSG9559905523997077@hlau_4100\n"
	 "Max-Forwards: 70\nContact: \"Caller\" <sip:caller@[2001:db8::1]>\nCSeq: 98176 REGISTER\n"
	 "Content-Length: 0\n\n", "401 "},
	{"4.2: without its brackets",
	 "REGISTER sip:2001:db8::10 SIP/2.0\nTo: sip:user@example.com\nFrom: sip:user@example.com;tag=81x2\n"
	 "Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111\nCall-ID: SSG9559905523997077@hlau_4100\n"
	 "Max-Forwards: 70\nContact: \"Caller\" <sip:caller@[2001:db8::1]>\nCSeq: 98176 REGISTER\n"
	 "Content-Length: 0\n\n", "400 "},
	{"4.3: the port inside them: an address, and a valid one",
	 "REGISTER sip:[2001:db8::10:5070] SIP/2.0\nTo: sip:user@example.com\nFrom: sip:user@example.com;tag=81x2\n"
	 "Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111\nCall-ID: SSG9559905523997077@hlau_4100\n"
	 "Max-Forwards: 70\nContact: \"Caller\" <sip:caller@[2001:db8::1]>\nCSeq: 98176 REGISTER\n"
	 "Content-Length: 0\n\n", "401 "},
	{"4.4: the port outside",
	 "REGISTER sip:[2001:db8::10]:5070 SIP/2.0\nTo: sip:user@example.com\nFrom: sip:user@example.com;tag=81x2\n"
	 "Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111\nCall-ID: SSG9559905523997077@hlau_4100\n"
	 "Max-Forwards: 70\nContact: \"Caller\" <sip:caller@[2001:db8::1]>\nCSeq: 98176 REGISTER\n"
	 "Content-Length: 0\n\n", "401 "},
	{"4.5: received with brackets",
	 "BYE sip:[2001:db8::10] SIP/2.0\nTo: sip:user@example.com;tag=bd76ya\nFrom: sip:user@example.com;tag=81x2\n"
	 "Via: SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3-111\n"
	 "Call-ID: SSG9559905523997077@hlau_4100\nMax-Forwards: 70\nCSeq: 321 BYE\nContent-Length: 0\n\n", "481 "},
	{"4.5: and without",
	 "OPTIONS sip:[2001:db8::10] SIP/2.0\nTo: sip:user@example.com\nFrom: sip:user@example.com;tag=81x2\n"
	 "Via: SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3\n"
	 "Call-ID: SSG95523997077@hlau_4100\nMax-Forwards: 70\nContact: \"Caller\" <sip:caller@[2001:db8::9:1]>\n"
	 "CSeq: 921 OPTIONS\nContent-Length: 0\n\n", "200 OK"},
	{"4.6: in SDP, there without brackets",
	 "INVITE sip:user@[2001:db8::10] SIP/2.0\nTo: sip:user@[2001:db8::10]\nFrom: sip:user@example.com;tag=81x2\n"
	 "Via: SIP/2.0/UDP [2001:db8::20];branch=z9hG4bKas3-111\nCall-ID: SSG9559905523997077@hlau_4106\n"
	 "Contact: \"Caller\" <sip:caller@[2001:db8::20]>\nCSeq: 8612 INVITE\nMax-Forwards: 70\n"
	 "Content-Type: application/sdp\n\n"
	 "v=0\no=assistant 971731711378798081 0 IN IP6 2001:db8::20\ns=Live video feed for today's meeting\n"
	 "c=IN IP6 2001:db8::20\nt=3338481189 3370017201\nm=audio 6000 RTP/AVP 2\na=rtpmap:2 G726-32/8000\n"
	 "m=video 6024 RTP/AVP 107\na=rtpmap:107 H263-1998/90000\n", "486 "},
	{"4.7: several addresses in Vias",
	 "BYE sip:user@host.example.com SIP/2.0\nVia: SIP/2.0/UDP [2001:db8::9:1]:5060;branch=z9hG4bKas3-111\n"
	 "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144\n"
	 "Via: SIP/2.0/TCP [2001:db8::9:1];branch=z9hG4bK451jj;received=192.0.2.200\n"
	 "Call-ID: 997077@lau_4100\nMax-Forwards: 70\nCSeq: 89187 BYE\nTo: sip:user@example.net;tag=9817--94\n"
	 "From: sip:user@example.com;tag=81x2\nContent-Length: 0\n\n", "481 "},
	{"4.8: and in SDP",
	 "INVITE sip:user@[2001:db8::10] SIP/2.0\nTo: sip:user@[2001:db8::10]\nFrom: sip:user@example.com;tag=81x2\n"
	 "Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111\nCall-ID: SSG9559905523997077@hlau_4108\n"
	 "Contact: \"Caller\" <sip:caller@[2001:db8::9:1]>\nMax-Forwards: 70\nCSeq: 8912 INVITE\n"
	 "Content-Type: application/sdp\n\n"
	 "v=0\no=bob 280744730 28977631 IN IP4 host.example.com\ns=\nt=0 0\nm=audio 22334 RTP/AVP 0\n"
	 "c=IN IP4 192.0.2.1\nm=video 6024 RTP/AVP 107\nc=IN IP6 2001:db8::1\na=rtpmap:107 H263-1998/90000\n", "486 "},
	{"4.9: IPv4 inside IPv6",
	 "INVITE sip:user@example.com SIP/2.0\nVia: SIP/2.0/UDP host.example.com:5060;branch=z9hG4bKas3-1c8\n"
	 "Call-ID: 9ba18ad-f-81-4199\nFrom: sip:user@example.com;tag=81x2\nTo: sip:user@example.com\n"
	 "Contact: \"Caller\" <sip:user@[::ffff:192.0.2.10]>\nMax-Forwards: 70\nCSeq: 42 INVITE\n"
	 "Content-Type: application/sdp\n\n"
	 "v=0\no=bob 280744730 28977631 IN IP6 ::ffff:192.0.2.10\ns=-\nc=IN IP6 ::ffff:192.0.2.10\nt=0 0\n"
	 "m=audio 6000 RTP/AVP 0\na=rtpmap:0 PCMU/8000\n", "486 "},
	{"4.10: three colons, which a grammar once let pass",
	 "OPTIONS sip:user@[2001:db8:::192.0.2.1] SIP/2.0\nTo: sip:user@[2001:db8:::192.0.2.1]\n"
	 "From: sip:user@example.com;tag=810x2\nVia: SIP/2.0/UDP lab1.east.example.com;branch=z9hG4bKas3-111\n"
	 "Call-ID: G9559905523997077@hlau_4100\nCSeq: 689301 OPTIONS\nMax-Forwards: 70\nContent-Length: 0\n\n", "400 "},
};
/* clang-format on */

static void carrier(struct sip_stack_config *cfg)
{
	cfg->realm = "example.com";
}

static void say(struct scene *s, const char *text)
{
	kit_wire_forget(&s->wire);
	scene_say(s, text);
}

/* A refusal is said again until its ACK; it has the first Via, so it belongs to the INVITE. */
static void acknowledge(struct scene *s)
{
	char text[4096] = "ACK sip:x SIP/2.0\n";
	const char *p = strstr(s->wire.got, "SIP/2.0 48");
	bool via = false;

	if (p == NULL || strstr(p, " INVITE\r\n") == NULL)
		return;
	while (*p != '\0' && *p != '\r') {
		size_t n = strcspn(p, "\r"), len = strlen(text);
		bool first = strncasecmp(p, "v", 1) == 0 && !via;

		if (first || strchr("fFtTiI", *p) || strncmp(p, "Call-ID", 7) == 0)
			(void)re_snprintf(text + len, sizeof(text) - len, "%b\n", p, n);
		if (strncasecmp(p, "CSeq", 4) == 0)
			(void)re_snprintf(text + len, sizeof(text) - len, "%bACK\n", p, n - 6);
		via = via || first;
		p += n + 2;
	}
	(void)re_snprintf(text + strlen(text), sizeof(text) - strlen(text),
			  "Content-Length: 0\n\n");
	scene_say(s, text);
	kit_wait(5);
}

static void judge(struct scene *s, const struct row *row, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		bool right;

		say(s, row[i].text);
		if (row[i].answer) {
			right = kit_wire_gets(&s->wire, row[i].answer, 500);
		} else {
			kit_wait(20);
			right = s->wire.messages == 0;
		}
		if (!right)
			printf("%s:\n%s\n", row[i].name, s->wire.got);
		wrong += right ? 0 : 1;
		acknowledge(s);
	}
	check_int(wrong, 0);
}

static struct scene *at_home(void)
{
	struct scene *s = scene_open(carrier);
	char ip[32];

	(void)re_snprintf(ip, sizeof(ip), "127.%d.%d.9", 1 + getpid() / 250 % 250,
			  1 + getpid() % 250);
	kit_wire_close(&s->wire);
	check_int(kit_wire_open_at(&s->wire, ip, 5060), 0);
	s->board.mood = KIT_BUSY;
	return s;
}

static void messages_of_rfc4475(void)
{
	struct scene *s = at_home();

	judge(s, rfc4475, sizeof(rfc4475) / sizeof(rfc4475[0]));
	check(scene_end(s));
}

static void messages_of_rfc5118(void)
{
	struct scene *s = at_home();

	judge(s, rfc5118, sizeof(rfc5118) / sizeof(rfc5118[0]));
	check(scene_end(s));
}

/* longreq (3.1.1.7): header fields of uncommon length. The first Via has a branch here; see inv2543. */
static void a_long_request(void)
{
	struct scene *s = at_home();
	struct mbuf *mb = mbuf_alloc(8192);
	const char *name = "amazinglylongcallername";

	(void)mbuf_printf(mb, "INVITE sip:user@example.com SIP/2.0\nTo: \"I have a user name of ");
	for (int i = 0; i < 10; i++)
		(void)mbuf_printf(mb, "extreme");
	(void)mbuf_printf(mb, " proportion\"<sip:user@example.com:6000;unknownparam1=very");
	for (int i = 0; i < 20; i++)
		(void)mbuf_printf(mb, "long");
	(void)mbuf_printf(mb, "value;longparam");
	for (int i = 0; i < 25; i++)
		(void)mbuf_printf(mb, "name");
	(void)mbuf_printf(mb, "=shortvalue>\nF: sip:%s%s%s%s%s@example.net;tag=12", name, name,
			  name, name, name);
	for (int i = 0; i < 50; i++)
		(void)mbuf_printf(mb, "982");
	(void)mbuf_printf(mb, "424;unknownheaderparam=x\nCall-ID: longreq.one");
	for (int i = 0; i < 20; i++)
		(void)mbuf_printf(mb, "really");
	(void)mbuf_printf(mb, "longcallid\nCSeq: 3882340 INVITE\n");
	for (int i = 33; i > 0; i--)
		(void)mbuf_printf(mb, "%s: SIP/2.0/TCP sip%d.example.com%s\n",
				  i % 3 == 0   ? "Via"
				  : i % 3 == 1 ? "v "
					       : "vIA",
				  i, i == 33 ? ";branch=z9hG4bKlong" : "");
	(void)mbuf_printf(mb, "Via: SIP/2.0/TCP host.example.com;received=192.0.2.5;branch=very");
	for (int i = 0; i < 50; i++)
		(void)mbuf_printf(mb, "long");
	(void)mbuf_printf(
		mb,
		"branchvalue\nMax-Forwards: 70\nContact: <sip:%s%s%s%s%s@host5.example.net>\n"
		"Content-Type: application/sdp\nl: 150\n\n" SDP("192.0.2.1"),
		name, name, name, name, name);
	(void)mbuf_write_u8(mb, 0);
	say(s, (const char *)mb->buf);
	check(kit_wire_gets(&s->wire, "486 ", 500));
	check(strstr(s->wire.got, "sip33.example.com") != NULL);
	mem_deref(mb);
	check(scene_end(s));
}

static const struct check_case cases[] = {
	CHECK_CASE(messages_of_rfc4475),
	CHECK_CASE(messages_of_rfc5118),
	CHECK_CASE(a_long_request),
};
CHECK_MAIN(cases)
