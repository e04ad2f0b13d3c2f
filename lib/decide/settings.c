/* Limits of what may be set. */
#include "decide/settings.h"
#include <math.h>

struct decide_settings decide_defaults(void)
{
    return (struct decide_settings){
        .open = 0.5, .low = 0.2, .high = 0.8, .quiet_s = 20, .merge_s = 60, .revision_gap_s = 5};
}

static enum burst_err within(double x, double least, double most, const char *name, struct burst_error *reterr)
{
    if (x >= least && x <= most) return BURST_OK;
    return burst_fail(reterr, BURST_E_RANGE, "%s is %g; %g to %g is taken", name, x, least, most);
}

enum burst_err decide_settings_check(const struct decide_settings *s, struct burst_error *reterr)
{
    enum burst_err err = within(s->open, 0.001, 0.999, "detect.open", reterr);
    if (!err) err = within(s->low, 0.001, 0.999, "detect.low", reterr);
    if (!err) err = within(s->high, 0.001, 0.999, "detect.high", reterr);
    if (!err && s->low >= s->high)
        err = burst_fail(reterr, BURST_E_RANGE, "detect.low %g is not below detect.high %g", s->low, s->high);
    if (!err) err = within(s->quiet_s, 1, 3600, "detect.quiet_s", reterr);
    if (!err) err = within(s->merge_s, 0, 3600, "detect.merge_s", reterr);
    if (!err) err = within(s->revision_gap_s, 0, 600, "detect.min_revision_gap_s", reterr);
    return err;
}
