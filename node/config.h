/* config — settings from defaults, an INI file and flags, in this order.
 *
 * One table (config.c) names every key with its kind, bounds, default and a line of help; the same
 * sections serve a node and an experiment. An unknown key or a bad value is an error that names
 * file and line (or the flag) and suggests the nearest right word.
 */
#ifndef STARLING_CONFIG_H
#define STARLING_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "gossip/encoding.h"
#include "model/dataset.h"
#include "model/learner.h"
#include "model/problem.h"

#define CONFIG_TEXT_MAX 1024
#define CONFIG_SEEDS_MAX 8192
#define CONFIG_SETTINGS_MAX 128
#define CONFIG_NAME_MAX 64           /* of "section.key" */
#define CONFIG_AUTO (-1.0)           /* a number that is to be chosen: learn.rate by the model */
#define CONFIG_AUTO_COUNT UINT64_MAX /* a count that is: gossip.fragments, by the model */

/* Whether nodes agree on the scaling of features: auto is on for a device, off in a simulation,
 * where the data of all lie in one place. */
enum agree { AGREE_AUTO, AGREE_ON, AGREE_OFF };
enum sim_preset { PRESET_NONE, PRESET_AF };
enum sim_sync { SYNC_OFF, SYNC_ROUNDS };

/* Choices hold the index of the word in the table; the first word is the default. */
struct config {
    struct {
        char name[CONFIG_TEXT_MAX];  /* "" : the model and data say it */
        char model[CONFIG_TEXT_MAX]; /* mlp:64 */
        char data[CONFIG_TEXT_MAX];  /* synth:writers; ${NAME} expanded from the environment */
        enum dataset_scale scale;    /* auto, none, standard, log */
        enum agree agree;            /* auto, on, off */
    } task;
    struct {
        double rate;              /* auto */
        enum optimizer optimizer; /* sgd, adam, adamw */
        double momentum;          /* auto */
        double decay;             /* 1e-4 */
        uint64_t batch;           /* 8; 1 to 65536 */
        uint64_t epochs;          /* 1; 1 to 1000 */
        uint64_t max_batches;     /* 0 */
        enum schedule schedule;   /* auto, inverse, constant, cosine, pegasos */
        double horizon;           /* auto; passes */
        bool balance;             /* off */
        double clip;              /* auto */
        double rate_floor;        /* 0.1, of the rate */
        double holdout;           /* 0.2; 0 to 0.9 */
        uint64_t fold;            /* 0; below 1/holdout */
        uint64_t personal;        /* 0: off; steps, to 1000000 */
    } learn;
    struct {
        uint64_t period_us;               /* 10s; 1ms to 1 day. 500ms under `starling-sim live` */
        uint64_t fanout;                  /* 1; 1 to 32 */
        int exchange;                     /* push, pull, pushpull */
        int order;                        /* merge-update, update-merge, walk */
        int flow;                         /* periodic, token */
        uint64_t token_least, token_most; /* 10, 20; 1 to 1000 */
        int merge;                        /* limited, age, average */
        uint64_t view;                    /* 20; 1 to 64 */
        uint64_t inbox;                   /* 8; 1 to 64 */
        double age_limit;                 /* 1 pass */
        bool readout;                     /* on */
        enum encoding encoding;           /* f32, f16, i8 */
        uint64_t fragments;               /* CONFIG_AUTO_COUNT; 1 to 65536 */
        double sample;                    /* 1; above 0 */
    } gossip;
    struct {
        char listen[CONFIG_TEXT_MAX];    /* tcp://127.0.0.1:* : any free port */
        char advertise[CONFIG_TEXT_MAX]; /* "": the listening endpoint */
        char seeds[CONFIG_SEEDS_MAX];    /* KEY@ENDPOINT, separated by blanks or commas */
        bool autostart;                  /* on; off waits for the control command "start" */
        uint64_t save_every_us;          /* 60s; 0 = every round */
        uint64_t max_model;              /* 64MiB */
    } node;
    struct {
        char socket[CONFIG_TEXT_MAX]; /* "": DIR/control.sock */
    } control;
    struct {
        uint64_t nodes;                   /* 100; 1 to 10000000 */
        uint64_t rounds;                  /* 50; 1 to 1e9 */
        uint64_t final;                   /* 0; periods of the final phase after the rounds */
        uint64_t seed;                    /* 1 */
        uint64_t threads;                 /* 0: all cores; to 1024 */
        char partition[CONFIG_TEXT_MAX];  /* iid */
        uint64_t samples;                 /* 0: all; examples a node at most */
        char latency[CONFIG_TEXT_MAX];    /* constant:50ms, uniform:…, lognormal:…, file:F */
        char bandwidth[CONFIG_TEXT_MAX];  /* off, RATE, UP/DOWN, lognormal:RATE,SIGMA */
        double drop;                      /* 0.0; 0 to 1 */
        char partitions[CONFIG_TEXT_MAX]; /* none, START-END:PARTS, START-END:SHARE, … */
        char topology[CONFIG_TEXT_MAX];   /* random, full, ring, regular:K, file:F */
        char churn[CONFIG_TEXT_MAX]; /* none, exp:…, lognormal:…, weibull:…, daynight:…, file:F,
                                        late:… */
        char crash[CONFIG_TEXT_MAX]; /* none, SHARE@TIME, SHARE@TIME:best, … */
        int preset;                  /* enum sim_preset: none, af */
        int sync;                    /* enum sim_sync: off, rounds */
        uint64_t compute_ps; /* virtual time of a pass, per sample and parameter, in ps: 6ns */
        char speed[CONFIG_TEXT_MAX];    /* 1, uniform:A-B, lognormal:SIGMA */
        uint64_t eval_every;            /* 1 round */
        uint64_t eval_nodes;            /* 10 */
        uint64_t eval_examples;         /* 1000 */
        uint64_t checkpoint_us;         /* 5m of wall time; 0: never */
        char baseline[CONFIG_TEXT_MAX]; /* "": none; local,central,fedavg */
        double fedavg_clients;          /* 1: share of the nodes in a round of FedAvg */
        bool wire;                      /* off: messages as structs */
    } sim;
    bool given[CONFIG_SETTINGS_MAX]; /* by the place in the table: by a file or flag, not by default
                                      */
};

