/* learner — local passes over local data: mini-batches, each a step of the optimizer.
 *
 *   η_t = η₀ max(1 / (1 + 0.02 t), floor)                              inverse, t the model's age
 *   η_t = η₀                                                           constant
 *   η_t = η₀ (floor + (1 − floor) (1 + cos(π min(t/T, 1))) / 2)        cosine, t the node's passes
 *   η_t = 1 / (λ t)                                                    Pegasos, t steps, from 1 on
 *
 * in passes but for the last. Ages run ahead of a node's own passes in a swarm, so what is to end
 * with a run goes by the latter. Cosine: Loshchilov, Hutter 2017 (arXiv 1608.03983), eq. 5 without
 * restarts. Pegasos: Shalev-Shwartz, Singer, Srebro 2007 (ICML), the model's age in steps being t,
 * as in P2Pegasos (Ormándi, Hegedűs, Jelasity 2013, arXiv 1109.1396).
 *
 * Balanced, an example of class c counts min(n / (K n_c), BALANCE_MOST), n_c being how many of the
 * n examples at hand are of it and K how many classes have any.
 *
 * Quasi-global momentum (Lin, Karimireddy, Stich, Jaggi 2021, arXiv 2102.04761, algorithm 1): steps
 * w = w − η (β m̂ + g + λ w), and between passes of K of them from x to x½ and merges from there to
 * x⁺, where the next pass begins,
 *   m̂ = μ m̂ + (1 − μ) (x − x⁺) / (K η),   μ = β
 * in two parts: x − x½ is added when the pass ends, x½ − x⁺ when it is known, so that no third
 * vector is kept. Pure: time, data and randomness are handed in.
 */
#ifndef STARLING_LEARNER_H
#define STARLING_LEARNER_H

#include "model/dataset.h"
#include "model/model.h"
#include "model/optimizer.h"
#include "model/random.h"

enum schedule {
    SCHEDULE_AUTO, /* to be chosen by the model; never handed to the learner */
    SCHEDULE_INVERSE,
    SCHEDULE_CONSTANT,
    SCHEDULE_COSINE,
    SCHEDULE_PEGASOS,
};

#define BALANCE_MOST 10 /* that an example may count, however rare its class */

struct learn_settings {
    enum optimizer optimizer;
    double rate, momentum, decay; /* η₀, β (of Adam: β₁), λ */
    double rate_floor;            /* η_t stays at or above this times η₀ */
    uint32_t batch;               /* examples a step, 1 to 65536 */
    uint32_t epochs;              /* times through the data a pass, ≥ 1 */
    uint32_t max_batches;         /* steps a pass at most; 0: no cap */
    enum schedule schedule;
    double horizon; /* T, passes: > 0 for cosine */
    bool balance;   /* not for sequences */
    double clip;    /* a step's gradient is at most so long; 0: as long as it is */
};

/* Some rows of a data set that others own. */
struct examples {
    const struct dataset *data;
    const uint32_t *rows;
    size_t count;
    const float *scaling; /* as dataset_gather_scaled takes it; NULL: the data's own */
};

struct pass_report {
    size_t samples;   /* examples trained on */
    double share;     /* of the whole pass that was done: what the age grows by, 0 to 1 */
    double mean_loss; /* over those examples, before each step; 0 when there were none */
};

/* The examples a pass trains on with these settings, and (unless NULL) the share of the data. */
size_t learner_samples(const struct learn_settings *settings, size_t count, double *share);

/* The steps that make them. */
size_t learner_steps(const struct learn_settings *settings, size_t count);

/* What a schedule goes by: the model's age, or the passes that the node itself has made before. */
double learner_time(const struct learn_settings *settings, double age, double passes);

/* η_t at that time; of Pegasos, whose time is a step: λ > 0. */
double learner_rate(const struct learn_settings *settings, double time);

/* How far the first step of all goes for a gradient of length 1: 1 / λ of Pegasos, else η₀. */
double learner_reach(const struct learn_settings *settings);

/* What a schedule left to be chosen is for the model, and η₀ for it and the optimizer. */
enum schedule learner_schedule_auto(const struct model *model);
double learner_rate_auto(const struct model *model, enum optimizer optimizer);

/* β of the optimizer: the default of learn.momentum. */
double learner_momentum_auto(enum optimizer optimizer);

size_t learner_workspace(const struct model *model, const struct learn_settings *settings,
                         size_t count);

/* One pass over `examples` (may be empty: nothing happens) in an order drawn from `random`, on
 * `parameters` (model_parameters() floats) and `state` (optimizer_begin with these settings; may be
 * NULL where nothing is remembered) in place, at learner_time(). Bytes taken from a workspace reset
 * to learner_workspace(). */
void learner_pass(const struct model *model, const struct learn_settings *settings,
                  const struct examples *examples, double time, struct random random,
                  float *parameters, struct optimizer_state *state, struct workspace *workspace,
                  struct pass_report *report);

/* The second part of a quasi-global momentum: the result `passed` of a pass over `count` examples
 * at that time has become `merged` (both model_parameters() floats). */
void learner_merged(const struct model *model, const struct learn_settings *settings, size_t count,
                    double time, const float *passed, const float *merged,
                    struct optimizer_state *state);

#endif
