/* SPDX-License-Identifier: Apache-2.0
 *
 * The bank against directories made by the test. */
#include "prompt/prompt.h"

#include <errno.h>
#include <math.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "codec/g711.h"

static char dir[64];
static char failed_file[256], failed_why[256];
static unsigned failures;

static void failed(void *arg, const char *file, const char *message)
{
	(void)arg;
	failures++;
	snprintf(failed_file, sizeof(failed_file), "%s", file);
	snprintf(failed_why, sizeof(failed_why), "%s", message);
}

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void begin(void)
{
	snprintf(dir, sizeof(dir), "/tmp/prompt_test_XXXXXX");
	check(mkdtemp(dir) != NULL);
	check_int(mkdir(path_of("zh"), 0700), 0);
	failures = 0;
}

static void end(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	check_int(system(command), 0);
}

/* A tone of 500 Hz. */
static void wav_make(const char *name, int rate, int channels, double seconds, int format)
{
	SF_INFO info = {.samplerate = rate, .channels = channels, .format = SF_FORMAT_WAV | format};
	SNDFILE *sf = sf_open(path_of(name), SFM_WRITE, &info);

	check(sf != NULL);
	for (int i = 0; i < (int)(rate * seconds); i++) {
		float frame[8];

		for (int c = 0; c < channels; c++)
			frame[c] = (float)(0.25 * sin(2 * M_PI * 500 * i / rate));
		check_int(sf_writef_float(sf, frame, 1), 1);
	}
	sf_close(sf);
}

static void file_make(const char *name, int rate, int channels, double seconds, int format)
{
	SF_INFO info = {.samplerate = rate, .channels = channels, .format = format};
	SNDFILE *sf = sf_open(path_of(name), SFM_WRITE, &info);

	check(sf != NULL);
	for (int i = 0; i < (int)(rate * seconds); i++) {
		float frame[2] = {(float)(0.25 * sin(2 * M_PI * 500 * i / rate))};

		frame[1] = frame[0];
		check_int(sf_writef_float(sf, frame, 1), 1);
	}
	sf_close(sf);
}

/* Share of the power that is at `hz`. */
static double tone_share(const int16_t *pcm, unsigned n, double hz)
{
	double re = 0, im = 0, power = 0;

	for (unsigned i = 0; i < n; i++) {
		re += pcm[i] * cos(2 * M_PI * hz * i / 8000);
		im += pcm[i] * sin(2 * M_PI * hz * i / 8000);
		power += (double)pcm[i] * pcm[i];
	}
	return power > 0 ? 2 * (re * re + im * im) / n / power : 0;
}

static void any_rate_and_channels_become_8_khz_mono(void)
{
	static const struct {
		int rate, channels, format;
	} rows[] = {
		{8000, 1, SF_FORMAT_PCM_16},  {16000, 2, SF_FORMAT_PCM_16},
		{22050, 1, SF_FORMAT_PCM_16}, {44100, 2, SF_FORMAT_FLOAT},
		{48000, 1, SF_FORMAT_PCM_24}, {8000, 1, SF_FORMAT_ULAW},
	};

	for (unsigned i = 0; i < 6; i++) {
		struct prompt_bank *bank = prompt_bank_create(1 << 20);
		const struct prompt *p;

		begin();
		wav_make("zh/welcome.wav", rows[i].rate, rows[i].channels, 0.99, rows[i].format);
		check_int(prompt_bank_load(bank, dir, failed, NULL), 1);
		check_int(failures, 0);
		p = prompt_find(bank, "zh/welcome");
		check(p != NULL);
		check_int(p->frames, 50);
		check(p->duration_ms >= 988 && p->duration_ms <= 991);
		check(tone_share(p->pcm + 160, 160 * 40, 500) > 0.98);
		for (unsigned k = 0; k < 50 * 160; k++) {
			check_int(p->coded[CODEC_PCMU][k], g711_ulaw_encode(p->pcm[k]));
			check_int(p->coded[CODEC_PCMA][k], g711_alaw_encode(p->pcm[k]));
		}
		check(prompt_find(bank, "welcome") == NULL);
		check(prompt_find(bank, "zh/welcom") == NULL);
		prompt_bank_destroy(bank);
		end();
	}
}

