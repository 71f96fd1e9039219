/* SPDX-License-Identifier: Apache-2.0 */
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void must_fail(const char *what, const char *file, int line, const char *func)
{
	fprintf(stderr, "%s:%d: %s: broken belief: %s\n", file, line, func, what);
	abort();
}
