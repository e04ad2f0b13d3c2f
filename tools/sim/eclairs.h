/* ECLAIRs alerts as the on-board trigger would raise them: a sky, an exposure, a decoded image, and where the trigger
 * fires the 56 x 56 pixels it would send. One object per thread. Source: science.md B.2, B.3, B.5. */
#ifndef BURST_SIM_ECLAIRS_H
#define BURST_SIM_ECLAIRS_H
#include "base/err.h"
#include "prepare/catalogue.h"
#include "records/packet.h"

/* The first three are true (label 1), `unclear` is neither (label -1), the others are false (0). */
enum eclairs_family {
    ECLAIRS_NEW,      /* new source */
    ECLAIRS_OUTBURST, /* catalogued source in outburst */
    ECLAIRS_SETTING,  /* new source setting behind the Earth's limb */
    ECLAIRS_BADSUB,   /* known source badly subtracted */
    ECLAIRS_SAA,      /* particle background */
    ECLAIRS_COLUMN,   /* noisy detector columns or rows */
    ECLAIRS_XRDPIX,   /* modules of other efficiency, long exposures */
    ECLAIRS_HOTPIX,   /* pixels that count by themselves */
    ECLAIRS_ARTEFACT, /* coding noise of a bright source that was modelled wrongly */
    ECLAIRS_NOISE,    /* near-threshold peak among strong sources */
    ECLAIRS_MOON,     /* the Moon, shining by a solar flare */
    ECLAIRS_LOST,     /* a new source whose trigger pixel was lost on the way */
    ECLAIRS_UNCLEAR,  /* two more sources beside it, or a background as bad as those of false alerts */
    ECLAIRS_FAMILY_N
};
extern const char *const ECLAIRS_FAMILY_WORD[ECLAIRS_FAMILY_N];
/* Label of a family: 1 true, 0 false, -1 neither: not for training. */
int eclairs_label(enum eclairs_family family);

struct eclairs_wish {
    enum eclairs_family family;
    double snr;         /* families with a source to steer: S/N aimed at, met within 10 %; 0: as it comes */
    double spread;      /* `spread` of the alert aimed at, met within 25 %, the same families; 0: as it comes */
    double exposure_s;  /* 0: as it comes */
    double thin_below;  /* a peak of fewer sigma is kept with the chance (S/N / this) squared; 0: every one is */
    bool low_threshold; /* 5.5 instead of 6.5 sigma */
    int try_most;       /* exposures before giving up; 0: 4,000 */
    bool lose_packets;  /* one to three of eight stripes, or a block, are missing; the trigger pixel only if `lost` */
};

/* An instrument that is not the one trained on: factors, 1 is none. */
struct eclairs_shift {
    double background; /* rate */
    double response;   /* spread of efficiencies, and of responses to badly known sources */
};

struct eclairs_alert {
    enum eclairs_family family;
    bool low_threshold;
    double snr;    /* of the peak, sigma */
    double spread; /* standard deviation of the whole sky image: 1 is pure noise */
    double coded;  /* share of the plane that sees the peak */
    double exposure_s;
    int n_try;                     /* exposures until the trigger fired */
    double observer_km[3];         /* satellite at the middle of the exposure, axes of ICRS */
    struct subimage_packet packet; /* packet.snr points to `pixels` */
    float pixels[SUBIMAGE_SIDE * SUBIMAGE_SIDE];
};

struct eclairs;

/* Given     mask_seed  the mask pattern; the flight pattern is not public
 *           c          known sources, lent for the object's life
 * Errors    BURST_E_NOMEM; *ret_e untouched */
enum burst_err eclairs_new(uint64_t mask_seed, const struct catalogue *c, struct eclairs **ret_e,
                           struct burst_error *reterr);
void eclairs_free(struct eclairs *e); /* NULL is accepted */
/* From now on, expose this instrument. */
void eclairs_set_shift(struct eclairs *e, const struct eclairs_shift *shift);

/* Expose new skies of the wished family until the trigger fires as wished.
 *
 * Given     seed, index  the alert depends on these, the mask seed, the catalogue, the shift and the wish alone
 * Returned  ret_a        must stay where it is while packet.snr is used
 * Errors    BURST_E_LIMIT  the trigger did not fire in try_most exposures; ret_a is untouched */
enum burst_err eclairs_alert(struct eclairs *e, uint64_t seed, uint64_t index, const struct eclairs_wish *wish,
                             struct eclairs_alert *ret_a, struct burst_error *reterr);

/* Decoded sky of an exposure without any source: [199][199] sigma, NaN outside the coded field. For checks. */
void eclairs_empty_sky(struct eclairs *e, uint64_t seed, double exposure_s, float *ret_snr);
/* The same with one source of `counts` (whole plane, on axis) at a sky pixel. */
void eclairs_source_sky(struct eclairs *e, uint64_t seed, double exposure_s, double counts, double y, double z,
                        float *ret_snr);
#endif
