/* SPDX-License-Identifier: Apache-2.0
 *
 * libre answers challenges with MD5 only; carriers ask for SHA-256 by now. What is quoted in our
 * headers came quoted from the peer, so nothing of it can end a quotation or a line.
 */
#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <re.h>

#include "sip/sip_prove.h"
#include "sip/sip_text.h"

enum { REALMS = 4, FIELD_MAX = 256 };

struct challenge {
	bool set, proxy, sha256, qop;
	char realm[FIELD_MAX], nonce[FIELD_MAX], opaque[FIELD_MAX];
	uint32_t count;
};

struct sip_prove {
	char user[FIELD_MAX], password[FIELD_MAX];
	struct challenge challenge[REALMS];
};

static void prove_free(void *arg)
{
	struct sip_prove *p = arg;

	OPENSSL_cleanse(p->password, sizeof(p->password));
}

int sip_prove_new(struct sip_prove **out, const char *user, const char *password)
{
	struct sip_prove *p;

	if (strlen(user) >= FIELD_MAX || strlen(password) >= FIELD_MAX)
		return -ENOMEM;
	p = mem_zalloc(sizeof(*p), prove_free);
	if (p == NULL)
		return -ENOMEM;
	str_ncpy(p->user, user, sizeof(p->user));
	str_ncpy(p->password, password, sizeof(p->password));
	*out = p;
	return 0;
}

/* --- challenges --- */

static bool field(const struct pl *list, const char *name, char *out)
{
	struct pl v;

	out[0] = '\0';
	if (!sip_text_param(list, name, &v) || v.l >= FIELD_MAX)
		return false;
	memcpy(out, v.p, v.l);
	out[v.l] = '\0';
	return memchr(out, '\0', v.l) == NULL && strpbrk(out, "\r\n") == NULL;
}

/* "auth" among the words of qop-options. */
static bool offers_auth(const struct pl *qop)
{
	const char *p = qop->p, *end = p + qop->l;

	while (p < end) {
		size_t n = 0;

		while (p < end && (*p == ' ' || *p == ',' || *p == '\t'))
			p++;
		while (p + n < end && p[n] != ',' && p[n] != ' ')
			n++;
		if (n == 4 && strncasecmp(p, "auth", 4) == 0)
			return true;
		p += n;
	}
	return false;
}

static bool read_challenge(struct challenge *c, const struct pl *value)
{
	struct pl list = *value, v;

	*c = (struct challenge){0};
	if (list.l < 7 || strncasecmp(list.p, "Digest ", 7) != 0)
		return false;
	pl_advance(&list, 7);
	if (!field(&list, "realm", c->realm) || !field(&list, "nonce", c->nonce))
		return false;
	(void)field(&list, "opaque", c->opaque);
	if (sip_text_param(&list, "algorithm", &v)) {
		c->sha256 = pl_strcasecmp(&v, "SHA-256") == 0;
		if (!c->sha256 && pl_strcasecmp(&v, "MD5") != 0)
			return false;
	}
	if (sip_text_param(&list, "qop", &v)) {
		c->qop = offers_auth(&v);
		if (!c->qop)
			return false; /* auth-int alone */
	}
	c->set = true;
	return true;
}

struct taking {
	struct sip_prove *p;
	bool proxy;
	unsigned taken; /* bits: this response has named the realm already */
};

static bool take(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	struct taking *t = arg;
	struct challenge c;
	unsigned free_one = REALMS;

	(void)msg;
	if (!read_challenge(&c, &hdr->val))
		return false;
	c.proxy = t->proxy;
	for (unsigned i = 0; i < REALMS; i++) {
		struct challenge *old = &t->p->challenge[i];

		if (!old->set) {
			free_one = free_one == REALMS ? i : free_one;
			continue;
		}
		if (old->proxy != c.proxy || strcmp(old->realm, c.realm) != 0)
			continue;
		if ((t->taken & 1u << i) == 0)
			*old = c;
		t->taken |= 1u << i;
		return false;
	}
	if (free_one < REALMS) {
		t->p->challenge[free_one] = c;
		t->taken |= 1u << free_one;
	}
	return false;
}

bool sip_prove_challenged(struct sip_prove *p, const struct sip_msg *msg)
{
	struct taking t = {.p = p};

	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_WWW_AUTHENTICATE, take, &t);
	t.proxy = true;
	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_PROXY_AUTHENTICATE, take, &t);
	return t.taken != 0;
}

/* --- answers --- */

static void hash_text(bool sha256, const char *text, char hex[65])
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	hex[0] = '\0';
	if (EVP_Digest(text, strlen(text), sum, &len, sha256 ? EVP_sha256() : EVP_md5(), NULL) != 1)
		return;
	for (unsigned i = 0; i < len && i < 32; i++)
		(void)re_snprintf(hex + 2 * i, 3, "%02x", sum[i]);
}

static void respond(const struct sip_prove *p, const struct challenge *c, const char *method,
		    const char *uri, const char *cnonce, char response[65])
{
	char text[4 * FIELD_MAX], ha1[65], ha2[65];

	(void)re_snprintf(text, sizeof(text), "%s:%s:%s", p->user, c->realm, p->password);
	hash_text(c->sha256, text, ha1);
	OPENSSL_cleanse(text, sizeof(text));
	(void)re_snprintf(text, sizeof(text), "%s:%s", method, uri);
	hash_text(c->sha256, text, ha2);
	if (c->qop)
		(void)re_snprintf(text, sizeof(text), "%s:%s:%08x:%s:auth:%s", ha1, c->nonce,
				  c->count, cnonce, ha2);
	else
		(void)re_snprintf(text, sizeof(text), "%s:%s:%s", ha1, c->nonce, ha2);
	hash_text(c->sha256, text, response);
}

void sip_prove_write(struct sip_prove *p, const char *method, const char *uri, char *out,
		     size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0; p != NULL && i < REALMS; i++) {
		struct challenge *c = &p->challenge[i];
		char cnonce[17], response[65], qop[64] = "";
		int wrote;

		if (!c->set)
			continue;
		c->count++;
		(void)re_snprintf(cnonce, sizeof(cnonce), "%016llx",
				  (unsigned long long)rand_u64());
		respond(p, c, method, uri, cnonce, response);
		if (c->qop)
			(void)re_snprintf(qop, sizeof(qop), ", qop=auth, nc=%08x, cnonce=\"%s\"",
					  c->count, cnonce);
		wrote = re_snprintf(
			out + n, size - n,
			"%s: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", "
			"uri=\"%s\", response=\"%s\", algorithm=%s%s%s%s%s\r\n",
			c->proxy ? "Proxy-Authorization" : "Authorization", p->user, c->realm,
			c->nonce, uri, response, c->sha256 ? "SHA-256" : "MD5", qop,
			c->opaque[0] ? ", opaque=\"" : "", c->opaque, c->opaque[0] ? "\"" : "");
		if (wrote < 0) {
			out[n] = '\0';
			return;
		}
		n += (size_t)wrote;
	}
}
