/* SPDX-License-Identifier: Apache-2.0 */
#include "net/net.h"

#include "base/units.h"
#include "check.h"

static const uint8_t peer_mac[6] = {2, 0, 0, 0, 0, 9};
static const uint8_t peer4[4] = {10, 1, 2, 9};
static const uint8_t peer6[16] = {0xfd, [15] = 9};

static struct net_own own_make(void)
{
	return (struct net_own){
		.mac = {2, 0, 0, 0, 0, 1},
		.ip4 = true,
		.ip4_addr = {10, 1, 2, 3},
		.ip4_prefix = 23,
		.ip6 = true,
		.ip6_addr = {0xfd, [15] = 3},
		.ip6_prefix = 64,
		.mtu = 1500,
	};
}

/* A frame from the peer to us, made by the same head that sends. Returns its length. */
static uint16_t frame_make(uint8_t *frame, uint8_t family, uint16_t payload)
{
	struct net_own us = own_make(), them = us;
	struct net_head h;

	memcpy(them.mac, peer_mac, 6);
	memcpy(them.ip4_addr, peer4, 4);
	memcpy(them.ip6_addr, peer6, 16);
	net_head_make(&h, &them, family, 4000, family == 4 ? us.ip4_addr : us.ip6_addr, 20000,
		      us.mac);
	for (uint16_t i = 0; i < payload; i++)
		frame[h.len + i] = (uint8_t)(i * 7);
	net_head_write(&h, frame, payload);
	return (uint16_t)(h.len + payload);
}

static void what_is_made_is_read(void)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct net_own own = own_make();
		uint8_t frame[400];
		struct net_view v;
		uint16_t len = frame_make(frame, family, 172);

		check_int(net_parse(&v, &own, frame, len), NET_UDP);
		check_int(v.family, family);
		check_int(v.src_port, 4000);
		check_int(v.dst_port, 20000);
		check_int(v.payload_len, 172);
		check_int(v.payload_at, len - 172);
		check(memcmp(v.src_mac, peer_mac, 6) == 0);
		check(memcmp(v.src_ip, family == 4 ? peer4 : peer6, family == 4 ? 4 : 16) == 0);
	}
}

static void checksums_add_up_for_every_length(void)
{
	uint8_t frame[400];

	for (uint16_t payload = 0; payload < 200; payload++) {
		frame_make(frame, 4, payload);
		check_int(net_sum_fold(net_sum(0, frame + 14, 20)), 0);
		check_int(be16_get(frame + 40), 0);

		frame_make(frame, 6, payload);
		uint16_t udp = (uint16_t)(payload + 8);
		check_int(net_sum_fold(net_sum((uint32_t)udp + 17, frame + 22, 32u + udp)), 0);
		check(be16_get(frame + 60) != 0);
	}
}

