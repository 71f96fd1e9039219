/* SPDX-License-Identifier: Apache-2.0
 *
 * patchbay-archive: what becomes of recordings after the call.
 *
 * One loop: finish what has ended, delete what is due, upload what is new, write down for the engine
 * which segments are done, sleep until the next look. HTTP is served by threads of its own. TERM
 * and INT end it after the recording in hand; HUP reads the configuration again. It may be killed
 * at any moment (archive.h says why).
 *
 * Exit codes: 0 ended as asked, 1 could not start (with --once: something failed), 2 wrong usage, 3
 * the configuration has errors.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "archive/archive.h"
#include "archive/config_file.h"
#include "archive/done.h"
#include "archive/server.h"
#include "archive/upload.h"
#include "base/log.h"

enum { EXIT_USAGE = 2, EXIT_CONFIG = 3, NICE = 10, AUDIT_LINES = 100 };

static const char usage[] =
	"usage: patchbay-archive [options]\n"
	"  --config FILE     configuration (default " ARCHIVE_CONFIG ";\n"
	"                    when that is not there, the built-in example)\n"
	"  --archive DIR     where finished recordings go, instead of the configured directory\n"
	"  --store DIR       recording store instead of the configured ones; may be repeated\n"
	"  --listen A:PORT   serve HTTP there instead of where it is configured\n"
	"  --once            finish, delete and upload what there is, and leave\n"
	"  --nice N          scheduling priority, 0..19 (default 10)\n"
	"  --log-level LEVEL error, warn, info or debug\n"
	"  --check           check the configuration, and leave\n"
	"  --version, --help\n"
	"\n"
	"TERM or Ctrl-C ends it after the recording in hand, HUP reads the configuration again.\n";

struct options {
	const char *config, *archive, *listen, *log_level;
	const char *store[CONFIG_STORES_MAX];
	unsigned stores;
	int nice;
	bool once, check;
};

struct daemon {
	struct options o;
	struct config *config;
	struct archive *archive;
	struct server *server;
	struct upload *upload;
};

static volatile bool stopping, reloading;

static void on_signal(int number)
{
	if (number == SIGHUP)
		reloading = true;
	else if (stopping)
		_exit(EXIT_FAILURE); /* asked twice: at once; nothing is lost by it */
	else
		stopping = true;
}

static int wrong(const char *what, const char *value)
{
	fprintf(stderr, "patchbay-archive: %s %s\n", what, value);
	return EXIT_USAGE;
}

