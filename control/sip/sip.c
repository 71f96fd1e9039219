/* SPDX-License-Identifier: Apache-2.0
 *
 * The front door. A request goes through three questions, cheapest first: is it well-formed, does it
 * belong to a call we know, and if it is new, do we have room and may it come in. Refusals here are
 * stateless: a response and nothing kept, so that whoever floods us pays more than we do.
 *
 * Order matters for INVITE: overload is asked before digest, because a hash is work; and the
 * duplicate of an INVITE that came by another way (482) is seen before it takes a place.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "sip/sip_priv.h"
#include "sip/sip_text.h"

enum { OVERLOAD_LOG_MS = 5000, CALL_ID_MAX = 255, TAG_MAX = 128 };

const char *sip_transport_name(enum sip_transport t)
{
	switch (t) {
	case SIP_OVER_TCP:
		return "tcp";
	case SIP_OVER_TLS:
		return "tls";
	case SIP_OVER_UDP:
		break;
	}
	return "udp";
}

bool sip_bucket_take(struct sip_bucket *b)
{
	uint64_t now_ms = tmr_jiffies();

	b->level += (double)(now_ms - b->last_ms) * b->per_s / 1000.0;
	b->last_ms = now_ms;
	if (b->level > b->per_s)
		b->level = b->per_s;
	if (b->level < 1.0)
		return false;
	b->level -= 1.0;
	return true;
}

static void bucket_init(struct sip_bucket *b, uint32_t per_s)
{
	*b = (struct sip_bucket){per_s, tmr_jiffies(), per_s};
}

bool sip_stack_is_ours(const struct sip_stack *s, const struct pl *host)
{
	struct sa addr;

	if (pl_strcasecmp(host, s->realm) == 0)
		return true;
	for (size_t i = 0; i < s->domains; i++) {
		if (pl_strcasecmp(host, s->domain[i]) == 0)
			return true;
	}
	if (sa_set(&addr, host, 0) != 0)
		return false;
	for (size_t i = 0; i < s->listens; i++) {
		if (sa_cmp(&addr, &s->bound[i], SA_ADDR))
			return true;
	}
	return false;
}

static bool from_trunk(const struct sip_stack *s, const struct sa *source)
{
	for (size_t i = 0; i < s->trunks; i++) {
		if (sa_cmp(source, &s->trunk[i], SA_ADDR))
			return true;
	}
	return false;
}

void sip_stack_refuse(struct sip_stack *s, const struct sip_msg *msg, uint16_t status,
		      const char *reason, const char *headers)
{
	(void)sip_replyf(s->sip, msg, status, reason, "%sContent-Length: 0\r\n\r\n",
			 headers ? headers : "");
}

void sip_stack_challenge(struct sip_stack *s, const struct sip_msg *msg, bool stale)
{
	char lines[1024];

	sip_digest_challenge(s->digest, msg, stale, lines, sizeof(lines));
	sip_stack_refuse(s, msg, 401, "Unauthorized", lines);
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
	static const char *const known[] = {"timer", "replaces", "norefersub"};
	const struct sip_hdr **bad = arg;

	(void)msg;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (pl_strcasecmp(&hdr->val, known[i]) == 0)
			return false;
	}
	*bad = hdr;
	return true;
}

static bool extensions_known(struct sip_stack *s, const struct sip_msg *msg)
{
	const struct sip_hdr *bad = NULL;
	char line[128], name[64];

	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_REQUIRE, required_known, &bad);
	if (bad == NULL)
		return true;
	sip_text_pl(name, sizeof(name), &bad->val);
	(void)re_snprintf(line, sizeof(line), "Unsupported: %s\r\n", name);
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

/* The sentence for what is wrong, or NULL. */
static const char *flaw(const struct sip_msg *msg)
{
	if (!singular(msg))
		return "Repeated header";
	if (!pl_isset(&msg->from.auri) || !pl_isset(&msg->from.tag))
		return "Missing or bad From";
	if (!pl_isset(&msg->to.auri))
		return "Missing or bad To";
	if (!pl_isset(&msg->callid) || msg->callid.l > CALL_ID_MAX)
		return "Missing or bad Call-ID";
	if (pl_cmp(&msg->cseq.met, &msg->met) != 0)
		return "CSeq does not match method";
	if (msg->from.tag.l > TAG_MAX || msg->to.tag.l > TAG_MAX)
		return "Tag too long";
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
	       pl_cmp(&c->invite->from.tag, &t->msg->from.tag) == 0 &&
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

/* Returns true when the caller may come in, having proved to be `user` or ("" then) nobody. */
static bool admitted(struct sip_stack *s, const struct sip_msg *msg, char *user, bool *trunk)
{
	char claimed[SIP_USER_MAX];

	user[0] = '\0';
	*trunk = from_trunk(s, &msg->src);
	if (!claims_to_be_ours(s, msg, claimed)) {
		if (*trunk || s->accept_unknown)
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
	if (s->draining || s->owned >= s->limits.calls_max) {
		refuse_overload(s, msg);
		return;
	}
	if (!scheme_known(msg)) {
		refuse_malformed(s, msg, 416, "Unsupported URI Scheme");
		return;
	}
	sip_call_incoming(s, msg);
}

bool sip_stack_admit(struct sip_stack *s, const struct sip_msg *msg, char *user, bool *trunk)
{
	if (!admitted(s, msg, user, trunk))
		return false;
	/* The bucket is for calls that would be let in: a challenged INVITE comes twice. */
	if (sip_bucket_take(&s->new_calls))
		return true;
	refuse_overload(s, msg);
	return false;
}

static void options(struct sip_stack *s, const struct sip_msg *msg)
{
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

static bool on_request(const struct sip_msg *msg, void *arg)
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

static bool on_response(const struct sip_msg *msg, void *arg)
{
	struct sip_stack *s = arg;

	if (!sip_call_stray_ok(s, msg))
		s->stats.stray_responses++;
	return true;
}

/* --- open and close --- */

static uint32_t or_default(uint32_t v, uint32_t otherwise)
{
	return v ? v : otherwise;
}

static void take_limits(struct sip_stack *s, const struct sip_limits *l)
{
	s->limits = (struct sip_limits){
		.calls_max = or_default(l->calls_max, 10000),
		.calls_per_s_max = or_default(l->calls_per_s_max, 500),
		.registers_per_s = or_default(l->registers_per_s, 3000),
		.retry_after_s = or_default(l->retry_after_s, 5),
		.contacts_max = or_default(l->contacts_max, 4),
		.bindings_max = or_default(l->bindings_max, 20000),
		.expires_min_s = or_default(l->expires_min_s, 30),
		.expires_max_s = or_default(l->expires_max_s, 3600),
		.failures_user = or_default(l->failures_user, 5),
		.failures_source = or_default(l->failures_source, 100),
		.session_expires_s = or_default(l->session_expires_s, 1800),
		.session_min_s = or_default(l->session_min_s, 90),
	};
	if (s->limits.contacts_max > REGISTRAR_CONTACTS_MAX)
		s->limits.contacts_max = REGISTRAR_CONTACTS_MAX;
	bucket_init(&s->new_calls, s->limits.calls_per_s_max);
	bucket_init(&s->registers, s->limits.registers_per_s);
}

static int take_config(struct sip_stack *s, const struct sip_stack_config *cfg)
{
	if (cfg->realm == NULL || cfg->realm[0] == '\0' || strlen(cfg->realm) >= SIP_HOST_MAX ||
	    strchr(cfg->realm, '"') != NULL || cfg->handlers.secret == NULL ||
	    cfg->handlers.incoming == NULL || cfg->listens == 0 || cfg->listens > SIP_LISTEN_MAX ||
	    cfg->domains > SIP_DOMAINS_MAX || cfg->trunks > SIP_TRUNK_ADDRS_MAX) {
		log_error("sip", "the configuration needs a realm, a listener and its handlers, "
				 "within their limits");
		return -EINVAL;
	}
	s->handlers = cfg->handlers;
	s->accept_unknown = cfg->accept_unknown;
	str_ncpy(s->realm, cfg->realm, sizeof(s->realm));
	sip_text_quotable(s->agent, sizeof(s->agent),
			  cfg->user_agent ? cfg->user_agent : "Patchbay/" PATCHBAY_VERSION);
	for (size_t i = 0; i < cfg->domains; i++)
		str_ncpy(s->domain[s->domains++], cfg->domain[i], SIP_HOST_MAX);
	for (size_t i = 0; i < cfg->trunks; i++) {
		if (sa_set_str(&s->trunk[s->trunks++], cfg->trunk[i], 0) != 0) {
			log_error("sip", "trunk address \"%s\" is not numeric", cfg->trunk[i]);
			return -EINVAL;
		}
	}
	take_limits(s, &cfg->limits);
	return 0;
}

static enum sip_transp transp_of(enum sip_transport t)
{
	return t == SIP_OVER_TLS   ? SIP_TRANSP_TLS
	       : t == SIP_OVER_TCP ? SIP_TRANSP_TCP
				   : SIP_TRANSP_UDP;
}

/* libre does not say which port it got; so ask the kernel for a free one first. */
static uint16_t free_port(enum sip_transport t, const struct sa *addr)
{
	struct udp_sock *us = NULL;
	struct tcp_sock *ts = NULL;
	struct sa got;
	uint16_t port = 0;

	if (t == SIP_OVER_UDP) {
		if (udp_listen(&us, addr, NULL, NULL) == 0 && udp_local_get(us, &got) == 0)
			port = sa_port(&got);
	} else if (tcp_listen(&ts, addr, NULL, NULL) == 0 && tcp_sock_local_get(ts, &got) == 0) {
		port = sa_port(&got);
	}
	mem_deref(us);
	mem_deref(ts);
	return port;
}

static int add_listener(struct sip_stack *s, const struct sip_listen *l)
{
	struct tls *tls = NULL;
	struct sa addr;
	int err;

	if (sa_set_str(&addr, l->ip, l->port) != 0 || sa_is_any(&addr)) {
		log_error("sip", "listen address \"%s\" must be a numeric address of this host",
			  l->ip);
		return -EINVAL;
	}
	if (l->port == 0)
		sa_set_port(&addr, free_port(l->transport, &addr));
	if (l->transport == SIP_OVER_TLS) {
		err = tls_alloc(&tls, TLS_METHOD_SSLV23, l->certificate, NULL);
		if (err) {
			log_error("sip", "certificate %s: %s",
				  l->certificate ? l->certificate : "(none)", strerror(err));
			return -err;
		}
	}
	err = sip_transp_add(s->sip, transp_of(l->transport), &addr, tls);
	mem_deref(tls);
	if (err) {
		log_error("sip", "cannot listen on %s:%s:%u: %s", sip_transport_name(l->transport),
			  l->ip, (unsigned)sa_port(&addr), strerror(err));
		return -err;
	}
	s->bound[s->listens] = addr;
	s->listen[s->listens++] = *l;
	return 0;
}

/* A resolver is a comfort for trunks with names; without one only addresses work. */
static void find_resolver(struct sip_stack *s)
{
	struct sa server[4];
	uint32_t n = 4;
	char domain[64];

	if (dns_srv_get(domain, sizeof(domain), server, &n) == 0 && n > 0)
		(void)dnsc_alloc(&s->dnsc, NULL, server, n);
}

static void stack_free(void *arg)
{
	struct sip_stack *s = arg;

	tmr_cancel(&s->tmr_hang_up);
	sip_gate_close(s);
	s->requests = mem_deref(s->requests);
	s->responses = mem_deref(s->responses);
	s->registrar = mem_deref(s->registrar);
	s->hang_up_done = NULL;
	for (struct le *le = s->call_list.head; le; le = le->next)
		sip_call_abandon(le->data);
	/* Every request in flight calls back once more, into calls that have no owner. */
	if (s->sip)
		sip_close(s->sip, true);
	while (s->call_list.head)
		mem_deref(s->call_list.head->data);
	mem_deref(s->calls);
	mem_deref(s->sip);
	mem_deref(s->dnsc);
	mem_deref(s->digest);
}

int sip_stack_open(struct sip_stack **out, const struct sip_stack_config *cfg)
{
	struct sip_stack *s = mem_zalloc(sizeof(*s), stack_free);
	int err;

	if (s == NULL)
		return -ENOMEM;
	tmr_init(&s->tmr_hang_up);
	err = take_config(s, cfg);
	if (err)
		goto fail;

	struct sip_digest_config digest = {
		.realm = s->realm,
		.offer_sha256 = cfg->offer_sha256,
		.failures_user = s->limits.failures_user,
		.failures_source = s->limits.failures_source,
		.secret = s->handlers.secret,
		.arg = s->handlers.arg,
	};

	find_resolver(s);
	err = sip_digest_new(&s->digest, &digest);
	err = err ? err : registrar_new(&s->registrar, s);
	err = err ? err : -hash_alloc(&s->calls, SIP_HASH);
	err = err ? err
		  : -sip_alloc(&s->sip, s->dnsc, SIP_HASH, SIP_HASH, SIP_HASH, s->agent, NULL, s);
	for (size_t i = 0; err == 0 && i < cfg->listens; i++)
		err = add_listener(s, &cfg->listen[i]);
	err = err ? err : -sip_listen(&s->requests, s->sip, true, on_request, s);
	err = err ? err : -sip_listen(&s->responses, s->sip, false, on_response, s);
	if (err)
		goto fail;

	sip_gate_open(s);
	for (size_t i = 0; i < s->listens; i++)
		log_info("sip", "listening on %s:%s:%u", sip_transport_name(s->listen[i].transport),
			 cfg->listen[i].ip, (unsigned)sa_port(&s->bound[i]));
	*out = s;
	return 0;
fail:
	mem_deref(s);
	return err;
}

void sip_stack_close(struct sip_stack *s)
{
	mem_deref(s);
}

void sip_stack_drain(struct sip_stack *s, bool on)
{
	s->draining = on;
}

static void hang_up_check(void *arg)
{
	struct sip_stack *s = arg;
	void (*done)(void *) = s->hang_up_done;

	s->hang_up_done = NULL;
	tmr_cancel(&s->tmr_hang_up);
	if (done)
		done(s->hang_up_arg);
}

void sip_stack_call_gone(struct sip_stack *s)
{
	if (s->hang_up_done && s->call_list.head == NULL)
		tmr_start(&s->tmr_hang_up, 0, hang_up_check, s);
}

void sip_stack_hang_up(struct sip_stack *s, uint32_t timeout_ms, void (*done)(void *arg), void *arg)
{
	struct le *le = s->call_list.head;

	s->draining = true;
	s->hang_up_done = done;
	s->hang_up_arg = arg;
	while (le) {
		struct sip_call *c = le->data;

		le = le->next;
		sip_call_end(c, 503, SIP_CAUSE_OUT_OF_ORDER, "shutting down");
	}
	tmr_start(&s->tmr_hang_up, s->call_list.head ? timeout_ms : 0, hang_up_check, s);
}

uint16_t sip_stack_port(const struct sip_stack *s, size_t i)
{
	return i < s->listens ? sa_port(&s->bound[i]) : 0;
}

struct registrar *sip_stack_registrar(struct sip_stack *s)
{
	return s->registrar;
}

void sip_stack_stats(const struct sip_stack *s, struct sip_stack_stats *out)
{
	*out = s->stats;
	out->calls_now = s->owned;
	out->bindings_now = registrar_bindings(s->registrar);
	for (const struct le *le = s->call_list.head; le; le = le->next)
		out->dialogs_now++;
}

void sip_stack_each_call(struct sip_stack *s, void (*visit)(struct sip_call *call, void *arg),
			 void *arg)
{
	struct le *le = s->call_list.head;

	while (le) {
		struct sip_call *c = le->data;

		le = le->next;
		if (!c->told && c->fn)
			visit(c, arg);
	}
}
