/* SPDX-License-Identifier: Apache-2.0
 *
 * patchbay: the operator's command line. Everything is in cli.c, so that tests can call it.
 */
#include <stdio.h>

#include "cli/cli.h"

int main(int argc, char **argv)
{
	return cli_main(argc, (const char *const *)argv, stdout, stderr);
}
