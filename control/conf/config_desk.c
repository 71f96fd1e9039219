/* SPDX-License-Identifier: Apache-2.0
 * Parking places, numbers for help, and how long agents may be not ready. */
#include "conf/config_desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/config_priv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { FIRST_DIGITS_MAX = 8 };

static const struct field parking_fields[] = {
	{"first", FIELD_OTHER, 0, 0, 0},
	{"places", FIELD_U16, offsetof(struct config_parking, places), 1, CONFIG_PARKING_MAX},
	{"timeout_s", FIELD_U16, offsetof(struct config_parking, timeout_s), 5, 3600},
	{"ringbacks", FIELD_U8, offsetof(struct config_parking, ringbacks), 1, 9},
	{"music", FIELD_NAME, offsetof(struct config_parking, music), 0, 0},
};

static const struct field not_ready_fields[] = {
	{"budget_min", FIELD_OTHER, 0, 0, 0},
	{"budget_percent", FIELD_OTHER, 0, 0, 0},
	{"refuse", FIELD_OTHER, 0, 0, 0},
	{"shift_min", FIELD_U16, offsetof(struct config, shift_min), 1, 1440},
};

/* "3.7", "0.25", "12": hundredths of a percent. False when it is none from 0.01 to 100. */
static bool read_share(const char *text, uint16_t *out)
{
	uint32_t n = 0;
	int decimals = -1;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '.' && decimals < 0 && p != text) {
			decimals = 0;
			continue;
		}
		if (*p < '0' || *p > '9' || decimals == 2 || n > 10000)
			return false;
		n = n * 10 + (uint32_t)(*p - '0');
		decimals += decimals >= 0;
	}
	if (text[0] == '\0' || decimals == 0)
		return false;
	for (int i = decimals < 0 ? 0 : decimals; i < 2; i++)
		n *= 10;
	*out = (uint16_t)n;
	return n >= 1 && n <= 10000;
}

void config_read_budget(const struct schema *s, const struct tree *t, struct config_budget *out)
{
	const struct tree *minutes = tree_get(t, "budget_min"),
			  *share = tree_get(t, "budget_percent"), *refuse = tree_get(t, "refuse");
	const char *text;
	uint32_t n;

	if (minutes != NULL && schema_u32(s, minutes, "budget_min", 1, 1440, &n))
		out->minutes = (uint16_t)n;
	if (share != NULL && schema_text(s, share, "budget_percent", 1, 8, &text) &&
	    !read_share(text, &out->share))
		complain(s->c, COMPLAINT_ERROR, share->at,
			 "\"%s\" is no share of a shift; write a percentage such as 3.7", text);
	if (minutes != NULL && share != NULL)
		complain(s->c, COMPLAINT_ERROR, share->at,
			 "only one of budget_min and budget_percent");
	if (refuse != NULL)
		(void)schema_bool(s, refuse, "refuse", &out->refuse);
	if (out->refuse && minutes == NULL && share == NULL)
		complain(s->c, COMPLAINT_ERROR, refuse->at,
			 "refuse needs budget_min or budget_percent");
}

void config_read_not_ready(const struct schema *s, const struct tree *t, struct config *c)
{
	if (t != NULL && schema_fill(s, t, not_ready_fields, COUNT(not_ready_fields), c))
		config_read_budget(s, t, &c->not_ready_budget);
}

uint32_t config_budget_s(const struct config_budget *b, uint16_t shift_min)
{
	if (b->share > 0)
		return (uint32_t)((shift_min * UINT64_C(60) * b->share + 5000) / 10000);
	return b->minutes > 0 ? b->minutes * 60u : UINT32_MAX;
}

void config_read_parking(const struct schema *s, const struct tree *t, struct config *c)
{
	struct config_parking p = {
		.places = 20, .timeout_s = 90, .ringbacks = 3, .music = "music/default"};
	const char *first;

	if (t == NULL || !schema_fill(s, t, parking_fields, COUNT(parking_fields), &p))
		return;
	if (tree_get(t, "first") == NULL) {
		complain(s->c, COMPLAINT_ERROR, t->at,
			 "parking needs \"first\", the number of its first place");
		return;
	}
	if (!schema_number(s, tree_get(t, "first"), "first", &first))
		return;
	if (first[strspn(first, "0123456789")] != '\0' || first[0] == '0' ||
	    strlen(first) > FIRST_DIGITS_MAX) {
		complain(s->c, COMPLAINT_ERROR, tree_get(t, "first")->at,
			 "\"%s\" cannot be the first parking place: 1 to %d digits, not beginning "
			 "with 0",
			 first, FIRST_DIGITS_MAX);
		return;
	}
	p.first = (uint32_t)strtoul(first, NULL, 10);
	c->parking = p;
}

