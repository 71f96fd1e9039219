/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers are made in place: swap who speaks with who listens, change the type, renew the checksum.
 * A VLAN tag, when there is one, stays where it is, so `at` (where the network layer starts) is
 * carried along instead of being a constant.
 */
#include "net/neigh.h"

#include <string.h>

#include "base/units.h"

enum {
	ARP_REQUEST = 1,
	ARP_REPLY = 2,
	ARP_BYTES = 28,
	ICMP_ECHO = 8,
	ICMP_ECHO_REPLY = 0,
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	ND_SOLICIT = 135,
	ND_ADVERT = 136,
	ND_BYTES = 24,
	ND_OPTION_SOURCE = 1,
	ND_OPTION_TARGET = 2,
	ND_HOPS = 255, /* not forwarded by any router (RFC 4861, 7.1.1) */
};

static const uint8_t unspecified[16];

static void learn(struct neigh_news *news, const struct net_own *own, uint8_t family,
		  const uint8_t *ip, const uint8_t *mac)
{
	bool group = (mac[0] & 1) != 0;

	if (group ||
	    memcmp(ip, family == 4 ? own->ip4_addr : own->ip6_addr, family == 4 ? 4 : 16) == 0 ||
	    memcmp(ip, unspecified, family == 4 ? 4 : 16) == 0 || !net_on_link(own, family, ip))
		return;
	news->learned = true;
	news->family = family;
	memset(news->ip, 0, sizeof(news->ip));
	memcpy(news->ip, ip, family == 4 ? 4 : 16);
	memcpy(news->mac, mac, 6);
}

static void turn_ether(const struct net_own *own, uint8_t *p)
{
	memcpy(p, p + 6, 6);
	memcpy(p + 6, own->mac, 6);
}

static void arp(struct neigh_news *news, const struct net_own *own, uint8_t *p, uint16_t at,
		uint16_t len)
{
	static const uint8_t ether_ip4[6] = {0, 1, 8, 0, 6, 4};
	uint8_t *a = p + at;

	if (!own->ip4 || len - at < ARP_BYTES || memcmp(a, ether_ip4, 6) != 0)
		return;

	bool announced = memcmp(a + 14, a + 24, 4) == 0; /* to all: here I am (RFC 5227, 3) */
	bool asked = memcmp(a + 24, own->ip4_addr, 4) == 0;

	if (!announced && !asked)
		return;

	uint16_t op = be16_get(a + 6);

	if (op != ARP_REQUEST && op != ARP_REPLY)
		return;
	learn(news, own, 4, a + 14, a + 8);
	if (op == ARP_REPLY || !asked)
		return;
	turn_ether(own, p);
	be16_put(a + 6, ARP_REPLY);
	memcpy(a + 18, a + 8, 10);
	memcpy(a + 8, own->mac, 6);
	memcpy(a + 14, own->ip4_addr, 4);
	news->reply = true;
	news->len = (uint16_t)(at + ARP_BYTES);
}

static void echo4(struct neigh_news *news, const struct net_own *own, uint8_t *p, uint16_t at,
		  uint16_t len)
{
	uint8_t *ip = p + at;

	if (len - at < NET_IP4_BYTES)
		return;

	uint16_t head = (uint16_t)((ip[0] & 0xf) * 4);
	uint16_t total = be16_get(ip + 2);

	if (head < NET_IP4_BYTES || total > len - at || total < head + 8 || total > NEIGH_ECHO_MAX)
		return;

	uint8_t *icmp = ip + head;
	uint16_t icmp_len = (uint16_t)(total - head);

	if (ip[9] != NET_PROTO_ICMP || icmp[0] != ICMP_ECHO || icmp[1] != 0 ||
	    memcmp(ip + 16, own->ip4_addr, 4) != 0 || net_sum_fold(net_sum(0, icmp, icmp_len)) != 0)
		return;
	turn_ether(own, p);
	memcpy(ip + 16, ip + 12, 4);
	memcpy(ip + 12, own->ip4_addr, 4);
	ip[8] = 64;
	be16_put(ip + 10, 0);
	be16_put(ip + 10, net_sum_fold(net_sum(0, ip, head)));
	icmp[0] = ICMP_ECHO_REPLY;
	be16_put(icmp + 2, 0);
	be16_put(icmp + 2, net_sum_fold(net_sum(0, icmp, icmp_len)));
	news->reply = true;
	news->len = (uint16_t)(at + total);
}

