/* The inside of the control socket, shared by the files of this folder.
 *
 *	engine_rpc.c   opening, one round, the table of methods
 *	send.c         commands on their way: tokens, queues, workers' errors as sentences
 *	call.c         call.*, monitor.*
 *	leg.c          leg.*, dtmf.send; leg_json.c: params to leg_config, leg_stats to JSON
 *	sound.c        play.*, collect.*, prompt.*
 *	recording.c    record.*
 *	events.c       workers' events to numbered events
 *	stat.c         snapshot, stat.*
 *	admit.c        who may come in
 *	capture.c      capture.*
 *
 * An object that is being closed keeps its id until the worker has confirmed: it is `closing`, can no
 * longer be found by a request, and its id cannot be given again. So events never speak of two things
 * by one name.
 */
#ifndef RPC_RPC_PRIV_H
#define RPC_RPC_PRIV_H

#include "call/room.h"
#include "patchbay/rpc_server.h"
#include "plan/admission.h"
#include "rpc/engine_rpc.h"
#include "rpc/pool.h"
#include "rpc/registry.h"

enum {
	ENDED_RECORDINGS = 1024, /* remembered, to say out_of_order instead of not_found */
	GATHER_AT_ONCE = 64,     /* LEG_STAT commands of one stat.legs under way */
};

struct call_object;
struct gather;

struct play_object {
	struct object object;
	struct call_object *call;
	struct leg_object *leg;   /* NULL: an announcement to the room */
	struct play_object *next; /* older, of the same leg or room */
	json_t *params;           /* as it was asked for */
	struct playlist *list;
};

struct collect_object {
	struct object object;
	struct leg_object *leg;
	json_t *params;
};

/* A recording or a monitor: what belongs to a call. */
struct call_child {
	struct object object; /* id of a recording: its UUID in lower case */
	struct call_object *call;
	struct call_child *next; /* of the same call */
	json_t *params;
	bool stopping;
};

struct leg_object {
	struct object object;
	struct call_object *call;
	struct leg_ref ref;
	struct leg_config cfg;
	json_t *opened;            /* params of leg.open: what a repeated one must equal */
	json_t *current;           /* the same with every leg.set since */
	struct play_object *plays; /* the newest first: those replaced live until PLAY_DONE */
	struct collect_object *collect;
	bool muted, deaf; /* in a room */
	bool closing;
};

struct call_hear {
	struct leg_ref listener, speaker;
	int16_t gain_cb;
};

struct call_object {
	struct object object;
	unsigned worker;
	struct call_ref ref;
	bool room;
	unsigned legs_max;
	struct leg_object **leg;   /* legs_max places, NULL: free */
	struct play_object *plays; /* announcements, the newest first */
	struct leg_ref floor;      /* who leads in a room; generation 0: nobody */
	struct call_child *children;
	struct call_hear hear[CALL_LEGS_MAX * CALL_LEGS_MAX];
	unsigned hears;
	bool closing;
};

/* A command that the worker will answer. */
struct open_command {
	uint32_t generation;
	bool used;
	uint32_t next_free;
	struct rpc_ref request; /* {0}: nobody asked */
	void (*done)(struct engine_rpc *rpc, struct open_command *oc,
		     const struct worker_event *ev);
	struct call_ref call;
	struct leg_ref leg;
	uint64_t number; /* of a play, collect, recording, monitor */
	void *memory;    /* freed after done(): text that the worker read, or what done() needs */
	struct srtp_keys *keys; /* wiped and freed after done() */
	json_t *undo; /* given back after done(): what a refused leg.set has changed here */
	struct gather *gather;
};

/* A command for which the ring had no room. */
struct queued_command {
	struct queued_command *next;
	struct worker_command command;
};

struct capture;

/* An operator looks at a call of this worker. */
struct capture_object {
	struct capture *capture; /* NULL: nobody looks */
	char id[RPC_ID_MAX + 1];
	struct call_ref call;
	unsigned worker;
	uint64_t read_ms; /* when it was last asked for */
	bool stopping;    /* the worker was told to let go */
};

struct engine_worker {
	struct pool legs, calls;
	uint32_t legs_open;
	struct queued_command *first, **last;
	uint32_t queued;
	struct admission admission;
	struct capture_object capture;
};

struct engine_rpc {
	struct engine_rpc_config cfg;
	struct engine_backend backend;
	struct rpc_server *server;
	struct event_log *events;
	uint64_t now_ms, wall_ms, opened_ms;
	uint64_t admit_looked_ms;
	struct registry objects;
	struct engine_worker worker[ENGINE_WORKERS_MAX];
	struct leg_object **leg;   /* by leg index */
	uint32_t legs;             /* length of leg[] */
	struct call_object **call; /* by call index */
	uint32_t calls;
	struct open_command *open;
	uint32_t opens, free_open, opens_used;
	uint8_t ended[ENDED_RECORDINGS][16];
	uint32_t ended_next;
	json_t *alarms; /* area -> text */
};

/* --- send.c --- */

/* Queue a command for a worker. With `oc` (copied) a reply is awaited. Never fails. */
void engine_rpc_send(struct engine_rpc *rpc, unsigned worker, struct worker_command *c,
		     const struct open_command *oc);

/* Is there room for a request to this worker? Else fills err with `overloaded`. */
bool engine_rpc_room(const struct engine_rpc *rpc, unsigned worker, struct rpc_error *err);

