/* SPDX-License-Identifier: Apache-2.0
 *
 * Main's side of a capture: no DPDK, so that the control socket's tests have it too.
 */
#include <stdlib.h>

#include "path/capture.h"

struct capture *capture_create(void)
{
	struct capture *c = calloc(1, sizeof(*c));
	void *slots = calloc(CAPTURE_SLOTS, sizeof(struct capture_packet));

	if (c == NULL || slots == NULL) {
		free(c);
		free(slots);
		return NULL;
	}
	spsc_init(&c->ring, slots, CAPTURE_SLOTS, sizeof(struct capture_packet));
	return c;
}

void capture_destroy(struct capture *c)
{
	if (c == NULL)
		return;
	free(c->ring.slot);
	free(c);
}
