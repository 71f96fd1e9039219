/* SPDX-License-Identifier: Apache-2.0
 *
 * Provisional responses that arrive for certain (RFC 3262), both sides, and what UPDATE may do before
 * the answer (RFC 3311).
 *
 * As callee: a response is sent reliably when the caller requires it, or when the caller can and it
 * carries a description, since early media that were lost would be silence. One is under way at a time; what
 * the owner says meanwhile waits, the newest word only. The 200 waits as well while a description is not
 * confirmed (RFC 3262, 3). A description that was confirmed is not said again.
 *
 * As caller: each tag that answers our INVITE is an early dialog with RSeq numbers of its own. A number
 * that is not the next is a repetition, or overtook another: not confirmed, so it comes again.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "sip/sip_priv.h"
#include "sip/sip_text.h"

enum { EARLY_MAX = 8 };

/* --- callee --- */

void sip_rel_read(struct sip_call *c, const struct sip_msg *msg)
{
	c->rel.required = sip_msg_lists(msg, SIP_HDR_REQUIRE, "100rel");
	c->rel.supported = c->rel.required || sip_msg_lists(msg, SIP_HDR_SUPPORTED, "100rel");
}

bool sip_rel_wants(const struct sip_call *c, bool description)
{
	return c->rel.required || (c->rel.supported && description);
}

void sip_rel_stop(struct sip_call *c)
{
	tmr_cancel(&c->rel.tmr);
	c->rel.sent = mem_deref(c->rel.sent);
	c->rel.answer_waits = false;
	c->rel.next_status = 0;
}

static void repeat(void *arg)
{
	struct sip_call *c = arg;
	uint32_t give_up_ms = c->stack->limits.prack_wait_ms;

	c->rel.waited_ms += c->rel.wait_ms;
	if (c->rel.waited_ms < give_up_ms) {
		(void)sip_send(c->stack->sip, c->invite->sock, c->invite->tp, &c->rel.dst,
			       c->rel.sent);
		c->rel.wait_ms *= 2;
		if (c->rel.waited_ms + c->rel.wait_ms > give_up_ms)
			c->rel.wait_ms = give_up_ms - c->rel.waited_ms;
		tmr_start(&c->rel.tmr, c->rel.wait_ms, repeat, c);
		return;
	}
	sip_call_end(c, 504, SIP_CAUSE_TIMER, "no PRACK for our response");
}

void sip_rel_sent(struct sip_call *c, struct mbuf *sent, bool description)
{
	struct pl rport;

	c->rel.sent = sent;
	c->rel.description = description;
	c->rel.wait_ms = SIP_T1;
	c->rel.waited_ms = 0;
	sip_reply_addr(&c->rel.dst, c->invite,
		       msg_param_exists(&c->invite->via.params, "rport", &rport) == 0);
	tmr_start(&c->rel.tmr, SIP_T1, repeat, c);
}

/* "RAck: 776656 1 INVITE" names our response. */
static bool names_ours(const struct sip_call *c, const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_RACK);
	struct pl rseq, cseq, method;

	return hdr != NULL && c->rel.sent != NULL &&
	       re_regex(hdr->val.p, hdr->val.l, "[0-9]+[ \t]+[0-9]+[ \t]+[^ \t]+", &rseq, NULL,
			&cseq, NULL, &method) == 0 &&
	       rseq.l < 11 && cseq.l < 11 && pl_u32(&rseq) == c->rel.rseq &&
	       pl_u32(&cseq) == c->invite->cseq.num && pl_strcmp(&method, "INVITE") == 0;
}

/* The description in a PRACK: the answer to our offer, or a new offer. Returns 0 and the text of our
 * answer, if one is due. */
static int take_body(struct sip_call *c, const struct sip_msg *msg, bool ours, struct mbuf **text)
{
	int err;

	if (ours)
		return sip_call_has_sdp(msg) ? sip_sdp_take_answer(c->sdp, msg->mb) : -EBADMSG;
	if (!sip_call_has_sdp(msg))
		return 0;
	err = c->rel.settled ? sip_sdp_take_offer(c->sdp, msg->mb) : -ENOTSUP;
	return err ? err : sip_sdp_make_answer(c->sdp, text);
}

