/* What the files of control/sip share: the stack's and the call's insides.
 *
 *   sip.c         open, close, limits                sip_call.c     a call's life and end
 *   registrar.c   REGISTER, bindings                 sip_call_in.c  incoming, until the ACK
 *   sip_digest.c  who is who                         sip_call_out.c outgoing, until the answer
 *   sip_dlg.c     a dialog's headers and next hop    sip_inside.c   requests inside a running call
 *   sip_sdp.c     offer and answer                   sip_modify.c   our re-INVITE, session timer
 *   sip_text.c    hostile text made safe             sip_refer.c    transfer, both ways
 *   sip_rel.c     reliable 18x, early UPDATE         sip_call_start.c  whom an outgoing call goes to
 *   sip_identity.c  who vouches for whom              sip_trunk*.c    trunks
 *   sip_replaces.c  which call another one replaces   sip_call_store.c, sip_dlg_store.c, sip_sdp_store.c,
 *                                                    sip_ghost.c: over a restart
 *   sip_door.c    judges and hands on what comes in  sip_gate.c     lies before libre on UDP
 *
 * A call object outlives its owner's interest: after CLOSED it stays, ownerless, until the protocol
 * has said goodbye (CANCEL crossing an answer, ACK still due, BYE unanswered). `told` marks that
 * second life; sip_call_settle() ends it.
 *
 * Thread: libre's loop.
 */
#ifndef SIP_SIP_PRIV_H
#define SIP_SIP_PRIV_H

#include "sip/sip_re.h"

#include "sip/registrar.h"
#include "sip/sip.h"
#include "sip/sip_call.h"
#include "sip/sip_digest.h"
#include "sip/sip_dlg.h"
#include "sip/sip_prove.h"
#include "sip/sip_sdp.h"
#include "sip/sip_trunk.h"

#define SIP_ALLOW     "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, REFER, NOTIFY, UPDATE, PRACK, REGISTER"
#define SIP_SUPPORTED "100rel, timer, replaces, norefersub"

/* Header lines that most of our requests and answers carry. */
#define SIP_ABILITIES "Allow: " SIP_ALLOW "\r\nSupported: " SIP_SUPPORTED "\r\n"

enum { SIP_HASH = 4096, SIP_ACK_WAIT_MS = 32000 };

/* So many things a second, and as many at once. */
struct sip_bucket {
	uint32_t per_s;
	uint64_t last_ms;
	double level;
};

enum { SIP_SOURCES = 1024 };

/* New calls of one address. Two that fall on one place share it, the newer begins afresh. */
struct sip_source {
	uint32_t who;
	struct sip_bucket calls;
};

/* A UDP socket of libre's with our reader before it. */
struct sip_gate {
	struct sip_stack *stack;
	void *sock;
	struct udp_helper *helper;
};

struct sip_stack {
	struct sip *sip;
	struct dnsc *dnsc;
	struct sip_lsnr *requests, *responses;
	struct sip_digest *digest;
	struct registrar *registrar;
	struct hash *calls; /* by Call-ID */
	struct list call_list;
	struct list ghosts; /* sip_ghost.c */

	struct sip_stack_handlers handlers;
	struct sip_limits limits;
	struct sip_listen listen[SIP_LISTEN_MAX];
	struct sa bound[SIP_LISTEN_MAX];
	size_t listens;
	char realm[SIP_HOST_MAX], agent[SIP_TEXT_MAX];
	char *tls_ca; /* NULL: the system's */
	char domain[SIP_DOMAINS_MAX][SIP_HOST_MAX];
	size_t domains;
	struct sa trunk[SIP_TRUNK_ADDRS_MAX];
	size_t trunks;
	struct sip_trunk *trunk_list[SIP_TRUNKS_MAX];
	size_t trunk_count;
	uint32_t leaving; /* trunks that say goodbye */
	bool accept_unknown, draining;