/* The ICMPv6 checksum covers the pseudo-header (RFC 4443, 2.3). */
static uint16_t icmp6_sum(const uint8_t *ip, uint16_t icmp_len)
{
	uint32_t sum = net_sum((uint32_t)icmp_len + NET_PROTO_ICMP6, ip + 8, 32);

	return net_sum_fold(net_sum(sum, ip + NET_IP6_BYTES, icmp_len));
}

static void icmp6_seal(uint8_t *ip, uint16_t icmp_len)
{
	be16_put(ip + 4, icmp_len);
	be16_put(ip + NET_IP6_BYTES + 2, 0);
	be16_put(ip + NET_IP6_BYTES + 2, icmp6_sum(ip, icmp_len));
}

/* The link address in the options behind `icmp[ND_BYTES]`, or NULL. An option of length zero makes the
 * whole message invalid (RFC 4861, 4.6). */
static const uint8_t *nd_option(const uint8_t *icmp, uint16_t icmp_len, uint8_t kind)
{
	const uint8_t *mac = NULL;

	for (uint16_t at = ND_BYTES; at + 8 <= icmp_len;) {
		uint16_t len = (uint16_t)(icmp[at + 1] * 8);

		if (len == 0 || len > icmp_len - at)
			return NULL;
		if (icmp[at] == kind)
			mac = icmp + at + 2;
		at = (uint16_t)(at + len);
	}
	return mac;
}

static void solicited(struct neigh_news *news, const struct net_own *own, uint8_t *p, uint16_t at,
		      uint16_t icmp_len, uint16_t room)
{
	uint8_t *ip = p + at;
	uint8_t *icmp = ip + NET_IP6_BYTES;
	bool probe = memcmp(ip + 8, unspecified, 16) == 0; /* duplicate address detection */

	if (memcmp(icmp + 8, own->ip6_addr, 16) != 0 || at + NET_IP6_BYTES + ND_BYTES + 8 > room)
		return;
	if (!probe) {
		const uint8_t *mac = nd_option(icmp, icmp_len, ND_OPTION_SOURCE);

		learn(news, own, 6, ip + 8, mac != NULL ? mac : p + 6);
	}
	turn_ether(own, p);
	if (probe) { /* all nodes */
		static const uint8_t all[16] = {0xff, 2, [15] = 1};

		memcpy(p, (const uint8_t[6]){0x33, 0x33, 0, 0, 0, 1}, 6);
		memcpy(ip + 24, all, 16);
	} else {
		memcpy(ip + 24, ip + 8, 16);
	}
	memcpy(ip + 8, own->ip6_addr, 16);
	ip[7] = ND_HOPS;
	icmp[0] = ND_ADVERT;
	icmp[1] = 0;
	be32_put(icmp + 4, probe ? UINT32_C(1) << 29 : UINT32_C(3) << 29); /* solicited, override */
	icmp[ND_BYTES] = ND_OPTION_TARGET;
	icmp[ND_BYTES + 1] = 1;
	memcpy(icmp + ND_BYTES + 2, own->mac, 6);
	icmp6_seal(ip, ND_BYTES + 8);
	news->reply = true;
	news->len = (uint16_t)(at + NET_IP6_BYTES + ND_BYTES + 8);
}

