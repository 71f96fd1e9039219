/* A row of a report: the columns of the interval tables and what managers read from them, as JSON.
 *
 * Shares are 0..1 and null when nothing is there to be shared:
 *
 *   queues  answer_rate      answered / (answered + abandoned + overflowed): of those who left the queue
 *           service_level    answered in time / (answered + abandoned after more than the short limit);
 *                            service_level_20s and _30s the same after 20 and 30 seconds
 *           abandon_rate     abandoned_long / (answered + abandoned_long)
 *           speed_of_answer_ms   the average wait of the answered
 *           handle_time_ms   (talk + hold + wrap-up) / (answered + called back)
 *   agents  occupancy        (talking + wrap-up) / (talking + wrap-up + ready + ringing)
 *           handle_time_ms   (talking + wrap-up) / answered
 *           not_ready        {reason: ms}, "none" for those without one
 *           calls_back_per_hour  calls_back / hours signed in: how efficient who calls customers back is
 *           reached_share    reached / calls_back
 *           dial_time_ms     the average time from being given a call back to dialling it
 *   flows   containment      contained / callers
 *
 * Thread: pure.
 */
#ifndef RECORD_REPORT_H
#define RECORD_REPORT_H

#include <stdbool.h>

#include <jansson.h>

#include "record/tally.h"

/* The row of [from, to) as an object; the caller's. For an agent `t` (may be NULL) has its reasons. */
json_t *report_row(const struct tally_row *row, const struct tally *t, uint64_t from_ms,
		   uint64_t to_ms);

/* Order the rows of each period by a figure (a member of theirs that is a number), the highest first or the lowest, and
 * add `rank`: 1 for the best, the same for equals, null for rows without the figure, which come last. False: no
 * row has such a member. */
bool report_rank(json_t *rows, const char *figure, bool lowest_first);

#endif
