/* SPDX-License-Identifier: Apache-2.0
 *
 * Text in, text out: the dialog keeps the header values as they stand on the wire, so that what the
 * peer compares (tags, URIs, the exact route set) is returned to it byte for byte.
 *
 * Everything from the peer that is kept here came through libre's parser, which ends header values
 * at line ends; a value can therefore not smuggle a second header into our requests.
 */
#include <errno.h>
#include <string.h>

#include <arpa/inet.h>

#include "sip/sip_dlg.h"

enum { PROOF_MAX = 4096 };

static void dlg_free(void *arg)
{
	struct sip_dlg *d = arg;

	mem_deref(d->call_id);
	mem_deref(d->ltag);
	mem_deref(d->rtag);
	mem_deref(d->local);
	mem_deref(d->remote);
	mem_deref(d->target);
	mem_deref(d->routes);
	mem_deref(d->hop);
	mem_deref(d->contact);
	mem_deref(d->via);
}

static struct sip_dlg *dlg_new(struct sip *sip, const char *agent)
{
	struct sip_dlg *d = mem_zalloc(sizeof(*d), dlg_free);

	if (d != NULL) {
		d->sip = sip;
		d->agent = agent;
	}
	return d;
}

int sip_dlg_empty(struct sip_dlg **out, struct sip *sip, const char *agent)
{
	*out = dlg_new(sip, agent);
	return *out != NULL ? 0 : -ENOMEM;
}

void sip_peer_of(struct sip_peer *p, const struct sip_msg *msg)
{
	*p = (struct sip_peer){.port = sa_port(&msg->src)};
	(void)sa_ntop(&msg->src, p->ip, sizeof(p->ip));
	p->transport = msg->tp == SIP_TRANSP_TLS   ? SIP_OVER_TLS
		       : msg->tp == SIP_TRANSP_TCP ? SIP_OVER_TCP
						   : SIP_OVER_UDP;
}

char *sip_dlg_hop_of(const struct sip_peer *peer)
{
	bool v6 = strchr(peer->ip, ':') != NULL;
	char *uri = NULL;

	(void)re_sdprintf(&uri, "sip:%s%s%s:%u;transport=%s", v6 ? "[" : "", peer->ip,
			  v6 ? "]" : "", (unsigned)peer->port, sip_transport_name(peer->transport));
	return uri;
}

bool sip_dlg_follows_source(const struct sip_msg *msg, const struct pl *contact_host)
{
	struct sa addr;
	struct pl rport;

	if (msg->tp != SIP_TRANSP_UDP)
		return true;
	/* libre's parameter search wants the list with its leading ';', which Via's params have. */
	if (msg_param_exists(&msg->via.params, "rport", &rport) != 0)
		return false;
	return sa_set(&addr, contact_host, 0) != 0 || !sa_cmp(&addr, &msg->src, SA_ADDR);
}

static int new_tag(char **tag)
{
	return re_sdprintf(tag, "%016llx", (unsigned long long)rand_u64());
}

int sip_dlg_start(struct sip_dlg **out, struct sip *sip, const char *agent, const char *local,
		  const char *remote, const char *target, const char *hop, const char *contact,
		  const char *call_id)
{
	struct sip_dlg *d = dlg_new(sip, agent);
	int err;

	if (d == NULL)
		return -ENOMEM;
	err = new_tag(&d->ltag);
	err |= call_id ? str_dup(&d->call_id, call_id)
		       : re_sdprintf(&d->call_id, "%016llx%016llx", (unsigned long long)rand_u64(),
				     (unsigned long long)rand_u64());
	err |= re_sdprintf(&d->local, "%s;tag=%s", local, d->ltag);
	err |= str_dup(&d->remote, remote);
	err |= str_dup(&d->target, target);
	err |= str_dup(&d->routes, "");
	err |= str_dup(&d->contact, contact);
	if (hop)
		err |= str_dup(&d->hop, hop);
	d->lseq = rand_u16();
	if (err) {
		mem_deref(d);
		return -ENOMEM;
	}
	*out = d;
	return 0;
}

