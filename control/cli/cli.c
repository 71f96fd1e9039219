/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of subcommands and the reading of the command line. Options that every subcommand
 * understands may stand anywhere.
 */
#include "cli/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "conf/complaint.h"

/* clang-format off */
static const struct cli_command commands[] = {
	{"status", "", "is all well: engine, phones, calls, agents, database, alarms",
	 "Exit code 0 when healthy, 1 when an alarm is raised or the engine is not connected, 3 when\n"
	 "patchbayd does not answer.\n\n"
	 "  patchbay status\n"
	 "  patchbay status --json | jq .alarms\n", cli_status},
	{"calls", "", "the calls that are running",
	 "  patchbay calls\n"
	 "  patchbay calls --wide              whole ids\n", cli_calls},
	{"call", "CALL", "all that is known of one call, running or ended",
	 "CALL is its id or the end of it, at least 4 characters.\n\n"
	 "  patchbay call 3f9a21bc\n", cli_call},
	{"legs", "[--engine]", "each party's media: codec, loss, jitter, what it hears",
	 "With --engine the engine is asked itself: works without patchbayd.\n\n"
	 "  patchbay legs\n"
	 "  patchbay legs --engine --json\n", cli_legs},
	{"queues", "", "who waits where, and how well it goes",
	 "  patchbay queues\n", cli_queues},
	{"trunks", "", "the lines outside: up or down, registered, how many calls",
	 "Exit code 1 when one is down.\n\n"
	 "  patchbay trunks\n", cli_trunks},
	{"agents", "[set AGENT STATE [REASON]]", "agents and their states; change one",
	 "STATE is sign-in, sign-out, ready, not-ready REASON, wrap-up-done, dnd-on or dnd-off.\n"
	 "sign-in --at NUMBER: the agent works at that outside number (\"\": the configured one).\n\n"
	 "  patchbay agents\n"
	 "  patchbay agents set 1001 sign-in\n"
	 "  patchbay agents set 1001 not-ready lunch\n", cli_agents},
	{"queue", "QUEUE pause|resume", "stop or resume offering calls of a queue",
	 "Callers go on entering a paused queue and wait.\n\n"
	 "  patchbay queue sales pause\n", cli_queue},
	{"move", "CALL QUEUE", "move a waiting call to another queue; it keeps the time waited",
	 "  patchbay move 3f9a21bc service\n", cli_move},
	{"agent", "log AGENT | conduct [AGENT] | AGENT [STATE [REASON] | queue QUEUE LEVEL|off]", "one agent; or change its state or its queues",
	 "STATE as in `patchbay agents --help`.\n\n"
	 "log tells each state with reason, from, until and call (--from T --to T --limit N --after ID); conduct tells what\n"
	 "stands out of a day (--day DATE, today): rejected and unanswered rings, phones that vanish, long holds, media\n"
	 "gaps, many aways; limits are those of conduct: in the configuration.\n\n"
	 "  patchbay agent 1001\n"
	 "  patchbay agent log 1001 --from 2h\n"
	 "  patchbay agent conduct --day 2026-11-25\n"
	 "  patchbay agent 1001 ready\n"
	 "  patchbay agent 1001 queue sales 2     serves sales, is asked after those of level 1\n"
	 "  patchbay agent 1001 queue sales off\n", cli_agent},
	{"monitor", "CALL --by SUPERVISOR [--mode listen|whisper|coach|barge|off]", "listen in, whisper, coach, barge in",
	 "The first time, the supervisor's phone rings and joins the call when it is answered; after that\n"
	 "the mode is switched. `off` hangs up the supervisor's phone and nothing else.\n\n"
	 "  patchbay monitor 3f9a21bc --by 2001 --mode listen\n"
	 "  patchbay monitor 3f9a21bc --by 2001 --mode whisper\n"
	 "  patchbay monitor 3f9a21bc --by 2001 --mode off\n", cli_monitor},
	{"takeover", "CALL --by SUPERVISOR", "take a conversation over",
	 "The supervisor becomes the agent: at once when it listens already, else its phone rings and it has the conversation\n"
	 "when it answers. The agent is let go, into wrap-up. While listening, key 8 of the phone does the same.\n\n"
	 "  patchbay takeover 3f9a21bc --by 2001\n", cli_takeover},
	{"alarms", "[--day DATE]", "what is wrong now, and calls that are overlong; or the overlong calls of a day",
	 "Talk, hold and wrap-up have limits for leader, controller and manager (overlong_..._s of a queue). Exit code 1 when\n"
	 "there is an alarm. With --day (a date, or today) the list of that day's overlong calls with their recordings.\n\n"
	 "  patchbay alarms\n"
	 "  patchbay alarms --day 2026-11-25\n", cli_alarms},
	{"report", "queues|agents|groups|flows [KEY] | notes KEY [--by queue|agent] [--from T] [--to T] [--interval 15m|30m|1h|1d|all] [--zone Z] [--rank FIGURE [--lowest]] [--csv]",
	 "what happened: per queue, agent, group of agents or flow, in intervals",
	 "From today's midnight to now and as one interval unless it is said otherwise. T is a number of minutes, hours or days ago\n"
	 "(30m, 2h, 7d), a date (2026-11-22) or a moment (2026-11-22T14:30); hours and days are those of --zone, such as\n"
	 "Europe/Berlin (else patchbayd's). Counts belong to the interval in which something happened, durations are divided at its\n"
	 "borders; the columns of --csv and --json are explained in control-protocol.md. Notes are what flows keep with a call\n"
	 "under KEY, such as a survey's score: how often which value, the mean, and its change against the interval before.\n"
	 "--rank orders by a figure of --json, such as calls_back_per_hour, the highest first, or with --lowest the lowest.\n\n"
	 "  patchbay report queues --from 2026-11-22 --to 2026-11-23 --interval 1h\n"
	 "  patchbay report agents 1001 --interval 15m --csv > 1001.csv\n"
	 "  patchbay report flows --from 7d --interval 1d --json\n"
	 "  patchbay report agents --rank calls_back_per_hour --from 7d\n"
	 "  patchbay report notes score --by queue --from 14d --interval 1d\n", cli_report},
	{"plan", "seats --users N [--users-per-seat N] [--elsewhere N] [--hours H] [--days D] [--hours-of-one H]\n"
	 "                      | weeks [QUEUE] [--calls] [--falls X] [--weeks N] [--zone Z]",
	 "seats and people that are needed, and whether the weeks say so",
	 "seats: one seat for each full 20,000 users (--users-per-seat), less those that branches with numbers of their own save at\n"
	 "first (--elsewhere). People per seat: --hours a day x --days a month in which it is staffed, over the hours that one may\n"
	 "work in a month (--hours-of-one), rounded up; 14 x 30 / 166.64 unless it is said otherwise.\n\n"
	 "weeks: an alert, and exit code 1, when a queue's answer rate lay 5 points (--falls) or more below that of the week before\n"
	 "them in each of the last 3 whole weeks (--weeks): a new seat is due. With --calls the number of calls is looked at, 500 and\n"
	 "4 weeks: lines may be given up. Without QUEUE all queues count together. Weeks begin on Monday.\n\n"
	 "  patchbay plan seats --users 130000 --elsewhere 3\n"
	 "  patchbay plan weeks service\n"
	 "  patchbay plan weeks --calls --falls 500 --weeks 4 || mail -s 'fewer calls' planner\n", cli_plan},
	{"backup", "FILE", "copy the database while it runs, verified",
	 "patchbayd writes FILE, which must not exist; it has that name only when it is whole.\n\n"
	 "  patchbay backup /var/backups/patchbay-2026-11-26.db\n", cli_backup},
	{"restore", "FILE [--database FILE | --config FILE]", "put a backup in the place of the database",
	 "patchbayd must be stopped. The backup is read whole first; the database that was there is kept beside.\n\n"
	 "  patchbay restore /var/backups/patchbay-2026-11-26.db\n", cli_restore},
	{"record", "CALL ACTION [--by WHO]", "start, stop, pause, resume, mask, unmask a recording; refuse",
	 "  patchbay record 3f9a21bc pause       a gap in the recording\n"
	 "  patchbay record 3f9a21bc mask        silence of the same length\n"
	 "  patchbay record 3f9a21bc refuse      the caller does not consent: never again in this call\n",
	 cli_record},
	{"transfer", "CALL --to NUMBER [--attended [--by AGENT]]", "pass the customer on",
	 "NUMBER is an agent, a queue's name or number, or a hotline.\n\n"
	 "Blind: the agent is let go at once. --attended: the agent asks NUMBER first (which may also be a number\n"
	 "outside), the caller hears music meanwhile; `patchbay consult` tells what comes of it.\n\n"
	 "  patchbay transfer 3f9a21bc --to 1002\n"
	 "  patchbay transfer 3f9a21bc --to 1002 --attended\n"
	 "  patchbay transfer 3f9a21bc --to service\n", cli_transfer},
	{"callbacks", "", "who is to be called back, when, and who has the task",
	 "  patchbay callbacks\n", cli_callbacks},
	{"callback", "add QUEUE NUMBER [--at T] | dial CALL", "have a number called back; dial for the agent who has the task",
	 "An agent of QUEUE calls NUMBER as soon as one is free, or at T: in 30m or 2h, or at a moment (2026-11-22T14:30). Who does\n"
	 "not answer is tried again (callback_tries and callback_retry_s of the queue); where the queue has callback_dial_s the agent\n"
	 "dials with key 1, and dial does it from a screen. `patchbay hangup CALL` takes a promise back.\n\n"
	 "  patchbay callback add sales 13800138000\n"
	 "  patchbay callback add sales 13800138000 --at 2026-11-30T09:15\n"
	 "  patchbay callback dial 3f9a21bc\n", cli_callback},
	{"customers", "[TEXT] [--number N] [--field NAME=VALUE] [--sort NAME[,NAME]] [--limit N]", "who calls: customers by number, name and fields",
	 "TEXT is part of a name, a number or a field. A number is found however it is written (numbers: in the configuration).\n"
	 "NAME of --sort is name, created, changed or a field; -NAME descends.\n\n"
	 "  patchbay customers --number '(010) 8888-1234'\n"
	 "  patchbay customers wang --sort city,-name\n"
	 "  patchbay customers --field city=Beijing\n", cli_customers},
	{"customer", "put [CUSTOMER] [--name N] [--number N]... [--field NAME=VALUE]... | delete CUSTOMER\n"
	 "                      | import FILE [--map name=TITLE,number=TITLE,customer=TITLE] [--duplicates refuse|update|allow] [--errors FILE]\n"
	 "                      | export [TEXT] [--number N] [--field NAME=VALUE]", "add, change, delete, import and export customers",
	 "put with CUSTOMER changes that one: what is not said stays, numbers that are said replace those of before, NAME= takes a\n"
	 "field away. A new one with a number that somebody has is refused, or by --duplicates updates that one, or is a second one.\n\n"
	 "import reads CSV whose first row has titles; what is neither name, number nor customer (an id of your own) becomes a\n"
	 "field. Several numbers in a cell are parted by |. Rows that are refused are told, and kept in --errors FILE with the\n"
	 "reason as their last cell; exit code 1 when there are any. export writes CSV that import reads. Both need the right to (customers: in\n"
	 "the configuration) and are kept in the audit.\n\n"
	 "  patchbay customer put --name 'Wang Wu' --number 13800138000 --field city=Beijing\n"
	 "  patchbay customer import people.csv --map name=Kunde,number=Telefon --errors bad.csv\n"
	 "  patchbay customer export --field city=Beijing > beijing.csv\n", cli_customer},
	{"audit", "[--who USER] [--method NAME] [--refused] [--since WHEN] [--limit N]", "who changed what by the control socket",
	 "Every request that changes something, or exports customers, with the user of this machine who made it and what came of\n"
	 "it. What was done by phones is in the records of calls and agents; what was done to recordings in `patchbay recordings audit`.\n\n"
	 "  patchbay audit --since 2h\n"
	 "  patchbay audit --method customers --who qa\n", cli_audit},
	{"knowledge", "[TEXT...] [--limit N] [--who AGENT]", "look something up in the knowledge base",
	 "Finds articles by words, parts of words and misspelt words, in their titles, keywords and texts; words that stand for\n"
	 "each other are knowledge: in the configuration. Without TEXT: what was changed last.\n\n"
	 "  patchbay knowledge refnud polcy\n", cli_knowledge},
	{"article", "put FILE... [--article NAME] | show ARTICLE | delete ARTICLE\n"
	 "                      | searches [--in-vain] [--since WHEN] [--limit N]", "write articles of the knowledge base; what was looked for",
	 "put reads text (UTF-8, up to 48 KiB): its first line is the title, a second line may be \"Keywords: A, B\". returns.md is\n"
	 "the article returns, and replaces the one of that name. show writes such a file. searches tells what was looked for, how\n"
	 "much was found and how long it took; with --in-vain only what nothing was found for.\n\n"
	 "  patchbay article put articles/*.md\n"
	 "  patchbay article show returns > returns.md\n"
	 "  patchbay article searches --in-vain --since 7d\n", cli_article},
	{"park", "CALL [PLACE]", "park who is talked with; the agent is let go",
	 "Whoever dials the number of the place talks on. After a while the phone of who parked it rings.\n\n"
	 "  patchbay park 3f9a21bc\n"
	 "  patchbay park 3f9a21bc 705\n", cli_park},
	{"parked", "", "who is parked where, since when, by whom",
	 "  patchbay parked\n", cli_parked},
	{"unpark", "PLACE AGENT", "ring an agent's phone for who is parked",
	 "  patchbay unpark 705 1002\n", cli_unpark},
	{"conferences", "", "conference rooms and who is in them",
	 "  patchbay conferences\n", cli_conferences},
	{"conference", "ROOM add NUMBER | mute|unmute|eject MEMBER | lock|unlock|end", "moderate a conference",
	 "MEMBER is a call's id or its ending, or the member's number. A member that is ejected is hung up; into a\n"
	 "locked room nobody comes but who is added: its phone is rung.\n\n"
	 "  patchbay conference team add 1003\n"
	 "  patchbay conference team mute 1002\n"
	 "  patchbay conference team lock\n"
	 "  patchbay conference team end\n", cli_conference},
	{"consult", "CALL complete|cancel|conference", "what comes of a consultation",
	 "complete: the caller goes on with who was asked, the agent is let go. cancel: back to the caller.\n"
	 "conference: all three hear each other; then complete takes the agent out, cancel who was asked.\n\n"
	 "  patchbay transfer 3f9a21bc --to 1002 --attended\n"
	 "  patchbay consult 3f9a21bc complete\n", cli_consult},
	{"hangup", "CALL", "end a call",
	 "  patchbay hangup 3f9a21bc\n", cli_hangup},
	{"records", "[--agent A] [--queue Q] [--number N] [--since T] [--until T] [--limit N | --csv]", "call records, newest first",
	 "T is a number of minutes, hours or days ago (30m, 2h, 7d) or a date (2026-11-22).\n\n"
	 "  patchbay records --agent 1001 --since 2h\n"
	 "  patchbay records --number 13800001111 --json\n"
	 "  patchbay records --since 2026-11-01 --csv > november.csv    all that there are\n", cli_records},
	{"recordings", "VERB ...", "find, hear, keep and prove recordings",
	 "Of the recording store itself (--store DIR, may be repeated), REC an id or its first 4 digits:\n"
	 "  list                            every recording\n"
	 "  export REC [--output FILE.wav|FILE.opus]\n"
	 "  verify [REC | --all]            read every byte, recompute every account\n"
	 "  reconcile [--day DATE]          each answered call of the day (yesterday) has its\n"
	 "                                  recording, whole, here or in the archive (--config), or\n"
	 "                                  a reason; else exit code 1\n"
	 "  frames REC [--channel 0|1]\n"
	 "Of patchbayd's database:\n"
	 "  find [--call C] [--agent A] [--queue Q] [--number N] [--since T] [--voicemail] [--unheard] [--limit N]\n"
	 "Of the archive of finished recordings (--config FILE, --archive DIR, --by NAME):\n"
	 "  search [FILTER ...] [--csv [--all]]   filters: --from T --to T --agent --group --queue --caller --called\n"
	 "         --direction in|out|internal --result --kind --call --work-order --tag --text WORDS --held --deleted\n"
	 "         --duration-min S --duration-max S --holds-min N --holds-max N --silence-min 0..1 --silence-max\n"
	 "         --talk-over-min --mos-min --mos-max --after PAGE --limit N\n"
	 "  show REC | waveform REC [--width N] [--output FILE]\n"
	 "  play REC [--player COMMAND]     without a terminal: to standard output\n"
	 "  excerpt REC:FROM-TO --output FILE [--mask FROM-TO ...] [--anonymous]\n"
	 "  concat REC[:FROM-TO] REC ... --output FILE [--gap-ms N] [--mask FROM-TO ...] [--anonymous]\n"
	 "  prove REC [--anchor FILE] | prove-all [--anchor FILE] | anchor\n"
	 "  hold REC --reason R | release REC --reason R | delete REC --reason R\n"
	 "  tag REC TAG | untag REC TAG | note REC TEXT | work-order REC ID\n"
	 "  import FILE ... (FILE.json beside each may tell of it) | import --csv LIST.csv\n"
	 "  keys [list] | keys make FILE | keys rewrap\n"
	 "  audit [REC] [--actor A] [--action X] [--refused] [--after N] [--limit N] [--verify]\n\n"
	 "  patchbay recordings search --agent 1001 --from 7d --silence-min 0.3\n"
	 "  patchbay recordings excerpt 6ba7b810:1:05-2:10 --mask 1:20-1:25 --anonymous --output lesson.wav\n"
	 "  patchbay recordings prove 6ba7b810 --anchor anchor-2026-11.json\n", cli_recordings},
	{"voicemail", "heard REC [--no]", "mark a message as heard",
	 "  patchbay voicemail heard 6ba7b810-9dad-11d1-80b4-00c04fd430c8\n", cli_voicemail},
	{"drops", "[--all]", "what became of every packet the engine received",
	 "Lines that are zero are left out without --all.\n\n"
	 "  patchbay drops\n", cli_drops},
	{"engine", "", "the engine: workers, ports, recorder",
	 "Asks the engine itself: works without patchbayd.\n\n"
	 "  patchbay engine\n"
	 "  patchbay engine --json | jq .workers[0].busy_share\n", cli_engine},
	{"top", "[--interval SECONDS] [--once | --count N]", "the engine at work: workers, stages, drops, recorder",
	 "Busy share and lateness of each worker, cycles per packet of each stage, what became of packets and\n"
	 "how fast. On a terminal the screen is renewed until Ctrl-C; with --json one object per interval.\n\n"
	 "  patchbay top\n"
	 "  patchbay top --once --json | jq .workers[0].stages\n"
	 "  patchbay top --interval 5 --count 12 > a-minute.txt\n", cli_top},
	{"graph", "[--interval SECONDS]", "the packet's path with its numbers, for Graphviz",
	 "  patchbay graph | dot -Tsvg > path.svg\n", cli_graph},
	{"capture", "--call ID | --leg ID [-w FILE|-] [--seconds N] [--packets N]", "the packets of one call or leg, for Wireshark",
	 "As they are on the wire, both ways, RTP and RTCP: received ones as they came, sent ones as they leave. Without -w\n"
	 "a line each. ID is the engine's, as `patchbay legs` shows it. Ends with Ctrl-C, the call, or as told.\n\n"
	 "  patchbay capture --call 0190f3a2-0000-7000-8000-00003f9a21bc -w call.pcapng --seconds 30\n"
	 "  patchbay capture --leg 0190f3a2-0000-7000-8000-00003f9a21bc.l1 --packets 10\n"
	 "  patchbay capture --call $CALL -w - | wireshark -k -i -\n", cli_capture},
	{"events", "[--engine] [--after N] [--type WORD] [--seconds N]", "follow what happens",
	 "One line per event until Ctrl-C; with --json one JSON object per line.\n\n"
	 "  patchbay events\n"
	 "  patchbay events --engine --type dtmf\n"
	 "  patchbay events --json --after 1200\n", cli_events},
	{"prompts", "[list | load [DIR] | check [LANG] | say LANG KIND TEXT | tones [CC]]",
	 "the sounds that the engine has, what languages need, tones",
	 "check tells which recordings the rules of a language need and the engine (or --prompts DIR) has not;\n"
	 "say shows what is played for a number, count, ordinal, digits, phone, money, date, time, year or duration.\n\n"
	 "  patchbay prompts list\n"
	 "  patchbay prompts check zh --prompts /usr/share/patchbay/prompts\n"
	 "  patchbay prompts say zh money 30523\n"
	 "  patchbay prompts tones us\n"
	 "  patchbay prompts load              reads the directory again; plays that run keep what they have\n", cli_prompts},
	{"flow", "check [FILE] | reload [FILE] | draw [FILE] | try [FILE]", "check, load, draw or walk what callers meet",
	 "check FILE needs no patchbayd; with --config FILE queues, calendars and agents are checked as well, with\n"
	 "--prompts DIR the sounds. Without FILE the flow in use is checked by patchbayd. reload refuses a flow with\n"
	 "errors and changes nothing then; calls that run finish with the flow they began with. try walks it in this terminal\n"
	 "(--caller NUMBER, --language L, --closed: outside the hours). draw makes a Graphviz file, or with --svg a\n"
	 "drawing that any browser shows. Without FILE, draw and try take the built-in flow.\n\n"
	 "  patchbay flow check hotline.yaml --config patchbay.yaml --prompts /usr/share/patchbay/prompts\n"
	 "  patchbay flow reload\n"
	 "  patchbay flow try hotline.yaml --language en\n"
	 "  patchbay flow draw hotline.yaml --svg > hotline.svg\n", cli_flow},
	{"config", "check FILE | show [FILE] | reload", "check, show or load the configuration",
	 "show tells every value, those that are left out too, and where each comes from: a line of the file, the default, the\n"
	 "environment, the command line. Secrets are not told. Without FILE it is what patchbayd runs with.\n\n"
	 "  patchbay config show | grep sales\n"
	 "  patchbay config check /etc/patchbay/patchbay.yaml\n"
	 "  patchbay config reload\n", cli_config},
	{"example", "config|flow", "print the built-in configuration or flow, as a beginning",
	 "  patchbay example config > patchbay.yaml\n", cli_example},
	{"completion", "commands|calls|agents|queues", "words for the shell's completion, one per line",
	 "Used by patchbay.bash; says nothing when patchbayd does not answer.\n", cli_completion},
	{"help", "[COMMAND]", "this text, or that of a command",
	 "  patchbay help monitor\n", cli_help},
	{NULL, NULL, NULL, NULL, NULL},
};
/* clang-format on */

