/* The authority's side: swarm create, swarm admit. */
#include "node/ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/authority.h"

#define DAYS_DEFAULT 90
#define DAYS_MOST 36500
#define DAY_S 86400
#define SECONDS_MOST INT64_C(253402300799) /* the end of the year 9999 */

void ctl_time_text(int64_t seconds, char out[TIME_TEXT_MAX])
{
    struct tm parts;
    time_t time = (time_t)seconds;
    if (!gmtime_r(&time, &parts) || !strftime(out, TIME_TEXT_MAX, "%Y-%m-%d %H:%M UTC", &parts))
        snprintf(out, TIME_TEXT_MAX, "@%lld", (long long)seconds);
}

static enum outcome create(struct ctl *ctl, int count, char **arguments)
{
    const char *operands[2];
    size_t operand_count = 0;
    if (count > 2)
        return ctl_fail(ctl, OUTCOME_USAGE, "swarm create: name one folder");
    enum outcome outcome = ctl_arguments(ctl, count, arguments, NULL, operands, &operand_count);
    if (outcome)
        return outcome;
    if (operand_count != 1)
        return ctl_fail(ctl, OUTCOME_USAGE, "swarm create: name one folder for the authority");
    struct authority *authority = authority_create(operands[0], &ctl->problem);
    if (!authority)
        return OUTCOME_FAILED;
    char swarm[KEY_HEX_SIZE];
    const char *dir = operands[0];
    key_hex(authority_swarm(authority), swarm);
    if (ctl->json)
        ctl_print_json(json_pack("{s:i, s:s, s:s, s:[s, s, s]}", "schema", 1, "swarm", swarm, "dir",
                                 dir, "files", "authority.key", "swarm.pub", "issued.db"));
    else
        printf("swarm %s\n"
               "  %s/authority.key  secret: keep it offline; it is needed to admit nodes only\n"
               "  %s/swarm.pub      for everybody who joins\n"
               "next: starlingctl init --swarm %s/swarm.pub on each device, then\n"
               "      starlingctl swarm admit %s NODE.pub with the node.pub it made\n",
               swarm, dir, dir, dir, dir);
    authority_close(&authority);
    return OUTCOME_DONE;
}

/* Digits of a fixed width; false when there are none. */
static bool digits(const char **text, int width, int least, int most, int *value)
{
    *value = 0;
    for (int i = 0; i < width; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        *value = 10 * *value + (**text - '0');
    }
    return *value >= least && *value <= most;
}

/* "2025-12-31", "2025-12-31T23:59", "2025-12-31T23:59:59Z" (all UTC) or "@1767225599". */
static bool parse_time(const char *text, int64_t *seconds)
{
    struct tm parts = {0};
    int year, month;
    if (*text == '@') {
        char *end;
        long long number = strtoll(text + 1, &end, 10);
        *seconds = number;
        return text[1] >= '0' && text[1] <= '9' && !*end && number <= SECONDS_MOST;
    }
    if (!digits(&text, 4, 1970, 9999, &year) || *text++ != '-' ||
        !digits(&text, 2, 1, 12, &month) || *text++ != '-' ||
        !digits(&text, 2, 1, 31, &parts.tm_mday))
        return false;
    if (*text == 'T' || *text == ' ') {
        text++;
        if (!digits(&text, 2, 0, 23, &parts.tm_hour) || *text++ != ':' ||
            !digits(&text, 2, 0, 59, &parts.tm_min))
            return false;
        if (*text == ':' && (text++, !digits(&text, 2, 0, 59, &parts.tm_sec)))
            return false;
        text += *text == 'Z';
    }
    parts.tm_year = year - 1900;
    parts.tm_mon = month - 1;
    int day = parts.tm_mday;
    *seconds = timegm(&parts);
    /* timegm moves the 31st of June on to July. */
    return !*text && parts.tm_mday == day;
}

static enum outcome take_time(struct ctl *ctl, const struct ctl_option *option, int64_t *seconds)
{
    if (option->count > 0 && !parse_time(option->values[0], seconds))
        return ctl_fail(ctl, OUTCOME_USAGE,
                        "%s: \"%.40s\" is no time: write 2025-12-31, 2025-12-31T23:59:59Z or "
                        "@SECONDS",
                        option->name, option->values[0]);
    return OUTCOME_DONE;
}

