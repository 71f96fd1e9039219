/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader: damaged stores, and exports whose two channels must stand beside each other.
 */
#include <math.h>

#include <sndfile.h>
#include <sys/mman.h>

#include "codec/codec.h"
#include "libpatchbay/recording_segment.h"
#include "record/record_testing.h"

enum { CALLS = 3, FRAMES = 400 };

/* --- damage --- */

/* A small store of one segment; its bytes in memory, to be damaged again and again. */
struct victim {
	struct place p;
	char path[200];
	uint8_t *bytes;
	size_t len;
	uint64_t data_end;
};

static void victim_make(struct victim *v)
{
	struct record *rec;
	struct rec_tap *tap[CALLS];
	struct stat st;
	uint64_t now = mono_now_ns();

	place_make(&v->p);

	struct record_config cfg = place_config(&v->p, 1);

	check_int(record_start(&cfg, &rec), 0);
	for (unsigned c = 0; c < CALLS; c++) {
		uint8_t id[16];

		test_id(id, c);
		check_int(rec_tap_open(record_worker(rec, 0), id, "{}", now, &tap[c]), 0);
	}
	for (uint32_t i = 0; i < FRAMES; i++)
		for (unsigned c = 0; c < CALLS; c++)
			test_frame(tap[c], c, i % 2, i / 2, now + i * 10 * PB_NS_PER_MS);
	check_int(record_stop(rec), 0);
	snprintf(v->path, sizeof(v->path), "%s/seg-00000000.pbseg", v->p.volume[0]);
	check_int(stat(v->path, &st), 0);
	v->len = (size_t)st.st_size;
	v->bytes = malloc(v->len);
	check(v->bytes != NULL);

	FILE *f = fopen(v->path, "rb");

	check(f != NULL && fread(v->bytes, 1, v->len, f) == v->len);
	fclose(f);

	struct recording_index_tail t;

	memcpy(&t, v->bytes + v->len - sizeof(t), sizeof(t));
	check(t.magic == RECORDING_INDEX_MAGIC);
	v->data_end = t.data_end;
}

static void victim_write(const struct victim *v, const uint8_t *bytes, size_t len)
{
	FILE *f = fopen(v->path, "wb");

	check(f != NULL && fwrite(bytes, 1, len, f) == len);
	check(fclose(f) == 0);
}

static void victim_free(struct victim *v)
{
	free(v->bytes);
	place_remove(&v->p);
}

/* Frames of all recordings that can still be read; each is checked to the byte. */
static uint32_t readable(const struct victim *v)
{
	struct recording_store *st = place_open(&v->p);
	uint32_t n = 0;

	for (unsigned c = 0; c < CALLS; c++) {
		struct recording *r;
		uint8_t id[16];

		test_id(id, c);
		if (recording_open(st, id, NULL, NULL, &r) != 0)
			continue;

		struct seen s = see_recording(r, c);

		n += s.frames[0] + s.frames[1];
		seen_free(&s);
		recording_close(r);
	}
	recording_store_close(st);
	return n;
}

enum { PER_EXTENT_MAX = (RECORDING_EXTENT_BYTES - 256) / (16 + FRAME_LEN) };

static void any_flipped_byte_is_named_and_costs_one_extent_at_most(void)
{
	struct victim v;
	struct damages d;
	uint8_t *copy;
	unsigned seed = 12345;

	victim_make(&v);
	copy = malloc(v.len);
	check(copy != NULL);
	check_int(readable(&v), CALLS * FRAMES);
	for (int round = 0; round < 400; round++) {
		seed = seed * 1103515245U + 12345U;

		/* head and index get their share; zeros between the entries and the tail hold
		 * nothing */
		size_t at = round % 8 == 0   ? seed / 7 % RECORDING_BLOCK
			    : round % 8 == 1 ? v.len - 1 - seed / 7 % 64
					     : seed / 7 % (size_t)v.data_end;

		memcpy(copy, v.bytes, v.len);
		copy[at] ^= (uint8_t)(1U << (seed >> 28 & 7));
		victim_write(&v, copy, v.len);

		struct recording_verdict verdict = place_verify(&v.p, &d);

		if (d.n == 0)
			printf("     offset %zu\n", at);
		check(d.n > 0);
		(void)verdict;

		uint32_t n = readable(&v);

		if (n + PER_EXTENT_MAX < CALLS * FRAMES)
			printf("     offset %zu, %u frames readable\n", at, n);
		check(n + PER_EXTENT_MAX >= CALLS * FRAMES);
	}
	free(copy);
	victim_free(&v);
}

