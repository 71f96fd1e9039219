/* SPDX-License-Identifier: Apache-2.0
 *
 * For any bytes: opening reads and writes none outside the packet and never takes what was not sealed with the
 * key (a forger would have to be luckier than 2^-32 per try), for every suite, RTP and RTCP, by the quick and
 * by the slow way. What is sealed opens once, the same, and not twice.
 */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "srtp/srtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct srtp *unit_make(void)
{
	struct srtp *u = aligned_alloc(64, (srtp_unit_bytes(SRTP_SUITES) + 63) & ~(size_t)63);

	must(u != NULL && srtp_unit_init(u, SRTP_SUITES, SRTP_WAY_BURST) == 0);
	for (unsigned s = 1; s < SRTP_SUITES; s++) {
		struct srtp_keys keys = {.receive = {.suite = (uint8_t)s, .mki_len = s & 1}};

		keys.receive.master[0] = (uint8_t)s;
		keys.send = keys.receive;
		must(srtp_keys_set(u, s, &keys) == 0);
		if (s & 2) { /* with an older key, too */
			uint8_t p[64] = {0x80};
			struct srtp_row row = {.data = p, .leg = s, .len = 20};

			srtp_rtp_seal(u, &row, 1);
			srtp_rtp_open(u, &row, 1);
			must(row.verdict == SRTP_OK);
			keys.receive.master[1] = keys.send.master[1] = 1;
			must(srtp_keys_set(u, s, &keys) == 0);
		}
	}
	return u;
}

/* The packet in memory of exactly its size, so that a step outside is seen. */
static uint8_t *copy_of(const uint8_t *data, size_t size, size_t room)
{
	uint8_t *p = malloc(size + room + 1);

	must(p != NULL);
	memcpy(p, data, size);
	return p;
}

static void any_bytes(struct srtp *u, uint32_t leg, const uint8_t *data, size_t size)
{
	uint16_t len = (uint16_t)size;
	uint8_t *p = copy_of(data, size, 0);
	struct srtp_row row = {.data = p, .leg = leg, .len = len};

	srtp_rtp_open(u, &row, 1);
	must(row.verdict != SRTP_OK);
	must(srtp_rtcp_open(u, leg, p, &len) != SRTP_OK && len == size);
	free(p);
}

static void sealed_once(struct srtp *u, uint32_t leg, const uint8_t *data, size_t size)
{
	uint8_t *p = copy_of(data, size, SRTP_RTP_TRAILER_MAX), *q;
	struct srtp_row row = {.data = p, .leg = leg, .len = (uint16_t)size}, twice;

	srtp_rtp_seal(u, &row, 1);
	if (row.verdict == SRTP_OK) {
		q = copy_of(p, row.len, 0);
		twice = (struct srtp_row){.data = q, .leg = leg, .len = row.len};
		srtp_rtp_open(u, &row, 1);
		must(row.verdict == SRTP_OK && row.len == size && memcmp(p, data, size) == 0);
		srtp_rtp_open(u, &twice, 1);
		must(twice.verdict == SRTP_REPLAY);
		free(q);
	}
	free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct srtp *u;

	if (size > SRTP_PACKET_MAX - 64)
		return 0;
	u = unit_make();
	for (uint32_t leg = 1; leg < SRTP_SUITES; leg++) {
		any_bytes(u, leg, data, size);
		sealed_once(u, leg, data, size);
		any_bytes(u, leg, data, size);
	}
	srtp_unit_fini(u);
	free(u);
	return 0;
}
