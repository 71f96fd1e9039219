/* What the telephones heard, judged against what was said: loss, order, repetition, delay, jitter, content.
 *
 * Two ways, by stream. One that `hears` another must get that one's payload bit for bit; its delay is from
 * the sending of each frame to its arrival, and each key that one pressed must arrive once. One that hears "anything" (a prompt,
 * a mix, another codec) is judged by the sequence numbers that come: gaps are losses, one that gets less than
 * nine tenths of 50 frames a second is deaf, one that gets sound without any change in it for most of the time is silent, and
 * its delay is counted from the one of its frames that came soonest for its number.
 *
 * Only frames of rounds [warm, rounds) count; streams may have begun before. Pure.
 */
#ifndef GEN_JUDGE_H
#define GEN_JUDGE_H

#include "gen_film.h"

/* Microseconds; all zero when there is nothing to judge. */
struct gen_quantiles {
	double p50, p90, p99, p999, max;
};

struct gen_verdict {
	uint64_t sent, due, heard; /* frames of the rounds that count */
	uint64_t lost, repeated, reordered, corrupt;
	uint64_t strange, rtcp; /* to nobody; not voice */
	uint64_t deaf, silent;  /* streams */
	uint64_t keys,
		keys_lost; /* pressed in the whole film; of those, not heard or heard wrong */
	struct gen_quantiles delay, jitter;
	struct gen_quantiles late; /* sent after its time: the generator's own */
	/* Each tenth of a second judged by itself, and the median of those: what a machine with other
	 * work, which takes a core away for some of them, does in the rest. */
	struct {
		double delay_p50, delay_p99, late_p99, loss_ppm;
	} window;
};

/* `log` has `heard` frames. `begin_ns`: when slot 0 was due. Returns false without memory. Decrypts the log
 * in place. */
bool gen_judge(struct gen_verdict *v, const struct gen_script *s, const struct gen_slot *film,
	       struct gen_heard *log, uint64_t heard, uint64_t begin_ns);

#endif
