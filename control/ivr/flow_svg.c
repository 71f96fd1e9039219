/* SPDX-License-Identifier: Apache-2.0
 * A flow as a drawing that any browser shows.
 *
 *	column 0        column 1                 column 2
 *	+---------+     +------------------+     +-----------+
 *	| welcome |---->| main             |  -->| sales     |
 *	+---------+     | menu main-menu   | /   +-----------+
 *	                | 1       sales    |-
 *	                | 9       main     |- - - back to a column before: dashed
 *	                | hangup           |     (ends are words, not lines)
 *	                +------------------+
 *
 * A node stands in the column of its shortest way from the start. Within a column nodes are ordered by where
 * those are that lead to them, which is done twice from left to right; so most lines run straight. A line
 * leaves at its own row, therefore no label has to be placed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "ivr/flow_draw.h"

enum {
	LINE = 17,  /* height of a row of text */
	PAD = 8,    /* between a frame and its text */
	GAP_X = 90, /* between columns */
	GAP_Y = 22, /* between boxes */
	MARGIN = 20,
	CHAR = 7,  /* width of a letter */
	WIDE = 13, /* of a Chinese one */
	COLUMN_MIN = 110,
	SWEEPS = 2,
};

struct box {
	int column; /* -1: no call comes here; drawn in a column of their own at the end */
	double order;
	unsigned ways;
	unsigned first_way; /* in drawing.way */
	unsigned x, y, width, height;
};

struct drawing {
	const struct ivr_flow *f;
	struct box *box;
	struct draw_way *way;
	unsigned *queue; /* nodes, column by column */
	unsigned columns, width, height;
};

static unsigned text_width(const char *text)
{
	unsigned width = 0;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c & 0xc0) != 0x80)
			width += c >= 0xe0 ? WIDE : CHAR;
	}
	return width;
}

