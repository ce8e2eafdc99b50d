/* frozen — what lies in memory as bytes, to go on from later or elsewhere.
 *
 * One description of a thing both writes it and reads it back: each function below writes a value,
 * or puts what was written into its place. Numbers are little-endian, and floats are as they lie.
 *
 * A version that is referred to from several places is written once, and is one again when it was
 * read. Its number is free for another as soon as all its references are written, so that both
 * sides remember few at a time.
 *
 * Reading trusts nothing. What is wrong first is kept; from then on every value reads as 0, false
 * or NULL, and loops over a number that was read end.
 */
#ifndef STARLING_FROZEN_H
#define STARLING_FROZEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/problem.h"
#include "model/version.h"

struct frozen;

/* Takes `size` bytes that were written, or puts up to so many that are to be read into `bytes`.
 * Returns how many: fewer than asked for when there is no room, or no more. */
typedef size_t frozen_mover(void *self, uint8_t *bytes, size_t size);

/* NULL when memory is out. */
struct frozen *frozen_new(bool reads, frozen_mover *mover, void *self);

/* Hands out what is still kept back. The first thing that went wrong, or STARLING_OK; `where`
 * begins its text. */
enum starling_error frozen_end(struct frozen **frozen, const char *where, struct problem *problem);

bool frozen_reads(const struct frozen *frozen);
bool frozen_is_fine(const struct frozen *frozen);

/* What was read cannot be, or there is no memory for it. */
void frozen_refuse(struct frozen *frozen);
void frozen_no_memory(struct frozen *frozen);

void frozen_bytes(struct frozen *frozen, void *bytes, size_t size);
void frozen_flag(struct frozen *frozen, bool *flag);
void frozen_u32(struct frozen *frozen, uint32_t *number);
void frozen_u64(struct frozen *frozen, uint64_t *number);
void frozen_real(struct frozen *frozen, double *number);

/* Refuses numbers above `most`, and reals that are not from 0 to it. */
void frozen_u32_to(struct frozen *frozen, uint32_t *number, uint64_t most);
void frozen_u64_to(struct frozen *frozen, uint64_t *number, uint64_t most);
void frozen_size_to(struct frozen *frozen, size_t *number, size_t most);
void frozen_real_to(struct frozen *frozen, double *number, double most);

void frozen_floats(struct frozen *frozen, float *values, size_t count);
void frozen_doubles(struct frozen *frozen, double *values, size_t count);

/* A reference to a version, made, of `count` values. When reading, *version is given back, and a
 * new reference takes its place, or NULL, which is refused where one is `needed`. */
void frozen_version(struct frozen *frozen, struct version **version, size_t count, bool needed);

#endif
