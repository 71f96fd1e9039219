/* How losses cluster: bursts and gaps of one incoming source, and how long runs of loss are.
 *
 * Told only of losses, each with the number of packets that came since the one before, so that a stream without
 * loss costs nothing. A gap is a time in which at least LOSS_RUNS_GMIN packets stand between any two
 * losses; everything between gaps is a burst.
 *
 * Thread: the leg's owner; pure. Source: RFC 3611, 4.7.2 and A.2; ITU-T G.107, 3.5 (BurstR).
 */
#ifndef RTP_LOSS_RUNS_H
#define RTP_LOSS_RUNS_H

#include <stdint.h>

enum { LOSS_RUNS_GMIN = 16 };

/* All zero: no loss yet. The c's are the transitions of RFC 3611, A.2. */
struct loss_runs {
	uint32_t c11, c13, c14, c22, c23, c33;
	uint32_t burst_lost; /* losses of the burst that may be going on */
	uint32_t lost, runs; /* losses, and runs of losses without a packet between */
};

/* One packet is lost; `came` arrived since the loss before it (or since the beginning). */
void loss_runs_lost(struct loss_runs *r, uint32_t came);

struct loss_runs_result {
	uint8_t burst_density, gap_density; /* losses, of 256 */
	uint16_t burst_ms, gap_ms;          /* mean lengths, at most 65,535 */
	/* Mean run of losses over that of random loss of the same share: 1 = random, 2 = twice as
	 * bursty. 1 without loss. */
	double burst_ratio;
};

/* `came` arrived since the newest loss; a packet is `packet_ms` long. */
struct loss_runs_result loss_runs_result(const struct loss_runs *r, uint32_t came,
					 uint32_t packet_ms);

#endif
