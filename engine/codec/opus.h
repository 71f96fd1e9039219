/* Opus for speech: 8, 16 or 48 kHz on our side, 48,000 ticks a second on the line, whatever is sent.
 *
 * Stereo payloads are decoded to one channel (libopus mixes them down); what we send is mono, which every
 * receiver must take (RFC 7587, 6.1). A payload may hold up to 120 ms; we send 10, 20, 40 or 60 ms.
 *
 * Thread: any; a state belongs to one owner. libopus in the caller's memory.
 * Source: RFC 6716 (3.1: the table of contents octet), RFC 7587.
 */
#ifndef CODEC_OPUS_H
#define CODEC_OPUS_H

struct codec;
extern const struct codec opus_codec;

#endif
