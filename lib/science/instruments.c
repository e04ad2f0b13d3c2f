/* Files of a folder to instruments. */
#include "science/instruments.h"
#include "base/bytes.h"
#include "config/instrument.h"
#include "records/source.h"
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_TEXT = 4096, GEOMETRY_BYTES_MAX = 64 * 1024, FILE_MOST = 64, NAME_TEXT = 256 };
/* Detectors whose axes lie within this see a burst from any side alike, as far as their axes say. */
static const double PARALLEL_DEG = 20;

struct axis {
    double x, y, z;
};

/* ---- geometry: "detector,azimuth_deg,zenith_deg", then one row per detector; lines that begin with # are comments ---- */

static enum burst_err bad_line(const char *path, int line, const char *why, struct burst_error *reterr)
{
    return burst_fail(reterr, BURST_E_CONFIG, "%s:%d: %s", path, line, why);
}

static enum burst_err read_axis(const char *path, int line, const char *text, struct axis *ret_axis,
                                struct burst_error *reterr)
{
    char name[16], rest;
    double azimuth, zenith;
    if (sscanf(text, "%15[a-z0-9],%lf,%lf%c", name, &azimuth, &zenith, &rest) != 3)
        return bad_line(path, line, "is not NAME,AZIMUTH_DEG,ZENITH_DEG", reterr);
    if (!(azimuth >= -360 && azimuth <= 360 && zenith >= 0 && zenith <= 180))
        return bad_line(path, line, "azimuth outside -360 to 360 or zenith outside 0 to 180 degrees", reterr);
    const double degree = 3.14159265358979323846 / 180;
    *ret_axis = (struct axis){sin(zenith * degree) * cos(azimuth * degree),
                              sin(zenith * degree) * sin(azimuth * degree), cos(zenith * degree)};
    return BURST_OK;
}

static bool parallel(const struct axis *axis, int n)
{
    for (int i = 1; i < n; i++)
        if (axis[i].x * axis[0].x + axis[i].y * axis[0].y + axis[i].z * axis[0].z <
            cos(PARALLEL_DEG * 3.14159265358979323846 / 180))
            return false;
    return true;
}

/* `text` is cut into lines. */
static enum burst_err read_axes(const char *path, char *text, int n_detector, bool *ret_parallel,
                                struct burst_error *reterr)
{
    struct axis axis[DETECTOR_MAX];
    int n = -1, number = 1; /* -1: the head is still to come */
    enum burst_err err = BURST_OK;
    for (char *line = text, *next; !err && line; line = next, number++) {
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        if (!line[0] || line[0] == '#') continue;
        if (n < 0 && strcmp(line, "detector,azimuth_deg,zenith_deg") != 0)
            err = bad_line(path, number, "is not the head detector,azimuth_deg,zenith_deg", reterr);
        else if (n == n_detector)
            err = bad_line(path, number, "is a row more than the instrument has detectors", reterr);
        else if (n >= 0)
            err = read_axis(path, number, line, &axis[n], reterr);
        n++;
    }
    if (!err && n != n_detector)
        err = burst_fail(reterr, BURST_E_CONFIG, "%s: %d rows for %d detectors", path, n < 0 ? 0 : n, n_detector);
    if (!err) *ret_parallel = parallel(axis, n);
    return err;
}

static enum burst_err read_geometry(const char *configured, int n_detector, bool *ret_parallel,
                                    struct burst_error *reterr)
{
    char path[PATH_TEXT];
    uint8_t *text = NULL;
    size_t n;
    enum burst_err err = config_data_path(configured, path, sizeof path, reterr);
    if (!err) err = bytes_read_file(path, GEOMETRY_BYTES_MAX, &text, &n, reterr);
    if (!err && memchr(text, 0, n)) err = burst_fail(reterr, BURST_E_CONFIG, "%s: holds a zero byte", path);
    if (!err) err = read_axes(path, (char *)text, n_detector, ret_parallel, reterr);
    free(text);
    return err;
}

/* ---- one file ---- */

static void copy(char to[EVENT_MAP_TEXT], const char *from)
{
    (void)snprintf(to, EVENT_MAP_TEXT, "%.*s", EVENT_MAP_TEXT - 1, from); /* names are at most 47 long */
}

