/* SPDX-License-Identifier: Apache-2.0
 *
 * Every code and every 16-bit sample, against spandsp and against the recommendation's own words.
 */
#include "codec/g711.h"

#include <spandsp.h>

#include "check.h"
#include "codec/codec.h"

static void every_code_decodes_as_spandsp_does(void)
{
	for (unsigned c = 0; c < 256; c++) {
		check_int(g711_ulaw_linear[c], ulaw_to_linear((uint8_t)c));
		check_int(g711_alaw_linear[c], alaw_to_linear((uint8_t)c));
	}
}

static void every_sample_encodes_as_spandsp_does(void)
{
	for (int s = -32768; s <= 32767; s++) {
		check_int(g711_ulaw_encode((int16_t)s), linear_to_ulaw(s));
		check_int(g711_alaw_encode((int16_t)s), linear_to_alaw(s));
	}
}

static void every_code_crosses_as_spandsp_does(void)
{
	for (unsigned c = 0; c < 256; c++) {
		check_int(g711_ulaw_alaw[c], ulaw_to_alaw((uint8_t)c));
		check_int(g711_alaw_ulaw[c], alaw_to_ulaw((uint8_t)c));
	}
}

/* Tables 1 and 2 of the recommendation: decoder output values in 14 and 13 bits. */
static void landmarks_of_the_recommendation(void)
{
	check_int(g711_ulaw_linear[0x80] / 4, 8031);
	check_int(g711_ulaw_linear[0x8f] / 4, 4191);
	check_int(g711_ulaw_linear[0xff], 0);
	check_int(g711_ulaw_linear[0x7f], 0);
	check_int(g711_ulaw_linear[0x00] / 4, -8031);
	check_int(g711_alaw_linear[0xaa] / 8, 4032);
	check_int(g711_alaw_linear[0xd5] / 8, 1);
	check_int(g711_alaw_linear[0x55] / 8, -1);
	check_int(g711_alaw_linear[0x2a] / 8, -4032);
}

static void a_code_survives_decoding_and_encoding(void)
{
	for (unsigned c = 0; c < 256; c++) {
		unsigned u = g711_ulaw_encode(g711_ulaw_linear[c]);

		check(u == c || (c == 0x7f && u == 0xff)); /* minus zero becomes plus zero */
		check_int(g711_alaw_encode(g711_alaw_linear[c]), c);
	}
}

static void the_error_is_never_more_than_half_a_step(void)
{
	for (int s = -32768; s <= 32767; s++) {
		int size = s < 0 ? -s : s;
		int u = g711_ulaw_linear[g711_ulaw_encode((int16_t)s)] - s;
		int a = g711_alaw_linear[g711_alaw_encode((int16_t)s)] - s;
		int step = size < 256 ? 16 : size / 16;

		if (size > 32124)
			continue; /* above the largest value they are clipped */
		check((u < 0 ? -u : u) <= step);
		check((a < 0 ? -a : a) <= step);
	}
}

static void the_codecs_stay_inside_their_buffers(void)
{
	for (unsigned id = 0; id < CODEC_G711_COUNT; id++) {
		const struct codec *c = codec_of((enum codec_id)id);
		uint8_t in[200], out[200];
		int16_t pcm[201];

		check(c != NULL && c->id == (enum codec_id)id);
		for (unsigned i = 0; i < sizeof(in); i++)
			in[i] = (uint8_t)(i * 7 + 3);
		pcm[160] = 12345;
		check_int(c->decode(NULL, pcm, 160, in, 200), 160);
		check_int(pcm[160], 12345);
		check_int(c->decode(NULL, pcm, 160, in, 0), 0);
		check_int(c->encode(NULL, out, 159, pcm, 160), 0);
		check_int(c->encode(NULL, out, 160, pcm, 160), 160);
		check_int(c->ticks(in, 160), 160);
		for (unsigned i = 0; i < 160; i++)
			check(out[i] == in[i] || (id == CODEC_PCMU && in[i] == 0x7f));
		int16_t quiet;

		check_int(c->decode(NULL, &quiet, 1, &c->quiet, 1), 1);
		check(quiet >= 0 && quiet <= 8);
	}
	check(codec_of(CODEC_COUNT) == NULL);
}

