/* SPDX-License-Identifier: Apache-2.0
 *
 * What is recorded is what was said and heard, byte by byte, and nothing that was secret: the store's
 * segments are read back and compared with the phones' own memory. */
#include <dirent.h>
#include <errno.h>
#include <sndfile.h>
#include <stdlib.h>
#include <unistd.h>

#include "codec/codec.h"
#include "libpatchbay/recording_segment.h"
#include "patchbay/recording.h"
#include "path/path_world.h"
#include "prompt/prompt.h"
#include "record/record.h"

enum { FRAMES_MAX = 1024 };

static struct world w;
static struct call_ref call;
static struct world_peer *customer, *agent;
static char dir[64];
static struct record *rec;
static const uint8_t id[16] = {1, 2, 3};

/* Read back. */
static struct {
	unsigned n[2], marks, others;
	uint8_t codec[2];
	struct {
		uint32_t ts;
		uint16_t seq, len;
		uint8_t payload[320];
	} frame[2][FRAMES_MAX];
} store;

static void begin_with(uint32_t extents)
{
	struct rec_worker *rw;
	struct record_config cfg = {.name = "path-test",
				    .shm_dir = dir,
				    .volumes = 1,
				    .workers = 1,
				    .extents = extents,
				    .taps = 16,
				    .flush_ms = 20,
				    .segment_bytes = 1 << 20};

	snprintf(dir, sizeof(dir), "/tmp/path_record_XXXXXX");
	check(mkdtemp(dir) != NULL);
	cfg.volume[0] = dir;
	check_int(record_start(&cfg, &rec), 0);
	rw = record_worker(rec, 0);
	world_open(&w, 1, 1, &rw);
	call = world_call(&w, 0, 0);
	customer = world_peer(&w, 0, call, 0);
	agent = world_peer(&w, 0, call, 1);
	world_bridge(&w, call, customer, agent);
}

static void begin(void)
{
	begin_with(64);
}

static int extent_take(void *ctx, enum recording_extent_verdict verdict, uint64_t offset,
		       const struct recording_extent_head *head, const uint8_t *bytes)
{
	uint32_t at = head->head_bytes;
	struct recording_frame_head fh;
	const uint8_t *payload;

	(void)ctx, (void)offset;
	if (verdict != RECORDING_EXTENT_OK)
		return 0;
	while (recording_frame_next(bytes, head->used, &at, &fh, &payload) == 1) {
		if (fh.kind == RECORDING_FRAME_MARK)
			store.marks++;
		else if (fh.kind != RECORDING_FRAME_AUDIO)
			store.others++;
		if (fh.kind != RECORDING_FRAME_AUDIO)
			continue;
		check(fh.channel < 2 && store.n[fh.channel] < FRAMES_MAX && fh.length <= 320);
		store.codec[fh.channel] = fh.codec;
		store.frame[fh.channel][store.n[fh.channel]].ts = fh.timestamp;
		store.frame[fh.channel][store.n[fh.channel]].seq = fh.seq;
		store.frame[fh.channel][store.n[fh.channel]].len = fh.length;
		memcpy(store.frame[fh.channel][store.n[fh.channel]++].payload, payload, fh.length);
	}
	return 0;
}

/* End the world, make all durable and read it back. */
static void end(void)
{
	char text[400];
	struct dirent *d;
	DIR *dd;

	world_close(&w);
	check_int(record_stop(rec), 0);
	memset(&store, 0, sizeof(store));
	dd = opendir(dir);
	check(dd != NULL);
	while ((d = readdir(dd)) != NULL) {
		struct recording_segment s;
		uint64_t number;

		if (!recording_segment_number(d->d_name, &number))
			continue;
		snprintf(text, sizeof(text), "%s/%s", dir, d->d_name);
		if (recording_segment_open(&s, text, number, true) != 0)
			continue;
		check_int(recording_segment_scan(&s, extent_take, NULL), 0);
		recording_segment_close(&s);
	}
	closedir(dd);
	snprintf(text, sizeof(text), "rm -rf %s", dir);
	check_int(system(text), 0);
}

