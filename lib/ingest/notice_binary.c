/* GCN classic binary: 160 bytes, 40 big-endian 32-bit integers, floating values multiplied by a power of ten.
 *
 * Read are the fields whose place and scale are known; the rest stays absent. Sources:
 *   GECAM 188, 189   nasa-gcn/gcn-classic-to-json, GECAM_FLT and GECAM_GND, checked on the IVORNs of public notices: those
 *                    print word 6 / 100 as a time of day and so show that it holds 1e-4 s, not the usual 1e-2 s
 *   GBM 110 to 119   the scales every classic packet has (GCN, tech_describe), and the readings of RATTEL's gcntan; the
 *                    flag bits are those that the public VOEvents print beside their meaning (Trigger_ID, Misc_flags) */
#include "base/bytes.h"
#include "base/clock.h"
#include "ingest/notice_inside.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PACKET_BYTES = 160, TEST_FROM = 100000000 };
enum { W_TYPE, W_SERIAL, W_TRIGGER = 4, W_TJD, W_SOD, W_RA, W_DEC, W_FLAGS = 18, W_MISC }; /* common to all */
enum {                                                                                     /* GECAM */
       G_INTENSITY = 9,
       G_ERROR,
       G_CLASS,
       G_PHI,
       G_THETA,
       G_DURATION,
       G_LATITUDE = 16,
       G_LONGITUDE,
       G_SNR = 20,
       G_E_MIN = 24,
       G_E_MAX
};
enum { F_ERROR = 11, F_SNR = 21, F_CLASS = 23 }; /* Fermi */

struct packet {
    int32_t word[PACKET_BYTES / 4];
    struct notice *n;
    struct burst_error *reterr;
    enum burst_err err;
};

static double scaled(struct packet *p, int at, double scale, double least, double most)
{
    double value = p->word[at] * scale;
    if (p->err || (value >= least && value <= most)) return value;
    p->err = burst_fail(p->reterr, BURST_E_RANGE, "word %d (byte %d) is %d, so %g: %g to %g expected", at, 4 * at,
                        (int)p->word[at], value, least, most);
    return NAN;
}

static double above_zero(struct packet *p, int at, double scale, double most)
{
    if (p->word[at] == 0 || p->word[at] == -1) return NAN;
    return scaled(p, at, scale, 0, most);
}

static void read_when(struct packet *p, int64_t ns_per_unit)
{
    double tjd = scaled(p, W_TJD, 1, 7892, 48409), sod = scaled(p, W_SOD, (double)ns_per_unit * 1e-9, 0, 86401);
    if (p->err || isnan(tjd) || isnan(sod)) return;
    int64_t utc_ns = ((int64_t)p->word[W_TJD] - 587) * 86400 * CLOCK_NS_PER_S + p->word[W_SOD] * ns_per_unit;
    p->n->trigger_ns = clock_tt_from_utc_ns(utc_ns);
    p->n->trigger_digit_s = (double)ns_per_unit * 1e-9;
}

static void read_where(struct packet *p, int error_at)
{
    struct notice *n = p->n;
    n->ra_deg = scaled(p, W_RA, 1e-4, 0, 360);
    n->dec_deg = scaled(p, W_DEC, 1e-4, -90, 90);
    n->error_deg = above_zero(p, error_at, 1e-4, 180);
    n->containment = isnan(n->error_deg) ? NAN : 0.68;
}

static void read_head(struct packet *p, const char *prefix, const char *word, enum notice_kind kind)
{
    struct notice *n = p->n;
    n->kind = kind;
    n->packet_type = p->word[W_TYPE];
    n->packet_serial = p->word[W_SERIAL] > 0 ? p->word[W_SERIAL] : 0;
    n->tense = TENSE_CURRENT;
    (void)snprintf(n->kind_word, sizeof n->kind_word, "%s", word);
    if (p->err) return;
    if (p->word[W_TRIGGER] <= 0) {
        p->err = burst_fail(p->reterr, BURST_E_RANGE, "word %d (byte %d), the trigger number, is %d: above 0 expected",
                            W_TRIGGER, 4 * W_TRIGGER, (int)p->word[W_TRIGGER]);
        return;
    }
    (void)snprintf(n->trigger_name, sizeof n->trigger_name, "%d", (int)p->word[W_TRIGGER]);
    (void)snprintf(n->id, sizeof n->id, "%.32s%d", prefix, (int)p->word[W_TRIGGER]);
}

/* ---- GECAM ---- */

/* Word 19 is the satellite: 1 for A, 2 for B, 3 for C. */
static void check_satellite(struct packet *p, const char *mission)
{
    int satellite = p->word[W_MISC];
    if (satellite < 1 || satellite > 3)
        p->err = burst_fail(p->reterr, BURST_E_RANGE, "word %d (byte %d), the satellite, is %d: 1 to 3 expected",
                            W_MISC, 4 * W_MISC, satellite);
    else if (mission[strlen("GECAM-")] != 'A' + satellite - 1)
        p->err = burst_fail(p->reterr, BURST_E_CONFLICT, "a notice of GECAM-%c on the topic of %s", 'A' + satellite - 1,
                            mission);
}

static void read_flight(struct packet *p)
{
    struct notice *n = p->n;
    n->trigger_type = TRIGGER_TYPE_RATE;
    n->snr_sigma = above_zero(p, G_SNR, 1e-2, 1e6);
    n->e_min_kev = above_zero(p, G_E_MIN, 1, 1e6);
    n->e_max_kev = above_zero(p, G_E_MAX, 1, 1e6);
}

