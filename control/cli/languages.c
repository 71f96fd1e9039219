/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/languages.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The whole file, or NULL when it is not there or too long. */
static char *slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	char *text = f != NULL ? malloc(IVR_SAY_TEXT_MAX + 1) : NULL;

	*len = text != NULL ? fread(text, 1, IVR_SAY_TEXT_MAX + 1, f) : 0;
	if (f != NULL)
		fclose(f);
	return text;
}

struct ivr_say *languages_read(const char *dir, FILE *err, bool *good)
{
	struct ivr_say *say = ivr_say_builtin();
	DIR *d = dir != NULL ? opendir(dir) : NULL;

	*good = true;
	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		char path[PATH_MAX], line[COMPLAINT_TEXT_MAX + COMPLAINT_NAME_MAX + 32];
		struct complaints c;
		size_t len;
		char *text;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/say.yaml", dir, e->d_name);
		text = slurp(path, &len);
		if (text != NULL && ivr_say_load(say, text, len, path, &c) != 0) {
			*good = false;
			for (unsigned i = 0; i < c.kept; i++)
				fprintf(err, "%s\n", complaint_line(&c, i, line, sizeof(line)));
		}
		free(text);
	}
	if (d != NULL)
		closedir(d);
	return say;
}

bool languages_has_prompt(const char *dir, const char *prompt)
{
	static const char *const ends[] = {"wav",  "opus", "ogg", "oga", "flac", "mp3",
					   "aiff", "aif",  "au",  "w64", "caf"};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s.%s", dir, prompt, ends[i]);
		if (access(path, R_OK) == 0)
			return true;
	}
	return false;
}
