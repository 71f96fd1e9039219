/* SPDX-License-Identifier: Apache-2.0
 * Shrinking. */
#include "sim_shrink.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/must.h"

size_t sim_shrink(bool *skip, size_t n, sim_fails *fails, void *arg, unsigned *runs)
{
	size_t *left = malloc((n + 1) * sizeof(*left)), have = 0;
	bool *tried = malloc(n + 1);

	must(left != NULL && tried != NULL);
	for (size_t i = 0; i < n; i++)
		if (!skip[i])
			left[have++] = i;
	for (size_t part = have / 2; part > 0;) {
		bool cut = false;

		/* The end first: what comes after the failure is not needed. */
		for (size_t end = have; end > 0;) {
			size_t begin = end > part ? end - part : 0;

			memcpy(tried, skip, n);
			for (size_t i = begin; i < end; i++)
				tried[left[i]] = true;
			++*runs;
			if (fails(arg, tried)) {
				memcpy(skip, tried, n);
				memmove(left + begin, left + end, (have - end) * sizeof(*left));
				have -= end - begin;
				cut = true;
			}
			end = begin;
		}
		if (part == 1 && !cut)
			break;
		part = part > 1 ? (part + 1) / 2 : 1;
		if (part > have)
			part = have;
	}
	free(left);
	free(tried);
	return have;
}

/* --- a run in a child ---------------------------------------------------------------------- */

/* Run it; what it says goes to `out`. Returns true when it fails. */
static bool run(struct sim_mixed *m, const bool *skip, FILE *story, int out)
{
	struct sim_result r;
	int status = 0;
	pid_t child;

	fflush(NULL);
	child = fork();
	must(child >= 0);
	if (child == 0) {
		dup2(out, STDERR_FILENO); /* what an abort says */
		m->plan.story = story;
		if (sim_mixed_run(m, skip, &r) != 0 && story == NULL)
			fprintf(stderr, "%s\n", r.broken);
		fflush(NULL);
		_exit(r.broken[0] != '\0');
	}
	must(waitpid(child, &status, 0) == child);
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

struct trial {
	struct sim_mixed *m;
	int nowhere;
};

static bool mixed_fails(void *arg, const bool *skip)
{
	const struct trial *t = arg;

	return run(t->m, skip, NULL, t->nowhere);
}

/* Take away what the failure does not need: follies, lateness, regular callers. */
static bool shrink_people(struct trial *t, const struct sim_shrunk *cut)
{
	struct sim_people *p = &t->m->plan.people;
	double *share[] = {&p->miss,
			   &p->reject,
			   &p->lost,
			   &p->no_media,
			   &p->out_ringing,
			   &p->away_ringing,
			   &p->hang_up_at_once,
			   &p->out_talking,
			   &p->away_talking,
			   &p->transfer,
			   &p->caller_leaves_flow};
	struct sim_plan was;
	bool less = false;

	for (unsigned i = 0; i < sizeof(share) / sizeof(share[0]) + 2; i++) {
		was = t->m->plan;
		if (i < sizeof(share) / sizeof(share[0]))
			*share[i] = 0;
		else if (i == sizeof(share) / sizeof(share[0]))
			p->regulars = 0;
		else
			t->m->plan.late_ms_max = 0;
		if (memcmp(&was, &t->m->plan, sizeof(was)) == 0)
			continue;
		if (run(t->m, cut->skip, NULL, t->nowhere))
			less = true;
		else
			t->m->plan = was;
	}
	return less;
}

static void what_broke(struct sim_mixed *m, struct sim_shrunk *cut)
{
	FILE *f = tmpfile();
	size_t len;

	must(f != NULL);
	run(m, cut->skip, NULL, fileno(f));
	rewind(f);
	if (fgets(cut->broken, sizeof(cut->broken), f) == NULL)
		snprintf(cut->broken, sizeof(cut->broken), "it ended without a word");
	len = strlen(cut->broken);
	if (len > 0 && cut->broken[len - 1] == '\n')
		cut->broken[len - 1] = '\0';
	fclose(f);
}

bool sim_shrink_mixed(struct sim_mixed *m, struct sim_shrunk *out)
{
	struct trial t = {m, open("/dev/null", O_WRONLY | O_CLOEXEC)};

	must(t.nowhere >= 0);
	memset(out, 0, sizeof(*out));
	if (!mixed_fails(&t, out->skip)) {
		close(t.nowhere);
		return false;
	}
	do
		out->events = sim_shrink(out->skip, SIM_MIXED_EVENTS, mixed_fails, &t, &out->runs);
	while (shrink_people(&t, out));
	close(t.nowhere);
	what_broke(m, out);
	return true;
}

void sim_shrink_tell(struct sim_mixed *m, const struct sim_shrunk *cut, FILE *out)
{
	fprintf(out, "seed %llu needs %zu of %d events (%u runs) to break this: %s\n",
		(unsigned long long)m->seed, cut->events, (int)SIM_MIXED_EVENTS, cut->runs,
		cut->broken);
	fprintf(out, "%u agents, %u queues. From outside:\n", m->agents, m->queues);
	for (size_t i = 0; i < SIM_MIXED_EVENTS; i++)
		if (!cut->skip[i])
			sim_story_event(out, m->config[0], &m->event[i]);
	fprintf(out, "The story:\n");
	run(m, cut->skip, out, fileno(out));
	m->plan.story = NULL;
}
