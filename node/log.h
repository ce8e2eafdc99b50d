/* log — what a node says on stderr: one line an event, as text or as JSON, never a secret.
 *
 * Things that a stranger can cause are said through log_limited, so that nobody fills a disk.
 */
#ifndef STARLING_LOG_H
#define STARLING_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

#define LOG_SUBJECTS 16                 /* kinds of limited lines */
#define LOG_LIMIT_US UINT64_C(10000000) /* between two of one kind */

struct log {
    const char *program; /* begins a line of text */
    int fd;              /* 2 */
    enum log_level level;
    bool json;
    struct {
        uint64_t next_us;
        uint64_t held_back;
    } limits[LOG_SUBJECTS];
};

void log_write(const struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* At most one line per subject (below LOG_SUBJECTS) in LOG_LIMIT_US; the next one that passes says
 * how many were held back. */
void log_limited(struct log *log, enum log_level level, unsigned subject, uint64_t now_us,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* "error", "warn", "info", "debug"; false when `text` is none of them. */
bool log_level_from(const char *text, enum log_level *level);

#endif
