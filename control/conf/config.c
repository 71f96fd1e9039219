/* SPDX-License-Identifier: Apache-2.0
 * Loading goes: text -> tree (marks, bounds) -> defaults -> one reader per section -> what must
 * agree between sections. A reader never stops at a mistake; whether the whole is taken is
 * decided at the end by the count of errors. */
#include "conf/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/config_priv.h"
#include "conf/config_show.h"

#define OF(type, member) offsetof(struct type, member)
#define COUNT(array)     (sizeof(array) / sizeof((array)[0]))

static const char *const record_names[] = {
	[CONFIG_RECORD_ALWAYS] = "always",
	[CONFIG_RECORD_NEVER] = "never",
	[CONFIG_RECORD_AGENT] = "agent",
	[CONFIG_RECORD_DEMAND] = "demand",
};

static const char *const unrecorded_names[] = {
	[CONFIG_UNRECORDED_TAKE] = "take",
	[CONFIG_UNRECORDED_REFUSE] = "refuse",
};

static const char *const strategy_names[] = {
	[CONFIG_LONGEST_IDLE] = "longest_idle", [CONFIG_ROUND_ROBIN] = "round_robin",
	[CONFIG_LEAST_CALLS] = "least_calls",   [CONFIG_LEAST_TALK] = "least_talk",
	[CONFIG_RING_ALL] = "ring_all",
};

const char *config_strategy_name(enum config_strategy s)
{
	return strategy_names[s];
}

const char *config_record_name(enum config_record r)
{
	return r == CONFIG_RECORD_INHERIT ? "inherit" : record_names[r];
}

static const struct config defaults = {
	.realm = "patchbay",
	.phone_codecs = {4, {"PCMA", "PCMU", "G722", "opus"}},
	.trunk_codecs = {2, {"PCMA", "PCMU"}},
	.tls_certificate = "",
	.tls_ca = "",
	.registration_min_s = 30,
	.registration_max_s = 3600,
	.failed_logins_max = 20,
	.engine_socket = "/run/patchbay/engine.sock",
	.control_socket = "/run/patchbay/control.sock",
	.database = "/var/lib/patchbay/patchbay.db",
	.prompts = "",
	.voicemail = "/var/lib/patchbay/voicemail",
	.log_level = "info",
	.calls_max = 2000,
	.calls_per_s = 500,
	.call_max_s = 4 * 3600,
	.priority_step_s = 86400,
	.record = {CONFIG_RECORD_ALWAYS, 100},
	.record_announcement = "",
	.shift_min = 480,
	.emergency = {.caller_id = ""},
	.time_zone = {.zone = ""},
	.features =
		{
			.sign_in = "*61",
			.sign_out = "*62",
			.ready = "*63",
			.not_ready = "*64",
			.wrap_up_end = "*65",
			.dnd_on = "*78",
			.dnd_off = "*79",
			.call_as = "*60",
			.park = "*68",
			.pick_up = "*66",
			.listen = "*71",
			.whisper = "*72",
			.barge = "*73",
			.record_start = "*81",
			.record_stop = "*82",
			.record_pause = "*83",
			.record_resume = "*84",
			.record_mask = "*85",
			.record_unmask = "*86",
			.consult = "*90",
			.consult_complete = "*91",
			.consult_cancel = "*92",
			.consult_conference = "*93",
			.conference = "*94",
		},
};

static const struct field root_fields[] = {
	{"sip", FIELD_OTHER, 0, 0, 0},
	{"engine_socket", FIELD_TEXT, OF(config, engine_socket), 1, 100},
	{"control_socket", FIELD_TEXT, OF(config, control_socket), 1, 100},
	{"database", FIELD_TEXT, OF(config, database), 1, 1000},
	{"prompts", FIELD_TEXT, OF(config, prompts), 0, 1000},
	{"voicemail", FIELD_TEXT, OF(config, voicemail), 1, 1000},
	{"log_level", FIELD_OTHER, 0, 0, 0},
	{"calls", FIELD_OTHER, 0, 0, 0},
	{"record", FIELD_OTHER, 0, 0, 0},
	{"record_percent", FIELD_U8, OF(config, record.percent), 1, 100},
	{"record_announcement", FIELD_NAME, OF(config, record_announcement), 0, 0},
	{"record_unavailable", FIELD_OTHER, 0, 0, 0},
	{"hotlines", FIELD_OTHER, 0, 0, 0},
	{"trunks", FIELD_OTHER, 0, 0, 0},
	{"queues", FIELD_OTHER, 0, 0, 0},
	{"agents", FIELD_OTHER, 0, 0, 0},
	{"supervisors", FIELD_OTHER, 0, 0, 0},
	{"not_ready_reasons", FIELD_OTHER, 0, 0, 0},
	{"feature_codes", FIELD_OTHER, 0, 0, 0},
	{"parking", FIELD_OTHER, 0, 0, 0},
	{"emergency", FIELD_OTHER, 0, 0, 0},
	{"conferences", FIELD_OTHER, 0, 0, 0},
	{"not_ready", FIELD_OTHER, 0, 0, 0},
	{"time_zone", FIELD_OTHER, 0, 0, 0},
	{"calendars", FIELD_OTHER, 0, 0, 0},
	{"conduct", FIELD_OTHER, 0, 0, 0},
	{"notify", FIELD_OTHER, 0, 0, 0},
	{"numbers", FIELD_OTHER, 0, 0, 0},
	{"customers", FIELD_OTHER, 0, 0, 0},
	{"knowledge", FIELD_OTHER, 0, 0, 0},
	{"targets", FIELD_OTHER, 0, 0, 0},
	{"keep_days", FIELD_OTHER, 0, 0, 0},
	{"archive", FIELD_OTHER, 0, 0, 0},
};

