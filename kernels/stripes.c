/* The plain C truth of stripes.h. */
#include "kernels/stripes.h"
#include <stddef.h>

/* One axis: `line` steps from line to line, `step` along it. */
static double axis_measure(const float *value, const uint8_t *use, int side, int line, int step, double mean)
{
    double sum = 0;
    int n_line = 0;
    for (int i = 0; i < side; i++) {
        double total = 0;
        int n = 0;
        for (int j = 0; j < side; j++) {
            size_t at = (size_t)i * (size_t)line + (size_t)j * (size_t)step;
            if (!use[at]) continue;
            total += (double)value[at] - mean;
            n++;
        }
        if (n < STRIPES_LINE_LEAST) continue;
        sum += total * total / n;
        n_line++;
    }
    return n_line ? sum / n_line : 0;
}

bool stripes_measure(const float *value, const uint8_t *use, int side, struct stripes *ret)
{
    double sum = 0, square = 0;
    size_t n = 0, n_px = (size_t)side * (size_t)side;
    for (size_t i = 0; i < n_px; i++)
        if (use[i]) {
            sum += (double)value[i];
            n++;
        }
    double mean = n ? sum / (double)n : 0;
    for (size_t i = 0; i < n_px; i++)
        if (use[i]) square += ((double)value[i] - mean) * ((double)value[i] - mean);
    if (!(square > 0)) return false;
    double variance = square / (double)n;
    ret->along_rows = axis_measure(value, use, side, side, 1, mean) / variance;
    ret->along_columns = axis_measure(value, use, side, 1, side, mean) / variance;
    return true;
}