static void a_cut_file_gives_what_is_before_the_cut(void)
{
	struct victim v;
	struct damages d;
	uint32_t before = 0;

	victim_make(&v);
	for (size_t len = 0; len < v.len; len += 1500) {
		victim_write(&v, v.bytes, len);
		place_verify(&v.p, &d);

		uint32_t n = readable(&v);

		check(n >= before); /* more bytes never give less */
		check(d.n > 0 || len < RECORDING_BLOCK);
		before = n;
	}
	check(before + PER_EXTENT_MAX >= CALLS * FRAMES);
	victim_free(&v);
}

static void extents_in_another_order_are_all_read(void)
{
	struct victim v;
	struct damages d;
	uint8_t *copy;

	victim_make(&v);
	copy = malloc(v.len);
	check(copy != NULL);
	memcpy(copy, v.bytes, v.len);
	/* the first two are full: 16 KiB each */
	memcpy(copy + RECORDING_BLOCK, v.bytes + RECORDING_BLOCK + RECORDING_EXTENT_BYTES,
	       RECORDING_EXTENT_BYTES);
	memcpy(copy + RECORDING_BLOCK + RECORDING_EXTENT_BYTES, v.bytes + RECORDING_BLOCK,
	       RECORDING_EXTENT_BYTES);
	victim_write(&v, copy, v.len);
	place_verify(&v.p, &d);
	check_int(d.of[RECORDING_DAMAGE_INDEX_DISAGREES], 2);
	check_int(d.n, 2);
	/* the index is wrong about both: without it everything is there */
	memset(copy + v.len - 64, 0xff, 64);
	victim_write(&v, copy, v.len);
	check_int(readable(&v), CALLS * FRAMES);
	free(copy);
	victim_free(&v);
}

static void an_extent_twice_counts_once(void)
{
	struct victim v;
	struct damages d;
	uint8_t *copy;

	victim_make(&v);
	/* an unsealed segment: data, its first extent again, free space */
	copy = calloc(1, 1 << 20);
	check(copy != NULL);
	memcpy(copy, v.bytes, (size_t)v.data_end);
	memcpy(copy + v.data_end, v.bytes + RECORDING_BLOCK, RECORDING_EXTENT_BYTES);
	victim_write(&v, copy, 1 << 20);
	place_verify(&v.p, &d);
	check_int(d.n, 0);
	check_int(readable(&v), CALLS * FRAMES);
	/* the later one torn: the tail is named, nothing is missing */
	victim_write(&v, copy, (size_t)v.data_end + RECORDING_EXTENT_BYTES - 100);
	place_verify(&v.p, &d);
	check_int(d.n, 2);
	check_int(d.of[RECORDING_DAMAGE_TORN_TAIL], 1);
	check_int(d.of[RECORDING_DAMAGE_LENGTH], 1);
	check_int(readable(&v), CALLS * FRAMES);
	free(copy);
	victim_free(&v);
}

