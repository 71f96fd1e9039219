/* A call centre in virtual time.
 *
 * The modules are those of production: control/acd, control/agent and control/ivr decide,
 * control/record keeps the call's record. What is made up is the world around them: callers who
 * arrive, press keys, lose patience and talk; agents with telephones, habits and follies; engines
 * and trunks that go away; a control plane that is restarted. The shell that stands in for
 * control/call carries out what the modules answer, as production does, but each reaction is an
 * event of its own: carrying out changes nothing in the ACD.
 *
 *	source --event--> world ----> ACD, flow ----> actions --> book: is this right? --> reactions
 *	                    ^                                                                 |
 *	                    +------- when their time comes (callers, phones, people) <--------+
 *
 * A second book keeps what every action means for callers and agents. It knows nothing of the ACD's
 * inside and is compared with it after every event, or every `check_every` events in long runs
 * (sim_book.c, sim_check.c tell what is believed). The first broken belief ends the run and is
 * a sentence in `broken`.
 *
 * The same plan gives the same run, on every machine: `decisions` is a hash over everything that the
 * ACD answered. All memory is taken at open; a run of a year takes no more than one of a minute.
 *
 * Thread: one.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "acd/acd.h"
#include "conf/config.h"
#include "ivr/flow.h"
#include "sim_random.h"

enum { SIM_CONFIGS_MAX = 3, SIM_BROKEN_MAX = 240 };

/* What happens to the centre from outside. Everything else follows from it. */
enum sim_event_kind {
	SIM_CALL,    /* a caller for `queue`, or through the flow when it is -1; priority `value` */
	SIM_SIGN_IN, /* `agent`; these four are refused when they cannot be, as in production */
	SIM_SIGN_OUT,
	SIM_READY,
	SIM_NOT_READY,   /* reason `value` */
	SIM_WRAP_END,    /* done with the work of the last call */
	SIM_UNPLUG,      /* the agent's phone is away for `for_ms` */
	SIM_OTHER,       /* a private call of `for_ms` */
	SIM_HANG_UP,     /* the agent ends the conversation */
	SIM_PAUSE,       /* `queue` for `for_ms` */
	SIM_MOVE_CALL,   /* a supervisor puts waiting call number `value` of `queue` into `to` */
	SIM_TAKE_CALL,   /* a supervisor ends waiting call number `value` of `queue` */
	SIM_CALLBACK,    /* waiting call number `value` of `queue` hangs up and keeps its place */
	SIM_MOVE_AGENT,  /* `agent` gets `queue` at level `value`, or loses it (0) */
	SIM_RELOAD,      /* configuration number `value` */
	SIM_ENGINE_AWAY, /* for `for_ms` */
	SIM_TRUNK_AWAY,  /* for `for_ms`: nobody arrives; one in four conversations breaks off */
	SIM_DND,         /* `agent` is not to be disturbed (`value` odd), or is again */
	SIM_PICK_UP,     /* `agent` takes waiting call number `value` of `queue` unasked */
	SIM_HAND_OVER,   /* `agent` hands its conversation to agent `to` */
	SIM_RESTART, /* the control plane is stopped, and away for `for_ms`: calls end, promises stand */
	SIM_KILLED, /* it dies, and takes up what it had kept: frozen for `for_ms` */
	SIM_EVENTS
};

struct sim_event {
	uint64_t at_ms;
	enum sim_event_kind kind;
	int queue, to, agent;
	uint32_t for_ms;
	uint8_t value;
	uint64_t salt; /* what is drawn for it is drawn from this */
};

/* Where events come from, in order of time. False: no more. */
struct sim_source {
	bool (*next)(void *arg, struct sim_event *out);
	void *arg;
};

