/* SPDX-License-Identifier: Apache-2.0
 * The interpreter with a person in the place of telephone, engine and queue. What the built-in
 * prompts say is shown beside their names. */
#include "cli/flow_try.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "example/example.h"
#include "ivr/ivr.h"

enum { LINE_MAX_BYTES = 128 };

struct trying {
	FILE *in, *out;
	bool closed;
	struct ivr_session session;
	uint64_t now_ms;
	unsigned shown; /* steps of the path */
	json_t *answer; /* of the newest lookup */
};

static int complain_all(const struct complaints *c)
{
	char line[512];

	for (unsigned i = 0; i < c->kept; i++)
		fprintf(stderr, "%s\n", complaint_line(c, i, line, sizeof(line)));
	return c->errors > 0 ? -EINVAL : 0;
}

static char *read_all(const char *file, size_t *len)
{
	FILE *f = fopen(file, "rb");
	char *text = f != NULL ? malloc(IVR_TEXT_MAX + 1) : NULL;

	if (text != NULL)
		*len = fread(text, 1, IVR_TEXT_MAX + 1, f);
	if (text == NULL || ferror(f)) {
		fprintf(stderr, "%s: %s\n", file, strerror(errno));
		free(text);
		text = NULL;
	}
	if (f != NULL)
		fclose(f);
	return text;
}

/* A checked flow, or NULL after complaints. */
static struct ivr_flow *load(const char *file)
{
	bool builtin = file == NULL || strcmp(file, "example") == 0;
	size_t len = example_flow_len;
	char *text = builtin ? NULL : read_all(file, &len);
	struct complaints c;
	struct ivr_flow *f = NULL;

	if (!builtin && text == NULL)
		return NULL;
	if (ivr_flow_load(builtin ? example_flow : text, len, builtin ? "example" : file, &f, &c) ==
	    0)
		ivr_flow_check(f, &(struct ivr_world){0}, &c);
	free(text);
	if (complain_all(&c) != 0)
		ivr_flow_drop(&f);
	return f;
}

/* The words of "LANG/NAME" in the texts that are built in; 0 bytes when it is none of them. */
static int words_of(const char *prompt, const char **text)
{
	const char *all = strncmp(prompt, "zh/", 3) == 0   ? example_words_zh
			  : strncmp(prompt, "en/", 3) == 0 ? example_words_en
							   : "";
	char key[IVR_PROMPT_MAX + 4];

	snprintf(key, sizeof(key), "\n%s: ", prompt + 3);
	*text = strstr(all, key);
	if (*text == NULL)
		return 0;
	*text += strlen(key);
	return (int)strcspn(*text, "\n");
}

static void show_play(struct trying *t, const struct ivr_items *items)
{
	for (unsigned i = 0; i < items->n; i++) {
		const struct ivr_item *it = &items->item[i];
		const char *text;
		int n;

		if (it->kind == IVR_ITEM_BEEP) {
			fprintf(t->out, "  hears  (beep)\n");
		} else if (it->kind == IVR_ITEM_SILENCE) {
			fprintf(t->out, "  hears  (%u ms of silence)\n", it->silence_ms);
		} else {
			n = words_of(it->prompt, &text);
			fprintf(t->out, n > 0 ? "  hears  %s: %.*s\n" : "  hears  %s\n", it->prompt,
				n, n > 0 ? text : "");
		}
	}
}

static void show_path(struct trying *t)
{
	for (; t->shown < t->session.path_n; t->shown++) {
		unsigned n = t->session.path_n;
		unsigned at = n <= IVR_PATH_MAX ? t->shown : IVR_PATH_MAX - (n - t->shown);
		struct ivr_step step = ivr_session_step(&t->session, at);

		fprintf(t->out, "[%s]\n", ivr_flow_node_name(t->session.flow, step.node));
	}
}

/* A line without its newline; false at the end of input. */
static bool ask(struct trying *t, const char *what, char *line)
{
	fprintf(t->out, "%s > ", what);
	fflush(t->out);
	if (fgets(line, LINE_MAX_BYTES, t->in) == NULL) {
		fprintf(t->out, "\n");
		return false;
	}
	line[strcspn(line, "\r\n")] = '\0';
	return true;
}

/* One of `words` by its first letters; asks again until it is. -1: hung up. */
static int ask_word(struct trying *t, const char *what, const char *const *words, int n)
{
	char line[LINE_MAX_BYTES];

	for (;;) {
		if (!ask(t, what, line) || strcmp(line, "h") == 0)
			return -1;
		for (int i = 0; i < n && line[0] != '\0'; i++)
			if (strncmp(words[i], line, strlen(line)) == 0)
				return i;
	}
}

/* What the firm's system would answer, typed as JSON. */
static struct ivr_event ask_answer(struct trying *t, const struct ivr_action *a, char *line)
{
	struct ivr_event ev = {.kind = IVR_EV_LOOKUP_DONE};

	fprintf(t->out, "  asks %s%s%s\n", a->lookup.url, a->lookup.body[0] ? " with " : "",
		a->lookup.body);
	json_decref(t->answer);
	t->answer = NULL;
	if (!ask(t, "  answer as JSON (none: it fails, h: hang up)", line) ||
	    strcmp(line, "h") == 0)
		return (struct ivr_event){.kind = IVR_EV_HUNG_UP};
	ev.answer = t->answer = json_loads(line, 0, NULL);
	if (line[0] != '\0' && t->answer == NULL)
		fprintf(t->out, "  that is not JSON: it counts as failed\n");
	return ev;
}

