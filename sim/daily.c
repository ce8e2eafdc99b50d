#include "sim/daily.h"

#include <math.h>

#define TURNOVERS_A_DAY 24.0

double daily_share(const struct daily *daily, double phase_us)
{
    double half_us = daily->period_us / 2, turnover_us = daily->period_us / TURNOVERS_A_DAY;
    double left = exp(-half_us / turnover_us); /* of a difference, after half a day */
    bool day = phase_us < half_us;
    double now = day ? daily->day : daily->night, before = day ? daily->night : daily->day;
    double begins = (before + left * now) / (1 + left); /* what is so at each dawn (dusk) */
    return now + (begins - now) * exp(-(day ? phase_us : phase_us - half_us) / turnover_us);
}

double daily_lasts(const struct daily *daily, double phase_us, bool online, double hazard)
{
    double half_us = daily->period_us / 2, turnover_us = daily->period_us / TURNOVERS_A_DAY;
    double day = (online ? 1 - daily->day : daily->day) / turnover_us;
    double night = (online ? 1 - daily->night : daily->night) / turnover_us;
    double whole = floor(hazard / ((day + night) * half_us)); /* days */
    double lasts_us = whole * daily->period_us;
    hazard -= whole * (day + night) * half_us;
    for (int halves = 0; halves < 3; halves++) { /* the rest of this one, and up to two more */
        bool by_day = phase_us < half_us;
        double rate = by_day ? day : night;
        double piece_us = (by_day ? half_us : daily->period_us) - phase_us;
        if (hazard <= rate * piece_us)
            return rate > 0 ? lasts_us + hazard / rate : lasts_us;
        hazard -= rate * piece_us;
        lasts_us += piece_us;
        phase_us = by_day ? half_us : 0;
    }
    return lasts_us;
}
