/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/top.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- differences --- */

static int64_t number(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static const char *text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "";
}

/* How fast a counter moves; one that went back (another engine) has not moved. */
static double rate(const json_t *a, const json_t *b, const char *name, double seconds)
{
	int64_t moved = number(b, name) - number(a, name);

	return moved > 0 && seconds > 0 ? (double)moved / seconds : 0;
}

/* The element of `list` whose member `name` equals that of `like`, or NULL. */
static const json_t *same(const json_t *list, const char *name, const json_t *like)
{
	const json_t *want = json_object_get(like, name), *e;
	size_t i;

	json_array_foreach(list, i, e)
	{
		if (json_equal(json_object_get(e, name), want))
			return e;
	}
	return NULL;
}

static json_t *stage_row(const json_t *a, const json_t *b, double hz, double seconds)
{
	double packets = rate(a, b, "packets", seconds), cycles = rate(a, b, "cycles", seconds);

	return json_pack("{s:s, s:f, s:o, s:f}", "stage", text(b, "stage"), "packets_s", packets,
			 "cycles_packet", packets > 0 ? json_real(cycles / packets) : json_null(),
			 "share", hz > 0 ? cycles / hz : 0.0);
}

static json_t *worker_row(const json_t *a, const json_t *b, double seconds)
{
	static const char *const kept[] = {"worker", "busy_share", "late_ms",   "refuses",
					   "calls",  "legs",       "mbufs_free"};
	const json_t *was = json_object_get(a, "stages"), *s;
	json_t *stages = json_array(), *row = json_object();
	double hz = (double)number(b, "cycles_hz");
	size_t i;

	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		json_object_set(row, kept[i], json_object_get(b, kept[i]));
	json_object_set_new(row, "received_s", json_real(rate(a, b, "received", seconds)));
	json_object_set_new(row, "sent_s", json_real(rate(a, b, "sent", seconds)));
	json_array_foreach(json_object_get(b, "stages"), i, s)
	{
		json_array_append_new(stages, stage_row(same(was, "stage", s), s, hz, seconds));
	}
	json_object_set_new(row, "stages", stages);
	return row;
}

static json_t *fate_row(const json_t *a, const json_t *b, double seconds)
{
	json_t *row = json_copy((json_t *)(uintptr_t)b);

	json_object_set_new(row, "packets_s", json_real(rate(a, b, "count", seconds)));
	return row;
}

static json_t *recorder_row(const json_t *a, const json_t *b, double seconds)
{
	if (!json_is_object(b))
		return json_null();
	return json_pack("{s:O?, s:O?, s:O?, s:f, s:f}", "extents", json_object_get(b, "extents"),
			 "extents_free", json_object_get(b, "extents_free"), "alarm",
			 json_object_get(b, "alarm"), "bytes_s",
			 rate(a, b, "bytes_written", seconds), "writes_s",
			 rate(a, b, "writes", seconds));
}

json_t *top_difference(const json_t *engine_a, const json_t *drops_a, const json_t *engine_b,
		       const json_t *drops_b, double seconds)
{
	const json_t *was = json_object_get(engine_a, "workers"), *e;
	json_t *workers = json_array(), *fates = json_array();
	size_t i;

	json_array_foreach(json_object_get(engine_b, "workers"), i, e)
	{
		json_array_append_new(workers, worker_row(same(was, "worker", e), e, seconds));
	}
	was = json_object_get(drops_a, "fates");
	json_array_foreach(json_object_get(drops_b, "fates"), i, e)
	{
		json_array_append_new(fates, fate_row(same(was, "name", e), e, seconds));
	}
	return json_pack("{s:O?, s:O?, s:f, s:O?, s:O?, s:o, s:o, s:o}", "version",
			 json_object_get(engine_b, "version"), "uptime_ms",
			 json_object_get(engine_b, "uptime_ms"), "seconds", seconds, "ports",
			 json_object_get(engine_b, "ports"), "alarms",
			 json_object_get(engine_b, "alarms"), "workers", workers, "fates", fates,
			 "recorder",
			 recorder_row(json_object_get(engine_a, "recorder"),
				      json_object_get(engine_b, "recorder"), seconds));
}

/* --- the path, drawn --- */

struct node {
	const char *name;
	double packets_s, cycles_s, share;
};

enum { NODES_MAX = 32 };

struct graph {
	FILE *out;
	struct node node[NODES_MAX];
	size_t nodes;
};

static struct node *node_of(struct graph *g, const char *name)
{
	for (size_t i = 0; i < g->nodes; i++)
		if (strcmp(g->node[i].name, name) == 0)
			return &g->node[i];
	return NULL;
}

