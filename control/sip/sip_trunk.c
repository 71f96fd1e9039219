/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of trunks: who they are by what comes in, which one a number takes, and what became of it.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "sip/sip_text.h"
#include "sip/sip_trunk_priv.h"

enum { ASIDE_S = 30, ASIDE_MOST_S = 600 };

const char *sip_trunk_state_name(enum sip_trunk_state s)
{
	static const char *const names[] = {
		[SIP_TRUNK_UNKNOWN] = "unknown",
		[SIP_TRUNK_UP] = "up",
		[SIP_TRUNK_DOWN] = "down",
	};

	return names[s];
}

/* --- what they have in common --- */

char *sip_trunk_hop(const struct sip_trunk *t)
{
	struct sip_peer peer = {.port = sa_port(&t->addr[t->now]), .transport = t->setup.transport};

	if (t->addrs == 0 || sa_ntop(&t->addr[t->now], peer.ip, sizeof(peer.ip)) != 0)
		return NULL;
	return sip_dlg_hop_of(&peer);
}

char *sip_trunk_uri(const struct sip_trunk *t, const char *user)
{
	bool v6 = strchr(t->host, ':') != NULL;
	char port[16] = "", *uri = NULL;
	struct pl raw;

	pl_set_str(&raw, user ? user : "");
	if (t->setup.port != (t->setup.transport == SIP_OVER_TLS ? 5061 : 5060))
		(void)re_snprintf(port, sizeof(port), ":%u", t->setup.port);
	(void)re_sdprintf(
		&uri, "sip:%H%s%s%s%s%s%s%s", uri_user_escape, &raw, user ? "@" : "", v6 ? "[" : "",
		t->host, v6 ? "]" : "", port,
		t->setup.transport == SIP_OVER_UDP ? "" : ";transport=",
		t->setup.transport == SIP_OVER_UDP ? "" : sip_transport_name(t->setup.transport));
	return uri;
}

void sip_trunk_next_address(struct sip_trunk *t)
{
	if (t->addrs > 1)
		t->now = (t->now + 1) % t->addrs;
}

void sip_trunk_is(struct sip_trunk *t, enum sip_trunk_state state, const char *why)
{
	const struct sip_stack_handlers *h = &t->stack->handlers;
	bool changed = t->state != state;

	t->state = state;
	str_ncpy(t->why, why, sizeof(t->why));
	if (!changed)
		return;
	if (state == SIP_TRUNK_DOWN)
		log_warn("sip", "trunk %s (%s) is down: %s", t->name, t->host, why);
	else
		log_info("sip", "trunk %s (%s) is %s", t->name, t->host,
			 sip_trunk_state_name(state));
	if (h->trunk_changed)
		h->trunk_changed(h->arg, t->name, state == SIP_TRUNK_DOWN, why);
}

/* --- OPTIONS --- */

static void ask_options(void *arg);

static void on_options(int err, const struct sip_msg *msg, void *arg)
{
	struct sip_trunk *t = arg;
	char why[SIP_TEXT_MAX];

	if (!err && msg && msg->scode < 200)
		return;
	t->options_req = NULL;
	if (t->stack == NULL) {
		mem_deref(t);
		return;
	}
	/* Any answer shows that somebody is there, but the ones that a proxy gives for a dead server. */
	if (!err && msg && msg->scode != 503 && msg->scode != 408 && msg->scode != 504) {
		sip_trunk_is(t, SIP_TRUNK_UP, "");
	} else {
		if (msg)
			(void)re_snprintf(why, sizeof(why), "OPTIONS answered %u", msg->scode);
		else
			str_ncpy(why, "OPTIONS not answered", sizeof(why));
		sip_trunk_next_address(t);
		sip_trunk_is(t, SIP_TRUNK_DOWN, why);
	}
	tmr_start(&t->tmr_options, 1000ull * t->setup.options_s + rand_u32() % 1000, ask_options,
		  t);
}

