/* SPDX-License-Identifier: Apache-2.0
 *
 * One end of a call: its engine leg, and how media settled by SIP become it. The dialog's side is in party_sip.c.
 */
#include "call/consult.h"
#include "call/nail.h"
#include "call/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "sip/sip_store.h"

struct party *party_new(struct call *call, enum party_role role, const char *number, int agent)
{
	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++) {
		struct party *p = &call->party[i];

		if (p->state != PARTY_FREE)
			continue;
		json_decref(p->stats);
		*p = (struct party){
			.call = call,
			.serial = ++call->serial,
			.role = role,
			.state = PARTY_OPENING,
			.agent = agent,
			.started_ms = clock_wall_ms(),
		};
		snprintf(p->number, sizeof(p->number), "%s", number);
		snprintf(p->leg, sizeof(p->leg), "%s.l%u", call->id, p->serial);
		return p;
	}
	log_error("call", "[call=%s] has no room for another party", call->id);
	return NULL;
}

struct party *party_by_leg(struct call *call, const char *leg)
{
	for (unsigned i = 0; leg != NULL && i < CALL_PARTIES_MAX; i++)
		if (call->party[i].state != PARTY_FREE && strcmp(call->party[i].leg, leg) == 0)
			return &call->party[i];
	return NULL;
}

struct party *party_by_play(struct call *call, const char *play)
{
	for (unsigned i = 0; play != NULL && i < CALL_PARTIES_MAX; i++)
		if (call->party[i].state != PARTY_FREE && strcmp(call->party[i].play, play) == 0)
			return &call->party[i];
	return NULL;
}

static const char *role_name(const struct party *p)
{
	switch (p->role) {
	case PARTY_IS_CUSTOMER:
		return p->agent >= 0 ? "internal" : "customer";
	case PARTY_IS_AGENT:
		return "agent";
	case PARTY_IS_SUPERVISOR:
		return "supervisor";
	}
	return "?";
}

/* What is told when a leg could not be had: the part that the party plays decides. */
static void failed(struct party *p, int status, enum call_cause cause)
{
	struct call *call = p->call;

	if (p->picks_up) {
		party_end(p, status, 0, "failed");
	} else if (p->offered) {
		queue_offer_void(p, call_cause_name(cause));
	} else if (p->replaces != 0) {
		party_end(p, status, 0, "failed"); /* who is there stays */
	} else if (p == call->dialled) {
		dial_closed(p, status);
	} else if (p == call->consult.party) {
		consult_closed(p, status);
		party_end(p, status, 0, "failed");
	} else if (p == call->agent) {
		/* It came from another call and finds no leg here. */
		party_end(p, status, 0, "failed");
		talk_agent_left(call, PARTY_SYSTEM);
	} else if (p == call->customer && call->callback.promised) {
		callback_failed(p, status);
	} else if (p == call->supervisor) {
		monitor_closed(p);
		party_end(p, status, 0, "failed");
	} else {
		call_end(call, PARTY_SYSTEM, cause);
	}
}

/* What we tell the peer: its leg's address, and the codecs of phones or of the world. */
int party_local(struct party *p, const char *ip, uint16_t port)
{
	const struct config *cfg = p->call->centre->config;
	bool phone = p->agent >= 0 && p->at[0] == '\0';
	const struct config_codecs *k = phone ? &cfg->phone_codecs : &cfg->trunk_codecs;
	int err = sip_media_local(&p->local, ip, port);

	if (err == 0 && k->n > 0)
		err = sip_media_allow(&p->local, k->name, k->n);
	p->local.noise = cfg->comfort_noise;
	p->local.noise_pt = 13;
	return err;
}

/* The engine knows when there will be room again; the caller's switch should. */
static void pass_on_pause(struct call *call, const struct rpc_error *why)
{
	json_int_t s = json_integer_value(json_object_get(why->data, "retry_after_s"));

	if (s > 0 && s < 3600 && call->customer != NULL && call->customer->sip != NULL)
		sip_call_retry_after(call->customer->sip, (uint32_t)s);
}

static void on_leg(struct call *call, struct party *p, int err, const json_t *result,
		   const struct rpc_error *why)
{
	const json_t *local = json_object_get(result, "local");
	const char *ip = json_string_value(json_object_get(local, "ip"));
	json_int_t port = json_integer_value(json_object_get(local, "port"));

	if (p->state == PARTY_ENDING) {
		party_gone(p);
		return;
	}
	if (err != 0 || ip == NULL || port <= 0 || port > 65535 ||
	    party_local(p, ip, (uint16_t)port) != 0) {
		bool overloaded = why != NULL &&
				  (why->reason == RPC_OVERLOADED || why->reason == RPC_NO_RESOURCE);

		log_warn("call", "[call=%s] no leg for %s: %s", call->id, p->number,
			 why ? why->message : strerror(err ? -err : EPROTO));
		p->leg_wanted = false;
		if (overloaded) {
			call->centre->numbers.calls_refused++;
			pass_on_pause(call, why);
		}
		failed(p, 503, overloaded ? CALL_CAUSE_OVERLOADED : CALL_CAUSE_ENGINE_LOST);
		return;
	}
	p->has_local = true;
	p->state = PARTY_RINGING;
	p->then(p);
}

