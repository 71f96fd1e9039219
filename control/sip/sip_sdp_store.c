/* SPDX-License-Identifier: Apache-2.0
 *
 * A session of offer and answer over a restart. libre's session cannot be written down, so it is made
 * again: our side from the local media, the peer's by taking its last description once more, which
 * brings back the order of streams and the formats. What must not start anew is our origin line (RFC
 * 3264, 8: same id, next version), which libre does not let us set: it is written over.
 *
 * The peer's keys are struck out of the description before it is kept. What is read back therefore
 * agrees on a suite and has no keys.
 */
#include <errno.h>
#include <string.h>

#include "record/kept.h"
#include "sip/sip_sdp_priv.h"
#include "sip/sip_sdp_store.h"

/* --- the origin line --- */

int sip_sdp_write(struct sip_sdp *s, struct mbuf **text, bool offer)
{
	struct mbuf *libres = NULL, *mb;
	struct pl id, version, p;
	int err;

	if (sdp_encode(&libres, s->session, offer) != 0)
		return -ENOMEM;
	pl_set_mbuf(&p, libres);
	if (re_regex(p.p, p.l, "o=- [0-9]+ [0-9]+ IN ", &id, &version) != 0) {
		*text = libres;
		return 0;
	}
	if (!s->restored) {
		s->origin_id = pl_u32(&id);
		s->version = pl_u32(&version);
		*text = libres;
		return 0;
	}
	mb = mbuf_alloc(libres->end + 32);
	err = mb == NULL ? ENOMEM
			 : mbuf_printf(mb, "%b%u %u%b", p.p, (size_t)(id.p - p.p), s->origin_id,
				       ++s->version, version.p + version.l,
				       (size_t)(p.p + p.l - version.p) - version.l);
	mem_deref(libres);
	if (err) {
		mem_deref(mb);
		return -ENOMEM;
	}
	mb->pos = 0;
	*text = mb;
	return 0;
}

/* --- keeping --- */

static bool in_key(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '+' || c == '/';
}

/* Strike out what follows `mark` in the line, as far as it can be part of a key. */
static void strike(char *line, size_t len, const char *mark)
{
	size_t n = strlen(mark);

	for (size_t i = 0; i + n <= len; i++) {
		if (strncasecmp(line + i, mark, n) != 0)
			continue;
		for (i += n; i < len && in_key(line[i]); i++)
			line[i] = 'A';
	}
}

/* Keys, of whatever kind a description may carry. */
static void strike_keys(char *text)
{
	static const struct {
		const char *line, *mark;
	} secrets[] = {
		{"a=crypto:", "inline:"},
		{"k=", ":"},
		{"a=key-mgmt:", " "},
		{"a=ice-pwd:", "a=ice-pwd:"},
	};
	char *line = text;

	while (*line != '\0') {
		size_t len = strcspn(line, "\r\n");

		for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
			if (strncasecmp(line, secrets[i].line, strlen(secrets[i].line)) == 0)
				strike(line, len, secrets[i].mark);
		line += len;
		line += strspn(line, "\r\n");
	}
}

/* The description's lines, without their ends. */
static json_t *lines_of(const struct mbuf *body)
{
	char text[SIP_SDP_BYTES_MAX + 1];
	size_t n = body->end < SIP_SDP_BYTES_MAX ? body->end : SIP_SDP_BYTES_MAX;
	json_t *list = json_array();
	char *save = NULL;

	memcpy(text, body->buf, n);
	text[n] = '\0';
	strike_keys(text);
	for (char *line = strtok_r(text, "\r\n", &save); line != NULL;
	     line = strtok_r(NULL, "\r\n", &save)) {
		json_t *one = json_object();

		kept_put_text(one, "l", line);
		json_array_append_new(list, one);
	}
	return list;
}

json_t *sip_sdp_keep(const struct sip_sdp *s)
{
	json_t *o;

	if (!s->has_local)
		return NULL;
	o = json_object();
	json_object_set_new(o, "local", sip_media_keep(&s->local));
	kept_put_number(o, "id", s->origin_id);
	kept_put_number(o, "version", s->version);
	if (s->has_remote && s->last != NULL) {
		json_object_set_new(o, "peer", lines_of(s->last));
		kept_put_flag(o, "offered", s->last_offer);
	}
	return o;
}

/* --- reading back --- */

static int body_of(const json_t *lines, struct mbuf **out)
{
	struct mbuf *mb = mbuf_alloc(1024);
	char line[1024];
	int err = mb == NULL ? ENOMEM : 0;

	for (size_t i = 0; err == 0 && i < json_array_size(lines); i++) {
		if (!kept_text(json_array_get(lines, i), "l", line, sizeof(line)) ||
		    mb->end > SIP_SDP_BYTES_MAX) {
			mem_deref(mb);
			return -EINVAL;
		}
		err = mbuf_printf(mb, "%s\r\n", line);
	}
	if (err) {
		mem_deref(mb);
		return -ENOMEM;
	}
	mb->pos = 0;
	*out = mb;
	return 0;
}

static int take_again(struct sip_sdp *s, const json_t *lines, bool offered)
{
	struct mbuf *body = NULL, *ours = NULL;
	int err = body_of(lines, &body);

	/* An answer only decodes into a session that has offered. */
	if (err == 0 && !offered)
		err = sip_sdp_make_offer(s, &ours);
	if (err == 0)
		err = offered ? sip_sdp_take_offer(s, body) : sip_sdp_take_answer(s, body);
	mem_deref(ours);
	mem_deref(body);
	sip_crypto_wipe(s->remote.srtp_receive, sizeof(s->remote.srtp_receive));
	sip_crypto_wipe(s->remote.srtp_send, sizeof(s->remote.srtp_send));
	return err == -ENOMEM ? err : err != 0 ? -EINVAL : 0;
}

int sip_sdp_kept(struct sip_sdp **out, const json_t *o)
{
	const json_t *lines = json_object_get(o, "peer");
	struct sip_sdp *s = NULL;
	struct sip_media local;
	uint32_t id, version;
	bool offered, ok;
	int err;

	ok = sip_media_kept(&local, json_object_get(o, "local"));
	ok = KEPT_NUMBER(o, "id", UINT32_MAX, id) && ok;
	ok = KEPT_NUMBER(o, "version", UINT32_MAX, version) && ok;
	ok = kept_flag(o, "offered", &offered) && ok;
	if (!ok)
		return -EINVAL;
	err = sip_sdp_new(&s);
	err = err ? err : sip_sdp_set_local(s, &local);
	if (err == 0 && lines != NULL)
		err = take_again(s, lines, offered);
	if (err) {
		mem_deref(s);
		return err;
	}
	s->restored = id != 0;
	s->origin_id = id;
	s->version = version;
	*out = s;
	return 0;
}

bool sip_sdp_without_keys(const struct sip_sdp *s)
{
	return s->has_remote && s->remote.srtp_agreed != 0 && s->remote.srtp_send[0] == '\0';
}
