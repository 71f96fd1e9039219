/* SPDX-License-Identifier: Apache-2.0
 *
 * libre's SDP session is a negotiator with memory: decoding an offer reorders our formats and takes
 * over the peer's payload type numbers, and an offer that fails half-way leaves it half changed. So
 * every description goes through a throw-away session first, and our formats are written anew from
 * the local media before each exchange; what libre then adds is the bookkeeping of streams and
 * versions, which must live as long as the call.
 *
 * libre turns the peer's direction to our side while it decodes (`a=sendonly` becomes RECVONLY), so
 * directions here need no mirror.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "sip/sip_sdp_priv.h"

enum { OFFERED = 2 }; /* suites, when the operator has not chosen */

static void sdp_free(void *arg)
{
	struct sip_sdp *s = arg;

	mem_deref(s->audio);
	mem_deref(s->session);
	mem_deref(s->last);
	sip_crypto_wipe(s->ours, sizeof(s->ours));
	sip_crypto_wipe(&s->remote, sizeof(s->remote));
}

int sip_sdp_new(struct sip_sdp **out)
{
	struct sip_sdp *s = mem_zalloc(sizeof(*s), sdp_free);

	if (s == NULL)
		return -ENOMEM;
	*out = s;
	return 0;
}

const struct sip_media *sip_sdp_remote(const struct sip_sdp *s)
{
	return s->has_remote ? &s->remote : NULL;
}

const struct sip_media *sip_sdp_local(const struct sip_sdp *s)
{
	return s->has_local ? &s->local : NULL;
}

static enum sdp_dir to_libre(enum sip_direction d)
{
	switch (d) {
	case SIP_SENDRECV:
		return SDP_SENDRECV;
	case SIP_SENDONLY:
		return SDP_SENDONLY;
	case SIP_RECVONLY:
		return SDP_RECVONLY;
	case SIP_INACTIVE:
		break;
	}
	return SDP_INACTIVE;
}

static enum sip_direction from_libre(enum sdp_dir d)
{
	switch (d) {
	case SDP_SENDRECV:
		return SIP_SENDRECV;
	case SDP_SENDONLY:
		return SIP_SENDONLY;
	case SDP_RECVONLY:
		return SIP_RECVONLY;
	case SDP_INACTIVE:
		break;
	}
	return SIP_INACTIVE;
}

/* libre hands out its list of formats as const and has no call to empty it. */
static void forget_formats(struct sdp_media *m)
{
	const struct list *formats = sdp_media_format_lst(m, true);

	while (formats != NULL && formats->head != NULL)
		mem_deref(formats->head->data);
}

/* What we say of our own decoder. Opus is always two channels in its rtpmap (RFC 7587, 7); what we send
 * is mono, at most 16 kHz wide, with redundancy when the peer wants it. */
static const char *params_of(const struct sip_codec *c)
{
	if (strcmp(c->name, "opus") == 0)
		return "maxplaybackrate=16000;sprop-maxcapturerate=16000;stereo=0;sprop-stereo=0;"
		       "useinbandfec=1";
	if (strcmp(c->name, "G729") == 0)
		return "annexb=yes";
	return NULL;
}

static int add_format(struct sdp_media *m, uint8_t pt, const char *name, uint32_t clock_hz,
		      const char *params)
{
	uint8_t channels = strcmp(name, "opus") == 0 ? 2 : 1;
	char id[8];

	(void)re_snprintf(id, sizeof(id), "%u", (unsigned)pt);
	return params ? sdp_format_add(NULL, m, false, id, name, clock_hz, channels, NULL, NULL,
				       NULL, false, "%s", params)
		      : sdp_format_add(NULL, m, false, id, name, clock_hz, channels, NULL, NULL,
				       NULL, false, NULL);
}

/* Our keys, made when they are first needed and kept for the call: an offer that says the same again changes
 * nothing (RFC 4568, 7.1.4). */
static void make_keys(struct sip_sdp *s)
{
	/* Without a choice of the operator: what every phone has first. */
	static const uint8_t usual[SIP_SRTP_SUITES_MAX] = {1, 5, 6, 3, 2, 4};
	const struct sip_media *l = &s->local;
	uint8_t n = 0;

	for (unsigned i = 0; i < SIP_SRTP_SUITES_MAX; i++) {
		uint8_t suite = usual[i];

		if (l->srtp_suites > 0) {
			if (i >= l->srtp_suites)
				break;
			suite = l->srtp_suite_list[i];
		}
		if (s->ours[n].suite != suite)
			sip_crypto_make(&s->ours[n], n + 1u, suite);
		n++;
	}
	s->n_ours = n;
}

