/* The final phase on a device: it learns no more, averages what it serves with others that are as
 * far, and then only serves. */
#include "node/node_inside.h"

#include <stdio.h>
#include <string.h>

#include "node/task.h"

/* The name in the store by which this task is known to be at its end. */
static void name_end(struct node *node)
{
    char task[TASK_HEX_SIZE];
    task_hex(node->settings.gossip.task, task);
    snprintf(node->conclude_name, sizeof node->conclude_name, "concluded-%.16s", task);
}

bool conclude_recall(struct node *node, struct problem *problem)
{
    uint64_t concluded = 0;
    name_end(node);
    if (store_get_number(node->store, node->conclude_name, &concluded, problem))
        return false;
    node->conclude_wanted = concluded > 0;
    node->conclude_periods = CONCLUDE_PERIODS;
    return true;
}

void conclude_begin(struct node *node)
{
    if (!node->conclude_wanted || !node->started || node->concluding)
        return;
    node->concluding = true;
    node->conclude_until = node->participant.gossip.round + node->conclude_periods;
    participant_conclude(&node->participant);
    log_write(node->log, LOG_INFO, "learns no more: averages with others for %u periods",
              node->conclude_periods);
}

enum starling_error conclude_ask(struct node *node, uint32_t periods, struct problem *problem)
{
    if (!node->started || !participant_ready(&node->participant))
        return problem_set(problem, STARLING_INVALID,
                           "conclude: nothing is learned here yet: see status, and ask later");
    if (node->concluding)
        return STARLING_OK;
    node->conclude_wanted = true;
    node->conclude_periods = periods;
    conclude_begin(node);
    note_number(node, node->conclude_name, 1);
    return STARLING_OK;
}

void conclude_check(struct node *node)
{
    if (!node->concluding || node->concluded || node->working ||
        node->participant.gossip.round < node->conclude_until)
        return;
    node->concluded = true;
    log_write(node->log, LOG_INFO, "serves what it has learned, of age %.1f",
              node->participant.gossip.age);
    note_save(node);
    learning_test(node);
}
