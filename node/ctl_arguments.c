#include "node/ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/nearest.h"

enum outcome ctl_fail(struct ctl *ctl, enum outcome outcome, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(ctl->problem.text, sizeof ctl->problem.text, format, arguments);
    va_end(arguments);
    return outcome;
}

/* The option that `text` names, up to its '=' where it has one. */
static struct ctl_option *find(struct ctl_option *options, const char *text)
{
    size_t length = strcspn(text, "=");
    for (; options && options->name; options++)
        if (strlen(options->name) == length && !strncmp(options->name, text, length))
            return options;
    return NULL;
}

/* Behind the command's own options stand those that main has taken out of the line already. */
static enum outcome unknown(struct ctl *ctl, struct ctl_option *options, const char *text)
{
    static const char *const common[] = {"--dir", "--json", "--help", "--version"};
    const char *names[16];
    char said[64];
    size_t count = 0;
    for (; options && options->name && count < 12; options++)
        names[count++] = options->name;
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        names[count++] = common[i];
    snprintf(said, sizeof said, "%.*s", (int)strcspn(text, "="), text);
    const char *near = nearest_word(said, names, count);
    if (near && !strcmp(near, said))
        return ctl_fail(ctl, OUTCOME_USAGE, "%s: takes no value: write it without =", said);
    if (near)
        return ctl_fail(ctl, OUTCOME_USAGE, "%s: no such option: did you mean %s?", said, near);
    return ctl_fail(ctl, OUTCOME_USAGE, "%s: no such option: see --help", said);
}

enum outcome ctl_arguments(struct ctl *ctl, int count, char **arguments, struct ctl_option *options,
                           const char **operands, size_t *operand_count)
{
    bool only_operands = false;
    *operand_count = 0;
    for (int i = 0; i < count; i++) {
        const char *text = arguments[i];
        if (only_operands || strncmp(text, "--", 2)) {
            operands[(*operand_count)++] = text;
            continue;
        }
        if (!text[2]) {
            only_operands = true;
            continue;
        }
        struct ctl_option *option = find(options, text);
        if (!option)
            return unknown(ctl, options, text);
        const char *equals = strchr(text, '='), *value = equals ? equals + 1 : arguments[++i];
        if (!equals && i >= count)
            return ctl_fail(ctl, OUTCOME_USAGE, "%s: its value is missing: see --help", text);
        if (option->count > 0 && !option->repeats)
            return ctl_fail(ctl, OUTCOME_USAGE, "%s: is given twice: give it once", option->name);
        if (option->count == OPTION_VALUES_MAX)
            return ctl_fail(ctl, OUTCOME_USAGE, "%s: is given more than %d times", option->name,
                            OPTION_VALUES_MAX);
        option->values[option->count++] = value;
    }
    return OUTCOME_DONE;
}

enum outcome ctl_number(struct ctl *ctl, const char *option, const char *text, int64_t least,
                        int64_t most, int64_t *value)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end || errno || number < least || number > most)
        return ctl_fail(ctl, OUTCOME_USAGE,
                        "%s: \"%.40s\" is not a whole number from %" PRId64 " to %" PRId64
                        ": write one",
                        option, text, least, most);
    *value = number;
    return OUTCOME_DONE;
}