static unsigned at_least(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

/* --- where everything stands --------------------------------------------------------------- */

static void take_ways(struct drawing *d)
{
	unsigned n = 0;

	for (unsigned i = 0; i < d->f->n_nodes; i++) {
		struct box *b = &d->box[i];
		char says[DRAW_TEXT_MAX];

		b->first_way = n;
		b->ways = ivr_draw_ways(d->f, i, d->way + n);
		n += b->ways;
		ivr_draw_says(d->f, i, says);
		b->width = at_least(text_width(d->f->node[i].name), text_width(says));
		for (unsigned w = 0; w < b->ways; w++) {
			const struct draw_way *way = &d->way[b->first_way + w];

			b->width = at_least(b->width, text_width(way->label) + 3 * CHAR +
							      text_width(way->to->name));
		}
		b->width = at_least(b->width + 2 * PAD, COLUMN_MIN);
		b->height = (2 + b->ways) * LINE + 2 * PAD;
		b->column = -1;
	}
}

/* Breadth first from the start; `queue` is then in order of columns. Whom no way leads to comes last. */
static void take_columns(struct drawing *d)
{
	unsigned n = 0, reached;

	d->box[d->f->start.to].column = 0;
	d->queue[n++] = (unsigned)d->f->start.to;
	for (unsigned at = 0; at < n; at++) {
		const struct box *b = &d->box[d->queue[at]];

		for (unsigned w = 0; w < b->ways; w++) {
			int to = ivr_draw_leads_to(d->queue[at], d->way[b->first_way + w].to);

			if (to < 0 || d->box[to].column >= 0)
				continue;
			d->box[to].column = b->column + 1;
			d->queue[n++] = (unsigned)to;
		}
	}
	reached = n;
	d->columns = (unsigned)d->box[d->queue[n - 1]].column + 1;
	for (unsigned i = 0; i < d->f->n_nodes; i++)
		if (d->box[i].column < 0)
			d->queue[n++] = i;
	for (unsigned i = reached; i < n; i++)
		d->box[d->queue[i]].column = (int)d->columns;
	d->columns += n > reached;
}

/* The middle of those that lead to it from the left, by their place now. */
static void take_order(struct drawing *d)
{
	for (unsigned i = 0; i < d->f->n_nodes; i++) {
		double sum = 0;
		unsigned n = 0;

		for (unsigned from = 0; from < d->f->n_nodes; from++) {
			const struct box *b = &d->box[from];

			for (unsigned w = 0; b->column < d->box[i].column && w < b->ways; w++) {
				if (ivr_draw_leads_to(from, d->way[b->first_way + w].to) != (int)i)
					continue;
				sum += b->y + (2.5 + w) * LINE;
				n++;
			}
		}
		d->box[i].order = n > 0 ? sum / n : d->box[i].y;
	}
}

/* A stable sort of each column, by insertion: columns are short, or nearly in order. */
static void sort_columns(struct drawing *d)
{
	for (unsigned i = 1; i < d->f->n_nodes; i++) {
		unsigned node = d->queue[i], k = i;
		const struct box *b = &d->box[node];

		for (; k > 0 && d->box[d->queue[k - 1]].column == b->column &&
		       d->box[d->queue[k - 1]].order > b->order;
		     k--)
			d->queue[k] = d->queue[k - 1];
		d->queue[k] = node;
	}
}

static void place(struct drawing *d)
{
	unsigned x = MARGIN, y = MARGIN, width = 0;
	int column = 0;

	d->height = 0;
	for (unsigned i = 0; i < d->f->n_nodes; i++) {
		struct box *b = &d->box[d->queue[i]];

		if (b->column != column) {
			x += width + GAP_X;
			y = MARGIN;
			width = 0;
			column = b->column;
		}
		b->x = x;
		b->y = y;
		y += b->height + GAP_Y;
		width = at_least(width, b->width);
		d->height = at_least(d->height, y);
	}
	d->width = x + width + MARGIN;
	d->height += MARGIN;
}

/* --- ink ----------------------------------------------------------------------------------- */

static void put_text(struct draw_page *p, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '&' || *text == '<' || *text == '>' || *text == '"')
			ivr_draw_put(p, "&#%d;", *text);
		else if ((unsigned char)*text >= ' ' && *text != 0x7f)
			ivr_draw_put(p, "%c", *text);
	}
}

static const char *colour(enum node_kind kind)
{
	static const char *const fill[NODE_KINDS] = {
		[NODE_MENU] = "#dbe9f9",     [NODE_COLLECT] = "#dbe9f9", /* asks the caller */
		[NODE_QUEUE] = "#dff2df",    [NODE_DIAL] = "#dff2df",    /* a person */
		[NODE_CALLBACK] = "#dff2df", [NODE_VOICEMAIL] = "#fdf1d0",
		[NODE_HANGUP] = "#f6dcdc",   [NODE_HOURS] = "#eee6f7", /* decides */
		[NODE_IF] = "#eee6f7",
	};

	return fill[kind] != NULL ? fill[kind] : "#f4f4f4";
}

static void put_line(struct draw_page *p, const struct drawing *d, unsigned from, unsigned way)
{
	const struct box *b = &d->box[from], *t;
	int to = ivr_draw_leads_to(from, d->way[b->first_way + way].to);
	unsigned x = b->x + b->width, y = b->y + PAD + (2 + way) * LINE + LINE / 2, bend;

	if (to < 0)
		return;
	t = &d->box[to];
	bend = t->column > b->column ? (t->x - x) / 2 : 50;
	/* To the right it arrives at the left side; back it runs round to the right one. */
	if (t->column > b->column)
		ivr_draw_put(p,
			     "<path class=\"way\" d=\"M%u %u C%u %u %u %u %u %u\" "
			     "marker-end=\"url(#tip)\"/>\n",
			     x, y, x + bend, y, t->x - bend, t->y + PAD + LINE / 2, t->x - 2,
			     t->y + PAD + LINE / 2);
	else
		ivr_draw_put(p,
			     "<path class=\"back\" d=\"M%u %u C%u %u %u %u %u %u\" "
			     "marker-end=\"url(#tip)\"/>\n",
			     x, y, x + bend, y, t->x + t->width + bend, t->y + PAD + LINE,
			     t->x + t->width + 2, t->y + PAD + LINE);
}

