/* Inside resampling: the filters. */
#ifndef DSP_RESAMPLE_TABLES_H
#define DSP_RESAMPLE_TABLES_H

#include <stdint.h>

enum { RESAMPLE_TAPS = 32 }; /* at the lower rate; of a filter: times the factor */

extern const int16_t resample_fir_2[RESAMPLE_TAPS * 2];
extern const int16_t resample_fir_3[RESAMPLE_TAPS * 3];
extern const int16_t resample_fir_6[RESAMPLE_TAPS * 6];

#endif
