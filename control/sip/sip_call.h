/* One call leg: a SIP dialog between us and a phone or trunk.
 *
 * A call is born in the stack's `incoming` handler or by sip_call_invite(), and always ends with
 * exactly one SIP_CALL_CLOSED event, whoever ended it and however. Until that event returns the
 * owner may use the pointer; afterwards it must not. The stack finishes the protocol's goodbyes
 * (CANCEL that crosses an answer, BYE that nobody answers) by itself.
 *
 * Events are never delivered from inside a function of this header.
 *
 *   incoming:  [incoming] -> progress* -> answer -> ANSWERED -> (MEDIA | REFER | DTMF)* -> CLOSED
 *   outgoing:  invite -> RINGING* -> EARLY_MEDIA* -> ANSWERED -> (MEDIA | ...)* -> CLOSED
 *
 * Offers of the peer in a running call (re-INVITE, UPDATE) are answered at once with the local media
 * last given here and reported as SIP_CALL_MEDIA; an offer without any codec of ours is refused with
 * 488 and nothing changes. Video and other streams are declined within the answer.
 *
 * Reliable 18x of the peer are confirmed (PRACK, RFC 3262), its UPDATE before the answer is taken
 * (RFC 3311) and reported as SIP_CALL_EARLY_MEDIA.
 *
 * The Reason of a BYE, a refusal and (by UDP; libre hides the others) a CANCEL is what CLOSED tells
 * (RFC 3326).
 *
 * Session timers (RFC 4028): asked for in outgoing calls; in incoming calls the caller refreshes if
 * it can, otherwise we do. A session that nobody refreshed ends with cause 102.
 *
 * Thread: libre's loop.
 */
#ifndef SIP_SIP_CALL_H
#define SIP_SIP_CALL_H

#include "sip/sip.h"

enum { SIP_FORKS_MAX = 8, SIP_CALL_ID_MAX = 256 };

/* Q.850 causes that control decisions name; the rest travel as numbers. */
enum sip_cause {
	SIP_CAUSE_NONE = 0,
	SIP_CAUSE_UNALLOCATED = 1,
	SIP_CAUSE_NORMAL = 16,
	SIP_CAUSE_BUSY = 17,
	SIP_CAUSE_NO_RESPONSE = 18,
	SIP_CAUSE_NO_ANSWER = 19,
	SIP_CAUSE_REJECTED = 21,
	SIP_CAUSE_ELSEWHERE = 26, /* answered by another phone */
	SIP_CAUSE_OUT_OF_ORDER = 27,
	SIP_CAUSE_CONGESTION = 42,
	SIP_CAUSE_INCOMPATIBLE = 88,
	SIP_CAUSE_TIMER = 102,
	SIP_CAUSE_INTERWORKING = 127,
};

/* Q.850 cause of a SIP status (RFC 3398, 8.2.6.1) and the reverse (7.2.4.1). */
int sip_cause_of_status(int status);
int sip_status_of_cause(int cause);

/* Who a call is, fixed when it begins; in outgoing calls `peer` follows the first answer. All text
 * is cleaned of control characters and NUL-terminated. */
struct sip_call_info {
	bool outgoing;
	char call_id[SIP_CALL_ID_MAX];
	char from_user[SIP_USER_MAX]; /* unescaped; "" when the URI has none */
	char from_host[SIP_HOST_MAX];
	char from_display[SIP_TEXT_MAX];
	char to_user[SIP_USER_MAX]; /* incoming: the Request-URI's user, what was dialled */
	char to_host[SIP_HOST_MAX];
	char auth_user[SIP_USER_MAX]; /* incoming: proved by digest; "" = not */
	bool trunk;                   /* incoming: from a trunk's address */
	char trunk_name[64];          /* incoming: which; outgoing: through which. "" = none */
	bool trusted;                 /* incoming: that trunk's word counts (RFC 3325) */
	char asserted[SIP_USER_MAX];  /* P-Asserted-Identity's user, from trusted trunks; else "" */
	bool anonymous;               /* Privacy: id, user or header, or an anonymous From: whoever
					 is not trusted is told no number, `asserted` included */
	char diverted
		[SIP_USER_MAX]; /* who diverted the call last: Diversion's first entry, or the last
					 but one of History-Info; "" = nobody, or private */
	char diverted_why[24];  /* reason of RFC 5806: "user-busy", "no-answer" ...; "" */
	char dialled_first[SIP_USER_MAX]; /* what was dialled before all diversions; "" */
	char user_agent[SIP_TEXT_MAX];
	struct sip_peer peer;
	bool offer; /* incoming: the INVITE carried an offer; sip_call_remote() works */
	struct sip_call
		*replaces; /* incoming: the call whose place it wants (RFC 3891), or NULL; valid
				      only inside `incoming`. It is answered, or rings by our INVITE */
};

