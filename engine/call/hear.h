/* Who hears whom in one call: the matrix that the control socket set, and monitors on top of it.
 *
 * Legs are numbered by their slot in the call, 0..15; only open legs are in the matrix. Monitors
 * never write into it: hear_row() lays them over it when it is read, so their end restores exactly
 * what was there.
 *
 *   mode     supervisor hears        agent also hears    customer also hears
 *   listen   agent and customer      -                   -
 *   whisper  agent and customer      supervisor          -
 *   coach    agent and customer      supervisor          -, and the agent no longer
 *   barge    agent and customer      supervisor          supervisor
 *
 * whisper is one way: what the agent answers, the customer hears as ever. coach is both ways: agent
 * and supervisor talk in private, and both hear the customer.
 *
 * What an overlay adds is at 0 dB; where the matrix already has the pair, the matrix's gain stays.
 * A closed agent leaves the monitor on the customer alone; a closed supervisor ends it.
 *
 * Thread: the worker that owns the call; pure.
 */
#ifndef CALL_HEAR_H
#define CALL_HEAR_H

#include <stdbool.h>
#include <stdint.h>

enum {
	CALL_LEGS_MAX = 16, /* legs in one call; rooms above that are a later chapter */
	HEAR_MONITORS_MAX = 4,
	HEAR_NONE = 0xff, /* no slot */
	HEAR_GAIN_CB_MIN = -600,
	HEAR_GAIN_CB_MAX = 200,
};

enum monitor_mode { MONITOR_OFF, MONITOR_LISTEN, MONITOR_WHISPER, MONITOR_BARGE, MONITOR_COACH };

struct hear_monitor {
	uint64_t id; /* the caller's number for it, not 0; 0 = this entry is free */
	uint8_t supervisor, agent, customer; /* slots; agent HEAR_NONE once it was closed */
	enum monitor_mode mode;
};

struct hear {
	uint16_t open;                                 /* bit s: slot s has an open leg */
	uint16_t base[CALL_LEGS_MAX];                  /* by listener: bit s: speaker s */
	int16_t gain_cb[CALL_LEGS_MAX][CALL_LEGS_MAX]; /* [listener][speaker], of pairs in base */
	struct hear_monitor monitor[HEAR_MONITORS_MAX];
};

/* Nobody is there and nobody hears anybody. */
void hear_init(struct hear *h);

/* A leg took the slot: its row and column are empty. */
void hear_leg_open(struct hear *h, uint8_t slot);

/* The leg of the slot is gone: row and column are emptied. Monitors whose supervisor it was end;
 * their ids are written to `ended` (room for HEAR_MONITORS_MAX). Returns how many. When it was a
 * monitor's customer the monitor stays on the agent alone, when it was the agent, on the customer
 * alone. */
unsigned hear_leg_close(struct hear *h, uint8_t slot, uint64_t *ended);

/* Empty the whole matrix, or one listener's row; monitors stay. */
void hear_clear(struct hear *h);
void hear_clear_row(struct hear *h, uint8_t listener);

/* Add or change one pair. Gains are clamped to HEAR_GAIN_CB_MIN..MAX. Returns 0 or -EINVAL: a slot
 * out of range, not open, or listener == speaker. */
int hear_set(struct hear *h, uint8_t listener, uint8_t speaker, int16_t gain_cb);

/* Begin a monitor. Returns 0; -EINVAL: a slot is out of range or not open, two are equal, `id` is 0
 * or `mode` OFF; -EEXIST: `id` is there; -ENOSPC: HEAR_MONITORS_MAX are there. */
int hear_monitor_start(struct hear *h, uint64_t id, uint8_t supervisor, uint8_t agent,
		       uint8_t customer, enum monitor_mode mode);

/* Change its mode; MONITOR_OFF removes it. Returns 0 or -ENOENT. */
int hear_monitor_mode(struct hear *h, uint64_t id, enum monitor_mode mode);

/* Remove it. Returns 0 or -ENOENT. */
int hear_monitor_stop(struct hear *h, uint64_t id);

/* The speakers that `listener` hears now, monitors included, open legs only; and the gain of each
 * in gain_cb[slot] (of others: 0). Hold is not considered here: plan_derive() does. */
uint16_t hear_row(const struct hear *h, uint8_t listener, int16_t gain_cb[CALL_LEGS_MAX]);

#endif
