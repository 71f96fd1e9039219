/* SPDX-License-Identifier: Apache-2.0
 *
 * Small pieces, one at a time: what a frame of 20 ms costs in each.
 *
 *	bench_micro --list
 *	bench_micro PIECE [--times N] [--of K] [--cpu N]
 *
 * N times the piece, over K objects in turn (streams, sessions): with many, each is cold when its turn comes,
 * as on a busy worker. Prints one JSON object: median ns and cycles of nine equal parts. The same
 * program under callgrind gives instruction counts (harness/micro.py).
 */
#include <getopt.h>
#include <jansson.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

#include "base/must.h"
#include "base/units.h"
#include "codec/codec.h"
#include "codec/g711.h"
#include "dsp/conceal.h"
#include "dsp/dtmf_detect.h"
#include "dsp/level.h"
#include "dsp/mix.h"
#include "dsp/resample.h"
#include "jbuf/jbuf.h"
#include "net/net.h"
#include "patchbay/event_log.h"
#include "rtp/rtp.h"
#include "srtp/srtp.h"

enum {
	FRAME = 160, /* 8 kHz */
	FRAME_MAX = 960,
	PARTS = 9,
	SRTP_LEN = 172,
	OBJECTS_MAX = 100000,
};

struct micro {
	uint32_t objects;
	uint8_t *state; /* objects x stride */
	size_t stride;
	int16_t pcm[FRAME_MAX];
	uint8_t octets[CODEC_PAYLOAD_MAX];
	size_t len;
	int32_t sum[FRAME];
	const struct codec *codec;
	struct srtp *srtp;
	uint16_t *seq;
	uint8_t packet[SRTP_BURST][256];
	struct event_log *log;
	uint64_t turn;
};

struct piece {
	const char *name;
	void (*make)(struct micro *m);
	void (*once)(struct micro *m, uint32_t object);
	uint32_t times;   /* usually */
	uint32_t objects; /* usually */
	uint8_t per_call; /* frames that once() handles */
};

static void *object(const struct micro *m, uint32_t i)
{
	return m->state + (size_t)i * m->stride;
}

static void objects_make(struct micro *m, size_t bytes)
{
	m->stride = (bytes + 63) & ~(size_t)63;
	m->state = aligned_alloc(64, m->stride * m->objects);
	must(m->state != NULL);
	memset(m->state, 0, m->stride * m->objects);
}

/* Speech enough: two tones and some noise, a new place for each frame. */
static void sound(struct micro *m)
{
	uint32_t x = 1;

	for (unsigned i = 0; i < FRAME_MAX; i++) {
		x = x * 1664525u + 1013904223u;
		m->pcm[i] = (int16_t)((int)(i * 2039 % 9000) - 4500 + (int)(x >> 21) - 1024);
	}
	for (unsigned i = 0; i < sizeof(m->octets); i++)
		m->octets[i] = (uint8_t)(i * 37);
}

/* ---- G.711, mixing, listening ---- */

static void plain_make(struct micro *m)
{
	objects_make(m, FRAME * sizeof(int16_t));
}

static void ulaw_decode(struct micro *m, uint32_t i)
{
	g711_kernel()->ulaw_decode(object(m, i), m->octets, FRAME);
}

static void ulaw_encode(struct micro *m, uint32_t i)
{
	g711_kernel()->ulaw_encode(object(m, i), m->pcm, FRAME);
}

static void mix(struct micro *m, uint32_t i)
{
	mix_add(m->sum, object(m, i), FRAME);
}

static void mix_leave(struct micro *m, uint32_t i)
{
	int16_t *own = object(m, i);
	int32_t rest[FRAME];

	memcpy(rest, m->sum, sizeof(rest));
	mix_sub(rest, own, FRAME);
	mix_saturate(m->pcm, rest, FRAME);
}

static void level(struct micro *m, uint32_t i)
{
	m->turn += (uint64_t)level_dbov(object(m, i), FRAME);
}

static void dtmf_make(struct micro *m)
{
	dtmf_detect_prepare();
	objects_make(m, dtmf_detect_bytes());
	for (uint32_t i = 0; i < m->objects; i++)
		dtmf_detect_init(object(m, i));
}

