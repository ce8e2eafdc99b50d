/* A node's own folder: init, accept. */
#include "node/ctl.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "node/authority.h"
#include "node/config.h"
#include "node/files.h"

#define FOUNDER_YEARS 10
#define YEAR_S INT64_C(31557600)
#define INI_SECTIONS "task learn gossip node control"

static const char ini_head[] =
    "# A starling node. What is removed here takes its default, and\n"
    "# `starling-node --set SECTION.KEY=VALUE` overrides. Manual: starling-config(5)\n"
    "\n";

/* A node folder in the making. */
struct making {
    const char *dir;
    bool made_dir;
    uint8_t swarm[KEY_BYTES];
    bool founds; /* a swarm of its own */
    struct config config;
    struct identity *identity;
};

/* What init makes, the last first; when it fails they go again. */
static const char *const made_files[] = {"membership.cert", "node.ini",       "node.pub",
                                         "identity.key",    "swarm.pub",      "swarm/authority.key",
                                         "swarm/issued.db", "swarm/swarm.pub"};
#define MADE_FILES (sizeof made_files / sizeof made_files[0])

static enum outcome refuse_existing(struct ctl *ctl, const char *dir)
{
    char path[PATH_MAX];
    for (size_t i = 0; i < MADE_FILES; i++) {
        enum outcome outcome = ctl_path(ctl, dir, made_files[i], path);
        if (outcome)
            return outcome;
        if (!access(path, F_OK))
            return ctl_fail(ctl, OUTCOME_FAILED,
                            "%.300s: there is a node already (%s): choose another --dir", dir,
                            made_files[i]);
    }
    return OUTCOME_DONE;
}

static enum outcome take_seeds(struct ctl *ctl, const struct ctl_option *option,
                               struct config *config)
{
    char seeds[CONFIG_SEEDS_MAX] = "", endpoint[ENDPOINT_MAX];
    uint8_t curve[KEY_BYTES];
    size_t used = 0;
    for (size_t i = 0; i < option->count; i++) {
        if (seed_parse(option->values[i], curve, endpoint, &ctl->problem))
            return OUTCOME_USAGE;
        used += (size_t)snprintf(seeds + used, sizeof seeds - used, "%s%s", i ? " " : "",
                                 option->values[i]);
        if (used >= sizeof seeds)
            return ctl_fail(ctl, OUTCOME_USAGE, "--seed: too many: a few are enough");
    }
    return config_set(config, "node.seeds", seeds, "--seed", &ctl->problem) ? OUTCOME_USAGE
                                                                            : OUTCOME_DONE;
}

static enum outcome take_listen(struct ctl *ctl, const char *listen, struct config *config)
{
    const char *port = strrchr(listen, ':');
    bool any = !strcmp(port ? port : "", ":*");
    size_t digits = port ? strspn(port + 1, "0123456789") : 0;
    if (strncmp(listen, "tcp://", 6) || !port || port - listen < 7 || strpbrk(listen, " ,@") ||
        (!any && (digits == 0 || digits > 5 || port[1 + digits])))
        return ctl_fail(ctl, OUTCOME_USAGE,
                        "--listen: \"%.100s\" is no endpoint: write tcp://ADDRESS:PORT, or * for "
                        "any address or free port",
                        listen);
    return config_set(config, "node.listen", listen, "--listen", &ctl->problem) ? OUTCOME_USAGE
                                                                                : OUTCOME_DONE;
}

/* The folder and those above it, for this user alone. */
static enum outcome make_dir(struct ctl *ctl, struct making *making)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", making->dir);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0700) && errno != EEXIST)
            return ctl_fail(ctl, OUTCOME_FAILED, "%.300s: cannot be made: %s", path,
                            strerror(errno));
        *slash = '/';
    }
    making->made_dir = !mkdir(making->dir, 0700);
    struct stat about;
    if (!making->made_dir && (stat(making->dir, &about) || !S_ISDIR(about.st_mode)))
        return ctl_fail(ctl, OUTCOME_FAILED, "%.300s: cannot be made a folder: choose another",
                        making->dir);
    return OUTCOME_DONE;
}

static enum outcome write_ini(struct ctl *ctl, const struct making *making)
{
    char path[PATH_MAX], *text = NULL;
    size_t size = 0;
    enum outcome outcome = ctl_path(ctl, making->dir, "node.ini", path);
    FILE *memory = outcome ? NULL : open_memstream(&text, &size);
    if (!memory)
        return ctl_fail(ctl, OUTCOME_FAILED, "out of memory for node.ini");
    fputs(ini_head, memory);
    bool failed = config_write(&making->config, INI_SECTIONS, true, memory, &ctl->problem);
    if (fclose(memory) && !failed)
        failed = ctl_fail(ctl, OUTCOME_FAILED, "out of memory for node.ini");
    if (!failed)
        failed = file_create(path, 0644, text, size, &ctl->problem);
    free(text);
    return failed ? OUTCOME_FAILED : OUTCOME_DONE;
}

