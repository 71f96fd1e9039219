/* The slower part of a leg: what its sound goes through when it is not merely relayed, what is
 * being done on it (play, collect, digits to send), and what RTCP needs.
 *
 * Kept beside the table of legs by the same index, so that the relay never fetches it. The sizes of
 * jitter buffer, detector and concealment are only known at run time; they lie in a block
 * of their own per leg, cut by leg_media_bind().
 *
 * Thread: the worker that owns the leg.
 */
#ifndef LEG_LEG_MEDIA_H
#define LEG_LEG_MEDIA_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "call/room.h"
#include "dsp/barge.h"
#include "dsp/conceal.h"
#include "dsp/dtmf_detect.h"
#include "dsp/listen.h"
#include "dsp/listen_tone.h"
#include "dsp/noise.h"
#include "dsp/tone.h"
#include "jbuf/jbuf.h"
#include "leg/coder.h"
#include "leg/leg.h"
#include "rtp/loss_runs.h"
#include "rtp/rtcp.h"
#include "rtp/telephone_event.h"
#include "worker/command.h"

enum {
	LEG_FRAME = 160,                 /* samples of the 20 ms tick at 8 kHz */
	LEG_FRAME_MAX = CODER_FRAME_MAX, /* at 48 kHz */
	LEG_FIFO_MAX = 960 * 2,          /* decoded samples that may wait: longest packet, twice */
	LEG_JBUF_SLOTS = 64,             /* 640 ms of 10 ms packets */
	LEG_PRESSES = 4, /* presses remembered to tell two reports of one from two presses */
};

/* leg_media.doing */
enum {
	LEG_DOING_PLAY = 1 << 0,
	LEG_DOING_COLLECT = 1 << 1,
	LEG_DOING_DIGITS = 1 << 2, /* on their way to the peer */
	LEG_DOING_KEYS = 1 << 3,   /* keys are looked for in its samples */
	LEG_DOING_MASK = 1 << 4,   /* and taken out of what others hear */
	LEG_DOING_LINE = 1 << 5,   /* so are the tones of a line, and who answered */
	LEG_DOING_NOISE = 1 << 6,  /* comfort noise is sent in place of silence */
	LEG_DOING_TIMED = LEG_DOING_PLAY | LEG_DOING_COLLECT | LEG_DOING_DIGITS,
};

/* A playlist in progress; list NULL: none. */
struct leg_play {
	uint64_t play;
	const struct playlist *list;
	uint32_t item;        /* being played */
	uint32_t frame;       /* next of it, 20 ms each */
	uint32_t round;       /* complete passes through the list */
	uint32_t pass;        /* frames of this pass, to notice a list that has none */
	uint32_t played;      /* frames in all */
	uint32_t position_ms; /* when it ended */
	int32_t gain_q12;
	bool paused;
	bool over;          /* ended; PLAY_DONE waits for room in the event ring */
	uint8_t why, digit; /* enum play_end */
};

/* Digits being collected; active false: none. */
struct leg_collect {
	uint64_t collect;
	uint64_t deadline_ns; /* 0: begins when no play runs */
	uint32_t first_timeout_ms, inter_timeout_ms;
	uint16_t terminators;
	uint8_t max, min, n;
	bool active, secret;
	bool over; /* ended; COLLECT_DONE waits for room in the event ring */
	uint8_t why;
	uint8_t code[COLLECT_DIGITS_MAX];
};

/* Digits being sent: by telephone-event where negotiated, else as tones. */
struct leg_digits {
	bool tones; /* `tone` plays the digits of the row below */
	uint8_t n, at, code[COLLECT_DIGITS_MAX];
	uint32_t on_samples, gap_samples, done_samples; /* of a digit, after it, of both so far */
	struct tone tone;
	struct telephone_event_sender events; /* .active: being sent */
};

/* One report of a key, by one of the two ways a key can be heard. */
struct leg_press {
	uint64_t at_ns;
	uint8_t code, source; /* enum dtmf_source */
	bool open;            /* the other way has not reported it yet */
};

