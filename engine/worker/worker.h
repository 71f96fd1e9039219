/* A worker: one lcore that owns a slice of the legs and everything about them.
 *
 * All that a core touches hangs from struct worker, which is laid out by who writes. No state is
 * shared between workers: packets for another worker's leg go over its lane's hand-off ring (port.h),
 * everything else over the mailbox. worker_turn() (turn.c) is the table of contents of the engine: read it
 * first, then path/path.h, then the files in the order they name.
 *
 * Threads: each part of the struct says who writes it. "main" is the main lcore, which makes workers,
 * sends commands and takes events; "worker" is the lcore that runs worker_run().
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/spsc.h"
#include "leg/leg.h"
#include "patchbay/fate.h"
#include "srtp/srtp.h"
#include "worker/command.h"

struct capture;
struct port_lane;
struct rec_worker;
struct rte_mbuf;
struct rte_mempool;
struct worker_media; /* calls, wheel, timers: worker_priv.h */

enum {
	WORKERS_MAX = 64,
	WORKER_COMMANDS_PER_TURN = 16,
	WORKER_COMMANDS = 1024, /* places in the ring from main */
	WORKER_EVENTS = 8192,   /* places in the ring to main */
	WORKER_TX_MAX = 128,    /* packets queued for tx_flush() */
	WORKER_SEAL_MAX = 32,   /* ... for srtp_seal_burst() */
};

/* The stages whose packets and cycles are counted, in the order of the turn. */
/* clang-format off */
#define WORKER_STAGE_TABLE(X) \
	X(MAILBOX, "mailbox") X(RX, "rx") X(CLASSIFY, "classify") X(SRTP_OPEN, "srtp_open") X(RTCP, "rtcp") \
	X(RTP_IN, "rtp_in") \
	X(RELAY, "relay") X(JBUF, "jbuf") X(PLAYOUT, "playout") X(SRTP_SEAL, "srtp_seal") \
	X(TX, "tx")
/* clang-format on */
#define WORKER_STAGE_ENUM(id, name) STAGE_##id,
enum worker_stage { WORKER_STAGE_TABLE(WORKER_STAGE_ENUM) STAGE_COUNT };
#undef WORKER_STAGE_ENUM

/* "rtp_in". Never NULL for a value below STAGE_COUNT. */
const char *worker_stage_name(enum worker_stage stage);

struct worker_config {
	uint16_t id;
	uint16_t workers;       /* how many there are */
	int socket;             /* NUMA node for its memory, SOCKET_ID_ANY */
	struct port_lane *lane; /* its share of the port; its bell wakes us */
	uint16_t rtp_first;     /* the engine's range of ports, inclusive, first even */
	uint16_t rtp_last;
	uint32_t leg_stride;      /* indices per worker: index i belongs to worker i / leg_stride */
	uint32_t leg_first, legs; /* its slice: id * leg_stride, and at most leg_stride */
	uint32_t calls;           /* call indices 0 .. calls - 1 of its own */
	struct rte_mempool *pool; /* for what is made here; one per worker or shared with a cache */
	struct rec_worker *rec;   /* NULL: recording is refused with -ENODEV */
	int main_fd;              /* eventfd that wakes the main lcore; -1: it polls */
	uint32_t coders;          /* of legs that are transcoded at once */
	uint8_t opus_complexity;  /* 0..10, at light load; see coding.c */
	uint32_t media_rate_max_hz;        /* of a call: 8000, 16000 or 48000; 0: 16000 */
	uint32_t jbuf_min_ms, jbuf_max_ms; /* bounds of the adaptive delay; 0: 20 and 200 */
	uint64_t seed;                     /* of RTCP intervals; any number */
	bool srtp;                         /* legs may have keys */
	enum srtp_way srtp_way;
};

/* Packets that a worker has queued for tx_flush(). Only tx.c looks inside. */
struct worker_tx {
	uint16_t n;
	struct rte_mbuf *pkt[WORKER_TX_MAX];
	uint8_t received[WORKER_TX_MAX]; /* enum tx_origin */
};

/* RTP of encrypted legs. Only srtp_seal.c looks inside. */
struct worker_seal {
	uint16_t n;
	struct rte_mbuf *pkt[WORKER_SEAL_MAX];
	struct leg *leg[WORKER_SEAL_MAX];
	uint8_t origin[WORKER_SEAL_MAX]; /* enum tx_origin */
};

struct worker_stage_count {
	_Atomic uint64_t packets, cycles;
};

struct worker {
	/* Written by main before the worker starts; read only after. */
	struct worker_config cfg;

