#include "model/read.h"

#include <stdbool.h>
#include <string.h>

#include "model/random.h"
#include "model/synthetic_hand.h"

#define DIGITS 10
#define WRITERS_DEFAULT 100
#define EXAMPLES_DEFAULT 600 /* a writer */
#define WRITERS_MAX 1000000u
#define EXAMPLES_MAX 4000000u /* in all: 3.1 GB */

/* The test set: people that no training set holds, however many writers it has, each digit as often
 * as every other. */
#define STRANGERS 100
#define STRANGER_FIRST 0x80000000u
#define STRANGER_EXAMPLES 20

/* Of the Dirichlet that a writer's favourite digits are drawn from: at 1 every mixture of the ten
 * digits is as likely as any other. */
#define FAVOURITES_SHAPE 1.0

/* `favourites` becomes the sums of the shares of the digits up to each; the last is 1. */
static void draw_favourites(struct random *random, double favourites[DIGITS])
{
    double sum = 0;
    for (size_t i = 0; i < DIGITS; i++)
        favourites[i] = sum += random_gamma(random, FAVOURITES_SHAPE) + 1e-9;
    for (size_t i = 0; i < DIGITS; i++)
        favourites[i] /= sum;
}

static unsigned draw_digit(struct random *random, const double favourites[DIGITS])
{
    double at = random_uniform(random);
    unsigned digit = 0;
    while (digit + 1 < DIGITS && at >= favourites[digit])
        digit++;
    return digit;
}

/* Fills `count` rows from `row` on with what `writer` writes; with `even`, each digit in turn. */
static void write_rows(struct dataset *dataset, size_t row, size_t count, uint64_t seed,
                       uint32_t writer, bool even)
{
    struct hand hand;
    double favourites[DIGITS];
    struct random random = random_stream(seed, writer, RANDOM_WRITER, 0);
    hand_make(&hand, &random);
    draw_favourites(&random, favourites);
    for (size_t i = 0; i < count; i++, row++) {
        random = random_stream(seed, writer, RANDOM_DIGIT, i);
        unsigned digit = even ? (unsigned)(i % DIGITS) : draw_digit(&random, favourites);
        hand_write(&hand, digit, &random, dataset->bytes + row * HAND_PIXELS);
        dataset->labels[row] = (uint16_t)digit;
    }
}

static enum starling_error write_all(struct dataset *dataset, size_t writers, size_t examples,
                                     uint32_t first_writer, uint64_t seed, bool even,
                                     struct problem *problem)
{
    *dataset = (struct dataset){.examples = writers * examples,
                                .features = HAND_PIXELS,
                                .classes = DIGITS,
                                .height = HAND_SIDE,
                                .width = HAND_SIDE,
                                .channels = 1,
                                .user_count = writers};
    enum starling_error error = dataset_allocate(dataset, 1, 1, problem);
    if (error)
        return error;
    for (size_t i = 0; i < writers; i++) {
        write_rows(dataset, i * examples, examples, seed, first_writer + (uint32_t)i, even);
        for (size_t k = 0; k < examples; k++)
            dataset->users[i * examples + k] = (uint32_t)i;
    }
    return STARLING_OK;
}

/* Reads ?writers=N; *writers stays as it is where it is not given. */
static enum starling_error parse_writers(const char *text, size_t *writers, struct problem *problem)
{
    if (!text)
        return STARLING_OK;
    size_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && value <= WRITERS_MAX; at++)
        value = value * 10 + (size_t)(*at - '0');
    if (*at || value < 1 || value > WRITERS_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "synth:writers?writers=%.32s: not a number of writers: give 1 to %u",
                           text, WRITERS_MAX);
    *writers = value;
    return STARLING_OK;
}

enum starling_error read_synthetic(const struct read_options *options,
                                   const struct data_hints *hints, struct data *data,
                                   struct problem *problem)
{
    if (strcmp(options->path, "writers") != 0)
        return problem_set(problem, STARLING_INVALID,
                           "synth:%.64s: no such data: there is synth:writers", options->path);
    size_t writers = hints->writers ? hints->writers : WRITERS_DEFAULT;
    size_t examples = hints->examples_per_writer ? hints->examples_per_writer : EXAMPLES_DEFAULT;
    enum starling_error error = parse_writers(options->writers, &writers, problem);
    if (error)
        return error;
    if (writers > WRITERS_MAX || examples > EXAMPLES_MAX / writers)
        return problem_set(problem, STARLING_INVALID,
                           "synth:writers: %zu writers of %zu digits: at most %u writers and %u "
                           "digits in all: lower sim.nodes or sim.samples",
                           writers, examples, WRITERS_MAX, EXAMPLES_MAX);
    error = write_all(&data->train, writers, examples, 0, hints->seed, false, problem);
    if (error)
        return error;
    return write_all(&data->test, STRANGERS, STRANGER_EXAMPLES, STRANGER_FIRST, hints->seed, true,
                     problem);
}
