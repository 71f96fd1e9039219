/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a frame. The first byte says whether the port is exclusive and how much room lies
 * behind the frame. What must hold:
 *   - net_parse() reads nothing outside the frame (the sanitizer watches a block of its exact size);
 *   - a UDP view lies wholly inside the frame;
 *   - what is LOCAL may be given to neigh_local(), whose answer fits the room that it was given and
 *     comes from the port's own link address.
 */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "net/neigh.h"
#include "net/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > 2000)
		return 0;

	struct net_own own = {
		.mac = {2, 0, 0, 0, 0, 1},
		.exclusive = data[0] & 1,
		.ip4 = true,
		.ip4_addr = {10, 1, 2, 1},
		.ip4_prefix = 24,
		.ip6 = true,
		.ip6_addr = {0xfd, [15] = 1},
		.ip6_prefix = 64,
	};
	uint16_t len = (uint16_t)(size - 1);
	uint16_t room = (uint16_t)(len + (data[0] >> 1));
	uint8_t *frame = malloc(len ? len : 1), *roomy = malloc(room ? room : 1);
	struct net_view v;
	struct neigh_news news;

	memcpy(frame, data + 1, len);
	memcpy(roomy, data + 1, len);

	enum net_verdict verdict = net_parse(&v, &own, frame, len);

	if (verdict == NET_UDP) {
		must(v.family == 4 || v.family == 6);
		must(v.payload_at + v.payload_len <= len);
		must(v.src_ip >= frame && v.src_ip + (v.family == 4 ? 4 : 16) <= frame + len);
	}
	must(verdict != NET_LOCAL || own.exclusive);
	neigh_local(&news, &own, roomy, len, room); /* robust even without the parser before it */
	must(!news.reply || (news.len <= room && memcmp(roomy + 6, own.mac, 6) == 0));
	free(frame);
	free(roomy);
	return 0;
}