static int crypto_line(struct sip_sdp *s, const struct sip_crypto *c, bool first)
{
	char line[160];
	int err;

	sip_crypto_write(line, sizeof(line), c);
	err = sdp_media_set_lattr(s->audio, first, "crypto", "%s", line);
	sip_crypto_wipe(line, sizeof(line));
	return err;
}

/* All that we can, for an offer; an answer names one, once the offer has been read. */
static int write_crypto(struct sip_sdp *s)
{
	int err = 0;

	sdp_media_del_lattr(s->audio, "crypto");
	if (s->local.srtp == SIP_SRTP_OFF)
		return 0;
	make_keys(s);
	/* Six lines would make an INVITE longer than a datagram may be. */
	uint8_t n = s->local.srtp_suites > 0 || s->n_ours < OFFERED ? s->n_ours : OFFERED;

	for (uint8_t i = 0; i < n; i++)
		err |= crypto_line(s, &s->ours[i], i == 0);
	return err;
}

/* Write the local media into libre's session, as if it were fresh. */
static int write_local(struct sip_sdp *s)
{
	const struct sip_media *l = &s->local;
	struct sa addr;
	int err;

	if (sa_set_str(&addr, l->ip, l->port) != 0)
		return -EINVAL;

	if (s->session == NULL) {
		err = sdp_session_alloc(&s->session, &addr);
		err = err ? err
			  : sdp_media_add(&s->audio, s->session, sdp_media_audio, l->port,
					  l->srtp == SIP_SRTP_REQUIRED ? sdp_proto_rtpsavp
								       : sdp_proto_rtpavp);
		/* The destructor of a media that is still in its session only switches it off. */
		if (err) {
			s->audio = NULL;
			s->session = mem_deref(s->session);
			return -ENOMEM;
		}
		mem_ref(s->audio);
		(void)sdp_media_set_alt_protos(s->audio, 4, sdp_proto_rtpavp, "RTP/AVPF",
					       sdp_proto_rtpsavp, "RTP/SAVPF");
	}
	sdp_session_set_laddr(s->session, &addr);
	sdp_media_set_laddr(s->audio, &addr);
	if (l->rtcp_port != 0 && l->rtcp_port != l->port + 1)
		sdp_media_set_lport_rtcp(s->audio, l->rtcp_port);
	sdp_media_set_ldir(s->audio, to_libre(l->direction));

	forget_formats(s->audio);
	err = 0;
	for (uint8_t i = 0; i < l->codecs; i++)
		err |= add_format(s->audio, l->codec[i].pt, l->codec[i].name, l->codec[i].clock_hz,
				  params_of(&l->codec[i]));
	if (l->noise)
		err |= add_format(s->audio, l->noise_pt, "CN", 8000, NULL);
	if (l->dtmf)
		err |= add_format(s->audio, l->dtmf_pt, "telephone-event",
				  l->dtmf_clock_hz ? l->dtmf_clock_hz : 8000, "0-15");
	if (l->ptime_ms)
		err |= sdp_media_set_lattr(s->audio, true, sdp_attr_ptime, "%u",
					   (unsigned)l->ptime_ms);
	err |= write_crypto(s);
	return err ? -ENOMEM : 0;
}

int sip_sdp_set_local(struct sip_sdp *s, const struct sip_media *local)
{
	if (local == NULL || local->codecs == 0 || local->codecs > SIP_CODECS_MAX ||
	    local->port == 0 || local->ip[0] == '\0')
		return -EINVAL;

	s->local = *local;

	int err = write_local(s);

	s->has_local = err == 0;
	return err;
}

/* Our own bounds, before any library code reads the text. */
static int within_bounds(const struct mbuf *body)
{
	size_t len = mbuf_get_left(body);
	const char *p = (const char *)mbuf_buf(body);
	unsigned streams = 0, formats = 0;
	bool start = true, in_media = false;

	if (len == 0 || len > SIP_SDP_BYTES_MAX)
		return -EBADMSG;

	for (size_t i = 0; i < len; i++) {
		if (p[i] == '\0')
			return -EBADMSG;
		if (p[i] == '\n' || p[i] == '\r') {
			start = true;
			continue;
		}
		if (start) {
			in_media = p[i] == 'm';
			formats = 0;
			if (in_media && ++streams > SIP_SDP_STREAMS_MAX)
				return -EBADMSG;
		}
		start = false;
		if (in_media && p[i] == ' ' && ++formats > SIP_SDP_FORMATS_MAX)
			return -EBADMSG;
	}
	return 0;
}

