/* Reading recordings: list, read, verify, export. Needs nothing but the store's directories.
 *
 * A store may be read while an engine writes to it; what was durable when recording_store_open()
 * or recording_open() looked is seen. Damage never stops a reader: it is told to the caller's
 * recording_damage_fn and the rest is read.
 *
 *	recording_store_open(&store, dirs, n);
 *	recording_find(store, "6ba7b810", id);
 *	recording_open(store, id, NULL, NULL, &r);
 *	while (recording_next(r, &frame) > 0) ...
 *	recording_close(r); recording_store_close(store);
 *
 * The bytes: patchbay/recording_format.h. Times: `_ns` of the day count from the Unix epoch; a
 * frame's `time_ns` counts from the start of its recording, on the engine's clock.
 *
 * Thread: any; a store and the recordings opened from it belong to one thread at a time.
 */
#ifndef PATCHBAY_RECORDING_H
#define PATCHBAY_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "patchbay/recording_account.h"
#include "patchbay/recording_format.h"

enum { RECORDING_ID_TEXT = 37 }; /* xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx and NUL */

void recording_id_text(const uint8_t id[16], char text[RECORDING_ID_TEXT]);

/* From 32 hexadecimal digits, with or without dashes. Returns 0 or -EINVAL. */
int recording_id_parse(const char *text, uint8_t id[16]);

/* "stopped", "engine_died", ...; "unknown" for a number of a later version. */
const char *recording_end_name(uint32_t reason);

/* "none", "no_extent", ... as above. */
const char *recording_loss_name(uint32_t loss);

/* --- damage --- */

/* clang-format off */
#define RECORDING_DAMAGE_TABLE(X) \
	X(SEGMENT_UNREADABLE, "segment_unreadable", "a segment cannot be read at all") \
	X(SEGMENT_HEAD,       "segment_head",       "the head of a segment is damaged; its extents are read by their tag") \
	X(VERSION,            "version",            "written by a later version of the format") \
	X(INDEX,              "index",              "the index of a sealed segment is damaged; its blocks are read instead") \
	X(INDEX_DISAGREES,    "index_disagrees",    "the index and the extent at this place tell different things") \
	X(CATALOGUE,          "catalogue",          "a catalogue is damaged; the segments' own indexes are read instead") \
	X(EXTENT_HEAD,        "extent_head",        "an extent's head is damaged") \
	X(EXTENT_CRC,         "extent_crc",         "an extent's checksum does not agree") \
	X(EXTENT_CUT,         "extent_cut",         "an extent is cut off by the end of its file") \
	X(TORN_TAIL,          "torn_tail",          "an unsealed segment ends in the middle of an extent") \
	X(LENGTH,             "length",             "a segment without an index is not as long as it was made") \
	X(EXTENT_MISSING,     "extent_missing",     "extents of a recording are in no segment") \
	X(EXTENT_TWICE,       "extent_twice",       "an extent occurs twice with different frames") \
	X(NO_START,           "no_start",           "a part of a recording does not begin with its metadata") \
	X(NO_END,             "no_end",             "a part of a recording has no end: it is running, or its engine died and was not started since") \
	X(FRAME,              "frame",              "a frame does not fit into its extent or means nothing") \
	X(ACCOUNT,            "account",            "the frames and the account do not agree")
/* clang-format on */

#define RECORDING_DAMAGE_ENUM(id, name, text) RECORDING_DAMAGE_##id,
enum recording_damage_kind { RECORDING_DAMAGE_TABLE(RECORDING_DAMAGE_ENUM) RECORDING_DAMAGE_COUNT };
#undef RECORDING_DAMAGE_ENUM

/* The name ("extent_crc") and the sentence. */
const char *recording_damage_name(enum recording_damage_kind kind);
const char *recording_damage_text(enum recording_damage_kind kind);

struct recording_damage {
	enum recording_damage_kind kind;
	const char *path; /* segment file, or NULL */
	uint64_t offset;  /* in it, or RECORDING_NOWHERE */
	bool has_id;
	uint8_t id[16]; /* recording */
	uint64_t part_ns;
	uint64_t seq;     /* first extent concerned, or RECORDING_NOWHERE */
	uint64_t count;   /* how many of them */
	char detail[128]; /* numbers, for the operator; may be empty */
};

/* The struct is the library's until the function returns. */
typedef void recording_damage_fn(void *ctx, const struct recording_damage *damage);

/* --- the store --- */

struct recording_store;

/* Look at the segments of `n` directories. Returns 0, -ENOENT (none of the directories exists),
 * or negative errno. */
