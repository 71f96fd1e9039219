/* A bell that wakes one sleeper, and costs its ringers next to nothing while nobody sleeps.
 *
 * The sleeper says bell_drowse(), looks once more at everything it could be woken for, and only
 * then sleeps on `fd` (readable when the bell has been rung), and says bell_wake() afterwards.
 * A ringer first publishes what the sleeper shall find and then calls bell_ring(). Both sides have a full
 * fence between their store and their load, so at least one of them sees the other: either the sleeper
 * finds the work or the ringer finds it drowsing. Waking costs the ringer a system call
 * (some microseconds); ring once per batch, never per packet.
 *
 * Thread: one sleeper; ringers: any.
 */
#ifndef PORT_BELL_H
#define PORT_BELL_H

#include <stdatomic.h>
#include <stdbool.h>

struct bell {
	_Atomic bool drowsy; /* written by both sides */
	int fd;              /* eventfd */
};

/* Returns 0 or negative errno. */
int bell_init(struct bell *b);
void bell_fini(struct bell *b);

/* Sleeper: from now on ringers write to `fd`. Look at all your sources after this. */
void bell_drowse(struct bell *b);

/* Sleeper: awake again; forgets what was rung. */
void bell_wake(struct bell *b);

/* Ringer: wake the sleeper if it sleeps. Call after the work was published. */
void bell_ring(struct bell *b);

#endif
