/* Does the caller speak while something is played to them? Decides, frame by frame, whether speech
 * interrupts a play.
 *
 * A frame counts as loud when its level is above -42 dBov, 9 dB above the noise heard so far, and above
 * what the prompt's echo may be: telephones and hybrids send back what they hear, 12 dB weaker or less
 * and up to 300 ms later. Speech is 9 loud frames of the last 15 (of 20 ms), a syllable or two, whose levels
 * differ by 4 dB or more: a fan that is switched on is loud but even. A click, a breath and a cough of a tenth
 * of a second are too short.
 *
 * Levels come from the one measure that the engine has of a leg (listen.h). Thread: the owner; pure.
 */
#ifndef DSP_BARGE_H
#define DSP_BARGE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	BARGE_ECHO_FRAMES = 16, /* of the prompt that may still echo */
	BARGE_LOUD_DBOV = -42,
	BARGE_OVER_NOISE_DB = 9,
	BARGE_ECHO_LOSS_DB = 12,
	BARGE_WINDOW = 15,
	BARGE_LOUD_FRAMES = 9,
	BARGE_SPREAD_DB = 4,
};

/* All zero: nothing heard yet. */
struct barge {
	bool begun;
	uint8_t played_at, heard_at;      /* where the next frame goes */
	int16_t noise_q4;                 /* sixteenths of dBov; rises slowly, falls at once */
	int8_t played[BARGE_ECHO_FRAMES]; /* dBov */
	int8_t heard[BARGE_WINDOW];       /* dBov; 1: was not loud */
};

/* One frame: the caller's level and the prompt's, both in dBov (0 to -127). True: speech. */
bool barge_frame(struct barge *b, int heard_dbov, int played_dbov);

#endif