const struct cli_command *cli_commands(void)
{
	return commands;
}

/* --- help --- */

static void print_help(FILE *out)
{
	fputs("usage: patchbay [OPTIONS] COMMAND ...\n\n", out);
	for (const struct cli_command *k = commands; k->name != NULL; k++)
		fprintf(out, "  %-12s %s\n", k->name, k->summary);
	fputs("\nOptions, anywhere on the line:\n"
	      "  --json                 the answer as JSON\n"
	      "  --wide                 whole ids in tables\n"
	      "  --socket PATH          patchbayd's socket [" CLI_CONTROL_SOCKET "]\n"
	      "  --engine-socket PATH   the engine's socket [" CLI_ENGINE_SOCKET "]\n"
	      "  --store DIR            recording store, may be repeated [" CLI_STORE "]\n"
	      "  --timeout SECONDS      wait so long for an answer [5]\n"
	      "  --help, --version\n\n"
	      "The environment may name the same: PATCHBAY_SOCKET, PATCHBAY_ENGINE_SOCKET, "
	      "PATCHBAY_STORE.\n"
	      "Exit codes: 0 done; 1 refused, or something wrong was found; 2 the command line is "
	      "wrong;\n"
	      "3 patchbayd, the engine or the store cannot be reached.\n\n"
	      "`patchbay COMMAND --help` shows its options and examples.\n",
	      out);
}