void config_defaults(struct config *config);

/* Reads an INI file over what is there; when it fails, `config` is as it was. Problem texts start
 * with "FILE:LINE: ". `#` and `;` begin a comment at the start of a line, or between blanks. */
enum starling_error config_load(struct config *config, const char *file, struct problem *problem);

/* Takes what a file holds beyond settings: the sections [sweep] and [case NAME] of an experiment
 * (`section` as between the brackets), once with `key` NULL where the section begins, then for each
 * of its lines. `where` ("FILE:LINE") begins the text of a problem; an error ends the reading. */
typedef enum starling_error config_taker(void *self, const char *section, const char *key,
                                         const char *value, const char *where,
                                         struct problem *problem);

/* The same as config_load for a file that may hold such sections, which config_load refuses. */
enum starling_error config_load_beyond(struct config *config, const char *file, config_taker *taker,
                                       void *self, struct problem *problem);

/* The line of an INI file that gives "section.key" last; 0 when none does or it cannot be read. */
size_t config_line(const char *file, const char *name);

/* Whether "section.key" was given by a file or flag. */
bool config_given(const struct config *config, const char *name);

/* Whether "section.key" is other than its default: what a file that lists every key does not hide.
 */
bool config_changed(const struct config *config, const char *name);

/* The first setting in which the two differ, from *place (0 at first) on, as "section.key"; *place
 * moves on behind it. False: none. */
bool config_differs(const struct config *a, const struct config *b, size_t *place,
                    char name[CONFIG_NAME_MAX]);

/* Sets "section.key" from text; `where` ("--set", "--nodes") begins the problem's text. */
enum starling_error config_set(struct config *config, const char *name, const char *value,
                               const char *where, struct problem *problem);
/* The same from one "section.key=value". */
enum starling_error config_set_pair(struct config *config, const char *pair, const char *where,
                                    struct problem *problem);

/* Writes every key of the named sections ("task learn gossip sim"), resolved, so that reading it
 * back gives the same config. With `comments`, each key under its line of help. */
enum starling_error config_write(const struct config *config, const char *sections, bool comments,
                                 FILE *file, struct problem *problem);

/* "  section.key (default)  help" for each key, broken to fit 80 columns, for --help. */
void config_help(FILE *file, const char *sections);

/* Durations ("250ms", "10s", "1m", "2h", "1d") in microseconds and sizes ("64KiB", "1MB", "512")
 * in bytes; false when the text is none. Used by others that read units. */
bool config_duration(const char *text, uint64_t *microseconds);
bool config_size(const char *text, uint64_t *bytes);

/* The nearest of `words` (NULL at the end) to `word` by edit distance, or NULL when none is near.
 */
const char *config_nearest(const char *word, const char *const *words);

#endif
