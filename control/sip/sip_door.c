/* SPDX-License-Identifier: Apache-2.0
 *
 * The front door. A request goes through three questions, cheapest first: is it well-formed, does it
 * belong to a call we know, and if it is new, do we have room and may it come in. Refusals here are
 * stateless: a response and nothing kept, so that whoever floods us pays more than we do.
 *
 * Order matters for INVITE: overload is asked before digest, because a hash is work; and the
 * duplicate of an INVITE that came by another way (482) is seen before it takes a place.
 */
#include <string.h>

#include "base/log.h"
#include "sip/sip_ghost.h"
#include "sip/sip_priv.h"
#include "sip/sip_text.h"
#include "sip/sip_trunk_priv.h"

enum { UNSUPPORTED_MAX = 512, OVERLOAD_LOG_MS = 5000, CALL_ID_MAX = 255, TAG_MAX = 255 };

static bool from_trunk(const struct sip_stack *s, const struct sa *source)
{
	for (size_t i = 0; i < s->trunks; i++) {
		if (sa_cmp(source, &s->trunk[i], SA_ADDR))
			return true;
	}
	return false;
}

static void refuse_malformed(struct sip_stack *s, const struct sip_msg *msg, uint16_t status,
			     const char *reason)
{
	s->stats.refused_malformed++;
	sip_stack_refuse(s, msg, status, reason, NULL);
}

static void refuse_overload(struct sip_stack *s, const struct sip_msg *msg)
{
	char line[64];
	uint64_t now_ms = tmr_jiffies();

	s->stats.refused_overload++;
	(void)re_snprintf(line, sizeof(line), "Retry-After: %u\r\n", s->limits.retry_after_s);
	sip_stack_refuse(s, msg, 503, "Service Unavailable", line);
	if (now_ms - s->overload_logged_ms > OVERLOAD_LOG_MS) {
		s->overload_logged_ms = now_ms;
		log_warn("sip", "%s: %llu requests answered 503 so far, %u calls running",
			 s->draining ? "draining" : "overload",
			 (unsigned long long)s->stats.refused_overload, s->owned);
	}
}

/* --- is it well-formed --- */

static bool required_known(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	static const char *const known[] = {"100rel", "path", "timer", "replaces", "norefersub"};
	struct mbuf *bad = arg;

	(void)msg;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (pl_strcasecmp(&hdr->val, known[i]) == 0)
			return false;
	}
	/* As many as there is room for; the first is what matters. */
	if (bad->end + hdr->val.l < UNSUPPORTED_MAX)
		(void)mbuf_printf(bad, "%s%r", bad->end ? ", " : "", &hdr->val);
	return false;
}

static bool extensions_known(struct sip_stack *s, const struct sip_msg *msg)
{
	struct mbuf *bad;
	char line[UNSUPPORTED_MAX + 32], names[UNSUPPORTED_MAX];
	struct pl list;

	if (sip_msg_hdr(msg, SIP_HDR_REQUIRE) == NULL)
		return true;
	bad = mbuf_alloc(UNSUPPORTED_MAX);
	if (bad == NULL)
		return false;
	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_REQUIRE, required_known, bad);
	list = (struct pl){(const char *)bad->buf, bad->end};
	sip_text_pl(names, sizeof(names), &list);
	mem_deref(bad);
	if (names[0] == '\0')
		return true;
	(void)re_snprintf(line, sizeof(line), "Unsupported: %s\r\n", names);
	s->stats.refused_malformed++;
	sip_stack_refuse(s, msg, 420, "Bad Extension", line);
	return false;
}

static bool digits(const struct pl *pl)
{
	for (size_t i = 0; i < pl->l; i++) {
		if (pl->p[i] < '0' || pl->p[i] > '9')
			return false;
	}
	return pl->l > 0;
}

