/* A small world around whole workers: rings for a network, peers for phones, a clock that only moves
 * when a test says so.
 *
 * Every millisecond of world_run() the peers that talk send their next packet, every worker takes
 * a turn, and what came out is sorted to the peers by address. At its end world_close() checks what must
 * hold after anything: each packet received met exactly one fate, and no packet memory is lost.
 *
 * For tests only.
 */
#ifndef PATH_PATH_WORLD_H
#define PATH_PATH_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "check.h"
#include "port/port.h"
#include "rtp/rtp.h"
#include "worker/worker.h"

enum {
	WORLD_WORKERS_MAX = 2,
	WORLD_PEERS_MAX = 130,
	WORLD_GOT_MAX = 2048,
	WORLD_EVENTS_MAX = 1024,
	WORLD_RTP_FIRST = 20000,
	WORLD_LEGS = 128, /* per worker */
	WORLD_CALLS = 16,
	WORLD_CODERS = 8,
	WORLD_PAYLOAD_MAX = 1300,
};

/* One packet that a peer received. */
struct world_packet {
	uint64_t at_ns;
	uint32_t ts, ssrc;
	uint16_t seq, len;
	uint8_t pt;
	bool marker;
	uint8_t payload[WORLD_PAYLOAD_MAX];
};

/* A phone. */
struct world_peer {
	uint8_t ip[4];
	bool ip6;      /* it is fd00::9 instead */
	uint16_t port; /* RTP; RTCP is one above */
	/* Its leg. */
	unsigned worker;
	struct leg_ref leg;
	uint16_t leg_port;
	/* What it says. */
	bool talks;
	double hz; /* tone; 0: the payload counts packets */
	double phase;
	uint8_t pt;
	uint16_t ptime_ms, due_ms;
	uint32_t ssrc, ts;
	uint16_t seq;
	uint32_t sent;
	bool alaw, mark;
	/* What it hears. */
	unsigned got_n, rtcp_n;
	struct world_packet *got;
	uint8_t rtcp[512];
	uint16_t rtcp_len;
	bool rtcp_muxed; /* the last one came to the RTP port */
};

struct world {
	unsigned workers;
	uint64_t now_ns;
	struct rte_mempool *pool;
	struct port *port;
	struct port_config port_cfg;
	struct worker *worker[WORLD_WORKERS_MAX];
	unsigned peers;
	struct world_peer peer[WORLD_PEERS_MAX];
	unsigned events;
	struct worker_event event[WORLD_EVENTS_MAX];
	struct worker_event reply; /* of the last world_do() */
	uint64_t token;
	bool unclaimed_ok;  /* packets to nobody are expected */
	bool answers_ok;    /* the port's own answers to ARP, ND and ICMP are expected */
	bool no_neighbours; /* link addresses are not answered for */
};

/* Make it. `queues` <= `workers`. `rec`: by worker, or NULL. */
void world_open(struct world *w, unsigned workers, unsigned queues, struct rec_worker **rec);
void world_close(struct world *w);
/* The last part of world_close(), for a test that fed packets past the ports. */
void world_release(struct world *w);

/* Carry out one command on a worker, without time passing; its result. */
int world_do(struct world *w, unsigned worker, struct worker_command *c);

struct call_ref world_call(struct world *w, unsigned worker, uint32_t index);
int world_call_close(struct world *w, unsigned worker, struct call_ref call);

/* A config as most tests want it: PCMU 0 sent and accepted, PCMA 8 accepted, telephone-event 101,
 * remote = the peer. */
struct leg_config world_config(const struct world_peer *p);

/* A peer 10.1.2.(10 + n) with a leg of its own: `index` counts within the worker. */
struct world_peer *world_peer(struct world *w, unsigned worker, struct call_ref call,
			      uint32_t index);
struct world_peer *world_peer_with(struct world *w, unsigned worker, struct call_ref call,
				   uint32_t index, const struct leg_config *cfg);
int world_leg_close(struct world *w, struct world_peer *p);
int world_leg_set(struct world *w, struct world_peer *p, const struct leg_config *cfg);
const struct leg_stats *world_stat(struct world *w, struct world_peer *p);

/* listener hears speaker; added to `c`, which world_hear() sends. */
void world_hears(struct worker_command *c, const struct world_peer *listener,
		 const struct world_peer *speaker, int16_t gain_cb);
int world_hear(struct world *w, unsigned worker, struct call_ref call, struct worker_command *c);
/* Both hear each other. */
void world_bridge(struct world *w, struct call_ref call, struct world_peer *a,
		  struct world_peer *b);
int world_monitor(struct world *w, struct call_ref call, uint64_t id,
		  const struct world_peer *supervisor, const struct world_peer *agent,
		  const struct world_peer *customer, enum monitor_mode mode);

/* Time passes. */
void world_run(struct world *w, unsigned ms);
/* Every worker takes a turn and what came out is sorted; no time passes. */
void world_turn(struct world *w);

/* Send bytes as a peer, from `from_port` to `to_port` of the engine, at once. */
void world_send(struct world *w, const struct world_peer *p, uint16_t from_port, uint16_t to_port,
		const void *payload, uint16_t len);
/* Put a whole frame in. */
void world_frame(struct world *w, const void *frame, uint16_t len);
/* Send the peer's next RTP packet with this payload. */
void world_rtp(struct world *w, struct world_peer *p, uint8_t pt, bool marker, const void *payload,
	       uint16_t len);
/* Send one key as telephone-events: 5 packets and 3 ends, 20 ms apart. Time passes. */
void world_key(struct world *w, struct world_peer *p, uint8_t code);

/* Forget what was heard or told so far. */
void world_forget(struct world *w);

/* How much of a tone (0..1 of the power) is in what the peer got, packets from..to-1. */
double world_tone(const struct world_peer *p, unsigned from, unsigned to, double hz);
bool world_hears_tone(const struct world_peer *p, double hz);

/* Seqs contiguous, one SSRC, timestamps forward; `ts_step` 0: any step. */
void world_check_stream(const struct world_peer *p, unsigned from, uint32_t ts_step);

unsigned world_count(const struct world *w, enum worker_event_kind kind);
const struct worker_event *world_find(const struct world *w, enum worker_event_kind kind);
uint64_t world_fate(const struct world *w, enum packet_fate fate);
void world_check_fates(const struct world *w);

#endif
