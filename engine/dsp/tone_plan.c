/* SPDX-License-Identifier: Apache-2.0 */
#include "dsp/tone_plan.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TURN 6.283185307179586

/* Peak of a sine of 0 dBm0 in 16-bit samples, see tone.c. */
#define PEAK_0DBM0 22826.0

enum { RATE_HZ = 8000, SAMPLES_PER_MS = 8, HZ_MIN = 20, HZ_MAX = 3800, MS_MAX = 60000 };

enum name { RINGBACK, BUSY, CONGESTION, DIAL, WAITING, SIT, RECORD, BEEP, NAMES };

static const char *const names[NAMES] = {
	[RINGBACK] = "ringback", [BUSY] = "busy", [CONGESTION] = "congestion", [DIAL] = "dial",
	[WAITING] = "waiting",   [SIT] = "sit",   [RECORD] = "record",         [BEEP] = "beep",
};

#define SIT_ITU     "950/330,1400/330,1800/330,0/1000"
#define BEEP_OURS   "1000/400,0/100"
#define RECORD_1400 "1400/500,0/15000"

/* clang-format off */
static const struct plan {
	const char *country;
	const char *tone[NAMES];
} plans[] = {
	{"cn", {"450/1000,0/4000", "450/350,0/350", "450/700,0/700", "450", "450/400,0/4000",
		"450/100,0/100,450/100,0/100,450/100,0/100,450/400,0/400", "950/400,0/10000", BEEP_OURS}},
	{"us", {"440+480/2000,0/4000", "480+620/500,0/500", "480+620/250,0/250", "350+440", "440/300,0/10000",
		SIT_ITU, RECORD_1400, BEEP_OURS}},
	{"gb", {"400+450/400,0/200,400+450/400,0/2000", "400/375,0/375", "400/400,0/350,400/225,0/525", "350+440",
		"400/100,0/4000", "950/330,0/15,1400/330,0/15,1800/330,0/1000", "1400/500,0/60000", BEEP_OURS}},
	{"de", {"425/1000,0/4000", "425/480,0/480", "425/240,0/240", "425", "425/200,0/200,425/200,0/5000",
		SIT_ITU, "1400/80,0/15000", BEEP_OURS}},
	{"fr", {"440/1500,0/3500", "440/500,0/500", "440/250,0/250", "440", "440/300,0/10000",
		SIT_ITU, RECORD_1400, BEEP_OURS}},
	{"jp", {"400*16/1000,0/2000", "400/500,0/500", "400/500,0/500", "400", "400*16/500,0/8000",
		SIT_ITU, RECORD_1400, BEEP_OURS}},
	{"hk", {"440+480/400,0/200,440+480/400,0/3000", "480+620/500,0/500", "480+620/250,0/250", "350+440",
		"440/300,0/10000", SIT_ITU, RECORD_1400, BEEP_OURS}},
	{"tw", {"440+480/1000,0/2000", "480+620/500,0/500", "480+620/250,0/250", "350+440",
		"350+440/250,0/250,350+440/250,0/3250", SIT_ITU, RECORD_1400, BEEP_OURS}},
	{"kr", {"440+480/1000,0/2000", "480+620/500,0/500", "480+620/300,0/200", "350+440", "350+440/250,0/250,350+440/250,0/3250",
		SIT_ITU, RECORD_1400, BEEP_OURS}},
	{"sg", {"425*24/400,0/200,425*24/400,0/2000", "425/750,0/750", "425/250,0/250", "425",
		"425*24/300,0/200,425*24/300,0/3200", SIT_ITU, RECORD_1400, BEEP_OURS}},
	{"in", {"400*25/400,0/200,400*25/400,0/2000", "400/750,0/750", "400/250,0/250", "400*25",
		"400/200,0/100,400/200,0/7500", SIT_ITU, RECORD_1400, BEEP_OURS}},
	{"au", {"413+438/400,0/200,413+438/400,0/2000", "425/375,0/375", "425/375,0/375,420/375,0/375", "413+438",
		"425/200,0/200,425/200,0/4400", SIT_ITU, "1400/425,0/14500", BEEP_OURS}},
	{"it", {"425/1000,0/4000", "425/500,0/500", "425/200,0/200", "425/200,0/200,425/600,0/1000",
		"425/400,0/100,425/250,0/100,425/150,0/14000", SIT_ITU, RECORD_1400, BEEP_OURS}},
	{"es", {"425/1500,0/3000", "425/200,0/200", "425/200,0/200,425/200,0/200,425/200,0/600", "425",
		"425/175,0/175,425/175,0/3500", SIT_ITU, RECORD_1400, BEEP_OURS}},
	{"ru", {"425/800,0/3200", "425/350,0/350", "425/175,0/175", "425", "425/200,0/5000",
		SIT_ITU, RECORD_1400, BEEP_OURS}},
};
/* clang-format on */

const char *tone_plan_country(unsigned i)
{
	return i < sizeof(plans) / sizeof(plans[0]) ? plans[i].country : NULL;
}

