/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/config_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "example/example.h"

static int slurp(const char *file, char **text, size_t *len)
{
	FILE *f = fopen(file, "rb");
	size_t max = CONFIG_TEXT_MAX + 1;
	int err = 0;

	if (f == NULL)
		return -errno;
	*text = malloc(max);
	if (*text == NULL) {
		fclose(f);
		return -ENOMEM;
	}
	*len = fread(*text, 1, max, f);
	if (ferror(f) != 0)
		err = -EIO;
	fclose(f);
	if (err != 0)
		free(*text);
	return err;
}

int archive_config_read(const char *file, struct config **config, struct complaints *complaints,
			char *why, size_t why_size)
{
	char *text = NULL;
	size_t len = 0;
	int err;

	*why = '\0';
	complaints_init(complaints, file != NULL ? file : "built-in example");
	if (file == NULL && access(ARCHIVE_CONFIG, F_OK) == 0)
		file = ARCHIVE_CONFIG;
	if (file == NULL)
		return config_load(example_config, example_config_len, "built-in example", config,
				   complaints);
	err = slurp(file, &text, &len);
	if (err != 0) {
		snprintf(why, why_size, "%s: %s", file, strerror(-err));
		return err;
	}
	err = config_load(text, len, file, config, complaints);
	free(text);
	return err;
}

int archive_config_secret(const struct config_secret *s, char *out, size_t size, char *why,
			  size_t why_size)
{
	const char *from = s->value;
	FILE *f;

	out[0] = '\0';
	switch (s->kind) {
	case CONFIG_SECRET_NONE:
		return 0;
	case CONFIG_SECRET_TEXT:
		break;
	case CONFIG_SECRET_ENV:
		from = getenv(s->value);
		if (from == NULL) {
			snprintf(why, why_size, "the environment has no %s", s->value);
			return -ENOENT;
		}
		break;
	case CONFIG_SECRET_FILE:
		f = fopen(s->value, "r");
		if (f == NULL || fgets(out, (int)size, f) == NULL) {
			snprintf(why, why_size, "%s: %s", s->value,
				 f != NULL ? "is empty" : strerror(errno));
			if (f != NULL)
				fclose(f);
			return -ENOENT;
		}
		fclose(f);
		out[strcspn(out, "\r\n")] = '\0';
		return 0;
	}
	if (strlen(from) >= size) {
		snprintf(why, why_size, "a secret is longer than %zu bytes", size - 1);
		return -E2BIG;
	}
	memcpy(out, from, strlen(from) + 1);
	return 0;
}
