/* stopwatch — real time, for telling how long things took and for pacing real processes. */
#ifndef STARLING_STOPWATCH_H
#define STARLING_STOPWATCH_H

/* Seconds on the monotonic clock. */
double stopwatch_seconds(void);

#endif
