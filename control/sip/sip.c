/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening and closing: configuration into limits and sockets, and the orderly end. What comes in by
 * the sockets is judged in sip_door.c.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "sip/sip_priv.h"
#include "sip/sip_text.h"

enum { UNREAD_PER_S = 100 };

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

static uint32_t or_default(uint32_t v, uint32_t otherwise)
{
	return v ? v : otherwise;
}

static void take_limits(struct sip_stack *s, const struct sip_limits *l)
{
	s->limits = (struct sip_limits){
		.calls_max = or_default(l->calls_max, 10000),
		.calls_per_s_max = or_default(l->calls_per_s_max, 500),
		.calls_per_s_source = l->calls_per_s_source,
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
		.keepalive_s = or_default(l->keepalive_s, 25),
		.prack_wait_ms = or_default(l->prack_wait_ms, 64 * SIP_T1),
	};
	if (s->limits.contacts_max > REGISTRAR_CONTACTS_MAX)
		s->limits.contacts_max = REGISTRAR_CONTACTS_MAX;
	bucket_init(&s->new_calls, s->limits.calls_per_s_max);
	bucket_init(&s->registers, s->limits.registers_per_s);
	bucket_init(&s->unread, UNREAD_PER_S);
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
	if (cfg->tls_ca != NULL && cfg->tls_ca[0] != '\0' && str_dup(&s->tls_ca, cfg->tls_ca) != 0)
		return -ENOMEM;
	for (size_t i = 0; i < cfg->domains; i++)
		str_ncpy(s->domain[s->domains++], cfg->domain[i], SIP_HOST_MAX);
	for (size_t i = 0; i < cfg->trunks; i++) {
		if (sa_set_str(&s->trunk[s->trunks], cfg->trunk[i], 0) == 0)
			s->trunks++;
		else
			log_warn("sip",
				 "trunk \"%s\" is a name: calls from it count as from unknown "
				 "callers; give its address to have them known",
				 cfg->trunk[i]);
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
		err = sip_tls_new(&tls, s, l->certificate);
		if (err)
			return -err;
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
	sip_trunks_close(s);
	s->requests = mem_deref(s->requests);
	s->responses = mem_deref(s->responses);
	s->registrar = mem_deref(s->registrar);
	list_flush(&s->ghosts);
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
	mem_deref(s->tls_ca);
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
	err = err ? err : -sip_listen(&s->requests, s->sip, true, sip_door_request, s);
	err = err ? err : -sip_listen(&s->responses, s->sip, false, sip_door_response, s);
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
	if (s->hang_up_done && s->call_list.head == NULL && s->leaving == 0)
		tmr_start(&s->tmr_hang_up, 0, hang_up_check, s);
}

void sip_stack_hang_up(struct sip_stack *s, uint32_t timeout_ms, void (*done)(void *arg), void *arg)
{
	struct le *le = s->call_list.head;

	s->draining = true;
	s->hang_up_done = done;
	s->hang_up_arg = arg;
	sip_trunks_leave(s);
	while (le) {
		struct sip_call *c = le->data;

		le = le->next;
		sip_call_end(c, 503, SIP_CAUSE_OUT_OF_ORDER, "shutting down");
	}
	tmr_start(&s->tmr_hang_up, s->call_list.head || s->leaving ? timeout_ms : 0, hang_up_check,
		  s);
}

uint16_t sip_stack_port(const struct sip_stack *s, size_t i)
{
	return i < s->listens ? sa_port(&s->bound[i]) : 0;
}

int sip_stack_bound(const struct sip_stack *s, size_t i, enum sip_transport *transport,
		    char ip[SIP_IP_MAX])
{
	if (i >= s->listens)
		return -EINVAL;
	*transport = s->listen[i].transport;
	return -sa_ntop(&s->bound[i], ip, SIP_IP_MAX);
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
