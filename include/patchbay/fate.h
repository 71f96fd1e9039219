/* What became of a packet.
 *
 * Every packet that the engine receives from a port meets exactly one line of this table. The sum
 * of the lines therefore equals the number of packets received; tests assert it. (A recording is
 * a copy and has its own account; a packet in a jitter buffer has met its fate here, what the
 * buffer made of it is in the leg's statistics.)
 *
 * The names are counters, rows of `patchbay drops` and keys of the metrics page: a line may be
 * added at the end of its part but never reworded to mean another thing. FATE lines are packets
 * that were used; DROP lines are packets that were not, with the reason as an operator reads it.
 */
#ifndef PATCHBAY_FATE_H
#define PATCHBAY_FATE_H

/* clang-format off */
#define PACKET_FATE_TABLE(FATE, DROP) \
	FATE(RELAYED,      "relayed",      "RTP sent on to the one leg that hears it") \
	FATE(BUFFERED,     "buffered",     "RTP put into its leg's jitter buffer for mixing or detection") \
	FATE(UNHEARD,      "unheard",      "valid RTP of a leg that nobody hears now") \
	FATE(DTMF_EVENT,   "dtmf_event",   "telephone-event consumed by its leg (RFC 4733)") \
	FATE(RTCP,         "rtcp",         "RTCP consumed by its leg (RFC 3550, 6)") \
	FATE(LOCAL,        "local",        "ARP, ND or ICMP answered or learnt from") \
	DROP(NO_LEG,       "no_leg",       "no leg is open on this address and port") \
	DROP(NOT_OURS,     "not_ours",     "not addressed to this port, or a protocol the engine does not speak") \
	DROP(MALFORMED,    "malformed",    "Ethernet, IP or UDP header shorter or longer than the packet") \
	DROP(FRAGMENT,     "fragment",     "IP fragment; RTP is never fragmented in a sane network") \
	DROP(RTP_SHORT,    "rtp_short",    "shorter than its own RTP header says (RFC 3550, 5.1)") \
	DROP(RTP_VERSION,  "rtp_version",  "RTP version field is not 2 (RFC 3550, A.1)") \
	DROP(RTP_PADDING,  "rtp_padding",  "RTP padding count is zero or passes the header (RFC 3550, 5.1)") \
	DROP(RTP_PAYLOAD,  "rtp_payload",  "payload type was not negotiated for this leg (RFC 3264)") \
	DROP(RTP_EMPTY,    "rtp_empty",    "RTP without payload") \
	DROP(RTCP_BAD,     "rtcp_bad",     "RTCP header, length or version is wrong (RFC 3550, A.2)") \
	DROP(STRANGER,     "stranger",     "source is neither the signalled nor the latched one") \
	DROP(PAUSED,       "paused",       "leg is on hold or receives nothing by its direction (RFC 3264)") \
	DROP(DUPLICATE,    "duplicate",    "sequence number was already received") \
	DROP(LATE,         "late",         "its playout time had passed") \
	DROP(FAR,          "far",          "sequence jump larger than the jitter buffer") \
	DROP(NO_MBUF,      "no_mbuf",      "no packet memory was left for the outgoing copy") \
	DROP(NO_NEIGHBOUR, "no_neighbour", "next hop's link address is not known yet") \
	DROP(TX_FULL,      "tx_full",      "transmit queue was full for a whole turn") \
	DROP(HANDOFF_FULL, "handoff_full", "the owning worker's hand-off ring was full") \
	DROP(RATE,         "rate",         "more packets a second than one leg, or ARP and ICMP together, may bring") \
	DROP(SRTP_AUTH,    "srtp_auth",    "SRTP tag missing or wrong: plain, another key, or altered on its way (RFC 3711, 3.3)") \
	DROP(SRTP_REPLAY,  "srtp_replay",  "SRTP packet was opened before, or is older than the replay window (RFC 3711, 3.3.2)") \
	DROP(SRTP_AGAIN,   "srtp_again",   "its number was sealed for the listener before; no key stream is used twice")
/* clang-format on */

#define PACKET_FATE_ENUM(id, name, text) FATE_##id,
enum packet_fate { PACKET_FATE_TABLE(PACKET_FATE_ENUM, PACKET_FATE_ENUM) FATE_COUNT };
#undef PACKET_FATE_ENUM

/* The first line of the table that means "not used". */
#define FATE_FIRST_DROP FATE_NO_LEG

/* The name ("rtp_short") and the sentence. Never NULL for a value below
 * FATE_COUNT. */
const char *packet_fate_name(enum packet_fate fate);
const char *packet_fate_text(enum packet_fate fate);

#endif
