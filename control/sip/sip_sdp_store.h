/* Offer and answer over a restart, and whether their keys are known. Private to control/sip. */
#ifndef SIP_SIP_SDP_STORE_H
#define SIP_SIP_SDP_STORE_H

#include "sip/sip_sdp.h"
#include "sip/sip_store.h"

/* A new reference without any key; NULL for a session that has no local media. */
json_t *sip_sdp_keep(const struct sip_sdp *s);

/* The session made again. Returns 0; -EINVAL for what cannot have been kept; -ENOMEM. */
int sip_sdp_kept(struct sip_sdp **out, const json_t *o);

/* A suite was agreed before the restart and its keys are not known here. */
bool sip_sdp_without_keys(const struct sip_sdp *s);

#endif
