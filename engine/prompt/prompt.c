/* SPDX-License-Identifier: Apache-2.0
 *
 * The bank is a sorted array of pointers to entries, made aside and swapped in at the end of a
 * load. An entry that leaves the array while somebody holds it moves to the list of the retired
 * and is freed with its last hold.
 *
 *   entry: prompt | pcm (frames x 160 x 2) | PCMU (frames x 160) | PCMA (frames x 160)
 *
 * One allocation per entry, so that it is freed in one piece and a frame of one form is
 * contiguous.
 */
#include "prompt/prompt.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"
#include "codec/codec.h"
#include "dsp/tone_plan.h"
#include "prompt/prompt_file.h"

enum { DEPTH_MAX = 8, BANK_MAX = 16384, WHY_MAX = 160 };

struct entry {
	struct prompt p;
	uint32_t holds;
	bool retired;
	struct entry *next; /* of the retired */
};

struct list {
	struct entry **v;
	size_t n, room;
	size_t bytes;
};

struct prompt_bank {
	struct list now;
	struct list tones; /* by age */
	struct entry *retired;
	size_t retired_bytes;
	size_t bytes_max;
};

struct load {
	struct list list;
	size_t bytes_room; /* what the new entries may take */
	prompt_failed_fn *failed;
	void *arg;
};

struct prompt_bank *prompt_bank_create(size_t bytes_max)
{
	struct prompt_bank *bank = calloc(1, sizeof(*bank));

	if (bank != NULL)
		bank->bytes_max = bytes_max;
	return bank;
}

/* Entries are handed out const; the bank that made them may write them. */
static struct entry *entry_of(const struct prompt *p)
{
	return (struct entry *)(uintptr_t)p;
}

static void list_free(struct list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
	*list = (struct list){0};
}

void prompt_bank_destroy(struct prompt_bank *bank)
{
	if (bank == NULL)
		return;
	must(bank->retired == NULL);
	for (size_t i = 0; i < bank->now.n; i++)
		must(bank->now.v[i]->holds == 0);
	list_free(&bank->now);
	list_free(&bank->tones);
	free(bank);
}

static void report(const struct load *load, const char *file, const char *message)
{
	if (load->failed != NULL)
		load->failed(load->arg, file, message);
}

/* A name must be usable in JSON, logs and shells without quoting. */
static bool name_ok(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && strchr("._-/", name[i]) == NULL)
			return false;
	return len > 0;
}

/* Make an entry of `sound`, whose samples it copies. NULL when there is no memory. */
static struct entry *entry_make(const char *name, size_t name_len, const struct prompt_sound *sound)
{
	uint32_t frames = (sound->samples + PROMPT_FRAME - 1) / PROMPT_FRAME;
	size_t samples = (size_t)frames * PROMPT_FRAME;
	size_t bytes = sizeof(struct entry) + samples * (sizeof(int16_t) + CODEC_G711_COUNT);
	struct entry *e = calloc(1, bytes);

	if (e == NULL)
		return NULL;

	int16_t *pcm = (int16_t *)(void *)(e + 1);
	uint8_t *coded = (uint8_t *)(pcm + samples);

	memcpy(pcm, sound->pcm, sound->samples * sizeof(*pcm));
	memcpy(e->p.name, name, name_len);
	e->p.frames = frames;
	e->p.duration_ms = sound->samples / (PROMPT_RATE_HZ / 1000);
	e->p.pcm = pcm;
	e->p.bytes = bytes;
	for (unsigned c = 0; c < CODEC_G711_COUNT; c++, coded += samples) {
		codec_of((enum codec_id)c)->encode(NULL, coded, samples, pcm, samples);
		e->p.coded[c] = coded;
	}
	return e;
}

static int list_add(struct list *list, struct entry *e)
{
	if (list->n == list->room) {
		size_t room = list->room ? list->room * 2 : 64;
		struct entry **v = realloc(list->v, room * sizeof(struct entry *));

		if (v == NULL)
			return -ENOMEM;
		list->v = v;
		list->room = room;
	}
	list->v[list->n++] = e;
	list->bytes += e->p.bytes;
	return 0;
}

