/* SPDX-License-Identifier: Apache-2.0
 *
 * Sound of a recording that is not finished yet, also of a call that goes on: a WAV file that does not
 * exist, made from the recording store while it is sent. Byte 44 + 4 * i is sample i, so a range is a
 * place in the stream; the length is what is known when the request comes, and who wants to go on
 * listening asks for the range behind it.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/server_priv.h"
#include "base/log.h"
#include "patchbay/recording.h"

enum { RATE_HZ = 8000, HEAD = 44, PAIR = 4, BLOCK = 4096 };

struct live {
	struct recording_store *store;
	struct recording *recording;
	struct recording_stream *stream;
	uint64_t samples; /* as long as it was when the request came */
	uint8_t head[HEAD];
	int16_t pcm[2 * BLOCK];
	uint64_t held_from, held; /* samples in pcm */
};

static void put_le(uint8_t *p, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static void make_head(uint8_t *h, uint64_t samples)
{
	uint64_t bytes = samples * PAIR;

	if (bytes > UINT32_MAX - 100)
		bytes = UINT32_MAX - 100; /* 37 hours; players go by the length of the answer */
	memcpy(h, "RIFF....WAVEfmt ", 16);
	put_le(h + 4, bytes + HEAD - 8, 4);
	put_le(h + 16, 16, 4);
	put_le(h + 20, 1, 2);
	put_le(h + 22, 2, 2);
	put_le(h + 24, RATE_HZ, 4);
	put_le(h + 28, RATE_HZ * PAIR, 4);
	put_le(h + 32, PAIR, 2);
	put_le(h + 34, 16, 2);
	memcpy(h + 36, "data", 4);
	put_le(h + 40, bytes, 4);
}

/* The samples around `place`. What a running recording does not have yet is silence. */
static int hold(struct live *l, uint64_t place)
{
	int n;

	if (place >= l->held_from && place < l->held_from + l->held)
		return 0;
	if (recording_stream_place(l->stream) != place) {
		int err = recording_stream_seek(l->stream, place);

		if (err != 0)
			return err;
	}
	n = recording_stream_read(l->stream, l->pcm, BLOCK);
	if (n < 0 && n != -EAGAIN)
		return n;
	if (n <= 0) {
		memset(l->pcm, 0, sizeof(l->pcm));
		n = BLOCK;
	}
	l->held_from = place;
	l->held = (uint64_t)n;
	return 0;
}

static ssize_t live_read(void *ctx, void *buf, size_t max, uint64_t at)
{
	struct live *l = ctx;
	uint64_t end = HEAD + l->samples * PAIR, from, n;
	int err;

	if (at >= end)
		return 0;
	if (at < HEAD) {
		n = HEAD - at < max ? HEAD - at : max;
		memcpy(buf, l->head + at, (size_t)n);
		return (ssize_t)n;
	}
	err = hold(l, (at - HEAD) / PAIR);
	if (err != 0)
		return err;
	from = at - HEAD - l->held_from * PAIR;
	n = l->held * PAIR - from;
	n = n < max ? n : max;
	n = n < end - at ? n : end - at;
	memcpy(buf, (const uint8_t *)l->pcm + from, (size_t)n);
	return (ssize_t)n;
}

static void live_close(void *ctx)
{
	struct live *l = ctx;

	if (l->stream != NULL)
		recording_stream_close(l->stream);
	if (l->recording != NULL)
		recording_close(l->recording);
	if (l->store != NULL)
		recording_store_close(l->store);
	free(l);
}

static int open_one(struct live *l, const uint8_t id[16], const char *extents)
{
	int err = extents != NULL ? recording_store_attach(l->store, extents) : 0;

	return err != 0 ? err : recording_open(l->store, id, NULL, NULL, &l->recording);
}

/* With what the engine of this machine that runs it holds in memory; else what is on disk. */
static int open_recording(struct live *l, const uint8_t id[16])
{
	glob_t g = {0};

	if (glob("/dev/shm/patchbay-*.extents", 0, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc && l->recording == NULL; i++) {
			if (open_one(l, id, g.gl_pathv[i]) == 0 && i + 1 < g.gl_pathc &&
			    !recording_runs(l->recording)) {
				recording_close(l->recording);
				l->recording = NULL;
			}
		}
	globfree(&g);
	return l->recording != NULL ? 0 : open_one(l, id, NULL);
}

enum MHD_Result server_live(struct request *r, const uint8_t id[16])
{
	const struct config_archive *cfg = archive_config(r->a);
	struct live *l = calloc(1, sizeof(*l));
	char text[RECORDING_ID_TEXT];
	int err;

	if (l == NULL)
		return MHD_NO;
	recording_id_text(id, text);
	err = recording_store_open(&l->store, cfg->store, cfg->n_store);
	if (err == 0)
		err = open_recording(l, id);
	if (err == 0)
		err = recording_stream_open(l->recording, RATE_HZ, &l->stream);
	if (err != 0) {
		live_close(l);
		return err == -ENOENT ? server_error(r, MHD_HTTP_NOT_FOUND,
						     "there is no such recording, finished or not")
				      : server_failed(r, err);
	}
	l->samples = recording_stream_length(l->stream);
	make_head(l->head, l->samples);

	struct server_source src = {
		.read = live_read,
		.close = live_close,
		.ctx = l,
		.bytes = HEAD + l->samples * PAIR,
		.etag = "",
		.id = text,
		.format = "wav",
	};

	return server_send(r, &src, false);
}
