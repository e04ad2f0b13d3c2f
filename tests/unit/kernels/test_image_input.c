/* The two planes an image network sees. Expected numbers by hand from clip [-10, 30] / 5 and mask / 3. */
#include "check.h"
#include "kernels/image_input.h"

static struct burst_error error;
static const struct image_scaling USUAL = {-10.0f, 30.0f, 5.0f, 3.0f};

TEST(pixels_are_clipped_then_scaled_and_the_mask_follows)
{
    const float snr[5] = {-12.0f, -10.0f, 2.5f, 30.0f, 1e6f};
    const uint8_t mask[5] = {0, 1, 2, 3, 1};
    const float want[10] = {-2.0f, -2.0f, 0.5f, 6.0f, 6.0f, 0.0f, 1.0f / 3.0f, 2.0f / 3.0f, 1.0f, 1.0f / 3.0f};
    float ret[10];
    CHECK_INT(image_input(snr, mask, 5, &USUAL, ret, &error), BURST_OK);
    for (int i = 0; i < 10; i++)
        CHECK_NEAR(ret[i], want[i], 1e-7); /* one rounding of a float near 1 */
    CHECK_INT(image_input(snr, mask, 0, &USUAL, ret, &error), BURST_OK);
}

static void refused(struct image_scaling s, float pixel, const char *part)
{
    const float snr[2] = {0.0f, pixel};
    const uint8_t mask[2] = {1, 1};
    float ret[4] = {7, 7, 7, 7};
    CHECK_REFUSED(image_input(snr, mask, 2, &s, ret, &error), BURST_E_RANGE, error, part);
    CHECK(ret[0] == 7 && ret[3] == 7);
}

TEST(a_scaling_that_cannot_be_or_a_pixel_without_a_number_is_refused)
{
    refused((struct image_scaling){30.0f, -10.0f, 5.0f, 3.0f}, 1.0f, "clip [30, -10]");
    refused((struct image_scaling){-10.0f, NAN, 5.0f, 3.0f}, 1.0f, "clip");
    refused((struct image_scaling){-10.0f, 30.0f, 0.0f, 3.0f}, 1.0f, "image scale 0");
    refused((struct image_scaling){-10.0f, 30.0f, 5.0f, -3.0f}, 1.0f, "mask scale -3");
    refused(USUAL, NAN, "pixel 1");
    refused(USUAL, -INFINITY, "pixel 1");
}

int main(void)
{
    RUN(pixels_are_clipped_then_scaled_and_the_mask_follows);
    RUN(a_scaling_that_cannot_be_or_a_pixel_without_a_number_is_refused);
    return check_report();
}
