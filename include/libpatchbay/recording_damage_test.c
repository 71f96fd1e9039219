/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever happens to the bytes of a store: verification says that something is wrong, all that is still
 * whole is read, and nobody hears another's call.
 *
 * A store over two volumes, with sealed segments, catalogues, masks, pauses and losses, is hurt in every
 * way that we can think of, one to four times at once: bits flipped, blocks zeroed, moved, exchanged and
 * copied between segments, files cut, lengthened, taken away, renamed. What must still be there is known from
 * the bytes alone: an extent that stands where it stood, unchanged. SEED=N repeats, DAMAGE_ROUNDS=10000 is the
 * long version.
 */
#include <sys/stat.h>

#include "record/record_world.h"

enum { CALLS = 8, RUN_MS = 20000, FILES_MAX = 24, EXTENTS_MAX = 1024, ROUNDS_SHORT = 250 };

struct file {
	char name[64]; /* below the root */
	uint8_t *bytes;
	size_t len, room;
	uint8_t *means; /* by byte: 1 = a change of it is damage */
	size_t means_len;
	bool gone;
};

struct extent {
	unsigned file;
	size_t at, len;
	unsigned call;
	uint64_t seq;
	unsigned frames; /* of sound */
};

struct store {
	struct world w;
	struct file original[FILES_MAX], file[FILES_MAX];
	unsigned files, segments; /* the segments come first */
	struct extent extent[EXTENTS_MAX];
	unsigned extents;
	unsigned seed;
};

static unsigned pick(struct store *s, unsigned n)
{
	s->seed = s->seed * 1103515245U + 12345U;
	return (s->seed >> 8) % n;
}

/* --- the store as it was --- */

static void read_file(struct store *s, const char *dir, const char *name)
{
	struct file *f = &s->original[s->files++];
	char path[400];
	struct stat st;
	FILE *in;

	check(s->files <= FILES_MAX);
	snprintf(f->name, sizeof(f->name), "%.4s/%.56s", dir, name);
	snprintf(path, sizeof(path), "%s/%s", s->w.p.root, f->name);
	in = fopen(path, "rb");
	check(in != NULL && fstat(fileno(in), &st) == 0);
	f->len = (size_t)st.st_size;
	f->bytes = malloc(f->len + 1);
	check(f->bytes != NULL && fread(f->bytes, 1, f->len, in) == f->len);
	fclose(in);
}

static void read_files(struct store *s, const char *begin)
{
	static const char *const dirs[2] = {"v0", "v1"};

	for (int v = 0; v < 2; v++) {
		DIR *d = opendir(s->w.p.volume[v]);

		check(d != NULL);
		for (const struct dirent *e; (e = readdir(d)) != NULL;)
			if (strncmp(e->d_name, begin, strlen(begin)) == 0)
				read_file(s, dirs[v], e->d_name);
		closedir(d);
	}
}

/* What means something: the head, the extents, the index's entries and its tail. */
static void know_segment(struct store *s, unsigned i)
{
	struct file *f = &s->original[i];
	struct recording_index_tail t;
	struct recording_index_entry e;

	f->means = calloc(1, f->len + 1);
	f->means_len = f->len;
	check(f->means != NULL && f->len > sizeof(t) + RECORDING_BLOCK);
	memset(f->means, 1, RECORDING_BLOCK);
	memcpy(&t, f->bytes + f->len - sizeof(t), sizeof(t));
	check(t.magic == RECORDING_INDEX_MAGIC);
	memset(f->means + f->len - sizeof(t), 1, sizeof(t));
	memset(f->means + t.offset, 1, t.entries * sizeof(e));
	for (uint32_t k = 0; k < t.entries; k++) {
		struct extent *x = &s->extent[s->extents++];
		struct recording_extent_head h;

		check(s->extents <= EXTENTS_MAX);
		memcpy(&e, f->bytes + t.offset + k * sizeof(e), sizeof(e));
		memcpy(&h, f->bytes + e.offset, sizeof(h));
		*x = (struct extent){.file = i,
				     .at = e.offset,
				     .len = (size_t)recording_pad(e.used, RECORDING_BLOCK),
				     .call = (unsigned)(e.id[0] << 8 | e.id[1]),
				     .seq = e.seq};
		for (int ch = 0; ch < 2; ch++)
			x->frames +=
				(unsigned)(h.channel[ch].written - h.channel[ch].written_before);
		memset(f->means + x->at, 1, x->len);
	}
}

