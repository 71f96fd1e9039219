/* SPDX-License-Identifier: Apache-2.0
 *
 * An outgoing call up to its answer. A user may have several phones: each gets its own INVITE (a
 * fork) with the same offer, the first 200 wins and the others are cancelled. A 200 that comes after
 * the race is over is confirmed and hung up, so that no phone believes in a call that is not.
 *
 * What the owner hears of several refusals is one: a 6xx ends the race at once, otherwise the lowest
 * class of answer wins as in RFC 3261, 16.7, 6.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "sip/sip_priv.h"
#include "sip/sip_text.h"

#define SIP_ELSEWHERE "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n"

static void on_invite_response(int err, const struct sip_msg *msg, void *arg);

static void fork_free(void *arg)
{
	struct sip_fork *f = arg;

	list_unlink(&f->le);
	list_flush(&f->early);
	mem_deref(f->base);
	mem_deref(f->auth);
	mem_deref(f->sdp);
	mem_deref(f->offer);
	mem_deref(f->rtag);
}

/* --- ACK and BYE of branches --- */

void sip_call_send_ack(struct sip_dlg *d, uint32_t cseq)
{
	(void)sip_dlg_request(d, NULL, "ACK", cseq, NULL, NULL, NULL, "Content-Length: 0\r\n\r\n");
}

/* A branch answered that nobody wants any more. */
void sip_call_confirm_and_hang_up(const struct sip_dlg *base, const struct sip_msg *msg)
{
	struct sip_dlg *d = NULL;

	if (sip_dlg_established(&d, base, msg) != 0)
		return;
	sip_call_send_ack(d, msg->cseq.num);
	(void)sip_dlg_request(d, NULL, "BYE", 0, NULL, NULL, NULL,
			      SIP_ELSEWHERE "Content-Length: 0\r\n\r\n");
	mem_deref(d);
}

static bool has_our_tag(struct le *le, void *arg)
{
	const struct sip_call *c = le->data;
	const struct sip_msg *msg = arg;

	return c->dlg && pl_strcmp(&msg->callid, c->dlg->call_id) == 0 &&
	       pl_strcmp(&msg->from.tag, c->dlg->ltag) == 0;
}

bool sip_call_stray_ok(struct sip_stack *s, const struct sip_msg *msg)
{
	union {
		const struct sip_msg *in;
		void *out;
	} m = {.in = msg};
	struct sip_call *c;

	if (msg->scode < 200 || msg->scode > 299 || pl_strcmp(&msg->cseq.met, "INVITE") != 0 ||
	    !pl_isset(&msg->callid))
		return false;
	c = list_ledata(hash_lookup(s->calls, hash_joaat_pl(&msg->callid), has_our_tag, m.out));
	if (c == NULL)
		return false;
	if (sip_dlg_is(c->dlg, msg))
		sip_call_send_ack(c->dlg, msg->cseq.num);
	else
		sip_call_confirm_and_hang_up(c->dlg, msg);
	return true;
}

/* --- sending --- */

static int fork_send(struct sip_fork *f)
{
	struct sip_call *c = f->call;
	uint32_t want_s = c->stack->limits.session_expires_s;
	uint32_t min_s = c->min_se_s ? c->min_se_s : c->stack->limits.session_min_s;
	char *headers = NULL, *more;
	int err;

	if (want_s < min_s)
		want_s = min_s;
	err = re_sdprintf(&headers, SIP_ABILITIES "Session-Expires: %u\r\nMin-SE: %u\r\n%s", want_s,
			  min_s, c->headers ? c->headers : "");
	if (err)
		return -ENOMEM;
	more = sip_dlg_body(headers, "application/sdp", mbuf_buf(f->offer),
			    mbuf_get_left(f->offer));
	mem_deref(headers);
	err = more ? sip_dlg_request(f->base, &f->req, "INVITE", 0, f->auth, on_invite_response, f,
				     more)
		   : ENOMEM;
	mem_deref(more);
	if (err)
		f->req = NULL;
	return -err;
}

