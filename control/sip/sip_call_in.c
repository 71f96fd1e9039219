/* SPDX-License-Identifier: Apache-2.0
 *
 * An incoming call up to its ACK: who calls, what is offered, and the 200 that is said again until
 * somebody confirms it (RFC 3261, 13.3.1.4). The same saying again serves re-INVITEs.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "sip/sip_priv.h"
#include "sip/sip_text.h"

/* --- who calls --- */

static void read_info(struct sip_call *c, const struct sip_msg *msg)
{
	struct sip_call_info *i = &c->info;

	sip_text_pl(i->call_id, sizeof(i->call_id), &msg->callid);
	sip_text_unescape(i->from_user, sizeof(i->from_user), &msg->from.uri.user);
	sip_text_pl(i->from_host, sizeof(i->from_host), &msg->from.uri.host);
	sip_text_display(i->from_display, sizeof(i->from_display), &msg->from.dname);
	sip_text_unescape(i->to_user, sizeof(i->to_user), &msg->uri.user);
	sip_text_pl(i->to_host, sizeof(i->to_host), &msg->uri.host);
	sip_peer_of(&i->peer, msg);
	sip_identity_read(c, msg);
}

/* The user part of our Contact: what was dialled, if it can stand in a URI as it is. */
static const char *contact_user(const struct sip_call *c)
{
	return sip_text_is_user(c->info.to_user) ? c->info.to_user : "patchbay";
}

/* --- what is offered --- */

/* Returns true when the body can be worked with; else the request was answered. */
static bool read_offer(struct sip_call *c, const struct sip_msg *msg)
{
	struct sip_stack *s = c->stack;
	int err;

	if (mbuf_get_left(msg->mb) == 0)
		return true;
	if (!sip_call_has_sdp(msg)) {
		s->stats.refused_malformed++;
		sip_stack_refuse(s, msg, 415, "Unsupported Media Type",
				 "Accept: application/sdp\r\n");
		return false;
	}
	err = sip_sdp_peek(msg->mb, &c->wish);
	if (err) {
		s->stats.refused_malformed++;
		sip_stack_refuse(
			s, msg, err == -EBADMSG ? 400 : 488,
			err == -EBADMSG ? "Bad session description" : "Not Acceptable Here", NULL);
		return false;
	}
	c->offer = mbuf_alloc(mbuf_get_left(msg->mb));
	if (c->offer == NULL ||
	    mbuf_write_mem(c->offer, mbuf_buf(msg->mb), mbuf_get_left(msg->mb)) != 0) {
		sip_stack_refuse(s, msg, 500, "No Memory", NULL);
		return false;
	}
	c->offer->pos = 0;
	c->info.offer = true;
	return true;
}

/* RFC 4028, 9: a session interval below ours is refused when the caller can do better. */
static bool interval_fits(struct sip_call *c, const struct sip_msg *msg)
{
	struct pl refresher;
	uint32_t s = sip_call_session_of(msg, &refresher);
	char line[64];

	if (s == 0 || s >= c->stack->limits.session_min_s)
		return true;
	if (!sip_msg_hdr_has_value(msg, SIP_HDR_SUPPORTED, "timer"))
		return true;
	(void)re_snprintf(line, sizeof(line), "Min-SE: %u\r\n", c->stack->limits.session_min_s);
	sip_stack_refuse(c->stack, msg, 422, "Session Interval Too Small", line);
	return false;
}

void sip_call_cancelled(void *arg)
{
	struct sip_call *c = arg;

	if (c->state != CALL_IN_NEW)
		return;
	(void)sip_treply(&c->st, c->stack->sip, c->invite, 487, "Request Terminated");
	c->st = NULL;
	if (c->cancel)
		sip_call_over_by(c, c->cancel, true, 487, SIP_CAUSE_NORMAL,
				 "cancelled by the caller");
	else
		sip_call_over(c, true, 487, SIP_CAUSE_NORMAL, "cancelled by the caller");
}

