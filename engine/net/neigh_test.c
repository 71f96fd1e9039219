/* SPDX-License-Identifier: Apache-2.0 */
#include "net/neigh.h"

#include "base/units.h"
#include "check.h"

static struct net_own own_make(uint8_t host)
{
	return (struct net_own){
		.mac = {2, 0, 0, 0, 0, host},
		.exclusive = true,
		.ip4 = true,
		.ip4_addr = {10, 1, 2, host},
		.ip4_prefix = 24,
		.ip6 = true,
		.ip6_addr = {0xfd, [15] = host},
		.ip6_prefix = 64,
	};
}

static const uint8_t *ip_of(const struct net_own *own, uint8_t family)
{
	return family == 4 ? own->ip4_addr : own->ip6_addr;
}

/* Two of our ports find each other: asked, answered, and both have learnt. */
static void a_question_is_answered_and_both_learn(void)
{
	struct net_own a = own_make(1), b = own_make(2);
	struct net_view v;

	for (uint8_t family = 4; family <= 6; family += 2) {
		uint8_t p[NEIGH_FRAME_MIN];
		struct neigh_news news;
		uint16_t len = neigh_ask(&a, family, ip_of(&b, family), p);

		check_int(net_parse(&v, &b, p, len), NET_LOCAL);
		neigh_local(&news, &b, p, len, sizeof(p));
		check(news.reply && news.learned);
		check(memcmp(news.mac, a.mac, 6) == 0);
		check(memcmp(news.ip, ip_of(&a, family), family == 4 ? 4 : 16) == 0);
		check(memcmp(p, a.mac, 6) == 0 && memcmp(p + 6, b.mac, 6) == 0);

		check_int(net_parse(&v, &a, p, news.len), NET_LOCAL);
		neigh_local(&news, &a, p, news.len, sizeof(p));
		check(!news.reply && news.learned);
		check_int(news.family, family);
		check(memcmp(news.mac, b.mac, 6) == 0);
		check(memcmp(news.ip, ip_of(&b, family), family == 4 ? 4 : 16) == 0);
	}
}

static void a_question_for_another_is_left_alone(void)
{
	struct net_own a = own_make(1), b = own_make(2), c = own_make(3);

	for (uint8_t family = 4; family <= 6; family += 2) {
		uint8_t p[NEIGH_FRAME_MIN];
		struct neigh_news news;
		uint16_t len = neigh_ask(&a, family, ip_of(&b, family), p);

		neigh_local(&news, &c, p, len, sizeof(p));
		check(!news.reply && !news.learned);
	}
}

static void the_tag_is_kept(void)
{
	struct net_own a = own_make(1), b = own_make(2);

	a.vlan = b.vlan = 7;
	for (uint8_t family = 4; family <= 6; family += 2) {
		uint8_t p[NEIGH_FRAME_MIN];
		struct neigh_news news;
		struct net_view v;
		uint16_t len = neigh_ask(&a, family, ip_of(&b, family), p);

		check_int(be16_get(p + 12), NET_ETHERTYPE_VLAN);
		check_int(net_parse(&v, &b, p, len), NET_LOCAL);
		neigh_local(&news, &b, p, len, sizeof(p));
		check(news.reply && news.learned);
		check_int(be16_get(p + 12), NET_ETHERTYPE_VLAN);
		check_int(be16_get(p + 14) & 0xfff, 7);
		check_int(net_parse(&v, &a, p, news.len), NET_LOCAL);
		neigh_local(&news, &a, p, news.len, sizeof(p));
		check(news.learned && memcmp(news.mac, b.mac, 6) == 0);
	}
}

/* A gateway that has moved says so to all (RFC 5227, 3; RFC 9568, 8.1.2). */
static void an_announcement_is_learnt(void)
{
	struct net_own a = own_make(1), b = own_make(2);
	uint8_t p[NEIGH_FRAME_MIN];
	struct neigh_news news;
	uint16_t len = neigh_ask(&a, 4, a.ip4_addr, p);

	neigh_local(&news, &b, p, len, sizeof(p));
	check(!news.reply && news.learned);
	check(memcmp(news.ip, a.ip4_addr, 4) == 0 && memcmp(news.mac, a.mac, 6) == 0);
	/* Nobody announces our own address but us. */
	neigh_ask(&a, 4, b.ip4_addr, p);
	memcpy(p + NET_ETHER_BYTES + 14, b.ip4_addr, 4);
	neigh_local(&news, &b, p, len, sizeof(p));
	check(!news.learned);
}

