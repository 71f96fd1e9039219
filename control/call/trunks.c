/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls outside: which trunk a number takes, what the trunk is told of the caller, and the next trunk when
 * one fails before anything rang.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "call/calls.h"
#include "call/emergency.h"
#include "call/outbound.h"
#include "sip/sip_trunk.h"

int centre_trunks(struct centre *c)
{
	struct sip_trunk_setup setup[CONFIG_TRUNKS_MAX];

	for (unsigned i = 0; i < c->config->n_trunks; i++) {
		const struct config_trunk *k = &c->config->trunks[i];

		setup[i] = (struct sip_trunk_setup){
			.name = k->name,
			.host = k->host,
			.port = k->port,
			.srv = k->srv,
			.transport = (enum sip_transport)k->transport,
			.prefix = k->prefix,
			.priority = k->priority,
			.weight = k->weight,
			.trusted = k->trusted,
			.user = k->user,
			.registers = k->registers,
			.expires_s = k->register_s,
			.options_s = k->options_s,
			.unverified = !k->tls_verify,
		};
	}
	return sip_stack_trunks(c->sip, setup, c->config->n_trunks);
}

void centre_trunk_changed(void *arg, const char *trunk, bool down, const char *why)
{
	struct centre *c = arg;
	char area[48], text[160];

	snprintf(area, sizeof(area), "trunk %s", trunk);
	snprintf(text, sizeof(text), "%s", why);
	centre_alarm(c, area, down, text);
}

static void add_row(const struct sip_trunk_view *v, void *arg)
{
	json_t *o =
		json_pack("{s:s,s:s,s:s,s:i,s:s,s:s,s:b,s:i,s:s,s:i}", "trunk", v->name, "host",
			  v->host, "address", v->address, "port", (int)v->port, "transport",
			  sip_transport_name(v->transport), "state", sip_trunk_state_name(v->state),
			  "registers", v->registers, "registered_s", (int)v->registered_s, "why",
			  v->why, "retry_s", (int)v->retry_s);

	if (o == NULL)
		return;
	json_object_set_new(o, "calls_in", json_integer((json_int_t)v->calls_in));
	json_object_set_new(o, "calls_out", json_integer((json_int_t)v->calls_out));
	json_object_set_new(o, "failures", json_integer((json_int_t)v->failures));
	json_object_set_new(o, "registrations", json_integer((json_int_t)v->registrations));
	json_object_set_new(o, "register_failures", json_integer((json_int_t)v->register_failures));
	json_array_append_new(arg, o);
}

json_t *view_trunk_rows(const struct centre *c)
{
	json_t *list = json_array();

	sip_trunk_each(c->sip, add_row, list);
	return list;
}

/* --- one call --- */

bool call_withheld(const struct call *call)
{
	return strcmp(call->record.from, CALL_WITHHELD) == 0;
}

/* Whose call we send on, and who vouches for the caller. */
static void tell(const struct party *p, const struct config_trunk *k, struct sip_invite *inv)
{
	const struct call *call = p->call;
	const struct party *customer = call->customer;
	const struct sip_call_info *caller =
		customer != NULL && customer != p && customer->incoming && customer->sip != NULL
			? sip_call_info(customer->sip)
			: NULL;

	inv->withheld = call_withheld(call);
	if (k->trusted && inv->asserted == NULL && caller != NULL && customer->agent < 0)
		inv->asserted = caller->asserted[0] ? caller->asserted : caller->from_user;
	if (caller != NULL && call->record.kind == CALL_IN && customer->agent < 0)
		inv->diverted = call->record.to;
}

bool trunk_over_ip6(const struct party *p)
{
	const struct centre *c = p->call->centre;
	const struct config_emergency *e = &c->config->emergency;
	int i;

	if (p->call->emergency)
		i = e->n_trunks > 0 ? (int)e->trunk[0] : 0;
	else
		i = sip_trunk_choose(c->sip, p->at[0] != '\0' ? p->at : p->number, 0);
	return i >= 0 && sip_trunk_over_ip6(c->sip, (unsigned)i);
}

/* The best trunk that was not tried: one of the family that the leg's media have, else any, for there are
 * carriers who bridge the two. */
static int choose(const struct party *p, const char *number)
{
	const struct centre *c = p->call->centre;
	bool ip6 = strchr(p->local.ip, ':') != NULL;
	uint64_t other = 0;
	int i;

	while ((i = sip_trunk_choose(c->sip, number, p->trunks_tried | other)) >= 0) {
		if (sip_trunk_over_ip6(c->sip, (unsigned)i) == ip6)
			return i;
		other |= UINT64_C(1) << i;
	}
	return sip_trunk_choose(c->sip, number, p->trunks_tried);
}

int trunk_invite(struct party *p, struct sip_invite *inv,
		 int (*send)(struct party *p, struct sip_invite *inv))
{
	struct centre *c = p->call->centre;
	struct sip_invite through;
	int err = -EHOSTUNREACH;

	for (;;) {
		int i = inv->urgent ? emergency_trunk(c, p->trunks_tried) : choose(p, inv->user);

		if (i < 0 || (unsigned)i >= c->config->n_trunks)
			return err;
		p->trunks_tried |= UINT64_C(1) << i;
		if (!inv->urgent && outbound_trunk_full(c, (unsigned)i)) {
			log_info("call", "[call=%s] trunk %s has %u calls", p->call->id,
				 c->config->trunks[i].name, c->config->trunks[i].calls_max);
			err = -EBUSY;
			continue;
		}
		p->trunk = (uint8_t)i;
		p->outside = true;
		through = *inv;
		through.trunk = c->config->trunks[i].name;
		through.require_100rel = c->config->trunks[i].require_100rel;
		tell(p, &c->config->trunks[i], &through);
		party_srtp_invite(p, inv->user, &c->config->trunks[i]);
		err = send(p, &through);
		if (err == 0)
			return 0;
		log_warn("call", "[call=%s] trunk %s cannot be used: %s", p->call->id,
			 through.trunk, strerror(-err));
	}
}

bool trunk_next(struct party *p, const struct sip_call_event *ev)
{
	bool trouble = p->call->emergency || (ev->status >= 500 && ev->status < 600) ||
		       (ev->status == 408 && ev->cause != SIP_CAUSE_NO_ANSWER);

	if (!p->outside || p->answered || (p->heard && !p->call->emergency) || !trouble ||
	    p->state != PARTY_RINGING)
		return false;
	log_info("call", "[call=%s] %s by another trunk after %d", p->call->id, p->number,
		 ev->status);
	return party_invite_again(p) == 0;
}
