/* Synthetic records of an archive, for bench_archive.c. Everything is drawn from one seed, so that two runs ask the same.
 *
 * Thread: one.
 */
#ifndef BENCH_ARCHIVE_H
#define BENCH_ARCHIVE_H

#include <stdint.h>

#include <sqlite3.h>

enum { BENCH_FILTERS = 14 };

extern uint64_t bench_seed;
extern const char *const bench_filter_names[BENCH_FILTERS];

/* Below n; in [0, 1). */
uint32_t bench_dice(uint32_t n);
double bench_unit(void);

/* Seconds of the wall's clock, and of this thread's CPU time. */
double bench_now_s(void);
double bench_cpu_s(void);

/* Run, or prepare, what must be right. */
void bench_sql(sqlite3 *db, const char *sql);
sqlite3_stmt *bench_prepare(sqlite3 *db, const char *sql);

/* A value as it occurs in the records, for filter `k`. */
void bench_random_value(int k, char value[40]);

/* `rows` records into a new shelf; tells of it on standard output. Returns the exit code. */
int bench_make_rows(const char *file, uint64_t rows);

#endif
