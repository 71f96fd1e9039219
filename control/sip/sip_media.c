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

	*c = (struct sip_codec){0};
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

struct known_codec {
	const char *word, *name;
	uint8_t pt; /* static, or what we call it in an offer */
	uint32_t clock_hz;
};

static const struct known_codec known_codecs[] = {
	{"PCMA", "PCMA", 8, 8000},        {"PCMU", "PCMU", 0, 8000},  {"G722", "G722", 9, 8000},
	{"opus", "opus", 111, 48000},     {"G729", "G729", 18, 8000}, {"L16", "L16", 112, 8000},
	{"L16/16000", "L16", 113, 16000},
};

static const struct known_codec *known(const char *word)
{
	for (size_t i = 0; i < sizeof(known_codecs) / sizeof(*known_codecs); i++)
		if (strcmp(known_codecs[i].word, word) == 0)
			return &known_codecs[i];
	return NULL;
}

int sip_media_allow(struct sip_media *m, const char *const *names, unsigned n)
{
	struct sip_media with = *m;

	with.codecs = 0;
	for (unsigned i = 0; i < n; i++) {
		const struct known_codec *k = known(names[i]);

		if (k == NULL || sip_media_add_codec(&with, k->name, k->pt, k->clock_hz) != 0)
			return -EINVAL;
	}
	if (with.codecs == 0)
		return -EINVAL;
	*m = with;
	return 0;
}

uint16_t sip_media_ptime(const struct sip_media *remote)
{
	unsigned ms = remote->ptime_ms != 0 ? remote->ptime_ms : 20;

	if (remote->ptime_max_ms != 0 && ms > remote->ptime_max_ms)
		ms = remote->ptime_max_ms;
	ms = ms / 10 * 10;
	return (uint16_t)(ms < 10 ? 10 : ms > 60 ? 60 : ms);
}