/* An rtpmap without a clock rate says nothing that can be used; libre would refuse all of the text for it, even
 * when it belongs to a stream that we decline. */
static bool says_nothing(const char *line, size_t len)
{
	static const char rtpmap[] = "a=rtpmap:";

	return len >= sizeof(rtpmap) - 1 && memcmp(line, rtpmap, sizeof(rtpmap) - 1) == 0 &&
	       memchr(line, '/', len) == NULL;
}

/* The lines that can be used, each with its CRLF: one that is missing at the end is common and harmless, but
 * libre insists on it. */
static int copy_lines(struct mbuf *copy, const struct mbuf *body)
{
	const char *p = (const char *)mbuf_buf(body), *end = p + mbuf_get_left(body);
	int err = 0;

	while (p < end && err == 0) {
		size_t len = 0;

		while (p + len < end && p[len] != '\r' && p[len] != '\n')
			len++;
		if (len > 0 && !says_nothing(p, len)) {
			err |= mbuf_write_mem(copy, (const uint8_t *)p, len);
			err |= mbuf_write_str(copy, "\r\n");
		}
		p += len + 1;
	}
	return err;
}

static int decode(struct sdp_session *session, const struct mbuf *body, bool offer)
{
	struct mbuf *copy = mbuf_alloc(mbuf_get_left(body) + 2);

	if (copy == NULL)
		return -ENOMEM;

	int err = copy_lines(copy, body);

	copy->pos = 0;
	err = err ? ENOMEM : sdp_decode(session, copy, offer);
	mem_deref(copy);
	if (err == ENOMEM)
		return -ENOMEM;
	return err == ENOTSUP ? -ENOTSUP : err ? -EBADMSG : 0;
}

/* libre cannot tell an address of zeros from none at all (a host name, say), and the one is a hold
 * while the other cannot be used. */
static bool says_zero(const struct mbuf *body)
{
	static const struct pl zero[] = {PL("c=IN IP4 0.0.0.0"), PL("c=IN IP6 ::")};
	const char *p = (const char *)mbuf_buf(body), *end = p + mbuf_get_left(body);

	for (const char *line = p; line < end; line++) {
		if (line > p && line[-1] != '\n' && line[-1] != '\r')
			continue;
		for (size_t i = 0; i < sizeof(zero) / sizeof(zero[0]); i++) {
			size_t l = zero[i].l;

			if ((size_t)(end - line) >= l && memcmp(line, zero[i].p, l) == 0 &&
			    (line + l == end || line[l] == '\r' || line[l] == '\n'))
				return true;
		}
	}
	return false;
}

static void read_ptime(struct sip_media *out, const struct sdp_media *m)
{
	const char *v = sdp_media_rattr(m, sdp_attr_ptime);
	int ms = v ? atoi(v) : 0;

	out->ptime_ms = (uint16_t)(ms > 0 && ms <= 240 ? ms : 0);
	v = sdp_media_rattr(m, "maxptime");
	ms = v ? atoi(v) : 0;
	out->ptime_max_ms = (uint16_t)(ms >= 10 && ms <= 240 ? ms : 0);
}

/* The number of a format as text must be all of it: "8x" is not payload type 8. */
static bool is_payload_type(const char *id)
{
	char *end = NULL;
	long v = id ? strtol(id, &end, 10) : -1;

	return id && *id >= '0' && *id <= '9' && *end == '\0' && v >= 0 && v <= 127;
}

struct static_type {
	int pt;
	const char *name;
	uint32_t clock_hz;
};

/* RFC 3551, 6: audio payload types that need no rtpmap. */
static const struct static_type static_types[] = {
	{0, "PCMU", 8000}, {3, "GSM", 8000},  {4, "G723", 8000},
	{8, "PCMA", 8000}, {9, "G722", 8000}, {18, "G729", 8000},
};

static uint32_t fmtp_number(const struct pl *params, const char *name)
{
	struct pl v;

	return fmt_param_get(params, name, &v) ? pl_u32(&v) : 0;
}

