/* SPDX-License-Identifier: Apache-2.0 */
#include "port/port_spec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
	[PORT_AUTO] = "auto",   [PORT_AF_XDP] = "af_xdp", [PORT_AF_PACKET] = "af_packet",
	[PORT_TAP] = "tap",     [PORT_PCI] = "pci",       [PORT_RAW] = "raw",
	[PORT_MEMIF] = "memif", [PORT_VDEV] = "vdev",     [PORT_RING] = "ring",
};

enum {
	DRIVERS = sizeof(names) / sizeof(names[0]),
	SLOTS_MIN = 64,
	SLOTS_MAX = 16384,
	SLOTS_DEFAULT = 1024,
};

const char *port_driver_name(enum port_driver driver)
{
	return names[driver];
}

/* "ADDRESS/BITS"; without bits the whole address is the prefix. */
static bool parse_prefix(int family, const char *text, uint8_t *addr, uint8_t *bits)
{
	char ip[PORT_SPEC_WORD_MAX];
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

static bool parse_count(const char *text, unsigned long least, unsigned long most, uint32_t *n)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || v < least || v > most)
		return false;
	*n = (uint32_t)v;
	return true;
}

/* "PREFIX@NEXTHOP" */
static const char *parse_route(struct port_spec *s, const char *value)
{
	struct port_route r = {.family = strchr(value, ':') != NULL ? 6 : 4};
	int family = r.family == 4 ? AF_INET : AF_INET6;
	const char *at = strchr(value, '@');
	char net[PORT_SPEC_WORD_MAX];

	if (s->routes == PORT_ROUTES_MAX)
		return "is one route too many; 8 are possible";
	if (at == NULL)
		return "is not a route, like 10.5.0.0/16@10.1.2.254";
	snprintf(net, sizeof(net), "%.*s", (int)(at - value), value);
	if (!parse_prefix(family, net, r.net, &r.bits) || inet_pton(family, at + 1, r.hop) != 1)
		return "is not a route, like 10.5.0.0/16@10.1.2.254";
	s->route[s->routes++] = r;
	return NULL;
}

static const char *parse_address_option(struct port_spec *s, const char *key, const char *value)
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
	return "is not an option; known are ip, ip6, gw, gw6, mac, vlan, route; memif: socket, "
	       "role, "
	       "id, slots; vdev: args";
}

