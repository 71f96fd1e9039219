/* For tests: the recorder in a world of virtual time, where disks do what they are told.
 *
 * There is one thread. record_turn() does what the recorder and the keeper would do and then lets time
 * go by (record_clock); as it goes by, a millisecond at a time, the calls of the world send their frames.
 * So seconds of a stalled disk take milliseconds, and every run is the same run. Each operation on a
 * volume takes its usual time unless a rule says otherwise.
 *
 * The world knows of each frame whether the tap has taken it, and when it was reported durable; what
 * is in the store afterwards is held against that.
 */
#ifndef RECORD_RECORD_WORLD_H
#define RECORD_RECORD_WORLD_H

#include "record/record_testing.h"
#include "record/shared.h"

enum {
	WORLD_CALLS_MAX = 40,
	WORLD_FRAMES_MAX = 50 * 60, /* of a channel */
	WORLD_RULES_MAX = 8,
	WORLD_FRAME_MS = 20,
	WORLD_WINDOW_MS = 1000,
	WORLD_ANY = 0xff,
	WORLD_STALL = 0,
};

/* From `from_ms` on and until `to_ms` an operation that begins fails with `what`, or waits for `to_ms`. */
struct world_rule {
	unsigned ops, volumes; /* bits */
	uint64_t from_ms, to_ms;
	int what; /* WORLD_STALL, negative errno, RECORD_FAULT_... */
};

struct world_call {
	struct rec_tap *tap; /* NULL: not open */
	uint64_t begin_ns;
	uint32_t sent[2];    /* frames, of each channel */
	uint32_t written[2]; /* of these */
	uint64_t lost[2];
	uint16_t nth[2][WORLD_FRAMES_MAX];    /* the frames that were written, in order */
	uint8_t durable[2][WORLD_FRAMES_MAX]; /* by frame */
	bool taken[2][WORLD_FRAMES_MAX];      /* by frame: written */
};

struct world {
	struct place p;
	struct record *rec;
	struct record_config cfg;
	uint64_t begin_ns, now_ns;
	bool sending;
	unsigned calls;
	struct world_call *call;
	struct world_rule rule[WORLD_RULES_MAX];
	unsigned rules;
	unsigned asked[RECORD_OPS], failed[RECORD_OPS];
	uint64_t first_lost_ns, last_lost_ns;
	uint32_t late_ms; /* the longest time from a frame to the report that it is durable */
	unsigned lost_with_room;
	bool alarm[RECORD_ALARM_LOSS + 1]; /* which have been */
	uint32_t lag_ms;                   /* the most that was told */
	/* Told of operations as they begin and end, for images of the disk. */
	void (*begins)(struct world *w, enum record_op op, unsigned volume);
	void (*ended)(struct world *w, enum record_op op, unsigned volume, int result);
	void (*tick)(struct world *w); /* each millisecond */
	void *more;                    /* the test's */
};

static inline uint64_t world_ms(const struct world *w)
{
	return (w->now_ns - w->begin_ns) / PB_NS_PER_MS;
}

static inline int world_fault(void *ctx, enum record_op op, unsigned volume)
{
	static const int usual_ms[RECORD_OPS] = {[RECORD_OP_CREATE] = 20,
						 [RECORD_OP_WRITE] = 3,
						 [RECORD_OP_SYNC] = 12,
						 [RECORD_OP_SEAL] = 15};
	struct world *w = ctx;
	uint64_t ms = world_ms(w);

	w->asked[op]++;
	if (w->begins != NULL)
		w->begins(w, op, volume);
	for (unsigned i = 0; i < w->rules; i++) {
		const struct world_rule *r = &w->rule[i];

		if ((r->ops & 1U << op) == 0 || (r->volumes & 1U << volume) == 0 ||
		    ms < r->from_ms || ms >= r->to_ms)
			continue;
		if (r->what != WORLD_STALL)
			return r->what;
		return (int)(r->to_ms - ms) + usual_ms[op];
	}
	return usual_ms[op];
}

static inline void world_done(void *ctx, enum record_op op, unsigned volume, int result)
{
	struct world *w = ctx;

	w->failed[op] += result != 0;
	if (w->ended != NULL)
		w->ended(w, op, volume, result);
}

static inline uint64_t world_frame_ns(const struct world_call *c, uint32_t i)
{
	return c->begin_ns + (uint64_t)(i + 1) * WORLD_FRAME_MS * PB_NS_PER_MS;
}