/* A CANCEL names the INVITE by branch, Call-ID, From tag and number (RFC 3261, 9.2). */
static bool is_cancelled(struct le *le, void *arg)
{
	const struct sip_call *c = le->data;
	const struct sip_msg *msg = arg;

	return c->invite != NULL && !c->info.outgoing &&
	       pl_cmp(&c->invite->callid, &msg->callid) == 0 &&
	       pl_cmp(&c->invite->via.branch, &msg->via.branch) == 0 &&
	       sip_dlg_same_tag(&c->invite->from.tag, &msg->from.tag) &&
	       c->invite->cseq.num == msg->cseq.num;
}

struct sip_call *sip_call_find_cancelled(struct sip_stack *s, const struct sip_msg *msg)
{
	union {
		const struct sip_msg *in;
		void *out;
	} m = {.in = msg};

	if (!pl_isset(&msg->callid) || !pl_isset(&msg->via.branch))
		return NULL;
	return list_ledata(hash_lookup(s->calls, hash_joaat_pl(&msg->callid), is_cancelled, m.out));
}

static int open_call(struct sip_call *c, const struct sip_msg *msg)
{
	struct sip_stack *s = c->stack;
	int err = sip_dlg_accept(&c->dlg, s->sip, s->agent, msg, contact_user(c));

	if (err == -EBADMSG) {
		s->stats.refused_malformed++;
		sip_stack_refuse(s, msg, 400, "Missing or bad Contact", NULL);
		return err;
	}
	if (err == 0)
		err = sip_strans_alloc(&c->st, s->sip, msg, sip_call_cancelled, c);
	if (err) {
		sip_stack_refuse(s, msg, 500, "No Memory", NULL);
		return -ENOMEM;
	}
	c->invite = sip_call_keep_msg(msg);
	sip_call_enter(c);
	(void)sip_treply(&c->st, s->sip, msg, 100, "Trying");
	return 0;
}

void sip_call_incoming(struct sip_stack *s, const struct sip_msg *msg)
{
	struct sip_call *c = NULL;
	struct sip_call_info who = {0};

	if (!sip_door_admit(s, msg, &who))
		return;
	if (sip_call_new(&c, s) != 0) {
		sip_stack_refuse(s, msg, 500, "No Memory", NULL);
		return;
	}
	c->state = CALL_IN_NEW;
	c->info = who;
	read_info(c, msg);
	if (!interval_fits(c, msg) || !sip_replaces_admit(c, msg) || !read_offer(c, msg) ||
	    open_call(c, msg) != 0) {
		mem_deref(c);
		return;
	}
	sip_rel_read(c, msg);
	sip_call_session_read(c, msg);
	s->stats.calls_in++;
	if (who.trunk_name[0])
		sip_trunk_count_in(s, who.trunk_name);
	log_info("sip", "[call=%s] %s calls %s from %s:%s:%u%s%s", c->info.call_id,
		 c->info.from_user[0] ? c->info.from_user : "(nobody)", c->info.to_user,
		 sip_transport_name(c->info.peer.transport), c->info.peer.ip,
		 (unsigned)c->info.peer.port,
		 who.auth_user[0]    ? ", proved to be "
		 : who.trunk_name[0] ? ", trunk "
				     : "",
		 who.auth_user[0] ? who.auth_user : who.trunk_name);

	s->handlers.incoming(s->handlers.arg, c);
	c->info.replaces = NULL;
	if (c->fn == NULL && c->state == CALL_IN_NEW)
		sip_call_end(c, 404, SIP_CAUSE_UNALLOCATED, "nobody takes this call");
}

/* --- what we say --- */

/* Settle our side against the offer, and write the answer, or our offer where there was none. */
static int settle(struct sip_call *c, const struct sip_media *local, struct mbuf **text)
{
	int err;

	/* The description of an 18x is repeated in the 200 (RFC 6337, 3.1.1), not made anew. */
	const struct sip_media *before = sip_sdp_local(c->sdp);

	if (c->answer && before && memcmp(before, local, sizeof(*local)) == 0) {
		*text = mem_ref(c->answer);
		return 0;
	}
	err = sip_sdp_set_local(c->sdp, local);
	if (err)
		return err;
	if (c->offer == NULL)
		return sip_sdp_make_offer(c->sdp, text);

	err = sip_sdp_take_offer(c->sdp, c->offer);
	if (err)
		return err == -ENOMEM ? err : -EINVAL;
	return sip_sdp_make_answer(c->sdp, text);
}

