/* What a leg is told: the settled result of an SDP negotiation and the policies of its media.
 *
 * Plain data; filled by the control socket on the main lcore, read by the worker that owns the leg.
 */
#ifndef LEG_LEG_CONFIG_H
#define LEG_LEG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/codec_id.h"

enum { LEG_CODECS_MAX = 6 };

/* An IP address and port; family 0 = none. Addresses in network order, IPv4 in the first 4 bytes. */
struct sock_ip {
	uint8_t family; /* 0, 4 or 6 */
	uint8_t ip[16];
	uint16_t port; /* host order */
};

struct leg_codec {
	enum codec_id id;
	uint8_t pt;            /* RTP payload type, 0..127, as negotiated */
	uint16_t ptime_ms;     /* of what we send; codec_ptime_ms() finds the nearest that can be */
	uint16_t ptime_max_ms; /* longest packet that the peer takes (maxptime); 0 = any */
	uint32_t clock_hz;
	uint32_t rate_max_hz; /* 0 = any: the peer plays no more (Opus, maxplaybackrate) */
	uint32_t bits_per_s;  /* 0 = the codec's own (Opus, maxaveragebitrate) */
	bool fec, dtx;        /* the peer can use them (Opus; G.729 Annex B is dtx) */
};

/* RFC 3264, 6.1, as seen from this side. */
enum leg_direction { LEG_SENDRECV, LEG_SENDONLY, LEG_RECVONLY, LEG_INACTIVE };

enum leg_source_policy {
	LEG_SOURCE_LATCH,  /* signalled, or latched once to the first valid source */
	LEG_SOURCE_STRICT, /* signalled only */
};

/* How much of its sound is looked at. */
enum leg_listen {
	LEG_LISTEN_LEVEL, /* each decoded frame, or while G.711 is relayed one packet of four */
	LEG_LISTEN_OFF,
	LEG_LISTEN_FULL, /* it is decoded, and searched for the tones of a line and for who answered */
};

/* Which fields a LEG_SET changes; LEG_OPEN reads them all. */
enum {
	LEG_SET_REMOTE = 1 << 0,
	LEG_SET_CODECS = 1 << 1,
	LEG_SET_DTMF = 1 << 2,
	LEG_SET_DIRECTION = 1 << 3,
	LEG_SET_SOURCE = 1 << 4,
	LEG_SET_INBAND = 1 << 5,
	LEG_SET_TIMEOUT = 1 << 6,
	LEG_SET_NOISE = 1 << 7,
	LEG_SET_HIDE = 1 << 9,
	LEG_SET_SRTP = 1 << 8,  /* worker_command.srtp: never kept in here */
	LEG_SET_RTCP = 1 << 16, /* rtcp_mux, rtcp_xr */
	LEG_SET_LISTEN = 1 << 17,
};

struct leg_config {
	uint32_t set; /* LEG_SET_* bits */
	uint8_t family;
	struct sock_ip remote;
	struct sock_ip remote_rtcp; /* family 0: remote's port + 1 */
	uint8_t codecs;
	struct leg_codec codec[LEG_CODECS_MAX]; /* [0] is sent, all are accepted */
	bool dtmf;                              /* telephone-event was negotiated */
	uint8_t dtmf_pt;
	uint32_t dtmf_clock_hz;
	enum leg_direction direction;
	enum leg_source_policy source;
	bool inband_dtmf;
	bool hide_digits;          /* its keys are told to main and reach no other leg */
	uint32_t media_timeout_ms; /* 0 = never */
	enum leg_listen listen;
	bool noise; /* comfort noise was negotiated: silence made here is not sent (RFC 3389) */
	uint8_t noise_pt;
	bool rtcp_mux; /* negotiated: RTCP goes to RTP's port (RFC 5761) */
	bool rtcp_xr;  /* reports carry VoIP metrics (RFC 3611) */
	uint32_t ssrc; /* LEG_OPEN: chosen by the main lcore */
};

#endif
