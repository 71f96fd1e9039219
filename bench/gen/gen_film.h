/* What the telephones say: every frame of a measurement, made beforehand and in the order in which it is
 * sent. Round r of stream i is slot r * streams + place(i); the places are shuffled once, so that
 * each stream speaks every 20 ms exactly and neighbours in a table never one after the other.
 *
 * The payload (160 octets) is: "PBGN", stream, round (32 bits each, big endian), and 148 octets that
 * follow from stream and round, so that a receiver can tell what it holds and that no bit of it is
 * changed.
 *
 * Thread: none of its own.
 */
#ifndef GEN_FILM_H
#define GEN_FILM_H

#include <stdbool.h>
#include <stdint.h>

#include "gen_wire.h"

enum {
	GEN_PAYLOAD = 160,
	GEN_SRTP_KEY = 30, /* AES_CM_128_HMAC_SHA1_80: key and salt, as in RFC 4568 */
	GEN_ROUND_NS = 20000000,
};

/* A telephone: where it lives, whom it talks to, and whose voice it should hear. */
struct gen_stream {
	uint8_t ip[4], peer_ip[4];
	uint16_t port, peer_port;
	uint8_t pt;
	int32_t hears; /* stream whose payload must arrive unchanged; -1: anything, counted only */
	bool talks, secure;
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
	uint8_t mac[6], peer_mac[6];
};

/* Read at most `want` telephones from a text file, one a line: "IP PORT PEER_IP PEER_PORT PT HEARS TALKS
 * [SEND_KEY HEAR_KEY]" (HEARS: a line's number from 0, or -1; TALKS: 0 or 1; keys in hex).
 * Returns how many, or -1 with a sentence on stderr. `s->stream` is freed with free(). */
int gen_script_read(struct gen_script *s, const char *path, uint32_t want);

/* Fill `film`, s->rounds * s->streams slots. A stream that does not talk leaves slots of length 0.
 * Returns false when a frame could not be encrypted. */
bool gen_film_make(const struct gen_script *s, struct gen_slot *film);

/* The 160 octets of one frame. */
void gen_payload(uint8_t *at, uint32_t stream, uint32_t round);

static inline uint64_t gen_slot_at(const struct gen_script *s, uint32_t stream, uint32_t round)
{
	return (uint64_t)round * s->streams + s->stream[stream].place;
}

#endif
