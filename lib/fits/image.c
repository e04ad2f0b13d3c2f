/* Images in place. */
#include "fits/image.h"
#include "base/bytes.h"
#include "fits/card.h"
#include <math.h>

static enum burst_err read_number(const struct fits_hdu *hdu, const char *key, double *ret_value,
                                  struct burst_error *reterr)
{
    return fits_key_has(hdu, key) ? fits_key_real(hdu, key, -HUGE_VAL, HUGE_VAL, ret_value, reterr) : BURST_OK;
}

enum burst_err fits_image_view(const struct fits_hdu *hdu, struct fits_image *ret_image, struct burst_error *reterr)
{
    struct fits_image image = {.hdu = hdu, .scale = 1, .n_pixel = hdu->n_axis > 0};
    if (hdu->kind == FITS_TABLE)
        return burst_fail(reterr, BURST_E_SHAPE, "%s: an image expected, a table stands there (header at byte %zu)",
                          hdu->name, hdu->header_at);
    for (int i = 0; i < hdu->n_axis; i++)
        image.n_pixel *= (size_t)hdu->axis[i]; /* the gate has checked that the bytes are there */
    enum burst_err err = read_number(hdu, "BSCALE", &image.scale, reterr);
    if (err || (err = read_number(hdu, "BZERO", &image.zero, reterr))) return err;
    if (image.scale == 0)
        return burst_fail(reterr, BURST_E_FORMAT, "%s: BSCALE = 0 (card at byte %zu)", hdu->name,
                          fits_key_at(hdu, "BSCALE"));
    image.has_blank = hdu->bitpix > 0 && fits_key_has(hdu, "BLANK");
    if (image.has_blank && (err = fits_key_int(hdu, "BLANK", INT64_MIN, INT64_MAX, &image.blank, reterr))) return err;
    *ret_image = image;
    return BURST_OK;
}

static size_t pixel_bytes(const struct fits_image *image)
{
    return (size_t)(image->hdu->bitpix < 0 ? -image->hdu->bitpix : image->hdu->bitpix) / 8;
}

static int64_t pixel_int(const uint8_t *p, int bitpix)
{
    switch (bitpix) {
    case 8: return *p;
    case 16: return (int16_t)bytes_get_u16(p);
    case 32: return (int32_t)bytes_get_u32(p);
    default: return (int64_t)bytes_get_u64(p);
    }
}

double fits_image_pixel(const struct fits_image *image, size_t i)
{
    const uint8_t *p = image->hdu->data + i * pixel_bytes(image);
    int bitpix = image->hdu->bitpix;
    double stored;
    if (bitpix < 0)
        stored = bitpix == -32 ? (double)bytes_get_f32(p) : bytes_get_f64(p);
    else {
        int64_t value = pixel_int(p, bitpix);
        if (image->has_blank && value == image->blank) return (double)NAN;
        stored = (double)value;
    }
    return stored * image->scale + image->zero;
}

size_t fits_image_pixel_at(const struct fits_image *image, size_t i)
{
    return image->hdu->data_at + i * pixel_bytes(image);
}