static inline void world_durable(void *ctx, const struct recording_extent_head *h)
{
	struct world *w = ctx;
	unsigned n = (unsigned)(h->id[0] << 8 | h->id[1]);
	struct world_call *c = &w->call[n];

	check(n < w->calls);
	for (int ch = 0; ch < 2; ch++)
		for (uint64_t k = h->channel[ch].written_before; k < h->channel[ch].written; k++) {
			uint32_t i = c->nth[ch][k];
			uint64_t ms = (w->now_ns - world_frame_ns(c, i)) / PB_NS_PER_MS;

			check(k < c->written[ch]);
			c->durable[ch][i] = 1;
			if (ms > w->late_ms)
				w->late_ms = (uint32_t)ms;
		}
}

static inline void world_sleep_until(void *ctx, uint64_t ns);

/* A call begins with the next millisecond. */
static inline void world_open(struct world *w, unsigned n)
{
	struct world_call *c = &w->call[n];
	uint8_t id[16];

	world_sleep_until(w, w->now_ns + PB_NS_PER_MS - w->now_ns % PB_NS_PER_MS);
	test_id(id, n);
	c->begin_ns = w->now_ns;
	check_int(rec_tap_open(record_worker(w->rec, 0), id, "{}", w->now_ns, &c->tap), 0);
}

static inline void world_send(struct world *w, unsigned n)
{
	struct world_call *c = &w->call[n];
	struct rec_worker *rw = record_worker(w->rec, 0);

	for (unsigned ch = 0; ch < 2; ch++) {
		uint32_t i = c->sent[ch]++;

		check(i < WORLD_FRAMES_MAX);
		check_int(world_frame_ns(c, i), w->now_ns);
		c->taken[ch][i] = test_frame(c->tap, n, ch, i, w->now_ns) == REC_TAP_FRAME_WRITTEN;
		if (c->taken[ch][i]) {
			c->nth[ch][c->written[ch]++] = (uint16_t)i;
			continue;
		}
		c->lost[ch]++;
		if (w->first_lost_ns == 0)
			w->first_lost_ns = w->now_ns;
		w->last_lost_ns = w->now_ns;
		w->lost_with_room += atomic_load(&rw->free_extents) + spsc_held(&rw->freed) != 0;
	}
}

static inline struct record_stats world_stats(const struct world *w)
{
	struct record_stats st;

	record_stats(w->rec, &st);
	return st;
}

static inline uint64_t world_now(void *ctx)
{
	return ((struct world *)ctx)->now_ns;
}

static inline void world_look(struct world *w)
{
	struct record_stats st = world_stats(w);

	w->alarm[st.alarm] = true;
	if (st.lag_ms > w->lag_ms)
		w->lag_ms = st.lag_ms;
}

static inline void world_tick(struct world *w)
{
	for (unsigned n = 0; n < w->calls; n++)
		if (w->call[n].tap != NULL &&
		    (w->now_ns - w->call[n].begin_ns) / PB_NS_PER_MS % WORLD_FRAME_MS == 0)
			world_send(w, n);
	rec_tap_age(record_worker(w->rec, 0), w->now_ns);
	if (w->tick != NULL)
		w->tick(w);
}

static inline void world_sleep_until(void *ctx, uint64_t ns)
{
	struct world *w = ctx;
	uint64_t next;

	if (w->rec != NULL)
		world_look(w);
	while ((next = w->now_ns - w->now_ns % PB_NS_PER_MS + PB_NS_PER_MS) <= ns) {
		w->now_ns = next;
		if (w->sending)
			world_tick(w);
	}
	if (w->now_ns < ns)
		w->now_ns = ns;
}

/* A world before its begin: change `cfg` and the rules, then world_begin(). */
static inline void world_make(struct world *w, unsigned volumes, unsigned calls)
{
	*w = (struct world){.begin_ns = 1000 * PB_NS_PER_S, .calls = calls};
	w->now_ns = w->begin_ns;
	w->call = calloc(WORLD_CALLS_MAX, sizeof(*w->call));
	check(w->call != NULL && calls <= WORLD_CALLS_MAX);
	place_make(&w->p);
	w->cfg = place_config(&w->p, volumes);
	w->cfg.shm_dir = w->p.root; /* its time is not that of those who look into /dev/shm */
	w->cfg.extents = 1024;
	w->cfg.window_ms = WORLD_WINDOW_MS;
	w->cfg.flush_ms = 250;
	w->cfg.retry_ms = 500;
	w->cfg.fault = world_fault;
	w->cfg.fault_done = world_done;
	w->cfg.durable = world_durable;
	w->cfg.fault_ctx = w;
	w->cfg.clock = (struct record_clock){world_now, world_sleep_until, w};
}

