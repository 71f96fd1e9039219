/* SPDX-License-Identifier: Apache-2.0
 *
 * A call over a restart. Four things can be kept: a call that runs (also one whose 200 still waits for
 * its ACK: to the caller it was answered), one that we ring, one that rings with us, and one whose BYE was
 * on its way. Only the first can be taken up; the others are ended as their kind asks.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "record/kept.h"
#include "sip/sip_dlg_store.h"
#include "sip/sip_ghost.h"
#include "sip/sip_priv.h"
#include "sip/sip_sdp_store.h"
#include "sip/sip_text.h"

enum {
	SESSION_MAX_S = 9999999,
	GRACE_MS = 32000, /* a peer that ought to have refreshed while nobody was here may still */
	SOON_MS = 1500,
};

enum kept_kind { KEPT_RUNNING, KEPT_RINGING, KEPT_INCOMING, KEPT_ENDING, KEPT_KINDS };

static const char *kind_name(unsigned i)
{
	static const char *const names[KEPT_KINDS] = {"running", "ringing", "incoming", "ending"};

	return names[i];
}

static const char *transport_name(unsigned i)
{
	return sip_transport_name((enum sip_transport)i);
}

/* --- keeping --- */

static json_t *info_keep(const struct sip_call_info *i)
{
	json_t *o = json_object();

	kept_put_flag(o, "outgoing", i->outgoing);
	kept_put_text(o, "call_id", i->call_id);
	kept_put_text(o, "from_user", i->from_user);
	kept_put_text(o, "from_host", i->from_host);
	kept_put_text(o, "from_display", i->from_display);
	kept_put_text(o, "to_user", i->to_user);
	kept_put_text(o, "to_host", i->to_host);
	kept_put_text(o, "auth_user", i->auth_user);
	kept_put_flag(o, "trunk", i->trunk);
	kept_put_text(o, "trunk_name", i->trunk_name);
	kept_put_flag(o, "trusted", i->trusted);
	kept_put_text(o, "asserted", i->asserted);
	kept_put_text(o, "trunk_name", i->trunk_name);
	kept_put_flag(o, "anonymous", i->anonymous);
	kept_put_text(o, "diverted", i->diverted);
	kept_put_text(o, "diverted_why", i->diverted_why);
	kept_put_text(o, "dialled_first", i->dialled_first);
	kept_put_text(o, "user_agent", i->user_agent);
	kept_put_text(o, "ip", i->peer.ip);
	kept_put_number(o, "port", i->peer.port);
	kept_put_text(o, "transport", sip_transport_name(i->peer.transport));
	return o;
}

static void session_keep(json_t *o, const struct sip_call *c, uint64_t now_ms)
{
	kept_put_number(o, "session_s", c->session_s);
	kept_put_flag(o, "we_refresh", c->we_refresh);
	kept_put_flag(o, "peer_timer", c->peer_timer);
	kept_put_flag(o, "peer_update", c->peer_update);
	if (tmr_isrunning(&c->tmr_session))
		kept_put_number(o, "session_at_ms", now_ms + tmr_get_expire(&c->tmr_session));
}

static bool is_to_trunk(const struct sip_call *c)
{
	return c->info.outgoing && c->info.trunk_name[0] != '\0';
}

static json_t *forks_keep(const struct sip_call *c)
{
	json_t *list = json_array();

	for (const struct le *le = c->forks.head; le; le = le->next) {
		const struct sip_fork *f = le->data;

		json_array_append_new(list, sip_dlg_keep(f->base, is_to_trunk(c)));
	}
	return list;
}

json_t *sip_call_keep(const struct sip_call *c, uint64_t now_ms)
{
	enum kept_kind kind = c->state == CALL_IN_NEW  ? KEPT_INCOMING
			      : c->state == CALL_OUT   ? KEPT_RINGING
			      : c->state == CALL_ENDED ? KEPT_ENDING
						       : KEPT_RUNNING;
	json_t *o, *sdp;

	if (kind != KEPT_RINGING && c->dlg == NULL)
		return NULL;
	o = json_object();
	kept_put_text(o, "kind", kind_name(kind));
	kept_put_text(o, "user", c->credentials.user);
	if (kind == KEPT_RINGING)
		json_object_set_new(o, "forks", forks_keep(c));
	else
		json_object_set_new(o, "dialog", sip_dlg_keep(c->dlg, is_to_trunk(c)));
	if (kind == KEPT_INCOMING && c->invite != NULL)
		json_object_set_new(o, "invite", sip_ghost_invite_keep(c->invite));
	if (kind != KEPT_RUNNING)
		return o;
	json_object_set_new(o, "info", info_keep(&c->info));
	sdp = sip_sdp_keep(c->sdp);
	if (sdp != NULL)
		json_object_set_new(o, "sdp", sdp);
	session_keep(o, c, now_ms);
	return o;
}

