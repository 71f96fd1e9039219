/* SPDX-License-Identifier: Apache-2.0
 *
 * Recordings on the terminal. All knowledge is in libpatchbay; here it is put into words, a
 * table or JSON.
 */
#include "cli/recordings.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "patchbay/recording.h"

enum { EXIT_DAMAGE = 1, EXIT_IMPOSSIBLE = 2, DAMAGES_SHOWN = 1000 };

static FILE *out_of(const struct recordings_options *opt)
{
	return opt->out != NULL ? opt->out : stdout;
}

static struct recording_store *open_store(const struct recordings_options *opt)
{
	struct recording_store *st;
	int err = recording_store_open(&st, opt->store, opt->stores);

	if (err == 0)
		return st;
	fprintf(stderr, "patchbay: no recording store at");
	for (size_t i = 0; i < opt->stores; i++)
		fprintf(stderr, " %s", opt->store[i]);
	fprintf(stderr, ": %s\n", strerror(-err));
	return NULL;
}

static void print_json(const struct recordings_options *opt, json_t *doc)
{
	json_dumpf(doc, out_of(opt), JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	fputc('\n', out_of(opt));
	json_decref(doc);
}

static void time_text(uint64_t ns, char *text, size_t max)
{
	time_t s = (time_t)(ns / 1000000000U);
	struct tm tm;

	localtime_r(&s, &tm);
	if (strftime(text, max, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		text[0] = '\0';
}

static const char *state_of(const struct recording_info *info)
{
	if (!info->ended)
		return "running";
	return info->complete ? recording_end_name(info->end) : "damaged";
}

static json_t *account_json(const struct recording_account *a)
{
	json_t *channels = json_array();

	for (int ch = 0; ch < RECORDING_CHANNELS; ch++)
		json_array_append_new(channels,
				      json_pack("{s:I, s:I, s:I, s:s, s:I, s:I}", "accepted",
						(json_int_t)a->channel[ch].accepted, "written",
						(json_int_t)a->channel[ch].written, "lost",
						(json_int_t)a->channel[ch].lost, "lost_reason",
						recording_loss_name(a->channel[ch].loss), "masked",
						(json_int_t)a->channel[ch].masked, "missing",
						(json_int_t)a->channel[ch].missing));
	return json_pack("{s:o, s:I}", "channels", channels, "paused_ms", (json_int_t)a->paused_ms);
}

static json_t *info_json(const struct recording_info *info)
{
	char id[RECORDING_ID_TEXT];
	json_t *metadata = json_loads(info->metadata, 0, NULL);

	recording_id_text(info->id, id);
	return json_pack("{s:s, s:I, s:I, s:s, s:b, s:i, s:I, s:I, s:o, s:o}", "recording", id,
			 "start_ms", (json_int_t)(info->start_ns / 1000000), "duration_ms",
			 (json_int_t)(info->duration_ns / 1000000), "state", state_of(info),
			 "complete", info->complete, "parts", (int)info->parts, "extents",
			 (json_int_t)info->extents, "bytes", (json_int_t)info->bytes, "account",
			 info->account_known ? account_json(&info->account) : json_null(),
			 "metadata", metadata != NULL ? metadata : json_object());
}

/* A member of the metadata as text, "-" without one. */
static void member_text(const struct recording_info *info, const char *key, char *text, size_t max)
{
	json_t *metadata = json_loads(info->metadata, 0, NULL);
	const char *value = json_string_value(json_object_get(metadata, key));

	snprintf(text, max, "%s", value != NULL ? value : "-");
	json_decref(metadata);
}

struct listing {
	const struct recordings_options *opt;
	json_t *array;
	uint64_t n;
	uint64_t damages;
};

static int list_one(void *ctx, const struct recording_info *info)
{
	struct listing *l = ctx;
	char id[RECORDING_ID_TEXT], start[32], call[64];
	uint64_t s = info->duration_ns / 1000000000U;

	l->n++;
	if (l->opt->json) {
		json_array_append_new(l->array, info_json(info));
		return 0;
	}
	recording_id_text(info->id, id);
	time_text(info->start_ns, start, sizeof(start));
	member_text(info, "call", call, sizeof(call));
	fprintf(out_of(l->opt),
		"%-36s  %-19s  %3" PRIu64 ":%02" PRIu64 "  %-14s %9" PRIu64 " %9" PRIu64
		" %6" PRIu64 "  %s\n",
		id, start, s / 60, s % 60, state_of(info), info->account.channel[0].written,
		info->account.channel[1].written,
		info->account.channel[0].lost + info->account.channel[1].lost, call);
	return 0;
}

static void count_damage(void *ctx, const struct recording_damage *d)
{
	struct listing *l = ctx;

	(void)d;
	l->damages++;
}

int recordings_list(const struct recordings_options *opt)
{
	struct recording_store *st = open_store(opt);
	struct listing l = {.opt = opt};
	int err;

	if (st == NULL)
		return EXIT_IMPOSSIBLE;
	if (opt->json)
		l.array = json_array();
	else
		fprintf(out_of(opt), "%-36s  %-19s  %6s  %-14s %9s %9s %6s  %s\n", "RECORDING",
			"START", "LENGTH", "STATE", "SAID", "HEARD", "LOST", "CALL");
	err = recording_store_list(st, list_one, count_damage, &l);
	recording_store_close(st);
	if (opt->json)
		print_json(opt, json_pack("{s:o}", "recordings", l.array));
	if (l.damages != 0)
		fprintf(stderr,
			"patchbay: the store is damaged in %" PRIu64
			" places; `patchbay recordings verify` names them\n",
			l.damages);
	if (err != 0)
		fprintf(stderr, "patchbay: %s\n", strerror(-err));
	return err != 0 ? EXIT_IMPOSSIBLE : 0;
}

/* --- export --- */

static int find(struct recording_store *st, const char *prefix, uint8_t id[16])
{
	int err = recording_find(st, prefix, id);

	if (err == -EINVAL)
		fprintf(stderr,
			"patchbay: \"%s\" is no recording id; give at least its first 4 digits\n",
			prefix);
	else if (err == -ENOENT)
		fprintf(stderr, "patchbay: no recording begins with \"%s\"\n", prefix);
	else if (err == -ENOTUNIQ)
		fprintf(stderr,
			"patchbay: several recordings begin with \"%s\"; give more digits\n",
			prefix);
	else if (err != 0)
		fprintf(stderr, "patchbay: %s\n", strerror(-err));
	return err;
}

static int show_progress(void *ctx, uint64_t done_ns, uint64_t total_ns)
{
	(void)ctx;
	if (total_ns != 0 && isatty(STDERR_FILENO))
		fprintf(stderr, "\r%3" PRIu64 " %%",
			(done_ns < total_ns ? done_ns : total_ns) / 1000000 * 100 /
				(total_ns / 1000000 + 1));
	return 0;
}

static void tell_damage(void *ctx, const struct recording_damage *d)
{
	uint64_t *n = ctx;

	if ((*n)++ < DAMAGES_SHOWN)
		fprintf(stderr, "patchbay: %s (%s)\n", recording_damage_text(d->kind),
			d->path != NULL ? d->path : recording_damage_name(d->kind));
}

static json_t *exported_json(const char *path, const struct recording_info *info,
			     const struct recording_exported *e, uint64_t damages)
{
	json_t *channels = json_array();
	char id[RECORDING_ID_TEXT];

	recording_id_text(info->id, id);
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++)
		json_array_append_new(channels,
				      json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "frames",
						(json_int_t)e->channel[ch].frames, "unknown",
						(json_int_t)e->channel[ch].unknown, "late",
						(json_int_t)e->channel[ch].late, "silence_ms",
						(json_int_t)e->channel[ch].silence_ms, "restarts",
						(json_int_t)e->channel[ch].restarts, "slipped",
						(json_int_t)e->channel[ch].slipped));
	return json_pack("{s:s, s:s, s:I, s:I, s:o}", "recording", id, "path", path, "duration_ms",
			 (json_int_t)e->duration_ms, "damages", (json_int_t)damages, "channels",
			 channels);
}

static int export_open(const struct recordings_options *opt, struct recording *r, const char *path,
		       const uint64_t *damages)
{
	const struct recording_info *info = recording_info(r);
	char id[RECORDING_ID_TEXT], own[RECORDING_ID_TEXT + 8];
	struct recording_export how = {.progress = show_progress};
	struct recording_exported e = {0};

	recording_id_text(info->id, id);
	if (path == NULL) {
		snprintf(own, sizeof(own), "%s.wav", id);
		path = own;
	}
	how.path = path;
	if (recording_format_of(path, &how.format) != 0) {
		fprintf(stderr, "patchbay: %s: the file's name must end in .wav, .opus or .ogg\n",
			path);
		return EXIT_IMPOSSIBLE;
	}

	int err = recording_export(r, &how, &e);

	if (isatty(STDERR_FILENO))
		fputc('\r', stderr);
	if (err != 0) {
		fprintf(stderr, "patchbay: cannot write %s: %s\n", path, strerror(-err));
		return EXIT_IMPOSSIBLE;
	}
	if (opt->json)
		print_json(opt, exported_json(path, info, &e, *damages));
	else
		fprintf(out_of(opt), "%s  %" PRIu64 ".%03" PRIu64 " s  %s\n", id,
			e.duration_ms / 1000, e.duration_ms % 1000, path);
	return *damages != 0 ? EXIT_DAMAGE : 0;
}

int recordings_export(const struct recordings_options *opt, const char *prefix, const char *path)
{
	struct recording_store *st = open_store(opt);
	struct recording *r;
	uint64_t damages = 0;
	uint8_t id[16];
	int code = EXIT_DAMAGE, err;

	if (st == NULL)
		return EXIT_IMPOSSIBLE;
	if (find(st, prefix, id) == 0) {
		err = recording_open(st, id, tell_damage, &damages, &r);
		if (err == 0) {
			code = export_open(opt, r, path, &damages);
			recording_close(r);
		} else {
			fprintf(stderr, "patchbay: %s\n", strerror(-err));
			code = EXIT_IMPOSSIBLE;
		}
	}
	recording_store_close(st);
	return code;
}

/* --- verify --- */

struct verifying {
	const struct recordings_options *opt;
	json_t *array;
	uint64_t n;
};

static json_t *damage_json(const struct recording_damage *d)
{
	json_t *o = json_pack("{s:s, s:s}", "kind", recording_damage_name(d->kind), "text",
			      recording_damage_text(d->kind));
	char id[RECORDING_ID_TEXT];

	if (d->path != NULL)
		json_object_set_new(o, "path", json_string(d->path));
	if (d->offset != RECORDING_NOWHERE)
		json_object_set_new(o, "offset", json_integer((json_int_t)d->offset));
	if (d->has_id) {
		recording_id_text(d->id, id);
		json_object_set_new(o, "recording", json_string(id));
	}
	if (d->seq != RECORDING_NOWHERE)
		json_object_set_new(o, "extent", json_integer((json_int_t)d->seq));
	if (d->count != 0)
		json_object_set_new(o, "extents", json_integer((json_int_t)d->count));
	if (d->detail[0] != '\0')
		json_object_set_new(o, "detail", json_string(d->detail));
	return o;
}

static void print_damage(FILE *out, const struct recording_damage *d)
{
	char id[RECORDING_ID_TEXT];

	fprintf(out, "%s: %s\n", recording_damage_name(d->kind), recording_damage_text(d->kind));
	if (d->path != NULL)
		fprintf(out, "    at %s", d->path);
	if (d->path != NULL && d->offset != RECORDING_NOWHERE)
		fprintf(out, ", offset %" PRIu64, d->offset);
	if (d->path != NULL)
		fputc('\n', out);
	if (d->has_id) {
		recording_id_text(d->id, id);
		fprintf(out, "    recording %s", id);
		if (d->seq != RECORDING_NOWHERE)
			fprintf(out, ", extent %" PRIu64, d->seq);
		if (d->count > 1)
			fprintf(out, " and %" PRIu64 " more", d->count - 1);
		fputc('\n', out);
	}
	if (d->detail[0] != '\0')
		fprintf(out, "    %s\n", d->detail);
}

static void take_damage(void *ctx, const struct recording_damage *d)
{
	struct verifying *v = ctx;

	if (v->n++ >= DAMAGES_SHOWN)
		return;
	if (v->opt->json)
		json_array_append_new(v->array, damage_json(d));
	else
		print_damage(out_of(v->opt), d);
}

static void print_verdict(const struct recordings_options *opt, const struct recording_verdict *v,
			  json_t *damages)
{
	FILE *out = out_of(opt);

	if (opt->json) {
		print_json(opt,
			   json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}",
				     "ok", v->damages == 0, "segments", (json_int_t)v->segments,
				     "recordings", (json_int_t)v->recordings, "running",
				     (json_int_t)v->running, "unknown_frames",
				     (json_int_t)v->unknown, "extents", (json_int_t)v->extents,
				     "frames", (json_int_t)v->frames, "bytes", (json_int_t)v->bytes,
				     "damages", (json_int_t)v->damages, "account",
				     account_json(&v->account), "damage", damages));
		return;
	}
	fprintf(out,
		"%" PRIu64 " recordings (%" PRIu64 " running) in %" PRIu64 " segments, %" PRIu64
		" extents, %" PRIu64 " frames, %" PRIu64 " bytes\n",
		v->recordings, v->running, v->segments, v->extents, v->frames, v->bytes);
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++)
		fprintf(out,
			"%s: %" PRIu64 " accepted, %" PRIu64 " written (%" PRIu64
			" of them masked), %" PRIu64 " lost (%s); %" PRIu64 " never came\n",
			ch == 0 ? "said " : "heard", v->account.channel[ch].accepted,
			v->account.channel[ch].written, v->account.channel[ch].masked,
			v->account.channel[ch].lost,
			recording_loss_name(v->account.channel[ch].loss),
			v->account.channel[ch].missing);
	if (v->unknown != 0)
		fprintf(out, "%" PRIu64 " frames are of kinds that a later version knows\n",
			v->unknown);
	if (v->damages == 0)
		fprintf(out, "whole: every byte, number and account agrees\n");
	else
		fprintf(out, "damaged in %" PRIu64 " places\n", v->damages);
}

int recordings_verify(const struct recordings_options *opt, const char *prefix)
{
	struct recording_store *st = open_store(opt);
	struct verifying v = {.opt = opt};
	struct recording_verdict verdict;
	uint8_t id[16];
	int err;

	if (st == NULL)
		return EXIT_IMPOSSIBLE;
	if (prefix != NULL && find(st, prefix, id) != 0) {
		recording_store_close(st);
		return EXIT_DAMAGE;
	}
	v.array = json_array();
	err = recording_verify(st, prefix != NULL ? id : NULL, take_damage, &v, &verdict);
	recording_store_close(st);
	if (err != 0) {
		fprintf(stderr, "patchbay: %s\n", strerror(-err));
		json_decref(v.array);
		return EXIT_IMPOSSIBLE;
	}
	print_verdict(opt, &verdict, opt->json ? json_incref(v.array) : NULL);
	json_decref(v.array);
	return verdict.damages != 0 ? EXIT_DAMAGE : 0;
}
