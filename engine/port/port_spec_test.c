/* SPDX-License-Identifier: Apache-2.0 */
#include "port/port_spec.h"

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

static const struct check_case cases[] = {
	CHECK_CASE(words_are_understood),
	CHECK_CASE(mistakes_are_named),
};
CHECK_MAIN(cases)
