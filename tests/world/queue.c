/* The events to come: a binary heap, ordered by time and then by when they were put. */
#include <stdlib.h>

#include "tests/world/world.h"

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->serial < b->serial;
}

void queue_put(struct queue *queue, struct event event)
{
    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity ? 2 * queue->capacity : 64;
        queue->events = realloc(queue->events, queue->capacity * sizeof *queue->events);
        if (!queue->events)
            abort();
    }
    event.serial = queue->serial++;
    size_t at = queue->count++;
    while (at > 0 && is_before(&event, &queue->events[(at - 1) / 2])) {
        queue->events[at] = queue->events[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    queue->events[at] = event;
}

bool queue_take(struct queue *queue, struct event *event)
{
    if (queue->count == 0)
        return false;
    *event = queue->events[0];
    struct event last = queue->events[--queue->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < queue->count; at = child) {
        if (child + 1 < queue->count && is_before(&queue->events[child + 1], &queue->events[child]))
            child++;
        if (!is_before(&queue->events[child], &last))
            break;
        queue->events[at] = queue->events[child];
    }
    queue->events[at] = last;
    return true;
}
