/* What the generator and its two BPF programs share: the film (frames to be sent, in order), the log
 * (frames heard), and the clockwork between them. Plain C for both compilers.
 */
#ifndef GEN_WIRE_H
#define GEN_WIRE_H

#include <linux/types.h>

#define GEN_FRAME_MAX 246
#define GEN_ETH_BYTES 14
/* Of most frames of the log only this much is kept, headers and the first words of the payload: a cache line in
 * place of four. Every GEN_WHOLE_EVERYth is whole, and every one when the clockwork says so (SRTP). */
#define GEN_HEARD_MAX   244
#define GEN_HEARD_SHORT 52
#define GEN_WHOLE_EVERY 8

/* One frame of the film, from its Ethernet header. */
struct gen_slot {
	__u64 sent_ns; /* CLOCK_MONOTONIC; 0: not yet */
	__u16 len;
	__u8 frame[GEN_FRAME_MAX];
};

/* One frame of the log, from its IP header. */
struct gen_heard {
	__u64 heard_ns;
	__u16 len;  /* on the wire, at most GEN_HEARD_MAX */
	__u16 kept; /* bytes of it in `packet` */
	__u8 packet[GEN_HEARD_MAX];
};

/* Slot k is due at begin_ns + k * round_ns / per_round. */
struct gen_clockwork {
	__u64 begin_ns, round_ns, per_round, slots; /* set before it begins */
	__u64 end_ns;                               /* what comes later is not noted */
	__u64 next;                                 /* slot */
	__u64 heard;                                /* in the log; may exceed its size */
	__u32 ifindex, quit;
	__u64 whole; /* keep every frame whole */
};

#endif
