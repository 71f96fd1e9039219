/* SPDX-License-Identifier: Apache-2.0
 *
 * Transfer (RFC 3515). A phone that sends REFER is told 202 at once and 100 by the first NOTIFY; how
 * the owner fares is told by more NOTIFYs until a final one. A REFER with Replaces (RFC 3891) names
 * another call: when it is one of ours, the owner gets it as a pointer and can join the two without
 * any further SIP.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "sip/sip_priv.h"
#include "sip/sip_text.h"

enum { REFER_LIFE_MS = 180000 };

/* What a REFER asks for, unpacked. The text lives here while the event is told. */
struct refer_text {
	char uri[SIP_URI_MAX], user[SIP_USER_MAX], host[SIP_HOST_MAX], by[SIP_URI_MAX];
	char replaces[512];
	struct sip_refer r;
};

static void notify(struct sip_call *c, int status, const char *reason)
{
	char headers[256], body[256], clean[SIP_TEXT_MAX];
	bool last = status >= 200;
	char *more;

	if (c->refer_silent || c->dlg == NULL)
		return;
	sip_text_clean(clean, sizeof(clean), reason, strlen(reason));
	(void)re_snprintf(headers, sizeof(headers),
			  "Event: refer;id=%u\r\nSubscription-State: %s\r\n", c->refer_id,
			  last ? "terminated;reason=noresource" : "active;expires=180");
	(void)re_snprintf(body, sizeof(body), "SIP/2.0 %d %s\r\n", status, clean);
	more = sip_dlg_body(headers, "message/sipfrag;version=2.0", (const uint8_t *)body,
			    strlen(body));
	if (more)
		(void)sip_dlg_request(c->dlg, NULL, "NOTIFY", 0, c->auth, NULL, NULL, more);
	mem_deref(more);
}

/* The headers of the Refer-To URI name a call: ours or not. */
static void read_replaces(struct sip_call *c, struct refer_text *t, const struct pl *escaped)
{
	struct sip_replaces r;
	struct pl text;

	t->r.attended = true;
	/* A name that was cut would name something else. */
	if (escaped->l >= sizeof(t->replaces))
		return;
	sip_text_unescape(t->replaces, sizeof(t->replaces), escaped);
	pl_set_str(&text, t->replaces);
	if (!sip_replaces_read(&r, &text))
		return;
	t->r.with = sip_replaces_find(c->stack, &r);
	/* The referrer sees its own dialogs, never itself. */
	if (t->r.with == c)
		t->r.with = NULL;
}

static bool read_refer(struct sip_call *c, const struct sip_msg *msg, struct refer_text *t)
{
	const struct sip_hdr *to = sip_msg_hdr(msg, SIP_HDR_REFER_TO);
	const struct sip_hdr *by = sip_msg_hdr(msg, SIP_HDR_REFERRED_BY);
	static const struct pl replaces = PL("Replaces");
	struct sip_addr addr;
	struct pl bare, value;

	*t = (struct refer_text){0};
	if (to == NULL || sip_msg_hdr_count(msg, SIP_HDR_REFER_TO) != 1 ||
	    sip_addr_decode(&addr, &to->val) != 0 || !pl_isset(&addr.uri.host))
		return false;

	bare = addr.auri;
	if (pl_isset(&addr.uri.headers) && addr.uri.headers.p > bare.p)
		bare.l = (size_t)(addr.uri.headers.p - bare.p);
	while (bare.l > 0 && bare.p[bare.l - 1] == '?')
		bare.l--;
	sip_text_pl(t->uri, sizeof(t->uri), &bare);
	sip_text_unescape(t->user, sizeof(t->user), &addr.uri.user);
	sip_text_pl(t->host, sizeof(t->host), &addr.uri.host);
	if (by)
		sip_text_pl(t->by, sizeof(t->by), &by->val);
	t->r = (struct sip_refer){
		.uri = t->uri, .user = t->user, .host = t->host, .referred_by = t->by};
	if (pl_isset(&addr.uri.headers) &&
	    uri_header_get(&addr.uri.headers, &replaces, &value) == 0)
		read_replaces(c, t, &value);
	return true;
}

static void forget_refer(void *arg)
{
	struct sip_call *c = arg;

	c->refer_open = false;
}

void sip_call_refer_stop(struct sip_call *c)
{
	c->refer_open = false;
	tmr_cancel(&c->tmr_refer);
}

