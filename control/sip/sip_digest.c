/* SPDX-License-Identifier: Apache-2.0
 *
 * A nonce is STAMP(16 hex) MAC(32 hex): milliseconds of the loop's clock times 65536 plus a serial
 * number, so that no two phones behind one address share a nonce and its counts, and the first 16
 * bytes of HMAC-SHA-256(key, STAMP | source address). The key is random per process, so a restart makes old
 * nonces stale, nothing worse. Binding it to the address makes a stolen nonce useless elsewhere; a
 * phone that moves is challenged once more.
 *
 * An unknown user is checked against a secret that nobody has, by the same path and with the same
 * answer as a wrong password, so that neither code nor time tells which numbers exist.
 */
#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <re.h>

#include "base/log.h"
#include "sip/sip_digest.h"
#include "sip/sip_text.h"

enum {
	NONCE_LEN = 48,
	NONCE_LIFE_MS = 300000,
	COUNTS = 16384,  /* nonces whose counts are remembered */
	FAILURES = 8192, /* sources and users whose failures are */
	WINDOW_MS = 30000,
	BLOCK_MS = 30000,
	FIELD_MAX = 256,
};

struct count {
	uint64_t nonce;
	uint32_t nc;
};

struct failure {
	uint64_t who;
	uint64_t since_ms;
	uint64_t blocked_until_ms;
	uint32_t n;
};

struct sip_digest {
	char realm[SIP_HOST_MAX];
	struct sip_digest_config cfg;
	uint8_t key[32];
	uint64_t skip_ms;
	uint16_t serial;
	struct count count[COUNTS];
	struct failure failure[FAILURES];
};

/* What the client sent, as text that cannot overflow. */
struct credentials {
	char user[SIP_USER_MAX], realm[SIP_HOST_MAX], nonce[64], uri[FIELD_MAX], response[80];
	char cnonce[FIELD_MAX], nc[16], qop[16], algorithm[16];
};

static void digest_free(void *arg)
{
	struct sip_digest *d = arg;

	OPENSSL_cleanse(d->key, sizeof(d->key));
}

int sip_digest_new(struct sip_digest **out, const struct sip_digest_config *cfg)
{
	struct sip_digest *d = mem_zalloc(sizeof(*d), digest_free);

	if (d == NULL)
		return -ENOMEM;
	d->cfg = *cfg;
	str_ncpy(d->realm, cfg->realm, sizeof(d->realm));
	d->cfg.realm = d->realm;
	if (RAND_bytes(d->key, sizeof(d->key)) != 1) {
		mem_deref(d);
		return -ENOMEM;
	}
	*out = d;
	return 0;
}

static uint64_t now(const struct sip_digest *d)
{
	return tmr_jiffies() + d->skip_ms;
}

void sip_digest_skip_ms(struct sip_digest *d, uint64_t ms)
{
	d->skip_ms += ms;
}

static void to_hex(char *out, const uint8_t *in, size_t n)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digit[in[i] >> 4];
		out[2 * i + 1] = digit[in[i] & 15];
	}
	out[2 * n] = '\0';
}

static void make_nonce(const struct sip_digest *d, uint64_t stamp, const struct sa *source,
		       char out[NONCE_LEN + 1])
{
	char text[16 + 1 + SIP_IP_MAX], ip[SIP_IP_MAX] = "";
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	(void)sa_ntop(source, ip, sizeof(ip));
	(void)re_snprintf(text, sizeof(text), "%016llx%s", (unsigned long long)stamp, ip);
	(void)HMAC(EVP_sha256(), d->key, sizeof(d->key), (const uint8_t *)text, strlen(text), mac,
		   &len);
	memcpy(out, text, 16);
	to_hex(out + 16, mac, 16);
}

static uint64_t hash64(const char *s, size_t len)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)s[i]) * UINT64_C(1099511628211);
	return h ? h : 1;
}

enum nonce { NONCE_GOOD, NONCE_OLD, NONCE_FOREIGN };

/* Ours, for this source, and young; or ours and too old; or not ours: made up, or from before a restart,
 * or of a phone that has moved. */
static enum nonce judge_nonce(const struct sip_digest *d, const struct credentials *c,
			      const struct sa *source)
{
	char want[NONCE_LEN + 1];
	struct pl time = {c->nonce, 16};

	if (strlen(c->nonce) != NONCE_LEN)
		return NONCE_FOREIGN;

	uint64_t stamp = pl_x64(&time), made_ms = stamp >> 16, now_ms = now(d);

	make_nonce(d, stamp, source, want);
	if (CRYPTO_memcmp(want, c->nonce, NONCE_LEN) != 0 || made_ms > now_ms)
		return NONCE_FOREIGN;
	return now_ms - made_ms > NONCE_LIFE_MS ? NONCE_OLD : NONCE_GOOD;
}

