/* SPDX-License-Identifier: Apache-2.0
 *
 * The load generator: N telephones that speak and listen for some seconds, judged afterwards.
 *
 *	bench_gen (--veth IFACE | --memif SOCKET) --peer-mac MAC --phones FILE [options]
 *	bench_gen --udp --phones FILE [options]
 *
 *	  --udp             by plain sockets: against any server, without privileges, and slower
 *	  --rtcp            every telephone sends a sender report each five seconds
 *	  --sound FILE      what telephones with codec=NAME say
 *	  --streams N       only the first N telephones of the file [all]
 *	  --seconds S       that are judged [3]
 *	  --warm S          before them [1]
 *	  --cpu N           where it sends from [0]
 *	  --watch-cpu N     whose time is accounted [1]
 *	  --watch-pid PID   the same for all threads of a process; may be repeated
 *
 * The result is one JSON object on stdout; keys: METHOD.md. Exit code 0 when it could measure.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "gen_film.h"
#include "gen_judge.h"
#include "gen_line.h"
#include "gen_srtp.h"

enum {
	WATCH_MAX = 4,
	ROUNDS_PER_S = 50,
	LEAD_MS = 400, /* from start to the first frame: a run in the kernel takes its time */
	TAIL_MS = 250, /* frames that are still under way */
	PHONES_MAX = 200000,
};

struct options {
	const char *veth, *memif, *phones, *sound;
	bool udp, rtcp;
	uint8_t peer_mac[6];
	uint32_t streams;
	double seconds, warm;
	int cpu, watch_cpu;
	int pid[WATCH_MAX];
	unsigned pids;
};

enum cpu_time {
	CPU_USER,
	CPU_NICE,
	CPU_SYSTEM,
	CPU_IDLE,
	CPU_IOWAIT,
	CPU_IRQ,
	CPU_SOFTIRQ,
	CPU_STEAL,
	CPU_TIMES
};

/* What the kernel's books say at one moment. */
struct books {
	double at_s;
	uint64_t jiffies[2][CPU_TIMES]; /* of the watched CPU, of our own */
	uint64_t pid_ns[WATCH_MAX];
	uint64_t started; /* processes and threads since the machine was */
};

