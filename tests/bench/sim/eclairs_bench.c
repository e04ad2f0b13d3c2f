/* One ECLAIRs exposure: to be compared with others' arithmetic, and to be timed. For bench.py beside it.
 *
 *   eclairs_bench dump FILE      mask [120][120], alive, residual, counts [80][80], sky [199][199]: float32, one after the other
 *   eclairs_bench time SECONDS   two lines: `decode N CPU_SECONDS`, `model N CPU_SECONDS` (counts, fit and decoding)
 *
 * One thread. Nothing is asserted about time. */
#include "sim/eclairs_decode.h"
#include "sim/eclairs_plane.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct coded_mask mask;
static struct plane_detector detector;
static struct plane_scene scene;
static struct plane_work work;
static struct exposure exposure;
static struct rng rng;
static float sky[SKY_SIDE * SKY_SIDE];

static double cpu_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* cannot fail for this clock */
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Six steady sources that the fit knows, and a new one: an ordinary field. */
static void make_scene(void)
{
    rng_seed(&rng, 1, 1);
    mask_make(1, &mask);
    plane_detector_draw(&rng, 1.0, &detector);
    plane_start(20.48, 0.53, &scene);
    for (int i = 0; i < 7; i++) {
        double y = 50.0 + 17.3 * i, z = 150.0 - 13.7 * i;
        scene.source[scene.n_source++] = (struct plane_source){
            .y = y, .z = z, .end_y = y, .end_z = z, .fit_y = y, .fit_z = z, .counts = 2000.0, .cleaned = i < 6};
    }
}

static void model(struct decoder *d)
{
    plane_prepare(&mask, &detector, &scene, &rng, &work);
    plane_expose(&detector, &scene, &work, &rng, &exposure);
    decode_sky(d, exposure.residual, exposure.counts, sky);
}

static void time_both(struct decoder *d, double seconds)
{
    int n = 0;
    double start = cpu_seconds(), spent = 0.0;
    for (; spent < seconds; spent = cpu_seconds() - start, n++)
        decode_sky(d, exposure.residual, exposure.counts, sky);
    printf("decode %d %.6f\n", n, spent);
    start = cpu_seconds();
    for (spent = 0.0, n = 0; spent < seconds; spent = cpu_seconds() - start, n++)
        model(d);
    printf("model %d %.6f\n", n, spent);
}

static int dump(const char *path)
{
    float open[MASK_SIDE * MASK_SIDE];
    FILE *file = fopen(path, "wb");
    if (!file) return 1;
    mask_sample(&mask, 0.0, 0.0, MASK_SIDE, open);
    (void)fwrite(open, sizeof open, 1, file); /* fclose below is asked */
    (void)fwrite(detector.alive, sizeof detector.alive, 1, file);
    (void)fwrite(exposure.residual, sizeof exposure.residual, 1, file);
    (void)fwrite(exposure.counts, sizeof exposure.counts, 1, file);
    (void)fwrite(sky, sizeof sky, 1, file);
    int bad = ferror(file);
    return fclose(file) != 0 || bad;
}

int main(int argc, char **argv)
{
    struct decoder *d = NULL;
    struct burst_error error;
    int status = 0;
    if (argc != 3 || (strcmp(argv[1], "dump") != 0 && strcmp(argv[1], "time") != 0)) {
        (void)fputs("usage: eclairs_bench dump FILE | time SECONDS\n", stderr);
        return 2;
    }
    make_scene();
    if (decoder_new(&mask, &d, &error)) {
        (void)fprintf(stderr, "eclairs_bench: %s\n", error.text);
        return 1;
    }
    decoder_set_alive(d, detector.alive);
    model(d);
    if (argv[1][0] == 'd')
        status = dump(argv[2]);
    else
        time_both(d, strtod(argv[2], NULL));
    decoder_free(d);
    return status;
}
