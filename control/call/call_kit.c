/* SPDX-License-Identifier: Apache-2.0 */
#include "call/call_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loop/re.h"

#include "base/must.h"
#include "conf/complaint.h"
#include "sip/registrar.h"

static const char config_text[] =
	"record: always\n"
	"record_announcement: recorded\n"
	"hotlines:\n"
	"  - {number: \"95598\", flow: example, language: zh}\n"
	"queues:\n"
	"  - {name: sales, number: \"8001\", caller_id: \"02155558001\", music: music/default, "
	"ring_timeout_s: 5, wrap_up_s: "
	"1}\n"
	"  - {name: service, number: \"8002\", music: music/default, ring_timeout_s: 3,"
	" wrap_up_s: 1, announce_first_s: 1, announce_every_s: 1, record: demand}\n"
	"  - {name: team, number: \"8003\", caller_id: \"02155558003\", strategy: ring_all, "
	"ring_timeout_s: 3, wrap_up_s: 0,"
	" agent_announcement: queue/name/team}\n"
	"  - {name: operator, number: \"8000\", music: music/default, max_wait_s: 1}\n"
	"agents:\n"
	"  - {number: \"1001\", name: A, password: pw-1001, group: desk, queues: [sales, service, "
	"team]}\n"
	"  - {number: \"1002\", name: B, password: pw-1002, group: desk, queues: [service, team]}\n"
	"  - {number: \"1003\", name: C, password: pw-1003, queues: [sales], record: never, "
	"remote: {number: \"013800000003\"}}\n"
	"supervisors:\n"
	"  - {number: \"2001\", name: S, password: pw-2001}\n"
	"conferences:\n"
	"  - {name: open, number: \"8500\"}\n"
	"  - {name: board, number: \"8501\", pin: \"4711\", announce: false}\n"
	"  - {name: pair, number: \"8502\", members_max: 2, music: music/default}\n"
	"not_ready_reasons:\n"
	"  - {code: 1, name: break}\n"
	"calendars:\n"
	"  office: {zone: \"+08:00\", week: {mon-sun: \"00:00-24:00\"}}\n";

static const char *const numbers[CALL_KIT_PHONES] = {"1001", "1002", "1003", "2001", "1009"};

static void on_publish(void *arg, const char *type, json_t *members)
{
	struct call_kit *k = arg;
	const char *state = json_string_value(json_object_get(members, "state"));

	if (strcmp(type, "call") == 0 && state != NULL && strcmp(state, "ended") == 0) {
		k->ended++;
		snprintf(k->cause, sizeof(k->cause), "%s",
			 json_string_value(json_object_get(members, "cause")));
		snprintf(k->by, sizeof(k->by), "%s",
			 json_string_value(json_object_get(members, "hung_up_by")));
		snprintf(k->last_call, sizeof(k->last_call), "%s",
			 json_string_value(json_object_get(members, "call")));
	}
	if (strcmp(type, "agent") == 0 && state != NULL) {
		const char *agent = json_string_value(json_object_get(members, "agent"));

		for (unsigned i = 0; i < 3; i++)
			if (strcmp(numbers[i], agent) == 0)
				snprintf(k->agent_state[i], sizeof(k->agent_state[i]), "%s", state);
	}
	if (strcmp(type, "pop") == 0) {
		json_decref(k->pop);
		k->pop = json_incref(members);
		k->pops++;
	}
	if (strncmp(type, "agent.", 6) == 0 || strcmp(type, "emergency") == 0 ||
	    strcmp(type, "callback") == 0 || strcmp(type, "conduct") == 0)
		snprintf(k->heard[k->heard_n++ % 8], sizeof(k->heard[0]), "%s", type);
	json_decref(members);
}

bool call_kit_alarm(const struct call_kit *k, const char *area)
{
	for (unsigned i = 0; i < k->c.alarm_count; i++)
		if (strncmp(k->c.alarms[i].area, area, strlen(area)) == 0)
			return true;
	return false;
}

bool call_kit_heard(const struct call_kit *k, const char *type)
{
	for (unsigned i = 0; i < 8; i++)
		if (strcmp(k->heard[i], type) == 0)
			return true;
	return false;
}

static bool engine_up(void *arg)
{
	struct call_kit *k = arg;

	return engine_is_up(k->c.engine) && k->c.prompts != NULL;
}

/* Phones challenge nobody. */
static bool no_users(void *arg, const char *user, struct sip_secret *secret)
{
	(void)arg;
	(void)user;
	(void)secret;
	return false;
}

static void quiet(struct sip_stack_config *cfg)
{
	cfg->handlers.secret = no_users;
}

/* The configuration with what a test adds, in `out`. */
static size_t config_of(const struct call_kit *k, const char *more, char *out, size_t size)
{
	static const char mark[] = "@WORLD@";
	size_t len = (size_t)snprintf(out, size, "%s", config_text);

	for (const char *at; (at = strstr(more, mark)) != NULL; more = at + sizeof(mark) - 1)
		len += (size_t)snprintf(out + len, size - len, "%.*s%u", (int)(at - more), more,
					sip_stack_port(k->world->stack, 0));
	len += (size_t)snprintf(out + len, size - len, "%s", more);
	must(len < size);
	return len;
}

