/* SPDX-License-Identifier: Apache-2.0
 *
 * A leg's settings from JSON, its statistics to JSON.
 */
#include <arpa/inet.h>
#include <math.h>
#include <string.h>

#include "base/must.h"
#include "codec/codec.h"
#include "dsp/listen.h"
#include "rpc/rpc_priv.h"

#define CODEC_WORDS     "PCMU|PCMA|G722|opus|G729|L16"
#define DIRECTION_WORDS "sendrecv|sendonly|recvonly|inactive"
#define SOURCE_WORDS    "latch|strict"
#define LISTEN_WORDS    "level|off|full" /* enum leg_listen */

static const struct rpc_param remote_params[] = {
	RPC_PARAM_TEXT("ip", RPC_REQUIRED, 2, 45),
	RPC_PARAM_INT("port", RPC_REQUIRED, 1, 65535),
	RPC_PARAM_INT("rtcp_port", RPC_OPTIONAL, 1, 65535),
	RPC_PARAM_END,
};

static const struct rpc_param codec_params[] = {
	RPC_PARAM_INT("pt", RPC_REQUIRED, 0, 127),
	RPC_PARAM_WORD("name", RPC_REQUIRED, CODEC_WORDS),
	RPC_PARAM_INT("clock_hz", RPC_OPTIONAL, 8000, 48000),
	RPC_PARAM_INT("ptime_ms", RPC_OPTIONAL, 10, 60),
	RPC_PARAM_INT("ptime_max_ms", RPC_OPTIONAL, 10, 240),
	RPC_PARAM_INT("rate_max_hz", RPC_OPTIONAL, 8000, 48000),
	RPC_PARAM_INT("bits_per_s", RPC_OPTIONAL, 6000, 510000),
	RPC_PARAM_BOOL("fec", RPC_OPTIONAL),
	RPC_PARAM_BOOL("dtx", RPC_OPTIONAL),
	RPC_PARAM_END,
};

static const struct rpc_param noise_params[] = {
	RPC_PARAM_INT("pt", RPC_REQUIRED, 0, 127),
	RPC_PARAM_END,
};

static const struct rpc_param dtmf_params[] = {
	RPC_PARAM_INT("pt", RPC_REQUIRED, 0, 127),
	RPC_PARAM_INT("clock_hz", RPC_OPTIONAL, 8000, 48000),
	RPC_PARAM_END,
};

/* clang-format off */
#define LEG_SETTABLE \
	RPC_PARAM_OBJECT("remote", RPC_NULLABLE, remote_params), \
	RPC_PARAM_LIST("codecs", RPC_OPTIONAL, 1, LEG_CODECS_MAX, codec_params), \
	RPC_PARAM_OBJECT("dtmf", RPC_NULLABLE, dtmf_params), \
	RPC_PARAM_OBJECT("noise", RPC_NULLABLE, noise_params), \
	RPC_PARAM_WORD("direction", RPC_OPTIONAL, DIRECTION_WORDS), \
	RPC_PARAM_WORD("source", RPC_OPTIONAL, SOURCE_WORDS), \
	RPC_PARAM_BOOL("inband_dtmf", RPC_OPTIONAL), \
	RPC_PARAM_BOOL("hide_digits", RPC_OPTIONAL), \
	RPC_PARAM_INT("media_timeout_ms", RPC_OPTIONAL, 0, 86400000), \
	RPC_PARAM_WORD("listen", RPC_OPTIONAL, LISTEN_WORDS), \
	RPC_PARAM_BOOL("rtcp_mux", RPC_OPTIONAL), \
	RPC_PARAM_BOOL("rtcp_xr", RPC_OPTIONAL), \
	RPC_PARAM_OBJECT("srtp", RPC_NULLABLE, leg_srtp_params), \
	RPC_PARAM_TEXT("name", RPC_OPTIONAL, 0, 127)