	struct sip_bucket new_calls, registers, unread;
	struct sip_source source[SIP_SOURCES];
	uint64_t overload_logged_ms;

	struct sip_gate gate[SIP_LISTEN_MAX];
	size_t gates;
	char gate_id[32];
	uint64_t rubbish, rubbish_logged_ms;
	uint32_t owned; /* calls that have not been told their end */
	struct sip_stack_stats stats;

	struct tmr tmr_hang_up;
	void (*hang_up_done)(void *arg);
	void *hang_up_arg;
};

enum call_state {
	CALL_IN_NEW,      /* incoming, not answered */
	CALL_IN_ANSWERED, /* incoming, 200 sent, ACK awaited */
	CALL_OUT,         /* outgoing, not answered */
	CALL_RUNNING,     /* both sides are in the call */
	CALL_ENDED,       /* nothing of the call is left but its goodbye */
};

/* One branch of an outgoing call: an INVITE to one contact. All branches share the Call-ID and differ
 * in their From tag. */
struct sip_fork {
	struct le le;
	struct sip_call *call;
	struct sip_dlg *base; /* the request */
	struct sip_request *req;
	struct sip_prove *auth;
	struct sip_sdp *sdp;
	struct mbuf *offer;
	bool challenged, timer_raised;
	char *rtag; /* of the newest provisional response that had one; NULL */
	bool heard; /* a provisional response has come: it may be cancelled */
	bool cancelled;
	struct list early; /* those who answered reliably, by their tags */
};

/* An early dialog of an outgoing call (RFC 3262): a proxy on the way may have made several of one INVITE. */
struct sip_early {
	struct le le;
	struct sip_dlg *dlg;
	uint32_t rseq; /* last confirmed; 0 = none */
	bool settled;  /* a confirmed response answered our offer */
	bool update;   /* it takes UPDATE */
};

/* The provisional response of an incoming call that awaits its PRACK. */
struct sip_rel {
	bool required, supported; /* by the caller */
	uint32_t rseq;            /* of the last one; 0 = none */
	struct mbuf *sent;        /* not confirmed yet; NULL = none */
	struct sa dst;
	uint32_t wait_ms, waited_ms;
	bool description;  /* what was sent last carries one */
	bool our_offer;    /* and it is an offer: the INVITE had none */
	bool settled;      /* a description was confirmed: the 200 carries none */
	bool answer_waits; /* the owner has answered, the 200 goes when it is confirmed */
	int next_status;   /* 18x that waits likewise; 0 = none */
	bool next_has_local;
	struct sip_media next_local;
	struct tmr tmr;
};

/* What we prove to a peer that challenges us. */
struct sip_call_credentials {
	char user[SIP_USER_MAX];
	char password[SIP_TEXT_MAX];
};

struct sip_call {
	struct le he, le;
	struct sip_stack *stack;
	struct sip_call_info info;
	sip_call_event_fn *fn;
	void *arg;
	enum call_state state;
	bool told;             /* CLOSED was delivered */
	bool registered_owner; /* counted in stack->owned */

	struct sip_dlg *dlg; /* once there is one */
	struct sip_sdp *sdp;
	struct sip_prove *auth;
	struct sip_call_credentials credentials;

	/* Incoming INVITE, and re-INVITEs of the peer: the answer that awaits its ACK. */
	struct sip_strans *st;
	struct sip_msg *invite; /* the request that st answers */
	struct sip_msg *cancel; /* what cancels it, for its Reason; NULL = none seen */
	struct mbuf *offer;     /* its body; NULL = none */
	struct mbuf *answer;    /* text of our answer in 183, said again in 200 */
	struct mbuf *ok;        /* the 200 as sent */
	struct sa ok_dst;
	uint32_t ok_cseq;
	uint32_t ok_sent;
	bool ack_due, answer_in_ack, bye_after_ack;
	struct sip_rel rel;
	uint32_t retry_after_s; /* in a 503; 0 = the stack's */
	struct tmr tmr_ok, tmr_ack;

