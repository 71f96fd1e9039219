/* SPDX-License-Identifier: Apache-2.0
 *
 * For any series of packets and pauses: between two starts of the same press there is an end or
 * another press, an end comes only after a start, and each packet tells at most one piece of news.
 * Input: records of 9 bytes: flags, timestamp, 4 of payload.
 */
#include "base/must.h"
#include "base/units.h"
#include "rtp/telephone_event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void settle(const struct telephone_event *e, struct telephone_event_news n, bool *pressed)
{
	switch (n.heard) {
	case TELEPHONE_EVENT_STARTED:
		*pressed = true;
		break;
	case TELEPHONE_EVENT_CONTINUES:
		must(*pressed);
		break;
	case TELEPHONE_EVENT_ENDED:
		must(*pressed);
		*pressed = false;
		break;
	case TELEPHONE_EVENT_WHOLE:
		*pressed = false;
		break;
	case TELEPHONE_EVENT_BAD:
	case TELEPHONE_EVENT_NOTHING:
		break;
	}
	must(*pressed == telephone_event_pressed(e));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct telephone_event e = {0};
	bool pressed = false;
	uint64_t now_ns = 0;

	for (; size >= 9; data += 9, size -= 9) {
		size_t len = data[0] & 2 ? 4 : (data[0] >> 2 & 3);

		now_ns += (uint64_t)(data[0] >> 4) * 10 * PB_NS_PER_MS;
		settle(&e, telephone_event_expire(&e, now_ns), &pressed);
		settle(&e,
		       telephone_event_heard(&e, data + 5, len, be32_get(data + 1), data[0] & 1,
					     now_ns),
		       &pressed);
	}
	return 0;
}
