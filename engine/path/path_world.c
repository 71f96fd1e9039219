/* SPDX-License-Identifier: Apache-2.0
 *
 * Time is stepped by whole milliseconds; within one, packets go in before the turns and come out after
 * them, so a run is the same every time.
 */
#include "path/path_world.h"

#include <math.h>
#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/units.h"
#include "codec/g711.h"
#include "port/port_eal.h"

enum { RATE = 8000 };

/* EAL lives as long as the program; mempools too. */
static void eal_once(void)
{
	static bool started;
	struct port_eal_config cfg = {.workers = 1, .memory_bytes = UINT64_C(192) << 20};

	if (started)
		return;
	started = true;
	log_setup("test", LOG_LEVEL_WARN);
	check_int(port_eal_start(&cfg), 0);
}

void world_release(struct world *w)
{
	for (unsigned i = 0; i < w->workers; i++)
		worker_destroy(w->worker[i]);
	port_close(&w->port);
	for (unsigned i = 0; i < WORLD_WORKERS_MAX && w->port_cfg.to_engine[i] != NULL; i++) {
		rte_ring_free(w->port_cfg.to_engine[i]);
		rte_ring_free(w->port_cfg.from_engine[i]);
	}
	for (unsigned i = 0; i < w->peers; i++)
		free(w->peer[i].got);
	w->workers = w->peers = 0;
}

void world_open(struct world *w, unsigned workers, unsigned queues, struct rec_worker **rec)
{
	struct port_spec spec;
	char why[200], name[32];

	eal_once();
	if (w->workers > 0)
		world_release(w); /* the case before this one failed half way */
	memset(w, 0, sizeof(*w));
	w->workers = workers;
	w->now_ns = 1000 * PB_NS_PER_S;
	w->pool = rte_mempool_lookup("world");
	if (w->pool == NULL)
		w->pool = rte_pktmbuf_pool_create("world", 8191, 64, 0, 2176, SOCKET_ID_ANY);
	check(w->pool != NULL);
	w->port_cfg = (struct port_config){
		.workers = (uint16_t)workers,
		.rtp_first = WORLD_RTP_FIRST,
		.rtp_last = (uint16_t)(WORLD_RTP_FIRST + 2 * WORLD_LEGS * workers - 1),
		.rx_slots = 512,
		.tx_slots = 512,
		.pool = w->pool,
	};
	for (unsigned i = 0; i < queues; i++) {
		snprintf(name, sizeof(name), "in%u", i);
		w->port_cfg.to_engine[i] = rte_ring_create(name, 1024, SOCKET_ID_ANY, 0);
		snprintf(name, sizeof(name), "out%u", i);
		w->port_cfg.from_engine[i] = rte_ring_create(name, 1024, SOCKET_ID_ANY, 0);
	}
	check_int(port_spec_parse(&spec,
				  "ring:,ip=10.1.2.3/24,ip6=fd00::3/64,mac=02:00:00:00:00:03", why,
				  sizeof(why)),
		  0);
	check_int(port_open(&w->port, &spec, &w->port_cfg), 0);
	for (unsigned i = 0; i < workers; i++) {
		struct worker_config cfg = {
			.id = (uint16_t)i,
			.workers = (uint16_t)workers,
			.socket = SOCKET_ID_ANY,
			.lane = port_lane(w->port, (uint16_t)i),
			.rtp_first = WORLD_RTP_FIRST,
			.rtp_last = w->port_cfg.rtp_last,
			.leg_stride = WORLD_LEGS,
			.leg_first = WORLD_LEGS * i,
			.legs = WORLD_LEGS,
			.calls = WORLD_CALLS,
			.pool = w->pool,
			.rec = rec != NULL ? rec[i] : NULL,
			.main_fd = -1,
			.srtp = true,
			.coders = WORLD_CODERS,
			.opus_complexity = 3,
			.seed = 1,
		};

		w->worker[i] = worker_create(&cfg);
		check(w->worker[i] != NULL);
	}
}

