/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading goes outside in, and every layer narrows `end`: a length field may cut the frame shorter
 * (padding after a short IP packet is normal), never make it longer. The address is looked at
 * before fragments and protocols, so that the counters of a shared interface tell "not for us"
 * from "for us and bad".
 *
 * A head is written once per flow with its lengths zero. The IPv4 checksum field then holds the
 * folded sum of the rest, so that a packet costs one addition and no loop.
 */
#include "net/net.h"

#include <string.h>

#include "base/units.h"

enum {
	IP6_EXTENSIONS_MAX = 4,
	IP6_HOP_BY_HOP = 0,
	IP6_FRAGMENT = 44,
	IP6_DESTINATION = 60,
	DSCP_EF = 46,
	TTL = 64,
	VLAN_ID_MASK = 0xfff,
	VLAN_VOICE = 5 << 13,
};

static bool is_big_endian(void)
{
	const uint16_t one = 1;
	uint8_t first;

	memcpy(&first, &one, 1);
	return first == 0;
}

uint16_t net_sum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The sum is the same in either byte order but for a swap at the end (RFC 1071, 2.B). */
uint32_t net_sum(uint32_t sum, const uint8_t *p, uint32_t len)
{
	uint64_t acc = 0;

	for (; len >= 4; p += 4, len -= 4) {
		uint32_t word;

		memcpy(&word, p, 4);
		acc += word;
	}
	if (len > 0) {
		uint32_t word = 0;

		memcpy(&word, p, len);
		acc += word;
	}
	acc = (acc & 0xffffffff) + (acc >> 32);
	acc = (acc & 0xffff) + (acc >> 16);
	acc = (acc & 0xffff) + (acc >> 16);
	acc = (acc & 0xffff) + (acc >> 16);
	if (!is_big_endian())
		acc = (acc >> 8 | acc << 8) & 0xffff;
	return sum + (uint32_t)acc;
}

static enum net_verdict parse_udp(struct net_view *v, const struct net_view *ip, const uint8_t *p,
				  uint32_t at, uint32_t end)
{
	if (end - at < NET_UDP_BYTES)
		return NET_MALFORMED;

	uint16_t udp_len = be16_get(p + at + 4);

	if (udp_len < NET_UDP_BYTES || udp_len > end - at)
		return NET_MALFORMED;
	*v = *ip;
	v->src_port = be16_get(p + at);
	v->dst_port = be16_get(p + at + 2);
	v->payload_at = (uint16_t)(at + NET_UDP_BYTES);
	v->payload_len = (uint16_t)(udp_len - NET_UDP_BYTES);
	return NET_UDP;
}

static enum net_verdict parse_ip4(struct net_view *v, const struct net_own *own, const uint8_t *p,
				  uint32_t at, uint32_t end)
{
	const uint8_t *ip = p + at;

	if (end - at < NET_IP4_BYTES || ip[0] >> 4 != 4)
		return NET_MALFORMED;

	uint32_t head = (uint32_t)(ip[0] & 0xf) * 4;
	uint16_t total = be16_get(ip + 2);

	if (head < NET_IP4_BYTES || total < head || total > end - at ||
	    net_sum_fold(net_sum(0, ip, head)) != 0)
		return NET_MALFORMED;
	if (!own->ip4 || memcmp(ip + 16, own->ip4_addr, 4) != 0)
		return NET_NOT_OURS;
	if ((be16_get(ip + 6) & 0x3fff) != 0) /* more fragments, or an offset */
		return NET_FRAGMENT;
	if (ip[9] == NET_PROTO_ICMP && own->exclusive)
		return NET_LOCAL;
	if (ip[9] != NET_PROTO_UDP)
		return NET_NOT_OURS;
	return parse_udp(v,
			 &(struct net_view){
				 .src_mac = p + 6,
				 .src_ip = ip + 12,
				 .dst_ip = ip + 16,
				 .family = 4,
			 },
			 p, at + head, at + total);
}

/* Neighbour discovery asks by multicast; nothing else that is multicast concerns us. */
static bool is_own_ip6(const struct net_own *own, const uint8_t *dst)
{
	return own->ip6 &&
	       (memcmp(dst, own->ip6_addr, 16) == 0 || (own->exclusive && dst[0] == 0xff));
}

