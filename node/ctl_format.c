#include "node/ctl_format.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const struct cell unknown = {"-"};

struct cell cell_text(const json_t *value)
{
    struct cell cell = unknown;
    const char *text = json_string_value(value);
    if (!text || !*text)
        return cell;
    snprintf(cell.text, sizeof cell.text, "%s", text);
    for (char *c = cell.text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
    return cell;
}

struct cell cell_short_key(const json_t *value)
{
    struct cell cell = cell_text(value);
    cell.text[16] = '\0';
    return cell;
}

struct cell cell_count(const json_t *value)
{
    struct cell cell = unknown;
    if (!json_is_number(value))
        return cell;
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%" PRIu64,
                          (uint64_t)fmin(fmax(json_number_value(value), 0), 1e18));
    char *out = cell.text;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
    return cell;
}

struct cell cell_number(const json_t *value, int digits)
{
    struct cell cell = unknown;
    if (json_is_number(value))
        snprintf(cell.text, sizeof cell.text,
                 fabs(json_number_value(value)) < 1e9 ? "%.*f" : "%.*g", digits,
                 json_number_value(value));
    return cell;
}

struct cell cell_percent(const json_t *value)
{
    struct cell cell = unknown;
    if (json_is_number(value))
        snprintf(cell.text, sizeof cell.text, "%.1f %%", 100 * json_number_value(value));
    return cell;
}

struct cell cell_bytes(const json_t *value)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    struct cell cell = unknown;
    if (!json_is_number(value))
        return cell;
    double bytes = json_number_value(value);
    size_t unit = 0;
    while (bytes >= 1024 && unit < 5) {
        bytes /= 1024;
        unit++;
    }
    snprintf(cell.text, sizeof cell.text, "%.*f %s", unit > 0, bytes, units[unit]);
    return cell;
}

struct cell cell_duration(const json_t *value)
{
    struct cell cell = unknown;
    if (!json_is_number(value))
        return cell;
    double seconds = fmin(fmax(json_number_value(value), 0), 1e12);
    uint64_t minutes = (uint64_t)(seconds / 60);
    if (seconds < 10)
        snprintf(cell.text, sizeof cell.text, "%.1f s", seconds);
    else if (seconds < 60)
        snprintf(cell.text, sizeof cell.text, "%.0f s", floor(seconds));
    else if (minutes < 60)
        snprintf(cell.text, sizeof cell.text, "%" PRIu64 " min", minutes);
    else if (minutes < 48 * 60)
        snprintf(cell.text, sizeof cell.text, "%" PRIu64 " h %02" PRIu64 " min", minutes / 60,
                 minutes % 60);
    else
        snprintf(cell.text, sizeof cell.text, "%" PRIu64 " days", minutes / 1440);
    return cell;
}

struct cell cell_milliseconds(const json_t *value)
{
    struct cell cell = cell_number(value, 1);
    if (json_is_number(value))
        strcat(cell.text, " ms");
    return cell;
}

struct cell cell_clock(const json_t *value)
{
    struct cell cell = unknown;
    struct tm parts;
    time_t seconds = (time_t)fmin(fmax(json_number_value(value), 0), 253402300799.0);
    if (json_is_number(value) && localtime_r(&seconds, &parts))
        strftime(cell.text, sizeof cell.text, "%Y-%m-%d %H:%M:%S", &parts);
    return cell;
}

struct table {
    const char *const *headings;
    size_t columns, count, capacity;
    struct cell *cells; /* count of them, row by row */
};

struct table *table_new(const char *const *headings)
{
    struct table *table = calloc(1, sizeof *table);
    if (!table)
        return NULL;
    table->headings = headings;
    while (headings[table->columns])
        table->columns++;
    return table;
}

void table_free(struct table **table)
{
    struct table *ours = *table;
    *table = NULL;
    if (!ours)
        return;
    free(ours->cells);
    free(ours);
}

bool table_add(struct table *table, struct cell cell)
{
    if (table->count == table->capacity) {
        size_t capacity = table->capacity ? 2 * table->capacity : 64;
        struct cell *cells = reallocarray(table->cells, capacity, sizeof *cells);
        if (!cells)
            return false;
        table->cells = cells;
        table->capacity = capacity;
    }
    table->cells[table->count++] = cell;
    return true;
}

static bool is_left(const char *heading)
{
    return heading[strspn(heading, "~")] == '<';
}

static const char *title(const char *heading)
{
    return heading + strspn(heading, "~<");
}

/* Columns of the terminal; a file or pipe takes any line. */
static int room(void)
{
    struct winsize window;
    bool known = isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0;
    return known && window.ws_col > 0 ? window.ws_col : INT_MAX;
}

/* Leaves out dispensable columns, the last first, until a row fits: a width of 0. Returns whether
 * any went. */
static bool fit(const struct table *table, int *widths)
{
    int total = -2, most = room();
    bool left_out = false;
    for (size_t i = 0; i < table->columns; i++)
        total += widths[i] + 2;
    for (size_t i = table->columns; i-- > 0 && total > most;) {
        if (table->headings[i][0] != '~')
            continue;
        total -= widths[i] + 2;
        widths[i] = 0;
        left_out = true;
    }
    return left_out;
}

static void print_row(const struct table *table, const int *widths, const struct cell *row)
{
    const char *gap = "";
    for (size_t i = 0; i < table->columns; i++) {
        if (widths[i] == 0)
            continue;
        bool left = is_left(table->headings[i]);
        const char *text = row ? row[i].text : title(table->headings[i]);
        int width = left && i + 1 == table->columns ? 0 : widths[i];
        printf("%s%*s", gap, left ? -width : width, text);
        gap = "  ";
    }
    printf("\n");
}

static void print_left_out(const struct table *table, const int *widths)
{
    const char *gap = "";
    printf("%sno room for ", colour_begin(COLOUR_DIM));
    for (size_t i = 0; i < table->columns; i++)
        if (widths[i] == 0) {
            printf("%s%s", gap, title(table->headings[i]));
            gap = ", ";
        }
    printf(": widen the terminal, or --json%s\n", colour_end());
}

void table_print(const struct table *table)
{
    int widths[32] = {0};
    for (size_t i = 0; i < table->columns; i++)
        widths[i] = (int)strlen(title(table->headings[i]));
    for (size_t i = 0; i < table->count; i++) {
        int width = (int)strlen(table->cells[i].text);
        if (width > widths[i % table->columns])
            widths[i % table->columns] = width;
    }
    bool left_out = fit(table, widths);
    printf("%s", colour_begin(COLOUR_DIM));
    print_row(table, widths, NULL);
    printf("%s", colour_end());
    for (size_t i = 0; i + table->columns <= table->count; i += table->columns)
        print_row(table, widths, &table->cells[i]);
    if (left_out)
        print_left_out(table, widths);
}

static bool coloured(void)
{
    const char *no = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(no && *no);
}

const char *colour_begin(enum colour colour)
{
    static const char *const codes[] = {"",         "\033[32m", "\033[33m",
                                        "\033[31m", "\033[2m",  "\033[1m"};
    return coloured() ? codes[colour] : "";
}

const char *colour_end(void)
{
    return coloured() ? "\033[0m" : "";
}