static void fill_map(const struct config_instrument *in, struct event_map *map)
{
    map->table_each = in->rows_tables == INSTRUMENT_TABLE_EACH;
    copy(map->table, in->rows_table);
    copy(map->time, in->rows_time);
    copy(map->channel, in->rows_channel);
    copy(map->detector, in->rows_detector);
    map->first_detector = (int)in->rows_first_detector;
    map->good_in_header = in->rows_good == INSTRUMENT_HEADER;
    map->linear = in->energy_from == INSTRUMENT_LINEAR;
    map->n_channel = (int)in->energy_channels;
    map->first_kev = in->energy_first_kev;
    map->channel_kev = in->energy_channel_kev;
    map->dead_s = in->rows_dead_us * 1e-6;
    for (map->n_keep = 0; map->n_keep < in->n_keep; map->n_keep++) {
        copy(map->keep[map->n_keep].column, in->keep[map->n_keep].column);
        map->keep[map->n_keep].least = in->keep[map->n_keep].least;
        map->keep[map->n_keep].most = in->keep[map->n_keep].most;
    }
}

static enum burst_err add(const struct config_instrument *in, struct burst_error *reterr)
{
    struct source_added added;
    memset(&added, 0, sizeof added); /* padding, too: the table compares whole records */
    copy(added.topic, in->mission_topic);
    copy(added.mission_name, in->mission_name);
    copy(added.instrument_name, in->mission_instrument);
    copy(added.fits_telescope, in->mission_telescope);
    copy(added.fits_instrument, in->mission_instrume);
    added.n_detector = (int)in->detectors_count;
    added.n_open = (int)in->detectors_open;
    added.epoch_mjd_i = (int)in->mission_epoch_mjd;
    added.epoch_mjd_f = in->mission_epoch_s / 86400.0;
    added.rate_hz = in->detectors_rate_hz;
    fill_map(in, &added.map);
    enum burst_err err = read_geometry(in->detectors_geometry, added.n_detector, &added.parallel, reterr);
    return err ? err : source_add(&added, reterr);
}

static enum burst_err open_file(const char *folder, const char *name, struct burst_error *reterr)
{
    char path[PATH_TEXT + NAME_TEXT + 2], text[sizeof reterr->text];
    struct config_instrument instrument;
    struct config_faults faults;
    (void)snprintf(path, sizeof path, "%.*s/%.*s", PATH_TEXT - 1, folder, NAME_TEXT - 1, name);
    enum burst_err err = config_instrument_read(path, &instrument, &faults);
    if (!err) return add(&instrument, reterr);
    config_fault_text(path, &faults.fault[0], text, sizeof text);
    if (faults.n_seen < 2) return burst_fail(reterr, err, "%s", text);
    return burst_fail(reterr, err, "%.400s; and %d more", text, faults.n_seen - 1);
}

/* ---- the folder ---- */

static bool is_yaml(const char *name)
{
    size_t n = strlen(name);
    return n > 5 && n < NAME_TEXT && name[0] != '.' && !strcmp(name + n - 5, ".yaml");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static enum burst_err list_folder(const char *folder, char (*ret_name)[NAME_TEXT], int *ret_n,
                                  struct burst_error *reterr)
{
    DIR *d = opendir(folder);
    if (!d) return burst_fail(reterr, BURST_E_IO, "%s: %s", folder, strerror(errno));
    enum burst_err err = BURST_OK;
    *ret_n = 0;
    for (const struct dirent *e; !err && (e = readdir(d));) {
        if (!is_yaml(e->d_name)) continue;
        if (*ret_n == FILE_MOST)
            err = burst_fail(reterr, BURST_E_LIMIT, "%s: more than %d files of instruments", folder, FILE_MOST);
        else
            (void)snprintf(ret_name[(*ret_n)++], NAME_TEXT, "%.*s", NAME_TEXT - 1, e->d_name);
    }
    (void)closedir(d); /* only read */
    qsort(ret_name, (size_t)*ret_n, NAME_TEXT, by_name);
    return err;
}

enum burst_err instruments_open(const struct burst_config *config, struct burst_error *reterr)
{
    char folder[PATH_TEXT], name[FILE_MOST][NAME_TEXT];
    int n = 0;
    if (!config->instruments_folder[0]) return BURST_OK;
    enum burst_err err = config_data_path(config->instruments_folder, folder, sizeof folder, reterr);
    if (!err) err = list_folder(folder, name, &n, reterr);
    for (int i = 0; !err && i < n; i++)
        err = open_file(folder, name[i], reterr);
    return err;
}
