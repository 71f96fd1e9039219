/* The archive: finished recordings as files, the ledger that proves them, the shelf that finds
 * them.
 *
 *	DIR/ledger              what was done, in order (ledger.h)
 *	DIR/archive.db          the shelf (shelf.h), with the audit
 *	DIR/2026/11/25/ID.opus  the sound (.wav); ID.opus.pbx when it is sealed (seal.h)
 *	               ID.key   its key, wrapped (keyring.h); only when it is sealed
 *	               ID.wave  its overview (overview.h); ID.wave.pbx when sealed
 *	               ID.json  its row, as it was when it was finished
 *
 * THE LEDGER COMES FIRST. Files are written under other names, made durable and renamed; then the
 * ledger gets its line; then what the line says is applied to the shelf. Whoever takes the
 * ledger's turn applies what another left unapplied (killed between the two), so each act happens
 * once, whenever a process died. Files without a line are overwritten when the work is done again.
 *
 * Everything that changes something is safe to call from several processes at once.
 *
 * Thread: one at a time per struct.
 */
#ifndef ARCHIVE_ARCHIVE_H
#define ARCHIVE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "archive/ledger.h"
#include "archive/seal.h"
#include "archive/shelf.h"
#include "conf/config.h"

enum { ARCHIVE_PATH_MAX = 1024, ARCHIVE_WHY_MAX = 300 };

struct archive;

/* Who acts, for the audit and the ledger. */
struct archive_actor {
	const char *name;
	const char *source; /* address, or "cli" */
};

/* Open, or make what is missing. `config` must outlive it. Returns 0 or negative errno with a
 * sentence in `why`. */
int archive_open(struct archive **a, const struct config *config, char *why, size_t why_size);
void archive_close(struct archive *a);

struct shelf *archive_shelf(struct archive *a);
struct ledger *archive_ledger(struct archive *a);
const struct config_archive *archive_config(const struct archive *a);
const char *archive_directory(const struct archive *a);

/* What the last refusal was about. */
const char *archive_why(const struct archive *a);

uint64_t archive_now_ms(void);

/* Write the audit's line of an act, done or refused. Returns 0 or negative errno; then do not act. */
int archive_audit(struct archive *a, const struct archive_actor *who, const char *action,
		  const uint8_t *id, const char *result, const char *detail);

/* Put the audit's newest hash into the ledger, when it has grown by `lines` since it last was. */
int archive_anchor_audit(struct archive *a, uint64_t lines);

/* --- finishing (finish.c) --- */

struct archive_finished {
	uint32_t finished, failed,
		waiting; /* waiting: not ended yet, or not yet time to try again */
	uint64_t sound_ms;
};

/* Finish what has ended in the recording stores and is not in the archive. `stop` (may be NULL) is
 * looked at between recordings. Returns 0 or negative errno when the stores cannot be read. */
int archive_finish(struct archive *a, const volatile bool *stop, struct archive_finished *n);

/* Retention of a row: class and keep_until_ms, from the configuration. `tags` may be NULL. */
void archive_retain(const struct config_archive *cfg, json_t *row, const json_t *tags);

/* --- taking away (erase.c) --- */

/* The only way to delete. Refused with -EPERM while a legal hold is on it, whoever asks; -ENOENT, -EALREADY.
 * The refusal is in the audit too. */
int archive_delete(struct archive *a, const struct archive_actor *who, const uint8_t id[16],
		   const char *reason);
int archive_hold(struct archive *a, const struct archive_actor *who, const uint8_t id[16],
		 const char *reason);
int archive_release(struct archive *a, const struct archive_actor *who, const uint8_t id[16],
		    const char *reason);

/* Delete what is due. Returns how many. */
int archive_sweep(struct archive *a, const volatile bool *stop);

/* Class and term of everything again, after the configuration or tags changed. */
int archive_reclassify(struct archive *a, const uint8_t *id);

/* --- keys --- */

struct archive_rewrapped {
	uint64_t rewrapped, were, failed;
};
/* Wrap every key under the active master key. */
int archive_rewrap(struct archive *a, const struct archive_actor *who, struct archive_rewrapped *n);

/* --- proof (prove.c) --- */

/* -> {ok, file: {ok, ...}, entry: {ok, ...}, chain: {ok, lines, head}, anchor?, text}. `anchor`: an
 * object with n and hash, or NULL. Returns 0 (see ok), -ENOENT, or negative errno. */
int archive_prove(struct archive *a, const uint8_t id[16], const json_t *anchor, json_t **verdict);

/* The whole ledger and every file, and the audit. `fn` is told of each that is wrong. */
typedef void archive_wrong_fn(void *ctx, const char *recording, const char *what);
int archive_verify(struct archive *a, const json_t *anchor, archive_wrong_fn *fn, void *ctx,
		   json_t **verdict);

/* Heads of ledger and audit, to be kept elsewhere. */
int archive_anchor(struct archive *a, json_t **anchor);

/* Read the shelf anew from ledger and files. */
int archive_rebuild(struct archive *a, uint64_t *rows);

/* --- import (import.c) --- */

/* Take a WAV or Ogg Opus file in. `facts` (may be NULL) as for shelf_put(); its recording is
 * derived from the file's bytes when it has none, so that a file is taken once. Returns 0 with the
 * row, 1 when it was there already, or negative errno. */
int archive_import(struct archive *a, const struct archive_actor *who, const char *path,
		   const json_t *facts, json_t **row);

/* Where it stands: the fields of a table with a heading ("file" and the names of
 * shelf_put()) as objects, one per line. Returns 0, or -EINVAL with the line in *line. */
int archive_csv(const char *text, json_t **rows, size_t *line);

/* --- reading (sound.c) --- */

/* The finished sound, opened; what it is in the row (format, bytes). -ENOENT, -ENOKEY, -EBADMSG,
 * -EKEYREVOKED (deleted). */
int archive_sound(struct archive *a, const json_t *row, struct seal **sound);
int archive_overview(struct archive *a, const json_t *row, uint8_t **bytes, size_t *n);

#endif
