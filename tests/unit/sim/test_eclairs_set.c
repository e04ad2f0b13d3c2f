/* Labelled sets: shares, families, and the same bytes whatever the number of threads. */
#include "check.h"
#include "sim/eclairs_set.h"
#include <stdlib.h>

enum { N = 24 };
static struct burst_error error;
static struct catalogue catalogue;
static struct eclairs_row rows[N], others[N];
static size_t n_told, n_told_last;

static struct eclairs_order usual(uint64_t seed, int n_thread)
{
    struct eclairs_order order = {.seed = seed, .mask_seed = 1, .n = N, .n_thread = n_thread, .shift = {1.0, 1.0}};
    eclairs_usual_families(order.family);
    return order;
}

static void count_told(size_t done, size_t total)
{
    n_told++;
    n_told_last = done;
    CHECK_INT(total, N);
}

TEST(a_set_has_its_share_of_false_rows_and_scaled_inputs)
{
    struct eclairs_order order = usual(8, 2);
    int n_false = 0;
    CHECK_INT(eclairs_set_make(&catalogue, &order, count_told, rows, &error), BURST_OK);
    for (int i = 0; i < N; i++) {
        n_false += !eclairs_label(rows[i].family);
        CHECK_NEAR(rows[i].input[28 * 56 + 28], fmin(rows[i].snr, 30.0) / 5.0, 1e-5);
        CHECK_NEAR(rows[i].input[56 * 56 + 28 * 56 + 28], 1.0, 0.0); /* mask 3 / 3 */
        CHECK(rows[i].family != ECLAIRS_LOST && rows[i].family != ECLAIRS_UNCLEAR);
        CHECK(rows[i].coded > 0.0 && rows[i].coded <= 1.0 && rows[i].frame_sd > 0.5);
    }
    CHECK_INT(n_false, 10); /* 24 x 230 / 563 = 9.8 */
    CHECK_INT(n_told, N);
    CHECK_INT(n_told_last, N);
}

TEST(every_true_row_has_the_brightness_and_exposure_of_a_false_one)
{
    for (int i = 0; i < N; i++) {
        bool met = !eclairs_label(rows[i].family);
        for (int k = 0; k < N && !met; k++)
            met = !eclairs_label(rows[k].family) && fabs(rows[i].snr / rows[k].snr - 1.0) <= 0.1 + 1e-9 &&
                  fabs(rows[i].exposure_s - rows[k].exposure_s) < 1e-9;
        CHECK(met);
    }
}

TEST(the_number_of_threads_changes_nothing)
{
    struct eclairs_order order = usual(8, 1);
    CHECK_INT(eclairs_set_make(&catalogue, &order, NULL, others, &error), BURST_OK);
    for (int i = 0; i < N; i++) {
        CHECK(memcmp(rows[i].input, others[i].input, sizeof rows[i].input) == 0);
        CHECK_STR(rows[i].burst_id, others[i].burst_id);
        CHECK_NEAR(rows[i].spread, others[i].spread, 0.0);
    }
    order = usual(9, 3);
    CHECK_INT(eclairs_set_make(&catalogue, &order, NULL, others, &error), BURST_OK);
    CHECK(memcmp(rows[0].input, others[0].input, sizeof rows[0].input) != 0);
}

TEST(only_the_ordered_families_are_drawn)
{
    struct eclairs_order order = usual(10, 2);
    order.family[ECLAIRS_BADSUB] = order.family[ECLAIRS_SETTING] = false;
    CHECK_INT(eclairs_set_make(&catalogue, &order, NULL, rows, &error), BURST_OK);
    for (int i = 0; i < N; i++)
        CHECK(rows[i].family != ECLAIRS_BADSUB && rows[i].family != ECLAIRS_SETTING);
    const enum eclairs_family alone[] = {ECLAIRS_HOTPIX, ECLAIRS_NEW, ECLAIRS_LOST, ECLAIRS_UNCLEAR};
    for (int k = 0; k < 4; k++) {
        struct eclairs_order one = {.seed = 11, .mask_seed = 1, .n = 6, .n_thread = 2, .shift = {1.0, 1.0}};
        one.family[alone[k]] = true;
        CHECK_INT(eclairs_set_make(&catalogue, &one, NULL, rows, &error), BURST_OK);
        for (int i = 0; i < 6; i++)
            CHECK_INT(rows[i].family, alone[k]);
    }
    for (int i = 0; i < 6; i++) /* unclear ones were last */
        CHECK_INT(eclairs_label(rows[i].family), -1);
}

TEST(without_any_family_there_is_no_set)
{
    struct eclairs_order order = {.seed = 1, .mask_seed = 1, .n = 4, .n_thread = 1, .shift = {1.0, 1.0}};
    CHECK_REFUSED(eclairs_set_make(&catalogue, &order, NULL, rows, &error), BURST_E_MISSING, error,
                  "no family is left to draw from");
}

/* A list without a bright source has nothing that could be subtracted badly. */
TEST(a_row_that_cannot_be_made_is_told_by_its_number)
{
    struct catalogue empty = {0};
    struct eclairs_order order = {.seed = 1, .mask_seed = 1, .n = 3, .n_thread = 2, .shift = {1.0, 1.0}};
    order.family[ECLAIRS_BADSUB] = true;
    CHECK_INT(eclairs_set_make(&empty, &order, NULL, rows, &error), BURST_E_LIMIT);
    CHECK(strstr(error.text, "badsub alert ") == error.text);
    CHECK(strstr(error.text, ": no trigger in 4000 exposures") != NULL);
}

int main(void)
{
    if (catalogue_load(BURST_SOURCE_DIR "/config/catalogues/known-sources.csv", &catalogue, &error)) {
        printf("FAIL eclairs_set: %s\n", error.text);
        return 1;
    }
    RUN(a_set_has_its_share_of_false_rows_and_scaled_inputs);
    RUN(every_true_row_has_the_brightness_and_exposure_of_a_false_one);
    RUN(the_number_of_threads_changes_nothing);
    RUN(only_the_ordered_families_are_drawn);
    RUN(without_any_family_there_is_no_set);
    RUN(a_row_that_cannot_be_made_is_told_by_its_number);
    catalogue_fini(&catalogue);
    return check_report();
}
