/* SPDX-License-Identifier: Apache-2.0
 *
 * Starting a call: whom it goes to (a user's phones, a URI, a number through a trunk) and who it says is
 * calling. What comes of it is sip_call_out.c's.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "sip/sip_priv.h"
#include "sip/sip_text.h"
#include "sip/sip_trunk_priv.h"

enum { RING_TIMEOUT_MS = 180000 };

static void ring_timeout(void *arg)
{
	struct sip_call *c = arg;

	sip_call_over(c, false, 408, SIP_CAUSE_NO_ANSWER, "no answer");
	sip_call_cancel_forks(c, NULL);
}

static const char *or_text(const char *s, const char *otherwise)
{
	return s && s[0] ? s : otherwise;
}

/* From as a header value. */
static char *write_from(const struct sip_stack *s, const struct sip_invite *inv)
{
	const char *user = inv->withheld ? "anonymous" : or_text(inv->from_user, "anonymous");
	const char *host = inv->withheld ? "anonymous.invalid" : or_text(inv->from_host, s->realm);
	struct pl raw;
	char display[SIP_TEXT_MAX];
	char *from = NULL;

	pl_set_str(&raw, user);
	sip_text_quotable(display, sizeof(display),
			  inv->withheld       ? "Anonymous"
			  : inv->from_display ? inv->from_display
					      : "");
	if (display[0])
		(void)re_sdprintf(&from, "\"%s\" <sip:%H@%s>", display, uri_user_escape, &raw,
				  host);
	else
		(void)re_sdprintf(&from, "<sip:%H@%s>", uri_user_escape, &raw, host);
	return from;
}

static bool good_uri(const char *uri, struct uri *out)
{
	struct pl pl;

	/* It may come from a Refer-To: nothing in it may end a header or a line of the log. */
	for (const char *p = uri; *p; p++) {
		if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("<>\"", *p) != NULL)
			return false;
	}
	pl_set_str(&pl, uri);
	return strlen(uri) < SIP_URI_MAX && uri_decode(out, &pl) == 0 && pl_isset(&out->host) &&
	       (pl_strcasecmp(&out->scheme, "sip") == 0 ||
		pl_strcasecmp(&out->scheme, "sips") == 0);
}

static int invite_uri(struct sip_call *c, const struct sip_invite *inv, const char *from)
{
	struct uri uri;
	char *to = NULL;
	int err;

	if (!good_uri(inv->uri, &uri) || (inv->proxy && !good_uri(inv->proxy, &(struct uri){0})))
		return -EINVAL;
	sip_text_unescape(c->info.to_user, sizeof(c->info.to_user), &uri.user);
	sip_text_pl(c->info.to_host, sizeof(c->info.to_host), &uri.host);
	if (re_sdprintf(&to, "<%s>", inv->uri) != 0)
		return -ENOMEM;
	err = sip_identity_write(&c->headers, c->stack, inv, inv->uri);
	err = err ? err : sip_call_add_fork(c, inv, from, to, inv->uri, inv->proxy, NULL);
	mem_deref(to);
	return err;
}

static int invite_user(struct sip_call *c, const struct sip_invite *inv, const char *from)
{
	struct registrar_contact contact[SIP_FORKS_MAX];
	size_t n = registrar_lookup(c->stack->registrar, inv->user, contact, SIP_FORKS_MAX);
	struct pl raw;
	char *to = NULL, *uri = NULL;
	int err, last = 0;
	bool any = false;

	if (n == 0)
		return -ENOENT;
	str_ncpy(c->info.to_user, inv->user, sizeof(c->info.to_user));
	str_ncpy(c->info.to_host, c->stack->realm, sizeof(c->info.to_host));
	pl_set_str(&raw, inv->user);
	if (re_sdprintf(&to, "<sip:%H@%s>", uri_user_escape, &raw, c->stack->realm) != 0)
		return -ENOMEM;
	pl_set_str(&raw, to);
	pl_advance(&raw, 1);
	raw.l--;
	err = pl_strdup(&uri, &raw) ? -ENOMEM : sip_identity_write(&c->headers, c->stack, inv, uri);
	mem_deref(uri);
	for (size_t i = 0; err == 0 && i < n; i++) {
		char *hop = contact[i].by_source ? sip_dlg_hop_of(&contact[i].source) : NULL;

		err = sip_call_add_fork(c, inv, from, to, contact[i].uri, hop, contact[i].path);
		any = any || err == 0;
		last = err;
		err = 0;
		mem_deref(hop);
	}
	mem_deref(to);
	/* One phone that can be reached is enough. */
	return any ? 0 : err ? err : last;
}

