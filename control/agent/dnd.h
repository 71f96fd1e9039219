/* Whether a phone that refused a call said that it is not to be disturbed.
 *
 * SIP has no status of its own for it: phones say 486 or 603 (some 480) and put it into the reason phrase
 * or the text of a Reason header, in words that differ from maker to maker.
 *
 * Source: RFC 3261, 21.4.18, 21.4.24, 21.6.2; RFC 3326. Thread: pure.
 */
#ifndef AGENT_DND_H
#define AGENT_DND_H

#include <stdbool.h>

/* `text`: the reason phrase, or what a Reason header said; may be NULL. */
bool dnd_said(int status, const char *text);

#endif
