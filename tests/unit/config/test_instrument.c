/* Reading the description of an instrument: what is taken, and every refusal with its place. */
#include "check.h"
#include "config/instrument.h"
#include <stdlib.h>

static struct config_instrument instrument;
static struct config_faults faults;

static const char GOOD[] = "mission:\n"
                           "  name: Some-Mission\n"
                           "  instrument: GAM\n"
                           "  topic: some-mission.gam\n"
                           "  telescope: SOME\n"
                           "  instrume: GAM\n"
                           "  epoch_mjd: 55927\n"
                           "  epoch_s: 66.184\n"
                           "detectors:\n"
                           "  count: 4\n"
                           "  open: 2\n"
                           "  geometry: config/geometry/some.csv\n"
                           "rows:\n"
                           "  table: Events\n"
                           "  time: Time\n"
                           "  channel: PHA\n"
                           "  detector: Det_ID\n";

static enum burst_err parse(const char *text)
{
    return config_instrument_parse((const uint8_t *)text, strlen(text), &instrument, &faults);
}

/* GOOD with `old` replaced by `new`, and `more` at the end. */
static const char *changed(const char *old, const char *new, const char *more)
{
    static char text[4096];
    const char *at = strstr(GOOD, old);
    (void)snprintf(text, sizeof text, "%.*s%s%s%s", (int)(at - GOOD), GOOD, new, at + strlen(old), more);
    return text;
}

static void refused_at(const char *text, int line, int column, const char *part)
{
    memset(&instrument, 0x5a, sizeof instrument);
    struct config_instrument before = instrument;
    enum burst_err err = parse(text);
    CHECK_SAY(err == BURST_E_CONFIG, "%s: gave %s", part, burst_err_name(err));
    CHECK(memcmp(&instrument, &before, sizeof instrument) == 0);
    CHECK_SAY(faults.n == 1, "%s: %d faults: %s | %s", part, faults.n, faults.fault[0].text, faults.fault[1].text);
    CHECK_SAY(faults.fault[0].line == line && faults.fault[0].column == column, "%s: place %d:%d, not %d:%d", part,
              faults.fault[0].line, faults.fault[0].column, line, column);
    CHECK_SAY(strstr(faults.fault[0].text, part), "\"%s\" lacks \"%s\"", faults.fault[0].text, part);
}

TEST(a_description_is_read_and_what_is_absent_has_its_default)
{
    CHECK_INT(parse(GOOD), BURST_OK);
    CHECK_STR(instrument.mission_name, "Some-Mission");
    CHECK_STR(instrument.mission_topic, "some-mission.gam");
    CHECK_INT(instrument.mission_epoch_mjd, 55927);
    CHECK_NEAR(instrument.mission_epoch_s, 66.184, 0);
    CHECK_INT(instrument.detectors_count, 4);
    CHECK_STR(instrument.rows_detector, "Det_ID");
    CHECK_INT(instrument.rows_tables, INSTRUMENT_ONE_TABLE);
    CHECK_INT(instrument.rows_good, INSTRUMENT_GTI);
    CHECK_INT(instrument.energy_from, INSTRUMENT_EBOUNDS);
    CHECK_INT(instrument.n_keep, 0);
    CHECK_NEAR(instrument.rows_dead_us, 0, 0);
}

TEST(conditions_on_columns_are_a_list)
{
    CHECK_INT(parse(changed("rows:", "keep:\n  - {column: A, least: 3}\n  - {column: B, most: -1}\nrows:", "")),
              BURST_OK);
    CHECK_INT(instrument.n_keep, 2);
    CHECK_STR(instrument.keep[0].column, "A");
    CHECK_INT(instrument.keep[0].least, 3);
    CHECK_INT(instrument.keep[0].most, 32767);
    CHECK_INT(instrument.keep[1].least, -32768);
    CHECK_INT(instrument.keep[1].most, -1);
}

TEST(the_description_that_ships_is_read)
{
    CHECK_INT(config_instrument_read(BURST_SOURCE_DIR "/config/instruments/insight-hxmt-he.yaml", &instrument, &faults),
              BURST_OK);
    CHECK_STR(instrument.mission_topic, "hxmt.he");
    CHECK_INT(instrument.detectors_count, 18);
    CHECK_INT(instrument.n_keep, 4);
}