/* Every kernel that this CPU runs, over all codes and all samples, from every alignment and with every
 * length of the rest. */
static void kernels_agree(void)
{
	const struct g711_kernel *kernel[] = {&g711_kernel_plain, g711_kernel_avx2(),
					      g711_kernel_avx512()};
	static int16_t pcm[65536 + 64], back[256 + 64];
	static uint8_t code[65536 + 64], octet[256 + 64];

	for (unsigned i = 0; i < 65536 + 64; i++)
		pcm[i] = (int16_t)(i - 32768);
	for (unsigned i = 0; i < sizeof(octet); i++)
		octet[i] = (uint8_t)i;
	for (unsigned k = 0; k < 3; k++) {
		if (kernel[k] == NULL) {
			printf("     (no %s on this CPU)\n", k == 1 ? "AVX2" : "AVX-512");
			continue;
		}
		for (unsigned skip = 0; skip < 37; skip++) {
			kernel[k]->ulaw_encode(code, pcm + skip, 65536 - skip);
			for (unsigned i = 0; i < 65536 - skip; i++)
				check_int(code[i], g711_ulaw_encode(pcm[skip + i]));
			kernel[k]->alaw_encode(code, pcm + skip, 65536 - skip);
			for (unsigned i = 0; i < 65536 - skip; i++)
				check_int(code[i], g711_alaw_encode(pcm[skip + i]));
			back[256] = 77;
			kernel[k]->ulaw_decode(back + skip, octet, 256 - skip);
			for (unsigned i = 0; i < 256 - skip; i++)
				check_int(back[skip + i], g711_ulaw_linear[i]);
			kernel[k]->alaw_decode(back + skip, octet, 256 - skip);
			for (unsigned i = 0; i < 256 - skip; i++)
				check_int(back[skip + i], g711_alaw_linear[i]);
			check_int(back[256], 77);
		}
	}
	check(g711_kernel() != NULL);
}

static void crossing_works_in_place(void)
{
	uint8_t b[256];

	for (unsigned i = 0; i < 256; i++)
		b[i] = (uint8_t)i;
	g711_ulaw_to_alaw(b, b, sizeof(b));
	check(memcmp(b, g711_ulaw_alaw, sizeof(b)) == 0);
	for (unsigned i = 0; i < 256; i++)
		b[i] = (uint8_t)i;
	g711_alaw_to_ulaw(b, b, sizeof(b));
	check(memcmp(b, g711_alaw_ulaw, sizeof(b)) == 0);
}

static void codecs_are_found_by_their_sdp_name(void)
{
	check(codec_find("PCMU", 8000) == codec_of(CODEC_PCMU));
	check(codec_find("pcma", 8000) == codec_of(CODEC_PCMA));
	check(codec_find("PCMA", 16000) == NULL);
	check(codec_find("PCM", 8000) == NULL);
	check(codec_find("PCMUX", 8000) == NULL);
	check(codec_find("", 8000) == NULL);
}

static const struct check_case cases[] = {
	CHECK_CASE(every_code_decodes_as_spandsp_does),
	CHECK_CASE(every_sample_encodes_as_spandsp_does),
	CHECK_CASE(every_code_crosses_as_spandsp_does),
	CHECK_CASE(landmarks_of_the_recommendation),
	CHECK_CASE(a_code_survives_decoding_and_encoding),
	CHECK_CASE(the_error_is_never_more_than_half_a_step),
	CHECK_CASE(the_codecs_stay_inside_their_buffers),
	CHECK_CASE(kernels_agree),
	CHECK_CASE(crossing_works_in_place),
	CHECK_CASE(codecs_are_found_by_their_sdp_name),
};
CHECK_MAIN(cases)