/* Once each, and sane: libre takes the last of several. */
static bool singular(const struct sip_msg *msg)
{
	static const enum sip_hdrid once[] = {SIP_HDR_FROM,           SIP_HDR_TO,
					      SIP_HDR_CALL_ID,        SIP_HDR_CSEQ,
					      SIP_HDR_CONTENT_LENGTH, SIP_HDR_MAX_FORWARDS};

	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
		if (sip_msg_hdr_count(msg, once[i]) > 1)
			return false;
	}
	return true;
}

static bool quotes_match(const struct pl *value)
{
	bool open = false;

	for (size_t i = 0; i < value->l; i++) {
		if (value->p[i] == '\\' && open)
			i++;
		else if (value->p[i] == '"')
			open = !open;
	}
	return !open;
}

/* The sentence for what is wrong, or NULL. */
static const char *flaw(const struct sip_msg *msg)
{
	if (!singular(msg))
		return "Repeated header";
	/* Without a tag it is from before RFC 3261, which tells us to live with it (12.1.1). */
	if (!pl_isset(&msg->from.auri))
		return "Missing or bad From";
	if (!quotes_match(&msg->from.val) || !quotes_match(&msg->to.val))
		return "Quotation without end";
	if (!pl_isset(&msg->to.auri))
		return "Missing or bad To";
	if (!pl_isset(&msg->callid) || msg->callid.l > CALL_ID_MAX)
		return "Missing or bad Call-ID";
	if (pl_cmp(&msg->cseq.met, &msg->met) != 0)
		return "CSeq does not match method";
	if (msg->from.tag.l > TAG_MAX || msg->to.tag.l > TAG_MAX)
		return "Tag too long";
	if (pl_isset(&msg->uri.headers))
		return "Header fields in the Request-URI";
	if (pl_strcasecmp(&msg->uri.scheme, "sip") == 0 && sip_dlg_bad_host(&msg->ruri))
		return "Bad address in the Request-URI";
	if (pl_isset(&msg->maxfwd) && (!digits(&msg->maxfwd) || pl_u32(&msg->maxfwd) > 255))
		return "Bad Max-Forwards";
	if (pl_isset(&msg->clen) && !digits(&msg->clen))
		return "Bad Content-Length";
	/* Over UDP a body shorter than it claims was cut off (RFC 3261, 18.3). */
	if (pl_isset(&msg->clen) && mbuf_get_left(msg->mb) < pl_u32(&msg->clen))
		return "Body shorter than Content-Length";
	return NULL;
}

static bool scheme_known(const struct sip_msg *msg)
{
	return pl_strcasecmp(&msg->uri.scheme, "sip") == 0 ||
	       pl_strcasecmp(&msg->uri.scheme, "sips") == 0 ||
	       pl_strcasecmp(&msg->uri.scheme, "tel") == 0;
}

/* --- a new call: is there room, and may it come in --- */

struct twin {
	const struct sip_msg *msg;
};

static bool is_twin(struct le *le, void *arg)
{
	const struct sip_call *c = le->data;
	const struct twin *t = arg;

	return c->invite != NULL && !c->info.outgoing &&
	       pl_cmp(&c->invite->callid, &t->msg->callid) == 0 &&
	       sip_dlg_same_tag(&c->invite->from.tag, &t->msg->from.tag) &&
	       c->invite->cseq.num == t->msg->cseq.num;
}

static bool merged(const struct sip_stack *s, const struct sip_msg *msg)
{
	struct twin t = {msg};

	return hash_lookup(s->calls, hash_joaat_pl(&msg->callid), is_twin, &t) != NULL;
}

/* Whether the From user must prove itself. */
static bool claims_to_be_ours(struct sip_stack *s, const struct sip_msg *msg, char *user)
{
	struct sip_secret secret = {0};
	bool known;

	sip_text_unescape(user, SIP_USER_MAX, &msg->from.uri.user);
	if (user[0] == '\0' || !sip_stack_is_ours(s, &msg->from.uri.host))
		return false;
	known = s->handlers.secret(s->handlers.arg, user, &secret);
	memset(&secret, 0, sizeof(secret));
	return known;
}

