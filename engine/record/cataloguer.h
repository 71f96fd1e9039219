/* The cataloguer: a thread of low priority that enters sealed segments into their volumes'
 * catalogues (libpatchbay/recording_catalogue.h), so that a reader finds any recording at once.
 *
 * Recording does not depend on it: what it has not done yet only costs readers time.
 *
 * Thread: main starts and stops it; cataloguer_sealed() is the recorder's.
 */
#ifndef RECORD_CATALOGUER_H
#define RECORD_CATALOGUER_H

#include "record/record.h"

struct cataloguer;

/* Returns 0, -ENOMEM or -EAGAIN (no thread). The paths stay the caller's. */
int cataloguer_start(struct cataloguer **c, const char *const *volume, unsigned volumes);

/* One more segment is sealed. */
void cataloguer_sealed(struct cataloguer *c);

/* Waits for the step that is being done. */
void cataloguer_stop(struct cataloguer *c);

#endif
