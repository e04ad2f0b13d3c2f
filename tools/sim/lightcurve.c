/* Signal over the root of the background. */
#include "sim/lightcurve.h"
#include <math.h>

double lightcurve_snr(const double *signal, const double *background, const uint8_t *valid, size_t n_bin)
{
    double best = 0.0;
    for (size_t length = 1; length <= 128 && length <= n_bin; length *= 2) {
        double s = 0.0, b = 0.0;
        for (size_t i = 0; i < n_bin; i++) {
            s += valid[i] ? signal[i] : 0.0;
            b += valid[i] ? background[i] : 0.0;
            if (i >= length && valid[i - length]) s -= signal[i - length], b -= background[i - length];
            if (i + 1 >= length && b > 0.0 && s > 0.0) best = fmax(best, s / sqrt(b));
        }
    }
    return best;
}