static void dtmf(struct micro *m, uint32_t i)
{
	struct dtmf_detect_news news[4];

	m->turn += dtmf_detect_listen(object(m, i), m->pcm, FRAME, news, 4);
}

static void conceal_make(struct micro *m)
{
	objects_make(m, conceal_bytes());
	for (uint32_t i = 0; i < m->objects; i++)
		conceal_init(object(m, i));
}

static void conceal(struct micro *m, uint32_t i)
{
	conceal_good(object(m, i), m->pcm, FRAME);
}

static void resample_make(struct micro *m)
{
	objects_make(m, sizeof(struct resample));
	for (uint32_t i = 0; i < m->objects; i++)
		must(resample_init(object(m, i), 8000, 16000));
}

static void resample(struct micro *m, uint32_t i)
{
	int16_t out[2 * FRAME + 8];

	resample_run(object(m, i), out, m->pcm, FRAME);
}

/* ---- codecs with a state ---- */

static void decoder_make(struct micro *m, enum codec_id id, uint32_t rate_hz)
{
	void *encoder;

	m->codec = codec_of(id);
	objects_make(m, codec_decoder_bytes(m->codec));
	for (uint32_t i = 0; i < m->objects; i++) {
		must(m->codec->decoder_make == NULL || m->codec->decoder_make(object(m, i)) == 0);
		m->codec->decoder_init(object(m, i), rate_hz);
	}
	encoder = aligned_alloc(64, (codec_encoder_bytes(m->codec) + 64) & ~(size_t)63);
	must(encoder != NULL &&
	     (m->codec->encoder_make == NULL || m->codec->encoder_make(encoder) == 0));
	m->codec->encoder_init(encoder, rate_hz);
	m->len = m->codec->encode(encoder, m->octets, sizeof(m->octets), m->pcm, rate_hz / 50);
	if (m->codec->encoder_free != NULL)
		m->codec->encoder_free(encoder);
	free(encoder);
}

static void encoder_make(struct micro *m, enum codec_id id, uint32_t rate_hz, uint8_t complexity)
{
	struct codec_tune tune = {.complexity = complexity};

	m->codec = codec_of(id);
	m->len = rate_hz / 50;
	objects_make(m, codec_encoder_bytes(m->codec));
	for (uint32_t i = 0; i < m->objects; i++) {
		must(m->codec->encoder_make == NULL || m->codec->encoder_make(object(m, i)) == 0);
		m->codec->encoder_init(object(m, i), rate_hz);
		if (m->codec->encoder_tune != NULL)
			m->codec->encoder_tune(object(m, i), &tune);
	}
}

static void opus_decode_make(struct micro *m)
{
	decoder_make(m, CODEC_OPUS, 16000);
}

static void opus_encode_make(struct micro *m)
{
	encoder_make(m, CODEC_OPUS, 16000, 3);
}

static void g722_decode_make(struct micro *m)
{
	decoder_make(m, CODEC_G722, 16000);
}

static void g722_encode_make(struct micro *m)
{
	encoder_make(m, CODEC_G722, 16000, 0);
}

static void decode(struct micro *m, uint32_t i)
{
	int16_t pcm[FRAME_MAX];

	m->turn += m->codec->decode(object(m, i), pcm, FRAME_MAX, m->octets, m->len);
}

static void encode(struct micro *m, uint32_t i)
{
	m->turn += m->codec->encode(object(m, i), m->octets, sizeof(m->octets), m->pcm, m->len);
}

/* ---- SRTP ---- */

static void srtp_make(struct micro *m, enum srtp_way way)
{
	struct srtp_keys keys = {.receive = {.suite = SRTP_CM128_SHA80}};
	size_t bytes = (srtp_unit_bytes(m->objects) + 63) & ~(size_t)63;

	if (way == SRTP_WAY_BURST && !srtp_burst_works()) {
		fprintf(stderr, "bench_micro: this CPU has no burst way\n");
		exit(1);
	}
	m->srtp = aligned_alloc(64, bytes);
	m->seq = calloc(m->objects, sizeof(*m->seq));
	must(m->srtp != NULL && m->seq != NULL && srtp_unit_init(m->srtp, m->objects, way) == 0);
	for (uint32_t leg = 0; leg < m->objects; leg++) {
		memcpy(keys.receive.master, &leg, sizeof(leg));
		keys.send = keys.receive;
		must(srtp_keys_set(m->srtp, leg, &keys) == 0);
	}
}

