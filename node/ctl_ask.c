#include "node/ctl.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/config.h"
#include "node/control_client.h"
#include "node/files.h"

#define TIMEOUT_MS 5000

enum outcome ctl_path(struct ctl *ctl, const char *dir, const char *name, char path[PATH_MAX])
{
    return file_path(path, PATH_MAX, dir, name, &ctl->problem) ? OUTCOME_USAGE : OUTCOME_DONE;
}

/* Where the node listens: control.socket of its node.ini, else control.sock in its folder. A
 * node.ini that has become bad since the node started must not keep its operator from it. */
static enum outcome socket_path(struct ctl *ctl, char path[PATH_MAX])
{
    struct config *config = malloc(sizeof *config);
    enum outcome outcome = ctl_path(ctl, ctl->dir, "node.ini", path);
    if (!config)
        outcome = ctl_fail(ctl, OUTCOME_FAILED, "out of memory for the configuration");
    if (!outcome) {
        config_defaults(config);
        bool set = !config_load(config, path, NULL) && *config->control.socket;
        if (set)
            strcpy(path, config->control.socket);
        else
            outcome = ctl_path(ctl, ctl->dir, "control.sock", path);
    }
    free(config);
    return outcome;
}

static struct control_client *connect_to_node(struct ctl *ctl)
{
    char path[PATH_MAX];
    return socket_path(ctl, path) ? NULL : control_connect(path, TIMEOUT_MS, &ctl->problem);
}

bool ctl_node_runs(struct ctl *ctl)
{
    struct control_client *client = connect_to_node(ctl);
    bool runs = client != NULL;
    control_disconnect(&client);
    return runs;
}

enum outcome ctl_ask(struct ctl *ctl, json_t *request, json_t **answer)
{
    enum outcome outcome = OUTCOME_NO_NODE;
    *answer = NULL;
    struct control_client *client = connect_to_node(ctl);
    if (client) {
        *answer = control_ask(client, request, NULL, NULL, &ctl->problem);
        /* INVALID are the node's own words; anything else means that it did not answer. */
        if (*answer)
            outcome = OUTCOME_DONE;
        else if (ctl->problem.error == STARLING_INVALID)
            outcome = OUTCOME_FAILED;
    }
    control_disconnect(&client);
    json_decref(request);
    if (*answer)
        json_object_del(*answer, "ok");
    return outcome;
}