/* A count is good once, and only upwards. Without qop there is none to check. */
static bool count_fresh(struct sip_digest *d, const struct credentials *c)
{
	struct pl nc = {c->nc, strlen(c->nc)};
	uint64_t nonce = hash64(c->nonce, NONCE_LEN);
	struct count *e = &d->count[nonce % COUNTS];
	uint32_t n = pl_x32(&nc);

	if (c->qop[0] == '\0')
		return true;
	if (e->nonce == nonce && n <= e->nc)
		return false;
	*e = (struct count){nonce, n};
	return true;
}

static struct failure *failure_of(struct sip_digest *d, const struct sa *source, const char *user)
{
	char text[SIP_IP_MAX + 1 + SIP_USER_MAX], ip[SIP_IP_MAX] = "";

	(void)sa_ntop(source, ip, sizeof(ip));
	(void)re_snprintf(text, sizeof(text), "%s %s", ip, user);

	uint64_t who = hash64(text, strlen(text));
	struct failure *f = &d->failure[who % FAILURES];

	if (f->who != who)
		*f = (struct failure){.who = who, .since_ms = now(d)};
	return f;
}

static bool blocked(struct sip_digest *d, const struct sa *source, const char *user)
{
	return failure_of(d, source, user)->blocked_until_ms > now(d) ||
	       failure_of(d, source, "")->blocked_until_ms > now(d);
}

/* What was wrong, for the log; who, as the key of the count. `named` has been cleaned. */
struct mistake {
	const char *what;
	const char *key; /* user, or "" for all of the source */
	const char *named;
	uint32_t max;
};

static void count_failure(struct sip_digest *d, const struct sa *source, const struct mistake *m)
{
	struct failure *f = failure_of(d, source, m->key);
	uint64_t now_ms = now(d);
	char ip[SIP_IP_MAX] = "";

	if (now_ms - f->since_ms > WINDOW_MS) {
		f->since_ms = now_ms;
		f->n = 0;
	}
	if (++f->n < m->max)
		return;
	f->n = 0;
	f->since_ms = now_ms;
	f->blocked_until_ms = now_ms + BLOCK_MS;
	(void)sa_ntop(source, ip, sizeof(ip));
	log_warn("sip", "%u %s from %s%s%s within %d s: refused for %d s", m->max, m->what, ip,
		 *m->key ? " for user " : ", last for user ", m->named, WINDOW_MS / 1000,
		 BLOCK_MS / 1000);
}

/* A phone that was registered before our restart brings one foreign nonce and then the right one; a
 * hundred of them behind one address must not be shut out, so the source is counted less strictly. */
static void count_foreign(struct sip_digest *d, const struct sa *source, const char *user,
			  const char *named)
{
	static const char what[] = "answers to challenges that were never made";
	const struct mistake by_user = {what, user, named, d->cfg.failures_user};
	const struct mistake by_source = {what, "", named, 10 * d->cfg.failures_source};

	count_failure(d, source, &by_user);
	count_failure(d, source, &by_source);
}

static void count_wrong(struct sip_digest *d, const struct sa *source, const char *user,
			const char *named)
{
	const struct mistake by_user = {"wrong passwords", user, named, d->cfg.failures_user};
	const struct mistake by_source = {"wrong passwords", "", named, d->cfg.failures_source};

	count_failure(d, source, &by_user);
	count_failure(d, source, &by_source);
}

static bool take(const struct pl *list, const char *name, char *out, size_t size)
{
	struct pl v;

	out[0] = '\0';
	if (!sip_text_param(list, name, &v) || v.l >= size)
		return false;
	memcpy(out, v.p, v.l);
	out[v.l] = '\0';
	return memchr(v.p, '\0', v.l) == NULL;
}

static bool read_credentials(struct credentials *c, const struct pl *value)
{
	struct pl list = *value;

	if (list.l < 7 || strncasecmp(list.p, "Digest ", 7) != 0)
		return false;
	pl_advance(&list, 7);

	bool ok = take(&list, "username", c->user, sizeof(c->user)) &&
		  take(&list, "realm", c->realm, sizeof(c->realm)) &&
		  take(&list, "nonce", c->nonce, sizeof(c->nonce)) &&
		  take(&list, "uri", c->uri, sizeof(c->uri)) &&
		  take(&list, "response", c->response, sizeof(c->response));

	(void)take(&list, "cnonce", c->cnonce, sizeof(c->cnonce));
	(void)take(&list, "nc", c->nc, sizeof(c->nc));
	(void)take(&list, "qop", c->qop, sizeof(c->qop));
	(void)take(&list, "algorithm", c->algorithm, sizeof(c->algorithm));
	return ok;
}

struct search {
	const char *realm;
	struct credentials *c;
	bool seen, malformed;
};

static bool try_header(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	struct search *s = arg;

	(void)msg;
	if (!read_credentials(s->c, &hdr->val)) {
		s->malformed = true;
		return false;
	}
	s->seen = strcmp(s->c->realm, s->realm) == 0;
	return s->seen;
}

