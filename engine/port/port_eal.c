/* SPDX-License-Identifier: Apache-2.0 */
#include "port/port_eal.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>

#include "base/log.h"
#include "port/port.h"

enum { ARGS_MAX = 20, LCORES_TEXT = 4096, HUGEPAGE_MIB = 2, CPUS_MAX = 1024 };

int port_eal_parse_cpus(const char *text, uint16_t *cpu, uint16_t most)
{
	uint16_t n = 0;

	for (const char *at = text;;) {
		char *end;
		unsigned long first = strtoul(at, &end, 10), last = first;

		if (*at < '0' || *at > '9')
			return -EINVAL;
		if (*end == '-') {
			at = end + 1;
			if (*at < '0' || *at > '9')
				return -EINVAL;
			last = strtoul(at, &end, 10);
		}
		if (first > last || last >= CPUS_MAX || last - first >= (unsigned long)(most - n))
			return -EINVAL;
		while (first <= last)
			cpu[n++] = (uint16_t)first++;
		if (*end == '\0')
			return n;
		if (*end != ',')
			return -EINVAL;
		at = end + 1;
	}
}

/* The CPUs of the workers: as told, or the allowed ones from the last downwards, round and round. */
static int choose_cpus(const struct port_eal_config *cfg, const cpu_set_t *allowed, uint16_t *cpu)
{
	uint16_t n = 0;

	if (cfg->cpus != NULL) {
		int told = port_eal_parse_cpus(cfg->cpus, cpu, PORT_WORKERS_MAX);

		if (told < (int)cfg->workers) {
			log_error("port",
				  "--lcores %s: not a list of CPUs for %u workers, like 2-5",
				  cfg->cpus, cfg->workers);
			return -EINVAL;
		}
		for (uint16_t i = 0; i < cfg->workers; i++)
			if (!CPU_ISSET(cpu[i], allowed)) {
				log_error("port", "--lcores %s: CPU %u may not be used here",
					  cfg->cpus, cpu[i]);
				return -EINVAL;
			}
		return 0;
	}
	while (n < cfg->workers)
		for (int c = CPU_SETSIZE - 1; c >= 0 && n < cfg->workers; c--)
			if (CPU_ISSET((size_t)c, allowed))
				cpu[n++] = (uint16_t)c;
	return 0;
}

/* "0@(0,1),1@1": main floats, workers are pinned. */
static int lcores_text(const struct port_eal_config *cfg, char *text, size_t size)
{
	uint16_t cpu[PORT_WORKERS_MAX];
	cpu_set_t allowed;
	size_t used;
	int err;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return -errno;
	err = choose_cpus(cfg, &allowed, cpu);
	if (err < 0)
		return err;
	used = (size_t)snprintf(text, size, "--lcores=0@(");
	for (int c = 0; c < CPU_SETSIZE && used < size; c++)
		if (CPU_ISSET((size_t)c, &allowed))
			used += (size_t)snprintf(text + used, size - used, "%d,", c);
	used--; /* the last comma */
	used += (size_t)snprintf(text + used, size - used, ")");
	for (uint16_t i = 0; i < cfg->workers && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, ",%u@%u", i + 1u, cpu[i]);
	return used < size ? 0 : -E2BIG;
}

static uint64_t free_hugepage_bytes(void)
{
	FILE *f = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "re");
	unsigned long n = 0;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%lu", &n) != 1)
		n = 0;
	fclose(f);
	return (uint64_t)n * HUGEPAGE_MIB << 20;
}

/* DPDK's log lines, in our form and with their level. */
static ssize_t log_write(void *cookie, const char *text, size_t len)
{
	enum log_level level = LOG_LEVEL_DEBUG;
	int theirs = rte_log_cur_msg_loglevel();
	size_t end = len;

	(void)cookie;
	while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == ' '))
		end--;
	if (theirs <= (int)RTE_LOG_WARNING)
		level = LOG_LEVEL_WARN;
	if (end > 0)
		log_line(level, "dpdk", "%.*s", (int)end, text);
	return (ssize_t)len;
}

static void take_log(void)
{
	static const cookie_io_functions_t io = {.write = log_write};
	FILE *f = fopencookie(NULL, "w", io);

	if (f == NULL)
		return;
	setvbuf(f, NULL, _IOLBF, 1024);
	(void)rte_openlog_stream(f);
}

int port_eal_start(const struct port_eal_config *cfg)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	char lcores[LCORES_TEXT], memory[32], device[64];
	char program[] = "patchbay-engine", main_lcore[] = "--main-lcore=0",
	     level[] = "--log-level=*:5", eal_level[] = "--log-level=lib.eal:4",
	     prefix[] = "--file-prefix=patchbay", telemetry[] = "--no-telemetry",
	     in_memory[] = "--in-memory", no_huge[] = "--no-huge", no_shconf[] = "--no-shconf",
	     no_pci[] = "--no-pci", size[] = "-m";
	char *args[ARGS_MAX];
	int n = 0, err = lcores_text(cfg, lcores, sizeof(lcores));
	bool huge = cfg->hugepages && free_hugepage_bytes() >= cfg->memory_bytes;

	if (err < 0)
		return err;
	/* AF_XDP pins its packet memory; kernels that count it against a limit need it raised. */
	(void)setrlimit(RLIMIT_MEMLOCK, &unlimited);
	take_log();

	snprintf(memory, sizeof(memory), "%llu",
		 (unsigned long long)((cfg->memory_bytes + (2 << 20) - 1) >> 20));
	args[n++] = program;
	args[n++] = lcores;
	args[n++] = main_lcore;
	args[n++] = prefix;
	args[n++] = level;
	args[n++] = eal_level; /* it warns of hugepage sizes that nobody asked for */
	if (!cfg->telemetry)
		args[n++] = telemetry;
	if (huge) {
		args[n++] = in_memory;
	} else {
		args[n++] = no_huge;
		args[n++] = no_shconf;
	}
	args[n++] = size;
	args[n++] = memory;
	if (cfg->pci != NULL) {
		snprintf(device, sizeof(device), "--allow=%s", cfg->pci);
		args[n++] = device;
	} else {
		args[n++] = no_pci;
	}
	if (rte_eal_init(n, args) < 0) {
		log_error("port", "DPDK does not start: %s", rte_strerror(rte_errno));
		return rte_errno > 0 ? -rte_errno : -EIO;
	}
	/* The tap driver complains about classifiers that it would need for rules we do not use. */
	(void)rte_log_set_level_pattern("pmd.net.tap", RTE_LOG_CRIT);
	log_info("port", "packet memory: %s MiB of %s", memory,
		 huge ? "hugepages" : "ordinary pages");
	return 0;
}

void port_eal_stop(void)
{
	(void)rte_eal_cleanup();
}
