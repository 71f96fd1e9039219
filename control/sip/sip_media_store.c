/* SPDX-License-Identifier: Apache-2.0
 *
 * Media as JSON, all but the keys.
 */
#include "record/kept.h"
#include "sip/sip_store.h"

static const char *direction_name(unsigned i)
{
	return sip_direction_name((enum sip_direction)i);
}

static json_t *codec_keep(const struct sip_codec *c)
{
	json_t *o = json_object();

	kept_put_text(o, "name", c->name);
	kept_put_number(o, "pt", c->pt);
	kept_put_number(o, "clock_hz", c->clock_hz);
	kept_put_number(o, "rate_max_hz", c->rate_max_hz);
	kept_put_number(o, "bits_per_s", c->bits_per_s);
	kept_put_flag(o, "fec", c->fec);
	kept_put_flag(o, "dtx", c->dtx);
	return o;
}

json_t *sip_media_keep(const struct sip_media *m)
{
	json_t *o = json_object(), *codecs = json_array(), *suites = json_array();

	kept_put_text(o, "ip", m->ip);
	kept_put_number(o, "port", m->port);
	kept_put_text(o, "rtcp_ip", m->rtcp_ip);
	kept_put_number(o, "rtcp_port", m->rtcp_port);
	kept_put_number(o, "ptime_ms", m->ptime_ms);
	kept_put_number(o, "ptime_max_ms", m->ptime_max_ms);
	for (unsigned i = 0; i < m->codecs; i++)
		json_array_append_new(codecs, codec_keep(&m->codec[i]));
	json_object_set_new(o, "codecs", codecs);
	kept_put_flag(o, "dtmf", m->dtmf);
	kept_put_number(o, "dtmf_pt", m->dtmf_pt);
	kept_put_number(o, "dtmf_clock_hz", m->dtmf_clock_hz);
	kept_put_flag(o, "noise", m->noise);
	kept_put_number(o, "noise_pt", m->noise_pt);
	kept_put_text(o, "direction", sip_direction_name(m->direction));
	kept_put_flag(o, "held", m->held);
	kept_put_number(o, "srtp", m->srtp);
	for (unsigned i = 0; i < m->srtp_suites && i < SIP_SRTP_SUITES_MAX; i++)
		json_array_append_new(suites, json_integer(m->srtp_suite_list[i]));
	json_object_set_new(o, "suites", suites);
	kept_put_number(o, "srtp_agreed", m->srtp_agreed);
	return o;
}

static bool codec_kept(struct sip_media *m, const json_t *o)
{
	struct sip_codec *c = &m->codec[m->codecs];
	bool ok = kept_text(o, "name", c->name, sizeof(c->name)) && c->name[0] != '\0';

	ok = KEPT_NUMBER(o, "pt", 127, c->pt) && ok;
	ok = KEPT_NUMBER(o, "clock_hz", 192000, c->clock_hz) && ok && c->clock_hz != 0;
	ok = KEPT_NUMBER(o, "rate_max_hz", 192000, c->rate_max_hz) && ok;
	ok = KEPT_NUMBER(o, "bits_per_s", 1000000, c->bits_per_s) && ok;
	ok = kept_flag(o, "fec", &c->fec) && ok;
	ok = kept_flag(o, "dtx", &c->dtx) && ok;
	m->codecs++;
	return ok;
}

static bool suites_kept(struct sip_media *m, const json_t *list)
{
	if (json_array_size(list) > SIP_SRTP_SUITES_MAX)
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_int_t n = json_integer_value(json_array_get(list, i));

		if (n < 1 || n > SIP_SRTP_SUITES_MAX)
			return false;
		m->srtp_suite_list[m->srtp_suites++] = (uint8_t)n;
	}
	return true;
}

bool sip_media_kept(struct sip_media *m, const json_t *o)
{
	const json_t *codecs = json_object_get(o, "codecs");
	unsigned direction = 0;
	uint64_t srtp = 0;
	bool ok = json_array_size(codecs) > 0 && json_array_size(codecs) <= SIP_CODECS_MAX;

	*m = (struct sip_media){0};
	ok = ok && kept_word(o, "direction", direction_name, SIP_INACTIVE + 1, &direction);
	for (size_t i = 0; ok && i < json_array_size(codecs); i++)
		ok = codec_kept(m, json_array_get(codecs, i));
	ok = kept_text(o, "ip", m->ip, sizeof(m->ip)) && ok && m->ip[0] != '\0';
	ok = KEPT_NUMBER(o, "port", UINT16_MAX, m->port) && ok;
	ok = kept_text(o, "rtcp_ip", m->rtcp_ip, sizeof(m->rtcp_ip)) && ok;
	ok = KEPT_NUMBER(o, "rtcp_port", UINT16_MAX, m->rtcp_port) && ok;
	ok = KEPT_NUMBER(o, "ptime_ms", 240, m->ptime_ms) && ok;
	ok = KEPT_NUMBER(o, "ptime_max_ms", 240, m->ptime_max_ms) && ok;
	ok = kept_flag(o, "dtmf", &m->dtmf) && ok;
	ok = KEPT_NUMBER(o, "dtmf_pt", 127, m->dtmf_pt) && ok;
	ok = KEPT_NUMBER(o, "dtmf_clock_hz", 192000, m->dtmf_clock_hz) && ok;
	ok = kept_flag(o, "noise", &m->noise) && ok;
	ok = KEPT_NUMBER(o, "noise_pt", 127, m->noise_pt) && ok;
	ok = kept_flag(o, "held", &m->held) && ok;
	ok = kept_number(o, "srtp", SIP_SRTP_REQUIRED, &srtp) && ok;
	ok = suites_kept(m, json_object_get(o, "suites")) && ok;
	ok = KEPT_NUMBER(o, "srtp_agreed", SIP_SRTP_SUITES_MAX, m->srtp_agreed) && ok;
	m->direction = (enum sip_direction)direction;
	m->srtp = (enum sip_srtp)srtp;
	return ok;
}