struct admission {
    const char *file; /* NODE.pub */
    char certificate[PATH_MAX];
    struct public_keys keys;
    struct membership membership;
};

struct admissions {
    size_t count;
    struct admission *each;
    uint32_t roles;
    int64_t not_before, not_after;
};

enum { DAYS, UNTIL, FROM, ROLE };

static enum outcome take_options(struct ctl *ctl, const struct ctl_option *options,
                                 struct admissions *admissions)
{
    int64_t days = DAYS_DEFAULT;
    admissions->not_before = (int64_t)time(NULL);
    admissions->roles = ROLE_MEMBER;
    enum outcome outcome = take_time(ctl, &options[FROM], &admissions->not_before);
    if (!outcome && options[DAYS].count && options[UNTIL].count)
        outcome = ctl_fail(ctl, OUTCOME_USAGE, "--days and --until: give one of them");
    if (!outcome && options[DAYS].count)
        outcome = ctl_number(ctl, "--days", options[DAYS].values[0], 1, DAYS_MOST, &days);
    if (outcome)
        return outcome;
    admissions->not_after = admissions->not_before + days * DAY_S;
    outcome = take_time(ctl, &options[UNTIL], &admissions->not_after);
    if (!outcome && admissions->not_after <= admissions->not_before)
        outcome = ctl_fail(ctl, OUTCOME_USAGE, "--until: is not after %s: choose a later time",
                           options[FROM].count ? "--from" : "now (or give --from as well)");
    for (size_t i = 0; i < options[ROLE].count && !outcome; i++) {
        const char *role = options[ROLE].values[i];
        if (!strcmp(role, "publisher"))
            admissions->roles |= ROLE_PUBLISHER;
        else if (strcmp(role, "member") != 0)
            outcome = ctl_fail(ctl, OUTCOME_USAGE,
                               "--role: \"%.40s\" is no role: write member or publisher", role);
    }
    return outcome;
}

/* NODE.pub becomes NODE.cert; any other name gets .cert behind it. */
static enum outcome certificate_name(struct ctl *ctl, struct admission *admission)
{
    size_t length = strlen(admission->file);
    if (length > 4 && !strcmp(admission->file + length - 4, ".pub"))
        length -= 4;
    if (length + sizeof ".cert" > sizeof admission->certificate)
        return ctl_fail(ctl, OUTCOME_USAGE, "%.100s…: the path is too long", admission->file);
    memcpy(admission->certificate, admission->file, length);
    strcpy(admission->certificate + length, ".cert");
    return OUTCOME_DONE;
}

/* All files are judged before the first certificate is made. */
static enum outcome read_nodes(struct ctl *ctl, const char *const *files,
                               struct admissions *admissions)
{
    for (size_t i = 0; i < admissions->count; i++) {
        struct admission *admission = &admissions->each[i];
        admission->file = files[i];
        if (public_keys_read(files[i], &admission->keys, &ctl->problem))
            return OUTCOME_FAILED;
        enum outcome outcome = certificate_name(ctl, admission);
        if (outcome)
            return outcome;
        for (size_t j = 0; j < i; j++)
            if (!memcmp(&admissions->each[j].keys, &admission->keys, sizeof admission->keys))
                return ctl_fail(ctl, OUTCOME_USAGE,
                                "%.200s: is the same node as %.200s: give it "
                                "once",
                                files[i], files[j]);
    }
    return OUTCOME_DONE;
}

static enum outcome admit_all(struct ctl *ctl, struct authority *authority,
                              struct admissions *admissions)
{
    for (size_t i = 0; i < admissions->count; i++) {
        struct admission *admission = &admissions->each[i];
        uint8_t bytes[MEMBERSHIP_BYTES_MAX];
        size_t size;
        if (authority_admit(authority, &admission->keys, admissions->roles, admissions->not_before,
                            admissions->not_after, bytes, &size, &admission->membership,
                            &ctl->problem) ||
            certificate_write(admission->certificate, bytes, size, &ctl->problem))
            return OUTCOME_FAILED;
    }
    return OUTCOME_DONE;
}