	/* Outgoing INVITE. */
	struct list forks;
	char *headers;     /* who vouches for what, and the owner's header lines */
	uint32_t min_se_s; /* asked for by a 422 */
	int best_status;
	char best_text[SIP_TEXT_MAX];
	struct tmr tmr_ring;

	/* Our re-INVITE. */
	struct sip_request *modify;
	struct sip_media wish;   /* asked for; before the answer of an incoming call: its offer */
	struct sip_media agreed; /* what to go back to if it is refused */
	bool wish_waits, modify_is_refresh, challenged;
	struct tmr tmr_modify;

	/* Session timer (RFC 4028). */
	uint32_t session_s; /* 0 = none */
	bool we_refresh, peer_timer, peer_update;
	struct tmr tmr_session;

	/* Transfer that the peer asked for, and the one we asked for. */
	bool refer_open, refer_silent, transfer_open;
	uint32_t refer_id;
	struct tmr tmr_refer;

	struct sip_request *bye;
	bool bye_challenged;

	/* The end, as CLOSED will tell it. */
	struct tmr tmr_close;
	struct sip_call_event end;
	char end_text[SIP_TEXT_MAX];
};

/* --- sip.c --- */

bool sip_bucket_take(struct sip_bucket *b);
/* A call object is gone: perhaps it was the last that sip_stack_hang_up() waits for. */
void sip_stack_call_gone(struct sip_stack *s);
bool sip_stack_is_ours(const struct sip_stack *s, const struct pl *host);
/* A refusal that leaves nothing behind; extra header lines or NULL. */
void sip_stack_refuse(struct sip_stack *s, const struct sip_msg *msg, uint16_t status,
		      const char *reason, const char *headers);
void sip_stack_challenge(struct sip_stack *s, const struct sip_msg *msg, bool stale);

/* --- sip_door.c --- */

/* libre's listeners: every request that belongs to no transaction, every response to none of ours. */
bool sip_door_request(const struct sip_msg *msg, void *arg);
bool sip_door_response(const struct sip_msg *msg, void *arg);
/* The caller of this INVITE may come in now; else it was answered. Into `info`: who it proved to be, and
 * the trunk that it came from. */
bool sip_door_admit(struct sip_stack *s, const struct sip_msg *msg, struct sip_call_info *info);

/* --- sip_trunk.c --- */

/* The trunk that this request came from, or NULL. */
struct sip_trunk *sip_trunk_of(const struct sip_stack *s, const struct sip_msg *msg);
struct sip_trunk *sip_trunk_named(const struct sip_stack *s, const char *name);
void sip_trunk_count_in(struct sip_stack *s, const char *name);
/* How a call through it went: a final status, with the response if there was one. */
void sip_trunk_result(struct sip_stack *s, const char *name, int status, const struct sip_msg *msg);
/* Close without a word; or unregister, while the stack still runs. */
void sip_trunks_close(struct sip_stack *s);
void sip_trunks_leave(struct sip_stack *s);

/* --- sip_identity.c --- */

/* P-Asserted-Identity, Privacy, Diversion, History-Info and User-Agent into the call's facts. */
void sip_identity_read(struct sip_call *c, const struct sip_msg *msg);
/* The header lines of an INVITE to `target` that say the same; to be freed. 0 or -ENOMEM. */
int sip_identity_write(char **out, const struct sip_stack *s, const struct sip_invite *inv,
		       const char *target);

/* --- sip_tls.c --- */

/* A TLS context of the stack with our certificate and the authorities that are believed. Returns 0 or an errno that
 * was logged with the file's name. */
int sip_tls_new(struct tls **tls, struct sip_stack *s, const char *certificate);

/* --- sip_gate.c --- */

/* Write to ourselves so that every socket shows itself; and undo what came of it. */
void sip_gate_open(struct sip_stack *s);
void sip_gate_close(struct sip_stack *s);
/* Stand before the socket of this message, if we do not yet. True when the message was our own. */
bool sip_gate_take(struct sip_stack *s, const struct sip_msg *msg);

