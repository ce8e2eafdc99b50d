/* Questions to a running node: status, peers, history; and stop. */
#include "node/ctl.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "node/ctl_format.h"

#define HISTORY_MOST 3000 /* rows: an answer is one line of at most 1 MiB */
#define PERIODS_MOST 1000000
#define STOP_DEADLINE_MS 5000
#define STOP_POLL_MS 20

static enum outcome no_operands(struct ctl *ctl, int count, char **arguments,
                                struct ctl_option *options)
{
    const char *operands[16];
    size_t operand_count = 0;
    if (count > 16)
        return ctl_fail(ctl, OUTCOME_USAGE, "too many arguments: see --help");
    enum outcome outcome = ctl_arguments(ctl, count, arguments, options, operands, &operand_count);
    if (!outcome && operand_count > 0)
        outcome =
            ctl_fail(ctl, OUTCOME_USAGE, "\"%.60s\" is not expected: see --help", operands[0]);
    return outcome;
}

static json_t *command(const char *name)
{
    return json_pack("{s:s}", "command", name);
}

static enum colour colour_of(const char *word)
{
    if (!strcmp(word, "learning") || !strcmp(word, "converged"))
        return COLOUR_GOOD;
    if (!strcmp(word, "getting worse"))
        return COLOUR_BAD;
    return COLOUR_WARN;
}

/* "86.2 % here   85.9 % across 8 nodes   71.0 % alone   88.1 % personal" */
static void print_measure(const char *label, const json_t *answer, const char *key,
                          struct cell (*format)(const json_t *))
{
    const json_t *network = json_object_get(answer, "network");
    const json_t *across = json_object_get(network, key), *alone = NULL, *personal = NULL;
    if (!strcmp(key, "accuracy")) {
        alone = json_object_get(answer, "accuracy_alone");
        personal = json_object_get(answer, "accuracy_personal");
    }
    printf("%-10s%s here", label, format(json_object_get(answer, key)).text);
    if (json_is_number(across))
        printf("   %s across %s nodes", format(across).text,
               cell_count(json_object_get(network, "nodes")).text);
    if (json_is_number(alone))
        printf("   %s alone", format(alone).text);
    if (json_is_number(personal))
        printf("   %s personal", format(personal).text);
    printf("\n");
}

static struct cell cell_loss(const json_t *value)
{
    return cell_number(value, 4);
}

static void print_refused(const json_t *refused)
{
    const char *reason;
    json_t *count;
    bool any = false;
    printf("%-10s", "refused");
    json_object_foreach((json_t *)refused, reason, count) if (json_number_value(count) > 0)
    {
        printf("%s%s %.40s", any ? ", " : "", cell_count(count).text, reason);
        any = true;
    }
    printf("%s\n", any ? "" : "none");
}

static void print_privacy(const json_t *privacy)
{
    if (json_is_number(json_object_get(privacy, "epsilon")))
        printf("%-10sepsilon %s at delta %g\n", "privacy",
               cell_number(json_object_get(privacy, "epsilon"), 2).text,
               json_number_value(json_object_get(privacy, "delta")));
}

static void print_status(const json_t *answer)
{
    const json_t *peers = json_object_get(answer, "peers");
    const json_t *bytes = json_object_get(answer, "bytes");
    const json_t *messages = json_object_get(answer, "messages");
    struct cell state = cell_text(json_object_get(answer, "state"));
    struct cell trend = cell_text(json_object_get(answer, "trend"));
    printf("%-10s%s\n", "node", cell_text(json_object_get(answer, "id")).text);
    if (json_is_string(json_object_get(answer, "endpoint")))
        printf("%-10s%s\n", "endpoint", cell_text(json_object_get(answer, "endpoint")).text);
    printf("%-10s%s%s%s, up %s\n", "state", colour_begin(colour_of(state.text)), state.text,
           colour_end(), cell_duration(json_object_get(answer, "uptime_s")).text);
    printf("%-10s%s\n", "task", cell_text(json_object_get(answer, "task")).text);
    printf("%-10s%s, %s parameters\n", "model", cell_text(json_object_get(answer, "model")).text,
           cell_count(json_object_get(answer, "parameters")).text);
    printf("%-10s%s passes, round %s\n", "age", cell_number(json_object_get(answer, "age"), 1).text,
           cell_count(json_object_get(answer, "round")).text);
    print_measure("accuracy", answer, "accuracy", cell_percent);
    print_measure("loss", answer, "loss", cell_loss);
    printf("%-10s%s%s%s\n", "trend", colour_begin(colour_of(trend.text)), trend.text, colour_end());
    printf("%-10s%s connected, %s known\n", "peers",
           cell_count(json_object_get(peers, "connected")).text,
           cell_count(json_object_get(peers, "known")).text);
    printf("%-10s%s in %s messages, %s rejected\n", "received",
           cell_bytes(json_object_get(bytes, "in")).text,
           cell_count(json_object_get(messages, "in")).text,
           cell_count(json_object_get(messages, "rejected")).text);
    printf("%-10s%s in %s messages\n", "sent", cell_bytes(json_object_get(bytes, "out")).text,
           cell_count(json_object_get(messages, "out")).text);
    print_refused(json_object_get(answer, "refused"));
    print_privacy(json_object_get(answer, "privacy"));
}

