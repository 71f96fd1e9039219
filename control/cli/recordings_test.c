/* SPDX-License-Identifier: Apache-2.0
 *
 * What `patchbay recordings` prints.
 */
#include <jansson.h>

#include "cli/recordings.h"
#include "record/record_testing.h"

enum { FRAMES = 100 };

struct said {
	char *text;
	size_t len;
	FILE *out;
};

static struct recordings_options options(const struct place *p, const char *dir[1],
					 struct said *said, bool json)
{
	dir[0] = p->volume[0];
	*said = (struct said){0};
	said->out = open_memstream(&said->text, &said->len);
	check(said->out != NULL);
	return (struct recordings_options){dir, 1, json, said->out};
}

static json_t *said_json(struct said *said)
{
	json_error_t e;

	fclose(said->out);

	json_t *doc = json_loads(said->text, 0, &e);

	if (doc == NULL)
		printf("%s\n%s\n", e.text, said->text);
	check(doc != NULL);
	free(said->text);
	return doc;
}

static void record_two(const struct place *p)
{
	struct record_config cfg = place_config(p, 1);
	struct record *rec;
	struct rec_tap *tap;
	uint64_t now = mono_now_ns();

	check_int(record_start(&cfg, &rec), 0);
	for (unsigned c = 1; c <= 2; c++) {
		uint8_t id[16];

		test_id(id, c);
		check_int(rec_tap_open(record_worker(rec, 0), id, "{\"call\":\"c7\"}", now, &tap),
			  0);
		for (uint32_t i = 0; i < FRAMES; i++)
			for (unsigned ch = 0; ch < 2; ch++)
				test_frame(tap, c, ch, i, now + i * 20 * PB_NS_PER_MS);
		rec_tap_close(tap, RECORDING_END_STOPPED, now + FRAMES * 20 * PB_NS_PER_MS, NULL);
	}
	check_int(record_stop(rec), 0);
}

static void list_names_every_recording(void)
{
	struct place p;
	struct said said;
	const char *dir[1];

	place_make(&p);
	record_two(&p);

	struct recordings_options opt = options(&p, dir, &said, true);

	check_int(recordings_list(&opt), 0);

	json_t *doc = said_json(&said), *list = json_object_get(doc, "recordings");
	json_t *first = json_array_get(list, 0);

	check_int(json_array_size(list), 2);
	check_str(json_string_value(json_object_get(first, "state")), "stopped");
	check_int(json_integer_value(json_object_get(first, "duration_ms")), FRAMES * 20);
	check_str(json_string_value(json_object_get(json_object_get(first, "metadata"), "call")),
		  "c7");
	json_decref(doc);
	opt = options(&p, dir, &said, false);
	check_int(recordings_list(&opt), 0);
	fclose(said.out);
	check(strstr(said.text, "0002abab-abab-abab-abab-abababababab") != NULL);
	check(strstr(said.text, "0:02") != NULL && strstr(said.text, "c7") != NULL);
	free(said.text);
	place_remove(&p);
}

static void export_takes_a_prefix_and_a_name(void)
{
	struct place p;
	struct said said;
	const char *dir[1];
	char path[120];

	place_make(&p);
	record_two(&p);

	struct recordings_options opt = options(&p, dir, &said, true);

	snprintf(path, sizeof(path), "%s/a.wav", p.root);
	check_int(recordings_export(&opt, "0001", path), 0);

	json_t *doc = said_json(&said);
	json_t *channel = json_array_get(json_object_get(doc, "channels"), 1);

	check_int(json_integer_value(json_object_get(doc, "duration_ms")), FRAMES * 20);
	check_int(json_integer_value(json_object_get(channel, "frames")), FRAMES);
	json_decref(doc);
	check(access(path, R_OK) == 0);
	opt = options(&p, dir, &said, false);
	check_int(recordings_export(&opt, "0001", "name.mp3"), 2);
	check_int(recordings_export(&opt, "abcd", path), 1);
	check_int(recordings_export(&opt, "zz", path), 1);
	dir[0] = "/nonexistent";
	check_int(recordings_export(&opt, "0001", path), 2);
	fclose(said.out);
	free(said.text);
	place_remove(&p);
}

static void verify_tells_whole_from_damaged(void)
{
	struct place p;
	struct said said;
	const char *dir[1];
	char path[120];

	place_make(&p);
	record_two(&p);

	struct recordings_options opt = options(&p, dir, &said, false);

	check_int(recordings_verify(&opt, NULL), 0);
	fclose(said.out);
	check(strstr(said.text, "whole") != NULL);
	free(said.text);
	snprintf(path, sizeof(path), "%s/seg-00000000.pbseg", p.volume[0]);

	int fd = open(path, O_RDWR);

	check(fd >= 0 && pwrite(fd, "\x5a\xa5", 2, 4096 + 1000) == 2);
	close(fd);
	opt = options(&p, dir, &said, true);
	check_int(recordings_verify(&opt, NULL), 1);

	json_t *doc = said_json(&said);
	json_t *damage = json_array_get(json_object_get(doc, "damage"), 0);

	check(json_is_false(json_object_get(doc, "ok")));
	check_str(json_string_value(json_object_get(damage, "kind")), "extent_crc");
	check(json_string_value(json_object_get(damage, "recording")) != NULL);
	json_decref(doc);
	opt = options(&p, dir, &said, true);
	check_int(recordings_verify(&opt, "0001"), 1);
	json_decref(said_json(&said));
	place_remove(&p);
}

static const struct check_case cases[] = {
	CHECK_CASE(list_names_every_recording),
	CHECK_CASE(export_takes_a_prefix_and_a_name),
	CHECK_CASE(verify_tells_whole_from_damaged),
};
CHECK_MAIN(cases)