static int record_of(struct world_peer *whose, uint8_t number, enum worker_command_kind kind,
		     const char *text)
{
	struct worker_command c = {.kind = kind, .call = call, .leg = whose->leg};

	memcpy(c.record.id, id, sizeof(id));
	c.record.id[15] = number;
	c.record.text = text;
	return world_do(&w, 0, &c);
}

static int record(enum worker_command_kind kind, const char *text)
{
	return record_of(customer, 0, kind, text);
}

static void both_channels_are_what_the_customer_said_and_heard(void)
{
	static uint8_t coded[25 * 160];
	static int16_t pcm[25 * 160];
	static struct prompt prompt = {.frames = 25, .pcm = pcm, .coded = {coded, coded}};
	struct playlist list = {.n = 1, .loop = 1};
	struct worker_command c = {.kind = COMMAND_PLAY_START};
	struct leg_config inband = {.set = LEG_SET_INBAND, .inband_dtmf = true};
	unsigned said;

	begin();
	for (unsigned i = 0; i < sizeof(coded); i++)
		coded[i] = (uint8_t)(i * 31);
	customer->talks = agent->talks = true;
	check_int(record(COMMAND_RECORD_START, "{\"call\":\"x\"}"), 0);
	check_int(record(COMMAND_RECORD_START, "{}"), -EEXIST);
	world_run(&w, 1000); /* relay */
	list.item[0] = (struct play_item){.kind = PLAY_PROMPT, .prompt = &prompt};
	c.leg = customer->leg;
	c.play.list = &list;
	check_int(world_do(&w, 0, &c), 0);
	world_run(&w, 700);                              /* play, then relay again */
	check_int(world_leg_set(&w, agent, &inband), 0); /* from now on relayed as a copy */
	world_run(&w, 500);
	check_int(record(COMMAND_RECORD_MARK, "here"), 0);
	check_int(record(COMMAND_RECORD_STOP, NULL), 0);
	check_int(world_count(&w, EVENT_RECORD_DONE), 1);
	check_int(world_find(&w, EVENT_RECORD_DONE)->record.why, RECORD_END_STOPPED);
	check_int(w.reply.account.channel[0].accepted, customer->sent);
	check_int(w.reply.account.channel[1].accepted, customer->got_n);
	check_int(w.reply.account.channel[0].lost, 0);
	check_int(record(COMMAND_RECORD_STOP, NULL), -ENOENT);
	said = customer->sent;
	world_run(&w, 100); /* no longer recorded */

	static struct world_packet got[512];
	unsigned heard;

	check(customer->got_n <= 512);
	memcpy(got, customer->got, customer->got_n * sizeof(got[0]));
	end();
	heard = store.n[1];
	check_int(store.n[0], said);
	check_int(store.marks, 1);
	check_int(store.codec[0], RECORDING_CODEC_PCMU);
	for (unsigned k = 0; k < said; k++)
		for (unsigned i = 0; i < 160; i++)
			check_int(store.frame[0][k].payload[i], (uint8_t)(k * 7 + i));
	check(heard >= 105);
	for (unsigned k = 0; k < heard; k++) {
		check_int(store.frame[1][k].seq, got[k].seq);
		check_int(store.frame[1][k].ts, got[k].ts);
		check(memcmp(store.frame[1][k].payload, got[k].payload, 160) == 0);
	}
}

