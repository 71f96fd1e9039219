/* One RTP endpoint, as the packet path sees it, and the table that finds it.
 *
 * A leg is a local port pair and a peer. What a packet touches is laid out in cache lines by
 * direction: a relayed packet touches two lines of the leg it came from (`in`; `arrived` with what `source` knows of
 * the newest) and two of the leg that hears it (`out`, `head`), and nothing else. Everything slower (jitter buffer, codecs,
 * tones, collects) is the leg's `struct leg_media` (leg_media.h), found by the same index.
 *
 * Legs are found by direct index: (local RTP port - first port) / 2. Each worker owns a contiguous
 * slice of the indices and is the only one to touch its legs; numbers that others may read are in
 * the statistics, which travel by LEG_STAT.
 *
 * Thread: the worker that owns the leg. Sources: RFC 3550, RFC 3264, RFC 4961 (symmetric RTP).
 */
#ifndef LEG_LEG_H
#define LEG_LEG_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leg/leg_config.h"
#include "leg/leg_stats.h"
#include "net/net.h"
#include "rtp/rtp_source.h"

struct rec_tap;

enum {
	LEG_PT_NONE = 0xff, /* no payload type */
	/* RTP packets a second that a leg takes from its own source for long, and how many at once. Ten
	 * milliseconds of sound with telephone-events between are below 200; after a second without a
	 * network all that was held back may come together. */
	LEG_PACKETS_HZ = 400,
	LEG_PACKETS_AT_ONCE = 400,
};
#define LEG_INDEX_NONE UINT32_MAX

/* leg_in.flags */
enum {
	LEG_IN_RECEIVES = 1 << 0, /* its direction lets the peer send to us (RFC 3264) */
	LEG_IN_LATCH = 1 << 1,    /* may still latch onto a new source, once */
	LEG_IN_SEEN = 1 << 2,     /* a valid packet came since open or since a new remote */
	LEG_IN_BUFFER =
		1 << 3,      /* somebody mixes it, or its tones are listened for: jitter buffer */
	LEG_IN_TAP = 1 << 4, /* it is the customer of a recording: channel 0 */
	LEG_IN_RTCP_SEEN = 1 << 5, /* the source of its RTCP is known */
	LEG_IN_LISTEN = 1 << 6,    /* its level is taken from packets that nobody decodes */
	LEG_IN_SRTP = 1 << 7,      /* it has keys: what comes is opened first */
	LEG_IN_KEYS = 1 << 8,      /* tones of keys are looked for in packets that nobody decodes */
};

/* What a packet that arrives at the leg must know. One cache line. */
struct leg_in {
	uint32_t generation; /* 0: the leg is closed; raised by the main lcore at each open */
	uint16_t flags;      /* LEG_IN_* */
	uint8_t family;      /* of `ip`: 0 no source signalled yet, 4, 6 */
	uint8_t codecs;      /* entries of pt[] and codec[] */
	uint8_t ip[16];      /* the one source that is accepted: signalled or latched */
	uint16_t port;       /* host order */
	uint8_t dtmf_pt;     /* LEG_PT_NONE: telephone-event was not negotiated */
	uint8_t codec_now;   /* enum codec_id of its newest audio packet */
	uint32_t listener; /* index of the one leg that this one is relayed to, or LEG_INDEX_NONE */
	uint8_t pt[LEG_CODECS_MAX];
	uint8_t codec[LEG_CODECS_MAX]; /* enum codec_id of pt[] */
	uint32_t call;                 /* index of its call */
	struct rec_tap *tap;           /* with LEG_IN_TAP: its only recording; NULL: ask the call */
	uint32_t clock_hz;             /* RTP clock of codec_now */
	uint8_t noise_pt;              /* comfort noise; 13 when another was not negotiated */
};

/* leg_out.flags */
enum {
	LEG_OUT_TAP = 1 << 0,    /* it is the customer of a recording: channel 1 */
	LEG_OUT_MARK = 1 << 1,   /* the next packet begins a talk spurt: marker bit */
	LEG_OUT_ANCHOR = 1 << 2, /* the next relayed packet re-anchors seq_add and ts_add */
	LEG_OUT_SRTP = 1 << 3,   /* it has keys: what leaves is sealed */
};

/* What a packet that leaves by the leg needs. One cache line.
 *
 * Continuity: `seq` and `ts` are those of the packet sent last; `seq_add`/`ts_add` turn the
 * speaker's numbers into ours while one source is relayed; a change of source or of plan
 * re-anchors them so that the peer sees one SSRC, contiguous numbers and a timestamp that
 * moves on by the time that has passed. */
