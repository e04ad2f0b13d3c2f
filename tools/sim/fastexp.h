/* exp that compilers turn into vector code. */
#ifndef BURST_SIM_FASTEXP_H
#define BURST_SIM_FASTEXP_H
#include <stdint.h>
#include <string.h>

/* exp(x), relative error below 1e-9; 0 for x < -700. x <= 700.
 * Notes  No branch: loops over it become vector code without -ffast-math. */
static inline double fast_exp(double x)
{
    static const double SHIFTER = 0x1.8p52, LOG2E = 1.4426950408889634, LN2 = 0.6931471805599453;
    double low = x < -700.0 ? -700.0 : x, shifted = low * LOG2E + SHIFTER;
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof bits); /* its low bits are round(x / ln 2) */
    double r = low - (shifted - SHIFTER) * LN2;
    double p =
        1.0 + r * (1.0 / 2 +
                   r * (1.0 / 6 + r * (1.0 / 24 + r * (1.0 / 120 + r * (1.0 / 720 + r * (1.0 / 5040 + r / 40320))))));
    p = 1.0 + r * p;
    double scale;
    bits = (bits + 1023) << 52;
    memcpy(&scale, &bits, sizeof scale);
    return x < -700.0 ? 0.0 : p * scale;
}
#endif