static void a_second_recording_of_a_leg_comes_and_goes(void)
{
	static const struct {
		struct world_peer **whose;
		uint8_t number;
		enum worker_command_kind kind;
		unsigned accepted; /* of channel 0 of a recording that is stopped here */
	} rows[] = {
		{&customer, 0, COMMAND_RECORD_START, 0}, {&customer, 1, COMMAND_RECORD_START, 0},
		{&agent, 2, COMMAND_RECORD_START, 0},    {&customer, 0, COMMAND_RECORD_STOP, 10},
		{&customer, 1, COMMAND_RECORD_STOP, 20}, {&agent, 2, COMMAND_RECORD_STOP, 20},
		{&customer, 3, COMMAND_RECORD_START, 0}, {&customer, 3, COMMAND_RECORD_STOP, 10},
	};

	begin();
	customer->talks = agent->talks = true;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_int(record_of(*rows[i].whose, rows[i].number, rows[i].kind, NULL), 0);
		if (rows[i].kind == COMMAND_RECORD_STOP)
			check_int(w.reply.account.channel[0].accepted, rows[i].accepted);
		world_run(&w, i == 2 || i == 3 || i == 6 ? 200 : 0);
	}
	world_run(&w, 100);
	end();
	check_int(store.n[0], 60);
	check_int(store.n[1], 60);
}

static void secret_digits_are_not_in_it(void)
{
	struct worker_command c = {.kind = COMMAND_COLLECT_START};
	unsigned quiet = 0;

	begin();
	customer->talks = true;
	check_int(record(COMMAND_RECORD_START, NULL), 0);
	world_run(&w, 200);
	c.leg = customer->leg;
	c.collect.max = 4;
	c.collect.first_timeout_ms = c.collect.inter_timeout_ms = 400;
	c.collect.secret = true;
	check_int(world_do(&w, 0, &c), 0);
	world_key(&w, customer, 7); /* telephone-events while the sound goes on */
	world_run(&w, 600);
	check_int(world_find(&w, EVENT_COLLECT_DONE)->collect.n, 1);
	world_run(&w, 200);
	check_int(record(COMMAND_RECORD_STOP, NULL), 0);
	check(w.reply.account.channel[0].masked >= 15);
	check_int(w.reply.account.channel[0].missing, 0);
	end();
	for (unsigned k = 0; k < store.n[0]; k++) {
		check_int(store.frame[0][k].len, 160);
		quiet += store.frame[0][k].payload[0] == 0xff &&
			 store.frame[0][k].payload[1] == 0xff;
	}
	check(quiet >= 15 && quiet < store.n[0] - 15);
}

static void a_pause_is_accounted_for(void)
{
	begin();
	customer->talks = true;
	check_int(record(COMMAND_RECORD_START, NULL), 0);
	world_run(&w, 200);
	check_int(record(COMMAND_RECORD_PAUSE, NULL), 0);
	world_run(&w, 300);
	check_int(record(COMMAND_RECORD_RESUME, NULL), 0);
	check_int(w.reply.account.paused_ms, 300);
	check_int(w.reply.account.channel[0].accepted, 10);
	world_run(&w, 200);
	check_int(world_leg_close(&w, customer), 0);
	customer->talks = false;
	struct world_peer *other = world_peer(&w, 0, call, 5); /* takes the customer's slot */
	other->talks = true;
	world_run(&w, 100);
	other->talks = false;
	check_int(world_leg_close(&w, other), 0);
	check_int(world_leg_close(&w, agent), 0);
	check_int(world_call_close(&w, 0, call), 0); /* ends what nobody stopped */
	check_int(world_find(&w, EVENT_RECORD_DONE)->record.why, RECORD_END_CALL_CLOSED);
	check_int(world_find(&w, EVENT_RECORD_DONE)->record.account.channel[0].written, 20);
	end();
	check_int(store.n[0], 20);
}

/* --- two clocks --- */

enum { CLICK_EVERY_MS = 30000, LONG_MS = 600000 };

/* One phone whose clock is `ppm` fast: its next packet, when it is due. A click is the packet that
 * holds the instant of the click, in true time. */
