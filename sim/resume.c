#include "sim/resume.h"

#include <stdlib.h>
#include <string.h>

#include "sim/checkpoint.h"
#include "sim/out.h"

enum starling_error resume_settings(const char *dir, struct config *config, struct problem *problem)
{
    char *path = out_path(dir, "experiment.ini");
    if (!path)
        return problem_no_memory(problem, "a file's name");
    config_defaults(config);
    enum starling_error error = config_load(config, path, problem);
    free(path);
    if (!error && !checkpoint_is_there(dir))
        error = problem_set(problem, STARLING_INVALID,
                            "%s: has no checkpoint: the run is complete, or ended before its "
                            "first one: run it anew with --force",
                            dir);
    return error;
}

enum starling_error resume_check(const char *dir, const struct config *had,
                                 const struct config *asked, struct problem *problem)
{
    char name[CONFIG_NAME_MAX];
    for (size_t place = 0; config_differs(had, asked, &place, name);)
        if (strcmp(name, "sim.threads") != 0 && strcmp(name, "sim.checkpoint") != 0)
            return problem_set(problem, STARLING_INVALID,
                               "--resume: %s is another one than in %s/experiment.ini: leave it "
                               "out, for a run goes on as it began",
                               name, dir);
    return STARLING_OK;
}