int sip_dlg_route(struct sip_dlg *d, const char *route)
{
	struct sip_addr first;
	struct pl value;
	char *lines = NULL, *hop = NULL;
	int err;

	pl_set_str(&value, route);
	if (sip_addr_decode(&first, &value) != 0)
		return -EBADMSG;
	err = re_sdprintf(&lines, "Route: %s\r\n", route);
	err |= pl_strdup(&hop, &first.auri);
	mem_deref(d->routes);
	mem_deref(d->hop);
	d->routes = lines;
	d->hop = hop;
	return err ? -ENOMEM : 0;
}

struct route_list {
	struct mbuf *mb;
	struct pl first;
	int err;
};

static bool add_route(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	struct route_list *l = arg;

	(void)msg;
	if (!pl_isset(&l->first))
		l->first = hdr->val;
	l->err |= mbuf_printf(l->mb, "Route: %r\r\n", &hdr->val);
	return false;
}

/* Route set from Record-Route: in order for a request we got, reversed for a response. */
static int read_routes(struct sip_dlg *d, const struct sip_msg *msg)
{
	struct route_list l = {.mb = mbuf_alloc(256)};
	struct sip_addr addr;
	int err;

	if (l.mb == NULL)
		return -ENOMEM;
	(void)sip_msg_hdr_apply(msg, msg->req, SIP_HDR_RECORD_ROUTE, add_route, &l);
	l.mb->pos = 0;
	err = l.err ? ENOMEM : mbuf_strdup(l.mb, &d->routes, mbuf_get_left(l.mb));
	mem_deref(l.mb);
	if (err)
		return -ENOMEM;
	if (!pl_isset(&l.first))
		return 0;
	if (sip_addr_decode(&addr, &l.first) != 0)
		return -EBADMSG;
	return pl_strdup(&d->hop, &addr.auri) ? -ENOMEM : 0;
}

static int read_contact(struct sip_dlg *d, const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_CONTACT);
	struct sip_addr addr;
	struct sip_peer peer;
	char *target = NULL;

	if (hdr == NULL || sip_addr_decode(&addr, &hdr->val) != 0 || !pl_isset(&addr.auri) ||
	    !pl_isset(&addr.uri.host) ||
	    (pl_strcasecmp(&addr.uri.scheme, "sip") && pl_strcasecmp(&addr.uri.scheme, "sips")))
		return -EBADMSG;
	if (pl_strdup(&target, &addr.auri) != 0)
		return -ENOMEM;
	mem_deref(d->target);
	d->target = target;
	if (d->routes[0])
		return 0;

	d->hop = mem_deref(d->hop);
	if (sip_dlg_follows_source(msg, &addr.uri.host)) {
		sip_peer_of(&peer, msg);
		d->hop = sip_dlg_hop_of(&peer);
	}
	return 0;
}

int sip_dlg_accept(struct sip_dlg **out, struct sip *sip, const char *agent,
		   const struct sip_msg *msg, const char *contact)
{
	struct sip_dlg *d = dlg_new(sip, agent);
	int err;

	if (d == NULL)
		return -ENOMEM;
	err = re_sdprintf(&d->ltag, "%016llx", (unsigned long long)msg->tag);
	err |= pl_isset(&msg->from.tag) ? pl_strdup(&d->rtag, &msg->from.tag)
					: str_dup(&d->rtag, "");
	err |= pl_strdup(&d->call_id, &msg->callid);
	err |= re_sdprintf(&d->local, "%r;tag=%s", &msg->to.val, d->ltag);
	err |= pl_strdup(&d->remote, &msg->from.val);
	err |= str_dup(&d->contact, contact);
	d->lseq = rand_u16();
	d->rseq = msg->cseq.num;
	err = err ? -ENOMEM : read_routes(d, msg);
	err = err ? err : read_contact(d, msg);
	if (err) {
		mem_deref(d);
		return err;
	}
	*out = d;
	return 0;
}

int sip_dlg_established(struct sip_dlg **out, const struct sip_dlg *base, const struct sip_msg *msg)
{
	struct sip_dlg *d = dlg_new(base->sip, base->agent);
	int err;

	if (d == NULL)
		return -ENOMEM;
	d->call_id = mem_ref(base->call_id);
	d->ltag = mem_ref(base->ltag);
	d->local = mem_ref(base->local);
	d->contact = mem_ref(base->contact);
	d->target = mem_ref(base->target);
	d->hop = mem_ref(base->hop);
	d->lseq = base->lseq;
	err = pl_strdup(&d->rtag, &msg->to.tag);
	err |= pl_strdup(&d->remote, &msg->to.val);
	err = err ? -ENOMEM : read_routes(d, msg);
	err = err ? err : read_contact(d, msg);
	if (err) {
		mem_deref(d);
		return err;
	}
	*out = d;
	return 0;
}