static void hash_text(const EVP_MD *md, const char *text, char *hex)
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	hex[0] = '\0';
	if (EVP_Digest(text, strlen(text), sum, &len, md, NULL) == 1)
		to_hex(hex, sum, len);
}

static bool response_right(const struct sip_digest *d, const struct credentials *c,
			   const struct pl *method, const struct sip_secret *secret)
{
	bool sha = strcasecmp(c->algorithm, "SHA-256") == 0;
	const EVP_MD *md = sha ? EVP_sha256() : EVP_md5();
	char text[4 * FIELD_MAX + 128], ha1[65], ha2[65], want[65];

	if (c->algorithm[0] && !sha && strcasecmp(c->algorithm, "MD5") != 0)
		return false;
	if (c->qop[0] && strcasecmp(c->qop, "auth") != 0)
		return false;

	if (secret->password[0]) {
		(void)re_snprintf(text, sizeof(text), "%s:%s:%s", c->user, d->realm,
				  secret->password);
		hash_text(md, text, ha1);
	} else {
		str_ncpy(ha1, sha ? secret->ha1_sha256 : secret->ha1_md5, sizeof(ha1));
		if (ha1[0] == '\0')
			return false;
	}
	(void)re_snprintf(text, sizeof(text), "%r:%s", method, c->uri);
	hash_text(md, text, ha2);

	if (c->qop[0])
		(void)re_snprintf(text, sizeof(text), "%s:%s:%s:%s:%s:%s", ha1, c->nonce, c->nc,
				  c->cnonce, c->qop, ha2);
	else
		(void)re_snprintf(text, sizeof(text), "%s:%s:%s", ha1, c->nonce, ha2);
	hash_text(md, text, want);

	return strlen(c->response) == strlen(want) &&
	       CRYPTO_memcmp(c->response, want, strlen(want)) == 0;
}

/* Nobody's password: what an unknown user is checked against. */
static void nobody(const struct sip_digest *d, struct sip_secret *secret)
{
	*secret = (struct sip_secret){0};
	to_hex(secret->password, d->key, sizeof(d->key));
}

enum sip_digest_verdict sip_digest_check(struct sip_digest *d, const struct sip_msg *msg,
					 bool trusted_source, char *user)
{
	struct credentials c = {0};
	struct search s = {.realm = d->realm, .c = &c};
	struct sip_secret secret = {0};
	char shown[SIP_USER_MAX];

	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_AUTHORIZATION, try_header, &s);
	if (!s.seen)
		(void)sip_msg_hdr_apply(msg, true, SIP_HDR_PROXY_AUTHORIZATION, try_header, &s);
	if (!s.seen && !s.malformed)
		return SIP_DIGEST_MISSING;
	if (!trusted_source && blocked(d, &msg->src, s.seen ? c.user : ""))
		return SIP_DIGEST_BLOCKED;
	if (!s.seen)
		return SIP_DIGEST_MISSING;
	sip_text_clean(shown, sizeof(shown), c.user, strlen(c.user));
	switch (judge_nonce(d, &c, &msg->src)) {
	case NONCE_GOOD:
		break;
	case NONCE_OLD:
		return SIP_DIGEST_STALE;
	case NONCE_FOREIGN:
		count_foreign(d, &msg->src, c.user, shown);
		return SIP_DIGEST_STALE;
	}

	if (!d->cfg.secret(d->cfg.arg, c.user, &secret))
		nobody(d, &secret);

	bool right = response_right(d, &c, &msg->met, &secret);

	OPENSSL_cleanse(&secret, sizeof(secret));
	if (!right) {
		count_wrong(d, &msg->src, c.user, shown);
		return SIP_DIGEST_WRONG;
	}
	if (!count_fresh(d, &c))
		return SIP_DIGEST_STALE;
	str_ncpy(user, shown, SIP_USER_MAX);
	return SIP_DIGEST_OK;
}

void sip_digest_challenge(struct sip_digest *d, const struct sip_msg *msg, bool stale, char *out,
			  size_t size)
{
	char nonce[NONCE_LEN + 1];
	size_t n = 0;

	make_nonce(d, now(d) << 16 | d->serial++, &msg->src, nonce);
	for (int sha = d->cfg.offer_sha256 ? 1 : 0; sha >= 0; sha--) {
		int wrote = re_snprintf(out + n, size - n,
					"WWW-Authenticate: Digest realm=\"%s\", nonce=\"%s\", "
					"algorithm=%s, qop=\"auth\"%s\r\n",
					d->realm, nonce, sha ? "SHA-256" : "MD5",
					stale ? ", stale=true" : "");

		if (wrote < 0) {
			out[n] = '\0';
			return;
		}
		n += (size_t)wrote;
	}
}
