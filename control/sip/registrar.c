/* SPDX-License-Identifier: Apache-2.0
 *
 * Bindings hang in a hash by user; each has its own expiry timer, so nothing is ever swept. All
 * answers are stateless: a REGISTER is idempotent (same Call-ID and CSeq do nothing twice), and a
 * thousand a second must not leave a thousand transactions behind for half a minute each.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "sip/registrar_priv.h"
#include "sip/sip_priv.h"
#include "sip/sip_store.h"
#include "sip/sip_text.h"

enum { BINDING_HASH = 4096 };

struct binding {
	struct le he;
	struct registrar *r;
	struct tmr tmr, tmr_ping;
	char user[SIP_USER_MAX];
	char call_id[SIP_CALL_ID_MAX];
	uint32_t cseq;
	struct sa source;
	struct registrar_contact contact;
	uint64_t ends_ms;
};

struct registrar {
	struct sip_stack *stack;
	struct hash *bindings;
	uint32_t n;
};

static void binding_free(void *arg)
{
	struct binding *b = arg;

	tmr_cancel(&b->tmr);
	tmr_cancel(&b->tmr_ping);
	hash_unlink(&b->he);
	b->r->n--;
}

static void registrar_free(void *arg)
{
	struct registrar *r = arg;

	hash_flush(r->bindings);
	mem_deref(r->bindings);
}

int registrar_new(struct registrar **out, struct sip_stack *s)
{
	struct registrar *r = mem_zalloc(sizeof(*r), registrar_free);

	if (r == NULL)
		return -ENOMEM;
	r->stack = s;
	if (hash_alloc(&r->bindings, BINDING_HASH) != 0) {
		mem_deref(r);
		return -ENOMEM;
	}
	*out = r;
	return 0;
}

uint32_t registrar_bindings(const struct registrar *r)
{
	return r->n;
}

static struct list *bucket(const struct registrar *r, const char *user)
{
	return hash_list(r->bindings, hash_joaat((const uint8_t *)user, strlen(user)));
}

/* The user's bindings, `max` at most, in no order. */
static size_t bindings_of(const struct registrar *r, const char *user, struct binding **out,
			  size_t max)
{
	size_t n = 0;

	for (struct le *le = list_head(bucket(r, user)); le && n < max; le = le->next) {
		struct binding *b = le->data;

		if (strcmp(b->user, user) == 0)
			out[n++] = b;
	}
	return n;
}

static uint32_t seconds_left(const struct binding *b)
{
	uint64_t now_ms = tmr_jiffies();

	return b->ends_ms > now_ms ? (uint32_t)((b->ends_ms - now_ms + 999) / 1000) : 0;
}

/* --- coming and going --- */

static void tell_gone(struct registrar *r, const struct binding *b, bool expired, bool last)
{
	const struct sip_stack_handlers *h = &r->stack->handlers;
	struct sip_registration reg = {
		.user = b->user,
		.contact = b->contact.uri,
		.source = b->contact.source,
		.user_agent = b->contact.user_agent,
		.last = last,
		.expired = expired,
	};

	log_info("sip", "%s unregistered %s (%s)%s", b->user, b->contact.uri,
		 expired ? "expired" : "asked", last ? ", no phone left" : "");
	if (h->unregistered)
		h->unregistered(h->arg, &reg);
}

static void drop(struct binding *b, bool expired)
{
	struct registrar *r = b->r;
	struct binding *others[1];

	hash_unlink(&b->he);
	tell_gone(r, b, expired, bindings_of(r, b->user, others, 1) == 0);
	mem_deref(b);
}

static void expire(void *arg)
{
	drop(arg, true);
}

static void tell_registered(struct registrar *r, const struct binding *b, bool first)
{
	const struct sip_stack_handlers *h = &r->stack->handlers;
	struct sip_registration reg = {
		.user = b->user,
		.contact = b->contact.uri,
		.source = b->contact.source,
		.user_agent = b->contact.user_agent,
		.expires_s = b->contact.expires_s,
		.first = first,
	};

	log_info("sip", "%s registered %s from %s:%s:%u for %u s", b->user, b->contact.uri,
		 sip_transport_name(b->contact.source.transport), b->contact.source.ip,
		 (unsigned)b->contact.source.port, b->contact.expires_s);
	if (h->registered)
		h->registered(h->arg, &reg);
}

