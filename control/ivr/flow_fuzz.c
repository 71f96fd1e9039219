/* SPDX-License-Identifier: Apache-2.0
 * For any bytes: reading a flow ends with a flow or a complaint. A flow that passes its check is
 * walked with the rest of the bytes as events: it never runs without time passing (that would end
 * in IVR_CAUSE_FAILED), never gives more actions than fit, and refuses what does not fit. */
#include <string.h>

#include "base/must.h"
#include "ivr/ivr.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void walk(struct ivr_flow *f, const unsigned char *data, size_t size)
{
	struct ivr_session s;
	struct ivr_actions out;
	struct ivr_now now = {0};
	char digits[3] = "";

	ivr_start(&s, f, "100", "200", NULL, &now, &out);
	for (size_t i = 0; i < size && i < 200; i++) {
		struct ivr_event ev = {
			.kind = (enum ivr_event_kind)(data[i] % 6),
			.digits = digits,
			.queue = (enum ivr_queue_left)(data[i] / 6 % 5),
			.dial = (enum ivr_dial_done)(data[i] / 6 % 4),
		};

		digits[0] = "0123456789*#"[data[i] % 12];
		must(out.n <= IVR_ACTIONS_MAX);
		for (unsigned k = 0; k < out.n; k++)
			must(out.action[k].kind != IVR_HANGUP ||
			     out.action[k].cause != IVR_CAUSE_FAILED);
		if (ivr_event(&s, &ev, &now, &out) != 0)
			must(out.n == 0);
	}
	ivr_end(&s);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static char picture[4096];
	struct complaints c;
	struct ivr_flow *f = NULL;
	int rc = ivr_flow_load((const char *)data, size, "fuzz.yaml", &f, &c);

	must((rc == 0) == (c.errors == 0) && (rc == 0) == (f != NULL));
	if (rc != 0)
		return 0;
	ivr_flow_draw(f, IVR_PICTURE_DOT, picture, sizeof(picture));
	ivr_flow_draw(f, IVR_PICTURE_SVG, picture, sizeof(picture));
	if (ivr_flow_check(f, &(struct ivr_world){0}, &c) == 0)
		walk(f, data, size);
	ivr_flow_drop(&f);
	return 0;
}
