/* What the files of worker/ and path/ share and nobody else sees: calls on a worker, the wheels,
 * and the functions by which stages and commands reach each other.
 *
 * Thread: the worker, everything here.
 */
#ifndef WORKER_WORKER_PRIV_H
#define WORKER_WORKER_PRIV_H

#include "call/hear.h"
#include "call/plan.h"
#include "call/room.h"
#include "leg/leg_media.h"
#include "path/path.h"
#include "prompt/prompt.h"
#include "record/tap.h"
#include "worker/wheel.h"
#include "worker/worker.h"

enum {
	TICK_MS = 20,                /* playout */
	HOUSE_MS = 250,              /* timeouts and RTCP are looked at this often */
	TICK_SLOTS_PER_TURN = 5,     /* wheel slots run in one turn when behind */
	TICK_BEHIND_MAX_MS = 200,    /* behind by more than this: the slots between are given up */
	CALL_RECORDINGS_MAX = 4,     /* at once in one call */
	EVENTS_FOR_COMMAND_MAX = 64, /* room that a command's events may need */
	EVENTS_FOR_DONE = 512,       /* room that news leave to endings and replies */
	NEIGHBOUR_ASK_MS = 1000,
	QUIET_BYTES = 1536, /* no payload in an Ethernet frame is longer */
};

struct call_recording {
	struct rec_tap *tap; /* NULL: free */
	uint8_t id[16];
	uint32_t leg; /* index of the customer; LEG_INDEX_NONE after that leg was closed */
};

/* A room's part of a call. */
struct call_room {
	struct room row;
	struct leg_play play; /* an announcement to all */
	uint32_t told;        /* who leads, as main knows it */
	uint64_t told_ns;
};

/* A call on its worker: of up to CALL_LEGS_MAX legs with a matrix, or a room. */
struct worker_call {
	uint32_t generation; /* 0: closed */
	uint16_t legs;
	bool is_room;
	bool stale;         /* the plan must be derived anew */
	uint16_t decode;    /* plan.decode, here where every tick looks */
	uint8_t starved;    /* legs for which the newest plan found no coder */
	uint32_t ticked_ms; /* the wheel slot that it was served for last */
	uint32_t rate_hz; /* at which its speakers are decoded and mixed: coding.c; a room: 8,000 */
	uint32_t leg[CALL_LEGS_MAX]; /* not of a room: index by slot, LEG_INDEX_NONE = free */
	struct call_recording recording[CALL_RECORDINGS_MAX];
	union {
		struct {
			struct hear hear;
			struct plan plan;
		};
		struct call_room room;
	};
};

/* Calls, wheels, scratch: the part of a worker that the packet path rarely touches. */
struct worker_media {
	struct worker_call *call;
	struct wheel_link *tick_link, *house_link; /* by call */
	struct wheel tick;                         /* TICK_MS slots: calls with timed media */
	struct wheel house;                        /* HOUSE_MS slots: all calls */
	uint64_t next_ms;        /* next wheel slot to run; valid while there are calls */
	uint64_t wall_offset_ns; /* time of day = monotonic + this */
	uint64_t random;         /* state, see worker_random() */
	void *blocks;            /* leg_media blocks */
	uint32_t *peer;          /* by hash of a peer's address: the first leg, or LEG_INDEX_NONE */
	uint32_t peer_mask;
	uint8_t quiet[CODEC_G711_COUNT][QUIET_BYTES]; /* payloads of silence */
	uint64_t tick_ns; /* the instant that the running tick stands for */
	uint8_t *command_slots, *event_slots;
	char cname[40];

	/* Coders (coding.c). */
	uint8_t *coders;
	uint32_t *coder_free; /* indices */
	uint32_t coders_free;
	bool sliced;                  /* the slot of next_ms was begun and not finished */
	bool coded;                   /* this call's tick used a coder: it may have taken long */
	uint64_t busy_at_ns, busy_ns; /* when the load was last looked at, and what it was then */
	struct coder_packet packet;
	int16_t noise[LEG_FRAME_MAX], narrow[CODER_NARROW_FRAME]; /* scratch of speaker.c */

	/* One call's tick. */
	uint32_t rate_hz, frame; /* of the call; samples of a tick at it */
	int16_t pcm[CALL_LEGS_MAX][LEG_FRAME_MAX];
	int32_t sum[LEG_FRAME_MAX];
	int32_t all[LEG_FRAME_MAX]; /* sum of all that are decoded, once somebody wants it */
	bool all_made;
	uint16_t decoded; /* bit s: pcm[s] is of this tick */

	struct room_work *room; /* room.c: the ticks of rooms */
};

/* ---- worker.c ---- */

/* xorshift64*; not for secrets. */
uint64_t worker_random(struct worker *w);

