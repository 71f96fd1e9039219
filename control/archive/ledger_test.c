/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger: what was written stands, and any change to it shows.
 */
#include "archive/ledger.h"

#include <errno.h>
#include <sys/wait.h>

#include "archive/archive_testing.h"

enum { LINES = 12 };

static json_t *body(int i)
{
	return json_pack("{s:i, s:s}", "value", i, "text", "said \"so\"\n");
}

static void fill(const char *path, int n, struct ledger_place *place)
{
	struct ledger *l;

	check_int(ledger_open(&l, path), 0);
	for (int i = 0; i < n; i++)
		check_int(ledger_append(l, 1000 + (uint64_t)i, "finish", body(i), &place[i]), 0);
	ledger_close(l);
}

static struct ledger_verdict verify(const char *path)
{
	struct ledger_verdict v;
	struct ledger *l;

	check_int(ledger_open(&l, path), 0);
	check_int(ledger_verify(l, NULL, NULL, NULL, &v), 0);
	ledger_close(l);
	return v;
}

static void lines_follow_one_another(void)
{
	char dir[64];
	struct ledger_place place[LINES], head;
	struct ledger *l;
	json_t *line;

	scratch_make(dir);

	const char *path = scratch_path(dir, "ledger");

	fill(path, LINES / 2, place);
	fill(path, LINES / 2, place + LINES / 2); /* goes on where another left off */

	struct ledger_verdict v = verify(path);

	check_int(v.wrong_n, 0);
	check_int(v.lines, LINES + 1); /* and the one that begins */
	check_int(ledger_open(&l, path), 0);
	check_int(ledger_head(l, &head), 0);
	check_int(head.n, LINES + 1);
	check_str(head.hash, place[LINES - 1].hash);
	check_int(ledger_read(l, place[3].offset, &line), 0);
	check_int(json_integer_value(json_object_get(line, "value")), 3);
	json_decref(line);
	check_int(ledger_read(l, place[3].offset + 1, &line), -EBADMSG);
	check_int(ledger_verify(l, &place[3], NULL, NULL, &v), 0);
	check_int(v.lines, LINES - 4);
	check_int(ledger_append(l, 1, "x", NULL, NULL), -ENOMEM);

	char *huge = calloc(1, LEDGER_LINE_MAX + 1);

	memset(huge, 'a', LEDGER_LINE_MAX);
	check_int(ledger_append(l, 1, "x", json_pack("{s:s}", "t", huge), NULL), -E2BIG);
	free(huge);
	ledger_close(l);
	check_int(verify(path).lines, LINES + 1);
	scratch_remove(dir);
}

static void any_changed_byte_shows(void)
{
	static char bytes[1 << 16], bad[1 << 16];
	char dir[64];
	struct ledger_place place[LINES];

	scratch_make(dir);

	const char *path = scratch_path(dir, "ledger");

	fill(path, LINES, place);

	size_t n = scratch_read(path, bytes, sizeof(bytes));
	size_t last = place[LINES - 1].offset;

	for (size_t i = 0; i + 1 < last; i += 7) {
		struct ledger_verdict v;

		memcpy(bad, bytes, n);
		bad[i] ^= 1;
		scratch_write(path, bad, n);
		v = verify(path);
		check(v.wrong_n != 0 && v.wrong_n <= LINES + 1);
		check(v.wrong_offset <= i);
	}
	scratch_remove(dir);
}

static void a_line_taken_out_or_exchanged_shows(void)
{
	static char bytes[1 << 16], bad[1 << 16];
	char dir[64];
	struct ledger_place place[LINES];

	scratch_make(dir);

	const char *path = scratch_path(dir, "ledger");

	fill(path, LINES, place);

	size_t n = scratch_read(path, bytes, sizeof(bytes));
	size_t a = place[4].offset, b = place[5].offset, c = place[6].offset;

	memcpy(bad, bytes, a);
	memcpy(bad + a, bytes + b, n - b);
	scratch_write(path, bad, n - (b - a));
	check_int(verify(path).wrong_n, place[5].n - 1);
	memcpy(bad, bytes, n);
	memcpy(bad + a, bytes + b, c - b);
	memcpy(bad + a + (c - b), bytes + a, b - a);
	scratch_write(path, bad, n);
	check_int(verify(path).wrong_n, place[4].n);
	scratch_remove(dir);
}

static void a_torn_tail_is_cut_by_the_next_writer(void)
{
	static char bytes[1 << 16];
	char dir[64];
	struct ledger_place place[LINES];

	scratch_make(dir);

	const char *path = scratch_path(dir, "ledger");

	fill(path, LINES, place);

	size_t n = scratch_read(path, bytes, sizeof(bytes));

	for (size_t cut = place[LINES - 1].offset; cut < n; cut += 11) {
		struct ledger_place more;

		scratch_write(path, bytes, cut);
		check_int(verify(path).lines, LINES);
		fill(path, 1, &more);
		check_int(more.n, LINES + 1);
		check_int(more.offset, place[LINES - 1].offset);
		check_int(verify(path).wrong_n, 0);
	}
	scratch_write(path, bytes, 20); /* the very first line */
	check_int(verify(path).lines, 1);
	scratch_write(path, "no ledger\n", 10);

	struct ledger *l;

	check_int(ledger_open(&l, path), -EBADMSG);
	scratch_remove(dir);
}

static void writers_take_turns(void)
{
	enum { WRITERS = 4, EACH = 25 };
	char dir[64];

	scratch_make(dir);

	const char *path = scratch_path(dir, "ledger");
	struct ledger_place place[EACH];
	pid_t pid[WRITERS];

	for (int i = 0; i < WRITERS; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			fill(path, EACH, place);
			_exit(0);
		}
	}
	for (int i = 0; i < WRITERS; i++) {
		int status = -1;

		check(waitpid(pid[i], &status, 0) == pid[i] && status == 0);
	}

	struct ledger_verdict v = verify(path);

	check_int(v.wrong_n, 0);
	check_int(v.lines, WRITERS * EACH + 1);
	scratch_remove(dir);
}

static const struct check_case cases[] = {
	CHECK_CASE(lines_follow_one_another),
	CHECK_CASE(any_changed_byte_shows),
	CHECK_CASE(a_line_taken_out_or_exchanged_shows),
	CHECK_CASE(a_torn_tail_is_cut_by_the_next_writer),
	CHECK_CASE(writers_take_turns),
};
CHECK_MAIN(cases)
