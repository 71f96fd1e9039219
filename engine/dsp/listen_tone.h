/* What a called party's line says without words: busy, ringback, special information, fax; and hints
 * that a machine answered.
 *
 * Each frame is named first: silence, one tone of some frequency, a pair of the North American or
 * the British plan, or sound. The rhythm of the names then decides:
 *
 *   busy      a tone of 400 to 450 Hz (or 480 + 620) on and off for 0.15 to 0.75 s each, three times
 *             (reorder and congestion count as busy, E.180)
 *   ringback  such a tone (or 440 + 480) on for 0.35 to 2.5 s, then silence of 1.5 s or more
 *   sit       950, 1400 and 1800 Hz in this order, 0.2 to 0.5 s each (E.180, 7.2)
 *   cng       1100 Hz for 0.4 to 0.7 s: a calling fax (T.30, 4.3.3.2)
 *   ced       2100 Hz for 0.6 s or more: an answering fax or modem (T.30, 4.3.3.1; V.25)
 *   machine   a greeting: sound for 2.5 s or more before the first pause of 1.2 s; or, after any sound, a beep: one
 *             tone of 350 to 2,300 Hz for 0.12 to 1.5 s that is none of the above
 *   person    a short greeting, 0.1 to 2.4 s of sound and then a pause of 1.2 s
 *
 * A hint about who answered is a guess and is named so; which of machine or person comes first stays,
 * except that a beep after it makes it a machine.
 *
 * Frames are 10 to 30 ms at any rate. Thread: the leg's owner; pure.
 */
#ifndef DSP_LISTEN_TONE_H
#define DSP_LISTEN_TONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum listen_tone_kind {
	LISTEN_TONE_BUSY,
	LISTEN_TONE_RINGBACK,
	LISTEN_TONE_SIT,
	LISTEN_TONE_CNG,
	LISTEN_TONE_CED,
	LISTEN_TONE_KINDS,
};

enum listen_answer { LISTEN_ANSWER_UNKNOWN, LISTEN_ANSWER_PERSON, LISTEN_ANSWER_MACHINE };

/* "busy"; "person". Never NULL for a value in range. */
const char *listen_tone_name(enum listen_tone_kind kind);
const char *listen_answer_name(enum listen_answer answer);

/* What one frame is. */
enum listen_tone_frame {
	LISTEN_FRAME_SILENCE,
	LISTEN_FRAME_TONE, /* `hz` */
	LISTEN_FRAME_BUSY, /* 480 + 620 */
	LISTEN_FRAME_RING, /* 440 + 480 */
	LISTEN_FRAME_SOUND,
};

/* Name a frame of `n` samples (80 to 1,440); *hz is filled with TONE. */
enum listen_tone_frame listen_tone_frame(const int16_t *pcm, size_t n, uint32_t rate_hz,
					 uint16_t *hz);

/* All zero: nothing heard yet. */
struct listen_tone {
	uint32_t at_ms; /* sound taken in */
	uint16_t count[LISTEN_TONE_KINDS];
	uint32_t first_ms[LISTEN_TONE_KINDS]; /* when the first was recognised */

	/* What goes on now. */
	uint8_t now; /* enum kind of run (listen_tone.c) */
	uint16_t hz;
	uint32_t run_ms; /* for so long */
	bool told;       /* the running tone has been counted */
	bool edge;       /* the newest frame was the end of a tone, perhaps */

	/* Rhythm of a progress tone. */
	uint32_t on_ms, off_ms; /* of the newest complete burst and pause; 0: none */
	uint8_t beats;
	uint8_t sit; /* parts heard, 0 to 3 */

	/* Who answered. */
	uint8_t answer; /* enum listen_answer */
	bool beep;
	uint32_t greeting_ms; /* of sound until the first pause; goes on while it runs */
	uint32_t greeted_from_ms;
	uint32_t quiet_ms; /* since the last sound */
	bool greeted;
};

/* Take in a frame of `ms`. Returns the kinds newly recognised, as bits 1 << kind. */
unsigned listen_tone_take(struct listen_tone *t, const int16_t *pcm, size_t n, uint32_t rate_hz,
			  uint16_t ms);

#endif
