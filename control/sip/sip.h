/* The SIP stack: sockets, who may talk to us, and the limits under which we answer.
 *
 * One stack serves all listeners of the daemon. It owns the registrar and all calls. It answers
 * OPTIONS by itself, challenges whoever must prove who they are, refuses what it does not know with
 * the right code, and under overload says 503 with Retry-After before any work is done for the new
 * call; running calls are not affected.
 *
 * Who may call (INVITE outside a dialog):
 *   - the From user is one of ours (the `secret` callback knows it, From host is ours): digest, and
 *     the digest user must be the From user;
 *   - otherwise, source address is listed in `trunk`: accepted as a trunk call;
 *   - otherwise `accept_unknown`: accepted as an unauthenticated caller; else 403.
 * What an unauthenticated caller may dial is the owner's decision, in `incoming`.
 *
 * Thread: the one that runs libre's loop (re_main()). libre_init() must have been called. Callbacks
 * come from the loop, never from inside a call into this module.
 * Ownership: strings in configuration and callbacks are copied or valid for the call only.
 * Source: RFC 3261, 7616 (digest with SHA-256), 3581 (rport), 4028 (session timers), 3326 (Reason),
 * 3515 (REFER), 3311 (UPDATE), 3262 (PRACK), 3891 (Replaces).
 */
#ifndef SIP_SIP_H
#define SIP_SIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sip/sip_media.h"

enum { SIP_USER_MAX = 64, SIP_HOST_MAX = 128, SIP_TEXT_MAX = 128, SIP_URI_MAX = 256 };
enum { SIP_LISTEN_MAX = 8, SIP_TRUNK_ADDRS_MAX = 32, SIP_DOMAINS_MAX = 8 };

struct sip_stack;
struct sip_call;
struct registrar;

enum sip_transport { SIP_OVER_UDP, SIP_OVER_TCP, SIP_OVER_TLS };

/* "udp", "tcp", "tls". */
const char *sip_transport_name(enum sip_transport t);

/* Where a message came from or goes to. */
struct sip_peer {
	char ip[SIP_IP_MAX];
	uint16_t port;
	enum sip_transport transport;
};

struct sip_listen {
	enum sip_transport transport;
	const char *ip; /* numeric; "0.0.0.0" is not accepted: a Contact must name a real address */
	uint16_t port;  /* 0 = any free one, see sip_stack_port() */
	const char *certificate; /* TLS: PEM file with certificate and key; else NULL */
};

/* How a user proves its password. Give the password, or the two hashed forms of it
 * H(user:realm:password) in lower-case hex. */
struct sip_secret {
	char password[SIP_TEXT_MAX];
	char ha1_md5[33];    /* used when password is "" */
	char ha1_sha256[65]; /* used when password is ""; "" = this user cannot use SHA-256 */
};

/* A binding that came or went. */
struct sip_registration {
	const char *user;
	const char *contact; /* URI as registered */
	struct sip_peer source;
	const char *user_agent; /* cleaned of control characters; "" if not said */
	uint32_t expires_s;     /* 0 in `unregistered` */
	bool first;             /* registered: the user had no binding before */
	bool last;              /* unregistered: the user has none left */
	bool expired;           /* unregistered: by time, not by request */
};

struct sip_stack_handlers {
	/* Find the secret of `user`. Returns true and fills `secret`, or false: no such user. Called
	 * for REGISTER and INVITE; must not block. Required. */
	bool (*secret)(void *arg, const char *user, struct sip_secret *secret);

	/* Is `number` one that is dialled for help? Who proves to be one of our users is then let in whatever the
	 * limits say. Optional. */
	bool (*urgent)(void *arg, const char *number);

	/* A contact was added or refreshed from another address; a contact is gone. Optional. */
	void (*registered)(void *arg, const struct sip_registration *r);
	void (*unregistered)(void *arg, const struct sip_registration *r);

	/* A new call wants in. 100 Trying has been sent. The owner calls sip_call_attach() now, and
	 * then, now or later, sip_call_progress(), sip_call_answer() or sip_call_end(). A call that
	 * was not attached when this returns is answered 404. Required. */
	void (*incoming)(void *arg, struct sip_call *call);

	/* The password for `trunk`. Returns true and fills `out`. Optional. */
	bool (*trunk_password)(void *arg, const char *trunk, char *out, size_t size);

	/* A trunk came up or went down, `why` then says what happened. Optional. */
	void (*trunk_changed)(void *arg, const char *trunk, bool down, const char *why);

	void *arg;
};

