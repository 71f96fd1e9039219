/* SPDX-License-Identifier: Apache-2.0
 *
 * The filters of a shared port. `patchbay_rtp` (XDP) gives UDP packets for the host's own address and a
 * port in the RTP range to the AF_XDP socket of the queue they came by; `patchbay_drop` (tc) throws
 * the same packets away, for the AF_PACKET port, whose copy was taken before and whose original
 * would make the kernel answer "port unreachable". Everything else stays with the kernel: SIP,
 * SSH, ARP, ICMP, fragments, packets with IPv4 options or IPv6 extension headers, tagged frames.
 * A queue without a socket leaves its packets to the kernel as well.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "xdp_rtp.h"

const volatile struct xdp_rtp_config config = {.magic = XDP_RTP_MAGIC};

#ifdef PATCHBAY_XDP
/* The name is the driver's: it puts its sockets there. */
struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u32);
} xsks_map SEC(".maps");
#endif

static __always_inline int same(const __u8 *a, const volatile __u8 *b, int n)
{
	for (int i = 0; i < n; i++)
		if (a[i] != b[i])
			return 0;
	return 1;
}

static __always_inline int is_rtp_port(const struct udphdr *udp)
{
	__u16 port = bpf_ntohs(udp->dest);

	return port >= config.first && port <= config.last;
}

/* Whether the frame in [data, end) is for the engine. */
static __always_inline int is_rtp(void *data, void *end)
{
	struct ethhdr *eth = data;

	if ((void *)(eth + 1) > end)
		return 0;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = (void *)(eth + 1);
		struct udphdr *udp = (void *)(ip + 1);

		return (void *)(udp + 1) <= end && config.has_ip4 && ip->ihl == 5 &&
		       ip->protocol == IPPROTO_UDP && !(ip->frag_off & bpf_htons(0x3fff)) &&
		       same((__u8 *)&ip->daddr, config.ip4, 4) && is_rtp_port(udp);
	}
	if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = (void *)(eth + 1);
		struct udphdr *udp = (void *)(ip + 1);

		return (void *)(udp + 1) <= end && config.has_ip6 && ip->nexthdr == IPPROTO_UDP &&
		       same((__u8 *)&ip->daddr, config.ip6, 16) && is_rtp_port(udp);
	}
	return 0;
}

#ifdef PATCHBAY_XDP
SEC("xdp")
int patchbay_rtp(struct xdp_md *ctx)
{
	if (!is_rtp((void *)(long)ctx->data, (void *)(long)ctx->data_end))
		return XDP_PASS;
	return (int)bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_PASS);
}
#else
SEC("tc")
int patchbay_drop(struct __sk_buff *skb)
{
	if (bpf_skb_pull_data(skb, sizeof(struct ethhdr) + sizeof(struct ipv6hdr) +
					   sizeof(struct udphdr)) != 0)
		bpf_skb_pull_data(skb, 0);
	return is_rtp((void *)(long)skb->data, (void *)(long)skb->data_end) ? TC_ACT_SHOT
									    : TC_ACT_OK;
}
#endif

char filter_license[] SEC("license") = "Dual BSD/GPL";
