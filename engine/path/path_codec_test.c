/* SPDX-License-Identifier: Apache-2.0
 *
 * Phones of every codec through whole workers, judged by what they hear.
 */
#include <errno.h>
#include <math.h>
#include <rte_malloc.h>
#include <stdlib.h>
#include <string.h>

#include "codec/codec.h"
#include "dsp/level.h"
#include "dsp/tone.h"
#include "dsp/tone_plan.h"
#include "path/path_world.h"
#include "prompt/prompt.h"
#include "rtp/dtmf_code.h"

enum { PHONES = 12, HEARD_MAX = 16000 * 20 };

static struct world w;

/* A peer with a codec of its own. Its sound is at 8 or 16 kHz, as wide as the codec. */
struct phone {
	struct world_peer *p;
	const struct codec *codec;
	uint32_t rate_hz;
	uint8_t pt;
	uint16_t ptime_ms, due_ms;
	double hz, phase;
	bool quiet; /* sends nothing */
	void *encoder, *decoder;
	struct codec_tune tune;
	/* What it heard, decoded packet after packet. */
	unsigned next;
	size_t heard_n;
	int16_t heard[HEARD_MAX];
};

static struct phone *phone[PHONES];
static unsigned phones;
static struct call_ref call;

static void *state(size_t bytes)
{
	void *s = aligned_alloc(64, (bytes + 127) & ~(size_t)63);

	check(s != NULL);
	return memset(s, 0, (bytes + 127) & ~(size_t)63);
}

static uint8_t pt_of(enum codec_id id)
{
	return codec_of(id)->pt != CODEC_PT_DYNAMIC ? codec_of(id)->pt : (uint8_t)(110 + id);
}

static struct leg_config config(enum codec_id id, uint16_t ptime_ms)
{
	struct leg_config cfg = world_config(NULL);

	cfg.codecs = 1;
	cfg.codec[0] = (struct leg_codec){.id = id,
					  .pt = pt_of(id),
					  .ptime_ms = ptime_ms,
					  .clock_hz = codec_of(id)->clock_hz};
	return cfg;
}

static void use(struct phone *f, enum codec_id id)
{
	const struct codec *c = codec_of(id);

	if (f->codec != NULL && f->codec->encoder_free != NULL) {
		f->codec->encoder_free(f->encoder);
		f->codec->decoder_free(f->decoder);
	}
	free(f->encoder);
	free(f->decoder);
	f->codec = c;
	f->pt = pt_of(id);
	f->rate_hz = codec_rate_for(c, 16000);
	f->encoder = state(codec_encoder_bytes(c));
	f->decoder = state(codec_decoder_bytes(c));
	check(c->encoder_make == NULL || c->encoder_make(f->encoder) == 0);
	check(c->decoder_make == NULL || c->decoder_make(f->decoder) == 0);
	if (c->encoder_init != NULL) {
		c->encoder_init(f->encoder, f->rate_hz);
		c->decoder_init(f->decoder, f->rate_hz);
	}
	if (c->encoder_tune != NULL) {
		f->tune.complexity = 5;
		c->encoder_tune(f->encoder, &f->tune);
	}
}

static struct phone *phone_with(enum codec_id id, double hz, const struct leg_config *cfg)
{
	struct phone *f = calloc(1, sizeof(*f));

	check(f != NULL && phones < PHONES);
	use(f, id);
	f->ptime_ms = 20;
	f->hz = hz;
	f->p = world_peer_with(&w, 0, call, phones, cfg);
	phone[phones++] = f;
	return f;
}

static struct phone *phone_of(enum codec_id id, double hz)
{
	struct leg_config cfg = config(id, 20);

	return phone_with(id, hz, &cfg);
}

static void begin(void)
{
	world_open(&w, 1, 1, NULL);
	call = world_call(&w, 0, 0);
	phones = 0;
}

static void end(void)
{
	for (unsigned i = 0; i < phones; i++)
		check_int(world_leg_close(&w, phone[i]->p), 0);
	check_int(atomic_load(&w.worker[0]->coders_used), 0);
	for (unsigned i = 0; i < phones; i++) {
		if (phone[i]->codec->encoder_free != NULL) {
			phone[i]->codec->encoder_free(phone[i]->encoder);
			phone[i]->codec->decoder_free(phone[i]->decoder);
		}
		free(phone[i]->encoder);
		free(phone[i]->decoder);
		free(phone[i]);
	}
	world_close(&w);
}

