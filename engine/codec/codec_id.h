/* The codecs, by small numbers: indices of tables and members of packets between threads. Not
 * stored on disk by this number (the recording format names codecs itself). */
#ifndef CODEC_CODEC_ID_H
#define CODEC_CODEC_ID_H

enum codec_id { CODEC_PCMU, CODEC_PCMA, CODEC_COUNT };

#endif
