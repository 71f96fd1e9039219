/* SPDX-License-Identifier: Apache-2.0
 *
 * A call's life, independent of who started it. Two rules keep it simple:
 *
 *   - sip_call_over() is the only way to end. It records the first reason, stops every timer that could
 *     say something else, and lets CLOSED come from the loop, so that no caller ever sees its own
 *     end from inside a call into this module.
 *   - sip_call_settle() is the only way to die. It is called wherever something that kept the object
 *     alive has finished, and frees it when the owner knows and the protocol owes nothing.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/must.h"
#include "sip/sip_priv.h"
#include "sip/sip_text.h"

static void forget_owner(struct sip_call *c)
{
	if (c->registered_owner)
		c->stack->owned--;
	c->registered_owner = false;
	c->fn = NULL;
}

static void call_free(void *arg)
{
	struct sip_call *c = arg;

	forget_owner(c);
	tmr_cancel(&c->tmr_ok);
	tmr_cancel(&c->tmr_ack);
	tmr_cancel(&c->tmr_ring);
	tmr_cancel(&c->tmr_modify);
	tmr_cancel(&c->tmr_session);
	tmr_cancel(&c->tmr_refer);
	tmr_cancel(&c->tmr_close);
	sip_rel_stop(c);
	hash_unlink(&c->he);
	list_unlink(&c->le);
	list_flush(&c->forks);
	/* A request in flight would call back into freed memory. */
	must(c->modify == NULL && c->bye == NULL);
	mem_deref(c->st);
	mem_deref(c->invite);
	mem_deref(c->cancel);
	mem_deref(c->offer);
	mem_deref(c->answer);
	mem_deref(c->ok);
	mem_deref(c->sdp);
	mem_deref(c->dlg);
	mem_deref(c->auth);
	mem_deref(c->headers);
}

int sip_call_new(struct sip_call **out, struct sip_stack *s)
{
	struct sip_call *c = mem_zalloc(sizeof(*c), call_free);

	if (c == NULL)
		return -ENOMEM;
	c->stack = s;
	tmr_init(&c->tmr_ok);
	tmr_init(&c->tmr_ack);
	tmr_init(&c->tmr_ring);
	tmr_init(&c->tmr_modify);
	tmr_init(&c->tmr_session);
	tmr_init(&c->tmr_refer);
	tmr_init(&c->tmr_close);
	tmr_init(&c->rel.tmr);
	if (sip_sdp_new(&c->sdp) != 0) {
		mem_deref(c);
		return -ENOMEM;
	}
	list_append(&s->call_list, &c->le, c);
	c->registered_owner = true;
	s->owned++;
	*out = c;
	return 0;
}

void sip_call_enter(struct sip_call *c)
{
	/* By the identifier as it is on the wire; the one in `info` has been cleaned. */
	hash_append(c->stack->calls, hash_joaat_str(c->dlg ? c->dlg->call_id : c->info.call_id),
		    &c->he, c);
}

void sip_call_settle(struct sip_call *c)
{
	struct sip_stack *s = c->stack;

	if (!c->told || c->ack_due || c->bye || c->modify || c->forks.head)
		return;
	mem_deref(c);
	sip_stack_call_gone(s);
}

void sip_call_abandon(struct sip_call *c)
{
	forget_owner(c);
	c->state = CALL_ENDED;
	c->told = true;
	c->ack_due = true; /* keeps sip_call_settle() from freeing what the stack is walking over */
}

/* --- events --- */

void sip_call_tell(struct sip_call *c, const struct sip_call_event *ev)
{
	struct sip_call_event e = *ev;

	if (e.text == NULL)
		e.text = "";
	if (!c->told && c->fn)
		c->fn(c, &e, c->arg);
}

void sip_call_tell_media(struct sip_call *c, enum sip_call_event_kind kind, int status,
			 bool by_peer)
{
	struct sip_call_event ev = {
		.kind = kind,
		.status = status,
		.by_peer = by_peer,
		.media = sip_sdp_remote(c->sdp),
	};

	if (c->state != CALL_ENDED)
		sip_call_tell(c, &ev);
}

static void deliver_end(void *arg)
{
	struct sip_call *c = arg;

	log_info("sip", "[call=%s] closed by %s: %d %s (cause %d)", c->info.call_id,
		 c->end.by_peer ? "peer" : "us", c->end.status, c->end_text, c->end.cause);
	sip_call_tell(c, &c->end);
	c->told = true;
	forget_owner(c);
	sip_call_settle(c);
}