/* RFC 1071, 3: the example, and an odd tail. */
static void sum_of_the_rfc(void)
{
	static const uint8_t words[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	check_int((uint16_t)~net_sum_fold(net_sum(0, words, 8)), 0xddf2);
	check_int((uint16_t)~net_sum_fold(net_sum(0, words, 3)), 0xf201);
}

static void no_prefix_of_a_frame_is_udp(void)
{
	struct net_own own = own_make();
	uint8_t frame[400];
	struct net_view v;

	for (uint8_t family = 4; family <= 6; family += 2) {
		uint16_t len = frame_make(frame, family, 20);

		for (uint16_t cut = 0; cut < len; cut++)
			check_int(net_parse(&v, &own, frame, cut), NET_MALFORMED);
		check_int(net_parse(&v, &own, frame, len + 40u), NET_UDP); /* Ethernet padding */
		check_int(v.payload_len, 20);
	}
}

/* Renew the IPv4 checksum after a test bent the header. */
static void ip4_seal(uint8_t *frame)
{
	be16_put(frame + 24, 0);
	be16_put(frame + 24, net_sum_fold(net_sum(0, frame + 14, 20)));
}

static void each_bent_byte_has_its_verdict(void)
{
	static const struct {
		const char *what;
		uint8_t family;
		uint8_t at, value;
		bool seal;
		enum net_verdict want;
	} rows[] = {
		{"other link address", 4, 5, 7, false, NET_NOT_OURS},
		{"unknown ethertype", 4, 12, 0x88, false, NET_NOT_OURS},
		{"ARP on a shared port", 4, 13, 6, false, NET_NOT_OURS},
		{"IP version", 4, 14, 0x65, true, NET_MALFORMED},
		{"header length 4 words", 4, 14, 0x44, true, NET_MALFORMED},
		{"total length beyond the frame", 4, 16, 0x7f, true, NET_MALFORMED},
		{"IPv4 checksum", 4, 24, 0xee, false, NET_MALFORMED},
		{"more fragments", 4, 20, 0x20, true, NET_FRAGMENT},
		{"fragment offset", 4, 21, 1, true, NET_FRAGMENT},
		{"TCP", 4, 23, 6, true, NET_NOT_OURS},
		{"ICMP on a shared port", 4, 23, 1, true, NET_NOT_OURS},
		{"other address", 4, 33, 77, true, NET_NOT_OURS},
		{"UDP length below 8", 4, 39, 7, false, NET_MALFORMED},
		{"UDP length beyond IP", 4, 38, 2, false, NET_MALFORMED},
		{"IPv6 version", 6, 14, 0x40, false, NET_MALFORMED},
		{"IPv6 payload beyond the frame", 6, 18, 9, false, NET_MALFORMED},
		{"IPv6 other address", 6, 53, 77, false, NET_NOT_OURS},
		{"IPv6 multicast", 6, 38, 0xff, false, NET_NOT_OURS},
		{"IPv6 fragment", 6, 20, 44, false, NET_FRAGMENT},
		{"IPv6 TCP", 6, 20, 6, false, NET_NOT_OURS},
	};
	struct net_own own = own_make();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t frame[400];
		struct net_view v;
		uint16_t len = frame_make(frame, rows[i].family, 100);

		frame[rows[i].at] = rows[i].value;
		if (rows[i].seal)
			ip4_seal(frame);
		enum net_verdict got = net_parse(&v, &own, frame, len);
		if (got != rows[i].want)
			printf("%s\n", rows[i].what);
		check_int(got, rows[i].want);
	}
}

static void only_its_own_vlan_is_heard(void)
{
	static const struct {
		int tag; /* -1: none */
		uint16_t own;
		enum net_verdict verdict;
	} rows[] = {
		{-1, 0, NET_UDP},           {0, 0, NET_UDP},
		{0x6000, 0, NET_UDP}, /* a priority only */
		{42, 0, NET_NOT_OURS},      {42, 42, NET_UDP},
		{0xa000 | 42, 42, NET_UDP}, {43, 42, NET_NOT_OURS},
		{-1, 42, NET_NOT_OURS},     {0, 42, NET_NOT_OURS},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct net_own own = own_make();
		uint8_t frame[404];
		struct net_view v;
		uint16_t len = frame_make(frame, 4, 100);

		own.vlan = rows[i].own;
		if (rows[i].tag >= 0)
			len = net_vlan_put(frame, len, (uint16_t)rows[i].tag);
		check_int(net_parse(&v, &own, frame, len), rows[i].verdict);
		if (rows[i].verdict == NET_UDP)
			check_int(v.payload_at, rows[i].tag >= 0 ? 46 : 42);
		if (rows[i].tag >= 0)
			check_int(net_parse(&v, &own, frame, 16), NET_MALFORMED);
	}
}

