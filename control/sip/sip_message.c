/* SPDX-License-Identifier: Apache-2.0
 *
 * A line of text to somebody's phones (RFC 3428), outside of any call. Nothing is kept: a phone that shows no text
 * refuses it, which is logged and nothing more.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "sip/sip_priv.h"
#include "sip/sip_text.h"

static void on_answer(int err, const struct sip_msg *msg, void *arg)
{
	char to[SIP_TEXT_MAX];

	(void)arg;
	if (err != 0 || msg == NULL || msg->scode < 300)
		return;
	sip_text_pl(to, sizeof(to), &msg->to.uri.user);
	log_info("sip", "the phone of %s took no text: %u", to, msg->scode);
}

static int send_one(struct sip_stack *s, const struct registrar_contact *at, const char *from,
		    const char *to, const char *more)
{
	char *hop = at->by_source ? sip_dlg_hop_of(&at->source) : NULL;
	struct sip_dlg *d = NULL;
	int err = sip_dlg_start(&d, s->sip, s->agent, from, to, at->uri, hop, "patchbay", NULL);

	if (err == 0 && at->path[0] != '\0')
		err = sip_dlg_route(d, at->path);
	if (err == 0) /* of libre, so positive */
		err = -sip_dlg_request(d, NULL, "MESSAGE", 0, NULL, on_answer, NULL, more);
	mem_deref(d);
	mem_deref(hop);
	return err;
}

int sip_stack_message(struct sip_stack *s, const char *user, const char *text)
{
	struct registrar_contact contact[SIP_FORKS_MAX];
	size_t n = registrar_lookup(s->registrar, user, contact, SIP_FORKS_MAX);
	char *from = NULL, *to = NULL, *more;
	struct pl raw;
	int err, sent = 0;

	if (n == 0)
		return -ENOENT;
	pl_set_str(&raw, user);
	more = sip_dlg_body("", "text/plain;charset=UTF-8", (const uint8_t *)text, strlen(text));
	err = more == NULL || re_sdprintf(&from, "<sip:patchbay@%s>", s->realm) != 0 ||
			      re_sdprintf(&to, "<sip:%H@%s>", uri_user_escape, &raw, s->realm) != 0
		      ? -ENOMEM
		      : 0;
	for (size_t i = 0; err == 0 && i < n; i++)
		sent += send_one(s, &contact[i], from, to, more) == 0;
	mem_deref(from);
	mem_deref(to);
	mem_deref(more);
	return err != 0 ? err : sent > 0 ? 0 : -EHOSTUNREACH;
}
