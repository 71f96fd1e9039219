/* Customers: who they are, their numbers in one form (customer/number.h), and fields that the centre makes up.
 *
 * Reads and writes are questions like those of store.h. A write is answered when it is on the disk; it is whole or
 * not at all, and each of its rows is judged by itself.
 *
 * Thread: libre's loop.
 */
#ifndef STORE_CUSTOMERS_H
#define STORE_CUSTOMERS_H

#include "store/store.h"

/* clang-format off */
enum {
	STORE_CUSTOMER_ROWS_MAX = 500,   /* of one write */
	STORE_CUSTOMER_NUMBERS_MAX = 16, /* of one customer */
	STORE_CUSTOMER_FIELDS_MAX = 64,
};
/* clang-format on */

/* Write. `rows`, which the call takes, is a list of
 *
 *	{do: "put", customer?, name?, numbers?: [TEXT], fields?: {NAME: TEXT|null}, new_id, duplicates, at_ms, line?}
 *	{do: "delete", customer, line?}
 *	{do: "refuse", why, line?}                       a row that was found to be bad before, for the account
 *
 * A put with `customer` changes that one: members that are not there stay, a field that is null goes. Without it a new
 * one gets the id `new_id`; when one of its numbers is another's, `duplicates` says what then: "refuse" it, "update"
 * the other one (name and fields are replaced, numbers added; refused when several have such a number), or "allow" two.
 *
 * Answer: {added, updated, deleted, refused, rows: [{line, customer, done: "added"|"updated"|"deleted"|"refused", why}]}.
 * Returns as store_ask(). */
int store_customers_write(struct store *store, json_t *rows, store_answer_fn *fn, void *arg);

/* Read. `filter`, which the call takes: {customer?, number? (its one form), text? (part of the name, a number or a field's
 * value, whatever the case), field?, value? (a field that is so), sort: [NAME, up to two; "-NAME" descends], limit, offset,
 * after?: the page behind this id ("": the first) in order of the ids, which is how all of them are read}.
 * NAME is "name", "created", "changed" or a field. Answer: {customers: [{customer, name, numbers, fields, created_ms,
 * changed_ms}], more}. Returns as store_ask(). */
int store_customers_find(struct store *store, json_t *filter, store_answer_fn *fn, void *arg);

#endif
