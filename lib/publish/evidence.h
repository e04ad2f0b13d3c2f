/* The FITS behind a revision: what a person wants to see before believing the verdict. Opens in ds9 and TOPCAT.
 *
 * Light curves: primary HDU with the keywords; per scored detector one binary table LC_<name>: TIME (D, s mission
 * elapsed time, bin start), COUNTS ([n_band] J, counts per 64 ms), VALID (B, 1 inside good time) and, where there is an
 * explanation of that detector, CAM (E, Grad-CAM weight, linear between the network's own bins). Band edges: E_LOn,
 * E_HIn (keV). Image: SNR in the primary HDU, MASK (protocol.md 5 values), OCCLUDE (how far the logit falls when the 5
 * x 5 pixels there become background); all 56 x 56 with the trigger pixel at FITS pixel (29, 29), each with the TAN
 * WCS. Refuses to judge: it writes what it is given. */
#ifndef BURST_PUBLISH_EVIDENCE_H
#define BURST_PUBLISH_EVIDENCE_H
#include "records/verdict.h"

/* Given     w             the window behind the revision
 *           explanations  [n_explanation], one per detector at most; may be none
 * Returned  *ret_bytes    malloc'd, the caller frees
 * Errors    BURST_E_SHAPE  a window without detectors or bands; those of fits/write.h. Outputs untouched */
enum burst_err evidence_lightcurves(const struct verdict *v, const struct lightcurve_window *w,
                                    const struct window_explanation *explanations, int n_explanation,
                                    uint8_t **ret_bytes, size_t *ret_n, struct burst_error *reterr);

/* Given     explanation  NULL: no OCCLUDE
 * Returned and Errors as evidence_lightcurves. */
enum burst_err evidence_image(const struct verdict *v, const struct image_sample *image,
                              const struct image_explanation *explanation, uint8_t **ret_bytes, size_t *ret_n,
                              struct burst_error *reterr);
#endif
