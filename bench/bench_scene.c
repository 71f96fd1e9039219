/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands are sent with a token and every answer is looked at: a scene that was refused half way would
 * be measured as a cheap one.
 */
#include "bench_scene.h"

#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/units.h"

enum {
	PROMPTS = 64, /* entry points into the sound, so that callers are at different places */
	PROMPT_FRAMES = 3000, /* a minute */
	PROMPT_STEP = 47,
};

/* frames_out: relay hears one another; a room everybody else; a monitored call's agent, customer and
 * supervisor one frame each. */
/* clang-format off */
static const struct bench_scene_kind kinds[] = {
	{.name = "relay", .legs_per_call = 2, .unit = BENCH_STREAM, .frames_out = 2},
	{.name = "relay_record", .legs_per_call = 2, .unit = BENCH_STREAM, .frames_out = 2, .records = true},
	{.name = "prompt", .legs_per_call = 1, .unit = BENCH_STREAM, .frames_out = 1, .silent = true},
	{.name = "prompt_duplex", .legs_per_call = 1, .unit = BENCH_STREAM, .frames_out = 1},
	{.name = "srtp", .legs_per_call = 2, .unit = BENCH_STREAM, .frames_out = 2, .srtp = true},
	{.name = "dtmf", .legs_per_call = 2, .unit = BENCH_STREAM, .frames_out = 2, .inband = true},
	{.name = "room3", .legs_per_call = 3, .unit = BENCH_LEG, .frames_out = 3},
	{.name = "room8", .legs_per_call = 8, .unit = BENCH_LEG, .frames_out = 8},
	{.name = "room100", .legs_per_call = 100, .unit = BENCH_LEG, .frames_out = 100},
	{.name = "monitored", .legs_per_call = 3, .unit = BENCH_CALL, .frames_out = 3},
	{.name = "transcode_pcma", .legs_per_call = 2, .unit = BENCH_CALL, .frames_out = 1, .codec = CODEC_PCMA},
	{.name = "transcode_g722", .legs_per_call = 2, .unit = BENCH_CALL, .frames_out = 1, .codec = CODEC_G722},
	{.name = "transcode_opus", .legs_per_call = 2, .unit = BENCH_CALL, .frames_out = 1, .codec = CODEC_OPUS},
};
/* clang-format on */

struct bench_prompts {
	struct prompt prompt[PROMPTS];
	struct playlist list[PROMPTS];
	int16_t pcm[(PROMPT_FRAMES + PROMPTS * PROMPT_STEP) * PROMPT_FRAME];
	uint8_t coded[(PROMPT_FRAMES + PROMPTS * PROMPT_STEP) * PROMPT_FRAME];
};

const struct bench_scene_kind *bench_scene_at(unsigned i)
{
	return i < sizeof(kinds) / sizeof(kinds[0]) ? &kinds[i] : NULL;
}

