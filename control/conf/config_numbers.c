/* SPDX-License-Identifier: Apache-2.0
 * The sections `numbers` and `customers`. */
#include "conf/config_numbers.h"

#include <stddef.h>
#include <string.h>

#include "conf/config_priv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OF(member)   offsetof(struct config_numbers, member)

static const struct field number_fields[] = {
	{"country", FIELD_TEXT, OF(country), 0, 3},
	{"area", FIELD_TEXT, OF(area), 0, 6},
	{"national_prefix", FIELD_TEXT, OF(national_prefix), 0, 4},
	{"international_prefix", FIELD_TEXT, OF(international_prefix), 0, 6},
	{"local_digits", FIELD_U8, OF(local_digits), 3, 12},
};

void config_read_numbers(const struct schema *s, const struct tree *t, struct config *c)
{
	struct config_numbers *n = &c->numbers;

	*n = (struct config_numbers){.country = "",
				     .area = "",
				     .national_prefix = "0",
				     .international_prefix = "00",
				     .local_digits = 8};
	if (t == NULL || !schema_fill(s, t, number_fields, COUNT(number_fields), n))
		return;
	for (const char *const *p = (const char *const[]){n->country, n->area, n->national_prefix,
							  n->international_prefix, NULL};
	     *p != NULL; p++)
		if ((*p)[strspn(*p, "0123456789")] != '\0')
			complain(s->c, COMPLAINT_ERROR, t->at,
				 "numbers: \"%s\" must be digits, written as text", *p);
	if (n->area[0] != '\0' && n->country[0] == '\0')
		complain(s->c, COMPLAINT_ERROR, t->at, "numbers: an area needs its country");
}

static const struct field customers_fields[] = {
	{"bulk", FIELD_OTHER, 0, 0, 0},
};

void config_read_customers(const struct schema *s, const struct tree *t, struct config *c)
{
	struct config_customers *k = &c->customers;
	const struct tree *list;

	if (t == NULL || !schema_fill(s, t, customers_fields, COUNT(customers_fields), k))
		return;
	list = tree_get(t, "bulk");
	if (list == NULL || !schema_kind(s, list, "bulk", TREE_LIST))
		return;
	if (list->n > CONFIG_BULK_USERS_MAX) {
		complain(s->c, COMPLAINT_ERROR, list->at, "bulk: at most %d users",
			 CONFIG_BULK_USERS_MAX);
		return;
	}
	k->restricted = true;
	k->bulk = conf_arena_array(s->arena, list->n, sizeof(*k->bulk));
	for (const struct tree *m = list->first; m != NULL; m = m->next)
		if (schema_text(s, m, "a user", 1, 63, &k->bulk[k->n_bulk]))
			k->n_bulk++;
}
