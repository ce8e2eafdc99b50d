#include "node/config_table.h"

#include <stddef.h>

#include "gossip/encoding.h"
#include "gossip/merge.h"

#define MINUTE_US UINT64_C(60000000)
#define DAY_US (1440 * MINUTE_US)
#define SECOND_PS UINT64_C(1000000000000)

#define MEMBER(path)                                                                               \
    .offset = offsetof(struct config, path), .size = sizeof(((struct config *)0)->path)

const char *const config_sections[] = {"task", "learn", "gossip", "node", "control", "sim", NULL};

static const char *const scale_words[] = {"auto", "none", "standard", "log", NULL};
static const char *const agree_words[] = {"auto", "on", "off", NULL};
static const char *const schedule_words[] = {"auto",   "inverse", "constant",
                                             "cosine", "pegasos", NULL};
static const char *const optimizer_words[] = {"sgd", "adam", "adamw", "quasi-global", NULL};
static const char *const flow_words[] = {"periodic", "token", NULL};
static const char *const preset_words[] = {"none", "af", NULL};
static const char *const sync_words[] = {"off", "rounds", NULL};
static const char *const order_words[] = {"merge-update", "update-merge", "walk", NULL};
static const char *const exchange_words[] = {"push", "pull", "pushpull", NULL};

