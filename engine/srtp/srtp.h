/* SRTP and SRTCP of the legs of one worker: keys in, packets sealed and opened in place.
 *
 * Two ways behind one contract, chosen when the unit is made:
 *
 *   burst    libipsec-mb, many packets at once; what a packet needs lies in 256 bytes a leg and
 *            direction (struct srtp_stream), which srtp_fetch() begins to load; some 0.1 us a packet
 *   library  libsrtp2, a packet at a time; for CPUs without AES instructions, and the reference that
 *            tests compare the first with
 *
 * Each leg has one stream each way. Several sources (SSRC) may come in under one key, one after the
 * other: each keeps its own rollover counter and replay window; the last SRTP_SOURCES are remembered.
 * What is sent has one source at a time.
 *
 * Re-keying: new keys apply at once, the rollover counters go on (RFC 3711, 3.3.1). Packets that were on
 * their way under the receive key before still open until SRTP_SETTLE packets have come under the new
 * one. A peer that began again at rollover counter 0 with its new key is understood as well.
 *
 * A receiver that has not yet opened anything from a source does not know its rollover counter: it
 * tries 0 and then, a few with every packet, up to SRTP_ROC_PROBE (a leg that is made again after a crash of
 * the engine hears a peer that has been sending for hours).
 *
 * Secrets: session keys lie only here, and are overwritten by srtp_close() and srtp_unit_fini(). A
 * master key is not kept. Nothing here logs.
 *
 * Thread: one owner, the worker. No allocation after srtp_unit_init() on the burst way; libsrtp2 allocates
 * where its keys are set and at the first packet of a source.
 * Sources: RFC 3711, RFC 6188, RFC 7714.
 */
#ifndef SRTP_SRTP_UNIT_H
#define SRTP_SRTP_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "srtp/srtp_suite.h"

enum {
	SRTP_BURST = 32,   /* rows of one call */
	SRTP_SOURCES = 8,  /* SSRCs remembered for replay protection, the current one included */
	SRTP_SETTLE = 250, /* packets under a new key until the old one is forgotten: 5 s */
	SRTP_ROC_PROBE =
		64, /* rollover counters tried for a source never heard: 23 hours at 20 ms */
	SRTP_PACKET_MAX = 2048 /* octets; longer is refused as SRTP_SHORT */
};

enum srtp_way { SRTP_WAY_AUTO, SRTP_WAY_BURST, SRTP_WAY_LIBRARY };

enum srtp_verdict {
	SRTP_OK,
	SRTP_SHORT,  /* too short for header, tag and MKI; or not version 2; or too long */
	SRTP_AUTH,   /* not sealed with this leg's key, or changed on its way */
	SRTP_REPLAY, /* opened (or, sealing: sealed) before, or too old to know */
};

/* One packet: in, RTP or SRTP at `data`; out, the verdict and with SRTP_OK the new length. */
struct srtp_row {
	uint8_t *data; /* sealing: SRTP_RTP_TRAILER_MAX octets of room follow `len` */
	uint32_t leg;  /* 0-based place in the unit */
	uint16_t len;
	uint8_t verdict; /* enum srtp_verdict */
};

/* Counted by the unit since srtp_keys_set() opened the leg. */
struct srtp_counts {
	uint32_t auth_failed, replayed; /* of packets received, RTP and RTCP */
};

struct srtp; /* a unit: opaque, in memory of the caller */

/* Whether this CPU has what the burst way needs: AES and AVX instructions, and the library's own
 * test of itself passed. */
bool srtp_burst_works(void);

/* Bytes of a unit for `legs` legs. */
size_t srtp_unit_bytes(uint32_t legs);

/* Make a unit in srtp_unit_bytes(legs) bytes, 64-byte aligned, zeroed by this call. AUTO takes BURST where it
 * works. Returns 0, -ENOTSUP when BURST was asked for and does not work, or -ENOMEM. */
int srtp_unit_init(struct srtp *unit, uint32_t legs, enum srtp_way way);

/* Wipe all keys and release what the libraries hold. */
void srtp_unit_fini(struct srtp *unit);

/* BURST or LIBRARY. */
enum srtp_way srtp_way_of(const struct srtp *unit);

/* Give a leg its keys: the first time, or new ones in mid-call. Both directions must be given. A key
 * equal to the one in use changes nothing there. `keys` is not kept. Returns 0, -EINVAL for an unknown suite or
 * an MKI that is too long (nothing is changed), or -ENOMEM (library only; then the leg has no keys). */
int srtp_keys_set(struct srtp *unit, uint32_t leg, const struct srtp_keys *keys);

/* The leg has no keys any more; its secrets are overwritten. Without keys: nothing happens. */
void srtp_close(struct srtp *unit, uint32_t leg);

/* Whether the leg has keys. */
bool srtp_has_keys(const struct srtp *unit, uint32_t leg);

/* What the leg's keys are for, SRTP_NO_SUITE without. */
enum srtp_suite srtp_suite_in_use(const struct srtp *unit, uint32_t leg);

struct srtp_counts srtp_counts_of(const struct srtp *unit, uint32_t leg);

/* Begin to load what opening (or sealing) a packet of the leg touches. */
void srtp_fetch(const struct srtp *unit, uint32_t leg, bool seal);

/* Open (authenticate, decrypt) or seal (encrypt, tag) up to SRTP_BURST RTP packets of legs that have
 * keys, in place. Several rows may belong to one leg; they take effect in their order. */
void srtp_rtp_open(struct srtp *unit, struct srtp_row *row, unsigned n);
void srtp_rtp_seal(struct srtp *unit, struct srtp_row *row, unsigned n);

/* The same for one RTCP compound. Sealing: SRTP_RTCP_TRAILER_MAX octets of room follow `len`.
 * What comes without the E bit is authenticated but was not encrypted; both are taken. */
enum srtp_verdict srtp_rtcp_open(struct srtp *unit, uint32_t leg, uint8_t *data, uint16_t *len);
enum srtp_verdict srtp_rtcp_seal(struct srtp *unit, uint32_t leg, uint8_t *data, uint16_t *len);

#endif
