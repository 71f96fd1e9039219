/* SPDX-License-Identifier: Apache-2.0
 *
 * Names into addresses: which hosts and ports a name stands for, by DNS when no port is configured (SRV; RFC 3263,
 * 4.2), then their addresses by the system's resolver, which also knows /etc/hosts. getaddrinfo_a() asks in the
 * background and is looked at by a timer, so the loop never waits; an answer that does not come is given
 * up. An old answer stays in use until there is a new one.
 */
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "base/log.h"
#include "sip/sip_trunk_priv.h"

enum {
	LOOK_MS = 20,
	SRV_MS = 5000,
	GIVE_UP_MS = 20000,
	AGAIN_MS = 300000,
	AGAIN_FAILED_MS = 15000,
	TARGETS = 4, /* of SRV records the best */
};

struct target {
	struct gaicb request;
	char host[SIP_TRUNK_HOST_MAX];
	uint16_t port;
};

/* Lives as long as the resolver may write to it, also when its trunk has gone. */
struct sip_trunk_lookup {
	struct sip_trunk *trunk; /* NULL: nobody waits for it any more */
	struct dns_query *query;
	struct addrinfo hints;
	struct target target[TARGETS];
	size_t targets;
	bool asked; /* the resolver knows of the targets */
	uint64_t since_ms;
	struct tmr tmr;
};

static void lookup_free(void *arg)
{
	struct sip_trunk_lookup *l = arg;

	mem_deref(l->query);
	tmr_cancel(&l->tmr);
	for (size_t i = 0; i < l->targets; i++) {
		if (l->asked && l->target[i].request.ar_result)
			freeaddrinfo(l->target[i].request.ar_result);
	}
}

static void again(void *arg)
{
	sip_trunk_lookup_start(arg);
}

static void take_addresses(struct sip_trunk *t, const struct sip_trunk_lookup *l)
{
	struct sa before = t->addr[t->now];
	size_t n = 0;

	for (size_t i = 0; i < l->targets; i++) {
		const struct addrinfo *a = l->target[i].request.ar_result;

		for (; a && n < SIP_TRUNK_ADDRS; a = a->ai_next) {
			if (sa_set_sa(&t->addr[n], a->ai_addr) != 0)
				continue;
			sa_set_port(&t->addr[n], l->target[i].port);
			n++;
		}
	}
	if (n == 0)
		return;
	t->addrs = n;
	t->now = 0;
	for (size_t i = 0; i < n; i++) {
		if (sa_cmp(&t->addr[i], &before, SA_ALL))
			t->now = i;
	}
	sip_trunk_found(t);
}

/* EAI_INPROGRESS while one is; else 0 when one is known, or the error of the first. */
static int state_of(struct sip_trunk_lookup *l)
{
	int first = 0;
	bool known = false;

	for (size_t i = 0; i < l->targets; i++) {
		int err = gai_error(&l->target[i].request);

		if (err == EAI_INPROGRESS)
			return err;
		known = known || err == 0;
		first = first ? first : err;
	}
	return known ? 0 : first;
}

/* True when the resolver will write no more. */
static bool withdraw(struct sip_trunk_lookup *l)
{
	bool left = true;

	for (size_t i = 0; l->asked && i < l->targets; i++) {
		if (gai_cancel(&l->target[i].request) == EAI_NOTCANCELED)
			left = false;
	}
	return left;
}

static void look(void *arg)
{
	struct sip_trunk_lookup *l = arg;
	struct sip_trunk *t = l->trunk;
	int err = state_of(l);

	if (err == EAI_INPROGRESS && tmr_jiffies() - l->since_ms < GIVE_UP_MS) {
		tmr_start(&l->tmr, LOOK_MS, look, l);
		return;
	}
	if (err == EAI_INPROGRESS && !withdraw(l)) {
		/* The resolver still writes here. */
		tmr_start(&l->tmr, AGAIN_FAILED_MS, look, l);
		return;
	}
	if (t != NULL) {
		t->lookup = NULL;
		if (err == 0)
			take_addresses(t, l);
		else
			log_warn("sip", "trunk %s: no address for %s: %s", t->name,
				 l->target[0].host, gai_strerror(err));
		tmr_start(&t->tmr_lookup, err == 0 ? AGAIN_MS : AGAIN_FAILED_MS, again, t);
	}
	mem_deref(l);
}