static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option table[] = {
		{"config", required_argument, NULL, 'c'},
		{"archive", required_argument, NULL, 'a'},
		{"store", required_argument, NULL, 's'},
		{"listen", required_argument, NULL, 'l'},
		{"once", no_argument, NULL, '1'},
		{"nice", required_argument, NULL, 'n'},
		{"log-level", required_argument, NULL, 'L'},
		{"check", no_argument, NULL, 'C'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	enum log_level level;
	char *end;
	int c;

	*o = (struct options){.nice = NICE};
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'a':
			o->archive = optarg;
			break;
		case 's':
			if (o->stores == CONFIG_STORES_MAX)
				return wrong("too many stores:", optarg);
			o->store[o->stores++] = optarg;
			break;
		case 'l':
			o->listen = optarg;
			break;
		case '1':
			o->once = true;
			break;
		case 'n':
			o->nice = (int)strtol(optarg, &end, 10);
			if (*end != '\0' || o->nice < 0 || o->nice > 19)
				return wrong("--nice is not 0..19:", optarg);
			break;
		case 'L':
			if (log_level_parse(optarg, &level) != 0)
				return wrong("--log-level is none of error, warn, info, debug:",
					     optarg);
			o->log_level = optarg;
			break;
		case 'C':
			o->check = true;
			break;
		case 'V':
			printf("patchbay-archive %s\n", PATCHBAY_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc)
		return wrong("no option:", argv[optind]);
	return -1;
}

static int load(struct daemon *d, struct config **out)
{
	static struct complaints complaints;
	char why[400], line[400];
	struct config *c = NULL;
	int err = archive_config_read(d->o.config, &c, &complaints, why, sizeof(why));

	for (unsigned i = 0; i < complaints.kept; i++)
		log_line(complaints.list[i].level == COMPLAINT_ERROR ? LOG_LEVEL_ERROR
								     : LOG_LEVEL_WARN,
			 "config", "%s", complaint_line(&complaints, i, line, sizeof(line)));
	if (err != 0) {
		if (why[0] != '\0')
			log_error("config", "%s", why);
		return err;
	}
	if (d->o.archive != NULL)
		c->archive->directory = d->o.archive;
	if (d->o.listen != NULL)
		c->archive->listen = d->o.listen;
	if (d->o.stores > 0) {
		memcpy(c->archive->store, d->o.store, sizeof(d->o.store));
		c->archive->n_store = (uint16_t)d->o.stores;
	}
	*out = c;
	return 0;
}

/* Everything that hangs on a configuration. */
static int begin(struct daemon *d, struct config *config)
{
	char why[ARCHIVE_WHY_MAX];
	int err;

	d->config = config;
	err = archive_open(&d->archive, config, why, sizeof(why));
	if (err == 0)
		err = upload_open(&d->upload, d->archive, why, sizeof(why));
	if (err == 0 && config->archive->listen[0] != '\0' && !d->o.once)
		err = server_open(&d->server, config, why, sizeof(why));
	if (err != 0)
		log_error("start", "%s", why);
	return err;
}

static void end(struct daemon *d)
{
	server_close(d->server);
	upload_close(d->upload);
	archive_close(d->archive);
	config_free(d->config);
	d->server = NULL;
	d->upload = NULL;
	d->archive = NULL;
	d->config = NULL;
}

/* Take the new configuration if it can be had, else keep on with the old. */
static int reload(struct daemon *d)
{
	struct config *c;

	reloading = false;
	if (load(d, &c) != 0) {
		log_error("config", "not taken: it has errors; the old one stays");
		return 0;
	}
	end(d);
	if (begin(d, c) != 0)
		return -1;
	(void)archive_reclassify(d->archive, NULL);
	log_info("config", "read again");
	return 0;
}

/* One round. Returns whether something failed. */
static bool round_of(struct daemon *d)
{
	struct archive_finished n;
	struct upload_done u = {0};
	bool failed = false;

	if (archive_finish(d->archive, &stopping, &n) != 0) {
		log_error("finish", "%s", archive_why(d->archive));
		failed = true;
	}
	failed |= n.failed != 0;
	if (n.finished != 0 || n.failed != 0)
		log_info("finish", "%u finished (%llu s of sound), %u failed, %u wait", n.finished,
			 (unsigned long long)n.sound_ms / 1000, n.failed, n.waiting);
	if (!stopping)
		(void)archive_sweep(d->archive, &stopping);
	if (!stopping) {
		upload_run(d->upload, &stopping, &u);
		failed |= u.failed != 0;
	}
	if (done_write(d->archive) != 0)
		log_warn("finish", "%s", archive_why(d->archive));
	(void)archive_anchor_audit(d->archive, d->o.once ? 1 : AUDIT_LINES);
	return failed;
}

/* Tell a supervisor that set NOTIFY_SOCKET (systemd's protocol: one datagram). */
static void notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd;

	if (path == NULL || strlen(path) >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, strlen(path) + 1);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
		      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
	close(fd);
}

static int run(struct daemon *d)
{
	if (d->o.once)
		return round_of(d) ? EXIT_FAILURE : EXIT_SUCCESS;
	log_info("start", "patchbay-archive %s is up: %s", PATCHBAY_VERSION,
		 archive_directory(d->archive));
	notify("READY=1");
	while (!stopping) {
		struct timespec wait = {.tv_sec = d->config->archive->scan_every_s};

		(void)round_of(d);
		if (!stopping && !reloading)
			nanosleep(&wait, NULL); /* a signal ends it */
		if (reloading && reload(d) != 0)
			return EXIT_FAILURE;
	}
	notify("STOPPING=1");
	log_info("start", "patchbay-archive leaves");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct sigaction act = {.sa_handler = on_signal};
	enum log_level level = LOG_LEVEL_INFO;
	struct daemon d = {0};
	struct config *config = NULL;
	int code = read_options(argc, argv, &d.o);

	if (code >= 0)
		return code;
	log_setup("patchbay-archive", level);
	if (load(&d, &config) != 0)
		return EXIT_CONFIG;
	if (d.o.check) {
		printf("%s: the configuration is sound\n",
		       d.o.config != NULL ? d.o.config : "built-in example");
		config_free(config);
		return EXIT_SUCCESS;
	}
	log_level_parse(d.o.log_level != NULL ? d.o.log_level : config->log_level, &level);
	log_setup("patchbay-archive", level);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (setpriority(PRIO_PROCESS, 0, d.o.nice) != 0)
		log_warn("start", "nice %d: %s", d.o.nice, strerror(errno));
	code = begin(&d, config) == 0 ? run(&d) : EXIT_FAILURE;
	end(&d);
	return code;
}
