/* G.729 (Annex A's arithmetic, Annex B's silence): 10 octets for 10 ms, 2 for a description of noise.
 *
 * bcg729 allocates its channels itself: decoder_make() and encoder_make() do that once, decoder_init() and
 * encoder_init() then bring a channel back to rest without allocating.
 *
 * Thread: any; a state belongs to one owner. Source: ITU-T G.729, RFC 3551, 4.5.6.
 */
#ifndef CODEC_G729_H
#define CODEC_G729_H

struct codec;
extern const struct codec g729_codec;

#endif
