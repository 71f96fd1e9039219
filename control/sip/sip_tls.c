/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose certificate is believed. libre checks none of those that it calls, and has no place to be told
 * which host a connection is for. tls_start_tcp() here has the name of libre's and takes its place in the
 * program, for libre's own calls as well, which go by the linker's table: it does what libre's does,
 * and when the connection goes to a trunk that wants it so, has the certificate checked against our
 * authorities and the trunk's host (RFC 5922, 7). A phone that calls us shows no certificate.
 *
 * Thread: libre's loop.
 */
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "sip/sip_trunk_priv.h"

#include "base/log.h"

/* libre has it for whoever is built for OpenSSL. */
struct ssl_ctx_st *tls_openssl_context(const struct tls *tls);

/* The trunk that a connection to `peer` is for, if its certificate is to be checked; NULL otherwise. */
static const struct sip_trunk *checked_trunk(const struct sip_stack *s, const struct sa *peer)
{
	for (size_t i = 0; i < s->trunk_count; i++) {
		const struct sip_trunk *t = s->trunk_list[i];

		if (t == NULL || t->setup.transport != SIP_OVER_TLS || t->setup.unverified)
			continue;
		for (size_t j = 0; j < t->addrs; j++) {
			if (sa_cmp(&t->addr[j], peer, SA_ALL))
				return t;
		}
	}
	return NULL;
}

/* Says what is wrong, once for each handshake: OpenSSL asks for the first fault and ends there. */
static int judged(int good, X509_STORE_CTX *x)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(x, SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct sip_stack *s;
	char *address;
	const char *host;

	if (good || ssl == NULL || SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE)
		return good;
	s = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	address = X509_VERIFY_PARAM_get1_ip_asc(SSL_get0_param(ssl));
	host = address ? address : X509_VERIFY_PARAM_get0_host(SSL_get0_param(ssl), 0);
	log_warn("sip", "TLS: the certificate of %s is not believed: %s (authorities: %s)",
		 host ? host : "a trunk",
		 X509_verify_cert_error_string(X509_STORE_CTX_get_error(x)),
		 s && s->tls_ca ? s->tls_ca : "the system's");
	OPENSSL_free(address);
	return 0;
}

int tls_start_tcp(struct tls_conn **tc, struct tls *tls, struct tcp_conn *tcp, int layer)
{
	int (*start)(struct tls_conn **, struct tls *, struct tcp_conn *, int);
	const struct sip_stack *s = SSL_CTX_get_app_data(tls_openssl_context(tls));
	const struct sip_trunk *t;
	struct sa peer;
	int err;

	*(void **)&start = dlsym(RTLD_NEXT, "tls_start_tcp");
	err = start ? start(tc, tls, tcp, layer) : ENOSYS;
	if (err || s == NULL || tcp_conn_peer_get(tcp, &peer) != 0)
		return err;
	t = checked_trunk(s, &peer);
	if (t != NULL)
		err = tls_set_verify_server(*tc, t->host);
	if (err)
		*tc = mem_deref(*tc);
	return err;
}

int sip_tls_new(struct tls **tls, struct sip_stack *s, const char *certificate)
{
	SSL_CTX *ctx;
	int err = tls_alloc(tls, TLS_METHOD_SSLV23, certificate, NULL);

	if (err) {
		log_error("sip", "certificate %s: %s", certificate ? certificate : "(none)",
			  strerror(err));
		return err;
	}
	ctx = tls_openssl_context(*tls);
	if (s->tls_ca ? SSL_CTX_load_verify_locations(ctx, s->tls_ca, NULL) != 1
		      : SSL_CTX_set_default_verify_paths(ctx) != 1) {
		log_error("sip", "tls_ca %s: no PEM file with certificates of authorities",
			  s->tls_ca ? s->tls_ca : "of the system");
		*tls = mem_deref(*tls);
		return EINVAL;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, judged);
	return SSL_CTX_set_app_data(ctx, s) == 1 ? 0 : ENOMEM;
}
