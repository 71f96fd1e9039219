/* Known answers (RFC 3711, appendix B; RFC 7714, 16) and stories of one leg's packets. */
#include "srtp/srtp.h"

#include <stdlib.h>

#include "base/units.h"
#include "check.h"
#include "srtp/srtp_index.h"
#include "srtp/srtp_priv.h"

static size_t hex(uint8_t *to, const char *text)
{
	size_t n = 0;

	for (; text[0] != '\0'; text += 2) {
		while (*text == ' ')
			text++;

		char pair[3] = {text[0], text[1], '\0'};

		to[n++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return n;
}

static bool is(const uint8_t *got, const char *text)
{
	uint8_t want[256];
	size_t n = hex(want, text);

	return memcmp(got, want, n) == 0;
}

static struct srtp *unit_make(uint32_t legs, enum srtp_way way)
{
	struct srtp *u = aligned_alloc(64, (srtp_unit_bytes(legs) + 63) & ~(size_t)63);

	check(u != NULL);
	check_int(srtp_unit_init(u, legs, way), 0);
	check_int(srtp_way_of(u), way);
	return u;
}

static void unit_free(struct srtp *u)
{
	srtp_unit_fini(u);
	free(u);
}

static const enum srtp_way ways[] = {SRTP_WAY_BURST, SRTP_WAY_LIBRARY};

/* The key of appendix B.3, and any other by changing one octet. */
static struct srtp_key key_of(enum srtp_suite suite, uint8_t change)
{
	struct srtp_key k = {.suite = (uint8_t)suite};
	const struct srtp_suite_info *info = srtp_suite_of(suite);

	for (unsigned i = 0; i < (unsigned)info->key_len + info->salt_len; i++)
		k.master[i] = (uint8_t)(i * 7 + 1);
	k.master[3] ^= change;
	return k;
}

static void leg_keys(struct srtp *u, uint32_t leg, enum srtp_suite suite, uint8_t change)
{
	struct srtp_keys keys = {key_of(suite, change), key_of(suite, change), false};

	check_int(srtp_keys_set(u, leg, &keys), 0);
}

static uint16_t packet(uint8_t *p, uint32_t ssrc, uint16_t seq, unsigned payload)
{
	memset(p, 0, 12 + payload);
	p[0] = 0x80;
	be16_put(p + 2, seq);
	be32_put(p + 4, seq * 160u);
	be32_put(p + 8, ssrc);
	for (unsigned i = 0; i < payload; i++)
		p[12 + i] = (uint8_t)(seq + i);
	return (uint16_t)(12 + payload);
}

static bool packet_is(const uint8_t *p, uint16_t len, uint32_t ssrc, uint16_t seq, unsigned payload)
{
	uint8_t want[2048];

	return len == packet(want, ssrc, seq, payload) && memcmp(p, want, len) == 0;
}

static uint16_t sealed(struct srtp *u, uint32_t leg, uint8_t *p, uint32_t ssrc, uint16_t seq)
{
	struct srtp_row row = {.data = p, .leg = leg, .len = packet(p, ssrc, seq, 160)};

	srtp_rtp_seal(u, &row, 1);
	check_int(row.verdict, SRTP_OK);
	return row.len;
}

static int opened(struct srtp *u, uint32_t leg, uint8_t *p, uint16_t *len)
{
	struct srtp_row row = {.data = p, .leg = leg, .len = *len};

	srtp_rtp_open(u, &row, 1);
	*len = row.len;
	return row.verdict;
}

/* One packet from `from` to `to`; the verdict of opening it. */
static int passes(struct srtp *from, struct srtp *to, uint32_t ssrc, uint16_t seq)
{
	uint8_t p[2048];
	uint16_t len = sealed(from, 0, p, ssrc, seq);
	int verdict = opened(to, 0, p, &len);

	check(verdict != SRTP_OK || packet_is(p, len, ssrc, seq, 160));
	return verdict;
}

/* RFC 3711, B.2: the key stream of AES-CM; the index carries no counter there. */
static void cipher_as_in_b2(void)
{
	struct srtp *u = unit_make(1, SRTP_WAY_BURST);
	struct srtp_session session = {.suite = SRTP_CM128_SHA80};
	uint8_t iv[16], out[48] = {0};
	IMB_JOB job;

	hex(session.key, "2B7E151628AED2A6ABF7158809CF4F3C");
	hex(session.salt, "F0F1F2F3F4F5F6F7F8F9FAFBFCFD");
	srtp_expand(u->mb, &session, &u->scratch->stream, &u->scratch->wide);
	srtp_iv_cm(iv, u->scratch->stream.salt, 0, 0);
	check(is(iv, "F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000"));
	memset(&job, 0, sizeof(job));
	srtp_job_cipher(&job, &u->scratch->stream, &u->scratch->wide, out, sizeof(out), iv);
	srtp_jobs_cipher(u->mb, &job, 1, 16);
	check(is(out, "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB"
		      "41E95B3BB0A2E8DD477901E4FCA894C0"));
	unit_free(u);
}

/* RFC 3711, B.3: key derivation. */
static void keys_as_in_b3(void)
{
	struct srtp *u = unit_make(1, SRTP_WAY_BURST);
	struct srtp_key key = {.suite = SRTP_CM128_SHA80};
	struct srtp_session rtp, rtcp;

	hex(key.master, "E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6");
	srtp_derive(u->mb, &key, &rtp, &rtcp);
	check(is(rtp.key, "C61E7A93744F39EE10734AFE3FF7A087"));
	check(is(rtp.salt, "30CBBC08863D8C85D49DB34A9AE1"));
	check(is(rtp.auth, "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
	check(memcmp(rtcp.key, rtp.key, 16) != 0);
	unit_free(u);
}

/* RFC 6188, 7.4: the same for 256 bits. */
static void keys_as_in_rfc6188(void)
{
	struct srtp *u = unit_make(1, SRTP_WAY_BURST);
	struct srtp_key key = {.suite = SRTP_CM256_SHA80};
	struct srtp_session rtp, rtcp;

	hex(key.master, "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6"
			"3b04803de51ee7c96423ab5b78d2");
	srtp_derive(u->mb, &key, &rtp, &rtcp);
	check(is(rtp.key, "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4"));
	check(is(rtp.salt, "fa31791685ca444a9e07c6c64e93"));
	check(is(rtp.auth, "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"));
	unit_free(u);
}

static const char rtp_7714[] = "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669"
			       "736120696e207061727465732074726573";

/* RFC 7714, 16.1.1 and 16.2.1: the vectors give session keys. */
static void gcm_as_in_rfc7714(void)
{
	static const struct {
		enum srtp_suite suite;
		const char *key, *sealed;
	} v[] = {
		{SRTP_GCM128, "000102030405060708090a0b0c0d0e0f",
		 "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a5"
		 "1c7"
		 "d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce"},
		{SRTP_GCM256, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		 "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a027"
		 "6ff"
		 "ae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13"},
	};

	for (unsigned i = 0; i < 2; i++) {
		struct srtp *u = unit_make(1, SRTP_WAY_BURST);
		struct srtp_session *session = &u->cold[0].rtp[SRTP_OUT];
		uint8_t p[256];
		struct srtp_row row = {.data = p, .len = (uint16_t)hex(p, rtp_7714)};

		session->suite = (uint8_t)v[i].suite;
		hex(session->key, v[i].key);
		hex(session->salt, "51756964207072 6f2071756f");
		srtp_expand(u->mb, session, &u->stream[SRTP_OUT][0], &u->wide[SRTP_OUT][0]);
		u->stream[SRTP_OUT][0].flags = SRTP_HAS_KEYS;
		srtp_rtp_seal(u, &row, 1);
		check_int(row.verdict, SRTP_OK);
		check(is(p, v[i].sealed));
		check_int(row.len, strlen(v[i].sealed) / 2);
		unit_free(u);
	}
}

static void a_packet_comes_back_as_it_was(void)
{
	for (unsigned w = 0; w < 2; w++)
		for (unsigned s = 1; s < SRTP_SUITES; s++) {
			struct srtp *u = unit_make(2, ways[w]);
			uint8_t p[2048], plain[2048];
			uint16_t len;

			leg_keys(u, 0, (enum srtp_suite)s, 0);
			len = sealed(u, 0, p, 7, 1000);
			packet(plain, 7, 1000, 160);
			check_int(len, 172 + srtp_suite_of((enum srtp_suite)s)->tag_len);
			check(memcmp(p, plain, 12) == 0);
			check(memcmp(p + 12, plain + 12, 160) != 0);
			check_int(opened(u, 0, p, &len), SRTP_OK);
			check(packet_is(p, len, 7, 1000, 160));
			check(!srtp_has_keys(u, 1));
			unit_free(u);
		}
}

static void a_changed_bit_is_refused(void)
{
	for (unsigned w = 0; w < 2; w++)
		for (unsigned s = 1; s < SRTP_SUITES; s++) {
			struct srtp *u = unit_make(1, ways[w]);
			uint8_t good[2048], bad[2048];

			leg_keys(u, 0, (enum srtp_suite)s, 0);
			check_int(passes(u, u, 7, 9), SRTP_OK);

			uint16_t len = sealed(u, 0, good, 7, 10);

			for (unsigned bit = 16; bit < len * 8u; bit += 13) {
				uint16_t n = len;

				memcpy(bad, good, len);
				bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
				check(opened(u, 0, bad, &n) != SRTP_OK);
			}
			check(srtp_counts_of(u, 0).auth_failed > 90);
			check_int(opened(u, 0, good, &len), SRTP_OK);
			unit_free(u);
		}
}

static void a_copy_is_a_replay(void)
{
	for (unsigned w = 0; w < 2; w++) {
		struct srtp *u = unit_make(1, ways[w]);
		uint8_t a[2048], b[2048], c[2048];

		leg_keys(u, 0, SRTP_CM128_SHA80, 0);
		check_int(passes(u, u, 7, 1), SRTP_OK);

		uint16_t len = sealed(u, 0, a, 7, 2), again = len;

		memcpy(b, a, len);
		memcpy(c, a, len);

		/* In one burst, and later. */
		struct srtp_row rows[] = {{.data = a, .len = len}, {.data = b, .len = len}};

		srtp_rtp_open(u, rows, 2);
		check_int(rows[0].verdict, SRTP_OK);
		check_int(rows[1].verdict, SRTP_REPLAY);
		check_int(opened(u, 0, c, &again), SRTP_REPLAY);
		check_int(srtp_counts_of(u, 0).replayed, 2);
		unit_free(u);
	}
}

static void out_of_order_within_the_window(void)
{
	static const struct {
		uint16_t seq;
		int verdict;
	} v[] = {
		{100, SRTP_OK},    {103, SRTP_OK}, {101, SRTP_OK},     {103, SRTP_REPLAY},
		{102, SRTP_OK},    {163, SRTP_OK}, {100, SRTP_REPLAY}, {104, SRTP_OK},
		{99, SRTP_REPLAY}, {164, SRTP_OK}, {500, SRTP_OK},     {436, SRTP_REPLAY},
		{437, SRTP_OK},
	};

	for (unsigned w = 0; w < 2; w++) {
		struct srtp *from, *to = unit_make(1, ways[w]);

		leg_keys(to, 0, SRTP_CM128_SHA80, 0);
		for (unsigned i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
			from = unit_make(1, SRTP_WAY_BURST); /* it seals any number */
			leg_keys(from, 0, SRTP_CM128_SHA80, 0);
			check_int(passes(from, to, 7, v[i].seq), v[i].verdict);
			unit_free(from);
		}
		unit_free(to);
	}
}

/* Three wraps with losses of up to a quarter of the circle, and stragglers from before each wrap. */
static void the_counter_follows_the_wraps(void)
{
	for (unsigned w = 0; w < 2; w++)
		for (unsigned s = 1; s < SRTP_SUITES; s += 2) {
			struct srtp *from = unit_make(1, SRTP_WAY_BURST),
				    *to = unit_make(1, ways[w]);

			leg_keys(from, 0, (enum srtp_suite)s, 0);
			leg_keys(to, 0, (enum srtp_suite)s, 0);
			for (uint32_t at = 65000; at < 65000 + 3 * 65536; at += 16000) {
				check_int(passes(from, to, 7, (uint16_t)at), SRTP_OK);
				check_int(passes(from, to, 7, (uint16_t)(at + 40)), SRTP_OK);
				check_int(passes(from, to, 7, (uint16_t)(at + 3)), SRTP_OK);
			}
			for (uint32_t at = 65530; at < 65545; at++)
				check_int(passes(from, to, 9, (uint16_t)at), SRTP_OK);
			check_int(passes(from, to, 9, 65520), SRTP_OK);
			unit_free(from);
			unit_free(to);
		}
}

/* A peer that has been sending for hours, heard by a leg that was just made. */
static void a_late_listener_finds_the_counter(void)
{
	struct srtp *from = unit_make(1, SRTP_WAY_BURST), *to = unit_make(1, SRTP_WAY_BURST);
	unsigned tries = 0;

	leg_keys(from, 0, SRTP_CM128_SHA80, 0);
	leg_keys(to, 0, SRTP_CM128_SHA80, 0);
	for (uint32_t at = 0; at < 40 * 65536u; at += 30000)
		sealed(from, 0, (uint8_t[2048]){0}, 7, (uint16_t)at);
	while (passes(from, to, 7, (uint16_t)(54200 + tries)) != SRTP_OK)
		check(++tries < 20);
	check(tries > 5);
	check_int(passes(from, to, 7, 54300), SRTP_OK);
	unit_free(from);
	unit_free(to);
}

static void two_sources_in_turn(void)
{
	for (unsigned w = 0; w < 2; w++) {
		struct srtp *from = unit_make(2, SRTP_WAY_BURST), *to = unit_make(1, ways[w]);
		uint8_t a[2048], copy[2048];

		leg_keys(from, 0, SRTP_GCM128, 0);
		leg_keys(to, 0, SRTP_GCM128, 0);

		uint16_t len = sealed(from, 0, a, 7, 5);

		memcpy(copy, a, len);
		check_int(opened(to, 0, a, &len), SRTP_OK);
		check_int(passes(from, to, 8, 60000), SRTP_OK);
		/* What the first one sent is still a replay. */
		len = 172 + 16;
		check_int(opened(to, 0, copy, &len), SRTP_REPLAY);
		check_int(passes(from, to, 8, 60001), SRTP_OK);
		unit_free(from);
		unit_free(to);
	}
}

static void never_two_packets_under_one_key_stream(void)
{
	for (unsigned w = 0; w < 2; w++) {
		struct srtp *u = unit_make(1, ways[w]);
		uint8_t p[2048];
		struct srtp_row row = {.data = p};

		leg_keys(u, 0, SRTP_CM128_SHA32, 0);
		sealed(u, 0, p, 7, 50);
		row.len = packet(p, 7, 50, 160);
		srtp_rtp_seal(u, &row, 1);
		check_int(row.verdict, SRTP_REPLAY);
		unit_free(u);
	}
}

/* New keys in mid-call: what is in flight still opens, in any mixture, and the counter goes on. */
static void new_keys_lose_nothing_in_flight(void)
{
	for (unsigned w = 0; w < 2; w++)
		for (unsigned s = 1; s < SRTP_SUITES; s++) {
			struct srtp *from = unit_make(1, SRTP_WAY_BURST),
				    *to = unit_make(1, ways[w]);
			uint8_t flying[3][2048];
			uint16_t len[3];

			leg_keys(from, 0, (enum srtp_suite)s, 0);
			leg_keys(to, 0, (enum srtp_suite)s, 0);
			/* Past a wrap, so that the counter is not 0. */
			for (uint32_t at = 60000; at < 80000; at += 4000)
				check_int(passes(from, to, 7, (uint16_t)at), SRTP_OK);
			for (unsigned i = 0; i < 3; i++)
				len[i] = sealed(from, 0, flying[i], 7, (uint16_t)(20000 + i));
			leg_keys(from, 0, (enum srtp_suite)s, 0x55);
			leg_keys(to, 0, (enum srtp_suite)s, 0x55);
			check_int(opened(to, 0, flying[0], &len[0]), SRTP_OK);
			check_int(passes(from, to, 7, 20003), SRTP_OK);
			check_int(opened(to, 0, flying[1], &len[1]), SRTP_OK);
			for (unsigned i = 0; i < SRTP_SETTLE + 5; i++)
				check_int(passes(from, to, 7, (uint16_t)(20004 + i)), SRTP_OK);
			/* By now the old key is gone. */
			check(opened(to, 0, flying[2], &len[2]) != SRTP_OK);
			unit_free(from);
			unit_free(to);
		}
}

/* Some peers begin again at 0 with a new key (RFC 4568, 7.1.4 where their address changed). */
static void a_peer_that_begins_again_is_understood(void)
{
	struct srtp *from = unit_make(1, SRTP_WAY_BURST), *to = unit_make(1, SRTP_WAY_BURST);
	struct srtp_keys keys = {key_of(SRTP_CM128_SHA80, 3), key_of(SRTP_CM128_SHA80, 3), true};

	leg_keys(from, 0, SRTP_CM128_SHA80, 0);
	leg_keys(to, 0, SRTP_CM128_SHA80, 0);
	for (uint32_t at = 0; at < 100000; at += 10000)
		check_int(passes(from, to, 7, (uint16_t)at), SRTP_OK);
	check_int(srtp_keys_set(from, 0, &keys), 0);
	keys.fresh = false;
	check_int(srtp_keys_set(to, 0, &keys), 0);
	check_int(passes(from, to, 7, 34000), SRTP_OK);
	check_int(passes(from, to, 7, 34001), SRTP_OK);
	unit_free(from);
	unit_free(to);
}

static void the_same_key_again_changes_nothing(void)
{
	for (unsigned w = 0; w < 2; w++) {
		struct srtp *u = unit_make(1, ways[w]);
		uint8_t p[2048], copy[2048];

		leg_keys(u, 0, SRTP_GCM256, 0);

		uint16_t len = sealed(u, 0, p, 7, 5), again = len;

		memcpy(copy, p, len);
		check_int(opened(u, 0, p, &len), SRTP_OK);
		leg_keys(u, 0, SRTP_GCM256, 0);
		check_int(opened(u, 0, copy, &again), SRTP_REPLAY);
		unit_free(u);
	}
}

static void an_mki_is_carried_and_checked(void)
{
	for (unsigned w = 0; w < 2; w++)
		for (unsigned s = 1; s < SRTP_SUITES; s++) {
			struct srtp *u = unit_make(1, ways[w]);
			struct srtp_keys k = {key_of((enum srtp_suite)s, 0), {0}, false};
			uint8_t p[2048], rtcp[256] = {0x80, 200, 0, 6};
			uint16_t len, n = 28;

			k.receive.mki_len = 3;
			memcpy(k.receive.mki, "\x01\x02\x03", 3);
			k.send = k.receive;
			check_int(srtp_keys_set(u, 0, &k), 0);
			check_int(passes(u, u, 7, 4), SRTP_OK);
			check_int(passes(u, u, 7, 5), SRTP_OK);
			check_int(srtp_rtcp_seal(u, 0, rtcp, &n), SRTP_OK);
			if (ways[w] == SRTP_WAY_BURST ||
			    (s != SRTP_CM128_SHA32 && s != SRTP_CM256_SHA32)) {
				check_int(srtp_rtcp_open(u, 0, rtcp, &n), SRTP_OK);
				check_int(n, 28);
			}
			len = sealed(u, 0, p, 7, 6);
			p[len - (srtp_suite_of((enum srtp_suite)s)->aead
					 ? 1
					 : 1 + srtp_suite_of((enum srtp_suite)s)->tag_len)] ^= 1;
			check(opened(u, 0, p, &len) != SRTP_OK);
			unit_free(u);
		}
}

static void rtcp_is_sealed_counted_and_not_replayed(void)
{
	for (unsigned w = 0; w < 2; w++)
		for (unsigned s = 1; s < SRTP_SUITES; s++) {
			struct srtp *u = unit_make(1, ways[w]);
			uint8_t plain[60], p[256], copy[256];
			uint16_t len = sizeof(plain), again;

			for (unsigned i = 0; i < sizeof(plain); i++)
				plain[i] = (uint8_t)i;
			plain[0] = 0x81;
			plain[1] = 200;
			memcpy(p, plain, sizeof(plain));
			leg_keys(u, 0, (enum srtp_suite)s, 0);
			check_int(srtp_rtcp_seal(u, 0, p, &len), SRTP_OK);
			check_int(len, sizeof(plain) + 4 +
					       srtp_suite_of((enum srtp_suite)s)->rtcp_tag_len);
			check(memcmp(p, plain, 8) == 0);
			check(memcmp(p + 8, plain + 8, sizeof(plain) - 8) != 0);
			memcpy(copy, p, len);
			again = len;
			copy[20] ^= 1;
			check_int(srtp_rtcp_open(u, 0, copy, &again), SRTP_AUTH);
			memcpy(copy, p, len);
			again = len;
			check_int(srtp_rtcp_open(u, 0, p, &len), SRTP_OK);
			check_int(len, sizeof(plain));
			check(memcmp(p, plain, sizeof(plain)) == 0);
			check_int(srtp_rtcp_open(u, 0, copy, &again), SRTP_REPLAY);
			unit_free(u);
		}
}

static void nothing_of_the_keys_is_left_behind(void)
{
	size_t bytes = (srtp_unit_bytes(2) + 63) & ~(size_t)63;
	struct srtp *u = aligned_alloc(64, bytes);
	struct srtp_key k = key_of(SRTP_CM128_SHA80, 0);
	struct srtp_session rtp, rtcp;

	check(u != NULL);
	check_int(srtp_unit_init(u, 2, SRTP_WAY_BURST), 0);
	srtp_derive(u->mb, &k, &rtp, &rtcp);
	leg_keys(u, 1, SRTP_CM128_SHA80, 0);
	sealed(u, 1, (uint8_t[2048]){0}, 7, 1);
	check(memmem(u, bytes, rtp.key, 16) != NULL);
	check(memmem(u, bytes, k.master, 16) == NULL);
	srtp_close(u, 1);
	check(memmem(u, bytes, rtp.key, 16) == NULL);
	check(memmem(u, bytes, rtcp.key, 16) == NULL);
	check(memmem(u, bytes, rtp.auth, 20) == NULL);
	unit_free(u);
}

static void bad_keys_are_refused_and_change_nothing(void)
{
	struct srtp *u = unit_make(1, SRTP_WAY_BURST);
	struct srtp_keys k = {key_of(SRTP_CM128_SHA80, 0), key_of(SRTP_CM128_SHA80, 0), false};

	leg_keys(u, 0, SRTP_CM128_SHA80, 0);
	k.send.suite = SRTP_SUITES;
	check_int(srtp_keys_set(u, 0, &k), -22);
	k.send.suite = SRTP_CM128_SHA80;
	k.receive.mki_len = SRTP_MKI_MAX + 1;
	check_int(srtp_keys_set(u, 0, &k), -22);
	check_int(passes(u, u, 7, 1), SRTP_OK);
	unit_free(u);
}

static void suites_by_name(void)
{
	check_int(srtp_suite_named("AES_CM_128_HMAC_SHA1_80", 23), SRTP_CM128_SHA80);
	check_int(srtp_suite_named("aead_aes_256_gcm", 16), SRTP_GCM256);
	check_int(srtp_suite_named("AES_CM_128_HMAC_SHA1_8", 22), SRTP_NO_SUITE);
	check_int(srtp_suite_named("F8_128_HMAC_SHA1_80", 19), SRTP_NO_SUITE);
}

static void keys_from_base64(void)
{
	/* RFC 4568, 6.1's example. */
	static const char text[] = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
	struct srtp_key k;

	check(srtp_key_read(&k, SRTP_CM128_SHA80, text, 40));
	check(memcmp(k.master, "wDfvg&T+)xG7@fb5jU,RaA}\\|p0%*#", 30) == 0);
	check(!srtp_key_read(&k, SRTP_CM128_SHA80, text, 39));
	check(!srtp_key_read(&k, SRTP_CM256_SHA80, text, 40));
	check(!srtp_key_read(&k, SRTP_CM128_SHA80, "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSo!", 40));
	check(k.master[0] == 0);
	/* 28 and 44 octets: with padding and without. */
	check(srtp_key_read(&k, SRTP_GCM128, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==", 40));
	check(srtp_key_read(&k, SRTP_GCM128, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw", 38));
	check(k.master[27] == 27);
	check(!srtp_key_read(&k, SRTP_GCM128, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=", 39));
}

static const struct check_case cases[] = {
	CHECK_CASE(cipher_as_in_b2),
	CHECK_CASE(keys_as_in_b3),
	CHECK_CASE(keys_as_in_rfc6188),
	CHECK_CASE(gcm_as_in_rfc7714),
	CHECK_CASE(a_packet_comes_back_as_it_was),
	CHECK_CASE(a_changed_bit_is_refused),
	CHECK_CASE(a_copy_is_a_replay),
	CHECK_CASE(out_of_order_within_the_window),
	CHECK_CASE(the_counter_follows_the_wraps),
	CHECK_CASE(a_late_listener_finds_the_counter),
	CHECK_CASE(two_sources_in_turn),
	CHECK_CASE(never_two_packets_under_one_key_stream),
	CHECK_CASE(new_keys_lose_nothing_in_flight),
	CHECK_CASE(a_peer_that_begins_again_is_understood),
	CHECK_CASE(the_same_key_again_changes_nothing),
	CHECK_CASE(an_mki_is_carried_and_checked),
	CHECK_CASE(rtcp_is_sealed_counted_and_not_replayed),
	CHECK_CASE(nothing_of_the_keys_is_left_behind),
	CHECK_CASE(bad_keys_are_refused_and_change_nothing),
	CHECK_CASE(suites_by_name),
	CHECK_CASE(keys_from_base64),
};
CHECK_MAIN(cases)
