/* libre as a whole beside jansson: both have an enumerator JSON_STRING and a JSON_NULL. */
#ifndef SIP_SIP_RE_H
#define SIP_SIP_RE_H

#define JSON_STRING RE_JSON_STRING
#define JSON_NULL   RE_JSON_NULL
#include <re.h>
#undef JSON_STRING
#undef JSON_NULL

#endif
