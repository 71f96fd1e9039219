/* How telephone numbers are written where the centre is (customer/number.h), and who may handle customers by the many.
 *
 *	numbers: {country: "86", area: "10", national_prefix: "0", international_prefix: "00", local_digits: 8}
 *
 * Thread: immutable after loading.
 */
#ifndef CONF_CONFIG_NUMBERS_H
#define CONF_CONFIG_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

enum { CONFIG_BULK_USERS_MAX = 32 };

/* Who may take customers out and bring them in by the many.
 *
 *	customers: {bulk: [qa, crm]}
 */
struct config_customers {
	bool restricted; /* false: whoever may use the control socket */
	uint32_t n_bulk;
	const char **bulk; /* users of this machine, beside root */
};

struct config_numbers {
	const char *country; /* calling code without "+"; "": numbers are taken as they are */
	const char *area; /* of the centre, without the national prefix; "" where there are none */
	const char *national_prefix, *international_prefix;
	uint8_t local_digits; /* of a number within the area; more of them are a national number */
};

#endif
