/* daily — nodes that come and go with day and night.
 *
 * A day of PERIOD has a half in which a share DAY of the nodes is there, and one with NIGHT. Nodes
 * come and go at random all the time, at such rates that the share of those that are there goes
 * towards DAY or NIGHT as 1 − exp(−t / T), with T = PERIOD / 24: stays last T / (1 − DAY) on
 * average by day, absences T / DAY. Each node lives in a time zone of its own: its day begins up to
 * ZONES × PERIOD earlier than that of a node in the first zone, which begins with the world.
 *
 * A Markov chain in continuous time with two states, whose rates are constant by halves of a day:
 * what is left of a stay is drawn by the integral of its rate (Lewis and Shedler 1979, Naval
 * Research Logistics 26(3), on processes that are not homogeneous).
 */
#ifndef STARLING_DAILY_H
#define STARLING_DAILY_H

#include <stdbool.h>
#include <stdint.h>

struct daily {
    double period_us, day, night;
    double zones; /* share of the period that they are spread over: 0, all in one; 1, the globe */
};

/* The share of the nodes that is there, so far into a local day that is one of many. */
double daily_share(const struct daily *daily, double phase_us);

/* When what holds from `phase_us` on, being there (`online`) or not, ends: how much later, for
 * `hazard` drawn from the exponential distribution with mean 1. */
double daily_lasts(const struct daily *daily, double phase_us, bool online, double hazard);

#endif