/* The same segment once more, as number 1: every extent is in two places. */
static void any_good_copy_of_an_extent_will_do(void)
{
	struct victim v;
	struct damages d;
	struct recording_segment_head h;
	struct recording_index_tail t;
	uint8_t *copy;

	victim_make(&v);
	copy = malloc(v.len);
	check(copy != NULL);
	memcpy(copy, v.bytes, v.len);
	memcpy(&h, copy, sizeof(h));
	h.number = 1;
	memcpy(copy, &h, sizeof(h));
	h.crc = recording_segment_head_crc(copy);
	memcpy(copy, &h, sizeof(h));
	memcpy(&t, copy + v.len - sizeof(t), sizeof(t));
	t.number = 1;
	t.crc = recording_index_crc((const void *)(copy + t.offset), t.entries, &t);
	memcpy(copy + v.len - sizeof(t), &t, sizeof(t));
	for (int damaged = 0; damaged < 3; damaged++) {
		/* first none, then one extent of the copy, then another one of the original as
		 * well */
		if (damaged == 1)
			copy[RECORDING_BLOCK + 2000] ^= 1;
		if (damaged == 2)
			v.bytes[RECORDING_BLOCK + RECORDING_EXTENT_BYTES + 2000] ^= 1;
		victim_write(&v, v.bytes, v.len);
		v.path[strlen(v.path) - strlen("0.pbseg")] = '1';
		victim_write(&v, copy, v.len);
		v.path[strlen(v.path) - strlen("0.pbseg")] = '0';
		place_verify(&v.p, &d);
		check_int(d.n, damaged);
		check_int(readable(&v), CALLS * FRAMES);
	}
	free(copy);
	victim_free(&v);
}

static void a_store_that_is_not_there_is_said_so(void)
{
	const char *dir = "/nonexistent/store";
	struct recording_store *st;

	check_int(recording_store_open(&st, &dir, 1), -ENOENT);
}

/* --- sound: simulated calls of ten minutes --- */

enum {
	RATE = 8000,
	CALL_S = 600,
	BURST_MS = 20, /* at each full second of engine time */
	PTIME = 160,
};

struct sender {
	double ppm;         /* its clock runs so much fast */
	uint64_t jitter_us; /* up to */
	bool lossless;
	unsigned seed;
	uint32_t timestamp;
	uint16_t seq;
};

static unsigned sender_random(struct sender *s)
{
	s->seed = s->seed * 1103515245U + 12345U;
	return s->seed >> 8;
}

/* Sample `n` of the sender's own clock: a tone in the first 20 ms of each second of engine time. */
static int16_t sound_at(const struct sender *s, uint64_t n)
{
	double t = (double)n / RATE / (1 + s->ppm * 1e-6);
	double in = t - floor(t);

	return in < BURST_MS / 1000.0 ? (int16_t)(8000 * sin(in * 2 * 3.14159265358979 * 1000)) : 0;
}

struct sent {
	uint64_t at_ns;
	uint32_t timestamp;
	uint16_t seq;
	uint8_t payload[PTIME];
};

static int by_arrival(const void *a, const void *b)
{
	const struct sent *x = a, *y = b;

	return x->at_ns < y->at_ns ? -1 : x->at_ns > y->at_ns;
}

/* All frames of a channel as they arrive; `quiet_s` to `quiet_s` + 10 are not sent (DTX), at
 * `jump_s` the source changes. Returns how many. */
static size_t send_all(struct sender *s, struct sent *out, uint64_t start_ns, unsigned quiet_s,
		       unsigned jump_s)
{
	const struct codec *pcmu = codec_of(CODEC_PCMU);
	size_t n = 0;

	for (uint64_t k = 0;; k++) {
		double t = (double)(k * PTIME) / RATE / (1 + s->ppm * 1e-6);
		int16_t pcm[PTIME];
		struct sent *f = &out[n];

		if (t >= CALL_S)
			break;
		if (jump_s != 0 && t >= jump_s) {
			s->timestamp += 0x77777777U;
			s->seq = (uint16_t)(s->seq + 12345);
			jump_s = 0;
		}
		f->timestamp = s->timestamp;
		f->seq = s->seq;
		s->timestamp += PTIME;
		if (quiet_s != 0 && t >= quiet_s && t < quiet_s + 10)
			continue;
		s->seq++;
		for (int i = 0; i < PTIME; i++)
			pcm[i] = sound_at(s, k * PTIME + (uint64_t)i);
		check(pcmu->encode(NULL, f->payload, sizeof(f->payload), pcm, PTIME) == PTIME);
		f->at_ns = start_ns + (uint64_t)(t * 1e9);
		/* mostly little, sometimes the whole; enough to change the order */
		if (s->jitter_us != 0)
			f->at_ns += (uint64_t)sender_random(s) % s->jitter_us *
				    (sender_random(s) % 8 == 0 ? 1000 : 200);
		if (s->lossless || sender_random(s) % 100 != 0) /* 1 % is lost */
			n++;
	}
	qsort(out, n, sizeof(*out), by_arrival);
	return n;
}