const struct rpc_param leg_open_params[] = {
	RPC_PARAM_ID("call", RPC_REQUIRED),
	RPC_PARAM_ID("leg", RPC_REQUIRED),
	RPC_PARAM_WORD("family", RPC_OPTIONAL, "ip4|ip6"),
	RPC_PARAM_BOOL("urgent", RPC_OPTIONAL),
	LEG_SETTABLE,
	RPC_PARAM_END,
};

const struct rpc_param leg_set_params[] = {
	RPC_PARAM_ID("leg", RPC_REQUIRED),
	LEG_SETTABLE,
	RPC_PARAM_END,
};
/* clang-format on */

static bool refuse(struct rpc_error *err, const char *text)
{
	rpc_error_set(err, RPC_INVALID_PARAMS, "%s", text);
	return false;
}

static bool remote_read(struct leg_config *cfg, const json_t *remote, uint8_t family,
			struct rpc_error *err)
{
	struct sock_ip a = {.family = family};

	cfg->remote = cfg->remote_rtcp = (struct sock_ip){0};
	if (json_is_null(remote))
		return true;
	if (inet_pton(family == 6 ? AF_INET6 : AF_INET, rpc_param_text(remote, "ip", ""), a.ip) !=
	    1)
		return refuse(err, family == 6 ? "params.remote.ip is not an IPv6 address"
					       : "params.remote.ip is not an IPv4 address");
	if (family == 4 && (a.ip[0] == 0 || a.ip[0] >= 224))
		return refuse(err, "params.remote.ip is not the address of one host");
	if (family == 6 && a.ip[0] == 0xff)
		return refuse(err, "params.remote.ip is not the address of one host");
	a.port = (uint16_t)rpc_param_int(remote, "port", 0);
	cfg->remote = a;
	if (json_object_get(remote, "rtcp_port") != NULL) {
		a.port = (uint16_t)rpc_param_int(remote, "rtcp_port", 0);
		cfg->remote_rtcp = a;
	}
	return true;
}

/* 72..76 with the marker bit are RTCP's packet types 200..204 (RFC 5761, 4). */
static bool pt_usable(int64_t pt)
{
	return pt < 72 || pt > 76;
}

/* Which of ours a name and a clock mean; without a clock the one that the name has, of L16 8000. */
static const struct codec *codec_named(const json_t *c, struct rpc_error *err)
{
	const char *name = rpc_param_text(c, "name", "");
	int64_t usual = strcmp(name, "opus") == 0 ? 48000 : 8000;
	uint32_t clock_hz = (uint32_t)rpc_param_int(c, "clock_hz", usual);
	const struct codec *codec = codec_find(name, clock_hz);

	if (codec == NULL)
		rpc_error_set(err, RPC_INVALID_PARAMS,
			      "params.codecs: there is no %s with a clock of %u Hz here", name,
			      clock_hz);
	return codec;
}

static bool codecs_read(struct leg_config *cfg, const json_t *list, struct rpc_error *err)
{
	size_t n = json_array_size(list);

	cfg->codecs = (uint8_t)n;
	for (size_t i = 0; i < n; i++) {
		const json_t *c = json_array_get(list, i);

		const struct codec *codec = codec_named(c, err);

		if (codec == NULL)
			return false;
		cfg->codec[i] = (struct leg_codec){
			.id = codec->id,
			.pt = (uint8_t)rpc_param_int(c, "pt", 0),
			.ptime_ms = (uint16_t)rpc_param_int(c, "ptime_ms", 20),
			.ptime_max_ms = (uint16_t)rpc_param_int(c, "ptime_max_ms", 0),
			.clock_hz = codec->clock_hz,
			.rate_max_hz = (uint32_t)rpc_param_int(c, "rate_max_hz", 0),
			.bits_per_s = (uint32_t)rpc_param_int(c, "bits_per_s", 0),
			.fec = rpc_param_bool(c, "fec", false),
			.dtx = rpc_param_bool(c, "dtx", false),
		};
		if (!pt_usable(cfg->codec[i].pt))
			return refuse(
				err,
				"params.codecs: payload types 72 to 76 look like RTCP (RFC 5761)");
		if (cfg->codec[i].ptime_ms % 10 != 0)
			return refuse(err, "params.codecs: ptime_ms must be a multiple of 10");
		for (size_t k = 0; k < i; k++)
			if (cfg->codec[k].pt == cfg->codec[i].pt)
				return refuse(err, "params.codecs has a payload type twice");
	}
	return true;
}

