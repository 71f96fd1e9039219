/* SPDX-License-Identifier: Apache-2.0
 *
 * Names into addresses by the system's resolver, which also knows /etc/hosts. getaddrinfo_a() asks in the
 * background and is looked at by a timer, so the loop never waits; an answer that does not come is given
 * up. An old answer stays in use until there is a new one.
 */
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "base/log.h"
#include "sip/sip_trunk_priv.h"

enum { LOOK_MS = 20, GIVE_UP_MS = 20000, AGAIN_MS = 300000, AGAIN_FAILED_MS = 15000 };

/* Lives as long as the resolver may write to it, also when its trunk has gone. */
struct sip_trunk_lookup {
	struct sip_trunk *trunk; /* NULL: nobody waits for it any more */
	struct addrinfo hints;
	struct gaicb request;
	char host[SIP_TRUNK_HOST_MAX];
	uint64_t since_ms;
	struct tmr tmr;
};

static void again(void *arg)
{
	sip_trunk_lookup_start(arg);
}

static void take_addresses(struct sip_trunk *t, const struct addrinfo *list)
{
	struct sa before = t->addr[t->now];
	size_t n = 0;

	for (const struct addrinfo *a = list; a && n < SIP_TRUNK_ADDRS; a = a->ai_next) {
		if (sa_set_sa(&t->addr[n], a->ai_addr) != 0)
			continue;
		sa_set_port(&t->addr[n], t->setup.port);
		n++;
	}
	if (n == 0)
		return;
	t->addrs = n;
	t->now = 0;
	for (size_t i = 0; i < n; i++) {
		if (sa_cmp(&t->addr[i], &before, SA_ADDR))
			t->now = i;
	}
	sip_trunk_found(t);
}

static void look(void *arg)
{
	struct sip_trunk_lookup *l = arg;
	struct sip_trunk *t = l->trunk;
	int err = gai_error(&l->request);

	if (err == EAI_INPROGRESS && tmr_jiffies() - l->since_ms < GIVE_UP_MS) {
		tmr_start(&l->tmr, LOOK_MS, look, l);
		return;
	}
	if (err == EAI_INPROGRESS && gai_cancel(&l->request) == EAI_NOTCANCELED) {
		/* The resolver still writes here. */
		tmr_start(&l->tmr, AGAIN_FAILED_MS, look, l);
		return;
	}
	if (t != NULL) {
		t->lookup = NULL;
		if (err == 0)
			take_addresses(t, l->request.ar_result);
		else
			log_warn("sip", "trunk %s: no address for %s: %s", t->name, l->host,
				 gai_strerror(err));
		tmr_start(&t->tmr_lookup, err == 0 ? AGAIN_MS : AGAIN_FAILED_MS, again, t);
	}
	if (l->request.ar_result)
		freeaddrinfo(l->request.ar_result);
	mem_deref(l);
}

void sip_trunk_lookup_start(struct sip_trunk *t)
{
	struct sip_trunk_lookup *l;
	struct gaicb *list[1];

	if (sa_set_str(&t->addr[0], t->host, t->setup.port) == 0) {
		t->addrs = 1;
		t->now = 0;
		sip_trunk_found(t);
		return;
	}
	if (t->lookup != NULL)
		return;
	l = mem_zalloc(sizeof(*l), NULL);
	if (l == NULL)
		return;
	str_ncpy(l->host, t->host, sizeof(l->host));
	l->trunk = t;
	l->since_ms = tmr_jiffies();
	l->hints.ai_socktype = SOCK_DGRAM;
	l->request.ar_name = l->host;
	l->request.ar_request = &l->hints;
	list[0] = &l->request;
	tmr_init(&l->tmr);
	if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) != 0) {
		mem_deref(l);
		tmr_start(&t->tmr_lookup, AGAIN_FAILED_MS, again, t);
		return;
	}
	t->lookup = l;
	tmr_start(&l->tmr, 1, look, l);
}

void sip_trunk_lookup_stop(struct sip_trunk *t)
{
	struct sip_trunk_lookup *l = t->lookup;
	const struct gaicb *wait[1];

	tmr_cancel(&t->tmr_lookup);
	t->lookup = NULL;
	if (l == NULL)
		return;
	l->trunk = NULL;
	/* A trunk that goes away with a question open waits for the answer: seconds at worst, and rare. */
	wait[0] = &l->request;
	tmr_cancel(&l->tmr);
	if (gai_cancel(&l->request) == EAI_NOTCANCELED) {
		while (gai_error(&l->request) == EAI_INPROGRESS)
			(void)gai_suspend(wait, 1, NULL);
	}
	if (l->request.ar_result)
		freeaddrinfo(l->request.ar_result);
	mem_deref(l);
}
