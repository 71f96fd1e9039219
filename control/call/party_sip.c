/* SPDX-License-Identifier: Apache-2.0
 *
 * A party's SIP dialog: its events go on by the party's part in the call. What media they settle become of the engine's leg
 * is party.c's.
 */
#include "call/conference.h"
#include "call/consult.h"
#include "call/emergency.h"
#include "call/nail.h"
#include "call/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "call/journal.h"
#include "sip/sip_store.h"

static void count_held(struct party *p)
{
	uint64_t now_ms = clock_mono_ms();

	if (p->held && p->held_since_ms == 0)
		p->held_since_ms = now_ms;
	if (!p->held && p->held_since_ms != 0) {
		p->held_ms += now_ms - p->held_since_ms;
		p->held_since_ms = 0;
	}
}

static void media_changed(struct party *p, const struct sip_media *m)
{
	bool held;

	if (m == NULL)
		return;
	held = m->held || m->direction == SIP_RECVONLY || m->direction == SIP_INACTIVE;
	party_apply_media(p, m);
	if (held != p->held) {
		p->held = held;
		count_held(p);
		talk_held(p, held);
		if (p == p->call->customer)
			conference_held(p->call);
	}
}

void party_confirmed(struct party *p)
{
	struct call *call = p->call;

	p->confirmed = true;
	if (p->play_use == PLAY_CONFIRM)
		party_play_stop(p);
	if (call->record.kind == CALL_REMOTE)
		nail_up(p);
	else if (p->offered)
		queue_offer_answered(p);
	else if (p == call->dialled)
		dial_answered(p);
	else if (p == call->customer && call->callback.promised)
		callback_answered(p);
	else if (p == call->customer && call->room.name[0] != '\0')
		conference_answered(p);
	else if (p == call->consult.party)
		consult_answered(p);
	else if (p == call->supervisor)
		monitor_answered(p);
	else
		party_end(p, 0, 16, "not wanted any more");
}

void party_unconfirmed(struct party *p, bool lost)
{
	if (p == p->call->consult.party)
		consult_closed(p, 408); /* and below it is let go */
	if (p->call->record.kind == CALL_REMOTE)
		call_end(p->call, PARTY_SYSTEM, CALL_CAUSE_NO_ANSWER);
	else if (p->offered && lost)
		queue_offer_void(p, "no engine");
	else if (p->offered)
		queue_offer_failed(p, AGENT_MISS);
	else if (p == p->call->dialled)
		dial_closed(p, 408);
	else
		party_end(p, 0, SIP_CAUSE_NORMAL, "not wanted any more");
}

static void answered(struct party *p, const struct sip_media *m)
{
	if (p->state == PARTY_ENDING)
		return;
	if (!p->answered) {
		p->answered = true;
		p->answered_ms = clock_wall_ms();
	}
	p->state = PARTY_UP;
	if (m != NULL)
		party_apply_media(p, m);
	if (p->moved) {
		p->moved = false;
		party_srtp_again(p);
		sip_call_modify(p->sip, &p->local);
	}
	if (p->incoming)
		return; /* the ACK: what follows began with our answer */
	if ((p->offered || p == p->call->dialled || p == p->call->consult.party ||
	     p->call->record.kind == CALL_REMOTE) &&
	    remote_asks(p))
		return;
	party_confirmed(p);
}

static void digit(struct party *p, char key)
{
	if (p == p->call->agent && p->call->consult.state == CONSULT_NUMBER)
		consult_info_digit(p->call, key);
	else if (p == p->call->agent ||
		 (p == p->call->customer && p->agent >= 0 && p->call->agent != NULL))
		talk_key(p, key);
	else if (p == p->call->customer)
		flow_info_digit(p->call, key);
	else if (p == p->call->supervisor)
		monitor_digit(p, key);
}

/* The dialog is over. What that means to the call depends on the part; a party that we were
 * letting go of anyway means nothing more. */
static void closed(struct party *p, const struct sip_call_event *ev)
{
	struct call *call = p->call;
	bool ours = p->state == PARTY_ENDING;
	/* Nobody hung up: the phone does not answer any more. */
	bool timer = ev->cause == SIP_CAUSE_TIMER || ev->status == 408;

	p->sip = NULL;
	if (!ours && trunk_next(p, ev))
		return;
	if (!ours)
		party_note_end(p, ev->by_peer ? "peer" : "us", ev->status, ev->cause, ev->text);
	p->ended_ms = clock_wall_ms();
	if (ours) {
		party_gone(p);
		return;
	}
	if (p == call->customer && call->callback.promised && !call->answered) {
		callback_failed(p, ev->status ? ev->status : 480);
		return;
	}
	if (p == call->customer && call->room.name[0] != '\0' && !p->answered) {
		call_end(call, PARTY_SYSTEM, call_cause_of_sip((unsigned)ev->status));
		return;
	}
	if (p == call->customer) {
		call_end(call, timer ? PARTY_SYSTEM : PARTY_CUSTOMER,
			 timer ? CALL_CAUSE_UNREACHABLE : CALL_CAUSE_NORMAL);
		return;
	}
	if (p->offered) {
		queue_offer_closed(p, ev);
	} else if (p == call->dialled) {
		dial_closed(p, ev->status ? ev->status : 480);
	} else if (p == call->consult.party) {
		consult_closed(p, ev->status ? ev->status : 480);
		party_end(p, 0, 0, "");
	} else if (p == call->supervisor) {
		monitor_closed(p);
		party_end(p, 0, 0, "");
	} else if (p == call->agent) {
		/* The ACD first: without an engine the party is gone with the next line. */
		talk_agent_left(call, timer ? PARTY_SYSTEM : PARTY_AGENT);
		party_end(p, 0, 0, ""); /* no dialog any more: lets go of the leg */
	} else {
		party_end(p, 0, 0, "");
	}
}