static inline struct leg_media *worker_leg_media(const struct worker *w, const struct leg *l)
{
	return &w->legs.media[l - w->legs.leg];
}

/* The call of an open leg. */
static inline struct worker_call *worker_call_of(const struct worker *w, const struct leg *l)
{
	return &w->media->call[l->in.call];
}

/* Slots that may hold a leg: all of an ordinary call, the members of a room. */
static inline unsigned worker_call_slots(const struct worker_call *c)
{
	return c->is_room ? c->room.row.n : CALL_LEGS_MAX;
}

/* The open leg in a call's slot, or NULL. */
static inline struct leg *worker_call_leg(const struct worker *w, const struct worker_call *c,
					  unsigned slot)
{
	uint32_t index = c->is_room ? c->room.row.member[slot] : c->leg[slot];

	return index == LEG_INDEX_NONE ? NULL : leg_at(&w->legs, index);
}

static inline struct call_ref worker_call_ref(const struct worker *w, const struct worker_call *c)
{
	return (struct call_ref){(uint32_t)(c - w->media->call), c->generation};
}

static inline struct leg_ref worker_leg_ref(const struct worker *w, const struct leg *l)
{
	return (struct leg_ref){leg_index(&w->legs, l), l->in.generation};
}

/* An event about a leg: kind, call and leg filled, the rest zero. */
struct worker_event worker_leg_event(const struct worker *w, const struct leg *l,
				     enum worker_event_kind kind);

/* ---- mailbox.c ---- */

/* Carry out up to `max` commands. Returns how many. */
unsigned mailbox_take(struct worker *w, unsigned max);

/* Wake main if events were put in this turn. */
void mailbox_flush(struct worker *w);

/* Put an ending (PLAY_DONE, COLLECT_DONE, RECORD_DONE, MONITOR_DONE). False when there is no room
 * for it: keep the state and try at the next tick. Never false inside a command. */
bool mailbox_done(struct worker *w, const struct worker_event *e);

/* ---- command_*.c: carry out one command; 0 or negative errno; `e` is the reply to fill ---- */

int command_call_open(struct worker *w, const struct worker_command *c);
int command_call_close(struct worker *w, const struct worker_command *c);
int command_call_hear(struct worker *w, const struct worker_command *c);
int command_room_member(struct worker *w, const struct worker_command *c);
int command_monitor_set(struct worker *w, const struct worker_command *c);
int command_leg_open(struct worker *w, const struct worker_command *c);
int command_leg_set(struct worker *w, const struct worker_command *c);
int command_leg_close(struct worker *w, const struct worker_command *c, struct worker_event *e);
int command_leg_stat(struct worker *w, const struct worker_command *c, struct worker_event *e);
int command_play_start(struct worker *w, const struct worker_command *c);
int command_play_stop(struct worker *w, const struct worker_command *c);
int command_play_set(struct worker *w, const struct worker_command *c);
int command_collect_start(struct worker *w, const struct worker_command *c);
int command_collect_stop(struct worker *w, const struct worker_command *c);
int command_dtmf_send(struct worker *w, const struct worker_command *c);
int command_record(struct worker *w, const struct worker_command *c, struct worker_event *e);
int command_neighbour(struct worker *w, const struct worker_command *c);

/* The open call or leg that a command means; NULL: -ESTALE. */
struct worker_call *command_call(struct worker *w, struct call_ref ref);
struct leg *command_leg(struct worker *w, struct leg_ref ref);

/* Mask what is secret now: after a collect has begun or ended, and when others are heard. */
void record_secrets(struct worker *w, struct worker_call *call);
/* Recordings of a leg that is closed lose their customer; of a call that is closed, end. */
void record_leg_closed(struct worker_call *c, uint32_t leg);
void record_call_closed(struct worker *w, struct worker_call *c);

/* ---- leg_stats.c ---- */

/* Fill the statistics of an open leg. */
void leg_stats_fill(const struct worker *w, const struct leg *l, struct leg_stats *s);

/* The same as the VoIP metrics of an extended report. */
void leg_stats_voip(const struct worker *w, const struct leg *l, struct rtcp_voip *v);

/* ---- replan.c ---- */

/* Derive the call's plan anew and put it into its legs and onto the wheels. */
void replan(struct worker *w, struct worker_call *c);

/* Note what is being done on a leg (leg_media.doing). Returns whether it needs the tick. */
bool replan_doing(struct leg_media *m);

/* ---- way.c: where a leg sends ---- */

/* Make the headers to the leg's peer after its remote, its link address or its RTCP port changed. */
void way_make(struct worker *w, struct leg *l);

/* ---- peer.c: legs by their peer's address ---- */

/* A table for so many legs; zeroed memory of that size makes it. */
size_t peer_table_bytes(uint32_t legs);
void peer_table_init(struct worker *w, uint32_t *table, uint32_t legs);

