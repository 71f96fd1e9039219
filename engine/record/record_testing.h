/* For the recorder's tests: a place on disk, an engine with a recorder, calls whose every byte
 * can be foretold, and a look at what the store makes of them.
 *
 * Frame `i` of a channel of a recording has the timestamp 160 * i, the sequence number i, and bytes
 * that follow from (recording, channel, i); so what is read can be told from what was written.
 */
#ifndef RECORD_RECORD_TESTING_H
#define RECORD_RECORD_TESTING_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "check.h"
#include "patchbay/recording.h"
#include "record/record.h"

enum { FRAME_LEN = 160, FRAMES_MAX = 1 << 20 };

struct place {
	char root[64];
	char volume[2][80];
	char name[32];
	char shm[64];
};

static inline uint64_t mono_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * PB_NS_PER_S + (uint64_t)ts.tv_nsec;
}

static inline void place_make(struct place *p)
{
	static unsigned made;
	const char *tmp = getenv("TMPDIR");

	snprintf(p->root, sizeof(p->root), "%.40s/record-XXXXXX", tmp != NULL ? tmp : "/tmp");
	check(mkdtemp(p->root) != NULL);
	for (int i = 0; i < 2; i++)
		snprintf(p->volume[i], sizeof(p->volume[i]), "%s/v%d", p->root, i);
	snprintf(p->name, sizeof(p->name), "test-%d-%u", (int)getpid(), made++);
	snprintf(p->shm, sizeof(p->shm), "/dev/shm/patchbay-%s.extents", p->name);
}

static inline void place_empty(const char *dir)
{
	DIR *d = opendir(dir);
	char path[600];

	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		unlink(path);
	}
	if (d != NULL)
		closedir(d);
	rmdir(dir);
}

/* Write the list `finished` of a volume, as the archive does: all its segments up to number `last`. Returns
 * how many. */
