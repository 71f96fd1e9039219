/* SPDX-License-Identifier: Apache-2.0
 *
 * capture: the packets of one call or leg, into a file for Wireshark or as a line each. The engine keeps
 * copies in a bounded ring; this reads it some times a second, and writes.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "cli/cli.h"
#include "cli/pcapng.h"
#include "cli/table.h"
#include "patchbay/rpc_client.h"

enum { READ_EVERY_MS = 100, FRAME_MAX = 2048 };

struct capturing {
	struct cli *c;
	struct rpc_client *client;
	FILE *file; /* NULL: lines */
	char id[40];
	int64_t packets, lost, most;
	bool ended;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The frame's bytes; 0 when it is not what it should be. */
static uint32_t decode(const char *text, uint8_t frame[FRAME_MAX])
{
	size_t n = strlen(text);
	int got;

	if (n == 0 || n % 4 != 0 || n / 4 * 3 > FRAME_MAX)
		return 0;
	got = EVP_DecodeBlock(frame, (const unsigned char *)text, (int)n);
	if (got < 0)
		return 0;
	return (uint32_t)(got - (text[n - 1] == '=') - (text[n - 2] == '='));
}

static unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* What a person wants to see of a packet at first sight. */
static void print_line(struct capturing *k, const json_t *row, const uint8_t *f, uint32_t n)
{
	int64_t ns = cli_int(row, "time_ns");
	uint32_t at = n > 18 && get16(f + 12) == 0x8100 ? 18 : 14;
	bool six = n > at && f[at] >> 4 == 6;
	uint32_t udp = at + (six ? 40 : 20), rtp = udp + 8;
	char when[32];

	if (n < rtp + 8) {
		cli_say(k->c, "%" PRIu32 " bytes\n", n);
		return;
	}
	cli_say(k->c, "%s.%06" PRId64 " %-3s %s  %u > %u  ", cli_time(ns / 1000000, when),
		ns / 1000 % 1000000, cli_text(row, "way"), cli_text(row, "leg"), get16(f + udp),
		get16(f + udp + 2));
	if (f[rtp + 1] >= 192 && f[rtp + 1] <= 223)
		cli_say(k->c, "RTCP type %u, %u bytes\n", f[rtp + 1], n - rtp);
	else
		cli_say(k->c, "RTP type %u%s, seq %u, time %u, %u bytes\n", f[rtp + 1] & 127,
			f[rtp + 1] & 128 ? " M" : "", get16(f + rtp + 2),
			get16(f + rtp + 4) << 16 | get16(f + rtp + 6), n - rtp);
}

static void take(struct capturing *k, const json_t *row)
{
	uint8_t frame[FRAME_MAX];
	uint32_t n = decode(cli_text(row, "frame"), frame);
	char comment[100];

	if (n == 0 || (k->most > 0 && k->packets >= k->most))
		return;
	k->packets++;
	if (k->file == NULL && k->c->json) {
		json_dumpf(row, k->c->out, JSON_COMPACT);
		fputc('\n', k->c->out);
		return;
	}
	if (k->file == NULL) {
		print_line(k, row, frame, n);
		return;
	}
	snprintf(comment, sizeof(comment), "leg %s, %s", cli_text(row, "leg"),
		 cli_text(row, "way"));
	pcapng_packet(k->file, &(struct pcapng_packet){
				       .time_ns = (uint64_t)cli_int(row, "time_ns"),
				       .frame = frame,
				       .kept = n,
				       .length = (uint32_t)cli_int(row, "length"),
				       .inbound = strcmp(cli_text(row, "way"), "in") == 0,
				       .comment = comment,
			       });
}

/* All that is there now. */
static int read_all(struct capturing *k)
{
	bool more = true;

	while (more) {
		json_t *r = NULL;
		const json_t *row;
		size_t i;
		int rc = cli_request(k->c, k->client, "capture.read",
				     json_pack("{s:s}", "capture", k->id), &r);

		if (rc != 0)
			return rc;
		json_array_foreach(json_object_get(r, "packets"), i, row)
		{
			take(k, row);
		}
		k->lost = cli_int(r, "lost");
		more = cli_true(r, "more");
		k->ended = cli_true(r, "ended");
		json_decref(r);
	}
	fflush(k->file != NULL ? k->file : k->c->out);
	if (k->file != NULL && ferror(k->file)) {
		fprintf(k->c->err, "patchbay: the file cannot be written: %s\n", strerror(errno));
		return CLI_REFUSED;
	}
	return 0;
}

