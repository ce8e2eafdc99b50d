#include "tests/live/swarm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <sys/wait.h>
#include <time.h>

#include "node/control_client.h"

#define POLL_MS 20
#define DAY INT64_C(86400)
#define ARGUMENTS_MAX 64

static const char *const common_settings[] = {"task.data=synth:writers?writers=1",
                                              "task.model=linear", "gossip.period=100ms"};

bool swarm_begin(struct swarm *swarm)
{
    struct problem problem;
    static const char *const programs[] = {"STARLING_NODE", "STARLINGCTL"};
    for (size_t i = 0; i < 2; i++) {
        const char *program = getenv(programs[i]);
        if (!program || access(program, X_OK)) {
            fprintf(stderr, "skipped: %s names no program\n", programs[i]);
            return false;
        }
    }
    if (sodium_init() < 0 || folder_make(&swarm->folder))
        fail_msg("no temporary folder");
    swarm->authority = authority_create(folder_file(&swarm->folder, "authority"), &problem);
    if (!swarm->authority)
        fail_msg("%s", problem.text);
    return true;
}

void swarm_end(struct swarm *swarm)
{
    authority_close(&swarm->authority);
    folder_remove(&swarm->folder);
}

struct swarm tested_swarm;
bool swarm_ready;

int swarm_setup(void **state)
{
    (void)state;
    swarm_ready = swarm_begin(&tested_swarm);
    return 0;
}

int swarm_teardown(void **state)
{
    (void)state;
    if (swarm_ready)
        swarm_end(&tested_swarm);
    return 0;
}

void certify(struct authority *by, const struct public_keys *keys, enum validity validity,
             uint8_t bytes[MEMBERSHIP_BYTES_MAX], size_t *size)
{
    struct problem problem;
    int64_t now = (int64_t)time(NULL);
    int64_t from = validity == NOT_YET_VALID ? now + DAY : now - 10 * DAY;
    int64_t until = validity == EXPIRED ? now - DAY : now + 10 * DAY;
    if (authority_admit(by, keys, ROLE_MEMBER, from, until, bytes, size, NULL, &problem))
        fail_msg("%s", problem.text);
}