/* How people behave. Shares are 0..1. */
struct sim_people {
	struct sim_law patience; /* of a caller, from entering a queue */
	struct sim_law talk;
	struct sim_law answer; /* how long a phone rings until the agent takes it */
	struct sim_law back;   /* from being put out of READY (no answer ...) until ready again */
	struct sim_law wrap; /* the work after a call, ended by hand when shorter than the limit */
	double miss;         /* lets it ring */
	double reject;
	double no_media;        /* the offer cannot be made, by nobody's fault */
	double lost;            /* the phone does not respond */
	double out_ringing;     /* signs out while it rings */
	double away_ringing;    /* goes not ready while it rings */
	double hang_up_at_once; /* takes the call and hangs up */
	double out_talking;     /* signs out in mid-call */
	double away_talking;
	double transfer;           /* passes the caller on to another queue */
	double caller_leaves_flow; /* hangs up at a step of the flow */
	double customer_answers;   /* a caller who is called back */
	double key[12];    /* how often each of 0-9 * # is pressed in a flow; all 0: as may be */
	uint32_t regulars; /* so many different callers' numbers; 0: everybody is new */
	uint32_t
		back_again_ms; /* an agent who finds himself signed out comes back after this; 0: not */
};

/* A fault to plant, for tests of the simulator itself: sees each action before the book does, may
 * change it, and says whether it is to be seen at all. */
typedef bool sim_plant(void *arg, struct acd_action *a);

struct sim_plan {
	uint64_t seed;
	uint64_t start_ms; /* of the clock; not 0 */
	const struct config
		*config[SIM_CONFIGS_MAX]; /* the first is used; SIM_RELOAD names others */
	struct ivr_flow *flow;            /* what SIM_CALL with queue -1 meets; held by the world */
	uint32_t calls_max; /* at once; those who find no place are counted as `blocked` */
	struct sim_source source;
	struct sim_people people;
	bool staffed;     /* every agent is signed in and ready from the beginning */
	bool records;     /* a call record is kept and checked for each call */
	int *overflow_to; /* per queue of config[0]: where callers go who are put out; NULL, -1 */
	uint32_t
		check_every; /* compare the whole book every so many events; 1: after each; 0: never */
	uint32_t late_ms_max; /* the loop's timer may be so late */
	uint64_t stop_ms;     /* stop counting and return at this time, whatever goes on; 0: run on
				 until the source is dry and every call is over */
	FILE *story;          /* sentences, or NULL */
	sim_plant *plant;
	void *plant_arg;
};

struct sim_queue_sums {
	uint64_t offered, answered, in_time, abandoned, left, refused;
	uint64_t delayed;          /* of the answered: had to wait at all */
	uint64_t overflowed;       /* of those who left or were refused: into another queue */
	uint64_t wait_answered_ms; /* sums */
	uint64_t wait_all_ms;      /* of answered and abandoned */
	uint64_t talk_ms;
};

struct sim_result {
	uint64_t events;    /* from outside and reactions */
	uint64_t actions;   /* of the ACD */
	uint64_t checks;    /* of the whole book */
	uint64_t decisions; /* hash over the ACD's actions */
	uint64_t arrived, blocked, lost_trunk, served, abandoned, over;
	uint64_t calls_peak;
	uint64_t restarts, ended_by_failure;
	uint64_t end_ms;
	/* of all agents, for occupancy: talking and wrapping up against being there for calls */
	uint64_t ready_ms, ringing_ms, talking_ms, wrap_up_ms, not_ready_ms;
	char broken[SIM_BROKEN_MAX]; /* "": every belief held */
	uint64_t broken_ms;
};

struct sim;

/* Make a world; must be closed. `plan` and what it names must outlive it. */
struct sim *sim_open(const struct sim_plan *plan);

/* Run to the end, to `stop_ms`, or to the first broken belief. Returns 0 or -EPROTO: broken. */
int sim_run(struct sim *s, struct sim_result *out);

/* The sums of a queue so far, whichever engine and control plane were there. */
struct sim_queue_sums sim_queue_sums(const struct sim *s, int queue);

/* What an agent has done since signing in. */
struct sim_agent_sums {
	uint32_t answered;
	uint64_t talk_ms;
};

struct sim_agent_sums sim_agent_sums(const struct sim *s, int agent);

/* Bytes that sim_open() took. */
size_t sim_bytes(const struct sim *s);

void sim_close(struct sim *s);

/* "caller arrives", for stories and lists. */
const char *sim_event_name(enum sim_event_kind kind);

/* One event as a sentence and a newline; `c` names its agent and its queue. */
void sim_story_event(FILE *out, const struct config *c, const struct sim_event *e);

#endif
