/* SPDX-License-Identifier: Apache-2.0 */
#include "patchbay/fate.h"

#include "base/must.h"

static const struct {
	const char *name;
	const char *text;
} fates[FATE_COUNT] = {
#define ROW(id, name, text) [FATE_##id] = {name, text},
	PACKET_FATE_TABLE(ROW, ROW)
#undef ROW
};

const char *packet_fate_name(enum packet_fate fate)
{
	must(fate < FATE_COUNT);
	return fates[fate].name;
}

const char *packet_fate_text(enum packet_fate fate)
{
	must(fate < FATE_COUNT);
	return fates[fate].text;
}
