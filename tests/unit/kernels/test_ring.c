/* Rings of counts and windows cut out of them. Numbers by hand. */
#include "check.h"
#include "kernels/ring.h"

enum { RINGS = 3, ATOMS = 2 };
static uint32_t ring_counts[RINGS * ATOMS * RING_BINS];
static uint8_t ring_valid[RINGS * RING_BINS];
static const struct rings RINGS_HERE = {ring_counts, ring_valid, RINGS, ATOMS};
static const struct ring_limits LIMITS = {RINGS, ATOMS, 4, 2, 100, 50};
static const struct ring_view BOTH_ATOMS = {.n_bin = 9, .n_band = 1, .last = {2}, .n_padded = 8};
static struct ring_job job;
static struct burst_error error;

static void clear(void)
{
    memset(ring_counts, 0, sizeof ring_counts);
    memset(ring_valid, 0, sizeof ring_valid);
}

/* Sums 2 4 4 4 5 5 7 9: mean 5, population deviation 2; the ninth bin is missing. */
static const uint32_t COUNTS[2][9] = {{1, 2, 1, 4, 2, 3, 7, 0, 90}, {1, 2, 3, 0, 3, 2, 0, 9, 9}};
static const uint8_t VALID[9] = {1, 1, 1, 1, 1, 1, 1, 1, 0};
static const float WANT[9] = {-1.5F, -0.5F, -0.5F, -0.5F, 0, 0, 1, 2, 0};

TEST(a_window_of_a_ring_is_standardised_and_padded)
{
    float z[9][8];
    uint16_t half[9][8];
    struct ring_view view = BOTH_ATOMS;
    clear();
    ring_update_one(&RINGS_HERE, &(struct ring_update){.from = 7, .ring = 1, .n_new = 9}, &COUNTS[0][0], VALID);
    ring_window_one(&RINGS_HERE, &(struct ring_window){.k_first = 7, .ring = 1}, &view, z);
    view.bf16 = true;
    ring_window_one(&RINGS_HERE, &(struct ring_window){.k_first = 7, .ring = 1}, &view, half);
    for (int t = 0; t < 9; t++) {
        CHECK_NEAR(z[t][0], WANT[t], 0);
        CHECK_NEAR(bf16_to_float(half[t][0]), WANT[t], 0); /* halves are bfloat16 */
        for (int c = 1; c < 8; c++)
            CHECK(z[t][c] == 0 && half[t][c] == 0);
    }
}

TEST(a_ring_goes_round)
{
    /* The same bins across the ring's end, in two updates, and before the first bin of all. */
    static const int64_t firsts[3] = {RING_BINS - 4, 5 * (int64_t)RING_BINS - 1, -3};
    float z[9][8];
    for (int i = 0; i < 3; i++) {
        clear();
        struct ring_update u = {.from = firsts[i] + 2, .ring = 2, .n_new = 7, .counts_at = 1, .valid_at = 2};
        const uint32_t late[15] = {77, 1, 4, 2, 3, 7, 0, 90, 3, 0, 3, 2, 0, 9, 9};
        ring_update_one(&RINGS_HERE, &u, late, VALID);
        u = (struct ring_update){.from = firsts[i], .ring = 2, .n_new = 2};
        ring_update_one(&RINGS_HERE, &u, (const uint32_t[]){1, 2, 1, 2}, VALID);
        ring_window_one(&RINGS_HERE, &(struct ring_window){.k_first = firsts[i], .ring = 2}, &BOTH_ATOMS, z);
        for (int t = 0; t < 9; t++)
            CHECK_NEAR(z[t][0], WANT[t], 0);
    }
}

TEST(a_cleared_ring_and_a_new_one_hold_nothing)
{
    float z[9][8];
    clear();
    ring_update_one(&RINGS_HERE, &(struct ring_update){.from = 0, .ring = 0, .n_new = 9}, &COUNTS[0][0], VALID);
    ring_update_one(&RINGS_HERE, &(struct ring_update){.ring = 0, .clear = 1}, NULL, NULL);
    for (int32_t ring = 0; ring < 2; ring++) {
        memset(z, 0xff, sizeof z);
        ring_window_one(&RINGS_HERE, &(struct ring_window){.ring = ring}, &BOTH_ATOMS, z);
        for (int t = 0; t < 9; t++)
            CHECK_NEAR(z[t][0], 0, 0);
    }
}