static const char *progress_phrase(int status)
{
	return status == 180   ? "Ringing"
	       : status == 181 ? "Call Is Being Forwarded"
	       : status == 182 ? "Queued"
			       : "Session Progress";
}

/* Send an 18x with the description `text`, or NULL. */
static int send_progress(struct sip_call *c, int status, struct mbuf *text)
{
	struct sip_contact contact;
	struct mbuf *sent = NULL;
	bool reliable = sip_rel_wants(c, text != NULL);
	char rseq[64] = "";
	int err;

	if (reliable) {
		c->rel.rseq = c->rel.rseq ? c->rel.rseq + 1 : 1 + rand_u32() % 0x7fffffff;
		(void)re_snprintf(rseq, sizeof(rseq), "Require: 100rel\r\nRSeq: %u\r\n",
				  c->rel.rseq);
	}
	sip_contact_set(&contact, c->dlg->contact, &c->invite->dst, c->invite->tp);
	err = sip_treplyf(&c->st, reliable ? &sent : NULL, c->stack->sip, c->invite, true,
			  (uint16_t)status, progress_phrase(status),
			  "%H" SIP_ABILITIES "%s%s%s%sContent-Length: %zu\r\n\r\n%b",
			  sip_contact_print, &contact, rseq, text ? "Content-Type: " : "",
			  text ? "application/sdp" : "", text ? "\r\n" : "",
			  text ? mbuf_get_left(text) : (size_t)0, text ? mbuf_buf(text) : NULL,
			  text ? mbuf_get_left(text) : (size_t)0);
	if (err)
		return -EPROTO;
	if (reliable)
		sip_rel_sent(c, sent, text != NULL);
	return 0;
}

int sip_call_progress(struct sip_call *call, int status, const struct sip_media *local)
{
	struct mbuf *text = NULL;
	int err = 0;

	if (call->state != CALL_IN_NEW || call->st == NULL || status <= 100 || status > 199 ||
	    call->rel.answer_waits)
		return -EPROTO;
	if (call->rel.sent != NULL) {
		call->rel.next_status = status;
		call->rel.next_has_local = local != NULL;
		if (local)
			call->rel.next_local = *local;
		return 0;
	}
	/* Without an offer there is nothing to answer yet; an offer of ours needs a PRACK to answer it. */
	if (local && !call->rel.settled && (call->offer || sip_rel_wants(call, true))) {
		err = settle(call, local, &text);
		call->rel.our_offer = call->offer == NULL;
	}
	if (err)
		return err;
	err = send_progress(call, status, text);
	if (text) {
		mem_deref(call->answer);
		call->answer = text;
	}
	return err;
}

/* --- 200 until ACK --- */

void sip_call_stop_ok(struct sip_call *c)
{
	tmr_cancel(&c->tmr_ok);
	tmr_cancel(&c->tmr_ack);
	c->ok = mem_deref(c->ok);
	c->ack_due = false;
	c->answer_in_ack = false;
}

static void repeat_ok(void *arg)
{
	struct sip_call *c = arg;
	uint32_t wait_ms = SIP_T1 << (c->ok_sent < 3 ? c->ok_sent : 3);

	(void)sip_send(c->stack->sip, c->invite->sock, c->invite->tp, &c->ok_dst, c->ok);
	c->ok_sent++;
	tmr_start(&c->tmr_ok, wait_ms < SIP_T2 ? wait_ms : SIP_T2, repeat_ok, c);
}

static void no_ack(void *arg)
{
	struct sip_call *c = arg;

	sip_call_stop_ok(c);
	if (c->state == CALL_ENDED) {
		sip_call_bye(c);
		sip_call_settle(c);
		return;
	}
	sip_call_over(c, false, 408, SIP_CAUSE_TIMER, "no ACK for our answer");
	sip_call_bye(c);
}

