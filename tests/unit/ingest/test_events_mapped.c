/* Event files of added instruments: one table of all detectors with conditions on columns, tables of one detector each. */
#include "check.h"
#include "fits/write.h"
#include "ingest/ingest.h"
#include "unit/ingest/changed.h"

static struct burst_error why;
static struct arena arena;
static struct event_packet packet;
static struct changed file;
static struct band_set bands;

#define MET 450000000.0
enum { N_ROW = 8 };
/* Detectors 1, 2 and 4 of 4 (numbers from 1); row 2 is of the wrong type, row 5 has two of three bits of its byte set. */
static const double TIME[N_ROW] = {MET + 0.5, MET + 1, MET + 2, MET + 3, MET + 4, MET + 5, MET + 6, MET + 7};
static const uint8_t DETECTOR[N_ROW] = {1, 2, 1, 1, 4, 2, 1, 1};
static const int16_t CHANNEL[N_ROW] = {10, 20, 30, 40, 50, 60, 20, 5};
static const uint8_t KIND[N_ROW] = {0, 0, 1, 0, 0, 0, 0, 0};
static const uint8_t VETO[N_ROW] = {0, 0, 0, 0, 0, 0x60, 0, 0x40};

static enum burst_err read(enum burst_mission mission)
{
    arena_fini(&arena);
    if (arena_init(&arena, ingest_arena_need(file.n), &why)) return BURST_E_NOMEM;
    return ingest_events((struct source){REALM_LIVE, mission, INSTRUMENT_ADDED}, file.bytes, file.n, &bands, &arena,
                         &packet, &why);
}

static struct source_added added(const char *topic, const char *telescope)
{
    struct source_added a;
    memset(&a, 0, sizeof a);
    (void)snprintf(a.topic, sizeof a.topic, "%s", topic);
    (void)snprintf(a.mission_name, sizeof a.mission_name, "%s", telescope);
    (void)snprintf(a.instrument_name, sizeof a.instrument_name, "GAM");
    (void)snprintf(a.fits_telescope, sizeof a.fits_telescope, "%s", telescope);
    (void)snprintf(a.fits_instrument, sizeof a.fits_instrument, "GAM");
    a.n_detector = 4;
    a.n_open = 2;
    a.epoch_mjd_i = 55927;
    a.epoch_mjd_f = 66.184 / 86400;
    (void)snprintf(a.map.time, sizeof a.map.time, "Time");
    (void)snprintf(a.map.channel, sizeof a.map.channel, "PHA");
    return a;
}

/* Channel c is [5 c, 5 c + 5) keV; one table; types 0, at most one bit of VETO. */
static void add_one_table(void)
{
    struct source_added a = added("one.gam", "ONE");
    (void)snprintf(a.map.table, sizeof a.map.table, "Events");
    (void)snprintf(a.map.detector, sizeof a.map.detector, "Det");
    a.map.first_detector = 1;
    a.map.good_in_header = a.map.linear = true;
    a.map.n_channel = 256;
    a.map.channel_kev = 5;
    a.map.dead_s = 3e-6;
    a.map.n_keep = 2;
    a.map.keep[0] = (struct event_keep){"Kind", 0, 0};
    a.map.keep[1] = (struct event_keep){"Veto", 0, 1};
    CHECK_INT(source_add(&a, &why), BURST_OK);
}

static void add_table_each(void)
{
    struct source_added a = added("each.gam", "EACH");
    (void)snprintf(a.map.table, sizeof a.map.table, "DET");
    a.map.table_each = true;
    CHECK_INT(source_add(&a, &why), BURST_OK);
}

static void put_keys(struct fits_writer *w, const char *telescope)
{
    CHECK_INT(fits_put_text(w, "TELESCOP", telescope, NULL, &why), BURST_OK);
    CHECK_INT(fits_put_text(w, "INSTRUME", "GAM", NULL, &why), BURST_OK);
    CHECK_INT(fits_put_int(w, "MJDREFI", 55927, NULL, &why), BURST_OK);
    CHECK_INT(fits_put_real(w, "MJDREFF", 66.184 / 86400, NULL, &why), BURST_OK);
    CHECK_INT(fits_put_real(w, "TSTART", MET, NULL, &why), BURST_OK);
    CHECK_INT(fits_put_real(w, "TSTOP", MET + 8, NULL, &why), BURST_OK);
}

