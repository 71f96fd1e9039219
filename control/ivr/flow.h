/* A flow: what a caller meets, as a file that an operator edits while calls run.
 *
 * A flow is a set of named nodes. Each does one thing, which is the one key that names its kind,
 * and says where to go next:
 *
 *   say       play prompts                                   next
 *   menu      play prompts, take one digit                   digits: {key: node}, otherwise
 *   collect   play prompts, take several digits, keep them   into, next, otherwise
 *   hours     ask a calendar                                 open, closed
 *   set       language, priority or a variable               next
 *   if        compare a variable                             then, else
 *   queue     wait for an agent                              full, empty, timeout, next
 *   voicemail leave a message                                next
 *   dial      ring an agent or a number                      busy, no_answer, failed, next
 *   conference  join the others in a room                    busy, failed
 *   record    start, stop, pause, mask the recording          next
 *   run       another part of the flow, as a sub-flow         next, when it says `return`
 *   lookup    ask a system of the firm over HTTP              next, failed
 *   note      keep something with the call                    next
 *   callback  promise a call when an agent is free            next, failed
 *   goto      go on elsewhere                                (its value)
 *   hangup    end the call                                   -
 *
 * Where a node is expected these words may stand too: `repeat` (this node again, as if fresh),
 * `back` (the menu before this one), `return` (from a sub-flow), `hangup`. The file format, key by key, is told in
 * ivr/README.md.
 *
 * Reading (ivr_flow_load) refuses what cannot be understood. Checking (ivr_flow_check) proves
 * that a caller cannot be lost: every target exists, no cycle without something that takes time
 * and ends by itself, every prompt in every language, every queue and calendar known. A flow
 * that failed either is never given to a caller.
 *
 * Thread: immutable after loading, except the count of holders, which belongs to the one thread
 * of the control plane. Running callers hold the version that they began with.
 */
#ifndef IVR_FLOW_H
#define IVR_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/complaint.h"

enum {
	IVR_TEXT_MAX = 1 << 20, /* longest flow text that is read at all */
	IVR_NODES_MAX = 1000,
	IVR_LANGUAGES_MAX = 8,
	IVR_VARIABLES_MAX = 32,
	IVR_URL_MAX = 1024, /* of a lookup, with its values in it */
	IVR_NAME_MAX = 48,  /* with the closing NUL: nodes, prompts, languages, variables */
};

struct ivr_flow;
struct ivr_say;

/* Read `len` bytes of YAML called `name`. Returns 0 and sets `*out`, held once by the caller; or
 * -EINVAL, -E2BIG, -ENOMEM with at least one error in `complaints` (initialised here). */
int ivr_flow_load(const char *text, size_t len, const char *name, struct ivr_flow **out,
		  struct complaints *complaints);

/* What the world around a flow has. A function left NULL checks nothing. Queues are also
 * allowed to be given by the caller's own context `arg`. */
struct ivr_world {
	void *arg;
	bool (*has_prompt)(void *arg, const char *prompt); /* "zh/welcome" */
	bool (*has_queue)(void *arg, const char *queue);
	bool (*has_calendar)(void *arg, const char *calendar);
	bool (*has_number)(void *arg, const char *number); /* an agent, or through a trunk */
	bool (*has_conference)(void *arg, const char *name);
	const struct ivr_say *say; /* whose words must be there; NULL: digits alone */
};

/* Prove that the flow cannot lose a caller; adds to `complaints` (which ivr_flow_load began).
 * Returns 0 when there is no error, -EINVAL otherwise. */
int ivr_flow_check(const struct ivr_flow *f, const struct ivr_world *world,
		   struct complaints *complaints);

/* One more holder. Returns `f`. */
struct ivr_flow *ivr_flow_hold(struct ivr_flow *f);

/* One holder fewer; the last frees it and `*f` becomes NULL. `*f` NULL is allowed. */
void ivr_flow_drop(struct ivr_flow **f);

/* For tables. */
const char *ivr_flow_name(const struct ivr_flow *f);
unsigned ivr_flow_nodes(const struct ivr_flow *f);
const char *ivr_flow_node_name(const struct ivr_flow *f, unsigned node);
unsigned ivr_flow_languages(const struct ivr_flow *f);
const char *ivr_flow_language(const struct ivr_flow *f, unsigned i);

enum ivr_picture {
	IVR_PICTURE_DOT, /* the text of a Graphviz file */
	IVR_PICTURE_SVG, /* a drawing that any browser shows */
};

/* The flow as a picture: at most `size` - 1 bytes and a NUL. Returns its whole length, as snprintf()
 * does. */
size_t ivr_flow_draw(const struct ivr_flow *f, enum ivr_picture kind, char *out, size_t size);

#endif
