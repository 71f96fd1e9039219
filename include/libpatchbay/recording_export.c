/* SPDX-License-Identifier: Apache-2.0
 *
 * Export: frames in arrival order -> aligned per channel (recording_align.h) -> decoded in media
 * order -> two queues of samples -> interleaved into the file.
 *
 *   recording_next ─► lane 0: align ─► decode ─► queue ─┐
 *                 └─► lane 1: align ─► decode ─► queue ─┴─► pairs ─► sound
 *
 * A lane with nothing to say would hold the other one back; so, as the recording's time goes on,
 * each lane is passed over (align_pass) up to a moment before which nothing can come any more,
 * and the silence is written. Queues are therefore a few seconds long whatever the recording's
 * length.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "base/units.h"
#include "codec/codec.h"
#include "dsp/resample.h"
#include "libpatchbay/recording_align.h"
#include "libpatchbay/recording_mix.h"
#include "libpatchbay/recording_sound.h"
#include "libpatchbay/recording_store.h"

enum {
	RATE_DEFAULT_HZ = 8000,
	FRAME_SAMPLES_MAX = 5760, /* 120 ms at 48 kHz, the longest Opus packet */
	LATE_MS = 1000,           /* jitter beyond the hold time that is still placed */
	CHUNK = 4096,             /* samples written at once */
	PROGRESS_MS = 1000,
	GAP_MAX_S = 24 * 3600, /* a longer jump of the clock is damage, not silence */
};

struct queue {
	int16_t *pcm;
	size_t first, n, max; /* a ring */
};

struct payload {
	uint8_t codec;
	uint16_t len;
	uint8_t bytes[];
};

struct lane {
	struct align align;
	struct queue queue;
	int64_t end;               /* samples that went into the queue since the start */
	const struct codec *codec; /* of `state` */
	void *state;
	struct resample resample; /* from the codec's rate to the file's */
};

struct exporter {
	struct recording *r;
	const struct recording_export *how;
	struct recording_exported out;
	uint32_t rate_hz;
	struct sound *sound;  /* or, of a recording_mix: */
	recording_mix_fn *fn; /* where samples go */
	void *fn_ctx;
	struct lane *lane; /* RECORDING_CHANNELS */
	uint64_t now_ns;
	uint64_t skipped_ns; /* taken out of the time line: impossible gaps */
	uint64_t told_ns;
	int16_t decoded[FRAME_SAMPLES_MAX], resampled[FRAME_SAMPLES_MAX * 6];
	int16_t placed[FRAME_SAMPLES_MAX * 6 + 2];
	int16_t pairs[CHUNK * 2];
};

/* --- queues and the file --- */

static size_t queue_room(const struct queue *q)
{
	return q->max - q->n;
}

static void queue_put(struct queue *q, const int16_t *pcm, size_t n)
{
	for (size_t i = 0; i < n; i++)
		q->pcm[(q->first + q->n + i) % q->max] = pcm != NULL ? pcm[i] : 0;
	q->n += n;
}

static int drain(struct exporter *x)
{
	struct queue *a = &x->lane[0].queue, *b = &x->lane[1].queue;
	int err = 0;

	while (err == 0 && a->n > 0 && b->n > 0) {
		size_t n = a->n < b->n ? a->n : b->n;

		n = n < CHUNK ? n : CHUNK;
		for (size_t i = 0; i < n; i++) {
			x->pairs[2 * i] = a->pcm[(a->first + i) % a->max];
			x->pairs[2 * i + 1] = b->pcm[(b->first + i) % b->max];
		}
		a->first = (a->first + n) % a->max;
		b->first = (b->first + n) % b->max;
		a->n -= n;
		b->n -= n;
		err = x->fn != NULL ? x->fn(x->fn_ctx, x->pairs, n)
				    : sound_write(x->sound, x->pairs, n);
		if (err == 0 && x->how != NULL && x->how->pcm != NULL)
			err = x->how->pcm(x->how->ctx, x->pairs, n);
	}
	return err;
}

static int pass_lane(struct exporter *x, int ch, int64_t to);

/* Samples (NULL: silence) at the end of a lane. A full queue means that the other lane has
 * fallen behind by seconds: it is passed over. */
static int append(struct exporter *x, int ch, const int16_t *pcm, uint64_t n)
{
	struct lane *l = &x->lane[ch];
	int err = 0;

	while (n > 0 && err == 0) {
		size_t room = queue_room(&l->queue);
		size_t k = n < room ? (size_t)n : room;

		queue_put(&l->queue, pcm, k);
		l->end += (int64_t)k;
		if (pcm != NULL)
			pcm += k;
		else
			x->out.channel[ch].silence_ms += k; /* samples until finish() */
		n -= k;
		err = drain(x);
		if (err == 0 && n > 0 && queue_room(&l->queue) == 0)
			err = pass_lane(x, 1 - ch, l->end);
	}
	return err;
}

