/* What an SDP offer/answer settled, as plain data: one audio stream of one party.
 *
 * As `local` it is what we tell the peer: our address and the codecs we allow in our order of
 * preference. As `remote` it is the result of the negotiation: where to send, and only codecs both
 * sides have, the first being the one to send with. Payload types are the ones the peer expects to
 * receive. `direction` is always seen from our side: a peer that holds us with `a=sendonly` gives
 * SIP_RECVONLY here, `a=inactive` or an address of zeros (RFC 2543 hold) SIP_INACTIVE.
 *
 * Thread: any; plain data, pure.
 * Source: RFC 8866 (SDP), RFC 3264 (offer/answer), RFC 3605 (a=rtcp), RFC 4733 (telephone-event).
 */
#ifndef SIP_SIP_MEDIA_H
#define SIP_SIP_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

/* Encryption of the media by SDES (RFC 4568). */
enum sip_srtp {
	SIP_SRTP_OFF,      /* plain RTP only */
	SIP_SRTP_OPTIONAL, /* plain or encrypted, as the peer can (RFC 8643) */
	SIP_SRTP_REQUIRED, /* encrypted or not at all */
};

enum { SIP_SRTP_KEY_MAX = 68, SIP_SRTP_MKI_MAX = 9, SIP_SRTP_SUITES_MAX = 6 };

enum { SIP_CODECS_MAX = 8, SIP_CODEC_NAME_MAX = 16, SIP_IP_MAX = 46 };

enum sip_direction { SIP_SENDRECV, SIP_SENDONLY, SIP_RECVONLY, SIP_INACTIVE };

struct sip_codec {
	char name[SIP_CODEC_NAME_MAX]; /* as in rtpmap: "PCMU", "PCMA" */
	uint8_t pt;                    /* RTP payload type, 0..127 */
	uint32_t clock_hz;             /* RTP clock */
	/* What the peer can take, from its fmtp (remote only; RFC 7587, 6.1; RFC 4856, 2.1.2). */
	uint32_t rate_max_hz; /* opus, maxplaybackrate; 0 = not said */
	uint32_t bits_per_s;  /* opus, maxaveragebitrate; 0 = not said */
	bool fec;             /* opus, useinbandfec */
	bool dtx;             /* opus, usedtx; G729, annexb */
};

struct sip_media {
	char ip[SIP_IP_MAX];      /* numeric IPv4 or IPv6, "" = none */
	uint16_t port;            /* RTP; 0 = none */
	char rtcp_ip[SIP_IP_MAX]; /* remote: "" = same as ip; local: ignored */
	uint16_t rtcp_port;       /* 0 = port + 1 */
	uint16_t ptime_ms;        /* 0 = not said */
	uint16_t ptime_max_ms;    /* remote: maxptime; 0 = not said */
	uint8_t codecs;
	struct sip_codec codec[SIP_CODECS_MAX];
	bool dtmf; /* telephone-event: allowed (local) or agreed (remote) */
	uint8_t dtmf_pt;
	uint32_t dtmf_clock_hz;
	bool noise; /* comfort noise (RFC 3389): allowed (local) or agreed (remote) */
	uint8_t noise_pt;
	enum sip_direction direction;
	bool held;          /* remote only: the peer put us on hold */
	enum sip_srtp srtp; /* local only */
	uint8_t srtp_suites; /* local only: of srtp_suite_list[]; 0 = all are answered, the commonest offered */
	uint8_t srtp_suite_list[SIP_SRTP_SUITES_MAX]; /* enum srtp_suite, the best first */
	/* Remote only: agreed keys, secret; srtp_agreed SRTP_NO_SUITE: plain RTP. */
	uint8_t srtp_agreed;
	char srtp_receive[SIP_SRTP_KEY_MAX], srtp_send[SIP_SRTP_KEY_MAX]; /* base64 */
	char srtp_mki[SIP_SRTP_MKI_MAX]; /* of the peer's packets, hexadecimal */
};

/* "sendrecv", "sendonly", "recvonly", "inactive". */
const char *sip_direction_name(enum sip_direction d);

/* Add a codec to `m`. Returns 0, -ENOSPC when the table is full, -EINVAL when the name is empty or
 * too long. */
int sip_media_add_codec(struct sip_media *m, const char *name, uint8_t pt, uint32_t clock_hz);

/* Allow these codecs, in this order, and no others: "PCMA", "PCMU", "G722", "opus", "G729", "L16" (8 kHz),
 * "L16/16000". Returns 0, or -EINVAL with nothing changed when one is not of these or there are
 * none. */
int sip_media_allow(struct sip_media *m, const char *const *names, unsigned n);

/* How long our packets are for this peer: what it asked for, in whole 10 ms from 10 to 60, at most
 * what it takes; 20 when it did not say. */
uint16_t sip_media_ptime(const struct sip_media *remote);

/* Fill `m` as a local side: address, port, PCMA and PCMU, telephone-event 101, 20 ms, sendrecv.
 * Returns 0 or -EINVAL when the address is too long. */
int sip_media_local(struct sip_media *m, const char *ip, uint16_t port);

#endif