static void note_trunk(struct sip_stack *s, const struct sip_msg *msg, struct sip_call_info *info)
{
	const struct sip_trunk *t = sip_trunk_of(s, msg);

	info->trunk = t != NULL || from_trunk(s, &msg->src);
	info->trusted = t != NULL ? t->setup.trusted : info->trunk;
	if (t != NULL)
		str_ncpy(info->trunk_name, t->name, sizeof(info->trunk_name));
}

/* Returns true when the caller may come in, having proved to be info->auth_user or ("" then) nobody. */
static bool admitted(struct sip_stack *s, const struct sip_msg *msg, struct sip_call_info *info)
{
	char claimed[SIP_USER_MAX], *user = info->auth_user;

	user[0] = '\0';
	note_trunk(s, msg, info);
	if (!claims_to_be_ours(s, msg, claimed)) {
		if (info->trunk || s->accept_unknown)
			return true;
		s->stats.refused_policy++;
		sip_stack_refuse(s, msg, 403, "Forbidden", NULL);
		return false;
	}

	switch (sip_digest_check(s->digest, msg, registrar_knows(s->registrar, claimed, &msg->src),
				 user)) {
	case SIP_DIGEST_OK:
		if (strcmp(user, claimed) == 0)
			return true;
		s->stats.refused_auth++;
		sip_stack_refuse(s, msg, 403, "Not your number", NULL);
		return false;
	case SIP_DIGEST_MISSING:
		sip_stack_challenge(s, msg, false);
		return false;
	case SIP_DIGEST_STALE:
		sip_stack_challenge(s, msg, true);
		return false;
	case SIP_DIGEST_WRONG:
		s->stats.refused_auth++;
		sip_stack_challenge(s, msg, false);
		return false;
	case SIP_DIGEST_BLOCKED:
		break;
	}
	s->stats.refused_blocked++;
	sip_stack_refuse(s, msg, 403, "Forbidden", NULL);
	return false;
}

/* One of ours calls for help. Whether it is one of ours is still to be proved, by digest, before it is a call. */
static bool urgent(struct sip_stack *s, const struct sip_msg *msg)
{
	char number[SIP_USER_MAX], user[SIP_USER_MAX];

	if (s->handlers.urgent == NULL)
		return false;
	sip_text_unescape(number, sizeof(number), &msg->uri.user);
	return s->handlers.urgent(s->handlers.arg, number) && claims_to_be_ours(s, msg, user);
}

static void new_invite(struct sip_stack *s, const struct sip_msg *msg)
{
	if (merged(s, msg)) {
		refuse_malformed(s, msg, 482, "Loop Detected");
		return;
	}
	if (pl_isset(&msg->maxfwd) && pl_u32(&msg->maxfwd) == 0) {
		refuse_malformed(s, msg, 483, "Too Many Hops");
		return;
	}
	if ((s->draining || s->owned >= s->limits.calls_max) && !urgent(s, msg)) {
		refuse_overload(s, msg);
		return;
	}
	if (!scheme_known(msg)) {
		refuse_malformed(s, msg, 416, "Unsupported URI Scheme");
		return;
	}
	sip_call_incoming(s, msg);
}

/* One address among many does not take all the room. */
static bool source_may(struct sip_stack *s, const struct sa *source)
{
	uint32_t who = sa_hash(source, SA_ADDR);
	struct sip_source *e = &s->source[who % SIP_SOURCES];

	if (s->limits.calls_per_s_source == 0)
		return true;
	if (e->who != who || e->calls.per_s == 0) {
		e->who = who;
		e->calls = (struct sip_bucket){.per_s = s->limits.calls_per_s_source,
					       .last_ms = tmr_jiffies(),
					       .level = s->limits.calls_per_s_source};
	}
	return sip_bucket_take(&e->calls);
}

