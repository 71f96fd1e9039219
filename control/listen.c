/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"

/* The first address of this machine that others can reach; loopback when there is none. */
static void own_address(bool v6, char *out, size_t size)
{
	struct ifaddrs *list = NULL, *i;

	snprintf(out, size, "%s", v6 ? "::1" : "127.0.0.1");
	if (getifaddrs(&list) != 0)
		return;
	for (i = list; i != NULL; i = i->ifa_next) {
		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != (v6 ? AF_INET6 : AF_INET) ||
		    (i->ifa_flags & (IFF_LOOPBACK | IFF_UP)) != IFF_UP)
			continue;
		if (getnameinfo(i->ifa_addr,
				v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in), out,
				(socklen_t)size, NULL, 0, NI_NUMERICHOST) == 0 &&
		    strchr(out, '%') == NULL)
			break;
	}
	if (i == NULL)
		snprintf(out, size, "%s", v6 ? "::1" : "127.0.0.1");
	freeifaddrs(list);
}

/* One listener; "any" address becomes this machine's own, because a Contact must name one. */
int listen_add(struct centre *c, enum sip_transport transport, const char *ip, uint16_t port,
	       char store[SIP_LISTEN_MAX][SIP_IP_MAX])
{
	size_t n = c->listens;

	if (n == SIP_LISTEN_MAX) {
		log_error("sip", "more than %d listeners", SIP_LISTEN_MAX);
		return -EINVAL;
	}
	if (strcmp(ip, "0.0.0.0") == 0 || strcmp(ip, "::") == 0) {
		own_address(strchr(ip, ':') != NULL, store[n], SIP_IP_MAX);
		log_info("sip", "listening on %s for %s", store[n], ip);
	} else {
		snprintf(store[n], SIP_IP_MAX, "%s", ip);
	}
	c->listen[n] = (struct sip_listen){.transport = transport, .ip = store[n], .port = port};
	c->listens++;
	return 0;
}

/* "udp:192.0.2.1:5060", "tcp:[2001:db8::1]:5060"; without a transport both. Cuts up `one`. */
static int parse_listener(struct centre *c, char *one, char store[SIP_LISTEN_MAX][SIP_IP_MAX])
{
	bool udp = strncmp(one, "udp:", 4) == 0, tcp = strncmp(one, "tcp:", 4) == 0;
	char *ip = udp || tcp ? one + 4 : one, *port = strrchr(ip, ':'), *end;
	long number;
	int err = 0;

	if (port == NULL || port == ip) {
		log_error("sip", "--listen %s is not [udp:|tcp:]ADDRESS:PORT", one);
		return -EINVAL;
	}
	*port++ = '\0';
	if (*ip == '[') {
		ip++;
		ip[strcspn(ip, "]")] = '\0';
	}
	number = strtol(port, &end, 10);
	if (*port == '\0' || *end != '\0' || number < 0 || number > 65535) {
		log_error("sip", "--listen: %s is no port", port);
		return -EINVAL;
	}
	if (!tcp)
		err = listen_add(c, SIP_OVER_UDP, ip, (uint16_t)number, store);
	if (err == 0 && !udp)
		err = listen_add(c, SIP_OVER_TCP, ip, (uint16_t)number, store);
	return err;
}

int listen_parse(struct centre *c, const char *list, char store[SIP_LISTEN_MAX][SIP_IP_MAX])
{
	char text[512], *at = text, *one;
	int err = 0;

	if (strlen(list) >= sizeof(text))
		return -EINVAL;
	memcpy(text, list, strlen(list) + 1);
	while (err == 0 && (one = strsep(&at, ",")) != NULL)
		err = parse_listener(c, one, store);
	return err;
}