/* clang-format off: a setting reads best as two or three lines of the same shape */
const struct setting config_settings[] = {
    {"task", "name", "", "name of the results; empty: made from model and data", SETTING_TEXT,
     MEMBER(task.name)},
    {"task", "model", "mlp:64", "what is learned: linear, svm, mlp:128, mlp:256,128", SETTING_TEXT,
     MEMBER(task.model)},
    {"task", "data", "synth:writers",
     "examples: synth:writers, idx:DIR, csv:FILE, libsvm:FILE, leaf:DIR, text:FILE", SETTING_TEXT,
     MEMBER(task.data), .expands = true},
    {"task", "scale", "auto", "scaling of features; auto: pixels to 0..1, tables standardised",
     SETTING_CHOICE, MEMBER(task.scale), .words = scale_words},
    {"task", "agree", "auto",
     "nodes agree on the scaling of tables by gossip; auto: on a device, not in a simulation",
     SETTING_CHOICE, MEMBER(task.agree), .words = agree_words},

    {"learn", "optimizer", "sgd", "how a step follows from the gradient", SETTING_CHOICE,
     MEMBER(learn.optimizer), .words = optimizer_words},
    {"learn", "rate", "auto",
     "learning rate at the start; auto: what suits the model and the optimizer", SETTING_REAL,
     MEMBER(learn.rate), .may_be_auto = true, .floor = 0, .ceiling = 1000},
    {"learn", "momentum", "auto",
     "momentum of the local steps; auto: 0, and 0.9 of others than sgd", SETTING_REAL,
     MEMBER(learn.momentum), .may_be_auto = true, .floor = 0, .ceiling = 0.9999},
    {"learn", "decay", "0.0001", "weight decay", SETTING_REAL, MEMBER(learn.decay), .floor = 0,
     .ceiling = 1},
    {"learn", "batch", "8", "examples a step", SETTING_COUNT, MEMBER(learn.batch), .least = 1,
     .most = 65536},
    {"learn", "epochs", "1", "times through the local data in a pass", SETTING_COUNT,
     MEMBER(learn.epochs), .least = 1, .most = 1000},
    {"learn", "max_batches", "0", "steps in a pass at most; 0: no cap", SETTING_COUNT,
     MEMBER(learn.max_batches), .least = 0, .most = 1000000000},
    {"learn", "schedule", "auto",
     "how the rate falls with the model's age; auto: inverse, of svm pegasos", SETTING_CHOICE,
     MEMBER(learn.schedule), .words = schedule_words},
    {"learn", "horizon", "auto", "passes until cosine is at its floor; auto: sim.rounds",
     SETTING_REAL, MEMBER(learn.horizon), .may_be_auto = true, .floor = 1, .ceiling = 1e9},
    {"learn", "balance", "off", "classes weigh alike, however few examples of them a node has",
     SETTING_SWITCH, MEMBER(learn.balance)},
    {"learn", "clip", "auto",
     "a step's gradient is at most so long; 0: any length; auto: 1 of recurrent models, else 0",
     SETTING_REAL, MEMBER(learn.clip), .may_be_auto = true, .floor = 0, .ceiling = 1e9},
    {"learn", "rate_floor", "0.1", "the rate never falls below this share of itself", SETTING_REAL,
     MEMBER(learn.rate_floor), .floor = 0, .ceiling = 1},
    {"learn", "holdout", "0.2", "share of the local examples kept for testing, never trained on",
     SETTING_REAL, MEMBER(learn.holdout), .floor = 0, .ceiling = 0.9},
    {"learn", "fold", "0", "which part is kept, each time others, for cross-validation",
     SETTING_COUNT, MEMBER(learn.fold), .least = 0, .most = 999},
    {"learn", "personal", "0",
     "steps of fine-tuning on one's own examples, for a model that stays here; 0: none",
     SETTING_COUNT, MEMBER(learn.personal), .least = 0, .most = 1000000},

    {"gossip", "period", "10s", "time between rounds; 500ms under starling-sim live",
     SETTING_DURATION, MEMBER(gossip.period_us), .least = 1000, .most = DAY_US},
    {"gossip", "fanout", "1", "peers met each round", SETTING_COUNT, MEMBER(gossip.fanout),
     .least = 1, .most = 32},
    {"gossip", "exchange", "push", "pull: ask for a model; pushpull: send one and get one",
     SETTING_CHOICE, MEMBER(gossip.exchange), .words = exchange_words},
    {"gossip", "order", "merge-update", "walk: a received model takes the place of one's own",
     SETTING_CHOICE, MEMBER(gossip.order), .words = order_words},
    {"gossip", "flow", "periodic", "token: save messages up, and spend them on news",
     SETTING_CHOICE, MEMBER(gossip.flow), .words = flow_words},
    {"gossip", "token_least", "10", "tokens from which on a node that hears nothing speaks",
     SETTING_COUNT, MEMBER(gossip.token_least), .least = 1, .most = 1000},
    {"gossip", "token_most", "20", "tokens at most", SETTING_COUNT, MEMBER(gossip.token_most),
     .least = 1, .most = 1000},
    {"gossip", "merge", "limited", "how a received model is combined with one's own",
     SETTING_CHOICE, MEMBER(gossip.merge), .words = merge_rule_names},
    {"gossip", "view", "20", "peers known at a time", SETTING_COUNT, MEMBER(gossip.view),
     .least = 1, .most = 64},
    {"gossip", "inbox", "8", "received models that may wait for the next round", SETTING_COUNT,
     MEMBER(gossip.inbox), .least = 1, .most = 64},
    {"gossip", "age_limit", "1", "models further apart than so many passes are not averaged",
     SETTING_REAL, MEMBER(gossip.age_limit), .floor = 0, .ceiling = 1e9},
    {"gossip", "readout", "on", "keep an average of the model over time, and evaluate that",
     SETTING_SWITCH, MEMBER(gossip.readout)},
    {"gossip", "encoding", "f32", "how parameters are sent: f16 is half the bytes, i8 a quarter",
     SETTING_CHOICE, MEMBER(gossip.encoding), .words = encoding_names},
    {"gossip", "fragments", "auto",
     "a message carries one of so many parts of the model; auto: 1 below 4 MiB", SETTING_COUNT,
     MEMBER(gossip.fragments), .may_be_auto = true, .least = 1, .most = FRAGMENTS_MAX},
    {"gossip", "sample", "1", "share of the parameters in a message, drawn at random", SETTING_REAL,
     MEMBER(gossip.sample), .floor = 1e-6, .ceiling = 1},

    {"node", "listen", "tcp://127.0.0.1:*", "endpoint for peers; port *: any free one",
     SETTING_TEXT, MEMBER(node.listen)},
    {"node", "advertise", "", "endpoint told to peers; empty: the listening one", SETTING_TEXT,
     MEMBER(node.advertise)},
    {"node", "seeds", "", "first peers, KEY@ENDPOINT, separated by blanks or commas", SETTING_TEXT,
     MEMBER(node.seeds)},
    {"node", "autostart", "on", "off: learning waits for the control command start", SETTING_SWITCH,
     MEMBER(node.autostart)},
    {"node", "save_every", "60s", "time between saves of the parameters; 0: every round",
     SETTING_DURATION, MEMBER(node.save_every_us), .least = 0, .most = 30 * DAY_US},
    {"node", "max_model", "64MiB", "largest model taken from a peer or from disk", SETTING_SIZE,
     MEMBER(node.max_model), .least = 1024, .most = UINT64_C(1) << 32},

    {"control", "socket", "", "path of the local socket; empty: control.sock in the node's folder",
     SETTING_TEXT, MEMBER(control.socket)},

    {"sim", "nodes", "100", "nodes", SETTING_COUNT, MEMBER(sim.nodes), .least = 1,
     .most = 10000000},
    {"sim", "rounds", "50", "length of the run, in gossip periods", SETTING_COUNT,
     MEMBER(sim.rounds), .least = 1, .most = 1000000000},
    {"sim", "final", "0", "periods after that in which models are only averaged; 10 to 20 do",
     SETTING_COUNT, MEMBER(sim.final), .least = 0, .most = 1000000},
    {"sim", "seed", "1", "of everything random", SETTING_COUNT, MEMBER(sim.seed), .least = 0,
     .most = INT64_MAX},
    {"sim", "threads", "0", "threads; 0: one a core. Results do not depend on it", SETTING_COUNT,
     MEMBER(sim.threads), .least = 0, .most = 1024},
    {"sim", "partition", "iid", "iid, dirichlet:A, classes:K, shards:K, sizes:A-B, user, draw:K",
     SETTING_TEXT, MEMBER(sim.partition)},
    {"sim", "samples", "0", "examples a node at most; 0: all", SETTING_COUNT, MEMBER(sim.samples),
     .least = 0, .most = DATASET_EXAMPLES_MAX},
    {"sim", "latency", "constant:50ms",
     "of a message: constant:T, uniform:A-B, lognormal:MEDIAN,SIGMA, file:F", SETTING_TEXT,
     MEMBER(sim.latency), .expands = true},
    {"sim", "bandwidth", "off",
     "of a node's line: off, 10Mbit/s, UP/DOWN; lognormal:RATE,SIGMA of either", SETTING_TEXT,
     MEMBER(sim.bandwidth)},
    {"sim", "drop", "0", "share of the messages lost", SETTING_REAL, MEMBER(sim.drop), .floor = 0,
     .ceiling = 1},
    {"sim", "partitions", "none",
     "times when the network is split: none, START-END:PARTS, START-END:SHARE, ...", SETTING_TEXT,
     MEMBER(sim.partitions)},
    {"sim", "topology", "random", "who talks to whom: random, full, ring, regular:K, file:F",
     SETTING_TEXT, MEMBER(sim.topology), .expands = true},
    {"sim", "churn", "none",
     "when nodes are away: none, exp:..., lognormal:..., weibull:..., daynight:..., file:F, "
     "late:...",
     SETTING_TEXT, MEMBER(sim.churn), .expands = true},
    {"sim", "crash", "none", "nodes that are gone for good: none, SHARE@TIME, SHARE@TIME:best, ...",
     SETTING_TEXT, MEMBER(sim.crash)},
    {"sim", "preset", "none",
     "af: all failures, half the messages lost, delays of 1 to 10 periods, churn", SETTING_CHOICE,
     MEMBER(sim.preset), .words = preset_words},
    {"sim", "sync", "off", "rounds: all nodes march in step, and a message takes part of a round",
     SETTING_CHOICE, MEMBER(sim.sync), .words = sync_words},
    {"sim", "compute", "6ns", "virtual time of a pass, per example and parameter", SETTING_PACE,
     MEMBER(sim.compute_ps), .least = 0, .most = SECOND_PS},
    {"sim", "speed", "1", "how many times as fast nodes compute: 1, uniform:A-B, lognormal:SIGMA",
     SETTING_TEXT, MEMBER(sim.speed)},
    {"sim", "eval_every", "1", "rounds between evaluations", SETTING_COUNT, MEMBER(sim.eval_every),
     .least = 1, .most = 1000000000},
    {"sim", "eval_nodes", "10", "nodes evaluated then; all of them at the end", SETTING_COUNT,
     MEMBER(sim.eval_nodes), .least = 1, .most = 10000000},
    {"sim", "eval_examples", "1000", "test examples used then; all of them at the end",
     SETTING_COUNT, MEMBER(sim.eval_examples), .least = 1, .most = DATASET_EXAMPLES_MAX},
    {"sim", "checkpoint", "5m",
     "wall time between writing down all of the run, for --resume; 0s: never", SETTING_DURATION,
     MEMBER(sim.checkpoint_us), .least = 0, .most = 30 * DAY_US},
    {"sim", "baseline", "", "what to compare with: local,central,fedavg; empty: nothing",
     SETTING_TEXT, MEMBER(sim.baseline)},
    {"sim", "fedavg_clients", "1", "share of the nodes in a round of FedAvg; 0: one node",
     SETTING_REAL, MEMBER(sim.fedavg_clients), .floor = 0, .ceiling = 1},
    {"sim", "wire", "off", "messages go through the real codec", SETTING_SWITCH, MEMBER(sim.wire)},
};
/* clang-format on */

const size_t config_setting_count = sizeof config_settings / sizeof config_settings[0];
