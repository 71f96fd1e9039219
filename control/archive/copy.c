/* SPDX-License-Identifier: Apache-2.0
 *
 * Sound is decoded by libsndfile through the sealed file's own reader, so a seek reads only the
 * chunks that it needs, and written by what writes exports (recording_sound.h).
 */
#include "archive/copy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sndfile.h>

#include "archive/archive_priv.h"
#include "libpatchbay/recording_sound.h"

enum { BLOCK = 4096, RATE_HZ = 8000 };

/* --- libsndfile on a seal --- */

struct source {
	struct seal *seal;
	sf_count_t at;
	int err;
};

static sf_count_t source_length(void *ctx)
{
	return (sf_count_t)seal_bytes(((struct source *)ctx)->seal);
}

static sf_count_t source_seek(sf_count_t offset, int whence, void *ctx)
{
	struct source *s = ctx;

	s->at = whence == SEEK_SET   ? offset
		: whence == SEEK_CUR ? s->at + offset
				     : source_length(ctx) + offset;
	return s->at;
}

static sf_count_t source_read(void *p, sf_count_t n, void *ctx)
{
	struct source *s = ctx;
	ssize_t got = seal_pread(s->seal, p, (size_t)n, (uint64_t)s->at);

	if (got < 0) {
		s->err = (int)got;
		return 0;
	}
	s->at += got;
	return got;
}

static sf_count_t source_write(const void *p, sf_count_t n, void *ctx)
{
	(void)p;
	(void)n;
	(void)ctx;
	return 0;
}

static sf_count_t source_tell(void *ctx)
{
	return ((struct source *)ctx)->at;
}

/* --- pieces --- */

struct maker {
	struct archive *a;
	const struct copy *how;
	struct sound *out;
	int rate_hz;
	uint64_t samples;
	int16_t in[BLOCK * 2], pairs[BLOCK * 2];
};

static bool masked(const struct copy *how, uint64_t ms)
{
	for (size_t i = 0; i < how->masks; i++)
		if (ms >= how->mask[i].from_ms &&
		    (how->mask[i].to_ms == 0 || ms < how->mask[i].to_ms))
			return true;
	return false;
}

static int write_pairs(struct maker *m, size_t n)
{
	m->samples += n;
	return sound_write(m->out, m->pairs, n);
}

static int silence(struct maker *m, uint64_t ms)
{
	uint64_t left = ms * (uint64_t)m->rate_hz / 1000;
	int err = 0;

	memset(m->pairs, 0, sizeof(m->pairs));
	while (err == 0 && left > 0) {
		size_t n = left < BLOCK ? (size_t)left : BLOCK;

		err = write_pairs(m, n);
		left -= n;
	}
	return err;
}

static int pass(struct maker *m, SNDFILE *f, const SF_INFO *sf, const struct copy_span *span)
{
	uint64_t rate = (uint64_t)sf->samplerate, at = span->from_ms * rate / 1000;
	uint64_t end = span->to_ms != 0 ? span->to_ms * rate / 1000 : UINT64_MAX;
	int err = 0;

	if (at > 0 && sf_seek(f, (sf_count_t)at, SEEK_SET) < 0)
		return 0; /* begins behind the end */
	while (err == 0 && at < end) {
		sf_count_t want = end - at < BLOCK ? (sf_count_t)(end - at) : BLOCK;
		sf_count_t n = sf_readf_short(f, m->in, want);

		if (n <= 0)
			break;
		for (sf_count_t i = 0; i < n; i++) {
			bool hide = masked(m->how, (at + (uint64_t)i) * 1000 / rate);

			m->pairs[2 * i] = hide ? 0 : m->in[i * sf->channels];
			m->pairs[2 * i + 1] =
				hide || sf->channels < 2 ? 0 : m->in[i * sf->channels + 1];
		}
		err = write_pairs(m, (size_t)n);
		at += (uint64_t)n;
	}
	return err;
}

/* What the copy's tags say; `text` holds the JSON while it is needed. */
static int open_out(struct maker *m, const SF_INFO *sf)
{
	const struct copy_piece *first = &m->how->piece[0];
	const char *id = json_string_value(json_object_get(first->row, "recording"));
	json_t *meta = m->how->anonymous || m->how->pieces > 1
			       ? json_pack("{s:s}", "description", "excerpt for training")
			       : json_deep_copy(first->row);
	struct recording_info info = {0};
	char *text;
	int err;

	json_object_del(meta, "path");
	json_object_del(meta, "notes");
	json_object_del(meta, "legal_holds");
	text = json_dumps(meta, JSON_COMPACT);
	json_decref(meta);
	if (text == NULL)
		return -ENOMEM;
	info.metadata = text;
	if (!m->how->anonymous && id != NULL) {
		(void)recording_id_parse(id, info.id);
		info.start_ns =
			(uint64_t)json_integer_value(json_object_get(first->row, "started_ms")) *
			1000000;
	}
	m->rate_hz = sf->samplerate;
	err = sound_open_fd(&m->out, m->how->fd, m->how->format, (uint32_t)m->rate_hz, &info);
	free(text);
	return err;
}

