/* A comparison on the terminal, and as JSON. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/compare.h"
#include "sim/plot.h"

#define CELL 48
#define COLUMNS 8

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static void percent(double value, char out[CELL])
{
    if (isfinite(value))
        snprintf(out, CELL, "%.2f", 100 * value);
    else
        snprintf(out, CELL, "–");
}

/* The columns: accuracy, spread, best, loss, traffic, rounds, and how soon the target is there. */
static void write_heads(const struct comparison *comparison, char cells[COLUMNS][CELL])
{
    static const char *const heads[] = {"accuracy %", "±",      "best (round)",
                                        "loss",       "a node", "rounds"};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        snprintf(cells[i], CELL, "%s", heads[i]);
    char target[CELL];
    percent(comparison->target, target);
    snprintf(cells[6], CELL, "to %.20s: round", target);
    snprintf(cells[7], CELL, "a node");
}

static void write_cells(const struct compared *run, char cells[COLUMNS][CELL])
{
    const struct summary *summary = &run->past->summary;
    char best[CELL];
    percent(summary->accuracy.mean, cells[0]);
    percent(summary->accuracy.std, cells[1]);
    percent(run->best, best);
    if (isfinite(run->best))
        snprintf(cells[2], CELL, "%.20s (%llu)", best, (unsigned long long)run->best_round);
    else
        snprintf(cells[2], CELL, "–");
    if (isfinite(summary->loss))
        snprintf(cells[3], CELL, "%.4f", summary->loss);
    else
        snprintf(cells[3], CELL, "–");
    plot_value(run->bytes_a_node, PLOT_BYTES, cells[4], CELL);
    snprintf(cells[5], CELL, "%llu%s", (unsigned long long)summary->rounds,
             summary->complete ? "" : " ended");
    snprintf(cells[6], CELL, "–");
    snprintf(cells[7], CELL, "–");
    if (!run->reached.ever)
        return;
    snprintf(cells[6], CELL, "%llu", (unsigned long long)run->reached.round);
    plot_value(run->reached.bytes_a_node, PLOT_BYTES, cells[7], CELL);
}

static void put_row(const char *name, size_t name_width, char cells[COLUMNS][CELL],
                    const size_t widths[COLUMNS], FILE *file)
{
    fprintf(file, "%s%*s", name, (int)(name_width - characters(name)), "");
    for (size_t i = 0; i < COLUMNS; i++)
        fprintf(file, "  %*s%s", (int)(widths[i] - characters(cells[i])), "", cells[i]);
    fputc('\n', file);
}

static void print_differences(const struct comparison *comparison, size_t name_width, FILE *file)
{
    for (size_t i = 0; i < comparison->difference_count; i++) {
        const struct difference *difference = &comparison->differences[i];
        fprintf(file, "%s%s\n", i ? "" : "\n", difference->name);
        for (size_t j = 0; j < comparison->count; j++)
            fprintf(file, "  %s%*s  %s\n", comparison->runs[j].name,
                    (int)(name_width - characters(comparison->runs[j].name)), "",
                    *difference->values[j] ? difference->values[j] : "–");
    }
    if (comparison->difference_count == 0)
        fputs("\nall settings are the same\n", file);
}

void comparison_print(const struct comparison *comparison, FILE *file)
{
    char cells[1 + COMPARISON_RUNS_MAX][COLUMNS][CELL];
    size_t widths[COLUMNS] = {0}, name_width = 0;
    write_heads(comparison, cells[0]);
    for (size_t i = 0; i < comparison->count; i++) {
        size_t width = characters(comparison->runs[i].name);
        name_width = width > name_width ? width : name_width;
        write_cells(&comparison->runs[i], cells[1 + i]);
    }
    for (size_t i = 0; i <= comparison->count; i++)
        for (size_t j = 0; j < COLUMNS; j++) {
            size_t width = characters(cells[i][j]);
            widths[j] = width > widths[j] ? width : widths[j];
        }
    put_row("", name_width, cells[0], widths, file);
    for (size_t i = 0; i < comparison->count; i++)
        put_row(comparison->runs[i].name, name_width, cells[1 + i], widths, file);
    print_differences(comparison, name_width, file);
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *whole(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *words(const char *text)
{
    json_t *json = json_string(text);
    return json ? json : json_null(); /* what is not UTF-8 cannot be said in JSON */
}

static json_t *reached_json(const struct reached *reached)
{
    if (!reached->ever)
        return json_null();
    return json_pack("{s:o,s:o,s:o}", "round", whole(reached->round), "time_s",
                     number(reached->time_s), "bytes_a_node", number(reached->bytes_a_node));
}

static json_t *run_json(const struct compared *run)
{
    const struct summary *summary = &run->past->summary;
    json_t *best = json_null();
    if (isfinite(run->best))
        best =
            json_pack("{s:o,s:o}", "accuracy", number(run->best), "round", whole(run->best_round));
    return json_pack("{s:o,s:o,s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "name", words(run->name),
                     "dir", words(run->past->dir), "complete", summary->complete, "nodes",
                     whole(summary->nodes), "rounds", whole(summary->rounds), "time_s",
                     number(run->time_s), "accuracy", number(summary->accuracy.mean),
                     "accuracy_std", number(summary->accuracy.std), "best", best, "loss",
                     number(summary->loss), "bytes_a_node", number(run->bytes_a_node), "reached",
                     reached_json(&run->reached));
}

static json_t *differences_json(const struct comparison *comparison)
{
    json_t *all = json_object();
    for (size_t i = 0; i < comparison->difference_count; i++) {
        json_t *values = json_array();
        for (size_t j = 0; j < comparison->count; j++)
            json_array_append_new(values, words(comparison->differences[i].values[j]));
        json_object_set_new(all, comparison->differences[i].name, values);
    }
    return all;
}

enum starling_error comparison_json(const struct comparison *comparison, const char *page,
                                    FILE *file, struct problem *problem)
{
    json_t *runs = json_array();
    for (size_t i = 0; i < comparison->count; i++)
        json_array_append_new(runs, run_json(&comparison->runs[i]));
    json_t *json =
        json_pack("{s:i,s:o,s:o,s:o,s:o}", "schema", 1, "target", number(comparison->target),
                  "runs", runs, "differ", differences_json(comparison), "page", words(page));
    if (!json || json_array_size(runs) != comparison->count) {
        json_decref(json);
        return problem_no_memory(problem, "a comparison");
    }
    json_dumpf(json, file, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    fputc('\n', file); /* what cannot be written is told at the end, as for every command */
    json_decref(json);
    return STARLING_OK;
}