/* A swarm of one: its authority lies in DIR/swarm and admits this node. */
static enum outcome found(struct ctl *ctl, struct making *making)
{
    char dir[PATH_MAX], file[PATH_MAX];
    uint8_t bytes[MEMBERSHIP_BYTES_MAX];
    size_t size;
    int64_t now = (int64_t)time(NULL);
    enum outcome outcome = ctl_path(ctl, making->dir, "swarm", dir);
    if (!outcome)
        outcome = ctl_path(ctl, making->dir, "membership.cert", file);
    if (outcome)
        return outcome;
    struct authority *authority = authority_create(dir, &ctl->problem);
    if (!authority)
        return OUTCOME_FAILED;
    memcpy(making->swarm, authority_swarm(authority), KEY_BYTES);
    bool failed =
        authority_admit(authority, &making->identity->keys, ROLE_MEMBER, now,
                        now + FOUNDER_YEARS * YEAR_S, bytes, &size, NULL, &ctl->problem) ||
        certificate_write(file, bytes, size, &ctl->problem);
    authority_close(&authority);
    return failed ? OUTCOME_FAILED : OUTCOME_DONE;
}

static enum outcome make(struct ctl *ctl, struct making *making)
{
    char path[PATH_MAX];
    enum outcome outcome = make_dir(ctl, making);
    if (outcome)
        return outcome;
    making->identity = identity_new(&ctl->problem);
    if (!making->identity)
        return OUTCOME_FAILED;
    if (making->founds)
        outcome = found(ctl, making);
    if (!outcome)
        outcome = ctl_path(ctl, making->dir, "swarm.pub", path);
    if (!outcome && swarm_write(path, making->swarm, &ctl->problem))
        outcome = OUTCOME_FAILED;
    if (!outcome)
        outcome = write_ini(ctl, making);
    if (!outcome && identity_save(making->identity, making->dir, &ctl->problem))
        outcome = OUTCOME_FAILED;
    return outcome;
}

/* None of them was there before (refuse_existing), so whatever is there now was made here. */
static void unmake(struct ctl *ctl, const struct making *making)
{
    struct problem problem = ctl->problem;
    char path[PATH_MAX];
    for (size_t i = 0; i < MADE_FILES; i++)
        if (!ctl_path(ctl, making->dir, made_files[i], path))
            unlink(path);
    if (making->founds && !ctl_path(ctl, making->dir, "swarm", path))
        rmdir(path);
    if (making->made_dir)
        rmdir(making->dir);
    ctl->problem = problem;
}

static void print_made(const struct ctl *ctl, const struct making *making)
{
    char id[KEY_HEX_SIZE], swarm[KEY_HEX_SIZE];
    const char *dir = making->dir;
    key_hex(making->identity->keys.identity, id);
    key_hex(making->swarm, swarm);
    if (ctl->json) {
        json_t *files =
            json_pack("[s, s, s, s]", "identity.key", "node.pub", "node.ini", "swarm.pub");
        if (making->founds) {
            json_array_append_new(files, json_string("membership.cert"));
            json_array_append_new(files, json_string("swarm/authority.key"));
        }
        ctl_print_json(json_pack(
            "{s:i, s:s, s:s, s:s, s:s, s:o}", "schema", 1, "dir", dir, "id", id, "swarm", swarm,
            "state", making->founds ? "member" : "awaiting membership", "files", files));
        return;
    }
    printf("node  %s\nswarm %s\n", id, swarm);
    if (making->founds)
        printf("This node is a swarm of its own, with the authority in %s/swarm.\n"
               "next: look through %s/node.ini, then start: starling-node --dir %s\n"
               "      others join with %s/swarm.pub\n",
               dir, dir, dir, dir);
    else
        printf("next: send %s/node.pub to the swarm's authority, and with the certificate you get\n"
               "      starlingctl --dir %s accept FILE.cert\n"
               "      starling-node --dir %s\n",
               dir, dir, dir);
}

enum { SWARM, LISTEN, SEED };

