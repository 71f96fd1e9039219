/* The server's inside, shared by its two files: rpc_server.c (sockets) and rpc_session.c (what the
 * lines mean).
 *
 *	rpc_server.c            rpc_session.c
 *	accept, read ---------> session_lines: request -> handler -> answer
 *	write <---------------- out queue <- answers, events from the log by cursor
 *
 * A client that must go is only marked (`dead`); rpc_server_poll() removes it at the end of the
 * round, so that no handler ever sees its client vanish under it.
 */
#ifndef LIBPATCHBAY_RPC_SERVER_PRIV_H
#define LIBPATCHBAY_RPC_SERVER_PRIV_H

#include "patchbay/rpc_server.h"
#include "rpc_line.h"

enum {
	RPC_LINES_PER_ROUND = 32,
	RPC_OUT_EVENTS =
		256 * 1024, /* events are queued ahead only up to this; the log keeps the rest */
};

struct rpc_peer {
	int fd;
	uint32_t number; /* of the connection, never reused */
	uint32_t uid;
	uint32_t armed; /* the epoll events asked for now */
	uint32_t pending;
	bool hello, subscribed;
	bool more; /* lines may be left over from the last round */
	bool eof;  /* it will send no more; it may still read */
	bool dead;
	uint64_t cursor;      /* number of the next event to queue */
	uint64_t backlog_end; /* log position up to which its lag is its own wish */
	struct rpc_lines in;
	struct rpc_bytes out;
};

struct rpc_waiting {
	uint32_t generation; /* odd: in use */
	uint32_t peer;       /* its number */
	uint32_t slot;
	uint32_t next_free;
	json_t *id; /* NULL: a notification */
};

struct rpc_server {
	struct rpc_server_config cfg;
	char *path;
	int epoll, listener, wake;
	int reserve; /* a descriptor to give up when there is no other */
	char instance[37];
	uint64_t started_ms;
	uint32_t peers_made;
	struct rpc_peer *peer[RPC_CLIENTS_MAX];

	struct rpc_waiting *waiting;
	uint32_t waitings, free_waiting; /* free_waiting: UINT32_MAX = none */
	struct rpc_server_stats stats;
};

/* rpc_server.c */
void rpc_peer_kill(struct rpc_server *s, struct rpc_peer *p);
void rpc_peer_arm(struct rpc_server *s, uint32_t slot);
void rpc_server_wake(struct rpc_server *s);

/* rpc_session.c */
void rpc_session_lines(struct rpc_server *s, uint32_t slot);
void rpc_session_events(struct rpc_server *s, uint32_t slot);
void rpc_session_forget(struct rpc_server *s, struct rpc_peer *p);

#endif
