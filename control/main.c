/* SPDX-License-Identifier: Apache-2.0
 *
 * patchbayd: everything about a call that is not sound.
 *
 * Start, in order, each step undone in reverse when one fails: configuration, flows, database,
 * control socket (which refuses a second instance), engine client, SIP. Then libre's loop until a
 * signal: TERM or INT hangs everything up and leaves, HUP reads configuration and flows again, USR2
 * leaves at once and lets the calls go on: the next patchbayd takes them over (an upgrade).
 *
 * Exit codes: 0 stopped as asked, 1 could not start, 2 wrong usage, 3 the configuration or a flow
 * has errors.
 */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "loop/re.h"

#include "api/api.h"
#include "base/log.h"
#include "call/centre.h"
#include "call/journal.h"
#include "listen.h"

enum { EXIT_USAGE = 2, EXIT_CONFIG = 3, GOODBYE_MS = 3000, TRUNKS_MS = 1000, STORE_WAIT_MS = 5000 };

#define DEFAULT_CONFIG "/etc/patchbay/patchbay.yaml"

static const char usage[] =
	"usage: patchbayd [options]\n"
	"  --config FILE     configuration (default " DEFAULT_CONFIG ";\n"
	"                    when that is not there, the built-in example)\n"
	"  --flow FILE       use this flow for every hotline\n"
	"  --engine SOCKET   control socket of patchbay-engine\n"
	"  --socket SOCKET   our own control socket\n"
	"  --database FILE   SQLite database\n"
	"  --listen LIST     SIP listeners instead of the configured ones, such as\n"
	"                    192.0.2.1:5060 (UDP and TCP) or udp:192.0.2.1:5060,tcp:[::1]:5060\n"
	"  --group NAME      give the control socket to this group\n"
	"  --media-timeout SECONDS\n"
	"                    hang up a party that sends nothing for so long (default 30, 0: "
	"never)\n"
	"  --log-level LEVEL error, warn, info or debug\n"
	"  --check           check configuration and flows, and leave\n"
	"  --version, --help\n"
	"signals: TERM, INT hang up all calls and leave; HUP reads the configuration again; USR2\n"
	"  leaves and keeps the calls for the next patchbayd, as kill -9 does\n";

struct options {
	const char *config, *flow, *engine, *socket, *database, *listen, *group, *log_level;
	long media_timeout_s;
	bool check;
};

struct daemon {
	struct options o;
	struct centre centre;
	struct api *api;
	int signal_fd;
	bool stopping;
};

/* Returns -1 to go on, or the exit code. */
static int read_options(int argc, char **argv, struct options *o)
{
	enum {
		OPT_CONFIG = 1,
		OPT_FLOW,
		OPT_ENGINE,
		OPT_SOCKET,
		OPT_DATABASE,
		OPT_LISTEN,
		OPT_GROUP,
		OPT_TIMEOUT,
		OPT_LEVEL,
		OPT_CHECK,
		OPT_VERSION,
		OPT_HELP
	};
	static const struct option table[] = {
		{"config", required_argument, NULL, OPT_CONFIG},
		{"flow", required_argument, NULL, OPT_FLOW},
		{"engine", required_argument, NULL, OPT_ENGINE},
		{"socket", required_argument, NULL, OPT_SOCKET},
		{"database", required_argument, NULL, OPT_DATABASE},
		{"listen", required_argument, NULL, OPT_LISTEN},
		{"group", required_argument, NULL, OPT_GROUP},
		{"media-timeout", required_argument, NULL, OPT_TIMEOUT},
		{"log-level", required_argument, NULL, OPT_LEVEL},
		{"check", no_argument, NULL, OPT_CHECK},
		{"version", no_argument, NULL, OPT_VERSION},
		{"help", no_argument, NULL, OPT_HELP},
		{NULL, 0, NULL, 0},
	};
	enum log_level level;
	char *end;
	int c;

	*o = (struct options){.media_timeout_s = -1};
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case OPT_CONFIG:
			o->config = optarg;
			break;
		case OPT_FLOW:
			o->flow = optarg;
			break;
		case OPT_ENGINE:
			o->engine = optarg;
			break;
		case OPT_SOCKET:
			o->socket = optarg;
			break;
		case OPT_DATABASE:
			o->database = optarg;
			break;
		case OPT_LISTEN:
			o->listen = optarg;
			break;
		case OPT_GROUP:
			o->group = optarg;
			break;
		case OPT_TIMEOUT:
			o->media_timeout_s = strtol(optarg, &end, 10);
			if (*end != '\0' || o->media_timeout_s < 0 || o->media_timeout_s > 86400) {
				fprintf(stderr, "patchbayd: --media-timeout %s is not 0..86400\n",
					optarg);
				return EXIT_USAGE;
			}
			break;
		case OPT_LEVEL:
			if (log_level_parse(optarg, &level) != 0) {
				fprintf(stderr,
					"patchbayd: --log-level %s is none of error, warn, "
					"info, debug\n",
					optarg);
				return EXIT_USAGE;
			}
			o->log_level = optarg;
			break;
		case OPT_CHECK:
			o->check = true;
			break;
		case OPT_VERSION:
			printf("patchbayd %s\n", PATCHBAY_VERSION);
			return EXIT_SUCCESS;
		case OPT_HELP:
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "patchbayd: %s is no option\n%s", argv[optind], usage);
		return EXIT_USAGE;
	}
	return -1;
}