void sip_call_over(struct sip_call *c, bool by_peer, int status, int cause, const char *text)
{
	if (c->state == CALL_ENDED)
		return;
	c->state = CALL_ENDED;
	tmr_cancel(&c->tmr_ring);
	sip_call_modify_stop(c);
	sip_call_refer_stop(c);
	sip_rel_stop(c);
	tmr_cancel(&c->tmr_session);

	sip_text_clean(c->end_text, sizeof(c->end_text), text, strlen(text));
	c->end = (struct sip_call_event){
		.kind = SIP_CALL_CLOSED,
		.by_peer = by_peer,
		.status = status,
		.cause = cause,
		.text = c->end_text,
	};
	tmr_start(&c->tmr_close, 0, deliver_end, c);
}

struct reason {
	int cause;
	char text[SIP_TEXT_MAX];
};

static bool read_reason(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	struct reason *r = arg;
	struct pl v, text;

	(void)msg;
	if (!sip_text_param(&hdr->val, "cause", &v) || v.l == 0 || v.l > 3)
		return false;

	bool q850 = hdr->val.l >= 5 && strncasecmp(hdr->val.p, "Q.850", 5) == 0;
	int n = (int)pl_u32(&v);

	/* Q.850 says more than SIP; take it when both are there. */
	if (q850)
		r->cause = n & 127;
	else if (r->cause == 0 && n >= 100 && n < 700)
		r->cause = n == 200 ? SIP_CAUSE_ELSEWHERE : sip_cause_of_status(n);
	if (sip_text_param(&hdr->val, "text", &text) && text.l > 0)
		sip_text_pl(r->text, sizeof(r->text), &text);
	return q850;
}

void sip_call_over_by(struct sip_call *c, const struct sip_msg *msg, bool by_peer, int status,
		      int cause, const char *text)
{
	struct reason r = {0};

	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_REASON, read_reason, &r);
	sip_call_over(c, by_peer, status, r.cause ? r.cause : cause, r.text[0] ? r.text : text);
}

void sip_call_reason(char *out, size_t size, int cause, const char *text)
{
	char quotable[SIP_TEXT_MAX];

	out[0] = '\0';
	if (cause <= 0)
		return;
	sip_text_quotable(quotable, sizeof(quotable), text ? text : "");
	(void)re_snprintf(out, size, "Reason: Q.850;cause=%d%s%s%s\r\n", cause,
			  quotable[0] ? ";text=\"" : "", quotable, quotable[0] ? "\"" : "");
}

int sip_call_status_of_errno(int err)
{
	return err == ETIMEDOUT ? 408 : 503;
}

/* --- credentials --- */

bool sip_call_authenticate(struct sip_call *c, struct sip_prove **auth, const struct sip_msg *msg)
{
	return sip_call_prove(&c->credentials, auth, msg);
}

bool sip_call_prove(const struct sip_call_credentials *k, struct sip_prove **auth,
		    const struct sip_msg *msg)
{
	if (k->user[0] == '\0' || (*auth == NULL && sip_prove_new(auth, k->user, k->password) != 0))
		return false;
	return sip_prove_challenged(*auth, msg);
}

/* --- finding --- */

static bool is_dialog(struct le *le, void *arg)
{
	const struct sip_call *c = le->data;

	return c->dlg ? sip_dlg_is(c->dlg, arg) : sip_early_is(c, arg);
}

struct sip_call *sip_call_find(struct sip_stack *s, const struct sip_msg *msg)
{
	union {
		const struct sip_msg *in;
		void *out;
	} m = {.in = msg}; /* the callback takes void * and only reads */

	return list_ledata(hash_lookup(s->calls, hash_joaat_pl(&msg->callid), is_dialog, m.out));
}

static bool has_call_id(struct le *le, void *arg)
{
	const struct sip_call *c = le->data;

	return !c->told && strcmp(c->info.call_id, *(const char *const *)arg) == 0;
}

struct sip_call *sip_stack_find_call(struct sip_stack *s, const char *call_id)
{
	return list_ledata(hash_lookup(s->calls, hash_joaat_str(call_id), has_call_id, &call_id));
}

static bool value_in_list(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	(void)msg;
	return pl_strcasecmp(&hdr->val, arg) == 0;
}

bool sip_msg_lists(const struct sip_msg *msg, enum sip_hdrid id, const char *what)
{
	union {
		const char *in;
		void *out;
	} v = {.in = what};

	return sip_msg_hdr_apply(msg, true, id, value_in_list, v.out) != NULL;
}