static enum outcome take_options(struct ctl *ctl, const struct ctl_option *options,
                                 struct making *making)
{
    enum outcome outcome = OUTCOME_DONE;
    making->founds = options[SWARM].count == 0;
    if (!making->founds && swarm_read(options[SWARM].values[0], making->swarm, &ctl->problem))
        outcome = OUTCOME_FAILED;
    if (!outcome && options[LISTEN].count > 0)
        outcome = take_listen(ctl, options[LISTEN].values[0], &making->config);
    if (!outcome && options[SEED].count > 0)
        outcome = take_seeds(ctl, &options[SEED], &making->config);
    return outcome;
}

static enum outcome init(struct ctl *ctl, int count, char **arguments)
{
    static struct making making;
    struct ctl_option options[] = {
        [SWARM] = {.name = "--swarm"},
        [LISTEN] = {.name = "--listen"},
        [SEED] = {.name = "--seed", .repeats = true},
        {0},
    };
    const char *operands[3 * OPTION_VALUES_MAX];
    size_t operand_count = 0;
    if (count > 3 * OPTION_VALUES_MAX)
        return ctl_fail(ctl, OUTCOME_USAGE, "init: too many arguments: see init --help");
    making.dir = ctl->dir;
    config_defaults(&making.config);
    enum outcome outcome = ctl_arguments(ctl, count, arguments, options, operands, &operand_count);
    if (!outcome && operand_count > 0)
        outcome =
            ctl_fail(ctl, OUTCOME_USAGE,
                     "init: \"%.100s\" is not expected: the folder is named by --dir", operands[0]);
    if (!outcome)
        outcome = take_options(ctl, options, &making);
    if (!outcome)
        outcome = refuse_existing(ctl, ctl->dir);
    if (outcome)
        return outcome;
    outcome = make(ctl, &making);
    if (outcome)
        unmake(ctl, &making);
    else
        print_made(ctl, &making);
    identity_free(&making.identity);
    return outcome;
}

/* Why a certificate is refused, in words. */
static enum outcome explain(struct ctl *ctl, const char *file, enum refusal refusal,
                            const uint8_t swarm[KEY_BYTES])
{
    char hex[KEY_HEX_SIZE];
    key_hex(swarm, hex);
    switch (refusal) {
    case REFUSED_WRONG_SWARM:
        return ctl_fail(ctl, OUTCOME_FAILED,
                        "%.200s: is for another swarm: ask the authority of swarm %.16s… for one",
                        file, hex);
    case REFUSED_BAD_SIGNATURE:
        return ctl_fail(ctl, OUTCOME_FAILED,
                        "%.200s: was not signed by the authority of swarm %.16s…, or was changed "
                        "since: get it again",
                        file, hex);
    case REFUSED_VERSION:
        return ctl_fail(ctl, OUTCOME_FAILED,
                        "%.200s: is of a version not known here: use a newer starling", file);
    default:
        return ctl_fail(ctl, OUTCOME_FAILED, "%.200s: is damaged: copy it again", file);
    }
}

/* Whose certificate it is, and whether it counts today. */
static enum outcome judge(struct ctl *ctl, const char *file, const struct membership *membership,
                          const struct public_keys *keys)
{
    char theirs[KEY_HEX_SIZE], ours[KEY_HEX_SIZE], when[TIME_TEXT_MAX];
    key_hex(membership->identity, theirs);
    key_hex(keys->identity, ours);
    if (memcmp(membership->identity, keys->identity, KEY_BYTES))
        return ctl_fail(ctl, OUTCOME_FAILED,
                        "%.200s: is for node %.16s…, this is %.16s…: send this node's node.pub to "
                        "the authority",
                        file, theirs, ours);
    if (memcmp(membership->curve, keys->curve, KEY_BYTES))
        return ctl_fail(ctl, OUTCOME_FAILED,
                        "%.200s: is for another connection key of this node: send its node.pub to "
                        "the authority again",
                        file);
    switch (membership_valid_at(membership, (int64_t)time(NULL))) {
    case REFUSED_EXPIRED:
        ctl_time_text(membership->not_after, when);
        return ctl_fail(ctl, OUTCOME_FAILED, "%.200s: ended at %s: ask the authority for a new one",
                        file, when);
    case REFUSED_NOT_YET_VALID:
        ctl_time_text(membership->not_before, when);
        return ctl_fail(ctl, OUTCOME_FAILED,
                        "%.200s: begins at %s: accept it then, or set this device's clock", file,
                        when);
    default:
        return OUTCOME_DONE;
    }
}