void sip_dlg_refresh(struct sip_dlg *d, const struct sip_msg *msg)
{
	(void)read_contact(d, msg);
}

void sip_dlg_follow(struct sip_dlg *d, const struct sip_msg *msg)
{
	struct sip_peer peer;
	char *hop;

	if (msg->tp == SIP_TRANSP_UDP || d->routes[0])
		return;
	sip_peer_of(&peer, msg);
	hop = sip_dlg_hop_of(&peer);
	if (hop == NULL)
		return;
	mem_deref(d->hop);
	d->hop = hop;
}

bool sip_dlg_same_tag(const struct pl *a, const struct pl *b)
{
	return pl_isset(a) ? pl_cmp(a, b) == 0 : !pl_isset(b);
}

/* libre takes "2001:db8::10" without brackets for host and port, and is content with any text in them. */
bool sip_dlg_bad_host(const struct pl *uri)
{
	const char *end = uri->p + uri->l, *at = memchr(uri->p, '@', uri->l);
	const char *p = at ? at + 1 : memchr(uri->p, ':', uri->l), *colon;
	struct in6_addr v6;
	char text[INET6_ADDRSTRLEN];
	struct pl inside;
	size_t n = 0;

	if (p == NULL)
		return false;
	if (at == NULL)
		p++;
	while (p + n < end && strchr(";?>", p[n]) == NULL)
		n++;
	if (n > 0 && *p == '[') {
		inside.p = p + 1;
		colon = memchr(p, ']', n);
		inside.l = colon ? (size_t)(colon - p) - 1 : n;
		return inside.l >= n || pl_strcpy(&inside, text, sizeof(text)) != 0 ||
		       inet_pton(AF_INET6, text, &v6) != 1;
	}
	colon = memchr(p, ':', n);
	return colon != NULL && memchr(colon + 1, ':', (size_t)(p + n - colon - 1)) != NULL;
}

bool sip_dlg_is(const struct sip_dlg *d, const struct sip_msg *msg)
{
	const struct pl *ours = msg->req ? &msg->to.tag : &msg->from.tag;
	const struct pl *theirs = msg->req ? &msg->from.tag : &msg->to.tag;

	return pl_strcmp(&msg->callid, d->call_id) == 0 && pl_strcmp(ours, d->ltag) == 0 &&
	       d->rtag != NULL &&
	       (d->rtag[0] ? pl_strcmp(theirs, d->rtag) == 0 : !pl_isset(theirs));
}

bool sip_dlg_in_order(struct sip_dlg *d, const struct sip_msg *msg)
{
	if (d->rseq != 0 && msg->cseq.num <= d->rseq)
		return false;
	d->rseq = msg->cseq.num;
	return true;
}

/* libre keeps one argument for "about to send" and "response came", and sends at once when the next
 * hop is an address but later when it must be resolved. So each transaction has its own object, which
 * holds the dialog for the Contact and lives until the final response. */
struct transaction {
	struct sip_dlg *dlg;
	void (*resph)(int err, const struct sip_msg *msg, void *arg);
	void *arg;
	bool invite;
};

/* The Via line that libre has just written, after the request line. */
static void keep_via(struct sip_dlg *d, enum sip_transp tp, const struct sa *dst,
		     const struct mbuf *mb)
{
	struct pl via;

	d->via = mem_deref(d->via);
	if (re_regex((const char *)mb->buf, mb->pos, "\r\nVia: [^\r]+", &via) != 0 ||
	    pl_strdup(&d->via, &via) != 0)
		return;
	d->via_tp = tp;
	d->via_dst = *dst;
	d->invite_seq = d->lseq;
}

/* The Contact depends on the transport, which is known only while sending. */
static int write_contact(enum sip_transp tp, const struct sa *src, const struct sa *dst,
			 struct mbuf *mb, void *arg)
{
	const struct transaction *t = arg;
	struct sip_contact contact;

