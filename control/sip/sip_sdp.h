/* Offer and answer of one call, on libre's SDP session.
 *
 * A session is given our local media and then either makes an offer and takes the answer, or takes an
 * offer and makes the answer, again and again while the call lives; it keeps the order of streams and
 * the version number of the origin line as RFC 3264, 8 asks. A description that cannot be used leaves
 * the session and its settled media as they were: it is tried on a scratch session first.
 *
 * Bounds: SIP_SDP_BYTES_MAX bytes, SIP_SDP_STREAMS_MAX m= lines, SIP_SDP_FORMATS_MAX formats in one;
 * more is refused before libre sees it. Streams other than the first audio over RTP/AVP(F) are
 * declined with port 0.
 *
 * Encryption is by SDES as the local media say: `required` offers and takes RTP/SAVP(F) or RTP/AVP(F) with
 * usable a=crypto lines and nothing else; `optional` offers RTP/AVP with a=crypto (RFC 8643) and takes
 * all three; `off` takes plain RTP/AVP(F) only. An answer names the first suite of our order that the
 * offer has. Our keys are made once a session.
 *
 * Thread: libre's loop. Private to control/sip (and its fuzz target).
 */
#ifndef SIP_SIP_SDP_H
#define SIP_SIP_SDP_H

#include "sip/sip_media.h"

enum { SIP_SDP_BYTES_MAX = 8192, SIP_SDP_STREAMS_MAX = 8, SIP_SDP_FORMATS_MAX = 64 };

struct mbuf;
struct sip_sdp;

/* A session without local media yet. Freed with mem_deref(). Returns 0 or -ENOMEM. */
int sip_sdp_new(struct sip_sdp **out);

/* Set or replace what we tell the peer. Returns 0, -EINVAL for media without address, port or
 * codec, -ENOMEM. */
int sip_sdp_set_local(struct sip_sdp *s, const struct sip_media *local);

/* Check a description against the bounds and list every codec of its audio stream, without a
 * session: what the caller of a new call can do. Returns 0, -EBADMSG for a text that is not SDP or
 * passes the bounds, -ENOTSUP for no usable audio stream. */
int sip_sdp_peek(const struct mbuf *body, struct sip_media *offered);

/* Take the peer's offer. Returns 0 and the session has remote media, or as sip_sdp_peek(), -ENOTSUP
 * also when no codec is common. */
int sip_sdp_take_offer(struct sip_sdp *s, const struct mbuf *body);

/* Take the peer's answer to our last offer. Returns as sip_sdp_take_offer(). */
int sip_sdp_take_answer(struct sip_sdp *s, const struct mbuf *body);

/* The text of our offer, or of our answer to the offer last taken. The caller frees it with
 * mem_deref(). Returns 0 or -ENOMEM. */
int sip_sdp_make_offer(struct sip_sdp *s, struct mbuf **text);
int sip_sdp_make_answer(struct sip_sdp *s, struct mbuf **text);

/* The settled media, or NULL before the first complete exchange. */
const struct sip_media *sip_sdp_remote(const struct sip_sdp *s);

/* What the local side was last set to; NULL before. */
const struct sip_media *sip_sdp_local(const struct sip_sdp *s);

#endif