static void finish(struct fits_writer *w)
{
    changed_drop(&file);
    CHECK_INT(fits_writer_finish(w, &file.bytes, &file.n, &why), BURST_OK);
    fits_writer_free(w);
    changed_unsum(&file);
}

static void make_one_table(void)
{
    struct fits_writer *w = NULL;
    const struct fits_put_column columns[] = {{"Time", "1D", "s", TIME, 0},
                                              {"Det", "1B", NULL, DETECTOR, 0},
                                              {"PHA", "1I", NULL, CHANNEL, 0},
                                              {"Kind", "1B", NULL, KIND, 0},
                                              {"Veto", "1B", NULL, VETO, 0}};
    CHECK_INT(fits_writer_new(&w, &why), BURST_OK);
    CHECK_INT(fits_put_image(w, NULL, FITS_U8, 0, NULL, NULL, &why), BURST_OK);
    put_keys(w, "ONE");
    CHECK_INT(fits_put_table(w, "Events", N_ROW, columns, 5, &why), BURST_OK);
    put_keys(w, "ONE");
    finish(w);
    changed_card(&file, "Events", "TFORM5  =", "TFORM5  = '8X      '"); /* bits, which the writer does not make */
}

static unsigned long long sum(const struct event_list *l, int atom)
{
    unsigned long long n = 0;
    for (size_t i = 0; i < l->n_tile; i++)
        for (int t = 0; t < EVENT_TILE_BINS; t++)
            n += l->tile[i].counts[atom * EVENT_TILE_BINS + t];
    return n;
}

TEST(rows_of_one_table_go_to_their_detectors_if_they_count)
{
    make_one_table();
    CHECK_SAY(read(MISSION_ADDED) == BURST_OK, "%s", why.text);
    CHECK_INT(packet.n_list, 3); /* detector 3 has no row: it may be off */
    const struct event_list *l = &packet.list[0];
    CHECK_INT(l->detector, 0);
    CHECK_INT(l->n_event, 4); /* channels 10, 40, 20, 5: 52, 202, 102, 27 keV */
    CHECK_INT(l->n_dropped, 1);
    CHECK_INT(sum(l, 0), 1);
    CHECK_INT(sum(l, 1), 1);
    CHECK_INT(sum(l, 2), 2);
    CHECK_INT(sum(l, 5), 4 * 30); /* dead time of the rows that count, units of 100 ns */
    CHECK_INT(packet.list[1].detector, 1);
    CHECK_INT(packet.list[1].n_event, 1);
    CHECK_INT(packet.list[1].n_dropped, 1); /* two bits of VETO */
    CHECK_INT(packet.list[2].detector, 3);
    CHECK_INT(packet.span.stop_ns - packet.span.start_ns, INT64_C(8000000000));
    CHECK(packet.span.start_ns == packet.epoch_ns + INT64_C(450000000000000000));
}

