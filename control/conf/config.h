/* patchbay.yaml as a struct.
 *
 * config_load() turns text into one immutable struct or into complaints with line, column and a
 * suggestion; everything that is left out has a default, so an empty text is a valid
 * configuration of a centre without hotlines, queues and agents. Reloading is loading a second
 * one and letting go of the first; nothing here is ever changed in place.
 *
 * Secrets are named, not fetched: the shell reads the environment or the file (struct
 * config_secret). Paths are as written; the shell resolves relative ones against the directory
 * of the configuration file. What each key means to an operator is told in
 * example/patchbay.yaml, which is also what patchbayd uses when no file is named
 * (example/example.h).
 *
 * Thread: immutable, any. Ownership: all strings and arrays belong to the struct and live until
 * config_free().
 */
#ifndef CONF_CONFIG_H
#define CONF_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/complaint.h"
#include "conf/config_archive.h"
#include "conf/config_conference.h"
#include "conf/config_desk.h"
#include "conf/config_knowledge.h"
#include "conf/config_notify.h"
#include "conf/config_numbers.h"
#include "conf/config_target.h"
#include "conf/config_watch.h"
#include "conf/hours.h"

enum {
	CONFIG_TEXT_MAX = 4 << 20, /* longest text that is read at all */
	CONFIG_AGENTS_MAX = 10000,
	CONFIG_QUEUES_MAX = 256,
	CONFIG_AGENT_QUEUES_MAX = 32,
	CONFIG_REASONS_MAX = 9, /* one digit after the feature code, 1..9 */
	CONFIG_LISTEN_MAX = 16,
	CONFIG_HOTLINES_MAX = 256,
	CONFIG_CALENDARS_MAX = 64,
	CONFIG_TRUNKS_MAX = 64,
	CONFIG_SRTP_SUITES_MAX = 6,
};

enum config_transport { CONFIG_UDP, CONFIG_TCP, CONFIG_TLS };

/* Encryption of media by SDES; the same order as enum sip_srtp. */
enum config_srtp { CONFIG_SRTP_OFF, CONFIG_SRTP_OPTIONAL, CONFIG_SRTP_REQUIRED };

struct config_listen {
	enum config_transport transport;
	const char *address; /* numeric IPv4 or IPv6 without brackets */
	uint16_t port;
};

/* Where calls to and from numbers outside go. */
/* Codecs that we offer and take, in order of preference; words of sip_media_allow(). */
enum { CONFIG_CODECS_MAX = 7 };
struct config_codecs {
	uint8_t n;
	const char *name[CONFIG_CODECS_MAX];
};

struct config_trunk {
	const char *name;
	const char *host; /* numeric address or name */
	uint16_t port;
	bool srv; /* no port was given: the host's SRV records come before the usual one */
	enum config_transport transport;
	enum config_srtp srtp;
	bool callbacks;      /* callers who want to be called back are dialled through it */
	const char *prefix;  /* numbers that begin so are dialled through it; "" is all */
	uint8_t priority;    /* of several for a number the lowest that works */
	uint16_t weight;     /* share among those of one priority */
	bool trusted;        /* its word about callers counts, and it is told who ours are */
	bool registers;      /* we register with it */
	bool tls_verify;     /* transport tls: its certificate must be good for `host` */
	bool require_100rel; /* its 18x must be reliable (RFC 3262) */
	uint32_t register_s; /* asked for */
	uint32_t calls_max;  /* at once, both ways; 0: no limit of ours */
	uint32_t options_s;  /* asked for its health so often; 0: not */
	const char *user;    /* "" when the trunk knows us by address */
	struct config_secret password;
	struct mark at;
};

/* What is recorded; decided by record/record_policy.h. */
enum config_record {
	CONFIG_RECORD_ALWAYS, /* from the answer to the end */
	CONFIG_RECORD_NEVER,
	CONFIG_RECORD_AGENT,   /* only while somebody talks with the caller */
	CONFIG_RECORD_DEMAND,  /* only when flow, agent or operator ask for it */
	CONFIG_RECORD_INHERIT, /* as the level above says; not at the top */
};

/* At the top, and at a hotline, a queue or an agent where it differs. */
/* What becomes of new calls that are to be recorded while no volume of the engine takes recordings. */
enum config_unrecorded {
	CONFIG_UNRECORDED_TAKE,   /* they are taken, unrecorded, with the reason in their record */
	CONFIG_UNRECORDED_REFUSE, /* 503 */
};

struct config_record_rule {
	enum config_record mode;
	uint8_t percent; /* of the calls that `mode` would record, 1..100; 0: inherit */
};