static void say(struct phone *f)
{
	int16_t pcm[960 * 3];
	uint8_t payload[CODEC_PAYLOAD_MAX];
	size_t n = f->rate_hz / 1000 * f->ptime_ms, len;

	for (size_t i = 0; i < n; i++) {
		pcm[i] = (int16_t)lrint(8000 * sin(f->phase));
		f->phase += 2 * M_PI * f->hz / f->rate_hz;
	}
	len = f->codec->encode(f->encoder, payload, sizeof(payload), pcm, n);
	if (len > 0)
		world_rtp(&w, f->p, f->pt, f->p->mark, payload, (uint16_t)len);
	f->p->mark = false;
	f->p->ts += f->codec->clock_hz / 1000 * f->ptime_ms;
}

static void listen(struct phone *f)
{
	for (; f->next < f->p->got_n; f->next++) {
		const struct world_packet *g = &f->p->got[f->next];

		if (g->pt == f->pt)
			f->heard_n += f->codec->decode(f->decoder, f->heard + f->heard_n,
						       HEARD_MAX - f->heard_n, g->payload, g->len);
	}
}

static void run(unsigned ms)
{
	for (unsigned t = 0; t < ms; t++) {
		for (unsigned i = 0; i < phones; i++) {
			struct phone *f = phone[i];

			if (f->quiet || f->hz == 0 || f->due_ms-- > 0)
				continue;
			f->due_ms = (uint16_t)(f->ptime_ms - 1);
			say(f);
		}
		world_run(&w, 1);
	}
	for (unsigned i = 0; i < phones; i++)
		listen(phone[i]);
}

static void forget(void)
{
	world_forget(&w);
	for (unsigned i = 0; i < phones; i++) {
		phone[i]->next = 0;
		phone[i]->heard_n = 0;
	}
}

/* Share of a tone in the last `ms` that it heard. */
static double hears(const struct phone *f, double hz, unsigned ms)
{
	size_t n = f->rate_hz / 1000 * ms;
	const int16_t *pcm = f->heard + f->heard_n - n;
	double re = 0, im = 0, all = 1e-9;

	if (f->heard_n < n)
		return 0;
	for (size_t i = 0; i < n; i++) {
		re += pcm[i] * cos(2 * M_PI * hz * (double)i / f->rate_hz);
		im += pcm[i] * sin(2 * M_PI * hz * (double)i / f->rate_hz);
		all += (double)pcm[i] * pcm[i];
	}
	if (level_dbov(pcm, n) < -40)
		return 0;
	return 2 * (re * re + im * im) / (double)n / all;
}

static enum leg_plan plan_of(const struct phone *f)
{
	return world_stat(&w, f->p)->plan;
}

static uint32_t coders(void)
{
	return atomic_load(&w.worker[0]->coders_used);
}

static void every_codec_talks_to_every_other(void)
{
	for (unsigned a = 0; a < CODEC_COUNT; a++)
		for (unsigned b = 0; b < a; b++) {
			begin();

			struct phone *x = phone_of((enum codec_id)a, 500);
			struct phone *y = phone_of((enum codec_id)b, 800);

			world_bridge(&w, call, x->p, y->p);
			run(800);
			check(hears(x, 800, 200) >
			      (b == CODEC_G729 || a == CODEC_G729 ? 0.6 : 0.9));
			check(hears(y, 500, 200) >
			      (b == CODEC_G729 || a == CODEC_G729 ? 0.6 : 0.9));
			world_check_stream(x->p, 2, x->codec->clock_hz / 50);
			world_check_stream(y->p, 2, y->codec->clock_hz / 50);
			check_int(plan_of(x), LEG_PLAN_MIX);
			check_int(world_stat(&w, x->p)->codec, a);
			end();
		}
}