uint64_t world_fate(const struct world *w, enum packet_fate fate)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < w->workers; i++)
		n += atomic_load(&w->worker[i]->fate[fate]);
	return n;
}

void world_check_fates(const struct world *w)
{
	uint64_t received = 0, ended = 0;

	for (unsigned i = 0; i < w->workers; i++)
		received += atomic_load(&w->worker[i]->received);
	for (unsigned f = 0; f < FATE_COUNT; f++)
		ended += world_fate(w, (enum packet_fate)f);
	check_int(received, ended);
}

void world_close(struct world *w)
{
	world_turn(w);
	world_turn(w);
	world_check_fates(w);
	world_release(w);
	check_int(rte_mempool_in_use_count(w->pool), 0);
}

/* As main does when it knows the link address. */
static void neighbour_answer(struct world *w, unsigned worker, const struct worker_event *e)
{
	struct worker_command c = {.kind = COMMAND_NEIGHBOUR};

	c.neighbour.family = e->neighbour.family;
	memcpy(c.neighbour.ip, e->neighbour.ip, sizeof(c.neighbour.ip));
	c.neighbour.mac[0] = 2;
	check_int(worker_command_send(w->worker[worker], &c), 0);
}

static void events_take(struct world *w)
{
	struct worker_event e;

	for (unsigned i = 0; i < w->workers; i++) {
		while (worker_event_recv(w->worker[i], &e)) {
			if (e.kind == EVENT_REPLY) {
				w->reply = e;
				continue;
			}
			if (e.kind == EVENT_NEIGHBOUR_WANTED && !w->no_neighbours)
				neighbour_answer(w, i, &e);
			check(w->events < WORLD_EVENTS_MAX);
			w->event[w->events++] = e;
		}
	}
}

static void peer_hear(struct world *w, struct world_peer *p, const uint8_t *b, uint16_t len,
		      bool rtcp)
{
	struct rtp_view v;

	if (rtcp || rtp_is_rtcp(b, len)) {
		check(len <= sizeof(p->rtcp));
		memcpy(p->rtcp, b, len);
		p->rtcp_len = len;
		p->rtcp_n++;
		p->rtcp_muxed = !rtcp;
		return;
	}
	check_int(rtp_parse(&v, b, len), RTP_OK);
	check_int(v.payload_at, RTP_HEADER_LEN);
	check(v.payload_len <= WORLD_PAYLOAD_MAX);
	check(p->got_n < WORLD_GOT_MAX);

	struct world_packet *g = &p->got[p->got_n++];

	*g = (struct world_packet){.at_ns = w->now_ns,
				   .ts = v.ts,
				   .ssrc = v.ssrc,
				   .seq = v.seq,
				   .len = v.payload_len,
				   .pt = v.pt,
				   .marker = v.marker};
	memcpy(g->payload, b + v.payload_at, v.payload_len);
}

static void sort_out6(struct world *w, const uint8_t *b, uint32_t len)
{
	struct net_own own = {.ip6 = true, .ip6_addr = {0xfd, [15] = 9}, .mac = {2}};
	struct net_view v;

	memcpy(own.mac, b, 6);
	check_int(net_parse(&v, &own, b, len), NET_UDP);
	for (unsigned i = 0; i < w->peers; i++)
		if (w->peer[i].ip6 && (v.dst_port & ~1) == w->peer[i].port)
			peer_hear(w, &w->peer[i], b + v.payload_at, v.payload_len, v.dst_port & 1);
}

