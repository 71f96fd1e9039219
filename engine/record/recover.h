/* What an engine that died has left in the extent file, brought into an order that can be written.
 *
 * Thread: main, before any other thread uses the file.
 */
#ifndef RECORD_RECOVER_H
#define RECORD_RECOVER_H

#include <stdint.h>

#include "patchbay/recording_account.h"
#include "record/shared.h"

/* A recording of the dead engine and the account that its last extent closes with. */
struct recovered {
	uint8_t id[16];
	enum recording_end reason;
	struct recording_account account;
};

struct recover_report {
	struct recovered *list; /* the caller's, for free(); NULL when there was no memory for it */
	uint32_t listed;
	uint32_t extents;    /* now CLOSED and to be written */
	uint32_t recordings; /* ended here, with RECORDING_END_ENGINE_DIED */
	uint32_t later;      /* of these, without an open extent: CLOSING, for rec_tap_adopt() */
	uint32_t damaged;    /* extents whose bytes make no sense; freed and named in the log */
};

/* Close every open extent and end every open recording; taps are FREE or CLOSING then. Does
 * nothing to the disk, may itself be killed at any moment and run again. Never trusts
 * the bytes. */
void recover_all(struct shared *s, struct recover_report *report);

#endif