static void on_sip(struct sip_call *sip, const struct sip_call_event *ev, void *arg)
{
	struct party *p = arg;
	struct call *call = p->call;

	(void)sip;
	switch (ev->kind) {
	case SIP_CALL_RINGING:
		p->heard = true;
		break;
	case SIP_CALL_EARLY_MEDIA:
		p->heard = true;
		if (p->state == PARTY_RINGING && ev->media != NULL)
			dial_early(p, ev->media);
		break;
	case SIP_CALL_REFRESHED:
		break;
	case SIP_CALL_ANSWERED:
		answered(p, ev->media);
		break;
	case SIP_CALL_MEDIA:
		if (p->state == PARTY_UP)
			media_changed(p, ev->media);
		break;
	case SIP_CALL_MODIFY_FAILED:
		log_warn("call", "[call=%s] %s refused a change of media: %d", p->call->id,
			 p->number, ev->status);
		break;
	case SIP_CALL_REFER:
		transfer_refer(p, ev->refer);
		break;
	case SIP_CALL_TRANSFER: /* we never ask a phone to transfer */
		break;
	case SIP_CALL_DTMF:
		digit(p, ev->digit);
		break;
	case SIP_CALL_CLOSED:
		closed(p, ev);
		break;
	}
	journal_touch(call); /* over it may be, but it is freed from the loop only */
}

static void remember_dialog(struct party *p)
{
	const char *id = sip_call_info(p->sip)->call_id;

	snprintf(p->sip_call_id, sizeof(p->sip_call_id), "%.*s", (int)sizeof(p->sip_call_id) - 1,
		 id);
}

struct party *party_of(struct sip_call *sip)
{
	return sip_call_owner(sip, on_sip);
}

void party_take_dialog(struct party *p, struct party *from)
{
	p->sip = from->sip;
	from->sip = NULL;
	sip_call_attach(p->sip, on_sip, p);
	remember_dialog(p);
	memcpy(p->codec, from->codec, sizeof(p->codec));
	memcpy(p->remote, from->remote, sizeof(p->remote));
}

int party_restore(struct party *p, const json_t *dialog, const char *password)
{
	return sip_call_kept(&p->sip, p->call->centre->sip, dialog, password, clock_wall_ms(),
			     on_sip, p);
}

void party_attach(struct party *p, struct sip_call *sip)
{
	p->sip = sip;
	p->incoming = true;
	sip_call_attach(sip, on_sip, p);
	remember_dialog(p);
}

static int send_invite(struct party *p, struct sip_invite *inv)
{
	int err = sip_call_invite(&p->sip, p->call->centre->sip, inv, on_sip, p);

	if (err != 0) {
		p->sip = NULL;
		return err;
	}
	p->state = PARTY_RINGING;
	remember_dialog(p);
	return 0;
}

int party_invite_again(struct party *p)
{
	const struct call *call = p->call;
	const char *shown = emergency_caller_id(call);
	bool shows = shown[0] != '\0';
	struct sip_invite inv = {
		.user = p->dialled,
		.from_user = shows ? shown : call->record.from,
		.asserted = shows ? shown : NULL,
		.ring_timeout_ms = p->ring_ms,
		.local = &p->local,
		.urgent = call->emergency,
	};

	p->sip = NULL;
	return trunk_invite(p, &inv, send_invite);
}

int party_invite(struct party *p, const char *user, const struct config_trunk *trunk,
		 uint32_t ring_ms)
{
	struct sip_invite inv = {
		.user = user,
		.from_user = p->call->record.from,
		.ring_timeout_ms = ring_ms,
		.local = &p->local,
		.withheld = call_withheld(p->call),
	};

	if (trunk == NULL) {
		party_srtp_invite(p, user, NULL);
		return send_invite(p, &inv);
	}
	p->ring_ms = ring_ms;
	snprintf(p->dialled, sizeof(p->dialled), "%s", user);
	return party_invite_again(p);
}

int party_answer(struct party *p)
{
	const struct sip_media *m;
	int err;

	if (p->answered)
		return 0;
	if (p->sip == NULL || !p->has_local)
		return -EPROTO;
	party_srtp_answer(p);
	err = sip_call_answer(p->sip, &p->local);
	if (err != 0) {
		log_warn("call", "[call=%s] answering %s: %s", p->call->id, p->number,
			 strerror(-err));
		return err;
	}
	p->answered = true;
	p->call->answered = p->call->answered || p == p->call->customer;
	p->answered_ms = clock_wall_ms();
	p->state = PARTY_UP;
	m = sip_call_remote(p->sip);
	if (m != NULL)
		party_apply_media(p, m);
	return 0;
}
