/* SPDX-License-Identifier: Apache-2.0
 *
 * A dialog as JSON. What comes back goes into requests as it is, so it must be text that ends no header,
 * with a target and a next hop that can be read as addresses.
 */
#include <errno.h>
#include <string.h>

#include "record/kept.h"
#include "sip/sip_dlg.h"
#include "sip/sip_dlg_store.h"
#include "sip/sip_text.h"

enum {
	TEXT_MAX = 4096,
	ROUTES_MAX = 16,
	SEQ_AHEAD = 100, /* more than are sent between two keepings */
	SEQ_MAX = 0x7fffffff - SEQ_AHEAD,
};

/* A value that was folded over lines is the same on one (RFC 3261, 7.3.1). */
static void put(json_t *o, const char *name, const char *value)
{
	char flat[TEXT_MAX];
	size_t n = value != NULL ? strlen(value) : 0;

	if (n == 0 || n >= sizeof(flat))
		return;
	for (size_t i = 0; i <= n; i++)
		flat[i] = value[i] == '\r' || value[i] == '\n' || value[i] == '\t' ? ' ' : value[i];
	kept_put_text(o, name, flat);
}

static void put_routes(json_t *o, const char *routes)
{
	json_t *list = json_array();
	struct pl p, value;

	pl_set_str(&p, routes);
	while (p.l > 0 && re_regex(p.p, p.l, "Route: [^\r]+\r\n", &value) == 0) {
		json_t *one = json_object();
		char text[TEXT_MAX];

		(void)pl_strcpy(&value, text, sizeof(text));
		put(one, "route", text);
		json_array_append_new(list, one);
		p.l -= (size_t)(value.p + value.l + 2 - p.p);
		p.p = value.p + value.l + 2;
	}
	json_object_set_new(o, "routes", list);
}

json_t *sip_dlg_keep(const struct sip_dlg *d, bool listens)
{
	json_t *o = json_object();
	char ip[64];

	put(o, "call_id", d->call_id);
	put(o, "ltag", d->ltag);
	put(o, "rtag", d->rtag);
	put(o, "local", d->local);
	put(o, "remote", d->remote);
	put(o, "target", d->target);
	put(o, "hop", d->hop);
	kept_put_flag(o, "listens", listens);
	put(o, "contact", d->contact);
	put_routes(o, d->routes);
	kept_put_number(o, "lseq", d->lseq);
	kept_put_number(o, "rseq", d->rseq);
	if (d->via != NULL && sa_ntop(&d->via_dst, ip, sizeof(ip)) == 0) {
		put(o, "via", d->via);
		put(o, "via_ip", ip);
		kept_put_number(o, "via_port", sa_port(&d->via_dst));
		kept_put_number(o, "via_tp", d->via_tp);
		kept_put_number(o, "invite_seq", d->invite_seq);
	}
	return o;
}

static bool text(const json_t *o, const char *name, char **out)
{
	char value[TEXT_MAX];

	if (!kept_text(o, name, value, sizeof(value)))
		return false;
	return value[0] == '\0' || str_dup(out, value) == 0;
}

static bool is_uri(const char *uri)
{
	struct uri u;
	struct pl p;

	if (uri == NULL || strpbrk(uri, "<>\" ") != NULL)
		return false;
	pl_set_str(&p, uri);
	return uri_decode(&u, &p) == 0 && pl_isset(&u.host) &&
	       (pl_strcasecmp(&u.scheme, "sip") == 0 || pl_strcasecmp(&u.scheme, "sips") == 0);
}

static bool routes_kept(struct sip_dlg *d, const json_t *list)
{
	struct mbuf *mb = mbuf_alloc(256);
	bool ok = mb != NULL && json_array_size(list) <= ROUTES_MAX;

	for (size_t i = 0; ok && i < json_array_size(list); i++) {
		char value[TEXT_MAX];

		ok = kept_text(json_array_get(list, i), "route", value, sizeof(value)) &&
		     value[0] != '\0' && mbuf_printf(mb, "Route: %s\r\n", value) == 0;
	}
	if (ok) {
		mb->pos = 0;
		ok = mbuf_strdup(mb, &d->routes, mbuf_get_left(mb)) == 0;
	}
	mem_deref(mb);
	return ok;
}

static bool via_kept(struct sip_dlg *d, const json_t *o)
{
	char ip[64];
	uint64_t port, tp;
	bool ok = text(o, "via", &d->via);

	ok = kept_text(o, "via_ip", ip, sizeof(ip)) && ok;
	ok = kept_number(o, "via_port", UINT16_MAX, &port) && ok;
	ok = kept_number(o, "via_tp", SIP_TRANSP_TLS, &tp) && ok;
	ok = KEPT_NUMBER(o, "invite_seq", SEQ_MAX, d->invite_seq) && ok;
	d->via_tp = (enum sip_transp)tp;
	return ok && (d->via == NULL || sa_set_str(&d->via_dst, ip, (uint16_t)port) == 0);
}

/* The peer's connection is gone, and its far end is no place to connect to. If it listens anywhere, then at
 * its Contact; behind NAT nowhere, and it is reached again when it speaks itself (sip_dlg_follow()). */
static void without_connection(struct sip_dlg *d, bool listens)
{
	if (d->hop != NULL && d->routes[0] == '\0' && !listens &&
	    strstr(d->hop, ";transport=udp") == NULL)
		d->hop = mem_deref(d->hop);
}

int sip_dlg_kept(struct sip_dlg **out, struct sip *sip, const char *agent, const json_t *o)
{
	struct sip_dlg *d = NULL;
	int err = sip_dlg_empty(&d, sip, agent);
	bool ok, listens;

	if (err)
		return err;
	ok = text(o, "call_id", &d->call_id);
	ok = text(o, "ltag", &d->ltag) && ok;
	ok = text(o, "rtag", &d->rtag) && ok;
	ok = text(o, "local", &d->local) && ok;
	ok = text(o, "remote", &d->remote) && ok;
	ok = text(o, "target", &d->target) && ok;
	ok = text(o, "hop", &d->hop) && ok;
	ok = text(o, "contact", &d->contact) && ok;
	ok = routes_kept(d, json_object_get(o, "routes")) && ok;
	ok = KEPT_NUMBER(o, "lseq", SEQ_MAX, d->lseq) && ok;
	ok = KEPT_NUMBER(o, "rseq", UINT32_MAX, d->rseq) && ok;
	ok = kept_flag(o, "listens", &listens) && ok;
	ok = via_kept(d, o) && ok;
	if (!ok || d->call_id == NULL || d->ltag == NULL || d->local == NULL || d->remote == NULL ||
	    !is_uri(d->target) || (d->hop != NULL && !is_uri(d->hop)) || d->contact == NULL ||
	    !sip_text_is_user(d->contact)) {
		mem_deref(d);
		return -EINVAL;
	}
	d->lseq += SEQ_AHEAD;
	without_connection(d, listens);
	*out = d;
	return 0;
}