static bool dtmf_read(struct leg_config *cfg, const json_t *dtmf, struct rpc_error *err)
{
	cfg->dtmf = !json_is_null(dtmf);
	cfg->dtmf_pt = (uint8_t)rpc_param_int(dtmf, "pt", 0);
	cfg->dtmf_clock_hz = (uint32_t)rpc_param_int(dtmf, "clock_hz", 8000);
	if (cfg->dtmf && !pt_usable(cfg->dtmf_pt))
		return refuse(err, "params.dtmf.pt: 72 to 76 look like RTCP (RFC 5761)");
	return true;
}

/* On one port RTCP's types 192 to 223 are payload types 64 to 95 (RFC 5761, 4). */
static bool mux_fits(const struct leg_config *c, struct rpc_error *err)
{
	bool fits = !c->dtmf || c->dtmf_pt < 64 || c->dtmf_pt > 95;

	for (unsigned i = 0; i < c->codecs; i++)
		fits = fits && (c->codec[i].pt < 64 || c->codec[i].pt > 95);
	return fits || !c->rtcp_mux ||
	       refuse(err,
		      "params.rtcp_mux: payload types 64 to 95 cannot be used with it (RFC 5761)");
}

bool leg_config_read(struct leg_config *cfg, const json_t *params, uint8_t family,
		     struct rpc_error *err)
{
	const json_t *remote = json_object_get(params, "remote"),
		     *codecs = json_object_get(params, "codecs"),
		     *dtmf = json_object_get(params, "dtmf"),
		     *noise = json_object_get(params, "noise");
	struct leg_config c = *cfg;

	c.set = 0;
	c.family = family;
	if (remote != NULL) {
		if (!remote_read(&c, remote, family, err))
			return false;
		c.set |= LEG_SET_REMOTE;
	}
	if (codecs != NULL) {
		if (!codecs_read(&c, codecs, err))
			return false;
		c.set |= LEG_SET_CODECS;
	}
	if (dtmf != NULL) {
		if (!dtmf_read(&c, dtmf, err))
			return false;
		c.set |= LEG_SET_DTMF;
	}
	if (noise != NULL) {
		c.noise = !json_is_null(noise);
		c.noise_pt = (uint8_t)rpc_param_int(noise, "pt", 13);
		c.set |= LEG_SET_NOISE;
	}
	for (unsigned i = 0; c.noise && i < c.codecs; i++)
		if (c.codec[i].pt == c.noise_pt)
			return refuse(err, "params.noise.pt is a codec's payload type, too");
	for (unsigned i = 0; c.dtmf && i < c.codecs; i++)
		if (c.codec[i].pt == c.dtmf_pt)
			return refuse(err, "params.dtmf.pt is a codec's payload type, too");
	if (json_object_get(params, "direction") != NULL)
		c.set |= LEG_SET_DIRECTION;
	if (json_object_get(params, "source") != NULL)
		c.set |= LEG_SET_SOURCE;
	if (json_object_get(params, "inband_dtmf") != NULL)
		c.set |= LEG_SET_INBAND;
	if (json_object_get(params, "media_timeout_ms") != NULL)
		c.set |= LEG_SET_TIMEOUT;
	if (json_object_get(params, "listen") != NULL)
		c.set |= LEG_SET_LISTEN;
	c.listen = (enum leg_listen)rpc_param_word(params, "listen", LISTEN_WORDS, (int)c.listen);
	if (json_object_get(params, "rtcp_mux") != NULL ||
	    json_object_get(params, "rtcp_xr") != NULL)
		c.set |= LEG_SET_RTCP;
	c.rtcp_mux = rpc_param_bool(params, "rtcp_mux", c.rtcp_mux);
	c.rtcp_xr = rpc_param_bool(params, "rtcp_xr", c.rtcp_xr);
	if (!mux_fits(&c, err))
		return false;
	if (json_object_get(params, "hide_digits") != NULL)
		c.set |= LEG_SET_HIDE;
	c.hide_digits = rpc_param_bool(params, "hide_digits", c.hide_digits);
	if (json_object_get(params, "srtp") != NULL)
		c.set |= LEG_SET_SRTP;
	c.direction = (enum leg_direction)rpc_param_word(params, "direction", DIRECTION_WORDS,
							 (int)c.direction);
	c.source = (enum leg_source_policy)rpc_param_word(params, "source", SOURCE_WORDS,
							  (int)c.source);
	c.inband_dtmf = rpc_param_bool(params, "inband_dtmf", c.inband_dtmf);
	c.media_timeout_ms =
		(uint32_t)rpc_param_int(params, "media_timeout_ms", c.media_timeout_ms);
	*cfg = c;
	return true;
}

