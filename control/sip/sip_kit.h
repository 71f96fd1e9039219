/* For tests: a switchboard and phones on loopback, in one process and one loop.
 *
 * A kit_line is a stack with everything its calls reported written down, so that a test reads as a
 * story: dial, run until something is so, look. A kit_wire is a bare UDP socket for what no decent
 * phone would send.
 *
 * Nothing here is checked inside the loop; the test checks between kit_run()s.
 */
#ifndef SIP_SIP_KIT_H
#define SIP_SIP_KIT_H

#include "sip/registrar.h"
#include "sip/sip_call.h"

enum { KIT_CALLS = 512, KIT_TEXT = 16384 };

struct kit_line;
struct sipreg;
struct json_t;

/* One call as one side saw it. */
struct kit_call {
	struct kit_line *line;
	struct sip_call *call; /* NULL after CLOSED */
	struct sip_call_info info;
	bool incoming, remote_known;
	unsigned ringing, early, answered, media, refreshed, failed, refer, transfer, dtmf, closed;
	int status, cause;
	bool by_peer;
	char text[SIP_TEXT_MAX];
	struct sip_media remote; /* as last told */
	char digit;
	char refer_user[SIP_USER_MAX];
	bool refer_attended;
	struct sip_call *refer_with;
	int transfer_status;
};

/* What a line does with incoming calls by itself. */
enum kit_mood { KIT_ANSWER, KIT_RING, KIT_EARLY, KIT_BUSY, KIT_DND, KIT_IGNORE };

struct kit_line {
	struct sip_stack *stack;
	uint16_t port[3]; /* UDP, TCP, TLS (0 without a certificate) */
	enum kit_mood mood;
	unsigned refuse; /* so many calls are answered 503 before that */
	struct sip_media local;
	struct kit_call call[KIT_CALLS];
	size_t calls;
	unsigned registered, unregistered, expired;
	unsigned secrets_asked;
};

struct kit_wire {
	struct udp_sock *sock;
	uint16_t port;
	char got[KIT_TEXT]; /* everything received, in order */
	size_t len;
	unsigned messages;
	const char *awaited; /* by kit_wire_gets() */
};

/* libre up, on the calling thread; and down, true when nothing leaked. */
void kit_up(void);
bool kit_down(void);

/* Run the loop until `so` says true or the time is over; what it said last. */
bool kit_run(bool (*so)(void *arg), void *arg, uint32_t timeout_ms);
/* Run the loop for a while. */
void kit_wait(uint32_t ms);
/* Run until *n >= want; given up after four times `timeout_ms`, for machines under load. */
bool kit_until(const unsigned *n, unsigned want, uint32_t timeout_ms);

/* Users of a switchboard: 1001 to 1010, password "pw-" and the number. */
bool kit_secret(void *arg, const char *user, struct sip_secret *secret);

/* A stack on 127.0.0.1 with the users above, realm "pb.test". `change` may alter the configuration
 * first. Returns 0 or the stack's error. */
int kit_open(struct kit_line *l, void (*change)(struct sip_stack_config *cfg));
void kit_close(struct kit_line *l);

/* As if killed and begun anew on the same ports; its calls are forgotten. Returns as kit_open(). */
int kit_restart(struct kit_line *l, void (*change)(struct sip_stack_config *cfg));
/* Take up a kept call. NULL when it was refused. */
struct kit_call *kit_adopt(struct kit_line *l, const struct json_t *kept, uint64_t now_ms);

/* The newest call of a line, or NULL. */
struct kit_call *kit_last(struct kit_line *l);

/* The dialog of a call as its peer names it: "call-id;to-tag=A;from-tag=B" (RFC 3891), or with
 * %3B and %3D in a URI; `swapped`: tags the wrong way round. */
void kit_replaces(const struct kit_call *c, bool in_uri, bool swapped, char *out, size_t size);

/* Dial a URI or a registered user from `l`. NULL when it could not be started. */
struct kit_call *kit_dial(struct kit_line *l, const struct sip_invite *inv);
/* Dial "sip:user@127.0.0.1:port" of another line as nobody in particular. */
struct kit_call *kit_dial_line(struct kit_line *l, struct kit_line *to, const char *user);

/* Register `user` of `board` from the phone `l`, over UDP or TCP; `status` gets the answer. */
int kit_register(struct sipreg **reg, struct kit_line *l, struct kit_line *board, const char *user,
		 const char *password, uint32_t expires_s, bool tcp, int *status);

int kit_wire_open(struct kit_wire *w);
/* The same at an address and port of one's choice. */
int kit_wire_open_at(struct kit_wire *w, const char *ip, uint16_t port);
void kit_wire_close(struct kit_wire *w);
/* Send to a port of loopback; '\n' becomes CRLF, and "@PORT@" the wire's own port. */
void kit_wire_send(struct kit_wire *w, uint16_t port, const char *text);
void kit_wire_send_raw(struct kit_wire *w, uint16_t port, const void *data, size_t len);
/* Wait until the wire got `what` (after the last kit_wire_forget()). */
bool kit_wire_gets(struct kit_wire *w, const char *what, uint32_t timeout_ms);
void kit_wire_forget(struct kit_wire *w);

#endif