void config_check_parking(const struct schema *s, const struct tree *t, const struct config *c)
{
	char number[16];

	for (int i = 0; i < c->parking.places; i++) {
		config_parking_number(c, i, number, sizeof(number));
		if (config_agent_find(c, number) != NULL ||
		    config_hotline_find(c, number) != NULL ||
		    config_queue_by_number(c, number) != NULL)
			complain(s->c, COMPLAINT_ERROR, t->at,
				 "%s is a parking place and the number of an agent, a queue or a "
				 "hotline",
				 number);
	}
}

int config_parking_place(const struct config *c, const char *number)
{
	const struct config_parking *p = &c->parking;
	size_t len = strlen(number);
	unsigned long n;

	if (len == 0 || len > FIRST_DIGITS_MAX + 1 || number[0] == '0' ||
	    number[strspn(number, "0123456789")] != '\0')
		return -1;
	n = strtoul(number, NULL, 10);
	return n >= p->first && n - p->first < p->places ? (int)(n - p->first) : -1;
}

void config_parking_number(const struct config *c, int place, char *out, size_t size)
{
	snprintf(out, size, "%u", (unsigned)(c->parking.first + (uint32_t)place));
}

/* --- numbers for help ---------------------------------------------------------------------- */

static const struct field emergency_fields[] = {
	{"numbers", FIELD_OTHER, 0, 0, 0},
	{"trunks", FIELD_OTHER, 0, 0, 0},
	{"preempt", FIELD_BOOL, offsetof(struct config_emergency, preempt), 0, 0},
	{"caller_id", FIELD_NUMBER, offsetof(struct config_emergency, caller_id), 0, 0},
};

static bool list_fits(const struct schema *s, const struct tree *t, const char *what)
{
	if (!schema_kind(s, t, what, TREE_LIST))
		return false;
	if (t->n <= CONFIG_EMERGENCY_MAX)
		return true;
	complain(s->c, COMPLAINT_ERROR, t->at, "%s: at most %d", what, CONFIG_EMERGENCY_MAX);
	return false;
}

static void read_trunks(const struct schema *s, const struct tree *t, struct config *c)
{
	struct config_emergency *e = &c->emergency;
	const struct config_trunk *k;
	const char *name;

	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		if (!schema_name(s, m, "a trunk", &name))
			continue;
		k = config_trunk_named(c, name);
		if (k == NULL)
			complain(s->c, COMPLAINT_ERROR, m->at, "there is no trunk \"%s\"", name);
		else
			e->trunk[e->n_trunks++] = (uint16_t)(k - c->trunks);
	}
}

void config_read_emergency(const struct schema *s, const struct tree *t, struct config *c)
{
	const struct tree *numbers = tree_get(t, "numbers"), *trunks = tree_get(t, "trunks");
	struct config_emergency *e = &c->emergency;
	const char *number;

	if (t == NULL || !schema_fill(s, t, emergency_fields, COUNT(emergency_fields), e))
		return;
	if (trunks != NULL && list_fits(s, trunks, "trunks"))
		read_trunks(s, trunks, c);
	if (numbers == NULL) {
		complain(s->c, COMPLAINT_ERROR, t->at, "emergency needs \"numbers\"");
		return;
	}
	if (!list_fits(s, numbers, "numbers"))
		return;
	for (const struct tree *m = numbers->first; m != NULL; m = m->next) {
		if (!schema_number(s, m, "a number", &number))
			continue;
		if (config_agent_find(c, number) != NULL ||
		    config_hotline_find(c, number) != NULL ||
		    config_queue_by_number(c, number) != NULL ||
		    config_parking_place(c, number) >= 0)
			complain(s->c, COMPLAINT_ERROR, m->at,
				 "%s is a number for help and leads elsewhere as well", number);
		e->number[e->n_numbers++] = number;
	}
	if (c->n_trunks == 0)
		complain(s->c, COMPLAINT_ERROR, t->at,
			 "emergency numbers lead nowhere: there is no trunk");
}

/* --- agents outside ------------------------------------------------------------------------ */

static const struct field remote_fields[] = {
	{"number", FIELD_NUMBER, offsetof(struct config_remote, number), 0, 0},
	{"any_number", FIELD_BOOL, offsetof(struct config_remote, any_number), 0, 0},
	{"confirm", FIELD_BOOL, offsetof(struct config_remote, confirm), 0, 0},
	{"nailed_up", FIELD_BOOL, offsetof(struct config_remote, nailed_up), 0, 0},
};

void config_read_remote(const struct schema *s, const struct tree *agent, struct config_remote *out)
{
	const struct tree *t = tree_get(agent, "remote");

	*out = (struct config_remote){.confirm = true, .number = ""};
	if (t == NULL || !schema_fill(s, t, remote_fields, COUNT(remote_fields), out))
		return;
	out->allowed = true;
	if (out->number[0] == '\0' && !out->any_number)
		complain(s->c, COMPLAINT_ERROR, t->at,
			 "remote needs a \"number\", or \"any_number: yes\"");
}