static void sort_out(struct world *w, const uint8_t *b, uint32_t len)
{
	check(len >= NET_HEAD4_BYTES || w->answers_ok);
	if (w->answers_ok && (be16_get(b + 12) == NET_ETHERTYPE_ARP ||
			      (be16_get(b + 12) == NET_ETHERTYPE_IP6 && b[20] == NET_PROTO_ICMP6)))
		return;
	if (be16_get(b + 12) == NET_ETHERTYPE_IP6) {
		sort_out6(w, b, len);
		return;
	}

	uint16_t port = be16_get(b + 36), bytes = (uint16_t)(be16_get(b + 38) - NET_UDP_BYTES);

	check_int(len, bytes + (unsigned)NET_HEAD4_BYTES);
	for (unsigned i = 0; i < w->peers; i++) {
		struct world_peer *p = &w->peer[i];

		if (memcmp(b + 30, p->ip, 4) == 0 && (port & ~1) == p->port) {
			peer_hear(w, p, b + NET_HEAD4_BYTES, bytes, port & 1);
			return;
		}
	}
	check(w->unclaimed_ok);
}

void world_turn(struct world *w)
{
	struct rte_mbuf *m;

	for (unsigned i = 0; i < w->workers; i++)
		worker_turn(w->worker[i], w->now_ns);
	events_take(w);
	for (unsigned i = 0; i < WORLD_WORKERS_MAX && w->port_cfg.from_engine[i] != NULL; i++) {
		while (rte_ring_dequeue(w->port_cfg.from_engine[i], (void **)&m) == 0) {
			sort_out(w, rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m));
			rte_pktmbuf_free(m);
		}
	}
}

int world_do(struct world *w, unsigned worker, struct worker_command *c)
{
	c->token = ++w->token;
	memset(&w->reply, 0, sizeof(w->reply));
	check_int(worker_command_send(w->worker[worker], c), 0);
	world_turn(w);
	check_int(w->reply.token, c->token);
	return w->reply.result;
}

struct call_ref world_call(struct world *w, unsigned worker, uint32_t index)
{
	struct worker_command c = {.kind = COMMAND_CALL_OPEN};

	c.call = (struct call_ref){index, 1};
	check_int(world_do(w, worker, &c), 0);
	return c.call;
}

int world_call_close(struct world *w, unsigned worker, struct call_ref call)
{
	struct worker_command c = {.kind = COMMAND_CALL_CLOSE, .call = call};

	return world_do(w, worker, &c);
}

struct leg_config world_config(const struct world_peer *p)
{
	struct leg_config cfg = {
		.family = 4,
		.codecs = 2,
		.codec = {{CODEC_PCMU, 0, 20, 8000}, {CODEC_PCMA, 8, 20, 8000}},
		.dtmf = true,
		.dtmf_pt = 101,
		.dtmf_clock_hz = 8000,
		.direction = LEG_SENDRECV,
		.source = LEG_SOURCE_LATCH,
		.ssrc = 0xabcd0000,
	};

	if (p != NULL) {
		cfg.remote.family = 4;
		memcpy(cfg.remote.ip, p->ip, 4);
		cfg.remote.port = p->port;
	}
	return cfg;
}

struct world_peer *world_peer_with(struct world *w, unsigned worker, struct call_ref call,
				   uint32_t index, const struct leg_config *cfg)
{
	struct world_peer *p = &w->peer[w->peers];
	struct worker_command c = {.kind = COMMAND_LEG_OPEN, .call = call};

	check(w->peers < WORLD_PEERS_MAX);
	*p = (struct world_peer){
		.ip = {10, 1, 2, (uint8_t)(10 + w->peers)},
		.port = 4000,
		.worker = worker,
		.leg = {WORLD_LEGS * worker + index, 1},
		.leg_port = (uint16_t)(WORLD_RTP_FIRST + 2 * (WORLD_LEGS * worker + index)),
		.ptime_ms = 20,
		.ssrc = 0x1000 + w->peers,
		.seq = (uint16_t)(65530 + w->peers * 100),
		.ts = 0xfffff000u + w->peers,
		.got = calloc(WORLD_GOT_MAX, sizeof(struct world_packet)),
	};
	w->peers++;
	check(p->got != NULL);
	c.leg = p->leg;
	c.leg_open = cfg != NULL ? *cfg : world_config(p);
	check_int(world_do(w, worker, &c), 0);
	return p;
}