static void print_problems(const json_t *problems)
{
	for (size_t i = 0; i < json_array_size(problems); i++) {
		const json_t *p = json_array_get(problems, i);
		const char *severity = json_string_value(json_object_get(p, "severity"));
		bool error = severity == NULL || strcmp(severity, "error") == 0;

		enum log_level level = error ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN;
		const char *file = json_string_value(json_object_get(p, "file"));
		const char *message = json_string_value(json_object_get(p, "message"));
		int line = (int)json_integer_value(json_object_get(p, "line"));

		if (line == 0) /* the file as a whole */
			log_line(level, "config", "%s: %s", file, message);
		else
			log_line(level, "config", "%s:%d:%d: %s", file, line,
				 (int)json_integer_value(json_object_get(p, "column")), message);
	}
}

static int load_config(struct daemon *d, struct config **config)
{
	json_t *problems = json_array();
	int err;

	if (d->o.config == NULL && access(DEFAULT_CONFIG, F_OK) == 0)
		d->o.config = DEFAULT_CONFIG;
	if (d->o.config == NULL)
		log_warn("config", "no %s: running on the built-in example", DEFAULT_CONFIG);
	err = centre_read_config(d->o.config, config, problems);
	print_problems(problems);
	json_decref(problems);
	return err;
}

static int load_flows(struct daemon *d)
{
	json_t *problems = NULL;
	int err = centre_load_flows(&d->centre, &problems);

	print_problems(problems);
	json_decref(problems);
	return err;
}

/* Make the directory of a file when it is not there (one level: /run/patchbay). */
static void make_directory_of(const char *file)
{
	char dir[1024];
	const char *slash = strrchr(file, '/');

	if (slash == NULL || slash == file || (size_t)(slash - file) >= sizeof(dir))
		return;
	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - file), file);
	if (mkdir(dir, 0750) == 0)
		log_info("start", "made %s", dir);
}

static int listeners(struct daemon *d, char store[SIP_LISTEN_MAX][SIP_IP_MAX])
{
	struct centre *c = &d->centre;
	int err = 0;

	if (d->o.listen != NULL)
		return listen_parse(c, d->o.listen, store);
	for (unsigned i = 0; err == 0 && i < c->config->n_listen; i++) {
		const struct config_listen *l = &c->config->listen[i];

		err = listen_add(c, (enum sip_transport)l->transport, l->address, l->port, store);
		if (err == 0 && l->transport == CONFIG_TLS)
			c->listen[c->listens - 1].certificate = c->config->tls_certificate;
	}
	if (err == 0 && c->listens == 0) {
		log_error("sip", "the configuration names no listener");
		err = -EINVAL;
	}
	return err;
}

