/* SPDX-License-Identifier: Apache-2.0
 *
 * The buffer beside a model of it: a map from whole numbers to what became of them, without ring, wrap,
 * clock or policy. For any order of any operations the model foretells every verdict of jbuf_put(), which
 * packet comes next, what is lost and what may be said to help decoding. When something plays, the
 * buffer decides; whether it may say so, the model.
 */
#include "jbuf/jbuf.h"

#include <stdlib.h>

#include "base/ext.h"
#include "base/units.h"
#include "check.h"

enum { SLOTS = 16, KNOWN = 64, NUMBERS = 400000, MIN_MS = 30, MAX_MS = 120 };

enum state { UNSEEN, HELD, VOID, CAME, LOST };

struct model {
	uint8_t *state;
	uint64_t next, newest; /* from 0; the buffer is told 16 bits of them */
	unsigned held;
	bool started, begun;
	struct jbuf_counts counts;
	/* Media time since a packet was READY last, in one talk spurt. */
	uint64_t ready;
	uint64_t lost_ticks, dry_ticks;
	bool unbroken;
};

static uint32_t dice_state;

static uint32_t dice(uint32_t n)
{
	dice_state = dice_state * 1664525U + 1013904223U;
	return (dice_state >> 8) % n;
}

static void *handle_of(uint64_t seq)
{
	return (void *)(uintptr_t)(seq + 1);
}

/* The numbers are passed, whatever is known of them. */
static void pass_to(struct model *m, uint64_t seq)
{
	for (; m->next < seq; m->next++) {
		if (m->state[m->next] == UNSEEN) {
			m->state[m->next] = LOST;
			m->counts.lost++;
		} else {
			check(m->state[m->next] == VOID);
			m->state[m->next] = CAME;
			m->unbroken = false; /* it ends a spurt, silently when the next is due */
		}
	}
	m->begun = true;
}

/* Where the model's ring would be left behind. */
static void jump(struct model *m, uint64_t seq)
{
	m->unbroken = false;
	m->counts.lost += (uint32_t)(seq - m->next);
	for (; m->next < seq; m->next++)
		m->state[m->next] = LOST; /* what came before a jump is forgotten */
	m->begun = true;
}

static enum jbuf_put foretell_put(struct model *m, uint64_t seq)
{
	if (!m->started) {
		m->started = true;
		m->begun = false;
		m->next = m->newest = seq;
	}
	if (!m->begun && seq < m->next && m->newest - seq < SLOTS)
		m->next = seq;
	if (seq < m->next) {
		if (m->next - seq <= KNOWN && m->state[seq] == CAME) {
			m->counts.duplicate++;
			return JBUF_PUT_DUP;
		}
		m->counts.late++;
		m->counts.reordered++;
		return JBUF_PUT_LATE;
	}
	if (seq - m->next >= SLOTS) {
		if (m->held > 0) {
			m->counts.far++;
			return JBUF_PUT_FAR;
		}
		jump(m, seq);
	}
	if (m->state[seq] != UNSEEN) {
		m->counts.duplicate++;
		return JBUF_PUT_DUP;
	}
	m->state[seq] = HELD;
	m->held++;
	if (seq >= m->newest)
		m->newest = seq;
	else
		m->counts.reordered++;
	return JBUF_PUT_KEPT;
}

static void note(struct model *m, uint64_t seq)
{
	if (!m->started || seq < m->next)
		return;
	if (seq - m->next >= SLOTS) {
		if (m->held > 0)
			return;
		jump(m, seq);
	}
	if (m->state[seq] == HELD)
		return;
	m->state[seq] = VOID;
	if (seq > m->newest)
		m->newest = seq;
}

static void skip_voids(struct model *m)
{
	while (m->started && m->state[m->next] == VOID)
		pass_to(m, m->next + 1);
}

static void taken(struct model *m, void *pkt)
{
	uint64_t seq = (uint64_t)(uintptr_t)pkt - 1;

	check(m->held > 0);
	for (uint64_t i = m->next; i < seq; i++)
		check(m->state[i] != HELD); /* the lowest */
	check_int(m->state[seq], HELD);
	pass_to(m, seq);
	m->state[seq] = CAME;
	m->next = seq + 1;
	m->held--;
}

/* From one READY to the next in a spurt, all the time between has been answered for. */
static void account(struct model *m, enum jbuf_get got, const struct jbuf_out *out)
{
	uint64_t seq = (uint64_t)(uintptr_t)out->pkt - 1;

	switch (got) {
	case JBUF_GET_READY:
		if (m->unbroken) {
			uint64_t gap = (seq - m->ready - 1) * 160;

			check(m->lost_ticks <= gap);
			check(m->lost_ticks + m->dry_ticks >= gap);
		}
		m->unbroken = true;
		m->ready = seq;
		m->lost_ticks = m->dry_ticks = 0;
		break;
	case JBUF_GET_LOST:
		m->lost_ticks += out->ticks;
		break;
	case JBUF_GET_UNDERRUN:
		m->dry_ticks += out->ticks;
		break;
	case JBUF_GET_SILENCE:
	case JBUF_GET_DISCARD:
		m->unbroken = false;
		break;
	}
}