struct config_hotline {
	const char *number;
	const char *flow;     /* file name of the flow, or "example" for the built-in one */
	const char *language; /* "" starts in the flow's first language */
	struct config_record_rule record;
	struct mark at;
};

enum config_strategy {
	CONFIG_LONGEST_IDLE, /* who has waited longest for a call */
	CONFIG_ROUND_ROBIN,  /* who was offered a call longest ago */
	CONFIG_LEAST_CALLS,  /* who has answered fewest since signing in; equal: longest idle */
	CONFIG_LEAST_TALK,   /* who has talked least since signing in */
	CONFIG_RING_ALL,     /* all at once; the first to answer has the call */
	CONFIG_STRATEGIES,
};

struct config_queue {
	const char *name;
	const char *title;  /* for people; the name when left out */
	const char *number; /* can be dialled and transferred to; "" when it has none */
	enum config_strategy strategy;
	const char *music;       /* prompt name; plays while callers wait */
	const char *caller_id;   /* shown when its agents call outside; "" none */
	uint8_t priority;        /* 0..9, added to the call's own */
	uint16_t ring_timeout_s; /* an agent's phone rings so long, then the next is tried */
	uint16_t wrap_up_s;      /* 0: none */
	uint32_t max_wait_s;     /* then the call leaves with "timeout"; 0: never */
	uint32_t max_calls;      /* waiting at once; one more is refused with "full"; 0: no limit */
	bool wait_without_agents;      /* false: refused with "empty" while nobody is signed in */
	uint16_t announce_every_s;     /* position and waiting time; 0: never */
	uint16_t announce_first_s;     /* the first one after so long */
	uint16_t service_level_s;      /* answered within this counts as in time */
	uint8_t service_level_percent; /* of the offered that should be */
	uint16_t short_abandon_s;      /* who hangs up sooner counts apart */
	/* Limits of talk, hold and wrap-up (enum overlong_what) for leader, controller, manager; 0: none */
	uint32_t overlong_s[CONFIG_OVERLONG_WHATS][CONFIG_OVERLONG_LEVELS];
	uint16_t sticky_s; /* a caller is kept so long for who served it last; 0: not */
	uint16_t
		level_after_s; /* agents of level n are asked after (n - 1) times this; 0: at once */
	uint32_t
		max_expected_wait_s; /* who would wait longer is refused with "long"; 0: no limit */
	uint8_t callback_tries;      /* a customer who is called back is rung so often at most */
	uint16_t callback_retry_s;   /* and again after this */
	uint16_t
		callback_dial_s; /* the agent dials, at the latest after this; 0: it is dialled at once */
	const char *agent_announcement; /* prompt that the agent hears before the caller; "" none */
	uint16_t handle_time_s;         /* assumed talk + wrap-up until there is experience */
	struct config_record_rule record;
	struct mark at;
};

struct config_skill {
	uint16_t queue; /* index into queues */
	uint8_t level;  /* 1 is best, 9 last; better levels are asked first */
};

struct config_agent {
	const char *number;
	const char *name;
	struct config_secret password;
	uint16_t n_skills;
	struct config_skill *skills;
	bool outbound; /* may call outside */
	struct config_remote remote;
	const char *group; /* phones that ring are picked up within it; "" none */
	bool supervisor;   /* may monitor; has no queues unless they are named */
	struct config_record_rule record;
	struct mark at;
};

struct config_reason {
	uint8_t code;      /* 1..9 */
	const char *name;  /* word for tables, such as "lunch" */
	const char *title; /* for people */
	struct config_budget budget;
	bool counts; /* towards the budget of all reasons together */
};

/* What an agent dials; see agent/feature.h. */
struct config_features {
	const char *sign_in;
	const char *sign_out;
	const char *ready;
	const char *not_ready; /* followed by one digit, the reason's code; alone: reason 0 */
	const char *wrap_up_end;
	const char *dnd_on; /* the phone is not to be disturbed */
	const char *dnd_off;
	const char *
		call_as; /* followed by a queue's number and the number to call: shows the queue's */
	const char *park;    /* the caller who is talked with; also as keys during a call */
	const char *pick_up; /* a colleague's phone that rings; followed by its number, or alone */
	const char *listen;  /* supervisors: followed by the agent's number */
	const char *whisper;
	const char *barge;
	const char *record_start; /* these six also as keys during a call */
	const char *record_stop;
	const char *record_pause;
	const char *record_resume;
	const char *record_mask;
	const char *record_unmask;
	const char *consult; /* these four as keys only; see call/consult.h */
	const char *consult_complete;
	const char *consult_cancel;
	const char *consult_conference;
	const char *conference; /* followed by the number of a conference room; dialled */
};

