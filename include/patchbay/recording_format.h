/* Recording store: the bytes on disk, format version 1.1.
 *
 * A store is one or more directories (volumes). A volume holds segments, files named
 * `seg-XXXXXXXX.pbseg` (the segment's number in hexadecimal, unique in the store), and perhaps
 * `free-XXXXXXXX.pbseg`, files that wait to be used again and mean nothing, and the archive's list `finished` of
 * segments that may become such files: a line for each, number and tag, 8 and 16 hexadecimal digits. A segment holds the
 * extents of many recordings in the order in which they became due, so that one writer can put
 * down thousands of calls with large sequential writes. All integers are little endian, all times
 * are nanoseconds, all checksums are CRC-32C (RFC 3720, B.4), and every structure starts at a
 * multiple of RECORDING_BLOCK bytes unless it says otherwise:
 *
 *   segment := head block, extent..., [free space], [index, ends the file]
 *
 * The HEAD BLOCK (struct recording_segment_head, zeros up to RECORDING_BLOCK, all of it under its
 * checksum) carries the segment's `tag`, a random number drawn each time the file is (re)used. An
 * extent belongs to the segment only if it carries the same tag: what an earlier use left in the
 * file is free space.
 *
 * An EXTENT (struct recording_extent_head, then frames, then zeros up to a multiple of
 * RECORDING_BLOCK) is a piece of one recording. Its checksum covers all of that, the zeros too,
 * with the checksum's own field as zero. An extent is valid when magic, version, tag, `used` and
 * checksum agree. Extents follow one another without a gap. A reader who finds no valid extent at
 * a block goes on to the next block, so a damaged extent hides nothing but itself.
 *
 * The INDEX of a sealed segment is an array of struct recording_index_entry, one per extent in file
 * order, at a multiple of RECORDING_BLOCK, zeros, and struct recording_index_tail as the file's
 * last 64 bytes. Without a valid tail (the writer is at work, or died) the segment is read by
 * going through its blocks; the index only saves that work and says what should be there.
 *
 * A RECORDING is all extents with the same id. It has one part for each time it was started
 * (the engine was restarted in mid-call: two parts), ordered by `part_ns`; within a part extents
 * are numbered by `seq` from 0. (id, part_ns, seq) therefore names an extent. It may occur twice,
 * with equal frames, when the engine died between writing it and knowing that; a reader takes
 * either. A number that is missing is damage. The first extent of a part has RECORDING_EXTENT_FIRST
 * and begins with a METADATA frame; the last has RECORDING_EXTENT_LAST and ends with an END frame.
 *
 * A FRAME (struct recording_frame_head, then `length` bytes, then zeros to a multiple of 8) is one
 * payload as it was received or sent, or an event. Frames never cross an extent. Their `time_us` is
 * the arrival on the engine's monotonic clock, relative to the extent's `first_mono_ns`; that clock
 * is common to both channels and all extents of a part, and is tied to the time of day by
 * `first_wall_ns`. Frames of both channels stand in arrival order.
 *
 * The ACCOUNT: for each channel the extent's head tells how many audio frames the part had before
 * (`written_before`) and after it (`written`), and how many had been lost for want of memory or
 * disk (`lost`), each explained by a LOSS frame. written - written_before audio frames of the
 * channel are in the extent; the END frame repeats the sums. Nothing accepted disappears silently.
 * Since 1.1 the head also tells how many of the written frames were masked (they carry
 * RECORDING_FRAME_MASKED and the silence of their codec instead of what was said) and how many
 * frames the network did not bring (`missing`, by the rule below).
 *
 * MISSING: each channel expects the sequence number after the newest it has seen. An audio frame
 * that is d ahead of it, d < RECORDING_SEQ_JUMP, has d missing before it; one that is behind it by
 * at most RECORDING_SEQ_LATE was reordered or doubled: one less is missing; any other is a new
 * source, before which nothing is known to be missing. Nor is it before a frame that says so with
 * RECORDING_FRAME_FRESH: the first one, and the first after lost frames, after a pause and after
 * packets that are no sound (telephone-events). (RFC 3550, A.1 and A.3, without probation; as
 * there, the count falls below 0 when frames come twice.) The head tells with what expectation the
 * extent began, so that each can be checked alone.
 *
 * Versions: `version` is the major number, `minor` the minor one. A reader refuses a major version
 * that it does not know, by name. Every minor version of a known major one can be read: a field
 * gets a meaning where `reserved` was, and new kinds of frames come; reserved fields are written
 * as zero and ignored when read, frames of an unknown kind are skipped and counted. What a minor
 * version added is only looked for where the extent's own `minor` says that it is there.
 *
 *	1.0   the first
 *	1.1   MASK, UNMASK, the masked flag of a frame; masked and missing in the extent's head
 */