static enum outcome status(struct ctl *ctl, int count, char **arguments)
{
    json_t *answer;
    enum outcome outcome = no_operands(ctl, count, arguments, NULL);
    if (!outcome)
        outcome = ctl_ask(ctl, command("status"), &answer);
    if (outcome)
        return outcome;
    if (ctl->json) {
        ctl_print_json(answer);
        return OUTCOME_DONE;
    }
    print_status(answer);
    json_decref(answer);
    return OUTCOME_DONE;
}

/* Prints the list that the answer holds under `key`: as JSON, or as a table whose rows `fill`
 * makes. Takes `answer` over. */
static enum outcome print_list(struct ctl *ctl, json_t *answer, const char *key,
                               const char *const *headings,
                               bool (*fill)(struct table *, const json_t *))
{
    json_t *list = json_incref(json_object_get(answer, key)), *row;
    json_decref(answer);
    if (!json_is_array(list)) {
        json_decref(list);
        return ctl_fail(ctl, OUTCOME_FAILED,
                        "the node's answer has no \"%s\": it is of another "
                        "version: restart it",
                        key);
    }
    if (ctl->json) {
        ctl_print_json(list);
        return OUTCOME_DONE;
    }
    size_t index;
    struct table *table = table_new(headings);
    bool good = table != NULL;
    json_array_foreach(list, index, row) good = good && fill(table, row);
    if (good && json_array_size(list) == 0)
        printf("none yet\n");
    else if (good)
        table_print(table);
    table_free(&table);
    json_decref(list);
    return good ? OUTCOME_DONE : ctl_fail(ctl, OUTCOME_FAILED, "out of memory for a table");
}

static const char *const peer_headings[] = {"<PEER",      "~<ENDPOINT", "<STATE",   "SEEN",
                                            "~RTT",       "MODELS IN",  "OUT",      "~BYTES IN",
                                            "~BYTES OUT", "HERE",       "REJECTED", NULL};

static bool fill_peer(struct table *table, const json_t *peer)
{
    struct cell seen = cell_duration(json_object_get(peer, "last_seen_s"));
    if (strcmp(seen.text, "-") != 0 && strlen(seen.text) + 5 < sizeof seen.text)
        strcat(seen.text, " ago");
    const struct cell cells[] = {
        cell_short_key(json_object_get(peer, "id")),
        cell_text(json_object_get(peer, "endpoint")),
        cell_text(json_object_get(peer, "state")),
        seen,
        cell_milliseconds(json_object_get(peer, "rtt_ms")),
        cell_count(json_object_get(peer, "models_in")),
        cell_count(json_object_get(peer, "models_out")),
        cell_bytes(json_object_get(peer, "bytes_in")),
        cell_bytes(json_object_get(peer, "bytes_out")),
        cell_percent(json_object_get(peer, "accuracy_here")),
        cell_count(json_object_get(peer, "rejected")),
    };
    bool good = true;
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
        good = good && table_add(table, cells[i]);
    return good;
}

static enum outcome peers(struct ctl *ctl, int count, char **arguments)
{
    json_t *answer;
    enum outcome outcome = no_operands(ctl, count, arguments, NULL);
    if (!outcome)
        outcome = ctl_ask(ctl, command("peers"), &answer);
    return outcome ? outcome : print_list(ctl, answer, "peers", peer_headings, fill_peer);
}

static const char *const history_headings[] = {
    "ROUND",        "<TIME",  "AGE",       "ACCURACY", "LOSS", "~MERGED",
    "~MERGED LOSS", "MODELS", "~DISTANCE", "<TREND",   NULL};

static bool fill_history(struct table *table, const json_t *row)
{
    struct cell trend = cell_text(json_object_get(row, "trend"));
    if (json_is_true(json_object_get(row, "lost")))
        snprintf(trend.text, sizeof trend.text, "(lost at a restart)");
    const struct cell cells[] = {
        cell_count(json_object_get(row, "round")),
        cell_clock(json_object_get(row, "time")),
        cell_number(json_object_get(row, "age"), 1),
        cell_percent(json_object_get(row, "accuracy")),
        cell_number(json_object_get(row, "loss"), 4),
        cell_percent(json_object_get(row, "merged_accuracy")),
        cell_number(json_object_get(row, "merged_loss"), 4),
        cell_count(json_object_get(row, "merged")),
        cell_number(json_object_get(row, "distance"), 4),
        trend,
    };
    bool good = true;
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
        good = good && table_add(table, cells[i]);
    return good;
}

