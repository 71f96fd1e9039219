/* What the XDP filter and the engine agree on. Shared with the BPF compiler: fixed-width types only.
 *
 * The filter's object is compiled once; this struct lies in its read-only data, and the engine
 * writes the addresses and ports into its copy of the object before the kernel loads it, so that
 * the verifier sees constants and no map is looked up for a packet.
 */
#ifndef PORT_XDP_RTP_H
#define PORT_XDP_RTP_H

#ifdef __bpf__
#include <linux/types.h>
typedef __u8 xdp_u8;
typedef __u16 xdp_u16;
#else
#include <stdint.h>
typedef uint8_t xdp_u8;
typedef uint16_t xdp_u16;
#endif

#define XDP_RTP_MAGIC "patchbay rtp v1"

struct xdp_rtp_config {
	xdp_u8 magic[16]; /* XDP_RTP_MAGIC: where in the object this lies */
	xdp_u16 first;    /* UDP destination ports, inclusive, host order */
	xdp_u16 last;
	xdp_u8 has_ip4, has_ip6;
	xdp_u8 pad[2];
	xdp_u8 ip4[4]; /* network order */
	xdp_u8 ip6[16];
};

#endif
