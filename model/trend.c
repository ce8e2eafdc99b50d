/* trend — whether losses fall, rise or stand still (docs/trend.md). */
#include "model/evaluation.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define SIGNIFICANT 1.959964 /* standard normal, two-sided at 5 % */
#define PAIRS_MAX (TREND_WINDOW * (TREND_WINDOW - 1) / 2)

void trend_add(struct trend_window *window, double loss)
{
    window->losses[window->next] = loss;
    window->next = (window->next + 1) % TREND_WINDOW;
    if (window->count < TREND_WINDOW)
        window->count++;
}

/* The losses, oldest first. What is not finite becomes a number worse than all that are, so that
 * differences can be taken. */
static void copy_in_order(const struct trend_window *window, double losses[TREND_WINDOW])
{
    double most = -INFINITY, least = INFINITY;
    uint32_t oldest = window->count < TREND_WINDOW ? 0 : window->next;
    for (uint32_t i = 0; i < window->count; i++) {
        losses[i] = window->losses[(oldest + i) % TREND_WINDOW];
        if (!isfinite(losses[i]))
            continue;
        most = fmax(most, losses[i]);
        least = fmin(least, losses[i]);
    }
    double worse = isfinite(most) ? most + (most - least) + 1.0 : 0.0;
    for (uint32_t i = 0; i < window->count; i++)
        if (!isfinite(losses[i]))
            losses[i] = worse;
}

static int sign(double x)
{
    return (x > 0.0) - (x < 0.0);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return sign(x - y);
}

/* S: pairs that rise in time, less pairs that fall. */
static int pairs_rising(const double *x, int count)
{
    int s = 0;
    for (int i = 0; i < count; i++)
        for (int j = i + 1; j < count; j++)
            s += sign(x[j] - x[i]);
    return s;
}

/* The variance of S if nothing changes and values are independent, with t equal values counted as
 * one tie: (n(n−1)(2n+5) − Σ t(t−1)(2t+5)) / 18   (Kendall 1975). */
static double variance_of_pairs(const double *x, int count)
{
    double n = count, variance = n * (n - 1.0) * (2.0 * n + 5.0);
    double sorted[TREND_WINDOW];
    for (int i = 0; i < count; i++)
        sorted[i] = x[i];
    qsort(sorted, (size_t)count, sizeof *sorted, compare_doubles);
    for (int i = 0, t; i < count; i += t) {
        for (t = 1; i + t < count && sorted[i + t] == sorted[i]; t++)
            ;
        variance -= (double)t * (t - 1.0) * (2.0 * t + 5.0);
    }
    return variance / 18.0;
}

/* The median slope over all pairs (Sen 1968). */
static double median_slope(const double *x, int count)
{
    double slopes[PAIRS_MAX];
    size_t pairs = 0;
    for (int i = 0; i < count; i++)
        for (int j = i + 1; j < count; j++)
            slopes[pairs++] = (x[j] - x[i]) / (j - i);
    qsort(slopes, pairs, sizeof *slopes, compare_doubles);
    return 0.5 * (slopes[(pairs - 1) / 2] + slopes[pairs / 2]);
}

/* Ranks 1 to count, equal values sharing their mean rank. */
static void rank(const double *x, int count, double *ranks)
{
    for (int i = 0; i < count; i++) {
        int below = 0, same = 0;
        for (int j = 0; j < count; j++) {
            below += x[j] < x[i];
            same += x[j] == x[i];
        }
        ranks[i] = below + 0.5 * (same + 1);
    }
}

/* By how much the variance of S is larger because neighbours in time resemble each other:
 * 1 + 2/(n(n−1)(n−2)) Σ_k (n−k)(n−k−1)(n−k−2) ρ_k, with ρ_k the autocorrelation of the ranks once
 * the slope is taken out, where it is significant at 5 % (Hamed, Rao 1998, J. Hydrology 204). Never
 * below 1: a correction that makes the test bolder is itself mostly noise in so few values. */
static double correction(const double *x, int count)
{
    double rest[TREND_WINDOW], ranks[TREND_WINDOW];
    double slope = median_slope(x, count), mean = 0.5 * (count + 1), power = 0.0, sum = 0.0;
    for (int i = 0; i < count; i++)
        rest[i] = x[i] - slope * i;
    rank(rest, count, ranks);
    for (int i = 0; i < count; i++)
        power += (ranks[i] - mean) * (ranks[i] - mean);
    if (power == 0.0)
        return 1.0;
    for (int k = 1; k < count - 2; k++) {
        double product = 0.0;
        for (int i = 0; i + k < count; i++)
            product += (ranks[i] - mean) * (ranks[i + k] - mean);
        double rho = product / power;
        if (fabs(rho) > SIGNIFICANT / sqrt(count))
            sum += (double)(count - k) * (count - k - 1) * (count - k - 2) * rho;
    }
    return fmax(1.0, 1.0 + 2.0 * sum / ((double)count * (count - 1) * (count - 2)));
}

enum trend trend_of(const struct trend_window *window)
{
    if (window->count < TREND_LEAST)
        return TREND_STARTING;
    if (!isfinite(window->losses[(window->next + TREND_WINDOW - 1) % TREND_WINDOW]))
        return TREND_WORSE; /* no test needed: such a model is broken */

    double x[TREND_WINDOW];
    int count = (int)window->count;
    copy_in_order(window, x);
    int s = pairs_rising(x, count);
    double variance = variance_of_pairs(x, count);
    if (variance <= 0.0)
        return TREND_CONVERGED; /* all equal */
    double z = (s - sign(s)) / sqrt(variance * correction(x, count));
    if (z < -SIGNIFICANT)
        return TREND_LEARNING;
    return z > SIGNIFICANT ? TREND_WORSE : TREND_CONVERGED;
}

const char *trend_name(enum trend trend)
{
    static const char *const names[] = {
        [TREND_STARTING] = "starting",
        [TREND_LEARNING] = "learning",
        [TREND_CONVERGED] = "converged",
        [TREND_WORSE] = "getting worse",
    };
    return names[trend];
}
