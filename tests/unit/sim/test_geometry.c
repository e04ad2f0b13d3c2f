/* Pointings against config/geometry, angles by hand. */
#include "check.h"
#include "sim/geometry.h"
#include <stdlib.h>

static void check_table(enum sim_mission mission, const char *name)
{
    char path[512], line[256];
    (void)snprintf(path, sizeof path, BURST_SOURCE_DIR "/config/geometry/%s", name);
    FILE *file = fopen(path, "r");
    CHECK_SAY(file != NULL, "no %s", path);
    if (!file) return;
    int n = 0;
    while (fgets(line, sizeof line, file)) {
        char *comma = strchr(line, ',');
        if (line[0] == '#' || !comma || line[0] == 'd') continue;
        if (n < geometry_count(mission)) {
            struct direction d = geometry_axis(mission, n);
            char *rest = NULL;
            CHECK_NEAR(d.azimuth_deg, strtod(comma + 1, &rest), 1e-9);
            CHECK_NEAR(d.zenith_deg, strtod(rest + 1, NULL), 1e-9);
        }
        n++;
    }
    (void)fclose(file);
    CHECK_SAY(n >= geometry_count(mission), "%d rows in %s", n, name);
}

TEST(axes_are_those_of_the_tables)
{
    check_table(SIM_GECAM_B, "gecam-b.csv");
    check_table(SIM_FERMI_GBM, "fermi-gbm.csv");
    check_table(SIM_GECAM_A, "gecam-a.csv");
    check_table(SIM_GECAM_C, "gecam-c.csv");
    check_table(SIM_SVOM_GRM, "svom-grm.csv");
}

TEST(cosines_by_hand)
{
    CHECK_NEAR(geometry_cosine((struct direction){0, 0}, (struct direction){123, 60}), 0.5, 1e-12);
    CHECK_NEAR(geometry_cosine((struct direction){0, 90}, (struct direction){90, 90}), 0.0, 1e-12);
    CHECK_NEAR(geometry_cosine((struct direction){10, 40}, (struct direction){10, 70}), cos(M_PI / 6.0), 1e-12);
}

/* science.md A.5: of any source in the upper hemisphere, the third-best detector is within 37 degrees for 95 %. */
TEST(three_grds_see_nearly_every_source_within_37_degrees)
{
    enum { N = 2000 };
    struct rng r;
    int far = 0;
    rng_seed(&r, 1, 0);
    for (int i = 0; i < N; i++) {
        struct direction d = geometry_draw(&r, 90.0);
        int near = 0;
        CHECK(d.zenith_deg >= 0.0 && d.zenith_deg <= 90.0 && d.azimuth_deg >= 0.0 && d.azimuth_deg < 360.0);
        for (int k = 0; k < geometry_count(SIM_GECAM_B); k++)
            near += geometry_cosine(d, geometry_axis(SIM_GECAM_B, k)) > cos(37.0 * M_PI / 180.0);
        far += near < 3;
    }
    CHECK_SAY(far < 0.07 * N, "%d of %d", far, N);
}

TEST(drawn_directions_are_uniform_on_the_sphere)
{
    enum { N = 20000 };
    struct rng r;
    int upper = 0;
    rng_seed(&r, 2, 0);
    for (int i = 0; i < N; i++)
        upper += geometry_draw(&r, 180.0).zenith_deg < 60.0; /* a quarter of the sphere */
    CHECK_NEAR(upper, N / 4, 5.0 * sqrt(N * 0.1875));
}

int main(void)
{
    RUN(axes_are_those_of_the_tables);
    RUN(cosines_by_hand);
    RUN(three_grds_see_nearly_every_source_within_37_degrees);
    RUN(drawn_directions_are_uniform_on_the_sphere);
    return check_report();
}
