/* L16: linear 16-bit samples, mono, at 8 or 16 kHz.
 *
 * Thread: any; no state. Source: RFC 3551, 4.5.11.
 */
#ifndef CODEC_L16_H
#define CODEC_L16_H

struct codec;
extern const struct codec l16_codec;
extern const struct codec l16_codec_16k;

#endif
