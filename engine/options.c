/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"
#include "dsp/tone_plan.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"usage: patchbay-engine --port SPEC [options]\n"
	"\n"
	"The media engine of Patchbay: receives, mixes, plays, detects, records and sends RTP, as "
	"told\n"
	"through its control socket.\n"
	"\n"
	"  --port SPEC            how packets reach it:\n"
	"                           auto:eth0       AF_XDP beside the kernel, else AF_PACKET\n"
	"                           af_xdp:eth0, af_packet:eth0\n"
	"                           pci:0000:03:00.0,ip=A/N  (bound to vfio-pci)\n"
	"                           raw:eth1,ip=A/N          a kernel interface without addresses\n"
	"                           tap:pb0,ip=A/N\n"
	"                           "
	"memif:NAME,socket=PATH,role=server|client[,id=0][,slots=1024],ip=A/N\n"
	"                           vdev:net_NAME,args=a=1;b=2,ip=A/N   any device of DPDK\n"
	"                         these are the engine's alone and also take ip6=A/N, gw=A, "
	"gw6=A,\n"
	"                         route=A/N@HOP (8 times), vlan=N, mac=M\n"
	"  --socket PATH          control socket [/run/patchbay/engine.sock]\n"
	"  --group NAME           group that may use the control socket\n"
	"  --rtp-ports A-B        UDP ports of RTP and RTCP [20000-29999]\n"
	"  --workers N            packet workers [1]\n"
	"  --lcores LIST          their CPUs, for example 2-5,8 [the last ones]\n"
	"  --busy-limit PERCENT   refuse new calls when a worker is busier [90]; 100: never\n"
	"  --calls N              calls at once [half as many as pairs of ports]\n"
	"  --store DIR[,weight=N] where recordings go; again for further volumes\n"
	"                         [/var/lib/patchbay/store]; \"none\": nothing can be recorded.\n"
	"                         New segments are spread by weight and free space; a volume with\n"
	"                         weight 0 is a spare [the first 1, further ones 0]\n"
	"  --recycle PERCENT      use segments that the archive has finished again where less "
	"than\n"
	"                         this much of a volume is free [20]; 100: always, 0: never\n"
	"  --fresh-segments N     segments of 64 MiB that each volume keeps ready for use [2]\n"
	"  --no-volume WAY        when no volume takes recordings: refuse (new recordings), or\n"
	"                         carry-on (in memory as long as it lasts, then lost and\n"
	"                         accounted for) [carry-on]\n"
	"  --record-memory MIB    audio that may wait for the disk [64]\n"
	"  --prompts DIR          sound files to play [/usr/share/patchbay/prompts]\n"
	"  --country CC           whose tones are meant where none is named [cn]\n"
	"  --prompt-memory MIB    at most this much of them [256]\n"
	"  --jitter MIN-MAX       bounds of the jitter buffers' delay in ms [20-200]\n"
	"  --transcoders N        legs at once whose sound is transcoded [256 for each worker]\n"
	"  --opus-complexity N    0 (cheap) to 10 (best) at light load [3]; goes down under load\n"
	"  --media-rate HZ        8000, 16000 or 48000: no call is mixed at more [16000]\n"
	"  --shm NAME             name in /dev/shm, for several engines on one host [engine]\n"
	"  --srtp WAY             encrypted media: burst (multi-buffer, needs AES and AVX),\n"
	"                         library (libsrtp2), off, or auto: burst where it works [auto]\n"
	"  --hugepages auto|no    [auto: if enough are free]\n"
	"  --telemetry yes|no     DPDK's telemetry socket, with /patchbay/... [yes]\n"
	"  --log-level LEVEL      error, warn, info or debug [info]\n"
	"  --plan                 print the memory that would be used, and exit\n"
	"  --version, --help\n"
	"\n"
	"Signals: TERM and INT end it, HUP reads the prompts again.\n"
	"Exit codes: 0 ended as told, 1 could not run, 2 wrong arguments.\n";

