/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <getopt.h>

#include "check.h"

enum { WORDS_MAX = 16 };

/* Split at blanks and parse. `text` must outlive `o`. */
static int parse(struct options *o, char *text)
{
	char program[] = "patchbay-engine", *argv[WORDS_MAX] = {program};
	int argc = 1;

	for (char *word = strtok(text, " "); word != NULL && argc < WORDS_MAX - 1;
	     word = strtok(NULL, " "))
		argv[argc++] = word;
	optind = 0; /* getopt(3): start anew */
	return options_parse(o, argc, argv);
}

static void the_least_that_is_needed(void)
{
	struct options o;
	char text[] = "--port auto:eth0";

	check_int(parse(&o, text), 0);
	check_int(o.port.driver, PORT_AUTO);
	check_str(o.socket, "/run/patchbay/engine.sock");
	check_int(o.rtp_first, 20000);
	check_int(o.rtp_last, 29999);
	check_int(o.workers, 1);
	check_int(o.stores, 1);
	check(o.hugepages && !o.plan_only);
	check(o.srtp && o.srtp_way == SRTP_WAY_AUTO);
}

static void every_word_is_understood(void)
{
	struct options o;
	char text[] =
		"--port tap:pb0,ip=10.1.2.3/24 --socket s --rtp-ports 30000-30099 --workers 3 "
		"--store a --store b,weight=7";
	char more[] = "--port auto:e --lcores 1,2 --calls 77 --store none --prompts p --shm x-1 "
		      "--hugepages no";
	char rest[] = "--port auto:e --record-memory 8 --prompt-memory 9 --jitter 30-60 "
		      "--log-level debug --srtp library --plan";
	char last[] =
		"--port auto:e --store a,b,weight=0 --store c --recycle 100 --fresh-segments 9 "
		"--no-volume refuse";

	check_int(parse(&o, text), 0);
	check_int(o.port.driver, PORT_TAP);
	check_str(o.socket, "s");
	check_int(o.rtp_last - o.rtp_first, 99);
	check_int(o.workers, 3);
	check_int(o.stores, 2);
	check_str(o.store[1], "b");
	check_int(o.store_weight[0], 1);
	check_int(o.store_weight[1], 7);
	check_int(o.recycle_below, 20);
	check_int(o.fresh_segments, 2);
	check(!o.refuse_unrecorded);

	check_int(parse(&o, more), 0);
	check_str(o.cpus, "1,2");
	check_int(o.calls, 77);
	check_int(o.stores, 0);
	check_str(o.prompts, "p");
	check_str(o.shm, "x-1");
	check(!o.hugepages);

	check_int(parse(&o, rest), 0);
	check_int(o.record_mib, 8);
	check_int(o.prompt_mib, 9);
	check_int(o.jitter_min_ms, 30);
	check_int(o.jitter_max_ms, 60);
	check_int(o.log_level, LOG_LEVEL_DEBUG);
	check(o.plan_only);
	check(o.srtp && o.srtp_way == SRTP_WAY_LIBRARY);

	check_int(parse(&o, last), 0);
	check_str(o.store[0], "a,b");
	check_int(o.store_weight[0] + o.store_weight[1], 0);
	check_int(o.recycle_below, 100);
	check_int(o.fresh_segments, 9);
	check(o.refuse_unrecorded);
}

static void mistakes_are_refused(void)
{
	static const char *const rows[] = {
		"",
		"--port eth0",
		"--port ring:",
		"--port auto:e --rtp-ports 20000",
		"--port auto:e --rtp-ports 80-90",
		"--port auto:e --rtp-ports 30000-20000",
		"--port auto:e --rtp-ports 20000-70000",
		"--port auto:e --workers 0",
		"--port auto:e --workers 65",
		"--port auto:e --workers -1",
		"--port auto:e --workers 2x",
		"--port auto:e --calls many",
		"--port auto:e --jitter 200-20",
		"--port auto:e --jitter 1-20",
		"--port auto:e --shm a/b",
		"--port auto:e --hugepages yes",
		"--port auto:e --log-level loud",
		"--port auto:e --srtp openssl",
		"--port auto:e --group no-such-group-here",
		"--port auto:e --colour red",
		"--port auto:e --store a,weight=x",
		"--port auto:e --store ,weight=1",
		"--port auto:e --recycle 101",
		"--port auto:e --fresh-segments many",
		"--port auto:e --no-volume panic",
		"--port auto:e --workers",
		"--port auto:e stray",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct options o;
		char text[100];

		snprintf(text, sizeof(text), "%s", rows[i]);
		int got = parse(&o, text);
		if (got != -EINVAL)
			printf("accepted: %s\n", rows[i]);
		check_int(got, -EINVAL);
	}
}

static void what_was_asked_for_is_printed(void)
{
	struct options o;
	char help[] = "--help", version[] = "--version";

	check_int(parse(&o, help), 1);
	check_int(parse(&o, version), 1);
}

static const struct check_case cases[] = {
	CHECK_CASE(the_least_that_is_needed),
	CHECK_CASE(every_word_is_understood),
	CHECK_CASE(mistakes_are_refused),
	CHECK_CASE(what_was_asked_for_is_printed),
};
CHECK_MAIN(cases)
