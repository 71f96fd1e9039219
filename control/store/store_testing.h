/* For tests of the store: a database in a directory of its own, and answers that are waited for.
 *
 * For tests only.
 */
#ifndef STORE_STORE_TESTING_H
#define STORE_STORE_TESTING_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "store/store.h"

struct place {
	char dir[64];
	char file[96], copy[96]; /* the database; where a backup goes */
};

static inline void place_make(struct place *p)
{
	snprintf(p->dir, sizeof(p->dir), "/tmp/patchbay-store-XXXXXX");
	check(mkdtemp(p->dir) != NULL);
	snprintf(p->file, sizeof(p->file), "%s/patchbay.db", p->dir);
	snprintf(p->copy, sizeof(p->copy), "%s/copy.db", p->dir);
}

static inline void place_remove(const struct place *p)
{
	char cmd[160];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", p->dir);
	check(system(cmd) == 0);
}

static inline struct store *open_store(const struct place *p)
{
	struct store *s = NULL;
	char why[256] = "";

	check_int(store_open(&s, p->file, why, sizeof(why)), 0);
	return s;
}

/* Until every row that was put is written. */
static inline void settle(struct store *s)
{
	struct store_status st;

	for (int i = 0; i < 60000; i++) { /* a busy disk is no fault */
		store_status(s, &st);
		if (st.waiting == 0)
			return;
		usleep(1000);
	}
	check(!"rows were not written within a minute");
}

struct reply {
	json_t *result;
	char error[200];
	int calls;
};

static inline void keep_reply(void *arg, const json_t *result, const char *error)
{
	struct reply *r = arg;

	r->calls++;
	r->result = result ? json_deep_copy(result) : NULL;
	snprintf(r->error, sizeof(r->error), "%s", error ? error : "");
}

static inline void wait_reply(struct store *s, struct reply *r)
{
	struct pollfd p = {.fd = store_fd(s), .events = POLLIN};

	for (int i = 0; i < 100 && r->calls == 0; i++) {
		check_int(poll(&p, 1, 20000), 1);
		store_dispatch(s);
	}
	check_int(r->calls, 1);
}

/* JSON in which ' stands for ". */
static inline json_t *quoted_json(const char *text)
{
	char *copy = strdup(text);
	json_t *v;

	check(copy != NULL);
	for (char *p = copy; *p != '\0'; p++)
		*p = *p == '\'' ? '"' : *p;
	v = json_loads(copy, 0, NULL);
	free(copy);
	check(v != NULL);
	return v;
}

/* Room for the next answer. */
static inline void forget_reply(struct reply *r)
{
	json_decref(r->result);
	*r = (struct reply){0};
}

/* What was asked, with `err`, is answered without an error. */
static inline void answered(struct store *s, struct reply *r, int err)
{
	check_int(err, 0);
	wait_reply(s, r);
	check_str(r->error, "");
}

static inline int reply_count(const struct reply *r, const char *member)
{
	return (int)json_integer_value(json_object_get(r->result, member));
}

#endif