static void on_store(int flags, void *arg)
{
	(void)flags;
	store_dispatch(arg);
}

static void open_store(struct call_kit *k)
{
	char why[200] = "";

	if (k->database[0] == '\0')
		return;
	must(store_open(&k->c.store, k->database, why, sizeof(why)) == 0);
	must(fd_listen(store_fd(k->c.store), FD_READ, on_store, k->c.store) == 0);
}

static void close_store(struct call_kit *k)
{
	if (k->c.store == NULL)
		return;
	fd_close(store_fd(k->c.store));
	must(store_close(k->c.store, 2000) == 0);
	k->c.store = NULL;
}

static void open_centre(struct call_kit *k)
{
	char text[8000];
	size_t len = config_of(k, k->more, text, sizeof(text));
	struct config *config = NULL;
	struct complaints list;
	struct engine_handlers h;
	struct sip_stack_config cfg = {
		.listen = {{.transport = SIP_OVER_UDP, .ip = "127.0.0.1", .port = k->port[0]},
			   {.transport = SIP_OVER_TCP, .ip = "127.0.0.1", .port = k->port[1]},
			   {.transport = SIP_OVER_UDP, .ip = "::1"}},
		.listens = strstr(k->more, "::1") != NULL ? 3 : 2, /* for a trunk there */
		.realm = "pb.test",
		.accept_unknown = true,
	};
	int err = config_load(text, len, "test", &config, &list);

	if (err != 0)
		printf("config: %s\n", list.list[0].text);
	must(err == 0);
	must(centre_init(&k->c, config, &(struct centre_paths){0}) == 0);
	k->c.publish = on_publish;
	k->c.publish_arg = k;
	must(centre_load_flows(&k->c, NULL) == 0);
	open_store(k);
	centre_engine_handlers(&k->c, &h);
	must(engine_open(&k->c.engine, k->engine_path, &h) == 0);
	centre_sip_handlers(&k->c, &cfg.handlers);
	must(sip_stack_open(&k->c.sip, &cfg) == 0);
	must(centre_trunks(&k->c) == 0);
	k->port[0] = sip_stack_port(k->c.sip, 0);
	k->port[1] = sip_stack_port(k->c.sip, 1);
	centre_start(&k->c);
}

void call_kit_kill(struct call_kit *k)
{
	sip_stack_close(k->c.sip);
	k->c.sip = NULL;
	centre_deaf(&k->c);
	engine_close(k->c.engine);
	k->c.engine = NULL;
	close_store(k);
	centre_fini(&k->c);
}

void call_kit_begin(struct call_kit *k)
{
	memset(k->agent_state, 0, sizeof(k->agent_state));
	open_centre(k);
	if (k->engine->server != NULL)
		must(kit_run(engine_up, k, 3000));
}

void call_kit_open(struct call_kit *k)
{
	call_kit_open_with(k, "");
}

static void open_all(struct call_kit *k, const char *more, bool stored);

void call_kit_open_with(struct call_kit *k, const char *more)
{
	open_all(k, more, false);
}

void call_kit_open_stored(struct call_kit *k, const char *more)
{
	open_all(k, more, true);
}

static void open_all(struct call_kit *k, const char *more, bool stored)
{
	struct kit_line *board;
	int status[CALL_KIT_PHONES] = {0};

	*k = (struct call_kit){0};
	snprintf(k->dir, sizeof(k->dir), "/tmp/patchbay-call-XXXXXX");
	must(mkdtemp(k->dir) != NULL);
	snprintf(k->engine_path, sizeof(k->engine_path), "%s/engine.sock", k->dir);
	kit_up();
	k->engine = calloc(1, sizeof(*k->engine));
	k->world = calloc(1, sizeof(*k->world));
	board = calloc(1, sizeof(*board));
	must(engine_kit_open(k->engine, k->engine_path) == 0);
	must(kit_open(k->world, quiet) == 0);
	snprintf(k->more, sizeof(k->more), "%s", more);
	if (stored)
		snprintf(k->database, sizeof(k->database), "%s/patchbay.db", k->dir);
	open_centre(k);
	/* What kit_register() and kit_dial_line() need of a board is its ports. */
	board->port[0] = sip_stack_port(k->c.sip, 0);
	board->port[1] = sip_stack_port(k->c.sip, 1);
	for (unsigned i = 0; i < CALL_KIT_PHONES; i++) {
		char password[32];

		k->phone[i] = calloc(1, sizeof(*k->phone[i]));
		must(kit_open(k->phone[i], quiet) == 0);
		k->phone[i]->mood = KIT_ANSWER;
		if (i == CALL_KIT_PHONES - 1)
			continue;
		snprintf(password, sizeof(password), "pw-%s", numbers[i]);
		must(kit_register(&k->reg[i], k->phone[i], board, numbers[i], password, 600, false,
				  &status[i]) == 0);
		kit_wait(3);
	}
	free(board);
	must(kit_run(engine_up, k, 3000));
	for (unsigned i = 0; i < CALL_KIT_PHONES - 1; i++) {
		for (int t = 0; t < 200 && status[i] != 200; t++)
			kit_wait(10);
		if (status[i] != 200)
			printf("%s: %d\n", numbers[i], status[i]);
		must(status[i] == 200);
	}
}