/* Where the end of a sound file's name begins, or 0. */
static size_t sound_end(const char *name)
{
	static const char *const ends[] = {".wav",  ".opus", ".ogg", ".oga", ".flac", ".mp3",
					   ".aiff", ".aif",  ".au",  ".w64", ".caf"};
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t n = strlen(ends[i]);

		if (len > n && strcasecmp(name + len - n, ends[i]) == 0)
			return len - n;
	}
	return 0;
}

static void file_load(struct load *load, int fd, const char *path)
{
	char why[WHY_MAX];
	struct prompt_sound sound;
	size_t len = sound_end(path);

	if (len >= PROMPT_NAME_MAX || !name_ok(path, len)) {
		report(load, path,
		       "name is too long or has other characters than A-Z a-z 0-9 . _ - /");
		return;
	}
	if (load->list.n == BANK_MAX) {
		report(load, path, "more prompts than the bank has places for");
		return;
	}
	if (prompt_file_read(&sound, fd, PROMPT_SECONDS_MAX, why, sizeof(why)) != 0) {
		report(load, path, why);
		return;
	}

	struct entry *e = entry_make(path, len, &sound);

	free(sound.pcm);
	if (e == NULL) {
		report(load, path, "no memory to keep it");
		return;
	}
	if (e->p.bytes > load->bytes_room - load->list.bytes) {
		snprintf(why, sizeof(why),
			 "prompt memory is full: it needs %zu bytes and %zu are left", e->p.bytes,
			 load->bytes_room - load->list.bytes);
		report(load, path, why);
		free(e);
		return;
	}
	if (list_add(&load->list, e) != 0) {
		report(load, path, "no memory to keep it");
		free(e);
	}
}

/* Read one directory; `path` is what lies between the root and it. Takes `dir_fd`. */
static int dir_load(struct load *load, int dir_fd, const char *path, unsigned depth)
{
	DIR *dir = fdopendir(dir_fd);

	if (dir == NULL) {
		int err = -errno;

		close(dir_fd);
		return err;
	}
	for (struct dirent *d; (d = readdir(dir)) != NULL;) {
		char below[PROMPT_NAME_MAX + 264];
		struct stat st;

		if (d->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(below, sizeof(below), "%s%s%s", path, *path ? "/" : "",
				     d->d_name) >= sizeof(below) ||
		    strlen(below) >= PROMPT_NAME_MAX + 5) {
			report(load, d->d_name, "its path is too long for a prompt's name");
			continue;
		}

		/* Without O_NONBLOCK a FIFO that somebody left here would stop the engine. */
		int fd = openat(dirfd(dir), d->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		if (fd < 0 || fstat(fd, &st) != 0) {
			report(load, below, strerror(errno));
			if (fd >= 0)
				close(fd);
		} else if (S_ISDIR(st.st_mode)) {
			if (depth == DEPTH_MAX) {
				report(load, below, "directories are nested too deeply");
				close(fd);
			} else if (dir_load(load, fd, below, depth + 1) != 0) {
				report(load, below, "directory cannot be read");
			}
		} else {
			if (sound_end(d->d_name) != 0)
				file_load(load, fd, below);
			close(fd);
		}
	}
	closedir(dir);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	return strcmp((*x)->p.name, (*y)->p.name);
}

/* Of two files with one name the first read stays. */
static void drop_twins(struct load *load)
{
	size_t kept = 0;

	for (size_t i = 0; i < load->list.n; i++) {
		struct entry *e = load->list.v[i];

		if (kept > 0 && strcmp(load->list.v[kept - 1]->p.name, e->p.name) == 0) {
			report(load, e->p.name,
			       "there are two files of this name with different ends; remove one");
			load->list.bytes -= e->p.bytes;
			free(e);
			continue;
		}
		load->list.v[kept++] = e;
	}
	load->list.n = kept;
}

/* Replace the array: what is held retires, the rest goes. */
static void swap_in(struct prompt_bank *bank, struct list *list)
{
	for (size_t i = 0; i < bank->now.n; i++) {
		struct entry *e = bank->now.v[i];

		if (e->holds == 0) {
			free(e);
			continue;
		}
		e->retired = true;
		e->next = bank->retired;
		bank->retired = e;
		bank->retired_bytes += e->p.bytes;
	}
	free(bank->now.v);
	bank->now = *list;
}

int prompt_bank_load(struct prompt_bank *bank, const char *directory, prompt_failed_fn *failed,
		     void *arg)
{
	struct load load = {.failed = failed, .arg = arg};
	size_t held = bank->retired_bytes;
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < bank->now.n; i++)
		if (bank->now.v[i]->holds > 0)
			held += bank->now.v[i]->p.bytes;
	load.bytes_room = bank->bytes_max > held ? bank->bytes_max - held : 0;

	int err = dir_load(&load, fd, "", 0);

	if (err != 0) {
		list_free(&load.list);
		return err;
	}
	if (load.list.n > 0)
		qsort(load.list.v, load.list.n, sizeof(struct entry *), by_name);
	drop_twins(&load);
	swap_in(bank, &load.list);
	return (int)bank->now.n;
}

