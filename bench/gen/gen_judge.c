/* SPDX-License-Identifier: Apache-2.0
 *
 * The log is sorted by stream first (a counting sort that keeps its order), then each stream is judged by
 * itself: its SRTP context, its bits and its last numbers are then in the cache.
 */
#include "gen_judge.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "gen_srtp.h"
#include "net/net.h"
#include "rtp/rtp.h"

enum {
	PORTS = 65536,
	NOBODY = UINT32_MAX,
	FLAT_OCTETS = 4, /* a payload of so few says nothing (DTX, comfort noise) */
	RTP_AT = NET_IP4_BYTES + NET_UDP_BYTES,
	DEAF_SHARE = 10, /* a tenth missing */
	WINDOW_ROUNDS = 5,
};

/* Collected samples in nanoseconds. */
struct samples {
	uint32_t *ns;
	size_t n, max;
};

struct judge {
	const struct gen_script *s;
	const struct gen_slot *film;
	struct gen_heard *log;
	uint64_t begin_ns, from_ns; /* of the film; of what counts */
	struct gen_verdict *v;
	struct samples delay, jitter, late;
	uint8_t *seen;      /* a byte a round, of the stream at hand */
	uint32_t *delay_at; /* ns + 1 by slot; 0: lost or not to be judged */
	int64_t *
		early; /* of the counted stream at hand: arrival less the time its number stands for */
	bool *exact; /* by stream: somebody must hear it bit for bit */
};

/* Of the stream at hand. */
struct track {
	uint32_t stream, last_round;
	uint64_t last_ns, last_delay;
	uint64_t heard, first_seq, last_seq;
	uint64_t kept, flat; /* frames looked into, without a change in them */
	uint64_t keys;
	uint32_t key_ts;
	bool begun, keyed;
};

static bool samples_make(struct samples *s, size_t max)
{
	*s = (struct samples){.ns = malloc((max + 1) * sizeof(*s->ns)), .max = max};
	return s->ns != NULL;
}

