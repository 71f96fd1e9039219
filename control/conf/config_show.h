/* The whole configuration, defaults included, each value with where it comes from.
 *
 * config_show() reads a text as config_load() does and tells of every value there is: those that stand in the
 * file with their line and column, the others with the default that is used. A secret is never told; where it is
 * kept is.
 *
 * Thread: pure.
 */
#ifndef CONF_CONFIG_SHOW_H
#define CONF_CONFIG_SHOW_H

#include <jansson.h>

#include "conf/complaint.h"
#include "conf/schema.h"
#include "conf/tree.h"

/* Returns 0 and the caller's *values, or as config_load():
 *
 *	[{path: "queues[0].wrap_up_s", value, from: "file"|"default"|"environment"|"secret_file",
 *	  line?, column?, secret?: true}]
 *
 * Of a secret `value` is "(hidden)", or the name of the variable or file that holds it. A value of null is decided
 * by something else: a record rule by the level above, a title by the name. */
int config_show(const char *text, size_t len, const char *name, json_t **values,
		struct complaints *complaints);

/* --- for the readers of this module --- */

struct config_show;

/* Before the sections are read: those that are left out and have defaults are told of as if they were empty. */
void config_show_begin(struct config_show *show, struct conf_arena *arena, struct tree *root);
/* A map has been read into `base`. */
void config_show_map(struct config_show *show, const struct tree *t, const struct field *fields,
		     size_t n_fields, const void *base);
/* Member `m` is a secret: the text itself (0), an environment variable (1), a file (2). */
void config_show_secret(struct config_show *show, const struct tree *m, unsigned kind);
/* After all: what stands in the file and no reader's table has told of. */
void config_show_rest(struct config_show *show, const struct tree *root);

#endif
