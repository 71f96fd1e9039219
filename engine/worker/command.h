/* What the main lcore and a worker say to each other.
 *
 * Commands (main -> worker) and events (worker -> main) are fixed-size structs copied through
 * bounded single-producer single-consumer rings. A command is refused at the door (the socket's
 * validation) or carried out; its reply event repeats `token`. Objects are small indices with a
 * generation: an index whose generation does not match is a thing of the past, and the command is
 * answered with -ESTALE, never applied to a new owner of the slot.
 *
 * Ids (strings) live on the main lcore only. It owns the pools: it chooses the worker, the leg's
 * index (= its port pair) and the call's index, and raises the generation at each use.
 *
 * Full rings: commands make the main lcore keep its request and try again in its next round; of
 * events only LEG_MEDIA/RTCP-like news may be coalesced, replies never are, because each has a
 * command slot reserved for it.
 *
 * Thread: the structs are plain data; see worker.h for who may touch the rings.
 */
#ifndef WORKER_COMMAND_H
#define WORKER_COMMAND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "call/hear.h" /* CALL_LEGS_MAX, enum monitor_mode */
#include "leg/leg_config.h"
#include "leg/leg_stats.h"
#include "patchbay/recording_account.h"

enum {
	CALL_HEAR_MAX = 64,  /* entries of one call.hear */
	PLAY_ITEMS_MAX = 48, /* items of one playlist */
	COLLECT_DIGITS_MAX = 64,
};

struct srtp_keys;

struct leg_ref {
	uint32_t index; /* port pair: (local RTP port - first port) / 2 */
	uint32_t generation;
};

struct call_ref {
	uint32_t index;
	uint32_t generation;
};

struct hear_entry {
	uint32_t listener; /* leg index */
	uint32_t speaker;  /* leg index */
	int16_t gain_cb;   /* centibel: tenths of a decibel */
};

enum play_item_kind { PLAY_PROMPT, PLAY_SILENCE };

struct capture;
struct prompt; /* an immutable entry of the bank; the main lcore holds a reference until PLAY_DONE */

struct play_item {
	enum play_item_kind kind;
	union {
		const struct prompt *prompt;
		uint32_t silence_ms;
	};
};

enum {
	PLAY_SET_PAUSED = 1 << 0,
	PLAY_SET_GAIN = 1 << 1,
	PLAY_SET_POSITION = 1 << 2,
	PLAY_SET_BY = 1 << 3,
};

/* The playlist is too big for a ring element: the main lcore allocates it before it sends the
 * command and frees it when PLAY_DONE has come; the worker reads it in between. */
struct playlist {
	uint32_t n;
	uint32_t loop;      /* 0 = for ever */
	uint16_t interrupt; /* bit d = digit with code d ends it (dtmf code 0..15) */
	bool speech;        /* the caller's voice ends it (dsp/barge.h) */
	bool paused;        /* begins so: silence until PLAY_SET lets it go on */
	int16_t gain_cb;
	uint32_t position_ms; /* of the first pass, to begin at */
	/* Written by the worker each half second, read by main: milliseconds played, and where the
	 * present pass stands. */
	_Atomic uint32_t played_ms, at_ms;
	struct play_item item[PLAY_ITEMS_MAX];
};

enum worker_command_kind {
	COMMAND_CALL_OPEN,
	COMMAND_CALL_CLOSE, /* all its legs must have been closed before */
	COMMAND_CALL_HEAR,
	COMMAND_ROOM_MEMBER,
	COMMAND_LEG_OPEN,
	COMMAND_LEG_SET,
	COMMAND_LEG_CLOSE,
	COMMAND_LEG_STAT,
	COMMAND_PLAY_START,
	COMMAND_PLAY_STOP,
	COMMAND_PLAY_SET,
	COMMAND_COLLECT_START,
	COMMAND_COLLECT_STOP,
	COMMAND_DTMF_SEND,
	COMMAND_RECORD_START,
	COMMAND_RECORD_STOP,
	COMMAND_RECORD_PAUSE,
	COMMAND_RECORD_RESUME,
	COMMAND_RECORD_MARK,
	COMMAND_RECORD_MASK,
	COMMAND_MONITOR_SET,
	COMMAND_NEIGHBOUR,   /* a next hop's link address became known */
	COMMAND_CAPTURE_SET, /* begin to copy packets, or with NULL let go of the capture */
};

