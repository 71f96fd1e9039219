/* What is known of a leg's media: counters since it was opened and the newest measurements.
 *
 * Sources: loss and jitter RFC 3550, A.3 and A.8; RTT and remote values from RTCP (6.4.1); bursts RFC
 * 3611, 4.7.2; scores ITU-T G.107.
 */
#ifndef LEG_LEG_STATS_H
#define LEG_LEG_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/listen_tone.h"
#include "leg/leg_config.h"

enum leg_plan { LEG_PLAN_SILENT, LEG_PLAN_RELAY, LEG_PLAN_PLAY, LEG_PLAN_MIX };

/* What was heard of it (dsp/listen.h, dsp/listen_tone.h). Levels in dBov, -127 while not known. */
struct leg_sound {
	enum leg_listen listen;
	uint32_t heard_ms; /* looked at, or known to be silent */
	uint32_t speech_ms, silence_max_ms, talk_over_ms, clipped_ms;
	uint32_t one_way_ms; /* we sent sound and nothing came for more than a second */
	int16_t speech_dbov, noise_dbov, peak_dbov;
	uint16_t tones[LISTEN_TONE_KINDS];
	uint32_t first_ms[LISTEN_TONE_KINDS];
	enum listen_answer answer;
	uint32_t greeting_ms;
	bool beep;
};

/* The jitter buffer, while somebody decodes the leg; see jbuf.h for the words. */
struct leg_jbuf_stats {
	uint32_t delay_ms, target_ms, min_ms, max_ms, mean_ms;
	uint32_t played, lost, late, duplicate, reordered, far, discarded, underruns;
	uint32_t expansions, compressions, expanded_ms, compressed_ms;
};

struct leg_stats {
	uint64_t packets_in, octets_in;   /* RTP accepted, payload octets */
	uint64_t packets_out, octets_out; /* RTP sent */
	uint64_t lost;                    /* expected - received, never negative */
	uint64_t expected;
	uint64_t late, duplicate, reordered;
	uint64_t concealed_ms;
	uint64_t dropped; /* packets at this leg's port that were refused, for any reason */
	uint32_t jitter_us;
	uint32_t rtt_us; /* UINT32_MAX until known */
	uint32_t jbuf_ms;
	uint32_t remote_lost;
	uint32_t remote_jitter_us;
	uint64_t discarded;                 /* came, but too late or too early to be played */
	uint16_t burst_ms, gap_ms;          /* mean times with and without many losses */
	uint8_t burst_density, gap_density; /* losses in them, of 256 */
	double burst_ratio;                 /* 1 = losses are random; greater: they cluster */
	double r_factor, mos;               /* how the peer is heard; mos 0 until something came */
	double remote_mos;                  /* how the peer hears us; 0 until it reported */
	struct leg_sound sound;
	bool in_room, muted, deaf, speaking; /* of a room's member */
	int16_t level_dbov; /* of the last decoded frame; 0 .. -127; -127 until known */
	struct leg_jbuf_stats jbuf;
	struct sock_ip source; /* where RTP comes from; family 0 until the first packet */
	uint8_t codec;         /* enum codec_id of what is sent */
	enum leg_plan plan;
	uint8_t srtp_suite; /* enum srtp_suite; SRTP_NO_SUITE: plain RTP */
	bool srtp_burst;    /* by multi-buffer crypto, else by libsrtp2 */
	uint32_t srtp_auth_failed, srtp_replayed;
};

#endif