const char *tone_plan_name(unsigned i)
{
	return i < NAMES ? names[i] : NULL;
}

const char *tone_plan_find(const char *country, const char *name)
{
	if (strcmp(country, "uk") == 0)
		country = "gb";
	if (strcmp(name, "reorder") == 0)
		name = names[CONGESTION];
	if (strcmp(name, "info") == 0)
		name = names[SIT];
	for (unsigned i = 0; i < sizeof(plans) / sizeof(plans[0]); i++)
		for (unsigned k = 0; k < NAMES && strcmp(plans[i].country, country) == 0; k++)
			if (strcmp(names[k], name) == 0)
				return plans[i].tone[k];
	return NULL;
}

/* --- a cadence as text --- */

__attribute__((format(printf, 3, 4))) static int refuse(char *why, size_t size, const char *fmt,
							...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* A number of at most five digits; -1 when there is none. Moves `*p` behind it. */
static int32_t number(const char **p)
{
	int32_t n = 0;
	unsigned digits = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++)
		if (++digits <= 5)
			n = n * 10 + (**p - '0');
	return digits == 0 || digits > 5 ? -1 : n;
}

static int part_parse(struct tone_part *part, const char **p, char *why, size_t size)
{
	*part = (struct tone_part){.ms = TONE_ENDLESS_MS};
	for (;;) {
		int32_t hz = number(p);

		if (hz < 0 || hz > HZ_MAX || (hz < HZ_MIN && !part->modulated && hz != 0))
			return refuse(why, size, "a frequency is %d to %d Hz, or 0 for silence",
				      HZ_MIN, HZ_MAX);
		if (part->tones == TONE_TONES_MAX)
			return refuse(why, size, "more than %d frequencies at once",
				      TONE_TONES_MAX);
		if (hz == 0 && (part->tones > 0 || **p == '+' || **p == '*'))
			return refuse(why, size, "0 (silence) stands alone");
		if (hz != 0)
			part->hz[part->tones++] = (uint16_t)hz;
		if (**p == '*' && part->tones == 1 && !part->modulated)
			part->modulated = true;
		else if (**p != '+' || part->modulated)
			break;
		(*p)++;
	}
	if (**p == '/') {
		(*p)++;

		int32_t ms = number(p);

		if (ms < 1 || ms > MS_MAX)
			return refuse(why, size, "a part lasts 1 to %d milliseconds", MS_MAX);
		part->ms = (uint32_t)ms;
	} else if (part->tones == 0) {
		return refuse(why, size, "silence without a duration");
	}
	return 0;
}

int tone_parse(struct tone_cadence *c, const char *text, char *why, size_t why_size)
{
	struct tone_cadence out = {0};
	const char *p = text;
	uint32_t period = 0;

	for (;;) {
		if (out.parts == TONE_PARTS_MAX)
			return refuse(why, why_size, "more than %d parts", TONE_PARTS_MAX);

		int err = part_parse(&out.part[out.parts], &p, why, why_size);

		if (err != 0)
			return err;
		period += out.part[out.parts++].ms;
		if (*p == '\0')
			break;
		if (*p++ != ',')
			return refuse(
				why, why_size,
				"\"%.12s\" is not understood; a cadence is like 480+620/500,0/500",
				p - 1);
	}
	if (period > TONE_PERIOD_MAX_MS)
		return refuse(why, why_size, "a period of more than %d milliseconds",
			      TONE_PERIOD_MAX_MS);
	*c = out;
	return 0;
}

/* --- sound --- */

static uint32_t period_samples(const struct tone_cadence *c)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < c->parts; i++)
		n += c->part[i].ms * SAMPLES_PER_MS;
	return n;
}

uint32_t tone_samples(const struct tone_cadence *c, uint32_t frame)
{
	uint32_t period = period_samples(c), n = period;

	while (n % frame != 0)
		n += period;
	return n;
}

static double part_sample(const struct tone_part *p, uint32_t at)
{
	double peak = PEAK_0DBM0 * pow(10, (p->tones > 1 && !p->modulated ? -13 : -10) / 20.0),
	       sum = 0;

	if (p->modulated)
		return peak * (0.6 + 0.4 * sin(TURN * p->hz[1] * at / RATE_HZ)) *
		       sin(TURN * p->hz[0] * at / RATE_HZ);
	for (unsigned i = 0; i < p->tones; i++)
		sum += sin(TURN * p->hz[i] * at / RATE_HZ);
	return peak * sum;
}

void tone_render(const struct tone_cadence *c, int16_t *pcm, uint32_t n)
{
	unsigned i = 0;
	uint32_t at = 0;

	for (uint32_t k = 0; k < n; k++) {
		pcm[k] = (int16_t)lrint(part_sample(&c->part[i], at));
		if (++at == c->part[i].ms * SAMPLES_PER_MS) {
			at = 0;
			i = (i + 1) % c->parts;
		}
	}
}
