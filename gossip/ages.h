/* ages — how old a model is, fragment by fragment.
 *
 * Ages count passes over local data. A model that is sent in fragments has an age for each: what is
 * taken over of one leaves the others as old as they were, and the model is as old as its fragments
 * on average. Where each message carries all of the model there is one age, and no more to it.
 *
 * Sources: fragments with an age each, Hegedűs, Danner, Jelasity 2021 (JPDC 148); of them to
 * different peers, Biswas et al. 2024 (DivShare, arXiv 2410.12918).
 *
 * Pure arithmetic. Others may cut their models differently: a piece of theirs meets whichever of
 * one's own fragments it reaches into.
 */
#ifndef STARLING_AGES_H
#define STARLING_AGES_H

#include "gossip/encoding.h"

/* Borrowed. */
struct ages {
    size_t parameters;
    uint32_t fragments;
    double *each; /* `fragments` of them; NULL: all are *whole */
    double *whole;
};

/* All as old as that. */
void ages_set(const struct ages *ages, double age);

/* Of the parameters that the piece is of, on average. The piece fits (piece_fits). */
double ages_of(const struct ages *ages, const struct piece *piece);

/* The piece was merged, and what it carries is now so old: a fragment renewed in part ages in part.
 */
void ages_renew(const struct ages *ages, const struct piece *piece, double age);

/* The same of a piece that was mixed in and took nothing's place: what is older stays as old. */
void ages_raise(const struct ages *ages, const struct piece *piece, double age);

/* Everything was trained on for `share` of a pass; never beyond `most`. */
void ages_add(const struct ages *ages, double share, double most);

#endif