struct leg_out {
	uint32_t ssrc;
	uint32_t ts;
	uint16_t seq;
	uint16_t seq_add;
	uint32_t ts_add;
	uint32_t in_ssrc;           /* source relayed last: another SSRC re-anchors */
	uint8_t flags;              /* LEG_OUT_* */
	uint8_t dtmf_pt;            /* LEG_PT_NONE when not negotiated */
	uint8_t pt_of[CODEC_COUNT]; /* payload type by codec, LEG_PT_NONE when not negotiated */
	uint8_t codec;              /* enum codec_id of what is sent by play and mix */
	uint8_t plan;               /* enum leg_plan */
	struct rec_tap *tap;        /* with LEG_OUT_TAP: as in leg_in */
	uint64_t packets, octets;   /* sent */
	uint64_t last_ns;           /* when `ts` was sent: re-anchoring reckons from it */
};

/* Counted at every packet that is accepted, beside what `source` counts. */
struct leg_arrived {
	uint64_t octets;
	uint64_t last_ns; /* of the newest packet */
	uint64_t paid_ns; /* until when what came so far is paid for: LEG_PACKETS_HZ */
};

/* Where it sends to and from: in `head` in the form in which it is sent. */
struct leg_way {
	uint8_t family;      /* of ip: 0 = no remote yet, 4, 6 */
	uint8_t ip[16];      /* the peer, network order */
	uint16_t port;       /* peer's RTP port, host order */
	uint16_t local_port; /* RTP; RTCP is one above; host order */
};

/* Pay for one packet; false: the leg has had more than its share. (A leaky bucket kept as the instant at which
 * it will be empty: one number, no timer.) */
static inline bool leg_pays(uint64_t *paid_until_ns, uint64_t now_ns, uint64_t step_ns,
			    uint64_t at_once)
{
	uint64_t until_ns = *paid_until_ns > now_ns ? *paid_until_ns : now_ns;

	if (until_ns - now_ns >= at_once * step_ns)
		return false;
	*paid_until_ns = until_ns + step_ns;
	return true;
}

struct leg {
	alignas(64) struct leg_in in;
	alignas(64) struct leg_arrived arrived;
	struct rtp_source source; /* sequence, loss, jitter of what arrives; begins in this line */
	struct leg_way way;       /* the line between: rarely touched */
	uint64_t dropped;
	alignas(64) struct leg_out out;
	alignas(64) struct net_head head; /* to its peer's RTP; len 0: next hop not known yet */
};

_Static_assert(sizeof(struct leg) == 320, "a leg is five cache lines");
_Static_assert(offsetof(struct leg, source) + RTP_SOURCE_OFTEN == 128,
	       "what each packet moves of its source is in one line");
_Static_assert(sizeof(struct leg_out) == 64, "one cache line");

/* Begin to fetch what a packet touches that came to the leg, or leaves by it. */
static inline void leg_fetch_in(const struct leg *l)
{
	__builtin_prefetch(&l->in, 1);
	__builtin_prefetch(&l->arrived, 1);
}

static inline void leg_fetch_out(const struct leg *l)
{
	__builtin_prefetch(&l->out, 1);
	__builtin_prefetch(&l->head, 0);
}

struct leg_media;

/* The legs of one worker: indices first .. first + n - 1. */
struct leg_table {
	uint32_t first; /* index of leg[0] */
	uint32_t n;
	uint16_t rtp_first; /* local port of index 0, even */
	struct leg *leg;
	struct leg_media *media; /* same order */
};

/* The index of the leg that owns a local UDP port (RTP or RTCP). The caller has checked that
 * the port is in the engine's range. */
static inline uint32_t leg_index_of(uint16_t rtp_first, uint16_t port)
{
	return (uint32_t)(port - rtp_first) / 2;
}

/* The slot of an index, open or not; NULL when another worker owns it. */
static inline struct leg *leg_slot(const struct leg_table *t, uint32_t index)
{
	uint32_t i = index - t->first;

	return i < t->n ? &t->leg[i] : NULL;
}

/* The slot of an index that is known to be in the table: a listener of a leg of the same worker. */
static inline struct leg *leg_at(const struct leg_table *t, uint32_t index)
{
	return &t->leg[index - t->first];
}

static inline uint32_t leg_index(const struct leg_table *t, const struct leg *l)
{
	return t->first + (uint32_t)(l - t->leg);
}

static inline bool leg_is_open(const struct leg *l)
{
	return l->in.generation != 0;
}

#endif
