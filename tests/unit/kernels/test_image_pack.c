/* Samples with something taken away, and channels-last maps. Numbers by hand: clip [-10, 30] / 5, mask / 3. */
#include "check.h"
#include "kernels/image_pack.h"

enum { SIDE = 7, PIXELS = SIDE * SIDE };
static const struct image_scaling USUAL = {-10.0f, 30.0f, 5.0f, 3.0f};
static float snr[PIXELS], plain[2 * PIXELS], input[2 * PIXELS];
static uint8_t mask[PIXELS];
static struct burst_error error;

/* SNR 10 (2 for the network) everywhere; row 0 without data, sources at 17 and 40, the trigger at 24. */
static void fill(void)
{
    for (int i = 0; i < PIXELS; i++) {
        snr[i] = 10;
        mask[i] = i < SIDE ? 0 : 1;
    }
    mask[17] = mask[40] = 2;
    mask[24] = 3;
    CHECK_INT(image_input(snr, mask, PIXELS, &USUAL, plain, &error), BURST_OK);
    memcpy(input, plain, sizeof input);
}

/* How many pixels of a plane differ from the plain input. */
static int changed(int plane)
{
    int n = 0;
    for (int i = plane * PIXELS; i < (plane + 1) * PIXELS; i++)
        n += input[i] < plain[i] || input[i] > plain[i];
    return n;
}

TEST(a_neighbourhood_is_five_by_five_and_leaves_pixels_without_data)
{
    fill();
    CHECK(image_occlude(mask, SIDE, &USUAL, 24, input)); /* rows and columns 1 to 5 */
    CHECK_INT(changed(0), 25);
    CHECK_INT(changed(1), 3); /* two sources and the trigger; the rest was background */
    CHECK_NEAR(input[8], 0, 0);
    CHECK_NEAR(input[PIXELS + 24], 1.0F / 3, 0);
    fill();
    CHECK(image_occlude(mask, SIDE, &USUAL, 0, input)); /* corner: 3 x 3, its first row without data */
    CHECK_INT(changed(0), 6);
    fill();
    CHECK(image_occlude(mask, SIDE, &USUAL, PIXELS - 1, input));
    CHECK_INT(changed(0), 9);
    fill();
    memset(mask, 0, sizeof mask);
    CHECK(!image_occlude(mask, SIDE, &USUAL, 24, input));
    CHECK_INT(changed(0), 0);
}

TEST(hidden_sources_keep_their_signal)
{
    fill();
    CHECK(image_hide_sources(mask, SIDE, &USUAL, input));
    CHECK_INT(changed(0), 0);
    CHECK_INT(changed(1), 2);
    CHECK_NEAR(input[PIXELS + 17], 1.0F / 3, 0);
    CHECK_NEAR(input[PIXELS + 24], 1, 0);
    mask[17] = mask[40] = 1;
    CHECK(!image_hide_sources(mask, SIDE, &USUAL, input));
}

/* The same samples channels last: planes made one way and the other are equal, bit by bit. */
TEST(packed_samples_are_the_planes)
{
    static const struct layout as[2] = {{PIXELS, 2, 8, false}, {PIXELS, 2, 16, true}};
    static float map[PIXELS * 16];
    for (int kind = 0; kind < 2; kind++)
        for (int without = IMAGE_WITHOUT_SOURCES; without < PIXELS; without++) {
            fill();
            if (without >= 0) (void)image_occlude(mask, SIDE, &USUAL, without, input);
            if (without == IMAGE_WITHOUT_SOURCES) (void)image_hide_sources(mask, SIDE, &USUAL, input);
            memset(map, 0xff, sizeof map);
            image_pack_one(snr, mask, SIDE, &USUAL, without, &as[kind], map);
            int wrong = 0;
            for (int i = 0; i < PIXELS; i++)
                for (int c = 0; c < (int)as[kind].n_padded; c++) {
                    float want = c < 2 ? input[c * PIXELS + i] : 0;
                    float got = layout_get(map, as[kind].bf16, i * as[kind].n_padded + c);
                    if (kind) want = bf16_round(want);
                    wrong += memcmp(&want, &got, sizeof want) != 0;
                }
            CHECK_SAY(wrong == 0, "without %d: %d elements differ", without, wrong);
        }
}

TEST(a_map_lies_channels_last_and_comes_back)
{
    static const struct layout as = {3, 2, 4, false}, half = {3, 2, 8, true};
    static const float x[2][2][3] = {{{1, 2, 3}, {4, 5, 6}}, {{7, 8, 9}, {10, 11, 12}}};
    static const float want[2][3][4] = {{{1, 4}, {2, 5}, {3, 6}}, {{7, 10}, {8, 11}, {9, 12}}};
    float map[2][3][4], back[12];
    uint16_t small[2][3][8];
    CHECK_INT(layout_elements(&as), 12);
    CHECK_INT(layout_bytes(&as, 2), sizeof map);
    CHECK_INT(layout_bytes(&half, 2), sizeof small);
    layout_pack(&as, 2, &x[0][0][0], map);
    CHECK(memcmp(map, want, sizeof map) == 0);
    layout_unpack(&as, 2, map, back);
    CHECK(memcmp(back, x, sizeof x) == 0);
    layout_pack(&half, 2, &x[0][0][0], small);
    CHECK_INT(small[1][2][1], 0x4140); /* 12 is 1.5 x 2^3 */
    CHECK_INT(small[1][2][2], 0);
    memset(back, 0, sizeof back);
    layout_unpack(&half, 2, small, back);
    CHECK(memcmp(back, x, sizeof x) == 0);
}

TEST(columns_of_weights_follow_the_map)
{
    static const struct layout as = {2, 3, 4, true}; /* what the map's elements are does not matter to weights */
    static const float weight[2][6] = {{1, 2, 3, 4, 5, 6}, {7, 8, 9, 10, 11, 12}};
    static const float want[2][8] = {{1, 3, 5, 0, 2, 4, 6, 0}, {7, 9, 11, 0, 8, 10, 12, 0}};
    float ret[2][8];
    layout_columns(&as, 2, &weight[0][0], &ret[0][0]);
    CHECK(memcmp(ret, want, sizeof ret) == 0);
}

static void refused(int n_sample, int image, int without, const char *part)
{
    static struct image_job job;
    job.n_sample = n_sample;
    job.sample[1] = (struct image_variant){image, without};
    CHECK_REFUSED(image_job_check(&job, 1, SIDE, 20, &error), BURST_E_RANGE, error, part);
}

TEST(a_job_outside_its_limits_is_refused)
{
    static struct image_job job = {3, {{0, IMAGE_WHOLE}, {1, IMAGE_WITHOUT_SOURCES}, {1, PIXELS - 1}}};
    CHECK_INT(image_job_check(&job, 2, SIDE, 3, &error), BURST_OK);
    refused(21, 0, 0, "21 samples; 0 to 20 fit");
    refused(-1, 0, 0, "-1 samples");
    refused(2, 1, 0, "sample 1 is image 1 of 1");
    refused(2, -1, 0, "image -1");
    refused(2, 0, PIXELS, "without 49 of 49");
    refused(2, 0, -3, "without -3");
}

int main(void)
{
    RUN(a_neighbourhood_is_five_by_five_and_leaves_pixels_without_data);
    RUN(hidden_sources_keep_their_signal);
    RUN(packed_samples_are_the_planes);
    RUN(a_map_lies_channels_last_and_comes_back);
    RUN(columns_of_weights_follow_the_map);
    RUN(a_job_outside_its_limits_is_refused);
    return check_report();
}
