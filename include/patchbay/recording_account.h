/* The account of one recording: for each channel, what was accepted, what was written, what was
 * lost and why. Written into the log with every extent, returned by the control socket, recomputed
 * from the bytes by `patchbay recordings verify`.
 */
#ifndef PATCHBAY_RECORDING_ACCOUNT_H
#define PATCHBAY_RECORDING_ACCOUNT_H

#include <stdint.h>

enum { RECORDING_CHANNELS = 2 }; /* 0 = what the customer says, 1 = what the customer hears */

enum recording_loss {
	RECORDING_LOSS_NONE,
	RECORDING_LOSS_NO_EXTENT, /* memory for extents ran out: the disk could not keep up */
	RECORDING_LOSS_IO,        /* the same, because no volume was left to write to */
	RECORDING_LOSS_TOO_LARGE, /* a payload larger than a frame may be */
};

/* One above the last kind. */
enum { RECORDING_LOSSES = RECORDING_LOSS_TOO_LARGE + 1 };

struct recording_account {
	struct {
		uint64_t accepted; /* frames the engine took for this recording */
		uint64_t written;  /* of these, put into extents */
		uint64_t lost;     /* accepted - written */
		uint64_t masked;   /* of the written: silence in place of what was said */
		uint64_t
			missing; /* never came: gaps of the network (recording_format.h, MISSING) */
		uint8_t loss;    /* newest enum recording_loss */
	} channel[RECORDING_CHANNELS];
	uint64_t paused_ms;
};

#endif