const struct bench_scene_kind *bench_scene_find(const char *name)
{
	const struct bench_scene_kind *k;

	for (unsigned i = 0; (k = bench_scene_at(i)) != NULL; i++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

const char *bench_unit_name(enum bench_unit unit)
{
	static const char *const names[] = {"stream", "leg", "call"};

	return names[unit];
}

/* As main does when it knows the link address. */
static void neighbour_answer(struct bench_world *b, const struct worker_event *e)
{
	struct worker_command c = {.kind = COMMAND_NEIGHBOUR};

	c.neighbour.family = e->neighbour.family;
	memcpy(c.neighbour.ip, e->neighbour.ip, sizeof(c.neighbour.ip));
	c.neighbour.mac[0] = 2;
	(void)worker_command_send(b->worker, &c); /* it is asked for again */
}

void bench_world_events(struct bench_world *b)
{
	struct worker_event e;

	while (worker_event_recv(b->worker, &e)) {
		if (e.kind == EVENT_NEIGHBOUR_WANTED)
			neighbour_answer(b, &e);
		if (e.kind != EVENT_REPLY)
			continue;
		b->answered++;
		if (e.result != 0) {
			fprintf(stderr, "bench_worker: command %llu was refused: %s\n",
				(unsigned long long)e.token, strerror(-e.result));
			exit(1);
		}
	}
}

/* Turn without time moving on. */
static void turn(struct bench_world *b)
{
	worker_turn(b->worker, b->now_ns);
	bench_world_events(b);
	bench_net_hear(&b->net);
}

void bench_world_step(struct bench_world *b)
{
	unsigned phase = (unsigned)(b->now_ns / PB_NS_PER_MS % BENCH_PHASES);

	b->now_ns += PB_NS_PER_MS;
	bench_net_speak(&b->net, phase);
	do
		turn(b);
	while (!rte_ring_empty(b->net.in));
}

static void send(struct bench_world *b, struct worker_command *c)
{
	c->token = ++b->token;
	while (worker_command_send(b->worker, c) != 0)
		turn(b);
}

static void settle(struct bench_world *b)
{
	while (b->answered < b->token)
		turn(b);
}

static struct call_ref call_ref(uint32_t call)
{
	return (struct call_ref){call, 1};
}

static struct leg_ref leg_ref(uint32_t leg)
{
	return (struct leg_ref){leg, 1};
}

/* The only one: if PCMU were accepted as well, the speaker's would be relayed as it is. The telephone's address is
 * the one that was signalled. */
static void other_codec(struct leg_config *cfg, enum codec_id id)
{
	static const struct leg_codec all[CODEC_COUNT] = {
		[CODEC_PCMA] = {.id = CODEC_PCMA, .pt = 8, .ptime_ms = 20, .clock_hz = 8000},
		[CODEC_G722] = {.id = CODEC_G722, .pt = 9, .ptime_ms = 20, .clock_hz = 8000},
		[CODEC_OPUS] = {.id = CODEC_OPUS,
				.pt = 96,
				.ptime_ms = 20,
				.clock_hz = 48000,
				.rate_max_hz = 16000},
	};

	cfg->codec[0] = all[id];
	cfg->codecs = 1;
	cfg->source = LEG_SOURCE_STRICT;
}

static void leg_open(struct bench_world *b, const struct bench_scene_kind *kind, uint32_t call,
		     uint32_t leg)
{
	struct worker_command c = {
		.kind = COMMAND_LEG_OPEN, .call = call_ref(call), .leg = leg_ref(leg)};

	c.leg_open = (struct leg_config){
		.family = 4,
		.remote = {.family = 4, .port = 4000},
		.codecs = 2,
		.codec = {{CODEC_PCMU, 0, 20, 8000}, {CODEC_PCMA, 8, 20, 8000}},
		.dtmf = !kind->inband,
		.inband_dtmf = kind->inband,
		.dtmf_pt = 101,
		.dtmf_clock_hz = 8000,
		.direction = LEG_SENDRECV,
		.source = LEG_SOURCE_LATCH,
		.ssrc = 0x80000000u + leg,
	};
	bench_net_ip(leg, c.leg_open.remote.ip);
	if (kind->codec != CODEC_PCMU && leg % kind->legs_per_call == 1)
		other_codec(&c.leg_open, kind->codec);
	if (kind->srtp) {
		bench_net_keys(leg, false, &b->keys);
		c.srtp = &b->keys;
	}
	send(b, &c);
	if (kind->srtp)
		settle(b); /* the keys are the worker's until it has answered */
}

/* The first `n` legs of a call hear one another. */
static void connect(struct bench_world *b, uint32_t call, uint32_t first, unsigned n)
{
	struct worker_command c = {.kind = COMMAND_CALL_HEAR, .call = call_ref(call)};

	c.hear.whole = true;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < n; k++)
			if (k != i)
				c.hear.entry[c.hear.n++] =
					(struct hear_entry){first + i, first + k, 0};
	send(b, &c);
}

/* `listener` hears `speaker`, and nobody else anything. */
static void hear_one(struct bench_world *b, uint32_t call, uint32_t listener, uint32_t speaker)
{
	struct worker_command c = {.kind = COMMAND_CALL_HEAR, .call = call_ref(call)};

	c.hear.whole = true;
	c.hear.entry[c.hear.n++] = (struct hear_entry){listener, speaker, 0};
	send(b, &c);
}

static void record(struct bench_world *b, uint32_t call, uint32_t customer)
{
	struct worker_command c = {
		.kind = COMMAND_RECORD_START, .call = call_ref(call), .leg = leg_ref(customer)};

	be32_put(c.record.id, call + 1);
	c.record.text = "{}";
	send(b, &c);
}

static void monitor(struct bench_world *b, uint32_t call, uint32_t first)
{
	struct worker_command c = {.kind = COMMAND_MONITOR_SET, .call = call_ref(call)};

	c.monitor.monitor = call + 1;
	c.monitor.customer = leg_ref(first);
	c.monitor.agent = leg_ref(first + 1);
	c.monitor.supervisor = leg_ref(first + 2);
	c.monitor.mode = MONITOR_LISTEN;
	send(b, &c);
}

static void prompts_make(struct bench_world *b)
{
	struct bench_prompts *all = calloc(1, sizeof(*all));

	must(all != NULL);
	b->prompts = all;
	for (size_t i = 0; i < sizeof(all->coded); i++) {
		all->coded[i] = (uint8_t)(i * 7);
		all->pcm[i] = (int16_t)(i * 7);
	}
	for (unsigned i = 0; i < PROMPTS; i++) {
		struct prompt *p = &all->prompt[i];
		size_t at = (size_t)i * PROMPT_STEP * PROMPT_FRAME;

		p->frames = PROMPT_FRAMES;
		p->duration_ms = PROMPT_FRAMES * 20;
		p->pcm = all->pcm + at;
		for (unsigned k = 0; k < CODEC_G711_COUNT; k++)
			p->coded[k] = all->coded + at;
		all->list[i].n = 1;
		all->list[i].item[0] = (struct play_item){.kind = PLAY_PROMPT, .prompt = p};
	}
}

static void play(struct bench_world *b, uint32_t call, uint32_t leg)
{
	struct worker_command c = {
		.kind = COMMAND_PLAY_START, .call = call_ref(call), .leg = leg_ref(leg)};

	c.play.play = leg + 1;
	c.play.list = &b->prompts->list[leg * 2654435761u >> 26];
	send(b, &c);
}

/* Where all hear one another by themselves. */
static bool is_room(const struct bench_scene_kind *kind)
{
	return kind->unit == BENCH_LEG;
}

static void call_begin(struct bench_world *b, const struct bench_scene_kind *kind, uint32_t call)
{
	uint32_t first = call * kind->legs_per_call;

	if (kind->legs_per_call == 1)
		play(b, call, first);
	else if (kind->codec != CODEC_PCMU)
		hear_one(b, call, first + 1, first);
	else if (!is_room(kind))
		connect(b, call, first, kind->unit == BENCH_CALL ? 2 : kind->legs_per_call);
	if (kind->unit == BENCH_CALL && kind->legs_per_call == 3)
		monitor(b, call, first);
	if (kind->records)
		record(b, call, first);
}

void bench_scene_begin(struct bench_world *b, const struct bench_scene_kind *kind)
{
	for (uint32_t call = 0; call < b->calls; call++) {
		struct worker_command c = {.kind = COMMAND_CALL_OPEN, .call = call_ref(call)};

		c.call_open.room = is_room(kind);
		send(b, &c);
		for (uint32_t i = 0; i < kind->legs_per_call; i++)
			leg_open(b, kind, call, call * kind->legs_per_call + i);
	}
	settle(b);
	for (uint32_t i = 0; i < b->net.legs; i++)
		b->net.phone[i].talks = true;
	for (unsigned i = 0; i < 3 * BENCH_PHASES; i++)
		bench_world_step(b);
	if (kind->legs_per_call == 1)
		prompts_make(b);
	for (uint32_t call = 0; call < b->calls; call++)
		call_begin(b, kind, call);
	settle(b);
	for (uint32_t i = 0; i < b->net.legs; i++)
		if (kind->silent || (kind->codec != CODEC_PCMU && i % 2 == 1))
			b->net.phone[i].talks = false;
}

void bench_scene_end(struct bench_world *b, const struct bench_scene_kind *kind)
{
	for (uint32_t call = 0; call < b->calls; call++) {
		struct worker_command c = {.kind = COMMAND_LEG_CLOSE, .call = call_ref(call)};

		for (uint32_t i = 0; i < kind->legs_per_call; i++) {
			c.leg = leg_ref(call * kind->legs_per_call + i);
			send(b, &c);
		}
		c.kind = COMMAND_CALL_CLOSE;
		send(b, &c);
	}
	settle(b);
	free(b->prompts);
	b->prompts = NULL;
}
