/* TELESCOP and INSTRUME against the table of instruments. */
#include "ingest/identify.h"
#include "fits/card.h"
#include <string.h>

enum burst_err ingest_identify(const uint8_t *body, size_t n, enum burst_realm realm, struct source *ret_source,
                               struct burst_error *reterr)
{
    struct fits_file file;
    char telescope[FITS_TEXT_MAX], instrument[FITS_TEXT_MAX];
    enum burst_err err = fits_gate(body, n, &file, reterr);
    if (!err) err = fits_key_text(&file.hdu[0], "TELESCOP", telescope, sizeof telescope, reterr);
    if (!err) err = fits_key_text(&file.hdu[0], "INSTRUME", instrument, sizeof instrument, reterr);
    if (err) return err;
    size_t n_fact;
    const struct instrument_fact *facts = source_facts(&n_fact);
    for (size_t i = 0; i < n_fact; i++) {
        if (strcmp(facts[i].fits_telescope, telescope) != 0 || strcmp(facts[i].fits_instrument, instrument) != 0)
            continue;
        *ret_source = (struct source){realm, facts[i].mission, facts[i].instrument};
        return BURST_OK;
    }
    return burst_fail(reterr, BURST_E_UNSUPPORTED,
                      "PRIMARY: TELESCOP '%s', INSTRUME '%s' is no instrument burstd takes", telescope, instrument);
}
