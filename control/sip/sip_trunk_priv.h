/* The insides of a trunk: shared by the files sip_trunk*.c.
 *
 *   sip_trunk.c        the list, its choice and views     sip_trunk_reg.c    REGISTER
 *   sip_trunk_name.c   names into addresses               sip_trunk_pick.c   decisions, pure
 *
 * Thread: libre's loop.
 */
#ifndef SIP_SIP_TRUNK_PRIV_H
#define SIP_SIP_TRUNK_PRIV_H

#include "sip/sip_re.h"

#include "sip/sip_priv.h"
#include "sip/sip_trunk.h"

enum { SIP_TRUNK_ADDRS = 8 };

struct sip_trunk_lookup;

struct sip_trunk {
	struct sip_stack *stack; /* NULL: gone, only its last request is under way */
	struct sip_trunk_setup setup;
	char name[SIP_TRUNK_NAME_MAX], host[SIP_TRUNK_HOST_MAX], prefix[SIP_USER_MAX],
		user[SIP_USER_MAX];

	struct sa addr[SIP_TRUNK_ADDRS];
	size_t addrs, now; /* addr[now] is used for what goes out */
	struct sip_trunk_lookup *lookup;
	struct tmr tmr_lookup;

	enum sip_trunk_state state;
	char why[SIP_TEXT_MAX];
	uint64_t aside_until_ms; /* a call failed */
	uint64_t calls_in, calls_out, failures;

	/* REGISTER. */
	struct sip_dlg *reg;
	struct sip_request *reg_req;
	struct sip_prove *auth;
	bool challenged, leaving;
	bool counted;       /* in stack->leaving */
	uint32_t ask_s;     /* raised by a 423 */
	unsigned reg_fails; /* in a row */
	uint64_t registered_until_ms;
	uint64_t registrations, register_failures;
	struct tmr tmr_reg;

	/* OPTIONS. */
	struct sip_request *options_req;
	struct tmr tmr_options;
};

/* Told once when it changes: to the log and the owner. */
void sip_trunk_is(struct sip_trunk *t, enum sip_trunk_state state, const char *why);
/* The next address of several takes over. */
void sip_trunk_next_address(struct sip_trunk *t);
/* "sip:ADDRESS:PORT;transport=x" of the address in use, to be freed; NULL = none known. */
char *sip_trunk_hop(const struct sip_trunk *t);
/* "sip:USER@HOST" with port and transport where they are not the usual; to be freed, or NULL. */
char *sip_trunk_uri(const struct sip_trunk *t, const char *user);

/* --- sip_trunk_name.c --- */

/* Find the addresses now, and again while the trunk is there. Calls sip_trunk_found(). */
void sip_trunk_lookup_start(struct sip_trunk *t);
void sip_trunk_lookup_stop(struct sip_trunk *t);
void sip_trunk_found(struct sip_trunk *t);

/* --- sip_trunk_reg.c --- */

void sip_trunk_register(struct sip_trunk *t);
/* Say that we leave (Expires: 0); the object lives until the answer. */
void sip_trunk_unregister(struct sip_trunk *t);

#endif
