/* SPDX-License-Identifier: Apache-2.0 */
#include "port/port_spec.h"

#include <arpa/inet.h>
#include <errno.h>

#include "check.h"

static void words_are_understood(void)
{
	struct port_spec s;
	char why[200];

	check_int(port_spec_parse(&s, "auto:eth0", why, sizeof(why)), 0);
	check_int(s.driver, PORT_AUTO);
	check_str(s.name, "eth0");
	check(!s.own.ip4 && !s.own.ip6 && !s.mac_given);

	check_int(port_spec_parse(&s,
				  "tap:pb0,ip=10.1.2.3/24,gw=10.1.2.1,ip6=fd00::3/64,gw6=fd00::1,"
				  "mac=02:00:00:00:00:0a",
				  why, sizeof(why)),
		  0);
	check_int(s.driver, PORT_TAP);
	check(s.own.ip4 && s.own.ip4_gw && s.own.ip6 && s.own.ip6_gw && s.mac_given);
	check(memcmp(s.own.ip4_addr, (uint8_t[4]){10, 1, 2, 3}, 4) == 0);
	check_int(s.own.ip4_prefix, 24);
	check_int(s.own.ip6_prefix, 64);
	check_int(s.own.ip4_gateway[3], 1);
	check_int(s.own.mac[5], 10);

	check_int(port_spec_parse(&s, "pci:0000:03:00.0,ip=192.0.2.1", why, sizeof(why)), 0);
	check_str(s.name, "0000:03:00.0");
	check_int(s.own.ip4_prefix, 32);
	check_int(port_spec_parse(&s, "ring:,ip=192.0.2.1/0", why, sizeof(why)), 0);
	check_int(s.own.ip4_prefix, 0);
}

static void mistakes_are_named(void)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"eth0", "no driver"},
		{"xdp:eth0", "names no driver"},
		{"auto:", "needs the name"},
		{"auto:a/b", "not the name"},
		{"auto:interface-name-too-long", "too long"},
		{"tap:pb0", "needs ip="},
		{"tap:pb0,ip=10.1.2/24", "ip=10.1.2/24 is not an IPv4"},
		{"tap:pb0,ip=10.1.2.3/33", "not an IPv4"},
		{"tap:pb0,ip=10.1.2.3/", "not an IPv4"},
		{"tap:pb0,ip=10.1.2.3/-1", "not an IPv4"},
		{"tap:pb0,ip6=fd00::3/129", "not an IPv6"},
		{"tap:pb0,ip=10.1.2.3/24,gw=x", "gw=x"},
		{"tap:pb0,ip=10.1.2.3/24,mac=01:00:00:00:00:00", "unicast"},
		{"tap:pb0,ip=10.1.2.3/24,mac=02:00", "unicast"},
		{"tap:pb0,ip=10.1.2.3/24,colour=red", "colour=red is not an option"},
		{"tap:pb0,ip", "name=value"},
		{"af_xdp:eth0,vlan=7", "VLAN interface"},
		{"auto:eth0,route=10.5.0.0/16@10.1.2.1", "kernel's routes"},
		{"raw:eth1", "needs ip="},
		{"raw:eth1,ip=10.1.2.3/24,vlan=0", "1 to 4094"},
		{"raw:eth1,ip=10.1.2.3/24,vlan=4095", "1 to 4094"},
		{"raw:eth1,ip=10.1.2.3/24,vlan=7x", "1 to 4094"},
		{"raw:eth1,ip=10.1.2.3/24,route=10.5.0.0/16", "is not a route"},
		{"raw:eth1,ip=10.1.2.3/24,route=10.5.0.0/40@10.1.2.1", "is not a route"},
		{"raw:eth1,ip=10.1.2.3/24,route=10.5.0.0/16@10.1.3.1", "not on the link"},
		{"raw:eth1,ip=10.1.2.3/24,role=server", "role=server is not an option"},
		{"memif:m,ip=10.1.2.3/24", "needs socket="},
		{"memif:m,socket=/s,ip=10.1.2.3/24,role=master", "server or client"},
		{"memif:m,socket=/s,ip=10.1.2.3/24,slots=1000", "power of two"},
		{"memif:m,socket=/s,ip=10.1.2.3/24,slots=32", "power of two"},
		{"memif:m,socket=/s,ip=10.1.2.3/24,id=65536", "0 to 65535"},
		{"vdev:pcap0,ip=10.1.2.3/24", "like net_pcap0"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct port_spec s = {.name = "untouched"};
		char why[200] = "";

		check_int(port_spec_parse(&s, rows[i].text, why, sizeof(why)), -EINVAL);
		if (strstr(why, rows[i].says) == NULL)
			printf("%s: %s\n", rows[i].text, why);
		check(strstr(why, rows[i].says) != NULL);
		check_str(s.name, "untouched");
	}
}

