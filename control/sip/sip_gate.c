/* SPDX-License-Identifier: Apache-2.0
 *
 * What lies before libre on a UDP socket. libre writes a line to standard error for every datagram it
 * cannot read, so that a flood of rubbish becomes a flood of text, and leaves the kernel's small
 * receive buffer. The gate reads each datagram first (a few microseconds), drops and counts what is
 * no SIP, and says so once in a while with the sender's address.
 *
 * libre does not hand out the sockets it makes; a message has the one it came by. So the stack writes
 * itself one message per listener when it opens.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "sip/sip_priv.h"
#include "sip/sip_unread.h"

enum { UDP_BUFFER = 4 << 20, LOG_EVERY_MS = 5000, STUN_LAST = 3 };

/* Keep-alives of phones: nothing but line ends (RFC 5626, 4.4.1). */
static bool only_line_ends(const struct mbuf *mb)
{
	for (size_t i = mb->pos; i < mb->end; i++) {
		if (mb->buf[i] != '\r' && mb->buf[i] != '\n')
			return false;
	}
	return true;
}

static void count_rubbish(struct sip_stack *s, const struct sa *src)
{
	uint64_t now_ms = tmr_jiffies();
	char ip[SIP_IP_MAX] = "";

	s->stats.refused_malformed++;
	s->rubbish++;
	if (s->rubbish_logged_ms != 0 && now_ms - s->rubbish_logged_ms < LOG_EVERY_MS)
		return;
	(void)sa_ntop(src, ip, sizeof(ip));
	log_warn("sip", "%llu datagrams that are not SIP dropped so far, the last from %s:%u",
		 (unsigned long long)s->rubbish, ip, (unsigned)sa_port(src));
	s->rubbish_logged_ms = now_ms;
}

/* A double line end asks whether we are there (RFC 5626, 3.5.1 for TCP, where libre answers; phones do it by
 * UDP as well, to keep a hole in their NAT open). */
static void answer_ping(const struct sip_gate *g, const struct sa *src, const struct mbuf *mb)
{
	static const char pong[] = "\r\n";
	struct mbuf *out;

	if (mbuf_get_left(mb) < 4)
		return;
	out = mbuf_alloc(sizeof(pong));
	if (out != NULL && mbuf_write_str(out, pong) == 0) {
		out->pos = 0;
		(void)udp_send(g->sock, src, out);
	}
	mem_deref(out);
}

/* A peer that speaks SIP badly is told so; a flood of rubbish is not answered. */
static void answer_unread(const struct sip_gate *g, const struct sa *src, const struct mbuf *mb)
{
	struct mbuf *out;

	if (!sip_bucket_take(&g->stack->unread))
		return;
	out = sip_unread_answer(mb);
	if (out != NULL)
		(void)udp_send(g->sock, src, out);
	mem_deref(out);
}

/* libre answers a CANCEL without showing it to anybody; why it came is read here. */
static void keep_reason(struct sip_stack *s, struct sip_msg *msg)
{
	struct sip_call *c;

	if (!msg->req || pl_strcmp(&msg->met, "CANCEL") != 0 ||
	    sip_msg_hdr(msg, SIP_HDR_REASON) == NULL)
		return;
	c = sip_call_find_cancelled(s, msg);
	if (c != NULL && c->cancel == NULL)
		c->cancel = mem_ref(msg);
}

/* Returns true when the datagram has been dealt with. */
static bool on_datagram(struct sa *src, struct mbuf *mb, void *arg)
{
	const struct sip_gate *g = arg;
	struct sip_stack *s = g->stack;
	struct sip_msg *msg = NULL;
	size_t pos = mb->pos;

	/* STUN is libre's to answer: its first byte is 0 to 3 (RFC 7983). */
	if (mb->end > mb->pos && mb->buf[mb->pos] <= STUN_LAST)
		return false;
	if (only_line_ends(mb)) {
		answer_ping(g, src, mb);
		return true;
	}
	if (sip_msg_decode(&msg, mb) != 0) {
		mb->pos = pos;
		count_rubbish(s, src);
		answer_unread(g, src, mb);
		return true;
	}
	keep_reason(s, msg);
	mem_deref(msg);
	mb->pos = pos;
	return false;
}

bool sip_gate_take(struct sip_stack *s, const struct sip_msg *msg)
{
	size_t i;

	if (msg->tp != SIP_TRANSP_UDP)
		return false;
	for (i = 0; i < s->gates; i++) {
		if (s->gate[i].sock == msg->sock)
			break;
	}
	if (i == s->gates && s->gates < SIP_LISTEN_MAX) {
		struct sip_gate *g = &s->gate[s->gates];

		(void)udp_sockbuf_set(msg->sock, UDP_BUFFER);
		if (udp_register_helper(&g->helper, msg->sock, 0, NULL, on_datagram, g) == 0) {
			g->stack = s;
			g->sock = msg->sock;
			s->gates++;
		}
	}
	return pl_strcmp(&msg->callid, s->gate_id) == 0;
}

void sip_gate_open(struct sip_stack *s)
{
	(void)re_snprintf(s->gate_id, sizeof(s->gate_id), "gate-%016llx",
			  (unsigned long long)rand_u64());
	for (size_t i = 0; i < s->listens; i++) {
		struct udp_sock *us = NULL;
		struct mbuf *mb = mbuf_alloc(256);
		struct sa from = s->bound[i];

		sa_set_port(&from, 0);
		if (mb != NULL && s->listen[i].transport == SIP_OVER_UDP &&
		    udp_listen(&us, &from, NULL, NULL) == 0 &&
		    mbuf_printf(
			    mb,
			    "OPTIONS sip:gate SIP/2.0\r\nVia: SIP/2.0/UDP %J;branch=z9hG4bK%s\r\n"
			    "From: <sip:gate>;tag=g\r\nTo: <sip:gate>\r\nCall-ID: %s\r\n"
			    "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
			    &s->bound[i], s->gate_id, s->gate_id) == 0) {
			mb->pos = 0;
			(void)udp_send(us, &s->bound[i], mb);
		}
		mem_deref(us);
		mem_deref(mb);
	}
}

void sip_gate_close(struct sip_stack *s)
{
	for (size_t i = 0; i < s->gates; i++)
		s->gate[i].helper = mem_deref(s->gate[i].helper);
	s->gates = 0;
}