static void print_admissions(const struct ctl *ctl, const uint8_t *swarm,
                             const struct admissions *admissions)
{
    char hex[KEY_HEX_SIZE], until[TIME_TEXT_MAX];
    json_t *list = json_array();
    for (size_t i = 0; i < admissions->count; i++) {
        const struct admission *admission = &admissions->each[i];
        key_hex(admission->membership.identity, hex);
        json_t *roles = json_pack("[s]", "member");
        if (admissions->roles & ROLE_PUBLISHER)
            json_array_append_new(roles, json_string("publisher"));
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:I, s:o, s:I, s:I}", "file", admission->certificate, "id",
                            hex, "serial", (json_int_t)admission->membership.serial, "roles", roles,
                            "not_before", (json_int_t)admissions->not_before, "not_after",
                            (json_int_t)admissions->not_after));
        ctl_time_text(admissions->not_after, until);
        if (!ctl->json)
            printf("%s  node %.16s, serial %llu, until %s\n", admission->certificate, hex,
                   (unsigned long long)admission->membership.serial, until);
    }
    if (ctl->json) {
        key_hex(swarm, hex);
        ctl_print_json(json_pack("{s:i, s:s, s:o}", "schema", 1, "swarm", hex, "admitted", list));
        return;
    }
    json_decref(list);
    printf("next: starlingctl accept FILE.cert on the node's device\n");
}

static enum outcome admit(struct ctl *ctl, int count, char **arguments)
{
    struct ctl_option options[] = {
        [DAYS] = {.name = "--days"},
        [UNTIL] = {.name = "--until"},
        [FROM] = {.name = "--from"},
        [ROLE] = {.name = "--role", .repeats = true},
        {0},
    };
    struct admissions admissions = {0};
    struct authority *authority = NULL;
    size_t operand_count = 0;
    const char **operands = calloc((size_t)count + 1, sizeof *operands);
    if (!operands)
        return ctl_fail(ctl, OUTCOME_FAILED, "out of memory for the arguments");
    enum outcome outcome = ctl_arguments(ctl, count, arguments, options, operands, &operand_count);
    if (!outcome && operand_count < 2)
        outcome = ctl_fail(ctl, OUTCOME_USAGE,
                           "swarm admit: name the authority's folder and at least one node.pub");
    if (!outcome)
        outcome = take_options(ctl, options, &admissions);
    if (!outcome) {
        admissions.count = operand_count - 1;
        admissions.each = calloc(admissions.count, sizeof *admissions.each);
        if (!admissions.each)
            outcome = ctl_fail(ctl, OUTCOME_FAILED, "out of memory for the nodes");
    }
    if (!outcome)
        outcome = read_nodes(ctl, operands + 1, &admissions);
    if (!outcome && !(authority = authority_open(operands[0], &ctl->problem)))
        outcome = OUTCOME_FAILED;
    if (!outcome)
        outcome = admit_all(ctl, authority, &admissions);
    if (!outcome)
        print_admissions(ctl, authority_swarm(authority), &admissions);
    authority_close(&authority);
    free(admissions.each);
    free(operands);
    return outcome;
}

const struct ctl_command ctl_swarm_create = {
    "swarm create",
    "starlingctl [--json] swarm create DIR\n"
    "\n"
    "Makes a swarm's authority in DIR: authority.key (secret: it decides who belongs\n"
    "to the swarm; keep it offline), swarm.pub (for everybody who joins) and\n"
    "issued.db (what was given out).\n",
    create,
};

const struct ctl_command ctl_swarm_admit = {
    "swarm admit",
    "starlingctl [--json] swarm admit DIR NODE.pub... [options]\n"
    "\n"
    "Lets nodes into the swarm whose authority lies in DIR: writes NODE.cert beside\n"
    "each NODE.pub. Send it back to the node, which takes it in with `starlingctl\n"
    "accept`.\n"
    "\n"
    "  --days N           valid for N days (90)\n"
    "  --until TIME       valid until then, instead of --days\n"
    "  --from TIME        valid from then (now)\n"
    "  --role publisher   may also publish tasks\n"
    "\n"
    "TIME is 2025-12-31, 2025-12-31T23:59:59Z (UTC) or @SECONDS since 1970.\n",
    admit,
};
