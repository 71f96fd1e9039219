/* A capture file as Wireshark reads it: PCAP Next Generation, one Ethernet interface, nanoseconds.
 *
 * Thread: one; writes to a stream, otherwise pure.
 * Source: draft-ietf-opsawg-pcapng, 4.1 (section), 4.2 (interface), 4.3 (enhanced packet).
 */
#ifndef CLI_PCAPNG_H
#define CLI_PCAPNG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Begin a file. */
void pcapng_begin(FILE *out, const char *application);

/* One packet: `kept` bytes of the `length` on the wire, when, and which way; `comment` may be NULL. */
struct pcapng_packet {
	uint64_t time_ns; /* since the epoch */
	const uint8_t *frame;
	uint32_t kept, length;
	bool inbound;
	const char *comment;
};
void pcapng_packet(FILE *out, const struct pcapng_packet *p);

#endif