/* Before and after `way.family` and `way.ip` of an open leg change, and when it opens and closes. */
void peer_leave(struct worker *w, struct leg *l);
void peer_join(struct worker *w, struct leg *l);

/* Take the link address from another leg with this peer, or when it was asked for; nothing when none is found soon. */
void peer_way_take(struct worker *w, struct leg *l);

/* The next hop towards `ip` has this link address now: new headers for those that have another or none. Time grows
 * with the legs of that peer. */
void peer_way(struct worker *w, uint8_t family, const uint8_t *ip, const uint8_t mac[6]);

/* ---- coding.c: who needs a coder ---- */

/* Choose the call's rate for its plan, give each leg that needs a coder one, and take back what is no
 * more needed. A leg for which there is none is taken out of the plan. Returns how many there were. */
unsigned coding_settle(struct worker *w, struct worker_call *c, struct plan *p);

/* The leg is closed: take its coder back. */
void coding_close(struct worker *w, struct leg *l);

/* What one member of a room needs, which is mixed at 8 kHz. False: a coder, and none is free; the member
 * can neither be decoded nor sent anything. */
bool coding_member(struct worker *w, struct leg *l, bool decoded, enum leg_plan kind);

/* Whether a play of this material can be sent to the leg: else -ENOBUFS. */
int coding_can_play(const struct worker *w, const struct leg *l);

/* Once in 250 ms: less complex encoding under load, more when there is time. */
void coding_load(struct worker *w);

/* Main, at start and end. */
bool coding_make(struct worker *w);
void coding_free(struct worker *w);

/* ---- send.c: what is made becomes packets ---- */

/* A tick's frame of the leg's codec, coded beforehand; ptime is 20 ms and no coder is in use. */
void send_coded(struct worker *w, struct leg *l, const uint8_t *coded);

/* A tick's frame of samples at `rate_hz`. */
void send_pcm(struct worker *w, struct leg *l, const int16_t *pcm, uint32_t rate_hz);

/* ---- play.c ---- */

enum play_next {
	PLAY_NEXT_FRAME, /* *coded (NULL: not in this codec) and *pcm, LEG_FRAME each, are valid until the
			  * list goes */
	PLAY_NEXT_QUIET, /* 20 ms of silence */
	PLAY_NEXT_END,   /* the list is finished; nothing to send */
};
enum play_next play_next(struct worker *w, struct leg *l, const uint8_t **coded,
			 const int16_t **pcm);

/* The same of a room's announcement, whose samples are added to what is said; *pcm is NULL for silence.
 * When they have been: play_room_after(), which tells the end that came with them as a leg's is told; from
 * then on the samples are main's. */
bool play_room_next(struct worker *w, struct worker_call *c, const int16_t **pcm);
void play_room_after(struct worker *w, struct worker_call *c);
void play_room_end(struct worker *w, struct worker_call *c, enum play_end why);

/* Go to `ms` of the list's present pass; beyond its end: to the end. */
void play_seek(struct leg_play *p, uint32_t ms);

/* Where the list's present pass stands. */
uint32_t play_position_ms(const struct leg_play *p);

/* The caller's level and, when the list's speech interrupts it, what is played to them: does the caller
 * speak? Ends the play then. */
void play_listen(struct worker *w, struct leg *l, const int16_t *pcm);

/* Nothing of the list is left. */
bool play_finished(struct worker *w, struct leg *l);

/* End the leg's play, now or as soon as there is room to say so. */
void play_end(struct worker *w, struct leg *l, enum play_end why, uint8_t digit);

/* A play's ending that waits for room. */
void play_tick(struct worker *w, struct leg *l);

static inline bool play_runs(const struct leg_media *m)
{
	return m->play.list != NULL && !m->play.over;
}

/* ---- collect.c ---- */

/* End the leg's collect, now or as soon as there is room to say so. */
void collect_end(struct worker *w, struct leg *l, enum collect_end why);

/* A key was pressed while it runs. */
void collect_digit(struct worker *w, struct leg *l, uint8_t code);

/* Its timers, and an ending that waits for room. */
void collect_tick(struct worker *w, struct leg *l);

static inline bool collect_runs(const struct leg_media *m)
{
	return m->collect.active && !m->collect.over;
}

/* ---- dtmf.c ---- */

/* A key was pressed on a leg: one of its two ways of being heard says so. */
void dtmf_pressed(struct worker *w, struct leg *l, uint8_t code, enum dtmf_source source,
		  uint16_t duration_ms);

/* dtmf_pass.c: the press, for the legs that hear this one, in the kind that each wants. Before the plan of the
 * call is derived anew (worker_call.stale). */
void dtmf_pass_on(struct worker *w, const struct leg *l, uint8_t code, enum dtmf_source source);

/* Take in a telephone-event packet's payload. */
void dtmf_event_in(struct worker *w, struct leg *l, const struct rtp_view *v,
		   const uint8_t *payload);