static int pass_lane(struct exporter *x, int ch, int64_t to)
{
	struct lane *l = &x->lane[ch];

	align_pass(&l->align, to);
	return to > l->end ? append(x, ch, NULL, (uint64_t)(to - l->end)) : 0;
}

/* --- frames --- */

static const struct codec *codec_for(uint8_t number)
{
	switch ((enum recording_codec)number) {
	case RECORDING_CODEC_PCMU:
		return codec_find("PCMU", 8000);
	case RECORDING_CODEC_PCMA:
		return codec_find("PCMA", 8000);
	case RECORDING_CODEC_G722:
		return codec_find("G722", 8000);
	case RECORDING_CODEC_OPUS:
		return codec_find("opus", 48000);
	case RECORDING_CODEC_G729:
		return codec_find("G729", 8000);
	case RECORDING_CODEC_L16:
		return codec_find("L16", 8000);
	case RECORDING_CODEC_L16_16K:
		return codec_find("L16", 16000);
	case RECORDING_CODEC_NONE:
		break;
	}
	return NULL;
}

static void drop_codec(struct lane *l)
{
	if (l->state != NULL && l->codec->decoder_free != NULL)
		l->codec->decoder_free(l->state);
	free(l->state);
	l->state = NULL;
	l->codec = NULL;
}

/* A codec that can is asked for the file's rate; the sound of others is resampled. */
static int use_codec(struct lane *l, const struct codec *c, uint32_t rate_hz)
{
	size_t bytes = codec_decoder_bytes(c);

	if (l->codec == c)
		return 0;
	drop_codec(l);
	if (bytes != 0) {
		l->state = aligned_alloc(64, (size_t)recording_pad(bytes, 64));
		if (l->state == NULL)
			return -ENOMEM;
		memset(l->state, 0, bytes);
		if (c->decoder_make != NULL && c->decoder_make(l->state) != 0) {
			free(l->state);
			l->state = NULL;
			return -ENOMEM;
		}
		c->decoder_init(l->state, codec_rate_for(c, rate_hz));
	}
	l->codec = c;
	must(resample_init(&l->resample, codec_rate_for(c, rate_hz), rate_hz));
	return 0;
}

/* Make `m` samples of `n`, by straight lines; the ends stay where they are. */
static void stretch(int16_t *dst, size_t m, const int16_t *src, size_t n)
{
	if (m == n) {
		memcpy(dst, src, n * sizeof(*src));
		return;
	}
	for (size_t i = 0; i < m; i++) {
		size_t num = n > 1 && m > 1 ? i * (n - 1) : 0;
		size_t den = m > 1 ? m - 1 : 1;
		size_t k = num / den, rest = num % den;
		int32_t from = src[k], to = src[k + 1 < n ? k + 1 : k];

		dst[i] = (int16_t)(from + (to - from) * (int64_t)rest / (int64_t)den);
	}
}

/* Stereo codecs carry one party here: both of its channels in one. */
static void fold(int16_t *pcm, size_t n, uint8_t channels)
{
	for (size_t i = 0; channels == 2 && i < n; i++)
		pcm[i] = (int16_t)((pcm[2 * i] + pcm[2 * i + 1]) / 2);
}

static int put_frame(struct exporter *x, int ch, const struct align_frame *f,
		     const struct align_place *p)
{
	struct lane *l = &x->lane[ch];
	struct payload *pay = f->handle;
	const struct codec *c = codec_for(pay->codec);
	size_t want = (size_t)p->length + p->skip;
	size_t n = 0;
	int err = 0;

	if (c != NULL)
		err = use_codec(l, c, x->rate_hz);
	if (c != NULL && err == 0)
		n = c->decode(l->state, x->decoded, FRAME_SAMPLES_MAX / c->channels, pay->bytes,
			      pay->len);
	free(pay);
	if (err != 0)
		return err;
	if (n == 0 || want > sizeof(x->placed) / sizeof(x->placed[0])) {
		x->out.channel[ch].unknown++;
		return 0; /* silence takes its place when the next one is put */
	}
	if (p->length == 0) {
		x->out.channel[ch].late++;
		return 0;
	}
	fold(x->decoded, n, c->channels);
	n -= n % l->resample.down;
	resample_run(&l->resample, x->resampled, x->decoded, n);
	stretch(x->placed, want, x->resampled, resample_len(&l->resample, n));
	x->out.channel[ch].restarts += p->restart && x->out.channel[ch].frames != 0;
	x->out.channel[ch].frames++;
	x->out.channel[ch].slipped += p->slip;
	if (p->at > l->end)
		err = append(x, ch, NULL, (uint64_t)(p->at - l->end));
	/* the queue may have been passed over meanwhile; only forward */
	if (err == 0)
		err = append(x, ch, x->placed + p->skip, p->length);
	return err;
}

