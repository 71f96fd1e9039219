/* SPDX-License-Identifier: Apache-2.0
 *
 * The plain-data side of a negotiation; the protocol is in sip_sdp.c.
 */
#include <errno.h>
#include <string.h>

#include "sip/sip_media.h"

const char *sip_direction_name(enum sip_direction d)
{
	switch (d) {
	case SIP_SENDRECV:
		return "sendrecv";
	case SIP_SENDONLY:
		return "sendonly";
	case SIP_RECVONLY:
		return "recvonly";
	case SIP_INACTIVE:
		break;
	}
	return "inactive";
}

int sip_media_add_codec(struct sip_media *m, const char *name, uint8_t pt, uint32_t clock_hz)
{
	size_t len = strlen(name);

	if (len == 0 || len >= SIP_CODEC_NAME_MAX)
		return -EINVAL;
	if (m->codecs >= SIP_CODECS_MAX)
		return -ENOSPC;

	struct sip_codec *c = &m->codec[m->codecs++];

	memcpy(c->name, name, len + 1);
	c->pt = pt;
	c->clock_hz = clock_hz;
	return 0;
}

int sip_media_local(struct sip_media *m, const char *ip, uint16_t port)
{
	size_t len = strlen(ip);

	if (len >= SIP_IP_MAX)
		return -EINVAL;

	*m = (struct sip_media){
		.port = port,
		.ptime_ms = 20,
		.dtmf = true,
		.dtmf_pt = 101,
		.dtmf_clock_hz = 8000,
		.direction = SIP_SENDRECV,
	};
	memcpy(m->ip, ip, len + 1);
	(void)sip_media_add_codec(m, "PCMA", 8, 8000);
	(void)sip_media_add_codec(m, "PCMU", 0, 8000);
	return 0;
}