/* Between wide phones what is above 4 kHz passes; a narrow third hears the rest. */
static void wideband_stays_wide(void)
{
	begin();
	struct phone *g = phone_of(CODEC_G722, 6000);
	struct phone *o = phone_of(CODEC_OPUS, 500);
	struct phone *n = phone_of(CODEC_PCMA, 900);
	struct worker_command c = {0};

	world_hears(&c, o->p, g->p, 0);
	world_hears(&c, g->p, o->p, 0);
	world_hears(&c, n->p, o->p, 0);
	world_hears(&c, n->p, g->p, 0);
	check_int(world_hear(&w, 0, call, &c), 0);
	run(800);
	check(hears(o, 6000, 200) > 0.9);
	check(hears(g, 500, 200) > 0.9);
	check(hears(n, 500, 200) > 0.9); /* 6 kHz is gone, and not come back as 2 */
	check(coders() == 3);
	end();
}

static void a_relay_takes_no_coder(void)
{
	begin();
	struct phone *x = phone_of(CODEC_OPUS, 500), *y = phone_of(CODEC_OPUS, 800);
	struct phone *s = phone_of(CODEC_PCMA, 300);

	world_bridge(&w, call, x->p, y->p);
	run(400);
	check_int(plan_of(x), LEG_PLAN_RELAY);
	check_int(coders(), 0);
	check(hears(x, 800, 200) > 0.9);
	forget();
	/* A supervisor at a plain phone listens: two decoders, and the relay does not notice. */
	check_int(world_monitor(&w, call, 7, s->p, x->p, y->p, MONITOR_LISTEN), 0);
	run(600);
	check_int(coders(), 2);
	check_int(plan_of(x), LEG_PLAN_RELAY);
	check(hears(s, 500, 200) > 0.3 && hears(s, 800, 200) > 0.3);
	world_check_stream(x->p, 0, 960);
	check_int(world_monitor(&w, call, 7, s->p, x->p, y->p, MONITOR_OFF), 0);
	check_int(coders(), 0);
	end();
}

/* The packets of each leg are as long as it negotiated, whatever the speaker's are. */
static void every_ptime_is_sent(void)
{
	static const enum codec_id ids[] = {CODEC_PCMU, CODEC_G722, CODEC_OPUS, CODEC_G729,
					    CODEC_L16_16K};

	for (unsigned k = 0; k < 5; k++)
		for (uint16_t ms = 10; ms <= 60; ms = (uint16_t)(ms + 10)) {
			begin();

			const struct codec *codec = codec_of(ids[k]);
			struct leg_config cfg = config(ids[k], ms);
			struct phone *x = phone_with(ids[k], 500, &cfg);
			struct phone *y = phone_of(CODEC_L16, 800);
			uint16_t sent = codec_ptime_ms(codec, ms);

			x->ptime_ms = sent;
			y->ptime_ms = ms;
			world_bridge(&w, call, x->p, y->p);
			run(900);
			check(hears(x, 800, 200) > (ids[k] == CODEC_G729 ? 0.6 : 0.9));
			check(hears(y, 500, 200) > (ids[k] == CODEC_G729 ? 0.6 : 0.9));
			world_check_stream(x->p, 2, codec->clock_hz / 1000 * sent);
			for (unsigned i = 2; i < x->p->got_n; i++)
				check_int(codec->ticks(x->p->got[i].payload, x->p->got[i].len),
					  codec->clock_hz / 1000 * sent);
			end();
		}
}

/* A ptime is a wish and no reason to transcode; a leg that takes only 10 ms is a reason. */
static void ptime_alone_does_not_end_a_relay(void)
{
	for (unsigned strict = 0; strict < 2; strict++) {
		begin();

		struct leg_config cfg = config(CODEC_PCMU, 10);
		struct phone *x, *y = phone_of(CODEC_PCMU, 800);

		cfg.codec[0].ptime_max_ms = strict ? 10 : 0;
		x = phone_with(CODEC_PCMU, 500, &cfg);
		world_bridge(&w, call, x->p, y->p);
		run(500);
		check_int(plan_of(x), strict ? LEG_PLAN_MIX : LEG_PLAN_RELAY);
		check_int(x->p->got[x->p->got_n - 1].len, strict ? 80 : 160);
		check(hears(x, 800, 200) > 0.9);
		end();
	}
}