static const struct field sip_fields[] = {
	{"listen", FIELD_OTHER, 0, 0, 0},
	{"realm", FIELD_TEXT, OF(config, realm), 1, 100},
	{"tls_certificate", FIELD_TEXT, OF(config, tls_certificate), 1, 1000},
	{"tls_ca", FIELD_TEXT, OF(config, tls_ca), 1, 1000},
	{"srtp", FIELD_OTHER, 0, 0, 0},
	{"srtp_without_tls", FIELD_BOOL, OF(config, srtp_without_tls), 0, 0},
	{"srtp_suites", FIELD_OTHER, 0, 0, 0},
	{"registration_min_s", FIELD_U32, OF(config, registration_min_s), 1, 86400},
	{"registration_max_s", FIELD_U32, OF(config, registration_max_s), 10, 86400},
	{"failed_logins_max", FIELD_U16, OF(config, failed_logins_max), 1, 10000},
	{"phone_codecs", FIELD_OTHER, 0, 0, 0},
	{"trunk_codecs", FIELD_OTHER, 0, 0, 0},
	{"digest_sha256", FIELD_BOOL, OF(config, digest_sha256), 0, 0},
	{"comfort_noise", FIELD_BOOL, OF(config, comfort_noise), 0, 0},
};

static const struct field calls_fields[] = {
	{"max", FIELD_U32, OF(config, calls_max), 1, 1000000},
	{"longest_s", FIELD_U32, OF(config, call_max_s), 0, 604800},
	{"per_s", FIELD_U32, OF(config, calls_per_s), 1, 100000},
	{"per_s_source", FIELD_U32, OF(config, calls_per_s_source), 0, 100000},
	{"priority_step_s", FIELD_U32, OF(config, priority_step_s), 1, 86400},
};

static const struct field hotline_fields[] = {
	{"number", FIELD_NUMBER, OF(config_hotline, number), 0, 0},
	{"flow", FIELD_TEXT, OF(config_hotline, flow), 1, 1000},
	{"language", FIELD_NAME, OF(config_hotline, language), 0, 0},
	{"record", FIELD_OTHER, 0, 0, 0},
	{"record_percent", FIELD_U8, OF(config_hotline, record.percent), 1, 100},
};

static bool address_plausible(const char *address)
{
	size_t len = strlen(address);

	if (len == 0 || len > 45)
		return false;
	if (strchr(address, ':') != NULL)
		return address[strspn(address, "0123456789abcdefABCDEF:.")] == '\0';

	unsigned dots = 0, value = 0, digits = 0;

	for (const char *p = address; *p != '\0'; p++) {
		if (*p == '.') {
			if (digits == 0)
				return false;
			dots++;
			value = digits = 0;
		} else if (*p >= '0' && *p <= '9') {
			value = value * 10 + (unsigned)(*p - '0');
			if (++digits > 3 || value > 255)
				return false;
		} else {
			return false;
		}
	}
	return dots == 3 && digits > 0;
}

