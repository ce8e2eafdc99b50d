#include "node/sql.h"

#include <stddef.h>

#define WAIT_MS 2000

sqlite3 *sql_open(const char *path, bool create, int *code, struct problem *problem)
{
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
    int result = sqlite3_open_v2(path, &db, flags, NULL);
    if (code)
        *code = result;
    if (result == SQLITE_OK) {
        sqlite3_busy_timeout(db, WAIT_MS);
        return db;
    }
    problem_set(problem, result == SQLITE_NOMEM ? STARLING_NO_MEMORY : STARLING_FAILED,
                "%s: cannot be opened: %s", path, sqlite3_errstr(result));
    sqlite3_close(db);
    return NULL;
}

enum starling_error sql_problem(sqlite3 *db, struct problem *problem)
{
    const char *path = sqlite3_db_filename(db, "main"), *advice = "";
    enum starling_error error = STARLING_FAILED;
    switch (sqlite3_errcode(db)) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        advice = ": end the other program that uses it";
        break;
    case SQLITE_FULL:
        advice = ": make room on the disk";
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        advice = ": restore it from a copy or move it away";
        break;
    case SQLITE_NOMEM:
        error = STARLING_NO_MEMORY;
        break;
    }
    return problem_set(problem, error, "%s: %s%s", path ? path : "database", sqlite3_errmsg(db),
                       advice);
}

enum starling_error sql_run(sqlite3 *db, const char *statements, struct problem *problem)
{
    if (sqlite3_exec(db, statements, NULL, NULL, NULL) != SQLITE_OK)
        return sql_problem(db, problem);
    return STARLING_OK;
}

enum starling_error sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **statement,
                                struct problem *problem)
{
    if (sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK)
        return sql_problem(db, problem);
    return STARLING_OK;
}

enum starling_error sql_step(sqlite3_stmt *statement, struct problem *problem)
{
    enum starling_error error = STARLING_OK;
    if (sqlite3_step(statement) != SQLITE_DONE)
        error = sql_problem(sqlite3_db_handle(statement), problem);
    sqlite3_reset(statement);
    return error;
}

enum starling_error sql_version(sqlite3 *db, int *version, struct problem *problem)
{
    sqlite3_stmt *statement = NULL;
    enum starling_error error = sql_prepare(db, "PRAGMA user_version", &statement, problem);
    if (!error && sqlite3_step(statement) == SQLITE_ROW)
        *version = sqlite3_column_int(statement, 0);
    else if (!error)
        error = sql_problem(db, problem);
    sqlite3_finalize(statement);
    return error;
}