TEST(history_that_is_partly_absent_does_not_count)
{
    /* Four bins of the eight are known: sums 5 5 7 9, mean 6.5, deviation sqrt(2.75). */
    float z[9][8];
    clear();
    struct ring_update u = {.from = 104, .ring = 0, .n_new = 5, .valid_at = 4};
    ring_update_one(&RINGS_HERE, &u, (const uint32_t[]){2, 3, 7, 0, 90, 3, 2, 0, 9, 9}, VALID);
    ring_window_one(&RINGS_HERE, &(struct ring_window){.k_first = 100}, &BOTH_ATOMS, z);
    for (int t = 0; t < 9; t++)
        CHECK_NEAR(z[t][0], t < 4 || t == 8 ? 0 : ((t < 6 ? 5 : 2 * t - 5) - 6.5) / sqrt(2.75),
                   1e-6); /* a float near 2 */
}

TEST(a_bin_of_any_number_has_a_place)
{
    CHECK_INT(ring_place(INT64_MAX, 0), 2047);
    CHECK_INT(ring_place(INT64_MAX, 1), 0); /* 2^63 is a multiple of 2,048 */
    CHECK_INT(ring_place(INT64_MIN, 5), 5);
    CHECK_INT(ring_place(-1, 0), 2047);
}

static void job_fill(void)
{
    memset(&job, 0, sizeof job);
    job.n_update = 2;
    job.n_window = 1;
    job.update[0] = (struct ring_update){.ring = 0, .n_new = 50};
    job.update[1] = (struct ring_update){.ring = 2, .n_new = 10, .counts_at = 80, .valid_at = 40};
    job.window[0] = (struct ring_window){.ring = 2};
}

TEST(a_job_inside_its_limits_is_good)
{
    job_fill();
    CHECK_INT(ring_job_check(&job, &LIMITS, &error), BURST_OK);
    job.n_update = job.n_window = 0;
    CHECK_INT(ring_job_check(&job, &LIMITS, &error), BURST_OK);
}

#define REFUSED(change, part)                                                                                          \
    do {                                                                                                               \
        job_fill();                                                                                                    \
        change;                                                                                                        \
        CHECK_REFUSED(ring_job_check(&job, &LIMITS, &error), BURST_E_RANGE, error, part);                              \
    } while (0)

TEST(a_job_outside_its_limits_is_refused)
{
    REFUSED(job.n_update = 5, "5 updates; 0 to 4 fit");
    REFUSED(job.n_update = -1, "-1 updates");
    REFUSED(job.n_window = 3, "3 windows; 0 to 2 fit");
    REFUSED(job.n_window = -1, "-1 windows");
    REFUSED(job.update[1].ring = 3, "update 1: 10 bins of ring 3");
    REFUSED(job.update[0].ring = -1, "ring -1");
    REFUSED(job.update[1].n_new = -1, "-1 bins");
    REFUSED(job.update[1].n_new = 11, "numbers from 80");
    REFUSED(job.update[0].n_new = RING_BINS + 1, "2049 bins");
    REFUSED(job.update[1].counts_at = 81, "numbers from 81");
    REFUSED(job.update[1].counts_at = UINT32_MAX, "numbers from 4294967295");
    REFUSED(job.update[1].valid_at = 41, "valid from 41");
    REFUSED(job.update[1].ring = 0, "updates 0 and 1 are both of ring 0");
    REFUSED(job.window[0].ring = 3, "window 0 is of ring 3; there are 3");
    REFUSED(job.window[0].ring = -1, "ring -1");
}

int main(void)
{
    RUN(a_window_of_a_ring_is_standardised_and_padded);
    RUN(a_ring_goes_round);
    RUN(a_cleared_ring_and_a_new_one_hold_nothing);
    RUN(history_that_is_partly_absent_does_not_count);
    RUN(a_bin_of_any_number_has_a_place);
    RUN(a_job_inside_its_limits_is_good);
    RUN(a_job_outside_its_limits_is_refused);
    return check_report();
}
