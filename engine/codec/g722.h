/* G.722 at 64 kbit/s: 16 kHz sound whose RTP clock says 8000 (RFC 3551, 4.5.2).
 *
 * Thread: any; a state belongs to one owner. spandsp's coder in the caller's memory.
 */
#ifndef CODEC_G722_H
#define CODEC_G722_H

struct codec;
extern const struct codec g722_codec;

#endif
