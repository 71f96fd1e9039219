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
#include <strings.h>

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

/* The codec's reel, made when it is first wanted. */
static const struct gen_reel *reel_of(struct gen_script *s, const char *codec)
{
	struct gen_reel made;

	for (unsigned i = 0; i < CODEC_COUNT; i++)
		if (s->reel[i] != NULL && strcasecmp(s->reel[i]->codec->name, codec) == 0)
			return s->reel[i];
	if (s->sound == NULL) {
		fprintf(stderr, "bench_gen: codec=%s needs --sound\n", codec);
		return NULL;
	}
	if (!gen_reel_make(&made, codec, s->sound))
		return NULL;
	s->reel[made.codec->id] = malloc(sizeof(made));
	if (s->reel[made.codec->id] != NULL)
		*s->reel[made.codec->id] = made;
	return s->reel[made.codec->id];
}

static bool word_read(struct gen_script *s, struct gen_stream *t, const char *word)
{
	if (strncmp(word, "codec=", 6) == 0)
		return (t->reel = reel_of(s, word + 6)) != NULL;
	if (strncmp(word, "press=", 6) == 0) {
		t->press = (uint16_t)strtoul(word + 6, NULL, 10);
		return t->press > 2 * GEN_PRESS_ROUNDS;
	}
	return false;
}

static bool keys_read(struct gen_stream *t, char **word, unsigned *at, unsigned n)
{
	if (*at + 1 >= n || strchr(word[*at], '=') != NULL)
		return true;
	t->secure = hex_read(t->send_key, word[*at]) && hex_read(t->hear_key, word[*at + 1]);
	*at += 2;
	return t->secure;
}

static bool line_read(struct gen_script *s, struct gen_stream *t, char *line)
{
	enum { PLACED = 7, WORDS = PLACED + 4 };
	char *word[WORDS] = {0}, *save = NULL;
	unsigned long port, peer_port, pt;
	unsigned n = 0, at = PLACED;

	for (char *w = strtok_r(line, " \n", &save); w != NULL && n < WORDS;
	     w = strtok_r(NULL, " \n", &save))
		word[n++] = w;
	if (n < PLACED)
		return false;
	port = strtoul(word[1], NULL, 10);
	peer_port = strtoul(word[3], NULL, 10);
	pt = strtoul(word[4], NULL, 10);
	*t = (struct gen_stream){.port = (uint16_t)port,
				 .peer_port = (uint16_t)peer_port,
				 .pt = (uint8_t)pt,
				 .hears = (int32_t)strtol(word[5], NULL, 10),
				 .talks = strcmp(word[6], "0") != 0};
	if (port > 65535 || peer_port > 65535 || pt > RTP_PT_MAX || t->hears < GEN_NOBODY ||
	    inet_pton(AF_INET, word[0], t->ip) != 1 ||
	    inet_pton(AF_INET, word[2], t->peer_ip) != 1 || !keys_read(t, word, &at, n))
		return false;
	while (at < n)
		if (!word_read(s, t, word[at++]))
			return false;
	return true;
}

static uint32_t rtcp_slots(const struct gen_script *s)
{
	return s->rtcp ? (s->streams + GEN_RTCP_ROUNDS - 1) / GEN_RTCP_ROUNDS : 0;
}

/* RTCP is spread evenly over the round. */
static uint32_t rtcp_place(const struct gen_script *s, uint32_t slot)
{
	return (uint32_t)((uint64_t)(slot + 1) * s->per_round / rtcp_slots(s)) - 1;
}

uint32_t gen_reporter(const struct gen_script *s, uint64_t k)
{
	uint32_t round = (uint32_t)(k / s->per_round), place = (uint32_t)(k % s->per_round),
		 slot = 0;

	while (rtcp_place(s, slot) != place)
		slot++;
	return slot * GEN_RTCP_ROUNDS + round % GEN_RTCP_ROUNDS;
}

/* Sequence numbers begin below 2^15, as RFC 3711 wishes. */
bool gen_script_shuffle(struct gen_script *s)
{
	uint32_t seed = 1, n = 0, extra = 0;

	s->per_round = s->streams + rtcp_slots(s);
	free(s->at);
	s->at = malloc((s->per_round + 1) * sizeof(*s->at));
	if (s->at == NULL)
		return false;
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
	for (uint32_t i = 0; i < s->streams; i++)
		s->at[s->stream[i].place] = (int32_t)i;
	/* Make way for RTCP, from the end. */
	n = s->streams;
	extra = rtcp_slots(s);
	for (uint32_t p = s->per_round; p-- > 0;) {
		if (extra > 0 && rtcp_place(s, extra - 1) == p) {
			s->at[p] = GEN_NOBODY;
			extra--;
			continue;
		}
		s->at[p] = s->at[--n];
		s->stream[s->at[p]].place = p;
	}
	return true;
}