static enum outcome check_certificate(struct ctl *ctl, const char *file, const uint8_t *bytes,
                                      size_t size, struct membership *membership)
{
    char path[PATH_MAX];
    uint8_t swarm[KEY_BYTES];
    enum outcome outcome = ctl_path(ctl, ctl->dir, "swarm.pub", path);
    if (outcome)
        return outcome;
    if (swarm_read(path, swarm, &ctl->problem))
        return OUTCOME_FAILED;
    struct identity *identity = identity_load(ctl->dir, &ctl->problem);
    if (!identity)
        return OUTCOME_FAILED;
    enum refusal refusal = membership_verify(bytes, size, swarm, membership);
    outcome = refusal == REFUSED_NOT ? judge(ctl, file, membership, &identity->keys)
                                     : explain(ctl, file, refusal, swarm);
    identity_free(&identity);
    return outcome;
}

/* To the running node, or into its folder when none runs. */
static enum outcome deliver(struct ctl *ctl, const uint8_t *bytes, size_t size, bool *running)
{
    char path[PATH_MAX],
        text[sodium_base64_ENCODED_LEN(MEMBERSHIP_BYTES_MAX, sodium_base64_VARIANT_ORIGINAL)];
    *running = ctl_node_runs(ctl);
    if (*running) {
        json_t *answer;
        sodium_bin2base64(text, sizeof text, bytes, size, sodium_base64_VARIANT_ORIGINAL);
        enum outcome outcome = ctl_ask(
            ctl, json_pack("{s:s, s:s}", "command", "accept", "certificate", text), &answer);
        json_decref(answer);
        return outcome;
    }
    enum outcome outcome = ctl_path(ctl, ctl->dir, "membership.cert", path);
    if (!outcome && certificate_write(path, bytes, size, &ctl->problem))
        outcome = OUTCOME_FAILED;
    return outcome;
}

static void print_accepted(const struct ctl *ctl, const struct membership *membership, bool running)
{
    char swarm[KEY_HEX_SIZE], id[KEY_HEX_SIZE], until[TIME_TEXT_MAX];
    key_hex(membership->swarm, swarm);
    key_hex(membership->identity, id);
    ctl_time_text(membership->not_after, until);
    if (ctl->json) {
        ctl_print_json(json_pack("{s:i, s:s, s:s, s:I, s:I, s:I, s:b}", "schema", 1, "swarm", swarm,
                                 "id", id, "serial", (json_int_t)membership->serial, "not_before",
                                 (json_int_t)membership->not_before, "not_after",
                                 (json_int_t)membership->not_after, "running", running));
        return;
    }
    printf("member of swarm %.16s… until %s%s\n", swarm, until,
           running ? "; the running node has it" : "");
    if (!running)
        printf("next: starling-node --dir %s\n", ctl->dir);
}

static enum outcome accept_file(struct ctl *ctl, int count, char **arguments)
{
    const char *operands[2];
    uint8_t bytes[MEMBERSHIP_BYTES_MAX];
    size_t operand_count = 0, size;
    struct membership membership;
    bool running;
    if (count != 1)
        return ctl_fail(ctl, OUTCOME_USAGE, "accept: name one certificate");
    enum outcome outcome = ctl_arguments(ctl, count, arguments, NULL, operands, &operand_count);
    if (outcome)
        return outcome;
    if (operand_count != 1)
        return ctl_fail(ctl, OUTCOME_USAGE, "accept: name one certificate");
    if (certificate_read(operands[0], bytes, &size, &ctl->problem))
        return OUTCOME_FAILED;
    outcome = check_certificate(ctl, operands[0], bytes, size, &membership);
    if (!outcome)
        outcome = deliver(ctl, bytes, size, &running);
    if (!outcome)
        print_accepted(ctl, &membership, running);
    return outcome;
}

const struct ctl_command ctl_init = {
    "init",
    "starlingctl [--dir DIR] [--json] init [--swarm FILE] [--listen E] [--seed S]...\n"
    "\n"
    "Makes a node's folder: identity.key (secret), node.pub (for the swarm's\n"
    "authority) and a commented node.ini. Without --swarm the node founds a swarm of\n"
    "its own and belongs to it at once.\n"
    "\n"
    "  --swarm FILE        the swarm.pub of the swarm it is to join\n"
    "  --listen ENDPOINT   where it listens, tcp://ADDRESS:PORT (tcp://127.0.0.1:*)\n"
    "  --seed KEY@ENDPOINT a first peer; any number of them. KEY is its identity\n",
    init,
};

const struct ctl_command ctl_accept = {
    "accept",
    "starlingctl [--dir DIR] [--json] accept FILE.cert\n"
    "\n"
    "Takes in the certificate that the swarm's authority made for this node. A\n"
    "running node gets it at once; otherwise it is put into the folder for the next\n"
    "start.\n",
    accept_file,
};
