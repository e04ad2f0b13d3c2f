/* One exposure of ECLAIRs' detector plane: expected counts, Poisson counts, and the fit that cleans background and
 * known sources away. Arrays are [PLANE_SIDE][PLANE_SIDE] = [z][y]. Source: science.md B.2 steps 2 to 4. */
#ifndef BURST_SIM_ECLAIRS_PLANE_H
#define BURST_SIM_ECLAIRS_PLANE_H
#include "sim/eclairs_mask.h"
#include "sim/rng.h"
#include <stdbool.h>

enum { PLANE_SOURCE_MAX = 24 };

struct plane_source {
    double y, z;         /* sky pixel where it is */
    double counts;       /* on the whole plane in this exposure, were it on axis */
    double mismatch;     /* spread of its response from pixel to pixel, which the fit does not know */
    bool cleaned;        /* the fit knows it ... */
    double fit_y, fit_z; /* ... here ... */
    double left_over;    /* ... and leaves this share of what it found behind */
};

struct plane_scene {
    double exposure_s;
    double rate_hz;            /* background counts per second and pixel, mean of the plane */
    float gain[PLANE_PIXELS];  /* efficiency, about 1 */
    float shape[PLANE_PIXELS]; /* background relative to rate_hz */
    float extra[PLANE_PIXELS]; /* further expected counts */
    float alive[PLANE_PIXELS]; /* 1, or 0: switched off */
    int n_source;
    struct plane_source source[PLANE_SOURCE_MAX];
};

struct exposure {
    float counts[PLANE_PIXELS];   /* Poisson; 0 on dead pixels */
    float residual[PLANE_PIXELS]; /* counts minus fitted model; 0 on dead pixels */
};

/* Centre of a pixel on the plane, -1 to 1 along one side. */
double plane_coordinate(int pixel);
/* An empty scene: CXB dome, pixel and module efficiencies, 1 % dead pixels; exposure and rate as given. */
void plane_start(struct rng *r, double exposure_s, double rate_hz, struct plane_scene *ret_scene);
/* Counts of the scene, then the least-squares fit of a quadratic background and every cleaned source's shadow. */
void plane_expose(const struct coded_mask *m, const struct plane_scene *scene, struct rng *r,
                  struct exposure *ret_exposure);
#endif
