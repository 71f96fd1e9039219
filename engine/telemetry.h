/* The engine's numbers for DPDK's telemetry socket: what dpdk-telemetry.py and its exporters read.
 *
 *	/patchbay/info              version, workers, port
 *	/patchbay/fates             packets by fate, all workers
 *	/patchbay/worker,N          load and counters of one worker
 *	/patchbay/stages,N          packets and cycles of its stages
 *
 * The socket is dpdk_telemetry.v2 in DPDK's runtime directory (/var/run/dpdk/patchbay, for others than
 * root under $XDG_RUNTIME_DIR); a second engine's has ":1" behind its name.
 *
 * Thread: main; the answers are given on DPDK's own thread, which reads counters only.
 */
#ifndef ENGINE_TELEMETRY_H
#define ENGINE_TELEMETRY_H

struct engine;

/* Begin to answer. The workers exist. */
void telemetry_start(struct engine *e);

/* Answer no more; waits for an answer that is being given. Before the workers are destroyed. */
void telemetry_stop(void);

#endif
