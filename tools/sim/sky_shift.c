/* Plans: the ordinary one, and those a network was not trained on. */
#include "sim/skyset.h"
#include <math.h>

static const char *const NAME[SHIFT_N] = {"none",         "batse",    "bat",       "level-half",
                                          "level-double", "gain-low", "gain-high", "layout"};

void sky_plan_default(struct sky_plan *ret_plan)
{
    *ret_plan = (struct sky_plan){.bin_s = 0.064,
                                  .n_bin = 1875,
                                  .n_atom = SIM_ATOM,
                                  .only = -1,
                                  .mix_high = 1.0,
                                  .level = 1.0,
                                  .gain = 1.0,
                                  .onset = 0.15};
}

const char *sky_shift_name(enum sky_shift shift)
{
    return NAME[shift];
}

/* Every detector 15 degrees round, to the left and to the right in turn, and a tenth lower. */
static void turn_detectors(struct spacecraft *craft)
{
    for (int d = 0; d < craft->n_detector; d++) {
        struct direction *axis = &craft->detector[d].axis;
        axis->azimuth_deg = fmod(axis->azimuth_deg + (d % 2 ? 345.0 : 15.0), 360.0);
        axis->zenith_deg = fmin(axis->zenith_deg * 1.1 + 5.0, 180.0);
    }
}

void sky_shift_apply(enum sky_shift shift, struct sky_plan *plan)
{
    switch (shift) {
    case SHIFT_BATSE: plan->mix_high = 0.0; break;
    case SHIFT_BAT: plan->mix_low = 1.0; break;
    case SHIFT_FAINT_SKY: plan->level = 0.5; break;
    case SHIFT_LOUD_SKY: plan->level = 2.0; break;
    case SHIFT_LOW_GAIN: plan->gain = 0.97; break;
    case SHIFT_HIGH_GAIN: plan->gain = 1.03; break;
    case SHIFT_LAYOUT:
        for (int i = 0; i < plan->n_craft; i++)
            turn_detectors(&plan->craft[i]);
        break;
    default: break;
    }
}