static void record_sent(struct record *rec, struct rec_tap *tap, const struct sent *a, size_t an,
			const struct sent *b, size_t bn)
{
	size_t i = 0, k = 0;

	while (i < an || k < bn) {
		bool first = k == bn || (i < an && a[i].at_ns <= b[k].at_ns);
		const struct sent *s = first ? &a[i++] : &b[k++];
		struct rec_frame f = {
			.now_ns = s->at_ns,
			.timestamp = s->timestamp,
			.seq = s->seq,
			.channel = first ? 0 : 1,
			.codec = rec_tap_codec(CODEC_PCMU),
			.len = PTIME,
			.payload = s->payload,
		};

		while (rec_tap_frame(tap, &f) == REC_TAP_FRAME_LOST)
			check(!"an extent was free");
		if ((i + k) % 512 == 0) {
			/* simulated time is faster than any disk */
			struct record_stats st;

			for (int w = 0; w < 500; w++) {
				record_stats(rec, &st);
				if (st.extents_free > st.extents / 2)
					break;
				usleep(2000);
			}
		}
	}
}

static bool loud(const int16_t *pcm, long i, int ch)
{
	return pcm[2 * i + ch] > 2000 || pcm[2 * i + ch] < -2000;
}

/* Where a second's burst begins in a channel, in samples after the second; INT32_MIN: nowhere, or a
 * part of it was lost on the way. */
static int burst_at(const int16_t *pcm, long frames, int ch, int second)
{
	long from = (long)second * RATE - RATE / 4;
	int n = 0;

	for (long i = from < 0 ? 0 : from; i < from + RATE && i + PTIME < frames; i++) {
		if (!loud(pcm, i, ch))
			continue;
		for (long k = 0; k < PTIME; k++)
			n += loud(pcm, i + k, ch);
		return n > PTIME * 11 / 16 ? (int)(i - (long)second * RATE) : INT32_MIN;
	}
	return INT32_MIN;
}

struct alignment {
	int worst;    /* samples between the channels */
	int absolute; /* samples from the engine's second, channel 0 */
	int compared;
};

static struct alignment compare(const char *path)
{
	SF_INFO sf = {0};
	SNDFILE *f = sf_open(path, SFM_READ, &sf);
	struct alignment a = {0};
	int16_t *pcm;

	check(f != NULL && sf.channels == 2 && sf.samplerate == RATE);
	pcm = malloc((size_t)sf.frames * 4);
	check(pcm != NULL && sf_readf_short(f, pcm, sf.frames) == sf.frames);
	sf_close(f);
	check(sf.frames >= (long)CALL_S * RATE - RATE && sf.frames < (long)CALL_S * RATE + RATE);
	for (int s = 1; s < CALL_S - 1; s++) {
		int x = burst_at(pcm, sf.frames, 0, s), y = burst_at(pcm, sf.frames, 1, s);

		if (x == INT32_MIN || y == INT32_MIN)
			continue;
		a.compared++;
		if (abs(x - y) > a.worst)
			a.worst = abs(x - y);
		if (abs(x) > a.absolute)
			a.absolute = abs(x);
	}
	free(pcm);
	return a;
}

static int count_progress(void *ctx, uint64_t done_ns, uint64_t total_ns)
{
	(void)done_ns;
	(void)total_ns;
	(*(int *)ctx)++;
	return 0;
}

