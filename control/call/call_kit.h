/* For tests: a whole daemon without main(), with an engine kit behind it and phones in front, on
 * loopback and in one loop.
 */
#ifndef CALL_CALL_KIT_H
#define CALL_CALL_KIT_H

#include "call/calls.h"
#include "call/engine_kit.h"
#include "sip/sip_kit.h"

enum { CALL_KIT_PHONES = 5 };

struct call_kit {
	char dir[64];
	char engine_path[96];
	char database[96]; /* "" without a store */
	char more[4000];   /* of the configuration */
	uint16_t port[2];  /* UDP, TCP of the centre */
	struct centre c;
	struct engine_kit *engine;
	struct kit_line *world;                  /* the customer */
	struct kit_line *phone[CALL_KIT_PHONES]; /* 1001, 1002, 1003, 2001, spare */
	struct sipreg *reg[CALL_KIT_PHONES];
	unsigned ended;         /* "call" events with state ended */
	char cause[32], by[16]; /* of the newest of them */
	char last_call[40];
	char agent_state[3][16]; /* of 1001..1003 as last published */
	char heard[8][24];       /* types of the newest events that are none of the above */
	unsigned heard_n;
	json_t *pop; /* the newest "pop" event, or NULL */
	unsigned pops;
};

/* Everything up: centre, engine connected, 1001 to 1003 and 2001 registered. Aborts through check()
 * when it is not so. */
void call_kit_open(struct call_kit *k);
/* The same with `more` at the end of the configuration; "@WORLD@" in it is the world's UDP port. The
 * centre listens at ::1 too if that is named in it. */
void call_kit_open_with(struct call_kit *k, const char *more);
/* The same with a database, which call_kit_kill() needs. */
void call_kit_open_stored(struct call_kit *k, const char *more);
/* The centre ends as if killed: what is not in the database yet or on the wire is lost. */
void call_kit_kill(struct call_kit *k);
/* And begins anew; runs until it has the engine again, unless there is none. */
void call_kit_begin(struct call_kit *k);
/* Checks that nothing is left: no call, no leg, no recording without an account. */
void call_kit_close(struct call_kit *k);

/* 1001..: sign in and go ready. */
void call_kit_ready(struct call_kit *k, const char *agent);

/* Dial `number` from the world. */
struct kit_call *call_kit_dial(struct call_kit *k, const char *number);
/* To the hotline, where 1 is pressed for the queue `sales`. */
struct kit_call *call_kit_into_sales(struct call_kit *k);
/* Dial from an agent's phone with its password. */
struct kit_call *call_kit_dial_as(struct call_kit *k, unsigned phone, const char *number);

/* The newest running call, or NULL. */
struct call *call_kit_newest(struct call_kit *k);

/* Run until the newest call is in `state`, 3 s at most. */
bool call_kit_reaches(struct call_kit *k, enum call_state state);
/* Run until `n` calls have ended in all. */
bool call_kit_ended(struct call_kit *k, unsigned n);
/* Run until all calls are freed. */
bool call_kit_empty(struct call_kit *k);
/* Was an event of this type published lately? */
bool call_kit_heard(const struct call_kit *k, const char *type);
/* Whether an alarm is raised whose area begins so. */
bool call_kit_alarm(const struct call_kit *k, const char *area);
/* Run until agent `i` (0 is 1001) was published in this state. */
bool call_kit_agent_is(struct call_kit *k, unsigned i, const char *state);

#endif
