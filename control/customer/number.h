/* One form of a telephone number, E.164 with "+" where the rules of the place say what is meant.
 *
 *	as written                         with country 86, area 10, national prefix 0, local_digits 8
 *	+86 (10) 8888-1234, 008610...      +861088881234
 *	010-88881234 ext. 12               +861088881234      what follows "ext", "x", ",", ";", "#" or "转" is dropped
 *	88881234                           +861088881234      as many digits as a local number has
 *	13800138000                        +8613800138000     more than that: national
 *	8613800138000                      +8613800138000     begins with the country and is longer than a national number here
 *	+44 (0)20 7946 0000                +442079460000      ITU-T E.123's "(0)" is dropped
 *	95598, 1001                        as they are: fewer digits than a local number
 *
 * Without a country nothing but "+", digits and the extension is looked at.
 *
 * Thread: pure.
 */
#ifndef CUSTOMER_NUMBER_H
#define CUSTOMER_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/config_numbers.h"

enum { NUMBER_CANONICAL_MAX = 24 };

/* False, and "" in `out`: `text` is no telephone number (other characters, no digits, or more than 15 of them). */
bool number_canonical(const struct config_numbers *rules, const char *text,
		      char out[NUMBER_CANONICAL_MAX]);

#endif
