/* For tests: a switchboard, and a bare wire that speaks to it word for word.
 *
 * Texts are written with '\n' for CRLF and "@PORT@" for the wire's own port; the macros below are the headers that
 * every row needs.
 */
#ifndef SIP_SIP_SCENE_H
#define SIP_SIP_SCENE_H

#include "sip/sip_kit.h"

enum { SOON = 2000 };

#define VIA    "Via: SIP/2.0/UDP 127.0.0.1:@PORT@;rport;branch=z9hG4bK"
#define FROM   "From: <sip:caller@far.test>;tag=f\n"
#define TO     "To: <sip:95598@pb.test>\n"
#define ME     "Contact: <sip:caller@127.0.0.1:@PORT@>\n"
#define EMPTY  "Content-Length: 0\n\n"
#define AUDIO  "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n"
#define PCMU_A "m=audio 4000 RTP/AVP 0 8 101\na=rtpmap:101 telephone-event/8000\n"

struct scene {
	struct kit_line board;
	struct kit_wire wire;
	int branch;
};

/* libre up, the board open; `change` as kit_open() takes it. */
struct scene *scene_open(void (*change)(struct sip_stack_config *cfg));
struct scene *scene_new(void);
/* Everything down; true when nothing leaked. */
bool scene_end(struct scene *s);

void scene_say(struct scene *s, const char *text);
/* The board answers OPTIONS. */
bool scene_alive(struct scene *s);

/* An INVITE with further header lines and a description ("" = none). */
void scene_invite(struct scene *s, const char *call, int cseq, const char *lines, const char *sdp);
/* The board's tag, as the wire last got it. */
bool scene_to_tag(struct scene *s, char *tag, size_t size);
/* A request inside the call that the INVITE began. */
void scene_inside(struct scene *s, const char *method, const char *call, const char *tag, int cseq,
		  const char *lines, const char *sdp);

#endif