static const char *file_in(const char *dir, const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

void device_make(struct device *device, struct swarm *swarm, const char *name, struct authority *by,
                 enum validity validity)
{
    struct problem problem = {0};
    *device = (struct device){.swarm = swarm};
    snprintf(device->dir, sizeof device->dir, "%s/%s", swarm->folder.path, name);
    struct identity *identity = identity_new(&problem);
    if (!identity || mkdir(device->dir, 0700) || identity_save(identity, device->dir, &problem) ||
        swarm_write(file_in(device->dir, "swarm.pub"), authority_swarm(swarm->authority), &problem))
        fail_msg("%s: %s", device->dir, problem.text);
    device->keys = identity->keys;
    identity_free(&identity);
    if (!by)
        return;
    uint8_t bytes[MEMBERSHIP_BYTES_MAX];
    size_t size;
    certify(by, &device->keys, validity, bytes, &size);
    if (certificate_write(file_in(device->dir, "membership.cert"), bytes, size, &problem))
        fail_msg("%s", problem.text);
}

/* A child with its output in a file; it ends when we do, however that is. */
static pid_t launch(const char *program, const char *const *arguments, const char *output)
{
    pid_t process = fork();
    if (process != 0)
        return process;
    int file = open(output, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int nothing = open("/dev/null", O_RDONLY);
    if (file >= 0 && dup2(nothing, 0) >= 0 && dup2(file, 1) >= 0 && dup2(file, 2) >= 0)
        execv(program, (char *const *)arguments);
    _exit(127);
}

void device_start(struct device *device, const char *const *settings)
{
    const char *arguments[ARGUMENTS_MAX] = {"starling-node", "--dir", device->dir};
    size_t count = 3;
    for (size_t i = 0; i < sizeof common_settings / sizeof common_settings[0]; i++) {
        arguments[count++] = "--set";
        arguments[count++] = common_settings[i];
    }
    for (; settings && *settings; settings++) {
        assert_true(count < ARGUMENTS_MAX - 3);
        if (strncmp(*settings, "--", 2) != 0)
            arguments[count++] = "--set";
        arguments[count++] = *settings;
    }
    device->process = launch(getenv("STARLING_NODE"), arguments, file_in(device->dir, "log"));
    device->seed[0] = '\0';
    assert_true(device->process > 0);
}

static double seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static bool ended(struct device *device, int *status)
{
    int how;
    if (waitpid(device->process, &how, WNOHANG) != device->process)
        return false;
    device->process = 0;
    *status = WIFSIGNALED(how) ? -WTERMSIG(how) : WEXITSTATUS(how);
    return true;
}

void device_up(struct device *device, const char *const *settings)
{
    device_start(device, settings);
    double deadline = seconds() + PATIENCE_S;
    json_t *status;
    while (!(status = device_ask(device, json_pack("{s:s}", "command", "status")))) {
        int how;
        if (ended(device, &how))
            fail_msg("%s ended with %d: %s", device->dir, how, device_log(device));
        if (seconds() > deadline)
            fail_msg("%s does not answer: %s", device->dir, device_log(device));
        poll(NULL, 0, POLL_MS);
    }
    json_decref(status);
}

int device_await_end(struct device *device)
{
    double deadline = seconds() + PATIENCE_S;
    int status;
    while (!ended(device, &status)) {
        if (seconds() > deadline) {
            device_kill(device, SIGKILL);
            fail_msg("%s did not end: %s", device->dir, device_log(device));
        }
        poll(NULL, 0, POLL_MS);
    }
    return status;
}

void device_stop(struct device *device)
{
    if (!device->process)
        return;
    kill(device->process, SIGTERM);
    int status = device_await_end(device);
    if (status != 0)
        fail_msg("%s ended with %d: %s", device->dir, status, device_log(device));
}

void device_kill(struct device *device, int signal)
{
    kill(device->process, signal);
    waitpid(device->process, NULL, 0);
    device->process = 0;
}

json_t *device_ask(struct device *device, json_t *request)
{
    struct problem problem;
    struct control_client *client =
        control_connect(file_in(device->dir, "control.sock"), 10000, &problem);
    json_t *answer = client ? control_ask(client, request, NULL, NULL, &problem) : NULL;
    control_disconnect(&client);
    json_decref(request);
    return answer;
}

/* The value at a path of names with dots between; borrowed. */
static json_t *value_at(json_t *object, const char *path)
{
    char names[100];
    snprintf(names, sizeof names, "%s", path);
    char *rest = names;
    for (char *name; object && (name = strsep(&rest, "."));)
        object = json_object_get(object, name);
    return object;
}

double device_number(struct device *device, const char *path)
{
    json_t *status = device_ask(device, json_pack("{s:s}", "command", "status"));
    if (!status)
        fail_msg("%s does not answer: %s", device->dir, device_log(device));
    json_t *value = value_at(status, path);
    if (!value)
        fail_msg("status has no %s", path);
    double number = json_is_number(value) ? json_number_value(value) : NAN;
    json_decref(status);
    return number;
}

double device_await(struct device *device, const char *path, double least)
{
    double deadline = seconds() + PATIENCE_S, number;
    while (number = device_number(device, path), !(number >= least)) {
        if (seconds() > deadline)
            fail_msg("%s: %s stays at %g, wanted %g: %s", device->dir, path, number, least,
                     device_log(device));
        poll(NULL, 0, POLL_MS);
    }
    return number;
}

void device_await_text(struct device *device, const char *path, const char *wanted)
{
    double deadline = seconds() + PATIENCE_S;
    for (bool found = false; !found; poll(NULL, 0, found ? 0 : POLL_MS)) {
        json_t *status = device_ask(device, json_pack("{s:s}", "command", "status"));
        const char *text = json_string_value(value_at(status, path));
        found = text && strcmp(text, wanted) == 0;
        if (!found && seconds() > deadline)
            fail_msg("%s: %s is \"%s\", wanted \"%s\": %s", device->dir, path, text ? text : "null",
                     wanted, device_log(device));
        json_decref(status);
    }
}

const char *device_seed(struct device *device)
{
    json_t *status = device_ask(device, json_pack("{s:s}", "command", "status"));
    const char *seed = json_string_value(json_object_get(status, "seed"));
    if (!seed)
        fail_msg("%s has no seed: %s", device->dir, device_log(device));
    snprintf(device->seed, sizeof device->seed, "%s", seed);
    json_decref(status);
    return device->seed;
}

static void read_text(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "r");
    size_t got = file ? fread(out, 1, size - 1, file) : 0;
    out[got] = '\0';
    if (file)
        fclose(file);
}

const char *device_log(const struct device *device)
{
    static char text[8192];
    read_text(file_in(device->dir, "log"), text, sizeof text);
    return text;
}

int device_ctl(struct device *device, char *out, size_t size, const char *const *arguments)
{
    const char *all[ARGUMENTS_MAX] = {"starlingctl", "--dir", device->dir};
    char output[1024];
    for (size_t count = 3; *arguments; arguments++) {
        assert_true(count < ARGUMENTS_MAX - 1);
        all[count++] = *arguments;
    }
    snprintf(output, sizeof output, "%s", file_in(device->dir, "ctl-output"));
    unlink(output);
    pid_t process = launch(getenv("STARLINGCTL"), all, output);
    int how;
    assert_int_equal(waitpid(process, &how, 0), process);
    read_text(output, out, size);
    return WIFSIGNALED(how) ? -WTERMSIG(how) : WEXITSTATUS(how);
}