enum sip_call_event_kind {
	SIP_CALL_RINGING,     /* 180 (or 181, 182, 183 without media): `status` */
	SIP_CALL_EARLY_MEDIA, /* 18x with media: `status`, `media` */
	SIP_CALL_ANSWERED,    /* outgoing: 200 and media settled. Incoming: ACK arrived. `media` */
	SIP_CALL_MEDIA, /* the settled media changed, by either side's wish: `media`, `by_peer` */
	SIP_CALL_MODIFY_FAILED, /* sip_call_modify() was refused; the old media stand: `status` */
	SIP_CALL_REFRESHED,     /* the session timer begins anew; media as before */
	SIP_CALL_REFER,         /* the peer asks to be connected elsewhere: `refer` */
	SIP_CALL_TRANSFER,      /* how our sip_call_transfer() goes: `status` of the new call */
	SIP_CALL_DTMF,          /* a key by INFO: `digit`, `duration_ms` */
	SIP_CALL_CLOSED,        /* the end: `by_peer`, `status`, `cause`, `text` */
};

struct sip_refer {
	const char *uri;         /* Refer-To without its headers */
	const char *user;        /* its user part, unescaped */
	const char *host;        /* its host part */
	const char *referred_by; /* "" if not said */
	bool attended;           /* Refer-To carried Replaces */
	struct sip_call *with;   /* attended: our own call that it names, or NULL if not ours */
};

struct sip_call_event {
	enum sip_call_event_kind kind;
	bool by_peer;
	int status;                    /* SIP status code, 0 if none (a BYE has none) */
	int cause;                     /* Q.850: from the Reason header, else derived */
	const char *text;              /* reason phrase or Reason's text; never NULL */
	const struct sip_media *media; /* the settled media, or NULL */
	char digit;                    /* '0'..'9', '*', '#', 'A'..'D' */
	uint16_t duration_ms;          /* 0 = not said */
	const struct sip_refer *refer;
};

typedef void sip_call_event_fn(struct sip_call *call, const struct sip_call_event *ev, void *arg);

/* Take the call. Must be called inside `incoming`. May be called again later to hand the call to
 * another owner. */
void sip_call_attach(struct sip_call *call, sip_call_event_fn *fn, void *arg);

/* What was given with `fn` by sip_call_attach() or sip_call_invite(); NULL when somebody else has the
 * call, or nobody. */
void *sip_call_owner(const struct sip_call *call, sip_call_event_fn *fn);

const struct sip_call_info *sip_call_info(const struct sip_call *call);

/* The peer's media as last settled, or NULL while nothing is. In an incoming call with an offer it
 * is there from the start: the codecs of the offer that the owner's first local media also has are
 * only known after progress or answer, so before that it lists all codecs of the offer. */
const struct sip_media *sip_call_remote(const struct sip_call *call);

/* True between answer and end: audio may flow both ways. */
bool sip_call_established(const struct sip_call *call);

/* Incoming, before the answer: 180 Ringing (`local` NULL), or 183 Session Progress with early media.
 * Returns 0, -EPROTO in the wrong state or direction, -EINVAL when the offer has no codec of ours
 * (the call then still has to be ended, with 488).
 *
 * Sent reliably (RFC 3262) when the caller requires it, or can and there are media; then an INVITE without
 * an offer gets ours here, answered in the PRACK (SIP_CALL_MEDIA). While one is not confirmed a further
 * one waits, the newest only. Never confirmed: the call ends with 504, cause 102. */
int sip_call_progress(struct sip_call *call, int status, const struct sip_media *local);

/* Incoming: 200 with media: the answer to the caller's offer, or our offer when it sent none. The
 * remote media are settled on return if the INVITE had an offer; else with SIP_CALL_ANSWERED. When an
 * 18x with media was sent reliably they are settled already: the 200 goes once that is confirmed, and
 * `local` that differs is offered after the ACK. Returns as sip_call_progress(). */