void sip_call_cancel_forks(struct sip_call *c, const struct sip_fork *but)
{
	struct le *le = c->forks.head;
	char reason[256];

	/* A phone that reads it does not show a missed call (RFC 3326, 3.1). */
	if (c->state == CALL_RUNNING)
		str_ncpy(reason, SIP_ELSEWHERE, sizeof(reason));
	else
		sip_call_reason(reason, sizeof(reason), c->end.cause, c->end_text);
	while (le) {
		struct sip_fork *f = le->data;

		le = le->next;
		if (f == but || f->req == NULL)
			continue;
		if (f->heard && !f->cancelled)
			sip_dlg_cancel(f->base, reason);
		f->cancelled = true;
		sip_request_cancel(f->req);
	}
}

/* --- answers --- */

/* 6xx first, then the lowest class; within a class the first one stays. */
static bool better(int status, int than)
{
	if (than == 0)
		return true;
	if ((status >= 600) != (than >= 600))
		return status >= 600;
	return status / 100 < than / 100;
}

static void fork_failed(struct sip_fork *f, int status, const struct sip_msg *msg)
{
	struct sip_call *c = f->call;

	if (better(status, c->best_status)) {
		c->best_status = status;
		if (msg)
			sip_text_pl(c->best_text, sizeof(c->best_text), &msg->reason);
		else
			str_ncpy(c->best_text, status == 408 ? "no response" : "not reachable",
				 sizeof(c->best_text));
	}
	mem_deref(f);
	if (c->info.trunk_name[0] && c->state == CALL_OUT)
		sip_trunk_result(c->stack, c->info.trunk_name, status, msg);
	if (c->state == CALL_OUT) {
		if (c->forks.head == NULL) {
			int cause = msg             ? sip_cause_of_status(c->best_status)
				    : status == 408 ? SIP_CAUSE_NO_RESPONSE
						    : SIP_CAUSE_OUT_OF_ORDER;

			if (msg)
				sip_call_over_by(c, msg, true, c->best_status, cause, c->best_text);
			else
				sip_call_over(c, true, c->best_status, cause, c->best_text);
		} else if (status >= 600) {
			sip_call_cancel_forks(c, NULL);
		}
	}
	sip_call_settle(c);
}

static void provisional(struct sip_fork *f, const struct sip_msg *msg)
{
	struct sip_call *c = f->call;
	struct sip_call_event ev = {.kind = SIP_CALL_RINGING, .by_peer = true};
	struct sip_early *early = NULL;
	char text[SIP_TEXT_MAX];

	if (c->state != CALL_OUT || msg->scode == 100 || !sip_rel_confirm(f, msg, &early))
		return;
	if (pl_isset(&msg->to.tag)) {
		f->rtag = mem_deref(f->rtag);
		(void)pl_strdup(&f->rtag, &msg->to.tag);
	}
	ev.status = msg->scode;
	sip_text_pl(text, sizeof(text), &msg->reason);
	ev.text = text;
	/* What was confirmed once is settled; only an UPDATE changes it (RFC 6337, 3.1.1). */
	if (sip_call_has_sdp(msg) && !(early && early->settled) &&
	    sip_sdp_take_answer(f->sdp, msg->mb) == 0) {
		if (early)
			early->settled = sip_msg_lists(msg, SIP_HDR_REQUIRE, "100rel");
		mem_deref(c->sdp);
		c->sdp = mem_ref(f->sdp);
		ev.kind = SIP_CALL_EARLY_MEDIA;
		ev.media = sip_sdp_remote(c->sdp);
	}
	sip_call_tell(c, &ev);
}

static void read_peer(struct sip_call *c, const struct sip_msg *msg)
{
	const struct sip_hdr *ua = sip_msg_hdr(msg, SIP_HDR_USER_AGENT);

	if (ua == NULL)
		ua = sip_msg_hdr(msg, SIP_HDR_SERVER);
	sip_peer_of(&c->info.peer, msg);
	if (ua)
		sip_text_pl(c->info.user_agent, sizeof(c->info.user_agent), &ua->val);
}

