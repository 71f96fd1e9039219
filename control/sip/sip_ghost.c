/* SPDX-License-Identifier: Apache-2.0
 *
 * On UDP a CANCEL is repeated as a client transaction would (RFC 3261, 17.1.2.2), until the INVITE has
 * its final answer or 32 s are over. CANCEL and ACK carry the Via of the INVITE, so the peer's own
 * transaction takes them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "record/kept.h"
#include "sip/sip_ghost.h"
#include "sip/sip_priv.h"

enum { GHOST_LIFE_MS = 32000, TEXT_MAX = 4096, VIAS_MAX = 16 };

struct ghost {
	struct le le;
	struct sip_dlg *dlg;
	char *reason;
	struct tmr tmr;
	uint64_t ends_ms;
	uint32_t wait_ms;
	bool answered; /* finally: only repetitions are expected */
};

static void ghost_free(void *arg)
{
	struct ghost *g = arg;

	tmr_cancel(&g->tmr);
	list_unlink(&g->le);
	mem_deref(g->dlg);
	mem_deref(g->reason);
}

static void say_cancel(void *arg)
{
	struct ghost *g = arg;

	if (tmr_jiffies() >= g->ends_ms) {
		mem_deref(g);
		return;
	}
	if (g->answered) {
		tmr_start(&g->tmr, g->ends_ms - tmr_jiffies(), say_cancel, g);
		return;
	}
	sip_dlg_cancel(g->dlg, g->reason);
	tmr_start(&g->tmr, g->wait_ms, say_cancel, g);
	g->wait_ms = g->wait_ms * 2 < SIP_T2 ? g->wait_ms * 2 : SIP_T2;
}

void sip_ghost_cancel(struct sip_stack *s, struct sip_dlg *d, const char *reason)
{
	struct ghost *g = d->via != NULL ? mem_zalloc(sizeof(*g), ghost_free) : NULL;

	if (g == NULL)
		return;
	tmr_init(&g->tmr);
	g->dlg = mem_ref(d);
	if (str_dup(&g->reason, reason) != 0) {
		mem_deref(g);
		return;
	}
	g->ends_ms = tmr_jiffies() + GHOST_LIFE_MS;
	g->wait_ms = SIP_T1;
	list_append(&s->ghosts, &g->le, g);
	tmr_start(&g->tmr, 0, say_cancel, g);
}

bool sip_ghost_response(struct sip_stack *s, const struct sip_msg *msg)
{
	for (struct le *le = s->ghosts.head; le; le = le->next) {
		struct ghost *g = le->data;

		if (pl_strcmp(&msg->callid, g->dlg->call_id) != 0 ||
		    pl_strcmp(&msg->from.tag, g->dlg->ltag) != 0)
			continue;
		if (pl_strcmp(&msg->cseq.met, "INVITE") != 0 || msg->scode < 200)
			return true;
		g->answered = true;
		if (msg->scode < 300)
			sip_call_confirm_and_hang_up(g->dlg, msg);
		else
			sip_dlg_refused(g->dlg, msg);
		return true;
	}
	return false;
}

/* --- INVITEs that we were sent --- */

static void put(json_t *o, const char *name, const struct pl *value)
{
	char text[TEXT_MAX];

	if (value->l >= sizeof(text))
		return;
	for (size_t i = 0; i < value->l; i++)
		text[i] = value->p[i] == '\r' || value->p[i] == '\n' || value->p[i] == '\t'
				  ? ' '
				  : value->p[i];
	text[value->l] = '\0';
	kept_put_text(o, name, text);
}

static bool add_via(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	json_t *one = json_object();

	(void)msg;
	put(one, "via", &hdr->val);
	json_array_append_new(arg, one);
	return false;
}

json_t *sip_ghost_invite_keep(const struct sip_msg *msg)
{
	json_t *o = json_object(), *vias = json_array();
	char ip[64];

	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_VIA, add_via, vias);
	json_object_set_new(o, "vias", vias);
	put(o, "from", &msg->from.val);
	put(o, "to", &msg->to.val);
	put(o, "call_id", &msg->callid);
	kept_put_number(o, "cseq", msg->cseq.num);
	kept_put_number(o, "tp", msg->tp);
	if (sa_ntop(&msg->src, ip, sizeof(ip)) == 0)
		kept_put_text(o, "ip", ip);
	kept_put_number(o, "port", sa_port(&msg->src));
	return o;
}

static bool write_invite(struct mbuf *mb, const json_t *o)
{
	const json_t *vias = json_object_get(o, "vias");
	char from[TEXT_MAX], to[TEXT_MAX], call_id[TEXT_MAX], via[TEXT_MAX];
	uint64_t cseq;
	bool ok = json_array_size(vias) > 0 && json_array_size(vias) <= VIAS_MAX;

	ok = kept_text(o, "from", from, sizeof(from)) && ok;
	ok = kept_text(o, "to", to, sizeof(to)) && ok;
	ok = kept_text(o, "call_id", call_id, sizeof(call_id)) && ok;
	ok = kept_number(o, "cseq", UINT32_MAX, &cseq) && ok;
	ok = ok && mbuf_printf(mb, "INVITE sip:patchbay SIP/2.0\r\n") == 0;
	for (size_t i = 0; ok && i < json_array_size(vias); i++)
		ok = kept_text(json_array_get(vias, i), "via", via, sizeof(via)) &&
		     mbuf_printf(mb, "Via: %s\r\n", via) == 0;
	return ok && mbuf_printf(mb,
				 "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u INVITE\r\n"
				 "Content-Length: 0\r\n\r\n",
				 from, to, call_id, (uint32_t)cseq) == 0;
}

void sip_ghost_refuse(struct sip_stack *s, const json_t *invite, const json_t *dialog,
		      const char *reason)
{
	const char *tag = json_string_value(json_object_get(dialog, "ltag"));
	struct mbuf *mb = mbuf_alloc(2048);
	struct sip_msg *msg = NULL;
	uint64_t port, tp;
	char ip[64];

	if (mb != NULL && write_invite(mb, invite) && kept_text(invite, "ip", ip, sizeof(ip)) &&
	    kept_number(invite, "port", UINT16_MAX, &port) &&
	    kept_number(invite, "tp", SIP_TRANSP_TLS, &tp)) {
		mb->pos = 0;
		if (sip_msg_decode(&msg, mb) == 0 &&
		    sa_set_str(&msg->src, ip, (uint16_t)port) == 0) {
			msg->tp = (enum sip_transp)tp;
			msg->tag = tag != NULL ? strtoull(tag, NULL, 16) : rand_u64();
			(void)sip_replyf(s->sip, msg, 503, "Service Unavailable",
					 "%sContent-Length: 0\r\n\r\n", reason);
		}
	}
	mem_deref(msg);
	mem_deref(mb);
}