	if (t->invite)
		keep_via(t->dlg, tp, dst, mb);
	sip_contact_set(&contact, t->dlg->contact, src, tp);
	return mbuf_printf(mb, "%H", sip_contact_print, &contact);
}

static void transaction_free(void *arg)
{
	struct transaction *t = arg;

	mem_deref(t->dlg);
}

static void on_response(int err, const struct sip_msg *msg, void *arg)
{
	struct transaction *t = arg;
	bool last = err != 0 || msg == NULL || msg->scode >= 200;

	if (t->resph)
		t->resph(err, msg, t->arg);
	if (last)
		mem_deref(t);
}

int sip_dlg_request(struct sip_dlg *d, struct sip_request **req, const char *method, uint32_t cseq,
		    struct sip_prove *auth,
		    void (*resph)(int err, const struct sip_msg *msg, void *), void *arg,
		    const char *more)
{
	struct transaction *t = mem_zalloc(sizeof(*t), transaction_free);
	bool ack = strcmp(method, "ACK") == 0;
	char proof[PROOF_MAX];
	struct uri route;
	struct pl uri;
	int err;

	if (t == NULL)
		return ENOMEM;
	t->dlg = mem_ref(d);
	t->resph = resph;
	t->arg = arg;
	t->invite = strcmp(method, "INVITE") == 0;

	pl_set_str(&uri, d->hop ? d->hop : d->target);
	sip_prove_write(auth, method, d->target, proof, sizeof(proof));
	err = uri_decode(&route, &uri);
	/* libre resolves `sip:` only; TLS is named by the transport parameter. */
	if (err == 0 && pl_strcasecmp(&route.scheme, "sips") == 0)
		pl_set_str(&route.scheme, "sip");
	err = err ? err
		  : sip_requestf(req, d->sip, !ack, method, d->target, &route, NULL,
				 ack ? NULL : write_contact, ack ? NULL : on_response, t,
				 "%s"
				 "To: %s\r\n"
				 "From: %s\r\n"
				 "Call-ID: %s\r\n"
				 "CSeq: %u %s\r\n"
				 "User-Agent: %s\r\n"
				 "%s%s",
				 d->routes, d->remote, d->local, d->call_id,
				 cseq ? cseq : ++d->lseq, method, d->agent, proof, more);
	if (err || ack)
		mem_deref(t);
	return err;
}

/* A request of the INVITE's own transaction: its Via, its number. */
static void say_again(const struct sip_dlg *d, const char *method, const struct pl *to,
		      const char *more)
{
	struct mbuf *mb = d->via ? mbuf_alloc(1024) : NULL;

	if (mb == NULL)
		return;
	if (mbuf_printf(mb,
			"%s %s SIP/2.0\r\n"
			"Via: %s\r\n"
			"Max-Forwards: 70\r\n"
			"%s"
			"To: %r\r\n"
			"From: %s\r\n"
			"Call-ID: %s\r\n"
			"CSeq: %u %s\r\n"
			"User-Agent: %s\r\n"
			"%s"
			"Content-Length: 0\r\n\r\n",
			method, d->target, d->via, d->routes, to, d->local, d->call_id,
			d->invite_seq, method, d->agent, more) == 0) {
		mb->pos = 0;
		(void)sip_send(d->sip, NULL, d->via_tp, &d->via_dst, mb);
	}
	mem_deref(mb);
}

void sip_dlg_cancel(const struct sip_dlg *d, const char *reason)
{
	struct pl to;

	pl_set_str(&to, d->remote);
	say_again(d, "CANCEL", &to, reason);
}

void sip_dlg_refused(const struct sip_dlg *d, const struct sip_msg *msg)
{
	say_again(d, "ACK", &msg->to.val, "");
}

char *sip_dlg_body(const char *headers, const char *type, const uint8_t *body, size_t len)
{
	char *text = NULL;
	int err;

	if (type)
		err = re_sdprintf(&text, "%sContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%b",
				  headers, type, len, body, len);
	else
		err = re_sdprintf(&text, "%sContent-Length: 0\r\n\r\n", headers);
	return err ? NULL : text;
}