/* What the peer says of its own decoder. */
static void read_params(struct sip_codec *c, const char *text)
{
	struct pl params, v;

	pl_set_str(&params, text != NULL ? text : "");
	if (strcasecmp(c->name, "G729") == 0)
		c->dtx = !fmt_param_get(&params, "annexb", &v) || pl_strcasecmp(&v, "no") != 0;
	if (strcasecmp(c->name, "opus") != 0)
		return;

	uint32_t rate_hz = fmtp_number(&params, "maxplaybackrate");
	uint32_t bits_per_s = fmtp_number(&params, "maxaveragebitrate");

	c->fec = fmtp_number(&params, "useinbandfec") == 1;
	c->dtx = fmtp_number(&params, "usedtx") == 1;
	c->rate_max_hz = rate_hz >= 8000 && rate_hz <= 48000 ? rate_hz : 0;
	c->bits_per_s = bits_per_s >= 6000 && bits_per_s <= 510000 ? bits_per_s : 0;
}

static void read_format(struct sip_media *out, const struct sdp_format *f)
{
	const char *name = f->name;
	uint32_t clock_hz = f->srate;

	if (!is_payload_type(f->id))
		return;
	for (size_t i = 0; name == NULL && i < sizeof(static_types) / sizeof(*static_types); i++) {
		if (static_types[i].pt == f->pt) {
			name = static_types[i].name;
			clock_hz = static_types[i].clock_hz;
		}
	}
	if (name == NULL)
		return;

	if (strcasecmp(name, "telephone-event") == 0) {
		/* Several clock rates may be offered; the one of the codecs we speak is 8000. */
		if (out->dtmf && clock_hz != 8000)
			return;
		out->dtmf = true;
		out->dtmf_pt = (uint8_t)f->pt;
		out->dtmf_clock_hz = clock_hz;
		return;
	}
	if (strcasecmp(name, "CN") == 0) {
		if (clock_hz == 8000) {
			out->noise = true;
			out->noise_pt = (uint8_t)f->pt;
		}
		return;
	}
	if (sip_media_add_codec(out, name, (uint8_t)f->pt, clock_hz) == 0)
		read_params(&out->codec[out->codecs - 1], f->params);
}

enum { CRYPTO_LINES_MAX = 16 };

struct crypto_lines {
	unsigned n;
	struct sip_crypto line[CRYPTO_LINES_MAX];
};

static bool crypto_seen(const char *name, const char *value, void *arg)
{
	struct crypto_lines *lines = arg;

	(void)name;
	if (value != NULL && lines->n < CRYPTO_LINES_MAX &&
	    sip_crypto_read(&lines->line[lines->n], value, strlen(value)))
		lines->n++;
	return false;
}

/* The keys that both sides have: of an offer the best of our order, of an answer the one that it names. */
static int read_crypto(struct sip_sdp *s, struct sip_media *out, bool offer)
{
	const char *proto = sdp_media_proto(s->audio);
	bool savp = strncmp(proto, "RTP/SAVP", 8) == 0;
	struct crypto_lines theirs = {0};
	struct sip_crypto ours;

	if (s->local.srtp != SIP_SRTP_OFF)
		(void)sdp_media_rattr_apply(s->audio, "crypto", crypto_seen, &theirs);
	for (uint8_t i = 0; i < s->n_ours; i++)
		for (unsigned k = 0; k < theirs.n; k++) {
			const struct sip_crypto *t = &theirs.line[k];

			if (t->suite != s->ours[i].suite || (!offer && t->tag != s->ours[i].tag) ||
			    out->srtp_agreed != 0)
				continue;
			out->srtp_agreed = t->suite;
			memcpy(out->srtp_receive, t->key, sizeof(out->srtp_receive));
			memcpy(out->srtp_send, s->ours[i].key, sizeof(out->srtp_send));
			memcpy(out->srtp_mki, t->mki, sizeof(out->srtp_mki));
			ours = s->ours[i];
			ours.tag = t->tag;
		}
	sip_crypto_wipe(&theirs, sizeof(theirs));
	if (out->srtp_agreed == 0) {
		sdp_media_del_lattr(s->audio, "crypto");
		return savp || s->local.srtp == SIP_SRTP_REQUIRED ? -ENOTSUP : 0;
	}
	return offer && crypto_line(s, &ours, true) != 0 ? -ENOMEM : 0;
}