/* --- registrar.c --- */

int registrar_new(struct registrar **out, struct sip_stack *s);
void registrar_request(struct registrar *r, const struct sip_msg *msg);
uint32_t registrar_bindings(const struct registrar *r);
/* The user has a binding that came from this address and port. */
bool registrar_knows(const struct registrar *r, const char *user, const struct sa *source);

/* --- sip_call.c --- */

int sip_call_new(struct sip_call **out, struct sip_stack *s);
/* Put into the table by its Call-ID. */
void sip_call_enter(struct sip_call *c);
/* Deliver an event now. */
void sip_call_tell(struct sip_call *c, const struct sip_call_event *ev);
void sip_call_tell_media(struct sip_call *c, enum sip_call_event_kind kind, int status,
			 bool by_peer);
/* The call is over; CLOSED follows from the loop. Only the first end counts. */
void sip_call_over(struct sip_call *c, bool by_peer, int status, int cause, const char *text);
/* The same, with cause and text from the message's Reason header where it has one. */
void sip_call_over_by(struct sip_call *c, const struct sip_msg *msg, bool by_peer, int status,
		      int cause, const char *text);
/* Say BYE in the dialog, with the end's cause; after the ACK if that is still due. */
void sip_call_bye(struct sip_call *c);
/* Nobody is told anything any more: the stack closes. */
void sip_call_abandon(struct sip_call *c);
/* Free the object if nothing is left to do. The pointer may be dead afterwards. */
void sip_call_settle(struct sip_call *c);
/* "Reason: ..." line, or "" for cause 0. */
void sip_call_reason(char *out, size_t size, int cause, const char *text);
/* Status for an errno of a transaction. */
int sip_call_status_of_errno(int err);
/* Digest for a challenge of the peer; false when there is nothing to try. */
bool sip_call_authenticate(struct sip_call *c, struct sip_prove **auth, const struct sip_msg *msg);
/* The same when the call may be gone before its request is answered. */
bool sip_call_prove(const struct sip_call_credentials *k, struct sip_prove **auth,
		    const struct sip_msg *msg);
struct sip_call *sip_call_find(struct sip_stack *s, const struct sip_msg *msg);
bool sip_call_has_sdp(const struct sip_msg *msg);
/* Whether a list header (Supported, Require, Allow ...) has this word. */
bool sip_msg_lists(const struct sip_msg *msg, enum sip_hdrid id, const char *what);

/* libre hands messages to listeners as const; a reference is what its own code takes by a cast. */
static inline struct sip_msg *sip_call_keep_msg(const struct sip_msg *msg)
{
	union {
		const struct sip_msg *in;
		void *out;
	} m = {.in = msg};

	return mem_ref(m.out);
}

/* --- sip_call_in.c --- */

void sip_call_incoming(struct sip_stack *s, const struct sip_msg *msg);
void sip_call_cancelled(void *arg);
/* The incoming call whose INVITE this CANCEL names, answered or not; or NULL. */
struct sip_call *sip_call_find_cancelled(struct sip_stack *s, const struct sip_msg *msg);
/* 200 to an INVITE inside or outside the dialog, repeated until the ACK. `text` may be NULL. */
int sip_call_say_ok(struct sip_call *c, const struct sip_msg *msg, struct mbuf *text);
void sip_call_acked(struct sip_call *c, const struct sip_msg *msg);
void sip_call_stop_ok(struct sip_call *c);
/* The 200 that waited for a PRACK. */
void sip_call_answer_now(struct sip_call *c);

/* --- sip_call_out.c --- */

/* One more branch, from and to these header values, by way of `hop` (NULL: the target), or of `route`, the value of
 * a Route header ("" or NULL: none). */
int sip_call_add_fork(struct sip_call *c, const struct sip_invite *inv, const char *from,
		      const char *to, const char *target, const char *hop, const char *route);
