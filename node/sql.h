/* sql — the few SQLite calls that the authority's record and the node's store have in common. */
#ifndef STARLING_SQL_H
#define STARLING_SQL_H

#include <sqlite3.h>
#include <stdbool.h>

#include "model/problem.h"

/* Opens `path`; `create`: makes it when it is missing. NULL and a problem when that fails; what
 * SQLite said goes to *code unless NULL. Other processes are waited for, at most 2 s. */
sqlite3 *sql_open(const char *path, bool create, int *code, struct problem *problem);

/* "PATH: what SQLite says: what to do". */
enum starling_error sql_problem(sqlite3 *db, struct problem *problem);

/* Runs statements without results. */
enum starling_error sql_run(sqlite3 *db, const char *statements, struct problem *problem);

/* Runs a statement that gives no rows, and resets it for its next use. */
enum starling_error sql_step(sqlite3_stmt *statement, struct problem *problem);

enum starling_error sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **statement,
                                struct problem *problem);

/* PRAGMA user_version. */
enum starling_error sql_version(sqlite3 *db, int *version, struct problem *problem);

#endif