static enum net_verdict parse_ip6(struct net_view *v, const struct net_own *own, const uint8_t *p,
				  uint32_t at, uint32_t end)
{
	const uint8_t *ip = p + at;

	if (end - at < NET_IP6_BYTES || ip[0] >> 4 != 6)
		return NET_MALFORMED;

	uint16_t payload = be16_get(ip + 4);
	uint8_t next = ip[6];

	if (payload > end - at - NET_IP6_BYTES)
		return NET_MALFORMED;
	if (!is_own_ip6(own, ip + 24))
		return NET_NOT_OURS;
	at += NET_IP6_BYTES;
	end = at + payload;
	for (unsigned i = 0; next == IP6_HOP_BY_HOP || next == IP6_DESTINATION; i++) {
		if (end - at < 8 || ((uint32_t)p[at + 1] + 1) * 8 > end - at)
			return NET_MALFORMED;
		if (i == IP6_EXTENSIONS_MAX)
			return NET_NOT_OURS;
		next = p[at];
		at += ((uint32_t)p[at + 1] + 1) * 8;
	}
	if (next == IP6_FRAGMENT)
		return NET_FRAGMENT;
	if (next == NET_PROTO_ICMP6 && own->exclusive)
		return NET_LOCAL;
	if (next != NET_PROTO_UDP || ip[24] == 0xff)
		return NET_NOT_OURS;
	return parse_udp(v,
			 &(struct net_view){
				 .src_mac = p + 6,
				 .src_ip = ip + 8,
				 .dst_ip = ip + 24,
				 .family = 6,
			 },
			 p, at, end);
}

enum net_verdict net_parse(struct net_view *v, const struct net_own *own, const uint8_t *p,
			   uint32_t len)
{
	uint32_t at = NET_ETHER_BYTES;

	if (len < NET_ETHER_BYTES || len > UINT16_MAX)
		return NET_MALFORMED;

	uint16_t type = be16_get(p + 12), vlan = 0;

	if (type == NET_ETHERTYPE_VLAN) {
		if (len < NET_ETHER_BYTES + NET_VLAN_BYTES)
			return NET_MALFORMED;
		vlan = be16_get(p + 14) & VLAN_ID_MASK; /* 0: a priority, and no VLAN */
		type = be16_get(p + 16);
		at += NET_VLAN_BYTES;
	}
	if (vlan != own->vlan)
		return NET_NOT_OURS;
	if ((p[0] & 1) == 0 && memcmp(p, own->mac, 6) != 0)
		return NET_NOT_OURS; /* a switch that floods, or a promiscuous device */
	if (type == NET_ETHERTYPE_IP4)
		return parse_ip4(v, own, p, at, len);
	if (type == NET_ETHERTYPE_IP6)
		return parse_ip6(v, own, p, at, len);
	if (type == NET_ETHERTYPE_ARP && own->exclusive)
		return len - at < 28 ? NET_MALFORMED : NET_LOCAL;
	return NET_NOT_OURS;
}

static void make_ip4(uint8_t *ip, const struct net_own *own, const uint8_t *dst)
{
	ip[0] = 0x45;
	ip[1] = DSCP_EF << 2;
	be16_put(ip + 6, 0x4000); /* don't fragment; the id is then free (RFC 6864, 4.1) */
	ip[8] = TTL;
	ip[9] = NET_PROTO_UDP;
	memcpy(ip + 12, own->ip4_addr, 4);
	memcpy(ip + 16, dst, 4);
	be16_put(ip + 10, (uint16_t)~net_sum_fold(net_sum(0, ip, NET_IP4_BYTES)));
}

static void make_ip6(uint8_t *ip, const struct net_own *own, const uint8_t *dst)
{
	be32_put(ip, UINT32_C(6) << 28 | (uint32_t)DSCP_EF << 22);
	ip[6] = NET_PROTO_UDP;
	ip[7] = TTL;
	memcpy(ip + 8, own->ip6_addr, 16);
	memcpy(ip + 24, dst, 16);
}