static void a_phone_changes_its_codec_in_mid_call(void)
{
	static const enum codec_id way[] = {CODEC_PCMU, CODEC_OPUS,    CODEC_G722, CODEC_PCMU,
					    CODEC_G729, CODEC_L16_16K, CODEC_PCMU};

	begin();
	struct phone *y = phone_of(CODEC_PCMA, 800);
	struct leg_config cfg = config(CODEC_PCMU, 20);

	/* It may send any of these from the start. */
	cfg.codecs = 5;
	cfg.codec[1] = (struct leg_codec){CODEC_OPUS, .pt = pt_of(CODEC_OPUS), .clock_hz = 48000};
	cfg.codec[2] = (struct leg_codec){CODEC_G722, .pt = 9, .clock_hz = 8000};
	cfg.codec[3] = (struct leg_codec){CODEC_G729, .pt = 18, .clock_hz = 8000};
	cfg.codec[4] =
		(struct leg_codec){CODEC_L16_16K, .pt = pt_of(CODEC_L16_16K), .clock_hz = 16000};

	struct phone *x = phone_with(CODEC_PCMU, 500, &cfg);

	world_bridge(&w, call, x->p, y->p);
	for (unsigned k = 0; k < sizeof(way) / sizeof(*way); k++) {
		use(x, way[k]); /* what it sends; what it is sent stays PCMU */
		run(800);
		check(hears(y, 500, 200) > (way[k] == CODEC_G729 ? 0.6 : 0.9));
	}
	world_check_stream(y->p, 2, 160);
	check_int(x->p->got[x->p->got_n - 1].pt, 0);
	end();
}

/* Told by leg.set: what the leg is sent changes, in one stream with a clock that goes on. */
static void a_leg_is_told_another_codec(void)
{
	begin();
	struct phone *x = phone_of(CODEC_PCMU, 500), *y = phone_of(CODEC_PCMA, 800);
	struct worker_command c = {.kind = COMMAND_LEG_SET, .leg = x->p->leg};

	world_bridge(&w, call, x->p, y->p);
	run(600);
	check(hears(x, 800, 200) > 0.9);
	check_int(coders(), 0);
	c.leg_open = config(CODEC_OPUS, 20);
	c.leg_open.set = LEG_SET_CODECS;
	check_int(world_do(&w, 0, &c), 0);
	use(x, CODEC_OPUS);
	run(800);
	check(hears(x, 800, 200) > 0.9);
	check(hears(y, 500, 200) > 0.9);
	world_check_stream(x->p, 1, 0);
	check(coders() > 0);
	c.leg_open = config(CODEC_PCMU, 20);
	c.leg_open.set = LEG_SET_CODECS;
	check_int(world_do(&w, 0, &c), 0);
	use(x, CODEC_PCMU);
	run(600);
	check(hears(x, 800, 200) > 0.9);
	world_check_stream(x->p, 1, 0);
	check_int(coders(), 0);
	end();
}

static int16_t beep[160 * 50];
static uint8_t beep_ulaw[160 * 50];
static struct prompt prompt;

static int play(struct phone *f, struct playlist *list)
{
	struct worker_command c = {.kind = COMMAND_PLAY_START, .leg = f->p->leg};
	struct tone_cadence ringback;
	char why[100];

	check_int(tone_parse(&ringback, "450/1000,0/4000", why, sizeof(why)), 0);
	tone_render(&ringback, beep, sizeof(beep) / sizeof(*beep));
	codec_of(CODEC_PCMU)->encode(NULL, beep_ulaw, sizeof(beep_ulaw), beep, sizeof(beep_ulaw));
	prompt = (struct prompt){.name = "beep", .frames = 50, .duration_ms = 1000, .pcm = beep};
	prompt.coded[CODEC_PCMU] = beep_ulaw;
	*list = (struct playlist){.n = 1, .loop = 1};
	list->item[0] = (struct play_item){.kind = PLAY_PROMPT, .prompt = &prompt};
	c.play.play = 1;
	c.play.list = list;
	return world_do(&w, 0, &c);
}

/* Between relay, play and mix the peer sees one stream whose clock is the codec's. */
static void prompts_reach_every_codec(void)
{
	static struct playlist list;

	for (unsigned id = 0; id < CODEC_COUNT; id++) {
		begin();
		struct phone *x = phone_of((enum codec_id)id, 500);
		struct phone *y = phone_of((enum codec_id)id, 800);

		world_bridge(&w, call, x->p, y->p);
		run(400);
		check_int(plan_of(x), LEG_PLAN_RELAY);
		if (codec_of((enum codec_id)id)->quiet == 0xd5)
			check_int(coders(), 0);
		prompt.coded[CODEC_PCMA] = NULL;
		check_int(play(x, &list), 0);
		run(700);
		check(hears(x, 450, 200) > 0.7);
		run(700);
		check(hears(x, 800, 200) > (id == CODEC_G729 ? 0.6 : 0.9));
		check_int(coders(), 0);
		world_check_stream(x->p, 1, 0);
		end();
	}
}