static void sleep_until(uint64_t ns)
{
	struct timespec t = {.tv_sec = (time_t)(ns / PB_NS_PER_S),
			     .tv_nsec = (long)(ns % PB_NS_PER_S)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static void usage(FILE *to)
{
	fprintf(to,
		"usage: bench_gen (--veth IFACE --peer-mac MAC | --memif SOCKET --peer-mac MAC | "
		"--udp)\n"
		"                 --phones FILE [--rtcp] [--sound FILE] [--streams N] [--seconds "
		"S]\n"
		"                 [--warm S] [--cpu N] [--watch-cpu N] [--watch-pid PID]...\n");
}

static bool mac_read(uint8_t mac[6], const char *text)
{
	unsigned b[6];

	if (sscanf(text, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6)
		return false;
	for (unsigned i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
	return true;
}

static bool option_take(struct options *o, int c, const char *text)
{
	switch (c) {
	case 'v':
		o->veth = text;
		return true;
	case 'm':
		o->memif = text;
		return true;
	case 'u':
		return o->udp = true;
	case 'r':
		return o->rtcp = true;
	case 'o':
		o->sound = text;
		return true;
	case 'f':
		o->phones = text;
		return true;
	case 'p':
		return mac_read(o->peer_mac, text);
	case 'n':
		o->streams = (uint32_t)strtoul(text, NULL, 10);
		return o->streams > 0 && o->streams <= PHONES_MAX;
	case 's':
		o->seconds = atof(text);
		return o->seconds >= 0.1 && o->seconds <= 600;
	case 'w':
		o->warm = atof(text);
		return o->warm >= 0 && o->warm <= 600;
	case 'c':
		o->cpu = atoi(text);
		return true;
	case 'C':
		o->watch_cpu = atoi(text);
		return true;
	case 'P':
		o->pid[o->pids < WATCH_MAX ? o->pids : 0] = atoi(text);
		return o->pids++ < WATCH_MAX;
	default:
		return false;
	}
}

static bool options_read(struct options *o, int argc, char **argv)
{
	static const struct option words[] = {{"veth", required_argument, NULL, 'v'},
					      {"memif", required_argument, NULL, 'm'},
					      {"udp", no_argument, NULL, 'u'},
					      {"rtcp", no_argument, NULL, 'r'},
					      {"sound", required_argument, NULL, 'o'},
					      {"phones", required_argument, NULL, 'f'},
					      {"peer-mac", required_argument, NULL, 'p'},
					      {"streams", required_argument, NULL, 'n'},
					      {"seconds", required_argument, NULL, 's'},
					      {"warm", required_argument, NULL, 'w'},
					      {"cpu", required_argument, NULL, 'c'},
					      {"watch-cpu", required_argument, NULL, 'C'},
					      {"watch-pid", required_argument, NULL, 'P'},
					      {NULL, 0, NULL, 0}};
	int c;

	*o = (struct options){.streams = PHONES_MAX, .seconds = 3, .warm = 1, .watch_cpu = 1};
	while ((c = getopt_long(argc, argv, "", words, NULL)) != -1)
		if (!option_take(o, c, optarg))
			return false;
	return optind == argc && o->phones != NULL &&
	       (o->veth != NULL) + (o->memif != NULL) + o->udp == 1;
}

/* ---- the kernel's books ---- */

/* The numbers of a line of /proc/stat. */
static void stat_read(const char *name, uint64_t *t, unsigned n)
{
	FILE *f = fopen("/proc/stat", "r");
	size_t len = strlen(name);
	char line[400];

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		char *at = line + len;

		for (unsigned i = 0; strncmp(line, name, len) == 0 && i < n; i++)
			t[i] = strtoull(at, &at, 10);
	}
	if (f != NULL)
		fclose(f);
}

static void cpu_read(int cpu, uint64_t t[CPU_TIMES])
{
	char name[16];

	snprintf(name, sizeof(name), "cpu%d ", cpu);
	stat_read(name, t, CPU_TIMES);
}

/* Nanoseconds that all threads of a process have run. */
static uint64_t pid_read(int pid)
{
	char path[64 + 256];
	uint64_t sum = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		unsigned long long ns = 0;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, e->d_name);
		f = fopen(path, "r");
		if (f == NULL)
			continue;
		if (fscanf(f, "%llu", &ns) == 1)
			sum += ns;
		fclose(f);
	}
	if (d != NULL)
		closedir(d);
	return sum;
}

static void books_read(struct books *b, const struct options *o)
{
	b->at_s = (double)gen_clock_ns() / 1e9;
	cpu_read(o->watch_cpu, b->jiffies[0]);
	cpu_read(o->cpu, b->jiffies[1]);
	stat_read("processes ", &b->started, 1);
	for (unsigned i = 0; i < o->pids; i++)
		b->pid_ns[i] = pid_read(o->pid[i]);
}

static json_t *cpu_json(const struct books *from, const struct books *to, unsigned which)
{
	static const char *const names[CPU_TIMES] = {"user",   "nice", "system",  "idle",
						     "iowait", "irq",  "softirq", "steal"};
	double tick = 1.0 / (double)sysconf(_SC_CLK_TCK), all = to->at_s - from->at_s;
	json_t *o = json_object();

	for (unsigned i = 0; i < CPU_TIMES; i++)
		json_object_set_new(
			o, names[i],
			json_real((double)(to->jiffies[which][i] - from->jiffies[which][i]) * tick /
				  all));
	return o;
}

/* ---- a measurement ---- */

static json_t *quantiles_json(const struct gen_quantiles *q)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f}", "p50", q->p50, "p90", q->p90, "p99", q->p99,
			 "p999", q->p999, "max", q->max);
}

static void print(const struct gen_script *s, const struct gen_verdict *v, const struct books *b,
		  const struct options *opt, const struct gen_line *l)
{
	json_t *o = json_pack("{s:i, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			      "streams", (int)s->streams, "seconds", opt->seconds, "sent",
			      (json_int_t)v->sent, "due", (json_int_t)v->due, "heard",
			      (json_int_t)v->heard, "lost", (json_int_t)v->lost, "repeated",
			      (json_int_t)v->repeated, "reordered", (json_int_t)v->reordered,
			      "corrupt", (json_int_t)v->corrupt, "strange", (json_int_t)v->strange,
			      "rtcp", (json_int_t)v->rtcp, "deaf", (json_int_t)v->deaf);
	double ran = 0;

	json_object_set_new(o, "silent", json_integer((json_int_t)v->silent));
	json_object_set_new(o, "keys", json_integer((json_int_t)v->keys));
	json_object_set_new(o, "keys_lost", json_integer((json_int_t)v->keys_lost));
	for (unsigned i = 0; i < opt->pids; i++)
		ran += (double)(b[1].pid_ns[i] - b[0].pid_ns[i]) / 1e9;
	json_object_set_new(o, "delay_us", quantiles_json(&v->delay));
	json_object_set_new(o, "jitter_us", quantiles_json(&v->jitter));
	json_object_set_new(o, "late_us", quantiles_json(&v->late));
	json_object_set_new(o, "window",
			    json_pack("{s:f, s:f, s:f, s:f}", "p50_us", v->window.delay_p50,
				      "p99_us", v->window.delay_p99, "late_p99_us",
				      v->window.late_p99, "loss_ppm", v->window.loss_ppm));
	json_object_set_new(o, "cpu", cpu_json(&b[0], &b[1], 0));
	json_object_set_new(o, "own_cpu", cpu_json(&b[0], &b[1], 1));
	json_object_set_new(o, "process_share", json_real(ran / (b[1].at_s - b[0].at_s)));
	json_object_set_new(o, "started", json_integer((json_int_t)(b[1].started - b[0].started)));
	json_object_set_new(o, "log_overflow",
			    json_integer((json_int_t)(l->clock->heard > l->log_max
							      ? l->clock->heard - l->log_max
							      : 0)));
	json_dumpf(o, stdout, JSON_REAL_PRECISION(7));
	putchar('\n');
	json_decref(o);
}