struct world_peer *world_peer(struct world *w, unsigned worker, struct call_ref call,
			      uint32_t index)
{
	return world_peer_with(w, worker, call, index, NULL);
}

int world_leg_close(struct world *w, struct world_peer *p)
{
	struct worker_command c = {.kind = COMMAND_LEG_CLOSE, .leg = p->leg};

	return world_do(w, p->worker, &c);
}

int world_leg_set(struct world *w, struct world_peer *p, const struct leg_config *cfg)
{
	struct worker_command c = {.kind = COMMAND_LEG_SET, .leg = p->leg};

	c.leg_open = *cfg;
	return world_do(w, p->worker, &c);
}

const struct leg_stats *world_stat(struct world *w, struct world_peer *p)
{
	struct worker_command c = {.kind = COMMAND_LEG_STAT, .leg = p->leg};

	check_int(world_do(w, p->worker, &c), 0);
	return &w->reply.stats;
}

void world_hears(struct worker_command *c, const struct world_peer *listener,
		 const struct world_peer *speaker, int16_t gain_cb)
{
	c->hear.entry[c->hear.n++] =
		(struct hear_entry){listener->leg.index, speaker->leg.index, gain_cb};
}

int world_hear(struct world *w, unsigned worker, struct call_ref call, struct worker_command *c)
{
	c->kind = COMMAND_CALL_HEAR;
	c->call = call;
	c->hear.whole = true;
	return world_do(w, worker, c);
}

void world_bridge(struct world *w, struct call_ref call, struct world_peer *a, struct world_peer *b)
{
	struct worker_command c = {0};

	world_hears(&c, a, b, 0);
	world_hears(&c, b, a, 0);
	check_int(world_hear(w, a->worker, call, &c), 0);
}

int world_monitor(struct world *w, struct call_ref call, uint64_t id,
		  const struct world_peer *supervisor, const struct world_peer *agent,
		  const struct world_peer *customer, enum monitor_mode mode)
{
	struct worker_command c = {.kind = COMMAND_MONITOR_SET, .call = call};

	c.monitor.monitor = id;
	c.monitor.supervisor = supervisor->leg;
	c.monitor.agent = agent->leg;
	c.monitor.customer = customer->leg;
	c.monitor.mode = mode;
	return world_do(w, supervisor->worker, &c);
}

void world_frame(struct world *w, const void *frame, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);

	check(m != NULL);

	char *at = rte_pktmbuf_append(m, len);

	check(at != NULL);
	memcpy(at, frame, len);
	check_int(rte_ring_enqueue(w->port_cfg.to_engine[0], m), 0);
}

void world_send(struct world *w, const struct world_peer *p, uint16_t from_port, uint16_t to_port,
		const void *payload, uint16_t len)
{
	struct net_own own = {.ip4 = true, .mac = {2, 0, 0, 0, 1, p->ip[3]}};
	struct net_head h;
	uint8_t frame[2048];

	check((size_t)len + NET_HEAD4_BYTES <= sizeof(frame));
	memcpy(own.ip4_addr, p->ip, 4);
	net_head_make(&h, &own, 4, from_port, port_own(w->port)->ip4_addr, to_port,
		      port_own(w->port)->mac);
	memcpy(frame + h.len, payload, len);
	net_head_write(&h, frame, len);
	world_frame(w, frame, (uint16_t)(h.len + len));
}

void world_rtp(struct world *w, struct world_peer *p, uint8_t pt, bool marker, const void *payload,
	       uint16_t len)
{
	uint8_t b[RTP_HEADER_LEN + WORLD_PAYLOAD_MAX] = {0};

	check(len <= WORLD_PAYLOAD_MAX);
	rtp_build(b, pt, marker, p->seq++, p->ts, p->ssrc);
	memcpy(b + RTP_HEADER_LEN, payload, len);
	p->sent++;
	world_send(w, p, p->port, p->leg_port, b, (uint16_t)(RTP_HEADER_LEN + len));
}

