/* SPDX-License-Identifier: Apache-2.0
 *
 * A recording's sound from any place: a mix (recording_mix.h) begun a lead before the place, whose
 * first samples are thrown away, and what it hands on between two reads.
 *
 *          lead       place
 *     |----thrown----|--held--|
 *   from            at
 *
 * Why the lead: the aligner finds where a frame belongs from the frames of the seconds around it,
 * and codecs have a past. One step of the mix hands on at most some seconds (its queues), so `held`
 * is bounded.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "libpatchbay/recording_mix.h"

struct recording_stream {
	struct recording *r;
	uint32_t rate_hz;
	struct recording_mix *mix;
	uint64_t next; /* sample that the mix hands on next */
	uint64_t at;   /* sample that is read next */
	bool over;     /* the mix has handed on all there is */
	int16_t *held; /* pairs, from `at` on */
	size_t first, n, max;
};

/* The mix has made `n` more. */
static int hold(void *ctx, const int16_t *pairs, size_t n)
{
	struct recording_stream *s = ctx;
	uint64_t begin = s->next;
	size_t skip = begin < s->at + s->n ? (size_t)(s->at + s->n - begin) : 0;

	s->next += n;
	if (skip >= n)
		return 0;
	n -= skip;
	pairs += 2 * skip;
	if (s->first > 0 && s->first + s->n + n > s->max) {
		memmove(s->held, s->held + 2 * s->first, 2 * s->n * sizeof(*s->held));
		s->first = 0;
	}
	if (s->n + n > s->max) {
		size_t max = 2 * (s->n + n);
		int16_t *grown = realloc(s->held, 2 * max * sizeof(*s->held));

		if (grown == NULL)
			return -ENOMEM;
		s->held = grown;
		s->max = max;
	}
	memcpy(s->held + 2 * (s->first + s->n), pairs, 2 * n * sizeof(*pairs));
	s->n += n;
	return 0;
}

int recording_stream_seek(struct recording_stream *s, uint64_t place)
{
	uint64_t lead = (uint64_t)RECORDING_STREAM_LEAD_MS * s->rate_hz / 1000;
	uint64_t from = place > lead ? place - lead : 0;

	if (s->mix != NULL)
		recording_mix_close(s->mix);
	s->mix = NULL;
	s->at = place;
	s->next = from;
	s->first = s->n = 0;
	s->over = false;
	return recording_mix_open(&s->mix, s->r, s->rate_hz, from, hold, s);
}

int recording_stream_open(struct recording *r, uint32_t rate_hz, struct recording_stream **out)
{
	struct recording_stream *s;
	int err;

	if (rate_hz != 8000 && rate_hz != 16000 && rate_hz != 48000)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->r = r;
	s->rate_hz = rate_hz;
	err = recording_stream_seek(s, 0);
	if (err != 0) {
		recording_stream_close(s);
		return err;
	}
	*out = s;
	return 0;
}

void recording_stream_close(struct recording_stream *s)
{
	if (s->mix != NULL)
		recording_mix_close(s->mix);
	free(s->held);
	free(s);
}

uint64_t recording_stream_place(const struct recording_stream *s)
{
	return s->at;
}

uint64_t recording_stream_length(const struct recording_stream *s)
{
	uint64_t ns = recording_info(s->r)->duration_ns;

	return ns / PB_NS_PER_S * s->rate_hz + ns % PB_NS_PER_S * s->rate_hz / PB_NS_PER_S;
}

/* Make the mix hand on something at `at`. Returns 1 when it did, 0 at the end, or negative. */
static int fill(struct recording_stream *s)
{
	int got = 1;

	while (s->n == 0 && !s->over) {
		got = recording_mix_step(s->mix);
		if (got < 0)
			return got;
		if (got == 1)
			continue;
		if (recording_runs(s->r)) {
			got = recording_refresh(s->r);
			if (got < 0)
				return got;
			if (got == 0 && recording_runs(s->r))
				return -EAGAIN;
			if (got == 1)
				continue;
		}
		s->over = true;
		got = recording_mix_finish(s->mix);
		if (got != 0)
			return got;
	}
	return s->n != 0;
}

int recording_stream_read(struct recording_stream *s, int16_t *pcm, size_t n)
{
	int got = s->mix != NULL ? fill(s) : -ENOMEM;

	if (got <= 0)
		return got;
	n = n < s->n ? n : s->n;
	n = n < INT32_MAX ? n : INT32_MAX;
	memcpy(pcm, s->held + 2 * s->first, 2 * n * sizeof(*pcm));
	s->first += n;
	s->n -= n;
	s->at += n;
	return (int)n;
}
