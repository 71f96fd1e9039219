/* SPDX-License-Identifier: Apache-2.0
 *
 * Registration with a trunk. One Call-ID for the life of the trunk, CSeq counting on, so that the
 * registrar sees refreshes and not new phones. One request at a time; its end sets the timer for the
 * next, whatever came.
 */
#include <string.h>

#include "base/log.h"
#include "sip/sip_text.h"
#include "sip/sip_trunk_priv.h"

enum { EXPIRES_LEAST_S = 10, RETRY_MOST_S = 3600 };

static void on_response(int err, const struct sip_msg *msg, void *arg);

static void due(void *arg)
{
	sip_trunk_register(arg);
}

static bool dialog(struct sip_trunk *t)
{
	char *uri, *aor = NULL, *target = NULL;
	const char *contact = sip_text_is_user(t->user) ? t->user : "patchbay";
	struct pl user;
	int err;

	if (t->reg != NULL)
		return true;
	pl_set_str(&user, t->user);
	uri = sip_trunk_uri(t, NULL);
	err = re_sdprintf(&aor, "<sip:%H@%s>", uri_user_escape, &user, t->host);
	err |= uri ? str_dup(&target, uri) : ENOMEM;
	if (err == 0)
		err = sip_dlg_start(&t->reg, t->stack->sip, t->stack->agent, aor, aor, target, NULL,
				    contact, NULL);
	mem_deref(uri);
	mem_deref(aor);
	mem_deref(target);
	return err == 0;
}

static bool ask(struct sip_trunk *t)
{
	char headers[128], password[SIP_TEXT_MAX] = "";
	const struct sip_stack_handlers *h = &t->stack->handlers;
	char *more;
	int err;

	if (!dialog(t))
		return false;
	if (t->auth == NULL && h->trunk_password &&
	    h->trunk_password(h->arg, t->name, password, sizeof(password)))
		(void)sip_prove_new(&t->auth, t->user, password);
	memset(password, 0, sizeof(password));
	mem_deref(t->reg->hop);
	t->reg->hop = sip_trunk_hop(t);
	(void)re_snprintf(headers, sizeof(headers), "Expires: %u\r\nSupported: path\r\n",
			  t->leaving ? 0 : t->ask_s);
	more = sip_dlg_body(headers, NULL, NULL, 0);
	err = more ? sip_dlg_request(t->reg, &t->reg_req, "REGISTER", 0, t->auth, on_response, t,
				     more)
		   : ENOMEM;
	mem_deref(more);
	if (err)
		t->reg_req = NULL;
	return err == 0;
}

static void failed(struct sip_trunk *t, const char *why, uint32_t wait_s)
{
	uint32_t ms;

	t->reg_fails++;
	t->register_failures++;
	ms = wait_s ? 1000 * wait_s + rand_u32() % 1000
		    : sip_trunk_pause_ms(t->reg_fails, rand_u32());
	sip_trunk_next_address(t);
	/* What was granted before stands until its time. */
	if (t->registered_until_ms <= tmr_jiffies())
		sip_trunk_is(t, SIP_TRUNK_DOWN, why);
	log_warn("sip", "trunk %s: not registered: %s; again in %u s", t->name, why,
		 (ms + 999) / 1000);
	tmr_start(&t->tmr_reg, ms, due, t);
}

struct granted {
	const struct sip_trunk *t;
	uint32_t s;
};

/* Our own Contact among those that the registrar lists. */
static bool read_contact(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	struct granted *g = arg;
	struct sip_addr addr;
	struct pl v;

	(void)msg;
	if (sip_addr_decode(&addr, &hdr->val) != 0 ||
	    pl_strcmp(&addr.uri.user, g->t->reg->contact) != 0 ||
	    !sip_text_param(&addr.params, "expires", &v) || v.l == 0 || v.l > 9)
		return false;
	if (g->s == 0 || pl_u32(&v) < g->s)
		g->s = pl_u32(&v);
	return false;
}

