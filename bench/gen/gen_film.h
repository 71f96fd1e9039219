/* What the telephones say: every frame of a measurement, made beforehand and in the order in which it is
 * sent. Round r of stream i is slot r * per_round + place(i); the places are shuffled once, so that
 * each stream speaks every 20 ms exactly and neighbours in a table never one after the other.
 *
 * The payload (160 octets) is: "PBGN", stream, round (32 bits each, big endian), and 148 octets that
 * follow from stream and round, so that a receiver can tell what it holds and that no bit of it is
 * changed. A stream with a reel says its stored frames instead. One that presses keys says RFC 4733
 * telephone-events in their place for GEN_PRESS_ROUNDS rounds. With RTCP each round has some further slots, so that every
 * stream sends a sender report each GEN_RTCP_ROUNDS.
 *
 * Thread: none of its own.
 */
#ifndef GEN_FILM_H
#define GEN_FILM_H

#include <stdbool.h>
#include <stdint.h>

#include "gen_reel.h"
#include "gen_wire.h"

enum {
	GEN_PAYLOAD = 160,
	GEN_SRTP_KEY = 30, /* AES_CM_128_HMAC_SHA1_80: key and salt, as in RFC 4568 */
	GEN_ROUND_NS = 20000000,
	GEN_PT_EVENT = 101,
	GEN_PRESS_ROUNDS = 8, /* five that tell how long, three that end it (RFC 4733, 2.5.1) */
	GEN_RTCP_ROUNDS = 250,
	GEN_NOBODY = -1,
};

/* A telephone: where it lives, whom it talks to, and whose voice it should hear. */
struct gen_stream {
	uint8_t ip[4], peer_ip[4];
	uint16_t port, peer_port;
	uint8_t pt;
	int32_t hears; /* stream whose payload must arrive unchanged; -1: anything, counted only */
	bool talks, secure;
	uint16_t press;              /* a key each so many rounds; 0: none */
	const struct gen_reel *reel; /* NULL: numbered payloads */
	uint8_t send_key[GEN_SRTP_KEY], hear_key[GEN_SRTP_KEY];
	uint32_t ssrc, ts;
	uint16_t seq;
	uint32_t place;
};

struct gen_script {
	struct gen_stream *stream;
	uint32_t streams; /* 1 or more */
	uint32_t rounds;  /* of 20 ms */
	uint32_t warm;    /* rounds before the ones that are judged */
	bool rtcp;
	const char *sound; /* file that reels are made of */
	uint8_t mac[6], peer_mac[6];
	/* Made by gen_script_read(). */
	uint32_t per_round; /* slots: a voice for each stream, and RTCP */
	int32_t *at;        /* per_round: the stream whose voice it is, or GEN_NOBODY */
	struct gen_reel *reel[CODEC_COUNT];
};

/* Read at most `want` telephones from a text file, one a line: "IP PORT PEER_IP PEER_PORT PT HEARS TALKS
 * [SEND_KEY HEAR_KEY] [codec=NAME] [press=ROUNDS]" (HEARS: a line's number from 0, or -1; TALKS: 0 or 1; keys in hex).
 * `rtcp` and `sound` are set before. Returns how many, or -1 with a sentence on stderr; either way gen_script_free(). */
int gen_script_read(struct gen_script *s, const char *path, uint32_t want);
/* Places for s->streams streams that are there; part of gen_script_read(). False without memory. */
bool gen_script_shuffle(struct gen_script *s);
void gen_script_free(struct gen_script *s);

/* Fill `film`, s->rounds * s->per_round slots. A stream that does not talk leaves slots of length 0.
 * Returns false when a frame could not be encrypted. */
bool gen_film_make(const struct gen_script *s, struct gen_slot *film);

/* The 160 octets of one frame. */
void gen_payload(uint8_t *at, uint32_t stream, uint32_t round);

/* Which frame of a press round `round` of stream i is, 0 .. GEN_PRESS_ROUNDS - 1; -1: it is voice. A press that the
 * film's begin or end would cut is not made: whether half a key is one is not for us to judge. */
int gen_press_frame(const struct gen_script *s, uint32_t i, uint32_t round);
/* The key of the press that round `round` belongs to, 0 .. 11. */
uint8_t gen_press_key(const struct gen_stream *t, uint32_t round);

/* The stream whose report slot `k` is, a slot that is nobody's voice and has a frame. */
uint32_t gen_reporter(const struct gen_script *s, uint64_t k);

static inline uint64_t gen_slot_at(const struct gen_script *s, uint32_t stream, uint32_t round)
{
	return (uint64_t)round * s->per_round + s->stream[stream].place;
}

#endif