	/* The worker's own: no other core reads or writes it. */
	alignas(64) uint64_t now_ns; /* monotonic, set once per turn */
	uint32_t idle_turns;         /* empty turns in a row */
	bool turn_worked;            /* a stage did something this turn */
	struct capture *capture;     /* an operator looks at a call (path/capture.h), or NULL */
	uint64_t local_paid_ns;      /* what came of ARP, ND and ICMP, see classify.c */
	uint64_t handed_to;          /* bit set: workers given packets this turn (classify.c) */
	bool in_command;             /* a command is being carried out: its events have room */
	bool events_put;             /* main must be woken at the end of this turn */
	struct leg_table legs;
	struct worker_media *media;
	struct srtp *srtp; /* its legs in the order of legs.leg; NULL: no leg may have keys */
	struct worker_seal seal;
	struct worker_tx tx;

	/* Written by the worker alone (relaxed), read by anyone at any time. */
	alignas(64) _Atomic uint64_t turns;
	_Atomic uint64_t received; /* packets from the port's queue (not from other workers) */
	_Atomic uint64_t sent;     /* packets given to the port */
	_Atomic uint64_t fate[FATE_COUNT];
	_Atomic uint64_t made;      /* packets made here: played, mixed, RTCP, answers */
	_Atomic uint64_t made_lost; /* of these, not sent: no memory, no neighbour, queue full */
	_Atomic uint64_t busy_ns, busy_turns;   /* turns that found work, and the time in them */
	_Atomic uint64_t empty_ns, empty_turns; /* the others; sleep is apart */
	_Atomic uint64_t slept_ns;              /* time spent waiting */
	_Atomic uint64_t slots_run,
		slots_late_ns;          /* wheel slots run, and by how much later than due */
	_Atomic uint64_t ticks_late;    /* wheel slots that were run more than 5 ms late */
	_Atomic uint64_t ticks_skipped; /* wheel slots given up after a stall, and ticks of rooms */
	_Atomic uint64_t events_lost;   /* news that found the ring full; replies never do */
	_Atomic uint64_t coders_missed; /* times that a leg needed a coder and there was none */
	_Atomic uint32_t coders_used;
	_Atomic uint32_t opus_complexity; /* now */
	_Atomic uint32_t legs_open, calls_open;
	struct worker_stage_count stage[STAGE_COUNT];

	/* The mailbox: main produces commands, the worker produces events. */
	alignas(64) struct spsc command;
	alignas(64) struct spsc event;

	/* Written by main, read by the worker once per turn. */
	alignas(64) _Atomic bool stop;
};

/* One writer: a load and a store, no locked instruction. */
static inline void worker_count(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, old + n, memory_order_relaxed);
}

static inline void worker_fate(struct worker *w, enum packet_fate fate, uint64_t n)
{
	worker_count(&w->fate[fate], n);
}

/* main: make a worker with all memory that it will ever use. Returns NULL when memory could not be
 * had (logged). */
struct worker *worker_create(const struct worker_config *cfg);

/* main: release it. It must not be running; packets it still holds are freed. */
void worker_destroy(struct worker *w);

/* Bytes that worker_create() will take for `legs` legs and `calls` calls (for the plan); and for one
 * coder. */
size_t worker_bytes(uint32_t legs, uint32_t calls);
size_t worker_coder_bytes(void);

/* main: hand over one command. Returns 0, or -EAGAIN when the ring is full: try again after
 * taking events. Wakes a sleeping worker. */
int worker_command_send(struct worker *w, const struct worker_command *c);

/* main: take the oldest event. What a command causes (a play that it ends, a monitor, a recording)
 * stands before its reply. False when there is none. When cfg.main_fd is given it becomes
 * readable after events were put; read it, then take until false. */
bool worker_event_recv(struct worker *w, struct worker_event *e);

/* main: make a sleeping worker look at its mailbox and at `stop`. Cheap when it is awake. */
void worker_wake(struct worker *w);

/* worker: one turn at the instant `now_ns` (monotonic, never decreasing). Tests call it with a
 * clock of their own. */
void worker_turn(struct worker *w, uint64_t now_ns);

/* worker: until when nothing is due: the earlier of the next wheel slot with work and one second.
 * Never before w->now_ns. */
uint64_t worker_next_ns(const struct worker *w);

/* The lcore's main function; `arg` is the worker. Turns until `stop` is set, sleeping in the port's wait
 * when nothing happens. Returns 0. */
int worker_run(void *arg);

/* worker, from tx.c: leg->out.ip has no link address. Tells main at most once a second per leg
 * (EVENT_NEIGHBOUR_WANTED with the peer's own address: main knows the route and answers with
 * COMMAND_NEIGHBOUR for the same address and the next hop's link address). */
void worker_neighbour_want(struct worker *w, struct leg *leg);

/* worker: queue news for main. Counted in events_lost when the ring is full. */
void worker_event_put(struct worker *w, const struct worker_event *e);

#endif
