/* What the two pictures of a flow have in common; for flow_draw.c and flow_svg.c. */
#ifndef IVR_FLOW_DRAW_H
#define IVR_FLOW_DRAW_H

#include "ivr/flow_priv.h"

enum { DRAW_WAYS_MAX = WAYS + KEYS, DRAW_LABEL_MAX = 32, DRAW_TEXT_MAX = 64 };

/* Where the text goes; `len` counts on when there is no room. */
struct draw_page {
	char *out;
	size_t size, len;
};

__attribute__((format(printf, 2, 3))) void ivr_draw_put(struct draw_page *p, const char *fmt, ...);

/* A way out of a node: keys that lead to the same place are one. */
struct draw_way {
	char label[DRAW_LABEL_MAX];
	const struct target *to;
};

/* Returns how many there are, at most DRAW_WAYS_MAX. */
unsigned ivr_draw_ways(const struct ivr_flow *f, unsigned node, struct draw_way *out);

/* What the node does, in a line: "menu main-menu", "queue sales". */
void ivr_draw_says(const struct ivr_flow *f, unsigned node, char out[DRAW_TEXT_MAX]);

/* The node that a target leads to, or -1; and the word for one that leads to none. */
int ivr_draw_leads_to(unsigned from, const struct target *t);
const char *ivr_draw_end(const struct target *t);

void ivr_draw_svg(const struct ivr_flow *f, struct draw_page *p);

#endif