bool sip_call_has_sdp(const struct sip_msg *msg)
{
	return mbuf_get_left(msg->mb) > 0 && msg_ctype_cmp(&msg->ctyp, "application", "sdp");
}

/* --- what the owner asks --- */

void sip_call_attach(struct sip_call *call, sip_call_event_fn *fn, void *arg)
{
	call->fn = fn;
	call->arg = arg;
}

void *sip_call_owner(const struct sip_call *call, sip_call_event_fn *fn)
{
	return call->fn == fn ? call->arg : NULL;
}

const struct sip_call_info *sip_call_info(const struct sip_call *call)
{
	return &call->info;
}

const struct sip_media *sip_call_remote(const struct sip_call *call)
{
	if (sip_sdp_remote(call->sdp))
		return sip_sdp_remote(call->sdp);
	return call->info.offer ? &call->wish : NULL;
}

bool sip_call_established(const struct sip_call *call)
{
	return call->state == CALL_RUNNING || call->state == CALL_IN_ANSWERED;
}

/* --- the end --- */

static void on_bye_response(int err, const struct sip_msg *msg, void *arg);

static void send_bye(struct sip_call *c)
{
	char reason[256];
	char *more;

	sip_call_reason(reason, sizeof(reason), c->end.cause, c->end_text);
	more = sip_dlg_body(reason, NULL, NULL, 0);
	if (more == NULL ||
	    sip_dlg_request(c->dlg, &c->bye, "BYE", 0, c->auth, on_bye_response, c, more) != 0)
		c->bye = NULL;
	mem_deref(more);
}

static void on_bye_response(int err, const struct sip_msg *msg, void *arg)
{
	struct sip_call *c = arg;

	if (msg && msg->scode < 200)
		return;
	c->bye = NULL;
	if (!err && msg && (msg->scode == 401 || msg->scode == 407) && !c->bye_challenged &&
	    sip_call_authenticate(c, &c->auth, msg)) {
		c->bye_challenged = true;
		send_bye(c);
	}
	sip_call_settle(c);
}

void sip_call_bye(struct sip_call *c)
{
	if (c->dlg == NULL || c->bye)
		return;
	/* RFC 3261, 15: the callee waits for the ACK of its 200 before it says BYE. */
	if (c->ack_due) {
		c->bye_after_ack = true;
		return;
	}
	send_bye(c);
}

static void reject(struct sip_call *c, int status, int cause, const char *text)
{
	char reason[256];
	size_t n;

	if (c->st == NULL)
		return;
	sip_call_reason(reason, sizeof(reason), cause, text);
	n = strlen(reason);
	if (status == 503)
		(void)re_snprintf(reason + n, sizeof(reason) - n, "Retry-After: %u\r\n",
				  c->retry_after_s ? c->retry_after_s
						   : c->stack->limits.retry_after_s);
	(void)sip_treplyf(&c->st, NULL, c->stack->sip, c->invite, false, (uint16_t)status,
			  c->end_text[0] ? c->end_text : "Refused", "%sContent-Length: 0\r\n\r\n",
			  reason);
	c->st = NULL;
}

void sip_call_retry_after(struct sip_call *call, uint32_t seconds)
{
	call->retry_after_s = seconds;
}

/* A phrase for the status line where the owner gave none. */
static const char *phrase(int status)
{
	switch (status) {
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 408:
		return "Request Timeout";
	case 480:
		return "Temporarily Unavailable";
	case 486:
		return "Busy Here";
	case 488:
		return "Not Acceptable Here";
	case 503:
		return "Service Unavailable";
	case 504:
		return "Server Time-out";
	case 603:
		return "Decline";
	default:
		return "Call Ended";
	}
}

void sip_call_end(struct sip_call *call, int status, int cause, const char *text)
{
	enum call_state was = call->state;

	if (was == CALL_ENDED)
		return;
	if (was == CALL_IN_NEW && (status < 300 || status > 699))
		status = 480;
	if (cause == 0)
		cause = status >= 300 ? sip_cause_of_status(status) : SIP_CAUSE_NORMAL;
	sip_call_over(call, false, status, cause, text && text[0] ? text : phrase(status));

	switch (was) {
	case CALL_IN_NEW:
		reject(call, status, cause, text);
		break;
	case CALL_OUT:
		sip_call_cancel_forks(call, NULL);
		break;
	case CALL_IN_ANSWERED:
	case CALL_RUNNING:
		sip_call_bye(call);
		break;
	case CALL_ENDED:
		break;
	}
}