static int open_sip(struct daemon *d)
{
	static const char any[] = "patchbay";
	struct centre *c = &d->centre;
	char address[SIP_LISTEN_MAX][SIP_IP_MAX];
	struct sip_stack_config cfg = {0};
	int err = listeners(d, address);

	if (err != 0)
		return err;
	memcpy(cfg.listen, c->listen, sizeof(cfg.listen));
	cfg.listens = c->listens;
	cfg.realm = c->config->realm[0] ? c->config->realm : any;
	cfg.tls_ca = c->config->tls_ca;
	cfg.offer_sha256 = c->config->digest_sha256;
	cfg.accept_unknown = true;                       /* the world calls the hotlines */
	cfg.limits.calls_max = c->config->calls_max * 2; /* dialogs: caller and agent */
	cfg.limits.calls_per_s_max = c->config->calls_per_s;
	cfg.limits.calls_per_s_source = c->config->calls_per_s_source;
	cfg.limits.expires_min_s = c->config->registration_min_s;
	cfg.limits.expires_max_s = c->config->registration_max_s;
	cfg.limits.failures_source = c->config->failed_logins_max;
	centre_sip_handlers(c, &cfg.handlers);
	err = sip_stack_open(&c->sip, &cfg);
	if (err == 0)
		err = centre_trunks(c);
	/* The stack has copied the addresses; what is shown keeps its own. */
	for (size_t i = 0; i < c->listens; i++) {
		snprintf(c->listen_ip[i], sizeof(c->listen_ip[i]), "%s", address[i]);
		c->listen[i].ip = c->listen_ip[i];
	}
	return err;
}

static void on_store(int flags, void *arg)
{
	(void)flags;
	store_dispatch(arg);
}

static int open_store(struct daemon *d)
{
	struct centre *c = &d->centre;
	const char *file = d->o.database ? d->o.database : c->config->database;
	char why[300] = "";
	int err;

	make_directory_of(file);
	err = store_open(&c->store, file, why, sizeof(why));
	if (err != 0) {
		log_error("store", "%s", why[0] ? why : strerror(-err));
		return err;
	}
	snprintf(c->database, sizeof(c->database), "%s", file);
	return -fd_listen(store_fd(c->store), FD_READ, on_store, c->store);
}

static int open_api(struct daemon *d)
{
	const char *path = d->o.socket ? d->o.socket : d->centre.config->control_socket;
	struct group *g = d->o.group ? getgrnam(d->o.group) : NULL;
	int err;

	if (d->o.group != NULL && g == NULL) {
		log_error("start", "no group %s", d->o.group);
		return -EINVAL;
	}
	make_directory_of(path);
	err = api_open(&d->api, &d->centre, path, g ? (int)g->gr_gid : -1);
	if (err == -EADDRINUSE)
		log_error("start", "another patchbayd answers at %s", path);
	else if (err != 0)
		log_error("start", "%s: %s", path, strerror(-err));
	return err;
}

static int open_engine(struct daemon *d)
{
	struct engine_handlers h;

	centre_engine_handlers(&d->centre, &h);
	return engine_open(&d->centre.engine,
			   d->o.engine ? d->o.engine : d->centre.config->engine_socket, &h);
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
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) < 0)
		log_warn("start", "notify: %s", strerror(errno));
	close(fd);
}

static void quit(void *arg)
{
	(void)arg;
	re_cancel();
}

/* The calls are gone; the trunks that we registered with are told that we go as well. */
static void leave(void *arg)
{
	struct daemon *d = arg;

	sip_stack_hang_up(d->centre.sip, TRUNKS_MS, quit, NULL);
}

static void stop(struct daemon *d)
{
	if (d->stopping) {
		re_cancel(); /* asked twice: at once */
		return;
	}
	d->stopping = true;
	notify("STOPPING=1");
	log_info("start", "stopping: %u calls are hung up", d->centre.calls_now);
	sip_stack_drain(d->centre.sip, true);
	centre_shut_down(&d->centre, GOODBYE_MS, leave, d);
}