void gen_script_free(struct gen_script *s)
{
	for (unsigned i = 0; i < CODEC_COUNT; i++)
		free(s->reel[i]);
	free(s->at);
	free(s->stream);
	s->stream = NULL;
	s->at = NULL;
}

int gen_script_read(struct gen_script *s, const char *path, uint32_t want)
{
	FILE *f = fopen(path, "r");
	char line[300], text[300];

	s->streams = 0;
	s->stream = calloc(want, sizeof(*s->stream));
	if (f == NULL || s->stream == NULL) {
		perror(path);
		if (f != NULL)
			fclose(f);
		return -1;
	}
	while (s->streams < want && fgets(line, sizeof(line), f) != NULL) {
		memcpy(text, line, sizeof(text));
		if (!line_read(s, &s->stream[s->streams], line)) {
			fprintf(stderr, "%s:%u: not a telephone: %s", path, s->streams + 1, text);
			fclose(f);
			return -1;
		}
		s->streams++;
	}
	fclose(f);
	for (uint32_t i = 0; i < s->streams; i++)
		if (s->stream[i].hears >= (int32_t)s->streams)
			s->stream[i].hears = GEN_NOBODY;
	if (!gen_script_shuffle(s))
		return -1;
	return (int)s->streams;
}

int gen_press_frame(const struct gen_script *s, uint32_t i, uint32_t round)
{
	const struct gen_stream *t = &s->stream[i];
	uint32_t k = t->press > 0 ? (round + t->ssrc) % t->press : GEN_PRESS_ROUNDS;

	return k < GEN_PRESS_ROUNDS && k <= round && round - k + GEN_PRESS_ROUNDS <= s->rounds
		       ? (int)k
		       : -1;
}

uint8_t gen_press_key(const struct gen_stream *t, uint32_t round)
{
	return (uint8_t)((round + t->ssrc) / t->press % 12);
}

/* One packet from its RTP header at `rtp`, in the clear. Returns its length. */
static int packet_write(const struct gen_script *s, uint32_t i, uint32_t round, uint8_t *rtp)
{
	enum { LONG = GEN_PRESS_ROUNDS - 3, VOLUME = 10, END = 0x80 };
	const struct gen_stream *t = &s->stream[i];
	uint32_t ticks = t->reel != NULL ? t->reel->ticks : GEN_PAYLOAD;
	uint16_t seq = (uint16_t)(t->seq + round);
	int press = gen_press_frame(s, i, round);

	if (press >= 0) {
		unsigned last = press < LONG ? (unsigned)press + 1 : LONG;

		rtp_build(rtp, GEN_PT_EVENT, press == 0, seq,
			  t->ts + (round - (uint32_t)press) * ticks, t->ssrc);
		rtp[RTP_HEADER_LEN] = gen_press_key(t, round);
		rtp[RTP_HEADER_LEN + 1] = (uint8_t)(VOLUME | (press >= LONG ? END : 0));
		be16_put(rtp + RTP_HEADER_LEN + 2, (uint16_t)(last * ticks));
		return RTP_HEADER_LEN + 4;
	}
	rtp_build(rtp, t->pt, round == 0, seq, t->ts + round * ticks, t->ssrc);
	if (t->reel == NULL) {
		gen_payload(rtp + RTP_HEADER_LEN, i, round);
		return RTP_HEADER_LEN + GEN_PAYLOAD;
	}

	uint32_t frame = (round + i) % t->reel->frames;

	memcpy(rtp + RTP_HEADER_LEN, t->reel->octets[frame], t->reel->len[frame]);
	return RTP_HEADER_LEN + t->reel->len[frame];
}

