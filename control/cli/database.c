/* SPDX-License-Identifier: Apache-2.0
 *
 * backup and restore: the database as a whole. patchbayd makes the copy; it must not run when one is put back.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cli.h"
#include "conf/config.h"
#include "store/restore.h"

int cli_backup(struct cli *c)
{
	char cwd[PATH_MAX], whole[2 * PATH_MAX], buf[32];
	const char *file;
	json_t *r = NULL;
	int rc;

	if (!cli_need(c, "FILE", &file) || !cli_end(c))
		return CLI_USAGE;
	/* patchbayd may run in another directory. */
	if (file[0] != '/' && getcwd(cwd, sizeof(cwd)) != NULL)
		snprintf(whole, sizeof(whole), "%s/%s", cwd, file);
	else
		snprintf(whole, sizeof(whole), "%s", file);
	if (c->timeout_ms < 3600000) /* it takes as long as it takes */
		c->timeout_ms = 3600000;
	rc = cli_ask(c, CLI_DAEMON, "backup", json_pack("{s:s}", "file", whole), &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r))
		cli_say(c, "%s: %sB, copied and verified in %.1f s\n", cli_text(r, "file"),
			cli_amount((double)cli_int(r, "bytes"), buf),
			(double)cli_int(r, "ms") / 1000.0);
	json_decref(r);
	return CLI_OK;
}

/* Does anybody answer at the control socket? */
static bool answers(const char *socket_path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes;

	if (fd < 0 || strlen(socket_path) >= sizeof(to.sun_path)) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	memcpy(to.sun_path, socket_path, strlen(socket_path) + 1);
	yes = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
	close(fd);
	return yes;
}

/* Where the database is, as the configuration says. False: complained. */
static bool database_of(struct cli *c, const char *file, char *out, size_t size)
{
	struct config *config = NULL;
	struct complaints k;
	char line[COMPLAINT_TEXT_MAX + COMPLAINT_NAME_MAX + 32];
	size_t len;
	char *text = cli_file_read(c, file, CONFIG_TEXT_MAX, &len);

	if (text == NULL)
		return false;
	if (config_load(text, len, file, &config, &k) != 0) {
		fprintf(c->err, "patchbay: %s\n", complaint_line(&k, 0, line, sizeof(line)));
		free(text);
		return false;
	}
	free(text);
	snprintf(out, size, "%s", config->database);
	config_free(config);
	return true;
}

int cli_restore(struct cli *c)
{
	char path[RESTORE_PATH_MAX + 1], why[300] = "";
	const char *file, *config, *database;
	struct restore_done done;
	int err;

	if (!cli_option(c, "--config", &config) || !cli_option(c, "--database", &database) ||
	    !cli_need(c, "FILE", &file) || !cli_end(c))
		return CLI_USAGE;
	if (database != NULL)
		snprintf(path, sizeof(path), "%s", database);
	else if (!database_of(c, config ? config : CLI_CONFIG, path, sizeof(path)))
		return CLI_REFUSED;
	if (answers(c->control_socket)) {
		fprintf(c->err, "patchbay: patchbayd runs (it answers at %s): stop it first\n",
			c->control_socket);
		return CLI_REFUSED;
	}
	err = restore_database(file, path, &done, why, sizeof(why));
	if (err != 0) {
		fprintf(c->err, "patchbay: nothing was restored: %s\n",
			why[0] ? why : strerror(-err));
		return CLI_REFUSED;
	}
	if (c->json) {
		json_t *r = json_pack("{s:s,s:i,s:I,s:s?}", "database", path, "schema", done.schema,
				      "calls", (json_int_t)done.calls, "kept",
				      done.kept[0] ? done.kept : NULL);

		(void)cli_json(c, r);
		json_decref(r);
		return CLI_OK;
	}
	cli_say(c, "%s is %s now: %lld call records, tables of version %d\n", path, file,
		done.calls, done.schema);
	if (done.kept[0] != '\0')
		cli_say(c, "what was there before is kept as %s\n", done.kept);
	return CLI_OK;
}