static int invite_trunk(struct sip_call *c, const struct sip_invite *inv, const char *from)
{
	struct sip_stack *s = c->stack;
	struct sip_trunk *t = sip_trunk_named(s, inv->trunk);
	struct sip_invite through = *inv;
	char password[SIP_TEXT_MAX] = "";
	char *uri, *hop;
	int err;

	if (t == NULL)
		return -ENOENT;
	uri = sip_trunk_uri(t, inv->user);
	hop = sip_trunk_hop(t);
	through.uri = uri;
	through.proxy = hop;
	if (t->user[0] && s->handlers.trunk_password &&
	    s->handlers.trunk_password(s->handlers.arg, t->name, password, sizeof(password))) {
		str_ncpy(c->credentials.user, t->user, sizeof(c->credentials.user));
		str_ncpy(c->credentials.password, password, sizeof(c->credentials.password));
		memset(password, 0, sizeof(password));
	}
	str_ncpy(c->info.trunk_name, t->name, sizeof(c->info.trunk_name));
	err = uri == NULL ? -ENOMEM : hop == NULL ? -EHOSTUNREACH : invite_uri(c, &through, from);
	if (err == 0)
		t->calls_out++;
	mem_deref(uri);
	mem_deref(hop);
	return err;
}

static void fill_info(struct sip_call *c, const struct sip_invite *inv)
{
	struct sip_call_info *i = &c->info;

	i->outgoing = true;
	i->anonymous = inv->withheld;
	str_ncpy(i->from_user, or_text(inv->withheld ? NULL : inv->from_user, "anonymous"),
		 sizeof(i->from_user));
	str_ncpy(i->from_host, or_text(inv->from_host, c->stack->realm), sizeof(i->from_host));
	if (inv->from_display)
		str_ncpy(i->from_display, inv->from_display, sizeof(i->from_display));
	if (inv->auth_user && inv->auth_password) {
		str_ncpy(c->credentials.user, inv->auth_user, sizeof(c->credentials.user));
		str_ncpy(c->credentials.password, inv->auth_password,
			 sizeof(c->credentials.password));
	}
}

int sip_call_invite(struct sip_call **out, struct sip_stack *s, const struct sip_invite *inv,
		    sip_call_event_fn *fn, void *arg)
{
	struct sip_call *c = NULL;
	char *from = NULL;
	int err;

	if ((inv->user == NULL && inv->uri == NULL) || inv->local == NULL)
		return -EINVAL;
	if (s->owned >= s->limits.calls_max && !inv->urgent)
		return -ENOSPC;
	err = sip_call_new(&c, s);
	if (err)
		return err;
	c->state = CALL_OUT;
	fill_info(c, inv);
	from = err ? NULL : write_from(s, inv);
	if (from == NULL)
		err = -ENOMEM;
	err = err          ? err
	      : inv->trunk ? invite_trunk(c, inv, from)
	      : inv->uri   ? invite_uri(c, inv, from)
			   : invite_user(c, inv, from);
	mem_deref(from);
	if (err) {
		mem_deref(c);
		return err;
	}
	sip_call_enter(c);
	sip_call_attach(c, fn, arg);
	tmr_start(&c->tmr_ring, inv->ring_timeout_ms ? inv->ring_timeout_ms : RING_TIMEOUT_MS,
		  ring_timeout, c);
	s->stats.calls_out++;
	log_info("sip", "[call=%s] calling %s for %s", c->info.call_id,
		 inv->uri ? inv->uri : inv->user, c->info.from_user);
	*out = c;
	return 0;
}