static int run(struct capturing *k, double seconds)
{
	double until = seconds > 0 ? now_s() + seconds : 0;
	const struct timespec pause = {.tv_nsec = READ_EVERY_MS * 1000000L};
	int rc = 0;

	while (rc == 0 && !interrupted && !k->ended && (until == 0 || now_s() < until) &&
	       (k->most == 0 || k->packets < k->most)) {
		nanosleep(&pause, NULL);
		rc = read_all(k);
	}
	return rc;
}

/* Where to: "-" is standard output; NULL nowhere. */
static int open_file(struct capturing *k, const char *path)
{
	if (path == NULL)
		return 0;
	k->file = strcmp(path, "-") == 0 ? k->c->out : fopen(path, "wbe");
	if (k->file == NULL) {
		fprintf(k->c->err, "patchbay: %s: %s\n", path, strerror(errno));
		return CLI_REFUSED;
	}
	pcapng_begin(k->file, "patchbay " PATCHBAY_VERSION);
	return 0;
}

static int capture(struct capturing *k, const char *call, const char *leg, double seconds)
{
	const struct sigaction act = {.sa_handler = on_signal};
	json_t *p = json_pack("{s:s, s:s*, s:s*}", "capture", k->id, "call", call, "leg", leg);
	int rc;

	if (k->most > 0)
		json_object_set_new(p, "packets", json_integer(k->most));
	rc = cli_request(k->c, k->client, "capture.start", p, NULL);
	if (rc != 0)
		return rc;
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	rc = run(k, seconds);
	(void)cli_request(k->c, k->client, "capture.stop", json_pack("{s:s}", "capture", k->id),
			  NULL);
	fprintf(k->c->err, "%" PRId64 " packets%s\n", k->packets,
		k->ended && k->most == 0 ? "; the call is over" : "");
	if (k->lost > 0)
		fprintf(k->c->err, "%" PRId64 " more came faster than they could be read\n",
			k->lost);
	return rc;
}

int cli_capture(struct cli *c)
{
	const char *call, *leg, *path, *short_path, *seconds_text, *packets_text;
	struct capturing k = {.c = c};
	int64_t seconds = 0;
	int rc;

	if (!cli_option(c, "--call", &call) || !cli_option(c, "--leg", &leg) ||
	    !cli_option(c, "--write", &path) || !cli_option(c, "-w", &short_path) ||
	    !cli_option(c, "--seconds", &seconds_text) ||
	    !cli_option(c, "--packets", &packets_text) || !cli_end(c) ||
	    (seconds_text != NULL &&
	     !cli_number(c, "--seconds", seconds_text, 1, 86400, &seconds)) ||
	    (packets_text != NULL &&
	     !cli_number(c, "--packets", packets_text, 1, 1000000, &k.most)))
		return CLI_USAGE;
	if ((call == NULL) == (leg == NULL))
		return cli_usage(c, "name a call (--call ID) or a leg (--leg ID)");
	if (path == NULL)
		path = short_path;
	if (path != NULL && strcmp(path, "-") == 0 && isatty(fileno(c->out)))
		return cli_usage(c, "-w - writes bytes for a program; give it a pipe or a file");
	snprintf(k.id, sizeof(k.id), "cli-%ld-%ld", (long)getpid(), (long)time(NULL));
	rc = cli_connect(c, CLI_ENGINE, &k.client);
	if (rc != 0)
		return rc;
	rc = open_file(&k, path);
	if (rc == 0)
		rc = capture(&k, call, leg, (double)seconds);
	if (k.file != NULL && k.file != c->out)
		fclose(k.file);
	rpc_client_close(k.client);
	return rc;
}
