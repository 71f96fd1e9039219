/* SPDX-License-Identifier: Apache-2.0
 *
 * The way to a leg's peer: headers made once per change and copied in front of each packet.
 *
 * The next hop's link address comes from main, which knows routes and neighbours; the first valid packet
 * of the peer gives it as well, and usually sooner: what brought it to us leads back.
 */
#include <string.h>

#include "base/units.h"
#include "port/port.h"
#include "worker/worker_priv.h"

/* Where RTCP goes: what was signalled, else next to RTP (RFC 3550, 11), or to the same port when the
 * peer multiplexes (RFC 5761). */
static void rtcp_target(const struct leg *l, const struct leg_media *m, const uint8_t **ip,
			uint16_t *port)
{
	bool signalled = m->cfg.remote_rtcp.family == l->way.family &&
			 m->cfg.remote.port == l->way.port &&
			 memcmp(m->cfg.remote.ip, l->way.ip, sizeof(l->way.ip)) == 0;

	*ip = signalled ? m->cfg.remote_rtcp.ip : l->way.ip;
	if (m->rtcp_mux)
		*port = l->way.port;
	else if (m->rtcp_port != 0)
		*port = m->rtcp_port;
	else
		*port = signalled ? m->cfg.remote_rtcp.port : (uint16_t)(l->way.port + 1);
}

void way_make(struct worker *w, struct leg *l)
{
	struct leg_media *m = worker_leg_media(w, l);
	const struct net_own *own = w->cfg.lane->own;
	const uint8_t *ip;
	uint16_t port;

	if (l->way.family == 0 || !m->mac_known) {
		l->head.len = 0;
		m->rtcp_head.len = 0;
		return;
	}
	net_head_make(&l->head, own, l->way.family, l->way.local_port, l->way.ip, l->way.port,
		      m->mac);
	rtcp_target(l, m, &ip, &port);
	net_head_make(&m->rtcp_head, own, l->way.family,
		      (uint16_t)(m->rtcp_mux ? l->way.local_port : l->way.local_port + 1), ip, port,
		      m->mac);
}

void worker_neighbour_want(struct worker *w, struct leg *l)
{
	struct leg_media *m = worker_leg_media(w, l);

	if (l->way.family == 0 || !leg_is_open(l))
		return;
	if (m->asked_ns != 0 && w->now_ns - m->asked_ns < NEIGHBOUR_ASK_MS * PB_NS_PER_MS)
		return;
	m->asked_ns = w->now_ns;

	struct worker_event e = worker_leg_event(w, l, EVENT_NEIGHBOUR_WANTED);

	e.neighbour.family = l->way.family;
	e.neighbour.known = m->mac_known;
	memcpy(e.neighbour.ip, l->way.ip, sizeof(e.neighbour.ip));
	worker_event_put(w, &e);
}
