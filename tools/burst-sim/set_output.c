/* Threads claim blocks of skies, draw them into their own room, and write them when the blocks before are written. */
#include "set_output.h"
#include "commands.h"
#include "sim/npy.h"
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BLOCK_BYTES = 1 << 21, META_LINE = 320, PATH_ROOM = 560, THREAD_MAX = 64 };

struct output {
    char path[4][PATH_ROOM]; /* atoms, valid, y, meta */
    FILE *file[4];
};
enum { ATOMS, VALID, LABEL, META, N_FILE };

struct set_job {
    const struct set_request *q;
    struct output out;
    int rows;              /* of a sky */
    uint64_t n_sky, block; /* skies of the set, and of a block */
    pthread_mutex_t lock;
    pthread_cond_t turn;
    uint64_t claimed, written; /* blocks */
    bool failed;
    struct burst_error error;
};

/* What a thread fills between two turns at the files. */
struct block {
    uint16_t *atoms;
    uint8_t *valid;
    int64_t *label;
    char *meta;
    size_t n_row, n_meta;
};

static void block_free(struct block *b)
{
    free(b->atoms);
    free(b->valid);
    free(b->label);
    free(b->meta);
}

static enum burst_err block_new(const struct set_job *job, struct block *b, struct burst_error *reterr)
{
    const struct sky_plan *plan = &job->q->plan;
    size_t n = (size_t)job->block * (size_t)job->rows, n_bin = plan->n_bin;
    *b = (struct block){malloc(n * (size_t)plan->n_atom * n_bin * sizeof *b->atoms),
                        malloc(n * n_bin),
                        malloc(n * sizeof *b->label),
                        malloc(n * META_LINE),
                        0,
                        0};
    if (b->atoms && b->valid && b->label && b->meta) return BURST_OK;
    block_free(b);
    *b = (struct block){0};
    return burst_fail(reterr, BURST_E_NOMEM, "no memory for %zu rows", n);
}

static void time_text(double t_s, char *text, size_t size)
{
    text[0] = '\0';
    if (t_s >= 0.0) (void)snprintf(text, size, "%.3f", t_s);
}

static int meta_line(const struct set_request *q, uint64_t index, uint64_t sky, const struct sky_row *f, char *text)
{
    char onset[24], stop[24];
    const struct spacecraft *craft = &q->plan.craft[f->craft];
    time_text(f->onset_s, onset, sizeof onset);
    time_text(f->stop_s, stop, sizeof stop);
    return snprintf(text, META_LINE, "%llu,%llu,%llu,%d,%s,%s,%s,%.3f,%.3f,%.3f,%s,%s,%d,%d,%.4f,%.4f,%d\n",
                    (unsigned long long)index, (unsigned long long)q->seed, (unsigned long long)sky, f->label,
                    family_name(f->family), craft->name, craft->detector[f->detector].name, f->snr, f->t90_s, f->peak_s,
                    onset, stop, f->n_valid, f->n_missing_inside, f->counts, f->dispersion, f->n_saturated);
}

static void fill_block(const struct set_job *job, uint64_t number, struct sky_work *work, struct block *b)
{
    const struct set_request *q = job->q;
    size_t n_bin = q->plan.n_bin, n_atom = (size_t)q->plan.n_atom;
    uint64_t last = (number + 1) * job->block;
    b->n_row = b->n_meta = 0;
    for (uint64_t sky = number * job->block; sky < last && sky < job->n_sky; sky++) {
        sky_draw(work, q->seed, sky);
        for (int r = 0; r < job->rows; r++) {
            const struct sky_row *f = sky_row(work, r);
            memcpy(b->atoms + b->n_row * n_atom * n_bin, sky_atoms(work, r), n_atom * n_bin * sizeof *b->atoms);
            memcpy(b->valid + b->n_row * n_bin, sky_valid(work, r), n_bin);
            b->label[b->n_row++] = f->label;
            b->n_meta += (size_t)meta_line(q, sky * (uint64_t)job->rows + (uint64_t)r, sky, f, b->meta + b->n_meta);
        }
    }
}

