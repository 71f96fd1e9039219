/* SPDX-License-Identifier: Apache-2.0
 *
 * Changing a running call from our side, and keeping it known to be alive.
 *
 * One re-INVITE at a time. A wish that comes while one is under way, or while the ACK of the peer's
 * own is due, waits; only the newest wish is kept, since it says everything. Glare (491) is retried
 * after the random pause of RFC 3261, 14.1, which depends on who owns the Call-ID.
 *
 * The session timer (RFC 4028) has two sides. Who refreshes sends UPDATE (when the peer allows it) or
 * an unchanged re-INVITE at half time; who does not, hangs up when nothing came in time.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "sip/sip_priv.h"
#include "sip/sip_sdp_store.h"
#include "sip/sip_text.h"

static void on_modify_response(int err, const struct sip_msg *msg, void *arg);
static void session_due(void *arg);

/* --- session timer --- */

uint32_t sip_call_session_of(const struct sip_msg *msg, struct pl *refresher)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_SESSION_EXPIRES);
	struct pl n;

	*refresher = pl_null;
	if (hdr == NULL || re_regex(hdr->val.p, hdr->val.l, "[0-9]+", &n) != 0 ||
	    n.p != hdr->val.p || n.l > 7)
		return 0;
	(void)sip_text_param(&hdr->val, "refresher", refresher);
	return pl_u32(&n);
}

static void start_session_timer(struct sip_call *c)
{
	uint64_t ms = 1000ull * c->session_s;

	if (c->session_s == 0) {
		tmr_cancel(&c->tmr_session);
		return;
	}
	/* RFC 4028, 10: give up a third before the end, at most 32 s. */
	if (!c->we_refresh)
		ms -= ms / 3 < 32000 ? ms / 3 : 32000;
	else
		ms /= 2;
	tmr_start(&c->tmr_session, ms, session_due, c);
}

void sip_call_session_read(struct sip_call *c, const struct sip_msg *msg)
{
	struct pl refresher;
	uint32_t s = sip_call_session_of(msg, &refresher);

	if (sip_msg_hdr(msg, SIP_HDR_ALLOW))
		c->peer_update = sip_msg_lists(msg, SIP_HDR_ALLOW, "UPDATE");
	if (msg->req) {
		/* We answer: the caller refreshes unless it cannot or wishes us to. */
		c->peer_timer = sip_msg_lists(msg, SIP_HDR_SUPPORTED, "timer");
		c->session_s = s;
		c->we_refresh = !c->peer_timer || pl_strcasecmp(&refresher, "uas") == 0;
	} else {
		/* We asked: without the header the peer wants no timer. */
		c->peer_timer = s != 0;
		c->session_s = s;
		c->we_refresh = pl_strcasecmp(&refresher, "uas") != 0;
	}
	if (c->session_s != 0 && c->session_s < c->stack->limits.session_min_s)
		c->session_s = c->stack->limits.session_min_s;
	start_session_timer(c);
}

void sip_call_session_resume(struct sip_call *c, uint64_t left_ms)
{
	tmr_start(&c->tmr_session, left_ms, session_due, c);
}

void sip_call_session_headers(const struct sip_call *c, bool request, char *out, size_t size)
{
	bool uac_refreshes = request ? c->we_refresh : !c->we_refresh;

	out[0] = '\0';
	if (c->session_s == 0)
		return;
	(void)re_snprintf(out, size, "%sSession-Expires: %u;refresher=%s\r\n",
			  !request && uac_refreshes ? "Require: timer\r\n" : "", c->session_s,
			  uac_refreshes ? "uac" : "uas");
}

/* --- our re-INVITE or UPDATE --- */

/* Returns 0 or a negative errno; c->modify is set while it is under way. */
static int send_offer(struct sip_call *c, bool update)
{
	struct mbuf *text = NULL;
	char session[128];
	char *headers = NULL, *more = NULL;
	int err = update ? 0 : sip_sdp_make_offer(c->sdp, &text);

	if (err)
		return err;
	sip_call_session_headers(c, true, session, sizeof(session));
	err = re_sdprintf(&headers, SIP_ABILITIES "%s", session);
	if (err == 0)
		more = sip_dlg_body(headers, text ? "application/sdp" : NULL,
				    text ? mbuf_buf(text) : NULL, text ? mbuf_get_left(text) : 0);
	err = more ? sip_dlg_request(c->dlg, &c->modify, update ? "UPDATE" : "INVITE", 0, c->auth,
				     on_modify_response, c, more)
		   : ENOMEM;
	if (err)
		c->modify = NULL;
	mem_deref(headers);
	mem_deref(more);
	mem_deref(text);
	return -err;
}

static void modify_failed(struct sip_call *c, int status)
{
	struct sip_call_event ev = {.kind = SIP_CALL_MODIFY_FAILED, .status = status};

	/* Our side of the session goes back to what stands. */
	(void)sip_sdp_set_local(c->sdp, &c->agreed);
	if (!c->modify_is_refresh)
		sip_call_tell(c, &ev);
}

static void try_wish(void *arg)
{
	struct sip_call *c = arg;
	int err;

	if (!c->wish_waits || c->modify || c->ack_due || c->state != CALL_RUNNING ||
	    tmr_isrunning(&c->tmr_modify))
		return;
	c->wish_waits = false;
	c->modify_is_refresh = false;
	c->agreed = *sip_sdp_local(c->sdp);
	err = sip_sdp_set_local(c->sdp, &c->wish);
	if (err == 0) {
		c->challenged = false;
		err = send_offer(c, false);
	}
	if (err)
		modify_failed(c, 503);
}