/* --- reading back --- */

static bool kind_of(const json_t *o, enum kept_kind *kind)
{
	unsigned i;
	bool ok = kept_word(o, "kind", kind_name, KEPT_KINDS, &i);

	*kind = (enum kept_kind)i;
	return ok;
}

bool sip_call_kept_runs(const json_t *o)
{
	enum kept_kind kind;

	return kind_of(o, &kind) && kind == KEPT_RUNNING;
}

const char *sip_call_kept_user(const json_t *o)
{
	const char *user = json_string_value(json_object_get(o, "user"));

	return user != NULL && strlen(user) < SIP_USER_MAX ? user : "";
}

static bool info_kept(struct sip_call_info *i, const json_t *o)
{
	unsigned transport;
	bool ok = kept_word(o, "transport", transport_name, SIP_OVER_TLS + 1, &transport);

	ok = kept_flag(o, "outgoing", &i->outgoing) && ok;
	ok = kept_text(o, "call_id", i->call_id, sizeof(i->call_id)) && ok;
	ok = kept_text(o, "from_user", i->from_user, sizeof(i->from_user)) && ok;
	ok = kept_text(o, "from_host", i->from_host, sizeof(i->from_host)) && ok;
	ok = kept_text(o, "from_display", i->from_display, sizeof(i->from_display)) && ok;
	ok = kept_text(o, "to_user", i->to_user, sizeof(i->to_user)) && ok;
	ok = kept_text(o, "to_host", i->to_host, sizeof(i->to_host)) && ok;
	ok = kept_text(o, "auth_user", i->auth_user, sizeof(i->auth_user)) && ok;
	ok = kept_flag(o, "trunk", &i->trunk) && ok;
	ok = kept_text(o, "trunk_name", i->trunk_name, sizeof(i->trunk_name)) && ok;
	ok = kept_flag(o, "trusted", &i->trusted) && ok;
	ok = kept_text(o, "asserted", i->asserted, sizeof(i->asserted)) && ok;
	(void)kept_text(o, "trunk_name", i->trunk_name, sizeof(i->trunk_name));
	ok = kept_flag(o, "anonymous", &i->anonymous) && ok;
	ok = kept_text(o, "diverted", i->diverted, sizeof(i->diverted)) && ok;
	ok = kept_text(o, "diverted_why", i->diverted_why, sizeof(i->diverted_why)) && ok;
	ok = kept_text(o, "dialled_first", i->dialled_first, sizeof(i->dialled_first)) && ok;
	ok = kept_text(o, "user_agent", i->user_agent, sizeof(i->user_agent)) && ok;
	ok = kept_text(o, "ip", i->peer.ip, sizeof(i->peer.ip)) && ok;
	ok = KEPT_NUMBER(o, "port", UINT16_MAX, i->peer.port) && ok;
	i->peer.transport = (enum sip_transport)transport;
	return ok && i->call_id[0] != '\0';
}

/* The timer goes on where it was. What fell due meanwhile: ours is done soon, the peer's may come late,
 * since it was not heard. */
static bool session_kept(struct sip_call *c, const json_t *o, uint64_t now_ms)
{
	uint64_t at_ms, left_ms;
	bool ok = KEPT_NUMBER(o, "session_s", SESSION_MAX_S, c->session_s);

	ok = kept_flag(o, "we_refresh", &c->we_refresh) && ok;
	ok = kept_flag(o, "peer_timer", &c->peer_timer) && ok;
	ok = kept_flag(o, "peer_update", &c->peer_update) && ok;
	ok = kept_number(o, "session_at_ms", INT64_MAX, &at_ms) && ok;
	if (!ok || c->session_s == 0)
		return ok;
	left_ms = at_ms > now_ms ? at_ms - now_ms : 0;
	if (left_ms > 1000ull * c->session_s)
		left_ms = 1000ull * c->session_s;
	if (!c->we_refresh && left_ms < GRACE_MS)
		left_ms = GRACE_MS;
	else if (c->we_refresh && left_ms < SOON_MS)
		left_ms = SOON_MS + rand_u32() % (2 * SOON_MS);
	sip_call_session_resume(c, left_ms);
	return true;
}

