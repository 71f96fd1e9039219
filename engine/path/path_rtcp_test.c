/* SPDX-License-Identifier: Apache-2.0
 *
 * RTCP between whole legs: extended reports, requests passed on through a relay, one port for both, and what
 * the losses of a stream make of its score.
 */
#include <math.h>

#include "base/units.h"
#include "path/path_world.h"
#include "rtp/rtcp.h"

static struct world w;

/* The peer sends a compound packet to its leg's RTCP port. */
static void report(struct world_peer *p, const struct rtcp_out *o)
{
	uint8_t packet[RTCP_BUILD_MAX];
	size_t len = rtcp_build(packet, sizeof(packet), o);

	world_send(&w, p, (uint16_t)(p->port + 1), (uint16_t)(p->leg_port + 1), packet,
		   (uint16_t)len);
	world_turn(&w);
}

/* What the peer got last, or after waiting for the next. */
static struct rtcp_news got(const struct world_peer *p)
{
	struct rtcp_news n = {0};

	check_int(rtcp_parse(&n, p->rtcp, p->rtcp_len, p->ssrc, NULL), RTP_OK);
	return n;
}

static struct rtcp_news next(struct world_peer *p)
{
	unsigned before = p->rtcp_n;

	for (unsigned i = 0; i < 8000 && p->rtcp_n == before; i++)
		world_run(&w, 1);
	check(p->rtcp_n > before);
	return got(p);
}

static void metrics_are_sent_where_asked_for(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);
	struct leg_config cfg = world_config(a);

	world_bridge(&w, call, a, b);
	cfg.set = LEG_SET_RTCP;
	cfg.rtcp_xr = true;
	check_int(world_leg_set(&w, a, &cfg), 0);
	a->talks = b->talks = true;
	for (unsigned i = 0; i < 20; i++) { /* 1 of 50 lost, and once 6 in a row */
		world_run(&w, 980);
		a->seq = (uint16_t)(a->seq + 1);
	}
	a->seq = (uint16_t)(a->seq + 6);
	world_run(&w, 3000);

	struct rtcp_news n = next(a);

	check(n.xr.has_voip && !n.xr.has_rrtr);
	check(n.xr.voip.loss_rate >= 4 && n.xr.voip.loss_rate <= 8); /* some 2 % of 256 */
	check_int(n.xr.voip.gmin, 16);
	check(n.xr.voip.burst_density > 128 && n.xr.voip.gap_density <= 8);
	check(n.xr.voip.mos_cq >= 38 && n.xr.voip.mos_cq <= 43);
	check(n.xr.voip.r_factor >= 80 && n.xr.voip.r_factor <= 90);
	check(!next(b).xr.has_voip);

	/* The score falls with the losses. */
	check(world_stat(&w, a)->mos > 3.8 && w.reply.stats.mos < 4.35);
	check(w.reply.stats.burst_ms >= 100 && w.reply.stats.burst_ms <= 160);
	check(world_stat(&w, b)->mos > 4.35);
	world_close(&w);
}

static void a_reference_time_is_answered_and_measures_the_round_trip(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0);
	struct leg_config cfg = world_config(a);
	struct rtcp_xr_out xr = {.ssrc = a->ssrc, .ntp = 0x1122334455667788};
	struct rtcp_out o = {.ssrc = a->ssrc, .cname = "a", .xr = &xr};

	cfg.set = LEG_SET_RTCP;
	cfg.rtcp_xr = true;
	check_int(world_leg_set(&w, a, &cfg), 0);
	a->talks = true;
	world_run(&w, 100);
	report(a, &o);

	/* We hear only: our own reference time goes along, and theirs is answered. */
	struct rtcp_news n = next(a);

	check(n.xr.has_rrtr && n.xr.has_dlrr && n.xr.has_voip);
	check_int(n.xr.lrr, 0x33445566);
	check(n.xr.dlrr > 0 && n.xr.dlrr < 8 * 65536);

	/* The answer comes 40 ms later. */
	xr = (struct rtcp_xr_out){
		.ssrc = a->ssrc, .dlrr_ssrc = 0xabcd0000, .lrr = rtcp_ntp_mid(n.xr.rrtr_ntp)};
	world_run(&w, 40);
	report(a, &o);
	check(world_stat(&w, a)->rtt_us > 39000 && w.reply.stats.rtt_us < 42000);

	/* What it says of our sound is believed. */
	struct rtcp_voip voip = {.ssrc = 0xabcd0000, .mos_lq = 35, .mos_cq = 33};

	xr = (struct rtcp_xr_out){.ssrc = a->ssrc, .voip = &voip};
	report(a, &o);
	check(fabs(world_stat(&w, a)->remote_mos - 3.3) < 0.01);
	world_close(&w);
}

static void a_request_reaches_the_speaker_behind_the_relay(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);

	world_bridge(&w, call, a, b);
	a->talks = b->talks = true;
	world_run(&w, 400);

	/* b asks for the packet that it got last but two, and for the one before everything. */
	const struct world_packet *p = &b->got[b->got_n - 3];
	uint16_t first = b->got[0].seq, theirs = (uint16_t)(a->seq - 3);
	struct rtcp_feedback f = {
		.nacks = 2, .pli = true, .nack = {{p->seq, 0x0001}, {(uint16_t)(first - 1), 0}}};
	struct rtcp_out o = {
		.ssrc = b->ssrc, .cname = "b", .feedback = &f, .media = b->got[0].ssrc};

	a->rtcp_n = 0;
	report(b, &o);
	check_int(a->rtcp_n, 1);

	struct rtcp_news n = got(a);

	check_int(n.feedback.nacks, 1);
	check_int(n.feedback.nack[0].pid, theirs);
	check_int(n.feedback.nack[0].blp, 1);
	check(n.feedback.pli && !n.feedback.fir);

	/* About somebody else's SSRC: nothing. A flood: some. */
	o.media = 12345;
	report(b, &o);
	check_int(a->rtcp_n, 1);
	o.media = b->got[0].ssrc;
	for (unsigned i = 0; i < 100; i++)
		report(b, &o);
	check(a->rtcp_n >= 10 && a->rtcp_n <= 20);

	/* What is mixed is nobody's to send again. */
	struct world_peer *c = world_peer(&w, 0, call, 2);
	struct worker_command hear = {0};

	world_hears(&hear, b, a, 0);
	world_hears(&hear, b, c, 0);
	world_hear(&w, 0, call, &hear);
	world_run(&w, 300);
	a->rtcp_n = 0;
	report(b, &o);
	check_int(a->rtcp_n, 0);
	world_close(&w);
}

static void one_port_where_negotiated(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0);
	struct leg_config cfg = world_config(a);

	a->talks = true;
	world_run(&w, 100);
	(void)next(a);
	check(!a->rtcp_muxed);
	cfg.set = LEG_SET_RTCP;
	cfg.rtcp_mux = true;
	check_int(world_leg_set(&w, a, &cfg), 0);
	(void)next(a);
	check(a->rtcp_muxed);
	world_close(&w);
}

static const struct check_case cases[] = {
	CHECK_CASE(metrics_are_sent_where_asked_for),
	CHECK_CASE(a_reference_time_is_answered_and_measures_the_round_trip),
	CHECK_CASE(a_request_reaches_the_speaker_behind_the_relay),
	CHECK_CASE(one_port_where_negotiated),
};
CHECK_MAIN(cases)
