/* Trunks: where calls to and from the world outside go, and whether they work.
 *
 * A trunk is known by an address or a name; a name is looked up at once and then every five minutes, without
 * holding the loop, and all its addresses count: for what comes in, and one after the other for what goes
 * out. Or it is registered with: REGISTER with our user and password, refreshed between 70 and 85 % of what was
 * granted, 423 obeyed, failures tried again after a pause that doubles from 4 s to 300 s and is drawn between
 * half and all of that, so that many switchboards do not come back at once (RFC 5626, 4.5).
 *
 * Health: a trunk that is registered with is up while the registration stands; another while it answers
 * OPTIONS, if it is asked at all. A call that it does not answer, or answers 503, sets it aside for the time that
 * Retry-After says, else 30 s.
 *
 * Choice for a number: those that are up before those that are not, then the longest prefix, then the lowest
 * `priority`, then by lot after `weight`. The caller names those it has tried.
 *
 * Thread: libre's loop. Ownership: setups are copied.
 * Source: RFC 3261, 10.2 and 11; RFC 5626, 4.5; RFC 2782 for priority and weight.
 */
#ifndef SIP_SIP_TRUNK_H
#define SIP_SIP_TRUNK_H

#include "sip/sip.h"

enum { SIP_TRUNKS_MAX = 64, SIP_TRUNK_NAME_MAX = 64, SIP_TRUNK_HOST_MAX = 254 };

struct sip_trunk_setup {
	const char *name, *host;
	uint16_t port;
	bool srv; /* `port` is only the usual one: the SRV records of a name come first (RFC 3263) */
	enum sip_transport transport;
	const char *prefix; /* numbers that begin so; "" is all */
	uint8_t priority;   /* the lowest is asked first */
	uint16_t weight; /* share among those of one priority; 0 = only when nothing else is left */
	bool trusted;    /* identities are taken from it and told to it (RFC 3325) */
	const char *user; /* "" when the trunk knows us by address */
	bool registers;
	uint32_t expires_s; /* asked for */
	uint32_t options_s; /* OPTIONS so often; 0 = never */
	bool unverified; /* TLS: calls go through whoever answers there, whatever its certificate */
};

enum sip_trunk_state {
	SIP_TRUNK_UNKNOWN, /* nothing was heard yet; used */
	SIP_TRUNK_UP,
	SIP_TRUNK_DOWN,
};

struct sip_trunk_view {
	const char *name, *host;
	char address[SIP_IP_MAX]; /* in use now; "" = not known yet */
	uint16_t port;
	enum sip_transport transport;
	enum sip_trunk_state state;
	bool registers;
	uint32_t registered_s; /* the registration stands so long; 0 = it does not */
	const char *why;       /* DOWN: what happened; "" else */
	uint32_t retry_s;      /* DOWN: the next try */
	uint64_t calls_in, calls_out, failures;
	uint64_t registrations, register_failures;
};

/* "unknown", "up", "down". */
const char *sip_trunk_state_name(enum sip_trunk_state s);

/* Replace the trunks of the stack. One that is the same in name, host, port, transport and user keeps its
 * state; one that has gone is unregistered. Returns 0, -EINVAL for more than SIP_TRUNKS_MAX, -ENOMEM. */
int sip_stack_trunks(struct sip_stack *s, const struct sip_trunk_setup *setup, size_t n);

/* Visit all trunks in the order of the setup. */
void sip_trunk_each(const struct sip_stack *s,
		    void (*visit)(const struct sip_trunk_view *v, void *arg), void *arg);

/* The trunk for `number`, by its index in the setup; bit i of `tried` passes over trunk i. -1 = none. */
int sip_trunk_choose(const struct sip_stack *s, const char *number, uint64_t tried);

/* Is trunk `i`, by its index in the setup, called over IPv6 now? False while its name has no address. */
bool sip_trunk_over_ip6(const struct sip_stack *s, unsigned i);

/* --- pure --- */

struct sip_trunk_candidate {
	size_t prefix_len;
	uint8_t priority;
	uint16_t weight;
	bool fits, up;
};

/* The choice described above; `lot` is a random number. Returns an index, or -1 when none fits. */
int sip_trunk_pick(const struct sip_trunk_candidate *c, size_t n, uint32_t lot);

/* The pause after `failures` (1 = the first) in a row; `lot` is a random number. */
uint32_t sip_trunk_pause_ms(unsigned failures, uint32_t lot);

#endif