#ifndef PATCHBAY_RECORDING_FORMAT_H
#define PATCHBAY_RECORDING_FORMAT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RECORDING_VERSION = 1,           /* major: what is read by this library */
	RECORDING_MINOR = 1,             /* what is written by this one; any is read */
	RECORDING_BLOCK = 4096,          /* unit of place: segments, extents, direct I/O */
	RECORDING_EXTENT_BYTES = 16384,  /* the largest extent */
	RECORDING_METADATA_MAX = 4096,   /* bytes of metadata or of one event or mark */
	RECORDING_SEGMENT_MIN = 1 << 20, /* bytes of a segment, a multiple of RECORDING_BLOCK */
	RECORDING_SEGMENT_MAX = 1 << 30,
	RECORDING_SEQ_JUMP = 3000, /* see MISSING */
	RECORDING_SEQ_LATE = 100,
};

#define RECORDING_SEGMENT_MAGIC UINT64_C(0x31474553434e4250) /* "PBNCSEG1" */
#define RECORDING_EXTENT_MAGIC  UINT32_C(0x54584250)         /* "PBXT" */
#define RECORDING_INDEX_MAGIC   UINT64_C(0x4c414553434e4250) /* "PBNCSEAL" */
#define RECORDING_NOWHERE       UINT64_MAX

/* At offset 0 of a segment. */
struct recording_segment_head {
	uint64_t magic;
	uint16_t version;
	uint16_t head_bytes; /* RECORDING_BLOCK */
	uint32_t crc;        /* of the block, this field as zero */
	uint64_t number;     /* as in the file's name */
	uint64_t tag;
	uint64_t created_ns; /* time of day */
	uint64_t bytes;      /* length of the file when it was made */
	uint8_t engine[16];  /* instance of the engine that made it */
	uint16_t minor;      /* of the format, when it was made */
	uint8_t reserved[190];
};
static_assert(sizeof(struct recording_segment_head) == 256, "segment head layout");
static_assert(offsetof(struct recording_segment_head, number) == 16, "segment head layout");
static_assert(offsetof(struct recording_segment_head, engine) == 48, "segment head layout");
static_assert(offsetof(struct recording_segment_head, minor) == 64, "segment head layout");

enum {
	RECORDING_EXTENT_FIRST = 1 << 0,     /* begins its part: seq 0, METADATA comes first */
	RECORDING_EXTENT_LAST = 1 << 1,      /* ends its part with an END frame */
	RECORDING_EXTENT_RECOVERED = 1 << 2, /* written after the engine had died */
};

/* One channel's running account. */
struct recording_extent_channel {
	uint64_t written_before; /* audio frames in the part's earlier extents */
	uint64_t written;        /* the same with this extent's */
	uint64_t lost;           /* since the part's start */
	uint8_t loss;            /* enum recording_loss of the newest loss */
	uint8_t reserved[7];
};