static void srtp_burst_make(struct micro *m)
{
	srtp_make(m, SRTP_WAY_BURST);
}

static void srtp_library_make(struct micro *m)
{
	srtp_make(m, SRTP_WAY_LIBRARY);
}

/* A burst over as many sessions, sealed and opened. */
static void srtp_pass(struct micro *m, uint32_t i)
{
	struct srtp_row row[SRTP_BURST];

	for (uint32_t k = 0; k < SRTP_BURST; k++) {
		uint32_t leg = (i * SRTP_BURST + k) % m->objects;

		m->packet[k][0] = 0x80;
		be16_put(m->packet[k] + 2, m->seq[leg]++);
		row[k] = (struct srtp_row){.data = m->packet[k], .leg = leg, .len = SRTP_LEN};
		srtp_fetch(m->srtp, leg, true);
	}
	srtp_rtp_seal(m->srtp, row, SRTP_BURST);
	for (uint32_t k = 0; k < SRTP_BURST; k++)
		srtp_fetch(m->srtp, row[k].leg, false);
	srtp_rtp_open(m->srtp, row, SRTP_BURST);
	must(row[0].verdict == SRTP_OK && row[0].len == SRTP_LEN);
}

/* ---- packets, jitter buffer, events ---- */

static void parse_make(struct micro *m)
{
	struct net_own own = {.ip4 = true, .ip4_addr = {10, 0, 0, 2}, .mac = {2}};
	struct net_head h;

	objects_make(m, 256);
	net_head_make(&h, &own, 4, 4000, (const uint8_t[]){10, 0, 0, 1}, 2000,
		      (const uint8_t[]){2, 0, 0, 0, 0, 1});
	for (uint32_t i = 0; i < m->objects; i++) {
		net_head_write(&h, object(m, i), RTP_HEADER_LEN + FRAME);
		rtp_build((uint8_t *)object(m, i) + NET_HEAD4_BYTES, 0, false, (uint16_t)i, i, i);
	}
}

static void parse(struct micro *m, uint32_t i)
{
	struct net_own own = {.ip4 = true, .ip4_addr = {10, 0, 0, 1}, .mac = {2, 0, 0, 0, 0, 1}};
	struct net_view v;
	struct rtp_view r;

	must(net_parse(&v, &own, object(m, i), NET_HEAD4_BYTES + RTP_HEADER_LEN + FRAME) ==
	     NET_UDP);
	must(rtp_parse(&r, (uint8_t *)object(m, i) + v.payload_at, v.payload_len) == RTP_OK);
	m->turn += r.seq;
}

static void jbuf_make(struct micro *m)
{
	struct jbuf_config cfg = {.clock_hz = 8000, .slots = 32, .min_ms = 20, .max_ms = 200};

	objects_make(m, jbuf_bytes(cfg.slots));
	m->seq = calloc(m->objects, sizeof(*m->seq));
	must(m->seq != NULL);
	for (uint32_t i = 0; i < m->objects; i++)
		must(jbuf_init(object(m, i), &cfg) == 0);
}

static void jbuf_pass(struct micro *m, uint32_t i)
{
	uint16_t n = m->seq[i]++;
	uint64_t now = (uint64_t)(n + 100) * 20 * PB_NS_PER_MS;
	struct jbuf_out out;

	(void)jbuf_put(object(m, i), m, n, (uint32_t)n * FRAME, FRAME, now);
	(void)jbuf_get(object(m, i), now, FRAME, &out);
}

static void event_make(struct micro *m)
{
	m->log = event_log_new(1024, 1 << 20);
	must(m->log != NULL);
}

static void event(struct micro *m, uint32_t i)
{
	json_t *members =
		json_pack("{s:s, s:s, s:s, s:s, s:i, s:b}", "call", "c-1", "leg", "l-1", "digit",
			  "5", "source", "rfc4733", "duration_ms", 100, "secret", 0);

	(void)i;
	m->turn += event_log_append(m->log, 1234567890123, "dtmf", members);
}

