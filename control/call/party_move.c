/* SPDX-License-Identifier: Apache-2.0
 *
 * A phone's dialog goes on in another call. Its leg cannot: legs belong to a call of the engine. So a
 * leg is made in the other call, the phone is told its address by re-INVITE (what it sends meanwhile
 * finds nobody: one round trip of silence), and the slot in the call that it leaves ends without a
 * goodbye. A phone that still rings is told when it answers.
 */
#include "call/calls.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"

static void arrived(struct party *p)
{
	const struct sip_media *remote = sip_call_remote(p->sip);
	void (*then)(struct party * p) = p->moved_then;

	if (p->answered) {
		p->state = PARTY_UP;
		if (remote != NULL)
			party_apply_media(p, remote);
		party_srtp_again(p);
		sip_call_modify(p->sip, &p->local);
	} else {
		p->moved = true; /* told when it answers */
	}
	then(p);
}

struct party *party_move(struct party *from, struct call *to, enum party_role role,
			 void (*then)(struct party *p))
{
	struct party *p = party_new(to, role, from->number, from->agent);

	must(from->sip != NULL && from->call != to);
	if (p == NULL)
		return NULL;
	p->answered = from->answered;
	p->answered_ms = from->answered ? p->started_ms : 0;
	p->held = from->held;
	p->incoming = from->incoming;
	p->nailed = from->nailed;
	from->nailed = false;
	memcpy(p->at, from->at, sizeof(p->at));
	p->ring_ms = from->ring_ms;
	p->confirmed = from->confirmed;
	memcpy(p->at, from->at, sizeof(p->at));
	p->moved_then = then;
	party_take_dialog(p, from);
	return p;
}

void party_move_open(struct party *p)
{
	party_open(p, arrived);
}
