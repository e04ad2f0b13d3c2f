/* Geometry files, kinds, responses. */
#include "check.h"
#include "sim/spacecraft.h"
#include <stdlib.h>
#include <unistd.h>

static const char FOLDER[] = BURST_SOURCE_DIR "/config/geometry";

TEST(every_geometry_of_the_house_can_be_read)
{
    static const struct {
        const char *name;
        int n_detector, n_search;
    } CRAFT[] = {{"gecam-a", 25, 25},   {"gecam-b", 25, 25}, {"gecam-c", 12, 12},
                 {"fermi-gbm", 14, 12}, {"svom-grm", 3, 3},  {"insight-hxmt-he", 18, 18}};
    for (size_t i = 0; i < sizeof CRAFT / sizeof CRAFT[0]; i++) {
        struct spacecraft c;
        CHECK_INT(spacecraft_read(FOLDER, CRAFT[i].name, &c, NULL), BURST_OK);
        CHECK_STR(c.name, CRAFT[i].name);
        CHECK_INT(c.n_detector, CRAFT[i].n_detector);
        CHECK_INT(c.n_search, CRAFT[i].n_search);
    }
}

/* GRM's page at svom.eu: 30 degrees from the axis, 120 apart. GECAM-C: opposite domes. */
TEST(geometries_are_as_told)
{
    struct spacecraft c;
    CHECK_INT(spacecraft_read(FOLDER, "svom-grm", &c, NULL), BURST_OK);
    for (int d = 0; d < 3; d++) {
        CHECK_NEAR(c.detector[d].axis.zenith_deg, 30.0, 0.0);
        CHECK_NEAR(fmod(c.detector[(d + 1) % 3].axis.azimuth_deg - c.detector[d].axis.azimuth_deg + 360.0, 360.0),
                   120.0, 1e-9);
        CHECK_STR(c.detector[d].kind->word, "grm-nai");
    }
    CHECK_INT(spacecraft_read(FOLDER, "gecam-c", &c, NULL), BURST_OK);
    int up = 0;
    for (int d = 0; d < 12; d++)
        up += c.detector[d].axis.zenith_deg < 90.0;
    CHECK_INT(up, 6);
    CHECK_NEAR(geometry_cosine(c.detector[0].axis, c.detector[5].axis), -1.0, 1e-9);
}

TEST(kinds_are_found_by_their_words)
{
    CHECK_NEAR(spacecraft_kind("gbm-nai")->level[0], 16.0, 0.0); /* counts per 64 ms in 25-50 keV, science.md A.6 */
    CHECK(!spacecraft_kind("gbm-bgo")->search);
    CHECK(spacecraft_kind("gbm") == NULL);
}

static enum burst_err read_text(const char *text, struct spacecraft *craft, struct burst_error *err)
{
    char folder[] = "/tmp/burst-craft-XXXXXX", path[64];
    if (!mkdtemp(folder)) return BURST_E_IO;
    (void)snprintf(path, sizeof path, "%s/some.csv", folder);
    FILE *file = fopen(path, "w");
    if (!file) return BURST_E_IO;
    (void)fputs(text, file);
    (void)fclose(file);
    enum burst_err got = spacecraft_read(folder, "some", craft, err);
    (void)unlink(path);
    (void)rmdir(folder);
    return got;
}

TEST(bad_files_are_refused_by_line)
{
    struct spacecraft c = {.n_detector = 77};
    struct burst_error err;
    CHECK_REFUSED(read_text("a1,0,0\n", &c, &err), BURST_E_FORMAT, err, "line 1: no `# kind WORD`");
    CHECK_REFUSED(read_text("# kind gbm\n", &c, &err), BURST_E_FORMAT, err, "no such kind");
    CHECK_REFUSED(read_text("# kind gbm-nai\na1,0\n", &c, &err), BURST_E_FORMAT, err, "line 2: is not NAME");
    CHECK_REFUSED(read_text("# kind gbm-nai\na1,0,0,0\n", &c, &err), BURST_E_FORMAT, err, "line 2: is not NAME");
    CHECK_REFUSED(read_text("# kind gbm-nai\na1,0,181\n", &c, &err), BURST_E_FORMAT, err, "zenith outside");
    CHECK_REFUSED(read_text("# kind gbm-nai\na1,nan,0\n", &c, &err), BURST_E_FORMAT, err, "azimuth outside");
    CHECK_REFUSED(read_text("# kind gbm-bgo\nb0,0,90\n# kind gbm-nai\nn0,0,0\n", &c, &err), BURST_E_FORMAT, err,
                  "come first");
    CHECK_REFUSED(read_text("# kind gbm-bgo\nb0,0,90\n", &c, &err), BURST_E_FORMAT, err, "no detector of the search");
    CHECK_REFUSED(read_text("", &c, &err), BURST_E_FORMAT, err, "no detector of the search");
    char many[40 * 8 + 32] = "# kind gbm-nai\n";
    for (int i = 0; i < 33; i++)
        (void)strcat(many, "a,0,0\n");
    CHECK_REFUSED(read_text(many, &c, &err), BURST_E_LIMIT, err, "more than 32");
    CHECK_REFUSED(spacecraft_parse("some", "# kind gbm-nai\0", 16, &c, &err), BURST_E_FORMAT, err, "zero byte");
    char wide[300];
    memset(wide, 'a', sizeof wide);
    CHECK_REFUSED(spacecraft_parse("some", wide, sizeof wide, &c, &err), BURST_E_FORMAT, err, "longer than 255");
    CHECK_REFUSED(spacecraft_parse("Some", "", 0, &c, &err), BURST_E_LIMIT, err, "no name");
    CHECK_REFUSED(spacecraft_read(FOLDER, "no-such", &c, &err), BURST_E_IO, err, "no-such.csv");
    CHECK_REFUSED(spacecraft_read(FOLDER, "../geometry/gecam-b", &c, &err), BURST_E_LIMIT, err, "no name");
    CHECK_INT(c.n_detector, 77);
}