static void ask_options(void *arg)
{
	struct sip_trunk *t = arg;
	struct sip_dlg *d = NULL;
	char *hop = sip_trunk_hop(t), *uri = sip_trunk_uri(t, NULL), *to = NULL, *from = NULL;
	int err = hop && uri ? 0 : ENOMEM;

	err = err ? err : re_sdprintf(&to, "<%s>", uri);
	err = err ? err : re_sdprintf(&from, "<sip:patchbay@%s>", t->stack->realm);
	err = err ? err
		  : sip_dlg_start(&d, t->stack->sip, t->stack->agent, from, to, uri, hop,
				  "patchbay", NULL);
	err = err ? err
		  : sip_dlg_request(d, &t->options_req, "OPTIONS", 0, NULL, on_options, t,
				    "Accept: application/sdp\r\nContent-Length: 0\r\n\r\n");
	mem_deref(d);
	mem_deref(hop);
	mem_deref(uri);
	mem_deref(to);
	mem_deref(from);
	if (err) {
		t->options_req = NULL;
		sip_trunk_is(t, SIP_TRUNK_DOWN,
			     t->addrs ? "not reachable" : "its name has no address");
		tmr_start(&t->tmr_options, 1000ull * t->setup.options_s, ask_options, t);
	}
}

static void first_register(void *arg)
{
	sip_trunk_register(arg);
}

void sip_trunk_found(struct sip_trunk *t)
{
	if (t->setup.registers && !t->registrations && t->reg_req == NULL)
		tmr_start(&t->tmr_reg, 0, first_register, t);
	if (!t->setup.registers && t->setup.options_s && t->options_req == NULL &&
	    !tmr_isrunning(&t->tmr_options))
		tmr_start(&t->tmr_options, 0, ask_options, t);
}

/* --- the list --- */

static void trunk_free(void *arg)
{
	struct sip_trunk *t = arg;

	sip_trunk_lookup_stop(t);
	tmr_cancel(&t->tmr_reg);
	tmr_cancel(&t->tmr_options);
	mem_deref(t->reg);
	mem_deref(t->auth);
	if (t->counted) {
		t->stack->leaving--;
		sip_stack_call_gone(t->stack);
	}
}

static void take_setup(struct sip_trunk *t, const struct sip_trunk_setup *setup)
{
	t->setup = *setup;
	str_ncpy(t->prefix, setup->prefix ? setup->prefix : "", sizeof(t->prefix));
	t->setup.name = t->name;
	t->setup.host = t->host;
	t->setup.prefix = t->prefix;
	t->setup.user = t->user;
}

static struct sip_trunk *trunk_new(struct sip_stack *s, const struct sip_trunk_setup *setup)
{
	struct sip_trunk *t = mem_zalloc(sizeof(*t), trunk_free);

	if (t == NULL)
		return NULL;
	t->stack = s;
	str_ncpy(t->name, setup->name, sizeof(t->name));
	str_ncpy(t->host, setup->host, sizeof(t->host));
	str_ncpy(t->user, setup->user ? setup->user : "", sizeof(t->user));
	take_setup(t, setup);
	t->ask_s = setup->expires_s ? setup->expires_s : 3600;
	tmr_init(&t->tmr_lookup);
	tmr_init(&t->tmr_reg);
	tmr_init(&t->tmr_options);
	return t;
}

/* It goes; what it has under way ends by itself. */
static void let_go(struct sip_trunk *t, bool goodbye)
{
	sip_trunk_lookup_stop(t);
	tmr_cancel(&t->tmr_options);
	if (goodbye && t->setup.registers && t->options_req == NULL) {
		sip_trunk_unregister(t);
		return;
	}
	t->stack = NULL;
	t->leaving = true;
	tmr_cancel(&t->tmr_reg);
	if (t->reg_req == NULL && t->options_req == NULL)
		mem_deref(t);
}