static int64_t samples_at(const struct exporter *x, uint64_t ns)
{
	return (int64_t)(ns / PB_NS_PER_S * x->rate_hz +
			 ns % PB_NS_PER_S * x->rate_hz / PB_NS_PER_S);
}

/* Put all that is ripe at `now_ns`, and pass over lanes that have nothing. */
static int advance(struct exporter *x, uint64_t now_ns)
{
	uint64_t final_ns = (uint64_t)(ALIGN_HOLD_MS + LATE_MS) * PB_NS_PER_MS;
	struct align_frame f;
	struct align_place p;
	int err = 0;

	for (int ch = 0; ch < RECORDING_CHANNELS && err == 0; ch++) {
		while (err == 0 && align_get(&x->lane[ch].align, now_ns, &f, &p))
			err = put_frame(x, ch, &f, &p);
		if (err == 0 && now_ns != UINT64_MAX && now_ns > final_ns)
			err = pass_lane(x, ch, samples_at(x, now_ns - final_ns));
	}
	return err;
}

static int take_frame(struct exporter *x, const struct recording_frame *f)
{
	const struct codec *c = codec_for(f->codec);
	struct lane *l = &x->lane[f->channel];
	uint32_t ticks = c != NULL ? c->ticks(f->payload, f->len) : 0;
	struct payload *pay;
	int err = 0;

	if (ticks == 0 || ticks > c->clock_hz) {
		x->out.channel[f->channel].unknown++;
		return 0;
	}
	pay = malloc(sizeof(*pay) + f->len);
	if (pay == NULL)
		return -ENOMEM;
	pay->codec = f->codec;
	pay->len = f->len;
	memcpy(pay->bytes, f->payload, f->len);
	if (align_full(&l->align))
		err = advance(x, x->now_ns);

	struct align_frame a = {
		.arrival_ns = x->now_ns,
		.timestamp = f->timestamp,
		.clock_hz = c->clock_hz,
		.ticks = ticks,
		.handle = pay,
	};

	if (err != 0 || !align_put(&l->align, &a))
		free(pay); /* a duplicate */
	return err;
}

/* The recording's time, with impossible gaps taken out. */
static void see_time(struct exporter *x, uint64_t time_ns)
{
	uint64_t t = time_ns > x->skipped_ns ? time_ns - x->skipped_ns : 0;

	if (t > x->now_ns + GAP_MAX_S * PB_NS_PER_S) {
		x->skipped_ns += t - x->now_ns - PB_NS_PER_S;
		t = x->now_ns + PB_NS_PER_S;
	}
	if (t > x->now_ns)
		x->now_ns = t;
}

static int tell(struct exporter *x)
{
	if (x->how->progress == NULL || x->now_ns < x->told_ns + PROGRESS_MS * PB_NS_PER_MS)
		return 0;
	x->told_ns = x->now_ns;
	return x->how->progress(x->how->ctx, x->now_ns, recording_info(x->r)->duration_ns) != 0
		       ? -ECANCELED
		       : 0;
}

/* One frame of the recording. Returns 1, 0 at its end, or negative errno. */
static int step(struct exporter *x)
{
	struct recording_frame f;
	int err = 0, got = recording_next(x->r, &f);

	if (got <= 0)
		return got;
	see_time(x, f.time_ns);
	if (f.kind == RECORDING_FRAME_AUDIO && !(f.masked && f.len == 0))
		err = take_frame(x, &f);
	if (err == 0)
		err = advance(x, x->now_ns);
	return err != 0 ? err : 1;
}

/* All that is held; both to the same end, the later of the recording's and their own. */
static int finish(struct exporter *x)
{
	int err = advance(x, UINT64_MAX);
	int64_t end = samples_at(x, x->now_ns);

	for (int ch = 0; ch < RECORDING_CHANNELS; ch++)
		end = x->lane[ch].end > end ? x->lane[ch].end : end;
	for (int ch = 0; ch < RECORDING_CHANNELS && err == 0; ch++)
		err = pass_lane(x, ch, end);
	x->out.duration_ms = (uint64_t)end * 1000 / x->rate_hz;
	return err;
}