/* What libre understood of the peer's audio stream. `any` lists formats we do not have, too. */
static int read_remote(struct sip_media *out, const struct sdp_media *m, const struct mbuf *body,
		       bool any)
{
	const struct sa *addr = sdp_media_raddr(m);
	struct sa rtcp;

	*out = (struct sip_media){0};
	if (sa_port(addr) == 0)
		return -ENOTSUP;
	bool zero = !sa_isset(addr, SA_ADDR);

	if (zero && !says_zero(body))
		return -ENOTSUP;

	(void)sa_ntop(addr, out->ip, sizeof(out->ip));
	out->port = sa_port(addr);
	sdp_media_raddr_rtcp(m, &rtcp);
	if (sa_isset(&rtcp, SA_ADDR) && !sa_cmp(&rtcp, addr, SA_ADDR))
		(void)sa_ntop(&rtcp, out->rtcp_ip, sizeof(out->rtcp_ip));
	out->rtcp_port = sa_port(&rtcp);
	read_ptime(out, m);

	const struct list *formats = sdp_media_format_lst(m, false);

	for (struct le *le = formats ? formats->head : NULL; le; le = le->next) {
		const struct sdp_format *f = le->data;

		if (any || f->sup)
			read_format(out, f);
	}
	if (out->codecs == 0)
		return -ENOTSUP;

	enum sdp_dir rdir = sdp_media_rdir(m);

	out->held = zero || rdir == SDP_INACTIVE || rdir == SDP_RECVONLY;
	out->direction = zero ? SIP_INACTIVE : from_libre(sdp_media_dir(m));
	return 0;
}

/* Try `body` on a session that may be spoilt. */
static int try_out(const struct sip_sdp *s, const struct mbuf *body, bool offer)
{
	struct sip_sdp *scratch = NULL;
	struct sip_media m;
	struct mbuf *text = NULL;
	int err = sip_sdp_new(&scratch);

	err = err ? err : sip_sdp_set_local(scratch, &s->local);
	/* An answer only decodes into a session that has offered. */
	if (err == 0 && !offer)
		err = sip_sdp_make_offer(scratch, &text);
	err = err ? err : decode(scratch->session, body, offer);
	err = err ? err : read_remote(&m, scratch->audio, body, false);
	err = err ? err : read_crypto(scratch, &m, offer);
	mem_deref(text);
	mem_deref(scratch);
	return err;
}

static int settle(struct sip_sdp *s, const struct mbuf *body, bool offer, struct sip_media *m)
{
	int err = offer ? write_local(s) : 0;

	err = err ? err : decode(s->session, body, offer);
	err = err ? err : read_remote(m, s->audio, body, false);
	return err ? err : read_crypto(s, m, offer);
}

static int take(struct sip_sdp *s, const struct mbuf *body, bool offer)
{
	must(s->has_local);

	int err = within_bounds(body);

	err = err ? err : try_out(s, body, offer);
	if (err)
		return err;

	struct mbuf *copy = mbuf_alloc(mbuf_get_left(body));
	struct sip_media m;

	if (copy == NULL || mbuf_write_mem(copy, mbuf_buf(body), mbuf_get_left(body)) != 0) {
		mem_deref(copy);
		return -ENOMEM;
	}
	copy->pos = 0;
	err = settle(s, copy, offer, &m);
	if (err) {
		/* Good alone but not after what was before (streams in another order, say): libre's
		 * session is half changed by now, so tell it again what stands. */
		if (s->last)
			(void)settle(s, s->last, s->last_offer, &m);
		mem_deref(copy);
		return err;
	}
	mem_deref(s->last);
	s->last = copy;
	s->last_offer = offer;
	s->remote = m;
	s->has_remote = true;
	return 0;
}

int sip_sdp_take_offer(struct sip_sdp *s, const struct mbuf *body)
{
	return take(s, body, true);
}

int sip_sdp_take_answer(struct sip_sdp *s, const struct mbuf *body)
{
	return take(s, body, false);
}

int sip_sdp_peek(const struct mbuf *body, struct sip_media *offered)
{
	struct sip_sdp *scratch = NULL;
	struct sip_media any, m;
	int err = within_bounds(body);

	if (err)
		return err;
	(void)sip_media_local(&any, "127.0.0.1", 9);
	err = sip_sdp_new(&scratch);
	err = err ? err : sip_sdp_set_local(scratch, &any);
	err = err ? err : decode(scratch->session, body, true);
	err = err ? err : read_remote(&m, scratch->audio, body, true);
	mem_deref(scratch);
	if (err == 0)
		*offered = m;
	return err;
}

int sip_sdp_make_offer(struct sip_sdp *s, struct mbuf **text)
{
	must(s->has_local);

	int err = write_local(s);

	if (err)
		return err;
	return sip_sdp_write(s, text, true);
}

int sip_sdp_make_answer(struct sip_sdp *s, struct mbuf **text)
{
	must(s->has_local);
	return sip_sdp_write(s, text, false);
}
