/* SPDX-License-Identifier: Apache-2.0 */
#include "gen_reel.h"

#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FRAME_MS = 20, BITS_PER_S = 32000, ROOM = 1500 };

/* Sound at a rate by taking the nearest sample before it: good enough to be work for a codec. */
struct sound {
	short *pcm;
	size_t n;
	int rate_hz;
};

static bool sound_read(struct sound *s, const char *path)
{
	SF_INFO info = {0};
	SNDFILE *f = sf_open(path, SFM_READ, &info);
	short *all = NULL;
	sf_count_t n = 0;

	*s = (struct sound){.rate_hz = info.samplerate};
	if (f != NULL && info.channels > 0 && info.frames > 0)
		all = calloc((size_t)info.frames * (size_t)info.channels, sizeof(*all));
	if (all != NULL)
		n = sf_readf_short(f, all, info.frames);
	if (f != NULL)
		sf_close(f);
	for (sf_count_t i = 0; i < n; i++)
		all[i] = all[i * info.channels];
	s->pcm = all;
	s->n = (size_t)n;
	return n > 0;
}

static void frame_take(const struct sound *s, uint32_t frame, int16_t *pcm, uint32_t rate_hz)
{
	uint32_t n = rate_hz / 1000 * FRAME_MS;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t at = ((uint64_t)frame * n + i) * (uint64_t)s->rate_hz / rate_hz;

		pcm[i] = s->pcm[at % s->n];
	}
}

static const struct codec *by_name(const char *name)
{
	for (unsigned i = 0; i < CODEC_COUNT; i++)
		if (strcasecmp(codec_of((enum codec_id)i)->name, name) == 0)
			return codec_of((enum codec_id)i);
	return NULL;
}

static bool encode(struct gen_reel *r, void *state, const struct sound *s, uint32_t rate_hz)
{
	int16_t pcm[CODEC_RATE_MAX_HZ / 1000 * FRAME_MS];
	uint8_t payload[ROOM];

	for (r->frames = 0; r->frames < GEN_REEL_FRAMES; r->frames++) {
		size_t len;

		frame_take(s, r->frames, pcm, rate_hz);
		len = r->codec->encode(state, payload, sizeof(payload), pcm,
				       rate_hz / 1000 * FRAME_MS);
		if (len == 0 || len > GEN_REEL_OCTETS)
			return false;
		memcpy(r->octets[r->frames], payload, len);
		r->len[r->frames] = (uint8_t)len;
	}
	return true;
}

bool gen_reel_make(struct gen_reel *r, const char *codec, const char *sound)
{
	struct sound s = {0};
	uint32_t rate_hz;
	void *state = NULL;
	bool good;

	memset(r, 0, sizeof(*r));
	r->codec = by_name(codec);
	if (r->codec == NULL || r->codec->encode == NULL || r->codec->channels != 1) {
		fprintf(stderr, "bench_gen: no codec \"%s\"\n", codec);
		return false;
	}
	if (!sound_read(&s, sound)) {
		fprintf(stderr, "bench_gen: %s: no sound in it\n", sound);
		free(s.pcm);
		return false;
	}
	rate_hz = codec_rate_for(r->codec, 16000);
	r->ticks = r->codec->clock_hz / 1000 * FRAME_MS;
	if (codec_encoder_bytes(r->codec) > 0 &&
	    posix_memalign(&state, 64, (codec_encoder_bytes(r->codec) + 63) & ~(size_t)63) == 0)
		memset(state, 0, codec_encoder_bytes(r->codec));
	good = codec_encoder_bytes(r->codec) == 0 || state != NULL;
	if (good && r->codec->encoder_make != NULL)
		good = r->codec->encoder_make(state) == 0;
	if (good && r->codec->encoder_init != NULL)
		r->codec->encoder_init(state, rate_hz);
	if (good && r->codec->encoder_tune != NULL)
		r->codec->encoder_tune(
			state, &(struct codec_tune){.complexity = 5, .bits_per_s = BITS_PER_S});
	good = good && encode(r, state, &s, rate_hz);
	if (!good)
		fprintf(stderr, "bench_gen: %s: cannot be said in %s\n", sound, codec);
	if (state != NULL && r->codec->encoder_free != NULL)
		r->codec->encoder_free(state);
	free(state);
	free(s.pcm);
	return good;
}