struct config {
	/* sip */
	uint16_t n_listen;
	struct config_listen *listen;
	const char *realm;
	struct config_codecs phone_codecs, trunk_codecs;
	bool digest_sha256; /* phones are offered SHA-256 beside MD5 (RFC 8760) */
	bool comfort_noise; /* silence that we make is described, not sent, where the peer agrees */
	uint32_t registration_min_s;
	const char *tls_certificate; /* PEM file of the tls: listeners; "" = none */
	const char *tls_ca;          /* PEM file of the authorities of trunks; "" = the system's */
	enum config_srtp srtp;       /* of phones */
	bool srtp_without_tls;       /* keys may travel where they can be read */
	uint8_t n_srtp_suites;       /* 0: all, the engine's order */
	uint8_t srtp_suites[CONFIG_SRTP_SUITES_MAX]; /* enum srtp_suite, the best first */
	uint32_t registration_max_s;
	uint16_t failed_logins_max; /* per source and minute, then silence */

	/* processes and files */
	const char *engine_socket;
	const char *control_socket;
	const char *database;
	const char *prompts;   /* directory, "" leaves it to the engine */
	const char *voicemail; /* directory for messages */
	const char *log_level;

	/* calls */
	uint32_t calls_max;
	uint32_t calls_per_s;        /* new ones from outside */
	uint32_t calls_per_s_source; /* from one address that is no trunk; 0: no limit */
	uint32_t call_max_s;         /* a call is ended after this; 0: never */
	uint32_t priority_step_s;    /* what one step of priority is worth, as waiting time */
	struct config_record_rule record;
	const char *record_announcement; /* prompt heard before a recorded call; "" none */
	enum config_unrecorded record_unavailable;

	uint16_t n_hotlines;
	struct config_hotline *hotlines;
	uint16_t n_trunks;
	struct config_trunk *trunks;
	uint16_t n_queues;
	struct config_queue *queues;
	uint32_t n_agents; /* agents and supervisors, in the order of the file */
	struct config_agent *agents;
	uint8_t n_reasons;
	struct config_reason reasons[CONFIG_REASONS_MAX];
	struct config_budget not_ready_budget; /* of the reasons that count, together */
	uint16_t shift_min;                    /* what shares of a day are shares of */
	struct hours time_zone; /* of the centre, where its days begin; zone "": the system's */
	struct config_features features;
	struct config_parking parking;
	struct config_emergency emergency;
	uint16_t n_conferences;
	struct config_conference *conferences;
	uint16_t n_notify;
	struct config_notify *notify;
	uint16_t n_targets;
	struct config_target *targets;
	uint16_t n_calendars;
	struct hours *calendars;

	struct config_conduct conduct;
	struct config_numbers numbers;
	struct config_customers customers;
	struct config_knowledge knowledge;
	struct config_keep keep_days;
	struct config_archive *archive; /* never NULL */

	const uint32_t *by_number; /* private: agents in the order of their numbers */
	struct conf_arena *arena;  /* private: every byte above */
};

/* Read `len` bytes of YAML called `name` (for complaints).
 * Returns 0 and sets `*out`, which the caller then owns; or -EINVAL with at least one error in
 * `complaints`; -E2BIG (also complained about) when it is longer than CONFIG_TEXT_MAX; -ENOMEM.
 * Warnings may accompany a 0. `complaints` is initialised here. */
int config_load(const char *text, size_t len, const char *name, struct config **out,
		struct complaints *complaints);

/* Free it and all its strings. NULL is allowed. */
void config_free(struct config *c);

/* Find by name or number; NULL when there is none. */
const struct config_queue *config_queue_find(const struct config *c, const char *name);
const struct config_queue *config_queue_by_number(const struct config *c, const char *number);
const struct config_agent *config_agent_find(const struct config *c, const char *number);
const struct config_hotline *config_hotline_find(const struct config *c, const char *number);
const struct hours *config_calendar_find(const struct config *c, const char *name);
const struct config_trunk *config_trunk_named(const struct config *c, const char *name);
/* The trunk with the longest prefix that `number` begins with. */
const struct config_trunk *config_trunk_for(const struct config *c, const char *number);
const struct config_reason *config_reason_find(const struct config *c, uint8_t code);

const char *config_strategy_name(enum config_strategy s);
const char *config_record_name(enum config_record r);

#endif