static void unlink_database(const struct call_kit *k)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char file[112];

	for (unsigned i = 0; k->database[0] != '\0' && i < 3; i++) {
		snprintf(file, sizeof(file), "%s%s", k->database, ends[i]);
		unlink(file);
	}
}

void call_kit_close(struct call_kit *k)
{
	must(call_kit_empty(k));
	kit_wait(50);
	json_decref(k->pop);
	k->pop = NULL;
	k->pops = 0;
	if (k->engine->server != NULL) {
		must(engine_kit_legs(k->engine) == 0);
		must(engine_kit_recordings(k->engine, NULL) == 0);
	}
	for (unsigned i = 0; i < CALL_KIT_PHONES; i++) {
		mem_deref(k->reg[i]);
		kit_close(k->phone[i]);
		free(k->phone[i]);
	}
	kit_close(k->world);
	sip_stack_close(k->c.sip);
	k->c.sip = NULL;
	centre_deaf(&k->c);
	engine_close(k->c.engine);
	close_store(k);
	centre_fini(&k->c);
	engine_kit_close(k->engine);
	free(k->engine);
	free(k->world);
	unlink(k->engine_path);
	unlink_database(k);
	rmdir(k->dir);
	must(kit_down());
}

void call_kit_ready(struct call_kit *k, const char *agent)
{
	char why[200];

	must(desk_agent_set(&k->c, agent, "sign_in", NULL, why, sizeof(why)) == 0);
	must(desk_agent_set(&k->c, agent, "ready", NULL, why, sizeof(why)) == 0);
}

struct kit_call *call_kit_dial(struct call_kit *k, const char *number)
{
	char uri[96];
	struct sip_invite inv = {.uri = uri, .from_user = "13800138000", .from_host = "far.test"};

	snprintf(uri, sizeof(uri), "sip:%s@127.0.0.1:%u", number, sip_stack_port(k->c.sip, 0));
	return kit_dial(k->world, &inv);
}

struct kit_call *call_kit_into_sales(struct call_kit *k)
{
	strcpy(k->engine->digits, "1");
	return call_kit_dial(k, "95598");
}

struct kit_call *call_kit_dial_as(struct call_kit *k, unsigned phone, const char *number)
{
	char uri[96], password[32];
	struct sip_invite inv = {.uri = uri,
				 .from_user = numbers[phone],
				 .from_host = "127.0.0.1",
				 .auth_user = numbers[phone],
				 .auth_password = password};

	snprintf(uri, sizeof(uri), "sip:%s@127.0.0.1:%u", number, sip_stack_port(k->c.sip, 0));
	snprintf(password, sizeof(password), "pw-%s", numbers[phone]);
	return kit_dial(k->phone[phone], &inv);
}

static void newest(struct call *call, void *arg)
{
	struct call **best = arg;

	if (*best == NULL || call->number > (*best)->number)
		*best = call;
}

struct call *call_kit_newest(struct call_kit *k)
{
	struct call *best = NULL;

	call_each(&k->c, newest, &best);
	return best;
}

struct wish {
	struct call_kit *k;
	enum call_state state;
	unsigned n;
	const char *word;
};

static bool is_in(void *arg)
{
	struct wish *w = arg;
	struct call *call = call_kit_newest(w->k);

	centre_check(&w->k->c);
	return call != NULL && call->state == w->state;
}

bool call_kit_reaches(struct call_kit *k, enum call_state state)
{
	return kit_run(is_in, &(struct wish){.k = k, .state = state}, 7000);
}

static bool has_ended(void *arg)
{
	struct wish *w = arg;

	centre_check(&w->k->c);
	return w->k->ended >= w->n;
}

bool call_kit_ended(struct call_kit *k, unsigned n)
{
	return kit_run(has_ended, &(struct wish){.k = k, .n = n}, 7000);
}

static bool is_empty(void *arg)
{
	struct call_kit *k = arg;

	return k->c.calls_now == 0 && k->c.reap.head == NULL;
}

bool call_kit_empty(struct call_kit *k)
{
	return kit_run(is_empty, k, 12000);
}

static bool agent_is(void *arg)
{
	struct wish *w = arg;

	centre_check(&w->k->c);
	return strcmp(w->k->agent_state[w->n], w->word) == 0;
}

bool call_kit_agent_is(struct call_kit *k, unsigned i, const char *state)
{
	return kit_run(agent_is, &(struct wish){.k = k, .n = i, .word = state}, 7000);
}
