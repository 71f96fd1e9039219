/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <re.h>

#include "sip/sip_scene.h"

struct scene *scene_open(void (*change)(struct sip_stack_config *cfg))
{
	struct scene *s = calloc(1, sizeof(*s));

	kit_up();
	(void)kit_open(&s->board, change);
	(void)kit_wire_open(&s->wire);
	return s;
}

struct scene *scene_new(void)
{
	return scene_open(NULL);
}

bool scene_end(struct scene *s)
{
	bool clean;

	kit_wire_close(&s->wire);
	kit_close(&s->board);
	clean = kit_down();
	free(s);
	return clean;
}

void scene_say(struct scene *s, const char *text)
{
	kit_wire_send(&s->wire, s->board.port[0], text);
}

bool scene_alive(struct scene *s)
{
	char text[512];

	kit_wire_forget(&s->wire);
	(void)re_snprintf(text, sizeof(text),
			  "OPTIONS sip:pb.test SIP/2.0\n" VIA "alive%d\n" FROM TO
			  "Call-ID: alive\nCSeq: 7 OPTIONS\n" EMPTY,
			  s->branch++);
	scene_say(s, text);
	return kit_wire_gets(&s->wire, "CSeq: 7 OPTIONS", SOON);
}

void scene_invite(struct scene *s, const char *call, int cseq, const char *lines, const char *sdp)
{
	char text[8192], body[4096];
	size_t n = 0;

	/* The length counts the CRs that the wire adds. */
	for (const char *p = sdp; *p; p++)
		n += *p == '\n' ? 2 : 1;
	(void)re_snprintf(body, sizeof(body), "%s", sdp);
	(void)re_snprintf(text, sizeof(text),
			  "INVITE sip:95598@pb.test SIP/2.0\n" VIA "%s%d\n" FROM TO ME
			  "Call-ID: %s\nCSeq: %d INVITE\n%s%sContent-Length: %zu\n\n%s",
			  call, cseq, call, cseq, lines, n ? "Content-Type: application/sdp\n" : "",
			  n, body);
	kit_wire_forget(&s->wire);
	scene_say(s, text);
}

bool scene_to_tag(struct scene *s, char *tag, size_t size)
{
	const char *t = strstr(s->wire.got, "To: <sip:95598@pb.test>;tag=");

	if (t == NULL)
		return false;
	t += strlen("To: <sip:95598@pb.test>;tag=");
	(void)re_snprintf(tag, size, "%b", t, strcspn(t, "\r;"));
	return true;
}

void scene_inside(struct scene *s, const char *method, const char *call, const char *tag, int cseq,
		  const char *lines, const char *sdp)
{
	char text[8192];
	size_t n = 0;

	for (const char *p = sdp; *p; p++)
		n += *p == '\n' ? 2 : 1;
	(void)re_snprintf(
		text, sizeof(text),
		"%s sip:95598@127.0.0.1 SIP/2.0\n" VIA "%s%d%s\n" FROM
		"To: <sip:95598@pb.test>;tag=%s\n" ME "Call-ID: %s\nCSeq: %d %s\n%s%s"
		"Content-Length: %zu\n\n%s",
		method, call, cseq, method, tag, call, cseq, method, lines,
		n && strstr(lines, "Content-Type") == NULL ? "Content-Type: application/sdp\n" : "",
		n, sdp);
	kit_wire_forget(&s->wire);
	scene_say(s, text);
}
