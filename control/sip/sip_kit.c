/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "sip/sip_kit.h"
#include "sip/sip_priv.h"
#include "sip/sip_store.h"

/* --- the loop --- */

struct wait {
	bool (*so)(void *arg);
	void *arg;
	uint64_t end_ms;
	bool said;
	struct tmr tmr;
};

static void look(void *arg)
{
	struct wait *w = arg;

	w->said = w->so != NULL && w->so(w->arg);
	if (w->said || tmr_jiffies() >= w->end_ms)
		re_cancel();
	else
		tmr_start(&w->tmr, 1, look, w);
}

/* A machine that stands still for a moment fails no test; what comes in time costs nothing. */
enum { KIT_PATIENCE = 4 };

bool kit_run(bool (*so)(void *arg), void *arg, uint32_t timeout_ms)
{
	struct wait w = {.so = so, .arg = arg, .end_ms = tmr_jiffies() + timeout_ms};

	tmr_init(&w.tmr);
	tmr_start(&w.tmr, 0, look, &w);
	(void)re_main(NULL);
	tmr_cancel(&w.tmr);
	return w.said || (so != NULL && so(arg));
}

void kit_wait(uint32_t ms)
{
	(void)kit_run(NULL, NULL, ms);
}

struct count {
	const unsigned *n;
	unsigned want;
};

static bool reached(void *arg)
{
	const struct count *c = arg;

	return *c->n >= c->want;
}

bool kit_until(const unsigned *n, unsigned want, uint32_t timeout_ms)
{
	struct count c = {n, want};

	return kit_run(reached, &c, timeout_ms * KIT_PATIENCE);
}

void kit_up(void)
{
	(void)libre_init();
	(void)poll_method_set(METHOD_EPOLL);
}

bool kit_down(void)
{
	struct memstat m;
	bool clean;

	libre_close();
	clean = mem_get_stat(&m) != 0 || m.blocks_cur == 0;
	if (!clean)
		mem_debug();
	return clean;
}

/* --- lines --- */

bool kit_secret(void *arg, const char *user, struct sip_secret *secret)
{
	struct kit_line *l = arg;
	int n = 0;

	if (l)
		l->secrets_asked++;
	if (sscanf(user, "%d", &n) != 1 || n < 1001 || n > 1010 || strlen(user) != 4)
		return false;
	(void)snprintf(secret->password, sizeof(secret->password), "pw-%s", user);
	return true;
}

static void on_registered(void *arg, const struct sip_registration *r)
{
	struct kit_line *l = arg;

	(void)r;
	l->registered++;
}

static void on_unregistered(void *arg, const struct sip_registration *r)
{
	struct kit_line *l = arg;

	l->unregistered++;
	l->expired += r->expired ? 1 : 0;
}

static void on_event(struct sip_call *call, const struct sip_call_event *ev, void *arg)
{
	struct kit_call *k = arg;

	k->status = ev->status;
	if (ev->media) {
		k->remote = *ev->media;
		k->remote_known = true;
	}
	switch (ev->kind) {
	case SIP_CALL_RINGING:
		k->ringing++;
		break;
	case SIP_CALL_EARLY_MEDIA:
		k->early++;
		break;
	case SIP_CALL_ANSWERED:
		k->answered++;
		k->info = *sip_call_info(call);
		break;
	case SIP_CALL_MEDIA:
		k->media++;
		break;
	case SIP_CALL_REFRESHED:
		k->refreshed++;
		break;
	case SIP_CALL_MODIFY_FAILED:
		k->failed++;
		break;
	case SIP_CALL_REFER:
		k->refer++;
		k->refer_attended = ev->refer->attended;
		k->refer_with = ev->refer->with;
		(void)snprintf(k->refer_user, sizeof(k->refer_user), "%s", ev->refer->user);
		break;
	case SIP_CALL_TRANSFER:
		k->transfer++;
		k->transfer_status = ev->status;
		break;
	case SIP_CALL_DTMF:
		k->dtmf++;
		k->digit = ev->digit;
		break;
	case SIP_CALL_CLOSED:
		k->closed++;
		k->cause = ev->cause;
		k->by_peer = ev->by_peer;
		(void)snprintf(k->text, sizeof(k->text), "%s", ev->text);
		k->call = NULL;
		break;
	}
}

void kit_replaces(const struct kit_call *c, bool in_uri, bool swapped, char *out, size_t size)
{
	const struct sip_fork *ringing = list_ledata(list_head(&c->call->forks));
	const struct sip_dlg *d = c->call->dlg ? c->call->dlg : ringing->base;
	const char *theirs = c->call->dlg ? d->rtag : ringing->rtag;
	const char *to = swapped ? d->ltag : theirs, *from = swapped ? theirs : d->ltag;

	(void)re_snprintf(out, size,
			  in_uri ? "%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3D%s"
				 : "%s;to-tag=%s;from-tag=%s",
			  d->call_id, to, from);
}

