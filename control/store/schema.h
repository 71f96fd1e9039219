/* The tables, as versioned migrations: text number N brings version N to N + 1.
 *
 * A migration that has been released is never edited; a change is a new text at the end. The
 * version is SQLite's user_version.
 *
 * Thread: constants.
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

extern const char *const store_migrations[];
extern const int store_schema_version; /* number of migrations */

#endif
