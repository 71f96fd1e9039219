/* SPDX-License-Identifier: Apache-2.0
 *
 * A sound file is read in small pieces: to float, down to one channel, through the resampler into
 * a buffer whose size was reckoned from the header and checked against a limit before anything was
 * allocated.
 *
 * libsndfile quietly repairs a RIFF file whose data chunk is longer than the file. For us
 * such a file is a truncated prompt that would end in the middle of a word, so the chunk sizes
 * are looked at first and the file is refused with the two numbers.
 */
#include "prompt/prompt_file.h"

#include <errno.h>
#include <sndfile.h>
#include <soxr.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	RATE_MIN_HZ = 4000,
	RATE_MAX_HZ = 192000,
	PIECE_FRAMES = 4096,
	RIFF_CHUNKS_MAX = 64,
};

__attribute__((format(printf, 4, 5))) static int refuse(int err, char *why, size_t size,
							const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return err;
}

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* RIFF files only; other formats are libsndfile's to judge. */
static int riff_check(int fd, off_t size, char *why, size_t why_size)
{
	uint8_t head[12];

	if (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head))
		return refuse(-EINVAL, why, why_size, "shorter than a file header");
	if (memcmp(head, "RIFF", 4) != 0 || memcmp(head + 8, "WAVE", 4) != 0)
		return 0;

	off_t at = sizeof(head);

	for (unsigned i = 0; i < RIFF_CHUNKS_MAX; i++) {
		uint8_t chunk[8];

		if (pread(fd, chunk, sizeof(chunk), at) != (ssize_t)sizeof(chunk))
			return refuse(-EILSEQ, why, why_size, "ends before its data chunk");

		off_t bytes = (off_t)le32(chunk + 4);

		at += (off_t)sizeof(chunk);
		if (memcmp(chunk, "data", 4) == 0) {
			if (bytes > size - at)
				return refuse(-EILSEQ, why, why_size,
					      "says %lld bytes of sound but has %lld",
					      (long long)bytes, (long long)(size - at));
			return 0;
		}
		at += bytes + (bytes & 1);
	}
	return refuse(-EILSEQ, why, why_size, "no data chunk among its first %d", RIFF_CHUNKS_MAX);
}

/* Interleaved to one channel, in place. */
static void downmix(float *f, sf_count_t frames, int channels)
{
	if (channels == 1)
		return;
	for (sf_count_t i = 0; i < frames; i++)
		f[i] = (f[2 * i] + f[2 * i + 1]) * 0.5f;
}

/* Everything from the open file through the resampler. Returns samples written or negative errno. */
static long resample(SNDFILE *sf, const SF_INFO *info, int16_t *out, size_t room)
{
	soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_INT16_I);
	soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
	soxr_error_t err = NULL;
	soxr_t soxr = soxr_create(info->samplerate, PROMPT_RATE_HZ, 1, &err, &io, &quality, NULL);
	float *piece = malloc(sizeof(*piece) * PIECE_FRAMES * 2);
	size_t n = 0;
	bool end = false;

	if (soxr == NULL || piece == NULL)
		end = true, err = "no memory";
	while (!end && err == NULL && n < room) {
		sf_count_t got = sf_readf_float(sf, piece, PIECE_FRAMES);
		size_t at = 0;

		end = got <= 0;
		if (!end)
			downmix(piece, got, info->channels);
		do {
			size_t used = 0, made = 0;

			err = soxr_process(soxr, end ? NULL : piece + at,
					   end ? 0 : (size_t)got - at, &used, out + n, room - n,
					   &made);
			at += used;
			n += made;
			if (end && made == 0)
				break;
			if (!end && used == 0 && made == 0)
				break;
		} while (err == NULL && n < room && (end || at < (size_t)got));
	}
	if (soxr != NULL)
		soxr_delete(soxr);
	free(piece);
	return err != NULL ? -ENOMEM : (long)n;
}

int prompt_file_read(struct prompt_sound *sound, int fd, uint32_t seconds_max, char *why,
		     size_t why_size)
{
	SF_INFO info = {0};
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return refuse(-EINVAL, why, why_size, "not a regular file");

	int err = riff_check(fd, st.st_size, why, why_size);

	if (err != 0)
		return err;
	if (lseek(fd, 0, SEEK_SET) != 0)
		return refuse(-EINVAL, why, why_size, "cannot be read from its start");

	SNDFILE *sf = sf_open_fd(fd, SFM_READ, &info, 0);

	if (sf == NULL)
		return refuse(-EINVAL, why, why_size, "%s", sf_strerror(NULL));
	if (info.channels < 1 || info.channels > 2) {
		err = refuse(-EINVAL, why, why_size, "%d channels; 1 or 2 are understood",
			     info.channels);
	} else if (info.samplerate < RATE_MIN_HZ || info.samplerate > RATE_MAX_HZ) {
		err = refuse(-EINVAL, why, why_size, "%d Hz; %d to %d are understood",
			     info.samplerate, RATE_MIN_HZ, RATE_MAX_HZ);
	} else if (info.frames <= 0) {
		err = refuse(-EINVAL, why, why_size, "no sound in it");
	} else if (info.frames / info.samplerate >= (sf_count_t)seconds_max) {
		err = refuse(-EMSGSIZE, why, why_size, "%lld s long; at most %u are kept",
			     (long long)(info.frames / info.samplerate), seconds_max);
	}
	if (err != 0) {
		sf_close(sf);
		return err;
	}

	size_t want = (size_t)(info.frames * PROMPT_RATE_HZ / info.samplerate) + 1;
	int16_t *pcm = calloc(want, sizeof(*pcm));
	long got = pcm == NULL ? -ENOMEM : resample(sf, &info, pcm, want);

	sf_close(sf);
	if (got < 0) {
		free(pcm);
		return refuse(-ENOMEM, why, why_size, "no memory to read it");
	}
	/* The format's own header may promise frames that its body does not hold. The resampler rounds:
	 * a handful of samples is no lie. */
	if ((size_t)got + PROMPT_RATE_HZ / 50 < want) {
		free(pcm);
		return refuse(-EILSEQ, why, why_size, "says %zu ms of sound but has %ld",
			      want / (PROMPT_RATE_HZ / 1000), got / (PROMPT_RATE_HZ / 1000));
	}
	*sound = (struct prompt_sound){.pcm = pcm, .samples = (uint32_t)got};
	return 0;
}
