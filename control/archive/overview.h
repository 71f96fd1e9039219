/* The overview of a recording: its waveform in buckets, and who spoke when.
 *
 * Fed with the samples of both channels as they are exported; keeps per bucket and channel the
 * least, the greatest and the root of the mean square, and follows speech by loudness: a channel
 * speaks in a bucket when its RMS is above OVERVIEW_SPEECH_DBFS. Speech is carried over pauses of up
 * to OVERVIEW_HANG_MS, so that the gaps inside a word are no silence.
 *
 *	silence    neither channel speaks for at least OVERVIEW_SILENCE_MS
 *	talk-over  both channels speak for at least OVERVIEW_TALK_OVER_MS
 *
 * THE BINARY FORM, little endian: magic "PBXWAVE1", sample rate (32 bits), samples per bucket (32),
 * buckets (32), channels (16), marks (16), samples (64); then per bucket and channel min, max (signed
 * 8 bits, sample / 256) and rms (unsigned 8 bits, rms / 128); then per mark kind (32: 0 silence, 1
 * talk-over), from, to (32 each, ms).
 *
 * Thread: one owner. Pure.
 */
#ifndef ARCHIVE_OVERVIEW_H
#define ARCHIVE_OVERVIEW_H

#include <stddef.h>
#include <stdint.h>

enum {
	OVERVIEW_CHANNELS = 2,
	OVERVIEW_BUCKET_MS_MIN = 10,
	OVERVIEW_BUCKET_MS_MAX = 100,
	OVERVIEW_SPEECH_DBFS = -42,
	OVERVIEW_HANG_MS = 300,
	OVERVIEW_SILENCE_MS = 2000,
	OVERVIEW_TALK_OVER_MS = 500,
	OVERVIEW_MARKS_MAX = 10000,
	OVERVIEW_HEAD_BYTES = 36,
};

enum overview_mark_kind { OVERVIEW_SILENCE, OVERVIEW_TALK_OVER };

struct overview_mark {
	enum overview_mark_kind kind;
	uint32_t from_ms, to_ms;
};

struct overview;

/* Returns NULL when there is no memory or `bucket_ms` is out of its bounds. */
struct overview *overview_new(uint32_t rate_hz, uint32_t bucket_ms);
void overview_free(struct overview *o);

/* `n` samples of both channels, interleaved. Returns 0 or -ENOMEM. */
int overview_put(struct overview *o, const int16_t *pairs, size_t n);

/* Nothing more comes. */
void overview_end(struct overview *o);

struct overview_sums {
	uint64_t duration_ms;
	double silence; /* shares of the duration, 0..1 */
	double talk_over;
	double speech[OVERVIEW_CHANNELS];
	double rms[OVERVIEW_CHANNELS]; /* of full scale, 0..1 */
	uint32_t silences, talk_overs; /* marks */
	uint32_t silence_longest_ms;
};

/* After overview_end(). */
void overview_sums(const struct overview *o, struct overview_sums *sums);
size_t overview_marks(const struct overview *o, const struct overview_mark **marks);

/* The binary form; *bytes belongs to the caller (free). Returns its length, 0 without memory. */
size_t overview_pack(const struct overview *o, uint8_t **bytes);

/* The binary form as JSON text of `width` columns at most (0: one per bucket), each the sum of
 * whole buckets: {rate_hz, bucket_ms, duration_ms, channels: [{min: [], max: [], rms: []}, ...],
 * silence: [[from_ms, to_ms], ...], talk_over: [...]}. Returns text to free(), or NULL when the
 * bytes are no overview. */
char *overview_json(const uint8_t *bytes, size_t n, uint32_t width);

#endif
