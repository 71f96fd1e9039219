/* The `patchbay` command: what its subcommands share.
 *
 * A subcommand is a row of the table in cli.c with its own function. It takes its options and words
 * out of struct cli, asks patchbayd or the engine, and prints either the answer as JSON or a table
 * for a person. Nothing is decided here.
 *
 * Exit codes, the same for all subcommands:
 *   0  done
 *   1  refused, or a check found something wrong (the sentence is on stderr)
 *   2  the command line is wrong
 *   3  patchbayd, the engine or the recording store cannot be reached
 *
 * Thread: one.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

enum { CLI_OK = 0, CLI_REFUSED = 1, CLI_USAGE = 2, CLI_UNREACHABLE = 3 };

enum { CLI_STORES_MAX = 16, CLI_WORDS_MAX = 64 };

#define CLI_CONTROL_SOCKET "/run/patchbay/control.sock"
#define CLI_ENGINE_SOCKET  "/run/patchbay/engine.sock"
#define CLI_STORE          "/var/lib/patchbay/store"
#define CLI_CONFIG         "/etc/patchbay/patchbay.yaml"

struct cli_command;

struct cli {
	FILE *out, *err;
	bool json, wide;
	uint32_t timeout_ms;
	const char *control_socket, *engine_socket;
	const char *store[CLI_STORES_MAX];
	size_t stores;
	const struct cli_command *command;
	const char *word[CLI_WORDS_MAX]; /* what is left of the command line, options included */
	size_t words;
};

typedef int cli_fn(struct cli *c);

struct cli_command {
	const char *name;
	const char *synopsis; /* what follows the name */
	const char *summary;  /* one line of `patchbay --help` */
	const char *help;     /* text and examples of `patchbay NAME --help` */
	cli_fn *run;
};

/* The whole program. Returns the exit code. */
int cli_main(int argc, const char *const *argv, FILE *out, FILE *err);

/* The table; ends with a NULL name. */
const struct cli_command *cli_commands(void);

/* --- the command line --- */

/* Take the option `name` and its value ("--by 2001" or "--by=2001") out of the words. Returns false when a
 * value is missing (said on err); *value is NULL when the option is not there. */
bool cli_option(struct cli *c, const char *name, const char **value);

/* Take a switch without value. */
bool cli_switch(struct cli *c, const char *name);

/* Take the next word, or NULL. Options must have been taken before. */
const char *cli_word(struct cli *c);

/* Take the next word, which must be there: `what` names it in the complaint. */
bool cli_need(struct cli *c, const char *what, const char **word);

/* Nothing may be left: complain about the first word that is. */
bool cli_end(struct cli *c);

/* A complaint about the command line, with a hint to --help. Returns CLI_USAGE. */
int cli_usage(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Read a number in min..max; complains. */
bool cli_number(struct cli *c, const char *option, const char *text, int64_t min, int64_t max,
		int64_t *value);

/* A moment: "30m", "2h", "7d" ago, the beginning of a day "2026-11-22", or "2026-11-22T14:30" (local time);
 * complains. */
bool cli_since(struct cli *c, const char *option, const char *text, int64_t *ms);

/* The whole file with a NUL behind, the caller's; NULL: complained. */
char *cli_file_read(struct cli *c, const char *path, size_t max, size_t *len);

/* --- asking --- */

enum cli_peer { CLI_DAEMON, CLI_ENGINE };

struct rpc_client;

/* Connect and say hello. Returns 0 or the exit code, having said why. */
int cli_connect(struct cli *c, enum cli_peer peer, struct rpc_client **client);

/* One request on an open connection. Takes `params`. Returns 0 with the caller's *result, or the exit code,
 * having said why. */
int cli_request(struct cli *c, struct rpc_client *client, const char *method, json_t *params,
		json_t **result);

/* Connect, ask, disconnect. */
int cli_ask(struct cli *c, enum cli_peer peer, const char *method, json_t *params, json_t **result);

/* --- telling --- */

/* With --json: print it whole and return true. */
bool cli_json(struct cli *c, const json_t *result);

/* Members of answers as text. "" and 0 for what is missing or null. */
const char *cli_text(const json_t *object, const char *member);
int64_t cli_int(const json_t *object, const char *member);
double cli_real(const json_t *object, const char *member);
bool cli_true(const json_t *object, const char *member);

/* customers_import.c: what follows "customer import". */
int cli_customer_import(struct cli *c);

/* Rows as CSV (RFC 4180), harmless for spreadsheets; the columns are the members of the first. */
void cli_csv(struct cli *c, const json_t *rows, bool titles);

/* A string of several members on stdout, made harmless for the terminal. */
void cli_say(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The end of a long id, enough to type: 8 characters; with --wide all of it. Of a leg's id,
 * CALL.l1, the 8 before the dot and what follows. */
const char *cli_id(const struct cli *c, const char *id);

/* The lines about the engine's recorder, as in its stat.engine. */
void cli_recorder(struct cli *c, const json_t *recorder);

/* "1:05", "2:03:04"; "14:03:22" of a time of day, "2026-11-22 14:03:22" when it is not of today. */
const char *cli_duration(int64_t ms, char buf[32]);
const char *cli_time(int64_t ms, char buf[32]);
/* "1.2 k", "3.4 M". */
const char *cli_amount(double n, char buf[32]);

/* What was heard of the legs of a call, as its record keeps it: a table, or nothing. */
void cli_heard(struct cli *c, const json_t *legs);

/* --- subcommands --- */

cli_fn cli_status, cli_calls, cli_call, cli_legs, cli_queues, cli_trunks, cli_agents, cli_drops,
	cli_engine, cli_records;
cli_fn cli_agent, cli_queue, cli_move, cli_monitor, cli_record, cli_transfer, cli_park,
	cli_callback, cli_callbacks, cli_customer, cli_customers, cli_parked, cli_unpark, cli_audit,
	cli_knowledge, cli_article, cli_consult, cli_conferences, cli_conference, cli_hangup,
	cli_voicemail, cli_prompts;
cli_fn cli_report, cli_plan, cli_alarms, cli_agent_log, cli_agent_conduct, cli_takeover, cli_backup,
	cli_restore;
cli_fn cli_flow, cli_config, cli_example, cli_recordings, cli_events, cli_top, cli_graph,
	cli_capture, cli_completion, cli_help;

#endif
