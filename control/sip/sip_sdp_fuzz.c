/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a session description, as the first offer, as a re-offer and as an answer. Must hold:
 * nothing is read outside the text; a refused description leaves the settled media as they were; an
 * accepted one has an address, a port and at least one codec of ours; the answer to it can always be
 * written.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <re.h>

#include "base/must.h"
#include "sip/sip_sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_settled(const struct sip_sdp *s, int err, const struct sip_media *before)
{
	const struct sip_media *m = sip_sdp_remote(s);

	if (err) {
		must(before == NULL || memcmp(m, before, sizeof(*m)) == 0);
		return;
	}
	must(m != NULL && m->port != 0 && m->ip[0] != '\0');
	must(m->codecs > 0 && m->codecs <= SIP_CODECS_MAX);
	for (uint8_t i = 0; i < m->codecs; i++)
		must(m->codec[i].pt <= 127 && memchr(m->codec[i].name, 0, SIP_CODEC_NAME_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char good[] =
		"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\n"
		"t=0 0\r\nm=audio 4000 RTP/AVP 0 8\r\n";
	struct mbuf *body = mbuf_alloc(size + 1), *first = mbuf_alloc(sizeof(good));
	struct mbuf *answer = NULL, *offer = NULL;
	struct sip_sdp *s = NULL;
	struct sip_media local, before;
	int err;

	(void)mbuf_write_mem(body, data, size);
	(void)mbuf_write_str(first, good);
	body->pos = first->pos = 0;
	(void)sip_media_local(&local, "192.0.2.1", 4000);
	(void)sip_sdp_peek(body, &before);

	must(sip_sdp_new(&s) == 0 && sip_sdp_set_local(s, &local) == 0);
	err = sip_sdp_take_offer(s, body);
	check_settled(s, err, NULL);

	/* Streams may not change places in a call, so the good offer opens another one. */
	mem_deref(s);
	must(sip_sdp_new(&s) == 0 && sip_sdp_set_local(s, &local) == 0);
	must(sip_sdp_take_offer(s, first) == 0);
	before = *sip_sdp_remote(s);
	err = sip_sdp_take_offer(s, body);
	check_settled(s, err, &before);
	must(sip_sdp_make_answer(s, &answer) == 0);

	before = *sip_sdp_remote(s);
	must(sip_sdp_make_offer(s, &offer) == 0);
	err = sip_sdp_take_answer(s, body);
	check_settled(s, err, &before);

	mem_deref(s);
	mem_deref(offer);
	mem_deref(answer);
	mem_deref(first);
	mem_deref(body);
	return 0;
}
