/* Starting DPDK's environment (EAL) for one engine.
 *
 * Hugepages are used when enough are free, ordinary memory otherwise; no file is left in
 * either case. lcore 0 is the main one and floats over all CPUs that it may use; lcores 1.. are
 * the workers, each pinned to one CPU.
 *
 * Thread: main, once per process.
 */
#ifndef PORT_PORT_EAL_H
#define PORT_PORT_EAL_H

#include <stdbool.h>
#include <stdint.h>

struct port_eal_config {
	uint16_t workers;
	const char *cpus;      /* of the workers, "1,3-5"; NULL: the last ones that are allowed */
	bool hugepages;        /* use them when there are enough */
	uint64_t memory_bytes; /* what DPDK's heap must hold */
	const char *pci;       /* the one PCI device that may be taken, or NULL */
	bool telemetry;        /* open DPDK's telemetry socket in its runtime directory */
};

/* Returns 0; -EINVAL for a CPU list that is wrong or too short; other negative errno. What is the matter
 * has been logged. */
int port_eal_start(const struct port_eal_config *cfg);

/* Give everything back. DPDK's runtime directory goes with the process, when no other engine uses it. */
void port_eal_stop(void);

/* Read "1,3-5" into cpu[]; returns how many (<= most), or -EINVAL. Pure. */
int port_eal_parse_cpus(const char *text, uint16_t *cpu, uint16_t most);

#endif