/* "udp:0.0.0.0:5060", "tcp:[::]:5060"; the port may be left out. */
static bool read_listen(const struct schema *s, const struct tree *t, struct config_listen *out)
{
	const char *text;

	if (!schema_text(s, t, "an address to listen on", 1, 80, &text))
		return false;

	struct config_listen l = {.port = 5060};
	const char *p = text + 4, *end, *colon;

	if (strncmp(text, "udp:", 4) == 0)
		l.transport = CONFIG_UDP;
	else if (strncmp(text, "tcp:", 4) == 0)
		l.transport = CONFIG_TCP;
	else if (strncmp(text, "tls:", 4) == 0)
		l = (struct config_listen){.transport = CONFIG_TLS, .port = 5061};
	else
		goto refuse;
	if (*p == '[') {
		p++;
		end = strchr(p, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			goto refuse;
		colon = end[1] == ':' ? end + 1 : NULL;
	} else {
		colon = strchr(p, ':');
		end = colon != NULL ? colon : p + strlen(p);
	}
	l.address = conf_arena_text(s->arena, p, (size_t)(end - p));
	if (!address_plausible(l.address))
		goto refuse;
	if (colon != NULL) {
		char *rest;
		unsigned long port = strtoul(colon + 1, &rest, 10);

		if (colon[1] < '0' || colon[1] > '9' || *rest != '\0' || port == 0 || port > 65535)
			goto refuse;
		l.port = (uint16_t)port;
	}
	*out = l;
	return true;
refuse:
	complain(s->c, COMPLAINT_ERROR, t->at,
		 "\"%s\" is no address to listen on; write \"udp:0.0.0.0:5060\" or "
		 "\"tcp:[::]:5060\" or \"tls:0.0.0.0:5061\"",
		 text);
	return false;
}

static void read_codecs(const struct schema *s, const struct tree *t, const char *what,
			struct config_codecs *out)
{
	static const char *const words[] = {"PCMA", "PCMU", "G722",     "opus",
					    "G729", "L16",  "L16/16000"};

	if (t == NULL || !schema_kind(s, t, what, TREE_LIST))
		return;
	if (t->n == 0 || t->n > CONFIG_CODECS_MAX) {
		complain(s->c, COMPLAINT_ERROR, t->at, "%s: one to %d codecs", what,
			 CONFIG_CODECS_MAX);
		return;
	}
	out->n = 0;
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		unsigned k = 0;

		if (!schema_word(s, m, what, words, COUNT(words), &k))
			continue;
		for (unsigned i = 0; i < out->n; i++)
			if (out->name[i] == words[k])
				complain(s->c, COMPLAINT_ERROR, m->at, "%s names %s twice", what,
					 words[k]);
		out->name[out->n++] = words[k];
	}
}

static void read_sip(const struct schema *s, const struct tree *t, struct config *c)
{
	if (t != NULL)
		schema_fill(s, t, sip_fields, COUNT(sip_fields), c);
	if (c->registration_min_s > c->registration_max_s)
		complain(s->c, COMPLAINT_ERROR, t->at,
			 "registration_min_s (%u) is more than registration_max_s (%u)",
			 (unsigned)c->registration_min_s, (unsigned)c->registration_max_s);

	read_codecs(s, tree_get(t, "phone_codecs"), "phone_codecs", &c->phone_codecs);
	read_codecs(s, tree_get(t, "trunk_codecs"), "trunk_codecs", &c->trunk_codecs);

	const struct tree *list = tree_get(t, "listen");

	if (list == NULL) {
		c->n_listen = 2;
		c->listen = conf_arena_array(s->arena, 2, sizeof(*c->listen));
		c->listen[0] = (struct config_listen){CONFIG_UDP, "0.0.0.0", 5060};
		c->listen[1] = (struct config_listen){CONFIG_TCP, "0.0.0.0", 5060};
		return;
	}
	if (!schema_kind(s, list, "listen", TREE_LIST))
		return;
	if (list->n == 0 || list->n > CONFIG_LISTEN_MAX) {
		complain(s->c, COMPLAINT_ERROR, list->at, "listen must name 1 to %d addresses",
			 CONFIG_LISTEN_MAX);
		return;
	}
	c->listen = conf_arena_array(s->arena, list->n, sizeof(*c->listen));
	for (const struct tree *m = list->first; m != NULL; m = m->next)
		if (read_listen(s, m, &c->listen[c->n_listen]))
			c->n_listen++;
}

