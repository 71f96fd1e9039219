/* SPDX-License-Identifier: Apache-2.0
 *
 * A small store for recording_reader.py: two recordings of 12 s in three segments, one of them
 * with a mask and with frames that never came.
 *
 *	recording_make DIRECTORY
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "record/record.h"

enum { FRAMES = 600, LEN = 160 };
static const uint64_t frame_ns = 20000000;

static void frame(struct rec_tap *tap, uint8_t channel, uint32_t i, uint64_t now_ns)
{
	uint8_t payload[LEN];
	struct rec_frame f = {.now_ns = now_ns,
			      .timestamp = i * LEN,
			      .seq = (uint16_t)i,
			      .channel = channel,
			      .codec = RECORDING_CODEC_PCMU,
			      .len = LEN,
			      .payload = payload};

	for (unsigned k = 0; k < LEN; k++)
		payload[k] = (uint8_t)(i * 7 + k * 13 + channel * 101);
	while (rec_tap_frame(tap, &f) == REC_TAP_FRAME_LOST)
		usleep(1000);
}

int main(int argc, char **argv)
{
	struct record_config cfg = {.name = "make",
				    .shm_dir = argc > 1 ? argv[1] : NULL,
				    .volume = {argc > 1 ? argv[1] : NULL},
				    .volumes = 1,
				    .workers = 1,
				    .extents = 256,
				    .taps = 4,
				    .segment_bytes = 1 << 20,
				    .no_catalogue = true};
	uint8_t id[2][16] = {{0xaa}, {0xbb}};
	uint64_t now_ns = 1000000000;
	struct rec_tap *tap[2];
	struct record *rec;

	if (argc != 2 || record_start(&cfg, &rec) != 0)
		return 2;
	for (unsigned c = 0; c < 2; c++)
		if (rec_tap_open(record_worker(rec, 0), id[c], "{\"made\":\"for a test\"}", now_ns,
				 &tap[c]) != 0)
			return 1;
	for (uint32_t i = 0; i < FRAMES; i++, now_ns += frame_ns) {
		if (i == 100)
			rec_tap_mask(tap[1], REC_MASK_REQUEST, REC_MASK_SAID, "card", now_ns);
		if (i == 150)
			rec_tap_mask(tap[1], REC_MASK_REQUEST, 0, "card", now_ns);
		for (unsigned c = 0; c < 2; c++)
			for (uint8_t ch = 0; ch < 2; ch++)
				if (c == 0 || i < 300 || i >= 304)
					frame(tap[c], ch, i, now_ns);
	}
	for (unsigned c = 0; c < 2; c++)
		rec_tap_close(tap[c], RECORDING_END_STOPPED, now_ns, NULL);
	return record_stop(rec) != 0;
}
