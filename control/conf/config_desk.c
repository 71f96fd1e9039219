/* SPDX-License-Identifier: Apache-2.0
 * Parking places. */
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