/* Offer queued commands again; true when some still wait. */
bool engine_rpc_resend(struct engine_rpc *rpc);
void engine_rpc_reply(struct engine_rpc *rpc, const struct worker_event *ev);
void engine_rpc_send_fini(struct engine_rpc *rpc);

/* Answer the request of `oc`: with `result` (taken) when ev->result is 0, else with the error, in which `what`
 * names what was tried ("leg a-1"). */
void engine_rpc_finish(struct engine_rpc *rpc, const struct open_command *oc,
		       const struct worker_event *ev, json_t *result, const char *kind,
		       const char *id);

/* The done() for commands whose reply says nothing but yes or no: {}. */
void engine_rpc_done_plain(struct engine_rpc *rpc, struct open_command *oc,
			   const struct worker_event *ev);

/* --- admit.c --- */

void admit_init(struct engine_rpc *rpc);

/* Once a round: take in the workers' load, clear alarms. */
void admit_look(struct engine_rpc *rpc);

/* May this begin on the worker? False: `err` is `overloaded` with the numbers in its data. What is
 * admitted counts as load from now on. */
bool admit(struct engine_rpc *rpc, unsigned worker, const struct admission_wish *wish,
	   struct rpc_error *err);

/* Would a call be admitted? Changes nothing. */
bool admit_would(struct engine_rpc *rpc, unsigned worker);

/* Microseconds that coding and decoding a 20 ms frame of this codec takes beyond G.711. */
double admit_coding_us(const char *codec);

/* --- capture.c --- */

/* Once a round: end what nobody reads. */
void capture_look(struct engine_rpc *rpc);
void capture_fini(struct engine_rpc *rpc);

/* --- finding --- */

struct call_object *call_find(const struct engine_rpc *rpc, const json_t *params,
			      const char *member, struct rpc_error *err);
struct leg_object *leg_find(const struct engine_rpc *rpc, const json_t *params, const char *member,
			    struct rpc_error *err);
struct call_object *call_by_ref(const struct engine_rpc *rpc, struct call_ref ref);
struct leg_object *leg_by_ref(const struct engine_rpc *rpc, struct leg_ref ref);

/* Number events; `members` is taken. */
void engine_rpc_event(struct engine_rpc *rpc, const char *type, json_t *members);

/* --- leg.c, leg_json.c, sound.c, call.c, recording.c --- */

extern const struct rpc_param leg_open_params[], leg_set_params[], leg_srtp_params[];

/* Read the members of a checked leg.open or leg.set into cfg; set bits tell which. False: err says what
 * contradicts what. */
bool leg_config_read(struct leg_config *cfg, const json_t *params, uint8_t family,
		     struct rpc_error *err);

/* leg_srtp.c: the keys in checked params, to be freed with leg_srtp_free(), which wipes them; NULL: none
 * are named, or null is. False: err says which and why, without the key. */
bool leg_srtp_read(const struct engine_rpc *rpc, struct srtp_keys **keys, const json_t *params,
		   struct rpc_error *err);
void leg_srtp_free(struct srtp_keys *keys);
/* A copy of params that may be kept and shown. */
json_t *leg_params_shown(const json_t *params);
json_t *leg_srtp_json(const struct leg_stats *s);

json_t *leg_stats_json(const struct leg_stats *s);
json_t *leg_address_json(const struct sock_ip *a);
const char *leg_codec_name(enum codec_id id);
json_t *leg_local_json(const struct engine_rpc *rpc, const struct leg_object *leg);

/* Send LEG_CLOSE; the reply makes the event leg.closed and frees the leg. */
void leg_close(struct engine_rpc *rpc, struct leg_object *leg, struct rpc_ref request);
void leg_free(struct engine_rpc *rpc, struct leg_object *leg);
/* One reply of a stat.legs (or NULL) will not come; with the last the whole is freed. */
void leg_gather_forget(struct gather *g);
void sound_play_free(struct engine_rpc *rpc, struct play_object *play);
void sound_collect_free(struct engine_rpc *rpc, struct collect_object *collect);
void call_free(struct engine_rpc *rpc, struct call_object *call);
void call_child_free(struct engine_rpc *rpc, struct call_child *child);
/* The word of an enum recording_loss; NULL for none. */
const char *recording_loss_word(uint8_t loss);
json_t *recording_account_json(const struct recording_account *a);
void recording_done(struct engine_rpc *rpc, struct call_child *recording, const char *reason,
		    const struct recording_account *a);

/* --- events.c --- */

void engine_rpc_worker_event(struct engine_rpc *rpc, unsigned worker,
			     const struct worker_event *ev);

/* --- methods --- */

rpc_method_fn rpc_call_open, rpc_call_close, rpc_call_hear, rpc_room_set, rpc_monitor_start,
	rpc_monitor_mode, rpc_monitor_stop;
rpc_method_fn rpc_leg_open, rpc_leg_set, rpc_leg_close, rpc_leg_stat, rpc_dtmf_send, rpc_stat_legs;
rpc_method_fn rpc_play_start, rpc_play_stop, rpc_play_set, rpc_prompt_tones, rpc_collect_start,
	rpc_collect_stop, rpc_prompt_list, rpc_prompt_load;
rpc_method_fn rpc_record_start, rpc_record_pause, rpc_record_resume, rpc_record_stop,
	rpc_record_mark, rpc_record_mask, rpc_record_unmask, rpc_record_recovered;
rpc_method_fn rpc_capture_start, rpc_capture_read, rpc_capture_stop;
rpc_method_fn rpc_snapshot, rpc_stat_engine, rpc_stat_drops;

#endif