static void get(struct model *m, struct jbuf *jb, uint64_t now_ns)
{
	uint32_t want = 1 + dice(200), lost = jbuf_counts(jb)->lost;
	struct jbuf_out out;
	enum jbuf_get got = jbuf_get(jb, now_ns, want, &out);

	lost = jbuf_counts(jb)->lost - lost;
	check(out.ticks > 0);
	check((out.pkt != NULL) == (got == JBUF_GET_READY || got == JBUF_GET_DISCARD));
	check(out.next == NULL || got == JBUF_GET_LOST);
	check(out.slip == 0 || got == JBUF_GET_READY);
	if (out.pkt != NULL) {
		taken(m, out.pkt);
	} else {
		for (; lost > 0; lost--) {
			skip_voids(m);
			check_int(m->state[m->next], UNSEEN);
			pass_to(m, m->next + 1);
		}
		if (got == JBUF_GET_LOST) {
			check(m->held > 0 && out.ticks <= 160);
			check(out.next == (m->state[m->next] == HELD ? handle_of(m->next) : NULL));
		} else {
			check(out.ticks == want);
			skip_voids(m);
			check(got != JBUF_GET_UNDERRUN || m->held == 0);
		}
	}
	account(m, got, &out);
	if (out.slip != 0 && dice(3) > 0)
		jbuf_slipped(jb, out.slip < 0 ? -20 - (int32_t)dice(60) : 20 + (int32_t)dice(60));
}

static void restart(struct model *m, struct jbuf *jb)
{
	void *pkt;

	while ((pkt = jbuf_drain(jb)) != NULL)
		taken(m, pkt);
	check_int(m->held, 0);
	jbuf_restart(jb);
	m->started = false;
	m->unbroken = false;
	/* The drain passed numbers without counting them. */
	m->counts.lost = jbuf_counts(jb)->lost;
}

static void same_counts(const struct model *m, const struct jbuf *jb)
{
	const struct jbuf_counts *c = jbuf_counts(jb);

	check_int(jbuf_held(jb), m->held);
	check_int(c->lost, m->counts.lost);
	check_int(c->late, m->counts.late);
	check_int(c->duplicate, m->counts.duplicate);
	check_int(c->reordered, m->counts.reordered);
	check_int(c->far, m->counts.far);
	check(jbuf_target_ms(jb) >= MIN_MS && jbuf_target_ms(jb) <= MAX_MS);
}

static void life(uint32_t seed, uint32_t clock_hz)
{
	struct jbuf_config cfg = {
		.clock_hz = clock_hz, .slots = SLOTS, .min_ms = MIN_MS, .max_ms = MAX_MS};
	struct jbuf *jb = aligned_alloc(64, (jbuf_bytes(SLOTS) + 63) & ~(size_t)63);
	struct model m = {.state = calloc(NUMBERS, 1)};
	uint64_t now_ns = 0, seq = 65500;

	check(jb != NULL && m.state != NULL && jbuf_init(jb, &cfg) == 0);
	dice_state = seed;
	for (unsigned turn = 0; turn < 4000 && seq + 100 < NUMBERS; turn++) {
		uint64_t s = seq + dice(8) - 4;

		now_ns += dice(12) * PB_NS_PER_MS;
		switch (dice(dice(400) == 0 ? 8 : 7)) {
		case 0:
		case 1:
		case 2:
			get(&m, jb, now_ns);
			break;
		case 3:
			if (dice(4) == 0) {
				jbuf_note(jb, (uint16_t)s);
				note(&m, s);
			}
			break;
		case 7:
			restart(&m, jb);
			seq += 200 + dice(30000);
			break;
		default: {
			enum jbuf_put want = foretell_put(&m, s);

			check_int(jbuf_put(jb, handle_of(s), (uint16_t)s,
					   (uint32_t)(s * 160 + 0xfff00000), 160, now_ns),
				  want);
			seq += dice(20) == 0 ? dice(40) : 1;
			break;
		}
		}
		same_counts(&m, jb);
	}
	restart(&m, jb);
	free(m.state);
	free(jb);
}

static void any_life_agrees_with_a_model(void)
{
	static const uint32_t clocks[] = {8000, 16000, 48000};

	for (uint32_t seed = 1; seed <= 150; seed++)
		life(seed, clocks[seed % 3]);
}

static const struct check_case cases[] = {
	CHECK_CASE(any_life_agrees_with_a_model),
};
CHECK_MAIN(cases)
