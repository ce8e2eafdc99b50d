/* experiment — a config made into data, a split, a model and the settings of its participants:
 * what `run`, `live` and the baselines have in common.
 */
#ifndef STARLING_EXPERIMENT_H
#define STARLING_EXPERIMENT_H

#include "model/dataset.h"
#include "model/partition.h"
#include "node/config.h"
#include "node/participant.h"
#include "sim/churn.h"
#include "sim/crashes.h"
#include "sim/network.h"
#include "sim/speed.h"
#include "sim/topology.h"

struct experiment {
    struct config config; /* resolved: no "auto" left */
    struct data *data;
    struct partition *partition;
    struct model *model;
    struct participant_settings settings;
    struct topology topology;
    struct network network;
    struct churn churn;
    struct crashes crashes;
    struct speed speed;
    char name[160];      /* of the results: task.name, or made from data and model */
    char task_name[192]; /* of the task, NAME-SEED: another seed starts from other parameters */
    const struct dataset *test; /* the global test set, or `holdout` where the data has none */
    uint32_t *test_rows; /* all of its rows in the order of evaluation: permuted by the seed */
    size_t test_count;   /* at the end all are used, during the run the first eval_examples */
};

/* What can be known to be wrong before any data is read. */
enum starling_error experiment_check(const struct config *config, struct problem *problem);
/* Whether the files that a world is made of are there to be read. */
enum starling_error experiment_look(const struct config *config, struct problem *problem);

/* The data that a config names, scaled as it says; NULL and a problem. */
struct data *experiment_data(const struct config *config, struct problem *problem);

/* NULL and a problem. A round is 10 s of virtual time or, `live`, 500 ms when nobody gave
 * gossip.period; and real nodes are handed scaled tables, so the experiment then holds such too. */
struct experiment *experiment_new(const struct config *config, bool live, struct problem *problem);
void experiment_free(struct experiment **experiment);

/* The virtual time of a node's pass over so many training examples. */
uint64_t experiment_pass_us(const struct experiment *experiment, peer_id node, size_t examples);

/* The virtual time at which a run ends. */
uint64_t experiment_end_us(const struct config *config);

/* The parameters that every node starts from; NULL when memory is out. */
struct version *experiment_initial(const struct experiment *experiment);

#endif
