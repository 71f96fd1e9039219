/* SPDX-License-Identifier: Apache-2.0
 *
 * A call over TLS, with a certificate made on the spot; certificates that cannot be; and trunks whose certificate is
 * right, is somebody else's, or is vouched for by nobody.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "check.h"
#include "sip/sip_kit.h"
#include "sip/sip_trunk.h"

enum { SOON = 5000 };

static char pem_path[64], other_path[64];
static const char *ca_path;

/* A key and its self-signed certificate for `whom` (NULL: a name only) in one file, as libre wants them. */
static bool make_certificate(char path[64], const char *whom)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	int fd = mkstemp(strcpy(path, "/tmp/sip-tls-XXXXXX"));
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool ok = key && x && f;

	if (ok) {
		X509_NAME *name = X509_get_subject_name(x);

		ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
		X509_gmtime_adj(X509_getm_notBefore(x), -60);
		X509_gmtime_adj(X509_getm_notAfter(x), 3600);
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					   (const unsigned char *)"pb.test", -1, -1, 0);
		X509_set_issuer_name(x, name);
		X509_set_pubkey(x, key);
		if (whom) {
			X509_EXTENSION *e =
				X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, whom);

			X509_add_ext(x, e, -1);
			X509_EXTENSION_free(e);
		}
		ok = X509_sign(x, key, EVP_sha256()) > 0 &&
		     PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 &&
		     PEM_write_X509(f, x) == 1;
	}
	if (f)
		(void)fclose(f);
	X509_free(x);
	EVP_PKEY_free(key);
	return ok;
}

static void with_tls(struct sip_stack_config *cfg)
{
	cfg->listen[cfg->listens++] = (struct sip_listen){
		.transport = SIP_OVER_TLS, .ip = "127.0.0.1", .certificate = pem_path};
	cfg->tls_ca = ca_path;
}

static void a_call_over_tls(void)
{
	struct kit_line *board = calloc(1, sizeof(*board)), *phone = calloc(1, sizeof(*phone));
	char uri[64];
	struct sip_invite inv = {.uri = uri, .from_user = "1"};

	check(make_certificate(pem_path, NULL));
	kit_up();
	check_int(kit_open(board, with_tls), 0);
	check_int(kit_open(phone, with_tls), 0);
	(void)snprintf(uri, sizeof(uri), "sip:95598@127.0.0.1:%u;transport=tls",
		       (unsigned)board->port[2]);

	struct kit_call *k = kit_dial(phone, &inv);

	check(k != NULL);
	check(kit_until(&k->answered, 1, SOON));
	check_int(kit_last(board)->info.peer.transport, SIP_OVER_TLS);
	check(kit_until(&kit_last(board)->answered, 1, SOON));
	sip_call_end(kit_last(board)->call, 0, 16, NULL);
	check(kit_until(&k->closed, 1, SOON));
	check(k->by_peer);
	kit_close(board);
	kit_close(phone);
	check(kit_down());
	(void)unlink(pem_path);
	free(board);
	free(phone);
}

static void no_certificate_no_listener(void)
{
	struct kit_line *board = calloc(1, sizeof(*board));

	kit_up();
	(void)strcpy(pem_path, "/nonexistent/sip.pem");
	check(kit_open(board, with_tls) < 0);
	check(kit_down());
	free(board);
}

static void see(const struct sip_trunk_view *v, void *arg)
{
	*(enum sip_trunk_state *)arg = v->state;
}

static bool decided(void *arg)
{
	enum sip_trunk_state state = SIP_TRUNK_UNKNOWN;

	sip_trunk_each(((struct kit_line *)arg)->stack, see, &state);
	return state != SIP_TRUNK_UNKNOWN;
}

/* What becomes of a trunk at `host` whose certificate is for `whom`, when `ca` vouches. */
static enum sip_trunk_state becomes(const char *host, const char *whom, bool known, bool unverified)
{
	struct kit_line *carrier = calloc(1, sizeof(*carrier)), *us = calloc(1, sizeof(*us));
	struct sip_trunk_setup setup = {.name = "carrier",
					.host = host,
					.transport = SIP_OVER_TLS,
					.prefix = "",
					.user = "",
					.weight = 1,
					.options_s = 1,
					.unverified = unverified};
	enum sip_trunk_state state = SIP_TRUNK_UNKNOWN;

	check(make_certificate(pem_path, whom));
	ca_path = known ? pem_path : other_path;
	kit_up();
	check_int(kit_open(carrier, with_tls), 0);
	check_int(kit_open(us, with_tls), 0);
	setup.port = carrier->port[2];
	check_int(sip_stack_trunks(us->stack, &setup, 1), 0);
	check(kit_run(decided, us, 40000));
	sip_trunk_each(us->stack, see, &state);
	kit_close(us);
	kit_close(carrier);
	check(kit_down());
	ca_path = NULL;
	(void)unlink(pem_path);
	free(carrier);
	free(us);
	return state;
}

/* RFC 5922, 7.2: by the name or the address that we call. */
static void a_trunk_shows_who_it_is(void)
{
	check(make_certificate(other_path, "IP:127.0.0.1"));
	check_int(becomes("127.0.0.1", "IP:127.0.0.1", true, false), SIP_TRUNK_UP);
	check_int(becomes("localhost", "DNS:localhost", true, false), SIP_TRUNK_UP);
	/* Another's, however well known. */
	check_int(becomes("127.0.0.1", "DNS:other.test", true, false), SIP_TRUNK_DOWN);
	check_int(becomes("localhost", "DNS:other.test", true, false), SIP_TRUNK_DOWN);
	check_int(becomes("127.0.0.1", "IP:127.0.0.2", true, false), SIP_TRUNK_DOWN);
	/* Its own word only. */
	check_int(becomes("127.0.0.1", "IP:127.0.0.1", false, false), SIP_TRUNK_DOWN);
	check_int(becomes("127.0.0.1", "DNS:other.test", false, true), SIP_TRUNK_UP);
	(void)unlink(other_path);
}

static void no_authorities_no_listener(void)
{
	struct kit_line *board = calloc(1, sizeof(*board));

	check(make_certificate(pem_path, NULL));
	ca_path = "/nonexistent/ca.pem";
	kit_up();
	check(kit_open(board, with_tls) < 0);
	check(kit_down());
	ca_path = NULL;
	(void)unlink(pem_path);
	free(board);
}

static const struct check_case cases[] = {
	CHECK_CASE(a_trunk_shows_who_it_is),
	CHECK_CASE(no_authorities_no_listener),
	CHECK_CASE(a_call_over_tls),
	CHECK_CASE(no_certificate_no_listener),
};
CHECK_MAIN(cases)
