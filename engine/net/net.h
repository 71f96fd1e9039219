/* What lies between the wire and an RTP payload: Ethernet, VLAN, IPv4, IPv6 and UDP headers.
 *
 * net_parse() reads one frame and says what it is; net_head is the other direction, a header made
 * once for a flow and copied in front of each payload. Neither looks into the payload. UDP
 * checksums of received packets are not verified: virtual links deliver half-made ones between two
 * programs of one host, and RTP has its own checks behind this one.
 *
 * Thread: any; pure.
 * Source: IEEE 802.3, 802.1Q; RFC 791, RFC 8200, RFC 768; addresses RFC 1122, 3.2.1.3.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <stdbool.h>
#include <stdint.h>

enum {
	NET_ETHER_BYTES = 14,
	NET_IP4_BYTES = 20,
	NET_IP6_BYTES = 40,
	NET_UDP_BYTES = 8,
	NET_VLAN_BYTES = 4,
	NET_HEAD4_BYTES = NET_ETHER_BYTES + NET_IP4_BYTES + NET_UDP_BYTES, /* 42 */
	NET_HEAD6_BYTES = NET_ETHER_BYTES + NET_IP6_BYTES + NET_UDP_BYTES, /* 62 */
	NET_HEAD_MAX = NET_HEAD6_BYTES + NET_VLAN_BYTES,
	NET_VLAN_MAX = 4094,
	NET_ETHERTYPE_IP4 = 0x0800,
	NET_ETHERTYPE_ARP = 0x0806,
	NET_ETHERTYPE_VLAN = 0x8100,
	NET_ETHERTYPE_IP6 = 0x86dd,
	NET_PROTO_ICMP = 1,
	NET_PROTO_UDP = 17,
	NET_PROTO_ICMP6 = 58,
};

/* A port's own addresses and its way out. Addresses in network order. */
struct net_own {
	uint8_t mac[6];
	bool ip4, ip6; /* which of the two exist */
	/* The engine is the only speaker of these addresses: ARP, ND and ICMP are its to answer. */
	bool exclusive;
	uint8_t ip4_addr[4];
	uint8_t ip4_prefix; /* bits, 0..32 */
	bool ip4_gw;        /* ip4_gateway is set */
	uint8_t ip4_gateway[4];
	uint8_t ip6_addr[16];
	uint8_t ip6_prefix; /* bits, 0..128 */
	bool ip6_gw;
	uint8_t ip6_gateway[16];
	uint16_t mtu; /* IP bytes in a frame */
	uint16_t
		vlan; /* 802.1Q: only frames of this VLAN are ours, and ours carry it; 0: untagged ones */
};

enum net_verdict {
	NET_UDP,       /* UDP to an own address; the view is filled */
	NET_LOCAL,     /* ARP, ND or ICMP for an exclusive port; nothing else is filled */
	NET_NOT_OURS,  /* another address or VLAN, or a protocol that the engine does not speak */
	NET_MALFORMED, /* a length passes the packet, or a version or header length is impossible */
	NET_FRAGMENT,  /* part of a fragmented datagram */
};

/* Where things are in one UDP packet. Pointers are into the packet that was parsed. */
struct net_view {
	const uint8_t *src_mac;
	const uint8_t *src_ip; /* 4 or 16 bytes */
	const uint8_t *dst_ip;
	uint16_t src_port; /* host order */
	uint16_t dst_port;
	uint16_t payload_at; /* bytes from the start of the frame */
	uint16_t payload_len;
	uint8_t family; /* 4 or 6 */
};

/* Read the `len` bytes at `p`. Fills `v` only with NET_UDP. Never reads outside [p, p + len). */
enum net_verdict net_parse(struct net_view *v, const struct net_own *own, const uint8_t *p,
			   uint32_t len);

/* The headers of one flow, ready to be copied: one cache line. UDP's length and checksum, which
 * every packet has of its own, are not kept: with a VLAN tag and IPv6 they would not fit. */
struct net_head {
	uint8_t len; /* of the whole: NET_HEAD4_BYTES or NET_HEAD6_BYTES, with a tag 4 more; 0 = not made */
	uint8_t family; /* 4 or 6 */
	uint8_t bytes[NET_HEAD_MAX - 4];
};

/* Make the headers from this port's address and `src_port` to `dst_ip`:`dst_port` by way of
 * `dst_mac`. DSCP is EF (RFC 4594, 4.1), TTL 64, don't fragment; with a VLAN the tag's priority is 5
 * (voice, 802.1Q, I.4). `own` must have an address of `family`. */
void net_head_make(struct net_head *h, const struct net_own *own, uint8_t family, uint16_t src_port,
		   const uint8_t *dst_ip, uint16_t dst_port, const uint8_t dst_mac[6]);

/* Replace the link address of a head that is made. */
void net_head_set_mac(struct net_head *h, const uint8_t dst_mac[6]);

/* Write the headers to the `h->len` bytes at `at`, in front of a UDP payload of `payload_len`
 * bytes that lies directly behind them (it is read for the checksum with IPv6 only; with IPv4
 * the UDP checksum is zero, "not computed", RFC 768). */
void net_head_write(const struct net_head *h, uint8_t *at, uint16_t payload_len);

/* The Internet checksum (RFC 1071) of `len` bytes, `sum` being what came before; ready to be
 * stored after net_sum_fold(). */
uint32_t net_sum(uint32_t sum, const uint8_t *p, uint32_t len);
uint16_t net_sum_fold(uint32_t sum);

/* Put the tag of `vlan` behind the link addresses of the `len` bytes at `p`, which have room for
 * NET_VLAN_BYTES more. Returns the new length. For frames that are written without one (ARP, ND). */
uint16_t net_vlan_put(uint8_t *p, uint16_t len, uint16_t vlan);

/* True when `ip` lies in the prefix of `own`, so that its link address can be asked for. */
bool net_on_link(const struct net_own *own, uint8_t family, const uint8_t *ip);

#endif
