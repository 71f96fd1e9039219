/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is in the rooms, and what a moderator may do.
 */
#include "call/conference_priv.h"
#include "call/journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static json_t *members(const struct conference *k)
{
	json_t *list = json_array();
	struct le *le;

	LIST_FOREACH(&k->members, le) {
		const struct call *call = le->data;
		const struct party *p = call->customer;

		json_array_append_new(list,
				      json_pack("{s:s,s:s,s:b,s:b,s:b,s:I}", "call", call->id,
						"party", p != NULL ? p->number : "", "muted",
						call->room.muted, "holds", p != NULL && p->held,
						"leads", strcmp(k->floor, call->id) == 0,
						"since_ms", (json_int_t)call->room.since_ms));
	}
	return list;
}

json_t *centre_conferences(struct centre *c)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < c->config->n_conferences; i++) {
		const struct config_conference *conf = &c->config->conferences[i];
		const struct conference *k = conference_find(c, conf->name);

		json_array_append_new(
			list,
			json_pack("{s:s,s:s,s:s,s:b,s:i,s:o,s:o}", "conference", conf->name,
				  "title", conf->title, "number", conf->number, "locked",
				  k != NULL && k->locked, "members_max", (int)conf->members_max,
				  "since_ms",
				  k != NULL ? json_integer((json_int_t)k->since_ms) : json_null(),
				  "members", k != NULL ? members(k) : json_array()));
	}
	return list;
}

/* By the call's id or its ending, or by the member's number. */
static struct call *member_of(const struct conference *k, const char *who)
{
	size_t len = strlen(who);
	struct call *found = NULL;
	struct le *le;

	LIST_FOREACH(&k->members, le) {
		struct call *call = le->data;
		bool id = len >= 4 && len < CLOCK_UUID_SIZE &&
			  strcmp(call->id + CLOCK_UUID_SIZE - 1 - len, who) == 0;

		if (!id && (call->customer == NULL || strcmp(call->customer->number, who) != 0))
			continue;
		if (found != NULL)
			return NULL;
		found = call;
	}
	return found;
}

static void end_all(struct conference *k)
{
	/* The last one takes the room with it. */
	for (unsigned n = k->n; n > 0; n--)
		call_end(list_head(&k->members)->data, PARTY_OPERATOR, CALL_CAUSE_OPERATOR);
}

static int with_member(struct conference *k, const char *action, const char *who, char *why,
		       size_t why_size)
{
	struct call *call = who != NULL ? member_of(k, who) : NULL;

	if (call == NULL) {
		snprintf(why, why_size, "conference %s has no member %s, or several such", k->name,
			 who != NULL ? who : "without a name");
		return -ENOENT;
	}
	if (strcmp(action, "eject") == 0) {
		call_end(call, PARTY_OPERATOR, CALL_CAUSE_OPERATOR);
		return 0;
	}
	call->room.muted = strcmp(action, "mute") == 0;
	conference_mute(call);
	journal_touch(call);
	conference_publish(call, call->room.muted ? "muted" : "unmuted");
	return 0;
}

int centre_conference(struct centre *c, const char *name, const char *action, const char *who,
		      char *why, size_t why_size)
{
	const struct config_conference *conf = config_conference_find(c->config, name);
	struct conference *k = conf != NULL ? conference_find(c, conf->name) : NULL;

	if (conf == NULL) {
		snprintf(why, why_size, "there is no conference %s", name);
		return -ENOENT;
	}
	if (strcmp(action, "add") == 0 && who != NULL)
		return conference_add(c, conf->name, who, why, why_size);
	if (k == NULL) {
		snprintf(why, why_size, "nobody is in conference %s", conf->name);
		return -EBUSY;
	}
	if (strcmp(action, "lock") == 0 || strcmp(action, "unlock") == 0) {
		k->locked = action[0] == 'l';
		conference_touch(k);
		return 0;
	}
	if (strcmp(action, "end") == 0) {
		end_all(k);
		return 0;
	}
	return with_member(k, action, who, why, why_size);
}
