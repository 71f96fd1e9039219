/* The sections of patchbay.yaml, a reader each; shared by the files of this module only.
 *
 * Each takes the value of its key, or NULL when the key is absent, and fills its part of `c`.
 */
#ifndef CONF_CONFIG_PRIV_H
#define CONF_CONFIG_PRIV_H

#include "conf/config.h"
#include "conf/schema.h"

/* config.c: the same as config_load(), telling `show` (may be NULL) of every value. */
struct config_show;
int config_load_shown(const char *text, size_t len, const char *name, struct config_show *show,
		      struct config **out, struct complaints *complaints);

/* config_people.c */
void config_read_queues(const struct schema *s, const struct tree *t, struct config *c);
void config_read_people(const struct schema *s, const struct tree *agents,
			const struct tree *supervisors, struct config *c);
void config_read_reasons(const struct schema *s, const struct tree *t, struct config *c);
void config_read_features(const struct schema *s, const struct tree *t, struct config *c);

/* config_desk.c */
void config_read_not_ready(const struct schema *s, const struct tree *t, struct config *c);
/* The keys budget_min, budget_percent and refuse of the map `t`. */
void config_read_budget(const struct schema *s, const struct tree *t, struct config_budget *out);
void config_read_parking(const struct schema *s, const struct tree *t, struct config *c);
/* The key `remote` of an agent's map. */
void config_read_remote(const struct schema *s, const struct tree *agent,
			struct config_remote *out);
void config_read_emergency(const struct schema *s, const struct tree *t, struct config *c);
/* Once everything that has a number is read. */
void config_check_parking(const struct schema *s, const struct tree *t, const struct config *c);

/* config_conference.c; the second once everything that has a number is read */
void config_read_conferences(const struct schema *s, const struct tree *t, struct config *c);
void config_check_conferences(const struct schema *s, const struct config *c);

/* config_notify.c; once the people are read */
/* "2026-10-01" to its hours_day_number(). */
bool config_read_date(const struct schema *s, const struct tree *t, int32_t *out);
void config_read_targets(const struct schema *s, const struct tree *t, struct config *c);
void config_read_notify(const struct schema *s, const struct tree *t, struct config *c);

/* config_hours.c */
void config_read_calendars(const struct schema *s, const struct tree *t, struct config *c);
/* The zone that the text `t` names, into the three members of `h`. */
void config_read_zone(const struct schema *s, const struct tree *t, struct hours *h);

/* config_trunk.c */
void config_read_trunks(const struct schema *s, const struct tree *t, struct config *c);
/* config_numbers.c, config_knowledge.c */
void config_read_numbers(const struct schema *s, const struct tree *t, struct config *c);
void config_read_customers(const struct schema *s, const struct tree *t, struct config *c);
void config_read_knowledge(const struct schema *s, const struct tree *t, struct config *c);
/* config_watch.c: `conduct`, `keep_days`, and the keys overlong_..._s of a queue's map. */
void config_read_conduct(const struct schema *s, const struct tree *t, struct config *c);
void config_read_keep(const struct schema *s, const struct tree *t, struct config *c);
void config_read_overlong(const struct schema *s, const struct tree *t, struct config_queue *q);

/* config_archive.c */
void config_read_archive(const struct schema *s, const struct tree *t, struct config *c);

/* A secret under one of three keys: the text itself, an environment variable, a file. */
void config_read_any_secret(const struct schema *s, const struct tree *t, const char *const keys[3],
			    struct config_secret *out);

/* config_srtp.c: the key `srtp` of the map `t`; `srtp_suites`; and what must fit together in `sip`. */
void config_read_srtp(const struct schema *s, const struct tree *t, enum config_srtp *out);
void config_read_srtp_suites(const struct schema *s, const struct tree *t, struct config *c);
void config_check_srtp(const struct schema *s, const struct tree *sip, const struct config *c);

/* The secret of a person or a trunk: one of the keys `password`, `password_env`,
 * `password_file` of the map `t`. */
void config_read_secret(const struct schema *s, const struct tree *t, struct config_secret *out);

/* The keys `record` and `record_percent` of the map `t`: the first is read here, the second is a plain
 * field of each section. */
void config_read_record(const struct schema *s, const struct tree *t,
			struct config_record_rule *out);

#endif
