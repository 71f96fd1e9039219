/* A dialog over a restart. Private to control/sip. */
#ifndef SIP_SIP_DLG_STORE_H
#define SIP_SIP_DLG_STORE_H

#include <jansson.h>

#include "sip/sip_dlg.h"

/* A new reference. `listens`: the next hop is an address where the peer listens (a trunk that we connected
 * to), not only the far end of its connection. */
json_t *sip_dlg_keep(const struct sip_dlg *d, bool listens);

/* The dialog again, its own sequence number ahead of what was kept. Returns 0; -EINVAL for what cannot
 * have been kept; -ENOMEM. */
int sip_dlg_kept(struct sip_dlg **out, struct sip *sip, const char *agent, const json_t *o);

#endif