const char *leg_codec_name(enum codec_id id)
{
	return id < CODEC_COUNT ? codec_of(id)->name : "?";
}

json_t *leg_address_json(const struct sock_ip *a)
{
	char text[INET6_ADDRSTRLEN];

	if (a->family == 0 ||
	    inet_ntop(a->family == 6 ? AF_INET6 : AF_INET, a->ip, text, sizeof(text)) == NULL)
		return json_null();
	return json_pack("{s:s, s:i}", "ip", text, "port", (int)a->port);
}

/* Rounded to `unit`; null when it is 0: not known. */
static json_t *rounded(double v, double unit)
{
	return v == 0 ? json_null() : json_real(round(v / unit) * unit);
}

static json_t *thousandths(uint32_t v)
{
	return json_real((double)v / 1000.0);
}

static json_t *level(int16_t dbov)
{
	return dbov == LISTEN_UNKNOWN_DBOV ? json_null() : json_integer(dbov);
}

static json_t *tones_json(const struct leg_sound *s)
{
	json_t *j = json_object();

	for (unsigned k = 0; k < LISTEN_TONE_KINDS; k++)
		if (s->tones[k] > 0)
			json_object_set_new(j, listen_tone_name((enum listen_tone_kind)k),
					    json_pack("{s:i, s:I}", "count", (int)s->tones[k],
						      "first_ms", (json_int_t)s->first_ms[k]));
	return j;
}

static json_t *sound_json(const struct leg_sound *s)
{
	static const char *const policies[] = {"level", "off", "full"};
	double silence = s->heard_ms == 0 ? 0 : 1.0 - (double)s->speech_ms / s->heard_ms;
	json_t *j = json_pack(
		"{s:s, s:I, s:I, s:f, s:I, s:I, s:I, s:I}", "listen", policies[s->listen],
		"heard_ms", (json_int_t)s->heard_ms, "speech_ms", (json_int_t)s->speech_ms,
		"silence_share", round((silence < 0 ? 0 : silence) * 1000) / 1000, "silence_max_ms",
		(json_int_t)s->silence_max_ms, "talk_over_ms", (json_int_t)s->talk_over_ms,
		"clipped_ms", (json_int_t)s->clipped_ms, "one_way_ms", (json_int_t)s->one_way_ms);

	must(j != NULL);
	json_object_set_new(j, "speech_dbov", level(s->speech_dbov));
	json_object_set_new(j, "noise_dbov", level(s->noise_dbov));
	json_object_set_new(j, "peak_dbov", level(s->peak_dbov));
	if (s->listen != LEG_LISTEN_FULL)
		return j;
	json_object_set_new(j, "tones", tones_json(s));
	json_object_set_new(j, "answer", json_string(listen_answer_name(s->answer)));
	json_object_set_new(j, "greeting_ms", json_integer((json_int_t)s->greeting_ms));
	json_object_set_new(j, "beep", json_boolean(s->beep));
	return j;
}