static bool is_here(struct le *le, void *arg)
{
	const struct sip_call *c = le->data;
	const struct sip_dlg *d = arg;

	return c->dlg != NULL && strcmp(c->dlg->call_id, d->call_id) == 0 &&
	       strcmp(c->dlg->ltag, d->ltag) == 0;
}

static int fill(struct sip_call *c, const json_t *o, const char *password, uint64_t now_ms)
{
	struct sip_stack *s = c->stack;
	struct sip_sdp *sdp = NULL;
	int err = sip_dlg_kept(&c->dlg, s->sip, s->agent, json_object_get(o, "dialog"));

	if (err == 0 && c->dlg->rtag == NULL)
		err = -EINVAL;
	if (err == 0 &&
	    hash_lookup(s->calls, hash_joaat_str(c->dlg->call_id), is_here, c->dlg) != NULL)
		err = -EEXIST;
	if (err == 0 && !info_kept(&c->info, json_object_get(o, "info")))
		err = -EINVAL;
	err = err ? err : sip_sdp_kept(&sdp, json_object_get(o, "sdp"));
	if (err)
		return err;
	mem_deref(c->sdp);
	c->sdp = sdp;
	if (password != NULL && strlen(password) < sizeof(c->credentials.password)) {
		str_ncpy(c->credentials.user, sip_call_kept_user(o), sizeof(c->credentials.user));
		str_ncpy(c->credentials.password, password, sizeof(c->credentials.password));
	}
	c->state = CALL_RUNNING;
	return session_kept(c, o, now_ms) ? 0 : -EINVAL;
}

int sip_call_kept(struct sip_call **out, struct sip_stack *s, const json_t *o, const char *password,
		  uint64_t now_ms, sip_call_event_fn *fn, void *arg)
{
	struct sip_call *c = NULL;
	int err;

	if (!sip_call_kept_runs(o))
		return -EINVAL;
	if (s->owned >= s->limits.calls_max)
		return -ENOSPC;
	err = sip_call_new(&c, s);
	if (err)
		return err;
	err = fill(c, o, password, now_ms);
	if (err) {
		mem_deref(c);
		return err;
	}
	sip_call_enter(c);
	sip_call_attach(c, fn, arg);
	log_info("sip", "[call=%s] goes on after a restart", c->info.call_id);
	*out = c;
	return 0;
}

/* --- ending what cannot go on --- */

static void say_bye(struct sip_stack *s, const json_t *dialog, const char *reason)
{
	struct sip_dlg *d = NULL;
	char *more;

	if (sip_dlg_kept(&d, s->sip, s->agent, dialog) != 0)
		return;
	more = sip_dlg_body(reason, NULL, NULL, 0);
	if (more != NULL && d->rtag != NULL)
		(void)sip_dlg_request(d, NULL, "BYE", 0, NULL, NULL, NULL, more);
	mem_deref(more);
	mem_deref(d);
}

static void cancel(struct sip_stack *s, const json_t *dialog, const char *reason)
{
	struct sip_dlg *d = NULL;

	if (sip_dlg_kept(&d, s->sip, s->agent, dialog) != 0)
		return;
	sip_ghost_cancel(s, d, reason);
	mem_deref(d);
}

void sip_call_renounce(struct sip_stack *s, const json_t *o, int cause, const char *text)
{
	const json_t *forks = json_object_get(o, "forks");
	enum kept_kind kind;
	char reason[256];

	if (!kind_of(o, &kind))
		return;
	sip_call_reason(reason, sizeof(reason), cause, text);
	switch (kind) {
	case KEPT_RUNNING:
	case KEPT_ENDING:
		say_bye(s, json_object_get(o, "dialog"), reason);
		break;
	case KEPT_RINGING:
		for (size_t i = 0; i < json_array_size(forks) && i < SIP_FORKS_MAX; i++)
			cancel(s, json_array_get(forks, i), reason);
		break;
	case KEPT_INCOMING:
		sip_ghost_refuse(s, json_object_get(o, "invite"), json_object_get(o, "dialog"),
				 reason);
		break;
	case KEPT_KINDS:
		break;
	}
}
