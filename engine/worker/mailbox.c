/* SPDX-License-Identifier: Apache-2.0
 *
 * The mailbox: commands in, events out.
 *
 * Room in the event ring is shared out so that nothing that must arrive can be crowded out:
 *
 *   |<------------------------------ WORKER_EVENTS ------------------------------>|
 *   | news: keys, first packets, timeouts               | EVENTS_FOR_DONE         |
 *   |                                                   | endings | a command's   |
 *
 * News stop when only EVENTS_FOR_DONE places are left and are counted as lost. Endings that come
 * by themselves stop at EVENTS_FOR_COMMAND_MAX and wait in the leg. A command is only taken while
 * that many places are free, which is more than any one command can cause; until then commands wait
 * in their ring.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "path/capture.h"
#include "port/port.h"
#include "worker/worker_priv.h"

int worker_command_send(struct worker *w, const struct worker_command *c)
{
	if (!spsc_put(&w->command, c))
		return -EAGAIN;
	worker_wake(w);
	return 0;
}

bool worker_event_recv(struct worker *w, struct worker_event *e)
{
	return spsc_get(&w->event, e);
}

void worker_wake(struct worker *w)
{
	bell_ring(w->cfg.lane->bell);
}

static void put(struct worker *w, const struct worker_event *e)
{
	must(spsc_put(&w->event, e));
	w->events_put = true;
}

void worker_event_put(struct worker *w, const struct worker_event *e)
{
	if (spsc_room(&w->event) <= EVENTS_FOR_DONE)
		worker_count(&w->events_lost, 1);
	else
		put(w, e);
}

bool mailbox_done(struct worker *w, const struct worker_event *e)
{
	uint32_t keep = w->in_command ? 1 : EVENTS_FOR_COMMAND_MAX;

	if (spsc_room(&w->event) <= keep) {
		must(!w->in_command);
		return false;
	}
	put(w, e);
	return true;
}

/* One line per command: the table of contents of command_*.c. */
static int carry_out(struct worker *w, const struct worker_command *c, struct worker_event *e)
{
	switch (c->kind) {
	case COMMAND_CALL_OPEN:
		return command_call_open(w, c);
	case COMMAND_CALL_CLOSE:
		return command_call_close(w, c);
	case COMMAND_ROOM_MEMBER:
		return command_room_member(w, c);
	case COMMAND_CALL_HEAR:
		return command_call_hear(w, c);
	case COMMAND_LEG_OPEN:
		return command_leg_open(w, c);
	case COMMAND_LEG_SET:
		return command_leg_set(w, c);
	case COMMAND_LEG_CLOSE:
		return command_leg_close(w, c, e);
	case COMMAND_LEG_STAT:
		return command_leg_stat(w, c, e);
	case COMMAND_PLAY_START:
		return command_play_start(w, c);
	case COMMAND_PLAY_STOP:
		return command_play_stop(w, c);
	case COMMAND_PLAY_SET:
		return command_play_set(w, c);
	case COMMAND_COLLECT_START:
		return command_collect_start(w, c);
	case COMMAND_COLLECT_STOP:
		return command_collect_stop(w, c);
	case COMMAND_DTMF_SEND:
		return command_dtmf_send(w, c);
	case COMMAND_RECORD_START:
	case COMMAND_RECORD_STOP:
	case COMMAND_RECORD_PAUSE:
	case COMMAND_RECORD_RESUME:
	case COMMAND_RECORD_MARK:
	case COMMAND_RECORD_MASK:
		return command_record(w, c, e);
	case COMMAND_MONITOR_SET:
		return command_monitor_set(w, c);
	case COMMAND_NEIGHBOUR:
		return command_neighbour(w, c);
	case COMMAND_CAPTURE_SET:
		w->capture = c->capture;
		if (w->capture != NULL)
			w->capture->call = c->call;
		return 0;
	}
	return -ENOTSUP;
}

unsigned mailbox_take(struct worker *w, unsigned max)
{
	unsigned n = 0;

	for (; n < max; n++) {
		struct worker_command c;
		struct worker_event e;

		if (spsc_room(&w->event) < EVENTS_FOR_COMMAND_MAX || !spsc_get(&w->command, &c))
			break;
		memset(&e, 0, sizeof(e));
		e.kind = EVENT_REPLY;
		e.token = c.token;
		e.call = c.call;
		e.leg = c.leg;
		w->in_command = true;
		e.result = carry_out(w, &c, &e);
		if (c.token != 0)
			put(w, &e);
		w->in_command = false;
	}
	return n;
}

void mailbox_flush(struct worker *w)
{
	uint64_t one = 1;

	if (!w->events_put)
		return;
	w->events_put = false;
	if (w->cfg.main_fd >= 0) {
		/* A full eventfd has already woken whom it should. */
		ssize_t done = write(w->cfg.main_fd, &one, sizeof(one));

		(void)done;
	}
}