static json_t *jbuf_json(const struct leg_jbuf_stats *s)
{
	const struct {
		const char *name;
		uint32_t value;
	} member[] = {
		{"delay_ms", s->delay_ms},
		{"target_ms", s->target_ms},
		{"min_ms", s->min_ms},
		{"max_ms", s->max_ms},
		{"mean_ms", s->mean_ms},
		{"played", s->played},
		{"lost", s->lost},
		{"late", s->late},
		{"duplicate", s->duplicate},
		{"reordered", s->reordered},
		{"far", s->far},
		{"discarded", s->discarded},
		{"underruns", s->underruns},
		{"expansions", s->expansions},
		{"compressions", s->compressions},
		{"expanded_ms", s->expanded_ms},
		{"compressed_ms", s->compressed_ms},
	};
	json_t *j = json_object();

	for (size_t i = 0; i < sizeof(member) / sizeof(member[0]); i++)
		json_object_set_new(j, member[i].name, json_integer(member[i].value));
	return j;
}

json_t *leg_stats_json(const struct leg_stats *s)
{
	static const char *const plans[] = {
		[LEG_PLAN_SILENT] = "silent",
		[LEG_PLAN_RELAY] = "relay",
		[LEG_PLAN_PLAY] = "play",
		[LEG_PLAN_MIX] = "mix",
	};
	double share = s->expected != 0 ? (double)s->lost / (double)s->expected : 0.0;
	json_t *j = json_pack("{s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:i, s:I}",
			      "packets_in", (json_int_t)s->packets_in, "octets_in",
			      (json_int_t)s->octets_in, "packets_out", (json_int_t)s->packets_out,
			      "octets_out", (json_int_t)s->octets_out, "lost", (json_int_t)s->lost,
			      "lost_share", round(share * 1e6) / 1e6, "late", (json_int_t)s->late,
			      "duplicate", (json_int_t)s->duplicate, "reordered",
			      (json_int_t)s->reordered, "concealed_ms", (json_int_t)s->concealed_ms,
			      "dropped", (json_int_t)s->dropped, "jbuf_ms", (int)s->jbuf_ms,
			      "remote_lost", (json_int_t)s->remote_lost);

	must(j != NULL);
	json_object_set_new(j, "jitter_ms", thousandths(s->jitter_us));
	json_object_set_new(j, "rtt_ms",
			    s->rtt_us == UINT32_MAX ? json_null() : thousandths(s->rtt_us));
	json_object_set_new(j, "remote_jitter_ms", thousandths(s->remote_jitter_us));
	json_object_set_new(j, "mos", rounded(s->mos, 0.01));
	json_object_set_new(j, "r_factor", rounded(s->r_factor, 0.1));
	json_object_set_new(j, "remote_mos", rounded(s->remote_mos, 0.01));
	json_object_set_new(j, "discarded", json_integer((json_int_t)s->discarded));
	json_object_set_new(j, "bursts",
			    json_pack("{s:i, s:f, s:i, s:f, s:f}", "burst_ms", (int)s->burst_ms,
				      "burst_density", s->burst_density / 256.0, "gap_ms",
				      (int)s->gap_ms, "gap_density", s->gap_density / 256.0,
				      "burst_ratio", round(s->burst_ratio * 100) / 100));
	json_object_set_new(j, "jbuf", jbuf_json(&s->jbuf));
	json_object_set_new(j, "source", leg_address_json(&s->source));
	json_object_set_new(j, "codec", json_string(leg_codec_name((enum codec_id)s->codec)));
	json_object_set_new(j, "plan", json_string(s->plan <= LEG_PLAN_MIX ? plans[s->plan] : "?"));
	json_object_set_new(j, "sound", sound_json(&s->sound));
	if (s->in_room)
		json_object_set_new(j, "member",
				    json_pack("{s:b, s:b, s:b}", "muted", (int)s->muted, "deaf",
					      (int)s->deaf, "speaking", (int)s->speaking));
	json_object_set_new(j, "level_dbov", json_integer(s->level_dbov));
	json_object_set_new(j, "srtp", leg_srtp_json(s));
	return j;
}
