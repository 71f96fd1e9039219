/* SPDX-License-Identifier: Apache-2.0
 *
 * A socket for each telephone. One loop: send what is due, take what has come. Nothing is faster here than in a
 * server that uses sockets; the judge's `late` tells when this side is what was measured.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "gen_line.h"
#include "net/net.h"

enum {
	EVENTS = 64,
	READS = 8, /* of one socket before the next frame may be sent */
	BUFFER = 1 << 20,
	DATAGRAM_MAX = 2048,
	HEAD = NET_IP4_BYTES + NET_UDP_BYTES,
};

struct udp {
	struct gen_line *line;
	const struct gen_script *script;
	int *fd; /* by stream; RTCP's behind them */
	uint32_t fds;
	int epoll, cpu;
	pthread_t thread;
	bool running;
};

static bool complain(const char *what)
{
	fprintf(stderr, "bench_gen: udp: %s: %s\n", what, strerror(errno));
	return false;
}

/* Which socket slot k goes out of: its stream's, or for a report the one behind all of those. */
static uint32_t socket_of(const struct udp *u, uint64_t k)
{
	const struct gen_script *s = u->script;
	int32_t whose = s->at[k % s->per_round];

	return whose != GEN_NOBODY ? (uint32_t)whose : s->streams + gen_reporter(s, k);
}

static void send_due(struct udp *u, uint64_t now)
{
	struct gen_clockwork *c = u->line->clock;

	while (c->next < c->slots && now >= c->begin_ns + c->next * c->round_ns / c->per_round) {
		uint64_t k = c->next++;
		struct gen_slot *s = &u->line->film[k];
		const uint8_t *ip = s->frame + GEN_ETH_BYTES;
		struct sockaddr_in to = {.sin_family = AF_INET};

		if (s->len == 0)
			continue;
		memcpy(&to.sin_addr, ip + 16, 4);
		memcpy(&to.sin_port, ip + NET_IP4_BYTES + 2, 2);
		s->sent_ns = now;
		if (sendto(u->fd[socket_of(u, k)], ip + HEAD, s->len - GEN_ETH_BYTES - HEAD,
			   MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) < 0 &&
		    errno != EAGAIN && errno != ECONNREFUSED)
			s->sent_ns = 0;
		now = gen_clock_ns();
	}
}

/* The judge reads frames from their IP header: only what it looks at is filled in. */
static void note(struct udp *u, uint32_t fd_at, const uint8_t *data, size_t len)
{
	struct gen_clockwork *c = u->line->clock;
	const struct gen_stream *t = &u->script->stream[fd_at % u->script->streams];
	uint16_t port = (uint16_t)(t->port + (fd_at >= u->script->streams ? 1 : 0));
	uint64_t now = gen_clock_ns();
	struct gen_heard *h;

	if (now < c->begin_ns || now >= c->end_ns || c->heard++ >= u->line->log_max)
		return;
	h = &u->line->log[c->heard - 1];
	memset(h->packet, 0, HEAD);
	h->packet[0] = 0x45;
	memcpy(h->packet + 16, t->ip, 4);
	be16_put(h->packet + NET_IP4_BYTES + 2, port);
	if (len > GEN_HEARD_MAX - HEAD)
		len = GEN_HEARD_MAX - HEAD;
	memcpy(h->packet + HEAD, data, len);
	h->len = h->kept = (uint16_t)(HEAD + len);
	h->heard_ns = now;
}

static void take(struct udp *u, int timeout_ms)
{
	struct epoll_event ready[EVENTS];
	int n = epoll_wait(u->epoll, ready, EVENTS, timeout_ms);

	for (int i = 0; i < n; i++) {
		uint8_t data[DATAGRAM_MAX];

		for (unsigned r = 0; r < READS; r++) {
			ssize_t len =
				recv(u->fd[ready[i].data.u32], data, sizeof(data), MSG_DONTWAIT);

			if (len < 0)
				break;
			note(u, ready[i].data.u32, data, (size_t)len);
		}
	}
}

static void *play(void *arg)
{
	struct udp *u = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)u->cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
	(void)sched_setscheduler(0, SCHED_RR, &(struct sched_param){.sched_priority = 1});
	while (!__atomic_load_n(&u->line->clock->quit, __ATOMIC_RELAXED)) {
		send_due(u, gen_clock_ns());
		take(u, 0);
	}
	return NULL;
}

static bool start(struct gen_line *l)
{
	struct udp *u = l->kind;

	u->running = pthread_create(&u->thread, NULL, play, u) == 0;
	return u->running;
}

static bool stop(struct gen_line *l)
{
	struct udp *u = l->kind;

	if (u->running) {
		__atomic_store_n(&l->clock->quit, 1, __ATOMIC_RELAXED);
		pthread_join(u->thread, NULL);
		u->running = false;
	}
	return true;
}

static void udp_close(struct gen_line *l)
{
	struct udp *u = l->kind;

	if (u == NULL)
		return;
	(void)stop(l);
	for (uint32_t i = 0; u->fd != NULL && i < u->fds; i++)
		if (u->fd[i] >= 0)
			close(u->fd[i]);
	if (u->epoll >= 0)
		close(u->epoll);
	free(u->fd);
	free(l->film);
	free(l->log);
	free(l->clock);
	free(u);
	l->kind = NULL;
}

static bool socket_open(struct udp *u, uint32_t at)
{
	const struct gen_stream *t = &u->script->stream[at % u->script->streams];
	struct sockaddr_in own = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)(t->port + (at >= u->script->streams ? 1 : 0)))};
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = at};
	int room = BUFFER;

	memcpy(&own.sin_addr, t->ip, 4);
	u->fd[at] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (u->fd[at] < 0)
		return complain("a socket");
	(void)setsockopt(u->fd[at], SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bind(u->fd[at], (struct sockaddr *)&own, sizeof(own)) != 0)
		return complain("a telephone's address");
	return epoll_ctl(u->epoll, EPOLL_CTL_ADD, u->fd[at], &e) == 0 || complain("epoll");
}

bool gen_udp_open(struct gen_line *l, const struct gen_script *s, uint64_t slots, uint64_t log_max,
		  int cpu)
{
	struct udp *u = calloc(1, sizeof(*u));
	struct rlimit files;

	*l = (struct gen_line){.slots = slots,
			       .log_max = log_max,
			       .start = start,
			       .stop = stop,
			       .close = udp_close,
			       .kind = u};
	if (u == NULL)
		return false;
	u->line = l;
	u->script = s;
	u->cpu = cpu;
	u->fds = s->streams * (s->rtcp ? 2 : 1);
	u->epoll = epoll_create1(EPOLL_CLOEXEC);
	u->fd = malloc(u->fds * sizeof(*u->fd));
	l->film = calloc(slots, sizeof(*l->film));
	l->log = calloc(log_max, sizeof(*l->log));
	l->clock = calloc(1, sizeof(*l->clock));
	if (u->epoll < 0 || u->fd == NULL || l->film == NULL || l->log == NULL || l->clock == NULL)
		return complain("no memory");
	memset(u->fd, 0xff, u->fds * sizeof(*u->fd));
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < u->fds + 64) {
		files.rlim_cur = u->fds + 64;
		if (files.rlim_max < files.rlim_cur)
			files.rlim_max = files.rlim_cur;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	for (uint32_t i = 0; i < u->fds; i++)
		if (!socket_open(u, i))
			return false;
	return true;
}