static void add_target(struct sip_trunk_lookup *l, const char *host, uint16_t port)
{
	struct target *at = &l->target[l->targets++];

	str_ncpy(at->host, host, sizeof(at->host));
	at->port = port;
	at->request.ar_name = at->host;
	at->request.ar_request = &l->hints;
}

static void ask_addresses(struct sip_trunk_lookup *l)
{
	struct sip_trunk *t = l->trunk;
	struct gaicb *list[TARGETS];

	if (l->targets == 0)
		add_target(l, t->host, t->setup.port);
	for (size_t i = 0; i < l->targets; i++)
		list[i] = &l->target[i].request;
	l->since_ms = tmr_jiffies();
	l->asked = true;
	if (getaddrinfo_a(GAI_NOWAIT, list, (int)l->targets, NULL) != 0) {
		t->lookup = NULL;
		l->asked = false;
		mem_deref(l);
		tmr_start(&t->tmr_lookup, AGAIN_FAILED_MS, again, t);
		return;
	}
	tmr_start(&l->tmr, 1, look, l);
}

static bool take_target(struct dnsrr *rr, void *arg)
{
	struct sip_trunk_lookup *l = arg;

	/* "." says that there is none (RFC 2782). */
	if (rr->rdata.srv.target[0] != '\0' && strcmp(rr->rdata.srv.target, ".") != 0)
		add_target(l, rr->rdata.srv.target, rr->rdata.srv.port);
	return l->targets == TARGETS;
}

static void on_srv(int err, const struct dnshdr *hdr, struct list *answers, struct list *authority,
		   struct list *more, void *arg)
{
	struct sip_trunk_lookup *l = arg;

	(void)authority;
	(void)more;
	if (err == 0 && hdr != NULL && hdr->rcode == 0) {
		dns_rrlist_sort(answers, DNS_TYPE_SRV, rand_u32());
		(void)dns_rrlist_apply(answers, NULL, DNS_TYPE_SRV, DNS_CLASS_IN, false,
				       take_target, l);
	}
	tmr_cancel(&l->tmr);
	ask_addresses(l);
}

/* A name server that is silent does not keep the addresses away. */
static void on_silence(void *arg)
{
	struct sip_trunk_lookup *l = arg;

	l->query = mem_deref(l->query);
	ask_addresses(l);
}

static bool ask_srv(struct sip_trunk_lookup *l)
{
	static const char *const service[] = {[SIP_OVER_UDP] = "_sip._udp",
					      [SIP_OVER_TCP] = "_sip._tcp",
					      [SIP_OVER_TLS] = "_sips._tcp"};
	const struct sip_trunk *t = l->trunk;
	char name[SIP_TRUNK_HOST_MAX + 16];

	if (!t->setup.srv || t->stack->dnsc == NULL)
		return false;
	(void)re_snprintf(name, sizeof(name), "%s.%s", service[t->setup.transport], t->host);
	if (dnsc_query(&l->query, t->stack->dnsc, name, DNS_TYPE_SRV, DNS_CLASS_IN, true, on_srv,
		       l) != 0)
		return false;
	tmr_start(&l->tmr, SRV_MS, on_silence, l);
	return true;
}

void sip_trunk_lookup_start(struct sip_trunk *t)
{
	struct sip_trunk_lookup *l;

	if (sa_set_str(&t->addr[0], t->host, t->setup.port) == 0) {
		t->addrs = 1;
		t->now = 0;
		sip_trunk_found(t);
		return;
	}
	if (t->lookup != NULL)
		return;
	l = mem_zalloc(sizeof(*l), lookup_free);
	if (l == NULL)
		return;
	l->trunk = t;
	l->hints.ai_socktype = SOCK_DGRAM;
	tmr_init(&l->tmr);
	t->lookup = l;
	if (!ask_srv(l))
		ask_addresses(l);
}

void sip_trunk_lookup_stop(struct sip_trunk *t)
{
	struct sip_trunk_lookup *l = t->lookup;

	tmr_cancel(&t->tmr_lookup);
	t->lookup = NULL;
	if (l == NULL)
		return;
	l->trunk = NULL;
	/* A trunk that goes away with a question open waits for the answer: seconds at worst, and rare. */
	if (!withdraw(l)) {
		while (state_of(l) == EAI_INPROGRESS) {
			const struct gaicb *wait[TARGETS];

			for (size_t i = 0; i < l->targets; i++)
				wait[i] = &l->target[i].request;
			(void)gai_suspend(wait, (int)l->targets, NULL);
		}
	}
	mem_deref(l);
}