void sip_call_next_wish(struct sip_call *c)
{
	if (c->wish_waits && !tmr_isrunning(&c->tmr_modify))
		tmr_start(&c->tmr_modify, 0, try_wish, c);
}

/* Ask again after glare. The owner of the Call-ID waits longer, so the two do not meet again. */
static void retry_later(struct sip_call *c)
{
	uint32_t ms = c->info.outgoing ? 2100 + rand_u32() % 1900 : rand_u32() % 2000;

	if (c->modify_is_refresh) {
		tmr_start(&c->tmr_session, ms, session_due, c);
		return;
	}
	if (!c->wish_waits) {
		c->wish = *sip_sdp_local(c->sdp);
		c->wish_waits = true;
	}
	(void)sip_sdp_set_local(c->sdp, &c->agreed);
	tmr_start(&c->tmr_modify, ms ? ms : 1, try_wish, c);
}

static void accepted(struct sip_call *c, const struct sip_msg *msg)
{
	bool invite = pl_strcmp(&msg->cseq.met, "INVITE") == 0;
	/* After a restart the first exchange brings new keys, whatever it was for. */
	bool keys = sip_sdp_without_keys(c->sdp);
	int err = 0;

	if (invite)
		sip_call_send_ack(c->dlg, msg->cseq.num);
	if (c->state == CALL_ENDED)
		return;
	sip_dlg_refresh(c->dlg, msg);
	sip_call_session_read(c, msg);
	if (invite)
		err = sip_call_has_sdp(msg) ? sip_sdp_take_answer(c->sdp, msg->mb) : -EBADMSG;
	if (err)
		modify_failed(c, 488);
	else if (invite && (!c->modify_is_refresh || keys))
		sip_call_tell_media(c, SIP_CALL_MEDIA, msg->scode, false);
	else
		sip_call_tell(c, &(struct sip_call_event){.kind = SIP_CALL_REFRESHED});
}

static void refused(struct sip_call *c, const struct sip_msg *msg, int err)
{
	int status = msg ? msg->scode : sip_call_status_of_errno(err);

	if (c->state == CALL_ENDED)
		return;
	if (status == 491) {
		retry_later(c);
		return;
	}
	/* RFC 3261, 12.2.1.2: the peer has no such call, or is gone. */
	if (status == 481 || status == 408) {
		sip_call_over(c, status == 481, status,
			      status == 481 ? SIP_CAUSE_OUT_OF_ORDER : SIP_CAUSE_TIMER,
			      status == 481 ? "the peer has forgotten the call"
					    : "the peer does not answer");
		sip_call_bye(c);
		return;
	}
	if (c->modify_is_refresh)
		start_session_timer(c);
	modify_failed(c, status);
}

static void on_modify_response(int err, const struct sip_msg *msg, void *arg)
{
	struct sip_call *c = arg;

	if (!err && msg && msg->scode < 200)
		return;
	c->modify = NULL;
	if (!err && msg && msg->scode < 300) {
		accepted(c, msg);
	} else if (!err && msg && (msg->scode == 401 || msg->scode == 407) && !c->challenged &&
		   c->state != CALL_ENDED && sip_call_authenticate(c, &c->auth, msg)) {
		c->challenged = true;
		if (send_offer(c, pl_strcmp(&msg->cseq.met, "UPDATE") == 0) != 0)
			modify_failed(c, 503);
	} else {
		refused(c, msg, err);
	}
	if (c->state == CALL_ENDED)
		sip_call_settle(c);
	else
		sip_call_next_wish(c);
}

static void session_due(void *arg)
{
	struct sip_call *c = arg;

	if (!c->we_refresh) {
		sip_call_over(c, false, 408, SIP_CAUSE_TIMER, "session timer expired");
		sip_call_bye(c);
		return;
	}
	if (c->modify || c->ack_due || c->state != CALL_RUNNING) {
		tmr_start(&c->tmr_session, 2000, session_due, c);
		return;
	}
	c->modify_is_refresh = true;
	c->challenged = false;
	c->agreed = *sip_sdp_local(c->sdp);
	if (send_offer(c, c->peer_update) != 0)
		tmr_start(&c->tmr_session, 2000, session_due, c);
}

void sip_call_modify_stop(struct sip_call *c)
{
	c->wish_waits = false;
	tmr_cancel(&c->tmr_modify);
}

int sip_call_modify(struct sip_call *call, const struct sip_media *local)
{
	if (local == NULL || local->codecs == 0 || local->codecs > SIP_CODECS_MAX ||
	    local->port == 0 || local->ip[0] == '\0')
		return -EINVAL;
	if (!sip_call_established(call))
		return sip_early_modify(call, local);
	call->wish = *local;
	call->wish_waits = true;
	sip_call_next_wish(call);
	return 0;
}

static void ignore_response(int err, const struct sip_msg *msg, void *arg)
{
	(void)err;
	(void)msg;
	(void)arg;
}

int sip_call_send_dtmf(struct sip_call *call, char digit, uint16_t duration_ms)
{
	char body[64];
	char *more;
	int err;

	if (!sip_call_established(call) || call->dlg == NULL)
		return -EPROTO;
	if (digit == '\0' || strchr("0123456789*#ABCD", digit) == NULL)
		return -EINVAL;
	(void)re_snprintf(body, sizeof(body), "Signal=%c\r\nDuration=%u\r\n", digit,
			  (unsigned)(duration_ms ? duration_ms : 160));
	more = sip_dlg_body("", "application/dtmf-relay", (const uint8_t *)body, strlen(body));
	err = more ? sip_dlg_request(call->dlg, NULL, "INFO", 0, call->auth, ignore_response, NULL,
				     more)
		   : ENOMEM;
	mem_deref(more);
	return -err;
}
