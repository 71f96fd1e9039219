/* SPDX-License-Identifier: Apache-2.0
 *
 * A call over TLS, with a certificate made on the spot; and certificates that cannot be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "check.h"
#include "sip/sip_kit.h"

enum { SOON = 5000 };

static char pem_path[64];

/* A key and its self-signed certificate in one file, as libre wants them. */
static bool make_certificate(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	int fd = mkstemp(strcpy(pem_path, "/tmp/sip-tls-XXXXXX"));
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
}

static void a_call_over_tls(void)
{
	struct kit_line *board = calloc(1, sizeof(*board)), *phone = calloc(1, sizeof(*phone));
	char uri[64];
	struct sip_invite inv = {.uri = uri, .from_user = "1"};

	check(make_certificate());
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

static const struct check_case cases[] = {
	CHECK_CASE(a_call_over_tls),
	CHECK_CASE(no_certificate_no_listener),
};
CHECK_MAIN(cases)