static struct kit_call *new_call(struct kit_line *l)
{
	struct kit_call *k = &l->call[l->calls % KIT_CALLS];

	l->calls++;
	*k = (struct kit_call){.line = l};
	return k;
}

static void on_incoming(void *arg, struct sip_call *call)
{
	struct kit_line *l = arg;
	struct kit_call *k;

	if (l->mood == KIT_IGNORE)
		return;
	k = new_call(l);
	k->call = call;
	k->incoming = true;
	k->info = *sip_call_info(call);
	sip_call_attach(call, on_event, k);
	if (l->refuse > 0) {
		l->refuse--;
		sip_call_end(call, 503, SIP_CAUSE_CONGESTION, "no channel");
		return;
	}
	switch (l->mood) {
	case KIT_ANSWER:
		if (sip_call_answer(call, &l->local) != 0)
			sip_call_end(call, 488, 0, NULL);
		break;
	case KIT_RING:
		(void)sip_call_progress(call, 180, NULL);
		break;
	case KIT_EARLY:
		(void)sip_call_progress(call, 183, &l->local);
		break;
	case KIT_BUSY:
		sip_call_end(call, 486, SIP_CAUSE_BUSY, "on another call");
		break;
	case KIT_DND:
		sip_call_end(call, 486, SIP_CAUSE_BUSY, "Do Not Disturb");
		break;
	case KIT_IGNORE:
		break;
	}
}

int kit_open(struct kit_line *l, void (*change)(struct sip_stack_config *cfg))
{
	struct sip_stack_config cfg = {
		.listen = {{.transport = SIP_OVER_UDP, .ip = "127.0.0.1"},
			   {.transport = SIP_OVER_TCP, .ip = "127.0.0.1"}},
		.listens = 2,
		.realm = "pb.test",
		.user_agent = "kit",
		.accept_unknown = true,
		.handlers = {.secret = kit_secret,
			     .registered = on_registered,
			     .unregistered = on_unregistered,
			     .incoming = on_incoming,
			     .arg = l},
	};
	int err;

	*l = (struct kit_line){.mood = KIT_ANSWER};
	if (change)
		change(&cfg);
	err = sip_stack_open(&l->stack, &cfg);
	if (err)
		return err;
	for (size_t i = 0; i < 3; i++)
		l->port[i] = sip_stack_port(l->stack, i);
	return sip_media_local(&l->local, "127.0.0.1", (uint16_t)(20000 + l->port[0] % 1000 * 2));
}

int kit_restart(struct kit_line *l, void (*change)(struct sip_stack_config *cfg))
{
	struct sip_stack_config cfg = {
		.listen = {{.transport = SIP_OVER_UDP, .ip = "127.0.0.1", .port = l->port[0]},
			   {.transport = SIP_OVER_TCP, .ip = "127.0.0.1", .port = l->port[1]}},
		.listens = 2,
		.realm = "pb.test",
		.user_agent = "kit",
		.accept_unknown = true,
		.handlers = {.secret = kit_secret,
			     .registered = on_registered,
			     .unregistered = on_unregistered,
			     .incoming = on_incoming,
			     .arg = l},
	};

	sip_stack_close(l->stack);
	l->stack = NULL;
	for (size_t i = 0; i < KIT_CALLS; i++)
		l->call[i].call = NULL;
	if (change)
		change(&cfg);
	return sip_stack_open(&l->stack, &cfg);
}

struct kit_call *kit_adopt(struct kit_line *l, const json_t *kept, uint64_t now_ms)
{
	struct kit_call *k = new_call(l);

	if (sip_call_kept(&k->call, l->stack, kept, NULL, now_ms, on_event, k) != 0)
		return NULL;
	k->info = *sip_call_info(k->call);
	return k;
}

void kit_close(struct kit_line *l)
{
	sip_stack_close(l->stack);
	l->stack = NULL;
}

struct kit_call *kit_last(struct kit_line *l)
{
	return l->calls ? &l->call[(l->calls - 1) % KIT_CALLS] : NULL;
}

struct kit_call *kit_dial(struct kit_line *l, const struct sip_invite *inv)
{
	struct kit_call *k = new_call(l);
	struct sip_invite i = *inv;

	if (i.local == NULL)
		i.local = &l->local;
	if (sip_call_invite(&k->call, l->stack, &i, on_event, k) != 0) {
		l->calls--;
		return NULL;
	}
	k->info = *sip_call_info(k->call);
	return k;
}

struct kit_call *kit_dial_line(struct kit_line *l, struct kit_line *to, const char *user)
{
	char uri[128];
	struct sip_invite inv = {.uri = uri, .from_user = "13800138000", .from_host = "far.test"};

