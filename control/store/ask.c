/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop's side of reading: a question with its texts into the reader's queue.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "store/store_priv.h"

void store_question_free(struct question *q)
{
	json_decref(q->result);
	json_decref(q->json);
	free(q);
}

static const char *keep(char **at, const char *s)
{
	size_t n;
	char *start = *at;

	if (s == NULL)
		return NULL;
	n = strlen(s) + 1;
	memcpy(start, s, n);
	*at += n;
	return start;
}

static size_t len(const char *s)
{
	return s ? strlen(s) + 1 : 0;
}

int store_ask_question(struct store *store, struct question *q)
{
	bool fits;

	pthread_mutex_lock(&store->lock);
	fits = store->question_count < STORE_ASK_MAX;
	if (fits) {
		store->question_count++;
		*store->questions_tail = q;
		store->questions_tail = &q->next;
		pthread_cond_signal(&store->questions_wait);
	}
	pthread_mutex_unlock(&store->lock);
	if (!fits)
		store_question_free(q);
	return fits ? 0 : -ENOBUFS;
}

int store_report(struct store *store, const struct store_report *r, store_answer_fn *fn, void *arg)
{
	size_t borders = r->borders * sizeof(*r->border);
	size_t aliases = r->aliases * sizeof(*r->alias);
	struct question *q;
	char *at;

	must(r->borders >= 2 && r->borders <= STORE_BORDERS_MAX);
	q = calloc(1, sizeof(*q) + borders + aliases + 16 + len(r->key));
	if (q == NULL)
		return -ENOBUFS;
	q->kind = STORE_ASK_REPORT;
	q->fn = fn;
	q->arg = arg;
	q->report = *r;
	at = q->text + (8 - (uintptr_t)q->text % 8) % 8;
	memcpy(at, r->border, borders);
	q->report.border = (const uint64_t *)(const void *)at;
	at += borders;
	if (aliases > 0)
		memcpy(at, r->alias, aliases);
	q->report.alias = r->alias ? (const struct store_alias *)(const void *)at : NULL;
	at += aliases;
	q->report.key = keep(&at, r->key);
	return store_ask_question(store, q);
}

struct question *store_question(enum store_question kind, json_t *json, store_answer_fn *fn,
				void *arg)
{
	struct question *q = calloc(1, sizeof(*q));

	if (q == NULL) {
		json_decref(json);
		return NULL;
	}
	q->kind = kind;
	q->fn = fn;
	q->arg = arg;
	q->json = json;
	return q;
}

int store_ask(struct store *store, enum store_question kind, const struct store_filter *f,
	      store_answer_fn *fn, void *arg)
{
	struct question *q;
	char *at;

	q = calloc(1, sizeof(*q) + len(f->call) + len(f->agent) + len(f->queue) + len(f->number) +
			      len(f->kind) + len(f->after));
	if (q == NULL)
		return -ENOBUFS;
	q->kind = kind;
	q->fn = fn;
	q->arg = arg;
	q->filter = *f;
	at = q->text;
	q->filter.call = keep(&at, f->call);
	q->filter.agent = keep(&at, f->agent);
	q->filter.queue = keep(&at, f->queue);
	q->filter.number = keep(&at, f->number);
	q->filter.kind = keep(&at, f->kind);
	q->filter.after = keep(&at, f->after);
	return store_ask_question(store, q);
}
