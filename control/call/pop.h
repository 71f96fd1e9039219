/* What an agent's screen is told when its phone rings: who is on the other side.
 *
 * The event `pop` follows the ringing by as long as the database takes to answer. It is published for each agent whose
 * phone rings for a call from or to outside: offered by the ACD, transferred or consulted, called back.
 *
 * Thread: libre's loop.
 */
#ifndef CALL_POP_H
#define CALL_POP_H

#include "call/calls.h"

/* The phone of an agent rings. */
void pop_ring(const struct party *p);

#endif