static void icmp6(struct neigh_news *news, const struct net_own *own, uint8_t *p, uint16_t at,
		  uint16_t len, uint16_t room)
{
	uint8_t *ip = p + at;

	if (!own->ip6 || len - at < NET_IP6_BYTES + 8)
		return;

	uint8_t *icmp = ip + NET_IP6_BYTES;
	uint16_t icmp_len = be16_get(ip + 4);

	if (ip[6] != NET_PROTO_ICMP6 || icmp_len > len - at - NET_IP6_BYTES || icmp_len < 8 ||
	    icmp6_sum(ip, icmp_len) != 0)
		return;

	bool nd = icmp_len >= ND_BYTES && ip[7] == ND_HOPS && icmp[1] == 0;

	if (icmp[0] == ND_SOLICIT && nd) {
		solicited(news, own, p, at, icmp_len, room);
	} else if (icmp[0] == ND_ADVERT && nd) {
		const uint8_t *mac = nd_option(icmp, icmp_len, ND_OPTION_TARGET);

		learn(news, own, 6, icmp + 8, mac != NULL ? mac : p + 6);
	} else if (icmp[0] == ICMP6_ECHO && memcmp(ip + 24, own->ip6_addr, 16) == 0 &&
		   icmp_len + NET_IP6_BYTES <= NEIGH_ECHO_MAX) {
		turn_ether(own, p);
		memcpy(ip + 24, ip + 8, 16);
		memcpy(ip + 8, own->ip6_addr, 16);
		ip[7] = 64;
		icmp[0] = ICMP6_ECHO_REPLY;
		icmp6_seal(ip, icmp_len);
		news->reply = true;
		news->len = (uint16_t)(at + NET_IP6_BYTES + icmp_len);
	}
}

void neigh_local(struct neigh_news *news, const struct net_own *own, uint8_t *p, uint16_t len,
		 uint16_t room)
{
	uint16_t at = NET_ETHER_BYTES;

	*news = (struct neigh_news){.reply = false};
	if (len > room || len < NET_ETHER_BYTES + 4)
		return;

	uint16_t type = be16_get(p + 12);

	if (type == NET_ETHERTYPE_VLAN) {
		type = be16_get(p + 16);
		at = (uint16_t)(at + 4);
	}
	if (type == NET_ETHERTYPE_ARP)
		arp(news, own, p, at, len);
	else if (type == NET_ETHERTYPE_IP4 && own->ip4)
		echo4(news, own, p, at, len);
	else if (type == NET_ETHERTYPE_IP6)
		icmp6(news, own, p, at, len, room);
}

static uint16_t ask_arp(const struct net_own *own, const uint8_t *ip, uint8_t *p)
{
	uint8_t *a = p + NET_ETHER_BYTES;

	memset(p, 0xff, 6);
	be16_put(p + 12, NET_ETHERTYPE_ARP);
	be16_put(a, 1);
	be16_put(a + 2, NET_ETHERTYPE_IP4);
	a[4] = 6;
	a[5] = 4;
	be16_put(a + 6, ARP_REQUEST);
	memcpy(a + 8, own->mac, 6);
	memcpy(a + 14, own->ip4_addr, 4);
	memcpy(a + 24, ip, 4);
	return NET_ETHER_BYTES + ARP_BYTES;
}

static uint16_t ask_nd(const struct net_own *own, const uint8_t *target, uint8_t *p)
{
	uint8_t *ip = p + NET_ETHER_BYTES;
	uint8_t *icmp = ip + NET_IP6_BYTES;

	memcpy(p, (const uint8_t[6]){0x33, 0x33, 0xff, target[13], target[14], target[15]}, 6);
	be16_put(p + 12, NET_ETHERTYPE_IP6);
	be32_put(ip, UINT32_C(6) << 28);
	ip[6] = NET_PROTO_ICMP6;
	ip[7] = ND_HOPS;
	memcpy(ip + 8, own->ip6_addr, 16);
	/* The solicited-node address (RFC 4291, 2.7.1). */
	memcpy(ip + 24, (const uint8_t[13]){0xff, 2, [11] = 1, [12] = 0xff}, 13);
	memcpy(ip + 37, target + 13, 3);
	icmp[0] = ND_SOLICIT;
	memcpy(icmp + 8, target, 16);
	icmp[ND_BYTES] = ND_OPTION_SOURCE;
	icmp[ND_BYTES + 1] = 1;
	memcpy(icmp + ND_BYTES + 2, own->mac, 6);
	icmp6_seal(ip, ND_BYTES + 8);
	return NET_ETHER_BYTES + NET_IP6_BYTES + ND_BYTES + 8;
}

uint16_t neigh_ask(const struct net_own *own, uint8_t family, const uint8_t *ip, uint8_t *p)
{
	uint16_t len;

	memset(p, 0, NEIGH_FRAME_MIN);
	memcpy(p + 6, own->mac, 6);
	len = family == 4 ? ask_arp(own, ip, p) : ask_nd(own, ip, p);
	return own->vlan == 0 ? len : net_vlan_put(p, len, own->vlan);
}
