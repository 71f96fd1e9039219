/* `patchbay flow try|draw`: a flow walked in a terminal, and its picture. Neither needs a daemon.
 *
 * Both read `file` ("example" or NULL: the built-in one), check it against nothing but itself, print
 * complaints to stderr, and return the exit code: 0, or 2 when the flow cannot be used.
 *
 * Thread: any.
 */
#ifndef CLI_FLOW_TRY_H
#define CLI_FLOW_TRY_H

#include <stdbool.h>
#include <stdio.h>

struct flow_try_options {
	const char *file;
	const char *caller;   /* number, NULL: 13800138000 */
	const char *language; /* NULL: the flow's first */
	bool closed;          /* every calendar is closed */
	FILE *in;             /* NULL: stdin */
	FILE *out;            /* NULL: stdout */
};

/* Show what the caller hears and read what he does, line by line: the digits of a menu or a
 * collection (an empty line presses nothing), a word for how a queue or a dialled call ends, `h`
 * to hang up. Ends with the flow, at the end of input, or at hang-up. */
int flow_try(const struct flow_try_options *opt);

/* The flow as a Graphviz file, or (`svg`) as a drawing for any browser. */
int flow_draw(const char *file, bool svg, FILE *out);

#endif
