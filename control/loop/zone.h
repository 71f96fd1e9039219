/* Borders of hours and days in a time zone, as the operator's clock on the wall shows them.
 *
 * A day on which summer time begins or ends has 23 or 25 hours; the hour that comes twice is two hours here.
 *
 * Thread: the loop's; the process's zone is changed for the moment of the call.
 */
#ifndef LOOP_ZONE_H
#define LOOP_ZONE_H

#include <stdbool.h>
#include <stdint.h>

enum zone_unit { ZONE_15M, ZONE_30M, ZONE_1H, ZONE_1D, ZONE_ALL, ZONE_UNITS };

/* "15m", "30m", "1h", "1d", "all" */
const char *zone_unit_name(enum zone_unit unit);

/* Is there such a zone ("Europe/Berlin")? NULL and "" are the process's own. */
bool zone_known(const char *zone);

enum { ZONE_STEP_MS = 900000 };

/* The borders of units from the quarter of an hour that `from_ms` lies in to the one after `to_ms`, ascending, at most
 * `max`. The first and the last unit are cut to that span. Returns how many, 2 at least; 0 when they do not
 * fit, the span is empty or longer than ten years. */
uint32_t zone_borders(const char *zone, enum zone_unit unit, uint64_t from_ms, uint64_t to_ms,
		      uint64_t *border, uint32_t max);

#endif