struct sip_limits {
	uint32_t calls_max;          /* calls at once, both directions; 0 = 10000 */
	uint32_t calls_per_s_max;    /* new incoming calls, bucket of 1 s; 0 = 500 */
	uint32_t calls_per_s_source; /* of those, from one address that is no trunk; 0 = no limit */
	uint32_t registers_per_s;    /* REGISTER requests, bucket of 1 s; 0 = 3000 */
	uint32_t retry_after_s;      /* told in 503; 0 = 5 */
	uint32_t contacts_max;       /* bindings of one user; 0 = 4 */
	uint32_t bindings_max;       /* bindings of all users; 0 = 20000 */
	uint32_t expires_min_s;      /* 0 = 30 */
	uint32_t expires_max_s;      /* 0 = 3600 */
	uint32_t failures_user;      /* wrong passwords per source and user in 30 s; 0 = 5 */
	uint32_t failures_source;    /* wrong passwords per source in 30 s; 0 = 100 */
	uint32_t session_expires_s;  /* asked for in outgoing calls; 0 = 1800 */
	uint32_t session_min_s;      /* least session interval we accept (422); 0 = 90 */
	uint32_t keepalive_s;        /* phones behind NAT are pinged so often; 0 = 25 */
	uint32_t prack_wait_ms; /* a reliable response waits so long for its PRACK; 0 = 64 T1 */
};

struct sip_stack_config {
	struct sip_listen listen[SIP_LISTEN_MAX];
	size_t listens;
	const char *realm;                   /* of digest; and the host of our own From */
	const char *domain[SIP_DOMAINS_MAX]; /* further host names that are ours; our own listen
						addresses always are */
	size_t domains;
	const char *user_agent; /* NULL = "Patchbay/VERSION" */
	const char *tls_ca;  /* PEM file of the authorities that certificates of trunks are checked
				against; NULL or "" = the system's */
	bool offer_sha256;   /* offer SHA-256 beside MD5. Many older phones give up on a challenge
				   that they do not know, even with MD5 next to it */
	bool accept_unknown; /* callers who are not ours and not a trunk may call in */
	const char *trunk[SIP_TRUNK_ADDRS_MAX]; /* source addresses of trunks; a name is
						   passed over with a warning */
	size_t trunks;
	struct sip_limits limits;
	struct sip_stack_handlers handlers;
};

/* What happened since the start, for `status` and metrics. */
struct sip_stack_stats {
	uint64_t requests;          /* requests received outside and inside dialogs */
	uint64_t calls_in;          /* incoming calls handed to the owner */
	uint64_t calls_out;         /* INVITEs we started */
	uint64_t refused_overload;  /* 503 */
	uint64_t refused_auth;      /* challenged and never proved right: wrong password */
	uint64_t refused_blocked;   /* refused unseen because the source failed too often */
	uint64_t refused_malformed; /* 400 and 4xx for messages that are not right */
	uint64_t refused_policy;    /* 403 */
	uint64_t stray_responses;   /* responses that match nothing */
	uint64_t registers_ok;
	uint32_t calls_now;
	uint32_t bindings_now;
	uint32_t dialogs_now; /* includes calls that are only finishing their goodbye */
};

/* Open the sockets and start to answer. On success `*out` is set and the owner calls
 * sip_stack_close() some day. Returns 0; -EINVAL for a configuration that cannot be (logged with
 * the reason); the negative errno of bind() or of the certificate (logged with the address). */
int sip_stack_open(struct sip_stack **out, const struct sip_stack_config *cfg);

/* Refuse new calls with 503 from now on, or accept them again. Running calls go on. */
void sip_stack_drain(struct sip_stack *s, bool on);

/* End every call (BYE, CANCEL or 503, by state), then call `done` once when the peers have
 * answered or `timeout_ms` has passed. Calls still report SIP_CALL_CLOSED. The sockets stay open
 * until sip_stack_close(). */
void sip_stack_hang_up(struct sip_stack *s, uint32_t timeout_ms, void (*done)(void *arg),
		       void *arg);

/* Close the sockets and free everything at once; nothing more is sent and no handler is called.
 * Takes NULL. For an orderly end call sip_stack_hang_up() first. */
void sip_stack_close(struct sip_stack *s);

/* The port that listener `i` got. 0 if there is no such listener. */
uint16_t sip_stack_port(const struct sip_stack *s, size_t i);

/* Its address and transport. -EINVAL when there is none. */
int sip_stack_bound(const struct sip_stack *s, size_t i, enum sip_transport *transport,
		    char ip[SIP_IP_MAX]);
struct registrar *sip_stack_registrar(struct sip_stack *s);

/* Send a line of UTF-8 text to all phones of `user` (RFC 3428). Returns 0 when it is on its way to one at least;
 * -ENOENT when the user is not registered; -EHOSTUNREACH, -ENOMEM. */
int sip_stack_message(struct sip_stack *s, const char *user, const char *text);

void sip_stack_stats(const struct sip_stack *s, struct sip_stack_stats *out);

/* The running call with this Call-ID, or NULL. */
struct sip_call *sip_stack_find_call(struct sip_stack *s, const char *call_id);

/* Visit all calls that have an owner. The visitor must not end calls. */
void sip_stack_each_call(struct sip_stack *s, void (*visit)(struct sip_call *call, void *arg),
			 void *arg);

#endif