void net_head_make(struct net_head *h, const struct net_own *own, uint8_t family, uint16_t src_port,
		   const uint8_t *dst_ip, uint16_t dst_port, const uint8_t dst_mac[6])
{
	struct net_head made = {.family = family};
	uint8_t *ip = made.bytes + NET_ETHER_BYTES;

	memcpy(made.bytes, dst_mac, 6);
	memcpy(made.bytes + 6, own->mac, 6);
	made.len = family == 4 ? NET_HEAD4_BYTES : NET_HEAD6_BYTES;
	if (own->vlan != 0) {
		be16_put(made.bytes + 12, NET_ETHERTYPE_VLAN);
		be16_put(made.bytes + 14, (uint16_t)(VLAN_VOICE | own->vlan));
		ip += NET_VLAN_BYTES;
		made.len = (uint8_t)(made.len + NET_VLAN_BYTES);
	}
	be16_put(ip - 2, family == 4 ? NET_ETHERTYPE_IP4 : NET_ETHERTYPE_IP6);
	if (family == 4)
		make_ip4(ip, own, dst_ip);
	else
		make_ip6(ip, own, dst_ip);
	be16_put(made.bytes + made.len - 8, src_port);
	be16_put(made.bytes + made.len - 6, dst_port);
	*h = made;
}

void net_head_set_mac(struct net_head *h, const uint8_t dst_mac[6])
{
	memcpy(h->bytes, dst_mac, 6);
}

/* Fill in what depends on the length; `ip` is where the network layer starts. */
static void finish_ip4(uint8_t *ip, uint16_t udp_len)
{
	uint16_t total = (uint16_t)(udp_len + NET_IP4_BYTES);

	be16_put(ip + 2, total);
	be16_put(ip + 10, net_sum_fold((uint32_t)be16_get(ip + 10) + total));
	be16_put(ip + NET_IP4_BYTES + 4, udp_len);
	be16_put(ip + NET_IP4_BYTES + 6, 0);
}

static void finish_ip6(uint8_t *ip, uint16_t udp_len)
{
	be16_put(ip + 4, udp_len);
	be16_put(ip + NET_IP6_BYTES + 4, udp_len);
	be16_put(ip + NET_IP6_BYTES + 6, 0);

	/* Pseudo-header (RFC 8200, 8.1): both addresses, length, protocol; then UDP itself. */
	uint32_t sum = net_sum((uint32_t)udp_len + NET_PROTO_UDP, ip + 8, 32 + udp_len);
	uint16_t check = net_sum_fold(sum);

	be16_put(ip + NET_IP6_BYTES + 6, check == 0 ? 0xffff : check);
}

void net_head_write(const struct net_head *h, uint8_t *at, uint16_t payload_len)
{
	uint16_t udp_len = (uint16_t)(payload_len + NET_UDP_BYTES);

	/* Constant lengths: the compiler copies them with a few wide moves. */
	switch (h->len) {
	case NET_HEAD4_BYTES:
		memcpy(at, h->bytes, NET_HEAD4_BYTES - 4);
		finish_ip4(at + NET_ETHER_BYTES, udp_len);
		break;
	case NET_HEAD6_BYTES:
		memcpy(at, h->bytes, NET_HEAD6_BYTES - 4);
		finish_ip6(at + NET_ETHER_BYTES, udp_len);
		break;
	case NET_HEAD4_BYTES + NET_VLAN_BYTES:
		memcpy(at, h->bytes, NET_HEAD4_BYTES + NET_VLAN_BYTES - 4);
		finish_ip4(at + NET_ETHER_BYTES + NET_VLAN_BYTES, udp_len);
		break;
	default:
		memcpy(at, h->bytes, NET_HEAD_MAX - 4);
		finish_ip6(at + NET_ETHER_BYTES + NET_VLAN_BYTES, udp_len);
		break;
	}
}

uint16_t net_vlan_put(uint8_t *p, uint16_t len, uint16_t vlan)
{
	memmove(p + 12 + NET_VLAN_BYTES, p + 12, len - 12u);
	be16_put(p + 12, NET_ETHERTYPE_VLAN);
	be16_put(p + 14, vlan);
	return (uint16_t)(len + NET_VLAN_BYTES);
}

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return bits % 8 == 0 ||
	       ((a[bits / 8] ^ b[bits / 8]) & (0xff << (8 - bits % 8)) & 0xff) == 0;
}

bool net_on_link(const struct net_own *own, uint8_t family, const uint8_t *ip)
{
	if (family == 4)
		return own->ip4 && same_prefix(ip, own->ip4_addr, own->ip4_prefix);
	return own->ip6 && ((ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) ||
			    same_prefix(ip, own->ip6_addr, own->ip6_prefix));
}