static void on_opened(struct call *call, struct party *p, int err, const json_t *result,
		      const struct rpc_error *why)
{
	(void)p;
	(void)result;
	if (err == 0)
		return;
	/* The leg's own refusal follows and ends what has to end. */
	log_warn("call", "[call=%s] call.open: %s", call->id, why ? why->message : strerror(-err));
}

/* The first party's wish opens the call in the engine too. */
static int open_call(struct call *call)
{
	struct ticket *t;
	int err;

	if (call->opened)
		return 0;
	t = call_ticket_new(call, NULL, on_opened);
	if (t == NULL)
		return -ENOMEM;
	err = (call->emergency ? engine_call_open_urgent : engine_call_open)(
		call->centre->engine, call->id, call_ticket_reply, t);
	if (err != 0)
		call_ticket_drop(t);
	else
		call->opened = true;
	return err;
}

/* Whether its media go over IPv6: who called us tells by where the call came from; a phone that is to be rung by where it
 * is registered from (the one that is preferred, when its phones differ); somebody outside by the trunk. */
static bool over_ip6(const struct party *p)
{
	struct centre *c = p->call->centre;
	struct registrar_contact one;

	if (p->sip != NULL)
		return strchr(sip_call_info(p->sip)->peer.ip, ':') != NULL;
	if (c->sip == NULL)
		return false;
	if (p->at[0] == '\0' && p->number[0] != '\0' &&
	    registrar_lookup(sip_stack_registrar(c->sip), p->number, &one, 1) > 0)
		return strchr(one.source.ip, ':') != NULL;
	return trunk_over_ip6(p);
}

json_t *party_leg_members(const struct party *p)
{
	json_t *members = json_pack("{s:s}", "name", p->number[0] ? p->number : "anonymous");

	if (members == NULL) /* a number that is not UTF-8 names no leg */
		members = json_object();
	if (p->call->emergency)
		json_object_set_new(members, "urgent", json_true());
	if (over_ip6(p))
		json_object_set_new(members, "family", json_string("ip6"));
	return members;
}

void party_open(struct party *p, void (*then)(struct party *p))
{
	struct call *call = p->call;
	json_t *members = party_leg_members(p);
	struct ticket *t = call_ticket_new(call, p, on_leg);
	int err = open_call(call);

	p->then = then;
	if (err == 0 && t != NULL)
		err = engine_leg_open(call->centre->engine, call->id, p->leg, members,
				      call_ticket_reply, t);
	else
		json_decref(members);
	if (err == 0 && t != NULL) {
		p->leg_wanted = true;
		return;
	}
	call_ticket_drop(t);
	failed(p, 503, CALL_CAUSE_ENGINE_LOST);
}

static json_t *codec_list(const struct sip_media *m)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < m->codecs; i++) {
		const struct sip_codec *k = &m->codec[i];
		json_t *c = json_pack("{s:i,s:s,s:I,s:i}", "pt", (int)k->pt, "name", k->name,
				      "clock_hz", (json_int_t)k->clock_hz, "ptime_ms",
				      (int)sip_media_ptime(m));

		if (m->ptime_max_ms != 0)
			json_object_set_new(c, "ptime_max_ms", json_integer(m->ptime_max_ms));
		if (k->rate_max_hz != 0)
			json_object_set_new(c, "rate_max_hz", json_integer(k->rate_max_hz));
		if (k->bits_per_s != 0)
			json_object_set_new(c, "bits_per_s", json_integer(k->bits_per_s));
		if (k->fec)
			json_object_set_new(c, "fec", json_true());
		if (k->dtx)
			json_object_set_new(c, "dtx", json_true());
		json_array_append_new(list, c);
	}
	return list;
}

/* Tell the engine what SIP settled. A leg that nobody sends to (hold) is not watched for silence. */

void party_apply_media(struct party *p, const struct sip_media *m)
{
	json_t *o = json_object();
	bool sends = m->direction == SIP_SENDRECV || m->direction == SIP_RECVONLY;

	if (m->ip[0] != '\0' && m->port != 0) {
		json_t *remote = json_pack("{s:s,s:i}", "ip", m->ip, "port", (int)m->port);

		if (m->rtcp_port != 0)
			json_object_set_new(remote, "rtcp_port", json_integer(m->rtcp_port));
		json_object_set_new(o, "remote", remote);
	}
	snprintf(p->codec, sizeof(p->codec), "%s", m->codecs ? m->codec[0].name : "");
	snprintf(p->remote, sizeof(p->remote), "%s:%u", m->ip, m->port);
	if (m->codecs > 0)
		json_object_set_new(o, "codecs", codec_list(m));
	if (m->dtmf)
		json_object_set_new(o, "dtmf",
				    json_pack("{s:i,s:I}", "pt", (int)m->dtmf_pt, "clock_hz",
					      (json_int_t)m->dtmf_clock_hz));
	if (m->noise)
		json_object_set_new(o, "noise", json_pack("{s:i}", "pt", (int)m->noise_pt));
	json_object_set_new(o, "inband_dtmf", json_boolean(!m->dtmf));
	if (party_srtp_known(m))
		json_object_set_new(o, "srtp", party_srtp_json(m));
	json_object_set_new(o, "direction", json_string(sip_direction_name(m->direction)));
	json_object_set_new(
		o, "media_timeout_ms",
		json_integer(sends && !m->held ? p->call->centre->media_timeout_ms : 0));
	engine_leg_set(p->call->centre->engine, p->leg, o, NULL, NULL);
}