/* ferror is asked when the files are closed */
static void write_block(struct set_job *job, const struct block *b)
{
    size_t n_bin = job->q->plan.n_bin, n_atom = (size_t)job->q->plan.n_atom;
    (void)fwrite(b->atoms, sizeof *b->atoms, b->n_row * n_atom * n_bin, job->out.file[ATOMS]);
    (void)fwrite(b->valid, 1, b->n_row * n_bin, job->out.file[VALID]);
    (void)fwrite(b->label, sizeof *b->label, b->n_row, job->out.file[LABEL]);
    (void)fwrite(b->meta, 1, b->n_meta, job->out.file[META]);
}

/* The number of the next block, or false when all are claimed. */
static bool claim(struct set_job *job, uint64_t *ret_number)
{
    (void)pthread_mutex_lock(&job->lock);
    bool more = !job->failed && job->claimed * job->block < job->n_sky;
    *ret_number = job->claimed;
    job->claimed += more;
    (void)pthread_mutex_unlock(&job->lock);
    return more;
}

static void write_in_turn(struct set_job *job, uint64_t number, const struct block *b)
{
    (void)pthread_mutex_lock(&job->lock);
    while (job->written != number && !job->failed)
        (void)pthread_cond_wait(&job->turn, &job->lock);
    if (!job->failed) {
        write_block(job, b);
        job->written++;
        uint64_t done = job->written * job->block;
        progress_show("lightcurves", (size_t)(done < job->n_sky ? done : job->n_sky), (size_t)job->n_sky);
    }
    (void)pthread_cond_broadcast(&job->turn);
    (void)pthread_mutex_unlock(&job->lock);
}

static void give_up(struct set_job *job, const struct burst_error *error)
{
    (void)pthread_mutex_lock(&job->lock);
    if (!job->failed) job->error = *error;
    job->failed = true;
    (void)pthread_cond_broadcast(&job->turn);
    (void)pthread_mutex_unlock(&job->lock);
}

static void *draw_blocks(void *argument)
{
    struct set_job *job = argument;
    struct block b = {0};
    struct sky_work *work = NULL;
    struct burst_error error;
    uint64_t number;
    enum burst_err err = sky_work_new(&job->q->plan, &work, &error);
    if (!err) err = block_new(job, &b, &error);
    if (err) give_up(job, &error);
    while (!err && claim(job, &number)) {
        fill_block(job, number, work, &b);
        write_in_turn(job, number, &b);
    }
    block_free(&b);
    sky_work_free(work);
    return NULL;
}

static enum burst_err run_threads(struct set_job *job, struct burst_error *reterr)
{
    pthread_t thread[THREAD_MAX];
    int n = 0, want = job->q->n_thread < THREAD_MAX ? job->q->n_thread : THREAD_MAX;
    (void)pthread_mutex_init(&job->lock, NULL);
    (void)pthread_cond_init(&job->turn, NULL);
    while (n < want && pthread_create(&thread[n], NULL, draw_blocks, job) == 0)
        n++;
    if (n == 0) (void)draw_blocks(job); /* no thread to be had: this one will do */
    for (int i = 0; i < n; i++)
        (void)pthread_join(thread[i], NULL);
    (void)pthread_cond_destroy(&job->turn);
    (void)pthread_mutex_destroy(&job->lock);
    if (job->failed && reterr) *reterr = job->error;
    return job->failed ? job->error.code : BURST_OK;
}

static enum burst_err output_open(const struct set_request *q, struct output *o, struct burst_error *reterr)
{
    static const char *const NAME[N_FILE] = {"atoms.npy", "valid.npy", "y.npy", "meta.csv"};
    size_t atoms[3] = {(size_t)q->n, (size_t)q->plan.n_atom, q->plan.n_bin}, valid[2] = {(size_t)q->n, q->plan.n_bin};
    if (strlen(q->folder) > PATH_ROOM - 16) return burst_fail(reterr, BURST_E_LIMIT, "the folder's name is too long");
    if (mkdir(q->folder, 0777) != 0 && errno != EEXIST)
        return burst_fail(reterr, BURST_E_IO, "cannot make %s: %s", q->folder, strerror(errno));
    for (int i = 0; i < N_FILE; i++)
        (void)snprintf(o->path[i], PATH_ROOM, "%s/%s", q->folder, NAME[i]);
    enum burst_err err = npy_open(o->path[ATOMS], "<u2", atoms, 3, &o->file[ATOMS], reterr);
    if (!err) err = npy_open(o->path[VALID], "|u1", valid, 2, &o->file[VALID], reterr);
    if (!err) err = npy_open(o->path[LABEL], "<i8", valid, 1, &o->file[LABEL], reterr);
    if (err) return err;
    o->file[META] = fopen(o->path[META], "w");
    if (!o->file[META]) return burst_fail(reterr, BURST_E_IO, "cannot write %s: %s", o->path[META], strerror(errno));
    (void)fputs(
        "index,seed,sky,label,family,mission,detector,snr,t90_s,peak_s,onset_s,stop_s,n_valid,n_missing_inside,counts,"
        "dispersion,saturated\n",
        o->file[META]);
    return BURST_OK;
}

