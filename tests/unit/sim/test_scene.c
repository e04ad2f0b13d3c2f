/* Scenes: what is in them, who sees it. */
#include "check.h"
#include "sim/scene.h"
#include <stdlib.h>

TEST(a_burst_scene_has_one_burst_seen_by_cosine)
{
    struct scene *s = NULL;
    struct burst_error err;
    CHECK_INT(scene_new(SIM_GECAM_B, SCENE_BURST, 3, 300.0, 40.0, &s, &err), BURST_OK);
    CHECK_INT(s->n_item, 1);
    CHECK_INT(s->n_detector, 25);
    CHECK_STR(scene_item_name(&s->item[0]), "burst");
    CHECK_NEAR(s->item[0].snr, 40.0, 1e-9);
    double near = 0.0, far = 0.0;
    for (int d = 0; d < 25; d++) {
        double c = geometry_cosine(geometry_axis(SIM_GECAM_B, d), s->item[0].from);
        if (c > 0.7) near = fmax(near, s->item[0].gain[d][1]);
        if (c < 0.0) far = fmax(far, s->item[0].gain[d][1]);
    }
    CHECK_SAY(far < 0.5 * near, "%g behind, %g before", far, near);
    scene_free(s);
}

TEST(a_hump_is_seen_by_all_alike)
{
    struct scene *s = NULL;
    CHECK_INT(scene_new(SIM_FERMI_GBM, SCENE_HUMP, 4, 300.0, 0.0, &s, NULL), BURST_OK);
    CHECK_INT(s->n_item, 1);
    CHECK_STR(scene_item_name(&s->item[0]), "hump");
    for (int d = 0; d < 12; d++)
        CHECK(s->item[0].gain[d][0] > 0.6 && s->item[0].gain[d][0] < 1.6);
    CHECK(s->item[0].start_s >= 0.0 && s->item[0].stop_s <= 300.0);
    scene_free(s);
}

TEST(nothing_happens_in_a_quiet_scene)
{
    static double rate[SIM_GROUP * 100];
    struct sim_grid grid = {0.0, 1.0, 100};
    struct scene *s = NULL;
    CHECK_INT(scene_new(SIM_GECAM_B, SCENE_QUIET, 5, 100.0, 0.0, &s, NULL), BURST_OK);
    CHECK_INT(s->n_item, 0);
    scene_rates(s, 24, &grid, rate);
    for (int i = 0; i < 100; i++)
        CHECK_NEAR(rate[i], s->background[24].level[0], 0.1 * s->background[24].level[0]);
    scene_free(s);
}

TEST(a_night_begins_with_a_burst_and_goes_on)
{
    struct scene *s = NULL;
    CHECK_INT(scene_new(SIM_GECAM_B, SCENE_NIGHT, 6, 1500.0, 0.0, &s, NULL), BURST_OK);
    CHECK_SAY(s->n_item == 6, "%d items", s->n_item);
    CHECK_STR(scene_item_name(&s->item[0]), "burst");
    for (int i = 1; i < s->n_item; i++)
        CHECK(s->item[i].start_s > s->item[i - 1].start_s);
    scene_free(s);
}

TEST(rates_do_not_depend_on_how_a_burst_is_cut)
{
    static double whole[SIM_GROUP * 3000], part[SIM_GROUP * 1000];
    struct sim_grid all = {0.0, 0.064, 3000}, cut = {64.0, 0.064, 1000};
    struct scene *s = NULL;
    CHECK_INT(scene_new(SIM_GECAM_B, SCENE_BURST, 7, 180.0, 100.0, &s, NULL), BURST_OK);
    scene_rates(s, 0, &all, whole);
    scene_rates(s, 0, &cut, part);
    for (int g = 0; g < SIM_GROUP; g++)
        for (int i = 0; i < 1000; i++)
            CHECK_NEAR(part[g * 1000 + i], whole[g * 3000 + 1000 + i], 1e-6);
    scene_free(s);
}

TEST(wrong_lengths_and_brightness_are_refused)
{
    struct scene *s = NULL;
    struct burst_error err;
    CHECK_REFUSED(scene_new(SIM_GECAM_B, SCENE_QUIET, 1, 59.0, 0.0, &s, &err), BURST_E_RANGE, err, "59 s");
    CHECK_REFUSED(scene_new(SIM_GECAM_B, SCENE_QUIET, 1, 100.0, -1.0, &s, &err), BURST_E_RANGE, err, "S/N -1");
    CHECK(s == NULL);
    scene_free(NULL);
}

int main(void)
{
    RUN(a_burst_scene_has_one_burst_seen_by_cosine);
    RUN(a_hump_is_seen_by_all_alike);
    RUN(nothing_happens_in_a_quiet_scene);
    RUN(a_night_begins_with_a_burst_and_goes_on);
    RUN(rates_do_not_depend_on_how_a_burst_is_cut);
    RUN(wrong_lengths_and_brightness_are_refused);
    return check_report();
}
