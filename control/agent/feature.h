/* Feature codes: what an agent does to its own state by dialling.
 *
 * Defaults: *61 sign in (*61N at the outside number N), *62 sign out, *63 ready, *64 not ready (*641..*649 with that reason),
 * *65 end wrap-up, *78 and *79 do not disturb on and off,
 * *60QN call N and show the number of the queue with number Q,
 * *68 park (in a call), *66 pick up a phone of the group that rings, *66N that of agent N; supervisors *71N listen to agent N, *72N whisper, *73N barge.
 *
 * Thread: pure.
 */
#ifndef AGENT_FEATURE_H
#define AGENT_FEATURE_H

#include <stdint.h>

#include "conf/config.h"

enum feature {
	FEATURE_NONE,    /* an ordinary number */
	FEATURE_SIGN_IN, /* `agent`: at this outside number; "" at this phone */
	FEATURE_SIGN_OUT,
	FEATURE_READY,
	FEATURE_NOT_READY, /* `reason` */
	FEATURE_WRAP_UP_END,
	FEATURE_DND_ON,
	FEATURE_DND_OFF,
	FEATURE_CALL_AS, /* `agent` is the number to call, `queue` whose number is shown */
	FEATURE_PARK,
	FEATURE_PICK_UP, /* `agent`, or "" for anybody's of the group */
	FEATURE_LISTEN,  /* `agent` */
	FEATURE_WHISPER,
	FEATURE_BARGE,
	FEATURE_UNKNOWN, /* begins like a code, means nothing: say so, do not route it */
};

struct feature_dialled {
	enum feature feature;
	uint8_t reason;                   /* FEATURE_NOT_READY: 0 without one */
	const struct config_queue *queue; /* FEATURE_CALL_AS */
	char agent[32];                   /* FEATURE_LISTEN, _WHISPER, _BARGE, _PICK_UP */
};

/* What `number`, as dialled by an agent, asks for. A reason that is not configured, or a missing
 * agent number, is FEATURE_UNKNOWN. The longest code that fits wins. */
struct feature_dialled feature_parse(const struct config *c, const char *number);

#endif
