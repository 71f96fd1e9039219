/* SPDX-License-Identifier: Apache-2.0
 *
 * A leg's keys from JSON. They come by the control socket, go to the worker in memory that is wiped
 * after the reply, and stay nowhere here: what is kept of the params, to know a repeated request again and for
 * the snapshot, has the beginning of a hash in a key's place.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "rpc/rpc_priv.h"
#include "srtp/srtp_suite.h"

static const struct rpc_param key_params[] = {
	RPC_PARAM_TEXT("key", RPC_REQUIRED, 1, 64),
	RPC_PARAM_TEXT("mki", RPC_OPTIONAL, 2, 2 * SRTP_MKI_MAX),
	RPC_PARAM_END,
};

const struct rpc_param leg_srtp_params[] = {
	RPC_PARAM_WORD("suite", RPC_REQUIRED,
		       "AES_CM_128_HMAC_SHA1_80|AES_CM_128_HMAC_SHA1_32|AES_256_CM_HMAC_SHA1_80|"
		       "AES_256_CM_HMAC_SHA1_32|AEAD_AES_128_GCM|AEAD_AES_256_GCM"),
	RPC_PARAM_OBJECT("receive", RPC_REQUIRED, key_params),
	RPC_PARAM_OBJECT("send", RPC_REQUIRED, key_params),
	RPC_PARAM_END,
};

static bool mki_read(struct srtp_key *key, const char *text)
{
	size_t n = strlen(text);

	if (n % 2 != 0 || strspn(text, "0123456789abcdefABCDEF") != n)
		return false;
	key->mki_len = (uint8_t)(n / 2);
	for (size_t i = 0; i < n / 2; i++) {
		char pair[] = {text[2 * i], text[2 * i + 1], '\0'};

		key->mki[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

static bool key_read(struct srtp_key *key, enum srtp_suite suite, const json_t *srtp,
		     const char *way, struct rpc_error *err)
{
	const json_t *from = json_object_get(srtp, way);
	const struct srtp_suite_info *info = srtp_suite_of(suite);
	const char *text = rpc_param_text(from, "key", "");

	if (!srtp_key_read(key, suite, text, strlen(text))) {
		rpc_error_set(
			err, RPC_INVALID_PARAMS,
			"params.srtp.%s.key: %s takes %d octets in base64, master key and salt",
			way, info->name, info->key_len + info->salt_len);
		return false;
	}
	if (!mki_read(key, rpc_param_text(from, "mki", ""))) {
		rpc_error_set(err, RPC_INVALID_PARAMS,
			      "params.srtp.%s.mki: pairs of hexadecimal "
			      "digits are wanted",
			      way);
		return false;
	}
	return true;
}

bool leg_srtp_read(const struct engine_rpc *rpc, struct srtp_keys **keys, const json_t *params,
		   struct rpc_error *err)
{
	const json_t *srtp = json_object_get(params, "srtp");
	const char *name = rpc_param_text(srtp, "suite", "");
	struct srtp_keys *k;

	*keys = NULL;
	if (!json_is_object(srtp))
		return true;
	if (!rpc->cfg.srtp) {
		rpc_error_set(err, RPC_NO_RESOURCE, "the engine runs with --srtp off");
		return false;
	}
	k = calloc(1, sizeof(*k));
	must(k != NULL);

	enum srtp_suite suite = srtp_suite_named(name, strlen(name));

	must(suite != SRTP_NO_SUITE); /* params were checked */
	if (key_read(&k->receive, suite, srtp, "receive", err) &&
	    key_read(&k->send, suite, srtp, "send", err)) {
		*keys = k;
		return true;
	}
	leg_srtp_free(k);
	return false;
}

void leg_srtp_free(struct srtp_keys *keys)
{
	if (keys != NULL)
		srtp_key_wipe(keys, sizeof(*keys));
	free(keys);
}

static void hide(json_t *key)
{
	const char *text = json_string_value(json_object_get(key, "key"));
	uint8_t hash[EVP_MAX_MD_SIZE];
	char shown[32];
	unsigned len = 0;

	if (text == NULL)
		return;
	must(EVP_Digest(text, strlen(text), hash, &len, EVP_sha256(), NULL) == 1);
	snprintf(shown, sizeof(shown), "sha256:%02x%02x%02x%02x%02x%02x", hash[0], hash[1], hash[2],
		 hash[3], hash[4], hash[5]);
	json_object_set_new(key, "key", json_string(shown));
}

json_t *leg_params_shown(const json_t *params)
{
	json_t *copy = json_deep_copy(params), *srtp;

	must(copy != NULL);
	srtp = json_object_get(copy, "srtp");
	hide(json_object_get(srtp, "receive"));
	hide(json_object_get(srtp, "send"));
	return copy;
}

json_t *leg_srtp_json(const struct leg_stats *s)
{
	if (s->srtp_suite == SRTP_NO_SUITE)
		return json_null();
	return json_pack("{s:s, s:s, s:I, s:I}", "suite",
			 srtp_suite_of((enum srtp_suite)s->srtp_suite)->name, "by",
			 s->srtp_burst ? "burst" : "library", "auth_failed",
			 (json_int_t)s->srtp_auth_failed, "replayed", (json_int_t)s->srtp_replayed);
}
