/* SPDX-License-Identifier: Apache-2.0 */
#include "rtp/dtmf_code.h"

static const char digits[DTMF_CODES + 1] = "0123456789*#ABCD";

int dtmf_code_of(char c)
{
	if (c >= 'a' && c <= 'd')
		c = (char)(c - 'a' + 'A');
	for (int i = 0; i < DTMF_CODES; i++)
		if (digits[i] == c)
			return i;
	return -1;
}

char dtmf_char_of(uint8_t code)
{
	return code < DTMF_CODES ? digits[code] : '?';
}
