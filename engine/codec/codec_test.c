/* SPDX-License-Identifier: Apache-2.0
 *
 * Every codec behind the interface: what goes in comes out, at every rate and length; whatever bytes come,
 * nothing is written past the end; a state that is prepared anew knows nothing of before; lost
 * packets, redundancy and pauses.
 */
#include "codec/codec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

enum { SAMPLES_MAX = 48000 };

#define PI 3.14159265358979

struct ends {
	const struct codec *codec;
	uint32_t rate_hz;
	void *decoder, *encoder;
};

static void *memory(size_t bytes)
{
	void *p = aligned_alloc(64, (bytes + 127) & ~(size_t)63);

	check(p != NULL);
	memset(p, 0, (bytes + 127) & ~(size_t)63);
	return p;
}

static void open_ends(struct ends *e, enum codec_id id, uint32_t rate_hz)
{
	const struct codec *c = codec_of(id);

	*e = (struct ends){.codec = c, .rate_hz = codec_rate_for(c, rate_hz)};
	e->decoder = memory(codec_decoder_bytes(c));
	e->encoder = memory(codec_encoder_bytes(c));
	check(c->decoder_make == NULL || c->decoder_make(e->decoder) == 0);
	check(c->encoder_make == NULL || c->encoder_make(e->encoder) == 0);
	if (c->decoder_init != NULL) {
		c->decoder_init(e->decoder, e->rate_hz);
		c->encoder_init(e->encoder, e->rate_hz);
	}
}

static void close_ends(struct ends *e)
{
	if (e->codec->decoder_free != NULL)
		e->codec->decoder_free(e->decoder);
	if (e->codec->encoder_free != NULL)
		e->codec->encoder_free(e->encoder);
	free(e->decoder);
	free(e->encoder);
}

/* Something like a voice: a pitch with harmonics whose loudness moves. */
static void voice(int16_t *pcm, size_t n, uint32_t rate_hz, double pitch_hz)
{
	for (size_t i = 0; i < n; i++) {
		double t = (double)i / rate_hz, v = 0;

		for (unsigned k = 1; k <= 8; k++)
			v += sin(2 * PI * pitch_hz * k * t) / k;
		pcm[i] = (int16_t)(5000 * v * (0.6 + 0.4 * sin(2 * PI * 3 * t)));
	}
}

static void tone(int16_t *pcm, size_t n, uint32_t rate_hz, double hz)
{
	for (size_t i = 0; i < n; i++)
		pcm[i] = (int16_t)lrint(8000 * sin(2 * PI * hz * (double)i / rate_hz));
}

static double energy(const int16_t *pcm, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)pcm[i] * pcm[i];
	return n ? sum / (double)n : 0;
}

/* Share of the energy that is at `hz` (Goertzel): 1 for a pure tone. */
static double purity(const int16_t *pcm, size_t n, uint32_t rate_hz, double hz)
{
	double re = 0, im = 0;

	for (size_t i = 0; i < n; i++) {
		re += pcm[i] * cos(2 * PI * hz * (double)i / rate_hz);
		im += pcm[i] * sin(2 * PI * hz * (double)i / rate_hz);
	}
	return 2 * (re * re + im * im) / ((double)n * (double)n) / (energy(pcm, n) + 1e-9);
}

/* Encode and decode `n` samples in packets of `ms`; returns how many samples came out. */
static size_t pass(struct ends *e, int16_t *out, const int16_t *in, size_t n, unsigned ms)
{
	size_t step = e->rate_hz / 1000 * ms, made = 0;
	uint8_t payload[CODEC_PAYLOAD_MAX];

	for (size_t at = 0; at + step <= n; at += step) {
		size_t len = e->codec->encode(e->encoder, payload, sizeof(payload), in + at, step);

		check(len > 0);
		check_int(e->codec->ticks(payload, len), e->codec->clock_hz / 1000 * ms);
		made += e->codec->decode(e->decoder, out + made, SAMPLES_MAX - made, payload, len);
	}
	return made;
}

static int16_t in[SAMPLES_MAX], out[SAMPLES_MAX];