void sip_rel_prack(struct sip_call *c, const struct sip_msg *msg)
{
	struct mbuf *text = NULL;
	bool ours, changed;
	int err;

	if (c->state != CALL_IN_NEW || !names_ours(c, msg)) {
		(void)sip_treply(NULL, c->stack->sip, msg, 481, "No Such Response");
		return;
	}
	tmr_cancel(&c->rel.tmr);
	c->rel.sent = mem_deref(c->rel.sent);
	ours = c->rel.description && c->rel.our_offer && !c->rel.settled;
	c->rel.settled = c->rel.settled || c->rel.description;
	changed = ours || sip_call_has_sdp(msg);
	err = take_body(c, msg, ours, &text);
	if (err) {
		(void)sip_treply(NULL, c->stack->sip, msg, err == -EBADMSG ? 400 : 488,
				 err == -EBADMSG ? "Bad session description"
						 : "Not Acceptable Here");
		if (ours)
			sip_call_end(c, 488, SIP_CAUSE_INCOMPATIBLE,
				     "no usable answer in the PRACK");
		changed = false;
	} else {
		(void)sip_treplyf(NULL, NULL, c->stack->sip, msg, false, 200, "OK",
				  "%s%sContent-Length: %zu\r\n\r\n%b",
				  text ? "Content-Type: application/sdp" : "", text ? "\r\n" : "",
				  text ? mbuf_get_left(text) : (size_t)0,
				  text ? mbuf_buf(text) : NULL,
				  text ? mbuf_get_left(text) : (size_t)0);
	}
	mem_deref(text);
	if (changed)
		sip_call_tell_media(c, SIP_CALL_MEDIA, 200, true);
	if (c->state != CALL_IN_NEW)
		return;
	if (c->rel.answer_waits) {
		c->rel.answer_waits = false;
		sip_call_answer_now(c);
	} else if (c->rel.next_status != 0) {
		int status = c->rel.next_status;
		bool media = c->rel.next_has_local;

		c->rel.next_status = 0;
		(void)sip_call_progress(c, status, media ? &c->rel.next_local : NULL);
	}
}

/* --- caller --- */

static void early_free(void *arg)
{
	struct sip_early *e = arg;

	list_unlink(&e->le);
	mem_deref(e->dlg);
}

struct sip_early *sip_early_find(const struct sip_fork *f, const struct sip_msg *msg)
{
	for (struct le *le = f->early.head; le; le = le->next) {
		struct sip_early *e = le->data;

		if (sip_dlg_is(e->dlg, msg))
			return e;
	}
	return NULL;
}

static struct sip_early *early_new(struct sip_fork *f, const struct sip_msg *msg)
{
	struct sip_early *e;

	if (list_count(&f->early) == EARLY_MAX || !pl_isset(&msg->to.tag))
		return NULL;
	e = mem_zalloc(sizeof(*e), early_free);
	if (e == NULL || sip_dlg_established(&e->dlg, f->base, msg) != 0)
		return mem_deref(e);
	list_append(&f->early, &e->le, e);
	return e;
}

/* A PRACK under way; who challenges it hears it once more, with the proof. Lives until it is answered, whatever
 * becomes of the call. */
struct prack {
	struct sip_dlg *dlg;
	struct sip_prove *auth;
	struct sip_call_credentials credentials;
	char *more;
	bool challenged;
};

static void prack_free(void *arg)
{
	struct prack *p = arg;

	mem_deref(p->dlg);
	mem_deref(p->auth);
	mem_deref(p->more);
	memset(&p->credentials, 0, sizeof(p->credentials));
}

static bool prove(struct prack *p, const struct sip_msg *msg)
{
	if ((msg->scode != 401 && msg->scode != 407) || p->challenged)
		return false;
	p->challenged = true;
	return sip_call_prove(&p->credentials, &p->auth, msg);
}

static void on_prack(int err, const struct sip_msg *msg, void *arg)
{
	struct prack *p = arg;

	if (!err && msg && msg->scode < 200)
		return;
	if (err || msg == NULL || !prove(p, msg) ||
	    sip_dlg_request(p->dlg, NULL, "PRACK", 0, p->auth, on_prack, p, p->more) != 0)
		mem_deref(p);
}

