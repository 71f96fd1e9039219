/* The section `archive:` of patchbay.yaml: what patchbay-archive does with finished recordings.
 *
 * Thread: immutable, any; a part of struct config.
 */
#ifndef CONF_CONFIG_ARCHIVE_H
#define CONF_CONFIG_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	CONFIG_STORES_MAX = 16,
	CONFIG_MASTER_KEYS_MAX = 32,
	CONFIG_RETENTION_MAX = 64,
	CONFIG_TOKENS_MAX = 256,
};

enum config_secret_kind {
	CONFIG_SECRET_NONE,
	CONFIG_SECRET_TEXT, /* `value` is the secret itself */
	CONFIG_SECRET_ENV,  /* `value` is the name of an environment variable */
	CONFIG_SECRET_FILE, /* `value` is the path of a file whose first line it is */
};

struct config_secret {
	enum config_secret_kind kind;
	const char *value; /* "" for NONE */
};

struct config_master_key {
	const char *id;   /* 1 to 15 letters */
	const char *file; /* 32 bytes or 64 hexadecimal digits, readable by its owner only */
};

/* The first class that fits a recording is its own. A member that is "" fits all. */
struct config_retention {
	const char *name;   /* of the class */
	uint32_t keep_days; /* 0: for ever */
	const char *queue, *agent, *kind, *tag;
};

/* What a token may do; each role may do what the ones before it may. */
enum config_role {
	CONFIG_ROLE_READER,   /* search and see */
	CONFIG_ROLE_LISTENER, /* hear, tag and note */
	CONFIG_ROLE_EXPORTER, /* take copies */
	CONFIG_ROLE_OFFICER,  /* hold, release, delete, read the audit */
};

struct config_token {
	const char *name; /* who it is, in the audit */
	enum config_role role;
	struct config_secret token;
};

struct config_s3 {
	const char *endpoint; /* "https://s3.example.com"; "" is no upload */
	const char *region;
	const char *bucket;
	const char *prefix; /* before each object's name */
	const char *access_key;
	struct config_secret secret;
	uint32_t part_mb; /* pieces of a multipart upload; S3 wants 5 at least */
	bool read_back;   /* after the upload, read it again and compare */
};

struct config_archive {
	const char *directory;
	uint16_t n_store;
	const char *store[CONFIG_STORES_MAX];
	bool wav; /* else Ogg Opus */
	uint32_t overview_bucket_ms;
	uint32_t scan_every_s;
	uint16_t n_keys;
	struct config_master_key keys[CONFIG_MASTER_KEYS_MAX];
	const char *active_key; /* "": the last one */
	uint32_t keep_days;     /* of recordings that no class fits; 0: for ever */
	uint16_t n_retention;
	struct config_retention retention[CONFIG_RETENTION_MAX];
	const char *listen;                    /* "127.0.0.1:8095"; "" is no server */
	const char *certificate, *private_key; /* PEM files; "" is plain HTTP */
	uint16_t n_tokens;
	struct config_token tokens[CONFIG_TOKENS_MAX];
	struct config_s3 s3;
};

#endif
