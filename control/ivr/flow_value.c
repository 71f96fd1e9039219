/* SPDX-License-Identifier: Apache-2.0
 * The values of a flow: where a way leads, a variable, a text, what is said. */
#include <string.h>

#include "ivr/flow_read.h"

void ivr_read_target(struct reading *r, const struct tree *t, const char *what, struct target *out)
{
	const char *name;

	if (schema_name(&r->s, t, what, &name))
		*out = (struct target){.to = TO_NOWHERE, .name = name, .at = t->at};
}

/* The index of a variable; a new one is made when `make`. */
int ivr_read_variable(struct reading *r, const char *name, struct mark at, bool make)
{
	struct ivr_flow *f = r->f;

	if (strcmp(name, "caller") == 0)
		return VAR_CALLER;
	if (strcmp(name, "called") == 0)
		return VAR_CALLED;
	if (strcmp(name, "language") == 0)
		return VAR_LANGUAGE;
	for (unsigned i = 0; i < f->n_variables; i++)
		if (strcmp(f->variable[i].name, name) == 0)
			return (int)i;
	if (!make)
		return VAR_NONE;
	if (f->n_variables == IVR_VARIABLES_MAX) {
		complain(r->s.c, COMPLAINT_ERROR, at, "more than %d variables", IVR_VARIABLES_MAX);
		return VAR_NONE;
	}
	f->variable[f->n_variables].name = name;
	return (int)f->n_variables++;
}

/* "$name" of a variable that some node fills, or plain text. */
bool ivr_read_value(struct reading *r, const struct tree *t, const char *what, const char **text,
		    int *var)
{
	*var = VAR_NONE;
	if (!schema_text(&r->s, t, what, 1, 63, text))
		return false;
	if ((*text)[0] != '$')
		return true;
	*var = ivr_read_variable(r, *text + 1, t->at, false);
	if (*var == VAR_NONE)
		complain(r->s.c, COMPLAINT_ERROR, t->at,
			 "no node fills the variable \"%s\"; collect or set it, or use $caller, "
			 "$called, $language",
			 *text);
	return *var != VAR_NONE;
}

enum { PIECE_WORDS = IVR_SAY_KINDS + 2 };

/* The keys of what is said: the kinds of say.h, silence_ms and beep. */
static void piece_words(const char *words[PIECE_WORDS])
{
	for (unsigned i = 0; i < IVR_SAY_KINDS; i++)
		words[i] = ivr_say_kind_name((enum ivr_say_kind)i);
	words[IVR_SAY_KINDS] = "silence_ms";
	words[IVR_SAY_KINDS + 1] = "beep";
}

static bool read_piece(struct reading *r, const struct tree *t, struct piece *out)
{
	const char *words[PIECE_WORDS];
	struct piece p = {.var = VAR_NONE, .at = t->at};
	bool yes;

	if (t->kind == TREE_TEXT) {
		p.kind = PIECE_PROMPT;
		*out = p;
		return schema_name(&r->s, t, "a prompt", &out->text);
	}
	if (t->kind != TREE_MAP || t->n != 1) {
		complain(r->s.c, COMPLAINT_ERROR, t->at,
			 "what is said is a prompt's name, or one of {number: $x}, {digits: $x}, "
			 "{phone: $x}, {money: $x}, {date: $x}, {time: $x}, {silence_ms: 500}, "
			 "{beep: yes}");
		return false;
	}

	const struct tree *m = t->first;
	unsigned i = 0;

	piece_words(words);
	while (i < PIECE_WORDS && strcmp(words[i], m->key) != 0)
		i++;
	if (i == PIECE_WORDS) {
		const char *guess = complaint_guess(m->key, words, PIECE_WORDS);

		complain(r->s.c, COMPLAINT_ERROR, m->key_at, "unknown key \"%.40s\"%s%s%s", m->key,
			 guess != NULL ? "; did you mean \"" : "", guess != NULL ? guess : "",
			 guess != NULL ? "\"?" : "");
		return false;
	}
	if (i == IVR_SAY_KINDS) {
		p.kind = PIECE_SILENCE;
		if (!schema_u32(&r->s, m, "silence_ms", 20, 10000, &p.ms))
			return false;
	} else if (i == IVR_SAY_KINDS + 1) {
		p.kind = PIECE_BEEP;
		if (!schema_bool(&r->s, m, "beep", &yes))
			return false;
	} else {
		p.kind = PIECE_SAID;
		p.said = (enum ivr_say_kind)i;
		if (!ivr_read_value(r, m, words[i], &p.text, &p.var))
			return false;
	}
	*out = p;
	return true;
}

void ivr_read_pieces(struct reading *r, const struct tree *t, struct pieces *out)
{
	enum { PIECES_MAX = 16 };

	if (t == NULL || (t->kind == TREE_TEXT && t->plain && t->text[0] == '\0'))
		return;
	if (t->kind != TREE_LIST) {
		out->piece = conf_arena_get(r->s.arena, sizeof(*out->piece));
		out->n = read_piece(r, t, &out->piece[0]) ? 1 : 0;
		return;
	}
	if (t->n > PIECES_MAX) {
		complain(r->s.c, COMPLAINT_ERROR, t->at, "more than %d things to say in one node",
			 PIECES_MAX);
		return;
	}
	out->piece = conf_arena_array(r->s.arena, t->n, sizeof(*out->piece));
	for (const struct tree *m = t->first; m != NULL; m = m->next)
		if (read_piece(r, m, &out->piece[out->n]))
			out->n++;
}

void ivr_url_check(struct reading *r, const struct tree *t, const char *text)
{
	char name[IVR_NAME_MAX];

	for (const char *p = text; (p = strchr(p, '$')) != NULL;) {
		size_t len = ivr_variable_len(++p);

		if (len == 0) {
			p += *p == '$'; /* $$ */
			continue;
		}
		if (len >= sizeof(name))
			len = sizeof(name) - 1;
		memcpy(name, p, len);
		name[len] = '\0';
		if (ivr_read_variable(r, name, t->at, false) == VAR_NONE)
			complain(r->s.c, COMPLAINT_ERROR, t->at,
				 "no node fills the variable \"$%s\"; write $$ for a dollar sign",
				 name);
		p += len;
	}
}
