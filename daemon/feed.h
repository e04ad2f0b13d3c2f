/* One input: an instrument in one realm, its rings, and how far every gateway's copy of it has been read. Belongs to the
 * ingest thread. */
#ifndef BURST_DAEMON_FEED_H
#define BURST_DAEMON_FEED_H
#include "daemon/order.h"
#include "daemon/restart.h"
#include "prepare/lightcurve.h"

enum { FEED_RATIOS = 64 };

struct feed {
    struct source source;
    enum topic_kind kind;
    char topic[STREAM_TOPIC_TEXT];
    struct lightcurve *lc; /* NULL for images, and where no light-curve network is configured */
    struct band_set bands; /* counted in lc: the network's, or all energies in one for a particle monitor */
    struct lightcurve_window
        *monitor;                  /* storage of a particle monitor's window; NULL for what is searched for bursts */
    int64_t ratio_k[FEED_RATIOS];  /* the end of the window each ratio was made of */
    double ratio[FEED_RATIOS];     /* particles over their usual rate, by stride; see feed_particles */
    struct lightcurve_counts told; /* counters already added to health */
    int64_t seen_mono_ns;          /* last message; 0: none since the last flush */
    bool has_gap;                  /* the end of one is not known yet */
    int64_t judged_k;              /* end of the last window given, also of the restart point's; INT64_MIN: none */
    struct cover cover[CONFIG_INPUT_MAX];               /* by gateway */
    uint8_t data_stream[CONFIG_INPUT_MAX][STREAM_UUID]; /* of the last packet looked at, by gateway */
    struct order order;                                 /* which gateway may be read on */
    /* Data older than the rings, see take_archive.c. */
    struct lightcurve *archive; /* made when the first such data come */
    struct lightcurve_counts archive_told;
    int64_t archive_mono_ns; /* when data last came; 0: all have been searched */
    bool archive_flushed;    /* since then */
    struct restart_from
        hold[CONFIG_INPUT_MAX]; /* by gateway: the first message whose data have not been searched; seq 0: none */
    int n_begun;
    struct restart_from begun[RESTART_FROM_MAX]; /* where the restart point said to go on */
};

/* Rings and topic of a source.
 * Given     bands    NULL: no light-curve network
 *           restart  NULL: none. Lent for the call
 * Errors    those of source_topic and lightcurve_new; f is safe for feed_close all the same */
enum burst_err feed_open(struct feed *f, struct source source, enum topic_kind kind, const struct band_set *bands,
                         int64_t lateness_ns, const struct restart_point *restart, struct burst_error *reterr);
void feed_close(struct feed *f);

/* A particle monitor's window has closed: keep its ratio. */
double feed_particles_add(struct feed *f);
/* The highest ratio of the 30 s that end with bin k_end, as far as it is known by now; 0: not known. */
double feed_particles(const struct feed *f, int64_t k_end);

/* A message was read: its data end at stop_ns (INT64_MIN: it holds none that are needed). */
void feed_read(struct feed *f, int gateway, const uint8_t stream[STREAM_UUID], uint64_t seq, int64_t stop_ns);
/* The same for a message whose data came before in another one: they end no later than the latest data. */
void feed_read_again(struct feed *f, int gateway, const uint8_t stream[STREAM_UUID], uint64_t seq);

/* Messages up to `to` are lost for good: windows over that time say so. A restart point stays before the last of them for as long as
 * a window may reach that far, so that after a restart the same windows say so. */
void feed_gap(struct feed *f, int gateway, const uint8_t stream[STREAM_UUID], uint64_t to);
/* Data have been added: if they came after a gap, its end is known. */
void feed_gap_end(struct feed *f);

/* A message of the gateway has been read, or one that came before: what it means for the others' turn. */
void feed_order(struct feed *f, int gateway, bool is_replay, int64_t now_mono_ns);

/* Data of this message wait in the archive: points stay before it until feed_archive_done. */
void feed_hold(struct feed *f, int gateway, const uint8_t stream[STREAM_UUID], uint64_t seq);
void feed_archive_done(struct feed *f);

/* Where to read again from once the window ending at k_end has been judged: the next one looks back WINDOW_BINS from
 * STRIDE_BINS on. The tracker's state is for the work thread to fill in. */
void feed_window_point(struct feed *f, int64_t k_end, struct restart_point *ret_point);
/* The same for sub-images: nothing that was read is needed again. */
void feed_image_point(struct feed *f, struct restart_point *ret_point);

/* The same for positions and attitudes: those before needed_ns are not needed again. */
void feed_platform_point(struct feed *f, int64_t needed_ns, struct restart_point *ret_point);

/* True where a packet is the first of a gateway's new stream, and its data end before what has been judged and before the end of
 * what the gateway brought so far (after a restart that is not known, and what was judged then counts as its own): in an unreal
 * realm a replay has been started again further back. Remembers the stream. The live sky does not go back. */
bool feed_goes_back(struct feed *f, int gateway, const uint8_t stream[STREAM_UUID], struct time_span span);
/* Forget all data and what has been judged; lc must have been drained. */
void feed_begin_anew(struct feed *f);
#endif