static void who_finds_no_coder_is_refused(void)
{
	static struct playlist list;

	begin();
	struct phone *f[5][2];
	struct call_ref of[5];
	struct worker_command c;

	for (uint32_t k = 0; k < 5; k++) {
		of[k] = call = k == 0 ? call : world_call(&w, 0, k);
		f[k][0] = phone_of(CODEC_OPUS, 500);
		f[k][1] = phone_of(CODEC_G722, 800);
	}
	run(60);                           /* now it is known where they are */
	for (unsigned k = 0; k < 4; k++) { /* two each: all eight are taken */
		c = (struct worker_command){0};
		world_hears(&c, f[k][0]->p, f[k][1]->p, 0);
		world_hears(&c, f[k][1]->p, f[k][0]->p, 0);
		check_int(world_hear(&w, 0, of[k], &c), 0);
	}
	check_int(coders(), WORLD_CODERS);
	c = (struct worker_command){0};
	world_hears(&c, f[4][0]->p, f[4][1]->p, 0);
	check_int(world_hear(&w, 0, of[4], &c), -ENOBUFS);
	check_int(play(f[4][0], &list), -ENOBUFS);
	run(400);
	check_int(plan_of(f[4][0]), LEG_PLAN_SILENT); /* as before */
	check(hears(f[0][0], 800, 100) > 0.9);        /* and the others did not notice */
	check(atomic_load(&w.worker[0]->coders_missed) > 0);
	/* One call's end makes room. */
	c = (struct worker_command){0};
	check_int(world_hear(&w, 0, of[0], &c), 0);
	c = (struct worker_command){0};
	world_hears(&c, f[4][0]->p, f[4][1]->p, 0);
	check_int(world_hear(&w, 0, of[4], &c), 0);
	run(400);
	check(hears(f[4][0], 800, 100) > 0.9);
	end();
}

/* The other side describes its silence; what is made of it is that loud, until it speaks again. */
static void described_silence_is_heard_as_noise(void)
{
	begin();
	struct phone *x = phone_of(CODEC_PCMU, 500), *y = phone_of(CODEC_PCMA, 800);
	const uint8_t noise[1] = {50};

	world_bridge(&w, call, x->p, y->p);
	run(500);
	x->quiet = true;
	world_rtp(&w, x->p, 13, false, noise, 1);
	x->p->ts += 8000;
	run(1000);
	check(abs(level_dbov(y->heard + y->heard_n - 1600, 1600) + 50) <= 2);
	x->quiet = false;
	x->p->mark = true;
	run(500);
	check(hears(y, 500, 200) > 0.9);
	world_check_stream(y->p, 2, 160);
	end();
}

/* Where comfort noise was negotiated our own silence is described, not sent. */
static void our_silence_is_described(void)
{
	begin();
	struct leg_config cfg = config(CODEC_PCMU, 20);

	cfg.noise = true;
	cfg.noise_pt = 13;

	struct phone *x = phone_with(CODEC_PCMU, 500, &cfg), *y = phone_of(CODEC_PCMA, 800);

	world_bridge(&w, call, x->p, y->p);
	run(500);
	check(hears(x, 800, 200) > 0.9);
	y->quiet = true;
	run(1000); /* the jitter buffer runs empty, concealment fades */
	forget();
	run(4000);
	check(x->p->got_n >= 1 && x->p->got_n <= 4);
	check_int(x->p->got[0].pt, 13);
	check_int(x->p->got[0].payload[0], 127);

	uint32_t ts = x->p->got[x->p->got_n - 1].ts;
	uint16_t seq = x->p->got[x->p->got_n - 1].seq;

	forget();
	y->quiet = false;
	y->p->ts += 8000 * 5;
	run(500);
	check_int(x->p->got[0].pt, 0);
	check(x->p->got[0].marker);
	check_int((uint16_t)(x->p->got[0].seq - seq), 1);
	check((int32_t)(x->p->got[0].ts - ts) > 0);
	check(hears(x, 800, 200) > 0.9);
	end();
}

