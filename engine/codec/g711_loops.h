/* Inside G.711: one sample each way as arithmetic, and loops over them, for whatever vector unit the
 * including function is compiled for.
 *
 * Encoding wants the place of the magnitude's leading bit and the four bits below it, which is what
 * a float keeps in its exponent and in front of its mantissa:
 *
 *   float     s eeeeeeee mmmm.................     exponent, biased by 127, is the place of the bit
 *   code      S      sss qqqq                      segment 0 is place 7
 *
 * So the code is the float's bits 19 and up, less 134 << 4 - exact, since a float holds 24 bits, and
 * without a branch, a table or a shift by a variable.
 *
 *   u-law   magnitude + 132 is 132 at least: always right
 *   A-law   below 256, in segment 0, steps are as wide as in segment 1: it is segment 1's code of
 *           the magnitude + 256, less one segment
 *
 * Thread: any; pure. Source: ITU-T G.711, tables 1 and 2.
 */
#ifndef CODEC_G711_LOOPS_H
#define CODEC_G711_LOOPS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define G711_INLINE static inline __attribute__((always_inline))

enum {
	ULAW_BIAS = 0x84,
	ULAW_CLIP = 0x7fff, /* of magnitude with bias */
	ALAW_TOGGLE = 0x55, /* even bits inverted on the line */
	PLACE_7 = (127 + 7) << 4,
};

/* All ones for a negative sample. */
G711_INLINE int g711_sign(int sample)
{
	return -(sample < 0);
}

/* Segment and step of a magnitude of at least 128. */
G711_INLINE int g711_code(int v)
{
	float f = (float)v;
	int32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return (bits >> 19) - PLACE_7;
}

G711_INLINE uint8_t g711_ulaw_of(int sample)
{
	int sign = g711_sign(sample);
	int v = (sample ^ sign) - sign + ULAW_BIAS;

	v = v < ULAW_CLIP ? v : ULAW_CLIP;
	return (uint8_t) ~(g711_code(v) | (sign & 0x80));
}

G711_INLINE uint8_t g711_alaw_of(int sample)
{
	int sign = g711_sign(sample);
	int v = sample ^ sign;
	int fine = -(v < 256); /* all ones in segment 0 */
	int code = g711_code(v + (fine & 256)) - (fine & 16);

	return (uint8_t)((code | (~sign & 0x80)) ^ ALAW_TOGGLE);
}

G711_INLINE int16_t g711_of_ulaw(int octet)
{
	int u = ~octet;
	int v = ((((u & 0xf) << 3) + ULAW_BIAS) << ((u & 0x70) >> 4)) - ULAW_BIAS;
	int sign = -((u & 0x80) >> 7);

	return (int16_t)((v ^ sign) - sign);
}

G711_INLINE int16_t g711_of_alaw(int octet)
{
	int a = octet ^ ALAW_TOGGLE;
	int segment = (a & 0x70) >> 4;
	int upper = -(segment > 0);
	int v = ((a & 0xf) << 4) + 8 + (upper & 0x100);
	int sign = -(((a & 0x80) >> 7) ^ 1);

	v <<= segment + upper;
	return (int16_t)((v ^ sign) - sign);
}

G711_INLINE void g711_loop_ulaw_encode(uint8_t *restrict out, const int16_t *restrict in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = g711_ulaw_of(in[i]);
}

G711_INLINE void g711_loop_alaw_encode(uint8_t *restrict out, const int16_t *restrict in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = g711_alaw_of(in[i]);
}

G711_INLINE void g711_loop_ulaw_decode(int16_t *restrict out, const uint8_t *restrict in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = g711_of_ulaw(in[i]);
}

G711_INLINE void g711_loop_alaw_decode(int16_t *restrict out, const uint8_t *restrict in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = g711_of_alaw(in[i]);
}

#endif