/* One option; NULL or what is wrong with it. */
static const char *parse_option(struct port_spec *s, const char *key, const char *value)
{
	bool memif = s->driver == PORT_MEMIF;
	uint32_t n;

	if (strcmp(key, "vlan") == 0) {
		if (!parse_count(value, 1, NET_VLAN_MAX, &n))
			return "is not a VLAN; 1 to 4094 are possible";
		s->own.vlan = (uint16_t)n;
		return NULL;
	}
	if (strcmp(key, "route") == 0)
		return parse_route(s, value);
	if (memif && strcmp(key, "role") == 0) {
		s->server = strcmp(value, "server") == 0;
		return s->server || strcmp(value, "client") == 0 ? NULL : "is not server or client";
	}
	if (memif && strcmp(key, "socket") == 0) {
		snprintf(s->socket, sizeof(s->socket), "%s", value);
		return strlen(value) > 1 && strlen(value) < 100 ? NULL
								: "is not the path of a socket";
	}
	if (memif && strcmp(key, "id") == 0)
		return parse_count(value, 0, UINT16_MAX, &s->id) ? NULL : "is not 0 to 65535";
	if (memif && strcmp(key, "slots") == 0)
		return parse_count(value, SLOTS_MIN, SLOTS_MAX, &s->slots) &&
				       (s->slots & (s->slots - 1)) == 0
			       ? NULL
			       : "is not a power of two from 64 to 16384";
	if (s->driver == PORT_VDEV && strcmp(key, "args") == 0) {
		snprintf(s->args, sizeof(s->args), "%s", value);
		for (char *c = s->args; *c != '\0'; c++)
			if (*c == ';')
				*c = ',';
		return NULL;
	}
	return parse_address_option(s, key, value);
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

/* What one driver needs and another cannot have; NULL or what is wrong. */
static const char *contradiction(const struct port_spec *s)
{
	if (port_driver_shared(s->driver)) {
		if (s->own.vlan != 0)
			return "cannot have vlan=: a shared port takes the kernel's VLAN "
			       "interface, "
			       "like af_xdp:eth0.7";
		if (s->routes > 0)
			return "cannot have route=: a shared port takes the kernel's routes";
		return NULL;
	}
	if (s->driver != PORT_RING && !s->own.ip4 && !s->own.ip6)
		return "needs ip= or ip6=";
	if (s->driver == PORT_MEMIF && s->socket[0] == '\0')
		return "needs socket=PATH";
	if (s->driver == PORT_VDEV && strncmp(s->name, "net_", 4) != 0)
		return "needs the name of a network device of DPDK, like net_pcap0";
	for (unsigned i = 0; i < s->routes; i++)
		if (!net_on_link(&s->own, s->route[i].family, s->route[i].hop))
			return "has a route whose next hop is not on the link";
	return NULL;
}

int port_spec_parse(struct port_spec *spec, const char *text, char *why, size_t why_size)
{
	struct port_spec s = {.driver = PORT_AUTO, .slots = SLOTS_DEFAULT};
	const char *colon = strchr(text, ':'), *wrong;
	unsigned driver = 0;

	if (colon == NULL)
		return refuse(why, why_size, text, "has no driver; write auto:INTERFACE");
	while (driver < DRIVERS && (strncmp(names[driver], text, (size_t)(colon - text)) != 0 ||
				    names[driver][colon - text] != '\0'))
		driver++;
	if (driver == DRIVERS)
		return refuse(why, why_size, text,
			      "names no driver; known are auto, af_xdp, af_packet, tap, pci, raw, "
			      "memif, vdev, ring");
	s.driver = (enum port_driver)driver;
	text = colon + 1;
	if (!take_word(s.name, s.driver == PORT_PCI || s.driver >= PORT_MEMIF ? sizeof(s.name) : 16,
		       &text))
		return refuse(why, why_size, text, "is too long for the name of an interface");
	if (s.name[0] == '\0' && s.driver != PORT_RING)
		return refuse(why, why_size, names[driver],
			      "needs the name of an interface behind ':'");
	if (strchr(s.name, '/') != NULL)
		return refuse(why, why_size, s.name, "is not the name of an interface");
	while (*text == ',') {
		char word[PORT_SPEC_WORD_MAX], *equal;

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
	wrong = contradiction(&s);
	if (wrong != NULL)
		return refuse(why, why_size, names[driver], wrong);
	*spec = s;
	return 0;
}

static bool in_route(const struct port_route *r, uint8_t family, const uint8_t *ip)
{
	const struct net_own as = {
		.ip4 = true, .ip4_prefix = r->bits, .ip6 = true, .ip6_prefix = r->bits};
	struct net_own own = as;

	memcpy(own.ip4_addr, r->net, 4);
	memcpy(own.ip6_addr, r->net, 16);
	return r->family == family && net_on_link(&own, family, ip);
}

bool port_spec_hop(const struct port_spec *spec, uint8_t family, const uint8_t *ip, uint8_t *hop)
{
	const struct net_own *own = &spec->own;
	size_t bytes = family == 4 ? 4 : 16;
	const struct port_route *best = NULL;
	const uint8_t *by = NULL;

	if (!(family == 4 ? own->ip4 : own->ip6))
		return false;
	for (unsigned i = 0; i < spec->routes; i++)
		if (in_route(&spec->route[i], family, ip) &&
		    (best == NULL || spec->route[i].bits > best->bits))
			best = &spec->route[i];
	if (net_on_link(own, family, ip))
		by = ip;
	else if (best != NULL)
		by = best->hop;
	else if (family == 4 ? own->ip4_gw : own->ip6_gw)
		by = family == 4 ? own->ip4_gateway : own->ip6_gateway;
	if (by == NULL)
		return false;
	memset(hop, 0, 16);
	memcpy(hop, by, bytes);
	return true;
}
