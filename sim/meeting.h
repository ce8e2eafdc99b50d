/* meeting — where the threads of a simulation wait for each other: nobody leaves before all came.
 */
#ifndef STARLING_MEETING_H
#define STARLING_MEETING_H

#include <stdatomic.h>
#include <stddef.h>

/* Start from {0}. */
struct meeting {
    atomic_size_t here;
    atomic_uint number; /* of meetings that are over */
};

/* Waits until `all` threads are here. What any of them wrote before, all can read after. */
void meeting_hold(struct meeting *meeting, size_t all);

#endif