const struct prompt *prompt_find(const struct prompt_bank *bank, const char *name)
{
	size_t low = 0, high = bank->now.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(name, bank->now.v[mid]->p.name);

		if (order == 0)
			return &bank->now.v[mid]->p;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* The oldest tone that nobody plays goes. */
static void tones_make_room(struct prompt_bank *bank)
{
	for (size_t i = 0; i < bank->tones.n; i++) {
		struct entry *e = bank->tones.v[i];

		if (e->holds > 0)
			continue;
		bank->tones.bytes -= e->p.bytes;
		bank->tones.n--;
		memmove(&bank->tones.v[i], &bank->tones.v[i + 1],
			(bank->tones.n - i) * sizeof(struct entry *));
		free(e);
		return;
	}
}

static struct entry *tone_make(const char *cadence, char *why, size_t why_size)
{
	struct tone_cadence c;
	struct prompt_sound sound;
	struct entry *e;

	if (tone_parse(&c, cadence, why, why_size) != 0)
		return NULL;
	snprintf(why, why_size, "no memory for the tone");
	sound.samples = tone_samples(&c, PROMPT_FRAME);
	sound.pcm = malloc(sound.samples * sizeof(*sound.pcm));
	if (sound.pcm == NULL)
		return NULL;
	tone_render(&c, sound.pcm, sound.samples);

	size_t len = strlen(cadence);

	e = entry_make(cadence, len < PROMPT_NAME_MAX ? len : PROMPT_NAME_MAX - 1, &sound);
	free(sound.pcm);
	return e;
}

const struct prompt *prompt_tone(struct prompt_bank *bank, const char *cadence, char *why,
				 size_t why_size)
{
	struct entry *e;

	if (strlen(cadence) >= PROMPT_NAME_MAX) {
		snprintf(why, why_size, "a cadence of more than %d characters",
			 PROMPT_NAME_MAX - 1);
		return NULL;
	}
	for (size_t i = 0; i < bank->tones.n; i++)
		if (strcmp(bank->tones.v[i]->p.name, cadence) == 0)
			return &bank->tones.v[i]->p;
	if (bank->tones.n >= PROMPT_TONES_MAX)
		tones_make_room(bank);
	if (bank->tones.n >= PROMPT_TONES_MAX) {
		snprintf(why, why_size, "more than %d different tones are being played",
			 PROMPT_TONES_MAX);
		return NULL;
	}
	e = tone_make(cadence, why, why_size);
	if (e == NULL)
		return NULL;
	if (list_add(&bank->tones, e) != 0) {
		free(e);
		return NULL;
	}
	return &e->p;
}

void prompt_hold(struct prompt_bank *bank, const struct prompt *p)
{
	(void)bank;
	entry_of(p)->holds++;
}

void prompt_release(struct prompt_bank *bank, const struct prompt *p)
{
	struct entry *e = entry_of(p);

	must(e->holds > 0);
	if (--e->holds > 0 || !e->retired)
		return;
	for (struct entry **at = &bank->retired; *at != NULL; at = &(*at)->next) {
		if (*at == e) {
			*at = e->next;
			bank->retired_bytes -= e->p.bytes;
			free(e);
			return;
		}
	}
	must(!"a retired prompt is in the list of the retired");
}

void prompt_each(const struct prompt_bank *bank, prompt_each_fn *fn, void *arg)
{
	for (size_t i = 0; i < bank->now.n; i++)
		fn(arg, &bank->now.v[i]->p);
}

size_t prompt_bank_bytes(const struct prompt_bank *bank)
{
	return bank->now.bytes + bank->tones.bytes + bank->retired_bytes;
}
