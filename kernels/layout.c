/* Element by element. */
#include "kernels/layout.h"

int64_t layout_elements(const struct layout *as)
{
    return as->n_position * as->n_padded;
}

size_t layout_bytes(const struct layout *as, int64_t n)
{
    return (size_t)(n * layout_elements(as)) * (as->bf16 ? sizeof(uint16_t) : sizeof(float));
}

void layout_pack(const struct layout *as, int64_t n, const float *x, void *ret)
{
    int64_t at = 0;
    for (int64_t i = 0; i < n; i++, x += as->n_channel * as->n_position)
        for (int64_t p = 0; p < as->n_position; p++)
            for (int64_t c = 0; c < as->n_padded; c++)
                layout_put(ret, as->bf16, at++, c < as->n_channel ? x[c * as->n_position + p] : 0.0F);
}

void layout_unpack(const struct layout *as, int64_t n, const void *x, float *ret)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < as->n_channel; c++)
            for (int64_t p = 0; p < as->n_position; p++)
                *ret++ = layout_get(x, as->bf16, (i * as->n_position + p) * as->n_padded + c);
}

void layout_columns(const struct layout *as, int64_t n_out, const float *weight, float *ret)
{
    struct layout plain = {as->n_position, as->n_channel, as->n_padded, false};
    layout_pack(&plain, n_out, weight, ret);
}
