#include "sim/sweep_table.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CELL_BYTES_MAX 1100 /* a setting's value, or a figure */
#define COLUMNS_MAX (1 + SWEEP_AXES_MAX + 1 + FIGURES_MAX)

static const char *row_value(const struct sweep_plan *plan, size_t row, size_t axis)
{
    return plan->axes[axis].values[plan->rows[row].value[axis]];
}

static struct estimate estimate_row(const struct sweep_runs *sweep, const struct figures *figures,
                                    size_t row, size_t figure)
{
    size_t seeds = sweep->plan->seed_count;
    return figures_estimate(figures, figure, row * seeds, seeds);
}

static bool is_done(const struct sweep_runs *sweep, size_t run)
{
    enum sweep_state state = sweep->runs[run].state;
    return state == SWEEP_DONE || state == SWEEP_SKIPPED;
}

static size_t count_done(const struct sweep_runs *sweep, size_t row)
{
    size_t seeds = sweep->plan->seed_count, count = 0;
    for (size_t i = 0; i < seeds; i++)
        count += is_done(sweep, row * seeds + i);
    return count;
}

/* A field of a table: in quotes where it holds what would part it. */
static void put_field(const char *text, FILE *file)
{
    if (!strpbrk(text, ",\"")) {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (; *text; text++)
        fprintf(file, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', file);
}

static void put_number(double value, FILE *file)
{
    if (!isnan(value))
        fprintf(file, "%.9g", value);
}

void sweep_table_csv(const struct sweep_runs *sweep, const struct figures *figures, FILE *file)
{
    const struct sweep_plan *plan = sweep->plan;
    if (plan->case_count > 0)
        fputs("case,", file);
    for (size_t i = 0; i < plan->axis_count; i++)
        fprintf(file, "%s,", plan->axes[i].name);
    fputs("runs", file);
    for (size_t i = 0; i < figures->count; i++)
        fprintf(file, ",%s,%s_ci95", figures->names[i], figures->names[i]);
    fputc('\n', file);
    for (size_t row = 0; row < plan->row_count; row++) {
        if (plan->case_count > 0) {
            put_field(plan->cases[plan->rows[row].case_number].name, file);
            fputc(',', file);
        }
        for (size_t i = 0; i < plan->axis_count; i++) {
            put_field(row_value(plan, row, i), file);
            fputc(',', file);
        }
        fprintf(file, "%zu", count_done(sweep, row));
        for (size_t i = 0; i < figures->count; i++) {
            struct estimate estimate = estimate_row(sweep, figures, row, i);
            fputc(',', file);
            put_number(estimate.mean, file);
            fputc(',', file);
            put_number(estimate.ci95, file);
        }
        fputc('\n', file);
    }
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *row_settings(const struct sweep_plan *plan, size_t row)
{
    json_t *settings = json_object();
    const struct sweep_row *place = &plan->rows[row];
    bool failed = !settings;
    for (size_t i = 0; i < (plan->case_count ? plan->cases[place->case_number].count : 0); i++) {
        const struct sweep_setting *setting = &plan->cases[place->case_number].settings[i];
        failed |= json_object_set_new(settings, setting->name, json_string(setting->value)) != 0;
    }
    for (size_t i = 0; i < plan->axis_count; i++)
        failed |= json_object_set_new(settings, plan->axes[i].name,
                                      json_string(row_value(plan, row, i))) != 0;
    if (!failed)
        return settings;
    json_decref(settings);
    return NULL;
}

/* The seeds of a row whose runs are in the figures. */
static json_t *row_seeds(const struct sweep_runs *sweep, size_t row)
{
    const struct sweep_plan *plan = sweep->plan;
    json_t *seeds = json_array();
    for (size_t i = 0; seeds && i < plan->seed_count; i++)
        if (is_done(sweep, row * plan->seed_count + i))
            json_array_append_new(seeds, json_integer((json_int_t)plan->seeds[i]));
    return seeds;
}

static json_t *row_figures(const struct sweep_runs *sweep, const struct figures *figures,
                           size_t row)
{
    json_t *all = json_object();
    for (size_t i = 0; all && i < figures->count; i++) {
        struct estimate estimate = estimate_row(sweep, figures, row, i);
        json_object_set_new(
            all, figures->names[i],
            json_pack("{s:o,s:o}", "mean", number(estimate.mean), "ci95", number(estimate.ci95)));
    }
    return all;
}

static json_t *failed_runs(const struct sweep_runs *sweep)
{
    json_t *failed = json_array();
    for (size_t run = 0; failed && run < sweep->plan->run_count; run++)
        if (sweep->runs[run].state == SWEEP_FAILED) {
            const char *why = sweep->runs[run].why;
            json_t *text = why ? json_string(why) : NULL;
            json_array_append_new(failed, json_pack("{s:s,s:o}", "run", sweep->plan->names[run],
                                                    "why", text ? text : json_null()));
        }
    return failed;
}

enum starling_error sweep_table_json(const struct sweep_runs *sweep, const struct figures *figures,
                                     FILE *file, struct problem *problem)
{
    const struct sweep_plan *plan = sweep->plan;
    size_t made = sweep_runs_count(sweep, SWEEP_DONE),
           skipped = sweep_runs_count(sweep, SWEEP_SKIPPED);
    json_t *rows = json_array();
    for (size_t row = 0; rows && row < plan->row_count; row++) {
        const char *name = plan->case_count ? plan->cases[plan->rows[row].case_number].name : NULL;
        json_array_append_new(rows,
                              json_pack("{s:s?,s:o,s:o,s:o}", "case", name, "setting",
                                        row_settings(plan, row), "seeds", row_seeds(sweep, row),
                                        "figures", row_figures(sweep, figures, row)));
    }
    json_t *json =
        json_pack("{s:i,s:b,s:I,s:I,s:o,s:o}", "schema", 1, "complete",
                  made + skipped == plan->run_count, "runs", (json_int_t)plan->run_count, "skipped",
                  (json_int_t)skipped, "failed", failed_runs(sweep), "rows", rows);
    if (!json || json_array_size(rows) < plan->row_count) {
        json_decref(json);
        return problem_no_memory(problem, "the table");
    }
    int failed = json_dumpf(json, file, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(json);
    if (failed || fputc('\n', file) == EOF || fflush(file) != 0)
        return problem_set(problem, STARLING_FAILED,
                           "sweep.json: cannot be written: see that the disk or pipe takes it");
    return STARLING_OK;
}

/* How a figure is shown to a person. */
enum shown_as { AS_SHARE, AS_NUMBER, AS_BYTES };

struct column {
    char head[SWEEP_NAME_MAX];
    enum { COLUMN_CASE, COLUMN_AXIS, COLUMN_RUNS, COLUMN_FIGURE } kind;
    size_t which; /* axis or figure */
    enum shown_as as;
    size_t width; /* characters of the widest cell */
};

/* The figures that a person compares: share of right answers, loss, traffic, and what other ways
 * of learning reach. */
static bool choose_figure(const char *name, struct column *column)
{
    static const struct {
        const char *name, *head;
        enum shown_as as;
    } known[] = {
        {"accuracy.mean", "accuracy %", AS_SHARE},
        {"loss", "loss", AS_NUMBER},
        {"bytes_a_node", "bytes a node", AS_BYTES},
        {"personal.mean", "personal %", AS_SHARE},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!strcmp(name, known[i].name)) {
            snprintf(column->head, sizeof column->head, "%s", known[i].head);
            column->as = known[i].as;
            return true;
        }
    char word[32];
    int end = 0;
    if (!strncmp(name, "accuracy@", 9)) {
        snprintf(column->head, sizeof column->head, "%.40s %%", name);
        column->as = AS_SHARE;
        return true;
    }
    if (sscanf(name, "baselines.%31[^.].accuracy%n", word, &end) == 1 && end > 0 && !name[end]) {
        snprintf(column->head, sizeof column->head, "%s %%", word);
        column->as = AS_SHARE;
        return true;
    }
    if (sscanf(name, "baselines.%31[^.].loss%n", word, &end) == 1 && end > 0 && !name[end]) {
        snprintf(column->head, sizeof column->head, "%s loss", word);
        column->as = AS_NUMBER;
        return true;
    }
    return false;
}

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static void write_bytes(double bytes, char *out, size_t size)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    size_t unit = 0;
    for (; bytes >= 999.5 && unit + 1 < sizeof units / sizeof *units; unit++)
        bytes /= 1000;
    snprintf(out, size, bytes < 99.5 && unit > 0 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

static void write_estimate(struct estimate estimate, enum shown_as as, char *out, size_t size)
{
    double factor = as == AS_SHARE ? 100 : 1;
    int digits = as == AS_SHARE ? 2 : 4;
    if (isnan(estimate.mean))
        snprintf(out, size, "–");
    else if (as == AS_BYTES)
        write_bytes(estimate.mean, out, size);
    else if (isnan(estimate.ci95))
        snprintf(out, size, "%.*f", digits, factor * estimate.mean);
    else
        snprintf(out, size, "%.*f ± %.*f", digits, factor * estimate.mean, digits,
                 factor * estimate.ci95);
}

static void write_cell(const struct sweep_runs *sweep, const struct figures *figures, size_t row,
                       const struct column *column, char *out, size_t size)
{
    const struct sweep_plan *plan = sweep->plan;
    switch (column->kind) {
    case COLUMN_CASE:
        snprintf(out, size, "%s", plan->cases[plan->rows[row].case_number].name);
        break;
    case COLUMN_AXIS:
        snprintf(out, size, "%s", row_value(plan, row, column->which));
        break;
    case COLUMN_RUNS:
        snprintf(out, size, "%zu", count_done(sweep, row));
        break;
    case COLUMN_FIGURE:
        write_estimate(estimate_row(sweep, figures, row, column->which), column->as, out, size);
        break;
    }
}

/* A setting's name without its section, unless that leaves two of a kind. */
static const char *short_name(const struct sweep_plan *plan, size_t axis)
{
    const char *name = plan->axes[axis].name, *word = strchr(name, '.') + 1;
    for (size_t i = 0; i < plan->axis_count; i++)
        if (i != axis && !strcmp(strchr(plan->axes[i].name, '.') + 1, word))
            return name;
    return word;
}

static size_t choose_columns(const struct sweep_plan *plan, const struct figures *figures,
                             struct column *columns)
{
    size_t count = 0;
    if (plan->case_count > 0)
        columns[count++] = (struct column){.head = "case", .kind = COLUMN_CASE};
    for (size_t i = 0; i < plan->axis_count; i++) {
        columns[count] = (struct column){.kind = COLUMN_AXIS, .which = i};
        snprintf(columns[count++].head, SWEEP_NAME_MAX, "%s", short_name(plan, i));
    }
    columns[count++] = (struct column){.head = "n", .kind = COLUMN_RUNS};
    for (size_t i = 0; i < figures->count; i++) {
        columns[count] = (struct column){.kind = COLUMN_FIGURE, .which = i};
        count += choose_figure(figures->names[i], &columns[count]);
    }
    return count;
}

static void put_cell(const char *text, const struct column *column, bool last, FILE *file)
{
    size_t pad = column->width - characters(text);
    bool left = column->kind == COLUMN_CASE || column->kind == COLUMN_AXIS;
    if (!left)
        fprintf(file, "%*s", (int)pad, "");
    fputs(text, file);
    if (left && !last)
        fprintf(file, "%*s", (int)pad, "");
    fputs(last ? "\n" : "  ", file);
}

enum starling_error sweep_table_print(const struct sweep_runs *sweep, const struct figures *figures,
                                      FILE *file, struct problem *problem)
{
    struct column *columns = calloc(COLUMNS_MAX, sizeof *columns);
    if (!columns)
        return problem_no_memory(problem, "the table");
    char cell[CELL_BYTES_MAX];
    size_t count = choose_columns(sweep->plan, figures, columns);
    for (size_t i = 0; i < count; i++) {
        columns[i].width = characters(columns[i].head);
        for (size_t row = 0; row < sweep->plan->row_count; row++) {
            write_cell(sweep, figures, row, &columns[i], cell, sizeof cell);
            size_t width = characters(cell);
            columns[i].width = width > columns[i].width ? width : columns[i].width;
        }
    }
    for (size_t i = 0; i < count; i++)
        put_cell(columns[i].head, &columns[i], i + 1 == count, file);
    for (size_t row = 0; row < sweep->plan->row_count; row++)
        for (size_t i = 0; i < count; i++) {
            write_cell(sweep, figures, row, &columns[i], cell, sizeof cell);
            put_cell(cell, &columns[i], i + 1 == count, file);
        }
    free(columns);
    return STARLING_OK;
}