struct leg_media {
	/* Read at every tick and recorded frame; leg_media_fetch() knows the order. */
	alignas(64) struct jbuf *jbuf;
	struct dtmf_detect *detect;
	struct conceal *conceal;
	struct coder *coder; /* taken from the worker's pool while it is needed; NULL: none */
	bool codes_in;       /* what it says is decoded by `coder` */
	bool codes_out;      /* what it hears is made by `coder` */
	bool starved;        /* it needs a coder and there was none: it neither speaks nor hears */
	uint64_t concealed;  /* samples made up, at 8 kHz */
	uint32_t fifo_n;     /* of `fifo` */
	uint32_t keys_ts;    /* timestamp that continues what keys.c has heard */
	uint16_t slot;       /* in its call */
	uint8_t direction;
	uint8_t doing; /* LEG_DOING_*: what its tick must look at beyond this line; set by replan() */
	struct room_member room; /* in a room */

	/* What is being done on it. */
	alignas(64) struct leg_play play;
	alignas(64) struct leg_collect collect;
	struct leg_digits digits;

	/* What is heard of it. */
	alignas(64) struct listen listen;
	struct listen_tone tones; /* with LEG_LISTEN_FULL */
	uint8_t answer_told;      /* enum listen_answer */
	uint32_t one_way_ms;      /* we sent, and nothing came */
	uint64_t house_out;       /* packets_out at the last house tick */

	/* What it was told, as a whole; the hot part holds it prepared. */
	alignas(64) struct leg_config cfg;

	/* Decoded sound that waits for the next tick, of packets longer or shorter than one. */
	int16_t fifo[LEG_FIFO_MAX];

	/* Comfort noise (RFC 3389): what the peer described, and for how long what we make has been
	 * silence. */
	struct noise noise;
	bool noise_heard;
	uint8_t loss_percent; /* of what we send, by the peer's newest report */
	uint16_t quiet_ticks;

	/* Does the caller speak into the play? */
	struct barge barge;

	/* Keys. */
	struct telephone_event events;
	struct leg_press press[LEG_PRESSES];
	uint8_t press_at;

	/* RTCP (RFC 3550, 6). */
	struct net_head rtcp_head; /* len 0: next hop not known */
	uint16_t rtcp_port;        /* peer's; 0: RTP's + 1 */
	bool rtcp_mux;             /* the peer sends RTCP to our RTP port (RFC 5761) */
	uint64_t rtcp_next_ns;
	uint64_t rtcp_sent_packets; /* packets_out at our last report */
	uint64_t sr_ntp, sr_at_ns;  /* of the peer's last SR; 0: none */
	uint32_t rtt_us, remote_lost, remote_jitter_us;
	uint64_t rrtr_ntp, rrtr_at_ns; /* the peer's newest receiver reference time; 0: none */
	bool remote_known;             /* a report about us came */
	bool remote_voip_known;        /* how the peer receives us, in its own words */
	struct rtcp_voip remote_voip;
	uint16_t relay_seq;  /* first number that carries what is relayed now */
	uint8_t asked_of_it; /* feedback passed on to it in this house period */
	struct loss_runs losses;
	uint32_t loss_seq; /* extended number of the newest loss; before it: of the first, less 1 */

	/* News. */
	bool media_told;   /* LEG_MEDIA was sent for this source */
	bool timeout_told; /* LEG_TIMEOUT was sent for this silence */
	bool bye_told;
	uint64_t asked_ns; /* when the link address was last asked for */
	uint8_t mac[6];    /* next hop */
	bool mac_known;
	uint32_t peer_next, peer_before; /* chain of worker/peer.c */
};

/* Begin to fetch what every tick touches; and, of a leg whose first line is here, what this one does. */
static inline void leg_media_fetch(const struct leg_media *m)
{
	__builtin_prefetch(m, 1);
}

static inline void leg_media_fetch_more(const struct leg_media *m, bool decoded)
{
	if (m->doing & LEG_DOING_PLAY)
		__builtin_prefetch(&m->play, 1);
	if (m->doing & LEG_DOING_COLLECT)
		__builtin_prefetch(&m->collect, 1);
	if (decoded)
		__builtin_prefetch(&m->listen, 1);
}

/* Bytes of the block behind one leg's jitter buffer, detector and concealment. */
size_t leg_media_block_bytes(void);

/* Point the leg's parts into its block (64-byte aligned). Once, at start. */
void leg_media_bind(struct leg_media *m, void *block);

/* Prepare for a new life of the leg: all but the bound pointers is as nothing had happened. */
void leg_media_reset(struct leg_media *m);

#endif