static enum outcome history(struct ctl *ctl, int count, char **arguments)
{
    struct ctl_option options[] = {{.name = "--last"}, {0}};
    int64_t last = 20;
    json_t *answer;
    enum outcome outcome = no_operands(ctl, count, arguments, options);
    if (!outcome && options[0].count)
        outcome = ctl_number(ctl, "--last", options[0].values[0], 1, HISTORY_MOST, &last);
    if (!outcome)
        outcome = ctl_ask(
            ctl, json_pack("{s:s, s:I}", "command", "history", "last", (json_int_t)last), &answer);
    return outcome ? outcome : print_list(ctl, answer, "history", history_headings, fill_history);
}

static enum outcome conclude(struct ctl *ctl, int count, char **arguments)
{
    struct ctl_option options[] = {{.name = "--periods"}, {0}};
    json_t *answer, *request = command("conclude");
    int64_t periods;
    enum outcome outcome = no_operands(ctl, count, arguments, options);
    if (!outcome && options[0].count)
        outcome = ctl_number(ctl, "--periods", options[0].values[0], 1, PERIODS_MOST, &periods);
    if (!outcome && options[0].count)
        json_object_set_new(request, "periods", json_integer(periods));
    if (!outcome)
        outcome = ctl_ask(ctl, json_incref(request), &answer);
    json_decref(request);
    if (outcome)
        return outcome;
    const char *state = json_string_value(json_object_get(answer, "state"));
    if (ctl->json)
        ctl_print_json(json_incref(answer));
    else
        printf("%s: averages with others for %lld periods, and then only serves\n",
               state ? state : "-",
               (long long)json_integer_value(json_object_get(answer, "periods")));
    json_decref(answer);
    return OUTCOME_DONE;
}

static enum outcome stop(struct ctl *ctl, int count, char **arguments)
{
    json_t *answer;
    enum outcome outcome = no_operands(ctl, count, arguments, NULL);
    if (!outcome)
        outcome = ctl_ask(ctl, command("stop"), &answer);
    if (outcome)
        return outcome;
    json_decref(answer);
    const struct timespec pause = {.tv_nsec = STOP_POLL_MS * 1000000L};
    for (int waited = 0; ctl_node_runs(ctl); waited += STOP_POLL_MS) {
        if (waited >= STOP_DEADLINE_MS)
            return ctl_fail(ctl, OUTCOME_FAILED,
                            "%.200s: the node still runs %d s after it was asked to stop: see its "
                            "log",
                            ctl->dir, STOP_DEADLINE_MS / 1000);
        nanosleep(&pause, NULL);
    }
    if (ctl->json)
        ctl_print_json(json_pack("{s:i, s:b}", "schema", 1, "stopped", true));
    else
        printf("stopped\n");
    return OUTCOME_DONE;
}

const struct ctl_command ctl_status = {
    "status",
    "starlingctl [--dir DIR] [--json] status\n"
    "\n"
    "One screen about the running node: who it is, what it learns, how well its\n"
    "model does on the examples it holds out, where that is heading, its peers and\n"
    "its traffic. Others find it by --seed NODE@ENDPOINT, which --json gives in one\n"
    "piece as \"seed\".\n"
    "\n"
    "  --json   the same as one JSON object; null where nothing is known\n",
    status,
};

const struct ctl_command ctl_peers = {
    "peers",
    "starlingctl [--dir DIR] [--json] peers\n"
    "\n"
    "A row for each peer: its key, endpoint and state, when it was last heard, the\n"
    "round trip, models and bytes each way, how its last model did on this node's\n"
    "own examples (HERE), and how many of its messages were rejected.\n"
    "\n"
    "  --json   a list of objects\n",
    peers,
};

const struct ctl_command ctl_history = {
    "history",
    "starlingctl [--dir DIR] [--json] history [--last N]\n"
    "\n"
    "The last evaluations on the examples the node holds out, oldest first: after\n"
    "each pass (ACCURACY, LOSS) and before it, after the merges (MERGED), how many\n"
    "models were merged and how far away they were (DISTANCE, relative).\n"
    "\n"
    "  --last N   how many rows (20; at most 3000)\n"
    "  --json     a list of objects\n",
    history,
};

const struct ctl_command ctl_conclude = {
    "conclude",
    "starlingctl [--dir DIR] [--json] conclude [--periods N]\n"
    "\n"
    "Ends the running node's learning, for good: for some periods it averages what it\n"
    "serves with other nodes that conclude too, until all have the mean, saves that\n"
    "and from then on only serves it. Ask all nodes of the task within a few periods.\n"
    "status says \"concluding\", then \"concluded\".\n"
    "\n"
    "  --periods N   how many (20; at most 1000000)\n",
    conclude,
};

const struct ctl_command ctl_stop = {
    "stop",
    "starlingctl [--dir DIR] [--json] stop\n"
    "\n"
    "Ends the running node, which saves its model first, and waits until it is gone\n"
    "(5 s).\n",
    stop,
};