/* ---- keys.c: keys pressed as tones ---- */

/* Look for them in a leg's next samples at 8 kHz. */
void keys_hear(struct worker *w, struct leg *l, const int16_t *pcm, uint32_t samples);

/* The same in a packet of a leg with LEG_IN_KEYS. `step`: by how much its number is higher than the newest
 * before; 0: of another source. */
void keys_take(struct worker *w, struct leg *l, uint8_t codec, const struct rtp_view *v,
	       const uint8_t *payload, uint32_t step);

/* Begin to fetch what keys_take() touches of these `n` legs. */
void keys_fetch(const struct worker *w, struct leg *const *leg, uint16_t n);

/* ---- made.c: packets made here ---- */

/* Begin a packet of `l`: an mbuf with room for headers and RTP_HEADER_LEN + len bytes of data; the payload
 * is at *payload. NULL: no memory (counted). */
struct rte_mbuf *made_begin(struct worker *w, uint16_t len, uint8_t **payload);

/* The RTP clock of what the peer of `l` is sent now: while it is relayed to, that of the speaker, whose codec
 * need not be the first of `l`. */
uint32_t made_clock_hz(const struct worker *w, const struct leg *l);

/* The RTP timestamp that sound of `l` has at this instant, and mark the step as taken. */
uint32_t made_clock(struct worker *w, struct leg *l);

/* Send it: RTP header from leg->out, which moves on. `pt` of this packet; `audio`: tapped. */
void made_send(struct worker *w, struct leg *l, struct rte_mbuf *m, uint8_t pt, uint32_t ts,
	       bool marker, bool audio);

/* ---- tap.c ---- */

/* Copy one payload to the recordings whose customer is `l`. */
void tap_frame(struct worker *w, struct leg *l, uint8_t channel, uint8_t codec, uint16_t seq,
	       uint32_t ts, const uint8_t *payload, uint16_t len);

/* A packet of its stream is no sound: a telephone-event, comfort noise. */
void tap_no_sound(struct worker *w, struct leg *l, uint8_t channel);

/* Begin to fetch what tap_frame() will touch for these `n` tapped legs, before the first of them. */
void tap_fetch(struct leg *const *leg, uint16_t n, uint8_t channel);

/* ---- house.c ---- */

/* Timeouts and RTCP of one call's legs. */
void house_tick(struct worker *w, struct worker_call *c);

/* ---- rtcp_out.c ---- */

/* Send a report now, with BYE when the leg closes. */
void rtcp_out_report(struct worker *w, struct leg *l, bool bye);

/* Pass on what the peer of `l` asks of its sender to the speaker that is relayed to it; to nobody when
 * what it hears is made here. */
void rtcp_out_ask(struct worker *w, const struct leg *l, const struct rtcp_feedback *f);

/* When the next report is due. `first`: since the leg was opened. */
void rtcp_out_plan(struct worker *w, struct leg *l, bool first);

/* ---- room.c ---- */

/* Bytes of struct room_work, which begins with all of them zero. */
size_t room_work_bytes(void);

/* The tick of a room is due: carried out here when it is small, else begun. */
void room_tick(struct worker *w, struct worker_call *c);

/* Go on with what was begun, for a bounded time. Returns whether something is left. */
bool room_go_on(struct worker *w);
bool room_waits(const struct worker *w); /* something is left */

/* What each member is sent, and who is decoded. */
void room_replan(struct worker *w, struct worker_call *c);

/* ---- mix.c ---- */

/* Decode the tick's frame of all speakers of a call. */
void mix_begin(struct worker *w, const struct worker_call *c);

/* The frame that a listener of that call hears, w->media->frame samples. */
void mix_leg(struct worker *w, const struct plan_leg *pl, int16_t *pcm);

/* ---- playout.c, speaker.c ---- */

/* At the tick of a leg with LEG_DOING_TIMED: its timers, and what takes the place of the mix, digits, tones or a
 * playlist. False: send the mix. */
bool playout_timed(struct worker *w, struct leg *l);

/* Begin to fetch what the tick of these legs touches; `decoded`: and what it reads of their packets. */
void playout_fetch(const struct worker *w, struct leg *const *leg, unsigned n, bool decoded);

/* One call's 20 ms tick. */
void playout_call(struct worker *w, struct worker_call *c);

/* The next tick's frame of a leg that is decoded, at the call's rate; silence where there is none. */
void speaker_frame(struct worker *w, struct leg *l, int16_t *pcm);

/* What the leg's peer sends has this codec from here on; also its RTP clock. */
void speaker_codec(struct worker *w, struct leg *l, enum codec_id codec);

/* Free what a leg's jitter buffer holds and forget its sound: nobody decodes it any more. */
void speaker_flush(struct worker *w, struct leg *l);

#endif
