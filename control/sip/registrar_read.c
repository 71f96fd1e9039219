/* SPDX-License-Identifier: Apache-2.0
 *
 * What a REGISTER asks for: its contacts, for how long, and the way back (RFC 3327). Nothing is changed here.
 */
#include <string.h>

#include "sip/registrar_priv.h"
#include "sip/sip_text.h"

bool registrar_refuse(struct registrar_request *q, uint16_t status, const char *reason)
{
	q->status = status;
	q->reason = reason;
	return true;
}

bool registrar_uri_usable(const struct sip_addr *a)
{
	bool sip = pl_strcasecmp(&a->uri.scheme, "sip") == 0 ||
		   pl_strcasecmp(&a->uri.scheme, "sips") == 0;

	return sip && pl_isset(&a->uri.host) && a->auri.l < SIP_URI_MAX &&
	       memchr(a->auri.p, '>', a->auri.l) == NULL;
}

static bool read_contact(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	struct registrar_request *q = arg;
	const struct sip_limits *l = q->limits;
	struct sip_addr addr;
	struct pl v;

	(void)msg;
	if (pl_strcmp(&hdr->val, "*") == 0) {
		q->star = true;
		return false;
	}
	if (sip_addr_decode(&addr, &hdr->val) != 0 || !registrar_uri_usable(&addr))
		return registrar_refuse(q, 400, "Bad Contact");
	if (q->wishes == REGISTRAR_CONTACTS_MAX)
		return registrar_refuse(q, 403, "Too many contacts");

	struct registrar_wish *w = &q->wish[q->wishes++];

	*w = (struct registrar_wish){
		.uri = addr.auri, .host = addr.uri.host, .expires_s = q->default_s, .q = 1.0f};
	if (sip_text_param(&addr.params, "expires", &v) && v.l > 0 && v.l < 10)
		w->expires_s = pl_u32(&v);
	if (sip_text_param(&addr.params, "q", &v) && v.l > 0 && v.l < 6)
		w->q = (float)pl_float(&v);
	if (w->expires_s > l->expires_max_s)
		w->expires_s = l->expires_max_s;
	if (w->expires_s != 0 && w->expires_s < l->expires_min_s)
		return registrar_refuse(q, 423, "Interval Too Brief");
	return false;
}

/* "<sip:edge;lr>, <sip:next;lr>", in the order in which a Route needs them. */
static bool read_path(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	struct registrar_request *q = arg;
	struct sip_addr addr;
	size_t n = strlen(q->path);

	(void)msg;
	if (sip_addr_decode(&addr, &hdr->val) != 0 || !registrar_uri_usable(&addr))
		return registrar_refuse(q, 400, "Bad Path");
	if (re_snprintf(q->path + n, sizeof(q->path) - n, "%s%r", n ? ", " : "", &hdr->val) < 0)
		return registrar_refuse(q, 400, "Path Too Long");
	return false;
}

bool registrar_read(struct registrar_request *q)
{
	const struct sip_msg *msg = q->msg;

	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_PATH, read_path, q);
	if (q->status)
		return false;

	q->default_s = q->limits->expires_max_s;
	if (pl_isset(&msg->expires) && msg->expires.l < 10)
		q->default_s = pl_u32(&msg->expires);
	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_CONTACT, read_contact, q);
	if (q->status)
		return false;
	/* `*` stands alone and only to remove (RFC 3261, 10.2.2). */
	if (q->star && (q->wishes != 0 || q->default_s != 0)) {
		(void)registrar_refuse(q, 400, "Bad Contact");
		return false;
	}
	return true;
}