/* --- one REGISTER --- */

static struct binding *find(struct binding **have, size_t n, const struct registrar_wish *w)
{
	for (size_t i = 0; i < n; i++) {
		if (pl_strcmp(&w->uri, have[i]->contact.uri) == 0)
			return have[i];
	}
	return NULL;
}

/* RFC 3261, 10.3, 7: within one Call-ID only a higher CSeq is news. Equal is a repetition. */
static bool out_of_order(const struct binding *b, const struct sip_msg *msg)
{
	return pl_strcmp(&msg->callid, b->call_id) == 0 && msg->cseq.num < b->cseq;
}

/* A NAT forgets who is silent: two line ends to a phone behind one, which no phone takes for a message
 * (RFC 5626, 3.5.1). Spread, so that a thousand phones are not one burst. */
static void ping(void *arg)
{
	struct binding *b = arg;
	uint32_t every_ms = 1000 * b->r->stack->limits.keepalive_s;
	struct mbuf *mb = mbuf_alloc(4);

	if (mb != NULL && mbuf_write_str(mb, "\r\n\r\n") == 0) {
		mb->pos = 0;
		(void)sip_send(b->r->stack->sip, NULL, SIP_TRANSP_UDP, &b->source, mb);
	}
	mem_deref(mb);
	tmr_start(&b->tmr_ping, every_ms - rand_u32() % (every_ms / 8), ping, b);
}

static void keep_open(struct binding *b)
{
	uint32_t every_ms = 1000 * b->r->stack->limits.keepalive_s;

	if (!b->contact.by_source || b->contact.source.transport != SIP_OVER_UDP)
		tmr_cancel(&b->tmr_ping);
	else if (!tmr_isrunning(&b->tmr_ping))
		tmr_start(&b->tmr_ping, every_ms - rand_u32() % (every_ms / 8), ping, b);
}

static void fill(struct binding *b, const struct registrar_request *q,
		 const struct registrar_wish *w)
{
	const struct sip_hdr *ua = sip_msg_hdr(q->msg, SIP_HDR_USER_AGENT);
	struct registrar_contact *c = &b->contact;

	(void)pl_strcpy(&w->uri, c->uri, sizeof(c->uri));
	sip_peer_of(&c->source, q->msg);
	b->source = q->msg->src;
	sip_text_pl(c->user_agent, sizeof(c->user_agent), ua ? &ua->val : &pl_null);
	str_ncpy(c->path, q->path, sizeof(c->path));
	c->by_source = q->path[0] == '\0' && sip_dlg_follows_source(q->msg, &w->host);
	c->q = w->q;
	c->expires_s = w->expires_s;
	c->changed_ms = tmr_jiffies();
	(void)pl_strcpy(&q->msg->callid, b->call_id, sizeof(b->call_id));
	b->cseq = q->msg->cseq.num;
	b->ends_ms = c->changed_ms + 1000ull * w->expires_s;
	tmr_start(&b->tmr, 1000ull * w->expires_s, expire, b);
	keep_open(b);
}

static struct binding *oldest(struct binding **have, size_t n)
{
	struct binding *b = have[0];

	for (size_t i = 1; i < n; i++) {
		if (have[i]->contact.changed_ms < b->contact.changed_ms)
			b = have[i];
	}
	return b;
}

static struct binding *new_binding(struct registrar *r, const char *user)
{
	struct binding *b = mem_zalloc(sizeof(*b), binding_free);

	if (b == NULL)
		return NULL;
	b->r = r;
	r->n++;
	tmr_init(&b->tmr);
	tmr_init(&b->tmr_ping);
	str_ncpy(b->user, user, sizeof(b->user));
	hash_append(r->bindings, hash_joaat((const uint8_t *)b->user, strlen(b->user)), &b->he, b);
	return b;
}

static bool add(struct registrar_request *q, const struct registrar_wish *w, struct binding **have,
		size_t n)
{
	struct registrar *r = q->r;

	/* A phone that forgets its old bindings must not lock itself out: the oldest gives way. */
	if (n >= r->stack->limits.contacts_max)
		drop(oldest(have, n), false);
	if (r->n >= r->stack->limits.bindings_max) {
		log_warn("sip", "%s not registered: all %u bindings are taken", q->user, r->n);
		return !registrar_refuse(q, 503, "No Room");
	}

	struct binding *b = new_binding(r, q->user);

	if (b == NULL)
		return !registrar_refuse(q, 500, "No Memory");
	fill(b, q, w);
	tell_registered(r, b, n == 0);
	return true;
}

