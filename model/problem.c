#include "model/problem.h"

#include <stdarg.h>
#include <stdio.h>

enum starling_error problem_set(struct problem *problem, enum starling_error error,
                                const char *format, ...)
{
    if (problem) {
        va_list arguments;
        va_start(arguments, format);
        problem->error = error;
        vsnprintf(problem->text, sizeof problem->text, format, arguments);
        va_end(arguments);
    }
    return error;
}

void problem_at(struct problem *problem, const char *where)
{
    if (!problem)
        return;
    struct problem said = *problem;
    problem_set(problem, said.error, "%s: %s", where, said.text);
}

enum starling_error problem_no_memory(struct problem *problem, const char *what)
{
    return problem_set(problem, STARLING_NO_MEMORY,
                       "out of memory for %s: use fewer nodes, a smaller model or less data", what);
}