static void aligned(double ppm0, uint64_t jitter_us, bool lossless, unsigned quiet_s,
		    unsigned jump_s, int within_ms)
{
	struct place p;
	struct record *rec;
	struct rec_tap *tap;
	struct recording *r;
	struct recording_exported e;
	struct sender customer = {ppm0, jitter_us, lossless, 7, 0xfffff000U, 65500};
	struct sender engine = {0, 0, true, 8, 1000, 1};
	struct sent *a = malloc(CALL_S * 51 * sizeof(*a)), *b = malloc(CALL_S * 51 * sizeof(*b));
	uint64_t start = mono_now_ns();
	uint8_t id[16];
	char wav[120];
	int told = 0;

	check(a != NULL && b != NULL);
	place_make(&p);
	test_id(id, 1);

	struct record_config cfg = place_config(&p, 1);

	cfg.extents = 2048;
	cfg.segment_bytes = 8 << 20;
	check_int(record_start(&cfg, &rec), 0);
	check_int(rec_tap_open(record_worker(rec, 0), id, "{\"call\":\"c1\"}", start, &tap), 0);

	size_t an = send_all(&customer, a, start, quiet_s, jump_s);
	size_t bn = send_all(&engine, b, start, 0, 0);

	record_sent(rec, tap, a, an, b, bn);
	rec_tap_close(tap, RECORDING_END_STOPPED, start + CALL_S * PB_NS_PER_S, NULL);
	check_int(record_stop(rec), 0);

	struct recording_store *st = place_open(&p);

	snprintf(wav, sizeof(wav), "%s/out.wav", p.root);
	check_int(recording_open(st, id, NULL, NULL, &r), 0);

	struct recording_export how = {.path = wav, .progress = count_progress, .ctx = &told};

	check_int(recording_export(r, &how, &e), 0);
	check(told > CALL_S / 2);
	check_int(e.channel[0].frames + e.channel[0].late, an);
	check_int(e.channel[1].frames, bn);
	check_int(e.channel[1].slipped, 0);
	check_int(e.channel[1].restarts, 0);
	check_int(e.channel[0].unknown, 0);

	struct alignment al = compare(wav);

	printf("     %+.0f ppm, jitter %llu us: %d bursts within %.2f ms, slipped %lld samples, "
	       "late "
	       "%llu\n",
	       ppm0, (unsigned long long)jitter_us, al.compared, al.worst * 1000.0 / RATE,
	       (long long)e.channel[0].slipped, (unsigned long long)e.channel[0].late);
	check(al.compared > CALL_S * 9 / 10);
	check(al.worst <= within_ms * RATE / 1000);
	check(al.absolute <= within_ms * RATE / 1000);
	recording_close(r);
	recording_store_close(st);
	free(a);
	free(b);
	place_remove(&p);
}

static void equal_clocks_need_no_slip(void)
{
	aligned(0, 0, true, 0, 0, 1);
}

static void channels_stay_together_over_a_fast_clock(void)
{
	aligned(200, 60000, false, 0, 0, 5);
}

static void channels_stay_together_over_a_slow_clock(void)
{
	aligned(-200, 60000, true, 0, 0, 5);
}

static void silence_and_a_new_source_do_not_disturb(void)
{
	aligned(200, 20000, false, 200, 400, 5);
}

static void opus_is_written_with_tags(void)
{
	struct victim v;
	struct recording *r;
	struct recording_exported e;
	uint8_t id[16], head[4096] = {0};
	char path[120];

	victim_make(&v);
	test_id(id, 2);
	snprintf(path, sizeof(path), "%s/out.opus", v.p.root);

	struct recording_store *st = place_open(&v.p);
	struct recording_export how = {.path = path, .format = RECORDING_FORMAT_OPUS};

	check_int(recording_open(st, id, NULL, NULL, &r), 0);
	check_int(recording_export(r, &how, &e), 0);
	check(e.duration_ms >= 3900 && e.duration_ms <= 4100);

	FILE *f = fopen(path, "rb");

	check(f != NULL && fread(head, 1, sizeof(head), f) > 1000);
	fclose(f);
	check(memcmp(head, "OggS", 4) == 0);
	check(memmem(head, sizeof(head), "TITLE=0002abab", 14) != NULL);
	recording_close(r);
	recording_store_close(st);
	victim_free(&v);
}

static int sum_pcm(void *ctx, const int16_t *pairs, size_t n)
{
	(void)pairs;
	*(uint64_t *)ctx += n;
	return 0;
}

static int refuse_pcm(void *ctx, const int16_t *pairs, size_t n)
{
	(void)ctx;
	(void)pairs;
	(void)n;
	return -ENOSPC;
}

