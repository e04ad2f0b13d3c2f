/* Any bytes as a sub-image; an accepted packet keeps every promise of records/packet.h. */
#include "fuzz/fits_mutate.h"
#include "ingest/ingest.h"
#include <math.h>

static void check_packet(const struct subimage_packet *p)
{
    const struct tan_wcs *w = &p->wcs;
    size_t n_data = 0;
    must(p->n_y >= 1 && p->n_y <= SUBIMAGE_SIDE && p->n_z >= 1 && p->n_z <= SUBIMAGE_SIDE);
    must(p->sky_y0 >= 0 && p->sky_y0 + p->n_y <= p->sky_n && p->sky_z0 >= 0 && p->sky_z0 + p->n_z <= p->sky_n);
    must(p->trigger_y >= 0 && p->trigger_y < p->sky_n && p->trigger_z >= 0 && p->trigger_z < p->sky_n);
    for (int i = 0; i < p->n_y * p->n_z; i++) {
        must(!isinf(p->snr[i]));
        n_data += isnan(p->snr[i]) ? 0 : 1;
    }
    must(n_data > 0 && p->burst_id[0] && p->span.stop_ns > p->span.start_ns && p->e_max_kev > p->e_min_kev);
    bool placed = fabs(w->cd[0][0] * w->cd[1][1] - w->cd[0][1] * w->cd[1][0]) > 0 && fabs(w->crval_deg[1]) <= 90;
    must(placed == !(p->faults & SUBIMAGE_NO_WCS) && placed == (p->wcs_fault[0] == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct source source = {REALM_LIVE, MISSION_SVOM, INSTRUMENT_ECLAIRS};
    struct subimage_packet packet;
    struct burst_error why;
    struct arena arena;
    if (arena_init(&arena, ingest_arena_need(size), &why)) return 0;
    enum burst_err err = ingest_subimage(source, data, size, &arena, &packet, &why);
    must(err != BURST_E_NOMEM);
    if (!err) check_packet(&packet);
    arena_fini(&arena);
    return 0;
}
