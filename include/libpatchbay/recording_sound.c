/* SPDX-License-Identifier: Apache-2.0
 *
 * Sound files: libsndfile for WAV (RF64 where 4 GiB would not do), libopusenc for Ogg Opus. The
 * tags carry the recording's id, its start and the scalar members of its metadata, so that a
 * file that has left the store can still be told from others.
 */
#include "libpatchbay/recording_sound.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>
#include <opus/opusenc.h>
#include <sndfile.h>

enum { CHANNELS = 2, OPUS_BITS_PER_S = 48000, TAG_MAX = 64 };

struct sound {
	int fd; /* -1: the path's */
	SNDFILE *wav;
	OggOpusEnc *opus;
	OggOpusComments *comments;
};

static void start_text(uint64_t start_ns, char *text, size_t max)
{
	time_t s = (time_t)(start_ns / 1000000000U);
	struct tm tm;

	gmtime_r(&s, &tm);
	if (strftime(text, max, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		text[0] = '\0';
}

static int open_wav(struct sound *s, const char *path, uint32_t rate_hz,
		    const struct recording_info *info)
{
	uint64_t bytes = info->duration_ns / 1000000000U * rate_hz * CHANNELS * 2;
	SF_INFO sf = {
		.samplerate = (int)rate_hz,
		.channels = CHANNELS,
		.format = (bytes > UINT64_C(3900000000) ? SF_FORMAT_RF64 : SF_FORMAT_WAV) |
			  SF_FORMAT_PCM_16,
	};
	char id[RECORDING_ID_TEXT], start[32];

	s->wav = path != NULL ? sf_open(path, SFM_WRITE, &sf)
			      : sf_open_fd(s->fd, SFM_WRITE, &sf, SF_FALSE);
	if (s->wav == NULL)
		return errno != 0 ? -errno : -EIO;
	recording_id_text(info->id, id);
	start_text(info->start_ns, start, sizeof(start));
	sf_set_string(s->wav, SF_STR_TITLE, id);
	sf_set_string(s->wav, SF_STR_DATE, start);
	sf_set_string(s->wav, SF_STR_COMMENT, info->metadata);
	return 0;
}

/* A tag's name is printable ASCII without '=' (Ogg comments). */
static void tag_name(const char *key, char *name)
{
	size_t n = 0;

	for (; *key != '\0' && n < TAG_MAX; key++)
		name[n++] = isalnum((unsigned char)*key) ? (char)toupper((unsigned char)*key) : '_';
	name[n] = '\0';
}

static void tag_value(OggOpusComments *comments, const char *key, json_t *value)
{
	char name[TAG_MAX + 1];
	char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);

	tag_name(key, name);
	if (name[0] != '\0' && (json_is_string(value) || text != NULL))
		ope_comments_add(comments, name, text != NULL ? text : json_string_value(value));
	free(text);
}

static OggOpusComments *tags(const struct recording_info *info)
{
	OggOpusComments *comments = ope_comments_create();
	json_t *metadata = json_loads(info->metadata, JSON_REJECT_DUPLICATES, NULL);
	char id[RECORDING_ID_TEXT], start[32];
	const char *key;
	json_t *value;

	if (comments != NULL) {
		recording_id_text(info->id, id);
		start_text(info->start_ns, start, sizeof(start));
		ope_comments_add(comments, "TITLE", id);
		ope_comments_add(comments, "DATE", start);
		json_object_foreach(metadata, key, value) tag_value(comments, key, value);
	}
	json_decref(metadata);
	return comments;
}

/* libopusenc's way out when there is no path; 0 is success. */
static int write_page(void *ctx, const unsigned char *p, opus_int32 n)
{
	const struct sound *s = ctx;

	while (n > 0) {
		ssize_t got = write(s->fd, p, (size_t)n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return 1;
		p += got;
		n -= (opus_int32)got;
	}
	return 0;
}

static int keep_open(void *ctx)
{
	(void)ctx;
	return 0;
}

static const OpusEncCallbacks to_descriptor = {write_page, keep_open};

static int open_opus(struct sound *s, const char *path, uint32_t rate_hz,
		     const struct recording_info *info)
{
	int err = OPE_ALLOC_FAIL;

	s->comments = tags(info);
	if (s->comments == NULL)
		return -ENOMEM;
	/* mapping family 0: stereo */
	if (path != NULL)
		s->opus = ope_encoder_create_file(path, s->comments, (opus_int32)rate_hz, CHANNELS,
						  0, &err);
	else
		s->opus = ope_encoder_create_callbacks(&to_descriptor, s, s->comments,
						       (opus_int32)rate_hz, CHANNELS, 0, &err);
	if (s->opus == NULL) {
		ope_comments_destroy(s->comments);
		return err == OPE_CANNOT_OPEN && errno != 0 ? -errno : -EIO;
	}
	ope_encoder_ctl(s->opus, OPUS_SET_BITRATE(OPUS_BITS_PER_S));
	ope_encoder_ctl(s->opus, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
	/* two parties, not one sound stage: nothing of one may leak into the other */
	ope_encoder_ctl(s->opus, OPUS_SET_PHASE_INVERSION_DISABLED(1));
	return 0;
}

static int open_either(struct sound **out, const char *path, int fd, enum recording_format format,
		       uint32_t rate_hz, const struct recording_info *info)
{
	struct sound *s = calloc(1, sizeof(*s));
	int err;

	if (s == NULL)
		return -ENOMEM;
	s->fd = fd;
	errno = 0;
	err = format == RECORDING_FORMAT_OPUS ? open_opus(s, path, rate_hz, info)
					      : open_wav(s, path, rate_hz, info);
	if (err != 0) {
		free(s);
		return err;
	}
	*out = s;
	return 0;
}

int sound_open(struct sound **out, const char *path, enum recording_format format, uint32_t rate_hz,
	       const struct recording_info *info)
{
	return open_either(out, path, -1, format, rate_hz, info);
}

int sound_open_fd(struct sound **out, int fd, enum recording_format format, uint32_t rate_hz,
		  const struct recording_info *info)
{
	return open_either(out, NULL, fd, format, rate_hz, info);
}

int sound_write(struct sound *s, const int16_t *pcm, size_t n)
{
	if (s->opus != NULL)
		return ope_encoder_write(s->opus, pcm, (int)n) == OPE_OK ? 0 : -EIO;
	errno = 0;
	if (sf_writef_short(s->wav, pcm, (sf_count_t)n) != (sf_count_t)n)
		return errno != 0 ? -errno : -EIO;
	return 0;
}

int sound_close(struct sound *s)
{
	int err = 0;

	if (s->opus != NULL) {
		err = ope_encoder_drain(s->opus) == OPE_OK ? 0 : -EIO;
		ope_encoder_destroy(s->opus);
		ope_comments_destroy(s->comments);
	}
	if (s->wav != NULL && sf_close(s->wav) != 0)
		err = -EIO;
	free(s);
	return err;
}