static void store_make(struct store *s, unsigned seed)
{
	struct world *w = &s->w;

	*s = (struct store){.seed = seed};
	world_make(w, 2, CALLS);
	w->cfg.weight[0] = w->cfg.weight[1] = 1;
	w->cfg.extents = 32; /* so that some frames are lost */
	world_rule(w, (struct world_rule){1 << RECORD_OP_WRITE, 3, 4000, 7000, WORLD_STALL});
	world_begin(w);
	world_run(w, 2000);
	rec_tap_mask(w->call[1].tap, REC_MASK_REQUEST, REC_MASK_SAID, "card", w->now_ns);
	world_run(w, 3000);
	rec_tap_mask(w->call[1].tap, REC_MASK_REQUEST, 0, "card", w->now_ns);
	world_run(w, RUN_MS);
	check(world_lost(w) > 0);
	world_end(w, 0);
	check(recording_catalogue_update(w->p.volume[0], 1) > 0);
	check(recording_catalogue_update(w->p.volume[1], 1) > 0);
	read_files(s, "seg-");
	s->segments = s->files;
	check(s->segments >= 3);
	read_files(s, "catalogue-0");
	for (unsigned i = 0; i < s->segments; i++)
		know_segment(s, i);
	for (unsigned i = 0; i < s->files; i++) {
		s->file[i] = s->original[i];
		s->file[i].room = s->original[i].len + (1 << 16);
		s->file[i].bytes = malloc(s->file[i].room);
		check(s->file[i].bytes != NULL);
	}
}

static void store_free(struct store *s)
{
	for (unsigned i = 0; i < s->files; i++) {
		free(s->original[i].bytes);
		free(s->original[i].means);
		free(s->file[i].bytes);
	}
	world_free(&s->w);
}

static void restore(struct store *s)
{
	for (unsigned i = 0; i < s->files; i++) {
		struct file *f = &s->file[i];

		memcpy(f->bytes, s->original[i].bytes, s->original[i].len);
		f->len = s->original[i].len;
		f->gone = false;
		memcpy(f->name, s->original[i].name, sizeof(f->name));
	}
}

static void write_out(const struct store *s)
{
	char path[400];

	for (unsigned i = 0; i < s->files; i++) {
		snprintf(path, sizeof(path), "%s/%s", s->w.p.root, s->original[i].name);
		unlink(path);
	}
	for (unsigned i = 0; i < s->files; i++) {
		const struct file *f = &s->file[i];
		FILE *out;

		if (f->gone)
			continue;
		snprintf(path, sizeof(path), "%s/%s", s->w.p.root, f->name);
		out = fopen(path, "wb");
		check(out != NULL && fwrite(f->bytes, 1, f->len, out) == f->len);
		check_int(fclose(out), 0);
	}
}

/* --- harm --- */

static struct file *any_file(struct store *s)
{
	/* catalogues are hit more rarely: nothing depends on them */
	return &s->file[pick(s, 12) == 0 ? pick(s, s->files) : pick(s, s->segments)];
}

/* Somewhere that matters, mostly; heads, indexes and extents' heads get more than their share. */
static size_t any_place(struct store *s, const struct file *f)
{
	const struct extent *x = &s->extent[pick(s, s->extents)];

	if (f->len < RECORDING_BLOCK)
		return 0;
	switch (pick(s, 6)) {
	case 0:
		return pick(s, RECORDING_BLOCK);
	case 1:
		return f->len - 1 - pick(s, RECORDING_BLOCK);
	case 2:
	case 3:
		return x->at + pick(s, sizeof(struct recording_extent_head)) < f->len
			       ? x->at + pick(s, sizeof(struct recording_extent_head))
			       : 0;
	default:
		return pick(s, (unsigned)f->len);
	}
}

static void flip(struct store *s)
{
	struct file *f = any_file(s);

	if (f->len == 0)
		return;
	f->bytes[any_place(s, f) % f->len] ^= (uint8_t)(1U << pick(s, 8));
}

static size_t any_blocks(struct store *s, const struct file *f, size_t n)
{
	size_t blocks = f->len / RECORDING_BLOCK;

	return blocks > n ? pick(s, (unsigned)(blocks - n)) * (size_t)RECORDING_BLOCK : SIZE_MAX;
}

/* Zero, copy or exchange blocks, of one file or of two. */
static void move_blocks(struct store *s)
{
	uint8_t keep[4 * RECORDING_BLOCK];
	struct file *a = any_file(s), *b = pick(s, 2) == 0 ? a : any_file(s);
	size_t n = 1 + pick(s, 4), len = n * RECORDING_BLOCK;
	size_t from = any_blocks(s, a, n), to = any_blocks(s, b, n);
	unsigned what = pick(s, 3);

	if (from == SIZE_MAX || to == SIZE_MAX)
		return;
	memcpy(keep, b->bytes + to, len);
	if (what == 0)
		memset(b->bytes + to, 0, len);
	else
		memmove(b->bytes + to, a->bytes + from, len);
	if (what == 2)
		memcpy(a->bytes + from, keep, len);
}

