/* must(): what the program believes about itself, checked in every build.
 *
 * A packet that cannot be carried is a counted verdict and a refusal by the world is a
 * negative errno; must() is for the third kind of failure, a mistake of ours. It prints the
 * broken belief and aborts, so that a core file shows the first wrong moment instead of
 * the last. hot_assert() is the same for per-packet code and is compiled in when the build
 * option `hot_asserts` is on (debug, sanitizer and fuzz builds).
 *
 * Thread: any.
 */
#ifndef BASE_MUST_H
#define BASE_MUST_H

/* Print where and what, then abort(). Never returns. */
_Noreturn void must_fail(const char *what, const char *file, int line, const char *func);

#define must(cond) ((cond) ? (void)0 : must_fail(#cond, __FILE__, __LINE__, __func__))

#ifdef HOT_ASSERTS
#define hot_assert(cond) must(cond)
#else
#define hot_assert(cond) ((void)sizeof((cond) ? 1 : 0)) /* compiled, never run: cannot rot */
#endif

#endif