static void far_addresses_are_not_learnt(void)
{
	struct net_own a = own_make(1), b = own_make(2);
	uint8_t p[NEIGH_FRAME_MIN];
	struct neigh_news news;

	a.ip4_addr[0] = 192;
	uint16_t len = neigh_ask(&a, 4, b.ip4_addr, p);
	neigh_local(&news, &b, p, len, sizeof(p));
	check(news.reply && !news.learned);
}

static uint16_t echo_make(uint8_t *p, uint8_t family, const struct net_own *from,
			  const struct net_own *to)
{
	struct net_head h;
	uint16_t data = 56;

	net_head_make(&h, from, family, 0, ip_of(to, family), 0, to->mac);
	memset(p, 0x5a, 200);
	net_head_write(&h, p, data);
	uint8_t *ip = p + NET_ETHER_BYTES;
	uint8_t *icmp = p + h.len - NET_UDP_BYTES;
	memset(icmp, 0, 8);
	icmp[0] = family == 4 ? 8 : 128;
	icmp[7] = 3; /* sequence */
	if (family == 4) {
		ip[9] = NET_PROTO_ICMP;
		be16_put(ip + 10, 0);
		be16_put(ip + 10, net_sum_fold(net_sum(0, ip, 20)));
		be16_put(icmp + 2, net_sum_fold(net_sum(0, icmp, 64)));
	} else {
		ip[6] = NET_PROTO_ICMP6;
		be16_put(icmp + 2,
			 net_sum_fold(net_sum(64 + 58 + net_sum(0, ip + 8, 32), icmp, 64)));
	}
	return (uint16_t)(h.len + data);
}

static void an_echo_comes_back(void)
{
	struct net_own a = own_make(1), b = own_make(2);
	struct net_view v;

	for (uint8_t family = 4; family <= 6; family += 2) {
		uint8_t p[256];
		struct neigh_news news;
		uint16_t len = echo_make(p, family, &a, &b);
		uint16_t icmp = family == 4 ? 34 : 54;

		check_int(net_parse(&v, &b, p, len), NET_LOCAL);
		neigh_local(&news, &b, p, len, sizeof(p));
		check(news.reply);
		check_int(news.len, len);
		check_int(p[icmp], family == 4 ? 0 : 129);
		check_int(p[icmp + 7], 3);
		check(memcmp(p, a.mac, 6) == 0);
		check_int(net_parse(&v, &a, p, news.len), NET_LOCAL); /* checksum of IPv4 holds */
		uint32_t pseudo = family == 4 ? 0 : 64 + 58 + net_sum(0, p + 22, 32);
		check_int(net_sum_fold(net_sum(pseudo, p + icmp, 64)), 0);
		neigh_local(&news, &a, p, news.len, sizeof(p));
		check(!news.reply); /* an answer is not answered */
	}
}

static void a_wrong_checksum_is_not_answered(void)
{
	struct net_own a = own_make(1), b = own_make(2);

	for (uint8_t family = 4; family <= 6; family += 2) {
		uint8_t p[256];
		struct neigh_news news;
		uint16_t len = echo_make(p, family, &a, &b);

		p[len - 1] ^= 1;
		neigh_local(&news, &b, p, len, sizeof(p));
		check(!news.reply);
	}
}

static const struct check_case cases[] = {
	CHECK_CASE(a_question_is_answered_and_both_learn),
	CHECK_CASE(a_question_for_another_is_left_alone),
	CHECK_CASE(the_tag_is_kept),
	CHECK_CASE(an_announcement_is_learnt),
	CHECK_CASE(far_addresses_are_not_learnt),
	CHECK_CASE(an_echo_comes_back),
	CHECK_CASE(a_wrong_checksum_is_not_answered),
};
CHECK_MAIN(cases)
