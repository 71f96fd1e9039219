/* The configuration for the archive's programs: the file that was named, else patchbayd's usual one, else
 * the built-in example.
 *
 * Thread: any.
 */
#ifndef ARCHIVE_CONFIG_FILE_H
#define ARCHIVE_CONFIG_FILE_H

#include "conf/config.h"

#define ARCHIVE_CONFIG "/etc/patchbay/patchbay.yaml"

/* Returns 0, or negative errno with sentences in `complaints` or, when the file cannot be read, in
 * `why`. `file` may be NULL. */
int archive_config_read(const char *file, struct config **config, struct complaints *complaints,
			char *why, size_t why_size);

/* The secret itself, without its line's end. Returns 0, or negative errno with `why`. */
int archive_config_secret(const struct config_secret *s, char *out, size_t size, char *why,
			  size_t why_size);

#endif