static void read_hotlines(const struct schema *s, const struct tree *t, struct config *c)
{
	if (t == NULL || !schema_kind(s, t, "hotlines", TREE_LIST))
		return;
	if (t->n > CONFIG_HOTLINES_MAX) {
		complain(s->c, COMPLAINT_ERROR, t->at, "more than %d hotlines",
			 CONFIG_HOTLINES_MAX);
		return;
	}
	c->hotlines = conf_arena_array(s->arena, t->n, sizeof(*c->hotlines));
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		struct config_hotline h = {
			.language = "", .record = {CONFIG_RECORD_INHERIT, 0}, .at = m->at};

		if (!schema_fill(s, m, hotline_fields, COUNT(hotline_fields), &h))
			continue;
		config_read_record(s, m, &h.record);
		if (tree_get(m, "number") == NULL)
			complain(s->c, COMPLAINT_ERROR, m->at, "a hotline needs a \"number\"");
		if (tree_get(m, "flow") == NULL)
			complain(s->c, COMPLAINT_ERROR, m->at,
				 "a hotline needs a \"flow\": a file name, or \"example\"");
		if (h.number == NULL || h.flow == NULL)
			continue;
		if (config_hotline_find(c, h.number) != NULL)
			complain(s->c, COMPLAINT_ERROR, m->at, "hotline %s is there twice",
				 h.number);
		else
			c->hotlines[c->n_hotlines++] = h;
	}
}

void config_read_any_secret(const struct schema *s, const struct tree *t, const char *const keys[3],
			    struct config_secret *out)
{
	unsigned given = 0;

	*out = (struct config_secret){CONFIG_SECRET_NONE, ""};
	for (unsigned i = 0; i < 3; i++) {
		const struct tree *m = tree_get(t, keys[i]);
		const char *text;

		if (m == NULL)
			continue;
		if (given++ > 0) {
			complain(s->c, COMPLAINT_ERROR, m->key_at, "only one of %s, %s and %s",
				 keys[0], keys[1], keys[2]);
			return;
		}
		if (s->show != NULL)
			config_show_secret(s->show, m, i);
		if (schema_text(s, m, keys[i], 1, i == 2 ? 1000 : 127, &text))
			*out = (struct config_secret){
				(enum config_secret_kind)(CONFIG_SECRET_TEXT + (int)i), text};
	}
}

void config_read_record(const struct schema *s, const struct tree *t,
			struct config_record_rule *out)
{
	const struct tree *m = tree_get(t, "record");
	unsigned i;

	if (m != NULL && schema_word(s, m, "record", record_names, COUNT(record_names), &i))
		out->mode = (enum config_record)i;
}

void config_read_secret(const struct schema *s, const struct tree *t, struct config_secret *out)
{
	static const char *const keys[] = {"password", "password_env", "password_file"};

	config_read_any_secret(s, t, keys, out);
}

/* A number leads to one thing only. */
static void numbers_are_apart(const struct schema *s, const struct config *c)
{
	for (unsigned i = 0; i < c->n_hotlines; i++)
		if (config_agent_find(c, c->hotlines[i].number) != NULL)
			complain(s->c, COMPLAINT_ERROR, c->hotlines[i].at,
				 "%s is a hotline and an agent", c->hotlines[i].number);
	for (unsigned i = 0; i < c->n_queues; i++) {
		const struct config_queue *q = &c->queues[i];

		if (q->number[0] == '\0')
			continue;
		if (config_agent_find(c, q->number) != NULL)
			complain(s->c, COMPLAINT_ERROR, q->at,
				 "%s is the number of queue \"%s\" and of an agent", q->number,
				 q->name);
		if (config_hotline_find(c, q->number) != NULL)
			complain(s->c, COMPLAINT_ERROR, q->at,
				 "%s is the number of queue \"%s\" and a hotline", q->number,
				 q->name);
		if (config_queue_by_number(c, q->number) != q)
			complain(s->c, COMPLAINT_ERROR, q->at, "%s is the number of two queues",
				 q->number);
	}
}

