/* SPDX-License-Identifier: Apache-2.0
 * The words of phones: "Do Not Disturb", "DND", "DoNotDisturb", "do-not-disturb on" ... */
#include "agent/dnd.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

/* Letters alone and small, so that blanks and dashes do not matter. */
static void letters_of(const char *text, char *out, size_t size)
{
	size_t n = 0;

	for (; *text != '\0' && n + 1 < size; text++)
		if (isalpha((unsigned char)*text))
			out[n++] = (char)tolower((unsigned char)*text);
	out[n] = '\0';
}

/* "DND" as a word of its own. */
static bool has_dnd(const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		bool begins = p == text || !isalnum((unsigned char)p[-1]);

		if (begins && tolower((unsigned char)p[0]) == 'd' &&
		    tolower((unsigned char)p[1]) == 'n' && tolower((unsigned char)p[2]) == 'd' &&
		    !isalnum((unsigned char)p[3]))
			return true;
	}
	return false;
}

bool dnd_said(int status, const char *text)
{
	char letters[128];

	if ((status != 480 && status != 486 && status != 600 && status != 603) || text == NULL)
		return false;
	letters_of(text, letters, sizeof(letters));
	return strstr(letters, "donotdisturb") != NULL || has_dnd(text);
}