static bool measure(const struct options *opt, struct gen_script *s, struct gen_line *l)
{
	struct gen_verdict v;
	struct books b[2];
	uint64_t end;

	memcpy(s->mac, l->mac, 6);
	memcpy(s->peer_mac, opt->peer_mac, 6);
	if (!gen_film_make(s, l->film)) {
		fprintf(stderr, "bench_gen: the film could not be encrypted\n");
		return false;
	}
	memset(l->log, 0,
	       l->log_max * sizeof(*l->log)); /* its pages are there when it is written */
	l->clock->begin_ns = gen_clock_ns() + (uint64_t)LEAD_MS * PB_NS_PER_MS;
	l->clock->end_ns = l->clock->begin_ns + (uint64_t)s->rounds * GEN_ROUND_NS +
			   (uint64_t)TAIL_MS * PB_NS_PER_MS;
	l->clock->round_ns = GEN_ROUND_NS;
	l->clock->per_round = s->per_round;
	l->clock->slots = l->slots;
	for (uint32_t i = 0; i < s->streams; i++)
		l->clock->whole |= s->stream[i].secure;
	if (!l->start(l))
		return false;
	sleep_until(l->clock->begin_ns + (uint64_t)s->warm * GEN_ROUND_NS);
	books_read(&b[0], opt);
	end = l->clock->begin_ns + (uint64_t)s->rounds * GEN_ROUND_NS;
	sleep_until(end);
	books_read(&b[1], opt);
	sleep_until(end + (uint64_t)TAIL_MS * PB_NS_PER_MS);
	if (!l->stop(l))
		return false;

	uint64_t heard = l->clock->heard < l->log_max ? l->clock->heard : l->log_max;

	if (!gen_judge(&v, s, l->film, l->log, heard, l->clock->begin_ns)) {
		fprintf(stderr, "bench_gen: no memory to judge with\n");
		return false;
	}
	print(s, &v, b, opt, l);
	return true;
}

int main(int argc, char **argv)
{
	struct gen_script script = {0};
	struct gen_line line = {0};
	struct options opt;
	uint64_t slots;
	bool good;

	if (!options_read(&opt, argc, argv)) {
		usage(stderr);
		return 2;
	}
	if (!gen_srtp_begin()) {
		fprintf(stderr, "bench_gen: libsrtp2 does not start\n");
		return 1;
	}
	script.rtcp = opt.rtcp;
	script.sound = opt.sound;
	if (gen_script_read(&script, opt.phones, opt.streams) < 1) {
		gen_script_free(&script);
		return 1;
	}
	script.warm = (uint32_t)(opt.warm * ROUNDS_PER_S);
	script.rounds = script.warm + (uint32_t)(opt.seconds * ROUNDS_PER_S);
	slots = (uint64_t)script.rounds * script.per_round;
	/* Everything once, a fifth more for what nobody expects, and RTCP. */
	if (opt.udp)
		good = gen_udp_open(&line, &script, slots, slots + slots / 5 + 10000, opt.cpu);
	else if (opt.veth != NULL)
		good = gen_veth_open(&line, opt.veth, slots, slots + slots / 5 + 10000, opt.cpu);
	else
		good = gen_memif_open(&line, opt.memif, slots, slots + slots / 5 + 10000, opt.cpu);
	good = good && measure(&opt, &script, &line);
	if (line.close != NULL)
		line.close(&line);
	gen_script_free(&script);
	return good ? 0 : 1;
}