/* The race is won. Returns 0, or -EBADMSG for a 200 that cannot be worked with. */
static int answered(struct sip_fork *f, const struct sip_msg *msg)
{
	struct sip_call *c = f->call;
	const struct sip_early *early = sip_early_find(f, msg);
	int err = sip_dlg_established(&c->dlg, f->base, msg);

	if (err)
		return err;
	/* The numbers go on; the route set is the 200's (RFC 3261, 13.2.2.4). */
	if (early) {
		c->dlg->lseq = early->dlg->lseq;
		c->dlg->rseq = early->dlg->rseq;
	}
	sip_call_send_ack(c->dlg, msg->cseq.num);
	c->auth = mem_ref(f->auth);
	mem_deref(c->sdp);
	c->sdp = mem_ref(f->sdp);
	read_peer(c, msg);
	tmr_cancel(&c->tmr_ring);
	sip_call_cancel_forks(c, f);
	c->state = CALL_RUNNING;
	if (c->info.trunk_name[0])
		sip_trunk_result(c->stack, c->info.trunk_name, 200, msg);

	/* A 200 may leave out what an 18x has said already. */
	if (sip_call_has_sdp(msg) && !(early && early->settled))
		err = sip_sdp_take_answer(c->sdp, msg->mb);
	else
		err = sip_sdp_remote(c->sdp) ? 0 : -EBADMSG;
	return err;
}

static void final_ok(struct sip_fork *f, const struct sip_msg *msg)
{
	struct sip_call *c = f->call;

	if (c->state != CALL_OUT) {
		sip_call_confirm_and_hang_up(f->base, msg);
		mem_deref(f);
		sip_call_settle(c);
		return;
	}

	int err = answered(f, msg);

	if (err) {
		sip_call_over(c, false, 488, SIP_CAUSE_INCOMPATIBLE, "unusable answer");
		sip_call_cancel_forks(c, f);
		mem_deref(f);
		sip_call_bye(c);
		return;
	}
	mem_deref(f);
	sip_call_session_read(c, msg);
	sip_call_tell_media(c, SIP_CALL_ANSWERED, 200, true);
	sip_call_next_wish(c);
}

/* Returns true when the INVITE was sent again. */
static bool try_again(struct sip_fork *f, const struct sip_msg *msg)
{
	const struct sip_hdr *min_se;
	struct pl n;

	if (f->call->state != CALL_OUT)
		return false;
	if (msg->scode == 401 || msg->scode == 407) {
		if (f->challenged || !sip_call_authenticate(f->call, &f->auth, msg))
			return false;
		f->challenged = true;
		f->heard = false;
		return fork_send(f) == 0;
	}
	if (msg->scode != 422 || f->timer_raised)
		return false;
	min_se = sip_msg_hdr(msg, SIP_HDR_MIN_SE);
	if (min_se == NULL || re_regex(min_se->val.p, min_se->val.l, "[0-9]+", &n) != 0 || n.l > 6)
		return false;
	f->timer_raised = true;
	f->call->min_se_s = pl_u32(&n);
	return fork_send(f) == 0;
}

static void on_invite_response(int err, const struct sip_msg *msg, void *arg)
{
	struct sip_fork *f = arg;

	if (err || msg == NULL) {
		f->req = NULL;
		fork_failed(f, sip_call_status_of_errno(err), NULL);
		return;
	}
	if (msg->scode < 200) {
		f->heard = true;
		provisional(f, msg);
		return;
	}
	f->req = NULL;
	if (msg->scode < 300)
		final_ok(f, msg);
	else if (!try_again(f, msg))
		fork_failed(f, msg->scode, msg);
}

int sip_call_add_fork(struct sip_call *c, const struct sip_invite *inv, const char *from,
		      const char *to, const char *target, const char *hop, const char *route)
{
	struct sip_fork *f = mem_zalloc(sizeof(*f), fork_free);
	const char *contact = inv->from_user && !inv->withheld && sip_text_is_user(inv->from_user)
				      ? inv->from_user
				      : "patchbay";
	int err;

	if (f == NULL)
		return -ENOMEM;
	f->call = c;
	list_append(&c->forks, &f->le, f);
	err = sip_dlg_start(&f->base, c->stack->sip, c->stack->agent, from, to, target, hop,
			    contact, c->info.call_id[0] ? c->info.call_id : NULL);
	if (err == 0 && route && route[0])
		err = sip_dlg_route(f->base, route);
	err = err ? err : sip_sdp_new(&f->sdp);
	err = err ? err : sip_sdp_set_local(f->sdp, inv->local);
	err = err ? err : sip_sdp_make_offer(f->sdp, &f->offer);
	if (err == 0 && c->info.call_id[0] == '\0')
		str_ncpy(c->info.call_id, f->base->call_id, sizeof(c->info.call_id));
	err = err ? err : fork_send(f);
	if (err)
		mem_deref(f);
	return err;
}
