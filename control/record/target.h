/* What a report's figures ought to be, beside what they are.
 *
 * Thread: pure.
 */
#ifndef RECORD_TARGET_H
#define RECORD_TARGET_H

#include <jansson.h>

#include "conf/config.h"

/* Adds to a row of record/report.h, of a time that begins on `day` (hours_day_number() in the centre's zone):
 *
 *	targets: [{what, at_least|at_most, from: DATE|null, met: bool|null}]
 *
 * of each figure that has a target then: the one of this queue, agent, group or flow before that of all, and of
 * several the one that began last. `met` is null when the figure is. Shares are percent, times seconds. */
void target_judge(const struct config *config, enum config_target_of of, json_t *row, int32_t day);

#endif
