/* libre's loop, timers and lists, included once: its headers have no guards, and <re.h> as a whole
 * clashes with jansson's names.
 */
#ifndef LOOP_RE_H
#define LOOP_RE_H

#include <re_types.h>

#include <re_fmt.h>
#include <re_list.h>
#include <re_main.h>
#include <re_mem.h>
#include <re_sys.h>
#include <re_tmr.h>

#endif
