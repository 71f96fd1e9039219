/* SPDX-License-Identifier: Apache-2.0
 *
 * A row of the matrix is a word of 16 bits; a monitor adds bits to at most three rows, and while it
 * coaches takes one away, at the moment of reading. Nothing that a monitor does is ever stored in the matrix, so nothing has to be
 * undone.
 */
#include "call/hear.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static bool is_open(const struct hear *h, uint8_t slot)
{
	return slot < CALL_LEGS_MAX && (h->open >> slot & 1);
}

static uint16_t bit(uint8_t slot)
{
	return (uint16_t)(slot < CALL_LEGS_MAX ? 1U << slot : 0);
}

void hear_init(struct hear *h)
{
	memset(h, 0, sizeof(*h));
}

static void forget(struct hear *h, uint8_t slot)
{
	for (unsigned i = 0; i < CALL_LEGS_MAX; i++) {
		h->base[i] &= (uint16_t)~bit(slot);
		h->gain_cb[i][slot] = 0;
		h->gain_cb[slot][i] = 0;
	}
	h->base[slot] = 0;
}

void hear_leg_open(struct hear *h, uint8_t slot)
{
	if (slot >= CALL_LEGS_MAX)
		return;
	forget(h, slot);
	h->open |= bit(slot);
}

unsigned hear_leg_close(struct hear *h, uint8_t slot, uint64_t *ended)
{
	unsigned n = 0;

	if (!is_open(h, slot))
		return 0;
	forget(h, slot);
	h->open &= (uint16_t)~bit(slot);
	for (unsigned i = 0; i < HEAR_MONITORS_MAX; i++) {
		struct hear_monitor *m = &h->monitor[i];

		if (m->id == 0)
			continue;
		if (m->supervisor == slot) {
			ended[n++] = m->id;
			m->id = 0;
		} else if (m->agent == slot) {
			m->agent = HEAR_NONE;
		} else if (m->customer == slot) {
			m->customer = HEAR_NONE;
		}
	}
	return n;
}

void hear_clear(struct hear *h)
{
	memset(h->base, 0, sizeof(h->base));
	memset(h->gain_cb, 0, sizeof(h->gain_cb));
}

void hear_clear_row(struct hear *h, uint8_t listener)
{
	if (listener >= CALL_LEGS_MAX)
		return;
	h->base[listener] = 0;
	memset(h->gain_cb[listener], 0, sizeof(h->gain_cb[listener]));
}

int hear_set(struct hear *h, uint8_t listener, uint8_t speaker, int16_t gain_cb)
{
	if (!is_open(h, listener) || !is_open(h, speaker) || listener == speaker)
		return -EINVAL;
	if (gain_cb < HEAR_GAIN_CB_MIN)
		gain_cb = HEAR_GAIN_CB_MIN;
	if (gain_cb > HEAR_GAIN_CB_MAX)
		gain_cb = HEAR_GAIN_CB_MAX;
	h->base[listener] |= bit(speaker);
	h->gain_cb[listener][speaker] = gain_cb;
	return 0;
}

static struct hear_monitor *find(struct hear *h, uint64_t id)
{
	for (unsigned i = 0; i < HEAR_MONITORS_MAX && id != 0; i++)
		if (h->monitor[i].id == id)
			return &h->monitor[i];
	return NULL;
}

int hear_monitor_start(struct hear *h, uint64_t id, uint8_t supervisor, uint8_t agent,
		       uint8_t customer, enum monitor_mode mode)
{
	if (id == 0 || mode == MONITOR_OFF || !is_open(h, supervisor) || !is_open(h, agent) ||
	    !is_open(h, customer) || supervisor == agent || supervisor == customer ||
	    agent == customer)
		return -EINVAL;
	if (find(h, id) != NULL)
		return -EEXIST;
	for (unsigned i = 0; i < HEAR_MONITORS_MAX; i++) {
		if (h->monitor[i].id != 0)
			continue;
		h->monitor[i] = (struct hear_monitor){
			.id = id,
			.supervisor = supervisor,
			.agent = agent,
			.customer = customer,
			.mode = mode,
		};
		return 0;
	}
	return -ENOSPC;
}

int hear_monitor_mode(struct hear *h, uint64_t id, enum monitor_mode mode)
{
	struct hear_monitor *m = find(h, id);

	if (m == NULL)
		return -ENOENT;
	m->mode = mode;
	if (mode == MONITOR_OFF)
		m->id = 0;
	return 0;
}

int hear_monitor_stop(struct hear *h, uint64_t id)
{
	return hear_monitor_mode(h, id, MONITOR_OFF);
}

/* What a monitor adds to a row. */
static uint16_t overlay(const struct hear_monitor *m, uint8_t listener)
{
	if (listener == m->supervisor)
		return bit(m->agent) | bit(m->customer);
	if (listener == m->agent && m->mode != MONITOR_LISTEN)
		return bit(m->supervisor);
	if (listener == m->customer && m->mode == MONITOR_BARGE)
		return bit(m->supervisor);
	return 0;
}

/* What it takes away: the agent's words are for the supervisor. */
static uint16_t hidden(const struct hear_monitor *m, uint8_t listener)
{
	return m->mode == MONITOR_COACH && listener == m->customer ? bit(m->agent) : 0;
}

uint16_t hear_row(const struct hear *h, uint8_t listener, int16_t gain_cb[CALL_LEGS_MAX])
{
	memset(gain_cb, 0, CALL_LEGS_MAX * sizeof(*gain_cb));
	if (!is_open(h, listener))
		return 0;

	uint16_t row = h->base[listener];

	for (unsigned s = 0; s < CALL_LEGS_MAX; s++)
		if (row >> s & 1)
			gain_cb[s] = h->gain_cb[listener][s];
	for (unsigned i = 0; i < HEAR_MONITORS_MAX; i++)
		if (h->monitor[i].id != 0)
			row |= overlay(&h->monitor[i], listener);
	for (unsigned i = 0; i < HEAR_MONITORS_MAX; i++)
		if (h->monitor[i].id != 0)
			row &= (uint16_t)~hidden(&h->monitor[i], listener);
	return row & h->open;
}
