/* For tests of the API: a daemon with a database, an engine kit and phones, and a client of its control socket.
 *
 * For tests only.
 */
#ifndef API_API_TESTING_H
#define API_API_TESTING_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "call/call_kit.h"
#include "check.h"
#include "patchbay/rpc_client.h"

struct desk_top {
	struct call_kit k;
	struct api *api;
	struct rpc_client *client;
	char path[108], database[108];
	/* of the newest answer */
	bool done;
	json_t *result;
	char reason[40], message[320];
	/* events */
	unsigned events, ended;
};

static inline void on_store(int flags, void *arg)
{
	(void)flags;
	store_dispatch(arg);
}

static inline void on_client(int flags, void *arg)
{
	struct desk_top *d = arg;

	(void)flags;
	check(rpc_client_poll(d->client) == 0);
}

static inline void on_event(void *arg, const json_t *params)
{
	struct desk_top *d = arg;
	const char *state = json_string_value(json_object_get(params, "state"));

	d->events++;
	d->ended += state != NULL && strcmp(state, "ended") == 0;
}

static inline void on_reply(void *arg, const struct rpc_reply *r)
{
	struct desk_top *d = arg;

	d->done = true;
	json_decref(d->result);
	d->result = r->kind == RPC_REPLY_RESULT ? json_deep_copy(r->result) : NULL;
	d->reason[0] = d->message[0] = '\0';
	if (r->kind == RPC_REPLY_ERROR) {
		snprintf(d->message, sizeof(d->message), "%s", r->error->message);
		snprintf(d->reason, sizeof(d->reason), "%s", rpc_reason_word(r->error->reason));
	}
}

static inline bool is_done(void *arg)
{
	const struct desk_top *d = arg;

	return d->done;
}

/* Ask and wait; the answer is in d->result or d->reason. */
static inline const json_t *ask(struct desk_top *d, const char *method, json_t *params)
{
	d->done = false;
	check_int(rpc_client_request(d->client, method, params, 5000, on_reply, d), 0);
	check(kit_run(is_done, d, 6000));
	return d->result;
}

static inline struct desk_top *top_open(void)
{
	struct desk_top *d = calloc(1, sizeof(*d));
	char why[200];

	call_kit_open(&d->k);
	snprintf(d->path, sizeof(d->path), "%s/control.sock", d->k.dir);
	snprintf(d->database, sizeof(d->database), "%s/patchbay.db", d->k.dir);
	check_int(store_open(&d->k.c.store, d->database, why, sizeof(why)), 0);
	check_int(fd_listen(store_fd(d->k.c.store), FD_READ, on_store, d->k.c.store), 0);
	check_int(api_open(&d->api, &d->k.c, d->path, -1), 0);
	check_int(rpc_client_open(&d->client, d->path), 0);
	rpc_client_on_event(d->client, on_event, d);
	check_int(fd_listen(rpc_client_fd(d->client), FD_READ, on_client, d), 0);
	check(ask(d, "hello", json_pack("{s:i,s:s}", "protocol", 1, "client", "test")) != NULL);
	check(ask(d, "subscribe", NULL) != NULL);
	return d;
}

static inline void top_close(struct desk_top *d)
{
	char other[140];

	check(call_kit_empty(&d->k));
	fd_close(rpc_client_fd(d->client));
	rpc_client_close(d->client);
	fd_close(store_fd(d->k.c.store));
	check_int(store_close(d->k.c.store, 3000), 0);
	d->k.c.store = NULL;
	api_close(d->api);
	json_decref(d->result);
	unlink(d->database);
	for (int i = 0; i < 2; i++) {
		snprintf(other, sizeof(other), "%s%s", d->database, i ? "-wal" : "-shm");
		unlink(other);
	}
	call_kit_close(&d->k);
	free(d);
}

/* "" when it is not there. */
static inline const char *text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "";
}

#endif