static double real(const json_t *o, const char *name)
{
	return json_number_value(json_object_get(o, name));
}

static void take_stages(struct graph *g, const json_t *worker)
{
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(worker, "stages"), i, s)
	{
		struct node *n = node_of(g, text(s, "stage"));

		if (n == NULL && g->nodes == NODES_MAX)
			return;
		if (n == NULL) {
			n = &g->node[g->nodes++];
			*n = (struct node){.name = text(s, "stage")};
		}
		n->packets_s += real(s, "packets_s");
		n->cycles_s += real(s, "packets_s") * real(s, "cycles_packet");
		n->share += real(s, "share");
	}
}

static void draw_node(const struct graph *g, const struct node *n)
{
	int depth = n->share > 1 ? 100 : (int)(n->share * 100);

	fprintf(g->out, "\t%s [label=\"%s\\n%.0f packets/s\\n", n->name, n->name, n->packets_s);
	if (n->packets_s > 0)
		fprintf(g->out, "%.0f cycles each\\n", n->cycles_s / n->packets_s);
	fprintf(g->out, "%.1f %% of a core\", fillcolor=\"0.08 %.2f 1.0\"];\n", n->share * 100,
		(double)depth / 100);
}

/* An edge between stages that this engine has, straight on where one in between is missing. */
static void draw_chain(struct graph *g, const char *const *names, const char *style)
{
	const char *last = NULL;

	for (; *names != NULL; names++) {
		if (node_of(g, *names) == NULL)
			continue;
		if (last != NULL)
			fprintf(g->out, "\t%s -> %s%s;\n", last, *names, style);
		last = *names;
	}
}

/* Where packets leave the path. */
static const char *end_of(const char *fate)
{
	static const struct {
		const char *fate, *stage;
	} ends[] = {
		{"relayed", "tx"},         {"buffered", "jbuf"},
		{"unheard", "relay"},      {"dtmf_event", "rtp_in"},
		{"rtcp", "rtcp"},          {"local", "classify"},
		{"no_leg", "classify"},    {"not_ours", "classify"},
		{"malformed", "classify"}, {"fragment", "classify"},
		{"rtcp_bad", "rtcp"},      {"late", "jbuf"},
		{"no_mbuf", "relay"},      {"no_neighbour", "tx"},
		{"tx_full", "tx"},         {"handoff_full", "classify"},
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (strcmp(ends[i].fate, fate) == 0)
			return ends[i].stage;
	return "rtp_in";
}

static void draw_fates(struct graph *g, const json_t *fates)
{
	const json_t *f;
	size_t i;

	json_array_foreach(fates, i, f)
	{
		const char *name = text(f, "name");
		bool drop = json_is_true(json_object_get(f, "drop"));

		if (number(f, "count") == 0 || node_of(g, end_of(name)) == NULL)
			continue;
		fprintf(g->out,
			"\t\"fate_%s\" [label=\"%s\\n%" PRId64 "\\n%.0f/s\", shape=%s, "
			"fillcolor=\"%s\"];\n\t%s -> \"fate_%s\" [style=dashed];\n",
			name, name, number(f, "count"), real(f, "packets_s"),
			drop ? "octagon" : "ellipse", drop ? "#f6c0c0" : "#d5ecd5", end_of(name),
			name);
	}
}

char *top_graph(const json_t *difference)
{
	static const char *const received[] = {"rx",    "classify",  "srtp_open", "rtcp", "rtp_in",
					       "relay", "srtp_seal", "tx",        NULL};
	static const char *const made[] = {"rtp_in", "jbuf", "playout", "srtp_seal", "tx", NULL};
	static const char *const told[] = {"mailbox", "playout", NULL};
	struct graph g = {.nodes = 0};
	char *made_text = NULL;
	size_t size, i;
	const json_t *w;

	g.out = open_memstream(&made_text, &size);
	if (g.out == NULL)
		return NULL;
	json_array_foreach(json_object_get(difference, "workers"), i, w)
	{
		take_stages(&g, w);
	}
	fprintf(g.out,
		"digraph patchbay {\n\trankdir=LR;\n\tlabel=\"patchbay-engine %s: the "
		"packet's path, %.1f s\";\n\tnode [shape=box, style=filled, "
		"fontname=\"sans-serif\", fontsize=10];\n",
		text(difference, "version"), real(difference, "seconds"));
	for (i = 0; i < g.nodes; i++)
		draw_node(&g, &g.node[i]);
	draw_chain(&g, received, "");
	draw_chain(&g, made, "");
	draw_chain(&g, told, " [style=dotted]");
	draw_fates(&g, json_object_get(difference, "fates"));
	fputs("}\n", g.out);
	fclose(g.out);
	return made_text;
}