int recording_store_open(struct recording_store **store, const char *const *dir, size_t n);
void recording_store_close(struct recording_store *store);

/* Also see what a running engine holds in memory and has not made durable yet: `extents` is its
 * extent file, /dev/shm/patchbay-NAME.extents. Recordings opened from now on are read up to their
 * newest frame. The file is mapped read-only, whatever its engine does meanwhile does no harm, and
 * it may come and go. Returns 0 or -ENAMETOOLONG; an engine of another version is not seen. */
int recording_store_attach(struct recording_store *store, const char *extents);

/* Look again at the directories: a store that is kept open does not see new segments by itself.
 * Cheap when nothing has changed. Recordings that are open stay valid. Returns as
 * recording_store_open(). */
int recording_store_refresh(struct recording_store *store);

struct recording_info {
	uint8_t id[16];
	uint64_t start_ns; /* time of day */
	uint64_t duration_ns;
	uint64_t extents;
	uint64_t bytes; /* of extents, in segments */
	uint32_t parts;
	bool complete;      /* every part has its start, its end and all extents between */
	bool ended;         /* the last part has its end */
	uint32_t end;       /* enum recording_end, when `ended` */
	bool account_known; /* the heads that carry it could be read */
	struct recording_account account; /* as the heads say; recording_verify() recomputes it */
	const char
		*metadata; /* JSON text of the first part; "{}" when lost. Owned by the library */
};

/* Return other than 0 to end the list. */
typedef int recording_info_fn(void *ctx, const struct recording_info *info);

/* Tell of every recording, oldest first. Takes some 100 bytes of memory per extent of the store.
 * Returns 0, what `fn` returned, or negative errno. */
int recording_store_list(struct recording_store *store, recording_info_fn *fn,
			 recording_damage_fn *damage, void *ctx);

/* The one recording whose id begins with `prefix` (hexadecimal, dashes ignored, at least 4
 * digits). Returns 0, -EINVAL, -ENOENT, -ENOTUNIQ (several). */
int recording_find(struct recording_store *store, const char *prefix, uint8_t id[16]);

/* Bring the catalogue of a directory up to date with its sealed segments: it is what lets
 * recording_open() and recording_find() go straight to a recording in a store of any size; without
 * it each segment's index is looked at. A running engine does this by itself; after directories
 * were copied or restored, or where no engine runs, call it. `least`: only if so many segments are
 * not in it. Returns how many were added, -EAGAIN (another process is at it), or negative errno. */
int recording_catalogue_update(const char *dir, unsigned least);

/* --- one recording --- */

struct recording;

struct recording_frame {
	enum recording_frame_kind kind;
	uint8_t channel;
	uint8_t codec; /* enum recording_codec */
	uint16_t seq;
	uint32_t timestamp;
	uint64_t time_ns; /* since the start of the recording */
	uint32_t part;    /* 0, 1, ... */
	bool after_gap;   /* extents are missing before this frame */
	bool masked;      /* AUDIO: silence in place of what was said */
	uint16_t len;
	const uint8_t *payload; /* valid until the next call */
};

/* Find a recording's extents. `damage` may be NULL. Returns 0, -ENOENT, or negative errno. */
int recording_open(struct recording_store *store, const uint8_t id[16], recording_damage_fn *damage,
		   void *ctx, struct recording **r);
void recording_close(struct recording *r);

const struct recording_info *recording_info(const struct recording *r);

/* The next frame in arrival order, every extent once. Returns 1, 0 at the end, -ESTALE: what comes next was in
 * a segment that its engine uses for other recordings now (this one is finished: the archive has it) or that
 * is gone with its volume, the next call goes on behind it; damage is told and skipped. */
int recording_next(struct recording *r, struct recording_frame *f);

/* Begin again, at the extent that holds `time_ns` (0: the first). */
void recording_seek(struct recording *r, uint64_t time_ns);

/* Is it still going on? It has no end, and an engine holds it or writes the segment that it is in. */
bool recording_runs(const struct recording *r);

/* After recording_next() has returned 0 of one that runs: look for what has come since; the next
 * recording_next() goes on there, and recording_info() tells of the whole. Returns 1 when there is
 * more, 0 when not, or negative errno. */
int recording_refresh(struct recording *r);

/* --- its sound --- */

