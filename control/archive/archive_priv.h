/* What the files of the archive share.
 *
 * Thread: the archive's.
 */
#ifndef ARCHIVE_ARCHIVE_PRIV_H
#define ARCHIVE_ARCHIVE_PRIV_H

#include "archive/archive.h"
#include "archive/audit.h"
#include "store/look.h"

struct archive {
	const struct config *config;
	const struct config_archive *cfg;
	char dir[ARCHIVE_PATH_MAX];
	struct ledger *ledger;
	struct shelf *shelf;
	struct keyring *keyring; /* NULL: recordings are not sealed */
	struct look *look;       /* NULL: patchbayd's database is not there (yet) */
	uint64_t applied;        /* number of the newest line that the shelf has */
	uint64_t seen_stores;    /* what the stores looked like when nothing was left to do */
	char why[ARCHIVE_WHY_MAX];
};

/* Say why, and return `err`. */
int archive_refuse(struct archive *a, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Take the ledger's turn, with everything in it applied. */
int archive_turn(struct archive *a);
void archive_turn_over(struct archive *a);

/* Within a turn: add a line and apply it. Takes `body`. */
int archive_act(struct archive *a, const char *op, json_t *body);

/* DIR/PATH, and with another ending instead of the last `.opus`, `.wav` and, when there, `.pbx`. */
void archive_file(const struct archive *a, char out[ARCHIVE_PATH_MAX], const char *path,
		  const char *ending);

/* The same, waiting to take its place (files.c). */
void archive_file_next(const struct archive *a, char out[ARCHIVE_PATH_MAX], const char *path,
		       const char *ending);

/* The files that belong to a recording, NULL at the end: endings. */
extern const char *const archive_endings[];

/* Make `path` of what `fd` holds: durable under another name, then renamed. */
int archive_put_file(const char *path, const void *p, size_t n);

/* Within a turn, with its line in the ledger: what waits under `.next` and has this hash takes its place. Does
 * nothing, and succeeds, when nothing waits. */
int archive_settle(struct archive *a, const char *path, const char *stored_sha256);

/* Take the files of a recording away, waiting ones too; keys are overwritten first. */
int archive_remove(struct archive *a, const char *path);

/* Make the directories of DIR/`path` and see that they are durable. */
int archive_make_way(struct archive *a, const char *path);
int archive_sync_directory(const char *file);

/* The new files of a recording, from sound in memory: sealed or as they are. */
struct archive_new {
	uint8_t id[16];
	const char *op;          /* "finish", "import" */
	int sound;               /* open file */
	const uint8_t *overview; /* packed */
	size_t overview_bytes;
	json_t *row;   /* gets path, bytes, hashes ...; borrowed */
	json_t *facts; /* further members of the ledger's line; borrowed, may be NULL */
};
int archive_store(struct archive *a, const struct archive_new *n);

/* The key of a recording. -ENOENT, -ENOKEY, -EBADMSG. */
int archive_key(struct archive *a, const uint8_t id[16], const char *path,
		uint8_t key[KEYRING_KEY_BYTES]);

#endif
