/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests of the peer inside a call that we know. A call that is over for its owner still answers:
 * BYE with 200, ACK by stopping the 200s, everything else with 481.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "sip/sip_priv.h"
#include "sip/sip_text.h"

static bool is(const struct sip_msg *msg, const char *method)
{
	return pl_strcmp(&msg->met, method) == 0;
}

static void answer_plain(struct sip_call *c, const struct sip_msg *msg, uint16_t status,
			 const char *reason)
{
	(void)sip_treply(NULL, c->stack->sip, msg, status, reason);
}

/* --- BYE --- */

static void bye(struct sip_call *c, const struct sip_msg *msg)
{
	answer_plain(c, msg, 200, "OK");
	sip_call_stop_ok(c);
	c->bye_after_ack = false;
	/* A caller may hang up an early dialog with BYE; its INVITE still wants an answer. */
	if (c->state == CALL_IN_NEW && c->st) {
		(void)sip_treply(&c->st, c->stack->sip, c->invite, 487, "Request Terminated");
		c->st = NULL;
	}
	if (c->state == CALL_ENDED)
		sip_call_settle(c);
	else
		sip_call_over_by(c, msg, true, 0, SIP_CAUSE_NORMAL, "hung up");
}

/* --- offers in a running call --- */

/* The answer to the peer's offer, or our offer where it made none. Returns 0 or as sip_sdp does. */
static int write_answer(struct sip_call *c, const struct sip_msg *msg, struct mbuf **text)
{
	int err;

	if (!sip_call_has_sdp(msg))
		return sip_sdp_make_offer(c->sdp, text);
	err = sip_sdp_take_offer(c->sdp, msg->mb);
	return err ? err : sip_sdp_make_answer(c->sdp, text);
}

static void refuse_offer(struct sip_call *c, const struct sip_msg *msg, int err)
{
	if (err == -ENOMEM)
		answer_plain(c, msg, 500, "No Memory");
	else if (err == -EBADMSG)
		answer_plain(c, msg, 400, "Bad session description");
	else
		answer_plain(c, msg, 488, "Not Acceptable Here");
}

/* An interval below ours is refused; true when it was. */
static bool interval_too_small(struct sip_call *c, const struct sip_msg *msg)
{
	struct pl refresher;
	uint32_t s = sip_call_session_of(msg, &refresher);

	if (s == 0 || s >= c->stack->limits.session_min_s ||
	    !sip_msg_hdr_has_value(msg, SIP_HDR_SUPPORTED, "timer"))
		return false;
	(void)sip_treplyf(NULL, NULL, c->stack->sip, msg, false, 422, "Session Interval Too Small",
			  "Min-SE: %u\r\nContent-Length: 0\r\n\r\n",
			  c->stack->limits.session_min_s);
	return true;
}

/* Before the answer an UPDATE may offer once the first exchange is confirmed (RFC 3311, 5.2). True when
 * the request was answered. */
static bool too_early(struct sip_call *c, const struct sip_msg *msg)
{
	bool ours = c->modify != NULL || (c->rel.our_offer && c->rel.sent != NULL);

	if (!sip_call_has_sdp(msg) || (c->rel.settled && c->rel.sent == NULL && !ours))
		return interval_too_small(c, msg);
	if (ours)
		answer_plain(c, msg, 491, "Request Pending");
	else
		(void)sip_treplyf(NULL, NULL, c->stack->sip, msg, false, 500, "Too Early",
				  "Retry-After: %u\r\nContent-Length: 0\r\n\r\n",
				  (unsigned)(rand_u16() % 10));
	return true;
}

/* RFC 3261, 14.2: one offer at a time, whoever makes it. True when the request was answered. */
static bool glare(struct sip_call *c, const struct sip_msg *msg)
{
	if (c->state == CALL_ENDED) {
		answer_plain(c, msg, 481, "Call Does Not Exist");
		return true;
	}
	if (c->modify) {
		answer_plain(c, msg, 491, "Request Pending");
		return true;
	}
	if (c->ack_due || c->state == CALL_IN_NEW) {
		(void)sip_treplyf(NULL, NULL, c->stack->sip, msg, false, 500, "Too Early",
				  "Retry-After: %u\r\nContent-Length: 0\r\n\r\n",
				  (unsigned)(rand_u16() % 10));
		return true;
	}
	return interval_too_small(c, msg);
}

static void reinvite(struct sip_call *c, const struct sip_msg *msg)
{
	struct mbuf *text = NULL;
	bool offered = sip_call_has_sdp(msg);
	int err;

	if (glare(c, msg))
		return;
	err = write_answer(c, msg, &text);
	if (err) {
		refuse_offer(c, msg, err);
		return;
	}
	sip_dlg_refresh(c->dlg, msg);
	sip_call_session_read(c, msg);
	if (sip_call_say_ok(c, msg, text) == 0) {
		c->answer_in_ack = !offered;
		if (offered)
			sip_call_tell_media(c, SIP_CALL_MEDIA, 200, true);
	}
	mem_deref(text);
}

