/* For tests of the archive as a whole: a recording store with calls whose sound is known, an archive
 * on it.
 */
#ifndef ARCHIVE_ARCHIVE_WORLD_H
#define ARCHIVE_ARCHIVE_WORLD_H

#include <math.h>

#include "archive/archive.h"
#include "archive/archive_testing.h"
#include "record/record_testing.h"

enum { CALLS = 4, SECONDS = 6 };

static const struct archive_actor tester = {"tester", "cli"};

struct world {
	const char *more; /* further lines of the section `archive:` */
	struct place place;
	char dir[64];
	struct config *config;
	struct archive *a;
};

static inline void write_config(struct world *w, bool sealed, const char *format, char *yaml,
				size_t size)
{
	char key[80];

	snprintf(key, sizeof(key), "%s/master", w->dir);
	if (sealed && access(key, F_OK) != 0)
		check_int(keyring_make(key), 0);
	snprintf(yaml, size,
		 "database: %s/none.db\narchive:\n  directory: %s/archive\n  store: [%s]\n  "
		 "format: %s\n"
		 "%s  keep_days: 36500\n  retention: [{class: short, keep_days: 1, tag: "
		 "short}]\n%s%s%s",
		 w->dir, w->dir, w->place.volume[0], format, w->more != NULL ? w->more : "",
		 sealed ? "  master_keys: [{id: m1, file: " : "", sealed ? key : "",
		 sealed ? "}]\n" : "");
}

static inline void open_archive(struct world *w, bool sealed, const char *format)
{
	static struct complaints complaints;
	char yaml[3000], why[ARCHIVE_WHY_MAX] = "";
	int err;

	write_config(w, sealed, format, yaml, sizeof(yaml));
	check_int(config_load(yaml, strlen(yaml), "test", &w->config, &complaints), 0);
	err = archive_open(&w->a, w->config, why, sizeof(why));
	if (err != 0)
		printf("   %s\n", why);
	check_int(err, 0);
}

static inline void shut_archive(struct world *w)
{
	archive_close(w->a);
	config_free(w->config);
	w->a = NULL;
}

/* A tone on the customer's channel, and quieter on the other. */
static inline uint8_t ulaw_of(double v)
{
	int x = (int)(v * 8000), sign = x < 0 ? 0x80 : 0, exponent = 7;

	x = (x < 0 ? -x : x) + 132;
	while (exponent > 0 && (x & (0x80 << exponent)) == 0)
		exponent--;
	return (uint8_t) ~(sign | exponent << 4 | ((x >> (exponent + 3)) & 15));
}

static inline void record_calls(const struct world *w, unsigned from, unsigned n)
{
	struct record_config cfg = place_config(&w->place, 1);
	uint64_t now = mono_now_ns();
	struct record *rec;

	check_int(record_start(&cfg, &rec), 0);
	for (unsigned c = from; c < from + n; c++) {
		char meta[200];
		struct rec_tap *tap;
		uint8_t id[16], payload[FRAME_LEN];

		test_id(id, c);
		snprintf(meta, sizeof(meta),
			 "{\"call\":\"call-%u\",\"kind\":\"call\",\"from\":\"138000\",\"to\":"
			 "\"95598\","
			 "\"queue\":\"sales\",\"agent\":\"1001\"}",
			 c);
		check_int(rec_tap_open(record_worker(rec, 0), id, meta, now, &tap), 0);
		for (uint32_t i = 0; i < SECONDS * 50; i++)
			for (unsigned ch = 0; ch < 2; ch++) {
				struct rec_frame f = {
					.now_ns = now + i * 20 * PB_NS_PER_MS,
					.timestamp = 160 * i,
					.seq = (uint16_t)i,
					.channel = (uint8_t)ch,
					.codec = RECORDING_CODEC_PCMU,
					.len = FRAME_LEN,
					.payload = payload,
				};

				for (int k = 0; k < FRAME_LEN; k++)
					payload[k] =
						ulaw_of(ch == 0 && i < 100
								? sin((i * 160 + (unsigned)k) * 0.5)
								: 0.0);
				rec_tap_frame(tap, &f);
			}
		rec_tap_close(tap, RECORDING_END_CALL_CLOSED, now + SECONDS * 1000 * PB_NS_PER_MS,
			      NULL);
	}
	check_int(record_stop(rec), 0);
}

static inline void world_make(struct world *w, bool sealed, const char *format)
{
	*w = (struct world){.more = w->more};
	scratch_make(w->dir);
	place_make(&w->place);
	record_calls(w, 0, CALLS);
	open_archive(w, sealed, format);
}

static inline void world_free(struct world *w)
{
	shut_archive(w);
	scratch_remove(w->dir);
	place_remove(&w->place);
}

static inline json_t *get(struct world *w, unsigned call)
{
	uint8_t id[16];
	json_t *row = NULL;

	test_id(id, call);
	check_int(shelf_get(archive_shelf(w->a), id, &row), 0);
	return row;
}

static inline const char *str(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static inline void finish(struct world *w, unsigned want)
{
	struct archive_finished n;

	check_int(archive_finish(w->a, NULL, &n), 0);
	check_int(n.failed, 0);
	check_int(n.finished, want);
}

#endif