static void send_prack(const struct sip_fork *f, struct sip_dlg *dlg, const char *headers)
{
	struct prack *p = mem_zalloc(sizeof(*p), prack_free);

	if (p == NULL)
		return;
	p->dlg = mem_ref(dlg);
	p->auth = mem_ref(f->auth);
	p->credentials = f->call->credentials;
	p->more = sip_dlg_body(headers, NULL, NULL, 0);
	if (p->more == NULL ||
	    sip_dlg_request(dlg, NULL, "PRACK", 0, p->auth, on_prack, p, p->more) != 0)
		mem_deref(p);
}

bool sip_rel_confirm(struct sip_fork *f, const struct sip_msg *msg, struct sip_early **early)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_RSEQ);
	struct sip_early *e = sip_early_find(f, msg);
	char *headers = NULL;
	uint32_t rseq;

	*early = e;
	if (!sip_msg_lists(msg, SIP_HDR_REQUIRE, "100rel"))
		return true;
	rseq = hdr && hdr->val.l < 11 ? pl_u32(&hdr->val) : 0;
	if (rseq == 0)
		return false;
	if (e == NULL)
		*early = e = early_new(f, msg);
	if (e == NULL || (e->rseq != 0 && rseq != e->rseq + 1))
		return false;
	e->rseq = rseq;
	if (sip_msg_hdr(msg, SIP_HDR_ALLOW))
		e->update = sip_msg_lists(msg, SIP_HDR_ALLOW, "UPDATE");
	if (re_sdprintf(&headers, "RAck: %u %u INVITE\r\n", rseq, msg->cseq.num) != 0)
		return false;
	send_prack(f, e->dlg, headers);
	mem_deref(headers);
	return true;
}

/* --- requests of the callee before its answer --- */

static void early_update(struct sip_call *c, struct sip_fork *f, struct sip_early *e,
			 const struct sip_msg *msg)
{
	struct sip_contact contact;
	struct mbuf *text = NULL;
	bool offered = sip_call_has_sdp(msg);
	int err = 0;

	if (offered && (!e->settled || c->modify)) {
		/* An offer of ours has no answer yet. */
		(void)sip_treply(NULL, c->stack->sip, msg, 491, "Request Pending");
		return;
	}
	if (offered) {
		err = sip_sdp_take_offer(f->sdp, msg->mb);
		err = err ? err : sip_sdp_make_answer(f->sdp, &text);
	}
	if (err) {
		(void)sip_treply(NULL, c->stack->sip, msg, err == -EBADMSG ? 400 : 488,
				 err == -EBADMSG ? "Bad session description"
						 : "Not Acceptable Here");
		return;
	}
	sip_dlg_refresh(e->dlg, msg);
	sip_contact_set(&contact, e->dlg->contact, &msg->dst, msg->tp);
	(void)sip_treplyf(NULL, NULL, c->stack->sip, msg, false, 200, "OK",
			  "%H" SIP_ABILITIES "%sContent-Length: %zu\r\n\r\n%b", sip_contact_print,
			  &contact, text ? "Content-Type: application/sdp\r\n" : "",
			  text ? mbuf_get_left(text) : (size_t)0, text ? mbuf_buf(text) : NULL,
			  text ? mbuf_get_left(text) : (size_t)0);
	mem_deref(text);
	if (!offered)
		return;
	mem_deref(c->sdp);
	c->sdp = mem_ref(f->sdp);
	sip_call_tell_media(c, SIP_CALL_EARLY_MEDIA, 183, true);
}

bool sip_early_request(struct sip_call *c, const struct sip_msg *msg)
{
	for (struct le *le = c->forks.head; le; le = le->next) {
		struct sip_fork *f = le->data;
		struct sip_early *e = sip_early_find(f, msg);

		if (e == NULL)
			continue;
		if (pl_strcmp(&msg->met, "ACK") == 0)
			return true;
		if (c->state != CALL_OUT)
			(void)sip_treply(NULL, c->stack->sip, msg, 481, "Call Does Not Exist");
		else if (!sip_dlg_in_order(e->dlg, msg))
			(void)sip_treply(NULL, c->stack->sip, msg, 500, "Out of Order");
		else if (pl_strcmp(&msg->met, "UPDATE") == 0)
			early_update(c, f, e, msg);
		else if (pl_strcmp(&msg->met, "INFO") == 0)
			sip_call_info_request(c, msg);
		else if (pl_strcmp(&msg->met, "OPTIONS") == 0)
			(void)sip_treplyf(NULL, NULL, c->stack->sip, msg, false, 200, "OK",
					  SIP_ABILITIES "Content-Length: 0\r\n\r\n");
		else
			(void)sip_treply(NULL, c->stack->sip, msg, 481, "Not Before the Answer");
		return true;
	}
	return false;
}