/* A sender report and the name (RFC 3550, 6.4.1 and 6.5). Returns its length. */
static int report_write(const struct gen_script *s, uint32_t i, uint32_t round, uint8_t *p)
{
	enum { SR_BYTES = 28, SDES_BYTES = 20, PT_SR = 200, PT_SDES = 202 };
	const struct gen_stream *t = &s->stream[i];
	uint32_t ticks = t->reel != NULL ? t->reel->ticks : GEN_PAYLOAD;

	memset(p, 0, SR_BYTES + SDES_BYTES);
	p[0] = 0x80;
	p[1] = PT_SR;
	be16_put(p + 2, SR_BYTES / 4 - 1);
	be32_put(p + 4, t->ssrc);
	be32_put(p + 8, 0xe8000000u + round / 50); /* NTP seconds */
	be32_put(p + 12, round % 50 * 85899345u);
	be32_put(p + 16, t->ts + round * ticks);
	be32_put(p + 20, round);
	be32_put(p + 24, round * GEN_PAYLOAD);
	p += SR_BYTES;
	p[0] = 0x81;
	p[1] = PT_SDES;
	be16_put(p + 2, SDES_BYTES / 4 - 1);
	be32_put(p + 4, t->ssrc);
	p[8] = 1; /* CNAME */
	p[9] = 9;
	memcpy(p + 10, "bench-gen", 9);
	return SR_BYTES + SDES_BYTES;
}

static bool stream_reports(const struct gen_script *s, uint32_t i, struct gen_slot *film,
			   const struct net_own *own, struct gen_srtp *srtp)
{
	const struct gen_stream *t = &s->stream[i];
	struct net_head h;

	net_head_make(&h, own, 4, (uint16_t)(t->port + 1), t->peer_ip, (uint16_t)(t->peer_port + 1),
		      s->peer_mac);
	for (uint32_t r = i % GEN_RTCP_ROUNDS; s->rtcp && r < s->rounds; r += GEN_RTCP_ROUNDS) {
		struct gen_slot *slot =
			&film[(uint64_t)r * s->per_round + rtcp_place(s, i / GEN_RTCP_ROUNDS)];
		uint8_t *rtcp = slot->frame + NET_HEAD4_BYTES;
		int len = report_write(s, i, r, rtcp);

		if (srtp != NULL && !gen_srtp_protect_rtcp(srtp, rtcp, &len))
			return false;
		net_head_write(&h, slot->frame, (uint16_t)len);
		slot->len = (uint16_t)(NET_HEAD4_BYTES + len);
	}
	return true;
}

static bool stream_film(const struct gen_script *s, uint32_t i, struct gen_slot *film)
{
	const struct gen_stream *t = &s->stream[i];
	struct net_own own = {.ip4 = true};
	struct gen_srtp *srtp = NULL;
	struct net_head h;
	bool good = true;

	if (!t->talks)
		return true;
	if (t->secure && (srtp = gen_srtp_open(i, t->send_key, true)) == NULL)
		return false;
	memcpy(own.mac, s->mac, 6);
	memcpy(own.ip4_addr, t->ip, 4);
	net_head_make(&h, &own, 4, t->port, t->peer_ip, t->peer_port, s->peer_mac);
	for (uint32_t r = 0; r < s->rounds && good; r += GEN_SRTP_MANY) {
		struct gen_srtp_packet p[GEN_SRTP_MANY];
		uint32_t n = 0;

		for (; n < GEN_SRTP_MANY && r + n < s->rounds; n++) {
			uint8_t *rtp = film[gen_slot_at(s, i, r + n)].frame + NET_HEAD4_BYTES;

			p[n] = (struct gen_srtp_packet){
				.data = rtp,
				.len = (uint16_t)packet_write(s, i, r + n, rtp),
				.good = true};
		}
		if (srtp != NULL)
			gen_srtp_protect(srtp, p, n);
		for (uint32_t k = 0; k < n; k++) {
			struct gen_slot *slot = &film[gen_slot_at(s, i, r + k)];

			good = good && p[k].good;
			net_head_write(&h, slot->frame, p[k].len);
			slot->len = (uint16_t)(NET_HEAD4_BYTES + p[k].len);
		}
	}
	good = good && stream_reports(s, i, film, &own, srtp);
	gen_srtp_close(srtp);
	return good;
}

bool gen_film_make(const struct gen_script *s, struct gen_slot *film)
{
	for (uint64_t k = 0; k < (uint64_t)s->rounds * s->per_round; k++) {
		film[k].sent_ns = 0;
		film[k].len = 0;
	}
	for (uint32_t i = 0; i < s->streams; i++)
		if (!stream_film(s, i, film))
			return false;
	return true;
}
