/* How a connection is judged by its numbers: the transmission rating R and the mean opinion score.
 *
 *   R = 93.2 - Idd - Ie,eff          Idd: delay (G.107, 7-27), with echo held to be controlled
 *                                    Ie,eff: codec and loss (G.107, 7-29), with burstiness
 *
 * 93.2 is Ro - Is with every other parameter of G.107 at its default. MOS is G.107, annex B: 1.0 to
 * 4.5, on the narrowband scale (a wideband codec gets no more than G.711 there).
 *
 * Thread: any; pure. Sources: ITU-T G.107 (03/2005), 7.4, 7.5 and B.1; ITU-T G.113, appendix I.
 */
#ifndef RTP_EMODEL_H
#define RTP_EMODEL_H

/* A codec's equipment impairment and its robustness against random loss (with concealment). */
struct emodel_codec {
	double ie, bpl;
};

/* By rtpmap name, any case. Of G.113: PCMU and PCMA 0 / 25.1 (with the concealment of G.711, app. I),
 * G729 11 / 19. Not in G.113's narrowband tables, and taken to be: G722 0 / 15, L16 0 / 25.1, opus
 * 0 / 34. Unknown names: as PCMU. */
struct emodel_codec emodel_codec_of(const char *name);

struct emodel_input {
	struct emodel_codec codec;
	double loss_share;  /* 0..1: lost on the way, or too late to be played */
	double burst_ratio; /* of loss_runs.h, 1 = random; below 1 counts as 1 */
	double delay_ms;    /* mouth to ear, one way */
};

/* 0..93.2. Inputs that are not numbers or out of range are held to their range. */
double emodel_r(const struct emodel_input *in);

/* 1.0..4.5 of R. */
double emodel_mos(double r);

#endif