TEST(every_fault_is_told_with_its_place)
{
    refused_at(changed("  open: 2", "  open: 2\n  opne: 3", ""), 12, 3,
               "unknown key detectors.opne; did you mean detectors.open?");
    refused_at(changed("rows:", "rowz: {}\nrows:", ""), 13, 1, "unknown section rowz");
    refused_at(changed("  count: 4", "  count: 26", ""), 10, 10, "detectors.count: 26 is outside 1 to 25");
    refused_at(changed("  count: 4", "  count: 4\n  count: 4", ""), 11, 3,
               "detectors.count: given twice, first on line 10");
    refused_at(changed("  time: Time\n", "", ""), 13, 1, "rows.time: is missing");
    refused_at(changed("  time: Time", "  time: [Time]", ""), 15, 9, "rows.time: is a list, must be a value");
    refused_at(changed("  time: Time", "  time: \"Ti me\"", ""), 15, 9, "letters, digits");
    refused_at(changed("  table: Events", "  table: &a Events", ""), 14, 10, "an instrument's file has no anchors");
    refused_at(changed("some.csv", "../../some.csv", ""), 12, 13, "leads upward");
    refused_at(changed("topic: some-mission.gam", "topic: Some.gam", ""), 1, 1, "mission.topic: \"Some.gam\" is not");
    refused_at(changed("topic: some-mission.gam", "topic: some", ""), 1, 1, "mission.topic");
    refused_at(changed("  open: 2", "  open: 5", ""), 9, 1, "detectors.open: 5 of 4 detectors");
    refused_at(changed("  detector: Det_ID\n", "", ""), 13, 1, "rows.detector: is missing");
    refused_at(changed("  detector: Det_ID", "  detector: Det_ID\n  tables: each", ""), 13, 1,
               "each table is of one detector");
    refused_at(changed("rows:", "energy: {from: linear}\nrows:", ""), 13, 1, "energy.channel_kev");
    refused_at(changed("rows:", "keep: [{least: 1}]\nrows:", ""), 13, 8, "keep[].column: is missing");
    refused_at(changed("rows:", "keep: [{column: A, least: 2, most: 1}]\nrows:", ""), 13, 8, "least 2 is above most 1");
    refused_at(changed("rows:", "keep: [A]\nrows:", ""), 13, 8, "must be a section with column, least, most");
    refused_at(changed("rows:", "keep: [{column: A, lest: 2}]\nrows:", ""), 13, 20, "did you mean keep[].least?");
}

TEST(more_conditions_than_there_is_room_for_are_refused)
{
    char list[512] = "keep:\n";
    for (int i = 0; i < INSTRUMENT_KEEP_MAX + 1; i++)
        (void)snprintf(list + strlen(list), sizeof list - strlen(list), "  - column: C%d\n", i);
    refused_at(changed("", "", list), 27, 5, "keep: more than 8");
}

TEST(all_faults_of_a_text_are_told_at_once)
{
    CHECK_INT(parse("mission: 3\nrows: {table: x y}\n"), BURST_E_CONFIG);
    CHECK(faults.n > 10); /* a wrong section, a wrong name, and every key that is missing */
    CHECK_INT(parse(""), BURST_E_CONFIG);
    CHECK_INT(parse("[]"), BURST_E_CONFIG);
    static char long_text[CONFIG_FILE_MAX + 2];
    memset(long_text, ' ', sizeof long_text - 1);
    CHECK_INT(parse(long_text), BURST_E_LIMIT);
    CHECK_INT(config_instrument_read("/nonexistent/a.yaml", &instrument, &faults), BURST_E_IO);
    CHECK_INT(config_instrument_parse((const uint8_t *)GOOD, strlen(GOOD), &instrument, NULL), BURST_OK);
}

int main(void)
{
    RUN(a_description_is_read_and_what_is_absent_has_its_default);
    RUN(conditions_on_columns_are_a_list);
    RUN(the_description_that_ships_is_read);
    RUN(every_fault_is_told_with_its_place);
    RUN(more_conditions_than_there_is_room_for_are_refused);
    RUN(all_faults_of_a_text_are_told_at_once);
    return check_report();
}
