/* SPDX-License-Identifier: Apache-2.0
 *
 * Legs by their peer's address: chains in a table of hashes.
 *
 * A carrier's gateway is the peer of thousands of legs. The first of them asks for the way to it; the others take
 * it from one that knows, and when the next hop changes only the legs of that peer are gone through.
 */
#include <string.h>

#include "worker/worker_priv.h"

enum {
	LOOKED_AT = 16
}; /* who asks for the way is seldom more than a few legs behind who knows it */

size_t peer_table_bytes(uint32_t legs)
{
	uint32_t n = 16;

	while (n < legs)
		n *= 2;
	return n * sizeof(uint32_t);
}

void peer_table_init(struct worker *w, uint32_t *table, uint32_t legs)
{
	uint32_t n = (uint32_t)(peer_table_bytes(legs) / sizeof(uint32_t));

	w->media->peer = table;
	w->media->peer_mask = n - 1;
	for (uint32_t i = 0; i < n; i++)
		table[i] = LEG_INDEX_NONE;
}

/* Fibonacci hashing of both halves; who chooses addresses to collide only slows what is rare. */
static uint32_t *chain_of(const struct worker *w, uint8_t family, const uint8_t *ip)
{
	uint64_t half[2] = {0};

	memcpy(half, ip, family == 4 ? 4 : 16);
	half[0] = (half[0] ^ half[1] * 0xff51afd7ed558ccd) * 0x9e3779b97f4a7c15;
	return &w->media->peer[(uint32_t)(half[0] >> 32) & w->media->peer_mask];
}

void peer_join(struct worker *w, struct leg *l)
{
	struct leg_media *m = worker_leg_media(w, l);
	uint32_t i = (uint32_t)(l - w->legs.leg), *first;

	if (l->way.family == 0)
		return;
	first = chain_of(w, l->way.family, l->way.ip);
	m->peer_before = LEG_INDEX_NONE;
	m->peer_next = *first;
	if (*first != LEG_INDEX_NONE)
		w->legs.media[*first].peer_before = i;
	*first = i;
}

void peer_leave(struct worker *w, struct leg *l)
{
	const struct leg_media *m = worker_leg_media(w, l);

	if (l->way.family == 0)
		return;
	if (m->peer_next != LEG_INDEX_NONE)
		w->legs.media[m->peer_next].peer_before = m->peer_before;
	if (m->peer_before != LEG_INDEX_NONE)
		w->legs.media[m->peer_before].peer_next = m->peer_next;
	else
		*chain_of(w, l->way.family, l->way.ip) = m->peer_next;
}

static bool same_peer(const struct leg *l, uint8_t family, const uint8_t *ip)
{
	return l->way.family == family && memcmp(l->way.ip, ip, family == 4 ? 4 : 16) == 0;
}

void peer_way_take(struct worker *w, struct leg *l)
{
	struct leg_media *m = worker_leg_media(w, l);
	unsigned looked = 0;

	if (l->way.family == 0)
		return;
	for (uint32_t i = *chain_of(w, l->way.family, l->way.ip);
	     i != LEG_INDEX_NONE && looked < LOOKED_AT; i = w->legs.media[i].peer_next, looked++) {
		const struct leg_media *other = &w->legs.media[i];

		if (&w->legs.leg[i] == l || !same_peer(&w->legs.leg[i], l->way.family, l->way.ip))
			continue;
		memcpy(m->mac, other->mac, sizeof(m->mac));
		m->mac_known = other->mac_known;
		if (!m->mac_known)
			m->asked_ns = other->asked_ns; /* the answer comes to all */
		return;
	}
}

void peer_way(struct worker *w, uint8_t family, const uint8_t *ip, const uint8_t mac[6])
{
	for (uint32_t i = *chain_of(w, family, ip); i != LEG_INDEX_NONE;
	     i = w->legs.media[i].peer_next) {
		struct leg_media *m = &w->legs.media[i];

		if (!same_peer(&w->legs.leg[i], family, ip) ||
		    (m->mac_known && memcmp(m->mac, mac, sizeof(m->mac)) == 0))
			continue;
		memcpy(m->mac, mac, sizeof(m->mac));
		m->mac_known = true;
		way_make(w, &w->legs.leg[i]);
	}
}