static void an_open_file_gets_the_same_as_a_path(void)
{
	struct victim v;
	struct recording *r;
	struct recording_exported e;
	uint64_t seen = 0;
	uint8_t id[16], *a, *b;
	char path[120];
	int fd = memfd_create("export", MFD_CLOEXEC), file;
	off_t n;

	victim_make(&v);
	test_id(id, 1);
	snprintf(path, sizeof(path), "%s/out.wav", v.p.root);

	struct recording_store *st = place_open(&v.p);
	struct recording_export to_path = {.path = path};
	struct recording_export to_fd = {.fd = fd, .pcm = sum_pcm, .ctx = &seen};

	check_int(recording_open(st, id, NULL, NULL, &r), 0);
	check_int(recording_export(r, &to_path, NULL), 0);
	check_int(recording_export(r, &to_fd, &e), 0);
	check_int(seen * 1000 / RATE, e.duration_ms);
	file = open(path, O_RDONLY);
	n = lseek(file, 0, SEEK_END);
	check(n > (off_t)seen * 4);
	check_int(lseek(fd, 0, SEEK_END), n);
	a = malloc((size_t)n);
	b = malloc((size_t)n);
	check(a != NULL && b != NULL && pread(file, a, (size_t)n, 0) == n &&
	      pread(fd, b, (size_t)n, 0) == n);
	check(memcmp(a, b, (size_t)n) == 0);
	free(a);
	free(b);
	check_int(ftruncate(fd, 0), 0);
	check_int(lseek(fd, 0, SEEK_SET), 0);
	to_fd.format = RECORDING_FORMAT_OPUS;
	check_int(recording_export(r, &to_fd, NULL), 0);
	check(lseek(fd, 0, SEEK_END) > 1000);
	to_fd.pcm = refuse_pcm;
	check_int(recording_export(r, &to_fd, NULL), -ENOSPC);
	close(file);
	close(fd);
	recording_close(r);
	recording_store_close(st);
	victim_free(&v);
}

static int give_up(void *ctx, uint64_t done_ns, uint64_t total_ns)
{
	(void)ctx;
	(void)done_ns;
	(void)total_ns;
	return 1;
}

static void an_export_given_up_leaves_no_file(void)
{
	struct victim v;
	struct recording *r;
	uint8_t id[16];
	char path[120], part[130];

	victim_make(&v);
	test_id(id, 0);
	snprintf(path, sizeof(path), "%s/out.wav", v.p.root);
	snprintf(part, sizeof(part), "%s.part", path);

	struct recording_store *st = place_open(&v.p);
	struct recording_export how = {.path = path, .progress = give_up};

	check_int(recording_open(st, id, NULL, NULL, &r), 0);
	check_int(recording_export(r, &how, NULL), -ECANCELED);
	check(access(path, F_OK) != 0 && access(part, F_OK) != 0);
	how.rate_hz = 11025;
	check_int(recording_export(r, &how, NULL), -EINVAL);
	recording_close(r);
	recording_store_close(st);
	victim_free(&v);
}

static const struct check_case cases[] = {
	CHECK_CASE(any_flipped_byte_is_named_and_costs_one_extent_at_most),
	CHECK_CASE(a_cut_file_gives_what_is_before_the_cut),
	CHECK_CASE(extents_in_another_order_are_all_read),
	CHECK_CASE(an_extent_twice_counts_once),
	CHECK_CASE(any_good_copy_of_an_extent_will_do),
	CHECK_CASE(a_store_that_is_not_there_is_said_so),
	CHECK_CASE(equal_clocks_need_no_slip),
	CHECK_CASE(channels_stay_together_over_a_fast_clock),
	CHECK_CASE(channels_stay_together_over_a_slow_clock),
	CHECK_CASE(silence_and_a_new_source_do_not_disturb),
	CHECK_CASE(opus_is_written_with_tags),
	CHECK_CASE(an_open_file_gets_the_same_as_a_path),
	CHECK_CASE(an_export_given_up_leaves_no_file),
};
CHECK_MAIN(cases)