static void read_gecam(struct packet *p)
{
    struct notice *n = p->n;
    bool ground = p->word[W_TYPE] == 189;
    enum burst_mission topic = n->source.mission;
    if (topic != MISSION_GECAM_A && topic != MISSION_GECAM_B && topic != MISSION_GECAM_C) {
        p->err = burst_fail(p->reterr, BURST_E_CONFLICT, "a notice of GECAM on the topic of another mission");
        return;
    }
    const char *mission = notice_mission_name(topic);
    char prefix[16];
    (void)snprintf(prefix, sizeof prefix, "%.7s-", mission);
    notice_set_origin(n, mission, "GRD");
    check_satellite(p, mission);
    read_head(p, prefix, ground ? "GECAM_GND" : "GECAM_FLT", ground ? NOTICE_UPDATE : NOTICE_TRIGGER);
    read_when(p, 100000);
    read_where(p, G_ERROR);
    if (ground) n->flags |= NOTICE_GROUND;
    if (p->word[W_TRIGGER] >= TEST_FROM || (p->word[W_FLAGS] & 1)) n->tense = TENSE_TEST;
    (void)snprintf(n->mission_class, sizeof n->mission_class, "%s", notice_gecam_class(p->word[G_CLASS]));
    n->intensity = above_zero(p, G_INTENSITY, 1, 1e9);
    n->duration_s = above_zero(p, G_DURATION, 1e-4, 1e6);
    n->phi_deg = scaled(p, G_PHI, 1e-2, -360, 360);
    n->theta_deg = scaled(p, G_THETA, 1e-2, -180, 180);
    n->sat_latitude_deg = scaled(p, G_LATITUDE, 1e-2, -90, 90);
    n->sat_longitude_deg = scaled(p, G_LONGITUDE, 1e-2, -180, 360);
    if (!ground) read_flight(p);
}

/* ---- Fermi ---- */

static void read_gbm_flags(struct packet *p)
{
    uint32_t trigger = (uint32_t)p->word[W_FLAGS], misc = (uint32_t)p->word[W_MISC];
    static const struct {
        bool misc;
        uint32_t bit;
        enum notice_flag flag;
    } BITS[] = {{false, 1u << 5, NOTICE_NOT_A_GRB}, {false, 1u << 26, NOTICE_SHORT},
                {false, 1u << 27, NOTICE_LONG},     {false, 1u << 29, NOTICE_TIME_MATCH},
                {true, 1u << 24, NOTICE_DELAYED},   {true, 1u << 30, NOTICE_GROUND}};
    for (size_t i = 0; i < sizeof BITS / sizeof BITS[0]; i++)
        if ((BITS[i].misc ? misc : trigger) & BITS[i].bit) p->n->flags |= BITS[i].flag;
}

static void read_gbm(struct packet *p, const char *word)
{
    struct notice *n = p->n;
    int type = p->word[W_TYPE];
    if (n->source.mission != MISSION_FERMI) {
        p->err = burst_fail(p->reterr, BURST_E_CONFLICT, "a notice of Fermi on the topic of another mission");
        return;
    }
    notice_set_origin(n, "Fermi", "GBM");
    read_head(p, "Fermi-GBM-", word, type == 110 ? NOTICE_TRIGGER : NOTICE_UPDATE);
    read_when(p, 10000000);
    n->trigger_type = TRIGGER_TYPE_RATE;
    if (type == 119) n->tense = TENSE_TEST;
    if (type == 110) return; /* an alert has no position; its other words are not known */
    read_where(p, F_ERROR);
    read_gbm_flags(p);
    if (type == 111 || type == 119) n->snr_sigma = above_zero(p, F_SNR, 1e-2, 1e6);
    if (type == 112) n->snr_sigma = above_zero(p, F_SNR, 1e-1, 1e6);
    if (type == 111 || type == 119)
        (void)snprintf(n->mission_class, sizeof n->mission_class, "%s", notice_gbm_class(p->word[F_CLASS] & 0xffff));
}

enum burst_err notice_read_binary(const uint8_t *body, size_t n, struct notice *ret_n, struct burst_error *reterr)
{
    struct packet p = {.n = ret_n, .reterr = reterr, .err = BURST_OK};
    if (n != PACKET_BYTES)
        return burst_fail(reterr, n < PACKET_BYTES ? BURST_E_TRUNCATED : BURST_E_FORMAT,
                          "a classic packet of %zu bytes: %d expected", n, PACKET_BYTES);
    for (size_t i = 0; i < PACKET_BYTES / 4; i++)
        p.word[i] = (int32_t)bytes_get_u32(body + 4 * i);
    switch (p.word[W_TYPE]) {
    case 110: read_gbm(&p, "FERMI_GBM_ALERT"); break;
    case 111: read_gbm(&p, "FERMI_GBM_FLT_POS"); break;
    case 112: read_gbm(&p, "FERMI_GBM_GND_POS"); break;
    case 115: read_gbm(&p, "FERMI_GBM_FIN_POS"); break;
    case 119: read_gbm(&p, "FERMI_GBM_POS_TEST"); break;
    case 188:
    case 189: read_gecam(&p); break;
    default: return burst_fail(reterr, BURST_E_UNSUPPORTED, "classic packet type %d is not taken", (int)p.word[W_TYPE]);
    }
    return p.err;
}
