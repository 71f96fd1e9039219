/* SPDX-License-Identifier: Apache-2.0
 *
 * Recordings from elsewhere: a sound file and what is known of it. The bytes are kept as they are;
 * they are decoded once, for the overview and to see that they can be. An id that the facts do not
 * name is made of the bytes' hash, so the same file is taken once however often it is offered.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sndfile.h>

#include "archive/archive_priv.h"
#include "archive/overview.h"
#include "patchbay/recording.h"

enum { BLOCK = 4096, CHANNELS_MAX = 2, FIELDS_MAX = 64 };

static struct overview *look_at(struct archive *a, SNDFILE *f, const SF_INFO *sf)
{
	struct overview *o = overview_new((uint32_t)sf->samplerate, a->cfg->overview_bucket_ms);
	int16_t in[BLOCK * CHANNELS_MAX], pairs[BLOCK * 2];
	sf_count_t n;

	while (o != NULL && (n = sf_readf_short(f, in, BLOCK)) > 0) {
		for (sf_count_t i = 0; i < n; i++) {
			pairs[2 * i] = in[i * sf->channels];
			pairs[2 * i + 1] = sf->channels > 1 ? in[i * sf->channels + 1] : 0;
		}
		if (overview_put(o, pairs, (size_t)n) != 0) {
			overview_free(o);
			return NULL;
		}
	}
	if (o != NULL)
		overview_end(o);
	return o;
}

/* A UUID of the version for one's own purposes (RFC 9562, 5.8). */
static void id_of(const uint8_t sha[DIGEST_BYTES], uint8_t id[16])
{
	memcpy(id, sha, 16);
	id[6] = (uint8_t)((id[6] & 15) | 0x80);
	id[8] = (uint8_t)((id[8] & 63) | 0x80);
}

static json_t *row_of(const uint8_t id[16], const json_t *facts, const struct stat *st,
		      const struct overview *o, const char *format, int rate)
{
	json_t *row = facts != NULL ? json_deep_copy(facts) : json_object();
	char text[RECORDING_ID_TEXT];
	struct overview_sums s;

	recording_id_text(id, text);
	overview_sums(o, &s);
	json_object_set_new(row, "recording", json_string(text));
	if (!json_is_integer(json_object_get(row, "started_ms")))
		json_object_set_new(row, "started_ms",
				    json_integer((json_int_t)st->st_mtim.tv_sec * 1000));
	json_object_set_new(row, "duration_ms", json_integer((json_int_t)s.duration_ms));
	json_object_set_new(row, "format", json_string(format));
	json_object_set_new(row, "rate_hz", json_integer(rate));
	json_object_set_new(row, "silence", json_real(s.silence));
	json_object_set_new(row, "talk_over", json_real(s.talk_over));
	json_object_set_new(row, "imported", json_true());
	json_object_del(row, "file");
	return row;
}

static int take(struct archive *a, const struct archive_actor *who, int fd, const char *path,
		const json_t *facts, json_t **row)
{
	SF_INFO sf = {0};
	SNDFILE *f = sf_open_fd(dup(fd), SFM_READ, &sf, SF_TRUE);
	const char *name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
	struct archive_new n = {.op = "import", .sound = fd};
	uint8_t *wave = NULL;
	struct overview *o = NULL;
	struct stat st;
	int format, err = 0;

	format = f != NULL ? sf.format & SF_FORMAT_TYPEMASK : 0;
	if (f == NULL || sf.channels > CHANNELS_MAX || sf.samplerate < 8000 ||
	    (format != SF_FORMAT_WAV && format != SF_FORMAT_WAVEX && format != SF_FORMAT_RF64 &&
	     format != SF_FORMAT_OGG)) {
		err = archive_refuse(a, -EINVAL,
				     "%.200s is no WAV or Ogg Opus file of one or two channels",
				     path);
	} else {
		o = look_at(a, f, &sf);
		err = o == NULL ? -ENOMEM : fstat(fd, &st) != 0 ? -errno : 0;
	}
	if (f != NULL)
		sf_close(f);
	if (err == 0) {
		uint8_t sha[DIGEST_BYTES];
		const char *id = json_string_value(json_object_get(facts, "recording"));

		if (digest_file(fd, sha) < 0)
			err = -EIO;
		else if (id == NULL)
			id_of(sha, n.id);
		else if (recording_id_parse(id, n.id) != 0)
			err = archive_refuse(a, -EINVAL, "\"%.60s\" is no recording id", id);
	}
	if (err == 0 && shelf_has(a->shelf, n.id) == 1) {
		overview_free(o);
		(void)shelf_get(a->shelf, n.id, row);
		return 1;
	}
	if (err == 0)
		err = archive_audit(a, who, "import", n.id, "ok", name);
	if (err == 0) {
		n.overview_bytes = overview_pack(o, &wave);
		n.overview = wave;
		n.row = row_of(n.id, facts, &st, o, format == SF_FORMAT_OGG ? "opus" : "wav",
			       sf.samplerate);
		n.facts = json_pack("{s:s, s:s}", "source", name, "by", who->name);
		archive_retain(a->cfg, n.row, NULL);
		err = archive_store(a, &n);
		json_decref(n.facts);
		if (err == 0)
			*row = n.row;
		else
			json_decref(n.row);
	}
	free(wave);
	overview_free(o);
	return err;
}