	(void)snprintf(uri, sizeof(uri), "sip:%s@127.0.0.1:%u", user, (unsigned)to->port[0]);
	return kit_dial(l, &inv);
}

/* --- registration, by libre's own client --- */

struct account {
	char user[SIP_USER_MAX], password[SIP_TEXT_MAX];
	int *status;
};

static int give(char **user, char **password, const char *realm, void *arg)
{
	const struct account *a = arg;

	(void)realm;
	return str_dup(user, a->user) | str_dup(password, a->password);
}

static void on_register_response(int err, const struct sip_msg *msg, void *arg)
{
	int *status = arg;

	*status = msg ? msg->scode : -err;
}

int kit_register(struct sipreg **reg, struct kit_line *l, struct kit_line *board, const char *user,
		 const char *password, uint32_t expires_s, bool tcp, int *status)
{
	struct account *a = mem_zalloc(sizeof(*a), NULL);
	char uri[128], aor[128];
	int err;

	str_ncpy(a->user, user, sizeof(a->user));
	str_ncpy(a->password, password, sizeof(a->password));
	(void)snprintf(uri, sizeof(uri), "sip:127.0.0.1:%u%s", (unsigned)board->port[tcp ? 1 : 0],
		       tcp ? ";transport=tcp" : "");
	(void)snprintf(aor, sizeof(aor), "sip:%s@pb.test", user);
	*status = 0;
	err = sipreg_register(reg, l->stack->sip, uri, aor, NULL, aor, expires_s, user, NULL, 0, 0,
			      give, a, true, on_register_response, status, NULL, NULL);
	mem_deref(a);
	return err;
}

/* --- wires --- */

static void on_datagram(const struct sa *src, struct mbuf *mb, void *arg)
{
	struct kit_wire *w = arg;
	size_t n = mbuf_get_left(mb);

	(void)src;
	w->messages++;
	/* A flood makes room for what comes now. */
	if (n > sizeof(w->got) - w->len - 1)
		w->len = 0;
	if (n > sizeof(w->got) - 1)
		n = sizeof(w->got) - 1;
	/* Searched as a string, so NULs of hostile messages must not end it. */
	for (size_t i = 0; i < n; i++)
		w->got[w->len++] = mbuf_buf(mb)[i] ? (char)mbuf_buf(mb)[i] : '.';
	w->got[w->len] = '\0';
	if (w->awaited && strstr(w->got, w->awaited) != NULL)
		re_cancel();
}

int kit_wire_open(struct kit_wire *w)
{
	return kit_wire_open_at(w, "127.0.0.1", 0);
}

int kit_wire_open_at(struct kit_wire *w, const char *ip, uint16_t port)
{
	struct sa addr;
	int err;

	*w = (struct kit_wire){0};
	(void)sa_set_str(&addr, ip, port);
	err = udp_listen(&w->sock, &addr, on_datagram, w);
	if (err)
		return err;
	err = udp_local_get(w->sock, &addr);
	w->port = sa_port(&addr);
	return err;
}

void kit_wire_close(struct kit_wire *w)
{
	w->sock = mem_deref(w->sock);
}

void kit_wire_send_raw(struct kit_wire *w, uint16_t port, const void *data, size_t len)
{
	struct mbuf *mb = mbuf_alloc(len ? len : 1);
	struct sa to;

	(void)sa_set_str(&to, "127.0.0.1", port);
	(void)mbuf_write_mem(mb, data, len);
	mb->pos = 0;
	(void)udp_send(w->sock, &to, mb);
	mem_deref(mb);
}

void kit_wire_send(struct kit_wire *w, uint16_t port, const char *text)
{
	char out[KIT_TEXT];
	size_t n = 0;

	for (; *text && n < sizeof(out) - 16; text++) {
		if (*text == '\n') {
			out[n++] = '\r';
			out[n++] = '\n';
		} else if (strncmp(text, "@PORT@", 6) == 0) {
			n += (size_t)snprintf(out + n, 8, "%u", (unsigned)w->port);
			text += 5;
		} else {
			out[n++] = *text;
		}
	}
	kit_wire_send_raw(w, port, out, n);
}

struct search {
	struct kit_wire *w;
	const char *what;
};

static bool found(void *arg)
{
	const struct search *s = arg;

	return strstr(s->w->got, s->what) != NULL;
}

bool kit_wire_gets(struct kit_wire *w, const char *what, uint32_t timeout_ms)
{
	struct search s = {w, what};
	bool got;

	w->awaited = what;
	got = kit_run(found, &s, timeout_ms);
	w->awaited = NULL;
	return got;
}

void kit_wire_forget(struct kit_wire *w)
{
	w->len = 0;
	w->got[0] = '\0';
	w->messages = 0;
}