int sip_call_say_ok(struct sip_call *c, const struct sip_msg *msg, struct mbuf *text)
{
	struct sip_contact contact;
	struct mbuf *sent = NULL;
	struct pl rport;
	char session[128];
	int err;

	sip_call_session_headers(c, false, session, sizeof(session));
	sip_contact_set(&contact, c->dlg->contact, &msg->dst, msg->tp);
	err = sip_treplyf(&c->st, &sent, c->stack->sip, msg, true, 200, "OK",
			  "%H" SIP_ABILITIES "%s%s%s%sContent-Length: %zu\r\n\r\n%b",
			  sip_contact_print, &contact, session, text ? "Content-Type: " : "",
			  text ? "application/sdp" : "", text ? "\r\n" : "",
			  text ? mbuf_get_left(text) : (size_t)0, text ? mbuf_buf(text) : NULL,
			  text ? mbuf_get_left(text) : (size_t)0);
	c->st = NULL;
	if (err)
		return -EPROTO;

	mem_deref(c->ok);
	c->ok = sent;
	sip_reply_addr(&c->ok_dst, msg, msg_param_exists(&msg->via.params, "rport", &rport) == 0);
	if (c->invite != msg) {
		mem_deref(c->invite);
		c->invite = sip_call_keep_msg(msg);
	}
	c->ok_cseq = msg->cseq.num;
	c->ok_sent = 1;
	c->ack_due = true;
	tmr_start(&c->tmr_ack, SIP_ACK_WAIT_MS, no_ack, c);
	if (msg->tp == SIP_TRANSP_UDP)
		tmr_start(&c->tmr_ok, SIP_T1, repeat_ok, c);
	return 0;
}

static int send_answer(struct sip_call *c, struct mbuf *text)
{
	int err;

	c->answer_in_ack = c->offer == NULL && text != NULL;
	err = sip_call_say_ok(c, c->invite, text);
	if (err == 0)
		c->state = CALL_IN_ANSWERED;
	return err;
}

void sip_call_answer_now(struct sip_call *c)
{
	if (send_answer(c, NULL) != 0)
		sip_call_end(c, 500, 0, "the answer could not be sent");
}

int sip_call_answer(struct sip_call *call, const struct sip_media *local)
{
	struct mbuf *text = NULL;
	bool said = call->rel.settled || (call->rel.sent != NULL && call->rel.description);
	int err = 0;

	if (call->state != CALL_IN_NEW || call->st == NULL || call->rel.answer_waits)
		return -EPROTO;
	if (!said) {
		err = settle(call, local, &text);
	} else if (memcmp(sip_sdp_local(call->sdp), local, sizeof(*local)) != 0) {
		/* Said already, and otherwise: a new offer follows the ACK. */
		call->wish = *local;
		call->wish_waits = true;
	}
	if (err)
		return err;
	if (call->rel.sent != NULL && call->rel.description) {
		call->rel.next_status = 0;
		call->rel.answer_waits = true;
		return 0;
	}
	sip_rel_stop(call);
	err = send_answer(call, text);
	mem_deref(text);
	return err;
}

void sip_call_acked(struct sip_call *c, const struct sip_msg *msg)
{
	bool want_answer = c->answer_in_ack;
	int err = 0;

	if (!c->ack_due || msg->cseq.num != c->ok_cseq)
		return;
	sip_call_stop_ok(c);
	if (c->state == CALL_ENDED) {
		if (c->bye_after_ack)
			sip_call_bye(c);
		sip_call_settle(c);
		return;
	}
	if (want_answer)
		err = sip_call_has_sdp(msg) ? sip_sdp_take_answer(c->sdp, msg->mb) : -EBADMSG;

	bool first = c->state == CALL_IN_ANSWERED;

	c->state = CALL_RUNNING;
	if (err) {
		sip_call_over(c, false, 488, SIP_CAUSE_INCOMPATIBLE, "no usable answer in the ACK");
		sip_call_bye(c);
		return;
	}
	if (first)
		sip_call_tell_media(c, SIP_CALL_ANSWERED, 200, false);
	else if (want_answer)
		sip_call_tell_media(c, SIP_CALL_MEDIA, 200, true);
	sip_call_next_wish(c);
}
