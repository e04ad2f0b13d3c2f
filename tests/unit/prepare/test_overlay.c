/* Sources added in operation. Angles by hand: 0.05 degrees of declination, and of right ascension at declination 60 where the
 * cosine is a half. */
#include "check.h"
#include "prepare/overlay.h"

static struct burst_error error;
static struct overlay overlay;

static struct catalogue_source sources[] = {{"Crab Nebula/Pulsar", 83.6332, 22.0145, true},
                                            {"Vela X-1", 135.5286, -40.5547, true}};
static const struct catalogue BASE = {2, sources};

static enum burst_err add(const char *name, double ra_deg, double dec_deg, bool force)
{
    struct catalogue_source s = {.ra_deg = ra_deg, .dec_deg = dec_deg};
    (void)snprintf(s.name, sizeof s.name, "%.31s", name);
    return overlay_add(&overlay, &BASE, &s, force, &error);
}

static void begin(void)
{
    memset(&overlay, 0, sizeof overlay);
}

static void refused(const char *name, double ra_deg, double dec_deg, bool force, enum burst_err want, const char *part)
{
    struct overlay before = overlay;
    CHECK_REFUSED(add(name, ra_deg, dec_deg, force), want, error, part);
    CHECK(memcmp(&before, &overlay, sizeof overlay) == 0);
}

TEST(added_sources_stand_in_the_order_of_their_names_with_rounded_positions)
{
    begin();
    CHECK_INT(add("MAXI J1820+070", 275.0914499, 7.1853501, false), BURST_OK);
    CHECK_INT(add("AT 2026abc", 359.9999999, -89.5, false), BURST_OK);
    CHECK_INT(add("Swift J1727.8-1613", 0, 0, false), BURST_OK);
    CHECK_INT(overlay.n_source, 3);
    CHECK_STR(overlay.source[0].name, "AT 2026abc");
    CHECK_NEAR(overlay.source[0].ra_deg, 0.0, 0.0); /* 360.00000 is 0 */
    CHECK_STR(overlay.source[1].name, "MAXI J1820+070");
    CHECK(overlay.source[1].ra_deg == 275.09145 && overlay.source[1].dec_deg == 7.18535);
    CHECK_STR(overlay.source[2].name, "Swift J1727.8-1613");
}

TEST(the_same_sources_are_the_same_text_whatever_their_order)
{
    static char one[OVERLAY_TEXT], other[OVERLAY_TEXT];
    begin();
    CHECK_INT(add("B 2", 10, 20, false), BURST_OK);
    CHECK_INT(add("A 1", 30.5, -60.25, false), BURST_OK);
    size_t n = overlay_text(&overlay, one);
    begin();
    CHECK_INT(add("A 1", 30.5, -60.25, false), BURST_OK);
    CHECK_INT(add("C 3", 1, 1, false), BURST_OK);
    CHECK_INT(add("B 2", 10, 20, false), BURST_OK);
    CHECK_INT(overlay_remove(&overlay, &BASE, "c 3", &error), BURST_OK);
    CHECK_INT(overlay_text(&overlay, other), n);
    CHECK_STR(one, "name,ra_deg,dec_deg,bright\nA 1,30.50000,-60.25000,0\nB 2,10.00000,20.00000,0\n");
    CHECK_STR(other, one);
}

TEST(a_text_is_read_back_as_the_same_overlay)
{
    static char text[OVERLAY_TEXT], again[OVERLAY_TEXT];
    static struct overlay back;
    begin();
    size_t n = overlay_text(&overlay, text);
    memset(&back, 0xff, sizeof back);
    CHECK_INT(overlay_parse(text, n, "kept", &back, &error), BURST_OK);
    CHECK_INT(back.n_source, 0);
    for (int i = 0; i < OVERLAY_MAX; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "1234567890 1234567890 1234%05d", i); /* the longest names, 31 characters */
        CHECK_INT(add(name, 0.7 * i, -89.99999 + 0.3 * i, false), BURST_OK);
    }
    n = overlay_text(&overlay, text);
    CHECK_INT(overlay_parse(text, n, "kept", &back, &error), BURST_OK);
    CHECK_INT(overlay_text(&back, again), n);
    CHECK(strcmp(text, again) == 0 && memcmp(&back, &overlay, sizeof back) == 0);
    refused("one more", 1, 80, false, BURST_E_LIMIT, "512 sources have been added");
    struct burst_error why;
    CHECK_REFUSED(overlay_parse(text, n - 1 - strlen("0\n"), "kept", &back, &why), BURST_E_FORMAT, why, "kept:513");
    CHECK_INT(back.n_source, OVERLAY_MAX);
}

TEST(a_source_that_is_known_is_refused_by_name_and_place)
{
    begin();
    CHECK_INT(add("New 1", 100, 60, false), BURST_OK);
    refused("new 1", 200, 0, false, BURST_E_DUPLICATE, "New 1 is known already, at 100.00000 60.00000");
    refused("CRAB nebula/pulsar", 200, 0, false, BURST_E_DUPLICATE, "Crab Nebula/Pulsar is known already, at 83.63320");
    refused("New 2", 100, 60.0499, false, BURST_E_DUPLICATE, "New 1 lies 0.0499 degrees from New 2");
    refused("New 2", 100.0998, 60, false, BURST_E_DUPLICATE, "New 1 lies 0.0499");
    refused("New 2", 83.6332, 22.0644, false, BURST_E_DUPLICATE, "Crab Nebula/Pulsar lies 0.0499");
    CHECK_INT(add("New 2", 100, 60.0501, false), BURST_OK);
    CHECK_INT(add("New 3", 83.6332, 21.9644, false), BURST_OK);
}

