/* SPDX-License-Identifier: Apache-2.0
 *
 * The sockets: one epoll holds the listener, all clients and an eventfd by which the server calls
 * itself again when it stopped early (a client with many lines, a client to be removed).
 */
#include "patchbay/rpc_server.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "rpc_request.h"
#include "rpc_server_priv.h"

enum {
	READ_BYTES = 65536,
	EVENTS_PER_ROUND = 64,
	ACCEPTS_PER_ROUND = 16,
	TAG_LISTENER = -1,
	TAG_WAKE = -2,
};

/* --- opening --- */

static bool address_make(struct sockaddr_un *sa, const char *path)
{
	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(sa->sun_path))
		return false;
	memcpy(sa->sun_path, path, strlen(path) + 1);
	return true;
}

/* Remove a socket file that nobody listens at. Returns 0, or -EADDRINUSE when somebody does (or
 * when the file is not a socket: we do not delete what is not ours). */
static int stale_remove(const char *path, const struct sockaddr_un *sa)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EADDRINUSE;

	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;

	int rc = connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0 ? 0 : errno;

	close(fd);
	if (rc != ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(path) == 0 || errno == ENOENT ? 0 : -errno;
}

static int listen_at(struct rpc_server *s, const struct sockaddr_un *sa)
{
	int rc = stale_remove(s->path, sa);

	if (rc != 0)
		return rc;
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->listener < 0)
		return -errno;
	/* Linux gives the file the mode of the unbound socket: it is never more open than this. */
	if (fchmod(s->listener, 0660) != 0 ||
	    bind(s->listener, (const struct sockaddr *)sa, sizeof(*sa)) != 0)
		return -errno;
	if (chmod(s->path, 0660) != 0 ||
	    (s->cfg.group >= 0 && chown(s->path, (uid_t)-1, (gid_t)s->cfg.group) != 0) ||
	    listen(s->listener, 64) != 0) {
		rc = -errno;
		unlink(s->path);
		return rc;
	}
	return 0;
}

/* Two that start at once take turns here, by a lock on the directory: the second then finds the
 * first one listening. */
static int listen_alone(struct rpc_server *s)
{
	struct sockaddr_un sa;
	char *copy = strdup(s->path);
	int dir, rc;

	must(copy != NULL);
	if (!address_make(&sa, s->path)) {
		free(copy);
		return -ENAMETOOLONG;
	}
	dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = dir < 0 || flock(dir, LOCK_EX) != 0 ? -errno : listen_at(s, &sa);
	if (dir >= 0)
		close(dir);
	free(copy);
	return rc;
}

static int watch(const struct rpc_server *s, int fd, uint32_t events, int tag)
{
	struct epoll_event ev = {.events = events, .data.u64 = (uint64_t)(int64_t)tag};

	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) == 0 ? 0 : -errno;
}

int rpc_server_open(struct rpc_server **server, const char *path,
		    const struct rpc_server_config *cfg)
{
	struct rpc_server *s = calloc(1, sizeof(*s));
	struct timespec now;
	uint8_t uuid[16];
	int rc;

	must(s != NULL);
	*s = (struct rpc_server){.cfg = *cfg, .listener = -1, .free_waiting = UINT32_MAX};
	s->path = strdup(path);
	must(s->path != NULL);
	rpc_uuid_make(uuid);
	rpc_uuid_print(uuid, s->instance);
	clock_gettime(CLOCK_REALTIME, &now);
	s->started_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	s->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);

	rc = s->epoll < 0 || s->wake < 0 ? -errno : listen_alone(s);
	if (rc == 0)
		rc = watch(s, s->listener, EPOLLIN, TAG_LISTENER);
	if (rc == 0)
		rc = watch(s, s->wake, EPOLLIN, TAG_WAKE);
	if (rc != 0) {
		if (s->listener >= 0)
			close(s->listener);
		if (s->wake >= 0)
			close(s->wake);
		if (s->epoll >= 0)
			close(s->epoll);
		if (s->reserve >= 0)
			close(s->reserve);
		free(s->path);
		free(s);
		return rc;
	}
	*server = s;
	return 0;
}

/* --- clients --- */

