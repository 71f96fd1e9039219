/* A range of UDP ports as aligned blocks, for devices that match by mask and not by range.
 *
 * Thread: any; pure.
 */
#ifndef PORT_STEER_H
#define PORT_STEER_H

#include <stdint.h>

enum { STEER_BLOCKS_MAX = 30 }; /* of one range of 16-bit numbers, at most: 15 from each end */

struct steer_block {
	uint16_t port, mask; /* matches p when (p & mask) == port */
};

/* Cover first..last (first <= last) exactly, with as few blocks as can be, in order. Returns how many. */
unsigned steer_cover(uint16_t first, uint16_t last, struct steer_block block[STEER_BLOCKS_MAX]);

#endif