TEST(faults_name_the_row_of_the_file)
{
    enum { ROW = 13 }; /* bytes: D, B, I, B, X */
    make_one_table();
    changed_data(&file, "Events")[6 * ROW + 8] = 5;
    CHECK_REFUSED(read(MISSION_ADDED), BURST_E_RANGE, why, "Events: row 7: Det is 5, 1 to 4 expected");
    make_one_table();
    changed_f64(changed_data(&file, "Events") + 6 * ROW, MET + 20);
    CHECK_REFUSED(read(MISSION_ADDED), BURST_E_TIME, why, "Events: row 7: Time is");
    make_one_table();
    memcpy(changed_data(&file, "Events") + 6 * ROW + 9, "\x01\x00", 2);
    CHECK_REFUSED(read(MISSION_ADDED), BURST_E_RANGE, why, "Events: row 7: PHA is 256, 0 to 255 expected");
    make_one_table();
    changed_card(&file, "Events", "TTYPE4  =", "TTYPE4  = 'Sort    '");
    CHECK_REFUSED(read(MISSION_ADDED), BURST_E_MISSING, why, "no column Kind");
    make_one_table();
    changed_card(&file, "Events", "TFORM3  =", "TFORM3  = '2B      '");
    CHECK_REFUSED(read(MISSION_ADDED), BURST_E_FORMAT, why, "column PHA is 2B");
    make_one_table();
    changed_card(&file, "Events", "TSTOP   =", "TSTOP   =          449999999.0");
    CHECK_REFUSED(read(MISSION_ADDED), BURST_E_TIME, why, "is no span of mission time");
    make_one_table();
    changed_card(&file, "Events", "EXTNAME =", "EXTNAME = 'Rows    '");
    CHECK_REFUSED(read(MISSION_ADDED), BURST_E_MISSING, why, "no HDU Events");
}

/* EBOUNDS and GTI in the file; DET02 and DET04, and DET01 as a placeholder. */
TEST(tables_of_one_detector_each_are_read_by_their_names)
{
    struct fits_writer *w = NULL;
    static const int16_t number[3] = {0, 1, 2}, channel[N_ROW] = {0, 1, 2, 2, 1, 0, 1, 1};
    static const float low[3] = {10, 30, 120}, high[3] = {30, 120, 800};
    static const double start = MET, stop = MET + 8;
    const struct fits_put_column bounds[] = {{"CHANNEL", "1I", NULL, number, 0},
                                             {"E_MIN", "1E", "keV", low, 0},
                                             {"E_MAX", "1E", "keV", high, 0}},
                                 good[] = {{"START", "1D", "s", &start, 0}, {"STOP", "1D", "s", &stop, 0}},
                                 rows[] = {{"Time", "1D", "s", TIME, 0}, {"PHA", "1I", NULL, channel, 0}};
    CHECK_INT(fits_writer_new(&w, &why), BURST_OK);
    CHECK_INT(fits_put_image(w, NULL, FITS_U8, 0, NULL, NULL, &why), BURST_OK);
    put_keys(w, "EACH");
    CHECK_INT(fits_put_table(w, "EBOUNDS", 3, bounds, 3, &why), BURST_OK);
    CHECK_INT(fits_put_table(w, "GTI", 1, good, 2, &why), BURST_OK);
    CHECK_INT(fits_put_table(w, "DET02", N_ROW, rows, 2, &why), BURST_OK);
    CHECK_INT(fits_put_table(w, "DET04", 3, rows, 2, &why), BURST_OK);
    finish(w);
    CHECK_SAY(read((enum burst_mission)(MISSION_ADDED + 1)) == BURST_OK, "%s", why.text);
    CHECK_INT(packet.n_list, 2);
    CHECK_INT(packet.list[0].detector, 1);
    CHECK_INT(packet.list[0].n_event, 6); /* channels 1 and 2: 60 and 310 keV */
    CHECK_INT(packet.list[0].n_outside, 2);
    CHECK_INT(packet.list[1].detector, 3);
    CHECK_INT(packet.list[1].n_event, 2);
    changed_card(&file, "DET02", "EXTNAME =", "EXTNAME = 'DAT02   '");
    changed_card(&file, "DET04", "EXTNAME =", "EXTNAME = 'DAT04   '");
    CHECK_REFUSED(read((enum burst_mission)(MISSION_ADDED + 1)), BURST_E_MISSING, why, "no DETnn among");
}

int main(void)
{
    band_set_default(&bands);
    add_one_table();
    add_table_each();
    RUN(rows_of_one_table_go_to_their_detectors_if_they_count);
    RUN(faults_name_the_row_of_the_file);
    RUN(tables_of_one_detector_each_are_read_by_their_names);
    changed_drop(&file);
    arena_fini(&arena);
    return check_report();
}
