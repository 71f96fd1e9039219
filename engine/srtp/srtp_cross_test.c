/* The burst way against libsrtp2, at random and from one seed: packets of all sizes and headers, sealed by one and
 * opened by the other, through losses, swaps, copies, changed bits, wraps and new peers, must meet the
 * same verdict and come out the same. SRTP_CROSS_ROUNDS and SRTP_CROSS_SEED make it longer. */
#include <stdlib.h>

#include "base/units.h"
#include "check.h"
#include "srtp/srtp.h"

enum { LEGS = 6, PACKET_MAX = 1500 };

static uint64_t state;

static uint32_t dice(uint32_t n)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)(state * UINT64_C(0x2545f4914f6cdd1d) >> 33) % n;
}

static struct srtp *unit_make(enum srtp_way way)
{
	struct srtp *u = aligned_alloc(64, (srtp_unit_bytes(LEGS) + 63) & ~(size_t)63);

	check(u != NULL);
	check_int(srtp_unit_init(u, LEGS, way), 0);
	return u;
}

static struct srtp_key key_random(enum srtp_suite suite, unsigned mki_len)
{
	struct srtp_key k = {.suite = (uint8_t)suite, .mki_len = (uint8_t)mki_len};
	const struct srtp_suite_info *info = srtp_suite_of(suite);

	for (unsigned i = 0; i < (unsigned)info->key_len + info->salt_len; i++)
		k.master[i] = (uint8_t)dice(256);
	for (unsigned i = 0; i < mki_len; i++)
		k.mki[i] = (uint8_t)dice(256);
	return k;
}

/* An RTP packet of any size, with contributing sources and an extension now and then. */
static uint16_t packet(uint8_t *p, uint32_t ssrc, uint16_t seq)
{
	unsigned csrc = dice(4) == 0 ? dice(16) : 0, ext = dice(4) == 0 ? dice(9) : 0;
	unsigned head = 12 + 4 * csrc, len = dice(4) == 0 ? dice(1200) : 160;

	for (unsigned i = 0; i < PACKET_MAX; i++)
		p[i] = (uint8_t)dice(256);
	p[0] = (uint8_t)(0x80 | csrc | (ext ? 0x10 : 0));
	p[1] = 0;
	be16_put(p + 2, seq);
	be32_put(p + 8, ssrc);
	if (ext) {
		be16_put(p + head + 2, (uint16_t)ext);
		head += 4 + 4 * ext;
	}
	return (uint16_t)(head + len);
}

struct side {
	struct srtp *seal, *open;
};

/* One burst of packets of all legs by way `a` and the same by way `b`, some hurt on their way. */
static void burst(struct side a, struct side b, uint32_t *at)
{
	static uint8_t one[SRTP_BURST][PACKET_MAX + 64], two[SRTP_BURST][PACKET_MAX + 64];
	struct srtp_row r1[SRTP_BURST], r2[SRTP_BURST];
	unsigned n = 1 + dice(SRTP_BURST);

	for (unsigned i = 0; i < n; i++) {
		uint32_t leg = dice(LEGS);
		uint16_t seq;

		at[leg] += dice(40) == 0 ? dice(6000) : 1;
		seq = (uint16_t)(at[leg] - (dice(8) == 0 ? dice(70) : 0));
		r1[i] = (struct srtp_row){
			.data = one[i], .leg = leg, .len = packet(one[i], 100 + leg, seq)};
		memcpy(two[i], one[i], r1[i].len);
		r2[i] = r1[i];
		r2[i].data = two[i];
	}
	srtp_rtp_seal(a.seal, r1, n);
	srtp_rtp_seal(b.seal, r2, n);
	for (unsigned i = 0; i < n; i++) {
		check_int(r1[i].verdict, r2[i].verdict);
		check_int(r1[i].len, r2[i].len);
		if (r1[i].verdict == SRTP_OK)
			check(memcmp(one[i], two[i], r1[i].len) == 0);
	}

	/* Losses, copies, swaps and changed bits; what was refused above goes, too, as it is. */
	struct srtp_row o1[SRTP_BURST], o2[SRTP_BURST];
	static uint8_t x[SRTP_BURST][PACKET_MAX + 64], y[SRTP_BURST][PACKET_MAX + 64];
	bool hurt[SRTP_BURST] = {false};
	unsigned m = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct srtp_row *from = &r1[dice(6) == 0 ? dice(n) : i];

		if (dice(10) == 0)
			continue;
		memcpy(x[m], from->data, from->len);
		o1[m] = *from;
		if (dice(12) == 0)
			x[m][dice(from->len)] ^= (uint8_t)(1u << dice(8));
		if (dice(40) == 0)
			o1[m].len = (uint16_t)dice(from->len);
		/* Another source is a story of the slow way, not of this comparison. */
		be32_put(x[m] + 8, 100 + from->leg);
		hurt[m] = o1[m].len != from->len || memcmp(x[m], from->data, from->len) != 0;
		memcpy(y[m], x[m], from->len);
		o2[m] = o1[m];
		o1[m].data = x[m];
		o2[m].data = y[m];
		m++;
	}
	srtp_rtp_open(a.open, o1, m);
	srtp_rtp_open(b.open, o2, m);
	for (unsigned i = 0; i < m; i++) {
		check(o1[i].verdict != SRTP_OK || !hurt[i]);
		/* The burst way may find a rollover counter that the library gives up. */
		check(o2[i].verdict != SRTP_OK || o1[i].verdict == SRTP_OK);
		if (o2[i].verdict != SRTP_OK)
			continue;
		check_int(o1[i].len, o2[i].len);
		check(memcmp(x[i], y[i], o1[i].len) == 0);
	}
}

