/* SPDX-License-Identifier: Apache-2.0
 *
 * Made stream by stream and not round by round: an SRTP context is tens of kilobytes, and this way each is
 * in the cache while it is used.
 */
#include "gen_film.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "gen_srtp.h"
#include "net/net.h"
#include "rtp/rtp.h"

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

void gen_payload(uint8_t *at, uint32_t stream, uint32_t round)
{
	uint32_t x = stream * 2654435761u ^ round * 2246822519u ^ 0x9e3779b9u;

	memcpy(at, "PBGN", 4);
	be32_put(at + 4, stream);
	be32_put(at + 8, round);
	for (unsigned i = 12; i < GEN_PAYLOAD; i += 4) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		be32_put(at + i, x);
	}
}

static bool hex_read(uint8_t key[GEN_SRTP_KEY], const char *text)
{
	for (unsigned i = 0; i < GEN_SRTP_KEY; i++) {
		unsigned byte;

		if (sscanf(text + (size_t)i * 2, "%2x", &byte) != 1)
			return false;
		key[i] = (uint8_t)byte;
	}
	return text[GEN_SRTP_KEY * 2] == '\0';
}

static bool line_read(struct gen_stream *t, const char *line)
{
	char ip[16], peer[16], send[64] = "", hear[64] = "";
	unsigned port, peer_port, pt, talks;
	int hears, n = sscanf(line, "%15s %u %15s %u %u %d %u %63s %63s", ip, &port, peer,
			      &peer_port, &pt, &hears, &talks, send, hear);

	if ((n != 7 && n != 9) || port > 65535 || peer_port > 65535 || pt > RTP_PT_MAX ||
	    hears < -1)
		return false;
	*t = (struct gen_stream){.port = (uint16_t)port,
				 .peer_port = (uint16_t)peer_port,
				 .pt = (uint8_t)pt,
				 .hears = hears,
				 .talks = talks != 0,
				 .secure = n == 9};
	return inet_pton(AF_INET, ip, t->ip) == 1 && inet_pton(AF_INET, peer, t->peer_ip) == 1 &&
	       (n == 7 || (hex_read(t->send_key, send) && hex_read(t->hear_key, hear)));
}

/* Sequence numbers begin below 2^15, as RFC 3711 wishes. */
static void shuffle(struct gen_script *s)
{
	uint32_t seed = 1;

	for (uint32_t i = 0; i < s->streams; i++) {
		uint32_t j = next_random(&seed) % (i + 1);
		struct gen_stream *t = &s->stream[i];

		t->place = i;
		t->place = s->stream[j].place;
		s->stream[j].place = i;
		t->ssrc = 0x50000000u + i;
		t->ts = next_random(&seed);
		t->seq = (uint16_t)(next_random(&seed) & 0x3fff);
	}
}

int gen_script_read(struct gen_script *s, const char *path, uint32_t want)
{
	FILE *f = fopen(path, "r");
	char line[300];

	s->streams = 0;
	s->stream = calloc(want, sizeof(*s->stream));
	if (f == NULL || s->stream == NULL) {
		perror(path);
		if (f != NULL)
			fclose(f);
		return -1;
	}
	while (s->streams < want && fgets(line, sizeof(line), f) != NULL) {
		if (!line_read(&s->stream[s->streams], line)) {
			fprintf(stderr, "%s:%u: not a telephone: %s", path, s->streams + 1, line);
			fclose(f);
			return -1;
		}
		s->streams++;
	}
	fclose(f);
	for (uint32_t i = 0; i < s->streams; i++)
		if (s->stream[i].hears >= (int32_t)s->streams)
			s->stream[i].hears = -1;
	shuffle(s);
	return (int)s->streams;
}

static bool stream_film(const struct gen_script *s, uint32_t i, struct gen_slot *film)
{
	const struct gen_stream *t = &s->stream[i];
	struct net_own own = {.ip4 = true};
	struct gen_srtp *srtp = NULL;
	struct net_head h;
	bool good = true;

	if (t->secure && t->talks && (srtp = gen_srtp_open(t->send_key, true)) == NULL)
		return false;
	memcpy(own.mac, s->mac, 6);
	memcpy(own.ip4_addr, t->ip, 4);
	net_head_make(&h, &own, 4, t->port, t->peer_ip, t->peer_port, s->peer_mac);
	for (uint32_t r = 0; r < s->rounds && good; r++) {
		struct gen_slot *slot = &film[gen_slot_at(s, i, r)];
		uint8_t *rtp = slot->frame + NET_HEAD4_BYTES;
		int len = RTP_HEADER_LEN + GEN_PAYLOAD;

		slot->sent_ns = 0;
		slot->len = 0;
		if (!t->talks)
			continue;
		rtp_build(rtp, t->pt, r == 0, (uint16_t)(t->seq + r), t->ts + r * GEN_PAYLOAD,
			  t->ssrc);
		gen_payload(rtp + RTP_HEADER_LEN, i, r);
		good = srtp == NULL || gen_srtp_protect(srtp, rtp, &len);
		net_head_write(&h, slot->frame, (uint16_t)len);
		slot->len = (uint16_t)(NET_HEAD4_BYTES + len);
	}
	gen_srtp_close(srtp);
	return good;
}

bool gen_film_make(const struct gen_script *s, struct gen_slot *film)
{
	for (uint32_t i = 0; i < s->streams; i++)
		if (!stream_film(s, i, film))
			return false;
	return true;
}