void sip_call_cancel_forks(struct sip_call *c, const struct sip_fork *but);
/* A 2xx that matches no transaction: repeated or from a second branch. */
bool sip_call_stray_ok(struct sip_stack *s, const struct sip_msg *msg);
void sip_call_send_ack(struct sip_dlg *d, uint32_t cseq);
/* ACK and BYE to a 200 that nobody wants any more. */
void sip_call_confirm_and_hang_up(const struct sip_dlg *base, const struct sip_msg *msg);

/* --- sip_inside.c --- */

void sip_call_request(struct sip_call *c, const struct sip_msg *msg);
/* A key by INFO. */
void sip_call_info_request(struct sip_call *c, const struct sip_msg *msg);

/* --- sip_rel.c --- */

/* What the INVITE says of reliable responses. */
void sip_rel_read(struct sip_call *c, const struct sip_msg *msg);
/* Whether the next 18x, with or without a description, goes reliably. */
bool sip_rel_wants(const struct sip_call *c, bool description);
/* It went, as `sent` (taken): repeated until its PRACK comes; then 504. */
void sip_rel_sent(struct sip_call *c, struct mbuf *sent, bool description);
void sip_rel_prack(struct sip_call *c, const struct sip_msg *msg);
void sip_rel_stop(struct sip_call *c);
/* Confirm a provisional response if it wants it. False: a repetition or out of order, to be passed
 * over. `early`: its dialog, or NULL. */
bool sip_rel_confirm(struct sip_fork *f, const struct sip_msg *msg, struct sip_early **early);
struct sip_early *sip_early_find(const struct sip_fork *f, const struct sip_msg *msg);
/* A request in an early dialog of an outgoing call. False: it belongs to none. */
bool sip_early_request(struct sip_call *c, const struct sip_msg *msg);
/* UPDATE with an offer before the answer, where the first exchange is confirmed. 0, -EPROTO when it is not or the
 * peer takes none or another is under way, -ENOMEM. */
int sip_early_modify(struct sip_call *c, const struct sip_media *local);
bool sip_early_is(const struct sip_call *c, const struct sip_msg *msg);

/* --- sip_modify.c --- */

void sip_call_modify_stop(struct sip_call *c);
/* Session-Expires of an INVITE, UPDATE or 2xx, and the timer that follows from it. */
void sip_call_session_read(struct sip_call *c, const struct sip_msg *msg);
/* The timer goes on after a restart: `left_ms` until something is due. */
void sip_call_session_resume(struct sip_call *c, uint64_t left_ms);
/* Header lines for our 2xx to a request, or our request. */
void sip_call_session_headers(const struct sip_call *c, bool request, char *out, size_t size);
/* Seconds in the message's Session-Expires; 0 = none. */
uint32_t sip_call_session_of(const struct sip_msg *msg, struct pl *refresher);
void sip_call_next_wish(struct sip_call *c);

/* --- sip_replaces.c --- */

/* Views into the text that was read. */
struct sip_replaces {
	struct pl call_id, to_tag, from_tag;
	bool early_only;
};

/* "call-id;to-tag=a;from-tag=b[;early-only]", unescaped. False when a part is missing or twice. */
bool sip_replaces_read(struct sip_replaces *r, const struct pl *text);
/* The running or ringing call that a Refer-To means, tags in either order; NULL. */
struct sip_call *sip_replaces_find(struct sip_stack *s, const struct sip_replaces *r);
/* Replaces of an INVITE into c->info.replaces. False when it cannot be: then it was answered. */
bool sip_replaces_admit(struct sip_call *c, const struct sip_msg *msg);

/* --- sip_refer.c --- */

void sip_call_refer_request(struct sip_call *c, const struct sip_msg *msg);
void sip_call_notify_request(struct sip_call *c, const struct sip_msg *msg);
void sip_call_refer_stop(struct sip_call *c);

#endif
