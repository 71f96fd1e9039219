/* SPDX-License-Identifier: Apache-2.0
 *
 * Who calls, as others vouch for it, and by which ways the call came: read from an INVITE, written into
 * ours. An identity is believed from, and told to, trusted trunks only (RFC 3325, 3); a caller who wants
 * to stay unknown (RFC 3323) is unknown to everybody else.
 *
 * Diversion (RFC 5806) has the newest entry first, History-Info (RFC 7044) the oldest; both are read, both
 * are written, since carriers know the one or the other.
 */
#include <errno.h>
#include <string.h>

#include "sip/sip_priv.h"
#include "sip/sip_text.h"

/* --- reading --- */

static void user_of(char *out, size_t size, const struct pl *value)
{
	struct sip_addr addr;

	if (sip_addr_decode(&addr, value) == 0)
		sip_text_unescape(out, size, &addr.uri.user);
}

/* A word among those that ';' separates. */
static bool has_word(const struct pl *list, const char *word)
{
	const char *p = list->p, *end = p + list->l;
	size_t len = strlen(word);

	while (p < end) {
		size_t n = 0;

		while (p < end && (*p == ' ' || *p == ';' || *p == ','))
			p++;
		while (p + n < end && p[n] != ';' && p[n] != ' ' && p[n] != ',')
			n++;
		if (n == len && strncasecmp(p, word, len) == 0)
			return true;
		p += n;
	}
	return false;
}

static const char *why_of_cause(unsigned cause)
{
	switch (cause) {
	case 302:
		return "unconditional";
	case 486:
		return "user-busy";
	case 408:
		return "no-answer";
	case 480:
	case 487:
		return "deflection";
	case 503:
		return "unavailable";
	default:
		return "unknown";
	}
}

struct history {
	unsigned n;
	struct pl last, before; /* the newest entry, and the one before it */
	struct pl first;
};

static bool add_entry(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	struct history *h = arg;

	(void)msg;
	if (h->n++ == 0)
		h->first = hdr->val;
	h->before = h->last;
	h->last = hdr->val;
	return false;
}

/* The newest entry is where the call goes now; who sent it there is the one before. */
static void read_history(struct sip_call_info *i, const struct sip_msg *msg)
{
	struct history h = {0};
	struct sip_addr addr;
	struct pl cause;

	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_HISTORY_INFO, add_entry, &h);
	if (h.n < 2)
		return;
	user_of(i->diverted, sizeof(i->diverted), &h.before);
	user_of(i->dialled_first, sizeof(i->dialled_first), &h.first);
	if (sip_addr_decode(&addr, &h.last) == 0 &&
	    (sip_text_param(&addr.uri.params, "cause", &cause) ||
	     re_regex(h.before.p, h.before.l, "[cC]ause%3[dD][0-9]3", NULL, NULL, &cause) == 0))
		str_ncpy(i->diverted_why, why_of_cause(pl_u32(&cause)), sizeof(i->diverted_why));
}

static void read_diversion(struct sip_call_info *i, const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_xhdr(msg, "Diversion");
	struct history h = {0};
	struct sip_addr addr;
	struct pl why;

	if (hdr == NULL)
		return;
	(void)sip_msg_xhdr_apply(msg, true, "Diversion", add_entry, &h);
	user_of(i->diverted, sizeof(i->diverted), &hdr->val);
	/* libre does not know it as a list, so the oldest is the last '<' of the last line. */
	for (const char *p = h.last.p + h.last.l; p-- > h.last.p;) {
		if (*p != '<')
			continue;
		h.last.l -= (size_t)(p - h.last.p);
		h.last.p = p;
		break;
	}
	user_of(i->dialled_first, sizeof(i->dialled_first), &h.last);
	if (sip_addr_decode(&addr, &hdr->val) == 0 && sip_text_param(&addr.params, "reason", &why))
		sip_text_pl(i->diverted_why, sizeof(i->diverted_why), &why);
}

void sip_identity_read(struct sip_call *c, const struct sip_msg *msg)
{
	struct sip_call_info *i = &c->info;
	const struct sip_hdr *privacy = sip_msg_hdr(msg, SIP_HDR_PRIVACY);
	const struct sip_hdr *asserted = sip_msg_hdr(msg, SIP_HDR_P_ASSERTED_IDENTITY);
	const struct sip_hdr *ua = sip_msg_hdr(msg, SIP_HDR_USER_AGENT);

	if (i->trusted && asserted)
		user_of(i->asserted, sizeof(i->asserted), &asserted->val);
	i->anonymous =
		strcasecmp(i->from_user, "anonymous") == 0 ||
		pl_strcasecmp(&msg->from.uri.host, "anonymous.invalid") == 0 ||
		(privacy && (has_word(&privacy->val, "id") || has_word(&privacy->val, "user") ||
			     has_word(&privacy->val, "header")));
	read_history(i, msg);
	read_diversion(i, msg);
	if (privacy && has_word(&privacy->val, "history"))
		i->diverted[0] = i->dialled_first[0] = '\0';
	if (ua)
		sip_text_pl(i->user_agent, sizeof(i->user_agent), &ua->val);
}

/* --- writing --- */

int sip_identity_write(char **out, const struct sip_stack *s, const struct sip_invite *inv,
		       const char *target)
{
	const char *host = inv->from_host && inv->from_host[0] ? inv->from_host : s->realm;
	struct mbuf *mb = mbuf_alloc(256);
	struct pl user;
	int err = mb == NULL ? ENOMEM : 0;

	if (err == 0 && inv->asserted && inv->asserted[0]) {
		pl_set_str(&user, inv->asserted);
		err = mbuf_printf(mb, "P-Asserted-Identity: <sip:%H@%s>\r\n", uri_user_escape,
				  &user, host);
	}
	if (err == 0 && inv->withheld)
		err = mbuf_write_str(mb, "Privacy: id\r\n");
	if (err == 0 && inv->diverted && inv->diverted[0]) {
		const char *why = inv->diverted_why ? inv->diverted_why : "deflection";

		pl_set_str(&user, inv->diverted);
		err = mbuf_printf(mb,
				  "Diversion: <sip:%H@%s>;reason=%s;counter=1\r\n"
				  "History-Info: <sip:%H@%s>;index=1, <%s>;index=1.1;mp=1\r\n",
				  uri_user_escape, &user, s->realm, why, uri_user_escape, &user,
				  s->realm, target);
	}
	if (err == 0 && inv->require_100rel)
		err = mbuf_write_str(mb, "Require: 100rel\r\n");
	if (err == 0 && inv->headers)
		err = mbuf_write_str(mb, inv->headers);
	if (err == 0) {
		mb->pos = 0;
		err = mbuf_strdup(mb, out, mbuf_get_left(mb));
	}
	mem_deref(mb);
	return err ? -ENOMEM : 0;
}