TEST(force_takes_a_neighbour_or_gives_a_source_another_place)
{
    struct catalogue c = {0};
    begin();
    CHECK_INT(add("Beside the Crab", 83.6332, 22.0245, true), BURST_OK);
    refused("Nearer yet", 83.6332, 22.0154, true, BURST_E_DUPLICATE, "Crab Nebula/Pulsar lies 0.0009");
    CHECK_INT(add("vela x-1", 135.6, -40.6, true), BURST_OK);
    CHECK_INT(overlay_merge(&overlay, &BASE, &c, &error), BURST_OK);
    CHECK_INT(c.n_source, 3);
    CHECK_STR(c.source[0].name, "Crab Nebula/Pulsar");
    CHECK_STR(c.source[1].name, "vela x-1"); /* in the place of the file's */
    CHECK(c.source[1].ra_deg == 135.6 && !c.source[1].bright);
    CHECK_STR(c.source[2].name, "Beside the Crab");
    catalogue_fini(&c);
    CHECK_INT(add("VELA X-1", 135.7, -40.6, true), BURST_OK); /* and yet another place */
    CHECK_INT(overlay.n_source, 2);
    CHECK_INT(overlay_remove(&overlay, &BASE, "Vela X-1", &error), BURST_OK);
    CHECK_INT(overlay_merge(&overlay, &BASE, &c, &error), BURST_OK);
    CHECK_STR(c.source[1].name, "Vela X-1"); /* the file's is back */
    CHECK(c.source[1].ra_deg == 135.5286 && c.source[1].bright);
    catalogue_fini(&c);
}

TEST(an_empty_overlay_changes_nothing)
{
    struct catalogue c = {0};
    begin();
    CHECK_INT(overlay_merge(&overlay, &BASE, &c, &error), BURST_OK);
    CHECK_INT(c.n_source, 2);
    CHECK(c.source != BASE.source && memcmp(c.source, BASE.source, sizeof sources) == 0);
    catalogue_fini(&c);
}

TEST(only_what_was_added_can_be_taken_back)
{
    begin();
    CHECK_INT(add("New 1", 100, 60, false), BURST_OK);
    struct overlay before = overlay;
    CHECK_REFUSED(overlay_remove(&overlay, &BASE, "Vela X-1", &error), BURST_E_UNSUPPORTED, error,
                  "Vela X-1 is of the");
    CHECK_REFUSED(overlay_remove(&overlay, &BASE, "New 2", &error), BURST_E_MISSING, error, "\"New 2\"");
    CHECK(memcmp(&before, &overlay, sizeof overlay) == 0);
    CHECK_INT(overlay_remove(&overlay, &BASE, "New 1", &error), BURST_OK);
    CHECK_INT(overlay.n_source, 0);
}

TEST(names_and_positions_that_are_none_are_refused)
{
    static const char *const NAMES[] = {"",     " A",  "A ",  "A  B", "=cmd()", "+1",  "<b>", "A<b>", "A\"B",
                                        "A'B",  "A,B", "A;B", "A\nB", "Moon",   "SUN", "@x",  "-1",   "A\xe2\x80\xae-B",
                                        "A\x7f"};
    begin();
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        refused(NAMES[i], 1, 1, true, BURST_E_FORMAT, "not a name");
    refused("A", 360, 1, true, BURST_E_RANGE, "right ascension 360 of A");
    refused("A", -0.1, 1, true, BURST_E_RANGE, "right ascension");
    refused("A", NAN, 1, true, BURST_E_RANGE, "right ascension");
    refused("A", 1, 91, true, BURST_E_RANGE, "declination 91 of A");
    refused("A", 1, NAN, true, BURST_E_RANGE, "declination");
    refused("A", 1, -INFINITY, true, BURST_E_RANGE, "declination");
    CHECK_INT(add("SHT2011 [4]*U: 1/2_3(b)", 1, -90, false), BURST_OK);
}

TEST(more_than_a_catalogue_holds_is_refused)
{
    static struct catalogue_source many[CATALOGUE_MAX];
    struct catalogue full = {CATALOGUE_MAX - 1, many}, c = {.n_source = 7};
    struct catalogue_source s = {.name = "A", .ra_deg = 200, .dec_deg = 70}, t = {.name = "B", .ra_deg = 210};
    for (int i = 0; i < CATALOGUE_MAX; i++)
        (void)snprintf(many[i].name, sizeof many[i].name, "S%d", i);
    begin();
    CHECK_INT(overlay_add(&overlay, &full, &s, false, &error), BURST_OK);
    CHECK_REFUSED(overlay_add(&overlay, &full, &t, false, &error), BURST_E_LIMIT, error, "4096 sources are known");
    full.n_source = CATALOGUE_MAX; /* the file grew since */
    CHECK_REFUSED(overlay_merge(&overlay, &full, &c, &error), BURST_E_LIMIT, error, "4096 sources of the file and 1");
    CHECK_INT(c.n_source, 7);
}

int main(void)
{
    RUN(added_sources_stand_in_the_order_of_their_names_with_rounded_positions);
    RUN(the_same_sources_are_the_same_text_whatever_their_order);
    RUN(a_text_is_read_back_as_the_same_overlay);
    RUN(a_source_that_is_known_is_refused_by_name_and_place);
    RUN(force_takes_a_neighbour_or_gives_a_source_another_place);
    RUN(an_empty_overlay_changes_nothing);
    RUN(only_what_was_added_can_be_taken_back);
    RUN(names_and_positions_that_are_none_are_refused);
    RUN(more_than_a_catalogue_holds_is_refused);
    return check_report();
}