int registrar_kept(struct registrar *r, const char *user, const struct registrar_contact *contact)
{
	struct binding *have[REGISTRAR_CONTACTS_MAX], *b;
	size_t n = bindings_of(r, user, have, REGISTRAR_CONTACTS_MAX);
	const struct sip_limits *l = &r->stack->limits;
	struct sip_addr addr;
	struct sa source;
	struct pl p, ip;

	pl_set_str(&p, contact->uri);
	pl_set_str(&ip, contact->source.ip);
	if (user[0] == '\0' || sip_addr_decode(&addr, &p) != 0 || !registrar_uri_usable(&addr) ||
	    sa_set_str(&source, contact->source.ip, contact->source.port) != 0 ||
	    contact->expires_s == 0 || contact->expires_s > l->expires_max_s)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (strcmp(have[i]->contact.uri, contact->uri) == 0)
			return -EINVAL;
	if (n >= l->contacts_max || r->n >= l->bindings_max)
		return -ENOSPC;
	if (contact->source.transport != SIP_OVER_UDP && contact->path[0] == '\0' &&
	    pl_cmp(&addr.uri.host, &ip) != 0)
		return -ENOTCONN;
	b = new_binding(r, user);
	if (b == NULL)
		return -ENOSPC;
	b->contact = *contact;
	b->source = source;
	if (contact->source.transport != SIP_OVER_UDP)
		b->contact.by_source = false;
	b->contact.changed_ms = tmr_jiffies();
	b->ends_ms = b->contact.changed_ms + 1000ull * contact->expires_s;
	keep_open(b);
	tmr_start(&b->tmr, 1000ull * contact->expires_s, expire, b);
	return 0;
}

static bool apply_wish(struct registrar_request *q, const struct registrar_wish *w)
{
	struct binding *have[REGISTRAR_CONTACTS_MAX];
	size_t n = bindings_of(q->r, q->user, have, REGISTRAR_CONTACTS_MAX);
	struct binding *b = find(have, n, w);

	if (b == NULL)
		return w->expires_s == 0 || add(q, w, have, n);
	if (out_of_order(b, q->msg))
		return !registrar_refuse(q, 500, "Out of Order");
	if (w->expires_s == 0) {
		drop(b, false);
		return true;
	}

	bool moved = !sa_cmp(&b->source, &q->msg->src, SA_ALL);

	fill(b, q, w);
	if (moved)
		tell_registered(q->r, b, false);
	return true;
}

static void apply(struct registrar_request *q)
{
	if (q->star)
		(void)registrar_remove(q->r, q->user);
	for (size_t i = 0; i < q->wishes; i++) {
		if (!apply_wish(q, &q->wish[i]))
			return;
	}
}

