/* The network of a measurement: telephones on a ring port, made as fast as memory allows.
 *
 * Every leg has a telephone that sends 20 ms of G.711 every 20 ms. The legs are spread evenly over
 * the 20 milliseconds, in an order that is shuffled once, so that neighbours in the table do not
 * speak one after the other. Frames are whole: Ethernet, IPv4, UDP, RTP, 214 bytes.
 *
 * Thread: the one that also turns the worker.
 */
#ifndef BENCH_NET_H
#define BENCH_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "net/net.h"
#include "srtp/srtp.h"

struct rte_mempool;
struct rte_ring;

enum {
	BENCH_PHASES = 20, /* milliseconds in a round */
	BENCH_PAYLOAD = 160,
	BENCH_RTP_FIRST = 1024,
	BENCH_LEGS_MAX = (65536 - BENCH_RTP_FIRST) / 2, /* by the number of UDP ports */
};

struct bench_phone {
	uint8_t head[NET_HEAD4_BYTES];
	uint16_t seq;
	uint32_t ts, ssrc;
	bool talks;
};

struct bench_net {
	struct rte_mempool *pool;
	struct rte_ring *in, *out; /* to the engine, from it */
	struct bench_phone *phone; /* by leg */
	uint32_t *order; /* legs as they speak: order[k] in millisecond k % BENCH_PHASES */
	uint32_t legs;
	uint8_t *sound; /* one second of noise that all read from */
	uint64_t sent, heard, strange;
	bool any_length;         /* another codec's frames are voice as well */
	struct srtp *srtp;       /* the telephones' side of it; NULL: plain */
	struct bench_seal *seal; /* frames on their way through it */
	uint32_t bursts;         /* that they heard, of which some are opened */
};

/* The address of leg `i`'s telephone. */
void bench_net_ip(uint32_t i, uint8_t ip[4]);

/* Telephones of `legs` legs for an engine at `own`; all silent. Ends the program when there is no
 * memory. */
void bench_net_make(struct bench_net *n, uint32_t legs, const struct net_own *own);
void bench_net_free(struct bench_net *n);

/* From now on all telephones seal what they say and open an eighth of what they hear (AES_CM_128_HMAC_SHA1_80). What
 * does not open is `strange`. Ends the program when there is no memory. */
void bench_net_secure(struct bench_net *n, const struct net_own *own);

/* The keys of leg `i`, as the telephone has them or as the engine's leg does. */
void bench_net_keys(uint32_t i, bool telephone, struct srtp_keys *keys);

/* Put what is said in this millisecond of a round into the engine's ring. */
void bench_net_speak(struct bench_net *n, unsigned phase);

/* Take and count all that the engine has sent. What is not a whole voice frame is `strange`
 * (RTCP). */
void bench_net_hear(struct bench_net *n);

/* One frame of leg `leg`, now, with `stamp` in its payload. */
void bench_net_say(struct bench_net *n, uint32_t leg, uint64_t stamp);

/* Take at most `max` frames; returns how many were voice, with their stamps. */
unsigned bench_net_hear_stamps(struct bench_net *n, uint64_t *stamp, unsigned max);

#endif
