/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands about recordings, and what becomes of them when their leg or call closes.
 */
#include <errno.h>
#include <string.h>

#include "worker/worker_priv.h"

static struct call_recording *find(struct worker_call *call, const uint8_t id[16])
{
	for (unsigned i = 0; i < CALL_RECORDINGS_MAX; i++)
		if (call->recording[i].tap != NULL &&
		    memcmp(call->recording[i].id, id, sizeof(call->recording[i].id)) == 0)
			return &call->recording[i];
	return NULL;
}

/* Tell the packet path which legs are tapped, and by what when that is one recording only. */
static void taps_apply(struct worker *w, struct worker_call *call)
{
	for (unsigned s = 0; s < worker_call_slots(call); s++) {
		struct leg *l = worker_call_leg(w, call, s);
		struct rec_tap *tap = NULL;
		unsigned n = 0;

		if (l == NULL)
			continue;
		for (unsigned i = 0; i < CALL_RECORDINGS_MAX; i++) {
			if (call->recording[i].tap == NULL ||
			    call->recording[i].leg != leg_index(&w->legs, l))
				continue;
			tap = call->recording[i].tap;
			n++;
		}
		l->in.flags =
			(uint16_t)(n > 0 ? l->in.flags | LEG_IN_TAP : l->in.flags & ~LEG_IN_TAP);
		l->out.flags =
			(uint8_t)(n > 0 ? l->out.flags | LEG_OUT_TAP : l->out.flags & ~LEG_OUT_TAP);
		l->in.tap = l->out.tap = n == 1 ? tap : NULL;
	}
}

static bool types_secretly(const struct worker *w, const struct leg *l)
{
	const struct leg_media *m = l != NULL ? worker_leg_media(w, l) : NULL;

	return m != NULL && collect_runs(m) && m->collect.secret;
}

/* The slots that the leg in slot `s` hears. */
static uint16_t heard_by(const struct worker_call *call, unsigned s)
{
	const struct plan_leg *p = &call->plan.leg[s];
	uint16_t set = 0;

	if (p->kind == LEG_PLAN_RELAY)
		set = (uint16_t)(1U << p->relay_of);
	for (unsigned i = 0; p->kind == LEG_PLAN_MIX && i < p->speakers; i++)
		set |= (uint16_t)(1U << p->speaker[i].slot);
	return set;
}

static bool hears(const struct worker_call *call, uint16_t heard, unsigned slot)
{
	return call->is_room || (heard >> slot & 1) != 0;
}

/* What of the recording of this leg is secret now. A phone that sends telephone-events often leaves
 * the tones in the sound as well; and who is heard may repeat the digits. */
static uint8_t secrets_of(const struct worker *w, const struct worker_call *call,
			  const struct leg *l)
{
	uint16_t heard = call->is_room ? 0 : heard_by(call, worker_leg_media(w, l)->slot);
	uint8_t channels = 0;

	if (types_secretly(w, l))
		channels = REC_MASK_SAID | (call->is_room || heard != 0 ? REC_MASK_HEARD : 0);
	for (unsigned o = 0; o < worker_call_slots(call); o++) {
		const struct leg *other = worker_call_leg(w, call, o);

		if (other != l && hears(call, heard, o) && types_secretly(w, other))
			channels |= REC_MASK_HEARD;
	}
	return channels;
}

void record_secrets(struct worker *w, struct worker_call *call)
{
	for (unsigned i = 0; i < CALL_RECORDINGS_MAX; i++) {
		struct call_recording *r = &call->recording[i];

		if (r->tap != NULL)
			rec_tap_mask(r->tap, REC_MASK_SECRET,
				     r->leg != LEG_INDEX_NONE
					     ? secrets_of(w, call, leg_at(&w->legs, r->leg))
					     : 0,
				     "digits are collected in secret", w->now_ns);
	}
}

static int start(struct worker *w, struct worker_call *call, const struct worker_command *c)
{
	struct leg *l = command_leg(w, c->leg);
	struct call_recording *r = NULL;

	if (l == NULL || worker_call_of(w, l) != call)
		return -ESTALE;
	if (w->cfg.rec == NULL)
		return -ENODEV;
	if (find(call, c->record.id) != NULL)
		return -EEXIST;
	for (unsigned i = 0; i < CALL_RECORDINGS_MAX && r == NULL; i++)
		if (call->recording[i].tap == NULL)
			r = &call->recording[i];
	if (r == NULL)
		return -ENOSPC;

	int err = rec_tap_open(w->cfg.rec, c->record.id, c->record.text, w->now_ns, &r->tap);

	if (err != 0) {
		r->tap = NULL;
		return err;
	}
	memcpy(r->id, c->record.id, sizeof(r->id));
	r->leg = leg_index(&w->legs, l);
	taps_apply(w, call);
	record_secrets(w, call);
	return 0;
}

static void end(struct worker *w, struct worker_call *call, struct call_recording *r,
		enum record_end why, struct recording_account *account)
{
	struct worker_event e = {.kind = EVENT_RECORD_DONE, .call = worker_call_ref(w, call)};
	enum recording_end reason =
		why == RECORD_END_STOPPED ? RECORDING_END_STOPPED : RECORDING_END_CALL_CLOSED;

	memset(&e.record, 0, sizeof(e.record));
	memcpy(e.record.id, r->id, sizeof(e.record.id));
	e.record.why = why;
	rec_tap_close(r->tap, reason, w->now_ns, &e.record.account);
	r->tap = NULL;
	if (account != NULL)
		*account = e.record.account;
	mailbox_done(w, &e);
}

/* START: -ESTALE call or leg gone, -ENODEV no recorder, -EEXIST, -ENOSPC, or as of rec_tap_open().
 * The others: -ESTALE, -ENOENT no such recording in this call; MARK also as of rec_tap_mark().
 * STOP tells RECORD_DONE before the reply; both have the account. */
int command_record(struct worker *w, const struct worker_command *c, struct worker_event *e)
{
	struct worker_call *call = command_call(w, c->call);

	if (call == NULL)
		return -ESTALE;
	if (c->kind == COMMAND_RECORD_START)
		return start(w, call, c);

	struct call_recording *r = find(call, c->record.id);
	int err = 0;

	if (r == NULL)
		return -ENOENT;
	if (c->kind == COMMAND_RECORD_STOP) {
		end(w, call, r, RECORD_END_STOPPED, &e->account);
		taps_apply(w, call);
		return 0;
	}
	if (c->kind == COMMAND_RECORD_PAUSE)
		rec_tap_pause(r->tap, w->now_ns);
	else if (c->kind == COMMAND_RECORD_RESUME)
		rec_tap_resume(r->tap, w->now_ns);
	else if (c->kind == COMMAND_RECORD_MASK)
		rec_tap_mask(r->tap, REC_MASK_REQUEST, c->record.channels, c->record.text,
			     w->now_ns);
	else
		err = rec_tap_mark(r->tap, w->now_ns, c->record.text);
	rec_tap_account(r->tap, w->now_ns, &e->account);
	return err;
}

void record_leg_closed(struct worker_call *call, uint32_t leg)
{
	for (unsigned i = 0; i < CALL_RECORDINGS_MAX; i++)
		if (call->recording[i].leg == leg)
			call->recording[i].leg = LEG_INDEX_NONE;
}

void record_call_closed(struct worker *w, struct worker_call *call)
{
	for (unsigned i = 0; i < CALL_RECORDINGS_MAX; i++)
		if (call->recording[i].tap != NULL)
			end(w, call, &call->recording[i], RECORD_END_CALL_CLOSED, NULL);
}