void sip_call_refer_request(struct sip_call *c, const struct sip_msg *msg)
{
	struct sip_stack *s = c->stack;
	const struct sip_hdr *sub = sip_msg_hdr(msg, SIP_HDR_REFER_SUB);
	struct sip_contact contact;
	struct refer_text t;

	if (!read_refer(c, msg, &t)) {
		s->stats.refused_malformed++;
		(void)sip_treply(NULL, s->sip, msg, 400, "Bad Refer-To");
		return;
	}
	if (c->refer_open) {
		(void)sip_treply(NULL, s->sip, msg, 491, "Request Pending");
		return;
	}
	sip_contact_set(&contact, c->dlg->contact, &msg->dst, msg->tp);
	c->refer_silent = sub && pl_strcasecmp(&sub->val, "false") == 0;
	(void)sip_treplyf(NULL, NULL, s->sip, msg, false, 202, "Accepted",
			  "%H%sContent-Length: 0\r\n\r\n", sip_contact_print, &contact,
			  c->refer_silent ? "Refer-Sub: false\r\n" : "");
	c->refer_open = true;
	c->refer_id = msg->cseq.num;
	tmr_start(&c->tmr_refer, REFER_LIFE_MS, forget_refer, c);
	notify(c, 100, "Trying");
	log_info("sip", "[call=%s] asks to be transferred to %s%s", c->info.call_id, t.uri,
		 t.r.with ? " (another call here)" : "");

	struct sip_call_event ev = {.kind = SIP_CALL_REFER, .by_peer = true, .refer = &t.r};

	sip_call_tell(c, &ev);
}

int sip_call_refer_progress(struct sip_call *call, int status, const char *reason)
{
	if (!call->refer_open || call->state == CALL_ENDED || status < 100 || status > 699)
		return -EPROTO;
	notify(call, status, reason ? reason : "");
	if (status >= 200)
		sip_call_refer_stop(call);
	return 0;
}

/* --- the transfer that we ask for --- */

void sip_call_notify_request(struct sip_call *c, const struct sip_msg *msg)
{
	struct sip_call_event ev = {.kind = SIP_CALL_TRANSFER, .by_peer = true};
	struct pl body, status;

	if (!c->transfer_open) {
		(void)sip_treply(NULL, c->stack->sip, msg, 481, "Subscription Does Not Exist");
		return;
	}
	(void)sip_treply(NULL, c->stack->sip, msg, 200, "OK");
	pl_set_mbuf(&body, msg->mb);
	if (re_regex(body.p, body.l, "SIP/2.0 [0-9]3", &status) != 0)
		return;
	ev.status = (int)pl_u32(&status);
	if (ev.status >= 200)
		c->transfer_open = false;
	sip_call_tell(c, &ev);
}

/* The call may be over when the answer comes: found again by what was copied, not by pointer. */
struct transfer {
	struct sip_stack *stack;
	char call_id[SIP_CALL_ID_MAX];
};

static void on_refer_response(int err, const struct sip_msg *msg, void *arg)
{
	struct transfer *t = arg;
	struct sip_call_event ev = {.kind = SIP_CALL_TRANSFER, .by_peer = true};
	struct sip_call *c;

	if (!err && msg && msg->scode < 200)
		return;
	c = sip_stack_find_call(t->stack, t->call_id);
	if ((err || msg == NULL || msg->scode >= 300) && c && c->state != CALL_ENDED) {
		c->transfer_open = false;
		ev.status = msg ? msg->scode : sip_call_status_of_errno(err);
		sip_call_tell(c, &ev);
	}
	mem_deref(t);
}

int sip_call_transfer(struct sip_call *call, const char *uri)
{
	struct transfer *t;
	char headers[2 * SIP_URI_MAX + 64];
	char *more;
	int err;

	if (!sip_call_established(call) || call->dlg == NULL || call->transfer_open)
		return -EPROTO;
	if (strlen(uri) >= SIP_URI_MAX || strpbrk(uri, "<>\r\n") != NULL)
		return -EINVAL;
	t = mem_zalloc(sizeof(*t), NULL);
	if (t == NULL)
		return -ENOMEM;
	t->stack = call->stack;
	str_ncpy(t->call_id, call->info.call_id, sizeof(t->call_id));
	(void)re_snprintf(headers, sizeof(headers),
			  "Refer-To: <%s>\r\nReferred-By: <sip:%s@%s>\r\n", uri, call->dlg->contact,
			  call->stack->realm);
	more = sip_dlg_body(headers, NULL, NULL, 0);
	err = more ? sip_dlg_request(call->dlg, NULL, "REFER", 0, call->auth, on_refer_response, t,
				     more)
		   : ENOMEM;
	mem_deref(more);
	if (err) {
		mem_deref(t);
		return -err;
	}
	call->transfer_open = true;
	return 0;
}