static void put_box(struct draw_page *p, const struct drawing *d, unsigned node)
{
	const struct node *n = &d->f->node[node];
	const struct box *b = &d->box[node];
	unsigned y = b->y + PAD + LINE - 4;
	char says[DRAW_TEXT_MAX];

	ivr_draw_says(d->f, node, says);
	ivr_draw_put(p,
		     "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" rx=\"5\" fill=\"%s\"/>\n"
		     "<text class=\"name\" x=\"%u\" y=\"%u\">",
		     b->x, b->y, b->width, b->height, colour(n->kind), b->x + PAD, y);
	put_text(p, n->name);
	ivr_draw_put(p, "</text>\n<text class=\"says\" x=\"%u\" y=\"%u\">", b->x + PAD, y + LINE);
	put_text(p, says);
	ivr_draw_put(p, "</text>\n");
	for (unsigned w = 0; w < b->ways; w++) {
		const struct draw_way *way = &d->way[b->first_way + w];

		y = b->y + PAD + (3 + w) * LINE - 4;
		ivr_draw_put(p, "<text x=\"%u\" y=\"%u\">", b->x + PAD, y);
		put_text(p, way->label);
		ivr_draw_put(p, "</text>\n<text class=\"to\" x=\"%u\" y=\"%u\">",
			     b->x + b->width - PAD, y);
		put_text(p, ivr_draw_leads_to(node, way->to) >= 0 ? way->to->name
								  : ivr_draw_end(way->to));
		ivr_draw_put(p, "</text>\n");
	}
}

void ivr_draw_svg(const struct ivr_flow *f, struct draw_page *p)
{
	struct drawing d = {.f = f};

	d.box = calloc(f->n_nodes, sizeof(*d.box));
	d.way = calloc((size_t)f->n_nodes * DRAW_WAYS_MAX, sizeof(*d.way));
	d.queue = calloc(f->n_nodes, sizeof(*d.queue));
	must(d.box != NULL && d.way != NULL && d.queue != NULL);
	take_ways(&d);
	take_columns(&d);
	place(&d);
	for (unsigned i = 0; i < SWEEPS; i++) {
		take_order(&d);
		sort_columns(&d);
		place(&d);
	}
	ivr_draw_put(p,
		     "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
		     "viewBox=\"0 0 %u %u\" font-family=\"sans-serif\" font-size=\"12\">\n<title>",
		     d.width, d.height, d.width, d.height);
	put_text(p, f->name);
	ivr_draw_put(p,
		     "</title>\n"
		     "<style>rect{stroke:#555}path{fill:none;stroke:#555}.back{stroke:#999;"
		     "stroke-dasharray:4 3}.name{font-weight:bold}.says{fill:#444}"
		     ".to{text-anchor:end;fill:#444}</style>\n"
		     "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" "
		     "markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">"
		     "<polygon points=\"0,0 8,4 0,8\" fill=\"#555\"/></marker></defs>\n"
		     "<rect width=\"100%%\" height=\"100%%\" style=\"fill:#fff;stroke:none\"/>\n");
	for (unsigned i = 0; i < f->n_nodes; i++)
		for (unsigned w = 0; w < d.box[i].ways; w++)
			put_line(p, &d, i, w);
	for (unsigned i = 0; i < f->n_nodes; i++)
		put_box(p, &d, i);
	ivr_draw_put(p, "</svg>\n");
	free(d.box);
	free(d.way);
	free(d.queue);
}