/* Both channels of one recording as one stream of stereo samples (left what the customer says,
 * right what the customer hears, 16 bits in the machine's order), from any moment on. A recording
 * that runs is read up to a few seconds before now; a call that has just been recorded is the same
 * stream as one of last year. Memory is bounded whatever the length.
 *
 *	recording_stream_open(r, 8000, &s);
 *	recording_stream_seek(s, 90 * 8000);            one and a half minutes in
 *	while ((n = recording_stream_read(s, pcm, 4096)) > 0) ...
 *	n == 0: its end; n == -EAGAIN: it runs, and nothing more is there: ask again in a second
 *
 * A place is a number of samples since the recording's start, so that a byte of a WAV file is a
 * place: (byte - header) / 4. From whatever place it is read, a place has the same sound; only where
 * a clock difference is being slipped away may it be one sample beside. Seeking costs the decoding
 * of the RECORDING_STREAM_LEAD_MS before the place. */
struct recording_stream;

enum { RECORDING_STREAM_LEAD_MS = 10000 };

/* `rate_hz`: 8000, 16000 or 48000. The recording is the caller's, and read by the stream until it
 * is closed. Returns 0, -EINVAL or -ENOMEM. */
int recording_stream_open(struct recording *r, uint32_t rate_hz, struct recording_stream **s);
void recording_stream_close(struct recording_stream *s);

/* Go to a place; past the end, the next read returns 0. Returns 0 or -ENOMEM. */
int recording_stream_seek(struct recording_stream *s, uint64_t place);

/* Where the next read begins. */
uint64_t recording_stream_place(const struct recording_stream *s);

/* At most `n` samples of both channels into pcm[2 * n]. Returns how many, 0 at the end, -EAGAIN,
 * or negative errno. */
int recording_stream_read(struct recording_stream *s, int16_t *pcm, size_t n);

/* Samples of the whole recording as far as is known now; final when it does not run. Within 20 ms
 * of where the stream ends: the last frame's length is not in this number. */
uint64_t recording_stream_length(const struct recording_stream *s);

/* --- verify --- */

struct recording_verdict {
	uint64_t segments, extents, frames, bytes;
	uint64_t unknown; /* of the frames, of kinds that a later minor version brought */
	uint64_t recordings;
	uint64_t running; /* of these, without an end in a segment that is being written now */
	uint64_t damages; /* calls of the damage function */
	struct recording_account
		account; /* recomputed from the frames, over all that was verified */
};

/* Read every byte of the store (with `id`: check only that recording, and the segments as a
 * whole), and tell of everything that is not as it should be. Takes some 300 bytes of memory per
 * extent. Returns 0 (see verdict->damages), or negative errno when it could not be done. */
int recording_verify(struct recording_store *store, const uint8_t *id, recording_damage_fn *damage,
		     void *ctx, struct recording_verdict *verdict);

/* --- export --- */

enum recording_format { RECORDING_FORMAT_WAV, RECORDING_FORMAT_OPUS };

/* From a file name's end: .wav, .opus or .ogg. Returns 0 or -EINVAL. */
int recording_format_of(const char *path, enum recording_format *format);

struct recording_export {
	const char *path; /* replaced only when the export has succeeded; NULL: into `fd` */
	int fd;           /* an empty file that can be read back and sought; stays the caller's */
	enum recording_format format;
	uint32_t rate_hz; /* 0 = 8000; WAV: 8000, 16000 or 48000 */
	/* Return other than 0 to give up with -ECANCELED. May be NULL. */
	int (*progress)(void *ctx, uint64_t done_ns, uint64_t total_ns);
	/* Sees each `n` samples of both channels, interleaved, as they go into the file. Return other
	 * than 0 to give up with that. May be NULL. */
	int (*pcm)(void *ctx, const int16_t *pairs, size_t n);
	void *ctx;
};

struct recording_exported {
	uint64_t duration_ms;
	struct {
		uint64_t frames;  /* decoded and placed */
		uint64_t unknown; /* of a codec that this build does not have, or not decodable */
		uint64_t late;    /* not placed: their time was already written */
		uint64_t
			silence_ms; /* filled in: gaps, pauses, discontinuous transmission, losses */
		uint64_t restarts;  /* jumps of the RTP timestamp: new sources */
		int64_t slipped;    /* samples added (or taken away) against clock difference */
	} channel[RECORDING_CHANNELS];
};

/* Write the recording as one stereo file: the whole of its recording_stream, left what the customer says, right what the customer
 * hears, both on the engine's time line. Memory is bounded whatever the length. Returns 0,
 * -EINVAL, -ECANCELED, or negative errno; `out` may be NULL. */
int recording_export(struct recording *r, const struct recording_export *how,
		     struct recording_exported *out);

#endif
