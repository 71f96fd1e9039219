/* SPDX-License-Identifier: Apache-2.0 */
#include "call/pop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "customer/number.h"
#include "store/customers.h"

enum { POP_CUSTOMERS_MAX = 10 };

struct question {
	struct centre *centre;
	json_t *event;
};

/* Whose number the agent is interested in: the one outside. */
static const char *outside(const struct call *call)
{
	bool made = call->record.kind == CALL_OUT || call->record.kind == CALL_CALLBACK;

	return made ? call->record.to : call->record.from;
}

static void tell(struct question *q, const json_t *result)
{
	const json_t *list = json_object_get(result, "customers");

	json_object_set_new(q->event, "customers",
			    list != NULL ? json_deep_copy(list) : json_null());
	json_object_set_new(q->event, "more",
			    json_boolean(json_is_true(json_object_get(result, "more"))));
	centre_publish(q->centre, "pop", q->event);
	free(q);
}

static void on_customers(void *arg, const json_t *result, const char *error)
{
	if (error != NULL)
		log_warn("customer", "who calls cannot be looked up: %s", error);
	tell(arg, result);
}

void pop_ring(const struct party *p)
{
	const struct call *call = p->call;
	struct centre *c = call->centre;
	const char *number = outside(call);
	bool withheld = call_withheld(call), known;
	char canonical[NUMBER_CANONICAL_MAX];
	struct question *q;
	json_t *filter;

	if (p->agent < 0 || config_agent_find(c->config, number) != NULL)
		return;
	q = malloc(sizeof(*q));
	if (q == NULL)
		return;
	known = !withheld && number_canonical(&c->config->numbers, number, canonical);
	*q = (struct question){
		.centre = c,
		.event = json_pack("{s:s,s:s,s:s,s:s?,s:s?,s:b}", "call", call->id, "agent",
				   p->number, "queue", call->record.queue, "number",
				   withheld ? NULL : number, "canonical", known ? canonical : NULL,
				   "withheld", withheld),
	};
	if (!known || c->store == NULL) {
		tell(q, NULL);
		return;
	}
	filter = json_pack("{s:s,s:i}", "number", canonical, "limit", POP_CUSTOMERS_MAX);
	if (store_customers_find(c->store, filter, on_customers, q) != 0)
		tell(q, NULL);
}