static void peer_talk(struct world *w, struct world_peer *p)
{
	uint8_t b[WORLD_PAYLOAD_MAX] = {0};
	uint16_t n = (uint16_t)(p->ptime_ms * RATE / 1000);

	for (unsigned i = 0; i < n; i++) {
		int16_t s = (int16_t)(8000 * sin(p->phase));

		p->phase += 2 * M_PI * p->hz / RATE;
		b[i] = p->alaw ? g711_alaw_encode(s) : g711_ulaw_encode(s);
		if (p->hz == 0)
			b[i] = (uint8_t)(p->sent * 7 + i);
	}
	world_rtp(w, p, p->alaw ? 8 : p->pt, p->mark, b, n);
	p->mark = false;
	p->ts += n;
}

void world_run(struct world *w, unsigned ms)
{
	for (unsigned t = 0; t < ms; t++) {
		w->now_ns += PB_NS_PER_MS;
		for (unsigned i = 0; i < w->peers; i++) {
			struct world_peer *p = &w->peer[i];

			if (!p->talks)
				continue;
			if (p->due_ms == 0) {
				peer_talk(w, p);
				p->due_ms = p->ptime_ms;
			}
			p->due_ms--;
		}
		world_turn(w);
	}
}

void world_key(struct world *w, struct world_peer *p, uint8_t code)
{
	for (unsigned i = 0; i < 8; i++) {
		uint16_t duration = (uint16_t)(160 * (i < 5 ? i + 1 : 5));
		uint8_t e[4] = {code, (uint8_t)(10 | (i >= 5 ? 0x80 : 0)), (uint8_t)(duration >> 8),
				(uint8_t)duration};

		world_rtp(w, p, 101, i == 0, e, sizeof(e));
		world_run(w, 20);
	}
	p->ts += 160 * 8;
}

void world_forget(struct world *w)
{
	w->events = 0;
	for (unsigned i = 0; i < w->peers; i++)
		w->peer[i].got_n = w->peer[i].rtcp_n = 0;
}

double world_tone(const struct world_peer *p, unsigned from, unsigned to, double hz)
{
	double re = 0, im = 0, power = 0;
	unsigned n = 0;

	for (unsigned k = from; k < to && k < p->got_n; k++) {
		const struct world_packet *g = &p->got[k];

		if (g->pt != 0 && g->pt != 8)
			continue;
		for (unsigned i = 0; i < g->len; i++, n++) {
			double s = g->pt == 8 ? g711_alaw_linear[g->payload[i]]
					      : g711_ulaw_linear[g->payload[i]];

			re += s * cos(2 * M_PI * hz * n / RATE);
			im += s * sin(2 * M_PI * hz * n / RATE);
			power += s * s;
		}
	}
	if (n == 0 || power < n * 16.0)
		return 0;
	return 2 * (re * re + im * im) / n / power;
}

bool world_hears_tone(const struct world_peer *p, double hz)
{
	return world_tone(p, p->got_n > 25 ? p->got_n - 25 : 0, p->got_n, hz) > 0.15;
}

void world_check_stream(const struct world_peer *p, unsigned from, uint32_t ts_step)
{
	for (unsigned i = from + 1; i < p->got_n; i++) {
		const struct world_packet *a = &p->got[i - 1], *b = &p->got[i];

		check_int(b->ssrc, a->ssrc);
		check_int((uint16_t)(b->seq - a->seq), 1);
		if (ts_step != 0)
			check_int(b->ts - a->ts, ts_step);
		else
			check((int32_t)(b->ts - a->ts) >= 0);
	}
}

unsigned world_count(const struct world *w, enum worker_event_kind kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->events; i++)
		n += w->event[i].kind == kind;
	return n;
}

const struct worker_event *world_find(const struct world *w, enum worker_event_kind kind)
{
	for (unsigned i = w->events; i-- > 0;)
		if (w->event[i].kind == kind)
			return &w->event[i];
	return NULL;
}
