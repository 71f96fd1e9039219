/* What the files of api/ share. state.c answers at once from memory, act.c changes things,
 * history.c asks the database or the engine and answers later.
 */
#ifndef API_API_PRIV_H
#define API_API_PRIV_H

#include "api/api.h"
#include "patchbay/rpc_server.h"

enum { API_USER_MAX = 64 };

struct api {
	struct centre *c;
	struct rpc_server *server;
	struct event_log *events;
	int fd;
};

/* audit.c: the name of a user of this machine; and rpc_server_config.handled. */
void api_user(uint32_t uid, char out[API_USER_MAX]);
rpc_handled_fn api_audit;
rpc_method_fn api_acts;

/* The call that params.call names. NULL with `err` set when there is none, or several. */
struct call *api_call(struct api *api, const json_t *params, struct rpc_error *err);

/* A refusal of the centre as an error of the protocol. */
enum rpc_answer api_refused(struct rpc_error *err, int code, const char *why);

rpc_method_fn api_status, api_calls, api_queues, api_trunks, api_agents, api_legs, api_call_one;
rpc_method_fn api_agent_set, api_agent_queue, api_queue_set, api_queue_move, api_monitor,
	api_record, api_transfer, api_consult, api_hangup, api_heard;
rpc_method_fn api_park, api_unpark, api_parked;
rpc_method_fn api_callbacks, api_callback_add, api_callback_dial;
rpc_method_fn api_customers, api_customers_write;
/* Does a request for customers want more than the first of a search? */
bool api_customers_bulk(const json_t *params);
rpc_method_fn api_knowledge, api_knowledge_read, api_knowledge_write, api_knowledge_searches;

/* tables.c. A request that waits for the store: `more` (taken, may be NULL) are members that go with the answer. NULL: no
 * memory. api_stored() answers it and frees it, api_forget() frees it when it was not asked. */
struct pending;
struct pending *api_later(const struct rpc_call *call, json_t *more);
void api_stored(void *pending, const json_t *result, const char *error);
void api_forget(struct pending *p);
/* Ask the store by a function that takes JSON (customers.h, knowledge.h, acts.h); takes `json`. Answers later, or sets `err`. */
typedef int api_store_fn(struct store *store, json_t *json, store_answer_fn *fn, void *arg);
enum rpc_answer api_ask_store(const struct rpc_call *call, api_store_fn *ask, json_t *json,
			      struct rpc_error *err);
/* {limit: that of the params or `limit`, and those of `members` (the last is NULL) that the params have and are not null}. */
json_t *api_filter(const json_t *params, int64_t limit, const char *const *members);
/* Too many questions wait. */
enum rpc_answer api_busy(struct rpc_error *err);
rpc_method_fn api_conferences, api_conference;
rpc_method_fn api_flow_check, api_flow_reload, api_config_reload, api_config_show;
rpc_method_fn api_report, api_agent_log, api_agent_conduct, api_overlong, api_alarms, api_backup,
	api_takeover;
rpc_method_fn api_recordings, api_cdr, api_drops, api_engine;

/* A refusal of the centre, a negative errno and a sentence, as an error of the protocol. */
enum rpc_answer api_refused(struct rpc_error *err, int code, const char *why);

/* The alarms as rows; the caller's. */
json_t *api_alarm_rows(const struct centre *c);

/* The history of one call that is over: answers call->ref later. */
enum rpc_answer api_ask_call(struct api *api, const struct rpc_call *call, struct rpc_error *err);

#endif