/* At the start of an extent. */
struct recording_extent_head {
	uint32_t magic;
	uint16_t version;
	uint16_t head_bytes; /* where the first frame stands; 256 */
	uint32_t crc;
	uint32_t used; /* bytes with the head, without the zeros at the end */
	uint8_t id[16];
	uint64_t part_ns; /* time of day at the start of the part */
	uint64_t seq;
	uint64_t first_wall_ns; /* time of day of first_mono_ns */
	uint64_t first_mono_ns; /* engine clock: what the frames' time_us count from */
	uint64_t last_mono_ns;  /* of the last frame */
	uint64_t tag;           /* of the segment it was written to */
	uint64_t prev_segment;  /* number of the segment with the extent seq - 1, or NOWHERE */
	uint64_t prev_offset;   /* its offset there; a hint, seq is what counts */
	uint32_t flags;         /* RECORDING_EXTENT_* */
	uint16_t minor;         /* of the format */
	uint16_t reserved1;
	struct recording_extent_channel channel[2];
	uint64_t paused_ns; /* since the part's start, finished pauses */
	/* since 1.1 */
	struct {
		uint64_t masked; /* since the part's start, with this extent's: of the written */
		int64_t missing; /* the same: not brought by the network */
	} more[2];
	uint16_t seq_next[2];  /* expected at the start of the extent */
	uint8_t masked_now[2]; /* at the start of the extent: 1 = a mask was on */
	uint8_t reserved[42];
};
static_assert(sizeof(struct recording_extent_channel) == 32, "extent head layout");
static_assert(sizeof(struct recording_extent_head) == 256, "extent head layout");
static_assert(offsetof(struct recording_extent_head, part_ns) == 32, "extent head layout");
static_assert(offsetof(struct recording_extent_head, tag) == 72, "extent head layout");
static_assert(offsetof(struct recording_extent_head, channel) == 104, "extent head layout");
static_assert(offsetof(struct recording_extent_head, minor) == 100, "extent head layout");
static_assert(offsetof(struct recording_extent_head, paused_ns) == 168, "extent head layout");
static_assert(offsetof(struct recording_extent_head, more) == 176, "extent head layout");
static_assert(offsetof(struct recording_extent_head, seq_next) == 208, "extent head layout");

enum recording_frame_kind {
	RECORDING_FRAME_AUDIO = 1,    /* an RTP payload; codec, seq, timestamp are its own */
	RECORDING_FRAME_METADATA = 2, /* JSON object, UTF-8, as given at the start */
	RECORDING_FRAME_EVENT = 3,    /* JSON object */
	RECORDING_FRAME_MARK = 4,     /* UTF-8 text */
	RECORDING_FRAME_PAUSE = 5,    /* nothing is accepted from here ... */
	RECORDING_FRAME_RESUME = 6,   /* ... to here */
	RECORDING_FRAME_LOSS =
		7,               /* struct recording_loss_frame: `channel` has a hole before here */
	RECORDING_FRAME_END = 8, /* struct recording_end_frame */
	/* since 1.1; UTF-8 text: why. From a MASK of a channel to its UNMASK its frames are silence */
	RECORDING_FRAME_MASK = 9,
	RECORDING_FRAME_UNMASK = 10,
};

/* One above the last kind that this library knows. */
enum { RECORDING_FRAME_KINDS = RECORDING_FRAME_UNMASK + 1 };

/* Of an AUDIO frame, since 1.1. */
enum {
	RECORDING_FRAME_MASKED = 1 << 0, /* silence in place of what was said */
	RECORDING_FRAME_FRESH = 1 << 1,  /* nothing is known to be missing before it */
};

/* Numbers of the format, not of RTP. */
enum recording_codec {
	RECORDING_CODEC_NONE = 0,
	RECORDING_CODEC_PCMU = 1,    /* RFC 3551, 4.5.14; clock 8000 */
	RECORDING_CODEC_PCMA = 2,    /* the same */
	RECORDING_CODEC_G722 = 3,    /* RFC 3551, 4.5.2; clock 8000, sampled at 16000 */
	RECORDING_CODEC_OPUS = 4,    /* RFC 7587; clock 48000 */
	RECORDING_CODEC_G729 = 5,    /* RFC 3551, 4.5.6; clock 8000 */
	RECORDING_CODEC_L16 = 6,     /* RFC 3551, 4.5.11, mono; clock 8000 */
	RECORDING_CODEC_L16_16K = 7, /* the same; clock 16000 */
};

