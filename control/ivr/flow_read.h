/* Reading a flow, shared by flow_read.c (the whole), flow_node.c (one node) and flow_value.c. */
#ifndef IVR_FLOW_READ_H
#define IVR_FLOW_READ_H

#include "conf/schema.h"
#include "ivr/flow_priv.h"

struct reading {
	struct schema s;
	struct ivr_flow *f;
};

/* flow_node.c. Each complains for itself. */
void ivr_read_node(struct reading *r, const struct tree *t, struct node *n);

/* flow_value.c: as above. */
void ivr_read_target(struct reading *r, const struct tree *t, const char *what, struct target *out);

/* The index of a variable, one of VAR_CALLER and so on, or VAR_NONE; a new one is made when
 * `make`. */
int ivr_read_variable(struct reading *r, const char *name, struct mark at, bool make);

/* "$name" of a variable that some node fills, or plain text. */
bool ivr_read_value(struct reading *r, const struct tree *t, const char *what, const char **text,
		    int *var);

/* Complain of "$name" in a text with variables that no node fills. */
void ivr_url_check(struct reading *r, const struct tree *t, const char *text);

/* What is said: one piece or a list; `t` NULL or empty is nothing. */
void ivr_read_pieces(struct reading *r, const struct tree *t, struct pieces *out);

/* flow_node.c: the index of a language of the flow, -1 when it is none. */
int ivr_read_language(const struct ivr_flow *f, const char *name);

#endif