static void read_root(const struct schema *s, const struct tree *t, struct config *c)
{
	static const char *const levels[] = {"error", "warn", "info", "debug"};
	const struct tree *m;
	unsigned i;

	if (!schema_fill(s, t, root_fields, COUNT(root_fields), c))
		return;
	m = tree_get(t, "log_level");
	if (m != NULL && schema_word(s, m, "log_level", levels, COUNT(levels), &i))
		c->log_level = levels[i];
	config_read_record(s, t, &c->record);
	m = tree_get(t, "record_unavailable");
	if (m != NULL &&
	    schema_word(s, m, "record_unavailable", unrecorded_names, COUNT(unrecorded_names), &i))
		c->record_unavailable = (enum config_unrecorded)i;
	m = tree_get(t, "calls");
	if (m != NULL)
		schema_fill(s, m, calls_fields, COUNT(calls_fields), c);
	read_sip(s, tree_get(t, "sip"), c);
	config_read_srtp(s, tree_get(t, "sip"), &c->srtp);
	config_read_srtp_suites(s, tree_get(t, "sip"), c);
	if (tree_get(t, "sip") != NULL)
		config_check_srtp(s, tree_get(t, "sip"), c);
	read_hotlines(s, tree_get(t, "hotlines"), c);
	config_read_trunks(s, tree_get(t, "trunks"), c);
	config_read_calendars(s, tree_get(t, "calendars"), c);
	config_read_queues(s, tree_get(t, "queues"), c);
	config_read_people(s, tree_get(t, "agents"), tree_get(t, "supervisors"), c);
	config_read_reasons(s, tree_get(t, "not_ready_reasons"), c);
	config_read_features(s, tree_get(t, "feature_codes"), c);
	config_read_conduct(s, tree_get(t, "conduct"), c);
	config_read_notify(s, tree_get(t, "notify"), c);
	config_read_numbers(s, tree_get(t, "numbers"), c);
	config_read_customers(s, tree_get(t, "customers"), c);
	config_read_knowledge(s, tree_get(t, "knowledge"), c);
	config_read_targets(s, tree_get(t, "targets"), c);
	config_read_keep(s, tree_get(t, "keep_days"), c);
	config_read_archive(s, tree_get(t, "archive"), c);
	config_read_not_ready(s, tree_get(t, "not_ready"), c);
	if (tree_get(t, "time_zone") != NULL)
		config_read_zone(s, tree_get(t, "time_zone"), &c->time_zone);
	config_read_parking(s, tree_get(t, "parking"), c);
	numbers_are_apart(s, c);
	config_check_parking(s, tree_get(t, "parking"), c);
	config_read_emergency(s, tree_get(t, "emergency"), c);
	config_read_conferences(s, tree_get(t, "conferences"), c);
	config_check_conferences(s, c);
}

int config_load(const char *text, size_t len, const char *name, struct config **out,
		struct complaints *complaints)
{
	return config_load_shown(text, len, name, NULL, out, complaints);
}

int config_load_shown(const char *text, size_t len, const char *name, struct config_show *show,
		      struct config **out, struct complaints *complaints)
{
	complaints_init(complaints, name);
	if (len > CONFIG_TEXT_MAX) {
		complain(complaints, COMPLAINT_ERROR, (struct mark){0}, "longer than %d bytes",
			 CONFIG_TEXT_MAX);
		return -E2BIG;
	}

	struct conf_arena *arena = conf_arena_open();
	struct schema s = {.arena = arena, .c = complaints, .show = show};
	struct tree *root = NULL;
	struct config *c = conf_arena_get(arena, sizeof(*c));
	int rc = tree_read(text, len, arena, &root, complaints);

	if (rc == 0) {
		*c = defaults;
		c->arena = arena;
		if (show != NULL)
			config_show_begin(show, arena, root);
		read_root(&s, root, c);
		if (show != NULL)
			config_show_rest(show, root);
		rc = complaints->errors > 0 ? -EINVAL : 0;
	}
	if (rc != 0) {
		conf_arena_close(arena);
		return rc;
	}
	*out = c;
	return 0;
}

void config_free(struct config *c)
{
	if (c != NULL)
		conf_arena_close(c->arena);
}

const struct config_queue *config_queue_find(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->n_queues; i++)
		if (strcmp(c->queues[i].name, name) == 0)
			return &c->queues[i];
	return NULL;
}

const struct config_queue *config_queue_by_number(const struct config *c, const char *number)
{
	for (unsigned i = 0; i < c->n_queues; i++)
		if (number[0] != '\0' && strcmp(c->queues[i].number, number) == 0)
			return &c->queues[i];
	return NULL;
}

const struct config_agent *config_agent_find(const struct config *c, const char *number)
{
	uint32_t from = 0, to = c->by_number != NULL ? c->n_agents : 0;

	while (from < to) {
		uint32_t mid = from + (to - from) / 2;
		const struct config_agent *a = &c->agents[c->by_number[mid]];
		int order = strcmp(number, a->number);

		if (order == 0)
			return a;
		if (order < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return NULL;
}

const struct config_hotline *config_hotline_find(const struct config *c, const char *number)
{
	for (unsigned i = 0; i < c->n_hotlines; i++)
		if (strcmp(c->hotlines[i].number, number) == 0)
			return &c->hotlines[i];
	return NULL;
}

const struct hours *config_calendar_find(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->n_calendars; i++)
		if (strcmp(c->calendars[i].name, name) == 0)
			return &c->calendars[i];
	return NULL;
}

const struct config_reason *config_reason_find(const struct config *c, uint8_t code)
{
	for (unsigned i = 0; i < c->n_reasons; i++)
		if (c->reasons[i].code == code)
			return &c->reasons[i];
	return NULL;
}
