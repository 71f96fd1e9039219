/* SPDX-License-Identifier: Apache-2.0 */
#include "record/overlong.h"

const char *overlong_what_name(enum overlong_what what)
{
	static const char *const names[OVERLONG_WHATS] = {"talk", "hold", "wrap_up"};

	return what < OVERLONG_WHATS ? names[what] : "?";
}

const char *overlong_role(unsigned level)
{
	static const char *const roles[OVERLONG_LEVELS] = {"leader", "controller", "manager"};

	return level >= 1 && level <= OVERLONG_LEVELS ? roles[level - 1] : "";
}

void overlong_begin(struct overlong *o, enum overlong_what what, struct overlong_limits limits,
		    uint64_t now_ms)
{
	o->on[what] = true;
	o->since_ms[what] = now_ms;
	o->level[what] = 0;
	o->limits[what] = limits;
}

/* The levels passed by now that were not raised. */
static unsigned passed(struct overlong *o, enum overlong_what what, uint64_t now_ms,
		       struct overlong_alarm *out)
{
	uint64_t lasted_ms = now_ms > o->since_ms[what] ? now_ms - o->since_ms[what] : 0;
	unsigned n = 0;

	for (unsigned i = o->level[what]; o->on[what] && i < OVERLONG_LEVELS; i++) {
		uint64_t limit_ms = (uint64_t)o->limits[what].s[i] * 1000;

		if (limit_ms == 0 || lasted_ms <= limit_ms)
			continue;
		o->level[what] = (uint8_t)(i + 1);
		out[n++] = (struct overlong_alarm){.what = what,
						   .level = o->level[what],
						   .raised = true,
						   .lasted_ms = lasted_ms,
						   .limit_ms = limit_ms};
	}
	return n;
}

unsigned overlong_end(struct overlong *o, enum overlong_what what, uint64_t now_ms,
		      struct overlong_alarm out[OVERLONG_LEVELS + 1])
{
	unsigned n = passed(o, what, now_ms, out);
	unsigned level = o->level[what];

	if (o->on[what] && level > 0)
		out[n++] = (struct overlong_alarm){
			.what = what,
			.level = (uint8_t)level,
			.lasted_ms = now_ms > o->since_ms[what] ? now_ms - o->since_ms[what] : 0,
			.limit_ms = (uint64_t)o->limits[what].s[level - 1] * 1000};
	o->on[what] = false;
	o->level[what] = 0;
	return n;
}

unsigned overlong_look(struct overlong *o, uint64_t now_ms,
		       struct overlong_alarm out[OVERLONG_ALARMS_MAX])
{
	unsigned n = 0;

	for (unsigned w = 0; w < OVERLONG_WHATS; w++)
		n += passed(o, (enum overlong_what)w, now_ms, out + n);
	return n;
}
