/* The command line of patchbay-engine. */
#ifndef ENGINE_OPTIONS_H
#define ENGINE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "port/port_spec.h"
#include "srtp/srtp.h"

enum { OPTIONS_STORES_MAX = 8 };

struct options {
	const char *socket;
	int group; /* gid that the socket is given to, -1 */
	struct port_spec port;
	uint16_t rtp_first, rtp_last;
	uint16_t workers;
	const char *cpus;    /* of the workers, NULL: chosen */
	uint32_t calls;      /* 0: by the plan */
	uint32_t busy_limit; /* per cent */
	unsigned stores;
	const char *store[OPTIONS_STORES_MAX];
	uint32_t store_weight[OPTIONS_STORES_MAX]; /* 0: a spare */
	uint32_t recycle_below;                    /* per cent */
	uint32_t fresh_segments;
	bool refuse_unrecorded;
	const char *country; /* of tones that name none */
	const char *prompts;
	const char *shm;
	uint32_t record_mib, prompt_mib;
	uint32_t jitter_min_ms, jitter_max_ms;
	int32_t transcoders; /* legs at once; -1: by the plan */
	uint8_t opus_complexity;
	uint32_t media_rate_max_hz;
	bool srtp; /* legs may be encrypted */
	enum srtp_way srtp_way;
	bool hugepages;
	bool telemetry; /* DPDK's telemetry socket */
	bool plan_only;
	enum log_level log_level;
};

/* Read the arguments. Returns 0: go on; 1: what was asked for (help, version) has been printed; -EINVAL: a
 * sentence about what is wrong has been printed to stderr. Strings point into argv, which is
 * changed. */
int options_parse(struct options *o, int argc, char **argv);

#endif
