/* The small protocols of a port that owns its addresses: who has this address (ARP, ND), are you
 * there (echo).
 *
 * neigh_local() reads one frame that net_parse() called LOCAL; it may learn a neighbour from it and may
 * turn it into its answer. neigh_ask() writes a question. Nothing is remembered here.
 *
 * Learning is restricted: only answers and questions that were addressed to an own address, and
 * announcements (a gateway that fails over), teach, and only addresses on the link, so that a
 * stranger cannot fill the memory of who is where with lies about far networks.
 *
 * Thread: any; pure.
 * Source: RFC 826, RFC 5227; RFC 792; RFC 4861, 4.3, 4.4, 7.1; RFC 4443, 4.
 */
#ifndef NEIGH_NEIGH_H
#define NEIGH_NEIGH_H

#include <stdbool.h>
#include <stdint.h>

#include "net/net.h"

enum {
	NEIGH_FRAME_MIN = 128, /* bytes that neigh_ask() and an answer need at most, echoes apart */
	NEIGH_ECHO_MAX = 1514, /* longer echo requests are not answered */
};

struct neigh_news {
	bool reply; /* the frame was turned into an answer of `len` bytes: send it */
	uint16_t len;
	bool learned; /* `ip` has the link address `mac` */
	uint8_t family;
	uint8_t ip[16];
	uint8_t mac[6];
};

/* Read the frame of `len` bytes at `p`, which has room for `room` bytes, and say what came of it. Never
 * reads or writes outside [p, p + room), nor reads beyond `len`. A frame that is broken or means
 * nothing to us gives neither a reply nor a neighbour. */
void neigh_local(struct neigh_news *news, const struct net_own *own, uint8_t *p, uint16_t len,
		 uint16_t room);

/* Write the question "who has `ip`?" (ARP request or neighbour solicitation) to the NEIGH_FRAME_MIN
 * bytes at `p`; returns its length. `ip` must be on the link and `own` have an address of `family`. */
uint16_t neigh_ask(const struct net_own *own, uint8_t family, const uint8_t *ip, uint8_t *p);

#endif