static void a_tone_passes_at_every_rate_and_length(void)
{
	static const uint32_t rates[] = {8000, 16000, 48000};
	static const uint8_t lengths[] = {10, 20, 30, 40, 50, 60};

	for (unsigned id = 0; id < CODEC_COUNT; id++)
		for (unsigned r = 0; r < 3; r++)
			for (unsigned l = 0; l < sizeof(lengths); l++) {
				const struct codec *c = codec_of((enum codec_id)id);
				struct ends e;

				if (codec_rate_for(c, rates[r]) != rates[r] ||
				    codec_ptime_ms(c, lengths[l]) != lengths[l])
					continue;
				open_ends(&e, (enum codec_id)id, rates[r]);
				size_t n = rates[r]; /* a second */

				tone(in, n, rates[r], 500);

				size_t got = pass(&e, out, in, n, lengths[l]);
				size_t whole = n / (rates[r] / 1000 * lengths[l]) *
					       (rates[r] / 1000 * lengths[l]);

				check_int(got, whole);
				check(purity(out + got / 2, got / 2 / 320 * 320, rates[r], 500) >
				      (id == CODEC_G729 ? 0.80 : 0.95));
				check(energy(out + got / 2, got / 2) > 0.4 * energy(in, n));
				close_ends(&e);
			}
}

static void ptime_is_what_a_codec_can_send(void)
{
	static const struct {
		enum codec_id id;
		uint16_t wanted, given;
	} row[] = {
		{CODEC_PCMU, 0, 20},  {CODEC_PCMU, 30, 30}, {CODEC_PCMU, 5, 10},
		{CODEC_PCMU, 90, 60}, {CODEC_OPUS, 30, 20}, {CODEC_OPUS, 50, 40},
		{CODEC_OPUS, 60, 60}, {CODEC_OPUS, 10, 10}, {CODEC_L16_16K, 60, 40},
		{CODEC_G729, 25, 20}, {CODEC_G722, 0, 20},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++)
		check_int(codec_ptime_ms(codec_of(row[i].id), row[i].wanted), row[i].given);
}

/* Wideband is wideband: 6 kHz survives where it can, and nowhere else. */
static void wide_codecs_carry_what_narrow_ones_cannot(void)
{
	static const enum codec_id wide[] = {CODEC_G722, CODEC_OPUS, CODEC_L16_16K};

	for (size_t i = 0; i < 3; i++) {
		struct ends e;

		open_ends(&e, wide[i], 16000);
		tone(in, 16000, 16000, 6000);
		pass(&e, out, in, 16000, 20);
		check(energy(out + 8000, 8000) > 0.2 * energy(in, 16000));
		close_ends(&e);
	}
}

static void known_bytes_of_l16_and_g722(void)
{
	const int16_t pcm[2] = {0x1234, -2};
	uint8_t octet[4];
	int16_t back[2] = {0, 0};
	const struct codec *c = codec_of(CODEC_L16);

	check_int(c->encode(NULL, octet, 4, pcm, 2), 4);
	check(memcmp(octet, "\x12\x34\xff\xfe", 4) == 0);
	check_int(c->encode(NULL, octet, 3, pcm, 2), 0);
	check_int(c->decode(NULL, back, 2, octet, 4), 2);
	check_int(back[0], 0x1234);
	check_int(back[1], -2);
	check_int(c->ticks(octet, 3), 0);
	/* G.722: an octet is 125 us, whatever the clock says the rate is. */
	check_int(codec_of(CODEC_G722)->ticks(octet, 160), 160);
	check_int(codec_of(CODEC_G722)->rate_hz, 16000);
	check_int(codec_of(CODEC_G722)->clock_hz, 8000);
}

static void names_find_codecs(void)
{
	check(codec_find("opus", 48000) == codec_of(CODEC_OPUS));
	check(codec_find("OPUS", 48000) == codec_of(CODEC_OPUS));
	check(codec_find("opus", 8000) == NULL);
	check(codec_find("L16", 8000) == codec_of(CODEC_L16));
	check(codec_find("L16", 16000) == codec_of(CODEC_L16_16K));
	check(codec_find("g722", 8000) == codec_of(CODEC_G722));
	check(codec_find("G729", 8000) == codec_of(CODEC_G729));
	check(codec_find("speex", 8000) == NULL);
	check(codec_of(CODEC_COUNT) == NULL);
}

static uint32_t seed = 20261125;