static void answer(struct registrar_request *q)
{
	struct sip_stack *s = q->r->stack;
	struct binding *have[REGISTRAR_CONTACTS_MAX];
	char line[64] = "";

	if (q->status) {
		if (q->status == 423)
			(void)re_snprintf(line, sizeof(line), "Min-Expires: %u\r\n",
					  s->limits.expires_min_s);
		if (q->status == 400)
			s->stats.refused_malformed++;
		sip_stack_refuse(s, q->msg, q->status, q->reason, line);
		return;
	}

	size_t n = bindings_of(q->r, q->user, have, REGISTRAR_CONTACTS_MAX);
	struct mbuf *mb = mbuf_alloc(512);

	if (mb == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		(void)mbuf_printf(mb, "Contact: <%s>;expires=%u\r\n", have[i]->contact.uri,
				  seconds_left(have[i]));
	if (q->path[0])
		(void)mbuf_printf(mb, "Supported: path\r\nPath: %s\r\n", q->path);
	s->stats.registers_ok++;
	(void)sip_replyf(s->sip, q->msg, 200, "OK", "%bContent-Length: 0\r\n\r\n", mb->buf,
			 mb->end);
	mem_deref(mb);
}

/* Who it is must be who it says (RFC 3261, 10.3, 3-4): a user registers its own number only. */
static bool authorised(struct registrar_request *q)
{
	struct sip_stack *s = q->r->stack;
	char proved[SIP_USER_MAX];

	switch (sip_digest_check(s->digest, q->msg, registrar_knows(q->r, q->user, &q->msg->src),
				 proved)) {
	case SIP_DIGEST_OK:
		if (strcmp(proved, q->user) == 0)
			return true;
		s->stats.refused_auth++;
		sip_stack_refuse(s, q->msg, 403, "Not Your Number", NULL);
		return false;
	case SIP_DIGEST_MISSING:
		sip_stack_challenge(s, q->msg, false);
		return false;
	case SIP_DIGEST_STALE:
		sip_stack_challenge(s, q->msg, true);
		return false;
	case SIP_DIGEST_WRONG:
		s->stats.refused_auth++;
		sip_stack_challenge(s, q->msg, false);
		return false;
	case SIP_DIGEST_BLOCKED:
		break;
	}
	s->stats.refused_blocked++;
	sip_stack_refuse(s, q->msg, 403, "Forbidden", NULL);
	return false;
}

void registrar_request(struct registrar *r, const struct sip_msg *msg)
{
	struct registrar_request q = {.r = r, .limits = &r->stack->limits, .msg = msg};

	if (!sip_stack_is_ours(r->stack, &msg->to.uri.host)) {
		sip_stack_refuse(r->stack, msg, 404, "Not Our Domain", NULL);
		return;
	}
	sip_text_unescape(q.user, sizeof(q.user), &msg->to.uri.user);
	if (q.user[0] == '\0') {
		r->stack->stats.refused_malformed++;
		sip_stack_refuse(r->stack, msg, 400, "No user in To", NULL);
		return;
	}
	if (!authorised(&q))
		return;
	if (registrar_read(&q))
		apply(&q);
	answer(&q);
}

/* --- what the rest of the daemon asks --- */

bool registrar_knows(const struct registrar *r, const char *user, const struct sa *source)
{
	struct binding *have[REGISTRAR_CONTACTS_MAX];
	size_t n = bindings_of(r, user, have, REGISTRAR_CONTACTS_MAX);

	for (size_t i = 0; i < n; i++) {
		if (sa_cmp(&have[i]->source, source, SA_ALL))
			return true;
	}
	return false;
}

static bool better(const struct binding *a, const struct binding *b)
{
	if (a->contact.q != b->contact.q)
		return a->contact.q > b->contact.q;
	return a->contact.changed_ms > b->contact.changed_ms;
}

size_t registrar_lookup(const struct registrar *r, const char *user, struct registrar_contact *out,
			size_t max)
{
	struct binding *have[REGISTRAR_CONTACTS_MAX];
	size_t n = bindings_of(r, user, have, REGISTRAR_CONTACTS_MAX);

	for (size_t i = 1; i < n; i++) {
		for (size_t k = i; k > 0 && better(have[k], have[k - 1]); k--) {
			struct binding *t = have[k];

			have[k] = have[k - 1];
			have[k - 1] = t;
		}
	}
	if (n > max)
		n = max;
	for (size_t i = 0; i < n; i++) {
		out[i] = have[i]->contact;
		out[i].expires_s = seconds_left(have[i]);
	}
	return n;
}

size_t registrar_remove(struct registrar *r, const char *user)
{
	struct binding *have[REGISTRAR_CONTACTS_MAX];
	size_t n = bindings_of(r, user, have, REGISTRAR_CONTACTS_MAX);

	for (size_t i = 0; i < n; i++)
		drop(have[i], false);
	return n;
}

struct visitor {
	void (*visit)(const char *user, const struct registrar_contact *c, void *arg);
	void *arg;
};

static bool visit_one(struct le *le, void *arg)
{
	const struct binding *b = le->data;
	const struct visitor *v = arg;
	struct registrar_contact c = b->contact;

	c.expires_s = seconds_left(b);
	v->visit(b->user, &c, v->arg);
	return false;
}

void registrar_each(const struct registrar *r,
		    void (*visit)(const char *user, const struct registrar_contact *c, void *arg),
		    void *arg)
{
	struct visitor v = {visit, arg};

	(void)hash_apply(r->bindings, visit_one, &v);
}
