/* What can be wrong with background and detector: each adds to a scene. Inner part of eclairs.h.
 * Source: science.md B.3. */
#ifndef BURST_SIM_ECLAIRS_TROUBLE_H
#define BURST_SIM_ECLAIRS_TROUBLE_H
#include "sim/eclairs_decode.h"
#include "sim/eclairs_plane.h"

/* Share of the background that is cosmic and that the Earth hides; the rest is particles. Source: science.md B.1 names
 * both; the share is assumed from 5.4 photons/s/cm2/sr at 4 to 20 keV (Gruber et al. 1999). */
#define COSMIC_SHARE 0.75

/* Particles: exponential slopes, ripples, and 10 % from module to module; `strength` in units of the background. */
void trouble_particles(struct rng *r, double strength, struct plane_scene *s);
/* One to four columns or rows, one or two pixels wide, `low` to `high` above the background. */
void trouble_columns(struct rng *r, double low, double high, struct plane_scene *s);
/* Three to `most` XRDPIX modules of 8 x 4 pixels whose background is `low` to `high` too large or too small. */
void trouble_modules(struct rng *r, int most, double low, double high, struct plane_scene *s);
/* One to three pixels that count by themselves. */
void trouble_hot_pixels(struct rng *r, struct plane_scene *s);

/* The Earth, as seen in tangent coordinates of the plane: a unit vector whose third part is along the axis. */
struct earth {
    double toward[3];
};

/* The Earth's limb somewhere inside the field. */
struct earth earth_draw(struct rng *r);
/* The limb over a sky pixel: this share of the exposure the Earth is in front of it. */
struct earth earth_over(struct rng *r, double y, double z, double exposure_s, double hidden);
/* Share of the exposure that a sky pixel is behind the Earth, which moves at right angles to its limb. */
double earth_hides(const struct earth *earth, double y, double z, double exposure_s);
/* Take away what the Earth hides: of the cosmic background, through the mask, and of every source. */
void trouble_earth(const struct earth *earth, struct decoder *d, struct plane_scene *s);
#endif
