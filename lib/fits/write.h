/* FITS files made in memory through cfitsio: what burstd writes, a stranger's fitsverify must accept. The same calls give
 * the same bytes (no dates of its own, checksums included), so that a replayed message has the same digest.
 * The general writer comes first; event chunks and sub-images are made with it. Nothing here reads outside bytes. */
#ifndef BURST_FITS_WRITE_H
#define BURST_FITS_WRITE_H
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fits_writer;

/* Start a file. BURST_E_NOMEM, BURST_E_IO (cfitsio's own words). */
enum burst_err fits_writer_new(struct fits_writer **ret_writer, struct burst_error *reterr);
/* Drop writer and bytes; NULL is accepted. */
void fits_writer_free(struct fits_writer *w);

/* What pixels are made of, with C's type in native byte order. */
enum fits_pixel { FITS_U8 = 8, FITS_I16 = 16, FITS_I32 = 32, FITS_F32 = -32, FITS_F64 = -64 };

/* Begin an image HDU; the first HDU of a file is the primary, whatever it is called (name NULL: none written).
 * Given     axis [n_axis]  NAXIS1 (fastest) first; n_axis 0: no data, as in the primary before tables
 *           pixels         NULL when n_axis is 0
 * Errors    BURST_E_SHAPE (axes outside 1..4 or not positive), BURST_E_IO. The writer then only takes fits_writer_free. */
enum burst_err fits_put_image(struct fits_writer *w, const char *name, enum fits_pixel type, int n_axis,
                              const int64_t *axis, const void *pixels, struct burst_error *reterr);

/* A column to write. `form` is TFORM text, "1D", "9J", "12A", "1B", "1I", "1E", "1L"; `data` is [n_row][items] in C's
 * types: D double, E float, J int32_t, I int16_t, K int64_t, B uint8_t, L char 0/1, A char[n] per row, blank- or
 * 0-padded. zero_ns is written as TZERO with nine decimals when not 0 (data hold the stored value). */
struct fits_put_column {
    const char *name, *form, *unit; /* unit NULL: none */
    const void *data;
    int64_t zero_ns;
};

/* Begin a binary-table HDU (an empty primary is made first where the file has none) and write its rows.
 * Errors    BURST_E_SHAPE (no or too many columns, a form outside the list), BURST_E_IO */
enum burst_err fits_put_table(struct fits_writer *w, const char *name, size_t n_row,
                              const struct fits_put_column *columns, int n_column, struct burst_error *reterr);

/* Keywords of the HDU begun last; comment may be NULL. Reals are written with the fewest digits that read back the same;
 * BURST_E_RANGE when not finite. BURST_E_FORMAT: key or text are outside what the gate accepts. */
enum burst_err fits_put_text(struct fits_writer *w, const char *key, const char *text, const char *comment,
                             struct burst_error *reterr);
enum burst_err fits_put_int(struct fits_writer *w, const char *key, int64_t value, const char *comment,
                            struct burst_error *reterr);
enum burst_err fits_put_real(struct fits_writer *w, const char *key, double value, const char *comment,
                             struct burst_error *reterr);
enum burst_err fits_put_logical(struct fits_writer *w, const char *key, bool value, const char *comment,
                                struct burst_error *reterr);
/* Nanoseconds as seconds with as many decimals as are needed, at most nine: exact. */
enum burst_err fits_put_ns(struct fits_writer *w, const char *key, int64_t ns, const char *comment,
                           struct burst_error *reterr);

/* Add DATASUM and CHECKSUM to every HDU and give the file away.
 * Returned  *ret_bytes  malloc'd, the caller frees; [*ret_n], a multiple of 2,880
 * Errors    BURST_E_STATE  nothing was put; BURST_E_IO; BURST_E_NOMEM. Outputs untouched.
 * Notes     The writer is used up either way; fits_writer_free it. */
enum burst_err fits_writer_finish(struct fits_writer *w, uint8_t **ret_bytes, size_t *ret_n,
                                  struct burst_error *reterr);

/* ---- event chunks ---- */

enum fits_layout { FITS_GBM_TTE, FITS_GECAM_EVT };

/* Times below are ns since the mission's epoch (mission elapsed time), 0 or later. */
struct fits_good {
    int64_t start_ns, stop_ns;
};

/* Events of one detector. GBM: `gain`, `type`, `flag` are not written. GECAM: NULL means 0, 1, 0 for every event. */
struct fits_detector_events {
    int detector; /* from 0. GBM: 0..11 NAI_nn, 12, 13 BGO_nn; GECAM: EVENTS01 is 0 */
    size_t n_event;
    const int64_t *met_ns;
    const uint16_t *channel;
    const uint8_t *gain, *type, *flag;
};

struct fits_event_chunk {
    enum fits_layout layout;
    const char *telescope, *instrument; /* TELESCOP, INSTRUME: struct instrument_fact has them */
    int mjdref_i;                       /* MJDREFI, MJDREFF */
    double mjdref_f;
    int64_t zero_ns;  /* GBM: TRIGTIME and TZERO, 0 for none; GECAM: must be 0 */
    size_t n_channel; /* EBOUNDS rows; GECAM: any overflow block is the caller's to append */
    const float *e_min_kev, *e_max_kev;
    size_t n_good; /* good time of all detectors, rising; TSTART, TSTOP are its hull */
    const struct fits_good *good;
    int n_list; /* GBM: exactly 1 */
    const struct fits_detector_events *list;
};

/* Write an event chunk as the mission lays it out: GBM PRIMARY EBOUNDS EVENTS GTI; GECAM and SVOM/GRM PRIMARY EBOUNDS GTI
 * EVENTS01.. up to the highest detector given, detectors not given as the empty placeholders real files have.
 * Errors    BURST_E_SHAPE  no channels, no lists, detectors not rising, n_list not 1 for GBM, zero_ns for GECAM
 *           BURST_E_RANGE  a negative time, good time not rising; BURST_E_IO, BURST_E_NOMEM. Outputs untouched
 * Notes     GBM times are stored as double seconds from zero_ns, GECAM's from the epoch: reading gives the same
 *           nanosecond back wherever a double can tell (GBM always within a day of zero_ns; GECAM when met_ns came from
 *           such a file). Source: formats.md 2, 3. */
enum burst_err fits_write_events(const struct fits_event_chunk *chunk, uint8_t **ret_bytes, size_t *ret_n,
                                 struct burst_error *reterr);

/* ---- ECLAIRs sub-images, protocol.md 5 ---- */

struct fits_subimage {
    const char *burst_id;
    int alert_count;
    const char *date_obs, *date_end; /* UTC text */
    double e_min_kev, e_max_kev, timescale_s, snr_sigma;
    const char *trigger_type, *slew_status, *data_stream;
    int n_y, n_z, sky_y0, sky_z0, sky_n, trigger_y, trigger_z;
    const float *snr; /* [n_z][n_y], NaN where no data came */
    double crpix[2], crval_deg[2], cd[2][2];
};

/* Errors    BURST_E_SHAPE (sides not positive), BURST_E_RANGE (a real that is not finite), BURST_E_FORMAT (a text),
 *           BURST_E_IO, BURST_E_NOMEM. Outputs untouched.
 * Notes     Does not judge: tests write images that ingest must refuse. */
enum burst_err fits_write_subimage(const struct fits_subimage *image, uint8_t **ret_bytes, size_t *ret_n,
                                   struct burst_error *reterr);
#endif