/* clang-format off */
static const struct piece pieces[] = {
	{"parse", parse_make, parse, 400000, 10000, 1},
	{"jbuf", jbuf_make, jbuf_pass, 200000, 10000, 1},
	{"g711_decode", plain_make, ulaw_decode, 400000, 10000, 1},
	{"g711_encode", plain_make, ulaw_encode, 400000, 10000, 1},
	{"mix_add", plain_make, mix, 400000, 10000, 1},
	{"mix_leave", plain_make, mix_leave, 400000, 10000, 1},
	{"level", plain_make, level, 400000, 10000, 1},
	{"dtmf", dtmf_make, dtmf, 60000, 10000, 1},
	{"conceal_good", conceal_make, conceal, 60000, 10000, 1},
	{"resample_8_16", resample_make, resample, 60000, 1000, 1},
	{"opus_decode_16k", opus_decode_make, decode, 3000, 50, 1},
	{"opus_encode_16k_c3", opus_encode_make, encode, 1500, 50, 1},
	{"g722_decode", g722_decode_make, decode, 4000, 100, 1},
	{"g722_encode", g722_encode_make, encode, 3000, 100, 1},
	{"srtp_burst", srtp_burst_make, srtp_pass, 4000, 10000, SRTP_BURST},
	{"srtp_library", srtp_library_make, srtp_pass, 1800, 1000, SRTP_BURST},
	{"event", event_make, event, 40000, 1, 1},
};
/* clang-format on */

enum { PIECES = sizeof(pieces) / sizeof(pieces[0]) };

static double clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void run(const struct piece *p, struct micro *m, uint32_t times)
{
	double ns[PARTS], cycles[PARTS];
	uint32_t at = 0, each = times / PARTS > 0 ? times / PARTS : 1;

	sound(m);
	p->make(m);
	for (unsigned part = 0; part < PARTS; part++) {
		double t = clock_ns();
		uint64_t c = __rdtsc();

		for (uint32_t k = 0; k < each; k++) {
			p->once(m, at);
			at = at + 1 == m->objects ? 0 : at + 1;
		}
		cycles[part] = (double)(__rdtsc() - c) / each / p->per_call;
		ns[part] = (clock_ns() - t) / each / p->per_call;
	}
	qsort(ns, PARTS, sizeof(*ns), by_size);
	qsort(cycles, PARTS, sizeof(*cycles), by_size);
	printf("{\"piece\": \"%s\", \"objects\": %u, \"calls\": %u, \"frames\": %u, \"ns\": %.2f, "
	       "\"cycles\": %.1f, \"spread\": %.3f}\n",
	       p->name, m->objects, each * PARTS, each * PARTS * p->per_call, ns[PARTS / 2],
	       cycles[PARTS / 2], (ns[PARTS - 2] - ns[1]) / ns[PARTS / 2]);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		perror("bench_micro: --cpu");
}

static const struct piece *find(const char *name)
{
	for (unsigned i = 0; i < PIECES; i++)
		if (strcmp(pieces[i].name, name) == 0)
			return &pieces[i];
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct option words[] = {{"times", required_argument, NULL, 't'},
					      {"of", required_argument, NULL, 'o'},
					      {"cpu", required_argument, NULL, 'c'},
					      {"list", no_argument, NULL, 'l'},
					      {NULL, 0, NULL, 0}};
	static struct micro m;
	const struct piece *p;
	uint32_t times = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", words, NULL)) != -1) {
		if (c == 'l') {
			for (unsigned i = 0; i < PIECES; i++)
				puts(pieces[i].name);
			return 0;
		}
		if (c == 't')
			times = (uint32_t)strtoul(optarg, NULL, 10);
		else if (c == 'o')
			m.objects = (uint32_t)strtoul(optarg, NULL, 10);
		else if (c == 'c')
			pin(atoi(optarg));
	}
	p = optind == argc - 1 ? find(argv[optind]) : NULL;
	if (p == NULL || m.objects > OBJECTS_MAX) {
		fprintf(stderr,
			"usage: bench_micro PIECE [--times N] [--of K] [--cpu N] | --list\n");
		return 2;
	}
	m.objects = m.objects > 0 ? m.objects : p->objects;
	run(p, &m, times > 0 ? times : p->times);
	return 0;
}
