/* One REGISTER while it is answered: shared by registrar.c, which has the table, and registrar_read.c, which
 * reads the request.
 *
 * Thread: libre's loop. Private to control/sip.
 */
#ifndef SIP_REGISTRAR_PRIV_H
#define SIP_REGISTRAR_PRIV_H

#include "sip/registrar.h"
#include "sip/sip_re.h"

/* What a Contact line asks for. */
struct registrar_wish {
	struct pl uri, host;
	uint32_t expires_s;
	float q;
};

struct registrar_request {
	struct registrar *r;
	const struct sip_limits *limits;
	const struct sip_msg *msg;
	char user[SIP_USER_MAX];
	uint32_t default_s;
	struct registrar_wish wish[REGISTRAR_CONTACTS_MAX];
	size_t wishes;
	char path[REGISTRAR_PATH_MAX];
	bool star;
	uint16_t status;
	const char *reason;
};

/* Answer it so. True: nothing more of it is read. */
bool registrar_refuse(struct registrar_request *q, uint16_t status, const char *reason);

/* A URI that a phone can be reached by. */
bool registrar_uri_usable(const struct sip_addr *a);

/* Read it all. False: refused, q->status says how. */
bool registrar_read(struct registrar_request *q);

#endif
