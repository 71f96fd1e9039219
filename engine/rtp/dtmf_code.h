/* Keys by number, as telephone-event numbers them, and by the character on the key.
 *
 * Thread: any; pure. Source: RFC 4733, 3.2, table 3.
 */
#ifndef RTP_DTMF_CODE_H
#define RTP_DTMF_CODE_H

#include <stdint.h>

enum { DTMF_CODES = 16 }; /* 0..9, * = 10, # = 11, A..D = 12..15 */

/* 0..15 of "0123456789*#ABCD" (letters in either case), or -1 for any other character. */
int dtmf_code_of(char c);

/* The character of a code below DTMF_CODES; '?' for others. */
char dtmf_char_of(uint8_t code);

#endif