int sip_call_answer(struct sip_call *call, const struct sip_media *local);

/* End the call, whatever its state: an incoming call that was not answered is refused with `status`
 * (300-699, else 480), an outgoing one cancelled, a running one hung up. `cause` (Q.850, 0 = none)
 * and `text` travel as Reason where they can. SIP_CALL_CLOSED follows from the loop, with these
 * values. A second call does nothing. */
void sip_call_end(struct sip_call *call, int status, int cause, const char *text);

/* Incoming, before it is refused with 503: the Retry-After that goes with it, instead of the stack's. */
void sip_call_retry_after(struct sip_call *call, uint32_t seconds);

struct sip_invite {
	/* Whom to call. Either a registered user (all its contacts ring, the first to answer wins),
	 * or a URI. With both, the URI wins and `user` is only for show. */
	const char *user;
	const char *uri; /* "sip:100@192.0.2.7;transport=tcp" */

	/* Who calls. NULL or "" = "anonymous" and the realm. */
	const char *from_user;
	const char *from_display;
	const char *from_host;

	/* The trunk through which `user`, here a number, is called, by its name: address, transport and
	 * credentials are the trunk's. NULL = none. */
	const char *trunk;

	/* Who vouches (RFC 3325), for trusted trunks only: the caller's number in P-Asserted-Identity. NULL
	 * or "" = not said. */
	const char *asserted;
	/* The caller is withheld: From is anonymous, Privacy: id asks others to do the same (RFC 3323). */
	bool withheld;
	/* Whose call this was before we sent it on: Diversion and History-Info. NULL = nobody's. `diverted_why`
	 * is a reason of RFC 5806; NULL = "deflection". */
	const char *diverted;
	const char *diverted_why;

	/* Next hop other than the URI's own host, for a trunk: "sip:192.0.2.1:5060". NULL = none. */
	const char *proxy;
	/* Credentials for a peer that challenges us. NULL = none. */
	const char *auth_user;
	const char *auth_password;

	/* Alert-Info and the like, each line "Name: value\r\n"; NULL = none.
	 * The owner vouches for them. */
	const char *headers;

	bool require_100rel; /* 18x must come reliably; whoever cannot answers 420 */
	bool urgent;         /* a call for help: calls_max does not count */

	uint32_t ring_timeout_ms;      /* then CANCEL, status 408, cause 19; 0 = 180 s */
	const struct sip_media *local; /* our offer; required */
};

/* Call somebody. On success `*out` is the call and events come to `fn`. Returns 0; -ENOENT when
 * `user` has no binding or there is no such trunk; -EHOSTUNREACH when the address of the trunk is not known; -EINVAL for a bad URI or media; -ENOSPC at calls_max; -ENOMEM. */
int sip_call_invite(struct sip_call **out, struct sip_stack *s, const struct sip_invite *inv,
		    sip_call_event_fn *fn, void *arg);

/* Change our media in a running call: new address, codecs or direction (hold: SIP_SENDONLY with
 * music, SIP_INACTIVE without). Sends a re-INVITE; SIP_CALL_MEDIA or SIP_CALL_MODIFY_FAILED follows.
 * While one is under way the newest wish waits for it; glare (491) is retried. Before the answer it is an
 * UPDATE (RFC 3311), possible once reliable responses have settled the first media, one at a time and
 * not retried. Returns 0, -EPROTO when the call is not running and that is not so, -EINVAL for media
 * that cannot be offered. */
int sip_call_modify(struct sip_call *call, const struct sip_media *local);

/* Send a key as INFO, for peers without telephone-event. Returns 0, -EPROTO, -EINVAL for no key. */
int sip_call_send_dtmf(struct sip_call *call, char digit, uint16_t duration_ms);

/* Report how the transfer that SIP_CALL_REFER asked for goes, as NOTIFY with a status line: 100 has
 * been sent already; 180 may follow; a status of 200 or more is the last. Returns 0, or -EPROTO when
 * no transfer is open. */
int sip_call_refer_progress(struct sip_call *call, int status, const char *reason);

/* Ask the peer's phone to call somebody else (REFER). Its NOTIFYs arrive as
 * SIP_CALL_TRANSFER; the peer then hangs up by itself. Returns 0, -EPROTO when the call is not running, -EINVAL for a bad URI. */
int sip_call_transfer(struct sip_call *call, const char *uri);

#endif
