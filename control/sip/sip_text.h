/* Text from the wire, made safe: libre's strings have a length and no NUL, may hold control
 * characters, and may be as long as a datagram.
 *
 * Thread: any. Private to control/sip.
 */
#ifndef SIP_SIP_TEXT_H
#define SIP_SIP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct pl;

/* Copy at most `size - 1` bytes, control characters and DEL replaced by '.', always terminated. */
void sip_text_clean(char *out, size_t size, const char *p, size_t len);
void sip_text_pl(char *out, size_t size, const struct pl *pl);

/* As sip_text_clean() after %-unescaping: for user parts of URIs. */
void sip_text_unescape(char *out, size_t size, const struct pl *pl);

/* Display name: quotes and backslash escapes removed. */
void sip_text_display(char *out, size_t size, const struct pl *pl);

/* Copy `in`, dropping what could end a quoted string or a header: for names we write into From. */
void sip_text_quotable(char *out, size_t size, const char *in);

/* True when `s` may stand as the user part of a URI without escaping, and is not empty. */
bool sip_text_is_user(const char *s);

/* Find `name=value` or `name="value"` in a comma or semicolon separated list. Returns true and a
 * view of the value without quotes. */
bool sip_text_param(const struct pl *list, const char *name, struct pl *value);

#endif
