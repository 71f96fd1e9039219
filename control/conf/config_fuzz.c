/* SPDX-License-Identifier: Apache-2.0
 * For any bytes: config_load() returns, either with a configuration that can be read through and
 * freed, or with at least one complaint; every complaint is a line that fits. */
#include <string.h>

#include "base/must.h"
#include "conf/config.h"
#include "conf/config_show.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct complaints c;
	struct config *conf = NULL;
	char line[512];
	int rc = config_load((const char *)data, size, "fuzz.yaml", &conf, &c);

	must((rc == 0) == (c.errors == 0));
	for (unsigned i = 0; i < c.kept; i++)
		must(strlen(complaint_line(&c, i, line, sizeof(line))) < sizeof(line) - 1);
	if (rc != 0)
		return 0;
	for (uint32_t i = 0; i < conf->n_agents; i++)
		must(config_agent_find(conf, conf->agents[i].number) == &conf->agents[i]);
	for (unsigned i = 0; i < conf->n_calendars; i++)
		hours_open(&conf->calendars[i], &(struct local_time){2026, 1, 1, 0, 0, 0}, NULL);
	config_free(conf);

	/* What is taken can be shown, and only that. */
	json_t *values = NULL;

	must(config_show((const char *)data, size, "fuzz.yaml", &values, &c) == 0);
	must(json_array_size(values) > 0);
	json_decref(values);
	return 0;
}
