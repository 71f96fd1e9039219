/* SPDX-License-Identifier: Apache-2.0
 *
 * A telephone network inside the kernel. `gen_send` (XDP, run again and again by BPF_PROG_TEST_RUN with live
 * frames) sends the film through a veth interface, each frame when it is due; `gen_hear` (tc,
 * ingress of the same interface) notes what comes back and ends it there. Together they need a
 * fraction of what sockets need for the same, so that the generator is faster than what it measures.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "gen_wire.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gen_clockwork);
} clockwork SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gen_slot);
} film SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gen_heard);
} heard SEC(".maps");

SEC("xdp")
int gen_send(struct xdp_md *ctx)
{
	__u32 zero = 0, at;
	struct gen_clockwork *c = bpf_map_lookup_elem(&clockwork, &zero);
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct gen_slot *s;
	__u64 now = bpf_ktime_get_ns();

	if (!c || c->next >= c->slots || now < c->begin_ns + c->next * c->round_ns / c->per_round)
		return XDP_DROP;
	at = (__u32)c->next++;
	s = bpf_map_lookup_elem(&film, &at);
	if (!s || data + GEN_FRAME_MAX > end)
		return XDP_DROP;
	__builtin_memcpy(data, s->frame, GEN_FRAME_MAX);
	s->sent_ns = now;
	bpf_xdp_adjust_tail(ctx, (int)s->len - GEN_FRAME_MAX);
	return (int)bpf_redirect(c->ifindex, 0);
}

static __always_inline int is_udp4(struct __sk_buff *skb)
{
	struct ethhdr *eth = (void *)(long)skb->data;
	struct iphdr *ip = (void *)(eth + 1);

	return (void *)(ip + 1) <= (void *)(long)skb->data_end &&
	       eth->h_proto == bpf_htons(ETH_P_IP) && ip->protocol == IPPROTO_UDP;
}

SEC("tc")
int gen_hear(struct __sk_buff *skb)
{
	__u32 zero = 0, at;
	__u64 len = skb->len; /* 64 bits, as the verifier counts */
	struct gen_clockwork *c = bpf_map_lookup_elem(&clockwork, &zero);
	struct gen_heard *h;
	__u64 now = bpf_ktime_get_ns();

	if (!c || !is_udp4(skb) || len <= GEN_ETH_BYTES + 20)
		return TC_ACT_OK;
	if (now < c->begin_ns || now >= c->end_ns)
		return TC_ACT_SHOT; /* who speaks unasked does so before and after */
	at = (__u32)__sync_fetch_and_add(&c->heard, 1);
	h = bpf_map_lookup_elem(&heard, &at);
	if (!h)
		return TC_ACT_SHOT; /* counted, so that the judge knows */
	h->heard_ns = now;
	len -= GEN_ETH_BYTES;
	if (len > GEN_HEARD_MAX)
		len = GEN_HEARD_MAX;
	h->len = (__u16)len;
	if (len > GEN_HEARD_SHORT && !c->whole && at % GEN_WHOLE_EVERY != 0)
		len = GEN_HEARD_SHORT;
	asm volatile("" : "+r"(len)); /* the verifier follows what is checked after this */
	if (len == 0 || len > GEN_HEARD_MAX)
		return TC_ACT_SHOT;
	if (bpf_skb_load_bytes(skb, GEN_ETH_BYTES, h->packet, (__u32)len) == 0)
		h->kept = (__u16)len;
	return TC_ACT_SHOT;
}

char gen_license[] SEC("license") = "GPL";
