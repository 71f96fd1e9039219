/* Answers to requests that cannot be read: 505 for another version of SIP, 400 for the rest.
 *
 * Thread: any; pure. Private to control/sip. Source: RFC 3261, 8.1.3.2 and 21.5.6; RFC 4475.
 */
#ifndef SIP_SIP_UNREAD_H
#define SIP_SIP_UNREAD_H

#include "sip/sip_re.h"

/* The response to the datagram `mb`, which libre refused, for mem_deref(); NULL when none is due: it is no
 * request, or does not say what a response must repeat. */
struct mbuf *sip_unread_answer(const struct mbuf *mb);

#endif