static void a_neighbour_by_shared_memory(void)
{
	struct port_spec s;
	char why[200];

	check_int(port_spec_parse(&s,
				  "memif:bench0,socket=/run/pb/m.sock,role=server,id=3,slots=2048,"
				  "ip=10.1.2.3/24,vlan=7",
				  why, sizeof(why)),
		  0);
	check_int(s.driver, PORT_MEMIF);
	check(s.server);
	check_str(s.socket, "/run/pb/m.sock");
	check_int(s.id, 3);
	check_int(s.slots, 2048);
	check_int(s.own.vlan, 7);
	check_int(port_spec_parse(&s, "memif:b,socket=@abstract,ip=10.1.2.3/24", why, sizeof(why)),
		  0);
	check(!s.server);
	check_int(s.slots, 1024);
	check_int(port_spec_parse(&s, "vdev:net_pcap0,args=rx_pcap=a;tx_pcap=b,ip=10.1.2.3/24", why,
				  sizeof(why)),
		  0);
	check_str(s.args, "rx_pcap=a,tx_pcap=b");
}

static void the_next_hop_is_chosen(void)
{
	static const struct {
		const char *to, *by; /* by NULL: no way */
	} rows[] = {
		{"10.1.2.77", "10.1.2.77"}, {"10.5.9.1", "10.1.2.20"}, {"10.5.7.1", "10.1.2.21"},
		{"192.0.2.1", "10.1.2.1"},  {"fd00::9", "fd00::9"},    {"fd05::1", "fd00::20"},
		{"fe80::1", "fe80::1"},     {"2001:db8::1", NULL},
	};
	struct port_spec s;
	char why[200];

	check_int(port_spec_parse(
			  &s,
			  "raw:e,ip=10.1.2.3/24,gw=10.1.2.1,route=10.5.0.0/16@10.1.2.20,"
			  "route=10.5.7.0/24@10.1.2.21,ip6=fd00::3/64,route=fd05::/16@fd00::20",
			  why, sizeof(why)),
		  0);
	check_int(s.routes, 3);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool six = strchr(rows[i].to, ':') != NULL;
		uint8_t to[16] = {0}, by[16] = {0}, hop[16] = {0};

		check_int(inet_pton(six ? AF_INET6 : AF_INET, rows[i].to, to), 1);
		check_int(port_spec_hop(&s, six ? 6 : 4, to, hop), rows[i].by != NULL);
		if (rows[i].by == NULL)
			continue;
		check_int(inet_pton(six ? AF_INET6 : AF_INET, rows[i].by, by), 1);
		check(memcmp(hop, by, 16) == 0);
	}
	check_int(port_spec_parse(&s, "raw:e,ip=10.1.2.3/24", why, sizeof(why)), 0);
	check(!port_spec_hop(&s, 4, (uint8_t[4]){8, 8, 8, 8}, (uint8_t[16]){0}));
	check(!port_spec_hop(&s, 6, (uint8_t[16]){0xfe, 0x80}, (uint8_t[16]){0}));
}

static const struct check_case cases[] = {
	CHECK_CASE(a_neighbour_by_shared_memory),
	CHECK_CASE(the_next_hop_is_chosen),
	CHECK_CASE(words_are_understood),
	CHECK_CASE(mistakes_are_named),
};
CHECK_MAIN(cases)