enum option_id {
	OPTION_PORT = 1,
	OPTION_SOCKET,
	OPTION_GROUP,
	OPTION_RTP_PORTS,
	OPTION_WORKERS,
	OPTION_LCORES,
	OPTION_BUSY_LIMIT,
	OPTION_CALLS,
	OPTION_STORE,
	OPTION_RECYCLE,
	OPTION_FRESH_SEGMENTS,
	OPTION_NO_VOLUME,
	OPTION_RECORD_MEMORY,
	OPTION_COUNTRY,
	OPTION_PROMPTS,
	OPTION_PROMPT_MEMORY,
	OPTION_JITTER,
	OPTION_TRANSCODERS,
	OPTION_OPUS_COMPLEXITY,
	OPTION_MEDIA_RATE,
	OPTION_SHM,
	OPTION_SRTP,
	OPTION_HUGEPAGES,
	OPTION_TELEMETRY,
	OPTION_LOG_LEVEL,
	OPTION_PLAN,
	OPTION_VERSION,
	OPTION_HELP,
};

static const struct option words[] = {
	{"port", required_argument, NULL, OPTION_PORT},
	{"socket", required_argument, NULL, OPTION_SOCKET},
	{"group", required_argument, NULL, OPTION_GROUP},
	{"rtp-ports", required_argument, NULL, OPTION_RTP_PORTS},
	{"workers", required_argument, NULL, OPTION_WORKERS},
	{"lcores", required_argument, NULL, OPTION_LCORES},
	{"busy-limit", required_argument, NULL, OPTION_BUSY_LIMIT},
	{"calls", required_argument, NULL, OPTION_CALLS},
	{"store", required_argument, NULL, OPTION_STORE},
	{"recycle", required_argument, NULL, OPTION_RECYCLE},
	{"fresh-segments", required_argument, NULL, OPTION_FRESH_SEGMENTS},
	{"no-volume", required_argument, NULL, OPTION_NO_VOLUME},
	{"record-memory", required_argument, NULL, OPTION_RECORD_MEMORY},
	{"prompts", required_argument, NULL, OPTION_PROMPTS},
	{"country", required_argument, NULL, OPTION_COUNTRY},
	{"prompt-memory", required_argument, NULL, OPTION_PROMPT_MEMORY},
	{"jitter", required_argument, NULL, OPTION_JITTER},
	{"transcoders", required_argument, NULL, OPTION_TRANSCODERS},
	{"opus-complexity", required_argument, NULL, OPTION_OPUS_COMPLEXITY},
	{"media-rate", required_argument, NULL, OPTION_MEDIA_RATE},
	{"shm", required_argument, NULL, OPTION_SHM},
	{"srtp", required_argument, NULL, OPTION_SRTP},
	{"hugepages", required_argument, NULL, OPTION_HUGEPAGES},
	{"telemetry", required_argument, NULL, OPTION_TELEMETRY},
	{"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
	{"plan", no_argument, NULL, OPTION_PLAN},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"help", no_argument, NULL, OPTION_HELP},
	{NULL, 0, NULL, 0},
};

__attribute__((format(printf, 1, 2))) static int refuse(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "patchbay-engine: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n(patchbay-engine --help lists the options)\n");
	return -EINVAL;
}

static int parse_srtp(struct options *o, const char *text)
{
	static const struct {
		const char *word;
		bool on;
		enum srtp_way way;
	} ways[] = {
		{"auto", true, SRTP_WAY_AUTO},
		{"burst", true, SRTP_WAY_BURST},
		{"library", true, SRTP_WAY_LIBRARY},
		{"off", false, SRTP_WAY_AUTO},
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(text, ways[i].word) == 0) {
			o->srtp = ways[i].on;
			o->srtp_way = ways[i].way;
			return 0;
		}
	return refuse("--srtp %s: auto, burst, library or off", text);
}

static bool parse_number(const char *text, unsigned long least, unsigned long most, uint32_t *n)
{
	char *end;
	unsigned long v;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || v < least || v > most)
		return false;
	*n = (uint32_t)v;
	return true;
}

/* "A-B" */
static bool parse_range(const char *text, unsigned long least, unsigned long most, uint32_t *a,
			uint32_t *b)
{
	const char *dash = strchr(text, '-');
	char first[16];

	if (dash == NULL || (size_t)(dash - text) >= sizeof(first))
		return false;
	memcpy(first, text, (size_t)(dash - text));
	first[dash - text] = '\0';
	return parse_number(first, least, most, a) && parse_number(dash + 1, least, most, b) &&
	       *a <= *b;
}