static int run(struct exporter *x)
{
	int got;

	recording_seek(x->r, 0);
	do {
		got = step(x);
		if (got == 1) {
			int err = tell(x);

			got = err != 0 ? err : 1;
		}
	} while (got == 1);
	if (got == 0)
		got = finish(x);
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++)
		x->out.channel[ch].silence_ms = x->out.channel[ch].silence_ms * 1000 / x->rate_hz;
	return got;
}

static int lanes_open(struct exporter *x)
{
	x->lane = calloc(RECORDING_CHANNELS, sizeof(*x->lane));
	if (x->lane == NULL)
		return -ENOMEM;
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++) {
		struct queue *q = &x->lane[ch].queue;

		align_init(&x->lane[ch].align, x->rate_hz);
		q->max = (size_t)x->rate_hz * (2 * (ALIGN_HOLD_MS + LATE_MS) / 1000);
		q->pcm = calloc(q->max, sizeof(*q->pcm));
		if (q->pcm == NULL)
			return -ENOMEM;
	}
	return 0;
}

static void lanes_close(struct exporter *x)
{
	for (int ch = 0; x->lane != NULL && ch < RECORDING_CHANNELS; ch++) {
		struct align_frame f;
		struct align_place p;

		while (align_get(&x->lane[ch].align, UINT64_MAX, &f, &p))
			free(f.handle);
		free(x->lane[ch].queue.pcm);
		drop_codec(&x->lane[ch]);
	}
	free(x->lane);
}

/* Run into the sound that was opened, and close it. */
static int run_and_close(struct exporter *x)
{
	int err = run(x), closed = sound_close(x->sound);

	return err != 0 ? err : closed;
}

static int to_fd(struct exporter *x)
{
	int err = sound_open_fd(&x->sound, x->how->fd, x->how->format, x->rate_hz,
				recording_info(x->r));

	return err != 0 ? err : run_and_close(x);
}

static int to_path(struct exporter *x)
{
	char part[4096];
	int err;

	if ((size_t)snprintf(part, sizeof(part), "%s.part", x->how->path) >= sizeof(part))
		return -ENAMETOOLONG;
	err = sound_open(&x->sound, part, x->how->format, x->rate_hz, recording_info(x->r));
	if (err != 0)
		return err;
	err = run_and_close(x);
	if (err == 0 && rename(part, x->how->path) != 0)
		err = -errno;
	if (err != 0)
		unlink(part);
	return err;
}

int recording_export(struct recording *r, const struct recording_export *how,
		     struct recording_exported *out)
{
	struct exporter *x;
	int err;

	if (how->rate_hz != 0 && how->rate_hz != 8000 && how->rate_hz != 16000 &&
	    how->rate_hz != 48000)
		return -EINVAL;
	x = calloc(1, sizeof(*x));
	if (x == NULL)
		return -ENOMEM;
	x->r = r;
	x->how = how;
	x->rate_hz = how->rate_hz != 0 ? how->rate_hz : RATE_DEFAULT_HZ;
	err = lanes_open(x);
	if (err == 0)
		err = how->path != NULL ? to_path(x) : to_fd(x);
	if (err == 0 && out != NULL)
		*out = x->out;
	lanes_close(x);
	free(x);
	return err;
}

/* --- recording_mix.h --- */

struct recording_mix {
	struct exporter x;
};

void recording_mix_close(struct recording_mix *m)
{
	lanes_close(&m->x);
	free(m);
}

int recording_mix_open(struct recording_mix **out, struct recording *r, uint32_t rate_hz,
		       uint64_t from, recording_mix_fn *fn, void *ctx)
{
	struct recording_mix *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return -ENOMEM;
	m->x.r = r;
	m->x.rate_hz = rate_hz;
	m->x.fn = fn;
	m->x.fn_ctx = ctx;
	if (lanes_open(&m->x) != 0) {
		recording_mix_close(m);
		return -ENOMEM;
	}
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++) {
		align_pass(&m->x.lane[ch].align, (int64_t)from);
		m->x.lane[ch].end = (int64_t)from;
	}
	m->x.now_ns = from / rate_hz * PB_NS_PER_S + from % rate_hz * PB_NS_PER_S / rate_hz;
	recording_seek(r, m->x.now_ns);
	*out = m;
	return 0;
}

int recording_mix_step(struct recording_mix *m)
{
	return step(&m->x);
}

int recording_mix_finish(struct recording_mix *m)
{
	return finish(&m->x);
}
