/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys that nobody pressed: speech through G.711 and the detector of keys in the sound.
 *
 *	... 16-bit samples, mono, 8 kHz ... | bench_talkoff
 *
 * The result is one JSON object on stdout: hours heard, keys reported, and the keys themselves with the time at
 * which each was, so that the sound can be listened to. It must be speech: every key found is a false one. Exit code 0 when it
 * could listen. bench/harness/talkoff.py makes the speech.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "codec/codec.h"
#include "dsp/dtmf_detect.h"
#include "rtp/dtmf_code.h"

enum { RATE_HZ = 8000, FRAME = 160, NEWS = 4, TOLD_MAX = 20 };

/* What a telephone line does to it. */
static void through_g711(int16_t *pcm, size_t n)
{
	const struct codec *c = codec_of(CODEC_PCMU);
	uint8_t payload[FRAME];
	size_t len = c->encode(NULL, payload, sizeof(payload), pcm, n);

	must(c->decode(NULL, pcm, FRAME, payload, len) == n);
}

int main(int argc, char **argv)
{
	struct dtmf_detect *d;
	int16_t pcm[FRAME];
	unsigned long long samples = 0;
	unsigned keys = 0;
	size_t n;

	(void)argv;
	if (argc != 1) {
		fprintf(stderr, "usage: bench_talkoff < SAMPLES   (16 bit, mono, 8 kHz)\n");
		return 2;
	}
	d = aligned_alloc(64, (dtmf_detect_bytes() + 63) & ~(size_t)63);
	must(d != NULL);
	dtmf_detect_prepare();
	dtmf_detect_init(d);
	printf("{\"found\": [");
	while ((n = fread(pcm, sizeof(pcm[0]), FRAME, stdin)) == FRAME) {
		struct dtmf_detect_news news[NEWS];
		size_t found;

		through_g711(pcm, n);
		found = dtmf_detect_listen(d, pcm, n, news, NEWS);
		for (size_t i = 0; i < found; i++) {
			if (!news[i].pressed)
				continue;
			if (keys++ < TOLD_MAX)
				printf("%s{\"key\": \"%c\", \"at_s\": %.2f, \"level_dbm0\": %d}",
				       keys > 1 ? ", " : "", dtmf_char_of(news[i].code),
				       (double)news[i].at_sample / RATE_HZ, news[i].level_dbm0);
		}
		samples += n;
	}
	printf("], \"hours\": %.4f, \"keys\": %u}\n", (double)samples / RATE_HZ / 3600, keys);
	free(d);
	return 0;
}
