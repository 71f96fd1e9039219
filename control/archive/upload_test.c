/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads to a real S3-compatible server (tests/s3/serve): whole, in parts, cut and gone on with,
 * proved and removed. Skipped by name where no such server can be had.
 */
#include "archive/upload.h"

#include <signal.h>
#include <sys/wait.h>

#include "archive/archive_world.h"
#include "archive/s3.h"

enum { SKIP = 77, PARTS = 3 };

static struct {
	pid_t pid;
	int port;
	char dir[64];
} store;

static int serve(void)
{
	const char *script = getenv("S3_SERVE"), *build = getenv("S3_BUILD");
	int out[2], status;
	char line[64] = "";
	FILE *f;

	if (script == NULL || build == NULL)
		return SKIP;
	scratch_make(store.dir);
	if (pipe(out) != 0)
		return 1;
	store.pid = fork();
	if (store.pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		close(out[1]);
		execl("/bin/bash", "bash", script, build, store.dir, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	f = fdopen(out[0], "r");
	if (f != NULL && fgets(line, sizeof(line), f) != NULL &&
	    sscanf(line, "port %d", &store.port) == 1)
		return 0;
	waitpid(store.pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == SKIP ? SKIP : 1;
}

static void end_of_store(void)
{
	if (store.pid > 0) {
		kill(store.pid, SIGTERM);
		waitpid(store.pid, NULL, 0);
	}
	scratch_remove(store.dir);
}

static const char *s3_lines(const char *secret, const char *prefix)
{
	static char text[500];

	snprintf(text, sizeof(text),
		 "  s3: {endpoint: \"http://127.0.0.1:%d\", bucket: recordings, prefix: \"%s/\", "
		 "access_key: S3RVER, secret: %s, part_mb: 5, verify: read_back}\n",
		 store.port, prefix, secret);
	return text;
}

static struct upload_done upload(struct world *w, int stop_after)
{
	struct upload_done d;
	struct upload *u = NULL;
	char why[300];

	check_int(upload_open(&u, w->a, why, sizeof(why)), 0);
	check(u != NULL);
	upload_stop_after(u, stop_after);
	upload_run(u, NULL, &d);
	upload_close(u);
	return d;
}

/* A look with a client of its own. */
static int look(const char *name, uint64_t *bytes, uint8_t sha[32])
{
	char endpoint[60];
	struct config_s3 cfg = {.endpoint = endpoint,
				.region = "us-east-1",
				.bucket = "recordings",
				.prefix = "",
				.access_key = "S3RVER"};
	struct s3 *s;
	int err;

	snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%d", store.port);
	check_int(s3_open(&s, &cfg, "S3RVER"), 0);
	err = s3_digest(s, name, bytes, sha);
	s3_close(s);
	return err;
}

static void check_there(struct world *w, const json_t *row, const char *prefix)
{
	char name[400], text[DIGEST_TEXT];
	uint8_t sha[32];
	uint64_t n;

	(void)w;
	snprintf(name, sizeof(name), "%s/%s", prefix, str(row, "path"));
	check_int(look(name, &n, sha), 0);
	digest_hex(sha, sizeof(sha), text);
	check_str(text, str(row, "stored_sha256"));
	check_int(n, json_integer_value(json_object_get(row, "stored_bytes")));
}

static void what_is_finished_is_uploaded_and_what_is_deleted_removed(void)
{
	struct world w = {.more = s3_lines("S3RVER", "whole")};
	struct upload_done d;
	uint8_t id[16], sha[32];
	char name[400];
	uint64_t n;
	json_t *row;

	world_make(&w, true, "opus");
	finish(&w, CALLS);
	d = upload(&w, 0);
	check_int(d.uploaded, CALLS);
	check_int(d.failed, 0);
	d = upload(&w, 0);
	check_int(d.uploaded, 0);
	row = get(&w, 1);
	check(json_integer_value(json_object_get(row, "uploaded_ms")) > 0);
	check_there(&w, row, "whole");
	test_id(id, 1);
	check_int(archive_delete(w.a, &tester, id, "on request"), 0);
	d = upload(&w, 0);
	check_int(d.removed, 1);
	snprintf(name, sizeof(name), "whole/%s", str(row, "path"));
	check_int(look(name, &n, sha), -ENOENT);
	d = upload(&w, 0);
	check_int(d.removed + d.uploaded + d.failed, 0);
	json_decref(row);
	world_free(&w);
}

/* A file of several parts, taken in by import. */
static json_t *import_large(struct world *w)
{
	static uint8_t wav[44 + (12 << 20)];
	const uint32_t data = sizeof(wav) - 44, riff = data + 36, rate = 8000, bytes = 32000;
	const char *path = scratch_path(w->dir, "large.wav");
	json_t *row;

	for (size_t i = 44; i < sizeof(wav); i++)
		wav[i] = (uint8_t)(i * 2654435761U >> 11);
	memcpy(wav, "RIFF....WAVEfmt \x10\0\0\0\1\0\2\0........\4\0\x10\0data....", 44);
	memcpy(wav + 4, &riff, 4);
	memcpy(wav + 24, &rate, 4);
	memcpy(wav + 28, &bytes, 4);
	memcpy(wav + 40, &data, 4);
	scratch_write(path, wav, sizeof(wav));
	check_int(archive_import(w->a, &tester, path, NULL, &row), 0);
	return row;
}

static void an_upload_that_was_cut_goes_on_with_the_next_part(void)
{
	struct world w = {.more = s3_lines("S3RVER", "parts")};
	struct upload_done d;
	json_t *row, *state = NULL;
	uint8_t id[16];

	world_make(&w, true, "opus");
	row = import_large(&w);
	check_int(recording_id_parse(str(row, "recording"), id), 0);
	d = upload(&w, 1);
	check_int(d.uploaded, 0);
	check_int(shelf_upload_get(archive_shelf(w.a), id, &state), 0);
	check_int(json_array_size(json_object_get(state, "etags")), 1);
	json_decref(state);
	/* another process, later; the waiting is over */
	shut_archive(&w);
	open_archive(&w, true, "opus");
	check_int(shelf_upload_get(archive_shelf(w.a), id, &state), 0);

	char *text = json_dumps(state, 0);

	check_int(shelf_upload_put(archive_shelf(w.a), id, text, "", 0, 0), 0);
	free(text);
	json_decref(state);
	d = upload(&w, PARTS); /* would stop again, were the first part sent once more */
	check_int(d.uploaded, 1);
	check_there(&w, row, "parts");
	json_decref(row);
	world_free(&w);
}

static void a_store_that_refuses_or_is_away_costs_a_delay(void)
{
	struct world w = {.more = s3_lines("wrong", "refused")};
	struct upload_done d;
	int port = store.port;

	world_make(&w, true, "opus");
	finish(&w, CALLS);
	d = upload(&w, 0);
	check_int(d.uploaded, 0);
	check_int(d.failed, 1); /* the rest is not even tried */
	shut_archive(&w);
	store.port = 1;
	w.more = s3_lines("S3RVER", "refused");
	open_archive(&w, true, "opus");
	d = upload(&w, 0);
	check_int(d.failed, 1);
	shut_archive(&w);
	store.port = port;
	w.more = s3_lines("S3RVER", "refused");
	open_archive(&w, true, "opus");
	d = upload(&w, 0);
	check_int(d.uploaded, CALLS - 2); /* two wait for their next try */
	world_free(&w);
}

static const struct check_case cases[] = {
	CHECK_CASE(what_is_finished_is_uploaded_and_what_is_deleted_removed),
	CHECK_CASE(an_upload_that_was_cut_goes_on_with_the_next_part),
	CHECK_CASE(a_store_that_refuses_or_is_away_costs_a_delay),
};

int main(void)
{
	int rc = serve();

	if (rc == SKIP) {
		printf("skipped: no S3-compatible server here (node, npm and a registry)\n");
		return SKIP;
	}
	if (rc != 0) {
		printf("the S3-compatible server does not start\n0 passed, 1 failed\n");
		return 1;
	}
	rc = check_run(cases, sizeof(cases) / sizeof(cases[0]));
	end_of_store();
	return rc;
}
