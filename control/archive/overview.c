/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/overview.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static const uint8_t magic[8] = {'P', 'B', 'X', 'W', 'A', 'V', 'E', '1'};

enum { COLUMN = 3 * OVERVIEW_CHANNELS, MARK_BYTES = 12 };

/* One condition (silence, talk-over) while it holds. */
struct span {
	bool on;
	uint64_t from; /* bucket */
};

struct overview {
	uint32_t rate_hz, bucket; /* samples */
	uint64_t samples;
	uint32_t in; /* samples in the bucket that is open */
	int16_t min[OVERVIEW_CHANNELS], max[OVERVIEW_CHANNELS];
	double square[OVERVIEW_CHANNELS], square_all[OVERVIEW_CHANNELS];
	double speech_square; /* mean square above which a bucket is speech */
	uint32_t hang[OVERVIEW_CHANNELS], hang_max;
	uint64_t spoken[OVERVIEW_CHANNELS], silent, over; /* buckets */
	uint32_t silences, talk_overs, longest_ms;
	struct span span[2]; /* by enum overview_mark_kind */
	uint8_t *columns;
	size_t n, max_n; /* buckets */
	struct overview_mark *mark;
	size_t marks, max_marks;
};

struct overview *overview_new(uint32_t rate_hz, uint32_t bucket_ms)
{
	struct overview *o;

	if (bucket_ms < OVERVIEW_BUCKET_MS_MIN || bucket_ms > OVERVIEW_BUCKET_MS_MAX ||
	    rate_hz < 8000)
		return NULL;
	o = calloc(1, sizeof(*o));
	if (o == NULL)
		return NULL;
	o->rate_hz = rate_hz;
	o->bucket = rate_hz / 1000 * bucket_ms;
	o->hang_max = OVERVIEW_HANG_MS / bucket_ms;
	o->speech_square = pow(10.0, OVERVIEW_SPEECH_DBFS / 10.0) * 32768.0 * 32768.0;
	return o;
}

void overview_free(struct overview *o)
{
	if (o == NULL)
		return;
	free(o->columns);
	free(o->mark);
	free(o);
}

static uint32_t ms_of(const struct overview *o, uint64_t bucket)
{
	return (uint32_t)(bucket * o->bucket * 1000 / o->rate_hz);
}

static int add_mark(struct overview *o, enum overview_mark_kind kind, uint64_t from, uint64_t to)
{
	struct overview_mark m = {kind, ms_of(o, from), ms_of(o, to)};
	uint32_t ms = m.to_ms - m.from_ms;

	if (kind == OVERVIEW_SILENCE ? ms < OVERVIEW_SILENCE_MS : ms < OVERVIEW_TALK_OVER_MS)
		return 0;
	if (kind == OVERVIEW_SILENCE) {
		o->silences++;
		o->silent += to - from;
		o->longest_ms = ms > o->longest_ms ? ms : o->longest_ms;
	} else {
		o->talk_overs++;
		o->over += to - from;
	}
	if (o->marks == OVERVIEW_MARKS_MAX)
		return 0;
	if (o->marks == o->max_marks) {
		size_t want = o->max_marks != 0 ? o->max_marks * 2 : 32;
		struct overview_mark *more = realloc(o->mark, want * sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		o->mark = more;
		o->max_marks = want;
	}
	o->mark[o->marks++] = m;
	return 0;
}

static int follow(struct overview *o, enum overview_mark_kind kind, bool now)
{
	struct span *s = &o->span[kind];
	int err = 0;

	if (now && !s->on)
		*s = (struct span){true, o->n};
	else if (!now && s->on) {
		s->on = false;
		err = add_mark(o, kind, s->from, o->n);
	}
	return err;
}

static int close_bucket(struct overview *o)
{
	bool speaks[OVERVIEW_CHANNELS];
	uint8_t *c;
	int err;

	if (o->n == o->max_n) {
		size_t want = o->max_n != 0 ? o->max_n * 2 : 1024;
		uint8_t *more = realloc(o->columns, want * COLUMN);

		if (more == NULL)
			return -ENOMEM;
		o->columns = more;
		o->max_n = want;
	}
	c = o->columns + o->n * COLUMN;
	for (int ch = 0; ch < OVERVIEW_CHANNELS; ch++, c += 3) {
		double mean = o->square[ch] / o->in, rms = sqrt(mean) / 128.0;

		c[0] = (uint8_t)(int8_t)(o->min[ch] / 256);
		c[1] = (uint8_t)(int8_t)(o->max[ch] / 256);
		c[2] = rms > 255.0 ? 255 : (uint8_t)rms;
		if (mean > o->speech_square)
			o->hang[ch] = o->hang_max + 1;
		speaks[ch] = o->hang[ch] > 0;
		o->hang[ch] -= speaks[ch];
		o->spoken[ch] += speaks[ch];
		o->square_all[ch] += o->square[ch];
		o->square[ch] = 0;
	}
	err = follow(o, OVERVIEW_SILENCE, !speaks[0] && !speaks[1]);
	if (err == 0)
		err = follow(o, OVERVIEW_TALK_OVER, speaks[0] && speaks[1]);
	o->n++;
	o->in = 0;
	return err;
}

int overview_put(struct overview *o, const int16_t *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (int ch = 0; ch < OVERVIEW_CHANNELS; ch++) {
			int16_t v = pairs[i * OVERVIEW_CHANNELS + (size_t)ch];

			if (o->in == 0)
				o->min[ch] = o->max[ch] = v;
			else if (v < o->min[ch])
				o->min[ch] = v;
			else if (v > o->max[ch])
				o->max[ch] = v;
			o->square[ch] += (double)v * v;
		}
		o->in++;
		o->samples++;
		if (o->in == o->bucket) {
			int err = close_bucket(o);

			if (err != 0)
				return err;
		}
	}
	return 0;
}

