/* SPDX-License-Identifier: Apache-2.0
 *
 * Any datagram at a running switchboard, through sockets and loop as in life. Must hold: the board
 * still answers OPTIONS afterwards, nobody is registered without a password, and no call is let in
 * under the name of one of our users.
 *
 * The input's first byte chooses the mood of the board (answer, ring, early media, busy).
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <re.h>

#include "base/log.h"
#include "base/must.h"
#include "sip/sip_kit.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct kit_line board;
	struct kit_wire wire;
	unsigned round;
};

static struct world *world(void)
{
	static struct world *w;

	if (w == NULL)
		w = calloc(1, sizeof(*w));
	must(w != NULL);
	return w;
}

static void roomy(struct sip_stack_config *cfg)
{
	cfg->limits.calls_max = 1000000;
	cfg->limits.calls_per_s_max = 1000000;
	cfg->limits.registers_per_s = 1000000;
	cfg->limits.failures_user = 1000000;
	cfg->limits.failures_source = 1000000;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct world *w = world();

	(void)argc;
	(void)argv;
	log_setup("fuzz", LOG_LEVEL_ERROR);
	kit_up();
	must(kit_open(&w->board, roomy) == 0);
	must(kit_wire_open(&w->wire) == 0);
	return 0;
}

static bool nobody_sneaked_in(const struct kit_line *l)
{
	const struct kit_call *k = l->calls ? &l->call[(l->calls - 1) % KIT_CALLS] : NULL;

	return l->registered == 0 && (k == NULL || k->info.auth_user[0] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = world();
	char ping[512], mark[32];

	if (size == 0)
		return 0;
	w->board.mood = (enum kit_mood)(data[0] % (KIT_IGNORE + 1));
	kit_wire_forget(&w->wire);
	kit_wire_send_raw(&w->wire, w->board.port[0], data + 1, size - 1);

	(void)re_snprintf(mark, sizeof(mark), "CSeq: %u OPTIONS", ++w->round);
	(void)re_snprintf(ping, sizeof(ping),
			  "OPTIONS sip:pb.test SIP/2.0\n"
			  "Via: SIP/2.0/UDP 127.0.0.1:@PORT@;rport;branch=z9hG4bKp%u\n"
			  "From: <sip:p@far.test>;tag=p\nTo: <sip:p@pb.test>\nCall-ID: p%u\n%s\n"
			  "Content-Length: 0\n\n",
			  w->round, w->round, mark);
	kit_wire_send(&w->wire, w->board.port[0], ping);
	must(kit_wire_gets(&w->wire, mark, 5000));
	must(nobody_sneaked_in(&w->board));

	/* Whatever call it made is over, so that memory stays flat. */
	for (size_t i = 0; i < KIT_CALLS && i < w->board.calls; i++) {
		if (w->board.call[i].call)
			sip_call_end(w->board.call[i].call, 480, 0, NULL);
	}
	return 0;
}