void rpc_server_wake(struct rpc_server *s)
{
	uint64_t one = 1;
	ssize_t n = write(s->wake, &one, sizeof(one));

	must(n == sizeof(one) || errno == EAGAIN);
}

void rpc_peer_kill(struct rpc_server *s, struct rpc_peer *p)
{
	p->dead = true;
	rpc_server_wake(s);
}

/* Ask epoll for what this client can do now. */
void rpc_peer_arm(struct rpc_server *s, uint32_t slot)
{
	struct rpc_peer *p = s->peer[slot];
	struct epoll_event ev = {.data.u64 = slot};

	if (p->dead)
		return;
	if (!p->eof && !p->more && p->pending < RPC_PENDING_MAX)
		ev.events |= EPOLLIN;
	if (rpc_bytes_held(&p->out) > 0)
		ev.events |= EPOLLOUT;
	if (p->eof && !p->subscribed && !p->more && p->pending == 0 &&
	    rpc_bytes_held(&p->out) == 0) {
		rpc_peer_kill(s, p);
		return;
	}
	if (ev.events == p->armed)
		return;
	p->armed = ev.events;
	must(epoll_ctl(s->epoll, EPOLL_CTL_MOD, p->fd, &ev) == 0);
}

static void peer_remove(struct rpc_server *s, uint32_t slot)
{
	struct rpc_peer *p = s->peer[slot];

	rpc_session_forget(s, p);
	close(p->fd);
	rpc_bytes_free(&p->in.in);
	rpc_bytes_free(&p->out);
	free(p);
	s->peer[slot] = NULL;
	s->stats.clients--;
}

static bool in_groups(int fd, gid_t group)
{
	gid_t groups[1024];
	socklen_t len = sizeof(groups);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) != 0)
		return false;
	for (size_t i = 0; i < len / sizeof(*groups); i++)
		if (groups[i] == group)
			return true;
	return false;
}

static bool peer_allowed(const struct rpc_server *s, int fd, uint32_t *uid)
{
	struct ucred who;
	socklen_t len = sizeof(who);
	struct stat st;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
		return false;
	*uid = who.uid;
	if (who.uid == 0 || who.uid == geteuid())
		return true;
	if (stat(s->path, &st) == 0 && (who.gid == st.st_gid || in_groups(fd, st.st_gid)))
		return true;
	log_warn("rpc", "refused process %d of user %u at %s: not in the socket's group",
		 (int)who.pid, (unsigned)who.uid, s->path);
	return false;
}

