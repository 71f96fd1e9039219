/* SPDX-License-Identifier: Apache-2.0 */
#include "port/port_spec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
	[PORT_AUTO] = "auto", [PORT_AF_XDP] = "af_xdp", [PORT_AF_PACKET] = "af_packet",
	[PORT_TAP] = "tap",   [PORT_PCI] = "pci",       [PORT_RING] = "ring",
};

enum { DRIVERS = sizeof(names) / sizeof(names[0]), OPTION_MAX = 64 };

const char *port_driver_name(enum port_driver driver)
{
	return names[driver];
}

/* "ADDRESS/BITS"; without bits the whole address is the prefix. */
static bool parse_prefix(int family, const char *text, uint8_t *addr, uint8_t *bits)
{
	char ip[OPTION_MAX];
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	long most = family == AF_INET ? 32 : 128, n = most;

	if (len >= sizeof(ip))
		return false;
	memcpy(ip, text, len);
	ip[len] = '\0';
	if (slash != NULL) {
		char *end;

		n = strtol(slash + 1, &end, 10);
		if (slash[1] < '0' || slash[1] > '9' || *end != '\0' || n > most)
			return false;
	}
	*bits = (uint8_t)n;
	return inet_pton(family, ip, addr) == 1;
}

static bool parse_mac(const char *text, uint8_t mac[6])
{
	unsigned b[6];
	int used = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		   &used) != 6 ||
	    text[used] != '\0' || (b[0] & 1) != 0)
		return false;
	for (unsigned i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
	return true;
}

/* One option; NULL or what is wrong with it. */
static const char *parse_option(struct port_spec *s, const char *key, const char *value)
{
	if (strcmp(key, "ip") == 0) {
		s->own.ip4 = parse_prefix(AF_INET, value, s->own.ip4_addr, &s->own.ip4_prefix);
		return s->own.ip4 ? NULL : "is not an IPv4 address with prefix, like 10.1.2.3/24";
	}
	if (strcmp(key, "ip6") == 0) {
		s->own.ip6 = parse_prefix(AF_INET6, value, s->own.ip6_addr, &s->own.ip6_prefix);
		return s->own.ip6 ? NULL : "is not an IPv6 address with prefix, like fd00::3/64";
	}
	if (strcmp(key, "gw") == 0) {
		s->own.ip4_gw = inet_pton(AF_INET, value, s->own.ip4_gateway) == 1;
		return s->own.ip4_gw ? NULL : "is not an IPv4 address";
	}
	if (strcmp(key, "gw6") == 0) {
		s->own.ip6_gw = inet_pton(AF_INET6, value, s->own.ip6_gateway) == 1;
		return s->own.ip6_gw ? NULL : "is not an IPv6 address";
	}
	if (strcmp(key, "mac") == 0) {
		s->mac_given = parse_mac(value, s->own.mac);
		return s->mac_given ? NULL
				    : "is not a unicast link address, like 02:00:00:00:00:01";
	}
	return "is not an option; known are ip, ip6, gw, gw6 and mac";
}

static int refuse(char *why, size_t size, const char *what, const char *is)
{
	snprintf(why, size, "%s %s", what, is);
	return -EINVAL;
}

/* Copy up to the next comma; false when it does not fit. */
static bool take_word(char *word, size_t size, const char **text)
{
	size_t len = strcspn(*text, ",");

	if (len >= size)
		return false;
	memcpy(word, *text, len);
	word[len] = '\0';
	*text += len;
	return true;
}

int port_spec_parse(struct port_spec *spec, const char *text, char *why, size_t why_size)
{
	struct port_spec s = {.driver = PORT_AUTO};
	const char *colon = strchr(text, ':');
	unsigned driver = 0;

	if (colon == NULL)
		return refuse(why, why_size, text, "has no driver; write auto:INTERFACE");
	while (driver < DRIVERS && (strncmp(names[driver], text, (size_t)(colon - text)) != 0 ||
				    names[driver][colon - text] != '\0'))
		driver++;
	if (driver == DRIVERS)
		return refuse(why, why_size, text,
			      "names no driver; known are auto, af_xdp, af_packet, tap, pci, ring");
	s.driver = (enum port_driver)driver;
	text = colon + 1;
	if (!take_word(s.name, s.driver == PORT_PCI || s.driver == PORT_RING ? sizeof(s.name) : 16,
		       &text))
		return refuse(why, why_size, text, "is too long for the name of an interface");
	if (s.name[0] == '\0' && s.driver != PORT_RING)
		return refuse(why, why_size, names[driver],
			      "needs the name of an interface behind ':'");
	if (strchr(s.name, '/') != NULL)
		return refuse(why, why_size, s.name, "is not the name of an interface");
	while (*text == ',') {
		char word[OPTION_MAX], *equal;
		const char *wrong;

		text++;
		if (!take_word(word, sizeof(word), &text) || (equal = strchr(word, '=')) == NULL)
			return refuse(why, why_size, text, "is not an option; write name=value");
		*equal = '\0';
		wrong = parse_option(&s, word, equal + 1);
		if (wrong != NULL) {
			*equal = '=';
			return refuse(why, why_size, word, wrong);
		}
	}
	if ((s.driver == PORT_TAP || s.driver == PORT_PCI) && !s.own.ip4 && !s.own.ip6)
		return refuse(why, why_size, names[driver], "needs ip= or ip6=");
	*spec = s;
	return 0;
}
