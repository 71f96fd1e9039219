/* Whether one more leg can be carried without harm to those that run.
 *
 * A worker's load is measured (load.h). What a newcomer will cost is estimated by its kind: packets a
 * second, times what a packet costs in each part of the path it will pass. Those costs are learnt from the
 * stages' own cycle counts and begin with figures measured on one machine. Load that was admitted in
 * the last second or so is not in the share yet: it is kept as `pending` and melts as the average
 * takes it in. So a thousand calls in one second are stopped in time, not a second too late.
 *
 * Once it refuses it goes on until the load has fallen `BACK` below the limit, or callers would be let
 * in and turned away by chance. What belongs to calls that run (a prompt) may still use half of
 * what is left above the limit.
 *
 * Thread: one owner, for each worker one; pure.
 */
#ifndef PLAN_ADMISSION_H
#define PLAN_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

/* The parts of the path that are priced, per packet. */
/* clang-format off */
#define ADMISSION_PART_TABLE(X) \
	X(IN,       250)   /* received, classified, RTCP told apart, checked, counted */ \
	X(RELAY,     60) \
	X(BUFFER,   100)   /* into the jitter buffer */ \
	X(PLAYOUT,  300)   /* decoded, mixed, played, encoded: what G.711 costs */ \
	X(OUT,       60) \
	X(SRTP_IN,  200) X(SRTP_OUT, 200) \
	X(RECORD,    40)
/* clang-format on */
#define ADMISSION_PART_ENUM(id, ns) ADMISSION_PART_##id,
enum admission_part { ADMISSION_PART_TABLE(ADMISSION_PART_ENUM) ADMISSION_PARTS };
#undef ADMISSION_PART_ENUM

/* What is asked for. */
enum admission_kind {
	ADMISSION_CALL, /* costs nothing by itself, but legs will follow */
	ADMISSION_RELAY,
	ADMISSION_PLAY,
	ADMISSION_MIX,
	ADMISSION_RECORD,
};

struct admission_wish {
	enum admission_kind kind;
	bool srtp;
	bool runs;        /* for a call that runs already */
	bool urgent;      /* a call for help: it is let in whatever the load */
	double coding_us; /* a 20 ms frame's coding and decoding beyond G.711's, 0 when not known */
	double packets_hz; /* each way; 0: 50 */
};

struct admission_config {
	double busy_max;      /* 0..1; 1: never refuse for this */
	uint32_t late_max_us; /* mean lateness of the wheel; 0: never refuse for this */
};

struct admission {
	struct admission_config cfg;
	double share, late_us; /* newest */
	double pending;        /* share of what was admitted and is not measured yet */
	bool refusing;
	uint64_t at_ns;
	double part_ns[ADMISSION_PARTS]; /* learnt */
	uint64_t packets[ADMISSION_PARTS], cycles[ADMISSION_PARTS];
};

struct admission_verdict {
	bool admitted;
	bool late;        /* refused because of lateness, else because of the share */
	double projected; /* share with all that is admitted and this */
	double limit;     /* that held */
	double cost;      /* share of a worker that this was reckoned at */
};

void admission_init(struct admission *a, const struct admission_config *cfg);

/* Take in a worker's load, and packets and cycles of the parts since its start (`hz` cycles a second; parts
 * without a count stay zero). */
void admission_take(struct admission *a, uint64_t now_ns, double share, double late_us,
		    const uint64_t packets[ADMISSION_PARTS], const uint64_t cycles[ADMISSION_PARTS],
		    uint64_t hz);

/* The share of a worker that it will need. */
double admission_cost(const struct admission *a, const struct admission_wish *wish);

/* Decide. What is admitted is remembered as pending. */
struct admission_verdict admission_ask(struct admission *a, const struct admission_wish *wish);

/* Whether it still refuses newcomers, re-judged with the newest load. */
bool admission_refuses(struct admission *a);

#endif