static bool same(const struct sip_trunk *t, const struct sip_trunk_setup *s)
{
	return strcmp(t->name, s->name) == 0 && strcmp(t->host, s->host) == 0 &&
	       strcmp(t->user, s->user ? s->user : "") == 0 && t->setup.port == s->port &&
	       t->setup.srv == s->srv && t->setup.transport == s->transport &&
	       t->setup.registers == s->registers;
}

static struct sip_trunk *kept(struct sip_stack *s, const struct sip_trunk_setup *setup)
{
	for (size_t i = 0; i < s->trunk_count; i++) {
		struct sip_trunk *t = s->trunk_list[i];

		if (t != NULL && same(t, setup)) {
			s->trunk_list[i] = NULL;
			take_setup(t, setup);
			return t;
		}
	}
	return NULL;
}

int sip_stack_trunks(struct sip_stack *s, const struct sip_trunk_setup *setup, size_t n)
{
	struct sip_trunk *fresh[SIP_TRUNKS_MAX] = {NULL};
	bool begun[SIP_TRUNKS_MAX] = {false};
	int err = n > SIP_TRUNKS_MAX ? -EINVAL : 0;

	if (err)
		return err;
	for (size_t i = 0; i < n; i++) {
		fresh[i] = kept(s, &setup[i]);
		begun[i] = fresh[i] == NULL;
		if (begun[i])
			fresh[i] = trunk_new(s, &setup[i]);
		if (fresh[i] == NULL)
			err = -ENOMEM;
	}
	for (size_t i = 0; i < s->trunk_count; i++) {
		if (s->trunk_list[i] != NULL)
			let_go(s->trunk_list[i], true);
	}
	s->trunk_count = 0;
	for (size_t i = 0; i < n; i++) {
		if (fresh[i] != NULL)
			s->trunk_list[s->trunk_count++] = fresh[i];
		if (begun[i] && fresh[i] != NULL)
			sip_trunk_lookup_start(fresh[i]);
	}
	return err;
}

void sip_trunks_close(struct sip_stack *s)
{
	for (size_t i = 0; i < s->trunk_count; i++)
		let_go(s->trunk_list[i], false);
	s->trunk_count = 0;
}

void sip_trunks_leave(struct sip_stack *s)
{
	for (size_t i = 0; i < s->trunk_count; i++)
		let_go(s->trunk_list[i], true);
	s->trunk_count = 0;
}

/* --- choice --- */

static bool usable(const struct sip_trunk *t)
{
	return t->state != SIP_TRUNK_DOWN && t->addrs > 0 && t->aside_until_ms <= tmr_jiffies();
}

int sip_trunk_choose(const struct sip_stack *s, const char *number, uint64_t tried)
{
	struct sip_trunk_candidate c[SIP_TRUNKS_MAX];

	for (size_t i = 0; i < s->trunk_count; i++) {
		const struct sip_trunk *t = s->trunk_list[i];
		size_t len = strlen(t->prefix);

		c[i] = (struct sip_trunk_candidate){
			.prefix_len = len,
			.priority = t->setup.priority,
			.weight = t->setup.weight,
			.fits = strncmp(number, t->prefix, len) == 0 && (tried >> i & 1) == 0,
			.up = usable(t),
		};
	}
	return sip_trunk_pick(c, s->trunk_count, rand_u32());
}

bool sip_trunk_over_ip6(const struct sip_stack *s, unsigned i)
{
	const struct sip_trunk *t = i < s->trunk_count ? s->trunk_list[i] : NULL;

	return t != NULL && t->addrs > 0 && sa_af(&t->addr[t->now]) == AF_INET6;
}

struct sip_trunk *sip_trunk_named(const struct sip_stack *s, const char *name)
{
	for (size_t i = 0; i < s->trunk_count; i++) {
		if (strcmp(s->trunk_list[i]->name, name) == 0)
			return s->trunk_list[i];
	}
	return NULL;
}

