/* A window and a sub-image made here, always the same ones: what the canary asks, and what two networks are compared
 * on. They look like data (noise, a burst, bad bins, a source, a missing corner), so that no layer of a network sees
 * zeros alone. */
#include "infer/device_inside.h"
#include <string.h>

enum { BURST_FROM = 1200, BURST_BINS = 150, GAP_FROM = 300, GAP_BINS = 40, CORNER = 9 };

/* A fixed sequence of numbers 0..n-1 (Knuth's multiplier for 32 bits; the high bits are the good ones). */
static uint32_t next_of(uint32_t *state, uint32_t n)
{
    *state = *state * 1664525U + 1013904223U;
    return (*state >> 16) % n;
}

static void made_row(struct lightcurve_window *w, int row, uint32_t *state)
{
    uint8_t *valid = w->valid + (size_t)row * WINDOW_BINS;
    for (int t = 0; t < WINDOW_BINS; t++) {
        valid[t] = !(t >= GAP_FROM && t < GAP_FROM + GAP_BINS);
        bool burst = t >= BURST_FROM && t < BURST_FROM + BURST_BINS;
        for (int a = 0; a < w->bands.n_atom; a++)
            w->counts[((size_t)row * (size_t)w->bands.n_atom + (size_t)a) * WINDOW_BINS + (size_t)t] =
                valid[t] ? 20 + next_of(state, 12) + (burst ? (uint32_t)(12 * (row + 1)) : 0) : 0;
    }
    w->detector[row] = row;
    w->n_valid[row] = WINDOW_BINS - GAP_BINS;
    w->scored[row] = true;
}

enum burst_err made_window(struct device_made *m, const struct band_set *bands, struct burst_error *reterr)
{
    uint32_t state = 20261120;
    enum burst_err err = window_new(MADE_ROWS, &m->window, reterr);
    if (err) return err;
    m->window->bands = *bands;
    m->window->k_end = 100 * WINDOW_BINS;
    m->window->n_detector = MADE_ROWS;
    for (int row = 0; row < MADE_ROWS; row++)
        made_row(m->window, row, &state);
    return BURST_OK;
}

void made_image(struct device_made *m)
{
    uint32_t state = 20261120;
    struct image_sample *s = &m->image;
    memset(s, 0, sizeof *s);
    for (int z = 0; z < IMAGE_SIDE; z++)
        for (int y = 0; y < IMAGE_SIDE; y++) {
            bool missing = z < CORNER && y < CORNER;
            s->mask[z][y] = missing ? MASK_IGNORE : MASK_BACKGROUND;
            s->snr[z][y] = missing ? 0.0F : (float)next_of(&state, 401) / 100.0F - 2.0F;
        }
    s->snr[IMAGE_CENTRE][IMAGE_CENTRE] = 9;
    s->mask[IMAGE_CENTRE][IMAGE_CENTRE] = MASK_TRIGGER;
    s->mask[IMAGE_CENTRE - 8][IMAGE_CENTRE + 12] = MASK_SOURCE;
    const int32_t without[MADE_PARTS] = {IMAGE_CENTRE * IMAGE_SIDE + IMAGE_CENTRE, 0, CORNER * IMAGE_SIDE + CORNER,
                                         IMAGE_WITHOUT_SOURCES, IMAGE_WHOLE};
    memcpy(m->without, without, sizeof m->without);
}