struct worker_command {
	enum worker_command_kind kind;
	uint64_t token; /* repeated in the reply; 0 = no reply wanted */
	struct call_ref call;
	struct leg_ref leg;
	/* LEG_OPEN, and LEG_SET with LEG_SET_SRTP: keys, NULL for plain RTP. Owned by the main lcore, which
	 * wipes them after the reply; the worker keeps none. */
	const struct srtp_keys *srtp;
	union {
		struct {
			bool room; /* see call/room.h */
		} call_open;
		struct {
			bool set_muted, set_deaf; /* which of the two is meant */
			bool muted, deaf;
		} room;
		struct {
			bool whole;        /* replace all rows, else only `listener`'s row */
			uint32_t listener; /* leg index */
			uint32_t n;
			struct hear_entry entry[CALL_HEAR_MAX];
		} hear;
		struct leg_config leg_open; /* also LEG_SET: fields named in leg_config.set */
		struct {
			uint64_t play; /* the main lcore's number for it; never reused */
			struct playlist *list;
			/* PLAY_SET */
			uint32_t set; /* PLAY_SET_* bits: what is changed */
			bool paused;
			int16_t gain_cb;
			int32_t position_ms; /* of the present pass; PLAY_SET_BY: from where it stands */
		} play;
		struct {
			uint64_t collect;
			uint8_t max, min;
			uint16_t terminators; /* bit set of dtmf codes */
			uint32_t first_timeout_ms, inter_timeout_ms;
			bool secret;
		} collect;
		struct {
			uint8_t n;
			uint8_t code[COLLECT_DIGITS_MAX]; /* dtmf codes 0..15 */
			uint16_t duration_ms, gap_ms;
		} dtmf;
		struct {
			uint8_t id[16]; /* the recording's UUID */
			const char *
				text; /* START: metadata JSON, MARK, MASK: text; NUL-terminated, owned by the
					    * main lcore until the reply */
			uint8_t channels; /* MASK: REC_MASK_SAID | REC_MASK_HEARD; 0: unmask */
		} record;                 /* leg = the customer's */
		struct {
			uint64_t monitor;
			struct leg_ref supervisor, agent, customer;
			enum monitor_mode mode;
		} monitor;
		struct {
			uint8_t family; /* 4 or 6 */
			uint8_t ip[16];
			uint8_t mac[6];
		} neighbour;
		struct capture *capture; /* path/capture.h; main's, lent */
	};
};

enum worker_event_kind {
	EVENT_REPLY, /* to any command with a token; result 0 or negative errno */
	EVENT_LEG_MEDIA,
	EVENT_LEG_TIMEOUT,
	EVENT_LEG_BYE,
	EVENT_LEG_TONE,   /* the first of its kind on this leg */
	EVENT_LEG_ANSWER, /* a guess, or a better one */
	EVENT_ROOM_FLOOR, /* who leads now: leg, or index LEG_INDEX_NONE */
	EVENT_DTMF,
	EVENT_PLAY_DONE,
	EVENT_COLLECT_DONE,
	EVENT_MONITOR_DONE,
	EVENT_RECORD_DONE,
	EVENT_NEIGHBOUR_WANTED,
};

enum play_end {
	PLAY_END_FINISHED,
	PLAY_END_STOPPED,
	PLAY_END_REPLACED,
	PLAY_END_DIGIT,
	PLAY_END_LEG_CLOSED,
	PLAY_END_SPEECH,
};

/* The digit of PLAY_END_DIGIT while a secret collect runs: only that is told it. */
enum { PLAY_DIGIT_SECRET = 0xff };

enum collect_end {
	COLLECT_END_COMPLETE,
	COLLECT_END_TERMINATOR,
	COLLECT_END_FIRST_TIMEOUT,
	COLLECT_END_INTER_TIMEOUT,
	COLLECT_END_STOPPED,
	COLLECT_END_LEG_CLOSED,
};
enum dtmf_source { DTMF_SOURCE_RFC4733, DTMF_SOURCE_INBAND };
enum record_end { RECORD_END_STOPPED, RECORD_END_CALL_CLOSED, RECORD_END_FAILED };

struct worker_event {
	enum worker_event_kind kind;
	uint64_t token;
	int32_t result;
	struct call_ref call;
	struct leg_ref leg;
	union {
		struct leg_stats stats;           /* reply to LEG_STAT and LEG_CLOSE */
		struct recording_account account; /* reply to RECORD_*, and RECORD_DONE */
		struct {
			uint64_t play;
			enum play_end why;
			uint8_t digit; /* dtmf code or SECRET, with PLAY_END_DIGIT */
			uint32_t played_ms, position_ms; /* in all; of the last pass */
		} play;
		struct {
			uint64_t collect;
			enum collect_end why;
			uint8_t n;
			uint8_t code[COLLECT_DIGITS_MAX];
		} collect;
		struct {
			uint8_t code;
			enum dtmf_source source;
			uint16_t duration_ms; /* so far, at the moment of detection */
			bool secret;
		} dtmf;
		struct {
			uint8_t id[16];
			enum record_end why;
			struct recording_account account;
		} record;
		struct {
			uint64_t monitor;
		} monitor;
		struct {
			uint32_t silent_ms;
		} timeout;
		struct sock_ip source; /* LEG_MEDIA */
		struct {
			enum listen_tone_kind kind;
		} tone;
		struct {
			enum listen_answer who;
			uint32_t greeting_ms; /* so far */
			bool beep;
		} answer;
		struct {
			uint8_t family;
			uint8_t ip[16];
			bool known; /* from another leg: only that it is used is told */
		} neighbour;
	};
};

#endif
