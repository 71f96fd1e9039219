/* SPDX-License-Identifier: Apache-2.0
 *
 * Each slot is a doubly linked list through link[]; new items go to its front.
 */
#include "worker/wheel.h"

#include "base/must.h"

void wheel_init(struct wheel *wh, uint32_t slots, struct wheel_link *link)
{
	must(slots > 0 && slots <= WHEEL_SLOTS_MAX);
	*wh = (struct wheel){.slots = slots, .link = link};
	for (uint32_t i = 0; i < WHEEL_SLOTS_MAX; i++)
		wh->head[i] = WHEEL_NONE;
}

void wheel_add(struct wheel *wh, uint32_t item, uint32_t slot)
{
	struct wheel_link *l = &wh->link[item];

	must(!l->inside && slot < wh->slots);
	*l = (struct wheel_link){
		.next = wh->head[slot], .prev = WHEEL_NONE, .slot = (uint16_t)slot, .inside = true};
	if (l->next != WHEEL_NONE)
		wh->link[l->next].prev = item;
	wh->head[slot] = item;
	wh->held[slot]++;
	wh->occupied[slot / 64] |= UINT64_C(1) << (slot % 64);
	wh->items++;
}

void wheel_remove(struct wheel *wh, uint32_t item)
{
	struct wheel_link *l = &wh->link[item];

	if (!l->inside)
		return;
	if (l->prev != WHEEL_NONE)
		wh->link[l->prev].next = l->next;
	else
		wh->head[l->slot] = l->next;
	if (l->next != WHEEL_NONE)
		wh->link[l->next].prev = l->prev;
	if (--wh->held[l->slot] == 0)
		wh->occupied[l->slot / 64] &= ~(UINT64_C(1) << (l->slot % 64));
	wh->items--;
	*l = (struct wheel_link){0};
}

uint32_t wheel_quiet(const struct wheel *wh, uint32_t near)
{
	uint32_t best = near % wh->slots;

	for (uint32_t i = 1; i < wh->slots; i++) {
		uint32_t slot = (near + i) % wh->slots;

		if (wh->held[slot] < wh->held[best])
			best = slot;
	}
	return best;
}

uint32_t wheel_ahead(const struct wheel *wh, uint64_t ms)
{
	uint32_t at = (uint32_t)(ms % wh->slots);

	if (wh->items == 0)
		return UINT32_MAX;
	for (uint32_t i = 0; i < wh->slots;) {
		uint32_t slot = at + i < wh->slots ? at + i : at + i - wh->slots;
		uint64_t rest = wh->occupied[slot / 64] >> (slot % 64);

		if (rest == 0) {
			/* To the next word, or to the wheel's end, whichever is first. */
			uint32_t step = 64 - slot % 64;

			i += slot + step > wh->slots ? wh->slots - slot : step;
			continue;
		}
		return i + (uint32_t)__builtin_ctzll(rest);
	}
	return UINT32_MAX;
}