bool sip_door_admit(struct sip_stack *s, const struct sip_msg *msg, struct sip_call_info *info)
{
	if (!admitted(s, msg, info))
		return false;
	if (info->auth_user[0] != '\0' && urgent(s, msg))
		return true;
	if (!info->trunk && !source_may(s, &msg->src)) {
		refuse_overload(s, msg);
		return false;
	}
	/* The bucket is for calls that would be let in: a challenged INVITE comes twice. */
	if (sip_bucket_take(&s->new_calls))
		return true;
	refuse_overload(s, msg);
	return false;
}

static void options(struct sip_stack *s, const struct sip_msg *msg)
{
	if (!scheme_known(msg)) {
		refuse_malformed(s, msg, 416, "Unsupported URI Scheme");
		return;
	}
	(void)sip_replyf(s->sip, msg, 200, "OK",
			 SIP_ABILITIES "Accept: application/sdp\r\nContent-Length: 0\r\n\r\n");
}

static void new_register(struct sip_stack *s, const struct sip_msg *msg)
{
	if (!sip_bucket_take(&s->registers)) {
		refuse_overload(s, msg);
		return;
	}
	registrar_request(s->registrar, msg);
}

static bool is(const struct sip_msg *msg, const char *method)
{
	return pl_strcmp(&msg->met, method) == 0;
}

static void outside_dialog(struct sip_stack *s, const struct sip_msg *msg)
{
	if (is(msg, "INVITE"))
		new_invite(s, msg);
	else if (is(msg, "REGISTER"))
		new_register(s, msg);
	else if (is(msg, "OPTIONS"))
		options(s, msg);
	else if (is(msg, "CANCEL") && sip_call_find_cancelled(s, msg) != NULL)
		sip_stack_refuse(s, msg, 200, "OK", NULL); /* answered by now: it goes on (9.2) */
	else if (is(msg, "BYE") || is(msg, "UPDATE") || is(msg, "INFO") || is(msg, "NOTIFY") ||
		 is(msg, "PRACK") || is(msg, "CANCEL"))
		sip_stack_refuse(s, msg, 481, "Call/Transaction Does Not Exist", NULL);
	else if (is(msg, "REFER"))
		sip_stack_refuse(s, msg, 403, "Only inside a call", NULL);
	else if (is(msg, "MESSAGE") || is(msg, "SUBSCRIBE") || is(msg, "PUBLISH"))
		sip_stack_refuse(s, msg, 405, "Method Not Allowed", "Allow: " SIP_ALLOW "\r\n");
	else
		sip_stack_refuse(s, msg, 501, "Not Implemented", "Allow: " SIP_ALLOW "\r\n");
}

bool sip_door_request(const struct sip_msg *msg, void *arg)
{
	struct sip_stack *s = arg;
	bool ack = is(msg, "ACK");
	const char *wrong;

	if (sip_gate_take(s, msg))
		return true;
	s->stats.requests++;
	if (!pl_isset(&msg->via.sentby)) {
		s->stats.refused_malformed++; /* nowhere to answer to */
		return true;
	}
	wrong = flaw(msg);
	if (wrong) {
		if (!ack)
			refuse_malformed(s, msg, 400, wrong);
		return true;
	}
	/* What follows the body in a datagram is not part of it (RFC 3261, 18.3). */
	if (pl_isset(&msg->clen) && mbuf_get_left(msg->mb) > pl_u32(&msg->clen))
		msg->mb->end = msg->mb->pos + pl_u32(&msg->clen);
	if (!ack && !is(msg, "CANCEL") && !extensions_known(s, msg))
		return true;

	if (pl_isset(&msg->to.tag)) {
		struct sip_call *c = sip_call_find(s, msg);

		if (c)
			sip_call_request(c, msg);
		else if (!ack)
			sip_stack_refuse(s, msg, 481, "Call/Transaction Does Not Exist", NULL);
	} else if (!ack) {
		outside_dialog(s, msg);
	}
	return true;
}

bool sip_door_response(const struct sip_msg *msg, void *arg)
{
	struct sip_stack *s = arg;

	if (!sip_ghost_response(s, msg) && !sip_call_stray_ok(s, msg))
		s->stats.stray_responses++;
	return true;
}
