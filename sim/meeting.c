#include "sim/meeting.h"

#include "sim/pool.h"

#define LOOKS 2000 /* before the processor is left to others */

void meeting_hold(struct meeting *meeting, size_t all)
{
    unsigned number = atomic_load_explicit(&meeting->number, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&meeting->here, 1, memory_order_acq_rel) + 1 == all) {
        atomic_store_explicit(&meeting->here, 0, memory_order_relaxed);
        atomic_store_explicit(&meeting->number, number + 1, memory_order_release);
        return;
    }
    for (unsigned look = 0; atomic_load_explicit(&meeting->number, memory_order_acquire) == number;
         look++)
        if (look >= LOOKS)
            pool_wait(look - LOOKS);
}