static struct ivr_event ask_event(struct trying *t, const struct ivr_action *a, char *line)
{
	static const char *const left[] = {"served", "full", "long", "empty", "timeout"};
	static const char *const dialled[] = {"served", "busy", "no answer", "failed"};
	static const char *const entered[] = {"there", "busy", "-", "failed"};
	struct ivr_event gone = {.kind = IVR_EV_HUNG_UP};
	char what[IVR_NUMBER_MAX + 64];
	int i;

	switch (a->kind) {
	case IVR_PLAY:
		return (struct ivr_event){.kind = IVR_EV_PLAY_DONE};
	case IVR_COLLECT:
		if (!ask(t,
			 a->collect.max == 1 ? "  key (none, h: hang up)"
					     : "  digits (none, h: hang up)",
			 line) ||
		    strcmp(line, "h") == 0)
			return gone;
		return (struct ivr_event){
			.kind = IVR_EV_COLLECTED, .digits = line, .timed_out = line[0] == '\0'};
	case IVR_QUEUE:
		snprintf(what, sizeof(what),
			 "  waits in queue %s (served, full, long, empty, timeout)", a->name);
		i = ask_word(t, what, left, 5);
		return i < 0 ? gone
			     : (struct ivr_event){.kind = IVR_EV_QUEUE_LEFT,
						  .queue = (enum ivr_queue_left)i};
	case IVR_CONFERENCE:
		snprintf(what, sizeof(what), "  conference %s (there, full or locked, -, failed)",
			 a->name);
		i = ask_word(t, what, entered, 4);
		return i <= 0 ? gone
			      : (struct ivr_event){.kind = IVR_EV_DIAL_DONE,
						   .dial = (enum ivr_dial_done)i};
	case IVR_DIAL:
		snprintf(what, sizeof(what), "  %s is rung (served, busy, no answer, failed)",
			 a->name);
		i = ask_word(t, what, dialled, 4);
		return i < 0 ? gone
			     : (struct ivr_event){.kind = IVR_EV_DIAL_DONE,
						  .dial = (enum ivr_dial_done)i};
	case IVR_VOICEMAIL:
		fprintf(t->out, "  leaves a message in %s\n", a->name);
		return (struct ivr_event){.kind = IVR_EV_VOICEMAIL_DONE};
	case IVR_CALLBACK:
		fprintf(t->out, "  is promised a call to %s from queue %s\n", a->value, a->name);
		return (struct ivr_event){.kind = IVR_EV_CALLBACK_DONE, .taken = true};
	case IVR_LOOKUP:
		return ask_answer(t, a, line);
	case IVR_ANSWER:
	case IVR_NOTE:
	case IVR_RESOLVED:
	case IVR_RECORD:
	case IVR_HANGUP:
		break;
	}
	return gone;
}

static bool is_open(void *arg, const char *calendar)
{
	struct trying *t = arg;

	fprintf(t->out, "  calendar %s is %s\n", calendar, t->closed ? "closed" : "open");
	return !t->closed;
}

int flow_try(const struct flow_try_options *opt)
{
	struct ivr_flow *f = load(opt->file);
	struct trying t = {.in = opt->in != NULL ? opt->in : stdin,
			   .out = opt->out != NULL ? opt->out : stdout,
			   .closed = opt->closed};
	struct ivr_say *say = ivr_say_builtin();
	struct ivr_now now = {.arg = &t, .say = say, .open = is_open};
	struct ivr_actions todo;
	char line[LINE_MAX_BYTES];

	if (f == NULL) {
		ivr_say_close(say);
		return 2;
	}
	ivr_start(&t.session, f, opt->caller != NULL ? opt->caller : "13800138000", "95598",
		  opt->language, &now, &todo);
	while (!t.session.over) {
		struct ivr_event ev = {.kind = IVR_EV_HUNG_UP};

		show_path(&t);
		for (unsigned i = 0; i < todo.n; i++)
			if (todo.action[i].kind == IVR_PLAY)
				show_play(&t, &todo.action[i].items);
			else if (todo.action[i].kind == IVR_RECORD)
				fprintf(t.out, "  recording: %s\n",
					record_verb_names[todo.action[i].verb]);
			else if (todo.action[i].kind == IVR_NOTE)
				fprintf(t.out, "  note  %s: %s\n", todo.action[i].name,
					todo.action[i].value);
			else if (todo.action[i].kind == IVR_RESOLVED)
				fprintf(t.out, "  resolved: %s\n", todo.action[i].name);
		if (todo.n > 0)
			ev = ask_event(&t, &todo.action[todo.n - 1], line);
		now.now_ms++;
		(void)ivr_event(&t.session, &ev, &now, &todo);
	}
	show_path(&t);
	fprintf(t.out, "The call has ended.\n");
	ivr_end(&t.session);
	json_decref(t.answer);
	ivr_flow_drop(&f);
	ivr_say_close(say);
	return 0;
}

int flow_draw(const char *file, bool svg, FILE *out)
{
	const enum ivr_picture kind = svg ? IVR_PICTURE_SVG : IVR_PICTURE_DOT;
	struct ivr_flow *f = load(file);
	size_t len;
	char *text;

	if (f == NULL)
		return 2;
	len = ivr_flow_draw(f, kind, NULL, 0);
	text = malloc(len + 1);
	if (text != NULL) {
		ivr_flow_draw(f, kind, text, len + 1);
		fputs(text, out != NULL ? out : stdout);
	}
	free(text);
	ivr_flow_drop(&f);
	return text != NULL ? 0 : 2;
}
