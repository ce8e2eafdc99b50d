#include "sim/progress.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sim/stopwatch.h"

#define REDRAW_S 0.1
#define LINE_MAX_BYTES 160

void progress_begin(struct progress *progress, const char *unit, uint64_t total, bool quiet)
{
    const char *kind = getenv("TERM");
    *progress = (struct progress){
        .quiet = quiet,
        .terminal = isatty(STDERR_FILENO) && (!kind || strcmp(kind, "dumb") != 0),
        .unit = unit,
        .total = total,
        .started_s = stopwatch_seconds(),
        .last_s = -INFINITY,
    };
}

static void write_duration(double seconds, char *out, size_t size)
{
    if (seconds < 99.5)
        snprintf(out, size, "%.0f s", seconds);
    else if (seconds < 99.5 * 60)
        snprintf(out, size, "%.0f min", seconds / 60);
    else
        snprintf(out, size, "%.1f h", seconds / 3600);
}

/* round 12/50  24%  accuracy 84.1% ±0.6  3.2 rounds/s  12 s left */
static void write_line(const struct progress *progress, uint64_t done, double now, char *out,
                       size_t size)
{
    size_t used = 0;
    double far = (double)done + progress->part;
    uint64_t share = progress->total ? (uint64_t)(100 * far / (double)progress->total) : 100;
    if (progress->part > 0)
        used += (size_t)snprintf(out, size, "%s %.1f/%llu  %llu%%", progress->unit, far,
                                 (unsigned long long)progress->total, (unsigned long long)share);
    else
        used += (size_t)snprintf(out, size, "%s %llu/%llu  %llu%%", progress->unit,
                                 (unsigned long long)done, (unsigned long long)progress->total,
                                 (unsigned long long)share);
    if (progress->evaluated && isfinite(progress->accuracy) && used < size)
        used += (size_t)snprintf(out + used, size - used, "  accuracy %.1f%% ±%.1f",
                                 100 * progress->accuracy, 100 * progress->deviation);
    if (progress->running > 0 && used < size)
        used += (size_t)snprintf(out + used, size - used, "  %llu running",
                                 (unsigned long long)progress->running);
    double elapsed = now - progress->started_s;
    double news = far - (double)progress->first;
    if (news <= 0 || elapsed <= 0 || used >= size)
        return;
    double speed = news / elapsed;
    const char *space = strrchr(progress->unit, ' ');
    const char *word = space ? space + 1 : progress->unit;
    size_t length = strlen(word);
    char left[32];
    write_duration(((double)progress->total - far) / speed, left, sizeof left);
    const char *plural = length > 0 && word[length - 1] == 's' ? "es" : "s";
    if (speed >= 0.095)
        snprintf(out + used, size - used, "  %.*f %s%s/s  %s left", speed < 100 ? 1 : 0, speed,
                 word, plural, left);
    else
        snprintf(out + used, size - used, "  %.0f s/%s  %s left", 1 / speed, word, left);
}

/* Bytes of the longest beginning of `line` that fits `columns`; UTF-8 goes by its first bytes. */
static int fitting(const char *line, size_t columns)
{
    int bytes = 0;
    size_t shown = 0;
    for (; line[bytes]; bytes++)
        if (((unsigned char)line[bytes] & 0xC0) != 0x80 && shown++ == columns)
            break;
    return bytes;
}

static void redraw(struct progress *progress, const char *line)
{
    struct winsize window;
    size_t columns = LINE_MAX_BYTES;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 1)
        columns = window.ws_col - 1u;
    fprintf(stderr, "\r%.*s\033[K", fitting(line, columns), line);
    fflush(stderr);
    progress->shown = true;
}

static void write_now(struct progress *progress, uint64_t done, double now)
{
    char line[LINE_MAX_BYTES];
    progress->last_s = now;
    write_line(progress, done, now, line, sizeof line);
    if (progress->terminal)
        redraw(progress, line);
    else
        fprintf(stderr, "%s\n", line);
}

void progress_within(struct progress *progress, uint64_t done, double part,
                     const struct round_row *latest)
{
    if (!progress->terminal)
        return;
    progress->part = part;
    progress_show(progress, done, latest);
    progress->part = 0;
}

void progress_show(struct progress *progress, uint64_t done, const struct round_row *latest)
{
    if (progress->quiet)
        return;
    if (done > progress->total)
        done = progress->total;
    bool fresh = latest && (!progress->evaluated || latest->round != progress->evaluated_round);
    if (fresh) {
        progress->evaluated = true;
        progress->evaluated_round = latest->round;
        progress->accuracy = latest->accuracy_mean;
        progress->deviation = latest->accuracy_std;
    }
    double now = stopwatch_seconds();
    if (progress->terminal ? now - progress->last_s < REDRAW_S && done < progress->total : !fresh)
        return;
    write_now(progress, done, now);
}

void progress_count(struct progress *progress, uint64_t done, uint64_t running)
{
    double now = stopwatch_seconds();
    bool fresh = done != progress->told;
    progress->running = running;
    if (progress->quiet || (progress->terminal ? now - progress->last_s < REDRAW_S : !fresh))
        return;
    progress->told = done;
    write_now(progress, done, now);
}

void progress_say(struct progress *progress, const char *text)
{
    if (!progress->quiet && progress->terminal)
        redraw(progress, text);
}

void progress_clear(struct progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
    progress->shown = false;
}

void progress_note(struct progress *progress, const char *format, ...)
{
    if (progress->quiet)
        return;
    progress_clear(progress);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

void progress_end(struct progress *progress)
{
    if (progress->shown)
        fputc('\n', stderr);
    progress->shown = false;
}
