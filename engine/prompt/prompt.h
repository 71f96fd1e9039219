/* The prompt bank: every sound file decoded once and pre-encoded for G.711.
 *
 * Playing a prompt to a thousand callers is then a copy of 160 bytes per packet. A bank is a
 * snapshot of one directory tree: `DIR/zh/welcome.wav` is the prompt `zh/welcome`. Files are what libsndfile
 * reads: WAV, FLAC, Ogg Vorbis and Opus, AIFF, AU, W64, CAF, MP3, by the ends of their names. Files of any
 * rate and of one or two channels are brought to 8 kHz mono; the last frame is filled up with
 * silence. Loading again makes new entries beside the old ones, and a play that runs keeps
 * what it has: an entry lives until the bank and every holder have let go of it.
 *
 * Thread: the main lcore loads, looks up, holds and releases. Workers only read entries that the
 * main lcore holds for them (from PLAY_START to PLAY_DONE); entries never change.
 */
#ifndef PROMPT_PROMPT_H
#define PROMPT_PROMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leg/leg_config.h"

enum {
	PROMPT_FRAME = 160,       /* samples and, in G.711, bytes of 20 ms */
	PROMPT_NAME_MAX = 128,    /* bytes of a name with its NUL */
	PROMPT_SECONDS_MAX = 600, /* of one prompt; longer files are refused */
	PROMPT_TONES_MAX = 64,    /* tones kept */
};

/* One sound. Immutable after loading. */
struct prompt {
	char name[PROMPT_NAME_MAX];
	uint32_t frames;                   /* of 20 ms, at least 1 */
	uint32_t duration_ms;              /* of the file, before filling up */
	const int16_t *pcm;                /* frames * PROMPT_FRAME samples at 8 kHz */
	const uint8_t *coded[CODEC_COUNT]; /* codec_fixed_octets() a frame; NULL: encode the pcm */
	size_t bytes;                      /* of memory, all forms together */
};

struct prompt_bank;

/* Told for each file that was not loaded: its path below the directory and one sentence. */
typedef void prompt_failed_fn(void *arg, const char *file, const char *message);

/* Told for each prompt, in order of name. */
typedef void prompt_each_fn(void *arg, const struct prompt *p);

/* An empty bank that will not hold more than `bytes_max` of sound, old entries that are still
 * playing included. NULL when there is no memory for it. */
struct prompt_bank *prompt_bank_create(size_t bytes_max);

/* Release the bank. Every hold must have been given back before. */
void prompt_bank_destroy(struct prompt_bank *bank);

/* Read `directory` and all below it; what was there before is replaced. A file that is not
 * sound, lies about its length, is too long or does not fit into memory is reported to `failed` (may be
 * NULL) and skipped; the others are there. Returns the number of prompts loaded, or a negative
 * errno when the directory itself could not be read; the bank is then unchanged. */
int prompt_bank_load(struct prompt_bank *bank, const char *directory, prompt_failed_fn *failed,
		     void *arg);

/* The prompt of this name, or NULL. The caller must prompt_hold() it before the next load. */
const struct prompt *prompt_find(const struct prompt_bank *bank, const char *name);

/* A tone as a prompt: whole periods of a cadence (dsp/tone_plan.h). Made once and kept; the oldest that nobody
 * holds goes when there are more than PROMPT_TONES_MAX. NULL with a sentence in `why`: it is no cadence, or
 * there is no memory. The caller must prompt_hold() it before the next one. */
const struct prompt *prompt_tone(struct prompt_bank *bank, const char *cadence, char *why,
				 size_t why_size);

void prompt_hold(struct prompt_bank *bank, const struct prompt *p);
void prompt_release(struct prompt_bank *bank, const struct prompt *p);

void prompt_each(const struct prompt_bank *bank, prompt_each_fn *fn, void *arg);

/* Sum of `bytes` of all entries, also of those replaced but still held. */
size_t prompt_bank_bytes(const struct prompt_bank *bank);

#endif
