/* A session of offer and answer, for the files of sip_sdp.h only. */
#ifndef SIP_SIP_SDP_PRIV_H
#define SIP_SIP_SDP_PRIV_H

#include "sip/sip_re.h"

#include "sip/sip_crypto.h"
#include "sip/sip_sdp.h"

struct sip_sdp {
	struct sdp_session *session;
	struct sdp_media *audio;
	struct sip_media local, remote;
	bool has_local, has_remote;
	struct sip_crypto
		ours[SIP_SRTP_SUITES_MAX]; /* offered, in the order of preference; made once */
	uint8_t n_ours;
	struct mbuf *last; /* the description that `remote` came from */
	bool last_offer;
	/* Of the origin line of ours that was written last; 0 = none was. After a restart libre's session
	 * has another id and counts anew, and ours are written over its. */
	uint32_t origin_id, version;
	bool restored;
};

/* Write our description: an offer, or the answer to the offer last taken. Returns 0 or -ENOMEM. */
int sip_sdp_write(struct sip_sdp *s, struct mbuf **text, bool offer);

#endif