int archive_import(struct archive *a, const struct archive_actor *who, const char *path,
		   const json_t *facts, json_t **row)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return archive_refuse(a, -errno, "%.200s: %s", path, strerror(errno));
	a->why[0] = '\0';
	err = take(a, who, fd, path, facts, row);
	close(fd);
	if (err < 0 && a->why[0] == '\0')
		archive_refuse(a, err, "%.200s: %s", path, strerror(-err));
	return err;
}

/* --- the list beside the files --- */

/* One field of RFC 4180 at *p, unquoted in place; moves *p to the comma, newline or NUL behind it. */
static char *field(char **p)
{
	char *from = *p, *to;

	if (*from != '"') {
		*p += strcspn(*p, ",\r\n");
		return from;
	}
	to = from;
	for ((*p)++; **p != '\0'; (*p)++) {
		if (**p == '"' && *++*p != '"')
			break;
		*to++ = **p;
	}
	if (to < *p)
		*to = '\0';
	return from;
}

/* Fields of one line; *p moves to the next. Returns how many, or -1 when there are too many. */
static int fields(char **p, char *out[FIELDS_MAX])
{
	int n = 0;
	char end;

	do {
		char *at;

		if (n == FIELDS_MAX)
			return -1;
		at = field(p);
		out[n++] = at;
		end = **p;
		if (end != '\0')
			*(*p)++ = '\0';
	} while (end == ',');
	if (end == '\r' && **p == '\n')
		(*p)++;
	return n;
}

static bool is_number(const char *name)
{
	static const char *const numbers[] = {"started_ms", "holds", "lost", "mos"};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(name, numbers[i]) == 0)
			return true;
	return false;
}

static json_t *row_of_fields(char *const *name, char *const *value, int n)
{
	json_t *row = json_object();

	for (int i = 0; i < n; i++) {
		char *end;
		double v;

		if (value[i][0] == '\0')
			continue;
		if (!is_number(name[i])) {
			json_object_set_new(row, name[i], json_string(value[i]));
			continue;
		}
		v = strtod(value[i], &end);
		if (*end != '\0') {
			json_decref(row);
			return NULL;
		}
		json_object_set_new(row, name[i],
				    strcmp(name[i], "mos") == 0 ? json_real(v)
								: json_integer((json_int_t)v));
	}
	return row;
}

int archive_csv(const char *text, json_t **rows, size_t *line)
{
	char *copy = strdup(text), *p = copy, *name[FIELDS_MAX], *value[FIELDS_MAX];
	json_t *list = json_array();
	int columns, n = 0, err = 0;

	*line = 1;
	if (copy == NULL || list == NULL) {
		free(copy);
		json_decref(list);
		return -ENOMEM;
	}
	columns = fields(&p, name);
	for (int i = 0; i < columns; i++)
		err = strcmp(name[i], "file") == 0 ? 1 : err;
	err = err == 1 ? 0 : -EINVAL; /* there must be a column "file" */
	while (err == 0 && *p != '\0') {
		json_t *row;

		(*line)++;
		n = fields(&p, value);
		if (n == 1 && value[0][0] == '\0')
			continue;
		row = n == columns ? row_of_fields(name, value, n) : NULL;
		if (row == NULL || !json_is_string(json_object_get(row, "file")))
			err = -EINVAL;
		else
			json_array_append(list, row);
		json_decref(row);
	}
	free(copy);
	if (err == 0)
		*rows = list;
	else
		json_decref(list);
	return err;
}