void party_note_end(struct party *p, const char *by, int status, int cause, const char *text)
{
	if (p->ended_by[0] != '\0')
		return;
	snprintf(p->ended_by, sizeof(p->ended_by), "%s", by);
	snprintf(p->ended_text, sizeof(p->ended_text), "%s", text ? text : "");
	p->ended_status = (uint16_t)(status > 0 && status < 1000 ? status : 0);
	p->ended_cause = (uint16_t)(cause > 0 && cause < 128 ? cause : 0);
	if (p->held_since_ms != 0)
		p->held_ms += clock_mono_ms() - p->held_since_ms;
	p->held_since_ms = 0;
}

static void keep_stats(struct party *p, const json_t *stats)
{
	struct call_quality *q = &p->call->record.quality;
	const json_t *rtt = json_object_get(stats, "rtt_ms"), *mos;

	if (!json_is_object(stats))
		return;
	json_decref(p->stats);
	p->stats = json_deep_copy(stats);
	if (p->role == PARTY_IS_AGENT)
		watch_sound(p, stats);
	if (p != p->call->customer)
		return;
	*q = (struct call_quality){
		.known = true,
		.rtt_known = json_is_number(rtt),
		.lost_share = json_number_value(json_object_get(stats, "lost_share")),
		.jitter_ms = json_number_value(json_object_get(stats, "jitter_ms")),
		.rtt_ms = json_number_value(rtt),
	};
	/* The engine's own score knows bursts, codec and jitter buffer. */
	mos = json_object_get(stats, "mos");
	q->mos = json_is_number(mos) ? json_number_value(mos)
				     : call_quality_mos(q->lost_share, q->jitter_ms, q->rtt_ms);
}

static void on_leg_closed(struct call *call, struct party *p, int err, const json_t *result,
			  const struct rpc_error *why)
{
	(void)call;
	(void)why;
	if (err == 0)
		keep_stats(p, json_object_get(result, "stats"));
	p->leg_wanted = false;
	party_gone(p);
}

static void close_leg(struct party *p)
{
	struct ticket *t;

	if (!p->leg_wanted || p->leg_closing)
		return;
	t = call_ticket_new(p->call, p, on_leg_closed);
	if (t == NULL ||
	    engine_leg_close(p->call->centre->engine, p->leg, call_ticket_reply, t) != 0) {
		call_ticket_drop(t);
		p->leg_wanted = false;
		return;
	}
	p->leg_closing = true;
}

void party_end(struct party *p, int status, int cause, const char *text)
{
	if (p->state == PARTY_FREE)
		return;
	party_note_end(p, "us", status, cause, text);
	if (p->nailed)
		nail_return(p);
	if (p->state != PARTY_ENDING) {
		p->state = PARTY_ENDING;
		if (p->ended_ms == 0)
			p->ended_ms = clock_wall_ms();
		if (p->sip != NULL)
			sip_call_end(p->sip, status, cause, text);
	}
	close_leg(p);
	party_gone(p);
}

void party_gone(struct party *p)
{
	struct call *call = p->call;
	struct centre *c = call->centre;
	char *stats;

	if (p->state != PARTY_ENDING || p->sip != NULL || p->leg_wanted)
		return;
	stats = p->stats ? json_dumps(p->stats, JSON_COMPACT) : NULL;
	if (c->store)
		store_leg(c->store, &(struct store_leg){.leg = p->leg,
							.call = call->id,
							.role = role_name(p),
							.party = p->number,
							.sip_call_id = p->sip_call_id,
							.started_ms = p->started_ms,
							.answered_ms = p->answered_ms,
							.ended_ms = p->ended_ms,
							.codec = p->codec,
							.remote = p->remote,
							.ended_by = p->ended_by,
							.ended_text = p->ended_text,
							.sip_status = p->ended_status,
							.q850 = p->ended_cause,
							.held_ms = p->held_ms,
							.stats = stats});
	free(stats);
	p->state = PARTY_FREE;
	if (call->customer == p)
		call->customer = NULL;
	if (call->agent == p)
		call->agent = NULL;
	if (call->dialled == p)
		call->dialled = NULL;
	if (call->supervisor == p)
		call->supervisor = NULL;
	if (call->consult.party == p)
		call->consult.party = NULL;
	call_finish(call);
}
