/* The whole unit-test framework.
 *
 * A test program is a list of cases; each case is a function that calls check(). A failed
 * check prints where and what and ends its case. main() is check_main(cases); the last line
 * is `N passed, N failed` and the exit code is 1 if any failed.
 *
 *	static void widens_over_the_wrap(void) { check(ext16(0x1ffff, 0) == 0x20000); }
 *	static const struct check_case cases[] = { CHECK_CASE(widens_over_the_wrap) };
 *	CHECK_MAIN(cases)
 */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

struct check_case {
	const char *name;
	void (*run)(void);
};

static jmp_buf check_out;

#define CHECK_CASE(fn)                                                                             \
	{                                                                                          \
#fn, fn                                                                            \
	}

#define check(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #cond);                  \
			longjmp(check_out, 1);                                                     \
		}                                                                                  \
	} while (0)

/* Compare integers and show both. */
#define check_int(got, want)                                                                       \
	do {                                                                                       \
		long long check_got = (long long)(got), check_want = (long long)(want);            \
		if (check_got != check_want) {                                                     \
			printf("%s:%d: %s is %lld, expected %lld\n", __FILE__, __LINE__, #got,     \
			       check_got, check_want);                                             \
			longjmp(check_out, 1);                                                     \
		}                                                                                  \
	} while (0)

/* Compare strings and show both. */
#define check_str(got, want)                                                                       \
	do {                                                                                       \
		const char *check_got = (got), *check_want = (want);                               \
		if (check_got == NULL || strcmp(check_got, check_want) != 0) {                     \
			printf("%s:%d: %s is \"%s\", expected \"%s\"\n", __FILE__, __LINE__, #got, \
			       check_got ? check_got : "(null)", check_want);                      \
			longjmp(check_out, 1);                                                     \
		}                                                                                  \
	} while (0)

static inline int check_run(const struct check_case *cases, size_t n)
{
	volatile unsigned passed = 0, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (volatile size_t i = 0; i < n; i++) {
		if (setjmp(check_out) == 0) {
			cases[i].run();
			printf("ok   %s\n", cases[i].name);
			passed++;
		} else {
			printf("FAIL %s\n", cases[i].name);
			failed++;
		}
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}

#define CHECK_MAIN(cases)                                                                          \
	int main(void)                                                                             \
	{                                                                                          \
		return check_run(cases, sizeof(cases) / sizeof((cases)[0]));                       \
	}

#endif