static enum burst_err output_close(struct output *o, struct burst_error *reterr)
{
    enum burst_err first = BURST_OK;
    for (int i = 0; i < N_FILE; i++) {
        enum burst_err err = o->file[i] ? npy_close(o->file[i], o->path[i], first ? NULL : reterr) : BURST_OK;
        if (!first) first = err;
    }
    return first;
}

static void write_without(uint32_t without, FILE *file)
{
    const char *comma = "";
    (void)fputc('[', file);
    for (int f = 0; f < FAMILY_N; f++)
        if (without >> f & 1u) {
            (void)fprintf(file, "%s\"%s\"", comma, family_name((enum sky_family)f));
            comma = ", ";
        }
    (void)fputc(']', file);
}

/* Last of all: a folder with set.json is a whole set. */
static enum burst_err write_json(const struct set_request *q, struct burst_error *reterr)
{
    static const char *const VIEW[] = {"one", "best3", "all"};
    char path[PATH_ROOM];
    const struct sky_plan *p = &q->plan;
    (void)snprintf(path, sizeof path, "%s/set.json", q->folder);
    FILE *file = fopen(path, "w");
    if (!file) return burst_fail(reterr, BURST_E_IO, "cannot write %s: %s", path, strerror(errno));
    (void)fprintf(file,
                  "{\"what\": \"lightcurves\", \"version\": 2, \"n\": %llu, \"seed\": %llu, \"mission\": \"%s\",\n"
                  " \"bin_s\": %.3f, \"n_bin\": %zu, \"n_atom\": %d, \"edges_kev\": %s,\n"
                  " \"options\": {\"detectors\": \"%s\", \"rates\": \"%s\", \"only\": ",
                  (unsigned long long)q->n, (unsigned long long)q->seed, q->mission, p->bin_s, p->n_bin, p->n_atom,
                  p->n_atom == SIM_ATOM ? "[25, 50, 100, 300, 500, 900]" : "[8, 900]", VIEW[p->view],
                  p->rates == RATES_REAL ? "real" : "training");
    (void)(p->only < 0 ? fputs("null", file) : fprintf(file, "\"%s\"", family_name((enum sky_family)p->only)));
    (void)fputs(", \"without\": ", file);
    write_without(p->without, file);
    (void)fprintf(file, ", \"shift\": \"%s\", \"flux\": %s, \"onset\": %g, \"snr\": ", sky_shift_name(q->shift),
                  p->by_flux ? "true" : "false", p->onset);
    (void)(p->snr_high > 0.0 ? fprintf(file, "[%g, %g]", p->snr_low, p->snr_high) : fputs("null", file));
    (void)fputs("},\n \"burst_sim\": \"" BURST_VERSION "\"}\n", file);
    return npy_close(file, path, reterr);
}

enum burst_err set_write(const struct set_request *q, struct burst_error *reterr)
{
    struct set_job *job = calloc(1, sizeof *job);
    if (!job) return burst_fail(reterr, BURST_E_NOMEM, "no memory for a set");
    job->q = q;
    job->rows = sky_rows(&q->plan);
    job->n_sky = q->n / (uint64_t)job->rows;
    size_t row = (size_t)(q->plan.n_atom * 2 + 1) * q->plan.n_bin;
    job->block = BLOCK_BYTES / (row * (size_t)job->rows) + 1;
    enum burst_err err = output_open(q, &job->out, reterr);
    if (!err) err = run_threads(job, reterr);
    enum burst_err bad_close = output_close(&job->out, err ? NULL : reterr);
    if (!err) err = bad_close;
    free(job);
    return err ? err : write_json(q, reterr);
}