static void cut(struct store *s)
{
	struct file *f = any_file(s);

	if (pick(s, 4) == 0) { /* or lengthen */
		size_t more = pick(s, 1 << 16);

		if (f->len + more > f->room)
			return;
		memset(f->bytes + f->len, pick(s, 2) == 0 ? 0 : 0xa5, more);
		f->len += more;
		return;
	}
	if (f->len != 0)
		f->len = pick(s, (unsigned)f->len);
}

static void take_away(struct store *s)
{
	any_file(s)->gone = true;
}

/* Two segments of a volume change their names. */
static void rename_two(struct store *s)
{
	struct file *a = &s->file[pick(s, s->segments)], *b = &s->file[pick(s, s->segments)];
	char keep[64];

	if (a == b || strncmp(a->name, b->name, 2) != 0)
		return;
	memcpy(keep, a->name, sizeof(keep));
	memcpy(a->name, b->name, sizeof(keep));
	memcpy(b->name, keep, sizeof(keep));
}

static void hurt(struct store *s)
{
	static void (*const ways[])(struct store *) = {flip,        flip, flip,      move_blocks,
						       move_blocks, cut,  take_away, rename_two};
	unsigned n = 1 + pick(s, 4);

	for (unsigned i = 0; i < n; i++)
		ways[pick(s, sizeof(ways) / sizeof(ways[0]))](s);
}

/* For whoever repeats a round: what was done. */
static void show(const struct store *s)
{
	for (unsigned i = 0; getenv("SHOW_DAMAGE") != NULL && i < s->files; i++) {
		const struct file *now = &s->file[i], *was = &s->original[i];
		size_t n = 0, first = 0, last = 0;

		for (size_t k = 0; k < now->len && k < was->len; k++)
			if (now->bytes[k] != was->bytes[k]) {
				first = n++ == 0 ? k : first;
				last = k;
			}
		if (now->gone || n != 0 || now->len != was->len ||
		    strcmp(now->name, was->name) != 0)
			printf("   %s is %s%s, %zu bytes (was %zu), %zu differ from %zu to %zu\n",
			       was->name, now->name, now->gone ? " and gone" : "", now->len,
			       was->len, n, first, last);
	}
}

/* --- what is known from the bytes --- */

static bool stands(const struct store *s, const struct extent *x)
{
	const struct file *now = &s->file[x->file], *was = &s->original[x->file];

	return !now->gone && x->at + x->len <= now->len &&
	       memcmp(now->bytes + x->at, was->bytes + x->at, x->len) == 0;
}

/* Has a byte of a segment changed that means something? */
static bool harmed(const struct store *s)
{
	unsigned gone = 0;

	for (unsigned i = 0; i < s->segments; i++)
		gone += s->file[i].gone;
	if (gone == s->segments)
		return false; /* of nothing nothing can be said */
	for (unsigned i = 0; i < s->segments; i++) {
		const struct file *now = &s->file[i], *was = &s->original[i];

		if (now->gone || now->len != was->len || strcmp(now->name, was->name) != 0)
			return true;
		for (size_t k = 0; k < was->len; k++)
			if (was->means[k] && now->bytes[k] != was->bytes[k])
				return true;
	}
	return false;
}

/* Can it still be told which extents of the segment are its own: from its head, or because most of what looks
 * like an extent in it says so? */
static bool tag_known(const struct store *s, unsigned i)
{
	const struct file *now = &s->file[i], *was = &s->original[i];
	struct recording_extent_head h;
	uint64_t tag;
	unsigned own = 0, other = 0;

	if (now->gone || now->len < RECORDING_BLOCK)
		return false;
	if (memcmp(now->bytes, was->bytes, RECORDING_BLOCK) == 0 &&
	    strcmp(now->name, was->name) == 0)
		return true;
	memcpy(&tag, was->bytes + offsetof(struct recording_segment_head, tag), sizeof(tag));
	for (size_t at = RECORDING_BLOCK; at + sizeof(h) <= now->len; at += RECORDING_BLOCK) {
		memcpy(&h, now->bytes + at, sizeof(h));
		if (h.magic == RECORDING_EXTENT_MAGIC && h.tag == tag)
			own++;
		else if (h.magic == RECORDING_EXTENT_MAGIC)
			other++;
	}
	return own > other;
}

/* A segment's head that became that of another segment is believed: then what it holds is the other's. */
static bool head_of_another(const struct store *s, unsigned i)
{
	uint64_t number;
	unsigned named;

	if (s->file[i].gone || s->file[i].len < RECORDING_BLOCK ||
	    memcmp(s->file[i].bytes, s->original[i].bytes, RECORDING_BLOCK) == 0)
		return false;
	memcpy(&number, s->file[i].bytes + offsetof(struct recording_segment_head, number),
	       sizeof(number));
	return sscanf(s->file[i].name + 3, "seg-%8x", &named) == 1 && named == number;
}