static void turn_away(struct rpc_server *s, int fd)
{
	struct rpc_error err = {0};
	struct rpc_bytes out = {0};

	rpc_error_set(&err, RPC_OVERLOADED, "%d clients are connected already", RPC_CLIENTS_MAX);

	json_t *reply = rpc_reply_error(NULL, &err);

	rpc_bytes_json(&out, reply);
	json_decref(reply);
	/* It fits into an empty socket buffer; if not, closing says enough. */
	if (send(fd, out.data, out.tail, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("rpc", "a client too many left before it was told");
	rpc_bytes_free(&out);
	close(fd);
	s->stats.refused++;
	log_warn("rpc", "a client too many at %s was turned away", s->path);
}

static void accept_one(struct rpc_server *s, int fd)
{
	uint32_t slot = 0, uid = 0;

	if (!peer_allowed(s, fd, &uid)) {
		s->stats.refused++;
		close(fd);
		return;
	}
	while (slot < RPC_CLIENTS_MAX && s->peer[slot] != NULL)
		slot++;
	if (slot == RPC_CLIENTS_MAX) {
		turn_away(s, fd);
		return;
	}

	struct rpc_peer *p = calloc(1, sizeof(*p));

	must(p != NULL);
	p->fd = fd;
	p->number = ++s->peers_made;
	p->uid = uid;
	p->in.line_max = RPC_LINE_MAX;
	p->armed = EPOLLIN;
	if (watch(s, fd, EPOLLIN, (int)slot) != 0) {
		close(fd);
		free(p);
		return;
	}
	s->peer[slot] = p;
	s->stats.clients++;
	s->stats.accepted++;
}

static void peer_read(struct rpc_server *s, uint32_t slot)
{
	struct rpc_peer *p = s->peer[slot];
	ssize_t n = recv(p->fd, rpc_bytes_room(&p->in.in, READ_BYTES), READ_BYTES, 0);

	if (n > 0) {
		p->in.in.tail += (size_t)n;
		rpc_session_lines(s, slot);
	} else if (n == 0) {
		p->eof = true;
		rpc_peer_arm(s, slot);
	} else if (errno != EAGAIN && errno != EINTR) {
		rpc_peer_kill(s, p);
	}
}

static void peer_write(struct rpc_server *s, uint32_t slot)
{
	struct rpc_peer *p = s->peer[slot];
	ssize_t n = send(p->fd, p->out.data + p->out.head, rpc_bytes_held(&p->out), MSG_NOSIGNAL);

	if (n >= 0)
		rpc_bytes_drop(&p->out, (size_t)n);
	else if (errno != EAGAIN && errno != EINTR)
		rpc_peer_kill(s, p);
	rpc_session_events(s, slot);
	rpc_peer_arm(s, slot);
}

/* The process has no descriptor left: the client would wait in the queue and the listener stay
 * readable for ever. Give up the one kept in reserve to take the client off the queue. */
static void accept_without_room(struct rpc_server *s)
{
	int fd;

	log_error("rpc", "no file descriptor is left for a client at %s", s->path);
	close(s->reserve);
	fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	s->stats.refused++;
	s->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void accept_some(struct rpc_server *s)
{
	for (int i = 0; i < ACCEPTS_PER_ROUND; i++) {
		int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE) && s->reserve >= 0)
			accept_without_room(s);
		if (fd < 0)
			return;
		accept_one(s, fd);
	}
}

static void peer_ready(struct rpc_server *s, uint32_t slot, uint32_t events)
{
	struct rpc_peer *p = slot < RPC_CLIENTS_MAX ? s->peer[slot] : NULL;

	if (p == NULL || p->dead)
		return;
	if ((events & EPOLLIN) != 0)
		peer_read(s, slot);
	if (!p->dead && (events & EPOLLOUT) != 0)
		peer_write(s, slot);
	/* Both directions are closed and nothing is left to read. */
	if ((events & (EPOLLHUP | EPOLLERR)) != 0 && (events & EPOLLIN) == 0 && !p->more)
		rpc_peer_kill(s, p);
}

void rpc_server_poll(struct rpc_server *s)
{
	struct epoll_event ev[EVENTS_PER_ROUND];
	uint64_t ignored;
	int n = epoll_wait(s->epoll, ev, EVENTS_PER_ROUND, 0);

	if (read(s->wake, &ignored, sizeof(ignored)) > 0)
		for (uint32_t slot = 0; slot < RPC_CLIENTS_MAX; slot++)
			if (s->peer[slot] != NULL && s->peer[slot]->more && !s->peer[slot]->dead)
				rpc_session_lines(s, slot);
	for (int i = 0; i < n; i++) {
		int tag = (int)(int64_t)ev[i].data.u64;

		if (tag == TAG_LISTENER)
			accept_some(s);
		else if (tag != TAG_WAKE)
			peer_ready(s, (uint32_t)tag, ev[i].events);
	}
	for (uint32_t slot = 0; slot < RPC_CLIENTS_MAX; slot++)
		if (s->peer[slot] != NULL && s->peer[slot]->dead)
			peer_remove(s, slot);
}

void rpc_server_close(struct rpc_server *s)
{
	if (s == NULL)
		return;
	for (uint32_t slot = 0; slot < RPC_CLIENTS_MAX; slot++)
		if (s->peer[slot] != NULL)
			peer_remove(s, slot);
	unlink(s->path);
	close(s->listener);
	close(s->wake);
	close(s->epoll);
	if (s->reserve >= 0)
		close(s->reserve);
	free(s->waiting);
	free(s->path);
	free(s);
}

int rpc_server_fd(const struct rpc_server *s)
{
	return s->epoll;
}

const char *rpc_server_instance(const struct rpc_server *s)
{
	return s->instance;
}

uint64_t rpc_server_started_ms(const struct rpc_server *s)
{
	return s->started_ms;
}

void rpc_server_stats(const struct rpc_server *s, struct rpc_server_stats *stats)
{
	*stats = s->stats;
}