static uint32_t dice(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* Any octets, any length, any room: nothing beyond the room is written, and ticks() and decode()
 * agree on what means nothing. */
static void hostile_payloads_stay_inside(void)
{
	for (unsigned id = 0; id < CODEC_COUNT; id++) {
		struct ends e;

		open_ends(&e, (enum codec_id)id, 16000);
		for (unsigned round = 0; round < 400; round++) {
			uint8_t payload[300];
			size_t len = dice(sizeof(payload)), max = dice(2000);

			for (size_t i = 0; i < len; i++)
				payload[i] = (uint8_t)dice(256);
			out[max] = 31313;

			size_t n = e.codec->decode(e.decoder, out, max, payload, len);

			check(n <= max);
			check_int(out[max], 31313);
			check(e.codec->ticks(payload, len) <= e.codec->clock_hz);
			if (len == 0)
				check_int(e.codec->ticks(payload, 0), 0);
			if (e.codec->recover != NULL && len > 0)
				(void)e.codec->recover(e.decoder, out, 320, payload, len);
			check_int(out[max], max < 320 ? out[max] : 31313);
		}
		close_ends(&e);
	}
}

/* A state that served one call must not be heard in the next. G.729 cannot be reset, only washed:
 * what is left there is below anything audible. */
static void a_new_stream_knows_nothing_of_the_old(void)
{
	static int16_t first[8000], second[8000];

	for (unsigned id = 0; id < CODEC_COUNT; id++) {
		struct ends e;
		size_t n = 8000, n2;

		open_ends(&e, (enum codec_id)id, 16000);
		voice(in, n, e.rate_hz, 170);
		n = pass(&e, first, in, n, 20);
		for (unsigned k = 0; k < 25; k++) { /* loud noise, then anew */
			for (size_t i = 0; i < 960; i++)
				out[i] = (int16_t)(dice(60000) - 30000);

			uint8_t payload[CODEC_PAYLOAD_MAX];
			size_t step = e.rate_hz / 50;
			size_t len =
				e.codec->encode(e.encoder, payload, sizeof(payload), out, step);

			e.codec->decode(e.decoder, out, SAMPLES_MAX, payload, len);
		}
		if (e.codec->decoder_init != NULL) {
			e.codec->decoder_init(e.decoder, e.rate_hz);
			e.codec->encoder_init(e.encoder, e.rate_hz);
		}
		n2 = pass(&e, second, in, 8000, 20);
		check_int(n2, n);
		if (id != CODEC_G729)
			check(memcmp(first, second, n * sizeof(*first)) == 0);
		check(energy(second, 80) < 1.2 * energy(in, 80) + 2000);
		close_ends(&e);
	}
}

/* A lost packet in a steady voice: what is made up has energy, and then fades. */
static void lost_packets_are_concealed(void)
{
	for (unsigned id = 0; id < CODEC_COUNT; id++) {
		struct ends e;

		open_ends(&e, (enum codec_id)id, 16000);
		if (e.codec->conceal != NULL) {
			voice(in, 8000, e.rate_hz, 170);

			size_t n = pass(&e, out, in, 8000, 20), step = e.rate_hz / 50;
			double before = energy(out + n - step, step);

			out[step] = 4711;
			e.codec->conceal(e.decoder, out, step);
			check(energy(out, step) > 0.1 * before);
			check_int(out[step], 4711);
			for (unsigned k = 0; k < 25; k++)
				e.codec->conceal(e.decoder, out,
						 step - 3); /* any number of samples */
			check(energy(out, step - 3) < 0.05 * before);
			check_int(out[step], 4711);
		}
		close_ends(&e);
	}
}

static void opus_recovers_from_the_next_packet(void)
{
	struct ends e;
	uint8_t p[64][CODEC_PAYLOAD_MAX];
	size_t len[64], step = 320;
	const struct codec_tune fec = {
		.complexity = 5, .loss_percent = 20, .fec = true, .bits_per_s = 24000};
	double recovered = 0, concealed = 0;
	unsigned had = 0;

	open_ends(&e, CODEC_OPUS, 16000);
	e.codec->encoder_tune(e.encoder, &fec);
	for (size_t i = 0; i < 64 * step;
	     i++) { /* a pitch that glides: past it, repetition is wrong */
		double t = (double)i / 16000;

		in[i] = (int16_t)(6000 * sin(2 * PI * (150 * t + 150 * t * t)) +
				  3000 * sin(2 * PI * (450 * t + 450 * t * t)));
	}
	for (unsigned k = 0; k < 64; k++) {
		len[k] = e.codec->encode(e.encoder, p[k], CODEC_PAYLOAD_MAX, in + k * step, step);
		check(len[k] > 0);
	}
	for (unsigned way = 0; way < 2; way++) {
		e.codec->decoder_init(e.decoder, 16000);

		static int16_t clean[64 * 320], lossy[64 * 320];

		for (unsigned k = 0; k < 64; k++)
			e.codec->decode(e.decoder, clean + k * step, step, p[k], len[k]);
		e.codec->decoder_init(e.decoder, 16000);
		for (unsigned k = 0; k < 64; k++) {
			int16_t *at = lossy + k * step;

			if (k % 5 != 4 || k == 63) {
				e.codec->decode(e.decoder, at, step, p[k], len[k]);
				continue;
			}
			if (way == 0 && e.codec->recover(e.decoder, at, step, p[k + 1], len[k + 1]))
				had++;
			else
				e.codec->conceal(e.decoder, at, step);
			for (size_t i = 0; i < step; i++) {
				double d = at[i] - clean[k * step + i];

				*(way == 0 ? &recovered : &concealed) += d * d;
			}
		}
	}
	check(had >= 8);
	check(recovered < 0.5 * concealed);
	/* Without FEC there is nothing to recover from. */
	e.codec->encoder_init(e.encoder, 16000);
	for (unsigned k = 0; k < 20; k++) {
		len[k] = e.codec->encode(e.encoder, p[k], CODEC_PAYLOAD_MAX, in + k * step, step);
		check(!e.codec->recover(e.decoder, out, step, p[k], len[k]));
	}
	close_ends(&e);
}

/* With DTX silence is (nearly) not sent, and the pause sounds like the background, not like loss. */
static void dtx_leaves_silence_out(void)
{
	static const enum codec_id able[] = {CODEC_OPUS, CODEC_G729};
	const struct codec_tune tune = {.complexity = 5, .dtx = true};

	for (unsigned i = 0; i < 2; i++) {
		struct ends e;
		unsigned sent = 0;
		uint8_t payload[CODEC_PAYLOAD_MAX];

		open_ends(&e, able[i], 16000);
		e.codec->encoder_tune(e.encoder, &tune);
		memset(in, 0, sizeof(in));
		for (unsigned k = 0; k < 100; k++)
			sent += e.codec->encode(e.encoder, payload, sizeof(payload), in,
						e.rate_hz / 50) > 0;
		check(sent < 40);
		voice(in, 16000, e.rate_hz, 170);
		check(pass(&e, out, in, e.rate_hz / 50 * 4, 20) > 0); /* and voice is sent again */
		close_ends(&e);
	}
}

static void g729_says_how_long_a_payload_is(void)
{
	static const struct {
		size_t len;
		uint32_t ticks;
	} row[] = {{0, 0}, {10, 80}, {20, 160}, {2, 80}, {12, 160}, {22, 240}, {11, 0}, {5, 0}};
	static const uint8_t payload[32];

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++)
		check_int(codec_of(CODEC_G729)->ticks(payload, row[i].len), row[i].ticks);
}

