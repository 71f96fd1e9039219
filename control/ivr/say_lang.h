/* The rules of the languages that come with us, embedded from ivr/lang/.
 *
 * Thread: constants.
 */
#ifndef IVR_SAY_LANG_H
#define IVR_SAY_LANG_H

#include <stddef.h>

extern const char ivr_lang_zh[];
extern const size_t ivr_lang_zh_len;
extern const char ivr_lang_en[];
extern const size_t ivr_lang_en_len;

#endif
