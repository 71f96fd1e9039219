/* SPDX-License-Identifier: Apache-2.0
 *
 * SIP status and Q.850 cause, both ways, as RFC 3398 maps them (8.2.6.1 and 7.2.4.1). The first
 * table is searched by status, the second by cause; what neither names falls back to its class.
 */
#include <stddef.h>

#include "sip/sip_call.h"

struct pair {
	int from, to;
};

/* clang-format off */
static const struct pair cause_of[] = {
	{400, 41}, {401, 21}, {402, 21}, {403, 21}, {404, 1}, {405, 63}, {406, 79}, {407, 21},
	{408, 102}, {410, 22}, {413, 127}, {414, 127}, {415, 79}, {416, 127}, {420, 127},
	{421, 127}, {422, 127}, {423, 127}, {480, 18}, {481, 41}, {482, 25}, {483, 25}, {484, 28},
	{485, 1}, {486, 17}, {487, 16}, {488, 88}, {491, 41}, {500, 41}, {501, 79}, {502, 38},
	{503, 41}, {504, 102}, {505, 127}, {513, 127}, {600, 17}, {603, 21}, {604, 1}, {606, 88},
};
static const struct pair status_of[] = {
	{1, 404}, {2, 404}, {3, 404}, {16, 480}, {17, 486}, {18, 408}, {19, 480}, {20, 480},
	{21, 403}, {22, 410}, {23, 410}, {26, 404}, {27, 502}, {28, 484}, {29, 501}, {31, 480},
	{34, 503}, {38, 503}, {41, 503}, {42, 503}, {47, 503}, {55, 403}, {57, 403}, {58, 503},
	{65, 488}, {70, 488}, {79, 501}, {87, 403}, {88, 488}, {102, 504}, {111, 500}, {127, 500},
};
/* clang-format on */

static int look(const struct pair *p, size_t n, int key, int otherwise)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i].from == key)
			return p[i].to;
	}
	return otherwise;
}

int sip_cause_of_status(int status)
{
	if (status < 300)
		return SIP_CAUSE_NORMAL;

	int class = status >= 600   ? SIP_CAUSE_REJECTED
		    : status >= 500 ? 41
				    : SIP_CAUSE_INTERWORKING;

	return look(cause_of, sizeof(cause_of) / sizeof(cause_of[0]), status, class);
}

int sip_status_of_cause(int cause)
{
	return look(status_of, sizeof(status_of) / sizeof(status_of[0]), cause, 480);
}
