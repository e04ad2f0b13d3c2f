/* A window and a sub-image built by hand, shared by the tests of publish. */
#ifndef BURST_TESTS_SAMPLE_EVIDENCE_H
#define BURST_TESTS_SAMPLE_EVIDENCE_H
#include "publish/evidence.h"
#include "sample_verdict.h"
#include <stdlib.h>

/* Two detectors, three atoms, two overlapping bands: counts are chosen so that every sum says where it came from. */
static inline struct lightcurve_window *sample_window(void)
{
    struct lightcurve_window *w = NULL;
    if (window_new(2, &w, NULL)) abort(); /* no memory: no test either */
    w->source = (struct source){REALM_ARCHIVE, MISSION_FERMI, INSTRUMENT_GBM};
    w->epoch_ns = source_epoch_ns(source_fact(MISSION_FERMI, INSTRUMENT_GBM));
    w->k_end = INT64_C(5201819776); /* a multiple of 16; ends at 332916465.664 s */
    w->bands =
        (struct band_set){.n_atom = 3, .n_band = 2, .edge_kev = {25, 50, 100, 300}, .first = {0, 1}, .last = {2, 3}};
    w->n_detector = 2;
    w->detector[0] = 6;
    w->detector[1] = 11;
    w->n_valid[0] = WINDOW_BINS;
    w->n_valid[1] = 10;
    w->scored[0] = true;
    for (int row = 0; row < 2; row++)
        for (int t = 0; t < WINDOW_BINS; t++) {
            for (int a = 0; a < 3; a++)
                w->counts[((size_t)row * 3 + (size_t)a) * WINDOW_BINS + (size_t)t] =
                    (uint32_t)(1000 * row + 100 * a + t % 7);
            w->valid[row * WINDOW_BINS + t] = row == 0 || t < 10;
        }
    return w;
}

static inline struct subimage_packet sample_packet(void)
{
    struct subimage_packet p = {.source = {REALM_LIVE, MISSION_SVOM, INSTRUMENT_ECLAIRS},
                                .span = {SAMPLE_TRIGGER_NS, SAMPLE_TRIGGER_NS + INT64_C(20480000000)},
                                .e_min_kev = 8,
                                .e_max_kev = 50,
                                .timescale_s = 20.48,
                                .snr_sigma = 9.1,
                                .n_y = 50,
                                .n_z = 52,
                                .sky_y0 = 40,
                                .sky_z0 = 70,
                                .sky_n = 200,
                                .trigger_y = 60,
                                .trigger_z = 101, /* FITS pixel (21, 32) of the sub-image */
                                .wcs = {{21, 32}, {143.2478, -68.0289}, {{-0.15, 0.01}, {0.01, 0.15}}}};
    return p;
}

static inline void fill_image(struct image_sample *s, struct image_explanation *x, const struct subimage_packet *p)
{
    *s = (struct image_sample){.packet = p};
    *x = (struct image_explanation){0};
    for (int z = 0; z < IMAGE_SIDE; z++)
        for (int y = 0; y < IMAGE_SIDE; y++) {
            s->snr[z][y] = (float)(z + 0.01 * y);
            s->mask[z][y] = MASK_BACKGROUND;
            x->drop[z][y] = (float)(y - z);
        }
    s->mask[IMAGE_CENTRE][IMAGE_CENTRE] = MASK_TRIGGER;
    s->mask[5][3] = MASK_IGNORE;
    s->snr[5][3] = 0;
}
#endif