/* What prompts are made of: every payload of 20 ms as long, and what is decoded is the sound. */
static void fixed_payloads_are_found_by_multiplication(void)
{
	for (unsigned id = 0; id < CODEC_COUNT; id++) {
		static uint8_t coded[64 * 1024];
		struct ends e;
		size_t octets, payloads, got = 0;

		open_ends(&e, (enum codec_id)id, 16000);
		octets = codec_fixed_octets(e.codec);

		size_t n = e.rate_hz / 2 + 7; /* half a second and a little */

		tone(in, n, e.rate_hz, 500);
		payloads = codec_encode_fixed(e.codec, e.encoder, coded, sizeof(coded), in, n,
					      e.rate_hz);
		check_int(payloads, 26);
		for (size_t k = 0; k < payloads; k++) {
			check_int(e.codec->ticks(coded + k * octets, octets),
				  e.codec->clock_hz / 50);
			got += e.codec->decode(e.decoder, out + got, SAMPLES_MAX - got,
					       coded + k * octets, octets);
		}
		check_int(got, 26 * (e.rate_hz / 50));
		check(purity(out + got / 2, e.rate_hz / 5, e.rate_hz, 500) > 0.8);
		check_int(codec_encode_fixed(e.codec, e.encoder, coded, octets * 3 + 1, in, n,
					     e.rate_hz),
			  3);
		close_ends(&e);
	}
}

static void ticks_of_time(void)
{
	check_int(codec_ticks_of_ns(8000, 20000000), 160);
	check_int(codec_ticks_of_ns(48000, 20000000), 960);
	check_int(codec_ticks_of_ns(16000, 60000000000ull), 960000);
	check_int(codec_ticks_of_ns(48000, 3600000000000ull), 172800000);
}

static const struct check_case cases[] = {
	CHECK_CASE(a_tone_passes_at_every_rate_and_length),
	CHECK_CASE(ptime_is_what_a_codec_can_send),
	CHECK_CASE(wide_codecs_carry_what_narrow_ones_cannot),
	CHECK_CASE(known_bytes_of_l16_and_g722),
	CHECK_CASE(names_find_codecs),
	CHECK_CASE(hostile_payloads_stay_inside),
	CHECK_CASE(a_new_stream_knows_nothing_of_the_old),
	CHECK_CASE(lost_packets_are_concealed),
	CHECK_CASE(opus_recovers_from_the_next_packet),
	CHECK_CASE(dtx_leaves_silence_out),
	CHECK_CASE(g729_says_how_long_a_payload_is),
	CHECK_CASE(fixed_payloads_are_found_by_multiplication),
	CHECK_CASE(ticks_of_time),
};
CHECK_MAIN(cases)