/* --- the property --- */

static uint32_t frames_that_stand(const struct store *s, unsigned call)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < s->extents; i++) {
		const struct extent *x = &s->extent[i];

		if (x->call == call && stands(s, x) && tag_known(s, x->file) &&
		    !head_of_another(s, x->file))
			n += x->frames;
	}
	return n;
}

static bool silent(const struct recording_frame *f)
{
	for (uint16_t i = 0; i < f->len; i++)
		if (f->payload[i] != 0xff)
			return false;
	return true;
}

/* Every frame is this call's own, to the byte, and none comes twice. */
static uint32_t own_frames(struct recording *r, unsigned call)
{
	struct recording_frame f;
	struct seen seen = {0};
	uint32_t masked = 0, n;
	int got;

	seen.have[0] = calloc(1, FRAMES_MAX);
	seen.have[1] = calloc(1, FRAMES_MAX);
	check(seen.have[0] != NULL && seen.have[1] != NULL);
	while ((got = recording_next(r, &f)) != 0) {
		if (got < 0) {
			check_int(got, -ESTALE);
			continue;
		}
		if (f.kind != RECORDING_FRAME_AUDIO)
			continue;
		if (f.masked) {
			check(call == 1 && f.channel == 0 && silent(&f));
			masked++;
		} else {
			see_audio(&seen, call, &f);
		}
	}
	n = seen.frames[0] + seen.frames[1] + masked;
	seen_free(&seen);
	return n;
}

static void check_export(struct recording *r, const struct store *s, uint32_t frames)
{
	struct recording_exported e;
	struct recording_export how = {.format = RECORDING_FORMAT_WAV};
	char path[200];

	snprintf(path, sizeof(path), "%s/out.wav", s->w.p.root);
	how.path = path;
	recording_seek(r, 0);

	int err = recording_export(r, &how, &e);

	if (err == -ESTALE)
		return;
	check_int(err, 0);
	check_int(e.channel[0].frames + e.channel[0].late + e.channel[0].unknown +
			  e.channel[1].frames + e.channel[1].late + e.channel[1].unknown,
		  frames);
	unlink(path);
}

static void look(struct store *s, bool with_export)
{
	const char *dirs[2] = {s->w.p.volume[0], s->w.p.volume[1]};
	struct recording_store *st;
	struct recording_verdict v;
	struct damages d = {0};

	check_int(recording_store_open(&st, dirs, 2), 0);
	check_int(recording_verify(st, NULL, count_damage, &d, &v), 0);
	check_int(v.damages, d.n);
	if (harmed(s))
		check(d.n > 0);
	recording_store_close(st);
	check_int(recording_store_open(&st, dirs, 2), 0);
	for (unsigned c = 0; c < CALLS; c++) {
		uint32_t want = frames_that_stand(s, c), frames = 0;
		struct recording *r;
		uint8_t id[16];

		test_id(id, c);
		if (recording_open(st, id, NULL, NULL, &r) == 0) {
			frames = own_frames(r, c);
			if (with_export)
				check_export(r, s, frames);
			recording_close(r);
		}
		if (frames < want)
			printf("     call %u: %u frames read, %u stand\n", c, frames, want);
		check(frames >= want);
	}
	recording_store_close(st);
}

/* One that fails tells how to repeat it. */
static void one_round(struct store *s, bool with_export)
{
	static jmp_buf outer;
	unsigned seed = s->seed;

	memcpy(outer, check_out, sizeof(outer));
	if (setjmp(check_out) != 0) {
		printf("     SEED=%u DAMAGE_ROUNDS=1\n", seed);
		longjmp(outer, 1);
	}
	restore(s);
	hurt(s);
	write_out(s);
	show(s);
	look(s, with_export);
	memcpy(check_out, outer, sizeof(outer));
}

static void whatever_happens_to_the_bytes(void)
{
	const char *given = getenv("SEED"), *many = getenv("DAMAGE_ROUNDS");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 0) : (unsigned)time(NULL);
	unsigned rounds = many != NULL ? (unsigned)strtoul(many, NULL, 10) : ROUNDS_SHORT;
	static struct store s;

	store_make(&s, 0);
	restore(&s);
	write_out(&s);
	check(!harmed(&s));
	look(&s, true);
	for (unsigned i = 0; i < rounds; i++) {
		s.seed = seed + i;
		one_round(&s, i % 8 == 0);
	}
	store_free(&s);
}

static const struct check_case cases[] = {
	CHECK_CASE(whatever_happens_to_the_bytes),
};
CHECK_MAIN(cases)
