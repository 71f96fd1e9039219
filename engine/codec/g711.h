/* G.711: one octet per sample; and from one law to the other without linear samples.
 *
 * Thread: any; pure, tables are constant. Source: ITU-T G.711 (11/88), tables 1 to 4. Values are
 * those of the recommendation scaled to 16 bits, equal to spandsp's for every input.
 */
#ifndef CODEC_G711_H
#define CODEC_G711_H

#include <stddef.h>
#include <stdint.h>

extern const int16_t g711_ulaw_linear[256];
extern const int16_t g711_alaw_linear[256];
extern const uint8_t g711_ulaw_alaw[256]; /* table 3: index u-law, value A-law */
extern const uint8_t g711_alaw_ulaw[256]; /* table 4 */

uint8_t g711_ulaw_encode(int16_t sample);
uint8_t g711_alaw_encode(int16_t sample);

/* The four loops of one vector unit; in and out do not overlap. */
struct g711_kernel {
	const char *name; /* "plain", "avx2", "avx512" */
	void (*ulaw_decode)(int16_t *out, const uint8_t *in, size_t n);
	void (*alaw_decode)(int16_t *out, const uint8_t *in, size_t n);
	void (*ulaw_encode)(uint8_t *out, const int16_t *in, size_t n);
	void (*alaw_encode)(uint8_t *out, const int16_t *in, size_t n);
};

/* The widest that this CPU runs; never NULL. The single ones, NULL where the CPU has not the unit,
 * are for the test that compares them and for the benchmark. */
const struct g711_kernel *g711_kernel(void);
extern const struct g711_kernel g711_kernel_plain;
const struct g711_kernel *g711_kernel_avx2(void);
const struct g711_kernel *g711_kernel_avx512(void);

/* The two, as codec.h serves them. */
struct codec;
extern const struct codec g711_codec_pcmu;
extern const struct codec g711_codec_pcma;

/* Octet by octet; `out` may be `in`. */
void g711_ulaw_to_alaw(uint8_t *out, const uint8_t *in, size_t n);
void g711_alaw_to_ulaw(uint8_t *out, const uint8_t *in, size_t n);

#endif