static inline unsigned place_finish(const char *dir, uint64_t last)
{
	char path[600];
	struct recording_segment_head h;
	unsigned n = 0;
	FILE *list;
	DIR *d = opendir(dir);

	snprintf(path, sizeof(path), "%s/finished", dir);
	list = fopen(path, "w");
	check(d != NULL && list != NULL);
	for (const struct dirent *e; (e = readdir(d)) != NULL;) {
		FILE *f;

		if (strncmp(e->d_name, "seg-", 4) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		f = fopen(path, "rb");
		check(f != NULL && fread(&h, sizeof(h), 1, f) == 1);
		fclose(f);
		if (h.number > last)
			continue;
		fprintf(list, "%08llx %016llx\n", (unsigned long long)h.number,
			(unsigned long long)h.tag);
		n++;
	}
	closedir(d);
	check_int(fclose(list), 0);
	return n;
}

static inline void place_remove(const struct place *p)
{
	place_empty(p->volume[0]);
	place_empty(p->volume[1]);
	place_empty(p->root);
	unlink(p->shm);
}

static inline struct record_config place_config(const struct place *p, unsigned volumes)
{
	struct record_config c = {
		.name = p->name,
		.volume = {p->volume[0], p->volume[1]},
		.volumes = volumes,
		.workers = 1,
		.extents = 256,
		.taps = 64,
		.window_ms = 200,
		.flush_ms = 20,
		.segment_bytes = 1 << 20,
		.retry_ms = 100,
		.no_catalogue = true, /* what a test counts is what it made */
	};

	return c;
}

static inline void test_id(uint8_t id[16], unsigned n)
{
	memset(id, 0xab, 16);
	id[0] = (uint8_t)(n >> 8);
	id[1] = (uint8_t)n;
}

static inline void test_payload(uint8_t *p, unsigned recording, unsigned channel, uint32_t i)
{
	uint32_t x = recording * 2654435761U ^ channel * 40503U ^ i * 2246822519U;

	for (int k = 0; k < FRAME_LEN; k++) {
		x = x * 1664525U + 1013904223U;
		p[k] = (uint8_t)(x >> 24);
	}
}

static inline enum rec_tap_frame test_frame(struct rec_tap *tap, unsigned recording,
					    unsigned channel, uint32_t i, uint64_t now_ns)
{
	uint8_t payload[FRAME_LEN];
	struct rec_frame f = {
		.now_ns = now_ns,
		.timestamp = 160 * i,
		.seq = (uint16_t)i,
		.channel = (uint8_t)channel,
		.codec = RECORDING_CODEC_PCMU,
		.len = FRAME_LEN,
		.payload = payload,
	};

	test_payload(payload, recording, channel, i);
	return rec_tap_frame(tap, &f);
}

/* What is read of one recording: per channel the frames, checked to the byte. */
struct seen {
	uint32_t frames[2];
	uint64_t lost[2]; /* by LOSS frames */
	uint32_t ends, metadata, marks, pauses, gaps;
	uint32_t reason;
	uint8_t *have[2]; /* by frame number */
};

static inline void seen_free(struct seen *s)
{
	free(s->have[0]);
	free(s->have[1]);
}

static inline void see_audio(struct seen *s, unsigned recording, const struct recording_frame *f)
{
	uint8_t want[FRAME_LEN];
	uint32_t i = f->timestamp / 160;

	check(f->channel < 2 && i < FRAMES_MAX);
	check_int(f->len, FRAME_LEN);
	check_int(f->seq, (uint16_t)i);
	test_payload(want, recording, f->channel, i);
	check(memcmp(want, f->payload, FRAME_LEN) == 0);
	check(!s->have[f->channel][i]); /* no duplicates */
	s->have[f->channel][i] = 1;
	s->frames[f->channel]++;
}

static inline struct seen see_recording(struct recording *r, unsigned recording)
{
	struct seen s = {0};
	struct recording_frame f;
	struct recording_loss_frame l;
	int got;

	s.have[0] = calloc(1, FRAMES_MAX);
	s.have[1] = calloc(1, FRAMES_MAX);
	check(s.have[0] != NULL && s.have[1] != NULL);
	while ((got = recording_next(r, &f)) > 0) {
		s.gaps += f.after_gap;
		if (f.kind == RECORDING_FRAME_AUDIO)
			see_audio(&s, recording, &f);
		s.ends += f.kind == RECORDING_FRAME_END;
		s.metadata += f.kind == RECORDING_FRAME_METADATA;
		s.marks += f.kind == RECORDING_FRAME_MARK;
		s.pauses += f.kind == RECORDING_FRAME_PAUSE;
		if (f.kind == RECORDING_FRAME_END)
			memcpy(&s.reason, f.payload, sizeof(s.reason));
		if (f.kind == RECORDING_FRAME_LOSS) {
			memcpy(&l, f.payload, sizeof(l));
			s.lost[f.channel] += l.frames;
		}
	}
	check_int(got, 0);
	return s;
}

struct damages {
	unsigned n;
	unsigned of[RECORDING_DAMAGE_COUNT];
};

static inline void count_damage(void *ctx, const struct recording_damage *d)
{
	struct damages *s = ctx;

	s->n++;
	s->of[d->kind]++;
	if (getenv("SHOW_DAMAGE") != NULL)
		printf("   %s at %s:%llu seq %lld x%llu %s\n", recording_damage_name(d->kind),
		       d->path != NULL ? d->path : "-", (unsigned long long)d->offset,
		       (long long)d->seq, (unsigned long long)d->count, d->detail);
}

static inline struct recording_store *place_open(const struct place *p)
{
	const char *dir[2] = {p->volume[0], p->volume[1]};
	struct recording_store *st = NULL;

	check_int(recording_store_open(&st, dir, 2), 0);
	return st;
}

static inline struct recording_verdict place_verify(const struct place *p, struct damages *d)
{
	struct recording_store *st = place_open(p);
	struct recording_verdict v = {0};

	*d = (struct damages){0};
	check_int(recording_verify(st, NULL, count_damage, d, &v), 0);
	check_int(v.damages, d->n);
	recording_store_close(st);
	return v;
}

#endif
