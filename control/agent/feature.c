/* SPDX-License-Identifier: Apache-2.0
 * Feature codes by longest match. A number that begins with a code's first character and means
 * nothing is told apart from an ordinary number, so that a typing error does not call abroad. */
#include "agent/feature.h"

#include <stddef.h>
#include <string.h>

enum { NUMBER_LEAST = 5 }; /* digits of a number outside; fewer are a slip of the finger */

enum rest { REST_NONE, REST_REASON, REST_AGENT, REST_AGENT_OR_NONE, REST_QUEUE, REST_NUMBER };

/* A queue's number and what is to be called; of several that fit, the longest. */
static bool queue_and_number(const struct config *c, const char *rest, struct feature_dialled *d)
{
	size_t longest = 0;

	for (unsigned i = 0; i < c->n_queues; i++) {
		const char *number = c->queues[i].number;
		size_t len = strlen(number);

		if (len <= longest || strncmp(rest, number, len) != 0)
			continue;
		longest = len;
		d->queue = &c->queues[i];
	}
	if (longest == 0 || rest[longest] == '\0' || strlen(rest + longest) >= sizeof(d->agent))
		return false;
	memcpy(d->agent, rest + longest, strlen(rest + longest) + 1);
	return true;
}

static bool rest_fits(const struct config *c, enum rest kind, const char *rest,
		      struct feature_dialled *d)
{
	switch (kind) {
	case REST_NONE:
		return rest[0] == '\0';
	case REST_REASON:
		if (rest[0] == '\0')
			return true;
		d->reason = (uint8_t)(rest[0] - '0');
		return rest[1] == '\0' && rest[0] >= '1' && rest[0] <= '9' &&
		       config_reason_find(c, d->reason) != NULL;
	case REST_NUMBER:
		if (strlen(rest) >= sizeof(d->agent))
			return false;
		memcpy(d->agent, rest, strlen(rest) + 1);
		return rest[0] == '\0' || strlen(rest) >= NUMBER_LEAST;
	case REST_QUEUE:
		return queue_and_number(c, rest, d);
	case REST_AGENT:
	case REST_AGENT_OR_NONE:
		if (rest[0] == '\0')
			return kind == REST_AGENT_OR_NONE;
		if (strlen(rest) >= sizeof(d->agent))
			return false;
		memcpy(d->agent, rest, strlen(rest) + 1);
		return config_agent_find(c, rest) != NULL;
	}
	return false;
}

struct feature_dialled feature_parse(const struct config *c, const char *number)
{
	const struct {
		const char *code;
		enum feature feature;
		enum rest rest;
	} codes[] = {
		{c->features.sign_in, FEATURE_SIGN_IN, REST_NUMBER},
		{c->features.sign_out, FEATURE_SIGN_OUT, REST_NONE},
		{c->features.ready, FEATURE_READY, REST_NONE},
		{c->features.not_ready, FEATURE_NOT_READY, REST_REASON},
		{c->features.wrap_up_end, FEATURE_WRAP_UP_END, REST_NONE},
		{c->features.dnd_on, FEATURE_DND_ON, REST_NONE},
		{c->features.dnd_off, FEATURE_DND_OFF, REST_NONE},
		{c->features.call_as, FEATURE_CALL_AS, REST_QUEUE},
		{c->features.park, FEATURE_PARK, REST_NONE},
		{c->features.pick_up, FEATURE_PICK_UP, REST_AGENT_OR_NONE},
		{c->features.listen, FEATURE_LISTEN, REST_AGENT},
		{c->features.whisper, FEATURE_WHISPER, REST_AGENT},
		{c->features.barge, FEATURE_BARGE, REST_AGENT},
	};
	struct feature_dialled best = {.feature = FEATURE_NONE};
	size_t longest = 0;
	bool like_code = number[0] == '*' || number[0] == '#';

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct feature_dialled d = {.feature = codes[i].feature};
		size_t len = strlen(codes[i].code);

		if (strncmp(number, codes[i].code, len) != 0 || len <= longest)
			continue;
		if (!rest_fits(c, codes[i].rest, number + len, &d)) {
			like_code = like_code || codes[i].rest != REST_NONE;
			continue;
		}
		best = d;
		longest = len;
	}
	if (longest == 0 && like_code)
		best.feature = FEATURE_UNKNOWN;
	return best;
}
