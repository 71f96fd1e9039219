/* The compiled filters (xdp_rtp.bpf.c), embedded when the program is built. */
#ifndef PORT_PORT_XDP_OBJECT_H
#define PORT_PORT_XDP_OBJECT_H

#include <stddef.h>

extern const char port_xdp_object[]; /* section "xdp": patchbay_rtp */
extern const size_t port_xdp_object_len;
extern const char port_tc_object[]; /* section "tc": patchbay_drop */
extern const size_t port_tc_object_len;

#endif