TEST(a_file_may_hold_several_kinds)
{
    struct spacecraft c;
    CHECK_INT(read_text("# some words\n# kind gecam-labr3\n\ng01,10,20\n# kind gbm-bgo\nb0,0,90", &c, NULL), BURST_OK);
    CHECK_INT(c.n_detector, 2);
    CHECK_INT(c.n_search, 1);
    CHECK_NEAR(c.detector[0].axis.azimuth_deg, 10.0, 0.0);
    CHECK_STR(c.detector[1].name, "b0");
}

/* BGO counts over a NaI's five atoms for Band(-1, -2.3, 916 keV): 0.9940 by numpy from the page's two tables, 400,001
 * energies. */
TEST(a_shield_counts_hard_bursts)
{
    struct colour_table t;
    float part[COLOUR_PEAKS][SIM_GROUP];
    const struct spectrum s = {SPECTRUM_BAND, -1.0, -2.3, 0.0};
    spacecraft_colour_table(RESPONSE_SHIELD, &t);
    spacecraft_colours(&t, &s, part);
    double sum = 0.0;
    for (int g = 0; g < SIM_GROUP; g++)
        sum += (double)part[10][g];
    CHECK_NEAR(sum, 0.9940, 0.01);
    CHECK_NEAR((double)part[10][0], 0.0, 1e-9);
}

/* 45.4 / 126 of a NaI; a quarter more above 500 keV (A.5). */
TEST(lanthanum_bromide_is_a_scaled_nai)
{
    static struct colour_table nai, labr3;
    float a[COLOUR_PEAKS][SIM_GROUP], b[COLOUR_PEAKS][SIM_GROUP];
    const struct spectrum s = {SPECTRUM_CUTOFF, -0.5, 0.0, 0.0};
    spacecraft_colour_table(RESPONSE_NAI, &nai);
    spacecraft_colour_table(RESPONSE_LABR3, &labr3);
    spacecraft_colours(&nai, &s, a);
    spacecraft_colours(&labr3, &s, b);
    CHECK_NEAR((double)(b[9][1] / a[9][1]), 45.4 / 126.0, 1e-5);
    CHECK_NEAR((double)(b[9][4] / a[9][4]), 1.25 * 45.4 / 126.0, 1e-5);
    double sum = 0.0;
    for (int g = 0; g < SIM_ATOM; g++)
        sum += (double)a[9][g];
    CHECK_NEAR(sum, 1.0, 1e-5);
}

/* Bremsstrahlung of 30 keV, the middle of what magnetars emit: over 95 % of the counts in 25-100 keV (A.7). */
TEST(magnetars_are_soft)
{
    static struct colour_table t;
    float part[COLOUR_PEAKS][SIM_GROUP];
    const struct spectrum s = {SPECTRUM_THERMAL, 0.0, 0.0, 20.0};
    spacecraft_colour_table(RESPONSE_NAI, &t);
    spacecraft_colours(&t, &s, part);
    CHECK((double)(part[0][0] + part[0][1]) > 0.95);
}

TEST(flat_crystals_lose_with_the_angle_and_shields_do_not)
{
    const struct detector_kind *flat = spacecraft_kind("gecam-labr3"), *round = spacecraft_kind("gbm-bgo");
    CHECK_NEAR(spacecraft_angle_factor(flat, 0.5, 2), 0.89 * pow(0.5, 1.25) + 0.12, 1e-12); /* A.5 normal */
    CHECK_NEAR(spacecraft_angle_factor(flat, -0.5, 0), 0.003, 1e-12);
    CHECK_NEAR(spacecraft_angle_factor(round, 1.0, 4), 1.0, 1e-12);
    CHECK_NEAR(spacecraft_angle_factor(round, -1.0, 4), 0.3, 1e-12);
}

int main(void)
{
    RUN(every_geometry_of_the_house_can_be_read);
    RUN(geometries_are_as_told);
    RUN(kinds_are_found_by_their_words);
    RUN(bad_files_are_refused_by_line);
    RUN(a_file_may_hold_several_kinds);
    RUN(a_shield_counts_hard_bursts);
    RUN(lanthanum_bromide_is_a_scaled_nai);
    RUN(magnetars_are_soft);
    RUN(flat_crystals_lose_with_the_angle_and_shields_do_not);
    return check_report();
}
