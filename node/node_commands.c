/* Commands of the control socket. */
#include "node/node_inside.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "model/quantise.h"
#include "node/status.h"

#define HISTORY_DEFAULT 20
#define HISTORY_MOST 3000 /* rows; an answer is one line of at most 1 MiB */

typedef void command_function(struct node *node, const json_t *request,
                              struct control_answer *answer);

static void command_status(struct node *node, const json_t *request, struct control_answer *answer)
{
    (void)request;
    answer->fields = status_json(node);
}

static void command_peers(struct node *node, const json_t *request, struct control_answer *answer)
{
    (void)request;
    answer->fields = json_pack("{s:o}", "peers", peers_json(node));
}

static void command_history(struct node *node, const json_t *request, struct control_answer *answer)
{
    const json_t *last = json_object_get(request, "last");
    json_int_t most = last ? json_integer_value(last) : HISTORY_DEFAULT;
    size_t count = 0;
    if (most < 1 || most > HISTORY_MOST) {
        problem_set(&answer->problem, STARLING_INVALID, "history: \"last\" is not 1 to %d",
                    HISTORY_MOST);
        return;
    }
    if (!node->history)
        node->history = store_open_reader(node->dir, &answer->problem);
    if (!node->history)
        return;
    struct history_row *rows = calloc((size_t)most, sizeof *rows);
    if (!rows)
        problem_no_memory(&answer->problem, "the history");
    else if (!store_history(node->history, rows, (size_t)most, &count, &answer->problem))
        answer->fields = json_pack("{s:o}", "history", history_json(rows, count));
    free(rows);
}

static void command_accept(struct node *node, const json_t *request, struct control_answer *answer)
{
    const char *text = json_string_value(json_object_get(request, "certificate"));
    uint8_t bytes[MEMBERSHIP_BYTES_MAX];
    size_t size = 0;
    if (!text || sodium_base642bin(bytes, sizeof bytes, text, strlen(text), NULL, &size, NULL,
                                   sodium_base64_VARIANT_ORIGINAL)) {
        problem_set(&answer->problem, STARLING_INVALID,
                    "accept: no \"certificate\" in base64 there");
        return;
    }
    if (membership_accept(node, bytes, size, &answer->problem))
        return;
    answer->fields = json_pack("{s:{s:s, s:I}}", "accepted", "kind", "membership", "not_after",
                               (json_int_t)node->membership.not_after);
}

static void command_connect(struct node *node, const json_t *request, struct control_answer *answer)
{
    json_t *seeds = json_object_get(request, "seeds"), *seed;
    size_t index, dialled = 0;
    if (!json_is_array(seeds)) {
        problem_set(&answer->problem, STARLING_INVALID,
                    "connect: no list \"seeds\" of KEY@ENDPOINT there");
        return;
    }
    json_array_foreach(seeds, index, seed)
    {
        const char *text = json_string_value(seed);
        if (!text) {
            problem_set(&answer->problem, STARLING_INVALID, "connect: seed %zu is no text", index);
            return;
        }
        if (seeds_add(node, text, true, &answer->problem))
            return;
        dialled++;
    }
    transport_forget_failures(node->transport);
    node_seek_soon(node);
    node_seek(node);
    answer->fields = json_pack("{s:I}", "dialled", (json_int_t)dialled);
}

static void command_start(struct node *node, const json_t *request, struct control_answer *answer)
{
    (void)request;
    node->autostart = true; /* also for one that is no member yet */
    learning_start(node);
    answer->fields = json_pack("{s:s}", "state", status_state(node));
}

static void command_conclude(struct node *node, const json_t *request,
                             struct control_answer *answer)
{
    const json_t *given = json_object_get(request, "periods");
    json_int_t periods = given ? json_integer_value(given) : CONCLUDE_PERIODS;
    if (periods < 1 || periods > CONCLUDE_PERIODS_MOST)
        problem_set(&answer->problem, STARLING_INVALID, "conclude: \"periods\" is not 1 to %d",
                    CONCLUDE_PERIODS_MOST);
    else if (!conclude_ask(node, (uint32_t)periods, &answer->problem))
        answer->fields = json_pack("{s:s, s:I}", "state", status_state(node), "periods",
                                   (json_int_t)node->conclude_periods);
}

static void command_readout(struct node *node, const json_t *request, struct control_answer *answer)
{
    const struct participant *participant = &node->participant;
    const struct version *served = participant_readout(participant);
    size_t count = model_parameters(node->model);
    (void)request;
    answer->bytes = malloc(count * sizeof(float));
    if (!answer->bytes) {
        problem_no_memory(&answer->problem, "the read-out");
        return;
    }
    quantise_f32(served->values, count, answer->bytes);
    answer->size = count * sizeof(float);
    answer->fields =
        json_pack("{s:f, s:I, s:I, s:{s:I, s:I}, s:{s:I, s:I}}", "age", participant->gossip.age,
                  "round", (json_int_t)participant->gossip.round, "parameters", (json_int_t)count,
                  "messages", "in", (json_int_t)node->totals.messages_in, "out",
                  (json_int_t)node->totals.messages_out, "traffic", "in",
                  (json_int_t)node->totals.bytes_in, "out", (json_int_t)node->totals.bytes_out);
}

static void command_stop(struct node *node, const json_t *request, struct control_answer *answer)
{
    (void)request;
    log_write(node->log, LOG_INFO, "asked to stop by the control socket");
    node->stopping = true;
    answer->fields = json_object();
}

void node_command(void *self, const char *command, const json_t *request,
                  struct control_answer *answer)
{
    static const struct {
        const char *name;
        command_function *run;
    } commands[] = {
        {"status", command_status},   {"peers", command_peers},       {"history", command_history},
        {"accept", command_accept},   {"connect", command_connect},   {"start", command_start},
        {"readout", command_readout}, {"conclude", command_conclude}, {"stop", command_stop},
    };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(command, commands[i].name) == 0) {
            commands[i].run(self, request, answer);
            if (!answer->fields && !answer->problem.error)
                problem_no_memory(&answer->problem, "an answer");
            return;
        }
    problem_set(&answer->problem, STARLING_INVALID,
                "command \"%.40s\" is not known: see docs/control.md", command);
}