static inline void world_rule(struct world *w, struct world_rule r)
{
	check(w->rules < WORLD_RULES_MAX);
	w->rule[w->rules++] = r;
}

/* Let time go by until `ms` after the world's begin. */
static inline void world_run(struct world *w, uint64_t ms)
{
	while (world_ms(w) < ms)
		record_turn(w->rec);
}

/* The recorder begins, then the calls from `first` on, a millisecond after one another. */
static inline void world_begin_from(struct world *w, unsigned first)
{
	check_int(record_start(&w->cfg, &w->rec), 0);
	w->sending = true;
	for (unsigned n = first; n < w->calls; n++)
		world_open(w, n);
}

static inline void world_begin(struct world *w)
{
	world_begin_from(w, 0);
}

static inline void world_end(struct world *w, int result)
{
	w->sending = false;
	check_int(record_stop(w->rec), result);
	w->rec = NULL;
	for (unsigned n = 0; n < w->calls; n++)
		w->call[n].tap = NULL;
}

/* What the LOSS frames of a recording say. */
struct world_losses {
	uint64_t frames[2];
	uint64_t from_ns, to_ns; /* the earliest and the latest */
	uint32_t reasons;        /* bits */
};

static inline void world_see_loss(struct world_losses *l, const struct recording_frame *f)
{
	struct recording_loss_frame x;

	memcpy(&x, f->payload, sizeof(x));
	l->frames[f->channel] += x.frames;
	l->reasons |= 1U << x.loss;
	if (l->from_ns == 0 || x.from_mono_ns < l->from_ns)
		l->from_ns = x.from_mono_ns;
	if (x.to_mono_ns > l->to_ns)
		l->to_ns = x.to_mono_ns;
}

/* Recording `n` holds exactly the frames that its tap took, to the byte, and its losses are those that
 * happened. */
static inline void world_check_call(const struct world *w, struct recording_store *st, unsigned n,
				    struct world_losses *l)
{
	const struct world_call *c = &w->call[n];
	struct recording_frame f;
	struct recording *r;
	struct seen s = {0};
	uint8_t id[16];
	int got;

	test_id(id, n);
	check_int(recording_open(st, id, NULL, NULL, &r), 0);
	check(recording_info(r)->complete);
	s.have[0] = calloc(1, FRAMES_MAX);
	s.have[1] = calloc(1, FRAMES_MAX);
	check(s.have[0] != NULL && s.have[1] != NULL);
	while ((got = recording_next(r, &f)) > 0) {
		if (f.kind == RECORDING_FRAME_AUDIO)
			see_audio(&s, n, &f);
		else if (f.kind == RECORDING_FRAME_LOSS)
			world_see_loss(l, &f);
	}
	check_int(got, 0);
	for (unsigned ch = 0; ch < 2; ch++) {
		check_int(s.frames[ch], c->written[ch]);
		check_int(recording_info(r)->account.channel[ch].written, c->written[ch]);
		check_int(recording_info(r)->account.channel[ch].lost, c->lost[ch]);
		check_int(recording_info(r)->account.channel[ch].accepted, c->sent[ch]);
		for (uint32_t i = 0; i < c->sent[ch]; i++)
			check_int(s.have[ch][i], c->taken[ch][i]);
	}
	seen_free(&s);
	recording_close(r);
}

/* After the end: the store is whole and says what happened. */
static inline struct world_losses world_check(const struct world *w)
{
	struct recording_store *st = place_open(&w->p);
	struct world_losses all = {0};
	uint64_t lost[2] = {0};
	struct damages d;

	place_verify(&w->p, &d);
	check_int(d.n, 0);
	for (unsigned n = 0; n < w->calls; n++) {
		world_check_call(w, st, n, &all);
		lost[0] += w->call[n].lost[0];
		lost[1] += w->call[n].lost[1];
	}
	check_int(all.frames[0], lost[0]);
	check_int(all.frames[1], lost[1]);
	check_int(w->lost_with_room, 0); /* nothing that memory could have held */
	if (lost[0] + lost[1] != 0) {
		check_int(all.from_ns, w->first_lost_ns);
		check_int(all.to_ns, w->last_lost_ns);
	}
	recording_store_close(st);
	return all;
}

static inline uint64_t world_lost(const struct world *w)
{
	uint64_t lost = 0;

	for (unsigned n = 0; n < w->calls; n++)
		lost += w->call[n].lost[0] + w->call[n].lost[1];
	return lost;
}

static inline void world_free(struct world *w)
{
	free(w->call);
	place_remove(&w->p);
}

#endif
