/* task — what a swarm learns together, as one number that every node works out for itself.
 *
 * Nodes exchange parameters only within a task. Its id is a BLAKE2b-128 over everything two nodes
 * must agree on for their parameters to mean the same: the task's name, the model in normal form,
 * features, classes and parameters, and of sequences what each symbol is. The parameters every node
 * starts from follow from it, so a node that joins late starts where all others did. Pure.
 */
#ifndef STARLING_TASK_H
#define STARLING_TASK_H

#include "gossip/message.h"
#include "model/dataset.h"
#include "model/model.h"

/* `name` may be empty; blanks around it do not count. `data` are what `model` is for. */
void task_id(const char *name, const struct model *model, const struct data *data,
             uint8_t id[TASK_ID_BYTES]);

/* What model_initialise is called with by every node of the task. */
uint64_t task_seed(const uint8_t id[TASK_ID_BYTES]);

/* Lower-case hexadecimal, as outputs show it. */
#define TASK_HEX_SIZE (2 * TASK_ID_BYTES + 1)
void task_hex(const uint8_t id[TASK_ID_BYTES], char out[TASK_HEX_SIZE]);

#endif