static int add_piece(struct maker *m, const struct copy_piece *p, bool first)
{
	SF_VIRTUAL_IO source_io = {source_length, source_seek, source_read, source_write,
				   source_tell};
	struct source src = {0};
	SF_INFO sf = {0};
	int rate = RATE_HZ;
	SNDFILE *f;
	int err = archive_sound(m->a, p->row, &src.seal);

	if (err != 0)
		return err;
	f = sf_open_virtual(&source_io, SFM_READ, &sf, &src);
	if (f == NULL) {
		err = archive_refuse(m->a, src.err != 0 ? src.err : -EBADMSG,
				     "the finished file cannot be decoded: %s", sf_strerror(NULL));
		goto out;
	}
	if ((sf.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_OGG &&
	    sf_command(f, SFC_SET_ORIGINAL_SAMPLERATE, &rate, sizeof(rate)) == SF_TRUE)
		sf.samplerate = rate;
	if (first)
		err = open_out(m, &sf);
	else if (sf.samplerate != m->rate_hz)
		err = archive_refuse(m->a, -ENOTSUP, "recordings of %d and %d Hz cannot be joined",
				     m->rate_hz, sf.samplerate);
	else
		err = silence(m, m->how->gap_ms);
	if (err == 0)
		err = pass(m, f, &sf, &p->span);
	if (err == 0 && src.err != 0)
		err = archive_refuse(m->a, src.err, "the finished file is damaged");
	sf_close(f);
out:
	seal_close(src.seal);
	return err;
}

int archive_copy(struct archive *a, const struct copy *how, uint64_t *duration_ms)
{
	struct maker *m = calloc(1, sizeof(*m));
	int err = m == NULL ? -ENOMEM : 0, closed;

	if (err == 0) {
		m->a = a;
		m->how = how;
	}
	for (size_t i = 0; err == 0 && i < how->pieces; i++)
		err = add_piece(m, &how->piece[i], i == 0);
	if (m != NULL && m->out != NULL) {
		closed = sound_close(m->out);
		err = err != 0 ? err : closed;
	}
	if (err == 0 && m != NULL)
		*duration_ms = m->rate_hz != 0 ? m->samples * 1000 / (uint64_t)m->rate_hz : 0;
	free(m);
	return err;
}

int archive_copy_file(struct archive *a, const json_t *row, int fd)
{
	uint8_t *buf = malloc(SEAL_CHUNK_BYTES);
	struct seal *s = NULL;
	uint64_t at = 0;
	ssize_t n = 0;
	int err = buf == NULL ? -ENOMEM : archive_sound(a, row, &s);

	while (err == 0 && (n = seal_pread(s, buf, SEAL_CHUNK_BYTES, at)) > 0) {
		err = digest_write_all(fd, buf, (size_t)n);
		at += (uint64_t)n;
	}
	if (err == 0 && n < 0)
		err = archive_refuse(a, (int)n, "the finished file is not as it was sealed");
	seal_close(s);
	free(buf);
	return err;
}

/* "75.5" or "1:15.5" */
static bool read_ms(const char **p, uint64_t *ms)
{
	char *end;
	double v = strtod(*p, &end), s;

	if (end == *p || !(v >= 0 && v < 1e7))
		return false;
	if (*end == ':') {
		const char *from = end + 1;

		s = strtod(from, &end);
		if (end == from || !(s >= 0 && s < 60))
			return false;
		v = v * 60 + s;
	}
	*ms = (uint64_t)(v * 1000 + 0.5);
	*p = end;
	return true;
}

bool copy_span_parse(const char *text, struct copy_span *span)
{
	struct copy_span s = {0};

	if (!read_ms(&text, &s.from_ms) || *text++ != '-')
		return false;
	if (*text != '\0' && (!read_ms(&text, &s.to_ms) || s.to_ms <= s.from_ms))
		return false;
	if (*text != '\0')
		return false;
	*span = s;
	return true;
}