/* How well a request fits: by address, better by port too, best by the user that it registered. */
static unsigned fit(const struct sip_trunk *t, const struct sip_msg *msg)
{
	unsigned best = 0;

	for (size_t i = 0; i < t->addrs; i++) {
		unsigned f = 1;

		if (!sa_cmp(&t->addr[i], &msg->src, SA_ADDR))
			continue;
		if (sa_cmp(&t->addr[i], &msg->src, SA_ALL))
			f++;
		if (t->setup.registers && pl_strcmp(&msg->uri.user, t->user) == 0)
			f += 2;
		best = f > best ? f : best;
	}
	return best;
}

struct sip_trunk *sip_trunk_of(const struct sip_stack *s, const struct sip_msg *msg)
{
	struct sip_trunk *best = NULL;
	unsigned best_fit = 0;

	for (size_t i = 0; i < s->trunk_count; i++) {
		unsigned f = fit(s->trunk_list[i], msg);

		if (f > best_fit) {
			best_fit = f;
			best = s->trunk_list[i];
		}
	}
	return best;
}

void sip_trunk_count_in(struct sip_stack *s, const char *name)
{
	struct sip_trunk *t = sip_trunk_named(s, name);

	if (t)
		t->calls_in++;
}

void sip_trunk_result(struct sip_stack *s, const char *name, int status, const struct sip_msg *msg)
{
	struct sip_trunk *t = sip_trunk_named(s, name);
	const struct sip_hdr *hdr = msg ? sip_msg_hdr(msg, SIP_HDR_RETRY_AFTER) : NULL;
	uint32_t aside_s = hdr && hdr->val.l > 0 && hdr->val.l < 10 ? pl_u32(&hdr->val) : 0;

	if (t == NULL)
		return;
	if (status < 300) {
		t->aside_until_ms = 0;
		return;
	}
	/* Only what says that the trunk itself is in trouble; busy and the like are the callee's. */
	if (status != 503 && (status != 408 || msg != NULL))
		return;
	t->failures++;
	if (aside_s == 0)
		aside_s = ASIDE_S;
	if (aside_s > ASIDE_MOST_S)
		aside_s = ASIDE_MOST_S;
	t->aside_until_ms = tmr_jiffies() + 1000ull * aside_s;
	sip_trunk_next_address(t);
	log_warn("sip", "trunk %s: a call failed with %d: set aside for %u s", t->name, status,
		 aside_s);
}

/* --- views --- */

void sip_trunk_each(const struct sip_stack *s,
		    void (*visit)(const struct sip_trunk_view *v, void *arg), void *arg)
{
	uint64_t now_ms = tmr_jiffies();

	for (size_t i = 0; i < s->trunk_count; i++) {
		const struct sip_trunk *t = s->trunk_list[i];
		bool aside = t->state != SIP_TRUNK_DOWN && t->aside_until_ms > now_ms;
		struct sip_trunk_view v = {
			.name = t->name,
			.host = t->host,
			.port = t->addrs ? sa_port(&t->addr[t->now]) : t->setup.port,
			.transport = t->setup.transport,
			.state = aside ? SIP_TRUNK_DOWN : t->state,
			.registers = t->setup.registers,
			.why = aside ? "a call was not answered" : t->why,
			.calls_in = t->calls_in,
			.calls_out = t->calls_out,
			.failures = t->failures,
			.registrations = t->registrations,
			.register_failures = t->register_failures,
		};
		uint64_t left_ms = aside                ? t->aside_until_ms - now_ms
				   : t->setup.registers ? tmr_get_expire(&t->tmr_reg)
							: tmr_get_expire(&t->tmr_options);

		if (t->addrs > 0)
			(void)sa_ntop(&t->addr[t->now], v.address, sizeof(v.address));
		if (t->registered_until_ms > now_ms)
			v.registered_s = (uint32_t)((t->registered_until_ms - now_ms + 999) / 1000);
		if (v.state == SIP_TRUNK_DOWN)
			v.retry_s = (uint32_t)((left_ms + 999) / 1000);
		visit(&v, arg);
	}
}