/* "DIR" or "DIR,weight=N" */
static int parse_store(struct options *o, char *text)
{
	uint32_t weight = o->stores == 0;
	char *comma = strrchr(text, ',');

	if (o->stores == OPTIONS_STORES_MAX)
		return refuse("--store: at most %d are possible", OPTIONS_STORES_MAX);
	if (comma != NULL && strncmp(comma, ",weight=", 8) == 0) {
		if (!parse_number(comma + 8, 0, 1000, &weight))
			return refuse("--store %s: a weight is from 0 to 1000", text);
		*comma = '\0';
	}
	if (text[0] == '\0')
		return refuse("--store: a directory is needed");
	o->store_weight[o->stores] = weight;
	o->store[o->stores++] = text;
	return 0;
}

static int parse_shm(struct options *o, const char *text)
{
	size_t len =
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	if (len == 0 || len > 64 || text[len] != '\0')
		return refuse("--shm %s: a name is letters, digits, '-' and '_'", text);
	o->shm = text;
	return 0;
}

static int parse_group(struct options *o, const char *name)
{
	const struct group *g = getgrnam(name);

	if (g == NULL)
		return refuse("--group %s: there is no such group", name);
	o->group = (int)g->gr_gid;
	return 0;
}

static int parse_number_option(struct options *o, int id, const char *text)
{
	uint32_t a, b = 0;

	switch (id) {
	case OPTION_RTP_PORTS:
		if (!parse_range(text, 1024, 65535, &a, &b))
			return refuse("--rtp-ports %s: write A-B with 1024 <= A < B <= 65535",
				      text);
		o->rtp_first = (uint16_t)a;
		o->rtp_last = (uint16_t)b;
		return 0;
	case OPTION_WORKERS:
		if (!parse_number(text, 1, 64, &a))
			return refuse("--workers %s: 1 to 64 are possible", text);
		o->workers = (uint16_t)a;
		return 0;
	case OPTION_JITTER:
		if (!parse_range(text, 20, 500, &a, &b))
			return refuse("--jitter %s: write MIN-MAX with 20 <= MIN <= MAX <= 500",
				      text);
		o->jitter_min_ms = a;
		o->jitter_max_ms = b;
		return 0;
	case OPTION_BUSY_LIMIT:
		return parse_number(text, 10, 100, &o->busy_limit)
			       ? 0
			       : refuse("--busy-limit %s: 10 to 100 per cent are possible", text);
	case OPTION_TRANSCODERS:
		if (!parse_number(text, 0, 100000, &a))
			return refuse("--transcoders %s is not a number of legs", text);
		o->transcoders = (int32_t)a;
		return 0;
	case OPTION_OPUS_COMPLEXITY:
		if (!parse_number(text, 0, 10, &a))
			return refuse("--opus-complexity %s: 0 to 10 are possible", text);
		o->opus_complexity = (uint8_t)a;
		return 0;
	case OPTION_MEDIA_RATE:
		if (!parse_number(text, 8000, 48000, &a) || (a != 8000 && a != 16000 && a != 48000))
			return refuse("--media-rate %s: 8000, 16000 or 48000", text);
		o->media_rate_max_hz = a;
		return 0;
	case OPTION_CALLS:
		return parse_number(text, 1, 1000000, &o->calls)
			       ? 0
			       : refuse("--calls %s is not a number of calls", text);
	case OPTION_RECYCLE:
		return parse_number(text, 0, 100, &o->recycle_below)
			       ? 0
			       : refuse("--recycle %s: 0 to 100 per cent are possible", text);
	case OPTION_FRESH_SEGMENTS:
		return parse_number(text, 0, 1000, &o->fresh_segments)
			       ? 0
			       : refuse("--fresh-segments %s: 0 to 1000 are possible", text);
	case OPTION_RECORD_MEMORY:
		return parse_number(text, 1, 65536, &o->record_mib)
			       ? 0
			       : refuse("--record-memory %s is not a number of MiB", text);
	default:
		return parse_number(text, 1, 65536, &o->prompt_mib)
			       ? 0
			       : refuse("--prompt-memory %s is not a number of MiB", text);
	}
}

