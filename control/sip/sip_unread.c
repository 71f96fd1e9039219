/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers to requests that libre cannot read. Of the message only lines are looked at: what a response has
 * to repeat (Via, From, To, Call-ID, CSeq) is repeated as it stands, one of each; when one is missing, or
 * it is an ACK, nobody is answered. The response is never longer than the request by more than its
 * own lines, and goes where the request came from.
 */
#include <string.h>

#include "sip/sip_unread.h"

enum { ROOM = 2048, FIELDS = 5 };

/* A header field with its folded lines, or not found. */
static bool find(const struct pl *head, const char *name, char compact, struct pl *value)
{
	const char *p = head->p, *end = p + head->l;
	size_t len = strlen(name);

	while (p < end) {
		const char *line = p, *next = p, *colon;
		size_t n;

		do {
			next = memchr(next, '\n', (size_t)(end - next));
			next = next ? next + 1 : end;
		} while (next < end && (*next == ' ' || *next == '\t'));
		p = next;
		colon = memchr(line, ':', (size_t)(next - line));
		if (colon == NULL)
			continue;
		n = (size_t)(colon - line);
		while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
			n--;
		if (!(n == len && strncasecmp(line, name, len) == 0) &&
		    !(n == 1 && (line[0] | 0x20) == compact))
			continue;
		value->p = colon + 1;
		value->l = (size_t)(next - colon - 1);
		while (value->l > 0 &&
		       (value->p[value->l - 1] == '\r' || value->p[value->l - 1] == '\n'))
			value->l--;
		return true;
	}
	return false;
}

/* "METHOD anything SIP/x.y": a request, and whether of our version. */
static bool is_request(const struct pl *line, bool *ours)
{
	struct pl version;

	if (line->l < 12 || strncmp(line->p, "SIP/", 4) == 0 || strncmp(line->p, "ACK ", 4) == 0 ||
	    re_regex(line->p, line->l, "SIP/[0-9]+.[0-9]+", NULL, NULL) != 0)
		return false;
	*ours = re_regex(line->p, line->l, "[ ]+SIP/2.0", &version) == 0;
	return true;
}

struct mbuf *sip_unread_answer(const struct mbuf *mb)
{
	static const struct {
		const char *name;
		char compact;
	} field[FIELDS] = {{"Via", 'v'}, {"From", 'f'}, {"To", 't'}, {"Call-ID", 'i'}, {"CSeq", 0}};
	struct pl head, line, value;
	struct mbuf *out;
	bool ours = true;
	int err;

	pl_set_mbuf(&head, mb);
	if (head.l > 16384 || memchr(head.p, '\n', head.l) == NULL)
		return NULL;
	line.p = head.p;
	line.l = (size_t)((const char *)memchr(head.p, '\n', head.l) - head.p);
	if (!is_request(&line, &ours))
		return NULL;
	pl_advance(&head, (ssize_t)line.l + 1);
	out = mbuf_alloc(ROOM);
	if (out == NULL)
		return NULL;
	err = mbuf_printf(out, "SIP/2.0 %s\r\n",
			  ours ? "400 Cannot Be Read" : "505 Version Not Supported");
	for (size_t i = 0; err == 0 && i < FIELDS; i++) {
		if (!find(&head, field[i].name, field[i].compact, &value) || value.l > ROOM / 2)
			err = EBADMSG;
		else
			err = mbuf_printf(out, "%s:%r\r\n", field[i].name, &value);
	}
	err = err ? err : mbuf_write_str(out, "Content-Length: 0\r\n\r\n");
	out->pos = 0;
	return err ? mem_deref(out) : out;
}
