/* One exposure of ECLAIRs' detector plane: expected counts, Poisson counts, and the fit that cleans background and
 * known sources away. Arrays are [PLANE_SIDE][PLANE_SIDE] = [z][y]. Source: science.md B.2 steps 2 to 4. */
#ifndef BURST_SIM_ECLAIRS_PLANE_H
#define BURST_SIM_ECLAIRS_PLANE_H
#include "sim/eclairs_mask.h"
#include "sim/rng.h"
#include <stdbool.h>

enum { PLANE_SOURCE_MAX = 24, PLANE_POLYNOMIALS = 6, PLANE_FIT_MAX = PLANE_POLYNOMIALS + PLANE_SOURCE_MAX };

/* The detector itself: the same for every exposure it makes. */
struct plane_detector {
    float gain[PLANE_PIXELS];                          /* efficiency, about 1 */
    float alive[PLANE_PIXELS];                         /* 1, or 0: switched off */
    float polynomial[PLANE_POLYNOMIALS][PLANE_PIXELS]; /* what the fit calls background; 0 on dead pixels */
    double polynomial_product[PLANE_POLYNOMIALS][PLANE_POLYNOMIALS]; /* sums of products, lower triangle */
};

struct plane_source {
    double y, z;         /* sky pixel where it is ... */
    double end_y, end_z; /* ... and where it is when the exposure ends */
    double radius_px;    /* of an even disc; 0: a point */
    double counts;       /* on the whole plane in this exposure, were it on axis */
    double mismatch;     /* spread of its response from pixel to pixel, which the fit does not know */
    bool cleaned;        /* the fit knows it ... */
    double fit_y, fit_z; /* ... here ... */
    double left_over;    /* ... and leaves this share of what it found behind */
};

struct plane_scene {
    double exposure_s;
    double rate_hz;            /* background counts per second and pixel, mean of the plane */
    float shape[PLANE_PIXELS]; /* background relative to rate_hz */
    float extra[PLANE_PIXELS]; /* further expected counts, may be negative */
    int n_source;
    struct plane_source source[PLANE_SOURCE_MAX];
};

/* What a scene's exposures share, so that one costs its counts and its decoding alone. */
struct plane_work {
    float shadow[PLANE_SOURCE_MAX]
                [PLANE_PIXELS]; /* of each source, with its response; one count on axis, whole plane */
    int n_cleaned;
    int cleaned[PLANE_SOURCE_MAX];                /* sources that the fit knows ... */
    float fitted[PLANE_SOURCE_MAX][PLANE_PIXELS]; /* ... and their shadows as it believes them; 0 on dead pixels */
    double factor[PLANE_FIT_MAX][PLANE_FIT_MAX];  /* Cholesky factor of the normal equations, lower triangle */
    bool lost[PLANE_FIT_MAX];                     /* no pivot left: coefficient 0 */
};

struct exposure {
    float counts[PLANE_PIXELS];   /* Poisson; 0 on dead pixels */
    float residual[PLANE_PIXELS]; /* counts minus fitted model; 0 on dead pixels */
};

/* Centre of a pixel on the plane, -1 to 1 along one side. */
double plane_coordinate(int pixel);
/* Efficiencies of pixels (2 %) and modules (1 %), `spread` times as wide, and 1 % dead pixels. */
void plane_detector_draw(struct rng *r, double spread, struct plane_detector *ret_detector);
/* An empty scene: CXB dome; exposure and rate as given. */
void plane_start(double exposure_s, double rate_hz, struct plane_scene *ret_scene);
/* Shadows, responses, and the fit of a quadratic background and every cleaned source's shadow. Sources may change their
 * counts and left_over afterwards, nothing else of theirs. */
void plane_prepare(const struct coded_mask *m, const struct plane_detector *d, const struct plane_scene *scene,
                   struct rng *r, struct plane_work *ret_work);
/* Counts of the scene, and what the least-squares fit leaves of them. */
void plane_expose(const struct plane_detector *d, const struct plane_scene *scene, const struct plane_work *work,
                  struct rng *r, struct exposure *ret_exposure);
#endif
