/* What is watched and how long it is kept: limits of conduct, days of retention. Part of config.h. */
#ifndef CONF_CONFIG_WATCH_H
#define CONF_CONFIG_WATCH_H

#include <stdbool.h>
#include <stdint.h>

enum { CONFIG_OVERLONG_WHATS = 3, CONFIG_OVERLONG_LEVELS = 3 };

/* Limits of record/conduct.h, which says what each is; 0 switches a rule off. */
struct config_conduct {
	uint8_t rejected_per_hour;   /* 0..16 */
	uint8_t unanswered_per_hour; /* 0..16 */
	uint16_t do_not_disturb_ms;
	bool unplugged;
	uint8_t registrations_per_hour; /* 0..16 */
	uint16_t hold_s;
	uint8_t holds_per_call;
	uint16_t media_gap_s;
	uint16_t silent_s;
	uint8_t sign_ins_per_day;
	uint8_t aways_per_day;
	uint32_t away_s_per_day;
	uint16_t dial_s;
	bool left_callback;
	uint16_t callback_idle_s;
};

/* Days that rows of the database are kept; 0: for ever. */
struct config_keep {
	uint16_t calls, steps, agent_states, recordings, intervals, findings, callbacks, searches,
		acts;
};

#endif