/* --- our own UPDATE before the answer --- */

/* The dialog in which an offer may be made now, or NULL. Of several early ones nobody knows which will be the
 * call, so there is none then. */
static struct sip_dlg *settled_dialog(const struct sip_call *c)
{
	struct sip_dlg *found = NULL;

	if (c->state == CALL_IN_NEW && c->rel.settled && c->rel.sent == NULL && c->peer_update)
		return c->dlg;
	if (c->state != CALL_OUT)
		return NULL;
	for (struct le *le = c->forks.head; le; le = le->next) {
		const struct sip_fork *f = le->data;

		for (struct le *l = f->early.head; l; l = l->next) {
			const struct sip_early *e = l->data;

			if (found != NULL || !e->settled || !e->update || f->sdp != c->sdp)
				return NULL;
			found = e->dlg;
		}
	}
	return found;
}

static void on_update(int err, const struct sip_msg *msg, void *arg);

/* Offer what the call's description says now. */
static int send_update(struct sip_call *c, struct sip_dlg *d)
{
	struct mbuf *text = NULL;
	int err = sip_sdp_make_offer(c->sdp, &text);
	char *more;

	if (err)
		return err;
	more = sip_dlg_body(SIP_ABILITIES, "application/sdp", mbuf_buf(text), mbuf_get_left(text));
	err = more ? -sip_dlg_request(d, &c->modify, "UPDATE", 0, c->auth, on_update, c, more)
		   : -ENOMEM;
	mem_deref(more);
	mem_deref(text);
	if (err)
		c->modify = NULL;
	return err;
}

/* A challenged one is said again, with the proof. */
static bool prove_update(struct sip_call *c, const struct sip_msg *msg)
{
	struct sip_dlg *d = settled_dialog(c);

	if ((msg->scode != 401 && msg->scode != 407) || c->challenged || d == NULL ||
	    !sip_call_authenticate(c, &c->auth, msg))
		return false;
	c->challenged = true;
	return send_update(c, d) == 0;
}

static void on_update(int err, const struct sip_msg *msg, void *arg)
{
	struct sip_call *c = arg;
	bool good = !err && msg && msg->scode >= 200 && msg->scode < 300;
	struct sip_call_event failed = {.kind = SIP_CALL_MODIFY_FAILED};

	if (!err && msg && msg->scode < 200)
		return;
	c->modify = NULL;
	if (c->state == CALL_ENDED) {
		sip_call_settle(c);
		return;
	}
	if (!err && msg && prove_update(c, msg))
		return;
	if (good && sip_call_has_sdp(msg) && sip_sdp_take_answer(c->sdp, msg->mb) == 0) {
		sip_call_tell_media(c, SIP_CALL_MEDIA, msg->scode, false);
	} else {
		(void)sip_sdp_set_local(c->sdp, &c->agreed);
		failed.status = good ? 488 : msg ? msg->scode : sip_call_status_of_errno(err);
		sip_call_tell(c, &failed);
	}
	sip_call_next_wish(c);
}

int sip_early_modify(struct sip_call *c, const struct sip_media *local)
{
	struct sip_dlg *d = settled_dialog(c);
	int err;

	if (d == NULL || c->modify != NULL)
		return -EPROTO;
	c->agreed = *sip_sdp_local(c->sdp);
	c->challenged = false;
	err = sip_sdp_set_local(c->sdp, local);
	err = err ? err : send_update(c, d);
	if (err)
		(void)sip_sdp_set_local(c->sdp, &c->agreed);
	return err;
}

bool sip_early_is(const struct sip_call *c, const struct sip_msg *msg)
{
	for (struct le *le = c->forks.head; le; le = le->next) {
		if (sip_early_find(le->data, msg) != NULL)
			return true;
	}
	return false;
}