static void accepted(struct sip_trunk *t, const struct sip_msg *msg)
{
	struct granted g = {.t = t};
	uint32_t share = 70 + rand_u32() % 16;

	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_CONTACT, read_contact, &g);
	if (g.s == 0 && pl_isset(&msg->expires) && msg->expires.l < 10)
		g.s = pl_u32(&msg->expires);
	if (g.s == 0)
		g.s = t->ask_s;
	if (g.s < EXPIRES_LEAST_S)
		g.s = EXPIRES_LEAST_S;
	if (g.s > 86400)
		g.s = 86400;
	t->reg_fails = 0;
	t->registrations++;
	t->registered_until_ms = tmr_jiffies() + 1000ull * g.s;
	sip_trunk_is(t, SIP_TRUNK_UP, "");
	tmr_start(&t->tmr_reg, 10ull * g.s * share, due, t);
}

static uint32_t header_s(const struct sip_msg *msg, enum sip_hdrid id, uint32_t most)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, id);
	struct pl n;

	if (hdr == NULL || re_regex(hdr->val.p, hdr->val.l, "[0-9]+", &n) != 0 ||
	    n.p != hdr->val.p || n.l > 9)
		return 0;
	return pl_u32(&n) > most ? most : pl_u32(&n);
}

static void refused(struct sip_trunk *t, const struct sip_msg *msg)
{
	char why[SIP_TEXT_MAX], text[SIP_TEXT_MAX];
	uint32_t least_s = header_s(msg, SIP_HDR_MIN_EXPIRES, 86400);
	bool prove = msg->scode == 401 || msg->scode == 407;

	if (prove && !t->challenged && t->auth && sip_prove_challenged(t->auth, msg)) {
		t->challenged = true;
		if (ask(t))
			return;
	}
	if (msg->scode == 423 && least_s > t->ask_s) {
		t->ask_s = least_s;
		log_info("sip", "trunk %s: registers for %u s at least", t->name, least_s);
		if (ask(t))
			return;
	}
	sip_text_pl(text, sizeof(text), &msg->reason);
	(void)re_snprintf(why, sizeof(why), "%u %s", msg->scode, text);
	if (prove) {
		t->auth = mem_deref(t->auth); /* the password may have been put right */
		failed(t, t->challenged ? "wrong user or password" : why, 0);
	} else {
		failed(t, why, header_s(msg, SIP_HDR_RETRY_AFTER, RETRY_MOST_S));
	}
}

static void on_response(int err, const struct sip_msg *msg, void *arg)
{
	struct sip_trunk *t = arg;

	if (!err && msg && msg->scode < 200)
		return;
	t->reg_req = NULL;
	if (t->leaving) {
		if (!err && msg && (msg->scode == 401 || msg->scode == 407) && !t->challenged &&
		    t->stack && t->auth && sip_prove_challenged(t->auth, msg)) {
			t->challenged = true;
			if (ask(t))
				return;
		}
		mem_deref(t);
		return;
	}
	if (t->stack == NULL)
		return;
	if (err || msg == NULL)
		failed(t, err == ETIMEDOUT ? "no answer" : "not reachable", 0);
	else if (msg->scode < 300)
		accepted(t, msg);
	else
		refused(t, msg);
}

void sip_trunk_register(struct sip_trunk *t)
{
	if (t->reg_req != NULL || !t->setup.registers || t->stack == NULL)
		return;
	if (t->addrs == 0) {
		failed(t, "its name has no address", 0);
		return;
	}
	t->challenged = false;
	if (!ask(t))
		failed(t, "not reachable", 0);
}

void sip_trunk_unregister(struct sip_trunk *t)
{
	bool registered = t->registered_until_ms > tmr_jiffies();

	if (registered) {
		t->counted = true;
		t->stack->leaving++;
	}
	tmr_cancel(&t->tmr_reg);
	t->leaving = true;
	t->challenged = false;
	if (registered && t->reg_req == NULL && ask(t))
		return;
	if (t->reg_req == NULL)
		mem_deref(t);
}
