/* A dialog: the identifiers, route set and next hop that every request inside a call needs.
 *
 * Ours rather than libre's, for one reason: the next hop. A phone behind NAT writes an address into
 * its Contact that leads nowhere, and requests to it must go to where its messages really come from;
 * libre's dialog always follows the Contact. The rule here: with a route set, the first route (RFC
 * 3261, 12.2.1.1); else the peer's connection for TCP and TLS; else the source address, when the
 * peer asks for symmetric response routing (rport) and its Contact names another host; else the
 * Contact.
 *
 * Thread: libre's loop. Private to control/sip. Objects are freed with mem_deref().
 */
#ifndef SIP_SIP_DLG_H
#define SIP_SIP_DLG_H

#include "sip/sip_re.h"

#include "sip/sip.h"
#include "sip/sip_prove.h"

struct sip_dlg {
	struct sip *sip;
	const char *agent; /* the stack's User-Agent text */
	char *call_id;
	char *ltag;
	char *rtag;    /* NULL until the peer has one */
	char *local;   /* value of our From, tag included */
	char *remote;  /* value of our To, tag included when known */
	char *target;  /* remote target: the Request-URI */
	char *routes;  /* "Route: ...\r\n" lines, "" for none */
	char *hop;     /* URI of the next hop, or NULL: the target */
	char *contact; /* user part of our Contact */
	uint32_t lseq, rseq;

	/* The INVITE last sent, for a CANCEL that matches it. */
	char *via; /* its Via line; NULL = none sent */
	enum sip_transp via_tp;
	struct sa via_dst;
	uint32_t invite_seq;
};

/* A dialog we start. `local` is our From value without tag, `remote` the To value, `target` the
 * Request-URI, `hop` the next hop's URI or NULL; `call_id` NULL makes a new one. Returns 0 or
 * -ENOMEM. */
int sip_dlg_start(struct sip_dlg **out, struct sip *sip, const char *agent, const char *local,
		  const char *remote, const char *target, const char *hop, const char *contact,
		  const char *call_id);

/* A dialog without any member but the first two. Returns 0 or -ENOMEM. */
int sip_dlg_empty(struct sip_dlg **out, struct sip *sip, const char *agent);

/* Give a dialog that we start a Route to begin with: the header's value; its first URI is the next hop. Returns
 * 0, -EBADMSG, -ENOMEM. */
int sip_dlg_route(struct sip_dlg *d, const char *route);

/* The dialog that `msg`, an INVITE with a usable Contact, opens to us. Returns 0, -EBADMSG for no
 * or a bad Contact, -ENOMEM. */
int sip_dlg_accept(struct sip_dlg **out, struct sip *sip, const char *agent,
		   const struct sip_msg *msg, const char *contact);

/* The dialog that a response to our INVITE makes of `base`. `base` stays as it is: there is one per
 * fork. Returns as sip_dlg_accept(). */
int sip_dlg_established(struct sip_dlg **out, const struct sip_dlg *base,
			const struct sip_msg *msg);

/* Take a new remote target from `msg` (target refresh, RFC 3261, 12.2.2). Without a usable Contact
 * nothing changes. */
void sip_dlg_refresh(struct sip_dlg *d, const struct sip_msg *msg);

/* The peer speaks over this connection now: without a route set it is reached there. */
void sip_dlg_follow(struct sip_dlg *d, const struct sip_msg *msg);

/* True when `msg`, request or response, belongs to this dialog. */
bool sip_dlg_is(const struct sip_dlg *d, const struct sip_msg *msg);

/* The same tag, or none in both. */
bool sip_dlg_same_tag(const struct pl *a, const struct pl *b);

/* The host of this URI looks like an IPv6 address and is none, or lacks its brackets. */
bool sip_dlg_bad_host(const struct pl *uri);

/* True when the request's CSeq is above the last one; remembers it. */
bool sip_dlg_in_order(struct sip_dlg *d, const struct sip_msg *msg);

/* Send a request. `cseq` 0 takes the next number; ACK names the INVITE's. `more` is further header
 * lines, the last of them ending the header (an empty line), and the body: it comes from
 * sip_dlg_body(). For ACK there is no transaction. Returns 0 or a positive errno as libre's calls. */
int sip_dlg_request(struct sip_dlg *d, struct sip_request **req, const char *method, uint32_t cseq,
		    struct sip_prove *auth,
		    void (*resph)(int err, const struct sip_msg *msg, void *), void *arg,
		    const char *more);

/* Say CANCEL for the INVITE last sent, with header lines `reason`. libre's own CANCEL carries none; sent
 * right after this one, it is its retransmission. Call it only when a provisional response has come
 * (RFC 3261, 9.1), and sip_request_cancel() next. */
void sip_dlg_cancel(const struct sip_dlg *d, const char *reason);

/* Confirm the refusal of the INVITE last sent when no transaction does so (RFC 3261, 17.1.1.3). */
void sip_dlg_refused(const struct sip_dlg *d, const struct sip_msg *msg);

/* Header lines plus type and body into one text for sip_dlg_request(), or NULL without memory.
 * `type` NULL = no body. Freed with mem_deref(). */
char *sip_dlg_body(const char *headers, const char *type, const uint8_t *body, size_t len);

/* "sip:IP:PORT;transport=x" of a peer. Freed with mem_deref(). NULL without memory. */
char *sip_dlg_hop_of(const struct sip_peer *peer);

/* Whether requests to a Contact must go to the message's source instead; see above. */
bool sip_dlg_follows_source(const struct sip_msg *msg, const struct pl *contact_host);

/* Fill from a message's source. */
void sip_peer_of(struct sip_peer *p, const struct sip_msg *msg);

#endif
