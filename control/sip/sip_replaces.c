/* SPDX-License-Identifier: Apache-2.0
 *
 * Replaces (RFC 3891): which of our calls a Call-ID and two tags name, and what is answered when a
 * new call wants the place of one that cannot be had.
 *
 *	malformed, or twice                      400
 *	no such call                             481
 *	rings at us and nobody answered          481  (an early dialog that we did not start)
 *	is over already                          603
 *	answered, and "early-only" is asked for  486
 *
 * In an INVITE the to-tag is ours and the from-tag the peer's. In the Refer-To of a REFER phones
 * disagree about whose view is meant, so both orders are taken there: tags are random, no two calls
 * differ in their order only.
 */
#include <string.h>

#include "base/log.h"
#include "sip/sip_priv.h"
#include "sip/sip_text.h"

static void trim(struct pl *t)
{
	while (t->l > 0 && (*t->p == ' ' || *t->p == '\t')) {
		t->p++;
		t->l--;
	}
	while (t->l > 0 && (t->p[t->l - 1] == ' ' || t->p[t->l - 1] == '\t'))
		t->l--;
}

/* One ";name=value" of the list. False when it must not stand there. */
static bool read_param(struct sip_replaces *r, struct pl name)
{
	const char *equals = pl_strchr(&name, '=');
	struct pl value = {NULL, 0}, *tag = NULL;

	if (equals != NULL) {
		value.p = equals + 1;
		value.l = (size_t)(name.p + name.l - value.p);
		name.l = (size_t)(equals - name.p);
	}
	trim(&name);
	trim(&value);
	if (pl_strcasecmp(&name, "to-tag") == 0)
		tag = &r->to_tag;
	else if (pl_strcasecmp(&name, "from-tag") == 0)
		tag = &r->from_tag;
	else if (pl_strcasecmp(&name, "early-only") == 0)
		r->early_only = true;
	if (tag == NULL)
		return name.l > 0; /* extensions are passed over */
	if (value.l == 0 || tag->l > 0)
		return false;
	*tag = value;
	return true;
}

bool sip_replaces_read(struct sip_replaces *r, const struct pl *text)
{
	struct pl rest = *text, part;
	bool first = true, more = true;

	*r = (struct sip_replaces){0};
	while (more) {
		const char *end = pl_strchr(&rest, ';');

		more = end != NULL;
		part = rest;
		if (more) {
			part.l = (size_t)(end - rest.p);
			rest.l -= part.l + 1;
			rest.p = end + 1;
		}
		trim(&part);
		if (first)
			r->call_id = part;
		else if (!read_param(r, part))
			return false;
		first = false;
	}
	return r->call_id.l > 0 && r->to_tag.l > 0 && r->from_tag.l > 0;
}

struct wanted {
	const struct sip_replaces *r;
	bool either_order;
};

static bool tags_are(const struct wanted *w, const char *ours, const char *theirs)
{
	const struct sip_replaces *r = w->r;

	return (pl_strcmp(&r->to_tag, ours) == 0 && pl_strcmp(&r->from_tag, theirs) == 0) ||
	       (w->either_order && pl_strcmp(&r->to_tag, theirs) == 0 &&
		pl_strcmp(&r->from_tag, ours) == 0);
}

/* A phone that we ring has told its tag with the 180. */
static bool rings_as(const struct sip_call *c, const struct wanted *w)
{
	struct le *le;

	if (c->state != CALL_OUT)
		return false;
	LIST_FOREACH(&c->forks, le) {
		const struct sip_fork *f = le->data;

		if (f->rtag != NULL && pl_strcmp(&w->r->call_id, f->base->call_id) == 0 &&
		    tags_are(w, f->base->ltag, f->rtag))
			return true;
	}
	return false;
}

static bool is_wanted(struct le *le, void *arg)
{
	const struct sip_call *c = le->data;
	const struct wanted *w = arg;

	if (rings_as(c, w))
		return true;
	return c->dlg && c->dlg->rtag && pl_strcmp(&w->r->call_id, c->dlg->call_id) == 0 &&
	       tags_are(w, c->dlg->ltag, c->dlg->rtag);
}

static struct sip_call *find(struct sip_stack *s, const struct sip_replaces *r, bool either_order)
{
	struct wanted w = {r, either_order};

	return list_ledata(hash_lookup(s->calls, hash_joaat_pl(&r->call_id), is_wanted, &w));
}

struct sip_call *sip_replaces_find(struct sip_stack *s, const struct sip_replaces *r)
{
	struct sip_call *c = find(s, r, true);

	return c != NULL && c->state != CALL_ENDED ? c : NULL;
}

bool sip_replaces_admit(struct sip_call *c, const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_REPLACES);
	struct sip_stack *s = c->stack;
	struct sip_replaces r;
	struct sip_call *old;
	const char *why = NULL;
	uint16_t status = 0;

	if (hdr == NULL)
		return true;
	if (sip_msg_hdr_count(msg, SIP_HDR_REPLACES) != 1 || !sip_replaces_read(&r, &hdr->val)) {
		s->stats.refused_malformed++;
		sip_stack_refuse(s, msg, 400, "Bad Replaces", NULL);
		return false;
	}
	old = find(s, &r, false);
	if (old == NULL || old->state == CALL_IN_NEW) {
		status = 481;
		why = "Call Does Not Exist";
	} else if (old->state == CALL_ENDED) {
		status = 603;
		why = "Decline";
	} else if (r.early_only && old->state != CALL_OUT) {
		status = 486;
		why = "Busy Here";
	}
	if (status != 0) {
		log_info("sip", "[call=%s] wants the place of a call that cannot be had: %u %s",
			 c->info.call_id, (unsigned)status, why);
		sip_stack_refuse(s, msg, status, why, NULL);
		return false;
	}
	c->info.replaces = old;
	return true;
}