/* At the start of a frame, at a multiple of 8. */
struct recording_frame_head {
	uint16_t length;    /* of what follows, without the zeros */
	uint8_t kind;       /* enum recording_frame_kind */
	uint8_t channel;    /* 0 = what the customer says, 1 = what the customer hears */
	uint8_t codec;      /* enum recording_codec */
	uint8_t flags;      /* RECORDING_FRAME_MASKED, _FRESH; zero before 1.1 */
	uint16_t seq;       /* RTP sequence number */
	uint32_t timestamp; /* RTP timestamp */
	uint32_t time_us;   /* arrival, after the extent's first_mono_ns */
};
static_assert(sizeof(struct recording_frame_head) == 16, "frame head layout");
static_assert(offsetof(struct recording_frame_head, timestamp) == 8, "frame head layout");

/* Payload of LOSS. */
struct recording_loss_frame {
	uint64_t frames;       /* of this channel, since the last frame that was written */
	uint64_t from_mono_ns; /* first and last of them */
	uint64_t to_mono_ns;
	uint32_t loss; /* enum recording_loss */
	uint32_t reserved;
};
static_assert(sizeof(struct recording_loss_frame) == 32, "loss frame layout");

enum recording_end {
	RECORDING_END_STOPPED = 0,        /* on request */
	RECORDING_END_CALL_CLOSED = 1,    /* with its call */
	RECORDING_END_FAILED = 2,         /* could not go on */
	RECORDING_END_ENGINE_STOPPED = 3, /* the engine was told to stop */
	RECORDING_END_ENGINE_DIED = 4,    /* the next engine found it unfinished in memory */
};

/* Payload of END. */
struct recording_end_frame {
	uint32_t reason; /* enum recording_end */
	uint32_t reserved;
	struct {
		uint64_t written;
		uint64_t lost;
		uint64_t loss; /* enum recording_loss */
	} channel[2];
	uint64_t paused_ns;
};
static_assert(sizeof(struct recording_end_frame) == 64, "end frame layout");

struct recording_index_entry {
	uint8_t id[16];
	uint64_t part_ns;
	uint64_t seq;
	uint64_t first_wall_ns;
	uint64_t span_ns; /* last_mono_ns - first_mono_ns */
	uint32_t offset;  /* from the start of the file */
	uint32_t used;    /* as in the extent's head */
	uint32_t flags;   /* as in the extent's head */
	uint32_t crc;     /* as in the extent's head */
};
static_assert(sizeof(struct recording_index_entry) == 64, "index layout");

/* The last 64 bytes of a sealed segment. */
struct recording_index_tail {
	uint64_t magic;
	uint16_t version;
	uint16_t reserved1;
	uint32_t crc; /* of the entries and this tail, this field as zero; not the zeros between */
	uint64_t number;
	uint64_t tag;
	uint64_t sealed_ns; /* time of day */
	uint64_t offset;    /* of the first entry from the start of the file */
	uint32_t entries;
	uint32_t reserved2;
	uint64_t data_end; /* end of the last extent */
};
static_assert(sizeof(struct recording_index_tail) == 64, "index layout");

/* Bytes that something of `n` bytes takes in a frame (8) or a segment (RECORDING_BLOCK). */
static inline uint64_t recording_pad(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) / unit * unit;
}

/* One channel's expectation and count of MISSING. */
struct recording_seq {
	int64_t missing;
	uint16_t next;
};

static inline void recording_seq_see(struct recording_seq *s, uint16_t seq, bool fresh)
{
	uint16_t ahead = (uint16_t)(seq - s->next);

	if (!fresh && ahead >= (uint16_t)-RECORDING_SEQ_LATE) {
		s->missing--;
		return;
	}
	if (!fresh && ahead < RECORDING_SEQ_JUMP)
		s->missing += ahead;
	s->next = (uint16_t)(seq + 1);
}

/* Bytes of the index of `entries` extents, tail included. */
static inline uint64_t recording_index_bytes(uint64_t entries)
{
	return recording_pad(entries * sizeof(struct recording_index_entry) +
				     sizeof(struct recording_index_tail),
			     RECORDING_BLOCK);
}

#endif