/* Nothing is said to anybody: what the next one needs is in the journal. */
static void hand_over(struct daemon *d)
{
	log_info("start", "leaving %u calls to the next patchbayd", d->centre.calls_now);
	notify("STOPPING=1");
	journal_flush(&d->centre);
	re_cancel();
}

static void reload(struct daemon *d)
{
	json_t *problems = json_array(), *changed = json_array(), *ignored = json_array();

	if (centre_reload_config(&d->centre, problems, changed, ignored) != 0)
		log_error("config", "not taken: it has errors; the old one stays");
	print_problems(problems);
	for (size_t i = 0; i < json_array_size(ignored); i++)
		log_warn("config", "%s", json_string_value(json_array_get(ignored, i)));
	json_decref(problems);
	json_decref(changed);
	json_decref(ignored);
}

static void on_signal(int flags, void *arg)
{
	struct daemon *d = arg;
	struct signalfd_siginfo info;

	(void)flags;
	while (read(d->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload(d);
		else if (info.ssi_signo == SIGUSR2 && !d->stopping)
			hand_over(d);
		else
			stop(d);
	}
}

/* Signals come through the loop, so that handlers are ordinary functions. */
static int watch_signals(struct daemon *d)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR2);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -errno;
	d->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (d->signal_fd < 0)
		return -errno;
	return -fd_listen(d->signal_fd, FD_READ, on_signal, d);
}

static int run(struct daemon *d)
{
	struct centre *c = &d->centre;
	int err = open_api(d);

	if (err == 0)
		err = open_store(d);
	if (err == 0)
		err = open_engine(d);
	if (err == 0)
		err = open_sip(d);
	if (err == 0) {
		centre_start(c);
		log_info("start", "patchbayd %s is up: %u agents, %u queues, %u hotlines",
			 PATCHBAY_VERSION, c->config->n_agents, c->config->n_queues,
			 c->config->n_hotlines);
		notify("READY=1");
		err = -re_main(NULL);
	}

	/* Answers that are still to come go to the api, so it closes last. */
	sip_stack_close(c->sip);
	c->sip = NULL;
	centre_deaf(c);
	engine_close(c->engine);
	c->engine = NULL;
	if (c->store != NULL) {
		fd_close(store_fd(c->store));
		uint32_t left = store_close(c->store, STORE_WAIT_MS);

		if (left > 0)
			log_error("store", "%u rows could not be written", left);
		c->store = NULL;
	}
	api_close(d->api);
	return err;
}

int main(int argc, char **argv)
{
	struct daemon d = {.signal_fd = -1};
	struct config *config = NULL;
	enum log_level level = LOG_LEVEL_INFO;
	int code = read_options(argc, argv, &d.o), err;

	if (code >= 0)
		return code;
	log_setup("patchbayd", level);
	if (load_config(&d, &config) != 0)
		return EXIT_CONFIG;
	log_level_parse(d.o.log_level ? d.o.log_level : config->log_level, &level);
	log_setup("patchbayd", level);
	if (libre_init() != 0) {
		log_error("start", "libre cannot start");
		return EXIT_FAILURE;
	}
	(void)poll_method_set(METHOD_EPOLL);
	(void)fd_setsize(65536);
	err = centre_init(&d.centre, config,
			  &(struct centre_paths){.config = d.o.config, .flow = d.o.flow});
	if (d.o.media_timeout_s >= 0)
		d.centre.media_timeout_ms = (uint32_t)d.o.media_timeout_s * 1000;
	code = EXIT_FAILURE;
	if (err != 0) {
		log_error("start", "%s", strerror(-err));
	} else if (load_flows(&d) != 0) {
		code = EXIT_CONFIG;
	} else if (d.o.check) {
		printf("%s: configuration and flows are sound\n",
		       d.o.config ? d.o.config : "embedded example");
		code = EXIT_SUCCESS;
	} else if (watch_signals(&d) == 0 && run(&d) == 0) {
		code = EXIT_SUCCESS;
	}
	centre_fini(&d.centre);
	if (d.signal_fd >= 0) {
		fd_close(d.signal_fd);
		close(d.signal_fd);
	}
	tmr_debug();
	libre_close();
	log_info("start", "patchbayd leaves");
	return code;
}