static void damage(const char *name, long at, const void *bytes, size_t n)
{
	FILE *f = fopen(path_of(name), "r+b");

	check(f != NULL);
	fseek(f, at, SEEK_SET);
	check_int(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

static void files_that_lie_are_named_and_skipped(void)
{
	static const struct {
		const char *what, *says;
	} rows[] = {
		{"truncated", "says 16000 bytes of sound but has 3956"},
		{"huge", "says 4294967295 bytes of sound but has 16000"},
		{"no data", "no data chunk"},
		{"text", ""},
		{"empty", "shorter than a file header"},
		{"channels", "5 channels"},
		{"rate", "Hz"},
		{"silent", "no sound in it"},
		{"name", "name is too long or has other characters"},
		{"directory", "not a regular file"},
		{"long", "s long; at most 600 are kept"},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct prompt_bank *bank = prompt_bank_create(1 << 26);
		const char *what = rows[i].what;
		FILE *f;

		begin();
		wav_make("good.wav", 8000, 1, 0.1, SF_FORMAT_PCM_16);
		wav_make("bad.wav", 8000, strcmp(what, "channels") == 0 ? 5 : 1,
			 strcmp(what, "long") == 0     ? 601
			 : strcmp(what, "silent") == 0 ? 0
						       : 1,
			 SF_FORMAT_PCM_16);
		if (strcmp(what, "truncated") == 0)
			check_int(truncate(path_of("bad.wav"), 4000), 0);
		if (strcmp(what, "huge") == 0)
			damage("bad.wav", 40, "\xff\xff\xff\xff", 4);
		if (strcmp(what, "no data") == 0)
			damage("bad.wav", 36, "daty\xf0\xff\xff\x7f", 8);
		if (strcmp(what, "rate") == 0)
			damage("bad.wav", 24, "\x01\x00\x00\x00", 4);
		if (strcmp(what, "text") == 0 || strcmp(what, "empty") == 0) {
			f = fopen(path_of("bad.wav"), "w");
			check(f != NULL);
			if (what[0] == 't')
				fputs("this is certainly not a sound file, is it?\n", f);
			fclose(f);
		}
		if (strcmp(what, "name") == 0)
			check_int(rename(path_of("bad.wav"),
					 strcat(strcpy(failed_why, dir), "/b d.wav")),
				  0);
		if (strcmp(what, "directory") == 0) {
			check_int(unlink(path_of("bad.wav")), 0);
			check_int(mkfifo(path_of("bad.wav"), 0600), 0);
		}
		check_int(prompt_bank_load(bank, dir, failed, NULL), 1);
		check_int(failures, 1);
		if (strcmp(what, "no data") != 0)
			check(strstr(failed_why, rows[i].says) != NULL);
		check(prompt_find(bank, "good") != NULL);
		check(prompt_find(bank, "bad") == NULL);
		prompt_bank_destroy(bank);
		end();
	}
}

static void memory_is_bounded(void)
{
	struct prompt_bank *bank = prompt_bank_create(100 * 1000);

	begin();
	wav_make("a.wav", 8000, 1, 2, SF_FORMAT_PCM_16); /* 64,000 bytes */
	wav_make("b.wav", 8000, 1, 2, SF_FORMAT_PCM_16);
	check_int(prompt_bank_load(bank, dir, failed, NULL), 1);
	check_int(failures, 1);
	check(strstr(failed_why, "prompt memory is full") != NULL);
	check(prompt_bank_bytes(bank) < 100 * 1000);
	prompt_bank_destroy(bank);
	end();
}

static void what_is_held_survives_a_reload(void)
{
	struct prompt_bank *bank = prompt_bank_create(1 << 20);
	const struct prompt *old;
	int16_t sample;

	begin();
	wav_make("a.wav", 8000, 1, 0.5, SF_FORMAT_PCM_16);
	wav_make("b.wav", 8000, 1, 0.5, SF_FORMAT_PCM_16);
	check_int(prompt_bank_load(bank, dir, failed, NULL), 2);
	old = prompt_find(bank, "a");
	prompt_hold(bank, old);
	prompt_hold(bank, old);
	sample = old->pcm[5];
	unlink(path_of("a.wav"));
	size_t before = prompt_bank_bytes(bank);

	check_int(prompt_bank_load(bank, dir, failed, NULL), 1);
	check(prompt_find(bank, "a") == NULL);
	check_int(prompt_bank_bytes(bank), before);
	check_int(old->pcm[5], sample);
	prompt_release(bank, old);
	check_int(old->pcm[5], sample);
	prompt_release(bank, old);
	check_int(prompt_bank_bytes(bank), before / 2);
	end();
	check_int(prompt_bank_load(bank, dir, failed, NULL), -ENOENT);
	check(prompt_find(bank, "b") != NULL); /* a load that failed changes nothing */
	prompt_bank_destroy(bank);
}

static void formats_by_the_end_of_the_name(void)
{
	static const struct {
		const char *file, *prompt;
		int rate, format;
	} rows[] = {
		{"zh/a.flac", "zh/a", 44100, SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
		{"zh/b.ogg", "zh/b", 22050, SF_FORMAT_OGG | SF_FORMAT_VORBIS},
		{"zh/c.opus", "zh/c", 48000, SF_FORMAT_OGG | SF_FORMAT_OPUS},
		{"zh/d.aiff", "zh/d", 16000, SF_FORMAT_AIFF | SF_FORMAT_PCM_16},
		{"zh/e.au", "zh/e", 8000, SF_FORMAT_AU | SF_FORMAT_ULAW},
	};
	struct prompt_bank *bank;

	begin();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		file_make(rows[i].file, rows[i].rate, 2, 1.0, rows[i].format);
	wav_make("zh/a.wav", 8000, 1, 1, SF_FORMAT_PCM_16);
	bank = prompt_bank_create(10 << 20);
	check_int(prompt_bank_load(bank, dir, failed, NULL), 5);
	check_int(failures, 1); /* a is there twice */
	check_str(failed_file, "zh/a");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct prompt *p = prompt_find(bank, rows[i].prompt);

		check(p != NULL);
		check(p->duration_ms >= 990 && p->duration_ms <= 1030);
		check(tone_share(p->pcm + 1600, 4000, 500) > 0.98);
	}
	prompt_bank_destroy(bank);
	end();
}

static void tones_are_made_once_and_the_oldest_go(void)
{
	struct prompt_bank *bank = prompt_bank_create(1 << 20);
	const struct prompt *busy, *held;
	char why[160], cadence[40];

	busy = prompt_tone(bank, "450/350,0/350", why, sizeof(why));
	check(busy != NULL && busy->frames == 35);
	check(prompt_tone(bank, "450/350,0/350", why, sizeof(why)) == busy);
	check(tone_share(busy->pcm, 2800, 450) > 0.99);
	check(prompt_tone(bank, "450/", why, sizeof(why)) == NULL);
	check(strstr(why, "milliseconds") != NULL);
	held = prompt_tone(bank, "425", why, sizeof(why));
	prompt_hold(bank, held);
	for (int i = 0; i < 3 * PROMPT_TONES_MAX; i++) {
		snprintf(cadence, sizeof(cadence), "%d/20", 300 + i);
		check(prompt_tone(bank, cadence, why, sizeof(why)) != NULL);
	}
	check(prompt_tone(bank, "425", why, sizeof(why)) == held);
	check(prompt_bank_bytes(bank) < (1 << 20));
	prompt_release(bank, held);
	prompt_bank_destroy(bank);
}

static const struct check_case cases[] = {
	CHECK_CASE(any_rate_and_channels_become_8_khz_mono),
	CHECK_CASE(files_that_lie_are_named_and_skipped),
	CHECK_CASE(formats_by_the_end_of_the_name),
	CHECK_CASE(tones_are_made_once_and_the_oldest_go),
	CHECK_CASE(memory_is_bounded),
	CHECK_CASE(what_is_held_survives_a_reload),
};
CHECK_MAIN(cases)