static void rtcp(struct side a, struct side b)
{
	uint8_t p[400], q[400];
	uint32_t leg = dice(LEGS);
	uint16_t len = (uint16_t)(8 + 4 * dice(40)), n;

	for (unsigned i = 0; i < len; i++)
		p[i] = (uint8_t)dice(256);
	p[0] = 0x80;
	p[1] = 200;
	be32_put(p + 4, 100 + leg);
	memcpy(q, p, len);
	n = len;
	check_int(srtp_rtcp_seal(a.seal, leg, p, &len), SRTP_OK);
	check_int(srtp_rtcp_seal(b.seal, leg, q, &n), SRTP_OK);
	check_int(len, n);
	/* The index begins at 0 here and at 1 there: not the same octets, but each opens the other's. */
	if (dice(6) == 0) {
		p[8 + dice(len - 8u)] ^= 4;
		check(srtp_rtcp_open(b.open, leg, p, &len) != SRTP_OK);
	} else {
		check_int(srtp_rtcp_open(b.open, leg, p, &len), SRTP_OK);
		check_int(srtp_rtcp_open(a.open, leg, q, &n), SRTP_OK);
		check_int(len, n);
		check(memcmp(p, q, len) == 0);
	}
}

static void keys_change(struct srtp *const unit[4], uint32_t leg, enum srtp_suite suite)
{
	bool is_32 =
		suite == SRTP_CM128_SHA32 || suite == SRTP_CM256_SHA32; /* see srtp_library.c */
	unsigned mki = !is_32 && dice(2) == 0 ? dice(SRTP_MKI_MAX + 1) : 0;
	struct srtp_keys k = {key_random(suite, mki), {0}, true};

	k.send = k.receive;
	for (unsigned i = 0; i < 4; i++)
		check_int(srtp_keys_set(unit[i], leg, &k), 0);
}

static void the_two_ways_agree(void)
{
	const char *rounds = getenv("SRTP_CROSS_ROUNDS"), *seed = getenv("SRTP_CROSS_SEED");
	long n = rounds != NULL ? atol(rounds) : 600;

	state = seed != NULL ? strtoull(seed, NULL, 0) : 20260101;
	printf("seed %llu, %ld rounds\n", (unsigned long long)state, n);

	struct srtp *unit[4] = {unit_make(SRTP_WAY_BURST), unit_make(SRTP_WAY_BURST),
				unit_make(SRTP_WAY_LIBRARY), unit_make(SRTP_WAY_LIBRARY)};
	struct side a = {unit[0], unit[1]}, b = {unit[2], unit[3]};
	uint32_t at[LEGS];

	for (uint32_t leg = 0; leg < LEGS; leg++) {
		keys_change(unit, leg, (enum srtp_suite)(1 + leg));
		at[leg] = 1000 + dice(60000);
	}
	for (long i = 0; i < n; i++) {
		burst(a, b, at);
		rtcp(a, b);
		if (dice(60) == 0) {
			uint32_t leg = dice(LEGS);

			keys_change(unit, leg, (enum srtp_suite)(1 + leg));
		}
	}
	for (unsigned i = 0; i < 4; i++) {
		srtp_unit_fini(unit[i]);
		free(unit[i]);
	}
}

static const struct check_case cases[] = {CHECK_CASE(the_two_ways_agree)};
CHECK_MAIN(cases)
