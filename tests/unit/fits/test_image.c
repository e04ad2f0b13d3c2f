#include "check.h"
#include "fits/image.h"
#include "unit/fits/made.h"

static struct made file;
static struct burst_error why;
static struct fits_file seen;
static struct fits_image image;

static enum burst_err view(int bitpix, int n, const char *extra, const char *extra2, const void *data, size_t n_data)
{
    file.n = 0;
    made_card(&file, "SIMPLE  =                    T");
    made_card(&file, "BITPIX  = %20d", bitpix);
    made_card(&file, "NAXIS   =                    1");
    made_card(&file, "NAXIS1  = %20d", n);
    if (extra) made_card(&file, "%s", extra);
    if (extra2) made_card(&file, "%s", extra2);
    made_end(&file);
    made_data(&file, data, n_data);
    enum burst_err err = fits_gate(file.bytes, file.n, &seen, &why);
    return err ? err : fits_image_view(&seen.hdu[0], &image, &why);
}

TEST(pixels_of_every_type_read_as_written)
{
    CHECK_INT(view(8, 2, NULL, NULL, "\x07\xff", 2), BURST_OK);
    CHECK(fits_image_pixel(&image, 0) == 7 && fits_image_pixel(&image, 1) == 255);
    CHECK_INT(view(16, 1, NULL, NULL, "\xff\xfe", 2), BURST_OK);
    CHECK(fits_image_pixel(&image, 0) == -2);
    CHECK_INT(view(32, 1, NULL, NULL, "\x80\x00\x00\x00", 4), BURST_OK);
    CHECK(fits_image_pixel(&image, 0) == -2147483648.0);
    CHECK_INT(view(64, 1, NULL, NULL, "\x00\x00\x00\x01\x00\x00\x00\x00", 8), BURST_OK);
    CHECK(fits_image_pixel(&image, 0) == 4294967296.0);
    CHECK_INT(view(-32, 2, NULL, NULL, "\x3f\xc0\x00\x00\x7f\xc0\x00\x00", 8), BURST_OK);
    CHECK(fits_image_pixel(&image, 0) == 1.5 && isnan(fits_image_pixel(&image, 1)));
    CHECK_INT(view(-64, 1, NULL, NULL, "\xc0\x04\x00\x00\x00\x00\x00\x00", 8), BURST_OK);
    CHECK(fits_image_pixel(&image, 0) == -2.5);
    CHECK_INT(fits_image_pixel_at(&image, 0), 2880);
    CHECK_INT(image.n_pixel, 1);
}

TEST(scale_and_blank_are_applied)
{
    CHECK_INT(view(16, 2, "BSCALE  =                  0.5", "BZERO   =                 10.0", "\x00\x03\xff\xff", 4),
              BURST_OK);
    CHECK(fits_image_pixel(&image, 0) == 11.5 && fits_image_pixel(&image, 1) == 9.5);
    CHECK_INT(view(16, 2, "BLANK   =                   -1", NULL, "\x00\x03\xff\xff", 4), BURST_OK);
    CHECK(fits_image_pixel(&image, 0) == 3 && isnan(fits_image_pixel(&image, 1)));
}

TEST(nonsense_in_the_scale_is_refused)
{
    image.n_pixel = 77;
    CHECK_REFUSED(view(16, 1, "BSCALE  =                    0", NULL, "\x00\x03", 2), BURST_E_FORMAT, why,
                  "BSCALE = 0");
    CHECK_REFUSED(view(16, 1, "BSCALE  = 'one'", NULL, "\x00\x03", 2), BURST_E_FORMAT, why,
                  "BSCALE is the string 'one'");
    CHECK_REFUSED(view(16, 1, "BZERO   =                1E400", NULL, "\x00\x03", 2), BURST_E_RANGE, why,
                  "BZERO is 1E400");
    CHECK_REFUSED(view(16, 1, "BLANK   =                  1.5", NULL, "\x00\x03", 2), BURST_E_FORMAT, why,
                  "BLANK is the real");
    CHECK_INT(image.n_pixel, 77);
}

TEST(a_header_without_axes_has_no_pixels)
{
    made_primary(&file);
    made_end(&file);
    CHECK_INT(fits_gate(file.bytes, file.n, &seen, &why), BURST_OK);
    CHECK_INT(fits_image_view(&seen.hdu[0], &image, &why), BURST_OK);
    CHECK_INT(image.n_pixel, 0);
}

TEST(a_table_is_no_image)
{
    made_primary(&file);
    made_end(&file);
    made_table(&file, 0, 0, 0);
    made_end(&file);
    CHECK_INT(fits_gate(file.bytes, file.n, &seen, &why), BURST_OK);
    CHECK_REFUSED(fits_image_view(&seen.hdu[1], &image, &why), BURST_E_SHAPE, why,
                  "an image expected, a table stands there");
}

int main(void)
{
    RUN(pixels_of_every_type_read_as_written);
    RUN(scale_and_blank_are_applied);
    RUN(nonsense_in_the_scale_is_refused);
    RUN(a_header_without_axes_has_no_pixels);
    RUN(a_table_is_no_image);
    return check_report();
}