static void sample(struct samples *s, uint64_t ns)
{
	if (s->n < s->max)
		s->ns[s->n++] = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static double at(const struct samples *s, double quantile)
{
	return s->ns[(size_t)(quantile * (double)(s->n - 1))] / 1e3;
}

static struct gen_quantiles quantiles(struct samples *s)
{
	if (s->n == 0)
		return (struct gen_quantiles){0};
	qsort(s->ns, s->n, sizeof(*s->ns), by_size);
	return (struct gen_quantiles){.p50 = at(s, 0.5),
				      .p90 = at(s, 0.9),
				      .p99 = at(s, 0.99),
				      .p999 = at(s, 0.999),
				      .max = at(s, 1)};
}

/* Streams by port; those of one port are told apart by address, linked by `next`. */
struct address_book {
	uint32_t by_port[PORTS];
	uint32_t *next;
};

static bool book_make(struct address_book *b, const struct gen_script *s)
{
	memset(b->by_port, 0xff, sizeof(b->by_port));
	b->next = malloc(s->streams * sizeof(*b->next));
	if (b->next == NULL)
		return false;
	for (uint32_t i = 0; i < s->streams; i++) {
		b->next[i] = b->by_port[s->stream[i].port];
		b->by_port[s->stream[i].port] = i;
	}
	return true;
}

/* The stream a frame of the log was for, or NOBODY. */
static uint32_t addressee(const struct address_book *b, const struct gen_script *s,
			  const struct gen_heard *h, struct gen_verdict *v)
{
	uint32_t i;

	if (h->kept < RTP_AT + RTP_HEADER_LEN || h->packet[0] != 0x45) {
		v->strange++;
		return NOBODY;
	}
	i = b->by_port[be16_get(h->packet + NET_IP4_BYTES + 2)];
	while (i != NOBODY && memcmp(s->stream[i].ip, h->packet + 16, 4) != 0)
		i = b->next[i];
	if (rtp_is_rtcp(h->packet + RTP_AT, h->len - RTP_AT) ||
	    (i == NOBODY && be16_get(h->packet + NET_IP4_BYTES + 2) & 1))
		v->rtcp++;
	else if (i != NOBODY)
		return i;
	else
		v->strange++;
	return NOBODY;
}

/* A frame that is to be its partner's, bit for bit. */
static void judge_exact(struct judge *j, struct track *t, const struct gen_heard *h,
			const uint8_t *payload, size_t len)
{
	size_t kept = (size_t)(h->packet + h->kept - payload);
	uint8_t want[GEN_PAYLOAD];
	uint32_t partner = (uint32_t)j->s->stream[t->stream].hears, round;
	uint64_t delay;

	if (len != GEN_PAYLOAD || memcmp(payload, "PBGN", 4) != 0 ||
	    be32_get(payload + 4) != partner || (round = be32_get(payload + 8)) >= j->s->rounds) {
		j->v->corrupt += h->heard_ns >= j->from_ns;
		return;
	}
	if (round < j->s->warm)
		return;
	gen_payload(want, partner, round);
	if (memcmp(want, payload, kept < GEN_PAYLOAD ? kept : GEN_PAYLOAD) != 0) {
		j->v->corrupt++;
		return;
	}
	if (j->seen[round]++) {
		j->v->repeated++;
		return;
	}
	j->v->heard++;
	j->v->reordered += t->begun && round < t->last_round;
	delay = h->heard_ns - j->film[gen_slot_at(j->s, partner, round)].sent_ns;
	sample(&j->delay, delay);
	j->delay_at[gen_slot_at(j->s, partner, round)] =
		delay >= UINT32_MAX ? UINT32_MAX : (uint32_t)delay + 1;
	if (t->begun)
		sample(&j->jitter,
		       delay > t->last_delay ? delay - t->last_delay : t->last_delay - delay);
	t->begun = true;
	t->last_round = round;
	t->last_delay = delay;
}

/* A telephone-event: all packets of a press have its time stamp. */
static void judge_key(struct track *t, const struct rtp_view *view, size_t len)
{
	if (len < 4 || (t->keyed && view->ts == t->key_ts))
		return;
	t->keyed = true;
	t->key_ts = view->ts;
	t->keys++;
}

/* The presses of a whole film. */
static uint64_t keys_pressed(const struct gen_script *s, uint32_t stream)
{
	uint64_t n = 0;

	for (uint32_t r = 0; r < s->rounds; r++)
		n += s->stream[stream].talks &&
		     gen_press_frame(s, stream, r) == GEN_PRESS_ROUNDS - 1;
	return n;
}

static bool is_flat(const uint8_t *payload, size_t len)
{
	return len <= FLAT_OCTETS || memcmp(payload, payload + 1, len - 1) == 0;
}

/* A frame of whatever sound: numbers, times, and whether anything is in it. */
static void judge_counted(struct judge *j, struct track *t, const struct gen_heard *h, uint16_t seq,
			  const uint8_t *payload, size_t len)
{
	uint64_t wide = (UINT64_C(1) << 32) + seq;

	if (h->heard_ns < j->from_ns)
		return;
	if (h->kept == h->len) {
		t->kept++;
		t->flat += is_flat(payload, len);
	}
	if (!t->begun) {
		t->first_seq = t->last_seq = wide;
	} else {
		uint64_t gap = h->heard_ns - t->last_ns;

		wide = t->last_seq + (uint64_t)(int64_t)(int16_t)(seq - (uint16_t)t->last_seq);
		j->v->reordered += wide < t->last_seq;
		j->v->repeated += wide == t->last_seq;
		if (wide > t->last_seq)
			t->last_seq = wide;
		sample(&j->jitter, gap > GEN_ROUND_NS ? gap - GEN_ROUND_NS : GEN_ROUND_NS - gap);
	}
	t->begun = true;
	t->last_ns = h->heard_ns;
	j->early[t->heard++] = (int64_t)(h->heard_ns - j->begin_ns) -
			       (int64_t)(wide - t->first_seq) * GEN_ROUND_NS;
}

static void counted_end(struct judge *j, const struct track *t)
{
	uint64_t expected = j->s->rounds - j->s->warm;
	uint64_t span = t->begun ? t->last_seq - t->first_seq + 1 : 0;

	j->v->heard += t->heard;
	j->v->lost += span > t->heard ? span - t->heard : 0;
	j->v->due += span;
	j->v->deaf += t->heard < expected - expected / DEAF_SHARE;
	j->v->silent += t->kept > 0 && t->flat * 2 > t->kept;

	int64_t soonest = INT64_MAX;

	for (uint64_t k = 0; k < t->heard; k++)
		soonest = j->early[k] < soonest ? j->early[k] : soonest;
	for (uint64_t k = 0; k < t->heard; k++)
		sample(&j->delay, (uint64_t)(j->early[k] - soonest));
}

static void exact_end(struct judge *j, const struct track *t)
{
	uint32_t partner = (uint32_t)j->s->stream[t->stream].hears;

	uint64_t keys = keys_pressed(j->s, partner);

	for (uint32_t r = j->s->warm; r < j->s->rounds; r++) {
		if (j->film[gen_slot_at(j->s, partner, r)].sent_ns == 0 ||
		    gen_press_frame(j->s, partner, r) >= 0)
			continue;
		j->v->due++;
		j->v->lost += j->seen[r] == 0;
	}
	j->v->keys += keys;
	j->v->keys_lost += keys > t->keys ? keys - t->keys : t->keys - keys;
}

/* Whether the filter kept as much of a frame as is read of it. */
static bool readable(const struct gen_heard *h)
{
	return h->kept >= h->len || h->kept >= GEN_HEARD_SHORT;
}

/* Open up to GEN_SRTP_MANY frames of one stream; what does not open becomes empty. */
static void open_many(const struct judge *j, struct gen_srtp *srtp, const uint32_t *order,
		      unsigned n)
{
	struct gen_srtp_packet p[GEN_SRTP_MANY];
	struct gen_heard *of[GEN_SRTP_MANY];
	unsigned count = 0;

	for (unsigned k = 0; k < n; k++) {
		struct gen_heard *h = &j->log[order[k]];

		if (!readable(h))
			continue;
		of[count] = h;
		p[count++] = (struct gen_srtp_packet){.data = h->packet + RTP_AT,
						      .len = (uint16_t)(h->len - RTP_AT)};
	}
	gen_srtp_unprotect(srtp, p, count);
	for (unsigned k = 0; k < count; k++) {
		bool whole = of[k]->kept == of[k]->len;

		of[k]->len = (uint16_t)(RTP_AT + (p[k].good ? p[k].len : 0));
		if (whole)
			of[k]->kept = of[k]->len;
	}
}

/* All frames of one stream in the order in which they came: log[order[0 .. n)]. */
static bool judge_stream(struct judge *j, uint32_t stream, const uint32_t *order, uint64_t n)
{
	const struct gen_stream *g = &j->s->stream[stream];
	struct gen_srtp *srtp = g->secure ? gen_srtp_open(stream, g->hear_key, false) : NULL;
	struct track t = {.stream = stream};

	if (g->secure && srtp == NULL)
		return false;
	memset(j->seen, 0, j->s->rounds);
	for (uint64_t k = 0; k < n; k++) {
		struct gen_heard *h = &j->log[order[k]];
		uint8_t *rtp = h->packet + RTP_AT;
		struct rtp_view view;

		if (srtp != NULL && k % GEN_SRTP_MANY == 0)
			open_many(j, srtp, order + k,
				  n - k < GEN_SRTP_MANY ? (unsigned)(n - k) : GEN_SRTP_MANY);
		if (!readable(h))
			j->v->corrupt++;
		else if (rtp_parse(&view, rtp, (size_t)(h->len - RTP_AT)) != RTP_OK)
			j->v->corrupt += h->heard_ns >= j->from_ns;
		else if (g->hears >= 0 && view.pt == GEN_PT_EVENT)
			judge_key(&t, &view, view.payload_len);
		else if (g->hears >= 0)
			judge_exact(j, &t, h, rtp + view.payload_at, view.payload_len);
		else
			judge_counted(j, &t, h, view.seq, rtp + view.payload_at, view.payload_len);
	}
	if (g->hears >= 0)
		exact_end(j, &t);
	else
		counted_end(j, &t);
	gen_srtp_close(srtp);
	return true;
}

static void judge_sending(struct judge *j)
{
	for (uint64_t k = (uint64_t)j->s->warm * j->s->per_round;
	     k < (uint64_t)j->s->rounds * j->s->per_round; k++) {
		uint64_t due = j->begin_ns + k * GEN_ROUND_NS / j->s->per_round;

		if (j->film[k].sent_ns == 0)
			continue;
		j->v->sent++;
		sample(&j->late, j->film[k].sent_ns - due);
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *v, size_t n)
{
	if (n == 0)
		return 0;
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

/* The rounds [round, round + WINDOW_ROUNDS): delay and lateness into the samples; returns the loss. */
static double window_read(const struct judge *j, uint32_t round, struct samples *delay,
			  struct samples *late)
{
	uint64_t end = (uint64_t)(round + WINDOW_ROUNDS) * j->s->per_round, sent = 0, heard = 0;

	delay->n = late->n = 0;
	for (uint64_t k = (uint64_t)round * j->s->per_round; k < end; k++) {
		int32_t whose = j->s->at[k % j->s->per_round];

		if (j->film[k].sent_ns == 0)
			continue;
		sample(late,
		       j->film[k].sent_ns - (j->begin_ns + k * GEN_ROUND_NS / j->s->per_round));
		if (whose == GEN_NOBODY || !j->exact[whose] ||
		    gen_press_frame(j->s, (uint32_t)whose, (uint32_t)(k / j->s->per_round)) >= 0)
			continue;
		sent++;
		if (j->delay_at[k] == 0)
			continue;
		heard++;
		sample(delay, j->delay_at[k] - 1);
	}
	return sent > 0 ? 1e6 * (double)(sent - heard) / (double)sent : 0;
}

static bool judge_windows(struct judge *j)
{
	size_t most = (j->s->rounds - j->s->warm) / WINDOW_ROUNDS, n = 0;
	struct samples delay = {0}, late = {0};
	double *v = calloc(4 * (most + 1), sizeof(*v));
	bool good = v != NULL && samples_make(&delay, (size_t)j->s->per_round * WINDOW_ROUNDS) &&
		    samples_make(&late, (size_t)j->s->per_round * WINDOW_ROUNDS);

	for (; good && n < most; n++) {
		double loss =
			window_read(j, j->s->warm + (uint32_t)n * WINDOW_ROUNDS, &delay, &late);
		struct gen_quantiles d = quantiles(&delay);

		v[n] = d.p50;
		v[most + n] = d.p99;
		v[2 * most + n] = quantiles(&late).p99;
		v[3 * most + n] = loss;
	}
	if (good) {
		j->v->window.delay_p50 = median(v, n);
		j->v->window.delay_p99 = median(v + most, n);
		j->v->window.late_p99 = median(v + 2 * most, n);
		j->v->window.loss_ppm = median(v + 3 * most, n);
	}
	free(delay.ns);
	free(late.ns);
	free(v);
	return good;
}

/* first[i] .. first[i + 1]: stream i's frames in `order`. */
static bool sort(struct judge *j, uint64_t heard, uint32_t *first, uint32_t *order)
{
	struct address_book *book = malloc(sizeof(*book));
	uint32_t *whose = malloc((heard + 1) * sizeof(*whose));
	bool good = book != NULL && whose != NULL && book_make(book, j->s);

	for (uint64_t k = 0; good && k < heard; k++) {
		whose[k] = addressee(book, j->s, &j->log[k], j->v);
		if (whose[k] != NOBODY)
			first[whose[k] + 1]++;
	}
	for (uint32_t i = 0; good && i < j->s->streams; i++)
		first[i + 1] += first[i];
	for (uint64_t k = heard; good && k-- > 0;)
		if (whose[k] != NOBODY)
			order[--first[whose[k] + 1]] = (uint32_t)k;
	if (good) { /* each has been counted down to where its own begin */
		memmove(first, first + 1, j->s->streams * sizeof(*first));
		first[j->s->streams] = 0;
		for (uint64_t k = 0; k < heard; k++)
			first[j->s->streams] += whose[k] != NOBODY;
		free(book->next);
	}
	free(book);
	free(whose);
	return good;
}

bool gen_judge(struct gen_verdict *v, const struct gen_script *s, const struct gen_slot *film,
	       struct gen_heard *log, uint64_t heard, uint64_t begin_ns)
{
	struct judge j = {.s = s, .film = film, .log = log, .begin_ns = begin_ns, .v = v};
	uint32_t *first = calloc(s->streams + 2, sizeof(*first));
	uint32_t *order = malloc((heard + 1) * sizeof(*order));
	bool good;

	*v = (struct gen_verdict){0};
	j.from_ns = begin_ns + (uint64_t)s->warm * GEN_ROUND_NS;
	j.seen = malloc(s->rounds + 1);
	j.delay_at = calloc((size_t)s->rounds * s->per_round, sizeof(*j.delay_at));
	j.early = malloc((heard + 1) * sizeof(*j.early));
	j.exact = calloc(s->streams, sizeof(*j.exact));
	good = samples_make(&j.delay, heard) && samples_make(&j.jitter, heard) &&
	       samples_make(&j.late, (size_t)s->rounds * s->per_round) && first != NULL &&
	       order != NULL && j.seen != NULL && j.delay_at != NULL && j.early != NULL &&
	       j.exact != NULL && sort(&j, heard, first, order);
	for (uint32_t i = 0; good && i < s->streams; i++)
		if (s->stream[i].hears >= 0)
			j.exact[s->stream[i].hears] = true;
	for (uint32_t i = 0; good && i < s->streams; i++)
		good = judge_stream(&j, i, order + first[i], first[i + 1] - first[i]);
	good = good && judge_windows(&j);
	if (good) {
		judge_sending(&j);
		v->delay = quantiles(&j.delay);
		v->jitter = quantiles(&j.jitter);
		v->late = quantiles(&j.late);
	}
	free(j.delay.ns);
	free(j.jitter.ns);
	free(j.late.ns);
	free(j.seen);
	free(j.delay_at);
	free(j.early);
	free(j.exact);
	free(order);
	free(first);
	return good;
}