static void print_command_help(FILE *out, const struct cli_command *k)
{
	fprintf(out, "usage: patchbay %s%s%s\n\n%s.\n\n%s", k->name,
		k->synopsis[0] != '\0' ? " " : "", k->synopsis, k->summary, k->help);
}

static const struct cli_command *command_find(const char *name)
{
	for (const struct cli_command *k = commands; k->name != NULL; k++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

static int unknown_command(struct cli *c, const char *name)
{
	const char *names[sizeof(commands) / sizeof(commands[0])];
	size_t n = 0;

	for (const struct cli_command *k = commands; k->name != NULL; k++)
		names[n++] = k->name;

	const char *guess = complaint_guess(name, names, n);

	fprintf(c->err, "patchbay: there is no command \"%s\"", name);
	if (guess != NULL)
		fprintf(c->err, "; did you mean `patchbay %s`?\n", guess);
	else
		fprintf(c->err, "; `patchbay --help` lists them\n");
	return CLI_USAGE;
}

int cli_help(struct cli *c)
{
	const char *name = cli_word(c);

	if (name == NULL) {
		print_help(c->out);
		return CLI_OK;
	}

	const struct cli_command *k = command_find(name);

	if (k == NULL)
		return unknown_command(c, name);
	print_command_help(c->out, k);
	return CLI_OK;
}

int cli_usage(struct cli *c, const char *fmt, ...)
{
	va_list ap;

	fputs("patchbay: ", c->err);
	va_start(ap, fmt);
	vfprintf(c->err, fmt, ap);
	va_end(ap);
	fputc('\n', c->err);
	if (c->command != NULL)
		fprintf(c->err, "usage: patchbay %s %s   (`patchbay %s --help` shows examples)\n",
			c->command->name, c->command->synopsis, c->command->name);
	return CLI_USAGE;
}

/* --- words and options --- */

static void word_drop(struct cli *c, size_t i, size_t n)
{
	memmove(&c->word[i], &c->word[i + n], (c->words - i - n) * sizeof(c->word[0]));
	c->words -= n;
}

bool cli_switch(struct cli *c, const char *name)
{
	for (size_t i = 0; i < c->words; i++)
		if (strcmp(c->word[i], name) == 0) {
			word_drop(c, i, 1);
			return true;
		}
	return false;
}

bool cli_option(struct cli *c, const char *name, const char **value)
{
	size_t n = strlen(name);

	*value = NULL;
	for (size_t i = 0; i < c->words; i++) {
		if (strncmp(c->word[i], name, n) == 0 && c->word[i][n] == '=') {
			*value = c->word[i] + n + 1;
			word_drop(c, i, 1);
			return true;
		}
		if (strcmp(c->word[i], name) != 0)
			continue;
		if (i + 1 == c->words) {
			cli_usage(c, "%s needs a value", name);
			return false;
		}
		*value = c->word[i + 1];
		word_drop(c, i, 2);
		return true;
	}
	return true;
}

const char *cli_word(struct cli *c)
{
	if (c->words == 0 || (c->word[0][0] == '-' && c->word[0][1] == '-'))
		return NULL;

	const char *w = c->word[0];

	word_drop(c, 0, 1);
	return w;
}

bool cli_need(struct cli *c, const char *what, const char **word)
{
	*word = cli_word(c);
	if (*word == NULL)
		cli_usage(c, "%s is missing", what);
	return *word != NULL;
}

bool cli_end(struct cli *c)
{
	if (c->words == 0)
		return true;
	cli_usage(c, c->word[0][0] == '-' ? "unknown option %s" : "what is \"%s\" here?",
		  c->word[0]);
	return false;
}

bool cli_number(struct cli *c, const char *option, const char *text, int64_t min, int64_t max,
		int64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoll(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && *value >= min && *value <= max)
		return true;
	cli_usage(c, "%s must be a number from %" PRId64 " to %" PRId64, option, min, max);
	return false;
}

/* The option's value into *to when it is there; given twice, the last one counts. */
static bool take_last(struct cli *c, const char *name, const char **to)
{
	const char *value;

	for (;;) {
		if (!cli_option(c, name, &value))
			return false;
		if (value == NULL)
			return true;
		*to = value;
	}
}

/* Options of every command. Returns 0, or CLI_USAGE. */
static int take_global(struct cli *c)
{
	const char *value, *timeout = NULL;
	int64_t seconds;

	c->json = cli_switch(c, "--json");
	c->wide = cli_switch(c, "--wide");
	if (!take_last(c, "--socket", &c->control_socket) ||
	    !take_last(c, "--engine-socket", &c->engine_socket) ||
	    !take_last(c, "--timeout", &timeout) ||
	    (timeout != NULL && !cli_number(c, "--timeout", timeout, 1, 3600, &seconds)))
		return CLI_USAGE;
	if (timeout != NULL)
		c->timeout_ms = (uint32_t)seconds * 1000;
	for (;;) {
		if (!cli_option(c, "--store", &value))
			return CLI_USAGE;
		if (value == NULL)
			return 0;
		if (c->stores == CLI_STORES_MAX)
			return cli_usage(c, "more than %d stores", CLI_STORES_MAX);
		c->store[c->stores++] = value;
	}
}

static const char *environment(const char *name, const char *missing)
{
	const char *v = getenv(name);

	return v != NULL && *v != '\0' ? v : missing;
}

/* The command: the first word that is not an option. */
static const char *take_command(struct cli *c)
{
	for (size_t i = 0; i < c->words; i++)
		if (c->word[i][0] != '-') {
			const char *name = c->word[i];

			word_drop(c, i, 1);
			return name;
		}
	return NULL;
}

int cli_main(int argc, const char *const *argv, FILE *out, FILE *err)
{
	struct cli c = {
		.out = out,
		.err = err,
		.timeout_ms = 5000,
		.control_socket = environment("PATCHBAY_SOCKET", CLI_CONTROL_SOCKET),
		.engine_socket = environment("PATCHBAY_ENGINE_SOCKET", CLI_ENGINE_SOCKET),
	};
	bool help;

	if (argc - 1 > CLI_WORDS_MAX)
		return cli_usage(&c, "more than %d words", CLI_WORDS_MAX);
	for (int i = 1; i < argc; i++)
		c.word[c.words++] = argv[i];
	if (take_global(&c) != 0)
		return CLI_USAGE;
	if (c.stores == 0)
		c.store[c.stores++] = environment("PATCHBAY_STORE", CLI_STORE);
	help = cli_switch(&c, "--help") || cli_switch(&c, "-h");
	if (cli_switch(&c, "--version")) {
		fprintf(out, "patchbay %s\n", PATCHBAY_VERSION);
		return CLI_OK;
	}

	const char *name = take_command(&c);

	if (name == NULL && c.words > 0)
		return cli_usage(&c, "unknown option %s; see `patchbay --help`", c.word[0]);
	if (name == NULL) {
		print_help(help ? out : err);
		return help ? CLI_OK : CLI_USAGE;
	}
	c.command = command_find(name);
	if (c.command == NULL)
		return unknown_command(&c, name);
	if (help) {
		print_command_help(out, c.command);
		return CLI_OK;
	}
	return c.command->run(&c);
}
