/* The codecs, by small numbers: indices of tables and members of packets between threads. Not
 * stored on disk by this number (the recording format names codecs itself). */
#ifndef CODEC_CODEC_ID_H
#define CODEC_CODEC_ID_H

enum codec_id {
	CODEC_PCMU,
	CODEC_PCMA,
	CODEC_G722,
	CODEC_OPUS,
	CODEC_G729,
	CODEC_L16,     /* L16/8000 */
	CODEC_L16_16K, /* L16/16000 */
	CODEC_COUNT
};

/* The first two: an octet is a sample at 8 kHz, and a state is not needed. */
enum { CODEC_G711_COUNT = CODEC_PCMA + 1 };

#endif
