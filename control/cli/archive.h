/* `patchbay recordings ...` on the archive: an open archive and who uses it.
 *
 * The archive's own files are read and changed, as patchbay-archive does, whether that runs or not;
 * each act is in the audit under the name of the user who types (or --by) and the source "cli".
 *
 * Thread: one.
 */
#ifndef CLI_ARCHIVE_H
#define CLI_ARCHIVE_H

#include "archive/archive.h"
#include "cli/cli.h"

struct cli_archive {
	struct cli *c;
	struct config *config;
	struct archive *a;
	struct archive_actor who;
};

/* Takes --config, --archive and --by out of the words. Returns 0 or the exit code, having said why. */
int cli_archive_open(struct cli *c, struct cli_archive *x);
/* The same where there is an archive; else x->a is NULL. */
int cli_archive_if_any(struct cli *c, struct cli_archive *x);
void cli_archive_close(struct cli_archive *x);

/* The recording that `text` begins. Returns 0 or the exit code, having said why. */
int cli_archive_find(struct cli_archive *x, const char *text, uint8_t id[16]);

/* Say what the archive refused. Returns CLI_REFUSED. */
int cli_archive_refused(struct cli_archive *x, int err);

/* A verb of `patchbay recordings`. */
typedef int cli_archive_fn(struct cli_archive *x);

/* Run the verb if it is one of the archive's: the exit code, or -1 when it is none. */
int cli_archive_run(struct cli *c, const char *verb);

/* REC and nothing else: 0 or the exit code. */
int cli_archive_one(struct cli_archive *x, uint8_t id[16]);

cli_archive_fn cli_archive_search, cli_archive_show, cli_archive_audit, cli_archive_waveform;
cli_archive_fn cli_archive_prove, cli_archive_prove_all, cli_archive_anchor, cli_archive_import,
	cli_archive_keys;

#endif