static void update(struct sip_call *c, const struct sip_msg *msg)
{
	struct sip_contact contact;
	struct mbuf *text = NULL;
	char session[128];
	bool offered = sip_call_has_sdp(msg);
	int err = 0;

	if (c->state == CALL_IN_NEW ? too_early(c, msg) : glare(c, msg))
		return;
	if (offered)
		err = write_answer(c, msg, &text);
	if (err) {
		refuse_offer(c, msg, err);
		return;
	}
	sip_dlg_refresh(c->dlg, msg);
	sip_call_session_read(c, msg);
	sip_call_session_headers(c, false, session, sizeof(session));
	sip_contact_set(&contact, c->dlg->contact, &msg->dst, msg->tp);
	(void)sip_treplyf(NULL, NULL, c->stack->sip, msg, false, 200, "OK",
			  "%H" SIP_ABILITIES "%s%sContent-Length: %zu\r\n\r\n%b", sip_contact_print,
			  &contact, session, text ? "Content-Type: application/sdp\r\n" : "",
			  text ? mbuf_get_left(text) : (size_t)0, text ? mbuf_buf(text) : NULL,
			  text ? mbuf_get_left(text) : (size_t)0);
	mem_deref(text);
	if (offered)
		sip_call_tell_media(c, SIP_CALL_MEDIA, 200, true);
	else
		sip_call_tell(
			c, &(struct sip_call_event){.kind = SIP_CALL_REFRESHED, .by_peer = true});
}

/* --- keys by INFO --- */

static bool is_key(char c)
{
	return (c >= '0' && c <= '9') || c == '*' || c == '#' || (c >= 'A' && c <= 'D');
}

/* "Signal=5\r\nDuration=160" (application/dtmf-relay) or "5" (application/dtmf). */
static bool read_key(const struct sip_msg *msg, char *digit, uint16_t *duration_ms)
{
	struct pl body, signal, duration;

	pl_set_mbuf(&body, msg->mb);
	*duration_ms = 0;
	if (msg_ctype_cmp(&msg->ctyp, "application", "dtmf-relay")) {
		if (re_regex(body.p, body.l, "[Ss]1ignal[ ]*=[ ]*[0-9*#A-Da-d]1", NULL, NULL, NULL,
			     &signal) != 0)
			return false;
		if (re_regex(body.p, body.l, "[Dd]1uration[ ]*=[ ]*[0-9]+", NULL, NULL, NULL,
			     &duration) == 0 &&
		    duration.l < 6)
			*duration_ms = (uint16_t)pl_u32(&duration);
	} else if (msg_ctype_cmp(&msg->ctyp, "application", "dtmf")) {
		signal = body;
	} else {
		return false;
	}
	if (signal.l == 0)
		return false;
	*digit = signal.p[0] >= 'a' && signal.p[0] <= 'd' ? (char)(signal.p[0] - 32) : signal.p[0];
	return is_key(*digit);
}

void sip_call_info_request(struct sip_call *c, const struct sip_msg *msg)
{
	struct sip_call_event ev = {.kind = SIP_CALL_DTMF, .by_peer = true};

	if (mbuf_get_left(msg->mb) == 0) {
		answer_plain(c, msg, 200, "OK");
		return;
	}
	if (!read_key(msg, &ev.digit, &ev.duration_ms)) {
		answer_plain(c, msg, 415, "Unsupported Media Type");
		return;
	}
	answer_plain(c, msg, 200, "OK");
	sip_call_tell(c, &ev);
}

/* --- all of them --- */

void sip_call_request(struct sip_call *c, const struct sip_msg *msg)
{
	if (c->dlg == NULL) {
		(void)sip_early_request(c, msg);
		return;
	}
	if (is(msg, "ACK")) {
		sip_call_acked(c, msg);
		return;
	}
	/* A CANCEL that found no transaction comes too late (RFC 3261, 9.2). */
	if (is(msg, "CANCEL")) {
		answer_plain(c, msg, 481, "Transaction Does Not Exist");
		return;
	}
	if (!sip_dlg_in_order(c->dlg, msg)) {
		answer_plain(c, msg, 500, "Out of Order");
		return;
	}
	sip_dlg_follow(c->dlg, msg);
	if (is(msg, "BYE"))
		bye(c, msg);
	else if (c->state == CALL_ENDED)
		answer_plain(c, msg, 481, "Call Does Not Exist");
	else if (is(msg, "INVITE"))
		reinvite(c, msg);
	else if (is(msg, "UPDATE"))
		update(c, msg);
	else if (is(msg, "PRACK"))
		sip_rel_prack(c, msg);
	else if (is(msg, "INFO"))
		sip_call_info_request(c, msg);
	else if (is(msg, "REFER"))
		sip_call_refer_request(c, msg);
	else if (is(msg, "NOTIFY"))
		sip_call_notify_request(c, msg);
	else if (is(msg, "OPTIONS"))
		(void)sip_treplyf(NULL, NULL, c->stack->sip, msg, false, 200, "OK",
				  SIP_ABILITIES "Content-Length: 0\r\n\r\n");
	else
		(void)sip_treplyf(NULL, NULL, c->stack->sip, msg, false, 501, "Not Implemented",
				  "Allow: " SIP_ALLOW "\r\nContent-Length: 0\r\n\r\n");
}