/* Every fifth packet is lost. With FEC less has to be made up: wherever the packet behind the hole has come
 * by the time the hole is played, which is a matter of the jitter buffer's delay (20 ms here at first). */
static void opus_redundancy_is_used(void)
{
	uint64_t made_up[2];

	for (unsigned fec = 0; fec < 2; fec++) {
		begin();
		struct phone *x = phone_of(CODEC_OPUS, 300), *y = phone_of(CODEC_PCMA, 800);

		x->tune = (struct codec_tune){
			.complexity = 5, .fec = fec, .loss_percent = 20, .bits_per_s = 24000};
		use(x, CODEC_OPUS);
		world_bridge(&w, call, x->p, y->p);
		for (unsigned k = 0; k < 100; k++) {
			run(20);
			if (k % 5 == 4) { /* one vanishes: said, not sent */
				uint8_t payload[CODEC_PAYLOAD_MAX];
				int16_t pcm[320];

				for (unsigned i = 0; i < 320; i++) {
					pcm[i] = (int16_t)lrint(8000 * sin(x->phase));
					x->phase += 2 * M_PI * x->hz / 16000;
				}
				x->codec->encode(x->encoder, payload, sizeof(payload), pcm, 320);
				x->p->seq++;
				x->p->ts += 960;
				x->due_ms = (uint16_t)(x->due_ms + 20);
			}
		}
		made_up[fec] = world_stat(&w, x->p)->concealed_ms;
		end();
	}
	check(made_up[0] >= 200);
	check(made_up[1] + 60 <= made_up[0]);
}

/* Keys pressed as tones are heard through a wide codec. */
/* 20 packets of which seven are a key's tones. */
static void say_key(struct phone *x, uint8_t code)
{
	uint32_t samples = x->rate_hz / 50, times = samples / 160;
	struct tone t;

	tone_start_dtmf(&t, code);
	for (unsigned k = 0; k < 20; k++) {
		int16_t narrow[160], pcm[CODEC_RATE_MAX_HZ / 50];
		uint8_t payload[CODEC_PAYLOAD_MAX];
		size_t len;

		if (k >= 5 && k < 12)
			tone_next(&t, narrow, 160);
		else
			memset(narrow, 0, sizeof(narrow));
		for (unsigned i = 0; i < samples; i++)
			pcm[i] = narrow[i / times];
		len = x->codec->encode(x->encoder, payload, sizeof(payload), pcm, samples);
		world_rtp(&w, x->p, x->pt, false, payload, (uint16_t)len);
		x->p->ts += x->codec->clock_hz / 50;
		world_run(&w, 20);
	}
}

static void keys_are_heard_in_wide_sound(void)
{
	static const enum codec_id codecs[] = {CODEC_G722, CODEC_OPUS, CODEC_L16_16K};

	for (unsigned c = 0; c < sizeof(codecs) / sizeof(codecs[0]); c++) {
		begin();
		struct leg_config cfg = config(codecs[c], 20);

		cfg.inband_dtmf = true;

		struct phone *x = phone_with(codecs[c], 0, &cfg);

		for (uint8_t code = 0; code < DTMF_CODES; code++) {
			world_forget(&w);
			say_key(x, code);
			check_int(world_count(&w, EVENT_DTMF), 1);
			check_int(world_find(&w, EVENT_DTMF)->dtmf.code, code);
		}
		end();
	}
}

static const struct check_case cases[] = {
	CHECK_CASE(every_codec_talks_to_every_other),
	CHECK_CASE(wideband_stays_wide),
	CHECK_CASE(a_relay_takes_no_coder),
	CHECK_CASE(every_ptime_is_sent),
	CHECK_CASE(ptime_alone_does_not_end_a_relay),
	CHECK_CASE(a_phone_changes_its_codec_in_mid_call),
	CHECK_CASE(a_leg_is_told_another_codec),
	CHECK_CASE(prompts_reach_every_codec),
	CHECK_CASE(who_finds_no_coder_is_refused),
	CHECK_CASE(described_silence_is_heard_as_noise),
	CHECK_CASE(our_silence_is_described),
	CHECK_CASE(opus_redundancy_is_used),
	CHECK_CASE(keys_are_heard_in_wide_sound),
};
CHECK_MAIN(cases)