void overview_end(struct overview *o)
{
	if (o->in > 0)
		(void)close_bucket(o);
	(void)follow(o, OVERVIEW_SILENCE, false);
	(void)follow(o, OVERVIEW_TALK_OVER, false);
}

void overview_sums(const struct overview *o, struct overview_sums *s)
{
	double buckets = o->n != 0 ? (double)o->n : 1.0;

	*s = (struct overview_sums){
		.duration_ms = o->samples * 1000 / o->rate_hz,
		.silence = (double)o->silent / buckets,
		.talk_over = (double)o->over / buckets,
		.silences = o->silences,
		.talk_overs = o->talk_overs,
		.silence_longest_ms = o->longest_ms,
	};
	for (int ch = 0; ch < OVERVIEW_CHANNELS; ch++) {
		s->speech[ch] = (double)o->spoken[ch] / buckets;
		if (o->samples != 0)
			s->rms[ch] = sqrt(o->square_all[ch] / (double)o->samples) / 32768.0;
	}
}

size_t overview_marks(const struct overview *o, const struct overview_mark **marks)
{
	*marks = o->mark;
	return o->marks;
}

/* --- the binary form --- */

static void put_le(uint8_t **p, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		*(*p)++ = (uint8_t)(v >> 8 * i);
}

static uint64_t get_le(const uint8_t *p, int bytes)
{
	uint64_t v = 0;

	for (int i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

size_t overview_pack(const struct overview *o, uint8_t **bytes)
{
	size_t n = OVERVIEW_HEAD_BYTES + o->n * COLUMN + o->marks * MARK_BYTES;
	uint8_t *p = malloc(n);

	*bytes = p;
	if (p == NULL)
		return 0;
	memcpy(p, magic, sizeof(magic));
	p += sizeof(magic);
	put_le(&p, o->rate_hz, 4);
	put_le(&p, o->bucket, 4);
	put_le(&p, o->n, 4);
	put_le(&p, OVERVIEW_CHANNELS, 2);
	put_le(&p, o->marks, 2);
	put_le(&p, o->samples, 8);
	put_le(&p, 0, 4);
	if (o->n != 0)
		memcpy(p, o->columns, o->n * COLUMN);
	p += o->n * COLUMN;
	for (size_t i = 0; i < o->marks; i++) {
		put_le(&p, o->mark[i].kind, 4);
		put_le(&p, o->mark[i].from_ms, 4);
		put_le(&p, o->mark[i].to_ms, 4);
	}
	return n;
}

static json_t *columns_json(const uint8_t *p, size_t buckets, size_t per, int ch)
{
	json_t *min = json_array(), *max = json_array(), *rms = json_array();

	for (size_t i = 0; i < buckets; i += per) {
		int lo = 127, hi = -128;
		double square = 0;
		size_t k;

		for (k = 0; k < per && i + k < buckets; k++) {
			const uint8_t *c = p + (i + k) * COLUMN + 3 * ch;

			lo = (int8_t)c[0] < lo ? (int8_t)c[0] : lo;
			hi = (int8_t)c[1] > hi ? (int8_t)c[1] : hi;
			square += (double)c[2] * c[2];
		}
		json_array_append_new(min, json_integer(lo));
		json_array_append_new(max, json_integer(hi));
		json_array_append_new(rms, json_integer((json_int_t)sqrt(square / (double)k)));
	}
	return json_pack("{s:o, s:o, s:o}", "min", min, "max", max, "rms", rms);
}

char *overview_json(const uint8_t *bytes, size_t n, uint32_t width)
{
	json_t *o, *list[2], *channels;
	size_t buckets, marks, per;
	const uint8_t *p = bytes + OVERVIEW_HEAD_BYTES;
	uint64_t rate, bucket;
	char *text;

	if (n < OVERVIEW_HEAD_BYTES || memcmp(bytes, magic, sizeof(magic)) != 0 ||
	    get_le(bytes + 20, 2) != OVERVIEW_CHANNELS)
		return NULL;
	rate = get_le(bytes + 8, 4);
	bucket = get_le(bytes + 12, 4);
	buckets = (size_t)get_le(bytes + 16, 4);
	marks = (size_t)get_le(bytes + 22, 2);
	if (rate == 0 || n != OVERVIEW_HEAD_BYTES + buckets * COLUMN + marks * MARK_BYTES)
		return NULL;
	per = width == 0 || buckets <= width ? 1 : (buckets + width - 1) / width;
	channels = json_array();
	for (int ch = 0; ch < OVERVIEW_CHANNELS; ch++)
		json_array_append_new(channels, columns_json(p, buckets, per, ch));
	list[0] = json_array();
	list[1] = json_array();
	for (const uint8_t *m = p + buckets * COLUMN; m < bytes + n; m += MARK_BYTES)
		json_array_append_new(list[m[0] & 1],
				      json_pack("[I,I]", (json_int_t)get_le(m + 4, 4),
						(json_int_t)get_le(m + 8, 4)));
	o = json_pack("{s:I, s:f, s:I, s:o, s:o, s:o}", "rate_hz", (json_int_t)rate, "bucket_ms",
		      (double)(bucket * per) * 1000.0 / (double)rate, "duration_ms",
		      (json_int_t)(get_le(bytes + 24, 8) * 1000 / rate), "channels", channels,
		      "silence", list[0], "talk_over", list[1]);
	text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(6));
	json_decref(o);
	return text;
}