static int parse_one(struct options *o, int id, char *text)
{
	char why[200];

	switch (id) {
	case OPTION_PORT:
		return port_spec_parse(&o->port, text, why, sizeof(why)) == 0
			       ? 0
			       : refuse("--port %s: %s", text, why);
	case OPTION_SOCKET:
		o->socket = text;
		return 0;
	case OPTION_GROUP:
		return parse_group(o, text);
	case OPTION_LCORES:
		o->cpus = text;
		return 0;
	case OPTION_STORE:
		return parse_store(o, text);
	case OPTION_NO_VOLUME:
		o->refuse_unrecorded = strcmp(text, "refuse") == 0;
		return o->refuse_unrecorded || strcmp(text, "carry-on") == 0
			       ? 0
			       : refuse("--no-volume %s: refuse or carry-on", text);
	case OPTION_PROMPTS:
		o->prompts = text;
		return 0;
	case OPTION_COUNTRY:
		o->country = text;
		return tone_plan_find(text, "busy") != NULL
			       ? 0
			       : refuse("--country %s: no tones are known there; cn, us, gb, de, "
					"fr, jp and "
					"others are",
					text);
	case OPTION_SHM:
		return parse_shm(o, text);
	case OPTION_SRTP:
		return parse_srtp(o, text);
	case OPTION_HUGEPAGES:
		o->hugepages = strcmp(text, "auto") == 0;
		return o->hugepages || strcmp(text, "no") == 0
			       ? 0
			       : refuse("--hugepages %s: auto or no", text);
	case OPTION_TELEMETRY:
		o->telemetry = strcmp(text, "yes") == 0;
		return o->telemetry || strcmp(text, "no") == 0
			       ? 0
			       : refuse("--telemetry %s: yes or no", text);
	case OPTION_LOG_LEVEL:
		return log_level_parse(text, &o->log_level) == 0
			       ? 0
			       : refuse("--log-level %s: error, warn, info or debug", text);
	case OPTION_PLAN:
		o->plan_only = true;
		return 0;
	case OPTION_VERSION:
		printf("patchbay-engine %s\n", PATCHBAY_VERSION);
		return 1;
	case OPTION_HELP:
		fputs(help, stdout);
		return 1;
	case '?':
		fprintf(stderr, "(patchbay-engine --help lists the options)\n");
		return -EINVAL;
	default:
		return parse_number_option(o, id, text);
	}
}

int options_parse(struct options *o, int argc, char **argv)
{
	int id, err = 0;

	*o = (struct options){
		.socket = "/run/patchbay/engine.sock",
		.group = -1,
		.rtp_first = 20000,
		.rtp_last = 29999,
		.workers = 1,
		.busy_limit = 90,
		.prompts = "/usr/share/patchbay/prompts",
		.country = "cn",
		.shm = "engine",
		.record_mib = 64,
		.recycle_below = 20,
		.fresh_segments = 2,
		.prompt_mib = 256,
		.jitter_min_ms = 20,
		.jitter_max_ms = 200,
		.transcoders = -1,
		.opus_complexity = 3,
		.media_rate_max_hz = 16000,
		.srtp = true,
		.hugepages = true,
		.telemetry = true,
		.log_level = LOG_LEVEL_INFO,
	};
	while (err == 0 && (id = getopt_long(argc, argv, "", words, NULL)) != -1)
		err = parse_one(o, id, optarg);
	if (err != 0)
		return err;
	if (optind < argc)
		return refuse("\"%s\" is not an option", argv[optind]);
	if (o->port.name[0] == '\0')
		return refuse("--port is needed, for example --port auto:eth0");
	if (o->port.driver == PORT_RING)
		return refuse("--port ring: is for tests inside one process");
	if (o->stores == 0) {
		o->store_weight[o->stores] = 1;
		o->store[o->stores++] = "/var/lib/patchbay/store";
	}
	if (o->stores == 1 && strcmp(o->store[0], "none") == 0)
		o->stores = 0;
	return 0;
}