static void drift(struct world_peer *p, int ppm, unsigned ms)
{
	double length_ms = 20 * (1 - ppm / 1e6); /* of its 20 ms, in true time */
	double from = p->sent * length_ms, to = from + length_ms;
	uint8_t payload[160];

	if (ms < to) /* a packet leaves when its last sample was said */
		return;
	memset(payload, 0xff, sizeof(payload));
	for (unsigned i = 0; i < 160; i++) {
		double at = from + length_ms * i / 160;
		double click = CLICK_EVERY_MS * (double)(int)(at / CLICK_EVERY_MS + 0.5);

		if (click > 0 && at >= click && at < click + 5)
			payload[i] = i % 2 ? 0x00 : 0x80; /* loud */
	}
	world_rtp(&w, p, 0, false, payload, 160);
	p->ts += 160;
}

/* Where clicks begin in one channel of a stereo file; returns how many. */
static unsigned clicks(const char *path, unsigned channel, double *at_ms, unsigned most)
{
	SF_INFO info = {0};
	SNDFILE *sf = sf_open(path, SFM_READ, &info);
	int16_t frame[2];
	sf_count_t last = -8000;
	unsigned n = 0;

	check(sf != NULL && info.channels == 2);
	for (sf_count_t i = 0; sf_readf_short(sf, frame, 1) == 1; i++) {
		if (abs(frame[channel]) < 8000)
			continue;
		if (i - last > info.samplerate && n < most)
			at_ms[n++] = (double)i * 1000 / info.samplerate;
		last = i;
	}
	sf_close(sf);
	return n;
}

static void ten_minutes_of_two_clocks_stay_aligned(void)
{
	struct recording_store *s;
	struct recording *r;
	struct recording_export how = {.format = RECORDING_FORMAT_WAV};
	const char *dirs[] = {dir};
	char path[100], command[100];
	double at[2][32];
	unsigned n;

	begin_with(1024);
	check_int(record(COMMAND_RECORD_START, NULL), 0);
	for (unsigned ms = 0; ms < LONG_MS; ms++) {
		drift(customer, 100, ms);
		drift(agent, -100, ms);
		world_run(&w, 1);
		if (ms % 20000 == 0)
			world_forget(&w);
	}
	check_int(record(COMMAND_RECORD_STOP, NULL), 0);
	check_int(w.reply.account.channel[0].lost + w.reply.account.channel[1].lost, 0);
	world_close(&w);
	check_int(record_stop(rec), 0);
	snprintf(path, sizeof(path), "%s/out.wav", dir);
	how.path = path;
	check_int(recording_store_open(&s, dirs, 1), 0);
	check_int(recording_open(s, id, NULL, NULL, &r), 0);
	check_int(recording_export(r, &how, NULL), 0);
	recording_close(r);
	recording_store_close(s);
	n = clicks(path, 0, at[0], 32);
	check_int(n, LONG_MS / CLICK_EVERY_MS - 1);
	check_int(clicks(path, 1, at[1], 32), n);
	for (unsigned i = 0; i < n; i++) {
		double apart = at[0][i] - at[1][i];

		if (apart < -20 || apart > 20)
			printf("click %u: %.1f ms and %.1f ms\n", i, at[0][i], at[1][i]);
		check(apart >= -20 && apart <= 20);
	}
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	check_int(system(command), 0);
}

static void without_a_recorder_it_is_refused(void)
{
	world_open(&w, 1, 1, NULL);
	call = world_call(&w, 0, 0);
	customer = world_peer(&w, 0, call, 0);
	check_int(record(COMMAND_RECORD_START, NULL), -ENODEV);
	check_int(record(COMMAND_RECORD_PAUSE, NULL), -ENOENT);
	call.generation = 9;
	check_int(record(COMMAND_RECORD_START, NULL), -ESTALE);
	world_close(&w);
}

static const struct check_case cases[] = {
	CHECK_CASE(both_channels_are_what_the_customer_said_and_heard),
	CHECK_CASE(a_second_recording_of_a_leg_comes_and_goes),
	CHECK_CASE(secret_digits_are_not_in_it),
	CHECK_CASE(a_pause_is_accounted_for),
	CHECK_CASE(ten_minutes_of_two_clocks_stay_aligned),
	CHECK_CASE(without_a_recorder_it_is_refused),
};
CHECK_MAIN(cases)