static void what_is_sent_into_a_vlan_is_tagged(void)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct net_own us = own_make(), them = us;
		uint8_t plain[300], tagged[304];
		struct net_head h;
		struct net_view v;

		them.vlan = us.vlan = 4094;
		memcpy(them.mac, peer_mac, 6);
		memcpy(them.ip4_addr, peer4, 4);
		memcpy(them.ip6_addr, peer6, 16);
		net_head_make(&h, &them, family, 4000, family == 4 ? us.ip4_addr : us.ip6_addr,
			      20000, us.mac);
		check_int(h.len, family == 4 ? 46 : 66);
		for (unsigned i = 0; i < 100; i++)
			tagged[h.len + i] = (uint8_t)(i * 7);
		memset(tagged, 0xee, h.len); /* nothing of before may shine through */
		net_head_write(&h, tagged, 100);
		check_int(net_parse(&v, &us, tagged, h.len + 100u), NET_UDP);
		check_int(v.payload_at, h.len);
		check_int(be16_get(tagged + 14), 5 << 13 | 4094);
		/* Without the tag it is the same frame as ever. */
		check_int(frame_make(plain, family, 100), h.len - 4 + 100);
		check(memcmp(plain, tagged, 12) == 0);
		check(memcmp(plain + 12, tagged + 16, h.len - 16u + 100) == 0);
	}
}

static void ip6_extension_headers_are_stepped_over(void)
{
	struct net_own own = own_make();
	uint8_t frame[400], longer[500];
	struct net_view v;
	uint16_t len = frame_make(frame, 6, 100);

	memcpy(longer, frame, 54);
	memset(longer + 54, 0, 8);
	longer[20] = 60;
	longer[54] = 17;
	memcpy(longer + 62, frame + 54, len - 54u);
	be16_put(longer + 18, (uint16_t)(be16_get(frame + 18) + 8));
	check_int(net_parse(&v, &own, longer, len + 8u), NET_UDP);
	check_int(v.payload_at, 70);
	longer[55] = 200; /* an extension longer than the packet */
	check_int(net_parse(&v, &own, longer, len + 8u), NET_MALFORMED);
}

static void only_an_exclusive_port_has_local_things(void)
{
	struct net_own own = own_make();
	uint8_t frame[400];
	struct net_view v;
	uint16_t len = frame_make(frame, 4, 100);

	frame[23] = NET_PROTO_ICMP;
	ip4_seal(frame);
	check_int(net_parse(&v, &own, frame, len), NET_NOT_OURS);
	own.exclusive = true;
	check_int(net_parse(&v, &own, frame, len), NET_LOCAL);
	be16_put(frame + 12, NET_ETHERTYPE_ARP);
	check_int(net_parse(&v, &own, frame, len), NET_LOCAL);
	check_int(net_parse(&v, &own, frame, 41), NET_MALFORMED);
}

static void prefixes_say_what_is_on_the_link(void)
{
	struct net_own own = own_make(); /* 10.1.2.3/23, fd00::3/64 */

	check(net_on_link(&own, 4, (const uint8_t[4]){10, 1, 3, 255}));
	check(!net_on_link(&own, 4, (const uint8_t[4]){10, 1, 4, 0}));
	check(net_on_link(&own, 6, peer6));
	check(net_on_link(&own, 6, (const uint8_t[16]){0xfe, 0x80, [15] = 1}));
	check(!net_on_link(&own, 6, (const uint8_t[16]){0xfd, [7] = 1}));
	own.ip4_prefix = 0;
	check(net_on_link(&own, 4, (const uint8_t[4]){192, 0, 2, 1}));
}

static const struct check_case cases[] = {
	CHECK_CASE(what_is_made_is_read),
	CHECK_CASE(checksums_add_up_for_every_length),
	CHECK_CASE(sum_of_the_rfc),
	CHECK_CASE(no_prefix_of_a_frame_is_udp),
	CHECK_CASE(each_bent_byte_has_its_verdict),
	CHECK_CASE(only_its_own_vlan_is_heard),
	CHECK_CASE(what_is_sent_into_a_vlan_is_tagged),
	CHECK_CASE(ip6_extension_headers_are_stepped_over),
	CHECK_CASE(only_an_exclusive_port_has_local_things),
	CHECK_CASE(prefixes_say_what_is_on_the_link),
};
CHECK_MAIN(cases)
